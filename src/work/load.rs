//! From the bucket to facilities: every object under a prefix listed, read and parsed.

use std::collections::HashMap;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{FutureExt, StreamExt};
use tokio_util::task::AbortOnDropHandle;

use crate::aws::s3::Got;
use crate::aws::{self, Aws, Kind};
use crate::domain::facility::Facility;
use crate::domain::object::Object;
use crate::domain::problem::Problem;
use crate::domain::record::{self, Finding};
use crate::domain::split::{self, Body};
use crate::domain::text::shown;
use crate::work::cache::{self, Cache, Known};

/// Objects read at the same time.
const AT_ONCE: usize = 32;

/// The largest object that is read: 64 MiB.
const LARGEST: u64 = 64 << 20;

/// What the bucket holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// By facility id, each with the object it came from. No id occurs twice.
    pub facilities: Vec<(Object, Facility)>,
    /// What is wrong with the data, in key order: the facilities above are all the same there.
    pub problems: Vec<Problem>,
}

/// How far a load is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Objects read.
    pub done: usize,
    /// Objects listed.
    pub of: usize,
}

/// Loads every facility under the prefix. An object holds one record, pretty or compact, or one a line.
/// A bad object or record becomes a problem and the rest is loaded; of an id that occurs twice the newest
/// object counts. What the cache holds of an object that has not changed is not read again. An error only
/// when nothing could be listed, or nothing of what was listed be read.
pub async fn facilities(
    aws: &Aws,
    bucket: &str,
    prefix: &str,
    cache: Option<&Cache>,
    mut progress: impl FnMut(Progress),
) -> Result<Loaded, aws::Error> {
    let kept = async {
        match cache {
            Some(cache) => cache.read().await,
            None => Known::default(),
        }
    };
    let (objects, mut known) = futures::join!(aws.s3.list_objects_v2(bucket, prefix), kept);
    let mut objects = objects?;
    objects.retain(|object| !object.key.ends_with('/'));
    let of = objects.len();
    progress(Progress { done: 0, of });
    let had = known.len();
    let keep = cache.is_some();
    let reads: Vec<_> = objects.into_iter().map(|object| (known.take(&object), object)).collect();
    let reads = reads.into_iter().enumerate().map(|(index, (body, object))| {
        let (s3, bucket) = (aws.s3.clone(), bucket.to_owned());
        let read = async move {
            if let Some(problem) = unfit(&object) {
                return Read { index, object, parsed: Err(Failure::Unfit(problem)), kept: None, new: false };
            }
            if let Some(body) = body {
                return Read { index, object, parsed: Ok(parse(&body)), kept: Some(body), new: false };
            }
            match s3.get_object(&bucket, &object.key).await {
                Ok(got) => {
                    let parsed = Ok(parse(&got.body));
                    // Copied: what arrived lies in a buffer of more.
                    let keep = keep && is_kept(&object, &got);
                    let kept = keep.then(|| Bytes::copy_from_slice(&got.body));
                    Read { index, object, parsed, new: kept.is_some(), kept }
                }
                Err(error) => {
                    Read { index, object, parsed: Err(Failure::Unread(error)), kept: None, new: false }
                }
            }
        };
        // Each is a task of its own: signing and parsing take longer than a near bucket's answers.
        async { AbortOnDropHandle::new(tokio::spawn(read.boxed())).await }
    });
    let mut reads = futures::stream::iter(reads).buffer_unordered(AT_ONCE);
    let mut all = Vec::with_capacity(of);
    while let Some(read) = reads.next().await {
        match read {
            Ok(read) => all.push(read),
            Err(stopped) => match stopped.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Only a runtime that ends stops them.
                Err(_) => continue,
            },
        }
        progress(Progress { done: all.len(), of });
    }
    all.sort_by_key(|read| read.index);
    if let (Some(cache), Some(bodies)) = (cache, to_keep(&mut all, had, cache::MOST)) {
        cache.write(bodies).await;
    }
    gather(all.into_iter().map(|read| (read.object, read.parsed)))
}

