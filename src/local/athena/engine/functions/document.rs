//! A JSON document whose numbers are as they were written: what Trino's JSON functions walk through.

use std::fmt::Write;

use serde::de::IgnoredAny;

use crate::local::athena::engine::json::{self, Cursor, Index};
use crate::local::athena::engine::print;

#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    Null,
    Bool(bool),
    /// The number's own text.
    Number(String),
    Text(String),
    Array(Vec<Document>),
    /// In the order of the text; of a key that comes twice, the last value.
    Object(Vec<(String, Document)>),
}

impl Document {
    /// `None` when the text is no JSON.
    pub fn read(text: &str) -> Option<Document> {
        serde_json::from_str::<IgnoredAny>(text).ok()?;
        let mut cursor = Cursor::new(text.as_bytes());
        let span = cursor.skip(0).ok()?;
        Some(value(text.as_bytes(), span))
    }

    /// As Trino keeps it: members in the order of their keys, fractions as Java prints doubles.
    pub fn canonical(self) -> Document {
        match self {
            Document::Number(digits) => Document::Number(number(digits)),
            Document::Array(items) => Document::Array(items.into_iter().map(Document::canonical).collect()),
            Document::Object(members) => {
                let mut members: Vec<_> = members.into_iter().map(|(k, v)| (k, v.canonical())).collect();
                members.sort_by(|a, b| a.0.cmp(&b.0));
                Document::Object(members)
            }
            other => other,
        }
    }

    /// Appends the document, without spaces.
    pub fn write(&self, out: &mut String) {
        match self {
            Document::Null => out.push_str("null"),
            Document::Bool(value) => {
                // Writing to a text does not fail.
                let _ = write!(out, "{value}");
            }
            Document::Number(digits) => out.push_str(digits),
            Document::Text(text) => quoted(text, out),
            Document::Array(items) => {
                out.push('[');
                for (n, item) in items.iter().enumerate() {
                    if n > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Document::Object(members) => {
                out.push('{');
                for (n, (key, value)) in members.iter().enumerate() {
                    if n > 0 {
                        out.push(',');
                    }
                    quoted(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    pub fn text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }
}

/// Appends a text as JSON.
pub fn quoted(text: &str, out: &mut String) {
    let _ = write!(out, "{}", serde_json::Value::from(text));
}

/// Whether a number has a point or an exponent.
pub fn is_float(digits: &str) -> bool {
    digits.contains(['.', 'e', 'E'])
}

fn number(digits: String) -> String {
    if digits == "-0" {
        return "0".to_owned();
    }
    match digits.parse::<f64>() {
        Ok(float) if is_float(&digits) && float.is_finite() => print::number(float),
        _ => digits,
    }
}

/// The value of a span that was proven to be JSON.
fn value(line: &[u8], span: std::ops::Range<usize>) -> Document {
    let raw = &line[span.clone()];
    match raw.first() {
        Some(b'{') => {
            let mut index = Index::default();
            json::members(line, span, &mut index);
            let mut members: Vec<(String, Document)> = Vec::with_capacity(index.members.len());
            let mut places = std::collections::HashMap::new();
            for (key, of) in index.members {
                let key = json::unescape(&line[key]).into_owned();
                let of = value(line, of);
                match places.get(&key) {
                    Some(place) => members[*place] = (key, of),
                    None => {
                        places.insert(key.clone(), members.len());
                        members.push((key, of));
                    }
                }
            }
            Document::Object(members)
        }
        Some(b'[') => {
            let mut items = Vec::new();
            json::elements(line, span, |item| items.push(value(line, item)));
            Document::Array(items)
        }
        Some(b'"') => Document::Text(json::unescape(&raw[1..raw.len() - 1]).into_owned()),
        Some(b't') => Document::Bool(true),
        Some(b'f') => Document::Bool(false),
        Some(b'n') | None => Document::Null,
        Some(_) => Document::Number(String::from_utf8_lossy(raw).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_as_they_were_written() {
        let text = r#"{"b":[1.50,-0,100000000000000000000,1e20],"a":"x\n\u00e9"}"#;
        let read = Document::read(text).unwrap();
        assert_eq!(read.text(), r#"{"b":[1.50,-0,100000000000000000000,1e20],"a":"x\né"}"#);
        assert_eq!(read.canonical().text(), r#"{"a":"x\né","b":[1.5,0,100000000000000000000,1.0E20]}"#);
    }

    #[test]
    fn what_is_no_json_is_refused_and_the_last_of_equal_keys_counts() {
        for text in ["", "{", "[1,]", "01", "'a'", "\"a\nb\"", "1 2"] {
            assert_eq!(Document::read(text), None, "{text}");
        }
        assert_eq!(Document::read(&"[".repeat(100_000)), None);
        assert_eq!(Document::read(r#"{"a":1,"b":2,"a":3}"#).unwrap().text(), r#"{"a":3,"b":2}"#);
    }
}
