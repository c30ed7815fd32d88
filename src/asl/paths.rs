//! JSONPath as Step Functions reads it: reference paths, which name one place, and full paths with
//! wildcards, slices, unions, descent and filters, which may name many.
//!
//! The root tells what is meant: `$` the input, `$$` the context object, `$name` a variable. A path
//! that can only name one place fails when the place is missing; any other path gives the array of
//! all it found.

use serde_json::Value;

use super::filter::Filter;
use super::places::{apply, collect, walk};
use super::scope::Scope;

/// Where a path starts.
#[derive(Clone, Debug, PartialEq)]
pub enum Root {
    Input,
    Context,
    Variable(String),
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Segment {
    Name(String),
    Index(i64),
    Names(Vec<String>),
    Indexes(Vec<i64>),
    Slice(Option<i64>, Option<i64>, i64),
    Wildcard,
    Filter(Filter),
    /// `..`: the next segment applies to everything below.
    Descend,
    /// `length()`, `min()`, …: only at the end.
    Function(String),
}

/// A parsed path and the text it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    pub text: String,
    pub root: Root,
    pub segments: Vec<Segment>,
}

impl Path {
    /// Reads a path; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Path, String> {
        let rest = text.strip_prefix('$').ok_or_else(|| "a path starts with '$'".to_owned())?;
        let (root, rest) = if let Some(rest) = rest.strip_prefix('$') {
            (Root::Context, rest)
        } else {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            if end == 0 {
                (Root::Input, rest)
            } else {
                (Root::Variable(rest[..end].to_owned()), &rest[end..])
            }
        };
        let mut reader = Reader { text: rest, at: 0, filter: false };
        let mut segments = Vec::new();
        while !reader.rest().is_empty() {
            reader.segment(&mut segments)?;
        }
        if segments.last() == Some(&Segment::Descend) {
            return Err("'..' must be followed by a name or '[…]'".into());
        }
        Ok(Path { text: text.to_owned(), root, segments })
    }

    /// Reads the part after `@` within a filter.
    pub(super) fn relative(text: &str) -> Result<(Vec<Segment>, usize), String> {
        let mut reader = Reader { text, at: 0, filter: true };
        let mut segments = Vec::new();
        while reader.rest().starts_with(['.', '[']) {
            reader.segment(&mut segments)?;
        }
        Ok((segments, reader.at))
    }

    /// Whether it can only ever name one place: no wildcard, slice, union, filter or descent.
    pub fn is_definite(&self) -> bool {
        self.segments.iter().all(|s| matches!(s, Segment::Name(_) | Segment::Index(_) | Segment::Function(_)))
    }

    /// Whether it is a reference path: definite, and free of functions.
    pub fn is_reference(&self) -> bool {
        self.segments.iter().all(|s| matches!(s, Segment::Name(_) | Segment::Index(_)))
    }

    /// What the path names; `None` when it is definite and there is nothing.
    pub fn select(&self, scope: &Scope<'_>) -> Option<Value> {
        let root = match &self.root {
            Root::Input => scope.input,
            Root::Context => scope.context.value(),
            Root::Variable(name) => scope.variables.get(name)?,
        };
        let definite = self.is_definite();
        let (function, segments) = match self.segments.last() {
            Some(Segment::Function(name)) => (Some(name), &self.segments[..self.segments.len() - 1]),
            _ => (None, &self.segments[..]),
        };
        let found = walk(root, segments);
        if let Some(name) = function {
            let value = if definite { found.first().map(|v| (*v).clone())? } else { collect(found) };
            return apply(name, &value);
        }
        if definite { found.first().map(|v| (*v).clone()) } else { Some(collect(found)) }
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    /// Within a filter, whose operators end a name.
    filter: bool,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn segment(&mut self, out: &mut Vec<Segment>) -> Result<(), String> {
        let rest = self.rest();
        if let Some(after) = rest.strip_prefix("..") {
            self.at += 2;
            out.push(Segment::Descend);
            if after.starts_with('[') { self.bracket(out) } else { self.name(out) }
        } else if rest.starts_with('.') {
            self.at += 1;
            if self.rest().starts_with('[') { self.bracket(out) } else { self.name(out) }
        } else if rest.starts_with('[') {
            self.bracket(out)
        } else {
            Err(format!("'.' or '[' expected at '{rest}'"))
        }
    }

    fn name(&mut self, out: &mut Vec<Segment>) -> Result<(), String> {
        let rest = self.rest();
        if rest.starts_with('*') {
            self.at += 1;
            out.push(Segment::Wildcard);
            return Ok(());
        }
        let filter = self.filter;
        let stops = |c: char| {
            matches!(c, '.' | '[' | '(' | ')' | ',' | '=' | '<' | '>' | '!' | '|' | ' ' | ']' | '\'' | '"')
                || c == '&' && filter
        };
        let (name, length) = unescaped(rest, stops);
        if length == 0 {
            return Err(format!("a name is expected at '{rest}'"));
        }
        self.at += length;
        if self.rest().starts_with("()") {
            self.at += 2;
            out.push(Segment::Function(name));
        } else {
            out.push(Segment::Name(name));
        }
        Ok(())
    }

    fn bracket(&mut self, out: &mut Vec<Segment>) -> Result<(), String> {
        let inner = closing(self.rest()).ok_or_else(|| format!("']' is missing after '{}'", self.rest()))?;
        self.at += inner.len() + 2;
        let inner = inner.trim();
        let segment = if inner == "*" {
            Segment::Wildcard
        } else if let Some(filter) = inner.strip_prefix('?') {
            Segment::Filter(Filter::parse(filter.trim())?)
        } else if inner.starts_with(['\'', '"']) {
            let mut names = quoted_list(inner)?;
            match (names.len(), names.pop()) {
                (1, Some(name)) => Segment::Name(name),
                (_, Some(last)) => {
                    names.push(last);
                    Segment::Names(names)
                }
                _ => return Err("'[]' names nothing".into()),
            }
        } else if inner.contains(':') {
            let mut bounds = inner.split(':').map(|b| match b.trim() {
                "" => Ok(None),
                b => b.parse().map(Some).map_err(|_| format!("'{b}' is not a whole number")),
            });
            let (from, to) = (bounds.next().transpose()?.flatten(), bounds.next().transpose()?.flatten());
            Segment::Slice(from, to, bounds.next().transpose()?.flatten().unwrap_or(1))
        } else {
            let mut indexes = inner
                .split(',')
                .map(|i| i.trim().parse().map_err(|_| format!("'{}' is not an index", i.trim())))
                .collect::<Result<Vec<i64>, _>>()?;
            match indexes.as_mut_slice() {
                [one] => Segment::Index(*one),
                _ => Segment::Indexes(indexes),
            }
        };
        out.push(segment);
        Ok(())
    }
}

