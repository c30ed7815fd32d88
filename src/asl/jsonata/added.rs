//! The functions that Step Functions adds to JSONata: `$partition`, `$range`, `$hash`, `$random`, `$uuid` and
//! `$parse` (AWS guide, "JSONata functions provided by Step Functions"). Where the guide is silent, at their
//! edges, they do what AWS was measured to do: an undefined argument mostly gives undefined, an argument of the
//! wrong type fails, and a number with a fraction is cut towards zero.

use jsonata_core::evaluator::{EvaluatorError, HostFnResult};
use jsonata_core::value::JValue;

use super::super::digest;
use super::super::scope::Chance;
use super::functions::thrown;
use super::parse;
use super::whole::Wholes;
use super::words::MEMORY;

/// The functions and how many arguments they take.
pub const TAKES: [(&str, usize); 6] =
    [("partition", 2), ("range", 3), ("hash", 2), ("random", 1), ("uuid", 0), ("parse", 1)];

/// The most numbers that `$range` gives: AWS runs out of memory one further.
const RANGE: usize = 360_145;

/// What is said of an argument of the wrong type; counted from 1.
pub fn mismatched(function: &str, argument: usize) -> String {
    format!("T0410: Argument {argument} of function \"{function}\" does not match function signature")
}

pub fn mismatch(function: &str, argument: usize) -> EvaluatorError {
    thrown(mismatched(function, argument))
}

/// Arguments beyond those that a function takes are ignored, as a callback is given more than it needs.
pub fn argument(arguments: &[JValue], i: usize) -> &JValue {
    arguments.get(i).unwrap_or(&JValue::Undefined)
}

/// A number cut towards zero; `None` for an undefined one.
fn whole(function: &str, arguments: &[JValue], i: usize) -> Result<Option<i64>, EvaluatorError> {
    match argument(arguments, i) {
        JValue::Undefined => Ok(None),
        JValue::Number(number) => Ok(Some(*number as i64)),
        _ => Err(mismatch(function, i + 1)),
    }
}

/// `$partition(array, size)`: arrays of so many items; the last may be shorter.
pub fn partition(arguments: &[JValue]) -> HostFnResult {
    let items = match argument(arguments, 0) {
        JValue::Undefined => return Ok(JValue::Undefined),
        JValue::Array(items) => items,
        _ => {
            return Err(thrown("T0412: Argument 1 of function \"partition\" must be an array of undefined"));
        }
    };
    let Some(size) = whole("partition", arguments, 1)? else {
        return Ok(JValue::array(vec![JValue::array(items.to_vec())]));
    };
    match usize::try_from(size) {
        Err(_) => Err(thrown("D3137: Second argument must be zero or greater")),
        Ok(size) if size == 0 || items.is_empty() => Ok(JValue::Undefined),
        Ok(size) => {
            Ok(JValue::array(items.chunks(size).map(|chunk| JValue::array(chunk.to_vec())).collect()))
        }
    }
}

/// `$range(first, last, step)`: a sequence, so that a single number is given as itself and no number as
/// undefined.
pub fn range(arguments: &[JValue]) -> HostFnResult {
    if arguments.len() < 2 {
        return Err(mismatch("range", arguments.len() + 1));
    }
    let [first, last, step] = [0, 1, 2].map(|i| whole("range", arguments, i));
    let (Some(first), Some(last), Some(step)) = (first?, last?, step?) else { return Ok(JValue::Undefined) };
    if step == 0 {
        return Ok(JValue::Undefined);
    }
    let (mut items, mut next) = (Vec::new(), Some(first));
    while let Some(number) = next.filter(|n| if step > 0 { *n <= last } else { *n >= last }) {
        if items.len() == RANGE {
            return Err(thrown(MEMORY));
        }
        items.push(JValue::from_i64(number));
        next = number.checked_add(step);
    }
    Ok(JValue::sequence(items))
}

/// `$hash(text, algorithm)`: in hexadecimal, of the text's UTF-8.
pub fn hash(arguments: &[JValue]) -> HostFnResult {
    let text = match argument(arguments, 0) {
        JValue::String(text) => text,
        JValue::Undefined if !arguments.is_empty() => return Ok(JValue::Undefined),
        _ => return Err(mismatch("hash", 1)),
    };
    let algorithm: &str = match arguments.get(1) {
        None => return Ok(JValue::Undefined),
        Some(JValue::Undefined) => "null",
        Some(JValue::String(algorithm)) => algorithm,
        Some(_) => return Err(mismatch("hash", 2)),
    };
    digest::hex(algorithm, text.as_bytes()).map(JValue::from).ok_or_else(|| {
        thrown(format!(
            "D3137: Hash algorithm '{algorithm}' must be one of SHA-1, SHA-384, SHA-256, SHA-512, MD5"
        ))
    })
}

/// `$parse(text)`: the text's JSON.
pub fn parse(arguments: &[JValue], wholes: &Wholes) -> HostFnResult {
    match argument(arguments, 0) {
        JValue::Undefined => Ok(JValue::Undefined),
        JValue::String(text) => {
            parse::parse(text, wholes).map_err(|error| thrown(format!("D3137: Invalid JSON: {error}")))
        }
        _ => Err(mismatch("parse", 1)),
    }
}

/// `$random(seed?)`: at least 0 and below 1; a seed gives what `java.util.Random` gives for it.
pub fn random(arguments: &[JValue], chance: &Chance) -> HostFnResult {
    Ok(JValue::from_f64(whole("random", arguments, 0)?.map_or_else(|| chance.fraction(), seeded)))
}

/// The first `nextDouble` of Java's linear congruential generator, as its documentation writes it out.
fn seeded(seed: i64) -> f64 {
    const MULTIPLIER: u64 = 0x5_DEEC_E66D;
    const MASK: u64 = (1 << 48) - 1;
    let mut state = (seed as u64 ^ MULTIPLIER) & MASK;
    let mut next = |bits: u32| {
        state = state.wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
        state >> (48 - bits)
    };
    let high = next(26) << 27;
    (high + next(27)) as f64 / (1u64 << 53) as f64
}
