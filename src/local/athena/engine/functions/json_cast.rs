//! `CAST` to and from JSON.

use std::sync::Arc;

use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::types::*;
use datafusion::arrow::array::{Array, ArrayRef, LargeStringBuilder};
use datafusion::arrow::datatypes::{DataType, FieldRef};

use super::json::with_names;
use super::native::*;
use crate::local::athena::engine::columns::Column;
use crate::local::athena::engine::json::Options;
use crate::local::athena::engine::{arrow, print};
use crate::local::athena::failure::Failure;

pub fn from_json(array: &ArrayRef, to: &DataType, lenient: bool) -> Result<ArrayRef, Failure> {
    let mut column = Column::new(to)?;
    let has_rows = format!("{to}").contains("Struct");
    for row in 0..array.len() {
        let Some(json) = text(array, row) else {
            column.push_null();
            continue;
        };
        let named = if has_rows { with_names(json, to) } else { None };
        let json = named.as_deref().unwrap_or(json);
        let pushed = column.push_json(json.as_bytes(), 0..json.len(), &Options::EXACT);
        match pushed {
            Ok(()) => {}
            // The column holds NULL for it.
            Err(_) if lenient => {}
            Err(_) => {
                let kind = arrow::from(to).trino();
                let message = if matches!(to, DataType::List(_) | DataType::Struct(_) | DataType::Map(..)) {
                    format!("Cannot cast to {kind}. {json}")
                } else {
                    format!("Cannot cast '{json}' to {}", kind.to_uppercase())
                };
                return Err(Failure::new("INVALID_CAST_ARGUMENT", message));
            }
        }
    }
    column.finish()
}

pub fn to_json(array: &ArrayRef) -> Result<ArrayRef, Failure> {
    let mut out = LargeStringBuilder::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            out.append_null();
        } else {
            out.append_value(json_value(array, row).to_string());
        }
    }
    Ok(Arc::new(out.finish()))
}

/// A value as JSON: rows become objects, as Athena's engine 3 has them.
pub fn json_value(array: &ArrayRef, row: usize) -> serde_json::Value {
    use serde_json::Value;
    if array.is_null(row) {
        return Value::Null;
    }
    let list = |values: ArrayRef| Value::Array((0..values.len()).map(|n| json_value(&values, n)).collect());
    match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        DataType::LargeUtf8 => {
            let text = array.as_string::<i64>().value(row);
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
        }
        kind if kind.is_integer() => whole(array, row).map_or(Value::Null, Value::from),
        DataType::Float64 => Value::from(array.as_primitive::<Float64Type>().value(row)),
        DataType::Float32 => Value::from(f64::from(array.as_primitive::<Float32Type>().value(row))),
        DataType::Decimal128(..) => {
            let text = array.as_primitive::<Decimal128Type>().value_as_string(row);
            text.parse::<f64>().map_or(Value::Null, Value::from)
        }
        DataType::List(_) => list(array.as_list::<i32>().value(row)),
        DataType::Struct(fields) => {
            let of = array.as_struct();
            let member = |(n, f): (usize, &FieldRef)| (f.name().clone(), json_value(of.column(n), row));
            Value::Object(fields.iter().enumerate().map(member).collect())
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let entry = |n: usize| {
                let mut key = String::new();
                print::cell(entries.column(0), n, &mut key);
                (key, json_value(entries.column(1), n))
            };
            let mut members: Vec<_> = (0..entries.len()).map(entry).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(members.into_iter().collect())
        }
        _ => {
            let mut text = String::new();
            print::cell(array, row, &mut text);
            Value::String(text)
        }
    }
}
