//! Cells as a terminal takes them: ECMA-48 control sequences (cursor position, select graphic rendition),
//! colours as xterm has them. Neighbours that look alike are written in one piece.

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

/// The attributes and their parameters of "select graphic rendition".
const ATTRIBUTES: [(Modifier, u8); 9] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::SLOW_BLINK, 5),
    (Modifier::RAPID_BLINK, 6),
    (Modifier::REVERSED, 7),
    (Modifier::HIDDEN, 8),
    (Modifier::CROSSED_OUT, 9),
];

type Look = (Color, Color, Modifier);
const PLAIN: Look = (Color::Reset, Color::Reset, Modifier::empty());

/// Writes cells at their columns and rows to a terminal that draws plainly, and leaves it so.
pub(crate) fn paint<'a>(changes: impl Iterator<Item = (u16, u16, &'a Cell)>, out: &mut Vec<u8>) {
    let mut look = PLAIN;
    // Where the terminal writes next, as far as that is sure.
    let mut next = None;
    for (x, y, cell) in changes {
        if next != Some((x, y)) {
            place(x, y, out);
        }
        let wanted = (cell.fg, cell.bg, cell.modifier);
        if wanted != look {
            dress(look, wanted, out);
            look = wanted;
        }
        let text = cell.symbol();
        out.extend_from_slice(text.as_bytes());
        // Of a character that is wider, terminals differ in how wide: the next cell is gone to.
        next = Some((x.saturating_add(1), y));
    }
    if look != PLAIN {
        out.extend_from_slice(b"\x1b[0m");
    }
}

/// To a column and a row, from 0.
fn place(x: u16, y: u16, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\x1b[");
    number(usize::from(y) + 1, out);
    out.push(b';');
    number(usize::from(x) + 1, out);
    out.push(b'H');
}

/// From one look to another.
fn dress(from: Look, to: Look, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\x1b[");
    // Attributes go away only all together: bold and dim share the parameter that ends them.
    let from = if to.2.contains(from.2) {
        from
    } else {
        out.extend_from_slice(b"0;");
        PLAIN
    };
    for (attribute, parameter) in ATTRIBUTES {
        if to.2.contains(attribute) && !from.2.contains(attribute) {
            out.extend_from_slice(&[b'0' + parameter, b';']);
        }
    }
    for (is, wanted, base) in [(from.0, to.0, b'3'), (from.1, to.1, b'4')] {
        if is != wanted {
            colour(wanted, base, out);
        }
    }
    // The last separator becomes the end.
    out.pop();
    out.push(b'm');
}

/// Parameters of a colour, each with a separator behind it; `base` is 3 for the text and 4 for the ground.
fn colour(colour: Color, base: u8, out: &mut Vec<u8>) {
    let index = match colour {
        Color::Reset => {
            out.extend_from_slice(&[base, b'9', b';']);
            return;
        }
        Color::Rgb(r, g, b) => {
            out.extend_from_slice(&[base, b'8', b';', b'2', b';']);
            for part in [r, g, b] {
                number(usize::from(part), out);
                out.push(b';');
            }
            return;
        }
        Color::Indexed(index) => index,
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
    };
    out.extend_from_slice(&[base, b'8', b';', b'5', b';']);
    number(usize::from(index), out);
    out.push(b';');
}

fn number(value: usize, out: &mut Vec<u8>) {
    if value >= 10 {
        number(value / 10, out);
    }
    out.push(b'0' + (value % 10) as u8);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::style::Style;

    use super::*;
    use crate::runtime::canvas::Canvas;

    fn named(color: Color) -> vt100::Color {
        match color {
            Color::Reset => vt100::Color::Default,
            Color::Red => vt100::Color::Idx(1),
            Color::White => vt100::Color::Idx(15),
            Color::Indexed(index) => vt100::Color::Idx(index),
            Color::Rgb(r, g, b) => vt100::Color::Rgb(r, g, b),
            other => panic!("{other:?} is not drawn here"),
        }
    }

    fn look() -> impl Strategy<Value = Style> {
        let colors =
            vec![Color::Reset, Color::Red, Color::White, Color::Indexed(136), Color::Rgb(0, 100, 255)];
        let attributes = vec![
            Modifier::empty(),
            Modifier::BOLD,
            Modifier::DIM,
            Modifier::BOLD | Modifier::UNDERLINED,
            Modifier::REVERSED,
            Modifier::ITALIC | Modifier::REVERSED,
        ];
        (prop::sample::select(colors.clone()), prop::sample::select(colors), prop::sample::select(attributes))
            .prop_map(|(fg, bg, modifier)| Style::reset().fg(fg).bg(bg).add_modifier(modifier))
    }

    proptest! {
        /// A terminal that is told the changes of several frames shows the last of them.
        #[test]
        fn a_terminal_shows_what_was_drawn(
            frames in prop::collection::vec(
                prop::collection::vec((0u16..12, 0u16..4, "[a-z ─●é病]{1,8}", look()), 0..8),
                1..4,
            ),
        ) {
            let size = (12, 4);
            let mut terminal = vt100::Parser::new(4.try_into().unwrap(), 12.try_into().unwrap(), 0);
            let mut canvas = Canvas::new(size);
            for frame in frames {
                for (x, y, text, style) in frame {
                    canvas.sheet().set_string(x, y, text, style);
                }
                let mut out = Vec::new();
                paint(canvas.changes(), &mut out);
                terminal.process(&out);
                let screen = terminal.screen();
                let mut covered = 0;
                for (index, cell) in canvas.sheet().content.iter().enumerate() {
                    // Of what a wide character covers nothing is drawn.
                    if covered > 0 {
                        covered -= 1;
                        continue;
                    }
                    covered = usize::from(cell.symbol() == "病");
                    let (x, y) = (index as u16 % size.0, index as u16 / size.0);
                    let shown = screen.cell(y, x).unwrap();
                    let text = if shown.has_contents() { shown.contents() } else { " " };
                    prop_assert_eq!(text, cell.symbol(), "{} {}", x, y);
                    prop_assert_eq!((shown.fgcolor(), shown.bgcolor()), (named(cell.fg), named(cell.bg)));
                    let has = |attribute| cell.modifier.contains(attribute);
                    prop_assert_eq!(
                        (shown.bold(), shown.dim(), shown.italic(), shown.underline(), shown.inverse()),
                        (
                            has(Modifier::BOLD),
                            has(Modifier::DIM),
                            has(Modifier::ITALIC),
                            has(Modifier::UNDERLINED),
                            has(Modifier::REVERSED),
                        )
                    );
                }
                canvas.turn();
            }
        }
    }

    #[test]
    fn neighbours_that_look_alike_are_one_piece() {
        let mut canvas = Canvas::new((20, 12));
        let sheet = canvas.sheet();
        sheet.set_string(3, 9, "ward", Style::new().red().bold());
        sheet.set_string(8, 9, "local", Style::new().red());
        let mut out = Vec::new();
        paint(canvas.changes(), &mut out);
        let written = "\x1b[10;4H\x1b[1;38;5;1mward\x1b[10;9H\x1b[0;38;5;1mlocal\x1b[0m";
        assert_eq!(String::from_utf8(out).unwrap(), written);
    }
}
