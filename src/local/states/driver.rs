//! Performs what [`crate::asl::step`] directs. Journal before act: a step's events and its cursor are
//! committed together before anything it asks for is done and before anybody can see them.
//!
//! Everything that happens to an execution comes through [`Driver::deliver`], one thing at a time. Waits
//! sleep; nothing polls. What was under way when the process ended is taken up by [`super::resume`].

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use futures::future::BoxFuture;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::super::bus::Bus;
use super::super::fault::Fault;
use super::journal::Journal;
use super::record::{self, EXECUTIONS, Execution, RUNNING};
use super::{arn, tasks};
use crate::asl::cursor::{Cursor, Outcome, Ticket, Timer};
use crate::asl::data::Data;
use crate::asl::event::Event;
use crate::asl::failure::Failure;
use crate::asl::machine::Machine;
use crate::asl::step::{Directive, Progress, Stimulus, What, step};
use crate::asl::task::read_token;

pub struct Driver {
    bus: Weak<Bus>,
    live: Mutex<HashMap<String, Arc<Live>>>,
}

/// An execution that runs.
pub struct Live {
    pub key: String,
    machine: Arc<Machine>,
    /// `None` once it is over.
    cursor: tokio::sync::Mutex<Option<Cursor>>,
    /// The id of the last event that is committed.
    events: AtomicI64,
    jobs: Mutex<HashMap<Ticket, AbortHandle>>,
    /// How it ended.
    outcome: watch::Sender<Option<Outcome>>,
    /// Express executions leave no trace.
    durable: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Live {
    pub fn new(key: &str, machine: Arc<Machine>, cursor: Cursor, durable: bool) -> Arc<Live> {
        Arc::new(Live {
            key: key.to_owned(),
            machine,
            events: AtomicI64::new(cursor.events),
            cursor: tokio::sync::Mutex::new(Some(cursor)),
            jobs: Mutex::default(),
            outcome: watch::Sender::new(None),
            durable,
        })
    }
}

impl Driver {
    pub fn new(bus: &Arc<Bus>) -> Arc<Driver> {
        Arc::new(Driver { bus: Arc::downgrade(bus), live: Mutex::default() })
    }

    pub fn bus(&self) -> Result<Arc<Bus>, Fault> {
        self.bus.upgrade().ok_or_else(|| Fault::internal("the local cloud is stopping"))
    }

    pub fn is_busy(&self) -> bool {
        !lock(&self.live).is_empty()
    }

    /// From here on it runs and can be found.
    pub fn keep(&self, live: &Arc<Live>) {
        lock(&self.live).insert(live.key.clone(), live.clone());
    }

    pub fn find(&self, key: &str) -> Option<Arc<Live>> {
        lock(&self.live).get(key).cloned()
    }

    /// The id of the last event that may be shown, for an execution that runs.
    pub fn events(&self, key: &str) -> Option<i64> {
        self.find(key).map(|live| live.events.load(Ordering::Acquire))
    }

    fn stimulus(bus: &Bus, what: What) -> Stimulus {
        let entropy = uuid::Uuid::new_v4().as_u64_pair().0;
        Stimulus { now: bus.clock.now(), entropy, what }
    }

    /// Starts an execution. `Err(Some(record))` when there is one of that name already.
    pub async fn begin(
        self: &Arc<Self>,
        record: Execution,
        definition: String,
        machine: Arc<Machine>,
        cursor: Cursor,
        durable: bool,
    ) -> Result<Result<Arc<Live>, Box<Execution>>, Fault> {
        let bus = self.bus()?;
        let live = Live::new(&record.key, machine, cursor, durable);
        let mut guard = live.cursor.lock().await;
        let Some(cursor) = guard.take() else { return Ok(Ok(live.clone())) };
        let stimulus = Self::stimulus(&bus, What::Begin);
        let now = stimulus.now;
        let (cursor, directives) = step(&live.machine, cursor, stimulus);
        let (events, rest) = split(directives);
        if durable {
            let journal = Journal::new(&live.key, &cursor, &events, false, now)?;
            let (key, run, text) = (record.key.clone(), record.run(), definition);
            let bytes = record::to_bytes(&record)?;
            let existing = bus
                .store
                .transact(move |tx| {
                    if let Some(existing) = record::load_in::<Execution>(tx, EXECUTIONS, &key)? {
                        return Ok::<_, Fault>(Some(existing));
                    }
                    tx.put(record::DEFINITIONS, record::digest(&text), text);
                    tx.put(EXECUTIONS, key.clone(), bytes);
                    tx.put(record::RUNS, run, key.clone());
                    tx.put(RUNNING, key.clone(), "");
                    journal.write(tx)?;
                    Ok(None)
                })
                .await?;
            if let Some(existing) = existing {
                return Ok(Err(Box::new(existing)));
            }
        }
        live.events.store(cursor.events, Ordering::Release);
        self.keep(&live);
        let again = self.act(&bus, &live, rest);
        if cursor.over.is_none() {
            *guard = Some(cursor);
        }
        drop(guard);
        if again {
            self.send(&live.key, What::Continue);
        }
        Ok(Ok(live))
    }

    /// Tells an execution what happened, without waiting for what follows.
    pub fn send(self: &Arc<Self>, key: &str, what: What) {
        tokio::spawn(self.clone().deliver(key.to_owned(), what));
    }

