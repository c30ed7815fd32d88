//! State machines, their executions and the events of a history, as Step Functions describes them.

use chrono::{DateTime, Utc};
use serde_json::Value;

/// A state machine, as ListStateMachines names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    pub arn: String,
    pub name: String,
    /// Express machines have no history API.
    pub express: bool,
    pub created: Option<DateTime<Utc>>,
}

/// The definition of a state machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    pub machine_arn: String,
    /// Amazon States Language JSON, as stored.
    pub text: String,
    pub role_arn: Option<String>,
    pub revision: Option<String>,
    /// The CloudWatch log group that its executions are logged to, if any.
    pub log_group: Option<String>,
}

/// A published version of a state machine, or an alias that routes to versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// `…:stateMachine:Name:3` of a version, `…:stateMachine:Name:PROD` of an alias.
    pub arn: String,
    pub created: Option<DateTime<Utc>>,
    /// Of an alias: version ARNs with their weights in per cent. Empty for a version.
    pub routes: Vec<(String, i32)>,
}

/// A Map Run: the work of one Distributed Map state, as DescribeMapRun counts it.
#[derive(Clone, Debug, PartialEq)]
pub struct MapRun {
    pub arn: String,
    /// `RUNNING`, `SUCCEEDED`, `FAILED`, `ABORTED`
    pub status: String,
    pub max_concurrency: u32,
    /// Items of whatever outcome.
    pub total: u64,
    pub pending: u64,
    pub running: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub timed_out: u64,
    pub aborted: u64,
    /// Per cent of the items that may fail, and how many.
    pub tolerated_percentage: f32,
    pub tolerated_count: u64,
    pub redrives: u32,
}

/// The status of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    Running,
    Succeeded,
    Failed,
    TimedOut,
    Aborted,
    PendingRedrive,
}

impl Status {
    pub fn is_over(self) -> bool {
        !matches!(self, Status::Running | Status::PendingRedrive)
    }

    /// The spelling of Step Functions: `TIMED_OUT`.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Running => "RUNNING",
            Status::Succeeded => "SUCCEEDED",
            Status::Failed => "FAILED",
            Status::TimedOut => "TIMED_OUT",
            Status::Aborted => "ABORTED",
            Status::PendingRedrive => "PENDING_REDRIVE",
        }
    }
}

/// One execution. A listing leaves `input`, `output`, `error` and `cause` empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    pub arn: String,
    pub name: String,
    pub machine_arn: String,
    pub status: Status,
    pub started: DateTime<Utc>,
    pub stopped: Option<DateTime<Utc>>,
    /// JSON text.
    pub input: Option<String>,
    pub output: Option<String>,
    pub error: Option<String>,
    pub cause: Option<String>,
    pub redrives: u32,
}

/// One event of GetExecutionHistory.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryEvent {
    /// Counts from 1 within the execution.
    pub id: i64,
    /// The event that led to this one; 0 for the first.
    pub previous: i64,
    pub at: DateTime<Utc>,
    /// The event type in AWS's spelling: `TaskStateEntered`.
    pub kind: String,
    /// The event's details object with AWS's own member names
    /// (`{"name": "…", "input": "…"}` for a StateEntered event); `Null` when the type has none.
    pub details: Value,
}

/// The parts of an execution's ARN: kind, state machine, name. Of a Map Run's child the machine is
/// `<machine>/<label>`.
///
/// ```text
/// arn:aws:states:us-east-1:000000000000:execution:Machine:name
/// arn:aws:states:us-east-1:000000000000:express:Machine:name:uuid
/// ```
fn parts(arn: &str) -> Option<(&str, &str, &str)> {
    let mut parts = arn.split(':').skip(5);
    let found = (parts.next()?, parts.next()?, parts.next()?);
    matches!(found.0, "execution" | "express").then_some(found)
}

/// The name of an execution, from its ARN. A text that is none is its own name.
pub fn name_of(arn: &str) -> &str {
    parts(arn).map_or_else(|| arn.rsplit(':').next().unwrap_or(arn), |(_, _, name)| name)
}

/// The name of the state machine of an execution.
pub fn machine_of(arn: &str) -> &str {
    let machine = parts(arn).map(|(_, machine, _)| machine).unwrap_or_default();
    machine.split('/').next().unwrap_or(machine)
}

/// The ARN of the state machine of an execution.
pub fn machine_arn_of(arn: &str) -> String {
    let prefix = arn.split(':').take(5).collect::<Vec<_>>().join(":");
    format!("{prefix}:stateMachine:{}", machine_of(arn))
}

/// The ARN of a state machine without the alias or version that may follow its name.
pub fn unqualified(machine_arn: &str) -> String {
    machine_arn.split(':').take(7).collect::<Vec<_>>().join(":")
}

/// The name in a state machine's ARN, with the alias or version that follows it: `Machine`, `Machine:live`.
pub fn qualified_name(machine_arn: &str) -> &str {
    match machine_arn.split_once(":stateMachine:") {
        Some((_, name)) => name,
        None => machine_arn.rsplit(':').next().unwrap_or(machine_arn),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_and_a_version_keep_the_name_of_their_machine() {
        let machine = "arn:aws:states:us-east-1:123456789012:stateMachine:Mid";
        for (arn, name) in
            [(machine, "Mid"), (&format!("{machine}:live"), "Mid:live"), (&format!("{machine}:1"), "Mid:1")]
        {
            assert_eq!((qualified_name(arn), unqualified(arn).as_str()), (name, machine));
        }
        assert_eq!(qualified_name("arn:m"), "m");
    }

    #[test]
    fn names_are_read_from_arns_of_every_kind() {
        let account = "arn:aws:states:us-east-1:123456789012";
        let read = |rest: &str| {
            let arn = format!("{account}:{rest}");
            (name_of(&arn).to_owned(), machine_of(&arn).to_owned(), machine_arn_of(&arn))
        };
        let of = |name: &str, machine: &str| {
            (name.to_owned(), machine.to_owned(), format!("{account}:stateMachine:{machine}"))
        };
        assert_eq!(read("execution:M:run-1"), of("run-1", "M"));
        assert_eq!(read("express:M:run-1:9ea5711f-ca97:x"), of("run-1", "M"));
        assert_eq!(read("execution:M/Label:3b1f"), of("3b1f", "M"));
        assert_eq!((name_of("odd"), machine_of("odd")), ("odd", ""));
    }
}
