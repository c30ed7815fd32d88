//! The integration tests: one binary, one link.

mod attach;
mod data;
mod durability;
mod lambda;
mod support;
mod wire;
