//! A cursor over the words of a statement.

use super::escapes;
use crate::local::athena::failure::{Failure, Spot};
use crate::sql::lexer::{Kind, Token, lex};

pub struct Words<'a> {
    pub text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    /// Whether a backslash in a string escapes what follows it, as in Hive.
    escapes: bool,
}

fn tokens(text: &str) -> Vec<Token> {
    lex(text).into_iter().filter(|t| t.kind != Kind::Comment).collect()
}

impl<'a> Words<'a> {
    pub fn new(text: &'a str) -> Self {
        Words { text, tokens: tokens(&escapes::masked(text)), at: 0, escapes: true }
    }

    /// A cursor over Trino's SQL, whose strings have no backslash escapes.
    pub fn of_trino(text: &'a str) -> Self {
        Words { text, tokens: tokens(text), at: 0, escapes: false }
    }

    pub fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    pub fn done(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// The byte where the next token starts, or the text's end.
    pub fn offset(&self) -> usize {
        self.peek().map_or(self.text.len(), |t| t.start)
    }

    pub fn is(&self, word: &str) -> bool {
        self.peek().is_some_and(|t| t.is(self.text, word))
    }

    /// Whether the token behind the next is this word.
    pub fn is_second(&self, word: &str) -> bool {
        self.tokens.get(self.at + 1).is_some_and(|t| t.is(self.text, word))
    }

    /// The byte where these words begin, if they are the last of the text.
    pub fn without_end(&self, words: &str) -> Option<usize> {
        let words: Vec<&str> = words.split(' ').collect();
        let last = &self.tokens[self.tokens.len().checked_sub(words.len())?..];
        let same = last.iter().zip(&words).all(|(token, word)| token.is(self.text, word));
        last.first().filter(|_| same).map(|token| token.start)
    }

    /// Takes the words if all of them follow.
    pub fn take(&mut self, words: &str) -> bool {
        let start = self.at;
        for word in words.split(' ') {
            if !self.is(word) {
                self.at = start;
                return false;
            }
            self.at += 1;
        }
        true
    }

    pub fn must(&mut self, words: &str) -> Result<(), Failure> {
        if self.take(words) { Ok(()) } else { Err(self.mismatch(words)) }
    }

    /// Trino's and Hive's complaint about the next token.
    pub fn mismatch(&self, expecting: &str) -> Failure {
        let input = self.peek().map_or("<EOF>", |t| t.of(self.text));
        Failure::malformed(
            Spot::of(self.text, self.offset()),
            format!("mismatched input '{input}'. Expecting: {expecting}"),
        )
    }

    /// A name, plain or quoted, in lower case as the catalog keeps it.
    pub fn name(&mut self) -> Result<String, Failure> {
        let Some(token) = self.peek().copied() else { return Err(self.mismatch("<identifier>")) };
        let spelled = token.of(self.text);
        let name = match token.kind {
            Kind::Name | Kind::Keyword | Kind::Function => spelled.to_lowercase(),
            Kind::Quoted => {
                let quote = &spelled[..1];
                spelled[1..spelled.len() - 1].replace(&quote.repeat(2), quote).to_lowercase()
            }
            _ => return Err(self.mismatch("<identifier>")),
        };
        self.at += 1;
        Ok(name)
    }

    /// `table`, `database.table` or `catalog.database.table`; the catalog is dropped.
    pub fn qualified(&mut self) -> Result<(Option<String>, String), Failure> {
        let mut parts = vec![self.name()?];
        while self.take(".") {
            parts.push(self.name()?);
        }
        let table = parts.pop().unwrap_or_default();
        Ok((parts.pop(), table))
    }

    /// A string in single (or, as Hive allows, double) quotes, unquoted.
    pub fn string(&mut self) -> Result<String, Failure> {
        let Some(token) = self.peek().copied() else { return Err(self.mismatch("<string>")) };
        let spelled = token.of(self.text);
        let quote = match token.kind {
            Kind::Text => "'",
            Kind::Quoted if spelled.starts_with('"') => "\"",
            _ => return Err(self.mismatch("<string>")),
        };
        self.at += 1;
        let content = spelled[1..spelled.len() - 1].replace(&quote.repeat(2), quote);
        Ok(if self.escapes { escapes::read(&content) } else { content })
    }

    /// A string, number or word, as partition values and properties have them.
    pub fn value(&mut self) -> Result<String, Failure> {
        match self.peek() {
            Some(t) if t.of(self.text) == "-" => {
                self.at += 1;
                self.value().map(|number| format!("-{number}"))
            }
            Some(t) if matches!(t.kind, Kind::Number | Kind::Name | Kind::Keyword) => {
                let value = t.of(self.text).to_owned();
                self.at += 1;
                Ok(value)
            }
            _ => self.string(),
        }
    }

    /// `('key'='value', …)`.
    pub fn properties(&mut self) -> Result<Vec<(String, String)>, Failure> {
        self.must("(")?;
        let mut found = Vec::new();
        loop {
            let key = self.string()?;
            self.must("=")?;
            found.push((key, self.value()?));
            if !self.take(",") {
                break;
            }
        }
        self.must(")")?;
        Ok(found)
    }

    /// The text of a type: up to a comma or closing parenthesis of this level, or
    /// the word that may follow a column.
    pub fn type_text(&mut self) -> Result<&'a str, Failure> {
        let start = self.offset();
        let (mut depth, mut end) = (0usize, start);
        while let Some(token) = self.peek().copied() {
            let spelled = token.of(self.text);
            match spelled {
                "(" | "<" => depth += 1,
                ")" | ">" if depth > 0 => depth -= 1,
                ")" | "," if depth == 0 => break,
                ";" => break,
                _ if depth == 0
                    && ["COMMENT", "FIRST", "AFTER"].iter().any(|word| token.is(self.text, word)) =>
                {
                    break;
                }
                _ => {}
            }
            end = token.end;
            self.at += 1;
        }
        if end == start { Err(self.mismatch("<type>")) } else { Ok(&self.text[start..end]) }
    }

    /// Steps over one token of any kind; its text.
    pub fn skip(&mut self) -> Option<&'a str> {
        let token = *self.peek()?;
        self.at += 1;
        Some(token.of(self.text))
    }

    /// Everything from the next token on.
    pub fn rest(&mut self) -> &'a str {
        let rest = self.text[self.offset()..].trim_end().trim_end_matches(';').trim_end();
        self.at = self.tokens.len();
        rest
    }

    pub fn end(&mut self) -> Result<(), Failure> {
        while self.take(";") {}
        if self.done() { Ok(()) } else { Err(self.mismatch("<EOF>")) }
    }
}
