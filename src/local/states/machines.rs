//! Operations on state machines.

use serde_json::{Value, json};

use super::super::fault::Fault;
use super::definitions::{accept, machine_type, role_arn};
use super::record::{self, MACHINES, Machine, no_machine, put, seconds};
use super::versions::{self, Version};
use super::{States, aliases, arn, encryption, logging, page, removal, tags, validate};
use crate::asl::machine::Machine as Definition;
use crate::asl::references;

impl States {
    pub(super) async fn create_state_machine(&self, input: Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let name = validate::text(&input, "name")?.to_owned();
        validate::name(&name)?;
        let definition = validate::text(&input, "definition")?.to_owned();
        let role = validate::text(&input, "roleArn")?.to_owned();
        role_arn(&role)?;
        let express = machine_type(&input)?;
        let description = version_description(&input)?;
        accept(&definition, express)?;
        let arn = arn::of_machine(&bus.region, &name);
        let machine = Machine {
            name: name.clone(),
            definition,
            role,
            express,
            created: bus.clock.now(),
            updated: None,
            revision: None,
            logging: logging::configuration(&input["loggingConfiguration"])?,
            tracing: tracing_configuration(&input["tracingConfiguration"]),
            encryption: encryption::configuration(&input["encryptionConfiguration"])?,
            tags: tags::of_new(&input, &arn)?,
            latest_version: 0,
        };
        let exists = format!("State Machine Already Exists: '{arn}'");
        let (published, region) = (input["publish"] == true, bus.region.clone());
        bus.store
            .transact(move |tx| {
                let answer = |machine: &Machine, version: Option<Version>| {
                    let mut answer =
                        json!({"stateMachineArn": arn, "creationDate": seconds(machine.created)});
                    let version = version.map(|v| arn::of_version(&region, &machine.name, v.number));
                    put(&mut answer, "stateMachineVersionArn", version);
                    answer
                };
                removal::refuse(tx, &name, &arn)?;
                // The same request again gives the same answer.
                if let Some(existing) = record::load_in::<Machine>(tx, MACHINES, &name)? {
                    let same = existing.definition == machine.definition
                        && existing.express == machine.express
                        && existing.logging == machine.logging
                        && existing.tracing == machine.tracing
                        && existing.encryption == machine.encryption;
                    return if same {
                        Ok(answer(&existing, None))
                    } else {
                        Err(Fault::client("StateMachineAlreadyExists", exists))
                    };
                }
                removal::purge(tx, &name)?;
                let mut machine = machine;
                let created = machine.created;
                let version = match published {
                    true => Some(versions::publish(tx, &mut machine, description, created)?),
                    false => None,
                };
                tx.put(MACHINES, name, record::to_bytes(&machine)?);
                Ok(answer(&machine, version))
            })
            .await
    }

    pub(super) async fn update_state_machine(&self, input: Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let arn = validate::text(&input, "stateMachineArn")?.to_owned();
        let (name, qualifier) = arn::machine(&arn)?;
        validate::no_label(&name)?;
        // The reference does not say what a version's or an alias's ARN is answered with; PublishStateMachineVersion
        // answers so.
        if qualifier.is_some() {
            return Err(no_machine(&arn));
        }
        let given = |member: &str| input.get(member).is_some_and(|v| !v.is_null());
        let changes = [
            "definition",
            "roleArn",
            "loggingConfiguration",
            "tracingConfiguration",
            "encryptionConfiguration",
        ];
        if !changes.into_iter().any(given) {
            return Err(Fault::client(
                "MissingRequiredParameter",
                "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must \
                 be specified",
            ));
        }
        let description = version_description(&input)?;
        let (now, revision, region) = (bus.clock.now(), uuid::Uuid::new_v4().to_string(), bus.region.clone());
        bus.store
            .transact(move |tx| {
                let before: Machine =
                    record::load_in(tx, MACHINES, &name)?.ok_or_else(|| no_machine(&arn))?;
                removal::refuse(tx, &name, &arn)?;
                let mut machine = before.clone();
                if let Some(definition) = input["definition"].as_str() {
                    accept(definition, machine.express)?;
                    machine.definition = definition.to_owned();
                }
                if let Some(role) = input["roleArn"].as_str() {
                    role_arn(role)?;
                    machine.role = role.to_owned();
                }
                if !input["loggingConfiguration"].is_null() {
                    machine.logging = logging::configuration(&input["loggingConfiguration"])?;
                }
                if !input["tracingConfiguration"].is_null() {
                    machine.tracing = tracing_configuration(&input["tracingConfiguration"]);
                }
                if let Some(encryption) = encryption::configuration(&input["encryptionConfiguration"])? {
                    machine.encryption = Some(encryption);
                }
                let mut answer = json!({"updateDate": seconds(now)});
                // What changes nothing makes no revision.
                if !machine.is_like(&before) {
                    machine.revision = Some(revision);
                }
                put(&mut answer, "revisionId", machine.revision.clone());
                machine.updated = Some(now);
                if input["publish"] == true {
                    let version = versions::publish(tx, &mut machine, description, now)?;
                    answer["stateMachineVersionArn"] = arn::of_version(&region, &name, version.number).into();
                }
                tx.put(MACHINES, name, record::to_bytes(&machine)?);
                Ok::<_, Fault>(answer)
            })
            .await
    }

