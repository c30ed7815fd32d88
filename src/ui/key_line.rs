//! What the key line offers, kept until it would be something else: it is the same after nearly every key.

use std::cell::{Ref, RefCell};

use crate::ui::action::Action;
use crate::ui::keymap::Context;
use crate::ui::model::Model;
use crate::ui::widgets::cells;

/// What is kept follows from the rest of the model.
#[derive(Clone, Debug, Default)]
pub struct KeyLine(RefCell<Kept>);

#[derive(Clone, Debug, Default)]
struct Kept {
    contexts: Vec<Context>,
    wanted: Vec<Action>,
    offers: Vec<Offer>,
}

/// One action and how to get it.
#[derive(Clone, Debug)]
pub struct Offer {
    pub keys: String,
    pub action: &'static str,
    /// Cells of both, with the blank between them.
    pub width: u16,
}

impl PartialEq for KeyLine {
    fn eq(&self, _: &KeyLine) -> bool {
        true
    }
}

impl KeyLine {
    /// The five actions that matter here and that have keys, then help.
    pub fn offers(&self, model: &Model) -> Ref<'_, [Offer]> {
        let contexts = model.contexts();
        let mut wanted = model.front().keys();
        wanted.retain(|action| !model.world.keymap.withholds(*action));
        wanted.truncate(5);
        if !model.front().typing() {
            wanted.push(Action::Help);
        }
        let same = {
            let kept = self.0.borrow();
            kept.contexts == contexts && kept.wanted == wanted
        };
        if !same {
            let offers = wanted.iter().filter_map(|action| offer(model, &contexts, *action)).collect();
            self.0.replace(Kept { contexts, wanted, offers });
        }
        Ref::map(self.0.borrow(), |kept| kept.offers.as_slice())
    }
}

fn offer(model: &Model, contexts: &[Context], action: Action) -> Option<Offer> {
    // While something is typed, a single character is text.
    let all = model.world.keymap.all_keys_of(contexts, action);
    let keys = all.into_iter().find(|keys| !model.front().typing() || keys.chars().count() > 1)?;
    let action = action.short();
    let width = u16::try_from(cells(&keys) + cells(action) + 1).unwrap_or(u16::MAX);
    Some(Offer { keys, action, width })
}
