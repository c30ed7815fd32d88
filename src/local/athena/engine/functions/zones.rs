//! Functions whose result is in a time zone that a literal names.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::types::*;
use datafusion::arrow::array::{Array, ArrayRef, TimestampMillisecondBuilder};
use datafusion::arrow::compute;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::cast::{convert, millis};
use super::joda;
use super::native::*;
use crate::local::athena::engine::scan::fail;
use crate::local::athena::engine::{literals, time, zone};
use crate::local::athena::failure::Failure;

pub fn all() -> Vec<ScalarUDF> {
    [Of::AtTimezone, Of::WithTimezone, Of::FromUnixtime, Of::FromIso, Of::Parse]
        .into_iter()
        .map(|of| {
            let signature = Signature::variadic_any(Volatility::Immutable);
            ScalarUDF::new_from_impl(Zoned { of, signature })
        })
        .collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Of {
    AtTimezone,
    WithTimezone,
    FromUnixtime,
    FromIso,
    Parse,
}

#[derive(Debug)]
struct Zoned {
    of: Of,
    signature: Signature,
}

impl PartialEq for Zoned {
    fn eq(&self, other: &Self) -> bool {
        self.of == other.of
    }
}

impl Eq for Zoned {}

impl Hash for Zoned {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.of.hash(state);
    }
}

/// The type of moments in a zone.
pub fn zoned(name: &str) -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some(name.into()))
}

fn literal(args: &ReturnFieldArgs, n: usize) -> Option<String> {
    match args.scalar_arguments.get(n) {
        Some(Some(ScalarValue::Utf8(Some(text)))) => Some(text.clone()),
        _ => None,
    }
}

/// The zone of `from_unixtime(seconds, hours, minutes)`.
fn offset(args: &ReturnFieldArgs) -> Result<String, Failure> {
    let number = |n: usize| match args.scalar_arguments.get(n) {
        Some(Some(value)) => match value.cast_to(&DataType::Int64) {
            Ok(ScalarValue::Int64(Some(n))) => Some(n),
            _ => None,
        },
        _ => None,
    };
    let (Some(hours), Some(minutes)) = (number(1), number(2)) else {
        return Err(Failure::unsupported("an offset that is not a literal"));
    };
    let all = hours.saturating_mul(60).saturating_add(minutes);
    if all.unsigned_abs() > 14 * 60 {
        return Err(argument(format!("Invalid offset minutes {all}")));
    }
    let sign = if all < 0 { '-' } else { '+' };
    let name = format!("{sign}{:02}:{:02}", all.abs() / 60, all.abs() % 60);
    Ok(zone::name(&name).unwrap_or(name))
}

