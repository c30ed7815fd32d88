use serde_json::{Value, json};

use super::Logs;
use crate::local::bus::{Bus, Service};
use crate::local::clock::Clock;
use crate::local::fault::Fault;
use crate::local::store::Store;

struct Fixture {
    logs: std::sync::Arc<Logs>,
    now: i64,
}

async fn fixture() -> Fixture {
    let bus = Bus::new(Store::open(None).unwrap(), Clock::default(), "us-east-1");
    let logs = Logs::new(&bus);
    let fixture = Fixture { now: logs.now(), logs };
    fixture.ask("CreateLogGroup", json!({"logGroupName": "/aws/lambda/f"})).await.unwrap();
    for stream in ["one", "two"] {
        let input = json!({"logGroupName": "/aws/lambda/f", "logStreamName": stream});
        fixture.ask("CreateLogStream", input).await.unwrap();
    }
    fixture
}

impl Fixture {
    async fn ask(&self, operation: &str, input: Value) -> Result<Value, Fault> {
        self.logs.call(operation, input).await
    }

    /// Writes messages, one millisecond after another from `after` milliseconds on.
    async fn put(&self, stream: &str, after: i64, messages: &[&str]) -> Value {
        let events: Vec<Value> = (after..)
            .zip(messages)
            .map(|(at, message)| json!({"timestamp": self.now + at, "message": message}))
            .collect();
        let input = json!({"logGroupName": "/aws/lambda/f", "logStreamName": stream, "logEvents": events});
        self.ask("PutLogEvents", input).await.unwrap()
    }

    async fn filter(&self, mut input: Value) -> (Vec<String>, Option<String>) {
        input["logGroupName"] = "/aws/lambda/f".into();
        page(&self.ask("FilterLogEvents", input).await.unwrap())
    }
}

fn page(answer: &Value) -> (Vec<String>, Option<String>) {
    let events = answer["events"].as_array().unwrap();
    let messages = events.iter().map(|event| event["message"].as_str().unwrap().to_owned()).collect();
    (messages, answer["nextToken"].as_str().map(str::to_owned))
}

#[tokio::test]
async fn events_come_in_order_of_time_across_streams() {
    let f = fixture().await;
    f.put("one", 0, &["a", "c"]).await;
    f.put("two", 0, &["b", "d"]).await;
    assert_eq!(f.filter(json!({})).await.0, ["a", "b", "c", "d"]);
    assert_eq!(f.filter(json!({"logStreamNames": ["two"]})).await.0, ["b", "d"]);
    assert_eq!(f.filter(json!({"startTime": f.now + 1})).await.0, ["c", "d"]);
    assert_eq!(f.filter(json!({"endTime": f.now})).await.0, ["a", "b"]);
    assert_eq!(f.filter(json!({"filterPattern": "?a ?d"})).await.0, ["a", "d"]);
}

