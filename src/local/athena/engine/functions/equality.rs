//! `=` of arrays, rows and maps, which is NULL where a NULL within decides; comparisons of fractions, where
//! NaN equals nothing; `arrays_overlap`.
//! <https://trino.io/docs/current/functions/comparison.html>

use std::sync::Arc;

use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::types::{Float32Type, Float64Type};
use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, StructArray};
use datafusion::arrow::compute;
use datafusion::arrow::datatypes::{DataType, Fields};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::type_coercion::binary::comparison_coercion;
use datafusion::logical_expr::{Expr, ScalarUDF, cast, lit};
use datafusion_sql::sqlparser::ast::BinaryOperator;

use super::arrays::{element, list};
use super::cast::convert;
use super::maps::{entries_of, map_kind};
use super::native::*;
use crate::local::athena::engine::columns;
use crate::local::athena::failure::Failure;

type Kind = Result<DataType, &'static str>;

const EQUAL: Native = Native { name: "$equal", least: 2, most: 2, returns: pair_type, eval: equals };
const LESS: Native = Native {
    name: "$less",
    least: 2,
    most: 2,
    returns: |_| Ok(DataType::Boolean),
    eval: |args, _| floats(args, |a, b| a < b),
};
const AT_MOST: Native = Native {
    name: "$at_most",
    least: 2,
    most: 2,
    returns: |_| Ok(DataType::Boolean),
    eval: |args, _| floats(args, |a, b| a <= b),
};

pub fn all() -> Vec<ScalarUDF> {
    let overlap = Native { name: "arrays_overlap", least: 2, most: 2, returns: overlap_type, eval: overlap };
    [EQUAL, LESS, AT_MOST, overlap].into_iter().map(udf).collect()
}

fn is_float(kind: &DataType) -> bool {
    matches!(kind, DataType::Float32 | DataType::Float64)
}

fn is_nested(kind: &DataType) -> bool {
    matches!(kind, DataType::List(_) | DataType::Struct(_) | DataType::Map(..))
}

/// A comparison in which the engine's own order would show: it takes NULL and NaN within for values like
/// others. `None` where its operator will do.
pub fn comparison(op: &BinaryOperator, left: &Expr, right: &Expr, types: [&DataType; 2]) -> Option<Expr> {
    use BinaryOperator::*;
    if types.iter().any(|t| t.is_null()) {
        return None;
    }
    let call = |native: Native, a: &Expr, b: &Expr| udf(native).call(vec![a.clone(), b.clone()]);
    if types.iter().any(|t| is_nested(t)) {
        return match op {
            Eq => Some(call(EQUAL, left, right)),
            NotEq => Some(Expr::Not(Box::new(call(EQUAL, left, right)))),
            _ => None,
        };
    }
    let float = types.into_iter().find(|t| is_float(t))?;
    // A decimal becomes the fraction's type, never the other way round.
    let decimal = types.iter().any(|t| matches!(t, DataType::Decimal128(..)));
    let fraction = |expr: &Expr, kind: &DataType| match (expr, kind) {
        (Expr::Literal(value, _), DataType::Decimal128(..)) => value.cast_to(float).ok().map(lit),
        (expr, DataType::Decimal128(..)) => Some(cast(expr.clone(), float.clone())),
        _ => None,
    };
    let (left, right) = (
        &fraction(left, types[0]).unwrap_or_else(|| left.clone()),
        &fraction(right, types[1]).unwrap_or_else(|| right.clone()),
    );
    let plain = |expr: &Expr| number(expr).is_some_and(|n| n != 0.0 && n.is_finite());
    // The keys of a join stay keys.
    let keys = |op: &BinaryOperator| {
        *op == Eq && matches!((left, right), (Expr::Column(a), Expr::Column(b)) if a.relation != b.relation)
    };
    let (greater, less, strict) = match op {
        Eq | NotEq if plain(left) || plain(right) || keys(op) => {
            let equal = left.clone().eq(right.clone());
            return decimal.then(|| if *op == Eq { equal } else { left.clone().not_eq(right.clone()) });
        }
        Eq => return Some(call(EQUAL, left, right)),
        NotEq => return Some(Expr::Not(Box::new(call(EQUAL, left, right)))),
        Lt => (right, left, true),
        LtEq => (right, left, false),
        Gt => (left, right, true),
        GtEq => (left, right, false),
        _ => return None,
    };
    let ordered = || {
        let (greater, less) = (greater.clone(), less.clone());
        if strict { greater.gt(less) } else { greater.gt_eq(less) }
    };
    if plain(greater) {
        return decimal.then(ordered);
    }
    // Only NaN lies beyond infinity in the engine's order; what is written so can still be looked up in the
    // statistics of a file.
    if matches!(greater, Expr::Column(_)) && plain(less) {
        return Some(ordered().and(greater.clone().lt_eq(lit(f64::INFINITY))));
    }
    Some(call(if strict { LESS } else { AT_MOST }, less, greater))
}

/// The value of a literal.
fn number(expr: &Expr) -> Option<f64> {
    let Expr::Literal(value, _) = expr else { return None };
    match value.cast_to(&DataType::Float64) {
        Ok(ScalarValue::Float64(value)) => value,
        _ => None,
    }
}

