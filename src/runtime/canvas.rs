//! The sheet of cells that is drawn on, what the terminal shows, and what is different between them. Nearly all
//! of a screen stays as it is from one frame to the next, and all of it is looked at for every frame: what is
//! shown is kept small, and what is one character is compared without measuring it.

use ratatui::buffer::{Buffer, Cell, CellWidth};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use crate::ui::widgets::alone;

pub(crate) struct Canvas {
    next: Buffer,
    shown: Shown,
}

/// What the terminal shows.
#[derive(Default)]
struct Shown {
    places: Vec<Place>,
    /// Texts of cells that are not one character each.
    clusters: Vec<String>,
}

/// A cell of the terminal, in a third of the room that a [`Cell`] takes.
#[derive(Clone, Copy)]
struct Place {
    /// A character; from [`CLUSTER`] on the index of a text.
    text: u32,
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Place {
    fn looks(&self, cell: &Cell) -> bool {
        self.fg == cell.fg && self.bg == cell.bg && self.modifier == cell.modifier
    }

    /// Whether a cell of one character of ASCII is as it was.
    fn keeps(&self, cell: &Cell) -> bool {
        matches!(cell.symbol().as_bytes(), [byte] if self.text == u32::from(*byte)) && self.looks(cell)
    }
}

/// The first number that is no character.
const CLUSTER: u32 = char::MAX as u32 + 1;

impl Shown {
    fn take(&mut self, sheet: &Buffer) {
        self.places.clear();
        self.clusters.clear();
        for cell in &sheet.content {
            let text = match single(cell.symbol()) {
                Some(only) => only,
                None => {
                    self.clusters.push(cell.symbol().to_owned());
                    // A screen has fewer cells than there are numbers left.
                    CLUSTER + (self.clusters.len() - 1) as u32
                }
            };
            self.places.push(Place { text, fg: cell.fg, bg: cell.bg, modifier: cell.modifier });
        }
    }

    /// Whether a place has this text.
    fn has(&self, place: &Place, text: &str) -> bool {
        match single(text) {
            Some(only) => place.text == only,
            None => self.cluster(place).is_some_and(|cluster| cluster == text),
        }
    }

    fn cluster(&self, place: &Place) -> Option<&String> {
        self.clusters.get(place.text.checked_sub(CLUSTER)? as usize)
    }

    /// Cells that a place's text takes in the terminal.
    fn cells(&self, place: &Place) -> usize {
        match (char::from_u32(place.text), self.cluster(place)) {
            (Some(only), _) => cells(only.encode_utf8(&mut [0; 4])),
            (None, Some(cluster)) => cells(cluster),
            (None, None) => 1,
        }
    }
}

/// The number of the character that a text is.
fn single(text: &str) -> Option<u32> {
    match text.as_bytes() {
        [byte @ ..=0x7f] => Some(u32::from(*byte)),
        _ => {
            let mut characters = text.chars();
            let only = characters.next()?;
            characters.next().is_none().then_some(u32::from(only))
        }
    }
}

impl Canvas {
    /// Blank sheets of so many columns and rows, for a terminal that is blank.
    pub(crate) fn new((width, height): (u16, u16)) -> Canvas {
        let next = Buffer::empty(Rect::new(0, 0, width, height));
        let mut shown = Shown::default();
        shown.take(&next);
        Canvas { next, shown }
    }

    /// What the next frame is drawn on; blank.
    pub(crate) fn sheet(&mut self) -> &mut Buffer {
        &mut self.next
    }

    /// What must be written for the terminal to show the sheet, from the top left on.
    pub(crate) fn changes(&self) -> Changes<'_> {
        Changes { shown: &self.shown, next: &self.next, at: 0, covered: 0, all: false }
    }

    /// The terminal shows the sheet now; the next one is blank.
    pub(crate) fn turn(&mut self) {
        self.shown.take(&self.next);
        self.next.reset();
    }
}

/// Columns, rows and cells that differ: those that ratatui's own [`Buffer::diff_iter`] names, and always
/// all that a wide character covered. Options of cells for the comparison and colours of underlines are not
/// looked at: no theme and no widget here sets any.
pub(crate) struct Changes<'a> {
    shown: &'a Shown,
    next: &'a Buffer,
    at: usize,
    /// Up to here lie cells that a wide character covers now or covered before.
    covered: usize,
    /// Whether they are written though they seem to be the same.
    all: bool,
}

impl<'a> Changes<'a> {
    fn place(&self, index: usize, cell: &'a Cell) -> (u16, u16, &'a Cell) {
        let width = usize::from(self.next.area.width.max(1));
        // Less than a column and a row of the terminal, whose numbers are of this type.
        ((index % width) as u16, (index / width) as u16, cell)
    }

