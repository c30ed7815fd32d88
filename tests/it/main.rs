//! The integration tests: one binary, one link.

mod attach;
mod data;
mod durability;
mod lambda;
mod machines;
mod support;
mod wire;
