//! From an event to what is done about it: the count per state in Athena.

use std::time::{Duration, Instant};

use lambda_runtime::Diagnostic;
use serde_json::{Map, Value, json};

use super::event::{Event, Object};
use crate::aws::athena::Start;
use crate::aws::{self, Aws};
use crate::domain::grid::Grid;
use crate::domain::query::{Query, QueryState};

/// Stage 3 of the pipeline: how many facilities each state has.
const SQL: &str = include_str!("../../assets/queries/facilities_per_state.sql");
/// How long the function waits for its query.
const PATIENCE: Duration = Duration::from_secs(60);
/// Waits between two looks at the query: short at first, since small queries are quick.
const FIRST_LOOK: Duration = Duration::from_millis(20);
const LAST_LOOK: Duration = Duration::from_secs(2);

/// Where the query runs, from the function's environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub database: String,
    pub table: String,
    /// `s3://bucket/prefix/`
    pub output_location: String,
    pub workgroup: String,
}

impl Settings {
    /// Reads `ATHENA_DATABASE`, `ATHENA_OUTPUT_LOCATION` and `ATHENA_WORKGROUP`, which must be there,
    /// and `ATHENA_TABLE` (default `facilities`).
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Settings, Failure> {
        let given = |name: &'static str| variable(name).filter(|value| !value.is_empty());
        let needed = |name: &'static str| given(name).ok_or(Failure::Setting(name));
        Ok(Settings {
            database: needed("ATHENA_DATABASE")?,
            table: given("ATHENA_TABLE").unwrap_or_else(|| "facilities".into()),
            output_location: needed("ATHENA_OUTPUT_LOCATION")?,
            workgroup: needed("ATHENA_WORKGROUP")?,
        })
    }

    /// The query's text, its comments left out.
    fn sql(&self) -> String {
        let lines: Vec<&str> = SQL.lines().filter(|line| !line.starts_with("--")).collect();
        lines
            .join("\n")
            .replace("{{database}}", &name(&self.database))
            .replace("{{table}}", &name(&self.table))
    }
}

