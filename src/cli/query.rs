//! `ward query`: Athena from the command line.

use std::collections::BTreeMap;

use clap::{ArgGroup, Args, Subcommand};
use serde_json::Value;

use super::consent::Consent;
use super::context::Context;
use super::exit::Exit;
use super::input;
use super::output::{Column, Format, Output};
use super::saved;
use crate::aws::athena::Start;
use crate::aws::error::Kind as Refusal;
use crate::domain::grid::{Grid, Kind};
use crate::domain::problem::Problem;
use crate::domain::query::{Query as Execution, QueryState};
use crate::domain::units;
use crate::sql::class;

/// Run Athena queries and see what was run
#[derive(Args, Debug)]
pub struct Query {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Run a saved query, or SQL given with -e, -f or on standard input, and print its result
    Run(Run),
    /// The latest queries, newest first; with --saved the queries that can be run by name
    List {
        /// How many
        #[arg(long, default_value_t = 20)]
        limit: usize,
        #[arg(long)]
        saved: bool,
    },
    /// One query: its state, time, bytes scanned, SQL
    Show {
        /// The query's id
        id: String,
    },
    /// End a query that runs
    Cancel {
        /// The query's id
        id: String,
        #[command(flatten)]
        consent: Consent,
    },
}

#[derive(Args, Debug)]
#[command(group(ArgGroup::new("statement").required(true).args(["name", "sql", "file"])))]
#[command(override_usage = "ward query run [OPTIONS] <NAME | -e SQL | -f FILE | ->")]
struct Run {
    /// The name of a saved query (`ward query list --saved`), or - for standard input
    name: Option<String>,
    /// The SQL itself
    #[arg(short = 'e', long = "sql", value_name = "SQL")]
    sql: Option<String>,
    /// A file with SQL
    #[arg(short, long, value_name = "FILE")]
    file: Option<String>,
    /// The value of a parameter: --param from=2026-01-01
    #[arg(long, value_name = "NAME=VALUE")]
    param: Vec<String>,
    /// At most this many rows
    #[arg(long, default_value_t = 10_000)]
    max_rows: usize,
    /// Start it and print its id, without waiting
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    consent: Consent,
}

impl Query {
    pub async fn run(self, cx: &Context, out: &mut Output) -> Result<Exit, Problem> {
        match self.verb {
            Verb::Run(run) => run.run(cx, out).await,
            Verb::List { saved: true, .. } => {
                list_saved(out);
                Ok(Exit::Done)
            }
            Verb::List { limit, .. } => list(cx, out, limit).await,
            Verb::Show { id } => show(cx, out, &id).await,
            Verb::Cancel { id, consent } => {
                if let Err(exit) = consent.ask(cx, out, &format!("End the query {id}")) {
                    return Ok(exit);
                }
                cx.aws().await?.athena.stop_query_execution(&id).await?;
                out.say(&format!("Query {id} was asked to end."));
                Ok(Exit::Done)
            }
        }
    }
}

impl Run {
    async fn run(self, cx: &Context, out: &mut Output) -> Result<Exit, Problem> {
        let sql = match self.statement(cx) {
            Ok(sql) => sql,
            Err(problem) => {
                out.problem(&problem);
                return Ok(Exit::Usage);
            }
        };
        let class = class::classify(&sql);
        if class.statements != 1 {
            out.problem(
                &Problem::new(format!("There are {} statements here", class.statements))
                    .detail("Athena runs exactly one at a time.")
                    .hint("Run them one by one"),
            );
            return Ok(Exit::Usage);
        }
        // Reading is free; a statement that changes catalog or data asks like any other deed.
        let consent = if class.writes { self.consent } else { Consent { yes: true, ..self.consent } };
        if (class.writes || consent.dry_run)
            && let Err(exit) = consent.ask(cx, out, &format!("Run: {sql}"))
        {
            return Ok(exit);
        }
        let aws = cx.aws().await?;
        let start = start(cx, sql);
        let id = match aws.athena.start_query_execution(&start).await {
            Ok(id) => id,
            // Athena reads a statement before it starts: one that is no SQL is an answer, not a failure.
            Err(error) if error.kind == Refusal::Invalid => {
                out.problem(&refusal(error));
                return Ok(Exit::No);
            }
            Err(error) => return Err(error.into()),
        };
        if self.no_wait {
            out.object(&[("query_execution_id", id.into())]);
            return Ok(Exit::Done);
        }
        let query = tokio::select! {
            query = aws.athena.wait(&id) => query?,
            _ = tokio::signal::ctrl_c() => {
                out.say(&format!("Interrupted; the query runs on: `ward query cancel {id}` ends it."));
                return Ok(Exit::Interrupted);
            }
        };
        if query.state != QueryState::Succeeded {
            out.problem(&failure(&query));
            return Ok(Exit::No);
        }
        let (grid, more) = aws.athena.results(&id, self.max_rows).await?;
        print(out, &grid);
        if more {
            out.say(&format!("{} rows of more: --max-rows shows more", grid.rows.len()));
        }
        if out.format() == Format::Table {
            out.say(&summary(&query, &grid));
        }
        Ok(Exit::Done)
    }