/// The name at the beginning of a text and how much of the text it takes: a backslash takes the next character
/// as it is, or writes a character as JSON does, as in `\uD800\uDF46` (States Language, "Reference Paths").
fn unescaped(text: &str, stops: impl Fn(char) -> bool) -> (String, usize) {
    let (mut units, mut at) = (Vec::new(), 0);
    while let Some(c) = text[at..].chars().next().filter(|c| !stops(*c)) {
        let rest = &text[at..];
        let hex = rest.strip_prefix("\\u").and_then(|rest| rest.get(..4));
        let hex = hex.filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        if let Some(unit) = hex.and_then(|hex| u16::from_str_radix(hex, 16).ok()) {
            units.push(unit);
            at += 6;
            continue;
        }
        let escaped = rest.strip_prefix('\\').and_then(|rest| rest.chars().next());
        let taken = escaped.unwrap_or(c);
        units.extend_from_slice(taken.encode_utf16(&mut [0; 2]));
        at += taken.len_utf8() + usize::from(escaped.is_some());
    }
    (String::from_utf16_lossy(&units), at)
}

/// What stands between a bracket and the one that closes it; quotes hide brackets.
fn closing(text: &str) -> Option<&str> {
    let (mut depth, mut quote, mut escaped) = (0, None, false);
    for (i, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') => {
                depth -= 1;
                if depth == 0 {
                    return Some(&text[1..i]);
                }
            }
            _ => {}
        }
    }
    None
}

