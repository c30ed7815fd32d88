//! Our Lambda function, stage 3 of the pipeline: the same code on AWS and on the local cloud.
//!
//! May use `domain` and `aws`. [`event`] says who calls, [`lines`] how it is logged.

pub mod event;
pub mod lines;

pub use crate::domain::package::package;
