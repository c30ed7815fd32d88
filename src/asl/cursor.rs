//! Where an execution stands: everything the next step needs, so that it can be journaled and taken up
//! again by another process.
//!
//! An execution is a set of **strands**. The first one runs the machine's own states; a Parallel or Map
//! state starts one for each branch or iteration and waits until they are done. Whatever is under way
//! (a task, a wait, a timeout) has a **ticket**, a number that is never used twice, so that an answer
//! that comes too late is recognised as such.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::data::Data;
use super::failure::Failure;
use super::scope::Variables;

pub type Ticket = u64;

/// The state of one execution.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cursor {
    pub about: About,
    /// The id of the last event.
    pub events: i64,
    pub redrives: u32,
    /// How it ended.
    pub over: Option<Outcome>,
    pub(super) tickets: Ticket,
    pub(super) strands: BTreeMap<u64, Strand>,
    pub(super) ready: VecDeque<u64>,
    /// TimeoutSeconds of the machine.
    pub(super) deadline: Option<Timer>,
    /// Its state machine is being deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) deleted: bool,
    /// The strands as they stood when the execution failed: where a redrive takes up.
    pub(super) halted: BTreeMap<u64, Strand>,
    /// What the variables weigh that each strand assigned itself, in bytes of JSON.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) stored: BTreeMap<u64, usize>,
}

/// What the context object tells of an execution.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct About {
    /// The execution's ARN.
    pub id: String,
    pub name: String,
    pub role: String,
    /// The state machine's ARN, without version or alias.
    pub machine: String,
    pub machine_name: String,
    pub region: String,
    pub input: Data,
    pub started: DateTime<Utc>,
    /// The version and alias it was started by.
    pub version: Option<String>,
    pub alias: Option<String>,
    /// No limit on events for express executions.
    pub express: bool,
    /// The iteration a child execution of a distributed map stands for.
    pub item: Option<Item>,
    /// What its task tokens are signed with.
    #[serde(default)]
    pub secret: String,
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    Succeeded(Data),
    Failed(Failure),
    TimedOut(Failure),
    Aborted(Failure),
}

/// A wait: from when until when, in the cloud's time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timer {
    pub ticket: Ticket,
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
}

/// The iteration of a map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub index: usize,
    pub value: Data,
    /// Its name, when the members of an object are mapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Where it was read, when it did not come with the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Arc<str>>,
}

/// One sequence of states.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Strand {
    pub parent: Option<u64>,
    /// The Map and Parallel states above, each with the branch.
    pub route: Arc<Vec<(String, usize)>>,
    /// Which branch or iteration of its parent it is.
    pub index: usize,
    pub item: Option<Item>,
    pub state: String,
    pub input: Data,
    pub variables: Arc<Variables>,
    /// The last event.
    pub previous: i64,
    /// The event that led to the state.
    #[serde(default)]
    pub led_by: i64,
    /// The event with which the state was entered, and when.
    pub entered: i64,
    pub entered_at: DateTime<Utc>,
    /// Retries so far, of each retrier and in all.
    pub attempts: Vec<u32>,
    pub retries: u32,
    pub at: At,
}

/// What a strand is doing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum At {
    /// Ready to enter its state.
    Entering,
    /// Ready to do the state's work, once more or after a redrive.
    Starting,
    /// In a Wait state.
    Waiting(Timer),
    /// Before a retry.
    BackingOff(Timer),
    Working(Box<Work>),
    Joining(Box<Join>),
}

/// A task under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Work {
    pub ticket: Ticket,
    /// The Resource's ARN; a map run's own for a distributed map.
    pub resource: String,
    pub token: Option<String>,
    pub timeout: Option<Timer>,
    pub heartbeat: Option<Timer>,
    /// A `.sync` or callback task's first answer: from here on it goes on without us.
    pub submitted: Option<Data>,
    /// An activity's task that no worker has taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered: Option<Offered>,
}

/// What a worker of an activity will get; its times begin only then.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Offered {
    pub input: Data,
    /// Seconds.
    pub timeout: Option<f64>,
    pub heartbeat: Option<f64>,
}

/// A Parallel or Map state and its strands.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Join {
    /// Results by branch or iteration.
    pub results: Vec<Option<Data>>,
    /// Inputs of iterations that have not started.
    pub pending: VecDeque<(usize, Data, Data)>,
    /// The names of the members when an object is mapped, by iteration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    pub running: Vec<u64>,
}

impl Cursor {
    /// An execution that has not begun.
    pub fn new(about: About) -> Cursor {
        Cursor {
            about,
            events: 0,
            redrives: 0,
            over: None,
            tickets: 0,
            strands: BTreeMap::new(),
            ready: VecDeque::new(),
            deadline: None,
            deleted: false,
            halted: BTreeMap::new(),
            stored: BTreeMap::new(),
        }
    }

    /// What is under way: waits with their times, and tasks.
    pub fn under_way(&self) -> Vec<UnderWay> {
        let mut list: Vec<_> = self.deadline.iter().cloned().map(UnderWay::Wait).collect();
        for strand in self.strands.values() {
            match &strand.at {
                At::Waiting(timer) | At::BackingOff(timer) => list.push(UnderWay::Wait(timer.clone())),
                At::Working(work) => {
                    list.push(UnderWay::Task {
                        ticket: work.ticket,
                        resource: work.resource.clone(),
                        submitted: work.submitted.clone(),
                        token: work.token.clone(),
                        offered: work.offered.as_ref().map(|offered| offered.input.clone()),
                    });
                    list.extend(work.timeout.iter().chain(&work.heartbeat).cloned().map(UnderWay::Wait));
                }
                At::Entering | At::Starting | At::Joining(_) => {}
            }
        }
        list
    }

    /// Whether the task of the ticket waits for an answer with this token.
    pub fn awaits(&self, ticket: Ticket, token: &str) -> bool {
        self.strands.values().any(|strand| match &strand.at {
            At::Working(work) => work.ticket == ticket && work.token.as_deref() == Some(token),
            _ => false,
        })
    }

    /// Whether strands are ready to go on by themselves.
    pub fn is_ready(&self) -> bool {
        !self.ready.is_empty() && self.over.is_none()
    }

    /// Whether it can be redriven: it ended without success, and it is known where.
    pub fn is_redrivable(&self) -> bool {
        !matches!(self.over, None | Some(Outcome::Succeeded(_))) && !self.halted.is_empty()
    }

    pub(super) fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        self.tickets
    }

    pub(super) fn holder(&self, ticket: Ticket) -> Option<u64> {
        let holds = |strand: &Strand| match &strand.at {
            At::Waiting(timer) | At::BackingOff(timer) => timer.ticket == ticket,
            At::Working(work) => {
                let timers = work.timeout.iter().chain(&work.heartbeat);
                work.ticket == ticket || timers.into_iter().any(|t| t.ticket == ticket)
            }
            At::Entering | At::Starting | At::Joining(_) => false,
        };
        self.strands.iter().find(|(_, strand)| holds(strand)).map(|(id, _)| *id)
    }
}

/// One thing under way, for whoever takes an execution up again.
#[derive(Clone, Debug, PartialEq)]
pub enum UnderWay {
    Wait(Timer),
    Task {
        ticket: Ticket,
        resource: String,
        submitted: Option<Data>,
        token: Option<String>,
        /// The input of an activity's task that no worker has taken.
        offered: Option<Data>,
    },
}
