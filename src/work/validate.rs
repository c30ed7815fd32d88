//! Every bad record of some files, named with its place and reason.
//!
//! Reads a file a chunk at a time; what stays in memory is the ids that were seen, to find those that
//! come again.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;

use super::source::Source;
use crate::domain::record::{self, Examined, Finding};
use crate::domain::split::{Body, Piece};
use crate::domain::text::shown;

/// One record of a file, and everything that is wrong with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The line it starts at, from 1.
    pub line: usize,
    pub examined: Examined,
    /// That its id was there before, and where.
    pub repeats: Option<Finding>,
    /// Whether it is written as it would be uploaded: canonical fields, on one line.
    pub canonical: bool,
}

impl Record {
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.examined.all().chain(&self.repeats)
    }

    pub fn is_good(&self) -> bool {
        self.findings().next().is_none()
    }

    /// The id, for messages; `None` when it could not be read.
    pub fn id(&self) -> Option<&str> {
        self.examined.facility.as_ref().ok().map(|facility| facility.facility_id.as_str())
    }
}

/// What was found in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub files: usize,
    pub records: usize,
    /// Records with something wrong.
    pub bad: usize,
    pub findings: usize,
    /// Of the bad ones, those whose id was there before.
    pub repeated: usize,
    /// Good records that are pretty-printed or spell their fields another way.
    pub not_canonical: usize,
    /// Files that could not be read, or hold nothing.
    pub unreadable: usize,
}

impl Summary {
    pub fn is_good(&self) -> bool {
        self.bad == 0 && self.unreadable == 0
    }
}

/// Where an id was seen first.
struct Seen {
    source: usize,
    line: usize,
    /// Of the canonical record, to tell a copy from a contradiction.
    hash: u64,
}

/// Goes through files; ids are unique among all of them.
#[derive(Default)]
pub struct Validator {
    seen: HashMap<String, Seen>,
    /// The shown names of the files so far.
    names: Vec<String>,
    pub summary: Summary,
}

/// What is wrong with a file as a whole.
pub type Unreadable = String;

impl Validator {
    /// Goes through one file. `each` is given every record, good or bad, in order, and may end it all
    /// with an error (which is answered); what is wrong with the whole file is in the inner result.
    pub fn file(
        &mut self,
        source: &Source,
        mut each: impl FnMut(Record) -> io::Result<()>,
    ) -> io::Result<Result<(), Unreadable>> {
        self.names.push(source.shown());
        self.summary.files += 1;
        let before = self.summary.records;
        let mut stopped = None;
        let read = source.pieces(|piece| {
            let record = self.record(piece);
            each(record).map_err(|e| {
                stopped = Some(e);
                io::Error::other("stopped")
            })
        });
        if let Some(error) = stopped {
            return Err(error);
        }
        let wrong = match read {
            Err(e) => Err(format!("cannot be read: {e}")),
            Ok(()) if self.summary.records == before => Err("is empty".to_owned()),
            Ok(()) => return Ok(Ok(())),
        };
        self.summary.unreadable += 1;
        self.summary.findings += 1;
        Ok(wrong)
    }

    fn record(&mut self, piece: Piece) -> Record {
        let (examined, canonical) = match piece.body {
            Body::Long(len) => (record::too_long(len), false),
            Body::Bytes(bytes) => {
                let examined = record::examine(&bytes, (piece.line, piece.column));
                let line = examined.facility.as_ref().ok().map(|facility| facility.to_line());
                let canonical = line.as_deref().is_some_and(|line| line.as_bytes() == bytes);
                (examined, canonical)
            }
        };
        let repeats = self.repeats(&examined, piece.line);
        let record = Record { line: piece.line, examined, repeats, canonical };
        self.summary.records += 1;
        self.summary.findings += record.findings().count();
        self.summary.repeated += usize::from(record.repeats.is_some());
        match record.is_good() {
            true => self.summary.not_canonical += usize::from(!canonical),
            false => self.summary.bad += 1,
        }
        record
    }

