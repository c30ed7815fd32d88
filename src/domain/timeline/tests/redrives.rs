//! What a redrive goes on with, as "Redrive behavior of individual states" in the Step Functions Developer
//! Guide has it: of a Parallel and an inline Map the branches and iterations that failed or were aborted.

use super::*;

/// Waits of 6 s and 3 s beside a Pass; stopped after a second, redriven half a second later.
fn parallel() -> Vec<HistoryEvent> {
    history(&[
        (1, 0, 0, "ExecutionStarted", json!({"input": "{}"})),
        (2, 0, 0, "ParallelStateEntered", named("P")),
        (3, 2, 0, "ParallelStateStarted", Value::Null),
        (4, 3, 0, "WaitStateEntered", named("B1")),
        (5, 3, 0, "WaitStateEntered", named("B2")),
        (6, 3, 0, "PassStateEntered", named("B3")),
        (7, 6, 0, "PassStateExited", json!({"name": "B3", "output": "{}"})),
        (8, 5, 1000, "WaitStateAborted", Value::Null),
        (9, 4, 1000, "WaitStateAborted", Value::Null),
        (10, 3, 1000, "ParallelStateAborted", Value::Null),
        (11, 10, 1000, "ExecutionAborted", json!({"error": "Stopped"})),
        (12, 11, 1500, "ExecutionRedriven", json!({"redriveCount": 1})),
        (13, 12, 1500, "WaitStateEntered", named("B1")),
        (14, 12, 1500, "WaitStateEntered", named("B2")),
        (15, 14, 4500, "WaitStateExited", json!({"name": "B2", "output": "{}"})),
        (16, 13, 7500, "WaitStateExited", json!({"name": "B1", "output": "{}"})),
        (17, 16, 7500, "ParallelStateSucceeded", Value::Null),
        (18, 16, 7500, "ParallelStateExited", json!({"name": "P", "output": "[{},{},{}]"})),
        (19, 18, 7500, "ExecutionSucceeded", json!({"output": "[{},{},{}]"})),
    ])
}

#[test]
fn a_branch_that_was_stopped_goes_on_as_itself() {
    let running = folded(&parallel()[..14]);
    assert_eq!(running.visits()[0].standing, Standing::Running);
    assert_eq!(running.visits()[0].parts.unwrap().started, 3);
    for (name, index) in [("B1", 0), ("B2", 1)] {
        let now = running.now(name);
        assert_eq!(
            (now.standing, now.visits, now.scopes, now.running),
            (Standing::Running, 1, 1, 1),
            "{name}"
        );
        let last = &running.visits()[now.last.unwrap()];
        assert_eq!(last.scope, Some(Scope { container: 0, index }), "{name}");
    }
    let timeline = folded(&parallel());
    for name in ["P", "B1", "B2", "B3"] {
        let now = timeline.now(name);
        assert_eq!((now.standing, now.visits, now.scopes), (Standing::Succeeded, 1, 1), "{name}");
    }
    // 7.5 s from its entry to its exit, of which half a second nothing ran.
    assert_eq!(timeline.visits()[0].duration(at(99_999)), TimeDelta::seconds(7));
    // B1 took longest.
    assert!(timeline.is_critical(timeline.last_visit("B1").unwrap()));
    assert!(!timeline.is_critical(timeline.last_visit("B2").unwrap()));
}

fn item(input: &str) -> Value {
    json!({"name": "Nap", "input": input})
}

/// Two of four items are done when it is stopped; the others begin anew in this order.
fn map(again: [&str; 2]) -> Vec<HistoryEvent> {
    let index = |index: u64| json!({"name": "M", "index": index});
    let left = json!({"name": "Nap", "output": "0"});
    history(&[
        (1, 0, 0, "ExecutionStarted", json!({"input": "[1,2,5,6]"})),
        (2, 0, 0, "MapStateEntered", named("M")),
        (3, 2, 0, "MapStateStarted", json!({"length": 4})),
        (4, 3, 0, "MapIterationStarted", index(0)),
        (5, 3, 0, "MapIterationStarted", index(1)),
        (6, 3, 0, "MapIterationStarted", index(2)),
        (7, 3, 0, "MapIterationStarted", index(3)),
        (8, 4, 0, "WaitStateEntered", item("1")),
        (9, 5, 0, "WaitStateEntered", item("2")),
        (10, 6, 0, "WaitStateEntered", item("5")),
        (11, 7, 0, "WaitStateEntered", item("6")),
        (12, 8, 1000, "WaitStateExited", left.clone()),
        (13, 12, 1000, "MapIterationSucceeded", index(0)),
        (14, 9, 2000, "WaitStateExited", left.clone()),
        (15, 14, 2000, "MapIterationSucceeded", index(1)),
        (16, 11, 3000, "WaitStateAborted", Value::Null),
        (17, 11, 3000, "MapIterationAborted", index(3)),
        (18, 10, 3000, "WaitStateAborted", Value::Null),
        (19, 10, 3000, "MapIterationAborted", index(2)),
        (20, 3, 3000, "MapStateAborted", Value::Null),
        (21, 20, 3000, "ExecutionAborted", json!({"error": "Stopped"})),
        (22, 21, 3500, "ExecutionRedriven", json!({"redriveCount": 1})),
        (23, 22, 3500, "WaitStateEntered", item(again[0])),
        (24, 22, 3500, "WaitStateEntered", item(again[1])),
        (25, 23, 8500, "WaitStateExited", left.clone()),
        (26, 25, 8500, "MapIterationSucceeded", index(if again[0] == "5" { 2 } else { 3 })),
    ])
}

