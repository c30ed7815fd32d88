//! Performs the statements that write: CREATE TABLE AS, INSERT and UNLOAD.

use std::sync::Arc;

use bytes::Bytes;

use super::catalog::{Entry, Partition, Table};
use super::ddl;
use super::engine::{self, Ask, Compression, Meter, Write, Written};
use super::failure::Failure;
use super::fresh::Fresh;
use super::operations::Athena;
use super::partitions;
use super::record::Record;
use super::trino::{Statement, Target};
use super::types::Type;
use super::workgroups;
use crate::local::bus::Bus;

/// What a statement that writes has done.
#[derive(Debug, Default)]
pub struct Wrote {
    pub rows: u64,
    /// `s3://bucket/prefix/<id>-manifest.csv`
    pub manifest: Option<String>,
    /// Milliseconds until the plan stood.
    pub planning: u64,
    /// To be kept, and to be made known, once the end is written.
    pub files: Option<Fresh>,
    pub entry: Option<Entry>,
}

/// The query of a statement, and what all of them need.
pub struct Writing<'a> {
    pub bus: &'a Bus,
    pub record: &'a Record,
    pub ask: Ask,
    pub meter: Arc<Meter>,
}

impl Athena {
    pub(super) async fn write(&self, writing: Writing<'_>, statement: Statement) -> Result<Wrote, Failure> {
        match statement {
            Statement::CreateTableAs { name, lenient, comment, options, with_data, .. } => {
                let database = writing.database(self, name.0)?;
                if self.catalog.table(&database, &name.1)?.is_some() {
                    if lenient {
                        return Ok(Wrote::default());
                    }
                    return Err(Failure::new(
                        "TABLE_ALREADY_EXISTS",
                        format!("line 1:1: Table 'awsdatacatalog.{database}.{}' already exists", name.1),
                    ));
                }
                let target = Target::of_table(&options)?;
                writing.may_choose(target.location.as_deref())?;
                let at = target.location.clone().unwrap_or_else(|| format!("{}/", writing.record.output));
                let columns = writing.columns(self).await?;
                let mut table = target.table(&database, &name.1, &columns, folder(&at)?)?;
                table.comment = comment;
                table.created = writing.now();
                table.properties.push(("transient_lastDdlTime".into(), table.created.to_string()));
                writing.must_be_empty(&table)?;
                let (mut wrote, partitions) = if with_data {
                    writing.fill_files(self, &table, (0..columns.len()).map(Some).collect()).await?
                } else {
                    (Wrote::default(), Vec::new())
                };
                wrote.entry = Some(entry(&table, partitions, true));
                Ok(wrote)
            }
            Statement::Insert { table, columns, .. } => {
                let database = writing.database(self, table.0)?;
                let missing = || {
                    let name = format!("awsdatacatalog.{database}.{}", table.1);
                    Failure::new("TABLE_NOT_FOUND", format!("Table '{name}' does not exist"))
                };
                let table = self.catalog.table(&database, &table.1)?.ok_or_else(missing)?;
                if table.is_view() {
                    return Err(Failure::unsupported("Inserting into views is not supported"));
                }
                let query = writing.columns_of_any(self).await?;
                let places = places(&table, columns.as_deref(), &query)?;
                let (mut wrote, partitions) = writing.fill_files(self, &table, places).await?;
                wrote.entry = Some(entry(&table, partitions, false));
                Ok(wrote)
            }
            Statement::Unload { to, options, .. } => {
                let target = Target::of_unload(&options)?;
                let columns = writing.columns(self).await?;
                let table = target.table(&writing.record.database, "unload", &columns, folder(&to)?)?;
                writing.must_be_empty(&table)?;
                Ok(writing.fill_files(self, &table, (0..columns.len()).map(Some).collect()).await?.0)
            }
            other => Err(Failure::internal(format!("{} writes nothing", other.kind()))),
        }
    }
}

