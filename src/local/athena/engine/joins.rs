//! UNNEST in FROM: each becomes the last member of a join of its own, so that the planner sees the
//! relation it belongs to beside it.

use datafusion_sql::sqlparser::ast::{Join, JoinConstraint, JoinOperator, TableFactor, TableWithJoins};

use crate::local::athena::failure::Failure;

fn is_unnest(factor: &TableFactor) -> bool {
    matches!(factor, TableFactor::UNNEST { .. })
}

fn nested(relation: TableFactor, joins: Vec<Join>) -> TableFactor {
    TableFactor::NestedJoin { table_with_joins: Box::new(TableWithJoins { relation, joins }), alias: None }
}

/// Rewrites the items of a FROM clause.
pub fn nest(from: &mut Vec<TableWithJoins>) -> Result<(), Failure> {
    // `FROM t, UNNEST(t.a)` is a cross join.
    if from.iter().skip(1).any(|item| is_unnest(&item.relation)) {
        let mut items = std::mem::take(from).into_iter();
        if let Some(mut first) = items.next() {
            for item in items {
                first.joins.push(Join {
                    relation: item.relation,
                    global: false,
                    join_operator: JoinOperator::CrossJoin(JoinConstraint::None),
                });
                first.joins.extend(item.joins);
            }
            from.push(first);
        }
    }
    for item in from {
        one(item)?;
    }
    Ok(())
}

fn one(item: &mut TableWithJoins) -> Result<(), Failure> {
    let placeholder = || nested_nothing();
    if is_unnest(&item.relation) {
        let unnest = std::mem::replace(&mut item.relation, placeholder());
        item.relation = nested(unnest, Vec::new());
    }
    if !item.joins.iter().any(|join| is_unnest(&join.relation)) {
        return Ok(());
    }
    let mut relation = std::mem::replace(&mut item.relation, placeholder());
    let mut pending = Vec::new();
    for join in std::mem::take(&mut item.joins) {
        let unnests = is_unnest(&join.relation);
        pending.push(join);
        if unnests {
            relation = nested(relation, std::mem::take(&mut pending));
        }
    }
    item.relation = relation;
    item.joins = pending;
    Ok(())
}

/// Stands in for a relation while it is moved.
fn nested_nothing() -> TableFactor {
    TableFactor::UNNEST {
        alias: None,
        array_exprs: Vec::new(),
        with_offset: false,
        with_offset_alias: None,
        with_ordinality: false,
    }
}
