//! Text into tokens. Never fails: what cannot be read becomes a token that says so.

use std::ops::Range;

use super::keywords::{is_callable, is_keyword};

/// What a token is, as far as showing it is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A word of the language: `SELECT`, `array`.
    Keyword,
    /// A name directly before an opening parenthesis: `cardinality(`.
    Function,
    /// Any other word: a table, a column, an alias.
    Name,
    /// `"name"`, or Hive's `` `name` ``.
    Quoted,
    /// `'text'`, with `''` for a quote.
    Text,
    Number,
    /// `-- to the end of the line` or `/* … */`.
    Comment,
    /// `?`, `:name` or `{{name}}`.
    Parameter,
    /// Operators and punctuation: `<=`, `->`, `(`.
    Symbol,
    /// A string, quoted name or comment that never ends, or a character SQL has no use for.
    Broken,
}

/// A token: bytes `start..end` of the text. White space is between tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
}

impl Token {
    pub fn span(&self) -> Range<usize> {
        self.start..self.end
    }

    /// The token's own text.
    pub fn of<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether the token is this word, in any case.
    pub fn is(&self, text: &str, word: &str) -> bool {
        matches!(self.kind, Kind::Keyword | Kind::Name | Kind::Function | Kind::Symbol)
            && self.of(text).eq_ignore_ascii_case(word)
    }
}

/// All tokens of `text`, in order; their spans never overlap.
pub fn lex(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let (kind, end) = match bytes[at] {
            b'-' if bytes.get(at + 1) == Some(&b'-') => {
                (Kind::Comment, text[at..].find('\n').map_or(text.len(), |n| at + n))
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => match text[at + 2..].find("*/") {
                Some(n) => (Kind::Comment, at + 2 + n + 2),
                None => (Kind::Broken, text.len()),
            },
            b'\'' => quoted(bytes, at, Kind::Text),
            b'"' | b'`' => quoted(bytes, at, Kind::Quoted),
            b'?' => (Kind::Parameter, at + 1),
            b'{' => braces(text, at),
            b':' if starts_parameter(bytes, at) => (Kind::Parameter, word(text, at + 1)),
            b'0'..=b'9' => (Kind::Number, number(bytes, at)),
            b'.' if bytes.get(at + 1).is_some_and(u8::is_ascii_digit) && !after_name(bytes, at) => {
                (Kind::Number, number(bytes, at))
            }
            _ if c.is_alphabetic() || c == '_' || c == '$' => name(text, at),
            _ => symbol(text, at, c),
        };
        tokens.push(Token { kind, start: at, end });
        at = end;
    }
    tokens
}

/// From the opening quote to behind the closing one; a doubled quote stays inside.
fn quoted(bytes: &[u8], start: usize, kind: Kind) -> (Kind, usize) {
    let quote = bytes[start];
    let mut at = start + 1;
    while at < bytes.len() {
        if bytes[at] == quote {
            if bytes.get(at + 1) == Some(&quote) {
                at += 2;
                continue;
            }
            return (kind, at + 1);
        }
        at += 1;
    }
    (Kind::Broken, bytes.len())
}

/// `{{name}}` is a parameter; a lone brace is a symbol of no language here.
fn braces(text: &str, at: usize) -> (Kind, usize) {
    if text[at..].starts_with("{{")
        && let Some(n) = text[at..].find("}}")
        && text[at + 2..at + n].chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' '))
    {
        return (Kind::Parameter, at + n + 2);
    }
    (Kind::Broken, at + 1)
}

/// A colon directly before a letter and not directly behind a name: Hive's `struct<name:string>` has
/// no parameter.
fn starts_parameter(bytes: &[u8], at: usize) -> bool {
    bytes.get(at + 1).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_') && !after_name(bytes, at)
}

fn after_name(bytes: &[u8], at: usize) -> bool {
    at > 0
        && (bytes[at - 1].is_ascii_alphanumeric()
            || matches!(bytes[at - 1], b'_' | b'"' | b'`' | b']' | b')' | b':' | b'.')
            || !bytes[at - 1].is_ascii())
}

