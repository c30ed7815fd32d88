//! A table as the statement that makes it.

use crate::local::athena::catalog::{Column, Table};
use crate::local::athena::storage;

/// A column's comment. SerDes that make the columns themselves say so, as Hive shows it.
pub fn comment<'a>(table: &Table, column: &'a Column) -> Option<&'a str> {
    let native = table.serde.as_deref().is_none_or(|serde| {
        serde == storage::LAZY_SIMPLE || serde.contains(".parquet.") || serde.contains(".orc.")
    });
    let partition = table.partitioned_by.iter().any(|c| c.name == column.name);
    match &column.comment {
        Some(comment) => Some(comment),
        None if native || partition || table.is_view() => None,
        None => Some("from deserializer"),
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        match c {
            '\'' => out.push_str("\\'"),
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c if c.is_ascii_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

/// The properties that ROW FORMAT DELIMITED stands for, with its clauses.
const CLAUSES: [(&str, &str); 6] = [
    ("field.delim", "FIELDS TERMINATED BY"),
    ("escape.delim", "ESCAPED BY"),
    ("colelction.delim", "COLLECTION ITEMS TERMINATED BY"),
    ("mapkey.delim", "MAP KEYS TERMINATED BY"),
    ("line.delim", "LINES TERMINATED BY"),
    ("serialization.null.format", "NULL DEFINED AS"),
];

/// The lines of SHOW CREATE TABLE.
pub fn create_table(table: &Table) -> Vec<String> {
    let columns = |columns: &[Column]| -> Vec<String> {
        let line = |(n, c): (usize, &Column)| {
            let comment = comment(table, c).map(|t| format!(" COMMENT {}", quoted(t))).unwrap_or_default();
            format!("  `{}` {}{comment}{}", c.name, c.kind, if n + 1 == columns.len() { ")" } else { ", " })
        };
        columns.iter().enumerate().map(line).collect()
    };
    let mut out = vec![format!("CREATE EXTERNAL TABLE `{}.{}`(", table.database, table.name)];
    out.extend(columns(&table.columns));
    if let Some(comment) = &table.comment {
        out.push(format!("COMMENT {}", quoted(comment)));
    }
    if !table.partitioned_by.is_empty() {
        out.push("PARTITIONED BY ( ".into());
        out.extend(columns(&table.partitioned_by));
    }
    let property = |name: &str| table.serde_properties.iter().find(|(key, _)| key == name);
    let lazy = table.serde.as_deref() == Some(storage::LAZY_SIMPLE);
    match &table.serde {
        Some(_) if lazy && property("field.delim").is_some() => {
            out.push("ROW FORMAT DELIMITED ".into());
            let clauses = CLAUSES.iter().filter_map(|(name, clause)| {
                property(name).map(|(_, value)| format!("  {clause} {} ", quoted(value)))
            });
            out.extend(clauses);
        }
        Some(serde) => {
            out.extend(["ROW FORMAT SERDE ".into(), format!("  {} ", quoted(serde))]);
            if !table.serde_properties.is_empty() {
                out.push("WITH SERDEPROPERTIES ( ".into());
                pairs(&mut out, &table.serde_properties);
            }
        }
        None => {}
    }
    match (&table.stored_as, &table.input_format, &table.output_format) {
        (Some(format), ..) => out.push(format!("STORED AS {format}")),
        (None, Some(input), Some(output)) => out.extend([
            "STORED AS INPUTFORMAT ".into(),
            format!("  {} ", quoted(input)),
            "OUTPUTFORMAT ".into(),
            format!("  {}", quoted(output)),
        ]),
        _ => {}
    }
    out.extend(["LOCATION".into(), format!("  {}", quoted(&table.location))]);
    if !table.properties.is_empty() {
        out.push("TBLPROPERTIES (".into());
        pairs(&mut out, &table.properties);
    }
    out
}

fn pairs(out: &mut Vec<String>, pairs: &[(String, String)]) {
    for (n, (key, value)) in pairs.iter().enumerate() {
        let end = if n + 1 == pairs.len() { ") " } else { ", " };
        out.push(format!("  {}={}{end}", quoted(key), quoted(value)));
    }
}
