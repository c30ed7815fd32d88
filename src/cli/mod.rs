//! The composition root: the only place that knows everybody.
//!
//! A subcommand is a file with a clap struct and
//! `async fn run(self, cx: &Context, out: &mut Output) -> Result<Exit, Problem>`: data goes to stdout
//! through [`output::Output`], talk to stderr, and [`exit::Exit`] tells scripts how it went. Start with
//! [`main`]; [`context::Context`] connects to AWS when a subcommand first asks for it.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

#[cfg(feature = "local")]
pub mod cloud;
pub mod completions;
pub mod consent;
pub mod console;
pub mod context;
pub mod data;
#[cfg(feature = "local")]
pub mod demo;
pub mod doctor;
pub mod exit;
pub mod facilities;
mod finder;
pub mod globals;
pub mod input;
pub mod lambda;
#[cfg(feature = "local")]
pub mod local;
pub mod logs;
pub mod output;
pub mod query;
pub mod reach;
pub mod saved;
pub mod status;
mod transition;
mod upload;
mod validate;
pub mod watch;
mod watch_all;
pub mod workflows;

use crate::domain::problem::Problem;
use crate::settings::{Settings, Sources};
use context::Context;
use exit::Exit;
use globals::Globals;
use output::{Format, Output};

/// The operations console for a healthcare-facility accreditation pipeline on AWS.
///
/// Without a subcommand it opens the console, on a local cloud unless a profile or an endpoint is named.
#[derive(Parser, Debug)]
#[command(name = "ward", version, propagate_version = true, after_help = EXITS)]
pub struct Ward {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Option<Command>,
}

const EXITS: &str = "Exit status: 0 done, 1 the answer is no, 2 wrong usage, 3 the world failed, \
                     130 a watch was ended by Ctrl-C.";

#[derive(Subcommand, Debug)]
enum Command {
    /// See which accreditations expire, and write those facilities to processed/
    Facilities(facilities::Facilities),
    /// Make, check and upload facility records
    Data(data::Data),
    /// Run Athena queries and see what was run
    Query(query::Query),
    /// Start, watch and stop runs of the pipeline
    Workflows(workflows::Workflows),
    /// The function's log
    Logs(logs::Logs),
    Status(status::Status),
    Doctor(doctor::Doctor),
    #[cfg(feature = "local")]
    Demo(demo::Demo),
    /// This program as the Lambda function: Lambda and the local cloud start it, people do not
    #[command(hide = true)]
    Lambda,
    /// Serve the local cloud in the foreground and say how to point the AWS CLI at it
    #[cfg(feature = "local")]
    Local(local::Local),
    /// Completions for a shell
    Completions(completions::Completions),
    /// The manual page
    Man(completions::Man),
}

impl Command {
    async fn run(self, cx: &Context, out: &mut Output) -> Result<Exit, Problem> {
        match self {
            Command::Facilities(facilities) => facilities.run(cx, out).await,
            Command::Data(data) => data.run(cx, out).await,
            Command::Query(query) => query.run(cx, out).await,
            Command::Workflows(workflows) => workflows.run(cx, out).await,
            Command::Logs(logs) => logs.run(cx, out).await,
            Command::Status(status) => status.run(cx, out).await,
            Command::Doctor(doctor) => doctor.run(cx, out).await,
            #[cfg(feature = "local")]
            Command::Demo(demo) => demo.run(cx, out).await,
            // Without arguments `main` ran it already.
            Command::Lambda => {
                out.problem(&Problem::new("`ward lambda` takes no options").hint("Lambda starts it"));
                Ok(Exit::Usage)
            }
            #[cfg(feature = "local")]
            Command::Local(local) => local.run(cx, out).await,
            Command::Completions(completions) => completions.run(out),
            Command::Man(man) => man.run(out),
        }
    }
}

