//! `format_datetime` and `parse_datetime`: Joda's pattern letters.
//! <https://www.joda.org/joda-time/apidocs/org/joda/time/format/DateTimeFormat.html>

use std::fmt::Write;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::native::argument;
use crate::local::athena::failure::Failure;

/// A pattern's parts: the same letter several times, or a text as it is.
enum Part {
    Letter(char, usize),
    Text(String),
}

fn parts(pattern: &str) -> Vec<Part> {
    let mut found = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_ascii_alphabetic() {
            let mut count = 1;
            while chars.next_if_eq(&c).is_some() {
                count += 1;
            }
            found.push(Part::Letter(c, count));
        } else if c == '\'' {
            let mut text = String::new();
            while let Some(c) = chars.next() {
                if c == '\'' {
                    if chars.next_if_eq(&'\'').is_none() {
                        break;
                    }
                    text.push('\'');
                    continue;
                }
                text.push(c);
            }
            found.push(Part::Text(if text.is_empty() { "'".into() } else { text }));
        } else {
            found.push(Part::Text(c.to_string()));
        }
    }
    found
}

fn unknown(letter: char) -> Failure {
    argument(format!("Illegal pattern component: {letter}"))
}

/// Writes a time by a pattern.
pub fn write(at: NaiveDateTime, pattern: &str) -> Result<String, Failure> {
    let mut out = String::new();
    for part in parts(pattern) {
        let (letter, n) = match part {
            Part::Text(text) => {
                out.push_str(&text);
                continue;
            }
            Part::Letter(letter, n) => (letter, n),
        };
        let twelve = at.hour12().1;
        let number = match letter {
            'y' | 'Y' if n == 2 => i64::from(at.year().rem_euclid(100)),
            'y' | 'Y' => at.year().into(),
            'x' => at.iso_week().year().into(),
            'w' => at.iso_week().week().into(),
            'e' => at.weekday().number_from_monday().into(),
            'D' => at.ordinal().into(),
            'M' if n >= 3 => {
                out.push_str(&at.format(if n == 3 { "%b" } else { "%B" }).to_string());
                continue;
            }
            'M' => at.month().into(),
            'd' => at.day().into(),
            'E' => {
                out.push_str(&at.format(if n <= 3 { "%a" } else { "%A" }).to_string());
                continue;
            }
            'a' => {
                out.push_str(if at.hour() < 12 { "AM" } else { "PM" });
                continue;
            }
            'H' => at.hour().into(),
            'k' => {
                if at.hour() == 0 {
                    24
                } else {
                    at.hour().into()
                }
            }
            'K' => (at.hour() % 12).into(),
            'h' => twelve.into(),
            'm' => at.minute().into(),
            's' => at.second().into(),
            'S' => {
                let digits = format!("{:09}", at.and_utc().timestamp_subsec_nanos());
                out.push_str(digits.get(..n.min(9)).unwrap_or(&digits));
                continue;
            }
            'Z' | 'z' => {
                out.push_str(match (letter, n) {
                    ('Z', 1) => "+0000",
                    ('Z', 2) => "+00:00",
                    _ => "UTC",
                });
                continue;
            }
            other => return Err(unknown(other)),
        };
        // Writing into a String cannot fail.
        let _ = write!(out, "{number:0n$}");
    }
    Ok(out)
}

