//! Checking one value against its kind.

use chrono::NaiveDate;

use super::keys::{Key, Kind};

/// The value in its canonical spelling, or what is wrong with it and how to put it right.
pub(super) fn check(key: &Key, text: &str) -> Result<String, (String, String)> {
    let text = text.trim();
    let wrong = |fix: &str| Err((format!("{text:?} is not a value of {}", key.name), fix.to_owned()));
    match key.kind {
        Kind::Text if text.is_empty() => wrong("give a name, or leave the key out for the default"),
        Kind::Text | Kind::Maybe => Ok(text.to_owned()),
        Kind::Switch => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok("true".into()),
            "false" | "0" | "no" | "off" => Ok("false".into()),
            _ => wrong("write true or false"),
        },
        Kind::Date if text.is_empty() || text == "today" => Ok(String::new()),
        Kind::Date => match date(text) {
            Some(_) => Ok(text.to_owned()),
            None => wrong("write a date of the calendar as year-month-day: 2026-01-01"),
        },
        Kind::Window if window(text) => Ok(text.to_owned()),
        Kind::Window => wrong("write a number and d, w, mo or y: 90d, 6mo, 1y"),
        Kind::Prefix if text.is_empty() || text.ends_with('/') => Ok(text.to_owned()),
        Kind::Prefix => Ok(format!("{text}/")),
        Kind::Url if text.is_empty() || url(text) => Ok(text.trim_end_matches('/').to_owned()),
        Kind::Url => wrong("write the whole address: http://127.0.0.1:4566"),
        Kind::OneOf(choices) if choices.contains(&text) => Ok(text.to_owned()),
        Kind::OneOf(choices) => wrong(&format!("write one of {}", choices.join(", "))),
    }
}

pub(super) fn date(text: &str) -> Option<NaiveDate> {
    let plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    plain.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten()
}

fn window(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    number.parse::<u16>().is_ok() && matches!(unit.trim(), "d" | "w" | "mo" | "y")
}

fn url(text: &str) -> bool {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', ':']) && !text.contains([' ', '\t']))
}
