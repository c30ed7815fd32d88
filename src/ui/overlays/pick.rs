//! Choosing one thing from a list, or typing it: palette, window, as-of date, facets, sort column,
//! the file of an export, a parameter.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::domain::text::shown;
use crate::ui::action::Action;
use crate::ui::areas;
use crate::ui::overlays::frame;
use crate::ui::theme::Role;
use crate::ui::widgets::line::Line;
use crate::ui::widgets::table::Cursor;
use crate::ui::widgets::{put, put_right, row};
use crate::ui::world::World;

/// What is asked; comes back with the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Which action to do; settled by the shell.
    Palette,
    Window,
    AsOf,
    Facet,
    Sort,
    /// The path of a file; its ending chooses the format.
    Export,
    CopyMore,
    /// The value of a statement's parameter.
    Parameter(String),
    /// How far back, in minutes.
    Since,
    /// Why the execution of this ARN is stopped.
    Stop {
        arn: String,
    },
    /// What a waiting task is answered: the state, and the token of the task.
    Answer {
        state: String,
        token: String,
    },
    /// Anything else a screen asks; the word is the screen's own.
    Other(&'static str),
}

/// One thing to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What the answer will be.
    pub value: String,
    pub label: String,
    /// Dim, at the right: a key, a count.
    pub note: String,
}

impl Item {
    pub fn new(value: impl Into<String>, label: impl Into<String>, note: impl Into<String>) -> Item {
        Item { value: value.into(), label: label.into(), note: note.into() }
    }
}

/// The open choice.
#[derive(Clone, Debug, PartialEq)]
pub struct Pick {
    pub title: String,
    pub question: Question,
    pub line: Line,
    items: Vec<Item>,
    /// Indices of the items that match what is typed, best first.
    matches: Vec<usize>,
    cursor: Cursor,
    /// Whether what is typed is an answer itself when no item is chosen by the arrows.
    pub free: bool,
    /// Whether the person moved to an item.
    chosen: bool,
    /// Why the last answer was not taken.
    pub error: Option<String>,
    /// Typing does not narrow the items: they are examples.
    pub examples: bool,
}

const ROWS: u16 = 12;

impl Pick {
    /// A choice among items, narrowed by typing.
    pub fn among(title: impl Into<String>, question: Question, items: Vec<Item>) -> Pick {
        let matches = (0..items.len()).collect();
        Pick {
            title: title.into(),
            question,
            line: Line::default(),
            items,
            matches,
            cursor: Cursor::default(),
            free: false,
            chosen: false,
            error: None,
            examples: false,
        }
    }

    /// A text to type, with examples to choose from.
    pub fn text(title: impl Into<String>, question: Question, text: &str, examples: Vec<Item>) -> Pick {
        Pick { line: Line::new(text), free: true, examples: true, ..Pick::among(title, question, examples) }
    }

    /// With this text typed already.
    pub fn typing(mut self, text: &str) -> Pick {
        self.line = Line::new(text);
        self
    }

    pub fn error(mut self, error: impl Into<String>) -> Pick {
        self.error = Some(error.into());
        self
    }

    /// What `enter` answers: the item under the bar, or the text.
    pub fn answer(&self) -> Option<String> {
        let item = self.matches.get(self.cursor.selected).map(|index| self.items[*index].value.clone());
        if self.free && !self.chosen { Some(self.line.text().trim().to_string()) } else { item }
    }

    pub fn key(&mut self, key: KeyEvent) {
        if self.line.key(key) {
            self.typed();
        }
    }

    pub fn paste(&mut self, text: &str) {
        self.line.insert(text);
        self.typed();
    }

    fn typed(&mut self) {
        self.error = None;
        self.chosen = false;
        self.cursor = Cursor::default();
        if !self.examples {
            self.matches = ranked(self.line.text(), &self.items);
        }
    }

    pub fn act(&mut self, action: Action) {
        let page = usize::from(ROWS);
        if self.free
            && !self.chosen
            && matches!(action, Action::Down | Action::Up)
            && !self.matches.is_empty()
        {
            self.chosen = true;
            return;
        }
        self.cursor.act(action, self.matches.len(), page);
    }

