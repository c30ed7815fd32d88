//! Performs statements of the catalog.

use std::sync::Arc;

use super::catalog::{Catalog, Column, Database, Partition, Table};
use super::failure::Failure;
use super::hive::{self, Name, NewTable, Statement};
use super::statement_text;
use super::types::Type;
use crate::local::bus::Objects;

/// What a statement shows: lines of text under columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shown {
    pub columns: Vec<(String, Type)>,
    pub lines: Vec<String>,
}

fn lines(column: &str, lines: impl IntoIterator<Item = String>) -> Shown {
    Shown { columns: vec![(column.to_owned(), Type::Varchar(None))], lines: lines.into_iter().collect() }
}

/// The statements of one query, with the database it runs in.
pub struct Ddl<'a> {
    pub catalog: &'a Catalog,
    pub objects: &'a Arc<dyn Objects>,
    pub database: &'a str,
    /// Seconds since the epoch.
    pub now: i64,
}

/// `s3://bucket/prefix/` as bucket and prefix; the prefix is empty or ends with a slash.
pub fn location(text: &str) -> Option<(String, String)> {
    let rest = ["s3://", "s3a://", "s3n://"].iter().find_map(|scheme| text.strip_prefix(scheme))?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let prefix = prefix.trim_end_matches('/');
    let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    (!bucket.is_empty()).then(|| (bucket.to_owned(), prefix))
}

fn execution_error(text: impl std::fmt::Display) -> Failure {
    Failure::ddl(format!(
        "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. {text}"
    ))
}

fn semantic(text: impl std::fmt::Display) -> Failure {
    Failure::ddl(format!("SemanticException [Error 10001]: {text}"))
}

