//! States that run after each other: their names, and where they lead.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::{Check, TARGET, list, plain};

/// Flows may stand in flows; deeper than this no drawing or history is of use.
const DEPTH: usize = 64;

impl Check {
    pub(super) fn flow(&mut self, object: &Map<String, Value>, at: &str, depth: usize) {
        if depth > DEPTH {
            return self.report(super::DEEP, at, "States are nested too deeply");
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
            if name.is_empty() {
                self.report("INVALID_STATE_NAME", &at, "State name must not be empty");
            } else if name.chars().count() > 80 {
                self.report("INVALID_STATE_NAME", &at, "State name must be at most 80 characters");
            }
            if let Some(first) = self.names.insert(name.clone(), at.clone()) {
                self.repeated(name, &at, &first);
            }
            match value.as_object() {
                Some(state) => self.state(state, &at, depth),
                None => self.schema(&at, "Expected value of type Object"),
            }
        }
        // Transitions of what cannot be read are not followed.
        if self.found[before..].iter().any(|d| d.error && d.code == super::SCHEMA) {
            return;
        }
        self.transitions(states, start, at);
    }

    fn transitions(&mut self, states: &Map<String, Value>, start: &str, at: &str) {
        let mut links: HashMap<&str, Vec<(&str, String)>> = HashMap::new();
        for (name, state) in states {
            links.insert(name, exits(state, &format!("{at}/States/{name}")));
        }
        let missing = |name: &str| format!("Missing 'Next' target: {name}");
        if !states.contains_key(start) {
            self.report(TARGET, &format!("{at}/StartAt"), missing(start));
        }
        for name in states.keys() {
            for (to, place) in links[name.as_str()].iter().filter(|(to, _)| !states.contains_key(*to)) {
                self.report(TARGET, place, missing(to));
            }
        }
        let ends = |state: &Value| {
            state["End"] == true || matches!(state["Type"].as_str(), Some("Succeed" | "Fail"))
        };
        if !states.values().any(ends) {
            self.found.push(plain("MISSING_END_STATE", "Workflow has no terminal state"));
            return;
        }
        if !states.contains_key(start) {
            return;
        }
        let (mut reached, mut next) = (HashSet::new(), vec![start]);
        while let Some(name) = next.pop() {
            if reached.insert(name) {
                next.extend(links.get(name).into_iter().flatten().map(|(to, _)| *to));
            }
        }
        for name in states.keys().filter(|n| !reached.contains(n.as_str())) {
            self.report(
                TARGET,
                &format!("{at}/States/{name}"),
                format!("State \"{name}\" is not reachable."),
            );
        }
    }
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
