//! The five screens, each a folder named as its tab: Model, update, view. No screen knows another; they
//! meet through routes.

pub mod activity;
pub mod facilities;
pub mod overview;
pub mod queries;
pub mod workflows;

use std::collections::BTreeSet;

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::domain::problem::Problem;
use crate::ui::action::Action;
use crate::ui::effect::{Reply, Request, Wish};
use crate::ui::keymap::Context;
use crate::ui::msg::Happening;
use crate::ui::overlays::pick::Question;
use crate::ui::remote::Ticket;
use crate::ui::route::Route;
use crate::ui::subs::Sub;
use crate::ui::world::World;

/// What the shell tells a screen. All screens hear the same kinds of facts, so there is one type.
#[derive(Clone, Debug, PartialEq)]
pub enum Msg {
    /// The console started; sent once to every screen, before anything else.
    Began,
    /// The screen comes to the front, at this place. Time to ask for what is old.
    Opened(Route),
    /// A key was understood as this action.
    Did(Action),
    /// A key while [`Place::typing`]: text, or editing keys that the keymap does not take.
    Typed(KeyEvent),
    /// Text was pasted.
    Pasted(String),
    /// The left mouse button went down, in window coordinates.
    Clicked(Position),
    /// The wheel turned there, by so many lines.
    Wheeled(Position, isize),
    Replied(Ticket, Result<Reply, Problem>),
    Progressed(Ticket, u64, u64),
    /// A stream of this screen brought something.
    Happened(Happening),
    /// A writing request may be sent: the person said yes, or need not be asked.
    Confirmed(Request),
    /// What a [`Wish::Pick`] was answered.
    Answered(Question, String),
    /// Something in the world changed: facilities, as-of date, zone.
    Changed,
    Resized,
    /// `world.now` moved on.
    Ticked,
}

/// A screen: its model, with what the shell needs of it.
pub trait Place {
    /// Contexts for the keymap, innermost first, without `global`.
    fn contexts(&self) -> Vec<Context>;
    /// Whether a field or editor has the floor: then the first context must be its own.
    fn typing(&self) -> bool {
        false
    }
    /// Where it is now, for history and for the next start.
    fn route(&self) -> Route;
    /// Where `esc` leads when no place was visited before.
    fn parent(&self) -> Option<Route> {
        None
    }
    /// The keys that matter most here, for the key line.
    fn keys(&self) -> Vec<Action>;
    fn update(&mut self, world: &mut World, msg: Msg) -> Vec<Wish>;
    /// Draws into the screen's body, which is never smaller than 58x11.
    fn view(&self, world: &World, area: Rect, buffer: &mut Buffer);
    /// What to listen to while this screen is in front.
    fn subs(&self, _world: &World) -> BTreeSet<Sub> {
        BTreeSet::new()
    }
}
