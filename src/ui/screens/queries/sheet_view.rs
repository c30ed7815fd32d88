//! How the rows of a result look: numbers to the right, NULL dim, the cell under the cursor marked.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::domain::grid::Kind;
use crate::domain::text::shown;
use crate::ui::screens::queries::sheet::{GAP, Sheet, brief};
use crate::ui::theme::Role;
use crate::ui::widgets::{put, put_right, row, table};
use crate::ui::world::World;

pub fn draw(sheet: &Sheet, world: &World, focused: bool, area: Rect, buffer: &mut Buffer) {
    let area = area.intersection(buffer.area);
    let placed = sheet.layout(area.width);
    heading(sheet, world, &placed, area, buffer);
    let page = table::page(area);
    let offset = sheet.row.offset_for(page);
    let theme = &world.theme;
    for line in 0..page.min(sheet.len().saturating_sub(offset)) {
        let Some(spot) = row(area, line + 1) else { break };
        let here = offset + line == sheet.row.selected;
        if here {
            buffer.set_style(spot, theme.selected(Role::Text, false));
            let role = if focused { Role::Accent } else { Role::Dim };
            put(buffer, spot, spot.x, if world.ascii { ">" } else { "▌" }, theme.selected(role, false));
        }
        for (column, x, cells) in &placed {
            let cell = sheet.cell(offset + line, *column).flatten();
            let (text, role) = match cell {
                Some(text) => (brief(text), Role::Text),
                None => ("NULL".into(), Role::Dim),
            };
            let marked = here && *column == sheet.column;
            let style = match (here, marked) {
                (true, true) => theme.selected(role, focused).add_modifier(Modifier::BOLD),
                (true, false) => theme.selected(role, false),
                _ => theme.style(role),
            };
            let field = Rect { x: area.x + x, width: *cells, ..spot };
            if marked {
                buffer.set_style(field, style);
            }
            if is_number(sheet, *column) {
                put_right(buffer, field, &text, style);
            } else {
                put(buffer, field, field.x, &text, style);
            }
        }
    }
}

fn is_number(sheet: &Sheet, column: usize) -> bool {
    sheet.grid.columns.get(column).is_some_and(|column| column.kind == Kind::Number)
}

fn heading(sheet: &Sheet, world: &World, placed: &[(usize, u16, u16)], area: Rect, buffer: &mut Buffer) {
    let Some(head) = row(area, 0) else { return };
    for (column, x, cells) in placed {
        let Some(known) = sheet.grid.columns.get(*column) else { continue };
        let sorted = sheet.sort.filter(|(sorted, _)| sorted == column);
        let mark = match (sorted, world.ascii) {
            (None, _) => "",
            (Some((_, false)), false) => "↑",
            (Some((_, true)), false) => "↓",
            (Some((_, false)), true) => "^",
            (Some((_, true)), true) => "v",
        };
        let title = format!("{}{mark}", shown(&known.name));
        let style = world.theme.style(if sorted.is_some() { Role::Strong } else { Role::Dim });
        let spot =
            Rect { x: area.x + x, width: (*cells).min(head.right().saturating_sub(area.x + x)), ..head };
        if is_number(sheet, *column) {
            put_right(buffer, spot, &title, style);
        } else {
            let wider = Rect { width: (spot.width + GAP - 1).min(head.right() - spot.x), ..spot };
            put(buffer, wider, wider.x, &title, style);
        }
    }
}
