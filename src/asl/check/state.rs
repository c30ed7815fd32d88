//! One state: its fields by type and query language, and what they must hold.

use serde_json::{Map, Value};

use super::super::paths::Path;
use super::super::resource::{Pattern, Resource};
use super::super::schema::{JSON_PATH_ONLY, JSONATA_ONLY, allowed};
use super::number::{MOST, Range};
use super::{Check, list};

/// Paths must be text whatever they are for: these, and [`REFERENCES`].
const PATHS: &[&str] = &["InputPath", "OutputPath", "ResultPath", "ItemsPath", "ErrorPath", "CausePath"];

/// Paths that lead to one value (States Language, "Reference Paths").
const REFERENCES: &[&str] = &[
    "SecondsPath",
    "TimestampPath",
    "TimeoutSecondsPath",
    "HeartbeatSecondsPath",
    "MaxConcurrencyPath",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentagePath",
];

/// Whole numbers.
const INTEGERS: &[Range] = &[
    Range("Seconds", 0, MOST),
    Range("TimeoutSeconds", 1, MOST),
    Range("HeartbeatSeconds", 1, MOST),
    Range("MaxConcurrency", 0, i64::MAX),
    Range("ToleratedFailureCount", 0, i64::MAX),
];

/// Fields that can be given as they are or by a path.
const DYNAMIC: &[&str] = &[
    "TimeoutSeconds",
    "HeartbeatSeconds",
    "MaxConcurrency",
    "ToleratedFailureCount",
    "ToleratedFailurePercentage",
    "Error",
    "Cause",
];

impl Check {
    pub(super) fn state(&mut self, state: &Map<String, Value>, at: &str, depth: usize) {
        let Some(type_name) = state.get("Type") else {
            return self.schema(at, "These fields are required: [Type]");
        };
        let Some(allowed) = type_name.as_str().and_then(allowed) else {
            let types = "[Choice, Fail, Map, Parallel, Pass, Succeed, Task, Wait]";
            let why = format!("Value should be one of the following: {types}");
            return self.schema(&format!("{at}/Type"), why);
        };
        self.language(state, at);
        let jsonata = match state.get("QueryLanguage").and_then(Value::as_str) {
            Some("JSONata") => true,
            Some("JSONPath") if self.jsonata => {
                let why = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine";
                return self.schema(at, why);
            }
            Some(_) => false,
            None => self.jsonata,
        };
        self.fields(state, at, &allowed);
        self.foreign(state, at, jsonata, if jsonata { JSON_PATH_ONLY } else { JSONATA_ONLY });
        self.next(state, at, &allowed);
        self.texts(
            state,
            at,
            &["Comment", "Next", "Default", "Resource", "Label", "Error", "Cause", "Timestamp"],
        );
        self.paths(state, at);
        self.integers(state, at, INTEGERS, jsonata);
        self.percentage(state, at);
        self.both(state, at, DYNAMIC);
        self.variables(state, at, jsonata);
        match type_name.as_str().unwrap_or_default() {
            "Task" => self.task(state, at),
            "Choice" => self.choice(state, at, jsonata),
            "Wait" => self.one_of(state, at, &["SecondsPath", "Seconds", "TimestampPath", "Timestamp"]),
            "Parallel" => self.parallel(state, at, depth),
            "Map" => self.map(state, at, depth, jsonata),
            _ => {}
        }
        self.recovery(state, at, jsonata);
        for (i, catcher) in list(state.get("Catch")).enumerate() {
            if let Some(catcher) = catcher.as_object() {
                self.variables(catcher, &format!("{at}/Catch[{i}]"), jsonata);
            }
        }
        if jsonata {
            self.expressions(state, at);
        } else {
            self.hints(state, at);
        }
    }

    /// Fields that belong to the other query language.
    pub(super) fn foreign(&mut self, object: &Map<String, Value>, at: &str, jsonata: bool, wrong: &[&str]) {
        let (language, other) = if jsonata { ("JSONata", "JSONPath") } else { ("JSONPath", "JSONata") };
        for field in object.keys().filter(|f| wrong.contains(&f.as_str())) {
            self.schema(
                at,
                format!(
                    "The QueryLanguage is set to '{language}', but field '{field}' is only supported for the \
                     '{other}' QueryLanguage"
                ),
            );
        }
    }

