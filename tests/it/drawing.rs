//! How an execution is drawn: bars, rows, pictures and the inspector's tabs.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use ward::domain::execution::{HistoryEvent, Status};

use crate::support::answers::{Answers, ago};
use crate::support::console::{Console, setup};
use ward::ui::world::Setup;

const WIDE: (u16, u16) = (160, 48);

/// Events of a run that began 60 s ago: milliseconds since then, the event before, type, details.
fn events(rows: &[(i64, i64, &str, Value)]) -> Vec<HistoryEvent> {
    let start: DateTime<Utc> = ago(60);
    let event = |(id, (millis, previous, kind, details)): (i64, &(i64, i64, &str, Value))| HistoryEvent {
        id,
        previous: *previous,
        at: start + TimeDelta::milliseconds(*millis),
        kind: (*kind).to_owned(),
        details: details.clone(),
    };
    (1..).zip(rows).map(event).collect()
}

/// A console at a run with this definition and history.
fn told(definition: &Value, events: Vec<HistoryEvent>, size: (u16, u16)) -> Console {
    let mut answers = Answers::sample();
    let over = events.last().is_some_and(|last| last.kind.starts_with("Execution") && last.id > 1);
    let run = &mut answers.executions[if over { 2 } else { 0 }];
    run.started = ago(60);
    run.stopped = events.last().map(|last| last.at).filter(|_| over);
    run.status = if over { Status::Failed } else { Status::Running };
    let arn = run.arn.clone();
    answers.definition = Some(definition.to_string());
    answers.histories.insert(arn.clone(), events);
    Console::with(&format!("workflows/{arn}"), size, answers)
}

fn line(console: &Console, word: &str) -> String {
    let text = console.text();
    let line = text.lines().find(|line| line.contains(word));
    line.unwrap_or_else(|| panic!("{word:?} is missing in\n{text}")).to_owned()
}

fn named(name: &str) -> Value {
    json!({"name": name, "input": "{}", "output": "{}"})
}

