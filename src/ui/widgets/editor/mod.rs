//! A text editor for SQL and JSON: keys and undo are `ratatui-textarea`'s, the drawing is ours, because it
//! is coloured by meaning and never writes back into the model. `paint.rs` says what each piece of text is.

mod paint;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui_textarea::{CursorMove, TextArea};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::domain::text::{obeyed, shown};
use crate::ui::theme::Role;
use crate::ui::widgets::{put_right, row};
use crate::ui::world::World;

pub use paint::Language;

/// A place that cannot be read: a line from 0, and a column in characters where that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub line: usize,
    pub column: Option<usize>,
}

impl Mark {
    pub fn line(line: usize) -> Mark {
        Mark { line, column: None }
    }
}

/// Text as an editor takes it: line breaks of any kind are one character, a tab is two blanks, and what a
/// terminal would obey is left out.
fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\t', "  ");
    if !text.chars().any(|c| c != '\n' && obeyed(c)) {
        return text;
    }
    text.chars().filter(|c| *c == '\n' || !obeyed(*c)).collect()
}

/// A text with a cursor.
#[derive(Clone, Debug)]
pub struct Editor {
    area: TextArea<'static>,
    pub language: Language,
    /// First line and first column shown.
    offset: (usize, usize),
}

impl PartialEq for Editor {
    fn eq(&self, other: &Self) -> bool {
        self.language == other.language
            && self.offset == other.offset
            && self.cursor() == other.cursor()
            && self.area.lines() == other.area.lines()
    }
}

impl Editor {
    pub fn new(language: Language, text: &str) -> Editor {
        let text = clean(text);
        let mut area = TextArea::new(text.split('\n').map(str::to_owned).collect());
        area.set_tab_length(2);
        Editor { area, language, offset: (0, 0) }
    }

    pub fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    pub fn lines(&self) -> &[String] {
        self.area.lines()
    }

    pub fn is_blank(&self) -> bool {
        self.area.lines().iter().all(|line| line.trim().is_empty())
    }

    /// Line and column (in characters), from 0.
    pub fn cursor(&self) -> (usize, usize) {
        let cursor = self.area.cursor();
        (cursor.0, cursor.1)
    }

    /// The cursor as a byte offset into [`Editor::text`].
    pub fn offset(&self) -> usize {
        let (line, column) = self.cursor();
        let before: usize = self.area.lines().iter().take(line).map(|line| line.len() + 1).sum();
        let within = self.area.lines().get(line).map_or(0, |text| byte_of(text, column));
        before + within
    }

    /// Puts a text in place of the present one; undo brings that back.
    pub fn set(&mut self, text: &str) {
        self.select_all();
        self.area.insert_str(clean(text));
        self.area.move_cursor(CursorMove::Top);
        self.area.move_cursor(CursorMove::Head);
        self.offset = (0, 0);
    }

    /// `TextArea::select_all` ends at line and column 65,535.
    fn select_all(&mut self) {
        self.area.cancel_selection();
        self.area.move_cursor(CursorMove::Top);
        self.area.move_cursor(CursorMove::Head);
        self.area.start_selection();
        self.area.move_cursor(CursorMove::Bottom);
        self.area.move_cursor(CursorMove::End);
    }

    /// Text that was pasted or completed.
    pub fn insert(&mut self, text: &str, size: (u16, u16)) {
        self.area.insert_str(clean(text));
        self.reveal(size);
    }

    pub fn undo(&mut self, size: (u16, u16)) {
        self.area.undo();
        self.reveal(size);
    }

    pub fn redo(&mut self, size: (u16, u16)) {
        self.area.redo();
        self.reveal(size);
    }

    /// Moves the cursor to a line and a column, both from 0, or as near as the text has them.
    pub fn jump(&mut self, line: usize, column: usize, size: (u16, u16)) {
        let line = line.min(self.area.lines().len().saturating_sub(1));
        let column = column.min(self.area.lines().get(line).map_or(0, |text| text.chars().count()));
        let short = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        self.area.cancel_selection();
        self.area.move_cursor(CursorMove::Jump(short(line), short(column)));
        self.reveal(size);
    }

