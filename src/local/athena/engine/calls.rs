//! Calls of Trino's functions as calls of the engine's, where a rename or another shape is enough.

use datafusion::sql::sqlparser::ast::*;
use datafusion::sql::sqlparser::tokenizer::Span;

use super::rewrite::{call, fold, ident, number, text};
use crate::local::athena::failure::Failure;

/// Trino's name and the engine's, where arguments are the same.
const RENAMED: &[(&str, &str)] = &[
    ("all_match", "$all_match"),
    ("any_match", "array_any_match"),
    ("approx_percentile", "approx_percentile_cont"),
    ("arbitrary", "any_value"),
    ("arrays_overlap", "array_has_any"),
    ("bitwise_and_agg", "bit_and"),
    ("bitwise_or_agg", "bit_or"),
    ("ceiling", "ceil"),
    ("char_length", "character_length"),
    ("character_length", "character_length"),
    ("codepoint", "ascii"),
    ("contains", "array_has"),
    ("every", "bool_and"),
    ("filter", "array_filter"),
    ("is_nan", "isnan"),
    ("length", "character_length"),
    ("levenshtein_distance", "levenshtein"),
    ("localtimestamp", "$localtimestamp"),
    ("mod", "$mod"),
    ("none_match", "$none_match"),
    ("pow", "power"),
    ("rand", "random"),
    ("stddev", "stddev_samp"),
    ("substring", "substr"),
    ("transform", "array_transform"),
    ("truncate", "trunc"),
    ("variance", "var_samp"),
];

struct Call {
    name: String,
    args: Vec<Expr>,
    span: Span,
    function: Function,
}

