//! What may stand at the cursor while a statement is typed.

use crate::sql::complete::{Completion, Kind, Table, complete};
use crate::ui::widgets::editor::Editor;
use crate::ui::widgets::table::Cursor;

/// Rows of the list of offers.
pub const ROWS: usize = 8;

/// Offers at the cursor. They come by themselves for names; only `tab` takes one then, so that `enter` and
/// the arrows stay the editor's. Asked for, they take those too.
#[derive(Clone, Debug, PartialEq)]
pub struct Offers {
    pub items: Vec<Completion>,
    /// Characters before the cursor that an offer replaces.
    pub typed: usize,
    pub cursor: Cursor,
    /// Whether the person asked for them.
    pub asked: bool,
}

impl Offers {
    /// What may stand at the cursor; `None` when nothing is to be offered.
    pub fn at(editor: &Editor, tables: &[Table], asked: bool) -> Option<Offers> {
        let text = editor.text();
        let cursor = editor.offset();
        let found = complete(&text, cursor, tables);
        let typed = text.get(found.replace.clone()).unwrap_or_default().chars().count();
        let after_dot = text[..found.replace.start].ends_with('.');
        if !asked && typed < 2 && !after_dot {
            return None;
        }
        let mut items = found.items;
        if !asked {
            items.retain(|item| item.kind != Kind::Keyword);
        }
        (!items.is_empty()).then(|| Offers { items, typed, cursor: Cursor::default(), asked })
    }

    pub fn chosen(&self) -> Option<&Completion> {
        self.items.get(self.cursor.selected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::complete::Column;
    use crate::ui::widgets::editor::Language;

    fn tables() -> Vec<Table> {
        let column = |name: &str| Column { name: name.into(), type_name: "varchar".into() };
        let columns = vec![column("facility_id"), column("facility_name")];
        vec![Table { database: "d".into(), name: "facilities".into(), columns }]
    }

    fn offers(text: &str, asked: bool) -> Vec<String> {
        let mut editor = Editor::new(Language::Sql, text);
        editor.jump(0, usize::MAX, (80, 10));
        let offers = Offers::at(&editor, &tables(), asked);
        offers.map(|offers| offers.items.into_iter().map(|item| item.text).collect()).unwrap_or_default()
    }

    #[test]
    fn names_come_by_themselves_and_keywords_when_asked_for() {
        assert_eq!(offers("SELECT * FROM fac", false), ["facilities"]);
        assert_eq!(offers("SELECT * FROM f", false), Vec::<String>::new());
        assert_eq!(offers("SELECT * FROM facilities f WHERE f.", false), ["facility_id", "facility_name"]);
        assert_eq!(offers("SEL", false), Vec::<String>::new());
        assert_eq!(offers("SEL", true), ["SELECT"]);
    }
}
