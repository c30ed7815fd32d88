//! Executions of express state machines. They have no history API: what they logged to CloudWatch Logs is
//! all there is. One log event is one history event (Step Functions developer guide, "Using CloudWatch Logs
//! to log execution history in Step Functions"):
//!
//! ```json
//! {"id": "1", "type": "ExecutionStarted", "details": {"input": "{}"}, "previous_event_id": "0",
//!  "event_timestamp": "1596482395434", "execution_arn": "arn:aws:states:…:express:Name:run:uuid"}
//! ```

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::execution::{Execution, HistoryEvent, Status, name_of};
use super::log::LogLine;
use super::timeline::Timeline;

/// The executions that some log lines tell of, newest first, with what is known of each.
pub fn executions(machine_arn: &str, lines: &[LogLine]) -> Vec<(Execution, Timeline)> {
    let mut events: BTreeMap<String, Vec<HistoryEvent>> = BTreeMap::new();
    for line in lines {
        if let Some((arn, event)) = read(line) {
            events.entry(arn).or_default().push(event);
        }
    }
    let mut found: Vec<(Execution, Timeline)> = events
        .into_iter()
        .map(|(arn, events)| {
            let mut timeline = Timeline::new();
            timeline.extend(&events);
            (execution(machine_arn, arn, &timeline), timeline)
        })
        .collect();
    found.sort_by(|(a, _), (b, _)| b.started.cmp(&a.started).then_with(|| a.arn.cmp(&b.arn)));
    found
}

/// One log event: the execution's ARN and the history event. Lines of anything else are none.
fn read(line: &LogLine) -> Option<(String, HistoryEvent)> {
    let value: Value = serde_json::from_str(&line.text).ok()?;
    let number = |name: &str| match value.get(name)? {
        Value::String(text) => text.parse::<i64>().ok(),
        other => other.as_i64(),
    };
    let at = number("event_timestamp").and_then(DateTime::<Utc>::from_timestamp_millis);
    let event = HistoryEvent {
        id: number("id")?,
        previous: number("previous_event_id").unwrap_or(0),
        at: at.unwrap_or(line.at),
        kind: value.get("type")?.as_str()?.to_owned(),
        details: value.get("details").cloned().unwrap_or(Value::Null),
    };
    Some((value.get("execution_arn")?.as_str()?.to_owned(), event))
}

fn execution(machine_arn: &str, arn: String, timeline: &Timeline) -> Execution {
    let first = timeline.nth(0).map(|event| event.at).unwrap_or_default();
    Execution {
        name: name_of(&arn).to_owned(),
        machine_arn: machine_arn.to_owned(),
        status: timeline.status().unwrap_or(Status::Running),
        started: timeline.started().unwrap_or(first),
        stopped: timeline.stopped(),
        input: timeline.input().map(String::from),
        output: timeline.output().map(String::from),
        error: timeline.error().map(String::from),
        cause: timeline.cause().map(String::from),
        redrives: 0,
        arn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_events_of_two_executions_become_two() {
        let line =
            |text: String| LogLine { id: String::new(), at: DateTime::UNIX_EPOCH, stream: "s".into(), text };
        let event = |arn: &str, id: i64, kind: &str, at: i64| {
            line(format!(
                r#"{{"id":"{id}","type":"{kind}","details":{{"input":"{{}}"}},"previous_event_id":"{}","event_timestamp":"{at}","execution_arn":"arn:aws:states:us-east-1:1:express:M:{arn}:u"}}"#,
                id - 1
            ))
        };
        let lines = [
            event("one", 1, "ExecutionStarted", 1_000),
            event("two", 1, "ExecutionStarted", 2_000),
            event("one", 2, "ExecutionSucceeded", 1_500),
            line("START RequestId: no JSON".into()),
            line("{\"id\": 3}".into()),
        ];
        let found = executions("arn:m", &lines);
        let told: Vec<_> =
            found.iter().map(|(one, timeline)| (one.name.as_str(), one.status, timeline.len())).collect();
        assert_eq!(told, [("two", Status::Running, 1), ("one", Status::Succeeded, 2)]);
        assert_eq!(found[1].0.stopped.map(|at| at.timestamp_millis()), Some(1_500));
    }
}
