//! Values on their way into and out of the evaluator. Numbers are JavaScript's, 64-bit floating point; what
//! they cannot hold is kept in [`super::whole`].

use jsonata_core::value::{JValue, with_stack};
use serde_json::{Map, Value};

use super::whole::Wholes;

/// What a result may weigh on its way out, in bytes of JSON, roughly: far above the payload limit, and far
/// below what a value that shares its parts could unfold to.
const WEIGHT: usize = 8 << 20;
/// Levels of a result: deeper documents are refused everywhere.
const DEPTH: usize = 100;

/// Why a result cannot be given back.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    Function,
    Size,
}

impl Refused {
    pub fn words(&self) -> String {
        match self {
            Refused::Function => "returned an unsupported result type.".into(),
            Refused::Size => super::words::thrown(super::words::MEMORY),
        }
    }
}

pub fn lend(value: &Value, wholes: &Wholes) -> JValue {
    match value {
        Value::Null => JValue::Null,
        Value::Bool(flag) => JValue::Bool(*flag),
        Value::Number(number) => JValue::Number(wholes.lend(number)),
        Value::String(text) => JValue::string(text.as_str()),
        Value::Array(items) => JValue::array(items.iter().map(|item| lend(item, wholes)).collect()),
        Value::Object(map) => JValue::object(map.iter().map(|(k, v)| (k.clone(), lend(v, wholes))).collect()),
    }
}

/// Members and items that are undefined are left out, as JSON leaves them out.
pub fn give_back(value: &JValue, wholes: &Wholes) -> Result<Value, Refused> {
    give(value, wholes, &mut { WEIGHT }, DEPTH)
}

fn give(value: &JValue, wholes: &Wholes, left: &mut usize, levels: usize) -> Result<Value, Refused> {
    let weight = match value {
        JValue::String(text) => text.len() + 2,
        _ => 4,
    };
    *left = left.checked_sub(weight).ok_or(Refused::Size)?;
    if levels == 0 {
        return Err(Refused::Size);
    }
    Ok(match value {
        JValue::Null | JValue::Undefined => Value::Null,
        JValue::Bool(flag) => Value::Bool(*flag),
        JValue::Number(number) => self::number(*number, wholes),
        JValue::String(text) => Value::String(text.as_ref().to_owned()),
        JValue::Array(items) => with_stack(|| {
            let kept = items.iter().filter(|item| !item.is_undefined());
            kept.map(|item| give(item, wholes, left, levels - 1))
                .collect::<Result<Vec<_>, _>>()
                .map(Value::Array)
        })?,
        JValue::Object(map) => with_stack(|| {
            let mut out = Map::new();
            for (key, item) in map.iter().filter(|(_, item)| !item.is_undefined()) {
                *left = left.checked_sub(key.len() + 3).ok_or(Refused::Size)?;
                out.insert(key.clone(), give(item, wholes, left, levels - 1)?);
            }
            Ok(Value::Object(out))
        })?,
        _ => return Err(Refused::Function),
    })
}

/// A whole number is written without a fraction; what is no number JSON knows becomes its name.
fn number(number: f64, wholes: &Wholes) -> Value {
    match wholes.give_back(number) {
        Some(number) => Value::Number(number),
        None if number.is_nan() => "NaN".into(),
        None if number > 0.0 => "Infinity".into(),
        None => "-Infinity".into(),
    }
}

/// Writes a value so that equal values are written alike, within the bytes that are left. `None` when they
/// are not enough; false when there is a function in it.
pub fn spell(value: &JValue, out: &mut String, left: &mut usize) -> Option<bool> {
    let before = out.len();
    let mut plain = true;
    match value {
        JValue::Null => out.push('n'),
        JValue::Undefined => out.push('u'),
        JValue::Bool(flag) => out.push(if *flag { 't' } else { 'f' }),
        // A negative zero is the other zero.
        JValue::Number(number) => out.push_str(&format!("{:x};", (number + 0.0).to_bits())),
        JValue::String(text) => out.push_str(&format!("\"{}:{text}", text.len())),
        _ => {}
    }
    *left = left.checked_sub(out.len() - before + 1)?;
    match value {
        JValue::Array(items) => {
            out.push('[');
            with_stack(|| items.iter().try_for_each(|item| spell(item, out, left).map(|p| plain &= p)))?;
            out.push(']');
        }
        JValue::Object(map) => {
            let mut members: Vec<_> = map.iter().collect();
            members.sort_by(|a, b| a.0.cmp(b.0));
            out.push('{');
            with_stack(|| {
                members.into_iter().try_for_each(|(key, item)| {
                    out.push_str(&format!("{}:{key}", key.len()));
                    *left = left.checked_sub(key.len())?;
                    spell(item, out, left).map(|p| plain &= p)
                })
            })?;
            out.push('}');
        }
        JValue::Null | JValue::Undefined | JValue::Bool(_) | JValue::Number(_) | JValue::String(_) => {}
        _ => plain = false,
    }
    Some(plain)
}

/// The bytes of text in a value, counted up to `most`.
pub fn texts(value: &JValue, most: usize) -> usize {
    fn count(value: &JValue, left: &mut usize) {
        if *left == 0 {
            return;
        }
        match value {
            JValue::String(text) => *left = left.saturating_sub(text.len()),
            JValue::Array(items) => with_stack(|| items.iter().for_each(|item| count(item, left))),
            JValue::Object(map) => with_stack(|| {
                for (key, item) in map.iter() {
                    *left = left.saturating_sub(key.len());
                    count(item, left);
                }
            }),
            _ => {}
        }
        *left = left.saturating_sub(1);
    }
    let mut left = most;
    count(value, &mut left);
    most - left
}
