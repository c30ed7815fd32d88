//! From facilities to people: chosen, sorted, written in a format, and stage 2 of the pipeline.

use std::borrow::Borrow;
use std::cmp::Reverse;
use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use futures::stream;
use serde_json::{Value, json};

use super::upload::{self, Done, Draft, key_part};
use crate::aws::{self, Aws};
use crate::domain::expiry::{self, Tier, Window};
use crate::domain::facility::{Accreditation, Facility};
use crate::domain::filter::Filter;
use crate::domain::formats::icalendar::Event;
use crate::domain::formats::{Format, csv, icalendar, json as json_text, markdown, ndjson};

/// Where stage 2 writes, below the bucket.
pub const PROCESSED: &str = "processed/";

/// A facility as the list shows it: with its tier, and the accreditation that put it there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row<'a> {
    pub facility: &'a Facility,
    pub tier: Tier,
    pub accreditation: Option<&'a Accreditation>,
    /// Days to that accreditation's expiry; negative once lapsed.
    pub days: Option<i64>,
}

/// The columns of a table of facilities, and whether they hold numbers.
pub const COLUMNS: [(&str, bool); 10] = [
    ("facility_id", false),
    ("facility_name", false),
    ("city", false),
    ("state", false),
    ("employee_count", true),
    ("services", true),
    ("expiry_date", false),
    ("days_left", true),
    ("accreditor", false),
    ("tier", false),
];

/// What the list is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Tier, then the date that put it there, then id: what needs a person first.
    #[default]
    Tier,
    Id,
    Name,
    City,
    State,
    /// Most first.
    Staff,
    /// Most first.
    Services,
    /// The soonest first, whatever the tier.
    Expiry,
    Accreditor,
}

/// Which facilities, in which order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    pub filter: Filter,
    /// Only those with an accreditation that expires inside.
    pub within: Option<Window>,
    pub sort: Sort,
    pub reverse: bool,
}

impl<'a> Row<'a> {
    pub fn new(facility: &'a Facility, as_of: NaiveDate) -> Self {
        let (tier, index) = expiry::facility_tier(facility, as_of);
        let accreditation = index.map(|index| &facility.accreditations[index]);
        let days = accreditation.and_then(|a| a.expiry).map(|date| expiry::days_left(date, as_of));
        Row { facility, tier, accreditation, days }
    }

    fn date(&self) -> Option<NaiveDate> {
        self.accreditation.and_then(|accreditation| accreditation.expiry)
    }

    /// One cell per column of [`COLUMNS`], as data spells it; empty where nothing is known.
    pub fn cells(&self) -> [String; 10] {
        let facility = self.facility;
        let number = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
        [
            facility.facility_id.clone(),
            facility.facility_name.clone(),
            facility.city.clone().unwrap_or_default(),
            facility.state.clone().unwrap_or_default(),
            number(facility.employee_count),
            facility.services.len().to_string(),
            self.date().map(|date| date.to_string()).unwrap_or_default(),
            self.days.map(|days| days.to_string()).unwrap_or_default(),
            self.accreditation.map(|a| a.name.clone()).unwrap_or_default(),
            self.tier.to_string(),
        ]
    }

    /// The row as JSON: the facility's fields, then what follows from the as-of date.
    pub fn to_value(&self, as_of: NaiveDate) -> Value {
        let facility = self.facility;
        let accreditations: Vec<Value> = (facility.accreditations.iter())
            .map(|accreditation| {
                json!({
                    "name": accreditation.name,
                    "expiry_date": accreditation.expiry,
                    "days_left": accreditation.expiry.map(|date| expiry::days_left(date, as_of)),
                    "tier": expiry::tier(accreditation.expiry, as_of).as_str(),
                })
            })
            .collect();
        json!({
            "facility_id": facility.facility_id,
            "facility_name": facility.facility_name,
            "city": facility.city,
            "state": facility.state,
            "employee_count": facility.employee_count,
            "services": facility.services,
            "tier": self.tier.as_str(),
            "days_left": self.days,
            "expiry_date": self.date(),
            "accreditor": self.accreditation.map(|accreditation| &accreditation.name),
            "accreditations": accreditations,
        })
    }
}

impl std::str::FromStr for Sort {
    type Err = String;

    fn from_str(text: &str) -> Result<Sort, String> {
        Ok(match text {
            "tier" | "days" => Sort::Tier,
            "id" => Sort::Id,
            "name" => Sort::Name,
            "city" => Sort::City,
            "state" => Sort::State,
            "staff" => Sort::Staff,
            "services" => Sort::Services,
            "expiry" => Sort::Expiry,
            "accreditor" => Sort::Accreditor,
            _ => {
                return Err(format!(
                    "`{text}` is no column to sort by: tier, id, name, city, state, staff, services, expiry or accreditor"
                ));
            }
        })
    }
}

