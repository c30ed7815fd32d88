//! Dates and times: arithmetic that counts complete units, MySQL's formats, ISO 8601.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::types::*;
use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;

use super::cast::{convert, millis};
use super::format;
use super::joda;
use super::native::*;
use crate::local::athena::engine::{time, zone};
use crate::local::athena::failure::Failure;

type Kind = Result<DataType, &'static str>;

const STAMP: DataType = DataType::Timestamp(TimeUnit::Millisecond, None);

pub fn all() -> Vec<ScalarUDF> {
    let all = [
        Native { name: "date", least: 1, most: 1, returns: date_type, eval: date },
        Native { name: "date_add", least: 3, most: 3, returns: add_type, eval: date_add },
        Native { name: "date_diff", least: 3, most: 3, returns: diff_type, eval: date_diff },
        Native { name: "date_trunc", least: 2, most: 2, returns: trunc_type, eval: date_trunc },
        Native { name: "date_format", least: 2, most: 2, returns: format_type, eval: date_format },
        Native { name: "date_parse", least: 2, most: 2, returns: |_| Ok(STAMP), eval: date_parse },
        Native { name: "to_unixtime", least: 1, most: 1, returns: to_unix_type, eval: to_unixtime },
        Native { name: "last_day_of_month", least: 1, most: 1, returns: day_type, eval: last_day },
        Native { name: "timezone_hour", least: 1, most: 1, returns: part_type, eval: zone_hour },
        Native { name: "timezone_minute", least: 1, most: 1, returns: part_type, eval: zone_minute },
        Native { name: "current_timezone", least: 0, most: 0, returns: |_| Ok(DataType::Utf8), eval: utc },
        Native { name: "format_datetime", least: 2, most: 2, returns: format_type, eval: format_datetime },
    ];
    all.into_iter().map(udf).collect()
}

/// The type of moments that were given no zone of their own.
pub fn zoned() -> DataType {
    super::zones::zoned(zone::UTC)
}

pub fn is_time(kind: &DataType) -> bool {
    matches!(kind, DataType::Date32 | DataType::Timestamp(..) | DataType::Null)
}

/// The same kind of time, in milliseconds.
fn like(kind: &DataType) -> DataType {
    match kind {
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Millisecond, zone.clone()),
        _ => DataType::Date32,
    }
}

/// What clocks show at the time of a row, a date or a timestamp, in its own zone.
pub fn moment(array: &ArrayRef, row: usize) -> Option<NaiveDateTime> {
    if array.is_null(row) {
        return None;
    }
    match array.data_type() {
        DataType::Date32 => {
            Some(time::of_days(array.as_primitive::<Date32Type>().value(row))?.and_time(NaiveTime::MIN))
        }
        DataType::Timestamp(TimeUnit::Millisecond, zone) => {
            let millis = array.as_primitive::<TimestampMillisecondType>().value(row);
            zone::wall(millis, zone.as_deref().unwrap_or(zone::UTC))
        }
        _ => None,
    }
}

fn value(kind: &DataType, at: NaiveDateTime) -> ScalarValue {
    match kind {
        DataType::Date32 => ScalarValue::Date32(Some(time::days(at.date()))),
        DataType::Timestamp(_, zone) => {
            let millis = zone::moment(at, zone.as_deref().unwrap_or(zone::UTC));
            ScalarValue::TimestampMillisecond(millis, zone.clone())
        }
        _ => ScalarValue::Null,
    }
}

pub fn add_months(date: NaiveDate, months: i64) -> Option<NaiveDate> {
    let count = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    if months < 0 { date.checked_sub_months(count) } else { date.checked_add_months(count) }
}

fn date_type(types: &[DataType]) -> Kind {
    if is_time(&types[0]) || is_text(&types[0]) {
        Ok(DataType::Date32)
    } else {
        Err("date(varchar), date(timestamp)")
    }
}

