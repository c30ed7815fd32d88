//! `ward`: the console.

use std::sync::Arc;

use super::context::Context;
use super::exit::Exit;
use super::output::Output;
use crate::domain::problem::Problem;
use crate::runtime::{self, Ended, Options};

/// Opens the console. The connection is made behind the first frame, and again after it failed.
pub async fn run(cx: &Context, out: &mut Output) -> Result<Exit, Problem> {
    let context = cx.clone();
    let connect = Arc::new(move |tell| {
        let context = context.clone();
        let connecting: runtime::Connecting = Box::pin(async move { context.reached(tell).await });
        connecting
    });
    let options = Options::new(&cx.settings, connect)?;
    match runtime::run(options).await? {
        Ended::Quit => {
            if let Some(hint) = &cx.settings.hint {
                out.say(hint);
            }
            Ok(Exit::Done)
        }
        Ended::Signal(number) => Ok(Exit::Signal(u8::try_from(number).unwrap_or_default())),
    }
}
