use std::sync::{Arc, Mutex};

use serde_json::json;

use super::*;

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What an act writes: data and talk.
pub fn written(format: Format, act: impl FnOnce(&mut Output)) -> (String, String) {
    let (data, talk) = (Page::default(), Page::default());
    let mut out = Output::to(format, data.clone(), talk.clone());
    act(&mut out);
    out.finish().unwrap();
    let text = |page: Page| String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
    (text(data), text(talk))
}

fn list(out: &mut Output) {
    let columns = [Column::text("name"), Column::number("staff")];
    out.rows(&columns, &[vec![json!("東京 \u{1b}[2J"), json!(12480)], vec![Value::Null, json!(7)]]);
}

#[test]
fn one_list_in_four_forms() {
    assert_eq!(
        written(Format::Table, list).0,
        "NAME             STAFF\n東京 \\u001b[2J  12,480\n-                    7\n"
    );
    assert_eq!(
        written(Format::Ndjson, list).0,
        "{\"name\":\"東京 \\u001b[2J\",\"staff\":12480}\n{\"name\":null,\"staff\":7}\n"
    );
    assert_eq!(written(Format::Csv, list).0, "name,staff\n東京 \\u001b[2J,12480\n,7\n");
    let value: Value = serde_json::from_str(&written(Format::Json, list).0).unwrap();
    assert_eq!(value[0]["staff"], 12480);
}

#[test]
fn talk_never_reaches_stdout_and_obeys_nothing() {
    let (data, talk) = written(Format::Json, |out| {
        out.say("two \u{1b}[31mlines\nhere");
        out.problem(&Problem::new("t\u{7}").detail("a\nb").hint("do x"));
    });
    assert_eq!(data, "");
    assert_eq!(talk, "two \\u001b[31mlines\nhere\nerror: t\\u0007\n  a\n  b\n  hint: do x\n");
}

#[test]
fn a_stream_of_csv_has_one_header() {
    let (data, _) = written(Format::Csv, |out| {
        for n in [1, 2] {
            out.event(&[Column::number("n")], &[json!(n)], "text");
        }
    });
    assert_eq!(data, "n\n1\n2\n");
}

struct Gone(std::io::ErrorKind);

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_who_left_is_no_failure_and_a_full_disk_is() {
    for (kind, fine) in [(std::io::ErrorKind::BrokenPipe, true), (std::io::ErrorKind::StorageFull, false)] {
        let mut out = Output::to(Format::Table, Gone(kind), std::io::sink());
        out.text("x");
        assert!(out.closed());
        assert_eq!(out.finish().is_ok(), fine, "{kind}");
    }
}
