//! What AWS says of a definition that is not JSON at all.

use super::check::Diagnostic;

/// The parser behind AWS's API names the token, the line and the column after it.
pub(super) fn diagnostic(text: &str, error: &serde_json::Error) -> Diagnostic {
    let start: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    // Columns count bytes and may end within a character.
    let at = text.floor_char_boundary((start + error.column().saturating_sub(1)).min(text.len()));
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let from = text[..at].char_indices().rev().take_while(|(_, c)| word(*c)).last().map_or(at, |(i, _)| i);
    let token: String = text[from..].chars().take_while(|c| word(*c)).collect();
    let column = from - start.min(from) + token.len() + 1;
    let source = format!("[Source: (String)\"{text}\"; line: {}, column: {column}]", error.line());
    let message = if token.is_empty() {
        format!("{error}\n at {source}")
    } else {
        format!(
            "Unrecognized token '{token}': was expecting (JSON String, Number, Array, Object or token 'null', \
             'true' or 'false')\n at {source}"
        )
    };
    Diagnostic { error: true, code: "INVALID_JSON_DESCRIPTION", message, location: Some(source) }
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
}