/// The facilities of a choice as rows, in its order; equals are in order of tier, date and id.
pub fn choose<'a, F: Borrow<Facility>>(
    facilities: &'a [F],
    choice: &Choice,
    as_of: NaiveDate,
) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = (facilities.iter().map(Borrow::borrow))
        .filter(|facility| choice.within.is_none_or(|within| within.first(facility, as_of).is_some()))
        .filter(|facility| choice.filter.matches(facility, as_of))
        .map(|facility| Row::new(facility, as_of))
        .collect();
    rows.sort_by_key(|row| expiry::sort_key(row.facility, as_of));
    let text = |text: Option<&str>| (text.is_none(), text.unwrap_or_default().to_lowercase());
    match choice.sort {
        Sort::Tier => {}
        Sort::Id => rows.sort_by(|a, b| a.facility.facility_id.cmp(&b.facility.facility_id)),
        Sort::Name => rows.sort_by_cached_key(|row| text(Some(&row.facility.facility_name))),
        Sort::City => rows.sort_by_cached_key(|row| text(row.facility.city.as_deref())),
        Sort::State => rows.sort_by_cached_key(|row| text(row.facility.state.as_deref())),
        Sort::Staff => rows.sort_by_key(|row| Reverse(row.facility.employee_count)),
        Sort::Services => rows.sort_by_key(|row| Reverse(row.facility.services.len())),
        Sort::Expiry => rows.sort_by_key(|row| row.date().unwrap_or(NaiveDate::MAX)),
        Sort::Accreditor => rows.sort_by_cached_key(|row| text(row.accreditation.map(|a| &*a.name))),
    }
    if choice.reverse {
        rows.reverse();
    }
    rows
}

/// The rows in a format, ready for a file or a terminal. An iCalendar file holds the expiry dates of
/// these facilities; with a window, those inside it.
pub fn render(rows: &[Row], format: Format, within: Option<Window>, as_of: NaiveDate) -> String {
    let names = COLUMNS.map(|(name, _)| name);
    let values = || rows.iter().map(|row| row.to_value(as_of)).collect::<Vec<Value>>();
    match format {
        Format::Csv => csv::write(&names, rows.iter().map(Row::cells)),
        Format::Json => json_text::pretty(&Value::Array(values())) + "\n",
        Format::Ndjson => ndjson::write(&values()),
        Format::Markdown => {
            markdown::table(&names, &COLUMNS.map(|(_, right)| right), rows.iter().map(Row::cells))
        }
        Format::Icalendar => {
            // The file is a function of the data and the date, so equal exports are equal bytes.
            let stamp = DateTime::<Utc>::from_naive_utc_and_offset(as_of.and_time(NaiveTime::MIN), Utc);
            icalendar::write("Accreditation renewals", &events(rows, within, as_of), stamp)
        }
    }
}

fn events(rows: &[Row], within: Option<Window>, as_of: NaiveDate) -> Vec<Event> {
    let mut events = Vec::new();
    for facility in rows.iter().map(|row| row.facility) {
        let mut occurrences: HashMap<&str, usize> = HashMap::new();
        for accreditation in &facility.accreditations {
            let occurrence = occurrences.entry(&accreditation.name).or_default();
            *occurrence += 1;
            let occurrence = *occurrence;
            let Some(date) = accreditation.expiry else { continue };
            if within.is_some_and(|within| !within.contains(date, as_of)) {
                continue;
            }
            // Without the date, so that a renewal moves the event instead of adding one.
            let mut uid = format!("{}.{}", key_part(&facility.facility_id), key_part(&accreditation.name));
            match accreditation.id() {
                Some(id) => uid += &format!(".{}", key_part(id)),
                None if occurrence > 1 => uid += &format!(".{occurrence}"),
                None => {}
            }
            let place = [facility.city.as_deref(), facility.state.as_deref()];
            let place: Vec<&str> = place.into_iter().flatten().collect();
            events.push(Event {
                uid: uid + "@ward",
                date,
                summary: format!("{} of {} expires", accreditation.name, facility.facility_name),
                description: format!(
                    "Facility {}\nAccreditor {}\nExpires {date}",
                    facility.facility_id, accreditation.name
                ),
                location: (!place.is_empty()).then(|| place.join(", ")),
                categories: vec!["Accreditation".into()],
            });
        }
    }
    events.sort_by(|a, b| (a.date, &a.uid).cmp(&(b.date, &b.uid)));
    events
}

/// The key of a facility that expires soon: `processed/expiring-<facility_id>.json`.
pub fn expiring_key(facility: &Facility) -> String {
    format!("{PROCESSED}expiring-{}.json", key_part(&facility.facility_id))
}

/// What stage 2 did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// In key order.
    pub done: Vec<Done>,
    /// Keys of facilities that an earlier run wrote and that are not among these.
    pub older: Vec<String>,
}

