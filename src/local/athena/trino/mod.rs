//! Trino's statements that are more than a query: CTAS, INSERT, UNLOAD and prepared statements. Only
//! their heads are read here; the query inside is the engine's. Pure.

mod target;

pub use target::Target;

use super::failure::Failure;
use super::hive::{Name, Words};

/// A value of a `WITH (…)` list.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A string, number or word.
    One(String),
    /// `ARRAY['a', 'b']`
    Many(Vec<String>),
}

/// Keys in lower case, in the order of the text.
pub type Options = Vec<(String, Value)>;

/// Queries are kept at their places in the whole text, so that complaints about them are placed.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    CreateTableAs {
        name: Name,
        /// IF NOT EXISTS.
        lenient: bool,
        comment: Option<String>,
        options: Options,
        query: String,
        /// WITH DATA, as it is unless WITH NO DATA is said.
        with_data: bool,
    },
    Insert {
        table: Name,
        columns: Option<Vec<String>>,
        query: String,
    },
    Unload {
        query: String,
        /// `s3://bucket/prefix/`
        to: String,
        options: Options,
    },
    Prepare {
        name: String,
        sql: String,
    },
    Execute {
        name: String,
        /// SQL texts for the statement's `?`.
        using: Vec<String>,
    },
    Deallocate {
        name: String,
    },
}

impl Statement {
    /// As SubstatementType has it.
    pub fn kind(&self) -> &'static str {
        match self {
            Statement::CreateTableAs { .. } => "CREATE_TABLE_AS_SELECT",
            Statement::Insert { .. } => "INSERT",
            Statement::Unload { .. } => "UNLOAD",
            Statement::Prepare { .. } => "PREPARE",
            Statement::Execute { .. } => "EXECUTE",
            Statement::Deallocate { .. } => "DEALLOCATE_PREPARE",
        }
    }

    /// The query inside, if there is one.
    pub fn query(&self) -> Option<&str> {
        match self {
            Statement::CreateTableAs { query, .. }
            | Statement::Insert { query, .. }
            | Statement::Unload { query, .. } => Some(query),
            _ => None,
        }
    }
}

/// Reads a statement; `None` when the text is not one of these.
pub fn read(text: &str) -> Result<Option<Statement>, Failure> {
    let mut words = Words::of_trino(text);
    let found = if words.take("CREATE TABLE") {
        create(&mut words)?
    } else if words.take("INSERT") {
        insert(&mut words)?
    } else if words.take("UNLOAD") {
        unload(&mut words)?
    } else if words.take("PREPARE") {
        let name = words.name()?;
        words.must("FROM")?;
        if words.done() {
            return Err(words.mismatch("<statement>"));
        }
        Statement::Prepare { name, sql: words.rest().to_owned() }
    } else if words.take("EXECUTE") {
        let name = words.name()?;
        let using = if words.take("USING") { expressions(&mut words)? } else { Vec::new() };
        words.end()?;
        Statement::Execute { name, using }
    } else if words.take("DEALLOCATE") {
        words.must("PREPARE")?;
        let name = words.name()?;
        words.end()?;
        Statement::Deallocate { name }
    } else {
        return Ok(None);
    };
    Ok(Some(found))
}

fn create(words: &mut Words<'_>) -> Result<Statement, Failure> {
    let lenient = words.take("IF NOT EXISTS");
    let name = words.qualified()?;
    let comment = if words.take("COMMENT") { Some(words.string()?) } else { None };
    let options = if words.take("WITH") { options(words)? } else { Options::new() };
    words.must("AS")?;
    if words.done() {
        return Err(words.mismatch("'(', 'SELECT', 'TABLE', 'VALUES', 'WITH'"));
    }
    let start = words.offset();
    let mut query = words.rest();
    let mut with_data = true;
    for (ending, data) in [("WITH NO DATA", false), ("WITH DATA", true)] {
        if let Some(cut) = Words::of_trino(query).without_end(ending) {
            (query, with_data) = (&query[..cut], data);
            break;
        }
    }
    let query = placed(words.text, start, start + query.len());
    Ok(Statement::CreateTableAs { name, lenient, comment, options, query, with_data })
}

fn insert(words: &mut Words<'_>) -> Result<Statement, Failure> {
    words.must("INTO")?;
    let table = words.qualified()?;
    let mut columns = None;
    if words.is("(") && !["SELECT", "WITH", "VALUES", "TABLE", "("].iter().any(|w| words.is_second(w)) {
        words.must("(")?;
        let mut names = vec![words.name()?];
        while words.take(",") {
            names.push(words.name()?);
        }
        words.must(")")?;
        columns = Some(names);
    }
    if words.done() {
        return Err(words.mismatch("'(', 'SELECT', 'TABLE', 'VALUES', 'WITH'"));
    }
    let start = words.offset();
    let length = words.rest().len();
    Ok(Statement::Insert { table, columns, query: placed(words.text, start, start + length) })
}

fn unload(words: &mut Words<'_>) -> Result<Statement, Failure> {
    words.must("(")?;
    let start = words.offset();
    let mut depth = 1usize;
    let mut end = start;
    while depth > 0 {
        end = words.offset();
        match words.skip() {
            Some("(") => depth += 1,
            Some(")") => depth -= 1,
            Some(_) => {}
            None => return Err(words.mismatch("')'")),
        }
    }
    words.must("TO")?;
    let to = words.string()?;
    let options = if words.take("WITH") { options(words)? } else { Options::new() };
    words.end()?;
    Ok(Statement::Unload { query: placed(words.text, start, end), to, options })
}

