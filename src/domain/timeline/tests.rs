use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::*;

mod laws;
mod redrives;

fn at(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_767_225_600_000 + millis).unwrap()
}

/// `(id, previous, milliseconds, type, details)`
fn history(rows: &[(i64, i64, i64, &str, Value)]) -> Vec<HistoryEvent> {
    rows.iter()
        .map(|(id, previous, millis, kind, details)| HistoryEvent {
            id: *id,
            previous: *previous,
            at: at(*millis),
            kind: (*kind).to_owned(),
            details: details.clone(),
        })
        .collect()
}

fn folded(events: &[HistoryEvent]) -> Timeline {
    let mut timeline = Timeline::new();
    for event in events {
        timeline.apply(event);
    }
    timeline
}

fn named(name: &str) -> Value {
    json!({"name": name, "input": "{}"})
}

/// Retried once, waited, failed in the copy, caught, told, failed.
fn failed_copy() -> Vec<HistoryEvent> {
    history(&[
        (1, 0, 0, "ExecutionStarted", json!({"input": "{\"a\":1}", "roleArn": "r"})),
        (2, 0, 10, "TaskStateEntered", named("Invoke")),
        (3, 2, 10, "TaskScheduled", json!({"resourceType": "lambda", "resource": "invoke"})),
        (4, 3, 20, "TaskStarted", json!({})),
        (5, 4, 400, "TaskFailed", json!({"error": "Lambda.TooManyRequestsException", "cause": "slow down"})),
        (6, 5, 2400, "TaskScheduled", json!({"resourceType": "lambda", "resource": "invoke"})),
        (7, 6, 2410, "TaskStarted", json!({})),
        (8, 7, 2900, "TaskSucceeded", json!({"output": "{}"})),
        (9, 8, 2900, "TaskStateExited", json!({"name": "Invoke", "output": "{\"q\":1}"})),
        (10, 9, 2900, "WaitStateEntered", named("Pause")),
        (11, 10, 7900, "WaitStateExited", json!({"name": "Pause", "output": "{}"})),
        (12, 11, 7910, "TaskStateEntered", named("Copy")),
        (13, 12, 7910, "TaskScheduled", json!({"resource": "copyObject"})),
        (14, 13, 7920, "TaskStarted", json!({})),
        (
            15,
            14,
            8000,
            "TaskFailed",
            json!({"error": "S3.NoSuchKeyException", "cause": "The specified key does not exist."}),
        ),
        (16, 15, 8000, "TaskStateExited", json!({"name": "Copy", "output": "{}"})),
        (17, 16, 8001, "TaskStateEntered", named("Tell")),
        (18, 17, 8001, "TaskScheduled", json!({"resource": "publish"})),
        (19, 18, 8002, "TaskStarted", json!({})),
        (20, 19, 8100, "TaskSucceeded", json!({"output": "{}"})),
        (21, 20, 8100, "TaskStateExited", json!({"name": "Tell", "output": "{}"})),
        (22, 21, 8100, "FailStateEntered", named("PipelineFailed")),
        (23, 22, 8101, "ExecutionFailed", json!({"error": "PipelineFailed", "cause": "see above"})),
    ])
}

