//! What was read of a bucket, kept on this machine: an object whose listing says that it has not changed is
//! not read again. A listing decides always; nothing is shown that the bucket does not list now.
//!
//! One file for each target, profile, region, bucket and prefix, so that no account's data is taken for
//! another's; credentials of the environment share one, as a bucket's name belongs to one account. It holds a
//! line of JSON (the [`Head`]) and then the bodies, one after the other. A file that is damaged, cut short or of
//! another place counts as absent, and so does one that cannot be written: the objects are read then.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use etcetera::BaseStrategy;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::object::Object;
use crate::settings::{Settings, Target};

/// The form of the file; another one is not read.
const FORM: u32 = 1;

/// The most that is kept of one place: 64 MiB. What comes after it is read each time.
pub(super) const MOST: u64 = 64 << 20;

/// Files of other places that were not written for so long are deleted: 30 days.
const FORGOTTEN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Where bodies are kept, and of which place they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    file: PathBuf,
    place: String,
}

/// The first line of the file.
#[derive(Serialize, Deserialize)]
struct Head {
    form: u32,
    place: String,
    /// CRC-32 of everything after this line.
    crc32: u32,
    /// In the order of their bodies.
    objects: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    key: String,
    /// Bytes.
    size: u64,
    etag: String,
    modified: DateTime<Utc>,
}

impl Cache {
    /// The cache of that place in the user's cache directory (`$XDG_CACHE_HOME/ward`). `None` where nothing
    /// is kept: the settings say so, or the local cloud is forgotten with its process.
    pub fn of(settings: &Settings) -> Option<Cache> {
        if !settings.cache {
            return None;
        }
        let target = match &settings.target {
            Target::Local { ephemeral: true, .. } => return None,
            // The port is another one at each start.
            Target::Local { dir: None, .. } => "local".to_owned(),
            Target::Local { dir: Some(dir), .. } => {
                format!("local {}", std::path::absolute(dir).ok()?.display())
            }
            Target::Aws { profile, region } => {
                format!("aws {} {}", said(profile.as_deref()), said(region.as_deref()))
            }
            Target::Endpoint { url, region, profile } => {
                format!("{url} {} {}", said(profile.as_deref()), said(region.as_deref()))
            }
        };
        let folder = etcetera::choose_base_strategy().ok()?.cache_dir().join("ward");
        Some(Cache::new(&folder, format!("{target} s3://{}/{}", settings.bucket, settings.prefix)))
    }

    /// The cache of a place in a folder.
    pub fn new(folder: &Path, place: String) -> Cache {
        let digest = Sha256::digest(place.as_bytes());
        let name: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        Cache { file: folder.join(format!("{name}.objects")), place }
    }

    /// What is kept.
    pub(super) async fn read(&self) -> Known {
        let cache = self.clone();
        let read =
            move || fs::read(&cache.file).ok().and_then(|bytes| known(Bytes::from(bytes), &cache.place));
        tokio::task::spawn_blocking(read).await.ok().flatten().unwrap_or_default()
    }

    /// Keeps these bodies instead of what was kept.
    pub(super) async fn write(&self, bodies: Vec<(Object, Bytes)>) {
        let cache = self.clone();
        let write = move || {
            if let Err(error) = cache.replace(bodies) {
                tracing::debug!(file = %cache.file.display(), %error, "what was read is not kept");
            }
        };
        // Nothing depends on it.
        let _ = tokio::task::spawn_blocking(write).await;
    }

    fn replace(&self, bodies: Vec<(Object, Bytes)>) -> io::Result<()> {
        let Some(folder) = self.file.parent() else { return Ok(()) };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        forget(folder, &self.file);
        let (mut objects, mut all) = (Vec::new(), Vec::new());
        for (object, body) in bodies {
            let Some(modified) = object.modified else { continue };
            objects.push(Entry { key: object.key, size: body.len() as u64, etag: object.etag, modified });
            all.extend_from_slice(&body);
        }
        let head = Head { form: FORM, place: self.place.clone(), crc32: crc32fast::hash(&all), objects };
        let mut line = serde_json::to_vec(&head)?;
        line.push(b'\n');
        // Readable by nobody else: a bucket may be, too. Renamed, so that nobody reads a half.
        let new = self.file.with_extension(format!("{}.new", std::process::id()));
        let written =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new).and_then(
                |mut file| {
                    file.write_all(&line)?;
                    file.write_all(&all)
                },
            );
        let kept = written.and_then(|()| fs::rename(&new, &self.file));
        if kept.is_err() {
            let _ = fs::remove_file(&new);
        }
        kept
    }
}

fn said(name: Option<&str>) -> &str {
    name.unwrap_or("-")
}

/// Whether a listing says enough of an object to know it again.
pub(super) fn tells(object: &Object) -> bool {
    !object.etag.is_empty() && object.modified.is_some()
}