    fn statement(&self, cx: &Context) -> Result<String, Problem> {
        let mut values = BTreeMap::new();
        for pair in &self.param {
            let Some((name, value)) = pair.split_once('=') else {
                return Err(
                    Problem::new(format!("--param {pair} has no value")).hint("Write --param name=value")
                );
            };
            values.insert(name.trim().to_owned(), value.to_owned());
        }
        let text = match (&self.sql, &self.file, self.name.as_deref()) {
            (Some(sql), ..) => sql.clone(),
            (_, Some(path), _) => input::file(path)?,
            (.., Some("-")) => input::standard_input()?,
            (.., name) => saved::find(name.unwrap_or_default())?,
        };
        saved::fill(&text, values, &cx.settings, cx.as_of)
    }
}

/// A query as settings have it: database, work group, and where its result goes.
pub fn start(cx: &Context, sql: String) -> Start {
    Start {
        sql,
        database: Some(cx.settings.database.clone()),
        workgroup: Some(cx.settings.workgroup.clone()),
        output_location: Some(format!("s3://{}/athena-results/", cx.settings.bucket)),
        ..Start::default()
    }
}

/// A statement that Athena did not take.
fn refusal(error: crate::aws::error::Error) -> Problem {
    let problem = Problem::new("Athena refused the statement").detail(error.message);
    problem.hint(
        error.hint.unwrap_or_else(|| {
            "Mend it there; `ward query list --saved` names statements that work".to_owned()
        }),
    )
}

fn failure(query: &Execution) -> Problem {
    let what = if query.state == QueryState::Cancelled { "was cancelled" } else { "failed" };
    let reason = query.reason.clone().unwrap_or_default();
    let problem = Problem::new(format!("The query {what}")).detail(reason.clone());
    match () {
        () if reason.contains("TABLE_NOT_FOUND") || reason.contains("does not exist") => {
            problem.hint("`ward doctor` checks table and database; --database and --table name others")
        }
        () if reason.contains("COLUMN_NOT_FOUND") || reason.contains("cannot be resolved") => {
            problem.hint("`ward query run -e 'DESCRIBE facilities'` names the columns")
        }
        () => problem.hint(format!("`ward query show {}` shows the statement", query.id)),
    }
}

/// Cells as JSON has them: numbers and booleans keep their type, everything else is text.
fn print(out: &mut Output, grid: &Grid) {
    let columns: Vec<Column> = grid
        .columns
        .iter()
        .map(|column| Column { name: column.name.clone(), number: column.kind == Kind::Number })
        .collect();
    let typed = |kind: Kind, cell: &Option<String>| match (kind, cell) {
        (_, None) => Value::Null,
        (Kind::Number | Kind::Boolean, Some(text)) => {
            serde_json::from_str(text).unwrap_or_else(|_| text.clone().into())
        }
        (_, Some(text)) => text.clone().into(),
    };
    let rows: Vec<Vec<Value>> = grid
        .rows
        .iter()
        .map(|row| row.iter().zip(&grid.columns).map(|(cell, column)| typed(column.kind, cell)).collect())
        .collect();
    out.rows(&columns, &rows);
}

