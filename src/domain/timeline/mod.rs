//! Folds history events, in any order, into "where is each state now".
//!
//! [`Timeline::apply`] takes events as they come: shuffled pages, duplicates, prefixes. The picture is a
//! function of the set of events alone. Start with [`Timeline::visits`] (one entry per stay in a state),
//! [`Timeline::now`] (one state's standing over all its visits) and [`Timeline::root_cause`].
//! `fold.rs` reads one event, `redrive.rs` finds what a redrive goes on with, `cause.rs` walks back from the
//! end, `words.rs` says it in a line.

mod cause;
mod events;
mod fold;
mod links;
mod plain;
mod redrive;
mod scope;
mod tally;
mod visit;
mod words;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

pub use cause::RootCause;
pub use plain::{message, plain_words};
pub use visit::{Attempt, Kind, Outcome, Parts, Scope, Standing, StateNow, Visit};

use super::execution::{HistoryEvent, Status};
use events::Events;
use tally::Tally;

/// One execution, as far as its events are known.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    events: Events,
    picture: Picture,
    /// Worked out when it is first asked for.
    cause: OnceLock<Option<RootCause>>,
}

/// What the events add up to. Rebuilt when an event arrives before one that is already folded.
#[derive(Clone, Debug, Default, PartialEq)]
struct Picture {
    /// The largest id folded so far.
    last: i64,
    /// Bytes of the longest event type, and the longest pause between two events.
    longest: usize,
    pause: TimeDelta,
    visits: Vec<Visit>,
    /// Event id -> visit it belongs to.
    owner: HashMap<i64, usize>,
    /// MapIterationStarted event id -> index of the iteration.
    iteration: HashMap<i64, u64>,
    /// Iterations that failed or were stopped: the event that said so, and whether it was a failure.
    stopped_items: BTreeMap<Scope, (i64, bool)>,
    /// What the newest redrive found halted and has not gone on with yet; of containers those that hold
    /// nothing of that kind.
    halted: BTreeSet<usize>,
    /// The Parallels around what it found halted, the innermost last.
    holding: Vec<usize>,
    status: Option<Status>,
    started: Option<DateTime<Utc>>,
    stopped: Option<DateTime<Utc>>,
    /// Id of the event that ended the execution.
    end: Option<i64>,
    redrives: u32,
    tally: Tally,
    /// Visits that the event being read has changed.
    changed: Vec<usize>,
}

impl Timeline {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one event; answers whether it was new. Ids identify events, so a duplicate changes nothing.
    pub fn apply(&mut self, event: &HistoryEvent) -> bool {
        self.extend(std::iter::once(event)) == 1
    }

