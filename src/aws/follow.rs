//! Executions and logs as streams: page tokens, adaptive pace, backoff, no event twice.
//!
//! What is decided (which events are new, when to ask again) is pure: [`Known`] and [`Pace`]. The
//! streams ask, feed them and sleep.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::Stream;
use futures::stream;
use serde_json::Value;
use tokio::time::Instant;

use super::error::{Error, Kind};
use super::{Aws, Page};
use crate::domain::execution::HistoryEvent;
use crate::domain::log::LogLine;

/// Which events of a history were handed on. Ids count from 1 without gaps; a page that was
/// answered before its predecessor became visible is held back until the gap closes.
#[derive(Debug, Default)]
pub struct Known {
    /// Every event up to this id was handed on.
    upto: i64,
    held: BTreeMap<i64, HistoryEvent>,
    /// Answers in a row that left the gap open.
    waited: u32,
    last_kind: String,
}

/// A gap that stays open this many answers is taken for real.
const PATIENCE: u32 = 5;

impl Known {
    /// Whether a page read newest first reaches back to what is known, so that no further page is
    /// needed.
    pub fn reached(&self, page: &[HistoryEvent]) -> bool {
        page.iter().any(|event| event.id <= self.upto + 1)
    }

    /// Takes events in any order, repeated or not; hands on the new ones, oldest first.
    pub fn take(&mut self, events: impl IntoIterator<Item = HistoryEvent>) -> Vec<HistoryEvent> {
        let upto = self.upto;
        self.held.extend(events.into_iter().filter(|event| event.id > upto).map(|event| (event.id, event)));
        let mut fresh = Vec::new();
        loop {
            while let Some(event) = self.held.remove(&(self.upto + 1)) {
                self.upto = event.id;
                fresh.push(event);
            }
            let Some(&next) = self.held.keys().next() else {
                self.waited = 0;
                break;
            };
            self.waited += 1;
            if self.waited <= PATIENCE {
                break;
            }
            self.waited = 0;
            self.upto = next - 1;
        }
        if let Some(last) = fresh.last() {
            self.last_kind.clone_from(&last.kind);
        }
        fresh
    }

    /// Whether the execution is over, as far as its events say. A redriven one is not.
    pub fn over(&self) -> bool {
        self.held.is_empty()
            && matches!(
                self.last_kind.as_str(),
                "ExecutionSucceeded" | "ExecutionFailed" | "ExecutionAborted" | "ExecutionTimedOut"
            )
    }
}

/// When to ask again: soon after something moved, ever later while nothing does, punctually when a
/// wait is known to end, and patiently after a failure.
#[derive(Clone, Debug)]
pub struct Pace {
    soonest: Duration,
    latest: Duration,
    now: Duration,
    failures: u32,
}

impl Pace {
    /// For a service on this machine: an answer costs about a millisecond.
    pub fn quick() -> Self {
        Pace::between(Duration::from_millis(12), Duration::from_millis(48))
    }

    /// For AWS, whose quotas the whole account shares.
    pub fn polite() -> Self {
        Pace::between(Duration::from_millis(400), Duration::from_secs(4))
    }

    pub fn between(soonest: Duration, latest: Duration) -> Self {
        Pace { soonest, latest, now: soonest, failures: 0 }
    }

    pub fn moved(&mut self) {
        self.now = self.soonest;
        self.failures = 0;
    }

    pub fn quiet(&mut self) {
        self.now = self.now.mul_f64(1.4).min(self.latest);
        self.failures = 0;
    }

    pub fn failed(&mut self) {
        self.failures += 1;
    }

    /// How long to sleep. `due` is the time until a known end of a wait.
    pub fn sleep(&self, due: Option<Duration>) -> Duration {
        if self.failures > 0 {
            let doubled = Duration::from_millis(500).saturating_mul(1 << self.failures.min(6));
            return doubled.min(Duration::from_secs(15)).max(self.soonest);
        }
        match due {
            // Asking exactly at the end would come too early: the service needs a moment.
            Some(due) if due > self.latest * 2 => (due + self.soonest / 2).min(self.latest * 8),
            _ => self.now,
        }
    }
}

/// Whether to go on asking after this failure.
fn passing(error: &Error) -> bool {
    matches!(
        error.kind,
        Kind::Throttled | Kind::Unreachable | Kind::Expired | Kind::Credentials | Kind::Service
    )
}

