//! Dates as an iCalendar file (RFC 5545) of all-day events.

use chrono::{DateTime, NaiveDate, Utc};
use icalendar::{Calendar, Component, Event as Entry, EventLike, Property};

use crate::domain::text::{shown, shown_lines};

/// One all-day event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Equal for the same thing in every export, so that a calendar updates rather than adds.
    pub uid: String,
    pub date: NaiveDate,
    pub summary: String,
    /// May have several lines.
    pub description: String,
    pub location: Option<String>,
    pub categories: Vec<String>,
}

/// Writes the events as a calendar of that name. `stamp` is when the file was made (DTSTAMP).
pub fn write(name: &str, events: &[Event], stamp: DateTime<Utc>) -> String {
    let mut calendar = Calendar::empty();
    for (key, value) in
        [("VERSION", "2.0"), ("PRODID", "-//ward//accreditations//EN"), ("CALSCALE", "GREGORIAN")]
    {
        calendar.append_property(Property::new(key, value));
    }
    calendar.name(&shown(name));
    for event in events {
        let mut entry = Entry::new();
        entry.uid(&shown(&event.uid)).timestamp(stamp).starts(event.date);
        // The day after: an all-day event's end is exclusive.
        entry.ends(event.date.succ_opt().unwrap_or(event.date));
        entry.summary(&shown(&event.summary)).description(&shown_lines(&event.description));
        entry.add_property("TRANSP", "TRANSPARENT");
        if let Some(location) = &event.location {
            entry.location(&shown(location));
        }
        entry.categories(event.categories.iter().map(|category| shown(category).into_owned()));
        calendar.push(entry.done());
    }
    calendar.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_lasts_the_whole_day_and_breaks_no_line() {
        let event = Event {
            uid: "FAC001-CAP@ward".into(),
            date: NaiveDate::from_ymd_opt(2026, 2, 17).unwrap(),
            summary: "CAP expires; General, North\r\nBEGIN:VALARM".into(),
            description: "x".repeat(100),
            location: Some("Austin, TX".into()),
            categories: vec!["high".into()],
        };
        let stamp = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
        let text = write("Renewals", &[event], stamp);
        let unfolded = text.replace("\r\n ", "");
        let lines: Vec<&str> = unfolded.split("\r\n").collect();
        for expected in [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "UID:FAC001-CAP@ward",
            "DTSTAMP:20260101T000000Z",
            "DTSTART;VALUE=DATE:20260217",
            "DTEND;VALUE=DATE:20260218",
            r"SUMMARY:CAP expires\; General\, North\\r\\nBEGIN:VALARM",
            r"LOCATION:Austin\, TX",
            "CATEGORIES:high",
        ] {
            assert!(lines.contains(&expected), "{expected} in\n{text}");
        }
        assert!(text.lines().all(|line| line.len() <= 75), "folded at 75 bytes");
        assert_eq!(text.matches("BEGIN:").count(), 3, "one calendar, one event, one in its summary");
    }
}
