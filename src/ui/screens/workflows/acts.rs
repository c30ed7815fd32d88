//! What can be done to an execution, what of it can be copied, and where it leads.

use crate::domain::execution::{Status, machine_of, name_of, qualified_name};
use crate::domain::json::compact;
use crate::ui::effect::{Effect, Request, Wish};
use crate::ui::overlays::confirm::Confirm;
use crate::ui::overlays::pick::{Item, Pick, Question};
use crate::ui::route::{Route, Screen};
use crate::ui::screens::workflows::run::{Pane, Run};
use crate::ui::screens::workflows::start;
use crate::ui::world::World;

/// The words of this screen's own questions.
pub const RELATED: &str = "related";
pub const ITEM: &str = "item";
pub const FILE: &str = "file";
pub const STATUS: &str = "status";
pub const RELEASE: &str = "release";

/// Why neither is offered for express executions.
pub const EXPRESS_ENDS: &str =
    "Express executions can be neither stopped nor watched; they end within five minutes";

fn said(text: impl Into<String>) -> Vec<Wish> {
    vec![Wish::Say(text.into())]
}

/// Asks why, before an execution is stopped: the cause stays with it. The question carries the execution:
/// what is selected may be another one by the time of the answer.
pub fn ask_cause(arn: &str) -> Vec<Wish> {
    let examples = ["Stopped from ward", "Wrong input", "Takes too long", "Started by mistake"];
    let items = examples.into_iter().map(|text| Item::new(text, text, "")).collect();
    let question = Question::Stop { arn: arn.to_owned() };
    let title = format!("Stop {}: why?", name_of(arn));
    vec![Wish::Pick(Pick::text(title, question, "Stopped from ward", items))]
}

/// Asks before an execution is stopped, on every target: it cannot be undone.
pub fn stop(arn: &str, cause: &str) -> Vec<Wish> {
    let cause = if cause.is_empty() { "Stopped from ward" } else { cause };
    let request =
        Request::StopExecution { arn: arn.to_owned(), error: "Stopped".to_owned(), cause: cause.to_owned() };
    vec![Wish::Confirm(
        Confirm::new("Stop this execution?", "Stop", request)
            .line(name_of(arn))
            .line(format!("of {}", machine_of(arn)))
            .line(format!("cause: {cause}"))
            .line("What it started elsewhere, such as a query, goes on.")
            .always(),
    )]
}

pub fn redrive(run: &Run) -> Vec<Wish> {
    match run.status() {
        Some(Status::Failed | Status::TimedOut | Status::Aborted) => {}
        _ => return said("Only what failed, timed out or was stopped can be redriven"),
    }
    if run.arn.contains(":express:") {
        return said("Express executions cannot be redriven: start it again");
    }
    let request = Request::RedriveExecution { arn: run.arn.clone() };
    let mut confirm = Confirm::new("Redrive this execution?", "Redrive", request).line(run.name());
    // A Fail state is passed again only when something before it goes otherwise.
    let unsuccessful = run.timeline.visits().iter().rfind(|visit| {
        visit.exited_event.is_none() && visit.scope.is_none() && visit.standing.is_ended_badly()
    });
    let from = unsuccessful.map_or_else(|| "where it stopped".to_owned(), |visit| visit.name.clone());
    confirm = confirm.line(format!("It goes on from {from}, with the input that it had there."));
    vec![Wish::Confirm(confirm)]
}

