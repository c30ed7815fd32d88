//! information_schema, made from the catalog when a query asks for it.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;

use super::{arrow, functions};
use crate::local::athena::catalog::{Catalog, Table};
use crate::local::athena::failure::Failure;
use crate::local::athena::partitions as names;

const CATALOG: &str = "awsdatacatalog";

pub fn table(catalog: &Catalog, name: &str) -> Result<Arc<dyn TableProvider>, Failure> {
    let names = match name {
        "schemata" => vec!["catalog_name", "schema_name"],
        "tables" => vec!["table_catalog", "table_schema", "table_name", "table_type"],
        "views" => vec!["table_catalog", "table_schema", "table_name", "view_definition"],
        "columns" => {
            vec![
                "table_catalog",
                "table_schema",
                "table_name",
                "column_name",
                "is_nullable",
                "data_type",
                "comment",
                "extra_info",
            ]
        }
        other => {
            return Err(Failure::new(
                "TABLE_NOT_FOUND",
                format!("Table '{CATALOG}.information_schema.{other}' does not exist"),
            ));
        }
    };
    let mut rows: Vec<Vec<Option<String>>> = Vec::new();
    let mut positions = Vec::new();
    for database in catalog.databases()? {
        let of = |cells: &[Option<&str>]| -> Vec<Option<String>> {
            [Some(CATALOG), Some(&database.name)].iter().chain(cells).map(|c| c.map(str::to_owned)).collect()
        };
        if name == "schemata" {
            rows.push(of(&[]));
            continue;
        }
        for table in catalog.tables(&database.name)? {
            match name {
                "tables" => rows.push(of(&[
                    Some(&table.name),
                    Some(if table.is_view() { "VIEW" } else { "BASE TABLE" }),
                ])),
                "views" if table.is_view() => rows.push(of(&[Some(&table.name), table.view.as_deref()])),
                "columns" => {
                    let partition = table.partitioned_by.iter().map(|c| (c, Some("partition key")));
                    let columns = table.columns.iter().map(|c| (c, None)).chain(partition);
                    for (n, (column, extra)) in columns.enumerate() {
                        let kind = column.read()?.trino();
                        let comment = column.comment.as_deref();
                        rows.push(of(&[
                            Some(&table.name),
                            Some(&column.name),
                            Some("YES"),
                            Some(&kind),
                            comment,
                            extra,
                        ]));
                        positions.push(n as i64 + 1);
                    }
                }
                _ => {}
            }
        }
    }
    let mut columns: Vec<(&str, ArrayRef)> = names
        .iter()
        .enumerate()
        .map(|(n, name)| {
            let cells: StringArray = rows.iter().map(|row| row[n].as_deref()).collect();
            (*name, Arc::new(cells) as ArrayRef)
        })
        .collect();
    if name == "columns" {
        columns.insert(4, ("ordinal_position", Arc::new(Int64Array::from(positions))));
    }
    let wrong = |e: String| Failure::internal(e);
    let nullable = columns.into_iter().map(|(name, array)| (name, array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(nullable).map_err(|e| wrong(e.to_string()))?;
    let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).map_err(|e| wrong(e.to_string()))?;
    Ok(Arc::new(table))
}

/// `"table$partitions"`: the values of a table's partitions, a row each.
/// <https://docs.aws.amazon.com/athena/latest/ug/show-partitions.html>
pub fn partitions(catalog: &Catalog, table: &Table) -> Result<Arc<dyn TableProvider>, Failure> {
    let found = catalog.partitions(&table.database, &table.name)?;
    let wrong = |e: String| Failure::internal(e);
    let mut columns: Vec<(&str, ArrayRef, bool)> = Vec::new();
    for (n, column) in table.partitioned_by.iter().enumerate() {
        let values: StringArray = found
            .iter()
            .map(|p| p.values.get(n).map(String::as_str).filter(|value| *value != names::NULL))
            .collect();
        let values: ArrayRef = Arc::new(values);
        let values = functions::convert(&values, &arrow::to(&column.read()?), true)?;
        columns.push((&column.name, values, true));
    }
    let batch = RecordBatch::try_from_iter_with_nullable(columns).map_err(|e| wrong(e.to_string()))?;
    let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).map_err(|e| wrong(e.to_string()))?;
    Ok(Arc::new(table))
}
