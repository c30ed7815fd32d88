//! Performs what [`crate::asl::step`] directs. Journal before act: a step's events and its cursor are
//! committed together before anything it asks for is done and before anybody can see them.
//!
//! Everything that happens to an execution comes through [`Driver::deliver`], one thing after the other.
//! Waits sleep; nothing polls. What was under way when the process ended is taken up by [`super::resume`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use chrono::{DateTime, Utc};
use futures::future::{BoxFuture, FutureExt};
use tokio::sync::{OnceCell, Semaphore, oneshot};
use tokio_util::sync::CancellationToken;

use super::super::bus::Bus;
use super::super::fault::Fault;
use super::super::store::{Table, Tx};
use super::activities::{self, Offer, Offers};
use super::journal::{Journal, Redrive};
use super::live::{Job, Live, Told};
use super::logging::Writer;
use super::maps::{self, Runs};
use super::record::{self, Execution};
use super::resume::Left;
use super::{arn, tasks};
use crate::asl::cursor::{Cursor, Outcome, Ticket, Timer};
use crate::asl::event::Event;
use crate::asl::machine::Machine;
use crate::asl::resource::Resource;
use crate::asl::step::{Directive, Progress, Stimulus, What, step};

pub struct Driver {
    bus: Weak<Bus>,
    live: Mutex<HashMap<String, Arc<Live>>>,
    /// Definitions that executions run, by digest, read once.
    machines: Mutex<HashMap<String, Weak<Machine>>>,
    pub offers: Offers,
    pub runs: Runs,
    pub left: Mutex<Left>,
    log: Writer,
    /// Turns of those that think.
    thinking: Semaphore,
    /// RedriveExecution decides and acts, one request after the other.
    pub redriving: tokio::sync::Mutex<()>,
    /// What the task tokens of this cloud are signed with.
    secret: OnceCell<String>,
}

/// What Step Functions keeps of itself.
const FACTS: Table = "states.facts";
const SECRET: &str = "token-secret";