/// `(format = 'PARQUET', partitioned_by = ARRAY['a'])`
fn options(words: &mut Words<'_>) -> Result<Options, Failure> {
    words.must("(")?;
    let mut found = Options::new();
    loop {
        let key = words.name()?;
        words.must("=")?;
        let value = if words.take("ARRAY") {
            words.must("[")?;
            let mut items = Vec::new();
            while !words.take("]") {
                items.push(words.value()?);
                if !words.take(",") && !words.is("]") {
                    return Err(words.mismatch("',', ']'"));
                }
            }
            Value::Many(items)
        } else {
            Value::One(words.value()?)
        };
        found.push((key, value));
        if !words.take(",") {
            break;
        }
    }
    words.must(")")?;
    Ok(found)
}

/// The texts between commas, to the statement's end.
fn expressions(words: &mut Words<'_>) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    loop {
        let start = words.offset();
        let mut end = start;
        let mut depth = 0usize;
        while !words.done() && !(depth == 0 && (words.is(",") || words.is(";"))) {
            let here = words.offset();
            let Some(word) = words.skip() else { break };
            match word {
                "(" | "[" => depth += 1,
                ")" | "]" => depth = depth.saturating_sub(1),
                _ => {}
            }
            end = here + word.len();
        }
        if end == start {
            return Err(words.mismatch("<expression>"));
        }
        found.push(words.text[start..end].to_owned());
        if !words.take(",") {
            return Ok(found);
        }
    }
}

/// A part of a text at the line and column where it stands in the whole.
fn placed(text: &str, start: usize, end: usize) -> String {
    let blank = |c: char| if c == '\n' { '\n' } else { ' ' };
    let mut out: String = text[..start].chars().map(blank).collect();
    out.push_str(&text[start..end]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Statement {
        read(text).unwrap().unwrap()
    }

    #[test]
    fn tables_from_queries() {
        let Statement::CreateTableAs { name, options, query, with_data, .. } = one(
            "CREATE TABLE d.t\nWITH (format = 'PARQUET', bucket_count = 3, partitioned_by = ARRAY['a', 'b'])\nAS SELECT 1 AS a;",
        ) else {
            panic!()
        };
        assert_eq!(name, (Some("d".into()), "t".into()));
        assert_eq!(options[0], ("format".into(), Value::One("PARQUET".into())));
        assert_eq!(options[1], ("bucket_count".into(), Value::One("3".into())));
        assert_eq!(options[2], ("partitioned_by".into(), Value::Many(vec!["a".into(), "b".into()])));
        // At its place: third line, fourth column.
        assert!(query.ends_with("\n   SELECT 1 AS a") && query.matches('\n').count() == 2, "{query:?}");
        assert!(with_data);
        let text = "CREATE TABLE IF NOT EXISTS t AS (SELECT 'WITH NO DATA' AS x) WITH NO DATA";
        let Statement::CreateTableAs { query, with_data: false, lenient: true, .. } = one(text) else {
            panic!()
        };
        assert_eq!(query.trim(), "(SELECT 'WITH NO DATA' AS x)");
    }

    #[test]
    fn inserts_with_and_without_columns() {
        let insert = |text: &str| match one(text) {
            Statement::Insert { columns, query, .. } => (columns, query.trim().to_owned()),
            other => panic!("{other:?}"),
        };
        assert_eq!(insert("INSERT INTO t VALUES (1, 'a')"), (None, "VALUES (1, 'a')".into()));
        assert_eq!(insert("INSERT INTO t (SELECT 1)"), (None, "(SELECT 1)".into()));
        assert_eq!(
            insert("insert into t (a, \"B\") SELECT 1, 2"),
            (Some(vec!["a".into(), "b".into()]), "SELECT 1, 2".into())
        );
        assert!(read("INSERT INTO t").is_err() && read("INSERT t VALUES 1").is_err());
    }

    #[test]
    fn unloads() {
        let Statement::Unload { query, to, options } =
            one("UNLOAD (SELECT max(x) FROM (SELECT ')' AS x)) TO 's3://b/p/' WITH (format='JSON')")
        else {
            panic!()
        };
        assert_eq!(query.trim(), "SELECT max(x) FROM (SELECT ')' AS x)");
        assert_eq!((to.as_str(), options.len()), ("s3://b/p/", 1));
        assert!(read("UNLOAD (SELECT 1").is_err() && read("UNLOAD (SELECT 1) TO x").is_err());
    }

    #[test]
    fn prepared_statements() {
        assert_eq!(
            one("PREPARE p FROM SELECT * FROM t WHERE a = ?"),
            Statement::Prepare { name: "p".into(), sql: "SELECT * FROM t WHERE a = ?".into() }
        );
        assert_eq!(
            one("EXECUTE p USING 'a,b', concat('x', 'y'), -1"),
            Statement::Execute {
                name: "p".into(),
                using: vec!["'a,b'".into(), "concat('x', 'y')".into(), "-1".into()]
            }
        );
        assert_eq!(one("DEALLOCATE PREPARE p"), Statement::Deallocate { name: "p".into() });
        assert!(read("EXECUTE p USING").is_err() && read("PREPARE p FROM").is_err());
        assert_eq!(read("SELECT 1").unwrap(), None);
    }
}
