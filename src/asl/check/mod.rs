//! What CreateStateMachine refuses and ValidateStateMachineDefinition reports: AWS's codes, messages and
//! places.
//!
//! [`flow`] checks states that run after each other, [`state`] each of them, [`recovery`] their Retry and
//! Catch, [`expression`] what is written in JSONata, [`hint`] what is allowed but looks wrong.

mod expression;
mod flow;
mod hint;
mod recovery;
mod state;

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::machine::Machine;
use super::{names, syntax};

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// An error; otherwise a warning.
    pub error: bool,
    /// `SCHEMA_VALIDATION_FAILED`, `MISSING_TRANSITION_TARGET`, …
    pub code: &'static str,
    pub message: String,
    /// JSON pointer; some findings have none.
    pub location: Option<String>,
}

const SCHEMA: &str = "SCHEMA_VALIDATION_FAILED";
const TARGET: &str = "MISSING_TRANSITION_TARGET";
/// The definition's text, in bytes.
const SIZE: usize = 1_048_576;

/// Everything that is wrong with a definition, in the order of its text.
pub fn diagnose(text: &str, express: bool) -> Vec<Diagnostic> {
    if text.len() > SIZE {
        return vec![plain(SCHEMA, format!("Definition must not exceed {SIZE} bytes"))];
    }
    if text.trim().is_empty() {
        return vec![plain(SCHEMA, "Definition must be a valid JSON object")];
    }
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => return vec![syntax::diagnostic(text, &error)],
    };
    let Value::Object(object) = &value else {
        return vec![plain(SCHEMA, "Definition must be a valid JSON object")];
    };
    let jsonata = object.get("QueryLanguage").and_then(Value::as_str) == Some("JSONata");
    let mut check = Check { found: Vec::new(), express, jsonata, names: HashMap::new() };
    for (name, at) in names::repeated(text) {
        check.repeated(&name, &at, &at);
    }
    check.fields(object, "", &["Comment", "QueryLanguage", "StartAt", "States", "TimeoutSeconds", "Version"]);
    check.texts(object, "", &["Comment", "Version"]);
    check.integers(object, "", &["TimeoutSeconds"], false);
    check.language(object, "");
    check.flow(object, "", 0);
    if check.found.iter().all(|d| !d.error)
        && let Err(error) = Machine::read(text)
    {
        check.schema(&error.at, error.message);
    }
    check.found
}

/// AWS's message for CreateStateMachine when anything is refused.
pub fn refusal(diagnostics: &[Diagnostic]) -> Option<String> {
    let errors: Vec<String> = diagnostics
        .iter()
        .filter(|d| d.error)
        .map(|d| format!("{}: {} at {}", d.code, d.message, d.location.as_deref().unwrap_or("null")))
        .collect();
    (!errors.is_empty()).then(|| format!("Invalid State Machine Definition: '{}'", errors.join(", ")))
}

fn plain(code: &'static str, message: impl Into<String>) -> Diagnostic {
    Diagnostic { error: true, code, message: message.into(), location: None }
}

struct Check {
    found: Vec<Diagnostic>,
    express: bool,
    /// The machine's query language.
    jsonata: bool,
    /// Where each name was first used.
    names: HashMap<String, String>,
}

impl Check {
    fn schema(&mut self, at: &str, message: impl Into<String>) {
        self.report(SCHEMA, at, message);
    }

    fn report(&mut self, code: &'static str, at: &str, message: impl Into<String>) {
        let at = if at.is_empty() { "/" } else { at };
        let location = Some(at.to_owned());
        self.found.push(Diagnostic { error: true, code, message: message.into(), location });
    }

    fn repeated(&mut self, name: &str, at: &str, first: &str) {
        let message = format!("Duplicate State name: {name} at {first}");
        self.report("DUPLICATE_STATE_NAME", at, message);
    }

    fn fields(&mut self, object: &Map<String, Value>, at: &str, allowed: &[&str]) {
        for field in object.keys().filter(|f| !allowed.contains(&f.as_str())) {
            self.schema(at, format!("Field '{field}' is not supported"));
        }
    }

    fn required(&mut self, object: &Map<String, Value>, at: &str, fields: &[&str]) -> bool {
        let missing: Vec<&str> = fields.iter().copied().filter(|f| !object.contains_key(*f)).collect();
        if !missing.is_empty() {
            self.schema(at, format!("These fields are required: [{}]", missing.join(", ")));
        }
        missing.is_empty()
    }

    fn language(&mut self, object: &Map<String, Value>, at: &str) {
        if !matches!(
            object.get("QueryLanguage").map(Value::as_str),
            None | Some(Some("JSONPath" | "JSONata"))
        ) {
            self.schema(&format!("{at}/QueryLanguage"), "Value is not one of [JSONPath, JSONata]");
        }
    }

    /// Fields that must hold text when they are there.
    fn texts(&mut self, object: &Map<String, Value>, at: &str, fields: &[&str]) {
        for field in fields.iter().filter(|f| object.get(**f).is_some_and(|value| !value.is_string())) {
            self.schema(&format!("{at}/{field}"), "Expected value of type String");
        }
    }

    /// Fields that must hold a whole number, or an expression where one is allowed.
    fn integers(&mut self, object: &Map<String, Value>, at: &str, fields: &[&str], expression: bool) {
        for field in fields {
            let fits = match object.get(*field) {
                None => true,
                Some(Value::Number(number)) => number.is_i64() || number.is_u64(),
                Some(Value::String(text)) => expression && super::jsonata::source(text).is_some(),
                Some(_) => false,
            };
            let at = format!("{at}/{field}");
            if !fits {
                self.schema(&at, "Expected value of type Integer");
            } else if object.get(*field).and_then(Value::as_i64).is_some_and(|number| number < 0) {
                self.schema(&at, "Value must be greater than or equal to 0");
            }
        }
    }
}

fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}
