//! StartQueryExecution: what is refused at once, and what becomes a query.

use std::sync::Arc;

use futures::FutureExt;
use serde_json::{Value, json};

use super::catalog::DEFAULT;
use super::engine::{Kind, Meter};
use super::failure::Failure;
use super::operations::{
    Athena, CATALOG, HISTORY, Live, PRIMARY, QUERIES, TOKENS, decode, encode, invalid, with_code,
};
use super::record::{Record, Resolved, State, StatementType};
use super::requests::Start;
use super::workgroups::WorkGroup;
use super::{ddl, hive, prepared, reuse, trino, workgroups};
use crate::local::bus::Bus;
use crate::local::fault::Fault;
use crate::sql::class;
use crate::sql::lexer::{self, lex};

/// Athena's limit of a query's text, in bytes.
const LONGEST: usize = 262_144;

/// What a statement is, as far as the service cares.
struct Read {
    statement_type: StatementType,
    substatement_type: String,
    /// What the output's name has before and behind the id.
    naming: (&'static str, &'static str),
}

fn refuse(failure: &Failure) -> Fault {
    with_code("MALFORMED_QUERY", failure.detail())
}

/// Where results go: the group's place when it enforces its own or the request names none.
fn folder(group: &WorkGroup, asked: Option<String>) -> Result<String, Fault> {
    let settled = group.output().map(str::to_owned);
    let found = if group.configuration.enforce_work_group_configuration && settled.is_some() {
        settled
    } else {
        asked.filter(|location| !location.is_empty()).or(settled)
    };
    found.ok_or_else(|| {
        invalid(
            "No output location provided. An output location is required either through the Workgroup result \
             configuration setting or as an API input.",
        )
    })
}

impl Athena {
    pub(super) async fn start(&self, start: Start) -> Result<Value, Fault> {
        let bus = self.bus()?;
        if start.query_string.trim().is_empty() || start.query_string.len() > LONGEST {
            return Err(invalid(format!("QueryString must have 1 to {LONGEST} bytes.")));
        }
        let group = workgroups::known(&bus, start.work_group.as_deref().unwrap_or(PRIMARY))?;
        if group.state != "ENABLED" {
            return Err(invalid(format!("WorkGroup {} is disabled.", group.name)));
        }
        let context = start.query_execution_context;
        let database = context.as_ref().and_then(|c| c.database.clone()).unwrap_or_else(|| DEFAULT.into());
        // Some clients quote it, as they would in a statement.
        let database = database.trim_matches(['`', '"']).to_lowercase();
        let catalog = context.and_then(|c| c.catalog).unwrap_or_else(|| CATALOG.into());
        if !catalog.eq_ignore_ascii_case(CATALOG) {
            return Err(invalid(format!("Catalog {catalog} was not found.")));
        }
        let location = folder(&group, start.result_configuration.and_then(|c| c.output_location))?;
        let Some((bucket, prefix)) = ddl::location(&location) else {
            return Err(invalid(format!("outputLocation is not a valid S3 path: {location}")));
        };
        let parameters = start.execution_parameters.unwrap_or_default();
        let resolved = resolve(&bus, &group.name, &start.query_string, &parameters)?;
        let read = match &resolved {
            Some(Resolved { sql, parameters }) => self.kind(sql, parameters).await?,
            None => self.kind(&start.query_string, &parameters).await?,
        };
        let id = uuid::Uuid::new_v4().to_string();
        // Finds out whether the bucket is there, and lists nothing.
        bus.objects()?.list(&bucket, &format!("{prefix}{id}")).map_err(|fault| {
            invalid(format!("Unable to verify/create output bucket {bucket}: {}", fault.message))
        })?;
        let reuse = start.result_reuse_configuration.and_then(|c| c.result_reuse_by_age_configuration);
        let reuse =
            reuse.filter(|by_age| by_age.enabled).map(|by_age| by_age.max_age_in_minutes.unwrap_or(60));
        let (folder, ending) = read.naming;
        let mut record = Record {
            output: format!("s3://{bucket}/{prefix}{folder}{id}{ending}"),
            id,
            sql: start.query_string,
            parameters,
            resolved,
            statement_type: read.statement_type,
            substatement_type: read.substatement_type,
            database,
            catalog,
            cut_off: group.configuration.bytes_scanned_cutoff_per_query,
            workgroup: group.name,
            state: State::Queued,
            submitted: bus.clock.now().timestamp_millis(),
            reuse,
            ..Record::default()
        };
        if let Some(minutes) = reuse {
            reuse::take(&bus, &mut record, minutes)?;
        }
        let (id, fresh) = self.admit(&bus, record.clone(), start.client_request_token).await?;
        if fresh && !record.state.is_over() {
            self.begin(bus, id.clone(), record);
        }
        Ok(json!({ "QueryExecutionId": id }))
    }

