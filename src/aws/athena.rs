//! Athena: queries, their results and the tables they read.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_athena::types::{
    ColumnInfo, QueryExecution, QueryExecutionContext, QueryExecutionState, ResultConfiguration, ResultSet,
};

use super::error::Error;
use super::link::Link;
use super::time::utc_option;
use super::{Page, permit};
use crate::domain::grid::{Column, Grid, Kind};
use crate::domain::query::{Query, QueryState};

/// Athena's default catalog.
const CATALOG: &str = "AwsDataCatalog";

#[derive(Clone)]
pub struct Athena {
    client: aws_sdk_athena::Client,
    link: Link,
    /// What this process started: that much may be stopped even when read-only.
    started: Arc<Mutex<HashSet<String>>>,
}

/// A query to be started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    pub sql: String,
    pub database: Option<String>,
    pub workgroup: Option<String>,
    /// `s3://bucket/prefix/`; the work group's own when `None`.
    pub output_location: Option<String>,
    /// Starting twice with the same token gives the same query: 32 to 128 characters.
    pub token: Option<String>,
    /// Values of `?` in the statement, in order, as SQL literals.
    pub parameters: Vec<String>,
}

/// A table of the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    /// `(name, type)`, partition keys last.
    pub columns: Vec<(String, String)>,
}

/// A page of results; `next` is the token of the page after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GridPage {
    pub grid: Grid,
    pub next: Option<String>,
}

impl Athena {
    pub(super) fn new(client: aws_sdk_athena::Client, link: Link) -> Self {
        Athena { client, link, started: Arc::default() }
    }

    /// The query's id.
    pub async fn start_query_execution(&self, start: &Start) -> Result<String, Error> {
        self.link.permit().check_sql(&start.sql)?;
        let context =
            QueryExecutionContext::builder().catalog(CATALOG).set_database(start.database.clone()).build();
        let result = start
            .output_location
            .as_ref()
            .map(|location| ResultConfiguration::builder().output_location(location).build());
        let parameters = (!start.parameters.is_empty()).then(|| start.parameters.clone());
        let request = self
            .client
            .start_query_execution()
            .query_string(&start.sql)
            .query_execution_context(context)
            .set_result_configuration(result)
            .set_work_group(start.workgroup.clone())
            .set_client_request_token(start.token.clone())
            .set_execution_parameters(parameters);
        let answer = self.link.ask("StartQueryExecution", request.send()).await?;
        let id = answer
            .query_execution_id
            .ok_or_else(|| Error::answer("StartQueryExecution", "the answer has no QueryExecutionId"))?;
        self.started.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(id.clone());
        Ok(id)
    }

    pub async fn get_query_execution(&self, id: &str) -> Result<Query, Error> {
        let request = self.client.get_query_execution().query_execution_id(id);
        let answer = self.link.ask("GetQueryExecution", request.send()).await?;
        let query = answer
            .query_execution
            .ok_or_else(|| Error::answer("GetQueryExecution", "the answer has no QueryExecution"))?;
        Ok(query_of(query))
    }

    /// At most 50 ids in one request; ids that Athena does not know are left out.
    pub async fn batch_get_query_execution(&self, ids: &[String]) -> Result<Vec<Query>, Error> {
        let mut queries = Vec::with_capacity(ids.len());
        for some in ids.chunks(50) {
            let request =
                self.client.batch_get_query_execution().set_query_execution_ids(Some(some.to_vec()));
            let answer = self.link.ask("BatchGetQueryExecution", request.send()).await?;
            queries.extend(answer.query_executions.unwrap_or_default().into_iter().map(query_of));
        }
        Ok(queries)
    }

    /// Ids, newest first.
    pub async fn list_query_executions(
        &self,
        workgroup: Option<&str>,
        token: Option<String>,
    ) -> Result<Page<String>, Error> {
        let request = self
            .client
            .list_query_executions()
            .set_work_group(workgroup.map(str::to_owned))
            .set_next_token(token);
        let answer = self.link.ask("ListQueryExecutions", request.send()).await?;
        Ok(Page { items: answer.query_execution_ids.unwrap_or_default(), next: answer.next_token })
    }

