//! What AWS allows but warns of: values of JSONPath states that look like paths and are none. The codes are
//! those of the API reference, ValidateStateMachineDefinitionDiagnostic.

use serde_json::{Map, Value};

use super::super::template::Expression;
use super::{Check, Diagnostic};

impl Check {
    pub(super) fn hints(&mut self, state: &Map<String, Value>, at: &str) {
        for field in ["Parameters", "ResultSelector", "ItemSelector"] {
            if let Some(value) = state.get(field) {
                self.dollars(value, &format!("{at}/{field}"));
            }
        }
        if state.get("Result").is_some_and(has_path) {
            self.warn(
                "PASS_RESULT_IS_STATIC",
                format!("{at}/Result"),
                "The Result of a Pass state is static: a path in it is not evaluated",
            );
        }
        for (field, value) in state {
            let dynamic = ["Seconds", "Timestamp", "TimeoutSeconds", "HeartbeatSeconds", "Error", "Cause"];
            if dynamic.contains(&field.as_str()) && value.as_str().is_some_and(is_path) {
                let message =
                    format!("Field '{field}' looks like a path, but its name does not end with 'Path'");
                self.warn("NO_PATH", format!("{at}/{field}"), message);
            }
        }
    }

    fn dollars(&mut self, value: &Value, at: &str) {
        match value {
            Value::Object(map) => {
                for (name, value) in map {
                    let at = format!("{at}/{name}");
                    if !name.ends_with(".$") && value.as_str().is_some_and(is_path) {
                        let message = format!(
                            "Field '{name}' appears to be a JSONPath or intrinsic function, but does not end with '.$'"
                        );
                        self.warn("NO_DOLLAR", at.clone(), message);
                    }
                    self.dollars(value, &at);
                }
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(i, item)| self.dollars(item, &format!("{at}[{i}]")));
            }
            _ => {}
        }
    }

    fn warn(&mut self, code: &'static str, at: String, message: impl Into<String>) {
        self.found.push(Diagnostic { error: false, code, message: message.into(), location: Some(at) });
    }
}

fn is_path(text: &str) -> bool {
    (text.starts_with("$.") || text.starts_with("$$.") || text.starts_with("States."))
        && Expression::parse(text).is_ok()
}

fn has_path(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(name, value)| name.ends_with(".$") || has_path(value)),
        Value::Array(items) => items.iter().any(has_path),
        _ => false,
    }
}
