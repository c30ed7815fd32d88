//! How the statement looks: title, parameters, editor, and the offers at its cursor.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use crate::domain::text::shown;
use crate::sql::parameters::Type;
use crate::ui::overlays::frame;
use crate::ui::screens::queries::offers::{Offers, ROWS};
use crate::ui::screens::queries::sheet::brief;
use crate::ui::screens::queries::statement::Source;
use crate::ui::screens::queries::{Focus, Model};
use crate::ui::theme::Role;
use crate::ui::widgets::{put, put_right, row};
use crate::ui::world::World;

/// Lines above the editor.
pub const HEADING: u16 = 2;

pub struct Areas {
    pub title: Rect,
    pub parameters: Rect,
    pub editor: Rect,
}

pub fn areas(area: Rect) -> Areas {
    let line = |index: u16| Rect {
        y: area.y + index.min(area.height),
        height: 1.min(area.height.saturating_sub(index)),
        ..area
    };
    let used = HEADING.min(area.height);
    Areas {
        title: line(0),
        parameters: line(1),
        editor: Rect { y: area.y + used, height: area.height - used, ..area },
    }
}

/// `screen` is what the offers may lie over.
pub fn draw(model: &Model, world: &World, area: Rect, screen: Rect, buffer: &mut Buffer) {
    let parts = areas(area);
    let statement = &model.statement;
    let focused = model.focus == Focus::Statement;
    title(model, world, parts.title, focused, buffer);
    parameters(model, world, parts.parameters, buffer);
    statement.editor.draw(world, buffer, parts.editor, focused && statement.typing, statement.wrong);
    if let (Some(offers), true) = (&statement.offers, focused && statement.typing) {
        draw_offers(offers, model, world, parts.editor, screen, buffer);
    }
    if statement.editor.is_blank() && !(focused && statement.typing) {
        let field =
            Rect { x: parts.editor.x + 3, width: parts.editor.width.saturating_sub(3), ..parts.editor };
        put(
            buffer,
            field,
            field.x,
            "i writes a statement; a saved one opens with enter",
            world.theme.style(Role::Dim),
        );
    }
}

/// `Facilities per state  edited  2 of 3 statements`
fn title(model: &Model, world: &World, area: Rect, focused: bool, buffer: &mut Buffer) {
    let theme = &world.theme;
    let statement = &model.statement;
    let mut x = put(buffer, area, area.x, &shown(&statement.title), theme.title(focused));
    if statement.is_edited() && statement.source != Source::New {
        x = put(buffer, area, x + 2, "edited", theme.style(Role::Warn));
    }
    let (at, count) = statement.place();
    if count > 1 {
        let text = format!("statement {at} of {count}: the one at the cursor runs");
        put(buffer, area, x + 2, &text, theme.style(Role::Text));
    } else if focused && statement.typing {
        let (line, column) = statement.editor.cursor();
        put_right(buffer, area, &format!("{}:{}", line + 1, column + 1), theme.style(Role::Dim));
    }
}

/// The parameters with their values, else the query's help.
fn parameters(model: &Model, world: &World, area: Rect, buffer: &mut Buffer) {
    let theme = &world.theme;
    let all = model.statement.parameters();
    let mut x = area.x;
    for parameter in all.iter().filter(|parameter| parameter.kind != Type::Name) {
        x = put(buffer, area, x, &parameter.name, theme.style(Role::Dim)) + 1;
        x = match model.statement.value(parameter, world) {
            Some(value) => put(buffer, area, x, &brief(&value), theme.style(Role::Strong)),
            None => put(buffer, area, x, "?", theme.style(Role::Warn)),
        } + 3;
    }
    let help = shown(&model.statement.help);
    if x == area.x {
        put(buffer, area, x, &help, theme.style(Role::Dim));
    }
}

fn draw_offers(
    offers: &Offers,
    model: &Model,
    world: &World,
    editor: Rect,
    screen: Rect,
    buffer: &mut Buffer,
) {
    let Some(at) = model.statement.editor.cursor_at(editor) else { return };
    let theme = &world.theme;
    let widest = |text: fn(&crate::sql::complete::Completion) -> &str, most: usize| {
        offers.items.iter().map(|item| text(item).width()).max().unwrap_or(0).min(most) as u16
    };
    let (names, notes) = (widest(|item| &item.text, 36), widest(|item| &item.note, 24));
    let rows = offers.items.len().min(ROWS) as u16;
    let width = (names + notes + 8).clamp(24, screen.width.max(24)).min(screen.width);
    let height = rows + 2;
    // Below the cursor, or above it where there is no room.
    let y = if at.y + 1 + height <= screen.bottom() {
        at.y + 1
    } else {
        at.y.saturating_sub(height).max(screen.y)
    };
    let x =
        at.x.saturating_sub(offers.typed as u16 + 2).clamp(screen.x, screen.right().saturating_sub(width));
    let area = Rect { x, y, width, height }.intersection(screen);
    if area.height < 3 {
        return;
    }
    let title = if offers.asked { "enter takes it" } else { "tab takes it" };
    let inside = frame(world, buffer, area, title);
    let offset = offers.cursor.offset_for(usize::from(inside.height));
    for (index, item) in offers.items.iter().enumerate().skip(offset) {
        let Some(line) = row(inside, index - offset) else { break };
        let selected = index == offers.cursor.selected;
        let style = |role| if selected { theme.selected(role, true) } else { theme.style(role) };
        if selected {
            buffer.set_style(line, style(Role::Text));
            put(buffer, line, line.x, if world.ascii { ">" } else { "▌" }, style(Role::Accent));
        }
        let note = notes.min(line.width / 3);
        let label = Rect { x: line.x + 2, width: line.width.saturating_sub(note + 3), ..line };
        put(buffer, label, label.x, &shown(&item.text), style(Role::Text));
        let right = Rect { x: line.right() - note, width: note, ..line };
        put(buffer, right, right.x, &shown(&item.note), style(Role::Dim));
    }
}
