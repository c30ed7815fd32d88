//! How the lines of a table's objects become rows: its SerDe.

use std::ops::Range;

use super::columns::{Column, Misfit};
use super::delimited::{Csv, Lazy};
use super::json::{self, Index, Options};
use crate::local::athena::catalog::Table;
use crate::local::athena::failure::Failure;
use crate::local::athena::partitions;

/// A table's format with its SerDe's properties.
#[derive(Clone, Debug, PartialEq)]
pub enum Format {
    /// openx's and Hive's JSON SerDes.
    Json(Options),
    Lazy(Lazy),
    Csv(Csv),
    Parquet {
        /// Columns by their place in the file instead of their name.
        by_index: bool,
    },
}

impl Format {
    pub fn of(table: &Table) -> Result<Format, Failure> {
        let serde = table.serde.as_deref().unwrap_or_default();
        let stored = table.stored_as.as_deref().unwrap_or("TEXTFILE");
        let is_true = |name: &str| table.property(name).is_some_and(|v| v.eq_ignore_ascii_case("true"));
        if serde.ends_with("JsonSerDe") || (serde.is_empty() && stored == "JSON") {
            return Ok(Format::Json(options(table, serde.starts_with("org.openx"))));
        }
        if serde.ends_with("OpenCSVSerde") {
            return Ok(Format::Csv(Csv::of(table)));
        }
        if serde.ends_with("ParquetHiveSerDe") || (serde.is_empty() && stored == "PARQUET") {
            return Ok(Format::Parquet { by_index: is_true("parquet.column.index.access") });
        }
        let sequence = table.input_format.as_deref().is_some_and(|f| f.ends_with("SequenceFileInputFormat"));
        if (serde.ends_with("LazySimpleSerDe") && !sequence) || (serde.is_empty() && stored == "TEXTFILE") {
            return Ok(Format::Lazy(Lazy::of(table)));
        }
        let what = if serde.is_empty() { stored } else { serde };
        Err(Failure::unsupported(format!("the local cloud does not read tables of format {what}")))
    }

    /// The key or column that a column of the table is read from.
    pub fn key(&self, column: &str) -> String {
        match self {
            Format::Json(options) => options.key_of(column).to_owned(),
            _ => column.to_owned(),
        }
    }
}

/// The properties of the JSON SerDes; Hive's knows none of openx's.
fn options(table: &Table, openx: bool) -> Options {
    if !openx {
        return Options::EXACT;
    }
    let is = |name: &str, value: &str| table.property(name).is_some_and(|v| v.eq_ignore_ascii_case(value));
    let fold_case = !is("case.insensitive", "false");
    let renamed = table.serde_properties.iter().filter_map(|(key, value)| {
        let column = key.strip_prefix("mapping.")?.to_lowercase();
        Some((column, if fold_case { value.to_lowercase() } else { value.clone() }))
    });
    Options {
        ignore_malformed: is("ignore.malformed.json", "true"),
        fold_case,
        dots_in_keys: is("dots.in.keys", "true"),
        renamed: renamed.collect(),
        unique: true,
    }
}

/// Lines at the head of every object that hold no data.
pub fn skipped_lines(table: &Table) -> usize {
    table.property("skip.header.line.count").and_then(|n| n.trim().parse().ok()).unwrap_or(0)
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

/// What is the same for all rows of an object.
pub struct Place<'a> {
    /// `s3://bucket/key`
    pub path: &'a str,
    /// The values of the partition.
    pub partition: &'a [String],
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
    pub fn new(format: Format, sources: Vec<Source>, columns: Vec<Column>) -> Decoder {
        Decoder { format, sources, columns, rows: 0, index: Index::default(), fields: Vec::new() }
    }

    /// Decodes one line; blank lines are no rows.
    pub fn line(&mut self, line: &[u8], place: &Place<'_>) -> Result<(), Failure> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match &self.format {
            Format::Json(options) => {
                if line.iter().all(u8::is_ascii_whitespace) {
                    return Ok(());
                }
                let mut found = json::index(line, &mut self.index);
                if options.unique && found.is_ok() {
                    found = json::repeated(options, line, &self.index).map_or(Ok(()), Err);
                }
                if let Err(malformed) = &found
                    && !options.ignore_malformed
                {
                    return Err(Failure::new(
                        "HIVE_CURSOR_ERROR",
                        format!(
                            "Row is not a valid JSON Object - JSONException: {} at {} [character {} line 1] ({})",
                            malformed.what,
                            malformed.at,
                            malformed.at + 1,
                            place.path,
                        ),
                    ));
                }
                for (source, column) in self.sources.iter().zip(&mut self.columns) {
                    let Source::Field { key, position } = source else {
                        constant(source, column, place)?;
                        continue;
                    };
                    let member = |(k, v): &(Range<usize>, Range<usize>)| {
                        json::key_is(options, &line[k.clone()], key).then(|| v.clone())
                    };
                    let value = found.is_ok().then(|| self.index.members.iter().rev().find_map(member));
                    match value.flatten() {
                        Some(value) => {
                            column.push_json(line, value, options).map_err(|m| misfit(m, *position, place))?
                        }
                        None => column.push_null(),
                    }
                }
            }
            Format::Csv(csv) => {
                csv.fields(&String::from_utf8_lossy(line), &mut self.fields);
                for (source, column) in self.sources.iter().zip(&mut self.columns) {
                    let Source::Field { position, .. } = source else {
                        constant(source, column, place)?;
                        continue;
                    };
                    match self.fields.get(*position) {
                        Some(text) => csv.push(column, text).map_err(|m| misfit(m, *position, place))?,
                        None => column.push_null(),
                    }
                }
            }
            Format::Lazy(lazy) => {
                let (text, mut fields) = (String::from_utf8_lossy(line), Vec::new());
                lazy.fields(&text, &mut fields);
                for (source, column) in self.sources.iter().zip(&mut self.columns) {
                    match source {
                        Source::Field { position, .. } => match fields.get(*position) {
                            Some(text) => lazy.push(column, text, 1),
                            None => column.push_null(),
                        },
                        other => constant(other, column, place)?,
                    }
                }
            }
            Format::Parquet { .. } => return Err(Failure::internal("Parquet has no lines")),
        }
        self.rows += 1;
        Ok(())
    }
}

fn misfit(misfit: Misfit, position: usize, place: &Place<'_>) -> Failure {
    let Misfit { value, why } = misfit;
    Failure::new(
        "HIVE_BAD_DATA",
        format!("Error parsing field value '{value}' for field {position}: {why} ({})", place.path),
    )
}

/// Appends what an object's place says to a column that is not read from its rows.
pub fn constant(source: &Source, column: &mut Column, place: &Place<'_>) -> Result<(), Failure> {
    match source {
        Source::Partition(n) => match place.partition.get(*n) {
            Some(value) if value != partitions::NULL => column.push_text(value).map_err(|misfit| {
                Failure::new(
                    "HIVE_INVALID_PARTITION_VALUE",
                    format!("Invalid partition value '{value}' of {}: {}", place.path, misfit.why),
                )
            })?,
            _ => column.push_null(),
        },
        _ => column.push_text(place.path)?,
    }
    Ok(())
}
