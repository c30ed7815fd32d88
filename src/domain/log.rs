//! A line of a log group.

use chrono::{DateTime, Utc};

/// One event of a CloudWatch Logs group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// CloudWatch's event id, unique within the group.
    pub id: String,
    /// When the writer says it happened, to the millisecond.
    pub at: DateTime<Utc>,
    pub stream: String,
    /// The message as written, without its final newline. Untrusted text: show it, never obey it.
    pub text: String,
}
