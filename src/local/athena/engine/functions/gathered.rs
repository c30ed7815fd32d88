//! What aggregates make of the list of their values: ordering, extremes, percentiles, moments, checksums.

use std::cmp::Ordering;

use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::types::Float64Type;
use datafusion::arrow::array::{Array, ArrayRef, UInt32Array};
use datafusion::arrow::compute::{self, SortColumn, SortOptions};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;

use super::arrays::{element, list, lists};
use super::binary::{checksum_step, xxhash};
use super::lists::{compare, each_row};
use super::native::*;
use super::pairs::{Twice, build};
use crate::local::athena::engine::columns;
use crate::local::athena::failure::Failure;

type Kind = Result<DataType, &'static str>;

pub fn all() -> Vec<ScalarUDF> {
    let all = [
        Native { name: "$ordered", least: 2, most: 3, returns: ordered_type, eval: ordered },
        Native { name: "$extremes", least: 3, most: 3, returns: |t| Ok(t[0].clone()), eval: extremes },
        Native { name: "$percentile", least: 2, most: 2, returns: percentile_type, eval: percentile },
        Native { name: "$moments", least: 2, most: 2, returns: moments_type, eval: moments },
        Native { name: "$most_frequent", least: 2, most: 2, returns: frequent_type, eval: most_frequent },
        Native { name: "$checksum", least: 1, most: 1, returns: |_| Ok(DataType::Binary), eval: checksum },
        SINGLE,
    ];
    all.into_iter().map(udf).collect()
}

pub const SINGLE: Native = Native { name: "$single", least: 1, most: 1, returns: single_type, eval: single };

/// The first field of the rows of a list.
fn ordered_type(types: &[DataType]) -> Kind {
    match element(&types[0]) {
        Some(DataType::Struct(fields)) if !fields.is_empty() => {
            Ok(DataType::List(columns::item(fields[0].data_type().clone())))
        }
        _ => Err("array(row(…))"),
    }
}

/// `$ordered(list of (value, key …), 'ad', distinct)`: the values in the order of the keys, of which each
/// letter says the direction; in capitals NULL comes first.
fn ordered(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let of = list(&args[0])?;
    let directions = text(&args[1], 0).unwrap_or_default().to_owned();
    let distinct = args.get(2).is_some_and(|a| !a.is_empty() && a.as_boolean().value(0));
    let rows_ = of.values().as_struct();
    let offsets = of.value_offsets();
    let (mut places, mut lengths, mut valid) = (Vec::<u32>::new(), Vec::new(), Vec::new());
    for row in 0..of.len() {
        valid.push(of.is_valid(row));
        let (start, end) = (offsets[row] as usize, offsets[row + 1] as usize);
        if of.is_null(row) || start == end {
            lengths.push(0);
            continue;
        }
        let columns: Vec<SortColumn> = directions
            .chars()
            .enumerate()
            .map(|(n, direction)| SortColumn {
                values: rows_.column(n + 1).slice(start, end - start),
                options: Some(SortOptions {
                    descending: direction.eq_ignore_ascii_case(&'d'),
                    nulls_first: direction.is_ascii_uppercase(),
                }),
            })
            .collect();
        let sorted = compute::lexsort_to_indices(&columns, None).map_err(wrong)?;
        let mut seen = std::collections::HashSet::new();
        let first = places.len();
        for place in sorted.values() {
            let place = start as u32 + place;
            if !distinct || seen.insert(at(rows_.column(0), place as usize)?) {
                places.push(place);
            }
        }
        lengths.push(places.len() - first);
    }
    let values = compute::take(rows_.column(0), &UInt32Array::from(places), None).map_err(wrong)?;
    lists(kind, lengths, values, valid)
}

fn values_of(values: &ArrayRef) -> Result<Vec<ScalarValue>, Failure> {
    (0..values.len()).map(|n| at(values, n)).collect()
}

fn list_of(values: &[ScalarValue], kind: &DataType) -> Option<ScalarValue> {
    let of = element(kind).unwrap_or(DataType::Null);
    Some(ScalarValue::List(ScalarValue::new_list_nullable(values, &of)))
}

