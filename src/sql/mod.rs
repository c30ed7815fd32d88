//! Reading SQL without running it: pure text in, facts about the text out.
//!
//! [`lexer`] cuts text into tokens with spans (highlighting, and the ground of everything else) and knows
//! its [`keywords`],
//! [`split`] finds the statements, [`class`] says whether one reads or writes, [`parameters`] fills
//! saved queries in, [`complete`] offers what may stand at a cursor,
//! [`format`] lays a query out. [`shipped`] holds the texts of
//! `assets/queries` and `assets/athena`. The dialect is Athena's: Trino's SQL and Hive's DDL.

pub mod class;
pub mod complete;
pub mod format;
pub mod keywords;
pub mod lexer;
pub mod parameters;
pub mod shipped;
pub mod split;
