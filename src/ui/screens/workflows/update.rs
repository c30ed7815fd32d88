//! What each fact does to the screen.

use ratatui::layout::{Position, Rect};

use crate::domain::problem::Problem;
use crate::ui::action::Action;
use crate::ui::areas;
use crate::ui::effect::{Effect, Reply, Request, Wish};
use crate::ui::msg::Happening;
use crate::ui::remote::Ticket;
use crate::ui::route::{Route, Screen};
use crate::ui::screens::Msg;
use crate::ui::screens::workflows::lists::read;
use crate::ui::screens::workflows::lists_view::table_area;
use crate::ui::screens::workflows::run::{Pane, Run, View};
use crate::ui::screens::workflows::{Model, Spot, on_run, start};
use crate::ui::subs::Sub;
use crate::ui::widgets::table;
use crate::ui::world::World;

pub fn update(model: &mut Model, world: &mut World, msg: Msg) -> Vec<Wish> {
    let body = world.body();
    let listed = table_area(body);
    match msg {
        Msg::Began => Vec::new(),
        Msg::Opened(route) => opened(model, world, &route),
        Msg::Did(action) => did(model, world, action, listed),
        Msg::Typed(key) => {
            match (model.spot, &mut model.form, &mut model.run) {
                (Spot::Start, Some(form), _) => form.key(key, body),
                (Spot::Execution, _, Some(run)) => {
                    run.search.key(key);
                }
                _ => {
                    if model.lists.filter.key(key) {
                        model.lists.cursor = table::Cursor::default();
                        model.lists.machines_cursor = table::Cursor::default();
                    }
                }
            }
            Vec::new()
        }
        Msg::Pasted(text) => {
            match (model.spot, &mut model.form, &mut model.run) {
                (Spot::Start, Some(form), _) => form.paste(&text, body),
                (Spot::Execution, _, Some(run)) if run.searching => run.search.insert(&text),
                _ if model.lists.filtering => model.lists.filter.insert(&text),
                _ => {}
            }
            Vec::new()
        }
        Msg::Clicked(at) => clicked(model, world, at, body),
        Msg::Wheeled(at, by) => wheeled(model, world, at, by, body),
        Msg::Replied(ticket, answer) => replied(model, world, ticket, &answer, listed),
        Msg::Progressed(ticket, done, total) => {
            model.lists.executions.progressed(ticket, done, total);
            Vec::new()
        }
        Msg::Happened(happening) => happened(model, world, happening),
        Msg::Confirmed(request) => confirmed(model, world, request),
        Msg::Answered(_, answer) => vec![Wish::Do(Effect::Copy(answer))],
        Msg::Ticked => {
            if let Some(run) = model.run.as_mut().filter(|_| model.spot == Spot::Execution) {
                run.flashes.retain(|(_, at)| world.now - *at < crate::ui::widgets::graph::FLASH);
                if !run.is_over() {
                    run.settle(world);
                }
                return Vec::new();
            }
            model.lists.tick(world)
        }
        Msg::Resized | Msg::Changed => {
            if let Some(run) = &mut model.run {
                run.settle(world);
                run.document.reveal(run.document_area(world));
            }
            match model.spot {
                Spot::Executions => model.lists.look(world, listed),
                _ => Vec::new(),
            }
        }
    }
}

fn opened(model: &mut Model, world: &mut World, route: &Route) -> Vec<Wish> {
    let mut wishes = Vec::new();
    if model.lists.machines.value().is_none() && !model.lists.machines.is_waiting() {
        wishes.push(model.lists.ask_machines(world));
    }
    if let Some(filter) = &route.filter {
        model.lists.filter = crate::ui::widgets::line::Line::new(filter.clone());
    }
    match route.object.as_deref() {
        Some("machines") => model.spot = Spot::Machines,
        Some(arn) if arn.contains(":execution:") || arn.contains(":express:") => {
            model.spot = Spot::Execution;
            let run = match &mut model.run {
                Some(run) if run.arn == arn => run,
                other => other.insert(Run::new(arn)),
            };
            if run.stream.take().is_some() {
                run.ended = false;
            }
            wishes.extend(run.ask(world));
            let machine = run.machine_arn();
            run.settle(world);
            if model.lists.machine.as_deref() != Some(&machine) {
                wishes.push(model.lists.ask_executions(world, &machine));
            }
        }
        Some(arn) if arn.contains(":stateMachine:") => {
            model.spot = Spot::Executions;
            wishes.push(model.lists.ask_executions(world, arn));
        }
        _ => {
            model.spot = Spot::Executions;
            wishes.extend(usual(model, world));
        }
    }
    wishes
}