fn extremes(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let done = each_row(&args[0], kind, |row, values| {
        let (Some(n), Some(which)) = (whole(&args[1], row), text(&args[2], row)) else { return Ok(None) };
        if n <= 0 {
            return Err(argument("third argument of max/min must be a positive integer"));
        }
        let mut all = values_of(values)?;
        all.sort_by(|a, b| if which == "max" { compare(b, a) } else { compare(a, b) });
        all.truncate(n as usize);
        Ok(list_of(&all, kind))
    })?;
    compute::cast(&done, kind).map_err(wrong)
}

fn percentile_type(types: &[DataType]) -> Kind {
    const EXPECTED: &str = "approx_percentile(bigint, double), approx_percentile(double, double), approx_percentile(real, double)";
    let of = match element(&types[0]) {
        Some(DataType::Struct(fields)) => fields[0].data_type().clone(),
        Some(of) => of,
        None => return Err(EXPECTED),
    };
    if !of.is_numeric() {
        return Err(EXPECTED);
    }
    // Decimals are taken for doubles.
    let of = if matches!(of, DataType::Decimal128(..)) { DataType::Float64 } else { of };
    match &types[1] {
        DataType::List(_) => Ok(DataType::List(columns::item(of))),
        kind if kind.is_numeric() => Ok(of),
        _ => Err(EXPECTED),
    }
}

/// Exact: the value at that share of the sorted values, weighed where weights are given.
fn percentile(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let of = element(kind).unwrap_or_else(|| kind.clone());
    let shares = &args[1];
    let done = each_row(&args[0], kind, |row, values| {
        let (cells, weights) = match values.data_type() {
            DataType::Struct(_) => {
                let pairs = values.as_struct();
                (
                    pairs.column(0).clone(),
                    Some(compute::cast(pairs.column(1), &DataType::Float64).map_err(wrong)?),
                )
            }
            _ => (values.clone(), None),
        };
        let cells = compute::cast(&cells, &of).map_err(wrong)?;
        let weight = |n: usize| weights.as_ref().map_or(1.0, |w| w.as_primitive::<Float64Type>().value(n));
        let mut all =
            values_of(&cells)?.into_iter().enumerate().map(|(n, v)| (v, weight(n))).collect::<Vec<_>>();
        if all.is_empty() {
            return Ok(None);
        }
        all.sort_by(|a, b| compare(&a.0, &b.0));
        let total: f64 = all.iter().map(|(_, w)| w).sum();
        let pick = |share: f64| -> Result<ScalarValue, Failure> {
            if !(0.0..=1.0).contains(&share) {
                return Err(argument("Percentile must be between 0 and 1"));
            }
            let mut before = 0.0;
            let found = all.iter().find(|(_, w)| {
                before += w;
                before > share * total || before >= total
            });
            Ok(found.or(all.last()).map_or(ScalarValue::Null, |(v, _)| v.clone()))
        };
        let wanted = |array: &ArrayRef| -> Result<Vec<f64>, Failure> {
            let wide = compute::cast(array, &DataType::Float64).map_err(wrong)?;
            Ok(wide.as_primitive::<Float64Type>().iter().flatten().collect())
        };
        if let DataType::List(_) = shares.data_type() {
            let picked = wanted(&list(shares)?.value(row))?.into_iter().map(pick);
            return Ok(list_of(&picked.collect::<Result<Vec<_>, _>>()?, kind));
        }
        match wanted(&shares.slice(row, 1))?.first() {
            Some(share) => pick(*share).map(Some),
            None => Ok(None),
        }
    })?;
    compute::cast(&done, kind).map_err(wrong)
}

fn moments_type(types: &[DataType]) -> Kind {
    match element(&types[0]) {
        Some(of) if of.is_numeric() => Ok(DataType::Float64),
        _ => Err("(double)"),
    }
}