/// What came of a listed object.
struct Read {
    /// Its place in the listing.
    index: usize,
    object: Object,
    parsed: Result<Vec<Parsed>, Failure>,
    /// Its body, to be kept.
    kept: Option<Bytes>,
    /// Whether the body was not kept before.
    new: bool,
}

/// Whether a body is one to know again: of the listed object, which may have been replaced meanwhile, and of
/// the size that records have.
fn is_kept(listed: &Object, got: &Got) -> bool {
    cache::tells(listed) && got.etag == listed.etag && got.body.len() <= record::LIMIT
}

/// The bodies to keep from now on, of so many bytes at most, the first objects first; `None` when they are
/// the ones that are kept already.
fn to_keep(all: &mut [Read], had: usize, mut room: u64) -> Option<Vec<(Object, Bytes)>> {
    let (mut bodies, mut news) = (Vec::new(), false);
    for read in all {
        let Some(body) = read.kept.take() else { continue };
        let Some(left) = room.checked_sub(body.len() as u64) else { continue };
        room = left;
        news |= read.new;
        bodies.push((read.object.clone(), body));
    }
    (news || bodies.len() != had).then_some(bodies)
}

/// Why an object gave no records.
#[derive(Debug)]
enum Failure {
    Unfit(Problem),
    Unread(aws::Error),
}

/// A record of an object: its line, and what came of it.
type Parsed = (usize, record::Examined);

/// The records of a body.
fn parse(body: &[u8]) -> Vec<Parsed> {
    // Nearly every object is one record: spare it the cutting.
    if body.len() <= record::LIMIT {
        let examined = record::examine(body, (1, 1));
        if examined.facility.is_ok() {
            return vec![(1, examined)];
        }
    }
    let pieces = split::split(body);
    if pieces.is_empty() {
        let nothing = Finding { path: String::new(), reason: "is empty".into() };
        return vec![(1, record::Examined { facility: Err(nothing), findings: Vec::new() })];
    }
    pieces
        .into_iter()
        .map(|piece| {
            let examined = match piece.body {
                Body::Bytes(bytes) => record::examine(&bytes, (piece.line, piece.column)),
                Body::Long(len) => record::too_long(len),
            };
            (piece.line, examined)
        })
        .collect()
}

/// Why an object is not read at all.
fn unfit(object: &Object) -> Option<Problem> {
    let key = shown(&object.key);
    let known = [".json", ".ndjson", ".jsonl"].iter().any(|end| object.key.ends_with(end));
    if !known {
        let problem = Problem::new(format!("{key} is not read: it is not named as JSON"));
        return Some(problem.hint("Records are read from objects that end in .json, .ndjson or .jsonl"));
    }
    (object.size > LARGEST).then(|| {
        Problem::new(format!("{key} is not read: it has {} MiB", object.size >> 20))
            .hint(format!("Split it: at most {} MiB are read from one object", LARGEST >> 20))
    })
}

fn gather(
    objects: impl Iterator<Item = (Object, Result<Vec<Parsed>, Failure>)>,
) -> Result<Loaded, aws::Error> {
    let mut loaded = Loaded::default();
    let mut by_id: HashMap<String, usize> = HashMap::new();
    let (mut read, mut unread) = (0, None);
    for (object, parsed) in objects {
        let parsed = match parsed {
            Ok(parsed) => parsed,
            Err(Failure::Unfit(problem)) => {
                loaded.problems.push(problem);
                continue;
            }
            Err(Failure::Unread(error)) => {
                let mut problem = error.problem();
                problem.title = format!("{} was not read", shown(&object.key));
                problem.detail = error.message.clone();
                loaded.problems.push(problem);
                // An object that went away meanwhile says nothing about the others.
                unread = unread.or((error.kind != Kind::NotFound).then_some(error));
                continue;
            }
        };
        read += 1;
        let several = parsed.len() > 1;
        for (line, examined) in parsed {
            if let Some(problem) = problem(&object, several.then_some(line), &examined) {
                loaded.problems.push(problem);
            }
            let Ok(facility) = examined.facility else { continue };
            match by_id.get(&facility.facility_id) {
                None => {
                    by_id.insert(facility.facility_id.clone(), loaded.facilities.len());
                    loaded.facilities.push((object.clone(), facility));
                }
                Some(&at) => {
                    let other = &mut loaded.facilities[at];
                    let newer = age(&object) >= age(&other.0);
                    loaded.problems.push(twice(&facility.facility_id, &other.0, &object, newer));
                    if newer {
                        *other = (object.clone(), facility);
                    }
                }
            }
        }
    }
    if let (0, Some(error)) = (read, unread) {
        return Err(error);
    }
    loaded.facilities.sort_by(|a, b| a.1.facility_id.cmp(&b.1.facility_id));
    Ok(loaded)
}

