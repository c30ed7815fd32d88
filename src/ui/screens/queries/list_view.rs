//! How the list looks, and what is selected in it beside.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;
use ratatui::widgets::Widget;

use crate::domain::query::Query;
use crate::domain::text::{shown, shown_lines};
use crate::domain::units;
use crate::sql::format::format;
use crate::sql::parameters::Type;
use crate::ui::areas;
use crate::ui::screens::queries::list::{Chosen, List, Shelf};
use crate::ui::screens::queries::run::{Run, cost};
use crate::ui::screens::queries::saved::Saved;
use crate::ui::screens::queries::sheet::brief;
use crate::ui::screens::queries::statement::preset;
use crate::ui::screens::queries::{Focus, Model};
use crate::ui::theme::Role;
use crate::ui::widgets::badge::Badge;
use crate::ui::widgets::editor::{Editor, Language};
use crate::ui::widgets::table::{Cell, Column, Table};
use crate::ui::widgets::{notice, put, row, wrap};
use crate::ui::world::World;

const SAVED: [Column; 3] =
    [Column::new("Title", 31, 40, 3), Column::new("Name", 16, 24, 2), Column::new("From", 5, 5, 1)];

const HISTORY: [Column; 5] = [
    Column::new("Status", 11, 11, 5),
    Column::new("Statement", 16, 120, 4),
    Column::new("Duration", 8, 8, 3).right(),
    Column::new("Started", 19, 19, 2),
    Column::new("Scanned", 9, 9, 1).right(),
];

/// The table below title and filter line.
pub fn table_area(area: Rect) -> Rect {
    let used = 2.min(area.height);
    Rect { y: area.y + used, height: area.height - used, ..area }
}

/// The words at the top: which list, and how much is in it.
fn tabs(list: &List) -> [(Shelf, String); 2] {
    let count = |shelf: Shelf, all: usize, more: bool| {
        let here = list.rows(shelf).len();
        let whole = units::grouped(all as i64);
        match (here == all, more) {
            (true, false) => whole,
            (true, true) => format!("{whole} of ?"),
            (false, _) => format!("{} of {whole}", units::grouped(here as i64)),
        }
    };
    let saved = count(Shelf::Saved, list.saved.len(), false);
    let history = match list.history.value() {
        Some(all) => format!("History {}", count(Shelf::History, all.len(), list.next.is_some())),
        None => "History".to_owned(),
    };
    [(Shelf::Saved, format!("Saved {saved}")), (Shelf::History, history)]
}

/// The list whose word is at a position.
pub fn shelf_at(list: &List, area: Rect, at: Position) -> Option<Shelf> {
    let mut x = area.x;
    for (shelf, word) in tabs(list) {
        let width = word.chars().count() as u16;
        if at.y == area.y && (x..x + width).contains(&at.x) {
            return Some(shelf);
        }
        x += width + 3;
    }
    None
}

pub fn draw(model: &Model, world: &World, area: Rect, buffer: &mut Buffer) {
    let list = &model.list;
    let theme = &world.theme;
    let focused = model.focus == Focus::List;
    if let Some(line) = row(area, 0) {
        let mut x = line.x;
        for (shelf, word) in tabs(list) {
            let here = shelf == list.shelf;
            let style = match (here, focused) {
                (true, true) => theme.style(Role::Accent).add_modifier(Modifier::UNDERLINED),
                (true, false) => theme.style(Role::Strong).add_modifier(Modifier::UNDERLINED),
                (false, _) => theme.style(Role::Dim),
            };
            x = put(buffer, line, x, &word, style) + 3;
        }
        let first = list.history.value().is_none() && list.history.is_waiting();
        if first || list.more.is_waiting() {
            put(buffer, line, x, "loading", theme.style(Role::Dim));
        } else if let (true, Some(at)) = (is_stale(list) && list.shelf == Shelf::History, list.history.at()) {
            let text = format!("as known {}: r asks again", units::ago(at, world.now));
            put(buffer, line, x, &text, theme.style(Role::Bad));
        }
    }
    if let Some(line) = row(area, 1).filter(|_| list.filtering || !list.filter.is_empty()) {
        let x = put(buffer, line, line.x, "/ ", theme.style(Role::Dim));
        let field = Rect { x, width: line.right().saturating_sub(x), ..line };
        if list.filtering {
            list.filter.draw(buffer, field, theme.style(Role::Strong));
        } else {
            put(buffer, field, x, list.filter.text(), theme.style(Role::Strong));
        }
    }
    let table = table_area(area);
    match list.shelf {
        Shelf::Saved => saved(model, world, table, buffer),
        Shelf::History => history(model, world, table, buffer),
    }
}