fn moments(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    each_row(&args[0], kind, |row, values| {
        let wide = compute::cast(values, &DataType::Float64).map_err(wrong)?;
        let all: Vec<f64> = wide.as_primitive::<Float64Type>().iter().flatten().collect();
        let n = all.len() as f64;
        let mean = all.iter().sum::<f64>() / n;
        let power = |p: i32| all.iter().map(|x| (x - mean).powi(p)).sum::<f64>();
        let value = match text(&args[1], row) {
            Some("skewness") if n >= 3.0 => Some(n.sqrt() * power(3) / power(2).powf(1.5)),
            Some("kurtosis") if n >= 4.0 => {
                let variance = power(2) / (n - 1.0);
                let scale = n * (n + 1.0) / ((n - 1.0) * (n - 2.0) * (n - 3.0));
                let rest = 3.0 * (n - 1.0).powi(2) / ((n - 2.0) * (n - 3.0));
                Some(scale * power(4) / variance.powi(2) - rest)
            }
            Some("entropy") => {
                let total: f64 = all.iter().sum();
                Some(all.iter().filter(|c| **c > 0.0).map(|c| c / total * (total / c).log2()).sum())
            }
            _ => None,
        };
        Ok(value.map(|v| ScalarValue::Float64(Some(v))))
    })
}

fn frequent_type(types: &[DataType]) -> Kind {
    if matches!(types[0], DataType::Map(..)) && is_whole(&types[1]) {
        Ok(types[0].clone())
    } else {
        Err("(bigint, T, bigint)")
    }
}

fn most_frequent(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let map = args[0].as_map();
    let mut rows = Vec::new();
    for row in 0..map.len() {
        let (true, Some(n)) = (map.is_valid(row), whole(&args[1], row)) else {
            rows.push(None);
            continue;
        };
        let offsets = map.value_offsets();
        let mut places: Vec<u32> = (offsets[row] as u32..offsets[row + 1] as u32).collect();
        places.sort_by_key(|p| std::cmp::Reverse(whole(map.values(), *p as usize)));
        places.truncate(usize::try_from(n).unwrap_or(0));
        rows.push(Some(places));
    }
    build(kind, map.keys(), map.values(), rows, Twice::First)
}

/// <https://github.com/trinodb/trino/blob/master/core/trino-main/src/main/java/io/trino/operator/aggregation/ChecksumAggregationFunction.java>
fn checksum(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    each_row(&args[0], kind, |_, values| {
        let mut sum = 0u64;
        for value in values_of(values)? {
            let word = |n: i64| Some(xxhash(&n.to_le_bytes()));
            let hash = match &value {
                v if v.is_null() => None,
                ScalarValue::Utf8(Some(text)) => Some(xxhash(text.as_bytes())),
                ScalarValue::Binary(Some(bytes)) => Some(xxhash(bytes)),
                ScalarValue::Boolean(Some(b)) => word(i64::from(*b)),
                ScalarValue::Int8(Some(n)) => word(i64::from(*n)),
                ScalarValue::Int16(Some(n)) => word(i64::from(*n)),
                ScalarValue::Int32(Some(n)) | ScalarValue::Date32(Some(n)) => word(i64::from(*n)),
                ScalarValue::Int64(Some(n)) => word(*n),
                ScalarValue::Float64(Some(f)) => word(f.to_bits() as i64),
                other => Some(xxhash(other.to_string().as_bytes())),
            };
            sum = sum.wrapping_add(checksum_step(hash));
        }
        Ok(Some(ScalarValue::Binary(Some(sum.to_le_bytes().to_vec()))))
    })
}

fn single_type(types: &[DataType]) -> Kind {
    element(&types[0]).ok_or("array(E)")
}

/// The one value of a subquery that may have one at most.
fn single(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    each_row(&args[0], kind, |_, values| match values.len().cmp(&1) {
        Ordering::Less => Ok(None),
        Ordering::Equal => at(values, 0).map(Some),
        Ordering::Greater => {
            Err(Failure::new("SUBQUERY_MULTIPLE_ROWS", "Scalar sub-query has returned multiple rows"))
        }
    })
}