/// What a statement makes known: its table if it is new, and the partitions that got rows unless they are
/// projected.
fn entry(table: &Table, found: Vec<Partition>, new: bool) -> Entry {
    let found = if super::projection::enabled(table) { Vec::new() } else { found };
    let named = found.into_iter().map(|p| (partitions::name(&table.partitioned_by, &p.values), p));
    Entry {
        table: new.then(|| table.clone()),
        of: (table.database.clone(), table.name.clone()),
        partitions: named.collect(),
    }
}

/// A location as it is kept: with its last slash.
fn folder(at: &str) -> Result<String, Failure> {
    match ddl::location(at) {
        Some((bucket, prefix)) => Ok(format!("s3://{bucket}/{prefix}")),
        None => Err(Failure::new(
            "INVALID_TABLE_PROPERTY",
            format!("External location is not a valid file system URI: {at}"),
        )),
    }
}

impl Writing<'_> {
    fn now(&self) -> i64 {
        self.bus.clock.now().timestamp()
    }

    fn database(&self, athena: &Athena, name: Option<String>) -> Result<String, Failure> {
        let name = name.unwrap_or_else(|| self.record.database.clone());
        match athena.catalog.database(&name)? {
            Some(database) => Ok(database.name),
            None => Err(Failure::new("SCHEMA_NOT_FOUND", format!("Schema '{name}' does not exist"))),
        }
    }

    async fn columns_of_any(&self, athena: &Athena) -> Result<Vec<(String, Type)>, Failure> {
        athena.engine.describe(self.ask.clone()).await
    }

    /// The query's columns, each with a name of its own and a type that can be kept.
    async fn columns(&self, athena: &Athena) -> Result<Vec<(String, Type)>, Failure> {
        let columns = self.columns_of_any(athena).await?;
        named(&columns)?;
        columns.iter().try_for_each(|(_, kind)| engine::check(kind))?;
        Ok(columns)
    }

    /// A work group that enforces where results go leaves no choice to CTAS.
    fn may_choose(&self, location: Option<&str>) -> Result<(), Failure> {
        let group = workgroups::known(self.bus, &self.record.workgroup)
            .map_err(|fault| Failure::internal(fault.message))?;
        let enforced = group.configuration.enforce_work_group_configuration && group.output().is_some();
        if location.is_none() || !enforced {
            return Ok(());
        }
        Err(Failure::new(
            "",
            "The Create Table As Select query failed because it was submitted with an 'external_location' property to an \
             Athena Workgroup that enforces a centralized output location for all queries. Please remove the \
             'external_location' property and resubmit the query.",
        ))
    }

    fn must_be_empty(&self, table: &Table) -> Result<(), Failure> {
        let Some((bucket, prefix)) = ddl::location(&table.location) else { return Ok(()) };
        let found = self.ask.objects.list(&bucket, &prefix).map_err(|fault| {
            Failure::new(
                "HIVE_FILESYSTEM_ERROR",
                format!("Failed to list {}: {}", table.location, fault.message),
            )
        })?;
        if found.iter().all(|object| object.key.ends_with('/')) {
            return Ok(());
        }
        Err(Failure::new(
            "HIVE_PATH_ALREADY_EXISTS",
            format!(
                "Target directory for table '{}.{}' already exists: {}. You may need to manually clean the data at location \
                 '{}' before retrying. Athena will not delete data in your account.",
                table.database, table.name, table.location, self.record.output
            ),
        ))
    }

    async fn fill_files(
        &self,
        athena: &Athena,
        table: &Table,
        places: Vec<Option<usize>>,
    ) -> Result<(Wrote, Vec<Partition>), Failure> {
        let known = if table.partitioned_by.is_empty() {
            Vec::new()
        } else {
            athena.catalog.partitions(&table.database, &table.name)?
        };
        let property = ["write.compression", "parquet.compression"].iter().find_map(|p| table.property(p));
        let job = Write {
            compression: Compression::read(property)?,
            table: table.clone(),
            places,
            known,
            stem: stem(self.now(), &self.record.id),
        };
        let written: Written = athena.engine.write(self.ask.clone(), job, self.meter.clone()).await?;
        let manifest = self.manifest(written.files.paths()).await?;
        let planning = u64::try_from(written.planning.as_millis()).unwrap_or(u64::MAX);
        let wrote = Wrote {
            rows: written.rows,
            manifest: Some(manifest),
            planning,
            files: Some(written.files),
            entry: None,
        };
        Ok((wrote, written.partitions))
    }

    /// The list of the files, beside the query's results.
    async fn manifest(&self, files: &[String]) -> Result<String, Failure> {
        let base = self.record.output.strip_suffix(".csv").unwrap_or(&self.record.output);
        let path = format!("{base}-manifest.csv");
        let Some((bucket, key)) = path.strip_prefix("s3://").and_then(|p| p.split_once('/')) else {
            return Err(Failure::internal(format!("{path} is no location")));
        };
        let mut body = String::new();
        for file in files {
            body.push_str(file);
            body.push('\n');
        }
        self.ask.objects.write(bucket, key, Bytes::from(body), "application/octet-stream").await.map_err(
            |fault| {
                Failure::new(
                    "",
                    format!("Access denied when writing output to url: {path}: {}", fault.message),
                )
            },
        )?;
        Ok(path)
    }
}

