//! What is written in JSONata: every expression is read, and may read `$states` and variables only.

use serde_json::{Map, Value};

use super::super::jsonata::{self, Query};
use super::Check;

/// Fields of a state in which no expression stands, or whose inner states are checked by themselves.
const PLAIN: &[&str] = &[
    "Type",
    "Comment",
    "QueryLanguage",
    "Next",
    "End",
    "Resource",
    "Retry",
    "Branches",
    "ItemProcessor",
    "Iterator",
    "Label",
    "Default",
];

impl Check {
    pub(super) fn expressions(&mut self, state: &Map<String, Value>, at: &str) {
        for (field, value) in state.iter().filter(|(field, _)| !PLAIN.contains(&field.as_str())) {
            self.expression(value, &format!("{at}/{field}"));
        }
    }

    fn expression(&mut self, value: &Value, at: &str) {
        match value {
            Value::Object(map) => {
                map.iter().for_each(|(name, value)| self.expression(value, &format!("{at}/{name}")));
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(i, item)| self.expression(item, &format!("{at}[{i}]")));
            }
            Value::String(text) => match jsonata::source(text).map(Query::parse) {
                Some(Ok(query)) => {
                    for name in query.unbound() {
                        let message = format!("Reference to '{name}' at the top level is not supported.");
                        self.report("UNSUPPORTED_JSONATA_EXPRESSION", at, message);
                    }
                }
                Some(Err(why)) => self.report("INVALID_JSONATA_EXPRESSION", at, why),
                None if jsonata::is_broken(text) => {
                    self.schema(at, "A JSONata expression must start with '{%' and end with '%}'");
                }
                None => {}
            },
            _ => {}
        }
    }

    /// `Assign`: an object whose members are names of variables.
    pub(super) fn variables(&mut self, holder: &Map<String, Value>, at: &str, jsonata: bool) {
        let Some(value) = holder.get("Assign") else { return };
        let at = format!("{at}/Assign");
        let Some(assign) = value.as_object() else {
            return self.schema(&at, "Expected value of type Object");
        };
        for field in assign.keys() {
            let name = if jsonata { field } else { field.strip_suffix(".$").unwrap_or(field) };
            let word = name.chars().enumerate().all(|(i, c)| {
                c.is_alphabetic() || c == '_' || i > 0 && (c.is_alphanumeric() || c.is_numeric())
            });
            if name.is_empty() || name.chars().count() > 80 || !word {
                self.schema(&at, format!("Variable name '{name}' is not valid"));
            } else if name == "states" {
                self.schema(&at, "Variable name 'states' is reserved");
            }
        }
    }
}
