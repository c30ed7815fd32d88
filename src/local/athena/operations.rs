//! What Athena answers: queries, their history and results.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::catalog::{Catalog, DEFAULT};
use super::ddl;
use super::engine::{Engine, Kind};
use super::failure::Failure;
use super::hive;
use super::lookup;
use super::named;
use super::record::{Record, State, StatementType};
use super::requests::{List, One, Results, Several, Start};
use super::results;
use crate::local::bus::{Bus, Service};
use crate::local::fault::Fault;
use crate::local::store;
use crate::sql::class;

/// Records by id.
pub const QUERIES: store::Table = "athena.queries";
/// Ids by work group, the newest first.
pub const HISTORY: store::Table = "athena.history";
/// What a ClientRequestToken started.
pub const TOKENS: store::Table = "athena.tokens";

/// The one work group, and the one catalog.
pub const PRIMARY: &str = "primary";
pub const CATALOG: &str = "AwsDataCatalog";

/// Athena's limit of a query's text, in bytes.
const LONGEST: usize = 262_144;
/// Queries that run side by side; others are QUEUED.
const SIDE_BY_SIDE: usize = 5;

/// A query that is not over yet.
pub struct Live {
    pub record: Record,
    pub cancel: CancellationToken,
}

/// The service.
pub struct Athena {
    bus: Weak<Bus>,
    this: Weak<Athena>,
    pub(super) catalog: Catalog,
    pub(super) engine: Engine,
    pub(super) live: Mutex<HashMap<String, Live>>,
    pub(super) permits: Arc<Semaphore>,
}

pub fn invalid(message: impl Into<String>) -> Fault {
    Fault::client("InvalidRequestException", message)
}

fn with_code(code: &str, message: impl Into<String>) -> Fault {
    invalid(message).with("AthenaErrorCode", code)
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Fault::internal(failure.to_string())
    }
}

/// Reads an operation's input.
pub fn input<T: for<'a> Deserialize<'a>>(value: Value) -> Result<T, Fault> {
    serde_json::from_value(value).map_err(|e| invalid(format!("The request is malformed: {e}")))
}

impl Athena {
    pub fn new(bus: &Arc<Bus>) -> Arc<Athena> {
        let catalog = Catalog::new(bus.store.clone());
        Arc::new_cyclic(|this| Athena {
            bus: Arc::downgrade(bus),
            this: this.clone(),
            engine: Engine::new(catalog.clone()),
            catalog,
            live: Mutex::default(),
            permits: Arc::new(Semaphore::new(SIDE_BY_SIDE)),
        })
    }

    pub(super) fn bus(&self) -> Result<Arc<Bus>, Fault> {
        self.bus.upgrade().ok_or_else(|| Fault::internal("the local cloud has stopped"))
    }