fn summary(query: &Execution, grid: &Grid) -> String {
    let mut parts = vec![units::count(grid.rows.len(), "row", "rows")];
    if let Some(millis) = query.total_millis.or(query.engine_millis) {
        parts.push(units::duration(chrono::TimeDelta::milliseconds(millis as i64)));
    }
    if let Some(scanned) = query.scanned {
        parts.push(format!("{} scanned", units::bytes(scanned)));
        parts.push(format!("about {}", units::money(units::athena_price(scanned))));
    }
    parts.push(query.id.clone());
    parts.join(", ")
}

async fn list(cx: &Context, out: &mut Output, limit: usize) -> Result<Exit, Problem> {
    let aws = cx.aws().await?;
    let mut ids: Vec<String> = Vec::new();
    let mut token = None;
    loop {
        let page = aws.athena.list_query_executions(Some(&cx.settings.workgroup), token).await?;
        ids.extend(page.items);
        token = page.next;
        if token.is_none() || ids.len() >= limit {
            break;
        }
    }
    ids.truncate(limit);
    let mut queries = aws.athena.batch_get_query_execution(&ids).await?;
    queries.sort_by_key(|query| std::cmp::Reverse(query.submitted));
    if queries.is_empty() && out.format() == Format::Table {
        out.say("No query was run in this work group yet: `ward query run facility_metrics` runs one.");
        return Ok(Exit::Done);
    }
    let columns = [
        Column::text("query_execution_id"),
        Column::text("state"),
        Column::text("submitted"),
        Column::number("total_millis"),
        Column::number("scanned_bytes"),
        Column::text("sql"),
    ];
    let rows: Vec<Vec<Value>> = queries
        .iter()
        .map(|query| {
            let sql = match out.format() {
                Format::Table => first_line(&query.sql),
                _ => query.sql.clone(),
            };
            vec![
                query.id.clone().into(),
                query.state.as_str().into(),
                query.submitted.map(|at| stamp(cx, out, at)).into(),
                query.total_millis.into(),
                query.scanned.into(),
                sql.into(),
            ]
        })
        .collect();
    out.rows(&columns, &rows);
    Ok(Exit::Done)
}

/// RFC 3339 for programs, the chosen zone for people.
pub(super) fn stamp(cx: &Context, out: &Output, at: chrono::DateTime<chrono::Utc>) -> String {
    match out.format() {
        Format::Table => cx.time(at),
        _ => at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
    }
}

fn first_line(sql: &str) -> String {
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(60) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line,
    }
}

async fn show(cx: &Context, out: &mut Output, id: &str) -> Result<Exit, Problem> {
    let query = cx.aws().await?.athena.get_query_execution(id).await?;
    let at = |time: Option<_>| Value::from(time.map(|time| stamp(cx, out, time)));
    let (submitted, completed) = (at(query.submitted), at(query.completed));
    out.object(&[
        ("query_execution_id", query.id.into()),
        ("state", query.state.as_str().into()),
        ("reason", query.reason.into()),
        ("submitted", submitted),
        ("completed", completed),
        ("total_millis", query.total_millis.into()),
        ("queue_millis", query.queue_millis.into()),
        ("engine_millis", query.engine_millis.into()),
        ("scanned_bytes", query.scanned.into()),
        ("estimated_price_usd", query.scanned.map(units::athena_price).into()),
        ("database", query.database.into()),
        ("workgroup", query.workgroup.into()),
        ("output_location", query.output_location.into()),
        ("sql", query.sql.into()),
    ]);
    Ok(if matches!(query.state, QueryState::Failed | QueryState::Cancelled) { Exit::No } else { Exit::Done })
}

fn list_saved(out: &mut Output) {
    let columns =
        [Column::text("name"), Column::text("title"), Column::text("parameters"), Column::text("from")];
    let rows: Vec<Vec<Value>> = saved::all()
        .into_iter()
        .map(|one| vec![one.name.into(), one.title.into(), one.parameters.join(" ").into(), one.from.into()])
        .collect();
    out.rows(&columns, &rows);
}
