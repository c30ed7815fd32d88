//! Fields of a definition: typed access to the members of an object, with errors that point at them.

use serde_json::{Map, Value};

use super::jsonata::{self, Query};
use super::machine::{Error, Language, Place, Select};
use super::paths::{Path, Root};
use super::template::{Amount, Expression, Template, Text};

pub type Object = Map<String, Value>;
pub type Result<T> = std::result::Result<T, Error>;

/// An object of the definition and where it stands.
pub struct At<'v> {
    pub pointer: String,
    pub object: &'v Object,
    /// What holds here.
    pub language: Language,
    /// The machine's: what holds for states that do not say otherwise, however deep they stand.
    pub outer: Language,
    /// How much of the pointer leads to the state that this belongs to.
    pub state: usize,
}

pub fn fail<T>(at: &str, message: impl Into<String>) -> Result<T> {
    let at = if at.is_empty() { "/" } else { at };
    Err(Error { at: at.to_owned(), message: message.into() })
}

pub fn object<'v>(value: &'v Value, at: &str) -> Result<&'v Object> {
    match value {
        Value::Object(object) => Ok(object),
        _ => fail(at, "Expected value of type Object"),
    }
}

impl<'v> At<'v> {
    pub fn top(object: &'v Object) -> At<'v> {
        At {
            pointer: String::new(),
            object,
            language: Language::JsonPath,
            outer: Language::JsonPath,
            state: 0,
        }
    }

    pub fn get(&self, field: &str) -> Option<&'v Value> {
        self.object.get(field)
    }

    pub fn at(&self, field: &str) -> String {
        format!("{}/{field}", self.pointer)
    }

    /// The field as seen from its state: `Choices[0]/Output`.
    pub fn location(&self, field: &str) -> String {
        let at = self.at(field);
        at.get(self.state..).unwrap_or_default().trim_start_matches('/').to_owned()
    }

    pub fn fail<T>(&self, field: &str, message: impl Into<String>) -> Result<T> {
        fail(&self.at(field), message)
    }

