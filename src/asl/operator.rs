//! The comparison operators of JSONPath choice rules: reading them and asking them.

use std::cmp::Ordering;

use chrono::{DateTime, FixedOffset};
use serde_json::Value;

use super::failure::Failure;
use super::paths::Path;
use super::scope::Scope;

/// What is asked of the variable.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    Is(Type, bool),
    Present(bool),
    Compare(Kind, Relation, Operand),
    /// StringMatches: `*` stands for any text, `\*` for itself.
    Matches(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Boolean,
    Null,
    Numeric,
    String,
    Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Boolean,
    Numeric,
    String,
    Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    Equals,
    LessThan,
    GreaterThan,
    LessThanEquals,
    GreaterThanEquals,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    Literal(Value),
    Path(Path),
}

const TYPES: [(&str, Type); 5] = [
    ("IsBoolean", Type::Boolean),
    ("IsNull", Type::Null),
    ("IsNumeric", Type::Numeric),
    ("IsString", Type::String),
    ("IsTimestamp", Type::Timestamp),
];

const KINDS: [(&str, Kind); 4] = [
    ("Boolean", Kind::Boolean),
    ("Numeric", Kind::Numeric),
    ("String", Kind::String),
    ("Timestamp", Kind::Timestamp),
];

const RELATIONS: [(&str, Relation); 5] = [
    ("Equals", Relation::Equals),
    ("LessThanEquals", Relation::LessThanEquals),
    ("GreaterThanEquals", Relation::GreaterThanEquals),
    ("LessThan", Relation::LessThan),
    ("GreaterThan", Relation::GreaterThan),
];

/// Whether `field` is a comparison operator of JSONPath choice rules.
pub fn is_operator(field: &str) -> bool {
    matches!(field, "IsPresent" | "StringMatches")
        || TYPES.iter().any(|(name, _)| *name == field)
        || comparison(field).is_some()
}

fn comparison(field: &str) -> Option<(Kind, Relation, bool)> {
    let (kind, rest) = KINDS.iter().find_map(|(name, kind)| Some((*kind, field.strip_prefix(name)?)))?;
    let (rest, path) = rest.strip_suffix("Path").map_or((rest, false), |rest| (rest, true));
    let (_, relation) = RELATIONS.iter().find(|(name, _)| *name == rest)?;
    (kind != Kind::Boolean || *relation == Relation::Equals).then_some((kind, *relation, path))
}

impl Test {
    pub(super) fn read(field: &str, value: &Value) -> Result<Test, String> {
        let flag = || value.as_bool().ok_or_else(|| "Expected value of type Boolean".to_owned());
        if field == "IsPresent" {
            return flag().map(Test::Present);
        }
        if let Some((_, kind)) = TYPES.iter().find(|(name, _)| *name == field) {
            return flag().map(|yes| Test::Is(*kind, yes));
        }
        if field == "StringMatches" {
            let text = value.as_str().ok_or_else(|| "Expected value of type String".to_owned())?;
            return Ok(Test::Matches(text.to_owned()));
        }
        let (kind, relation, path) = comparison(field).ok_or_else(|| "is not an operator".to_owned())?;
        if path {
            let text = value.as_str().ok_or_else(|| "Expected value of type String".to_owned())?;
            let path = Path::parse(text).map_err(|_| "Value is not a Reference Path".to_owned())?;
            return Ok(Test::Compare(kind, relation, Operand::Path(path)));
        }
        let (fits, name) = match kind {
            Kind::Boolean => (value.is_boolean(), "Boolean"),
            Kind::Numeric => (value.is_number(), "Number"),
            Kind::String => (value.is_string(), "String"),
            Kind::Timestamp => match value.as_str() {
                Some(text) if timestamp(text).is_none() => {
                    return Err("String does not match RFC3339 timestamp".to_owned());
                }
                text => (text.is_some(), "String"),
            },
        };
        if !fits {
            return Err(format!("Expected value of type {name}"));
        }
        Ok(Test::Compare(kind, relation, Operand::Literal(value.clone())))
    }