#[test]
fn iterations_that_were_stopped_run_again_under_their_numbers() {
    for (again, indexes) in [(["5", "6"], [2, 3]), (["6", "5"], [3, 2])] {
        let events = map(again);
        let parts = |upto: usize| folded(&events[..upto]).visits()[0].parts.unwrap();
        let of = |succeeded, aborted| Parts { total: Some(4), started: 4, succeeded, failed: 0, aborted };
        assert_eq!(parts(21), of(2, 2));
        assert_eq!(parts(24), of(2, 0), "two are done and two run");
        assert_eq!(parts(26), of(3, 0));
        let timeline = folded(&events[..24]);
        let scopes: Vec<_> = timeline.visits()[5..].iter().map(|visit| visit.scope.unwrap().index).collect();
        assert_eq!(scopes, indexes, "told apart by their input");
        let nap = timeline.now("Nap");
        assert_eq!((nap.visits, nap.scopes, nap.running), (4, 4, 2));
    }
}

/// Two tasks side by side, and a Parallel that holds a Wait, are stopped together.
#[test]
fn what_has_no_name_is_known_by_its_parameters() {
    let task = |key: &str| json!({"resource": "copyObject", "parameters": format!("{{\"Key\":\"{key}\"}}")});
    let events = history(&[
        (1, 0, 0, "ExecutionStarted", json!({"input": "{}"})),
        (2, 0, 0, "ParallelStateEntered", named("P")),
        (3, 2, 0, "ParallelStateStarted", Value::Null),
        (4, 3, 0, "TaskStateEntered", named("One")),
        (5, 4, 0, "TaskScheduled", task("1")),
        (6, 3, 0, "TaskStateEntered", named("Two")),
        (7, 6, 0, "TaskScheduled", task("2")),
        (8, 3, 0, "ParallelStateEntered", named("Q")),
        (9, 8, 0, "ParallelStateStarted", Value::Null),
        (10, 9, 0, "WaitStateEntered", named("Inner")),
        (11, 7, 5, "TaskFailed", json!({"error": "E"})),
        (12, 10, 5, "WaitStateAborted", Value::Null),
        (13, 9, 5, "ParallelStateAborted", Value::Null),
        (14, 5, 5, "TaskStateAborted", Value::Null),
        (15, 11, 5, "ParallelStateFailed", Value::Null),
        (16, 15, 5, "ExecutionFailed", json!({"error": "E"})),
        (17, 16, 9, "ExecutionRedriven", json!({"redriveCount": 1})),
        (18, 17, 9, "TaskScheduled", task("2")),
        (19, 17, 9, "TaskScheduled", task("1")),
        (20, 17, 9, "WaitStateEntered", named("Inner")),
    ]);
    let timeline = folded(&events);
    let owner = |event: i64| timeline.visits()[timeline.owner(event).unwrap()].name.as_str();
    assert_eq!((owner(18), owner(19)), ("Two", "One"));
    let q = timeline.last_visit("Q").unwrap();
    assert_eq!(timeline.visits()[timeline.owner(20).unwrap()].scope, Some(Scope { container: q, index: 0 }));
    for name in ["P", "One", "Two", "Q", "Inner"] {
        assert_eq!(timeline.now(name).standing, Standing::Running, "{name}");
    }
    assert_eq!(timeline.visits()[0].parts.unwrap().started, 3);
    // "Retry attempts are reset": the attempt of a redrive is none.
    assert_eq!((timeline.now("Two").retries, timeline.now("One").retries), (0, 0));
    assert_eq!(timeline.line(&events[17]).as_deref(), Some("Two begins again"));
}

/// A branch ends in a Fail state before the one behind it has begun; the redrive enters both.
#[test]
fn a_branch_that_had_not_begun_is_another_one() {
    let timeline = folded(&history(&[
        (1, 0, 0, "ExecutionStarted", json!({"input": "{}"})),
        (2, 0, 0, "ParallelStateEntered", named("P")),
        (3, 2, 0, "ParallelStateStarted", Value::Null),
        (4, 3, 0, "FailStateEntered", named("No")),
        (5, 4, 0, "ParallelStateFailed", Value::Null),
        (6, 5, 0, "ExecutionFailed", json!({"error": "No"})),
        (7, 6, 9, "ExecutionRedriven", json!({"redriveCount": 1})),
        (8, 7, 9, "FailStateEntered", named("No")),
        (9, 7, 9, "WaitStateEntered", named("Late")),
    ]));
    let scopes: Vec<_> = timeline.visits()[1..].iter().map(|visit| visit.scope.unwrap().index).collect();
    assert_eq!(scopes, [0, 0, 1]);
    assert_eq!((timeline.now("No").visits, timeline.now("Late").standing), (1, Standing::Running));
}
