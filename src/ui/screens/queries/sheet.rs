//! A result to walk through: rows page in, columns scroll, the whole is sorted and searched elsewhere.

use std::borrow::Cow;
use std::sync::Arc;

use ratatui::layout::{Position, Rect};
use unicode_width::UnicodeWidthStr;

use crate::domain::grid::{Grid, Kind};
use crate::domain::text::shown;
use crate::domain::units;
use crate::ui::action::Action;
use crate::ui::effect::{Effect, Job, Request, Wish};
use crate::ui::remote::Remote;
use crate::ui::route::Screen;
use crate::ui::screens::queries::viewer::Viewer;
use crate::ui::widgets::chart::{Bar, bars_of};
use crate::ui::widgets::line::Line;
use crate::ui::widgets::table::{self, Cursor};
use crate::ui::world::World;

/// Rows whose cells decide how wide a column is.
const SAMPLE: usize = 200;
/// Characters of a cell that are looked at in the grid; the viewer shows all.
const CLIP: usize = 400;
/// Cells of text at most, and at least, while not all of it fits.
const MOST: u16 = 40;
const LEAST: u16 = 16;
/// Rows that can be bars: their scale is of all of them.
const MOST_BARS: usize = 10_000;
/// Two cells for the bar, two blanks between columns.
pub const BAR: u16 = 2;
pub const GAP: u16 = 2;

#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    pub grid: Arc<Grid>,
    /// Where the next page begins.
    pub next: Option<String>,
    pub more: Remote<()>,
    /// Rows that match, in order; `None` is all of them as they came.
    order: Option<Vec<u32>>,
    /// Column, and whether descending.
    pub sort: Option<(usize, bool)>,
    pub search: Line,
    pub searching: bool,
    arranging: Remote<()>,
    pub row: Cursor,
    pub column: usize,
    /// The first column in view.
    pub left: usize,
    /// Cells that the sampled values of each column need.
    widths: Vec<u16>,
    /// The bars, while they are shown in place of the grid.
    pub bars: Option<Vec<Bar>>,
    /// One value or one row, whole, in place of the grid.
    pub viewer: Option<Viewer>,
}

impl Sheet {
    pub fn new(grid: Grid, next: Option<String>) -> Sheet {
        let widths = widths(&grid);
        Sheet {
            grid: Arc::new(grid),
            next,
            more: Remote::default(),
            order: None,
            sort: None,
            search: Line::default(),
            searching: false,
            arranging: Remote::default(),
            row: Cursor::default(),
            column: 0,
            left: 0,
            widths,
            bars: None,
            viewer: None,
        }
    }

    /// Rows shown.
    pub fn len(&self) -> usize {
        self.order.as_ref().map_or(self.grid.rows.len(), Vec::len)
    }

    /// Whether the rows are all of those that are here, as they came.
    pub fn is_whole_order(&self) -> bool {
        self.order.is_none() && !self.is_arranging()
    }

    /// The row of the grid that a line shows.
    pub fn row_of(&self, line: usize) -> Option<usize> {
        match &self.order {
            Some(order) => order.get(line).map(|index| *index as usize),
            None => (line < self.grid.rows.len()).then_some(line),
        }
    }

    /// The cell of a shown line: `None` when there is none, `Some(None)` for NULL.
    pub fn cell(&self, line: usize, column: usize) -> Option<Option<&str>> {
        let row = self.grid.rows.get(self.row_of(line)?)?;
        Some(row.get(column)?.as_deref())
    }

    /// Which rows are shown, in order.
    pub fn order(&self) -> Vec<u32> {
        let all = u32::try_from(self.grid.rows.len()).unwrap_or(u32::MAX);
        self.order.clone().unwrap_or_else(|| (0..all).collect())
    }

    /// `250 rows`, `1,000 of ? rows`, `12 of 250 rows`.
    pub fn count(&self) -> String {
        let here = units::grouped(self.grid.rows.len() as i64);
        let whole = if self.next.is_some() { format!("{here} of ?") } else { here };
        let text = match self.len() {
            len if len == self.grid.rows.len() => whole,
            len => format!("{} of {whole}", units::grouped(len as i64)),
        };
        let one = self.grid.rows.len() == 1 && self.next.is_none();
        format!("{text} {}", if one { "row" } else { "rows" })
    }

    pub fn is_arranging(&self) -> bool {
        self.arranging.is_waiting()
    }

