//! Functions over lambdas that the engine does not have: `reduce` and `try`.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, UInt32Array};
use datafusion::arrow::compute;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature, HigherOrderUDF,
    HigherOrderUDFImpl, LambdaArgument, LambdaParametersProgress, ValueOrLambda, Volatility,
};

use super::arrays::list;
use super::cast::convert;
use crate::local::athena::engine::scan::fail;
use crate::local::athena::engine::threads;
use crate::local::athena::failure::Failure;

pub fn all() -> Vec<HigherOrderUDF> {
    let signature = || HigherOrderSignature::variadic_any(Volatility::Immutable);
    vec![
        HigherOrderUDF::new_from_impl(Try { signature: signature() }),
        HigherOrderUDF::new_from_impl(Reduce { signature: signature() }),
    ]
}

macro_rules! same_by {
    ($kind:ty, |$it:pat_param| $key:expr) => {
        impl PartialEq for $kind {
            fn eq(&self, other: &Self) -> bool {
                let key = |$it: &$kind| $key;
                key(self) == key(other)
            }
        }

        impl Eq for $kind {}

        impl Hash for $kind {
            fn hash<H: Hasher>(&self, state: &mut H) {
                let key = |$it: &$kind| $key;
                key(self).hash(state);
            }
        }
    };
}
pub(super) use same_by;

pub fn misused(name: &str) -> datafusion::error::DataFusionError {
    fail(Failure::new("FUNCTION_NOT_FOUND", format!("Unexpected parameters for function {name}")))
}

pub fn lambda(args: &HigherOrderFunctionArgs, n: usize) -> Option<&LambdaArgument> {
    match args.args.get(n) {
        Some(ValueOrLambda::Lambda(lambda)) => Some(lambda),
        _ => None,
    }
}

pub fn value(args: &HigherOrderFunctionArgs, n: usize) -> Result<Option<ArrayRef>> {
    match args.args.get(n) {
        Some(ValueOrLambda::Value(value)) => value.to_array(args.number_rows).map(Some),
        _ => Ok(None),
    }
}

/// Of a function of a value and a lambda, which takes that value or nothing.
pub fn first_parameter(
    fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    function: &str,
) -> Result<LambdaParametersProgress> {
    match fields.first() {
        Some(ValueOrLambda::Value(field)) => {
            Ok(LambdaParametersProgress::Complete(vec![vec![field.clone()]]))
        }
        _ => Err(misused(function)),
    }
}

/// `TRY(x)`, as `$try(1, $nothing -> x)`: where x fails for a row, NULL.
#[derive(Debug)]
struct Try {
    signature: HigherOrderSignature,
}

same_by!(Try, |_| "$try");

