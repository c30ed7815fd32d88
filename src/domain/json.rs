//! JSON as a tree that can be folded, searched and walked: rows with their depth and path. A string that
//! itself holds a JSON object or array (a cause, an escaped body) is unfolded as if it stood there.

use std::collections::BTreeSet;

use serde_json::Value;

/// What a row shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// `{` or `[` with the number of members; its end is at row `end`.
    Open {
        array: bool,
        len: usize,
        end: usize,
    },
    /// `}` or `]`
    Close {
        array: bool,
    },
    /// A value on one line, as JSON text.
    Text(String),
    Number(String),
    /// `true`, `false`, `null`
    Word(&'static str),
    /// Text that is not JSON: one row a line.
    Plain(String),
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub depth: u16,
    /// The member's name, of members of objects.
    pub key: Option<String>,
    pub part: Part,
    /// Whether a comma follows.
    pub comma: bool,
    /// The container's row.
    pub parent: Option<usize>,
    /// Place in the container, from 0.
    pub index: usize,
    /// Unfolded out of a string.
    pub unpacked: bool,
}

/// A document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    root: Value,
    nodes: Vec<Node>,
    folded: BTreeSet<usize>,
}

/// Strings within strings are unfolded this deep.
const UNPACK: u8 = 4;

impl Tree {
    /// Reads a text. What is not JSON is kept as plain lines.
    pub fn parse(text: &str) -> Tree {
        match serde_json::from_str(text) {
            Ok(value) => Tree::of(value),
            Err(_) => {
                let nodes = text.lines().enumerate().map(|(index, line)| Node {
                    depth: 0,
                    key: None,
                    part: Part::Plain(line.to_owned()),
                    comma: false,
                    parent: None,
                    index,
                    unpacked: false,
                });
                Tree { root: Value::String(text.to_owned()), nodes: nodes.collect(), folded: BTreeSet::new() }
            }
        }
    }

