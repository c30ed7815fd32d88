//! Time zones: the wall clock of a moment, and the moment of a wall clock.

use chrono::{DateTime, NaiveDateTime, Offset, TimeZone};
use datafusion::arrow::array::timezone::Tz;

/// The zone that every timestamp with time zone has unless another was asked for.
pub const UTC: &str = "UTC";

/// The name that a zone goes by; `None` when there is no such zone.
pub fn name(zone: &str) -> Option<String> {
    let zone = zone.trim();
    if ["utc", "z", "gmt", "+00:00", "-00:00", "etc/utc", "zulu"].contains(&zone.to_lowercase().as_str()) {
        return Some(UTC.to_owned());
    }
    // An offset is written with two digits on each side.
    if let Some(rest) = zone.strip_prefix(['+', '-']) {
        let (hours, minutes) = rest.split_once(':').unwrap_or_else(|| rest.split_at(rest.len().min(2)));
        let (hours, minutes): (u32, u32) =
            (hours.parse().ok()?, if minutes.is_empty() { 0 } else { minutes.parse().ok()? });
        return (hours <= 14 && minutes < 60).then(|| format!("{}{hours:02}:{minutes:02}", &zone[..1]));
    }
    zone.parse::<Tz>().ok().map(|_| zone.to_owned())
}

fn read(zone: &str) -> Option<Tz> {
    zone.parse().ok()
}

/// What clocks in the zone show at a moment, given in milliseconds since the epoch.
pub fn wall(millis: i64, zone: &str) -> Option<NaiveDateTime> {
    let at = DateTime::from_timestamp_millis(millis)?;
    if matches!(zone, UTC | "+00:00") {
        return Some(at.naive_utc());
    }
    Some(at.with_timezone(&read(zone)?).naive_local())
}

/// The moment at which clocks in the zone show this; the earlier of two, the later end of a gap.
pub fn moment(wall: NaiveDateTime, zone: &str) -> Option<i64> {
    if matches!(zone, UTC | "+00:00") {
        return Some(wall.and_utc().timestamp_millis());
    }
    let zone = read(zone)?;
    let found = zone.from_local_datetime(&wall).earliest();
    let found = found.or_else(|| zone.from_local_datetime(&(wall + chrono::TimeDelta::hours(1))).earliest());
    found.map(|at| at.timestamp_millis())
}

/// Minutes that the zone is ahead of UTC at a moment.
pub fn offset(millis: i64, zone: &str) -> Option<i64> {
    if matches!(zone, UTC | "+00:00") {
        return Some(0);
    }
    let at = DateTime::from_timestamp_millis(millis)?.with_timezone(&read(zone)?);
    Some(
        i64::from(
            chrono::TimeZone::offset_from_utc_datetime(&at.timezone(), &at.naive_utc())
                .fix()
                .local_minus_utc(),
        ) / 60,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_differ_by_zone() {
        assert_eq!(wall(0, "America/New_York").unwrap().to_string(), "1969-12-31 19:00:00");
        assert_eq!(wall(0, "+05:30").unwrap().to_string(), "1970-01-01 05:30:00");
        let noon = wall(0, UTC).unwrap();
        assert_eq!(moment(noon, "Asia/Tokyo"), Some(-9 * 3_600_000));
        assert_eq!(offset(0, "+05:30"), Some(330));
    }

    #[test]
    fn zones_have_one_name() {
        assert_eq!(name("z").as_deref(), Some("UTC"));
        assert_eq!(name("+0530").as_deref(), Some("+05:30"));
        assert_eq!(name("Europe/Berlin").as_deref(), Some("Europe/Berlin"));
        assert_eq!(name("Mars/Base"), None);
    }
}
