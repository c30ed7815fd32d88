//! What goes wrong while a machine runs: an error name and a cause, as Catch and Retry see them.

use serde::{Deserialize, Serialize};

/// An error of a running execution. A Fail state may leave out either part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// `States.Timeout`, `Lambda.Unknown`, or a name of the machine's own.
    pub error: Option<String>,
    pub cause: Option<String>,
    /// A timeout for want of a heartbeat: AWS names it `States.Timeout` too, but lists may also name it
    /// `States.HeartbeatTimeout`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub heartbeat: bool,
    /// The field whose JSONata expression failed, as seen from its state: `Output/total`.
    #[serde(skip)]
    pub location: Option<String>,
}

pub const RUNTIME: &str = "States.Runtime";
pub const DATA_LIMIT: &str = "States.DataLimitExceeded";
pub const TIMEOUT: &str = "States.Timeout";
pub const HEARTBEAT: &str = "States.HeartbeatTimeout";
pub const TASK_FAILED: &str = "States.TaskFailed";
pub const ALL: &str = "States.ALL";
pub const INTRINSIC: &str = "States.IntrinsicFailure";
pub const QUERY: &str = "States.QueryEvaluationError";

impl Failure {
    pub fn new(error: impl Into<String>, cause: impl Into<String>) -> Self {
        Failure { error: Some(error.into()), cause: Some(cause.into()), ..Failure::default() }
    }

    /// A JSONata field that gave something it must not give.
    pub fn in_field(field: &str, cause: impl Into<String>) -> Self {
        Failure { location: Some(field.to_owned()), ..Failure::new(QUERY, cause) }
    }

    pub fn runtime(cause: impl Into<String>) -> Self {
        Failure::new(RUNTIME, cause)
    }

    /// The name that retriers and catchers compare.
    pub fn name(&self) -> &str {
        self.error.as_deref().unwrap_or_default()
    }

    /// Whether `pattern` of an ErrorEquals list means this error. `States.Runtime` cannot be caught or
    /// retried; `States.TaskFailed` means any error but a timeout.
    pub fn is(&self, pattern: &str) -> bool {
        let name = self.name();
        match pattern {
            _ if name == RUNTIME => false,
            ALL => true,
            TASK_FAILED => name != TIMEOUT,
            HEARTBEAT => self.heartbeat || name == HEARTBEAT,
            _ => name == pattern,
        }
    }

    /// The error output a catcher hands on. A timeout has no cause, and AWS hands on an empty one.
    pub fn output(&self) -> serde_json::Value {
        let cause = self.cause.as_deref().or_else(|| (self.name() == TIMEOUT).then_some(""));
        serde_json::json!({"Error": self.error, "Cause": cause})
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name(), self.cause.as_deref().unwrap_or_default())
    }
}
