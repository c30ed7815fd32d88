//! Maps are equal whatever the order of their keys, and the engine compares them entry by entry: what is
//! grouped, joined or looked for is brought into one order first.
//! <https://trino.io/docs/current/functions/map.html>

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, Result};
use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::logical_expr::expr::{InSubquery, SetComparison, WindowFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Subquery,
};

use super::functions::{holds_map, in_order};

/// Functions that compare the elements of their arrays.
const COMPARING: [&str; 10] = [
    "array_distinct",
    "array_except",
    "array_intersect",
    "array_position",
    "array_remove",
    "array_union",
    "approx_distinct",
    "contains",
    "array_duplicates",
    "$histogram",
];

/// Rewrites a plan so that nothing depends on the order of keys.
pub fn rewrite(plan: LogicalPlan) -> Result<LogicalPlan> {
    let done = plan.transform_up_with_subqueries(|node| {
        let mut schema = DFSchema::empty();
        node.inputs().iter().for_each(|input| schema.merge(input.schema()));
        let names = NamePreserver::new(&node);
        let node = node.map_expressions(|expr| {
            let name = names.save(&expr);
            let done = expr.transform_up(|e| expression(e, &schema))?;
            Ok(if done.transformed { done.update_data(|e| name.restore(e)) } else { done })
        })?;
        let node = if node.transformed { node.map_data(LogicalPlan::recompute_schema)? } else { node };
        node.transform_data(relation)
    })?;
    Ok(done.data)
}

fn is_map(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema).is_ok_and(|kind| holds_map(&kind))
}

fn ordered(expr: Expr, schema: &DFSchema) -> Expr {
    if is_map(&expr, schema) { in_order(expr) } else { expr }
}

fn expression(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let all = |args: Vec<Expr>| args.into_iter().map(|a| ordered(a, schema)).collect::<Vec<_>>();
    Ok(match expr {
        Expr::InList(mut list) if is_map(&list.expr, schema) => {
            list.expr = Box::new(in_order(*list.expr));
            list.list = all(list.list);
            Transformed::yes(Expr::InList(list))
        }
        Expr::InSubquery(InSubquery { expr, subquery, negated }) if is_map(&expr, schema) => {
            let (expr, subquery) = (Box::new(in_order(*expr)), in_subquery(subquery)?);
            Transformed::yes(Expr::InSubquery(InSubquery { expr, subquery, negated }))
        }
        Expr::SetComparison(mut of) if is_map(&of.expr, schema) => {
            let (expr, subquery) = (Box::new(in_order(*of.expr)), in_subquery(of.subquery)?);
            of = SetComparison { expr, subquery, ..of };
            Transformed::yes(Expr::SetComparison(of))
        }
        Expr::ScalarFunction(mut of)
            if COMPARING.contains(&of.name()) && of.args.iter().any(|a| is_map(a, schema)) =>
        {
            of.args = all(of.args);
            Transformed::yes(Expr::ScalarFunction(of))
        }
        Expr::AggregateFunction(mut of)
            if (of.params.distinct || COMPARING.contains(&of.func.name()))
                && of.params.args.iter().any(|a| is_map(a, schema)) =>
        {
            of.params.args = all(of.params.args);
            Transformed::yes(Expr::AggregateFunction(of))
        }
        Expr::WindowFunction(of) if of.params.partition_by.iter().any(|e| is_map(e, schema)) => {
            let WindowFunction { fun, mut params } = *of;
            params.partition_by = all(params.partition_by);
            Transformed::yes(Expr::WindowFunction(Box::new(WindowFunction { fun, params })))
        }
        other => Transformed::no(other),
    })
}

/// The same rows with their maps in order.
fn in_subquery(subquery: Subquery) -> Result<Subquery> {
    let plan = Arc::unwrap_or_clone(subquery.subquery);
    let columns: Vec<Expr> = columns(plan.schema())
        .into_iter()
        .map(|c| ordered(c.clone(), plan.schema()).alias(c.schema_name().to_string()))
        .collect();
    let plan = LogicalPlanBuilder::from(plan).project(columns)?.build()?;
    Ok(Subquery { subquery: Arc::new(plan), ..subquery })
}

