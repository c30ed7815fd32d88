//! What a JSONPath leads to in a document: the places of its segments, and what is collected there.

use serde_json::Value;

use super::data::LIMIT;
use super::paths::Segment;

/// Places that are looked at in one go. A document as large as the payload limit has fewer; only a path
/// that descends again and again comes to the same ones so often.
const PLACES: usize = 1 << 18;
/// Bytes that are collected, roughly: what has more is refused wherever it goes.
const WEIGHT: usize = 2 * LIMIT;

/// The array of all that was found; what is too large for any state is cut where that is certain.
pub(super) fn collect(found: Vec<&Value>) -> Value {
    let mut left = Some(WEIGHT);
    let kept = found.into_iter().take_while(|value| {
        let enough = left.is_some();
        left = left.and_then(|left| weigh(value, left));
        enough
    });
    Value::Array(kept.cloned().collect())
}

/// What is left of so many bytes.
fn weigh(value: &Value, left: usize) -> Option<usize> {
    match value {
        Value::String(text) => left.checked_sub(text.len() + 2),
        Value::Array(items) => items.iter().try_fold(left.checked_sub(2)?, |left, item| weigh(item, left)),
        Value::Object(map) => map.iter().try_fold(left.checked_sub(2)?, |left, (key, item)| {
            weigh(item, left.checked_sub(key.len() + 3)?)
        }),
        _ => left.checked_sub(2),
    }
}

/// Everything the segments lead to, in document order.
pub(super) fn walk<'v>(root: &'v Value, segments: &[Segment]) -> Vec<&'v Value> {
    let mut here = vec![root];
    let mut descend = false;
    for segment in segments {
        if *segment == Segment::Descend {
            descend = true;
            continue;
        }
        if std::mem::take(&mut descend) {
            here = each(here, |value, all| below(value, all));
        }
        here = each(here, |value, next| take(value, segment, next));
    }
    here
}

/// What is found from each of the places, up to [`PLACES`].
fn each<'v>(here: Vec<&'v Value>, mut find: impl FnMut(&'v Value, &mut Vec<&'v Value>)) -> Vec<&'v Value> {
    let mut found = Vec::new();
    for value in here {
        if found.len() >= PLACES {
            break;
        }
        find(value, &mut found);
    }
    found
}

fn below<'v>(value: &'v Value, all: &mut Vec<&'v Value>) {
    all.push(value);
    match value {
        Value::Array(items) => items.iter().for_each(|v| below(v, all)),
        Value::Object(map) => map.values().for_each(|v| below(v, all)),
        _ => {}
    }
}

fn take<'v>(value: &'v Value, segment: &Segment, out: &mut Vec<&'v Value>) {
    match (segment, value) {
        (Segment::Name(name), Value::Object(map)) => out.extend(map.get(name)),
        (Segment::Names(names), Value::Object(map)) => out.extend(names.iter().filter_map(|n| map.get(n))),
        // AWS gives null for an index beyond the end.
        (Segment::Index(index), Value::Array(items)) => out.push(at(items, *index).unwrap_or(&Value::Null)),
        (Segment::Indexes(list), Value::Array(items)) => {
            out.extend(list.iter().filter_map(|i| at(items, *i)))
        }
        (Segment::Wildcard, Value::Array(items)) => out.extend(items),
        (Segment::Wildcard, Value::Object(map)) => out.extend(map.values()),
        (Segment::Slice(from, to, step), Value::Array(items)) => {
            let len = items.len() as i64;
            let clip = |i: i64| if i < 0 { (i + len).max(0) } else { i.min(len) };
            let (mut i, to) = (clip(from.unwrap_or(0)), clip(to.unwrap_or(len)));
            while i < to {
                out.extend(items.get(i as usize));
                i += (*step).max(1);
            }
        }
        (Segment::Filter(filter), Value::Array(items)) => {
            out.extend(items.iter().filter(|item| filter.holds(item)));
        }
        (Segment::Filter(filter), Value::Object(_)) if filter.holds(value) => out.push(value),
        _ => {}
    }
}

fn at(items: &[Value], index: i64) -> Option<&Value> {
    let index = if index < 0 { index + items.len() as i64 } else { index };
    items.get(usize::try_from(index).ok()?)
}

/// What a function at the end of a path makes of what was found.
pub(super) fn apply(name: &str, value: &Value) -> Option<Value> {
    let numbers = || -> Option<Vec<f64>> {
        value.as_array()?.iter().map(Value::as_f64).collect::<Option<Vec<_>>>().filter(|n| !n.is_empty())
    };
    let number = |n: f64| serde_json::Number::from_f64(n).map(Value::Number);
    match name {
        "length" | "size" => match value {
            Value::Array(items) => Some(items.len().into()),
            Value::Object(map) => Some(map.len().into()),
            Value::String(text) => Some(text.chars().count().into()),
            _ => None,
        },
        "keys" => Some(value.as_object()?.keys().cloned().collect::<Vec<_>>().into()),
        "min" => number(numbers()?.into_iter().fold(f64::INFINITY, f64::min)),
        "max" => number(numbers()?.into_iter().fold(f64::NEG_INFINITY, f64::max)),
        "sum" => number(numbers()?.iter().sum()),
        "avg" => {
            let numbers = numbers()?;
            number(numbers.iter().sum::<f64>() / numbers.len() as f64)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Each descent comes to the same places again: as often as there are ways there.
    #[test]
    fn descending_again_and_again_comes_to_an_end() {
        let deep = (0..90).fold(json!("x".repeat(1000)), |inner, _| json!([inner]));
        let wide = json!({"deep": deep, "wide": (0..20_000).collect::<Vec<_>>()});
        let step = [Segment::Descend, Segment::Wildcard];
        let often: Vec<Segment> = step.iter().cycle().take(10).cloned().collect();
        let found = walk(&wide, &often);
        assert!(found.len() < 2 * PLACES, "{}", found.len());
        // It is cut, and what is left is larger than any state may give.
        assert!(collect(found).to_string().len() > LIMIT);
        assert_eq!(walk(&json!([[1, 2], [3]]), &often[..4]), [&json!(1), &json!(2), &json!(3)]);
    }
}
