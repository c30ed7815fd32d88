//! From a survey file to facilities: one row, one facility.
//!
//! A row gives the organisation, its city and its state. What a survey does not hold (staff, services,
//! accreditations) is synthesised from the seed and the as-of date, and the record says so in
//! `synthesised`. Equal arguments make equal records; a record depends on its row and no other.

use std::fmt;
use std::io;

use chrono::{Days, NaiveDate};
use serde_json::json;

use super::draw::{Draw, Job};
use crate::domain::expiry::Window;
use crate::domain::facility::{Accreditation, Facility};
use crate::domain::record::LIMIT;
use crate::domain::text::{first_obeyed, shown};

/// The columns a survey file must have, in any order, in any case.
pub const NEEDED: [&str; 3] = ["Organization Name", "City", "State"];

const SERVICES: &[&str] = &[
    "Cardiology",
    "Dialysis",
    "Emergency Care",
    "ICU",
    "Laboratory",
    "Maternity",
    "Neurology",
    "Oncology",
    "Orthopedics",
    "Pediatrics",
    "Pharmacy",
    "Physical Therapy",
    "Radiology",
    "Surgery",
];

const ACCREDITORS: &[&str] = &["AAAHC", "CAP", "CARF", "DNV", "ISO9001", "JCI"];

/// Facilities with an accreditation that expires within six months, per 1000: as in the reference run of
/// the pipeline, where they were 144 of 250.
const EXPIRING: u64 = 576;

/// A row, or a file, that cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The line of the file the row starts at.
    pub line: u64,
    pub reason: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for Error {}

/// Reads a survey file row by row: the row's number, from 1, and its facility. A bad row keeps its
/// number and does not stop the others; an error here is about the header.
pub fn facilities<R: io::Read>(
    survey: R,
    seed: u64,
    as_of: NaiveDate,
) -> Result<impl Iterator<Item = Result<(u64, Facility), Error>>, Error> {
    let mut reader = ::csv::ReaderBuilder::new().from_reader(survey);
    let header = reader.byte_headers().map_err(|e| wrong(1, &e))?.clone();
    let columns: Vec<String> = header
        .iter()
        .map(|name| String::from_utf8_lossy(name).trim_start_matches('\u{feff}').trim().to_lowercase())
        .collect();
    let mut at = [0; NEEDED.len()];
    for (slot, needed) in at.iter_mut().zip(NEEDED) {
        *slot = columns.iter().position(|name| *name == needed.to_lowercase()).ok_or_else(|| Error {
            line: 1,
            reason: format!("the column `{needed}` is missing; a survey file starts with a line of names"),
        })?;
    }
    let mut row = 0;
    Ok(reader.into_byte_records().map(move |record| {
        row += 1;
        let record = record.map_err(|e| wrong(e.position().map_or(0, |p| p.line()), &e))?;
        let line = record.position().map_or(0, |p| p.line());
        let mut cells = [""; NEEDED.len()];
        for ((cell, column), name) in cells.iter_mut().zip(at).zip(NEEDED) {
            *cell = text(record.get(column).unwrap_or_default(), name)
                .map_err(|reason| Error { line, reason })?;
        }
        let [name, city, state] = cells;
        if !(state.len() == 2 && state.bytes().all(|c| c.is_ascii_alphabetic())) {
            let reason = format!("State: `{}` is not a two-letter state", shown(state));
            return Err(Error { line, reason });
        }
        let facility = facility(row, name, city, &state.to_ascii_uppercase(), seed, as_of);
        // What is made up is small; a quarter leaves room for it and for escapes.
        let size = if name.len() + city.len() < LIMIT / 4 { 0 } else { facility.to_line().len() };
        match size > LIMIT {
            true => {
                let reason = format!("makes a record of {size} bytes; a record has at most {LIMIT}");
                Err(Error { line, reason })
            }
            false => Ok((row, facility)),
        }
    }))
}

/// The facility of a row (from 1) of a survey.
pub fn facility(row: u64, name: &str, city: &str, state: &str, seed: u64, as_of: NaiveDate) -> Facility {
    let mut draw = Draw::of(seed, Job::Facility, row);
    let staff = 40 + draw.below(160) + draw.below(260) + draw.below(420);
    let offered = draw.between(3, 6);
    let services = draw.several(SERVICES, offered as usize).into_iter().map(|s| s.to_string()).collect();
    let dates = dates(&mut draw, expires_soon(seed, row), as_of);
    let accreditors = draw.several(ACCREDITORS, dates.len());
    let accreditations = accreditors
        .into_iter()
        .zip(dates)
        .map(|(name, date)| Accreditation::new(*name, Some(date)))
        .collect();
    let mut facility = Facility::new(id(row), name);
    facility.employee_count = Some(u64::from(staff));
    facility.services = services;
    facility.accreditations = accreditations;
    facility.state = Some(state.to_owned());
    facility.city = Some(city.to_owned());
    facility.other.insert("synthesised".into(), json!(["employee_count", "services", "accreditations"]));
    facility
}

/// `FAC001`: the row, with at least three digits.
pub fn id(row: u64) -> String {
    format!("FAC{row:03}")
}

/// `facility-data-1.json`: the object and file of a row.
pub fn file_name(row: u64) -> String {
    format!("facility-data-{row}.json")
}

/// Whether a row is one of those with an accreditation that expires within six months. The rows are
/// spread by the golden ratio, so that any stretch of them has the share it should.
fn expires_soon(seed: u64, row: u64) -> bool {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    let offset = seed.wrapping_mul(0xd134_2543_de82_ef95);
    let at = row.wrapping_mul(GOLDEN).wrapping_add(offset) >> 32;
    at * 1000 < EXPIRING << 32
}

