//! Arrays: subscripts from 1, `element_at`, `cardinality`, `slice`, `sequence`, …

use std::sync::Arc;

use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::{Array, ArrayRef, Int64Array, ListArray, StructArray, UInt32Array};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute;
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;

use super::native::*;
use super::sequence;
use crate::local::athena::engine::columns;
use crate::local::athena::failure::Failure;

pub fn all() -> Vec<ScalarUDF> {
    let all = [
        ORDINALS,
        Native { name: "cardinality", least: 1, most: 1, returns: cardinality_type, eval: cardinality },
        SUBSCRIPT,
        Native { name: "element_at", least: 2, most: 2, returns: element_type, eval: element_at },
        Native { name: "slice", least: 3, most: 3, returns: slice_type, eval: slice },
        Native { name: "sequence", least: 2, most: 3, returns: sequence::kind, eval: sequence::eval },
        Native { name: "array_position", least: 2, most: 2, returns: position_type, eval: position },
        Native { name: "$repeat", least: 2, most: 2, returns: repeat_type, eval: repeat },
        Native { name: "row", least: 1, most: 1000, returns: row_type, eval: row },
    ];
    all.into_iter().map(udf).collect()
}

pub const SUBSCRIPT: Native =
    Native { name: "$subscript", least: 2, most: 2, returns: subscript_type, eval: subscript };

pub const ORDINALS: Native =
    Native { name: "$ordinals", least: 1, most: 1000, returns: ordinals_type, eval: ordinals };

type Kind = Result<DataType, &'static str>;

/// A list in the one layout that the functions here read.
pub fn list(array: &ArrayRef) -> Result<ListArray, Failure> {
    match array.data_type() {
        DataType::List(_) => Ok(array.as_list::<i32>().clone()),
        DataType::LargeList(of) | DataType::FixedSizeList(of, _) => {
            let cast = compute::cast(array, &DataType::List(of.clone())).map_err(wrong)?;
            Ok(cast.as_list::<i32>().clone())
        }
        other => Err(Failure::internal(format!("{other} is no array"))),
    }
}

pub fn element(kind: &DataType) -> Option<DataType> {
    match kind {
        DataType::List(of) | DataType::LargeList(of) | DataType::FixedSizeList(of, _) => {
            Some(of.data_type().clone())
        }
        _ => None,
    }
}

fn cardinality_type(types: &[DataType]) -> Kind {
    match &types[0] {
        DataType::Map(..) => Ok(DataType::Int64),
        kind if element(kind).is_some() => Ok(DataType::Int64),
        _ => Err("cardinality(array(E)), cardinality(map(K,V))"),
    }
}

fn cardinality(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, Failure> {
    let array = &args[0];
    let count = |row: usize, length: i32| (!array.is_null(row)).then_some(i64::from(length));
    let counted: Int64Array = if let DataType::Map(..) = array.data_type() {
        let map = array.as_map();
        (0..map.len()).map(|row| count(row, map.value_length(row))).collect()
    } else {
        let list = list(array)?;
        (0..list.len()).map(|row| count(row, list.value_length(row))).collect()
    };
    Ok(Arc::new(counted))
}

fn element_type(types: &[DataType]) -> Kind {
    match &types[0] {
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => Ok(fields[1].data_type().clone()),
            _ => Err("a map"),
        },
        kind => match element(kind) {
            Some(of) if is_whole(&types[1]) => Ok(of),
            _ => Err("element_at(array(E), bigint), element_at(map(K,V), K)"),
        },
    }
}

/// `row[2]` is chosen by a literal.
fn subscript_type(types: &[DataType]) -> Kind {
    match &types[0] {
        DataType::Struct(_) => Err("a literal for the field of a row"),
        _ => element_type(types),
    }
}

