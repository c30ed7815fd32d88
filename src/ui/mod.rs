//! The console's mind: pure. `update` decides, `view` draws, `subs` says what to listen to; nothing in
//! here awaits, reads a clock, a file or the environment. `runtime` is its hands.
//!
//! Start with the four nouns: [`model`], [`msg`], [`effect`], [`subs`]. A key becomes an
//! [`action::Action`] through the [`keymap`]; the screen in front answers with [`effect::Wish`]es; those
//! for the outside leave as [`effect::Effect`]s. What all screens share lives in [`world`].

pub mod action;
pub mod areas;
pub mod effect;
pub mod key_line;
pub mod keymap;
pub mod model;
pub mod msg;
pub mod overlays;
pub mod remote;
pub mod route;
pub mod say;
pub mod screens;
pub mod session;
pub mod subs;
pub mod theme;
pub mod update;
pub mod view;
pub mod widgets;
pub mod world;
