//! The inspector: what is known of the selected state or event.

use std::fmt::Write as _;
use std::ops::Range;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::domain::difference;
use crate::domain::invocation::brief;
use crate::domain::json::Tree;
use crate::domain::log::LogLine;
use crate::domain::timeline::{Outcome, Visit, message, plain_words};
use crate::domain::units;
use crate::ui::remote::Remote;
use crate::ui::screens::workflows::run::{Run, View};
use crate::ui::widgets::graph::shape::definition_of;
use crate::ui::world::World;

/// What the inspector shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    Error,
    #[default]
    Input,
    Output,
    /// Output against input.
    Changes,
    Variables,
    Definition,
    Attempts,
    /// Counts of a Distributed Map's run.
    MapRun,
    Log,
}

impl Tab {
    pub fn title(self) -> &'static str {
        match self {
            Tab::Error => "Error",
            Tab::Input => "Input",
            Tab::Output => "Output",
            Tab::Changes => "Diff",
            Tab::Variables => "Variables",
            Tab::Definition => "Definition",
            Tab::Attempts => "Attempts",
            Tab::MapRun => "Map run",
            Tab::Log => "Log",
        }
    }
}

/// The tabs that the selection has.
pub fn tabs(run: &Run) -> Vec<Tab> {
    if run.view == View::Events {
        return vec![Tab::Input];
    }
    let visit = run.visit();
    let mut tabs = Vec::new();
    if visit.is_some_and(|visit| visit.error.is_some()) || is_cause(run) {
        tabs.push(Tab::Error);
    }
    tabs.extend([Tab::Input, Tab::Output]);
    if visit.is_some_and(|visit| visit.exited_event.is_some()) {
        tabs.push(Tab::Changes);
    }
    if visit.is_some_and(|visit| run.timeline.has_variables(visit)) {
        tabs.push(Tab::Variables);
    }
    tabs.push(Tab::Definition);
    if visit.is_some_and(|visit| !visit.attempts.is_empty()) {
        tabs.push(Tab::Attempts);
    }
    if visit.is_some_and(|visit| visit.map_run.is_some()) {
        tabs.push(Tab::MapRun);
    }
    if visit.is_some_and(calls_function) {
        tabs.push(Tab::Log);
    }
    tabs
}

/// Which tabs show in a width: all, or those around the present one and the next. A mark of two columns
/// stands where some are left out.
pub fn in_sight(tabs: &[Tab], present: Tab, width: u16) -> Range<usize> {
    let width = usize::from(width);
    let at = tabs.iter().position(|tab| *tab == present).unwrap_or(0);
    let wide = |tabs: &[Tab]| tabs.iter().map(|tab| tab.title().len() + 2).sum::<usize>().saturating_sub(2);
    let from = |skip: usize| {
        let used = if skip > 0 { 2 } else { 0 };
        let fits = |end: &usize| {
            let mark = if *end < tabs.len() { 2 } else { 0 };
            used + wide(&tabs[skip..*end]) + mark <= width
        };
        skip..(skip + 1..=tabs.len()).rev().find(fits).unwrap_or(skip + 1).min(tabs.len())
    };
    let wanted = |last: usize| (0..=at).map(from).find(|range| range.contains(&last) && range.contains(&at));
    wanted((at + 1).min(tabs.len().saturating_sub(1))).or_else(|| wanted(at)).unwrap_or(at..at + 1)
}

/// Whether the selected state is where the failure began.
fn is_cause(run: &Run) -> bool {
    let cause = run.timeline.root_cause();
    cause.is_some_and(|cause| cause.error.is_some() && Some(cause.state.as_str()) == run.state.as_deref())
}

/// Whether a visit called a Lambda function.
pub fn calls_function(visit: &Visit) -> bool {
    let lambda = |resource: &str| resource.contains(":lambda:") || resource.starts_with("invoke");
    visit.attempts.iter().any(|attempt| attempt.resource.as_deref().is_some_and(lambda))
}

/// What a text of the history is made of: ids of events, which never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Event(i64),
    Input(i64),
    Output(i64),
    Changes(i64, i64),
}

/// What the text under the present tab is made of; `None` when that may change.
pub fn source(run: &Run) -> Option<Source> {
    if run.view == View::Events {
        return run.event.map(Source::Event);
    }
    let visit = run.visit()?;
    match run.tab {
        Tab::Input => Some(Source::Input(visit.entered_event)),
        Tab::Output => Some(Source::Output(visit.exited_event?)),
        Tab::Changes => Some(Source::Changes(visit.entered_event, visit.exited_event?)),
        _ => None,
    }
}

