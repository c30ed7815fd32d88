//! A function's log, understood: which line is Lambda's own, which the function's, and what they tell of
//! each invocation.
//!
//! Formats: AWS Lambda Developer Guide, "Log and system formats": in text format Lambda writes
//! `START RequestId: …`, `END RequestId: …` and `REPORT RequestId: …` with tab-separated measures; in JSON
//! format `{"time", "type": "platform.report", "record": {…}}`. A function's own lines are JSON objects with
//! `level`, `message` and `requestId`, or any text.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use super::log::LogLine;

/// What a line is.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// An environment starts, before its first invocation.
    Environment,
    Start,
    End,
    Report(Report),
    /// `Task timed out after 3.00 seconds`
    TimedOut,
    /// A JSON line of the function: its message, and every other member in its order.
    Record {
        level: Level,
        message: String,
        fields: Map<String, Value>,
    },
    /// Any other text.
    Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    /// As Lambda spells it; `FATAL` is an error to a reader.
    fn parse(text: &str) -> Level {
        match text.to_ascii_uppercase().as_str() {
            "TRACE" => Level::Trace,
            "DEBUG" => Level::Debug,
            "WARN" | "WARNING" => Level::Warn,
            "ERROR" | "FATAL" | "CRITICAL" => Level::Error,
            _ => Level::Info,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Level::Trace => "TRACE",
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warn => "WARN",
            Level::Error => "ERROR",
        }
    }
}

/// The measures of a REPORT line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    pub duration: TimeDelta,
    pub billed: Option<TimeDelta>,
    /// Only an environment's first invocation has one.
    pub init: Option<TimeDelta>,
    /// MB as Lambda counts them.
    pub memory: Option<u32>,
    pub used: Option<u32>,
    /// `error`, `timeout`, `failure`; absent when all went well.
    pub status: Option<String>,
    /// `Runtime.ExitError`
    pub error: Option<String>,
}

/// A line with what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub line: LogLine,
    pub said: Said,
    /// The invocation it belongs to: named by the line, or the one that ran in its stream.
    pub request: Option<String>,
}

impl Entry {
    pub fn read(line: LogLine) -> Entry {
        let (said, request) = read(&line.text);
        Entry { line, said, request }
    }

    /// A member of a JSON line, when it is text.
    pub fn field(&self, name: &str) -> Option<&str> {
        match &self.said {
            Said::Record { fields, .. } => fields.get(name)?.as_str(),
            _ => None,
        }
    }

    /// The ARN of the execution that the line names, wherever it stands in it.
    pub fn execution(&self) -> Option<&str> {
        execution_in(&self.line.text)
    }
}

/// The first ARN of a Step Functions execution in a text.
pub fn execution_in(text: &str) -> Option<&str> {
    let mut from = 0;
    while let Some(at) = text[from..].find("arn:aws").map(|at| at + from) {
        let inside = |c: char| c.is_alphanumeric() || "-_:.".contains(c);
        let end = text[at..].find(|c| !inside(c)).map_or(text.len(), |end| at + end);
        let arn = text[at..end].trim_end_matches([':', '.']);
        let parts: Vec<&str> = arn.split(':').collect();
        if parts.get(2) == Some(&"states") && parts.get(5) == Some(&"execution") && parts.len() == 8 {
            return Some(arn);
        }
        from = end.max(at + 1);
    }
    None
}

/// A function's own JSON line as people read it: level, message, members. Members that say what the reader
/// knows already, such as the execution that is looked at, are left out. Any other text stays as it is.
pub fn brief(text: &str, known: &str) -> String {
    let (Said::Record { level, message, fields }, _) = read(text) else { return text.to_owned() };
    let mut brief = format!("{} {message}", level.as_str());
    for (name, value) in &fields {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if value != known {
            brief.push_str(&format!("  {name}={value}"));
        }
    }
    brief
}

fn read(text: &str) -> (Said, Option<String>) {
    if text.starts_with('{')
        && let Ok(Value::Object(members)) = serde_json::from_str(text)
    {
        return json(members);
    }
    let word = |rest: &str| rest.split_whitespace().next().map(str::to_owned);
    for (lead, said) in [("START RequestId: ", Said::Start), ("END RequestId: ", Said::End)] {
        if let Some(rest) = text.strip_prefix(lead) {
            return (said, word(rest));
        }
    }
    if let Some(rest) = text.strip_prefix("REPORT RequestId: ") {
        return (Said::Report(report(rest)), word(rest));
    }
    if text.starts_with("INIT_START ") || text.starts_with("INIT_REPORT ") {
        return (Said::Environment, None);
    }
    // `2026-01-01T15:04:11.204Z 7f3a… Task timed out after 3.00 seconds`
    if let Some((lead, _)) = text.split_once(" Task timed out after ") {
        return (Said::TimedOut, lead.split_whitespace().nth(1).map(str::to_owned));
    }
    (Said::Text, text.strip_prefix("RequestId: ").and_then(word))
}

/// `…\tDuration: 12.30 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB\t…`
fn report(rest: &str) -> Report {
    let mut report = Report::default();
    for part in rest.split('\t') {
        let Some((name, value)) = part.trim().split_once(": ") else { continue };
        let number = || value.split(' ').next().and_then(|number| number.parse::<f64>().ok());
        match name {
            "Duration" => report.duration = number().map(millis).unwrap_or_default(),
            "Billed Duration" => report.billed = number().map(millis),
            "Init Duration" => report.init = number().map(millis),
            "Memory Size" => report.memory = number().map(|number| number as u32),
            "Max Memory Used" => report.used = number().map(|number| number as u32),
            "Status" => report.status = Some(value.to_owned()),
            "Error Type" => report.error = Some(value.to_owned()),
            _ => {}
        }
    }
    report
}

