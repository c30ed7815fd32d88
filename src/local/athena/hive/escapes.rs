//! Hive's strings, in which a backslash escapes: found by a lexer that knows no backslash, and read.

/// The text, byte for byte as long, with what Hive escapes in strings blanked: so that the lexer
/// finds where they end.
pub fn masked(text: &str) -> String {
    let source = text.as_bytes();
    let mut bytes = source.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &source[at..];
        let past = |end: &[u8]| {
            let found = rest.windows(end.len()).skip(1).position(|w| w == end);
            found.map_or(rest.len(), |n| n + 1 + end.len())
        };
        match rest {
            [b'-', b'-', ..] => at += past(b"\n"),
            [b'/', b'*', ..] => at += past(b"*/"),
            [b'`', ..] => at += past(b"`"),
            [quote @ (b'\'' | b'"'), ..] => {
                at += 1;
                while at < bytes.len() && source[at] != *quote {
                    let escaped = match (source[at], text.get(at + 1..).and_then(|t| t.chars().next())) {
                        (b'\\', Some(c)) => 1 + c.len_utf8(),
                        _ => 0,
                    };
                    bytes[at..at + escaped].fill(b'x');
                    at += escaped.max(1);
                }
                at += 1;
            }
            _ => at += 1,
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// A Hive string's content without its escapes: `\t`, `\'`, `\001`, `\u0001`; any other escaped
/// character stands for itself.
pub fn read(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let code = |digits: Option<&str>, radix: u32| {
            digits.and_then(|d| u32::from_str_radix(d, radix).ok()).and_then(char::from_u32)
        };
        let octal = rest.get(..3).filter(|d| d.bytes().all(|b| (b'0'..=b'7').contains(&b)));
        let hex = rest.strip_prefix('u').and_then(|r| r.get(..4));
        let (c, length) = match (code(octal, 8), code(hex, 16), rest.chars().next()) {
            (Some(c), ..) => (c, 3),
            (None, Some(c), _) => (c, 5),
            (None, None, Some(c)) => (plain(c), c.len_utf8()),
            (None, None, None) => ('\\', 0),
        };
        out.push(c);
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

fn plain(escaped: char) -> char {
    match escaped {
        't' => '\t',
        'n' => '\n',
        'r' => '\r',
        'b' => '\u{8}',
        '0' => '\0',
        'Z' => '\u{1a}',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Words;

    #[test]
    fn escapes_in_strings() {
        // Hive's BaseSemanticAnalyzer.unescapeSQLString.
        for (text, content) in [
            (r"'\\t'", "\\t"),
            (r"'\t'", "\t"),
            (r"'\001'", "\u{1}"),
            (r#"'\"'"#, "\""),
            (r#""\"""#, "\""),
            (r"'it\'s'", "it's"),
            ("'it''s'", "it's"),
            (r"'\\'", "\\"),
            (r"'\u0041é\é'", "Aéé"),
        ] {
            let mut words = Words::new(text);
            assert_eq!(words.string().unwrap(), content, "{text}");
            assert!(words.done(), "{text}");
        }
    }

    #[test]
    fn comments_and_names_may_hold_quotes() {
        let mut words = Words::new("-- it's\n/* '\\' */ `a'b` 'c'");
        assert_eq!(words.name().unwrap(), "a'b");
        assert_eq!(words.string().unwrap(), "c");
        assert!(words.done());
    }
}
