//! Aggregates that are a list of their values and a function over it: `map_agg`, `histogram`, `listagg`,
//! and every aggregate with an ORDER BY of its own, so that several may order by different things.

use datafusion_sql::sqlparser::ast::*;

use super::calls::Call;
use super::rewrite::{call, number, text};
use crate::local::athena::failure::Failure;

fn not_null(expr: Expr) -> Expr {
    Expr::IsNotNull(Box::new(expr))
}

impl Call {
    /// `array_agg(arg)` with this call's FILTER and OVER.
    fn gather(&self, arg: Expr) -> Expr {
        let mut gathered = call("array_agg", vec![arg], self.span);
        if let Expr::Function(f) = &mut gathered {
            f.filter.clone_from(&self.function.filter);
            f.over.clone_from(&self.function.over);
        }
        gathered
    }

    /// The values as a list, in the order that this call asks for.
    fn ordered(&mut self, value: Expr, order: &[OrderByExpr]) -> Expr {
        let distinct =
            self.list().is_some_and(|l| l.duplicate_treatment == Some(DuplicateTreatment::Distinct));
        if order.is_empty() {
            let gathered = self.gather(value);
            return if distinct { call("array_distinct", vec![gathered], self.span) } else { gathered };
        }
        let mut cells = vec![value];
        let mut directions = String::new();
        for item in order {
            cells.push(item.expr.clone());
            let ascending = item.options.asc.unwrap_or(true);
            let first = item.options.nulls_first.unwrap_or(false);
            directions.push(match (ascending, first) {
                (true, false) => 'a',
                (true, true) => 'A',
                (false, false) => 'd',
                (false, true) => 'D',
            });
        }
        let gathered = self.gather(call("row", cells, self.span));
        let distinct = Expr::Value(Value::Boolean(distinct).into());
        call("$ordered", vec![gathered, text(&directions), distinct], self.span)
    }

    /// What listagg puts where its text would be too long, and whether it says how many values are left
    /// out; NULL when that is an error.
    fn overflow(&mut self) -> (Expr, Expr) {
        let mut found = (Expr::Value(Value::Null.into()), false);
        if let Some(list) = self.list() {
            list.clauses.retain_mut(|clause| match clause {
                FunctionArgumentClause::OnOverflow(ListAggOnOverflow::Truncate { filler, with_count }) => {
                    found = (filler.take().map_or_else(|| text("..."), |filler| *filler), *with_count);
                    false
                }
                other => !matches!(other, FunctionArgumentClause::OnOverflow(_)),
            });
        }
        (found.0, Expr::Value(Value::Boolean(found.1).into()))
    }

    fn order(&mut self) -> Vec<OrderByExpr> {
        let mut order = Vec::new();
        if let Some(list) = self.list() {
            list.clauses.retain_mut(|clause| match clause {
                FunctionArgumentClause::OrderBy(items) => {
                    order.append(items);
                    false
                }
                _ => true,
            });
        }
        order
    }
}

/// Rewrites an aggregate of this kind; `None` for every other call.
pub fn rewrite(name: &str, of: &mut Call) -> Result<Option<Expr>, Failure> {
    let span = of.span;
    Ok(Some(match name {
        "array_agg" => {
            of.arity(1..=1)?;
            let order = of.order();
            let distinct = of.list().is_some_and(|l| l.duplicate_treatment.is_some());
            if order.is_empty() && !distinct {
                return Ok(None);
            }
            let value = of.args[0].clone();
            of.ordered(value, &order)
        }
        "set_agg" => {
            of.arity(1..=1)?;
            call("array_distinct", vec![of.gather(of.args[0].clone())], span)
        }
        "set_union" => {
            of.arity(1..=1)?;
            of.only(not_null(of.args[0].clone()));
            let all = call("flatten", vec![of.gather(of.args[0].clone())], span);
            call("array_distinct", vec![all], span)
        }
        "listagg" => {
            of.arity(1..=2)?;
            let (filler, count) = of.overflow();
            let mut order = std::mem::take(&mut of.function.within_group);
            order.extend(of.order());
            let value = of.args[0].clone();
            of.only(not_null(value.clone()));
            let separator = of.args.get(1).cloned().unwrap_or_else(|| text(""));
            let gathered = of.ordered(call("$text", vec![value], span), &order);
            call("$listagg", vec![gathered, separator, filler, count], span)
        }
        "map_agg" | "multimap_agg" => {
            of.arity(2..=2)?;
            of.only(not_null(of.args[0].clone()));
            let order = of.order();
            let pairs = call("row", of.args.clone(), span);
            let gathered = of.ordered(pairs, &order);
            let made = if name == "map_agg" { "$map_of_pairs" } else { "multimap_from_entries" };
            call(made, vec![gathered], span)
        }
        "map_union" => {
            of.arity(1..=1)?;
            of.only(not_null(of.args[0].clone()));
            call("$map_union", vec![of.gather(of.args[0].clone())], span)
        }
        "histogram" => {
            of.arity(1..=1)?;
            of.only(not_null(of.args[0].clone()));
            call("$histogram", vec![of.gather(of.args[0].clone())], span)
        }
        "approx_most_frequent" => {
            of.arity(3..=3)?;
            of.only(not_null(of.args[1].clone()));
            let counted = call("$histogram", vec![of.gather(of.args[1].clone())], span);
            call("$most_frequent", vec![counted, of.args[0].clone()], span)
        }
        "checksum" => {
            of.arity(1..=1)?;
            call("$checksum", vec![of.gather(of.args[0].clone())], span)
        }
        "max" | "min" if of.args.len() == 2 => {
            of.only(not_null(of.args[0].clone()));
            let mut args = vec![of.gather(of.args[0].clone())];
            args.extend([of.args[1].clone(), text(name)]);
            call("$extremes", args, span)
        }
        "max_by" | "min_by" if of.args.len() == 3 => {
            of.only(not_null(of.args[1].clone()));
            let direction = if name == "max_by" { "d" } else { "a" };
            let pairs = of.gather(call("row", of.args[..2].to_vec(), span));
            let distinct = Expr::Value(Value::Boolean(false).into());
            let sorted = call("$ordered", vec![pairs, text(direction), distinct], span);
            call("slice", vec![sorted, number(1), of.args[2].clone()], span)
        }
        "approx_percentile" => {
            of.arity(2..=4)?;
            of.only(not_null(of.args[0].clone()));
            let weighted = of.args.len() > 2;
            let mut args = vec![if weighted {
                of.gather(call("row", vec![of.args[0].clone(), of.args[1].clone()], span))
            } else {
                of.gather(of.args[0].clone())
            }];
            args.push(of.args[if weighted { 2 } else { 1 }].clone());
            call("$percentile", args, span)
        }
        "geometric_mean" => {
            of.arity(1..=1)?;
            let ln = call("ln", std::mem::take(&mut of.args), span);
            of.set_args(vec![ln]);
            let mut mean = call("avg", Vec::new(), span);
            if let Expr::Function(f) = &mut mean {
                *f = of.function.clone();
                f.name = ObjectName(vec![ObjectNamePart::Identifier(super::rewrite::ident("avg", span))]);
            }
            call("exp", vec![mean], span)
        }
        "skewness" | "kurtosis" | "entropy" => {
            of.arity(1..=1)?;
            of.only(not_null(of.args[0].clone()));
            call("$moments", vec![of.gather(of.args[0].clone()), text(name)], span)
        }
        _ => return Ok(None),
    }))
}
