//! One facility: its accreditations on a time line, its services, where the record lies; or the record.

use chrono::NaiveDate;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::domain::expiry::{self, Tier};
use crate::domain::facility::Facility;
use crate::domain::formats;
use crate::domain::object::Object;
use crate::domain::text::{shown, shown_lines};
use crate::domain::units;
use crate::ui::say;
use crate::ui::screens::facilities::{Focus, Model};
use crate::ui::theme::Role;
use crate::ui::widgets::badge::Badge;
use crate::ui::widgets::{put, row, wrap};
use crate::ui::world::World;

/// A line is a row of pieces, each with its role.
type Pieces = Vec<(Role, String)>;

/// Months that the time line shows before and after as-of.
const BEFORE: i64 = 3 * 30;
const AFTER: i64 = 24 * 30;

pub fn draw(model: &Model, world: &World, area: Rect, buffer: &mut Buffer) {
    let area = area.intersection(buffer.area);
    let lines = lines(model, world, area.width);
    for (index, line) in lines.iter().skip(model.detail_offset).take(usize::from(area.height)).enumerate() {
        let Some(spot) = row(area, index) else { break };
        let mut x = spot.x;
        for (role, text) in line {
            let focused = *role == Role::Accent && model.focus != Focus::Detail;
            let role = if focused { Role::Strong } else { *role };
            x = put(buffer, spot, x, text, world.theme.style(role));
        }
    }
}

/// The pane's text for a width; empty when nothing is selected.
pub fn lines(model: &Model, world: &World, width: u16) -> Vec<Pieces> {
    let entry = model.selected().and_then(|index| world.facilities.value()?.entries.get(index));
    let Some((object, facility)) = entry else { return Vec::new() };
    let cells = usize::from(width.max(10));
    let mut lines: Vec<Pieces> = vec![vec![
        (Role::Accent, format!("{} ", shown(&facility.facility_id))),
        (Role::Strong, shown(&facility.facility_name).into_owned()),
    ]];
    if model.raw {
        lines.push(vec![(Role::Dim, format!("s3://{}/{}", world.setup.bucket, shown(&object.key)))]);
        lines.push(Vec::new());
        let text = formats::json::pretty(&facility.to_value());
        for line in shown_lines(&text).lines() {
            lines.extend(wrap(line, cells).into_iter().map(|line| vec![(Role::Text, line)]));
        }
        return lines;
    }
    lines.push(vec![(Role::Text, about(facility))]);
    lines.push(Vec::new());
    accreditations(&mut lines, world, facility, cells);
    if !facility.services.is_empty() {
        lines.push(vec![(Role::Dim, "Services".to_string())]);
        let services: Vec<_> = facility.services.iter().map(|service| shown(service)).collect();
        lines.extend(wrap(&services.join(", "), cells).into_iter().map(|line| vec![(Role::Text, line)]));
        lines.push(Vec::new());
    }
    source(&mut lines, world, object, cells);
    lines
}

/// `Austin, TX · 499 staff`
fn about(facility: &Facility) -> String {
    let place: Vec<_> =
        [&facility.city, &facility.state].into_iter().flatten().map(|part| shown(part)).collect();
    let staff = facility
        .employee_count
        .map(|count| format!("{} staff", units::grouped(i64::try_from(count).unwrap_or(i64::MAX))));
    let mut parts = Vec::new();
    if !place.is_empty() {
        parts.push(place.join(", "));
    }
    parts.extend(staff);
    parts.join(" · ")
}

fn accreditations(lines: &mut Vec<Pieces>, world: &World, facility: &Facility, cells: usize) {
    if facility.accreditations.is_empty() {
        lines.push(vec![(Role::Muted, "No accreditation on record".to_string())]);
        lines.push(Vec::new());
        return;
    }
    lines.push(vec![(Role::Dim, "Accreditations".to_string())]);
    let mut sorted: Vec<_> = facility.accreditations.iter().collect();
    sorted.sort_by_key(|found| (expiry::tier(found.expiry, world.as_of), found.expiry));
    for found in &sorted {
        let badge = Badge::tier(expiry::tier(found.expiry, world.as_of));
        let role = if badge.role == Role::Lapsed { Role::Bad } else { badge.role };
        let (date, when) = match (found.expiry, &found.expiry_text) {
            (Some(date), _) => (date.to_string(), say::days(expiry::days_left(date, world.as_of))),
            (None, Some(text)) => (shown(text).into_owned(), "not a date".to_string()),
            (None, None) => ("no date".to_string(), String::new()),
        };
        lines.push(vec![
            (role, format!("{} ", badge.glyph(world))),
            (Role::Strong, format!("{}  ", shown(&found.name))),
            (Role::Text, format!("{date}  ")),
            (role, when),
        ]);
        if let Some(track) = found.expiry.map(|date| track(world, date, cells)) {
            lines.push(track);
        }
    }
    lines.push(scale(world, cells));
    lines.push(Vec::new());
}

/// The column of a number of days on the time line.
fn column(days: i64, cells: usize) -> usize {
    let last = cells.saturating_sub(1) as i64;
    let at = (days.clamp(-BEFORE, AFTER) + BEFORE) * last / (BEFORE + AFTER);
    usize::try_from(at).unwrap_or(0)
}

/// From as-of to the expiry, or back to it: `···├────────●·····`
fn track(world: &World, date: NaiveDate, cells: usize) -> Pieces {
    let days = expiry::days_left(date, world.as_of);
    let (today, mark) = (column(0, cells), column(days, cells));
    let (dot, line, start, end) =
        if world.ascii { (".", "-", "|", "o") } else { ("·", "─", "│", "●") };
    let tier = expiry::tier(Some(date), world.as_of);
    let role = if tier == Tier::Lapsed { Role::Bad } else { Badge::tier(tier).role };
    let mut pieces: Pieces = Vec::new();
    for at in 0..cells {
        let between = (at > today && at < mark) || (at > mark && at < today);
        let (piece, role) = match at {
            _ if at == mark => (end, role),
            _ if at == today => (start, Role::Dim),
            _ if between => (line, role),
            _ => (dot, Role::Rule),
        };
        match pieces.last_mut() {
            Some((last, text)) if *last == role => text.push_str(piece),
            _ => pieces.push((role, piece.to_string())),
        }
    }
    pieces
}

/// As-of below the tracks, and a year after it.
fn scale(world: &World, cells: usize) -> Pieces {
    let today = column(0, cells);
    let year = column(365, cells);
    let mut text = " ".repeat(today.saturating_sub(2).min(cells));
    text.push_str("as of");
    if year > text.chars().count() + 2 && year + 8 < cells {
        text.push_str(&" ".repeat(year - text.chars().count()));
        text.push_str(if world.ascii { "1 year" } else { "╵1 year" });
    }
    vec![(Role::Dim, text)]
}

fn source(lines: &mut Vec<Pieces>, world: &World, object: &Object, cells: usize) {
    lines.push(vec![(Role::Dim, "Source".to_string())]);
    let address = format!("s3://{}/{}", world.setup.bucket, shown(&object.key));
    lines.extend(wrap(&address, cells).into_iter().map(|line| vec![(Role::Text, line)]));
    let mut text = units::bytes(object.size);
    if let Some(at) = object.modified {
        let moment = world.zone().moment(at);
        text = format!("{text}, changed {moment} {}, {}", world.zone().name(), units::ago(at, world.now));
    }
    lines.extend(wrap(&text, cells).into_iter().map(|line| vec![(Role::Text, line)]));
}
