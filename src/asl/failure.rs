//! What goes wrong while a machine runs: an error name and a cause, as Catch and Retry see them.

use serde::{Deserialize, Serialize};

/// An error of a running execution. A Fail state may leave out either part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// `States.Timeout`, `Lambda.Unknown`, or a name of the machine's own.
    pub error: Option<String>,
    pub cause: Option<String>,
}

/// Errors no retrier or catcher of `States.ALL` sees.
pub const RUNTIME: &str = "States.Runtime";
pub const DATA_LIMIT: &str = "States.DataLimitExceeded";
pub const TIMEOUT: &str = "States.Timeout";
pub const HEARTBEAT: &str = "States.HeartbeatTimeout";
pub const TASK_FAILED: &str = "States.TaskFailed";
pub const ALL: &str = "States.ALL";
pub const INTRINSIC: &str = "States.IntrinsicFailure";
pub const NO_CHOICE: &str = "States.NoChoiceMatched";

impl Failure {
    pub fn new(error: impl Into<String>, cause: impl Into<String>) -> Self {
        Failure { error: Some(error.into()), cause: Some(cause.into()) }
    }

    pub fn runtime(cause: impl Into<String>) -> Self {
        Failure::new(RUNTIME, cause)
    }

    /// The name that retriers and catchers compare.
    pub fn name(&self) -> &str {
        self.error.as_deref().unwrap_or_default()
    }

    /// Whether `pattern` of an ErrorEquals list means this error. `States.ALL` leaves out
    /// `States.Runtime` and `States.DataLimitExceeded`; `States.TaskFailed` means any error but a
    /// timeout. A missed heartbeat is also a timeout.
    pub fn is(&self, pattern: &str) -> bool {
        let name = self.name();
        match pattern {
            ALL => name != RUNTIME && name != DATA_LIMIT,
            TASK_FAILED => name == TASK_FAILED || !name.starts_with("States.") || name == DATA_LIMIT,
            HEARTBEAT => name == HEARTBEAT,
            TIMEOUT => name == TIMEOUT || name == HEARTBEAT,
            _ => name == pattern,
        }
    }

    /// The error output a catcher hands on: `{"Error": …, "Cause": …}`.
    pub fn output(&self) -> serde_json::Value {
        let mut output = serde_json::Map::new();
        if let Some(error) = &self.error {
            output.insert("Error".into(), error.clone().into());
        }
        if let Some(cause) = &self.cause {
            output.insert("Cause".into(), cause.clone().into());
        }
        output.into()
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name(), self.cause.as_deref().unwrap_or_default())
    }
}