/// Steps of JSONata that are taken at once: more would only wait for the processor.
const THINKING: usize = 16;

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Driver {
    pub fn new(bus: &Arc<Bus>) -> Arc<Driver> {
        let left = Left::of(bus).unwrap_or_else(|fault| {
            tracing::error!(%fault, "executions of an earlier process could not be found");
            Left::default()
        });
        Arc::new(Driver {
            bus: Arc::downgrade(bus),
            live: Mutex::default(),
            machines: Mutex::default(),
            offers: Offers::default(),
            runs: Runs::default(),
            left: Mutex::new(left),
            log: Writer::default(),
            thinking: Semaphore::new(THINKING),
            redriving: tokio::sync::Mutex::default(),
            secret: OnceCell::new(),
        })
    }

    /// What the task tokens of this cloud are signed with: made once and kept in the store.
    pub async fn secret(&self, bus: &Bus) -> Result<&str, Fault> {
        let secret = self.secret.get_or_try_init(|| {
            let fresh = uuid::Uuid::new_v4().simple().to_string();
            bus.store.transact(move |tx| match tx.get(FACTS, SECRET)? {
                Some(kept) => Ok(String::from_utf8_lossy(&kept).into_owned()),
                None => {
                    tx.put(FACTS, SECRET, fresh.clone());
                    Ok::<_, Fault>(fresh)
                }
            })
        });
        secret.await.map(String::as_str)
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

    /// It no longer runs; another one of its name, redriven meanwhile, does.
    fn forget(&self, live: &Arc<Live>) {
        let mut all = lock(&self.live);
        if all.get(&live.key).is_some_and(|kept| Arc::ptr_eq(kept, live)) {
            all.remove(&live.key);
        }
    }

    pub fn find(&self, key: &str) -> Option<Arc<Live>> {
        lock(&self.live).get(key).cloned()
    }

    /// The id of the last event that may be shown, for an execution that runs.
    pub fn events(&self, key: &str) -> Option<i64> {
        self.find(key).map(|live| live.events())
    }

    /// A definition, read once for all the executions that run it.
    pub fn machine(&self, digest: &str, text: &str) -> Result<Arc<Machine>, Fault> {
        if let Some(machine) = lock(&self.machines).get(digest).and_then(Weak::upgrade) {
            return Ok(machine);
        }
        let machine = Machine::read(text)
            .map_err(|error| Fault::internal(format!("the definition cannot be read: {error}")))?;
        let machine = Arc::new(machine);
        let mut machines = lock(&self.machines);
        machines.retain(|_, machine| machine.strong_count() > 0);
        machines.insert(digest.to_owned(), Arc::downgrade(&machine));
        Ok(machine)
    }

    /// What makes a step's answer: the time and fresh entropy.
    pub fn moment(bus: &Bus) -> (DateTime<Utc>, u64) {
        (bus.clock.now(), uuid::Uuid::new_v4().as_u64_pair().0)
    }

    pub fn stimulus(bus: &Bus, what: What) -> Stimulus {
        let (now, entropy) = Self::moment(bus);
        Stimulus { now, entropy, what }
    }

    /// Whether the execution has a task of this ticket that waits for an answer with this token.
    pub async fn awaits(&self, key: &str, ticket: Ticket, token: &str) -> bool {
        let Some(live) = self.find(key) else { return false };
        live.cursor.lock().await.as_ref().is_some_and(|cursor| cursor.awaits(ticket, token))
    }

    /// The record and the definition of an execution that runs.
    pub fn origin(&self, bus: &Bus, live: &Live) -> Result<(Execution, String), Fault> {
        let execution = record::execution(&bus.store, &live.key, &live.key)?;
        let definition = record::definition(&bus.store, &execution.definition)?;
        Ok((execution, definition))
    }

    /// Takes a step. What is written in JSONata may think for seconds: it does so on a thread of its own, so
    /// that nobody else waits.
    pub async fn stepped(
        &self,
        machine: &Arc<Machine>,
        cursor: Cursor,
        stimulus: Stimulus,
    ) -> Result<(Cursor, Vec<Directive>), Fault> {
        if !machine.thinks {
            return Ok(step(machine, cursor, stimulus));
        }
        let _turn = self.thinking.acquire().await;
        let machine = machine.clone();
        tokio::task::spawn_blocking(move || step(&machine, cursor, stimulus))
            .await
            .map_err(|error| Fault::internal(format!("a step could not be taken: {error}")))
    }

    pub fn log(&self, live: &Live, cursor: &Cursor, events: &[Event]) {
        if let Some(logging) = live.logging() {
            self.log.log(&self.bus, logging, events, cursor.redrives);
        }
    }

    /// Tells an execution what happened, without waiting for what follows.
    pub fn send(self: &Arc<Self>, key: &str, what: What) {
        if let Some(live) = self.find(key) {
            live.tell(what, None);
            tokio::spawn(self.clone().hear(live).boxed());
        }
    }

    /// Tells an execution what happened; resolves when that and what follows at once is recorded. It is
    /// heard even if nobody waits for that any more.
    pub fn deliver(self: Arc<Self>, key: String, what: What) -> BoxFuture<'static, Result<(), Fault>> {
        let heard = self.find(&key).map(|live| {
            let (answer, heard) = oneshot::channel();
            live.tell(what, Some(answer));
            tokio::spawn(self.hear(live).boxed());
            heard
        });
        Box::pin(async move {
            match heard {
                // Who is over hears nothing any more, and answers nothing.
                Some(heard) => heard.await.unwrap_or(Ok(())),
                None => Ok(()),
            }
        })
    }

    /// Lets an execution hear what it was told. What many tell at once is recorded at once.
    fn hear(self: Arc<Self>, live: Arc<Live>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let Ok(bus) = self.bus() else { return };
            loop {
                let mut guard = live.cursor.lock().await;
                let told = live.told();
                if told.is_empty() {
                    return;
                }
                let Some(cursor) = guard.take() else { return };
                let before = cursor.clone();
                let heard = match self.taken(&bus, &live, cursor, &told).await {
                    Ok((cursor, again)) => {
                        if cursor.over.is_none() {
                            *guard = Some(cursor);
                        }
                        if again {
                            live.tell(What::Continue, None);
                        }
                        Ok(())
                    }
                    Err(fault) => {
                        // Nothing was done and nobody saw anything: the same may be tried again.
                        *guard = Some(before);
                        tracing::error!(execution = %live.key, %fault, "a step could not be recorded");
                        let (driver, key) = (self.clone(), live.key.clone());
                        let again: Vec<What> = told.iter().map(|told| told.what.clone()).collect();
                        tokio::spawn(
                            async move {
                                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                                again.into_iter().for_each(|what| driver.send(&key, what));
                            }
                            .boxed(),
                        );
                        Err(fault)
                    }
                };
                drop(guard);
                told.into_iter().for_each(|told| told.answer(heard.clone()));
                // One that never waits lets others have their turn.
                tokio::task::yield_now().await;
            }
        })
    }

    /// Takes a step for each thing that was told, records them together and does what they direct. True
    /// when the execution wants to go on at once.
    async fn taken(
        self: &Arc<Self>,
        bus: &Arc<Bus>,
        live: &Arc<Live>,
        mut cursor: Cursor,
        told: &[Told],
    ) -> Result<(Cursor, bool), Fault> {
        let (mut events, mut rest, mut now) = (Vec::new(), Vec::new(), bus.clock.now());
        for told in told {
            let stimulus = Self::stimulus(bus, told.what.clone());
            now = stimulus.now;
            let (next, directives) = self.stepped(&live.machine, cursor, stimulus).await?;
            cursor = next;
            let (recorded, others) = split(directives);
            events.extend(recorded);
            rest.extend(others);
        }
        if live.durable && !(events.is_empty() && rest.is_empty()) {
            let redriven = told.iter().any(|told| matches!(told.what, What::Redrive));
            let redrive = redriven.then(|| Redrive { token: live.redrive_token().map(str::to_owned) });
            let journal = Journal::new(&live.key, &cursor, &events, redrive, now)?;
            let leaving = live.leaving(&rest);
            let write = move |tx: &mut Tx<'_>| {
                leaving.iter().try_for_each(|started| started.note(tx))?;
                journal.write(tx)
            };
            bus.store.transact(write).await?;
            live.recorded(&cursor);
        }
        self.log(live, &cursor, &events);
        let again = self.act(bus, live, rest);
        Ok((cursor, again))
    }

    /// Does what is not recording. True when the execution wants to go on at once.
    pub fn act(self: &Arc<Self>, bus: &Arc<Bus>, live: &Arc<Live>, directives: Vec<Directive>) -> bool {
        let mut again = false;
        for directive in directives {
            match directive {
                Directive::Record(_) => {}
                Directive::Again => again = true,
                Directive::Wait(timer) => self.sleep(bus, live, &timer),
                Directive::Cancel(ticket) => {
                    if let Some(left) = live.call_off(ticket) {
                        tokio::spawn(left.stop(bus.clone()).boxed());
                    }
                    self.offers.withdraw(&live.key, ticket);
                }
                Directive::Task(task) => {
                    let ticket = task.ticket;
                    if let (Resource::Activity(activity), Some(token)) = (&task.resource, &task.token) {
                        if let Some(failure) = activities::unscheduled(bus, activity) {
                            self.send(&live.key, What::Task(ticket, Progress::Unscheduled(failure)));
                            continue;
                        }
                        self.offer(activity, live, ticket, token.clone(), task.input);
                        continue;
                    }
                    let work = tasks::perform(self.clone(), live.key.clone(), task);
                    live.job(ticket, work);
                }
                Directive::Fork(asked) => {
                    let (ticket, stop) = (asked.ticket, CancellationToken::new());
                    live.hold(ticket, Job::Run(stop.clone()));
                    tokio::spawn(maps::fork(self.clone(), live.clone(), asked, stop).boxed());
                }
                Directive::Refork(ticket, run) => {
                    let stop = CancellationToken::new();
                    live.hold(ticket, Job::Run(stop.clone()));
                    tokio::spawn(maps::refork(self.clone(), live.clone(), ticket, run, stop).boxed());
                }
                Directive::Finish(outcome) => {
                    self.forget(live);
                    let (offers, left) = live.finish(outcome);
                    for ticket in offers {
                        self.offers.withdraw(&live.key, ticket);
                    }
                    for started in left {
                        tokio::spawn(started.stop(bus.clone()).boxed());
                    }
                }
            }
        }
        again
    }

    /// Lets a worker of the activity have the task.
    pub fn offer(
        &self,
        activity: &str,
        live: &Arc<Live>,
        ticket: Ticket,
        token: String,
        input: crate::asl::data::Data,
    ) {
        // An ARN that the language took for an activity's names one.
        let name = arn::activity(activity).unwrap_or_default();
        live.hold(ticket, Job::Offer);
        self.offers.push(&name, Offer { execution: live.key.clone(), ticket, token, input });
    }

    /// Comes back when the timer's time has passed: what is left of it, by the cloud's clock.
    pub fn sleep(self: &Arc<Self>, bus: &Bus, live: &Arc<Live>, timer: &Timer) {
        let sleep = bus.clock.sleep_from(timer.from, timer.until);
        let (driver, key, ticket) = (self.clone(), live.key.clone(), timer.ticket);
        live.job(ticket, async move {
            sleep.await;
            driver.send(&key, What::Due(ticket));
        });
    }

    /// Resolves with how the execution ended; at once when it has.
    pub async fn outcome(&self, live: &Live) -> Option<Outcome> {
        live.outcome().await
    }
}

/// Events to record, and the rest.
pub fn split(directives: Vec<Directive>) -> (Vec<Event>, Vec<Directive>) {
    let (mut events, mut rest) = (Vec::new(), Vec::new());
    for directive in directives {
        match directive {
            Directive::Record(event) => events.push(event),
            other => rest.push(other),
        }
    }
    (events, rest)
}
