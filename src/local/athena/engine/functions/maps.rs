//! Maps: made from arrays of keys and values, and the aggregates that end in one.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::{Array, ArrayRef, Int64Array, ListArray, MapArray, StructArray, UInt32Array};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;

use super::arrays::{list, lists};
use super::native::*;
use crate::local::athena::engine::columns;
use crate::local::athena::failure::Failure;

pub fn all() -> Vec<ScalarUDF> {
    let all = [
        Native { name: "$map", least: 0, most: 2, returns: map_type, eval: map },
        Native { name: "$histogram", least: 1, most: 1, returns: histogram_type, eval: histogram },
        IN_ORDER,
    ];
    all.into_iter().map(udf).collect()
}

/// Brings the keys of all maps within a value into one order.
pub const IN_ORDER: Native = Native {
    name: "$in_order",
    least: 1,
    most: 1,
    returns: |types| Ok(types[0].clone()),
    eval: |args, _| in_order(&args[0]),
};

/// Whether there is a map in values of a type.
pub fn holds_map(kind: &DataType) -> bool {
    match kind {
        DataType::Map(..) => true,
        DataType::List(of) => holds_map(of.data_type()),
        DataType::Struct(fields) => fields.iter().any(|f| holds_map(f.data_type())),
        _ => false,
    }
}

fn in_order(array: &ArrayRef) -> Result<ArrayRef, Failure> {
    Ok(match array.data_type() {
        DataType::List(field) if holds_map(field.data_type()) => {
            let of = list(array)?;
            let values = in_order(of.values())?;
            let (offsets, nulls) = (of.offsets().clone(), of.nulls().cloned());
            Arc::new(ListArray::try_new(field.clone(), offsets, values, nulls).map_err(wrong)?)
        }
        DataType::Struct(fields) if fields.iter().any(|f| holds_map(f.data_type())) => {
            let of = array.as_struct();
            let columns = of.columns().iter().map(in_order).collect::<Result<_, _>>()?;
            Arc::new(StructArray::try_new(fields.clone(), columns, of.nulls().cloned()).map_err(wrong)?)
        }
        DataType::Map(entries, _) => {
            let of = array.as_map();
            let (keys, values) = (in_order(of.keys())?, in_order(of.values())?);
            let order = RowConverter::new(vec![SortField::new(keys.data_type().clone())]).map_err(wrong)?;
            let rows = order.convert_columns(std::slice::from_ref(&keys)).map_err(wrong)?;
            let (mut places, mut lengths) = (Vec::new(), Vec::with_capacity(of.len()));
            for pair in of.value_offsets().windows(2) {
                let mut own: Vec<u32> = (pair[0]..pair[1]).map(|place| place as u32).collect();
                own.sort_by(|a, b| rows.row(*a as usize).cmp(&rows.row(*b as usize)));
                lengths.push(own.len());
                places.extend(own);
            }
            let places = UInt32Array::from(places);
            let taken = [&keys, &values].map(|of| compute::take(of, &places, None).map_err(wrong));
            let [keys, values] = taken;
            let pairs = match entries.data_type() {
                DataType::Struct(fields) => StructArray::try_new(fields.clone(), vec![keys?, values?], None),
                _ => return Err(Failure::internal("a map of nothing")),
            };
            let offsets = OffsetBuffer::from_lengths(lengths);
            let nulls = of.nulls().cloned();
            let map = MapArray::try_new(entries.clone(), offsets, pairs.map_err(wrong)?, nulls, false);
            Arc::new(map.map_err(wrong)?)
        }
        _ => array.clone(),
    })
}

type Kind = Result<DataType, &'static str>;

fn element(kind: &DataType) -> Result<DataType, &'static str> {
    match kind {
        DataType::List(of) | DataType::LargeList(of) | DataType::FixedSizeList(of, _) => {
            Ok(of.data_type().clone())
        }
        _ => Err("map(array(K), array(V))"),
    }
}

pub fn map_kind(key: DataType, value: DataType) -> DataType {
    DataType::Map(columns::entries(key, value), false)
}

fn map_type(types: &[DataType]) -> Kind {
    match types {
        [] => Ok(map_kind(DataType::Utf8, DataType::Utf8)),
        [keys, values] => Ok(map_kind(element(keys)?, element(values)?)),
        _ => Err("map(array(K), array(V))"),
    }
}

/// Key and value of a map's entries.
pub fn entries_of(entries: &FieldRef) -> Option<(DataType, DataType)> {
    match entries.data_type() {
        DataType::Struct(fields) if fields.len() == 2 => {
            Some((fields[0].data_type().clone(), fields[1].data_type().clone()))
        }
        _ => None,
    }
}

fn histogram_type(types: &[DataType]) -> Kind {
    Ok(map_kind(element(&types[0])?, DataType::Int64))
}

