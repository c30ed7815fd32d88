//! Deleting state machines (API reference, DeleteStateMachine). One that runs nothing is gone at once. While
//! executions of it run it is DELETING: each of them fails at its next transition, and the last one that
//! ends takes the machine with it. Histories can be read until a machine of the same name is made.

use std::ops::ControlFlow;

use serde_json::{Value, json};

use super::super::fault::Fault;
use super::super::store::{Store, Table, Tx};
use super::history::HISTORY;
use super::record::{self, CURSORS, EXECUTIONS, MACHINES, Machine, RUNNING, RUNS};
use super::versions::VERSIONS;
use super::{States, aliases, arn, maps, validate};
use crate::asl::step::What;

/// Machines that go when their last execution ends, by name.
const DELETING: Table = "states.deleting";

pub fn is_deleting(store: &Store, machine: &str) -> Result<bool, Fault> {
    Ok(store.get(DELETING, machine)?.is_some())
}

/// Refuses what cannot be done with a machine that is being deleted.
pub fn refuse(tx: &Tx<'_>, machine: &str, arn: &str) -> Result<(), Fault> {
    match tx.get(DELETING, machine)? {
        Some(_) => Err(deleting(arn)),
        None => Ok(()),
    }
}

pub fn deleting(arn: &str) -> Fault {
    Fault::client("StateMachineDeleting", format!("State Machine is being deleted: '{arn}'"))
}

/// An execution of the machine has ended: the last one of a machine that is being deleted takes it along.
pub fn ended(tx: &mut Tx<'_>, machine: &str) -> Result<(), Fault> {
    if tx.get(DELETING, machine)?.is_some() && tx.scan(RUNNING, &executions(machine))?.is_empty() {
        tx.delete(DELETING, machine);
        tx.delete(MACHINES, machine);
    }
    Ok(())
}

/// What the keys of a machine's executions begin with.
fn executions(machine: &str) -> String {
    format!("{machine}:")
}

/// Takes away what is left of an earlier machine of this name.
pub fn purge(tx: &mut Tx<'_>, machine: &str) -> Result<(), Fault> {
    forget(tx, machine)?;
    for run in maps::runs_of(tx, machine)? {
        forget(tx, &run)?;
        maps::forget(tx, &run)?;
    }
    Ok(())
}

/// Takes away the executions that are listed at a place: a machine's name or a map run's key.
fn forget(tx: &mut Tx<'_>, place: &str) -> Result<(), Fault> {
    for (listed, key) in tx.scan(RUNS, &format!("{place}\0"))? {
        let key = String::from_utf8_lossy(&key).into_owned();
        for (chunk, _) in tx.scan(HISTORY, &format!("{key}\0"))? {
            tx.delete(HISTORY, chunk);
        }
        tx.delete(RUNS, listed);
        tx.delete(CURSORS, key.clone());
        tx.delete(EXECUTIONS, key);
    }
    Ok(())
}

impl States {
    pub(super) async fn delete_state_machine(&self, input: &Value) -> Result<Value, Fault> {
        let given = validate::text(input, "stateMachineArn")?;
        let (name, qualifier) = arn::machine(given)?;
        if qualifier.is_some() || name.contains('/') {
            let why = format!("A state machine is deleted by its unqualified ARN, which '{given}' is not.");
            return Err(Fault::client("ValidationException", why));
        }
        let bus = self.bus()?;
        let machine = name.clone();
        let running = bus
            .store
            .transact(move |tx| {
                let Some(found) = record::load_in::<Machine>(tx, MACHINES, &machine)? else {
                    return Ok::<_, Fault>(false);
                };
                for (version, _) in tx.scan(VERSIONS, &format!("{machine}\0"))? {
                    tx.delete(VERSIONS, version);
                }
                aliases::delete_all(tx, &machine)?;
                // Express executions leave no trace to be kept for.
                let running = !found.express && !tx.scan(RUNNING, &executions(&machine))?.is_empty();
                if running {
                    tx.put(DELETING, machine, "");
                } else {
                    tx.delete(MACHINES, machine);
                }
                Ok(running)
            })
            .await?;
        if running {
            let mut keys = Vec::new();
            bus.store.scan(RUNNING, &executions(&name), "", |key, _| {
                keys.push(key.to_owned());
                ControlFlow::Continue(())
            })?;
            let told = keys.into_iter().map(|key| self.driver.clone().deliver(key, What::Deleted));
            for told in futures::future::join_all(told).await {
                told?;
            }
        }
        Ok(json!({}))
    }
}