/// `of[index]`: an index that is not there fails the query.
fn subscript(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, Failure> {
    if let DataType::Map(..) = args[0].data_type() {
        return lookup(args, true);
    }
    pick(args, |index, length| match index {
        0 => Err(argument("SQL array indices start at 1")),
        i if i < 0 => Err(argument(format!("Array subscript is negative: {i}"))),
        i if i > length => Err(argument(format!(
            "Array subscript must be less than or equal to array length: {i} > {length}"
        ))),
        i => Ok(Some(i - 1)),
    })
}

/// Counts from the end when negative; NULL for what is not there.
fn element_at(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, Failure> {
    if let DataType::Map(..) = args[0].data_type() {
        return lookup(args, false);
    }
    pick(args, |index, length| match index {
        0 => Err(argument("SQL array indices start at 1")),
        i if i.unsigned_abs() > length.unsigned_abs() => Ok(None),
        i if i < 0 => Ok(Some(length + i)),
        i => Ok(Some(i - 1)),
    })
}

fn pick(
    args: &[ArrayRef],
    choose: impl Fn(i64, i64) -> Result<Option<i64>, Failure>,
) -> Result<ArrayRef, Failure> {
    let list = list(&args[0])?;
    let offsets = list.value_offsets();
    let mut chosen = Vec::with_capacity(list.len());
    for (row, offset) in offsets.iter().take(list.len()).enumerate() {
        let place = match whole(&args[1], row) {
            Some(index) if !list.is_null(row) => choose(index, i64::from(list.value_length(row)))?,
            _ => None,
        };
        // Within the values, whose length is a u32 at most.
        chosen.push(place.map(|place| (i64::from(*offset) + place) as u32));
    }
    compute::take(list.values(), &UInt32Array::from(chosen), None).map_err(wrong)
}

/// The value of a key of a map.
fn lookup(args: &[ArrayRef], strict: bool) -> Result<ArrayRef, Failure> {
    let map = args[0].as_map();
    let keys = compute::cast(&args[1], map.keys().data_type()).map_err(wrong)?;
    let offsets = map.value_offsets();
    let mut chosen = Vec::with_capacity(map.len());
    for row in 0..map.len() {
        if map.is_null(row) || keys.is_null(row) {
            chosen.push(None);
            continue;
        }
        let wanted = at(&keys, row)?;
        let mut found = None;
        for place in offsets[row]..offsets[row + 1] {
            if at(map.keys(), place as usize)? == wanted {
                found = Some(place as u32);
                break;
            }
        }
        if found.is_none() && strict {
            return Err(argument(format!(
                "Key not present in map: {}",
                super::arithmetic::shown(&keys, row)
            )));
        }
        chosen.push(found);
    }
    compute::take(map.values(), &UInt32Array::from(chosen), None).map_err(wrong)
}

fn slice_type(types: &[DataType]) -> Kind {
    match element(&types[0]) {
        Some(of) if is_whole(&types[1]) && is_whole(&types[2]) => Ok(DataType::List(columns::item(of))),
        _ => Err("slice(array(E), bigint, bigint)"),
    }
}

fn slice(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let list = list(&args[0])?;
    gather(&list, kind, |row| {
        let (Some(start), Some(length)) = (whole(&args[1], row), whole(&args[2], row)) else {
            return Ok(None);
        };
        let size = i64::from(list.value_length(row));
        if length < 0 {
            return Err(argument("length must be greater than or equal to 0"));
        }
        let from = match start {
            0 => return Err(argument("SQL array indices start at 1")),
            s if s > 0 => s - 1,
            s => size + s,
        };
        if from < 0 || from >= size {
            return Ok(Some(0..0));
        }
        Ok(Some(from..from.saturating_add(length).min(size)))
    })
}

/// New lists from ranges of places within each row's list.
fn gather(
    list: &ListArray,
    kind: &DataType,
    mut range: impl FnMut(usize) -> Result<Option<std::ops::Range<i64>>, Failure>,
) -> Result<ArrayRef, Failure> {
    let offsets = list.value_offsets();
    let (mut places, mut lengths, mut valid) = (Vec::new(), Vec::new(), Vec::new());
    for (row, offset) in offsets.iter().take(list.len()).enumerate() {
        let range = if list.is_null(row) { None } else { range(row)? };
        valid.push(range.is_some());
        let range = range.unwrap_or(0..0);
        lengths.push((range.end - range.start) as usize);
        places.extend(range.map(|place| (i64::from(*offset) + place) as u32));
    }
    let values = compute::take(list.values(), &UInt32Array::from(places), None).map_err(wrong)?;
    lists(kind, lengths, values, valid)
}

/// Lists of these lengths over the values.
pub fn lists(
    kind: &DataType,
    lengths: Vec<usize>,
    values: ArrayRef,
    valid: Vec<bool>,
) -> Result<ArrayRef, Failure> {
    let DataType::List(field) = kind else { return Err(Failure::internal("an array was expected")) };
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(field.clone(), offsets, values, Some(valid.into())).map_err(wrong)?))
}

