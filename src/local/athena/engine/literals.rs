//! Literals with Trino's types: `1` is an integer, `1.50` a decimal(3,2), `1e0` a double, `DATE '…'` a date.
//!
//! They travel through the planner as structures, a syntax that Trino does not have.

use datafusion::arrow::array::{Array, ArrayRef, StringArray};
use datafusion::arrow::datatypes::{DataType, IntervalMonthDayNano};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit};
use datafusion_sql::sqlparser::ast::{self, Expr as SqlExpr, Interval};
use datafusion_sql::sqlparser::tokenizer::Location;

use super::rewrite::text;
use super::{arrow, functions};
use crate::local::athena::failure::{Failure, Spot};
use crate::local::athena::types::Type;

/// What marks an interval among the literals.
const INTERVAL: &str = "$interval";

fn made(values: Vec<SqlExpr>) -> SqlExpr {
    SqlExpr::Struct { values, fields: Vec::new() }
}

/// A number as the query has it.
pub fn number(digits: &str, at: Location) -> SqlExpr {
    let position = |n: u64| super::rewrite::number(n as i64);
    made(vec![text(digits), position(at.line), position(at.column)])
}

/// The minus before a number belongs to it: -2147483648 is an integer.
pub fn sign(expr: &mut SqlExpr) {
    if let SqlExpr::UnaryOp { op: ast::UnaryOperator::Minus, expr: inner } = expr
        && let SqlExpr::Value(ast::ValueWithSpan { value: ast::Value::Number(digits, _), span }) = &**inner
        && !digits.starts_with('-')
    {
        *expr = SqlExpr::Value(ast::Value::Number(format!("-{digits}"), false).with_span(*span));
    }
}

/// `DATE '2026-01-01'`, from the call that [`super::places`] left.
pub fn typed(args: Vec<SqlExpr>) -> SqlExpr {
    made(args)
}

/// `INTERVAL '1' DAY`.
pub fn interval(of: Interval) -> Result<SqlExpr, Failure> {
    let value = match &*of.value {
        SqlExpr::Value(value) => value.value.clone().into_string(),
        // `INTERVAL 1 DAY` is not Trino's.
        _ => None,
    };
    let value = value.ok_or_else(|| Failure::syntax("an interval needs a text"))?;
    let unit =
        |field: &Option<ast::DateTimeField>| field.as_ref().map(ToString::to_string).unwrap_or_default();
    let units = [unit(&of.leading_field), unit(&of.last_field)];
    Ok(made(vec![text(INTERVAL), text(&value), text(&units[0]), text(&units[1])]))
}

/// A literal as the engine's own syntax has it, where nothing else will do: positions, limits, frames.
pub fn plain(expr: &mut SqlExpr) {
    let inner = match expr {
        SqlExpr::Struct { values, fields } if fields.is_empty() => values,
        SqlExpr::Nested(inner) => return plain(inner),
        _ => return,
    };
    let texts: Vec<String> = inner
        .iter()
        .filter_map(|v| match v {
            SqlExpr::Value(value) => value.value.clone().into_string(),
            _ => None,
        })
        .collect();
    match texts.as_slice() {
        // A position has no sign.
        [digits] if digits.starts_with('-') => {}
        [digits] => *expr = SqlExpr::Value(ast::Value::Number(digits.clone(), false).into()),
        [kind, value, unit, _] if kind == INTERVAL => {
            let both = format!("{value} {unit}");
            *expr = SqlExpr::Interval(Interval {
                value: Box::new(text(&both)),
                leading_field: None,
                leading_precision: None,
                last_field: None,
                fractional_seconds_precision: None,
            });
        }
        _ => {}
    }
}

/// Reads what travelled through the planner.
pub fn planned(args: &[Expr]) -> Result<Option<Expr>, Failure> {
    let texts: Vec<String> = args.iter().filter_map(string).collect();
    match texts.as_slice() {
        [digits] => number_value(digits).map(|value| Some(lit(value))).map_err(|f| match spot(args, 1) {
            Some(spot) => f.at(spot),
            None => f,
        }),
        [kind, value, first, last] if kind == INTERVAL => span(value, first, last).map(|v| Some(lit(v))),
        [kind, value] => typed_value(kind, value, spot(args, 2)).map(|value| Some(lit(value))),
        _ => Ok(None),
    }
}

