//! What is written in JSONata: every expression is read, and may read `$states` and variables only (States
//! Language, "JSONata Restrictions"); of `$states`, only what there is where it stands (AWS guide, "Passing
//! data between states with variables").

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

/// What `$states` has beside input and context where an expression stands.
#[derive(Clone, Copy)]
enum Given {
    Nothing,
    /// The outcome of the state's work.
    Result,
    /// What a catcher caught.
    Error,
}

impl Given {
    /// A state's own fields; those of its catchers are seen apart.
    fn in_field(type_name: &str, field: &str) -> Given {
        match (type_name, field) {
            ("Task" | "Parallel" | "Map", "Output" | "Assign") => Given::Result,
            (_, "Catch") => Given::Error,
            _ => Given::Nothing,
        }
    }

    /// The member that an expression reads although there is none.
    fn missing(self, query: &Query) -> Option<&'static str> {
        let there = |member: &str| match self {
            Given::Nothing => false,
            Given::Result => member == "result",
            Given::Error => member == "errorOutput",
        };
        ["result", "errorOutput"].into_iter().find(|member| query.reads(member) && !there(member))
    }
}

impl Check {
    pub(super) fn expressions(&mut self, state: &Map<String, Value>, at: &str) {
        let type_name = state.get("Type").and_then(Value::as_str).unwrap_or_default();
        for (field, value) in state.iter().filter(|(field, _)| !PLAIN.contains(&field.as_str())) {
            self.expression(value, &format!("{at}/{field}"), Given::in_field(type_name, field));
        }
    }

    fn expression(&mut self, value: &Value, at: &str, given: Given) {
        match value {
            Value::Object(map) => {
                map.iter().for_each(|(name, value)| self.expression(value, &format!("{at}/{name}"), given));
            }
            Value::Array(items) => {
                let items = items.iter().enumerate();
                items.for_each(|(i, item)| self.expression(item, &format!("{at}[{i}]"), given));
            }
            Value::String(text) => match jsonata::source(text).map(Query::parse) {
                Some(Ok(query)) => {
                    if let Some(member) = given.missing(&query) {
                        let message =
                            format!("Reference to '$states.{member}' is not supported in this field.");
                        self.report("UNSUPPORTED_JSONATA_EXPRESSION", at, message);
                    }
                    for name in query.unbound() {
                        let message = format!("Reference to '{name}' at the top level is not supported.");
                        self.report("UNSUPPORTED_JSONATA_EXPRESSION", at, message);
                    }
                }
                Some(Err(why)) => self.report("INVALID_JSONATA_EXPRESSION", at, why),
                None if jsonata::is_broken(text) => {
                    self.schema(at, "JSONata string must start with {% and end with %}");
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
            let invalid = |why: &str| format!("Invalid variable name '{name}': the variable name {why}.");
            if name.is_empty() || !word {
                self.report("INVALID_VARIABLE_NAME", &at, invalid("contains invalid characters"));
            } else if name.chars().count() > 80 {
                let why = invalid("exceeds the 80-character limit allowed by the service");
                self.report("INVALID_VARIABLE_NAME", &at, why);
            } else if name == "states" {
                let why = "Cannot assign to reserved variable '$states'.";
                self.report("RESERVED_VARIABLE_NAME", &at, why);
            }
        }
    }
}
