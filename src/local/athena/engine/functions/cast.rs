//! `CAST` and `TRY_CAST` with Trino's texts, roundings and errors; `typeof`.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::types::*;
use datafusion::arrow::array::{
    Array, ArrayRef, ListArray, MapArray, StringBuilder, StructArray, TimestampMillisecondArray,
};
use datafusion::arrow::compute::{self, CastOptions};
use datafusion::arrow::datatypes::{DataType, FieldRef, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::json_cast::{from_json, to_json};
use super::native::*;
use crate::local::athena::engine::columns::Column;
use crate::local::athena::engine::scan::fail;
use crate::local::athena::engine::{arrow, print, zone};
use crate::local::athena::failure::Failure;
use crate::local::athena::types::Type;

pub fn all() -> Vec<ScalarUDF> {
    vec![
        ScalarUDF::new_from_impl(Cast { signature: Signature::any(3, Volatility::Immutable) }),
        ScalarUDF::new_from_impl(TypeOf { signature: Signature::any(1, Volatility::Immutable) }),
    ]
}

/// `typeof(value)`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct TypeOf {
    signature: Signature,
}

impl ScalarUDFImpl for TypeOf {
    fn name(&self) -> &str {
        "typeof"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let name = args.arg_fields.first().map(|field| arrow::of(field).trino());
        Ok(ColumnarValue::Scalar(ScalarValue::Utf8(name)))
    }
}

/// `$cast(value, 'type', lenient)`.
#[derive(Debug)]
struct Cast {
    signature: Signature,
}

