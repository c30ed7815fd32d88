//! `sum` of whole numbers and decimals, which fails where the engine's own would begin again at the other
//! end. <https://github.com/trinodb/trino/blob/master/core/trino-main/src/main/java/io/trino/operator/aggregation/LongSumAggregation.java>

use std::sync::Arc;

use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::types::{Decimal128Type, Int64Type};
use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, Decimal128Array, Int64Array, UInt32Array};
use datafusion::arrow::compute;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use crate::local::athena::engine::scan::fail;
use crate::local::athena::failure::Failure;

/// The least number of 39 digits.
const TOO_LARGE: u128 = 10u128.pow(38);

/// Whether sums of this type are ours.
pub fn of(kind: &DataType) -> bool {
    matches!(kind, DataType::Int64 | DataType::Decimal128(..))
}

fn out_of_range(message: String) -> datafusion::error::DataFusionError {
    fail(Failure::new("NUMERIC_VALUE_OUT_OF_RANGE", message))
}

/// One number more. Decimals may be too large on the way, and not in the end.
fn add(sum: i128, value: i128, kind: &DataType) -> Result<i128> {
    match kind {
        DataType::Int64 => {
            let all = sum + value;
            match i64::try_from(all) {
                Ok(_) => Ok(all),
                Err(_) => Err(out_of_range(format!("bigint addition overflow: {sum} + {value}"))),
            }
        }
        _ => sum.checked_add(value).ok_or_else(|| out_of_range("Decimal overflow".into())),
    }
}

/// Fails for a decimal of more than 38 digits.
fn whole(sum: i128) -> Result<i128> {
    if sum.unsigned_abs() < TOO_LARGE { Ok(sum) } else { Err(out_of_range("Decimal overflow".into())) }
}

/// Fails for what is no bigint: of a window, the sum without its least values may be too large although the
/// one with them was not.
fn bigint(sum: i128) -> Result<i64> {
    i64::try_from(sum).map_err(|_| out_of_range(format!("bigint addition overflow: {sum}")))
}

/// Calls `each` with the rows that have a value.
fn visit(values: &ArrayRef, mut each: impl FnMut(usize, i128) -> Result<()>) -> Result<()> {
    let valid = |row: usize| values.is_valid(row);
    match values.data_type() {
        DataType::Int64 => {
            let numbers = values.as_primitive::<Int64Type>().values();
            (0..numbers.len()).filter(|row| valid(*row)).try_for_each(|row| each(row, numbers[row].into()))
        }
        DataType::Decimal128(..) => {
            let numbers = values.as_primitive::<Decimal128Type>().values();
            (0..numbers.len()).filter(|row| valid(*row)).try_for_each(|row| each(row, numbers[row]))
        }
        DataType::Null => Ok(()),
        other => Err(fail(Failure::internal(format!("a sum of {other}")))),
    }
}

/// The sum of one group.
#[derive(Debug)]
pub struct Sum {
    kind: DataType,
    sum: i128,
    /// How many values it is the sum of: of none it is NULL.
    count: u64,
}

impl Sum {
    pub fn new(kind: DataType) -> Sum {
        Sum { kind, sum: 0, count: 0 }
    }
}

impl Accumulator for Sum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        visit(&values[0], |_, value| {
            self.sum = add(self.sum, value, &self.kind)?;
            self.count += 1;
            Ok(())
        })
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let sum = (self.count > 0).then_some(self.sum);
        match self.kind {
            DataType::Decimal128(p, s) => Ok(ScalarValue::Decimal128(sum.map(whole).transpose()?, p, s)),
            _ => Ok(ScalarValue::Int64(sum.map(bigint).transpose()?)),
        }
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        visit(&values[0], |_, value| {
            self.sum -= value;
            self.count -= 1;
            Ok(())
        })
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn size(&self) -> usize {
        size_of::<Sum>()
    }
}

/// The sums of many groups; `None` for a group without values.
pub struct Sums {
    kind: DataType,
    sums: Vec<Option<i128>>,
}

impl Sums {
    pub fn new(kind: DataType) -> Sums {
        Sums { kind, sums: Vec::new() }
    }
}

impl GroupsAccumulator for Sums {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.sums.resize(total, None);
        visit(&values[0], |row, value| {
            if filter.is_none_or(|f| f.is_valid(row) && f.value(row)) {
                let sum = &mut self.sums[groups[row]];
                *sum = Some(add(sum.unwrap_or(0), value, &self.kind)?);
            }
            Ok(())
        })
    }

    fn merge_batch(&mut self, values: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.update_batch(values, groups, None, total)
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let sums = emit.take_needed(&mut self.sums).into_iter();
        match self.kind {
            DataType::Decimal128(p, s) => {
                let sums = sums.map(|sum| sum.map(whole).transpose()).collect::<Result<Decimal128Array>>()?;
                Ok(Arc::new(sums.with_precision_and_scale(p, s)?))
            }
            _ => {
                let sums = sums.map(|sum| sum.map(bigint).transpose());
                Ok(Arc::new(sums.collect::<Result<Int64Array>>()?))
            }
        }
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit)?])
    }

    /// Each value is a sum of itself.
    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let counts = |row: usize| filter.is_none_or(|f| f.is_valid(row) && f.value(row));
        let rows: UInt32Array =
            (0..values[0].len() as u32).map(|row| counts(row as usize).then_some(row)).collect();
        Ok(vec![compute::cast(&compute::take(&values[0], &rows, None)?, &self.kind)?])
    }

    fn size(&self) -> usize {
        self.sums.capacity() * size_of::<Option<i128>>()
    }
}
