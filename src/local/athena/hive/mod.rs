//! Hive's DDL, which no SQL engine reads: its statements as data. Pure.

mod alter;
mod escapes;
mod show;
mod table;
mod words;

pub use alter::{Bound, Change, Place};
pub use show::{Detail, fits, matches};
pub use table::{NewColumn, NewTable, Partition};
pub use words::Words;

use super::failure::{Failure, Spot};

/// A table's name with its database, if it was given.
pub type Name = (Option<String>, String);

/// Keys with values, in the order of the text.
pub type Properties = Vec<(String, String)>;

/// One statement of the catalog's language.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    CreateDatabase {
        name: String,
        lenient: bool,
        comment: Option<String>,
        location: Option<String>,
        properties: Properties,
    },
    DropDatabase {
        name: String,
        lenient: bool,
        cascade: bool,
    },
    SetDatabaseProperties {
        name: String,
        properties: Properties,
    },
    CreateTable(Box<NewTable>),
    DropTable {
        name: Name,
        lenient: bool,
    },
    CreateView {
        name: Name,
        replace: bool,
        sql: String,
    },
    DropView {
        name: Name,
        lenient: bool,
    },
    /// ALTER TABLE.
    Alter {
        table: Name,
        change: Change,
    },
    RepairTable(Name),
    ShowDatabases {
        like: Option<String>,
    },
    ShowTables {
        database: Option<String>,
        like: Option<String>,
    },
    ShowViews {
        database: Option<String>,
        like: Option<String>,
    },
    ShowColumns(Name),
    ShowPartitions(Name),
    ShowCreateTable(Name),
    ShowCreateView(Name),
    /// All properties, or the one of this name.
    ShowProperties(Name, Option<String>),
    Describe {
        table: Name,
        detail: Detail,
        /// One column, or a member of it: `accreditations.$elem$.name`.
        column: Option<String>,
    },
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
                | ShowProperties(..)
                | Describe { .. }
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
        let name = words.qualified()?;
        words.take("PURGE");
        Statement::DropTable { name, lenient }
    } else if words.take("DROP VIEW") {
        let lenient = words.take("IF EXISTS");
        Statement::DropView { name: words.qualified()?, lenient }
    } else if words.take("DROP") {
        return Err(words.mismatch("'DATABASE', 'SCHEMA', 'TABLE', 'VIEW'"));
    } else if words.take("ALTER TABLE") {
        let table = words.qualified()?;
        Statement::Alter { table, change: alter::read(words)? }
    } else if words.take("ALTER DATABASE") || words.take("ALTER SCHEMA") {
        let name = words.name()?;
        words.must("SET DBPROPERTIES")?;
        Statement::SetDatabaseProperties { name, properties: words.properties()? }
    } else if words.take("MSCK") {
        words.must("REPAIR TABLE")?;
        Statement::RepairTable(words.qualified()?)
    } else if words.take("SHOW") {
        show::read(words)?
    } else if words.take("DESCRIBE") || words.take("DESC") {
        show::describe(words)?
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
        let properties =
            if words.take("WITH DBPROPERTIES") { words.properties()? } else { Properties::new() };
        return Ok(Some(Statement::CreateDatabase { name, lenient, comment, location, properties }));
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
        let spot = Spot::of(words.text, words.offset());
        words.take("TABLE");
        words.take("IF NOT EXISTS");
        words.qualified()?;
        if words.is("(") {
            return Err(Failure::malformed(spot, MANAGED));
        }
        // CREATE TABLE … AS SELECT, which the engine reads.
        return Ok(None);
    }
    Err(words.mismatch("'DATABASE', 'EXTERNAL', 'SCHEMA', 'TABLE', 'VIEW'"))
}

const MANAGED: &str = "Only external table creation is supported: write CREATE EXTERNAL TABLE (Iceberg tables are not \
     supported by the local cloud)";

#[cfg(test)]
mod tests;
