//! How the screen looks.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use crate::domain::text::shown;
use crate::domain::units;
use crate::ui::action::Action;
use crate::ui::keymap::Context;
use crate::ui::screens::activity::feed::{self, Stand};
use crate::ui::screens::activity::{Model, Pane, Section, cells, strip};
use crate::ui::theme::Role;
use crate::ui::widgets::table::{Cell, Table};
use crate::ui::widgets::{notice, put, put_right};
use crate::ui::world::World;

pub fn view(model: &Model, world: &World, area: Rect, buffer: &mut Buffer) {
    let (list, rule, log) = model.panes(area);
    let beside = rule.is_some();
    if let Some(rule) = rule {
        let line = if world.ascii { "|" } else { "│" };
        for y in rule.y..rule.bottom() {
            put(buffer, Rect { y, height: 1, ..rule }, rule.x, line, world.theme.style(Role::Rule));
        }
    }
    if let Some(pane) = list {
        tabs(model, world, buffer, pane.title, beside);
        filter(model, world, buffer, pane.filter, model.section != Section::Log || !beside);
        section(model, world, buffer, &pane, model.listed);
    }
    if let Some(pane) = log {
        if beside {
            log_title(model, world, buffer, pane.title);
        } else {
            tabs(model, world, buffer, pane.title, false);
        }
        filter(model, world, buffer, pane.filter, model.section == Section::Log);
        section(model, world, buffer, &pane, Section::Log);
    }
}

/// The sections with their counts: column and text of each. The log has a title of its own beside them.
fn tab_texts(model: &Model, beside: bool) -> Vec<(Section, u16, String)> {
    let mut x = 0;
    let mut all = Vec::new();
    for section in Section::ALL.into_iter().take(if beside { 3 } else { 4 }) {
        let text = match (section, model.feed.stand(section)) {
            (Section::Log, _) | (_, Stand::Waiting) => section.title().to_owned(),
            (_, Stand::Failed(_)) if model.feed.count(section) == 0 => section.title().to_owned(),
            (Section::Objects, _) => {
                format!("{} {}", section.title(), units::grouped(model.feed.total as i64))
            }
            _ => format!("{} {}", section.title(), units::grouped(model.feed.count(section) as i64)),
        };
        let width = text.width() as u16;
        all.push((section, x, text));
        x += width + 2;
    }
    all
}

/// The section whose tab is at a position of the title line.
pub fn tab_at(model: &Model, title: Rect, beside: bool, at: Position) -> Option<Section> {
    if !title.contains(at) {
        return None;
    }
    let column = at.x - title.x;
    let all = tab_texts(model, beside);
    all.iter()
        .find(|(_, x, text)| (*x..x + text.width() as u16).contains(&column))
        .map(|(section, ..)| *section)
}

fn tabs(model: &Model, world: &World, buffer: &mut Buffer, area: Rect, beside: bool) {
    let front = if beside { model.listed } else { model.section };
    for (section, x, text) in tab_texts(model, beside) {
        let style = world.theme.title(section == model.section);
        let next = put(buffer, area, area.x.saturating_add(x), &text, style);
        if section == front && next > area.x + x {
            let cells = Rect { x: area.x + x, width: next - area.x - x, ..area };
            buffer.set_style(cells, Modifier::UNDERLINED);
        }
    }
    if !beside {
        let note = if model.section == Section::Log {
            log_note(model)
        } else {
            format!("since {}", span(model.minutes))
        };
        let used = tab_texts(model, beside).last().map_or(0, |(_, x, text)| x + text.width() as u16 + 2);
        let rest = Rect { x: area.x + used.min(area.width), width: area.width.saturating_sub(used), ..area };
        put_right(buffer, rest, &note, world.theme.style(Role::Dim));
    }
}

fn log_title(model: &Model, world: &World, buffer: &mut Buffer, area: Rect) {
    let x = put(buffer, area, area.x, "Log", world.theme.title(model.section == Section::Log));
    let rest = Rect { x: x + 2, width: area.right().saturating_sub(x + 2), ..area };
    put(buffer, rest, rest.x, &log_note(model), world.theme.style(Role::Dim));
}

