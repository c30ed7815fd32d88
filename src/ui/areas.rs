//! Where everything is: one function from a size to named areas, for update and view alike.

use ratatui::layout::{Position, Rect};

/// Below this, one sentence is all that fits.
pub const SMALLEST: (u16, u16) = (60, 16);
/// From this width on, list and detail stand side by side.
pub const SIDE_BY_SIDE: u16 = 110;
/// From this width on, there is room for a third pane or wider columns.
pub const WIDE: u16 = 160;

/// The frame around every screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shell {
    pub header: Rect,
    pub tabs: Rect,
    pub body: Rect,
    pub keys: Rect,
}

/// `None`: too small.
pub fn shell(width: u16, height: u16) -> Option<Shell> {
    if width < SMALLEST.0 || height < SMALLEST.1 {
        return None;
    }
    Some(Shell {
        header: Rect::new(0, 0, width, 1),
        tabs: Rect::new(0, 1, width, 1),
        body: Rect::new(1, 3, width - 2, height - 5),
        keys: Rect::new(0, height - 1, width, 1),
    })
}

/// A list and what belongs to its selected line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panes {
    /// Missing when only the detail fits and has the focus.
    pub list: Option<Rect>,
    /// The thin rule between them.
    pub rule: Option<Rect>,
    pub detail: Option<Rect>,
}

/// Splits a screen's body: side by side from [`SIDE_BY_SIDE`] columns, else the focused one alone.
pub fn panes(body: Rect, detail_focused: bool) -> Panes {
    if body.width + 2 < SIDE_BY_SIDE {
        let (list, detail) = if detail_focused { (None, Some(body)) } else { (Some(body), None) };
        return Panes { list, rule: None, detail };
    }
    let detail = if body.width + 2 >= WIDE { body.width * 2 / 5 } else { (body.width * 2 / 5).clamp(38, 42) };
    let list = body.width - detail - 3;
    Panes {
        list: Some(Rect { width: list, ..body }),
        rule: Some(Rect { x: body.x + list + 1, width: 1, ..body }),
        detail: Some(Rect { x: body.x + list + 3, width: detail, ..body }),
    }
}

/// The first line of a pane is its title; the rest is below.
pub fn titled(area: Rect) -> (Rect, Rect) {
    let title = Rect { height: area.height.min(1), ..area };
    let rest = Rect { y: area.y + title.height, height: area.height - title.height, ..area };
    (title, rest)
}

/// A floating box of at most that size, a little above the middle.
pub fn floating(width: u16, height: u16, screen: (u16, u16)) -> Rect {
    let width = width.min(screen.0.saturating_sub(4));
    let height = height.min(screen.1.saturating_sub(4));
    let x = (screen.0 - width) / 2;
    let y = ((screen.1 - height) / 3).max(2).min(screen.1 - height);
    Rect::new(x, y, width, height)
}

/// The inside of a box with a border and one column of air.
pub fn inside(area: Rect) -> Rect {
    Rect {
        x: area.x.saturating_add(2),
        y: area.y.saturating_add(1),
        width: area.width.saturating_sub(4),
        height: area.height.saturating_sub(2),
    }
}

/// The tab at a column of the tabs line.
pub fn tab_at(position: Position) -> Option<crate::ui::route::Screen> {
    let mut x = 1;
    for screen in crate::ui::route::Screen::ALL {
        let width = tab_width(screen);
        if (x..x + width).contains(&position.x) {
            return Some(screen);
        }
        x += width + 1;
    }
    None
}

/// ` 1 Overview ` without its outer blanks: number, blank, title.
pub fn tab_width(screen: crate::ui::route::Screen) -> u16 {
    2 + screen.title().len() as u16 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_area_lies_inside_the_window() {
        for width in 0..220 {
            for height in 0..80 {
                let window = Rect::new(0, 0, width, height);
                let inside =
                    |area: Rect| assert_eq!(window.intersection(area), area, "{area:?} in {window:?}");
                let Some(shell) = shell(width, height) else { continue };
                [shell.header, shell.tabs, shell.body, shell.keys].into_iter().for_each(inside);
                for focused in [false, true] {
                    let panes = panes(shell.body, focused);
                    [panes.list, panes.rule, panes.detail].into_iter().flatten().for_each(inside);
                }
                inside(floating(80, 30, (width, height)));
            }
        }
        assert_eq!(shell(59, 40), None);
        assert_eq!(shell(80, 15), None);
    }
}
