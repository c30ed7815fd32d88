//! `ward data validate`: what is wrong with records, and repaired copies of them.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::data::unwritten;
use super::exit::Exit;
use super::output::{Column, Format, Output};
use crate::domain::formats::json as json_text;
use crate::domain::problem::Problem;
use crate::domain::record::Finding;
use crate::domain::text::shown;
use crate::domain::units;
use crate::work::repair::{Outcome, Repairs};
use crate::work::source::{self, Source};
use crate::work::validate::{Summary, Validator};

/// What of a finding is printed.
const FINDING: [(&str, bool); 6] = [
    ("file", false),
    ("line", true),
    ("facility_id", false),
    ("path", false),
    ("reason", false),
    ("outcome", false),
];

/// Prints findings as they are found; for JSON, which is one document, at the end.
struct Findings {
    columns: Vec<Column>,
    all: Vec<Value>,
}

impl Findings {
    fn new(outcomes: bool) -> Self {
        let columns = FINDING.iter().take(if outcomes { 6 } else { 5 });
        let columns = columns.map(|&(name, number)| Column { name: name.into(), number }).collect();
        Findings { columns, all: Vec::new() }
    }

    fn take(
        &mut self,
        out: &mut Output,
        source: &Source,
        line: Option<usize>,
        id: Option<&str>,
        finding: &Finding,
        outcome: Option<Outcome>,
    ) {
        let mut row = vec![
            source.shown().into(),
            line.into(),
            id.into(),
            finding.path.clone().into(),
            finding.reason.clone().into(),
        ];
        row.extend(outcome.map(|outcome| Value::from(outcome.as_str())));
        if out.format() == Format::Json {
            let names = self.columns.iter().map(|column| column.name.clone());
            self.all.push(Value::Object(names.zip(row).collect()));
            return;
        }
        let place = line.map_or(source.shown(), |line| format!("{}:{line}", source.shown()));
        let what = outcome.map_or(String::new(), |outcome| format!(" ({})", outcome.as_str()));
        out.event(&self.columns, &row, &format!("{place}: {finding}{what}"));
    }
}

/// Checks, and with a folder repairs.
pub fn run(out: &mut Output, paths: &[PathBuf], into: Option<&Path>) -> Result<Exit, Problem> {
    let sources = source::sources(paths)?;
    let repairs = match into.map(|into| Repairs::new(into, paths, &sources)).transpose() {
        Ok(repairs) => repairs,
        Err(problem) => {
            out.problem(&problem);
            return Ok(Exit::Usage);
        }
    };
    let mut validator = Validator::default();
    let mut findings = Findings::new(repairs.is_some());
    let mut outcomes = Outcomes::default();
    for (index, source) in sources.iter().enumerate() {
        let failed = |e: io::Error| unwritten(into.unwrap_or(&source.path), &e);
        let mut copy = repairs.as_ref().map(|repairs| repairs.copy(source)).transpose().map_err(failed)?;
        let read = validator.file(source, |record| {
            let outcome = copy.as_mut().map(|copy| copy.take(&record)).transpose()?;
            outcomes.count(outcome);
            for finding in record.findings() {
                findings.take(out, source, Some(record.line), record.id(), finding, outcome);
            }
            Ok(())
        });
        if let Err(why) = read.map_err(failed)? {
            outcomes.count(repairs.as_ref().map(|_| Outcome::LeftOut));
            let finding = Finding { path: String::new(), reason: why };
            let outcome = repairs.as_ref().map(|_| Outcome::LeftOut);
            findings.take(out, source, None, None, &finding, outcome);
        }
        if let Some(copy) = copy {
            copy.finish().map_err(failed)?;
        }
        // On a terminal of both, findings and a bar would write over each other.
        if !out.terminal {
            out.progress(index + 1, sources.len(), "files checked");
        }
    }
    let summary = validator.summary;
    if out.format() == Format::Json {
        let document = json!({ "findings": findings.all, "summary": summary_value(&summary) });
        out.bytes((json_text::pretty(&document) + "\n").as_bytes());
    }
    out.say(&summary_text(&summary));
    if let Some(into) = into {
        out.say(&format!("{}; copies in {}", outcomes.text(), shown(&into.to_string_lossy())));
        return Ok(if outcomes.left_out == 0 { Exit::Done } else { Exit::No });
    }
    if summary.not_canonical > 0 {
        out.say(&format!(
            "{} pretty-printed or spell fields another way: --fix --into FOLDER writes good ones as Athena reads them",
            units::count(summary.not_canonical, "good record is", "good records are")
        ));
    }
    Ok(if summary.is_good() { Exit::Done } else { Exit::No })
}

#[derive(Default)]
struct Outcomes {
    kept: usize,
    repaired: usize,
    dropped: usize,
    left_out: usize,
}

impl Outcomes {
    fn count(&mut self, outcome: Option<Outcome>) {
        match outcome {
            None => {}
            Some(Outcome::Kept) => self.kept += 1,
            Some(Outcome::Repaired) => self.repaired += 1,
            Some(Outcome::Dropped) => self.dropped += 1,
            Some(Outcome::LeftOut) => self.left_out += 1,
        }
    }

    fn text(&self) -> String {
        format!(
            "{} kept, {} repaired, {} dropped as repeated, {} left out",
            self.kept, self.repaired, self.dropped, self.left_out
        )
    }
}

fn summary_value(summary: &Summary) -> Value {
    json!({
        "files": summary.files,
        "records": summary.records,
        "bad_records": summary.bad,
        "findings": summary.findings,
        "repeated": summary.repeated,
        "unreadable_files": summary.unreadable,
        "not_canonical": summary.not_canonical,
    })
}

/// The summary in words.
pub(super) fn summary_text(summary: &Summary) -> String {
    let Summary { files, records, bad, findings, unreadable, .. } = *summary;
    let plural = |n: usize, one: &str| units::count(n, one, &format!("{one}s"));
    let mut text = format!("{} in {}: ", plural(records, "record"), plural(files, "file"));
    text += &match (bad, unreadable) {
        (0, 0) => "all good".to_owned(),
        (bad, 0) => format!("{bad} bad, {}", plural(findings, "finding")),
        (bad, _) => {
            format!("{bad} bad, {} not readable, {}", plural(unreadable, "file"), plural(findings, "finding"))
        }
    };
    text
}
