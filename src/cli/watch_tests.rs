use futures::stream;
use serde_json::json;

use super::*;
use crate::aws::Kind;
use crate::cli::output::tests::written;

const ARN: &str = "arn:aws:states:us-east-1:000000000000:execution:M:run-1";

fn clock(at: DateTime<Utc>) -> String {
    at.format("%S%.3f").to_string()
}

fn event(id: i64, kind: &str, details: Value) -> HistoryEvent {
    let at = DateTime::from_timestamp_millis(id * 100).unwrap();
    HistoryEvent { id, previous: id - 1, at, kind: kind.into(), details }
}

fn failure(kind: Kind) -> Error {
    let (code, message) = ("Code".to_owned(), "what the service says".to_owned());
    Error { kind, operation: "GetExecutionHistory", code, message, hint: None }
}

/// Data, talk, and how it ended.
fn followed(
    format: Format,
    items: Vec<Result<Vec<HistoryEvent>, Error>>,
) -> (String, String, Result<Exit, Problem>) {
    let mut exit = Ok(Exit::Interrupted);
    let (data, talk) = written(format, |out| {
        exit = futures::executor::block_on(tell(out, &clock, ARN, stream::iter(items)));
    });
    (data, talk, exit)
}

fn failed() -> Vec<HistoryEvent> {
    vec![
        event(1, "ExecutionStarted", json!({"input": "{}"})),
        event(2, "TaskStateEntered", json!({"name": "Copy", "input": "{}"})),
        event(3, "TaskScheduled", json!({"resource": "copyObject"})),
        event(4, "TaskStarted", json!({})),
        event(5, "TaskFailed", json!({"error": "S3.NoSuchKeyException", "cause": "no such key"})),
        event(6, "ExecutionFailed", json!({"error": "S3.NoSuchKeyException", "cause": "no such key"})),
    ]
}

#[test]
fn people_read_transitions_and_where_it_failed() {
    let all = failed();
    // In two batches, with a failure that passes between them.
    let items = vec![Ok(all[..4].to_vec()), Err(failure(Kind::Throttled)), Ok(all[4..].to_vec())];
    let (data, talk, exit) = followed(Format::Table, items);
    assert_eq!(
        data,
        "00.100  execution started\n\
         00.200  Copy entered\n\
         00.500  Copy failed: S3.NoSuchKeyException, no such key\n\
         00.600  execution failed after 500 ms: S3.NoSuchKeyException, no such key\n"
    );
    assert!(talk.contains("GetExecutionHistory is throttled"), "{talk}");
    assert!(talk.contains("; trying again\n"), "{talk}");
    assert!(
        talk.contains("error: Copy is where it failed\n  S3.NoSuchKeyException\n  no such key"),
        "{talk}"
    );
    assert_eq!(exit, Ok(Exit::No));
}

#[test]
fn programs_get_every_event() {
    let (data, _, _) = followed(Format::Ndjson, vec![Ok(failed())]);
    let rows: Vec<Value> = data.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 6);
    assert_eq!(rows[2]["type"], "TaskScheduled");
    assert_eq!(
        (&rows[2]["state"], &rows[2]["line"], &rows[2]["details"]["resource"]),
        (&json!("Copy"), &Value::Null, &json!("copyObject"))
    );
    assert_eq!(
        (&rows[0]["execution_arn"], &rows[0]["at"]),
        (&json!(ARN), &json!("1970-01-01T00:00:00.100Z"))
    );
}

#[test]
fn success_is_silent_and_the_rest_is_told_apart() {
    let end = |kind: &str| {
        let last = event(2, kind, json!({"error": "Stopped"}));
        followed(Format::Table, vec![Ok(vec![failed().remove(0), last])])
    };
    let (_, talk, exit) = end("ExecutionSucceeded");
    assert_eq!((talk.as_str(), exit), ("", Ok(Exit::Done)));
    let (_, talk, exit) = end("ExecutionAborted");
    assert!(talk.starts_with("error: It was stopped from outside\n  Stopped\n"), "{talk}");
    assert_eq!(exit, Ok(Exit::No));
    assert!(end("ExecutionTimedOut").1.starts_with("error: It took longer than its TimeoutSeconds"));
    // What will not pass ends the watching.
    let (data, _, exit) =
        followed(Format::Table, vec![Ok(failed()[..1].to_vec()), Err(failure(Kind::NotFound))]);
    assert_eq!(data, "00.100  execution started\n");
    assert_eq!(exit.unwrap_err().title, "Not found (GetExecutionHistory)");
}

#[test]
fn an_express_execution_is_looked_for_in_its_log() {
    let account = "arn:aws:states:us-east-1:000000000000";
    let refused = refuse_express(&format!("{account}:express:Quick:run:9f3a")).unwrap_err();
    assert_eq!(refused.title, "Express executions have no history");
    assert!(refused.hint.unwrap().contains(&format!("--open workflows/{account}:stateMachine:Quick")));
    assert_eq!(refuse_express(ARN), Ok(()));
}
