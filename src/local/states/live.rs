//! An execution that runs: where it stands, what it has under way, and how it ended.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use futures::FutureExt;
use tokio::sync::{oneshot, watch};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use super::super::fault::Fault;
use super::arn;
use super::driver::lock;
use super::jobs::Started;
use super::logging::Logging;
use super::record::Execution;
use crate::asl::cursor::{Cursor, Outcome, Ticket};
use crate::asl::machine::Machine;
use crate::asl::step::{Directive, What};

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
    /// The client token of the request that redrove it.
    redriven_by: OnceLock<String>,
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
    /// Work of ours, and the job elsewhere that it started and waits for.
    Work(AbortHandle, Option<Started>),
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
            redriven_by: OnceLock::new(),
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

    /// Notes the client token of the request that redrives it.
    pub fn redriven_by(&self, token: Option<String>) {
        if let Some(token) = token {
            // One of these is made for each redrive.
            let _ = self.redriven_by.set(token);
        }
    }

    pub fn redrive_token(&self) -> Option<&str> {
        self.redriven_by.get().map(String::as_str)
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
        // Held while it is begun: the work may ask at once whether it is still wanted.
        let mut jobs = lock(&self.jobs);
        jobs.insert(ticket, Job::Work(tokio::spawn(work.boxed()).abort_handle(), None));
    }

    /// Keeps in mind what the work of a ticket started elsewhere. Gives it back when the work was called
    /// off meanwhile.
    pub fn entrust(&self, ticket: Ticket, started: Started) -> Option<Started> {
        match lock(&self.jobs).get_mut(&ticket) {
            Some(Job::Work(_, kept)) => {
                *kept = Some(started);
                None
            }
            _ => Some(started),
        }
    }

    /// The job elsewhere is over; there is nothing left to be called off.
    pub fn relieve(&self, ticket: Ticket) {
        if let Some(Job::Work(_, kept)) = lock(&self.jobs).get_mut(&ticket) {
            *kept = None;
        }
    }

    /// The jobs elsewhere that nobody will wait for any more once these directives are followed.
    pub fn leaving(&self, directives: &[Directive]) -> Vec<Started> {
        let all = directives.iter().any(|directive| matches!(directive, Directive::Finish(_)));
        let ends = |ticket: &Ticket| {
            all || directives.iter().any(|directive| matches!(directive, Directive::Cancel(t) if t == ticket))
        };
        let jobs = lock(&self.jobs);
        let started = jobs.iter().filter_map(|(ticket, job)| match job {
            Job::Work(_, Some(started)) if ends(ticket) => Some(started.clone()),
            _ => None,
        });
        started.collect()
    }

    /// Ends what is under way for a ticket. Gives the job elsewhere that nobody waits for any more.
    pub fn call_off(&self, ticket: Ticket) -> Option<Started> {
        lock(&self.jobs).remove(&ticket)?.end()
    }

    /// It is over: ends what is under way and tells who waits. Gives the tickets of tasks that workers
    /// may still be offered, and the jobs elsewhere that nobody waits for any more.
    pub fn finish(&self, outcome: Outcome) -> (Vec<Ticket>, Vec<Started>) {
        let jobs = std::mem::take(&mut *lock(&self.jobs));
        let (mut offers, mut left) = (Vec::new(), Vec::new());
        for (ticket, job) in jobs {
            if matches!(job, Job::Offer) {
                offers.push(ticket);
            }
            left.extend(job.end());
        }
        self.outcome.send_replace(Some(outcome));
        (offers, left)
    }

    /// Resolves with how it ended; at once when it has.
    pub async fn outcome(&self) -> Option<Outcome> {
        let mut outcome = self.outcome.subscribe();
        let ended = outcome.wait_for(Option::is_some).await.ok()?;
        ended.clone()
    }
}

impl Job {
    fn end(self) -> Option<Started> {
        match self {
            Job::Work(handle, started) => {
                handle.abort();
                return started;
            }
            Job::Run(stop) => stop.cancel(),
            Job::Offer => {}
        }
        None
    }
}
