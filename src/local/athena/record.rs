//! What is kept of a query: in the store, so that history survives a restart.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::engine::CUT_OFF;
use super::failure::Failure;

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultColumn {
    pub name: String,
    /// Athena's name of the type without parameters: `array`.
    pub kind: String,
    pub precision: u32,
    pub scale: u32,
}

impl ResultColumn {
    /// As ColumnInfo of GetQueryResults.
    pub fn info(&self) -> Value {
        json!({
            "CatalogName": "hive",
            "SchemaName": "",
            "TableName": "",
            "Name": self.name,
            "Label": self.name,
            "Type": self.kind,
            "Precision": self.precision,
            "Scale": self.scale,
            "Nullable": "UNKNOWN",
            "CaseSensitive": matches!(self.kind.as_str(), "varchar" | "char" | "string"),
        })
    }
}

/// Why it failed, as the API's AthenaError.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AthenaError {
    pub category: u8,
    pub kind: u32,
    pub message: String,
}

impl From<&Failure> for AthenaError {
    fn from(failure: &Failure) -> Self {
        AthenaError { category: failure.category(), kind: failure.kind(), message: failure.to_string() }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    #[default]
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            State::Queued => "QUEUED",
            State::Running => "RUNNING",
            State::Succeeded => "SUCCEEDED",
            State::Failed => "FAILED",
            State::Cancelled => "CANCELLED",
        }
    }

    pub fn is_over(self) -> bool {
        !matches!(self, State::Queued | State::Running)
    }
}

/// What Athena tells about a statement's kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatementType {
    #[default]
    Ddl,
    Dml,
    Utility,
}

impl StatementType {
    pub fn as_str(self) -> &'static str {
        match self {
            StatementType::Ddl => "DDL",
            StatementType::Dml => "DML",
            StatementType::Utility => "UTILITY",
        }
    }
}

/// What an EXECUTE runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resolved {
    pub sql: String,
    /// SQL texts for its `?`.
    pub parameters: Vec<String>,
}

/// One query execution. Times are milliseconds, moments since the epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    pub id: String,
    pub sql: String,
    pub parameters: Vec<String>,
    pub resolved: Option<Resolved>,
    pub statement_type: StatementType,
    /// `SELECT`, `CREATE_TABLE` …
    pub substatement_type: String,
    pub database: String,
    pub catalog: String,
    pub workgroup: String,
    /// `s3://bucket/prefix/<id>.csv`
    pub output: String,
    pub state: State,
    pub reason: Option<String>,
    pub error: Option<AthenaError>,
    pub submitted: i64,
    pub completed: Option<i64>,
    pub queue: u64,
    pub planning: u64,
    pub engine: u64,
    pub service: u64,
    pub total: u64,
    /// Bytes read from objects.
    pub scanned: u64,
    /// Bytes that may be read.
    pub cut_off: Option<u64>,
    pub columns: Vec<ResultColumn>,
    pub rows: u64,
    pub output_bytes: u64,
    /// Rows that a statement has written.
    pub updated: Option<u64>,
    /// The list of the files that it has written: `s3://bucket/prefix/<id>-manifest.csv`
    pub manifest: Option<String>,
    /// How old a result may be to be used again, minutes.
    pub reuse: Option<u64>,
    /// Whether the result is an earlier query's.
    pub reused: bool,
}

fn seconds(millis: i64) -> Value {
    json!(millis as f64 / 1000.0)
}

impl Record {
    /// The statement that is to run, with its parameters.
    pub fn runs(&self) -> (&str, &[String]) {
        match &self.resolved {
            Some(resolved) => (&resolved.sql, &resolved.parameters),
            None => (&self.sql, &self.parameters),
        }
    }

    /// Ends it with a failure. Athena calls a query cancelled that was cut off by its work group's limit.
    pub fn fail(&mut self, failure: &Failure) {
        let cut_off = failure.name == CUT_OFF;
        self.state = if cut_off { State::Cancelled } else { State::Failed };
        self.reason = Some(if cut_off { failure.message.clone() } else { failure.to_string() });
        self.error = Some(AthenaError::from(failure));
        self.engine = self.total.saturating_sub(self.queue);
        (self.updated, self.manifest) = (None, None);
    }

    /// As QueryExecution of GetQueryExecution.
    pub fn execution(&self) -> Value {
        let mut status =
            json!({ "State": self.state.as_str(), "SubmissionDateTime": seconds(self.submitted) });
        if let Some(completed) = self.completed {
            status["CompletionDateTime"] = seconds(completed);
        }
        if let Some(reason) = &self.reason {
            status["StateChangeReason"] = json!(reason);
        }
        if let Some(error) = &self.error {
            status["AthenaError"] = json!({
                "ErrorCategory": error.category,
                "ErrorType": error.kind,
                "Retryable": false,
                "ErrorMessage": error.message,
            });
        }
        let mut statistics = json!({
            "EngineExecutionTimeInMillis": self.engine,
            "DataScannedInBytes": self.scanned,
            "TotalExecutionTimeInMillis": self.total,
            "QueryQueueTimeInMillis": self.queue,
            "ServicePreProcessingTimeInMillis": 0,
            "ServiceProcessingTimeInMillis": self.service,
            "ResultReuseInformation": { "ReusedPreviousResult": self.reused },
        });
        if self.statement_type == StatementType::Dml {
            statistics["QueryPlanningTimeInMillis"] = json!(self.planning);
        }
        if let Some(manifest) = &self.manifest {
            statistics["DataManifestLocation"] = json!(manifest);
        }
        let mut by_age = json!({ "Enabled": self.reuse.is_some() });
        if let Some(minutes) = self.reuse {
            by_age["MaxAgeInMinutes"] = json!(minutes);
        }
        let mut execution = json!({
            "QueryExecutionId": self.id,
            "Query": self.sql,
            "StatementType": self.statement_type.as_str(),
            "SubstatementType": self.substatement_type,
            "ResultConfiguration": { "OutputLocation": self.output },
            "ResultReuseConfiguration": { "ResultReuseByAgeConfiguration": by_age },
            "QueryExecutionContext": { "Database": self.database, "Catalog": self.catalog.to_lowercase() },
            "Status": status,
            "Statistics": statistics,
            "WorkGroup": self.workgroup,
            "EngineVersion": engine_version(),
        });
        if !self.parameters.is_empty() {
            execution["ExecutionParameters"] = json!(self.parameters);
        }
        execution
    }

    /// As QueryRuntimeStatistics of GetQueryRuntimeStatistics.
    pub fn runtime_statistics(&self) -> Value {
        json!({
            "Timeline": {
                "QueryQueueTimeInMillis": self.queue,
                "QueryPlanningTimeInMillis": self.planning,
                "EngineExecutionTimeInMillis": self.engine,
                "ServicePreProcessingTimeInMillis": 0,
                "ServiceProcessingTimeInMillis": self.service,
                "TotalExecutionTimeInMillis": self.total,
            },
            "Rows": { "OutputRows": self.rows, "OutputBytes": self.output_bytes, "InputBytes": self.scanned },
        })
    }
}

pub fn engine_version() -> Value {
    json!({ "SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3" })
}
