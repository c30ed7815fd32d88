//! GROUP BY and HAVING: they know the columns of FROM, and not what SELECT calls a value; the engine knows
//! both. <https://trino.io/docs/current/sql/select.html#group-by-clause>

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion_sql::sqlparser::ast::*;

use super::names;
use super::parse;
use super::scopes::{self, Columns};
use super::walk;
use crate::local::athena::failure::Failure;

/// What stands first in a GROUP BY whose sets count once each.
pub const DISTINCT: &str = "$distinct";

/// `GROUP BY DISTINCT ROLLUP (a), CUBE (b)` as the sets that it is, each once.
pub fn distinct(select: &mut Select) {
    let GroupByExpr::Expressions(groups, _) = &mut select.group_by else { return };
    if !matches!(groups.first(), Some(Expr::Identifier(name)) if name.value == DISTINCT) {
        return;
    }
    groups.remove(0);
    if sets(select) > SETS {
        // Refused when it is checked.
        return;
    }
    let GroupByExpr::Expressions(groups, _) = &mut select.group_by else { return };
    let mut all: Vec<Vec<Expr>> = vec![Vec::new()];
    for group in std::mem::take(groups) {
        let choices = match group {
            Expr::GroupingSets(sets) => sets,
            Expr::Rollup(parts) => (0..=parts.len()).rev().map(|n| parts[..n].concat()).collect(),
            Expr::Cube(parts) => (0..1usize << parts.len())
                .rev()
                .map(|chosen| {
                    let in_it = parts.iter().enumerate().filter(|(n, _)| chosen >> n & 1 == 1);
                    in_it.flat_map(|(_, part)| part.clone()).collect()
                })
                .collect(),
            Expr::Tuple(members) => vec![members],
            other => vec![vec![other]],
        };
        let longer = |set: &Vec<Expr>| {
            let longer = |choice: &Vec<Expr>| {
                let mut set = set.clone();
                choice.iter().for_each(|e| {
                    if !set.contains(e) {
                        set.push(e.clone());
                    }
                });
                set
            };
            choices.iter().map(longer).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(longer).collect();
    }
    let mut once: Vec<Vec<Expr>> = Vec::new();
    for set in all {
        if !once.iter().any(|known| known.len() == set.len() && set.iter().all(|e| known.contains(e))) {
            once.push(set);
        }
    }
    *groups = match once.as_slice() {
        [one] if !one.is_empty() => one.clone(),
        _ => vec![Expr::GroupingSets(once)],
    };
}

/// Trino's limit.
const SETS: u64 = 2048;

/// How many grouping sets a GROUP BY is.
fn sets(select: &Select) -> u64 {
    let GroupByExpr::Expressions(groups, _) = &select.group_by else { return 1 };
    let of = |group: &Expr| match group {
        Expr::GroupingSets(sets) => sets.len() as u64,
        Expr::Rollup(columns) => columns.len() as u64 + 1,
        Expr::Cube(columns) => 1u64.checked_shl(columns.len() as u32).unwrap_or(u64::MAX),
        _ => 1,
    };
    groups.iter().map(of).fold(1, u64::saturating_mul)
}

/// Refuses too many sets, and a name that is SELECT's alone; `of` knows the columns of tables.
pub fn check(select: &Select, of: &dyn Fn(&ObjectName) -> Columns) -> Result<(), Failure> {
    let sets = sets(select);
    if sets > SETS {
        let message = format!("GROUP BY has {sets} grouping sets but can contain at most {SETS}");
        return Err(Failure::new("TOO_MANY_GROUPING_SETS", message));
    }
    let named = select.projection.iter().filter_map(|item| match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.to_lowercase()),
        _ => None,
    });
    let named: Vec<String> = named.collect();
    let used: Vec<Ident> =
        grouped(select).into_iter().filter(|i| named.contains(&i.value.to_lowercase())).collect();
    if used.is_empty() {
        return Ok(());
    }
    // Where the columns are not known from the text the planner judges.
    let Some(columns) = scopes::columns(&select.from, of) else { return Ok(()) };
    match used.into_iter().find(|i| !columns.contains(&i.value.to_lowercase())) {
        None => Ok(()),
        Some(unknown) => {
            let failure = Failure::syntax(format!("Column '{}' cannot be resolved", unknown.value));
            Err(match parse::spot(unknown.span.start) {
                Some(spot) => failure.at(spot),
                None => failure,
            })
        }
    }
}

/// Refuses a name in ORDER BY that several columns of SELECT have; `of` knows the columns of tables.
pub fn order(query: &Query, of: &dyn Fn(&ObjectName) -> Columns) -> Result<(), Failure> {
    let (SetExpr::Select(select), Some(order)) = (&*query.body, &query.order_by) else { return Ok(()) };
    let OrderByKind::Expressions(items) = &order.kind else { return Ok(()) };
    let mut names: Vec<String> = select
        .projection
        .iter()
        .filter_map(|item| match item {
            SelectItem::UnnamedExpr(expr) => names::natural(expr),
            SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
            _ => None,
        })
        .collect();
    // The two of a join that is joined by them are one column.
    names.extend(scopes::stars(select, of).into_iter().collect::<BTreeSet<_>>());
    for item in items {
        let Expr::Identifier(name) = &item.expr else { continue };
        if names.iter().filter(|n| n.eq_ignore_ascii_case(&name.value)).count() > 1 {
            let failure = Failure::new("AMBIGUOUS_NAME", format!("Column '{}' is ambiguous", name.value));
            return Err(match parse::spot(name.span.start) {
                Some(spot) => failure.at(spot),
                None => failure,
            });
        }
    }
    Ok(())
}

/// The plain names in GROUP BY and HAVING, but for those in lambdas and in subqueries, which have names
/// of their own.
fn grouped(select: &Select) -> Vec<Ident> {
    #[derive(Default)]
    struct Names {
        found: Vec<Ident>,
        /// Lambdas and subqueries around the current expression.
        inner: usize,
    }
    impl Visitor for Names {
        type Break = ();

        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.inner += 1;
            ControlFlow::Continue(())
        }

        fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.inner -= 1;
            ControlFlow::Continue(())
        }

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Lambda(_) => self.inner += 1,
                Expr::Identifier(name) if self.inner == 0 => self.found.push(name.clone()),
                _ => {}
            }
            ControlFlow::Continue(())
        }

        fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            if let Expr::Lambda(_) = expr {
                self.inner -= 1;
            }
            ControlFlow::Continue(())
        }
    }
    let mut names = Names::default();
    // It never breaks.
    let _ = walk::visit(&select.group_by, &mut names);
    let _ = walk::visit(&select.having, &mut names);
    names.found
}
