//! Numbers: rounding, bits, bases. <https://trino.io/docs/current/functions/math.html>

use std::sync::Arc;

use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::types::*;
use datafusion::arrow::array::{Array, ArrayRef, Decimal128Builder, Float64Array, Int64Array};
use datafusion::arrow::compute;
use datafusion::arrow::datatypes::{DataType, i256};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;

use super::arithmetic::half_up;
use super::native::*;
use crate::local::athena::failure::Failure;

type Kind = Result<DataType, &'static str>;

pub fn all() -> Vec<ScalarUDF> {
    macro_rules! constant {
        ($name:literal, $value:expr) => {
            Native {
                name: $name,
                least: 0,
                most: 0,
                returns: |_| Ok(DataType::Float64),
                eval: |_, _| Ok(Arc::new(Float64Array::from(vec![$value]))),
            }
        };
    }
    macro_rules! rounding {
        ($name:literal, $most:literal, $how:expr) => {
            Native {
                name: $name,
                least: 1,
                most: $most,
                returns: rounded_type,
                eval: |a, k| rounded(a, k, $how),
            }
        };
    }
    macro_rules! tested {
        ($name:literal, $test:expr) => {
            Native { name: $name, least: 1, most: 1, returns: test_type, eval: |a, k| tested(a, k, $test) }
        };
    }
    macro_rules! real {
        ($name:literal, $of:expr) => {
            Native { name: $name, least: 2, most: 2, returns: real_type, eval: |a, _| real(a, $of) }
        };
    }
    let all = [
        constant!("e", std::f64::consts::E),
        constant!("nan", f64::NAN),
        constant!("infinity", f64::INFINITY),
        rounding!("round", 2, Round::Half),
        rounding!("truncate", 2, Round::Toward),
        rounding!("ceil", 1, Round::Up),
        rounding!("ceiling", 1, Round::Up),
        rounding!("floor", 1, Round::Down),
        Native { name: "sign", least: 1, most: 1, returns: sign_type, eval: sign },
        tested!("is_nan", f64::is_nan),
        tested!("is_finite", f64::is_finite),
        tested!("is_infinite", f64::is_infinite),
        Native { name: "sqrt", least: 1, most: 1, returns: real_type, eval: |a, _| root(a) },
        real!("power", f64::powf),
        real!("pow", f64::powf),
        real!("log", |base, x| x.ln() / base.ln()),
        Native {
            name: "to_base",
            least: 2,
            most: 2,
            returns: |t| whole_type(t).map(|_| DataType::Utf8),
            eval: to_base,
        },
        Native { name: "from_base", least: 2, most: 2, returns: from_type, eval: from_base },
        Native { name: "width_bucket", least: 2, most: 4, returns: bucket_type, eval: width_bucket },
        Native { name: "$random_between", least: 3, most: 3, returns: between_type, eval: random_between },
    ];
    all.into_iter().map(udf).collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Round {
    Half,
    Toward,
    Up,
    Down,
}

fn rounded_type(types: &[DataType]) -> Kind {
    if types.get(1).is_some_and(|t| !is_whole(t)) {
        return Err("round(decimal(p,s), bigint), round(double, bigint)");
    }
    match &types[0] {
        DataType::Decimal128(p, s) if types.len() == 1 => Ok(DataType::Decimal128(whole_digits(*p, *s), 0)),
        DataType::Decimal128(p, s) => Ok(DataType::Decimal128((p + 1).min(38), *s)),
        kind if kind.is_numeric() || kind == &DataType::Null => Ok(kind.clone()),
        _ => Err("round(decimal(p,s)), round(double), round(bigint)"),
    }
}

/// Digits before the point, and one for what rounding may add.
fn whole_digits(p: u8, s: i8) -> u8 {
    let extra = u8::from(s > 0);
    (p.saturating_sub(s.unsigned_abs()) + extra).clamp(1, 38)
}

fn rounded(args: &[ArrayRef], kind: &DataType, how: Round) -> Result<ArrayRef, Failure> {
    let places = |row: usize| args.get(1).map_or(Some(0), |a| whole(a, row));
    match args[0].data_type() {
        DataType::Decimal128(_, s) => decimal(args, kind, i32::from(*s), how),
        DataType::Float64 | DataType::Float32 => {
            let wide = compute::cast(&args[0], &DataType::Float64).map_err(wrong)?;
            let wide = wide.as_primitive::<Float64Type>();
            let done: Float64Array = (0..wide.len())
                .map(|row| {
                    wide.is_valid(row).then(|| places(row).map(|n| float(wide.value(row), n, how))).flatten()
                })
                .collect();
            let done: ArrayRef = Arc::new(done);
            compute::cast(&done, kind).map_err(wrong)
        }
        DataType::Null => Ok(args[0].clone()),
        _ if args.len() == 1 => Ok(args[0].clone()),
        _ => {
            let done: Int64Array = (0..args[0].len())
                .map(|row| {
                    let (value, n) = (whole(&args[0], row)?, places(row)?);
                    if n >= 0 {
                        return Some(value);
                    }
                    let Some(factor) = 10i64.checked_pow(n.unsigned_abs().min(99) as u32) else {
                        return Some(0);
                    };
                    let cut = value - value % factor;
                    let up = how == Round::Half && (value % factor).abs().saturating_mul(2) >= factor;
                    Some(if up { cut.saturating_add(factor * value.signum()) } else { cut })
                })
                .collect();
            let done: ArrayRef = Arc::new(done);
            compute::cast(&done, kind).map_err(wrong)
        }
    }
}

fn float(value: f64, places: i64, how: Round) -> f64 {
    if !value.is_finite() || places.abs() > 300 {
        return value;
    }
    match how {
        Round::Up => value.ceil(),
        Round::Down => value.floor(),
        Round::Toward if places == 0 => value.trunc(),
        Round::Half if places == 0 => value.round(),
        _ => {
            // By its shortest text: 2.675 is meant, not the nearest binary fraction.
            let factor = 10f64.powi(places as i32);
            let moved = value * factor;
            if !moved.is_finite() {
                return value;
            }
            (if how == Round::Half { moved.round() } else { moved.trunc() }) / factor
        }
    }
}

fn decimal(args: &[ArrayRef], kind: &DataType, scale: i32, how: Round) -> Result<ArrayRef, Failure> {
    let DataType::Decimal128(precision, to) = kind else { return Err(Failure::internal("no decimal")) };
    let of = args[0].as_primitive::<Decimal128Type>();
    let mut out = Decimal128Builder::new().with_precision_and_scale(*precision, *to).map_err(wrong)?;
    for row in 0..of.len() {
        let places = args.get(1).map_or(Some(0), |a| whole(a, row));
        let (true, Some(places)) = (of.is_valid(row), places) else {
            out.append_null();
            continue;
        };
        // Digits that go.
        let cut = i64::from(scale) - places;
        let value = of.value(row);
        let kept = if cut <= 0 {
            value
        } else if cut > 38 {
            0
        } else {
            let factor = 10i128.pow(cut as u32);
            let shortened = match how {
                Round::Half => half_up(i256::from_i128(value), i256::from_i128(factor))
                    .and_then(i256::to_i128)
                    .unwrap_or(0),
                Round::Toward => value / factor,
                Round::Up => value.div_euclid(factor) + i128::from(value.rem_euclid(factor) != 0),
                Round::Down => value.div_euclid(factor),
            };
            // With an argument the places stay, and are zeros.
            if args.len() == 2 { shortened.saturating_mul(factor) } else { shortened }
        };
        out.append_value(kept);
    }
    Ok(Arc::new(out.finish()))
}

fn sign_type(types: &[DataType]) -> Kind {
    match &types[0] {
        DataType::Decimal128(..) => Ok(DataType::Decimal128(1, 0)),
        kind if kind.is_numeric() => Ok(kind.clone()),
        _ => Err("sign(bigint), sign(double), sign(decimal(p,s))"),
    }
}

fn sign(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let wide = compute::cast(&args[0], &DataType::Float64).map_err(wrong)?;
    let signs: Float64Array =
        wide.as_primitive::<Float64Type>().unary(|f| if f == 0.0 || f.is_nan() { f } else { f.signum() });
    let signs: ArrayRef = Arc::new(signs);
    compute::cast(&signs, kind).map_err(wrong)
}

fn test_type(types: &[DataType]) -> Kind {
    if types[0].is_numeric() || types[0] == DataType::Null { Ok(DataType::Boolean) } else { Err("double") }
}

fn tested(args: &[ArrayRef], kind: &DataType, test: fn(f64) -> bool) -> Result<ArrayRef, Failure> {
    let wide = compute::cast(&args[0], &DataType::Float64).map_err(wrong)?;
    let wide = wide.as_primitive::<Float64Type>();
    collect(kind, wide.len(), |row| {
        Ok(wide.is_valid(row).then(|| ScalarValue::Boolean(Some(test(wide.value(row))))))
    })
}

fn real_type(types: &[DataType]) -> Kind {
    if types.iter().all(|t| t.is_numeric() || t == &DataType::Null) {
        Ok(DataType::Float64)
    } else {
        Err("(double, double)")
    }
}

fn real(args: &[ArrayRef], of: fn(f64, f64) -> f64) -> Result<ArrayRef, Failure> {
    let wide = |a: &ArrayRef| compute::cast(a, &DataType::Float64).map_err(wrong);
    let (a, b) = (wide(&args[0])?, wide(&args[1])?);
    let done = compute::binary(a.as_primitive::<Float64Type>(), b.as_primitive::<Float64Type>(), of);
    let done: Float64Array = done.map_err(wrong)?;
    Ok(Arc::new(done))
}

/// NaN for what is less than zero, where the engine's own fails.
fn root(args: &[ArrayRef]) -> Result<ArrayRef, Failure> {
    let wide = compute::cast(&args[0], &DataType::Float64).map_err(wrong)?;
    Ok(Arc::new(wide.as_primitive::<Float64Type>().unary::<_, Float64Type>(f64::sqrt)))
}

pub fn whole_type(types: &[DataType]) -> Kind {
    if types.iter().all(is_whole) { Ok(DataType::Int64) } else { Err("bigint") }
}

fn between_type(types: &[DataType]) -> Kind {
    whole_type(&types[..2]).map_err(|_| "random(n), random(m, n)")
}

/// From the first up to the second, by the third, which lies between 0 and 1.
fn random_between(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, Failure> {
    let shares = compute::cast(&args[2], &DataType::Float64).map_err(wrong)?;
    let shares = shares.as_primitive::<Float64Type>();
    let one = |row: usize| {
        let (Some(from), Some(to)) = (whole(&args[0], row), whole(&args[1], row)) else { return Ok(None) };
        if from >= to {
            return Err(argument("bound must be positive"));
        }
        Ok(Some(from.saturating_add((shares.value(row) * to.saturating_sub(from) as f64) as i64)))
    };
    let done: Result<Int64Array, Failure> = (0..rows(args)).map(one).collect();
    Ok(Arc::new(done?))
}

fn radix(base: i64) -> Result<u32, Failure> {
    let base = u32::try_from(base).ok().filter(|b| (2..=36).contains(b));
    base.ok_or_else(|| argument("Radix must be between 2 and 36"))
}

fn to_base(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        let (Some(value), Some(base)) = (whole(&args[0], row), whole(&args[1], row)) else { return Ok(None) };
        let base = radix(base)?;
        let mut rest = value.unsigned_abs();
        let mut digits = Vec::new();
        loop {
            digits.extend(char::from_digit((rest % u64::from(base)) as u32, base));
            rest /= u64::from(base);
            if rest == 0 {
                break;
            }
        }
        if value < 0 {
            digits.push('-');
        }
        Ok(Some(ScalarValue::Utf8(Some(digits.iter().rev().collect()))))
    })
}

