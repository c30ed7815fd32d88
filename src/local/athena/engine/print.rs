//! Values as Athena prints them: `[a, b]`, `{name=CAP, n=3}`, `2026-07-04 13:05:09.000`, `1.0E7`.

use std::fmt::Write;

use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::types::*;
use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::datatypes::{DataType, IntervalUnit, TimeUnit};

use super::{time, zone};

/// Appends the value of a row; `false` (and nothing appended) for NULL.
pub fn cell(array: &ArrayRef, row: usize, out: &mut String) -> bool {
    if array.is_null(row) || array.data_type() == &DataType::Null {
        return false;
    }
    value(array, row, out);
    true
}

/// A value within a value: NULL is written `null`.
fn inner(array: &ArrayRef, row: usize, out: &mut String) {
    if !cell(array, row, out) {
        out.push_str("null");
    }
}

macro_rules! plain {
    ($array:expr, $row:expr, $out:expr, $kind:ty) => {{
        let _ = write!($out, "{}", $array.as_primitive::<$kind>().value($row));
    }};
}

fn value(array: &ArrayRef, row: usize, out: &mut String) {
    match array.data_type() {
        DataType::Utf8 => out.push_str(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => out.push_str(array.as_string::<i64>().value(row)),
        DataType::Utf8View => out.push_str(array.as_string_view().value(row)),
        DataType::Boolean => out.push_str(if array.as_boolean().value(row) { "true" } else { "false" }),
        DataType::Int8 => plain!(array, row, out, Int8Type),
        DataType::Int16 => plain!(array, row, out, Int16Type),
        DataType::Int32 => plain!(array, row, out, Int32Type),
        DataType::Int64 => plain!(array, row, out, Int64Type),
        DataType::UInt8 => plain!(array, row, out, UInt8Type),
        DataType::UInt16 => plain!(array, row, out, UInt16Type),
        DataType::UInt32 => plain!(array, row, out, UInt32Type),
        DataType::UInt64 => plain!(array, row, out, UInt64Type),
        DataType::Float32 => {
            let number = array.as_primitive::<Float32Type>().value(row);
            double(f64::from(number), &format!("{number:e}"), out);
        }
        DataType::Float64 => {
            let number = array.as_primitive::<Float64Type>().value(row);
            double(number, &format!("{number:e}"), out);
        }
        DataType::Decimal128(..) => {
            out.push_str(&array.as_primitive::<Decimal128Type>().value_as_string(row))
        }
        DataType::Decimal256(..) => {
            out.push_str(&array.as_primitive::<Decimal256Type>().value_as_string(row))
        }
        DataType::Date32 => match time::of_days(array.as_primitive::<Date32Type>().value(row)) {
            Some(date) => {
                let _ = write!(out, "{date}");
            }
            None => out.push_str("out of range"),
        },
        DataType::Timestamp(unit, named) => {
            let at = match unit {
                TimeUnit::Second => chrono::DateTime::from_timestamp(
                    array.as_primitive::<TimestampSecondType>().value(row),
                    0,
                ),
                TimeUnit::Millisecond => chrono::DateTime::from_timestamp_millis(
                    array.as_primitive::<TimestampMillisecondType>().value(row),
                ),
                TimeUnit::Microsecond => chrono::DateTime::from_timestamp_micros(
                    array.as_primitive::<TimestampMicrosecondType>().value(row),
                ),
                TimeUnit::Nanosecond => Some(chrono::DateTime::from_timestamp_nanos(
                    array.as_primitive::<TimestampNanosecondType>().value(row),
                )),
            };
            match at {
                Some(at) => {
                    let name = named.as_deref().unwrap_or(zone::UTC);
                    let wall = zone::wall(at.timestamp_millis(), name).unwrap_or(at.naive_utc());
                    let _ = write!(out, "{}", wall.format("%Y-%m-%d %H:%M:%S%.3f"));
                    if named.is_some() {
                        let _ = write!(out, " {}", if name == "+00:00" { zone::UTC } else { name });
                    }
                }
                None => out.push_str("out of range"),
            }
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            clock(array.as_primitive::<Time64MicrosecondType>().value(row) / 1000, out);
        }
        DataType::Time64(_) => {
            clock(array.as_primitive::<Time64NanosecondType>().value(row) / 1_000_000, out);
        }
        DataType::Interval(IntervalUnit::YearMonth) => {
            months(array.as_primitive::<IntervalYearMonthType>().value(row), out);
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let interval = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
            if interval.months != 0 && interval.days == 0 && interval.nanoseconds == 0 {
                months(interval.months, out);
            } else {
                span(i64::from(interval.days) * 86_400_000 + interval.nanoseconds / 1_000_000, out);
            }
        }
        DataType::Interval(IntervalUnit::DayTime) => {
            let interval = array.as_primitive::<IntervalDayTimeType>().value(row);
            span(i64::from(interval.days) * 86_400_000 + i64::from(interval.milliseconds), out);
        }
        DataType::Duration(TimeUnit::Millisecond) => {
            span(array.as_primitive::<DurationMillisecondType>().value(row), out);
        }
        DataType::Binary => {
            let bytes = array.as_binary::<i32>().value(row);
            let hex: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
            out.push_str(&hex.join(" "));
        }
        DataType::List(_) => list(&array.as_list::<i32>().value(row), out),
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(row), out),
        DataType::FixedSizeList(..) => list(&array.as_fixed_size_list().value(row), out),
        DataType::Struct(fields) => {
            let of = array.as_struct();
            out.push('{');
            for (n, field) in fields.iter().enumerate() {
                if n > 0 {
                    out.push_str(", ");
                }
                out.push_str(field.name());
                out.push('=');
                inner(of.column(n), row, out);
            }
            out.push('}');
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            out.push('{');
            for n in 0..entries.len() {
                if n > 0 {
                    out.push_str(", ");
                }
                inner(entries.column(0), n, out);
                out.push('=');
                inner(entries.column(1), n, out);
            }
            out.push('}');
        }
        _ => {
            use datafusion::arrow::util::display::array_value_to_string;
            out.push_str(&array_value_to_string(array, row).unwrap_or_default());
        }
    }
}

