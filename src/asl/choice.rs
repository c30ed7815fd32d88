//! Choice rules: reading, deciding, and saying them as text for the drawing.

use serde_json::{Map, Value};

use super::failure::Failure;
use super::jsonata::{self, Query};
use super::operator::{Test, is_operator};
use super::paths::Path;
use super::scope::Scope;
use super::template::Template;

/// One rule of a Choice state.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub condition: Condition,
    pub next: String,
    pub assign: Vec<(String, Template)>,
    pub output: Option<Template>,
    pub comment: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Test {
        variable: Path,
        test: Test,
    },
    /// `Condition` of JSONata.
    Literal(bool),
    /// The expression and where it stands: `Choices[0]/Condition`.
    Query {
        query: Query,
        field: String,
    },
}

impl Condition {
    /// Reads the condition of a rule that stands at `location` of its state; the error is the field and
    /// what is wrong with it.
    pub fn read(rule: &Map<String, Value>, location: &str) -> Result<Condition, (String, String)> {
        let wrong = |why: String| ("/Condition".to_owned(), why);
        match rule.get("Condition") {
            None => Self::read_deep(rule, 0),
            Some(Value::Bool(literal)) => Ok(Condition::Literal(*literal)),
            Some(Value::String(text)) => {
                let source = jsonata::source(text)
                    .ok_or_else(|| wrong("Expected a boolean or a JSONata expression".into()))?;
                let query = Query::parse(source).map_err(wrong)?;
                Ok(Condition::Query { query, field: format!("{location}/Condition") })
            }
            Some(_) => Err(wrong("Expected a boolean or a JSONata expression".into())),
        }
    }

    fn read_deep(rule: &Map<String, Value>, depth: usize) -> Result<Condition, (String, String)> {
        let wrong = |field: &str, why: &str| (format!("/{field}"), why.to_owned());
        if depth > 100 {
            return Err(wrong("", "Choice rules are nested too deeply"));
        }
        let list = |field: &str, value: &Value| {
            let items = value.as_array().ok_or_else(|| wrong(field, "Expected an array of choice rules"))?;
            items
                .iter()
                .enumerate()
                .map(|(i, item)| {
                    let at = format!("/{field}[{i}]");
                    let rule = item.as_object().ok_or((at.clone(), "Expected an object".to_owned()))?;
                    Self::read_deep(rule, depth + 1).map_err(|(below, why)| (format!("{at}{below}"), why))
                })
                .collect::<Result<Vec<_>, _>>()
        };
        for (field, make) in [("And", Condition::And as fn(_) -> _), ("Or", Condition::Or as fn(_) -> _)] {
            if let Some(value) = rule.get(field) {
                return list(field, value).map(make);
            }
        }
        if let Some(value) = rule.get("Not") {
            let inner = value.as_object().ok_or_else(|| wrong("Not", "Expected an object"))?;
            return Self::read_deep(inner, depth + 1)
                .map(|c| Condition::Not(Box::new(c)))
                .map_err(|(below, why)| (format!("/Not{below}"), why));
        }
        let variable = match rule.get("Variable") {
            Some(Value::String(text)) => {
                Path::parse(text).map_err(|_| wrong("Variable", "Value is not a Reference Path"))?
            }
            Some(_) => return Err(wrong("Variable", "Value is not a Reference Path")),
            None => return Err(wrong("", "These fields are required: [Variable]")),
        };
        let (field, value) = rule
            .iter()
            .find(|(field, _)| is_operator(field))
            .ok_or_else(|| wrong("", "A choice rule needs a comparison operator"))?;
        let test = Test::read(field, value).map_err(|why| wrong(field, &why))?;
        Ok(Condition::Test { variable, test })
    }

    /// Whether it holds.
    pub fn holds(&self, scope: &Scope<'_>) -> Result<bool, Failure> {
        match self {
            Condition::And(all) => {
                for condition in all {
                    if !condition.holds(scope)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Condition::Or(any) => {
                for condition in any {
                    if condition.holds(scope)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Condition::Not(inner) => inner.holds(scope).map(|held| !held),
            Condition::Test { variable, test } => test.holds(variable, scope),
            Condition::Literal(literal) => Ok(*literal),
            Condition::Query { query, field } => query.typed(field, scope, "boolean", Value::as_bool),
        }
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let joined = |f: &mut std::fmt::Formatter<'_>, list: &[Condition], word: &str| {
            for (i, condition) in list.iter().enumerate() {
                if i > 0 {
                    write!(f, " {word} ")?;
                }
                match condition {
                    Condition::And(l) | Condition::Or(l) if l.len() > 1 => write!(f, "({condition})")?,
                    _ => write!(f, "{condition}")?,
                }
            }
            Ok(())
        };
        match self {
            Condition::And(list) => joined(f, list, "and"),
            Condition::Or(list) => joined(f, list, "or"),
            Condition::Not(inner) => write!(f, "not ({inner})"),
            Condition::Literal(literal) => write!(f, "{literal}"),
            Condition::Query { query, .. } => f.write_str(&query.source),
            Condition::Test { variable, test } => test.write(&variable.text, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asl::scope::{Chance, Context, Variables};
    use serde_json::json;

    fn decide(rule: Value, input: Value) -> Result<bool, Failure> {
        let chance = Chance::new(1);
        let context = Context::new(&chance, chrono::DateTime::UNIX_EPOCH, || json!({}));
        let variables = Variables::new();
        let scope = Scope::new(&input, &variables, &context);
        Condition::read(rule.as_object().unwrap(), "Choices[0]").unwrap().holds(&scope)
    }

    #[test]
    fn compares_only_what_has_the_kind() {
        assert_eq!(decide(json!({"Variable": "$.a", "NumericEquals": 1}), json!({"a": 1.0})), Ok(true));
        assert_eq!(decide(json!({"Variable": "$.a", "NumericEquals": 1}), json!({"a": "1"})), Ok(false));
        assert_eq!(decide(json!({"Variable": "$.a", "IsNull": true}), json!({"a": null})), Ok(true));
        let rule = json!({"Variable": "$.a", "TimestampLessThan": "2020-01-01T01:00:00+02:00"});
        assert_eq!(decide(rule.clone(), json!({"a": "2019-12-31T22:59:59Z"})), Ok(true));
        assert_eq!(decide(rule, json!({"a": "yesterday"})), Ok(false));
    }

    #[test]
    fn a_missing_value_is_an_error_unless_presence_is_asked() {
        assert_eq!(decide(json!({"Variable": "$.a", "IsPresent": false}), json!({})), Ok(true));
        assert!(decide(json!({"Variable": "$.a", "IsNull": true}), json!({})).is_err());
    }

    #[test]
    fn says_what_it_asks() {
        let rule = json!({"And": [
            {"Variable": "$.s", "StringEquals": "QUEUED"},
            {"Not": {"Variable": "$.n", "NumericGreaterThanEqualsPath": "$.max"}}]});
        let condition = Condition::read(rule.as_object().unwrap(), "Choices[0]").unwrap();
        assert_eq!(condition.to_string(), "$.s == \"QUEUED\" and not ($.n >= $.max)");
    }
}
