//! Parts of dates, times and intervals: `year(x)`, `day_of_week(x)`, …
//! <https://trino.io/docs/current/functions/datetime.html#extraction-function>

use chrono::{Datelike, NaiveDateTime, NaiveTime};
use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::types::{
    IntervalMonthDayNanoType, IntervalYearMonthType, Time64MicrosecondType,
};
use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::datatypes::{DataType, IntervalUnit, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;

use super::cast::millis;
use super::dates::{is_time, moment};
use super::native::*;
use crate::local::athena::failure::Failure;

/// What has parts.
enum Of {
    Moment(NaiveDateTime),
    /// A time of day, in milliseconds.
    Clock(i64),
    /// Years and months.
    Months(i64),
    /// Days and a clock, in milliseconds.
    Span(i64),
}

use Of::*;

type Part = fn(Of) -> Option<i64>;

const HOUR: i64 = 3_600_000;

/// The kinds of values that have the part are found by asking one of each.
fn kind(types: &[DataType], part: Part) -> Result<DataType, &'static str> {
    let sample = match &types[0] {
        DataType::Interval(IntervalUnit::YearMonth) => Months(0),
        DataType::Interval(_) => Span(0),
        DataType::Time64(TimeUnit::Microsecond) => Clock(0),
        kind if is_time(kind) => Moment(NaiveDateTime::from(chrono::NaiveDate::MIN)),
        _ => return Err("a date or a timestamp"),
    };
    part(sample).map(|_| DataType::Int64).ok_or("a date or a timestamp")
}

fn value(array: &ArrayRef, row: usize) -> Option<Of> {
    if array.is_null(row) {
        return None;
    }
    match array.data_type() {
        DataType::Interval(IntervalUnit::YearMonth) => {
            Some(Months(array.as_primitive::<IntervalYearMonthType>().value(row).into()))
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let span = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
            Some(Span(i64::from(span.days) * 24 * HOUR + span.nanoseconds / 1_000_000))
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            Some(Clock(array.as_primitive::<Time64MicrosecondType>().value(row) / 1000))
        }
        _ => moment(array, row).map(Moment),
    }
}

fn each(args: &[ArrayRef], part: Part) -> Result<ArrayRef, Failure> {
    let times = millis(&args[0])?;
    collect(&DataType::Int64, rows(args), |row| {
        Ok(value(&times, row).and_then(part).map(|n| ScalarValue::Int64(Some(n))))
    })
}

/// A part of days alone.
fn day(of: Of, part: impl Fn(NaiveDateTime) -> i64) -> Option<i64> {
    if let Moment(at) = of { Some(part(at)) } else { None }
}

/// A part of whatever has a clock: `unit` milliseconds long, `count` of them in the next greater one.
fn clock(of: Of, unit: i64, count: i64) -> Option<i64> {
    let millis = match of {
        Moment(at) => {
            let since = at.time().signed_duration_since(NaiveTime::MIN);
            since.num_milliseconds()
        }
        Clock(millis) | Span(millis) => millis,
        Months(_) => return None,
    };
    Some(millis / unit % count)
}

macro_rules! parts {
    ($($names:expr => $part:expr;)*) => {
        pub fn all() -> Vec<ScalarUDF> {
            let mut all = Vec::new();
            $(for name in $names {
                all.push(udf(Native {
                    name,
                    least: 1,
                    most: 1,
                    returns: |types| kind(types, $part),
                    eval: |args, _| each(args, $part),
                }));
            })*
            all
        }
    };
}

parts! {
    ["year"] => |of| match of { Months(n) => Some(n / 12), other => day(other, |at| at.year().into()) };
    ["quarter"] => |of| day(of, |at| i64::from(at.month0() / 3 + 1));
    ["month"] => |of| match of { Months(n) => Some(n % 12), other => day(other, |at| at.month().into()) };
    ["week", "week_of_year"] => |of| day(of, |at| at.iso_week().week().into());
    ["year_of_week", "yow"] => |of| day(of, |at| at.iso_week().year().into());
    ["day", "day_of_month"] => |of| match of {
        Span(millis) => Some(millis / (24 * HOUR)),
        other => day(other, |at| at.day().into()),
    };
    ["day_of_week", "dow"] => |of| day(of, |at| at.weekday().number_from_monday().into());
    ["day_of_year", "doy"] => |of| day(of, |at| at.ordinal().into());
    ["hour"] => |of| clock(of, HOUR, 24);
    ["minute"] => |of| clock(of, 60_000, 60);
    ["second"] => |of| clock(of, 1000, 60);
    ["millisecond"] => |of| clock(of, 1, 1000);
}