/// Two iterations at a time; the second fails, the map is caught.
fn caught_map() -> Vec<HistoryEvent> {
    history(&[
        (1, 0, 0, "ExecutionStarted", json!({"input": "[1,2,3]"})),
        (2, 0, 0, "MapStateEntered", named("Each")),
        (3, 2, 0, "MapStateStarted", json!({"length": 3})),
        (4, 3, 1, "MapIterationStarted", json!({"name": "Each", "index": 0})),
        (5, 3, 1, "MapIterationStarted", json!({"name": "Each", "index": 1})),
        (6, 4, 2, "PassStateEntered", named("Check")),
        (7, 6, 3, "PassStateExited", json!({"name": "Check", "output": "1"})),
        (8, 7, 3, "MapIterationSucceeded", json!({"name": "Each", "index": 0})),
        (9, 7, 4, "MapIterationStarted", json!({"name": "Each", "index": 2})),
        (10, 5, 5, "PassStateEntered", named("Check")),
        (
            11,
            10,
            6,
            "EvaluationFailed",
            json!({"state": "Check", "error": "States.QueryEvaluationError", "cause": "no x"}),
        ),
        (12, 9, 6, "PassStateEntered", named("Check")),
        (13, 11, 7, "MapIterationFailed", json!({"name": "Each", "index": 1})),
        (14, 12, 7, "MapIterationAborted", json!({"name": "Each", "index": 2})),
        (15, 11, 7, "MapStateFailed", Value::Null),
        (16, 15, 8, "MapStateExited", json!({"name": "Each", "output": "{}"})),
        (17, 16, 8, "ExecutionSucceeded", json!({"output": "{}"})),
    ])
}

#[test]
fn a_failed_run_tells_its_story() {
    let timeline = folded(&failed_copy());
    assert_eq!(timeline.status(), Some(Status::Failed));
    assert_eq!(timeline.error().as_deref(), Some("PipelineFailed"));
    let standing = |name| timeline.now(name).standing;
    assert_eq!(standing("Invoke"), Standing::Succeeded);
    assert_eq!(timeline.now("Invoke").retries, 1);
    assert_eq!(standing("Pause"), Standing::Succeeded);
    assert_eq!(standing("Copy"), Standing::Caught);
    assert_eq!(standing("PipelineFailed"), Standing::Failed);
    assert_eq!(standing("Never"), Standing::NotReached);
    let pause = &timeline.visits()[timeline.last_visit("Pause").unwrap()];
    assert_eq!(pause.duration(at(99_999)), TimeDelta::seconds(5));
    let invoke = &timeline.visits()[0];
    assert_eq!(invoke.attempts[0].error.as_deref(), Some("Lambda.TooManyRequestsException"));
    assert_eq!(invoke.attempts[1].outcome, Outcome::Succeeded);
    assert_eq!(timeline.output_of(invoke).as_deref(), Some("{\"q\":1}"));
}

#[test]
fn the_root_cause_is_what_was_caught_before_the_fail_state() {
    let timeline = folded(&failed_copy());
    let cause = timeline.root_cause().unwrap();
    assert_eq!(cause.message.as_deref(), Some("The specified key does not exist."));
    assert_eq!(cause.state, "Copy");
    assert_eq!(cause.error.as_deref(), Some("S3.NoSuchKeyException"));
    assert_eq!(cause.at, at(8000));
}

/// Checked after and found failed, told, then a Fail state: no state failed before it.
fn failed_query(status: &Value) -> Vec<HistoryEvent> {
    let output = json!({"QueryExecution": {"QueryExecutionId": "q", "Status": status}}).to_string();
    let asked = json!({"resourceType": "athena", "resource": "getQueryExecution"});
    history(&[
        (1, 0, 0, "ExecutionStarted", json!({"input": "{}"})),
        (2, 0, 0, "TaskStateEntered", named("Check")),
        (3, 2, 0, "TaskScheduled", asked),
        (4, 3, 1, "TaskStarted", json!({})),
        (
            5,
            4,
            30,
            "TaskSucceeded",
            json!({"resourceType": "athena", "resource": "getQueryExecution", "output": output}),
        ),
        (6, 5, 30, "TaskStateExited", json!({"name": "Check", "output": "{}"})),
        (7, 6, 31, "ChoiceStateEntered", named("Outcome")),
        (8, 7, 31, "ChoiceStateExited", json!({"name": "Outcome", "output": "{}"})),
        (9, 8, 31, "FailStateEntered", named("PipelineFailed")),
        (10, 9, 32, "ExecutionFailed", json!({"error": "QueryFailed", "cause": "see the topic"})),
    ])
}

