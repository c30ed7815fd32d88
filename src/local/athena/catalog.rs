//! Databases, tables and partitions: what AWS keeps in Glue, kept in the store.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::types::Type;
use crate::local::store::{self, Store, Tx};

const DATABASES: store::Table = "athena.databases";
/// Keys are `database/table`.
const TABLES: store::Table = "athena.tables";
/// Keys are `database/table/dt=2026-01-01/region=south`.
const PARTITIONS: store::Table = "athena.partitions";

/// The database that every account has.
pub const DEFAULT: &str = "default";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Database {
    pub name: String,
    pub comment: Option<String>,
    pub location: Option<String>,
    #[serde(default)]
    pub properties: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    /// In Hive's spelling: `array<string>`.
    pub kind: String,
    pub comment: Option<String>,
}

impl Column {
    pub fn read(&self) -> Result<Type, Failure> {
        Type::read(&self.kind).map_err(|why| Failure::internal(format!("column {}: {why}", self.name)))
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    pub database: String,
    pub name: String,
    pub columns: Vec<Column>,
    pub partitioned_by: Vec<Column>,
    pub comment: Option<String>,
    /// `s3://bucket/prefix/`; empty for a view.
    pub location: String,
    pub serde: Option<String>,
    pub serde_properties: Vec<(String, String)>,
    pub stored_as: Option<String>,
    pub input_format: Option<String>,
    pub output_format: Option<String>,
    pub properties: Vec<(String, String)>,
    /// The query of a view.
    pub view: Option<String>,
    /// Seconds since the epoch.
    pub created: i64,
}

impl Table {
    /// Whether the table is a view.
    pub fn is_view(&self) -> bool {
        self.view.is_some()
    }

    pub fn property(&self, name: &str) -> Option<&str> {
        let found = self.serde_properties.iter().chain(&self.properties);
        found.rev().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Where a partition is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Partition {
    pub values: Vec<String>,
    pub location: String,
}

/// What became of a partition that was to replace another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaced {
    Done,
    /// There is no such partition to be replaced.
    Missing,
    /// There is one in the new place already.
    Present,
}

/// What a statement that writes makes known, in the transaction of its end.
#[derive(Debug)]
pub struct Entry {
    /// A new table.
    pub table: Option<Table>,
    /// Database and table of the partitions.
    pub of: (String, String),
    /// By their names. Those that are known already stay as they are.
    pub partitions: Vec<(String, Partition)>,
}

impl Entry {
    pub fn write(self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        let key = format!("{}/{}", self.of.0, self.of.1);
        if let Some(table) = &self.table {
            if tx.get(TABLES, &key)?.is_some() {
                return Err(Failure::new("TABLE_ALREADY_EXISTS", "the table was made by another query"));
            }
            tx.put(TABLES, key.clone(), encode(table)?);
        }
        for (name, partition) in self.partitions {
            let key = format!("{key}/{name}");
            if tx.get(PARTITIONS, &key)?.is_none() {
                tx.put(PARTITIONS, key, encode(&partition)?);
            }
        }
        Ok(())
    }
}

/// Reads are of what was committed; writes resolve once they are on disk. Cheap to clone.
#[derive(Clone)]
pub struct Catalog {
    store: Store,
}

fn broken(error: impl std::fmt::Display) -> Failure {
    Failure::internal(format!("the local cloud could not read or write its catalog: {error}"))
}

fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(bytes).map_err(broken)
}

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(value).map_err(broken)
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        broken(error)
    }
}

impl Catalog {
    pub fn new(store: Store) -> Catalog {
        Catalog { store }
    }

    pub fn database(&self, name: &str) -> Result<Option<Database>, Failure> {
        match self.store.get(DATABASES, name)? {
            Some(bytes) => decode(&bytes).map(Some),
            None if name == DEFAULT => {
                let name = DEFAULT.into();
                Ok(Some(Database { name, comment: None, location: None, properties: Vec::new() }))
            }
            None => Ok(None),
        }
    }

    /// By name; `default` is always among them.
    pub fn databases(&self) -> Result<Vec<Database>, Failure> {
        let mut found: Vec<Database> = self.all(DATABASES, "")?;
        if !found.iter().any(|d| d.name == DEFAULT) {
            found.extend(self.database(DEFAULT)?);
            found.sort_by(|a, b| a.name.cmp(&b.name));
        }
        Ok(found)
    }

    pub fn table(&self, database: &str, name: &str) -> Result<Option<Table>, Failure> {
        let found = self.store.get(TABLES, &format!("{database}/{name}"))?;
        found.map(|bytes| decode(&bytes)).transpose()
    }

    /// Tables and views of a database, by name.
    pub fn tables(&self, database: &str) -> Result<Vec<Table>, Failure> {
        self.all(TABLES, &format!("{database}/"))
    }

    pub fn partitions(&self, database: &str, table: &str) -> Result<Vec<Partition>, Failure> {
        self.all(PARTITIONS, &format!("{database}/{table}/"))
    }

    fn all<T: serde::de::DeserializeOwned>(
        &self,
        table: store::Table,
        prefix: &str,
    ) -> Result<Vec<T>, Failure> {
        let mut found = Vec::new();
        let mut wrong = None;
        self.store.scan(table, prefix, "", |_, bytes| match decode(bytes) {
            Ok(value) => {
                found.push(value);
                ControlFlow::Continue(())
            }
            Err(failure) => {
                wrong = Some(failure);
                ControlFlow::Break(())
            }
        })?;
        wrong.map_or(Ok(found), Err)
    }