/// `of 7f3a2b1c, esc shows all`, `following, since 1h`
fn log_note(model: &Model) -> String {
    let heard = !matches!(model.feed.log, Stand::Failed(_));
    match (&model.only, model.follow && heard) {
        (Some(request), _) => format!("of {}, esc shows all", cells::short(request)),
        (None, true) => format!("following, since {}", span(model.minutes)),
        (None, false) => format!("since {}", span(model.minutes)),
    }
}

/// `90 m`, `6 h`, `7 d`
pub fn span(minutes: i64) -> String {
    match minutes {
        minutes if minutes % (24 * 60) == 0 => format!("{} d", minutes / (24 * 60)),
        minutes if minutes % 60 == 0 => format!("{} h", minutes / 60),
        minutes => format!("{minutes} m"),
    }
}

fn filter(model: &Model, world: &World, buffer: &mut Buffer, area: Rect, focused: bool) {
    if model.filter.is_empty() && !(model.typing && focused) {
        return;
    }
    let theme = &world.theme;
    let x = put(buffer, area, area.x, "/ ", theme.style(Role::Dim));
    let line = Rect { x, width: area.right().saturating_sub(x), ..area };
    if model.typing && focused {
        model.filter.draw(buffer, line, theme.style(Role::Strong));
    } else {
        put(buffer, line, line.x, model.filter.text(), theme.style(Role::Strong));
    }
}

fn section(model: &Model, world: &World, buffer: &mut Buffer, pane: &Pane, section: Section) {
    let rows = model.rows(section);
    let mut area = pane.table;
    if let Stand::Failed(problem) = model.feed.stand(section) {
        let used = notice::problem(world, buffer, area, problem, if rows.is_empty() { 6 } else { 1 });
        let used = used.min(area.height);
        area = Rect { y: area.y + used, height: area.height - used, ..area };
    }
    if rows.is_empty() {
        if !matches!(model.feed.stand(section), Stand::Failed(_)) {
            notice::say(world, buffer, area, &nothing(model, world, section));
        }
        return;
    }
    let stale = matches!(model.feed.stand(section), Stand::Failed(_));
    let (cursor, len, focused) = (model.cursor(section), rows.len(), model.section == section);
    let columns = cells::columns(section);
    let cell = |line: usize, column: usize| match rows.get(line) {
        Some(&index) => cells::cell(&model.feed, world, section, index, column),
        None => Cell::dim(""),
    };
    (&Table { world, columns, len, cursor, focused, sorted: None, stale, cell }).render(area, buffer);
    strip::draw(model, world, buffer, pane.strip, section);
}

/// Why a list is empty, and what changes that.
fn nothing(model: &Model, world: &World, section: Section) -> String {
    let setup = &world.setup;
    if *model.feed.stand(section) == Stand::Waiting {
        return match section {
            Section::Objects => format!("Listing s3://{}/{}", shown(&setup.bucket), shown(&setup.prefix)),
            Section::Notifications => format!("Asking for the notifications of {}", shown(&setup.topic)),
            Section::Invocations | Section::Log => {
                format!("Asking for the log of {}", shown(&setup.function))
            }
        };
    }
    if model.feed.count(section) > 0 {
        return "Nothing matches; esc shows all".to_owned();
    }
    let since = notice::key(world, Context::Activity, Action::Since);
    let span = span(model.minutes);
    match section {
        Section::Invocations | Section::Log => format!(
            "{} has not run in the last {span}. An object that arrives in {} or a run of the pipeline sets it off; \
             {since} looks further back",
            shown(&setup.function),
            shown(&setup.prefix)
        ),
        Section::Objects => format!(
            "No object in s3://{}/{}. `ward data upload` puts some there",
            shown(&setup.bucket),
            shown(&setup.prefix)
        ),
        Section::Notifications if setup.local => format!(
            "No notification of {} in the last {span}: a run that fails sends one; {since} looks further back",
            shown(&setup.topic)
        ),
        Section::Notifications => format!(
            "No notification of {topic} in the last {span} is on record. SNS keeps none itself: with delivery \
             status logging on for the topic it tells of each delivery, without its message, in the log group {}. \
             {since} looks further back",
            feed::topic_group(world).unwrap_or_default(),
            topic = shown(&setup.topic),
        ),
    }
}
