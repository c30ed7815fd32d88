//! The functions of ours that an expression is given: those that Step Functions adds to JSONata
//! ([`super::added`]) or takes away (`$eval`), those that must draw time and chance from the stimulus, and those
//! that keep an evaluation within its bounds.

use std::collections::{BTreeSet, HashSet};
use std::rc::Rc;

use chrono::{DateTime, Utc};
use jsonata_core::evaluator::{Evaluator, EvaluatorError, HostFnResult};
use jsonata_core::value::JValue;

use super::super::scope::Chance;
use super::added::{self, argument, mismatch};
use super::value::texts;
use super::whole::Wholes;
use super::words::MEMORY;

/// Functions that draw from chance.
pub const RANDOM: [&str; 3] = ["random", "uuid", "shuffle"];

/// Names that no expression can write, for the guards of [`super::tree::guard`].
pub const LIMIT: &str = "within limit";
pub const SHORT: &str = "within short limit";

/// What stands in for `$distinct`, and before the argument of `$keys`: see [`super::tree::hasten`].
pub const DISTINCT: &str = "distinct items";
pub const KEYS: &str = "keys of all";

/// What stands in for a call with more arguments than its function takes: see [`super::tree::surplus`].
pub const SURPLUS: &str = "one argument too many";

/// Bytes of text in one value: AWS evaluates a text of 2^22 characters and refuses one of 2^23.
const TEXT: usize = 1 << 22;
const SHORT_TEXT: usize = 1 << 10;
/// Bytes of the items that are held against each other.
const SPELLED: usize = 64 << 20;

/// Registers those of the functions that the expression names.
pub fn register(
    evaluator: &mut Evaluator,
    used: &BTreeSet<String>,
    (now, entropy): (DateTime<Utc>, u64),
    wholes: &Rc<Wholes>,
) -> Result<(), String> {
    let chance = Rc::new(Chance::new(entropy));
    for name in used {
        let (chance, wholes) = (chance.clone(), wholes.clone());
        let registered = match name.as_str() {
            "partition" => evaluator.register_fn("partition", added::partition),
            "range" => evaluator.register_fn("range", added::range),
            "hash" => evaluator.register_fn("hash", added::hash),
            "parse" => evaluator.register_fn("parse", move |a: &[JValue]| added::parse(a, &wholes)),
            "uuid" => evaluator.register_fn("uuid", move |_: &[JValue]| Ok(chance.uuid().into())),
            "random" => {
                evaluator.register_fn_override("random", move |a: &[JValue]| added::random(a, &chance))
            }
            "shuffle" => evaluator.register_fn_override("shuffle", move |a: &[JValue]| shuffle(a, &chance)),
            "millis" => evaluator.register_fn_override("millis", move |_: &[JValue]| {
                Ok(JValue::from_i64(now.timestamp_millis()))
            }),
            "now" => evaluator.register_fn_override("now", move |a: &[JValue]| written(a, now)),
            "pad" => evaluator.register_fn_override("pad", pad),
            "eval" => evaluator.register_fn_override("eval", |_: &[JValue]| {
                Err(thrown("T1006: Attempted to invoke a non-function"))
            }),
            _ => Ok(()),
        };
        registered.map_err(|error| error.message().to_owned())?;
    }
    if used.contains(SURPLUS) {
        let refused = |a: &[JValue]| Err(thrown(argument(a, 0).as_str().unwrap_or_default()));
        evaluator.register_fn(SURPLUS, refused).map_err(|error| error.message().to_owned())?;
    }
    if used.contains(DISTINCT) {
        let quick = evaluator.register_fn(DISTINCT, distinct);
        quick.and_then(|()| evaluator.register_fn(KEYS, keys)).map_err(|error| error.message().to_owned())?;
    }
    let guards = [(LIMIT, TEXT), (SHORT, SHORT_TEXT)];
    for (name, most) in guards.into_iter().filter(|_| used.contains(LIMIT)) {
        let limited = move |arguments: &[JValue]| match arguments {
            [value] if texts(value, most + 1) <= most => Ok(value.clone()),
            _ => Err(thrown(MEMORY)),
        };
        evaluator.register_fn(name, limited).map_err(|error| error.message().to_owned())?;
    }
    Ok(())
}

