//! Parts of dates and times: `year(x)`, `day_of_week(x)`, …

use chrono::{Datelike, NaiveDateTime, Timelike};
use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;

use super::cast::millis;
use super::dates::{is_time, moment};
use super::native::*;
use crate::local::athena::failure::Failure;

fn kind(types: &[DataType]) -> Result<DataType, &'static str> {
    if is_time(&types[0]) { Ok(DataType::Int64) } else { Err("a date or a timestamp") }
}

fn each(args: &[ArrayRef], part: fn(NaiveDateTime) -> i64) -> Result<ArrayRef, Failure> {
    let times = millis(&args[0])?;
    collect(&DataType::Int64, rows(args), |row| {
        Ok(moment(&times, row).map(|at| ScalarValue::Int64(Some(part(at)))))
    })
}

macro_rules! parts {
    ($($names:expr => $part:expr;)*) => {
        pub fn all() -> Vec<ScalarUDF> {
            let mut all = Vec::new();
            $(for name in $names {
                all.push(udf(Native { name, least: 1, most: 1, returns: kind, eval: |args, _| each(args, $part) }));
            })*
            all
        }
    };
}

parts! {
    ["year"] => |at| at.year().into();
    ["quarter"] => |at| i64::from(at.month0() / 3 + 1);
    ["month"] => |at| at.month().into();
    ["week", "week_of_year"] => |at| at.iso_week().week().into();
    ["year_of_week", "yow"] => |at| at.iso_week().year().into();
    ["day", "day_of_month"] => |at| at.day().into();
    ["day_of_week", "dow"] => |at| at.weekday().number_from_monday().into();
    ["day_of_year", "doy"] => |at| at.ordinal().into();
    ["hour"] => |at| at.hour().into();
    ["minute"] => |at| at.minute().into();
    ["second"] => |at| at.second().into();
    ["millisecond"] => |at| i64::from(at.and_utc().timestamp_subsec_millis());
}
