//! A survey file of made-up facilities, in the layout in which surveys arrive: 19 columns, one row a
//! surveyed facility. Names, findings and standards are invented; no real facility is meant.

use std::io;

use chrono::{Datelike, Days, NaiveDate};

use super::draw::{Draw, Job};
use super::import;

/// The columns of a survey file.
pub const HEADER: [&str; 19] = [
    "Organization Name",
    "City",
    "State",
    "Certification Disease",
    "Event Type",
    "Standard Chapter",
    "Standard Text",
    "Standard Text 2",
    "Standard Text 3",
    "EP",
    "Standard and EP",
    "EP SAFER Placement",
    "EP Score",
    "EP Likelihood",
    "Survey Start Date",
    "Survey End Date",
    "Survey Year",
    "EP Text",
    "EP Observations",
];

const PLACES: &[&str] = &[
    "Harbor Point",
    "Cedar Hollow",
    "Juniper Flats",
    "Twin Bridges",
    "Old Mill",
    "Larkspur",
    "Red Canyon",
    "Silver Creek",
    "Meadowbrook",
    "Ironwood",
    "Granite Falls",
    "Prairie Rose",
    "Bluewater",
    "Foxglove",
    "Willow Bend",
    "Summit Ridge",
    "Copper Hill",
    "Quail Run",
    "Sandstone",
    "Birch Harbor",
    "Three Rivers",
    "Palmetto Bay",
    "Aspen Grove",
    "St. Brendan's",
    "St. Odile",
    "Mercy Lane",
    "Ramírez Family",
    "Eastgate",
    "Oak, Ash & Elm",
    "Northern Lights",
];

const KINDS: &[&str] = &[
    "Hospital",
    "Medical Center",
    "Regional Hospital",
    "Community Hospital",
    "Surgical Center",
    "Health",
    "Rehabilitation Hospital",
    "Children's Hospital",
    "Heart Institute",
    "Clinic",
];

const CITIES: &[(&str, &str)] = &[
    ("Houston", "TX"),
    ("San Antonio", "TX"),
    ("El Paso", "TX"),
    ("Lubbock", "TX"),
    ("Amarillo", "TX"),
    ("Tampa", "FL"),
    ("Orlando", "FL"),
    ("Tallahassee", "FL"),
    ("Sacramento", "CA"),
    ("Fresno", "CA"),
    ("San Diego", "CA"),
    ("Oakland", "CA"),
    ("Albany", "NY"),
    ("Buffalo", "NY"),
    ("Rochester", "NY"),
    ("Toledo", "OH"),
    ("Cincinnati", "OH"),
    ("Dayton", "OH"),
    ("Pittsburgh", "PA"),
    ("Erie", "PA"),
    ("Tucson", "AZ"),
    ("Flagstaff", "AZ"),
    ("Peoria", "IL"),
    ("Springfield", "IL"),
    ("Raleigh", "NC"),
    ("Durham", "NC"),
    ("Savannah", "GA"),
    ("Macon", "GA"),
    ("Spokane", "WA"),
    ("Tacoma", "WA"),
    ("Boulder", "CO"),
    ("Pueblo", "CO"),
    ("Duluth", "MN"),
    ("Grand Rapids", "MI"),
    ("Lansing", "MI"),
    ("Worcester", "MA"),
    ("Boise", "ID"),
    ("Omaha", "NE"),
    ("Baton Rouge", "LA"),
    ("Honolulu", "HI"),
];

const DISEASES: &[&str] = &["Stroke", "Sepsis", "Hip Fracture", "Diabetes", "Asthma", "Perinatal Care"];

const EVENTS: &[&str] =
    &["Initial Survey", "Triennial Survey", "For-cause Survey", "Follow-up Survey", "Validation Survey"];

const CHAPTERS: &[(&str, &str)] = &[
    ("Building and Equipment", "BE"),
    ("Care of Patients", "CP"),
    ("Clean Hands and Instruments", "CH"),
    ("Emergency Readiness", "ER"),
    ("Fire Safety", "FS"),
    ("Governance", "GO"),
    ("Medicines", "MD"),
    ("Records", "RE"),
    ("Rights of the Patient", "RP"),
    ("Staff and Training", "ST"),
];

const PLACEMENTS: &[&str] =
    &["No Deficiency", "Standard Level", "Standard Level", "Condition Level", "Immediate Jeopardy"];

const LIKELIHOODS: &[&str] = &["Isolated", "Isolated", "No Pattern", "Pattern", "Widespread"];

