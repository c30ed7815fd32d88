//! The frame of our scalar functions: a check of the argument types, and a loop over rows.

use std::hash::{Hash, Hasher};

use datafusion::arrow::array::{Array, ArrayRef, new_empty_array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

use crate::local::athena::engine::scan::fail;
use crate::local::athena::engine::{arrow, known, threads};
use crate::local::athena::failure::Failure;

/// A function: how its result type follows from its argument types, and what it does with arrays of
/// equal length.
#[derive(Clone, Copy)]
pub struct Native {
    pub name: &'static str,
    pub least: usize,
    pub most: usize,
    /// `Err` when the types do not fit; the text says what would.
    pub returns: fn(&[DataType]) -> Result<DataType, &'static str>,
    pub eval: fn(&[ArrayRef], &DataType) -> Result<ArrayRef, Failure>,
}

/// A function as the engine registers it.
pub fn udf(native: Native) -> ScalarUDF {
    let signature = match (native.least, native.most) {
        (0, 0) => Signature::nullary(Volatility::Immutable),
        (0, _) => {
            Signature::one_of(vec![TypeSignature::Nullary, TypeSignature::VariadicAny], Volatility::Immutable)
        }
        _ => Signature::variadic_any(Volatility::Immutable),
    };
    ScalarUDF::new_from_impl(Registered { native, signature })
}

struct Registered {
    native: Native,
    signature: Signature,
}

impl std::fmt::Debug for Registered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.native.name)
    }
}

impl PartialEq for Registered {
    fn eq(&self, other: &Self) -> bool {
        self.native.name == other.native.name
    }
}

impl Eq for Registered {}

impl Hash for Registered {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.native.name.hash(state);
    }
}

impl ScalarUDFImpl for Registered {
    fn name(&self) -> &str {
        self.native.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let native = &self.native;
        let expected = if types.len() < native.least || types.len() > native.most {
            String::new()
        } else {
            match (native.returns)(types) {
                Ok(kind) => return Ok(kind),
                Err(expected) if expected.contains('(') => format!(" Expected: {expected}"),
                // What alone is said are the types.
                Err(expected) => format!(" Expected: {}({expected})", known::trinos(native.name)),
            }
        };
        let given: Vec<String> = types.iter().map(|t| arrow::from(t).trino()).collect();
        let name = known::trinos(native.name);
        Err(fail(Failure::new(
            "FUNCTION_NOT_FOUND",
            format!("Unexpected parameters ({}) for function {name}.{expected}", given.join(", ")),
        )))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        threads::check().map_err(fail)?;
        let constant = args.args.iter().all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let result = (self.native.eval)(&arrays, args.return_field.data_type()).map_err(fail)?;
        Ok(if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?)
        } else {
            ColumnarValue::Array(result)
        })
    }
}

pub fn wrong(error: impl std::fmt::Display) -> Failure {
    Failure::internal(error.to_string())
}

/// The length of the arguments.
pub fn rows(arrays: &[ArrayRef]) -> usize {
    arrays.first().map_or(1, |a| a.len())
}

/// The value of a row.
pub fn at(array: &ArrayRef, row: usize) -> Result<ScalarValue, Failure> {
    ScalarValue::try_from_array(array, row).map_err(wrong)
}

/// An array of `kind` from one value per row; `None` is NULL.
pub fn collect(
    kind: &DataType,
    rows: usize,
    mut each: impl FnMut(usize) -> Result<Option<ScalarValue>, Failure>,
) -> Result<ArrayRef, Failure> {
    if rows == 0 {
        return Ok(new_empty_array(kind));
    }
    let null = ScalarValue::try_from(kind).map_err(wrong)?;
    let mut values = Vec::with_capacity(rows);
    for row in 0..rows {
        threads::check()?;
        values.push(each(row)?.unwrap_or_else(|| null.clone()));
    }
    ScalarValue::iter_to_array(values).map_err(wrong)
}

/// The text of a row; `None` for NULL.
pub fn text(array: &ArrayRef, row: usize) -> Option<&str> {
    use datafusion::arrow::array::cast::AsArray;
    if array.is_null(row) {
        return None;
    }
    match array.data_type() {
        DataType::Utf8 => Some(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Some(array.as_string::<i64>().value(row)),
        DataType::Utf8View => Some(array.as_string_view().value(row)),
        _ => None,
    }
}

/// The whole number of a row; `None` for NULL.
pub fn whole(array: &ArrayRef, row: usize) -> Option<i64> {
    use datafusion::arrow::array::cast::AsArray;
    use datafusion::arrow::array::types::*;
    if array.is_null(row) {
        return None;
    }
    match array.data_type() {
        DataType::Int64 => Some(array.as_primitive::<Int64Type>().value(row)),
        DataType::Int32 => Some(array.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int16 => Some(array.as_primitive::<Int16Type>().value(row).into()),
        DataType::Int8 => Some(array.as_primitive::<Int8Type>().value(row).into()),
        DataType::UInt64 => i64::try_from(array.as_primitive::<UInt64Type>().value(row)).ok(),
        DataType::UInt32 => Some(array.as_primitive::<UInt32Type>().value(row).into()),
        _ => None,
    }
}

pub fn is_text(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8 | DataType::Utf8View | DataType::Null)
}

pub fn is_whole(kind: &DataType) -> bool {
    kind.is_integer() || kind == &DataType::Null
}

pub fn argument(message: impl Into<String>) -> Failure {
    Failure::new("INVALID_FUNCTION_ARGUMENT", message)
}
