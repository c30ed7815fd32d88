//! What is stored: state machines, executions and their order, definitions and cursors.

use std::ops::ControlFlow;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::fault::Fault;
use super::super::store::{Store, Table, Tx};
use super::arn;
use super::logging::Logging;
use super::tags::Tags;
use crate::asl::cursor::Outcome;
use crate::asl::data::Data;
use crate::asl::failure::Failure;

/// By name.
pub const MACHINES: Table = "states.machines";
/// Texts by their digest: an execution keeps the definition it started with.
pub const DEFINITIONS: Table = "states.definitions";
/// By `machine:name`.
pub const EXECUTIONS: Table = "states.executions";
/// `machine` (for a child, its map run), NUL, time of start counted down, name: newest first. The value is the execution's key.
pub const RUNS: Table = "states.runs";
/// Cursors of executions that run or may be redriven.
pub const CURSORS: Table = "states.cursors";
/// Keys of executions that run.
pub const RUNNING: Table = "states.running";

/// Client tokens of RedriveExecution that are remembered of an execution, and how long each counts (API
/// reference, RedriveExecution: idempotent for the last 10, for up to 15 minutes).
const REDRIVE_TOKENS: usize = 10;
const REDRIVE_TOKEN_AGE: TimeDelta = TimeDelta::minutes(15);

/// A state machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Machine {
    pub name: String,
    pub definition: String,
    pub role: String,
    pub express: bool,
    pub created: DateTime<Utc>,
    pub updated: Option<DateTime<Utc>>,
    pub revision: Option<String>,
    pub logging: Value,
    pub tracing: Value,
    pub encryption: Option<Value>,
    pub tags: Tags,
    /// The number of the version that was published last, deleted or not.
    #[serde(default)]
    pub latest_version: u64,
}

impl Machine {
    /// Whether it does the same, in the same role, with the same logs and the same key.
    pub fn is_like(&self, other: &Machine) -> bool {
        (&self.definition, &self.role, &self.logging, &self.tracing, &self.encryption)
            == (&other.definition, &other.role, &other.logging, &other.tracing, &other.encryption)
    }
}

/// An execution.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Execution {
    /// `machine:name`
    pub key: String,
    pub name: String,
    pub machine: String,
    /// The digest of its definition.
    pub definition: String,
    pub role: String,
    pub revision: Option<String>,
    pub status: String,
    pub started: DateTime<Utc>,
    pub stopped: Option<DateTime<Utc>>,
    pub input: String,
    pub output: Option<String>,
    pub error: Option<String>,
    pub cause: Option<String>,
    pub redrives: u32,
    pub redriven: Option<DateTime<Utc>>,
    /// How many events it has, once it is over.
    pub events: i64,
    pub version: Option<String>,
    pub alias: Option<String>,
    /// For a child of a map run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child: Option<Child>,
    /// The machine's logging configuration, when anything is logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logging: Option<Value>,
    /// The client tokens of the last requests that redrove it, and when each did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redrive_tokens: Vec<(String, DateTime<Utc>)>,
}

/// The place of a child execution in its map run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Child {
    /// The run's key: `machine/label:uuid`.
    pub run: String,
    pub index: usize,
    /// How many items it works on.
    pub items: usize,
}

impl Execution {
    /// One that runs, with everything else still to be said.
    pub fn new(key: String, started: DateTime<Utc>) -> Execution {
        Execution {
            key,
            name: String::new(),
            machine: String::new(),
            definition: String::new(),
            role: String::new(),
            revision: None,
            status: "RUNNING".into(),
            started,
            stopped: None,
            input: String::new(),
            output: None,
            error: None,
            cause: None,
            redrives: 0,
            redriven: None,
            events: 0,
            version: None,
            alias: None,
            child: None,
            logging: None,
            redrive_tokens: Vec::new(),
        }
    }

    /// Remembers the client token of a request that redrives it, and forgets those that no longer count.
    pub fn note_redrive(&mut self, token: Option<String>, now: DateTime<Utc>) {
        self.redrive_tokens.extend(token.map(|token| (token, now)));
        let many = self.redrive_tokens.len().saturating_sub(REDRIVE_TOKENS);
        self.redrive_tokens.drain(..many);
    }

    /// When a request with this client token redrove it, if that still counts.
    pub fn redriven_with(&self, token: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (_, at) = self.redrive_tokens.iter().find(|(used, _)| used == token)?;
        (now - *at < REDRIVE_TOKEN_AGE).then_some(*at)
    }

    /// How it ended; `None` while it runs.
    pub fn outcome(&self) -> Option<Outcome> {
        let failure = Failure { error: self.error.clone(), cause: self.cause.clone(), ..Failure::default() };
        match self.status.as_str() {
            "SUCCEEDED" => Data::parse(self.output.as_deref().unwrap_or("null")).ok().map(Outcome::Succeeded),
            "FAILED" => Some(Outcome::Failed(failure)),
            "TIMED_OUT" => Some(Outcome::TimedOut(failure)),
            "ABORTED" => Some(Outcome::Aborted(failure)),
            _ => None,
        }
    }

