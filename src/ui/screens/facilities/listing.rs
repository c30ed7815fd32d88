//! Which facilities are listed, and in what order. Pure over a shared snapshot, so that a long list can
//! be arranged off the loop.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use chrono::NaiveDate;

use crate::domain::expiry::{self, Window};
use crate::domain::facility::Facility;
use crate::domain::filter::Filter;
use crate::ui::screens::facilities::Row;
use crate::ui::widgets::table::Column;
use crate::ui::world::Facilities;

/// A column of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Field {
    Id,
    Name,
    State,
    Staff,
    Services,
    Expiry,
    Days,
    Accreditor,
    #[default]
    Tier,
}

impl Field {
    pub const ALL: [Field; 9] = [
        Field::Id,
        Field::Name,
        Field::State,
        Field::Staff,
        Field::Services,
        Field::Expiry,
        Field::Days,
        Field::Accreditor,
        Field::Tier,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Field::Id => "id",
            Field::Name => "name",
            Field::State => "state",
            Field::Staff => "staff",
            Field::Services => "services",
            Field::Expiry => "expiry",
            Field::Days => "days",
            Field::Accreditor => "accreditor",
            Field::Tier => "tier",
        }
    }

    pub fn index(self) -> usize {
        self as usize
    }
}

/// The columns as the table draws them, in the order of [`Field::ALL`].
pub static COLUMNS: [Column; 9] = [
    Column::new("ID", 6, 10, 8).middle(),
    Column::new("Name", 14, 44, 9),
    Column::new("ST", 2, 2, 5),
    Column::new("Staff", 6, 6, 3).right(),
    Column::new("Svc", 3, 3, 1).right(),
    Column::new("Expiry", 10, 10, 7),
    Column::new("Days", 5, 5, 6).right(),
    Column::new("Accreditor", 10, 26, 2),
    Column::new("Tier", 10, 10, 4),
];

/// By which column, and which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sort {
    pub field: Field,
    pub down: bool,
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.down { "-" } else { "" }, self.field.name())
    }
}

impl Sort {
    /// Reads `days` or `-days`.
    pub fn parse(text: &str) -> Option<Sort> {
        let name = text.strip_prefix('-').unwrap_or(text);
        let field = Field::ALL.into_iter().find(|field| field.name() == name)?;
        Some(Sort { field, down: text.starts_with('-') })
    }
}

/// Everything that decides the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing {
    pub all: Arc<Facilities>,
    pub rows: Vec<Row>,
    pub filter: Filter,
    pub window: Option<Window>,
    pub as_of: NaiveDate,
    pub sort: Sort,
}

/// What every facility comes to, as of a date.
pub fn rows(all: &Facilities, as_of: NaiveDate) -> Vec<Row> {
    let row = |facility: &Facility| {
        let (tier, accreditation) = expiry::facility_tier(facility, as_of);
        let date = accreditation.and_then(|index| facility.accreditations[index].expiry);
        Row { tier, accreditation, days: date.map(|date| expiry::days_left(date, as_of)) }
    };
    all.entries.iter().map(|(_, facility)| row(facility)).collect()
}

impl Listing {
    /// Indices of the facilities that pass, sorted. What has no value comes last either way; equals are
    /// in the order of tier, days and id.
    pub fn order(&self) -> Vec<u32> {
        let passes = |index: &u32| {
            let Some((_, facility)) = self.all.entries.get(*index as usize) else { return false };
            self.window.is_none_or(|window| window.first(facility, self.as_of).is_some())
                && self.filter.matches(facility, self.as_of)
        };
        let known = self.all.entries.len().min(self.rows.len()) as u32;
        let mut order: Vec<u32> = (0..known).filter(passes).collect();
        order.sort_by(|a, b| self.compare(*a as usize, *b as usize));
        order
    }

    fn compare(&self, a: usize, b: usize) -> Ordering {
        let facility = |index: usize| &self.all.entries[index].1;
        let down = self.sort.down;
        let accreditor = |index: usize| {
            let facility = facility(index);
            let name = |at: usize| facility.accreditations.get(at).map(|found| found.name.to_lowercase());
            self.rows[index].accreditation.and_then(name)
        };
        let (x, y) = (facility(a), facility(b));
        let first = match self.sort.field {
            Field::Id => directed(x.facility_id.cmp(&y.facility_id), down),
            Field::Name => {
                directed(x.facility_name.to_lowercase().cmp(&y.facility_name.to_lowercase()), down)
            }
            Field::State => optional(x.state.as_ref(), y.state.as_ref(), down),
            Field::Staff => optional(x.employee_count, y.employee_count, down),
            Field::Services => directed(x.services.len().cmp(&y.services.len()), down),
            Field::Expiry | Field::Days => optional(self.rows[a].days, self.rows[b].days, down),
            Field::Accreditor => optional(accreditor(a), accreditor(b), down),
            Field::Tier => directed(self.rows[a].tier.cmp(&self.rows[b].tier), down),
        };
        first
            .then_with(|| self.rows[a].tier.cmp(&self.rows[b].tier))
            .then_with(|| optional(self.rows[a].days, self.rows[b].days, false))
            .then_with(|| x.facility_id.cmp(&y.facility_id))
    }
}

fn directed(ordering: Ordering, down: bool) -> Ordering {
    if down { ordering.reverse() } else { ordering }
}

fn optional<T: Ord>(a: Option<T>, b: Option<T>, down: bool) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => directed(a.cmp(&b), down),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::facility::Accreditation;
    use crate::domain::object::Object;

    fn facilities() -> Arc<Facilities> {
        let one = |id: &str, state: &str, staff: Option<u64>, expiry: Option<&str>| {
            let mut facility = Facility::new(id, format!("Hospital {id}"));
            facility.state = Some(state.to_string());
            facility.employee_count = staff;
            let expiry = expiry.and_then(|date| date.parse().ok());
            facility.accreditations.push(Accreditation::new("CAP", expiry));
            let object =
                Object { key: format!("raw/{id}.json"), size: 1, etag: String::new(), modified: None };
            (object, facility)
        };
        let entries = vec![
            one("C", "TX", Some(30), Some("2027-06-01")),
            one("A", "TX", None, Some("2026-01-20")),
            one("D", "FL", Some(10), None),
            one("B", "FL", Some(20), Some("2025-12-01")),
        ];
        Arc::new(Facilities { entries, problems: Vec::new() })
    }

    fn ids(filter: &str, window: Option<&str>, sort: &str) -> String {
        let all = facilities();
        let as_of = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        let listing = Listing {
            rows: rows(&all, as_of),
            filter: Filter::parse(filter).unwrap(),
            window: window.map(|text| Window::parse(text).unwrap()),
            as_of,
            sort: Sort::parse(sort).unwrap(),
            all: all.clone(),
        };
        listing.order().into_iter().map(|index| all.entries[index as usize].1.facility_id.clone()).collect()
    }

    #[test]
    fn the_most_urgent_come_first() {
        // Lapsed, critical, unknown, clear: the order of tiers in the words of the product.
        assert_eq!(ids("", None, "tier"), "BADC");
        assert_eq!(ids("", Some("6mo"), "tier"), "A");
        assert_eq!(ids("state:TX", None, "tier"), "AC");
    }

    #[test]
    fn what_has_no_value_comes_last_either_way() {
        assert_eq!(ids("", None, "staff"), "DBCA");
        assert_eq!(ids("", None, "-staff"), "CBDA");
        assert_eq!(ids("", None, "-days"), "CABD");
    }
}
