//! One state: its fields by type and query language, and what they must hold.

use serde_json::{Map, Value};

use super::super::resource::{Pattern, Resource};
use super::super::schema::{DISTRIBUTED_ONLY, JSON_PATH_ONLY, JSONATA_ONLY, allowed, wrong_label};
use super::{Check, list};

/// Paths must be text whatever they are for.
const PATHS: &[&str] = &[
    "InputPath",
    "OutputPath",
    "ResultPath",
    "ItemsPath",
    "SecondsPath",
    "TimestampPath",
    "TimeoutSecondsPath",
    "HeartbeatSecondsPath",
    "MaxConcurrencyPath",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentagePath",
    "ErrorPath",
    "CausePath",
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
            return self.schema(&format!("{at}/Type"), format!("Value is not one of {types}"));
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
        self.integers(
            state,
            at,
            &["Seconds", "TimeoutSeconds", "HeartbeatSeconds", "MaxConcurrency", "ToleratedFailureCount"],
            jsonata,
        );
        self.both(state, at);
        self.variables(state, at, jsonata);
        match type_name.as_str().unwrap_or_default() {
            "Task" => self.task(state, at),
            "Choice" => self.choice(state, at, jsonata),
            "Wait" => self.one_of(state, at, &["Seconds", "SecondsPath", "Timestamp", "TimestampPath"]),
            "Parallel" => self.parallel(state, at, depth),
            "Map" => self.map(state, at, depth),
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
            let why = if ends {
                "A state cannot have both 'Next' and 'End'"
            } else {
                "These fields are required: [Next] or [End]"
            };
            self.schema(at, why);
        }
    }

    fn paths(&mut self, state: &Map<String, Value>, at: &str) {
        for field in PATHS {
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
    }

    /// A field and its `…Path` exclude each other.
    fn both(&mut self, state: &Map<String, Value>, at: &str) {
        for field in DYNAMIC {
            let path = format!("{field}Path");
            if state.contains_key(*field) && state.contains_key(&path) {
                self.schema(at, format!("Only one of these fields is allowed: [{field}, {path}]"));
            }
        }
    }

    fn inner(&mut self, flow: &Value, at: &str, depth: usize, allowed: &[&str]) {
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

    fn map(&mut self, state: &Map<String, Value>, at: &str, depth: usize) {
        let field = if state.contains_key("ItemProcessor") { "ItemProcessor" } else { "Iterator" };
        let Some(flow) = state.get(field) else {
            return self.schema(at, "These fields are required: [ItemProcessor]");
        };
        if field == "ItemProcessor" && state.contains_key("Iterator") {
            self.schema(at, "Only one of these fields is allowed: [ItemProcessor, Iterator]");
        }
        let place = format!("{at}/{field}");
        self.inner(flow, &place, depth, &["Comment", "ProcessorConfig", "StartAt", "States"]);
        let mode = &flow["ProcessorConfig"]["Mode"];
        if !mode.is_null() && !matches!(mode.as_str(), Some("INLINE" | "DISTRIBUTED")) {
            let place = format!("{place}/ProcessorConfig/Mode");
            self.schema(&place, "Value is not one of [INLINE, DISTRIBUTED]");
        }
        if mode.as_str() != Some("DISTRIBUTED") {
            for field in state.keys().filter(|f| DISTRIBUTED_ONLY.contains(&f.as_str())) {
                self.schema(at, format!("Field '{field}' is only supported for a DISTRIBUTED Map"));
            }
        }
        if let Some(why) = state.get("Label").and_then(Value::as_str).and_then(wrong_label) {
            self.schema(&format!("{at}/Label"), why);
        }
    }

    fn task(&mut self, state: &Map<String, Value>, at: &str) {
        if !self.required(state, at, &["Resource"]) {
            return;
        }
        let at = format!("{at}/Resource");
        // What is no text at all was said before.
        let Some(arn) = state["Resource"].as_str() else { return };
        match Resource::parse(arn) {
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

    fn choice(&mut self, state: &Map<String, Value>, at: &str, jsonata: bool) {
        if !self.required(state, at, &["Choices"]) {
            return;
        }
        let Some(rules) = state["Choices"].as_array() else {
            return self.schema(&format!("{at}/Choices"), "Expected value of type Array");
        };
        if rules.is_empty() {
            self.schema(&format!("{at}/Choices"), "Expected at least one choice rule");
        }
        for (i, rule) in rules.iter().enumerate() {
            let at = format!("{at}/Choices[{i}]");
            let Some(rule) = rule.as_object() else {
                self.schema(&at, "Expected value of type Object");
                continue;
            };
            let required: &[&str] = if jsonata { &["Condition", "Next"] } else { &["Next"] };
            self.required(rule, &at, required);
            if !jsonata {
                self.foreign(rule, &at, jsonata, &["Condition", "Output"]);
            } else {
                self.fields(rule, &at, &["Comment", "Condition", "Next", "Assign", "Output"]);
            }
            self.texts(rule, &at, &["Next", "Comment"]);
            self.variables(rule, &at, jsonata);
        }
    }

    fn one_of(&mut self, state: &Map<String, Value>, at: &str, fields: &[&str]) {
        let given = fields.iter().filter(|f| state.contains_key(**f)).count();
        if given != 1 {
            self.schema(at, format!("Exactly one of these fields is required: [{}]", fields.join(", ")));
        }
    }
}
