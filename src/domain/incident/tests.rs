use chrono::TimeDelta;
use serde_json::{Value, json};

use super::*;
use crate::domain::execution::HistoryEvent;

fn at(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_767_225_600_000 + millis).unwrap()
}

fn timeline(rows: &[(i64, i64, &str, Value)]) -> Timeline {
    let events: Vec<HistoryEvent> = rows
        .iter()
        .enumerate()
        .map(|(i, (previous, millis, kind, details))| HistoryEvent {
            id: i as i64 + 1,
            previous: *previous,
            at: at(*millis),
            kind: (*kind).to_owned(),
            details: details.clone(),
        })
        .collect();
    let mut timeline = Timeline::new();
    timeline.extend(&events);
    timeline
}

/// Two attempts two seconds apart, then caught; a Fail state ends it.
fn broken() -> Timeline {
    let cause = json!({"errorMessage": "no disk", "errorType": "E", "stackTrace": ["at one\n  two"]});
    timeline(&[
        (0, 0, "ExecutionStarted", json!({"input": "{\"a\":1,\"b\":2}"})),
        (0, 10, "TaskStateEntered", json!({"name": "Call", "input": "{\"a\":1}"})),
        (2, 10, "LambdaFunctionScheduled", json!({"resource": "arn:f"})),
        (3, 20, "LambdaFunctionStarted", Value::Null),
        (4, 300, "LambdaFunctionFailed", json!({"error": "Lambda.Unknown", "cause": cause.to_string()})),
        (5, 2300, "LambdaFunctionScheduled", json!({"resource": "arn:f"})),
        (6, 2310, "LambdaFunctionStarted", Value::Null),
        (7, 2400, "LambdaFunctionFailed", json!({"error": "Lambda.Unknown", "cause": cause.to_string()})),
        (8, 2400, "TaskStateExited", json!({"name": "Call", "output": "{}"})),
        (9, 2400, "FailStateEntered", json!({"name": "Sorry", "input": "{}"})),
        (10, 2400, "ExecutionFailed", json!({"error": "Sorry", "cause": "see *above*"})),
    ])
}

fn worked() -> Timeline {
    timeline(&[
        (0, 0, "ExecutionStarted", json!({"input": "{\"a\":1}"})),
        (0, 10, "TaskStateEntered", json!({"name": "Call", "input": "{}"})),
        (2, 10, "LambdaFunctionScheduled", json!({"resource": "arn:f"})),
        (3, 20, "LambdaFunctionStarted", Value::Null),
        (4, 110, "LambdaFunctionSucceeded", json!({"output": "{}"})),
        (5, 110, "TaskStateExited", json!({"name": "Call", "output": "{}"})),
        (6, 110, "ExecutionSucceeded", json!({"output": "{}"})),
    ])
}

fn run(name: &str) -> Execution {
    Execution {
        arn: format!("arn:aws:states:us-east-1:000000000000:execution:M:{name}"),
        name: name.to_owned(),
        machine_arn: "arn:aws:states:us-east-1:000000000000:stateMachine:M".to_owned(),
        status: Status::Succeeded,
        started: at(-3_600_000),
        stopped: Some(at(-3_599_890)),
        input: None,
        output: None,
        error: None,
        cause: None,
        redrives: 0,
    }
}

/// What little is known of a failed execution.
fn facts(timeline: &Timeline) -> Facts<'_> {
    Facts {
        arn: "arn:aws:states:us-east-1:000000000000:execution:M:run-1",
        status: Status::Failed,
        timeline,
        execution: None,
        revision: None,
        log: Log::None,
        query: None,
        items: None,
        before: None,
        never: false,
        awaited: &[],
        clock: &|at| at.format("%H:%M:%S%.3f").to_string(),
        now: at(5000),
    }
}

fn told(log: Log, before: Option<Before>) -> Incident {
    let broken = broken();
    Incident::of(&Facts { revision: Some("r2"), log, before, ..facts(&broken) })
}

fn part<'a>(incident: &'a Incident, title: &str) -> Vec<&'a str> {
    let part = incident.parts.iter().find(|part| part.title.contains(title));
    part.map(|part| part.lines.iter().map(|line| line.text.as_str()).collect()).unwrap_or_default()
}