    pub fn arn(&self, region: &str) -> String {
        arn::of_execution(region, &self.key)
    }

    /// Its key in [`RUNS`].
    pub fn run(&self) -> String {
        let micros = u64::MAX - self.started.timestamp_micros().unsigned_abs();
        // Those of a map run stand under the run, not under a machine.
        let place = self.child.as_ref().map_or(&self.machine, |child| &child.run);
        format!("{place}\0{micros:020}\0{}", self.name)
    }

    pub fn is_over(&self) -> bool {
        self.status != "RUNNING"
    }

    /// An entry of ListExecutions.
    pub fn item(&self, region: &str) -> Value {
        let mut item = json!({
            "executionArn": self.arn(region),
            "stateMachineArn": arn::of_machine(region, &self.machine),
            "name": self.name,
            "status": self.status,
            "startDate": seconds(self.started),
            "redriveCount": self.redrives,
        });
        put(&mut item, "stopDate", self.stopped.map(seconds));
        put(&mut item, "redriveDate", self.redriven.map(seconds));
        put(&mut item, "stateMachineVersionArn", self.version.clone());
        put(&mut item, "stateMachineAliasArn", self.alias.clone());
        if let Some(child) = &self.child {
            item["mapRunArn"] = arn::of_map_run(region, &child.run).into();
        }
        item
    }

    /// What of it is logged.
    pub fn logging(&self, execution_arn: String) -> Option<Logging> {
        Logging::of(self.logging.as_ref()?, self, execution_arn)
    }

    /// DescribeExecution, but for what it says of redriving.
    pub fn describe(&self, region: &str) -> Value {
        let mut answer = self.item(region);
        answer["input"] = self.input.as_str().into();
        answer["inputDetails"] = json!({"included": true});
        if let Some(output) = &self.output {
            answer["output"] = output.as_str().into();
            answer["outputDetails"] = json!({"included": true});
        }
        put(&mut answer, "error", self.error.clone());
        put(&mut answer, "cause", self.cause.clone());
        answer
    }
}

/// Sets a member when there is a value.
pub fn put(object: &mut Value, member: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        object[member] = value.into();
    }
}

/// AWS JSON's timestamps: seconds with a fraction.
pub fn seconds(time: DateTime<Utc>) -> Value {
    json!(time.timestamp_millis() as f64 / 1000.0)
}

pub fn digest(text: &str) -> String {
    Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect()
}

pub fn to_bytes(value: &impl Serialize) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(value).map_err(|e| Fault::internal(format!("a record cannot be written: {e}")))
}

pub fn from_bytes<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(bytes).map_err(|e| Fault::internal(format!("a record cannot be read: {e}")))
}

pub fn load<T: for<'de> Deserialize<'de>>(
    store: &Store,
    table: Table,
    key: &str,
) -> Result<Option<T>, Fault> {
    store.get(table, key)?.map(|bytes| from_bytes(&bytes)).transpose()
}

pub fn load_in<T: for<'de> Deserialize<'de>>(
    tx: &Tx<'_>,
    table: Table,
    key: &str,
) -> Result<Option<T>, Fault> {
    tx.get(table, key)?.map(|bytes| from_bytes(&bytes)).transpose()
}

/// Records of a table in the order of their keys, those that are wanted, at most so many.
pub fn list<T: for<'de> Deserialize<'de>>(
    store: &Store,
    table: Table,
    prefix: &str,
    after: &str,
    most: usize,
    wanted: impl Fn(&T) -> bool,
) -> Result<Vec<(String, T)>, Fault> {
    let (mut found, mut broken) = (Vec::new(), None);
    store.scan(table, prefix, after, |key, bytes| {
        match from_bytes::<T>(bytes) {
            Ok(record) if wanted(&record) => found.push((key.to_owned(), record)),
            Ok(_) => {}
            Err(fault) => broken = Some(fault),
        }
        if found.len() < most && broken.is_none() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    broken.map_or(Ok(found), Err)
}

/// The machine of a name, or AWS's fault with the ARN that was asked for.
pub fn machine(store: &Store, name: &str, arn: &str) -> Result<Machine, Fault> {
    load(store, MACHINES, name)?.ok_or_else(|| no_machine(arn))
}

pub fn no_machine(arn: &str) -> Fault {
    Fault::client("StateMachineDoesNotExist", format!("State Machine Does Not Exist: '{arn}'"))
}

pub fn execution(store: &Store, key: &str, arn: &str) -> Result<Execution, Fault> {
    load(store, EXECUTIONS, key)?.ok_or_else(|| no_execution(arn))
}

pub fn no_execution(arn: &str) -> Fault {
    Fault::client("ExecutionDoesNotExist", format!("Execution Does Not Exist: '{arn}'"))
}

/// The text of a definition.
pub fn definition(store: &Store, digest: &str) -> Result<String, Fault> {
    let bytes = store.get(DEFINITIONS, digest)?;
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| Fault::internal(format!("the definition {digest} is missing")))
}