    /// Selects the item at a position; says whether there is one.
    pub fn click(&mut self, size: (u16, u16), at: Position) -> bool {
        let list = self.list(areas::inside(self.area(size)));
        let index = self.cursor.offset + usize::from(at.y.saturating_sub(list.y));
        if !list.contains(at) || index >= self.matches.len() {
            return false;
        }
        self.cursor.selected = index;
        self.chosen = true;
        true
    }

    pub fn area(&self, size: (u16, u16)) -> Rect {
        areas::floating(64, ROWS.min(self.items.len() as u16) + 4, size)
    }

    fn list(&self, inside: Rect) -> Rect {
        Rect { y: inside.y + 2.min(inside.height), height: inside.height.saturating_sub(2), ..inside }
    }

    pub fn draw(&self, world: &World, buffer: &mut Buffer) {
        let inside = frame(world, buffer, self.area(world.size), &self.title);
        let theme = &world.theme;
        if let Some(line) = row(inside, 0) {
            let prompt = if self.free { "  " } else { "/ " };
            let x = put(buffer, line, line.x, prompt, theme.style(Role::Dim));
            self.line.draw(buffer, Rect { x, width: line.right() - x, ..line }, theme.style(Role::Strong));
        }
        if let (Some(error), Some(line)) = (&self.error, row(inside, 1)) {
            put(buffer, line, line.x, error, theme.style(Role::Bad));
        }
        let list = self.list(inside);
        if self.matches.is_empty() && !self.items.is_empty() {
            put(buffer, list, list.x, "Nothing matches; backspace shows more", theme.style(Role::Dim));
        }
        let offset = self.cursor.offset_for(usize::from(list.height));
        for (index, item) in self.matches.iter().skip(offset).take(usize::from(list.height)).enumerate() {
            let Some(row) = row(list, index) else { break };
            let item = &self.items[*item];
            let selected = index + offset == self.cursor.selected && (self.chosen || !self.free);
            let style = |role| if selected { theme.selected(role, true) } else { theme.style(role) };
            if selected {
                buffer.set_style(row, theme.selected(Role::Text, true));
                put(buffer, row, row.x, if world.ascii { ">" } else { "▌" }, style(Role::Accent));
            }
            let note = unicode_width::UnicodeWidthStr::width(item.note.as_str()) as u16;
            let label = Rect { x: row.x + 2, width: row.width.saturating_sub(note + 4), ..row };
            put(buffer, label, label.x, &shown(&item.label), style(Role::Text));
            put_right(buffer, row, &item.note, style(Role::Dim));
        }
    }
}

/// The items that match all the typed words, the best first; the given order decides among equals.
fn ranked(typed: &str, items: &[Item]) -> Vec<usize> {
    use fuzzy_matcher::FuzzyMatcher;
    let matcher = fuzzy_matcher::skim::SkimMatcherV2::default().ignore_case();
    let mut scored: Vec<(i64, usize)> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let score = typed.split_whitespace().try_fold(0, |sum, word| {
            let label = matcher.fuzzy_match(&item.label, word);
            let value = matcher.fuzzy_match(&item.value, word);
            label.max(value).map(|score| sum + score)
        });
        scored.extend(score.map(|score| (-score, index)));
    }
    scored.sort_unstable();
    scored.into_iter().map(|(_, index)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::{KeyCode, KeyModifiers};

    fn items(labels: &[&str]) -> Vec<Item> {
        labels.iter().map(|label| Item::new(*label, *label, "")).collect()
    }

    fn typed(pick: &mut Pick, text: &str) {
        for character in text.chars() {
            pick.key(KeyEvent::new(KeyCode::Char(character), KeyModifiers::NONE));
        }
    }

    #[test]
    fn typing_narrows_a_choice() {
        let mut pick = Pick::among("", Question::Palette, items(&["Sort by a column", "Start an execution"]));
        typed(&mut pick, "exec");
        assert_eq!(pick.answer().as_deref(), Some("Start an execution"));
        typed(&mut pick, "zzz");
        assert_eq!(pick.answer(), None);
    }

    #[test]
    fn a_free_text_is_its_own_answer_until_an_example_is_chosen() {
        let mut pick = Pick::text("", Question::Window, "6mo", items(&["30d", "90d"]));
        assert_eq!(pick.answer().as_deref(), Some("6mo"));
        pick.act(Action::Down);
        assert_eq!(pick.answer().as_deref(), Some("30d"));
        pick.act(Action::Down);
        assert_eq!(pick.answer().as_deref(), Some("90d"));
    }
}
