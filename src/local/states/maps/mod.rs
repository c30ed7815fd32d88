//! Map runs: the child executions of a distributed Map state.
//!
//! A run is a record of its own, kept from the moment its Map state asks for it. Its items are read
//! ([`reader`]), shaped into the children's inputs by [`crate::asl::mapping`], and written down before
//! the first child starts; the [`supervisor`]'s [`crew`] then keeps as many children running as it may and
//! counts how they end, and the Map state is told. A run that was interrupted goes on from what is written: inputs that no
//! child has taken, and children with their outcomes. [`results`] makes the state's output, [`operations`]
//! are DescribeMapRun, ListMapRuns and UpdateMapRun.

mod child;
mod crew;
mod operations;
mod reader;
mod record;
mod results;
mod supervisor;

pub use reader::reading;
pub use record::item as item_key;
pub use record::{ITEMS, MapRun, forget, runs_of};
pub use supervisor::{Runs, abandon, fork, left_running, refork};
