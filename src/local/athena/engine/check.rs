//! What the planner lets pass and Trino does not: arguments, results and comparisons of types that do
//! not go together.

use std::ops::ControlFlow;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{InSubquery, SetComparison};
use datafusion::logical_expr::{Case, Expr, ExprSchemable, LogicalPlan, Subquery};
use datafusion_sql::sqlparser::ast::{ObjectName, Query, Visitor};

use super::literals::type_name;
use super::operators::{self, comparable, is_boolean, is_number, is_text};
use super::scan::fail;
use super::{apply, arrow, derived, errors, walk};
use crate::local::athena::failure::{Failure, Spot};

fn mismatch(message: String) -> Failure {
    Failure::new("TYPE_MISMATCH", message)
}

/// Refuses a plan of too many nodes, before anything walks over all of them.
pub fn size(plan: &LogicalPlan, most: usize) -> Result<(), Failure> {
    let (mut nodes, mut todo) = (0, vec![plan]);
    while let Some(node) = todo.pop() {
        nodes += 1;
        if nodes > most {
            return Err(too_large());
        }
        todo.extend(node.inputs());
    }
    Ok(())
}

fn too_large() -> Failure {
    let message =
        "The query has too many steps: WITH queries that use each other twice double with each of them";
    Failure::new("QUERY_HAS_TOO_MANY_STAGES", message)
}

/// Relations that a query may read, each as often as it is read.
const MOST_READ: u64 = 5_000;

/// Refuses a query whose WITH queries multiply beyond bounds, before it is planned.
pub fn growth(query: &Query) -> Result<(), Failure> {
    if reads(query, &mut Vec::new()) > MOST_READ { Err(too_large()) } else { Ok(()) }
}

/// How many relations a query reads, when `known` ones read so many.
fn reads(query: &Query, known: &mut Vec<(String, u64)>) -> u64 {
    struct Reads<'a>(&'a [(String, u64)], u64);
    impl Visitor for Reads<'_> {
        type Break = ();
        fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
            let name = name.to_string().to_lowercase();
            let known = self.0.iter().rev().find(|(other, _)| *other == name);
            self.1 = self.1.saturating_add(known.map_or(1, |(_, reads)| *reads));
            ControlFlow::Continue(())
        }
    }
    let outside = known.len();
    for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
        let inner = reads(&cte.query, known);
        known.push((cte.alias.name.to_string().to_lowercase(), inner));
    }
    let mut body = Reads(known, 0);
    // It never breaks.
    let _ = walk::visit(&query.body, &mut body);
    let all = body.1.max(1);
    known.truncate(outside);
    all
}

/// Checks one expression of which the place is known; its parts have been checked before.
pub fn expression(expr: &Expr, schema: &DFSchema, at: Option<Spot>) -> Result<()> {
    let at = at.unwrap_or(Spot { line: 1, column: 1 });
    if let Err(failure) = one(expr, schema) {
        return Err(fail(failure.or_at(at)));
    }
    let Err(error) = expr.get_type(schema) else { return Ok(()) };
    let called = match expr {
        Expr::ScalarFunction(f) => Some((f.name().to_owned(), f.args.as_slice())),
        Expr::AggregateFunction(f) => Some((f.func.name().to_owned(), f.params.args.as_slice())),
        Expr::WindowFunction(f) => Some((f.fun.name().to_owned(), f.params.args.as_slice())),
        _ => None,
    };
    if let Some(failure) = errors::own(&error) {
        // Said again with the lengths of literals.
        if let (Some((name, args)), true) = (&called, failure.message.starts_with("Unexpected parameters")) {
            let expected = failure.message.split_once("Expected: ").map_or("", |(_, e)| e);
            return Err(fail(unexpected(name, args, schema, expected).at(at)));
        }
        return Err(fail(failure.clone().or_at(at)));
    }
    let Some((name, args)) = called else { return Ok(()) };
    // Not the function is wrong but what it is given: that is said elsewhere.
    if args.iter().all(|a| a.get_type(schema).is_ok()) {
        return Err(fail(unexpected(&name, args, schema, "").at(at)));
    }
    Ok(())
}

/// A function that does not take these arguments.
fn unexpected(name: &str, args: &[Expr], schema: &DFSchema, expected: &str) -> Failure {
    let given: Vec<String> = args
        .iter()
        .map(|a| a.get_type(schema).map_or_else(|_| "unknown".into(), |kind| type_name(a, &kind)))
        .collect();
    let name = super::calls::trinos(name);
    let expected = if expected.is_empty() { String::new() } else { format!(" Expected: {expected}") };
    Failure::new(
        "FUNCTION_NOT_FOUND",
        format!("Unexpected parameters ({}) for function {name}.{expected}", given.join(", ")),
    )
}

