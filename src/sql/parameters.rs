//! Saved queries: a text with a header of comments and places to fill in.
//!
//! ```sql
//! -- title: Expiring soon
//! -- help:  Accreditations that end in the window, soonest first.
//! -- param: from date 2026-01-01
//! -- param: bucket name my-bucket
//! SELECT … WHERE expiry >= :from
//! ```
//!
//! `:name` is a value: it becomes a literal of the parameter's type, so it can never become SQL.
//! `{{name}}` is a piece of a name or of a string (`'s3://{{bucket}}/raw/'`): letters, digits and
//! `_ - . / : =` only. `?` is Athena's own, filled by ExecutionParameters.

use std::collections::BTreeMap;

use super::lexer::{Kind, lex};

/// The type of a parameter, as the header names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `varchar`, `string` or `text`: becomes `'…'`.
    Text,
    /// `integer`, `int` or `bigint`.
    Integer,
    /// `double` or `decimal`.
    Number,
    /// `date`, written YYYY-MM-DD: becomes `DATE '…'`; `current_date` stays what it is.
    Date,
    /// `name`: goes in as it is.
    Name,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    pub name: String,
    pub kind: Type,
    /// What stands after name and type in the header.
    pub default: Option<String>,
}

/// A saved query, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    pub title: String,
    /// Lines of `help:`, joined by spaces.
    pub help: String,
    pub parameters: Vec<Parameter>,
    /// The text from behind the header on.
    pub sql: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the header's line {line} is not `param: name type default`: {text}")]
    Header { line: usize, text: String },
    #[error("parameter {name} has no value and no default")]
    Missing { name: String },
    #[error("parameter {name}: {value:?} is not {wanted}")]
    Value { name: String, value: String, wanted: &'static str },
}

/// Reads a saved query. Without a title the first line of SQL serves.
pub fn read(text: &str) -> Result<Saved, Error> {
    let (mut title, mut help, mut parameters) = (None, Vec::new(), Vec::new());
    let mut body = 0;
    for (n, line) in text.split_inclusive('\n').enumerate() {
        let trimmed = line.trim();
        let Some(comment) = trimmed.strip_prefix("--").map(str::trim) else {
            if trimmed.is_empty() {
                body += line.len();
                continue;
            }
            break;
        };
        let (key, value) = comment.split_once(':').map_or((comment, ""), |(k, v)| (k.trim(), v.trim()));
        match key {
            "title" => title = Some(value.to_owned()),
            "help" => help.push(value),
            "param" => match parameter(value) {
                Some(parameter) => parameters.push(parameter),
                None => return Err(Error::Header { line: n + 1, text: comment.to_owned() }),
            },
            // Any other comment is part of the query.
            _ => break,
        }
        body += line.len();
    }
    let sql = text[body..].trim().to_owned();
    let title = title.unwrap_or_else(|| sql.lines().next().unwrap_or_default().to_owned());
    Ok(Saved { title, help: help.join(" "), parameters, sql })
}

fn parameter(text: &str) -> Option<Parameter> {
    let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, "varchar"));
    let rest = rest.trim();
    let (kind, default) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let kind = match kind.to_ascii_lowercase().as_str() {
        "varchar" | "string" | "text" => Type::Text,
        "integer" | "int" | "bigint" => Type::Integer,
        "double" | "decimal" => Type::Number,
        "date" => Type::Date,
        "name" => Type::Name,
        _ => return None,
    };
    let named = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let default = Some(default.trim()).filter(|d| !d.is_empty()).map(str::to_owned);
    named.then(|| Parameter { name: name.to_owned(), kind, default })
}

impl Saved {
    /// The SQL with every `:name` and `{{name}}` of the header filled in; a parameter without a
    /// value takes its default.
    pub fn fill(&self, values: &BTreeMap<String, String>) -> Result<String, Error> {
        let mut filled = self.sql.clone();
        // Pieces first: they may stand inside strings, where no token shows them.
        for parameter in &self.parameters {
            let place = format!("{{{{{}}}}}", parameter.name);
            if filled.contains(&place) {
                let value = self.value(parameter, values)?;
                let fits = |c: char| c.is_alphanumeric() || "_-./:=".contains(c);
                if !value.chars().all(fits) || value.contains("--") {
                    return Err(wrong(parameter, value, "made of letters, digits and _ - . / : = only"));
                }
                filled = filled.replace(&place, value);
            }
        }
        let mut out = String::with_capacity(filled.len());
        let mut at = 0;
        for token in lex(&filled).into_iter().filter(|t| t.kind == Kind::Parameter) {
            let name = token.of(&filled).trim_start_matches(':');
            let Some(parameter) = self.parameters.iter().find(|p| p.name == name) else { continue };
            out.push_str(&filled[at..token.start]);
            out.push_str(&literal(parameter, self.value(parameter, values)?)?);
            at = token.end;
        }
        out.push_str(&filled[at..]);
        Ok(out)
    }

