//! The functions that Step Functions adds to JSONata (`$partition`, `$range`, `$hash`, `$random`, `$uuid`,
//! `$parse`), takes away (`$eval`), and those that must draw time and chance from the stimulus.

use std::collections::{BTreeSet, HashSet};
use std::rc::Rc;

use chrono::{DateTime, Utc};
use jsonata_core::evaluator::{Evaluator, EvaluatorError, HostFnResult};
use jsonata_core::value::JValue;

use super::super::digest;
use super::super::scope::Chance;
use super::LENGTH;
use super::value::texts;
use super::words::MEMORY;

/// Functions that draw from chance.
pub const RANDOM: [&str; 3] = ["random", "uuid", "shuffle"];

/// Names that no expression can write, for the guards of [`super::tree::guard`].
pub const LIMIT: &str = "within limit";
pub const SHORT: &str = "within short limit";

/// What stands in for `$distinct`, and before the argument of `$keys`: see [`super::tree::hasten`].
pub const DISTINCT: &str = "distinct items";
pub const KEYS: &str = "keys of all";

/// Bytes of text in one value: AWS evaluates a text of 2^22 characters and refuses one of 2^23.
const TEXT: usize = 1 << 22;
const SHORT_TEXT: usize = 1 << 10;
/// Bytes of the items that are held against each other.
const SPELLED: usize = 64 << 20;

/// Registers those of the functions that the expression names.
pub fn register(
    evaluator: &mut Evaluator,
    used: &BTreeSet<String>,
    now: DateTime<Utc>,
    entropy: u64,
) -> Result<(), String> {
    let chance = Rc::new(Chance::new(entropy));
    for name in used {
        let chance = chance.clone();
        let registered = match name.as_str() {
            "partition" => evaluator.register_fn("partition", partition),
            "range" => evaluator.register_fn("range", range),
            "hash" => evaluator.register_fn("hash", hash),
            "parse" => evaluator.register_fn("parse", parse),
            "uuid" => evaluator.register_fn("uuid", move |_: &[JValue]| Ok(chance.uuid().into())),
            "random" => evaluator.register_fn_override("random", move |a: &[JValue]| random(a, &chance)),
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

fn thrown(message: impl Into<String>) -> EvaluatorError {
    EvaluatorError::EvaluationError(message.into())
}

fn mismatch(function: &str, argument: usize) -> EvaluatorError {
    thrown(format!("T0410: Argument {argument} of function \"{function}\" does not match function signature"))
}

/// Arguments beyond those that a function takes are ignored, as a callback is given more than it needs.
fn argument(arguments: &[JValue], i: usize) -> &JValue {
    arguments.get(i).unwrap_or(&JValue::Undefined)
}

fn whole(function: &str, arguments: &[JValue], i: usize) -> Result<i64, EvaluatorError> {
    argument(arguments, i).as_i64().ok_or_else(|| mismatch(function, i + 1))
}

/// `$partition(array, size)`: arrays of so many items; the last may be shorter.
fn partition(arguments: &[JValue]) -> HostFnResult {
    let single;
    let items = match argument(arguments, 0) {
        JValue::Undefined => return Ok(JValue::Undefined),
        JValue::Array(items) => items.as_slice(),
        // As everywhere in JSONata, one value stands for an array of one.
        other => {
            single = [other.clone()];
            &single
        }
    };
    let size = whole("partition", arguments, 1)?;
    let size = usize::try_from(size).ok().filter(|size| *size > 0);
    let size = size.ok_or_else(|| mismatch("partition", 2))?;
    Ok(JValue::array(items.chunks(size).map(|chunk| JValue::array(chunk.to_vec())).collect()))
}

/// `$range(first, last, step)`: a sequence, so that a single number is given as itself.
fn range(arguments: &[JValue]) -> HostFnResult {
    if arguments.iter().any(JValue::is_undefined) {
        return Ok(JValue::Undefined);
    }
    let [first, last, step] = [0, 1, 2].map(|i| whole("range", arguments, i));
    let (first, last, step) = (first?, last?, step?);
    if step == 0 {
        return Err(mismatch("range", 3));
    }
    let (mut items, mut next) = (Vec::new(), Some(first));
    while let Some(number) = next.filter(|n| if step > 0 { *n <= last } else { *n >= last }) {
        if items.len() == LENGTH {
            return Err(thrown(MEMORY));
        }
        items.push(JValue::from_i64(number));
        next = number.checked_add(step);
    }
    Ok(JValue::sequence(items))
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

/// `$hash(text, algorithm)`
fn hash(arguments: &[JValue]) -> HostFnResult {
    if argument(arguments, 0).is_undefined() {
        return Ok(JValue::Undefined);
    }
    let text = |i: usize| argument(arguments, i).as_str().ok_or_else(|| mismatch("hash", i + 1));
    let digest = digest::hex(text(1)?, text(0)?.as_bytes());
    digest.map(JValue::from).ok_or_else(|| mismatch("hash", 2))
}

/// `$parse(text)`: JSON.
fn parse(arguments: &[JValue]) -> HostFnResult {
    match argument(arguments, 0) {
        JValue::Undefined => Ok(JValue::Undefined),
        JValue::String(text) => {
            JValue::from_json_str(text).map_err(|e| thrown(format!("The text is not JSON: {e}")))
        }
        _ => Err(mismatch("parse", 1)),
    }
}

/// `$random(seed?)`: at least 0 and below 1; the same seed gives the same number.
fn random(arguments: &[JValue], chance: &Chance) -> HostFnResult {
    Ok(JValue::from_f64(match argument(arguments, 0) {
        JValue::Undefined => chance.fraction(),
        JValue::Number(seed) => Chance::new(seed.to_bits()).fraction(),
        _ => return Err(mismatch("random", 1)),
    }))
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