    fn repeats(&mut self, examined: &Examined, line: usize) -> Option<Finding> {
        let facility = examined.facility.as_ref().ok()?;
        let mut hasher = DefaultHasher::new();
        facility.to_line().hash(&mut hasher);
        let hash = hasher.finish();
        let source = self.names.len() - 1;
        let Some(seen) = self.seen.get(&facility.facility_id) else {
            self.seen.insert(facility.facility_id.clone(), Seen { source, line, hash });
            return None;
        };
        let differs = if seen.hash == hash { "the same record" } else { "another record" };
        let place = match seen.source == source {
            true => format!("on line {}", seen.line),
            false => format!("in {} line {}", self.names[seen.source], seen.line),
        };
        let reason = format!("{} is {place} already, {differs}", shown(&facility.facility_id));
        Some(Finding { path: "facility_id".into(), reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(id: &str) -> String {
        format!(
            r#"{{"facility_id":"{id}","facility_name":"N","employee_count":1,"services":[],"accreditations":[],"state":"TX"}}"#
        )
    }

    fn validated(files: &[&[u8]]) -> (Vec<String>, Summary) {
        let folder = tempfile::tempdir().unwrap();
        let (mut validator, mut lines) = (Validator::default(), Vec::new());
        for (index, bytes) in files.iter().enumerate() {
            let path = folder.path().join(format!("{index}.json"));
            std::fs::write(&path, bytes).unwrap();
            let source = Source { path, name: format!("{index}.json").into() };
            let outcome = validator.file(&source, |record| {
                lines.extend(record.findings().map(|finding| format!("{index}:{}: {finding}", record.line)));
                Ok(())
            });
            lines.extend(outcome.unwrap().err().map(|wrong| format!("{index}: {wrong}")));
        }
        let place = folder.path().display().to_string() + "/";
        (lines.into_iter().map(|line| line.replace(&place, "")).collect(), validator.summary)
    }

    #[test]
    fn every_kind_of_bad_input_is_named_with_its_place() {
        let mut bytes = Vec::new();
        bytes.extend(good("A").into_bytes());
        bytes.extend(b"\nnonsense\n");
        bytes.extend(good("B\\u001b[2J").into_bytes());
        bytes.extend(b"\n{\"facility_id\":\"\xff\"}\n{\"facility_id\":\"");
        bytes.resize(bytes.len() + (10 << 20), b'x');
        bytes.extend(b"\"}\n");
        bytes.extend(good("A").into_bytes());
        let (lines, summary) = validated(&[&bytes, b"", good("A").replace("\"N\"", "\"M\"").as_bytes()]);
        assert_eq!(
            lines,
            [
                "0:2: is not JSON: expected ident (line 2, column 2)",
                "0:3: facility_id: holds U+001B (an escape sequence)",
                "0:4: is not UTF-8: byte 17 is 0xff",
                "0:5: has 10485778 bytes; a record has at most 1048576",
                "0:6: facility_id: A is on line 1 already, the same record",
                "1: is empty",
                "2:1: facility_id: A is in 0.json line 1 already, another record",
            ]
        );
        assert_eq!((summary.files, summary.records, summary.bad, summary.repeated), (3, 7, 6, 2));
        assert!(!summary.is_good());
    }

    #[test]
    fn a_mistake_behind_a_record_is_counted_from_the_start_of_its_line() {
        let record = good("A");
        let (lines, _) = validated(&[format!("{record} trailing\n").as_bytes()]);
        // `trailing` begins with what could be `true`: its third letter is the one that is wrong.
        let column = record.len() + " tra".len();
        assert_eq!(lines, [format!("0:1: is not JSON: expected ident (line 1, column {column})")]);
    }

    #[test]
    fn another_layout_is_good_but_not_canonical() {
        let array = format!("[{},\n{}]", good("A"), good("B"));
        let pretty = "{\n\"facility_id\":\"C\",\"facility_name\":\"N\",\"employee_count\":1,\"services\":[],\"accreditations\":[],\"state\":\"TX\"}";
        let (lines, summary) = validated(&[array.as_bytes(), pretty.as_bytes()]);
        assert_eq!(lines, [""; 0]);
        assert_eq!((summary.records, summary.not_canonical), (3, 1));
    }
}
