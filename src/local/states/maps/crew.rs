//! The children of one map run: who waits, who runs, how they ended.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;

use futures::FutureExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::super::super::bus::Bus;
use super::super::super::fault::Fault;
use super::super::driver::{Driver, lock};
use super::super::record::{self, Child, EXECUTIONS, Execution};
use super::child::{ended, one, over};
use super::record::{Ended, ITEMS, Item, MapRun, RESULTS};
use super::supervisor::{Broken, LiveRun};
use crate::asl::cursor::Outcome;
use crate::asl::failure::Failure;
use crate::asl::machine::Machine;
use crate::asl::step::What;

/// Children at once when the definition sets no limit. AWS runs 10,000; what a laptop runs at once does
/// not show in any history.
const AT_ONCE: usize = 1000;
/// Items read from the store at a time.
const PAGE: usize = 1000;

const EXCEEDED: &str = "States.ExceedToleratedFailureThreshold";

/// What is heard of a child.
enum Heard {
    Ended(Ended),
    /// It could not be started or recorded.
    Lost(Fault),
}

/// The inputs that no child has taken, read a page at a time.
#[derive(Default)]
struct Pages {
    read: VecDeque<(usize, Item)>,
    /// The key of the last one that was read.
    after: String,
    done: bool,
}

impl Pages {
    fn next(&mut self, bus: &Bus, run: &str) -> Result<Option<(usize, Item)>, Fault> {
        if self.read.is_empty() && !self.done {
            let prefix = format!("{run}\0");
            let (after, mut broken) = (std::mem::take(&mut self.after), None);
            bus.store.scan(ITEMS, &prefix, &after, |key, bytes| {
                match (key[prefix.len()..].parse(), record::from_bytes(bytes)) {
                    (Ok(index), Ok(item)) => self.read.push_back((index, item)),
                    (_, Err(fault)) => broken = Some(fault),
                    (Err(_), _) => {}
                }
                self.after = key.to_owned();
                if self.read.len() < PAGE && broken.is_none() {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })?;
            self.done = self.read.len() < PAGE;
            if let Some(fault) = broken {
                return Err(fault);
            }
        }
        Ok(self.read.pop_front())
    }
}

/// The children of one run.
pub struct Crew {
    driver: Arc<Driver>,
    bus: Arc<Bus>,
    live: Arc<LiveRun>,
    /// The run's.
    key: String,
    /// Their definition.
    text: Arc<str>,
    machine: Arc<Machine>,
    /// Keys of the executions that run or are about to.
    running: BTreeMap<usize, String>,
    pub ended: BTreeMap<usize, Ended>,
    next: Pages,
    channel: (mpsc::UnboundedSender<Heard>, mpsc::UnboundedReceiver<Heard>),
}

impl Crew {
    pub fn new(
        driver: &Arc<Driver>,
        bus: &Arc<Bus>,
        live: &Arc<LiveRun>,
        key: &str,
        (text, machine): (Arc<str>, Arc<Machine>),
    ) -> Crew {
        Crew {
            driver: driver.clone(),
            bus: bus.clone(),
            live: live.clone(),
            key: key.to_owned(),
            text,
            machine,
            running: BTreeMap::new(),
            ended: BTreeMap::new(),
            next: Pages::default(),
            channel: mpsc::unbounded_channel(),
        }
    }

    /// Finds what an earlier process or an earlier attempt left: children that ended, and children that
    /// run. Those that did not succeed before the run was redriven run again, unless it is `stopped`.
    pub fn recall(&mut self, stopped: bool) -> Result<(), Fault> {
        let redriven = lock(&self.live.record).redriven.filter(|_| !stopped);
        let is_due = |ended: &Ended| {
            !matches!(ended.outcome, Outcome::Succeeded(_)) && redriven.is_some_and(|at| ended.stopped < at)
        };
        let prefix = format!("{}\0", self.key);
        let mut children = Vec::new();
        self.bus.store.scan(record::RUNS, &prefix, "", |_, key| {
            children.push(String::from_utf8_lossy(key).into_owned());
            ControlFlow::Continue(())
        })?;
        let kept = record::list(&self.bus.store, RESULTS, &prefix, "", usize::MAX, |_: &Ended| true)?;
        let (mut again, mut at_work) = (Vec::new(), 0);
        for key in children {
            let Some(execution) = record::load::<Execution>(&self.bus.store, EXECUTIONS, &key)? else {
                continue;
            };
            let Some(child) = execution.child.clone() else { continue };
            match ended(&self.bus, &execution, &child) {
                Some(ended) if is_due(&ended) => {
                    again.push((child.index, child.items, key));
                }
                Some(ended) => {
                    self.ended.insert(child.index, ended);
                }
                None => {
                    at_work += child.items as u64;
                    self.running.insert(child.index, key.clone());
                    self.watch(child.index, child.items, key);
                }
            }
        }
        for (_, ended) in kept {
            if is_due(&ended) {
                let item = Item { input: ended.input, items: ended.items };
                self.next.read.push_back((ended.index, item));
            } else {
                self.ended.insert(ended.index, ended);
            }
        }
        self.count(at_work);
        for (index, items, key) in again {
            self.rerun(index, items, key);
        }
        Ok(())
    }

    /// Counts what is known anew; what is neither running nor over is pending.
    fn count(&self, at_work: u64) {
        let mut run = lock(&self.live.record);
        let (executions, items) = (run.executions.total(), run.items.total());
        (run.executions, run.items) = Default::default();
        for ended in self.ended.values() {
            *run.executions.ended(&ended.outcome) += 1;
            *run.items.ended(&ended.outcome) += ended.items as u64;
        }
        run.executions.running = self.running.len() as u64;
        run.items.running = at_work;
        run.executions.pending = executions.saturating_sub(run.executions.total());
        run.items.pending = items.saturating_sub(run.items.total());
    }

