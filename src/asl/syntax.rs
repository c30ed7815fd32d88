//! What AWS says of a definition or an input that is not JSON at all, in the words of the parser behind its API.

use serde_json::error::Category;

use super::check::Diagnostic;

const VALUE: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/// Characters of the text that a place shows.
const SHOWN: usize = 500;

/// The parser names the token or character, the line, and the column after it.
pub fn diagnostic(text: &str, error: &serde_json::Error) -> Diagnostic {
    let start: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    // Columns count bytes and may end within a character.
    let at = text.floor_char_boundary((start + error.column().saturating_sub(1)).min(text.len()));
    let found = text[at..].chars().next();
    let said = error.to_string();
    let (message, column) = if error.classify() == Category::Eof || found.is_none() {
        (ended(text, &said), text.len() - start.min(text.len()) + 1)
    } else if let Some((token, from)) = token(text, at).filter(|_| !said.starts_with("expected `")) {
        let message = format!("Unrecognized token '{token}': was expecting {VALUE}");
        (message, from - start.min(from) + token.len() + 1)
    } else {
        let found = found.unwrap_or_default();
        let message =
            format!("Unexpected character ('{found}' (code {})): {}", u32::from(found), wanted(&said));
        (message, at - start.min(at) + 2)
    };
    let source = place(text, error.line(), column);
    let message = format!("{message}\n at {source}");
    Diagnostic { error: true, code: "INVALID_JSON_DESCRIPTION", message, location: Some(source) }
}

/// A long text is cut, as the parser cuts it.
fn place(text: &str, line: usize, column: usize) -> String {
    let shown = text.char_indices().nth(SHOWN).map_or(text, |(end, _)| &text[..end]);
    let rest = text[shown.len()..].chars().count();
    let cut = if rest > 0 { format!("[truncated {rest} chars]") } else { String::new() };
    format!("[Source: (String)\"{shown}\"{cut}; line: {line}, column: {column}]")
}

/// The word around `at` and where it begins; names in an object are no tokens.
fn token(text: &str, at: usize) -> Option<(String, usize)> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let from = text[..at].char_indices().rev().take_while(|(_, c)| word(*c)).last().map_or(at, |(i, _)| i);
    let token: String = text[from..].chars().take_while(|c| word(*c)).collect();
    let named =
        text[..from].trim_end().ends_with(['{', ',']) && open(text, from).is_some_and(|(c, _)| c == '{');
    (!token.is_empty() && !named).then_some((token, from))
}

/// What the parser says it was expecting.
fn wanted(said: &str) -> String {
    for (begins, wanted) in [
        ("key must be a string", "was expecting double-quote to start field name"),
        ("trailing comma", "was expecting double-quote to start field name"),
        ("expected `:`", "was expecting a colon to separate field name and value"),
        ("expected `,` or `}`", "was expecting comma to separate Object entries"),
        ("expected `,` or `]`", "was expecting comma to separate Array entries"),
    ] {
        if said.starts_with(begins) {
            return wanted.into();
        }
    }
    format!("expected a valid value {VALUE}")
}

/// The text is over too early.
fn ended(text: &str, said: &str) -> String {
    if said.contains("string") {
        return "Unexpected end-of-input: was expecting closing quote for a string value".into();
    }
    let Some((bracket, at)) = open(text, text.len()) else {
        return "No content to map due to end-of-input".into();
    };
    let kind = if bracket == '{' { "Object" } else { "Array" };
    let (line, column) =
        (text[..at].matches('\n').count() + 1, at - text[..at].rfind('\n').map_or(0, |n| n + 1) + 1);
    let start = place(text, line, column);
    format!("Unexpected end-of-input: expected close marker for {kind} (start marker at {start})")
}

/// The innermost bracket that is open before `end`, and where it stands.
fn open(text: &str, end: usize) -> Option<(char, usize)> {
    let (mut stack, mut quoted, mut escaped) = (Vec::new(), false, false);
    for (i, c) in text[..end].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => stack.push((c, i)),
            '}' | ']' if !quoted => _ = stack.pop(),
            _ => {}
        }
    }
    stack.pop()
}

#[cfg(test)]
mod tests {
    use crate::asl::check::diagnose;

    /// AWS's own words for a text that is no JSON.
    #[test]
    fn names_the_token_that_is_not_json() {
        let found = diagnose("not a definition", false);
        let source = "[Source: (String)\"not a definition\"; line: 1, column: 4]";
        assert_eq!(found[0].location.as_deref(), Some(source));
        let words = "Unrecognized token 'not': was expecting (JSON String, Number, Array, Object or token 'null', \
                     'true' or 'false')\n at ";
        assert_eq!(found[0].message, format!("{words}{source}"));
        assert_eq!(diagnose("\"\u{135d}", false).len(), 1);
    }

    /// The messages of Jackson, the parser of the Java SDK's world, for what people get wrong.
    #[test]
    fn says_what_was_expected() {
        for (text, message, column) in [
            (
                "{\"a\": 1,}",
                "Unexpected character ('}' (code 125)): was expecting double-quote to start field name",
                10,
            ),
            (
                "{\"a\" 1}",
                "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value",
                7,
            ),
            (
                "{\"a\": 1 \"b\"}",
                "Unexpected character ('\"' (code 34)): was expecting comma to separate Object entries",
                10,
            ),
            (
                "[1 2]",
                "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries",
                5,
            ),
            (
                "{a: 1}",
                "Unexpected character ('a' (code 97)): was expecting double-quote to start field name",
                3,
            ),
        ] {
            let source = format!("[Source: (String)\"{text}\"; line: 1, column: {column}]");
            assert_eq!(diagnose(text, false)[0].message, format!("{message}\n at {source}"));
        }
        let cut = &diagnose("{\"a\": [1", false)[0].message;
        let start = "expected close marker for Array (start marker at [Source: (String)\"{\"a\": [1\"; line: 1, column: 7])";
        assert!(cut.starts_with(&format!("Unexpected end-of-input: {start}")), "{cut}");
    }
}
