//! ward: the terminal operations console for a healthcare-facility accreditation pipeline on AWS.
//!
//! One crate, one binary: console, script tool, Lambda function and local cloud. Three ideas carry it:
//!
//! 1. **We ask, we answer.** [`aws`] asks (the only place that names the SDK); [`local`] answers
//!    (servers on loopback). They share an endpoint URL and nothing else.
//! 2. **Deciding is pure, doing is elsewhere.** [`domain`], [`asl`], [`sql`], [`settings`] and [`ui`]
//!    never await, sleep, read a clock, a file, the environment or a random number. Doing lives in
//!    [`work`], [`runtime`], [`aws`], [`local`], [`lambda`] and [`cli`].
//! 3. **What you see is what is in the folder.** A screen is a folder with the screen's name; an AWS
//!    service has the same file name in `aws/`, `local/` and `tests/it/wire/`.
//!
//! Futures are boxed where they are spawned (`tokio::spawn(work.boxed())`): a task's machinery is generic, some
//! 200 functions that would be compiled for each future anew.
//!
//! Who may import whom is a table, held by `tests/it/house.rs`:
//!
//! | layer | may use |
//! |---|---|
//! | `domain`, `asl`, `sql`, `settings` | nothing of ours |
//! | `aws` | domain, sql |
//! | `work` | aws, domain, sql, settings |
//! | `local` | asl, sql |
//! | `lambda` | domain, aws |
//! | `ui` | domain, asl, sql, settings |
//! | `runtime` | ui, work, aws, domain, settings |
//! | `cli` | all |

pub mod asl;
pub mod aws;
pub mod cli;
pub mod domain;
pub mod lambda;
#[cfg(feature = "local")]
pub mod local;
pub mod runtime;
pub mod settings;
pub mod sql;
pub mod ui;
pub mod work;
