//! More of arrays, row by row: joining, sorting, searching, combining.
//! <https://trino.io/docs/current/functions/array.html>

use std::cmp::Ordering;

use datafusion::arrow::array::{Array, ArrayRef, StructArray, UInt32Array};
use datafusion::arrow::compute;
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;

use super::arithmetic::shown;
use super::arrays::{element, list, lists};
use super::native::*;
use crate::local::athena::engine::columns;
use crate::local::athena::failure::Failure;

type Kind = Result<DataType, &'static str>;

pub fn all() -> Vec<ScalarUDF> {
    let all = [
        Native { name: "array_join", least: 2, most: 3, returns: join_type, eval: join },
        Native {
            name: "array_max",
            least: 1,
            most: 1,
            returns: element_type,
            eval: |a, k| extreme(a, k, Ordering::Greater),
        },
        Native {
            name: "array_min",
            least: 1,
            most: 1,
            returns: element_type,
            eval: |a, k| extreme(a, k, Ordering::Less),
        },
        Native { name: "array_remove", least: 2, most: 2, returns: same_type, eval: remove },
        Native { name: "array_sort", least: 1, most: 1, returns: same_type, eval: sort },
        Native {
            name: "contains",
            least: 2,
            most: 2,
            returns: |t| search_type(t, DataType::Boolean),
            eval: contains,
        },
        Native {
            name: "contains_sequence",
            least: 2,
            most: 2,
            returns: |t| search_type(t, DataType::Boolean),
            eval: contains_sequence,
        },
        Native { name: "trim_array", least: 2, most: 2, returns: same_type, eval: trim_array },
        Native { name: "ngrams", least: 2, most: 2, returns: nested_type, eval: ngrams },
        Native { name: "combinations", least: 2, most: 2, returns: nested_type, eval: combinations },
        Native { name: "zip", least: 2, most: 5, returns: zip_type, eval: zip },
    ];
    all.into_iter().map(udf).collect()
}

fn same_type(types: &[DataType]) -> Kind {
    element(&types[0]).map(|of| DataType::List(columns::item(of))).ok_or("array(E)")
}

fn element_type(types: &[DataType]) -> Kind {
    element(&types[0]).ok_or("array(E)")
}

fn nested_type(types: &[DataType]) -> Kind {
    let list = same_type(types)?;
    if is_whole(&types[1]) { Ok(DataType::List(columns::item(list))) } else { Err("array(E), bigint") }
}

fn search_type(types: &[DataType], result: DataType) -> Kind {
    element(&types[0]).map(|_| result).ok_or("array(E), E")
}

fn join_type(types: &[DataType]) -> Kind {
    match element(&types[0]) {
        Some(of)
            if !matches!(of, DataType::List(_) | DataType::Map(..) | DataType::Struct(_))
                && types[1..].iter().all(is_text) =>
        {
            Ok(DataType::Utf8)
        }
        _ => Err("array_join(array(E), varchar), array_join(array(E), varchar, varchar)"),
    }
}

/// The values of each row as a list, NULL where there is none.
pub fn each_row(
    array: &ArrayRef,
    kind: &DataType,
    mut each: impl FnMut(usize, &ArrayRef) -> Result<Option<ScalarValue>, Failure>,
) -> Result<ArrayRef, Failure> {
    let of = list(array)?;
    collect(kind, of.len(), |row| if of.is_null(row) { Ok(None) } else { each(row, &of.value(row)) })
}

/// One list as a value.
fn one(values: ArrayRef) -> Result<ScalarValue, Failure> {
    let kind = DataType::List(columns::item(values.data_type().clone()));
    at(&lists(&kind, vec![values.len()], values, vec![true])?, 0)
}

fn taken(values: &ArrayRef, places: Vec<u32>) -> Result<Option<ScalarValue>, Failure> {
    one(compute::take(values, &UInt32Array::from(places), None).map_err(wrong)?).map(Some)
}

