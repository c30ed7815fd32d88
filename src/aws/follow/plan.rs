//! Following one history, decided without doing: what to ask next and when, and what an answer adds.
//!
//! The first load reads oldest first, page by page, so that a long history fills the screen from its
//! beginning. After that one page, newest first, tells what is new; only when more than a page is new does
//! it read on until it meets what it knows, since the API has no "since".

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::{Known, Pace};
use crate::aws::Page;
use crate::domain::execution::HistoryEvent;

/// One call of GetExecutionHistory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// How long to wait before it is sent.
    pub after: Duration,
    pub newest_first: bool,
    pub token: Option<String>,
    /// Events on the page at most.
    pub max: u32,
}

/// Where in the history the next page lies.
#[derive(Debug)]
enum Step {
    /// Catching up, oldest first.
    Older(Option<String>),
    /// What is new: pages read so far, newest first, and where they go on.
    Newest { read: Vec<HistoryEvent>, token: Option<String> },
}

/// Events of a page while catching up, and of one that asks for what is new.
const WHOLE: u32 = 1000;
const NEW: u32 = 100;

/// The state of following one execution.
#[derive(Debug)]
pub struct Plan {
    pub known: Known,
    pace: Pace,
    step: Step,
    /// When the wait that runs is known to end.
    due: Option<Instant>,
    ended: bool,
}

impl Plan {
    pub fn new(pace: Pace) -> Plan {
        Plan { known: Known::default(), pace, step: Step::Older(None), due: None, ended: false }
    }

    /// The next call; `None` once the execution is over.
    pub fn next(&self, now: Instant) -> Option<Ask> {
        if self.ended {
            return None;
        }
        let pause = match (&self.step, self.pace.failures) {
            // Pages of one reading follow each other at once; the budget alone holds them back.
            (Step::Older(_) | Step::Newest { token: Some(_), .. }, 0) => Duration::ZERO,
            _ => self.pace.sleep(self.due.map(|due| due.saturating_duration_since(now))),
        };
        let (newest_first, token, max) = match &self.step {
            Step::Older(token) => (false, token.clone(), WHOLE),
            Step::Newest { token, .. } => (true, token.clone(), NEW),
        };
        Some(Ask { after: pause, newest_first, token, max })
    }

    /// Takes the answer to the last call; hands on what is new, oldest first.
    pub fn answered(&mut self, page: Page<HistoryEvent>) -> Vec<HistoryEvent> {
        let step = std::mem::replace(&mut self.step, Step::Newest { read: Vec::new(), token: None });
        let fresh = match step {
            Step::Older(_) => {
                let fresh = self.known.take(page.items);
                if page.next.is_some() {
                    self.step = Step::Older(page.next);
                }
                fresh
            }
            Step::Newest { mut read, .. } => {
                let reached = self.known.reached(&page.items);
                read.extend(page.items);
                match page.next {
                    Some(next) if !reached => {
                        self.step = Step::Newest { read, token: Some(next) };
                        self.pace.moved();
                        return Vec::new();
                    }
                    _ => self.known.take(read),
                }
            }
        };
        let caught_up = matches!(self.step, Step::Newest { .. });
        self.ended = caught_up && self.known.over();
        if fresh.is_empty() {
            self.pace.quiet();
        } else {
            self.pace.moved();
            self.due = None;
        }
        fresh
    }

    /// The last call failed in a way that may pass; answers whether it is the first failure in a row.
    pub fn failed(&mut self) -> bool {
        // A page token may have grown stale meanwhile: what is new is read from the newest again.
        if let Step::Newest { read, token } = &mut self.step {
            read.clear();
            *token = None;
        }
        self.pace.failed();
        self.pace.failures == 1
    }

    /// It failed in a way that will not pass.
    pub fn give_up(&mut self) {
        self.ended = true;
    }

    /// Nothing will happen before this moment.
    pub fn wait_until(&mut self, due: Instant) {
        self.due = Some(due);
    }

    /// The wait that was entered last, by name, when nothing is being caught up.
    pub fn entered_wait<'a>(&self, fresh: &'a [HistoryEvent]) -> Option<&'a str> {
        let last = fresh.last().filter(|last| last.kind == "WaitStateEntered")?;
        matches!(self.step, Step::Newest { .. }).then_some(last.details.get("name")?.as_str()?)
    }
}

/// The Wait states at the top of a definition that say their seconds; nothing when the machine does
/// several things at once.
pub fn waits_of(definition: &str) -> HashMap<String, Duration> {
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
