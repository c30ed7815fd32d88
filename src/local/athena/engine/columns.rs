//! Columns under construction: one builder per declared type, filled from JSON values or texts.

use std::ops::Range;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use datafusion::arrow::array::*;
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};

use super::json::{self, Index, Options};
use super::time;
use crate::local::athena::failure::Failure;

/// A column that grows row by row.
pub enum Column {
    Text(StringBuilder),
    Json(LargeStringBuilder),
    Boolean(BooleanBuilder),
    Tinyint(Int8Builder),
    Smallint(Int16Builder),
    Integer(Int32Builder),
    Bigint(Int64Builder),
    Real(Float32Builder),
    Double(Float64Builder),
    Decimal(Decimal128Builder, u8, i8),
    Date(Date32Builder),
    Timestamp(TimestampMillisecondBuilder),
    Binary(BinaryBuilder),
    List { field: FieldRef, offsets: Vec<i32>, valid: Vec<bool>, child: Box<Column> },
    Row { fields: Fields, valid: Vec<bool>, children: Vec<Column> },
    Map { field: FieldRef, offsets: Vec<i32>, valid: Vec<bool>, key: Box<Column>, value: Box<Column> },
}

/// A value that does not fit the column's type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The value, cut when it is long.
    pub value: String,
    pub why: String,
}

fn bad(value: &str, why: impl FnOnce(&str) -> String) -> Misfit {
    let value: String = value.chars().take(80).collect();
    Misfit { why: why(&value), value }
}

/// Keeps the first of several failures.
fn keep(first: &mut Option<Misfit>, next: Result<(), Misfit>) {
    if first.is_none() {
        *first = next.err();
    }
}

/// As Java complains about a text that is no number.
fn input(value: &str) -> String {
    format!("For input string: \"{value}\"")
}

impl From<Misfit> for Failure {
    fn from(misfit: Misfit) -> Failure {
        Failure::new("HIVE_BAD_DATA", format!("Error parsing field value '{}': {}", misfit.value, misfit.why))
    }
}

impl Column {
    pub fn new(kind: &DataType) -> Result<Column, Failure> {
        Ok(match kind {
            DataType::Utf8 => Column::Text(StringBuilder::new()),
            DataType::LargeUtf8 => Column::Json(LargeStringBuilder::new()),
            DataType::Boolean => Column::Boolean(BooleanBuilder::new()),
            DataType::Int8 => Column::Tinyint(Int8Builder::new()),
            DataType::Int16 => Column::Smallint(Int16Builder::new()),
            DataType::Int32 => Column::Integer(Int32Builder::new()),
            DataType::Int64 => Column::Bigint(Int64Builder::new()),
            DataType::Float32 => Column::Real(Float32Builder::new()),
            DataType::Float64 => Column::Double(Float64Builder::new()),
            DataType::Decimal128(p, s) => {
                Column::Decimal(Decimal128Builder::new().with_data_type(kind.clone()), *p, *s)
            }
            DataType::Date32 => Column::Date(Date32Builder::new()),
            DataType::Timestamp(TimeUnit::Millisecond, None) => {
                Column::Timestamp(TimestampMillisecondBuilder::new())
            }
            DataType::Binary => Column::Binary(BinaryBuilder::new()),
            DataType::List(field) => Column::List {
                field: field.clone(),
                offsets: vec![0],
                valid: Vec::new(),
                child: Box::new(Column::new(field.data_type())?),
            },
            DataType::Struct(fields) => Column::Row {
                fields: fields.clone(),
                valid: Vec::new(),
                children: fields.iter().map(|f| Column::new(f.data_type())).collect::<Result<_, _>>()?,
            },
            DataType::Map(entries, _) => {
                let DataType::Struct(fields) = entries.data_type() else {
                    return Err(Failure::internal("a map without entries"));
                };
                Column::Map {
                    field: entries.clone(),
                    offsets: vec![0],
                    valid: Vec::new(),
                    key: Box::new(Column::new(fields[0].data_type())?),
                    value: Box::new(Column::new(fields[1].data_type())?),
                }
            }
            other => return Err(Failure::unsupported(format!("reading values of type {other}"))),
        })
    }

    pub fn push_null(&mut self) {
        match self {
            Column::Text(b) => b.append_null(),
            Column::Json(b) => b.append_null(),
            Column::Boolean(b) => b.append_null(),
            Column::Tinyint(b) => b.append_null(),
            Column::Smallint(b) => b.append_null(),
            Column::Integer(b) => b.append_null(),
            Column::Bigint(b) => b.append_null(),
            Column::Real(b) => b.append_null(),
            Column::Double(b) => b.append_null(),
            Column::Decimal(b, ..) => b.append_null(),
            Column::Date(b) => b.append_null(),
            Column::Timestamp(b) => b.append_null(),
            Column::Binary(b) => b.append_null(),
            Column::List { offsets, valid, .. } | Column::Map { offsets, valid, .. } => {
                offsets.push(offsets.last().copied().unwrap_or(0));
                valid.push(false);
            }
            Column::Row { valid, children, .. } => {
                valid.push(false);
                children.iter_mut().for_each(Column::push_null);
            }
        }
    }