fn join(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    each_row(&args[0], kind, |row, values| {
        let Some(by) = text(&args[1], row) else { return Ok(None) };
        let instead = match args.get(2) {
            Some(array) => match text(array, row) {
                Some(text) => Some(text),
                None => return Ok(None),
            },
            None => None,
        };
        let parts: Vec<String> = (0..values.len())
            .filter_map(|n| match (values.is_null(n), instead) {
                (false, _) => Some(shown(values, n)),
                (true, Some(text)) => Some(text.to_owned()),
                (true, None) => None,
            })
            .collect();
        Ok(Some(ScalarValue::Utf8(Some(parts.join(by)))))
    })
}

/// Orders values of one type; NaN is the greatest number.
pub fn compare(a: &ScalarValue, b: &ScalarValue) -> Ordering {
    match (a, b) {
        (ScalarValue::Float64(Some(x)), ScalarValue::Float64(Some(y))) => x.total_cmp(y),
        (ScalarValue::Float32(Some(x)), ScalarValue::Float32(Some(y))) => x.total_cmp(y),
        _ => a.partial_cmp(b).unwrap_or(Ordering::Equal),
    }
}

/// NULL when any element is.
fn extreme(args: &[ArrayRef], kind: &DataType, wanted: Ordering) -> Result<ArrayRef, Failure> {
    each_row(&args[0], kind, |_, values| {
        if values.null_count() > 0 {
            return Ok(None);
        }
        let mut best: Option<ScalarValue> = None;
        for n in 0..values.len() {
            let value = at(values, n)?;
            if best.as_ref().is_none_or(|b| compare(&value, b) == wanted) {
                best = Some(value);
            }
        }
        Ok(best)
    })
}

fn remove(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let of = element(kind).ok_or_else(|| Failure::internal("an array was expected"))?;
    let wanted = compute::cast(&args[1], &of).map_err(wrong)?;
    each_row(&args[0], kind, |row, values| {
        if wanted.is_null(row) {
            return Ok(None);
        }
        let wanted = at(&wanted, row)?;
        let mut places = Vec::new();
        for n in 0..values.len() {
            if values.is_null(n) || at(values, n)? != wanted {
                places.push(n as u32);
            }
        }
        taken(values, places)
    })
}

fn sort(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    each_row(&args[0], kind, |_, values| {
        let mut cells = (0..values.len())
            .map(|n| Ok((n as u32, values.is_null(n), at(values, n)?)))
            .collect::<Result<Vec<_>, Failure>>()?;
        cells.sort_by(|a, b| a.1.cmp(&b.1).then_with(|| compare(&a.2, &b.2)));
        taken(values, cells.into_iter().map(|c| c.0).collect())
    })
}

/// NULL when it is not found and might have been.
fn contains(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let of = list(&args[0])?;
    let wanted = compute::cast(&args[1], &of.value_type()).map_err(wrong)?;
    each_row(&args[0], kind, |row, values| {
        if wanted.is_null(row) {
            return Ok(None);
        }
        let wanted = at(&wanted, row)?;
        for n in 0..values.len() {
            if values.is_valid(n) && at(values, n)? == wanted {
                return Ok(Some(ScalarValue::Boolean(Some(true))));
            }
        }
        Ok((values.null_count() == 0).then_some(ScalarValue::Boolean(Some(false))))
    })
}

fn contains_sequence(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let wanted = list(&args[1])?;
    each_row(&args[0], kind, |row, values| {
        if wanted.is_null(row) {
            return Ok(None);
        }
        let wanted = wanted.value(row);
        let all = |a: &ArrayRef| (0..a.len()).map(|n| at(a, n)).collect::<Result<Vec<_>, _>>();
        let (values, wanted) = (all(values)?, all(&wanted)?);
        let found = wanted.is_empty() || values.windows(wanted.len()).any(|w| w == wanted);
        Ok(Some(ScalarValue::Boolean(Some(found))))
    })
}

fn trim_array(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    each_row(&args[0], kind, |row, values| {
        let Some(n) = whole(&args[1], row) else { return Ok(None) };
        let size = values.len() as i64;
        if n < 0 {
            return Err(argument(format!("size must not be negative: {n}")));
        }
        if n > size {
            return Err(argument(format!("size must not exceed array cardinality {size}: {n}")));
        }
        taken(values, (0..(size - n) as u32).collect())
    })
}

