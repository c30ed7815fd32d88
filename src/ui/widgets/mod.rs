//! What screens draw with. A widget is a value that borrows the model; its state (cursor, offset, text)
//! lives in the screen's model and knows nothing of drawing.

pub mod badge;
pub mod chart;
pub mod editor;
pub mod graph;
pub mod line;
pub mod notice;
pub mod table;
pub mod timeline;
pub mod tree;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Writes text into one row of an area from column `x` on, cut with `…` at its end; answers the column
/// after it. Nothing is written outside the area, and no control character ever.
pub fn put(buffer: &mut Buffer, area: Rect, x: u16, text: &str, style: Style) -> u16 {
    let end = area.right();
    if area.height == 0 || x < area.x || x >= end || text.is_empty() {
        return x.max(area.x);
    }
    let room = usize::from(end - x);
    if text.len() <= room || cells(text) <= room {
        return write(buffer, (x, area.y), text, room, style);
    }
    let x = write(buffer, (x, area.y), head(text, room - 1), room, style);
    write(buffer, (x, area.y), "…", 1, style)
}

/// Cells that a text takes, as [`UnicodeWidthStr::width`] counts them.
pub fn cells(text: &str) -> usize {
    if is_printable(text.as_bytes()) {
        return text.len();
    }
    let mut count = 0;
    for c in text.chars() {
        if !alone(c) {
            return text.width();
        }
        count += 1;
    }
    count
}

fn is_printable(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Writes text that fits.
fn write(buffer: &mut Buffer, (x, y): (u16, u16), text: &str, room: usize, style: Style) -> u16 {
    let edge = buffer.area.right();
    let mut written = 0;
    if x < edge {
        let first = buffer.index_of(x, y);
        let row = &mut buffer.content[first..first + usize::from(edge - x)];
        for (cell, byte) in row.iter_mut().zip(text.bytes()) {
            if !matches!(byte, b' '..=b'~') {
                break;
            }
            cell.set_char(char::from(byte));
            cell.fg = style.fg.unwrap_or(cell.fg);
            cell.bg = style.bg.unwrap_or(cell.bg);
            cell.modifier = (cell.modifier | style.add_modifier) - style.sub_modifier;
            written += 1;
        }
        if written == text.len() || written == row.len() {
            return x + written as u16;
        }
    }
    // The last one may be the base of what follows.
    let from = written.saturating_sub(1);
    write_any(buffer, (x + from as u16, y), &text[from..], room.saturating_sub(from), style)
}

/// Likewise. Most of what is not ASCII are characters that stand alone in one cell, which
/// needs no looking for graphemes and their widths; the last of them before others may be the base of a
/// grapheme, and is theirs.
fn write_any(buffer: &mut Buffer, (x, y): (u16, u16), text: &str, room: usize, style: Style) -> u16 {
    let mut plain = text.len();
    let mut cells = 0;
    let mut last = 0;
    for (at, c) in text.char_indices() {
        if !alone(c) {
            (plain, cells) = if at > 0 { (last, cells - 1) } else { (0, 0) };
            break;
        }
        (last, cells) = (at, cells + 1);
    }
    let edge = buffer.area.right().max(x);
    let end = edge.min(x.saturating_add(u16::try_from(cells).unwrap_or(u16::MAX)));
    if x < end {
        let first = buffer.index_of(x, y);
        let row = &mut buffer.content[first..first + usize::from(end - x)];
        for (cell, c) in row.iter_mut().zip(text.chars()) {
            cell.set_char(c);
            cell.set_style(style);
        }
    }
    match &text[plain..] {
        "" => end,
        rest => buffer.set_stringn(end, y, rest, room.saturating_sub(cells), style).0,
    }
}

/// Whether a character is a grapheme by itself before any other such character, and one cell wide:
/// printable ASCII, dashes, quotation marks and ellipses, arrows, lines, blocks, geometric shapes, and the check
/// mark and cross of badges.
pub(crate) fn alone(c: char) -> bool {
    matches!(
        c,
        ' '..='~' | '·' | '\u{2010}'..='\u{2027}' | '\u{2190}'..='\u{2199}' | '\u{2500}'..='\u{25fc}' | '✔' | '✖'
    )
}

/// Like [`put`], ending at the right edge of the area.
pub fn put_right(buffer: &mut Buffer, area: Rect, text: &str, style: Style) {
    let width = u16::try_from(cells(text)).unwrap_or(u16::MAX).min(area.width);
    put(buffer, area, area.right() - width, text, style);
}

/// The row of an area, `None` below its end.
pub fn row(area: Rect, index: usize) -> Option<Rect> {
    let index = u16::try_from(index).ok().filter(|index| *index < area.height)?;
    Some(Rect { y: area.y + index, height: 1, ..area })
}

/// As much of the text's beginning as fits into so many cells.
pub fn head(text: &str, cells: usize) -> &str {
    if text.as_bytes().get(..=cells).is_some_and(is_printable) {
        return &text[..cells];
    }
    let plain = |c: char| c.is_ascii() || alone(c);
    let mut characters = text.char_indices().enumerate();
    match characters.find(|(count, (_, c))| *count == cells || !plain(*c)) {
        None => return text,
        Some((_, (at, c))) if plain(c) => return &text[..at],
        Some(_) => {}
    }
    let mut width = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        width += grapheme.width();
        if width > cells {
            return &text[..at];
        }
    }
    text
}

