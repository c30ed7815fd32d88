//! The SQL engine behind a small seam: nothing outside this folder knows which one it is.
//!
//! A query's way: [`parse`] (Trino's text into a tree, in which [`places`] marks what stands where),
//! [`rewrite`] (names and functions that differ), [`planner`] (tables, functions, types; [`operators`] and
//! [`check`] refuse what Trino refuses), [`apply`] (subqueries that the engine cannot join), the engine's
//! optimiser, [`scan`] (objects into columns), [`print`](mod@print) (values as Athena shows them).
//!
//! Every query runs on [`threads`] of its own with deep stacks: an idle cloud has none of it, and no query
//! delays the server or another query.

mod adapt;
mod apply;
mod arrow;
mod balance;
mod calls;
mod check;
mod columns;
mod delimited;
mod derived;
mod dialect;
mod errors;
mod explain;
mod folders;
mod format;
mod forms;
mod functions;
mod gathers;
mod groups;
mod info;
mod joins;
mod json;
mod json_calls;
mod known;
mod literals;
mod map_keys;
mod meter;
mod names;
mod operators;
mod parquet;
mod parse;
mod pieces;
mod places;
mod planner;
mod print;
mod prune;
mod rewrite;
mod rowwise;
mod scan;
mod scopes;
mod shapes;
mod size;
mod slices;
mod stars;
mod threads;
mod time;
mod tokens;
mod unnest;
mod walk;
mod weight;
mod words;
mod write;
mod zone;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::SessionConfig;
use datafusion_sql::sqlparser::ast::Statement;
use futures::StreamExt;
use tokio::runtime::Handle;

use self::functions::Functions;
pub use self::meter::{CUT_OFF, Meter};
use self::pieces::Access;
pub use self::write::{Compression, Write, Written, writable as check};
use super::catalog::Catalog;
use super::failure::Failure;
use super::fresh::Fresh;
use super::types::Type;
use crate::local::bus::Objects;

/// Bytes that all queries may hold; what is more is spilled to temporary files or fails.
const MEMORY: usize = 256 << 20;
/// The most nodes of a plan. WITH queries that use each other twice double with every step.
const LARGEST: usize = 20_000;

/// What a statement is to Athena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Answers rows under a header.
    Query,
    /// EXPLAIN: answers lines.
    Explain,
}

/// One query to be run.
#[derive(Clone)]
pub struct Ask {
    pub sql: String,
    pub database: String,
    /// SQL literals for the `?` of the text.
    pub parameters: Vec<String>,
    pub objects: Arc<dyn Objects>,
}

/// Takes a query's rows, one cell after the other.
pub trait Sink: Send + 'static {
    fn head(&mut self, columns: &[(String, Type)]);
    /// `None` is NULL.
    fn cell(&mut self, value: Option<&str>);
    fn end_row(&mut self);
    /// Called between batches of rows: passes on what was collected.
    fn pass(&mut self) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// How a query went.
#[derive(Clone, Copy, Debug)]
pub struct Ran {
    /// Time until the plan stood.
    pub planning: Duration,
}

struct Machine {
    /// Threads of a query, and into how many parts its rows are divided.
    cores: usize,
    state: SessionState,
    /// For subqueries that run inside others: one partition, so nothing is handed to other threads.
    inner: SessionState,
    functions: Arc<Functions>,
}

/// The engine. Cheap until it is first used.
pub struct Engine {
    catalog: Catalog,
    machine: OnceLock<Result<Arc<Machine>, Failure>>,
}

impl Engine {
    pub fn new(catalog: Catalog) -> Engine {
        Engine { catalog, machine: OnceLock::new() }
    }

    fn machine(&self) -> Result<Arc<Machine>, Failure> {
        self.machine.get_or_init(|| Machine::start().map(Arc::new)).clone()
    }

    /// Reads a statement; says what it is, or why Athena would refuse it at once. Parameters are
    /// filled in when they are given.
    pub async fn read(&self, sql: &str, parameters: &[String]) -> Result<Kind, Failure> {
        let (sql, parameters) = (sql.to_owned(), parameters.to_vec());
        threads::run(1, async move {
            match parse::statement(&sql, &parameters)? {
                Statement::Query(_) => Ok(Kind::Query),
                Statement::Explain { .. } => Ok(Kind::Explain),
                other => Err(unsupported(&other)),
            }
        })
        .await
    }

    /// The columns of a query that is not run: what a view of it would have.
    pub async fn describe(&self, ask: Ask) -> Result<Vec<(String, Type)>, Failure> {
        let catalog = self.catalog.clone();
        self.on_threads(move |machine| async move {
            let planned = machine.plan(&catalog, &ask, &Arc::default()).await?;
            Ok(planned.0)
        })
        .await
    }

    /// Runs a query on the engine's threads. `meter` counts bytes while it runs. Dropping the
    /// future stops the query.
    pub async fn run<S: Sink>(&self, ask: Ask, meter: Arc<Meter>, sink: S) -> Result<(Ran, S), Failure> {
        let catalog = self.catalog.clone();
        self.on_threads(move |machine| async move { machine.run(&catalog, &ask, meter, sink).await }).await
    }

    /// Runs a query whose rows go into objects.
    pub async fn write(&self, ask: Ask, write: Write, meter: Arc<Meter>) -> Result<Written, Failure> {
        let catalog = self.catalog.clone();
        // Called from the server, on whose runtime the files outlive the query.
        let files = Fresh::new(ask.objects.clone(), Handle::current());
        self.on_threads(move |machine| async move {
            write::run(&machine, &catalog, &ask, write, files, meter).await
        })
        .await
    }

    async fn on_threads<T, F>(&self, work: impl FnOnce(Arc<Machine>) -> F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let machine = self.machine()?;
        threads::run(machine.cores, work(machine)).await
    }
}