/// The type that values of both become before they are compared.
fn common(a: &DataType, b: &DataType) -> Option<DataType> {
    match (a, b) {
        _ if a == b => Some(a.clone()),
        (DataType::Null, other) | (other, DataType::Null) => Some(other.clone()),
        (DataType::Struct(x), DataType::Struct(y)) if x.len() == y.len() => {
            let fields = x
                .iter()
                .zip(y)
                .map(|(x, y)| Some(x.as_ref().clone().with_data_type(common(x.data_type(), y.data_type())?)));
            Some(DataType::Struct(fields.collect::<Option<Vec<_>>>().map(Fields::from)?))
        }
        (DataType::Map(x, _), DataType::Map(y, _)) => {
            let ((k, v), (l, w)) = (entries_of(x)?, entries_of(y)?);
            Some(map_kind(common(&k, &l)?, common(&v, &w)?))
        }
        _ => match (element(a), element(b)) {
            (Some(x), Some(y)) => Some(DataType::List(columns::item(common(&x, &y)?))),
            (None, None) if !is_nested(a) && !is_nested(b) => comparison_coercion(a, b),
            _ => None,
        },
    }
}

fn pair_type(types: &[DataType]) -> Kind {
    common(&types[0], &types[1]).map(|_| DataType::Boolean).ok_or("two values of one type")
}

fn aligned(args: &[ArrayRef]) -> Result<(ArrayRef, ArrayRef), Failure> {
    let kind = common(args[0].data_type(), args[1].data_type())
        .ok_or_else(|| Failure::new("TYPE_MISMATCH", "the values have no common type"))?;
    Ok((convert(&args[0], &kind, false)?, convert(&args[1], &kind, false)?))
}

fn equals(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, Failure> {
    let (a, b) = aligned(args)?;
    let done: Result<BooleanArray, Failure> = (0..a.len()).map(|row| same(&a, row, &b, row)).collect();
    Ok(Arc::new(done?))
}

/// Whether all are true; what is not known counts only when nothing is false.
fn every(parts: impl Iterator<Item = Result<Option<bool>, Failure>>) -> Result<Option<bool>, Failure> {
    let mut known = true;
    for part in parts {
        match part? {
            Some(false) => return Ok(Some(false)),
            Some(true) => {}
            None => known = false,
        }
    }
    Ok(known.then_some(true))
}

/// Whether two values of one type are equal; `None` is NULL.
fn same(a: &ArrayRef, i: usize, b: &ArrayRef, j: usize) -> Result<Option<bool>, Failure> {
    if a.data_type().is_null() || a.is_null(i) || b.is_null(j) {
        return Ok(None);
    }
    match a.data_type() {
        DataType::List(_) => {
            let (x, y) = (a.as_list::<i32>().value(i), b.as_list::<i32>().value(j));
            if x.len() != y.len() {
                return Ok(Some(false));
            }
            every((0..x.len()).map(|n| same(&x, n, &y, n)))
        }
        DataType::Struct(_) => {
            let (x, y) = (a.as_struct(), b.as_struct());
            every(x.columns().iter().zip(y.columns()).map(|(x, y)| same(x, i, y, j)))
        }
        DataType::Map(..) => maps(&a.as_map().value(i), &b.as_map().value(j)),
        DataType::Float64 => {
            Ok(Some(a.as_primitive::<Float64Type>().value(i) == b.as_primitive::<Float64Type>().value(j)))
        }
        DataType::Float32 => {
            Ok(Some(a.as_primitive::<Float32Type>().value(i) == b.as_primitive::<Float32Type>().value(j)))
        }
        _ => Ok(Some(at(a, i)? == at(b, j)?)),
    }
}

/// Maps are equal when each key has the same value in both, in any order.
fn maps(a: &StructArray, b: &StructArray) -> Result<Option<bool>, Failure> {
    if a.len() != b.len() {
        return Ok(Some(false));
    }
    let mut places = std::collections::HashMap::with_capacity(b.len());
    for n in 0..b.len() {
        places.insert(at(b.column(0), n)?, n);
    }
    every((0..a.len()).map(|n| match places.get(&at(a.column(0), n)?) {
        Some(place) => same(a.column(1), n, b.column(1), *place),
        None => Ok(Some(false)),
    }))
}

fn floats(args: &[ArrayRef], of: fn(f64, f64) -> bool) -> Result<ArrayRef, Failure> {
    let wide = |array: &ArrayRef| compute::cast(array, &DataType::Float64).map_err(wrong);
    let (a, b) = (wide(&args[0])?, wide(&args[1])?);
    let (a, b) = (a.as_primitive::<Float64Type>(), b.as_primitive::<Float64Type>());
    let done: BooleanArray = a.iter().zip(b).map(|(a, b)| Some(of(a?, b?))).collect();
    Ok(Arc::new(done))
}

fn overlap_type(types: &[DataType]) -> Kind {
    const EXPECTED: &str = "arrays_overlap(array(E), array(E))";
    if types.iter().any(|t| element(t).is_none() && !t.is_null()) {
        return Err(EXPECTED);
    }
    common(&types[0], &types[1]).map(|_| DataType::Boolean).ok_or(EXPECTED)
}

/// Whether an element that is not NULL is in both; NULL when none is and either array has a NULL.
fn overlap(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let (a, b) = aligned(args)?;
    if a.data_type().is_null() {
        return compute::cast(&a, kind).map_err(wrong);
    }
    let (a, b) = (list(&a)?, list(&b)?);
    collect(kind, a.len(), |row| {
        if a.is_null(row) || b.is_null(row) {
            return Ok(None);
        }
        let (x, y) = (a.value(row), b.value(row));
        let mut known = std::collections::HashSet::new();
        for n in (0..y.len()).filter(|n| y.is_valid(*n)) {
            known.insert(at(&y, n)?);
        }
        for n in (0..x.len()).filter(|n| x.is_valid(*n)) {
            if known.contains(&at(&x, n)?) {
                return Ok(Some(ScalarValue::Boolean(Some(true))));
            }
        }
        let certain = x.null_count() == 0 && y.null_count() == 0;
        Ok(certain.then_some(ScalarValue::Boolean(Some(false))))
    })
}