/// A new execution with the same input.
pub fn again(world: &World, machine_arn: &str, input: &str) -> Vec<Wish> {
    let name = start::name_for(world.now);
    let line = format!("{} as {name}", qualified_name(machine_arn));
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

/// Asks what a waiting task is answered. The question carries the task: while it is open, the selection may
/// follow what happens to another one.
pub fn ask_answer(run: &Run) -> Vec<Wish> {
    let Some((state, token)) = run.state.clone().zip(run.token()) else {
        return said(
            "The selected state does not wait for an answer (or its token is not in its parameters)",
        );
    };
    let items = vec![
        Item::new("{}", "Success with an empty object", ""),
        Item::new("fail", "Failure: fail ERROR: the cause", ""),
    ];
    let title = format!("Answer {state}: JSON for success, or fail ERROR: cause");
    vec![Wish::Pick(Pick::text(title, Question::Answer { state, token }, "{}", items))]
}

/// Reads the answer: JSON is a success, `fail Name: cause` a failure.
pub fn answer(state: &str, token: &str, text: &str) -> Vec<Wish> {
    let (state, token) = (state.to_owned(), token.to_owned());
    let told = text.strip_prefix("fail").filter(|rest| rest.is_empty() || rest.starts_with([' ', ':']));
    if let Some(rest) = told {
        let (error, cause) = rest.trim().split_once(':').unwrap_or((rest.trim(), "Answered from ward"));
        let error = if error.trim().is_empty() { "TaskFailed" } else { error.trim() };
        let request =
            Request::SendTaskFailure { token, error: error.to_owned(), cause: cause.trim().to_owned() };
        let confirm = Confirm::new("Fail the waiting task?", "Fail", request)
            .line(format!("{state} fails with {error}: {}", cause.trim()));
        return vec![Wish::Confirm(confirm.always())];
    }
    if let Err(error) = serde_json::from_str::<serde_json::Value>(text) {
        let title = format!("Answer {state}");
        let pick = Pick::text(title, Question::Answer { state, token }, text, Vec::new());
        return vec![Wish::Pick(pick.error(format!("Not JSON: {error}")))];
    }
    let request = Request::SendTaskSuccess { token, output: compact(text) };
    let confirm = Confirm::new("Answer the waiting task?", "Answer", request)
        .line(format!("{state} succeeds with {}", compact(text)));
    vec![Wish::Confirm(confirm)]
}

/// The AWS web console's page of an execution or state machine.
pub fn url(world: &World, arn: &str) -> String {
    let region = &world.setup.region;
    let page = if arn.contains(":execution:") { "v2/executions/details" } else { "statemachines/view" };
    format!("https://{region}.console.aws.amazon.com/states/home?region={region}#/{page}/{arn}")
}

pub fn copies(run: &Run, world: &World) -> Pick {
    let mut items = Vec::new();
    if run.pane == Pane::Inspector {
        items.push(Item::new(run.document.path(), "Path of the value", run.document.path()));
        items.push(Item::new(run.document.value(), "The value", ""));
        items.push(Item::new(run.document.text().to_owned(), "The whole document", ""));
    }
    if run.failed() {
        items.push(Item::new(run.story.incident.markdown(), "What went wrong, as Markdown", ""));
    }
    items.extend([
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
    ]);
    let texts = [("Input", run.timeline.input()), ("Output", run.timeline.output())];
    items
        .extend(texts.into_iter().filter_map(|(label, text)| Some(Item::new(text?.into_owned(), label, ""))));
    Pick::among("Copy", Question::CopyMore, items)
}

/// Where the selected state and the execution lead.
pub fn related(run: &Run, world: &World) -> Vec<Wish> {
    let mut items = Vec::new();
    let mut place = |route: Route, label: &str, note: &str| {
        items.push(Item::new(route.to_string(), label, note.rsplit(':').next().unwrap_or(note)));
    };
    let on = |screen: Screen, object: &str| Route::new(screen).object(object);
    if let Some(visit) = run.visit_index() {
        if let Some(child) = run.timeline.child(visit) {
            place(on(Screen::Workflows, &child), "The execution that this state started", &child);
        }
        if let Some(map_run) = run.map_run() {
            place(on(Screen::Workflows, &map_run), "The child executions of this map", &map_run);
        }
        if let Some(function) = run.timeline.function(visit)
            && function == world.setup.function
        {
            let route = Route::new(Screen::Activity);
            place(route, "The function's invocations and log", &function);
        }
    }
    if let Some(query) = run.timeline.query_id(run.visit_index()) {
        place(on(Screen::Queries, &query), "The Athena query", &query);
    }
    if let Some(parent) = run.timeline.parent() {
        place(on(Screen::Workflows, &parent), "The execution that started this one", &parent);
    }
    place(
        on(Screen::Workflows, &run.machine_arn()),
        "The executions of the state machine",
        &run.machine_arn(),
    );
    vec![Wish::Pick(Pick::among("Go to", Question::Other(RELATED), items))]
}

/// The story, on the clipboard.
pub fn copy_report(run: &Run) -> Vec<Wish> {
    if !run.failed() || run.story.incident.parts.is_empty() {
        return said("Nothing went wrong here, so there is nothing to report");
    }
    vec![Wish::Do(Effect::Copy(run.story.incident.markdown()))]
}
