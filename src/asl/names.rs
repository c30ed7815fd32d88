//! Names of states that stand twice in one `States` object: a JSON reader keeps only the last of them.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The names, and the JSON pointers where they stand. What is not JSON has none.
pub fn repeated(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let walk = Walk { pointer: String::new(), states: false, found: &mut found };
    // The text was read before; an error here could only be the same.
    _ = walk.deserialize(&mut serde_json::Deserializer::from_str(text));
    found
}

struct Walk<'f> {
    pointer: String,
    /// The members of this object are states.
    states: bool,
    found: &'f mut Vec<(String, String)>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            let pointer = format!("{}/{name}", self.pointer);
            if self.states && !seen.insert(name.clone()) {
                self.found.push((name.clone(), pointer.clone()));
            }
            let inside = matches!(name.as_str(), "States" | "Branches" | "ItemProcessor" | "Iterator");
            if self.states || inside {
                let states = !self.states && name == "States";
                map.next_value_seed(Walk { pointer, states, found: self.found })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut i = 0;
        let next = |i: usize| format!("{}[{i}]", self.pointer);
        while list.next_element_seed(Walk { pointer: next(i), states: false, found: self.found })?.is_some() {
            i += 1;
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::repeated;

    #[test]
    fn finds_names_that_a_reader_would_lose() {
        let text = r#"{"States": {"A": {"Branches": [{"States": {"B": {}, "B": {"Result": {"x": 1, "x": 2}}}}]}, "A": 1}}"#;
        let at = |name: &str, pointer: &str| (name.to_owned(), pointer.to_owned());
        let found = [at("B", "/States/A/Branches[0]/States/B"), at("A", "/States/A")];
        assert_eq!(repeated(text), found);
    }
}