#[test]
fn the_root_cause_of_a_failed_query_is_what_athena_says() {
    let why = "TABLE_NOT_FOUND: line 2:6: Table 'a.b.c' does not exist";
    let timeline = folded(&failed_query(&json!({"State": "FAILED", "StateChangeReason": why})));
    let cause = timeline.root_cause().unwrap();
    assert_eq!((cause.state.as_str(), cause.at), ("Check", at(30)));
    assert_eq!(cause.error.as_deref(), Some("Athena query failed"));
    assert_eq!(cause.message.as_deref(), Some(why));
    let cancelled = folded(&failed_query(&json!({"State": "CANCELLED"})));
    assert_eq!(cancelled.root_cause().unwrap().error.as_deref(), Some("Athena query cancelled"));
    // A query that went well says nothing about a Fail state behind it.
    let well = folded(&failed_query(&json!({"State": "SUCCEEDED"})));
    assert_eq!(well.root_cause().unwrap().state, "PipelineFailed");
}

/// Caught and gone on; later a Choice leads to a Fail state of this cause.
fn failed_later(cause: &str) -> Vec<HistoryEvent> {
    history(&[
        (1, 0, 0, "ExecutionStarted", json!({"input": "{}"})),
        (2, 0, 0, "TaskStateEntered", named("Look")),
        (3, 2, 0, "TaskScheduled", json!({})),
        (4, 3, 1, "TaskFailed", json!({"error": "S3.NoSuchKeyException", "cause": "no such key"})),
        (5, 4, 1, "TaskStateExited", json!({"name": "Look", "output": "{}"})),
        (6, 5, 2, "ChoiceStateEntered", named("Decide")),
        (7, 6, 2, "ChoiceStateExited", json!({"name": "Decide", "output": "{}"})),
        (8, 7, 2, "FailStateEntered", named("Refuse")),
        (9, 8, 2, "ExecutionFailed", json!({"error": "Refused", "cause": cause})),
    ])
}

#[test]
fn what_was_caught_long_before_is_no_cause_unless_it_is_spoken_of() {
    let timeline = folded(&failed_later("the input said no"));
    let cause = timeline.root_cause().unwrap();
    assert_eq!((cause.state.as_str(), cause.error.as_deref()), ("Refuse", Some("Refused")));
    let timeline = folded(&failed_later("after S3.NoSuchKeyException: no such key"));
    assert_eq!(timeline.root_cause().unwrap().state, "Look");
}

#[test]
fn a_failed_attempt_is_retrying_until_the_next_begins() {
    let events = failed_copy();
    assert_eq!(folded(&events[..5]).now("Invoke").standing, Standing::Retrying);
    assert_eq!(folded(&events[..6]).now("Invoke").standing, Standing::Running);
    assert_eq!(folded(&events[..10]).current(), Some(1));
}

#[test]
fn a_wait_knows_its_end() {
    let timeline = folded(&failed_copy()[..10]);
    let pause = &timeline.visits()[1];
    assert_eq!(timeline.wait_until(pause, &json!({"Type": "Wait", "Seconds": 5})), Some(at(7900)));
    let stamp = json!({"Timestamp": "2026-01-01T00:00:09Z"});
    assert_eq!(timeline.wait_until(pause, &stamp), Some(at(9000)));
    assert_eq!(timeline.wait_until(pause, &json!({"SecondsPath": "$.n"})), None);
}

#[test]
fn iterations_are_counted_and_stopped_with_their_map() {
    let timeline = folded(&caught_map());
    let map = &timeline.visits()[0];
    assert_eq!(map.parts, Some(Parts { total: Some(3), started: 3, succeeded: 1, failed: 1, aborted: 1 }));
    assert_eq!(map.standing, Standing::Caught);
    assert_eq!(map.error.as_deref(), Some("States.QueryEvaluationError"));
    let check = timeline.now("Check");
    assert_eq!((check.scopes, check.failed, check.running), (3, 1, 0));
    assert_eq!(check.standing, Standing::Failed);
    assert_eq!(timeline.status(), Some(Status::Succeeded));
    assert_eq!(timeline.root_cause(), None);
}