    /// Takes a page of events at once, which is cheaper than one by one when they come newest first.
    /// Answers how many were new.
    pub fn extend<'a>(&mut self, events: impl IntoIterator<Item = &'a HistoryEvent>) -> usize {
        let before = self.events.as_slice().len();
        let (first, fresh) = self.events.add(events);
        if fresh == 0 {
            return 0;
        }
        self.cause = OnceLock::new();
        if first < before {
            // Something came late: the picture is drawn anew.
            self.picture = Picture::default();
        }
        let from = if first < before { 0 } else { before };
        let mut last = from.checked_sub(1).and_then(|last| self.events.nth(last)).map(|event| event.at);
        for event in &self.events.as_slice()[from..] {
            fold::fold(&mut self.picture, &self.events, event);
            self.picture.longest = self.picture.longest.max(event.kind.len());
            self.picture.pause =
                self.picture.pause.max(last.map_or(TimeDelta::zero(), |last| event.at - last));
            last = Some(event.at);
        }
        fresh
    }

    /// Every known event, oldest first.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = &HistoryEvent> {
        self.events.as_slice().iter().map(Arc::as_ref)
    }

    /// Bytes of the longest event type, and the longest pause between two neighbouring events.
    pub fn longest(&self) -> (usize, TimeDelta) {
        (self.picture.longest, self.picture.pause)
    }

    pub fn event(&self, id: i64) -> Option<&HistoryEvent> {
        self.events.get(id).map(Arc::as_ref)
    }

    /// The event with so many before it.
    pub fn nth(&self, place: usize) -> Option<&HistoryEvent> {
        self.events.nth(place).map(Arc::as_ref)
    }

    /// How many known events come before this one.
    pub fn position(&self, id: i64) -> Option<usize> {
        self.events.position(id)
    }

    /// The newest known event.
    pub fn last_event(&self) -> Option<&HistoryEvent> {
        self.events.as_slice().last().map(Arc::as_ref)
    }

    /// How many events are known.
    pub fn len(&self) -> usize {
        self.events.as_slice().len()
    }

    pub fn is_empty(&self) -> bool {
        self.events.as_slice().is_empty()
    }

    /// Every stay in a state, in the order of entry.
    pub fn visits(&self) -> &[Visit] {
        &self.picture.visits
    }

    /// The visit an event belongs to.
    pub fn owner(&self, event: i64) -> Option<usize> {
        self.picture.owner.get(&event).copied()
    }

    /// `None` before the first event.
    pub fn status(&self) -> Option<Status> {
        self.picture.status
    }

    pub fn is_over(&self) -> bool {
        self.picture.status.is_some_and(Status::is_over)
    }

    pub fn started(&self) -> Option<DateTime<Utc>> {
        self.picture.started
    }

    pub fn stopped(&self) -> Option<DateTime<Utc>> {
        self.picture.stopped
    }

    pub fn redrives(&self) -> u32 {
        self.picture.redrives
    }

    /// From the start to the end, or to `now` while it runs.
    pub fn elapsed(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        Some(self.picture.stopped.unwrap_or(now) - self.picture.started?)
    }

    /// The execution's input, JSON text.
    pub fn input(&self) -> Option<Cow<'_, str>> {
        let first = self.events().find(|event| event.kind == "ExecutionStarted")?;
        member(first, "input")
    }

    /// The execution's output, JSON text.
    pub fn output(&self) -> Option<Cow<'_, str>> {
        member(self.event(self.picture.end?)?, "output")
    }

    /// The execution's own error name, as its last event gives it.
    pub fn error(&self) -> Option<Cow<'_, str>> {
        member(self.event(self.picture.end?)?, "error")
    }

    pub fn cause(&self) -> Option<Cow<'_, str>> {
        member(self.event(self.picture.end?)?, "cause")
    }

    /// What a state was given, JSON text.
    pub fn input_of(&self, visit: &Visit) -> Option<Cow<'_, str>> {
        member(self.event(visit.entered_event)?, "input")
    }

    /// What a state answered, JSON text; `None` while it runs and when it failed.
    pub fn output_of(&self, visit: &Visit) -> Option<Cow<'_, str>> {
        member(self.event(visit.exited_event?)?, "output")
    }

    /// The newest visit that is still open; inner states before the container they run in.
    pub fn current(&self) -> Option<usize> {
        self.picture.tally.open().last().copied()
    }

    /// The newest visit of a state.
    pub fn last_visit(&self, state: &str) -> Option<usize> {
        self.visits_of(state).last().copied()
    }

    /// One state over all its visits: loops count by their last pass, iterations and branches together.
    pub fn now(&self, state: &str) -> StateNow {
        self.picture.tally.now(state)
    }

    /// The visits of a state, by rising index.
    pub fn visits_of(&self, state: &str) -> &[usize] {
        self.picture.tally.visits_of(state)
    }

    /// The newest visit of a state in one branch or iteration.
    pub fn visit_in(&self, state: &str, scope: Scope) -> Option<usize> {
        self.picture.tally.newest_in(state, Some(scope))
    }

    /// The newest visit in one branch or iteration.
    pub fn head(&self, scope: Scope) -> Option<usize> {
        self.picture.tally.head(Some(scope))
    }

    /// The first visit of each state, in the order in which they were entered.
    pub fn firsts(&self) -> impl Iterator<Item = &Visit> {
        self.picture.tally.firsts().map(|i| &self.picture.visits[i])
    }

    /// Whether the end had to wait for this visit. States at the top follow each other, so each of them delays
    /// the end; of a container's branches or iterations only the one that ended last does, and one that still
    /// runs counts as last.
    pub fn is_critical(&self, visit: usize) -> bool {
        let mut next = self.visits().get(visit);
        while let Some(scope) = next.and_then(|visit| visit.scope) {
            let decisive = self.picture.tally.decisive(scope.container).map(|i| self.picture.visits[i].scope);
            if decisive != Some(Some(scope)) {
                return false;
            }
            next = self.visits().get(scope.container);
        }
        next.is_some()
    }

    /// When a Wait state that runs will end, as far as its definition says: `state` is the state's JSON from
    /// the definition (`Seconds`, `Timestamp`, `SecondsPath`, `TimestampPath`; plain `$.a.b` paths only).
    pub fn wait_until(&self, visit: &Visit, state: &Value) -> Option<DateTime<Utc>> {
        let input = || serde_json::from_str::<Value>(&self.input_of(visit)?).ok();
        let at = |path: &Value| {
            let path = path.as_str()?.strip_prefix("$.")?.replace('.', "/");
            input()?.pointer(&format!("/{path}")).cloned()
        };
        let seconds = state.get("Seconds").cloned().or_else(|| at(state.get("SecondsPath")?));
        if let Some(seconds) = seconds.as_ref().and_then(Value::as_f64) {
            return visit.entered.checked_add_signed(TimeDelta::try_milliseconds((seconds * 1000.0) as i64)?);
        }
        let stamp = state.get("Timestamp").cloned().or_else(|| at(state.get("TimestampPath")?))?;
        Some(DateTime::parse_from_rfc3339(stamp.as_str()?).ok()?.to_utc())
    }

    /// Why it failed: the first state of the failure's own story, its error and cause. `None` while it runs
    /// and when it succeeded.
    pub fn root_cause(&self) -> Option<&RootCause> {
        self.cause.get_or_init(|| cause::find(&self.picture, &self.events)).as_ref()
    }

    /// The error that a visit (by index) met: its own, or the one that its catcher was told.
    pub fn error_of(&self, visit: usize) -> Option<Cow<'_, str>> {
        let own = self.picture.visits.get(visit)?.error.as_deref().map(Cow::Borrowed);
        own.or_else(|| Some(Cow::Owned(cause::caught(&self.picture, &self.events, visit)?.0)))
    }

    /// What an event means to a person following along, in one line without its time: `Copy entered`,
    /// `Copy succeeded in 310 ms`. `None` for events that only detail another. Apply the event first.
    pub fn line(&self, event: &HistoryEvent) -> Option<String> {
        words::line(self, event)
    }
}

/// Equal sets of events are equal timelines, in whatever order they came.
impl PartialEq for Timeline {
    fn eq(&self, other: &Self) -> bool {
        self.events == other.events && self.picture == other.picture
    }
}

/// A text member of an event's details; a value that is not text is shown as JSON.
fn member<'a>(event: &'a HistoryEvent, name: &str) -> Option<Cow<'a, str>> {
    match event.details.get(name)? {
        Value::Null => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        other => Some(Cow::Owned(other.to_string())),
    }
}
