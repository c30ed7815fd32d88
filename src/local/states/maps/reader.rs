//! Where the items of a map run come from: a JSON, JSONL or CSV object, or a listing of objects.

use serde_json::{Map, Value, json};

use super::super::super::bus::{Bus, ObjectInfo};
use super::super::super::fault::Fault;
use crate::asl::failure::Failure;
use crate::asl::mapping::Items;

const READER_FAILED: &str = "States.ItemReaderFailed";

/// The longest header of a CSV file that AWS takes, bytes.
const HEADER: usize = 10_240;

fn fail<T>(cause: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::new(READER_FAILED, cause))
}

/// Reads the items; at most as many as are wanted.
pub fn read(bus: &Bus, items: Items) -> Result<Vec<Value>, Failure> {
    match items {
        Items::Given(items) => Ok(items),
        Items::Read { resource, parameters, config, max_items } => {
            let most = match max_items {
                None | Some(0) => usize::MAX,
                Some(most) => usize::try_from(most).unwrap_or(usize::MAX),
            };
            let bucket = text(&parameters, "Bucket")?;
            let objects = bus.objects().map_err(|fault| refused(&fault))?;
            if resource.ends_with(":s3:listObjectsV2") {
                let prefix = parameters["Prefix"].as_str().unwrap_or_default();
                let found = objects.list(bucket, prefix).map_err(|fault| refused(&fault))?;
                return Ok(found.iter().take(most).map(listed).collect());
            }
            if !resource.ends_with(":s3:getObject") {
                return fail(format!("The local cloud cannot read items with '{resource}'."));
            }
            let body =
                objects.read(bucket, text(&parameters, "Key")?, None).map_err(|fault| refused(&fault))?;
            let Ok(body) = std::str::from_utf8(&body) else {
                return fail("The object is not text in UTF-8.");
            };
            let body = body.strip_prefix('\u{feff}').unwrap_or(body);
            match config.get("InputType").and_then(Value::as_str) {
                Some("JSON") => json(body, &config, most),
                Some("JSONL") => lines(body, most),
                Some("CSV") => csv(body, &config, most),
                Some(other) => fail(format!("The local cloud cannot read items of the InputType '{other}'.")),
                None => fail("ReaderConfig names no InputType."),
            }
        }
    }
}

fn text<'v>(parameters: &'v Value, member: &str) -> Result<&'v str, Failure> {
    match parameters[member].as_str() {
        Some(text) => Ok(text),
        None => fail(format!("The ItemReader names no {member}.")),
    }
}

/// S3's refusal in AWS's words.
fn refused(fault: &Fault) -> Failure {
    let request = uuid::Uuid::new_v4().simple().to_string()[..16].to_uppercase();
    Failure::new(
        READER_FAILED,
        format!(
            "Attempting to read items failed: {} (Service: S3, Status Code: {}, Request ID: {request})",
            fault.message, fault.status
        ),
    )
}

fn listed(object: &ObjectInfo) -> Value {
    json!({
        "Etag": object.etag,
        "Key": object.key,
        "LastModified": object.modified.timestamp(),
        "Size": object.size,
        "StorageClass": "STANDARD",
    })
}

fn json(body: &str, config: &Map<String, Value>, most: usize) -> Result<Vec<Value>, Failure> {
    let value: Value = match serde_json::from_str(body) {
        Ok(value) => value,
        Err(error) => return fail(format!("The object is not JSON: {error}")),
    };
    let found = match config.get("ItemsPointer").and_then(Value::as_str) {
        None => Some(value),
        Some(pointer) => value.pointer(pointer).cloned(),
    };
    match found {
        Some(Value::Array(mut items)) => {
            items.truncate(most);
            Ok(items)
        }
        Some(_) => fail("Attempting to map over non-iterable node."),
        None => fail("The ItemsPointer leads nowhere."),
    }
}

