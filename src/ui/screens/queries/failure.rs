//! Why a query failed, for the person who has to mend it: the spot in its text, and what to try.

use crate::sql::complete::{FUNCTIONS, Table};

/// A place in a statement, line and column from 1, as Trino counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    pub line: usize,
    pub column: usize,
}

/// The spot that a reason names: `COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved`.
pub fn spot(reason: &str) -> Option<Spot> {
    reason.match_indices("line ").find_map(|(at, word)| {
        let (line, rest) = number(&reason[at + word.len()..])?;
        let (column, _) = number(rest.strip_prefix(':')?)?;
        (line > 0 && column > 0).then_some(Spot { line, column })
    })
}

fn number(text: &str) -> Option<(usize, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// What to try, for a reason in Athena's words. `None` when nothing better is known than to look again.
/// Source: the error names of Trino's StandardErrorCode, and Athena's own texts around them.
pub fn hint(reason: &str, tables: &[Table]) -> Option<String> {
    let has = |words: &[&str]| words.iter().any(|word| reason.contains(word));
    if has(&["COLUMN_NOT_FOUND", "cannot be resolved"]) {
        let columns = tables.iter().flat_map(|table| &table.columns).map(|column| column.name.as_str());
        return Some(match nearest(quoted(reason)?, columns) {
            Some(column) => format!("Did you mean {column}?"),
            None => "DESCRIBE and the table's name shows its columns".to_owned(),
        });
    }
    if has(&["TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND", "does not exist", "Table not found"]) {
        let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        let wanted = quoted(reason).and_then(|name| name.rsplit('.').next()).unwrap_or_default();
        return Some(match (nearest(wanted, names.iter().copied()), names.as_slice()) {
            (Some(table), _) => format!("Did you mean {table}?"),
            (None, []) => "`ward doctor` checks the table and its database".to_owned(),
            (None, names) => format!("The database has {}", names.join(", ")),
        });
    }
    if has(&["FUNCTION_NOT_FOUND", "not registered"]) {
        let near = quoted(reason).and_then(|name| nearest(name, FUNCTIONS.iter().copied()));
        return Some(match near {
            Some(function) => format!("Did you mean {function}()?"),
            None => "ctrl-space in the editor names the functions".to_owned(),
        });
    }
    let known: &[(&[&str], &str)] = &[
        (
            &["EXPRESSION_NOT_AGGREGATE", "must be an aggregate expression"],
            "Put it into GROUP BY, or take one with arbitrary(…)",
        ),
        (&["DIVISION_BY_ZERO", "Division by zero"], "Divide by nullif(…, 0): NULL instead of an error"),
        (
            &["INVALID_CAST_ARGUMENT", "Cannot cast", "INVALID_FUNCTION_ARGUMENT"],
            "TRY_CAST or TRY(…) gives NULL for what cannot be read",
        ),
        (
            &["TYPE_MISMATCH", "cannot be applied to", "Unexpected parameters"],
            "Bring both to one type with CAST",
        ),
        (
            &["HIVE_BAD_DATA", "HIVE_CURSOR_ERROR", "not a valid JSON", "Row is not"],
            "A record cannot be read: `ward data validate` names it",
        ),
        (
            &["AccessDenied", "Access Denied", "Insufficient permissions", "PERMISSION_DENIED"],
            "The identity may not read this: `ward doctor` names the permission",
        ),
        (
            &["EXHAUSTED", "EXCEEDED_MEMORY", "exhausted resources", "timeout", "EXCEEDED_TIME"],
            "Read less: fewer columns, a narrower WHERE, a LIMIT",
        ),
        (&["output bucket", "Unable to verify/create"], "`ward doctor` checks the bucket of the results"),
    ];
    known.iter().find(|(words, _)| has(words)).map(|(_, hint)| (*hint).to_owned())
}

/// What a reason quotes first.
fn quoted(reason: &str) -> Option<&str> {
    reason.split('\'').nth(1).filter(|name| !name.is_empty())
}

/// The name that is spelled most alike, if it is alike at all.
fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.rsplit('.').next().unwrap_or_default().to_lowercase();
    let (distance, name) = names.map(|name| (distance(&wanted, &name.to_lowercase()), name)).min()?;
    (distance > 0 && distance <= wanted.chars().count().div_ceil(3)).then_some(name)
}

/// Insertions, deletions and substitutions between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::complete::Column;

    fn tables() -> Vec<Table> {
        let column = |name: &str| Column { name: name.into(), type_name: "varchar".into() };
        let columns = vec![column("facility_id"), column("employee_count")];
        vec![Table { database: "d".into(), name: "facilities".into(), columns }]
    }

    #[test]
    fn the_spot_is_read_wherever_it_stands() {
        let at = |line, column| Some(Spot { line, column });
        assert_eq!(spot("COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved"), at(1, 8));
        assert_eq!(spot("InvalidRequestException: line 12:3: mismatched input ','"), at(12, 3));
        assert_eq!(spot("a line of text, line 3 of it, line 2:4 at last"), at(2, 4));
        assert_eq!(spot("line 0:1"), None);
        assert_eq!(spot("line 99999999999999999999:1"), None);
        assert_eq!(spot("Query was cancelled"), None);
    }

    #[test]
    fn hints_name_what_was_meant() {
        let hint = |reason: &str| hint(reason, &tables()).unwrap_or_default();
        assert_eq!(
            hint("line 1:8: Column 'employe_count' cannot be resolved"),
            "Did you mean employee_count?"
        );
        assert_eq!(hint("TABLE_NOT_FOUND: Table 'a.d.facilites' does not exist"), "Did you mean facilities?");
        assert_eq!(hint("TABLE_NOT_FOUND: Table 'a.d.orders' does not exist"), "The database has facilities");
        assert_eq!(
            hint("FUNCTION_NOT_FOUND: Function 'cardinalty' not registered"),
            "Did you mean cardinality()?"
        );
        assert!(hint("Column 'zzz' cannot be resolved").starts_with("DESCRIBE"));
        assert_eq!(hint("GENERIC_USER_ERROR"), "");
    }

    #[test]
    fn words_are_as_far_apart_as_levenshtein_says() {
        // The classic examples of the algorithm.
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("saturday", "sunday"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
