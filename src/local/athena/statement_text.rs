//! A table as the statement that makes it.

use super::catalog::{Column, Table};

/// The lines of SHOW CREATE TABLE.
pub fn create_table(table: &Table) -> Vec<String> {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let column = |c: &Column, last: bool| {
        let comment = c.comment.as_ref().map(|t| format!(" COMMENT {}", quoted(t))).unwrap_or_default();
        format!("  `{}` {}{comment}{}", c.name, c.kind, if last { ")" } else { ", " })
    };
    let columns = |columns: &[Column]| -> Vec<String> {
        columns.iter().enumerate().map(|(n, c)| column(c, n + 1 == columns.len())).collect()
    };
    let pairs = |out: &mut Vec<String>, pairs: &[(String, String)]| {
        for (n, (key, value)) in pairs.iter().enumerate() {
            let end = if n + 1 == pairs.len() { ") " } else { ", " };
            out.push(format!("  {}={}{end}", quoted(key), quoted(value)));
        }
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
    if let Some(serde) = &table.serde {
        out.push("ROW FORMAT SERDE ".into());
        out.push(format!("  {} ", quoted(serde)));
        if !table.serde_properties.is_empty() {
            out.push("WITH SERDEPROPERTIES ( ".into());
            pairs(&mut out, &table.serde_properties);
        }
    }
    match (&table.stored_as, &table.input_format, &table.output_format) {
        (Some(format), ..) => out.push(format!("STORED AS {format}")),
        (None, Some(input), Some(output)) => {
            out.push("STORED AS INPUTFORMAT ".into());
            out.push(format!("  {} ", quoted(input)));
            out.push("OUTPUTFORMAT ".into());
            out.push(format!("  {}", quoted(output)));
        }
        _ => {}
    }
    out.push("LOCATION".into());
    out.push(format!("  {}", quoted(&table.location)));
    if !table.properties.is_empty() {
        out.push("TBLPROPERTIES (".into());
        pairs(&mut out, &table.properties);
    }
    out
}
