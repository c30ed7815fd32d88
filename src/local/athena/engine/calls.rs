//! Calls of Trino's functions as calls of the engine's, where a rename or another shape is enough.

use datafusion_sql::sqlparser::ast::*;
use datafusion_sql::sqlparser::tokenizer::Span;

use super::known;
pub use super::known::trinos;
use super::parse::TYPE_MARK;
use super::rewrite::{call, fold, ident, number, text};
use super::{places, shapes};
use crate::local::athena::failure::Failure;

/// A call in pieces.
pub struct Call {
    pub name: String,
    pub args: Vec<Expr>,
    pub span: Span,
    pub function: Function,
}

impl Call {
    fn of(mut function: Function) -> Call {
        let (mut name, mut span) = (String::new(), Span::empty());
        if let [ObjectNamePart::Identifier(part)] = function.name.0.as_mut_slice() {
            name = part.value.to_lowercase();
            span = part.span;
            fold(part);
        }
        let plain = |arg: &FunctionArg| matches!(arg, FunctionArg::Unnamed(FunctionArgExpr::Expr(_)));
        let mut args = Vec::new();
        if let FunctionArguments::List(list) = &mut function.args
            && list.args.iter().all(plain)
        {
            // Taken, not copied: they may be large. [`Call::rename`] puts them back.
            args.extend(list.args.drain(..).filter_map(|arg| match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
                _ => None,
            }));
        }
        Call { name, args, span, function }
    }

    /// A failure at this call.
    pub fn failure(&self, name: &str, message: String) -> Failure {
        let failure = Failure::new(name, message);
        match super::parse::spot(self.span.start) {
            Some(spot) => failure.at(spot),
            None => failure,
        }
    }

    pub fn arity(&self, wanted: std::ops::RangeInclusive<usize>) -> Result<(), Failure> {
        if wanted.contains(&self.args.len()) {
            return Ok(());
        }
        let message =
            format!("Unexpected number of parameters ({}) for function {}", self.args.len(), self.name);
        Err(self.failure("FUNCTION_NOT_FOUND", message))
    }

    /// The same call of another function, with the arguments as they are now.
    pub fn rename(mut self, name: &str) -> Expr {
        if !self.args.is_empty() {
            let args = std::mem::take(&mut self.args);
            self.set_args(args);
        }
        self.function.name = ObjectName(vec![ObjectNamePart::Identifier(ident(name, self.span))]);
        Expr::Function(self.function)
    }

    pub fn list(&mut self) -> Option<&mut FunctionArgumentList> {
        match &mut self.function.args {
            FunctionArguments::List(list) => Some(list),
            _ => None,
        }
    }

    pub fn set_args(&mut self, args: Vec<Expr>) {
        if let Some(list) = self.list() {
            list.args = args.into_iter().map(|a| FunctionArg::Unnamed(FunctionArgExpr::Expr(a))).collect();
        }
    }

    /// Adds to the call's FILTER.
    pub fn only(&mut self, condition: Expr) {
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
}

fn not(expr: Expr) -> Expr {
    Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(Expr::Nested(Box::new(expr))) }
}

/// `CAST(x AS type)`.
pub fn cast(kind: CastKind, expr: Expr, data_type: &DataType) -> Expr {
    let name = data_type.to_string();
    let name = name.trim_matches('"');
    let name = name.strip_prefix(TYPE_MARK).unwrap_or(name).replace("\"\"", "\"");
    let lenient = matches!(kind, CastKind::TryCast | CastKind::SafeCast);
    let lenient = Expr::Value(Value::Boolean(lenient).into());
    call("$cast", vec![expr, text(&name), lenient], Span::empty())
}