    /// Sets a query going.
    pub(super) fn begin(&self, bus: Arc<Bus>, id: String, record: Record) {
        let Some(athena) = self.this.upgrade() else { return };
        let cancel = bus.stopping.child_token();
        let meter = Arc::new(Meter::new(record.cut_off));
        self.live().insert(id.clone(), Live { record, cancel: cancel.clone(), meter });
        tokio::spawn(athena.perform(bus, id, cancel).boxed());
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
    async fn kind(&self, sql: &str, parameters: &[String]) -> Result<Read, Fault> {
        if let Some(statement) = hive::read(sql).map_err(|f| refuse(&f))? {
            let statement_type = if statement.shows() { StatementType::Utility } else { StatementType::Ddl };
            return Ok(Read { statement_type, substatement_type: substatement(sql), naming: ("", ".txt") });
        }
        if let Some(statement) = trino::read(sql).map_err(|f| refuse(&f))? {
            return self.kind_of(&statement, parameters).await;
        }
        let (statement_type, substatement_type) = match self.engine.read(sql, parameters).await {
            Ok(Kind::Query) => (StatementType::Dml, "SELECT".into()),
            Ok(Kind::Explain) => (StatementType::Utility, "EXPLAIN".into()),
            Err(failure) if failure.is_malformed() => return Err(refuse(&failure)),
            // It fails when it runs, with this reason.
            Err(_) => {
                let kind = match class::classify(sql).kind {
                    class::Kind::Query | class::Kind::Insert | class::Kind::Unload => StatementType::Dml,
                    _ => StatementType::Ddl,
                };
                (kind, substatement(sql))
            }
        };
        let ending = if statement_type == StatementType::Dml { ".csv" } else { ".txt" };
        Ok(Read { statement_type, substatement_type, naming: ("", ending) })
    }

    async fn kind_of(&self, statement: &trino::Statement, parameters: &[String]) -> Result<Read, Fault> {
        use trino::Statement as S;
        if let Some(query) = statement.query()
            && let Err(failure) = self.engine.read(query, parameters).await
            && failure.is_malformed()
        {
            return Err(refuse(&failure));
        }
        if let S::Prepare { sql, .. } = statement {
            if let Ok(Some(inner @ (S::Prepare { .. } | S::Execute { .. } | S::Deallocate { .. }))) =
                trino::read(sql)
            {
                let message = format!("Invalid statement type for prepared statement: {}", inner.kind());
                return Err(refuse(&Failure::new("NOT_SUPPORTED", message)));
            }
            let places =
                lex(sql).iter().filter(|t| t.kind == lexer::Kind::Parameter && t.of(sql) == "?").count();
            Box::pin(self.kind(sql, &vec!["NULL".to_owned(); places])).await?;
        }
        let (statement_type, naming) = match statement {
            S::CreateTableAs { .. } => (StatementType::Ddl, ("tables/", "")),
            S::Insert { .. } => (StatementType::Dml, ("", "")),
            S::Unload { .. } => (StatementType::Dml, ("", ".csv")),
            S::Prepare { .. } | S::Execute { .. } | S::Deallocate { .. } => {
                (StatementType::Ddl, ("", ".txt"))
            }
        };
        Ok(Read { statement_type, substatement_type: statement.kind().to_owned(), naming })
    }
}

/// What an EXECUTE runs; `None` for any other statement.
fn resolve(bus: &Bus, workgroup: &str, sql: &str, parameters: &[String]) -> Result<Option<Resolved>, Fault> {
    let Ok(Some(trino::Statement::Execute { name, using })) = trino::read(sql) else { return Ok(None) };
    let Some(found) = prepared::find(bus, workgroup, &name)? else {
        return Err(with_code(
            "PREPARED_STATEMENT_NOT_FOUND",
            format!("PreparedStatement {name} was not found in workGroup {workgroup}"),
        ));
    };
    let parameters = if using.is_empty() { parameters.to_vec() } else { using };
    Ok(Some(Resolved { sql: found.query_statement, parameters }))
}

/// `CREATE_TABLE`, `SHOW_TABLES`: the first two words.
fn substatement(sql: &str) -> String {
    use lexer::Kind;
    let words = lex(sql).into_iter().filter(|t| matches!(t.kind, Kind::Keyword | Kind::Name));
    let words: Vec<String> = words
        .map(|t| t.of(sql).to_uppercase())
        .filter(|w| w != "EXTERNAL" && w != "OR" && w != "REPLACE")
        .take(2)
        .collect();
    match words.first().map(String::as_str) {
        Some("DESCRIBE" | "DESC") => "DESCRIBE_TABLE".to_owned(),
        Some("SELECT" | "WITH" | "VALUES") => "SELECT".to_owned(),
        _ => words.join("_"),
    }
}

/// Sorts by time, the newest first.
fn history_key(record: &Record) -> String {
    format!("{}/{:020}{}", record.workgroup, i64::MAX - record.submitted, record.id)
}
