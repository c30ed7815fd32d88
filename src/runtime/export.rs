//! Writes what is shown to a file. A file that exists is never overwritten.

use std::io::Write;
use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::domain::formats::{Format, csv, json, markdown, ndjson};
use crate::domain::grid::{Grid, Kind};
use crate::domain::problem::Problem;
use crate::ui::effect::{Export, Reply};
use crate::work::export::{Row, render};

/// Writes the content in the format that the path's ending asks for; `~/` is the home folder.
pub(crate) async fn export(path: String, content: Export) -> Result<Reply, Problem> {
    let task = tokio::task::spawn_blocking(move || write(path, &content));
    task.await.unwrap_or_else(|_| Err(Problem::new("Writing stopped with a fault of the console")))
}

fn write(path: String, content: &Export) -> Result<Reply, Problem> {
    let format = Format::of_file(&path).ok_or_else(|| {
        Problem::new(format!("{path} names no format")).hint("End it with .csv, .json, .ndjson, .ics or .md")
    })?;
    let (text, rows) = match content {
        Export::Facilities { all, order, within, as_of } => {
            let entries = order.iter().filter_map(|index| all.entries.get(*index as usize));
            let rows: Vec<Row> = entries.map(|(_, facility)| Row::new(facility, *as_of)).collect();
            (render(&rows, format, *within, *as_of), rows.len())
        }
        Export::Grid { grid, order } => {
            let rows = order.iter().filter_map(|index| grid.rows.get(*index as usize)).cloned().collect();
            let shown = Grid { columns: grid.columns.clone(), rows };
            (grid_text(&shown, format)?, shown.rows.len())
        }
    };
    let failed = |error: std::io::Error| {
        let problem = Problem::new(format!("{path} was not written")).detail(error.to_string());
        match error.kind() {
            std::io::ErrorKind::AlreadyExists => problem.hint("It exists: choose another name"),
            _ => problem.hint("Choose another folder or free some space, then e again"),
        }
    };
    let place = match path.strip_prefix("~/") {
        Some(rest) => etcetera::home_dir().map_or(PathBuf::from(&path), |home| home.join(rest)),
        None => PathBuf::from(&path),
    };
    let mut file = std::fs::File::options().write(true).create_new(true).open(&place).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    Ok(Reply::Written { path, rows: rows as u64 })
}

/// A result as text; NULL is empty in tables and null in JSON.
fn grid_text(grid: &Grid, format: Format) -> Result<String, Problem> {
    let names: Vec<&str> = grid.columns.iter().map(|column| column.name.as_str()).collect();
    let cells = |row: &Vec<Option<String>>| -> Vec<String> {
        row.iter().map(|cell| cell.clone().unwrap_or_default()).collect()
    };
    let value = |row: &Vec<Option<String>>| {
        let members = grid.columns.iter().zip(row).map(|(column, cell)| {
            let value = match (cell, column.kind) {
                (None, _) => Value::Null,
                (Some(text), Kind::Number | Kind::Boolean) => {
                    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
                }
                (Some(text), _) => Value::String(text.clone()),
            };
            (column.name.clone(), value)
        });
        Value::Object(members.collect::<Map<_, _>>())
    };
    Ok(match format {
        Format::Csv => csv::write(&names, grid.rows.iter().map(cells)),
        Format::Json => json::pretty(&Value::Array(grid.rows.iter().map(value).collect())) + "\n",
        Format::Ndjson => ndjson::write(&grid.rows.iter().map(value).collect::<Vec<_>>()),
        Format::Markdown => {
            let right: Vec<bool> = grid.columns.iter().map(|column| column.kind == Kind::Number).collect();
            markdown::table(&names, &right, grid.rows.iter().map(cells))
        }
        Format::Icalendar => {
            return Err(Problem::new("A query result is no calendar")
                .hint("End the name with .csv, .json, .ndjson or .md"));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::grid::Column;

    #[test]
    fn a_grid_keeps_numbers_and_nulls() {
        let column = |name: &str, kind| Column { name: name.into(), type_name: String::new(), kind };
        let grid = Grid {
            columns: vec![column("state", Kind::Text), column("n", Kind::Number)],
            rows: vec![vec![Some("TX".into()), Some("12".into())], vec![None, None]],
        };
        assert_eq!(
            grid_text(&grid, Format::Ndjson).as_deref(),
            Ok("{\"state\":\"TX\",\"n\":12}\n{\"state\":null,\"n\":null}\n")
        );
        assert!(grid_text(&grid, Format::Icalendar).is_err());
    }
}
