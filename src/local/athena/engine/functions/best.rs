//! `max_by` and `min_by`: the value beside the greatest or the least key.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

use super::lists::compare;

pub fn all() -> Vec<AggregateUDF> {
    [("max_by", Ordering::Greater), ("min_by", Ordering::Less)]
        .into_iter()
        .map(|(name, wanted)| {
            let signature = Signature::any(2, Volatility::Immutable);
            AggregateUDF::new_from_impl(Best { name, wanted, signature })
        })
        .collect()
}

#[derive(Debug)]
struct Best {
    name: &'static str,
    /// How a better key compares with a known one.
    wanted: Ordering,
    signature: Signature,
}

impl PartialEq for Best {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Best {}

impl Hash for Best {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl AggregateUDFImpl for Best {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types[0].clone())
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let named = |n: usize, name: &str| {
            let kind = args.input_fields[n].data_type().clone();
            Arc::new(Field::new(format!("{}[{name}]", args.name), kind, true))
        };
        Ok(vec![named(0, "value"), named(1, "key")])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let null = |n: usize| ScalarValue::try_from(args.expr_fields[n].data_type());
        Ok(Box::new(Known { wanted: self.wanted, value: null(0)?, key: null(1)? }))
    }
}

#[derive(Debug)]
struct Known {
    wanted: Ordering,
    value: ScalarValue,
    /// NULL as long as nothing is known.
    key: ScalarValue,
}

impl Known {
    fn take(&mut self, values: &ArrayRef, keys: &ArrayRef) -> Result<()> {
        let mut best = None;
        for row in 0..keys.len() {
            if keys.is_null(row) {
                continue;
            }
            let key = ScalarValue::try_from_array(keys, row)?;
            if self.key.is_null() || compare(&key, &self.key) == self.wanted {
                self.key = key;
                best = Some(row);
            }
        }
        if let Some(row) = best {
            self.value = ScalarValue::try_from_array(values, row)?;
        }
        Ok(())
    }
}

impl Accumulator for Known {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.take(&values[0], &values[1])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.take(&states[0], &states[1])
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.value.clone(), self.key.clone()])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.value.clone())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.value.size() + self.key.size()
    }
}
