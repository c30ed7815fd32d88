//! Data to stdout in the form that was asked for, talk to stderr. Nothing that is written obeys
//! control characters from data, a reader who leaves early is no failure, and a disk that is full is.

use std::io::{IsTerminal, Write};

use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use crate::domain::formats::{csv, json};
use crate::domain::json::{compact, is_json, pretty, quoted};
use crate::domain::problem::Problem;
use crate::domain::text::{shown, shown_lines};
use crate::domain::units::grouped;

/// How data is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Table,
    Json,
    Ndjson,
    Csv,
}

impl Format {
    /// The names that `--output` takes; anything else is a table.
    pub fn of(name: &str) -> Format {
        match name {
            "json" => Format::Json,
            "ndjson" => Format::Ndjson,
            "csv" => Format::Csv,
            _ => Format::Table,
        }
    }
}

/// A column of what is written: the member name in JSON, the header of CSV, the title of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// Right-aligned, thousands grouped in tables.
    pub number: bool,
}

impl Column {
    pub fn text(name: impl Into<String>) -> Self {
        Column { name: name.into(), number: false }
    }

    pub fn number(name: impl Into<String>) -> Self {
        Column { name: name.into(), number: true }
    }
}

/// A member of one thing: a value, or JSON text that is written as it arrived, number by number.
#[derive(Clone, Debug, PartialEq)]
pub enum Member {
    Value(Value),
    Json(String),
}

impl Member {
    /// A text that is JSON as such, any other as a string, nothing as null.
    pub fn of(text: Option<String>) -> Member {
        match text {
            Some(text) if is_json(&text) => Member::Json(text),
            text => Member::Value(text.into()),
        }
    }

    fn json(&self) -> String {
        match self {
            Member::Value(value) => value.to_string(),
            Member::Json(text) => text.clone(),
        }
    }

    /// As a cell: strings without quotes, nothing for null, JSON on a line for the rest.
    fn plain(&self) -> String {
        match self {
            Member::Value(value) => plain(value),
            Member::Json(text) => match serde_json::from_str(text) {
                Ok(value @ (Value::Null | Value::String(_))) => plain(&value),
                _ => json::escaped(compact(text)),
            },
        }
    }
}

/// Where a subcommand writes.
pub struct Output {
    format: Format,
    data: Box<dyn Write + Send>,
    talk: Box<dyn Write + Send>,
    /// Whether stdout is a terminal.
    pub terminal: bool,
    /// Whether stderr is a terminal: progress is shown there only.
    pub talk_terminal: bool,
    closed: bool,
    failed: Option<std::io::Error>,
    header: Option<Vec<usize>>,
    progress: bool,
}

impl Output {
    /// On this process's stdout and stderr.
    pub fn standard(format: Format) -> Self {
        let (terminal, talk_terminal) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        let data = std::io::LineWriter::new(std::io::stdout());
        Output { terminal, talk_terminal, ..Output::to(format, data, std::io::stderr()) }
    }

    /// On writers of the caller's, as if neither were a terminal.
    pub fn to(format: Format, data: impl Write + Send + 'static, talk: impl Write + Send + 'static) -> Self {
        Output {
            format,
            data: Box::new(data),
            talk: Box::new(talk),
            terminal: false,
            talk_terminal: false,
            closed: false,
            failed: None,
            header: None,
            progress: false,
        }
    }

    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether nobody reads any more: a stream may as well end.
    pub fn closed(&self) -> bool {
        self.closed
    }

    /// Writes a whole list.
    pub fn rows(&mut self, columns: &[Column], rows: &[Vec<Value>]) {
        match self.format {
            Format::Table => {
                let text = table(columns, rows);
                self.write(&text);
            }
            Format::Json => {
                let list = rows.iter().map(|row| object(columns, row)).collect();
                let text = json::pretty(&Value::Array(list));
                self.write(&format!("{text}\n"));
            }
            Format::Ndjson => {
                for row in rows {
                    let line = json::line(&object(columns, row));
                    self.write(&format!("{line}\n"));
                }
            }
            Format::Csv => {
                let header: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
                let cells = rows.iter().map(|row| row.iter().map(plain).collect::<Vec<_>>());
                let text = csv::write(&header, cells);
                self.write(&text);
            }
        }
    }

    /// Writes one row of a stream as it happens: a line of text, of NDJSON (also for `json`), or of CSV.
    /// `line` is what a person reads.
    pub fn event(&mut self, columns: &[Column], row: &[Value], line: &str) {
        match self.format {
            Format::Table => self.text(line),
            Format::Json | Format::Ndjson => {
                let line = json::line(&object(columns, row));
                self.write(&format!("{line}\n"));
            }
            Format::Csv => {
                let header: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
                let text = csv::write(&header, [row.iter().map(plain).collect::<Vec<_>>()]);
                let first = self.header.is_none();
                self.header = Some(Vec::new());
                match (first, text.split_once('\n')) {
                    (false, Some((_, line))) => self.write(line),
                    _ => self.write(&text),
                }
            }
        }
        self.flush();
    }

    /// Writes one thing: a line per member, or one JSON object, or one row of CSV.
    pub fn object(&mut self, members: &[(&str, Value)]) {
        let members: Vec<(&str, Member)> =
            members.iter().map(|(name, value)| (*name, Member::Value(value.clone()))).collect();
        self.members(&members);
    }