    /// `false` when there is one of that name already.
    pub async fn create_database(&self, database: Database) -> Result<bool, Failure> {
        let bytes = encode(&database)?;
        self.store
            .transact(move |tx| {
                if database.name == DEFAULT || tx.get(DATABASES, &database.name)?.is_some() {
                    return Ok(false);
                }
                tx.put(DATABASES, database.name, bytes);
                Ok(true)
            })
            .await
    }

    /// Changes a database as it is when its turn comes; `false` when there is none of that name.
    pub async fn change_database(
        &self,
        name: &str,
        change: impl FnOnce(&mut Database) + Send + 'static,
    ) -> Result<bool, Failure> {
        // One that was never written, if it is `default`.
        let Some(mut database) = self.database(name)? else { return Ok(false) };
        let name = name.to_owned();
        self.store
            .transact(move |tx| {
                match tx.get(DATABASES, &name)? {
                    Some(bytes) => database = decode(&bytes)?,
                    None if name == DEFAULT => {}
                    None => return Ok(false),
                }
                change(&mut database);
                tx.put(DATABASES, name, encode(&database)?);
                Ok(true)
            })
            .await
    }

    /// Removes a database with its tables and their partitions (the objects stay).
    pub async fn drop_database(&self, name: &str) -> Result<(), Failure> {
        let name = name.to_owned();
        self.store
            .transact(move |tx| {
                for table in [TABLES, PARTITIONS] {
                    for (key, _) in tx.scan(table, &format!("{name}/"))? {
                        tx.delete(table, key);
                    }
                }
                tx.delete(DATABASES, name);
                Ok(())
            })
            .await
    }

    /// Writes a table; `false` when there is one already and `replace` is not set.
    pub async fn put_table(&self, table: Table, replace: bool) -> Result<bool, Failure> {
        let bytes = encode(&table)?;
        self.store
            .transact(move |tx| {
                let key = format!("{}/{}", table.database, table.name);
                if !replace && tx.get(TABLES, &key)?.is_some() {
                    return Ok(false);
                }
                tx.put(TABLES, key, bytes);
                Ok(true)
            })
            .await
    }

    /// Changes a table as it is when its turn comes, so that of two changes none is lost; `false` when
    /// there is no such table.
    pub async fn change_table(
        &self,
        database: &str,
        name: &str,
        change: impl FnOnce(&mut Table) -> Result<(), Failure> + Send + 'static,
    ) -> Result<bool, Failure> {
        let key = format!("{database}/{name}");
        self.store
            .transact(move |tx| {
                let Some(bytes) = tx.get(TABLES, &key)? else { return Ok(false) };
                let mut table: Table = decode(&bytes)?;
                change(&mut table)?;
                tx.put(TABLES, key, encode(&table)?);
                Ok(true)
            })
            .await
    }

    /// Removes a table and its partitions; `false` when there was none.
    pub async fn drop_table(&self, database: &str, name: &str) -> Result<bool, Failure> {
        let key = format!("{database}/{name}");
        self.store
            .transact(move |tx| {
                if tx.get(TABLES, &key)?.is_none() {
                    return Ok(false);
                }
                for (partition, _) in tx.scan(PARTITIONS, &format!("{key}/"))? {
                    tx.delete(PARTITIONS, partition);
                }
                tx.delete(TABLES, key);
                Ok(true)
            })
            .await
    }

    /// Adds partitions, by their names (`dt=…/region=…`); answers those that were there already and
    /// therefore stayed as they were.
    pub async fn add_partitions(
        &self,
        database: &str,
        table: &str,
        partitions: Vec<(String, Partition)>,
    ) -> Result<Vec<String>, Failure> {
        let prefix = format!("{database}/{table}/");
        self.store
            .transact(move |tx| {
                let mut present = Vec::new();
                for (name, partition) in partitions {
                    let key = format!("{prefix}{name}");
                    if tx.get(PARTITIONS, &key)?.is_some() {
                        present.push(name);
                    } else {
                        tx.put(PARTITIONS, key, encode(&partition)?);
                    }
                }
                Ok(present)
            })
            .await
    }

    /// Puts a partition in the place of the one named `old`; the name of one that is there already.
    pub async fn replace_partition(
        &self,
        database: &str,
        table: &str,
        old: String,
        new: (String, Partition),
    ) -> Result<Replaced, Failure> {
        let prefix = format!("{database}/{table}/");
        self.store
            .transact(move |tx| {
                let (from, to) = (format!("{prefix}{old}"), format!("{prefix}{}", new.0));
                if tx.get(PARTITIONS, &from)?.is_none() {
                    return Ok(Replaced::Missing);
                }
                if from != to && tx.get(PARTITIONS, &to)?.is_some() {
                    return Ok(Replaced::Present);
                }
                tx.delete(PARTITIONS, from);
                tx.put(PARTITIONS, to, encode(&new.1)?);
                Ok(Replaced::Done)
            })
            .await
    }

    /// Removes partitions by name; answers those that there were not.
    pub async fn drop_partitions(
        &self,
        database: &str,
        table: &str,
        names: Vec<String>,
    ) -> Result<Vec<String>, Failure> {
        let prefix = format!("{database}/{table}/");
        self.store
            .transact(move |tx| {
                let mut missing = Vec::new();
                for name in names {
                    let key = format!("{prefix}{name}");
                    if tx.get(PARTITIONS, &key)?.is_none() {
                        missing.push(name);
                    } else {
                        tx.delete(PARTITIONS, key);
                    }
                }
                Ok(missing)
            })
            .await
    }
}