fn saved(model: &Model, world: &World, area: Rect, buffer: &mut Buffer) {
    let list = &model.list;
    let rows = list.rows(Shelf::Saved);
    if rows.is_empty() {
        notice::say(world, buffer, area, "No saved query matches; esc shows all");
        return;
    }
    let cell = |line: usize, column: usize| {
        let Some(saved) = rows.get(line).and_then(|row| list.saved.get(*row)) else { return Cell::dim("") };
        match column {
            0 if saved.query.is_err() => Cell::new(shown(saved.title()), Role::Bad),
            0 => Cell::text(shown(saved.title())),
            1 => Cell::dim(shown(&saved.name)),
            _ => Cell::dim(if saved.own { "yours" } else { "ward" }),
        }
    };
    // In a narrow window the help of the selected query stands below the list.
    let alone = model.parts(world.body()).rule.is_none();
    let help = if alone && area.height > 10 { 3 } else { 0 };
    let table_area = Rect { height: area.height - help, ..area };
    table(world, &SAVED, rows.len(), model, cell, false, table_area, buffer);
    if let (true, Some(Chosen::Saved(saved))) = (help > 0, list.chosen()) {
        let lines = wrap(&shown(saved.help()), usize::from(area.width));
        for (index, text) in lines.iter().take(2).enumerate() {
            let Some(line) = row(area, usize::from(area.height - 2) + index) else { break };
            put(buffer, line, line.x + 2, text, world.theme.style(Role::Dim));
        }
    }
}

fn history(model: &Model, world: &World, area: Rect, buffer: &mut Buffer) {
    let list = &model.list;
    let Some(all) = list.history.value() else {
        notice::stand(world, buffer, area, &list.history, "the history of Athena");
        return;
    };
    let rows = list.rows(Shelf::History);
    if rows.is_empty() {
        let text = if all.is_empty() {
            format!(
                "No query was run in the work group {} yet: R on a saved one runs it",
                shown(&world.setup.workgroup)
            )
        } else if list.next.is_some() {
            "No query that is here matches; esc shows all".to_owned()
        } else {
            "No query matches; esc shows all".to_owned()
        };
        notice::say(world, buffer, area, &text);
        return;
    }
    let cell = |line: usize, column: usize| match rows.get(line).and_then(|row| all.get(*row)) {
        Some(query) => past_cell(list, world, query, column),
        None => Cell::dim(""),
    };
    let stale = is_stale(list);
    table(world, &HISTORY, rows.len(), model, cell, stale, area, buffer);
}

/// Whether asking again failed, so that what is shown is old.
fn is_stale(list: &List) -> bool {
    list.history.problem().is_some()
}

fn past_cell<'a>(list: &'a List, world: &World, query: &'a Query, column: usize) -> Cell<'a> {
    let badge = Badge::query(query.state);
    match column {
        0 => Cell::new(format!("{} {}", badge.glyph(world), badge.word), badge.role),
        1 => match list.title(query) {
            Some(title) => Cell::text(shown(title)),
            None => Cell::text(one_line(&query.sql)),
        },
        2 => {
            let run = Run::past(&query.id, Some(query), world.now);
            match query.state.is_over() {
                true => Cell::text(units::duration(run.elapsed(world.now))),
                false => Cell::new(units::clock(run.elapsed(world.now)), Role::Active),
            }
        }
        3 => Cell::dim(query.submitted.map(|at| world.zone().moment(at)).unwrap_or_default()),
        _ => Cell::dim(query.scanned.map(units::bytes).unwrap_or_default()),
    }
}

/// A statement on one line, without the comments before it.
fn one_line(sql: &str) -> String {
    let start = sql.char_indices().nth(600).map_or(sql.len(), |(end, _)| end);
    let lines =
        sql[..start].lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("--"));
    brief(&lines.collect::<Vec<_>>().join(" ")).into_owned()
}

#[expect(clippy::too_many_arguments, reason = "a table's parts, passed on")]
fn table<'a>(
    world: &'a World,
    columns: &'a [Column],
    len: usize,
    model: &Model,
    cell: impl Fn(usize, usize) -> Cell<'a>,
    stale: bool,
    area: Rect,
    buffer: &mut Buffer,
) {
    let focused = model.focus == Focus::List && !model.list.filtering;
    let cursor = model.list.cursor();
    (&Table { world, columns, len, cursor, focused, sorted: None, stale, cell }).render(area, buffer);
}

