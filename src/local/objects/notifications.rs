//! Events of a bucket: whom to call when an object appears or goes, and what they are told.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Object;
use super::buckets::Bucket;
use crate::local::bus::{ACCOUNT, Bus, Event};
use crate::local::fault::Fault;
use crate::local::store::Tx;

/// Calls a Lambda function about some of a bucket's objects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    pub id: String,
    pub function_arn: String,
    /// `s3:ObjectCreated:*`
    pub events: Vec<String>,
    #[serde(default)]
    pub prefix: String,
    #[serde(default)]
    pub suffix: String,
}

impl Rule {
    /// `event` without its `s3:`: `ObjectCreated:Put`.
    fn wants(&self, event: &str, key: &str) -> bool {
        let of_kind = |wanted: &String| {
            let wanted = wanted.strip_prefix("s3:").unwrap_or(wanted);
            match wanted.strip_suffix('*') {
                Some(beginning) => event.starts_with(beginning),
                None => wanted == event,
            }
        };
        self.events.iter().any(of_kind) && key.starts_with(&self.prefix) && key.ends_with(&self.suffix)
    }

    /// The function's name; the cloud has one account and region.
    fn function(&self) -> &str {
        match self.function_arn.split_once(":function:") {
            Some((_, name)) => name.split(':').next().unwrap_or(name),
            None => &self.function_arn,
        }
    }
}

/// What happened to an object.
pub struct Happened<'a> {
    /// `ObjectCreated:Put`
    pub event: &'a str,
    pub bucket: &'a str,
    pub key: &'a str,
    pub object: &'a Object,
    pub request_id: &'a str,
    pub region: &'a str,
}

/// Posts the calls that the bucket's rules ask for, in the transaction of the change.
pub fn announce(tx: &mut Tx<'_>, bucket: &Bucket, happened: &Happened<'_>) -> Result<(), Fault> {
    for rule in bucket.rules.iter().filter(|rule| rule.wants(happened.event, happened.key)) {
        let input = json!({
            "FunctionName": rule.function(),
            "Payload": {"Records": [record(rule, happened)]},
            // One for all attempts.
            "RequestId": uuid::Uuid::new_v4().to_string(),
        });
        Bus::post(tx, &Event { service: "lambda".into(), operation: "InvokeAsync".into(), input })?;
    }
    Ok(())
}

/// As `URLEncoder` writes it, slashes kept: what S3 does to keys in events.
const KEY: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b' ');

/// A record of the event message structure, version 2.1.
fn record(rule: &Rule, happened: &Happened<'_>) -> Value {
    let now = chrono::Utc::now();
    let mut object = json!({
        "key": utf8_percent_encode(happened.key, KEY).to_string().replace(' ', "+"),
        "sequencer": format!("{:018X}", now.timestamp_nanos_opt().unwrap_or_default()),
    });
    if happened.event.starts_with("ObjectCreated") {
        object["size"] = happened.object.size.into();
        object["eTag"] = happened.object.etag.as_str().into();
    }
    json!({
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": happened.region,
        "eventTime": now.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        "eventName": happened.event,
        "userIdentity": {"principalId": ACCOUNT},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": happened.request_id, "x-amz-id-2": happened.request_id},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": rule.id,
            "bucket": {
                "name": happened.bucket,
                "ownerIdentity": {"principalId": ACCOUNT},
                "arn": format!("arn:aws:s3:::{}", happened.bucket),
            },
            "object": object,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(events: &str, prefix: &str, suffix: &str) -> Rule {
        Rule {
            id: "r".into(),
            function_arn: "arn:aws:lambda:us-east-1:000000000000:function:Count:$LATEST".into(),
            events: vec![events.into()],
            prefix: prefix.into(),
            suffix: suffix.into(),
        }
    }

    #[test]
    fn rules_filter_by_event_prefix_and_suffix() {
        let created = rule("s3:ObjectCreated:*", "raw/", ".json");
        assert!(created.wants("ObjectCreated:Copy", "raw/a.json"));
        assert!(!created.wants("ObjectCreated:Put", "raw/a.csv"));
        assert!(!created.wants("ObjectCreated:Put", "processed/a.json"));
        assert!(!created.wants("ObjectRemoved:Delete", "raw/a.json"));
        assert!(rule("s3:ObjectCreated:Put", "", "").wants("ObjectCreated:Put", "x"));
        assert!(!rule("s3:ObjectCreated:Put", "", "").wants("ObjectCreated:Copy", "x"));
        assert_eq!(created.function(), "Count");
    }

    #[test]
    fn keys_in_records_are_encoded_as_s3_does() {
        let object = Object { size: 3, etag: "e".into(), ..Object::default() };
        let happened = Happened {
            event: "ObjectCreated:Put",
            bucket: "b",
            key: "raw/a b+c é.json",
            object: &object,
            request_id: "R",
            region: "us-east-1",
        };
        let record = record(&rule("s3:*", "", ""), &happened);
        assert_eq!(record["s3"]["object"]["key"], "raw/a+b%2Bc+%C3%A9.json");
        assert_eq!(record["s3"]["object"]["size"], 3);
        assert_eq!(record["eventName"], "ObjectCreated:Put");
    }
}
