//! One child execution of a map run, from its beginning to its end.

use std::sync::Arc;

use super::super::super::bus::Bus;
use super::super::super::fault::Fault;
use super::super::arn;
use super::super::driver::Driver;
use super::super::record::{self, Child, Execution};
use super::super::start::Start;
use super::record::{Ended, ITEMS, MapRun, RESULTS, item};
use crate::asl::cursor::{About, Cursor};
use crate::asl::data::Data;
use crate::asl::machine::Machine;

/// Runs one child from its beginning to its end.
#[expect(clippy::too_many_arguments, reason = "each is another thing; they are made in one place")]
pub async fn one(
    driver: &Arc<Driver>,
    bus: &Arc<Bus>,
    run: &MapRun,
    child: Child,
    (key, name): (String, String),
    machine: Arc<Machine>,
    text: Arc<str>,
    input: String,
) -> Result<Ended, Fault> {
    let started = bus.clock.now();
    let record = Execution {
        name,
        machine: run.machine().to_owned(),
        definition: run.definition.clone(),
        role: run.role.clone(),
        input,
        child: Some(child.clone()),
        logging: run.logging.clone(),
        ..Execution::new(key, started)
    };
    let id = if run.express { arn::of_express(&bus.region, &record.key) } else { record.arn(&bus.region) };
    let about = About {
        id: id.clone(),
        name: record.name.clone(),
        role: record.role.clone(),
        machine: arn::of_machine(&bus.region, &record.machine),
        machine_name: record.machine.clone(),
        region: bus.region.clone(),
        input: Data::parse(record.input.as_str())
            .map_err(|error| Fault::internal(format!("an item is not JSON: {error}")))?,
        started,
        version: None,
        alias: None,
        express: run.express,
        item: None,
        secret: driver.secret(bus).await?.to_owned(),
    };
    let given = record.clone();
    let start =
        Start { record, definition: text, machine, cursor: Cursor::new(about), durable: !run.express };
    let live = match driver.begin(start).await? {
        Ok(live) => live,
        Err(_) => return Err(Fault::internal("a child of a map run met one of its name")),
    };
    let outcome = driver
        .outcome(&live)
        .await
        .ok_or_else(|| Fault::internal("a child of a map run ended without an outcome"))?;
    let ended = Ended {
        index: child.index,
        items: child.items,
        execution: id,
        name: given.name,
        input: given.input,
        started,
        stopped: bus.clock.now(),
        outcome,
        redrives: 0,
    };
    if run.express {
        let (place, bytes) = (item(&child.run, child.index), record::to_bytes(&ended)?);
        bus.store
            .transact(move |tx| {
                tx.delete(ITEMS, place.clone());
                tx.put(RESULTS, place, bytes);
                Ok::<_, Fault>(())
            })
            .await?;
    }
    Ok(ended)
}

/// The end of a child that runs, or has ended.
pub async fn over(driver: &Driver, bus: &Bus, key: &str, child: &Child) -> Result<Ended, Fault> {
    if let Some(live) = driver.find(key) {
        driver.outcome(&live).await;
    }
    let execution = record::execution(&bus.store, key, key)?;
    ended(bus, &execution, child).ok_or_else(|| Fault::internal("a child of a map run was not taken up"))
}

/// How a child's execution ended, when it has.
pub fn ended(bus: &Bus, execution: &Execution, child: &Child) -> Option<Ended> {
    Some(Ended {
        index: child.index,
        items: child.items,
        execution: execution.arn(&bus.region),
        name: execution.name.clone(),
        input: execution.input.clone(),
        started: execution.started,
        stopped: execution.stopped.unwrap_or(execution.started),
        outcome: execution.outcome()?,
        redrives: execution.redrives,
    })
}
