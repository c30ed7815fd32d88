//! `CAST` to and from JSON. <https://trino.io/docs/current/functions/json.html#cast-from-json>

use std::sync::Arc;

use base64::Engine as _;
use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::{Array, ArrayRef, LargeStringBuilder};
use datafusion::arrow::datatypes::DataType;

use super::document::{Document, is_float, quoted};
use super::maps::entries_of;
use super::native::*;
use crate::local::athena::engine::columns::Column;
use crate::local::athena::engine::json::Options;
use crate::local::athena::engine::{arrow, print};
use crate::local::athena::failure::Failure;

pub fn from_json(array: &ArrayRef, to: &DataType, lenient: bool) -> Result<ArrayRef, Failure> {
    let mut column = Column::new(to)?;
    for row in 0..array.len() {
        let Some(json) = text(array, row) else {
            column.push_null();
            continue;
        };
        let fitted = Document::read(json).and_then(|document| fit(document, to)).map(|d| d.text());
        let pushed = match &fitted {
            Some(json) => column.push_json(json.as_bytes(), 0..json.len(), &Options::EXACT).is_ok(),
            None => {
                column.push_null();
                false
            }
        };
        // What does not fit is NULL in the column.
        if pushed || lenient {
            continue;
        }
        let kind = arrow::from(to).trino();
        let message = if matches!(to, DataType::List(_) | DataType::Struct(_) | DataType::Map(..)) {
            format!("Cannot cast to {kind}. {json}")
        } else {
            format!("Cannot cast '{json}' to {}", kind.to_uppercase())
        };
        return Err(Failure::new("INVALID_CAST_ARGUMENT", message));
    }
    column.finish()
}

/// A document as a column of the type reads it: arrays that become rows get the names of the fields, truth
/// becomes 1 and a number truth. `None` for what Trino does not convert: an array or an object into a text.
fn fit(value: Document, kind: &DataType) -> Option<Document> {
    Some(match (value, kind) {
        (Document::Array(items), DataType::Struct(fields)) => {
            if items.len() != fields.len() {
                return None;
            }
            let members = items.into_iter().zip(fields);
            let members = members.map(|(v, f)| Some((f.name().clone(), fit(v, f.data_type())?)));
            Document::Object(members.collect::<Option<_>>()?)
        }
        (Document::Object(members), DataType::Struct(fields)) => {
            let members = members.into_iter().map(|(key, value)| {
                let field = fields.iter().find(|f| f.name().eq_ignore_ascii_case(&key));
                let value = field.map_or(Some(Document::Null), |f| fit(value, f.data_type()))?;
                Some((key, value))
            });
            Document::Object(members.collect::<Option<_>>()?)
        }
        (Document::Array(items), DataType::List(of)) => {
            Document::Array(items.into_iter().map(|v| fit(v, of.data_type())).collect::<Option<_>>()?)
        }
        (Document::Object(members), DataType::Map(entries, _)) => {
            let of = entries_of(entries).map_or(DataType::Null, |(_, value)| value);
            let members = members.into_iter().map(|(key, value)| Some((key, fit(value, &of)?)));
            Document::Object(members.collect::<Option<_>>()?)
        }
        (Document::Array(_) | Document::Object(_), DataType::Utf8) => return None,
        (Document::Bool(value), kind) if kind.is_numeric() => {
            Document::Number(if value { "1" } else { "0" }.to_owned())
        }
        (Document::Number(digits), DataType::Boolean) => Document::Bool(digits.parse() != Ok(0f64)),
        // Rounded half up, not cut off.
        (Document::Number(digits), kind) if kind.is_integer() && is_float(&digits) => {
            let float: f64 = digits.parse().ok()?;
            if float.abs() > 9e15 {
                return None;
            }
            Document::Number(format!("{:.0}", (float + 0.5).floor()))
        }
        (other, _) => other,
    })
}

pub fn to_json(array: &ArrayRef) -> Result<ArrayRef, Failure> {
    let mut out = LargeStringBuilder::new();
    let mut json = String::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            out.append_null();
        } else {
            json.clear();
            write(array, row, &mut json);
            out.append_value(&json);
        }
    }
    Ok(Arc::new(out.finish()))
}

/// Appends a value as JSON: rows become objects, as Athena's engine 3 has them; numbers keep every digit;
/// binary is in base 64, as Hive's SerDes have it.
pub fn write(array: &ArrayRef, row: usize, out: &mut String) {
    if array.is_null(row) {
        out.push_str("null");
        return;
    }
    let plain = |out: &mut String| {
        if !print::cell(array, row, out) {
            out.push_str("null");
        }
    };
    match array.data_type() {
        DataType::Boolean | DataType::Decimal128(..) | DataType::LargeUtf8 => plain(out),
        kind if kind.is_integer() => plain(out),
        DataType::Float64 | DataType::Float32 => {
            let mut number = String::new();
            plain(&mut number);
            // NaN and the infinities are no numbers of JSON.
            if number.ends_with(|c: char| c.is_ascii_digit()) {
                out.push_str(&number);
            } else {
                quoted(&number, out);
            }
        }
        DataType::List(_) => {
            let values = array.as_list::<i32>().value(row);
            out.push('[');
            for n in 0..values.len() {
                if n > 0 {
                    out.push(',');
                }
                write(&values, n, out);
            }
            out.push(']');
        }
        DataType::Struct(fields) => {
            let of = array.as_struct();
            out.push('{');
            for (n, field) in fields.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                quoted(field.name(), out);
                out.push(':');
                write(of.column(n), row, out);
            }
            out.push('}');
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let key = |n: usize| {
                let mut key = String::new();
                print::cell(entries.column(0), n, &mut key);
                key
            };
            let mut members: Vec<(String, usize)> = (0..entries.len()).map(|n| (key(n), n)).collect();
            members.sort();
            out.push('{');
            for (n, (key, place)) in members.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                quoted(key, out);
                out.push(':');
                write(entries.column(1), *place, out);
            }
            out.push('}');
        }
        DataType::Binary => {
            let bytes = array.as_binary::<i32>().value(row);
            quoted(&base64::engine::general_purpose::STANDARD.encode(bytes), out);
        }
        _ => {
            let mut text = String::new();
            print::cell(array, row, &mut text);
            quoted(&text, out);
        }
    }
}
