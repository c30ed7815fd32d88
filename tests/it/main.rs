//! The integration tests: one binary, one link.

mod attach;
mod cli;
mod data;
mod durability;
mod house;
mod lambda;
mod machines;
mod support;
mod wire;
