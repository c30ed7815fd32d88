//! The filters of a JSONPath: `[?(@.status == 0 && @.name =~ /a.*/i)]`. Their operators are those of the library
//! that AWS reads paths with, Jayway's JsonPath.

use serde_json::Value;

use super::paths::{Path, Segment};
use super::places::walk;

/// A condition on one element, `@`.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    Exists(Vec<Segment>),
    Compare(Term, Operator, Term),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    Path(Vec<Segment>),
    Literal(Value),
    /// The pattern, with `(?i)` in front for `/…/i`.
    Pattern(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Matches,
    In,
    NotIn,
    /// Every item on the left is on the right.
    SubsetOf,
    /// Some item on the left is on the right.
    AnyOf,
    /// No item on the left is on the right.
    NoneOf,
    /// The array, object or text has so many items, members or characters.
    Size,
    /// The array, object or text has none.
    Empty,
}

const OPERATORS: [(&str, Operator); 14] = [
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("=~", Operator::Matches),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("nin ", Operator::NotIn),
    ("in ", Operator::In),
    ("subsetof ", Operator::SubsetOf),
    ("anyof ", Operator::AnyOf),
    ("noneof ", Operator::NoneOf),
    ("size ", Operator::Size),
    ("empty", Operator::Empty),
];

impl Filter {
    /// Reads what follows the question mark, its parentheses included.
    pub fn parse(text: &str) -> Result<Filter, String> {
        let mut parser = Parser { text, depth: 0 };
        let filter = parser.or()?;
        if parser.text.trim().is_empty() {
            Ok(filter)
        } else {
            Err(format!("'{}' is left over in a filter", parser.text.trim()))
        }
    }

    pub fn holds(&self, element: &Value) -> bool {
        match self {
            Filter::And(a, b) => a.holds(element) && b.holds(element),
            Filter::Or(a, b) => a.holds(element) || b.holds(element),
            Filter::Not(a) => !a.holds(element),
            Filter::Exists(path) => !walk(element, path).is_empty(),
            Filter::Compare(left, operator, right) => compare(left, *operator, right, element),
        }
    }
}

fn compare(left: &Term, operator: Operator, right: &Term, element: &Value) -> bool {
    let Some(a) = left.value(element) else { return false };
    if let Term::Pattern(pattern) = right {
        let Some(text) = a.as_str() else { return false };
        // A whole match, as Java's; a pattern that cannot be read matches nothing.
        return operator == Operator::Matches
            && regex::Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|r| r.is_match(text));
    }
    let Some(b) = right.value(element) else { return operator == Operator::NotEqual };
    let order = || match (a, b) {
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Number(a), Value::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()),
        _ => None,
    };
    match operator {
        Operator::Equal => same(a, b),
        Operator::NotEqual => !same(a, b),
        Operator::Less => order().is_some_and(|o| o.is_lt()),
        Operator::LessOrEqual => order().is_some_and(|o| o.is_le()),
        Operator::Greater => order().is_some_and(|o| o.is_gt()),
        Operator::GreaterOrEqual => order().is_some_and(|o| o.is_ge()),
        Operator::In => b.as_array().is_some_and(|list| among(a, list)),
        Operator::NotIn => b.as_array().is_some_and(|list| !among(a, list)),
        Operator::SubsetOf => lists(a, b).is_some_and(|(a, b)| a.iter().all(|item| among(item, b))),
        Operator::AnyOf => lists(a, b).is_some_and(|(a, b)| a.iter().any(|item| among(item, b))),
        Operator::NoneOf => lists(a, b).is_some_and(|(a, b)| !a.iter().any(|item| among(item, b))),
        Operator::Size => length(a).is_some_and(|length| b.as_f64() == Some(length as f64)),
        Operator::Empty => length(a).is_some_and(|length| b.as_bool() == Some(length == 0)),
        Operator::Matches => false,
    }
}

fn lists<'v>(a: &'v Value, b: &'v Value) -> Option<(&'v [Value], &'v [Value])> {
    Some((a.as_array()?, b.as_array()?))
}

fn among(item: &Value, list: &[Value]) -> bool {
    list.iter().any(|other| same(item, other))
}

fn length(value: &Value) -> Option<usize> {
    match value {
        Value::Array(items) => Some(items.len()),
        Value::Object(map) => Some(map.len()),
        Value::String(text) => Some(text.encode_utf16().count()),
        _ => None,
    }
}

/// Equality in which `1` and `1.0` are the same number.
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, a)| b.get(k).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