    pub fn of(root: Value) -> Tree {
        let mut nodes = Vec::new();
        lay(
            &mut nodes,
            &root,
            Place { depth: 0, key: None, comma: false, parent: None, index: 0, unpack: UNPACK },
        );
        Tree { root, nodes, folded: BTreeSet::new() }
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// A row by its number in the unfolded document.
    pub fn node(&self, row: usize) -> Option<&Node> {
        self.nodes.get(row)
    }

    /// How many rows the document has with nothing folded.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The rows that show: what is folded shows its opening row alone.
    pub fn rows(&self) -> Vec<usize> {
        let mut rows = Vec::with_capacity(self.nodes.len());
        let mut row = 0;
        while row < self.nodes.len() {
            rows.push(row);
            row = match (self.folded.contains(&row), &self.nodes[row].part) {
                (true, Part::Open { end, .. }) => end + 1,
                _ => row + 1,
            };
        }
        rows
    }

    /// The row that shows after this one.
    pub fn after(&self, row: usize) -> Option<usize> {
        let next = match (self.folded.contains(&row), &self.nodes.get(row)?.part) {
            (true, Part::Open { end, .. }) => end + 1,
            _ => row + 1,
        };
        (next < self.nodes.len()).then_some(next)
    }

    /// The row that shows before this one.
    pub fn before(&self, row: usize) -> Option<usize> {
        let above = row.checked_sub(1)?;
        Some(self.visible(above))
    }

    /// The row itself, or the outermost folded container that hides it.
    pub fn visible(&self, row: usize) -> usize {
        let (mut shown, mut outer) = (row, self.nodes.get(row).and_then(|node| node.parent));
        while let Some(container) = outer {
            if self.folded.contains(&container) {
                shown = container;
            }
            outer = self.nodes[container].parent;
        }
        shown
    }

    pub fn is_folded(&self, row: usize) -> bool {
        self.folded.contains(&row)
    }

    /// Folds or unfolds the container at or around a row; answers the row to stand on afterwards.
    pub fn toggle(&mut self, row: usize) -> usize {
        let Some(node) = self.nodes.get(row) else { return row };
        let target = match node.part {
            Part::Open { .. } => Some(row),
            _ => node.parent,
        };
        let Some(target) = target else { return row };
        if !self.folded.remove(&target) {
            self.folded.insert(target);
        }
        target
    }

    /// The next row after `from` (or before it) that contains `needle`, case ignored, going round; unfolds
    /// what hides it.
    pub fn find(&mut self, needle: &str, from: usize, forward: bool) -> Option<usize> {
        let needle = needle.to_lowercase();
        let count = self.nodes.len();
        let found = (1..=count)
            .map(|step| if forward { (from + step) % count } else { (from + count - step) % count });
        let found = { found }.find(|&row| self.nodes[row].line().to_lowercase().contains(&needle))?;
        let mut outer = self.nodes[found].parent;
        while let Some(row) = outer {
            self.folded.remove(&row);
            outer = self.nodes[row].parent;
        }
        Some(found)
    }

    /// Where a row's value is: `$.Cause.errorMessage`, `$.items[3]`, `$['odd name']`.
    pub fn path(&self, row: usize) -> String {
        let mut text = "$".to_owned();
        for row in self.lineage(row) {
            match &self.nodes[row].key {
                Some(key) if is_plain(key) => {
                    text.push('.');
                    text.push_str(key);
                }
                Some(key) => text.push_str(&format!("['{}']", key.replace('\'', "\\'"))),
                None => text.push_str(&format!("[{}]", self.nodes[row].index)),
            }
        }
        text
    }

    /// A row's value: a string as its text, anything else as JSON.
    pub fn value(&self, row: usize) -> String {
        let mut value = self.root.clone();
        if matches!(self.nodes.get(row).map(|node| &node.part), Some(Part::Plain(_))) {
            return self.root.as_str().unwrap_or_default().to_owned();
        }
        for row in self.lineage(row) {
            let node = &self.nodes[row];
            let next = match &node.key {
                Some(key) => value.get_mut(key),
                None => value.get_mut(node.index),
            };
            value = next.map(Value::take).unwrap_or_default();
            if node.unpacked {
                value = value.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(value);
            }
        }
        match value {
            Value::String(text) => text,
            other => serde_json::to_string_pretty(&other).unwrap_or_default(),
        }
    }

    /// The rows from just below the root to this one; a closing row stands for its container.
    fn lineage(&self, row: usize) -> Vec<usize> {
        let mut rows = Vec::new();
        let mut next = self.nodes.get(row).and_then(|node| match node.part {
            Part::Close { .. } => node.parent,
            _ => Some(row),
        });
        while let Some(row) = next.filter(|&row| self.nodes[row].parent.is_some()) {
            rows.push(row);
            next = self.nodes[row].parent;
        }
        rows.reverse();
        rows
    }
}

impl Node {
    /// The row as text without its indentation, for searching.
    pub fn line(&self) -> String {
        let key = self.key.as_ref().map(|key| format!("{}: ", quoted(key))).unwrap_or_default();
        let part = match &self.part {
            Part::Open { array: true, .. } => "[",
            Part::Open { array: false, .. } => "{",
            Part::Close { array: true } => "]",
            Part::Close { array: false } => "}",
            Part::Text(text) | Part::Number(text) | Part::Plain(text) => text,
            Part::Word(word) => word,
        };
        format!("{key}{part}")
    }
}

/// Whether a key or a value contains a text, case ignored; `needle` is in lower case.
pub fn contains(value: &Value, needle: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(needle);
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) => has(&value.to_string()),
        Value::String(text) => has(text),
        Value::Array(items) => items.iter().any(|item| contains(item, needle)),
        Value::Object(members) => members.iter().any(|(key, member)| has(key) || contains(member, needle)),
    }
}

/// A text as JSON writes it.
pub fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// JSON laid out over lines, two columns a level; a text that is not JSON stays as it is.
pub fn pretty(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(value) => serde_json::to_string_pretty(&value).unwrap_or_else(|_| text.to_owned()),
        Err(_) => text.to_owned(),
    }
}