fn list(elements: &ArrayRef, out: &mut String) {
    out.push('[');
    for n in 0..elements.len() {
        if n > 0 {
            out.push_str(", ");
        }
        inner(elements, n, out);
    }
    out.push(']');
}

/// As Java prints it: plain from 0.001 to 10,000,000, else `1.5E-4`. `scientific` is the shortest
/// text that reads back as the same number, from `{:e}`.
fn double(number: f64, scientific: &str, out: &mut String) {
    if number.is_nan() {
        out.push_str("NaN");
        return;
    }
    if number.is_infinite() {
        out.push_str(if number > 0.0 { "Infinity" } else { "-Infinity" });
        return;
    }
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, digits) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits: String = digits.chars().filter(|c| *c != '.').collect();
    out.push_str(sign);
    if number == 0.0 {
        out.push_str("0.0");
    } else if !(-3..7).contains(&exponent) {
        let _ = write!(
            out,
            "{}.{}E{exponent}",
            &digits[..1],
            digits.get(1..).filter(|d| !d.is_empty()).unwrap_or("0")
        );
    } else if exponent < 0 {
        let _ = write!(out, "0.{}{digits}", "0".repeat((-exponent - 1) as usize));
    } else {
        let whole = exponent as usize + 1;
        if digits.len() > whole {
            let _ = write!(out, "{}.{}", &digits[..whole], &digits[whole..]);
        } else {
            let _ = write!(out, "{digits}{}.0", "0".repeat(whole - digits.len()));
        }
    }
}

/// A double as Java prints it.
pub fn number(value: f64) -> String {
    let mut out = String::new();
    double(value, &format!("{value:e}"), &mut out);
    out
}

fn clock(millis: i64, out: &mut String) {
    let (s, ms) = (millis / 1000, millis % 1000);
    let _ = write!(out, "{:02}:{:02}:{:02}.{ms:03}", s / 3600, s / 60 % 60, s % 60);
}

/// `2-6`: years and months.
fn months(months: i32, out: &mut String) {
    let sign = if months < 0 { "-" } else { "" };
    let _ = write!(out, "{sign}{}-{}", months.abs() / 12, months.abs() % 12);
}

/// `3 04:05:06.000`: days and a clock.
fn span(millis: i64, out: &mut String) {
    let sign = if millis < 0 { "-" } else { "" };
    let _ = write!(out, "{sign}{} ", millis.abs() / 86_400_000);
    clock(millis.abs() % 86_400_000, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_printed_as_java_does() {
        for (number, text) in [
            (3.0, "3.0"),
            (263.52, "263.52"),
            (0.1 + 0.2, "0.30000000000000004"),
            (86400.0, "86400.0"),
            (1e7, "1.0E7"),
            (12_345_678.9, "1.23456789E7"),
            (0.001, "0.001"),
            (0.00015, "1.5E-4"),
            (-2.5, "-2.5"),
            (0.0, "0.0"),
            (f64::INFINITY, "Infinity"),
        ] {
            let mut out = String::new();
            double(number, &format!("{number:e}"), &mut out);
            assert_eq!(out, text);
        }
    }
}