    /// Likewise, where some members are JSON texts.
    pub fn members(&mut self, members: &[(&str, Member)]) {
        match self.format {
            Format::Table => {
                let width = members.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
                for (name, member) in members {
                    let text = member.plain();
                    let text = shown_lines(&text);
                    let mut lines = text.lines();
                    let first = lines.next().unwrap_or("-");
                    let mut all = format!("{name:width$}  {first}\n");
                    for line in lines {
                        all.push_str(&format!("{:width$}  {line}\n", ""));
                    }
                    self.write(&all);
                }
            }
            Format::Json | Format::Ndjson => {
                let all = members.iter().map(|(name, member)| format!("{}:{}", quoted(name), member.json()));
                let text = format!("{{{}}}", all.collect::<Vec<_>>().join(","));
                let text = if self.format == Format::Json { pretty(&text) } else { compact(&text) };
                self.write(&format!("{}\n", json::escaped(text)));
            }
            Format::Csv => {
                let header: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
                let row: Vec<String> = members.iter().map(|(_, member)| member.plain()).collect();
                let text = csv::write(&header, [row]);
                self.write(&text);
            }
        }
    }

    /// Writes a line of text to stdout, whatever the form.
    pub fn text(&mut self, line: &str) {
        let line = shown_lines(line).into_owned();
        self.write(&format!("{line}\n"));
    }

    /// Writes bytes to stdout exactly as they are: files that a person asked for, completions.
    pub fn bytes(&mut self, bytes: &[u8]) {
        if self.closed {
            return;
        }
        let done = self.data.write_all(bytes);
        self.note(done);
    }

    /// Says something to the person, on stderr.
    pub fn say(&mut self, line: &str) {
        self.end_progress();
        let _ = writeln!(self.talk, "{}", shown_lines(line));
    }

    /// Says what went wrong, why, and what to do next.
    pub fn problem(&mut self, problem: &Problem) {
        self.end_progress();
        let _ = writeln!(self.talk, "error: {}", shown_lines(&problem.title));
        for line in shown_lines(&problem.detail).lines() {
            let _ = writeln!(self.talk, "  {line}");
        }
        if let Some(hint) = &problem.hint {
            let _ = writeln!(self.talk, "  hint: {}", shown_lines(hint));
        }
    }

    /// Shows how far a long work is, where stderr is a terminal.
    pub fn progress(&mut self, done: usize, total: usize, what: &str) {
        if !self.talk_terminal {
            return;
        }
        let filled = (done * 24).checked_div(total).unwrap_or(0).min(24);
        let bar = format!("{}{}", "█".repeat(filled), "░".repeat(24 - filled));
        let _ = write!(self.talk, "\r\x1b[K{bar} {done}/{total} {}", shown(what));
        let _ = self.talk.flush();
        self.progress = done < total;
        if !self.progress {
            let _ = write!(self.talk, "\r\x1b[K");
        }
    }

    fn end_progress(&mut self) {
        if std::mem::take(&mut self.progress) {
            let _ = write!(self.talk, "\r\x1b[K");
        }
    }

    /// Ends writing; what could not be written.
    pub fn finish(mut self) -> Result<(), std::io::Error> {
        self.end_progress();
        self.flush();
        match self.failed.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn flush(&mut self) {
        if !self.closed {
            let done = self.data.flush();
            self.note(done);
        }
    }

    fn write(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn note(&mut self, done: std::io::Result<()>) {
        if let Err(error) = done {
            self.closed = true;
            if error.kind() != std::io::ErrorKind::BrokenPipe {
                self.failed = Some(error);
            }
        }
    }
}

fn object(columns: &[Column], row: &[Value]) -> Value {
    Value::Object(columns.iter().map(|column| column.name.clone()).zip(row.iter().cloned()).collect())
}

/// A cell as text: strings without quotes, nothing for null, JSON for what is nested.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => json::line(other),
    }
}

fn cell(column: &Column, value: &Value) -> String {
    match (value, column.number.then(|| value.as_i64()).flatten()) {
        (Value::Null, _) => "-".into(),
        (_, Some(number)) => grouped(number),
        _ => shown(&plain(value)).into_owned(),
    }
}

/// Columns as wide as their widest cell, two blanks between them, numbers to the right.
fn table(columns: &[Column], rows: &[Vec<Value>]) -> String {
    let titles: Vec<String> = columns.iter().map(|column| shown(&column.name).to_uppercase()).collect();
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| columns.iter().zip(row).map(|(column, value)| cell(column, value)).collect())
        .collect();
    let mut widths: Vec<usize> = titles.iter().map(|title| title.width()).collect();
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let mut text = String::new();
    for row in std::iter::once(&titles).chain(&cells) {
        let mut line = String::new();
        for ((cell, width), column) in row.iter().zip(&widths).zip(columns) {
            if !line.is_empty() {
                line.push_str("  ");
            }
            let blanks = " ".repeat(width - cell.width());
            if column.number {
                line.push_str(&blanks);
                line.push_str(cell);
            } else {
                line.push_str(cell);
                line.push_str(&blanks);
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
#[path = "output_tests.rs"]
pub(super) mod tests;