/// What the names of a statement's files begin with: `20260101_120000_00001_abcde`.
fn stem(now: i64, id: &str) -> String {
    let at = chrono::DateTime::from_timestamp(now, 0).unwrap_or_default().format("%Y%m%d_%H%M%S");
    let id = id.replace('-', "");
    format!("{at}_{}_{}", &id[..5.min(id.len())], id.get(5..10).unwrap_or_default())
}

/// For each column of the table, partition columns last, the column of the query that it gets.
fn places(
    table: &Table,
    named: Option<&[String]>,
    query: &[(String, Type)],
) -> Result<Vec<Option<usize>>, Failure> {
    let all: Vec<_> = table.columns.iter().chain(&table.partitioned_by).collect();
    let places: Vec<Option<usize>> = match named {
        None => (0..all.len()).map(Some).collect(),
        Some(named) => {
            if let Some(unknown) = named.iter().find(|n| !all.iter().any(|c| c.name == **n)) {
                let text = format!("line 1:1: Insert column name does not exist in target table: {unknown}");
                return Err(Failure::new("COLUMN_NOT_FOUND", text));
            }
            all.iter().map(|c| named.iter().position(|n| *n == c.name)).collect()
        }
    };
    let wanted = named.map_or(all.len(), <[_]>::len);
    let mut kinds = Vec::new();
    for column in &all {
        kinds.push(column.read()?);
    }
    let fits = |(kind, place): (&Type, &Option<usize>)| {
        place.is_none_or(|n| query.get(n).is_some_and(|(_, found)| found.goes_into(kind)))
    };
    if query.len() != wanted || !kinds.iter().zip(&places).all(fits) {
        let into: Vec<String> = match named {
            None => kinds.iter().map(Type::trino).collect(),
            Some(named) => named
                .iter()
                .filter_map(|n| all.iter().position(|c| c.name == *n))
                .map(|at| kinds[at].trino())
                .collect(),
        };
        let from: Vec<String> = query.iter().map(|(_, kind)| kind.trino()).collect();
        return Err(Failure::new(
            "TYPE_MISMATCH",
            format!(
                "line 1:1: Insert query has mismatched column types: Table: [{}], Query: [{}]",
                into.join(", "),
                from.join(", ")
            ),
        ));
    }
    Ok(places)
}

/// Refuses columns that have no name, or the name of another one.
pub(super) fn named(columns: &[(String, Type)]) -> Result<(), Failure> {
    for (n, (name, _)) in columns.iter().enumerate() {
        if *name == format!("_col{n}") {
            let text = format!("line 1:1: Column name not specified at position {}", n + 1);
            return Err(Failure::new("MISSING_COLUMN_NAME", text));
        }
        if columns[..n].iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
            let text = format!("line 1:1: Column name '{name}' specified more than once");
            return Err(Failure::new("DUPLICATE_COLUMN_NAME", text));
        }
    }
    Ok(())
}
