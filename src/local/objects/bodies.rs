//! Where the bytes of objects are: small ones in the store, large ones in files next to it.
//!
//! A body never changes: it is written under a fresh id, and objects come to refer to it. A file is
//! on the disk before the transaction that refers to it commits; one that nobody refers to is
//! removed after the commit, or swept at the next start.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use bytes::{Bytes, BytesMut};
use futures::{Stream, stream};
use s3s::crypto::{Checksum, Md5};
use serde::{Deserialize, Serialize};

use crate::local::fault::Fault;
use crate::local::store::{Store, Table, Tx, explain};
use crate::local::wire::digests::hex;

const BODIES: Table = "s3.bodies";
/// Larger bodies are files, bytes.
const SMALL: usize = 256 * 1024;
/// Read from a file at once, bytes.
const CHUNK: u64 = 512 * 1024;

/// A run of bytes of an object's body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Piece {
    pub id: String,
    pub size: u64,
    /// In hex.
    pub md5: String,
    /// In a file, not in the store.
    pub file: bool,
}

#[derive(Clone)]
pub struct Bodies {
    store: Store,
    place: Place,
}

/// Where large bodies are.
#[derive(Clone)]
enum Place {
    Folder(PathBuf),
    Memory(Arc<RwLock<HashMap<String, Bytes>>>),
}

impl Bodies {
    pub fn open(store: Store, folder: Option<&Path>) -> Result<Bodies, Fault> {
        let place = match folder {
            Some(folder) => {
                let folder = folder.join("bodies");
                std::fs::create_dir_all(&folder).map_err(|e| disk(&e))?;
                Place::Folder(folder)
            }
            None => Place::Memory(Arc::default()),
        };
        Ok(Bodies { store, place })
    }

    /// A new body, to be written and then committed with an object.
    pub fn draft(&self) -> Draft {
        Draft {
            place: self.place.clone(),
            id: uuid::Uuid::new_v4().simple().to_string(),
            size: 0,
            md5: Md5::new(),
            small: BytesMut::new(),
            file: None,
        }
    }

    /// A range of a body; `None` if a piece of it is gone, because the object was replaced.
    pub fn read(&self, body: &[Piece], range: Range<u64>) -> Result<Option<Bytes>, Fault> {
        let mut parts = cut(body, range);
        let Some((piece, within)) = parts.next() else { return Ok(Some(Bytes::new())) };
        let Some(first) = self.read_piece(piece, within)? else { return Ok(None) };
        let mut rest = parts.peekable();
        if rest.peek().is_none() {
            return Ok(Some(first));
        }
        let mut all = BytesMut::from(first);
        for (piece, within) in rest {
            let Some(next) = self.read_piece(piece, within)? else { return Ok(None) };
            all.extend_from_slice(&next);
        }
        Ok(Some(all.freeze()))
    }

    fn read_piece(&self, piece: &Piece, within: Range<u64>) -> Result<Option<Bytes>, Fault> {
        let slice = |bytes: Bytes| bytes.slice(within.start as usize..within.end as usize);
        if !piece.file {
            return Ok(self.store.get(BODIES, &piece.id)?.map(|bytes| slice(Bytes::from(bytes))));
        }
        match &self.place {
            Place::Memory(files) => {
                let files = files.read().unwrap_or_else(|e| e.into_inner());
                Ok(files.get(&piece.id).cloned().map(slice))
            }
            Place::Folder(folder) => {
                let file = match File::open(folder.join(&piece.id)) {
                    Ok(file) => file,
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                    Err(e) => return Err(disk(&e)),
                };
                read_at(&file, within).map(Some)
            }
        }
    }

    /// A range of a body piece by piece, for answers that are too large to be held. `None` if it is
    /// gone already.
    pub fn stream(
        &self,
        body: &[Piece],
        range: Range<u64>,
    ) -> Result<Option<impl Stream<Item = Result<Bytes, Fault>> + Send + use<>>, Fault> {
        // Opened at once: a body that is replaced meanwhile can still be read to its end.
        let mut sources = Vec::new();
        for (piece, within) in cut(body, range) {
            let source = match &self.place {
                Place::Folder(folder) if piece.file => match File::open(folder.join(&piece.id)) {
                    Ok(file) => Source::File(Arc::new(file), within),
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                    Err(e) => return Err(disk(&e)),
                },
                _ => match self.read_piece(piece, within)? {
                    Some(bytes) => Source::Bytes(bytes),
                    None => return Ok(None),
                },
            };
            sources.push(source);
        }
        sources.reverse();
        Ok(Some(stream::try_unfold(sources, |mut sources| async move {
            let Some(source) = sources.pop() else { return Ok(None) };
            match source {
                Source::Bytes(bytes) => Ok(Some((bytes, sources))),
                Source::File(file, within) => {
                    let now = within.start..within.end.min(within.start + CHUNK);
                    if now.end < within.end {
                        sources.push(Source::File(file.clone(), now.end..within.end));
                    }
                    let read = tokio::task::spawn_blocking(move || read_at(&file, now)).await;
                    let bytes = read.map_err(|e| Fault::new(500, "InternalError", e.to_string()))??;
                    Ok(Some((bytes, sources)))
                }
            }
        })))
    }

    /// Removes files that nothing refers to any more.
    pub fn forget(&self, pieces: &[Piece]) {
        for piece in pieces.iter().filter(|piece| piece.file) {
            self.place.remove(&piece.id);
        }
    }

    /// Removes every file that is not `used`.
    pub fn sweep(&self, used: &HashSet<String>) {
        let Place::Folder(folder) = &self.place else { return };
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        let mut swept = 0;
        for entry in entries.flatten() {
            if !used.contains(&*entry.file_name().to_string_lossy())
                && std::fs::remove_file(entry.path()).is_ok()
            {
                swept += 1;
            }
        }
        if swept > 0 {
            tracing::info!(files = swept, "removed what unfinished uploads left behind");
        }
    }
}

