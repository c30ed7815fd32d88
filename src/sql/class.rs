//! What a statement would do, from its text alone. When in doubt it writes.

use super::lexer::{Kind as Token, Token as Piece, lex};
use super::split;

/// The kind of a statement, as Athena tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// SELECT, WITH, VALUES, TABLE.
    Query,
    /// CREATE, DROP, ALTER, MSCK: changes the catalog.
    Ddl,
    /// INSERT, UPDATE, DELETE, MERGE, OPTIMIZE, VACUUM: changes data.
    Insert,
    /// UNLOAD: writes objects.
    Unload,
    /// SHOW, DESCRIBE, EXPLAIN: looks at the catalog or a plan.
    Utility,
    /// PREPARE, EXECUTE, DEALLOCATE.
    Prepared,
    /// Nothing that is known.
    Unknown,
}

/// What a text would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// The kind of the first statement.
    pub kind: Kind,
    /// Whether any statement of the text changes catalog or data. Query results in the output
    /// location do not count.
    pub writes: bool,
    /// How many statements there are; Athena takes exactly one.
    pub statements: usize,
}

/// Classifies a text. An empty one is `Unknown`, writes nothing and has no statements.
pub fn classify(text: &str) -> Class {
    let spans = split::statements(text);
    let mut kinds = spans.iter().map(|span| one(&text[span.clone()]));
    let first = kinds.next();
    Class {
        kind: first.map_or(Kind::Unknown, |(kind, _)| kind),
        writes: first.is_some_and(|(_, writes)| writes) || kinds.any(|(_, writes)| writes),
        statements: spans.len(),
    }
}

/// Whether a text takes something away that is there: drops, deletes, empties or replaces it. When in
/// doubt it does.
pub fn takes_away(text: &str) -> bool {
    const WORDS: [&str; 7] = ["DROP", "DELETE", "TRUNCATE", "OVERWRITE", "REPLACE", "VACUUM", "MERGE"];
    // `replace(` is a function.
    let taken =
        |token: &Piece| WORDS.iter().any(|word| token.is(text, word)) && !text[token.end..].starts_with('(');
    classify(text).writes && lex(text).iter().any(taken)
}

fn one(statement: &str) -> (Kind, bool) {
    let words: Vec<&str> = lex(statement)
        .into_iter()
        .filter(|t| t.kind != Token::Comment && t.of(statement) != "(")
        .map(|t| t.of(statement))
        .take(4)
        .collect();
    let word = |n: usize| words.get(n).map(|w| w.to_ascii_uppercase()).unwrap_or_default();
    match word(0).as_str() {
        "SELECT" | "WITH" | "VALUES" | "TABLE" => (Kind::Query, false),
        "SHOW" | "DESCRIBE" | "DESC" => (Kind::Utility, false),
        // EXPLAIN ANALYZE runs the statement that it explains.
        "EXPLAIN" if word(1) == "ANALYZE" => (Kind::Utility, explained_writes(statement)),
        "EXPLAIN" => (Kind::Utility, false),
        "CREATE" | "DROP" | "ALTER" | "MSCK" | "TRUNCATE" => (Kind::Ddl, true),
        "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "OPTIMIZE" | "VACUUM" => (Kind::Insert, true),
        "UNLOAD" => (Kind::Unload, true),
        // What was prepared is not to be seen here.
        "PREPARE" | "EXECUTE" | "DEALLOCATE" => (Kind::Prepared, true),
        _ => (Kind::Unknown, true),
    }
}

fn explained_writes(statement: &str) -> bool {
    const READS: [&str; 4] = ["SELECT", "WITH", "VALUES", "TABLE"];
    let tokens = lex(statement);
    !tokens
        .iter()
        .filter(|t| t.kind != Token::Comment)
        .skip(2)
        .find(|t| !matches!(t.of(statement), "(" | ")") && !t.is(statement, "VERBOSE"))
        .is_some_and(|t| READS.iter().any(|word| t.is(statement, word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_told_apart() {
        for (text, kind, writes) in [
            ("select 1", Kind::Query, false),
            ("-- drop\n( SELECT 1 )", Kind::Query, false),
            ("/* x */ WITH a AS (SELECT 1) SELECT * FROM a", Kind::Query, false),
            ("SHOW TABLES", Kind::Utility, false),
            ("EXPLAIN INSERT INTO t SELECT 1", Kind::Utility, false),
            ("EXPLAIN ANALYZE SELECT 1", Kind::Utility, false),
            ("EXPLAIN ANALYZE INSERT INTO t SELECT 1", Kind::Utility, true),
            ("create table t as select 1", Kind::Ddl, true),
            ("INSERT INTO t VALUES (1)", Kind::Insert, true),
            ("UNLOAD (SELECT 1) TO 's3://b/'", Kind::Unload, true),
            ("EXECUTE p", Kind::Prepared, true),
            ("frobnicate", Kind::Unknown, true),
        ] {
            assert_eq!(classify(text), Class { kind, writes, statements: 1 }, "{text}");
        }
    }

    #[test]
    fn what_takes_something_away_is_told_from_what_adds() {
        for text in [
            "drop table t",
            "ALTER TABLE t DROP PARTITION (d = 1)",
            "INSERT OVERWRITE TABLE t SELECT 1",
            "CREATE OR REPLACE VIEW v AS SELECT 1",
            "SELECT 1; DELETE FROM t",
        ] {
            assert!(takes_away(text), "{text}");
        }
        for text in [
            "SELECT 'drop table t'",
            "INSERT INTO t SELECT replace(a, 'x', 'y') FROM u -- drop",
            "CREATE TABLE t (a int)",
            "SELECT \"delete\" FROM t",
        ] {
            assert!(!takes_away(text), "{text}");
        }
    }

    #[test]
    fn a_write_behind_a_read_is_seen() {
        assert_eq!(
            classify("SELECT 1; DROP TABLE t"),
            Class { kind: Kind::Query, writes: true, statements: 2 }
        );
        assert_eq!(classify(" -- x"), Class { kind: Kind::Unknown, writes: false, statements: 0 });
    }
}
