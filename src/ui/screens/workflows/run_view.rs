//! How one execution looks.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use crate::domain::execution::HistoryEvent;
use crate::domain::text::shown;
use crate::domain::units;
use crate::ui::areas;
use crate::ui::screens::workflows::inspect;
use crate::ui::screens::workflows::lists::Lists;
use crate::ui::screens::workflows::run::{Pane, Run, View};
use crate::ui::theme::Role;
use crate::ui::widgets::badge::Badge;
use crate::ui::widgets::graph::{self, Graph};
use crate::ui::widgets::table::{Cell, Column, Cursor, Table};
use crate::ui::widgets::timeline::Bars;
use crate::ui::widgets::{middle, notice, put, put_right, row};
use crate::ui::world::World;

const EVENTS: [Column; 4] = [
    Column::new("Id", 4, 6, 3).right(),
    Column::new("Time", 12, 12, 2),
    Column::new("Event", 16, 28, 4),
    Column::new("What it means", 10, 120, 1),
];

pub fn draw(run: &Run, lists: &Lists, world: &World, buffer: &mut Buffer, area: Rect) {
    let panes = areas::panes(area, run.pane == Pane::Inspector);
    if let Some(list) = panes.list {
        main(run, lists, world, buffer, list);
    }
    if let Some(rule) = panes.rule {
        let bar = if world.ascii { "|" } else { "│" };
        for y in rule.top()..rule.bottom() {
            put(buffer, Rect { y, height: 1, ..rule }, rule.x, bar, world.theme.style(Role::Rule));
        }
    }
    if let Some(detail) = panes.detail {
        inspector(run, world, buffer, detail);
    }
}

/// `Machine / run-7f3a   ◐ running 6.2 s`, at most so wide.
fn title(run: &Run, world: &World, buffer: &mut Buffer, line: Rect) {
    let theme = &world.theme;
    let status = run.status().map(|status| {
        let badge = Badge::status(status);
        let span = run.started().map(|started| run.stopped().unwrap_or(world.now) - started);
        let span = match (span, status.is_over()) {
            (None, _) => String::new(),
            (Some(span), true) => format!(" {}", units::duration(span)),
            (Some(span), false) => format!(" {}", units::clock(span)),
        };
        let redriven = match run.timeline.redrives() {
            0 => String::new(),
            n => format!(", redriven {n}×"),
        };
        (badge, format!("{} {}{span}{redriven}", badge.glyph(world), badge.word))
    });
    let width = status.as_ref().map_or(0, |(_, text)| text.chars().count() as u16 + 3);
    let names = Rect { width: line.width.saturating_sub(width), ..line };
    let machine = run.machine_arn();
    let machine = shown(machine.rsplit(':').next().unwrap_or_default()).into_owned();
    let name = shown(run.name()).into_owned();
    let room = usize::from(names.width);
    // The machine's name gives way before the execution's.
    let machine = middle(&machine, room.saturating_sub(name.chars().count() + 3).max(6));
    let x = put(buffer, names, names.x, &machine, theme.style(Role::Dim));
    let x = put(buffer, names, x, " / ", theme.style(Role::Dim));
    let left = usize::from(names.right().saturating_sub(x));
    let x = put(buffer, names, x, &middle(&name, left), theme.title(run.pane == Pane::Main));
    if let Some((badge, text)) = status {
        put(buffer, line, x + 3, &text, theme.style(badge.role));
    }
}

fn main(run: &Run, lists: &Lists, world: &World, buffer: &mut Buffer, area: Rect) {
    let theme = &world.theme;
    if let Some(line) = row(area, 0) {
        title(run, world, buffer, line);
    }
    if let Some(line) = row(area, 1) {
        let mut x = line.x;
        for view in View::ALL {
            let style = theme.style(if view == run.view { Role::Strong } else { Role::Dim });
            let style = if view == run.view {
                style.add_modifier(ratatui::style::Modifier::UNDERLINED)
            } else {
                style
            };
            x = put(buffer, line, x, view.title(), style) + 2;
        }
        if run.searching || !run.search.is_empty() {
            x = put(buffer, line, x + 1, "/ ", theme.style(Role::Accent));
            let field = Rect { x, width: line.right().saturating_sub(x), ..line };
            if run.searching {
                run.search.draw(buffer, field, theme.style(Role::Strong));
            } else {
                put(buffer, field, x, run.search.text(), theme.style(Role::Text));
            }
        } else if run.follow && !run.is_over() && run.started().is_some() {
            put_right(buffer, line, "following", theme.style(Role::Active));
        }
    }
    let mut top = 3;
    let cause = run.cause_lines(area.width);
    for (i, text) in cause.iter().enumerate() {
        let Some(line) = row(area, top + i) else { break };
        if i == 0 {
            let badge = Badge::FAILED;
            let x = put(buffer, line, line.x, badge.glyph(world), theme.style(badge.role));
            put(buffer, line, x + 1, text, theme.style(Role::Bad));
        } else if i + 1 == cause.len() {
            last_success(run, lists, world, buffer, line);
        } else {
            put(buffer, line, line.x + 2, text, theme.style(Role::Text));
        }
    }
    top += cause.len();
    let used = (top as u16).min(area.height);
    let area = Rect { y: area.y + used, height: area.height - used, ..area };
    if run.timeline.is_empty() && absent(run, world, buffer, area) {
        return;
    }
    match run.view {
        View::Graph => {
            let plan = run.fitted(area);
            let timeline = Some(&run.timeline);
            let graph = Graph {
                world,
                plan: &plan,
                timeline,
                offset: run.offset,
                selected: run.state.as_deref(),
                focused: run.pane == Pane::Main,
                flashes: &run.flashes,
            };
            (&graph).render(area, buffer);
        }
        View::Timeline => {
            let newest = run.state.as_deref().and_then(|state| run.timeline.last_visit(state));
            let bars = Bars {
                world,
                timeline: &run.timeline,
                offset: run.offset,
                selected: run.visit.or(newest),
                focused: run.pane == Pane::Main,
                until: run.until(),
            };
            (&bars).render(area, buffer);
        }
        View::Events => events(run, world, buffer, area),
    }
}