fn date(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    convert(&args[0], kind, false)
}

fn add_type(types: &[DataType]) -> Kind {
    if is_text(&types[0]) && is_whole(&types[1]) && is_time(&types[2]) {
        Ok(like(&types[2]))
    } else {
        Err("date_add(varchar, bigint, date), date_add(varchar, bigint, timestamp)")
    }
}

fn date_add(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let times = millis(&args[2])?;
    collect(kind, rows(args), |row| {
        let (Some(unit), Some(n), Some(at)) =
            (text(&args[0], row), whole(&args[1], row), moment(&times, row))
        else {
            return Ok(None);
        };
        let unit = unit.to_lowercase();
        known(&unit, kind)?;
        let days = |n: i64| {
            let count = Days::new(n.unsigned_abs());
            if n < 0 { at.checked_sub_days(count) } else { at.checked_add_days(count) }
        };
        let months = |n: i64| Some(add_months(at.date(), n)?.and_time(at.time()));
        let clock = |millis: i64| at.checked_add_signed(TimeDelta::try_milliseconds(millis.checked_mul(n)?)?);
        // Hours of a moment go by whatever its clocks do meanwhile.
        if let (DataType::Timestamp(_, Some(zone)), Some(length)) = (kind, clock_unit(&unit)) {
            let moved = length.checked_mul(n).zip(instant(&times, row)).and_then(|(m, at)| at.checked_add(m));
            let moved = moved.ok_or_else(|| argument("the date is out of range"))?;
            return Ok(Some(ScalarValue::TimestampMillisecond(Some(moved), Some(zone.clone()))));
        }
        let moved = match unit.as_str() {
            "millisecond" => clock(1),
            "second" => clock(1000),
            "minute" => clock(60_000),
            "hour" => clock(3_600_000),
            "day" => days(n),
            "week" => n.checked_mul(7).and_then(days),
            "month" => months(n),
            "quarter" => n.checked_mul(3).and_then(months),
            _ => n.checked_mul(12).and_then(months),
        };
        moved.map(|at| Some(value(kind, at))).ok_or_else(|| argument("the date is out of range"))
    })
}

/// The milliseconds of a unit that clocks count.
fn clock_unit(unit: &str) -> Option<i64> {
    Some(match unit {
        "millisecond" => 1,
        "second" => 1000,
        "minute" => 60_000,
        "hour" => 3_600_000,
        _ => return None,
    })
}

/// The milliseconds since the epoch of a date or timestamp; one without a zone is of UTC.
fn instant(array: &ArrayRef, row: usize) -> Option<i64> {
    if array.is_null(row) {
        return None;
    }
    match array.data_type() {
        DataType::Date32 => Some(i64::from(array.as_primitive::<Date32Type>().value(row)) * 86_400_000),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            Some(array.as_primitive::<TimestampMillisecondType>().value(row))
        }
        _ => None,
    }
}

fn zone_of(kind: &DataType) -> Option<&str> {
    match kind {
        DataType::Timestamp(_, zone) => zone.as_deref(),
        _ => None,
    }
}

fn known(unit: &str, kind: &DataType) -> Result<(), Failure> {
    const CLOCK: [&str; 4] = ["millisecond", "second", "minute", "hour"];
    const CALENDAR: [&str; 5] = ["day", "week", "month", "quarter", "year"];
    if CALENDAR.contains(&unit) || (CLOCK.contains(&unit) && kind != &DataType::Date32) {
        return Ok(());
    }
    let of = if kind == &DataType::Date32 { "DATE" } else { "TIMESTAMP" };
    Err(argument(format!("'{unit}' is not a valid {of} field")))
}

fn diff_type(types: &[DataType]) -> Kind {
    if is_text(&types[0]) && is_time(&types[1]) && is_time(&types[2]) {
        Ok(DataType::Int64)
    } else {
        Err("date_diff(varchar, date, date), date_diff(varchar, timestamp, timestamp)")
    }
}