#[test]
fn the_first_failure_is_told_with_its_attempts_and_what_came_of_it() {
    let incident = told(Log::None, None);
    assert_eq!(incident.title, "M / run-1 failed after 2.40 s");
    assert_eq!(
        part(&incident, "Root cause"),
        [
            "Call: Lambda.Unknown",
            "The function ended without an answer: out of memory, out of time, or it exited",
            "no disk",
            "at one",
            "  two",
            "The execution itself ended with Sorry: see *above*",
        ]
    );
    assert_eq!(
        part(&incident, "2 attempts"),
        [
            "1  00:00:00.010    290 ms  failed  Lambda.Unknown",
            "2  00:00:02.300    100 ms  failed  after 2.00 s  Lambda.Unknown",
        ]
    );
    assert_eq!(part(&incident, "Input of Call"), ["{", "  \"a\": 1", "}"]);
    assert_eq!(
        part(&incident, "Errors on the way"),
        ["00:00:00.010  Call: Lambda.Unknown, caught, went on to Sorry"]
    );
}

#[test]
fn a_query_that_went_well_comes_after_what_failed() {
    let titles = |state: QueryState| -> Vec<String> {
        let broken = broken();
        let query = Query {
            id: "q".into(),
            sql: "SELECT 1".into(),
            state,
            reason: None,
            submitted: None,
            completed: None,
            database: None,
            workgroup: None,
            output_location: None,
            scanned: None,
            engine_millis: None,
            queue_millis: None,
            total_millis: Some(52),
        };
        let incident = Incident::of(&Facts { query: Some(&query), ..facts(&broken) });
        incident.parts.into_iter().map(|part| part.title).collect()
    };
    let place = |titles: Vec<String>| titles.iter().position(|title| title == "Athena query q");
    assert_eq!(place(titles(QueryState::Failed)), Some(1));
    assert_eq!(place(titles(QueryState::Succeeded)), Some(4));
}

#[test]
fn lines_of_unknown_origin_are_labelled() {
    let line = LogLine { id: "1".into(), at: at(20), stream: "s".into(), text: "boom".into() };
    let lines = [line];
    let exact = told(Log::Exact("/aws/lambda/f", &lines), None);
    assert_eq!(part(&exact, "/aws/lambda/f on this execution"), ["00:00:00.020  boom"]);
    let around = told(Log::Around("/aws/lambda/f", &lines), None);
    assert!(part(&around, "around that time")[0].starts_with("No line names this execution"));
}

#[test]
fn the_last_success_shows_what_differs() {
    let (execution, timeline) = (run("run-0"), worked());
    let before = Before { execution: &execution, timeline: Some(&timeline), revision: Some("r1") };
    let incident = told(Log::None, Some(before));
    assert_eq!(
        part(&incident, "Last success"),
        [
            "run-0  1 h ago, took 110 ms",
            "The definition changed since: revision r1 then, r2 now",
            "Its input was another, from then to now:",
            "+ $.b: 2",
            "Call: 100 ms then, 2.39 s now",
            "Sorry: not reached then, 0 ms now",
        ]
    );
}

#[test]
fn an_end_from_outside_names_what_it_interrupted() {
    let timeline = timeline(&[
        (0, 0, "ExecutionStarted", json!({"input": "{}"})),
        (0, 10, "WaitStateEntered", json!({"name": "Pause", "input": "{}"})),
        (2, 900, "ExecutionAborted", json!({"error": "Stopped", "cause": "by hand"})),
    ]);
    let incident = Incident::of(&Facts {
        status: Status::Aborted,
        awaited: &["the last success"],
        now: at(5000) + TimeDelta::seconds(1),
        ..facts(&timeline)
    });
    assert_eq!(incident.title, "M / run-1 was stopped after 900 ms");
    assert_eq!(
        part(&incident, "Root cause"),
        ["Stopped from outside: Stopped", "by hand", "It was in Pause then"]
    );
    assert_eq!(incident.parts.last().unwrap().lines[0].text, "Loading the last success");
}