    pub fn inner(&self, field: &str) -> Result<Option<At<'v>>> {
        self.get(field)
            .map(|value| {
                let pointer = self.at(field);
                Ok(At {
                    object: object(value, &pointer)?,
                    pointer,
                    language: self.language,
                    outer: self.outer,
                    state: self.state,
                })
            })
            .transpose()
    }

    pub fn text(&self, field: &str) -> Result<Option<String>> {
        match self.get(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => self.fail(field, "Expected value of type String"),
        }
    }

    pub fn required(&self, field: &str) -> Result<String> {
        match self.text(field)? {
            Some(text) => Ok(text),
            None => fail(&self.pointer, format!("These fields are required: [{field}]")),
        }
    }

    pub fn language(&self, field: &str) -> Result<Option<Language>> {
        match self.get(field).map(Value::as_str) {
            None => Ok(None),
            Some(Some("JSONPath")) => Ok(Some(Language::JsonPath)),
            Some(Some("JSONata")) => Ok(Some(Language::Jsonata)),
            Some(_) => self.fail(field, "Value should be one of the following: [JSONPath, JSONata]"),
        }
    }

    pub fn list(&self, field: &str) -> Result<Vec<At<'v>>> {
        let items = match self.get(field) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(_) => return self.fail(field, "Expected value of type Array"),
        };
        items
            .iter()
            .enumerate()
            .map(|(i, item)| {
                let pointer = format!("{}[{i}]", self.at(field));
                Ok(At {
                    object: object(item, &pointer)?,
                    pointer,
                    language: self.language,
                    outer: self.outer,
                    state: self.state,
                })
            })
            .collect()
    }

    pub fn path(&self, field: &str) -> Result<Option<Path>> {
        match self.text(field)? {
            None => Ok(None),
            Some(text) => match Path::parse(&text) {
                Ok(path) => Ok(Some(path)),
                Err(_) => self.fail(field, "Value must be a valid JSONPath."),
            },
        }
    }

    pub fn select(&self, field: &str) -> Result<Select> {
        match self.get(field) {
            None => Ok(Select::Whole),
            Some(Value::Null) => Ok(Select::Nothing),
            Some(Value::String(text)) if text == "$" => Ok(Select::Whole),
            Some(_) => Ok(self.path(field)?.map_or(Select::Whole, Select::At)),
        }
    }

    /// A place in the state's input: neither in a variable nor in the context object (States Language,
    /// "Using InputPath, Parameters, ResultSelector, ResultPath, and OutputPath").
    pub fn place(&self, field: &str) -> Result<Place> {
        match self.get(field) {
            None => Ok(Place::Whole),
            Some(Value::Null) => Ok(Place::Discard),
            Some(Value::String(text)) if text == "$" => Ok(Place::Whole),
            Some(_) => match self.path(field)? {
                Some(path) if path.is_reference() && path.root == Root::Input => Ok(Place::At(path)),
                _ => self.fail(field, "Value is not a Reference Path"),
            },
        }
    }

    pub fn template(&self, field: &str) -> Result<Option<Template>> {
        let Some(value) = self.get(field) else { return Ok(None) };
        if self.language == Language::Jsonata {
            return match Template::jsonata(value, &self.location(field)) {
                Ok(template) => Ok(Some(template)),
                Err((below, why)) => fail(&format!("{}/{below}", &self.pointer[..self.state]), why),
            };
        }
        match Template::json_path(value) {
            Ok(template) => Ok(Some(template)),
            Err((below, why)) => self.fail(&format!("{field}{below}"), why),
        }
    }

    pub fn assign(&self) -> Result<Vec<(String, Template)>> {
        let Some(inner) = self.inner("Assign")? else { return Ok(Vec::new()) };
        match self.template("Assign")? {
            Some(Template::Object(fields)) => Ok(fields),
            Some(Template::Value(Value::Object(map))) => {
                Ok(map.into_iter().map(|(k, v)| (k, Template::Value(v))).collect())
            }
            _ => fail(&inner.pointer, "Expected value of type Object"),
        }
    }

    /// `field` as a number or expression, or `fieldPath`.
    pub fn amount(&self, field: &str) -> Result<Option<Amount>> {
        match self.get(field) {
            Some(Value::Number(number)) => Ok(number.as_f64().map(Amount::Literal)),
            Some(Value::String(text)) if self.language == Language::Jsonata => {
                match self.query(field, text)? {
                    Some(query) => Ok(Some(Amount::Query { query, field: self.location(field) })),
                    None => self.fail(field, "Expected value of type Integer or a JSONata expression"),
                }
            }
            Some(_) => self.fail(field, "Expected value of type Integer"),
            None => Ok(self.path(&format!("{field}Path"))?.map(Amount::Path)),
        }
    }

    /// The text of `field`, when it is an expression.
    fn query(&self, field: &str, text: &str) -> Result<Option<Query>> {
        match jsonata::source(text).map(Query::parse).transpose() {
            Ok(query) => Ok(query),
            Err(why) => self.fail(field, why),
        }
    }

    /// `field` as text, or `fieldPath` as a path or intrinsic function.
    pub fn words(&self, field: &str) -> Result<Option<Text>> {
        if let Some(text) = self.text(field)? {
            let query = if self.language == Language::Jsonata { self.query(field, &text)? } else { None };
            return Ok(Some(query.map_or(Text::Literal(text), Text::Query)));
        }
        let with_path = format!("{field}Path");
        match self.text(&with_path)? {
            None => Ok(None),
            Some(text) => match Expression::parse(&text) {
                Ok(expression) => Ok(Some(Text::Expression(expression))),
                Err(_) => self.fail(&with_path, "Value is not a valid JSONPath or intrinsic function"),
            },
        }
    }

    pub fn names(&self, field: &str) -> Result<Vec<String>> {
        match self.get(field) {
            Some(Value::Array(items)) => {
                Ok(items.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            }
            _ => fail(&self.pointer, format!("These fields are required: [{field}]")),
        }
    }
}
