//! The whole of the selected line below its list: what is longer than a row.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::domain::invocation::{Entry, Said};
use crate::domain::notification::Notification;
use crate::domain::text::{shown, shown_lines};
use crate::ui::screens::activity::{Model, Section};
use crate::ui::theme::Role;
use crate::ui::widgets::{put, row, wrap};
use crate::ui::world::World;

/// The whole of what is selected: a rule, then its text over several lines.
pub fn draw(model: &Model, world: &World, buffer: &mut Buffer, area: Rect, section: Section) {
    let Some(rule) = row(area, 0) else { return };
    let theme = &world.theme;
    let line = if world.ascii { "-" } else { "─" };
    put(buffer, rule, rule.x, &line.repeat(usize::from(rule.width)), theme.style(Role::Rule));
    let Some(index) = model.selected(section) else { return };
    let lines = match section {
        Section::Log => entry_lines(&model.feed.entries[index], world),
        Section::Notifications => notification_lines(&model.feed.notifications[index], world),
        Section::Invocations | Section::Objects => return,
    };
    let mut at = 1;
    for (role, text) in lines {
        for line in wrap(&text, usize::from(area.width.max(8))) {
            let Some(spot) = row(area, at) else { return };
            put(buffer, spot, spot.x, &line, theme.style(role));
            at += 1;
        }
    }
}

fn entry_lines(entry: &Entry, world: &World) -> Vec<(Role, String)> {
    let moment = format!("{} {}", world.zone().moment(entry.line.at), world.zone().name());
    let mut lines = Vec::new();
    match &entry.said {
        Said::Record { level, message, fields } => {
            lines.push((Role::Strong, format!("{} {}", level.as_str(), shown(message))));
            for (name, value) in fields {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                lines.push((Role::Text, format!("{}: {}", shown(name), shown(&value))));
            }
        }
        _ => lines.push((Role::Text, shown_lines(&entry.line.text).trim_end().to_owned())),
    }
    let request = entry.request.as_deref().map(|request| format!("  request {}", shown(request)));
    lines.push((Role::Dim, format!("{moment}{}", request.unwrap_or_default())));
    lines
}

fn notification_lines(one: &Notification, world: &World) -> Vec<(Role, String)> {
    let mut lines = Vec::new();
    if let Some(subject) = &one.subject {
        lines.push((Role::Strong, shown(subject).into_owned()));
    }
    match &one.message {
        Some(message) => lines.push((Role::Text, shown_lines(message).trim_end().to_owned())),
        None => lines.push((Role::Dim, "The log of deliveries does not hold the message".to_owned())),
    }
    let moment = format!("{} {}", world.zone().moment(one.at), world.zone().name());
    let to = one.destination.as_deref().map(|to| format!("  to {}", shown(to)));
    lines.push((Role::Dim, format!("{moment}{}", to.unwrap_or_default())));
    lines
}
