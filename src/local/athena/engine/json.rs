//! Lines of JSON into columns: what the JSON SerDes of Athena do with a record.
//!
//! A line is indexed first (one pass that also proves that it is JSON), then only the columns that
//! a query wants are decoded from it.

use std::borrow::Cow;
use std::ops::Range;

/// How a SerDe reads keys and treats lines that are no JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// `ignore.malformed.json`: such a line becomes a row of NULLs.
    pub ignore_malformed: bool,
    /// `case.insensitive`, true unless said otherwise.
    pub fold_case: bool,
    /// `dots.in.keys`: a dot in a key counts as an underscore.
    pub dots_in_keys: bool,
    /// `mapping.column` = key of the record, at any depth. Keys in lower case when case is folded.
    pub renamed: Vec<(String, String)>,
    /// A record that has a key twice is malformed, as for openx's SerDe.
    pub unique: bool,
}

impl Options {
    /// Keys in any case, nothing forgiven.
    pub const EXACT: Options = Options {
        ignore_malformed: false,
        fold_case: true,
        dots_in_keys: false,
        renamed: Vec::new(),
        unique: false,
    };

    /// The key that a column or field is read from.
    pub fn key_of<'a>(&'a self, column: &'a str) -> &'a str {
        self.renamed.iter().find(|(c, _)| c == column).map_or(column, |(_, key)| key)
    }
}

/// Where the members of an object are: key and value spans of the line.
#[derive(Default)]
pub struct Index {
    pub members: Vec<(Range<usize>, Range<usize>)>,
}

/// Deeper than any record and shallow enough for any stack.
const DEEPEST: usize = 200;

/// A reader over one value.
pub struct Cursor<'a> {
    pub line: &'a [u8],
    pub at: usize,
}

/// Why a text is no JSON, and where (a byte of the line).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    pub what: Cow<'static, str>,
    pub at: usize,
}

type Step<T> = Result<T, Malformed>;

impl<'a> Cursor<'a> {
    pub fn new(line: &'a [u8]) -> Self {
        Cursor { line, at: 0 }
    }

    fn fail<T>(&self, what: &'static str) -> Step<T> {
        Err(Malformed { what: what.into(), at: self.at })
    }

    pub fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.line.get(self.at) {
            self.at += 1;
        }
        self.line.get(self.at).copied()
    }

    pub fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Skips one value, proving that it is JSON; its span.
    pub fn skip(&mut self, depth: usize) -> Step<Range<usize>> {
        let first = self.peek();
        let start = self.at;
        match first {
            Some(b'"') => self.string()?,
            Some(b'{') => self.object(depth, &mut None)?,
            Some(b'[') => self.array(depth)?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word(b"true")?,
            Some(b'f') => self.word(b"false")?,
            Some(b'n') => self.word(b"null")?,
            Some(_) => return self.fail("Expected a value"),
            None => return self.fail("Unexpected end of the record"),
        }
        Ok(start..self.at)
    }

    fn array(&mut self, depth: usize) -> Step<()> {
        if depth >= DEEPEST {
            return self.fail("The record nests too deeply");
        }
        self.at += 1;
        if self.take(b']') {
            return Ok(());
        }
        loop {
            self.skip(depth + 1)?;
            if self.take(b']') {
                return Ok(());
            }
            if !self.take(b',') {
                return self.fail("Expected a ',' or ']'");
            }
        }
    }

    fn object(&mut self, depth: usize, index: &mut Option<&mut Index>) -> Step<()> {
        if depth >= DEEPEST {
            return self.fail("The record nests too deeply");
        }
        self.at += 1;
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return self.fail("A JSONObject text must end with '}'");
            }
            let key = self.at + 1;
            self.string()?;
            let key = key..self.at - 1;
            if !self.take(b':') {
                return self.fail("Expected a ':' after a key");
            }
            let value = self.skip(depth + 1)?;
            if let Some(index) = index {
                index.members.push((key, value));
            }
            if self.take(b'}') {
                return Ok(());
            }
            if !self.take(b',') {
                return self.fail("Expected a ',' or '}'");
            }
        }
    }

    fn string(&mut self) -> Step<()> {
        self.at += 1;
        loop {
            match self.line.get(self.at) {
                None => return self.fail("Unterminated string"),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
            }
        }
    }

    fn number(&mut self) -> Step<()> {
        let start = self.at;
        while self
            .line
            .get(self.at)
            .is_some_and(|b| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
        {
            self.at += 1;
        }
        let plain = self.line[start..self.at].iter().skip(1).all(u8::is_ascii_digit);
        let text = std::str::from_utf8(&self.line[start..self.at]).unwrap_or_default();
        if (plain && self.at > start + usize::from(self.line[start] == b'-')) || text.parse::<f64>().is_ok() {
            return Ok(());
        }
        self.fail("A number that cannot be read")
    }

    fn word(&mut self, word: &'static [u8]) -> Step<()> {
        if self.line[self.at..].starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        self.fail("Expected a value")
    }
}

/// Indexes a line that holds exactly one object.
pub fn index(line: &[u8], index: &mut Index) -> Result<(), Malformed> {
    index.members.clear();
    let mut cursor = Cursor::new(line);
    if cursor.peek() != Some(b'{') {
        return cursor.fail("A JSONObject text must begin with '{'");
    }
    cursor.object(0, &mut Some(index))?;
    match cursor.peek() {
        None => Ok(()),
        Some(_) => cursor.fail("Unexpected text after the record"),
    }
}

