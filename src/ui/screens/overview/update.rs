//! What each fact does to the screen.

use chrono::TimeDelta;
use ratatui::layout::Position;

use crate::ui::action::Action;
use crate::ui::effect::{Effect, Reply, Request, Wish};
use crate::ui::msg::Happening;
use crate::ui::route::Screen;
use crate::ui::screens::Msg;
use crate::ui::screens::overview::lines::{Line, lines};
use crate::ui::screens::overview::{COLUMNS, Model, areas};
use crate::ui::subs::Sub;
use crate::ui::widgets::table::Cursor;
use crate::ui::world::World;

pub fn update(model: &mut Model, world: &mut World, msg: Msg) -> Vec<Wish> {
    let mut wishes = Vec::new();
    let failed = fails(model);
    match msg {
        Msg::Opened(_) => wishes = ask(model, world),
        Msg::Did(action) => wishes = did(model, world, action),
        Msg::Clicked(at) => wishes = clicked(model, world, at),
        Msg::Wheeled(at, by) => {
            if let Some(column) = column_at(world, at) {
                let page = page(world);
                let len = model.columns[column].len();
                model.cursors[column].wheel(by, len, page);
                settle(model, world, column, by > 0);
                keep(model, column);
            }
        }
        Msg::Replied(ticket, answer) => match answer {
            Ok(Reply::Machines(machines)) => {
                if model.machines.accept(ticket, Ok(machines), world.now) {
                    wishes = ask_runs(model, world);
                }
            }
            Ok(Reply::Executions { items, .. }) => {
                model.runs.accept(ticket, Ok(items), world.now);
            }
            Ok(Reply::Queries { items, .. }) => {
                model.queries.accept(ticket, Ok(items), world.now);
            }
            Ok(_) => {}
            Err(problem) => {
                let mut awaited = model.machines.accept(ticket, Err(problem.clone()), world.now);
                awaited |= model.runs.accept(ticket, Err(problem.clone()), world.now);
                awaited |= model.queries.accept(ticket, Err(problem.clone()), world.now);
                if awaited {
                    wishes.push(Wish::Unanswered(problem));
                }
            }
        },
        // A run that was watched is over: ask how it ended.
        Msg::Happened(Happening::Ended(Sub::Execution(_), None)) => wishes = ask_runs(model, world),
        Msg::Ticked => wishes = tick(model, world),
        _ => {}
    }
    if failed && !fails(model) {
        wishes.push(Wish::Answered);
    }
    model.columns = lines(model, world);
    for column in 0..COLUMNS {
        stay(model, world, column);
    }
    wishes
}

fn fails(model: &Model) -> bool {
    model.machines.problem().or(model.runs.problem()).or(model.queries.problem()).is_some()
}

/// The lines are new: the cursor goes where it was, by what its line leads to.
fn stay(model: &mut Model, world: &World, column: usize) {
    let cursor = &mut model.cursors[column];
    cursor.selected = match &model.kept[column] {
        None => 0,
        Some((route, which)) => {
            let leads = |(_, line): &(usize, &Line)| line.route() == Some(route);
            let mut all = model.columns[column].iter().enumerate().filter(leads).map(|(index, _)| index);
            all.nth(*which).unwrap_or(cursor.selected)
        }
    };
    settle(model, world, column, true);
}

/// Remembers what the cursor was moved to.
fn keep(model: &mut Model, column: usize) {
    let selected = model.cursors[column].selected;
    let route = model.columns[column].get(selected).and_then(Line::route).cloned();
    model.kept[column] = route.map(|route| {
        let before = model.columns[column].iter().take(selected);
        let which = before.filter(|line| line.route() == Some(&route)).count();
        (route, which)
    });
}

fn ask(model: &mut Model, world: &mut World) -> Vec<Wish> {
    let mut wishes = Vec::new();
    if !model.machines.is_waiting() {
        wishes.push(world.ask(Screen::Overview, &mut model.machines, Request::Machines));
    }
    if !model.queries.is_waiting() {
        wishes.push(world.ask(Screen::Overview, &mut model.queries, Request::Queries { token: None }));
    }
    wishes
}

/// Runs and queries are asked for again from time to time, with each tick of the clock of 30 s while nothing
/// runs: this screen may stay in front all day. (An answer that took seconds must not make it every other tick.)
fn tick(model: &mut Model, world: &mut World) -> Vec<Wish> {
    let runs = model.running().next().is_some();
    let age = if runs { world.patience(runs) } else { TimeDelta::seconds(20) };
    let mut wishes = Vec::new();
    if model.runs.is_due(world.now, age) {
        if model.machines.problem().is_none() {
            wishes = ask_runs(model, world);
        }
        if wishes.is_empty() && model.machines.is_due(world.now, age) {
            wishes.push(world.ask(Screen::Overview, &mut model.machines, Request::Machines));
        }
    }
    if model.queries.is_due(world.now, age) {
        wishes.push(world.ask(Screen::Overview, &mut model.queries, Request::Queries { token: None }));
    }
    wishes
}

