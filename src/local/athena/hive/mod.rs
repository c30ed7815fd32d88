//! Hive's DDL, which no SQL engine reads: its statements as data. Pure.

mod table;
mod words;

pub use table::{NewColumn, NewTable, Partition};
pub use words::Words;

use super::failure::Failure;
use crate::sql::lexer::Kind;

/// A table's name with its database, if it was given.
pub type Name = (Option<String>, String);

/// One statement of the catalog's language.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    CreateDatabase { name: String, lenient: bool, comment: Option<String>, location: Option<String> },
    DropDatabase { name: String, lenient: bool, cascade: bool },
    CreateTable(Box<NewTable>),
    DropTable { name: Name, lenient: bool },
    CreateView { name: Name, replace: bool, sql: String },
    DropView { name: Name, lenient: bool },
    AddPartitions { table: Name, lenient: bool, partitions: Vec<Partition> },
    DropPartitions { table: Name, lenient: bool, partitions: Vec<Partition> },
    RepairTable(Name),
    SetLocation { table: Name, location: String },
    SetProperties { table: Name, properties: Vec<(String, String)> },
    AddColumns { table: Name, columns: Vec<table::NewColumn> },
    ShowDatabases { like: Option<String> },
    ShowTables { database: Option<String>, like: Option<String> },
    ShowViews { database: Option<String>, like: Option<String> },
    ShowColumns(Name),
    ShowPartitions(Name),
    ShowCreateTable(Name),
    ShowCreateView(Name),
    ShowProperties(Name),
    Describe(Name),
}

impl Statement {
    /// Whether it only shows something.
    pub fn shows(&self) -> bool {
        use Statement::*;
        matches!(
            self,
            ShowDatabases { .. }
                | ShowTables { .. }
                | ShowViews { .. }
                | ShowColumns(_)
                | ShowPartitions(_)
                | ShowCreateTable(_)
                | ShowCreateView(_)
                | ShowProperties(_)
                | Describe(_)
        )
    }
}

/// Reads a statement of the catalog; `None` when the text is not one (a query, CTAS, INSERT …).
pub fn read(text: &str) -> Result<Option<Statement>, Failure> {
    let mut words = Words::new(text);
    let found = statement(&mut words)?;
    if found.is_some() {
        words.end()?;
    }
    Ok(found)
}

fn statement(words: &mut Words<'_>) -> Result<Option<Statement>, Failure> {
    let found = if words.take("CREATE") {
        return create(words);
    } else if words.take("DROP DATABASE") || words.take("DROP SCHEMA") {
        let lenient = words.take("IF EXISTS");
        let name = words.name()?;
        let cascade = words.take("CASCADE");
        words.take("RESTRICT");
        Statement::DropDatabase { name, lenient, cascade }
    } else if words.take("DROP TABLE") {
        let lenient = words.take("IF EXISTS");
        Statement::DropTable { name: words.qualified()?, lenient }
    } else if words.take("DROP VIEW") {
        let lenient = words.take("IF EXISTS");
        Statement::DropView { name: words.qualified()?, lenient }
    } else if words.take("DROP") {
        return Err(words.mismatch("'DATABASE', 'SCHEMA', 'TABLE', 'VIEW'"));
    } else if words.take("ALTER TABLE") {
        alter(words)?
    } else if words.take("MSCK REPAIR TABLE") {
        Statement::RepairTable(words.qualified()?)
    } else if words.take("SHOW") {
        show(words)?
    } else if words.take("DESCRIBE") || words.take("DESC") {
        let _ = words.take("EXTENDED") || words.take("FORMATTED") || words.take("TABLE");
        Statement::Describe(words.qualified()?)
    } else {
        return Ok(None);
    };
    Ok(Some(found))
}

fn create(words: &mut Words<'_>) -> Result<Option<Statement>, Failure> {
    if words.take("DATABASE") || words.take("SCHEMA") {
        let lenient = words.take("IF NOT EXISTS");
        let name = words.name()?;
        let comment = if words.take("COMMENT") { Some(words.string()?) } else { None };
        let location = if words.take("LOCATION") { Some(words.string()?) } else { None };
        if words.take("WITH DBPROPERTIES") {
            words.properties()?;
        }
        return Ok(Some(Statement::CreateDatabase { name, lenient, comment, location }));
    }
    let replace = words.take("OR REPLACE");
    if words.take("VIEW") {
        let name = words.qualified()?;
        words.must("AS")?;
        let sql = words.rest().to_owned();
        return Ok(Some(Statement::CreateView { name, replace, sql }));
    }
    if words.take("EXTERNAL TABLE") {
        return table::read(words).map(|table| Some(Statement::CreateTable(Box::new(table))));
    }
    if words.is("TABLE") {
        // CREATE TABLE … AS SELECT, which the engine reads.
        return Ok(None);
    }
    Err(words.mismatch("'DATABASE', 'EXTERNAL', 'SCHEMA', 'TABLE', 'VIEW'"))
}

fn alter(words: &mut Words<'_>) -> Result<Statement, Failure> {
    let table = words.qualified()?;
    if words.take("ADD COLUMNS") {
        let columns = table::columns(words)?;
        return Ok(Statement::AddColumns { table, columns });
    }
    if words.take("ADD") {
        let lenient = words.take("IF NOT EXISTS");
        let partitions = table::partitions(words)?;
        return Ok(Statement::AddPartitions { table, lenient, partitions });
    }
    if words.take("DROP") {
        let lenient = words.take("IF EXISTS");
        let partitions = table::partitions(words)?;
        return Ok(Statement::DropPartitions { table, lenient, partitions });
    }
    if words.take("SET LOCATION") {
        return Ok(Statement::SetLocation { table, location: words.string()? });
    }
    if words.take("SET TBLPROPERTIES") {
        return Ok(Statement::SetProperties { table, properties: words.properties()? });
    }
    Err(words.mismatch("'ADD', 'DROP', 'SET'"))
}

fn show(words: &mut Words<'_>) -> Result<Statement, Failure> {
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
        let Some(()) = (words.take("FROM") || words.take("IN")).then_some(()) else {
            return Err(words.mismatch("'FROM', 'IN'"));
        };
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
    if words.take("TBLPROPERTIES") {
        let name = words.qualified()?;
        if words.take("(") {
            words.string()?;
            words.must(")")?;
        }
        return Ok(Statement::ShowProperties(name));
    }
    Err(words.mismatch(
        "'COLUMNS', 'CREATE', 'DATABASES', 'PARTITIONS', 'SCHEMAS', 'TABLES', 'TBLPROPERTIES', 'VIEWS'",
    ))
}

fn of(words: &mut Words<'_>) -> Result<Option<String>, Failure> {
    if words.take("IN") || words.take("FROM") { words.name().map(Some) } else { Ok(None) }
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

/// Whether a name fits a pattern of SHOW: `*` (or `%`) for anything, `|` between choices.
pub fn fits(pattern: &str, name: &str) -> bool {
    fn one(pattern: &[u8], name: &[u8]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some((b'*' | b'%', rest)) => (0..=name.len()).any(|n| one(rest, &name[n..])),
            Some((c, rest)) => name.split_first().is_some_and(|(n, more)| n == c && one(rest, more)),
        }
    }
    pattern.to_lowercase().split('|').any(|choice| one(choice.as_bytes(), name.as_bytes()))
}

#[cfg(test)]
mod tests;
