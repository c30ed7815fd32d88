//! Logging into CloudWatch Logs: a machine's configuration, and the writer of the lines. Logs are
//! written after the events they tell of are safe, in order and a moment later, as AWS writes them.

use std::collections::BTreeMap;
use std::sync::{OnceLock, Weak};

use futures::FutureExt;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::super::bus::Bus;
use super::super::fault::Fault;
use super::record::{self, put};
use crate::asl::event::Event;

/// Lines written with one call at most.
const AT_ONCE: usize = 1000;

/// The configuration as it is kept and shown.
pub fn configuration(given: &Value) -> Result<Value, Fault> {
    let level = given["level"].as_str().unwrap_or("OFF");
    let levels = ["ALL", "ERROR", "FATAL", "OFF"];
    if !levels.contains(&level) {
        return Err(Fault::client(
            "ValidationException",
            format!(
                "1 validation error detected: Value '{level}' at 'loggingConfiguration.level' failed to satisfy \
                 constraint: Member must satisfy enum value set: [{}]",
                levels.join(", ")
            ),
        ));
    }
    let mut logging = json!({
        "level": level,
        "includeExecutionData": given["includeExecutionData"].as_bool().unwrap_or(false),
    });
    let destinations = given["destinations"].as_array();
    let count = destinations.map_or(0, Vec::len);
    if count > 1 || count == 0 && level != "OFF" {
        return Err(Fault::client(
            "InvalidLoggingConfiguration",
            "Invalid Logging Configuration: Must specify exactly one Log Destination.",
        ));
    }
    if let Some(destination) = destinations.and_then(|d| d.first())
        && group(destination).is_none()
    {
        return Err(Fault::client(
            "InvalidLoggingConfiguration",
            "Invalid Logging Configuration: Log Destination must be the ARN of a log group that ends with ':*'.",
        ));
    }
    put(&mut logging, "destinations", destinations.cloned());
    Ok(logging)
}

/// The name of the group of `{"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:…:log-group:name:*"}}`.
fn group(destination: &Value) -> Option<&str> {
    let arn = destination["cloudWatchLogsLogGroup"]["logGroupArn"].as_str()?;
    let (_, name) = arn.strip_prefix("arn:")?.split_once(":log-group:")?;
    name.strip_suffix(":*").filter(|name| !name.is_empty())
}

/// What of an execution is logged, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logging {
    group: String,
    stream: String,
    level: Level,
    /// Inputs and outputs too.
    data: bool,
    /// The execution's ARN.
    execution: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    All,
    Error,
    Fatal,
}

impl Logging {
    /// From a machine's configuration; `None` when nothing is logged.
    pub fn of(configuration: &Value, record: &record::Execution, execution: String) -> Option<Logging> {
        let level = match configuration["level"].as_str()? {
            "ALL" => Level::All,
            "ERROR" => Level::Error,
            "FATAL" => Level::Fatal,
            _ => return None,
        };
        let minute = record.started.format("%Y-%m-%d-%H-%M");
        let digest = record::digest(&execution);
        Some(Logging {
            group: group(configuration["destinations"].get(0)?)?.to_owned(),
            stream: format!("states/{}/{minute}/{}", record.machine, &digest[..8]),
            level,
            data: configuration["includeExecutionData"].as_bool().unwrap_or(false),
            execution,
        })
    }

    /// Which events each level logs: Step Functions Developer Guide, "Logging to CloudWatch Logs",
    /// log levels.
    fn wants(&self, kind: &str) -> bool {
        let fatal = matches!(kind, "ExecutionAborted" | "ExecutionFailed" | "ExecutionTimedOut");
        match self.level {
            Level::All => true,
            Level::Fatal => fatal,
            Level::Error => {
                let ends = ["Failed", "TimedOut", "Aborted"];
                fatal || kind == "FailStateEntered" || ends.iter().any(|end| kind.ends_with(end))
            }
        }
    }

    fn line(&self, event: &Event, redrives: u32) -> Value {
        let mut details = event.details.clone().unwrap_or_else(|| json!({}));
        if let (false, Some(members)) = (self.data, details.as_object_mut()) {
            members.retain(|name, _| {
                let name = name.strip_suffix("Details").unwrap_or(name);
                !matches!(name, "input" | "output" | "parameters" | "assignedVariables")
            });
        }
        json!({
            "id": event.id.to_string(),
            "type": event.kind,
            "details": details,
            "previous_event_id": event.previous.to_string(),
            "event_timestamp": event.at.timestamp_millis().to_string(),
            "execution_arn": self.execution,
            "redrive_count": redrives.to_string(),
        })
    }
}

/// Writes lines in the order they come.
#[derive(Default)]
pub struct Writer(OnceLock<mpsc::UnboundedSender<Line>>);

struct Line {
    group: String,
    stream: String,
    at: i64,
    message: String,
}

