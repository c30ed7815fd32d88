//! Execution histories as GetExecutionHistory answers them, from `tests/cases/histories/*.json`.
//!
//! Each file holds `about` (what happened, in a sentence), `definition`, `status`, `states` (the standing of
//! each state at the end, worked out by hand) and `events`.

use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use ward::domain::execution::HistoryEvent;

pub struct History {
    pub name: String,
    pub definition: Option<Value>,
    /// What must come out, where the file says so.
    pub expected: Value,
    pub events: Vec<HistoryEvent>,
    /// Ids were masked in the recording: links say nothing.
    pub masked: bool,
}

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/histories")
}

/// Our own, in the order of their names.
pub fn own() -> Vec<History> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    paths.sort();
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        history(name, value.get("definition").cloned(), value.clone(), &value["events"])
    };
    paths.iter().map(read).collect()
}

/// Recordings of another service, where `WARD_RECORDINGS` names a file of them: an array of cases with
/// `id`, `definition` and `expected_history`.
pub fn recorded() -> Option<Vec<History>> {
    let path = std::env::var_os("WARD_RECORDINGS")?;
    let text = std::fs::read_to_string(path).expect("WARD_RECORDINGS is a file");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("an array of cases");
    let of = |case: &Value| {
        let events = case.get("expected_history").filter(|events| events.is_array())?;
        let name = case["id"].as_str().unwrap_or_default().to_owned();
        Some(history(name, case.get("definition").cloned(), Value::Null, events))
    };
    Some(cases.iter().filter_map(of).collect())
}

fn history(name: String, definition: Option<Value>, expected: Value, events: &Value) -> History {
    let rows = events.as_array().expect("an array of events");
    let mut ids: Vec<i64> = rows.iter().map(|row| row["id"].as_i64().unwrap_or(0)).collect();
    ids.sort_unstable();
    ids.dedup();
    let masked = ids.len() < rows.len();
    let events = rows.iter().enumerate().map(|(place, row)| event(row, place, masked)).collect();
    History { name, definition, expected, events, masked }
}

/// One event; where ids are masked its place counts, and where the time is, a moment later than the one before.
fn event(row: &Value, place: usize, masked: bool) -> HistoryEvent {
    let place = i64::try_from(place).unwrap();
    let start = DateTime::<Utc>::from_timestamp(1_767_225_600, 0).unwrap();
    let at = match &row["timestamp"] {
        Value::Number(seconds) => {
            DateTime::from_timestamp_millis((seconds.as_f64().unwrap() * 1000.0).round() as i64).unwrap()
        }
        Value::String(text) => DateTime::parse_from_rfc3339(text)
            .map_or(start + TimeDelta::milliseconds(10 * place), |at| at.to_utc()),
        _ => start,
    };
    let members = row.as_object().expect("an event is an object");
    let details = members.iter().find(|(name, _)| name.ends_with("EventDetails"));
    HistoryEvent {
        id: if masked { place + 1 } else { row["id"].as_i64().unwrap() },
        previous: if masked { 0 } else { row["previousEventId"].as_i64().unwrap_or(0) },
        at,
        kind: row["type"].as_str().expect("a type").to_owned(),
        details: details.map(|(_, details)| details.clone()).unwrap_or_default(),
    }
}
