//! JSON: `json_extract` and its like.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;
use serde_json::Value;

use super::native::*;
use crate::local::athena::failure::Failure;

type Kind = Result<DataType, &'static str>;

pub fn all() -> Vec<ScalarUDF> {
    let all = [
        Native { name: "json_parse", least: 1, most: 1, returns: |_| Ok(DataType::LargeUtf8), eval: parse },
        Native { name: "json_format", least: 1, most: 1, returns: text_type, eval: format },
        Native { name: "json_extract", least: 2, most: 2, returns: json_type, eval: extract },
        Native { name: "json_extract_scalar", least: 2, most: 2, returns: text_type, eval: extract_scalar },
        Native { name: "json_array_length", least: 1, most: 1, returns: count_type, eval: array_length },
        Native { name: "json_array_get", least: 2, most: 2, returns: json_type, eval: array_get },
        Native {
            name: "json_array_contains",
            least: 2,
            most: 2,
            returns: boolean_type,
            eval: array_contains,
        },
        Native { name: "json_size", least: 2, most: 2, returns: count_type, eval: size },
        Native { name: "is_json_scalar", least: 1, most: 1, returns: boolean_type, eval: is_scalar },
    ];
    all.into_iter().map(udf).collect()
}

fn is_json(kind: &DataType) -> bool {
    is_text(kind) || kind == &DataType::LargeUtf8
}

fn of(types: &[DataType], kind: DataType) -> Kind {
    if is_json(&types[0]) { Ok(kind) } else { Err("json, varchar") }
}

fn text_type(types: &[DataType]) -> Kind {
    of(types, DataType::Utf8)
}

fn json_type(types: &[DataType]) -> Kind {
    of(types, DataType::LargeUtf8)
}

fn count_type(types: &[DataType]) -> Kind {
    of(types, DataType::Int64)
}

fn boolean_type(types: &[DataType]) -> Kind {
    of(types, DataType::Boolean)
}

fn json(value: &Value) -> Option<ScalarValue> {
    Some(ScalarValue::LargeUtf8(Some(value.to_string())))
}

/// The JSON of a row; text that is none counts as NULL.
fn read(array: &ArrayRef, row: usize) -> Option<Value> {
    serde_json::from_str(text(array, row)?).ok()
}

/// JSON as Trino writes it: without spaces, members in the order of their keys.
pub fn canonical(text: &str) -> Result<String, serde_json::Error> {
    fn sorted(value: Value) -> Value {
        match value {
            Value::Object(members) => {
                let mut members: Vec<(String, Value)> =
                    members.into_iter().map(|(key, value)| (key, sorted(value))).collect();
                members.sort_by(|a, b| a.0.cmp(&b.0));
                Value::Object(members.into_iter().collect())
            }
            Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
            other => other,
        }
    }
    Ok(sorted(serde_json::from_str(text)?).to_string())
}

/// JSON in which every array that is to become a row has the names of the row's fields; `None` when there
/// is none such.
pub fn with_names(text: &str, kind: &DataType) -> Option<String> {
    fn named(value: Value, kind: &DataType, changed: &mut bool) -> Value {
        match (value, kind) {
            (Value::Array(items), DataType::Struct(fields)) if items.len() == fields.len() => {
                *changed = true;
                let members = items.into_iter().zip(fields);
                Value::Object(
                    members.map(|(v, f)| (f.name().clone(), named(v, f.data_type(), changed))).collect(),
                )
            }
            (Value::Array(items), DataType::List(of)) => {
                Value::Array(items.into_iter().map(|v| named(v, of.data_type(), changed)).collect())
            }
            (Value::Object(members), DataType::Struct(fields)) => {
                let kind = |key: &str| fields.iter().find(|f| f.name() == key).map(|f| f.data_type());
                let members = members.into_iter().map(|(key, value)| {
                    let value = match kind(&key) {
                        Some(kind) => named(value, kind, changed),
                        None => value,
                    };
                    (key, value)
                });
                Value::Object(members.collect())
            }
            (Value::Object(members), DataType::Map(entries, _)) => {
                let of = super::maps::entries_of(entries).map_or(DataType::Null, |(_, value)| value);
                Value::Object(members.into_iter().map(|(k, v)| (k, named(v, &of, changed))).collect())
            }
            (other, _) => other,
        }
    }
    let mut changed = false;
    let made = named(serde_json::from_str(text).ok()?, kind, &mut changed);
    changed.then(|| made.to_string())
}