impl PartialEq for Cast {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Cast {}

impl Hash for Cast {
    fn hash<H: Hasher>(&self, state: &mut H) {
        "$cast".hash(state);
    }
}

impl ScalarUDFImpl for Cast {
    fn name(&self) -> &str {
        "$cast"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Err(fail(Failure::internal("the type of a cast is in its arguments")))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let name = match args.scalar_arguments.get(1) {
            Some(Some(ScalarValue::Utf8(Some(name)))) => name,
            _ => return Err(fail(Failure::internal("a cast without a type"))),
        };
        let kind = Type::read(name)
            .map_err(|why| why.strip_prefix("unknown type ").map_or(why.clone(), str::to_owned))
            .map_err(|what| fail(Failure::new("TYPE_NOT_FOUND", format!("Unknown type: {what}"))))?;
        let mut to = arrow::to(&kind);
        let from = args.arg_fields[0].data_type();
        if kind == Type::TimestampTz {
            // The zone of a moment stays, and so does the one that a literal names.
            let named = match args.scalar_arguments[0] {
                Some(ScalarValue::Utf8(Some(text))) => super::zones::stamp(text).map(|v| v.data_type()),
                _ => None,
            };
            let named = named.as_ref().unwrap_or(from);
            if matches!(named, DataType::Timestamp(_, Some(_))) {
                to = named.clone();
            }
        }
        if !possible(from, &to) {
            let from = arrow::from(from).trino();
            return Err(fail(Failure::new(
                "TYPE_MISMATCH",
                format!("Cannot cast {from} to {}", kind.trino()),
            )));
        }
        Ok(Arc::new(arrow::declared("$cast", to, &kind)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let lenient = matches!(&args.args[2], ColumnarValue::Scalar(ScalarValue::Boolean(Some(true))));
        let name = match &args.args[1] {
            ColumnarValue::Scalar(ScalarValue::Utf8(Some(name))) => name.as_str(),
            _ => "",
        };
        let kind = Type::read(name).ok();
        let to = args.return_field.data_type();
        let one = |array: &ArrayRef| {
            let cast = convert(array, to, lenient).map_err(fail)?;
            let fitted = match &kind {
                Some(Type::Varchar(Some(limit))) => shorten(&cast, *limit as usize, false),
                Some(Type::Char(limit)) => shorten(&cast, *limit as usize, true),
                Some(Type::Timestamp) if places(name) < 3 => round_clock(&cast, places(name)),
                _ => Ok(cast),
            };
            fitted.map_err(fail)
        };
        Ok(match &args.args[0] {
            ColumnarValue::Array(array) => ColumnarValue::Array(one(array)?),
            ColumnarValue::Scalar(value) => {
                ColumnarValue::Scalar(ScalarValue::try_from_array(&one(&value.to_array()?)?, 0)?)
            }
        })
    }
}

fn is_nested(kind: &DataType) -> bool {
    matches!(kind, DataType::List(_) | DataType::Struct(_) | DataType::Map(..))
}

/// Whether Trino knows the cast at all.
fn possible(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        _ if from == to => true,
        (DataType::Null, _) | (_, DataType::LargeUtf8) | (DataType::LargeUtf8, _) => true,
        (DataType::List(a), DataType::List(b)) => possible(a.data_type(), b.data_type()),
        (DataType::Struct(a), DataType::Struct(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| possible(a.data_type(), b.data_type()))
        }
        (DataType::Map(a, _), DataType::Map(b, _)) => possible(a.data_type(), b.data_type()),
        _ if is_nested(from) || is_nested(to) => false,
        (DataType::Date32, to) if to.is_numeric() || to == &DataType::Boolean => false,
        (from, DataType::Date32) if from.is_numeric() || from == &DataType::Boolean => false,
        (DataType::Timestamp(..), to) if to.is_numeric() || to == &DataType::Boolean => false,
        (from, DataType::Timestamp(..)) if from.is_numeric() || from == &DataType::Boolean => false,
        _ => true,
    }
}

fn cannot(value: &str, to: &DataType) -> Failure {
    let kind = arrow::from(to);
    let name = match kind {
        Type::Integer => "INT".to_owned(),
        other => other.trino().to_uppercase(),
    };
    let message = match to {
        DataType::Date32 => format!("Value cannot be cast to date: {value}"),
        DataType::Timestamp(..) => format!("Value cannot be cast to timestamp: {value}"),
        _ => format!("Cannot cast '{value}' to {name}"),
    };
    Failure::new("INVALID_CAST_ARGUMENT", message)
}

pub fn convert(array: &ArrayRef, to: &DataType, lenient: bool) -> Result<ArrayRef, Failure> {
    let from = array.data_type();
    match (from, to) {
        _ if from == to => Ok(array.clone()),
        (DataType::Null, _) => compute::cast(array, to).map_err(wrong),
        (DataType::LargeUtf8, _) => from_json(array, to, lenient),
        (_, DataType::LargeUtf8) => to_json(array),
        (_, DataType::Utf8) => {
            let mut texts = StringBuilder::new();
            let mut text = String::new();
            for row in 0..array.len() {
                text.clear();
                texts.append_option(print::cell(array, row, &mut text).then_some(&text));
            }
            Ok(Arc::new(texts.finish()))
        }
        (DataType::List(_), DataType::List(field)) => {
            let list = array.as_list::<i32>();
            let values = convert(list.values(), field.data_type(), lenient)?;
            let list =
                ListArray::try_new(field.clone(), list.offsets().clone(), values, list.nulls().cloned());
            Ok(Arc::new(list.map_err(wrong)?))
        }
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let row = array.as_struct();
            let members = row.columns().iter().zip(fields).map(|(c, f)| convert(c, f.data_type(), lenient));
            let row = StructArray::try_new(
                fields.clone(),
                members.collect::<Result<_, _>>()?,
                row.nulls().cloned(),
            );
            Ok(Arc::new(row.map_err(wrong)?))
        }
        (DataType::Map(..), DataType::Map(entries, _)) => {
            let map = array.as_map();
            let pairs: ArrayRef = Arc::new(map.entries().clone());
            let pairs = convert(&pairs, entries.data_type(), lenient)?;
            let map = MapArray::try_new(
                entries.clone(),
                map.offsets().clone(),
                pairs.as_struct().clone(),
                map.nulls().cloned(),
                false,
            );
            Ok(Arc::new(map.map_err(wrong)?))
        }
        (DataType::Timestamp(_, Some(from)), DataType::Date32 | DataType::Timestamp(_, None)) => {
            let wall = moved(array, |at| zone::wall(at, from).map(|wall| wall.and_utc().timestamp_millis()))?;
            compute::cast(&wall, to).map_err(wrong)
        }
        (DataType::Date32 | DataType::Timestamp(_, None), DataType::Timestamp(_, Some(name))) => {
            let wall =
                compute::cast(array, &DataType::Timestamp(TimeUnit::Millisecond, None)).map_err(wrong)?;
            let moments = moved(&wall, |at| zone::moment(zone::wall(at, zone::UTC)?, name))?;
            let moments = moments.as_primitive::<TimestampMillisecondType>().clone();
            Ok(Arc::new(moments.with_timezone_opt(Some(name.clone()))))
        }
        (DataType::Utf8 | DataType::Utf8View, DataType::Binary) => compute::cast(array, to).map_err(wrong),
        (DataType::Utf8 | DataType::Utf8View, _) => read_texts(array, to, lenient),
        (DataType::Float32 | DataType::Float64, _) if to.is_integer() => {
            let rounded = compute::cast(array, &DataType::Float64).map_err(wrong)?;
            let rounded: ArrayRef = Arc::new(
                rounded.as_primitive::<Float64Type>().unary::<_, Float64Type>(|f| (f + 0.5).floor()),
            );
            numbers(&rounded, array, to, lenient)
        }
        (DataType::Decimal128(..), _) if to.is_integer() => {
            let rounded = compute::cast(array, &DataType::Decimal128(38, 0)).map_err(wrong)?;
            numbers(&rounded, array, to, lenient)
        }
        _ => numbers(array, array, to, lenient),
    }
}

/// The engine's own cast; `shown` is what the error names.
fn numbers(array: &ArrayRef, shown: &ArrayRef, to: &DataType, lenient: bool) -> Result<ArrayRef, Failure> {
    let options = CastOptions { safe: true, ..CastOptions::default() };
    let cast = compute::cast_with_options(array, to, &options)
        .map_err(|_| cannot(&arrow::from(array.data_type()).trino(), to))?;
    if !lenient && let Some(row) = (0..array.len()).find(|row| cast.is_null(*row) && array.is_valid(*row)) {
        let mut value = String::new();
        print::cell(shown, row, &mut value);
        return Err(out_of_range(shown.data_type(), to, &value));
    }
    Ok(cast)
}

/// Timestamps that are other ones.
fn moved(array: &ArrayRef, to: impl Fn(i64) -> Option<i64>) -> Result<ArrayRef, Failure> {
    let of = millis(array)?;
    let of = of.as_primitive::<TimestampMillisecondType>();
    let done = (0..of.len()).map(|row| if of.is_null(row) { None } else { to(of.value(row)) });
    Ok(Arc::new(done.collect::<TimestampMillisecondArray>()))
}

fn out_of_range(from: &DataType, to: &DataType, value: &str) -> Failure {
    let spelled = |kind: &DataType| match arrow::from(kind) {
        Type::Decimal(p, s) => format!("DECIMAL({p}, {s})"),
        other => other.trino().to_uppercase(),
    };
    if let DataType::Decimal128(..) = to {
        let message = format!("Cannot cast {} '{value}' to {}", spelled(from), spelled(to));
        return Failure::new("INVALID_CAST_ARGUMENT", message);
    }
    // Trino has words of its own for this one.
    if matches!((from, to), (DataType::Float32 | DataType::Float64, DataType::Int64)) {
        return Failure::new("INVALID_CAST_ARGUMENT", format!("Unable to cast {value} to bigint"));
    }
    let kind = arrow::from(to).trino();
    Failure::new("NUMERIC_VALUE_OUT_OF_RANGE", format!("Out of range for {kind}: {value}"))
}

fn read_texts(array: &ArrayRef, to: &DataType, lenient: bool) -> Result<ArrayRef, Failure> {
    let to_read = match to {
        // Read without a zone and understood as UTC.
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, None),
        other => other.clone(),
    };
    let mut column = match Column::new(&to_read) {
        Ok(column) => column,
        Err(_) => return compute::cast(array, to).map_err(wrong),
    };
    for row in 0..array.len() {
        match text(array, row) {
            None => column.push_null(),
            Some(value) => {
                // Trino takes more words for truth than a SerDe does.
                let value = match (to, value.to_ascii_lowercase().as_str()) {
                    (DataType::Boolean, "t" | "1") => "true",
                    (DataType::Boolean, "f" | "0") => "false",
                    (DataType::Timestamp(_, zone), _) => match (super::zones::stamp(value), zone) {
                        (Some(ScalarValue::TimestampMillisecond(Some(at), Some(_))), Some(_)) => {
                            let wall = zone::wall(at, zone::UTC).map(|w| w.to_string());
                            column.push_text(&wall.unwrap_or_default()).map_err(Failure::from)?;
                            continue;
                        }
                        (None, _) if lenient => {
                            column.push_null();
                            continue;
                        }
                        (None, _) => return Err(cannot(value, to)),
                        _ => value,
                    },
                    _ => value,
                };
                let whole = to.is_integer() && value.trim().parse::<i64>().is_err();
                if whole && lenient {
                    column.push_null();
                } else if whole || (column.push_text(value).is_err() && !lenient) {
                    return Err(cannot(value, to));
                }
            }
        }
    }
    let read = column.finish()?;
    let DataType::Timestamp(_, Some(zone)) = to else { return Ok(read) };
    let moments = read.as_primitive::<TimestampMillisecondType>().clone();
    Ok(Arc::new(moments.with_timezone(zone.clone())))
}

