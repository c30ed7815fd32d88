//! A JSON document to walk through: folded, searched, copied from; long texts wrap. Text that is not JSON
//! shows as its lines.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::domain::json::{Node, Part, Tree, quoted};
use crate::domain::text::{shown, shown_lines};
use crate::ui::action::Action;
use crate::ui::theme::Role;
use crate::ui::widgets::{head, put, row, wrap};
use crate::ui::world::World;

/// A document with a cursor. Belongs in a screen's model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    text: String,
    pub tree: Tree,
    /// Row of the tree under the cursor.
    pub at: usize,
    /// The first line shown: a row of the tree, and a line of its value. Only the rows from here to the
    /// lower edge are ever laid out.
    top: (usize, usize),
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
/// Likewise of a text that has lines of its own: a stack trace, a statement.
const TEXT_LINES: usize = 12;
/// Lines of one value at most; the whole is a copy away.
const MOST_LINES: usize = 400;

impl Document {
    pub fn new(text: &str) -> Document {
        Document { text: text.to_owned(), tree: Tree::parse(text), at: 0, top: (0, 0) }
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
        let page = usize::from(area.height.max(2)) - 1;
        let last = self.tree.visible(self.tree.len().saturating_sub(1));
        self.at = match action {
            Action::Up => self.walk(1, Tree::before),
            Action::Down => self.walk(1, Tree::after),
            Action::PageUp => self.walk(page, Tree::before),
            Action::PageDown => self.walk(page, Tree::after),
            Action::First => 0,
            Action::Last => last,
            Action::Fold => self.tree.toggle(self.at),
            _ => return false,
        };
        self.reveal(area);
        true
    }

    fn walk(&self, steps: usize, next: impl Fn(&Tree, usize) -> Option<usize>) -> usize {
        (0..steps).try_fold(self.at, |at, _| next(&self.tree, at).ok_or(at)).unwrap_or_else(|end| end)
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
        if let Some(line) = self.lines(area).get(usize::from(at.y - area.y)) {
            self.at = if line.row == self.at { self.tree.toggle(self.at) } else { line.row };
        }
        self.reveal(area);
    }

    /// Keeps the cursor in view, moving as little as possible.
    pub fn reveal(&mut self, area: Rect) {
        let height = usize::from(area.height.max(1));
        self.top.0 = self.tree.visible(self.top.0.min(self.tree.len().saturating_sub(1)));
        self.top.1 = self.top.1.min(self.parts(self.top.0, area.width).len().saturating_sub(1));
        let own = self.parts(self.at, area.width).len();
        if self.at <= self.top.0 {
            // A value taller than the area shows its beginning.
            self.top = (self.at, if self.at == self.top.0 && own > height { self.top.1 } else { 0 });
            return;
        }
        // From the cursor's last line upwards, as far as the height goes.
        let (mut row, mut left) = (self.at, height.saturating_sub(own));
        let mut top = (row, 0);
        while let Some(above) = self.tree.before(row).filter(|_| left > 0) {
            let lines = self.parts(above, area.width).len();
            top = (above, lines.saturating_sub(left));
            left = left.saturating_sub(lines);
            row = above;
        }
        self.top = self.top.max(top);
    }

    /// The lines that fit, from the first one shown on.
    fn lines(&self, area: Rect) -> Vec<Line> {
        let height = usize::from(area.height);
        let mut lines = Vec::with_capacity(height);
        let (mut row, mut skip) = (Some(self.tree.visible(self.top.0)), self.top.1);
        while let Some(at) = row.filter(|at| *at < self.tree.len() && lines.len() < height) {
            let parts = self.parts(at, area.width).into_iter().enumerate().skip(skip);
            lines.extend(parts.map(|(part, text)| Line { row: at, part, text }));
            skip = 0;
            row = self.tree.after(at);
        }
        lines.truncate(height);
        lines
    }

    /// A row's value as lines of a width.
    fn parts(&self, row: usize, width: u16) -> Vec<String> {
        let Some(node) = self.tree.node(row) else { return Vec::new() };
        let text = self.value_text(row, node);
        let left = indent(node) + key(node).chars().count();
        let room = usize::from(width).saturating_sub(left + 3).max(8);
        let most = match row == self.at {
            true => MOST_LINES,
            false if text.contains('\n') => TEXT_LINES,
            false => FOLDED_LINES,
        };
        // Nothing beyond what can be shown is laid out.
        let mut parts = wrap(head(&text, (most + 1) * (room + 1)), room);
        if parts.len() > most {
            parts.truncate(most);
            if let Some(last) = parts.last_mut() {
                last.push('…');
            }
        }
        parts
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
            // A text of several lines reads as such.
            Part::Text(text) if text.contains("\\n") => match serde_json::from_str::<String>(text) {
                Ok(lines) => shown_lines(lines.trim_end()).into_owned(),
                Err(_) => shown(text).into_owned(),
            },
            Part::Text(text) | Part::Number(text) => format!("{}{comma}", shown(text)),
            Part::Word(word) => format!("{word}{comma}"),
            Part::Plain(text) => shown(text).into_owned(),
        }
    }

    pub fn draw(&self, world: &World, buffer: &mut Buffer, area: Rect, focused: bool) {
        let area = area.intersection(buffer.area);
        for (i, line) in self.lines(area).iter().enumerate() {
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
            let role = match &node.part {
                Part::Open { .. } | Part::Close { .. } => Role::Dim,
                // The lines of a comparison.
                Part::Plain(text) if text.starts_with("+ $") => Role::Good,
                Part::Plain(text) if text.starts_with("- $") => Role::Bad,
                Part::Plain(text) if text.starts_with("~ $") => Role::Warn,
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
        assert!(document.lines(area).iter().filter(|line| line.row == 1).count() > 1);
        assert!(document.find("3", true, area));
        assert_eq!(document.path(), "$.b[2]");
        assert!(!document.find("absent", true, area));
    }

    #[test]
    fn a_long_document_is_laid_out_only_where_it_shows() {
        let area = Rect::new(0, 0, 30, 6);
        let rows: Vec<String> = (0..50_000).map(|i| format!("\"{i}\"")).collect();
        let mut document = Document::new(&format!("[{}]", rows.join(",")));
        document.act(Action::Last, area);
        assert_eq!(document.lines(area).len(), 6);
        assert_eq!(document.lines(area)[5].text, "]");
        document.act(Action::PageUp, area);
        assert_eq!(document.value(), "49995");
        document.act(Action::First, area);
        assert_eq!(document.lines(area)[0].text, "[");
        document.act(Action::Fold, area);
        assert_eq!(document.lines(area).len(), 1);
        document.act(Action::Last, area);
        assert_eq!(document.at, 0);
    }

    #[test]
    fn a_stack_trace_inside_a_cause_has_its_lines() {
        let area = Rect::new(0, 0, 60, 10);
        let document = Document::new(r#"{"Cause": "{\"trace\": \"at one\\n  at two\"}"}"#);
        let texts: Vec<String> = document.lines(area).into_iter().map(|line| line.text).collect();
        assert_eq!(texts, ["{", "{", "at one", "  at two", "}", "}"]);
    }

    #[test]
    fn nothing_is_nothing() {
        let mut document = Document::default();
        assert!(document.act(Action::Down, Rect::ZERO));
        assert!(document.act(Action::Fold, Rect::ZERO));
        assert_eq!(document.value(), "null");
    }
}
