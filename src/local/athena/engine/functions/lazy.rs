//! AND and OR whose right side may fail: as in Trino it is asked only about rows that the left side has not
//! settled, so that `z <> 0 AND 10 / z = 5` divides by no zero.
//! <https://github.com/trinodb/trino/blob/master/core/trino-main/src/main/java/io/trino/sql/gen/AndCodeGenerator.java>
//!
//! The right side is a lambda's body, which the engine's optimiser leaves where it is. What stands on the left
//! and cannot fail is a condition of its own besides: such conditions choose folders and objects to be read.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::{Array, BooleanArray, BooleanBuilder, UInt32Array};
use datafusion::arrow::compute;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::expr::{HigherOrderFunction, Lambda};
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs,
    HigherOrderSignature, HigherOrderUDF, HigherOrderUDFImpl, LambdaParametersProgress, Operator,
    ValueOrLambda, Volatility,
};

use super::lambda::{first_parameter, lambda, misused, same_by, value};

/// Functions that fail for some values, and before which a query commonly looks at the value.
const FALLIBLE: [&str; 9] = [
    "$modulo",
    "$over",
    super::arrays::SUBSCRIPT.name,
    "date_parse",
    "from_iso8601_date",
    "from_iso8601_timestamp",
    "json_parse",
    "mod",
    "parse_datetime",
];

static ALL: LazyLock<[Arc<HigherOrderUDF>; 2]> = LazyLock::new(|| {
    [Operator::And, Operator::Or].map(|op| {
        let signature = HigherOrderSignature::variadic_any(Volatility::Immutable);
        Arc::new(HigherOrderUDF::new_from_impl(Lazy { op, signature }))
    })
});

/// `left op right` where `right` may fail; `None` where the engine's own operator will do.
pub fn lazy(left: &Expr, op: Operator, right: &Expr) -> Option<Expr> {
    let fails = may_fail(right);
    if op == Operator::Or {
        return (fails && alone(left) && alone(right)).then(|| call(op, left.clone(), right.clone()));
    }
    // Conditions that cannot fail, and those that are asked one after the other.
    if let Expr::BinaryExpr(BinaryExpr { left: free, op: Operator::And, right: asked }) = left
        && is_lazy(asked, op)
    {
        if !alone(right) {
            return None;
        }
        let asked = call(op, (**asked).clone(), right.clone());
        let free = (**free).clone();
        return Some(if fails { free.and(asked) } else { free.and(right.clone()).and(asked) });
    }
    if !fails || !alone(left) || !alone(right) {
        return None;
    }
    let asked = call(op, left.clone(), right.clone());
    Some(if may_fail(left) { asked } else { left.clone().and(asked) })
}

fn call(op: Operator, left: Expr, right: Expr) -> Expr {
    let func = ALL[usize::from(op == Operator::Or)].clone();
    let right = Expr::Lambda(Lambda::new(vec!["$nothing".to_owned()], right));
    Expr::HigherOrderFunction(HigherOrderFunction::new(func, vec![left, right]))
}

/// All conditions of a conjunction, also those that are asked one after the other.
pub fn terms(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            [terms(left), terms(right)].concat()
        }
        Expr::HigherOrderFunction(of) if is_lazy(expr, Operator::And) => {
            let parts = of.args.iter().map(|arg| match arg {
                Expr::Lambda(lambda) => terms(&lambda.body),
                other => terms(other),
            });
            parts.flatten().collect()
        }
        other => vec![other],
    }
}

fn is_lazy(expr: &Expr, op: Operator) -> bool {
    match expr {
        Expr::HigherOrderFunction(of) => Arc::ptr_eq(&of.func, &ALL[usize::from(op == Operator::Or)]),
        _ => false,
    }
}

fn has(expr: &Expr, found: impl Fn(&Expr) -> bool) -> bool {
    use datafusion::common::tree_node::TreeNode;
    // The closure never fails.
    expr.exists(|e| Ok(found(e))).unwrap_or(false)
}

