//! Arrays of a file's types as arrays of a table's types: what may differ between them.

use std::sync::Arc;

use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::{Array, ArrayRef, ListArray, MapArray, StructArray, new_null_array};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::arrow::error::ArrowError;

/// How the fields of rows find each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fields {
    /// In any case; what is missing is NULL.
    ByName,
    ByPlace,
}

/// Fails where the types do not fit each other, or a value not its type.
pub fn adapt(array: &ArrayRef, to: &DataType, by: Fields) -> Result<ArrayRef, ArrowError> {
    let from = array.data_type();
    if from == to {
        return Ok(array.clone());
    }
    match (from, to) {
        (DataType::List(_), DataType::List(field)) => {
            let list = array.as_list::<i32>();
            let values = adapt(list.values(), field.data_type(), by)?;
            let list =
                ListArray::try_new(field.clone(), list.offsets().clone(), values, list.nulls().cloned());
            Ok(Arc::new(list?))
        }
        (DataType::Struct(from), DataType::Struct(fields)) => {
            let row = array.as_struct();
            if by == Fields::ByPlace && from.len() != fields.len() {
                return Err(misfit(array.data_type(), to));
            }
            let children = fields.iter().enumerate().map(|(n, field)| {
                let found = match by {
                    Fields::ByPlace => Some(n),
                    Fields::ByName => from.iter().position(|f| f.name().eq_ignore_ascii_case(field.name())),
                };
                match found {
                    Some(at) => adapt(row.column(at), field.data_type(), by),
                    None => Ok(new_null_array(field.data_type(), row.len())),
                }
            });
            let children = children.collect::<Result<Vec<_>, _>>()?;
            let row =
                StructArray::try_new_with_length(fields.clone(), children, row.nulls().cloned(), row.len());
            Ok(Arc::new(row?))
        }
        (DataType::Map(..), DataType::Map(entries, sorted)) => {
            let map = array.as_map();
            let DataType::Struct(fields) = entries.data_type() else { return Err(misfit(from, to)) };
            let (Some(key), Some(value)) = (fields.first(), fields.get(1)) else {
                return Err(misfit(from, to));
            };
            let columns =
                vec![adapt(map.keys(), key.data_type(), by)?, adapt(map.values(), value.data_type(), by)?];
            let rows = StructArray::try_new(fields.clone(), columns, None)?;
            let map = MapArray::try_new(
                entries.clone(),
                map.offsets().clone(),
                rows,
                map.nulls().cloned(),
                *sorted,
            );
            Ok(Arc::new(map?))
        }
        _ if fits(from, to) => {
            let strict = CastOptions { safe: false, ..CastOptions::default() };
            cast_with_options(array, to, &strict)
        }
        _ => Err(misfit(from, to)),
    }
}

fn misfit(from: &DataType, to: &DataType) -> ArrowError {
    ArrowError::CastError(format!("{from} is not {to}"))
}

/// Whether a value of one plain type can be one of the other.
fn fits(from: &DataType, to: &DataType) -> bool {
    use DataType::*;
    let text = |t: &DataType| matches!(t, Utf8 | Utf8View | LargeUtf8 | Binary | BinaryView | LargeBinary);
    let decimal = |t: &DataType| matches!(t, Decimal32(..) | Decimal64(..) | Decimal128(..) | Decimal256(..));
    let number = |t: &DataType| t.is_integer() || decimal(t);
    match (from, to) {
        (Dictionary(_, of), to) => fits(of, to) || **of == *to,
        (from, Utf8) => text(from),
        (from, LargeUtf8) => text(from),
        (from, Binary) => text(from) || matches!(from, FixedSizeBinary(_)),
        (from, to) if to.is_integer() => from.is_integer(),
        (from, Float64) => from.is_floating() || number(from),
        (from, Float32) => matches!(from, Float16 | Float32),
        (from, Decimal128(..)) => number(from),
        (Timestamp(..) | Date32 | Date64, Timestamp(TimeUnit::Millisecond, None)) => true,
        (Timestamp(..) | Date64, Date32) => true,
        (Null, _) => true,
        _ => false,
    }
}
