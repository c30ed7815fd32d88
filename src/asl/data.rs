//! A JSON document with the text it came as: what a state hands on unchanged keeps its spelling.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Data(Arc<(String, Value)>);

/// No input, output or result may be longer, in bytes of UTF-8.
pub const LIMIT: usize = 262_144;

/// Nesting beyond this is refused, so that whatever was recorded can be read again.
const DEPTH: usize = 100;

impl Data {
    pub fn parse(text: impl Into<String>) -> Result<Data, serde_json::Error> {
        let text = text.into();
        let value = serde_json::from_str(&text)?;
        Ok(Data(Arc::new((text, value))))
    }

    pub fn value(&self) -> &Value {
        &self.0.1
    }

    pub fn text(&self) -> &str {
        &self.0.0
    }

    pub fn is_too_large(&self) -> bool {
        self.0.0.len() > LIMIT
    }

    pub fn is_too_deep(&self) -> bool {
        deeper(&self.0.1, DEPTH)
    }

    /// An array of documents, each spelled as it is.
    pub fn list(items: &[Data]) -> Data {
        let texts: Vec<&str> = items.iter().map(Data::text).collect();
        let values = items.iter().map(|d| d.value().clone()).collect();
        Data(Arc::new((format!("[{}]", texts.join(",")), values)))
    }
}

fn deeper(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels == 0 || items.iter().any(|v| deeper(v, levels - 1)),
        Value::Object(map) => levels == 0 || map.values().any(|v| deeper(v, levels - 1)),
        _ => false,
    }
}

impl From<Value> for Data {
    fn from(value: Value) -> Self {
        Data(Arc::new((value.to_string(), value)))
    }
}

impl Default for Data {
    fn default() -> Self {
        Data(Arc::new(("{}".into(), Value::Object(Default::default()))))
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Data::parse(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
