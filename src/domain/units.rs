//! Measures as a person reads them: durations, bytes, money, grouped digits. The rules are those of the
//! console's look: the two largest units, milliseconds below a second, binary bytes.

use chrono::{DateTime, TimeDelta, Utc};

/// `310 ms`, `5.00 s`, `1 m 12 s`, `3 h 04 m`, `2 d 05 h`. Negative spans read as zero.
pub fn duration(span: TimeDelta) -> String {
    let millis = span.num_milliseconds().max(0);
    let seconds = millis / 1000;
    if millis < 1000 {
        return format!("{millis} ms");
    }
    if seconds < 10 {
        return format!("{}.{:02} s", seconds, millis % 1000 / 10);
    }
    if seconds < 60 {
        return format!("{}.{} s", seconds, millis % 1000 / 100);
    }
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    if hours < 1 {
        format!("{minutes} m {:02} s", seconds % 60)
    } else if days < 1 {
        format!("{hours} h {:02} m", minutes % 60)
    } else {
        format!("{days} d {:02} h", hours % 24)
    }
}

/// `1 facility`, `2 facilities`.
pub fn count(number: usize, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}

/// A running clock: as [`duration`], but below a minute always with one decimal, so that it ticks evenly.
pub fn clock(span: TimeDelta) -> String {
    let millis = span.num_milliseconds().max(0);
    if millis < 60_000 { format!("{}.{} s", millis / 1000, millis % 1000 / 100) } else { duration(span) }
}

/// How long ago, in one unit: `now`, `2 s ago`, `5 m ago`, `3 h ago`, `12 d ago`.
pub fn ago(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (now - at).num_seconds();
    match seconds {
        ..1 => "now".to_owned(),
        1..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} m ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// `512 B`, `65.3 KiB`, `1.2 GiB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let mut value = count as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// `12,480`; a sign is kept.
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What Athena asks for a query in US dollars: 5 per TB (10^12 bytes) scanned, rounded up to a megabyte, at
/// least 10 MB. A query that scanned nothing (DDL, failed at once) costs nothing.
/// Source: the Athena price list; regions differ, so this is an estimate.
pub fn athena_price(scanned: u64) -> f64 {
    if scanned == 0 {
        return 0.0;
    }
    let megabytes = scanned.div_ceil(1_000_000).max(10);
    megabytes as f64 * 5.0 / 1_000_000.0
}

/// Dollars with as many digits as matter: `$0`, `$0.00005`, `$0.0034`, `$12.50`.
pub fn money(dollars: f64) -> String {
    if dollars <= 0.0 {
        "$0".to_owned()
    } else if dollars >= 1.0 {
        format!("${dollars:.2}")
    } else {
        let digits = (2.0 - dollars.log10()).floor().clamp(2.0, 8.0) as usize;
        let text = format!("{dollars:.digits$}");
        format!("${}", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_show_the_two_largest_units() {
        let shown = |millis| duration(TimeDelta::milliseconds(millis));
        assert_eq!(shown(0), "0 ms");
        assert_eq!(shown(310), "310 ms");
        assert_eq!(shown(1210), "1.21 s");
        assert_eq!(shown(5000), "5.00 s");
        assert_eq!(shown(59_900), "59.9 s");
        assert_eq!(shown(72_000), "1 m 12 s");
        assert_eq!(shown(11_040_000), "3 h 04 m");
        assert_eq!(shown(190_800_000), "2 d 05 h");
        assert_eq!(shown(-5), "0 ms");
    }

    #[test]
    fn bytes_and_digits() {
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(66_867), "65.3 KiB");
        assert_eq!(bytes(1_048_575), "1.0 MiB");
        assert_eq!(grouped(12_480), "12,480");
        assert_eq!(grouped(-1_000), "-1,000");
        assert_eq!(grouped(999), "999");
    }

    #[test]
    fn a_query_pays_for_at_least_ten_megabytes() {
        assert_eq!(money(athena_price(0)), "$0");
        assert_eq!(money(athena_price(65_000)), "$0.00005");
        assert_eq!(money(athena_price(1_000_000_000_000)), "$5.00");
        assert_eq!(money(0.0034), "$0.0034");
    }
}
