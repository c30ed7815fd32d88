//! CSV as RFC 4180 has it, with a header line, `\n` line ends, and nothing a spreadsheet would compute.

use std::borrow::Cow;

use crate::domain::text::shown;

/// Writes a header and rows. Control characters become visible escapes; a cell that a spreadsheet would
/// take for a formula is led by `'`, which spreadsheets read as "text follows".
pub fn write<C: AsRef<str>>(header: &[&str], rows: impl IntoIterator<Item = impl AsRef<[C]>>) -> String {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    // Writing to memory fails only when rows differ in length, which `flexible` allows nowhere: such a
    // row is left as it is by ending the text there.
    let _ = writer.write_record(header);
    for row in rows {
        let _ = writer.write_record(row.as_ref().iter().map(|cell| guarded(cell.as_ref()).into_owned()));
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

/// A cell that no spreadsheet computes: one that starts with `=`, `+`, `-` or `@`, blanks aside, is led by
/// `'` unless it is a plain number.
pub fn guarded(cell: &str) -> Cow<'_, str> {
    let cell = shown(cell);
    let formula = cell.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    match formula && cell.parse::<f64>().is_err() {
        true => Cow::Owned(format!("'{cell}")),
        false => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let text = write(&["id", "name"], [["1", "a, \"b\""], ["2", "plain"]]);
        assert_eq!(text, "id,name\n1,\"a, \"\"b\"\"\"\n2,plain\n");
    }

    #[test]
    fn nothing_is_computed_by_a_spreadsheet() {
        for (cell, expected) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            (" =HYPERLINK(1)", "' =HYPERLINK(1)"),
            ("\t=1", "\\t=1"),
            ("-12", "-12"),
            ("-12a", "'-12a"),
            ("St. Mary's", "St. Mary's"),
        ] {
            assert_eq!(guarded(cell), expected);
        }
    }

    #[test]
    fn control_characters_become_visible() {
        assert_eq!(write(&["a"], [["x\u{1b}[2Jy\nz"]]), "a\nx\\u001b[2Jy\\nz\n");
    }
}