    pub async fn work(&mut self, stop: &CancellationToken) -> Result<(), Broken> {
        loop {
            if stop.is_cancelled() {
                return Err(Broken::Stopped);
            }
            if lock(&self.live.record).is_exceeded() {
                let cause = "The specified tolerated failure threshold was exceeded";
                return Err(Failure::new(EXCEEDED, cause).into());
            }
            while self.running.len() < self.limit()
                && let Some((index, item)) = self.next.next(&self.bus, &self.key)?
            {
                self.begin(index, item);
            }
            if self.running.is_empty() {
                return Ok(());
            }
            tokio::select! {
                () = stop.cancelled() => return Err(Broken::Stopped),
                () = self.bus.stopping.cancelled() => {
                    return Err(Fault::internal("the local cloud is stopping").into());
                }
                () = self.live.changed.notified() => {}
                Some(heard) = self.channel.1.recv() => match heard {
                    Heard::Ended(ended) => self.take(ended),
                    Heard::Lost(fault) => return Err(fault.into()),
                },
            }
        }
    }

    fn limit(&self) -> usize {
        match lock(&self.live.record).max_concurrency {
            0 => AT_ONCE,
            most => most.min(AT_ONCE),
        }
    }

    /// A child ended.
    fn take(&mut self, ended: Ended) {
        self.running.remove(&ended.index);
        let mut run = lock(&self.live.record);
        run.executions.running = run.executions.running.saturating_sub(1);
        run.items.running = run.items.running.saturating_sub(ended.items as u64);
        *run.executions.ended(&ended.outcome) += 1;
        *run.items.ended(&ended.outcome) += ended.items as u64;
        drop(run);
        self.ended.insert(ended.index, ended);
    }

    /// Starts a child for an item.
    fn begin(&mut self, index: usize, item: Item) {
        let run = self.started(index, item.items);
        let name = uuid::Uuid::new_v4().to_string();
        let key = match run.express {
            true => format!("{}:{name}:{}", run.machine(), uuid::Uuid::new_v4()),
            false => format!("{}:{name}", run.machine()),
        };
        self.running.insert(index, key.clone());
        let child = Child { run: run.key.clone(), index, items: item.items };
        let (driver, bus, tell) = (self.driver.clone(), self.bus.clone(), self.channel.0.clone());
        let (machine, text) = (self.machine.clone(), self.text.clone());
        tokio::spawn(
            async move {
                let begun = one(&driver, &bus, &run, child, (key, name), machine, text, item.input).await;
                // Nobody listens once the run is over.
                let _ = tell.send(begun.map_or_else(Heard::Lost, Heard::Ended));
            }
            .boxed(),
        );
    }

    /// Notes that a child starts.
    fn started(&self, index: usize, items: usize) -> MapRun {
        let mut run = lock(&self.live.record);
        debug_assert!(!self.running.contains_key(&index));
        run.executions.pending = run.executions.pending.saturating_sub(1);
        run.executions.running += 1;
        run.items.pending = run.items.pending.saturating_sub(items as u64);
        run.items.running += items as u64;
        run.clone()
    }

    /// Waits for a child that runs already.
    fn watch(&self, index: usize, items: usize, key: String) {
        let (driver, bus, tell) = (self.driver.clone(), self.bus.clone(), self.channel.0.clone());
        let child = Child { run: self.key.clone(), index, items };
        tokio::spawn(
            async move {
                let over = over(&driver, &bus, &key, &child).await;
                // Nobody listens once the run is over.
                let _ = tell.send(over.map_or_else(Heard::Lost, Heard::Ended));
            }
            .boxed(),
        );
    }

    /// Runs a child again from where it failed.
    fn rerun(&mut self, index: usize, items: usize, key: String) {
        self.started(index, items);
        self.running.insert(index, key.clone());
        let (driver, bus, tell) = (self.driver.clone(), self.bus.clone(), self.channel.0.clone());
        let child = Child { run: self.key.clone(), index, items };
        tokio::spawn(
            async move {
                let over = async {
                    driver.redrive(&bus, &key, None).await?;
                    over(&driver, &bus, &key, &child).await
                };
                // Nobody listens once the run is over.
                let _ = tell.send(over.await.map_or_else(Heard::Lost, Heard::Ended));
            }
            .boxed(),
        );
    }

    /// The inputs that no child has taken, once no more are started.
    pub fn pending(&mut self) -> Result<Vec<Item>, Fault> {
        let mut pending = Vec::new();
        while let Some((_, item)) = self.next.next(&self.bus, &self.key)? {
            pending.push(item);
        }
        Ok(pending)
    }

    /// Stops the children that run; those that are only about to, once they do.
    pub async fn stop(&mut self) {
        while !self.running.is_empty() && !self.bus.stopping.is_cancelled() {
            for key in self.running.values() {
                let stop = What::Stop(Failure::default());
                if let Err(fault) = self.driver.clone().deliver(key.clone(), stop).await {
                    tracing::warn!(execution = key, %fault, "a child of a map run could not be stopped");
                    return;
                }
            }
            let soon = std::time::Duration::from_millis(100);
            while let Ok(Some(heard)) = tokio::time::timeout(soon, self.channel.1.recv()).await {
                match heard {
                    Heard::Ended(ended) => self.take(ended),
                    Heard::Lost(fault) => {
                        tracing::warn!(%fault, "a child of a map run was lost");
                        return;
                    }
                }
                if self.running.is_empty() {
                    return;
                }
            }
        }
    }
}
