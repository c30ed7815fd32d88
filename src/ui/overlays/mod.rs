//! What floats over a screen: help, palette and other choices, confirmations, the problem list, and the
//! continuations of a pending chord. Only the topmost has the floor.

pub mod confirm;
pub mod help;
pub mod palette;
pub mod pick;
pub mod problems;
pub mod which;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, BorderType, Clear, Widget};

use crate::ui::areas;
use crate::ui::theme::Role;
use crate::ui::widgets::put;
use crate::ui::world::World;

/// The overlay that is open.
#[derive(Clone, Debug, PartialEq)]
pub enum Overlay {
    Help(help::Help),
    /// The palette, and every other choice of one thing.
    Pick(pick::Pick),
    Confirm(confirm::Confirm),
    Problems(problems::Problems),
}

/// Clears a box, draws its border and title, and answers its inside.
pub fn frame(world: &World, buffer: &mut Buffer, area: Rect, title: &str) -> Rect {
    let area = area.intersection(buffer.area);
    Clear.render(area, buffer);
    let border = if world.ascii { BorderType::Plain } else { BorderType::Rounded };
    let style = world.theme.style(Role::Text);
    Block::bordered()
        .border_type(border)
        .border_style(world.theme.style(Role::Rule))
        .style(style)
        .render(area, buffer);
    let head =
        Rect { x: area.x + 1, width: area.width.saturating_sub(2), height: 1.min(area.height), ..area };
    let x = put(buffer, head, head.x + 1, " ", style);
    let x = put(buffer, head, x, title, world.theme.style(Role::Accent));
    put(buffer, head, x, " ", style);
    areas::inside(area)
}
