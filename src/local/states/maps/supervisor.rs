//! Keeps a map run's children running, counts how they end, and tells the Map state.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::super::super::bus::Bus;
use super::super::super::fault::Fault;
use super::super::driver::{Driver, lock};
use super::super::live::Live;
use super::super::record;
use super::super::{arn, definitions};
use super::crew::Crew;
use super::record::{Ended, ITEMS, Item, MapRun, RUNS, item};
use super::{reader, results};
use crate::asl::cursor::Ticket;
use crate::asl::data::Data;
use crate::asl::entry::Entry;
use crate::asl::failure::Failure;
use crate::asl::mapping::{self, MapRun as Asked};
use crate::asl::step::{Progress, What};

/// The map runs that run, by key.
#[derive(Default)]
pub struct Runs(Mutex<HashMap<String, Arc<LiveRun>>>);

impl Runs {
    pub fn find(&self, key: &str) -> Option<Arc<LiveRun>> {
        lock(&self.0).get(key).cloned()
    }
}

/// A map run that runs.
pub struct LiveRun {
    pub record: Mutex<MapRun>,
    pub changed: Notify,
}

impl LiveRun {
    /// As it is now.
    pub fn record(&self) -> MapRun {
        lock(&self.record).clone()
    }

    /// UpdateMapRun: counts from now on.
    pub fn change(&self, change: impl FnOnce(&mut MapRun)) {
        change(&mut lock(&self.record));
        self.changed.notify_one();
    }
}

/// An execution's key and one of its tickets.
pub type Ticketed = (String, Ticket);

/// Why a run ended without success.
pub enum Broken {
    /// Its Map state was called off.
    Stopped,
    Failed(Failure),
    /// The cloud is stopping, or cannot read or write: the next start goes on.
    Interrupted(Fault),
}

impl From<Fault> for Broken {
    fn from(fault: Fault) -> Self {
        Broken::Interrupted(fault)
    }
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Broken::Failed(failure)
    }
}

/// Runs a distributed map from its beginning, or goes on with it after an interruption.
pub async fn fork(driver: Arc<Driver>, live: Arc<Live>, asked: Box<Asked>, stop: CancellationToken) {
    let ticket = asked.ticket;
    let work = async {
        let bus = driver.bus()?;
        let key = arn::map_run(&asked.arn)?;
        let kept = record::load::<MapRun>(&bus.store, RUNS, &key)?.filter(|run| run.spread);
        let run = match kept {
            Some(run) => run,
            None => spread(&driver, &bus, &live, key, *asked).await?,
        };
        supervise(&driver, &bus, run, &stop).await
    };
    let worked = work.await;
    tell(&driver, &live.key, ticket, worked);
}

/// Takes up a run again whose execution is redriven: what failed, and what never started.
pub async fn refork(
    driver: Arc<Driver>,
    live: Arc<Live>,
    ticket: Ticket,
    run_arn: String,
    stop: CancellationToken,
) {
    let work = async {
        let bus = driver.bus()?;
        let key = arn::map_run(&run_arn)?;
        let gone = || Failure::runtime("The map run is no longer known.");
        let mut run: MapRun = record::load(&bus.store, RUNS, &key)?.ok_or_else(gone)?;
        if !run.spread {
            let why = "The items of the map run were never read; start the execution anew.";
            return Err(Failure::runtime(why).into());
        }
        (run.status, run.stopped, run.ticket) = ("RUNNING".into(), None, ticket);
        (run.redrives, run.redriven) = (run.redrives + 1, Some(bus.clock.now()));
        keep(&bus, &run).await?;
        supervise(&driver, &bus, run, &stop).await
    };
    let worked = work.await;
    tell(&driver, &live.key, ticket, worked);
}

