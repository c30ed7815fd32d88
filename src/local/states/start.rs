//! The start of an execution: its record and its first step are written down together.

use std::sync::Arc;

use super::super::fault::Fault;
use super::driver::{Driver, split};
use super::journal::Journal;
use super::live::Live;
use super::record::{self, EXECUTIONS, Execution, RUNNING};
use super::{arn, maps, removal};
use crate::asl::cursor::Cursor;
use crate::asl::machine::Machine;
use crate::asl::step::What;

/// An execution to be started.
pub struct Start {
    pub record: Execution,
    /// Its text.
    pub definition: Arc<str>,
    pub machine: Arc<Machine>,
    pub cursor: Cursor,
    /// Express executions leave no trace.
    pub durable: bool,
}

impl Driver {
    /// Starts an execution. `Err(Some(record))` when there is one of that name already.
    pub async fn begin(self: &Arc<Self>, start: Start) -> Result<Result<Arc<Live>, Box<Execution>>, Fault> {
        let bus = self.bus()?;
        let Start { record, definition, machine, cursor, durable } = start;
        let live = Live::new(&record.key, machine, cursor, durable);
        live.log_to(&record, &bus.region);
        let mut guard = live.cursor.lock().await;
        let Some(cursor) = guard.take() else { return Ok(Ok(live.clone())) };
        let stimulus = Self::stimulus(&bus, What::Begin);
        let now = stimulus.now;
        let (cursor, directives) = self.stepped(&live.machine, cursor, stimulus).await?;
        let (events, rest) = split(directives);
        if durable {
            let mut record = record;
            let machine = arn::of_machine(&bus.region, &record.machine);
            let journal = Journal::first(&mut record, &cursor, &events, now)?;
            let bytes = record::to_bytes(&record)?;
            let existing = bus
                .store
                .transact(move |tx| {
                    if record.child.is_none() {
                        removal::refuse(tx, &record.machine, &machine)?;
                    }
                    if let Some(existing) = record::load_in::<Execution>(tx, EXECUTIONS, &record.key)? {
                        return Ok::<_, Fault>(Some(existing));
                    }
                    if tx.get(record::DEFINITIONS, &record.definition)?.is_none() {
                        tx.put(record::DEFINITIONS, record.definition.clone(), definition.as_bytes());
                    }
                    if let Some(child) = &record.child {
                        tx.delete(maps::ITEMS, maps::item_key(&child.run, child.index));
                    }
                    tx.put(record::RUNS, record.run(), record.key.clone());
                    if !record.is_over() {
                        tx.put(RUNNING, record.key.clone(), "");
                    }
                    tx.put(EXECUTIONS, record.key, bytes);
                    journal.write(tx)?;
                    Ok(None)
                })
                .await?;
            if let Some(existing) = existing {
                return Ok(Err(Box::new(existing)));
            }
        }
        live.recorded(&cursor);
        self.log(&live, &cursor, &events);
        if cursor.over.is_none() {
            self.keep(&live);
        }
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
}