    /// Where the cursor is drawn, `None` while it is out of sight.
    pub fn cursor_at(&self, area: Rect) -> Option<Position> {
        let (line, column) = self.cursor();
        let text = self.area.lines().get(line)?;
        let cell = text[..byte_of(text, column)].width().checked_sub(self.offset.1)?;
        let x = usize::from(area.x + self.gutter()) + cell;
        let y = usize::from(area.y) + line.checked_sub(self.offset.0)?;
        let at = Position::new(u16::try_from(x).ok()?, u16::try_from(y).ok()?);
        area.contains(at).then_some(at)
    }

    /// Takes away so many characters before the cursor: what a completion replaces.
    pub fn erase_before(&mut self, characters: usize) {
        for _ in 0..characters {
            self.area.delete_char();
        }
    }

    /// Takes a key. `size` is that of the area the editor is drawn in.
    pub fn key(&mut self, key: KeyEvent, size: (u16, u16)) {
        let page = usize::from(size.1.max(2)) - 1;
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::PageUp => (0..page).for_each(|_| self.area.move_cursor(CursorMove::Up)),
            KeyCode::PageDown => (0..page).for_each(|_| self.area.move_cursor(CursorMove::Down)),
            // These scroll by what was painted last, which a model must not know.
            KeyCode::Char('v') if !key.modifiers.is_empty() && key.modifiers != KeyModifiers::SHIFT => {}
            KeyCode::Enter => self.new_line(),
            KeyCode::Char('a') if control => self.select_all(),
            _ => {
                self.area.input(key);
            }
        }
        self.reveal(size);
    }

    /// A new line begins where the one before began.
    fn new_line(&mut self) {
        let (line, column) = self.cursor();
        let text = self.area.lines().get(line).map(String::as_str).unwrap_or_default();
        let indent = text.chars().take_while(|c| *c == ' ').count().min(column);
        self.area.insert_newline();
        self.area.insert_str(" ".repeat(indent));
    }

    /// Moves the cursor to where the mouse was pressed.
    pub fn click(&mut self, area: Rect, at: Position) {
        if !area.contains(at) {
            return;
        }
        let (top, left) = self.offset;
        let line = (top + usize::from(at.y - area.y)).min(self.area.lines().len().saturating_sub(1));
        let wanted = left + usize::from(at.x.saturating_sub(area.x + self.gutter()));
        let mut cells = 0;
        let text = &self.area.lines()[line];
        let column = text
            .graphemes(true)
            .take_while(|grapheme| {
                cells += grapheme.width();
                cells <= wanted
            })
            .map(|grapheme| grapheme.chars().count())
            .sum::<usize>();
        let (line, column) =
            (u16::try_from(line).unwrap_or(u16::MAX), u16::try_from(column).unwrap_or(u16::MAX));
        self.area.move_cursor(CursorMove::Jump(line, column));
    }

    /// Scrolls by lines, the cursor staying in view.
    pub fn wheel(&mut self, by: isize, size: (u16, u16)) {
        for _ in 0..by.unsigned_abs() {
            self.area.move_cursor(if by < 0 { CursorMove::Up } else { CursorMove::Down });
        }
        self.reveal(size);
    }

    /// Keeps the cursor in view.
    pub fn reveal(&mut self, (width, height): (u16, u16)) {
        let (line, column) = self.cursor();
        let height = usize::from(height.max(1));
        let width = usize::from(width.saturating_sub(self.gutter() + 1)).max(1);
        let text = self.area.lines().get(line).map(String::as_str).unwrap_or_default();
        let cell = text[..byte_of(text, column)].width();
        self.offset.0 = self.offset.0.clamp((line + 1).saturating_sub(height), line);
        self.offset.1 = self.offset.1.clamp((cell + 1).saturating_sub(width), cell);
    }

    /// Line numbers and a blank.
    fn gutter(&self) -> u16 {
        self.area.lines().len().to_string().len().max(2) as u16 + 1
    }

    /// Draws it; `wrong` is the place that cannot be read.
    pub fn draw(&self, world: &World, buffer: &mut Buffer, area: Rect, focused: bool, wrong: Option<Mark>) {
        let area = area.intersection(buffer.area);
        let gutter = self.gutter();
        let painted = paint::paint(self.language, self.area.lines());
        let (cursor_line, cursor_column) = self.cursor();
        let selection = self.area.selection_range();
        // Without the cursor, lines are read from their beginning.
        let left = if focused { self.offset.1 } else { 0 };
        for (i, (text, pieces)) in self.area.lines().iter().zip(&painted).enumerate().skip(self.offset.0) {
            let Some(line) = row(area, i - self.offset.0) else { break };
            let number = Rect { width: gutter.saturating_sub(1).min(line.width), ..line };
            let bad = wrong.is_some_and(|mark| mark.line == i);
            put_right(
                buffer,
                number,
                &(i + 1).to_string(),
                world.theme.style(if bad { Role::Bad } else { Role::Quiet }),
            );
            let field = Rect { x: line.x + gutter, width: line.width.saturating_sub(gutter), ..line };
            let mut pen = Pen { field, skip: left, x: field.x };
            for (range, role) in pieces {
                let mut style = world.theme.style(*role);
                if bad && wrong.is_some_and(|mark| mark.column.is_none()) {
                    style = style.add_modifier(Modifier::UNDERLINED);
                }
                pen.write(buffer, text.get(range.clone()).unwrap_or_default(), style);
            }
            if let Some(column) = wrong.filter(|mark| mark.line == i).and_then(|mark| mark.column) {
                let word =
                    text[byte_of(text, column)..].chars().take_while(|c| c.is_alphanumeric() || *c == '_');
                let end = column + word.count().max(1);
                let style = world.theme.style(Role::Bad).add_modifier(Modifier::UNDERLINED);
                mark(buffer, field, text, (column, end), left, style);
            }
            if let Some((from, to)) = selection.and_then(|range| selected(range, i, text)) {
                mark(buffer, field, text, (from, to), left, world.theme.style(Role::Selected));
            }
            if focused && i == cursor_line {
                let next = text[byte_of(text, cursor_column)..]
                    .graphemes(true)
                    .next()
                    .map_or(1, |g| g.chars().count());
                let style = Style::new().add_modifier(Modifier::REVERSED);
                mark(buffer, field, text, (cursor_column, cursor_column + next), left, style);
            }
        }
    }
}

