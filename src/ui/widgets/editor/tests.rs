use super::*;

fn typed(editor: &mut Editor, text: &str) {
    for c in text.chars() {
        let code = if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) };
        editor.key(KeyEvent::new(code, KeyModifiers::NONE), (20, 3));
    }
}

/// A position of the widget beneath ends at 65,535.
#[test]
fn whole_texts_are_replaced_however_long() {
    let select = KeyEvent::new(KeyCode::Char('a'), KeyModifiers::CONTROL);
    for long in ["x".repeat(70_000), "x\n".repeat(70_000)] {
        let mut editor = Editor::new(Language::Json, &long);
        editor.set("{}");
        assert_eq!((editor.text().as_str(), editor.offset), ("{}", (0, 0)));
        // What was taken away, and what came in its place.
        editor.undo((20, 3));
        editor.undo((20, 3));
        assert!(editor.text() == long);
        editor.key(select, (20, 3));
        editor.insert("[]", (20, 3));
        assert_eq!(editor.text(), "[]");
    }
}

#[test]
fn lines_keep_their_indentation_and_the_cursor_its_offset() {
    let mut editor = Editor::new(Language::Sql, "");
    typed(&mut editor, "  a\nb");
    assert_eq!(editor.text(), "  a\n  b");
    assert_eq!(editor.offset(), 7);
    editor.erase_before(1);
    editor.insert("xyz", (20, 3));
    assert_eq!(editor.text(), "  a\n  xyz");
}

#[test]
fn a_new_text_can_be_undone() {
    let mut editor = Editor::new(Language::Json, "{}");
    editor.set("[1]");
    assert_eq!(editor.text(), "[1]");
    editor.key(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL), (20, 3));
    assert_ne!(editor.text(), "[1]");
}

#[test]
fn a_jump_lands_in_the_text_and_nothing_pasted_is_obeyed() {
    let mut editor = Editor::new(Language::Sql, "SELECT 1,\n  nope");
    editor.jump(1, 2, (20, 3));
    assert_eq!(editor.cursor(), (1, 2));
    assert_eq!(editor.cursor_at(Rect::new(5, 5, 20, 3)), Some(Position::new(5 + 3 + 2, 6)));
    editor.jump(9, 99, (20, 3));
    assert_eq!(editor.cursor(), (1, 6));
    editor.insert("\u{1b}[2J\rx\u{202e}", (20, 3));
    assert_eq!(editor.text(), "SELECT 1,\n  nope[2J\nx");
    editor.undo((20, 3));
    assert_eq!(editor.text(), "SELECT 1,\n  nope");
}

#[test]
fn the_cursor_stays_in_view() {
    let mut editor = Editor::new(Language::Sql, "");
    typed(&mut editor, "1\n2\n3\n4\n5");
    assert_eq!(editor.offset, (2, 0));
    typed(&mut editor, &"x".repeat(40));
    assert!(editor.offset.1 > 0);
    editor.key(KeyEvent::new(KeyCode::PageUp, KeyModifiers::NONE), (20, 3));
    assert_eq!(editor.cursor().0, 2);
}
