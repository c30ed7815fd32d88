//! A query's way: QUEUED, RUNNING, and SUCCEEDED, FAILED or CANCELLED. Each end is in the store
//! before anyone is told of it.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::catalog::{Column, Table};
use super::ddl::{Ddl, Shown};
use super::engine::{Ask, Meter};
use super::failure::Failure;
use super::hive::{self, Statement};
use super::operations::{Athena, QUERIES, decode, encode};
use super::record::{AthenaError, Record, State, StatementType};
use super::results::{self, Csv};
use crate::local::bus::Bus;
use crate::local::fault::Fault;

/// What a query that the cloud's end cut off says of itself. It is not run again by itself: nobody
/// may be waiting for it any more.
const INTERRUPTED: &str = "The local cloud stopped while the query ran; run the query again.";

/// What a query made.
struct Made {
    result: Csv,
    planning: u64,
    engine: u64,
}

impl Athena {
    /// Runs an admitted query to its end.
    pub(super) async fn perform(self: Arc<Self>, bus: Arc<Bus>, id: String, cancel: CancellationToken) {
        let permits = self.permits.clone();
        let began = Instant::now();
        let meter = Arc::new(Meter::new(None));
        let outcome = tokio::select! {
            biased;
            // Stopped by its user, who has written the end already; or by the cloud's, which leaves
            // it to be found interrupted.
            () = cancel.cancelled() => {
                self.live().remove(&id);
                return;
            }
            outcome = async {
                let _permit = permits.acquire_owned().await;
                let queue = millis(began);
                let record = self.change(&id, |record| {
                    record.state = State::Running;
                    record.queue = queue;
                });
                match record {
                    Some(record) => self.work(&bus, &record, &meter).await,
                    None => Err(Failure::internal("the query was forgotten")),
                }
            } => outcome,
        };
        let Some(mut record) = self.change(&id, |_| {}) else { return };
        record.total = millis(began);
        record.completed = Some(bus.clock.now().timestamp_millis());
        record.scanned = meter.bytes();
        match outcome {
            Ok(made) => {
                record.state = State::Succeeded;
                record.planning = made.planning;
                record.engine = made.engine;
                record.columns = made.result.columns;
                record.rows = made.result.rows;
                record.output_bytes = made.result.bytes.len() as u64;
            }
            Err(failure) => {
                record.state = State::Failed;
                record.reason = Some(failure.to_string());
                record.error = Some(AthenaError::from(&failure));
                record.engine = record.total.saturating_sub(record.queue);
            }
        }
        record.service = record.total.saturating_sub(record.queue + record.engine);
        let ended = end(&bus, record).await;
        if let Err(fault) = ended {
            tracing::error!(id, "the end of a query could not be written: {}", fault.message);
        }
        self.live().remove(&id);
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut Record)) -> Option<Record> {
        let mut live = self.live();
        let record = &mut live.get_mut(id)?.record;
        change(record);
        Some(record.clone())
    }

    async fn work(&self, bus: &Bus, record: &Record, meter: &Arc<Meter>) -> Result<Made, Failure> {
        let objects = bus.objects().map_err(|fault| Failure::internal(fault.message))?;
        let ask = Ask {
            sql: record.sql.clone(),
            database: record.database.clone(),
            parameters: record.parameters.clone(),
            objects: objects.clone(),
        };
        let began = Instant::now();
        let (result, planning) = match hive::read(&record.sql)? {
            Some(Statement::CreateView { name, replace, sql }) => {
                let ddl = Ddl { catalog: &self.catalog, objects, database: &record.database, now: now(bus) };
                let database = ddl.existing(name.0.clone())?;
                let columns = self.engine.describe(Ask { sql: sql.clone(), ..ask }).await?;
                let kept = |(name, kind): &(String, super::types::Type)| Column {
                    name: name.to_lowercase(),
                    kind: kind.hive(),
                    comment: None,
                };
                let view = Table {
                    database,
                    name: name.1.clone(),
                    columns: columns.iter().map(kept).collect(),
                    view: Some(sql),
                    created: now(bus),
                    ..Table::default()
                };
                if self.catalog.table(&view.database, &view.name)?.is_some_and(|t| !t.is_view() || !replace) {
                    return Err(Failure::new(
                        "TABLE_ALREADY_EXISTS",
                        format!("View already exists: '{}.{}'", view.database, view.name),
                    ));
                }
                self.catalog.put_table(view, true).await?;
                (shown(Shown::default()), 0)
            }
            Some(statement) => {
                let ddl = Ddl { catalog: &self.catalog, objects, database: &record.database, now: now(bus) };
                (shown(ddl.perform(statement).await?), 0)
            }
            None => {
                let plain = record.statement_type != StatementType::Dml;
                let (ran, result) = self.engine.run(ask, meter.clone(), Csv::new(plain)).await?;
                (result, u64::try_from(ran.planning.as_millis()).unwrap_or(u64::MAX))
            }
        };
        let engine = millis(began);
        self.write(bus, record, &result).await?;
        Ok(Made { result, planning, engine })
    }

    /// Writes the result and its description to the output location.
    async fn write(&self, bus: &Bus, record: &Record, result: &Csv) -> Result<(), Failure> {
        const BINARY: &str = "application/octet-stream";
        let objects = bus.objects().map_err(|fault| Failure::internal(fault.message))?;
        let Some((bucket, key)) = record.output.strip_prefix("s3://").and_then(|rest| rest.split_once('/'))
        else {
            return Err(Failure::internal(format!("{} is no location", record.output)));
        };
        let described = format!("{key}.metadata");
        let description = json!(result.columns.iter().map(|c| c.info()).collect::<Vec<Value>>()).to_string();
        let (body, note) =
            tokio::join!(objects.write(bucket, key, Bytes::copy_from_slice(&result.bytes), BINARY), async {
                if result.columns.is_empty() {
                    return Ok(());
                }
                objects.write(bucket, &described, Bytes::from(description), BINARY).await
            });
        body.and(note).map_err(|fault| {
            Failure::new(
                "",
                format!("Access denied when writing output to url: {}: {}", record.output, fault.message),
            )
        })
    }

    /// StopQueryExecution: the end is written first, then the engine is told.
    pub(super) async fn stop(&self, id: &str) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let record = self.record(id)?;
        if record.state.is_over() {
            return Ok(json!({}));
        }
        let Some((mut record, cancel)) =
            self.live().get(id).map(|live| (live.record.clone(), live.cancel.clone()))
        else {
            return Ok(json!({}));
        };
        let now = bus.clock.now().timestamp_millis();
        record.state = State::Cancelled;
        record.completed = Some(now);
        record.total = u64::try_from(now - record.submitted).unwrap_or(0);
        record.engine = record.total.saturating_sub(record.queue);
        record.reason = Some("Query cancelled by user".into());
        end(&bus, record).await?;
        cancel.cancel();
        self.live().remove(id);
        Ok(json!({}))
    }

    /// Ends what an earlier process left unfinished.
    pub(super) async fn take_up(&self) {
        let Ok(bus) = self.bus() else { return };
        let mut unfinished: Vec<Record> = Vec::new();
        let read = bus.store.scan(QUERIES, "", "", |_, bytes| {
            if let Ok(record) = decode::<Record>(bytes)
                && !record.state.is_over()
            {
                unfinished.push(record);
            }
            ControlFlow::Continue(())
        });
        if let Err(error) = read {
            tracing::error!("the history of queries cannot be read: {error}");
        }
        for mut record in unfinished {
            let id = record.id.clone();
            let failure = Failure::internal(INTERRUPTED);
            record.state = State::Failed;
            record.completed = Some(bus.clock.now().timestamp_millis());
            record.reason = Some(failure.to_string());
            record.error = Some(AthenaError::from(&failure));
            if let Err(fault) = end(&bus, record).await {
                tracing::error!(id, "an interrupted query could not be ended: {}", fault.message);
            }
        }
    }
}

/// Writes the end of a query; the first end stands.
async fn end(bus: &Bus, record: Record) -> Result<(), Fault> {
    let encoded = encode(&record)?;
    bus.store
        .transact(move |tx| {
            if let Some(known) = tx.get(QUERIES, &record.id)?
                && decode::<Record>(&known)?.state.is_over()
            {
                return Ok(());
            }
            tx.put(QUERIES, record.id, encoded);
            Ok(())
        })
        .await
}

fn shown(shown: Shown) -> Csv {
    let mut result = Csv::new(true);
    result.columns = results::columns(&shown.columns);
    // Hive's texts are strings, not Trino's varchar.
    result.columns.iter_mut().for_each(|c| c.kind = "string".into());
    for line in &shown.lines {
        result.bytes.extend_from_slice(line.as_bytes());
        result.bytes.push(b'\n');
    }
    result.rows = shown.lines.len() as u64;
    result
}

fn now(bus: &Bus) -> i64 {
    bus.clock.now().timestamp()
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
