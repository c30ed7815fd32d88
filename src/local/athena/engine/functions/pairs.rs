//! More of maps: made from entries and texts, joined. <https://trino.io/docs/current/functions/map.html>

use std::sync::Arc;

use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::{Array, ArrayRef, MapArray, StructArray, UInt32Array};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute;
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;

use super::arithmetic::shown;
use super::arrays::{element, list, lists};
use super::maps::{entries_of, map_kind, multimap_of};
use super::native::*;
use crate::local::athena::engine::columns;
use crate::local::athena::failure::Failure;

type Kind = Result<DataType, &'static str>;

pub fn all() -> Vec<ScalarUDF> {
    let all = [
        Native { name: "map_entries", least: 1, most: 1, returns: entries_type, eval: map_entries },
        Native {
            name: "map_from_entries",
            least: 1,
            most: 1,
            returns: from_type,
            eval: |a, k| from_entries(a, k, Twice::Refused),
        },
        Native {
            name: "$map_of_pairs",
            least: 1,
            most: 1,
            returns: from_type,
            eval: |a, k| from_entries(a, k, Twice::First),
        },
        Native { name: "multimap_from_entries", least: 1, most: 1, returns: multi_type, eval: multi_entries },
        Native { name: "map_concat", least: 1, most: 127, returns: concat_type, eval: map_concat },
        Native { name: "$map_union", least: 1, most: 1, returns: union_type, eval: map_union },
        Native { name: "split_to_map", least: 3, most: 3, returns: split_type, eval: split_to_map },
        Native {
            name: "split_to_multimap",
            least: 3,
            most: 3,
            returns: multi_split_type,
            eval: split_to_multimap,
        },
    ];
    all.into_iter().map(udf).collect()
}

/// What becomes of a key that comes twice.
#[derive(Clone, Copy, PartialEq)]
pub enum Twice {
    Refused,
    First,
    Last,
}

fn key_value(kind: &DataType) -> Option<(DataType, DataType)> {
    match kind {
        DataType::Map(entries, _) => entries_of(entries),
        _ => None,
    }
}

fn pair(kind: &DataType) -> Option<(DataType, DataType)> {
    match element(kind)? {
        DataType::Struct(fields) if fields.len() == 2 => {
            Some((fields[0].data_type().clone(), fields[1].data_type().clone()))
        }
        _ => None,
    }
}

fn entries_type(types: &[DataType]) -> Kind {
    let (key, value) = key_value(&types[0]).ok_or("map_entries(map(K,V))")?;
    let fields = Fields::from(vec![Field::new("field0", key, true), Field::new("field1", value, true)]);
    Ok(DataType::List(columns::item(DataType::Struct(fields))))
}

fn map_entries(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let map = args[0].as_map();
    let Some(DataType::Struct(fields)) = element(kind) else { return Err(Failure::internal("no rows")) };
    let first = map.value_offsets().first().map_or(0, |o| *o as usize);
    let total = map.value_offsets().last().map_or(0, |o| *o as usize) - first;
    let cells = vec![map.keys().slice(first, total), map.values().slice(first, total)];
    let pairs = StructArray::try_new(fields, cells, None).map_err(wrong)?;
    let lengths = (0..map.len()).map(|row| map.value_length(row) as usize).collect();
    let valid = (0..map.len()).map(|row| map.is_valid(row)).collect();
    lists(kind, lengths, Arc::new(pairs), valid)
}

fn from_type(types: &[DataType]) -> Kind {
    pair(&types[0]).map(|(k, v)| map_kind(k, v)).ok_or("map_from_entries(array(row(K,V)))")
}

fn multi_type(types: &[DataType]) -> Kind {
    let (key, value) = pair(&types[0]).ok_or("multimap_from_entries(array(row(K,V)))")?;
    Ok(map_kind(key, DataType::List(columns::item(value))))
}

/// Maps whose entries are at these places of the cells; a key that comes twice is dealt with.
pub fn build(
    kind: &DataType,
    keys: &ArrayRef,
    values: &ArrayRef,
    rows: Vec<Option<Vec<u32>>>,
    twice: Twice,
) -> Result<ArrayRef, Failure> {
    let DataType::Map(entries, _) = kind else { return Err(Failure::internal("a map was expected")) };
    let DataType::Struct(fields) = entries.data_type() else { return Err(Failure::internal("no entries")) };
    let (mut places, mut lengths, mut valid) = (Vec::<(u32, u32)>::new(), Vec::new(), Vec::new());
    for row in rows {
        valid.push(row.is_some());
        let mut seen: std::collections::HashMap<ScalarValue, usize> = std::collections::HashMap::new();
        let first = places.len();
        for place in row.into_iter().flatten() {
            let key = at(keys, place as usize)?;
            if key.is_null() {
                return Err(argument("map key cannot be null"));
            }
            match seen.get(&key) {
                Some(_) if twice == Twice::Refused => {
                    return Err(argument(format!(
                        "Duplicate map keys ({}) are not allowed",
                        shown(keys, place as usize)
                    )));
                }
                Some(known) if twice == Twice::Last => places[*known].1 = place,
                Some(_) => {}
                None => {
                    seen.insert(key, places.len());
                    places.push((place, place));
                }
            }
        }
        lengths.push(places.len() - first);
    }
    let take =
        |of: &ArrayRef, places: Vec<u32>| compute::take(of, &UInt32Array::from(places), None).map_err(wrong);
    let keys = take(keys, places.iter().map(|p| p.0).collect())?;
    let values = take(values, places.iter().map(|p| p.1).collect())?;
    let pairs = StructArray::try_new(fields.clone(), vec![keys, values], None).map_err(wrong)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    let map = MapArray::try_new(entries.clone(), offsets, pairs, Some(valid.into()), false);
    Ok(Arc::new(map.map_err(wrong)?))
}

