//! Calculating with large whole numbers. JSONata's operators and functions know floating point only; what
//! [`super::whole`] lends is for handing on. So where numbers stand for others, the expression is evaluated with
//! a tree in which whatever calculates or compares is given the nearest floating-point numbers, and what it
//! gives stands for itself again.

use std::rc::Rc;

use jsonata_core::ast::{AstNode, BinaryOp, UnaryOp};
use jsonata_core::evaluator::Evaluator;
use jsonata_core::value::{JValue, with_stack};

use super::tree::children;
use super::whole::{LARGE, Wholes};

/// Names that no expression can write: what an operand goes through, and what a result does.
const TAKEN: &str = "taken as floating point";
const GIVEN: &str = "given as floating point";

/// Functions that look at a number's value.
const NUMERIC: [&str; 18] = [
    "string",
    "number",
    "parseInteger",
    "abs",
    "floor",
    "ceil",
    "round",
    "power",
    "sqrt",
    "sum",
    "max",
    "min",
    "average",
    "formatNumber",
    "formatBase",
    "formatInteger",
    "range",
    "fromMillis",
];
/// Those of them that take what they stand behind when they are given nothing.
const CONTEXTUAL: [&str; 9] =
    ["string", "number", "abs", "floor", "ceil", "round", "sqrt", "formatNumber", "formatBase"];

fn is_numeric(name: &str) -> bool {
    NUMERIC.contains(&name)
}

/// Makes an expression calculate with the nearest floating-point numbers; whether it calculates at all.
pub fn settle(node: &mut AstNode) -> bool {
    let mut found = false;
    if let AstNode::Binary { op: BinaryOp::ChainPipe, lhs, rhs } = node {
        found |= with_stack(|| settle(lhs));
        let named = match rhs.as_mut() {
            AstNode::Function { name, args, .. } => {
                for arg in args.iter_mut() {
                    found |= with_stack(|| settle(arg));
                    if is_numeric(name) {
                        wrap(arg, TAKEN);
                    }
                }
                is_numeric(name)
            }
            AstNode::Variable(name) => is_numeric(name),
            other => {
                found |= with_stack(|| settle(other));
                false
            }
        };
        if named {
            wrap(lhs, TAKEN);
            wrap(node, GIVEN);
        }
        return found | named;
    }
    children(node, &mut |child| found |= settle(child));
    let (calculates, result) = match node {
        AstNode::Binary { op, lhs, rhs } => {
            use BinaryOp::*;
            let sum = matches!(op, Add | Subtract | Multiply | Divide | Modulo);
            let compares = matches!(
                op,
                Equal
                    | NotEqual
                    | LessThan
                    | LessThanOrEqual
                    | GreaterThan
                    | GreaterThanOrEqual
                    | In
                    | Concatenate
            );
            if sum || compares {
                wrap(lhs, TAKEN);
                wrap(rhs, TAKEN);
            }
            (sum || compares, sum)
        }
        AstNode::Unary { op: UnaryOp::Negate, operand } => {
            wrap(operand, TAKEN);
            (true, true)
        }
        AstNode::Function { name, args, .. } if is_numeric(name) => {
            if args.is_empty() && CONTEXTUAL.contains(&name.as_str()) {
                args.push(AstNode::Variable(String::new()));
            }
            args.iter_mut().for_each(|arg| wrap(arg, TAKEN));
            (true, true)
        }
        // Passed on to a function that calls it.
        AstNode::Variable(name) if is_numeric(name) => match passed(name) {
            Some(function) => {
                *node = function;
                (true, false)
            }
            None => (false, false),
        },
        AstNode::Number(number) => {
            let large = number.abs() >= LARGE;
            (large, large)
        }
        AstNode::Sort { terms, .. } => {
            terms.iter_mut().for_each(|(term, _)| wrap(term, TAKEN));
            (true, false)
        }
        _ => (false, false),
    };
    if result {
        wrap(node, GIVEN);
    }
    found | calculates
}

/// A function of one argument that calls the one of this name.
fn passed(name: &str) -> Option<AstNode> {
    let mut function = jsonata_core::parser::parse(&format!("function($v) {{ ${name}($v) }}")).ok()?;
    settle(&mut function);
    Some(function)
}

fn wrap(node: &mut AstNode, name: &str) {
    if !matches!(node, AstNode::Placeholder) {
        let inner = std::mem::replace(node, AstNode::Null);
        *node = AstNode::Function { name: name.to_owned(), args: vec![inner], is_builtin: true };
    }
}

/// Registers what [`settle`] puts in.
pub fn register(evaluator: &mut Evaluator, wholes: &Rc<Wholes>) -> Result<(), String> {
    let (taken, given) = (wholes.clone(), wholes.clone());
    let taken =
        move |arguments: &[JValue]| Ok(arguments.first().map_or(JValue::Undefined, |v| take(v, &taken)));
    let given = move |arguments: &[JValue]| {
        Ok(match arguments.first() {
            Some(JValue::Number(number)) => JValue::Number(given.given(*number)),
            other => other.cloned().unwrap_or(JValue::Undefined),
        })
    };
    let registered = evaluator.register_fn(TAKEN, taken).and_then(|()| evaluator.register_fn(GIVEN, given));
    registered.map_err(|error| error.message().to_owned())
}

fn take(value: &JValue, wholes: &Wholes) -> JValue {
    match value {
        JValue::Number(number) => JValue::Number(wholes.taken(*number)),
        JValue::Array(items) => {
            let taken = with_stack(|| items.iter().map(|item| take(item, wholes)).collect());
            if items.sequence { JValue::sequence(taken) } else { JValue::array(taken) }
        }
        JValue::Object(map) => with_stack(|| {
            JValue::object(map.iter().map(|(key, item)| (key.clone(), take(item, wholes))).collect())
        }),
        other => other.clone(),
    }
}
