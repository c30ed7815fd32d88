//! One value, or one whole row, of a result: everything there is of it, wrapped.

use crate::domain::grid::Grid;
use crate::domain::json;
use crate::domain::text::shown_lines;
use crate::ui::action::Action;
use crate::ui::theme::Role;
use crate::ui::widgets::wrap;

/// Lines kept at most, so that a huge value cannot stall the console; the copy is whole.
const MOST: usize = 20_000;

#[derive(Clone, Debug, PartialEq)]
pub struct Viewer {
    /// Index of the row in the grid.
    pub row: usize,
    pub column: usize,
    /// The whole row, a column a paragraph; else the one value.
    pub record: bool,
    pub offset: usize,
    pub lines: Vec<(Role, String)>,
    /// What the lines were made for.
    width: u16,
    text: Vec<(Role, String)>,
}

impl Viewer {
    pub fn new(grid: &Grid, row: usize, column: usize, record: bool) -> Viewer {
        let mut text = Vec::new();
        let cells = grid.rows.get(row).map(Vec::as_slice).unwrap_or_default();
        let value = |cell: Option<&Option<String>>| match cell {
            Some(Some(value)) if value.is_empty() => (Role::Dim, "(empty)".to_owned()),
            Some(Some(value)) => (Role::Text, shown_lines(&laid_out(value)).into_owned()),
            _ => (Role::Dim, "NULL".to_owned()),
        };
        if record {
            for (index, known) in grid.columns.iter().enumerate() {
                let role = if index == column { Role::Accent } else { Role::Dim };
                text.push((role, shown_lines(&known.name).into_owned()));
                text.push(value(cells.get(index)));
                text.push((Role::Dim, String::new()));
            }
        } else {
            text.push(value(cells.get(column)));
        }
        Viewer { row, column, record, offset: 0, lines: Vec::new(), width: 0, text }
    }

    /// Wraps for a width and keeps the offset within the text.
    pub fn settle(&mut self, width: u16, height: u16) {
        if self.width != width || self.lines.is_empty() {
            let cells = usize::from(width.max(8));
            self.lines = self
                .text
                .iter()
                .flat_map(|(role, text)| wrap(text, cells).into_iter().map(|line| (*role, line)))
                .take(MOST)
                .collect();
            self.width = width;
        }
        self.offset = self.offset.min(self.last(height));
    }

    fn last(&self, height: u16) -> usize {
        self.lines.len().saturating_sub(usize::from(height.max(1)))
    }

    /// Scrolls; says whether the action was one that does.
    pub fn act(&mut self, action: Action, height: u16) -> bool {
        let page = isize::from(height.min(1000) as i16 - 1).max(1);
        let by = match action {
            Action::Up => -1,
            Action::Down => 1,
            Action::PageUp => -page,
            Action::PageDown => page,
            Action::First => isize::MIN,
            Action::Last => isize::MAX,
            _ => return false,
        };
        self.offset = self.offset.saturating_add_signed(by).min(self.last(height));
        true
    }
}

/// JSON over lines, and Athena's own text of arrays and rows likewise when it is long:
/// `[{name=CAP, expiry_date=2026-02-17}]`.
fn laid_out(value: &str) -> String {
    if !value.trim_start().starts_with(['{', '[']) {
        return value.to_owned();
    }
    let pretty = json::pretty(value);
    if pretty != value || value.len() < 60 {
        return pretty;
    }
    let mut text = String::with_capacity(value.len() * 2);
    let mut depth = 0usize;
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '[' | '{' if !matches!(chars.peek(), Some(']' | '}')) => {
                depth += 1;
                text.push(c);
                break_line(&mut text, depth);
            }
            ']' | '}' if !text.ends_with(['[', '{']) => {
                depth = depth.saturating_sub(1);
                break_line(&mut text, depth);
                text.push(c);
            }
            ',' => {
                text.push(c);
                break_line(&mut text, depth);
                chars.next_if_eq(&' ');
            }
            c => text.push(c),
        }
    }
    text
}

fn break_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.push_str(&"  ".repeat(depth.min(20)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::grid::{Column, Kind};

    fn grid() -> Grid {
        let column = |name: &str| Column { name: name.into(), type_name: "varchar".into(), kind: Kind::Text };
        Grid { columns: vec![column("a"), column("b")], rows: vec![vec![Some("{\"x\":[1,2]}".into()), None]] }
    }

    #[test]
    fn json_is_laid_out_and_null_is_told_from_text() {
        let mut viewer = Viewer::new(&grid(), 0, 0, false);
        viewer.settle(20, 3);
        let text: Vec<&str> = viewer.lines.iter().map(|(_, line)| line.as_str()).collect();
        assert_eq!(text, ["{", "  \"x\": [", "    1,", "    2", "  ]", "}"]);
        viewer.act(Action::Last, 3);
        assert_eq!(viewer.offset, 3);
        let mut record = Viewer::new(&grid(), 0, 1, true);
        record.settle(20, 30);
        assert!(record.lines.contains(&(Role::Accent, "b".to_owned())));
        assert!(record.lines.contains(&(Role::Dim, "NULL".to_owned())));
    }

    #[test]
    fn rows_as_athena_writes_them_are_laid_out() {
        let value = "[{name=CAP, expiry_date=2026-02-17}, {name=DNV, expiry_date=2027-02-07}, {}]";
        let lines = "[\n  {\n    name=CAP,\n    expiry_date=2026-02-17\n  },\n  {\n    name=DNV,\n    \
             expiry_date=2027-02-07\n  },\n  {}\n]";
        assert_eq!(laid_out(value), lines);
        assert_eq!(laid_out("12345678901234567890.10"), "12345678901234567890.10");
    }

    #[test]
    fn what_is_gone_shows_as_nothing() {
        let mut viewer = Viewer::new(&Grid::default(), 7, 7, false);
        viewer.settle(0, 0);
        assert!(viewer.act(Action::PageDown, 0));
    }
}