fn lines(body: &str, most: usize) -> Result<Vec<Value>, Failure> {
    let lines = body.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .take(most)
        .map(|(i, line)| {
            serde_json::from_str(line)
                .or_else(|error| fail(format!("Line {} of the object is not JSON: {error}", i + 1)))
        })
        .collect()
}

fn csv(body: &str, config: &Map<String, Value>, most: usize) -> Result<Vec<Value>, Failure> {
    let delimiter = match config.get("CSVDelimiter").and_then(Value::as_str) {
        None | Some("COMMA") => b',',
        Some("PIPE") => b'|',
        Some("SEMICOLON") => b';',
        Some("SPACE") => b' ',
        Some("TAB") => b'\t',
        Some(other) => return fail(format!("'{other}' is not a CSVDelimiter.")),
    };
    let mut rows = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(body.as_bytes())
        .into_records();
    let headers: Vec<String> = match config.get("CSVHeaderLocation").and_then(Value::as_str) {
        Some("GIVEN") => config
            .get("CSVHeaders")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|header| header.as_str().map(str::to_owned))
            .collect(),
        _ => match rows.next() {
            Some(Ok(row)) => row.iter().map(str::to_owned).collect(),
            Some(Err(error)) => return fail(format!("The object is not CSV: {error}")),
            None => Vec::new(),
        },
    };
    if headers.iter().map(String::len).sum::<usize>() > HEADER {
        return fail("CSV headers cannot exceed 10 KB.");
    }
    let distinct: std::collections::HashSet<&String> = headers.iter().collect();
    if distinct.len() < headers.len() {
        return fail("CSV headers cannot contain duplicates.");
    }
    rows.take(most)
        .map(|row| match row {
            Ok(row) => {
                let field = |i: usize| Value::from(row.get(i).unwrap_or_default());
                Ok(headers
                    .iter()
                    .enumerate()
                    .map(|(i, h)| (h.clone(), field(i)))
                    .collect::<Map<_, _>>()
                    .into())
            }
            Err(error) => fail(format!("The object is not CSV: {error}")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    /// Rows shorter than the headers are filled up, longer ones are cut.
    #[test]
    fn csv_rows_become_objects() {
        let given = config(json!({"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}));
        let rows = csv("a,b\n1,2,3\n,\n\"x, y\"\n", &given, usize::MAX).unwrap();
        assert_eq!(json!(rows), json!([{"a": "1", "b": "2"}, {"a": "", "b": ""}, {"a": "x, y", "b": ""}]));
        let twice = config(json!({"CSVHeaderLocation": "GIVEN", "CSVHeaders": ["a", "a"]}));
        let failure = csv("1,2\n", &twice, usize::MAX).unwrap_err();
        assert_eq!(failure.cause.as_deref(), Some("CSV headers cannot contain duplicates."));
        let tabs = config(json!({"CSVDelimiter": "TAB", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["a"]}));
        assert_eq!(json!(csv("1\n2\n3\n", &tabs, 2).unwrap()), json!([{"a": "1"}, {"a": "2"}]));
    }

    #[test]
    fn json_gives_its_array_or_the_one_pointed_at() {
        let plain = config(json!({"InputType": "JSON"}));
        assert_eq!(json("[1, 2, 3]", &plain, 2).unwrap(), [json!(1), json!(2)]);
        let failure = json("{}", &plain, 2).unwrap_err();
        assert_eq!(failure.error.as_deref(), Some("States.ItemReaderFailed"));
        assert_eq!(failure.cause.as_deref(), Some("Attempting to map over non-iterable node."));
        let pointed = config(json!({"ItemsPointer": "/a/b"}));
        assert_eq!(json(r#"{"a": {"b": [7]}}"#, &pointed, 9).unwrap(), [json!(7)]);
        assert!(json("[", &plain, 2).is_err());
        assert_eq!(lines("{\"a\": 1}\n\n2\n", 9).unwrap(), [json!({"a": 1}), json!(2)]);
    }
}
