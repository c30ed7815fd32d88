//! Subqueries over an array of the outer row: `(SELECT min(x.d) FROM UNNEST(t.a) AS u(x))`.
//!
//! The engine cannot join such a subquery to its outer row, so it is run for every row: its plan is
//! made once, the values of the outer row are put in before each run.

use std::sync::{Arc, Mutex};

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result};
use datafusion::execution::{SessionState, TaskContext};
use datafusion::logical_expr::expr::{InSubquery, SetComparison};
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, Operator, ScalarUDF, Signature, Subquery, Volatility,
};
use datafusion::physical_plan::ExecutionPlan;
use futures::future::BoxFuture;

use super::functions;
use super::rowwise::{Apply, Cell, Outer, Wants};

/// Replaces such subqueries everywhere in a plan.
pub fn rewrite<'a>(plan: LogicalPlan, state: &'a SessionState) -> BoxFuture<'a, Result<LogicalPlan>> {
    Box::pin(async move {
        let plan = map_expressions(plan, false, &mut |e| match e {
            Expr::ScalarSubquery(subquery) if may_be_many(&subquery) => {
                Ok(Transformed::yes(Expr::ScalarSubquery(at_most_one(subquery)?)))
            }
            other => Ok(Transformed::no(other)),
        })?;
        // First their plans, which takes waiting; then the rewriting, which does not.
        let mut found: Vec<Subquery> = Vec::new();
        plan.apply(|node| {
            node.apply_expressions(|expr| {
                expr.apply(|e| {
                    if let Some(subquery) = of(e)
                        && runs_alone(e, subquery, node)
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
        map_expressions(plan, true, &mut |e| {
            let Some((_, prepared)) = of(&e).and_then(|s| ready.iter().find(|(known, _)| known == s)) else {
                return Ok(Transformed::no(e));
            };
            Ok(Transformed::yes(replace(e, prepared)))
        })
    })
}

/// Every expression of a plan and its parts, the inner ones first, as `each` makes them. Where types may
/// change, the schemas are made anew.
fn map_expressions(
    plan: LogicalPlan,
    anew: bool,
    each: &mut dyn FnMut(Expr) -> Result<Transformed<Expr>>,
) -> Result<LogicalPlan> {
    let done = plan.transform_up(|node| {
        let node = node.map_expressions(|expr| expr.transform_up(&mut *each))?;
        if anew { node.map_data(LogicalPlan::recompute_schema) } else { Ok(node) }
    })?;
    Ok(done.data)
}

/// The subquery of an expression that is one.
pub fn of(expr: &Expr) -> Option<&Subquery> {
    match expr {
        Expr::ScalarSubquery(subquery) => Some(subquery),
        Expr::Exists(exists) => Some(&exists.subquery),
        Expr::InSubquery(InSubquery { subquery, .. }) => Some(subquery),
        Expr::SetComparison(SetComparison { subquery, .. }) => Some(subquery),
        _ => None,
    }
}

/// Whether a subquery cannot become a join: the engine makes joins of conditions alone, and of these not
/// all.
fn runs_alone(expr: &Expr, subquery: &Subquery, node: &LogicalPlan) -> bool {
    let condition = matches!(node, LogicalPlan::Filter(_));
    match expr {
        Expr::SetComparison(_) => true,
        Expr::Exists(_) | Expr::InSubquery(_) if !condition => true,
        Expr::ScalarSubquery(_) => is_row_wise(subquery) || !joins_by_equality(subquery),
        _ => is_row_wise(subquery),
    }
}

/// Whether all that ties a subquery to its outer row are equalities of one side with the other.
fn joins_by_equality(subquery: &Subquery) -> bool {
    use datafusion::logical_expr::utils::split_conjunction;
    let mut fits = true;
    // The closure never fails.
    let _ = subquery.subquery.apply(|node| {
        if let LogicalPlan::Filter(filter) = node {
            for condition in split_conjunction(&filter.predicate) {
                fits &= match condition {
                    other if !other.contains_outer() => true,
                    Expr::BinaryExpr(of) if of.op == Operator::Eq => {
                        of.left.contains_outer() != of.right.contains_outer()
                    }
                    _ => false,
                };
            }
        }
        Ok(TreeNodeRecursion::Continue)
    });
    fits
}

/// Whether a correlated subquery for one value may have several rows: one that is joined to its outer
/// row, and no aggregate.
fn may_be_many(subquery: &Subquery) -> bool {
    let mut node = &*subquery.subquery;
    loop {
        match node {
            LogicalPlan::Projection(of) => node = &of.input,
            LogicalPlan::SubqueryAlias(of) => node = &of.input,
            LogicalPlan::Sort(of) => node = &of.input,
            LogicalPlan::Aggregate(of) if of.group_expr.is_empty() => return false,
            _ => {
                return !subquery.outer_ref_columns.is_empty()
                    && !is_row_wise(subquery)
                    && joins_by_equality(subquery);
            }
        }
    }
}

/// The same subquery as an aggregate, which fails when there is more than one row.
fn at_most_one(subquery: Subquery) -> Result<Subquery> {
    let inner = Arc::unwrap_or_clone(subquery.subquery.clone());
    let (qualifier, field) = inner.schema().qualified_field(0);
    let name = field.name().clone();
    let column = Expr::Column(Column::from((qualifier, field)));
    let all = datafusion::functions_aggregate::expr_fn::array_agg(column);
    let gathered = Expr::Column(Column::new_unqualified(all.schema_name().to_string()));
    let plan = LogicalPlanBuilder::from(inner)
        .aggregate(Vec::<Expr>::new(), vec![all])?
        .project(vec![functions::single(gathered).alias(name)])?
        .build()?;
    Ok(Subquery { subquery: Arc::new(plan), ..subquery })
}

/// Whether a subquery unnests something of its outer row, cuts its rows short, or uses the outer row
/// elsewhere than in a condition: the engine cannot join such a one.
fn is_row_wise(subquery: &Subquery) -> bool {
    if subquery.outer_ref_columns.is_empty() {
        return false;
    }
    let mut found = false;
    // The closure never fails.
    let _ = subquery.subquery.apply(|node| {
        found |= match node {
            LogicalPlan::Unnest(_) | LogicalPlan::Limit(_) => true,
            LogicalPlan::Filter(_) => false,
            other => other.expressions().iter().any(Expr::contains_outer),
        };
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
    reads: bool,
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
    let inner = map_expressions(Arc::unwrap_or_clone(subquery.subquery), true, &mut |e| {
        let Expr::OuterReferenceColumn(_, column) = &e else { return Ok(Transformed::no(e)) };
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
    })?;
    let inner = rewrite(inner, state).await?;
    let kind = inner.schema().fields().first().map_or(DataType::Null, |f| f.data_type().clone());
    let reads = inner.exists(|node| Ok(matches!(node, LogicalPlan::TableScan(_))))?;
    let plan = state.create_physical_plan(&inner).await?;
    let outer = outer.into_iter().map(|(_, column)| column).collect();
    Ok(Prepared { plan, task: state.task_ctx(), cell, turn: Arc::default(), reads, kind, outer })
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
            reads: prepared.reads,
            // Without arguments it might be run while it is planned.
            signature: if args.is_empty() {
                Signature::nullary(Volatility::Volatile)
            } else {
                Signature::variadic_any(Volatility::Stable)
            },
        })
        .call(args)
    };
    let negate = |negated: bool, expr: Expr| if negated { Expr::Not(Box::new(expr)) } else { expr };
    match expr {
        Expr::Exists(exists) => negate(exists.negated, call(Wants::Existence, None)),
        Expr::InSubquery(InSubquery { expr, negated, .. }) => {
            negate(negated, call(Wants::Membership, Some(*expr)))
        }
        Expr::SetComparison(SetComparison { expr, op, quantifier, .. }) => {
            call(Wants::Comparison(op, quantifier), Some(*expr))
        }
        _ => call(Wants::Value, None),
    }
}