fn tell(driver: &Arc<Driver>, execution: &str, ticket: Ticket, worked: Result<Data, Broken>) {
    let progress = match worked {
        Ok(output) => Progress::Succeeded(output),
        Err(Broken::Failed(failure)) => Progress::Failed(failure),
        Err(Broken::Stopped) => return,
        Err(Broken::Interrupted(fault)) => {
            tracing::error!(execution, %fault, "a map run was interrupted; the next start goes on with it");
            return;
        }
    };
    driver.send(execution, What::Task(ticket, progress));
}

async fn keep(bus: &Bus, run: &MapRun) -> Result<(), Fault> {
    let (key, bytes) = (run.key.clone(), record::to_bytes(run)?);
    let put = move |tx: &mut super::super::super::store::Tx<'_>| {
        tx.put(RUNS, key, bytes);
        Ok::<_, Fault>(())
    };
    bus.store.transact(put).await
}

/// Reads the items and writes the children's inputs down.
async fn spread(
    driver: &Arc<Driver>,
    bus: &Arc<Bus>,
    live: &Arc<Live>,
    key: String,
    asked: Asked,
) -> Result<MapRun, Broken> {
    let (execution, outer) = driver.origin(bus, live)?;
    let mut run = MapRun::new(key, &execution, &asked);
    run.started = bus.clock.now();
    let text = definitions::processor(&outer, &asked.route, &asked.state)
        .ok_or_else(|| Fault::internal("the definition of a map's processor was not found"))?;
    run.definition = record::digest(&text);
    let (digest, bytes, first) = (run.definition.clone(), record::to_bytes(&run)?, run.key.clone());
    bus.store
        .transact(move |tx| {
            tx.put(record::DEFINITIONS, digest, text);
            tx.put(RUNS, first, bytes);
            Ok::<_, Fault>(())
        })
        .await?;
    let ticket = asked.ticket;
    let reading = bus.clone();
    let read = tokio::task::spawn_blocking(move || reader::read(&reading, asked.items)).await;
    let lost = |error| Failure::new(reader::READER_FAILED, format!("The items could not be read: {error}"));
    let read = read.unwrap_or_else(|error| Err(lost(error)));
    let shares = match read {
        Ok(items) => match live.shares(bus, ticket, items).await {
            Some(shares) => shares,
            None => return Err(Broken::Stopped),
        },
        Err(failure) => Err(failure),
    };
    let shares = match shares {
        Ok(shares) => shares,
        Err(failure) => {
            end(bus, &mut run, "FAILED").await?;
            return Err(Broken::Failed(failure));
        }
    };
    run.spread = true;
    run.executions.pending = shares.len() as u64;
    run.items.pending = shares.iter().map(|share| share.items as u64).sum();
    let (bytes, first) = (record::to_bytes(&run)?, run.key.clone());
    bus.store
        .transact(move |tx| {
            for (index, share) in shares.into_iter().enumerate() {
                let row = Item { input: share.input.text().to_owned(), items: share.items };
                tx.put(ITEMS, item(&first, index), record::to_bytes(&row)?);
            }
            tx.put(RUNS, first, bytes);
            Ok::<_, Fault>(())
        })
        .await?;
    Ok(run)
}

async fn end(bus: &Bus, run: &mut MapRun, status: &str) -> Result<(), Fault> {
    run.status = status.into();
    run.stopped = Some(bus.clock.now());
    keep(bus, run).await
}

