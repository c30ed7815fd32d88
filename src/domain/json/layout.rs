//! JSON text laid out anew without being read into values: only the white space between tokens changes.
//! Numbers keep every digit and exponent, strings their escapes, objects a name that occurs twice (RFC 8259,
//! sections 4 and 6, leaves open what a reader makes of those, so none of it may get lost on the way).

use std::ops::Range;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    Open {
        array: bool,
    },
    Close {
        array: bool,
    },
    Comma,
    Colon,
    /// With its quotes.
    Text,
    Number,
    /// `true`, `false`, `null`
    Word,
}

/// The tokens of a text that is known to be JSON, each with its bytes. Any other text gives some tokens, and
/// ends.
pub struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    pub fn of(text: &'a str) -> Tokens<'a> {
        Tokens { text, at: 0 }
    }

    /// The end of a string that begins at `from`: just after its closing quote.
    fn string(bytes: &[u8], from: usize) -> usize {
        let mut at = from + 1;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'"' => return at + 1,
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        bytes.len()
    }
}

impl Iterator for Tokens<'_> {
    type Item = (Token, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let from = self.at + bytes[self.at..].iter().take_while(|byte| blank(byte)).count();
        let (token, end) = match bytes.get(from)? {
            b'{' => (Token::Open { array: false }, from + 1),
            b'[' => (Token::Open { array: true }, from + 1),
            b'}' => (Token::Close { array: false }, from + 1),
            b']' => (Token::Close { array: true }, from + 1),
            b',' => (Token::Comma, from + 1),
            b':' => (Token::Colon, from + 1),
            b'"' => (Token::Text, Tokens::string(bytes, from)),
            first => {
                let ends = |byte: &u8| blank(byte) || b"{}[],:\"".contains(byte);
                let len = bytes[from..].iter().take_while(|byte| !ends(byte)).count();
                let word = first.is_ascii_alphabetic();
                (if word { Token::Word } else { Token::Number }, from + len)
            }
        };
        self.at = end;
        Some((token, from..end))
    }
}

/// Over lines, two blanks a level.
pub fn pretty(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth: usize = 0;
    let mut tokens = Tokens::of(json).peekable();
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    while let Some((token, range)) = tokens.next() {
        if let Token::Close { .. } = token {
            depth = depth.saturating_sub(1);
            line(&mut out, depth);
        }
        out.push_str(&json[range]);
        match token {
            Token::Open { .. } => match tokens.next_if(|(next, _)| matches!(next, Token::Close { .. })) {
                Some((_, close)) => out.push_str(&json[close]),
                None => {
                    depth += 1;
                    line(&mut out, depth);
                }
            },
            Token::Comma => line(&mut out, depth),
            Token::Colon => out.push(' '),
            _ => {}
        }
    }
    out
}

/// On one line, without white space between tokens.
pub fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    Tokens::of(json).for_each(|(_, range)| out.push_str(&json[range]));
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// Everything that reading into values would change.
    const ODD: &str = r#"{"big":12345678901234567890123,"f":1.10,"e":1E3,"dup":1,"dup":2,"u":"\u00e9\/\"]"}"#;

    #[test]
    fn only_white_space_changes() {
        assert_eq!(compact(ODD), ODD);
        assert_eq!(
            pretty(ODD),
            "{\n  \"big\": 12345678901234567890123,\n  \"f\": 1.10,\n  \"e\": 1E3,\n  \"dup\": 1,\n  \"dup\": 2,\n  \
             \"u\": \"\\u00e9\\/\\\"]\"\n}"
        );
        assert_eq!(compact(&pretty(ODD)), ODD);
        assert_eq!(pretty("[ ]"), "[]");
        assert_eq!(pretty("{\"a\":[{}, null]}"), "{\n  \"a\": [\n    {},\n    null\n  ]\n}");
        assert_eq!(compact(" \t-0.0 \n"), "-0.0");
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_is_laid_out_as_serde_does(value in any_json()) {
            let (line, lines) = (value.to_string(), format!("{value:#}"));
            prop_assert_eq!(pretty(&line), lines.clone());
            prop_assert_eq!(compact(&lines), line);
        }

        #[test]
        fn nothing_of_any_text_is_lost(text in any::<String>()) {
            let marks = |text: &str| text.replace([' ', '\t', '\n', '\r'], "");
            prop_assert_eq!(marks(&compact(&text)), marks(&text));
            prop_assert_eq!(marks(&pretty(&text)), marks(&text));
        }
    }
}
