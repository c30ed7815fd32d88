//! The continuations of a pending chord, above the key line.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::action::Action;
use crate::ui::overlays::frame;
use crate::ui::theme::Role;
use crate::ui::widgets::{put, row};
use crate::ui::world::World;

/// Draws what can follow the keys pressed so far.
pub fn draw(world: &World, buffer: &mut Buffer, keys: &str, next: &[(String, Action)]) {
    let (width, height) = world.size;
    let rows = next.len() as u16 + 2;
    if width < 40 || rows + 2 > height {
        return;
    }
    let area = Rect::new(width - 40, height - 1 - rows, 40, rows);
    let inside = frame(world, buffer, area, keys);
    for (index, (key, action)) in next.iter().enumerate() {
        let Some(row) = row(inside, index) else { break };
        let x = put(buffer, row, row.x, key, world.theme.style(Role::Key));
        put(buffer, row, x + 2, action.help(), world.theme.style(Role::Text));
    }
}
