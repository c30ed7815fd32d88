//! What each piece of a text is, by line: SQL through its lexer, JSON through a small one here.

use std::ops::Range;

use crate::sql::lexer::{self, Kind};
use crate::ui::theme::Role;

/// What is edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Sql,
    Json,
}

/// Pieces of a line: bytes and role, without gaps.
pub type Pieces = Vec<(Range<usize>, Role)>;

/// The pieces of every line.
pub fn paint(language: Language, lines: &[String]) -> Vec<Pieces> {
    let text = lines.join("\n");
    let tokens: Pieces = match language {
        Language::Sql => {
            lexer::lex(&text).into_iter().map(|token| (token.start..token.end, sql(token.kind))).collect()
        }
        Language::Json => json(&text),
    };
    let mut tokens = tokens.into_iter().peekable();
    let mut start = 0;
    let mut all = Vec::with_capacity(lines.len());
    for line in lines {
        let end = start + line.len();
        let mut pieces: Pieces = Vec::new();
        let mut at = start;
        while let Some((range, role)) = tokens.peek().filter(|(range, _)| range.start < end).cloned() {
            let from = range.start.max(at);
            if from > at {
                pieces.push((at - start..from - start, Role::Text));
            }
            at = range.end.min(end).max(from);
            pieces.push((from - start..at - start, role));
            if range.end > end {
                break;
            }
            tokens.next();
        }
        if at < end {
            pieces.push((at - start..end - start, Role::Text));
        }
        all.push(pieces);
        start = end + 1;
    }
    all
}

fn sql(kind: Kind) -> Role {
    match kind {
        Kind::Keyword => Role::Accent,
        Kind::Function | Kind::Name | Kind::Quoted | Kind::Number | Kind::Symbol => Role::Text,
        Kind::Text => Role::Good,
        Kind::Comment => Role::Dim,
        Kind::Parameter => Role::Warn,
        Kind::Broken => Role::Bad,
    }
}

/// Strings before a colon are names; other strings, numbers and words are values.
fn json(text: &str) -> Pieces {
    let bytes = text.as_bytes();
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            b'"' => {
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' && bytes[at] != b'\n' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                let closed = bytes.get(at) == Some(&b'"');
                at = (at + usize::from(closed)).min(bytes.len());
                // A backslash before a character of several bytes must not cut it.
                while !text.is_char_boundary(at) {
                    at += 1;
                }
                let name = text[at..].trim_start().starts_with(':');
                let role = if !closed {
                    Role::Bad
                } else if name {
                    Role::Accent
                } else {
                    Role::Good
                };
                pieces.push((start..at, role));
            }
            b'0'..=b'9' | b'-' => {
                while at < bytes.len() && matches!(bytes[at], b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
                {
                    at += 1;
                }
                pieces.push((start..at, Role::Text));
            }
            b'a'..=b'z' | b'A'..=b'Z' => {
                while at < bytes.len() && bytes[at].is_ascii_alphabetic() {
                    at += 1;
                }
                let known = matches!(&text[start..at], "true" | "false" | "null");
                pieces.push((start..at, if known { Role::Text } else { Role::Bad }));
            }
            _ => at += 1,
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(text: &str) -> Vec<String> {
        text.split('\n').map(str::to_owned).collect()
    }

    #[test]
    fn names_and_values_of_json_differ() {
        let painted = paint(Language::Json, &lines("{\"a\": \"b\",\n nope}"));
        assert_eq!(painted[0][1], (1..4, Role::Accent));
        assert_eq!(painted[0][3], (6..9, Role::Good));
        assert_eq!(painted[1][1], (1..5, Role::Bad));
    }

    #[test]
    fn a_comment_over_lines_is_one() {
        let painted = paint(Language::Sql, &lines("SELECT /* a\nb */ 1"));
        assert_eq!(painted[0].last(), Some(&(7..11, Role::Dim)));
        assert_eq!(painted[1][0], (0..4, Role::Dim));
    }

    proptest! {
        #[test]
        fn pieces_cover_every_line(text in "[\\PC\n\"\\\\/*']{0,60}") {
            for language in [Language::Sql, Language::Json] {
                let lines = lines(&text);
                for (line, pieces) in lines.iter().zip(paint(language, &lines)) {
                    let mut at = 0;
                    for (range, _) in pieces {
                        prop_assert_eq!(range.start, at);
                        prop_assert!(line.get(range.clone()).is_some());
                        at = range.end;
                    }
                    prop_assert_eq!(at, line.len());
                }
            }
        }
    }
}