/// JSON on one line without white space; a text that is not JSON has its lines joined.
pub fn compact(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(value) => value.to_string(),
        Err(_) => text.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

struct Place {
    depth: u16,
    key: Option<String>,
    comma: bool,
    parent: Option<usize>,
    index: usize,
    unpack: u8,
}

fn lay(nodes: &mut Vec<Node>, value: &Value, place: Place) {
    let row = nodes.len();
    let Place { depth, key, comma, parent, index, unpack } = place;
    let node = |part| Node { depth, key: key.clone(), part, comma, parent, index, unpacked: false };
    let (array, len) = match value {
        Value::Null => return nodes.push(node(Part::Word("null"))),
        Value::Bool(true) => return nodes.push(node(Part::Word("true"))),
        Value::Bool(false) => return nodes.push(node(Part::Word("false"))),
        Value::Number(number) => return nodes.push(node(Part::Number(number.to_string()))),
        Value::String(text) => {
            if let Some(inner) = unpacked(text).filter(|_| unpack > 0) {
                lay(nodes, &inner, Place { depth, key, comma, parent, index, unpack: unpack - 1 });
                nodes[row].unpacked = true;
                return;
            }
            return nodes.push(node(Part::Text(quoted(text))));
        }
        Value::Array(items) => (true, items.len()),
        Value::Object(members) => (false, members.len()),
    };
    nodes.push(node(Part::Open { array, len, end: row }));
    let below = |index: usize, key| Place {
        depth: depth + 1,
        key,
        comma: index + 1 < len,
        parent: Some(row),
        index,
        unpack,
    };
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| lay(nodes, item, below(i, None)))
        }
        Value::Object(members) => {
            members
                .iter()
                .enumerate()
                .for_each(|(i, (key, member))| lay(nodes, member, below(i, Some(key.clone()))));
        }
        _ => {}
    }
    let last = nodes.len();
    if let Part::Open { end, .. } = &mut nodes[row].part {
        *end = last;
    }
    let part = Part::Close { array };
    nodes.push(Node { depth, key: None, part, comma, parent: Some(row), index: len, unpacked: false });
}

/// The object or array that a string holds.
fn unpacked(text: &str) -> Option<Value> {
    let text = text.trim();
    let looks =
        (text.starts_with('{') && text.ends_with('}')) || (text.starts_with('[') && text.ends_with(']'));
    if !looks || text.len() <= 2 {
        return None;
    }
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(tree: &Tree) -> Vec<String> {
        let indent = |row: usize| " ".repeat(usize::from(tree.nodes[row].depth));
        tree.rows().iter().map(|&row| format!("{}{}", indent(row), tree.nodes[row].line())).collect()
    }

    #[test]
    fn a_cause_inside_a_string_is_unfolded_and_keeps_its_path() {
        let tree = Tree::parse(r#"{"Error": "E", "Cause": "{\"errorMessage\": \"no disk\", \"n\": [1]}"}"#);
        assert_eq!(
            lines(&tree),
            [
                "{",
                " \"Error\": \"E\"",
                " \"Cause\": {",
                "  \"errorMessage\": \"no disk\"",
                "  \"n\": [",
                "   1",
                "  ]",
                " }",
                "}"
            ]
        );
        assert_eq!(tree.path(3), "$.Cause.errorMessage");
        assert_eq!(tree.path(5), "$.Cause.n[0]");
        assert_eq!(tree.value(3), "no disk");
        assert_eq!(tree.value(5), "1");
        assert_eq!(tree.path(7), "$.Cause");
    }

    #[test]
    fn folding_hides_and_finding_unfolds() {
        let mut tree = Tree::parse(r#"{"a": {"b": {"c": 1}}, "d": 2}"#);
        assert_eq!(tree.toggle(1), 1);
        assert_eq!(lines(&tree), ["{", " \"a\": {", " \"d\": 2", "}"]);
        assert_eq!((tree.after(1), tree.before(6), tree.visible(3)), (Some(6), Some(1), 1));
        assert_eq!((tree.before(0), tree.after(7)), (None, None));
        assert_eq!(tree.find("\"C\"", 0, true), Some(3));
        assert_eq!(tree.rows().len(), tree.len());
        assert_eq!(tree.find("nowhere", 0, false), None);
    }

    #[test]
    fn what_is_not_json_is_lines() {
        let tree = Tree::parse("first\nsecond");
        assert_eq!(lines(&tree), ["first", "second"]);
        assert_eq!(tree.value(1), "first\nsecond");
        assert!(Tree::parse("").is_empty());
        assert_eq!(Tree::default().rows(), Vec::<usize>::new());
    }

    #[test]
    fn a_text_is_found_in_keys_and_values() {
        let value = serde_json::json!({"Error": ["no Disk", {"n": 4200}], "input": "{\"pass\":1}"});
        let found: Vec<_> =
            ["error", "disk", "420", "\"pass\":1", "null"].map(|needle| contains(&value, needle)).into();
        assert_eq!(found, [true, true, true, true, false]);
    }

    #[test]
    fn layouts() {
        assert_eq!(compact("{ \"a\" : [1, 2] }"), "{\"a\":[1,2]}");
        assert_eq!(compact("not\n  json"), "not json");
        assert_eq!(pretty("[1]"), "[\n  1\n]");
    }
}
