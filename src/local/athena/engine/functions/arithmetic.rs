//! `+ - * / %` with Trino's result types: whole numbers that overflow fail, decimals keep their places,
//! times differ by intervals.
//! <https://trino.io/docs/current/functions/decimal.html#binary-arithmetic-decimal-operators>

use std::sync::Arc;

use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::types::*;
use datafusion::arrow::array::{
    Array, ArrayRef, Decimal128Builder, IntervalMonthDayNanoBuilder, IntervalYearMonthBuilder, new_null_array,
};
use datafusion::arrow::compute;
use datafusion::arrow::compute::kernels::numeric;
use datafusion::arrow::datatypes::{DataType, IntervalUnit, TimeUnit, i256};
use datafusion::arrow::error::ArrowError;
use datafusion::logical_expr::ScalarUDF;

use super::native::*;
use crate::local::athena::engine::print;
use crate::local::athena::failure::Failure;

const SPAN: DataType = DataType::Interval(IntervalUnit::MonthDayNano);
const MONTHS: DataType = DataType::Interval(IntervalUnit::YearMonth);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    Plus,
    Minus,
    Times,
    Over,
    Modulo,
}

/// The function of an operator.
pub fn name(symbol: &str) -> Option<&'static str> {
    Some(match symbol {
        "+" => "$plus",
        "-" => "$minus",
        "*" => "$times",
        "/" => "$over",
        "%" => "$modulo",
        _ => return None,
    })
}

/// Whether a function is one of an operator.
pub fn is_operator(name: &str) -> bool {
    matches!(name, "$plus" | "$minus" | "$times" | "$over" | "$modulo")
}

/// An operator that has a function for these types, and the type of its result; else the engine's own
/// operator is meant.
pub fn result(symbol: &str, types: &[DataType]) -> Option<(Op, DataType)> {
    let op = match symbol {
        "+" => Op::Plus,
        "-" => Op::Minus,
        "*" => Op::Times,
        "/" => Op::Over,
        "%" => Op::Modulo,
        _ => return None,
    };
    kind(op, types).ok().map(|kind| (op, kind))
}

macro_rules! operator {
    ($name:literal, $op:expr) => {
        Native {
            name: $name,
            least: 2,
            most: 2,
            returns: |types| kind($op, types),
            eval: |args, of| eval($op, args, of),
        }
    };
}

pub fn all() -> Vec<ScalarUDF> {
    let all = [
        operator!("$plus", Op::Plus),
        operator!("$minus", Op::Minus),
        operator!("$times", Op::Times),
        operator!("$over", Op::Over),
        operator!("$modulo", Op::Modulo),
    ];
    all.into_iter().map(udf).collect()
}

/// Precision and scale of an exact number: of whole ones, those of Trino's conversion.
pub fn digits(kind: &DataType) -> Option<(u8, i8)> {
    Some(match kind {
        DataType::Int8 => (3, 0),
        DataType::Int16 => (5, 0),
        DataType::Int32 => (10, 0),
        DataType::Int64 => (19, 0),
        DataType::Decimal128(p, s) => (*p, *s),
        _ => return None,
    })
}

fn rank(kind: &DataType) -> Option<u8> {
    Some(match kind {
        DataType::Int8 => 1,
        DataType::Int16 => 2,
        DataType::Int32 => 3,
        DataType::Int64 => 4,
        DataType::Decimal128(..) => 5,
        DataType::Float32 => 6,
        DataType::Float64 => 7,
        _ => return None,
    })
}