impl Call {
    fn of(mut function: Function) -> Call {
        let (mut name, mut span) = (String::new(), Span::empty());
        if let [ObjectNamePart::Identifier(part)] = function.name.0.as_mut_slice() {
            name = part.value.to_lowercase();
            span = part.span;
            fold(part);
        }
        let args = match &function.args {
            FunctionArguments::List(list) => list
                .args
                .iter()
                .filter_map(|arg| match arg {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        };
        Call { name, args, span, function }
    }

    fn arity(&self, wanted: std::ops::RangeInclusive<usize>) -> Result<(), Failure> {
        if wanted.contains(&self.args.len()) {
            return Ok(());
        }
        let spot = super::parse::spot(self.span.start);
        let failure = Failure::new(
            "FUNCTION_NOT_FOUND",
            format!("Unexpected number of parameters ({}) for function {}", self.args.len(), self.name),
        );
        Err(match spot {
            Some(spot) => failure.at(spot),
            None => failure,
        })
    }

    fn rename(mut self, name: &str) -> Expr {
        self.function.name = ObjectName(vec![ObjectNamePart::Identifier(ident(name, self.span))]);
        Expr::Function(self.function)
    }

    fn list(&mut self) -> Option<&mut FunctionArgumentList> {
        match &mut self.function.args {
            FunctionArguments::List(list) => Some(list),
            _ => None,
        }
    }

    fn set_args(&mut self, args: Vec<Expr>) {
        if let Some(list) = self.list() {
            list.args = args.into_iter().map(|a| FunctionArg::Unnamed(FunctionArgExpr::Expr(a))).collect();
        }
    }

    /// Adds to the call's FILTER.
    fn only(&mut self, condition: Expr) {
        let filter = match self.function.filter.take() {
            Some(filter) => Expr::BinaryOp {
                left: Box::new(Expr::Nested(filter)),
                op: BinaryOperator::And,
                right: Box::new(Expr::Nested(Box::new(condition))),
            },
            None => condition,
        };
        self.function.filter = Some(Box::new(filter));
    }

    /// `array_agg(arg)` with this call's FILTER and OVER.
    fn gather(&self, arg: Expr, filter: &Option<Box<Expr>>) -> Expr {
        let mut gathered = call("array_agg", vec![arg], self.span);
        if let Expr::Function(f) = &mut gathered {
            f.filter.clone_from(filter);
            f.over.clone_from(&self.function.over);
        }
        gathered
    }
}

fn order_by(expr: Expr, ascending: bool) -> OrderByExpr {
    OrderByExpr {
        expr,
        options: OrderByOptions { asc: Some(ascending), nulls_first: Some(false) },
        with_fill: None,
    }
}

fn not_null(expr: Expr) -> Expr {
    Expr::IsNotNull(Box::new(expr))
}

fn not(expr: Expr) -> Expr {
    Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(Expr::Nested(Box::new(expr))) }
}

/// Rewrites a call whose arguments were rewritten before.
pub fn rewrite(function: Function) -> Result<Expr, Failure> {
    let mut of = Call::of(function);
    let name = of.name.clone();
    Ok(match name.as_str() {
        "if" => {
            of.arity(2..=3)?;
            let mut args = of.args.into_iter();
            let (Some(condition), Some(result)) = (args.next(), args.next()) else {
                return Err(Failure::internal("if without arguments"));
            };
            Expr::Case {
                case_token: helpers::attached_token::AttachedToken::empty(),
                end_token: helpers::attached_token::AttachedToken::empty(),
                operand: None,
                conditions: vec![CaseWhen { condition, result }],
                else_result: args.next().map(Box::new),
            }
        }
        "count_if" => {
            of.arity(1..=1)?;
            let condition = of.args.remove(0);
            of.only(condition);
            of.set_args(vec![number(1)]);
            of.rename("count")
        }
        "try" => {
            of.arity(1..=1)?;
            let body = of.args.remove(0);
            let lambda = Expr::Lambda(LambdaFunction {
                params: OneOrManyWithParens::One(LambdaFunctionParameter {
                    name: ident("$nothing", Span::empty()),
                    data_type: None,
                }),
                body: Box::new(body),
                syntax: LambdaSyntax::Arrow,
            });
            call("$try", vec![number(1), lambda], of.span)
        }
        "all_match" | "none_match" => {
            of.arity(2..=2)?;
            let negate = name == "all_match";
            if let (true, Expr::Lambda(lambda)) = (negate, &mut of.args[1]) {
                let body = std::mem::replace(&mut *lambda.body, number(0));
                *lambda.body = not(body);
            }
            not(call("array_any_match", of.args, of.span))
        }
        "max_by" | "min_by" => {
            of.arity(2..=2)?;
            let by = of.args.remove(1);
            of.only(not_null(by.clone()));
            of.set_args(vec![of.args[0].clone()]);
            if let Some(list) = of.list() {
                list.clauses = vec![FunctionArgumentClause::OrderBy(vec![order_by(by, name == "min_by")])];
            }
            of.rename("first_value")
        }
        "map_agg" | "multimap_agg" => {
            of.arity(2..=2)?;
            of.only(not_null(of.args[0].clone()));
            let filter = of.function.filter.clone();
            let keys = of.gather(of.args[0].clone(), &filter);
            let values = of.gather(of.args[1].clone(), &filter);
            call(if name == "map_agg" { "$map_of" } else { "$multimap_of" }, vec![keys, values], of.span)
        }
        "histogram" => {
            of.arity(1..=1)?;
            of.only(not_null(of.args[0].clone()));
            let filter = of.function.filter.clone();
            let gathered = of.gather(of.args[0].clone(), &filter);
            call("$histogram", vec![gathered], of.span)
        }
        "set_agg" => {
            of.arity(1..=1)?;
            if let Some(list) = of.list() {
                list.duplicate_treatment = Some(DuplicateTreatment::Distinct);
            }
            of.rename("array_agg")
        }
        "listagg" => {
            of.arity(1..=2)?;
            let within = std::mem::take(&mut of.function.within_group);
            let mut args = of.args.clone();
            if args.len() == 1 {
                args.push(text(""));
            }
            of.set_args(args);
            if let Some(list) = of.list() {
                list.clauses = vec![FunctionArgumentClause::OrderBy(within)];
            }
            of.rename("string_agg")
        }
        "concat" | "reverse" | "map" | "repeat" => of.rename(&format!("${name}")),
        "date_trunc" | "round" | "abs" => of.rename(&name),
        "sum" | "avg" | "min" | "max" | "count" => of.rename(&name),
        _ => match RENAMED.iter().find(|(trino, _)| *trino == name) {
            Some((_, engine)) => of.rename(engine),
            None if of.function.name.0.len() == 1 => of.rename(&name),
            None => Expr::Function(of.function),
        },
    })
}
