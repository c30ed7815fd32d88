//! What there is: databases and tables.

use serde_json::{Value, json};

use super::catalog::{Catalog, Column, Database, Table};
use super::failure::Failure;
use super::hive;
use super::operations::{CATALOG, invalid};
use super::record::engine_version;
use crate::local::fault::Fault;

/// Answers an operation of this file; `None` for any other.
pub fn answer(catalog: &Catalog, operation: &str, input: &Value) -> Option<Result<Value, Fault>> {
    let text = |name: &str| input[name].as_str();
    const OF_ONE: [&str; 4] = ["ListDatabases", "GetDatabase", "ListTableMetadata", "GetTableMetadata"];
    if let Some(other) = text("CatalogName").filter(|name| !name.eq_ignore_ascii_case(CATALOG))
        && OF_ONE.contains(&operation)
    {
        return Some(Err(invalid(format!("Catalog {other} was not found."))));
    }
    Some(match operation {
        "ListEngineVersions" => Ok(json!({ "EngineVersions": [engine_version()] })),
        "ListDatabases" => databases(catalog, input),
        "GetDatabase" => match text("DatabaseName") {
            Some(name) => {
                found(catalog.database(&name.to_lowercase()), || format!("Database {name} not found."))
                    .map(|d| json!({ "Database": database(&d) }))
            }
            None => Err(invalid("DatabaseName is missing")),
        },
        "ListTableMetadata" => tables(catalog, input),
        "GetTableMetadata" => match (text("DatabaseName"), text("TableName")) {
            (Some(of), Some(name)) => found(catalog.table(&of.to_lowercase(), &name.to_lowercase()), || {
                format!("Table {name} not found.")
            })
            .map(|t| json!({ "TableMetadata": table(&t) })),
            _ => Err(invalid("DatabaseName or TableName is missing")),
        },
        _ => return None,
    })
}

fn found<T>(found: Result<Option<T>, Failure>, missing: impl FnOnce() -> String) -> Result<T, Fault> {
    found?
        .ok_or_else(|| Fault::client("MetadataException", format!("EntityNotFoundException: {}", missing())))
}

/// How many a page has; 50 unless fewer are asked for.
pub fn most(asked: Option<u64>) -> Result<usize, Fault> {
    match asked.unwrap_or(50) {
        n @ 0..=50 => Ok((n as usize).max(1)),
        n => Err(invalid(format!(
            "1 validation error detected: Value '{n}' at 'maxResults' failed to satisfy constraint: Member must have \
             value less than or equal to 50"
        ))),
    }
}

/// One page of what `all` holds; the token is the number of those before it.
pub fn page(all: &[Value], input: &Value, name: &str) -> Result<Value, Fault> {
    let from: usize = match input["NextToken"].as_str() {
        Some(token) => token.parse().map_err(|_| invalid("Invalid NextToken"))?,
        None => 0,
    };
    let most = most(input["MaxResults"].as_u64())?;
    let rest = all.get(from..).unwrap_or_default();
    let mut answer = json!({ name: rest.iter().take(most).collect::<Vec<_>>() });
    if rest.len() > most {
        answer["NextToken"] = json!((from + most).to_string());
    }
    Ok(answer)
}

fn databases(catalog: &Catalog, input: &Value) -> Result<Value, Fault> {
    let all: Vec<Value> = catalog.databases()?.iter().map(database).collect();
    page(&all, input, "DatabaseList")
}

fn database(of: &Database) -> Value {
    let mut answer = json!({ "Name": of.name, "Parameters": {} });
    if let Some(comment) = &of.comment {
        answer["Description"] = json!(comment);
    }
    answer
}

fn tables(catalog: &Catalog, input: &Value) -> Result<Value, Fault> {
    let Some(name) = input["DatabaseName"].as_str().map(str::to_lowercase) else {
        return Err(invalid("DatabaseName is missing"));
    };
    found(catalog.database(&name), || format!("Database {name} not found."))?;
    let wanted = input["Expression"].as_str().filter(|e| !e.is_empty());
    let all: Vec<Value> = catalog
        .tables(&name)?
        .iter()
        .filter(|t| wanted.is_none_or(|pattern| hive::matches(pattern, &t.name)))
        .map(table)
        .collect();
    page(&all, input, "TableMetadataList")
}

fn table(of: &Table) -> Value {
    let column = |c: &Column| {
        let mut answer = json!({ "Name": c.name, "Type": c.kind });
        if let Some(comment) = &c.comment {
            answer["Comment"] = json!(comment);
        }
        answer
    };
    let mut parameters = serde_json::Map::new();
    parameters.insert("EXTERNAL".into(), json!("TRUE"));
    if !of.is_view() {
        parameters.insert("location".into(), json!(of.location));
        parameters.insert("serde.serialization.lib".into(), json!(of.serde.clone().unwrap_or_default()));
        parameters.insert(
            "inputformat".into(),
            json!(of.input_format.as_deref().unwrap_or("org.apache.hadoop.mapred.TextInputFormat")),
        );
        for (key, value) in &of.serde_properties {
            parameters.insert(format!("serde.param.{key}"), json!(value));
        }
    }
    for (key, value) in &of.properties {
        parameters.insert(key.clone(), json!(value));
    }
    json!({
        "Name": of.name,
        "CreateTime": of.created as f64,
        "LastAccessTime": 0.0,
        "TableType": if of.is_view() { "VIRTUAL_VIEW" } else { "EXTERNAL_TABLE" },
        "Columns": of.columns.iter().map(column).collect::<Vec<_>>(),
        "PartitionKeys": of.partitioned_by.iter().map(column).collect::<Vec<_>>(),
        "Parameters": parameters,
    })
}
