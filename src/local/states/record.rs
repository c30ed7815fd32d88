//! What is stored: state machines, executions and their order, definitions and cursors.

use std::ops::ControlFlow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::super::fault::Fault;
use super::super::store::{Store, Table, Tx};
use super::arn;

/// By name.
pub const MACHINES: Table = "states.machines";
/// Texts by their digest: an execution keeps the definition it started with.
pub const DEFINITIONS: Table = "states.definitions";
/// By `machine:name`.
pub const EXECUTIONS: Table = "states.executions";
/// `machine` NUL, time of start counted down, name: newest first. The value is the execution's key.
pub const RUNS: Table = "states.runs";
/// Cursors of executions that run or may be redriven.
pub const CURSORS: Table = "states.cursors";
/// Keys of executions that run.
pub const RUNNING: Table = "states.running";

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
    /// Key and value, in the order they were given.
    pub tags: Vec<(String, String)>,
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
}

impl Execution {
    pub fn arn(&self, region: &str) -> String {
        arn::of_execution(region, &self.key)
    }

    /// Its key in [`RUNS`].
    pub fn run(&self) -> String {
        let micros = u64::MAX - self.started.timestamp_micros().unsigned_abs();
        format!("{}\0{micros:020}\0{}", self.machine, self.name)
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
        item
    }

    /// DescribeExecution.
    pub fn describe(&self, region: &str, redrivable: bool) -> Value {
        let mut answer = self.item(region);
        answer["input"] = self.input.as_str().into();
        answer["inputDetails"] = json!({"included": true});
        if let Some(output) = &self.output {
            answer["output"] = output.as_str().into();
            answer["outputDetails"] = json!({"included": true});
        }
        put(&mut answer, "error", self.error.clone());
        put(&mut answer, "cause", self.cause.clone());
        answer["redriveStatus"] = if redrivable { "REDRIVABLE" } else { "NOT_REDRIVABLE" }.into();
        if !redrivable {
            let reason = match self.status.as_str() {
                "RUNNING" => "Execution is RUNNING and cannot be redriven",
                "SUCCEEDED" => "Execution is SUCCEEDED and cannot be redriven",
                _ => "Execution history exceeded the limit",
            };
            answer["redriveStatusReason"] = reason.into();
        }
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

/// The machine of a name, or AWS's fault with the ARN that was asked for.
pub fn machine(store: &Store, name: &str, arn: &str) -> Result<Machine, Fault> {
    load(store, MACHINES, name)?.ok_or_else(|| no_machine(arn))
}

pub fn no_machine(arn: &str) -> Fault {
    Fault::client("StateMachineDoesNotExist", format!("State Machine Does Not Exist: '{arn}'"))
}

pub fn execution(store: &Store, key: &str, arn: &str) -> Result<Execution, Fault> {
    load(store, EXECUTIONS, key)?
        .ok_or_else(|| Fault::client("ExecutionDoesNotExist", format!("Execution Does Not Exist: '{arn}'")))
}

/// The text of a definition.
pub fn definition(store: &Store, digest: &str) -> Result<String, Fault> {
    let bytes = store.get(DEFINITIONS, digest)?;
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| Fault::internal(format!("the definition {digest} is missing")))
}

/// Every machine, by name.
pub fn machines(store: &Store, after: &str, most: usize) -> Result<Vec<Machine>, Fault> {
    let mut found: Vec<Result<Machine, Fault>> = Vec::new();
    store.scan(MACHINES, "", after, |_, bytes| {
        found.push(from_bytes(bytes));
        if found.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    found.into_iter().collect()
}

/// Tags as the API has them.
pub fn tags(tags: &[(String, String)]) -> Value {
    tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

/// Reads the API's tags; the last of a key counts.
pub fn read_tags(value: &Value) -> Result<Vec<(String, String)>, Fault> {
    let mut read: Map<String, Value> = Map::new();
    for (i, tag) in value.as_array().into_iter().flatten().enumerate() {
        let wrong = |member: &str, rule: &str| {
            let at = format!("tags.{}.member.{member}", i + 1);
            Fault::client(
                "ValidationException",
                format!("1 validation error detected: Value at '{at}' failed to satisfy constraint: {rule}"),
            )
        };
        let key = tag["key"].as_str().ok_or_else(|| wrong("key", "Member must not be null"))?;
        if key.is_empty() {
            return Err(wrong("key", "Member must have length greater than or equal to 1"));
        }
        let value = tag["value"].as_str().ok_or_else(|| wrong("value", "Member must not be null"))?;
        read.insert(key.to_owned(), value.into());
    }
    Ok(read.into_iter().map(|(k, v)| (k, v.as_str().unwrap_or_default().to_owned())).collect())
}