    /// Columns in view: index, offset from the left, cells; the last may be cut.
    pub fn layout(&self, width: u16) -> Vec<(usize, u16, u16)> {
        let (cap, fits) = self.cap(width);
        let left = if fits { 0 } else { self.left };
        let mut x = BAR;
        let mut placed = Vec::new();
        for (index, natural) in self.widths.iter().enumerate().skip(left) {
            let room = width.saturating_sub(x);
            if room < 4.min(*natural).max(1) {
                break;
            }
            let cells = self.wanted(index, cap);
            placed.push((index, x, cells.min(room)));
            x += cells.min(room) + GAP;
        }
        placed
    }

    /// How wide text may be so that all columns fit, and whether they do; where they do not even with
    /// little text, they scroll.
    fn cap(&self, width: u16) -> (u16, bool) {
        let room = u32::from(width.saturating_sub(BAR)) + u32::from(GAP);
        let fits = |cap: u16| {
            let cells = (0..self.widths.len()).map(|column| u32::from(self.wanted(column, cap) + GAP));
            cells.sum::<u32>() <= room
        };
        if fits(u16::MAX) {
            return (u16::MAX, true);
        }
        if !fits(LEAST) {
            return (MOST, false);
        }
        // The largest that fits lies between one that does and one that does not.
        let (mut low, mut high) = (LEAST, u16::MAX);
        while low + 1 < high {
            let middle = low + (high - low) / 2;
            if fits(middle) { low = middle } else { high = middle }
        }
        (low, true)
    }

    /// Cells of a column under a cap; numbers are only cut by the widest.
    fn wanted(&self, column: usize, cap: u16) -> u16 {
        let natural = self.widths.get(column).copied().unwrap_or(0);
        let number = self.grid.columns.get(column).is_some_and(|column| column.kind == Kind::Number);
        natural.min(if number { cap.max(MOST) } else { cap })
    }

    /// Whether a column is in view as wide as it would like to be there.
    fn is_whole(&self, column: usize, width: u16) -> bool {
        let placed = self.layout(width);
        let wanted = self.wanted(column, self.cap(width).0);
        placed.iter().any(|(index, _, cells)| *index == column && (*cells >= wanted || column == self.left))
    }

    /// Keeps the cursor in bounds and in view.
    pub fn reveal(&mut self, area: Rect) {
        self.row.reveal(self.len(), self.page(area));
        self.column = self.column.min(self.widths.len().saturating_sub(1));
        self.left = self.left.min(self.column);
        while self.left < self.column && !self.is_whole(self.column, area.width) {
            self.left += 1;
        }
        if let Some(viewer) = &mut self.viewer {
            viewer.settle(area.width, area.height);
        }
    }

    /// Rows of a page: the grid has a heading, the bars have none.
    fn page(&self, area: Rect) -> usize {
        if self.bars.is_some() { usize::from(area.height) } else { table::page(area) }
    }

    /// Obeys a moving action; `None` for another.
    pub fn act(&mut self, world: &mut World, id: &str, action: Action, area: Rect) -> Option<Vec<Wish>> {
        match action {
            Action::Left => self.column = self.column.saturating_sub(1),
            Action::Right => self.column = (self.column + 1).min(self.widths.len().saturating_sub(1)),
            _ if self.row.act(action, self.len(), self.page(area)) => {
                self.reveal(area);
                return Some(self.page_in(world, id, area));
            }
            _ => return None,
        }
        self.reveal(area);
        Some(Vec::new())
    }

    pub fn wheel(&mut self, world: &mut World, id: &str, by: isize, area: Rect) -> Vec<Wish> {
        self.row.wheel(by, self.len(), self.page(area));
        self.page_in(world, id, area)
    }

    /// Asks for the next page, well before the end of this one comes into view.
    pub fn page_in(&mut self, world: &mut World, id: &str, area: Rect) -> Vec<Wish> {
        let page = self.page(area);
        let near = self.row.offset_for(page) + page * 2 >= self.len();
        match self.next.clone().filter(|_| near && !self.more.is_waiting()) {
            Some(token) => {
                let request = Request::Results { id: id.to_owned(), token: Some(token) };
                vec![world.ask(Screen::Queries, &mut self.more, request)]
            }
            None => Vec::new(),
        }
    }

    /// The next page is here.
    pub fn extend(&mut self, world: &mut World, page: Grid, next: Option<String>) -> Vec<Wish> {
        Arc::make_mut(&mut self.grid).rows.extend(page.rows);
        self.next = next;
        self.arrange(world)
    }

    /// Sorts and searches all that is here, off the loop.
    pub fn arrange(&mut self, world: &mut World) -> Vec<Wish> {
        if self.sort.is_none() && self.search.text().trim().is_empty() {
            world.superseded.extend(self.arranging.awaited());
            self.arranging.clear();
            self.order = None;
            self.draw_bars();
            return Vec::new();
        }
        let ticket = world.ticket(Screen::Queries);
        world.superseded.extend(self.arranging.awaited());
        self.arranging.ask(ticket);
        let job = Job::Arrange {
            grid: self.grid.clone(),
            needle: self.search.text().trim().to_owned(),
            sort: self.sort,
        };
        vec![Wish::Do(Effect::Compute(ticket, job))]
    }

