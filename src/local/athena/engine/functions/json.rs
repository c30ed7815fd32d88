//! JSON: `json_extract` and its like.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;

use super::document::{Document, is_float};
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

fn json(value: Document) -> Option<ScalarValue> {
    Some(ScalarValue::LargeUtf8(Some(value.canonical().text())))
}

/// The JSON of a row; text that is none counts as NULL.
fn read(array: &ArrayRef, row: usize) -> Option<Document> {
    Document::read(text(array, row)?)
}

/// JSON as Trino writes it: without spaces, members in the order of their keys. `None` when it is none.
pub fn canonical(text: &str) -> Option<String> {
    Document::read(text).map(|d| d.canonical().text())
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

fn follow(value: Document, steps: &[String]) -> Option<Document> {
    let Some((step, rest)) = steps.split_first() else { return Some(value) };
    match value {
        // All of them, those that the rest of the path leads to.
        Document::Array(items) if step == "*" => {
            Some(Document::Array(items.into_iter().filter_map(|item| follow(item, rest)).collect()))
        }
        Document::Object(members) if step == "*" => {
            Some(Document::Array(members.into_iter().filter_map(|(_, item)| follow(item, rest)).collect()))
        }
        Document::Object(members) => {
            let (_, value) = members.into_iter().find(|(key, _)| key == step)?;
            follow(value, rest)
        }
        Document::Array(mut items) => {
            let place = step.parse::<usize>().ok().filter(|n| *n < items.len())?;
            follow(items.swap_remove(place), rest)
        }
        _ => None,
    }
}

fn found(args: &[ArrayRef], row: usize) -> Result<Option<Document>, Failure> {
    match (read(&args[0], row), text(&args[1], row)) {
        (Some(value), Some(path)) => Ok(follow(value, &steps(path)?)),
        _ => Ok(None),
    }
}

fn parse(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        let Some(written) = text(&args[0], row) else { return Ok(None) };
        let value = canonical(written)
            .ok_or_else(|| argument(format!("Cannot convert value to JSON: '{written}'")))?;
        Ok(Some(ScalarValue::LargeUtf8(Some(value))))
    })
}

fn format(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| Ok(text(&args[0], row).map(|t| ScalarValue::Utf8(Some(t.to_owned())))))
}

fn extract(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| Ok(found(args, row)?.and_then(json)))
}

fn extract_scalar(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        Ok(match found(args, row)? {
            // A number is the text that it has in the document.
            Some(Document::Text(text) | Document::Number(text)) => Some(ScalarValue::Utf8(Some(text))),
            Some(Document::Bool(value)) => Some(ScalarValue::Utf8(Some(value.to_string()))),
            _ => None,
        })
    })
}

fn array_length(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        Ok(match read(&args[0], row) {
            Some(Document::Array(items)) => Some(ScalarValue::Int64(Some(items.len() as i64))),
            _ => None,
        })
    })
}

fn array_get(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        let (Some(Document::Array(items)), Some(index)) = (read(&args[0], row), whole(&args[1], row)) else {
            return Ok(None);
        };
        let place = if index < 0 { items.len() as i64 + index } else { index };
        Ok(usize::try_from(place).ok().and_then(|n| items.get(n).cloned()).and_then(json))
    })
}

fn array_contains(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        let Some(Document::Array(items)) = read(&args[0], row) else { return Ok(None) };
        let mut wanted = String::new();
        super::json_cast::write(&args[1], row, &mut wanted);
        let wanted = Document::read(&wanted);
        let found = items.iter().any(|item| match (item, &wanted) {
            // Whole numbers are found among whole ones alone, and fractions among fractions.
            (Document::Number(a), Some(Document::Number(b))) => {
                a == b || is_float(a) && is_float(b) && a.parse::<f64>() == b.parse::<f64>()
            }
            (item, wanted) => wanted.as_ref() == Some(item),
        });
        Ok(Some(ScalarValue::Boolean(Some(found))))
    })
}

fn size(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        Ok(found(args, row)?.map(|value| {
            let size = match value {
                Document::Array(items) => items.len(),
                Document::Object(members) => members.len(),
                _ => 0,
            };
            ScalarValue::Int64(Some(size as i64))
        }))
    })
}

fn is_scalar(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        Ok(read(&args[0], row).map(|value| {
            let nested = matches!(value, Document::Array(_) | Document::Object(_));
            ScalarValue::Boolean(Some(!nested))
        }))
    })
}
