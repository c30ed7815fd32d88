//! The items of a Map: what they are, and what the context object says of them (AWS guide, "Context object data
//! for Map states").

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::cursor::Item;
use super::data::Data;

/// The source of items that come with the state's input.
pub const STATE_DATA: &str = "STATE_DATA";

/// One item of a Map, before its ItemSelector.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub value: Value,
    /// Its name, when the items are the members of an object.
    pub key: Option<String>,
    /// Where it was read: `S3://bucket/key`, for a listing `S3://bucket`; `None` when it came with the input.
    pub source: Option<Arc<str>>,
}

impl From<Value> for Entry {
    fn from(value: Value) -> Entry {
        Entry { value, key: None, source: None }
    }
}

impl Entry {
    /// The items of an array, or the members of an object; anything else is given back.
    pub fn all(value: Value) -> Result<Vec<Entry>, Value> {
        match value {
            Value::Array(items) => Ok(items.into_iter().map(Entry::from).collect()),
            Value::Object(members) => Ok(Entry::members(members)),
            other => Err(other),
        }
    }

    /// The members of an object.
    pub fn members(members: Map<String, Value>) -> Vec<Entry> {
        let entry = |(key, value)| Entry { value, key: Some(key), source: None };
        members.into_iter().map(entry).collect()
    }

    /// As an iteration gets it: a member of an object with its name.
    pub fn input(&self) -> Value {
        match &self.key {
            None => self.value.clone(),
            Some(key) => json!({"Key": key, "Value": self.value}),
        }
    }

    /// As the context object tells it.
    pub fn item(self, index: usize) -> Item {
        Item { index, value: Data::from(self.value), key: self.key, source: self.source }
    }
}

impl Item {
    /// `Map.Item` of the context object.
    pub(super) fn shown(&self) -> Value {
        let mut item = json!({"Index": self.index});
        if let Some(key) = &self.key {
            item["Key"] = key.as_str().into();
        }
        item["Value"] = self.value.value().clone();
        item["Source"] = self.source.as_deref().unwrap_or(STATE_DATA).into();
        item
    }
}
