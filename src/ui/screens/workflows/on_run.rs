//! Actions on one execution.

use ratatui::layout::{Position, Rect};

use crate::domain::execution::Status;
use crate::ui::action::Action;
use crate::ui::areas;
use crate::ui::effect::{Effect, Request, Wish};
use crate::ui::overlays::confirm::Confirm;
use crate::ui::overlays::pick::{Item, Pick, Question};
use crate::ui::route::Screen;
use crate::ui::screens::workflows::inspect::{self, Tab};
use crate::ui::screens::workflows::run::{Pane, Run, View};
use crate::ui::screens::workflows::update::{open_form, view_at};
use crate::ui::screens::workflows::{Model, start};
use crate::ui::world::World;

pub fn did(model: &mut Model, world: &mut World, action: Action) -> Vec<Wish> {
    let Some(run) = &mut model.run else { return vec![Wish::Back] };
    if run.searching {
        return searching(run, world, action);
    }
    let said = |text: &str| vec![Wish::Say(text.to_owned())];
    match action {
        Action::NextPane | Action::PreviousPane => {
            run.pane = if run.pane == Pane::Main { Pane::Inspector } else { Pane::Main };
            run.settle(world);
        }
        Action::Open if run.pane == Pane::Main => {
            run.pane = Pane::Inspector;
            run.settle(world);
        }
        Action::Open | Action::Fold => {
            let area = run.document_area(world);
            run.document.act(Action::Fold, area);
        }
        Action::Back if run.pane == Pane::Inspector => {
            run.pane = Pane::Main;
            run.settle(world);
        }
        Action::Back => return vec![Wish::Back],
        Action::Left | Action::Right if run.pane == Pane::Inspector => {
            let tabs = inspect::tabs(run);
            let at = tabs.iter().position(|tab| *tab == run.tab).unwrap_or(0);
            let to = if action == Action::Right { at + 1 } else { at + tabs.len() - 1 };
            return show_tab(run, world, tabs[to % tabs.len()]);
        }
        Action::Right | Action::NextView => turn(run, world, 1),
        Action::Left | Action::PreviousView => turn(run, world, View::ALL.len() - 1),
        Action::Follow => {
            run.follow = !run.follow;
            run.go_along(world);
            return said(if run.follow { "Following what runs" } else { "Staying here" });
        }
        Action::Filter => run.searching = true,
        Action::NextMatch | Action::PreviousMatch => return find(run, world, action == Action::NextMatch),
        Action::Refresh => {
            run.ended = false;
            run.stream = None;
            return run.ask(world);
        }
        Action::Stop if run.is_over() => return said("It is over: there is nothing to stop"),
        Action::Stop => return stop(&run.arn.clone(), run.name()),
        Action::Redrive => return redrive(run),
        Action::Again | Action::Start => {
            let machine = run.machine_arn();
            let input = run.timeline.input().map(String::from);
            let input = input.or_else(|| run.execution.value().and_then(|execution| execution.input.clone()));
            return match (action, input) {
                (Action::Again, Some(input)) => again(world, &machine, &input),
                (Action::Again, None) => said("Its input is not known yet"),
                (_, input) => open_form(model, world, &machine, input.as_deref()),
            };
        }
        Action::Copy if run.pane == Pane::Inspector => {
            return vec![Wish::Do(Effect::Copy(run.document.value()))];
        }
        Action::Copy => return vec![Wish::Do(Effect::Copy(run.arn.clone()))],
        Action::CopyMore => return vec![Wish::Pick(copies(run, world))],
        Action::Browse => return vec![Wish::Do(Effect::OpenUrl(url(world, &run.arn)))],
        _ if run.pane == Pane::Inspector => {
            let area = run.document_area(world);
            run.document.act(action, area);
        }
        _ => {
            run.act(world, action);
            return ask_log(run, world);
        }
    }
    Vec::new()
}