    fn next(&mut self, state: &Map<String, Value>, at: &str, allowed: &[&str]) {
        if !allowed.contains(&"Next") {
            return;
        }
        if state.get("End").is_some_and(|end| !end.is_boolean()) {
            return self.schema(&format!("{at}/End"), "Expected value of type Boolean");
        }
        let ends = state.get("End") == Some(&Value::Bool(true));
        if state.contains_key("Next") == ends {
            self.schema(at, if ends { one("Next, End") } else { lacks_one("Next, End") });
        }
    }

    fn paths(&mut self, state: &Map<String, Value>, at: &str) {
        for field in PATHS.iter().chain(REFERENCES) {
            // `null` takes a place of its own: nothing in, nothing out.
            let nullable = matches!(*field, "InputPath" | "OutputPath" | "ResultPath");
            let fits = match state.get(*field) {
                None | Some(Value::String(_)) => true,
                Some(value) => nullable && value.is_null(),
            };
            if !fits {
                self.schema(&format!("{at}/{field}"), "Expected value of type String");
            }
        }
        self.references(state, at, REFERENCES);
    }

    /// Fields whose paths must lead to one value.
    pub(super) fn references(&mut self, object: &Map<String, Value>, at: &str, fields: &[&str]) {
        for field in fields {
            let path = object.get(*field).and_then(Value::as_str).map(Path::parse);
            if let Some(Ok(path)) = path
                && !path.is_reference()
            {
                self.schema(&format!("{at}/{field}"), "Value is not a Reference Path");
            }
        }
    }

    /// A field and its `…Path` exclude each other.
    pub(super) fn both(&mut self, object: &Map<String, Value>, at: &str, fields: &[&str]) {
        for field in fields {
            let path = format!("{field}Path");
            if object.contains_key(*field) && object.contains_key(&path) {
                self.schema(at, one(&format!("{field}, {path}")));
            }
        }
    }

    pub(super) fn inner(&mut self, flow: &Value, at: &str, depth: usize, allowed: &[&str]) {
        match flow.as_object() {
            Some(object) => {
                self.fields(object, at, allowed);
                self.flow(object, at, depth + 1);
            }
            None => self.schema(at, "Expected value of type Object"),
        }
    }

    fn parallel(&mut self, state: &Map<String, Value>, at: &str, depth: usize) {
        if !self.required(state, at, &["Branches"]) {
            return;
        }
        let at = format!("{at}/Branches");
        match state["Branches"].as_array() {
            None => self.schema(&at, "Expected value of type Array"),
            Some(branches) if branches.is_empty() => self.schema(&at, "Expected at least one branch"),
            Some(branches) => {
                for (i, branch) in branches.iter().enumerate() {
                    self.inner(branch, &format!("{at}[{i}]"), depth, &["Comment", "StartAt", "States"]);
                }
            }
        }
    }

    fn task(&mut self, state: &Map<String, Value>, at: &str) {
        if !self.required(state, at, &["Resource"]) {
            return;
        }
        self.beats(state, at);
        let at = format!("{at}/Resource");
        // What is no text at all was said before.
        let Some(arn) = state["Resource"].as_str() else { return };
        match Resource::parse(arn) {
            None if !arn.starts_with("arn:") => self.schema(&at, "Value is not a valid resource ARN"),
            None => self.schema(
                &at,
                format!(
                    "The resource provided {arn} is not recognized. The value is not a valid resource ARN, or the \
                     resource is not available in this region."
                ),
            ),
            Some(Resource::Integration(i)) if self.express && i.pattern != Pattern::RequestResponse => {
                let suffix = i.resource()[i.action.len()..].to_owned();
                let why = format!("Express state machine does not support '{suffix}' service integration ");
                self.schema(&at, why);
            }
            Some(Resource::Activity(_)) if self.express => {
                self.schema(&at, "Express state machine does not support Activity ARN");
            }
            Some(_) => {}
        }
    }

    fn one_of(&mut self, state: &Map<String, Value>, at: &str, fields: &[&str]) {
        match fields.iter().filter(|f| state.contains_key(**f)).count() {
            0 => self.schema(at, lacks_one(&fields.join(", "))),
            1 => {}
            _ => self.schema(at, one(&fields.join(", "))),
        }
    }
}

/// What is said of fields that exclude each other.
pub(super) fn one(fields: &str) -> String {
    format!("There should only be one of the following fields: [{fields}]")
}

/// What is said where one of some fields must be and none is.
pub(super) fn lacks_one(fields: &str) -> String {
    format!("This object should have only one of the following fields: [{fields}]")
}
