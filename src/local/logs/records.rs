//! What the store keeps of CloudWatch Logs, and under which keys.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::local::fault::Fault;
use crate::local::store::{Store, Table, Tx};

/// group name -> [`Group`]
pub const GROUPS: Table = "logs.groups";
/// `group \0 stream` -> [`Stream`]
pub const STREAMS: Table = "logs.streams";
/// `group \0 position` -> [`Entry`]
pub const EVENTS: Table = "logs.events";

/// A group keeps at most this many events and bytes, so that a folder does not grow for ever. What
/// is over goes, oldest first.
pub const MOST_EVENTS: u64 = 20_000;
pub const MOST_BYTES: u64 = 32 * 1024 * 1024;

/// What CloudWatch adds to a message's length when it counts bytes.
pub const OVERHEAD: u64 = 26;

pub const DAY: i64 = 24 * 60 * 60 * 1000;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Group {
    /// Milliseconds since the epoch, as every time here.
    pub created: i64,
    pub retention_days: Option<u32>,
    pub events: u64,
    pub bytes: u64,
    /// Counts the events ever written, to order those of one millisecond.
    pub written: u64,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

impl Group {
    /// The oldest time that retention still lets one see.
    pub fn horizon(&self, now: i64) -> i64 {
        self.retention_days.map_or(0, |days| now - i64::from(days) * DAY)
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Stream {
    pub created: i64,
    pub first: Option<i64>,
    pub last: Option<i64>,
    pub ingested: Option<i64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    #[serde(rename = "s")]
    pub stream: String,
    #[serde(rename = "i")]
    pub ingested: i64,
    #[serde(rename = "m")]
    pub message: String,
}

impl Entry {
    pub fn bytes(&self) -> u64 {
        self.message.len() as u64 + OVERHEAD
    }
}

/// Where an event stands within its group: by time, then by order of writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(u128);

impl Position {
    pub fn new(at: i64, written: u64) -> Position {
        Position(((at.max(0) as u128) << 48) | u128::from(written & 0xffff_ffff_ffff))
    }

    /// Before every event of that time.
    pub fn before(at: i64) -> Position {
        Position::new(at, 0)
    }

    pub fn at(self) -> i64 {
        (self.0 >> 48) as i64
    }

    pub fn next(self) -> Position {
        Position(self.0.saturating_add(1))
    }

    pub fn text(self) -> String {
        format!("{:028x}", self.0)
    }

    pub fn parse(text: &str) -> Option<Position> {
        if text.len() != 28 {
            return None;
        }
        u128::from_str_radix(text, 16).ok().map(Position)
    }

    /// CloudWatch's event ids have 56 digits.
    pub fn event_id(self) -> String {
        format!("{:056}", self.0)
    }

    pub fn key(self, group: &str) -> String {
        format!("{group}\0{}", self.text())
    }
}

pub fn stream_key(group: &str, stream: &str) -> String {
    format!("{group}\0{stream}")
}

/// The part of a key after its group.
pub fn tail(key: &str) -> &str {
    key.split_once('\0').map_or("", |(_, tail)| tail)
}

pub fn read<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(bytes)
        .map_err(|e| Fault::internal(format!("a record of the logs is damaged: {e}")))
}

pub fn bytes<T: Serialize>(record: &T) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(record).map_err(|e| Fault::internal(format!("a record cannot be written: {e}")))
}

pub fn no_group() -> Fault {
    Fault::client("ResourceNotFoundException", "The specified log group does not exist.")
}

pub fn no_stream() -> Fault {
    Fault::client("ResourceNotFoundException", "The specified log stream does not exist.")
}

pub fn group(store: &Store, name: &str) -> Result<Group, Fault> {
    read(&store.get(GROUPS, name)?.ok_or_else(no_group)?)
}

pub fn group_in(tx: &Tx<'_>, name: &str) -> Result<Group, Fault> {
    read(&tx.get(GROUPS, name)?.ok_or_else(no_group)?)
}
