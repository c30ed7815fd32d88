//! JSON as a tree that can be folded, searched and walked: rows with their depth and path. A string that
//! itself holds a JSON object or array (a cause, an escaped body) is unfolded as if it stood there. What is
//! shown and copied is the text that arrived: [`layout`] moves its tokens, and changes none.

pub mod layout;

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::Value;

use layout::{Token, Tokens};

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
    /// Where its value stands: a text of the tree, and bytes of it.
    value: (usize, Range<usize>),
}

/// A document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    /// The text, then those that were unfolded out of its strings.
    texts: Vec<String>,
    nodes: Vec<Node>,
    folded: BTreeSet<usize>,
}

/// Strings within strings are unfolded this deep.
const UNPACK: u8 = 4;

impl Tree {
    /// Reads a text. What is not JSON is kept as plain lines.
    pub fn parse(text: &str) -> Tree {
        let mut tree = Tree { texts: vec![text.to_owned()], ..Tree::default() };
        if is_json(text) {
            tree.lay(text, Place { depth: 0, key: None, parent: None, index: 0, unpack: UNPACK });
            return tree;
        }
        let nodes = text.lines().enumerate().map(|(index, line)| Node {
            depth: 0,
            key: None,
            part: Part::Plain(line.to_owned()),
            comma: false,
            parent: None,
            index,
            value: (0, 0..text.len()),
        });
        tree.nodes = nodes.collect();
        tree
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

    /// A row's value: a string as its text, anything else as JSON, laid out over lines.
    pub fn value(&self, row: usize) -> String {
        let Some(node) = self.nodes.get(row) else { return "null".to_owned() };
        let (text, range) = &node.value;
        let value = self.texts.get(*text).and_then(|text| text.get(range.clone())).unwrap_or_default();
        match &node.part {
            Part::Text(_) => serde_json::from_str(value).unwrap_or_else(|_| value.to_owned()),
            Part::Open { .. } | Part::Close { .. } => layout::pretty(value),
            _ => value.to_owned(),
        }
    }

    /// A member's value by the names of its container and its own: the first that is equal to a value.
    pub fn member(&self, container: &str, name: &str, equal: &Value) -> Option<String> {
        let named = |row: Option<usize>, name: &str| {
            row.and_then(|row| self.nodes.get(row)).is_some_and(|node| node.key.as_deref() == Some(name))
        };
        let rows = (0..self.nodes.len()).filter(|row| named(Some(*row), name));
        let mut texts =
            rows.filter(|row| named(self.nodes[*row].parent, container)).map(|row| self.value(row));
        texts.find(|text| serde_json::from_str::<Value>(text).is_ok_and(|value| value == *equal))
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

/// Whether a text is JSON.
pub fn is_json(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok()
}

/// JSON laid out over lines, two columns a level; a text that is not JSON stays as it is.
pub fn pretty(text: &str) -> String {
    if is_json(text) { layout::pretty(text) } else { text.to_owned() }
}

/// JSON on one line without white space; a text that is not JSON has its lines joined.
pub fn compact(text: &str) -> String {
    if is_json(text) { layout::compact(text) } else { text.split_whitespace().collect::<Vec<_>>().join(" ") }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// Where a value stands in the tree.
struct Place {
    depth: u16,
    key: Option<String>,
    parent: Option<usize>,
    index: usize,
    unpack: u8,
}

impl Tree {
    /// Adds the rows of a text that is JSON: the one that was added last to `texts`.
    fn lay(&mut self, json: &str, root: Place) {
        let text = self.texts.len() - 1;
        // The containers around the present token: row and members so far.
        let mut around: Vec<(usize, usize)> = Vec::new();
        let mut name = root.key;
        for (token, range) in Tokens::of(json) {
            let part = match token {
                Token::Colon => continue,
                Token::Comma => {
                    self.comma();
                    continue;
                }
                Token::Text if name.is_none() && self.wants_name(around.last()) => {
                    name = serde_json::from_str(&json[range]).ok();
                    continue;
                }
                Token::Close { array } => {
                    let Some((row, members)) = around.pop() else { continue };
                    let end = self.nodes.len();
                    self.nodes[row].value.1.end = range.end;
                    let value = self.nodes[row].value.clone();
                    if let Part::Open { len, end: last, .. } = &mut self.nodes[row].part {
                        (*len, *last) = (members, end);
                    }
                    let (depth, part) = (self.nodes[row].depth, Part::Close { array });
                    let parent = Some(row);
                    self.nodes.push(Node {
                        depth,
                        key: None,
                        part,
                        comma: false,
                        parent,
                        index: members,
                        value,
                    });
                    continue;
                }
                Token::Open { array } => Part::Open { array, len: 0, end: self.nodes.len() },
                Token::Number => Part::Number(json[range.clone()].to_owned()),
                Token::Word => Part::Word(match &json[range.clone()] {
                    "true" => "true",
                    "false" => "false",
                    _ => "null",
                }),
                Token::Text => Part::Text(json[range.clone()].to_owned()),
            };
            let depth = root.depth + around.len() as u16;
            let (parent, index) = match around.last_mut() {
                Some((row, members)) => {
                    *members += 1;
                    (Some(*row), *members - 1)
                }
                None => (root.parent, root.index),
            };
            let (row, key) = (self.nodes.len(), name.take());
            let part = match part {
                Part::Text(quotes) => {
                    let inner = serde_json::from_str(&quotes).unwrap_or(quotes);
                    if root.unpack > 0 && is_packed(&inner) {
                        self.texts.push(inner.clone());
                        self.lay(&inner, Place { depth, key, parent, index, unpack: root.unpack - 1 });
                        continue;
                    }
                    Part::Text(quoted(&inner))
                }
                part => part,
            };
            if let Part::Open { .. } = part {
                around.push((row, 0));
            }
            self.nodes.push(Node { depth, key, part, comma: false, parent, index, value: (text, range) });
        }
    }

    /// Whether the next string in a container is the name of a member.
    fn wants_name(&self, container: Option<&(usize, usize)>) -> bool {
        container.is_some_and(|(row, _)| matches!(self.nodes[*row].part, Part::Open { array: false, .. }))
    }

    /// A comma follows the value that was added last.
    fn comma(&mut self) {
        let Some(last) = self.nodes.last_mut() else { return };
        last.comma = true;
        if let (Part::Close { .. }, Some(row)) = (&last.part, last.parent) {
            self.nodes[row].comma = true;
        }
    }
}

/// Whether a string holds an object or array.
fn is_packed(text: &str) -> bool {
    let text = text.trim();
    let looks =
        (text.starts_with('{') && text.ends_with('}')) || (text.starts_with('[') && text.ends_with(']'));
    looks && text.len() > 2 && is_json(text)
}

#[cfg(test)]
mod tests;
