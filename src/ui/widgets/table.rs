//! A table as a list of columns. Only the rows that are visible are asked for their cells.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::Widget;

use crate::ui::action::Action;
use crate::ui::theme::Role;
use crate::ui::widgets::{self, middle, put, put_right, row};
use crate::ui::world::World;

/// Which row is selected, and the first one visible. Belongs in a screen's model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    pub selected: usize,
    pub offset: usize,
}

impl Cursor {
    /// Obeys a moving action; says whether it was one. `page` is the number of visible rows.
    pub fn act(&mut self, action: Action, len: usize, page: usize) -> bool {
        let step = page.saturating_sub(1).max(1);
        let last = len.saturating_sub(1);
        self.selected = match action {
            Action::Up => self.selected.saturating_sub(1),
            Action::Down => self.selected.saturating_add(1),
            Action::PageUp => self.selected.saturating_sub(step),
            Action::PageDown => self.selected.saturating_add(step),
            Action::First => 0,
            Action::Last => last,
            _ => return false,
        }
        .min(last);
        self.reveal(len, page);
        true
    }

    /// Keeps the selection in bounds and visible.
    pub fn reveal(&mut self, len: usize, page: usize) {
        self.selected = self.selected.min(len.saturating_sub(1));
        self.offset = self.offset_for(page).min(len.saturating_sub(page.max(1)));
    }

    /// Moves the view without the selection leaving it: the wheel.
    pub fn wheel(&mut self, by: isize, len: usize, page: usize) {
        self.offset = self.offset.saturating_add_signed(by).min(len.saturating_sub(page));
        let last = (self.offset + page.max(1) - 1).min(len.saturating_sub(1));
        self.selected = self.selected.clamp(self.offset.min(last), last);
    }

    /// The first visible row, such that the selected one is visible on a page.
    pub fn offset_for(&self, page: usize) -> usize {
        let lowest = (self.selected + 1).saturating_sub(page.max(1));
        self.offset.clamp(lowest, self.selected.max(lowest))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// How a cell that is too long gives way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// `Central Hosp…`
    End,
    /// `arn:aw…7f3a`
    Middle,
}

/// One column: what it is called and how it shares the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub title: Cow<'static, str>,
    /// Cells it needs.
    pub least: u16,
    /// Cells it takes when there are some to spare.
    pub most: u16,
    pub align: Align,
    pub cut: Cut,
    /// The lowest gives way first.
    pub priority: u8,
}

impl Column {
    pub const fn new(title: &'static str, least: u16, most: u16, priority: u8) -> Column {
        Column { title: Cow::Borrowed(title), least, most, align: Align::Left, cut: Cut::End, priority }
    }

    pub const fn right(mut self) -> Column {
        self.align = Align::Right;
        self
    }

    pub const fn middle(mut self) -> Column {
        self.cut = Cut::Middle;
        self
    }
}

/// What one cell shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell<'a> {
    pub text: Cow<'a, str>,
    pub role: Role,
}