/// The type of an operator's result; what it takes when these types are none of it.
pub fn kind(op: Op, types: &[DataType]) -> Result<DataType, &'static str> {
    const OTHER: &str = "two numbers";
    let (a, b) = (&types[0], &types[1]);
    let number = |t: &DataType| rank(t).is_some();
    match (op, a, b) {
        (Op::Minus, DataType::Date32, DataType::Date32) => return Ok(SPAN),
        (Op::Minus, DataType::Timestamp(..), DataType::Timestamp(..)) => return Ok(SPAN),
        (Op::Times, n, s) | (Op::Times | Op::Over, s, n)
            if matches!(s, DataType::Interval(_)) && number(n) =>
        {
            return Ok(s.clone());
        }
        (_, DataType::Null, other) | (_, other, DataType::Null) if number(other) => return Ok(other.clone()),
        _ => {}
    }
    let (Some(x), Some(y)) = (rank(a), rank(b)) else { return Err(OTHER) };
    if x != 5 && y != 5 || x > 5 || y > 5 {
        return Ok(if x >= y { a.clone() } else { b.clone() });
    }
    let (Some((p1, s1)), Some((p2, s2))) = (digits(a), digits(b)) else { return Err(OTHER) };
    let (p1, s1, p2, s2) = (i32::from(p1), i32::from(s1), i32::from(p2), i32::from(s2));
    let (precision, scale) = match op {
        Op::Plus | Op::Minus => (1 + s1.max(s2) + (p1 - s1).max(p2 - s2), s1.max(s2)),
        Op::Times => (p1 + p2, s1 + s2),
        Op::Over => (p1 + s2 + 0.max(s2 - s1), s1.max(s2)),
        Op::Modulo => ((p2 - s2).min(p1 - s1) + s1.max(s2), s1.max(s2)),
    };
    if scale > 38 {
        return Err("a scale of at most 38");
    }
    // Both lie between 0 and 38 now.
    Ok(DataType::Decimal128(precision.clamp(1, 38) as u8, scale as i8))
}

pub fn eval(op: Op, args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    if args.iter().any(|a| a.data_type() == &DataType::Null) {
        return Ok(new_null_array(kind, rows(args)));
    }
    match kind {
        DataType::Decimal128(precision, scale) => decimals(op, args, *precision, *scale),
        DataType::Interval(IntervalUnit::YearMonth) => months(op, args),
        DataType::Interval(_) => spans(op, args),
        _ => {
            let a = compute::cast(&args[0], kind).map_err(wrong)?;
            let b = compute::cast(&args[1], kind).map_err(wrong)?;
            let done = match op {
                Op::Plus => numeric::add(&a, &b),
                Op::Minus => numeric::sub(&a, &b),
                Op::Times => numeric::mul(&a, &b),
                Op::Over => numeric::div(&a, &b),
                Op::Modulo => numeric::rem(&a, &b),
            };
            done.map_err(|error| match error {
                ArrowError::DivideByZero => divided_by_zero(),
                _ => overflow(op, &a, &b, kind),
            })
        }
    }
}

fn divided_by_zero() -> Failure {
    Failure::new("DIVISION_BY_ZERO", "Division by zero")
}

/// Names the first pair of numbers that is too much.
fn overflow(op: Op, a: &ArrayRef, b: &ArrayRef, kind: &DataType) -> Failure {
    let (word, symbol) = match op {
        Op::Plus => ("addition", "+"),
        Op::Minus => ("subtraction", "-"),
        Op::Times => ("multiplication", "*"),
        Op::Over => ("division", "/"),
        Op::Modulo => ("modulus", "%"),
    };
    let fits = |value: i128| match kind {
        DataType::Int8 => i8::try_from(value).is_ok(),
        DataType::Int16 => i16::try_from(value).is_ok(),
        DataType::Int32 => i32::try_from(value).is_ok(),
        _ => i64::try_from(value).is_ok(),
    };
    let pair = (0..a.len()).find_map(|row| {
        let (x, y) = (i128::from(whole(a, row)?), i128::from(whole(b, row)?));
        let value = match op {
            Op::Plus => x + y,
            Op::Minus => x - y,
            Op::Times => x * y,
            Op::Over | Op::Modulo => x.checked_div(y)?,
        };
        (!fits(value)).then(|| format!(": {x} {symbol} {y}"))
    });
    let name = crate::local::athena::engine::arrow::from(kind).base();
    let message = format!("{name} {word} overflow{}", pair.unwrap_or_default());
    Failure::new("NUMERIC_VALUE_OUT_OF_RANGE", message)
}

