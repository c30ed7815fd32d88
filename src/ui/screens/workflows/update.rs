//! What each fact does to the screen.

use ratatui::layout::Rect;

use crate::domain::problem::Problem;
use crate::ui::action::Action;
use crate::ui::effect::{Effect, Reply, Request, Wish};
use crate::ui::msg::Happening;
use crate::ui::overlays::pick::Question;
use crate::ui::remote::Ticket;
use crate::ui::route::{Route, Screen};
use crate::ui::screens::Msg;
use crate::ui::screens::workflows::lists::read;
use crate::ui::screens::workflows::lists_view::table_area;
use crate::ui::screens::workflows::run::Run;
use crate::ui::screens::workflows::{Model, Spot, acts, on_board, on_lists, on_run, pointer, start};
use crate::ui::subs::Sub;
use crate::ui::widgets::line::Line;
use crate::ui::widgets::table;
use crate::ui::world::World;

pub fn update(model: &mut Model, world: &mut World, msg: Msg) -> Vec<Wish> {
    let body = world.body();
    let listed = table_area(body);
    match msg {
        Msg::Began => Vec::new(),
        Msg::Opened(route) => opened(model, world, &route, listed),
        Msg::Did(action) => did(model, world, action, listed),
        Msg::Typed(key) => {
            match (model.spot, &mut model.form, &mut model.run) {
                (Spot::Start, Some(_), _) => return start::typed(model, world, key),
                (Spot::Execution, _, Some(run)) => {
                    run.search.key(key);
                }
                _ => {
                    if model.lists.filter.key(key) {
                        filtered(model, world);
                    }
                }
            }
            Vec::new()
        }
        Msg::Pasted(text) => {
            match (model.spot, &mut model.form, &mut model.run) {
                (Spot::Start, Some(form), _) => form.paste(&text, body),
                (Spot::Execution, _, Some(run)) if run.searching => run.search.insert(&text),
                _ if model.lists.filtering => {
                    model.lists.filter.insert(&text);
                    filtered(model, world);
                }
                _ => {}
            }
            Vec::new()
        }
        Msg::Clicked(at) => pointer::clicked(model, world, at, body),
        Msg::Wheeled(at, by) => pointer::wheeled(model, world, at, by, body),
        Msg::Replied(ticket, answer) => replied(model, world, ticket, &answer, listed),
        Msg::Progressed(ticket, done, total) => {
            model.lists.executions.progressed(ticket, done, total);
            Vec::new()
        }
        Msg::Happened(happening) => happened(model, world, happening),
        Msg::Confirmed(request) => confirmed(model, world, request),
        Msg::Answered(question, answer) => answered(model, world, &question, &answer, listed),
        Msg::Ticked => ticked(model, world),
        Msg::Resized | Msg::Changed => {
            if let Some(run) = &mut model.run {
                run.settle(world);
            }
            match model.spot {
                Spot::Executions => model.lists.look(world, listed),
                _ => Vec::new(),
            }
        }
    }
}

fn filtered(model: &mut Model, world: &World) {
    model.lists.cursor = table::Cursor::default();
    model.lists.machines_cursor = table::Cursor::default();
    model.lists.arrange(world);
}

fn ticked(model: &mut Model, world: &mut World) -> Vec<Wish> {
    match model.spot {
        Spot::Execution => {
            let Some(run) = &mut model.run else { return Vec::new() };
            run.flashes.retain(|_, at| world.now - *at < crate::ui::widgets::graph::FLASH);
            if run.is_over() {
                return run.ask_counts(world);
            }
            let mut wishes = run.tick(world);
            wishes.extend(run.ask_logged(world));
            wishes
        }
        Spot::Board => on_board::tick(model, world),
        _ => model.lists.tick(world),
    }
}