/// Four attempts of 2 ms each at 0, 2, 6 and 14 s: each takes a column, also where a pause ends in it.
#[test]
fn attempts_are_seen_between_the_pauses() {
    let resource = || json!({"resource": "publish", "resourceType": "sns", "error": "E", "cause": "c"});
    let mut rows =
        vec![(0, 0, "ExecutionStarted", json!({"input": "{}"})), (0, 0, "TaskStateEntered", named("Try"))];
    for start in [0, 2_000, 6_000, 14_000] {
        let last = rows.len() as i64;
        rows.push((start, last, "TaskScheduled", resource()));
        rows.push((start + 2, last + 1, "TaskFailed", resource()));
    }
    rows.push((14_002, rows.len() as i64, "ExecutionFailed", json!({"error": "E", "cause": "c"})));
    let definition = json!({"StartAt": "Try", "States": {
        "Try": {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": true}}});
    let mut console = told(&definition, events(&rows), WIDE);
    console.press("vv");
    let bar = line(&console, "▚");
    let bar = bar.split('│').next().unwrap_or_default();
    let drawn: String = bar.chars().filter(|c| "▚░█".contains(*c)).collect();
    assert_eq!(drawn.matches('▚').count(), 4, "{bar}");
    assert!(drawn.starts_with("▚░") && drawn.ends_with("░▚"), "{bar}");
    // 2 s, 4 s and 8 s between them.
    let pauses: Vec<usize> = drawn.split('▚').map(|pause| pause.chars().count()).collect();
    assert!(pauses[1] * 3 / 2 < pauses[2] && pauses[2] * 3 / 2 < pauses[3], "{pauses:?}");
}

#[test]
fn rows_name_where_catchers_lead() {
    let narrow = Console::at(
        "workflows/arn:aws:states:us-east-1:000000000000:execution:HealthcarePipelineStateMachine:run-20260101-090000-217",
        (80, 24),
    );
    for state in ["✔ InvokeLambdaFunction", "✔ CheckQueryStatus", "✔ CopyResultsToProduction"] {
        let line = line(&narrow, state);
        assert!(line.contains("▲ QueryFailed"), "{line}");
    }
    assert!(!line(&narrow, "✔ QueryOutcome").contains('▲'));
}

/// Three branches: one that is done, one that waits, one that goes on behind its first state.
#[test]
fn a_parallel_counts_its_branches() {
    let flow = |name: &str, next: Value| {
        let mut states = json!({name: {"Type": "Pass"}});
        match &next {
            Value::Null => states[name]["End"] = json!(true),
            next => {
                states[name]["Next"] = next.clone();
                states[next.as_str().unwrap()] = json!({"Type": "Wait", "Seconds": 900, "End": true});
            }
        }
        json!({"StartAt": name, "States": states})
    };
    let wait = json!({"StartAt": "Two", "States": {"Two": {"Type": "Wait", "Seconds": 900, "End": true}}});
    let definition = json!({"StartAt": "All", "States": {"All": {"Type": "Parallel", "End": true,
        "Branches": [flow("One", Value::Null), wait, flow("Three", json!("Later"))]}}});
    let rows = [
        (0, 0, "ExecutionStarted", json!({"input": "{}"})),
        (0, 0, "ParallelStateEntered", named("All")),
        (1, 2, "ParallelStateStarted", json!({})),
        (2, 3, "PassStateEntered", named("One")),
        (2, 3, "WaitStateEntered", named("Two")),
        (2, 3, "PassStateEntered", named("Three")),
        (3, 4, "PassStateExited", named("One")),
        (3, 6, "PassStateExited", named("Three")),
    ];
    // The third has left a state, and another one comes behind it.
    let mut console = told(&definition, events(&rows), WIDE);
    let all = |console: &Console| line(console, "◐ All");
    assert!(all(&console).contains("1 of 3, 2 running"), "{}", all(&console));
    console.press("p");
    assert!(all(&console).contains("1 of 3, 2 running"), "{}", all(&console));
}

/// A way out that shares a line with another state's ways would be read as leading there: rows say it rightly.
#[test]
fn rows_stand_where_a_picture_would_mislead() {
    let definition = json!({"StartAt": "P", "States": {"Z": {"Type": "Succeed"},
        "P": {"Type": "Parallel", "Next": "Z", "Branches": [
            {"StartAt": "B1", "States": {"B1": {"Type": "Pass", "Next": "B1b"}, "B1b": {"Type": "Pass", "End": true}}},
            {"StartAt": "B2", "States": {"B2": {"Type": "Pass", "Next": "C"},
                "C": {"Type": "Choice", "Default": "Small",
                    "Choices": [{"Variable": "$.x", "NumericGreaterThan": 3, "Next": "Big"}]},
                "Big": {"Type": "Pass", "End": true}, "Small": {"Type": "Pass", "End": true}}}]}}});
    let rows =
        [(0, 0, "ExecutionStarted", json!({"input": "{}"})), (0, 0, "ParallelStateEntered", named("P"))];
    let mut console = told(&definition, events(&rows), WIDE);
    for _ in 0..2 {
        assert!(line(&console, "Big").contains("├─▶ ○ Big"), "{}", console.text());
        console.press("p");
    }
}

#[test]
fn tabs_that_do_not_fit_leave_a_mark() {
    let place = "workflows/arn:aws:states:us-east-1:000000000000:execution:HealthcarePipelineStateMachine:run-20260101-090000-217";
    // The inspector's part of 110 columns is narrower than the tabs of a Task that called the function.
    let mut console = Console::at(place, (110, 30));
    console.press("gg<tab>");
    assert!(line(&console, "Input  Output").trim_end().ends_with('›'), "{}", console.text());
    console.press("hh");
    let tabs = line(&console, "Attempts");
    assert!(tabs.contains('‹'), "{tabs}");
}

/// One branch was done when it was stopped; a redrive goes on with the two others.
#[test]
fn a_redriven_parallel_counts_its_branches() {
    let wait = |name: &str, seconds: u32| json!({"StartAt": name, "States": {name: {"Type": "Wait", "Seconds": seconds, "End": true}}});
    let pass = json!({"StartAt": "B3", "States": {"B3": {"Type": "Pass", "End": true}}});
    let definition = json!({"StartAt": "P", "States": {"P": {"Type": "Parallel", "End": true,
        "Branches": [wait("B1", 900), wait("B2", 800), pass]}}});
    let rows = [
        (0, 0, "ExecutionStarted", json!({"input": "{}"})),
        (0, 0, "ParallelStateEntered", named("P")),
        (0, 2, "ParallelStateStarted", json!({})),
        (0, 3, "WaitStateEntered", named("B1")),
        (0, 3, "WaitStateEntered", named("B2")),
        (0, 3, "PassStateEntered", named("B3")),
        (0, 6, "PassStateExited", named("B3")),
        (1_000, 5, "WaitStateAborted", json!({})),
        (1_000, 4, "WaitStateAborted", json!({})),
        (1_000, 3, "ParallelStateAborted", json!({})),
        (1_000, 10, "ExecutionAborted", json!({"error": "Stopped"})),
        (1_500, 11, "ExecutionRedriven", json!({"redriveCount": 1})),
        (1_500, 12, "WaitStateEntered", named("B1")),
        (1_500, 12, "WaitStateEntered", named("B2")),
    ];
    let mut console = told(&definition, events(&rows), WIDE);
    for _ in 0..2 {
        assert!(line(&console, "◐ P").contains("1 of 3, 2 running"), "{}", console.text());
        for branch in ["◌ B1", "◌ B2"] {
            let line = line(&console, branch);
            let line = line.split('│').next().unwrap();
            assert!(!line.contains("passes") && !line.contains('×'), "{line}");
        }
        console.press("p");
    }
    // The bars of what waits again carry the numbers of their branches.
    console.press("v");
    for branch in ["◌ B1 #0", "◌ B2 #1"] {
        line(&console, branch);
    }
}

/// The dot is the mark of what waits.
#[test]
fn no_dot_stands_behind_the_last_state_in_ascii() {
    let place = "workflows/arn:aws:states:us-east-1:000000000000:execution:HealthcarePipelineStateMachine:run-20260101-090000-217";
    let console = Console::of(place, (80, 24), Setup { ascii: true, ..setup() });
    let last = line(&console, "+ CopyResultsToProduction");
    assert!(!last.contains("CopyResultsToProduction ."), "{last}");
}

/// A loop of short names: passes and the time of the last one both have room in the picture.
#[test]
fn passes_leave_the_time_its_room() {
    let definition = json!({"StartAt": "Ask", "States": {
        "Ask": {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Next": "Done"},
        "Done": {"Type": "Choice", "Default": "Ask", "Choices": [
            {"Variable": "$.done", "BooleanEquals": true, "Next": "End"}]},
        "End": {"Type": "Succeed"}}});
    let mut rows = vec![(0, 0, "ExecutionStarted", json!({"input": "{}"}))];
    for pass in 0..3 {
        let (at, last) = (pass * 10_000, rows.len() as i64);
        rows.extend([
            (at, last, "TaskStateEntered", named("Ask")),
            (at, last + 1, "TaskScheduled", json!({"resource": "publish", "resourceType": "sns"})),
            (at + 7_250, last + 2, "TaskSucceeded", json!({"output": "{}"})),
            (at + 7_250, last + 3, "TaskStateExited", named("Ask")),
            (at + 7_250, last + 4, "ChoiceStateEntered", named("Done")),
            (at + 7_250, last + 5, "ChoiceStateExited", named("Done")),
        ]);
    }
    let console = told(&definition, events(&rows), WIDE);
    let ask = line(&console, "✔ Ask");
    assert!(ask.contains("╭") || console.text().contains("otherwise"), "a picture:\n{}", console.text());
    assert!(ask.contains("✔ Ask 3 passes 7.25 s"), "{}", console.text());
}

/// Ids of two digits and pauses of seconds need few cells: what an event means has what is left.
#[test]
fn what_an_event_means_has_the_spare_room() {
    let resource = || json!({"resource": "publish", "resourceType": "sns", "error": "States.Timeout"});
    let rows = [
        (0, 0, "ExecutionStarted", json!({"input": "{}"})),
        (0, 0, "TaskStateEntered", named("Tell")),
        (0, 2, "TaskScheduled", resource()),
        (5_000, 3, "TaskTimedOut", resource()),
        (5_000, 4, "ExecutionFailed", json!({"error": "States.Timeout"})),
    ];
    let definition = json!({"StartAt": "Tell", "States": {
        "Tell": {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": true}}});
    for size in [(80, 24), (120, 30)] {
        let mut console = told(&definition, events(&rows), size);
        console.press("vvv");
        let row = line(&console, "TaskTimedOut");
        assert!(
            row.contains("TaskTimedOut") && row.contains("Tell timed out: Sta"),
            "{size:?}\n{}",
            console.text()
        );
    }
}