/// Stage 2: writes the record of each facility to `processed/`, several at a time, unchanged ones
/// skipped. What earlier runs wrote stays.
pub async fn write_expiring(
    aws: &Aws,
    bucket: &str,
    rows: &[Row<'_>],
    dry_run: bool,
    mut progress: impl FnMut(usize),
) -> Result<Written, aws::Error> {
    let mut present = upload::present(aws, bucket, &format!("{PROCESSED}expiring-")).await?;
    let drafts: Vec<Draft> = (rows.iter())
        .map(|row| Draft { key: expiring_key(row.facility), body: row.facility.to_line().into() })
        .collect();
    let mut written = Written::default();
    upload::write(aws, bucket, &present, stream::iter(drafts), dry_run, |done| {
        written.done.push(done);
        progress(written.done.len());
    })
    .await?;
    written.done.sort_by(|a, b| a.key.cmp(&b.key));
    written.done.iter().for_each(|done| {
        present.remove(&done.key);
    });
    written.older = present.into_keys().collect();
    written.older.sort();
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn facility(id: &str, state: Option<&str>, accreditations: &[(&str, Option<&str>)]) -> Facility {
        let accreditations =
            accreditations.iter().map(|(name, day)| Accreditation::new(*name, day.map(date))).collect();
        Facility {
            accreditations,
            state: state.map(str::to_owned),
            ..Facility::new(id, format!("Name {id}"))
        }
    }

    fn facilities() -> Vec<Facility> {
        vec![
            facility("A", Some("TX"), &[("CAP", Some("2026-05-01")), ("DNV", Some("2027-01-01"))]),
            facility("B", None, &[("CAP", None)]),
            facility("C", Some("AZ"), &[("CAP", Some("2025-12-31")), ("CAP", Some("2026-07-01"))]),
            facility("D", Some("TX"), &[("CAP", Some("2026-01-31"))]),
            facility("E", Some("OH"), &[("DNV", Some("2026-07-02"))]),
        ]
    }

    fn chosen(choice: Choice) -> String {
        choose(&facilities(), &choice, date("2026-01-01")).iter().map(|r| &*r.facility.facility_id).collect()
    }

    #[test]
    fn the_list_is_in_the_order_of_need() {
        assert_eq!(chosen(Choice::default()), "CDBAE");
        assert_eq!(chosen(Choice { sort: Sort::State, ..Choice::default() }), "CEDAB");
        assert_eq!(chosen(Choice { sort: Sort::Expiry, ..Choice::default() }), "CDAEB");
        assert_eq!(chosen(Choice { sort: Sort::Id, reverse: true, ..Choice::default() }), "EDCBA");
    }

    #[test]
    fn a_window_holds_both_its_ends_and_a_filter_narrows_it() {
        let within = Some(Window::default());
        assert_eq!(chosen(Choice { within, ..Choice::default() }), "CDA");
        let filter = Filter::parse("state:TX days>30").unwrap();
        assert_eq!(chosen(Choice { within, filter, ..Choice::default() }), "A");
    }

    #[test]
    fn rows_are_written_in_every_format() {
        let as_of = date("2026-01-01");
        let facilities = facilities();
        let rows = choose(&facilities[..3], &Choice::default(), as_of);
        let csv = render(&rows, Format::Csv, None, as_of);
        assert_eq!(
            csv,
            "facility_id,facility_name,city,state,employee_count,services,expiry_date,days_left,accreditor,tier\n\
             C,Name C,,AZ,,0,2025-12-31,-1,CAP,lapsed\n\
             B,Name B,,,,0,,,CAP,unknown\n\
             A,Name A,,TX,,0,2026-05-01,120,CAP,medium\n"
        );
        let json: Value = serde_json::from_str(&render(&rows, Format::Json, None, as_of)).unwrap();
        assert_eq!(json[0]["days_left"], -1);
        assert_eq!(json[1]["expiry_date"], Value::Null);
        assert_eq!(json[0]["accreditations"][1]["tier"], "clear");
        assert_eq!(render(&rows, Format::Ndjson, None, as_of).lines().count(), 3);
        assert_eq!(render(&rows, Format::Markdown, None, as_of).lines().count(), 5);
    }

    #[test]
    fn a_calendar_has_stable_ids_and_keeps_to_the_window() {
        let as_of = date("2026-01-01");
        let facilities = facilities();
        let rows = choose(&facilities, &Choice::default(), as_of);
        let uids = |within| -> Vec<String> {
            let text = render(&rows, Format::Icalendar, within, as_of);
            text.lines().filter_map(|line| line.strip_prefix("UID:")).map(str::to_owned).collect()
        };
        assert_eq!(uids(Some(Window::default())), ["D.CAP@ward", "A.CAP@ward", "C.CAP.2@ward"]);
        assert_eq!(uids(None).len(), 6);
    }
}
