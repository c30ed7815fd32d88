//! Every execution that runs, of all state machines, as lines while they happen. `finder.rs` says which
//! executions those are.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::stream::{BoxStream, SelectAll};
use futures::{StreamExt, stream};

use super::context::Context;
use super::exit::Exit;
use super::finder::Finder;
use super::output::{Format, Output};
use super::transition::{self, full_name};
use crate::aws::{Aws, Error, follow};
use crate::domain::execution::{HistoryEvent, Status, name_of};
use crate::domain::problem::Problem;
use crate::domain::timeline::Timeline;
use crate::domain::units;

/// What a followed execution brings; `None` is its end.
type Item = (String, Option<Result<Vec<HistoryEvent>, Error>>);

/// Every so many looks at the newest executions comes one at all that run: those may be older than a page.
const ALL_RUNNING: u64 = 4;
/// Pages of executions that began since the last look, at most.
const PAGES: usize = 10;

/// Prints one line per transition of everything that runs, until Ctrl-C. Executions that start meanwhile
/// join, also of state machines that are made meanwhile; the ones that end say how.
pub async fn watch_all(cx: &Context, out: &mut Output, aws: &Aws) -> Result<Exit, Problem> {
    let mut finder = Finder::new(standard(aws).await?);
    let pause = Duration::from_secs(if cx.is_local() { 1 } else { 5 + 2 * finder.len() as u64 });
    let mut again = tokio::time::interval(pause);
    again.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut watching = Watching::new(Utc::now());
    let clock = |at| cx.clock(at);
    let mut events: SelectAll<BoxStream<'static, Item>> = SelectAll::new();
    let machines = units::count(finder.len(), "state machine", "state machines");
    out.say(&format!("Watching {machines}; Ctrl-C ends it, and what runs goes on"));
    let mut told = BTreeSet::new();
    for round in 0_u64.. {
        // What is followed goes on while it is asked what else runs.
        let looking = look(cx, aws, &mut finder, round, &mut again);
        tokio::pin!(looking);
        let found = loop {
            tokio::select! {
                Some((arn, item)) = events.next() => watching.take(out, &clock, &arn, item),
                found = &mut looking => break found,
                _ = tokio::signal::ctrl_c() => {
                    out.say("Stopped watching; the executions run on");
                    return Ok(Exit::Interrupted);
                }
            }
            if out.closed() {
                return Ok(Exit::Done);
            }
        };
        told = tell(out, told, &found.problems);
        for arn in found.executions {
            if watching.follow(&arn) {
                events.push(followed(aws, arn));
            }
        }
    }
    Ok(Exit::Done)
}

/// What one look found: ARNs to follow, and what could not be asked.
#[derive(Default)]
struct Found {
    executions: Vec<String>,
    /// What went wrong, and with which state machines; none where it is about all of them.
    problems: BTreeMap<String, Vec<String>>,
}

/// Says what goes wrong once, and once that it is over; answers what goes wrong now.
fn tell(
    out: &mut Output,
    told: BTreeSet<String>,
    problems: &BTreeMap<String, Vec<String>>,
) -> BTreeSet<String> {
    for (problem, machines) in problems.iter().filter(|(problem, _)| !told.contains(*problem)) {
        match &machines[..] {
            [] => out.say(problem),
            [one] => out.say(&format!("{one}: {problem}")),
            [one, others @ ..] => {
                let others = units::count(others.len(), "other", "others");
                out.say(&format!("{one} and {others}: {problem}"));
            }
        }
    }
    for over in told.iter().filter(|problem| !problems.contains_key(*problem)) {
        out.say(&format!("Over: {over}"));
    }
    problems.keys().cloned().collect()
}

/// Waits for the next round and asks every state machine. A failure is told and tried again the next time.
async fn look(
    cx: &Context,
    aws: &Aws,
    finder: &mut Finder,
    round: u64,
    again: &mut tokio::time::Interval,
) -> Found {
    again.tick().await;
    let mut found = Found::default();
    let thorough = round.is_multiple_of(ALL_RUNNING);
    if round > 0 && (thorough || cx.is_local()) {
        match standard(aws).await {
            Ok(machines) => finder.learn(machines),
            Err(error) => {
                found.problems.entry(error.problem().to_string()).or_default();
            }
        }
    }
    for machine in finder.machines() {
        let mut told = newest(aws, finder, &machine).await;
        if let (Ok(arns), true) = (&mut told, thorough) {
            match aws.states.list_executions(&machine, Some(Status::Running), None).await {
                Ok(page) => arns.extend(finder.running(&page.items)),
                Err(error) => told = Err(error),
            }
        }
        match told {
            Ok(arns) => found.executions.extend(arns),
            // It was deleted.
            Err(error) if error.code == "StateMachineDoesNotExist" => finder.forget(&machine),
            Err(error) => {
                let name = machine.rsplit(':').next().unwrap_or(&machine);
                found.problems.entry(error.problem().to_string()).or_default().push(name.to_owned());
            }
        }
    }
    found
}

/// ARNs of the state machines whose executions have a history.
async fn standard(aws: &Aws) -> Result<Vec<String>, Error> {
    let machines = aws.states.list_state_machines().await?;
    Ok(machines.into_iter().filter(|one| !one.express).map(|one| one.arn).collect())
}

/// What began since the last look, and what else of the newest runs: the shortest execution is in that list.
async fn newest(aws: &Aws, finder: &mut Finder, machine: &str) -> Result<Vec<String>, Error> {
    let (mut items, mut token) = (Vec::new(), None);
    for _ in 0..PAGES {
        let page = aws.states.list_executions(machine, None, token).await?;
        items.extend(page.items);
        token = page.next;
        if token.is_none() || !finder.wants_more(machine, &items) {
            break;
        }
    }
    Ok(finder.newest(machine, &items))
}

/// What is known of the executions that are followed.
struct Watching {
    began: DateTime<Utc>,
    timelines: BTreeMap<String, Timeline>,
    /// The last event that was told of each that is over: a redriven one goes on behind it.
    told: BTreeMap<String, i64>,
    /// Whose history is not to be had: told once, and not asked for again.
    refused: BTreeSet<String>,
}

impl Watching {
    fn new(began: DateTime<Utc>) -> Watching {
        Watching { began, timelines: BTreeMap::new(), told: BTreeMap::new(), refused: BTreeSet::new() }
    }

    /// Begins with an execution; says whether it is not followed already.
    fn follow(&mut self, arn: &str) -> bool {
        let new = !self.timelines.contains_key(arn) && !self.refused.contains(arn);
        if new {
            self.timelines.insert(arn.to_owned(), Timeline::default());
        }
        new
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
            Some(Err(error)) if !error.retry() => {
                self.refused.insert(arn.to_owned());
                return out.say(&format!("{}: {}", name_of(arn), error.problem()));
            }
            Some(Err(error)) => return out.say(&format!("{}: {}", name_of(arn), error.problem())),
            None => {
                let last = self.timelines.remove(arn).and_then(|timeline| Some(timeline.last_event()?.id));
                if let Some(last) = last {
                    self.told.insert(arn.to_owned(), last);
                }
                return;
            }
        };
        let told = self.told.get(arn).copied().unwrap_or_default();
        let timeline = self.timelines.entry(arn.to_owned()).or_default();
        let joined = timeline.is_empty();
        let people = out.format() == Format::Table;
        let (before, since): (Vec<_>, Vec<_>) =
            batch.iter().partition(|event| event.id <= told || people && event.at < self.began);
        timeline.extend(before.iter().copied());
        if joined && !before.is_empty() && told == 0 && !timeline.is_over() {
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