fn from_type(types: &[DataType]) -> Kind {
    if is_text(&types[0]) && is_whole(&types[1]) {
        Ok(DataType::Int64)
    } else {
        Err("from_base(varchar, bigint)")
    }
}

fn from_base(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        let (Some(digits), Some(base)) = (text(&args[0], row), whole(&args[1], row)) else { return Ok(None) };
        let base = radix(base)?;
        let value = i64::from_str_radix(digits, base)
            .map_err(|_| argument(format!("Not a valid base-{base} number: {digits}")))?;
        Ok(Some(ScalarValue::Int64(Some(value))))
    })
}

fn bucket_type(types: &[DataType]) -> Kind {
    let bins = |t: &DataType| matches!(t, DataType::List(of) if of.data_type().is_numeric());
    let fits = match types {
        [of, list] => of.is_numeric() && bins(list),
        all => all.len() == 4 && all.iter().all(|t| t.is_numeric()),
    };
    let expected = "width_bucket(double, double, double, bigint), width_bucket(double, array(double))";
    if fits { Ok(DataType::Int64) } else { Err(expected) }
}

fn width_bucket(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, Failure> {
    if args.len() == 2 {
        return bins(args);
    }
    let wide = args[..3].iter().map(|a| compute::cast(a, &DataType::Float64).map_err(wrong));
    let wide = wide.collect::<Result<Vec<_>, _>>()?;
    let value = |n: usize, row: usize| {
        let of = wide[n].as_primitive::<Float64Type>();
        of.is_valid(row).then(|| of.value(row))
    };
    collect(&DataType::Int64, rows(args), |row| {
        let (Some(x), Some(low), Some(high), Some(count)) =
            (value(0, row), value(1, row), value(2, row), whole(&args[3], row))
        else {
            return Ok(None);
        };
        if count <= 0 || low == high {
            return Err(argument("bucketCount must be greater than 0 and bounds must not be equal"));
        }
        let share = (x - low) / (high - low);
        let bucket = if share < 0.0 {
            0
        } else if share >= 1.0 {
            count + 1
        } else {
            (share * count as f64) as i64 + 1
        };
        Ok(Some(ScalarValue::Int64(Some(bucket))))
    })
}

/// How many of the bins' bounds are not greater.
fn bins(args: &[ArrayRef]) -> Result<ArrayRef, Failure> {
    let of = compute::cast(&args[0], &DataType::Float64).map_err(wrong)?;
    let of = of.as_primitive::<Float64Type>();
    let lists = super::arrays::list(&args[1])?;
    collect(&DataType::Int64, rows(args), |row| {
        if of.is_null(row) || lists.is_null(row) {
            return Ok(None);
        }
        let bounds = compute::cast(&lists.value(row), &DataType::Float64).map_err(wrong)?;
        if bounds.is_empty() {
            return Err(argument("Bins cannot be an empty array"));
        }
        let bounds = bounds.as_primitive::<Float64Type>();
        let below = bounds.iter().flatten().filter(|bound| *bound <= of.value(row)).count();
        Ok(Some(ScalarValue::Int64(Some(below as i64))))
    })
}
