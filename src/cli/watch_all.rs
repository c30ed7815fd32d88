//! Every execution that runs, of all state machines, as lines while they happen.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::stream::{BoxStream, SelectAll};
use futures::{StreamExt, stream};

use super::context::Context;
use super::exit::Exit;
use super::output::{Format, Output};
use super::transition::{self, full_name};
use crate::aws::{Aws, Error, follow};
use crate::domain::execution::{HistoryEvent, Status, name_of};
use crate::domain::problem::Problem;
use crate::domain::timeline::Timeline;
use crate::domain::units;

/// What a followed execution brings; `None` is its end.
type Item = (String, Option<Result<Vec<HistoryEvent>, Error>>);

/// Prints one line per transition of everything that runs, until Ctrl-C. Executions that start meanwhile
/// join; the ones that end say how.
pub async fn watch_all(cx: &Context, out: &mut Output, aws: &Aws) -> Result<Exit, Problem> {
    let machines = aws.states.list_state_machines().await?;
    let machines: Vec<String> = machines.into_iter().filter(|one| !one.express).map(|one| one.arn).collect();
    let pause = Duration::from_secs(if cx.is_local() { 1 } else { 5 + 2 * machines.len() as u64 });
    let mut again = tokio::time::interval(pause);
    again.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut watching = Watching::new(Utc::now());
    let clock = |at| cx.clock(at);
    let mut events: SelectAll<BoxStream<'static, Item>> = SelectAll::new();
    out.say(&format!("Watching {} state machines; Ctrl-C ends it, and what runs goes on", machines.len()));
    loop {
        tokio::select! {
            Some((arn, item)) = events.next() => watching.take(out, &clock, &arn, item),
            _ = again.tick() => {
                for machine in &machines {
                    for arn in running(aws, machine, out).await {
                        if known.insert(arn.clone()) {
                            events.push(followed(aws, arn));
                        }
                    }
                }
            }
            _ = tokio::signal::ctrl_c() => {
                out.say("Stopped watching; the executions run on");
                return Ok(Exit::Interrupted);
            }
        }
        if out.closed() {
            return Ok(Exit::Done);
        }
    }
}

/// What is known of the executions that are followed.
struct Watching {
    began: DateTime<Utc>,
    timelines: BTreeMap<String, Timeline>,
}

impl Watching {
    fn new(began: DateTime<Utc>) -> Watching {
        Watching { began, timelines: BTreeMap::new() }
    }

    /// Prints what came of one execution. For people what happened before the watching is one line; programs
    /// get every event.
    fn take(
        &mut self,
        out: &mut Output,
        clock: &dyn Fn(DateTime<Utc>) -> String,
        arn: &str,
        item: Option<Result<Vec<HistoryEvent>, Error>>,
    ) {
        let batch = match item {
            Some(Ok(batch)) => batch,
            Some(Err(error)) => return out.say(&format!("{}: {}", name_of(arn), error.problem())),
            None => {
                self.timelines.remove(arn);
                return;
            }
        };
        let timeline = self.timelines.entry(arn.to_owned()).or_default();
        let joined = timeline.is_empty();
        let people = out.format() == Format::Table;
        let (before, since): (Vec<_>, Vec<_>) =
            batch.iter().partition(|event| people && event.at < self.began);
        timeline.extend(before.iter().copied());
        if joined && !before.is_empty() && !timeline.is_over() {
            out.text(&stands(&clock(self.began), arn, timeline, self.began));
        }
        // One after the other: a line tells how things stood when it happened.
        for event in since {
            timeline.apply(event);
            transition::print(out, &clock(event.at), arn, true, timeline, event);
        }
    }
}

fn followed(aws: &Aws, arn: String) -> BoxStream<'static, Item> {
    let end = arn.clone();
    let items = follow::execution(aws, &arn).map(move |item| (arn.clone(), Some(item)));
    items.chain(stream::once(async move { (end, None) })).boxed()
}

/// What runs of one machine. A failure is said and tried again the next time.
async fn running(aws: &Aws, machine: &str, out: &mut Output) -> Vec<String> {
    match aws.states.list_executions(machine, Some(Status::Running), None).await {
        Ok(page) => page.items.into_iter().map(|execution| execution.arn).collect(),
        Err(error) => {
            let name = machine.rsplit(':').next().unwrap_or(machine);
            out.say(&format!("{name}: {}", error.problem()));
            Vec::new()
        }
    }
}

/// Where an execution stands that ran before the watching began.
fn stands(clock: &str, arn: &str, timeline: &Timeline, now: DateTime<Utc>) -> String {
    let visit = timeline.current().map(|visit| &timeline.visits()[visit]);
    let place = visit.map_or_else(|| "is between states".to_owned(), |visit| format!("is in {}", visit.name));
    let span = timeline.elapsed(now).map(|span| format!(", running for {}", units::duration(span)));
    format!("{clock}  {}  {place}{}", full_name(arn), span.unwrap_or_default())
}

#[cfg(test)]
#[path = "watch_all_tests.rs"]
mod tests;
