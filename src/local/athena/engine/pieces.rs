//! Objects in pieces, and pieces as lines: plain ones are cut, compressed ones are read in a stream.

use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;

use super::meter::Meter;
use crate::local::athena::failure::Failure;
use crate::local::bus::Objects;
use crate::local::fault::Fault;

/// Larger objects are read in pieces of this many bytes, side by side.
pub const PIECE: u64 = 8 << 20;
/// Read at once, bytes.
const CHUNK: u64 = 1 << 20;
/// Read at once behind the end of a piece, where its last line ends, bytes.
const BEYOND: u64 = 64 << 10;
/// The longest line, as Athena's limit is, bytes.
const LONGEST: u64 = 100 << 20;

/// An object of a table.
#[derive(Debug)]
pub struct Object {
    pub bucket: String,
    pub key: String,
    /// `s3://bucket/key`
    pub path: String,
    pub size: u64,
    pub etag: String,
    /// The values of its partition.
    pub partition: Arc<Vec<String>>,
}

/// What a reader needs besides the object.
#[derive(Clone)]
pub struct Access {
    pub objects: Arc<dyn Objects>,
    pub meter: Arc<Meter>,
}

impl Access {
    fn failed(object: &Object, start: u64, fault: &Fault) -> Failure {
        Failure::new(
            "HIVE_CANNOT_OPEN_SPLIT",
            format!(
                "Error opening Hive split {} (offset={start}, length={}): {} (Service: Amazon S3; Status Code: {}; Error \
                 Code: {})",
                object.path,
                object.size - start.min(object.size),
                fault.message,
                fault.status,
                fault.code
            ),
        )
    }

    /// All of the object as it is now.
    pub fn whole(&self, object: &Object) -> Result<Bytes, Failure> {
        let all = self.objects.read(&object.bucket, &object.key, None);
        all.map_err(|fault| Self::failed(object, 0, &fault))
    }

    /// A range of the object as it was listed; fails when it was replaced since.
    pub fn range(&self, object: &Object, start: u64, end: u64) -> Result<Bytes, Failure> {
        let failed = |fault: Fault| Self::failed(object, start, &fault);
        let data = self.objects.read(&object.bucket, &object.key, Some(start..end)).map_err(failed)?;
        let now = self.objects.head(&object.bucket, &object.key).map_err(failed)?;
        if now.etag != object.etag || now.size != object.size {
            return Err(Failure::new(
                "HIVE_CURSOR_ERROR",
                format!(
                    "Failed to read file at {}: the object was replaced while it was read (Service: Amazon S3; Status \
                     Code: 412; Error Code: PreconditionFailed)",
                    object.path
                ),
            ));
        }
        Ok(data)
    }
}

/// Bytes `start..end` of an object: the lines that begin in them.
#[derive(Clone, Debug)]
pub struct Piece {
    pub object: Arc<Object>,
    pub start: u64,
    pub end: u64,
}

/// How an object is compressed, by the end of its name as Hive has it.
fn compression(key: &str) -> Option<&str> {
    let ending = key.rsplit('/').next()?.rsplit_once('.')?.1;
    ["gz", "gzip", "bz2", "zst", "lz4", "snappy", "deflate", "lzo"].into_iter().find(|e| *e == ending)
}

/// An object's pieces: several only where lines can be found from the middle of it.
pub fn cut(object: Object, splits: bool, into: &mut Vec<Piece>) {
    let object = Arc::new(object);
    let splits = splits && compression(&object.key).is_none();
    let mut start = 0;
    while start < object.size {
        let rest = object.size - start;
        let end = if !splits || rest < PIECE * 2 { object.size } else { start + PIECE };
        into.push(Piece { object: object.clone(), start, end });
        start = end;
    }
}

/// The lines of a piece.
pub enum Lines {
    Plain(Plain),
    Gzip { reader: Box<BufReader<MultiGzDecoder<BufReader<Stream>>>>, line: Vec<u8> },
}

impl Lines {
    pub fn open(piece: &Piece, access: &Access) -> Result<Lines, Failure> {
        match compression(&piece.object.key) {
            None => Plain::open(piece, access).map(Lines::Plain),
            Some("gz" | "gzip") => {
                let stream = Stream {
                    metered: true,
                    chunk: CHUNK,
                    ..Stream::unmetered(piece.object.clone(), access.clone(), 0)
                };
                let decoder = MultiGzDecoder::new(BufReader::new(stream));
                Ok(Lines::Gzip {
                    reader: Box::new(BufReader::with_capacity(64 << 10, decoder)),
                    line: Vec::new(),
                })
            }
            Some(other) => Err(Failure::unsupported(format!(
                "the local cloud does not read .{other} objects ({})",
                piece.object.path
            ))),
        }
    }

