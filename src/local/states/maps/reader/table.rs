//! Objects whose items are rows: CSV and Parquet. An item is an object of its columns.

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::{Map, Value};

use super::fail;
use crate::asl::context::iso;
use crate::asl::failure::Failure;

/// The longest header of a CSV file that AWS takes, bytes.
const HEADER: usize = 10_240;

/// The rows of a CSV file with its own header or with the one that the configuration gives.
pub fn csv(body: &str, config: &Map<String, Value>, most: usize) -> Result<Vec<Value>, Failure> {
    let setting = |name: &str| config.get(name).and_then(Value::as_str);
    let delimiter = match setting("CSVDelimiter") {
        None | Some("COMMA") => b',',
        Some("PIPE") => b'|',
        Some("SEMICOLON") => b';',
        Some("SPACE") => b' ',
        Some("TAB") => b'\t',
        Some(other) => return fail(format!("'{other}' is not a CSVDelimiter.")),
    };
    if setting("CSVHeaderLocation") == Some("GIVEN") {
        let headers = config.get("CSVHeaders").and_then(Value::as_array).into_iter().flatten();
        let headers = headers.filter_map(|header| header.as_str().map(str::to_owned)).collect();
        return rows(body, delimiter, headers, most);
    }
    let mut records = records(body, delimiter);
    let headers = match records.next() {
        Some(Ok(row)) => row.iter().map(str::to_owned).collect(),
        Some(Err(error)) => return fail(format!("The object is not CSV: {error}")),
        None => Vec::new(),
    };
    objects(records, &headers, most)
}

/// The rows of a CSV file that has no header.
pub fn rows(body: &str, delimiter: u8, headers: Vec<String>, most: usize) -> Result<Vec<Value>, Failure> {
    objects(records(body, delimiter), &headers, most)
}

type Records<'b> = csv::StringRecordsIntoIter<&'b [u8]>;

fn records(body: &str, delimiter: u8) -> Records<'_> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(body.as_bytes())
        .into_records()
}

fn objects(records: Records<'_>, headers: &[String], most: usize) -> Result<Vec<Value>, Failure> {
    if headers.iter().map(String::len).sum::<usize>() > HEADER {
        return fail("CSV headers cannot exceed 10 KB.");
    }
    let distinct: std::collections::HashSet<&String> = headers.iter().collect();
    if distinct.len() < headers.len() {
        return fail("CSV headers cannot contain duplicates.");
    }
    records
        .take(most)
        .map(|row| match row {
            Ok(row) => {
                let field = |i: usize| Value::from(row.get(i).unwrap_or_default());
                let members = headers.iter().enumerate().map(|(i, header)| (header.clone(), field(i)));
                Ok(Value::Object(members.collect()))
            }
            Err(error) => fail(format!("The object is not CSV: {error}")),
        })
        .collect()
}

/// The rows of a Parquet file.
pub fn parquet(body: &Bytes, most: usize) -> Result<Vec<Value>, Failure> {
    let read = || -> Result<Vec<Value>, ParquetError> {
        let reader = SerializedFileReader::new(body.clone())?;
        reader.get_row_iter(None)?.take(most).map(|row| Ok(object(&row?))).collect()
    };
    read().or_else(|error| fail(format!("The object is not a Parquet file that can be read: {error}")))
}

fn object(row: &Row) -> Value {
    row.get_column_iter().map(|(name, field)| (name.clone(), value(field))).collect::<Map<_, _>>().into()
}

/// A column's value: numbers and texts as they are, days and times in ISO 8601, bytes in base64.
fn value(field: &Field) -> Value {
    let time = |time: Option<DateTime<Utc>>| time.map_or(Value::Null, |time| iso(time).into());
    match field {
        Field::Null => Value::Null,
        Field::Bool(flag) => (*flag).into(),
        Field::Byte(n) => (*n).into(),
        Field::Short(n) => (*n).into(),
        Field::Int(n) => (*n).into(),
        Field::Long(n) => (*n).into(),
        Field::UByte(n) => (*n).into(),
        Field::UShort(n) => (*n).into(),
        Field::UInt(n) => (*n).into(),
        Field::ULong(n) => (*n).into(),
        Field::Float(n) => decimal(&n.to_string()),
        Field::Double(n) => (*n).into(),
        Field::Str(text) => text.as_str().into(),
        Field::Bytes(bytes) => {
            use base64::Engine;
            base64::engine::general_purpose::STANDARD.encode(bytes.data()).into()
        }
        Field::Date(days) => {
            let day = NaiveDate::default().checked_add_signed(TimeDelta::days(i64::from(*days)));
            day.map_or(Value::Null, |day| day.to_string().into())
        }
        Field::TimestampMillis(millis) => time(DateTime::from_timestamp_millis(*millis)),
        Field::TimestampMicros(micros) => time(DateTime::from_timestamp_micros(*micros)),
        Field::Group(row) => object(row),
        Field::ListInternal(list) => list.elements().iter().map(value).collect(),
        Field::MapInternal(map) => {
            let name = |key: &Field| match value(key) {
                Value::String(text) => text,
                other => other.to_string(),
            };
            map.entries().iter().map(|(key, field)| (name(key), value(field))).collect::<Map<_, _>>().into()
        }
        // Decimals, times of day and half floats, as they are written.
        other => decimal(&other.to_string()),
    }
}

/// A number as it is written; what is none stays a text.
fn decimal(text: &str) -> Value {
    match text.parse::<serde_json::Number>() {
        Ok(number) => Value::Number(number),
        Err(_) => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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

    /// A file of two rows, made with the library's own writer.
    #[test]
    fn parquet_rows_become_objects() {
        use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
        use parquet::file::properties::WriterProperties;
        use parquet::file::writer::SerializedFileWriter;
        use parquet::schema::parser::parse_message_type;

        let schema = "message m { REQUIRED INT64 id; OPTIONAL BINARY name (UTF8); REQUIRED DOUBLE share; \
                      REQUIRED BOOLEAN open; REQUIRED INT32 day (DATE); REQUIRED INT64 at (TIMESTAMP_MILLIS); }";
        let schema = std::sync::Arc::new(parse_message_type(schema).unwrap());
        let mut body = Vec::new();
        let properties = std::sync::Arc::new(WriterProperties::builder().build());
        let mut file = SerializedFileWriter::new(&mut body, schema, properties).unwrap();
        let mut group = file.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&[1, 2], None, None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&[ByteArray::from("a")], Some(&[1, 0]), None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<DoubleType>().write_batch(&[0.5, 2.0], None, None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<BoolType>().write_batch(&[true, false], None, None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int32Type>().write_batch(&[20_454, 0], None, None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&[1_767_225_600_000, 0], None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        file.close().unwrap();

        let body = Bytes::from(body);
        let expected = [
            json!({"id": 1, "name": "a", "share": 0.5, "open": true, "day": "2026-01-01",
                "at": "2026-01-01T00:00:00.000Z"}),
            json!({"id": 2, "name": null, "share": 2.0, "open": false, "day": "1970-01-01",
                "at": "1970-01-01T00:00:00.000Z"}),
        ];
        assert_eq!(parquet(&body, usize::MAX).unwrap(), expected);
        assert_eq!(parquet(&body, 1).unwrap(), expected[..1]);
        assert!(parquet(&body.slice(..body.len() / 2), 9).is_err());
        assert!(parquet(&Bytes::from_static(b"PAR1"), 9).is_err());
    }
}