/// Texts of a length at most, or filled up to it.
fn shorten(array: &ArrayRef, limit: usize, fill: bool) -> Result<ArrayRef, Failure> {
    let mut texts = StringBuilder::new();
    for row in 0..array.len() {
        texts.append_option(text(array, row).map(|t| {
            let cut: String = t.chars().take(limit).collect();
            if fill { format!("{cut:limit$}") } else { cut }
        }));
    }
    Ok(Arc::new(texts.finish()))
}

/// The p of `timestamp(p)`.
fn places(name: &str) -> u32 {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    inner.and_then(|(p, _)| p.trim().parse().ok()).unwrap_or(3)
}

/// Timestamps with fewer digits after the point, rounded.
fn round_clock(array: &ArrayRef, places: u32) -> Result<ArrayRef, Failure> {
    let unit = 10i64.pow(3u32.saturating_sub(places));
    let of = millis(array)?;
    let of = of.as_primitive::<TimestampMillisecondType>();
    let rounded =
        of.unary::<_, TimestampMillisecondType>(|at| at.saturating_add(unit / 2).div_euclid(unit) * unit);
    Ok(Arc::new(rounded))
}

/// Timestamps of any precision in the one that Athena has.
pub fn millis(array: &ArrayRef) -> Result<ArrayRef, Failure> {
    match array.data_type() {
        DataType::Timestamp(TimeUnit::Millisecond, _) => Ok(array.clone()),
        DataType::Timestamp(_, zone) => {
            compute::cast(array, &DataType::Timestamp(TimeUnit::Millisecond, zone.clone())).map_err(wrong)
        }
        _ => Ok(array.clone()),
    }
}