impl HigherOrderUDFImpl for Try {
    fn name(&self) -> &str {
        "$try"
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn lambda_parameters(
        &self,
        _: usize,
        fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        first_parameter(fields, "try")
    }

    fn return_field_from_args(&self, args: HigherOrderReturnFieldArgs) -> Result<FieldRef> {
        match args.arg_fields.get(1) {
            Some(ValueOrLambda::Lambda(field)) => {
                Ok(Arc::new(Field::new("", field.data_type().clone(), true)))
            }
            _ => Err(misused("try")),
        }
    }

    fn invoke_with_args(&self, args: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        let (Some(rows), Some(body)) = (value(&args, 0)?, lambda(&args, 1)) else {
            return Err(misused("try"));
        };
        let all = body.evaluate(&[&|| Ok(rows.clone())], |captured| Ok(captured.to_vec()));
        if let Ok(whole) = all.and_then(|v| v.into_array(args.number_rows)) {
            return Ok(ColumnarValue::Array(whole));
        }
        // Some row fails: find out which.
        let null = ScalarValue::try_from(args.return_field.data_type())?;
        let mut values = Vec::with_capacity(args.number_rows);
        for row in 0..args.number_rows {
            threads::check().map_err(fail)?;
            let one = rows.slice(row, 1);
            let tried = body
                .evaluate(&[&|| Ok(one.clone())], |captured| {
                    Ok(captured.iter().map(|c| c.slice(row, 1)).collect())
                })
                .and_then(|v| v.into_array(1))
                .and_then(|array| ScalarValue::try_from_array(&array, 0));
            values.push(tried.unwrap_or_else(|_| null.clone()));
        }
        if values.is_empty() {
            return Ok(ColumnarValue::Scalar(null));
        }
        Ok(ColumnarValue::Array(ScalarValue::iter_to_array(values)?))
    }
}

/// `reduce(array, start, (state, x) -> …, state -> …)`.
#[derive(Debug)]
struct Reduce {
    signature: HigherOrderSignature,
}

same_by!(Reduce, |_| "reduce");

impl HigherOrderUDFImpl for Reduce {
    fn name(&self) -> &str {
        "reduce"
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn lambda_parameters(
        &self,
        _: usize,
        fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        let [
            ValueOrLambda::Value(list),
            ValueOrLambda::Value(start),
            ValueOrLambda::Lambda(_),
            ValueOrLambda::Lambda(_),
        ] = fields
        else {
            return Err(misused("reduce"));
        };
        let element = match list.data_type() {
            DataType::List(of) | DataType::LargeList(of) | DataType::FixedSizeList(of, _) => {
                of.data_type().clone()
            }
            _ => return Err(misused("reduce")),
        };
        let state: FieldRef = Arc::new(Field::new("state", start.data_type().clone(), true));
        let element = Arc::new(Field::new("element", element, true));
        Ok(LambdaParametersProgress::Complete(vec![vec![state.clone(), element], vec![state]]))
    }

    fn return_field_from_args(&self, args: HigherOrderReturnFieldArgs) -> Result<FieldRef> {
        match args.arg_fields.get(3) {
            Some(ValueOrLambda::Lambda(field)) => {
                Ok(Arc::new(Field::new("", field.data_type().clone(), true)))
            }
            _ => Err(misused("reduce")),
        }
    }

    /// What stands behind a NULL is not looked at, and need not be cleared away.
    fn clear_null_values(&self) -> bool {
        false
    }

    fn invoke_with_args(&self, args: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        // A list that is the same for all rows is not repeated for each of them.
        let (lists, same) = match args.args.first() {
            Some(ValueOrLambda::Value(ColumnarValue::Scalar(one))) => (Some(one.to_array()?), true),
            _ => (value(&args, 0)?, false),
        };
        let (Some(lists), Some(start), Some(step), Some(finish)) =
            (lists, value(&args, 1)?, lambda(&args, 2), lambda(&args, 3))
        else {
            return Err(misused("reduce"));
        };
        let lists = list(&lists).map_err(fail)?;
        let of = |row: u32| if same { 0 } else { row as usize };
        let all = 0..args.number_rows as u32;
        let offsets = lists.value_offsets();
        let kind = start.data_type().clone();
        let mut state = start;
        let longest = (0..lists.len()).map(|row| lists.value_length(row)).max().unwrap_or(0);
        for n in 0..longest {
            threads::check().map_err(fail)?;
            let goes_on = |row: u32| lists.is_valid(of(row)) && lists.value_length(of(row)) > n;
            let rows: Vec<u32> = all.clone().filter(|row| goes_on(*row)).collect();
            let places: UInt32Array = rows.iter().map(|row| (offsets[of(*row)] + n) as u32).collect();
            let rows = UInt32Array::from(rows);
            let elements = compute::take(lists.values(), &places, None)?;
            let before = compute::take(&state, &rows, None)?;
            let after = step
                .evaluate(&[&|| Ok(before.clone()), &|| Ok(elements.clone())], |captured| {
                    captured.iter().map(|c| Ok(compute::take(c, &rows, None)?)).collect()
                })?
                .into_array(rows.len())?;
            let after = convert(&after, &kind, false).map_err(fail)?;
            // Rows that are done keep their state.
            let mut from: Vec<(usize, usize)> = (0..state.len()).map(|row| (0, row)).collect();
            for (place, row) in rows.values().iter().enumerate() {
                from[*row as usize] = (1, place);
            }
            state = compute::interleave(&[&*state, &*after], &from)?;
        }
        let done = finish.evaluate(&[&|| Ok(state.clone())], |captured| Ok(captured.to_vec()))?;
        let done = done.into_array(args.number_rows)?;
        // A NULL array has no value.
        let nulls: UInt32Array = all.map(|row| lists.is_valid(of(row)).then_some(row)).collect();
        Ok(ColumnarValue::Array(compute::take(&done, &nulls, None)?))
    }
}
