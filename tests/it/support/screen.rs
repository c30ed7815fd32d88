//! A frame as text that a person can review: what is written, then how.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};
use unicode_width::UnicodeWidthStr;

/// The rows, without blanks at their ends.
pub fn rows(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    let row = |y: u16| {
        let (mut text, mut x) = (String::new(), area.left());
        while x < area.right() {
            let symbol = buffer[(x, y)].symbol();
            text.push_str(symbol);
            // What a wide character covers is not written.
            x += (symbol.width() as u16).max(1);
        }
        text.trim_end().to_owned()
    };
    (area.top()..area.bottom()).map(row).collect()
}

/// Text and style of every cell: the rows, each led by its number, then for each row its styled runs
/// as `first+cells style`.
pub fn picture(buffer: &Buffer) -> String {
    let mut picture = String::new();
    for (y, row) in rows(buffer).into_iter().enumerate() {
        picture.push_str(format!("{y:02}│{row}\n").as_str());
    }
    picture.push('\n');
    for y in buffer.area.top()..buffer.area.bottom() {
        let runs = runs(buffer, y);
        if !runs.is_empty() {
            picture.push_str(&format!("{y:02}│ {}\n", runs.join(", ")));
        }
    }
    picture
}

fn runs(buffer: &Buffer, y: u16) -> Vec<String> {
    let mut runs = Vec::new();
    let mut x = buffer.area.left();
    while x < buffer.area.right() {
        let (start, style) = (x, style(buffer, x, y));
        while x < buffer.area.right() && self::style(buffer, x, y) == style {
            x += 1;
        }
        if !style.is_empty() {
            runs.push(format!("{start}+{} {style}", x - start));
        }
    }
    runs
}

/// In the words of a theme file; empty for plain text. Colour and weight of a blank cannot be seen.
fn style(buffer: &Buffer, x: u16, y: u16) -> String {
    let cell = &buffer[(x, y)];
    let style: Style = cell.style();
    let mut words = Vec::new();
    let shows = cell.symbol() != " " || style.add_modifier.contains(Modifier::REVERSED);
    if let Some(color) = style.fg.filter(|color| shows && *color != Color::Reset) {
        words.push(color.to_string().to_lowercase());
    }
    if let Some(color) = style.bg.filter(|color| *color != Color::Reset) {
        words.push(format!("on {}", color.to_string().to_lowercase()));
    }
    for (modifier, name) in [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "dim"),
        (Modifier::ITALIC, "italic"),
        (Modifier::UNDERLINED, "underlined"),
        (Modifier::REVERSED, "reversed"),
    ] {
        let always = modifier == Modifier::UNDERLINED || modifier == Modifier::REVERSED;
        if style.add_modifier.contains(modifier) && (shows || always) {
            words.push(name.to_owned());
        }
    }
    words.join(" ")
}
