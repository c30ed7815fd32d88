//! The integration tests: one binary, one link.

mod data;
mod lambda;
mod support;
mod wire;
