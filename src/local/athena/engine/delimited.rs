//! Lines of text with separators: what LazySimpleSerDe and OpenCSVSerde do with them.

use super::columns::{Column, Misfit};
use crate::local::athena::catalog::Table;

/// LazySimpleSerDe: a separator for each level of nesting.
#[derive(Clone, Debug, PartialEq)]
pub struct Lazy {
    /// Between fields, between items, between a map's keys and values, and deeper.
    pub separators: Vec<char>,
    pub escape: Option<char>,
    /// The text of NULL.
    pub null: String,
}

/// Hive's separators, one for each level: ^A to ^H.
const SEPARATORS: [char; 8] = ['\u{1}', '\u{2}', '\u{3}', '\u{4}', '\u{5}', '\u{6}', '\u{7}', '\u{8}'];

/// A character, or the number of one, as Hive's properties spell it.
pub fn character(text: &str) -> Option<char> {
    match text.parse::<u8>() {
        Ok(code) if code < 128 => Some(char::from(code)),
        _ => match text {
            "\\t" => Some('\t'),
            "\\001" | "\\u0001" => Some('\u{1}'),
            _ => text.chars().next(),
        },
    }
}

impl Lazy {
    pub fn of(table: &Table) -> Lazy {
        let first = |names: &[&str]| names.iter().find_map(|n| table.property(n)).and_then(character);
        let mut separators = SEPARATORS.to_vec();
        let named: [&[&str]; 3] = [
            &["field.delim", "serialization.format"],
            &["colelction.delim", "collection.delim"],
            &["mapkey.delim"],
        ];
        for (separator, names) in separators.iter_mut().zip(named) {
            *separator = first(names).unwrap_or(*separator);
        }
        let null = table.property("serialization.null.format").unwrap_or("\\N").to_owned();
        Lazy { separators, escape: first(&["escape.delim"]), null }
    }

    pub fn separator(&self, level: usize) -> char {
        self.separators.get(level).copied().unwrap_or('\u{8}')
    }

    /// The fields of a line, still escaped.
    pub fn fields<'a>(&self, line: &'a str, out: &mut Vec<&'a str>) {
        out.clear();
        self.split(line, 0, |part| out.push(part));
    }

    fn split<'a>(&self, text: &'a str, level: usize, mut each: impl FnMut(&'a str)) {
        let separator = self.separator(level);
        let (mut start, mut escaped) = (0, false);
        for (at, c) in text.char_indices() {
            if escaped {
                escaped = false;
            } else if Some(c) == self.escape {
                escaped = true;
            } else if c == separator {
                each(&text[start..at]);
                start = at + c.len_utf8();
            }
        }
        each(&text[start..]);
    }

    fn unescape<'a>(&self, text: &'a str) -> std::borrow::Cow<'a, str> {
        let Some(escape) = self.escape.filter(|e| text.contains(*e)) else { return text.into() };
        let mut out = String::with_capacity(text.len());
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            out.push(if c == escape { chars.next().unwrap_or(c) } else { c });
        }
        out.into()
    }

    /// Appends a field to its column; what does not fit its type is NULL.
    pub fn push(&self, column: &mut Column, text: &str, level: usize) {
        if text == self.null {
            column.push_null();
            return;
        }
        match column {
            Column::List { offsets, valid, child, .. } => {
                let mut count = 0;
                if !text.is_empty() {
                    self.split(text, level, |item| {
                        self.push(child, item, level + 1);
                        count += 1;
                    });
                }
                offsets.push(offsets.last().copied().unwrap_or(0) + count);
                valid.push(true);
            }
            Column::Map { offsets, valid, key, value, .. } => {
                let mut count = 0;
                let between = self.separator(level + 1);
                if !text.is_empty() {
                    self.split(text, level, |item| {
                        let (k, v) = item.split_once(between).map_or((item, None), |(k, v)| (k, Some(v)));
                        // A key is never NULL: a pair whose key does not fit is left out.
                        if key.append_text(&self.unescape(k)).is_ok() {
                            match v {
                                Some(v) => self.push(value, v, level + 2),
                                None => value.push_null(),
                            }
                            count += 1;
                        }
                    });
                }
                offsets.push(offsets.last().copied().unwrap_or(0) + count);
                valid.push(true);
            }
            Column::Row { valid, children, .. } => {
                let mut parts = Vec::new();
                self.split(text, level, |part| parts.push(part));
                for (n, child) in children.iter_mut().enumerate() {
                    match parts.get(n) {
                        Some(part) => self.push(child, part, level + 1),
                        None => child.push_null(),
                    }
                }
                valid.push(true);
            }
            scalar => {
                // What does not fit is NULL, and no failure of the query.
                let _ = scalar.push_text(&self.unescape(text));
            }
        }
    }
}

