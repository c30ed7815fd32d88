//! `sequence`: numbers or dates at equal distances.

use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::types::{
    Date32Type, IntervalMonthDayNanoType, IntervalYearMonthType, TimestampMillisecondType,
};
use datafusion::arrow::array::{Array, ArrayRef, ArrowPrimitiveType, IntervalMonthDayNanoArray};
use datafusion::arrow::datatypes::{DataType, IntervalMonthDayNano};
use datafusion::common::ScalarValue;

use super::arrays::{element, lists};
use super::native::*;
use crate::local::athena::engine::{columns, threads, time};
use crate::local::athena::failure::Failure;

pub fn kind(types: &[DataType]) -> Result<DataType, &'static str> {
    let of = match &types[0] {
        kind if is_whole(kind) && is_whole(&types[1]) => DataType::Int64,
        DataType::Date32 if types[1] == DataType::Date32 => DataType::Date32,
        DataType::Timestamp(unit, zone) if matches!(types[1], DataType::Timestamp(..)) => {
            DataType::Timestamp(*unit, zone.clone())
        }
        _ => return Err("sequence(bigint, bigint, bigint), sequence(date, date, interval)"),
    };
    Ok(DataType::List(columns::item(of)))
}

/// The greatest number of values that Trino lets a sequence have.
const LONGEST: usize = 10_000;

pub fn eval(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let Some(of) = element(kind) else { return Err(Failure::internal("a sequence of nothing")) };
    let (mut values, mut lengths, mut valid) = (Vec::new(), Vec::new(), Vec::new());
    let args = &wide(args)[..];
    for row in 0..rows(args) {
        threads::check()?;
        if args.iter().any(|a| a.is_null(row)) {
            lengths.push(0);
            valid.push(false);
            continue;
        }
        let before = values.len();
        match &of {
            DataType::Int64 => {
                let (from, to) = (whole(&args[0], row).unwrap_or(0), whole(&args[1], row).unwrap_or(0));
                let step = match args.get(2) {
                    Some(step) => whole(step, row).unwrap_or(0),
                    None if from <= to => 1,
                    None => -1,
                };
                steps(
                    step.signum(),
                    |n| from.checked_add(step.checked_mul(n)?),
                    from,
                    to,
                    |value| {
                        values.push(ScalarValue::Int64(Some(value)));
                    },
                )?;
            }
            DataType::Date32 => {
                let from = args[0].as_primitive::<Date32Type>().value(row);
                let to = args[1].as_primitive::<Date32Type>().value(row);
                let (months, days) = match args.get(2) {
                    Some(step) if step.data_type() == &IntervalMonthDayNanoType::DATA_TYPE => {
                        let step = step.as_primitive::<IntervalMonthDayNanoType>().value(row);
                        (i64::from(step.months), i64::from(step.days))
                    }
                    Some(_) => return Err(argument("sequence step must be an interval of days or months")),
                    None => (0, if from <= to { 1 } else { -1 }),
                };
                let start = time::of_days(from).ok_or_else(|| argument("date out of range"))?;
                let next = |n: i64| {
                    let moved = super::dates::add_months(start, months.checked_mul(n)?)?;
                    let moved =
                        moved.checked_add_signed(chrono::Duration::try_days(days.checked_mul(n)?)?)?;
                    Some(i64::from(time::days(moved)))
                };
                steps((months + days).signum(), next, from.into(), to.into(), |value| {
                    values.push(ScalarValue::Date32(Some(value as i32)));
                })?;
            }
            DataType::Timestamp(_, zone) => {
                let millis = |n: usize| -> Result<i64, Failure> {
                    let of = super::cast::millis(&args[n])?;
                    Ok(of.as_primitive::<TimestampMillisecondType>().value(row))
                };
                let (from, to) = (millis(0)?, millis(1)?);
                let step = match args.get(2) {
                    Some(step) if step.data_type() == &IntervalMonthDayNanoType::DATA_TYPE => {
                        step.as_primitive::<IntervalMonthDayNanoType>().value(row)
                    }
                    _ => return Err(argument("sequence of timestamps needs a step")),
                };
                let start = chrono::DateTime::from_timestamp_millis(from).map(|at| at.naive_utc());
                let start = start.ok_or_else(|| argument("timestamp out of range"))?;
                let span = i64::from(step.days) * 86_400_000 + step.nanoseconds / 1_000_000;
                let next = |n: i64| {
                    let day = super::dates::add_months(start.date(), i64::from(step.months).checked_mul(n)?)?;
                    let moved = day.and_time(start.time()).and_utc().timestamp_millis();
                    moved.checked_add(span.checked_mul(n)?)
                };
                steps((i64::from(step.months) + span).signum(), next, from, to, |value| {
                    values.push(ScalarValue::TimestampMillisecond(Some(value), zone.clone()));
                })?;
            }
            _ => return Err(Failure::internal("a sequence of something else")),
        }
        lengths.push(values.len() - before);
        valid.push(true);
    }
    let values = if values.is_empty() {
        datafusion::arrow::array::new_empty_array(&of)
    } else {
        ScalarValue::iter_to_array(values).map_err(wrong)?
    };
    lists(kind, lengths, values, valid)
}

/// The arguments, a step of months as one of months, days and a clock.
fn wide(args: &[ArrayRef]) -> Vec<ArrayRef> {
    let one = |array: &ArrayRef| {
        let Some(months) = array.as_primitive_opt::<IntervalYearMonthType>() else { return array.clone() };
        let made: IntervalMonthDayNanoArray =
            months.iter().map(|m| m.map(|m| IntervalMonthDayNano::new(m, 0, 0))).collect();
        std::sync::Arc::new(made)
    };
    args.iter().map(one).collect()
}

fn steps(
    direction: i64,
    value: impl Fn(i64) -> Option<i64>,
    from: i64,
    to: i64,
    mut push: impl FnMut(i64),
) -> Result<(), Failure> {
    if direction == 0 {
        return Err(argument("interval must not be zero"));
    }
    if (direction > 0) != (from <= to) && from != to {
        return Err(argument(
            "sequence stop value should be greater than or equal to start value if step is greater than zero \
             otherwise stop should be less than or equal to start",
        ));
    }
    for n in 0.. {
        let Some(next) = value(n) else { return Ok(()) };
        if (direction > 0 && next > to) || (direction < 0 && next < to) {
            return Ok(());
        }
        if n as usize >= LONGEST {
            return Err(argument(format!(
                "result of sequence function must not have more than {LONGEST} entries"
            )));
        }
        push(next);
    }
    Ok(())
}
