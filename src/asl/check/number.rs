//! Numbers of a definition and the ranges they must lie in.

use serde_json::{Map, Value};

use super::super::jsonata;
use super::Check;

/// The largest number of seconds and of attempts.
pub(super) const MOST: i64 = 99_999_999;

/// A field with a whole number, the least and the most that it may be.
pub(super) struct Range(pub &'static str, pub i64, pub i64);

impl Check {
    /// Fields that must hold a whole number, or an expression where one is allowed.
    pub(super) fn integers(
        &mut self,
        object: &Map<String, Value>,
        at: &str,
        fields: &[Range],
        expression: bool,
    ) {
        for Range(field, least, most) in fields {
            let at = format!("{at}/{field}");
            match object.get(*field) {
                None => {}
                Some(Value::Number(number)) if number.is_i64() || number.is_u64() => {
                    let number = number.as_i64().unwrap_or(i64::MAX);
                    if number < *least {
                        self.schema(&at, format!("Minimum value is {least}"));
                    } else if number > *most {
                        self.schema(&at, format!("Maximum value is {most}"));
                    }
                }
                Some(Value::String(text)) if expression && jsonata::source(text).is_some() => {}
                Some(_) => self.schema(&at, "Expected value of type Integer"),
            }
        }
    }

    /// Per cent, which need not be whole.
    pub(super) fn percentage(&mut self, state: &Map<String, Value>, at: &str) {
        let at = format!("{at}/ToleratedFailurePercentage");
        match state.get("ToleratedFailurePercentage").and_then(Value::as_f64) {
            Some(number) if number < 0.0 => self.schema(&at, "Minimum value is 0"),
            Some(number) if number > 100.0 => self.schema(&at, "Maximum value is 100"),
            _ => {}
        }
    }

    /// A task that is given up for want of a heartbeat is so before its time is over (States Language,
    /// "Timeouts").
    pub(super) fn beats(&mut self, state: &Map<String, Value>, at: &str) {
        let seconds = |field: &str| state.get(field).and_then(Value::as_i64);
        if let (Some(heartbeat), Some(timeout)) = (seconds("HeartbeatSeconds"), seconds("TimeoutSeconds"))
            && heartbeat >= timeout
        {
            let why = "'HeartbeatSeconds' must be smaller than 'TimeoutSeconds'";
            self.schema(&format!("{at}/HeartbeatSeconds"), why);
        }
    }
}
