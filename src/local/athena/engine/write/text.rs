//! Rows into lines: JSON, separated text, CSV.

use std::io::Write as _;

use base64::Engine as _;
use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::{Array, ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use flate2::write::GzEncoder;

use super::Compression;
use crate::local::athena::engine::delimited::{Csv, Lazy};
use crate::local::athena::engine::format::Format;
use crate::local::athena::engine::functions::write_json;
use crate::local::athena::engine::print;
use crate::local::athena::failure::Failure;

enum Lines {
    /// The keys of a record, as JSON, each with the comma or brace before it.
    Json(Vec<String>),
    Lazy(Lazy),
    Csv(Csv),
}

enum Out {
    Plain(Vec<u8>),
    Gzip(Box<GzEncoder<Vec<u8>>>),
}

pub struct TextFile {
    lines: Lines,
    out: Out,
    /// One batch of lines.
    buffer: Vec<u8>,
}

impl TextFile {
    pub fn new(format: &Format, schema: &SchemaRef, compression: Compression) -> Result<TextFile, Failure> {
        let lines = match format {
            Format::Json(_) => {
                let key = |(n, name): (usize, &String)| {
                    let before = if n == 0 { "{" } else { "," };
                    format!("{before}{}:", serde_json::Value::from(name.as_str()))
                };
                Lines::Json(schema.fields().iter().map(|f| f.name()).enumerate().map(key).collect())
            }
            Format::Lazy(lazy) => Lines::Lazy(lazy.clone()),
            Format::Csv(csv) => Lines::Csv(csv.clone()),
            Format::Parquet { .. } => return Err(Failure::internal("Parquet has no lines")),
        };
        let out = match compression {
            Compression::None => Out::Plain(Vec::new()),
            Compression::Gzip => {
                Out::Gzip(Box::new(GzEncoder::new(Vec::new(), flate2::Compression::default())))
            }
            other => {
                let name = format!("{other:?}").to_uppercase();
                return Err(Failure::unsupported(format!(
                    "the local cloud does not write {name}-compressed text"
                )));
            }
        };
        Ok(TextFile { lines, out, buffer: Vec::new() })
    }

    pub fn rows(&mut self, rows: &RecordBatch) -> Result<(), Failure> {
        let out = &mut self.buffer;
        out.clear();
        let mut json = String::new();
        for row in 0..rows.num_rows() {
            match &self.lines {
                Lines::Json(keys) => {
                    for (key, array) in keys.iter().zip(rows.columns()) {
                        out.extend_from_slice(key.as_bytes());
                        json.clear();
                        write_json(array, row, &mut json);
                        out.extend_from_slice(json.as_bytes());
                    }
                    out.extend_from_slice(if keys.is_empty() { b"{}" } else { b"}" });
                }
                Lines::Lazy(lazy) => {
                    for (n, array) in rows.columns().iter().enumerate() {
                        if n > 0 {
                            push(lazy.separator(0), out);
                        }
                        separated(lazy, array, row, 1, out);
                    }
                }
                Lines::Csv(csv) => {
                    for (n, array) in rows.columns().iter().enumerate() {
                        if n > 0 {
                            push(csv.separator, out);
                        }
                        quoted(csv, array, row, out);
                    }
                }
            }
            out.push(b'\n');
        }
        let written = match &mut self.out {
            Out::Plain(all) => {
                all.extend_from_slice(out);
                Ok(())
            }
            Out::Gzip(encoder) => encoder.write_all(out),
        };
        written.map_err(|e| Failure::internal(e.to_string()))
    }

    pub fn size(&self) -> usize {
        match &self.out {
            Out::Plain(all) => all.len(),
            Out::Gzip(encoder) => encoder.get_ref().len(),
        }
    }

    pub fn bytes(self) -> Result<Vec<u8>, Failure> {
        match self.out {
            Out::Plain(all) => Ok(all),
            Out::Gzip(encoder) => encoder.finish().map_err(|e| Failure::internal(e.to_string())),
        }
    }
}

fn push(c: char, out: &mut Vec<u8>) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// A plain value as text; binary in base 64.
fn text(array: &ArrayRef, row: usize) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    if let Some(binary) = array.as_binary_opt::<i32>() {
        return Some(base64::engine::general_purpose::STANDARD.encode(binary.value(row)));
    }
    let mut out = String::new();
    print::cell(array, row, &mut out).then_some(out)
}

fn separated(lazy: &Lazy, array: &ArrayRef, row: usize, level: usize, out: &mut Vec<u8>) {
    if array.is_null(row) {
        out.extend_from_slice(lazy.null.as_bytes());
        return;
    }
    match array.data_type() {
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            for item in 0..items.len() {
                if item > 0 {
                    push(lazy.separator(level), out);
                }
                separated(lazy, &items, item, level + 1, out);
            }
        }
        DataType::Struct(_) => {
            for (n, child) in array.as_struct().columns().iter().enumerate() {
                if n > 0 {
                    push(lazy.separator(level), out);
                }
                separated(lazy, child, row, level + 1, out);
            }
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            for entry in 0..entries.len() {
                if entry > 0 {
                    push(lazy.separator(level), out);
                }
                separated(lazy, entries.column(0), entry, level + 2, out);
                push(lazy.separator(level + 1), out);
                separated(lazy, entries.column(1), entry, level + 2, out);
            }
        }
        _ => {
            let value = text(array, row).unwrap_or_default();
            let Some(escape) = lazy.escape else {
                out.extend_from_slice(value.as_bytes());
                return;
            };
            for c in value.chars() {
                if c == escape || lazy.separators.contains(&c) {
                    push(escape, out);
                }
                push(c, out);
            }
        }
    }
}

fn quoted(csv: &Csv, array: &ArrayRef, row: usize, out: &mut Vec<u8>) {
    // Numbers of days and milliseconds, as OpenCSVSerde reads them.
    let value = match array.data_type() {
        _ if array.is_null(row) => return,
        DataType::Date32 => {
            array.as_primitive::<datafusion::arrow::array::types::Date32Type>().value(row).to_string()
        }
        DataType::Timestamp(datafusion::arrow::datatypes::TimeUnit::Millisecond, None) => array
            .as_primitive::<datafusion::arrow::array::types::TimestampMillisecondType>()
            .value(row)
            .to_string(),
        _ => text(array, row).unwrap_or_default(),
    };
    push(csv.quote, out);
    for c in value.chars() {
        if c == csv.quote || c == csv.escape {
            push(csv.escape, out);
        }
        push(c, out);
    }
    push(csv.quote, out);
}
