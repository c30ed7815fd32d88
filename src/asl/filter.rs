//! The filters of a JSONPath: `[?(@.status == 0 && @.name =~ /a.*/i)]`.

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
}

const OPERATORS: [(&str, Operator); 9] = [
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("=~", Operator::Matches),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("nin ", Operator::NotIn),
    ("in ", Operator::In),
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
        Operator::In => b.as_array().is_some_and(|list| list.iter().any(|b| same(a, b))),
        Operator::NotIn => b.as_array().is_some_and(|list| !list.iter().any(|b| same(a, b))),
        Operator::Matches => false,
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
                return Ok(Filter::Compare(left, operator, self.term()?));
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