/// Complete units from the first to the second.
fn date_diff(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, Failure> {
    let (from, to) = (millis(&args[1])?, millis(&args[2])?);
    let kind = if from.data_type() == &DataType::Date32 && to.data_type() == &DataType::Date32 {
        DataType::Date32
    } else {
        STAMP
    };
    // Days are those of the first one's zone.
    let name = zone_of(from.data_type()).unwrap_or(zone::UTC);
    collect(&DataType::Int64, rows(args), |row| {
        let (Some(unit), Some(first), Some(last)) =
            (text(&args[0], row), instant(&from, row), instant(&to, row))
        else {
            return Ok(None);
        };
        let unit = unit.to_lowercase();
        known(&unit, &kind)?;
        if let Some(length) = clock_unit(&unit) {
            return Ok(Some(ScalarValue::Int64(Some(last.saturating_sub(first) / length))));
        }
        let (Some(from), Some(to)) = (zone::wall(first, name), zone::wall(last, name)) else {
            return Ok(None);
        };
        let span = to.signed_duration_since(from);
        let count = match unit.as_str() {
            "day" => span.num_days(),
            "week" => span.num_weeks(),
            "month" => months_between(from, to),
            "quarter" => months_between(from, to) / 3,
            _ => months_between(from, to) / 12,
        };
        Ok(Some(ScalarValue::Int64(Some(count))))
    })
}

fn months_between(from: NaiveDateTime, to: NaiveDateTime) -> i64 {
    if to < from {
        return -months_between(to, from);
    }
    let months = i64::from(to.year() - from.year()) * 12 + i64::from(to.month()) - i64::from(from.month());
    let reached = add_months(from.date(), months).map(|date| date.and_time(from.time()));
    if reached.is_some_and(|at| at > to) { months - 1 } else { months }
}

fn trunc_type(types: &[DataType]) -> Kind {
    if is_text(&types[0]) && is_time(&types[1]) {
        Ok(like(&types[1]))
    } else if is_text(&types[0]) && types[1] == CLOCK {
        Ok(CLOCK)
    } else {
        Err("date_trunc(varchar, date), date_trunc(varchar, time), date_trunc(varchar, timestamp)")
    }
}

fn date_trunc(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    if kind == &CLOCK {
        return clock_trunc(args);
    }
    let times = millis(&args[1])?;
    collect(kind, rows(args), |row| {
        let (Some(unit), Some(at)) = (text(&args[0], row), moment(&times, row)) else { return Ok(None) };
        let unit = unit.to_lowercase();
        known(&unit, kind)?;
        let day = at.date();
        let of_clock = |seconds: i64| {
            let whole = at.and_utc().timestamp().div_euclid(seconds) * seconds;
            DateTime::from_timestamp(whole, 0).map(|at| at.naive_utc())
        };
        let midnight = |date: Option<NaiveDate>| date.map(|d| d.and_time(NaiveTime::MIN));
        let cut = match unit.as_str() {
            "millisecond" => Some(at),
            "second" => of_clock(1),
            "minute" => of_clock(60),
            "hour" => of_clock(3600),
            "day" => midnight(Some(day)),
            "week" => midnight(Some(day - Days::new(day.weekday().num_days_from_monday().into()))),
            "month" => midnight(day.with_day(1)),
            "quarter" => midnight(NaiveDate::from_ymd_opt(day.year(), day.month0() / 3 * 3 + 1, 1)),
            _ => midnight(NaiveDate::from_ymd_opt(day.year(), 1, 1)),
        };
        Ok(cut.map(|at| value(kind, at)))
    })
}

const CLOCK: DataType = DataType::Time64(TimeUnit::Microsecond);

/// `date_trunc` of a time of the day, in microseconds since midnight.
fn clock_trunc(args: &[ArrayRef]) -> Result<ArrayRef, Failure> {
    let times = args[1].as_primitive::<Time64MicrosecondType>();
    collect(&CLOCK, rows(args), |row| {
        let Some(unit) = text(&args[0], row).map(str::to_lowercase).filter(|_| times.is_valid(row)) else {
            return Ok(None);
        };
        let length = match unit.as_str() {
            "millisecond" => 1_000,
            "second" => 1_000_000,
            "minute" => 60_000_000,
            "hour" => 3_600_000_000,
            _ => return Err(argument(format!("'{unit}' is not a valid TIME field"))),
        };
        Ok(Some(ScalarValue::Time64Microsecond(Some(times.value(row) / length * length))))
    })
}

fn format_type(types: &[DataType]) -> Kind {
    if is_time(&types[0]) && is_text(&types[1]) {
        Ok(DataType::Utf8)
    } else {
        Err("date_format(timestamp, varchar)")
    }
}

fn date_format(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let times = millis(&args[0])?;
    collect(kind, rows(args), |row| {
        let (Some(at), Some(pattern)) = (moment(&times, row), text(&args[1], row)) else { return Ok(None) };
        Ok(Some(ScalarValue::Utf8(Some(format::write_time(at, pattern)?))))
    })
}

fn date_parse(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        let (Some(written), Some(pattern)) = (text(&args[0], row), text(&args[1], row)) else {
            return Ok(None);
        };
        Ok(Some(value(&STAMP, format::read_time(written, pattern)?)))
    })
}

