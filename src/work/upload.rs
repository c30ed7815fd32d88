//! Records into the bucket: canonical, one object each, unchanged ones skipped.

use std::collections::{HashMap, HashSet};
use std::io;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use md5::{Digest, Md5};
use tokio::sync::mpsc;

use super::import;
use super::source::Source;
use super::validate::{Summary, Validator};
use crate::aws::{self, Aws};
use crate::domain::object::Object;
use crate::domain::problem::Problem;
use crate::domain::record::Finding;
use crate::domain::text::shown;

/// Objects written at the same time.
const AT_ONCE: usize = 16;

/// The content type of every record.
const CONTENT_TYPE: &str = "application/json";

/// An object to be: what it is called and holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub key: String,
    pub body: Bytes,
}

/// What was, or with `dry_run` would be, done with a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    pub key: String,
    /// Bytes.
    pub size: usize,
    /// The object is there with these very bytes, so nothing was sent.
    pub unchanged: bool,
}

/// The objects that are there, by key.
pub type Present = HashMap<String, Object>;

/// Lists what is under a prefix, to skip what would not change.
pub async fn present(aws: &Aws, bucket: &str, prefix: &str) -> Result<Present, aws::Error> {
    let objects = aws.s3.list_objects_v2(bucket, prefix).await?;
    Ok(objects.into_iter().map(|object| (object.key.clone(), object)).collect())
}

/// Writes one draft, unless the object is there already with the same size and MD5.
async fn put(
    aws: &Aws,
    bucket: &str,
    present: &Present,
    draft: Draft,
    dry_run: bool,
) -> Result<Done, aws::Error> {
    let size = draft.body.len();
    let unchanged =
        present.get(&draft.key).is_some_and(|o| o.size == size as u64 && o.etag == md5(&draft.body));
    if !unchanged && !dry_run {
        aws.s3.put_object(bucket, &draft.key, draft.body, CONTENT_TYPE).await?;
    }
    Ok(Done { key: draft.key, size, unchanged })
}

/// Writes drafts as they come, several at a time; `each` hears of every one. The first failure ends it:
/// what was written stays, and the next attempt skips it.
pub async fn write(
    aws: &Aws,
    bucket: &str,
    present: &Present,
    drafts: impl futures::Stream<Item = Draft>,
    dry_run: bool,
    mut each: impl FnMut(Done),
) -> Result<(), aws::Error> {
    let puts = drafts.map(|draft| put(aws, bucket, present, draft, dry_run)).buffer_unordered(AT_ONCE);
    let mut puts = std::pin::pin!(puts);
    while let Some(done) = puts.try_next().await? {
        each(done);
    }
    Ok(())
}

/// What a first pass over the files found: enough to name every object.
#[derive(Debug)]
pub struct Plan {
    sources: Vec<Source>,
    /// Whether the file of that index holds one record and so names the object.
    named_by_file: Vec<bool>,
    /// Records that will be uploaded.
    pub drafts: usize,
}

impl Plan {
    /// Goes through the files once. `each` hears of everything that is wrong: the file, the line
    /// (`None` for the file as a whole) and what.
    pub fn new(
        sources: Vec<Source>,
        mut each: impl FnMut(&Source, Option<usize>, &Finding),
    ) -> io::Result<(Plan, Summary)> {
        let mut validator = Validator::default();
        let (mut kept, mut named_by_file, mut drafts) = (Vec::new(), Vec::new(), 0);
        for source in sources {
            let mut records = 0;
            let read = validator.file(&source, |record| {
                records += 1;
                drafts += usize::from(record.is_good());
                record.findings().for_each(|finding| each(&source, Some(record.line), finding));
                Ok(())
            })?;
            if let Err(reason) = read {
                each(&source, None, &Finding { path: String::new(), reason });
                // It is told already: whoever leaves out what is bad leaves it out whole.
                if records == 0 {
                    continue;
                }
            }
            let json = source.name.extension().is_some_and(|end| end == "json");
            named_by_file.push(records == 1 && json && !source.is_stdin());
            kept.push(source);
        }
        Ok((Plan { sources: kept, named_by_file, drafts }, validator.summary))
    }

    /// The good records of the files as drafts, read a second time while they are written, so that
    /// memory holds a few of them only. A key that would be written twice ends it with a problem.
    pub fn drafts(
        self,
        prefix: String,
    ) -> (mpsc::Receiver<Draft>, tokio::task::JoinHandle<Result<(), Problem>>) {
        let (sender, receiver) = mpsc::channel(4 * AT_ONCE);
        let reader = tokio::task::spawn_blocking(move || self.read(&prefix, &sender));
        (receiver, reader)
    }

