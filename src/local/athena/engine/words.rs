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

/// A WHERE or HAVING that is neither true nor false. The predicate is spelled as the engine has it: `t.a`, or
/// `Int32(1)`.
fn predicate_of(text: &str, predicate: &str, sql: &str) -> Failure {
    let kind = type_name(text.rsplit("returning ").next().unwrap_or_default());
    let literal = predicate.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    let name = literal.unwrap_or_else(|| predicate.rsplit('.').next().unwrap_or_default());
    let tokens: Vec<_> = lex(sql).into_iter().filter(|t| t.kind != Kind::Comment).collect();
    let is_clause = |n: usize| ["WHERE", "HAVING"].iter().any(|w| tokens[n].of(sql).eq_ignore_ascii_case(w));
    let at = tokens.iter().rposition(|t| t.of(sql).trim_matches(['"', '\'']).eq_ignore_ascii_case(name));
    let clause = (0..at.unwrap_or(tokens.len())).rfind(|n| is_clause(*n));
    let word = clause.map_or_else(|| "WHERE".to_owned(), |n| tokens[n].of(sql).to_uppercase());
    let failure = Failure::new(
        "TYPE_MISMATCH",
        format!("{word} clause must evaluate to a boolean: actual type {kind}"),
    );
    match tokens.get(at.or(clause.map(|n| n + 1)).unwrap_or_default()) {
        Some(token) => failure.at(Spot::of(sql, token.start)),
        None => failure,
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
        return predicate_of(text, predicate, sql);
    }
    if let Some(kind) = text.split("Join condition must be boolean type, but got ").nth(1) {
        let message =
            format!("JOIN ON clause must evaluate to a boolean: actual type {}", type_name(kind.trim()));
        return placed(Failure::new("TYPE_MISMATCH", message), "ON", sql);
    }
    if let Some(kind) = text.split("'NOT' requires a boolean expression, got ").nth(1) {
        let message = format!(
            "Value of logical NOT expression must evaluate to a boolean (actual: {})",
            type_name(kind.trim())
        );
        return placed(Failure::new("TYPE_MISMATCH", message), "NOT", sql);
    }
    if text.contains("For SELECT DISTINCT, ORDER BY expressions") {
        let message = "For SELECT DISTINCT, ORDER BY expressions must appear in select list";
        return placed(Failure::new("EXPRESSION_NOT_IN_DISTINCT", message), "SELECT", sql);
    }
    if let Some((_, qualifier)) = text.split_once("Invalid qualifier ") {
        let name = qualifier.rsplit('.').next().unwrap_or_default().trim_matches('"');
        let message = format!("Unable to resolve reference {name}");
        let failure = Failure::new("TABLE_NOT_FOUND", message);
        let tokens: Vec<_> = lex(sql).into_iter().filter(|t| t.kind != Kind::Comment).collect();
        let star = tokens.windows(3).find(|three| {
            let [of, dot, all] = three else { return false };
            of.of(sql).trim_matches('"').eq_ignore_ascii_case(name)
                && dot.of(sql) == "."
                && all.of(sql) == "*"
        });
        return match star {
            Some(three) => failure.at(Spot::of(sql, three[0].start)),
            None => placed(failure, name, sql),
        };
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
    if let Some((_, columns)) = text.split_once("The subquery should only return one column: ") {
        let count = columns.split(", ").count();
        let message = format!("Multiple columns returned by subquery are not yet supported. Found {count}");
        return Failure::unsupported(message);
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
    if let Some(value) = between(text, "overflow on abs(", ")") {
        let kind = type_name(between(text, "error: ", "Array").unwrap_or_default());
        let message = format!("Value {value} is out of range for abs({kind})");
        return Failure::new("NUMERIC_VALUE_OUT_OF_RANGE", message);
    }
    if text.to_lowercase().contains("overflow") {
        return Failure::new("NUMERIC_VALUE_OUT_OF_RANGE", text);
    }
    if text.contains("ore than one row") {
        return Failure::new("SUBQUERY_MULTIPLE_ROWS", "Scalar sub-query has returned multiple rows");
    }
    Failure::syntax(plain(text))
}

/// The first line of a text, up to where the engine begins to show its own tree: `Function { name: …`.
pub fn plain(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    let Some((before, _)) = line.split_once('{') else { return line };
    let before = before.trim_end();
    let cut = before.rfind(' ').map_or("", |at| &before[..at]);
    if cut.is_empty() { "this part of the statement is not supported" } else { cut }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predicates_are_placed() {
        let text = "Cannot create filter with non-boolean predicate 'Int32(1)' returning Int32";
        let found = failure(text, "SELECT 1 FROM t WHERE 1");
        assert_eq!(
            found.to_string(),
            "TYPE_MISMATCH: line 1:23: WHERE clause must evaluate to a boolean: actual type integer"
        );
        let found = failure(text, "SELECT 1 FROM t GROUP BY a HAVING 1");
        assert!(found.to_string().starts_with("TYPE_MISMATCH: line 1:35: HAVING clause"), "{found}");
    }

    #[test]
    fn the_engines_trees_are_not_shown() {
        assert_eq!(
            plain("Unsupported ast node Lambda(LambdaFunction { params: Many([..."),
            "Unsupported ast node"
        );
        assert_eq!(plain("Nope"), "Nope");
        let text = "Error during planning: Join condition must be boolean type, but got Int32";
        assert_eq!(
            failure(text, "SELECT 1 FROM a JOIN b ON 1").to_string(),
            "TYPE_MISMATCH: line 1:24: JOIN ON clause must evaluate to a boolean: actual type integer"
        );
    }

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
