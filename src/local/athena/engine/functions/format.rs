//! Formats: MySQL's for dates, printf's for everything.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::native::argument;
use crate::local::athena::failure::Failure;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// `date_format`: MySQL's pattern letters.
pub fn write_time(at: NaiveDateTime, pattern: &str) -> Result<String, Failure> {
    use std::fmt::Write;
    let mut out = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let Some(letter) = chars.next() else { return Err(argument(format!("Invalid format: {pattern}"))) };
        let month = MONTHS[at.month0() as usize];
        let weekday = at.format("%A").to_string();
        let twelve = at.hour12().1;
        // Writing into a String cannot fail.
        let _ = match letter {
            'a' => write!(out, "{}", &weekday[..3]),
            'b' => write!(out, "{}", &month[..3]),
            'c' => write!(out, "{}", at.month()),
            'd' => write!(out, "{:02}", at.day()),
            'e' => write!(out, "{}", at.day()),
            'f' => write!(out, "{:06}", at.and_utc().timestamp_subsec_micros()),
            'H' => write!(out, "{:02}", at.hour()),
            'h' | 'I' => write!(out, "{twelve:02}"),
            'i' => write!(out, "{:02}", at.minute()),
            'j' => write!(out, "{:03}", at.ordinal()),
            'k' => write!(out, "{}", at.hour()),
            'l' => write!(out, "{twelve}"),
            'M' => write!(out, "{month}"),
            'm' => write!(out, "{:02}", at.month()),
            'p' => write!(out, "{}", if at.hour() < 12 { "AM" } else { "PM" }),
            'r' => write!(out, "{}", at.format("%I:%M:%S %p")),
            'S' | 's' => write!(out, "{:02}", at.second()),
            'T' => write!(out, "{}", at.format("%H:%M:%S")),
            'v' => write!(out, "{:02}", at.iso_week().week()),
            'W' => write!(out, "{weekday}"),
            'x' => write!(out, "{}", at.iso_week().year()),
            'Y' => write!(out, "{:04}", at.year()),
            'y' => write!(out, "{:02}", at.year().rem_euclid(100)),
            'D' | 'U' | 'u' | 'V' | 'w' | 'X' => {
                return Err(argument(format!("%{letter} not supported in date format string")));
            }
            other => write!(out, "{other}"),
        };
    }
    Ok(out)
}

