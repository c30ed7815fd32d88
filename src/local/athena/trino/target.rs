//! What a `WITH (…)` list says of the files that are to be written.

use super::{Options, Value};
use crate::local::athena::catalog::{Column, Table};
use crate::local::athena::failure::Failure;
use crate::local::athena::storage;
use crate::local::athena::types::Type;

/// The files of CTAS or UNLOAD.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Target {
    /// `PARQUET`, `JSON` or `TEXTFILE`.
    pub format: String,
    pub compression: Option<String>,
    /// `s3://bucket/prefix/`
    pub location: Option<String>,
    pub partitioned_by: Vec<String>,
    delimiter: Option<String>,
    null: Option<String>,
}

/// Keys that CTAS and UNLOAD take, and those of them that say nothing about the files here.
const CTAS: &[&str] = &[
    "format",
    "external_location",
    "partitioned_by",
    "bucketed_by",
    "bucket_count",
    "write_compression",
    "parquet_compression",
    "orc_compression",
    "compression_level",
    "field_delimiter",
    "null_format",
    "table_type",
    "is_external",
];
const UNLOAD: &[&str] = &["format", "partitioned_by", "compression", "compression_level", "field_delimiter"];

fn refused(why: impl Into<String>) -> Failure {
    Failure::new("INVALID_TABLE_PROPERTY", why)
}

impl Target {
    pub fn of_table(options: &Options) -> Result<Target, Failure> {
        let target = Target::read(options, CTAS, "table property")?;
        let target = Target { format: target.format.clone(), ..target };
        Ok(if target.format.is_empty() { Target { format: "PARQUET".into(), ..target } } else { target })
    }

    pub fn of_unload(options: &Options) -> Result<Target, Failure> {
        let target = Target::read(options, UNLOAD, "UNLOAD property")?;
        if target.format.is_empty() {
            return Err(refused("UNLOAD property 'format' is missing: PARQUET, JSON or TEXTFILE"));
        }
        Ok(target)
    }

    fn read(options: &Options, known: &[&str], what: &str) -> Result<Target, Failure> {
        let mut target = Target::default();
        for (key, value) in options {
            if !known.contains(&key.as_str()) {
                return Err(refused(format!("Catalog 'awsdatacatalog' {what} '{key}' does not exist")));
            }
            match (key.as_str(), value) {
                ("partitioned_by", Value::Many(names)) => {
                    target.partitioned_by = names.iter().map(|n| n.to_lowercase()).collect();
                }
                ("bucketed_by", Value::Many(_)) => {}
                (_, Value::Many(_)) | ("partitioned_by" | "bucketed_by", Value::One(_)) => {
                    return Err(refused(format!("Invalid value for {what} '{key}'")));
                }
                ("format", Value::One(format)) => target.format = known_format(format)?,
                ("table_type", Value::One(kind)) if kind.eq_ignore_ascii_case("iceberg") => {
                    return Err(Failure::unsupported("the local cloud does not make Iceberg tables"));
                }
                ("external_location", Value::One(at)) => target.location = Some(at.clone()),
                ("write_compression" | "parquet_compression" | "compression", Value::One(name)) => {
                    target.compression = Some(name.clone());
                }
                ("field_delimiter", Value::One(text)) => target.delimiter = Some(text.clone()),
                ("null_format", Value::One(text)) => target.null = Some(text.clone()),
                _ => {}
            }
        }
        Ok(target)
    }