    /// Takes a new order, if it is the awaited one.
    pub fn arranged(
        &mut self,
        world: &World,
        ticket: crate::ui::remote::Ticket,
        order: &[u32],
        area: Rect,
    ) -> bool {
        if !self.arranging.accept(ticket, Ok(()), world.now) {
            return false;
        }
        let rows = self.grid.rows.len();
        self.order = Some(order.iter().copied().filter(|index| (*index as usize) < rows).collect());
        self.draw_bars();
        self.reveal(area);
        true
    }

    /// Sorts by a column: up, down, and no more.
    pub fn sort_by(&mut self, world: &mut World, column: usize) -> Vec<Wish> {
        self.sort = match self.sort {
            Some((known, false)) if known == column => Some((column, true)),
            Some((known, true)) if known == column => None,
            _ => Some((column, false)),
        };
        self.row = Cursor::default();
        self.arrange(world)
    }

    /// Shows the bars, or the grid again; says whether the result has bars.
    pub fn toggle_bars(&mut self, area: Rect) -> bool {
        let was = self.bars.take().is_some();
        if !was && self.has_bars() {
            self.bars = Some(Vec::new());
            self.draw_bars();
        }
        self.reveal(area);
        was || self.bars.is_some()
    }

    fn draw_bars(&mut self) {
        if self.bars.is_none() {
            return;
        }
        self.bars = bars_of(&self.grid).map(|bars| match &self.order {
            Some(order) => order.iter().filter_map(|index| bars.get(*index as usize)).cloned().collect(),
            None => bars,
        });
    }

    /// The column that the bars measure.
    pub fn value_column(&self) -> usize {
        usize::from(self.grid.columns.get(1).is_some_and(|column| column.kind == Kind::Number))
    }

    pub fn has_bars(&self) -> bool {
        let number = |at: usize| self.grid.columns.get(at).is_some_and(|column| column.kind == Kind::Number);
        let rows = self.grid.rows.len();
        self.grid.columns.len() == 2 && (number(0) || number(1)) && (1..=MOST_BARS).contains(&rows)
    }

    /// The line and column at a position: the heading is line `None`.
    pub fn at(&self, area: Rect, at: Position) -> Option<(Option<usize>, usize)> {
        if !area.contains(at) {
            return None;
        }
        let placed = self.layout(area.width);
        let under =
            |(_, x, cells): &&(usize, u16, u16)| (area.x + x..area.x + x + cells + GAP).contains(&at.x);
        let column = placed.iter().find(under).map_or(self.column, |(index, _, _)| *index);
        if self.bars.is_some() {
            let line = self.row.offset_for(self.page(area)) + usize::from(at.y - area.y);
            return (line < self.len()).then_some((Some(line), self.column));
        }
        if at.y == area.y {
            return placed.iter().any(|one| under(&one)).then_some((None, column));
        }
        table::row_at(area, self.row, self.len(), at).map(|line| (Some(line), column))
    }
}

/// The beginning of a value, made safe to print: as much of it as a grid ever shows.
pub fn brief(value: &str) -> Cow<'_, str> {
    match value.char_indices().nth(CLIP) {
        Some((end, _)) => Cow::Owned(format!("{}…", shown(&value[..end]))),
        None => shown(value),
    }
}

/// What Athena answers to DESCRIBE: it names several columns, and puts a whole line into the first, its
/// parts between tabs and filled up with blanks. Each part goes into its column.
pub fn untab(grid: &mut Grid) {
    let count = grid.columns.len();
    for row in &mut grid.rows {
        let lone = count > 1 && row.iter().skip(1).all(Option::is_none);
        let Some(line) = row.first_mut().filter(|_| lone).and_then(Option::take) else { continue };
        let parts = line.splitn(count, '\t').map(|part| Some(part.trim().to_owned()));
        *row = parts.chain(std::iter::repeat(None)).take(count).collect();
    }
}

fn widths(grid: &Grid) -> Vec<u16> {
    let measure = |text: &str| u16::try_from(brief(text).width()).unwrap_or(u16::MAX).min(CLIP as u16);
    let mut widths: Vec<u16> =
        grid.columns.iter().map(|column| measure(&column.name).saturating_add(1).max(4)).collect();
    for row in grid.rows.iter().take(SAMPLE) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.as_deref().map_or(4, measure));
        }
    }
    widths
}

#[cfg(test)]
mod tests;
