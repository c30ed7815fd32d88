//! Athena: queries over objects, their history and results, and the catalog of tables.
//!
//! Start with [`operations`] (what the service answers), [`start`] (what becomes a query) and
//! [`running`] (a query's way from QUEUED to one of the ends of [`ending`]). A statement is read by
//! [`hive`] (DDL, performed by [`ddl`]), by [`trino`] (what writes, performed by [`writing`]) or is a query
//! of [`engine`], the only place that knows the SQL engine. [`catalog`] keeps tables and partitions;
//! [`projection`] makes up partitions that nobody keeps.

mod catalog;
mod datacatalogs;
mod ddl;
mod ending;
mod engine;
mod failure;
mod fresh;
mod glue;
mod hive;
mod lookup;
mod named;
mod operations;
mod partitions;
mod prepared;
mod projection;
mod record;
mod requests;
mod results;
mod reuse;
mod running;
mod start;
mod storage;
mod tags;
mod trino;
mod types;
mod workgroups;
mod writing;

#[cfg(test)]
mod tests;

pub use glue::Glue;
pub use operations::Athena;