#[tokio::test]
async fn pages_lead_through_all_events_once() {
    let f = fixture().await;
    f.put("one", 0, &["a", "b", "c", "d", "e"]).await;
    let (mut seen, mut token) = f.filter(json!({"limit": 2})).await;
    while let Some(next) = token {
        let (more, then) = f.filter(json!({"limit": 2, "nextToken": next})).await;
        seen.extend(more);
        token = then;
    }
    assert_eq!(seen, ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn a_stream_is_read_from_both_ends() {
    let f = fixture().await;
    f.put("one", 0, &["a", "b", "c"]).await;
    let stream = json!({"logGroupName": "/aws/lambda/f", "logStreamName": "one", "limit": 2});
    let last = f.ask("GetLogEvents", stream.clone()).await.unwrap();
    assert_eq!(page(&last).0, ["b", "c"]);
    let mut back = stream.clone();
    back["nextToken"] = last["nextBackwardToken"].clone();
    assert_eq!(page(&f.ask("GetLogEvents", back).await.unwrap()).0, ["a"]);
    let mut forward = stream.clone();
    forward["nextToken"] = last["nextForwardToken"].clone();
    let end = f.ask("GetLogEvents", forward.clone()).await.unwrap();
    assert!(page(&end).0.is_empty());
    assert_eq!(end["nextForwardToken"], forward["nextToken"], "the end repeats its token");
    f.put("one", 9, &["d"]).await;
    assert_eq!(page(&f.ask("GetLogEvents", forward).await.unwrap()).0, ["d"]);
    let mut head = stream;
    head["startFromHead"] = true.into();
    assert_eq!(page(&f.ask("GetLogEvents", head).await.unwrap()).0, ["a", "b"]);
}

#[tokio::test]
async fn refuses_what_cloudwatch_refuses() {
    let f = fixture().await;
    let cases = [
        ("CreateLogGroup", json!({"logGroupName": "/aws/lambda/f"}), "ResourceAlreadyExistsException"),
        ("CreateLogGroup", json!({"logGroupName": "a b"}), "InvalidParameterException"),
        ("FilterLogEvents", json!({"logGroupName": "none"}), "ResourceNotFoundException"),
        (
            "FilterLogEvents",
            json!({"logGroupName": "/aws/lambda/f", "filterPattern": "{ $.a"}),
            "InvalidParameterException",
        ),
        (
            "FilterLogEvents",
            json!({"logGroupName": "/aws/lambda/f", "nextToken": "x"}),
            "InvalidParameterException",
        ),
        (
            "PutLogEvents",
            json!({"logGroupName": "/aws/lambda/f", "logStreamName": "none",
                   "logEvents": [{"timestamp": 1, "message": "x"}]}),
            "ResourceNotFoundException",
        ),
        (
            "PutLogEvents",
            json!({"logGroupName": "/aws/lambda/f", "logStreamName": "one",
                   "logEvents": [{"timestamp": 2, "message": "x"}, {"timestamp": 1, "message": "y"}]}),
            "InvalidParameterException",
        ),
        (
            "PutRetentionPolicy",
            json!({"logGroupName": "/aws/lambda/f", "retentionInDays": 2}),
            "InvalidParameterException",
        ),
    ];
    for (operation, input, code) in cases {
        assert_eq!(f.ask(operation, input.clone()).await.unwrap_err().code, code, "{operation} {input}");
    }
}

#[tokio::test]
async fn too_old_and_too_new_events_are_named() {
    let f = fixture().await;
    let answer = f.put("one", -15 * 24 * 60 * 60 * 1000, &["old"]).await;
    assert_eq!(answer["rejectedLogEventsInfo"]["tooOldLogEventEndIndex"], 1);
    let answer = f.put("one", 3 * 60 * 60 * 1000, &["new"]).await;
    assert_eq!(answer["rejectedLogEventsInfo"]["tooNewLogEventStartIndex"], 0);
    assert!(f.filter(json!({})).await.0.is_empty());
}

#[tokio::test]
async fn a_group_stays_bounded_and_keeps_the_newest() {
    let f = fixture().await;
    let messages: Vec<String> = (0..9_000).map(|n| n.to_string()).collect();
    let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
    f.put("one", -20_000, &messages).await;
    f.put("two", -10_000, &messages).await;
    f.put("two", 0, &messages).await;
    let groups = f.ask("DescribeLogGroups", json!({})).await.unwrap();
    assert!(groups["logGroups"][0]["storedBytes"].as_u64().unwrap() > 0);
    let (newest, _) = f.filter(json!({"startTime": f.now + 8_999})).await;
    assert_eq!(newest, ["8999"]);
    let mut kept = 0;
    let mut token = None;
    loop {
        let (messages, next) = f.filter(json!({"nextToken": token})).await;
        kept += messages.len();
        token = next;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(kept, 18_000, "nine tenths of the bound of 20,000");
    let streams = f.ask("DescribeLogStreams", json!({"logGroupName": "/aws/lambda/f"})).await.unwrap();
    assert_eq!(streams["logStreams"].as_array().unwrap().len(), 1, "the emptied stream is gone");
}

#[tokio::test]
async fn streams_and_groups_are_described_and_deleted() {
    let f = fixture().await;
    f.put("two", 60_000, &["x"]).await;
    let input = json!({"logGroupName": "/aws/lambda/f", "orderBy": "LastEventTime", "descending": true});
    let streams = f.ask("DescribeLogStreams", input).await.unwrap();
    assert_eq!(streams["logStreams"][0]["logStreamName"], "two");
    assert_eq!(streams["logStreams"][0]["lastEventTimestamp"], f.now + 60_000);
    f.ask("DeleteLogStream", json!({"logGroupName": "/aws/lambda/f", "logStreamName": "two"})).await.unwrap();
    assert!(f.filter(json!({})).await.0.is_empty());
    f.ask("DeleteLogGroup", json!({"logGroupName": "/aws/lambda/f"})).await.unwrap();
    let groups = f.ask("DescribeLogGroups", json!({"logGroupNamePrefix": "/aws"})).await.unwrap();
    assert_eq!(groups["logGroups"], json!([]));
}
