//! Long chains of AND and OR as balanced trees: what the planner does for each part of a condition
//! takes time with the depth of the part, and a chain of n conditions is n deep as it is read.

use std::ops::ControlFlow;

use datafusion_sql::sqlparser::ast::{BinaryOperator, Expr, Statement, Value, VisitorMut};

use super::walk;

/// Shorter chains stay as they are written.
const LONG: usize = 32;

/// Balances every long chain of a statement.
pub fn balance(statement: &mut Statement) {
    // It never breaks.
    let _ = walk::visit_mut(statement, &mut Balancer);
}

struct Balancer;

impl VisitorMut for Balancer {
    type Break = ();

    // Before its parts are visited, so that nothing ever descends a chain.
    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let chained = match &*expr {
            Expr::BinaryOp { op: op @ (BinaryOperator::And | BinaryOperator::Or), .. } => Some(op),
            _ => None,
        };
        if let Some(op) = chained.filter(|op| length(expr, op) > LONG).cloned() {
            let whole = std::mem::replace(expr, Expr::Value(Value::Null.into()));
            let mut terms = terms(whole, &op);
            *expr = joined(&mut terms, &op);
        }
        ControlFlow::Continue(())
    }
}

/// How many operators stand in a row.
fn length(mut expr: &Expr, wanted: &BinaryOperator) -> usize {
    let mut count = 0;
    while let Expr::BinaryOp { left, op, .. } = expr
        && op == wanted
    {
        count += 1;
        expr = left;
    }
    count
}

/// The terms of a chain, the last one first.
fn terms(chain: Expr, wanted: &BinaryOperator) -> Vec<Expr> {
    let mut terms = Vec::new();
    let mut rest = chain;
    loop {
        match rest {
            Expr::BinaryOp { left, op, right } if op == *wanted => {
                terms.push(*right);
                rest = *left;
            }
            first => {
                terms.push(first);
                return terms;
            }
        }
    }
}

/// Joins terms, of which the last one is the first: each side gets half of them.
fn joined(terms: &mut Vec<Expr>, op: &BinaryOperator) -> Expr {
    fn take(terms: &mut Vec<Expr>, count: usize, op: &BinaryOperator) -> Expr {
        if count <= 1 {
            return terms.pop().unwrap_or(Expr::Value(Value::Null.into()));
        }
        let left = take(terms, count / 2, op);
        let right = take(terms, count - count / 2, op);
        Expr::BinaryOp { left: Box::new(left), op: op.clone(), right: Box::new(right) }
    }
    let count = terms.len();
    take(terms, count, op)
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion_sql::sqlparser::parser::Parser;

    fn depth(expr: &Expr) -> usize {
        match expr {
            Expr::BinaryOp { left, right, .. } => 1 + depth(left).max(depth(right)),
            _ => 0,
        }
    }

    fn balanced(condition: &str) -> (String, usize) {
        struct Deepest(usize);
        impl VisitorMut for Deepest {
            type Break = ();
            fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
                self.0 = self.0.max(depth(expr));
                ControlFlow::Continue(())
            }
        }
        let sql = format!("SELECT {condition}");
        let mut statement = Parser::parse_sql(&super::super::parse::Trino, &sql).unwrap().remove(0);
        balance(&mut statement);
        let mut deepest = Deepest(0);
        let _ = walk::visit_mut(&mut statement, &mut deepest);
        (statement.to_string(), deepest.0)
    }

    #[test]
    fn a_long_chain_keeps_its_terms_in_order_and_is_flat() {
        let chain: Vec<String> = (0..10_000).map(|n| format!("c{n}")).collect();
        for word in [" OR ", " AND "] {
            let condition = chain.join(word);
            let (text, depth) = balanced(&condition);
            // Brackets are shown only where they were written.
            assert_eq!(text, format!("SELECT {condition}"));
            assert!(depth <= 15, "{depth}");
        }
    }

    #[test]
    fn operators_are_not_mixed_and_short_chains_stay() {
        let mixed = vec!["a AND b"; 1_000].join(" OR ");
        assert!(balanced(&mixed).1 <= 12);
        assert_eq!(balanced("a AND b AND c AND d").1, 3);
    }
}