    /// A table of these files. Partition columns must be the last of the columns, in their order.
    pub fn table(
        &self,
        database: &str,
        name: &str,
        columns: &[(String, Type)],
        location: String,
    ) -> Result<Table, Failure> {
        let column = |(name, kind): &(String, Type)| Column {
            name: name.to_lowercase(),
            kind: kind.hive(),
            comment: None,
        };
        let mut inside: Vec<Column> = columns.iter().map(column).collect();
        for wanted in &self.partitioned_by {
            if !inside.iter().any(|c| c.name == *wanted) {
                return Err(refused(format!("Partition columns not present in schema: [{wanted}]")));
            }
        }
        let partitioned_by = inside.split_off(inside.len().saturating_sub(self.partitioned_by.len()));
        if partitioned_by.iter().map(|c| &c.name).ne(&self.partitioned_by) {
            return Err(Failure::new(
                "HIVE_COLUMN_ORDER_MISMATCH",
                format!(
                    "Partition keys must be the last columns in the table and in the same order as the table properties: [{}]",
                    self.partitioned_by.join(", ")
                ),
            ));
        }
        if inside.is_empty() {
            return Err(refused("Table contains only partition columns"));
        }
        let stored = storage::of(&self.format).unwrap_or(storage::TEXT);
        let mut serde_properties = Vec::new();
        if let Some(delimiter) = &self.delimiter {
            serde_properties
                .extend(["serialization.format", "field.delim"].map(|k| (k.to_owned(), delimiter.clone())));
        }
        if let Some(null) = &self.null {
            serde_properties.push(("serialization.null.format".into(), null.clone()));
        }
        let compression = self.compression.as_ref().map(|name| {
            let key = if self.format == "PARQUET" { "parquet.compression" } else { "write.compression" };
            (key.to_owned(), name.to_uppercase())
        });
        Ok(Table {
            database: database.to_owned(),
            name: name.to_owned(),
            columns: inside,
            partitioned_by,
            location,
            serde: Some(stored.serde.into()),
            serde_properties,
            input_format: Some(stored.input.into()),
            output_format: Some(stored.output.into()),
            properties: compression.into_iter().collect(),
            ..Table::default()
        })
    }
}

fn known_format(text: &str) -> Result<String, Failure> {
    let format = text.to_uppercase();
    match format.as_str() {
        "PARQUET" | "JSON" | "TEXTFILE" => Ok(format),
        "ORC" | "AVRO" | "RCBINARY" | "RCTEXT" | "SEQUENCEFILE" | "ION" | "ICEBERG" => {
            Err(Failure::unsupported(format!("the local cloud does not write {format} files")))
        }
        _ => Err(refused(format!(
            "Unable to set catalog 'awsdatacatalog' table property 'format' to ['{text}']"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(key: &str, value: &str) -> (String, Value) {
        (key.into(), Value::One(value.into()))
    }

    #[test]
    fn partition_columns_are_the_last() {
        let columns = [("a".to_owned(), Type::Bigint), ("B".to_owned(), Type::Varchar(None))];
        let options = |names: &[&str]| {
            vec![("partitioned_by".to_owned(), Value::Many(names.iter().map(|n| (*n).to_owned()).collect()))]
        };
        let target = Target::of_table(&options(&["b"])).unwrap();
        let table = target.table("d", "t", &columns, "s3://b/".into()).unwrap();
        assert_eq!((table.columns.len(), table.partitioned_by[0].name.as_str()), (1, "b"));
        assert_eq!(table.serde.as_deref(), Some(storage::PARQUET.serde));
        let wrong = Target::of_table(&options(&["a"])).unwrap().table("d", "t", &columns, "s3://b/".into());
        assert_eq!(wrong.unwrap_err().name, "HIVE_COLUMN_ORDER_MISMATCH");
    }

    #[test]
    fn options_that_are_not_known_are_named() {
        for options in [
            vec![one("formt", "JSON")],
            vec![one("format", "XML")],
            vec![one("format", "ORC")],
            vec![one("table_type", "ICEBERG")],
            vec![one("partitioned_by", "a")],
        ] {
            assert!(Target::of_table(&options).is_err(), "{options:?}");
        }
        assert!(Target::of_unload(&vec![]).is_err());
        assert!(
            Target::of_unload(&vec![one("external_location", "s3://b/"), one("format", "JSON")]).is_err()
        );
    }
}
