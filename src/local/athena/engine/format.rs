//! How the lines of a table's objects become rows: its SerDe.

use std::ops::Range;

use super::columns::Column;
use super::json::{self, Index, Options};
use crate::local::athena::catalog::Table;
use crate::local::athena::failure::Failure;

/// A table's SerDe with its properties.
#[derive(Clone, Debug)]
pub enum Format {
    /// openx's and Hive's JSON SerDes; `renamed` holds `mapping.column` = key of the record.
    Json { options: Options, renamed: Vec<(String, String)> },
    /// LazySimpleSerDe and OpenCSVSerde.
    Delimited {
        delimiter: char,
        quote: Option<char>,
        escape: Option<char>,
        null: Option<String>,
        skip: usize,
    },
}

impl Format {
    pub fn of(table: &Table) -> Result<Format, Failure> {
        let serde = table.serde.as_deref().unwrap_or_default();
        let is_true = |name: &str| table.property(name).is_some_and(|v| v.eq_ignore_ascii_case("true"));
        let first = |name: &str| table.property(name).and_then(delimiter);
        let skip = table.property("skip.header.line.count").and_then(|n| n.trim().parse().ok()).unwrap_or(0);
        if serde.ends_with("JsonSerDe") || (serde.is_empty() && table.stored_as.as_deref() == Some("JSON")) {
            let renamed = table.serde_properties.iter().filter_map(|(key, value)| {
                let column = key.strip_prefix("mapping.")?;
                Some((column.to_lowercase(), value.clone()))
            });
            let fold_case =
                !table.property("case.insensitive").is_some_and(|v| v.eq_ignore_ascii_case("false"));
            let options = Options {
                ignore_malformed: is_true("ignore.malformed.json"),
                fold_case,
                dots_in_keys: is_true("dots.in.keys"),
            };
            return Ok(Format::Json { options, renamed: renamed.collect() });
        }
        if serde.ends_with("OpenCSVSerde") {
            return Ok(Format::Delimited {
                delimiter: first("separatorChar").unwrap_or(','),
                quote: first("quoteChar").or(Some('"')),
                escape: first("escapeChar").or(Some('\\')),
                null: None,
                skip,
            });
        }
        let stored = table.stored_as.as_deref().unwrap_or("TEXTFILE");
        if serde.ends_with("LazySimpleSerDe") || (serde.is_empty() && stored == "TEXTFILE") {
            return Ok(Format::Delimited {
                delimiter: first("field.delim").or(first("serialization.format")).unwrap_or('\u{1}'),
                quote: None,
                escape: first("escape.delim"),
                null: Some(table.property("serialization.null.format").unwrap_or("\\N").to_owned()),
                skip,
            });
        }
        let what = if serde.is_empty() { stored } else { serde };
        Err(Failure::unsupported(format!("the local cloud does not read tables of format {what}")))
    }

    /// Lines at the head of every object that hold no data.
    pub fn skipped_lines(&self) -> usize {
        if let Format::Delimited { skip, .. } = self { *skip } else { 0 }
    }
}

/// `,` or `\t`, or the number of a control character.
fn delimiter(text: &str) -> Option<char> {
    match text {
        "\\t" => Some('\t'),
        "\\001" | "1" => Some('\u{1}'),
        "\\u0001" => Some('\u{1}'),
        _ => text.chars().next(),
    }
}

/// What a column of the output is made of.
#[derive(Clone, Debug)]
pub enum Source {
    /// A key of the record (lower case when keys are folded), or the position of a field.
    Field { key: String, position: usize },
    /// `"$path"`.
    Path,
    /// The value of the partition column at this position.
    Partition(usize),
}

/// Decodes lines into columns.
pub struct Decoder {
    format: Format,
    sources: Vec<Source>,
    pub columns: Vec<Column>,
    pub rows: usize,
    index: Index,
    fields: Vec<String>,
}

