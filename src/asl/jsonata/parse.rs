//! `$parse`: JSON as AWS reads it. An empty text, a second document after the first, a name that stands twice
//! in an object and a number too large for floating point are refused.

use std::collections::HashSet;
use std::fmt;

use jsonata_core::value::JValue;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::whole::Wholes;

/// The value that the text holds.
pub fn parse(text: &str, wholes: &Wholes) -> Result<JValue, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Reader(wholes).deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

#[derive(Clone, Copy)]
struct Reader<'w>(&'w Wholes);

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = JValue;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<JValue, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = JValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JValue, A::Error> {
        let (mut members, mut names) = (Vec::new(), HashSet::new());
        while let Some(name) = map.next_key::<String>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom(format!("the name \"{name}\" stands twice in an object")));
            }
            members.push((name, map.next_value_seed(self)?));
        }
        Ok(JValue::object(members.into_iter().collect()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<JValue, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(self)? {
            items.push(item);
        }
        Ok(JValue::array(items))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<JValue, E> {
        Ok(JValue::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<JValue, E> {
        Ok(JValue::Number(self.0.lend(&Number::from(number))))
    }

    fn visit_u64<E>(self, number: u64) -> Result<JValue, E> {
        Ok(JValue::Number(self.0.lend(&Number::from(number))))
    }

    fn visit_f64<E>(self, number: f64) -> Result<JValue, E> {
        Ok(JValue::Number(Number::from_f64(number).map_or(number, |exact| self.0.lend(&exact))))
    }

    fn visit_str<E>(self, text: &str) -> Result<JValue, E> {
        Ok(JValue::string(text))
    }

    fn visit_unit<E>(self) -> Result<JValue, E> {
        Ok(JValue::Null)
    }
}
