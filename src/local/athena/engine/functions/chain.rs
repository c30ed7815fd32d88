//! Many operators in a row as one call of all their operands. The engine asks each operator for its type,
//! which asks its operands: a chain of n operators takes time with the square of n, and one call does not.

use std::hash::{Hash, Hasher};

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Expr, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::arithmetic::{self, Op};
use super::native::is_text;
use super::strings;
use crate::local::athena::engine::scan::fail;
use crate::local::athena::failure::Failure;

/// Shorter chains stay one call in the other, of which a part may be found again in GROUP BY.
const LONG: usize = 32;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Steps {
    /// `||` of texts.
    Texts,
    /// One operator before each operand but the first.
    Numbers(Vec<Op>),
}

#[derive(Clone, Debug)]
struct Chain {
    steps: Steps,
    /// The type of the whole.
    kind: DataType,
    signature: Signature,
}

impl PartialEq for Chain {
    fn eq(&self, other: &Self) -> bool {
        self.steps == other.steps
    }
}

impl Eq for Chain {}

impl Hash for Chain {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.steps.hash(state);
    }
}

fn of(expr: &Expr) -> Option<&Chain> {
    match expr {
        Expr::ScalarFunction(call) => call.func.inner().downcast_ref(),
        _ => None,
    }
}

/// The type of a chain, without a look at its operands.
pub fn kind(expr: &Expr) -> Option<&DataType> {
    of(expr).map(|chain| &chain.kind)
}

/// Whether what stands on the left of an operator is so long that the operator is to be part of a chain.
fn is_long(mut left: &Expr) -> bool {
    for _ in 0..LONG {
        left = match left {
            Expr::ScalarFunction(call) if of(left).is_some() || arithmetic::is_operator(call.name()) => {
                match call.args.first() {
                    Some(first) if of(left).is_none() => first,
                    _ => return true,
                }
            }
            Expr::BinaryExpr(binary) if binary.op == Operator::StringConcat => &binary.left,
            _ => return false,
        };
    }
    true
}

/// A chain with one operator more than what stands on its left.
pub struct Longer(Chain);

/// The chain that an operator ends; `None` when an ordinary call of it will do.
pub fn longer(symbol: &str, left: &Expr, types: &[DataType; 2]) -> Option<Longer> {
    if !is_long(left) {
        return None;
    }
    let known = of(left).map(|chain| &chain.steps);
    let (steps, kind) = if symbol == "||" {
        let texts = types.iter().all(is_text) && known.is_none_or(|steps| *steps == Steps::Texts);
        (texts.then_some(Steps::Texts)?, DataType::Utf8)
    } else {
        let (op, kind) = arithmetic::result(symbol, types)?;
        let mut ops = match known {
            Some(Steps::Numbers(ops)) => ops.clone(),
            Some(Steps::Texts) => return None,
            None => Vec::new(),
        };
        ops.push(op);
        (Steps::Numbers(ops), kind)
    };
    Some(Longer(Chain { steps, kind, signature: Signature::variadic_any(Volatility::Immutable) }))
}

impl Longer {
    /// The chain's call; `left` is what it was made for.
    pub fn call(self, left: Expr, right: Expr) -> Expr {
        let known = of(&left).is_some();
        let mut args = match left {
            Expr::ScalarFunction(call) if known => call.args,
            left => vec![left],
        };
        args.push(right);
        ScalarUDF::new_from_impl(self.0).call(args)
    }
}

impl Chain {
    fn eval(&self, arrays: &[ArrayRef]) -> Result<ArrayRef, Failure> {
        let Steps::Numbers(ops) = &self.steps else { return strings::concat(arrays, &DataType::Utf8) };
        let missing = || Failure::internal("a chain without operands");
        let (first, rest) = arrays.split_first().ok_or_else(missing)?;
        let mut sum = first.clone();
        for (op, operand) in ops.iter().zip(rest) {
            let kind = arithmetic::kind(*op, &[sum.data_type().clone(), operand.data_type().clone()])
                .map_err(Failure::internal)?;
            sum = arithmetic::eval(*op, &[sum, operand.clone()], &kind)?;
        }
        Ok(sum)
    }
}

impl ScalarUDFImpl for Chain {
    fn name(&self) -> &str {
        "$chain"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.kind.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let result = self.eval(&arrays).map_err(fail)?;
        Ok(if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?)
        } else {
            ColumnarValue::Array(result)
        })
    }
}
