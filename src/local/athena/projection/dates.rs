//! Projected dates: Java's patterns (`yyyy-MM-dd-HH`), ranges with `NOW`, steps in units.

use chrono::{DateTime, Datelike, Duration, Months, NaiveDate, NaiveDateTime, Timelike, Utc};

use crate::local::athena::failure::Failure;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Years,
    Months,
    Weeks,
    Days,
    Hours,
    Minutes,
    Seconds,
}

impl Unit {
    fn read(text: &str) -> Option<Unit> {
        let upper = text.trim().to_ascii_uppercase();
        Some(match upper.trim_end_matches('S') {
            "YEAR" => Unit::Years,
            "MONTH" => Unit::Months,
            "WEEK" => Unit::Weeks,
            "DAY" => Unit::Days,
            "HOUR" => Unit::Hours,
            "MINUTE" => Unit::Minutes,
            "SECOND" => Unit::Seconds,
            _ => return None,
        })
    }

    /// `count` units later; `None` beyond the calendar.
    fn add(self, to: NaiveDateTime, count: i64) -> Option<NaiveDateTime> {
        let months = |n: i64| {
            let months = Months::new(u32::try_from(n.unsigned_abs()).ok()?);
            if n < 0 { to.checked_sub_months(months) } else { to.checked_add_months(months) }
        };
        let seconds = |n: i64| to.checked_add_signed(Duration::try_seconds(count.checked_mul(n)?)?);
        match self {
            Unit::Years => months(count.checked_mul(12)?),
            Unit::Months => months(count),
            Unit::Weeks => seconds(7 * 86_400),
            Unit::Days => seconds(86_400),
            Unit::Hours => seconds(3_600),
            Unit::Minutes => seconds(60),
            Unit::Seconds => seconds(1),
        }
    }
}

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    /// A letter of the pattern, and how often it stands there.
    Field(char, usize),
    Literal(String),
}

#[derive(Clone, Debug, PartialEq)]
enum End {
    At(NaiveDateTime),
    /// `NOW-3DAYS`
    Now(i64, Unit),
}

/// A range of dates.
#[derive(Clone, Debug, PartialEq)]
pub struct Dates {
    pattern: Vec<Part>,
    from: End,
    to: End,
    step: i64,
    unit: Unit,
}

impl Dates {
    pub fn new(format: &str, range: &str, step: i64, unit: Option<&str>) -> Result<Dates, String> {
        let pattern = pattern(format)?;
        let (from, to) = range.split_once(',').ok_or_else(|| format!("the range '{range}' has no comma"))?;
        let end =
            |text: &str| end(text, &pattern).ok_or_else(|| format!("the range's '{text}' cannot be read"));
        let (from, to) = (end(from)?, end(to)?);
        let has =
            |letters: &[char]| pattern.iter().any(|p| matches!(p, Part::Field(c, _) if letters.contains(c)));
        let unit = match unit {
            Some(text) => Unit::read(text).ok_or_else(|| format!("the interval unit '{text}' is unknown"))?,
            None if has(&['H', 'm', 's']) => {
                return Err("interval.unit must be set when the format is finer than a day".into());
            }
            None if has(&['d', 'D']) => Unit::Days,
            None if has(&['M']) => Unit::Months,
            None => return Err("interval.unit must be set when the format is of years".into()),
        };
        Ok(Dates { pattern, from, to, step, unit })
    }

    /// At most `most` values.
    pub fn values(&self, now: DateTime<Utc>, most: usize) -> Result<Vec<String>, Failure> {
        let now = now.naive_utc();
        let at = |end: &End| match end {
            End::At(at) => Some(*at),
            End::Now(count, unit) => unit.add(now, *count),
        };
        let beyond = || Failure::new("INVALID_TABLE_PROPERTY", "A projected range leaves the calendar");
        let from = at(&self.from).ok_or_else(beyond)?;
        let to = at(&self.to).ok_or_else(beyond)?;
        let mut found: Vec<String> = Vec::new();
        // Each step counts from the start, so that months keep their day. Both ends as the format
        // shows them: a range to NOW has today although the steps run at another time of day.
        for n in 0.. {
            let Some(here) = self.step.checked_mul(n).and_then(|n| self.unit.add(from, n)) else { break };
            let text = self.text(here);
            if (here > to && text != self.text(to)) || found.len() >= most {
                break;
            }
            if found.last() != Some(&text) {
                found.push(text);
            }
            if here > to {
                break;
            }
        }
        Ok(found)
    }

    fn text(&self, at: NaiveDateTime) -> String {
        let mut out = String::new();
        for part in &self.pattern {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Field('y' | 'u', 2) => out.push_str(&format!("{:02}", at.year().rem_euclid(100))),
                Part::Field('M', 3) => out.push_str(&at.format("%b").to_string()),
                Part::Field('M', 4) => out.push_str(&at.format("%B").to_string()),
                Part::Field(letter, width) => {
                    let number = match letter {
                        'y' | 'u' => at.year().unsigned_abs(),
                        'M' => at.month(),
                        'd' => at.day(),
                        'D' => at.ordinal(),
                        'H' => at.hour(),
                        'm' => at.minute(),
                        _ => at.second(),
                    };
                    out.push_str(&format!("{number:0width$}"));
                }
            }
        }
        out
    }
}

