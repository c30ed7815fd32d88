//! What the services' operations answer: the shapes that a mocked result is held against.
//!
//! `shapes.txt` holds them for the services that the local cloud has, for those that workflows call most,
//! and for the operations of the optimised integrations; it was made from botocore's service models
//! (Apache-2.0). A service begins with `# name`, named as in `aws-sdk:name`; then one line gives the shape
//! of each operation (`GetObject=17`), and one line each structure: its number and its members, `!` marking
//! the required ones (`17 Body:b ETag:s Parts:[18`). Types: `s` text, `e` one of the texts given, `i` whole
//! number, `f` number, `o` true or false, `t` time, `b` bytes, `[` list of, `{` map of, `*` anything, a
//! number for a structure. `s`, `i`, `f` and `b` may have their least and greatest length or value:
//! `s1~80`.

use std::collections::HashMap;

use serde_json::{Map, Value};

const SHAPES: &str = include_str!("shapes.txt");

/// Where the optimised integrations and the SDK differ in names.
fn sdk_name(service: &str) -> &str {
    match service {
        "states" => "sfn",
        "events" => "eventbridge",
        "bedrock" => "bedrock-runtime",
        other => other,
    }
}

/// One service's shapes.
struct Service<'t> {
    structures: HashMap<&'t str, &'t str>,
}

/// Holds a mocked result against what the operation answers; the error says what is wrong. `strict`
/// asks for required members too. Operations that are not known here are not checked.
pub fn check(service: &str, operation: &str, result: &Value, strict: bool) -> Result<(), String> {
    let head = format!("# {}", sdk_name(service));
    let mut lines = SHAPES.lines().skip_while(|line| *line != head).skip(1);
    let Some(operations) = lines.next() else { return Ok(()) };
    let wanted = format!("{operation}=");
    let Some(shape) = operations.split(' ').find_map(|o| o.strip_prefix(wanted.as_str())) else {
        return Ok(());
    };
    let structures = lines
        .take_while(|line| !line.starts_with('#'))
        .map(|line| line.split_once(' ').unwrap_or((line, "")))
        .collect();
    if !result.is_object() {
        return Err("Mocked result must be a JSON object.".into());
    }
    Service { structures }.value("", shape, result, strict)
}

fn wrong(field: &str, what: &str) -> Result<(), String> {
    Err(format!("Mock result schema validation error: Field '{field}' {what}"))
}

impl Service<'_> {
    fn value(&self, field: &str, shape: &str, value: &Value, strict: bool) -> Result<(), String> {
        let mut chars = shape.chars();
        let kind = chars.next().unwrap_or('*');
        let rest = chars.as_str();
        match (kind, value) {
            ('*', _) => Ok(()),
            ('[', Value::Array(items)) => {
                items.iter().try_for_each(|item| self.value(field, rest, item, strict))
            }
            ('[', _) => wrong(field, "must be an array"),
            ('{', Value::Object(map)) => {
                map.values().try_for_each(|value| self.value(field, rest, value, strict))
            }
            ('{', _) => wrong(field, "must be an object"),
            ('s' | 'b', Value::String(text)) => {
                let (least, most) = bounds(rest);
                let length = text.chars().count() as f64;
                if least.is_some_and(|least| length < least) {
                    return wrong(field, "is smaller than the minimum length");
                }
                if most.is_some_and(|most| length > most) {
                    return wrong(field, "exceeds the maximum length");
                }
                Ok(())
            }
            ('e', Value::String(text)) => match rest.split('|').any(|one| one == text) {
                true => Ok(()),
                false => wrong(field, "is not an expected value"),
            },
            ('t', Value::String(_)) => Ok(()),
            ('s' | 'b' | 'e' | 't', _) => wrong(field, "must be a string"),
            ('i' | 'f', Value::Number(number)) if kind == 'f' || !number.is_f64() => {
                let (least, most) = bounds(rest);
                let number = number.as_f64().unwrap_or_default();
                if least.is_some_and(|least| number < least) {
                    return wrong(field, "is less than the minimum value");
                }
                if most.is_some_and(|most| number > most) {
                    return wrong(field, "exceeds the maximum value");
                }
                Ok(())
            }
            ('i' | 'f', _) => wrong(field, "must be a number"),
            ('o', Value::Bool(_)) => Ok(()),
            ('o', _) => wrong(field, "must be a boolean"),
            (_, Value::Object(map)) => self.structure(shape, map, strict),
            _ => wrong(field, "must be an object"),
        }
    }

    fn structure(&self, number: &str, map: &Map<String, Value>, strict: bool) -> Result<(), String> {
        let members = self.structures.get(number).copied().unwrap_or_default();
        let members = || members.split(' ').filter_map(|member| member.split_once(':'));
        if strict {
            let missing = members()
                .filter_map(|(name, _)| name.strip_suffix('!'))
                .find(|name| !map.contains_key(*name));
            if let Some(name) = missing {
                return Err(format!(
                    "Mock result schema validation error: Required field '{name}' is missing"
                ));
            }
        }
        map.iter().try_for_each(|(name, value)| {
            match members().find(|(member, _)| member.trim_end_matches('!') == name) {
                Some((_, shape)) => self.value(name, shape, value, strict),
                None => Ok(()),
            }
        })
    }
}