enum Source {
    Bytes(Bytes),
    File(Arc<File>, Range<u64>),
}

impl Place {
    fn remove(&self, id: &str) {
        match self {
            Place::Memory(files) => {
                files.write().unwrap_or_else(|e| e.into_inner()).remove(id);
            }
            // What stays is swept at the next start.
            Place::Folder(folder) => drop(std::fs::remove_file(folder.join(id))),
        }
    }
}

/// The pieces a range touches, each with the range within it.
fn cut(body: &[Piece], range: Range<u64>) -> impl Iterator<Item = (&Piece, Range<u64>)> {
    let mut start = 0;
    body.iter().filter_map(move |piece| {
        let (begin, end) = (start, start + piece.size);
        start = end;
        let within = range.start.max(begin)..range.end.min(end);
        (within.start < within.end).then(|| (piece, within.start - begin..within.end - begin))
    })
}

fn read_at(file: &File, range: Range<u64>) -> Result<Bytes, Fault> {
    let mut bytes = vec![0; (range.end - range.start) as usize];
    file.read_exact_at(&mut bytes, range.start).map_err(|e| disk(&e))?;
    Ok(bytes.into())
}

fn disk(error: &std::io::Error) -> Fault {
    Fault::new(500, "InternalError", format!("The local cloud's folder: {}", explain(error)))
}

/// Writes the bytes of a small piece, within the transaction that refers to it.
pub fn put_inline(tx: &mut Tx<'_>, piece: &Piece, bytes: Bytes) {
    tx.put(BODIES, piece.id.clone(), Vec::from(bytes));
}

/// Removes the small pieces of a body; [`Bodies::forget`] the others after the commit.
pub fn delete_inline(tx: &mut Tx<'_>, pieces: &[Piece]) {
    for piece in pieces.iter().filter(|piece| !piece.file) {
        tx.delete(BODIES, piece.id.clone());
    }
}

/// A body that is still arriving. Dropped unfinished, it leaves nothing.
pub struct Draft {
    place: Place,
    id: String,
    size: u64,
    md5: Md5,
    small: BytesMut,
    file: Option<(Arc<File>, Kept)>,
}

/// Removes a draft's file unless the transaction that refers to it was about to commit.
#[derive(Clone, Default)]
pub struct Kept(Option<Arc<Guard>>);

struct Guard {
    place: Place,
    id: String,
    kept: AtomicBool,
}

impl Kept {
    /// Called inside the transaction: from here on the file may be referred to. If the commit fails
    /// it stays as an orphan until the next start.
    pub fn keep(&self) {
        if let Some(guard) = &self.0 {
            guard.kept.store(true, Ordering::SeqCst);
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.kept.load(Ordering::SeqCst) {
            self.place.remove(&self.id);
        }
    }
}

impl Draft {
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.size += bytes.len() as u64;
        self.md5.update(bytes);
        self.small.extend_from_slice(bytes);
        if self.small.len() > SMALL && matches!(self.place, Place::Folder(_)) {
            self.spill().await?;
        }
        Ok(())
    }

    /// Moves what is held to the file.
    async fn spill(&mut self) -> Result<(), Fault> {
        let file = match &self.file {
            Some((file, _)) => file.clone(),
            None => {
                let Place::Folder(folder) = &self.place else { return Ok(()) };
                let file = File::options()
                    .write(true)
                    .create_new(true)
                    .open(folder.join(&self.id))
                    .map_err(|e| disk(&e))?;
                let guard =
                    Guard { place: self.place.clone(), id: self.id.clone(), kept: AtomicBool::new(false) };
                let file = Arc::new(file);
                self.file = Some((file.clone(), Kept(Some(Arc::new(guard)))));
                file
            }
        };
        let bytes = self.small.split().freeze();
        blocking(move || (&*file).write_all(&bytes)).await
    }

    /// The piece; its bytes if they belong into the store; and who removes the file if nothing
    /// comes of it. A file is on the disk when this returns.
    pub async fn finish(mut self) -> Result<(Piece, Option<Bytes>, Kept), Fault> {
        let large = self.size > SMALL as u64;
        let mut piece = Piece { id: self.id.clone(), size: self.size, md5: String::new(), file: large };
        let mut outcome = (None, Kept::default());
        if large {
            match &self.place {
                Place::Folder(folder) => {
                    let folder = folder.clone();
                    self.spill().await?;
                    if let Some((file, kept)) = self.file.take() {
                        blocking(move || {
                            file.sync_all()?;
                            // The name has to survive as well.
                            File::open(folder)?.sync_all()
                        })
                        .await?;
                        outcome.1 = kept;
                    }
                }
                Place::Memory(files) => {
                    let guard = Guard {
                        place: self.place.clone(),
                        id: self.id.clone(),
                        kept: AtomicBool::new(false),
                    };
                    outcome.1 = Kept(Some(Arc::new(guard)));
                    let mut files = files.write().unwrap_or_else(|e| e.into_inner());
                    files.insert(self.id.clone(), self.small.split().freeze());
                }
            }
        } else {
            outcome.0 = Some(self.small.split().freeze());
        }
        piece.md5 = hex(&self.md5.finalize());
        Ok((piece, outcome.0, outcome.1))
    }
}

async fn blocking(work: impl FnOnce() -> std::io::Result<()> + Send + 'static) -> Result<(), Fault> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|e| disk(&e)),
        Err(error) => Err(Fault::new(500, "InternalError", error.to_string())),
    }
}
