//! We answer: the embedded cloud, AWS's own wire protocols on one loopback port.
//!
//! May use `asl` and `sql`. Services never import each other: they call and notify through [`bus`],
//! and every write goes through [`store`]. Start with [`bus::Service`].

pub mod bus;
pub mod clock;
pub mod fault;
pub mod lambda;
pub mod logs;
pub mod sns;
pub mod store;
pub mod sts;