impl Ddl<'_> {
    pub async fn perform(&self, statement: Statement) -> Result<Shown, Failure> {
        match statement {
            Statement::CreateDatabase { name, lenient, comment, location } => {
                let made =
                    self.catalog.create_database(Database { name: name.clone(), comment, location }).await?;
                if !made && !lenient {
                    return Err(execution_error(format!("Database {name} already exists")));
                }
            }
            Statement::DropDatabase { name, lenient, cascade } => match self.catalog.database(&name)? {
                Some(_) if !cascade && !self.catalog.tables(&name)?.is_empty() => {
                    return Err(execution_error(format!(
                        "InvalidOperationException(message:Database {name} is not empty. One or more tables exist.)"
                    )));
                }
                Some(_) => self.catalog.drop_database(&name).await?,
                None if lenient => {}
                None => return Err(semantic(format!("Database does not exist: {name}"))),
            },
            Statement::CreateTable(table) => self.create_table(*table).await?,
            Statement::DropTable { name, lenient } => self.drop_table(name, lenient, false).await?,
            Statement::DropView { name, lenient } => self.drop_table(name, lenient, true).await?,
            Statement::AddPartitions { table, lenient, partitions } => {
                self.add_partitions(table, lenient, partitions).await?;
            }
            Statement::DropPartitions { table, lenient, partitions } => {
                let table = self.table(&table)?;
                let names =
                    partitions.iter().map(|p| partition_name(&table, &p.values)).collect::<Result<_, _>>()?;
                let missing = self.catalog.drop_partitions(&table.database, &table.name, names).await?;
                if let (Some(name), false) = (missing.first(), lenient) {
                    return Err(semantic(format!("Partition not found {name}")));
                }
            }
            Statement::RepairTable(name) => return self.repair(name).await,
            Statement::SetLocation { table, location: at } => {
                let mut table = self.table(&table)?;
                location(&at).ok_or_else(|| not_a_location(&at))?;
                table.location = at;
                self.catalog.put_table(table, true).await?;
            }
            Statement::SetProperties { table, properties } => {
                let mut table = self.table(&table)?;
                for (key, value) in properties {
                    table.properties.retain(|(k, _)| *k != key);
                    table.properties.push((key, value));
                }
                self.catalog.put_table(table, true).await?;
            }
            Statement::AddColumns { table, columns } => {
                let mut table = self.table(&table)?;
                for column in columns {
                    if table.columns.iter().any(|c| c.name == column.name) {
                        return Err(execution_error(format!("Duplicate column name: {}", column.name)));
                    }
                    table.columns.push(kept(column));
                }
                self.catalog.put_table(table, true).await?;
            }
            // The engine makes views: it must check their query first.
            Statement::CreateView { .. } => return Err(Failure::internal("views are made by the engine")),
            show => return self.show(show),
        }
        Ok(Shown::default())
    }

    fn show(&self, statement: Statement) -> Result<Shown, Failure> {
        let wanted = |like: &Option<String>, name: &str| like.as_ref().is_none_or(|p| hive::fits(p, name));
        Ok(match statement {
            Statement::ShowDatabases { like } => {
                let names = self.catalog.databases()?.into_iter().map(|d| d.name);
                lines("database_name", names.filter(|n| wanted(&like, n)))
            }
            Statement::ShowTables { database, like } => {
                let tables = self.catalog.tables(&self.existing(database)?)?;
                lines("tab_name", tables.into_iter().map(|t| t.name).filter(|n| wanted(&like, n)))
            }
            Statement::ShowViews { database, like } => {
                let tables = self.catalog.tables(&self.existing(database)?)?;
                let views = tables.into_iter().filter(Table::is_view).map(|t| t.name);
                lines("views", views.filter(|n| wanted(&like, n)))
            }
            Statement::ShowColumns(name) => {
                let table = self.table(&name)?;
                lines("field", table.columns.into_iter().chain(table.partitioned_by).map(|c| c.name))
            }
            Statement::ShowPartitions(name) => {
                let table = self.table(&name)?;
                if table.partitioned_by.is_empty() {
                    return Err(execution_error(format!(
                        "Table {}.{} is not a partitioned table",
                        table.database, table.name
                    )));
                }
                let found = self.catalog.partitions(&table.database, &table.name)?;
                let name = |p: Partition| {
                    let parts = table.partitioned_by.iter().zip(&p.values);
                    parts.map(|(c, v)| format!("{}={v}", c.name)).collect::<Vec<_>>().join("/")
                };
                lines("partition", found.into_iter().map(name))
            }
            Statement::ShowCreateTable(name) => {
                let table = self.table(&name)?;
                lines("createtab_stmt", statement_text::create_table(&table))
            }
            Statement::ShowCreateView(name) => {
                let table = self.table(&name)?;
                let Some(sql) = &table.view else {
                    return Err(semantic(format!("{}.{} is not a view", table.database, table.name)));
                };
                let text = format!("CREATE VIEW {}.{} AS\n{sql}", table.database, table.name);
                lines("create view", text.lines().map(str::to_owned))
            }
            Statement::ShowProperties(name) => {
                let table = self.table(&name)?;
                lines("prpt_name", table.properties.iter().map(|(k, v)| format!("{k}\t{v}")))
            }
            Statement::Describe(name) => self.describe(&name)?,
            other => return Err(Failure::internal(format!("{other:?} shows nothing"))),
        })
    }

    fn describe(&self, name: &Name) -> Result<Shown, Failure> {
        let table = self.table(name)?;
        let line = |c: &Column| {
            format!("{:<20}\t{:<20}\t{:<20}", c.name, c.kind, c.comment.as_deref().unwrap_or_default())
        };
        let mut shown: Vec<String> = table.columns.iter().chain(&table.partitioned_by).map(line).collect();
        if !table.partitioned_by.is_empty() {
            shown.push("\t \t ".into());
            shown.push("# Partition Information\t \t ".into());
            shown.push(format!("{:<20}\t{:<20}\t{:<20}", "# col_name", "data_type", "comment"));
            shown.extend(table.partitioned_by.iter().map(line));
        }
        let columns = ["col_name", "data_type", "comment"].map(|n| (n.to_owned(), Type::Varchar(None)));
        Ok(Shown { columns: columns.to_vec(), lines: shown })
    }

    async fn create_table(&self, new: NewTable) -> Result<(), Failure> {
        let database = self.existing(new.name.0.clone())?;
        if new.location.is_empty() {
            return Err(execution_error("MetaException(message:LOCATION is missing)"));
        }
        location(&new.location).ok_or_else(|| not_a_location(&new.location))?;
        if let Some(twice) = new.partitioned_by.iter().find(|p| new.columns.iter().any(|c| c.name == p.name))
        {
            return Err(execution_error(format!("Column repeated in partitioning columns: {}", twice.name)));
        }
        let name = new.name.1.clone();
        let table = Table {
            database,
            name: new.name.1,
            columns: new.columns.into_iter().map(kept).collect(),
            partitioned_by: new.partitioned_by.into_iter().map(kept).collect(),
            comment: new.comment,
            location: new.location,
            serde: new.serde,
            serde_properties: new.serde_properties,
            stored_as: new.stored_as,
            input_format: new.input_format,
            output_format: new.output_format,
            properties: new.properties,
            view: None,
            created: self.now,
        };
        if !self.catalog.put_table(table, false).await? && !new.lenient {
            return Err(execution_error(format!(
                "AlreadyExistsException(message:Table {name} already exists)"
            )));
        }
        Ok(())
    }

    async fn drop_table(&self, name: Name, lenient: bool, view: bool) -> Result<(), Failure> {
        let database = self.existing(name.0.clone())?;
        match self.catalog.table(&database, &name.1)? {
            Some(table) if view && !table.is_view() => {
                Err(semantic(format!("{database}.{} is not a view", name.1)))
            }
            Some(_) => self.catalog.drop_table(&database, &name.1).await.map(|_| ()),
            None if lenient => Ok(()),
            None => Err(semantic(format!("Table not found {database}.{}", name.1))),
        }
    }

    async fn add_partitions(
        &self,
        table: Name,
        lenient: bool,
        new: Vec<hive::Partition>,
    ) -> Result<(), Failure> {
        let table = self.table(&table)?;
        let mut found = Vec::new();
        for partition in new {
            let name = partition_name(&table, &partition.values)?;
            let at = partition
                .location
                .unwrap_or_else(|| format!("{}/{name}/", table.location.trim_end_matches('/')));
            location(&at).ok_or_else(|| not_a_location(&at))?;
            let value =
                |c: &Column| partition.values.iter().find(|(n, _)| *n == c.name).map(|(_, v)| v.clone());
            let values = table.partitioned_by.iter().filter_map(value).collect();
            found.push((name, Partition { values, location: at }));
        }
        let present = self.catalog.add_partitions(&table.database, &table.name, found).await?;
        match present.first() {
            Some(name) if !lenient => Err(execution_error(format!(
                "AlreadyExistsException(message:Partition already exists: {name})"
            ))),
            _ => Ok(()),
        }
    }

    /// MSCK REPAIR TABLE: every `a=1/b=2/` folder below the table's location becomes a partition.
    async fn repair(&self, name: Name) -> Result<Shown, Failure> {
        let table = self.table(&name)?;
        let (bucket, prefix) = location(&table.location).ok_or_else(|| not_a_location(&table.location))?;
        let objects = self.objects.list(&bucket, &prefix).map_err(|fault| execution_error(fault.message))?;
        let mut found: Vec<(String, Partition)> = Vec::new();
        for object in objects {
            let mut parts = object.key[prefix.len()..].split('/');
            let values: Option<Vec<String>> = table
                .partitioned_by
                .iter()
                .map(|c| {
                    let (name, value) = parts.next()?.split_once('=')?;
                    let value = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
                    name.eq_ignore_ascii_case(&c.name).then(|| value.into_owned())
                })
                .collect();
            // An object directly in the partition's folder or below; the folder itself needs a name.
            let (Some(values), Some(_)) = (values, parts.next()) else { continue };
            let named = table.partitioned_by.iter().map(|c| c.name.clone()).zip(values.clone());
            let name = partition_name(&table, &named.collect::<Vec<_>>())?;
            if found.last().is_none_or(|(last, _)| *last != name) {
                let depth: usize = object.key[prefix.len()..]
                    .split('/')
                    .take(table.partitioned_by.len())
                    .map(|part| part.len() + 1)
                    .sum();
                let at = format!("s3://{bucket}/{}", &object.key[..prefix.len() + depth]);
                found.push((name, Partition { values, location: at }));
            }
        }
        let names: Vec<String> = found.iter().map(|(name, _)| name.clone()).collect();
        let present = self.catalog.add_partitions(&table.database, &table.name, found).await?;
        let added: Vec<String> = names.into_iter().filter(|n| !present.contains(n)).collect();
        if added.is_empty() {
            return Ok(Shown::default());
        }
        let head = format!("Partitions not in metastore:\t{}", added.join("\t"));
        let tail = added.iter().map(|n| format!("Repair: Added partition to metastore {}:{n}", table.name));
        Ok(lines("Result", std::iter::once(head).chain(tail)))
    }

    /// A database that exists: the named one, or the query's.
    pub fn existing(&self, name: Option<String>) -> Result<String, Failure> {
        let name = name.unwrap_or_else(|| self.database.to_owned());
        match self.catalog.database(&name)? {
            Some(database) => Ok(database.name),
            None => Err(semantic(format!("Database does not exist: {name}"))),
        }
    }

    pub fn table(&self, name: &Name) -> Result<Table, Failure> {
        let database = self.existing(name.0.clone())?;
        self.catalog
            .table(&database, &name.1)?
            .ok_or_else(|| semantic(format!("Table not found {database}.{}", name.1)))
    }
}