/// What is selected: a saved query with its help and statement, or a past one with what came of it.
pub fn preview(model: &Model, world: &World, chosen: Chosen<'_>, area: Rect, buffer: &mut Buffer) {
    let (title, below) = areas::titled(area);
    let theme = &world.theme;
    let used = match chosen {
        Chosen::Saved(saved) => {
            let x = put(buffer, title, title.x, &shown(saved.title()), theme.style(Role::Strong));
            put(buffer, title, x + 2, &shown(&saved.name), theme.style(Role::Dim));
            saved_heading(saved, world, below, buffer)
        }
        Chosen::Past(query) => {
            let badge = Badge::query(query.state);
            let run = Run::past(&query.id, Some(query), world.now);
            let x = put(buffer, title, title.x, badge.glyph(world), theme.style(badge.role));
            let x = put(buffer, title, x + 1, badge.word, theme.style(badge.role));
            let elapsed = run.elapsed(world.now);
            let over = query.state.is_over();
            let elapsed = if over { units::duration(elapsed) } else { units::clock(elapsed) };
            let x = put(buffer, title, x + 2, &elapsed, theme.style(Role::Text));
            let room = title.right().saturating_sub(x + 2);
            put(buffer, title, x + 2, &cost(query, room), theme.style(Role::Dim));
            past_heading(model, query, world, below, buffer)
        }
    };
    let sql = match chosen {
        Chosen::Saved(saved) => saved.sql(),
        Chosen::Past(query) => &query.sql,
    };
    let used = (used + 1).min(below.height);
    let editor = Rect { y: below.y + used, height: below.height - used, ..below };
    let start = sql.char_indices().nth(20_000).map_or(sql.len(), |(end, _)| end);
    // What programs wrote on one line reads better laid out.
    let wide = sql[..start].lines().any(|line| line.chars().count() > usize::from(editor.width));
    let sql = if wide { Cow::Owned(format(&sql[..start])) } else { Cow::Borrowed(&sql[..start]) };
    Editor::new(Language::Sql, &sql).draw(world, buffer, editor, false, None);
}

/// Help, then each parameter with what it will be; answers the rows it took.
fn saved_heading(saved: &Saved, world: &World, area: Rect, buffer: &mut Buffer) -> u16 {
    let role = if saved.query.is_err() { Role::Bad } else { Role::Dim };
    let help = wrap(&shown(saved.help()), usize::from(area.width.max(8)));
    for (index, line) in help.iter().enumerate() {
        if let Some(spot) = row(area, index) {
            put(buffer, spot, spot.x, line, world.theme.style(role));
        }
    }
    let mut used = help.len();
    let all = saved.query.as_ref().map(|query| query.parameters.as_slice()).unwrap_or_default();
    if let Some(line) = row(area, used).filter(|_| all.iter().any(|one| one.kind != Type::Name)) {
        let mut x = line.x;
        for parameter in all.iter().filter(|one| one.kind != Type::Name) {
            x = put(buffer, line, x, &parameter.name, world.theme.style(Role::Dim)) + 1;
            let value = preset(parameter, world).unwrap_or_else(|| "?".to_owned());
            x = put(buffer, line, x, &brief(&value), world.theme.style(Role::Strong)) + 3;
        }
        used += 1;
    }
    used as u16
}

/// When it ran, and why it failed; answers the rows it took.
fn past_heading(model: &Model, query: &Query, world: &World, area: Rect, buffer: &mut Buffer) -> u16 {
    let started = query.submitted.map(|at| {
        format!("started {} {}, {}", world.zone().moment(at), world.zone().name(), units::ago(at, world.now))
    });
    let mut lines = vec![(Role::Dim, started.unwrap_or_default())];
    if let Some(title) = model.list.title(query) {
        lines.insert(0, (Role::Strong, shown(title).into_owned()));
    }
    if let Some(reason) = query.reason.as_deref().filter(|reason| !reason.is_empty()) {
        lines.push((Role::Text, String::new()));
        let reason = wrap(&shown_lines(reason), usize::from(area.width.max(8)));
        lines.extend(reason.into_iter().take(8).map(|line| (Role::Text, line)));
    }
    for (index, (role, line)) in lines.iter().enumerate() {
        if let Some(spot) = row(area, index) {
            put(buffer, spot, spot.x, line, world.theme.style(*role));
        }
    }
    lines.len() as u16
}
