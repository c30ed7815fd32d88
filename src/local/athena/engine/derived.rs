//! Subqueries in FROM: columns may share a name there, and it is ambiguous once a query says it.

use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion_sql::sqlparser::ast::TableFactor;

use super::names::{self, Unique};
use crate::local::athena::failure::Failure;

#[derive(Debug)]
pub struct DerivedPlanner;

impl RelationPlanner for DerivedPlanner {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let TableFactor::Derived { lateral: false, subquery, alias: Some(alias), sample: None } = relation
        else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let inner = TableFactor::Derived { lateral: false, subquery, alias: None, sample: None };
        let plan = told_apart(context.plan(inner)?)?;
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, Some(alias)))))
    }
}

/// A plan in which columns of one name, from different relations, are told apart.
fn told_apart(plan: LogicalPlan) -> Result<LogicalPlan> {
    let mut unique = Unique::default();
    let mut twice = false;
    let columns: Vec<Expr> = plan
        .schema()
        .iter()
        .map(|(qualifier, field)| {
            let column = Expr::Column(Column::from((qualifier, field)));
            let name = unique.of(field.name().clone());
            if name == *field.name() {
                return column;
            }
            twice = true;
            column.alias(name)
        })
        .collect();
    if twice { LogicalPlanBuilder::from(plan).project(columns)?.build() } else { Ok(plan) }
}

/// Refuses a name of the query's text that several columns share; names that `*` stands for have no place
/// in the text.
pub fn unambiguous(column: &Column, schema: &DFSchema) -> Result<(), Failure> {
    if column.spans.0.is_empty() { Ok(()) } else { alone(column, schema) }
}

/// Refuses a name that several columns share.
pub fn alone(column: &Column, schema: &DFSchema) -> Result<(), Failure> {
    let twin = names::again(&column.name, 1);
    let shared = schema.iter().any(|(qualifier, field)| {
        *field.name() == twin && (column.relation.is_none() || qualifier == column.relation.as_ref())
    });
    if !shared {
        return Ok(());
    }
    Err(Failure::new("AMBIGUOUS_NAME", format!("Column '{}' is ambiguous", names::shown(&column.name))))
}
