//! Subqueries over an array of the outer row: `(SELECT min(x.d) FROM UNNEST(t.a) AS u(x))`.
//!
//! The engine cannot join such a subquery to its outer row, so it is run for every row: its plan is
//! made once, the values of the outer row are put in before each run.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue};
use datafusion::execution::{SessionState, TaskContext};
use datafusion::logical_expr::expr::InSubquery;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Subquery,
    Volatility,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use futures::StreamExt;
use futures::future::BoxFuture;

use super::scan::fail;
use crate::local::athena::failure::Failure;

/// The values of the outer row a subquery currently runs for.
type Cell = Arc<Mutex<Vec<ScalarValue>>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Wants {
    /// The one value of the one row.
    Value,
    /// Whether there is a row.
    Existence,
    /// Whether the last argument is among the values.
    Membership,
}

/// Replaces such subqueries everywhere in a plan.
pub fn rewrite<'a>(plan: LogicalPlan, state: &'a SessionState) -> BoxFuture<'a, Result<LogicalPlan>> {
    Box::pin(async move {
        // First their plans, which takes waiting; then the rewriting, which does not.
        let mut found: Vec<Subquery> = Vec::new();
        plan.apply(|node| {
            node.apply_expressions(|expr| {
                expr.apply(|e| {
                    if let Some(subquery) = of(e)
                        && is_row_wise(subquery)
                        && !found.contains(subquery)
                    {
                        found.push(subquery.clone());
                    }
                    Ok(TreeNodeRecursion::Continue)
                })
            })
        })?;
        if found.is_empty() {
            return Ok(plan);
        }
        let mut ready = Vec::new();
        for subquery in found {
            ready.push((subquery.clone(), prepare(subquery, state).await?));
        }
        let replaced = plan.transform_up(|node| {
            node.map_expressions(|expr| {
                expr.transform_up(|e| {
                    let Some((_, prepared)) = of(&e).and_then(|s| ready.iter().find(|(known, _)| known == s))
                    else {
                        return Ok(Transformed::no(e));
                    };
                    Ok(Transformed::yes(replace(e, prepared)))
                })
            })?
            .map_data(LogicalPlan::recompute_schema)
        })?;
        Ok(replaced.data)
    })
}

fn of(expr: &Expr) -> Option<&Subquery> {
    match expr {
        Expr::ScalarSubquery(subquery) => Some(subquery),
        Expr::Exists(exists) => Some(&exists.subquery),
        Expr::InSubquery(InSubquery { subquery, .. }) => Some(subquery),
        _ => None,
    }
}

/// Whether a subquery unnests something of its outer row, or cuts its rows short.
fn is_row_wise(subquery: &Subquery) -> bool {
    if subquery.outer_ref_columns.is_empty() {
        return false;
    }
    let mut found = false;
    // The closure never fails.
    let _ = subquery.subquery.apply(|node| {
        found |= matches!(node, LogicalPlan::Unnest(_) | LogicalPlan::Limit(_));
        Ok(TreeNodeRecursion::Continue)
    });
    found
}

/// A subquery ready to run.
struct Prepared {
    plan: Arc<dyn ExecutionPlan>,
    task: Arc<TaskContext>,
    cell: Cell,
    turn: Arc<Mutex<()>>,
    kind: DataType,
    /// The outer row's columns.
    outer: Vec<Expr>,
}

async fn prepare(subquery: Subquery, state: &SessionState) -> Result<Prepared> {
    let mut outer: Vec<(FieldRef, Expr)> = Vec::new();
    for reference in &subquery.outer_ref_columns {
        if let Expr::OuterReferenceColumn(field, column) = reference {
            let column = Expr::Column(column.clone());
            if !outer.iter().any(|(_, known)| *known == column) {
                outer.push((field.clone(), column));
            }
        }
    }
    let cell: Cell = Arc::new(Mutex::new(Vec::new()));
    let inner = Arc::unwrap_or_clone(subquery.subquery).transform_up(|node| {
        node.map_expressions(|expr| {
            expr.transform_up(|e| match &e {
                Expr::OuterReferenceColumn(_, column) => {
                    let column = Expr::Column(column.clone());
                    let Some(n) = outer.iter().position(|(_, known)| *known == column) else {
                        return Ok(Transformed::no(e));
                    };
                    let name = e.schema_name().to_string();
                    let current = ScalarUDF::new_from_impl(Outer {
                        n,
                        name: format!("$outer{n}"),
                        kind: outer[n].0.data_type().clone(),
                        cell: cell.clone(),
                        signature: Signature::nullary(Volatility::Volatile),
                    });
                    Ok(Transformed::yes(current.call(vec![]).alias(name)))
                }
                _ => Ok(Transformed::no(e)),
            })
        })?
        .map_data(LogicalPlan::recompute_schema)
    })?;
    let inner = rewrite(inner.data, state).await?;
    let kind = inner.schema().fields().first().map_or(DataType::Null, |f| f.data_type().clone());
    let plan = state.create_physical_plan(&inner).await?;
    let outer = outer.into_iter().map(|(_, column)| column).collect();
    Ok(Prepared { plan, task: state.task_ctx(), cell, turn: Arc::default(), kind, outer })
}

fn replace(expr: Expr, prepared: &Prepared) -> Expr {
    let call = |wants: Wants, more: Option<Expr>| {
        let kind = if wants == Wants::Value { prepared.kind.clone() } else { DataType::Boolean };
        let mut args = prepared.outer.clone();
        args.extend(more);
        ScalarUDF::new_from_impl(Apply {
            wants,
            kind,
            plan: prepared.plan.clone(),
            task: prepared.task.clone(),
            cell: prepared.cell.clone(),
            turn: prepared.turn.clone(),
            signature: Signature::variadic_any(Volatility::Stable),
        })
        .call(args)
    };
    let negate = |negated: bool, expr: Expr| if negated { Expr::Not(Box::new(expr)) } else { expr };
    match expr {
        Expr::Exists(exists) => negate(exists.negated, call(Wants::Existence, None)),
        Expr::InSubquery(InSubquery { expr, negated, .. }) => {
            negate(negated, call(Wants::Membership, Some(*expr)))
        }
        _ => call(Wants::Value, None),
    }
}

/// A value of the outer row.
#[derive(Debug)]
struct Outer {
    n: usize,
    name: String,
    kind: DataType,
    cell: Cell,
    signature: Signature,
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
struct Apply {
    wants: Wants,
    kind: DataType,
    plan: Arc<dyn ExecutionPlan>,
    task: Arc<TaskContext>,
    cell: Cell,
    turn: Arc<Mutex<()>>,
    signature: Signature,
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
        futures::executor::block_on(tokio::task::unconstrained(async {
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
        }))
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
        let mut answers = Vec::with_capacity(args.number_rows);
        for row in 0..args.number_rows {
            let mut values =
                arrays.iter().map(|a| ScalarValue::try_from_array(a, row)).collect::<Result<Vec<_>>>()?;
            let wanted = if self.wants == Wants::Membership { values.pop() } else { None };
            *self.cell.lock().unwrap_or_else(PoisonError::into_inner) = values;
            let columns = self.run()?;
            answers.push(self.answer(&columns, wanted.as_ref())?);
        }
        if answers.is_empty() {
            return Ok(ColumnarValue::Array(datafusion::arrow::array::new_empty_array(&self.kind)));
        }
        Ok(ColumnarValue::Array(ScalarValue::iter_to_array(answers)?))
    }
}
