//! What we talk about: facilities, queries, executions, log lines. Pure: no IO, no clock, nothing of
//! ours imported. Start with [`facility`] and [`execution`].

pub mod difference;
pub mod execution;
pub mod expiry;
pub mod express;
pub mod facility;
pub mod filter;
pub mod formats;
pub mod grid;
pub mod incident;
pub mod invocation;
pub mod json;
pub mod log;
pub mod notification;
pub mod object;
pub mod package;
pub mod problem;
pub mod query;
pub mod record;
pub mod split;
pub mod text;
pub mod timeline;
pub mod units;