#[test]
fn markdown_keeps_foreign_text_inside_its_fence() {
    let lines = [LogLine { id: "1".into(), at: at(20), stream: "s".into(), text: "a ``` b".into() }];
    let text = told(Log::Exact("g", &lines), None).markdown();
    assert!(text.starts_with("### M / run-1 failed after 2.40 s\n\n`arn:aws:states:"), "{text}");
    assert!(text.contains("- **Call: Lambda.Unknown**\n"), "{text}");
    assert!(text.contains("ended with Sorry: see \\*above\\*"), "{text}");
    assert!(text.contains("\n````\n00:00:00.020  a ``` b\n````\n"), "{text}");
}

/// A Fail state in a branch whose Parallel catches; another Fail state ends it. Neither FailStateEntered nor
/// ParallelStateFailed has an error of its own: the catcher's output tells it.
fn caught_inside(output: Value) -> Timeline {
    let input = json!({"old": {"Error": "Long.Ago", "Cause": "another matter"}}).to_string();
    timeline(&[
        (0, 0, "ExecutionStarted", json!({"input": input})),
        (0, 10, "ParallelStateEntered", json!({"name": "P", "input": input})),
        (2, 10, "ParallelStateStarted", Value::Null),
        (3, 10, "PassStateEntered", json!({"name": "W", "input": input})),
        (4, 20, "PassStateExited", json!({"name": "W", "output": input})),
        (5, 20, "FailStateEntered", json!({"name": "Bang", "input": input})),
        (6, 20, "ParallelStateFailed", Value::Null),
        (7, 20, "ParallelStateExited", json!({"name": "P", "output": output.to_string()})),
        (8, 30, "PassStateEntered", json!({"name": "Tidy", "input": "{}"})),
        (9, 30, "PassStateExited", json!({"name": "Tidy", "output": "{}"})),
        (10, 40, "FailStateEntered", json!({"name": "Out", "input": "{}"})),
        (11, 40, "ExecutionFailed", json!({"error": "Outer.Err", "cause": "outer words"})),
    ])
}

#[test]
fn what_a_catcher_was_told_is_the_error_of_the_fail_state_inside() {
    let error = json!({"Error": "Inner.Err", "Cause": "the inner reason"});
    let old = json!({"Error": "Long.Ago", "Cause": "another matter"});
    for output in [error.clone(), json!({"old": old, "failed": {"by": error}})] {
        let incident = Incident::of(&facts(&caught_inside(output)));
        assert_eq!(
            part(&incident, "Root cause"),
            ["Bang: Inner.Err", "the inner reason", "The execution itself ended with Outer.Err: outer words"]
        );
        assert_eq!(
            part(&incident, "Errors on the way"),
            ["00:00:00.010  P: Inner.Err, caught, went on to Tidy"]
        );
    }
    // `"ResultPath": null` keeps nothing of it: the end's error is not taken for it.
    let incident = Incident::of(&facts(&caught_inside(json!({"old": old}))));
    assert_eq!(
        part(&incident, "Root cause"),
        [
            "It began in Bang, whose error is not recorded",
            "The execution itself ended with Outer.Err: outer words"
        ]
    );
}

/// The time that nobody redrove it is no back-off.
#[test]
fn an_attempt_of_a_redrive_says_so() {
    let failed = json!({"error": "E", "cause": "c"});
    let timeline = timeline(&[
        (0, 0, "ExecutionStarted", json!({"input": "{}"})),
        (0, 10, "TaskStateEntered", json!({"name": "Call", "input": "{}"})),
        (2, 10, "LambdaFunctionScheduled", json!({"resource": "arn:f"})),
        (3, 20, "LambdaFunctionStarted", Value::Null),
        (4, 300, "LambdaFunctionFailed", failed.clone()),
        (5, 300, "ExecutionFailed", failed.clone()),
        (6, 60_300, "ExecutionRedriven", json!({"redriveCount": 1})),
        (7, 60_300, "LambdaFunctionScheduled", json!({"resource": "arn:f"})),
        (8, 60_310, "LambdaFunctionStarted", Value::Null),
        (9, 60_400, "LambdaFunctionFailed", failed.clone()),
        (10, 60_400, "ExecutionFailed", failed),
    ]);
    assert_eq!(
        part(&Incident::of(&facts(&timeline)), "2 attempts"),
        [
            "1  00:00:00.010    290 ms  failed  E",
            "2  00:01:00.300    100 ms  failed  redriven 1 m 00 s later  E"
        ]
    );
}

