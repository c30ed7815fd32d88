//! The integration tests: one binary, one link.

mod attach;
mod board;
mod cli;
mod data;
mod deeds;
mod drawing;
mod durability;
mod express;
mod histories;
mod house;
mod interruption;
mod journeys;
mod lambda;
mod machines;
mod readme;
mod screens;
mod sql;
mod stories;
mod support;
mod terminal;
mod viewer;
mod wire;