impl Writer {
    /// Logs what the level wants of the events.
    pub fn log(&self, bus: &Weak<Bus>, logging: &Logging, events: &[Event], redrives: u32) {
        let lines = self.0.get_or_init(|| {
            let (lines, queue) = mpsc::unbounded_channel();
            tokio::spawn(write(bus.clone(), queue).boxed());
            lines
        });
        for event in events.iter().filter(|event| logging.wants(&event.kind)) {
            let line = Line {
                group: logging.group.clone(),
                stream: logging.stream.clone(),
                at: event.at.timestamp_millis(),
                message: logging.line(event, redrives).to_string(),
            };
            if lines.send(line).is_err() {
                tracing::warn!("the log of an execution is no longer written");
                return;
            }
        }
    }
}

async fn write(bus: Weak<Bus>, mut queue: mpsc::UnboundedReceiver<Line>) {
    let mut lines = Vec::new();
    while queue.recv_many(&mut lines, AT_ONCE).await > 0 {
        let Some(bus) = bus.upgrade() else { return };
        let mut places: BTreeMap<(String, String), Vec<Value>> = BTreeMap::new();
        for line in lines.drain(..) {
            let event = json!({"timestamp": line.at, "message": line.message});
            places.entry((line.group, line.stream)).or_default().push(event);
        }
        for ((group, stream), events) in places {
            for events in by_size(events) {
                if let Err(fault) = put_events(&bus, &group, &stream, events).await {
                    tracing::warn!(group, %fault, "the log of an execution could not be written");
                }
            }
        }
    }
}

/// Batches that one call may carry: a million bytes, of which each event takes 26 for itself.
fn by_size(events: Vec<Value>) -> Vec<Vec<Value>> {
    let (mut batches, mut size) = (vec![Vec::new()], 0);
    for event in events {
        let length = event["message"].as_str().map_or(0, str::len) + 26;
        if size + length > 1_000_000 {
            batches.push(Vec::new());
            size = 0;
        }
        size += length;
        if let Some(batch) = batches.last_mut() {
            batch.push(event);
        }
    }
    batches.retain(|batch| !batch.is_empty());
    batches
}

/// Makes the group and the stream when they are missing: a local machine needs no administrator.
async fn put_events(bus: &Bus, group: &str, stream: &str, events: Vec<Value>) -> Result<(), Fault> {
    let request = json!({"logGroupName": group, "logStreamName": stream, "logEvents": events});
    match bus.call("logs", "PutLogEvents", request.clone()).await {
        Err(fault) if fault.code == "ResourceNotFoundException" => {}
        answer => return answer.map(drop),
    }
    let there = |answer: Result<Value, Fault>| match answer {
        Err(fault) if fault.code != "ResourceAlreadyExistsException" => Err(fault),
        _ => Ok(()),
    };
    there(bus.call("logs", "CreateLogGroup", json!({"logGroupName": group})).await)?;
    let place = json!({"logGroupName": group, "logStreamName": stream});
    there(bus.call("logs", "CreateLogStream", place).await)?;
    bus.call("logs", "PutLogEvents", request).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logging(level: Level, data: bool) -> Logging {
        Logging {
            group: "g".into(),
            stream: "s".into(),
            level,
            data,
            execution: "arn:aws:states:us-east-1:000000000000:execution:m:x".into(),
        }
    }

    fn event(kind: &str, details: Value) -> Event {
        let at = chrono::DateTime::from_timestamp_millis(1_700_000_000_123).unwrap();
        Event { id: 3, previous: 2, at, kind: kind.into(), details: Some(details) }
    }

    /// Step Functions Developer Guide, the table of log levels.
    #[test]
    fn levels_choose_the_events() {
        let kinds =
            ["ExecutionStarted", "TaskFailed", "FailStateEntered", "ExecutionFailed", "WaitStateAborted"];
        let of = |level| kinds.map(|kind| logging(level, true).wants(kind));
        assert_eq!(of(Level::All), [true; 5]);
        assert_eq!(of(Level::Error), [false, true, true, true, true]);
        assert_eq!(of(Level::Fatal), [false, false, false, true, false]);
    }

    #[test]
    fn data_is_left_out_unless_it_is_wanted() {
        let details = json!({"name": "S", "output": "{}", "outputDetails": {"truncated": false}});
        let with = logging(Level::All, true).line(&event("PassStateExited", details.clone()), 1);
        assert_eq!(with["details"], details);
        let without = logging(Level::All, false).line(&event("PassStateExited", details), 1);
        assert_eq!(without["details"], json!({"name": "S"}));
        assert_eq!(without["event_timestamp"], "1700000000123");
        assert_eq!(without["redrive_count"], "1");
        let failed = event("ExecutionFailed", json!({"error": "E", "cause": "why"}));
        let shown = logging(Level::All, false).line(&failed, 0);
        assert_eq!(shown["details"], json!({"error": "E", "cause": "why"}), "errors are no data");
    }

    #[test]
    fn destinations_are_log_groups() {
        let to = |arn: &str| json!([{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}]);
        let arn = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/vendedlogs/states/x:*";
        let good = configuration(&json!({"level": "ALL", "destinations": to(arn)})).unwrap();
        assert_eq!(good["includeExecutionData"], false);
        assert!(configuration(&json!({"level": "ALL", "destinations": to("nothing")})).is_err());
        assert!(configuration(&json!({"level": "ALL"})).is_err());
        assert!(configuration(&json!({"level": "SOME"})).is_err());
        assert_eq!(configuration(&Value::Null).unwrap()["level"], "OFF");
    }
}