/// 10 to the n, for n up to 76.
fn power(n: i32) -> i256 {
    (0..n.clamp(0, 76)).fold(i256::ONE, |p, _| p.wrapping_mul(i256::from_i128(10)))
}

fn decimals(op: Op, args: &[ArrayRef], precision: u8, scale: i8) -> Result<ArrayRef, Failure> {
    let too_much = || Failure::new("NUMERIC_VALUE_OUT_OF_RANGE", "Decimal overflow");
    let exact = |array: &ArrayRef| -> Result<(ArrayRef, i32), Failure> {
        let (p, s) = digits(array.data_type()).ok_or_else(|| Failure::internal("no exact number"))?;
        let cast = compute::cast(array, &DataType::Decimal128(p, s)).map_err(wrong)?;
        Ok((cast, i32::from(s)))
    };
    let ((a, s1), (b, s2)) = (exact(&args[0])?, exact(&args[1])?);
    let (a, b) = (a.as_primitive::<Decimal128Type>(), b.as_primitive::<Decimal128Type>());
    let target = i32::from(scale);
    // What each side is multiplied with before the operation.
    let (left, right) = match op {
        Op::Times => (i256::ONE, i256::ONE),
        Op::Over => (power(target - s1 + s2), i256::ONE),
        _ => (power(target - s1), power(target - s2)),
    };
    let mut out = Decimal128Builder::with_capacity(a.len())
        .with_precision_and_scale(precision, scale)
        .map_err(wrong)?;
    let limit = power(i32::from(precision));
    for row in 0..a.len() {
        if a.is_null(row) || b.is_null(row) {
            out.append_null();
            continue;
        }
        let x = i256::from_i128(a.value(row)).checked_mul(left).ok_or_else(too_much)?;
        let y = i256::from_i128(b.value(row)).checked_mul(right).ok_or_else(too_much)?;
        let value = match op {
            Op::Plus => x.checked_add(y),
            Op::Minus => x.checked_sub(y),
            Op::Times => x.checked_mul(y),
            Op::Over | Op::Modulo if y == i256::ZERO => return Err(divided_by_zero()),
            Op::Over => half_up(x, y),
            Op::Modulo => x.checked_rem(y),
        };
        let value =
            value.filter(|v| v.wrapping_abs() < limit).and_then(i256::to_i128).ok_or_else(too_much)?;
        out.append_value(value);
    }
    Ok(Arc::new(out.finish()))
}

/// The quotient, rounded half away from zero.
pub fn half_up(x: i256, y: i256) -> Option<i256> {
    let (quotient, rest) = (x.checked_div(y)?, x.checked_rem(y)?);
    let twice = rest.wrapping_abs().checked_mul(i256::from_i128(2))?;
    if twice < y.wrapping_abs() {
        return Some(quotient);
    }
    let negative = (x < i256::ZERO) != (y < i256::ZERO);
    quotient.checked_add(if negative { i256::MINUS_ONE } else { i256::ONE })
}

const DAY: i64 = 86_400_000;

/// Differences of times, and multiples of intervals.
fn spans(op: Op, args: &[ArrayRef]) -> Result<ArrayRef, Failure> {
    let mut out = IntervalMonthDayNanoBuilder::new();
    let (a, b) = (&args[0], &args[1]);
    if op == Op::Minus {
        let millis = |array: &ArrayRef| {
            compute::cast(array, &DataType::Timestamp(TimeUnit::Millisecond, None)).map_err(wrong)
        };
        let (a, b) = (millis(a)?, millis(b)?);
        let (a, b) =
            (a.as_primitive::<TimestampMillisecondType>(), b.as_primitive::<TimestampMillisecondType>());
        for row in 0..a.len() {
            if a.is_null(row) || b.is_null(row) {
                out.append_null();
                continue;
            }
            let span = a.value(row).saturating_sub(b.value(row));
            out.append_value(between(span / DAY, span % DAY)?);
        }
        return Ok(Arc::new(out.finish()));
    }
    let (spans, factors) = if a.data_type() == &SPAN { (a, b) } else { (b, a) };
    let factors = compute::cast(factors, &DataType::Float64).map_err(wrong)?;
    let factors = factors.as_primitive::<Float64Type>();
    let spans = spans.as_primitive::<IntervalMonthDayNanoType>();
    for row in 0..spans.len() {
        if spans.is_null(row) || factors.is_null(row) {
            out.append_null();
            continue;
        }
        let factor = factor(op, factors.value(row))?;
        let span = spans.value(row);
        let millis = ((span.days as f64) * DAY as f64 + (span.nanoseconds / 1_000_000) as f64) * factor;
        out.append_value(between(millis as i64 / DAY, millis as i64 % DAY)?);
    }
    Ok(Arc::new(out.finish()))
}

