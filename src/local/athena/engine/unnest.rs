//! UNNEST in FROM, beside the relation it belongs to.
//!
//! Athena keeps Trino's older reading of an array of rows: with one alias per array the alias is the
//! row (`a.field`); with as many aliases as there are fields, the fields become columns.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, NullHandling, Result, TableReference, UnnestOptions};
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder};
use datafusion_sql::sqlparser::ast::{Expr as SqlExpr, *};

use super::functions;
use super::scan::fail;
use crate::local::athena::failure::Failure;

#[derive(Debug)]
pub struct UnnestPlanner;

/// One array and what it becomes.
struct Element {
    /// The unnested column.
    column: Column,
    kind: DataType,
}

impl RelationPlanner for UnnestPlanner {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let TableFactor::NestedJoin { table_with_joins, alias: None } = relation else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let TableWithJoins { relation, mut joins } = *table_with_joins;
        if joins.is_empty() && matches!(relation, TableFactor::UNNEST { .. }) {
            let one_row = LogicalPlanBuilder::empty(true).build()?;
            let plan = unnest(context, one_row, relation, false)?;
            return Ok(planned(plan));
        }
        if !joins.last().is_some_and(|join| matches!(join.relation, TableFactor::UNNEST { .. })) {
            let table_with_joins = Box::new(TableWithJoins { relation, joins });
            return Ok(RelationPlanning::Original(Box::new(TableFactor::NestedJoin {
                table_with_joins,
                alias: None,
            })));
        }
        let Some(last) = joins.pop() else { return Err(fail(Failure::internal("a join without members"))) };
        let left = if joins.is_empty() {
            context.plan(relation)?
        } else {
            let table_with_joins = Box::new(TableWithJoins { relation, joins });
            context.plan(TableFactor::NestedJoin { table_with_joins, alias: None })?
        };
        let (outer, constraint) = match last.join_operator {
            JoinOperator::CrossJoin(constraint)
            | JoinOperator::Join(constraint)
            | JoinOperator::Inner(constraint) => (false, constraint),
            JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => (true, constraint),
            _ => {
                return Err(fail(Failure::unsupported(
                    "UNNEST on other than the right side of CROSS JOIN is not supported",
                )));
            }
        };
        let mut plan = unnest(context, left, last.relation, outer)?;
        if let JoinConstraint::On(condition) = constraint {
            let always = matches!(&condition, SqlExpr::Value(v) if v.value == Value::Boolean(true));
            if outer && !always {
                return Err(fail(Failure::unsupported(
                    "LEFT JOIN involving UNNEST is only supported with condition ON TRUE",
                )));
            }
            if !always {
                let condition = context.sql_to_expr(condition, plan.schema())?;
                plan = LogicalPlanBuilder::from(plan).filter(condition)?.build()?;
            }
        }
        Ok(planned(plan))
    }
}

fn planned(plan: LogicalPlan) -> RelationPlanning {
    RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, None)))
}

fn columns_of(schema: &DFSchema) -> Vec<Expr> {
    schema.iter().map(|(qualifier, field)| Expr::Column(Column::from((qualifier, field)))).collect()
}

fn unnest(
    context: &mut dyn RelationPlannerContext,
    left: LogicalPlan,
    relation: TableFactor,
    outer: bool,
) -> Result<LogicalPlan> {
    let TableFactor::UNNEST { alias, array_exprs, with_ordinality, .. } = relation else {
        return Err(fail(Failure::internal("not an UNNEST")));
    };
    let kept = columns_of(left.schema());
    let mut arrays: Vec<Expr> = Vec::new();
    for array in array_exprs {
        let at = super::parse::spot(super::places::start(&array));
        let array = context.sql_to_expr(array, left.schema())?;
        match array.get_type(left.schema())? {
            DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => arrays.push(array),
            // A map is two columns: keys and values.
            DataType::Map(..) => {
                arrays.push(datafusion::functions_nested::expr_fn::map_keys(array.clone()));
                arrays.push(datafusion::functions_nested::expr_fn::map_values(array));
            }
            other => {
                let message = format!("Cannot unnest type: {}", super::arrow::from(&other).trino());
                let failure = Failure::new("TYPE_MISMATCH", message);
                return Err(fail(match at {
                    Some(spot) => failure.at(spot),
                    None => failure,
                }));
            }
        }
    }
    let mut elements = Vec::new();
    let mut input = kept.clone();
    for (n, array) in arrays.iter().enumerate() {
        let kind = match array.get_type(left.schema())? {
            DataType::List(of) | DataType::LargeList(of) | DataType::FixedSizeList(of, _) => {
                of.data_type().clone()
            }
            other => other,
        };
        let name = format!("$unnest{n}");
        input.push(array.clone().alias(&name));
        elements.push(Element { column: Column::new_unqualified(name), kind });
    }
    if with_ordinality {
        let name = "$ordinality";
        input.push(functions::ordinals(arrays).alias(name));
        elements.push(Element { column: Column::new_unqualified(name), kind: DataType::Int64 });
    }
    let handling = if outer { NullHandling::PreserveAndExpandEmpty } else { NullHandling::Drop };
    let options = UnnestOptions::new().with_null_handling(handling);
    let unnested = LogicalPlanBuilder::from(left)
        .project(input)?
        .unnest_columns_with_options(elements.iter().map(|e| e.column.clone()).collect(), options)?;

    let (relation, names) = match alias {
        Some(alias) => (alias.name.value, alias.columns.into_iter().map(|c| c.name.value).collect()),
        None => ("$unnest".to_owned(), Vec::new()),
    };
    let mut output = kept;
    output.extend(named(&elements, &names, &relation).map_err(fail)?);
    unnested.project(output)?.build()
}

/// The columns of the elements, under the aliases.
fn named(elements: &[Element], names: &[String], relation: &str) -> Result<Vec<Expr>, Failure> {
    let fields = |e: &Element| match &e.kind {
        DataType::Struct(fields) => Some(fields.clone()),
        _ => None,
    };
    let width: usize = elements.iter().map(|e| fields(e).map_or(1, |f| f.len())).sum();
    // Without aliases the fields' own names are of use; with one per array, the row is meant.
    let expand = names.len() != elements.len() && (names.is_empty() || names.len() == width);
    let wanted = if expand { width } else { elements.len() };
    if !names.is_empty() && names.len() != wanted {
        return Err(Failure::new(
            "MISMATCHED_COLUMN_ALIASES",
            format!(
                "Column alias list has {} entries but '{relation}' has {wanted} columns available",
                names.len()
            ),
        ));
    }
    let relation = TableReference::bare(Arc::<str>::from(relation));
    let mut out = Vec::new();
    for element in elements {
        let column = Expr::Column(element.column.clone());
        match fields(element) {
            Some(fields) if expand => {
                for field in &fields {
                    let name = names.get(out.len()).cloned().unwrap_or_else(|| field.name().clone());
                    let value = functions::field(column.clone(), field.name());
                    out.push(value.alias_qualified(Some(relation.clone()), name));
                }
            }
            _ => {
                let name = names.get(out.len()).cloned().unwrap_or_else(|| format!("_col{}", out.len()));
                out.push(column.alias_qualified(Some(relation.clone()), name));
            }
        }
    }
    Ok(out)
}
