//! `ward`: the console.

use super::context::Context;
use super::exit::Exit;
use super::output::Output;
use crate::domain::problem::Problem;

pub async fn run(cx: &Context, _out: &mut Output) -> Result<Exit, Problem> {
    let _ = cx;
    Err(Problem::new("The console is not built yet").hint("`ward --help` lists the subcommands"))
}
