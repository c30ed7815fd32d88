//! A one-line field: the filter, the palette, a question.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::ui::widgets::{put, tail};

/// Text with a cursor, which stands on a grapheme's border.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    text: String,
    /// Byte offset.
    cursor: usize,
}

impl Line {
    pub fn new(text: impl Into<String>) -> Line {
        let text = text.into();
        Line { cursor: text.len(), text }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn cursor(&self) -> usize {
        self.cursor
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub fn clear(&mut self) {
        *self = Line::default();
    }

    /// Puts text at the cursor; line breaks become blanks, other control characters are left out.
    pub fn insert(&mut self, text: &str) {
        let clean: String = text
            .chars()
            .map(|character| if matches!(character, '\n' | '\r' | '\t') { ' ' } else { character })
            .filter(|character| !character.is_control())
            .collect();
        self.text.insert_str(self.cursor, &clean);
        self.cursor += clean.len();
    }

    /// Takes a key; says whether the text changed.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        let word = key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        match key.code {
            KeyCode::Char('a') if word => self.cursor = 0,
            KeyCode::Char('e') if word => self.cursor = self.text.len(),
            KeyCode::Char('u') if word => {
                self.text.drain(..self.cursor);
                self.cursor = 0;
                return true;
            }
            KeyCode::Char('w') if word => return self.delete_to(self.word_before()),
            KeyCode::Backspace if word => return self.delete_to(self.word_before()),
            KeyCode::Char(character) if !word => {
                self.insert(character.encode_utf8(&mut [0; 4]));
                return true;
            }
            KeyCode::Backspace => return self.delete_to(self.before()),
            KeyCode::Delete => {
                let after = self.after();
                let changed = after > self.cursor;
                self.text.drain(self.cursor..after);
                return changed;
            }
            KeyCode::Left if word => self.cursor = self.word_before(),
            KeyCode::Left => self.cursor = self.before(),
            KeyCode::Right => self.cursor = self.after(),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text.len(),
            _ => {}
        }
        false
    }

    fn delete_to(&mut self, start: usize) -> bool {
        let changed = start < self.cursor;
        self.text.drain(start..self.cursor);
        self.cursor = start;
        changed
    }

    fn before(&self) -> usize {
        self.text[..self.cursor].grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        self.text[self.cursor..].graphemes(true).next().map_or(self.cursor, |next| self.cursor + next.len())
    }

    fn word_before(&self) -> usize {
        let trimmed = self.text[..self.cursor].trim_end();
        trimmed
            .rfind(char::is_whitespace)
            .map_or(0, |at| at + trimmed[at..].chars().next().map_or(1, char::len_utf8))
    }

    /// Draws it into one row, scrolled so that the cursor is visible; the cursor cell is reversed.
    pub fn draw(&self, buffer: &mut Buffer, area: Rect, style: Style) {
        if area.width < 2 || area.height == 0 {
            return;
        }
        let before = tail(&self.text[..self.cursor], usize::from(area.width) - 1);
        let x = put(buffer, area, area.x, before, style);
        put(buffer, area, x, &self.text[self.cursor..], style);
        let width = self.text[self.cursor..].graphemes(true).next().map_or(1, |next| next.width().max(1));
        let cell = Rect { x, width: (width as u16).min(area.right().saturating_sub(x)), height: 1, ..area };
        buffer.set_style(cell, style.add_modifier(Modifier::REVERSED));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(line: &mut Line, code: KeyCode, modifiers: KeyModifiers) {
        line.key(KeyEvent::new(code, modifiers));
    }

    #[test]
    fn editing_respects_graphemes_and_words() {
        let mut line = Line::new("state:TX e\u{301}");
        press(&mut line, KeyCode::Backspace, KeyModifiers::NONE);
        assert_eq!(line.text(), "state:TX ");
        press(&mut line, KeyCode::Char('w'), KeyModifiers::CONTROL);
        assert_eq!(line.text(), "");
        line.insert("a\u{1b}[31m\nb");
        assert_eq!(line.text(), "a[31m b");
        press(&mut line, KeyCode::Home, KeyModifiers::NONE);
        press(&mut line, KeyCode::Delete, KeyModifiers::NONE);
        assert_eq!((line.text(), line.cursor()), ("[31m b", 0));
    }
}
