//! Times and dates as people read them; measures are in `domain::units`.

use chrono::{DateTime, FixedOffset, NaiveDate, Timelike, Utc};

/// `in 47 d`, `today`, `12 d ago`
pub fn days(days: i64) -> String {
    match days {
        0 => "today".to_string(),
        1.. => format!("in {days} d"),
        _ => format!("{} d ago", -days),
    }
}

/// The zone in which times are shown: UTC, or the person's own offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone {
    pub offset: FixedOffset,
}

impl Zone {
    pub const UTC: Zone = match FixedOffset::east_opt(0) {
        Some(offset) => Zone { offset },
        // An offset of 0 seconds is a day within its bounds.
        None => unreachable!(),
    };

    /// `UTC`, or `+02:00`.
    pub fn name(self) -> String {
        if self.offset.local_minus_utc() == 0 { "UTC".to_string() } else { self.offset.to_string() }
    }

    /// `15:04:11`
    pub fn clock(self, at: DateTime<Utc>) -> String {
        let at = at.with_timezone(&self.offset);
        format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
    }

    /// `15:04:11.204`
    pub fn clock_millis(self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.offset).format("%H:%M:%S%.3f").to_string()
    }

    /// `2026-02-17 15:04:11`
    pub fn moment(self, at: DateTime<Utc>) -> String {
        format!("{} {}", self.date(at), self.clock(at))
    }

    pub fn date(self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.offset).date_naive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_read_well() {
        assert_eq!([47, 0, -12].map(days), ["in 47 d", "today", "12 d ago"]);
        assert_eq!(Zone::UTC.name(), "UTC");
    }
}
