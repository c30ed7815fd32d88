//! The greatest and the least of several values.

use std::cmp::Ordering;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::compute;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;

use super::lists::compare;
use super::native::*;
use crate::local::athena::failure::Failure;

type Kind = Result<DataType, &'static str>;

pub fn all() -> Vec<ScalarUDF> {
    let all = [
        Native {
            name: "greatest",
            least: 1,
            most: 127,
            returns: common_type,
            eval: |a, k| pick(a, k, Ordering::Greater),
        },
        Native {
            name: "least",
            least: 1,
            most: 127,
            returns: common_type,
            eval: |a, k| pick(a, k, Ordering::Less),
        },
    ];
    all.into_iter().map(udf).collect()
}

/// The widest of the types.
fn common_type(types: &[DataType]) -> Kind {
    use datafusion::logical_expr::type_coercion::binary::comparison_coercion;
    let mut common = types[0].clone();
    for kind in &types[1..] {
        common = comparison_coercion(&common, kind).ok_or("values of one type")?;
    }
    Ok(common)
}

/// NULL when any of them is.
fn pick(args: &[ArrayRef], kind: &DataType, wanted: Ordering) -> Result<ArrayRef, Failure> {
    let all = args.iter().map(|a| compute::cast(a, kind).map_err(wrong)).collect::<Result<Vec<_>, _>>()?;
    collect(kind, rows(args), |row| {
        let mut best: Option<ScalarValue> = None;
        for array in &all {
            if array.is_null(row) || array.data_type() == &DataType::Null {
                return Ok(None);
            }
            let value = at(array, row)?;
            if best.as_ref().is_none_or(|b| compare(&value, b) == wanted) {
                best = Some(value);
            }
        }
        Ok(best)
    })
}
