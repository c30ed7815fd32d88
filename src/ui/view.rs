//! Draws the model: header, tabs, screen, key line, overlay. Reads only.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::domain::text::shown;
use crate::ui::areas;
use crate::ui::model::Model;
use crate::ui::overlays::{Overlay, which};
use crate::ui::route::Screen;
use crate::ui::theme::Role;
use crate::ui::widgets::{badge::Badge, cells, put, put_right};
use crate::ui::world::Link;

/// One frame.
pub fn view(model: &Model, buffer: &mut Buffer) {
    let window = buffer.area;
    let theme = &model.world.theme;
    if theme.paint {
        buffer.set_style(window, theme.style(Role::Text));
    }
    let Some(shell) = areas::shell(window.width, window.height) else {
        let (width, height) = areas::SMALLEST;
        let text = format!("ward needs {width} columns and {height} rows");
        put(buffer, window, window.x, &text, theme.style(Role::Text));
        return;
    };
    header(model, buffer, shell.header);
    tabs(model, buffer, shell.tabs);
    model.front().view(&model.world, shell.body, buffer);
    keys(model, buffer, shell.keys);
    match &model.overlay {
        None => {}
        Some(Overlay::Help(help)) => help.draw(&model.world, buffer),
        Some(Overlay::Pick(pick)) => pick.draw(&model.world, buffer),
        Some(Overlay::Confirm(confirm)) => confirm.draw(&model.world, buffer),
        Some(Overlay::Problems(problems)) => problems.draw(&model.world, buffer),
    }
    if !model.pending.is_empty() {
        let pressed: Vec<String> = model.pending.iter().map(ToString::to_string).collect();
        let next = model.world.keymap.continuations(&model.floor(), &model.pending);
        which::draw(&model.world, buffer, &pressed.join(" "), &next);
    }
}

/// ` ward  LOCAL  000000000000 us-east-1        as of 2026-01-01   15:04:11 UTC`
fn header(model: &Model, buffer: &mut Buffer, area: Rect) {
    let world = &model.world;
    let theme = &world.theme;
    let dim = theme.style(Role::Dim);
    let x = put(buffer, area, area.x + 1, "ward", theme.style(Role::Strong));
    let role = if world.setup.local { Role::Local } else { Role::Remote };
    let x = put(buffer, area, x + 2, &format!(" {} ", shown(&world.setup.target)), theme.style(role));
    let x = put(buffer, area, x + 2, &shown(&world.place()), theme.style(Role::Text));
    let x = match &world.link {
        Link::Connecting => put(buffer, area, x + 2, "connecting", theme.style(Role::Active)),
        Link::Down(_) => {
            let badge = Badge::FAILED;
            put(
                buffer,
                area,
                x + 2,
                &format!("{} no connection", badge.glyph(world)),
                theme.style(badge.role),
            )
        }
        Link::Up { .. } => x,
    };
    let x = if world.setup.read_only {
        put(buffer, area, x + 2, "read-only", theme.style(Role::Warn))
    } else {
        x
    };
    let as_of = format!("as of {}", world.as_of);
    let refreshed = match world.refreshed {
        Some(at) => format!("{} {}", world.zone().clock(at), world.zone().name()),
        None => world.zone().name(),
    };
    let problems = match world.problems.len() {
        0 => String::new(),
        count => format!("! {count}"),
    };
    let right = format!("{as_of}   {refreshed} ");
    let room = Rect { x, width: area.right().saturating_sub(x), ..area };
    if usize::from(room.width) > cells(&right) + cells(&problems) + 4 {
        put_right(buffer, room, &right, dim);
        let left = Rect { width: room.width - cells(&right) as u16 - 3, ..room };
        put_right(buffer, left, &problems, theme.style(Role::Bad));
    } else if usize::from(room.width) > cells(&as_of) + 3 {
        put_right(buffer, Rect { width: room.width - 1, ..room }, &as_of, dim);
    }
}

fn tabs(model: &Model, buffer: &mut Buffer, area: Rect) {
    let theme = &model.world.theme;
    let mut x = area.x + 1;
    for (index, screen) in Screen::ALL.into_iter().enumerate() {
        let front = screen == model.screen;
        let style = theme.style(if front { Role::Accent } else { Role::Dim });
        let next = put(buffer, area, x, &format!("{} {}", index + 1, screen.title()), style);
        if front {
            let title = Rect { x, width: next - x, ..area };
            buffer.set_style(title, ratatui::style::Modifier::UNDERLINED);
        }
        x += areas::tab_width(screen) + 1;
    }
}

/// The five keys that matter here, then `? all`; or what just happened.
fn keys(model: &Model, buffer: &mut Buffer, area: Rect) {
    let theme = &model.world.theme;
    if let Some((note, bad)) = &model.note {
        let role = if *bad { Role::Bad } else { Role::Accent };
        let more = if *bad { "   ! shows more" } else { "" };
        let room = Rect { width: area.width.saturating_sub(more.len() as u16), ..area };
        let x = put(buffer, room, area.x + 1, &shown(note), theme.style(role));
        put(buffer, area, x, more, theme.style(Role::Dim));
        return;
    }
    let mut x = area.x + 1;
    for offer in model.key_line.offers(model).iter() {
        if x.saturating_add(offer.width) >= area.right() {
            break;
        }
        x = put(buffer, area, x, &offer.keys, theme.style(Role::Key));
        x = put(buffer, area, x + 1, offer.action, theme.style(Role::Dim)) + 3;
    }
}