/// OpenCSVSerde.
#[derive(Clone, Debug, PartialEq)]
pub struct Csv {
    pub separator: char,
    pub quote: char,
    pub escape: char,
}

impl Csv {
    pub fn of(table: &Table) -> Csv {
        let first = |name: &str, default: char| {
            table.property(name).and_then(|t| t.chars().next()).unwrap_or(default)
        };
        Csv {
            separator: table.property("separatorChar").and_then(character).unwrap_or(','),
            quote: first("quoteChar", '"'),
            escape: first("escapeChar", '\\'),
        }
    }

    /// The fields of a line, as opencsv 2.3 reads them: an escape counts only inside quotes, before a
    /// quote or another escape.
    pub fn fields(&self, line: &str, out: &mut Vec<String>) {
        out.clear();
        let (mut field, mut quoted) = (String::new(), false);
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            let next = chars.peek().copied();
            if c == self.escape && c != self.quote {
                if quoted && next.is_some_and(|n| n == self.quote || n == self.escape) {
                    field.extend(chars.next());
                }
            } else if c == self.quote {
                if quoted && next == Some(self.quote) {
                    field.extend(chars.next());
                } else {
                    quoted = !quoted;
                }
            } else if c == self.separator && !quoted {
                out.push(std::mem::take(&mut field));
            } else {
                field.push(c);
            }
        }
        out.push(field);
    }

    /// Appends a field. Dates are days and timestamps milliseconds since the epoch ("OpenCSVSerDe for
    /// processing CSV" of Athena's user guide).
    pub fn push(&self, column: &mut Column, text: &str) -> Result<(), Misfit> {
        let number = || text.trim().parse::<i64>().ok();
        match column {
            Column::Date(b) => match number().and_then(|n| i32::try_from(n).ok()) {
                Some(days) => b.append_value(days),
                None => column.push_text(text)?,
            },
            Column::Timestamp(b) => match number() {
                Some(millis) => b.append_value(millis),
                None => column.push_text(text)?,
            },
            other => other.push_text(text)?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_fields() {
        let csv = Csv { separator: ',', quote: '"', escape: '\\' };
        let mut out = Vec::new();
        csv.fields(r#"a,"b,""c""","d\"e\\f",g\h,"#, &mut out);
        assert_eq!(out, ["a", r#"b,"c""#, r#"d"e\f"#, "gh", ""]);
    }

    #[test]
    fn separators_have_names_and_numbers() {
        assert_eq!(character("9"), Some('\t'));
        assert_eq!(character("1"), Some('\u{1}'));
        assert_eq!(character("|"), Some('|'));
        assert_eq!(character(""), None);
    }

    #[test]
    fn escaped_separators_stay() {
        let lazy = Lazy { separators: vec!['|', ','], escape: Some('\\'), null: "\\N".into() };
        let mut out = Vec::new();
        lazy.fields(r"a\|b|c||\N", &mut out);
        assert_eq!(out, [r"a\|b", "c", "", r"\N"]);
        assert_eq!(lazy.unescape(out[0]), "a|b");
    }
}
