//! `ward completions SHELL` and `ward man`: both written from the command line itself.

use clap::Args;
use clap_complete::Shell;

use super::exit::Exit;
use super::output::Output;
use crate::domain::problem::Problem;

/// Completions for a shell, on stdout
#[derive(Args, Debug)]
pub struct Completions {
    shell: Shell,
}

impl Completions {
    pub fn run(self, out: &mut Output) -> Result<Exit, Problem> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut super::command(), "ward", &mut text);
        out.bytes(&text);
        Ok(Exit::Done)
    }
}

/// The manual page, on stdout: `ward man | man -l -`
#[derive(Args, Debug)]
pub struct Man {}

impl Man {
    pub fn run(self, out: &mut Output) -> Result<Exit, Problem> {
        let mut text = Vec::new();
        clap_mangen::Man::new(super::command())
            .render(&mut text)
            .map_err(|error| Problem::new("The manual page could not be made").detail(error.to_string()))?;
        out.bytes(&text);
        Ok(Exit::Done)
    }
}