fn nest(kind: &DataType, parts: Vec<ScalarValue>) -> Result<Option<ScalarValue>, Failure> {
    let of = element(kind).ok_or_else(|| Failure::internal("an array was expected"))?;
    Ok(Some(ScalarValue::List(ScalarValue::new_list_nullable(&parts, &of))))
}

fn ngrams(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let done = each_row(&args[0], kind, |row, values| {
        let Some(n) = whole(&args[1], row) else { return Ok(None) };
        if n <= 0 {
            return Err(argument("N must be positive"));
        }
        let (size, n) = (values.len(), n as usize);
        let starts = if size < n { 0..1 } else { 0..size - n + 1 };
        let parts = starts.map(|s| one(values.slice(s, n.min(size)))).collect::<Result<Vec<_>, _>>()?;
        nest(kind, parts)
    })?;
    compute::cast(&done, kind).map_err(wrong)
}

/// The greatest number of combinations that Trino makes.
const MOST: usize = 100_000;

fn combinations(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let done = each_row(&args[0], kind, |row, values| {
        let Some(n) = whole(&args[1], row) else { return Ok(None) };
        if !(0..=5).contains(&n) {
            return Err(argument("combination size must not exceed 5"));
        }
        let (size, n) = (values.len(), n as usize);
        if n > size {
            return nest(kind, Vec::new());
        }
        // In the order of the last place, then of those before it.
        let mut found: Vec<Vec<u32>> = vec![Vec::new()];
        for _ in 0..n {
            let longer = found.iter().flat_map(|c| {
                let from = c.last().map_or(0, |l| l + 1);
                (from..size as u32).map(|next| c.iter().copied().chain([next]).collect::<Vec<u32>>())
            });
            found = longer.take(MOST + 1).collect();
            if found.len() > MOST {
                return Err(argument(format!("combinations exceed max size of {MOST}")));
            }
        }
        found.sort_by(|a, b| a.iter().rev().cmp(b.iter().rev()));
        let parts = found.into_iter().map(|c| taken(values, c).map(|v| v.unwrap_or(ScalarValue::Null)));
        nest(kind, parts.collect::<Result<Vec<_>, _>>()?)
    })?;
    compute::cast(&done, kind).map_err(wrong)
}

fn zip_type(types: &[DataType]) -> Kind {
    let fields =
        types.iter().enumerate().map(|(n, t)| Some(Field::new(format!("field{n}"), element(t)?, true)));
    let fields: Option<Vec<Field>> = fields.collect();
    fields
        .map(|f| DataType::List(columns::item(DataType::Struct(Fields::from(f)))))
        .ok_or("zip(array(T1), array(T2), …)")
}

fn zip(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let Some(DataType::Struct(fields)) = element(kind) else { return Err(Failure::internal("no rows")) };
    let all = args.iter().map(list).collect::<Result<Vec<_>, _>>()?;
    let rows = rows(args);
    let valid: Vec<bool> = (0..rows).map(|row| all.iter().all(|l| l.is_valid(row))).collect();
    let lengths: Vec<usize> =
        (0..rows)
            .map(|row| {
                if valid[row] {
                    all.iter().map(|l| l.value_length(row) as usize).max().unwrap_or(0)
                } else {
                    0
                }
            })
            .collect();
    let columns = all.iter().map(|l| {
        let places: UInt32Array = lengths
            .iter()
            .enumerate()
            .flat_map(|(row, length)| {
                let (from, own) = (l.value_offsets()[row], l.value_length(row) as usize);
                (0..*length).map(move |n| (n < own).then(|| (from as usize + n) as u32))
            })
            .collect();
        compute::take(l.values(), &places, None).map_err(wrong)
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let length = lengths.iter().sum();
    let pairs = StructArray::try_new_with_length(fields, columns, None, length).map_err(wrong)?;
    lists(kind, lengths, std::sync::Arc::new(pairs), valid)
}