/// One to three expiry dates: inside six months of as-of if there should be one, lapsed now and then,
/// else up to two years later.
fn dates(draw: &mut Draw, soon: bool, as_of: NaiveDate) -> Vec<NaiveDate> {
    let end = Window::default().end(as_of);
    let inside = end.signed_duration_since(as_of).num_days().clamp(0, 1000) as u32;
    let count = [1, 1, 2, 2, 2, 2, 2, 2, 3, 3][draw.below(10) as usize];
    let special = draw.below(count);
    let later = |day: NaiveDate, days: u32| day.checked_add_days(Days::new(days.into())).unwrap_or(day);
    (0..count)
        .map(|index| match (index == special, soon) {
            (true, true) => later(as_of, draw.between(0, inside)),
            (true, false) if draw.chance(14) => {
                as_of.checked_sub_days(Days::new(draw.between(1, 75).into())).unwrap_or(as_of)
            }
            (false, true) if draw.chance(35) => later(as_of, draw.between(0, inside)),
            _ => later(end, draw.between(1, 640)),
        })
        .collect()
}

/// A cell as text that a record may hold.
fn text<'a>(cell: &'a [u8], name: &str) -> Result<&'a str, String> {
    let cell = std::str::from_utf8(cell).map_err(|_| format!("{name}: is not UTF-8"))?.trim();
    if cell.is_empty() {
        return Err(format!("{name}: is empty"));
    }
    match first_obeyed(cell) {
        Some(culprit) => Err(format!("{name}: holds {culprit}")),
        None => Ok(cell),
    }
}

fn wrong(line: u64, error: &::csv::Error) -> Error {
    let reason = match error.kind() {
        ::csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("has {len} cells; the header has {expected_len}")
        }
        ::csv::ErrorKind::Io(error) => format!("cannot be read: {error}"),
        _ => shown(&error.to_string()).into_owned(),
    };
    Error { line, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record;

    const AS_OF: &str = "2026-01-01";

    fn import(csv: &[u8]) -> Vec<Result<(u64, Facility), String>> {
        let rows = facilities(csv, 1, AS_OF.parse().unwrap()).unwrap();
        rows.map(|row| row.map_err(|e| e.to_string())).collect()
    }

    #[test]
    fn a_row_is_a_facility_by_its_number() {
        let rows = import(b"State,City,Organization Name,Other\ntx,Waco,\"A, B\",\nCA,Fresno,C,x\n");
        let (row, facility) = rows[0].clone().unwrap();
        assert_eq!(
            (row, facility.facility_id.as_str(), facility.facility_name.as_str()),
            (1, "FAC001", "A, B")
        );
        assert_eq!((facility.state.as_deref(), facility.city.as_deref()), (Some("TX"), Some("Waco")));
        assert_eq!(rows[1].clone().unwrap().1.facility_id, "FAC002");
        assert_eq!(id(1234), "FAC1234");
        let examined = record::examine(facility.to_line().as_bytes(), (1, 1));
        assert_eq!((examined.facility, examined.findings), (Ok(facility), vec![]));
    }

    #[test]
    fn a_bad_row_is_named_with_its_line_and_keeps_its_number() {
        let rows = import(
            b"Organization Name,City,State\n\"Two\nlines\",Waco,TX\nA,Waco\n,Waco,TX\nB,Waco,Texas\nC\xff,W,TX\nD\x1b[1m,W,TX\nE,W,TX\n",
        );
        let errors: Vec<String> = rows.iter().filter_map(|row| row.clone().err()).collect();
        assert_eq!(
            errors,
            [
                "line 2: Organization Name: holds U+000A (a line break)",
                "line 4: has 2 cells; the header has 3",
                "line 5: Organization Name: is empty",
                "line 6: State: `Texas` is not a two-letter state",
                "line 7: Organization Name: is not UTF-8",
                "line 8: Organization Name: holds U+001B (an escape sequence)",
            ]
        );
        assert_eq!(rows[6].clone().unwrap().1.facility_id, "FAC007");
    }

    #[test]
    fn a_row_that_makes_too_large_a_record_is_a_bad_row() {
        let row = |length: usize| format!("{},Waco,TX\n", "x".repeat(length));
        let csv = format!("Organization Name,City,State\n{}{}B,Waco,TX\n", row(900_000), row(1 << 20));
        let rows = import(csv.as_bytes());
        let (_, large) = rows[0].clone().unwrap();
        let examined = record::examine(large.to_line().as_bytes(), (1, 1));
        assert_eq!(examined.facility, Ok(large));
        let error = rows[1].clone().unwrap_err();
        assert!(error.starts_with("line 3: makes a record of 1048"), "{error}");
        assert!(error.ends_with("bytes; a record has at most 1048576"), "{error}");
        assert_eq!(rows[2].clone().unwrap().1.facility_id, "FAC003");
    }

    #[test]
    fn a_file_that_is_no_survey_says_which_column_it_lacks() {
        let error = facilities(&b"a,b\n1,2\n"[..], 1, AS_OF.parse().unwrap()).err().unwrap();
        assert!(error.to_string().contains("Organization Name"), "{error}");
    }

    #[test]
    fn any_stretch_of_rows_has_its_share_that_expires_soon() {
        let as_of = AS_OF.parse().unwrap();
        for (seed, first) in [(1, 1), (2, 1), (99, 4000), (u64::MAX, 1_000_000)] {
            let expiring = (first..first + 250)
                .filter(|row| {
                    let facility = facility(*row, "N", "C", "TX", seed, as_of);
                    Window::default().first(&facility, as_of).is_some()
                })
                .count();
            assert!((142..=146).contains(&expiring), "seed {seed}: {expiring} of 250");
        }
    }
}
