//! `listagg` over the list of its values.
//! <https://trino.io/docs/current/functions/aggregate.html#listagg>

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;
use std::sync::Arc;

use super::arrays::list;
use super::native::*;
use crate::local::athena::failure::Failure;

/// Bytes of the longest text.
const LONGEST: usize = 1_048_576;

/// `$listagg(values, separator, filler, with count)`: without a filler a text that is too long is refused.
pub fn all() -> Vec<ScalarUDF> {
    let of = Native { name: "$listagg", least: 4, most: 4, returns: |_| Ok(DataType::Utf8), eval: join };
    vec![udf(of)]
}

fn join(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef, Failure> {
    let lists = list(&args[0])?;
    let mut out = StringBuilder::new();
    for row in 0..lists.len() {
        let (true, Some(separator)) = (lists.is_valid(row), text(&args[1], row)) else {
            out.append_null();
            continue;
        };
        let values = lists.value(row);
        let mut whole = String::new();
        for n in 0..values.len() {
            let value = text(&values, n).unwrap_or_default();
            let separator = if n > 0 { separator } else { "" };
            if whole.len() + separator.len() + value.len() <= LONGEST {
                whole.push_str(separator);
                whole.push_str(value);
                continue;
            }
            let Some(filler) = text(&args[2], row) else {
                return Err(Failure::new(
                    "EXCEEDED_FUNCTION_MEMORY_LIMIT",
                    format!(
                        "Concatenated string has the length in bytes larger than the maximum output length \
                         {LONGEST}"
                    ),
                ));
            };
            whole.push_str(separator);
            whole.push_str(filler);
            if args[3].as_boolean().value(row) {
                whole.push_str(&format!("({})", values.len() - n));
            }
            break;
        }
        out.append_value(whole);
    }
    Ok(Arc::new(out.finish()))
}