impl Term {
    fn value<'v>(&'v self, element: &'v Value) -> Option<&'v Value> {
        match self {
            Term::Path(path) => walk(element, path).first().copied(),
            Term::Literal(value) => Some(value),
            Term::Pattern(_) => None,
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    depth: usize,
}

impl Parser<'_> {
    fn skip(&mut self, token: &str) -> bool {
        self.text = self.text.trim_start();
        match self.text.strip_prefix(token) {
            Some(rest) => {
                self.text = rest;
                true
            }
            None => false,
        }
    }

    fn or(&mut self) -> Result<Filter, String> {
        let mut left = self.and()?;
        while self.skip("||") {
            left = Filter::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Filter, String> {
        let mut left = self.one()?;
        while self.skip("&&") {
            left = Filter::And(Box::new(left), Box::new(self.one()?));
        }
        Ok(left)
    }

    fn one(&mut self) -> Result<Filter, String> {
        self.depth += 1;
        if self.depth > 64 {
            return Err("a filter is nested too deeply".into());
        }
        let filter = self.unit();
        self.depth -= 1;
        filter
    }

    fn unit(&mut self) -> Result<Filter, String> {
        if self.skip("!") {
            return Ok(Filter::Not(Box::new(self.one()?)));
        }
        if self.skip("(") {
            let inner = self.or()?;
            return if self.skip(")") { Ok(inner) } else { Err("')' is missing in a filter".into()) };
        }
        let left = self.term()?;
        for (token, operator) in OPERATORS {
            if self.skip(token) {
                // `@.list empty` is `@.list empty true`.
                let alone = operator == Operator::Empty && !self.text.trim_start().starts_with(['t', 'f']);
                let right = if alone { Term::Literal(true.into()) } else { self.term()? };
                return Ok(Filter::Compare(left, operator, right));
            }
        }
        match left {
            Term::Path(path) => Ok(Filter::Exists(path)),
            _ => Err("a filter compares something with '@'".into()),
        }
    }

    fn term(&mut self) -> Result<Term, String> {
        self.text = self.text.trim_start();
        let text = self.text;
        if let Some(rest) = text.strip_prefix('@') {
            let (segments, read) = Path::relative(rest)?;
            self.text = &rest[read..];
            return Ok(Term::Path(segments));
        }
        if let Some(quote) = text.chars().next().filter(|c| matches!(c, '\'' | '"' | '/')) {
            let end = text[1..].find(quote).ok_or_else(|| format!("{quote} is not closed in a filter"))? + 1;
            let inner = text[1..end].to_owned();
            self.text = &text[end + 1..];
            if quote != '/' {
                return Ok(Term::Literal(inner.into()));
            }
            let fold = self.text.strip_prefix('i').inspect(|rest| self.text = rest).is_some();
            return Ok(Term::Pattern(if fold { format!("(?i){inner}") } else { inner }));
        }
        if text.starts_with('[') {
            let end = text.find(']').ok_or("']' is missing in a filter")?;
            self.text = &text[end + 1..];
            return serde_json::from_str(&text[..=end].replace('\'', "\""))
                .map(Term::Literal)
                .map_err(|e| format!("'{}' is not a list: {e}", &text[..=end]));
        }
        let end = text.find([')', '&', '|', '=', '<', '>', '!', ' ']).unwrap_or(text.len());
        self.text = &text[end..];
        serde_json::from_str(&text[..end])
            .map(Term::Literal)
            .map_err(|_| format!("'{}' is neither a path, a number nor a text in quotes", &text[..end]))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The filter operators of Jayway's documentation.
    #[test]
    fn filters_by_what_a_value_holds() {
        let element = json!({"sizes": ["S", "M"], "none": [], "name": "Ann", "n": 3});
        for (text, expected) in [
            ("(@.sizes subsetof ['S', 'M', 'L'])", true),
            ("(@.sizes subsetof ['S', 'L'])", false),
            ("(@.sizes anyof ['M', 'L'])", true),
            ("(@.sizes anyof ['L'])", false),
            ("(@.sizes noneof ['L'])", true),
            ("(@.sizes noneof ['M', 'L'])", false),
            ("(@.sizes size 2)", true),
            ("(@.name size 2)", false),
            ("(@.name size 3 && @.n == 3)", true),
            ("(@.none empty)", true),
            ("(@.none empty true)", true),
            ("(@.sizes empty false)", true),
            ("(@.sizes empty || @.n > 2)", true),
            ("(@.name empty)", false),
            ("(@.n size 1)", false),
        ] {
            assert_eq!(Filter::parse(text).map(|filter| filter.holds(&element)), Ok(expected), "{text}");
        }
    }
}
