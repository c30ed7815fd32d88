//! `sum` and `avg` with Trino's result types: of decimals decimal(38,s) and the type of the values, of `real`
//! again `real`.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::compute;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};

use super::sums::{self, Sum, Sums};

/// The engine's aggregate with other result types.
pub fn of(inner: Arc<AggregateUDF>) -> AggregateUDF {
    AggregateUDF::new_from_impl(Exact { inner, signature: Signature::user_defined(Volatility::Immutable) })
}

#[derive(Debug)]
struct Exact {
    inner: Arc<AggregateUDF>,
    signature: Signature,
}

impl PartialEq for Exact {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl Eq for Exact {}

impl Hash for Exact {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

/// The fields that the inner function is given: what it does with `real` it does with doubles.
fn widened(inputs: &[FieldRef]) -> Vec<FieldRef> {
    let wide = |field: &FieldRef| match field.data_type() {
        DataType::Float32 => Arc::new(field.as_ref().clone().with_data_type(DataType::Float64)),
        _ => field.clone(),
    };
    inputs.iter().map(wide).collect()
}

/// The values that the inner function is given.
fn wide(values: &[ArrayRef]) -> Result<Vec<ArrayRef>> {
    let wide = |values: &ArrayRef| match values.data_type() {
        DataType::Float32 => compute::cast(values, &DataType::Float64),
        _ => Ok(values.clone()),
    };
    Ok(values.iter().map(wide).collect::<Result<_, _>>()?)
}

impl Exact {
    /// Whether it is a sum of our own.
    fn is_sum(&self, distinct: bool, kind: &DataType) -> bool {
        self.name() == "sum" && !distinct && sums::of(kind)
    }

    /// The result field that the inner function would have.
    fn inner_field(&self, inputs: &[FieldRef], ours: &FieldRef) -> Result<FieldRef> {
        let types: Vec<DataType> = widened(inputs).iter().map(|f| f.data_type().clone()).collect();
        let kind = self.inner.return_type(&types)?;
        Ok(Arc::new(Field::new(ours.name(), kind, true)))
    }
}

/// Calls `$body` with the arguments that the inner function expects.
macro_rules! inner {
    ($self:ident, $args:ident, $call:ident) => {{
        let field = $self.inner_field($args.expr_fields, &$args.return_field)?;
        let inputs = widened($args.expr_fields);
        $self.inner.$call(AccumulatorArgs { return_field: field, expr_fields: &inputs, ..$args })
    }};
}

impl AggregateUDFImpl for Exact {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        if types == [DataType::Float32] {
            return Ok(types.to_vec());
        }
        let fields: Vec<FieldRef> =
            types.iter().map(|t| Arc::new(Field::new("", t.clone(), true)) as FieldRef).collect();
        let coerced = fields_with_udf(&fields, self.inner.as_ref())?;
        Ok(coerced.iter().map(|f| f.data_type().clone()).collect())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [DataType::Decimal128(_, s)] if self.name() == "sum" => Ok(DataType::Decimal128(38, *s)),
            [same @ (DataType::Decimal128(..) | DataType::Float32)] => Ok(same.clone()),
            _ => self.inner.return_type(types),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        if self.is_sum(args.is_distinct, args.return_field.data_type()) {
            let kind = args.return_field.data_type().clone();
            return Ok(vec![Arc::new(Field::new(format!("{}[sum]", args.name), kind, true))]);
        }
        let field = self.inner_field(args.input_fields, &args.return_field)?;
        let inputs = widened(args.input_fields);
        self.inner.state_fields(StateFieldsArgs { return_field: field, input_fields: &inputs, ..args })
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let kind = args.return_field.data_type().clone();
        if self.is_sum(args.is_distinct, &kind) {
            return Ok(Box::new(Sum::new(kind)));
        }
        Ok(Box::new(One { inner: inner!(self, args, accumulator)?, kind }))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let kind = args.return_field.data_type().clone();
        if self.is_sum(args.is_distinct, &kind) {
            return Ok(Box::new(Sum::new(kind)));
        }
        Ok(Box::new(One { inner: inner!(self, args, create_sliding_accumulator)?, kind }))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        match self.inner_field(args.expr_fields, &args.return_field) {
            Ok(field) => {
                let inputs = widened(args.expr_fields);
                let args = AccumulatorArgs { return_field: field, expr_fields: &inputs, ..args };
                self.inner.groups_accumulator_supported(args)
            }
            Err(_) => false,
        }
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        let kind = args.return_field.data_type().clone();
        if self.is_sum(args.is_distinct, &kind) {
            return Ok(Box::new(Sums::new(kind)));
        }
        Ok(Box::new(Many { inner: inner!(self, args, create_groups_accumulator)?, kind }))
    }
}

#[derive(Debug)]
struct One {
    inner: Box<dyn Accumulator>,
    kind: DataType,
}

impl Accumulator for One {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.update_batch(&wide(values)?)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.inner.merge_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.inner.state()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.inner.evaluate()?.cast_to(&self.kind)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.retract_batch(&wide(values)?)
    }

    fn supports_retract_batch(&self) -> bool {
        self.inner.supports_retract_batch()
    }

    fn size(&self) -> usize {
        self.inner.size()
    }
}

struct Many {
    inner: Box<dyn GroupsAccumulator>,
    kind: DataType,
}

impl GroupsAccumulator for Many {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&datafusion::arrow::array::BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.inner.update_batch(&wide(values)?, groups, filter, total)
    }

    fn merge_batch(&mut self, values: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.inner.merge_batch(values, groups, total)
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        Ok(compute::cast(&self.inner.evaluate(emit)?, &self.kind)?)
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        self.inner.state(emit)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&datafusion::arrow::array::BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        self.inner.convert_to_state(&wide(values)?, filter)
    }

    fn size(&self) -> usize {
        self.inner.size()
    }
}
