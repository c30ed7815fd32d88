//! How the screen looks: which pane stands where.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::screens::queries::{Model, list_view, result_view, statement_view};
use crate::ui::theme::Role;
use crate::ui::widgets::put;
use crate::ui::world::World;

pub fn view(model: &Model, world: &World, area: Rect, buffer: &mut Buffer) {
    let parts = model.parts(area);
    if let Some(list) = parts.list {
        list_view::draw(model, world, list, buffer);
    }
    if let Some(rule) = parts.rule {
        let line = if world.ascii { "|" } else { "│" };
        for y in rule.top()..rule.bottom() {
            put(buffer, Rect { y, height: 1, ..rule }, rule.x, line, world.theme.style(Role::Rule));
        }
    }
    if let (Some(chosen), Some(top), Some(bottom)) = (model.preview(), parts.statement, parts.result) {
        return list_view::preview(model, world, chosen, top.union(bottom), buffer);
    }
    if let Some(result) = parts.result {
        result_view::draw(model, world, result, buffer);
    }
    // Last: its offers may lie over the result.
    if let Some(statement) = parts.statement {
        statement_view::draw(model, world, statement, area, buffer);
    }
}
