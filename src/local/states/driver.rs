//! Performs what [`crate::asl::step`] directs. Journal before act: a step's events and its cursor are
//! committed together before anything it asks for is done and before anybody can see them.
//!
//! Everything that happens to an execution comes through [`Driver::deliver`], one thing at a time. Waits
//! sleep; nothing polls. What was under way when the process ended is taken up by [`Driver::resume`]:
//! waits with the time that is left, handed-over tasks where they are, and a task that had started as
//! one that failed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use futures::future::BoxFuture;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::super::bus::Bus;
use super::super::fault::Fault;
use super::super::store::Tx;
use super::history::{HISTORY, chunk};
use super::record::{self, CURSORS, EXECUTIONS, Execution, RUNNING};
use super::{arn, tasks};
use crate::asl::cursor::{Cursor, Outcome, Ticket, Timer, UnderWay};
use crate::asl::data::Data;
use crate::asl::event::Event;
use crate::asl::failure::{Failure, TASK_FAILED};
use crate::asl::machine::Machine;
use crate::asl::resource::Resource;
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

/// What a step changes in the execution's record.
enum Change {
    None,
    Over(Outcome),
    Redriven,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
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
        let live = Arc::new(Live {
            key: record.key.clone(),
            machine,
            cursor: tokio::sync::Mutex::new(None),
            events: AtomicI64::new(0),
            jobs: Mutex::default(),
            outcome: watch::Sender::new(None),
            durable,
        });
        let mut guard = live.cursor.lock().await;
        let (cursor, directives) = step(&live.machine, cursor, Self::stimulus(&bus, What::Begin));
        let (events, rest) = split(directives);
        if durable {
            let journal = Journal::new(&live.key, &cursor, &events, &rest)?;
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
        lock(&self.live).insert(live.key.clone(), live.clone());
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
                let (cursor, directives) = step(&live.machine, cursor, Self::stimulus(&bus, what.clone()));
                let (events, rest) = split(directives);
                if !events.is_empty() || !rest.is_empty() {
                    let change = match &cursor.over {
                        Some(outcome) => Change::Over(outcome.clone()),
                        None if redriven => Change::Redriven,
                        None => Change::None,
                    };
                    if let Err(fault) = self.journal(&bus, &live, &cursor, &events, &rest, change).await {
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

    async fn journal(
        &self,
        bus: &Bus,
        live: &Live,
        cursor: &Cursor,
        events: &[Event],
        rest: &[Directive],
        change: Change,
    ) -> Result<(), Fault> {
        if !live.durable {
            return Ok(());
        }
        let journal = Journal::new(&live.key, cursor, events, rest)?;
        let (key, now, count) = (live.key.clone(), bus.clock.now(), cursor.events);
        let over = cursor.over.is_some();
        bus.store
            .transact(move |tx| {
                journal.write(tx)?;
                if over {
                    tx.delete(RUNNING, key.clone());
                }
                let Some(mut record) = record::load_in::<Execution>(tx, EXECUTIONS, &key)? else {
                    return Ok(());
                };
                match change {
                    Change::None => return Ok::<_, Fault>(()),
                    Change::Redriven => {
                        record.status = "RUNNING".into();
                        record.redrives += 1;
                        record.redriven = Some(now);
                        (record.stopped, record.output) = (None, None);
                        (record.error, record.cause) = (None, None);
                        tx.put(RUNNING, key.clone(), "");
                    }
                    Change::Over(outcome) => {
                        record.stopped = Some(now);
                        record.events = count;
                        let (status, failure) = match outcome {
                            Outcome::Succeeded(output) => {
                                record.output = Some(output.text().to_owned());
                                ("SUCCEEDED", Failure::default())
                            }
                            Outcome::Failed(failure) => ("FAILED", failure),
                            Outcome::TimedOut(failure) => ("TIMED_OUT", failure),
                            Outcome::Aborted(failure) => ("ABORTED", failure),
                        };
                        record.status = status.into();
                        (record.error, record.cause) = (failure.error, failure.cause);
                    }
                }
                tx.put(EXECUTIONS, key, record::to_bytes(&record)?);
                Ok(())
            })
            .await
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

    fn job(&self, live: &Arc<Live>, ticket: Ticket, work: impl Future<Output = ()> + Send + 'static) {
        let job = tokio::spawn(work).abort_handle();
        lock(&live.jobs).insert(ticket, job);
    }

    /// Comes back when the timer's time has passed: what is left of it, by the cloud's clock.
    fn sleep(self: &Arc<Self>, bus: &Bus, live: &Arc<Live>, timer: &Timer) {
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

    /// Takes up every execution that runs.
    pub async fn resume(self: &Arc<Self>) -> Result<(), Fault> {
        let bus = self.bus()?;
        let mut keys = Vec::new();
        bus.store.scan(RUNNING, "", "", |key, _| {
            keys.push(key.to_owned());
            std::ops::ControlFlow::Continue(())
        })?;
        for key in keys {
            if let Err(fault) = self.take_up(&bus, &key, None).await {
                tracing::error!(execution = %key, %fault, "an execution could not be taken up");
            }
        }
        Ok(())
    }

    /// Brings an execution to life again, with what is under way or with a redrive.
    pub async fn take_up(
        self: &Arc<Self>,
        bus: &Arc<Bus>,
        key: &str,
        what: Option<What>,
    ) -> Result<(), Fault> {
        let record = record::execution(&bus.store, key, key)?;
        let text = record::definition(&bus.store, &record.definition)?;
        let machine = Machine::read(&text).map_err(|e| Fault::internal(e.to_string()))?;
        let cursor: Cursor = record::load(&bus.store, CURSORS, key)?
            .ok_or_else(|| Fault::internal("where it stood was not recorded"))?;
        let under_way = cursor.under_way();
        let live = Arc::new(Live {
            key: key.to_owned(),
            machine: Arc::new(machine),
            events: AtomicI64::new(cursor.events),
            cursor: tokio::sync::Mutex::new(Some(cursor)),
            jobs: Mutex::default(),
            outcome: watch::Sender::new(None),
            durable: true,
        });
        lock(&self.live).insert(key.to_owned(), live.clone());
        if let Some(what) = what {
            return self.clone().deliver(key.to_owned(), what).await;
        }
        for thing in under_way {
            match thing {
                UnderWay::Wait(timer) => self.sleep(bus, &live, &timer),
                UnderWay::Task { ticket, resource, submitted, token } => {
                    let handed_over = submitted.is_some() || token.is_some();
                    match (Resource::parse(&resource), submitted) {
                        (Some(resource), Some(first)) => {
                            let work = tasks::attach(self.clone(), live.key.clone(), ticket, resource, first);
                            self.job(&live, ticket, work);
                        }
                        // Somebody holds its token and will answer.
                        _ if handed_over => {}
                        _ => {
                            let cause = "The local cloud was interrupted while this task ran; whether it took \
                                         effect is not known.";
                            let failure = Failure::new(TASK_FAILED, cause);
                            self.send(key, What::Task(ticket, Progress::Failed(failure)));
                        }
                    }
                }
            }
        }
        self.send(key, What::Continue);
        Ok(())
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
                What::Task(ticket, Progress::Failed(Failure { error, cause, heartbeat: false }))
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

/// What a step writes: its events and where the execution stands now.
struct Journal {
    key: String,
    events: Option<(String, Vec<u8>)>,
    /// `None`: nothing more will happen.
    cursor: Option<Vec<u8>>,
}

impl Journal {
    fn new(key: &str, cursor: &Cursor, events: &[Event], _rest: &[Directive]) -> Result<Journal, Fault> {
        let kept = cursor.over.is_none() || cursor.is_redrivable();
        Ok(Journal {
            key: key.to_owned(),
            events: match events.last() {
                Some(last) => Some((chunk(key, last.id), record::to_bytes(&events)?)),
                None => None,
            },
            cursor: if kept { Some(record::to_bytes(cursor)?) } else { None },
        })
    }

    fn write(self, tx: &mut Tx<'_>) -> Result<(), Fault> {
        if let Some((key, bytes)) = self.events {
            tx.put(HISTORY, key, bytes);
        }
        match self.cursor {
            Some(bytes) => tx.put(CURSORS, self.key.clone(), bytes),
            None => tx.delete(CURSORS, self.key.clone()),
        }
        Ok(())
    }
}