    /// The next line with its end; `None` behind the last.
    pub fn next(&mut self, path: &str) -> Result<Option<&[u8]>, Failure> {
        match self {
            Lines::Plain(plain) => plain.next(),
            Lines::Gzip { reader, line } => {
                line.clear();
                let read = reader.by_ref().take(LONGEST + 1).read_until(b'\n', line);
                match read {
                    Ok(0) => Ok(None),
                    Ok(n) if n as u64 > LONGEST => Err(too_long(path)),
                    Ok(_) => Ok(Some(line)),
                    Err(error) => Err(broken(&error, path)),
                }
            }
        }
    }
}

/// Lines of an object that is not compressed, read chunk by chunk: what is read is decoded while the
/// processor still has it at hand, and little of it is held.
pub struct Plain {
    object: Arc<Object>,
    access: Access,
    /// Bytes of the object from `base` on.
    data: Bytes,
    base: u64,
    /// Where in `data` the next line begins.
    at: usize,
    /// Lines that begin here or later belong to the next piece.
    end: u64,
    /// The size of the object.
    size: u64,
    /// What is before this byte counts as scanned already.
    counted: u64,
}

impl Plain {
    fn open(piece: &Piece, access: &Access) -> Result<Plain, Failure> {
        let object = piece.object.clone();
        let (end, size) = (piece.end, object.size);
        let mut plain = Plain {
            object,
            access: access.clone(),
            data: Bytes::new(),
            base: piece.start,
            at: 0,
            end,
            size,
            counted: piece.start,
        };
        if piece.start == 0 && piece.end == size && size <= CHUNK {
            // At once and as it is now, whatever it was when it was listed.
            plain.data = access.whole(&plain.object)?;
            plain.size = plain.data.len() as u64;
            plain.end = plain.size;
            access.meter.add(plain.size)?;
        } else if piece.start > 0 {
            // One byte before the piece tells whether a line begins right at its start.
            plain.base -= 1;
            plain.next()?;
        }
        Ok(plain)
    }

    fn next(&mut self) -> Result<Option<&[u8]>, Failure> {
        loop {
            let start = self.base + self.at as u64;
            if start >= self.end {
                return Ok(None);
            }
            let rest = &self.data[self.at..];
            // Reading from memory does not fail; and it looks for the end by many bytes at once.
            let length = (&*rest).skip_until(b'\n').unwrap_or(rest.len());
            let whole = length > 0 && rest[length - 1] == b'\n';
            if whole || start + length as u64 >= self.size {
                let line = self.at..self.at + length;
                self.at = line.end;
                return Ok(Some(&self.data[line]).filter(|line| !line.is_empty()));
            }
            self.read(start, start + length as u64)?;
        }
    }

    /// Reads on, from the start of the line that is not whole yet; its bytes up to `known` were read before.
    fn read(&mut self, start: u64, known: u64) -> Result<(), Failure> {
        if known - start > LONGEST {
            return Err(too_long(&self.object.path));
        }
        // A line that is not whole yet is long: twice as much of it is read.
        let more = known - start;
        let to = if known < self.end {
            (start + CHUNK.max(more * 2)).min(self.end)
        } else {
            known + BEYOND.max(more)
        };
        let to = to.min(self.size);
        self.data = self.access.range(&self.object, start, to)?;
        (self.base, self.at) = (start, 0);
        let mine = to.min(self.end);
        self.access.meter.add(mine.saturating_sub(self.counted))?;
        self.counted = self.counted.max(mine);
        let read = start + self.data.len() as u64;
        if read < to {
            // There is no more of it.
            self.size = read;
        }
        Ok(())
    }
}

fn too_long(path: &str) -> Failure {
    Failure::new(
        "HIVE_CURSOR_ERROR",
        format!("Line too long: a line of {path} has more than {LONGEST} bytes"),
    )
}

fn broken(error: &std::io::Error, path: &str) -> Failure {
    if let Some(failure) = error.get_ref().and_then(|e| e.downcast_ref::<Failure>()) {
        return failure.clone();
    }
    let what = match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "Unexpected end of input stream".to_owned(),
        _ => format!("the object is not in gzip format ({error})"),
    };
    Failure::new("HIVE_CURSOR_ERROR", format!("Failed to read file at {path}: {what}"))
}

