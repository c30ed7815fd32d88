//! Days left, tiers and windows. `today` is always an argument.

use std::fmt;
use std::str::FromStr;

use chrono::{Days, Months, NaiveDate};

use super::facility::Facility;

/// How urgent an accreditation is. The order of the variants is the order of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Before as-of.
    Lapsed,
    /// At most 30 days.
    Critical,
    /// At most 90 days.
    High,
    /// No date or an unreadable one: never clear.
    Unknown,
    /// At most 180 days.
    Medium,
    /// More than 180 days.
    Clear,
}

impl Tier {
    /// Every tier, in the order of the list.
    pub const ALL: [Tier; 6] =
        [Tier::Lapsed, Tier::Critical, Tier::High, Tier::Unknown, Tier::Medium, Tier::Clear];

    /// The tier of a number of days left.
    pub fn of_days(days: i64) -> Tier {
        match days {
            ..0 => Tier::Lapsed,
            0..=30 => Tier::Critical,
            31..=90 => Tier::High,
            91..=180 => Tier::Medium,
            181.. => Tier::Clear,
        }
    }

    /// The word people read and scripts write: `lapsed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Tier::Lapsed => "lapsed",
            Tier::Critical => "critical",
            Tier::High => "high",
            Tier::Unknown => "unknown",
            Tier::Medium => "medium",
            Tier::Clear => "clear",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Tier {
    type Err = String;

    fn from_str(text: &str) -> Result<Tier, String> {
        Tier::ALL.into_iter().find(|tier| tier.as_str().eq_ignore_ascii_case(text)).ok_or_else(|| {
            format!("`{text}` is not a tier: lapsed, critical, high, unknown, medium or clear")
        })
    }
}

/// Days from as-of to the expiry: 0 on the day itself, negative once lapsed.
pub fn days_left(expiry: NaiveDate, as_of: NaiveDate) -> i64 {
    expiry.signed_duration_since(as_of).num_days()
}

/// The tier of one accreditation's date.
pub fn tier(expiry: Option<NaiveDate>, as_of: NaiveDate) -> Tier {
    expiry.map_or(Tier::Unknown, |expiry| Tier::of_days(days_left(expiry, as_of)))
}

/// The worst tier of a facility's accreditations, and the index of the one that put it there: the
/// earliest date of that tier, the first of equals. A facility without any is unknown.
pub fn facility_tier(facility: &Facility, as_of: NaiveDate) -> (Tier, Option<usize>) {
    facility
        .accreditations
        .iter()
        .enumerate()
        .map(|(index, accreditation)| (tier(accreditation.expiry, as_of), accreditation.expiry, index))
        .min()
        .map_or((Tier::Unknown, None), |(tier, _, index)| (tier, Some(index)))
}

/// The date that put the facility into its tier, if that tier has one.
pub fn facility_date(facility: &Facility, as_of: NaiveDate) -> Option<NaiveDate> {
    facility_tier(facility, as_of).1.and_then(|index| facility.accreditations[index].expiry)
}

/// What the list is sorted by: tier, then its date (none last), then id.
pub fn sort_key(facility: &Facility, as_of: NaiveDate) -> (Tier, NaiveDate, &str) {
    let (tier, index) = facility_tier(facility, as_of);
    let date = index.and_then(|index| facility.accreditations[index].expiry);
    (tier, date.unwrap_or(NaiveDate::MAX), &facility.facility_id)
}

/// The unit of a [`Window`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    Days,
    Weeks,
    Months,
    Years,
}

/// A stretch of time from as-of on: `90d`, `2w`, `6mo`, `1y`. Both ends are included; calendar months
/// and years clip at the month's end (2025-08-31 plus 6mo is 2026-02-28).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    pub amount: u32,
    pub unit: Unit,
}

impl Default for Window {
    /// Six months, as the pipeline's stage 2 has it.
    fn default() -> Self {
        Window { amount: 6, unit: Unit::Months }
    }
}