/// What an interval is multiplied by.
fn factor(op: Op, number: f64) -> Result<f64, Failure> {
    let factor = if op == Op::Over { 1.0 / number } else { number };
    if factor.is_finite() { Ok(factor) } else { Err(divided_by_zero()) }
}

/// Multiples of years and months, without what is less than a month.
fn months(op: Op, args: &[ArrayRef]) -> Result<ArrayRef, Failure> {
    let (spans, factors) =
        if args[0].data_type() == &MONTHS { (&args[0], &args[1]) } else { (&args[1], &args[0]) };
    let factors = compute::cast(factors, &DataType::Float64).map_err(wrong)?;
    let factors = factors.as_primitive::<Float64Type>();
    let spans = spans.as_primitive::<IntervalYearMonthType>();
    let mut out = IntervalYearMonthBuilder::new();
    for row in 0..spans.len() {
        if spans.is_null(row) || factors.is_null(row) {
            out.append_null();
            continue;
        }
        let factor = factor(op, factors.value(row))?;
        out.append_value((f64::from(spans.value(row)) * factor) as i32);
    }
    Ok(Arc::new(out.finish()))
}

fn between(days: i64, millis: i64) -> Result<datafusion::arrow::datatypes::IntervalMonthDayNano, Failure> {
    let days = i32::try_from(days)
        .map_err(|_| Failure::new("NUMERIC_VALUE_OUT_OF_RANGE", "interval out of range"))?;
    Ok(datafusion::arrow::datatypes::IntervalMonthDayNano::new(0, days, millis * 1_000_000))
}

/// A value as text, for messages.
pub fn shown(array: &ArrayRef, row: usize) -> String {
    let mut text = String::new();
    print::cell(array, row, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(p: u8, s: i8) -> DataType {
        DataType::Decimal128(p, s)
    }

    #[test]
    fn decimals_have_trinos_types() {
        for (op, a, b, result) in [
            (Op::Plus, decimal(2, 1), decimal(3, 2), decimal(4, 2)),
            (Op::Times, decimal(2, 1), decimal(3, 2), decimal(5, 3)),
            (Op::Over, DataType::Int32, decimal(2, 1), decimal(12, 1)),
            (Op::Over, decimal(4, 2), DataType::Int32, decimal(4, 2)),
            (Op::Modulo, decimal(2, 1), DataType::Int32, decimal(2, 1)),
            (Op::Plus, decimal(38, 0), DataType::Int64, decimal(38, 0)),
        ] {
            assert_eq!(kind(op, &[a, b]), Ok(result));
        }
        assert_eq!(kind(Op::Plus, &[DataType::Int16, DataType::Int32]), Ok(DataType::Int32));
        assert_eq!(kind(Op::Times, &[DataType::Float32, DataType::Int64]), Ok(DataType::Float32));
        assert!(kind(Op::Plus, &[DataType::Utf8, DataType::Int32]).is_err());
    }

    #[test]
    fn quotients_round_half_away_from_zero() {
        for (x, y, result) in [(5, 2, 3), (-5, 2, -3), (5, -2, -3), (4, 3, 1), (0, 7, 0)] {
            assert_eq!(half_up(i256::from_i128(x), i256::from_i128(y)), Some(i256::from_i128(result)));
        }
    }
}
