//! Reading a facility record: its variants, and everything that is wrong with one.
//!
//! The fields and their variants are those of the pipeline's data model: canonical names first, then
//! `accreditation_body` for `name`, `valid_until` for `expiry_date`, `location.state` for `state`,
//! `location.city` for `city`.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use serde_json::{Map, Value};

use super::facility::{Accreditation, Facility};
use super::text;

/// The most bytes one record may have: 1 MiB. A real one has a few hundred.
pub const LIMIT: usize = 1 << 20;

/// Something wrong with a record, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// JSON path inside the record: `accreditations[1].expiry_date`; empty for the record itself.
    pub path: String,
    /// `2026-02-30 is not a date`. Free of control characters.
    pub reason: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.is_empty() {
            true => f.write_str(&self.reason),
            false => write!(f, "{}: {}", self.path, self.reason),
        }
    }
}

impl std::error::Error for Finding {}

/// What came of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Examined {
    /// The facility, or why none can be made.
    pub facility: Result<Facility, Finding>,
    /// What else is wrong: fields missing, mistyped, unreadable, or holding control characters.
    pub findings: Vec<Finding>,
}

impl Examined {
    /// Everything that is wrong, what stood in the way of a facility first.
    pub fn all(&self) -> impl Iterator<Item = &Finding> {
        self.facility.as_ref().err().into_iter().chain(&self.findings)
    }
}

/// Reads one record and names everything wrong with it. `at` is the line and the byte of that line it starts
/// at in its file, both from 1, for messages about JSON that does not parse.
pub fn examine(bytes: &[u8], at: (usize, usize)) -> Examined {
    let mut reader = Reader::default();
    let facility = reader.record(bytes, at);
    Examined { facility, findings: reader.findings }
}

/// What comes of a record that is longer than [`LIMIT`] and was not kept.
pub fn too_long(len: usize) -> Examined {
    let reason = format!("has {len} bytes; a record has at most {LIMIT}");
    Examined { facility: Err(finding("", reason)), findings: Vec::new() }
}

/// Reads a date: `2026-02-17`, or an ISO timestamp (`2026-02-17T08:30:00Z`, with or without fraction and
/// offset), of which the date counts as written. Anything else is not a date: `02/03/2026` is two.
pub fn date(text: &str) -> Option<NaiveDate> {
    let (day, time) = text.split_at_checked(10)?;
    let shape = |(at, c): (usize, u8)| if at == 4 || at == 7 { c == b'-' } else { c.is_ascii_digit() };
    if !day.bytes().enumerate().all(shape) {
        return None;
    }
    let date = day.parse().ok()?;
    let timestamp = || {
        DateTime::parse_from_rfc3339(text).is_ok()
            || ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
                .iter()
                .any(|format| NaiveDateTime::parse_from_str(text, format).is_ok())
            || DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z").is_ok()
    };
    (time.is_empty() || timestamp()).then_some(date)
}

#[derive(Default)]
struct Reader {
    findings: Vec<Finding>,
}

