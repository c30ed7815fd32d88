//! Results as objects: written as Athena writes them, read back page by page.

use bytes::Bytes;
use futures::Stream;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::engine::Sink;
use super::failure::Failure;
use super::record::{Record, ResultColumn, StatementType};
use super::types::Type;
use crate::local::bus::Objects;
use crate::local::fault::Fault;

/// What is collected before it is passed on, bytes.
const PART: usize = 256 * 1024;

/// A result on its way to its object: every value quoted, NULL empty and unquoted. A header leads the
/// rows of queries.
pub struct Csv {
    bytes: Vec<u8>,
    columns: Vec<ResultColumn>,
    rows: u64,
    passed: u64,
    to: mpsc::Sender<Option<Bytes>>,
    /// Plain lines instead of CSV: utility statements.
    plain: bool,
    first: bool,
}

/// What a result is, once it is whole.
pub struct Totals {
    pub columns: Vec<ResultColumn>,
    pub rows: u64,
    pub bytes: u64,
}

/// The failure of a query whose result nobody takes any more.
const UNREAD: &str = "the result is not taken any more";

pub fn is_unread(failure: &Failure) -> bool {
    failure.message == UNREAD
}

impl Csv {
    /// The sink of a query, and its object's body: which fails unless the sink is finished.
    pub fn new(plain: bool) -> (Csv, impl Stream<Item = Result<Bytes, Fault>> + Send) {
        let (to, from) = mpsc::channel(4);
        let csv = Csv { bytes: Vec::new(), columns: Vec::new(), rows: 0, passed: 0, to, plain, first: true };
        let body = futures::stream::unfold(Some(from), |from| async move {
            let mut from: mpsc::Receiver<Option<Bytes>> = from?;
            match from.recv().await {
                Some(Some(part)) => Some((Ok(part), Some(from))),
                Some(None) => None,
                None => Some((Err(Fault::internal("the query ended before its result was whole")), None)),
            }
        });
        (csv, body)
    }

    async fn send(&mut self) -> Result<(), Failure> {
        let part = Bytes::from(std::mem::take(&mut self.bytes));
        self.passed += part.len() as u64;
        self.to.send(Some(part)).await.map_err(|_| Failure::internal(UNREAD))
    }

    /// Passes the rest on: the result is whole.
    pub async fn finish(mut self) -> Result<Totals, Failure> {
        if !self.bytes.is_empty() {
            self.send().await?;
        }
        self.to.send(None).await.map_err(|_| Failure::internal(UNREAD))?;
        Ok(Totals { columns: self.columns, rows: self.rows, bytes: self.passed })
    }
}

fn quote(value: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for part in value.split_inclusive('"') {
        out.extend_from_slice(part.as_bytes());
        if part.ends_with('"') {
            out.push(b'"');
        }
    }
    out.push(b'"');
}

pub fn columns(of: &[(String, Type)]) -> Vec<ResultColumn> {
    let column = |(name, kind): &(String, Type)| {
        let (precision, scale) = kind.precision();
        ResultColumn { name: name.clone(), kind: kind.base().to_owned(), precision, scale }
    };
    of.iter().map(column).collect()
}

impl Sink for Csv {
    fn head(&mut self, of: &[(String, Type)]) {
        self.columns = columns(of);
        if !self.plain {
            for (n, (name, _)) in of.iter().enumerate() {
                if n > 0 {
                    self.bytes.push(b',');
                }
                quote(name, &mut self.bytes);
            }
            self.bytes.push(b'\n');
        }
    }

    fn cell(&mut self, value: Option<&str>) {
        if !self.first {
            self.bytes.push(if self.plain { b'\t' } else { b',' });
        }
        self.first = false;
        match value {
            Some(value) if self.plain => self.bytes.extend_from_slice(value.as_bytes()),
            Some(value) => quote(value, &mut self.bytes),
            None => {}
        }
    }

    fn end_row(&mut self) {
        self.bytes.push(b'\n');
        self.rows += 1;
        self.first = true;
    }

    async fn pass(&mut self) -> Result<(), Failure> {
        if self.bytes.len() >= PART { self.send().await } else { Ok(()) }
    }
}

/// The rows of one page, and the byte where the next begins.
pub struct Page {
    pub rows: Vec<Vec<Option<String>>>,
    pub next: Option<u64>,
}

const CHUNK: u64 = 256 * 1024;