/// `'a','b'`: the names. A backslash takes the next character as it is when that is a quote.
fn quoted_list(text: &str) -> Result<Vec<String>, String> {
    let (mut names, mut chars) = (Vec::new(), text.chars().peekable());
    loop {
        while chars.peek().is_some_and(|c| c.is_whitespace() || *c == ',') {
            chars.next();
        }
        let Some(quote) = chars.next() else { break };
        if quote != '\'' && quote != '"' {
            return Err(format!("a quoted name is expected in '[{text}]'"));
        }
        let mut name = String::new();
        loop {
            match chars.next() {
                Some('\\') if chars.peek() == Some(&quote) => name.extend(chars.next()),
                Some(c) if c == quote => break,
                Some(c) => name.push(c),
                None => return Err(format!("a quote is not closed in '[{text}]'")),
            }
        }
        names.push(name);
    }
    Ok(names)
}

/// Puts `value` where the reference path points, making objects on the way; `Err` when the way leads
/// through something that is neither an object nor an array.
pub fn place(path: &Path, target: &mut Value, value: Value) -> Result<(), String> {
    let mut here = target;
    for segment in &path.segments {
        here = match segment {
            Segment::Name(name) => {
                if here.is_null() {
                    *here = Value::Object(Default::default());
                }
                let map = here.as_object_mut().ok_or_else(|| format!("'{name}' is not in an object"))?;
                map.entry(name.clone()).or_insert(Value::Null)
            }
            Segment::Index(index) => {
                let items = here.as_array_mut().ok_or_else(|| format!("[{index}] is not in an array"))?;
                let len = items.len() as i64;
                let index = if *index < 0 { index + len } else { *index };
                if index == len {
                    items.push(Value::Null);
                }
                usize::try_from(index)
                    .ok()
                    .and_then(|i| items.get_mut(i))
                    .ok_or_else(|| format!("[{index}] is outside an array of {len}"))?
            }
            _ => return Err(format!("'{}' is not a reference path", path.text)),
        };
    }
    *here = value;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let path = Path::parse(text).unwrap();
        assert!(path.is_reference(), "{text}");
        let name = |segment| match segment {
            Segment::Name(name) => name,
            Segment::Index(index) => index.to_string(),
            other => panic!("{text}: {other:?}"),
        };
        path.segments.into_iter().map(name).collect()
    }

    /// The examples of the States Language, "Reference Paths": a backslash takes the next character as it is.
    #[test]
    fn reference_paths_of_the_specification() {
        for (text, expected) in [
            ("$.store.book", &["store", "book"][..]),
            ("$.store\\.book", &["store.book"]),
            ("$.\\stor\\e.boo\\k", &["store", "book"]),
            ("$.store.book.title", &["store", "book", "title"]),
            ("$.foo.\\.bar", &["foo", ".bar"]),
            ("$.foo\\@bar.baz\\[\\[.\\?pretty", &["foo@bar", "baz[[", "?pretty"]),
            ("$.&Ж中.\\uD800\\uDF46", &["&Ж中", "\u{10346}"]),
            ("$.&Ж中.\u{10346}", &["&Ж中", "\u{10346}"]),
            ("$.ledgers.branch[0].pending.count", &["ledgers", "branch", "0", "pending", "count"]),
            ("$.ledgers.branch[0]", &["ledgers", "branch", "0"]),
            ("$.ledgers[0][22][315].foo", &["ledgers", "0", "22", "315", "foo"]),
            ("$['store']['book']", &["store", "book"]),
            ("$['store'][0]['book']", &["store", "0", "book"]),
        ] {
            assert_eq!(names(text), expected, "{text}");
        }
    }
}
