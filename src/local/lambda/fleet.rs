//! The execution environments: warm ones are used again, idle ones go after a while, and only so
//! many run at once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use futures::FutureExt;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::environment::{Environment, Outcome};
use super::function::Function;
use super::journal::Journal;
use super::launcher::Launcher;
use crate::local::bus::Bus;
use crate::local::fault::Fault;

/// How long an environment stays warm without work.
const WARM: Duration = Duration::from_secs(30);
/// Invocations at once: asynchronous ones, and those somebody waits for. The others queue.
const AT_ONCE: [usize; 2] = [4, 6];

/// Who waits for the outcome.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Caller {
    Nobody,
    Somebody,
}

pub struct Fleet {
    bus: Weak<Bus>,
    launcher: Arc<dyn Launcher>,
    idle: Mutex<HashMap<String, Vec<Idle>>>,
    nobody: Semaphore,
    somebody: Semaphore,
    busy: AtomicUsize,
    numbers: AtomicU64,
}

struct Idle {
    number: u64,
    environment: Environment,
}

/// Counts an invocation as long as it lives.
struct Busy<'a>(&'a AtomicUsize);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Fleet {
    pub fn new(bus: &Arc<Bus>, launcher: Arc<dyn Launcher>) -> Arc<Fleet> {
        Arc::new(Fleet {
            bus: Arc::downgrade(bus),
            launcher,
            idle: Mutex::default(),
            nobody: Semaphore::new(AT_ONCE[0]),
            somebody: Semaphore::new(AT_ONCE[1]),
            busy: AtomicUsize::new(0),
            numbers: AtomicU64::new(0),
        })
    }

    pub fn busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed) > 0
    }

    /// Drops the warm environments of a function that was changed or deleted.
    pub fn retire(&self, name: &str) {
        let retired = self.idle().remove(name);
        drop(retired);
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, HashMap<String, Vec<Idle>>> {
        self.idle.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Runs one invocation to its end, whether or not the caller stays to see it.
    pub async fn invoke(
        self: &Arc<Self>,
        function: Function,
        request_id: String,
        payload: Value,
        caller: Caller,
    ) -> Result<Outcome, Fault> {
        let fleet = self.clone();
        let run =
            tokio::spawn(async move { fleet.run(function, &request_id, payload, caller).await }.boxed());
        run.await.map_err(|error| Fault::internal(format!("the invocation broke off: {error}")))?
    }

    async fn run(
        self: &Arc<Self>,
        function: Function,
        request_id: &str,
        payload: Value,
        caller: Caller,
    ) -> Result<Outcome, Fault> {
        self.busy.fetch_add(1, Ordering::Relaxed);
        let _busy = Busy(&self.busy);
        let bus = self.bus.upgrade().ok_or_else(stopped)?;
        let turn = match caller {
            Caller::Nobody => self.nobody.acquire(),
            Caller::Somebody => self.somebody.acquire(),
        };
        let _turn = turn.await.map_err(|_| stopped())?;
        if !function.code.ours {
            return Ok(unsupported(&bus, &function, request_id));
        }
        let mut environment = match self.take(&function) {
            Some(environment) => environment,
            None => {
                let started = Environment::start(&bus, &*self.launcher, Arc::new(function.clone())).await;
                match started {
                    Ok(environment) => environment,
                    Err(error) => return Ok(not_started(&bus, &function, request_id, &error)),
                }
            }
        };
        let stopping = bus.stopping.clone();
        drop(bus);
        tokio::select! {
            (outcome, healthy) = environment.invoke(request_id, &payload) => {
                if healthy {
                    self.keep(environment, stopping);
                }
                Ok(outcome)
            }
            // Dropping the environment ends the child.
            () = stopping.cancelled() => Err(stopped()),
        }
    }

    /// A warm environment of this very version of the function.
    fn take(&self, function: &Function) -> Option<Environment> {
        let mut idle = self.idle();
        let warm = idle.get_mut(&function.name)?;
        while let Some(mut candidate) = warm.pop() {
            if candidate.environment.function().revision == function.revision && candidate.environment.alive()
            {
                return Some(candidate.environment);
            }
        }
        None
    }

    fn keep(self: &Arc<Self>, environment: Environment, stopping: tokio_util::sync::CancellationToken) {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let name = environment.function().name.clone();
        self.idle().entry(name.clone()).or_default().push(Idle { number, environment });
        let fleet = Arc::downgrade(self);
        tokio::spawn(
            async move {
                tokio::select! {
                    () = tokio::time::sleep(WARM) => {}
                    () = stopping.cancelled() => {}
                }
                let Some(fleet) = fleet.upgrade() else { return };
                let mut idle = fleet.idle();
                if let Some(warm) = idle.get_mut(&name) {
                    warm.retain(|idle| idle.number != number);
                }
            }
            .boxed(),
        );
    }
}

fn stopped() -> Fault {
    Fault::new(503, "ServiceException", "The local cloud is stopping.")
}

/// What an invocation of somebody else's code answers.
fn unsupported(bus: &Arc<Bus>, function: &Function, request_id: &str) -> Outcome {
    fail(
        bus,
        function,
        request_id,
        "Runtime.Unsupported",
        "The local cloud runs only ward's own function: a package with a file bootstrap that runs `exec ward lambda`. \
         Other code is stored but not run; deploy it to AWS to invoke it.",
    )
}

fn not_started(bus: &Arc<Bus>, function: &Function, request_id: &str, error: &std::io::Error) -> Outcome {
    let message =
        format!("RequestId: {request_id} Error: the function's process could not be started: {error}");
    fail(bus, function, request_id, "Runtime.InvalidEntrypoint", &message)
}

fn fail(bus: &Arc<Bus>, function: &Function, request_id: &str, kind: &str, message: &str) -> Outcome {
    let stream = format!("{}/[$LATEST]{}", bus.clock.now().format("%Y/%m/%d"), uuid::Uuid::new_v4().simple());
    let journal = Journal::open(bus, function.log_group(), stream);
    journal.line(format!("START RequestId: {request_id} Version: $LATEST"));
    journal.line(message);
    journal.line(format!("END RequestId: {request_id}"));
    journal.line(format!(
        "REPORT RequestId: {request_id}\tDuration: 0.00 ms\tBilled Duration: 0 ms\tMemory Size: {} MB\
         \tStatus: error\tError Type: {kind}\t",
        function.memory
    ));
    let payload = json!({ "errorType": kind, "errorMessage": message });
    Outcome { payload, failed: true, tail: journal.tail() }
}