/// Runs the children that are left and makes the output.
async fn supervise(
    driver: &Arc<Driver>,
    bus: &Arc<Bus>,
    run: MapRun,
    stop: &CancellationToken,
) -> Result<Data, Broken> {
    let text = record::definition(&bus.store, &run.definition)?;
    let machine = driver.machine(&run.definition, &text)?;
    let key = run.key.clone();
    let live = Arc::new(LiveRun { record: Mutex::new(run), changed: Notify::new() });
    lock(&driver.runs.0).insert(key.clone(), live.clone());
    let mut crew = Crew::new(driver, bus, &live, &key, (text.into(), machine));
    let worked = async {
        crew.recall(stop.is_cancelled())?;
        crew.work(stop).await
    };
    let worked = worked.await;
    if !matches!(worked, Ok(()) | Err(Broken::Interrupted(_))) {
        crew.stop().await;
    }
    let mut run = live.record();
    let output = match worked {
        Ok(()) => {
            let ended: Vec<Ended> = std::mem::take(&mut crew.ended).into_values().collect();
            let output = results::output(bus, &mut run, &ended).await;
            run.executions.results_written = run.executions.total();
            run.items.results_written = run.items.total();
            output.map_err(Broken::Failed)
        }
        Err(broken @ (Broken::Failed(_) | Broken::Stopped)) if run.is_exported() => {
            if let Err(failure) = left_over(bus, &mut run, &mut crew).await {
                let cause = failure.cause.unwrap_or_default();
                tracing::warn!(run = key, cause, "the results of a map run that broke could not be written");
            }
            Err(broken)
        }
        Err(broken) => Err(broken),
    };
    let status = match &output {
        Ok(_) => Some("SUCCEEDED"),
        Err(Broken::Failed(_)) => Some("FAILED"),
        Err(Broken::Stopped) => Some("ABORTED"),
        Err(Broken::Interrupted(_)) => None,
    };
    let kept = match status {
        Some(status) => end(bus, &mut run, status).await,
        None => Ok(()),
    };
    lock(&driver.runs.0).remove(&key);
    kept?;
    output
}

/// Writes what is known of the children of a run that did not succeed: its files are where a recovery starts.
async fn left_over(bus: &Bus, run: &mut MapRun, crew: &mut Crew) -> Result<(), Failure> {
    let pending = crew.pending().map_err(|fault| Failure::runtime(fault.to_string()))?;
    let ended: Vec<Ended> = std::mem::take(&mut crew.ended).into_values().collect();
    results::export(bus, run, &ended, &pending).await?;
    run.executions.results_written = ended.len() as u64;
    run.items.results_written = ended.iter().map(|ended| ended.items as u64).sum();
    Ok(())
}

/// The runs that an earlier process left.
pub fn left_running(bus: &Bus) -> Result<Vec<MapRun>, Fault> {
    let left = record::list(&bus.store, RUNS, "", "", usize::MAX, |run: &MapRun| run.status == "RUNNING")?;
    Ok(left.into_iter().map(|(_, run)| run).collect())
}

/// Ends those of the runs whose Map states no longer wait for them.
pub async fn abandon(
    driver: &Arc<Driver>,
    mut left: Vec<MapRun>,
    waited_for: &[Ticketed],
) -> Result<(), Fault> {
    let bus = driver.bus()?;
    left.retain(|run| {
        !waited_for.iter().any(|(execution, ticket)| (execution, ticket) == (&run.execution, &run.ticket))
    });
    let stop = CancellationToken::new();
    stop.cancel();
    for mut run in left {
        if !run.spread {
            end(&bus, &mut run, "ABORTED").await?;
        } else if let Err(Broken::Interrupted(fault)) = supervise(driver, &bus, run, &stop).await {
            return Err(fault);
        }
    }
    Ok(())
}

impl Live {
    /// What the children of a run get, from where the execution stands; `None` when it is over.
    async fn shares(
        &self,
        bus: &Bus,
        ticket: Ticket,
        items: Vec<Entry>,
    ) -> Option<Result<Vec<mapping::Share>, Failure>> {
        let cursor = self.standing().await?;
        let (machine, moment) = (self.machine.clone(), Driver::moment(bus));
        let shares = move || mapping::shares(&machine, &cursor, ticket, moment, items);
        let lost = |error| Failure::runtime(format!("The items could not be shared out: {error}"));
        tokio::task::spawn_blocking(shares).await.unwrap_or_else(|error| Some(Err(lost(error))))
    }
}