#[test]
fn branches_belong_to_their_parallel_and_a_failure_stops_the_others() {
    let timeline = folded(&history(&[
        (1, 0, 0, "ExecutionStarted", json!({})),
        (2, 0, 0, "ParallelStateEntered", named("Both")),
        (3, 2, 0, "ParallelStateStarted", Value::Null),
        (4, 3, 1, "WaitStateEntered", named("Slow")),
        (5, 3, 1, "TaskStateEntered", named("Quick")),
        (6, 5, 1, "LambdaFunctionScheduled", json!({"resource": "arn:f"})),
        (7, 6, 2, "LambdaFunctionStarted", Value::Null),
        (
            8,
            7,
            3,
            "LambdaFunctionFailed",
            json!({"error": "Boom", "cause": "{\"errorMessage\": \"no disk\"}"}),
        ),
        (9, 8, 3, "ParallelStateFailed", Value::Null),
        (10, 9, 3, "ExecutionFailed", json!({"error": "Boom", "cause": "{\"errorMessage\": \"no disk\"}"})),
    ]));
    assert_eq!(timeline.now("Slow").standing, Standing::Aborted);
    assert_eq!(timeline.now("Quick").standing, Standing::Failed);
    assert_eq!(timeline.now("Both").standing, Standing::Failed);
    assert_eq!(timeline.visits()[0].parts.unwrap().started, 2);
    assert_eq!(timeline.root_cause().unwrap().state, "Quick");
    let failure = timeline.event(8).unwrap().clone();
    assert_eq!(timeline.line(&failure).as_deref(), Some("Quick failed: Boom, no disk"));
}

#[test]
fn a_redrive_continues_the_failed_state() {
    let timeline = folded(&history(&[
        (1, 0, 0, "ExecutionStarted", json!({})),
        (2, 0, 0, "TaskStateEntered", named("Copy")),
        (3, 2, 0, "TaskScheduled", json!({})),
        (4, 3, 1, "TaskFailed", json!({"error": "E"})),
        (5, 4, 1, "ExecutionFailed", json!({"error": "E"})),
        (6, 5, 9, "ExecutionRedriven", json!({"redriveCount": 1})),
        (7, 6, 9, "TaskScheduled", json!({})),
    ]));
    assert_eq!(timeline.status(), Some(Status::Running));
    assert_eq!(timeline.now("Copy").standing, Standing::Running);
    assert_eq!(timeline.redrives(), 1);
    assert_eq!(timeline.visits()[0].attempts.len(), 2);
}

#[test]
fn a_redrive_continues_what_was_stopped() {
    let timeline = folded(&history(&[
        (1, 0, 0, "ExecutionStarted", json!({})),
        (2, 0, 0, "TaskStateEntered", named("Ask")),
        (3, 2, 0, "TaskScheduled", json!({})),
        (4, 3, 1, "TaskStateAborted", Value::Null),
        (5, 4, 1, "ExecutionAborted", json!({"error": "Stopped"})),
        (6, 5, 9, "ExecutionRedriven", json!({"redriveCount": 1})),
        (7, 6, 9, "TaskScheduled", json!({})),
    ]));
    assert_eq!(timeline.now("Ask").standing, Standing::Running);
    assert_eq!((timeline.visits()[0].attempts.len(), timeline.owner(7)), (2, Some(0)));
}

#[test]
fn transitions_read_as_lines() {
    let events = failed_copy();
    let timeline = folded(&events);
    let lines: Vec<_> = events.iter().filter_map(|event| timeline.line(event)).collect();
    assert_eq!(
        lines,
        [
            "execution started",
            "Invoke entered",
            "Invoke failed: Lambda.TooManyRequestsException, slow down",
            "Invoke retry 1 begins",
            "Invoke succeeded in 2.89 s",
            "Pause entered",
            "Pause succeeded in 5.00 s",
            "Copy entered",
            "Copy failed: S3.NoSuchKeyException, The specified key does not exist.",
            "Copy caught its error, left after 90 ms",
            "Tell entered",
            "Tell succeeded in 99 ms",
            "PipelineFailed entered",
            "execution failed after 8.10 s: PipelineFailed, see above",
        ]
    );
}