fn unsupported(statement: &Statement) -> Failure {
    let text = statement.to_string();
    let words: Vec<&str> = text.split_whitespace().take(2).collect();
    Failure::unsupported(format!("the local cloud does not run {} statements", words.join(" ")))
}

impl Machine {
    fn start() -> Result<Machine, Failure> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 8);
        let memory = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(MEMORY)))
            .build_arc()
            .map_err(|e| Failure::internal(format!("the SQL engine could not start: {e}")))?;
        let state = |partitions: usize| {
            let mut config =
                SessionConfig::new().with_target_partitions(partitions).with_collect_statistics(false);
            let options = config.options_mut();
            options.sql_parser.map_string_types_to_utf8view = false;
            options.sql_parser.default_null_ordering = "nulls_last".into();
            options.optimizer.skip_failed_rules = false;
            SessionStateBuilder::new_with_default_features()
                .with_config(config)
                .with_runtime_env(memory.clone())
                .with_optimizer_rules(threads::rules())
                .with_physical_optimizer_rule(Arc::new(slices::Slices))
                .build()
        };
        let (inner, state) = (state(1), state(cores));
        Ok(Machine { cores, state, inner, functions: Arc::new(Functions::new()) })
    }

    /// The plan of a query with its columns.
    async fn plan(
        &self,
        catalog: &Catalog,
        ask: &Ask,
        meter: &Arc<Meter>,
    ) -> Result<(Vec<(String, Type)>, LogicalPlan), Failure> {
        let query = match parse::statement(&ask.sql, &ask.parameters)? {
            Statement::Query(query) => *query,
            Statement::Explain { statement, .. } => match *statement {
                Statement::Query(query) => *query,
                other => return Err(unsupported(&other)),
            },
            other => return Err(unsupported(&other)),
        };
        let context = planner::Context {
            catalog: catalog.clone(),
            database: ask.database.clone(),
            access: Access { objects: ask.objects.clone(), meter: meter.clone() },
            with_path: ask.sql.contains(scan::PATH),
            functions: self.functions.clone(),
            options: self.state.config_options().clone(),
            depth: 0,
        };
        let failed = |e| errors::failure(&e, &ask.sql);
        let planned = planner::plan(&context, query).map_err(failed)?;
        check::size(&planned.plan, LARGEST)?;
        check::plan(&planned.plan).map_err(failed)?;
        let plan = map_keys::rewrite(planned.plan).map_err(failed)?;
        let plan = apply::rewrite(plan, &at_once(&self.inner)).await.map_err(failed)?;
        let fields = plan.schema().fields();
        let known = planned.names.len() == fields.len();
        let columns = fields.iter().enumerate().map(|(n, field)| {
            let name = match planned.names.get(n).filter(|_| known) {
                Some(Some(name)) => name.clone(),
                Some(None) => format!("{}{n}", rewrite::UNNAMED),
                None if is_numbered(field.name()) => format!("{}{n}", rewrite::UNNAMED),
                None => names::shown(field.name()).to_owned(),
            };
            (name, arrow::of(field))
        });
        Ok((columns.collect(), plan))
    }

    async fn run<S: Sink>(
        &self,
        catalog: &Catalog,
        ask: &Ask,
        meter: Arc<Meter>,
        mut sink: S,
    ) -> Result<(Ran, S), Failure> {
        let began = Instant::now();
        let failed = |e| errors::failure(&e, &ask.sql);
        let (columns, plan) = self.plan(catalog, ask, &meter).await?;
        let state = at_once(&self.state);
        if let Some(shape) = explain::shape(&parse::statement(&ask.sql, &ask.parameters)?)? {
            let kind = if shape == explain::Shape::Validate { Type::Boolean } else { Type::Varchar(None) };
            sink.head(&[(explain::column(shape).to_owned(), kind)]);
            let optimized = state.optimize(&plan).map_err(failed)?;
            let mut lines = explain::lines(shape, &optimized);
            let planning = began.elapsed();
            if shape == explain::Shape::Analyze {
                let physical = state.create_physical_plan(&plan).await.map_err(failed)?;
                let mut batches = execute_stream(physical.clone(), state.task_ctx()).map_err(failed)?;
                while let Some(batch) = batches.next().await {
                    batch.map_err(failed)?;
                }
                let told = DisplayableExecutionPlan::with_metrics(&*physical).indent(true).to_string();
                lines = told.lines().map(str::to_owned).collect();
            }
            for line in &lines {
                sink.cell(Some(line));
                sink.end_row();
            }
            return Ok((Ran { planning }, sink));
        }
        threads::check()?;
        let physical = state.create_physical_plan(&plan).await.map_err(failed)?;
        let planning = began.elapsed();
        sink.head(&columns);
        let mut batches = execute_stream(physical, state.task_ctx()).map_err(failed)?;
        let mut text = String::new();
        while let Some(batch) = batches.next().await {
            let batch = batch.map_err(failed)?;
            for row in 0..batch.num_rows() {
                for column in batch.columns() {
                    text.clear();
                    let value = print::cell(column, row, &mut text);
                    sink.cell(value.then_some(&text));
                }
                sink.end_row();
            }
            sink.pass().await?;
        }
        tracing::debug!(scanned = meter.bytes(), "query done");
        Ok((Ran { planning }, sink))
    }
}

/// The state of a query that starts now: `current_date` is the same wherever it stands.
fn at_once(state: &SessionState) -> SessionState {
    let mut state = state.clone();
    state.mark_start_execution();
    state
}

/// `_col7`: a name that was made up while rewriting.
fn is_numbered(name: &str) -> bool {
    name.strip_prefix(rewrite::UNNAMED)
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}