fn ask_runs(model: &mut Model, world: &mut World) -> Vec<Wish> {
    let wanted = &world.setup.state_machine;
    let machines = model.machines.value().into_iter().flatten();
    let found = machines.into_iter().find(|machine| machine.name == *wanted || machine.arn == *wanted);
    let Some(machine_arn) = found.map(|machine| machine.arn.clone()) else { return Vec::new() };
    let request = Request::Executions { machine_arn, status: None, token: None };
    vec![world.ask(Screen::Overview, &mut model.runs, request)]
}

fn page(world: &World) -> usize {
    usize::from(world.body().height)
}

/// Keeps a cursor on a line that opens something: the next one in that direction, else the other.
fn settle(model: &mut Model, world: &World, column: usize, down: bool) {
    let lines = &model.columns[column];
    let opens = |index: &usize| lines.get(*index).is_some_and(|line| line.route().is_some());
    let at = model.cursors[column].selected.min(lines.len().saturating_sub(1));
    let (below, above) = ((at..lines.len()).find(opens), (0..=at).rev().find(opens));
    let found = if down { below.or(above) } else { above.or(below) };
    let cursor = &mut model.cursors[column];
    cursor.selected = found.unwrap_or(0);
    cursor.reveal(lines.len(), page(world));
    // The heading above the first line stays in sight.
    if found.is_some_and(|found| !(0..found).any(|index| opens(&index))) {
        cursor.offset = 0;
    }
}

fn did(model: &mut Model, world: &mut World, action: Action) -> Vec<Wish> {
    let shown = areas(world.body()).iter().flatten().count();
    match action {
        Action::Back => return vec![Wish::Back],
        Action::Refresh => {
            let mut wishes = ask(model, world);
            wishes.push(Wish::Reload);
            return wishes;
        }
        Action::Open => {
            let line = model.columns[model.column].get(model.cursors[model.column].selected);
            return line.and_then(Line::route).cloned().map(Wish::Open).into_iter().collect();
        }
        Action::Copy => {
            let line = model.columns[model.column].get(model.cursors[model.column].selected);
            let text = match line {
                Some(Line::Item { label, route, .. }) => {
                    route.object.clone().unwrap_or_else(|| label.clone())
                }
                Some(Line::Bar { label, .. }) => label.clone(),
                _ => return Vec::new(),
            };
            return vec![Wish::Do(Effect::Copy(text))];
        }
        Action::NextPane => turn(model, shown, 1),
        Action::PreviousPane => turn(model, shown, shown - 1),
        Action::Right if model.column + 1 < shown => turn(model, shown, 1),
        Action::Left if model.column > 0 => turn(model, shown, shown - 1),
        other => {
            let len = model.columns[model.column].len();
            let column = model.column;
            let before = model.cursors[column];
            if model.cursors[column].act(other, len, page(world)) {
                let down = !matches!(other, Action::Up | Action::PageUp | Action::First);
                settle(model, world, column, down);
                // At either end the cursor stays where it was.
                let moved = model.cursors[column].selected;
                if (down && moved < before.selected) || (!down && moved > before.selected) {
                    model.cursors[column] = before;
                }
                keep(model, column);
            }
        }
    }
    Vec::new()
}

/// To another column that has something to select.
fn turn(model: &mut Model, shown: usize, by: usize) {
    for _ in 0..shown {
        model.column = (model.column + by) % shown.max(1);
        if model.columns[model.column].iter().any(|line| line.route().is_some()) {
            return;
        }
    }
}

fn column_at(world: &World, at: Position) -> Option<usize> {
    areas(world.body()).iter().position(|area| area.is_some_and(|area| area.contains(at)))
}

fn clicked(model: &mut Model, world: &World, at: Position) -> Vec<Wish> {
    let Some(column) = column_at(world, at) else { return Vec::new() };
    let top = areas(world.body())[column].map_or(0, |area| area.y);
    let cursor = model.cursors[column];
    let index = cursor.offset + usize::from(at.y - top);
    let Some(route) = model.columns[column].get(index).and_then(Line::route).cloned() else {
        return Vec::new();
    };
    let again = model.column == column && cursor.selected == index;
    model.column = column;
    model.cursors[column] = Cursor { selected: index, ..cursor };
    keep(model, column);
    if again { vec![Wish::Open(route)] } else { Vec::new() }
}
