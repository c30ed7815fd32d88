//! How much a statement grows on its way: some calls are rewritten so that an argument stands twice,
//! and one in another in another doubles with every level. What would grow beyond bounds is refused
//! before it does.

use std::ops::ControlFlow;

use datafusion_sql::sqlparser::ast::{Expr, Ident, Statement, Visitor};

use super::{parse, walk};
use crate::local::athena::failure::{Failure, Spot};

/// The longest statement that Athena takes, 262,144 bytes, has half as many parts if nothing doubles.
const HEAVIEST: u64 = 300_000;

/// Calls of which an argument is written twice, by us or by the engine's optimiser.
const DOUBLING: [&str; 16] = [
    "approx_most_frequent",
    "approx_percentile",
    "coalesce",
    "entropy",
    "histogram",
    "kurtosis",
    "listagg",
    "map_agg",
    "map_union",
    "max",
    "max_by",
    "min",
    "min_by",
    "multimap_agg",
    "set_union",
    "skewness",
];

/// Refuses a statement that would grow too much.
pub fn check(statement: &Statement) -> Result<(), Failure> {
    let mut scale = Scale { open: vec![0] };
    match walk::visit(statement, &mut scale) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(spot) => Err(Failure::malformed(
            spot,
            "statement is too large (calls nested in each other multiply: put the inner ones into a WITH query)",
        )),
    }
}

struct Scale {
    /// What the expressions around the current one weigh so far.
    open: Vec<u64>,
}

impl Visitor for Scale {
    type Break = Spot;

    fn pre_visit_expr(&mut self, _: &Expr) -> ControlFlow<Spot> {
        self.open.push(0);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Spot> {
        let inner = self.open.pop().unwrap_or(0);
        let weight = inner.saturating_mul(times(expr)).saturating_add(1);
        if weight > HEAVIEST {
            let name = match expr {
                Expr::Function(function) => function.name.0.first().and_then(|part| part.as_ident()),
                _ => None,
            };
            let at = name.and_then(|name| parse::spot(name.span.start));
            return ControlFlow::Break(at.unwrap_or(Spot { line: 1, column: 1 }));
        }
        if let Some(around) = self.open.last_mut() {
            *around = around.saturating_add(weight);
        }
        ControlFlow::Continue(())
    }
}

/// How often the parts of an expression will stand in what it becomes.
fn times(expr: &Expr) -> u64 {
    match expr {
        Expr::Between { .. } => 2,
        // A few values become as many comparisons.
        Expr::InList { list, .. } if (2..=3).contains(&list.len()) => list.len() as u64,
        Expr::Function(function) => {
            let name = function.name.0.last().and_then(|part| part.as_ident());
            let doubles = |name: &Ident| DOUBLING.binary_search(&&*name.value.to_ascii_lowercase()).is_ok();
            if name.is_some_and(doubles) { 2 } else { 1 }
        }
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On a stack like those of the engine's threads.
    fn fits(sql: &str) -> bool {
        let sql = sql.to_owned();
        let judge = move || {
            let parsed = datafusion_sql::sqlparser::parser::Parser::parse_sql(&parse::Trino, &sql);
            check(&parsed.unwrap()[0]).is_ok()
        };
        std::thread::Builder::new().stack_size(64 << 20).spawn(judge).unwrap().join().unwrap()
    }

    #[test]
    fn what_multiplies_is_refused_and_what_only_grows_is_not() {
        let nested = |name: &str, rest: &str, n: usize| {
            format!("SELECT {}x{}", format!("{name}(").repeat(n), format!("{rest})").repeat(n))
        };
        assert!(fits(&nested("coalesce", ", 'y'", 8)));
        assert!(!fits(&nested("coalesce", ", 'y'", 30)));
        assert!(fits(&nested("replace", ", 'a', 'b'", 30)));
        assert!(!fits(&format!("SELECT 1{}", " IN (1, 2)".repeat(30))));
        assert!(fits(&format!("SELECT x IN ({})", vec!["1"; 100_000].join(","))));
        assert!(fits(&format!("SELECT {}", vec!["coalesce(a, b)"; 5_000].join(", "))));
    }
}