fn opened(model: &mut Model, world: &mut World, route: &Route, listed: Rect) -> Vec<Wish> {
    let mut wishes = Vec::new();
    if model.lists.machines.value().is_none() && !model.lists.machines.is_waiting() {
        wishes.push(model.lists.ask_machines(world));
    }
    if let Some(filter) = &route.filter {
        model.lists.filter = Line::new(filter.clone());
        model.lists.arrange(world);
    }
    match route.object.as_deref() {
        Some("machines") => {
            model.spot = Spot::Machines;
            wishes.extend(model.lists.look_at_machines(world, listed));
        }
        Some("board") => wishes.extend(on_board::open(model, world)),
        Some(arn) if arn.contains(":execution:") || arn.contains(":express:") => {
            wishes.extend(open_run(model, world, arn));
        }
        Some(arn) if arn.contains(":stateMachine:") || arn.contains(":mapRun:") => {
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

fn open_run(model: &mut Model, world: &mut World, arn: &str) -> Vec<Wish> {
    let mut wishes = Vec::new();
    model.spot = Spot::Execution;
    let run = match &mut model.run {
        Some(run) if run.arn == arn => run,
        other => other.insert(Run::new(arn)),
    };
    if run.stream.take().is_some() {
        run.ended = false;
    }
    // What a stream of another place has brought already does not come again.
    if let Some(known) = model.board.known(arn).filter(|_| run.timeline.is_empty()) {
        run.timeline = known.clone();
    }
    if run.is_express() {
        run.read_anew(model.starting.value().is_some_and(|started| started == arn));
        if let Some(known) = model.lists.express.get(arn).filter(|_| run.timeline.is_empty()) {
            run.timeline = known.clone();
        }
    }
    wishes.extend(run.ask(world));
    let machine = run.machine_arn();
    run.go_along(world);
    wishes.extend(run.investigate(world));
    if model.lists.machine.is_none() && !run.is_express() {
        wishes.push(model.lists.ask_executions(world, &machine));
    }
    wishes
}

/// Lists the executions of the machine that was listed before, or of the usual one.
pub(super) fn usual(model: &mut Model, world: &mut World) -> Option<Wish> {
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
    match (model.spot, action) {
        (Spot::Start, _) => start::did(model, world, action),
        (_, Action::Board) => vec![Wish::Open(Route::new(Screen::Workflows).object("board"))],
        (Spot::Board, Action::Back) => vec![Wish::Back],
        (Spot::Board, Action::Refresh) => on_board::open(model, world),
        (Spot::Board, Action::Stop) => {
            model.board.selected().map(|arn| acts::ask_cause(&arn)).unwrap_or_default()
        }
        (Spot::Board, _) => model.board.act(world, action),
        (Spot::Execution, _) => on_run::did(model, world, action),
        (Spot::Machines | Spot::Executions, _) => on_lists::did(model, world, action, area),
    }
}

fn answered(
    model: &mut Model,
    world: &mut World,
    question: &Question,
    answer: &str,
    area: Rect,
) -> Vec<Wish> {
    match question {
        Question::Stop { arn } => acts::stop(arn, answer),
        Question::Answer { state, token } => acts::answer(state, token, answer),
        Question::Other(acts::ITEM) => {
            model.run.as_mut().map(|run| run.choose_item(world, answer)).unwrap_or_default()
        }
        Question::Other(acts::RELATED) => {
            Route::parse(answer).map(|route| vec![Wish::Open(route)]).unwrap_or_default()
        }
        Question::Other(acts::FILE) => {
            let request = Request::ReadFile { path: answer.to_owned() };
            vec![world.ask(Screen::Workflows, &mut model.file, request)]
        }
        Question::Other(acts::STATUS | acts::RELEASE) | Question::Since => {
            on_lists::answered(model, world, question, answer, area)
        }
        _ => vec![Wish::Do(Effect::Copy(answer.to_owned()))],
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
        if first {
            wishes.extend(match model.spot {
                Spot::Executions if model.lists.machine.is_none() => {
                    usual(model, world).into_iter().collect()
                }
                Spot::Machines => model.lists.look_at_machines(world, area),
                Spot::Board => on_board::open(model, world),
                // Only now it is known to have no history.
                Spot::Executions if model.lists.is_express() && model.lists.log_group.is_none() => {
                    usual(model, world).into_iter().collect()
                }
                _ => Vec::new(),
            });
        }
        return wishes;
    }
    if model.board.replied(world, ticket, answer) {
        return Vec::new();
    }
    if let Some(run) = &mut model.run
        && let Some(mut wishes) = run.replied(world, ticket, answer)
    {
        wishes.extend(run.ask_logged(world));
        wishes.extend(run.inquire(world));
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
    if model.file.awaits(ticket) {
        let text = read(answer, |reply| match reply {
            Reply::Text(text) => Some(text.clone()),
            _ => None,
        });
        model.file.accept(ticket, text.clone().map(|_| ()), world.now);
        return match (text, &mut model.form) {
            (Ok(text), Some(form)) => {
                form.fill(&text);
                Vec::new()
            }
            (Err(problem), _) => vec![Wish::Blame(problem)],
            _ => Vec::new(),
        };
    }
    if model.doing.awaits(ticket) {
        return done(model, world, ticket, answer);
    }
    Vec::new()
}

/// A stop, a redrive or an answer arrived: what it changed is asked for.
fn done(model: &mut Model, world: &mut World, ticket: Ticket, answer: &Result<Reply, Problem>) -> Vec<Wish> {
    let done = read(answer, |reply| matches!(reply, Reply::Done).then_some(()));
    model.doing.accept(ticket, done.clone(), world.now);
    if let Err(problem) = done {
        return vec![Wish::Blame(problem)];
    }
    let mut wishes = Vec::new();
    if let Some(run) = model.run.as_mut().filter(|_| model.spot == Spot::Execution) {
        run.ended = false;
        run.follow = true;
        wishes.extend(run.ask(world));
    }
    if let Some(machine) = model.lists.machine.clone() {
        wishes.push(model.lists.ask_executions(world, &machine));
    }
    wishes
}

fn happened(model: &mut Model, world: &mut World, happening: Happening) -> Vec<Wish> {
    match happening {
        Happening::Events(arn, events) => {
            let mine = model.run.as_ref().is_some_and(|run| run.arn == arn);
            let mut wishes = Vec::new();
            if !mine || model.spot == Spot::Board || model.board.is_watched(&arn) {
                wishes.extend(model.board.happened(&arn, &events));
            }
            if let Some(run) = model.run.as_mut().filter(|_| mine) {
                let before = run.is_over();
                run.happened(world, &events);
                wishes.extend(run.ask_counts(world));
                wishes.extend(run.ask_followed(world));
                if run.timeline.is_over() {
                    wishes.extend(run.investigate(world));
                }
                if !before && run.is_over() {
                    // Its output, and its line in the list.
                    wishes.extend(run.ask(world));
                    if let Some(machine) = model.lists.machine.clone() {
                        wishes.push(model.lists.ask_executions(world, &machine));
                    }
                }
            }
            wishes
        }
        Happening::Interrupted(Sub::Execution(arn), problem) => {
            if let Some(run) = model.run.as_mut().filter(|run| run.arn == arn) {
                run.interrupted = Some((world.now, problem));
            }
            Vec::new()
        }
        Happening::Ended(Sub::Execution(arn), problem) => {
            match model.run.as_mut().filter(|run| run.arn == arn) {
                Some(run) => run.stream_ended(problem),
                None => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

fn confirmed(model: &mut Model, world: &mut World, request: Request) -> Vec<Wish> {
    match request {
        Request::StartExecution { .. } => vec![world.ask(Screen::Workflows, &mut model.starting, request)],
        Request::StopExecution { .. }
        | Request::RedriveExecution { .. }
        | Request::SendTaskSuccess { .. }
        | Request::SendTaskFailure { .. } => {
            vec![world.ask(Screen::Workflows, &mut model.doing, request)]
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