#[test]
fn passes_and_iterations_know_what_follows_them() {
    let timeline = folded(&caught_map());
    assert_eq!(timeline.visits_of("Check"), [1, 2, 3]);
    let item = |index| timeline.visit_in("Check", Scope { container: 0, index });
    assert_eq!((item(0), item(1), item(2), item(3)), (Some(1), Some(2), Some(3), None));
    let numbers: Vec<_> = timeline.visits().iter().map(|visit| (visit.number, visit.next)).collect();
    assert_eq!(numbers, [(0, None), (0, None), (1, None), (2, None)]);
    // Each iteration by itself; the map itself belongs to none.
    let standing =
        |index| timeline.now_in("Check", Scope { container: 0, index }).map(|now| (now.standing, now.last));
    assert_eq!(standing(0), Some((Standing::Succeeded, Some(1))));
    assert_eq!(standing(1), Some((Standing::Failed, Some(2))));
    assert_eq!(standing(2), Some((Standing::Aborted, Some(3))));
    assert_eq!(standing(7), Some((Standing::NotReached, None)));
    assert_eq!(timeline.now_in("Each", Scope { container: 0, index: 0 }), None);
    let timeline = folded(&failed_copy());
    let next: Vec<_> = timeline.visits().iter().map(|visit| visit.next).collect();
    assert_eq!(next, [Some(1), Some(2), Some(3), Some(4), None]);
    assert_eq!(timeline.firsts().map(|visit| visit.name.as_str()).nth(2), Some("Copy"));
}

#[test]
fn variables_are_those_of_the_own_flow_and_around_it_so_far() {
    let exit =
        |name: &str, assigned: Value| json!({"name": name, "output": "{}", "assignedVariables": assigned});
    let timeline = folded(&history(&[
        (1, 0, 0, "ExecutionStarted", json!({})),
        (2, 0, 0, "PassStateEntered", named("Set")),
        (3, 2, 0, "PassStateExited", exit("Set", json!({"n": "1", "who": "\"a\""}))),
        (4, 3, 0, "MapStateEntered", named("Each")),
        (5, 4, 0, "MapStateStarted", json!({"length": 2})),
        (6, 5, 1, "MapIterationStarted", json!({"name": "Each", "index": 0})),
        (7, 6, 1, "PassStateEntered", named("Count")),
        (8, 7, 1, "PassStateExited", exit("Count", json!({"inner": "[1]"}))),
        (9, 5, 1, "MapIterationStarted", json!({"name": "Each", "index": 1})),
        (10, 9, 1, "PassStateEntered", named("Count")),
        (11, 8, 2, "MapIterationSucceeded", json!({"name": "Each", "index": 0})),
        (12, 11, 3, "MapStateExited", exit("Each", json!({"n": "2"}))),
        (13, 12, 3, "PassStateEntered", named("Last")),
    ]));
    let seen = |visit: usize| -> Option<Value> {
        let text = timeline.variables(&timeline.visits()[visit])?;
        Some(serde_json::from_str(&text).unwrap())
    };
    assert_eq!(seen(0), Some(json!({"n": 1, "who": "a"})));
    assert_eq!(seen(2), Some(json!({"n": 1, "who": "a", "inner": [1]})));
    assert_eq!(seen(3), Some(json!({"n": 1, "who": "a"})), "not those of another iteration");
    assert_eq!(seen(4), Some(json!({"n": 2, "who": "a"})));
    assert!(!folded(&failed_copy()).has_variables(&timeline.visits()[0]));
}