    /// Up to where characters reach that the terminal shows from these cells on.
    fn reach(&self, start: usize, end: usize) -> usize {
        let places = self.shown.places.iter().enumerate().take(end).skip(start);
        places.map(|(index, place)| index + self.shown.cells(place)).fold(end, usize::max)
    }

    /// The next one at or after `at` that lies behind a wide character.
    fn behind(&mut self) -> Option<(u16, u16, &'a Cell)> {
        while self.at < self.covered {
            let index = self.at;
            let cell = self.next.content.get(index)?;
            self.at += cells(cell.symbol()).max(1);
            self.covered = self.covered.max(self.reach(index, self.at)).min(self.next.content.len());
            if self.all || !self.shown.has(self.shown.places.get(index)?, cell.symbol()) {
                return Some(self.place(index, cell));
            }
        }
        None
    }
}

impl<'a> Iterator for Changes<'a> {
    type Item = (u16, u16, &'a Cell);

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(found) = self.behind() {
            return Some(found);
        }
        let (shown, next) = (&self.shown.places, &self.next.content);
        loop {
            let index = self.at;
            let rest = shown.get(index..)?.iter().zip(next.get(index..)?);
            // What is one character of ASCII and stays is passed over at once.
            let (same, (before, cell)) = rest.enumerate().find(|(_, (before, cell))| !before.keeps(cell))?;
            let index = index + same;
            self.at = index + 1;
            let text = cell.symbol();
            if text.len() == 1 && before.text <= 0x7f {
                return Some(self.place(index, cell));
            }
            let styled = before.looks(cell);
            let width = cells(text);
            if styled && self.shown.has(before, text) {
                self.at += width.saturating_sub(1);
                continue;
            }
            let end = index + width.max(1);
            let reach = self.reach(index, end);
            if reach > end {
                // What a wide character covered looks as each terminal pleases.
                (self.at, self.covered, self.all) = (end, reach.min(next.len()), true);
            } else if text.contains('\u{fe0f}') {
                // Terminals do not agree on whether such a picture is one cell wide or two.
                (self.covered, self.all) = (end.min(next.len()), false);
            } else {
                self.at = end;
            }
            return Some(self.place(index, cell));
        }
    }
}

/// Cells that a cell's text takes in the terminal.
fn cells(text: &str) -> usize {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(only), None) if alone(only) => 1,
        _ => usize::from(text.cell_width()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::style::Style;

    use super::*;

    proptest! {
        /// ratatui's own comparison is the judge, but for what wide characters leave behind.
        #[test]
        fn the_changes_are_those_of_ratatui(
            before in "[a-c ─●é✖\u{301}]{0,30}",
            after in "[a-c ─●é病ﾞ✖\u{301}\u{fe0f}❤\u{1f469}]{0,30}",
            styles in prop::collection::vec((0u16..30, 0u16..30, 0usize..5, any::<bool>()), 0..6),
        ) {
            let mut canvas = Canvas::new((10, 3));
            let mut shown = canvas.next.clone();
            for (sheet, text) in [(&mut shown, &before), (&mut canvas.next, &after)] {
                let mut rest = text.as_str();
                for y in 0..3 {
                    let cut = rest.char_indices().nth(10).map_or(rest.len(), |(at, _)| at);
                    sheet.set_stringn(y, y, &rest[..cut], 10 - usize::from(y), Style::new());
                    rest = &rest[cut..];
                }
            }
            let looks = [
                Style::new().bold(), Style::new().on_red(), Style::new().reversed(), Style::new().green(),
                Style::new().underlined(),
            ];
            for (from, cells, look, old) in styles {
                let sheet = if old { &mut shown } else { &mut canvas.next };
                for cell in sheet.content.iter_mut().skip(usize::from(from)).take(usize::from(cells)) {
                    cell.set_style(looks[look]);
                }
            }
            canvas.shown.take(&shown);
            let theirs: Vec<_> = shown.diff_iter(&canvas.next).collect();
            prop_assert_eq!(canvas.changes().collect::<Vec<_>>(), theirs);
        }
    }

    #[test]
    fn a_sheet_that_is_shown_differs_no_more() {
        let mut canvas = Canvas::new((4, 2));
        canvas.sheet().set_string(1, 1, "ab", Style::new());
        let changes: Vec<_> =
            canvas.changes().map(|(x, y, cell)| (x, y, cell.symbol().to_string())).collect();
        assert_eq!(changes, [(1, 1, "a".to_string()), (2, 1, "b".to_string())]);
        canvas.turn();
        canvas.sheet().set_string(1, 1, "ab", Style::new());
        assert_eq!(canvas.changes().count(), 0);
        canvas.turn();
        assert_eq!(canvas.changes().count(), 2, "the next sheet is blank");
    }
}
