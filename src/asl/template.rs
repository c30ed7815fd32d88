//! Payload templates (Parameters, ResultSelector, ItemSelector, Assign) and the fields that may be a
//! literal, a path or an expression.

use serde_json::{Map, Value};

use super::failure::Failure;
use super::intrinsics::Call;
use super::jsonata::{self, Query};
use super::paths::Path;
use super::scope::Scope;

/// A JSON value with places to fill in.
#[derive(Clone, Debug, PartialEq)]
pub enum Template {
    Value(Value),
    /// `"field.$": "…"`: the field's name as written, for messages.
    Expression {
        field: String,
        expression: Expression,
    },
    Object(Vec<(String, Template)>),
    Array(Vec<Template>),
    /// `{% … %}` and where it stands, as seen from its state: `Output/list[0]`.
    Query {
        query: Query,
        field: String,
    },
}

/// What may stand where JSONPath is allowed.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    Path(Path),
    Call(Call),
}

/// A field with a whole number: `Seconds`, `SecondsPath`, or an expression of JSONata.
#[derive(Clone, Debug, PartialEq)]
pub enum Amount {
    Literal(f64),
    Path(Path),
    /// The expression and where it stands: `ItemReader/ReaderConfig/MaxItems`.
    Query {
        query: Query,
        field: String,
    },
}

/// A field with text: `Cause`, `CausePath`, or an expression of JSONata.
#[derive(Clone, Debug, PartialEq)]
pub enum Text {
    Literal(String),
    Expression(Expression),
    Query(Query),
}

impl Expression {
    /// A path when it starts with `$`, an intrinsic function otherwise.
    pub fn parse(text: &str) -> Result<Expression, String> {
        if text.starts_with('$') {
            Path::parse(text).map(Expression::Path)
        } else {
            Call::parse(text).map(Expression::Call)
        }
    }

    /// `field` is named in the message when the path leads nowhere.
    pub fn value(&self, field: &str, scope: &Scope<'_>) -> Result<Value, Failure> {
        match self {
            Expression::Path(path) => path.select(scope).ok_or_else(|| missing(path, field, scope)),
            Expression::Call(call) => call.value(scope),
        }
    }

    pub fn text(&self) -> &str {
        match self {
            Expression::Path(path) => &path.text,
            Expression::Call(call) => &call.text,
        }
    }
}

fn missing(path: &Path, field: &str, scope: &Scope<'_>) -> Failure {
    use super::paths::Root;
    let searched = match &path.root {
        Root::Input => scope.input.to_string(),
        Root::Context => scope.context.value().to_string(),
        Root::Variable(name) => match scope.variables.get(name) {
            Some(value) => value.to_string(),
            None => {
                return Failure::runtime(format!(
                    "Variable '${name}' referenced by the path '{}' for the field '{field}' could not be found",
                    path.text
                ));
            }
        },
    };
    Failure::runtime(format!(
        "The JSONPath '{}' specified for the field '{field}' could not be found in the input '{searched}'",
        path.text
    ))
}

impl Template {
    /// A JSONPath template: fields that end with `.$` are filled in.
    pub fn json_path(value: &Value) -> Result<Template, (String, String)> {
        Self::json_path_at(value, "")
    }

    /// The error is the pointer below the template and what is wrong there.
    fn json_path_at(value: &Value, at: &str) -> Result<Template, (String, String)> {
        match value {
            Value::Object(map) => {
                let (mut fields, mut filled) = (Vec::with_capacity(map.len()), Vec::new());
                for (key, value) in map {
                    let at = format!("{at}/{key}");
                    let Some(name) = key.strip_suffix(".$") else {
                        fields.push((key.clone(), Self::json_path_at(value, &at)?));
                        continue;
                    };
                    let text = value.as_str().ok_or_else(|| {
                        (at.clone(), "The value for the field must be a valid JSONPath or a valid intrinsic function call".to_owned())
                    })?;
                    let expression = Expression::parse(text).map_err(|_| {
                        (at.clone(), format!("The value for the field '{key}' must be a valid JSONPath or a valid intrinsic function call"))
                    })?;
                    if map.contains_key(name) {
                        let why = format!("The field '{name}' stands beside '{key}', which gives it a value");
                        return Err((at, why));
                    }
                    filled.push((name.to_owned(), Template::Expression { field: key.clone(), expression }));
                }
                super::order::hashed(&mut filled, |(name, _)| name);
                fields.extend(filled);
                let fixed = |(_, template): &(String, Template)| matches!(template, Template::Value(_));
                if fields.iter().all(fixed) {
                    return Ok(Template::Value(value.clone()));
                }
                Ok(Template::Object(fields))
            }
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(i, item)| Self::json_path_at(item, &format!("{at}[{i}]")))
                .collect::<Result<_, _>>()
                .map(Template::Array),
            other => Ok(Template::Value(other.clone())),
        }
    }

    /// A JSONata template, standing at `field`: strings of the form `{% … %}` are evaluated. The error is
    /// where and what the parser says.
    pub fn jsonata(value: &Value, field: &str) -> Result<Template, (String, String)> {
        let fixed = |template: &Template| matches!(template, Template::Value(_));
        Ok(match value {
            Value::Object(map) => {
                let member = |(name, value): (&String, &Value)| {
                    let template = Template::jsonata(value, &format!("{field}/{name}"))?;
                    Ok::<_, (String, String)>((name.clone(), template))
                };
                let fields = map.iter().map(member).collect::<Result<Vec<_>, _>>()?;
                if fields.iter().all(|(_, template)| fixed(template)) {
                    return Ok(Template::Value(value.clone()));
                }
                Template::Object(fields)
            }
            Value::Array(items) => {
                let item = |(i, item)| Template::jsonata(item, &format!("{field}[{i}]"));
                let items = items.iter().enumerate().map(item).collect::<Result<Vec<_>, _>>()?;
                if items.iter().all(fixed) {
                    return Ok(Template::Value(value.clone()));
                }
                Template::Array(items)
            }
            Value::String(text) => match jsonata::source(text) {
                Some(source) => {
                    let query = Query::parse(source).map_err(|why| (field.to_owned(), why))?;
                    Template::Query { query, field: field.to_owned() }
                }
                None => Template::Value(value.clone()),
            },
            other => Template::Value(other.clone()),
        })
    }

    /// Fills the template in.
    pub fn fill(&self, scope: &Scope<'_>) -> Result<Value, Failure> {
        match self {
            Template::Value(value) => Ok(value.clone()),
            Template::Expression { field, expression } => expression.value(field, scope),
            Template::Object(fields) => {
                let mut map = Map::new();
                for (name, template) in fields {
                    map.insert(name.clone(), template.fill(scope)?);
                }
                Ok(Value::Object(map))
            }
            Template::Array(items) => {
                items.iter().map(|item| item.fill(scope)).collect::<Result<_, _>>().map(Value::Array)
            }
            Template::Query { query, field } => query.value(field, scope),
        }
    }
}

impl Text {
    pub fn fill(&self, field: &str, scope: &Scope<'_>) -> Result<String, Failure> {
        match self {
            Text::Literal(text) => Ok(text.clone()),
            Text::Expression(expression) => match expression.value(field, scope)? {
                Value::String(text) => Ok(text),
                other => Err(Failure::runtime(format!(
                    "The {field} parameter does not reference a string value: {} == {other}",
                    expression.text()
                ))),
            },
            Text::Query(query) => {
                let name = field.strip_suffix("Path").unwrap_or(field);
                query.typed(name, scope, "string", |value| value.as_str().map(str::to_owned))
            }
        }
    }
}