/// No common type of all of them, in Trino's words.
fn common(what: &str, of: &[(&Expr, DataType)]) -> Result<(), Failure> {
    let Some((_, first)) = of.iter().find(|(_, kind)| kind != &DataType::Null) else { return Ok(()) };
    for (expr, kind) in of {
        if !comparable(first, kind) {
            let mut names: Vec<String> = of.iter().map(|(e, kind)| type_name(e, kind)).collect();
            names.dedup();
            let message = format!(
                "{what} must be the same type or coercible to a common type. Cannot find common type between \
                 {} and {}, all types (without duplicates): [{}]",
                names[0],
                type_name(expr, kind),
                names.join(", ")
            );
            return Err(mismatch(message));
        }
    }
    Ok(())
}

fn types<'a>(of: impl IntoIterator<Item = &'a Expr>, schema: &DFSchema) -> Vec<(&'a Expr, DataType)> {
    // A lambda's parameters may have no type here; the engine itself checks them.
    of.into_iter().filter_map(|e| Some((e, e.get_type(schema).ok()?))).collect()
}

fn one(expr: &Expr, schema: &DFSchema) -> Result<(), Failure> {
    match expr {
        Expr::Between(between) => {
            let of = types([&*between.expr, &*between.low, &*between.high], schema);
            if let [(e, value), (l, low), (h, high)] = of.as_slice()
                && (!comparable(value, low) || !comparable(value, high))
            {
                return Err(mismatch(format!(
                    "Cannot check if {} is BETWEEN {} and {}",
                    type_name(e, value),
                    type_name(l, low),
                    type_name(h, high)
                )));
            }
            Ok(())
        }
        Expr::InList(list) => {
            let of = types(std::iter::once(&*list.expr).chain(&list.list), schema);
            common("IN value and list items", &of)
        }
        Expr::Case(case) => cases(case, schema),
        Expr::Negative(of) => match of.get_type(schema) {
            Ok(kind) if !is_number(&kind) && !matches!(kind, DataType::Interval(_)) => {
                Err(mismatch(format!("Cannot negate {}", type_name(of, &kind))))
            }
            _ => Ok(()),
        },
        Expr::Like(like) => {
            for (side, of) in [("Left", &*like.expr), ("Pattern", &*like.pattern)] {
                if let Ok(kind) = of.get_type(schema)
                    && !is_text(&kind)
                {
                    let side = if side == "Left" {
                        "Left side of LIKE expression"
                    } else {
                        "Pattern for LIKE expression"
                    };
                    let name = type_name(of, &kind);
                    return Err(mismatch(format!("{side} must evaluate to a varchar (actual: {name})")));
                }
            }
            Ok(())
        }
        Expr::InSubquery(InSubquery { expr, subquery, .. })
        | Expr::SetComparison(SetComparison { expr, subquery, .. }) => membership(expr, subquery, schema),
        Expr::Column(column) => derived::unambiguous(column, schema),
        Expr::ScalarFunction(f) => arguments(f.name(), &f.args, schema),
        Expr::AggregateFunction(f) => arguments(f.func.name(), &f.params.args, schema),
        _ => Ok(()),
    }
}

/// A value and the rows that it is looked for in, or compared with.
fn membership(value: &Expr, subquery: &Subquery, schema: &DFSchema) -> Result<(), Failure> {
    let (Ok(kind), Some(of)) = (value.get_type(schema), subquery.subquery.schema().fields().first()) else {
        return Ok(());
    };
    if comparable(&kind, of.data_type()) {
        return Ok(());
    }
    Err(mismatch(format!(
        "Value expression and result of subquery must be of the same type: row({}) vs row({})",
        type_name(value, &kind),
        arrow::from(of.data_type()).trino()
    )))
}

fn cases(case: &Case, schema: &DFSchema) -> Result<(), Failure> {
    for (when, _) in &case.when_then_expr {
        let Ok(kind) = when.get_type(schema) else { continue };
        match &case.expr {
            None if !is_boolean(&kind) => {
                let name = type_name(when, &kind);
                return Err(mismatch(format!(
                    "CASE WHEN clause must evaluate to a boolean (actual: {name})"
                )));
            }
            Some(operand) => {
                common("CASE operand and WHEN clauses", &types([&**operand, &**when], schema))?;
            }
            None => {}
        }
    }
    let results = case.when_then_expr.iter().map(|(_, then)| &**then).chain(case.else_expr.as_deref());
    common("All CASE results", &types(results, schema))
}

