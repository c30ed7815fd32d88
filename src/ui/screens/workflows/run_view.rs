//! How one execution looks: title, the views, and the inspector beside them (`inspector_view.rs`).

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::Widget;

use crate::domain::incident::Weight;
use crate::domain::text::shown;
use crate::domain::timeline::{Standing, Timeline};
use crate::domain::units;
use crate::ui::areas;
use crate::ui::screens::workflows::inspector_view;
use crate::ui::screens::workflows::lists::Lists;
use crate::ui::screens::workflows::run::{Pane, Run, View};
use crate::ui::theme::Role;
use crate::ui::widgets::badge::Badge;
use crate::ui::widgets::graph::Graph;
use crate::ui::widgets::graph::drawn::Panned;
use crate::ui::widgets::table::{Cell, Column, Cursor, Table};
use crate::ui::widgets::timeline::Bars;
use crate::ui::widgets::{middle, notice, put, put_right, row};
use crate::ui::world::World;

/// The columns of the events. Those that are read by their content are no wider than the history needs: what
/// is left over goes to what the events mean.
fn event_columns(timeline: &Timeline) -> [Column; 6] {
    let ids = timeline.last_event().map_or(0, |last| last.id.to_string().len() as u16);
    let (longest, since) = timeline.longest();
    // `999 ms`, `59.99 s`, `59 m 59 s`
    let since = match since.num_milliseconds() {
        ..1_000 => 6,
        1_000..60_000 => 7,
        _ => 9,
    };
    let longest = longest.clamp(16, 40) as u16;
    let (id, after) = (ids.max(2), ids.max(4));
    [
        Column::new("Id", id, id, 6).right(),
        Column::new("After", after, after, 1).right(),
        Column::new("Time", 12, 12, 4),
        Column::new("+", since, since, 3).right(),
        Column::new("Event", 16, longest, 5),
        Column::new("What it means", 20, 120, 2),
    ]
}

pub fn draw(run: &Run, lists: &Lists, watched: bool, world: &World, buffer: &mut Buffer, area: Rect) {
    let panes = areas::panes(area, run.pane == Pane::Inspector);
    if let Some(list) = panes.list {
        main(run, lists, watched, world, buffer, list);
    }
    if let Some(rule) = panes.rule {
        let bar = if world.ascii { "|" } else { "│" };
        for y in rule.top()..rule.bottom() {
            put(buffer, Rect { y, height: 1, ..rule }, rule.x, bar, world.theme.style(Role::Rule));
        }
    }
    if let Some(detail) = panes.detail {
        inspector_view::draw(run, world, buffer, detail);
    }
}

/// `Machine / run-7f3a   ◐ running 6.2 s`, at most so wide.
fn title(run: &Run, watched: bool, world: &World, buffer: &mut Buffer, line: Rect) {
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
            n => format!(", redriven {n}×").replace('×', if world.ascii { "x" } else { "×" }),
        };
        let watched = if watched && !status.is_over() { ", watched" } else { "" };
        (badge, format!("{} {}{span}{redriven}{watched}", badge.glyph(world), badge.word))
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

fn underlined(world: &World, on: bool) -> Style {
    if on {
        world.theme.style(Role::Strong).add_modifier(Modifier::UNDERLINED)
    } else {
        world.theme.style(Role::Dim)
    }
}

/// The views, then what is searched for, or what else is worth saying.
fn tabs(run: &Run, world: &World, buffer: &mut Buffer, line: Rect) {
    let theme = &world.theme;
    let mut x = line.x;
    for view in run.views() {
        x = put(buffer, line, x, view.title(), underlined(world, *view == run.view)) + 2;
    }
    let followed = run.follow && !run.is_over() && run.started().is_some();
    if !search(run, world, buffer, line, x + 1) && followed {
        let (word, role) = match run.interrupted {
            Some(_) => ("no answer", Role::Warn),
            None => ("following", Role::Active),
        };
        put_right(buffer, line, word, theme.style(role));
    }
}

/// What is searched for, from a column on; says whether something is.
pub fn search(run: &Run, world: &World, buffer: &mut Buffer, line: Rect, x: u16) -> bool {
    if !run.searching && run.search.is_empty() {
        return false;
    }
    let theme = &world.theme;
    let x = put(buffer, line, x, "/ ", theme.style(Role::Accent));
    let field = Rect { x, width: line.right().saturating_sub(x), ..line };
    if run.searching {
        run.search.draw(buffer, field, theme.style(Role::Strong));
    } else {
        put(buffer, field, x, run.search.text(), theme.style(Role::Text));
    }
    true
}