fn columns(schema: &DFSchema) -> Vec<Expr> {
    schema.iter().map(|(qualifier, field)| Expr::Column(Column::from((qualifier, field)))).collect()
}

fn relation(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    Ok(match node {
        LogicalPlan::Aggregate(of) if grouped(&of).iter().any(|e| is_map(e, of.input.schema())) => {
            Transformed::yes(aggregate(of)?)
        }
        LogicalPlan::Distinct(Distinct::All(input))
            if input.schema().fields().iter().any(|f| holds_map(f.data_type())) =>
        {
            let all = columns(input.schema());
            Transformed::yes(aggregate(Aggregate::try_new(input, all, Vec::new())?)?)
        }
        LogicalPlan::Join(mut join) if join.on.iter().any(|(left, _)| is_map(left, join.left.schema())) => {
            let (left, right) = (join.left.schema().clone(), join.right.schema().clone());
            let on = std::mem::take(&mut join.on).into_iter();
            join.on = on.map(|(a, b)| (ordered(a, &left), ordered(b, &right))).collect();
            Transformed::yes(LogicalPlan::Join(join))
        }
        other => Transformed::no(other),
    })
}

/// What an aggregate groups by, each once.
fn grouped(of: &Aggregate) -> Vec<Expr> {
    match of.group_expr.as_slice() {
        [Expr::GroupingSet(set)] => set.distinct_expr().into_iter().cloned().collect(),
        plain => plain.to_vec(),
    }
}

/// The same aggregate by columns in which maps are in order; it shows the first map of each group.
fn aggregate(of: Aggregate) -> Result<LogicalPlan> {
    let maps: Vec<Expr> = grouped(&of).into_iter().filter(|e| is_map(e, of.input.schema())).collect();
    let key = |n: usize| Expr::Column(Column::new_unqualified(format!("$key{n}")));
    let mut below = columns(of.input.schema());
    below.extend(maps.iter().enumerate().map(|(n, e)| in_order(e.clone()).alias(format!("$key{n}"))));
    let by_key = |expr: Expr| {
        let done = expr.transform_down(|e| {
            Ok(match maps.iter().position(|known| *known == e) {
                Some(n) => Transformed::yes(key(n)),
                None => Transformed::no(e),
            })
        });
        done.map(|done| done.data)
    };
    let sets = matches!(of.group_expr.as_slice(), [Expr::GroupingSet(_)]);
    let group: Vec<Expr> = of.group_expr.iter().cloned().map(by_key).collect::<Result<_>>()?;
    let mut aggregates = Vec::with_capacity(of.aggr_expr.len() + maps.len());
    for expr in &of.aggr_expr {
        let groups = matches!(expr, Expr::AggregateFunction(f) if f.func.name() == "grouping");
        aggregates.push(if groups { by_key(expr.clone())? } else { expr.clone() });
    }
    if !sets {
        let first =
            |(n, e): (usize, &Expr)| first_value_udaf().call(vec![e.clone()]).alias(format!("$first{n}"));
        aggregates.extend(maps.iter().enumerate().map(first));
    }
    let plan = LogicalPlanBuilder::from(Arc::unwrap_or_clone(of.input)).project(below)?;
    let plan = plan.aggregate(group, aggregates)?;
    let wanted: Vec<Expr> = of
        .schema
        .iter()
        .enumerate()
        // Which grouping set a row is of is no column of the query.
        .filter(|(_, (_, field))| field.name() != Aggregate::INTERNAL_GROUPING_ID)
        .map(|(n, (qualifier, field))| {
            let (relation, made) = plan.schema().qualified_field(n);
            let shown = made.name().strip_prefix("$key").filter(|_| !sets);
            let column = match shown {
                Some(n) => Column::new_unqualified(format!("$first{n}")),
                None => Column::from((relation, made)),
            };
            Expr::Column(column).alias_qualified(qualifier.cloned(), field.name())
        })
        .collect();
    plan.project(wanted)?.build()
}
