//! The only writer: transactions, group commit, recovery.
//!
//! A folder holds one redb file. Tables are named by [`Table`], keys are text in byte order, values
//! are bytes (JSON mostly). All writes run on one thread, in the order they were asked for; those
//! that wait together are committed together with one sync. What [`Store::transact`] returned has
//! reached the disk; what a read sees was committed.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use redb::{Database, ReadableDatabase, TableDefinition, TableError};
use tokio::sync::oneshot;

mod tx;

pub use tx::Tx;

/// A table's name, `service.noun`: `states.executions`.
pub type Table = &'static str;

/// Pages kept in memory, bytes: the cloud is a guest on somebody's laptop.
const CACHE: usize = 24 * 1024 * 1024;
/// Jobs committed together at most.
const GROUP: usize = 1024;

#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Disk(String),
    #[error("the store is closed")]
    Closed,
}

impl<E: Into<redb::Error>> From<E> for Error {
    fn from(error: E) -> Self {
        let hint = match error.into() {
            redb::Error::Io(io) => return Error::Disk(explain(&io)),
            error @ redb::Error::PreviousIo => {
                format!("{error}; it is opened again with the next write")
            }
            error => error.to_string(),
        };
        Error::Disk(hint)
    }
}

/// Says what to do about an error of the disk.
pub fn explain(io: &std::io::Error) -> String {
    use std::io::ErrorKind::*;
    match io.kind() {
        StorageFull | QuotaExceeded => {
            format!("the disk is full ({io}): make room, nothing that was acknowledged is lost")
        }
        ReadOnlyFilesystem => format!("the disk is read-only ({io}): choose another folder with --local-dir"),
        PermissionDenied => {
            format!("no permission ({io}): choose another folder with --local-dir, or correct its owner")
        }
        _ => io.to_string(),
    }
}

/// Cheap to clone; all clones share the file and the writer.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    jobs: mpsc::Sender<Job>,
}

/// The open database; `None` after a failure of the disk, until it could be opened again.
struct Shared {
    database: RwLock<Option<Arc<Database>>>,
    /// `None` in memory.
    file: Option<PathBuf>,
    closed: AtomicBool,
}

/// Runs inside the group's transaction, or learns why there is none; answers what to do once the
/// group's commit is known.
type Job = Box<dyn FnOnce(Result<&redb::WriteTransaction, &Error>) -> Written + Send>;

/// Learns whether the group was committed.
type Tell = Box<dyn FnOnce(&Result<(), Error>) + Send>;

struct Written {
    /// Something is to be committed.
    changed: bool,
    /// The transaction is no longer whole: nothing of the group may be committed.
    spoilt: Option<Error>,
    tell: Tell,
}

fn definition(table: Table) -> TableDefinition<'static, &'static str, &'static [u8]> {
    TableDefinition::new(table)
}

fn open(file: Option<&Path>) -> Result<Database, Error> {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE);
    let Some(file) = file else {
        return Ok(builder.create_with_backend(redb::backends::InMemoryBackend::new())?);
    };
    let opened = match file.try_exists() {
        Ok(false) => create(&builder, file),
        _ => builder.create(file).map_err(redb::Error::from),
    };
    opened.map_err(|error| {
        let name = file.display();
        Error::Disk(match error {
            redb::Error::DatabaseAlreadyOpen => {
                format!("{name} is in use by another process: stop that one, or choose another folder with --local-dir")
            }
            redb::Error::Io(io) if io.kind() == std::io::ErrorKind::InvalidData => damaged(file, &io),
            redb::Error::Io(io) => format!("{name}: {}", explain(&io)),
            error @ (redb::Error::Corrupted(_) | redb::Error::UpgradeRequired(_) | redb::Error::RepairAborted) => {
                damaged(file, &error)
            }
            error => format!("{name}: {error}"),
        })
    })
}

/// Makes a new file under another name first: a disk that is full in the middle leaves no half of one.
fn create(builder: &redb::Builder, file: &Path) -> Result<Database, redb::Error> {
    let new = file.with_extension("redb.new");
    let made = (|| {
        // What a process left that was killed here.
        match std::fs::remove_file(&new) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        // Closed and synced before it has its name.
        drop(builder.create(&new)?);
        std::fs::File::open(&new)?.sync_all()?;
        std::fs::rename(&new, file)?;
        Ok(builder.open(file)?)
    })();
    if made.is_err() {
        // It is in nobody's way: the next attempt removes it, too.
        let _ = std::fs::remove_file(&new);
    }
    made
}

fn damaged(file: &Path, error: &dyn std::fmt::Display) -> String {
    let name = file.display();
    format!(
        "{name} is damaged or not a store of this program ({error}): move it away to start with an empty one"
    )
}

impl Shared {
    /// The database for one read or write: not kept, so that it can be opened again.
    fn database(&self) -> Result<Arc<Database>, Error> {
        let open = self.database.read().unwrap_or_else(|e| e.into_inner());
        match &*open {
            Some(database) => Ok(database.clone()),
            None if self.closed.load(Ordering::SeqCst) => Err(Error::Closed),
            None => {
                Err(Error::Disk("the store could not be opened again after a failure of the disk".into()))
            }
        }
    }

