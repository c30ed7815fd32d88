//! Functions that run a subquery for each row of its outer query.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::expr::SetQuantifier;
use datafusion::logical_expr::{ColumnarValue, Operator, ScalarFunctionArgs, ScalarUDFImpl, Signature};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use futures::StreamExt;

use super::scan::fail;
use super::threads;
use crate::local::athena::failure::Failure;

/// The values of the outer row a subquery currently runs for.
pub type Cell = Arc<Mutex<Vec<ScalarValue>>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wants {
    /// The one value of the one row.
    Value,
    /// Whether there is a row.
    Existence,
    /// Whether the last argument is among the values.
    Membership,
    /// Whether the last argument compares with some value, or with all of them.
    Comparison(Operator, SetQuantifier),
}

/// A value of the outer row.
#[derive(Debug)]
pub struct Outer {
    pub n: usize,
    pub name: String,
    pub kind: DataType,
    pub cell: Cell,
    pub signature: Signature,
}

impl PartialEq for Outer {
    fn eq(&self, other: &Self) -> bool {
        self.n == other.n && Arc::ptr_eq(&self.cell, &other.cell)
    }
}

impl Eq for Outer {}

impl Hash for Outer {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.n, Arc::as_ptr(&self.cell) as usize).hash(state);
    }
}

impl ScalarUDFImpl for Outer {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.kind.clone())
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let values = self.cell.lock().unwrap_or_else(PoisonError::into_inner);
        match values.get(self.n) {
            Some(value) => Ok(ColumnarValue::Scalar(value.clone())),
            None => Err(fail(Failure::internal("a subquery ran without its outer row"))),
        }
    }
}

/// Runs a subquery for each row of its arguments.
pub struct Apply {
    pub wants: Wants,
    pub kind: DataType,
    pub plan: Arc<dyn ExecutionPlan>,
    pub task: Arc<TaskContext>,
    pub cell: Cell,
    pub turn: Arc<Mutex<()>>,
    /// Whether the subquery reads a table, and not only its outer row.
    pub reads: bool,
    pub signature: Signature,
}

impl std::fmt::Debug for Apply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Apply({:?})", self.wants)
    }
}

impl PartialEq for Apply {
    fn eq(&self, other: &Self) -> bool {
        self.wants == other.wants && Arc::ptr_eq(&self.cell, &other.cell)
    }
}

impl Eq for Apply {}

impl Hash for Apply {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.wants, Arc::as_ptr(&self.cell) as usize).hash(state);
    }
}

impl Apply {
    fn run(&self) -> Result<Vec<ArrayRef>> {
        let plan = reset_plan_states(self.plan.clone())?;
        let mut stream = plan.execute(0, self.task.clone())?;
        let mut columns = Vec::new();
        // Within a task that waits here, a budget for cooperation would never be filled again.
        let all = tokio::task::unconstrained(async {
            while let Some(batch) = stream.next().await {
                let batch = batch?;
                if batch.num_rows() > 0 {
                    columns.push(batch.column(0).clone());
                    if self.wants == Wants::Existence {
                        break;
                    }
                }
            }
            Ok(columns)
        });
        match tokio::runtime::Handle::try_current() {
            // Objects are read by other tasks, which go on while this one waits.
            Ok(runtime) if self.reads => tokio::task::block_in_place(|| runtime.block_on(all)),
            _ => futures::executor::block_on(all),
        }
    }

    fn answer(&self, columns: &[ArrayRef], wanted: Option<&ScalarValue>) -> Result<ScalarValue> {
        let rows: usize = columns.iter().map(|c| c.len()).sum();
        match self.wants {
            Wants::Existence => Ok(ScalarValue::Boolean(Some(rows > 0))),
            Wants::Value if rows > 1 => Err(fail(Failure::new(
                "SUBQUERY_MULTIPLE_ROWS",
                "Scalar sub-query has returned multiple rows",
            ))),
            Wants::Value => match columns.first() {
                Some(column) => ScalarValue::try_from_array(column, 0),
                None => ScalarValue::try_from(&self.kind),
            },
            Wants::Membership => {
                let Some(wanted) = wanted.filter(|w| !w.is_null()) else {
                    return Ok(ScalarValue::Boolean(if rows == 0 { Some(false) } else { None }));
                };
                let mut unknown = false;
                for column in columns {
                    for row in 0..column.len() {
                        let value = ScalarValue::try_from_array(column, row)?.cast_to(&wanted.data_type())?;
                        if value == *wanted {
                            return Ok(ScalarValue::Boolean(Some(true)));
                        }
                        unknown |= value.is_null();
                    }
                }
                Ok(ScalarValue::Boolean((!unknown).then_some(false)))
            }
            Wants::Comparison(op, quantifier) => {
                let all = quantifier == SetQuantifier::All;
                let Some(wanted) = wanted else { return Ok(ScalarValue::Boolean(None)) };
                let mut unknown = false;
                for column in columns {
                    for row in 0..column.len() {
                        let value = ScalarValue::try_from_array(column, row)?.cast_to(&wanted.data_type())?;
                        match holds(op, wanted, &value) {
                            Some(held) if held != all => return Ok(ScalarValue::Boolean(Some(held))),
                            Some(_) => {}
                            None => unknown = true,
                        }
                    }
                }
                Ok(ScalarValue::Boolean((!unknown).then_some(all)))
            }
        }
    }
}

impl ScalarUDFImpl for Apply {
    fn name(&self) -> &str {
        "$subquery"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.kind.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        // The cell holds the values of one row at a time: batches take turns.
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let arrays: Vec<ArrayRef> =
            args.args.iter().map(|a| a.to_array(args.number_rows)).collect::<Result<_>>()?;
        let compares = matches!(self.wants, Wants::Membership | Wants::Comparison(..));
        // A subquery that uses nothing of its outer row is run once.
        let fixed = arrays.len() == usize::from(compares);
        let mut known: Option<Vec<ArrayRef>> = None;
        let mut answers = Vec::with_capacity(args.number_rows);
        for row in 0..args.number_rows {
            threads::check().map_err(fail)?;
            let mut values =
                arrays.iter().map(|a| ScalarValue::try_from_array(a, row)).collect::<Result<Vec<_>>>()?;
            let wanted = if compares { values.pop() } else { None };
            let columns = match known.take().filter(|_| fixed) {
                Some(columns) => columns,
                None => {
                    *self.cell.lock().unwrap_or_else(PoisonError::into_inner) = values;
                    self.run()?
                }
            };
            answers.push(self.answer(&columns, wanted.as_ref())?);
            known = Some(columns);
        }
        if answers.is_empty() {
            return Ok(ColumnarValue::Array(datafusion::arrow::array::new_empty_array(&self.kind)));
        }
        Ok(ColumnarValue::Array(ScalarValue::iter_to_array(answers)?))
    }
}

/// Whether `left op right`; `None` when it is unknown.
fn holds(op: Operator, left: &ScalarValue, right: &ScalarValue) -> Option<bool> {
    if left.is_null() || right.is_null() {
        return None;
    }
    let order = left.partial_cmp(right)?;
    Some(match op {
        Operator::Eq => order.is_eq(),
        Operator::NotEq => order.is_ne(),
        Operator::Lt => order.is_lt(),
        Operator::LtEq => order.is_le(),
        Operator::Gt => order.is_gt(),
        Operator::GtEq => order.is_ge(),
        _ => return None,
    })
}
