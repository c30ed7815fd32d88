//! The writing of events, and what a group loses to its retention and its bounds.

use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::{Value, json};

use super::records::{
    DAY, EVENTS, Entry, GROUPS, Group, MOST_BYTES, MOST_EVENTS, OVERHEAD, Position, STREAMS, Stream, bytes,
    group_in, no_stream, read, stream_key, tail,
};
use super::{Logs, invalid};
use crate::local::fault::Fault;

/// PutLogEvents' own limits.
const BATCH_EVENTS: usize = 10_000;
const BATCH_BYTES: u64 = 1_048_576;
const HOUR: i64 = 60 * 60 * 1000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PutLogEvents {
    log_group_name: String,
    log_stream_name: String,
    log_events: Vec<Put>,
}

#[derive(Deserialize)]
struct Put {
    timestamp: i64,
    message: String,
}

impl Logs {
    pub(super) async fn put_log_events(&self, input: PutLogEvents) -> Result<Value, Fault> {
        let PutLogEvents { log_group_name: name, log_stream_name: stream, log_events: events } = input;
        check(&events)?;
        let now = self.now();
        let committed = name.clone();
        let (answer, group) = self
            .store
            .transact(move |tx| {
                let mut group = group_in(tx, &name)?;
                let key = stream_key(&name, &stream);
                let mut record: Stream = read(&tx.get(STREAMS, &key)?.ok_or_else(no_stream)?)?;
                let oldest = (now - 14 * DAY).max(group.horizon(now));
                let old = events.iter().take_while(|event| event.timestamp < oldest).count();
                let fresh = events.iter().take_while(|event| event.timestamp <= now + 2 * HOUR).count();
                let total = events.len();
                for event in events.into_iter().take(fresh).skip(old) {
                    group.written += 1;
                    let at = Position::new(event.timestamp, group.written);
                    let entry = Entry { stream: stream.clone(), ingested: now, message: event.message };
                    group.events += 1;
                    group.bytes += entry.bytes();
                    record.first =
                        Some(record.first.map_or(event.timestamp, |first| first.min(event.timestamp)));
                    record.last = Some(record.last.map_or(event.timestamp, |last| last.max(event.timestamp)));
                    tx.put(EVENTS, at.key(&name), bytes(&entry)?);
                }
                record.ingested = Some(now);
                let mut answer = json!({ "nextSequenceToken": Position::new(now, group.written).event_id() });
                if old > 0 {
                    answer["rejectedLogEventsInfo"]["tooOldLogEventEndIndex"] = old.into();
                }
                if fresh < total {
                    answer["rejectedLogEventsInfo"]["tooNewLogEventStartIndex"] = fresh.into();
                }
                tx.put(STREAMS, key, bytes(&record)?);
                tx.put(GROUPS, name, bytes(&group)?);
                Ok::<_, Fault>((answer, group))
            })
            .await?;
        self.trim(&committed, &group).await?;
        Ok(answer)
    }

    /// Drops what retention and the bounds of a group no longer allow, and the streams this empties.
    pub(super) async fn trim(&self, name: &str, record: &Group) -> Result<(), Fault> {
        let over = record.events > MOST_EVENTS || record.bytes > MOST_BYTES;
        if !over && record.retention_days.is_none() {
            return Ok(());
        }
        let horizon = record.horizon(self.now());
        // A tenth more than needed, so that not every write trims again.
        let (events, size) = match over {
            true => (MOST_EVENTS * 9 / 10, MOST_BYTES * 9 / 10),
            false => (u64::MAX, u64::MAX),
        };
        let (mut left, mut weight) = (record.events, record.bytes);
        let mut doomed = Vec::new();
        let mut kept_from = None;
        self.store.scan(EVENTS, &format!("{name}\0"), "", |key, value| {
            let at = Position::parse(tail(key)).map_or(0, Position::at);
            if left <= events && weight <= size && at >= horizon {
                kept_from = Some(at);
                return ControlFlow::Break(());
            }
            let length = read::<Entry>(value).map_or(0, |entry| entry.bytes());
            left = left.saturating_sub(1);
            weight = weight.saturating_sub(length);
            doomed.push((key.to_owned(), length));
            ControlFlow::Continue(())
        })?;
        if doomed.is_empty() {
            return Ok(());
        }
        let name = name.to_owned();
        self.store
            .transact(move |tx| {
                let mut record = group_in(tx, &name)?;
                for (key, length) in doomed {
                    // Another trim may have been quicker.
                    if tx.get(EVENTS, &key)?.is_some() {
                        record.events = record.events.saturating_sub(1);
                        record.bytes = record.bytes.saturating_sub(length);
                        tx.delete(EVENTS, key);
                    }
                }
                for (key, value) in tx.scan(STREAMS, &format!("{name}\0"))? {
                    let stream: Stream = read(&value)?;
                    if stream.last.is_some_and(|last| kept_from.is_some_and(|kept| last < kept)) {
                        tx.delete(STREAMS, key);
                    }
                }
                tx.put(GROUPS, name, bytes(&record)?);
                Ok::<(), Fault>(())
            })
            .await
    }
}

/// What PutLogEvents refuses as a whole.
fn check(events: &[Put]) -> Result<(), Fault> {
    let (Some(first), Some(last)) = (events.first(), events.last()) else {
        return Err(invalid("logEvents must hold at least one event."));
    };
    if events.len() > BATCH_EVENTS {
        return Err(invalid(format!("logEvents holds {} events; {BATCH_EVENTS} is the most.", events.len())));
    }
    let size: u64 = events.iter().map(|event| event.message.len() as u64 + OVERHEAD).sum();
    if size > BATCH_BYTES {
        return Err(invalid(format!("Upload too large: {size} bytes exceeds limit of {BATCH_BYTES}")));
    }
    if events.iter().any(|event| event.message.is_empty()) {
        return Err(invalid("Log event message must not be empty."));
    }
    if !events.is_sorted_by_key(|event| event.timestamp) {
        return Err(invalid("Log events in a single PutLogEvents request must be in chronological order."));
    }
    if last.timestamp - first.timestamp > DAY {
        return Err(invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ));
    }
    Ok(())
}
