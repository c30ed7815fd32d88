//! Executions and logs as streams: page tokens, adaptive pace, backoff, no event twice.
//!
//! What is decided (which events are new, what to ask next and when) is pure: [`Known`], [`Pace`] and
//! [`Plan`]. The streams ask, feed them and sleep.

mod known;
mod logs;
mod pace;
mod plan;

use std::collections::HashMap;
use std::time::Duration;

use futures::Stream;
use futures::stream;
use tokio::time::Instant;

use super::Aws;
use super::error::{Error, Kind};
use crate::domain::execution::HistoryEvent;

pub use known::Known;
pub use logs::{logs, matching_logs};
pub use pace::Pace;
pub use plan::{Ask, Plan};

/// Whether to go on asking after this failure.
pub(super) fn passing(error: &Error) -> bool {
    matches!(
        error.kind,
        Kind::Throttled | Kind::Unreachable | Kind::Expired | Kind::Credentials | Kind::Service
    )
}

struct Following {
    aws: Aws,
    arn: String,
    plan: Plan,
    /// The last call failed in a way that may pass.
    failing: bool,
    /// Seconds of the definition's Wait states, asked for once.
    waits: Option<HashMap<String, Duration>>,
}

/// The events of an execution from its first: batches as they are seen, each event once, oldest
/// first. Ends after the event that ends the execution. A failure that may pass (throttled,
/// unreachable, expired credentials) is yielded once and asking goes on, and the first answer after it
/// is yielded even when it brings nothing new; any other ends the stream.
pub fn execution(
    aws: &Aws,
    arn: &str,
) -> impl Stream<Item = Result<Vec<HistoryEvent>, Error>> + Send + use<> {
    let pace = if aws.states.quick() { Pace::quick() } else { Pace::polite() };
    let start = Following {
        aws: aws.clone(),
        arn: arn.to_owned(),
        plan: Plan::new(pace),
        failing: false,
        waits: None,
    };
    stream::unfold(start, |mut following| async move {
        let item = following.next().await?;
        Some((item, following))
    })
}

impl Following {
    async fn next(&mut self) -> Option<Result<Vec<HistoryEvent>, Error>> {
        while let Some(ask) = self.plan.next(Instant::now()) {
            if !ask.after.is_zero() {
                tokio::time::sleep(ask.after).await;
            }
            let states = &self.aws.states;
            match states.get_execution_history(&self.arn, ask.newest_first, ask.token, ask.max).await {
                Ok(page) => {
                    let fresh = self.plan.answered(page);
                    if std::mem::take(&mut self.failing) || !fresh.is_empty() {
                        self.note_wait(&fresh).await;
                        return Some(Ok(fresh));
                    }
                }
                Err(error) if passing(&error) => {
                    self.failing = true;
                    if self.plan.failed() {
                        return Some(Err(error));
                    }
                }
                Err(error) => {
                    self.plan.give_up();
                    return Some(Err(error));
                }
            }
        }
        None
    }

    /// A wait of known length was entered last: nothing happens before it ends. Only worth knowing
    /// where asking is dear, and only where nothing runs beside it.
    async fn note_wait(&mut self, fresh: &[HistoryEvent]) {
        if self.aws.states.quick() {
            return;
        }
        let Some(name) = self.plan.entered_wait(fresh) else { return };
        if self.waits.is_none() {
            let definition = self.aws.states.describe_state_machine_for_execution(&self.arn).await;
            self.waits = Some(definition.map(|one| plan::waits_of(&one.text)).unwrap_or_default());
        }
        if let Some(wait) = self.waits.iter().find_map(|waits| waits.get(name)) {
            self.plan.wait_until(Instant::now() + *wait);
        }
    }
}

#[cfg(test)]
#[path = "follow_tests.rs"]
mod tests;