fn searching(run: &mut Run, world: &World, action: Action) -> Vec<Wish> {
    match action {
        Action::Accept => {
            run.searching = false;
            find(run, world, true)
        }
        Action::Back => {
            run.searching = false;
            run.search.clear();
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// In the events when they are in front and have the focus, else in the inspector.
fn find(run: &mut Run, world: &World, forward: bool) -> Vec<Wish> {
    if run.search.is_empty() {
        return Vec::new();
    }
    let found = if run.view == View::Events && run.pane == Pane::Main {
        run.find_event(world, forward)
    } else {
        let area = run.document_area(world);
        let needle = run.search.text().to_owned();
        run.document.find(&needle, forward, area)
    };
    if found { Vec::new() } else { vec![Wish::Say(format!("Nothing contains {}", run.search.text()))] }
}

fn turn(run: &mut Run, world: &World, by: usize) {
    let at = View::ALL.iter().position(|view| *view == run.view).unwrap_or(0);
    run.view = View::ALL[(at + by) % View::ALL.len()];
    run.offset = 0;
    if run.view == View::Events && run.event.is_none() {
        run.event = run.timeline.events().next_back().map(|event| event.id);
    }
    run.settle(world);
}

fn show_tab(run: &mut Run, world: &mut World, tab: Tab) -> Vec<Wish> {
    run.tab = tab;
    run.settle(world);
    ask_log(run, world)
}

/// The function's lines that name this execution, once they are looked at.
fn ask_log(run: &mut Run, world: &mut World) -> Vec<Wish> {
    let Some(started) = run.started().filter(|_| run.tab == Tab::Log) else { return Vec::new() };
    if run.log.value().is_some() && run.is_over() || run.log.is_waiting() {
        return Vec::new();
    }
    let request = Request::Lines {
        group: format!("/aws/lambda/{}", world.setup.function),
        minutes: (world.now - started).num_minutes() + 2,
        pattern: Some(format!("\"{}\"", run.name())),
    };
    vec![world.ask(Screen::Workflows, &mut run.log, request)]
}

/// Asks before an execution is stopped, on every target: it cannot be undone.
pub fn stop(arn: &str, name: &str) -> Vec<Wish> {
    let request = Request::StopExecution {
        arn: arn.to_owned(),
        error: "Stopped".to_owned(),
        cause: "Stopped from ward".to_owned(),
    };
    vec![Wish::Confirm(
        Confirm::new("Stop this execution?", "Stop", request)
            .line(name)
            .line("What it started elsewhere, such as a query, goes on.")
            .always(),
    )]
}

fn redrive(run: &Run) -> Vec<Wish> {
    if !matches!(run.status(), Some(Status::Failed | Status::TimedOut | Status::Aborted)) {
        return vec![Wish::Say("Only what failed, timed out or was stopped can be redriven".to_owned())];
    }
    let from = run.timeline.visits().iter().rfind(|visit| visit.standing.is_bad());
    let from = from.map_or_else(|| "where it stopped".to_owned(), |visit| visit.name.clone());
    let request = Request::RedriveExecution { arn: run.arn.clone() };
    vec![Wish::Confirm(
        Confirm::new("Redrive this execution?", "Redrive", request)
            .line(run.name())
            .line(format!("It goes on from {from}.")),
    )]
}

/// A new execution with the same input.
pub fn again(world: &World, machine_arn: &str, input: &str) -> Vec<Wish> {
    let name = start::name_for(world.now);
    let line = format!("{} as {name}", machine_arn.rsplit(':').next().unwrap_or_default());
    let request = Request::StartExecution {
        machine_arn: machine_arn.to_owned(),
        name: Some(name),
        input: input.to_owned(),
    };
    vec![Wish::Confirm(
        Confirm::new("Start again with the same input?", "Start", request)
            .line(line)
            .line(format!("input {input}")),
    )]
}

/// The AWS web console's page of an execution or state machine.
pub fn url(world: &World, arn: &str) -> String {
    let region = &world.setup.region;
    let page = if arn.contains(":execution:") { "v2/executions/details" } else { "statemachines/view" };
    format!("https://{region}.console.aws.amazon.com/states/home?region={region}#/{page}/{arn}")
}

fn copies(run: &Run, world: &World) -> Pick {
    let mut items = vec![
        Item::new(run.arn.clone(), "Execution ARN", ""),
        Item::new(run.name().to_owned(), "Execution name", ""),
        Item::new(run.machine_arn(), "State machine ARN", ""),
        Item::new(
            format!(
                "aws stepfunctions describe-execution --region {} --execution-arn {}",
                world.setup.region, run.arn
            ),
            "AWS CLI command",
            "describe-execution",
        ),
        Item::new(url(world, &run.arn), "Link to the AWS web console", ""),
    ];
    let texts = [("Input", run.timeline.input()), ("Output", run.timeline.output())];
    items
        .extend(texts.into_iter().filter_map(|(label, text)| Some(Item::new(text?.into_owned(), label, ""))));
    if let Some(cause) = run.timeline.root_cause() {
        let text = [Some(cause.state), cause.error, cause.cause]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("\n");
        items.push(Item::new(text, "Root cause", ""));
    }
    Pick::among("Copy", Question::CopyMore, items)
}

pub fn clicked(run: &mut Run, world: &World, at: Position, body: Rect) {
    let panes = areas::panes(body, run.pane == Pane::Inspector);
    if panes.detail.is_some_and(|area| area.contains(at)) {
        run.pane = Pane::Inspector;
        let area = run.document_area(world);
        run.document.click(area, at);
        return;
    }
    let Some(area) = panes.list.filter(|area| area.contains(at)) else { return };
    run.pane = Pane::Main;
    if let Some(view) = view_at(area, at) {
        run.view = view;
        run.offset = 0;
        run.settle(world);
        return;
    }
    let main = run.main_area(world);
    if main.contains(at) {
        run.click(world, usize::from(at.y - main.y));
    }
}
