//! Where the statements of a text are.

use std::ops::Range;

use super::lexer::{Kind, lex};

/// The spans of the statements of `text`, without the semicolons between them, leading and trailing
/// white space. Comments before a statement belong to it; text of comments alone is no statement.
pub fn statements(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut open: Option<(usize, usize)> = None;
    let mut says_something = false;
    for token in lex(text) {
        if token.kind == Kind::Symbol && token.of(text) == ";" {
            if let Some((start, end)) = open.take()
                && says_something
            {
                found.push(start..end);
            }
            says_something = false;
            continue;
        }
        says_something |= token.kind != Kind::Comment;
        open = Some((open.map_or(token.start, |(start, _)| start), token.end));
    }
    if let Some((start, end)) = open
        && says_something
    {
        found.push(start..end);
    }
    found
}

/// The statement a cursor at byte `cursor` is in or behind; `None` when there is none before it
/// and none after it.
pub fn at(text: &str, cursor: usize) -> Option<Range<usize>> {
    let all = statements(text);
    all.iter()
        .find(|span| span.contains(&cursor) || span.end == cursor)
        .or_else(|| all.iter().rfind(|span| span.end <= cursor))
        .or_else(|| all.first())
        .cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semicolons_in_strings_and_comments_do_not_split() {
        let text = "SELECT ';' -- ; no\n; \n /* x; */ SELECT 2;;\n-- the end";
        let parts: Vec<_> = statements(text).into_iter().map(|s| &text[s]).collect();
        assert_eq!(parts, ["SELECT ';' -- ; no", "/* x; */ SELECT 2"]);
    }

    #[test]
    fn the_cursor_chooses() {
        let text = "SELECT 1; SELECT 2 ";
        assert_eq!(at(text, 3).map(|s| &text[s]), Some("SELECT 1"));
        assert_eq!(at(text, 8).map(|s| &text[s]), Some("SELECT 1"));
        assert_eq!(at(text, 19).map(|s| &text[s]), Some("SELECT 2"));
        assert_eq!(at("-- nothing", 3), None);
    }
}