    /// One page of at most 1,000 rows, without the header row that Athena puts into the first page
    /// of a SELECT.
    pub async fn get_query_results(&self, id: &str, token: Option<String>) -> Result<GridPage, Error> {
        let first = token.is_none();
        let request =
            self.client.get_query_results().query_execution_id(id).max_results(1000).set_next_token(token);
        let answer = self.link.ask("GetQueryResults", request.send()).await?;
        let grid = answer.result_set.map(|set| grid_of(set, first)).unwrap_or_default();
        Ok(GridPage { grid, next: answer.next_token })
    }

    /// Results up to `most` rows, page by page; `true` when there are more.
    pub async fn results(&self, id: &str, most: usize) -> Result<(Grid, bool), Error> {
        let mut page = self.get_query_results(id, None).await?;
        let mut grid = std::mem::take(&mut page.grid);
        while grid.rows.len() < most {
            let Some(token) = page.next.take() else { break };
            page = self.get_query_results(id, Some(token)).await?;
            grid.rows.append(&mut page.grid.rows);
        }
        let more = page.next.is_some() || grid.rows.len() > most;
        grid.rows.truncate(most);
        Ok((grid, more))
    }

    pub async fn stop_query_execution(&self, id: &str) -> Result<(), Error> {
        let ours = self.started.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).contains(id);
        if !self.link.permit().writes() && !ours {
            return Err(permit::refused("StopQueryExecution", "this session is read-only"));
        }
        let request = self.client.stop_query_execution().query_execution_id(id);
        self.link.ask("StopQueryExecution", request.send()).await?;
        Ok(())
    }

    /// The tables of a database, all pages.
    pub async fn list_table_metadata(&self, database: &str) -> Result<Vec<Table>, Error> {
        let mut tables = Vec::new();
        let mut token = None;
        loop {
            let request = self
                .client
                .list_table_metadata()
                .catalog_name(CATALOG)
                .database_name(database)
                .set_next_token(token);
            let answer = self.link.ask("ListTableMetadata", request.send()).await?;
            tables.extend(answer.table_metadata_list.unwrap_or_default().into_iter().map(|table| {
                Table {
                    name: table.name,
                    columns: table
                        .columns
                        .unwrap_or_default()
                        .into_iter()
                        .chain(table.partition_keys.unwrap_or_default())
                        .map(|column| (column.name, column.r#type.unwrap_or_default()))
                        .collect(),
                }
            }));
            match answer.next_token {
                Some(next) => token = Some(next),
                None => return Ok(tables),
            }
        }
    }

    /// Starts a query and waits until it is over, whatever its outcome.
    pub async fn run(&self, start: &Start) -> Result<Query, Error> {
        let id = self.start_query_execution(start).await?;
        self.wait(&id).await
    }

    /// Waits until the query is over: quick on this machine, politer on AWS.
    pub async fn wait(&self, id: &str) -> Result<Query, Error> {
        let (mut pause, most) = match self.link.quick() {
            true => (Duration::from_millis(3), Duration::from_millis(50)),
            false => (Duration::from_millis(250), Duration::from_secs(2)),
        };
        loop {
            let query = self.get_query_execution(id).await?;
            if query.state.is_over() {
                return Ok(query);
            }
            tokio::time::sleep(pause).await;
            pause = pause.mul_f64(1.5).min(most);
        }
    }
}

fn query_of(query: QueryExecution) -> Query {
    let status = query.status;
    let statistics = query.statistics;
    let millis = |value: Option<i64>| value.map(|value| value.max(0) as u64);
    let state = match status.as_ref().and_then(|status| status.state.as_ref()) {
        Some(QueryExecutionState::Running) => QueryState::Running,
        Some(QueryExecutionState::Succeeded) => QueryState::Succeeded,
        Some(QueryExecutionState::Failed) => QueryState::Failed,
        Some(QueryExecutionState::Cancelled) => QueryState::Cancelled,
        _ => QueryState::Queued,
    };
    Query {
        id: query.query_execution_id.unwrap_or_default(),
        sql: query.query.unwrap_or_default(),
        state,
        reason: status.as_ref().and_then(|status| status.state_change_reason.clone()),
        database: query.query_execution_context.and_then(|context| context.database),
        workgroup: query.work_group,
        output_location: query.result_configuration.and_then(|result| result.output_location),
        submitted: utc_option(status.as_ref().and_then(|status| status.submission_date_time.as_ref())),
        completed: utc_option(status.as_ref().and_then(|status| status.completion_date_time.as_ref())),
        scanned: millis(statistics.as_ref().and_then(|s| s.data_scanned_in_bytes)),
        engine_millis: millis(statistics.as_ref().and_then(|s| s.engine_execution_time_in_millis)),
        queue_millis: millis(statistics.as_ref().and_then(|s| s.query_queue_time_in_millis)),
        total_millis: millis(statistics.as_ref().and_then(|s| s.total_execution_time_in_millis)),
    }
}

fn grid_of(set: ResultSet, first: bool) -> Grid {
    let infos = set.result_set_metadata.and_then(|metadata| metadata.column_info).unwrap_or_default();
    let columns: Vec<Column> = infos.into_iter().map(column_of).collect();
    let width = columns.len();
    let mut rows: Vec<Vec<Option<String>>> = set
        .rows
        .unwrap_or_default()
        .into_iter()
        .map(|row| {
            let mut cells: Vec<Option<String>> =
                row.data.unwrap_or_default().into_iter().map(|cell| cell.var_char_value).collect();
            cells.resize(width, None);
            cells
        })
        .collect();
    if first && rows.first().is_some_and(|row| is_header(row, &columns)) {
        rows.remove(0);
    }
    Grid { columns, rows }
}

/// The header row repeats the columns' names; SHOW and DESCRIBE have none.
fn is_header(row: &[Option<String>], columns: &[Column]) -> bool {
    row.iter().zip(columns).all(|(cell, column)| cell.as_deref() == Some(&column.name))
}

fn column_of(info: ColumnInfo) -> Column {
    let kind = kind_of(&info.r#type);
    Column { name: info.name, type_name: info.r#type, kind }
}

fn kind_of(type_name: &str) -> Kind {
    let name = type_name.to_ascii_lowercase();
    let head = name.split(['(', '<', ' ']).next().unwrap_or_default();
    match head {
        "tinyint" | "smallint" | "int" | "integer" | "bigint" | "float" | "real" | "double" | "decimal" => {
            Kind::Number
        }
        "boolean" => Kind::Boolean,
        "date" | "time" | "timestamp" => Kind::Time,
        "array" | "map" | "row" | "struct" | "json" => Kind::Nested,
        _ => Kind::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_athena::types::{Datum, ResultSetMetadata, Row};

    fn set(rows: &[&[&str]]) -> ResultSet {
        let column = |name: &str| ColumnInfo::builder().name(name).r#type("varchar").build().unwrap();
        let row = |cells: &&[&str]| {
            let data = cells.iter().map(|cell| Datum::builder().var_char_value(*cell).build()).collect();
            Row::builder().set_data(Some(data)).build()
        };
        ResultSet::builder()
            .result_set_metadata(
                ResultSetMetadata::builder().column_info(column("a")).column_info(column("b")).build(),
            )
            .set_rows(Some(rows.iter().map(row).collect()))
            .build()
    }

    #[test]
    fn drops_the_header_of_the_first_page_only() {
        let rows: &[&[&str]] = &[&["a", "b"], &["a", "b"], &["1"]];
        let grid = grid_of(set(rows), true);
        assert_eq!(grid.rows.len(), 2);
        assert_eq!(grid.rows[1], [Some("1".to_owned()), None], "rows are as wide as the columns");
        assert_eq!(grid_of(set(rows), false).rows.len(), 3);
        assert_eq!(grid_of(set(&[&["x", "b"]]), true).rows.len(), 1, "no header, nothing dropped");
    }

    #[test]
    fn sorts_types_into_kinds() {
        assert_eq!(kind_of("decimal(10,2)"), Kind::Number);
        assert_eq!(kind_of("timestamp with time zone"), Kind::Time);
        assert_eq!(kind_of("array(varchar)"), Kind::Nested);
        assert_eq!(kind_of("varchar"), Kind::Text);
    }
}