/// Per row the places of the distinct keys, each with the places of all its values.
struct Grouped {
    keys: Vec<u32>,
    members: Vec<Vec<u32>>,
    lengths: Vec<usize>,
    valid: Vec<bool>,
}

fn group(keys: &ArrayRef, unique: bool) -> Result<Grouped, Failure> {
    let list = list(keys)?;
    let offsets = list.value_offsets();
    let mut grouped =
        Grouped { keys: Vec::new(), members: Vec::new(), lengths: Vec::new(), valid: Vec::new() };
    for row in 0..list.len() {
        let first = grouped.keys.len();
        let mut seen: HashMap<ScalarValue, usize> = HashMap::new();
        if list.is_valid(row) {
            for place in offsets[row]..offsets[row + 1] {
                let key = at(list.values(), place as usize)?;
                if key.is_null() {
                    return Err(argument("map key cannot be null"));
                }
                match seen.get(&key) {
                    Some(_) if unique => {
                        return Err(argument(format!(
                            "Duplicate map keys ({}) are not allowed",
                            super::arithmetic::shown(list.values(), place as usize)
                        )));
                    }
                    Some(known) => grouped.members[*known].push(place as u32),
                    None => {
                        seen.insert(key, grouped.keys.len());
                        grouped.keys.push(place as u32);
                        grouped.members.push(vec![place as u32]);
                    }
                }
            }
        }
        grouped.lengths.push(grouped.keys.len() - first);
        grouped.valid.push(list.is_valid(row));
    }
    Ok(grouped)
}

fn build(kind: &DataType, grouped: Grouped, keys: &ArrayRef, values: ArrayRef) -> Result<ArrayRef, Failure> {
    let DataType::Map(entries, _) = kind else { return Err(Failure::internal("a map was expected")) };
    let DataType::Struct(fields) = entries.data_type() else {
        return Err(Failure::internal("a map of nothing"));
    };
    let keys = compute::take(list(keys)?.values(), &UInt32Array::from(grouped.keys), None).map_err(wrong)?;
    let pairs = StructArray::try_new(fields.clone(), vec![keys, values], None).map_err(wrong)?;
    let offsets = OffsetBuffer::from_lengths(grouped.lengths);
    let map = MapArray::try_new(entries.clone(), offsets, pairs, Some(grouped.valid.into()), false);
    Ok(Arc::new(map.map_err(wrong)?))
}

fn map(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let [keys, values] = args else {
        let none: ArrayRef = Arc::new(datafusion::arrow::array::StringArray::from(Vec::<&str>::new()));
        return super::pairs::build(kind, &none, &none, vec![Some(Vec::new())], super::pairs::Twice::First);
    };
    let (a, b) = (list(keys)?, list(values)?);
    if (0..a.len())
        .any(|row| a.is_valid(row) && b.is_valid(row) && a.value_length(row) != b.value_length(row))
    {
        return Err(argument("Key and value arrays must be the same length"));
    }
    values_by_key(keys, values, kind)
}

fn values_by_key(keys: &ArrayRef, values: &ArrayRef, kind: &DataType) -> Result<ArrayRef, Failure> {
    let grouped = group(keys, true)?;
    let shift = shifts(keys, values, &grouped)?;
    let places: UInt32Array = shift.iter().map(|members| members.first().copied()).collect();
    let values = compute::take(list(values)?.values(), &places, None).map_err(wrong)?;
    build(kind, grouped, keys, values)
}

/// The places of the values that belong to the places of the keys: both lists of a row are equally
/// long but may begin elsewhere.
fn shifts(keys: &ArrayRef, values: &ArrayRef, grouped: &Grouped) -> Result<Vec<Vec<u32>>, Failure> {
    let (keys, values) = (list(keys)?, list(values)?);
    let (from, to) = (keys.value_offsets(), values.value_offsets());
    let mut out = Vec::with_capacity(grouped.members.len());
    let mut members = grouped.members.iter();
    for (row, length) in grouped.lengths.iter().enumerate() {
        for member in members.by_ref().take(*length) {
            out.push(member.iter().map(|place| place - from[row] as u32 + to[row] as u32).collect());
        }
    }
    Ok(out)
}

pub fn multimap_of(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let grouped = group(&args[0], false)?;
    let members = shifts(&args[0], &args[1], &grouped)?;
    let lengths: Vec<usize> = members.iter().map(Vec::len).collect();
    let places = UInt32Array::from(members.concat());
    let flat = compute::take(list(&args[1])?.values(), &places, None).map_err(wrong)?;
    let of = DataType::List(columns::item(flat.data_type().clone()));
    let valid = vec![true; lengths.len()];
    let values = lists(&of, lengths, flat, valid)?;
    build(kind, grouped, &args[0], values)
}

fn histogram(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let grouped = group(&args[0], false)?;
    let counts: Int64Array = grouped.members.iter().map(|m| Some(m.len() as i64)).collect();
    build(kind, grouped, &args[0], Arc::new(counts))
}