fn from_entries(args: &[ArrayRef], kind: &DataType, twice: Twice) -> Result<ArrayRef, Failure> {
    let of = list(&args[0])?;
    let pairs = of.values().as_struct();
    let rows = (0..of.len())
        .map(|row| {
            let offsets = of.value_offsets();
            of.is_valid(row).then(|| (offsets[row] as u32..offsets[row + 1] as u32).collect())
        })
        .collect();
    build(kind, pairs.column(0), pairs.column(1), rows, twice)
}

fn multi_entries(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let of = list(&args[0])?;
    let pairs = of.values().as_struct();
    let side = |n: usize| -> Result<ArrayRef, Failure> {
        let cells = pairs.column(n).clone();
        let kind = columns::item(cells.data_type().clone());
        let list = datafusion::arrow::array::ListArray::try_new(
            kind,
            of.offsets().clone(),
            cells,
            of.nulls().cloned(),
        );
        Ok(Arc::new(list.map_err(wrong)?))
    };
    multimap_of(&[side(0)?, side(1)?], kind)
}

fn concat_type(types: &[DataType]) -> Kind {
    if types.iter().all(|t| t == &types[0]) && key_value(&types[0]).is_some() {
        Ok(types[0].clone())
    } else {
        Err("map_concat(map(K,V), …)")
    }
}

/// Of a key in several maps, the last.
fn map_concat(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let maps: Vec<&MapArray> = args.iter().map(|a| a.as_map()).collect();
    let joined = |pick: fn(&MapArray) -> &ArrayRef| {
        let parts: Vec<&dyn Array> = maps.iter().map(|m| &**pick(m)).collect();
        compute::concat(&parts).map_err(wrong)
    };
    let (keys, values) = (joined(MapArray::keys)?, joined(MapArray::values)?);
    let rows = (0..rows(args)).map(|row| {
        let mut base = 0u32;
        let mut places = Vec::new();
        for map in &maps {
            if map.is_null(row) {
                return None;
            }
            let offsets = map.value_offsets();
            places.extend((offsets[row] as u32..offsets[row + 1] as u32).map(|p| p + base));
            base += map.keys().len() as u32;
        }
        Some(places)
    });
    build(kind, &keys, &values, rows.collect(), Twice::Last)
}

fn union_type(types: &[DataType]) -> Kind {
    element(&types[0]).filter(|of| key_value(of).is_some()).ok_or("map_union(map(K,V))")
}

fn map_union(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let of = list(&args[0])?;
    let map = of.values().as_map();
    let inner = map.value_offsets();
    let rows = (0..of.len())
        .map(|row| {
            let offsets = of.value_offsets();
            of.is_valid(row).then(|| {
                (offsets[row] as usize..offsets[row + 1] as usize)
                    .filter(|m| map.is_valid(*m))
                    .flat_map(|m| inner[m] as u32..inner[m + 1] as u32)
                    .collect()
            })
        })
        .collect();
    build(kind, map.keys(), map.values(), rows, Twice::First)
}

fn split_type(types: &[DataType]) -> Kind {
    if types.iter().all(is_text) {
        Ok(map_kind(DataType::Utf8, DataType::Utf8))
    } else {
        Err("split_to_map(varchar, varchar, varchar)")
    }
}

fn multi_split_type(types: &[DataType]) -> Kind {
    split_type(types).map(|_| map_kind(DataType::Utf8, DataType::List(columns::item(DataType::Utf8))))
}

/// Keys and values of all rows, with the places of each.
type Split = (ArrayRef, ArrayRef, Vec<Option<Vec<u32>>>);

fn split(args: &[ArrayRef]) -> Result<Split, Failure> {
    use datafusion::arrow::array::StringArray;
    let (mut keys, mut values, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..rows(args) {
        let (Some(of), Some(between), Some(within)) =
            (text(&args[0], row), text(&args[1], row), text(&args[2], row))
        else {
            places.push(None);
            continue;
        };
        if between.is_empty() || within.is_empty() || between == within {
            return Err(argument("entryDelimiter and keyValueDelimiter must differ and not be empty"));
        }
        let first = keys.len() as u32;
        for entry in of.split(between).filter(|e| !e.is_empty()) {
            let Some((key, value)) = entry.split_once(within) else {
                return Err(argument(format!(
                    "Key-value delimiter must appear exactly once in each entry. Bad input: '{entry}'"
                )));
            };
            keys.push(key);
            values.push(value);
        }
        places.push(Some((first..keys.len() as u32).collect()));
    }
    Ok((Arc::new(StringArray::from(keys)), Arc::new(StringArray::from(values)), places))
}

fn split_to_map(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let (keys, values, places) = split(args)?;
    build(kind, &keys, &values, places, Twice::Refused)
}

fn split_to_multimap(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    let (keys, values, places) = split(args)?;
    let lengths: Vec<usize> = places.iter().map(|p| p.as_ref().map_or(0, Vec::len)).collect();
    let valid: Vec<bool> = places.iter().map(Option::is_some).collect();
    let of = DataType::List(columns::item(DataType::Utf8));
    let side = |cells: ArrayRef| lists(&of, lengths.clone(), cells, valid.clone());
    multimap_of(&[side(keys)?, side(values)?], kind)
}
