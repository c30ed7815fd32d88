//! Bits of whole numbers. <https://trino.io/docs/current/functions/bitwise.html>

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;

use super::native::*;
use super::numbers::whole_type;
use crate::local::athena::failure::Failure;

pub fn all() -> Vec<ScalarUDF> {
    macro_rules! bits {
        ($name:literal, $count:literal, $of:expr) => {
            Native {
                name: $name,
                least: $count,
                most: $count,
                returns: whole_type,
                eval: |a, _| bits(a, $of),
            }
        };
    }
    macro_rules! shift {
        ($name:literal, $of:expr) => {
            Native {
                name: $name,
                least: 2,
                most: 2,
                returns: |t| {
                    whole_type(t).map(|_| if t[0].is_null() { DataType::Int64 } else { t[0].clone() })
                },
                eval: |a, k| shifted(a, k, $of),
            }
        };
    }
    let all = [
        bits!("bitwise_and", 2, |v| v[0] & v[1]),
        bits!("bitwise_or", 2, |v| v[0] | v[1]),
        bits!("bitwise_xor", 2, |v| v[0] ^ v[1]),
        bits!("bitwise_not", 1, |v| !v[0]),
        shift!("bitwise_left_shift", |v, n, bits| if n >= bits { 0 } else { v << n }),
        shift!("bitwise_right_shift", |v, n, bits| {
            if n >= bits { 0 } else { ((v as u64 & (u64::MAX >> (64 - bits))) >> n) as i64 }
        }),
        shift!("bitwise_right_shift_arithmetic", |v, n, bits| v >> n.min(bits - 1)),
        bits!("bit_count", 2, |v| {
            let bits = v[1].clamp(2, 64) as u32;
            i64::from((v[0] as u64 & (u64::MAX >> (64 - bits))).count_ones())
        }),
    ];
    all.into_iter().map(udf).collect()
}

fn bits(args: &[ArrayRef], of: fn(&[i64]) -> i64) -> Result<ArrayRef, Failure> {
    let done: Int64Array = (0..rows(args))
        .map(|row| {
            let values: Option<Vec<i64>> = args.iter().map(|a| whole(a, row)).collect();
            values.map(|v| of(&v))
        })
        .collect();
    Ok(Arc::new(done))
}

/// Bits moved within the width of the first argument's type; `of` takes value, places and width.
fn shifted(args: &[ArrayRef], kind: &DataType, of: fn(i64, u32, u32) -> i64) -> Result<ArrayRef, Failure> {
    let bits = kind.primitive_width().map_or(64, |bytes| bytes as u32 * 8);
    collect(kind, rows(args), |row| {
        let (Some(value), Some(places)) = (whole(&args[0], row), whole(&args[1], row)) else {
            return Ok(None);
        };
        // Within 0 and 64.
        let moved = of(value, places.clamp(0, 64) as u32, bits);
        Ok(Some(match kind {
            DataType::Int8 => ScalarValue::Int8(Some(moved as i8)),
            DataType::Int16 => ScalarValue::Int16(Some(moved as i16)),
            DataType::Int32 => ScalarValue::Int32(Some(moved as i32)),
            _ => ScalarValue::Int64(Some(moved)),
        }))
    })
}
