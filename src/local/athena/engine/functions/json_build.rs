//! `json_object` and `json_array`: JSON texts made of values.
//! <https://trino.io/docs/current/functions/json.html#json-object>

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, StringBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;

use super::document::quoted;
use super::json_cast::write;
use super::native::*;
use crate::local::athena::failure::Failure;

/// Words in the first argument: what becomes of NULL, and of a key that comes twice.
pub const ABSENT: &str = "absent";
pub const UNIQUE: &str = "unique";

pub fn all() -> Vec<ScalarUDF> {
    let array = Native { name: "$json_array", least: 1, most: 1000, returns: array_type, eval: array };
    let object = Native { name: "$json_object", least: 1, most: 1000, returns: object_type, eval: object };
    [array, object].into_iter().map(udf).collect()
}

/// Whether a value of a type has a place in JSON; numbers, texts, times and JSON itself have.
fn fits(kind: &DataType) -> bool {
    kind.is_numeric()
        || matches!(
            kind,
            DataType::Null
                | DataType::Boolean
                | DataType::Utf8
                | DataType::LargeUtf8
                | DataType::Date32
                | DataType::Time64(_)
                | DataType::Timestamp(..)
        )
}

fn array_type(types: &[DataType]) -> Result<DataType, &'static str> {
    if types.iter().all(fits) { Ok(DataType::Utf8) } else { Err("json_array(value, ...)") }
}

fn object_type(types: &[DataType]) -> Result<DataType, &'static str> {
    let pairs = types[1..].chunks(2);
    if pairs.into_iter().all(|pair| matches!(pair, [key, value] if is_text(key) && fits(value))) {
        Ok(DataType::Utf8)
    } else {
        Err("json_object(varchar : value, ...)")
    }
}

/// The words of the first argument, which is a literal.
fn has(args: &[ArrayRef], word: &str) -> bool {
    !args[0].is_empty() && text(&args[0], 0).is_some_and(|words| words.split(' ').any(|w| w == word))
}

fn is_null(array: &ArrayRef, row: usize) -> bool {
    array.data_type().is_null() || array.is_null(row)
}

fn put(value: &ArrayRef, row: usize, out: &mut String) {
    if is_null(value, row) { out.push_str("null") } else { write(value, row, out) }
}

fn array(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, Failure> {
    let absent = has(args, ABSENT);
    let mut built = StringBuilder::new();
    for row in 0..rows(args) {
        let mut out = String::from("[");
        for value in args[1..].iter().filter(|value| !absent || !is_null(value, row)) {
            if out.len() > 1 {
                out.push(',');
            }
            put(value, row, &mut out);
        }
        out.push(']');
        built.append_value(out);
    }
    Ok(Arc::new(built.finish()))
}

fn object(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, Failure> {
    let (absent, unique) = (has(args, ABSENT), has(args, UNIQUE));
    let mut built = StringBuilder::new();
    for row in 0..rows(args) {
        let mut out = String::from("{");
        let mut known = std::collections::HashSet::new();
        for pair in args[1..].chunks(2) {
            let key = text(&pair[0], row)
                .ok_or_else(|| argument("null value passed for JSON object key to JSON_OBJECT function"))?;
            if absent && is_null(&pair[1], row) {
                continue;
            }
            if unique && !known.insert(key) {
                return Err(argument(format!("duplicate key passed to JSON_OBJECT function: {key}")));
            }
            if out.len() > 1 {
                out.push(',');
            }
            quoted(key, &mut out);
            out.push(':');
            put(&pair[1], row, &mut out);
        }
        out.push('}');
        built.append_value(out);
    }
    Ok(Arc::new(built.finish()))
}
