//! Who calls the function, and about what.

use serde_json::Value;

/// The objects the function counts for.
const PREFIX: &str = "raw/";
const SUFFIX: &str = ".json";

/// An event, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// S3 tells of new objects: those under `raw/` that end in `.json`, and the others.
    Objects { facilities: Vec<Object>, skipped: Vec<Object> },
    /// S3 tells that the bucket's notification was set up.
    Test,
    /// The workflow asks for a query on behalf of one of its executions.
    Workflow { execution: String },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub bucket: String,
    pub key: String,
}

impl Event {
    /// `None` for an event that neither S3 nor the workflow sends.
    pub fn read(event: &Value) -> Option<Event> {
        if let Some(execution) = event["execution"].as_str() {
            return Some(Event::Workflow { execution: execution.to_owned() });
        }
        if event["Event"] == "s3:TestEvent" {
            return Some(Event::Test);
        }
        let objects: Option<Vec<Object>> = event["Records"].as_array()?.iter().map(object).collect();
        let (facilities, skipped) = objects?.into_iter().partition(Object::is_facility);
        Some(Event::Objects { facilities, skipped })
    }
}

impl Object {
    fn is_facility(&self) -> bool {
        self.key.starts_with(PREFIX) && self.key.ends_with(SUFFIX)
    }
}

fn object(record: &Value) -> Option<Object> {
    let bucket = record["s3"]["bucket"]["name"].as_str()?;
    let key = record["s3"]["object"]["key"].as_str()?;
    // S3 writes keys as a form would: a space is a plus sign.
    let key = key.replace('+', " ");
    let key = percent_encoding::percent_decode_str(&key).decode_utf8_lossy().into_owned();
    Some(Object { bucket: bucket.to_owned(), key })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(key: &str) -> Value {
        json!({"eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
               "s3": {"bucket": {"name": "b"}, "object": {"key": key, "size": 3}}})
    }

    fn object(key: &str) -> Object {
        Object { bucket: "b".into(), key: key.into() }
    }

    #[test]
    fn an_event_of_s3_names_its_objects() {
        let event = json!({"Records": [record("raw/FAC+001%2B.json"), record("raw/notes.txt"), record("other/a.json")]});
        let Some(Event::Objects { facilities, skipped }) = Event::read(&event) else { panic!() };
        assert_eq!(facilities, [object("raw/FAC 001+.json")]);
        assert_eq!(skipped, [object("raw/notes.txt"), object("other/a.json")]);
    }

    #[test]
    fn the_workflow_names_its_execution() {
        let event = json!({"execution": "arn:aws:states:us-east-1:000000000000:execution:m:e"});
        let execution = "arn:aws:states:us-east-1:000000000000:execution:m:e".to_owned();
        assert_eq!(Event::read(&event), Some(Event::Workflow { execution }));
    }

    #[test]
    fn other_events_are_not_understood() {
        assert_eq!(Event::read(&json!({"Service": "Amazon S3", "Event": "s3:TestEvent"})), Some(Event::Test));
        for event in [json!({}), json!(null), json!([1]), json!({"Records": [{}]}), json!({"execution": 1})] {
            assert_eq!(Event::read(&event), None, "{event}");
        }
    }
}
