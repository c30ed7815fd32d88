//! An execution that runs: where it stands, what it has under way, and how it ended.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use tokio::sync::{oneshot, watch};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use super::super::fault::Fault;
use super::arn;
use super::driver::lock;
use super::logging::Logging;
use super::record::Execution;
use crate::asl::cursor::{Cursor, Outcome, Ticket};
use crate::asl::machine::Machine;
use crate::asl::step::What;

pub struct Live {
    pub key: String,
    pub machine: Arc<Machine>,
    /// `None` once it is over.
    pub cursor: tokio::sync::Mutex<Option<Cursor>>,
    /// The id of the last event that is committed.
    events: AtomicI64,
    jobs: Mutex<HashMap<Ticket, Job>>,
    /// What it was told and has not heard yet.
    inbox: Mutex<VecDeque<Told>>,
    /// How it ended.
    outcome: watch::Sender<Option<Outcome>>,
    /// Express executions leave no trace.
    pub durable: bool,
    logging: OnceLock<Box<Logging>>,
}

/// What is heard at once at most.
const AT_ONCE: usize = 256;

/// Something that an execution is told, and who wants to know when it is recorded.
pub struct Told {
    pub what: What,
    answer: Option<oneshot::Sender<Result<(), Fault>>>,
}

impl Told {
    pub fn answer(self, heard: Result<(), Fault>) {
        if let Some(answer) = self.answer {
            // Who asked may have gone.
            let _ = answer.send(heard);
        }
    }
}

/// Something under way for a ticket.
pub enum Job {
    Work(AbortHandle),
    /// A map run, which stops its children before it ends.
    Run(CancellationToken),
    /// A task that waits for a worker, or is with one.
    Offer,
}

impl Live {
    pub fn new(key: &str, machine: Arc<Machine>, cursor: Cursor, durable: bool) -> Arc<Live> {
        Arc::new(Live {
            key: key.to_owned(),
            machine,
            events: AtomicI64::new(cursor.events),
            cursor: tokio::sync::Mutex::new(Some(cursor)),
            jobs: Mutex::default(),
            inbox: Mutex::default(),
            outcome: watch::Sender::new(None),
            durable,
            logging: OnceLock::new(),
        })
    }

    /// Its events go where its record says; the first one told counts.
    pub fn log_to(&self, record: &Execution, region: &str) {
        if record.logging.is_none() {
            return;
        }
        let id = if self.durable { record.arn(region) } else { arn::of_express(region, &record.key) };
        if let Some(logging) = record.logging(id) {
            let _ = self.logging.set(Box::new(logging));
        }
    }

    pub fn logging(&self) -> Option<&Logging> {
        self.logging.get().map(Box::as_ref)
    }

    pub fn events(&self) -> i64 {
        self.events.load(Ordering::Acquire)
    }

    /// The cursor's events may be shown.
    pub fn recorded(&self, cursor: &Cursor) {
        self.events.store(cursor.events, Ordering::Release);
    }

    pub fn tell(&self, what: What, answer: Option<oneshot::Sender<Result<(), Fault>>>) {
        lock(&self.inbox).push_back(Told { what, answer });
    }

    /// What it was told, in that order, and has not heard yet.
    pub fn told(&self) -> Vec<Told> {
        let mut inbox = lock(&self.inbox);
        let count = inbox.len().min(AT_ONCE);
        inbox.drain(..count).collect()
    }

    /// Where it stands now; `None` when it is over.
    pub async fn standing(&self) -> Option<Cursor> {
        self.cursor.lock().await.clone()
    }

    pub fn hold(&self, ticket: Ticket, job: Job) {
        lock(&self.jobs).insert(ticket, job);
    }

    /// Runs `work` for a ticket until it is called off.
    pub fn job(&self, ticket: Ticket, work: impl Future<Output = ()> + Send + 'static) {
        self.hold(ticket, Job::Work(tokio::spawn(work).abort_handle()));
    }

    pub fn call_off(&self, ticket: Ticket) {
        if let Some(job) = lock(&self.jobs).remove(&ticket) {
            job.end();
        }
    }

    /// It is over: ends what is under way and tells who waits. Gives the tickets of tasks that workers
    /// may still be offered.
    pub fn finish(&self, outcome: Outcome) -> Vec<Ticket> {
        let jobs = std::mem::take(&mut *lock(&self.jobs));
        let mut offers = Vec::new();
        for (ticket, job) in jobs {
            if matches!(job, Job::Offer) {
                offers.push(ticket);
            }
            job.end();
        }
        self.outcome.send_replace(Some(outcome));
        offers
    }

    /// Resolves with how it ended; at once when it has.
    pub async fn outcome(&self) -> Option<Outcome> {
        let mut outcome = self.outcome.subscribe();
        let ended = outcome.wait_for(Option::is_some).await.ok()?;
        ended.clone()
    }
}

impl Job {
    fn end(self) {
        match self {
            Job::Work(handle) => handle.abort(),
            Job::Run(stop) => stop.cancel(),
            Job::Offer => {}
        }
    }
}
