//! Writing asks: on a target that is not local, what will be done is shown and confirmed.

use std::io::{BufRead, IsTerminal, Write};

use clap::Args;

use super::context::Context;
use super::exit::Exit;
use super::output::Output;
use crate::domain::problem::Problem;

/// The flags of a subcommand that writes.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Consent {
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask, also where the target is not local
    #[arg(long)]
    pub yes: bool,
}

impl Consent {
    /// Whether to go on. `deed` is an imperative sentence: `Start HealthcarePipeline`. `Err` is the
    /// exit status of a subcommand that goes no further.
    pub fn ask(self, cx: &Context, out: &mut Output, deed: &str) -> Result<(), Exit> {
        if self.dry_run {
            out.say(&format!("Would: {deed}, on {}", cx.place()));
            return Err(Exit::Done);
        }
        if cx.settings.read_only {
            out.problem(
                &Problem::new("This session is read-only")
                    .detail(format!("Not done: {deed}"))
                    .hint(format!("It was set by {}", cx.settings.origin("read_only"))),
            );
            return Err(Exit::Usage);
        }
        if cx.is_local() || self.yes {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            out.problem(
                &Problem::new(format!("{deed}: on {} this needs a confirmation", cx.place()))
                    .hint("Pass --yes, or --dry-run to see what would be done"),
            );
            return Err(Exit::Usage);
        }
        out.say(&format!("{deed}, on {}", cx.place()));
        let _ = write!(std::io::stderr(), "Go on? [y/N] ");
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer);
        if read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        out.say("Nothing was done.");
        Err(Exit::No)
    }
}