impl Decoder {
    pub fn skipped_lines(&self) -> usize {
        self.format.skipped_lines()
    }

    pub fn new(format: Format, sources: Vec<Source>, columns: Vec<Column>) -> Decoder {
        Decoder { format, sources, columns, rows: 0, index: Index::default(), fields: Vec::new() }
    }

    /// Decodes one line; blank lines are no rows.
    pub fn line(&mut self, line: &[u8], path: &str, partition: &[String]) -> Result<(), Failure> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        self.rows += 1;
        match &self.format {
            Format::Json { options, .. } => {
                let found = json::index(line, &mut self.index);
                if let Err(malformed) = &found
                    && !options.ignore_malformed
                {
                    return Err(Failure::new(
                        "HIVE_CURSOR_ERROR",
                        format!(
                            "Row is not a valid JSON Object - JSONException: {} at {} [character {} line 1] ({path})",
                            malformed.what,
                            malformed.at,
                            malformed.at + 1
                        ),
                    ));
                }
                for (source, column) in self.sources.iter().zip(&mut self.columns) {
                    match source {
                        Source::Field { key, .. } => {
                            let member = |(k, v): &(Range<usize>, Range<usize>)| {
                                json::key_is(options, &line[k.clone()], key).then(|| v.clone())
                            };
                            let value =
                                found.is_ok().then(|| self.index.members.iter().rev().find_map(member));
                            match value.flatten() {
                                Some(value) => column.push_json(line, value, options)?,
                                None => column.push_null(),
                            }
                        }
                        other => constant(other, column, path, partition)?,
                    }
                }
            }
            Format::Delimited { delimiter, quote, escape, null, .. } => {
                fields(&String::from_utf8_lossy(line), *delimiter, *quote, *escape, &mut self.fields);
                for (source, column) in self.sources.iter().zip(&mut self.columns) {
                    match source {
                        Source::Field { position, .. } => match self.fields.get(*position) {
                            Some(text) if null.as_ref() == Some(text) => column.push_null(),
                            Some(text) if matches!(column, Column::Text(_)) => column.push_text(text)?,
                            Some(text) if text.is_empty() => column.push_null(),
                            // LazySimple reads what does not fit as NULL; OpenCSV fails.
                            Some(text) if quote.is_none() => {
                                if column.push_text(text).is_err() {
                                    column.push_null();
                                }
                            }
                            Some(text) => column.push_text(text)?,
                            None => column.push_null(),
                        },
                        other => constant(other, column, path, partition)?,
                    }
                }
            }
        }
        Ok(())
    }
}

fn constant(source: &Source, column: &mut Column, path: &str, partition: &[String]) -> Result<(), Failure> {
    match source {
        Source::Partition(n) => match partition.get(*n) {
            Some(value) if value != "__HIVE_DEFAULT_PARTITION__" => column.push_text(value)?,
            _ => column.push_null(),
        },
        _ => column.push_text(path)?,
    }
    Ok(())
}

fn fields(line: &str, delimiter: char, quote: Option<char>, escape: Option<char>, out: &mut Vec<String>) {
    out.clear();
    let (mut field, mut quoted) = (String::new(), false);
    let mut chars = line.trim_end_matches('\r').chars().peekable();
    while let Some(c) = chars.next() {
        if Some(c) == escape && escape != quote && chars.peek().is_some() {
            field.extend(chars.next());
        } else if Some(c) == quote {
            if quoted && chars.peek() == quote.as_ref() {
                field.extend(chars.next());
            } else {
                quoted = !quoted;
            }
        } else if c == delimiter && !quoted {
            out.push(std::mem::take(&mut field));
        } else {
            field.push(c);
        }
    }
    out.push(field);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimited_lines() {
        let mut out = Vec::new();
        fields(r#"a,"b,""c""",d\,e,"#, ',', Some('"'), Some('\\'), &mut out);
        assert_eq!(out, ["a", r#"b,"c""#, "d,e", ""]);
    }
}