/// The first key that an indexed record has twice.
pub fn repeated(options: &Options, line: &[u8], index: &Index) -> Option<Malformed> {
    let same = |a: &Range<usize>, b: &Range<usize>| {
        let (a, b) = (&line[a.clone()], &line[b.clone()]);
        if options.fold_case { a.eq_ignore_ascii_case(b) } else { a == b }
    };
    let mut keys = index.members.iter().map(|(key, _)| key).enumerate();
    let (_, key) = keys.find(|(n, key)| index.members[..*n].iter().any(|(other, _)| same(key, other)))?;
    let name = unescape(&line[key.clone()]);
    Some(Malformed { what: format!("Duplicate key \"{name}\"").into(), at: key.end })
}

/// The members of an object's span; for values that are known to be JSON.
pub fn members(line: &[u8], span: Range<usize>, into: &mut Index) {
    into.members.clear();
    let mut cursor = Cursor { line: &line[..span.end], at: span.start };
    // The line was proven to be JSON when it was indexed.
    let _ = cursor.object(0, &mut Some(into));
}

/// The spans of an array's elements; for values that are known to be JSON.
pub fn elements(line: &[u8], span: Range<usize>, mut each: impl FnMut(Range<usize>)) {
    let mut cursor = Cursor { line: &line[..span.end], at: span.start + 1 };
    if cursor.take(b']') {
        return;
    }
    while let Ok(element) = cursor.skip(0) {
        each(element);
        if !cursor.take(b',') {
            return;
        }
    }
}

/// A string's content (the span without its quotes), unescaped.
pub fn unescape(content: &[u8]) -> Cow<'_, str> {
    if !content.contains(&b'\\') {
        return String::from_utf8_lossy(content);
    }
    let mut quoted = Vec::with_capacity(content.len() + 2);
    quoted.push(b'"');
    quoted.extend_from_slice(content);
    quoted.push(b'"');
    match serde_json::from_slice::<String>(&quoted) {
        Ok(text) => text.into(),
        // An escape that JSON does not know, or half a surrogate pair: shown as it is written.
        Err(_) => String::from_utf8_lossy(content),
    }
}

/// Whether a key of the record is the one of a column. `wanted` is lower case when case is folded.
pub fn key_is(options: &Options, key: &[u8], wanted: &str) -> bool {
    let wanted = wanted.as_bytes();
    if key.contains(&b'\\') || !key.is_ascii() {
        let key = unescape(key);
        return if options.fold_case {
            key.to_lowercase().as_bytes() == wanted
        } else {
            key.as_bytes() == wanted
        };
    }
    key.len() == wanted.len()
        && key.iter().zip(wanted).all(|(k, w)| {
            let k = if options.fold_case { k.to_ascii_lowercase() } else { *k };
            k == *w || (options.dots_in_keys && k == b'.' && *w == b'_')
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLAIN: Options = Options::EXACT;

    fn keys(line: &str) -> Result<Vec<(String, String)>, Malformed> {
        let mut found = Index::default();
        index(line.as_bytes(), &mut found)?;
        Ok(found.members.into_iter().map(|(k, v)| (line[k].to_owned(), line[v].to_owned())).collect())
    }

    #[test]
    fn members_are_found() {
        assert_eq!(
            keys(r#" {"a": [1, {"b":2}], "c d":"x\"}", "n":null} "#).unwrap(),
            [
                ("a".into(), r#"[1, {"b":2}]"#.into()),
                ("c d".into(), r#""x\"}""#.into()),
                ("n".into(), "null".into())
            ]
        );
        assert!(keys("{}").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for line in [
            "",
            "[1]",
            "{",
            r#"{"a"}"#,
            r#"{"a":1"#,
            r#"{"a":1} x"#,
            r#"{"a":01x}"#,
            r#"{"a":tru}"#,
            "{'a':1}",
        ] {
            assert!(keys(line).is_err(), "{line}");
        }
        assert!(keys(&format!("{{\"a\":{}", "[".repeat(1_000_000))).is_err());
    }

    #[test]
    fn keys_that_stand_twice_are_found() {
        let twice = |options: &Options, line: &str| {
            let mut found = Index::default();
            index(line.as_bytes(), &mut found).unwrap();
            repeated(options, line.as_bytes(), &found).map(|m| m.what.into_owned())
        };
        let line = r#"{"a":1,"b":2,"A":3}"#;
        assert_eq!(twice(&PLAIN, line).as_deref(), Some("Duplicate key \"A\""));
        assert_eq!(twice(&Options { fold_case: false, ..PLAIN }, line), None);
    }

    #[test]
    fn keys_are_compared_as_the_serde_says() {
        assert!(key_is(&PLAIN, b"Facility_ID", "facility_id"));
        assert!(!key_is(&Options { fold_case: false, ..PLAIN }, b"Facility_ID", "facility_id"));
        assert!(key_is(&Options { dots_in_keys: true, ..PLAIN }, b"a.b", "a_b"));
        assert!(key_is(&PLAIN, "\\u0041b".as_bytes(), "ab"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(line in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut found = Index::default();
            let accepted = index(&line, &mut found).is_ok();
            // Never stricter than a full JSON parser.
            if serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&line).is_ok() {
                prop_assert!(accepted);
            }
        }
    }
}