/// Reads a file of this place.
fn known(bytes: Bytes, place: &str) -> Option<Known> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let head: Head = serde_json::from_slice(&bytes[..end]).ok()?;
    let mut rest = bytes.slice(end + 1..);
    if head.form != FORM || head.place != place || head.crc32 != crc32fast::hash(&rest) {
        return None;
    }
    let mut known = Known::default();
    for entry in head.objects {
        let size = usize::try_from(entry.size).ok().filter(|size| *size <= rest.len())?;
        let body = rest.split_to(size);
        known.bodies.insert(entry.key, (entry.etag, entry.modified, body));
    }
    Some(known)
}

/// Deletes what was kept of other places long ago.
fn forget(folder: &Path, except: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let age = entry.metadata().and_then(|data| data.modified()).ok().and_then(|at| at.elapsed().ok());
        let path = entry.path();
        let ours = path.extension().is_some_and(|end| end == "objects" || end == "new");
        if ours && path != except && age.is_some_and(|age| age > FORGOTTEN) {
            let _ = fs::remove_file(path);
        }
    }
}

/// Bodies that were read before.
#[derive(Debug, Default)]
pub(super) struct Known {
    bodies: HashMap<String, (String, DateTime<Utc>, Bytes)>,
}

impl Known {
    /// The body of a listed object, if it is still the one that was read: of that size, ETag and time.
    pub(super) fn take(&mut self, object: &Object) -> Option<Bytes> {
        let (etag, modified, body) = self.bodies.remove(&object.key)?;
        let same =
            etag == object.etag && Some(modified) == object.modified && body.len() as u64 == object.size;
        (same && tells(object)).then_some(body)
    }

    pub(super) fn len(&self) -> usize {
        self.bodies.len()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::settings::Sources;

    fn of(flags: &[(&'static str, &str)]) -> Option<Cache> {
        let flags = flags.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Cache::of(&Settings::merge(&Sources { flags, ..Sources::default() }).unwrap())
    }

    fn object(key: &str, etag: &str, size: u64) -> Object {
        let modified = "2026-01-01T12:00:00Z".parse().ok();
        Object { key: key.into(), size, etag: etag.into(), modified }
    }

    #[test]
    fn every_place_has_a_file_of_its_own() {
        let url = ("endpoint_url", "http://127.0.0.1:5000");
        let places: [&[(&'static str, &str)]; 11] = [
            &[],
            &[("local_dir", "/a")],
            &[("local_dir", "/b")],
            &[("bucket", "another-bucket")],
            &[("prefix", "old/")],
            &[("profile", "one")],
            &[("profile", "two")],
            &[("profile", "two"), ("region", "eu-west-1")],
            &[url],
            &[url, ("region", "eu-west-1")],
            &[url, ("profile", "one")],
        ];
        let files: BTreeSet<PathBuf> = places.iter().map(|flags| of(flags).unwrap().file).collect();
        assert_eq!(files.len(), places.len());
        assert_eq!(of(&[url]), of(&[url]));
    }

    #[test]
    fn nothing_is_kept_of_a_cloud_that_is_forgotten_or_where_nobody_wants_it() {
        assert_eq!(of(&[("ephemeral", "true")]), None);
        assert_eq!(of(&[("cache", "false")]), None);
    }

    #[tokio::test]
    async fn a_body_counts_while_its_object_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(&folder.path().join("new"), "here".into());
        let body = Bytes::from_static(b"{\n}\0\xff");
        let timeless = Object { modified: None, ..object("c", "3", 0) };
        cache
            .write(vec![
                (object("a", "1", 5), body.clone()),
                (object("b", "", 1), Bytes::from_static(b"x")),
                (timeless.clone(), Bytes::new()),
            ])
            .await;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&cache.file), mode(cache.file.parent().unwrap())), (0o600, 0o700));

        let later = Object { modified: "2026-01-01T12:00:01Z".parse().ok(), ..object("a", "1", 5) };
        for (changed, kept) in [
            (object("a", "1", 5), Some(body.clone())),
            (object("a", "2", 5), None),
            (object("a", "1", 6), None),
            (later, None),
            (object("z", "1", 5), None),
            // A listing without an ETag or a time says nothing.
            (object("b", "", 1), None),
            (timeless, None),
        ] {
            assert_eq!(cache.read().await.take(&changed), kept, "{changed:?}");
        }
    }

    #[tokio::test]
    async fn what_nobody_asks_for_any_more_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let cache = |place: &str| Cache::new(folder.path(), place.into());
        let (old, recent) = (cache("old"), cache("recent"));
        for cache in [&old, &recent] {
            cache.write(vec![(object("a", "1", 0), Bytes::new())]).await;
        }
        let file = fs::File::options().write(true).open(&old.file).unwrap();
        file.set_modified(std::time::SystemTime::now() - FORGOTTEN - Duration::from_secs(1)).unwrap();
        let other = folder.path().join("other");
        fs::write(&other, "").unwrap();
        cache("here").write(Vec::new()).await;
        assert!(!old.file.exists() && recent.file.exists() && other.exists());
    }
}