    /// Appends a value of JSON; `span` was proven to be JSON. What does not fit is appended as NULL, so
    /// that every column of a row goes on at the same place.
    pub fn push_json(&mut self, line: &[u8], span: Range<usize>, options: &Options) -> Result<(), Misfit> {
        let raw = &line[span.clone()];
        if raw == b"null" {
            self.push_null();
            return Ok(());
        }
        match self {
            Column::List { offsets, valid, child, .. } if raw[0] == b'[' => {
                let (mut count, mut failed) = (0, None);
                json::elements(line, span, |element| {
                    count += 1;
                    keep(&mut failed, child.push_json(line, element, options));
                });
                offsets.push(offsets.last().copied().unwrap_or(0) + count);
                valid.push(failed.is_none());
                failed.map_or(Ok(()), Err)?;
            }
            Column::Row { fields, valid, children } if raw[0] == b'{' => {
                let mut index = Index::default();
                json::members(line, span, &mut index);
                let mut failed = None;
                for (field, child) in fields.iter().zip(children) {
                    let found = index.members.iter().rfind(|(k, _)| {
                        json::key_is(options, &line[k.clone()], options.key_of(field.name()))
                    });
                    match found {
                        Some((_, value)) => {
                            keep(&mut failed, child.push_json(line, value.clone(), options));
                        }
                        None => child.push_null(),
                    }
                }
                valid.push(failed.is_none());
                failed.map_or(Ok(()), Err)?;
            }
            Column::Map { offsets, valid, key, value, .. } if raw[0] == b'{' => {
                let mut index = Index::default();
                json::members(line, span, &mut index);
                let (mut count, mut failed) = (0, None);
                for (k, v) in &index.members {
                    // A key that does not fit leaves no entry, since no key may be NULL.
                    match key.append_text(&json::unescape(&line[k.clone()])) {
                        Ok(()) => {
                            count += 1;
                            keep(&mut failed, value.push_json(line, v.clone(), options));
                        }
                        wrong => keep(&mut failed, wrong),
                    }
                }
                offsets.push(offsets.last().copied().unwrap_or(0) + count);
                valid.push(failed.is_none());
                failed.map_or(Ok(()), Err)?;
            }
            Column::List { .. } | Column::Row { .. } | Column::Map { .. } => {
                return self.push_text(&String::from_utf8_lossy(raw));
            }
            Column::Json(b) => b.append_value(String::from_utf8_lossy(raw)),
            // Whole numbers are read without a detour through text.
            Column::Integer(b) if raw.len() < 10 && raw.iter().all(u8::is_ascii_digit) => {
                b.append_value(raw.iter().fold(0, |n, d| n * 10 + i32::from(d - b'0')));
            }
            scalar if raw[0] == b'"' => scalar.push_text(&json::unescape(&raw[1..raw.len() - 1]))?,
            scalar => scalar.push_text(&String::from_utf8_lossy(raw))?,
        }
        Ok(())
    }

    /// Appends a value written as text; what does not fit is appended as NULL.
    pub fn push_text(&mut self, text: &str) -> Result<(), Misfit> {
        let appended = self.append_text(text);
        if appended.is_err() {
            self.push_null();
        }
        appended
    }