fn age(object: &Object) -> DateTime<Utc> {
    object.modified.unwrap_or(DateTime::<Utc>::MIN_UTC)
}

/// The problem of a record with findings: the first in the title, the others beneath.
fn problem(object: &Object, line: Option<usize>, examined: &record::Examined) -> Option<Problem> {
    let mut findings = examined.all();
    let first = findings.next()?;
    let key = shown(&object.key);
    let place = line.map_or(format!("{key}: "), |line| format!("{key}, line {line}: "));
    let more: Vec<String> = findings.map(Finding::to_string).collect();
    let left_out = examined.facility.is_err();
    let hint = match left_out {
        true => "The record is left out; correct the object and upload it again",
        false => "The facility is shown with what could be read; correct the object and upload it again",
    };
    Some(Problem::new(format!("{place}{first}")).detail(more.join("\n")).hint(hint))
}

fn twice(id: &str, had: &Object, found: &Object, newer: bool) -> Problem {
    let (counts, other) = if newer { (found, had) } else { (had, found) };
    let title = match had.key == found.key {
        true => format!("{} is twice in {}", shown(id), shown(&had.key)),
        false => format!("{} is in {} and in {}", shown(id), shown(&had.key), shown(&found.key)),
    };
    let detail = match had.key == found.key {
        true => "The later record counts".to_owned(),
        false => format!("The newest counts: {}", shown(&counts.key)),
    };
    Problem::new(title).detail(detail).hint(format!("Delete what is not wanted of {}", shown(&other.key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(key: &str, hour: u32) -> Object {
        let modified = format!("2026-01-01T{hour:02}:00:00Z").parse().ok();
        Object { key: key.into(), size: 1, etag: String::new(), modified }
    }

    fn record(id: &str, name: &str) -> String {
        format!(
            r#"{{"facility_id":"{id}","facility_name":"{name}","employee_count":1,"services":[],"accreditations":[],"state":"TX"}}"#
        )
    }

    fn loaded(objects: &[(&str, u32, &str)]) -> Loaded {
        let read = objects.iter().map(|(key, hour, body)| (object(key, *hour), Ok(parse(body.as_bytes()))));
        gather(read).unwrap()
    }

    fn titles(loaded: &Loaded) -> Vec<&str> {
        loaded.problems.iter().map(|problem| problem.title.as_str()).collect()
    }

    #[test]
    fn an_object_holds_one_record_or_one_a_line() {
        let (a, b) = (record("A", "a"), record("B", "b"));
        let pretty = serde_json::from_str::<serde_json::Value>(&record("C", "c")).unwrap();
        let all = loaded(&[
            ("raw/1.json", 1, &format!("{b}\n{a}\n")),
            ("raw/2.json", 1, &serde_json::to_string_pretty(&pretty).unwrap()),
        ]);
        let ids: Vec<&str> = all.facilities.iter().map(|(_, f)| f.facility_id.as_str()).collect();
        assert_eq!((ids, all.problems), (vec!["A", "B", "C"], vec![]));
    }

    #[test]
    fn bad_records_are_named_and_the_rest_is_loaded() {
        let good = record("A", "a");
        let all = loaded(&[
            ("raw/1.json", 1, "{\"facility_id\":"),
            ("raw/2.json", 1, &format!("{good}\n[1]\n")),
            ("raw/3.json", 1, ""),
            ("raw/\u{1b}4.json", 1, &record("D", "x\\u001b[2J")),
        ]);
        assert_eq!(
            titles(&all),
            [
                "raw/1.json: is not JSON: EOF while parsing a value (line 1, column 15)",
                "raw/2.json, line 2: is a number; a record is an object",
                "raw/3.json: is empty",
                "raw/\\u001b4.json: facility_name: holds U+001B (an escape sequence)",
            ]
        );
        assert_eq!(all.facilities.len(), 2);
    }

    #[test]
    fn of_two_with_one_id_the_newest_object_counts() {
        let (old, new) = (record("A", "old"), record("A", "new"));
        for order in [
            [("raw/1.json", 1, &*old), ("raw/2.json", 2, &new)],
            [("raw/1.json", 2, &new), ("raw/2.json", 1, &old)],
        ] {
            let all = loaded(&order);
            assert_eq!(all.facilities[0].1.facility_name, "new");
            assert_eq!(titles(&all), ["A is in raw/1.json and in raw/2.json"]);
        }
    }

    #[test]
    fn a_body_is_kept_if_it_is_the_listed_one() {
        let listed = Object { etag: "a".into(), ..object("raw/1.json", 1) };
        let got = |etag: &str, size: usize| Got { body: vec![b'x'; size].into(), etag: etag.into() };
        assert!(is_kept(&listed, &got("a", record::LIMIT)));
        assert!(!is_kept(&listed, &got("a", record::LIMIT + 1)));
        assert!(!is_kept(&listed, &got("b", 1)), "replaced after it was listed");
        assert!(!is_kept(&object("raw/1.json", 1), &got("", 1)));
        assert!(!is_kept(&Object { modified: None, ..listed }, &got("a", 1)));
    }

    #[test]
    fn only_what_is_new_is_worth_writing() {
        let read = |index: usize, new: bool| Read {
            index,
            object: object(&format!("raw/{index}.json"), 1),
            parsed: Ok(Vec::new()),
            kept: Some(Bytes::from_static(b"12345")),
            new,
        };
        let kept = |all: &[bool], had, room| {
            let mut all: Vec<Read> = all.iter().enumerate().map(|(index, new)| read(index, *new)).collect();
            to_keep(&mut all, had, room).map(|bodies| bodies.len())
        };
        assert_eq!(kept(&[true, true], 0, 100), Some(2));
        assert_eq!(kept(&[false, false], 2, 100), None);
        assert_eq!(kept(&[false, true], 1, 100), Some(2));
        assert_eq!(kept(&[false], 2, 100), Some(1), "one is gone");
        // What there is no room for is read each time, and nothing is written for it.
        assert_eq!(kept(&[true, true, true], 0, 14), Some(2));
        assert_eq!(kept(&[false, false, true], 2, 14), None);
    }

    #[test]
    fn an_error_only_when_nothing_could_be_read() {
        let gone = |kind| aws::Error {
            kind,
            operation: "GetObject",
            code: "X".into(),
            message: "gone".into(),
            hint: None,
        };
        let unread = |kind| (object("raw/1.json", 1), Err(Failure::Unread(gone(kind))));
        let good = (object("raw/2.json", 1), Ok(parse(record("A", "a").as_bytes())));
        assert!(gather([unread(Kind::Unreachable)].into_iter()).is_err());
        assert!(gather([unread(Kind::NotFound)].into_iter()).is_ok());
        let some = gather([unread(Kind::Unreachable), good].into_iter()).unwrap();
        assert_eq!((some.facilities.len(), titles(&some)), (1, vec!["raw/1.json was not read"]));
    }
}