/// Rewrites a call whose arguments were rewritten before.
pub fn rewrite(mut function: Function) -> Result<Expr, Failure> {
    if let Some(WindowType::WindowSpec(spec)) = &mut function.over {
        shapes::plain_frame(spec);
    }
    let mut of = Call::of(function);
    let name = of.name.clone();
    Ok(match name.as_str() {
        places::LITERAL => super::literals::typed(of.args),
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
        "now" | "current_timestamp" | "localtimestamp" if of.function.over.is_none() => {
            let kind = if name == "localtimestamp" { "timestamp(3)" } else { "timestamp(3) with time zone" };
            let no = Expr::Value(Value::Boolean(false).into());
            call("$cast", vec![call("$now", Vec::new(), of.span), text(kind), no], of.span)
        }
        "random" | "rand" if !of.args.is_empty() => {
            of.arity(1..=2)?;
            // From the first, which is 0 when there is one alone, up to the last.
            if of.args.len() == 1 {
                of.args.insert(0, number(0));
            }
            of.args.push(call("random", Vec::new(), of.span));
            call("$random_between", of.args, of.span)
        }
        "typeof" if matches!(of.args.first(), Some(Expr::Value(v)) if matches!(v.value, Value::SingleQuotedString(_))) =>
        {
            let length = match &of.args[0] {
                Expr::Value(v) => v.value.clone().into_string().unwrap_or_default().chars().count(),
                _ => 0,
            };
            text(&format!("varchar({length})"))
        }
        // The error that it may have is of no account here.
        "approx_distinct" if of.args.len() == 2 => {
            of.args.truncate(1);
            of.rename("approx_distinct")
        }
        // The form is a word of its own.
        "normalize" if of.args.len() == 2 => {
            let form = of.args[1].to_string().trim_matches(['"', '\'']).to_owned();
            of.args[1] = text(&form);
            of.rename("normalize")
        }
        "count_if" => {
            of.arity(1..=1)?;
            let condition = std::mem::replace(&mut of.args[0], number(1));
            of.only(condition);
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
        // Of a key that comes twice the lambda makes one value.
        "split_to_map" if of.args.len() == 4 => split_to_map(of)?,
        // JSON within JSON is not a text.
        "$json_object" | "$json_array" => {
            let is_json = |arg: &Expr| {
                let inner = places::unwrapped(arg);
                matches!(inner, Expr::Function(f) if f.name.to_string().contains("\"$json_"))
            };
            let args = std::mem::take(&mut of.args).into_iter();
            of.args = args
                .map(|arg| if is_json(&arg) { call("json_parse", vec![arg], of.span) } else { arg })
                .collect();
            of.rename(&name)
        }
        "array_sort" if of.args.len() == 2 => of.rename("$array_sort_by"),
        "regexp_replace" if matches!(of.args.get(2), Some(Expr::Lambda(_))) => {
            of.rename("$regexp_replace_by")
        }
        _ => match super::gathers::rewrite(&name, &mut of)? {
            Some(expr) => expr,
            None => named(of, &name)?,
        },
    })
}

/// `split_to_map(s, e, k, (key, a, b) -> v)`: all values of each key, reduced to one.
fn split_to_map(mut of: Call) -> Result<Expr, Failure> {
    let span = of.span;
    let (Some(Expr::Lambda(of_two)), 3) = (of.args.pop(), of.args.len()) else {
        let expected = "split_to_map(varchar, varchar, varchar, function(varchar,varchar,varchar,varchar))";
        let message = format!("Unexpected parameters for function split_to_map. Expected: {expected}");
        return Err(of.failure("FUNCTION_NOT_FOUND", message));
    };
    let names: Vec<Ident> = of_two.params.iter().map(|p| p.name.clone()).collect();
    let [key, first, second] = names.as_slice() else {
        let message = format!("Expected a lambda that takes 3 argument(s) but got {}", names.len());
        return Err(of.failure("INVALID_PARAMETER_USAGE", message));
    };
    let lambda = |params: &[&Ident], body: Expr| {
        let params = params.iter().map(|p| LambdaFunctionParameter { name: (*p).clone(), data_type: None });
        Expr::Lambda(LambdaFunction {
            params: OneOrManyWithParens::Many(params.collect()),
            body: Box::new(body),
            syntax: LambdaSyntax::Arrow,
        })
    };
    let all = ident("$values", Span::empty());
    let one = |n: i64| call("element_at", vec![Expr::Identifier(all.clone()), number(n)], span);
    let count = call("cardinality", vec![Expr::Identifier(all.clone())], span);
    let rest = call("slice", vec![Expr::Identifier(all.clone()), number(2), count], span);
    let same = lambda(&[first], Expr::Identifier(first.clone()));
    let reduced = call("reduce", vec![rest, one(1), lambda(&[first, second], *of_two.body), same], span);
    let split = call("split_to_multimap", of.args, span);
    Ok(call("transform_values", vec![split, lambda(&[key, &all], reduced)], span))
}

/// A call that keeps its arguments.
fn named(of: Call, name: &str) -> Result<Expr, Failure> {
    if of.function.name.0.len() != 1 {
        return Err(
            of.failure("FUNCTION_NOT_FOUND", format!("Function '{}' not registered", of.function.name))
        );
    }
    // Made by an earlier step.
    if name.starts_with('$') || known::INTERNAL.contains(&name) {
        return Ok(of.rename(name));
    }
    if let Some(engine) = known::engine(name) {
        if known::WINDOWS.contains(&name) && of.function.over.is_none() {
            let message = format!("Window function {name} requires an OVER clause");
            return Err(of.failure("MISSING_OVER", message));
        }
        return Ok(of.rename(engine));
    }
    if super::functions::has(name) {
        return Ok(of.rename(name));
    }
    if known::missing(name) {
        return Err(of.failure("NOT_SUPPORTED", format!("the local cloud does not have the function {name}")));
    }
    Err(of.failure("FUNCTION_NOT_FOUND", format!("Function '{name}' not registered")))
}
