//! How a query and its result look: its state and cost, then the rows, or why there are none.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use crate::domain::problem::Problem;
use crate::domain::query::Query;
use crate::domain::text::{shown, shown_lines};
use crate::domain::units;
use crate::ui::action::Action;
use crate::ui::keymap::Context;
use crate::ui::screens::queries::run::{Run, Stage, cost};
use crate::ui::screens::queries::sheet::Sheet;
use crate::ui::screens::queries::{Focus, Model, failure, sheet_view};
use crate::ui::theme::Role;
use crate::ui::widgets::badge::Badge;
use crate::ui::widgets::chart::Chart;
use crate::ui::widgets::{notice, put, put_right, row, wrap};
use crate::ui::world::World;

pub struct Areas {
    pub title: Rect,
    pub search: Rect,
    /// Rows, bars, or one value.
    pub grid: Rect,
    /// What is under the cursor.
    pub info: Rect,
}

/// Title, a line for the search while there is one, the rows, a line below them.
pub fn areas(area: Rect, sheet: Option<&Sheet>) -> Areas {
    let title = Rect { height: 1.min(area.height), ..area };
    let searching = sheet.is_some_and(|sheet| sheet.searching || !sheet.search.is_empty());
    let top = (1 + u16::from(searching)).min(area.height);
    let bottom = u16::from(area.height > top + 3);
    Areas {
        title,
        search: Rect { y: area.y + 1.min(area.height), height: top.saturating_sub(1), ..area },
        grid: Rect { y: area.y + top, height: area.height - top - bottom, ..area },
        info: Rect { y: area.bottom() - bottom, height: bottom, ..area },
    }
}

pub fn draw(model: &Model, world: &World, area: Rect, buffer: &mut Buffer) {
    let focused = model.focus == Focus::Result;
    let parts = areas(area, model.sheet());
    let Some(run) = &model.run else {
        put(buffer, parts.title, parts.title.x, "Result", world.theme.title(focused));
        let key = notice::key(world, Context::Queries, Action::Run);
        notice::say(world, buffer, parts.grid, &format!("Nothing was run yet: {key} runs the statement"));
        return;
    };
    let stage = run.stage();
    title(model, run, stage, world, parts.title, buffer);
    let below = Rect { y: area.y + 2.min(area.height), height: area.height.saturating_sub(2), ..area };
    match stage {
        Stage::Here(query, sheet) => result(query, sheet, world, focused, &parts, buffer),
        Stage::Sending => {
            notice::say(world, buffer, below, "Sending the statement to Athena");
        }
        Stage::Asking => {
            notice::say(world, buffer, below, "Asking Athena how it stands");
        }
        Stage::Live(_) => {
            let text = if run.stopping.is_waiting() || run.stopping.value().is_some() {
                "Cancelling".to_owned()
            } else {
                format!("{} cancels it", notice::key(world, Context::Queries, Action::Cancel))
            };
            let text = match &run.interrupted {
                Some(problem) => {
                    format!("No answer at present, asked again until there is one: {}. {text}", problem.title)
                }
                None => text,
            };
            notice::say(world, buffer, below, &text);
        }
        Stage::Fetching(_) => {
            notice::say(world, buffer, below, "Loading the result");
        }
        Stage::Refused(problem) => {
            failed(model, run, &problem.detail, problem.hint.as_deref(), world, below, buffer)
        }
        Stage::Failed(query) => {
            failed(model, run, query.reason.as_deref().unwrap_or_default(), None, world, below, buffer);
        }
        Stage::Cancelled(_) => {
            let key = notice::key(world, Context::Queries, Action::Run);
            notice::say(
                world,
                buffer,
                below,
                &format!("It was cancelled before it was done; {key} runs it again"),
            );
        }
        Stage::Lost(problem) | Stage::Unread(_, problem) => lost(problem, world, below, buffer),
    }
}

