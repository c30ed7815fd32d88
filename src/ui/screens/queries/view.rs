//! How the screen looks.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::ui::screens::queries::Model;
use crate::ui::theme::Role;
use crate::ui::widgets::put;
use crate::ui::world::World;

pub fn view(_model: &Model, world: &World, area: Rect, frame: &mut Frame) {
    put(frame.buffer_mut(), area, area.x, "Queries", world.theme.style(Role::Dim));
}
