//! Performs statements of the catalog.

mod describe;
mod partitions;
mod show;
mod tables;
mod text;

use std::sync::Arc;

use super::catalog::{Catalog, Database, Table};
use super::failure::Failure;
use super::hive::{Change, Name, Statement};
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

fn not_a_location(text: &str) -> Failure {
    execution_error(format!(
        "MetaException(message:{text} is not a location; it should be s3://bucket/prefix/)"
    ))
}

/// Sets properties, in the place of those of the same name.
fn set(properties: &mut Vec<(String, String)>, new: Vec<(String, String)>) {
    for (key, value) in new {
        match properties.iter_mut().find(|(k, _)| *k == key) {
            Some((_, old)) => *old = value,
            None => properties.push((key, value)),
        }
    }
}

impl Ddl<'_> {
    pub async fn perform(&self, statement: Statement) -> Result<Shown, Failure> {
        match statement {
            Statement::CreateDatabase { name, lenient, comment, location: at, properties } => {
                if let Some(at) = &at {
                    location(at).ok_or_else(|| not_a_location(at))?;
                }
                let database = Database { name: name.clone(), comment, location: at, properties };
                if !self.catalog.create_database(database).await? && !lenient {
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
            Statement::SetDatabaseProperties { name, properties } => {
                let change = move |database: &mut Database| set(&mut database.properties, properties);
                if !self.catalog.change_database(&name, change).await? {
                    return Err(semantic(format!("Database does not exist: {name}")));
                }
            }
            Statement::CreateTable(table) => self.create_table(*table).await?,
            Statement::DropTable { name, lenient } => self.drop_table(name, lenient, false).await?,
            Statement::DropView { name, lenient } => self.drop_table(name, lenient, true).await?,
            Statement::Alter { table, change } => self.alter(self.table(&table)?, change).await?,
            Statement::RepairTable(name) => return self.repair(name).await,
            // The engine makes views: it must check their query first.
            Statement::CreateView { .. } => return Err(Failure::internal("views are made by the engine")),
            show => return self.show(show),
        }
        Ok(Shown::default())
    }

    async fn alter(&self, table: Table, change: Change) -> Result<(), Failure> {
        if table.is_view() {
            return Err(semantic(format!("{}.{} is a view", table.database, table.name)));
        }
        match change {
            Change::AddPartitions { lenient, partitions } => {
                self.add_partitions(&table, lenient, partitions).await
            }
            Change::DropPartitions { lenient, partitions } => {
                self.drop_partitions(&table, lenient, partitions).await
            }
            Change::RenamePartition { from, to } => self.rename_partition(&table, &from, &to).await,
            Change::SetLocation { partition: Some(values), location } => {
                self.move_partition(&table, &values, location).await
            }
            other => self.alter_table(&table, other).await,
        }
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
