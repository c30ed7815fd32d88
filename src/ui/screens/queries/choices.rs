//! What can be chosen here: parameters, files, texts to copy; and what is asked before a statement writes.

use crate::domain::grid::Grid;
use crate::domain::query::Query;
use crate::sql::class;
use crate::sql::parameters::{Parameter, Type};
use crate::ui::effect::Request;
use crate::ui::overlays::confirm::Confirm;
use crate::ui::overlays::pick::{Item, Pick, Question};
use crate::ui::screens::queries::sheet::{Sheet, brief};
use crate::ui::screens::queries::statement::Statement;
use crate::ui::world::World;

/// The value of one parameter; its type is said where it is not plain text.
pub fn parameter(statement: &Statement, world: &World, parameter: &Parameter) -> Pick {
    let kind = match parameter.kind {
        Type::Text => "",
        Type::Integer => ", a whole number",
        Type::Number => ", a number",
        Type::Date => ", a date as YYYY-MM-DD",
        Type::Name => ", a name",
    };
    let title = format!("{}{kind}", parameter.name);
    let mut examples = Vec::new();
    let present = statement.value(parameter, world);
    if parameter.kind == Type::Date {
        let today = world.zone().date(world.now);
        examples.push(Item::new(world.as_of.to_string(), "as of", world.as_of.to_string()));
        if today != world.as_of {
            examples.push(Item::new(today.to_string(), "today", today.to_string()));
        }
    }
    if let Some(default) = parameter.default.as_ref().filter(|default| present.as_ref() != Some(*default)) {
        examples.push(Item::new(default.clone(), "the query's own default", default.clone()));
    }
    let question = Question::Parameter(parameter.name.clone());
    Pick::text(title, question, &present.unwrap_or_default(), examples)
}

/// Which parameter to change.
pub fn parameters(statement: &Statement, world: &World) -> Option<Pick> {
    let all = statement.parameters();
    let item = |parameter: &Parameter| {
        let value = statement.value(parameter, world).unwrap_or_else(|| "not filled in".to_owned());
        Item::new(parameter.name.clone(), parameter.name.clone(), brief(&value).into_owned())
    };
    // Those that a person would change come before the names of the settings.
    let (names, values): (Vec<_>, Vec<_>) =
        all.iter().partition(|parameter| matches!(parameter.kind, Type::Name));
    let items: Vec<Item> = values.into_iter().chain(names).map(item).collect();
    (!items.is_empty()).then(|| Pick::among("Change a parameter", Question::Other("parameter"), items))
}

/// Names to write a result to; the ending chooses the format.
pub fn export(name: &str, sheet: &Sheet, world: &World) -> Pick {
    let base = format!("{name}-{}", world.zone().date(world.now));
    let file = |ending: &str| format!("{base}.{ending}");
    let examples = [
        ("csv", "a table for a spreadsheet"),
        ("json", "an array of records"),
        ("ndjson", "one record a line"),
        ("md", "a table for a document"),
    ];
    let items = examples.map(|(ending, label)| Item::new(file(ending), label, file(ending)));
    let title = format!("Write the {} shown to", sheet.count());
    Pick::text(title, Question::Export, &file("csv"), items.to_vec())
}

/// A statement that writes waits for a yes: everywhere when it takes something away.
pub fn confirm(sql: &str, world: &World) -> Confirm {
    let takes_away = class::takes_away(sql);
    let title = if takes_away {
        "Run a statement that takes something away?"
    } else {
        "Run a statement that writes?"
    };
    let mut confirm = Confirm::new(title, "Run", Request::StartQuery { sql: sql.to_owned() });
    const MOST: usize = 8;
    for line in sql.lines().take(MOST) {
        confirm = confirm.line(brief(line).into_owned());
    }
    if sql.lines().count() > MOST {
        confirm = confirm.line("…");
    }
    confirm = confirm.line(format!("in database {}", world.setup.database));
    if takes_away { confirm.always() } else { confirm }
}

