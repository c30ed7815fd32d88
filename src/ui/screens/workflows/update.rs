//! What each fact does to the screen.

use crate::ui::action::Action;
use crate::ui::effect::Wish;
use crate::ui::screens::Msg;
use crate::ui::screens::workflows::Model;
use crate::ui::world::World;

pub fn update(_model: &mut Model, _world: &mut World, msg: Msg) -> Vec<Wish> {
    match msg {
        Msg::Did(Action::Back) => vec![Wish::Back],
        _ => Vec::new(),
    }
}
