//! Every action by name, with its keys: a [`Pick`] among the table of actions.

use crate::ui::action::Action;
use crate::ui::keymap::{Context, Keymap};
use crate::ui::overlays::pick::{Item, Pick, Question};

/// The actions that make sense here: those bound in these contexts, the screen's own first.
pub fn palette(keymap: &Keymap, contexts: &[Context]) -> Pick {
    let own = |action: &Action| {
        let group = action.group().title().to_lowercase();
        contexts.iter().any(|context| context.name() == group)
    };
    let mut bound: Vec<(bool, Action, String)> = Vec::new();
    for action in Action::ALL {
        if let Some(keys) = keymap.keys_of(contexts, *action) {
            bound.push((!own(action), *action, keys));
        }
    }
    bound.sort_by_key(|(foreign, action, _)| (*foreign, *action));
    let items =
        bound.into_iter().map(|(_, action, keys)| Item::new(action.name(), action.help(), keys)).collect();
    Pick::among("Do", Question::Palette, items)
}