/// The engine converts arguments of its own functions where Trino does not.
fn arguments(name: &str, args: &[Expr], schema: &DFSchema) -> Result<(), Failure> {
    let of = types(args, schema);
    if of.len() < args.len() {
        return Ok(());
    }
    let all = |fits: fn(&DataType) -> bool| of.iter().all(|(_, kind)| fits(kind));
    match name {
        "coalesce" => common("All COALESCE operands", &of),
        "make_array" => common("All ARRAY elements", &of),
        "greatest" | "least" | "nullif" => common(&format!("All {} operands", name.to_uppercase()), &of),
        "upper" | "lower" if !all(is_text) => {
            Err(unexpected(name, args, schema, &format!("{}(varchar(x))", super::calls::trinos(name))))
        }
        "sum" | "avg" | "stddev" | "stddev_pop" | "var" | "var_pop" | "covar_samp" | "covar_pop" | "corr"
            if !all(|t| is_number(t) || matches!(t, DataType::Interval(_))) =>
        {
            let name = super::calls::trinos(name);
            Err(unexpected(
                &name,
                args,
                schema,
                &format!("{name}(bigint), {name}(double), {name}(real), {name}(decimal(p,s))"),
            ))
        }
        "bool_and" | "bool_or" if !all(is_boolean) => {
            Err(unexpected(name, args, schema, &format!("{name}(boolean)")))
        }
        "abs" | "sqrt" | "exp" | "ln" | "log" | "log2" | "log10" | "power" | "cbrt" | "sin" | "cos"
        | "tan" | "asin" | "acos" | "atan" | "atan2" | "degrees" | "radians"
            if !all(is_number) =>
        {
            let name = super::calls::trinos(name);
            Err(unexpected(&name, args, schema, &format!("{name}(double)")))
        }
        _ => Ok(()),
    }
}

/// A failure at the place of an expression, if it has none.
fn placed(failure: Failure, of: &Expr) -> Failure {
    match operators::spot(of) {
        Some(spot) => failure.or_at(spot),
        None => failure,
    }
}

/// Checks the nodes of a plan and of its subqueries: what stands in no expression.
pub fn plan(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Union(union) = node {
            union_types(&union.inputs.iter().map(|i| &**i).collect::<Vec<_>>())?;
        }
        if let LogicalPlan::Sort(sort) = node {
            for key in &sort.expr {
                ordered(&key.expr, sort.input.schema())?;
            }
        }
        let mut schema = DFSchema::empty();
        for input in node.inputs() {
            schema.merge(input.schema());
        }
        node.apply_expressions(|expr| {
            expr.apply(|e| {
                let outer = apply::of(e).map_or(&[][..], |subquery| &subquery.outer_ref_columns);
                let ambiguous = outer.iter().try_for_each(|of| match of {
                    Expr::OuterReferenceColumn(_, column) => derived::alone(column, &schema),
                    _ => Ok(()),
                });
                ambiguous.map_err(fail)?;
                if let Err(failure) = one(e, &schema) {
                    return Err(fail(placed(failure, e)));
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(())
}

/// What rows are put in order by has an order.
fn ordered(key: &Expr, schema: &DFSchema) -> Result<()> {
    let Ok(kind) = key.get_type(schema) else { return Ok(()) };
    if !operators::is_map(&kind) {
        return Ok(());
    }
    let kind = arrow::from(&kind).trino();
    let message = format!(
        "Type {kind} is not orderable, and therefore cannot be used in ORDER BY: {}",
        key.human_display()
    );
    let failure = mismatch(message);
    Err(fail(operators::spot(key).map_or(failure.clone(), |spot| failure.at(spot))))
}

fn union_types(inputs: &[&LogicalPlan]) -> Result<()> {
    let Some((first, rest)) = inputs.split_first() else { return Ok(()) };
    for other in rest {
        for (n, (a, b)) in first.schema().fields().iter().zip(other.schema().fields()).enumerate() {
            if !comparable(a.data_type(), b.data_type()) {
                return Err(fail(mismatch(format!(
                    "column {} in UNION query has incompatible types: {}, {}",
                    n + 1,
                    arrow::from(a.data_type()).trino(),
                    arrow::from(b.data_type()).trino()
                ))));
            }
        }
    }
    Ok(())
}
