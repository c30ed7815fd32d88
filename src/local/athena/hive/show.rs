//! SHOW and DESCRIBE.

use super::{Statement, Words, table};
use crate::local::athena::failure::Failure;
use crate::sql::lexer::Kind;

/// How much DESCRIBE tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// Columns.
    #[default]
    Plain,
    /// The table's record on one line.
    Extended,
    /// The table's record as a list.
    Formatted,
}

/// Behind SHOW.
pub fn read(words: &mut Words<'_>) -> Result<Statement, Failure> {
    if words.take("DATABASES") || words.take("SCHEMAS") {
        return Ok(Statement::ShowDatabases { like: pattern(words)? });
    }
    if words.take("TABLES") {
        let database = of(words)?;
        return Ok(Statement::ShowTables { database, like: pattern(words)? });
    }
    if words.take("VIEWS") {
        let database = of(words)?;
        return Ok(Statement::ShowViews { database, like: pattern(words)? });
    }
    if words.take("COLUMNS") {
        if !(words.take("FROM") || words.take("IN")) {
            return Err(words.mismatch("'FROM', 'IN'"));
        }
        let (database, table) = words.qualified()?;
        let database = of(words)?.or(database);
        return Ok(Statement::ShowColumns((database, table)));
    }
    if words.take("PARTITIONS") {
        return Ok(Statement::ShowPartitions(words.qualified()?));
    }
    if words.take("CREATE TABLE") {
        return Ok(Statement::ShowCreateTable(words.qualified()?));
    }
    if words.take("CREATE VIEW") {
        return Ok(Statement::ShowCreateView(words.qualified()?));
    }
    if words.take("CREATE") {
        return Err(words.mismatch("'TABLE', 'VIEW'"));
    }
    if words.take("TBLPROPERTIES") {
        let name = words.qualified()?;
        let mut wanted = None;
        if words.take("(") {
            wanted = Some(words.string()?);
            words.must(")")?;
        }
        return Ok(Statement::ShowProperties(name, wanted));
    }
    Err(words.mismatch(
        "'COLUMNS', 'CREATE', 'DATABASES', 'PARTITIONS', 'SCHEMAS', 'TABLES', 'TBLPROPERTIES', 'VIEWS'",
    ))
}

/// Behind DESCRIBE.
pub fn describe(words: &mut Words<'_>) -> Result<Statement, Failure> {
    let detail = if words.take("EXTENDED") {
        Detail::Extended
    } else if words.take("FORMATTED") {
        Detail::Formatted
    } else {
        words.take("TABLE");
        Detail::Plain
    };
    let table = words.qualified()?;
    if words.take("PARTITION") {
        table::values(words)?;
    }
    let mut column = None;
    if !words.done() && !words.is(";") {
        let mut path = words.name()?;
        while words.take(".") {
            path.push('.');
            path.push_str(&words.name()?);
        }
        column = Some(path);
    }
    Ok(Statement::Describe { table, detail, column })
}

fn of(words: &mut Words<'_>) -> Result<Option<String>, Failure> {
    if words.take("IN") || words.take("FROM") {
        words.qualified().map(|(_, database)| Some(database))
    } else {
        Ok(None)
    }
}

/// `LIKE 'a*|b*'`, or the pattern alone.
fn pattern(words: &mut Words<'_>) -> Result<Option<String>, Failure> {
    let named = words.take("LIKE");
    if named || words.peek().is_some_and(|t| t.kind == Kind::Text) {
        words.string().map(Some)
    } else {
        Ok(None)
    }
}

/// Whether a name fits a pattern of SHOW DATABASES or of ListTableMetadata's Expression: a regular expression of
/// the whole name, or one with the stars of the other SHOW statements.
/// <https://docs.aws.amazon.com/athena/latest/ug/show-databases.html>
pub fn matches(pattern: &str, name: &str) -> bool {
    let regex = regex::Regex::new(&format!("(?i)^(?:{pattern})$"));
    fits(pattern, name) || regex.is_ok_and(|regex| regex.is_match(name))
}

/// Whether a name fits a pattern of SHOW: `*` (or `%`) for anything, `|` between choices.
pub fn fits(pattern: &str, name: &str) -> bool {
    // The place behind the last star, and how much of the name that star holds so far.
    fn one(pattern: &[u8], name: &[u8]) -> bool {
        let (mut p, mut n, mut star) = (0, 0, None);
        while n < name.len() {
            match pattern.get(p) {
                Some(b'*' | b'%') => {
                    star = Some((p, n));
                    p += 1;
                }
                Some(c) if *c == name[n] => (p, n) = (p + 1, n + 1),
                _ => match star {
                    Some((at, held)) => {
                        star = Some((at, held + 1));
                        (p, n) = (at + 1, held + 1);
                    }
                    None => return false,
                },
            }
        }
        pattern[p..].iter().all(|c| matches!(c, b'*' | b'%'))
    }
    pattern.to_lowercase().split('|').any(|choice| one(choice.as_bytes(), name.as_bytes()))
}
