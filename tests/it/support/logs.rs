//! Logs as Lambda, the function and SNS write them.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use ward::domain::log::LogLine;

use super::answers::{ago, execution_arn};

/// Lines in the order in which they were written.
#[derive(Default)]
struct Journal {
    lines: Vec<LogLine>,
}

impl Journal {
    fn line(&mut self, at: DateTime<Utc>, stream: &str, text: impl Into<String>) {
        let stream = format!("{}/[$LATEST]{stream}", at.format("%Y/%m/%d"));
        let id = format!("{:056}", self.lines.len());
        self.lines.push(LogLine { id, at, stream, text: text.into() });
    }

    /// An invocation: what the function says between START and END, milliseconds after its start.
    fn invocation(
        &mut self,
        start: DateTime<Utc>,
        stream: &str,
        request: &str,
        said: &[(i64, Value)],
        end: (i64, &str),
    ) {
        let after = |millis| start + TimeDelta::milliseconds(millis);
        self.line(start, stream, format!("START RequestId: {request} Version: $LATEST"));
        for (millis, fields) in said {
            let mut line = json!({"timestamp": after(*millis).to_rfc3339(), "level": "INFO", "message": "", "requestId": request});
            for (name, value) in fields.as_object().into_iter().flatten() {
                line[name] = value.clone();
            }
            self.line(after(*millis), stream, line.to_string());
        }
        let (took, rest) = end;
        self.line(after(took), stream, format!("END RequestId: {request}"));
        self.line(
            after(took),
            stream,
            format!("REPORT RequestId: {request}\tDuration: {took}.00 ms\tBilled Duration: {took} ms\tMemory Size: 128 MB\tMax Memory Used: 43 MB{rest}\t"),
        );
    }
}

pub const ARRIVED: &str = "7f3a2b1c-5d4e-4f6a-8b9c-0d1e2f3a4b5c";
pub const FOR_RUN: &str = "c0ffee11-2233-4455-8677-8899aabbccdd";
pub const FAILED: &str = "deadbeef-0011-4223-9445-566778899aab";
const SLOW: &str = "0badcafe-1111-4222-8333-444455556666";
const STARTED: &str = "5eed5eed-aaaa-4bbb-8ccc-ddddeeeeffff";
const QUERY: &str = "5c1d6a52-0b7e-4c2f-9a53-1b6f0e1d7f3a";

/// The function's log of an hour: an object, a time-out, a failure, a run of the pipeline, and one that
/// has just begun.
pub fn function() -> Vec<LogLine> {
    let mut journal = Journal::default();
    journal.line(ago(2_401), "one", "INIT_START Runtime Version: provided.al2023");
    let counts = json!({"TX": 34, "CA": 25, "OH": 21});
    let arrived = [
        (
            4,
            json!({"message": "object arrived", "bucket": "healthcare-accreditation-data-pipeline", "key": "raw/FAC004.json"}),
        ),
        (60, json!({"message": "query started", "query_execution_id": QUERY})),
        (
            1_020,
            json!({"message": "facilities per state", "query_execution_id": QUERY, "states": 3, "facilities": 250, "millis": 1_016, "counts": counts}),
        ),
    ];
    journal.invocation(ago(2_400), "one", ARRIVED, &arrived, (1_031, "\tInit Duration: 84.20 ms"));
    journal.line(ago(1_790), "two", format!("START RequestId: {SLOW} Version: $LATEST"));
    let at = ago(1_730);
    journal.line(at, "two", format!("{} {SLOW} Task timed out after 60.00 seconds", at.to_rfc3339()));
    journal.line(at, "two", format!("END RequestId: {SLOW}"));
    journal.line(at, "two", format!("REPORT RequestId: {SLOW}\tDuration: 60000.00 ms\tBilled Duration: 60000 ms\tMemory Size: 128 MB\tMax Memory Used: 41 MB\tStatus: timeout\t"));
    let failed = [
        (
            5,
            json!({"message": "object arrived", "bucket": "healthcare-accreditation-data-pipeline", "key": "raw/odd\u{1b}[2J name.json"}),
        ),
        (
            420,
            json!({"level": "ERROR", "message": "the query q-0002 ended FAILED: TABLE_NOT_FOUND: line 2:6: Table 'awsdatacatalog.healthcare_pipeline.facilitys' does not exist"}),
        ),
    ];
    journal.invocation(ago(1_080), "one", FAILED, &failed, (431, "\tStatus: error\tError Type: QueryFailed"));
    let run = execution_arn("run-20260101-150405-004");
    let for_run = [(
        310,
        json!({"message": "query started for the workflow", "execution": run, "query_execution_id": QUERY}),
    )];
    journal.invocation(ago(6), "one", FOR_RUN, &for_run, (344, ""));
    journal.line(ago(1), "one", format!("START RequestId: {STARTED} Version: $LATEST"));
    journal.lines
}

/// What the topic was told: that a run failed.
pub fn topic() -> Vec<LogLine> {
    let mut journal = Journal::default();
    let message = json!({
        "execution": execution_arn("run-20251231-210000-118"),
        "error": "S3.NoSuchKeyException",
        "cause": "The specified key does not exist.",
    });
    let line = json!({
        "notification": {
            "messageId": "3c6c2c2e-6f0d-5c7e-9d59-7c1a4a0a1a11",
            "topicArn": "arn:aws:sns:us-east-1:000000000000:healthcare-pipeline-notifications",
            "timestamp": "2025-12-31 21:00:06.980",
            "message": message.to_string(),
            "subject": "Healthcare pipeline failed",
        },
        "delivery": {"destination": "kept by the local cloud", "attempts": 1, "statusCode": 200},
        "status": "SUCCESS",
    });
    journal.line(ago(65_044), "sns", line.to_string());
    journal.lines
}