/// Why nothing is known of a state's visits.
fn unseen(run: &Run, state: &str) -> &'static str {
    if run.timeline.is_empty() {
        return "Nothing is known of its visits: the history is not here";
    }
    if distributed(&run.machine, state, false) {
        return "Its visits are in the executions of the map run around it: t goes to them from the Map state";
    }
    "This state was not reached"
}

/// Whether a state is inside of a distributed Map.
fn distributed(machine: &Value, state: &str, inside: bool) -> bool {
    let Some(states) = machine.get("States").and_then(Value::as_object) else { return false };
    states.iter().any(|(name, definition)| {
        let processor = definition.get("ItemProcessor").or_else(|| definition.get("Iterator"));
        let mode = processor.and_then(|inner| inner.pointer("/ProcessorConfig/Mode"));
        let apart = inside || mode.is_some_and(|mode| mode == "DISTRIBUTED");
        let branches = definition.get("Branches").and_then(Value::as_array).into_iter().flatten();
        inside && name == state
            || processor.is_some_and(|inner| distributed(inner, state, apart))
            || branches.into_iter().any(|branch| distributed(branch, state, inside))
    })
}

/// The text under the present tab: JSON, or lines.
pub fn text(run: &Run, world: &World) -> String {
    if run.view == View::Events {
        return event(run);
    }
    let Some(state) = run.state.as_deref() else { return String::new() };
    let visit = run.visit();
    if run.tab == Tab::Definition {
        return match definition_of(&run.machine, state) {
            // As it was written, number by number.
            Some(definition) => {
                let all = run.definition.value().map(|all| Tree::parse(&all.text));
                let written = all.and_then(|all| all.member("States", state, definition));
                written.unwrap_or_else(|| definition.to_string())
            }
            None => "The definition has no such state".to_owned(),
        };
    }
    let Some(visit) = visit else { return unseen(run, state).to_owned() };
    match run.tab {
        Tab::Input => {
            run.timeline.input_of(visit).map_or_else(|| "No input is recorded".to_owned(), String::from)
        }
        Tab::Output => match run.timeline.output_of(visit) {
            Some(output) => output.into_owned(),
            None if visit.exited.is_none() => "No output yet: it is still running".to_owned(),
            None => format!("No output: it {}", visit.standing.word()),
        },
        Tab::Error => error(run, visit),
        Tab::Changes => changes(run, visit),
        Tab::Variables => run.timeline.variables(visit).unwrap_or_default(),
        Tab::MapRun => map_run(run, visit),
        Tab::Attempts => attempts(visit, world),
        Tab::Log => {
            let log = run.logs.get(&run.log_group(world));
            match (log.and_then(Remote::value), log.and_then(Remote::problem)) {
                (Some(log), _) if log.is_empty() => {
                    "The function logged nothing that names this execution".to_owned()
                }
                (Some(log), _) => log.clone(),
                (None, Some(problem)) => problem.to_string(),
                (None, None) => "Loading the function's log".to_owned(),
            }
        }
        Tab::Definition => String::new(),
    }
}

/// What the state made of its input, path by path.
fn changes(run: &Run, visit: &Visit) -> String {
    let read = |text: Option<std::borrow::Cow<str>>| {
        let text = text.unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text.into_owned()))
    };
    let (input, output) = (read(run.timeline.input_of(visit)), read(run.timeline.output_of(visit)));
    let changes = difference::changes(&input, &output, CHANGES);
    if changes.is_empty() {
        return "The output is the input, unchanged".to_owned();
    }
    let mut text: String = changes.iter().map(|change| change.line(160) + "\n").collect();
    if changes.len() == CHANGES {
        text.push_str("… and more");
    }
    text
}

/// Differences shown at most.
const CHANGES: usize = 400;

fn map_run(run: &Run, visit: &Visit) -> String {
    let Some(arn) = &visit.map_run else { return String::new() };
    let known = run.map_runs.get(arn);
    let Some(map) = known.and_then(Remote::value) else {
        return match known.and_then(Remote::problem) {
            Some(problem) => problem.to_string(),
            None => format!("Loading the counts of {arn}"),
        };
    };
    let number = |count: u64| units::grouped(i64::try_from(count).unwrap_or(i64::MAX));
    let mut text = format!("{}  {} items\n\n", map.status, number(map.total));
    let counts = [
        ("succeeded", map.succeeded),
        ("running", map.running),
        ("pending", map.pending),
        ("failed", map.failed),
        ("timed out", map.timed_out),
        ("aborted", map.aborted),
    ];
    for (word, count) in counts {
        let _ = writeln!(text, "{:>9}  {word}", number(count));
    }
    let tolerated = match (map.tolerated_count, map.tolerated_percentage) {
        (0, 0.0) => "no failed item".to_owned(),
        (count, 0.0) => format!("{} failed items", number(count)),
        (0, share) => format!("{share} % failed items"),
        (count, share) => format!("{} failed items or {share} %, whichever is less", number(count)),
    };
    let _ = writeln!(text, "\ntolerates {tolerated}");
    let at_once = if map.max_concurrency == 0 {
        "as many as AWS allows".into()
    } else {
        map.max_concurrency.to_string()
    };
    let _ = writeln!(text, "at once   {at_once}");
    if map.redrives > 0 {
        let _ = writeln!(text, "redriven  {} times", map.redrives);
    }
    let _ = writeln!(text, "\n{arn}\n\nIts items are executions of their own: t goes to them");
    text
}