/// `Result  ✔ succeeded  310 ms  65.3 KiB scanned  about $0.00005   250 rows`
fn title(model: &Model, run: &Run, stage: Stage<'_>, world: &World, area: Rect, buffer: &mut Buffer) {
    let theme = &world.theme;
    let x = put(buffer, area, area.x, "Result", theme.title(model.focus == Focus::Result)) + 2;
    let (badge, word, query): (Badge, Option<&str>, Option<&Query>) = match stage {
        Stage::Sending => (Badge::QUEUED, Some("sending"), None),
        Stage::Asking => (Badge::QUEUED, Some("asking"), None),
        Stage::Refused(_) => (Badge::FAILED, Some("refused"), None),
        Stage::Lost(_) => (Badge::UNKNOWN, None, None),
        Stage::Live(query)
        | Stage::Failed(query)
        | Stage::Cancelled(query)
        | Stage::Fetching(query)
        | Stage::Unread(query, _)
        | Stage::Here(query, _) => (Badge::query(query.state), None, Some(query)),
    };
    let x = put(buffer, area, x, badge.glyph(world), theme.style(badge.role));
    let mut x = put(buffer, area, x + 1, word.unwrap_or(badge.word), theme.style(badge.role));
    let span = run.elapsed(world.now);
    if run.is_live() && query.is_none_or(|query| !query.state.is_over()) {
        x = put(buffer, area, x + 2, &units::clock(span), theme.style(Role::Text));
    } else if query.is_some() {
        x = put(buffer, area, x + 2, &units::duration(span), theme.style(Role::Text));
    }
    if let Stage::Here(_, sheet) = stage {
        x = put(buffer, area, x + 2, &sheet.count(), theme.style(Role::Strong));
    }
    let room = area.right().saturating_sub(x + 2);
    let cost = query.map(|query| cost(query, room)).unwrap_or_default();
    put_right(buffer, area, &cost, theme.style(Role::Dim));
}

fn result(query: &Query, sheet: &Sheet, world: &World, focused: bool, parts: &Areas, buffer: &mut Buffer) {
    let theme = &world.theme;
    if parts.search.height > 0 {
        let line = parts.search;
        let x = put(buffer, line, line.x, "/ ", theme.style(Role::Dim));
        let field = Rect { x, width: line.right().saturating_sub(x), ..line };
        if sheet.searching {
            sheet.search.draw(buffer, field, theme.style(Role::Strong));
        } else {
            put(buffer, field, x, sheet.search.text(), theme.style(Role::Strong));
        }
        if sheet.next.is_some() {
            put_right(buffer, line, "among the rows that are here", theme.style(Role::Dim));
        }
    }
    if sheet.grid.columns.is_empty() {
        let text = match query.output_location.as_deref() {
            Some(place) => format!("Done. The statement returns no rows; {}", shown(place)),
            None => "Done. The statement returns no rows".to_owned(),
        };
        notice::say(world, buffer, parts.grid, &text);
        return;
    }
    if let Some(viewer) = &sheet.viewer {
        for (index, (role, line)) in viewer.lines.iter().skip(viewer.offset).enumerate() {
            let Some(spot) = row(parts.grid, index) else { break };
            put(buffer, spot, spot.x, line, theme.style(*role));
        }
        return info(sheet, world, parts.info, buffer);
    }
    if let Some(bars) = &sheet.bars {
        let chart = Chart {
            world,
            bars,
            offset: sheet.row.offset_for(usize::from(parts.grid.height)),
            selected: Some(sheet.row.selected),
            focused,
        };
        (&chart).render(parts.grid, buffer);
        return info(sheet, world, parts.info, buffer);
    }
    sheet_view::draw(sheet, world, focused, parts.grid, buffer);
    if sheet.len() == 0 {
        let below = Rect { y: parts.grid.y + 1, height: parts.grid.height.saturating_sub(1), ..parts.grid };
        let text = match (sheet.grid.rows.is_empty(), sheet.next.is_some()) {
            (true, _) => "The statement found no row",
            (false, true) => "No row that is here contains it; esc shows all",
            (false, false) => "No row contains it; esc shows all",
        };
        notice::say(world, buffer, below, text);
    }
    info(sheet, world, parts.info, buffer);
}

