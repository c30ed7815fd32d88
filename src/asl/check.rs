//! What CreateStateMachine refuses and ValidateStateMachineDefinition reports: AWS's codes, messages and
//! places.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::machine::Machine;
use super::resource::{Pattern, Resource};
use super::schema::{JSON_PATH_ONLY, JSONATA_ONLY, RECOVER, allowed, wrong_label};
use super::syntax;

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
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
    check.fields(object, "", &["Comment", "QueryLanguage", "StartAt", "States", "TimeoutSeconds", "Version"]);
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
        .map(|d| match &d.location {
            Some(at) => format!("{}: {} at {at}", d.code, d.message),
            None => format!("{}: {}", d.code, d.message),
        })
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
        let at = if at.is_empty() { "/" } else { at };
        self.found.push(Diagnostic {
            error: true,
            code: SCHEMA,
            message: message.into(),
            location: Some(at.to_owned()),
        });
    }

    fn target(&mut self, at: String, message: String) {
        self.found.push(Diagnostic { error: true, code: TARGET, message, location: Some(at) });
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

    fn flow(&mut self, object: &Map<String, Value>, at: &str, depth: usize) {
        if depth > 64 {
            return self.schema(at, "States are nested too deeply");
        }
        if !self.required(object, at, &["States", "StartAt"]) {
            return;
        }
        let Some(states) = object["States"].as_object() else {
            return self.schema(&format!("{at}/States"), "Expected value of type Object");
        };
        let Some(start) = object["StartAt"].as_str() else {
            return self.schema(&format!("{at}/StartAt"), "Expected value of type String");
        };
        if states.is_empty() {
            return self.schema(&format!("{at}/States"), "Expected at least one state");
        }
        let before = self.found.len();
        for (name, value) in states {
            let at = format!("{at}/States/{name}");
            if name.chars().count() > 80 {
                self.schema(&at, "State name must be at most 80 characters");
            }
            if let Some(first) = self.names.insert(name.clone(), at.clone()) {
                self.found.push(Diagnostic {
                    error: true,
                    code: "DUPLICATE_STATE_NAME",
                    message: format!("Duplicate State name: {name} at {first}"),
                    location: Some(at.clone()),
                });
            }
            match value.as_object() {
                Some(state) => self.state(state, &at, depth),
                None => self.schema(&at, "Expected value of type Object"),
            }
        }
        // Transitions of what cannot be read are not followed.
        if self.found[before..].iter().any(|d| d.code == SCHEMA) {
            return;
        }
        self.transitions(states, start, at);
    }

    fn transitions(&mut self, states: &Map<String, Value>, start: &str, at: &str) {
        let mut links: HashMap<&str, Vec<(&str, String)>> = HashMap::new();
        for (name, state) in states {
            links.insert(name, exits(state, &format!("{at}/States/{name}")));
        }
        if !states.contains_key(start) {
            self.target(format!("{at}/StartAt"), format!("Missing 'Next' target: {start}"));
        }
        for name in states.keys() {
            for (to, place) in &links[name.as_str()] {
                if !states.contains_key(*to) {
                    self.target(place.clone(), format!("Missing 'Next' target: {to}"));
                }
            }
        }
        let ends = |state: &Value| {
            state["End"] == true || matches!(state["Type"].as_str(), Some("Succeed" | "Fail"))
        };
        if !states.values().any(ends) {
            self.found.push(plain("MISSING_END_STATE", "Workflow has no terminal state"));
            return;
        }
        let (mut reached, mut next) = (HashSet::new(), vec![start]);
        while let Some(name) = next.pop() {
            if reached.insert(name) {
                next.extend(links.get(name).into_iter().flatten().map(|(to, _)| *to));
            }
        }
        for name in states.keys().filter(|n| !reached.contains(n.as_str())) {
            self.target(format!("{at}/States/{name}"), format!("State \"{name}\" is not reachable."));
        }
    }

    fn state(&mut self, state: &Map<String, Value>, at: &str, depth: usize) {
        let Some(type_name) = state.get("Type") else {
            return self.schema(at, "These fields are required: [Type]");
        };
        let Some(allowed) = type_name.as_str().and_then(allowed) else {
            let types = "[Choice, Fail, Map, Parallel, Pass, Succeed, Task, Wait]";
            return self.schema(&format!("{at}/Type"), format!("Value is not one of {types}"));
        };
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
        self.languages(state, at, jsonata);
        let type_name = type_name.as_str().unwrap_or_default();
        if allowed.contains(&"Next")
            && state.contains_key("Next") == (state.get("End") == Some(&Value::Bool(true)))
        {
            let why = if state.contains_key("Next") {
                "A state cannot have both 'Next' and 'End'"
            } else {
                "These fields are required: [Next] or [End]"
            };
            self.schema(at, why);
        }
        match type_name {
            "Task" => self.task(state, at),
            "Choice" => self.choice(state, at),
            "Wait" => self.one_of(state, at, &["Seconds", "SecondsPath", "Timestamp", "TimestampPath"]),
            "Parallel" => {
                self.required(state, at, &["Branches"]);
                for (i, branch) in list(state.get("Branches")).enumerate() {
                    self.inner(
                        branch,
                        &format!("{at}/Branches[{i}]"),
                        depth,
                        &["Comment", "StartAt", "States"],
                    );
                }
            }
            "Map" => {
                let field = if state.contains_key("ItemProcessor") { "ItemProcessor" } else { "Iterator" };
                match state.get(field) {
                    Some(flow) => {
                        let allowed = ["Comment", "ProcessorConfig", "StartAt", "States"];
                        self.inner(flow, &format!("{at}/{field}"), depth, &allowed);
                    }
                    None => self.schema(at, "These fields are required: [ItemProcessor]"),
                }
                if let Some(why) = state.get("Label").and_then(Value::as_str).and_then(wrong_label) {
                    self.schema(&format!("{at}/Label"), why);
                }
            }
            _ => {}
        }
        self.recovery(state, at);
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

    fn languages(&mut self, state: &Map<String, Value>, at: &str, jsonata: bool) {
        let (language, wrong, other) = if jsonata {
            ("JSONata", JSON_PATH_ONLY, "JSONPath")
        } else {
            ("JSONPath", JSONATA_ONLY, "JSONata")
        };
        for field in state.keys().filter(|f| wrong.contains(&f.as_str())) {
            self.schema(
                at,
                format!(
                    "The QueryLanguage is set to '{language}', but field '{field}' is only supported for the \
                     '{other}' QueryLanguage"
                ),
            );
        }
    }

    fn task(&mut self, state: &Map<String, Value>, at: &str) {
        if !self.required(state, at, &["Resource"]) {
            return;
        }
        let at = format!("{at}/Resource");
        let Some(arn) = state["Resource"].as_str() else {
            return self.schema(&at, "Expected value of type String");
        };
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

    fn choice(&mut self, state: &Map<String, Value>, at: &str) {
        if !self.required(state, at, &["Choices"]) {
            return;
        }
        if list(state.get("Choices")).next().is_none() {
            self.schema(&format!("{at}/Choices"), "Expected at least one choice rule");
        }
        for (i, rule) in list(state.get("Choices")).enumerate() {
            let at = format!("{at}/Choices[{i}]");
            match rule.as_object() {
                Some(rule) => _ = self.required(rule, &at, &["Next"]),
                None => self.schema(&at, "Expected value of type Object"),
            }
        }
    }

    fn one_of(&mut self, state: &Map<String, Value>, at: &str, fields: &[&str]) {
        let given = fields.iter().filter(|f| state.contains_key(**f)).count();
        if given != 1 {
            self.schema(at, format!("Exactly one of these fields is required: [{}]", fields.join(", ")));
        }
    }

    fn recovery(&mut self, state: &Map<String, Value>, at: &str) {
        for field in RECOVER {
            let count = list(state.get(*field)).count();
            for (i, entry) in list(state.get(*field)).enumerate() {
                let at = format!("{at}/{field}[{i}]");
                let Some(entry) = entry.as_object() else {
                    self.schema(&at, "Expected value of type Object");
                    continue;
                };
                let required: &[&str] =
                    if *field == "Catch" { &["ErrorEquals", "Next"] } else { &["ErrorEquals"] };
                if !self.required(entry, &at, required) {
                    continue;
                }
                let errors: Vec<&str> = list(entry.get("ErrorEquals")).filter_map(Value::as_str).collect();
                if errors.is_empty() {
                    self.schema(&format!("{at}/ErrorEquals"), "Expected at least one error name");
                } else if errors.contains(&"States.ALL") && (errors.len() > 1 || i + 1 < count) {
                    let why = "'States.ALL' must appear alone in the last entry";
                    self.schema(&format!("{at}/ErrorEquals"), why);
                }
                if let Some(rate) = entry.get("BackoffRate").and_then(Value::as_f64)
                    && rate < 1.0
                {
                    self.schema(&format!("{at}/BackoffRate"), "Value must be greater than or equal to 1.0");
                }
            }
        }
    }
}

fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

/// The targets of a state and where they are written.
fn exits<'v>(state: &'v Value, at: &str) -> Vec<(&'v str, String)> {
    let mut exits = Vec::new();
    let mut add = |value: &'v Value, at: String| exits.extend(value.as_str().map(|name| (name, at)));
    add(&state["Next"], format!("{at}/Next"));
    for (i, rule) in list(state.get("Choices")).enumerate() {
        add(&rule["Next"], format!("{at}/Choices[{i}]/Next"));
    }
    add(&state["Default"], format!("{at}/Default"));
    for (i, catcher) in list(state.get("Catch")).enumerate() {
        add(&catcher["Next"], format!("{at}/Catch[{i}]/Next"));
    }
    exits
}