/// An object as a stream, read chunk by chunk.
pub struct Stream {
    object: Arc<Object>,
    access: Access,
    at: u64,
    data: Bytes,
    /// Read at once, bytes.
    chunk: u64,
    /// Whether what is read counts as scanned.
    metered: bool,
}

impl Stream {
    /// From a byte of the object on, in small chunks that nobody counts.
    pub fn unmetered(object: Arc<Object>, access: Access, at: u64) -> Stream {
        Stream { object, access, at, data: Bytes::new(), chunk: 16 << 10, metered: false }
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.data.is_empty() && self.at < self.object.size {
            let end = (self.at + self.chunk).min(self.object.size);
            let read = self.access.range(&self.object, self.at, end).and_then(|data| {
                if self.metered {
                    self.access.meter.add(data.len() as u64)?;
                }
                Ok(data)
            });
            self.data = read.map_err(std::io::Error::other)?;
            self.at = end;
        }
        let length = into.len().min(self.data.len());
        into[..length].copy_from_slice(&self.data.split_to(length));
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::athena::tests::Memory;

    async fn access(body: &str) -> (Access, Arc<Object>) {
        let objects = Arc::new(Memory::default());
        objects.write("lake", "a/x.json", Bytes::from(body.to_owned()), "").await.unwrap();
        let object = Object {
            bucket: "lake".into(),
            key: "a/x.json".into(),
            path: "s3://lake/a/x.json".into(),
            size: body.len() as u64,
            etag: String::new(),
            partition: Arc::default(),
        };
        (Access { objects, meter: Arc::default() }, Arc::new(object))
    }

    fn lines(piece: &Piece, access: &Access) -> Vec<String> {
        let mut lines = Lines::open(piece, access).unwrap();
        let mut found = Vec::new();
        while let Some(line) = lines.next("x").unwrap() {
            found.push(String::from_utf8(line.to_vec()).unwrap());
        }
        found
    }

    #[tokio::test]
    async fn a_line_is_read_once_wherever_pieces_are_cut() {
        let body = "first\n\nthird\nlast";
        let (access, object) = access(body).await;
        for at in 1..object.size {
            let piece = |start, end| Piece { object: object.clone(), start, end };
            let mut all = lines(&piece(0, at), &access);
            all.extend(lines(&piece(at, object.size), &access));
            assert_eq!(all, ["first\n", "\n", "third\n", "last"], "cut at {at}");
        }
    }

    #[tokio::test]
    async fn lines_longer_than_what_is_read_at_once_are_whole() {
        let lengths = [3, CHUNK as usize + 5, 1, 0, 2 * CHUNK as usize, CHUNK as usize - 1, 10];
        let body: String = lengths.iter().map(|n| "x".repeat(*n) + "\n").collect();
        let (access, object) = access(&body).await;
        for at in [1, 4, 5, CHUNK, CHUNK + 9, CHUNK + 10, CHUNK + 13, 3 * CHUNK, object.size - 11] {
            let before = access.meter.bytes();
            let piece = |start, end| Piece { object: object.clone(), start, end };
            let mut all = lines(&piece(0, at), &access);
            all.extend(lines(&piece(at, object.size), &access));
            let found: Vec<usize> = all.iter().map(|line| line.len() - 1).collect();
            assert_eq!(found, lengths, "cut at {at}");
            assert_eq!(access.meter.bytes() - before, object.size, "cut at {at}");
        }
    }

    #[tokio::test]
    async fn an_object_that_was_replaced_fails_the_query() {
        let (access, object) = access("0123456789").await;
        let listed = Object {
            bucket: object.bucket.clone(),
            key: object.key.clone(),
            path: object.path.clone(),
            size: object.size,
            etag: "other".into(),
            partition: Arc::default(),
        };
        let failure = access.range(&listed, 0, 5).unwrap_err();
        assert_eq!(failure.name, "HIVE_CURSOR_ERROR");
        assert!(failure.message.contains("was replaced while it was read"), "{failure}");
        access.objects.delete("lake", "a/x.json").await.unwrap();
        let gone = access.whole(&object).unwrap_err();
        assert!(
            gone.to_string().starts_with(
                "HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split s3://lake/a/x.json (offset=0, length=10): "
            ),
            "{gone}"
        );
        assert!(gone.message.ends_with("Status Code: 404; Error Code: NoSuchKey)"), "{gone}");
    }
}
