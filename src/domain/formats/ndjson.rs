//! One compact JSON value a line.

use serde_json::Value;

/// Every value on its own line, each line ended.
pub fn write<'a>(values: impl IntoIterator<Item = &'a Value>) -> String {
    values.into_iter().map(|value| super::json::line(value) + "\n").collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn a_line_holds_a_whole_value() {
        assert_eq!(super::write(&[json!({ "a": "b\nc" }), json!(2)]), "{\"a\":\"b\\nc\"}\n2\n");
    }
}
