//! Every execution that runs, of all state machines, as lines while they happen.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::stream::{BoxStream, SelectAll};
use futures::{StreamExt, stream};

use super::context::Context;
use super::exit::Exit;
use super::output::{Column, Format, Output};
use crate::aws::{Aws, Error, follow};
use crate::domain::execution::{HistoryEvent, Status};
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
    let began = Utc::now();
    let mut again = tokio::time::interval(pause);
    again.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut timelines: BTreeMap<String, Timeline> = BTreeMap::new();
    let mut events: SelectAll<BoxStream<'static, Item>> = SelectAll::new();
    out.say(&format!("Watching {} state machines; Ctrl-C ends it, and what runs goes on", machines.len()));
    loop {
        tokio::select! {
            Some((arn, item)) = events.next() => match item {
                Some(Ok(batch)) => {
                    let timeline = timelines.entry(arn.clone()).or_default();
                    let joined = timeline.is_empty();
                    timeline.extend(&batch);
                    // For people what happened before the watching is one line; programs get every event.
                    let people = out.format() == Format::Table;
                    let (before, since): (Vec<_>, Vec<_>) =
                        batch.iter().partition(|event| people && event.at < began);
                    if joined && !before.is_empty() && !timeline.is_over() {
                        stands(cx, out, &arn, timeline, began);
                    }
                    for event in since {
                        print(cx, out, &arn, timeline, event);
                    }
                }
                Some(Err(error)) => out.say(&format!("{}: {}", name(&arn), error.problem())),
                None => {
                    timelines.remove(&arn);
                }
            },
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
            out.say(&format!("{}: {}", name(machine), error.problem()));
            Vec::new()
        }
    }
}

fn name(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}

/// Where an execution stands that ran before the watching began.
fn stands(cx: &Context, out: &mut Output, arn: &str, timeline: &Timeline, now: DateTime<Utc>) {
    let visit = timeline.current().map(|visit| &timeline.visits()[visit]);
    let place = visit.map_or_else(|| "is between states".to_owned(), |visit| format!("is in {}", visit.name));
    let span = timeline.elapsed(now).map(|span| format!(", running for {}", units::duration(span)));
    out.text(&format!("{}  {}  {place}{}", cx.clock(now), full_name(arn), span.unwrap_or_default()));
}

/// `machine / name`, from `arn:…:execution:<machine>:<name>`.
fn full_name(arn: &str) -> String {
    format!("{} / {}", arn.rsplit(':').nth(1).unwrap_or_default(), name(arn))
}

fn print(cx: &Context, out: &mut Output, arn: &str, timeline: &Timeline, event: &HistoryEvent) {
    let line = timeline.line(event);
    if out.format() == Format::Table && line.is_none() {
        return;
    }
    let state = timeline.owner(event.id).map(|visit| timeline.visits()[visit].name.clone());
    let columns = [
        Column::text("at"),
        Column::text("execution_arn"),
        Column::number("id"),
        Column::text("type"),
        Column::text("state"),
        Column::text("line"),
    ];
    let row = [
        event.at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true).into(),
        arn.into(),
        event.id.into(),
        event.kind.clone().into(),
        state.into(),
        line.clone().into(),
    ];
    let text = format!("{}  {}  {}", cx.clock(event.at), full_name(arn), line.unwrap_or_default());
    out.event(&columns, &row, &text);
}
