//! What is remembered between starts, as TOML.

use crate::ui::model::Model;
use crate::ui::route::Route;

/// The place, and how the facilities were listed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Session {
    pub route: Option<Route>,
    /// The filter line of the facilities.
    pub filter: Option<String>,
    /// The name of the column they are sorted by, led by `-` when descending.
    pub sort: Option<String>,
    /// The window: `6mo`, or `all`.
    pub window: Option<String>,
}

impl Session {
    /// Reads what it understands; the rest is as if it were not there.
    pub fn parse(text: &str) -> Session {
        let Ok(file) = text.parse::<toml::Table>() else { return Session::default() };
        let word = |key: &str| file.get(key).and_then(toml::Value::as_str).map(str::to_string);
        Session {
            route: word("place").and_then(|place| Route::parse(&place).ok()),
            filter: word("filter"),
            sort: word("sort"),
            window: word("window"),
        }
    }

    pub fn of(model: &Model) -> Session {
        let (filter, sort, window) = model.facilities.listing();
        Session { route: Some(model.front().route()), filter, sort, window }
    }

    pub fn to_text(&self) -> String {
        let mut file = toml::Table::new();
        let mut put = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                file.insert(key.to_string(), toml::Value::String(value));
            }
        };
        put("place", self.route.as_ref().map(ToString::to_string));
        put("filter", self.filter.clone());
        put("sort", self.sort.clone());
        put("window", self.window.clone());
        file.to_string()
    }
}