/// The place that ends the arguments.
fn spot(args: &[Expr], from: usize) -> Option<Spot> {
    match args.get(from..) {
        Some([line, column]) => Some(Spot { line: position(line), column: position(column) }),
        _ => None,
    }
}

fn string(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Literal(ScalarValue::Utf8(Some(text)), _) => Some(text.clone()),
        _ => None,
    }
}

fn position(expr: &Expr) -> usize {
    match expr {
        Expr::Literal(ScalarValue::Int64(Some(n)), _) => usize::try_from(*n).unwrap_or(1),
        Expr::Literal(ScalarValue::Int32(Some(n)), _) => usize::try_from(*n).unwrap_or(1),
        _ => 1,
    }
}

fn number_value(digits: &str) -> Result<ScalarValue, Failure> {
    let invalid = || Failure::new("NUMERIC_VALUE_OUT_OF_RANGE", format!("Invalid numeric literal: {digits}"));
    if digits.contains(['e', 'E']) {
        return digits.parse().map(|f| ScalarValue::Float64(Some(f))).map_err(|_| invalid());
    }
    let Some((whole, fraction)) = digits.split_once('.') else {
        let value: i64 = digits.parse().map_err(|_| invalid())?;
        return Ok(match i32::try_from(value) {
            Ok(small) => ScalarValue::Int32(Some(small)),
            Err(_) => ScalarValue::Int64(Some(value)),
        });
    };
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |rest| ("-", rest));
    let whole = whole.trim_start_matches('0');
    let precision = (whole.len() + fraction.len()).max(1);
    if precision > 38 {
        return Err(invalid());
    }
    let unscaled: i128 = format!("{sign}0{whole}{fraction}").parse().map_err(|_| invalid())?;
    // Both are at most 38.
    Ok(ScalarValue::Decimal128(Some(unscaled), precision as u8, fraction.len() as i8))
}

fn typed_value(kind: &str, value: &str, spot: Option<Spot>) -> Result<ScalarValue, Failure> {
    let at = |failure: Failure| match spot {
        Some(spot) => failure.at(spot),
        None => failure,
    };
    let read =
        Type::read(kind).map_err(|why| at(Failure::new("TYPE_NOT_FOUND", format!("Unknown type: {why}"))))?;
    let array: ArrayRef = std::sync::Arc::new(StringArray::from(vec![value]));
    let converted = match &read {
        // A zone in the text makes it a timestamp with time zone.
        Type::Timestamp => functions::stamp(value),
        // Without digits of its own it has those of its text.
        Type::Decimal(..) if !kind.contains('(') => {
            let digits = if value.contains('.') { value.to_owned() } else { format!("{value}.") };
            number_value(&digits).ok()
        }
        Type::Json => functions::json(value).map(|json| ScalarValue::LargeUtf8(Some(json))),
        other => functions::convert(&array, &arrow::to(other), false)
            .ok()
            .filter(|c| c.is_valid(0))
            .and_then(|c| ScalarValue::try_from_array(&c, 0).ok()),
    };
    converted.ok_or_else(|| {
        let name = kind.split(['(', ' ']).next().unwrap_or(kind).to_uppercase();
        at(Failure::new("INVALID_LITERAL", format!("'{value}' is not a valid {name} literal")))
    })
}

/// A timestamp's text without its zone, and the zone's name; `None` when it names one that is none.
pub fn split_zone(written: &str) -> Option<(&str, Option<String>)> {
    let written = written.trim();
    // The date's own dashes are within its first ten characters.
    let clock = written.get(10..).unwrap_or_default();
    let zone = clock.find([' ', 'T']).map_or(0, |n| n + 1);
    let Some(at) = clock.get(zone..).and_then(|c| {
        let found = c.find(|c: char| c == '+' || c == '-' || c.is_ascii_alphabetic())?;
        Some(10 + zone + found)
    }) else {
        return Some((written, None));
    };
    let (body, name) = written.split_at(at);
    super::zone::name(name).map(|name| (body.trim_end(), Some(name)))
}