fn kept(column: hive::NewColumn) -> Column {
    Column { name: column.name, kind: column.kind.hive(), comment: column.comment }
}

fn not_a_location(text: &str) -> Failure {
    execution_error(format!(
        "MetaException(message:{text} is not a location; it should be s3://bucket/prefix/)"
    ))
}

/// `dt=2026-11-01/region=south`, in the order of the table's partition columns.
fn partition_name(table: &Table, values: &[(String, String)]) -> Result<String, Failure> {
    let part = |c: &Column| {
        let (_, value) = values.iter().find(|(name, _)| *name == c.name)?;
        Some(format!("{}={value}", c.name))
    };
    let parts: Option<Vec<String>> = table.partitioned_by.iter().map(part).collect();
    match parts {
        Some(parts) if !parts.is_empty() && parts.len() == values.len() => Ok(parts.join("/")),
        _ => Err(semantic(format!(
            "Partition spec {values:?} does not name the partition columns of {}.{}",
            table.database, table.name
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations() {
        assert_eq!(location("s3://b/raw"), Some(("b".into(), "raw/".into())));
        assert_eq!(location("s3://b"), Some(("b".into(), String::new())));
        assert_eq!(location("file:///etc/"), None);
        assert_eq!(location("s3:///x"), None);
    }
}