/// What stands there before the first event; says whether nothing else can be drawn.
fn absent(run: &Run, world: &World, buffer: &mut Buffer, area: Rect) -> bool {
    if let Some(problem) = run.stream.as_ref().or(run.execution.problem()) {
        notice::problem(world, buffer, area, problem, 6);
        return true;
    }
    if run.ended {
        notice::say(
            world,
            buffer,
            area,
            "This execution has no history: it is too old, or of an express machine",
        );
        return true;
    }
    if run.plan.rows.is_empty() {
        notice::say(world, buffer, area, "Loading the history");
        return true;
    }
    false
}

fn last_success(run: &Run, lists: &Lists, world: &World, buffer: &mut Buffer, line: Rect) {
    let same = lists.machine.as_deref() == Some(run.machine_arn().as_str());
    let Some(success) = lists.last_success().filter(|_| same) else { return };
    let ago = units::ago(success.started, world.now);
    let text = format!("last success {ago}: {}", shown(&success.name));
    put(buffer, line, line.x + 2, &text, world.theme.style(Role::Dim));
}

fn events(run: &Run, world: &World, buffer: &mut Buffer, area: Rect) {
    let events: Vec<&HistoryEvent> = run.timeline.events().collect();
    let selected = run.event.and_then(|id| events.iter().position(|event| event.id == id)).unwrap_or(0);
    let cell = |line: usize, column: usize| {
        let event = events[line];
        let bad = event.kind.ends_with("Failed")
            || event.kind.ends_with("TimedOut")
            || event.kind.ends_with("Aborted");
        match column {
            0 => Cell::dim(event.id.to_string()),
            1 => Cell::dim(world.zone().clock_millis(event.at)),
            2 => Cell::new(shown(&event.kind), if bad { Role::Bad } else { Role::Text }),
            _ => {
                Cell::dim(run.timeline.line(event).map(|line| shown(&line).into_owned()).unwrap_or_default())
            }
        }
    };
    let cursor = Cursor { selected, offset: run.offset };
    let table = Table {
        world,
        columns: &EVENTS,
        len: events.len(),
        cursor,
        focused: run.pane == Pane::Main,
        sorted: None,
        stale: false,
        cell,
    };
    (&table).render(area, buffer);
}

fn inspector(run: &Run, world: &World, buffer: &mut Buffer, area: Rect) {
    let theme = &world.theme;
    let focused = run.pane == Pane::Inspector;
    let Some(first) = row(area, 0) else { return };
    let state = run.state.as_deref().unwrap_or_default();
    let visit = run.visit();
    if run.view == View::Events {
        let event = run.event.and_then(|id| run.timeline.event(id));
        let what = event.map(|event| format!("Event {}", event.id)).unwrap_or_default();
        put(buffer, first, first.x, &what, theme.title(focused));
        if let (Some(line), Some(event)) = (row(area, 1), event) {
            put(buffer, line, line.x, &shown(&event.kind), theme.style(Role::Text));
        }
        if let (Some(line), Some(text)) = (row(area, 2), event.and_then(|event| run.timeline.line(event))) {
            put(buffer, line, line.x, &shown(&text), theme.style(Role::Dim));
        }
    } else {
        put(buffer, first, first.x, &shown(state), theme.title(focused));
        if let Some(line) = row(area, 1) {
            let definition = graph::shape::definition_of(&run.machine, state);
            let text = |key: &str| {
                definition.and_then(|d| d.get(key)).and_then(|value| value.as_str()).unwrap_or_default()
            };
            let x = put(buffer, line, line.x, text("Type"), theme.style(Role::Text));
            put(
                buffer,
                line,
                x + 2,
                &middle(&shown(text("Resource")), usize::from(line.right().saturating_sub(x + 2))),
                theme.style(Role::Dim),
            );
        }
        if let (Some(line), Some(visit)) = (row(area, 2), visit) {
            let badge = graph::badge(visit.standing);
            let x = put(buffer, line, line.x, badge.glyph(world), theme.style(badge.role));
            let x = put(buffer, line, x + 1, visit.standing.word(), theme.style(badge.role));
            let open = visit.exited.is_none();
            let span = visit.duration(world.now);
            let span = if open { units::clock(span) } else { units::duration(span) };
            let passes = run.timeline.now(state).visits;
            let pass = if passes > 1 { format!("  {passes} passes") } else { String::new() };
            let text = format!("{span}  entered {}{pass}", world.zone().clock_millis(visit.entered));
            put(buffer, line, x + 2, &text, theme.style(Role::Dim));
        }
    }
    if let Some(line) = row(area, 3).filter(|_| run.view != View::Events) {
        let mut x = line.x;
        for tab in inspect::tabs(run) {
            let on = tab == run.tab;
            let style = theme.style(if on { Role::Strong } else { Role::Dim });
            let style = if on { style.add_modifier(ratatui::style::Modifier::UNDERLINED) } else { style };
            x = put(buffer, line, x, tab.title(), style) + 2;
        }
    }
    let used = 5.min(area.height);
    let below = Rect { y: area.y + used, height: area.height - used, ..area };
    run.document.draw(world, buffer, below, focused);
}
