//! The jobs that console and subcommands share.
//!
//! May use `aws`, `domain`, `sql` and `settings`; does its IO through `aws` and files. From a survey to
//! the bucket: [`generate`], [`import`], [`validate`], [`repair`], [`upload`]; from the bucket to people:
//! [`load`] (with [`cache`]), [`export`].

pub mod cache;
pub mod doctor;
pub mod draw;
pub mod export;
pub mod generate;
pub mod import;
pub mod load;
pub mod provision;
pub mod repair;
pub mod source;
pub mod upload;
pub mod validate;
