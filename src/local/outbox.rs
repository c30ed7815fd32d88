//! The deliverer of the bus's events: durable, in order of posting, at most four at once.
//!
//! An event is a row of `bus.outbox` from the transaction that posted it until its receiver answered
//! Ok or its attempts are used up. A process that ends in between leaves the row, and the next one
//! delivers it again: at least once.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::bus::{Bus, Event};
use super::fault::Fault;
use super::store::{Store, Tx};

const OUTBOX: &str = "bus.outbox";
const COUNTERS: &str = "bus.counters";
/// Deliveries under way at the same time.
const AT_ONCE: usize = 4;
/// Minutes of the cloud's clock before the second and the third attempt, as AWS retries an
/// asynchronous invocation.
const RETRY_AFTER: [u64; 2] = [1, 2];

#[derive(Serialize, Deserialize)]
struct Row {
    event: Event,
    /// Attempts that failed so far.
    failed: usize,
    /// Not before this time, milliseconds since the epoch.
    due: i64,
}

/// Appends to the outbox within `tx`.
pub fn post(tx: &mut Tx<'_>, event: &Event) -> Result<(), Fault> {
    let last = tx.get(COUNTERS, "outbox")?;
    let next = last.and_then(|l| String::from_utf8(l).ok()?.parse::<u64>().ok()).unwrap_or(0) + 1;
    tx.put(COUNTERS, "outbox", next.to_string());
    tx.put(OUTBOX, format!("{next:020}"), encode(&Row { event: event.clone(), failed: 0, due: 0 })?);
    Ok(())
}

/// Whether anything waits to be delivered.
pub fn waiting(store: &Store) -> bool {
    let mut any = false;
    let seen = store.scan(OUTBOX, "", "", |_, _| {
        any = true;
        ControlFlow::Break(())
    });
    any || seen.is_err()
}

/// How many events wait to be delivered.
pub fn count(store: &Store) -> Result<usize, Fault> {
    let mut count = 0;
    store.scan(OUTBOX, "", "", |_, _| {
        count += 1;
        ControlFlow::Continue(())
    })?;
    Ok(count)
}

/// Delivers until the bus stops. What is under way then is delivered again by the next process.
pub async fn deliver(bus: Arc<Bus>) {
    let mut under_way = BTreeSet::new();
    let mut tasks = JoinSet::new();
    loop {
        let next = match due(&bus, &under_way) {
            Ok(next) => next,
            Err(error) => {
                tracing::warn!(%error, "events cannot be read; trying again in 5 s");
                Next { ready: Vec::new(), later: Some(Duration::from_secs(5)) }
            }
        };
        for (key, row) in next.ready {
            under_way.insert(key.clone());
            let bus = bus.clone();
            tasks.spawn(
                async move {
                    attempt(&bus, &key, row).await;
                    key
                }
                .boxed(),
            );
        }
        tokio::select! {
            () = bus.stopping.cancelled() => return,
            () = bus.nudged() => {}
            Some(done) = tasks.join_next() => match done {
                Ok(key) => {
                    under_way.remove(&key);
                }
                // A panic in a service: which row it was is not known, so all are free to be tried.
                Err(_) if tasks.is_empty() => under_way.clear(),
                Err(_) => {}
            },
            () = async { tokio::time::sleep(next.later.unwrap_or_default()).await }, if next.later.is_some() => {}
        }
    }
}

struct Next {
    ready: Vec<(String, Row)>,
    /// How long until the earliest of the others is due.
    later: Option<Duration>,
}

fn due(bus: &Bus, under_way: &BTreeSet<String>) -> Result<Next, Fault> {
    let free = AT_ONCE.saturating_sub(under_way.len());
    let mut next = Next { ready: Vec::new(), later: None };
    if free == 0 {
        return Ok(next);
    }
    let now = Utc::now().timestamp_millis();
    bus.store.scan(OUTBOX, "", "", |key, value| {
        if under_way.contains(key) {
            return ControlFlow::Continue(());
        }
        match serde_json::from_slice::<Row>(value) {
            Ok(row) if row.due <= now => next.ready.push((key.to_owned(), row)),
            Ok(row) => {
                let wait = Duration::from_millis(u64::try_from(row.due - now).unwrap_or(0));
                next.later = Some(next.later.map_or(wait, |least| least.min(wait)));
            }
            Err(error) => tracing::warn!(key, %error, "an event is unreadable and stays undelivered"),
        }
        if next.ready.len() < free { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(next)
}

async fn attempt(bus: &Bus, key: &str, mut row: Row) {
    let event = &row.event;
    let outcome = bus.call(&event.service, &event.operation, event.input.clone()).await;
    let again = match outcome {
        Ok(_) => None,
        // The cloud is stopping: not the receiver's failure.
        Err(_) if bus.stopping.is_cancelled() => return,
        Err(fault) => match RETRY_AFTER.get(row.failed) {
            Some(minutes) => {
                let wait = bus.clock.real(Duration::from_secs(minutes * 60));
                tracing::info!(service = event.service, operation = event.operation, %fault, "delivery failed, will be retried");
                row.failed += 1;
                row.due = Utc::now().timestamp_millis() + i64::try_from(wait.as_millis()).unwrap_or(0);
                Some(row)
            }
            None => {
                tracing::warn!(service = event.service, operation = event.operation, %fault, "delivery given up after three attempts");
                None
            }
        },
    };
    let key = key.to_owned();
    let kept = bus
        .store
        .transact(move |tx| {
            match again {
                Some(row) => tx.put(OUTBOX, key, encode(&row)?),
                None => tx.delete(OUTBOX, key),
            }
            Ok::<_, Fault>(())
        })
        .await;
    if let Err(error) = kept {
        tracing::warn!(%error, "the outcome of a delivery could not be written; it will be delivered again");
        // Not at once: a full disk would turn this into a busy loop.
        bus.clock.sleep(Duration::from_secs(5)).await;
    }
}

fn encode(row: &Row) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(row).map_err(|e| Fault::internal(format!("an event cannot be written: {e}")))
}
