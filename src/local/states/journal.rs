//! What steps write, in one transaction: its events, where the execution stands now, and what changes
//! in its record.

use chrono::{DateTime, Utc};

use super::super::fault::Fault;
use super::super::store::Tx;
use super::history::{HISTORY, chunk};
use super::record::{self, CURSORS, EXECUTIONS, Execution, RUNNING};
use super::removal;
use crate::asl::cursor::{Cursor, Outcome};
use crate::asl::event::Event;
use crate::asl::failure::Failure;

/// The writing of one step, or of several that follow each other.
pub struct Journal {
    key: String,
    events: Option<(String, Vec<u8>)>,
    /// `None`: nothing more will happen.
    cursor: Option<Vec<u8>>,
    /// How it ended.
    over: Option<Outcome>,
    redrive: Option<Redrive>,
    now: DateTime<Utc>,
    count: i64,
}

/// A redrive that the steps begin with.
pub struct Redrive {
    /// The client token of the request.
    pub token: Option<String>,
}

impl Journal {
    pub fn new(
        key: &str,
        cursor: &Cursor,
        events: &[Event],
        redrive: Option<Redrive>,
        now: DateTime<Utc>,
    ) -> Result<Journal, Fault> {
        let kept = cursor.over.is_none() || cursor.is_redrivable();
        Ok(Journal {
            key: key.to_owned(),
            events: match events.last() {
                Some(last) => Some((chunk(key, last.id), record::to_bytes(&events)?)),
                None => None,
            },
            cursor: if kept { Some(record::to_bytes(cursor)?) } else { None },
            over: cursor.over.clone(),
            redrive,
            now,
            count: cursor.events,
        })
    }

    /// The first step's, which goes with the record itself: what it changes in the record is done here.
    pub fn first(
        record: &mut Execution,
        cursor: &Cursor,
        events: &[Event],
        now: DateTime<Utc>,
    ) -> Result<Journal, Fault> {
        if let Some(outcome) = &cursor.over {
            end(record, outcome.clone(), now, cursor.events);
        }
        Ok(Journal { over: None, ..Journal::new(&record.key, cursor, events, None, now)? })
    }

    pub fn write(self, tx: &mut Tx<'_>) -> Result<(), Fault> {
        if let Some((key, bytes)) = self.events {
            tx.put(HISTORY, key, bytes);
        }
        match self.cursor {
            Some(bytes) => tx.put(CURSORS, self.key.clone(), bytes),
            None if self.over.is_none() => {}
            None => tx.delete(CURSORS, self.key.clone()),
        }
        if self.over.is_none() && self.redrive.is_none() {
            return Ok(());
        }
        let Some(mut record) = record::load_in::<Execution>(tx, EXECUTIONS, &self.key)? else {
            return Ok(());
        };
        if let Some(Redrive { token }) = self.redrive {
            record.status = "RUNNING".into();
            record.redrives += 1;
            record.redriven = Some(self.now);
            record.note_redrive(token, self.now);
            (record.stopped, record.output) = (None, None);
            (record.error, record.cause) = (None, None);
            tx.put(RUNNING, self.key.clone(), "");
        }
        if let Some(outcome) = self.over {
            end(&mut record, outcome, self.now, self.count);
            tx.delete(RUNNING, self.key.clone());
            removal::ended(tx, &record.machine)?;
        }
        tx.put(EXECUTIONS, self.key, record::to_bytes(&record)?);
        Ok(())
    }
}

fn end(record: &mut Execution, outcome: Outcome, now: DateTime<Utc>, count: i64) {
    record.stopped = Some(now);
    record.events = count;
    let (status, failure) = match outcome {
        Outcome::Succeeded(output) => {
            record.output = Some(output.text().to_owned());
            ("SUCCEEDED", Failure::default())
        }
        Outcome::Failed(failure) => ("FAILED", failure),
        Outcome::TimedOut(failure) => ("TIMED_OUT", failure),
        Outcome::Aborted(failure) => ("ABORTED", failure),
    };
    record.status = status.into();
    (record.error, record.cause) = (failure.error, failure.cause);
}