const SUBJECTS: &[&str] = &[
    "Crash cart checks",
    "Medicine refrigerator log",
    "Consent forms",
    "Fire doors on the ward",
    "Hand hygiene audits",
    "Competency files of new staff",
    "Fall risk assessments",
    "Backup generator tests",
    "Allergy entries in the record",
    "Instrument sterilisation records",
    "Evacuation plan",
    "Oxygen storage",
];

const OUTCOMES: &[&str] = &[
    "complete at the time of the visit",
    "missing for two of ten days",
    "not signed, corrected on the spot",
    "kept, but not reviewed",
    "older than the policy allows",
    "in order; one open question",
];

/// One record of the sample, as it is put into a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The object's name without a prefix: `facility-data-7.json`.
    pub name: String,
    /// The canonical record on one line.
    pub line: String,
}

/// Writes a survey file of `count` rows. The same bytes for the same arguments, on every machine; a row
/// does not depend on how many there are.
pub fn survey(count: u64, seed: u64, as_of: NaiveDate, out: impl io::Write) -> io::Result<()> {
    let mut writer = ::csv::Writer::from_writer(out);
    writer.write_record(HEADER)?;
    for row in 1..=count {
        writer.write_record(self::row(seed, row, as_of))?;
    }
    writer.flush()
}

/// The sample that every local cloud starts with and that `data/` holds: a survey and its facilities.
pub fn sample(count: u64, seed: u64, as_of: NaiveDate) -> Vec<Sample> {
    (1..=count)
        .map(|row| {
            let [name, city, state, ..] = self::row(seed, row, as_of);
            let facility = import::facility(row, &name, &city, &state, seed, as_of);
            Sample { name: import::file_name(row), line: facility.to_line() }
        })
        .collect()
}

/// The cells of one row, from 1.
fn row(seed: u64, row: u64, as_of: NaiveDate) -> [String; 19] {
    let mut draw = Draw::of(seed, Job::Survey, row);
    let name = format!("{} {}", draw.pick(PLACES), draw.pick(KINDS));
    let (city, state) = *draw.pick(CITIES);
    let disease = if draw.chance(40) { *draw.pick(DISEASES) } else { "" };
    let event = *draw.pick(EVENTS);
    let (chapter, code) = *draw.pick(CHAPTERS);
    let mut standard = || format!("{code}.{:02}.{:02}.{:02}", draw.between(1, 6), draw.between(1, 4), 1);
    let (first, second) = (standard(), standard());
    let point = draw.between(1, 30);
    // Within the three years before as-of; a survey takes one to five days.
    let start = before(as_of, draw.between(6, 3 * 365));
    let end = start.checked_add_days(Days::new(u64::from(draw.below(5)))).unwrap_or(start);
    let american = |day: NaiveDate| day.format("%m/%d/%Y").to_string();
    [
        name,
        city.into(),
        state.into(),
        disease.into(),
        event.into(),
        chapter.into(),
        first.clone(),
        format!("{second}.{}", draw.between(1, 12)),
        format!("Element {}", draw.between(1, 20)),
        format!("EP {point}"),
        format!("{first} EP{point}"),
        (*draw.pick(PLACEMENTS)).into(),
        draw.between(0, 5).to_string(),
        (*draw.pick(LIKELIHOODS)).into(),
        american(start),
        american(end),
        start.year().to_string(),
        format!("{} {}", draw.pick(SUBJECTS), draw.pick(OUTCOMES)),
        draw.between(1, 15).to_string(),
    ]
}

fn before(day: NaiveDate, days: u32) -> NaiveDate {
    day.checked_sub_days(Days::new(u64::from(days))).unwrap_or(NaiveDate::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(count: u64, seed: u64, as_of: &str) -> String {
        let mut bytes = Vec::new();
        survey(count, seed, as_of.parse().unwrap(), &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn equal_arguments_make_equal_bytes() {
        let one = text(40, 7, "2026-01-01");
        assert_eq!(one, text(40, 7, "2026-01-01"));
        assert_ne!(one, text(40, 8, "2026-01-01"));
        assert_ne!(one, text(40, 7, "2026-01-02"));
        assert!(text(50, 7, "2026-01-01").starts_with(&one), "a longer file only adds rows");
    }

    #[test]
    fn the_sample_is_what_importing_the_survey_makes() {
        let as_of = "2026-01-01".parse().unwrap();
        let csv = text(30, 5, "2026-01-01");
        let imported: Vec<String> = import::facilities(csv.as_bytes(), 5, as_of)
            .unwrap()
            .map(|facility| facility.unwrap().1.to_line())
            .collect();
        let sample: Vec<String> = sample(30, 5, as_of).into_iter().map(|record| record.line).collect();
        assert_eq!(sample, imported);
    }
}