/// `1~80`: the least and the greatest, either may be missing.
fn bounds(text: &str) -> (Option<f64>, Option<f64>) {
    let (least, most) = text.split_once('~').unwrap_or_default();
    (least.parse().ok(), most.parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wrong(service: &str, operation: &str, result: Value) -> String {
        let error = check(service, operation, &result, true).unwrap_err();
        error.trim_start_matches("Mock result schema validation error: ").to_owned()
    }

    /// API references: MemorySize of Lambda is 128 to 10240, StorageClass of S3 an enumeration, the
    /// function state of GetFunction a text.
    #[test]
    fn results_are_held_against_the_api() {
        let good = json!({"Configuration": {"MemorySize": 128, "State": "Active"}, "Unheard": 1});
        assert_eq!(check("lambda", "GetFunction", &good, true), Ok(()));
        let small = json!({"Configuration": {"MemorySize": 127}});
        assert_eq!(
            wrong("lambda", "GetFunction", small),
            "Field 'MemorySize' is less than the minimum value"
        );
        let class = json!({"StorageClass": "Papyrus"});
        assert_eq!(wrong("s3", "GetObject", class), "Field 'StorageClass' is not an expected value");
        let number = json!({"ETag": 1});
        assert_eq!(wrong("s3", "PutObject", number), "Field 'ETag' must be a string");
        assert_eq!(wrong("sqs", "SendMessageBatch", json!({})), "Required field 'Successful' is missing");
        assert_eq!(check("sqs", "SendMessageBatch", &json!({}), false), Ok(()));
        assert_eq!(check("nobody", "Knows", &json!({"a": 1}), true), Ok(()));
    }

    #[test]
    fn every_structure_that_is_named_is_there() {
        let mut numbers: Vec<&str> = Vec::new();
        let (mut used, mut service) = (Vec::new(), "");
        for line in SHAPES.lines().chain(["# end"]) {
            if let Some(next) = line.strip_prefix("# ") {
                for one in used.drain(..) {
                    assert!(numbers.contains(&one), "{service}: {one}");
                }
                numbers.clear();
                service = next;
                continue;
            }
            let mut words = line.split(' ');
            if !line.contains('=') || line.starts_with(|c: char| c.is_ascii_digit()) {
                numbers.extend(words.next());
            }
            for word in words {
                let shape = word.rsplit([':', '=']).next().unwrap_or_default().trim_start_matches(['[', '{']);
                if shape.starts_with(|c: char| c.is_ascii_digit()) {
                    used.push(shape);
                }
            }
        }
        assert_eq!(service, "end");
    }
}
