//! The engine's own messages in Trino's words. What is not known here keeps the engine's words.

use super::errors::unresolved;
use crate::local::athena::failure::{Failure, Spot};
use crate::sql::lexer::{Kind, lex};

fn between<'a>(text: &'a str, a: &str, b: &str) -> Option<&'a str> {
    let rest = &text[text.find(a)? + a.len()..];
    Some(&rest[..rest.find(b)?])
}

/// The place of the last token that is this word or number.
pub fn last(word: &str, sql: &str) -> Option<Spot> {
    let tokens = lex(sql);
    let found = tokens.iter().rfind(|t| t.kind != Kind::Comment && t.of(sql).eq_ignore_ascii_case(word))?;
    Some(Spot::of(sql, found.start))
}

fn placed(failure: Failure, word: &str, sql: &str) -> Failure {
    match last(word, sql) {
        Some(spot) => failure.at(spot),
        None => failure,
    }
}

/// Trino's name of a type of the engine.
fn type_name(engine: &str) -> &str {
    match engine {
        "Int8" => "tinyint",
        "Int16" => "smallint",
        "Int32" => "integer",
        "Int64" | "UInt64" => "bigint",
        "Float32" => "real",
        "Float64" => "double",
        "Utf8" => "varchar",
        "LargeUtf8" => "json",
        "Date32" => "date",
        other => other,
    }
}

/// A message of the engine as a failure of Athena.
pub fn failure(text: &str, sql: &str) -> Failure {
    if let Some(name) = between(text, "Invalid function '", "'") {
        return Failure::new("FUNCTION_NOT_FOUND", format!("Function '{name}' not registered"));
    }
    if text.contains("must be in GROUP BY") || text.contains("must appear in the GROUP BY") {
        let name = between(text, "column \"", "\"").unwrap_or_default();
        let name = name.rsplit('.').next().unwrap_or_default();
        return Failure::new(
            "EXPRESSION_NOT_AGGREGATE",
            format!("'{name}' must be an aggregate expression or appear in GROUP BY clause"),
        );
    }
    if text.contains("No field named") || text.contains("not found in struct") {
        let name = between(text, "No field named ", ".").or_else(|| between(text, "field ", " not"));
        return unresolved(name.unwrap_or_default().trim_matches(['"', '\'']), sql);
    }
    if let Some(position) = between(text, "out of bounds, specified: ", ",") {
        let message = format!("ORDER BY position {position} is not in select list");
        return placed(Failure::new("INVALID_COLUMN_REFERENCE", message), position, sql);
    }
    if let Some(position) = between(text, "Cannot find column with position ", " in SELECT") {
        let message = format!("GROUP BY position {position} is not in select list");
        return placed(Failure::new("INVALID_COLUMN_REFERENCE", message), position, sql);
    }
    if let Some(predicate) = between(text, "non-boolean predicate '", "'") {
        let kind = text.rsplit("returning ").next().unwrap_or_default();
        let message = format!("WHERE clause must evaluate to a boolean: actual type {}", type_name(kind));
        let name = predicate.rsplit('.').next().unwrap_or_default();
        return placed(Failure::new("TYPE_MISMATCH", message), name, sql);
    }
    if let Some(kind) = text.split("'NOT' requires a boolean expression, got ").nth(1) {
        let message = format!(
            "Value of logical NOT expression must evaluate to a boolean (actual: {})",
            type_name(kind.trim())
        );
        return placed(Failure::new("TYPE_MISMATCH", message), "NOT", sql);
    }
    if text.contains("queries have different number of columns") {
        let which = text.split(' ').find(|w| ["UNION", "EXCEPT", "INTERSECT"].contains(w)).unwrap_or("UNION");
        let failure = Failure::new("TYPE_MISMATCH", format!("{which} query has different number of fields"));
        return placed(failure, which, sql);
    }
    if let Some(name) = between(text, "Unsupported compound identifier '", "'") {
        let plain = name.replace('"', "");
        let failure = Failure::syntax(format!("Too many dots in table name: {plain}"));
        return placed(failure, plain.split('.').next().unwrap_or_default(), sql);
    }
    if let Some(count) = between(text, "Source table contains ", " columns but only ") {
        let names = between(text, "columns but only ", " names").unwrap_or_default();
        let message =
            format!("Column alias list has {names} entries but relation has {count} columns available");
        return Failure::new("MISMATCHED_COLUMN_ALIASES", message);
    }
    if text.contains("Aggregate functions are not allowed in the WHERE clause") {
        let message = "WHERE clause cannot contain aggregations, window functions or grouping operations";
        return placed(Failure::new("EXPRESSION_NOT_SCALAR", message), "WHERE", sql);
    }
    if text.contains("calls cannot be nested") {
        let outer = text.rsplit("inside '").next().and_then(|o| o.split('(').next()).unwrap_or_default();
        return placed(
            Failure::new(
                "NESTED_AGGREGATION",
                format!("Cannot nest aggregations inside aggregation '{outer}'"),
            ),
            outer,
            sql,
        );
    }
    if text.to_lowercase().contains("divide by zero") {
        return Failure::new("DIVISION_BY_ZERO", "Division by zero");
    }
    if text.to_lowercase().contains("overflow") {
        return Failure::new("NUMERIC_VALUE_OUT_OF_RANGE", text);
    }
    if text.contains("ore than one row") {
        return Failure::new("SUBQUERY_MULTIPLE_ROWS", "Scalar sub-query has returned multiple rows");
    }
    Failure::syntax(text.lines().next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_named_and_placed() {
        let text = "Error during planning: Order by column out of bounds, specified: 5, max: 1";
        let found = failure(text, "SELECT id FROM t ORDER BY 5");
        assert_eq!(
            found.to_string(),
            "INVALID_COLUMN_REFERENCE: line 1:27: ORDER BY position 5 is not in select list"
        );
    }
}
