//! The seat of the one process that serves a folder.
//!
//! `serving.lock` is locked by the operating system for as long as that process lives, so a process
//! that was killed leaves nothing stale behind. `serving.json` says where it answers; it is only
//! believed while the lock is held.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::store::explain;

/// The version that has to match: another program's idea of the folder may be another one.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How long a server waits for the lock: somebody who only looks holds it for a moment.
const PATIENCE: Duration = Duration::from_millis(500);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{} is served by another process already{}", folder.display(), by(serving))]
    Taken { folder: PathBuf, serving: Option<Box<Serving>> },
    #[error("{}: {}", path.display(), explain(source))]
    Folder { path: PathBuf, source: io::Error },
    #[error("there is no home folder for the local cloud: name a folder with --local-dir")]
    Homeless,
}

fn by(serving: &Option<Box<Serving>>) -> String {
    serving.as_ref().map(|s| format!(": process {} at {}", s.pid, s.url)).unwrap_or_default()
}

/// Who serves a folder, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Serving {
    /// `http://127.0.0.1:4566`
    pub url: String,
    pub region: String,
    pub pid: u32,
    pub version: String,
    /// The pipeline is there: provisioned, or meant to stay empty.
    pub ready: bool,
    /// What the process before it left unfinished and it goes on with, one sentence each.
    #[serde(default)]
    pub taken_up: Vec<String>,
}

/// The folder where the user's local cloud is, unless told otherwise: in the XDG data directory.
pub fn default_folder() -> Result<PathBuf, Error> {
    use etcetera::BaseStrategy;
    let base = etcetera::choose_base_strategy().map_err(|_| Error::Homeless)?;
    Ok(base.data_dir().join("ward").join("local"))
}

/// Makes the folder, for its owner only.
pub fn prepare(folder: &Path) -> Result<(), Error> {
    let failed = |source| Error::Folder { path: folder.to_owned(), source };
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {
            // A folder that was made for us; one with other things in it keeps its permissions.
            let empty = std::fs::read_dir(folder).map_err(failed)?.next().is_none();
            if empty {
                std::fs::set_permissions(folder, PermissionsExt::from_mode(0o700)).map_err(failed)?;
            }
            Ok(())
        }
        Err(error) => Err(failed(error)),
    }
}

/// Held while serving. Dropped, or lost with its process, the folder is free again.
pub struct Seat {
    folder: PathBuf,
    _lock: File,
}

impl Seat {
    /// Waits a moment for those who only look; `Taken` when somebody serves.
    pub fn take(folder: &Path) -> Result<Seat, Error> {
        prepare(folder)?;
        let lock = lock_file(folder)?;
        let since = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if since.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::Taken {
                        folder: folder.to_owned(),
                        serving: read(folder).map(Box::new),
                    });
                }
                Err(TryLockError::Error(source)) => {
                    return Err(Error::Folder { path: folder.join(LOCK), source });
                }
            }
        }
        let seat = Seat { folder: folder.to_owned(), _lock: lock };
        // What a killed process left.
        seat.withdraw();
        Ok(seat)
    }

    /// Says where the folder is served from now on.
    pub fn announce(&self, serving: &Serving) -> Result<(), Error> {
        let path = self.folder.join(STATE);
        let new = self.folder.join("serving.json.new");
        let written = (|| {
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
            file.write_all(serde_json::to_string(serving).map_err(io::Error::other)?.as_bytes())?;
            std::fs::rename(&new, &path)
        })();
        written.map_err(|source| Error::Folder { path, source })
    }

    /// Says nothing any more; the folder is still taken.
    pub fn withdraw(&self) {
        let _ = std::fs::remove_file(self.folder.join(STATE));
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.withdraw();
    }
}

const LOCK: &str = "serving.lock";
const STATE: &str = "serving.json";

fn lock_file(folder: &Path) -> Result<File, Error> {
    let path = folder.join(LOCK);
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    file.map_err(|source| Error::Folder { path, source })
}

/// Whether some process holds the seat.
pub fn is_taken(folder: &Path) -> Result<bool, Error> {
    // Shared: those who look do not disturb each other.
    match lock_file(folder)?.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(source)) => Err(Error::Folder { path: folder.join(LOCK), source }),
    }
}

/// What the state file says; believe it only while [`is_taken`].
pub fn read(folder: &Path) -> Option<Serving> {
    serde_json::from_slice(&std::fs::read(folder.join(STATE)).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_is_taken_once_and_free_again() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a/b");
        let seat = Seat::take(&folder).unwrap();
        assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        let serving = Serving {
            url: "u".into(),
            region: "r".into(),
            pid: 1,
            version: VERSION.into(),
            ready: false,
            taken_up: Vec::new(),
        };
        seat.announce(&serving).unwrap();
        assert!(is_taken(&folder).unwrap());
        let second = Seat::take(&folder).err().unwrap().to_string();
        assert!(second.contains("process 1 at u"), "{second}");
        drop(seat);
        assert!(!is_taken(&folder).unwrap());
        assert_eq!(read(&folder), None);
        Seat::take(&folder).unwrap();
    }

    #[test]
    fn a_state_file_without_its_process_is_swept() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join(STATE), r#"{"url":"http://127.0.0.1:1"}"#).unwrap();
        std::fs::write(home.path().join(LOCK), "").unwrap();
        let _seat = Seat::take(home.path()).unwrap();
        assert!(!home.path().join(STATE).exists());
    }
}