/// As much of the text's end as fits into so many cells.
pub fn tail(text: &str, cells: usize) -> &str {
    let mut width = 0;
    for (at, grapheme) in text.grapheme_indices(true).rev() {
        width += grapheme.width();
        if width > cells {
            return &text[at + grapheme.len()..];
        }
    }
    text
}

/// Cut in the middle, for ids and ARNs: both ends say something.
pub fn middle(text: &str, cells: usize) -> String {
    if self::cells(text) <= cells {
        return text.to_string();
    }
    if cells < 2 {
        return head(text, cells).to_string();
    }
    let front = (cells - 1) / 2;
    format!("{}…{}", head(text, front), tail(text, cells - 1 - front))
}

/// Breaks text into lines of at most so many cells, at blanks where there are some. What a line begins
/// with, its continuations begin with too.
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let text = paragraph.trim_start_matches(' ');
        let indent = &paragraph[..paragraph.len() - text.len()];
        let indent = if indent.len() * 2 > cells { "" } else { indent };
        let mut line = indent.to_string();
        let mut begun = false;
        for word in text.split(' ') {
            let mut word = word;
            if begun && self::cells(&line) + 1 + self::cells(word) > cells {
                lines.push(std::mem::replace(&mut line, indent.to_string()));
                begun = false;
            }
            while !begun && indent.len() + self::cells(word) > cells {
                let part = head(word, cells - indent.len());
                if part.is_empty() {
                    break;
                }
                lines.push(format!("{indent}{part}"));
                word = &word[part.len()..];
            }
            if begun {
                line.push(' ');
            }
            line.push_str(word);
            begun = true;
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_stands_alone_is_a_grapheme_of_one_cell() {
        let all: String = ('\0'..='\u{ffff}').filter(|c| alone(*c)).collect();
        let graphemes: Vec<&str> = all.graphemes(true).collect();
        assert_eq!(graphemes.len(), all.chars().count());
        assert!(graphemes.iter().all(|grapheme| grapheme.width() == 1));
        assert!(all.contains('│') && all.contains('…') && all.contains('●'));
    }

    proptest! {
        #[test]
        fn what_is_written_quickly_is_written_alike(
            text in "[a-c ─●…✖é病\u{301}\u{fe0f}\u{200d}\u{1f469}\u{600}]{0,12}",
            room in 0usize..12,
        ) {
            let style = Style::new().bold();
            let area = Rect::new(0, 0, 9, 1);
            let (mut ours, mut theirs) = (Buffer::empty(area), Buffer::empty(area));
            prop_assert_eq!(cells(&text), text.width());
            let mut width = 0;
            let fits = text.graphemes(true).take_while(|g| { width += g.width(); width <= room });
            prop_assert_eq!(head(&text, room), fits.collect::<String>());
            // `write` is for text that fits.
            prop_assume!(text.width() <= room);
            let x = write(&mut ours, (1, 0), &text, room, style);
            prop_assert_eq!(x, theirs.set_stringn(1, 0, &text, room, style).0);
            prop_assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn cutting_measures_cells() {
        assert_eq!(head("病院です", 5), "病院");
        assert_eq!(tail("病院です", 5), "です");
        assert_eq!(middle("arn:aws:states", 7), "arn…tes");
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("  one two three", 9), ["  one two", "  three"]);
        assert_eq!(wrap("  abcdefgh\n", 5), ["  abc", "  def", "  gh", ""]);
    }
}