/// Writes pieces of one line, of which the first `skip` cells lie left of the field.
struct Pen {
    field: Rect,
    skip: usize,
    x: u16,
}

impl Pen {
    fn write(&mut self, buffer: &mut Buffer, text: &str, style: Style) {
        let text = shown(text);
        let mut from = 0;
        for grapheme in text.graphemes(true) {
            if self.skip == 0 {
                break;
            }
            self.skip = self.skip.saturating_sub(grapheme.width().max(1));
            from += grapheme.len();
        }
        let room = usize::from(self.field.right().saturating_sub(self.x));
        if room > 0 && self.field.height > 0 {
            self.x = buffer.set_stringn(self.x, self.field.y, &text[from..], room, style).0;
        }
    }
}

/// The characters of a line within a selection.
fn selected(
    ((l1, c1), (l2, c2)): ((usize, usize), (usize, usize)),
    line: usize,
    text: &str,
) -> Option<(usize, usize)> {
    if line < l1 || line > l2 {
        return None;
    }
    let from = if line == l1 { c1 } else { 0 };
    let to = if line == l2 { c2 } else { text.chars().count() + 1 };
    Some((from, to))
}

/// Styles the cells of some characters of a line.
fn mark(buffer: &mut Buffer, field: Rect, text: &str, (from, to): (usize, usize), skip: usize, style: Style) {
    let cell = |column: usize| {
        let within = text[..byte_of(text, column)].width();
        within + column.saturating_sub(text.chars().count())
    };
    let start = cell(from).saturating_sub(skip).min(usize::from(field.width)) as u16;
    let end = cell(to).max(cell(from) + 1).saturating_sub(skip).min(usize::from(field.width)) as u16;
    buffer.set_style(Rect { x: field.x + start, width: end.saturating_sub(start), ..field }, style);
}

fn byte_of(text: &str, column: usize) -> usize {
    text.char_indices().nth(column).map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests;