/// Lists the executions of the machine that was listed before, or of the usual one.
fn usual(model: &mut Model, world: &mut World) -> Option<Wish> {
    let known = model.lists.machine.clone();
    let machine = known.or_else(|| model.lists.usual(world).map(|machine| machine.arn.clone()));
    match machine {
        Some(arn) => Some(model.lists.ask_executions(world, &arn)),
        None => {
            if model.lists.machines.value().is_some() {
                model.spot = Spot::Machines;
            }
            None
        }
    }
}

fn did(model: &mut Model, world: &mut World, action: Action, area: Rect) -> Vec<Wish> {
    match model.spot {
        Spot::Start => on_form(model, world, action),
        Spot::Execution => on_run::did(model, world, action),
        Spot::Machines | Spot::Executions => on_lists(model, world, action, area),
    }
}

fn on_form(model: &mut Model, world: &mut World, action: Action) -> Vec<Wish> {
    let Some(form) = &mut model.form else { return vec![Wish::Back] };
    match action {
        Action::Run | Action::Accept => match form.confirm() {
            _ if model.starting.is_waiting() => vec![Wish::Say("It is being started".to_owned())],
            Ok(confirm) => vec![Wish::Confirm(confirm)],
            Err(wrong) => vec![Wish::Say(format!("Not started: {wrong}"))],
        },
        Action::Format => {
            let read = form.format();
            let note = (!read).then(|| Wish::Say("This is not JSON yet".to_owned()));
            note.into_iter().collect()
        }
        Action::Undo | Action::Redo => {
            form.undo(action == Action::Undo, world.body());
            Vec::new()
        }
        Action::LeaveEditor | Action::Back => {
            model.form = None;
            model.starting.clear();
            model.spot = Spot::Executions;
            usual(model, world).into_iter().collect()
        }
        Action::Up | Action::Down => {
            form.naming = false;
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Opens the form for a new execution of a machine.
pub(super) fn open_form(
    model: &mut Model,
    world: &World,
    machine_arn: &str,
    input: Option<&str>,
) -> Vec<Wish> {
    model.form = Some(start::Form::new(machine_arn, input.unwrap_or("{}"), world.now));
    model.starting.clear();
    model.spot = Spot::Start;
    Vec::new()
}

fn on_lists(model: &mut Model, world: &mut World, action: Action, area: Rect) -> Vec<Wish> {
    let machines = model.spot == Spot::Machines;
    if let Some(wishes) = model.lists.act(world, action, machines, area) {
        return wishes;
    }
    let lists = &mut model.lists;
    match action {
        Action::Accept => {
            lists.filtering = false;
            lists.look(world, area)
        }
        Action::Back if lists.filtering || !lists.filter.is_empty() => {
            lists.filtering = false;
            lists.filter.clear();
            Vec::new()
        }
        Action::Back if !machines && lists.machines.value().is_some_and(|all| all.len() > 1) => {
            model.spot = Spot::Machines;
            Vec::new()
        }
        Action::Back => vec![Wish::Back],
        Action::Filter => {
            lists.filtering = true;
            Vec::new()
        }
        Action::ClearFilter => {
            lists.filter.clear();
            Vec::new()
        }
        Action::Failing => {
            lists.failing = !lists.failing;
            lists.cursor = table::Cursor::default();
            lists.look(world, area)
        }
        Action::Open | Action::Right => open_selected(model),
        Action::Left if !machines => {
            model.spot = Spot::Machines;
            Vec::new()
        }
        Action::Refresh if machines => vec![lists.ask_machines(world)],
        Action::Refresh => match lists.machine.clone() {
            Some(arn) => vec![lists.ask_executions(world, &arn)],
            None => vec![lists.ask_machines(world)],
        },
        Action::Start => {
            let machine = if machines {
                lists.selected_machine().map(|m| m.arn.clone())
            } else {
                lists.machine.clone()
            };
            let Some(machine) = machine else {
                return vec![Wish::Say("No state machine is known yet".to_owned())];
            };
            // Filled with what the newest run was given.
            let newest =
                lists.executions.value().and_then(|all| all.first()).filter(|e| e.machine_arn == machine);
            let input = newest.and_then(|execution| lists.input(execution)).map(str::to_owned);
            open_form(model, world, &machine, input.as_deref())
        }
        Action::Again => {
            match lists.selected().map(|e| (e.machine_arn.clone(), lists.input(e).map(str::to_owned))) {
                Some((machine, Some(input))) => on_run::again(world, &machine, &input),
                Some(_) => vec![Wish::Say("Its input is not known yet".to_owned())],
                None => Vec::new(),
            }
        }
        Action::Stop => match lists.selected() {
            Some(execution) if !execution.status.is_over() => on_run::stop(&execution.arn, &execution.name),
            Some(_) => vec![Wish::Say("It is over: there is nothing to stop".to_owned())],
            None => Vec::new(),
        },
        Action::Copy => {
            let arn = if machines {
                lists.selected_machine().map(|m| m.arn.clone())
            } else {
                lists.selected().map(|e| e.arn.clone())
            };
            arn.map(|arn| Wish::Do(Effect::Copy(arn))).into_iter().collect()
        }
        Action::Browse => {
            let arn = if machines {
                lists.selected_machine().map(|m| m.arn.clone())
            } else {
                lists.selected().map(|e| e.arn.clone())
            };
            arn.map(|arn| Wish::Do(Effect::OpenUrl(on_run::url(world, &arn)))).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn open_selected(model: &Model) -> Vec<Wish> {
    let arn = match model.spot {
        Spot::Machines => model.lists.selected_machine().map(|machine| machine.arn.clone()),
        _ => model.lists.selected().map(|execution| execution.arn.clone()),
    };
    arn.map(|arn| Wish::Open(Route::new(Screen::Workflows).object(arn))).into_iter().collect()
}

fn clicked(model: &mut Model, world: &mut World, at: Position, body: Rect) -> Vec<Wish> {
    let area = table_area(body);
    match model.spot {
        Spot::Start => {
            if let Some(form) = &mut model.form {
                form.click(body, at);
            }
            Vec::new()
        }
        Spot::Machines | Spot::Executions => {
            let machines = model.spot == Spot::Machines;
            let len = if machines { model.lists.machine_rows().len() } else { model.lists.rows().len() };
            let cursor = if machines { &mut model.lists.machines_cursor } else { &mut model.lists.cursor };
            match table::row_at(area, *cursor, len, at) {
                Some(row) if row == cursor.selected => open_selected(model),
                Some(row) => {
                    cursor.selected = row;
                    Vec::new()
                }
                None => Vec::new(),
            }
        }
        Spot::Execution => {
            if let Some(run) = &mut model.run {
                on_run::clicked(run, world, at, body);
            }
            Vec::new()
        }
    }
}

fn wheeled(model: &mut Model, world: &mut World, at: Position, by: isize, body: Rect) -> Vec<Wish> {
    let area = table_area(body);
    match model.spot {
        Spot::Start => {
            if let Some(form) = &mut model.form {
                form.input.wheel(by, (body.width, body.height));
            }
            Vec::new()
        }
        Spot::Machines => {
            let len = model.lists.machine_rows().len();
            model.lists.machines_cursor.wheel(by, len, table::page(area));
            Vec::new()
        }
        Spot::Executions => {
            let len = model.lists.rows().len();
            model.lists.cursor.wheel(by, len, table::page(area));
            model.lists.look(world, area)
        }
        Spot::Execution => {
            if let Some(run) = &mut model.run {
                let right =
                    areas::panes(body, run.pane == Pane::Inspector).detail.is_some_and(|d| d.contains(at));
                for _ in 0..by.unsigned_abs() {
                    let action = if by < 0 { Action::Up } else { Action::Down };
                    if right {
                        let area = run.document_area(world);
                        run.document.act(action, area);
                    } else {
                        run.act(world, action);
                    }
                }
            }
            Vec::new()
        }
    }
}

fn replied(
    model: &mut Model,
    world: &mut World,
    ticket: Ticket,
    answer: &Result<Reply, Problem>,
    area: Rect,
) -> Vec<Wish> {
    let first = model.lists.machines.awaits(ticket);
    if let Some(mut wishes) = model.lists.replied(world, ticket, answer, area) {
        if first && model.spot == Spot::Executions && model.lists.machine.is_none() {
            wishes.extend(usual(model, world));
        }
        return wishes;
    }
    if let Some(wishes) = model.run.as_mut().and_then(|run| run.replied(world, ticket, answer)) {
        return wishes;
    }
    if model.starting.awaits(ticket) {
        let arn = read(answer, |reply| match reply {
            Reply::Started(arn) => Some(arn.clone()),
            _ => None,
        });
        model.starting.accept(ticket, arn.clone(), world.now);
        return match arn {
            Ok(arn) => {
                model.form = None;
                model.spot = if model.spot == Spot::Start { Spot::Executions } else { model.spot };
                vec![Wish::Open(Route::new(Screen::Workflows).object(arn))]
            }
            Err(problem) => vec![Wish::Blame(problem)],
        };
    }
    if model.doing.awaits(ticket) {
        let done = read(answer, |reply| matches!(reply, Reply::Done).then_some(()));
        model.doing.accept(ticket, done.clone(), world.now);
        if let Err(problem) = done {
            return vec![Wish::Blame(problem)];
        }
        let mut wishes = Vec::new();
        if let Some(run) = &mut model.run {
            run.ended = false;
            run.follow = true;
            wishes.extend(run.ask(world));
        }
        if let Some(machine) = model.lists.machine.clone() {
            wishes.push(model.lists.ask_executions(world, &machine));
        }
        return wishes;
    }
    Vec::new()
}

fn happened(model: &mut Model, world: &mut World, happening: Happening) -> Vec<Wish> {
    let Some(run) = &mut model.run else { return Vec::new() };
    match happening {
        Happening::Events(arn, events) if arn == run.arn => {
            let before = run.is_over();
            run.happened(world, &events);
            if !before && run.is_over() {
                // Its output, and its line in the list.
                let mut wishes = run.ask(world);
                if let Some(machine) = model.lists.machine.clone() {
                    wishes.push(model.lists.ask_executions(world, &machine));
                }
                return wishes;
            }
            Vec::new()
        }
        Happening::Ended(Sub::Execution(arn), problem) if arn == run.arn => run.stream_ended(problem),
        _ => Vec::new(),
    }
}

fn confirmed(model: &mut Model, world: &mut World, request: Request) -> Vec<Wish> {
    match request {
        Request::StartExecution { .. } => vec![world.ask(Screen::Workflows, &mut model.starting, request)],
        Request::StopExecution { .. } | Request::RedriveExecution { .. } => {
            vec![world.ask(Screen::Workflows, &mut model.doing, request)]
        }
        _ => Vec::new(),
    }
}

/// Which view a click on the tabs means.
pub(super) fn view_at(area: Rect, at: Position) -> Option<View> {
    let mut x = area.x;
    for view in View::ALL {
        let width = view.title().len() as u16;
        if at.y == area.y + 1 && (x..x + width).contains(&at.x) {
            return Some(view);
        }
        x += width + 2;
    }
    None
}
