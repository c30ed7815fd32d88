//! The configuration file as text: its keys, its contexts, and what is wrong with it, by line.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::keys::{self, Kind};
use super::layers::{Error, Layer, Place};

/// What a configuration file says.
#[derive(Clone, Debug, Default)]
pub(super) struct File {
    pub(super) top: Layer,
    pub(super) contexts: BTreeMap<String, Layer>,
}

/// Reads the text; every mistake is named, not only the first.
pub(super) fn read(path: &str, text: &str) -> Result<File, Vec<Error>> {
    let mut errors = Vec::new();
    let mut file = File::default();
    let (table, broken) = DeTable::parse_recoverable(text);
    for error in broken {
        let line = error.span().map(|span| line_of(text, span.start));
        errors.push(Error {
            place: Place::File { path: path.into(), line: line.unwrap_or(1) },
            what: error.message().to_owned(),
            fix: "the file is TOML: key = \"value\", one a line".into(),
        });
    }
    if errors.is_empty() {
        for (name, value) in table.get_ref() {
            let place = Place::File { path: path.into(), line: line_of(text, name.span().start) };
            match (name.get_ref().as_ref(), value.get_ref()) {
                ("context", DeValue::Table(contexts)) => {
                    for (name, value) in contexts {
                        let line = line_of(text, name.span().start);
                        context(path, text, name.get_ref(), line, value.get_ref(), &mut file, &mut errors);
                    }
                }
                (name, value) => entry(name, value, place, &mut file.top, &mut errors),
            }
        }
    }
    if errors.is_empty() { Ok(file) } else { Err(errors) }
}

fn context(
    path: &str,
    text: &str,
    name: &str,
    line: usize,
    value: &DeValue<'_>,
    file: &mut File,
    errors: &mut Vec<Error>,
) {
    let place = Place::File { path: path.into(), line };
    let DeValue::Table(table) = value else {
        // `context = "prod"` beside `[context.prod]` cannot be written in TOML.
        errors.push(Error {
            place,
            what: format!("context.{name} is not a table"),
            fix: format!("write [context.{name}] and its keys below"),
        });
        return;
    };
    let mut layer = Layer::default();
    for (key, value) in table {
        let place = Place::File { path: path.into(), line: line_of(text, key.span().start) };
        if key.get_ref().as_ref() == "context" {
            errors.push(Error {
                place,
                what: "a context names no context".into(),
                fix: "leave it out".into(),
            });
        } else {
            entry(key.get_ref(), value.get_ref(), place, &mut layer, errors);
        }
    }
    file.contexts.insert(name.to_owned(), layer);
}

fn entry(name: &str, value: &DeValue<'_>, place: Place, layer: &mut Layer, errors: &mut Vec<Error>) {
    // The table of contexts takes the name `context`: the default one is `use_context`.
    let name = if name == "use_context" { "context" } else { name };
    let Some(key) = keys::find(name) else {
        let fix = match keys::nearest(name) {
            Some(key) => format!("did you mean {}?", key.name),
            None => "assets/config.toml lists every key; `ward doctor --settings` shows them".into(),
        };
        errors.push(Error { place, what: format!("there is no setting {name}"), fix });
        return;
    };
    let text = match (value, key.kind) {
        (DeValue::String(text), _) => text.to_string(),
        (DeValue::Boolean(value), Kind::Switch) => value.to_string(),
        (DeValue::Integer(number), Kind::Switch) => number.as_str().to_owned(),
        (DeValue::Datetime(date), Kind::Date) => date.to_string(),
        (other, kind) => {
            let wanted = if kind == Kind::Switch { "true or false" } else { "text" };
            let what = format!("{name} is of TOML's type {}, not {wanted}", other.type_str());
            errors.push(Error { place, what, fix: format!("write {name} = \"…\"") });
            return;
        }
    };
    layer.put(key, text, place);
}

fn line_of(text: &str, offset: usize) -> usize {
    let offset = offset.min(text.len());
    text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count() + 1
}