fn word(text: &str, start: usize) -> usize {
    text[start..]
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$' | '@')))
        .map_or(text.len(), |n| start + n)
}

fn number(bytes: &[u8], start: usize) -> usize {
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(|b| b.is_ascii_digit() || *b == b'_') {
            at += 1;
        }
        at
    };
    let mut at = digits(start);
    if bytes.get(at) == Some(&b'.') {
        at = digits(at + 1);
    }
    if bytes.get(at).is_some_and(|b| matches!(b, b'e' | b'E')) {
        let sign = at + 1 + usize::from(bytes.get(at + 1).is_some_and(|b| matches!(b, b'+' | b'-')));
        if bytes.get(sign).is_some_and(u8::is_ascii_digit) {
            at = digits(sign);
        }
    }
    at
}

fn name(text: &str, start: usize) -> (Kind, usize) {
    let end = word(text, start);
    let spelled = &text[start..end];
    let called = text[end..].starts_with('(');
    let kind = match (is_keyword(spelled), called) {
        (true, true) if is_callable(spelled) => Kind::Function,
        (true, _) => Kind::Keyword,
        (false, true) => Kind::Function,
        (false, false) => Kind::Name,
    };
    (kind, end)
}

fn symbol(text: &str, at: usize, c: char) -> (Kind, usize) {
    const LONG: [&str; 8] = ["<=", ">=", "<>", "!=", "||", "->", "=>", "::"];
    if let Some(long) = LONG.iter().find(|s| text[at..].starts_with(**s)) {
        return (Kind::Symbol, at + long.len());
    }
    let known = c.is_ascii_punctuation() && !matches!(c, '\\' | '}' | '~' | '^' | '#');
    (if known { Kind::Symbol } else { Kind::Broken }, at + c.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        lex(text).into_iter().map(|t| (t.kind, t.of(text))).collect()
    }

    #[test]
    fn a_query_is_cut_into_its_parts() {
        use Kind::*;
        assert_eq!(
            kinds("SELECT f.\"a b\", cardinality(services) -- n\nFROM t WHERE x <= 'it''s' AND y > 1.5e3"),
            vec![
                (Keyword, "SELECT"),
                (Name, "f"),
                (Symbol, "."),
                (Quoted, "\"a b\""),
                (Symbol, ","),
                (Function, "cardinality"),
                (Symbol, "("),
                (Name, "services"),
                (Symbol, ")"),
                (Comment, "-- n"),
                (Keyword, "FROM"),
                (Name, "t"),
                (Keyword, "WHERE"),
                (Name, "x"),
                (Symbol, "<="),
                (Text, "'it''s'"),
                (Keyword, "AND"),
                (Name, "y"),
                (Symbol, ">"),
                (Number, "1.5e3"),
            ]
        );
    }

    #[test]
    fn parameters_are_told_from_hive_structs() {
        let parameters = |text: &str| {
            kinds(text)
                .into_iter()
                .filter(|(k, _)| *k == Kind::Parameter)
                .map(|(_, t)| t.to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(parameters("a = ? AND b = :state AND {{table}}.c"), ["?", ":state", "{{table}}"]);
        assert!(parameters("a array<struct<name:string,expiry_date:string>>").is_empty());
    }

    #[test]
    fn what_never_ends_is_broken_to_the_end() {
        assert_eq!(kinds("a 'open"), vec![(Kind::Name, "a"), (Kind::Broken, "'open")]);
        assert_eq!(kinds("/* open"), vec![(Kind::Broken, "/* open")]);
    }

    proptest! {
        #[test]
        fn tokens_cover_everything_but_white_space(text in "\\PC*") {
            let mut at = 0;
            for token in lex(&text) {
                prop_assert!(token.start >= at && token.end > token.start);
                prop_assert!(text[at..token.start].chars().all(char::is_whitespace));
                at = token.end;
            }
            prop_assert!(text[at..].chars().all(char::is_whitespace));
        }
    }
}