fn main(run: &Run, lists: &Lists, watched: bool, world: &World, buffer: &mut Buffer, area: Rect) {
    let theme = &world.theme;
    if let Some(line) = row(area, 0) {
        title(run, watched, world, buffer, line);
    }
    if let Some(line) = row(area, 1) {
        tabs(run, world, buffer, line);
    }
    if let (Some(line), Some(text)) = (row(area, 2), run.limits(world)) {
        put(buffer, line, line.x, &shown(&text), theme.style(Role::Warn));
    }
    let mut top = 3;
    let cause = run.head_lines(area.width);
    for (i, text) in cause.iter().enumerate() {
        let Some(line) = row(area, top + i) else { break };
        if i == 0 {
            let badge = ended(run);
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
        View::Summary => summary(run, world, buffer, area),
        View::Graph => graph(run, world, buffer, area),
        View::Timeline => {
            let bars = Bars {
                world,
                timeline: &run.timeline,
                offset: run.offset,
                selected: run.visit_index(),
                focused: run.pane == Pane::Main,
                until: run.until(),
                zoom: run.zoom,
            };
            (&bars).render(area, buffer);
        }
        View::Events => events(run, world, buffer, area),
    }
}

fn graph(run: &Run, world: &World, buffer: &mut Buffer, area: Rect) {
    let plan = run.fitted(area);
    let graph = Graph {
        world,
        plan,
        timeline: Some(&run.timeline),
        item: run.item,
        offset: run.offset,
        selected: run.state.as_deref(),
        focused: run.pane == Pane::Main,
        flashes: &run.flashes,
        map_runs: &run.map_runs,
    };
    if run.is_picture(area) {
        (&Panned { graph: &graph, drawn: &run.drawn, across: run.across }).render(area, buffer);
    } else {
        (&graph).render(area, buffer);
    }
}

/// How an execution that went wrong ended: it failed, ran out of time, or was stopped.
fn ended(run: &Run) -> Badge {
    run.status().filter(|_| run.failed()).map_or(Badge::FAILED, Badge::status)
}

/// The story of a failure, part by part.
fn summary(run: &Run, world: &World, buffer: &mut Buffer, area: Rect) {
    let lines = run.story.lines(area.width);
    for (i, (weight, text)) in lines.iter().skip(run.offset).enumerate() {
        let Some(line) = row(area, i) else { break };
        let (role, indent) = match weight {
            None => (Role::Accent, 0),
            Some(Weight::Bad) => (Role::Bad, 0),
            Some(Weight::Strong) => (Role::Strong, 2),
            Some(Weight::Text) => (Role::Text, 2),
            Some(Weight::Dim | Weight::Code) => (Role::Dim, 2),
        };
        let mut x = line.x + indent;
        if *weight == Some(Weight::Bad) {
            let badge = ended(run);
            x = put(buffer, line, x, badge.glyph(world), world.theme.style(badge.role)) + 1;
        }
        put(buffer, line, x, text, world.theme.style(role));
    }
    let below = lines.len().saturating_sub(run.offset + usize::from(area.height));
    if below > 0 {
        let last = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area };
        put_right(buffer, last, &format!(" {below} more below"), world.theme.style(Role::Dim));
    }
}

/// What stands there before the first event; says whether nothing else can be drawn.
fn absent(run: &Run, world: &World, buffer: &mut Buffer, area: Rect) -> bool {
    if run.is_express() {
        match run.unlogged(world) {
            Ok(text) => notice::say(world, buffer, area, &text),
            Err(problem) => notice::problem(world, buffer, area, problem, 6),
        };
        return true;
    }
    if let Some(problem) = run.stream.as_ref().or(run.execution.problem()) {
        notice::problem(world, buffer, area, problem, 6);
        return true;
    }
    if run.ended {
        let text = "This execution has no history any more: AWS keeps one for 90 days after the end";
        notice::say(world, buffer, area, text);
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
    let timeline = &run.timeline;
    let selected = run.event.and_then(|id| timeline.position(id)).unwrap_or(0);
    let cell = |line: usize, column: usize| {
        let Some(event) = timeline.nth(line) else { return Cell::dim("") };
        let bad = event.kind.ends_with("Failed")
            || event.kind.ends_with("TimedOut")
            || event.kind.ends_with("Aborted");
        match column {
            0 => Cell::dim(event.id.to_string()),
            1 => Cell::new(event.previous.to_string(), Role::Muted),
            2 => Cell::dim(world.zone().clock_millis(event.at)),
            3 => {
                let before = line.checked_sub(1).and_then(|before| timeline.nth(before));
                let since = before.map(|before| event.at - before.at).filter(|since| !since.is_zero());
                Cell::dim(since.map(units::duration).unwrap_or_default())
            }
            4 => {
                let caught = timeline.owner(event.id).map(|visit| timeline.visits()[visit].standing);
                let role = match (bad, caught) {
                    (true, Some(Standing::Caught)) => Role::Warn,
                    (true, _) => Role::Bad,
                    (false, _) => Role::Text,
                };
                Cell::new(shown(&event.kind), role)
            }
            _ => Cell::dim(timeline.line(event).map(|line| shown(&line).into_owned()).unwrap_or_default()),
        }
    };
    let cursor = Cursor { selected, offset: run.offset };
    let table = Table {
        world,
        columns: &event_columns(timeline),
        len: timeline.len(),
        cursor,
        focused: run.pane == Pane::Main,
        sorted: None,
        stale: false,
        cell,
    };
    (&table).render(area, buffer);
}