    pub(super) fn describe_state_machine(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let arn = validate::text(input, "stateMachineArn")?;
        let (name, qualifier) = arn::machine(arn)?;
        let (machine, version) = match &qualifier {
            None => (record::machine(&bus.store, &name, arn)?, None),
            Some(qualifier) => {
                let version = match aliases::find(&bus.store, &name, qualifier)? {
                    Some(alias) => versions::find(&bus.store, &name, &alias.route(0).to_string())?,
                    None => versions::find(&bus.store, &name, qualifier)?,
                };
                let version = version.ok_or_else(|| no_machine(arn))?;
                (version.machine.clone(), Some(version))
            }
        };
        let shown = Shown::of(&machine.definition, validate::metadata_only(input)?);
        let status = if removal::is_deleting(&bus.store, &name)? { "DELETING" } else { "ACTIVE" };
        let mut answer = json!({
            "stateMachineArn": arn,
            "name": machine.name,
            "status": status,
            "definition": shown.definition,
            "roleArn": machine.role,
            "type": if machine.express { "EXPRESS" } else { "STANDARD" },
            "creationDate": seconds(version.as_ref().map_or(machine.created, |v| v.published)),
            "loggingConfiguration": machine.logging,
            "tracingConfiguration": machine.tracing,
        });
        put(&mut answer, "description", version.and_then(|v| v.description));
        put(&mut answer, "revisionId", machine.revision);
        put(&mut answer, "encryptionConfiguration", machine.encryption.or_else(|| shown.encryption()));
        put(&mut answer, "variableReferences", shown.variables);
        Ok(answer)
    }

    pub(super) fn list_state_machines(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let size = validate::page_size(input, 100, 1000)?;
        let question = "ListStateMachines";
        let after = page::place(input, question)?.unwrap_or_default();
        let mut machines = record::list(&bus.store, MACHINES, "", &after, size + 1, |_: &Machine| true)?;
        let next = page::cut(&mut machines, size).map(|last| page::token(question, &last));
        let list: Vec<Value> = machines
            .iter()
            .map(|(name, machine)| {
                json!({
                    "stateMachineArn": arn::of_machine(&bus.region, name),
                    "name": name,
                    "type": if machine.express { "EXPRESS" } else { "STANDARD" },
                    "creationDate": seconds(machine.created),
                })
            })
            .collect();
        let mut answer = json!({"stateMachines": list});
        put(&mut answer, "nextToken", next);
        Ok(answer)
    }
}

/// A definition as it is described: the text, and which variables its states read.
pub(super) struct Shown<'d> {
    pub definition: &'d str,
    /// `None` when no state reads any.
    pub variables: Option<Value>,
    /// The definition uses what the language got in November 2024: JSONata or variables.
    recent: bool,
}

impl<'d> Shown<'d> {
    /// With metadata only, the definition is empty.
    pub fn of(definition: &'d str, metadata_only: bool) -> Shown<'d> {
        // What is kept could be read when it came.
        let (jsonata, read) = Definition::read(definition)
            .map(|machine| (machine.thinks, references::of(&machine)))
            .unwrap_or_default();
        let recent = jsonata || !read.is_empty();
        match metadata_only {
            true => Shown { definition: "{}", variables: None, recent },
            false => Shown { definition, variables: (!read.is_empty()).then(|| json!(read)), recent },
        }
    }

    /// What is told of the encryption of a machine that was given none. AWS tells the default since the
    /// member exists; its answers of before, which were recorded for older definitions, do not have it.
    /// Both are kept to by telling it of those machines only that no answer of before can have shown.
    pub fn encryption(&self) -> Option<Value> {
        self.recent.then(encryption::default)
    }
}

/// The description of a version, which only a published one has.
fn version_description(input: &Value) -> Result<Option<String>, Fault> {
    let description = validate::at_most(input, "versionDescription", 256)?;
    if description.is_some() && input["publish"] != true {
        return Err(Fault::client(
            "ValidationException",
            "Version description can only be set when publish is true",
        ));
    }
    Ok(description)
}

fn tracing_configuration(given: &Value) -> Value {
    json!({"enabled": given["enabled"].as_bool().unwrap_or(false)})
}