    fn read(self, prefix: &str, sender: &mpsc::Sender<Draft>) -> Result<(), Problem> {
        let mut validator = Validator::default();
        let mut keys = HashSet::new();
        for (source, named_by_file) in self.sources.iter().zip(self.named_by_file) {
            let mut clash = None;
            let read = validator.file(source, |record| {
                let Ok(facility) = &record.examined.facility else { return Ok(()) };
                if !record.is_good() {
                    return Ok(());
                }
                let name = match named_by_file {
                    true => source.name.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                    false => object_name(&facility.facility_id),
                };
                let key = format!("{prefix}{name}");
                if !keys.insert(key.clone()) {
                    clash = Some(key);
                    return Err(io::Error::other("two records, one key"));
                }
                // The receiver is gone when a write failed; that failure is the one to tell.
                sender
                    .blocking_send(Draft { key, body: facility.to_line().into() })
                    .map_err(|_| io::Error::other("stopped"))
            });
            if let Some(key) = clash {
                return Err(Problem::new(format!("Two records would be the object {}", shown(&key)))
                    .detail(format!("the second is in {}", source.shown()))
                    .hint("Rename one of the files"));
            }
            match read {
                Err(_) => return Ok(()),
                Ok(Err(why)) if why.starts_with("cannot be read") => {
                    return Err(Problem::new(format!("{} {why}", source.shown())));
                }
                Ok(_) => {}
            }
        }
        Ok(())
    }
}

/// The name of a facility's object: `facility-data-7.json` for FAC007, else `<facility_id>.json`, with
/// what does not belong into a key percent-encoded.
pub fn object_name(id: &str) -> String {
    let row = id.strip_prefix("FAC").and_then(|digits| digits.parse().ok());
    match row.filter(|row| import::id(*row) == id) {
        Some(row) => import::file_name(row),
        None => format!("{}.json", key_part(id)),
    }
}

/// An id as part of a key: letters, digits, `-`, `_` and `.` stay, all else is percent-encoded.
pub fn key_part(id: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');
    percent_encoding::utf8_percent_encode(id, KEPT).to_string()
}

/// The MD5 of a body in hex: S3's ETag of an object that was put in one part.
pub fn md5(body: &[u8]) -> String {
    Md5::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_named_after_their_facility() {
        for (id, name) in [
            ("FAC001", "facility-data-1.json"),
            ("FAC1234", "facility-data-1234.json"),
            ("FAC7", "FAC7.json"),
            ("FAC", "FAC.json"),
            ("../a b", "..%2Fa%20b.json"),
        ] {
            assert_eq!(object_name(id), name);
        }
    }

    /// `printf abc | md5sum`
    #[test]
    fn an_etag_is_the_md5_in_hex() {
        assert_eq!(md5(b"abc"), "900150983cd24fb0d6963f7d28e17f72");
    }

    #[tokio::test]
    async fn a_file_of_one_record_names_its_object_and_a_file_of_many_does_not() {
        let good = |id: &str| {
            format!(
                r#"{{"facility_id":"{id}","facility_name":"N","employee_count":1,"services":[],"accreditations":[],"state":"TX"}}"#
            )
        };
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("b.json"), good("B")).unwrap();
        let many = format!("{}\nbad\n{}\n", good("FAC002"), good("Z"));
        std::fs::write(folder.path().join("many.ndjson"), many).unwrap();
        // A file that cannot be read is told once, and does not hold up the others.
        std::os::unix::fs::symlink("nowhere", folder.path().join("a.json")).unwrap();
        let sources = crate::work::source::sources(&[folder.path().to_owned()]).unwrap();
        let (plan, summary) = Plan::new(sources, |_, _, _| {}).unwrap();
        assert_eq!((plan.drafts, summary.bad, summary.unreadable), (3, 1, 1));
        let (mut receiver, reader) = plan.drafts("raw/".into());
        let mut keys = Vec::new();
        while let Some(draft) = receiver.recv().await {
            keys.push(draft.key);
        }
        reader.await.unwrap().unwrap();
        assert_eq!(keys, ["raw/b.json", "raw/facility-data-2.json", "raw/Z.json"]);
    }
}
