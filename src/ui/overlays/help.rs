//! Every key of the place where it was opened.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use crate::ui::action::Action;
use crate::ui::areas;
use crate::ui::keymap::{Context, Keymap};
use crate::ui::overlays::frame;
use crate::ui::theme::Role;
use crate::ui::widgets::{put, put_right, row};
use crate::ui::world::World;

/// What is bound in the contexts below the overlay.
#[derive(Clone, Debug, PartialEq)]
pub struct Help {
    pub title: String,
    lines: Vec<Line>,
    pub offset: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum Line {
    Group(&'static str),
    Key(String, &'static str),
    Blank,
}

impl Help {
    /// Everything bound in these contexts, by group; the screen's own group first.
    pub fn new(title: impl Into<String>, keymap: &Keymap, contexts: &[Context]) -> Help {
        let mut bound: Vec<(Action, String)> = Vec::new();
        for action in Action::ALL {
            let keys = keymap.all_keys_of(contexts, *action);
            if !keys.is_empty() {
                bound.push((*action, keys.join("  ")));
            }
        }
        let own = |action: &Action| {
            let group = action.group().title().to_lowercase();
            contexts.iter().any(|context| context.name() == group)
        };
        bound.sort_by_key(|(action, _)| (!own(action), action.group()));
        let mut lines = Vec::new();
        let mut group = None;
        for (action, keys) in bound {
            if group != Some(action.group()) {
                if group.is_some() {
                    lines.push(Line::Blank);
                }
                lines.push(Line::Group(action.group().title()));
                group = Some(action.group());
            }
            lines.push(Line::Key(keys, action.help()));
        }
        Help { title: title.into(), lines, offset: 0 }
    }

    pub fn area(&self, size: (u16, u16)) -> Rect {
        areas::floating(76, self.lines.len() as u16 + 2, size)
    }

    fn page(&self, size: (u16, u16)) -> usize {
        usize::from(areas::inside(self.area(size)).height)
    }

    /// Moves by lines; stays within the text.
    pub fn scroll(&mut self, by: isize, size: (u16, u16)) {
        let last = self.lines.len().saturating_sub(self.page(size));
        self.offset = self.offset.saturating_add_signed(by).min(last);
    }

    pub fn act(&mut self, action: Action, size: (u16, u16)) {
        let page = self.page(size) as isize;
        match action {
            Action::Up => self.scroll(-1, size),
            Action::Down => self.scroll(1, size),
            Action::PageUp => self.scroll(1 - page, size),
            Action::PageDown | Action::Open => self.scroll(page - 1, size),
            Action::First => self.offset = 0,
            Action::Last => self.scroll(isize::MAX, size),
            _ => {}
        }
    }

    pub fn draw(&self, world: &World, buffer: &mut Buffer) {
        let inside = frame(world, buffer, self.area(world.size), &self.title);
        let keys = self.lines.iter().map(|line| match line {
            Line::Key(keys, _) => keys.width(),
            _ => 0,
        });
        let column = (keys.max().unwrap_or(0) as u16).min(inside.width / 2);
        for (index, line) in self.lines.iter().skip(self.offset).take(usize::from(inside.height)).enumerate()
        {
            let Some(row) = row(inside, index) else { break };
            match line {
                Line::Blank => {}
                Line::Group(title) => {
                    put(buffer, row, row.x, title, world.theme.style(Role::Accent));
                }
                Line::Key(keys, help) => {
                    let left = Rect { width: column, ..row };
                    put_right(buffer, left, keys, world.theme.style(Role::Key));
                    put(buffer, row, row.x + column + 3, help, world.theme.style(Role::Text));
                }
            }
        }
    }
}