fn finding(path: &str, reason: impl Into<String>) -> Finding {
    Finding { path: text::shown(path).into_owned(), reason: text::shown(&reason.into()).into_owned() }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// A value cut to what fits into a message.
fn brief(value: &str) -> String {
    let mut brief: String = value.chars().take(40).collect();
    if brief.len() < value.len() {
        brief.push('…');
    }
    brief
}

fn join(path: &str, key: &str) -> String {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    match (plain, path.is_empty()) {
        (true, true) => key.to_owned(),
        (true, false) => format!("{path}.{key}"),
        (false, _) => format!("{path}[{key:?}]"),
    }
}

impl Reader {
    fn note(&mut self, path: &str, reason: impl Into<String>) {
        self.findings.push(finding(path, reason));
    }

    fn record(&mut self, bytes: &[u8], at: (usize, usize)) -> Result<Facility, Finding> {
        if bytes.len() > LIMIT {
            return too_long(bytes.len()).facility;
        }
        let source = std::str::from_utf8(bytes).map_err(|e| {
            let at = e.valid_up_to();
            finding("", format!("is not UTF-8: byte {} is 0x{:02x}", at + 1, bytes[at]))
        })?;
        let source = source.strip_prefix('\u{feff}').unwrap_or(source);
        let value: Value = serde_json::from_str(source).map_err(|e| {
            let line = at.0 + e.line().saturating_sub(1);
            let column = if e.line() <= 1 { at.1 - 1 + e.column() } else { e.column() };
            let says = e.to_string();
            let says = says.split(" at line ").next().unwrap_or_default();
            finding("", format!("is not JSON: {says} (line {line}, column {column})"))
        })?;
        let Value::Object(mut map) = value else {
            return Err(finding("", format!("is {}; a record is an object", kind(&value))));
        };
        self.controls("", &map);
        let facility_id = match map.get("facility_id") {
            None => return Err(finding("facility_id", "is missing")),
            Some(Value::String(id)) if id.trim().is_empty() => {
                return Err(finding("facility_id", "is empty"));
            }
            Some(Value::String(_)) => self.text(&mut map, "", &["facility_id"]).unwrap_or_default(),
            Some(other) => {
                return Err(finding("facility_id", format!("is {}; a text is needed", kind(other))));
            }
        };
        let facility_name = self.text(&mut map, "", &["facility_name"]).unwrap_or_default();
        let employee_count = self.count(&mut map, "employee_count");
        let services = self.services(&mut map);
        let accreditations = self.accreditations(&mut map);
        let (state, city) = self.place(&mut map);
        Ok(Facility {
            facility_id,
            facility_name,
            employee_count,
            services,
            accreditations,
            state,
            city,
            other: map,
        })
    }

    /// Takes the first of the keys the map has. A value that is not a text stays in the map.
    fn text(&mut self, map: &mut Map<String, Value>, path: &str, keys: &[&str]) -> Option<String> {
        let Some(key) = keys.iter().find(|key| map.contains_key(**key)) else {
            self.note(&join(path, keys[0]), "is missing");
            return None;
        };
        match map.get(*key) {
            Some(Value::String(value)) => {
                let trimmed = value.trim().to_owned();
                if trimmed.is_empty() {
                    self.note(&join(path, key), "is empty");
                } else if trimmed != *value {
                    self.note(&join(path, key), "has blanks at its start or end");
                }
                map.shift_remove(*key);
                Some(trimmed)
            }
            other => {
                let is = other.map_or("missing", kind);
                self.note(&join(path, key), format!("is {is}; a text is needed"));
                None
            }
        }
    }

    fn count(&mut self, map: &mut Map<String, Value>, key: &str) -> Option<u64> {
        let (count, note) = match map.get(key) {
            None => (None, Some("is missing".to_owned())),
            Some(Value::Number(n)) if n.as_u64().is_some() => (n.as_u64(), None),
            Some(Value::String(s)) if s.bytes().all(|c| c.is_ascii_digit()) && s.parse::<u64>().is_ok() => {
                (s.parse().ok(), Some("is a text; a number is needed".to_owned()))
            }
            Some(Value::Number(n)) => (None, Some(format!("{n} is not a number of people"))),
            Some(other) => (None, Some(format!("is {}; a number is needed", kind(other)))),
        };
        if let Some(note) = note {
            self.note(key, note);
        }
        if count.is_some() {
            map.shift_remove(key);
        }
        count
    }

    fn services(&mut self, map: &mut Map<String, Value>) -> Vec<String> {
        let Some(items) = self.array(map, "services") else { return Vec::new() };
        let mut services = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match item {
                Value::String(name) => services.push(name.clone()),
                other => {
                    self.note(&format!("services[{index}]"), format!("is {}; a text is needed", kind(other)));
                }
            }
        }
        if services.len() < items.len() {
            map.insert("services".into(), Value::Array(items));
        }
        services
    }

    fn accreditations(&mut self, map: &mut Map<String, Value>) -> Vec<Accreditation> {
        let Some(items) = self.array(map, "accreditations") else { return Vec::new() };
        let mut accreditations = Vec::with_capacity(items.len());
        let mut odd = false;
        for (index, item) in items.iter().enumerate() {
            let path = format!("accreditations[{index}]");
            accreditations.push(match item {
                Value::Object(fields) => self.accreditation(fields.clone(), &path),
                other => {
                    odd = true;
                    self.note(&path, format!("is {}; an object is needed", kind(other)));
                    Accreditation::new("", None)
                }
            });
        }
        if odd {
            map.insert("accreditations".into(), Value::Array(items));
        }
        accreditations
    }

    fn accreditation(&mut self, mut fields: Map<String, Value>, path: &str) -> Accreditation {
        let name = self.text(&mut fields, path, &["name", "accreditation_body"]).unwrap_or_default();
        let key = if fields.contains_key("expiry_date") { "expiry_date" } else { "valid_until" };
        let (mut expiry, mut expiry_text) = (None, None);
        match fields.get(key) {
            None => self.note(&join(path, "expiry_date"), "is missing"),
            Some(Value::String(value)) => {
                expiry = date(value);
                if expiry.is_none() {
                    self.note(&join(path, key), format!("{} is not a date", brief(value)));
                }
                expiry_text = Some(value.clone());
                fields.shift_remove(key);
            }
            Some(other) => self.note(&join(path, key), format!("is {}; a date is needed", kind(other))),
        }
        Accreditation { name, expiry, expiry_text, other: fields }
    }

    fn array(&mut self, map: &mut Map<String, Value>, key: &str) -> Option<Vec<Value>> {
        match map.get_mut(key) {
            Some(Value::Array(items)) => {
                let items = std::mem::take(items);
                map.shift_remove(key);
                Some(items)
            }
            Some(other) => {
                let is = kind(other);
                self.note(key, format!("is {is}; an array is needed"));
                None
            }
            None => {
                self.note(key, "is missing");
                None
            }
        }
    }

    /// State and city, from their own fields or from `location`, which stays as it is.
    fn place(&mut self, map: &mut Map<String, Value>) -> (Option<String>, Option<String>) {
        let located = |map: &Map<String, Value>, key: &str| {
            map.get("location").and_then(|l| l.get(key)).and_then(Value::as_str).map(str::to_owned)
        };
        let state = match located(map, "state").filter(|_| !map.contains_key("state")) {
            Some(state) => Some(state),
            None => self.text(map, "", &["state"]),
        };
        let city = match map.contains_key("city") {
            true => self.text(map, "", &["city"]),
            false => located(map, "city"),
        };
        (state.filter(|s| !s.is_empty()), city.filter(|c| !c.is_empty()))
    }

    /// Notes every text, key or value, that holds what a terminal would obey.
    fn controls(&mut self, path: &str, map: &Map<String, Value>) {
        for (key, value) in map {
            let path = join(path, key);
            if let Some(name) = text::first_obeyed(key) {
                self.note(&path, format!("is a name that holds {name}"));
            }
            self.control(&path, value);
        }
    }

    fn control(&mut self, path: &str, value: &Value) {
        match value {
            Value::String(value) => {
                if let Some(name) = text::first_obeyed(value) {
                    self.note(path, format!("holds {name}"));
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.control(&format!("{path}[{index}]"), item);
                }
            }
            Value::Object(map) => self.controls(path, map),
            _ => {}
        }
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
