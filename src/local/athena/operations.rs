//! What Athena answers: queries, their history and results.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::catalog::Catalog;
use super::engine::{Engine, Meter};
use super::failure::Failure;
use super::record::{Record, State};
use super::requests::{List, One, Results, Several};
use super::{datacatalogs, lookup, named, prepared, results, tags, workgroups};
use crate::local::bus::{Bus, Service};
use crate::local::fault::Fault;
use crate::local::store;

/// Records by id.
pub const QUERIES: store::Table = "athena.queries";
/// Ids by work group, the newest first.
pub const HISTORY: store::Table = "athena.history";
/// What a ClientRequestToken started.
pub const TOKENS: store::Table = "athena.tokens";

/// The work group that every account has, and its catalog.
pub const PRIMARY: &str = "primary";
pub const CATALOG: &str = "AwsDataCatalog";

/// Queries that run side by side; others are QUEUED.
const SIDE_BY_SIDE: usize = 5;

/// A query that is not over yet.
pub struct Live {
    pub record: Record,
    pub cancel: CancellationToken,
    /// Counts while it runs.
    pub meter: Arc<Meter>,
}

/// The service.
pub struct Athena {
    bus: Weak<Bus>,
    pub(super) this: Weak<Athena>,
    pub(super) catalog: Catalog,
    pub(super) engine: Engine,
    pub(super) live: Mutex<HashMap<String, Live>>,
    pub(super) permits: Arc<Semaphore>,
}

pub fn invalid(message: impl Into<String>) -> Fault {
    Fault::client("InvalidRequestException", message)
}

pub fn with_code(code: &str, message: impl Into<String>) -> Fault {
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

    pub(super) fn record(&self, id: &str) -> Result<Record, Fault> {
        if let Some(live) = self.live().get(id) {
            return Ok(Record { scanned: live.meter.bytes(), ..live.record.clone() });
        }
        match self.bus()?.store.get(QUERIES, id)? {
            Some(bytes) => decode(&bytes),
            None => {
                Err(with_code("INVALID_QUERY_EXECUTION_ID", format!("QueryExecution {id} was not found")))
            }
        }
    }

    fn batch(&self, ids: Vec<String>) -> Result<Value, Fault> {
        if ids.is_empty() || ids.len() > 50 {
            return Err(invalid("QueryExecutionIds must have 1 to 50 members"));
        }
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
        let bus = self.bus()?;
        let workgroup = workgroups::known(&bus, list.work_group.as_deref().unwrap_or(PRIMARY))?.name;
        let most = lookup::most(list.max_results.map(|n| n as u64))?;
        let prefix = format!("{workgroup}/");
        let after = list.next_token.map(|token| format!("{prefix}{token}")).unwrap_or_default();
        let (mut ids, mut last, mut more) = (Vec::new(), String::new(), false);
        bus.store.scan(HISTORY, &prefix, &after, |key, id| {
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
        let state = record.state.as_str();
        match record.state {
            State::Succeeded => {}
            State::Queued | State::Running => {
                let text = format!("Query has not yet finished. Current state: {state}");
                return Err(with_code("INVALID_QUERY_EXECUTION_STATE", text));
            }
            State::Failed | State::Cancelled => {
                let text = format!("Query did not finish successfully. Final query state: {state}");
                return Err(with_code("INVALID_QUERY_EXECUTION_STATE", text));
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
            "UpdateCount": record.updated.unwrap_or(0),
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
            _ => self.other(operation, value).await,
        }
    }

    /// Operations that are not about queries, each file's in turn.
    async fn other(&self, operation: &str, value: Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        if let Some(answer) = lookup::answer(&self.catalog, operation, &value) {
            return answer;
        }
        if let Some(answer) = workgroups::answer(&bus, operation, value.clone()).await {
            return answer;
        }
        if let Some(answer) = prepared::answer(&bus, operation, value.clone()).await {
            return answer;
        }
        if let Some(answer) = datacatalogs::answer(&bus, operation, value.clone()).await {
            return answer;
        }
        if let Some(answer) = tags::answer(&bus, operation, value.clone()).await {
            return answer;
        }
        named::answer(&bus, operation, value).await.unwrap_or_else(|| {
            let text = format!("the local cloud's Athena has no operation {operation}");
            Err(Fault::client("UnknownOperationException", text))
        })
    }
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

    fn unfinished(&self) -> Vec<String> {
        self.interrupted()
    }

    fn busy(&self) -> bool {
        !self.live().is_empty()
    }
}
