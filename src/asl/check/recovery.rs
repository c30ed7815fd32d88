//! Retry and Catch.

use serde_json::{Map, Value};

use super::super::schema::{JSON_PATH_ONLY, JSONATA_ONLY};
use super::number::{MOST, Range};
use super::{Check, list};

const RETRIER: &[&str] = &[
    "Comment",
    "ErrorEquals",
    "IntervalSeconds",
    "MaxAttempts",
    "BackoffRate",
    "MaxDelaySeconds",
    "JitterStrategy",
];
/// An interval of no second is accepted, although the States Language wants one.
const INTEGERS: &[Range] = &[
    Range("IntervalSeconds", 0, i64::MAX),
    Range("MaxAttempts", 0, MOST),
    Range("MaxDelaySeconds", 1, 31_622_400),
];
const CATCHER: &[&str] = &["Comment", "ErrorEquals", "Next", "ResultPath", "Assign", "Output"];

impl Check {
    pub(super) fn recovery(&mut self, state: &Map<String, Value>, at: &str, jsonata: bool) {
        for (field, allowed) in [("Retry", RETRIER), ("Catch", CATCHER)] {
            let Some(value) = state.get(field) else { continue };
            let Some(entries) = value.as_array() else {
                self.schema(&format!("{at}/{field}"), "Expected value of type Array");
                continue;
            };
            for (i, entry) in entries.iter().enumerate() {
                let at = format!("{at}/{field}[{i}]");
                let Some(entry) = entry.as_object() else {
                    self.schema(&at, "Expected value of type Object");
                    continue;
                };
                self.fields(entry, &at, allowed);
                let foreign = if jsonata { JSON_PATH_ONLY } else { JSONATA_ONLY };
                self.foreign(entry, &at, jsonata, foreign);
                let required: &[&str] =
                    if field == "Catch" { &["ErrorEquals", "Next"] } else { &["ErrorEquals"] };
                if self.required(entry, &at, required) {
                    self.errors(entry, &at, i + 1 == entries.len());
                }
                self.texts(entry, &at, &["Next", "Comment"]);
                self.retrier(entry, &at);
            }
        }
    }

    fn errors(&mut self, entry: &Map<String, Value>, at: &str, last: bool) {
        let at = format!("{at}/ErrorEquals");
        if !entry["ErrorEquals"].is_array() {
            return self.schema(&at, "Expected value of type Array");
        }
        let errors: Vec<&Value> = list(entry.get("ErrorEquals")).collect();
        if errors.is_empty() {
            self.schema(&at, "Value cannot be empty");
        }
        for (i, _) in errors.iter().enumerate().filter(|(_, error)| !error.is_string()) {
            self.schema(&format!("{at}[{i}]"), "Expected value of type String");
        }
        if errors.iter().any(|error| *error == "States.ALL") && (errors.len() > 1 || !last) {
            self.schema(&at, "States.ALL must appear alone and at end of list");
        }
    }

    fn retrier(&mut self, entry: &Map<String, Value>, at: &str) {
        self.integers(entry, at, INTEGERS, false);
        match entry.get("BackoffRate").map(Value::as_f64) {
            None => {}
            Some(None) => self.schema(&format!("{at}/BackoffRate"), "Expected value of type Number"),
            Some(Some(rate)) if rate < 1.0 => {
                self.schema(&format!("{at}/BackoffRate"), "Minimum value is 1.0");
            }
            Some(Some(_)) => {}
        }
        if !matches!(entry.get("JitterStrategy").map(Value::as_str), None | Some(Some("FULL" | "NONE"))) {
            self.schema(
                &format!("{at}/JitterStrategy"),
                "Value should be one of the following: [NONE, FULL]",
            );
        }
    }
}