/// The steps of `$.a.b[1]["c"][*]`.
fn steps(path: &str) -> Result<Vec<String>, Failure> {
    let wrong = || argument(format!("Invalid JSON path: '{path}'"));
    let mut rest = path.trim().strip_prefix('$').ok_or_else(wrong)?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(name) = rest.strip_prefix('.') {
            let end = name.find(['.', '[']).unwrap_or(name.len());
            if end == 0 {
                return Err(wrong());
            }
            steps.push(name[..end].trim_matches('"').to_owned());
            rest = &name[end..];
        } else if let Some(index) = rest.strip_prefix('[') {
            let end = index.find(']').ok_or_else(wrong)?;
            steps.push(index[..end].trim_matches(['"', '\'']).to_owned());
            rest = &index[end + 1..];
        } else {
            return Err(wrong());
        }
    }
    Ok(steps)
}

fn walk(value: Value, path: &str) -> Result<Option<Value>, Failure> {
    Ok(follow(value, &steps(path)?))
}

fn follow(value: Value, steps: &[String]) -> Option<Value> {
    let Some((step, rest)) = steps.split_first() else { return Some(value) };
    match value {
        // All of them, those that the rest of the path leads to.
        Value::Array(items) if step == "*" => {
            Some(Value::Array(items.into_iter().filter_map(|item| follow(item, rest)).collect()))
        }
        Value::Object(members) if step == "*" => {
            Some(Value::Array(members.into_iter().filter_map(|(_, item)| follow(item, rest)).collect()))
        }
        Value::Object(mut members) => follow(members.swap_remove(step)?, rest),
        Value::Array(mut items) => {
            let place = step.parse::<usize>().ok().filter(|n| *n < items.len())?;
            follow(items.swap_remove(place), rest)
        }
        _ => None,
    }
}

fn found(args: &[ArrayRef], row: usize) -> Result<Option<Value>, Failure> {
    match (read(&args[0], row), text(&args[1], row)) {
        (Some(value), Some(path)) => walk(value, path),
        _ => Ok(None),
    }
}

fn parse(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        let Some(written) = text(&args[0], row) else { return Ok(None) };
        let value =
            canonical(written).map_err(|_| argument(format!("Cannot convert value to JSON: '{written}'")))?;
        Ok(Some(ScalarValue::LargeUtf8(Some(value))))
    })
}

fn format(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| Ok(text(&args[0], row).map(|t| ScalarValue::Utf8(Some(t.to_owned())))))
}

fn extract(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| Ok(found(args, row)?.as_ref().and_then(json)))
}

fn extract_scalar(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        Ok(match found(args, row)? {
            Some(Value::String(text)) => Some(ScalarValue::Utf8(Some(text))),
            Some(scalar @ (Value::Number(_) | Value::Bool(_))) => {
                Some(ScalarValue::Utf8(Some(scalar.to_string())))
            }
            _ => None,
        })
    })
}

fn array_length(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        Ok(match read(&args[0], row) {
            Some(Value::Array(items)) => Some(ScalarValue::Int64(Some(items.len() as i64))),
            _ => None,
        })
    })
}

fn array_get(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        let (Some(Value::Array(items)), Some(index)) = (read(&args[0], row), whole(&args[1], row)) else {
            return Ok(None);
        };
        let place = if index < 0 { items.len() as i64 + index } else { index };
        Ok(usize::try_from(place).ok().and_then(|n| items.get(n)).and_then(json))
    })
}

fn array_contains(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        let Some(Value::Array(items)) = read(&args[0], row) else { return Ok(None) };
        let wanted = super::json_cast::json_value(&args[1], row);
        Ok(Some(ScalarValue::Boolean(Some(items.contains(&wanted)))))
    })
}

fn size(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        Ok(found(args, row)?.map(|value| {
            let size = match value {
                Value::Array(items) => items.len(),
                Value::Object(members) => members.len(),
                _ => 0,
            };
            ScalarValue::Int64(Some(size as i64))
        }))
    })
}

fn is_scalar(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        Ok(read(&args[0], row).map(|v| ScalarValue::Boolean(Some(!v.is_array() && !v.is_object()))))
    })
}
