//! Filter patterns: which messages FilterLogEvents means.
//!
//! - nothing: every message
//! - `ERROR "took long"`: both, as written; `?ERROR ?WARN`: one of them; `-DEBUG`: not that one;
//!   `%[Ee]rror%`: a regular expression. As in CloudWatch, `?` has no effect beside plain terms.
//! - `{ ($.level = "ERROR" || $.millis >= 100) && $.requestId = "a*" }`: fields of a JSON message, with
//!   `= != < <= > >=`, `IS NULL|TRUE|FALSE`, `NOT EXISTS`, `&&`, `||`, brackets and `*` in texts

use regex::Regex;
use serde_json::Value;

/// What is wrong with a pattern, in one sentence.
pub type Error = String;

#[derive(Debug)]
pub enum Pattern {
    Terms { all: Vec<Term>, any: Vec<Term>, none: Vec<Term> },
    Fields(Condition),
}

#[derive(Debug)]
pub enum Term {
    Text(String),
    Like(Regex),
}

#[derive(Debug)]
pub enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Is(Path, Value),
    Missing(Path),
    Text { path: Path, equal: bool, like: Regex },
    Number { path: Path, comparison: Comparison, number: f64 },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// `$.records[0].key`
#[derive(Debug)]
pub struct Path(Vec<Step>);

#[derive(Debug)]
enum Step {
    Field(String),
    At(usize),
}

impl Pattern {
    pub fn parse(text: &str) -> Result<Pattern, Error> {
        let text = text.trim();
        if text.starts_with('{') {
            let mut parser = Parser { rest: text };
            parser.must("{")?;
            let condition = parser.either()?;
            parser.must("}")?;
            return match parser.rest.trim() {
                "" => Ok(Pattern::Fields(condition)),
                rest => Err(format!("nothing may follow the closing brace, but `{rest}` does")),
            };
        }
        if text.starts_with('[') {
            return Err("the local cloud does not read space-delimited patterns ([a, b]); use terms".into());
        }
        let (mut all, mut any, mut none) = (Vec::new(), Vec::new(), Vec::new());
        let mut rest = text;
        while !rest.is_empty() {
            let (list, bare) = match (rest.strip_prefix('?'), rest.strip_prefix('-')) {
                (Some(bare), _) => (&mut any, bare),
                (_, Some(bare)) => (&mut none, bare),
                _ => (&mut all, rest),
            };
            let (term, after) = term(bare)?;
            list.push(term);
            rest = after.trim_start();
        }
        Ok(Pattern::Terms { all, any, none })
    }

    pub fn matches(&self, message: &str) -> bool {
        match self {
            Pattern::Terms { all, any, none } => {
                all.iter().all(|term| term.is_in(message))
                    && (any.is_empty() || !all.is_empty() || any.iter().any(|term| term.is_in(message)))
                    && !none.iter().any(|term| term.is_in(message))
            }
            Pattern::Fields(condition) => {
                serde_json::from_str(message).is_ok_and(|message: Value| condition.holds(&message))
            }
        }
    }
}

impl Term {
    fn is_in(&self, message: &str) -> bool {
        match self {
            Term::Text(text) => message.contains(text.as_str()),
            Term::Like(regex) => regex.is_match(message),
        }
    }
}

