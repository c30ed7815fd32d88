//! Dates, timestamps and decimals as text, as Athena reads them.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

/// Days since 1970-01-01 of `YYYY-MM-DD`.
pub fn date(text: &str) -> Option<i32> {
    let parsed = NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok()?;
    Some(days(parsed))
}

pub fn days(date: NaiveDate) -> i32 {
    date.signed_duration_since(NaiveDate::default()).num_days() as i32
}

pub fn of_days(days: i32) -> Option<NaiveDate> {
    NaiveDate::default().checked_add_signed(chrono::Duration::days(i64::from(days)))
}

/// Milliseconds since the epoch of `YYYY-MM-DD[ HH:MM[:SS[.fff]]]`; `T` may stand for the space.
pub fn timestamp(text: &str) -> Option<i64> {
    let text = text.trim();
    let (day, clock) = text.split_once([' ', 'T']).unwrap_or((text, "00:00:00"));
    let day = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?;
    let clock = clock.trim();
    let clock = NaiveTime::parse_from_str(clock, "%H:%M:%S%.f")
        .or_else(|_| NaiveTime::parse_from_str(clock, "%H:%M"))
        .ok()?;
    Some(NaiveDateTime::new(day, clock).and_utc().timestamp_millis())
}

/// The unscaled value of a decimal, rounded half away from zero; `None` when it does not fit.
pub fn decimal(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let text = text.trim();
    if text.contains(['e', 'E']) {
        return decimal(
            &format!("{}", text.parse::<f64>().ok().filter(|f| f.abs() < 1e30)?),
            precision,
            scale,
        );
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty()
        || !whole.chars().chain(fraction.chars()).all(|c| c.is_ascii_digit())
    {
        return None;
    }
    let scale = usize::try_from(scale).ok()?;
    let mut kept: String = format!("{whole}{}", fraction.get(..scale.min(fraction.len()))?);
    kept.extend(std::iter::repeat_n('0', scale.saturating_sub(fraction.len())));
    let mut value: i128 = if kept.is_empty() { 0 } else { kept.parse().ok()? };
    if fraction.as_bytes().get(scale).is_some_and(|d| *d >= b'5') {
        value += 1;
    }
    let limit = 10i128.checked_pow(u32::from(precision))?;
    (value < limit).then_some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_exist_or_are_refused() {
        assert_eq!(date("1970-01-02"), Some(1));
        assert_eq!(date("2026-02-30"), None);
        assert_eq!(timestamp("1970-01-02 00:00:00.500"), Some(86_400_500));
        assert_eq!(timestamp("1970-01-02T00:01"), Some(86_460_000));
    }

    #[test]
    fn decimals_round_and_fit() {
        assert_eq!(decimal("3.145", 5, 2), Some(315));
        assert_eq!(decimal("-7", 3, 1), Some(-70));
        assert_eq!(decimal("1000", 3, 0), None);
        assert_eq!(decimal("abc", 3, 0), None);
    }
}