pub fn thrown(message: impl Into<String>) -> EvaluatorError {
    EvaluatorError::EvaluationError(message.into())
}

/// `$distinct(array)`, in time that grows with the array and not with its square.
fn distinct(arguments: &[JValue]) -> HostFnResult {
    let items = match argument(arguments, 0) {
        JValue::Array(items) if items.len() > 1 => items,
        other => return Ok(other.clone()),
    };
    let (mut seen, mut left) = (HashSet::new(), SPELLED);
    let mut kept = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let mut spelled = String::new();
        match super::value::spell(item, &mut spelled, &mut left) {
            None => return Err(thrown(MEMORY)),
            // No function is another.
            Some(false) => spelled = format!("function {i}"),
            Some(true) => {}
        }
        if seen.insert(spelled) {
            kept.push(item.clone());
        }
    }
    Ok(if items.sequence { JValue::sequence(kept) } else { JValue::array(kept) })
}

/// An array of objects as one object with the keys of all of them, in which `$keys` need not look for
/// doubles.
fn keys(arguments: &[JValue]) -> HostFnResult {
    let items = match argument(arguments, 0) {
        JValue::Array(items) if items.len() > 1 => items,
        other => return Ok(other.clone()),
    };
    let objects = items.iter().filter_map(|item| match item {
        JValue::Object(object) => Some(object),
        _ => None,
    });
    let names = objects.flat_map(|object| object.keys().cloned().collect::<Vec<_>>());
    Ok(JValue::object(names.map(|name| (name, JValue::Null)).collect()))
}

fn shuffle(arguments: &[JValue], chance: &Chance) -> HostFnResult {
    let mut items = match argument(arguments, 0) {
        JValue::Undefined => return Ok(JValue::Undefined),
        JValue::Array(items) => items.to_vec(),
        other => vec![other.clone()],
    };
    for i in (1..items.len()).rev() {
        // Fisher and Yates; the remainder's bias is far below what anybody could see.
        items.swap(i, (chance.next() % (i as u64 + 1)) as usize);
    }
    Ok(JValue::array(items))
}

/// `$now(picture?, timezone?)` is `$fromMillis` of the stimulus's time.
fn written(arguments: &[JValue], now: DateTime<Utc>) -> HostFnResult {
    let mut context = jsonata_core::evaluator::Context::new();
    context.bind("n".into(), JValue::from_i64(now.timestamp_millis()));
    context.bind("p".into(), argument(arguments, 0).clone());
    context.bind("z".into(), argument(arguments, 1).clone());
    let tree = jsonata_core::parser::parse("$fromMillis($n, $p, $z)").map_err(|e| thrown(e.to_string()))?;
    Evaluator::with_context(context).evaluate(&tree, &JValue::Undefined)
}

/// `$pad(text, width, char?)`: to the right, or to the left with a negative width.
fn pad(arguments: &[JValue]) -> HostFnResult {
    let text = match argument(arguments, 0) {
        JValue::Undefined => return Ok(JValue::Undefined),
        JValue::String(text) => text.clone(),
        _ => return Err(mismatch("pad", 1)),
    };
    let width = argument(arguments, 1).as_f64().ok_or_else(|| mismatch("pad", 2))?;
    let with = match argument(arguments, 2) {
        JValue::Undefined => " ",
        JValue::String(with) if with.is_empty() => " ",
        JValue::String(with) => with.as_ref(),
        _ => return Err(mismatch("pad", 3)),
    };
    if width.abs() > TEXT as f64 {
        return Err(thrown(MEMORY));
    }
    let missing = (width.abs() as usize).saturating_sub(text.chars().count());
    let padding: String = with.chars().cycle().take(missing).collect();
    Ok(if width < 0.0 { format!("{padding}{text}") } else { format!("{text}{padding}") }.into())
}
