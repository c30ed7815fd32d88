//! A table in GitHub's Markdown.

use unicode_width::UnicodeWidthStr;

use crate::domain::text::shown;

/// Writes a table whose source lines up too. `right` says which columns hold numbers.
pub fn table<C: AsRef<str>>(
    header: &[&str],
    right: &[bool],
    rows: impl IntoIterator<Item = impl AsRef<[C]>>,
) -> String {
    let rows: Vec<Vec<String>> =
        rows.into_iter().map(|row| row.as_ref().iter().map(|c| cell(c.as_ref())).collect()).collect();
    let header: Vec<String> = header.iter().map(|c| cell(c)).collect();
    let width = |column: usize| {
        let cells = rows.iter().chain([&header]).filter_map(|row| row.get(column));
        cells.map(|c| c.width()).max().unwrap_or(0).max(3)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let is_right = |column: usize| right.get(column).copied().unwrap_or(false);
    let line = |row: &[String]| {
        let mut line = String::from("|");
        for (column, width) in widths.iter().enumerate() {
            let text = row.get(column).map_or("", String::as_str);
            let pad = " ".repeat(width.saturating_sub(text.width()));
            line += &match is_right(column) {
                true => format!(" {pad}{text} |"),
                false => format!(" {text}{pad} |"),
            };
        }
        line + "\n"
    };
    let rule: Vec<String> = (widths.iter().enumerate())
        .map(|(column, width)| match is_right(column) {
            true => format!("{}:", "-".repeat(width - 1)),
            false => "-".repeat(*width),
        })
        .collect();
    let mut out = line(&header) + &line(&rule);
    rows.iter().for_each(|row| out += &line(row));
    out
}

/// A cell as text: nothing in it is read as markup or ends the cell.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in shown(text).chars() {
        match c {
            '|' | '\\' | '`' | '*' | '_' | '<' | '[' | ']' | '~' => out.extend(['\\', c]),
            '&' => out.push_str("&amp;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_line_up_and_numbers_go_right() {
        let text = super::table(&["Name", "Days"], &[false, true], [["Központ", "-3"], ["A|B", "1200"]]);
        assert_eq!(text, "| Name    | Days |\n| ------- | ---: |\n| Központ |   -3 |\n| A\\|B    | 1200 |\n");
    }

    #[test]
    fn nothing_in_a_cell_is_markup() {
        let text = super::table(&["a"], &[], [["<script>[x](y) *b* \u{1b}[0m\n"]]);
        assert!(text.contains(r"\<script>\[x\](y) \*b\* \\u001b\[0m\\n"), "{text}");
    }
}
