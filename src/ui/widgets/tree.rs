//! A JSON document to walk through: folded, searched, copied from; long texts wrap. Text that is not JSON
//! shows as its lines.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::domain::json::{Node, Part, Tree, quoted};
use crate::domain::text::{shown, shown_lines};
use crate::ui::action::Action;
use crate::ui::theme::Role;
use crate::ui::widgets::{put, row, wrap};
use crate::ui::world::World;

/// A document with a cursor. Belongs in a screen's model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    text: String,
    pub tree: Tree,
    /// Row of the tree under the cursor.
    pub at: usize,
    /// First line shown.
    offset: usize,
}

/// One line on the screen.
struct Line {
    row: usize,
    /// Which line of the row's value.
    part: usize,
    text: String,
}

/// Lines of one value before it is cut, unless the cursor is on it.
const FOLDED_LINES: usize = 4;
/// Lines of one value at most; the whole is a copy away.
const MOST_LINES: usize = 400;

impl Document {
    pub fn new(text: &str) -> Document {
        Document { text: text.to_owned(), tree: Tree::parse(text), at: 0, offset: 0 }
    }

    /// Shows another text; the cursor and what is folded stay while it is the same.
    pub fn show(&mut self, text: &str) {
        if self.text != text || self.tree.is_empty() {
            *self = Document::new(text);
        }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn is_empty(&self) -> bool {
        self.tree.is_empty()
    }

    /// The value under the cursor: text as it is, anything else as JSON.
    pub fn value(&self) -> String {
        self.tree.value(self.at)
    }

    pub fn path(&self) -> String {
        self.tree.path(self.at)
    }

    /// Obeys a moving or folding action; says whether it was one.
    pub fn act(&mut self, action: Action, area: Rect) -> bool {
        let rows = self.tree.rows();
        let place = rows.iter().position(|row| *row >= self.at).unwrap_or(rows.len().saturating_sub(1));
        let page = usize::from(area.height.max(2)) - 1;
        let last = rows.len().saturating_sub(1);
        let wanted = match action {
            Action::Up => place.saturating_sub(1),
            Action::Down => place + 1,
            Action::PageUp => place.saturating_sub(page),
            Action::PageDown => place + page,
            Action::First => 0,
            Action::Last => last,
            Action::Fold => {
                self.at = self.tree.toggle(self.at);
                self.reveal(area);
                return true;
            }
            _ => return false,
        };
        self.at = rows.get(wanted.min(last)).copied().unwrap_or(0);
        self.reveal(area);
        true
    }

    /// Goes to the next row that contains a text; says whether there is one.
    pub fn find(&mut self, needle: &str, forward: bool, area: Rect) -> bool {
        let found = self.tree.find(needle, self.at, forward);
        self.at = found.unwrap_or(self.at);
        self.reveal(area);
        found.is_some()
    }

    /// Puts the cursor on the clicked row; a click on it folds.
    pub fn click(&mut self, area: Rect, at: Position) {
        if !area.contains(at) {
            return;
        }
        let line = usize::from(at.y - area.y) + self.offset;
        if let Some(line) = self.lines(area.width).get(line) {
            if line.row == self.at {
                self.at = self.tree.toggle(self.at);
            } else {
                self.at = line.row;
            }
        }
        self.reveal(area);
    }

    /// Keeps the cursor in view.
    pub fn reveal(&mut self, area: Rect) {
        self.offset = self.offset_for(&self.lines(area.width), area.height);
    }

    fn offset_for(&self, lines: &[Line], height: u16) -> usize {
        let height = usize::from(height.max(1));
        let first = lines.iter().position(|line| line.row == self.at).unwrap_or(0);
        let last = lines.iter().rposition(|line| line.row == self.at).unwrap_or(0);
        let lowest = (last + 1).saturating_sub(height).min(first);
        self.offset.clamp(lowest, first).min(lines.len().saturating_sub(height))
    }

    fn lines(&self, width: u16) -> Vec<Line> {
        let mut lines = Vec::new();
        for row in self.tree.rows() {
            let Some(node) = self.tree.node(row) else { continue };
            let text = self.value_text(row, node);
            let left = indent(node) + key(node).chars().count();
            let room = usize::from(width).saturating_sub(left + 3).max(8);
            let most = if row == self.at { MOST_LINES } else { FOLDED_LINES };
            let mut parts = wrap(&text, room);
            if parts.len() > most {
                parts.truncate(most);
                if let Some(last) = parts.last_mut() {
                    last.push('…');
                }
            }
            lines.extend(parts.into_iter().enumerate().map(|(part, text)| Line { row, part, text }));
        }
        lines
    }

    fn value_text(&self, row: usize, node: &Node) -> String {
        let comma = if node.comma { "," } else { "" };
        match &node.part {
            Part::Open { array, len, .. } if self.tree.is_folded(row) => {
                let (open, close) = if *array { ("[", "]") } else { ("{", "}") };
                format!("{open}… {len}{close}{comma}")
            }
            Part::Open { array: true, len: 0, .. } => "[".to_owned(),
            Part::Open { array, .. } => if *array { "[" } else { "{" }.to_owned(),
            Part::Close { array } => format!("{}{comma}", if *array { "]" } else { "}" }),
            // A text of several lines reads as such under the cursor.
            Part::Text(text) if row == self.at && text.contains("\\n") => {
                shown_lines(&self.tree.value(row)).into_owned()
            }
            Part::Text(text) | Part::Number(text) => format!("{}{comma}", shown(text)),
            Part::Word(word) => format!("{word}{comma}"),
            Part::Plain(text) => shown(text).into_owned(),
        }
    }

    pub fn draw(&self, world: &World, buffer: &mut Buffer, area: Rect, focused: bool) {
        let area = area.intersection(buffer.area);
        let lines = self.lines(area.width);
        let offset = self.offset_for(&lines, area.height);
        for (i, line) in lines.iter().skip(offset).enumerate() {
            let (Some(spot), Some(node)) = (row(area, i), self.tree.node(line.row)) else { break };
            let selected = focused && line.row == self.at;
            let style =
                |role| if selected { world.theme.selected(role, true) } else { world.theme.style(role) };
            if selected {
                buffer.set_style(spot, style(Role::Text));
                put(buffer, spot, spot.x, if world.ascii { ">" } else { "▌" }, style(Role::Accent));
            }
            let mut x = spot.x + 1 + indent(node) as u16;
            let key = key(node);
            if line.part == 0 {
                x = put(buffer, spot, x, &shown(&key), style(Role::Dim));
            } else {
                x = x.saturating_add(key.chars().count() as u16);
            }
            let role = match node.part {
                Part::Open { .. } | Part::Close { .. } => Role::Dim,
                _ => Role::Text,
            };
            put(buffer, spot, x, &line.text, style(role));
        }
    }
}

fn indent(node: &Node) -> usize {
    usize::from(node.depth.min(20)) * 2
}

fn key(node: &Node) -> String {
    node.key.as_ref().map(|key| format!("{}: ", quoted(key))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stays_in_view_and_long_values_wrap() {
        let area = Rect::new(0, 0, 20, 4);
        let mut document = Document::new(r#"{"a": "one two three four five six", "b": [1, 2, 3]}"#);
        document.act(Action::Last, area);
        assert_eq!(document.tree.path(document.at), "$");
        document.act(Action::First, area);
        document.act(Action::Down, area);
        assert_eq!(document.value(), "one two three four five six");
        assert!(document.lines(20).iter().filter(|line| line.row == 1).count() > 1);
        assert!(document.find("3", true, area));
        assert_eq!(document.path(), "$.b[2]");
        assert!(!document.find("absent", true, area));
    }

    #[test]
    fn nothing_is_nothing() {
        let mut document = Document::default();
        assert!(document.act(Action::Down, Rect::ZERO));
        assert!(document.act(Action::Fold, Rect::ZERO));
        assert_eq!(document.value(), "null");
    }
}
