//! What the clients may do. Read-only is enforced here, before anything is sent.

use super::error::{Error, Kind};
use crate::sql::class;

/// Whether operations that start, stop, write or delete may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permit {
    ReadWrite,
    ReadOnly,
}

/// Every operation of `aws/` that changes something. `StartQueryExecution` is judged by its SQL
/// ([`Permit::check_sql`]), and `StopQueryExecution` may always end what this process started.
pub const WRITING: &[&str] = &[
    "AddPermission",
    "CreateBucket",
    "CreateFunction",
    "CreateStateMachine",
    "CreateTopic",
    "DeleteObject",
    "Invoke",
    "PutBucketNotificationConfiguration",
    "PutObject",
    "RedriveExecution",
    "SendTaskFailure",
    "SendTaskSuccess",
    "StartExecution",
    "StopExecution",
    "UpdateFunctionCode",
    "UpdateFunctionConfiguration",
    "UpdateStateMachine",
];

/// The operations that only read, so that an operation in neither table is noticed.
pub const READING: &[&str] = &[
    "BatchGetQueryExecution",
    "DescribeExecution",
    "DescribeMapRun",
    "DescribeStateMachine",
    "DescribeStateMachineAlias",
    "DescribeStateMachineForExecution",
    "FilterLogEvents",
    "GetBucketNotificationConfiguration",
    "GetCallerIdentity",
    "GetExecutionHistory",
    "GetFunction",
    "GetObject",
    "GetQueryExecution",
    "GetQueryResults",
    "HeadBucket",
    "HeadObject",
    "ListExecutions",
    "ListObjectsV2",
    "ListQueryExecutions",
    "ListStateMachineAliases",
    "ListStateMachineVersions",
    "ListStateMachines",
    "ListTableMetadata",
    "ListTopics",
    "StartQueryExecution",
    "StopQueryExecution",
];

impl Permit {
    pub fn writes(self) -> bool {
        self == Permit::ReadWrite
    }

    /// Refuses a writing operation, and one that nobody has classified.
    pub fn check(self, operation: &'static str) -> Result<(), Error> {
        match self {
            Permit::ReadWrite => Ok(()),
            Permit::ReadOnly if READING.contains(&operation) => Ok(()),
            Permit::ReadOnly => Err(refused(operation, "this session is read-only")),
        }
    }

    /// Refuses SQL that does more than read.
    pub fn check_sql(self, sql: &str) -> Result<(), Error> {
        match self {
            Permit::ReadOnly if class::classify(sql).writes => Err(refused(
                "StartQueryExecution",
                "this session is read-only, and the statement does more than read",
            )),
            _ => Ok(()),
        }
    }
}

pub(super) fn refused(operation: &'static str, why: &str) -> Error {
    Error {
        kind: Kind::ReadOnly,
        operation,
        code: "ReadOnly".into(),
        message: why.into(),
        hint: Some("Leave out --read-only (WARD_READ_ONLY, read_only) to allow it".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_only_lets_queries_through_and_nothing_else() {
        for sql in [
            "SELECT 1",
            "-- count\nselect count(*) from t where note = 'drop table t'",
            "WITH a AS (SELECT 1) SELECT * FROM a",
            "SHOW CREATE TABLE facilities",
            "/* x */ EXPLAIN SELECT 1",
        ] {
            assert!(Permit::ReadOnly.check_sql(sql).is_ok(), "{sql}");
        }
        for sql in [
            "INSERT INTO t SELECT 1",
            "drop table t",
            "SELECT 1; DROP TABLE t",
            "EXPLAIN ANALYZE INSERT INTO t VALUES 1",
            "UNLOAD (SELECT 1) TO 's3://b/'",
        ] {
            let error = Permit::ReadOnly.check_sql(sql).unwrap_err();
            assert_eq!(error.kind, Kind::ReadOnly, "{sql}");
            assert!(Permit::ReadWrite.check_sql(sql).is_ok());
        }
    }

    #[test]
    fn every_operation_is_classified_once() {
        let source = [
            include_str!("s3.rs"),
            include_str!("athena.rs"),
            include_str!("states.rs"),
            include_str!("lambda.rs"),
            include_str!("sns.rs"),
            include_str!("logs.rs"),
            include_str!("sts.rs"),
        ]
        .concat();
        let asked = regex::Regex::new(r#"\.ask\(\s*"(\w+)""#).unwrap();
        let mut count = 0;
        for capture in asked.captures_iter(&source) {
            let name = &capture[1];
            assert!(WRITING.contains(&name) != READING.contains(&name), "{name} is in one of the tables");
            count += 1;
        }
        assert!(count > 30, "{count}");
        for name in WRITING {
            let operation: &'static str = name;
            assert!(Permit::ReadOnly.check(operation).is_err(), "{name}");
        }
    }
}
