//! Lengths of time as numbers and words.

use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::types::{Float64Type, IntervalMonthDayNanoType};
use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::compute;
use datafusion::arrow::datatypes::{DataType, IntervalMonthDayNano, IntervalUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;

use super::native::*;
use crate::local::athena::failure::Failure;

type Kind = Result<DataType, &'static str>;

const SPAN: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

pub fn all() -> Vec<ScalarUDF> {
    let all = [
        Native { name: "to_milliseconds", least: 1, most: 1, returns: millis_type, eval: to_millis },
        Native {
            name: "parse_duration",
            least: 1,
            most: 1,
            returns: |t| of_text(t, SPAN),
            eval: parse_duration,
        },
        Native { name: "human_readable_seconds", least: 1, most: 1, returns: words_type, eval: words },
    ];
    all.into_iter().map(udf).collect()
}

fn of_text(types: &[DataType], result: DataType) -> Kind {
    if types.iter().all(is_text) { Ok(result) } else { Err("varchar") }
}

fn millis_type(types: &[DataType]) -> Kind {
    if types[0] == SPAN { Ok(DataType::Int64) } else { Err("to_milliseconds(interval day to second)") }
}

fn to_millis(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let spans = args[0].as_primitive::<IntervalMonthDayNanoType>();
    collect(kind, spans.len(), |row| {
        let span = spans.value(row);
        let millis = i64::from(span.days) * 86_400_000 + span.nanoseconds / 1_000_000;
        Ok(spans.is_valid(row).then_some(ScalarValue::Int64(Some(millis))))
    })
}

/// `42.8ms`, `3.81 d`, `5m`.
fn parse_duration(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        let Some(written) = text(&args[0], row) else { return Ok(None) };
        let wrong = || argument(format!("duration is not a valid data duration string: {written}"));
        let unit = written.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(wrong)?;
        let value: f64 = written[..unit].trim().parse().map_err(|_| wrong())?;
        let factor = match &written[unit..] {
            "ns" => 1e-6,
            "us" => 1e-3,
            "ms" => 1.0,
            "s" => 1e3,
            "m" => 6e4,
            "h" => 3.6e6,
            "d" => 8.64e7,
            _ => return Err(wrong()),
        };
        let millis = (value * factor).round() as i64;
        let days = i32::try_from(millis / 86_400_000).map_err(|_| wrong())?;
        let span = IntervalMonthDayNano::new(0, days, millis % 86_400_000 * 1_000_000);
        Ok(Some(ScalarValue::IntervalMonthDayNano(Some(span))))
    })
}

fn words_type(types: &[DataType]) -> Kind {
    if types[0].is_numeric() { Ok(DataType::Utf8) } else { Err("human_readable_seconds(double)") }
}

fn words(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let seconds = compute::cast(&args[0], &DataType::Float64).map_err(wrong)?;
    let seconds = seconds.as_primitive::<Float64Type>();
    collect(kind, seconds.len(), |row| {
        if seconds.is_null(row) {
            return Ok(None);
        }
        let mut rest = seconds.value(row).round() as u64;
        let mut parts = Vec::new();
        for (name, size) in
            [("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)]
        {
            let count = rest / size;
            rest %= size;
            if count > 0 {
                parts.push(format!("{count} {name}{}", if count == 1 { "" } else { "s" }));
            }
        }
        let said = if parts.is_empty() { "0 seconds".to_owned() } else { parts.join(", ") };
        Ok(Some(ScalarValue::Utf8(Some(said))))
    })
}
