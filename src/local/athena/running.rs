//! A query's way: QUEUED, RUNNING, and one of the ends of [`ending`].

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures::StreamExt;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::catalog::{Column, Entry, Table};
use super::ddl::{Ddl, Shown};
use super::ending::{self, Ended};
use super::engine::{Ask, Meter};
use super::failure::Failure;
use super::fresh::Fresh;
use super::hive::{self, Name};
use super::operations::Athena;
use super::prepared::{self, Prepared};
use super::record::{Record, ResultColumn, State, StatementType};
use super::results::{self, Csv};
use super::trino;
use super::writing::{self, Writing};
use crate::local::bus::Bus;
use crate::local::fault::Fault;

const BINARY: &str = "application/octet-stream";

/// What a query made.
#[derive(Default)]
struct Made {
    columns: Vec<ResultColumn>,
    rows: u64,
    bytes: u64,
    /// Milliseconds.
    planning: u64,
    engine: u64,
    manifest: Option<String>,
    /// Rows that were written, for statements that write.
    updated: Option<u64>,
    /// The files that were written, and what is to be known of them.
    files: Option<Fresh>,
    entry: Option<Entry>,
}

impl Athena {
    /// Runs an admitted query to its end.
    pub(super) async fn perform(self: Arc<Self>, bus: Arc<Bus>, id: String, cancel: CancellationToken) {
        let permits = self.permits.clone();
        let began = Instant::now();
        let Some(meter) = self.live().get(&id).map(|live| live.meter.clone()) else { return };
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
        let (mut files, mut entry) = (None, None);
        match outcome {
            Ok(made) => {
                record.state = State::Succeeded;
                record.planning = made.planning;
                record.engine = made.engine;
                record.columns = made.columns;
                record.rows = made.rows;
                record.output_bytes = made.bytes;
                record.manifest = made.manifest;
                record.updated = made.updated;
                (files, entry) = (made.files, made.entry);
            }
            Err(failure) => record.fail(&failure),
        }
        record.service = record.total.saturating_sub(record.queue + record.engine);
        match ending::end(&bus, record, entry).await {
            Ok(Ended::Stands) => files.map_or((), Fresh::keep),
            // Stopped in the last moment, or what it wanted to make known was not possible.
            Ok(Ended::Otherwise) => drop(files),
            Err(fault) => {
                tracing::error!(id, "the end of a query could not be written: {}", fault.message);
            }
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
        let (sql, parameters) = record.runs();
        let ask = Ask {
            sql: sql.to_owned(),
            database: record.database.clone(),
            parameters: parameters.to_vec(),
            objects: objects.clone(),
        };
        let began = Instant::now();
        let ddl = Ddl {
            catalog: &self.catalog,
            objects,
            database: &record.database,
            now: bus.clock.now().timestamp(),
        };
        if let Some(statement) = hive::read(sql)? {
            let shown = match statement {
                hive::Statement::CreateView { name, replace, sql } => {
                    self.create_view(&ddl, name, replace, Ask { sql, ..ask }).await?;
                    Shown::default()
                }
                statement => ddl.perform(statement).await?,
            };
            return self.show(bus, record, shown, began).await;
        }
        let statement = match trino::read(sql)? {
            None => return self.select(bus, record, ask, meter, began).await,
            Some(statement) => statement,
        };
        match statement {
            trino::Statement::Prepare { name, sql } => {
                let prepared = Prepared {
                    statement_name: name,
                    query_statement: sql,
                    work_group_name: record.workgroup.clone(),
                    description: String::new(),
                    last_modified_time: 0.0,
                };
                prepared::put(bus, prepared, None).await.map_err(|fault| refused(&fault))?;
                self.show(bus, record, Shown::default(), began).await
            }
            trino::Statement::Deallocate { name } => {
                let deleted = prepared::delete(bus, record.workgroup.clone(), name).await;
                deleted.map_err(|fault| refused(&fault))?;
                self.show(bus, record, Shown::default(), began).await
            }
            statement => {
                let query = statement.query().unwrap_or_default().to_owned();
                let writing = Writing { bus, record, ask: Ask { sql: query, ..ask }, meter: meter.clone() };
                let wrote = self.write(writing, statement).await?;
                let engine = millis(began);
                let columns = results::columns(&[("rows".to_owned(), super::types::Type::Bigint)]);
                self.describe(bus, record, &columns).await?;
                Ok(Made {
                    columns,
                    planning: wrote.planning,
                    engine,
                    manifest: wrote.manifest,
                    updated: Some(wrote.rows),
                    files: wrote.files,
                    entry: wrote.entry,
                    ..Made::default()
                })
            }
        }
    }

    /// A query: its rows go to the output while it runs.
    async fn select(
        &self,
        bus: &Bus,
        record: &Record,
        ask: Ask,
        meter: &Arc<Meter>,
        began: Instant,
    ) -> Result<Made, Failure> {
        let (bucket, key) = output(record)?;
        let (csv, body) = Csv::new(record.statement_type != StatementType::Dml);
        let objects = ask.objects.clone();
        let running = async {
            let (ran, csv) = self.engine.run(ask, meter.clone(), csv).await?;
            let engine = millis(began);
            let totals = csv.finish().await?;
            // While the last of the result is being kept.
            self.describe(bus, record, &totals.columns).await?;
            Ok((ran, totals, engine))
        };
        let (ran, wrote) = tokio::join!(running, objects.write_stream(bucket, key, body.boxed(), BINARY));
        let (ran, totals, engine) = match (ran, wrote) {
            (Ok(ran), Ok(())) => ran,
            // Without its reader the query ends early: that is then not the reason.
            (Err(failure), Err(fault)) if results::is_unread(&failure) => {
                return Err(unwritable(record, &fault));
            }
            (Ok(_), Err(fault)) => return Err(unwritable(record, &fault)),
            (Err(failure), _) => return Err(failure),
        };
        let planning = u64::try_from(ran.planning.as_millis()).unwrap_or(u64::MAX);
        let results::Totals { columns, rows, bytes } = totals;
        Ok(Made { columns, rows, bytes, planning, engine, ..Made::default() })
    }

    /// What a statement shows, as the output's lines.
    async fn show(&self, bus: &Bus, record: &Record, shown: Shown, began: Instant) -> Result<Made, Failure> {
        let engine = millis(began);
        let mut columns = results::columns(&shown.columns);
        // Hive's texts are strings, not Trino's varchar.
        columns.iter_mut().for_each(|c| c.kind = "string".into());
        let mut body = shown.lines.join("\n");
        if !body.is_empty() {
            body.push('\n');
        }
        let (bucket, key) = output(record)?;
        let objects = bus.objects().map_err(|fault| Failure::internal(fault.message))?;
        let bytes = body.len() as u64;
        let written = objects.write(bucket, key, Bytes::from(body), BINARY).await;
        written.map_err(|fault| unwritable(record, &fault))?;
        self.describe(bus, record, &columns).await?;
        Ok(Made { columns, rows: shown.lines.len() as u64, bytes, engine, ..Made::default() })
    }

    /// Writes the description of the result beside it.
    async fn describe(&self, bus: &Bus, record: &Record, columns: &[ResultColumn]) -> Result<(), Failure> {
        if columns.is_empty() {
            return Ok(());
        }
        let objects = bus.objects().map_err(|fault| Failure::internal(fault.message))?;
        let (bucket, key) = output(record)?;
        let text = json!(columns.iter().map(ResultColumn::info).collect::<Vec<Value>>()).to_string();
        let written = objects.write(bucket, &format!("{key}.metadata"), Bytes::from(text), BINARY).await;
        written.map_err(|fault| unwritable(record, &fault))
    }

    async fn create_view(&self, ddl: &Ddl<'_>, name: Name, replace: bool, ask: Ask) -> Result<(), Failure> {
        let database = ddl.existing(name.0)?;
        let sql = ask.sql.clone();
        let columns = self.engine.describe(ask).await?;
        writing::named(&columns)?;
        let kept = |(name, kind): &(String, super::types::Type)| Column {
            name: name.to_lowercase(),
            kind: kind.hive(),
            comment: None,
        };
        let view = Table {
            database,
            name: name.1,
            columns: columns.iter().map(kept).collect(),
            view: Some(sql),
            created: ddl.now,
            ..Table::default()
        };
        if self.catalog.table(&view.database, &view.name)?.is_some_and(|t| !t.is_view() || !replace) {
            return Err(Failure::new(
                "TABLE_ALREADY_EXISTS",
                format!("View already exists: '{}.{}'", view.database, view.name),
            ));
        }
        self.catalog.put_table(view, true).await.map(|_| ())
    }
}

/// The bucket and key of a query's output.
fn output(record: &Record) -> Result<(&str, &str), Failure> {
    let place = record.output.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
    place.ok_or_else(|| Failure::internal(format!("{} is no location", record.output)))
}

fn unwritable(record: &Record, fault: &Fault) -> Failure {
    Failure::new(
        "",
        format!("Access denied when writing output to url: {}: {}", record.output, fault.message),
    )
}

fn refused(fault: &Fault) -> Failure {
    Failure::new("NOT_FOUND", fault.message.clone())
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