    pub(super) fn live(&self) -> MutexGuard<'_, HashMap<String, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn start(&self, start: Start) -> Result<Value, Fault> {
        let bus = self.bus()?;
        if start.query_string.trim().is_empty() || start.query_string.len() > LONGEST {
            return Err(invalid(format!("QueryString must have 1 to {LONGEST} bytes.")));
        }
        let workgroup = start.work_group.unwrap_or_else(|| PRIMARY.into());
        lookup::known_workgroup(&workgroup)?;
        let context = start.query_execution_context;
        let database = context.as_ref().and_then(|c| c.database.clone()).unwrap_or_else(|| DEFAULT.into());
        let catalog = context.and_then(|c| c.catalog).unwrap_or_else(|| CATALOG.into());
        if !catalog.eq_ignore_ascii_case(CATALOG) {
            return Err(invalid(format!("Catalog {catalog} was not found.")));
        }
        let folder = start.result_configuration.and_then(|c| c.output_location).ok_or_else(|| {
            invalid(
                "No output location provided. An output location is required either through the Workgroup result \
                 configuration setting or as an API input.",
            )
        })?;
        let Some((bucket, prefix)) = ddl::location(&folder) else {
            return Err(invalid(format!("outputLocation is not a valid S3 path: {folder}")));
        };
        let parameters = start.execution_parameters.unwrap_or_default();
        let (statement_type, substatement) = self.kind(&start.query_string, &parameters).await?;
        let id = uuid::Uuid::new_v4().to_string();
        // Finds out whether the bucket is there, and lists nothing.
        bus.objects()?.list(&bucket, &format!("{prefix}{id}")).map_err(|fault| {
            invalid(format!("Unable to verify/create output bucket {bucket}: {}", fault.message))
        })?;
        let ending = if statement_type == StatementType::Dml { "csv" } else { "txt" };
        let record = Record {
            output: format!("s3://{bucket}/{prefix}{id}.{ending}"),
            id,
            sql: start.query_string,
            parameters,
            statement_type,
            substatement_type: substatement,
            database: database.to_lowercase(),
            catalog,
            workgroup,
            state: State::Queued,
            reason: None,
            error: None,
            submitted: bus.clock.now().timestamp_millis(),
            completed: None,
            queue: 0,
            planning: 0,
            engine: 0,
            service: 0,
            total: 0,
            scanned: 0,
            columns: Vec::new(),
            rows: 0,
            output_bytes: 0,
        };
        let (id, fresh) = self.admit(&bus, record.clone(), start.client_request_token).await?;
        if fresh && let Some(athena) = self.this.upgrade() {
            let cancel = bus.stopping.child_token();
            self.live().insert(id.clone(), Live { record, cancel: cancel.clone() });
            tokio::spawn(athena.perform(bus, id.clone(), cancel));
        }
        Ok(json!({ "QueryExecutionId": id }))
    }

    /// Writes a new record, unless its token has started the same query before: then answers that one.
    async fn admit(&self, bus: &Bus, record: Record, token: Option<String>) -> Result<(String, bool), Fault> {
        let encoded = encode(&record)?;
        let same = json!([record.sql, record.database, record.workgroup, record.parameters]).to_string();
        bus.store
            .transact(move |tx| {
                if let Some(token) = token {
                    let key = format!("{}/{token}", record.workgroup);
                    if let Some(known) = tx.get(TOKENS, &key)? {
                        let known: (String, String) = decode(&known)?;
                        if known.1 != same {
                            return Err(invalid("Idempotent parameters do not match"));
                        }
                        return Ok((known.0, false));
                    }
                    tx.put(TOKENS, key, encode(&(record.id.clone(), same))?);
                }
                tx.put(QUERIES, record.id.clone(), encoded);
                tx.put(HISTORY, history_key(&record), record.id.clone());
                Ok((record.id, true))
            })
            .await
    }

    /// What a statement is; a text that cannot be read is refused.
    async fn kind(&self, sql: &str, parameters: &[String]) -> Result<(StatementType, String), Fault> {
        let refuse = |failure: Failure| with_code("MALFORMED_QUERY", failure.detail());
        match hive::read(sql) {
            Ok(Some(statement)) => {
                let kind = if statement.shows() { StatementType::Utility } else { StatementType::Ddl };
                return Ok((kind, substatement(sql)));
            }
            Ok(None) => {}
            Err(failure) => return Err(refuse(failure)),
        }
        match self.engine.read(sql, parameters).await {
            Ok(Kind::Query) => Ok((StatementType::Dml, "SELECT".into())),
            Ok(Kind::Explain) => Ok((StatementType::Utility, "EXPLAIN".into())),
            Err(failure) if failure.is_malformed() => Err(refuse(failure)),
            // It fails when it runs, with this reason.
            Err(_) => {
                let kind = match class::classify(sql).kind {
                    class::Kind::Query | class::Kind::Insert | class::Kind::Unload => StatementType::Dml,
                    _ => StatementType::Ddl,
                };
                Ok((kind, substatement(sql)))
            }
        }
    }

    pub(super) fn record(&self, id: &str) -> Result<Record, Fault> {
        if let Some(live) = self.live().get(id) {
            return Ok(live.record.clone());
        }
        match self.bus()?.store.get(QUERIES, id)? {
            Some(bytes) => decode(&bytes),
            None => {
                Err(with_code("INVALID_QUERY_EXECUTION_ID", format!("QueryExecution {id} was not found")))
            }
        }
    }

    fn batch(&self, ids: Vec<String>) -> Result<Value, Fault> {
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for id in ids {
            match self.record(&id) {
                Ok(record) => found.push(record.execution()),
                Err(fault) if fault.status == 400 => missing.push(json!({
                    "QueryExecutionId": id,
                    "ErrorCode": "INVALID_QUERY_EXECUTION_ID",
                    "ErrorMessage": fault.message,
                })),
                Err(fault) => return Err(fault),
            }
        }
        Ok(json!({ "QueryExecutions": found, "UnprocessedQueryExecutionIds": missing }))
    }

    fn list(&self, list: List) -> Result<Value, Fault> {
        let workgroup = list.work_group.unwrap_or_else(|| PRIMARY.into());
        lookup::known_workgroup(&workgroup)?;
        let most = list.max_results.unwrap_or(50).clamp(1, 50);
        let prefix = format!("{workgroup}/");
        let after = list.next_token.map(|token| format!("{prefix}{token}")).unwrap_or_default();
        let (mut ids, mut last, mut more) = (Vec::new(), String::new(), false);
        self.bus()?.store.scan(HISTORY, &prefix, &after, |key, id| {
            if ids.len() == most {
                more = true;
                return ControlFlow::Break(());
            }
            ids.push(String::from_utf8_lossy(id).into_owned());
            last = key[prefix.len()..].to_owned();
            ControlFlow::Continue(())
        })?;
        let mut answer = json!({ "QueryExecutionIds": ids });
        if more {
            answer["NextToken"] = json!(last);
        }
        Ok(answer)
    }

    fn results(&self, results: Results) -> Result<Value, Fault> {
        let record = self.record(&results.query_execution_id)?;
        match record.state {
            State::Succeeded => {}
            State::Queued | State::Running => {
                let state = record.state.as_str();
                return Err(invalid(format!("Query has not yet finished. Current state: {state}")));
            }
            State::Failed | State::Cancelled => {
                let state = record.state.as_str();
                return Err(invalid(format!(
                    "Query did not finish successfully. Final query state: {state}"
                )));
            }
        }
        let most = results.max_results.unwrap_or(1000);
        if !(1..=1000).contains(&most) {
            return Err(invalid("MaxResults must be between 1 and 1000"));
        }
        let from = match results.next_token {
            Some(token) => token.parse().map_err(|_| invalid("Invalid NextToken"))?,
            None => 0,
        };
        let page = if record.output_bytes == 0 {
            results::Page { rows: Vec::new(), next: None }
        } else {
            results::page(&**self.bus()?.objects()?, &record, from, most)?
        };
        let info: Vec<Value> = record.columns.iter().map(|c| c.info()).collect();
        let mut answer = json!({
            "ResultSet": { "Rows": results::rows(&page), "ResultSetMetadata": { "ColumnInfo": info } },
            "UpdateCount": 0,
        });
        if let Some(next) = page.next {
            answer["NextToken"] = json!(next.to_string());
        }
        Ok(answer)
    }

    async fn dispatch(&self, operation: &str, value: Value) -> Result<Value, Fault> {
        match operation {
            "StartQueryExecution" => self.start(input(value)?).await,
            "StopQueryExecution" => self.stop(&input::<One>(value)?.query_execution_id).await,
            "GetQueryExecution" => {
                let record = self.record(&input::<One>(value)?.query_execution_id)?;
                Ok(json!({ "QueryExecution": record.execution() }))
            }
            "BatchGetQueryExecution" => self.batch(input::<Several>(value)?.query_execution_ids),
            "ListQueryExecutions" => self.list(input(value)?),
            "GetQueryResults" => self.results(input(value)?),
            "GetQueryRuntimeStatistics" => {
                let record = self.record(&input::<One>(value)?.query_execution_id)?;
                Ok(json!({ "QueryRuntimeStatistics": record.runtime_statistics() }))
            }
            _ => match lookup::answer(&self.catalog, operation, &value) {
                Some(answer) => answer,
                None => {
                    let bus = self.bus()?;
                    named::answer(&bus, operation, value).await.unwrap_or_else(|| {
                        Err(Fault::client(
                            "UnknownOperationException",
                            format!("the local cloud's Athena has no operation {operation}"),
                        ))
                    })
                }
            },
        }
    }
}

