//! What the planner lets pass and Trino does not: comparisons between types that do not compare,
//! in BETWEEN and IN.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};

use super::operators;
use super::scan::fail;

/// Checks every expression of a plan and of its subqueries.
pub fn plan(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        let mut schema = DFSchema::empty();
        for input in node.inputs() {
            schema.merge(input.schema());
        }
        node.apply_expressions(|expr| {
            expr.apply(|e| {
                one(e, &schema)?;
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(())
}

fn one(expr: &Expr, schema: &DFSchema) -> Result<()> {
    let (of, others, symbol) = match expr {
        Expr::Between(between) => (&between.expr, vec![&*between.low, &*between.high], "BETWEEN"),
        Expr::InList(list) => (&list.expr, list.list.iter().collect(), "IN"),
        _ => return Ok(()),
    };
    // A lambda's parameters have no type here; the engine itself checks them.
    let Ok(left) = of.get_type(schema) else { return Ok(()) };
    for other in others {
        let Ok(right) = other.get_type(schema) else { continue };
        if !operators::comparable(&left, &right) {
            let failure = operators::mismatch(&left, symbol, &right);
            return Err(fail(match operators::spot(of) {
                Some(spot) => failure.at(spot),
                None => failure,
            }));
        }
    }
    Ok(())
}