fn may_fail(expr: &Expr) -> bool {
    has(expr, |e| match e {
        Expr::ScalarFunction(call) => match call.name() {
            "$cast" => strict(&call.args),
            name => FALLIBLE.contains(&name),
        },
        _ => false,
    })
}

/// Whether a cast is none of TRY_CAST, and none to a text.
fn strict(args: &[Expr]) -> bool {
    use datafusion::common::ScalarValue;
    let tries = matches!(args.get(2), Some(Expr::Literal(ScalarValue::Boolean(Some(true)), _)));
    let text = matches!(args.get(1), Some(Expr::Literal(ScalarValue::Utf8(Some(to)), _)) if to == "varchar");
    !tries && !text
}

/// Whether an expression has no subquery and nothing of an outer query: the engine makes joins of these, and
/// does not look for them in lambdas.
fn alone(expr: &Expr) -> bool {
    !has(expr, |e| {
        matches!(
            e,
            Expr::ScalarSubquery(_)
                | Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::SetComparison(_)
                | Expr::OuterReferenceColumn(..)
        )
    })
}

/// `$and(left, $nothing -> right)` and `$or`.
#[derive(Debug)]
struct Lazy {
    op: Operator,
    signature: HigherOrderSignature,
}

same_by!(Lazy, |of| of.op);

impl HigherOrderUDFImpl for Lazy {
    fn name(&self) -> &str {
        if self.op == Operator::And { "$and" } else { "$or" }
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn lambda_parameters(
        &self,
        _: usize,
        fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        first_parameter(fields, self.name())
    }

    fn return_field_from_args(&self, _: HigherOrderReturnFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new("", DataType::Boolean, true)))
    }

    fn short_circuits(&self) -> bool {
        true
    }

    fn conditional_arguments<'a>(&self, args: &'a [Expr]) -> Option<(Vec<&'a Expr>, Vec<&'a Expr>)> {
        let (first, rest) = args.split_first()?;
        Some((vec![first], rest.iter().collect()))
    }

    fn invoke_with_args(&self, args: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        let (Some(left), Some(right)) = (value(&args, 0)?, lambda(&args, 1)) else {
            return Err(misused(self.name()));
        };
        // An untyped NULL.
        let left = compute::cast(&left, &DataType::Boolean)?;
        let left = left.as_boolean();
        let settles = self.op == Operator::Or;
        let open = |row: usize| left.is_null(row) || left.value(row) != settles;
        let rows: UInt32Array =
            (0..left.len() as u32).filter(|row| open(*row as usize)).collect::<Vec<u32>>().into();
        if rows.is_empty() {
            return Ok(ColumnarValue::Array(Arc::new(left.clone())));
        }
        let asked = compute::take(left, &rows, None)?;
        let all = rows.len() == left.len();
        let right = right
            .evaluate(&[&|| Ok(asked.clone())], |captured| {
                if all {
                    return Ok(captured.to_vec());
                }
                captured.iter().map(|c| Ok(compute::take(c, &rows, None)?)).collect()
            })?
            .into_array(rows.len())?;
        let right = compute::cast(&right, &DataType::Boolean)?;
        let (asked, right): (&BooleanArray, &BooleanArray) = (asked.as_boolean(), right.as_boolean());
        let answers = match self.op {
            Operator::And => compute::and_kleene(asked, right)?,
            _ => compute::or_kleene(asked, right)?,
        };
        if all {
            return Ok(ColumnarValue::Array(Arc::new(answers)));
        }
        let mut out = BooleanBuilder::with_capacity(left.len());
        let mut next = answers.iter();
        for row in 0..left.len() {
            out.append_option(if open(row) { next.next().flatten() } else { Some(settles) });
        }
        Ok(ColumnarValue::Array(Arc::new(out.finish())))
    }
}