/// `CREATE_TABLE`, `SHOW_TABLES`: the first two words.
fn substatement(sql: &str) -> String {
    use crate::sql::lexer::{Kind, lex};
    let words = lex(sql).into_iter().filter(|t| matches!(t.kind, Kind::Keyword | Kind::Name));
    let words: Vec<String> = words
        .map(|t| t.of(sql).to_uppercase())
        .filter(|w| w != "EXTERNAL" && w != "OR" && w != "REPLACE")
        .take(2)
        .collect();
    words.join("_")
}

/// Sorts by time, the newest first.
fn history_key(record: &Record) -> String {
    format!("{}/{:020}{}", record.workgroup, i64::MAX - record.submitted, record.id)
}

pub fn encode<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(value).map_err(|e| Fault::internal(e.to_string()))
}

pub fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(bytes).map_err(|e| Fault::internal(format!("a record cannot be read: {e}")))
}

impl Service for Athena {
    fn name(&self) -> &'static str {
        "athena"
    }

    fn call<'a>(&'a self, operation: &'a str, input: Value) -> BoxFuture<'a, Result<Value, Fault>> {
        Box::pin(self.dispatch(operation, input))
    }

    fn resume(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.take_up())
    }

    fn busy(&self) -> bool {
        !self.live().is_empty()
    }
}