impl Window {
    /// Reads `90d`, `2w`, `6mo` or `1y`; at most 9999 of a unit.
    pub fn parse(text: &str) -> Result<Window, String> {
        let wrong = || format!("`{text}` is not a window: write 90d, 2w, 6mo or 1y");
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if !(1..=4).contains(&digits) {
            return Err(wrong());
        }
        let amount = text[..digits].parse().map_err(|_| wrong())?;
        let unit = match &text[digits..] {
            "d" => Unit::Days,
            "w" => Unit::Weeks,
            "mo" => Unit::Months,
            "y" => Unit::Years,
            "m" => {
                return Err(format!("`{text}` could mean minutes: write {amount}mo for months"));
            }
            _ => return Err(wrong()),
        };
        Ok(Window { amount, unit })
    }

    /// The window in calendar months, where it is a whole number of them.
    pub fn months(self) -> Option<u32> {
        match self.unit {
            Unit::Days | Unit::Weeks => None,
            Unit::Months => Some(self.amount),
            Unit::Years => Some(self.amount.saturating_mul(12)),
        }
    }

    /// The last day inside.
    pub fn end(self, as_of: NaiveDate) -> NaiveDate {
        let amount = self.amount;
        match self.unit {
            Unit::Days => as_of.checked_add_days(Days::new(u64::from(amount))),
            Unit::Weeks => as_of.checked_add_days(Days::new(7 * u64::from(amount))),
            Unit::Months => as_of.checked_add_months(Months::new(amount)),
            Unit::Years => as_of.checked_add_months(Months::new(amount.saturating_mul(12))),
        }
        .unwrap_or(NaiveDate::MAX)
    }

    /// Whether a date lies between as-of and the end, both included.
    pub fn contains(self, date: NaiveDate, as_of: NaiveDate) -> bool {
        (as_of..=self.end(as_of)).contains(&date)
    }

    /// The accreditation that expires first inside the window, by index; `None` when none does.
    pub fn first(self, facility: &Facility, as_of: NaiveDate) -> Option<usize> {
        let inside = as_of..=self.end(as_of);
        (facility.accreditations.iter().enumerate())
            .filter_map(|(index, a)| a.expiry.filter(|date| inside.contains(date)).map(|date| (date, index)))
            .min()
            .map(|(_, index)| index)
    }

    /// The window in words: `6 months`, `1 day`.
    pub fn words(self) -> String {
        let unit = match self.unit {
            Unit::Days => "day",
            Unit::Weeks => "week",
            Unit::Months => "month",
            Unit::Years => "year",
        };
        format!("{} {unit}{}", self.amount, if self.amount == 1 { "" } else { "s" })
    }
}

impl FromStr for Window {
    type Err = String;

