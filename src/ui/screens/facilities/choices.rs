//! What can be chosen here: windows, dates, facets, columns, files, texts to copy.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

use crate::domain::facility::Facility;
use crate::domain::formats;
use crate::domain::object::Object;
use crate::ui::overlays::pick::{Item, Pick, Question};
use crate::ui::screens::facilities::Model;
use crate::ui::screens::facilities::listing::Field;
use crate::ui::world::{Facilities, World};

pub fn window(model: &Model) -> Pick {
    let examples = [("30d", "30 days"), ("90d", "90 days"), ("6mo", "6 months"), ("1y", "one year")]
        .map(|(value, label)| Item::new(value, label, value));
    let mut examples = examples.to_vec();
    examples.push(Item::new("all", "every facility", "all"));
    let present = if model.window.is_some() { model.window_text.as_str() } else { "all" };
    Pick::text("Expires within", Question::Window, present, examples)
}

pub fn as_of(world: &World) -> Pick {
    let today = world.zone().date(world.now);
    let mut examples = vec![Item::new(today.to_string(), "today", today.to_string())];
    let month = today.with_day(1).and_then(|first| first.checked_add_months(chrono::Months::new(1)));
    for (label, date) in [
        ("the first of next month", month),
        ("the first of January", NaiveDate::from_ymd_opt(today.year(), 1, 1)),
        ("the first of next January", NaiveDate::from_ymd_opt(today.year() + 1, 1, 1)),
    ] {
        examples.extend(date.map(|date| Item::new(date.to_string(), label, date.to_string())));
    }
    Pick::text("As of", Question::AsOf, &world.as_of.to_string(), examples)
}

/// Every state, tier, accreditor and service with the number of facilities listed now that have it.
pub fn facets(model: &Model, all: &Facilities) -> Pick {
    let mut states: BTreeMap<String, usize> = BTreeMap::new();
    let mut tiers = BTreeMap::new();
    let mut accreditors: BTreeMap<String, usize> = BTreeMap::new();
    let mut services: BTreeMap<String, usize> = BTreeMap::new();
    for (index, (_, facility)) in all.entries.iter().enumerate() {
        if let Some(state) = &facility.state {
            *states.entry(format!("state:{}", quoted(state))).or_default() += 1;
        }
        if let Some(row) = model.rows.get(index) {
            *tiers.entry(row.tier).or_default() += 1;
        }
        let mut seen = Vec::new();
        for accreditation in &facility.accreditations {
            if !seen.contains(&&accreditation.name) {
                seen.push(&accreditation.name);
                let term = format!("accreditor:{}", quoted(&accreditation.name));
                *accreditors.entry(term).or_default() += 1;
            }
        }
        for service in &facility.services {
            *services.entry(format!("service:{}", quoted(service))).or_default() += 1;
        }
    }
    let tiers = tiers.into_iter().map(|(tier, count): (_, usize)| (format!("tier:{}", tier.as_str()), count));
    let mut items = Vec::new();
    for facet in [tiers.collect(), most_first(states), most_first(accreditors), most_first(services)] {
        let facet: Vec<(String, usize)> = facet;
        items.extend(facet.into_iter().map(|(term, count)| Item::new(&*term, &*term, count.to_string())));
    }
    Pick::among("Only those with", Question::Facet, items)
}

fn most_first(counts: BTreeMap<String, usize>) -> Vec<(String, usize)> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

/// A value as the filter line reads it.
fn quoted(value: &str) -> String {
    let plain = value.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '&'));
    if plain && !value.is_empty() { value.to_string() } else { format!("\"{}\"", value.replace('"', "")) }
}

pub fn sort() -> Pick {
    let items = Field::ALL.map(|field| Item::new(field.name(), field.name(), ""));
    Pick::among("Sort by", Question::Sort, items.to_vec())
}

pub fn export(world: &World) -> Pick {
    let name = |ending: &str| format!("facilities-{}.{ending}", world.as_of);
    let examples = [
        ("csv", "a table for a spreadsheet"),
        ("json", "an array of records"),
        ("ndjson", "one record a line"),
        ("ics", "renewal dates for a calendar"),
        ("md", "a table for a document"),
    ];
    let items = examples.map(|(ending, label)| Item::new(name(ending), label, name(ending)));
    Pick::text("Write what is shown to", Question::Export, &name("csv"), items.to_vec())
}

/// What of a facility can be copied.
pub fn copies(world: &World, object: &Object, facility: &Facility) -> Pick {
    let bucket = &world.setup.bucket;
    let uri = format!("s3://{bucket}/{}", object.key);
    let command = format!("aws s3 cp '{}' -", uri.replace('\'', "'\\''"));
    let record = formats::json::pretty(&facility.to_value());
    let items = vec![
        Item::new(&*facility.facility_id, "the id", ""),
        Item::new(&*facility.facility_name, "the name", ""),
        Item::new(facility.to_line(), "the record as one line of JSON", ""),
        Item::new(record, "the record as JSON, indented", ""),
        Item::new(&*uri, "the object's address", ""),
        Item::new(command, "the AWS CLI command that reads it", ""),
    ];
    Pick::among("Copy", Question::CopyMore, items)
}
