//! Amazon States Language: the definition, the interpreter, its drawing. Pure: nothing here waits,
//! reads a clock or draws a random number; time and entropy come in with each stimulus.
//!
//! Start with [`machine`] (what a definition says) and [`step`] (what happens next). Data flows through
//! [`paths`], [`template`] and [`intrinsics`]; [`choice`] and [`retry`] decide; [`check`] says what
//! CreateStateMachine refuses; [`graph`] is what the console draws.

pub mod check;
pub mod choice;
pub mod context;
pub mod cursor;
pub mod data;
mod digest;
mod ending;
pub mod entry;
pub mod event;
pub mod failure;
mod fields;
pub mod filter;
pub mod graph;
pub mod inspect;
pub mod intrinsics;
mod join;
pub mod jsonata;
pub mod machine;
pub mod mapping;
mod names;
mod operator;
mod order;
pub mod paths;
pub mod picture;
mod places;
pub mod read;
pub mod references;
pub mod resource;
pub mod retry;
mod run;
pub mod schema;
pub mod scope;
mod shape;
mod simple;
pub mod step;
mod stored;
pub mod syntax;
pub mod task;
pub mod template;