/// Reads a time by a pattern, and the zone that the text names.
pub fn read(text: &str, pattern: &str) -> Result<(NaiveDateTime, Option<String>), Failure> {
    let wrong = || argument(format!("Invalid format: \"{text}\""));
    let (mut year, mut month, mut day, mut ordinal) = (1970, 1, 1, None);
    let (mut hour, mut minute, mut second, mut nanos, mut afternoon) = (0, 0, 0, 0, None);
    let (mut rest, mut zone) = (text, None);
    for part in parts(pattern) {
        let (letter, n) = match part {
            Part::Text(expected) => {
                rest = rest.strip_prefix(expected.as_str()).ok_or_else(wrong)?;
                continue;
            }
            Part::Letter(letter, n) => (letter, n),
        };
        let most = if matches!(letter, 'y' | 'Y') { 4 } else { n.max(2) };
        let length = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let digits = &rest[..length];
        let number = || digits.parse::<u32>().map_err(|_| wrong());
        match letter {
            'y' | 'Y' => {
                let read = number()? as i32;
                year = if n == 2 { if read < 70 { 2000 + read } else { 1900 + read } } else { read };
            }
            'M' if n >= 3 => {
                let word = rest.chars().take_while(char::is_ascii_alphabetic).count();
                let (name, tail) = rest.split_at(word);
                let found = (1..=12).find(|m| {
                    let named = NaiveDate::from_ymd_opt(2000, *m, 1).map(|d| d.format("%B").to_string());
                    named.is_some_and(|full| {
                        full.eq_ignore_ascii_case(name) || full[..3].eq_ignore_ascii_case(name)
                    })
                });
                month = found.ok_or_else(wrong)?;
                rest = tail;
                continue;
            }
            'M' => month = number()?,
            'd' => day = number()?,
            'D' => ordinal = Some(number()?),
            'H' | 'k' | 'h' | 'K' => hour = number()?,
            'm' => minute = number()?,
            's' => second = number()?,
            'S' => {
                let scaled = format!("{digits:0<9}");
                nanos = scaled.parse::<u32>().map_err(|_| wrong())?;
            }
            'a' => {
                let half = rest.get(..2).ok_or_else(wrong)?;
                afternoon = Some(half.eq_ignore_ascii_case("pm"));
                rest = &rest[2..];
                continue;
            }
            'E' => {
                rest = rest.trim_start_matches(|c: char| c.is_ascii_alphabetic());
                continue;
            }
            'Z' | 'z' => {
                let sign = rest.starts_with(['+', '-']);
                let ends = |c: char| match sign {
                    true => !matches!(c, '+' | '-' | ':' | '0'..='9'),
                    false => !c.is_ascii_alphabetic() && !matches!(c, '/' | '_'),
                };
                let (name, tail) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
                zone = Some(crate::local::athena::engine::zone::name(name).ok_or_else(wrong)?);
                rest = tail;
                continue;
            }
            other => return Err(unknown(other)),
        }
        rest = &rest[length..];
    }
    if !rest.is_empty() {
        return Err(wrong());
    }
    if let Some(afternoon) = afternoon {
        hour = hour % 12 + if afternoon { 12 } else { 0 };
    }
    let date = match ordinal {
        Some(ordinal) => NaiveDate::from_yo_opt(year, ordinal),
        None => NaiveDate::from_ymd_opt(year, month, day),
    };
    let clock = NaiveTime::from_hms_nano_opt(hour, minute, second, nanos);
    date.zip(clock).map(|(d, t)| (d.and_time(t), zone)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_write_and_read() {
        let (at, zone) = read("2026-07-04 15:06:07.089", "yyyy-MM-dd HH:mm:ss.SSS").unwrap();
        assert_eq!(zone, None);
        assert_eq!(write(at, "EEE, d MMM yyyy h:mm a").unwrap(), "Sat, 4 Jul 2026 3:06 PM");
        assert_eq!(write(at, "yyyy-MM-dd'T'HH:mm:ss.SSS").unwrap(), "2026-07-04T15:06:07.089");
        assert_eq!(read("4 Jul 26 3 PM", "d MMM yy h a").unwrap().0.to_string(), "2026-07-04 15:00:00");
        let (at, zone) = read("29/Feb/2024:13:14:15 +0200", "dd/MMM/yyyy:HH:mm:ss Z").unwrap();
        assert_eq!((at.to_string().as_str(), zone.as_deref()), ("2024-02-29 13:14:15", Some("+02:00")));
        assert!(read("2024 +25:00", "yyyy Z").is_err());
        assert!(read("2026-02-30", "yyyy-MM-dd").is_err() && write(at, "j").is_err());
    }
}