    fn value<'a>(
        &'a self,
        parameter: &'a Parameter,
        values: &'a BTreeMap<String, String>,
    ) -> Result<&'a str, Error> {
        values
            .get(&parameter.name)
            .or(parameter.default.as_ref())
            .map(String::as_str)
            .ok_or_else(|| Error::Missing { name: parameter.name.clone() })
    }
}

fn wrong(parameter: &Parameter, value: &str, wanted: &'static str) -> Error {
    Error::Value { name: parameter.name.clone(), value: value.to_owned(), wanted }
}

fn literal(parameter: &Parameter, value: &str) -> Result<String, Error> {
    match parameter.kind {
        Type::Text => Ok(format!("'{}'", value.replace('\'', "''"))),
        Type::Integer if value.parse::<i64>().is_ok() => Ok(value.to_owned()),
        Type::Integer => Err(wrong(parameter, value, "a whole number")),
        Type::Number if value.parse::<f64>().is_ok_and(f64::is_finite) => Ok(value.to_owned()),
        Type::Number => Err(wrong(parameter, value, "a number")),
        Type::Date if value.eq_ignore_ascii_case("current_date") => Ok("current_date".to_owned()),
        Type::Date if chrono::NaiveDate::parse_from_str(value, "%Y-%m-%d").is_ok() => {
            Ok(format!("DATE '{value}'"))
        }
        Type::Date => Err(wrong(parameter, value, "a date as YYYY-MM-DD")),
        Type::Name if value.chars().all(|c| c.is_alphanumeric() || c == '_') => Ok(value.to_owned()),
        Type::Name => Err(wrong(parameter, value, "a name of letters, digits and _")),
    }
}

/// How many `?` a statement has, strings and comments left out.
pub fn positional(sql: &str) -> usize {
    lex(sql).iter().filter(|t| t.kind == Kind::Parameter && t.of(sql) == "?").count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "-- title: Soon\n-- help: One.\n-- help: Two.\n-- param: upto date 2026-07-01\n\
        -- param: who varchar\n-- param: bucket name b-1\n\n-- kept\nSELECT 's3://{{bucket}}/:who' FROM t \
        WHERE d <= :upto AND w = :who\n";

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
    }

    #[test]
    fn a_header_is_read() {
        let saved = read(TEXT).unwrap();
        assert_eq!((saved.title.as_str(), saved.help.as_str()), ("Soon", "One. Two."));
        assert_eq!(saved.parameters.len(), 3);
        assert!(saved.sql.starts_with("-- kept\nSELECT"));
    }

    #[test]
    fn values_become_literals_and_never_sql() {
        let saved = read(TEXT).unwrap();
        let sql = saved.fill(&values(&[("who", "O'Hara; DROP TABLE t")])).unwrap();
        assert_eq!(
            sql,
            "-- kept\nSELECT 's3://b-1/:who' FROM t WHERE d <= DATE '2026-07-01' AND w = 'O''Hara; DROP TABLE t'"
        );
    }

    #[test]
    fn wrong_values_are_named() {
        let saved = read(TEXT).unwrap();
        assert_eq!(saved.fill(&values(&[])), Err(Error::Missing { name: "who".into() }));
        let error = saved.fill(&values(&[("who", "x"), ("upto", "2026-02-30")])).unwrap_err();
        assert_eq!(error.to_string(), "parameter upto: \"2026-02-30\" is not a date as YYYY-MM-DD");
        assert!(saved.fill(&values(&[("who", "x"), ("bucket", "b'")])).is_err());
        assert!(matches!(read("-- param: x money\nSELECT 1"), Err(Error::Header { line: 1, .. })));
    }

    #[test]
    fn question_marks_in_strings_do_not_count() {
        assert_eq!(positional("SELECT '?' WHERE a = ? AND b = ? -- ?"), 2);
    }
}