/// One term and what follows it.
fn term(text: &str) -> Result<(Term, &str), Error> {
    if text.starts_with('"') {
        let (phrase, rest) = quoted(text)?;
        return Ok((Term::Text(phrase), rest));
    }
    if let Some(inner) = text.strip_prefix('%') {
        let (regex, rest) = inner.split_once('%').ok_or("a regular expression must end with %")?;
        let regex = Regex::new(regex).map_err(|e| format!("{regex} is no regular expression: {e}"))?;
        return Ok((Term::Like(regex), rest));
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    match text.split_at(end) {
        ("", _) => Err("a term is missing after ? or -".into()),
        (word, rest) => Ok((Term::Text(word.to_owned()), rest)),
    }
}

/// A text in quotes, `\"` and `\\` undone, and what follows it.
fn quoted(text: &str) -> Result<(String, &str), Error> {
    let mut phrase = String::new();
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Ok((phrase, &text[at + 1..])),
            '\\' => match letters.next() {
                Some((_, escaped @ ('"' | '\\'))) => phrase.push(escaped),
                Some((_, other)) => phrase.extend(['\\', other]),
                None => break,
            },
            other => phrase.push(other),
        }
    }
    Err("a quotation mark is not closed".into())
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn take(&mut self, token: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn must(&mut self, token: &str) -> Result<(), Error> {
        match self.take(token) {
            true => Ok(()),
            false => Err(format!("`{token}` is missing before `{}`", self.rest)),
        }
    }

    /// Letters, digits and the signs that CloudWatch allows in a bare word.
    fn word(&mut self) -> &'a str {
        self.rest = self.rest.trim_start();
        let end = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || "_-.*+:/#".contains(c)))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn either(&mut self) -> Result<Condition, Error> {
        let mut left = self.both()?;
        while self.take("||") {
            left = Condition::Or(Box::new(left), Box::new(self.both()?));
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Condition, Error> {
        let mut left = self.one()?;
        while self.take("&&") {
            left = Condition::And(Box::new(left), Box::new(self.one()?));
        }
        Ok(left)
    }

    fn one(&mut self) -> Result<Condition, Error> {
        if self.take("(") {
            let inner = self.either()?;
            self.must(")")?;
            return Ok(inner);
        }
        let path = self.path()?;
        let comparison = [
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("=", Comparison::Equal),
            ("<", Comparison::Less),
            (">", Comparison::More),
        ];
        for (sign, comparison) in comparison {
            if self.take(sign) {
                return self.compare(path, comparison);
            }
        }
        match (self.word().to_uppercase().as_str(), self.word().to_uppercase().as_str()) {
            ("IS", "NULL") => Ok(Condition::Is(path, Value::Null)),
            ("IS", "TRUE") => Ok(Condition::Is(path, Value::Bool(true))),
            ("IS", "FALSE") => Ok(Condition::Is(path, Value::Bool(false))),
            ("NOT", "EXISTS") => Ok(Condition::Missing(path)),
            _ => Err("a field needs a comparison, IS NULL, IS TRUE, IS FALSE or NOT EXISTS".into()),
        }
    }

    fn path(&mut self) -> Result<Path, Error> {
        self.must("$")?;
        let mut steps = Vec::new();
        loop {
            if let Some(rest) = self.rest.strip_prefix('.') {
                let end =
                    rest.find(|c: char| !(c.is_alphanumeric() || "_-".contains(c))).unwrap_or(rest.len());
                let (field, rest) = rest.split_at(end);
                if field.is_empty() {
                    return Err("a field's name is missing after a dot".into());
                }
                steps.push(Step::Field(field.to_owned()));
                self.rest = rest;
            } else if let Some((inside, rest)) =
                self.rest.strip_prefix('[').and_then(|rest| rest.split_once(']'))
            {
                steps.push(match inside.trim().parse() {
                    Ok(index) => Step::At(index),
                    Err(_) => Step::Field(inside.trim().trim_matches(['"', '\'']).to_owned()),
                });
                self.rest = rest;
            } else {
                return match steps.is_empty() {
                    true => Err("a field looks like $.name".into()),
                    false => Ok(Path(steps)),
                };
            }
        }
    }

    fn compare(&mut self, path: Path, comparison: Comparison) -> Result<Condition, Error> {
        self.rest = self.rest.trim_start();
        let equal = match comparison {
            Comparison::Equal => Some(true),
            Comparison::NotEqual => Some(false),
            _ => None,
        };
        let (text, bare) = if self.rest.starts_with('"') {
            let (text, rest) = quoted(self.rest)?;
            self.rest = rest;
            (text, false)
        } else if let Some(inner) = self.rest.strip_prefix('%') {
            let (regex, rest) = inner.split_once('%').ok_or("a regular expression must end with %")?;
            self.rest = rest;
            let like = Regex::new(regex).map_err(|e| format!("{regex} is no regular expression: {e}"))?;
            let equal = equal.ok_or("a regular expression goes with = or != only")?;
            return Ok(Condition::Text { path, equal, like });
        } else {
            (self.word().to_owned(), true)
        };
        if bare && let Ok(number) = text.parse() {
            return Ok(Condition::Number { path, comparison, number });
        }
        if text.is_empty() && bare {
            return Err("a comparison needs a value".into());
        }
        let equal = equal.ok_or_else(|| format!("`{text}` is a text: compare it with = or !="))?;
        let parts: Vec<String> = text.split('*').map(regex::escape).collect();
        let like = Regex::new(&format!("(?s)^{}$", parts.join(".*"))).map_err(|e| format!("{text}: {e}"))?;
        Ok(Condition::Text { path, equal, like })
    }
}

impl Path {
    fn of<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(value, |value, step| match step {
            Step::Field(name) => value.get(name),
            Step::At(index) => value.get(index),
        })
    }
}