/// `'1-6' YEAR TO MONTH`, `'2 03:04:05.6' DAY TO SECOND`, `'90' MINUTE`.
fn span(value: &str, first: &str, last: &str) -> Result<ScalarValue, Failure> {
    let invalid = || Failure::new("INVALID_LITERAL", format!("'{value}' is not a valid INTERVAL literal"));
    let (negative, rest) = match value.trim().strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, value.trim().trim_start_matches('+')),
    };
    const ORDER: [&str; 6] = ["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"];
    let place = |unit: &str| {
        let unit = unit.to_uppercase();
        let unit = unit.strip_suffix('S').unwrap_or(&unit);
        if unit == "WEEK" { Some(2) } else { ORDER.iter().position(|o| *o == unit) }
    };
    let from = place(first).ok_or_else(invalid)?;
    let to = if last.is_empty() { from } else { place(last).ok_or_else(invalid)? };
    let parts: Vec<&str> = rest.split(['-', ' ', ':']).collect();
    if to < from || parts.len() != to - from + 1 {
        return Err(invalid());
    }
    let (mut months, mut days, mut nanos) = (0i32, 0i32, 0i64);
    for (part, unit) in parts.iter().zip(from..=to) {
        let whole = |p: &str| p.parse::<i32>().map_err(|_| invalid());
        match unit {
            0 => months += whole(part)?.checked_mul(12).ok_or_else(invalid)?,
            1 => months = months.checked_add(whole(part)?).ok_or_else(invalid)?,
            2 => {
                let factor = if first.to_uppercase().starts_with("WEEK") { 7 } else { 1 };
                days += whole(part)?.checked_mul(factor).ok_or_else(invalid)?;
            }
            3 => nanos += i64::from(whole(part)?) * 3_600_000_000_000,
            4 => nanos += i64::from(whole(part)?) * 60_000_000_000,
            _ => {
                let seconds: f64 = part.parse().map_err(|_| invalid())?;
                nanos += (seconds * 1000.0).round() as i64 * 1_000_000;
            }
        }
    }
    const DAY: i64 = 86_400_000_000_000;
    days += i32::try_from(nanos / DAY).map_err(|_| invalid())?;
    nanos %= DAY;
    let sign = if negative { -1 } else { 1 };
    if from < 2 {
        return Ok(ScalarValue::IntervalYearMonth(Some(months * sign)));
    }
    let value = IntervalMonthDayNano::new(months * sign, days * sign, nanos * i64::from(sign));
    Ok(ScalarValue::IntervalMonthDayNano(Some(value)))
}

/// The type of an expression in messages: of a text literal, its length too.
pub fn type_name(expr: &Expr, kind: &DataType) -> String {
    match expr {
        Expr::Literal(ScalarValue::Utf8(Some(text)), _) => format!("varchar({})", text.chars().count()),
        // A cast names its type: `varchar(5)`.
        Expr::ScalarFunction(f) if f.name() == "$cast" => {
            let named = f.args.get(1).and_then(string).and_then(|name| Type::read(&name).ok());
            named.unwrap_or_else(|| arrow::from(kind)).trino()
        }
        _ => arrow::from(kind).trino(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_trinos_types() {
        assert_eq!(number_value("1").unwrap(), ScalarValue::Int32(Some(1)));
        assert_eq!(number_value("2147483648").unwrap(), ScalarValue::Int64(Some(2_147_483_648)));
        assert_eq!(number_value("1.50").unwrap(), ScalarValue::Decimal128(Some(150), 3, 2));
        assert_eq!(number_value("0.1").unwrap(), ScalarValue::Decimal128(Some(1), 1, 1));
        assert_eq!(number_value("2.5E0").unwrap(), ScalarValue::Float64(Some(2.5)));
        assert!(number_value("9223372036854775808").is_err());
    }

    #[test]
    fn intervals_are_read_by_their_fields() {
        let read = |value: &str, first: &str, last: &str| match span(value, first, last).unwrap() {
            ScalarValue::IntervalYearMonth(Some(months)) => (months, 0, 0),
            ScalarValue::IntervalMonthDayNano(Some(v)) => (v.months, v.days, v.nanoseconds / 1_000_000),
            other => panic!("{other}"),
        };
        assert_eq!(read("2-6", "YEAR", "MONTH"), (30, 0, 0));
        assert_eq!(read("1 02:03", "DAY", "MINUTE"), (0, 1, 7_380_000));
        assert_eq!(read("-90", "MINUTE", ""), (0, 0, -5_400_000));
        assert_eq!(read("25", "HOUR", ""), (0, 1, 3_600_000));
        assert!(span("x", "DAY", "").is_err() && span("1", "MONTH", "DAY").is_err());
    }
}