    fn from_str(text: &str) -> Result<Window, String> {
        Window::parse(text)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Days => "d",
            Unit::Weeks => "w",
            Unit::Months => "mo",
            Unit::Years => "y",
        };
        write!(f, "{}{unit}", self.amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::facility::Accreditation;
    use proptest::prelude::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn facility(dates: &[Option<&str>]) -> Facility {
        let accreditations = dates.iter().map(|d| Accreditation::new("CAP", d.map(date))).collect();
        Facility { accreditations, ..Facility::new("FAC001", "Test") }
    }

    /// The edges are those of the product's table of tiers.
    #[test]
    fn tiers_change_at_their_edges() {
        let as_of = date("2026-01-01");
        for (day, expected) in [
            ("2025-12-31", Tier::Lapsed),
            ("2026-01-01", Tier::Critical),
            ("2026-01-31", Tier::Critical),
            ("2026-02-01", Tier::High),
            ("2026-04-01", Tier::High),
            ("2026-04-02", Tier::Medium),
            ("2026-06-30", Tier::Medium),
            ("2026-07-01", Tier::Clear),
        ] {
            assert_eq!(tier(Some(date(day)), as_of), expected, "{day}");
        }
        assert_eq!(tier(None, as_of), Tier::Unknown);
    }

    #[test]
    fn a_facility_has_its_worst_tier_and_the_earliest_date_of_it() {
        let as_of = date("2026-01-01");
        let of = |dates: &[Option<&str>]| facility_tier(&facility(dates), as_of);
        assert_eq!(of(&[Some("2027-01-01"), Some("2026-03-02"), Some("2026-02-17")]), (Tier::High, Some(2)));
        assert_eq!(of(&[Some("2026-05-01"), None]), (Tier::Unknown, Some(1)));
        assert_eq!(of(&[None, Some("2026-03-01")]), (Tier::High, Some(1)));
        assert_eq!(of(&[Some("2025-12-01"), Some("2025-06-01")]), (Tier::Lapsed, Some(1)));
        assert_eq!(of(&[]), (Tier::Unknown, None));
    }

    #[test]
    fn windows_clip_at_the_end_of_a_month() {
        for (window, as_of, end) in [
            ("6mo", "2026-01-01", "2026-07-01"),
            ("6mo", "2025-08-31", "2026-02-28"),
            ("1mo", "2024-01-31", "2024-02-29"),
            ("1y", "2024-02-29", "2025-02-28"),
            ("90d", "2026-01-01", "2026-04-01"),
            ("2w", "2026-02-20", "2026-03-06"),
            ("0d", "2026-02-20", "2026-02-20"),
        ] {
            assert_eq!(Window::parse(window).unwrap().end(date(as_of)), date(end), "{window} from {as_of}");
        }
    }

    #[test]
    fn what_is_not_a_window_says_what_is() {
        for wrong in ["", "6", "mo", "6m", "-1d", "1.5y", "6 mo", "99999d", "6months", "６mo"] {
            assert!(Window::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Window::parse("6m").unwrap_err().contains("6mo"));
    }

    fn dates() -> impl Strategy<Value = NaiveDate> {
        (0i64..80_000).prop_map(|days| date("1900-01-01") + chrono::Duration::days(days))
    }

    fn windows() -> impl Strategy<Value = Window> {
        let units = [Unit::Days, Unit::Weeks, Unit::Months, Unit::Years];
        (0u32..500, 0usize..4).prop_map(move |(amount, unit)| Window { amount, unit: units[unit] })
    }

    proptest! {
        #[test]
        fn a_window_reads_back_what_it_shows(window in windows()) {
            prop_assert_eq!(Window::parse(&window.to_string()), Ok(window));
        }

        #[test]
        fn a_window_holds_both_ends_and_nothing_beyond(window in windows(), as_of in dates()) {
            let end = window.end(as_of);
            prop_assert!(window.contains(as_of, as_of) && window.contains(end, as_of));
            prop_assert!(!window.contains(as_of.pred_opt().unwrap(), as_of));
            prop_assert!(!window.contains(end.succ_opt().unwrap(), as_of));
        }

        #[test]
        fn later_is_never_more_urgent(a in dates(), b in dates(), as_of in dates()) {
            let (early, late) = (a.min(b), a.max(b));
            prop_assert!(tier(Some(early), as_of) <= tier(Some(late), as_of));
            prop_assert_eq!(days_left(late, as_of) - days_left(early, as_of), days_left(late, early));
        }

        #[test]
        fn a_facility_is_as_urgent_as_its_most_urgent_accreditation(
            days in prop::collection::vec(prop::option::of(dates()), 0..6), as_of in dates(),
        ) {
            let accreditations: Vec<_> = days.iter().map(|d| Accreditation::new("DNV", *d)).collect();
            let facility = Facility { accreditations, ..Facility::new("F", "F") };
            let (worst, index) = facility_tier(&facility, as_of);
            prop_assert_eq!(index.is_none(), days.is_empty());
            for day in &days {
                prop_assert!(worst <= tier(*day, as_of));
                if tier(*day, as_of) == worst {
                    prop_assert!(days[index.unwrap()] <= *day);
                }
            }
        }
    }
}
