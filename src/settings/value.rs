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
        Kind::Bucket if bucket(text) => Ok(text.to_owned()),
        Kind::Bucket => wrong("S3 has names of 3 to 63 of a-z, 0-9, - and ., a letter or digit at both ends"),
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

/// A name that S3 may have, or the ARN of an access point.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
fn bucket(text: &str) -> bool {
    if text.starts_with("arn:") {
        return text.contains(":s3") && text.contains(":accesspoint");
    }
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = [text.bytes().next(), text.bytes().next_back()];
    (3..=63).contains(&text.len())
        && text.bytes().all(|b| plain(b) || b == b'-' || b == b'.')
        && ends.iter().all(|end| end.is_some_and(plain))
        && !text.contains("..")
        && !(text.split('.').count() == 4 && text.split('.').all(|part| part.parse::<u8>().is_ok()))
}

fn url(text: &str) -> bool {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', ':']) && !text.contains([' ', '\t']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_has_a_name_that_s3_allows() {
        // The first five and the wrong ones are the examples of AWS's page of the rules, or its rules.
        let long = "a".repeat(64);
        for name in [
            "amzn-s3-demo-bucket",
            "example-logos-2023",
            "example.com",
            "my.example.s3.bucket",
            "123",
            &long[..63],
            "my-access-point-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias",
            "arn:aws:s3:us-west-2:123456789012:accesspoint/test",
        ] {
            assert!(bucket(name), "{name}");
        }
        for name in [
            "",
            "5",
            "ab",
            "My_Bucket",
            "amzn_s3_demo_bucket",
            "AmznS3DemoBucket",
            "amzn-s3-demo-bucket-",
            ".hidden",
            "example..com",
            "192.168.5.4",
            "a/b",
            "ünique",
            &long,
            "arn:aws:sns:us-east-1:000000000000:topic",
        ] {
            assert!(!bucket(name), "{name}");
        }
    }
}