fn millis(number: f64) -> TimeDelta {
    TimeDelta::microseconds((number * 1000.0) as i64)
}

fn json(mut members: Map<String, Value>) -> (Said, Option<String>) {
    if let (Some(kind), Some(record)) = (members.get("type").and_then(Value::as_str), members.get("record"))
        && let Some(kind) = kind.strip_prefix("platform.")
    {
        let request = record["requestId"].as_str().map(str::to_owned);
        let said = match kind {
            "start" => Said::Start,
            "runtimeDone" => Said::End,
            "report" => Said::Report(platform_report(record)),
            _ => Said::Environment,
        };
        return (said, request);
    }
    let mut take = |name: &str| match members.shift_remove(name) {
        Some(Value::String(text)) => Some(text),
        Some(other) => {
            members.insert(name.to_owned(), other);
            None
        }
        None => None,
    };
    let request = take("requestId").or_else(|| take("AWSRequestId"));
    let level = take("level").map_or(Level::Info, |level| Level::parse(&level));
    let message = take("message").or_else(|| take("msg")).unwrap_or_default();
    take("timestamp");
    (Said::Record { level, message, fields: members }, request)
}

/// Lambda's JSON system log: `metrics` with `durationMs`, `memorySizeMB` …
fn platform_report(record: &Value) -> Report {
    let metrics = &record["metrics"];
    let span = |name: &str| metrics[name].as_f64().map(millis);
    let count = |name: &str| metrics[name].as_u64().and_then(|count| u32::try_from(count).ok());
    Report {
        duration: span("durationMs").unwrap_or_default(),
        billed: span("billedDurationMs"),
        init: span("initDurationMs"),
        memory: count("memorySizeMB"),
        used: count("maxMemoryUsedMB"),
        status: record["status"].as_str().filter(|status| *status != "success").map(str::to_owned),
        error: record["errorType"].as_str().map(str::to_owned),
    }
}

/// How an invocation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It started, and no report came so far.
    Running,
    Succeeded,
    Failed,
    TimedOut,
}

/// What an invocation was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The key of an object that arrived.
    Object(String),
    /// The ARN of the execution on whose behalf it ran.
    Execution(String),
}

/// One invocation, as far as the log tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Invocation {
    pub request: String,
    pub started: DateTime<Utc>,
    pub outcome: Outcome,
    pub report: Option<Report>,
    pub subject: Option<Subject>,
    /// What went wrong: the first error it logged, or the type of the error that ended it.
    pub error: Option<String>,
    pub lines: usize,
}

/// A function runs 15 minutes at most (Lambda quotas); one without a report is over by then.
const LONGEST: TimeDelta = TimeDelta::minutes(15);

/// Gives every line to its invocation; answers the invocations, the youngest first. `entries` are sorted
/// by time.
pub fn invocations(entries: &mut [Entry], now: DateTime<Utc>) -> Vec<Invocation> {
    let mut found: Vec<Invocation> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut open: BTreeMap<&str, String> = BTreeMap::new();
    for entry in entries {
        let Entry { line, said, request } = entry;
        match (&said, &request) {
            (Said::Start, Some(request)) => {
                open.insert(&line.stream, request.clone());
            }
            (Said::Environment, _) => {
                open.remove(line.stream.as_str());
            }
            (_, None) => *request = open.get(line.stream.as_str()).cloned(),
            _ => {}
        }
        let Some(request) = request else { continue };
        let place = *places.entry(request.clone()).or_insert_with(|| {
            found.push(Invocation {
                request: request.clone(),
                started: line.at,
                outcome: Outcome::Running,
                report: None,
                subject: None,
                error: None,
                lines: 0,
            });
            found.len() - 1
        });
        found[place].take(line, said);
        if matches!(said, Said::Report(_)) && open.get(line.stream.as_str()) == Some(request) {
            open.remove(line.stream.as_str());
        }
    }
    found.iter_mut().for_each(|invocation| invocation.expire(now));
    found.sort_by_key(|invocation| std::cmp::Reverse(invocation.started));
    found
}

impl Invocation {
    /// A start whose report never came is no longer running when 15 minutes have passed.
    pub fn expire(&mut self, now: DateTime<Utc>) {
        if self.outcome == Outcome::Running && now - self.started > LONGEST {
            self.outcome = Outcome::Failed;
            self.error.get_or_insert_with(|| "no report came".to_owned());
        }
    }

    fn take(&mut self, line: &LogLine, said: &Said) {
        self.lines += 1;
        match said {
            Said::Report(report) => {
                self.outcome = match report.status.as_deref() {
                    None => Outcome::Succeeded,
                    Some("timeout") => Outcome::TimedOut,
                    Some(_) => Outcome::Failed,
                };
                if self.error.is_none() {
                    self.error.clone_from(&report.error);
                }
                self.report = Some(report.clone());
            }
            Said::TimedOut => self.error = Some("timed out".to_owned()),
            Said::Record { level, message, fields } => {
                let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
                if *level == Level::Error && self.error.is_none() {
                    self.error =
                        Some(text("error").filter(|_| message.is_empty()).unwrap_or(message.clone()));
                }
                if self.subject.is_none() {
                    let execution = execution_in(&line.text).map(|arn| Subject::Execution(arn.to_owned()));
                    self.subject = execution.or_else(|| text("key").map(Subject::Object));
                }
            }
            Said::Start | Said::End | Said::Environment | Said::Text => {}
        }
    }
}

#[cfg(test)]
#[path = "invocation_tests.rs"]
mod tests;