    pub(super) fn holds(&self, variable: &Path, scope: &Scope<'_>) -> Result<bool, Failure> {
        let found = variable.select(scope);
        if let Test::Present(expected) = self {
            // A path that may name several places is present when it names at least one.
            let present = match &found {
                Some(Value::Array(list)) if !variable.is_definite() => !list.is_empty(),
                found => found.is_some(),
            };
            return Ok(present == *expected);
        }
        let value = found.ok_or_else(|| invalid(variable))?;
        Ok(match self {
            Test::Present(_) => false,
            Test::Is(kind, yes) => is(&value, *kind) == *yes,
            Test::Matches(pattern) => match value.as_str() {
                Some(text) => matches(pattern, text).ok_or_else(|| {
                    Failure::runtime(format!(
                        "There is an open escape backslash in StringMatches '{pattern}'."
                    ))
                })?,
                None => false,
            },
            Test::Compare(kind, relation, operand) => {
                let right = match operand {
                    Operand::Literal(value) => value.clone(),
                    Operand::Path(path) => path.select(scope).ok_or_else(|| invalid(path))?,
                };
                order(*kind, &value, &right).is_some_and(|order| match relation {
                    Relation::Equals => order == Ordering::Equal,
                    Relation::LessThan => order == Ordering::Less,
                    Relation::GreaterThan => order == Ordering::Greater,
                    Relation::LessThanEquals => order != Ordering::Greater,
                    Relation::GreaterThanEquals => order != Ordering::Less,
                })
            }
        })
    }

    /// The question as text: `$.status == "SUCCEEDED"`.
    pub(super) fn write(&self, variable: &str, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Test::Present(true) => write!(f, "{variable} is present"),
            Test::Present(false) => write!(f, "{variable} is not present"),
            Test::Is(kind, yes) => {
                let kind = format!("{kind:?}").to_lowercase();
                write!(f, "{variable} is {}{kind}", if *yes { "" } else { "not " })
            }
            Test::Matches(pattern) => write!(f, "{variable} matches \"{pattern}\""),
            Test::Compare(_, relation, operand) => {
                let sign = match relation {
                    Relation::Equals => "==",
                    Relation::LessThan => "<",
                    Relation::GreaterThan => ">",
                    Relation::LessThanEquals => "<=",
                    Relation::GreaterThanEquals => ">=",
                };
                match operand {
                    Operand::Literal(value) => write!(f, "{variable} {sign} {value}"),
                    Operand::Path(path) => write!(f, "{variable} {sign} {}", path.text),
                }
            }
        }
    }
}

fn invalid(path: &Path) -> Failure {
    Failure::runtime(format!(
        "Invalid path '{}': The choice state's condition path references an invalid value.",
        path.text
    ))
}

fn is(value: &Value, kind: Type) -> bool {
    match kind {
        Type::Boolean => value.is_boolean(),
        Type::Null => value.is_null(),
        Type::Numeric => value.is_number(),
        Type::String => value.is_string(),
        Type::Timestamp => value.as_str().is_some_and(|text| timestamp(text).is_some()),
    }
}

/// `None` when the two are not of the kind that is compared.
fn order(kind: Kind, left: &Value, right: &Value) -> Option<Ordering> {
    match kind {
        Kind::Boolean => Some(left.as_bool()?.cmp(&right.as_bool()?)),
        Kind::Numeric => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
        },
        // Java compares UTF-16 units, not code points.
        Kind::String => Some(left.as_str()?.encode_utf16().cmp(right.as_str()?.encode_utf16())),
        Kind::Timestamp => Some(timestamp(left.as_str()?)?.cmp(&timestamp(right.as_str()?)?)),
    }
}

/// RFC 3339 as the States Language narrows it: an upper-case T and, without an offset, an upper-case Z.
pub fn timestamp(text: &str) -> Option<DateTime<FixedOffset>> {
    let upper = text.get(10..11) == Some("T") && !text.ends_with('z');
    upper.then(|| DateTime::parse_from_rfc3339(text).ok()).flatten()
}

/// `*` stands for any text, also none; a backslash takes `*` and itself as they are. `None` when it stands
/// before anything else, which is an error at run time (States Language, "Data-test expression").
fn matches(pattern: &str, text: &str) -> Option<bool> {
    let mut parts = vec![String::new()];
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        let taken = match c {
            '*' => {
                parts.push(String::new());
                continue;
            }
            '\\' => chars.next().filter(|c| matches!(c, '*' | '\\'))?,
            c => c,
        };
        parts.last_mut()?.push(taken);
    }
    let (first, last) = (parts.first()?, parts.last()?);
    if parts.len() == 1 {
        return Some(text == first);
    }
    let Some(mut rest) = text.strip_prefix(first.as_str()) else { return Some(false) };
    for part in &parts[1..parts.len() - 1] {
        match rest.find(part.as_str()) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return Some(false),
        }
    }
    Some(rest.len() >= last.len() && rest.ends_with(last.as_str()))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_match_any_text() {
        for (pattern, text, expected) in [
            ("foo*.log", "foo23.log", true),
            ("*.log", "zebra.log", true),
            ("foo*.*", "foobar.zebra", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(matches(pattern, text), Some(expected), "{pattern} {text}");
        }
        for open in ["a\\b", "a\\", "*\\?"] {
            assert_eq!(matches(open, "ab"), None, "{open}");
        }
    }
}