    /// Appends a value written as text, or nothing.
    pub fn append_text(&mut self, text: &str) -> Result<(), Misfit> {
        fn whole<T: TryFrom<i64>>(text: &str) -> Result<T, Misfit> {
            let trimmed = text.trim();
            let number = trimmed.parse::<i64>().ok().or_else(|| {
                let float = trimmed.parse::<f64>().ok()?;
                // Fractions are cut off, as the SerDe does; beyond 2^63 nothing is exact.
                (float.is_finite() && float.abs() < 9.2e18).then_some(float as i64)
            });
            number.and_then(|n| T::try_from(n).ok()).ok_or_else(|| bad(text, input))
        }
        match self {
            Column::Text(b) => b.append_value(text),
            Column::Json(b) => b.append_value(text),
            Column::Boolean(b) => match text.trim().to_ascii_lowercase().as_str() {
                "true" => b.append_value(true),
                "false" => b.append_value(false),
                _ => return Err(bad(text, |v| format!("Not a boolean: \"{v}\""))),
            },
            Column::Tinyint(b) => b.append_value(whole(text)?),
            Column::Smallint(b) => b.append_value(whole(text)?),
            Column::Integer(b) => b.append_value(whole(text)?),
            Column::Bigint(b) => b.append_value(whole(text)?),
            Column::Real(b) => b.append_value(text.trim().parse().map_err(|_| bad(text, input))?),
            Column::Double(b) => b.append_value(text.trim().parse().map_err(|_| bad(text, input))?),
            Column::Decimal(b, p, s) => {
                b.append_value(
                    time::decimal(text, *p, *s)
                        .ok_or_else(|| bad(text, |v| format!("Not a decimal: \"{v}\"")))?,
                );
            }
            Column::Date(b) => {
                b.append_value(time::date(text).ok_or_else(|| bad(text, |v| format!("Not a date: \"{v}\"")))?)
            }
            Column::Timestamp(b) => {
                b.append_value(
                    time::timestamp(text)
                        .ok_or_else(|| bad(text, |v| format!("Not a timestamp: \"{v}\"")))?,
                );
            }
            // Hive's text has bytes in base 64; what is none is taken as it is.
            Column::Binary(b) => match STANDARD.decode(text.trim()) {
                Ok(bytes) => b.append_value(bytes),
                Err(_) => b.append_value(text),
            },
            Column::List { .. } => return Err(bad(text, |v| format!("Data is not an array: {v}"))),
            Column::Row { .. } => {
                return Err(bad(text, |v| format!("Data is not an object for a struct: {v}")));
            }
            Column::Map { .. } => return Err(bad(text, |v| format!("Data is not an object for a map: {v}"))),
        }
        Ok(())
    }

    /// The finished array; the column starts again empty.
    pub fn finish(&mut self) -> Result<ArrayRef, Failure> {
        let wrong = |e: datafusion::arrow::error::ArrowError| Failure::internal(e.to_string());
        fn offsets_of(offsets: &mut Vec<i32>) -> OffsetBuffer<i32> {
            OffsetBuffer::new(std::mem::replace(offsets, vec![0]).into())
        }
        Ok(match self {
            Column::Text(b) => Arc::new(b.finish()),
            Column::Json(b) => Arc::new(b.finish()),
            Column::Boolean(b) => Arc::new(b.finish()),
            Column::Tinyint(b) => Arc::new(b.finish()),
            Column::Smallint(b) => Arc::new(b.finish()),
            Column::Integer(b) => Arc::new(b.finish()),
            Column::Bigint(b) => Arc::new(b.finish()),
            Column::Real(b) => Arc::new(b.finish()),
            Column::Double(b) => Arc::new(b.finish()),
            Column::Decimal(b, ..) => Arc::new(b.finish()),
            Column::Date(b) => Arc::new(b.finish()),
            Column::Timestamp(b) => Arc::new(b.finish()),
            Column::Binary(b) => Arc::new(b.finish()),
            Column::List { field, offsets, valid, child } => {
                let nulls = NullBuffer::from(std::mem::take(valid));
                let list =
                    ListArray::try_new(field.clone(), offsets_of(offsets), child.finish()?, Some(nulls));
                Arc::new(list.map_err(wrong)?)
            }
            Column::Row { fields, valid, children } => {
                let nulls = NullBuffer::from(std::mem::take(valid));
                let length = nulls.len();
                let arrays = children.iter_mut().map(Column::finish).collect::<Result<Vec<_>, _>>()?;
                let row = StructArray::try_new_with_length(fields.clone(), arrays, Some(nulls), length);
                Arc::new(row.map_err(wrong)?)
            }
            Column::Map { field, offsets, valid, key, value } => {
                let DataType::Struct(fields) = field.data_type() else {
                    return Err(Failure::internal("a map without entries"));
                };
                let entries =
                    StructArray::try_new(fields.clone(), vec![key.finish()?, value.finish()?], None);
                let nulls = NullBuffer::from(std::mem::take(valid));
                let map = MapArray::try_new(
                    field.clone(),
                    offsets_of(offsets),
                    entries.map_err(wrong)?,
                    Some(nulls),
                    false,
                );
                Arc::new(map.map_err(wrong)?)
            }
        })
    }
}

/// The name of the field of a list.
pub const ITEM: &str = "item";

/// The field of a list's elements, as every list of the engine has it.
pub fn item(kind: DataType) -> FieldRef {
    Arc::new(Field::new(ITEM, kind, true))
}

/// The entries of a map, as every map of the engine has them.
pub fn entries(key: DataType, value: DataType) -> FieldRef {
    let fields = Fields::from(vec![Field::new("key", key, false), Field::new("value", value, true)]);
    Arc::new(Field::new("entries", DataType::Struct(fields), false))
}

#[cfg(test)]
mod tests;