fn ordinals_type(_: &[DataType]) -> Kind {
    Ok(DataType::List(columns::item(DataType::Int64)))
}

fn ordinals(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let lists_of = args.iter().map(list).collect::<Result<Vec<_>, _>>()?;
    let longest = |row: usize| {
        let length = |l: &ListArray| if l.is_null(row) { 0 } else { l.value_length(row) as usize };
        lists_of.iter().map(length).max().unwrap_or(0)
    };
    let lengths: Vec<usize> = (0..rows(args)).map(longest).collect();
    let values: Int64Array = lengths.iter().flat_map(|n| 1..=*n as i64).collect();
    let valid = vec![true; lengths.len()];
    lists(kind, lengths, Arc::new(values), valid)
}

fn position_type(types: &[DataType]) -> Kind {
    element(&types[0]).map(|_| DataType::Int64).ok_or("array_position(array(E), E)")
}

/// The first place of a value, counted from 1; 0 when it is not there.
fn position(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let list = list(&args[0])?;
    let wanted = compute::cast(&args[1], &list.value_type()).map_err(wrong)?;
    collect(kind, list.len(), |row| {
        if list.is_null(row) || wanted.is_null(row) {
            return Ok(None);
        }
        let (values, wanted) = (list.value(row), at(&wanted, row)?);
        for place in 0..values.len() {
            if at(&values, place)? == wanted {
                return Ok(Some(ScalarValue::Int64(Some(place as i64 + 1))));
            }
        }
        Ok(Some(ScalarValue::Int64(Some(0))))
    })
}

/// The greatest number of values that Trino repeats.
const LONGEST: usize = 10_000;

fn repeat_type(types: &[DataType]) -> Kind {
    if is_whole(&types[1]) {
        Ok(DataType::List(columns::item(types[0].clone())))
    } else {
        Err("repeat(T, bigint)")
    }
}

fn repeat(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let (mut places, mut lengths) = (Vec::new(), Vec::new());
    for row in 0..rows(args) {
        let count = whole(&args[1], row).unwrap_or(0).max(0) as usize;
        if count > LONGEST {
            return Err(argument(format!("count argument of repeat function must be at most {LONGEST}")));
        }
        places.extend(std::iter::repeat_n(row as u32, count));
        lengths.push(count);
    }
    let values = compute::take(&args[0], &UInt32Array::from(places), None).map_err(wrong)?;
    let valid = (0..rows(args)).map(|row| !args[1].is_null(row)).collect();
    lists(kind, lengths, values, valid)
}

fn row_type(types: &[DataType]) -> Kind {
    let field = |(n, kind): (usize, &DataType)| Arc::new(Field::new(format!("field{n}"), kind.clone(), true));
    Ok(DataType::Struct(types.iter().enumerate().map(field).collect::<Fields>()))
}

fn row(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let DataType::Struct(fields) = kind else { return Err(Failure::internal("a row was expected")) };
    Ok(Arc::new(StructArray::try_new(fields.clone(), args.to_vec(), None).map_err(wrong)?))
}