/// A distributed map tells that too many items failed; why is in an execution of its own.
#[test]
fn the_items_of_a_map_run_are_counted_and_one_that_failed_is_quoted() {
    let timeline = timeline(&[
        (0, 0, "ExecutionStarted", json!({"input": "{}"})),
        (0, 0, "MapStateEntered", json!({"name": "Each", "input": "{}"})),
        (2, 0, "MapStateStarted", json!({"length": 0})),
        (3, 0, "MapRunStarted", json!({"mapRunArn": "arn:m"})),
        (
            4,
            900,
            "MapRunFailed",
            json!({"error": "States.ExceedToleratedFailureThreshold", "cause": "threshold"}),
        ),
        (5, 900, "MapStateFailed", Value::Null),
        (
            6,
            900,
            "ExecutionFailed",
            json!({"error": "States.ExceedToleratedFailureThreshold", "cause": "threshold"}),
        ),
    ]);
    let map_run = MapRun {
        arn: "arn:m".into(),
        status: "FAILED".into(),
        max_concurrency: 0,
        total: 1_240,
        pending: 9,
        running: 0,
        succeeded: 1_200,
        failed: 30,
        timed_out: 0,
        aborted: 1,
        tolerated_percentage: 1.0,
        tolerated_count: 0,
        redrives: 0,
    };
    let cause = json!({"errorMessage": "no disk"}).to_string();
    let child = Execution { error: Some("Lambda.Unknown".into()), cause: Some(cause), ..run("child-7") };
    let items = Items { run: Some(&map_run), failed: Some(&child) };
    let mut facts = Facts { items: Some(items), ..facts(&timeline) };
    let incident = Incident::of(&facts);
    assert_eq!(
        part(&incident, "Items of Each"),
        ["1,200 of 1,240 succeeded, 30 failed, 1 aborted, 9 pending", "child-7: Lambda.Unknown", "no disk"]
    );
    facts.items = Some(Items { run: None, failed: None });
    assert!(part(&Incident::of(&facts), "Items of Each").is_empty());
}

/// A state beside the longest branch was reached all the same.
#[test]
fn not_reached_is_said_of_what_was_never_entered() {
    let branches = |slow: i64, quick: i64| {
        timeline(&[
            (0, 0, "ExecutionStarted", json!({"input": "{}"})),
            (0, 0, "ParallelStateEntered", json!({"name": "P", "input": "{}"})),
            (2, 0, "ParallelStateStarted", Value::Null),
            (3, 0, "WaitStateEntered", json!({"name": "A", "input": "{}"})),
            (3, 0, "WaitStateEntered", json!({"name": "B", "input": "{}"})),
            (4, slow, "WaitStateExited", json!({"name": "A", "output": "{}"})),
            (5, quick, "WaitStateExited", json!({"name": "B", "output": "{}"})),
            (7, slow.max(quick), "ParallelStateSucceeded", Value::Null),
            (8, slow.max(quick), "ParallelStateExited", json!({"name": "P", "output": "{}"})),
            (9, slow.max(quick), "FailStateEntered", json!({"name": "Out", "input": "{}"})),
            (10, slow.max(quick), "ExecutionFailed", json!({"error": "E"})),
        ])
    };
    let (now, then, execution) = (branches(3000, 1000), branches(1000, 3000), run("run-0"));
    let before = Before { execution: &execution, timeline: Some(&then), revision: None };
    let incident = Incident::of(&Facts { before: Some(before), ..facts(&now) });
    let lines = part(&incident, "Last success");
    assert!(lines.contains(&"A: 1.00 s then, 3.00 s now"), "{lines:?}");
    assert!(lines.contains(&"B: 3.00 s then, 1.00 s now"), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("not reached")), "{lines:?}");
}
