//! The integration tests: one binary, one link.

mod lambda;
mod support;
mod wire;
