//! How the screen looks.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use crate::domain::units;
use crate::ui::route::Screen;
use crate::ui::screens::overview::lines::Line;
use crate::ui::screens::overview::{Model, areas};
use crate::ui::theme::Role;
use crate::ui::widgets::{middle, put, put_right, row};
use crate::ui::world::World;

pub fn view(model: &Model, world: &World, area: Rect, buffer: &mut Buffer) {
    for (index, column) in areas(area).into_iter().enumerate() {
        let Some(column) = column else { continue };
        let cursor = model.cursors[index];
        let focused = model.column == index;
        let lines = model.columns[index].iter().enumerate().skip(cursor.offset);
        for (at, (number, line)) in lines.take(usize::from(column.height)).enumerate() {
            let Some(spot) = row(column, at) else { break };
            let selected = focused && number == cursor.selected && line.route().is_some();
            draw(world, buffer, spot, line, selected, focused);
        }
    }
}

fn draw(world: &World, buffer: &mut Buffer, spot: Rect, line: &Line, selected: bool, focused: bool) {
    let theme = &world.theme;
    let style = |role| if selected { theme.selected(role, true) } else { theme.style(role) };
    if selected {
        buffer.set_style(spot, theme.selected(Role::Text, true));
        put(buffer, spot, spot.x, if world.ascii { ">" } else { "▌" }, style(Role::Accent));
    }
    let inner = Rect { x: spot.x + 2, width: spot.width.saturating_sub(2), ..spot };
    match line {
        Line::Blank => {}
        Line::Heading(title) => {
            put(buffer, spot, spot.x, title, theme.title(focused));
        }
        Line::Note(role, text) => {
            put(buffer, inner, inner.x, text, theme.style(*role));
        }
        Line::Item { badge, label, right, since, route } => {
            let role = if badge.role == Role::Lapsed { Role::Bad } else { badge.role };
            put(buffer, inner, inner.x, badge.glyph(world), style(role));
            let mut tail = right.clone();
            if let Some(at) = since {
                let age = units::ago(*at, world.now);
                tail = if right.is_empty() { age } else { format!("{right}  {age:>9}") };
            }
            put_right(buffer, inner, &tail, style(Role::Text));
            let room = usize::from(inner.width).saturating_sub(tail.width() + 4);
            // A sentence is cut at its end, a name in its middle.
            let sentence = route.screen == Screen::Queries;
            let label =
                if sentence { Cow::Borrowed(label.as_str()) } else { Cow::Owned(middle(label, room)) };
            let spot = Rect { width: inner.width.min(room as u16 + 2), ..inner };
            put(buffer, spot, inner.x + 2, &label, style(Role::Text));
        }
        Line::Bar { label, share, number, role, .. } => {
            let wide = label.width().max(2) as u16 + 1;
            put(buffer, inner, inner.x, label, style(Role::Text));
            let number = units::grouped(*number as i64);
            put_right(buffer, inner, &number, style(Role::Text));
            let room = inner.width.saturating_sub(wide + number.width().max(4) as u16 + 1);
            let bar = bar(world, *share, room);
            put(buffer, inner, inner.x + wide, &bar, style(*role));
        }
    }
}

/// A bar in eighths of a cell; something that is not nothing is never invisible.
fn bar(world: &World, share: f64, cells: u16) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share.clamp(0.0, 1.0) * f64::from(cells) * 8.0).round() as usize;
    if world.ascii {
        return "#".repeat(eighths.div_ceil(8));
    }
    let eighths = if share > 0.0 { eighths.max(1) } else { 0 };
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}
