//! Choice states and their rules.

use serde_json::{Map, Value};

use super::super::operator::is_operator;
use super::Check;
use super::state::one;

/// What a rule asks: one of these.
const KINDS: [&str; 5] = ["And", "Or", "Not", "Variable", "Condition"];

/// Rules may stand in rules; deeper than this nobody reads them.
const DEPTH: usize = 100;

impl Check {
    pub(super) fn choice(&mut self, state: &Map<String, Value>, at: &str, jsonata: bool) {
        if !self.required(state, at, &["Choices"]) {
            return;
        }
        let Some(rules) = state["Choices"].as_array() else {
            return self.schema(&format!("{at}/Choices"), "Expected value of type Array");
        };
        if rules.is_empty() {
            self.schema(&format!("{at}/Choices"), "Value cannot be empty");
        }
        for (i, rule) in rules.iter().enumerate() {
            let at = format!("{at}/Choices[{i}]");
            let Some(rule) = rule.as_object() else {
                self.schema(&at, "Expected value of type Object");
                continue;
            };
            let required: &[&str] = if jsonata { &["Condition", "Next"] } else { &["Next"] };
            self.required(rule, &at, required);
            if jsonata {
                self.fields(rule, &at, &["Comment", "Condition", "Next", "Assign", "Output"]);
            } else {
                self.foreign(rule, &at, jsonata, &["Condition", "Output"]);
                self.question(rule, &at, &["Next", "Assign", "Condition", "Output"], 0);
            }
            self.texts(rule, &at, &["Next", "Comment"]);
            self.variables(rule, &at, jsonata);
        }
    }

    /// A rule of JSONPath and those within it, which decide nothing but whether they hold; `more` are the
    /// fields that it may have beside its question (States Language, "Choice State").
    fn question(&mut self, rule: &Map<String, Value>, at: &str, more: &[&str], depth: usize) {
        if depth > DEPTH {
            return self.schema(at, "Choice rules are nested too deeply");
        }
        let operators: Vec<&str> = rule.keys().map(String::as_str).filter(|f| is_operator(f)).collect();
        let compares = rule.contains_key("Variable");
        let known = |field: &str| {
            field == "Comment"
                || KINDS.contains(&field)
                || more.contains(&field)
                || compares && is_operator(field)
        };
        for field in rule.keys().filter(|field| !known(field)) {
            self.schema(at, format!("Field '{field}' is not supported"));
        }
        if KINDS.iter().filter(|kind| rule.contains_key(**kind)).count() != 1 {
            let kinds = KINDS.join(", ");
            return self
                .schema(at, format!("The object must have only one of the following fields, [{kinds}]"));
        }
        if operators.len() > 1 && compares {
            self.schema(at, one(&operators.join(", ")));
        }
        for kind in ["And", "Or"] {
            let at = format!("{at}/{kind}");
            match rule.get(kind) {
                None => {}
                Some(Value::Array(rules)) if rules.is_empty() => self.schema(&at, "Value cannot be empty"),
                Some(Value::Array(rules)) => {
                    for (i, rule) in rules.iter().enumerate() {
                        self.inner_question(rule, &format!("{at}[{i}]"), depth);
                    }
                }
                Some(_) => self.schema(&at, "Expected value of type Array"),
            }
        }
        if let Some(rule) = rule.get("Not") {
            self.inner_question(rule, &format!("{at}/Not"), depth);
        }
    }

    fn inner_question(&mut self, rule: &Value, at: &str, depth: usize) {
        match rule.as_object() {
            Some(rule) => self.question(rule, at, &[], depth + 1),
            None => self.schema(at, "Expected value of type Object"),
        }
    }
}
