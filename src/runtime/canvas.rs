//! Two sheets of cells, the one that is drawn on and the one that the terminal shows, and what is
//! different between them. Nearly all of a screen stays as it is from one frame to the next, and this is
//! looked at for every cell of every frame: what is one plain character is compared without measuring it.

use ratatui::buffer::{Buffer, Cell, CellWidth};
use ratatui::layout::Rect;

use crate::ui::widgets::alone;

pub(crate) struct Canvas {
    next: Buffer,
    shown: Buffer,
}

impl Canvas {
    /// Blank sheets of so many columns and rows, for a terminal that is blank.
    pub(crate) fn new((width, height): (u16, u16)) -> Canvas {
        let blank = Buffer::empty(Rect::new(0, 0, width, height));
        Canvas { next: blank.clone(), shown: blank }
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
        std::mem::swap(&mut self.next, &mut self.shown);
        self.next.reset();
    }
}

/// Columns, rows and cells that differ: those that ratatui's own [`Buffer::diff_iter`] names, and always
/// all that a wide character covered. Options of cells for the comparison and colours of underlines are not
/// looked at: no theme and no widget here sets any.
pub(crate) struct Changes<'a> {
    shown: &'a Buffer,
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
        let shown = self.shown.content.iter().enumerate().take(end).skip(start);
        shown.map(|(index, cell)| index + cells(cell)).fold(end, usize::max)
    }

    /// The next one at or after `at` that lies behind a wide character.
    fn behind(&mut self) -> Option<(u16, u16, &'a Cell)> {
        while self.at < self.covered {
            let index = self.at;
            let cell = self.next.content.get(index)?;
            self.at += cells(cell).max(1);
            self.covered = self.covered.max(self.reach(index, self.at)).min(self.next.content.len());
            if self.all || self.shown.content.get(index)?.symbol() != cell.symbol() {
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
        let (shown, next) = (&self.shown.content, &self.next.content);
        loop {
            let index = self.at;
            let (before, cell) = (shown.get(index)?, next.get(index)?);
            self.at += 1;
            let (was, is) = (before.symbol(), cell.symbol());
            let styled = cell.fg == before.fg && cell.bg == before.bg && cell.modifier == before.modifier;
            if let ([was], [is]) = (was.as_bytes(), is.as_bytes()) {
                if was == is && styled {
                    continue;
                }
                return Some(self.place(index, cell));
            }
            let width = cells(cell);
            if was == is && styled {
                self.at += width.saturating_sub(1);
                continue;
            }
            let end = index + width.max(1);
            let reach = self.reach(index, end);
            if reach > end {
                // What a wide character covered looks as each terminal pleases.
                (self.at, self.covered, self.all) = (end, reach.min(next.len()), true);
            } else if is.contains('\u{fe0f}') {
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
fn cells(cell: &Cell) -> usize {
    let text = cell.symbol();
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(only), None) if alone(only) => 1,
        _ => usize::from(cell.cell_width()),
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
            for (sheet, text) in [(&mut canvas.shown, &before), (&mut canvas.next, &after)] {
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
                let sheet = if old { &mut canvas.shown } else { &mut canvas.next };
                for cell in sheet.content.iter_mut().skip(usize::from(from)).take(usize::from(cells)) {
                    cell.set_style(looks[look]);
                }
            }
            let theirs: Vec<_> = canvas.shown.diff_iter(&canvas.next).collect();
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
