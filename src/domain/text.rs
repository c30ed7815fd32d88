//! Text that came from elsewhere, made safe to print.
//!
//! A name in a record, a log line or an AWS message may hold anything. On a terminal, control
//! characters move the cursor, change colours and reach the clipboard; bidirectional controls reorder
//! what a person reads. Every such character is shown by its JSON escape instead (`\u001b`).

use std::borrow::Cow;

/// Whether a terminal or a bidirectional renderer would obey the character rather than show it:
/// C0 and C1 controls, DEL, line and paragraph separators, bidirectional controls, the byte order mark.
pub fn obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// One line of text for a terminal: what [`obeyed`] names becomes its JSON escape, newlines included.
pub fn shown(text: &str) -> Cow<'_, str> {
    // Nearly always, and quickly found out.
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Cow::Borrowed(text);
    }
    escape(text, obeyed)
}

/// Text of several lines for a terminal: newlines stay, tabs become four spaces, a carriage return
/// before a newline goes, the rest is as in [`shown`].
pub fn shown_lines(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| c != '\n' && obeyed(c)) {
        return Cow::Borrowed(text);
    }
    let text = text.replace("\r\n", "\n").replace('\t', "    ");
    Cow::Owned(escape(&text, |c| c != '\n' && obeyed(c)).into_owned())
}

/// The first character of a text that must not be obeyed, named for people: `U+001B (escape)`.
pub fn first_obeyed(text: &str) -> Option<String> {
    let c = text.chars().find(|c| obeyed(*c))?;
    let name = match c {
        '\u{1b}' | '\u{9b}' => " (an escape sequence)",
        '\n' | '\r' => " (a line break)",
        '\t' => " (a tab)",
        c if c.is_control() => " (a control character)",
        '\u{feff}' => " (a byte order mark)",
        _ => " (a text direction control)",
    };
    Some(format!("U+{:04X}{name}", u32::from(c)))
}

fn escape(text: &str, bad: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&bad) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if !bad(c) => out.push(c),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_escape_sequence_is_shown_and_not_obeyed() {
        assert_eq!(shown("a\u{1b}[2Jb\u{7}"), "a\\u001b[2Jb\\u0007");
        assert_eq!(shown("\u{9b}31m"), "\\u009b31m");
        assert_eq!(shown("one\ntwo\t\r"), "one\\ntwo\\t\\r");
        assert_eq!(shown("abc\u{202e}fdp.exe"), "abc\\u202efdp.exe");
    }

    #[test]
    fn ordinary_text_is_borrowed_as_it_is() {
        assert!(matches!(shown("Hôpital Saint-Luc 東京"), Cow::Borrowed("Hôpital Saint-Luc 東京")));
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(shown_lines("a\r\n\tb\u{1b}c\n"), "a\n    b\\u001bc\n");
    }

    #[test]
    fn the_culprit_is_named() {
        assert_eq!(first_obeyed("x\u{1b}[0m").as_deref(), Some("U+001B (an escape sequence)"));
        assert_eq!(first_obeyed("plain"), None);
    }

    proptest! {
        #[test]
        fn nothing_shown_is_obeyed(text in any::<String>()) {
            prop_assert!(!shown(&text).chars().any(obeyed));
            prop_assert!(!shown_lines(&text).chars().any(|c| c != '\n' && obeyed(c)));
        }
    }
}
