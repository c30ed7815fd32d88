//! The log of a detached server: a file that never grows beyond its bound, and one before it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

/// At this size the file becomes `….1`, bytes.
const BOUND: u64 = 1024 * 1024;

/// Opens on the first line, so that a server with nothing to say writes nothing.
pub struct LogFile {
    path: PathBuf,
    open: Mutex<Option<(File, u64)>>,
}

impl LogFile {
    pub fn new(path: impl Into<PathBuf>) -> LogFile {
        LogFile { path: path.into(), open: Mutex::new(None) }
    }

    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let mut slot = self.slot();
        if slot.as_ref().is_some_and(|(_, size)| *size > BOUND) {
            *slot = None;
        }
        if slot.is_none() {
            if std::fs::metadata(&self.path).is_ok_and(|file| file.len() > BOUND) {
                std::fs::rename(&self.path, before(&self.path))?;
            }
            *slot = Some(open(&self.path)?);
        }
        if let Some((file, size)) = slot.as_mut() {
            *size += bytes.len() as u64;
            file.write_all(bytes)?;
        }
        Ok(())
    }

    fn slot(&self) -> MutexGuard<'_, Option<(File, u64)>> {
        self.open.lock().unwrap_or_else(|e| e.into_inner())
    }
}

fn open(path: &Path) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    let size = file.metadata()?.len();
    Ok((file, size))
}

fn before(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    name.into()
}

/// A line of the log. A disk that takes no more loses lines; the server goes on.
impl Write for &LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.append(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_bounded_and_keeps_what_came_last() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.log");
        let log = LogFile::new(&path);
        assert!(!path.exists());
        let line = vec![b'x'; 64 * 1024];
        for _ in 0..40 {
            (&log).write_all(&line).unwrap();
        }
        (&log).write_all(b"last\n").unwrap();
        let (now, earlier) = (std::fs::read(&path).unwrap(), std::fs::read(before(&path)).unwrap());
        assert!(now.ends_with(b"last\n"));
        assert!((now.len() + earlier.len()) as u64 <= 2 * BOUND + 3 * 64 * 1024);
    }
}