/// What of a result can be copied.
pub fn copies(sheet: &Sheet, query: &Query, sql: &str, world: &World) -> Pick {
    let mut items = Vec::new();
    let line = sheet.row.selected;
    if let Some(row) = sheet.row_of(line).and_then(|row| sheet.grid.rows.get(row)) {
        if let Some(Some(cell)) = row.get(sheet.column) {
            items.push(Item::new(cell.clone(), "the value", ""));
        }
        let cells: Vec<&str> = row.iter().map(|cell| cell.as_deref().unwrap_or_default()).collect();
        items.push(Item::new(cells.join("\t"), "the row, between tabs", ""));
        items.push(Item::new(record(&sheet.grid, row), "the row as JSON", ""));
        if sheet.len() <= 10_000 {
            items.push(Item::new(column(sheet), "the column, a value a line", ""));
        }
    }
    items.extend(of_query(query, sql, world));
    Pick::among("Copy", Question::CopyMore, items)
}

/// What of a query can be copied.
pub fn query_copies(query: &Query, sql: &str, world: &World) -> Pick {
    Pick::among("Copy", Question::CopyMore, of_query(query, sql, world))
}

/// What of a statement can be copied.
pub fn statement_copies(sql: &str, world: &World) -> Pick {
    let items = vec![
        Item::new(sql, "the statement", ""),
        Item::new(start_command(sql, world), "the AWS CLI command that runs it", ""),
    ];
    Pick::among("Copy", Question::CopyMore, items)
}

fn of_query(query: &Query, sql: &str, world: &World) -> Vec<Item> {
    let region = &world.setup.region;
    let mut items = vec![
        Item::new(sql, "the statement", ""),
        Item::new(query.id.clone(), "the query's id", ""),
        Item::new(start_command(sql, world), "the AWS CLI command that runs it", ""),
        Item::new(
            format!("aws athena get-query-results --region {region} --query-execution-id {}", query.id),
            "the AWS CLI command for its result",
            "",
        ),
    ];
    if let Some(place) = &query.output_location {
        let command = format!("aws s3 cp --region {region} {} -", quoted(place));
        items.push(Item::new(place.clone(), "the address of its result", ""));
        items.push(Item::new(command, "the AWS CLI command that reads all of it", ""));
    }
    if let Some(reason) = &query.reason {
        items.push(Item::new(reason.clone(), "what Athena says of it", ""));
    }
    items
}

/// The equivalent of running it here.
fn start_command(sql: &str, world: &World) -> String {
    let setup = &world.setup;
    format!(
        "aws athena start-query-execution --region {} --work-group {} --query-execution-context {} \
         --result-configuration {} --query-string {}",
        setup.region,
        quoted(&setup.workgroup),
        quoted(&format!("Database={}", setup.database)),
        quoted(&format!("OutputLocation=s3://{}/athena-results/", setup.bucket)),
        quoted(sql),
    )
}

/// A word for a POSIX shell.
fn quoted(text: &str) -> String {
    let plain =
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:=@%+".contains(c));
    if plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn record(grid: &Grid, row: &[Option<String>]) -> String {
    use crate::domain::grid::Kind;
    use serde_json::{Map, Value};
    let members = grid.columns.iter().zip(row).map(|(column, cell)| {
        let value = match (cell, column.kind) {
            (None, _) => Value::Null,
            (Some(text), Kind::Number | Kind::Boolean) => {
                serde_json::from_str(text).unwrap_or_else(|_| text.clone().into())
            }
            (Some(text), _) => text.clone().into(),
        };
        (column.name.clone(), value)
    });
    Value::Object(members.collect::<Map<_, _>>()).to_string()
}

fn column(sheet: &Sheet) -> String {
    let cells = (0..sheet.len()).filter_map(|line| sheet.cell(line, sheet.column));
    cells.map(Option::unwrap_or_default).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::screens::queries::tests::world;

    #[test]
    fn the_command_survives_a_shell() {
        assert_eq!(quoted("it's"), "'it'\\''s'");
        let command = start_command("SELECT 'a' FROM t", &world());
        assert!(command.ends_with("--query-string 'SELECT '\\''a'\\'' FROM t'"), "{command}");
        assert!(command.contains("--query-execution-context Database=healthcare_pipeline "), "{command}");
    }

    #[test]
    fn what_takes_something_away_asks_everywhere() {
        assert!(confirm("DROP TABLE t", &world()).always);
        let confirm = confirm("INSERT INTO t SELECT 1", &world());
        assert!(!confirm.always && confirm.lines.contains(&"INSERT INTO t SELECT 1".to_owned()));
    }
}
