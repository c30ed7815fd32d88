//! An Athena query execution.

use chrono::{DateTime, Utc};

/// The state of a query, as Athena's `QueryExecutionState` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueryState {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

impl QueryState {
    pub fn is_over(self) -> bool {
        !matches!(self, QueryState::Queued | QueryState::Running)
    }

    /// Athena's spelling: `SUCCEEDED`.
    pub fn as_str(self) -> &'static str {
        match self {
            QueryState::Queued => "QUEUED",
            QueryState::Running => "RUNNING",
            QueryState::Succeeded => "SUCCEEDED",
            QueryState::Failed => "FAILED",
            QueryState::Cancelled => "CANCELLED",
        }
    }
}

/// One query execution, as GetQueryExecution describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    pub id: String,
    pub sql: String,
    pub state: QueryState,
    /// Athena's StateChangeReason: the error's text when it failed.
    pub reason: Option<String>,
    pub database: Option<String>,
    pub workgroup: Option<String>,
    /// `s3://bucket/prefix/<id>.csv`
    pub output_location: Option<String>,
    pub submitted: Option<DateTime<Utc>>,
    pub completed: Option<DateTime<Utc>>,
    /// Bytes scanned so far.
    pub scanned: Option<u64>,
    pub engine_millis: Option<u64>,
    pub queue_millis: Option<u64>,
    pub total_millis: Option<u64>,
}
