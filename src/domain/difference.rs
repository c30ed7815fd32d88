//! What differs between two JSON values, path by path.

use serde_json::{Map, Value};

/// One place where they differ. `before` is `None` for what was added, `after` for what is gone.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// `$.query.id`, `$.items[3]`, `$['odd name']`
    pub path: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// The differences in the order of the older value, added members after them; `most` at most.
pub fn changes(before: &Value, after: &Value, most: usize) -> Vec<Change> {
    let mut found = Vec::new();
    compare("$".to_owned(), Some(before), Some(after), &mut found, most);
    found
}

fn compare(
    path: String,
    before: Option<&Value>,
    after: Option<&Value>,
    found: &mut Vec<Change>,
    most: usize,
) {
    if before == after || found.len() >= most {
        return;
    }
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => objects(&path, old, new, found, most),
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for i in 0..old.len().max(new.len()) {
                compare(format!("{path}[{i}]"), old.get(i), new.get(i), found, most);
            }
        }
        _ => found.push(Change { path, before: before.cloned(), after: after.cloned() }),
    }
}

fn objects(
    path: &str,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    found: &mut Vec<Change>,
    most: usize,
) {
    let added = new.keys().filter(|key| !old.contains_key(*key));
    for key in old.keys().chain(added) {
        let plain = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
        let below = if plain { format!("{path}.{key}") } else { format!("{path}['{key}']") };
        compare(below, old.get(key), new.get(key), found, most);
    }
}

impl Change {
    /// `+ $.a: 1`, `- $.b: 2`, `~ $.c: 3 → 4`; long values are cut to about `cells` characters each.
    pub fn line(&self, cells: usize) -> String {
        let short = |value: &Value| {
            let text = value.to_string();
            match text.char_indices().nth(cells) {
                Some((at, _)) => format!("{}…", &text[..at]),
                None => text,
            }
        };
        match (&self.before, &self.after) {
            (None, Some(after)) => format!("+ {}: {}", self.path, short(after)),
            (Some(before), None) => format!("- {}: {}", self.path, short(before)),
            (Some(before), Some(after)) => format!("~ {}: {} → {}", self.path, short(before), short(after)),
            (None, None) => self.path.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn added_gone_and_changed_at_their_paths() {
        let before = json!({"a": 1, "b": {"c": [1, 2]}, "gone": null});
        let after = json!({"a": 1, "b": {"c": [1, 3, 4]}, "new key": true});
        let lines: Vec<String> = changes(&before, &after, 10).iter().map(|change| change.line(20)).collect();
        assert_eq!(lines, ["~ $.b.c[1]: 2 → 3", "+ $.b.c[2]: 4", "- $.gone: null", "+ $['new key']: true"]);
        assert!(changes(&after, &after, 10).is_empty());
        assert_eq!(changes(&json!([1, 2, 3]), &json!([4, 5, 6]), 2).len(), 2);
        assert_eq!(changes(&json!("x"), &json!({}), 9)[0].line(1), "~ $: \"… → {…");
    }
}