    /// Closes and opens the file: after a failed read or write, redb refuses everything else. What
    /// was committed is still there. In memory there is nothing to go back to.
    fn reopen(&self) -> Result<(), Error> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut slot = self.database.write().unwrap_or_else(|e| e.into_inner());
        if self.closed.load(Ordering::SeqCst) {
            return Err(Error::Closed);
        }
        release(slot.take());
        *slot = Some(Arc::new(open(Some(file))?));
        Ok(())
    }

    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        // Not under the lock: whoever comes now is told at once.
        let database = self.database.write().unwrap_or_else(|e| e.into_inner()).take();
        release(database);
    }
}

/// Drops the last reference: readers hold theirs for one read only, the writer for one group.
fn release(database: Option<Arc<Database>>) {
    let Some(mut database) = database else { return };
    for _ in 0..2000 {
        match Arc::try_unwrap(database) {
            Ok(last) => {
                // Closing may want to write and fail again; what counts is on the disk already.
                let _ = catch_unwind(AssertUnwindSafe(move || drop(last)));
                return;
            }
            Err(shared) => database = shared,
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

impl Store {
    /// Opens or creates `folder/cloud.redb`; without a folder everything stays in memory.
    pub fn open(folder: Option<&Path>) -> Result<Store, Error> {
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder)
                .map_err(|e| Error::Disk(format!("{}: {}", folder.display(), explain(&e))))?;
        }
        let file = folder.map(|folder| folder.join("cloud.redb"));
        let database = open(file.as_deref())?;
        let shared = Arc::new(Shared {
            database: RwLock::new(Some(Arc::new(database))),
            file,
            closed: AtomicBool::new(false),
        });
        let (jobs, queue) = mpsc::channel::<Job>();
        let writer = shared.clone();
        std::thread::Builder::new()
            .name("store".into())
            .spawn(move || write(&writer, &queue))
            .map_err(|e| Error::Disk(e.to_string()))?;
        Ok(Store { shared, jobs })
    }

    /// The committed value of a key.
    pub fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let database = self.shared.database()?;
        let read = database.begin_read()?;
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
        let database = self.shared.database()?;
        let read = database.begin_read()?;
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
            let (mut changed, mut spoilt) = (false, None);
            let result = match write {
                Err(error) => Err(E::from(error.clone())),
                Ok(write) => {
                    let mut tx = Tx::new(write);
                    match catch_unwind(AssertUnwindSafe(|| work(&mut tx))) {
                        Err(_) => Err(E::from(Error::Disk("a write panicked and was dropped".into()))),
                        Ok(Err(error)) => Err(error),
                        Ok(Ok(value)) => match tx.apply() {
                            Ok(any) => {
                                changed = any;
                                Ok(value)
                            }
                            Err(error) => {
                                spoilt = Some(error.clone());
                                Err(E::from(error))
                            }
                        },
                    }
                }
            };
            let tell = Box::new(move |committed: &Result<(), Error>| {
                let result = match (result, committed) {
                    (Ok(_), Err(error)) => Err(E::from(error.clone())),
                    (result, _) => result,
                };
                // Nobody waits any more: the write stands all the same.
                let _ = answer.send(result);
            });
            Written { changed, spoilt, tell }
        });
        self.jobs.send(job).map_err(|_| Error::Closed)?;
        answered.await.map_err(|_| Error::Closed)?
    }

    /// Closes the file once everything asked for before is committed; whoever comes later is told
    /// so. Another process, or this one, may then open it.
    pub async fn close(&self) {
        let _ = self.transact(|_| Ok::<_, Error>(())).await;
        let shared = self.shared.clone();
        let _ = tokio::task::spawn_blocking(move || shared.close()).await;
    }
}

/// The writer's thread: takes what waits, commits it as one group, tells everyone. Ends when the
/// last clone of the store is gone.
fn write(shared: &Shared, queue: &mpsc::Receiver<Job>) {
    while let Ok(first) = queue.recv() {
        // Held for as long as the transaction, which would keep the file locked when the store is closed.
        let (held, transaction) = begin(shared).map_or_else(|e| (None, Err(e)), |(d, t)| (Some(d), Ok(t)));
        let (mut told, mut changed, mut spoilt) = (Vec::new(), false, None);
        let mut next = Some(first);
        while let Some(job) = next {
            let written = job(transaction.as_ref());
            told.push(written.tell);
            changed |= written.changed;
            spoilt = written.spoilt;
            next = if spoilt.is_none() && told.len() < GROUP { queue.try_recv().ok() } else { None };
        }
        let committed = match (transaction, spoilt) {
            (Ok(transaction), None) if changed => transaction.commit().map_err(Error::from),
            (Ok(transaction), None) => transaction.abort().map_err(Error::from),
            (Ok(transaction), Some(error)) => transaction.abort().map_err(Error::from).and(Err(error)),
            (Err(error), _) => Err(error),
        };
        drop(held);
        if committed.is_err()
            && let Err(error) = shared.reopen()
        {
            tracing::warn!(%error, "the store is closed until its disk is well again");
        }
        for tell in told {
            tell(&committed);
        }
    }
}

/// A transaction; after a failure of the disk the file is opened again first.
fn begin(shared: &Shared) -> Result<(Arc<Database>, redb::WriteTransaction), Error> {
    let start = || {
        let database = shared.database()?;
        let transaction = database.begin_write()?;
        Ok((database, transaction))
    };
    start().or_else(|_: Error| {
        shared.reopen()?;
        start()
    })
}

#[cfg(test)]
mod tests;