/// `date_parse`: the moment that a text spells by MySQL's pattern.
pub fn read_time(text: &str, pattern: &str) -> Result<NaiveDateTime, Failure> {
    let wrong = || argument(format!("Invalid format: \"{text}\" is malformed for {pattern}"));
    let (mut year, mut month, mut day, mut ordinal) = (1970, 1, 1, None);
    let (mut hour, mut minute, mut second, mut micros, mut afternoon) = (0u32, 0u32, 0u32, 0u32, None);
    let mut rest = text;
    let mut letters = pattern.chars();
    let mut expanded = String::new();
    // %T and %r stand for several letters.
    while let Some(c) = letters.next() {
        match (c, letters.clone().next()) {
            ('%', Some('T')) => expanded.push_str("%H:%i:%s"),
            ('%', Some('r')) => expanded.push_str("%h:%i:%s %p"),
            ('%', Some(letter)) => expanded.extend(['%', letter]),
            _ => {
                expanded.push(c);
                continue;
            }
        }
        letters.next();
    }
    let mut letters = expanded.chars();
    while let Some(c) = letters.next() {
        if c != '%' {
            rest = rest.strip_prefix(c).ok_or_else(wrong)?;
            continue;
        }
        let letter = letters.next().ok_or_else(wrong)?;
        match letter {
            'Y' => year = number(&mut rest, 4).ok_or_else(wrong)? as i32,
            'y' => {
                let short = number(&mut rest, 2).ok_or_else(wrong)? as i32;
                year = if short < 70 { 2000 + short } else { 1900 + short };
            }
            'm' | 'c' => month = number(&mut rest, 2).ok_or_else(wrong)?,
            'd' | 'e' => day = number(&mut rest, 2).ok_or_else(wrong)?,
            'j' => ordinal = Some(number(&mut rest, 3).ok_or_else(wrong)?),
            'H' | 'k' | 'h' | 'I' | 'l' => hour = number(&mut rest, 2).ok_or_else(wrong)?,
            'i' => minute = number(&mut rest, 2).ok_or_else(wrong)?,
            's' | 'S' => second = number(&mut rest, 2).ok_or_else(wrong)?,
            'f' => {
                let before = rest.len();
                let digits = number(&mut rest, 9).ok_or_else(wrong)?;
                let length = (before - rest.len()) as u32;
                micros = (u64::from(digits) * 1_000_000 / 10u64.pow(length)) as u32;
            }
            'p' => {
                afternoon = Some(rest.get(..2).ok_or_else(wrong)?.eq_ignore_ascii_case("pm"));
                rest = &rest[2..];
            }
            'b' | 'M' => {
                let length = rest.chars().take_while(|c| c.is_ascii_alphabetic()).count();
                let (word, tail) = rest.split_at(length);
                let full = letter == 'M';
                let named = |m: &str| word.eq_ignore_ascii_case(if full { m } else { &m[..3] });
                month = MONTHS.iter().position(|m| named(m)).ok_or_else(wrong)? as u32 + 1;
                rest = tail;
            }
            'a' | 'W' => rest = rest.trim_start_matches(|c: char| c.is_ascii_alphabetic()),
            '%' => rest = rest.strip_prefix('%').ok_or_else(wrong)?,
            other => return Err(argument(format!("%{other} not supported in date format string"))),
        }
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
    let clock = NaiveTime::from_hms_micro_opt(hour, minute, second, micros);
    date.zip(clock).map(|(d, t)| d.and_time(t)).ok_or_else(wrong)
}

/// Up to `most` digits from the front.
fn number(rest: &mut &str, most: usize) -> Option<u32> {
    let length = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (digits, tail) = rest.split_at(length);
    *rest = tail;
    digits.parse().ok()
}

/// One value of `format`.
pub enum Piece {
    Text(String),
    Whole(i64),
    Real(f64),
    Null,
}

/// `format('%s has %d', …)`, with Java's conversions.
pub fn printf(pattern: &str, values: &[Piece]) -> Result<String, Failure> {
    let mut out = String::new();
    let all = values;
    let mut values = values.iter();
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let spec = &rest[at + 1..];
        let end = spec.find(|c: char| c.is_ascii_alphabetic() || c == '%').ok_or_else(|| bad(pattern))?;
        let (flags, conversion) = (&spec[..end], spec.as_bytes()[end]);
        rest = &spec[end + 1..];
        match conversion {
            b'%' => out.push('%'),
            b'n' => out.push('\n'),
            _ => {
                // `%2$s` names its value.
                let (flags, value) = match flags.split_once('$') {
                    Some((n, flags)) => {
                        let n: usize = n.parse().map_err(|_| bad(pattern))?;
                        (flags, n.checked_sub(1).and_then(|n| all.get(n)))
                    }
                    None => (flags, values.next()),
                };
                let value = value
                    .ok_or_else(|| argument(format!("Format specifier '%{flags}{}'", conversion as char)))?;
                out.push_str(&one(flags, conversion, value, pattern)?);
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn bad(pattern: &str) -> Failure {
    argument(format!("Invalid format string: {pattern}"))
}

fn one(flags: &str, conversion: u8, value: &Piece, pattern: &str) -> Result<String, Failure> {
    let numbers = flags.trim_start_matches(['-', ',', '+', '0', ' ']);
    let marks = &flags[..flags.len() - numbers.len()];
    let (width, precision) = numbers.split_once('.').map_or((numbers, None), |(w, p)| (w, Some(p)));
    let width: usize = if width.is_empty() { 0 } else { width.parse().map_err(|_| bad(pattern))? };
    let precision: Option<usize> = precision.map(|p| p.parse().map_err(|_| bad(pattern))).transpose()?;
    if width > 10_000 || precision.is_some_and(|p| p > 1_000) {
        return Err(bad(pattern));
    }
    let mut text = match (conversion, value) {
        (_, Piece::Null) => "null".to_owned(),
        (b's' | b'S', Piece::Text(t)) => precision.map_or(t.clone(), |p| t.chars().take(p).collect()),
        (b's' | b'S', Piece::Whole(n)) => n.to_string(),
        (b's' | b'S', Piece::Real(f)) => format!("{f:?}"),
        (b'd', Piece::Whole(n)) => n.to_string(),
        (b'x', Piece::Whole(n)) => format!("{n:x}"),
        (b'X', Piece::Whole(n)) => format!("{n:X}"),
        (b'f', Piece::Real(f)) => format!("{f:.*}", precision.unwrap_or(6)),
        (b'e', Piece::Real(f)) => {
            let text = format!("{f:.*e}", precision.unwrap_or(6));
            let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
            let power: i32 = power.parse().unwrap_or(0);
            format!("{digits}e{}{:02}", if power < 0 { '-' } else { '+' }, power.abs())
        }
        (b'b', Piece::Text(t)) => t.clone(),
        _ => return Err(bad(pattern)),
    };
    if conversion == b'S' {
        text = text.to_uppercase();
    }
    if marks.contains(',') && matches!(conversion, b'd' | b'f') {
        let (whole, fraction) =
            text.split_once('.').map_or((text.clone(), String::new()), |(w, f)| (w.into(), format!(".{f}")));
        let digits = whole.trim_start_matches('-');
        let grouped: Vec<String> = digits
            .as_bytes()
            .rchunks(3)
            .rev()
            .map(|group| String::from_utf8_lossy(group).into_owned())
            .collect();
        text = format!("{}{}{fraction}", if whole.starts_with('-') { "-" } else { "" }, grouped.join(","));
    }
    if marks.contains('+') && !text.starts_with('-') && conversion != b's' {
        text.insert(0, '+');
    }
    let missing = width.saturating_sub(text.chars().count());
    if marks.contains('-') {
        text.push_str(&" ".repeat(missing));
    } else if marks.contains('0') {
        let at = usize::from(text.starts_with(['-', '+']));
        text.insert_str(at, &"0".repeat(missing));
    } else {
        text.insert_str(0, &" ".repeat(missing));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mysql_formats_read_and_write() {
        let at = read_time("2026/07/04 13:05:09", "%Y/%m/%d %H:%i:%s").unwrap();
        assert_eq!(at.to_string(), "2026-07-04 13:05:09");
        assert_eq!(read_time("04-Jul-2026", "%d-%b-%Y").unwrap().date().to_string(), "2026-07-04");
        assert_eq!(
            read_time("7/4/26 1:05 PM", "%c/%e/%y %l:%i %p").unwrap().to_string(),
            "2026-07-04 13:05:00"
        );
        assert_eq!(write_time(at, "%Y-%m %b %e %W %r").unwrap(), "2026-07 Jul 4 Saturday 01:05:09 PM");
        assert!(read_time("2026-02-30", "%Y-%m-%d").is_err());
    }

    #[test]
    fn printf_as_java_has_it() {
        let values = [Piece::Text("FAC".into()), Piece::Whole(1234567), Piece::Real(2.71)];
        assert_eq!(printf("%s has %,d (%.1f)%%", &values).unwrap(), "FAC has 1,234,567 (2.7)%");
        assert_eq!(
            printf("%05d|%-4s|", &[Piece::Whole(-7), Piece::Text("x".into())]).unwrap(),
            "-0007|x   |"
        );
        assert!(printf("%d", &[Piece::Text("x".into())]).is_err());
    }
}
