//! Versions of state machines: published once, never changed, numbered for ever.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::fault::Fault;
use super::super::store::{Store, Table, Tx};
use super::aliases;
use super::record::{self, MACHINES, Machine, no_machine, put, seconds};
use super::{States, arn, page, removal, validate};

/// By machine, NUL and number.
pub const VERSIONS: Table = "states.versions";

/// The revision of a machine that was never updated.
const INITIAL: &str = "INITIAL";

/// What a state machine was when it was published.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Version {
    pub number: u64,
    pub description: Option<String>,
    pub published: DateTime<Utc>,
    pub machine: Machine,
}

pub fn key(machine: &str, number: u64) -> String {
    format!("{machine}\0{number:010}")
}

/// Publishes what the machine is now; a revision that is published already keeps its version.
pub fn publish(
    tx: &mut Tx<'_>,
    machine: &mut Machine,
    description: Option<String>,
    now: DateTime<Utc>,
) -> Result<Version, Fault> {
    for (_, bytes) in tx.scan(VERSIONS, &format!("{}\0", machine.name))? {
        let version: Version = record::from_bytes(&bytes)?;
        if version.machine.revision == machine.revision {
            return Ok(version);
        }
    }
    machine.latest_version += 1;
    let version =
        Version { number: machine.latest_version, description, published: now, machine: machine.clone() };
    tx.put(VERSIONS, key(&machine.name, version.number), record::to_bytes(&version)?);
    Ok(version)
}

/// A version by its qualifier, when it is one.
pub fn find(store: &Store, machine: &str, qualifier: &str) -> Result<Option<Version>, Fault> {
    match qualifier.parse::<u64>() {
        Ok(number) => record::load(store, VERSIONS, &key(machine, number)),
        Err(_) => Ok(None),
    }
}

impl States {
    pub(super) async fn publish_state_machine_version(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let arn = validate::text(input, "stateMachineArn")?.to_owned();
        let (name, qualifier) = arn::machine(&arn)?;
        if qualifier.is_some() {
            return Err(no_machine(&arn));
        }
        let description = validate::at_most(input, "description", 256)?;
        let wanted = input["revisionId"].as_str().map(str::to_owned);
        let (now, region) = (bus.clock.now(), bus.region.clone());
        bus.store
            .transact(move |tx| {
                let mut machine: Machine =
                    record::load_in(tx, MACHINES, &name)?.ok_or_else(|| no_machine(&arn))?;
                removal::refuse(tx, &name, &arn)?;
                let current = machine.revision.as_deref().unwrap_or(INITIAL);
                if let Some(wanted) = wanted
                    && wanted != current
                {
                    return Err(Fault::client(
                        "ConflictException",
                        format!(
                            "Failed to publish the State Machine version for revision {wanted}. The current State \
                             Machine revision is {current}."
                        ),
                    ));
                }
                let version = publish(tx, &mut machine, description, now)?;
                tx.put(MACHINES, name.clone(), record::to_bytes(&machine)?);
                Ok(json!({
                    "creationDate": seconds(version.published),
                    "stateMachineVersionArn": arn::of_version(&region, &name, version.number),
                }))
            })
            .await
    }

    pub(super) fn list_state_machine_versions(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let arn = validate::text(input, "stateMachineArn")?;
        let (name, _) = arn::machine(arn)?;
        let size = validate::page_size(input, 100, 1000)?;
        let question = format!("ListStateMachineVersions {arn}");
        let before = page::place(input, &question)?.and_then(|p| p.parse::<u64>().ok());
        let older = |version: &Version| before.is_none_or(|before| version.number < before);
        let mut found = record::list(&bus.store, VERSIONS, &format!("{name}\0"), "", usize::MAX, older)?;
        // The newest first.
        found.reverse();
        let more = page::cut(&mut found, size).is_some();
        let list: Vec<Value> = found
            .iter()
            .map(|(_, version)| {
                json!({
                    "stateMachineVersionArn": arn::of_version(&bus.region, &name, version.number),
                    "creationDate": seconds(version.published),
                })
            })
            .collect();
        let mut answer = json!({"stateMachineVersions": list});
        let next = found.last().filter(|_| more).map(|(_, v)| page::token(&question, &v.number.to_string()));
        put(&mut answer, "nextToken", next);
        Ok(answer)
    }

    pub(super) async fn delete_state_machine_version(&self, input: &Value) -> Result<Value, Fault> {
        let (name, qualifier) = arn::machine(validate::text(input, "stateMachineVersionArn")?)?;
        let Some(number) = qualifier.and_then(|q| q.parse::<u64>().ok()) else { return Ok(json!({})) };
        self.bus()?
            .store
            .transact(move |tx| {
                let routing: Vec<String> = aliases::of(tx, &name)?
                    .into_iter()
                    .filter(|alias| alias.routes.iter().any(|route| route.version == number))
                    .map(|alias| alias.name)
                    .collect();
                if !routing.is_empty() {
                    return Err(Fault::client(
                        "ConflictException",
                        format!(
                            "Version to be deleted must not be referenced by an alias. Current list of aliases \
                             referencing this version: [{}]",
                            routing.join(", ")
                        ),
                    ));
                }
                tx.delete(VERSIONS, key(&name, number));
                Ok(json!({}))
            })
            .await
    }
}
