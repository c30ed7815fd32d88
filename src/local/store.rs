//! The only writer: transactions, group commit, recovery.
//!
//! A folder holds one redb file. Tables are named by [`Table`], keys are text in byte order, values
//! are bytes (JSON mostly). All writes run on one thread, in the order they were asked for; those
//! that wait together are committed together with one sync. What [`Store::transact`] returned has
//! reached the disk; what a read sees was committed.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableError};
use tokio::sync::oneshot;

/// A table's name, `service.noun`: `states.executions`.
pub type Table = &'static str;

#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Disk(String),
    #[error("the store is closed")]
    Closed,
}

impl<E: Into<redb::Error>> From<E> for Error {
    fn from(error: E) -> Self {
        Error::Disk(error.into().to_string())
    }
}

/// Cheap to clone; all clones share the file and the writer.
#[derive(Clone)]
pub struct Store {
    database: Arc<Database>,
    jobs: mpsc::Sender<Job>,
}

/// Runs inside the group's transaction; answers what to do once the group's commit is known.
type Job = Box<dyn FnOnce(&redb::WriteTransaction) -> Box<dyn FnOnce(&Result<(), Error>) + Send> + Send>;

fn definition(table: Table) -> TableDefinition<'static, &'static str, &'static [u8]> {
    TableDefinition::new(table)
}

impl Store {
    /// Opens or creates `folder/cloud.redb`; without a folder everything stays in memory.
    pub fn open(folder: Option<&Path>) -> Result<Store, Error> {
        let database = match folder {
            Some(folder) => {
                std::fs::create_dir_all(folder)
                    .map_err(|e| Error::Disk(format!("{}: {e}", folder.display())))?;
                Database::create(folder.join("cloud.redb"))?
            }
            None => Database::builder().create_with_backend(redb::backends::InMemoryBackend::new())?,
        };
        let database = Arc::new(database);
        let (jobs, queue) = mpsc::channel::<Job>();
        let writer = database.clone();
        std::thread::Builder::new()
            .name("store".into())
            .spawn(move || write(&writer, &queue))
            .map_err(|e| Error::Disk(e.to_string()))?;
        Ok(Store { database, jobs })
    }

    /// The committed value of a key.
    pub fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let read = self.database.begin_read()?;
        let table = match read.open_table(definition(table)) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        Ok(table.get(key)?.map(|value| value.value().to_vec()))
    }

    /// Visits the committed entries whose key starts with `prefix` and is after `after`
    /// (exclusive; `""` for all), in key order, until `visit` breaks.
    pub fn scan(
        &self,
        table: Table,
        prefix: &str,
        after: &str,
        mut visit: impl FnMut(&str, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let read = self.database.begin_read()?;
        let table = match read.open_table(definition(table)) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let start = if after > prefix { after } else { prefix };
        for entry in table.range(start..)? {
            let (key, value) = entry?;
            let key = key.value();
            if !key.starts_with(prefix) {
                break;
            }
            if key == after && !after.is_empty() {
                continue;
            }
            if visit(key, value.value()).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Runs `work` alone among the writers and commits what it wrote, all or nothing: an `Err`
    /// writes nothing. Resolves once the commit is on disk.
    pub async fn transact<T, E>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |write| {
            let mut tx = Tx { write, pending: BTreeMap::new() };
            let result = work(&mut tx).and_then(|value| tx.apply().map(|()| value).map_err(E::from));
            Box::new(move |committed| {
                let result = match (result, committed) {
                    (Ok(_), Err(error)) => Err(E::from(error.clone())),
                    (result, _) => result,
                };
                // Nobody waits any more: the write stands all the same.
                let _ = answer.send(result);
            })
        });
        self.jobs.send(job).map_err(|_| Error::Closed)?;
        answered.await.map_err(|_| Error::Closed)?
    }
}

/// The writer's thread: takes what waits, commits it as one group, tells everyone.
fn write(database: &Database, queue: &mpsc::Receiver<Job>) {
    while let Ok(first) = queue.recv() {
        let write = match database.begin_write() {
            Ok(write) => write,
            // The job is dropped and its caller learns that the store is closed.
            Err(_) => continue,
        };
        let mut told = vec![first(&write)];
        while told.len() < 1024
            && let Ok(job) = queue.try_recv()
        {
            told.push(job(&write));
        }
        let committed = write.commit().map_err(Error::from);
        for tell in told {
            tell(&committed);
        }
    }
}

/// One writer's view: what is committed, what earlier writers of the group wrote, and its own.
pub struct Tx<'a> {
    write: &'a redb::WriteTransaction,
    pending: BTreeMap<(Table, String), Option<Vec<u8>>>,
}

impl Tx<'_> {
    pub fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, Error> {
        if let Some(pending) = self.pending.get(&(table, key.to_owned())) {
            return Ok(pending.clone());
        }
        let table = self.write.open_table(definition(table))?;
        Ok(table.get(key)?.map(|value| value.value().to_vec()))
    }

    pub fn put(&mut self, table: Table, key: impl Into<String>, value: impl Into<Vec<u8>>) {
        self.pending.insert((table, key.into()), Some(value.into()));
    }

    pub fn delete(&mut self, table: Table, key: impl Into<String>) {
        self.pending.insert((table, key.into()), None);
    }

    /// All entries whose key starts with `prefix`, in key order.
    pub fn scan(&self, table: Table, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let mut found = BTreeMap::new();
        {
            let table = self.write.open_table(definition(table))?;
            for entry in table.range(prefix..)? {
                let (key, value) = entry?;
                if !key.value().starts_with(prefix) {
                    break;
                }
                found.insert(key.value().to_owned(), value.value().to_vec());
            }
        }
        for ((_, key), value) in self.pending.range((table, prefix.to_owned())..) {
            match value {
                Some(value) if key.starts_with(prefix) => found.insert(key.clone(), value.clone()),
                _ => found.remove(key),
            };
        }
        Ok(found.into_iter().collect())
    }

    fn apply(self) -> Result<(), Error> {
        for ((table, key), value) in self.pending {
            let mut table = self.write.open_table(definition(table))?;
            match value {
                Some(value) => table.insert(key.as_str(), value.as_slice())?,
                None => table.remove(key.as_str())?,
            };
        }
        Ok(())
    }
}
