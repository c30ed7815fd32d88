//! JSON, for people (pretty) and on one line. Characters that serde leaves bare and a terminal would obey
//! (C1 controls, direction controls) are written as escapes, which every reader turns back.

use serde_json::Value;

use crate::domain::text::obeyed;

/// Two blanks of indent, without a newline at the end.
pub fn pretty(value: &Value) -> String {
    escaped(format!("{value:#}"))
}

/// One line, without a newline at the end.
pub fn line(value: &Value) -> String {
    escaped(value.to_string())
}

/// Escapes what may only stand inside a JSON text, where the escape means the same.
pub fn escaped(json: String) -> String {
    if !json.chars().any(|c| c != '\n' && obeyed(c)) {
        return json;
    }
    let mut out = String::with_capacity(json.len() + 32);
    for c in json.chars() {
        match c {
            c if c != '\n' && obeyed(c) => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn both_layouts_are_what_they_say() {
        let value = json!({ "a": [1], "b": {} });
        assert_eq!(line(&value), r#"{"a":[1],"b":{}}"#);
        assert_eq!(pretty(&value), "{\n  \"a\": [\n    1\n  ],\n  \"b\": {}\n}");
    }

    proptest! {
        #[test]
        fn it_means_the_same_and_nothing_is_obeyed(text in any::<String>()) {
            let value = json!({ &text: &text });
            for json in [line(&value), pretty(&value)] {
                prop_assert!(!json.chars().any(|c| c != '\n' && obeyed(c)));
                prop_assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value.clone());
            }
        }
    }
}