impl<'a> Cell<'a> {
    pub fn new(text: impl Into<Cow<'a, str>>, role: Role) -> Cell<'a> {
        Cell { text: text.into(), role }
    }

    pub fn text(text: impl Into<Cow<'a, str>>) -> Cell<'a> {
        Cell::new(text, Role::Text)
    }

    pub fn dim(text: impl Into<Cow<'a, str>>) -> Cell<'a> {
        Cell::new(text, Role::Dim)
    }
}

/// Two blanks between columns; two cells before the first, for the bar.
const GAP: u16 = 2;
const BAR: u16 = 2;

/// The columns that fit a width: index, offset from the left, cells. Those of least priority give way
/// until the rest fits; what is left over goes to those that want more, the highest priority first.
pub fn fit(columns: &[Column], width: u16) -> Vec<(usize, u16, u16)> {
    let room = u32::from(width.saturating_sub(BAR));
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    let needed = |kept: &[usize]| -> u32 {
        let cells: u32 = kept.iter().map(|index| u32::from(columns[*index].least)).sum();
        cells + u32::from(GAP) * (kept.len() as u32).saturating_sub(1)
    };
    while kept.len() > 1 && needed(&kept) > room {
        let weakest = kept.iter().enumerate().min_by_key(|(_, index)| columns[**index].priority);
        let Some((at, _)) = weakest else { break };
        kept.remove(at);
    }
    let mut spare = room.saturating_sub(needed(&kept)) as u16;
    // The most important column is the first to take what it wants.
    let mut wants: Vec<usize> = kept.clone();
    wants.sort_by_key(|index| std::cmp::Reverse(columns[*index].priority));
    let mut given = vec![0; columns.len()];
    for index in wants {
        given[index] = columns[index].most.saturating_sub(columns[index].least).min(spare);
        spare -= given[index];
    }
    let mut x = BAR;
    let mut placed = Vec::with_capacity(kept.len());
    for index in kept {
        let cells = (columns[index].least + given[index]).min(width.saturating_sub(x));
        placed.push((index, x, cells));
        x = x.saturating_add(cells + GAP);
    }
    placed
}

/// A table to draw. `cell(row, column)` is asked for visible cells only.
pub struct Table<'a, F: Fn(usize, usize) -> Cell<'a>> {
    pub world: &'a World,
    pub columns: &'a [Column],
    pub len: usize,
    pub cursor: Cursor,
    pub focused: bool,
    /// The column it is sorted by, and whether descending.
    pub sorted: Option<(usize, bool)>,
    /// What was known before, while it is asked again in vain.
    pub stale: bool,
    pub cell: F,
}

/// Rows visible in an area: all but the heading.
pub fn page(area: Rect) -> usize {
    usize::from(area.height.saturating_sub(1))
}

/// The row at a position, `None` outside of the rows.
pub fn row_at(area: Rect, cursor: Cursor, len: usize, at: Position) -> Option<usize> {
    if !area.contains(at) || at.y == area.y {
        return None;
    }
    let index = cursor.offset_for(page(area)) + usize::from(at.y - area.y - 1);
    (index < len).then_some(index)
}

/// The column whose heading is at a position.
pub fn heading_at(area: Rect, columns: &[Column], at: Position) -> Option<usize> {
    if !area.contains(at) || at.y != area.y {
        return None;
    }
    fit(columns, area.width)
        .into_iter()
        .find(|(_, x, cells)| (area.x + x..area.x + x + cells).contains(&at.x))
        .map(|(index, _, _)| index)
}

impl<'a, F: Fn(usize, usize) -> Cell<'a>> Widget for &Table<'a, F> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        let theme = &self.world.theme;
        let placed = fit(self.columns, area.width);
        let Some(head) = row(area, 0) else { return };
        for (index, x, cells) in &placed {
            let column = &self.columns[*index];
            let sorted = self.sorted.filter(|(sorted, _)| sorted == index);
            let style = theme.style(if sorted.is_some() { Role::Strong } else { Role::Dim });
            let title = match sorted {
                None => column.title.clone(),
                Some((_, down)) => {
                    let mark = match (down, self.world.ascii) {
                        (false, false) => "↑",
                        (true, false) => "↓",
                        (false, true) => "^",
                        (true, true) => "v",
                    };
                    Cow::Owned(format!("{}{mark}", column.title))
                }
            };
            let spot = Rect { x: area.x + x, width: *cells, ..head };
            match column.align {
                // A mark that does not fit beside the title stands in the gap.
                Align::Right if widgets::cells(&title) > usize::from(*cells) => {
                    let wider = Rect { x: spot.x.saturating_sub(1), width: spot.width + 1, ..spot };
                    put_right(buffer, wider, &title, style);
                }
                Align::Right => put_right(buffer, spot, &title, style),
                Align::Left => {
                    let wider = Rect { width: (spot.width + 1).min(area.right() - spot.x), ..spot };
                    put(buffer, wider, wider.x, &title, style);
                }
            }
        }
        let page = page(area);
        let offset = self.cursor.offset_for(page);
        for line in 0..page.min(self.len.saturating_sub(offset)) {
            let Some(spot) = row(area, line + 1) else { break };
            let selected = offset + line == self.cursor.selected;
            if selected {
                buffer.set_style(spot, theme.selected(Role::Text, self.focused));
                let bar = if self.world.ascii { ">" } else { "▌" };
                let role = if self.focused { Role::Accent } else { Role::Dim };
                put(buffer, spot, spot.x, bar, theme.selected(role, self.focused));
            }
            for (index, x, cells) in &placed {
                let column = &self.columns[*index];
                let cell = (self.cell)(offset + line, *index);
                let role = if self.stale { Role::Dim } else { cell.role };
                let style = if selected { theme.selected(role, self.focused) } else { theme.style(role) };
                let spot = Rect { x: area.x + x, width: *cells, ..spot };
                let text = match column.cut {
                    Cut::Middle if widgets::cells(&cell.text) > usize::from(*cells) => {
                        Cow::Owned(middle(&cell.text, usize::from(*cells)))
                    }
                    _ => cell.text,
                };
                match column.align {
                    Align::Left => {
                        put(buffer, spot, spot.x, &text, style);
                    }
                    Align::Right => put_right(buffer, spot, &text, style),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 4] = [
        Column::new("ID", 6, 6, 9),
        Column::new("Name", 10, 30, 8),
        Column::new("Staff", 6, 6, 1).right(),
        Column::new("Days", 5, 5, 7).right(),
    ];

    #[test]
    fn columns_give_way_by_priority() {
        let names = |width| fit(&COLUMNS, width).iter().map(|(index, _, _)| *index).collect::<Vec<_>>();
        assert_eq!(names(60), [0, 1, 2, 3]);
        assert_eq!(names(30), [0, 1, 3]);
        assert_eq!(names(21), [0, 1]);
        assert_eq!(names(9), [0]);
        assert_eq!(fit(&COLUMNS, 60)[1], (1, 10, 30));
    }

    #[test]
    fn the_cursor_stays_in_bounds_and_in_sight() {
        let mut cursor = Cursor::default();
        cursor.act(Action::Last, 100, 10);
        assert_eq!(cursor, Cursor { selected: 99, offset: 90 });
        cursor.act(Action::PageUp, 100, 10);
        assert_eq!(cursor, Cursor { selected: 90, offset: 90 });
        cursor.act(Action::Up, 100, 10);
        assert_eq!(cursor, Cursor { selected: 89, offset: 89 });
        cursor.wheel(-50, 100, 10);
        assert_eq!(cursor, Cursor { selected: 48, offset: 39 });
        cursor.reveal(0, 10);
        assert_eq!(cursor, Cursor { selected: 0, offset: 0 });
    }
}