/// Parses the command line, runs it and answers the exit status.
pub fn main() -> ExitCode {
    let arguments = arguments(std::env::args_os().collect());
    if arguments.get(1).is_some_and(|word| word == "lambda") && arguments.len() == 2 {
        // The function has no settings but its environment, and no time for a command line.
        return lambda::run();
    }
    let ward = match Ward::try_parse_from(arguments) {
        Ok(ward) => ward,
        Err(error) => {
            let printed = error.print();
            if error.use_stderr() {
                return Exit::Usage.into();
            }
            // Help and version are data, too; a reader that has seen enough is no failure.
            return match printed {
                Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => unwritten(&error).into(),
                _ => Exit::Done.into(),
            };
        }
    };
    let (settings, sources) = match settings(&ward.globals) {
        Ok(merged) => merged,
        Err(problem) => {
            Output::standard(Format::Table).problem(&problem);
            return Exit::Usage.into();
        }
    };
    // Planning a deeply nested statement takes more stack than a thread has by default.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(8 << 20).build();
    match runtime {
        Ok(runtime) => {
            let exit = runtime.block_on(run(ward.command, settings, sources));
            // What still runs in the background has nobody left to tell.
            runtime.shutdown_background();
            exit.into()
        }
        Err(error) => {
            Output::standard(Format::Table)
                .problem(&Problem::new("No threads could be started").detail(error.to_string()));
            Exit::World.into()
        }
    }
}

/// A binary that is called `bootstrap` is the function.
fn arguments(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let name = arguments.first().map(std::path::PathBuf::from);
    if name.is_some_and(|path| path.file_name().is_some_and(|name| name == "bootstrap")) {
        arguments.truncate(1);
        arguments.push("lambda".into());
    }
    arguments
}

fn settings(globals: &Globals) -> Result<(Settings, Sources), Problem> {
    let sources = globals.sources()?;
    let settings = Settings::merge(&sources).map_err(|errors| globals::mistakes(&errors))?;
    Ok((settings, sources))
}

async fn run(command: Option<Command>, settings: Settings, sources: Sources) -> Exit {
    let mut out = Output::standard(Format::of(&settings.output));
    let only_facilities = ["ical", "md"].contains(&settings.output.as_str());
    if only_facilities && !matches!(command, Some(Command::Facilities(_))) {
        out.problem(
            &Problem::new(format!("--output {} is for `ward facilities` only", settings.output))
                .hint("Use table, json, ndjson or csv"),
        );
        return Exit::Usage;
    }
    let cx = Context::new(settings, sources);
    let answer = match command {
        None => console::run(&cx, &mut out).await,
        Some(command) => {
            if let Some(hint) = cx.settings.hint.as_ref().filter(|_| out.talk_terminal) {
                out.say(hint);
            }
            command.run(&cx, &mut out).await
        }
    };
    let exit = answer.unwrap_or_else(|problem| {
        out.problem(&problem);
        Exit::World
    });
    cx.close().await;
    match out.finish() {
        Ok(()) => exit,
        Err(error) => unwritten(&error),
    }
}

/// Says that stdout took no more.
fn unwritten(error: &std::io::Error) -> Exit {
    let problem = Problem::new("The output could not be written")
        .detail(error.to_string())
        .hint("Make room where it goes, or send it elsewhere");
    Output::standard(Format::Table).problem(&problem);
    Exit::World
}

/// The command line as clap knows it, for completions and the manual page.
pub fn command() -> clap::Command {
    Ward::command()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn every_setting_has_its_flag() {
        let command = command();
        let longs: Vec<&str> = command.get_arguments().filter_map(clap::Arg::get_long).collect();
        for key in crate::settings::keys::KEYS {
            let flag = key.flag();
            let flag = flag.trim_start_matches("--");
            // The mouse is there without being asked for.
            let known = longs.contains(&flag) || longs.contains(&format!("no-{flag}").as_str());
            assert!(known, "{flag}");
        }
    }

    #[test]
    fn a_binary_called_bootstrap_is_the_function() {
        let run = |name: &str| arguments(vec![name.into(), "x".into()]);
        assert_eq!(run("/var/task/bootstrap"), ["/var/task/bootstrap", "lambda"]);
        assert_eq!(run("/usr/bin/ward"), ["/usr/bin/ward", "x"]);
    }
}