/// `facility_name varchar  row 12                columns 1–5 of 9`
fn info(sheet: &Sheet, world: &World, area: Rect, buffer: &mut Buffer) {
    let theme = &world.theme;
    let dim = theme.style(Role::Dim);
    let mut x = area.x + 2;
    let (column, row) = match &sheet.viewer {
        Some(viewer) => (viewer.column, Some(viewer.row)),
        None if sheet.bars.is_some() => (sheet.value_column(), sheet.row_of(sheet.row.selected)),
        None => (sheet.column, sheet.row_of(sheet.row.selected)),
    };
    if let Some(known) = sheet.grid.columns.get(column) {
        x = put(buffer, area, x, &shown(&known.name), theme.style(Role::Text));
        x = put(buffer, area, x + 1, &shown(&known.type_name), dim);
    }
    if let Some(row) = row {
        x = put(buffer, area, x + 2, &format!("row {}", units::grouped(row as i64 + 1)), dim);
    }
    let right = match &sheet.viewer {
        Some(viewer) if viewer.lines.len() > viewer.offset + 1 => {
            format!("line {} of {}", viewer.offset + 1, units::grouped(viewer.lines.len() as i64))
        }
        Some(_) => String::new(),
        None if sheet.more.is_waiting() => "loading more rows".to_owned(),
        None if sheet.is_arranging() => "arranging".to_owned(),
        None if sheet.more.problem().is_some() => "the next page was not loaded: ! shows why".to_owned(),
        None if sheet.bars.is_none() => {
            let placed = sheet.layout(area.width);
            let count = sheet.grid.columns.len();
            match (placed.first(), placed.last()) {
                (Some((first, ..)), Some((last, ..))) if placed.len() < count => {
                    let dash = if world.ascii { "-" } else { "–" };
                    format!("columns {}{dash}{} of {count}", first + 1, last + 1)
                }
                _ => String::new(),
            }
        }
        None => String::new(),
    };
    if usize::from(area.right().saturating_sub(x)) > right.chars().count() + 2 {
        put_right(buffer, area, &right, dim);
    }
}

/// Why it failed, where in the statement, and what to try.
fn failed(
    model: &Model,
    run: &Run,
    reason: &str,
    advice: Option<&str>,
    world: &World,
    area: Rect,
    buffer: &mut Buffer,
) {
    let theme = &world.theme;
    let width = usize::from(area.width.max(8));
    let reason = if reason.is_empty() { "Athena gave no reason" } else { reason };
    let mut lines =
        wrap(&shown_lines(reason.strip_prefix("InvalidRequestException: ").unwrap_or(reason)), width);
    lines.truncate(usize::from(area.height.saturating_sub(5)).max(2));
    let mut at = 0;
    for line in &lines {
        if let Some(spot) = row(area, at) {
            put(buffer, spot, spot.x, line, theme.style(Role::Text));
        }
        at += 1;
    }
    if let Some(found) = failure::spot(reason) {
        at += 1;
        at += excerpt(&run.sql, found, world, row(area, at), row(area, at + 1), buffer);
    }
    let edit = notice::key(world, Context::Queries, Action::Edit);
    let again = notice::key(world, Context::Queries, Action::Run);
    let keys = if model.statement.wrong.is_some() {
        format!("{edit} goes to the spot, {again} runs it again")
    } else {
        format!("{edit} edits the statement, {again} runs it again")
    };
    let known = failure::hint(reason, model.tables()).or(advice.map(str::to_owned));
    let arrow = if world.ascii { "->" } else { "→" };
    let hint = match known {
        Some(hint) => format!("{arrow} {hint}  {edit} edits, {again} runs it again"),
        None => format!("{arrow} {keys}"),
    };
    for line in wrap(&shown(&hint), width) {
        at += 1;
        if let Some(spot) = row(area, at) {
            put(buffer, spot, spot.x, &line, theme.style(Role::Accent));
        }
    }
}

/// The line of the statement with the spot marked below; answers the rows it took.
fn excerpt(
    sql: &str,
    spot: failure::Spot,
    world: &World,
    line: Option<Rect>,
    below: Option<Rect>,
    buffer: &mut Buffer,
) -> usize {
    let (Some(text), Some(line)) = (sql.lines().nth(spot.line - 1), line) else { return 0 };
    let theme = &world.theme;
    let number = format!("{:>4}  ", spot.line);
    let room = usize::from(line.width).saturating_sub(number.len());
    // A long line is shown from a little before the spot.
    let before: Vec<char> = text.chars().take(spot.column - 1).collect();
    let skip = before.len().saturating_sub(room / 2) * usize::from(text.chars().count() > room);
    let piece: String = text.chars().skip(skip).take(room.max(1) * 2).collect();
    let x = put(buffer, line, line.x, &number, theme.style(Role::Quiet));
    put(buffer, line, x, &shown(&piece), theme.style(Role::Strong));
    if let Some(below) = below {
        let lead: String = before.iter().skip(skip).collect();
        let cells = unicode_width::UnicodeWidthStr::width(shown(&lead).as_ref()) as u16;
        put(buffer, below, x.saturating_add(cells), "^", theme.style(Role::Bad));
    }
    2
}

fn lost(problem: &Problem, world: &World, area: Rect, buffer: &mut Buffer) {
    let used = notice::problem(world, buffer, area, problem, 6).min(area.height);
    let below = Rect { y: area.y + used, height: area.height - used, ..area };
    let key = notice::key(world, Context::Queries, Action::Refresh);
    notice::say(world, buffer, below, &format!("{key} asks again"));
}
