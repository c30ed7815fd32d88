//! `ward lambda`: this program as the Lambda function. Lambda starts it; people do not.

use std::process::ExitCode;

use crate::lambda;

/// Serves invocations until the runtime API is gone. Also what a binary called `bootstrap` does.
///
/// Kept out of the command line's machinery: a cold start pays for nothing but the function.
pub fn run() -> ExitCode {
    if let Some(name) = lambda::missing_variable() {
        eprintln!(
            "ward lambda runs inside AWS Lambda, or is started by the local cloud: {name} is not set.\n\
             To try the function, start `ward local` and invoke it: `aws lambda invoke`."
        );
        return ExitCode::from(2);
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("ward lambda: the runtime could not be started: {error}");
            return ExitCode::from(3);
        }
    };
    match runtime.block_on(lambda::run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ward lambda: the runtime API is gone: {error}");
            ExitCode::from(3)
        }
    }
}