fn pattern(format: &str) -> Result<Vec<Part>, String> {
    let mut parts: Vec<Part> = Vec::new();
    let literal = |parts: &mut Vec<Part>, text: &str| match parts.last_mut() {
        Some(Part::Literal(last)) => last.push_str(text),
        _ => parts.push(Part::Literal(text.to_owned())),
    };
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                let mut text = String::new();
                while let Some(c) = chars.next() {
                    if c == '\'' {
                        if chars.peek() != Some(&'\'') {
                            break;
                        }
                        chars.next();
                    }
                    text.push(c);
                }
                literal(&mut parts, if text.is_empty() { "'" } else { &text });
            }
            'y' | 'u' | 'M' | 'd' | 'D' | 'H' | 'm' | 's' => {
                let mut width = 1;
                while chars.peek() == Some(&c) {
                    chars.next();
                    width += 1;
                }
                parts.push(Part::Field(c, width.min(9)));
            }
            c if c.is_ascii_alphabetic() => {
                return Err(format!("the format's letter '{c}' is not supported by the local cloud"));
            }
            c => literal(&mut parts, c.encode_utf8(&mut [0; 4])),
        }
    }
    Ok(parts)
}

fn end(text: &str, pattern: &[Part]) -> Option<End> {
    let text = text.trim();
    if let Some(rest) = text.get(..3).filter(|t| t.eq_ignore_ascii_case("now")).map(|_| text[3..].trim()) {
        if rest.is_empty() {
            return Some(End::Now(0, Unit::Days));
        }
        let (sign, rest) =
            rest.strip_prefix('-').map_or_else(|| (1, rest.strip_prefix('+')), |r| (-1, Some(r)));
        let rest = rest?.trim();
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        return Some(End::Now(sign * rest[..digits].parse::<i64>().ok()?, Unit::read(&rest[digits..])?));
    }
    let (mut year, mut month, mut day, mut ordinal) = (1970, 1, 1, None);
    let (mut hour, mut minute, mut second) = (0, 0, 0);
    let mut rest = text;
    for (n, part) in pattern.iter().enumerate() {
        match part {
            Part::Literal(literal) => rest = rest.strip_prefix(literal.as_str())?,
            Part::Field(letter, width) => {
                // Fields that touch take exactly their width.
                let touches = matches!(pattern.get(n + 1), Some(Part::Field(..)));
                let most = if touches { *width } else { 9 };
                let length = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
                let number: u32 = rest[..length].parse().ok()?;
                rest = &rest[length..];
                match letter {
                    'y' | 'u' if *width == 2 => year = 2000 + i32::try_from(number).ok()?,
                    'y' | 'u' => year = i32::try_from(number).ok()?,
                    'M' => month = number,
                    'd' => day = number,
                    'D' => ordinal = Some(number),
                    'H' => hour = number,
                    'm' => minute = number,
                    _ => second = number,
                }
            }
        }
    }
    let date = match ordinal {
        Some(ordinal) => NaiveDate::from_yo_opt(year, ordinal)?,
        None => NaiveDate::from_ymd_opt(year, month, day)?,
    };
    rest.is_empty().then_some(())?;
    date.and_hms_opt(hour, minute, second).map(End::At)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(format: &str, range: &str, step: i64, unit: Option<&str>) -> Vec<String> {
        // 2026-03-01 12:00 UTC.
        let now = DateTime::from_timestamp(1_772_366_400, 0).unwrap();
        Dates::new(format, range, step, unit).unwrap().values(now, 1000).unwrap()
    }

    #[test]
    fn ranges_step_in_their_unit() {
        assert_eq!(
            values("yyyy-MM-dd-HH", "2026-01-01-22,2026-01-02-01", 1, Some("HOURS")),
            ["2026-01-01-22", "2026-01-01-23", "2026-01-02-00", "2026-01-02-01"]
        );
        assert_eq!(values("yyyy/MM", "2025/11,2026/02", 2, None), ["2025/11", "2026/01"]);
        assert_eq!(values("yyyyMMdd", "20260227,20260301", 1, None), ["20260227", "20260228", "20260301"]);
        assert_eq!(
            values("'year='yyyy", "year=2024,NOW", 1, Some("YEARS")),
            ["year=2024", "year=2025", "year=2026"]
        );
        assert_eq!(values("yyyy-MM-dd", "2026-02-27,NOW", 1, None).last().unwrap(), "2026-03-01");
        assert_eq!(values("yyyy-MM-dd", "NOW+1DAYS,NOW+2DAYS", 1, None), ["2026-03-02", "2026-03-03"]);
    }

    #[test]
    fn nonsense_is_refused() {
        for (format, range, unit) in [
            ("yyyy-MM-dd", "2026-01-01", None),
            ("yyyy-MM-dd", "2026-13-01,NOW", None),
            ("yyyy-MM-dd", "NOW-3FORTNIGHTS,NOW", None),
            ("yyyy-MM-dd HH", "NOW-3DAYS,NOW", None),
            ("QQQ", "NOW-3DAYS,NOW", None),
        ] {
            assert!(Dates::new(format, range, 1, unit).is_err(), "{format} {range}");
        }
        assert_eq!(values("yyyy-MM-dd", "NOW,NOW-3DAYS", 1, None), Vec::<String>::new());
    }
}