fn error(run: &Run, visit: &Visit) -> String {
    let cause = run.timeline.root_cause().filter(|cause| cause.state == visit.name);
    let error = visit.error.clone().or_else(|| cause.as_ref()?.error.clone());
    let text = visit.cause.clone().or_else(|| cause?.cause.clone());
    match error.as_deref().and_then(|error| plain_words(error, text.as_deref())) {
        Some(words) => json!({"Error": error, "Meaning": words, "Cause": text}).to_string(),
        None => json!({"Error": error, "Cause": text}).to_string(),
    }
}

fn event(run: &Run) -> String {
    let Some(event) = run.event.and_then(|id| run.timeline.event(id)) else { return String::new() };
    let details = match &event.details {
        Value::Null => json!({}),
        details => details.clone(),
    };
    let stamp = event.at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    json!({
        "id": event.id, "previousEventId": event.previous, "type": event.kind, "timestamp": stamp, "details": details,
    })
    .to_string()
}

fn attempts(visit: &Visit, world: &World) -> String {
    let mut text = String::new();
    let mut before: Option<DateTime<Utc>> = None;
    for (i, attempt) in visit.attempts.iter().enumerate() {
        if let Some(before) = before {
            let pause = units::duration(attempt.scheduled - before);
            // From the end of the execution on nobody meant it to be tried again: that is no back-off.
            let _ = match attempt.redriven {
                true => writeln!(text, "   redriven {pause} later"),
                false => writeln!(text, "   {pause} pause"),
            };
        }
        let over = attempt.ended.or(visit.exited);
        before = over;
        let how = match attempt.outcome {
            Outcome::Open if over.is_some() => "cut short",
            Outcome::Open => "running",
            Outcome::Succeeded => "succeeded",
            Outcome::Failed => "failed",
            Outcome::TimedOut => "timed out",
        };
        let end = over.unwrap_or(world.now);
        let span = units::duration(end - attempt.scheduled);
        let at = world.zone().clock_millis(attempt.scheduled);
        let _ = writeln!(text, "{}  {at}  {span}  {how}", i + 1);
        if let Some(error) = &attempt.error {
            let _ = writeln!(text, "   {error}");
        }
        if let Some(cause) = attempt.cause.as_deref().and_then(message) {
            let _ = writeln!(text, "   {cause}");
        }
    }
    text
}

/// Log lines as the inspector shows them.
pub fn log_text(lines: &[LogLine], arn: &str, world: &World) -> String {
    let mut text = String::new();
    for line in lines {
        let line_text = brief(line.text.trim_end(), arn);
        let _ = writeln!(text, "{}  {line_text}", world.zone().clock_millis(line.at));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tabs_that_do_not_fit_are_left_out_around_the_present_one() {
        use Tab::{Attempts, Changes, Definition, Input, MapRun, Output};
        let tabs = [Input, Output, Changes, Definition, Attempts, MapRun];
        // `Input  Output  Diff  Definition  Attempts  Map run`: 50 columns.
        assert_eq!(in_sight(&tabs, Input, 50), 0..6);
        // Those up to Attempts fill 41, and the mark takes two more.
        assert_eq!(in_sight(&tabs, Input, 49), 0..5);
        assert_eq!(in_sight(&tabs, Input, 43), 0..5);
        assert_eq!(in_sight(&tabs, Input, 42), 0..4);
        // The one after the present one shows too.
        assert_eq!(in_sight(&tabs, Attempts, 43), 2..6);
        assert_eq!(in_sight(&tabs, MapRun, 43), 2..6);
        assert_eq!(in_sight(&tabs, Definition, 43), 0..5);
        assert_eq!(in_sight(&tabs, MapRun, 3), 5..6);
        assert_eq!(in_sight(&[], Input, 3), 0..1);
    }
}
