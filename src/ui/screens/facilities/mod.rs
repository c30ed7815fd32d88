//! Facilities.

mod update;
mod view;

use std::collections::BTreeSet;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::ui::action::Action;
use crate::ui::effect::Wish;
use crate::ui::keymap::Context;
use crate::ui::route::{Route, Screen};
use crate::ui::screens::{Msg, Place};
use crate::ui::subs::Sub;
use crate::ui::world::World;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {}

impl Place for Model {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Facilities]
    }

    fn route(&self) -> Route {
        Route::new(Screen::Facilities)
    }

    fn keys(&self) -> Vec<Action> {
        vec![Action::Refresh, Action::Palette]
    }

    fn update(&mut self, world: &mut World, msg: Msg) -> Vec<Wish> {
        update::update(self, world, msg)
    }

    fn view(&self, world: &World, area: Rect, frame: &mut Frame) {
        view::view(self, world, area, frame);
    }

    fn subs(&self, _world: &World) -> BTreeSet<Sub> {
        BTreeSet::new()
    }
}