struct Following {
    aws: Aws,
    arn: String,
    known: Known,
    pace: Pace,
    /// The page to go on with while catching up, oldest first.
    catching_up: Option<Option<String>>,
    /// Seconds of the definition's Wait states, asked for once.
    waits: Option<HashMap<String, Duration>>,
    due: Option<Instant>,
    ended: bool,
}

/// The events of an execution from its first: batches as they are seen, each event once, oldest
/// first. Ends after the event that ends the execution. A failure that may pass (throttled,
/// unreachable, expired credentials) is yielded once and asking goes on; any other ends the stream.
pub fn execution(
    aws: &Aws,
    arn: &str,
) -> impl Stream<Item = Result<Vec<HistoryEvent>, Error>> + Send + use<> {
    let pace = if aws.states.quick() { Pace::quick() } else { Pace::polite() };
    let start = Following {
        aws: aws.clone(),
        arn: arn.to_owned(),
        known: Known::default(),
        pace,
        catching_up: Some(None),
        waits: None,
        due: None,
        ended: false,
    };
    stream::unfold(start, |mut following| async move {
        let item = following.next().await?;
        Some((item, following))
    })
}

impl Following {
    async fn next(&mut self) -> Option<Result<Vec<HistoryEvent>, Error>> {
        while !self.ended {
            let answer = match self.catching_up.take() {
                Some(token) => self.older_page(token).await,
                None => {
                    let due = self.due.map(|due| due.saturating_duration_since(Instant::now()));
                    tokio::time::sleep(self.pace.sleep(due)).await;
                    self.newest().await
                }
            };
            match answer {
                Ok(fresh) => {
                    self.ended = self.catching_up.is_none() && self.known.over();
                    if fresh.is_empty() {
                        self.pace.quiet();
                        continue;
                    }
                    self.pace.moved();
                    self.note_wait(&fresh).await;
                    return Some(Ok(fresh));
                }
                Err(error) if passing(&error) => {
                    self.pace.failed();
                    if self.pace.failures == 1 {
                        return Some(Err(error));
                    }
                }
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }

    /// Catching up: oldest first, so that a long history fills the screen from its beginning.
    async fn older_page(&mut self, token: Option<String>) -> Result<Vec<HistoryEvent>, Error> {
        let page = self.aws.states.get_execution_history(&self.arn, false, token, 1000).await?;
        let fresh = self.known.take(page.items);
        self.catching_up = page.next.map(Some);
        Ok(fresh)
    }

    /// Newest first until a known event.
    async fn newest(&mut self) -> Result<Vec<HistoryEvent>, Error> {
        let mut events = Vec::new();
        let mut token = None;
        loop {
            let page = self.aws.states.get_execution_history(&self.arn, true, token, 50).await?;
            let reached = self.known.reached(&page.items);
            events.extend(page.items);
            match page.next {
                Some(next) if !reached => token = Some(next),
                _ => return Ok(self.known.take(events)),
            }
        }
    }

    /// A wait of known length was entered last: nothing happens before it ends. Only worth knowing
    /// where asking is dear, and only where nothing runs beside it.
    async fn note_wait(&mut self, fresh: &[HistoryEvent]) {
        self.due = None;
        let Some(last) = fresh.last() else { return };
        if self.aws.states.quick() || last.kind != "WaitStateEntered" || self.catching_up.is_some() {
            return;
        }
        if self.waits.is_none() {
            let definition = self.aws.states.describe_state_machine_for_execution(&self.arn).await;
            self.waits = Some(definition.map(|one| waits_of(&one.text)).unwrap_or_default());
        }
        let name = last.details.get("name").and_then(Value::as_str).unwrap_or_default();
        self.due = self.waits.iter().find_map(|waits| waits.get(name)).map(|wait| Instant::now() + *wait);
    }
}

/// The Wait states at the top of a definition that say their seconds; nothing when the machine does
/// several things at once.
fn waits_of(definition: &str) -> HashMap<String, Duration> {
    let definition: Value = serde_json::from_str(definition).unwrap_or_default();
    let states = definition.get("States").and_then(Value::as_object);
    let parallel = states
        .into_iter()
        .flat_map(|states| states.values())
        .any(|state| matches!(state.get("Type").and_then(Value::as_str), Some("Parallel" | "Map")));
    if parallel {
        return HashMap::new();
    }
    let seconds = |state: &Value| state.get("Seconds").and_then(Value::as_u64).map(Duration::from_secs);
    states.into_iter().flatten().filter_map(|(name, state)| Some((name.clone(), seconds(state)?))).collect()
}

/// Which log lines were handed on: those of the last moments, by id.
#[derive(Debug, Default)]
struct Tail {
    newest: Option<DateTime<Utc>>,
    seen: HashSet<String>,
    recent: Vec<(DateTime<Utc>, String)>,
}

/// Lines may become visible this much after younger ones.
const LATE: TimeDelta = TimeDelta::seconds(20);

impl Tail {
    fn take(&mut self, lines: Vec<LogLine>) -> Vec<LogLine> {
        let mut fresh: Vec<LogLine> =
            lines.into_iter().filter(|line| self.seen.insert(line.id.clone())).collect();
        fresh.sort_by_key(|line| line.at);
        for line in &fresh {
            self.newest = self.newest.max(Some(line.at));
            self.recent.push((line.at, line.id.clone()));
        }
        if let Some(horizon) = self.since(None) {
            let seen = &mut self.seen;
            self.recent.retain(|(at, id)| *at >= horizon || !seen.remove(id));
        }
        fresh
    }

    /// From when to ask next.
    fn since(&self, start: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        self.newest.map(|newest| newest - LATE).max(start)
    }
}

/// The lines of a log group from `since` on, and then as they come. A group that is not there yet is
/// awaited: the function has not run. Never ends by itself except on a failure that will not pass.
pub fn logs(
    aws: &Aws,
    group: &str,
    since: Option<DateTime<Utc>>,
) -> impl Stream<Item = Result<Vec<LogLine>, Error>> + Send + use<> {
    matching_logs(aws, group, since, None)
}

/// Likewise, only what matches a CloudWatch filter pattern.
pub fn matching_logs(
    aws: &Aws,
    group: &str,
    since: Option<DateTime<Utc>>,
    pattern: Option<String>,
) -> impl Stream<Item = Result<Vec<LogLine>, Error>> + Send + use<> {
    let pace = match aws.logs.quick() {
        true => Pace::between(Duration::from_millis(60), Duration::from_millis(400)),
        false => Pace::between(Duration::from_millis(1000), Duration::from_secs(5)),
    };
    let tailing = Tailing {
        aws: aws.clone(),
        group: group.to_owned(),
        since,
        pattern,
        tail: Tail::default(),
        pace,
        asked: false,
        ended: false,
    };
    stream::unfold(tailing, |mut tailing| async move {
        let item = tailing.next().await?;
        Some((item, tailing))
    })
}

struct Tailing {
    aws: Aws,
    group: String,
    since: Option<DateTime<Utc>>,
    pattern: Option<String>,
    tail: Tail,
    pace: Pace,
    asked: bool,
    ended: bool,
}

impl Tailing {
    async fn next(&mut self) -> Option<Result<Vec<LogLine>, Error>> {
        while !self.ended {
            if std::mem::replace(&mut self.asked, true) {
                tokio::time::sleep(self.pace.sleep(None)).await;
            }
            match self.lines().await {
                Ok(lines) => {
                    let fresh = self.tail.take(lines);
                    if fresh.is_empty() {
                        self.pace.quiet();
                    } else {
                        self.pace.moved();
                        return Some(Ok(fresh));
                    }
                }
                Err(error) if error.kind == Kind::NotFound => self.pace.quiet(),
                Err(error) if passing(&error) => {
                    self.pace.failed();
                    if self.pace.failures == 1 {
                        return Some(Err(error));
                    }
                }
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }

    async fn lines(&self) -> Result<Vec<LogLine>, Error> {
        let since = self.tail.since(self.since);
        let mut lines = Vec::new();
        let mut token = None;
        loop {
            let Page { items, next } =
                self.aws.logs.filter_log_events(&self.group, since, self.pattern.as_deref(), token).await?;
            lines.extend(items);
            match next {
                Some(next) => token = Some(next),
                None => return Ok(lines),
            }
        }
    }
}

#[cfg(test)]
#[path = "follow_tests.rs"]
mod tests;