/// Reads up to `most` rows of a finished query's object from byte `from` on.
pub fn page(objects: &dyn Objects, record: &Record, from: u64, most: usize) -> Result<Page, Fault> {
    let Some((bucket, key)) = record.output.strip_prefix("s3://").and_then(|rest| rest.split_once('/'))
    else {
        return Err(Fault::internal(format!("{} is no location", record.output)));
    };
    let mut rows = Vec::new();
    let (mut at, mut data, mut ended) = (from, Vec::new(), false);
    // `at` is where `data` begins in the object, `used` how much of it was read as rows.
    let mut used = 0;
    while rows.len() < most {
        let parsed = if record.statement_type == StatementType::Dml {
            row(&data[used..], ended)
        } else {
            line(&data[used..], ended)
        };
        match parsed {
            Some((length, cells)) => {
                used += length;
                rows.push(cells);
            }
            None if ended => return Ok(Page { rows, next: None }),
            None => {
                at += used as u64;
                data.drain(..used);
                used = 0;
                let begin = at + data.len() as u64;
                let more = objects.read(bucket, key, Some(begin..begin + CHUNK)).map_err(|fault| {
                    Fault::client(
                        "InvalidRequestException",
                        format!("Could not read the results at {}: {}", record.output, fault.message),
                    )
                })?;
                ended = (more.len() as u64) < CHUNK;
                data.extend_from_slice(&more);
            }
        }
    }
    let next = at + used as u64;
    let more = !ended || used < data.len();
    Ok(Page { rows, next: more.then_some(next) })
}

/// The first line; `None` when it may go on.
fn line(data: &[u8], ended: bool) -> Option<(usize, Vec<Option<String>>)> {
    let text = |bytes: &[u8]| vec![Some(String::from_utf8_lossy(bytes).into_owned())];
    match data.iter().position(|b| *b == b'\n') {
        Some(n) => Some((n + 1, text(&data[..n]))),
        None if ended && !data.is_empty() => Some((data.len(), text(data))),
        None => None,
    }
}

/// The first row of CSV; `None` when it may go on.
fn row(data: &[u8], ended: bool) -> Option<(usize, Vec<Option<String>>)> {
    let mut cells = Vec::new();
    let mut at = 0;
    if data.is_empty() {
        return None;
    }
    loop {
        if data.get(at) == Some(&b'"') {
            let mut value = Vec::new();
            at += 1;
            loop {
                match (data.get(at)?, data.get(at + 1)) {
                    (b'"', Some(b'"')) => {
                        value.push(b'"');
                        at += 2;
                    }
                    (b'"', Some(_)) => break,
                    (b'"', None) if ended => break,
                    (b'"', None) => return None,
                    (byte, _) => {
                        value.push(*byte);
                        at += 1;
                    }
                }
            }
            at += 1;
            cells.push(Some(String::from_utf8_lossy(&value).into_owned()));
        } else {
            cells.push(None);
        }
        match data.get(at) {
            Some(b',') => at += 1,
            Some(_) => return Some((at + 1, cells)),
            None if ended => return Some((at, cells)),
            None => return None,
        }
    }
}

/// A page as ResultSet rows.
pub fn rows(page: &Page) -> Value {
    let cell = |value: &Option<String>| match value {
        Some(text) => json!({ "VarCharValue": text }),
        None => json!({}),
    };
    let row = |cells: &Vec<Option<String>>| json!({ "Data": cells.iter().map(cell).collect::<Vec<_>>() });
    Value::Array(page.rows.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::StreamExt;

    #[tokio::test]
    async fn a_result_that_is_not_finished_is_no_object() {
        let (csv, body) = Csv::new(false);
        drop(csv);
        assert!(Box::pin(body).next().await.unwrap().is_err());
        let (mut csv, body) = Csv::new(true);
        csv.cell(Some("x"));
        csv.end_row();
        assert_eq!(csv.finish().await.unwrap().bytes, 2);
        let parts: Vec<_> = body.collect().await;
        assert_eq!(parts, [Ok(Bytes::from_static(b"x\n"))]);
    }

    #[test]
    fn values_are_quoted_and_read_back() {
        let (mut csv, _body) = Csv::new(false);
        csv.head(&[("a".into(), Type::Varchar(None)), ("b".into(), Type::Bigint)]);
        for cells in [[Some("x \"y\",\nz"), None], [Some(""), Some("7")], [None, None]] {
            cells.into_iter().for_each(|cell| csv.cell(cell));
            csv.end_row();
        }
        let text = String::from_utf8(csv.bytes.clone()).unwrap();
        assert_eq!(text, "\"a\",\"b\"\n\"x \"\"y\"\",\nz\",\n\"\",\"7\"\n,\n");
        let (mut at, mut read) = (0, Vec::new());
        while let Some((length, cells)) = row(&csv.bytes[at..], true) {
            at += length;
            read.push(cells);
        }
        let text = |s: &str| Some(s.to_owned());
        assert_eq!(
            read,
            [
                vec![text("a"), text("b")],
                vec![text("x \"y\",\nz"), None],
                vec![text(""), text("7")],
                vec![None, None]
            ]
        );
        // A row cut short by the end of a chunk waits for the rest.
        assert!(row(b"\"a\",\"b", false).is_none() && row(b"\"a\"", false).is_none());
    }
}
