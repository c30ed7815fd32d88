//! What CreateStateMachine refuses and ValidateStateMachineDefinition reports: AWS's codes, messages and
//! places.
//!
//! [`flow`] checks states that run after each other, [`state`] each of them, [`choice`] and [`map`] what only
//! those have, [`recovery`] their Retry and Catch, [`number`] what counts, [`expression`] what is written in
//! JSONata, [`hint`] what is allowed but looks wrong.

mod choice;
mod expression;
mod flow;
mod hint;
mod map;
mod number;
mod recovery;
mod state;

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::machine::Machine;
use super::{names, syntax};
use number::Range;

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
const DEEP: &str = "TOO_DEEPLY_NESTED";
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
        Err(error) if error.to_string().starts_with("recursion limit exceeded") => {
            return vec![plain(DEEP, "States are nested too deeply")];
        }
        Err(error) => return vec![syntax::diagnostic(text, &error)],
    };
    let Value::Object(object) = &value else {
        return vec![plain(SCHEMA, "Definition must be a valid JSON object")];
    };
    let jsonata = object.get("QueryLanguage").and_then(Value::as_str) == Some("JSONata");
    let mut check =
        Check { found: Vec::new(), express, jsonata, names: HashMap::new(), labels: HashSet::new() };
    for (name, at) in names::repeated(text) {
        check.repeated(&name, &at, &at);
    }
    check.fields(object, "", &["Comment", "QueryLanguage", "StartAt", "States", "TimeoutSeconds", "Version"]);
    check.texts(object, "", &["Comment", "Version"]);
    check.integers(object, "", &[Range("TimeoutSeconds", 0, i64::MAX)], false);
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
    /// The labels of distributed maps.
    labels: HashSet<String>,
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
            let why = "Value should be one of the following: [JSONPath, JSONata]";
            self.schema(&format!("{at}/QueryLanguage"), why);
        }
    }

    /// Fields that must hold text when they are there.
    fn texts(&mut self, object: &Map<String, Value>, at: &str, fields: &[&str]) {
        for field in fields.iter().filter(|f| object.get(**f).is_some_and(|value| !value.is_string())) {
            self.schema(&format!("{at}/{field}"), "Expected value of type String");
        }
    }
}

fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}
