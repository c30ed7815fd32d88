//! Dates and times as ISO 8601 writes them.
//! <https://trino.io/docs/current/functions/datetime.html#from_iso8601_date>

use chrono::NaiveDate;
use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::types::TimestampMillisecondType;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;

use super::cast::millis;
use super::dates::{is_time, moment};
use super::native::*;
use crate::local::athena::engine::{time, zone};
use crate::local::athena::failure::Failure;

type Kind = Result<DataType, &'static str>;

pub fn all() -> Vec<ScalarUDF> {
    let all = [
        Native {
            name: "from_iso8601_date",
            least: 1,
            most: 1,
            returns: |_| Ok(DataType::Date32),
            eval: iso_date,
        },
        Native { name: "to_iso8601", least: 1, most: 1, returns: text_of_time, eval: to_iso },
    ];
    all.into_iter().map(udf).collect()
}

fn iso_date(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        let Some(written) = text(&args[0], row) else { return Ok(None) };
        let day = iso_day(written).ok_or_else(|| argument(format!("Invalid format: \"{written}\"")))?;
        Ok(Some(ScalarValue::Date32(Some(time::days(day)))))
    })
}

/// `2020-05-11`, `2020-05`, `2020`, the week date `2020-W10-2`, the ordinal date `2020-123`.
pub fn iso_day(written: &str) -> Option<NaiveDate> {
    let written = written.trim();
    if let Ok(day) = NaiveDate::parse_from_str(written, "%Y-%m-%d") {
        return Some(day);
    }
    let mut parts = written.split('-');
    let year: i32 = parts.next()?.parse().ok()?;
    let second = parts.next();
    let third = parts.next();
    if parts.next().is_some() {
        return None;
    }
    match (second, third) {
        (None, None) => NaiveDate::from_ymd_opt(year, 1, 1),
        (Some(week), day) if week.starts_with('W') => {
            let day: u8 = day.map_or(Some(1), |d| d.parse().ok())?;
            let weekday = chrono::Weekday::try_from(day.checked_sub(1)?).ok()?;
            NaiveDate::from_isoywd_opt(year, week[1..].parse().ok()?, weekday)
        }
        (Some(days), None) if days.len() == 3 => NaiveDate::from_yo_opt(year, days.parse().ok()?),
        (Some(month), None) => NaiveDate::from_ymd_opt(year, month.parse().ok()?, 1),
        _ => None,
    }
}

fn text_of_time(types: &[DataType]) -> Kind {
    if is_time(&types[0]) { Ok(DataType::Utf8) } else { Err("to_iso8601(date), to_iso8601(timestamp)") }
}

fn to_iso(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let times = millis(&args[0])?;
    collect(kind, rows(args), |row| {
        let Some(at) = moment(&times, row) else { return Ok(None) };
        let written = match times.data_type() {
            DataType::Date32 => at.format("%Y-%m-%d").to_string(),
            DataType::Timestamp(_, Some(name)) if matches!(&**name, zone::UTC | "+00:00") => {
                at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
            }
            DataType::Timestamp(_, Some(name)) => {
                let millis = times.as_primitive::<TimestampMillisecondType>().value(row);
                let minutes = zone::offset(millis, name).unwrap_or(0);
                let sign = if minutes < 0 { '-' } else { '+' };
                let (h, m) = (minutes.abs() / 60, minutes.abs() % 60);
                format!("{}{sign}{h:02}:{m:02}", at.format("%Y-%m-%dT%H:%M:%S%.3f"))
            }
            _ => at.format("%Y-%m-%dT%H:%M:%S%.3f").to_string(),
        };
        Ok(Some(ScalarValue::Utf8(Some(written))))
    })
}
