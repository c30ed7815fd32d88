//! "Really?": names the object and the target, and defaults to no.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::ui::areas;
use crate::ui::effect::Request;
use crate::ui::overlays::frame;
use crate::ui::theme::Role;
use crate::ui::widgets::{put, row, wrap};
use crate::ui::world::World;

/// A writing request that waits for a yes.
#[derive(Clone, Debug, PartialEq)]
pub struct Confirm {
    /// The question: `Stop this execution?`
    pub title: String,
    /// What exactly happens, and to what.
    pub lines: Vec<String>,
    /// The verb on the button: `Stop`.
    pub verb: String,
    /// What the screen gets back as `Msg::Confirmed` after a yes.
    pub request: Request,
    /// Ask on a local target too: for what cannot be undone.
    pub always: bool,
    /// Whether the button is chosen; false at first.
    pub yes: bool,
}

impl Confirm {
    pub fn new(title: impl Into<String>, verb: impl Into<String>, request: Request) -> Confirm {
        Confirm {
            title: title.into(),
            lines: Vec::new(),
            verb: verb.into(),
            request,
            always: false,
            yes: false,
        }
    }

    pub fn line(mut self, line: impl Into<String>) -> Confirm {
        self.lines.push(line.into());
        self
    }

    pub fn always(mut self) -> Confirm {
        self.always = true;
        self
    }

    fn text(&self, width: u16) -> Vec<String> {
        self.lines.iter().flat_map(|line| wrap(line, usize::from(width.max(8)))).collect()
    }

    pub fn area(&self, size: (u16, u16)) -> Rect {
        let width = 64;
        let inner = areas::inside(areas::floating(width, 20, size)).width;
        areas::floating(width, self.text(inner).len() as u16 + 6, size)
    }

    /// Where the two buttons are: no, yes.
    fn buttons(&self, inside: Rect) -> Option<(Rect, Rect)> {
        let line = row(inside, usize::from(inside.height.saturating_sub(1)))?;
        let no = Rect { width: 10.min(line.width), ..line };
        let x = (line.x + 12).min(line.right());
        let yes = Rect { x, width: (self.verb.len() as u16 + 8).min(line.right() - x), ..line };
        Some((no, yes))
    }

    /// The button at a position: `Some(true)` is yes.
    pub fn button_at(&self, size: (u16, u16), at: Position) -> Option<bool> {
        let (no, yes) = self.buttons(areas::inside(self.area(size)))?;
        if yes.contains(at) {
            return Some(true);
        }
        no.contains(at).then_some(false)
    }

    pub fn draw(&self, world: &World, buffer: &mut Buffer) {
        let inside = frame(world, buffer, self.area(world.size), &self.title);
        let text = world.theme.style(Role::Text);
        let lines = self.text(inside.width);
        for (index, line) in lines.iter().enumerate() {
            if let Some(row) = row(inside, index) {
                put(buffer, row, row.x, line, text);
            }
        }
        if let Some(row) = row(inside, lines.len() + 1) {
            let x = put(buffer, row, row.x, "on  ", world.theme.style(Role::Dim));
            let role = if world.setup.local { Role::Local } else { Role::Remote };
            let x = put(buffer, row, x, &format!(" {} ", world.setup.target), world.theme.style(role));
            put(buffer, row, x + 1, &world.place(), text);
        }
        let Some((no, yes)) = self.buttons(inside) else { return };
        let style = |chosen| world.theme.selected(if chosen { Role::Strong } else { Role::Dim }, chosen);
        let plain = world.theme.style(Role::Dim);
        put(buffer, no, no.x, "  n  no   ", if self.yes { plain } else { style(true) });
        put(
            buffer,
            yes,
            yes.x,
            &format!("  y  {}   ", self.verb),
            if self.yes { style(true) } else { plain },
        );
    }
}
