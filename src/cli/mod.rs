//! The composition root: the only place that knows everybody.

pub mod lambda;

/// Parses the command line, runs it and answers the exit status.
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
