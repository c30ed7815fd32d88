//! DESCRIBE, in Hive's fixed columns.

use super::{Ddl, Shown, semantic, text};
use crate::local::athena::catalog::{Column, Table};
use crate::local::athena::failure::Failure;
use crate::local::athena::hive::{Detail, Name};
use crate::local::athena::types::Type;

fn row(cells: [&str; 3]) -> String {
    cells.map(|cell| format!("{cell:<20}")).join("\t")
}

fn blank() -> String {
    "\t \t ".into()
}

impl Ddl<'_> {
    pub(super) fn describe(
        &self,
        name: &Name,
        detail: Detail,
        column: Option<&str>,
    ) -> Result<Shown, Failure> {
        let table = self.table(name)?;
        let columns = ["col_name", "data_type", "comment"].map(|n| (n.to_owned(), Type::Varchar(None)));
        let lines = match column {
            Some(path) => vec![member(&table, path)?],
            None => whole(&table, detail),
        };
        Ok(Shown { columns: columns.to_vec(), lines })
    }
}

fn line(table: &Table, column: &Column) -> String {
    row([&column.name, &column.kind, text::comment(table, column).unwrap_or_default()])
}

/// One column, or what `.$elem$`, `.$key$`, `.$value$` and fields' names lead to in it.
fn member(table: &Table, path: &str) -> Result<String, Failure> {
    let mut parts = path.split('.');
    let first = parts.next().unwrap_or_default();
    let missing = || semantic(format!("Invalid column reference {path}"));
    let all = table.columns.iter().chain(&table.partitioned_by);
    let column = all.clone().find(|c| c.name == first).ok_or_else(missing)?;
    let mut kind = column.read()?;
    let mut name = first;
    for part in parts {
        kind = match (kind, part) {
            (Type::Array(of), "$elem$") => *of,
            (Type::Map(key, _), "$key$") => *key,
            (Type::Map(_, value), "$value$") => *value,
            (Type::Row(fields), wanted) => {
                fields.into_iter().find(|(n, _)| n.as_deref() == Some(wanted)).ok_or_else(missing)?.1
            }
            _ => return Err(missing()),
        };
        name = part;
    }
    Ok(row([name, &kind.hive(), text::comment(table, column).unwrap_or_default()]))
}

fn whole(table: &Table, detail: Detail) -> Vec<String> {
    let formatted = detail == Detail::Formatted;
    let head = || row(["# col_name", "data_type", "comment"]);
    let mut shown = Vec::new();
    if formatted {
        shown.extend([head(), blank()]);
    }
    let of_table: Box<dyn Iterator<Item = &Column>> = if formatted {
        Box::new(table.columns.iter())
    } else {
        Box::new(table.columns.iter().chain(&table.partitioned_by))
    };
    shown.extend(of_table.map(|c| line(table, c)));
    if !table.partitioned_by.is_empty() {
        shown.extend([blank(), "# Partition Information\t \t ".into(), head()]);
        if formatted {
            shown.push(blank());
        }
        shown.extend(table.partitioned_by.iter().map(|c| line(table, c)));
    }
    match detail {
        Detail::Plain => {}
        Detail::Extended => shown.extend([blank(), extended(table)]),
        Detail::Formatted => shown.extend(record(table)),
    }
    shown
}

fn kind(table: &Table) -> &'static str {
    if table.is_view() { "VIRTUAL_VIEW" } else { "EXTERNAL_TABLE" }
}

fn extended(table: &Table) -> String {
    let pairs = |pairs: &[(String, String)]| {
        pairs.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(", ")
    };
    let schema = |columns: &[Column]| {
        let one = |c: &Column| {
            let comment = text::comment(table, c).unwrap_or("null");
            format!("FieldSchema(name:{}, type:{}, comment:{comment})", c.name, c.kind)
        };
        columns.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    format!(
        "Detailed Table Information\tTable(tableName:{}, dbName:{}, owner:hadoop, createTime:{}, lastAccessTime:0, \
         retention:0, sd:StorageDescriptor(cols:[{}], location:{}, inputFormat:{}, outputFormat:{}, compressed:false, \
         numBuckets:-1, serdeInfo:SerDeInfo(name:null, serializationLib:{}, parameters:{{{}}})), partitionKeys:[{}], \
         parameters:{{EXTERNAL=TRUE, {}}}, tableType:{})",
        table.name,
        table.database,
        table.created,
        schema(&table.columns),
        table.location,
        table.input_format.as_deref().unwrap_or("null"),
        table.output_format.as_deref().unwrap_or("null"),
        table.serde.as_deref().unwrap_or("null"),
        pairs(&table.serde_properties),
        schema(&table.partitioned_by),
        pairs(&table.properties),
        kind(table),
    )
}

fn record(table: &Table) -> Vec<String> {
    let fact = |name: &str, value: &str| row([name, value, ""]).trim_end_matches(' ').to_owned() + " ";
    let heading = |name: &str| format!("{name}\t \t ");
    let indented = |(k, v): &(String, String)| format!("\t{k:<20}\t{v:<20}");
    let created = chrono::DateTime::from_timestamp(table.created, 0).unwrap_or_default();
    let mut shown = vec![
        blank(),
        heading("# Detailed Table Information"),
        fact("Database:", &table.database),
        fact("Owner:", "hadoop"),
        fact("CreateTime:", &created.format("%a %b %d %H:%M:%S UTC %Y").to_string()),
        fact("LastAccessTime:", "UNKNOWN"),
        fact("Protect Mode:", "None"),
        fact("Retention:", "0"),
        fact("Location:", &table.location),
        fact("Table Type:", kind(table)),
        heading("Table Parameters:"),
    ];
    if !table.is_view() {
        shown.push(indented(&("EXTERNAL".into(), "TRUE".into())));
    }
    shown.extend(table.properties.iter().map(indented));
    if let Some(sql) = &table.view {
        shown.extend([blank(), heading("# View Information"), fact("View Original Text:", sql)]);
        return shown;
    }
    shown.extend([
        blank(),
        heading("# Storage Information"),
        fact("SerDe Library:", table.serde.as_deref().unwrap_or_default()),
        fact("InputFormat:", table.input_format.as_deref().unwrap_or_default()),
        fact("OutputFormat:", table.output_format.as_deref().unwrap_or_default()),
        fact("Compressed:", "No"),
        fact("Num Buckets:", "-1"),
        fact("Bucket Columns:", "[]"),
        fact("Sort Columns:", "[]"),
        heading("Storage Desc Params:"),
    ]);
    shown.extend(table.serde_properties.iter().map(indented));
    shown
}