impl ScalarUDFImpl for Zoned {
    fn name(&self) -> &str {
        match self.of {
            Of::AtTimezone => "at_timezone",
            Of::WithTimezone => "with_timezone",
            Of::FromUnixtime => "from_unixtime",
            Of::FromIso => "from_iso8601_timestamp",
            Of::Parse => "parse_datetime",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Err(fail(Failure::internal("the zone is in the arguments")))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let types: Vec<&DataType> = args.arg_fields.iter().map(|f| f.data_type()).collect();
        let time = |t: &DataType| matches!(t, DataType::Timestamp(..) | DataType::Date32 | DataType::Null);
        let fits = match (self.of, types.as_slice()) {
            (Of::AtTimezone | Of::WithTimezone, [of, zone]) => time(of) && is_text(zone),
            (Of::FromUnixtime, [of]) => of.is_numeric() || **of == DataType::Null,
            (Of::FromUnixtime, [of, zone]) => of.is_numeric() && is_text(zone),
            (Of::FromUnixtime, [of, hours, minutes]) => {
                of.is_numeric() && hours.is_integer() && minutes.is_integer()
            }
            (Of::FromIso, [of]) => is_text(of),
            (Of::Parse, [of, pattern]) => is_text(of) && is_text(pattern),
            _ => false,
        };
        if !fits {
            let given: Vec<String> =
                types.iter().map(|t| crate::local::athena::engine::arrow::from(t).trino()).collect();
            return Err(fail(Failure::new(
                "FUNCTION_NOT_FOUND",
                format!("Unexpected parameters ({}) for function {}.", given.join(", "), self.name()),
            )));
        }
        let name = match self.of {
            Of::FromIso => literal(&args, 0).and_then(|text| iso(&text)).map_or(zone::UTC.into(), |(_, z)| z),
            Of::Parse => {
                let read = literal(&args, 0).zip(literal(&args, 1));
                let read = read.and_then(|(text, pattern)| joda::read(&text, &pattern).ok());
                read.and_then(|(_, zone)| zone).unwrap_or_else(|| zone::UTC.to_owned())
            }
            Of::FromUnixtime if types.len() == 3 => offset(&args).map_err(fail)?,
            Of::FromUnixtime if types.len() == 1 => zone::UTC.to_owned(),
            _ => {
                let given = literal(&args, 1)
                    .ok_or_else(|| fail(Failure::unsupported("a time zone that is not a literal")))?;
                zone::name(&given)
                    .ok_or_else(|| fail(argument(format!("'{given}' is not a valid time zone"))))?
            }
        };
        Ok(Arc::new(Field::new(self.name(), zoned(&name), true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let kind = args.return_field.data_type();
        let constant = args.args.iter().all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let done = self.eval(&arrays, kind).map_err(fail)?;
        Ok(if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&done, 0)?)
        } else {
            ColumnarValue::Array(done)
        })
    }
}

impl Zoned {
    fn eval(&self, args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
        let of = &args[0];
        let DataType::Timestamp(_, Some(name)) = kind else { return Err(Failure::internal("no zone")) };
        let mut out = TimestampMillisecondBuilder::new().with_data_type(kind.clone());
        match self.of {
            Of::AtTimezone | Of::WithTimezone => {
                let stamp = DataType::Timestamp(TimeUnit::Millisecond, None);
                let of = if of.data_type() == &DataType::Date32 {
                    compute::cast(of, &stamp).map_err(wrong)?
                } else {
                    millis(of)?
                };
                for row in 0..of.len() {
                    if of.is_null(row) || of.data_type() == &DataType::Null {
                        out.append_null();
                        continue;
                    }
                    let value = of.as_primitive::<TimestampMillisecondType>().value(row);
                    let moved = match self.of {
                        Of::WithTimezone => zone::wall(value, zone::UTC).and_then(|w| zone::moment(w, name)),
                        // A timestamp without a zone is one of UTC.
                        _ => Some(value),
                    };
                    out.append_option(moved);
                }
            }
            Of::FromUnixtime => {
                let seconds = convert(of, &DataType::Float64, false)?;
                let seconds = seconds.as_primitive::<Float64Type>();
                for row in 0..seconds.len() {
                    let value = (seconds.value(row) * 1000.0).round() as i64;
                    out.append_option(seconds.is_valid(row).then_some(value));
                }
            }
            Of::Parse => {
                for row in 0..of.len() {
                    let Some((written, pattern)) = text(of, row).zip(text(&args[1], row)) else {
                        out.append_null();
                        continue;
                    };
                    let (at, zone) = joda::read(written, pattern)?;
                    out.append_option(zone::moment(at, zone.as_deref().unwrap_or(zone::UTC)));
                }
            }
            Of::FromIso => {
                for row in 0..of.len() {
                    match text(of, row) {
                        None => out.append_null(),
                        Some(written) => {
                            let (at, _) = iso(written)
                                .ok_or_else(|| argument(format!("Invalid format: \"{written}\"")))?;
                            out.append_value(at);
                        }
                    }
                }
            }
        }
        Ok(Arc::new(out.finish()))
    }
}

/// The moment and the zone of `2020-05-11T11:15:05.055+01:00`; of UTC where none is given.
fn iso(written: &str) -> Option<(i64, String)> {
    // A comma may stand before the fraction of a second.
    let written = &written.trim().replacen(',', ".", 1);
    let utc = || zone::UTC.to_owned();
    if let Ok(at) = DateTime::<FixedOffset>::parse_from_rfc3339(written) {
        let name = zone::name(&at.offset().to_string())?;
        return Some((at.timestamp_millis(), name));
    }
    let (body, name) = literals::split_zone(written)?;
    let at = match body.split_once(['T', ' ']) {
        Some((_, "")) => return None,
        Some((day, clock)) => {
            let day = super::iso::iso_day(day)?;
            let clock = if clock.len() == 2 { format!("{clock}:00") } else { clock.to_owned() };
            time::timestamp(&format!("{day} {clock}"))?
        }
        None => super::iso::iso_day(body)?.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis(),
    };
    let Some(name) = name else { return Some((at, utc())) };
    Some((zone::moment(zone::wall(at, zone::UTC)?, &name)?, name))
}

/// The value of `TIMESTAMP '…'`, in a zone when the text names one.
pub fn stamp(written: &str) -> Option<ScalarValue> {
    let (body, name) = literals::split_zone(written)?;
    // Between date and time stands a space, or nothing follows the date.
    if body.contains('T') {
        return None;
    }
    let at = time::timestamp(body)?;
    match name {
        None => Some(ScalarValue::TimestampMillisecond(Some(at), None)),
        Some(name) => {
            let moment = zone::moment(zone::wall(at, zone::UTC)?, &name)?;
            Some(ScalarValue::TimestampMillisecond(Some(moment), Some(name.into())))
        }
    }
}
