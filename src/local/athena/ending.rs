//! How queries end: SUCCEEDED, FAILED or CANCELLED. Each end is in the store before anyone is told of it,
//! together with what the query makes known: a table that is there belongs to a query that succeeded.

use std::ops::ControlFlow;

use serde_json::{Value, json};

use super::catalog::Entry;
use super::failure::Failure;
use super::operations::{Athena, QUERIES, decode, encode};
use super::record::{Record, State};
use super::reuse;
use crate::local::bus::Bus;
use crate::local::fault::Fault;
use crate::local::store;
use crate::sql::class::classify;

/// What a statement that writes says of itself when the cloud's end cut it off: it may have written a part,
/// so it is not run again by itself.
const INTERRUPTED: &str =
    "The local cloud stopped while the statement ran; look at what it wrote, then run it again.";

impl Athena {
    /// StopQueryExecution: the end is written first, then the engine is told.
    pub(super) async fn stop(&self, id: &str) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let mut record = self.record(id)?;
        if record.state.is_over() {
            return Ok(json!({}));
        }
        let Some(cancel) = self.live().get(id).map(|live| live.cancel.clone()) else {
            return Ok(json!({}));
        };
        let now = bus.clock.now().timestamp_millis();
        record.state = State::Cancelled;
        record.completed = Some(now);
        record.total = u64::try_from(now - record.submitted).unwrap_or(0);
        record.engine = record.total.saturating_sub(record.queue);
        record.reason = Some("Query cancelled by user".into());
        end(&bus, record, None).await?;
        cancel.cancel();
        self.live().remove(id);
        Ok(json!({}))
    }

    /// A sentence for every query that an earlier process left unfinished.
    pub(super) fn interrupted(&self) -> Vec<String> {
        let Ok(bus) = self.bus() else { return Vec::new() };
        let sentence = |record: &Record| match classify(&record.sql).writes {
            false => format!("The query {} is run again.", record.id),
            true => format!("The query {} writes and ended as failed: run it again.", record.id),
        };
        unfinished(&bus).iter().map(sentence).collect()
    }

    /// Goes on with what an earlier process left unfinished: what only reads is run again, under its id
    /// and into its place; what writes ends as failed.
    pub(super) async fn take_up(&self) {
        let Ok(bus) = self.bus() else { return };
        for mut record in unfinished(&bus) {
            let id = record.id.clone();
            // Somebody may have started it just now.
            if self.live().contains_key(&id) {
                continue;
            }
            if !classify(&record.sql).writes {
                self.begin(bus.clone(), id, record);
                continue;
            }
            let failure = Failure::internal(INTERRUPTED);
            record.completed = Some(bus.clock.now().timestamp_millis());
            record.fail(&failure);
            if let Err(fault) = end(&bus, record, None).await {
                tracing::error!(id, "an interrupted query could not be ended: {}", fault.message);
            }
        }
    }
}

/// The queries that have no end.
fn unfinished(bus: &Bus) -> Vec<Record> {
    let mut unfinished: Vec<Record> = Vec::new();
    let read = bus.store.scan(QUERIES, "", "", |_, bytes| {
        if let Ok(record) = decode::<Record>(bytes)
            && !record.state.is_over()
        {
            unfinished.push(record);
        }
        ControlFlow::Continue(())
    });
    if let Err(error) = read {
        tracing::error!("the history of queries cannot be read: {error}");
    }
    unfinished
}

/// What became of an end that was to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Stands,
    /// The query has another end.
    Otherwise,
}

/// Why an end was not written.
enum Refused {
    /// What the query wanted to make known is not possible.
    Entry(Failure),
    Fault(Fault),
}

impl From<store::Error> for Refused {
    fn from(error: store::Error) -> Self {
        Refused::Fault(error.into())
    }
}

/// Writes the end of a query, and with it what it makes known; the first end stands.
pub async fn end(bus: &Bus, mut record: Record, entry: Option<Entry>) -> Result<Ended, Fault> {
    match write(bus, record.clone(), entry).await {
        Ok(ended) => Ok(ended),
        Err(Refused::Fault(fault)) => Err(fault),
        Err(Refused::Entry(failure)) => {
            record.fail(&failure);
            match write(bus, record, None).await {
                Ok(_) => Ok(Ended::Otherwise),
                Err(Refused::Fault(fault)) => Err(fault),
                Err(Refused::Entry(failure)) => Err(failure.into()),
            }
        }
    }
}

async fn write(bus: &Bus, record: Record, entry: Option<Entry>) -> Result<Ended, Refused> {
    let encoded = encode(&record).map_err(Refused::Fault)?;
    bus.store
        .transact(move |tx| {
            if let Some(known) = tx.get(QUERIES, &record.id)?
                && decode::<Record>(&known).map_err(Refused::Fault)?.state.is_over()
            {
                return Ok(Ended::Otherwise);
            }
            if let Some(entry) = entry {
                entry.write(tx).map_err(Refused::Entry)?;
            }
            reuse::keep(tx, &record);
            tx.put(QUERIES, record.id, encoded);
            Ok(Ended::Stands)
        })
        .await
}
