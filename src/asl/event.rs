//! One event of a history, with AWS's own type and details.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::data::Data;
use super::failure::Failure;

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Counts from 1.
    pub id: i64,
    /// The event that led to this one; 0 at the beginning.
    pub previous: i64,
    pub at: DateTime<Utc>,
    /// `TaskStateEntered`
    pub kind: String,
    /// The members of the details, when the type has any.
    pub details: Option<Value>,
}

impl Event {
    /// The member of the API's event that holds the details: `stateEnteredEventDetails`.
    pub fn member(&self) -> String {
        let kind = self.kind.as_str();
        if kind.ends_with("StateEntered") {
            return "stateEnteredEventDetails".into();
        }
        if kind.ends_with("StateExited") {
            return "stateExitedEventDetails".into();
        }
        let mut chars = kind.chars();
        let first = chars.next().map(|c| c.to_ascii_lowercase()).unwrap_or_default();
        format!("{first}{}EventDetails", chars.as_str())
    }
}

/// `{"input": …, "inputDetails": …}` under the name that is given.
pub fn with_data(mut details: Value, member: &str, data: &str) -> Value {
    details[member] = data.into();
    details[format!("{member}Details")] = json!({"truncated": false});
    details
}

/// `{"name": …, "input": …}`
pub fn entered(name: &str, input: &Data) -> Value {
    with_data(json!({"name": name}), "input", input.text())
}

/// The error and cause that are there, added to `details`.
pub fn with_failure(mut details: Value, failure: &Failure) -> Value {
    if let Some(error) = &failure.error {
        details["error"] = error.as_str().into();
    }
    if let Some(cause) = &failure.cause {
        details["cause"] = cause.as_str().into();
    }
    details
}