/// A name as SQL takes it: in quotes unless it is a plain word.
fn name(text: &str) -> String {
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && text.starts_with(|c: char| c.is_ascii_alphabetic());
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

/// Why an invocation fails; becomes `errorType` and `errorMessage`.
#[derive(thiserror::Error)]
pub enum Failure {
    #[error("the environment variable {0} is not set: add it to the function's configuration")]
    Setting(&'static str),
    #[error("the event is neither S3's nor {{\"execution\": \"<arn>\"}}")]
    UnknownEvent,
    #[error("Athena refused {operation}: {code}: {message}")]
    Athena { operation: &'static str, code: String, message: String },
    #[error("the query {id} ended {state}: {reason}")]
    Query { id: String, state: &'static str, reason: String },
    #[error("the query {id} was still {state} after {} s and was stopped", PATIENCE.as_secs())]
    TooSlow { id: String, state: &'static str },
}

/// The runtime logs a failed invocation by its `Debug`: that line is for people, too.
impl std::fmt::Debug for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl From<aws::Error> for Failure {
    fn from(error: aws::Error) -> Self {
        Failure::Athena { operation: error.operation, code: error.code, message: error.message }
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        let kind = match &failure {
            Failure::Setting(_) => "MissingSetting",
            Failure::UnknownEvent => "UnknownEvent",
            Failure::Athena { .. } => "AthenaRefused",
            Failure::Query { .. } => "QueryFailed",
            Failure::TooSlow { .. } => "QueryTimedOut",
        };
        Diagnostic { error_type: kind.into(), error_message: failure.to_string() }
    }
}

/// Does what an event asks for and answers the facts.
pub async fn handle(aws: &Aws, settings: &Settings, event: &Value) -> Result<Value, Failure> {
    match Event::read(event).ok_or(Failure::UnknownEvent)? {
        Event::Workflow { execution } => for_workflow(aws, settings, &execution).await,
        Event::Objects { facilities, skipped } => {
            for Object { bucket, key } in &skipped {
                tracing::info!(bucket, key, "skipped: not raw/*.json");
            }
            if facilities.is_empty() {
                return Ok(json!({ "skipped": skipped.len() }));
            }
            for Object { bucket, key } in &facilities {
                tracing::info!(bucket, key, "object arrived");
            }
            count(aws, settings).await
        }
        Event::Test => {
            tracing::info!("S3 tests the bucket's notification");
            Ok(json!({ "skipped": 1 }))
        }
    }
}

/// The workflow waits itself: the query is started and named.
async fn for_workflow(aws: &Aws, settings: &Settings, execution: &str) -> Result<Value, Failure> {
    let id = start(aws, settings).await?;
    tracing::info!(execution, query_execution_id = id, "query started for the workflow");
    let query = aws.athena.get_query_execution(&id).await?;
    let location = query
        .output_location
        .unwrap_or_else(|| format!("{}/{id}.csv", settings.output_location.trim_end_matches('/')));
    Ok(json!({ "query_execution_id": id, "output_location": location }))
}

async fn start(aws: &Aws, settings: &Settings) -> Result<String, Failure> {
    let start = Start {
        sql: settings.sql(),
        database: Some(settings.database.clone()),
        workgroup: Some(settings.workgroup.clone()),
        output_location: Some(settings.output_location.clone()),
        ..Start::default()
    };
    Ok(aws.athena.start_query_execution(&start).await?)
}

/// Runs the query to its end and logs the counts.
async fn count(aws: &Aws, settings: &Settings) -> Result<Value, Failure> {
    let began = Instant::now();
    let id = start(aws, settings).await?;
    tracing::info!(query_execution_id = id, "query started");
    let query = wait(aws, &id, began).await?;
    let (grid, _) = aws.athena.results(&id, 1_000).await?;
    let counts = counts(&grid);
    let facilities: i64 = counts.values().filter_map(Value::as_i64).sum();
    let text = Value::Object(counts.clone()).to_string();
    tracing::info!(
        query_execution_id = id,
        states = counts.len(),
        facilities,
        millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        scanned_bytes = query.scanned,
        counts = text,
        "facilities per state"
    );
    Ok(json!({ "query_execution_id": id, "facilities": facilities, "counts": counts }))
}

async fn wait(aws: &Aws, id: &str, began: Instant) -> Result<Query, Failure> {
    let mut look = FIRST_LOOK;
    loop {
        let query = aws.athena.get_query_execution(id).await?;
        match query.state {
            QueryState::Succeeded => return Ok(query),
            state if state.is_over() => {
                let reason = query.reason.unwrap_or_else(|| "Athena gave no reason".into());
                return Err(Failure::Query { id: id.to_owned(), state: state.as_str(), reason });
            }
            state if began.elapsed() + look > PATIENCE => {
                // Nobody will read its result. If it cannot be stopped, it ends by itself.
                if let Err(error) = aws.athena.stop_query_execution(id).await {
                    tracing::warn!(query_execution_id = id, %error, "the query could not be stopped");
                }
                return Err(Failure::TooSlow { id: id.to_owned(), state: state.as_str() });
            }
            _ => tokio::time::sleep(look).await,
        }
        look = (look * 3 / 2).min(LAST_LOOK);
    }
}

/// State to count, in the order of the rows. A row without a state counts as `unknown`.
fn counts(grid: &Grid) -> Map<String, Value> {
    let mut counts = Map::new();
    for row in &grid.rows {
        let state = row.first().cloned().flatten().filter(|state| !state.is_empty());
        let count = row.get(1).cloned().flatten().and_then(|count| count.parse::<i64>().ok());
        counts.insert(state.unwrap_or_else(|| "unknown".into()), count.unwrap_or_default().into());
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(name: &str) -> Option<String> {
        let value = match name {
            "ATHENA_DATABASE" => "healthcare_pipeline",
            "ATHENA_OUTPUT_LOCATION" => "s3://b/athena-results/",
            "ATHENA_WORKGROUP" => "primary",
            _ => return None,
        };
        Some(value.to_owned())
    }

    #[test]
    fn a_missing_setting_is_named() {
        assert_eq!(Settings::read(variables).unwrap().table, "facilities");
        for name in ["ATHENA_DATABASE", "ATHENA_OUTPUT_LOCATION", "ATHENA_WORKGROUP"] {
            let failure = Settings::read(|asked| variables(asked).filter(|_| asked != name)).unwrap_err();
            let diagnostic = Diagnostic::from(failure);
            assert_eq!(diagnostic.error_type, "MissingSetting");
            assert!(diagnostic.error_message.contains(name), "{}", diagnostic.error_message);
            assert!(
                Settings::read(|asked| variables(asked).map(|v| if asked == name {
                    String::new()
                } else {
                    v
                }))
                .is_err()
            );
        }
    }

    #[test]
    fn the_query_names_the_table_and_nothing_is_left_open() {
        let mut settings = Settings::read(variables).unwrap();
        assert!(settings.sql().contains("FROM healthcare_pipeline.facilities\n"));
        assert!(!settings.sql().contains("{{") && !settings.sql().contains("--"));
        settings.table = "odd-\"name".into();
        assert!(settings.sql().contains("healthcare_pipeline.\"odd-\"\"name\""));
    }
}