    /// Tells an execution what happened; resolves when all that follows at once is recorded.
    pub fn deliver(self: Arc<Self>, key: String, what: What) -> BoxFuture<'static, Result<(), Fault>> {
        Box::pin(async move {
            let (Some(live), Ok(bus)) = (self.find(&key), self.bus()) else { return Ok(()) };
            let mut guard = live.cursor.lock().await;
            let mut what = what;
            while let Some(cursor) = guard.take() {
                let before = cursor.clone();
                let redriven = matches!(what, What::Redrive);
                let stimulus = Self::stimulus(&bus, what.clone());
                let now = stimulus.now;
                let (cursor, directives) = step(&live.machine, cursor, stimulus);
                let (events, rest) = split(directives);
                if live.durable && !(events.is_empty() && rest.is_empty()) {
                    let written = async {
                        let journal = Journal::new(&live.key, &cursor, &events, redriven, now)?;
                        bus.store.transact(move |tx| journal.write(tx)).await
                    };
                    if let Err(fault) = written.await {
                        // Nothing was done and nobody saw anything: the same may be tried again.
                        *guard = Some(before);
                        tracing::error!(execution = %key, %fault, "a step could not be recorded");
                        let (driver, key) = (self.clone(), key.clone());
                        tokio::spawn(async move {
                            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                            driver.send(&key, what);
                        });
                        return Err(fault);
                    }
                    live.events.store(cursor.events, Ordering::Release);
                }
                let again = self.act(&bus, &live, rest);
                if cursor.over.is_some() {
                    return Ok(());
                }
                *guard = Some(cursor);
                if !again {
                    return Ok(());
                }
                what = What::Continue;
            }
            Ok(())
        })
    }

    /// Does what is not recording. True when the execution wants to go on at once.
    fn act(self: &Arc<Self>, bus: &Arc<Bus>, live: &Arc<Live>, directives: Vec<Directive>) -> bool {
        let mut again = false;
        for directive in directives {
            match directive {
                Directive::Record(_) => {}
                Directive::Again => again = true,
                Directive::Wait(timer) => self.sleep(bus, live, &timer),
                Directive::Cancel(ticket) => {
                    if let Some(job) = lock(&live.jobs).remove(&ticket) {
                        job.abort();
                    }
                }
                Directive::Task(task) => {
                    let ticket = task.ticket;
                    let work = tasks::perform(self.clone(), live.key.clone(), task);
                    self.job(live, ticket, work);
                }
                Directive::Fork(run) => {
                    let why = "Distributed maps are not run by the local cloud yet.";
                    let failure = Failure::new("States.Runtime", why);
                    self.send(&live.key, What::Task(run.ticket, Progress::Failed(failure)));
                }
                Directive::Finish(outcome) => {
                    lock(&self.live).remove(&live.key);
                    for job in std::mem::take(&mut *lock(&live.jobs)).into_values() {
                        job.abort();
                    }
                    live.outcome.send_replace(Some(outcome));
                }
            }
        }
        again
    }

    /// Runs `work` for a ticket until it is called off.
    pub fn job(&self, live: &Arc<Live>, ticket: Ticket, work: impl Future<Output = ()> + Send + 'static) {
        let job = tokio::spawn(work).abort_handle();
        lock(&live.jobs).insert(ticket, job);
    }

    /// Comes back when the timer's time has passed: what is left of it, by the cloud's clock.
    pub fn sleep(self: &Arc<Self>, bus: &Bus, live: &Arc<Live>, timer: &Timer) {
        let length = bus.clock.real((timer.until - timer.from).to_std().unwrap_or_default());
        let passed = (bus.clock.now() - timer.from).to_std().unwrap_or_default();
        let (driver, key, ticket) = (self.clone(), live.key.clone(), timer.ticket);
        let left = length.saturating_sub(passed);
        self.job(live, ticket, async move {
            tokio::time::sleep(left).await;
            driver.send(&key, What::Due(ticket));
        });
    }

    /// Resolves with how the execution ended; at once when it has.
    pub async fn outcome(&self, live: &Live) -> Option<Outcome> {
        let mut outcome = live.outcome.subscribe();
        let ended = outcome.wait_for(Option::is_some).await.ok()?;
        ended.clone()
    }

    /// SendTaskSuccess, SendTaskFailure, SendTaskHeartbeat.
    pub async fn answer_token(self: &Arc<Self>, operation: &str, input: &Value) -> Result<(), Fault> {
        let invalid = || Fault::client("InvalidToken", "Invalid Token: 'Invalid token'");
        let token = super::validate::text(input, "taskToken")?;
        let (execution, ticket) = read_token(token).ok_or_else(invalid)?;
        let key = match arn::read(&execution).map_err(|_| invalid())? {
            arn::Arn::Execution(key) | arn::Arn::Express(key) => key,
            _ => return Err(invalid()),
        };
        let gone = || Fault::client("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'");
        let live = self.find(&key).ok_or_else(gone)?;
        if !live.cursor.lock().await.as_ref().is_some_and(|c| c.awaits(ticket, token)) {
            return Err(gone());
        }
        let what = match operation {
            "SendTaskHeartbeat" => What::Heartbeat(ticket),
            "SendTaskFailure" => {
                let error = super::validate::at_most(input, "error", 256)?;
                let cause = super::validate::at_most(input, "cause", 32_768)?;
                What::Task(ticket, Progress::Failed(Failure { error, cause, ..Failure::default() }))
            }
            _ => {
                let output = Data::parse(super::validate::text(input, "output")?)
                    .map_err(|e| Fault::client("InvalidOutput", format!("Invalid Output: '{e}'")))?;
                What::Task(ticket, Progress::Succeeded(output))
            }
        };
        self.clone().deliver(key, what).await
    }
}

/// Events to record, and the rest.
fn split(directives: Vec<Directive>) -> (Vec<Event>, Vec<Directive>) {
    let (mut events, mut rest) = (Vec::new(), Vec::new());
    for directive in directives {
        match directive {
            Directive::Record(event) => events.push(event),
            other => rest.push(other),
        }
    }
    (events, rest)
}