impl Condition {
    fn holds(&self, message: &Value) -> bool {
        match self {
            Condition::And(left, right) => left.holds(message) && right.holds(message),
            Condition::Or(left, right) => left.holds(message) || right.holds(message),
            Condition::Is(path, value) => path.of(message) == Some(value),
            Condition::Missing(path) => path.of(message).is_none(),
            Condition::Text { path, equal, like } => match path.of(message) {
                Some(Value::String(text)) => like.is_match(text) == *equal,
                Some(Value::Bool(value)) => like.is_match(if *value { "true" } else { "false" }) == *equal,
                Some(_) => !equal,
                None => false,
            },
            Condition::Number { path, comparison, number } => {
                let Some(value) = path.of(message).and_then(Value::as_f64) else { return false };
                match comparison {
                    Comparison::Equal => value == *number,
                    Comparison::NotEqual => value != *number,
                    Comparison::Less => value < *number,
                    Comparison::AtMost => value <= *number,
                    Comparison::More => value > *number,
                    Comparison::AtLeast => value >= *number,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    fn matches(pattern: &str, message: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(message)
    }

    #[test]
    fn terms() {
        // The examples of CloudWatch's documentation on unstructured events.
        assert!(matches("", "anything"));
        assert!(matches("ERROR", "[ERROR 400] BAD REQUEST"));
        assert!(matches("ERROR ARGUMENTS", "[ERROR 419] MISSING ARGUMENTS"));
        assert!(!matches("ERROR ARGUMENTS", "[ERROR 400] BAD REQUEST"));
        assert!(matches("?ERROR ?ARGUMENTS", "INVALID ARGUMENTS"));
        assert!(!matches("?ERROR ?ARGUMENTS", "fine"));
        assert!(matches("\"INTERNAL SERVER ERROR\"", "[ERROR 500] INTERNAL SERVER ERROR"));
        assert!(!matches("\"INTERNAL SERVER ERROR\"", "SERVER INTERNAL ERROR"));
        assert!(matches("ERROR -ARGUMENTS", "[ERROR 400] BAD REQUEST"));
        assert!(!matches("ERROR -ARGUMENTS", "[ERROR 419] MISSING ARGUMENTS"));
        assert!(matches("%[Ff]ail(ed)?%", "it Failed"));
        assert!(!matches("error", "ERROR"), "terms are case-sensitive");
        assert!(matches(r#""say \"no\"""#, r#"they say "no""#));
    }

    #[test]
    fn fields() {
        let message = r#"{"eventType":"UpdateTrail","sourceIPAddress":"123.123.1.1","errors":[{"code":404}],
            "flag":true,"nothing":null}"#;
        assert!(matches(r#"{ $.eventType = "UpdateTrail" }"#, message));
        assert!(matches(r#"{$.sourceIPAddress = 123.123.*}"#, message));
        assert!(matches(r#"{ $.eventType != "Other" }"#, message));
        assert!(!matches(r#"{ $.missing != "Other" }"#, message));
        assert!(matches("{ $.errors[0].code >= 400 && $.errors[0].code < 500 }", message));
        assert!(matches("{ ($.errors[0].code = 1 || $.flag IS TRUE) && $.nothing IS NULL }", message));
        assert!(matches("{ $.absent NOT EXISTS }", message));
        assert!(matches("{ $.eventType = %^Up% }", message));
        assert!(!matches("{ $.eventType = \"UpdateTrail\" }", "not json"));
    }

    #[test]
    fn mistakes_are_named() {
        for pattern in
            ["\"open", "{ $.a }", "{ $.a = }", "{ a = 1 }", "{ $.a < \"x\" }", "{ $.a = 1", "%(%", "-"]
        {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