fn to_unix_type(types: &[DataType]) -> Kind {
    if is_time(&types[0]) { Ok(DataType::Float64) } else { Err("to_unixtime(timestamp)") }
}

fn to_unixtime(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let times = convert(&millis(&args[0])?, &zoned(), false)?;
    let times = times.as_primitive::<TimestampMillisecondType>();
    collect(kind, rows(args), |row| {
        Ok(times.is_valid(row).then(|| ScalarValue::Float64(Some(times.value(row) as f64 / 1000.0))))
    })
}

fn day_type(types: &[DataType]) -> Kind {
    if is_time(&types[0]) { Ok(DataType::Date32) } else { Err("last_day_of_month(date)") }
}

fn last_day(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let times = millis(&args[0])?;
    collect(kind, rows(args), |row| {
        let last = moment(&times, row).and_then(|at| {
            let next = add_months(at.date().with_day(1)?, 1)?;
            next.pred_opt()
        });
        Ok(last.map(|day| ScalarValue::Date32(Some(time::days(day)))))
    })
}

fn part_type(types: &[DataType]) -> Kind {
    if is_time(&types[0]) { Ok(DataType::Int64) } else { Err("a timestamp with time zone") }
}

fn ahead(args: &[ArrayRef], part: fn(i64) -> i64) -> Result<ArrayRef, Failure> {
    let times = millis(&args[0])?;
    collect(&DataType::Int64, rows(args), |row| {
        let DataType::Timestamp(_, zone) = times.data_type() else { return Ok(None) };
        if times.is_null(row) {
            return Ok(None);
        }
        let at = times.as_primitive::<TimestampMillisecondType>().value(row);
        let minutes = zone::offset(at, zone.as_deref().unwrap_or(zone::UTC));
        Ok(minutes.map(|m| ScalarValue::Int64(Some(part(m)))))
    })
}

fn zone_hour(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, Failure> {
    ahead(args, |minutes| minutes / 60)
}

fn zone_minute(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, Failure> {
    ahead(args, |minutes| minutes % 60)
}

fn utc(_: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, 1, |_| Ok(Some(ScalarValue::from(zone::UTC))))
}

fn format_datetime(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let times = millis(&args[0])?;
    collect(kind, rows(args), |row| {
        let (Some(at), Some(pattern)) = (moment(&times, row), text(&args[1], row)) else { return Ok(None) };
        Ok(Some(ScalarValue::Utf8(Some(joda::write(at, pattern)?))))
    })
}
