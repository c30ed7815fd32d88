//! `sum` and `avg` of decimals with Trino's result types: decimal(38,s) and the type of the values.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::compute;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature,
};

/// The engine's aggregate with another result type for decimals.
pub fn of(inner: Arc<AggregateUDF>) -> AggregateUDF {
    AggregateUDF::new_from_impl(Exact { inner })
}

#[derive(Debug)]
struct Exact {
    inner: Arc<AggregateUDF>,
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

impl Exact {
    /// The result field that the inner function would have.
    fn inner_field(&self, inputs: &[FieldRef], ours: &FieldRef) -> Result<FieldRef> {
        let types: Vec<DataType> = inputs.iter().map(|f| f.data_type().clone()).collect();
        let kind = self.inner.return_type(&types)?;
        Ok(Arc::new(Field::new(ours.name(), kind, true)))
    }
}

/// Calls `$body` with the arguments that the inner function expects.
macro_rules! inner {
    ($self:ident, $args:ident, $call:ident) => {{
        let field = $self.inner_field($args.expr_fields, &$args.return_field)?;
        $self.inner.$call(AccumulatorArgs { return_field: field, ..$args })
    }};
}

impl AggregateUDFImpl for Exact {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [DataType::Decimal128(_, s)] if self.name() == "sum" => Ok(DataType::Decimal128(38, *s)),
            [decimal @ DataType::Decimal128(..)] => Ok(decimal.clone()),
            _ => self.inner.return_type(types),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let field = self.inner_field(args.input_fields, &args.return_field)?;
        self.inner.state_fields(StateFieldsArgs { return_field: field, ..args })
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let kind = args.return_field.data_type().clone();
        Ok(Box::new(One { inner: inner!(self, args, accumulator)?, kind }))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let kind = args.return_field.data_type().clone();
        Ok(Box::new(One { inner: inner!(self, args, create_sliding_accumulator)?, kind }))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        match self.inner_field(args.expr_fields, &args.return_field) {
            Ok(field) => {
                self.inner.groups_accumulator_supported(AccumulatorArgs { return_field: field, ..args })
            }
            Err(_) => false,
        }
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        let kind = args.return_field.data_type().clone();
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
        self.inner.update_batch(values)
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
        self.inner.retract_batch(values)
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
        self.inner.update_batch(values, groups, filter, total)
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
        self.inner.convert_to_state(values, filter)
    }

    fn size(&self) -> usize {
        self.inner.size()
    }
}
