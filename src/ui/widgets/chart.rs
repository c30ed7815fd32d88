//! Horizontal bars: a label, a bar of eighths, a value. For two-column results and small summaries.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use crate::domain::grid::{Grid, Kind};
use crate::ui::theme::Role;
use crate::ui::widgets::{put, put_right, row};
use crate::ui::world::World;

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    pub label: String,
    pub value: f64,
    /// The value as text.
    pub text: String,
}

/// Bars to draw, from `offset` on, one a row, all to one scale.
pub struct Chart<'a> {
    pub world: &'a World,
    pub bars: &'a [Bar],
    pub offset: usize,
    pub selected: Option<usize>,
    pub focused: bool,
}

/// The bars of a result with one column of numbers and one of anything else; `None` for any other shape.
pub fn bars_of(grid: &Grid) -> Option<Vec<Bar>> {
    let [first, second] = grid.columns.as_slice() else { return None };
    let (label, value) = match (first.kind, second.kind) {
        (_, Kind::Number) => (0, 1),
        (Kind::Number, _) => (1, 0),
        _ => return None,
    };
    let bar = |row: &Vec<Option<String>>| {
        let text = row.get(value).cloned().flatten().unwrap_or_default();
        Bar {
            label: row.get(label).cloned().flatten().unwrap_or_else(|| "NULL".to_owned()),
            value: text.parse().ok().filter(|value: &f64| value.is_finite()).unwrap_or(0.0),
            text,
        }
    };
    Some(grid.rows.iter().map(bar).collect())
}

const EIGHTHS: [&str; 8] = ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];

impl Widget for &Chart<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        let widest =
            |text: fn(&Bar) -> &str| self.bars.iter().map(|bar| text(bar).width() as u16).max().unwrap_or(0);
        let labels = widest(|bar| &bar.label).min(area.width / 3);
        let values = widest(|bar| &bar.text).min(area.width / 4);
        let most = self.bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
        let room = area.width.saturating_sub(labels + values + 6);
        for (i, bar) in self.bars.iter().enumerate().skip(self.offset) {
            let Some(line) = row(area, i - self.offset) else { break };
            let selected = self.selected == Some(i);
            let style = |role| {
                if selected {
                    self.world.theme.selected(role, self.focused)
                } else {
                    self.world.theme.style(role)
                }
            };
            if selected {
                buffer.set_style(line, style(Role::Text));
                put(buffer, line, line.x, if self.world.ascii { ">" } else { "▌" }, style(Role::Accent));
            }
            let name = Rect { x: line.x + 2, width: labels.min(line.width.saturating_sub(2)), ..line };
            put(buffer, name, name.x, &crate::domain::text::shown(&bar.label), style(Role::Text));
            let x = line.x + 2 + labels + 2;
            let field = Rect { x, width: room, ..line };
            let eighths = if most > 0.0 {
                (bar.value.max(0.0) / most * f64::from(room) * 8.0).round() as usize
            } else {
                0
            };
            let (full, rest) = (eighths / 8, eighths % 8);
            let block = if self.world.ascii { "#" } else { "█" };
            let mut end = put(buffer, field, x, &block.repeat(full), style(Role::Active));
            if rest > 0 && !self.world.ascii {
                end = put(buffer, field, end, EIGHTHS[rest - 1], style(Role::Active));
            }
            let value = Rect { x: line.x, width: line.width.min(end.max(x) + 1 + values - line.x), ..line };
            put_right(buffer, value, &crate::domain::text::shown(&bar.text), style(Role::Text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::grid::Column;

    #[test]
    fn two_columns_with_a_number_are_bars() {
        let column = |name: &str, kind| Column { name: name.to_owned(), type_name: String::new(), kind };
        let mut grid = Grid {
            columns: vec![column("n", Kind::Number), column("state", Kind::Text)],
            rows: vec![vec![Some("3".into()), Some("TX".into())], vec![None, None]],
        };
        let bars = bars_of(&grid).unwrap();
        assert_eq!((bars[0].label.as_str(), bars[0].value), ("TX", 3.0));
        assert_eq!((bars[1].label.as_str(), bars[1].value), ("NULL", 0.0));
        grid.columns.pop();
        assert_eq!(bars_of(&grid), None);
    }
}
