//! Operations on state machines.

use serde_json::{Value, json};

use super::super::fault::Fault;
use super::record::{self, MACHINES, Machine, no_machine, put, seconds};
use super::{States, arn, page, validate};
use crate::asl::check::{self, Diagnostic};
use crate::asl::machine::Machine as Definition;

impl States {
    pub(super) async fn create_state_machine(&self, input: Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let name = validate::text(&input, "name")?.to_owned();
        validate::name(&name)?;
        let definition = validate::text(&input, "definition")?.to_owned();
        let role = validate::text(&input, "roleArn")?.to_owned();
        role_arn(&role)?;
        let express = machine_type(&input)?;
        accept(&definition, express)?;
        let machine = Machine {
            name: name.clone(),
            definition,
            role,
            express,
            created: bus.clock.now(),
            updated: None,
            revision: None,
            logging: logging(&input["loggingConfiguration"])?,
            tracing: tracing_configuration(&input["tracingConfiguration"]),
            encryption: input.get("encryptionConfiguration").cloned().filter(|v| !v.is_null()),
            tags: record::read_tags(&input["tags"])?,
        };
        let arn = arn::of_machine(&bus.region, &name);
        let exists = format!("State Machine Already Exists: '{arn}'");
        let created = bus
            .store
            .transact(move |tx| {
                // The same request again gives the same answer.
                if let Some(existing) = record::load_in::<Machine>(tx, MACHINES, &name)? {
                    let same = existing.definition == machine.definition
                        && existing.express == machine.express
                        && existing.logging == machine.logging
                        && existing.tracing == machine.tracing;
                    return if same {
                        Ok(existing.created)
                    } else {
                        Err(Fault::client("StateMachineAlreadyExists", exists))
                    };
                }
                tx.put(MACHINES, name, record::to_bytes(&machine)?);
                Ok(machine.created)
            })
            .await?;
        Ok(json!({"stateMachineArn": arn, "creationDate": seconds(created)}))
    }

    pub(super) async fn update_state_machine(&self, input: Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let arn = validate::text(&input, "stateMachineArn")?.to_owned();
        let (name, _) = arn::machine(&arn)?;
        let given = |member: &str| input.get(member).is_some_and(|v| !v.is_null());
        if !["definition", "roleArn", "loggingConfiguration", "tracingConfiguration"].into_iter().any(given) {
            return Err(Fault::client(
                "MissingRequiredParameter",
                "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must \
                 be specified",
            ));
        }
        let (now, revision) = (bus.clock.now(), uuid::Uuid::new_v4().to_string());
        let answer = json!({"updateDate": seconds(now), "revisionId": revision});
        bus.store
            .transact(move |tx| {
                let mut machine =
                    record::load_in::<Machine>(tx, MACHINES, &name)?.ok_or_else(|| no_machine(&arn))?;
                if let Some(definition) = input["definition"].as_str() {
                    accept(definition, machine.express)?;
                    machine.definition = definition.to_owned();
                }
                if let Some(role) = input["roleArn"].as_str() {
                    role_arn(role)?;
                    machine.role = role.to_owned();
                }
                if !input["loggingConfiguration"].is_null() {
                    machine.logging = logging(&input["loggingConfiguration"])?;
                }
                if !input["tracingConfiguration"].is_null() {
                    machine.tracing = tracing_configuration(&input["tracingConfiguration"]);
                }
                machine.updated = Some(now);
                machine.revision = Some(revision);
                tx.put(MACHINES, name, record::to_bytes(&machine)?);
                Ok::<_, Fault>(())
            })
            .await?;
        Ok(answer)
    }

    pub(super) fn describe_state_machine(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let arn = validate::text(input, "stateMachineArn")?;
        let (name, qualifier) = arn::machine(arn)?;
        if qualifier.is_some() {
            return Err(no_machine(arn));
        }
        let machine = record::machine(&bus.store, &name, arn)?;
        let mut answer = json!({
            "stateMachineArn": arn,
            "name": machine.name,
            "status": "ACTIVE",
            "definition": machine.definition,
            "roleArn": machine.role,
            "type": if machine.express { "EXPRESS" } else { "STANDARD" },
            "creationDate": seconds(machine.created),
            "loggingConfiguration": machine.logging,
            "tracingConfiguration": machine.tracing,
        });
        put(&mut answer, "revisionId", machine.revision);
        put(&mut answer, "encryptionConfiguration", machine.encryption);
        Ok(answer)
    }

    pub(super) fn list_state_machines(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let size = validate::page_size(input, 100, 1000)?;
        let question = "ListStateMachines";
        let after = page::place(input, question)?.unwrap_or_default();
        let mut machines = record::machines(&bus.store, &after, size + 1)?;
        let more = machines.len() > size;
        machines.truncate(size);
        let mut answer = json!({"stateMachines": machines
            .iter()
            .map(|machine| json!({
                "stateMachineArn": arn::of_machine(&bus.region, &machine.name),
                "name": machine.name,
                "type": if machine.express { "EXPRESS" } else { "STANDARD" },
                "creationDate": seconds(machine.created),
            }))
            .collect::<Vec<_>>()});
        if more && let Some(last) = machines.last() {
            answer["nextToken"] = page::token(question, &last.name).into();
        }
        Ok(answer)
    }

    pub(super) async fn delete_state_machine(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let (name, _) = arn::machine(validate::text(input, "stateMachineArn")?)?;
        bus.store
            .transact(move |tx| {
                tx.delete(MACHINES, name);
                Ok::<_, Fault>(())
            })
            .await?;
        Ok(json!({}))
    }

    pub(super) fn validate_state_machine_definition(&self, input: &Value) -> Result<Value, Fault> {
        let text = input["definition"].as_str().unwrap_or_default();
        let found = check::diagnose(text, machine_type(input)?);
        let warnings = input["severity"] == "WARNING";
        let most = match input["maxResults"].as_u64() {
            None | Some(0) => 100,
            Some(most) => most.min(100) as usize,
        };
        let shown: Vec<&Diagnostic> = found.iter().filter(|d| d.error || warnings).collect();
        let diagnostics: Vec<Value> = shown
            .iter()
            .take(most)
            .map(|d| {
                let severity = if d.error { "ERROR" } else { "WARNING" };
                let mut shown = json!({"severity": severity, "code": d.code, "message": d.message});
                put(&mut shown, "location", d.location.clone());
                shown
            })
            .collect();
        Ok(json!({
            "result": if found.iter().any(|d| d.error) { "FAIL" } else { "OK" },
            "diagnostics": diagnostics,
            "truncated": shown.len() > most,
        }))
    }

    pub(super) async fn tag_resource(&self, input: &Value) -> Result<Value, Fault> {
        if input["tags"].is_null() {
            validate::text(input, "tags")?;
        }
        let new = record::read_tags(&input["tags"])?;
        self.retag(input, move |tags| {
            for (key, value) in new {
                match tags.iter_mut().find(|(k, _)| *k == key) {
                    Some(tag) => tag.1 = value,
                    None => tags.push((key, value)),
                }
            }
        })
        .await
    }

    pub(super) async fn untag_resource(&self, input: &Value) -> Result<Value, Fault> {
        let keys: Vec<String> = input["tagKeys"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        self.retag(input, move |tags| tags.retain(|(key, _)| !keys.contains(key))).await
    }

    async fn retag(
        &self,
        input: &Value,
        change: impl FnOnce(&mut Vec<(String, String)>) + Send + 'static,
    ) -> Result<Value, Fault> {
        let arn = validate::text(input, "resourceArn")?.to_owned();
        let (name, _) = arn::machine(&arn)?;
        let store = &self.bus()?.store;
        store
            .transact(move |tx| {
                let mut machine =
                    record::load_in::<Machine>(tx, MACHINES, &name)?.ok_or_else(|| no_resource(&arn))?;
                change(&mut machine.tags);
                tx.put(MACHINES, name, record::to_bytes(&machine)?);
                Ok::<_, Fault>(())
            })
            .await?;
        Ok(json!({}))
    }

    pub(super) fn list_tags_for_resource(&self, input: &Value) -> Result<Value, Fault> {
        let arn = validate::text(input, "resourceArn")?;
        let (name, _) = arn::machine(arn)?;
        let machine: Machine =
            record::load(&self.bus()?.store, MACHINES, &name)?.ok_or_else(|| no_resource(arn))?;
        Ok(json!({"tags": record::tags(&machine.tags)}))
    }
}

fn no_resource(arn: &str) -> Fault {
    Fault::client("ResourceNotFound", format!("Resource not found: '{arn}'")).with("resourceName", arn)
}

fn machine_type(input: &Value) -> Result<bool, Fault> {
    match input["type"].as_str() {
        None | Some("STANDARD") => Ok(false),
        Some("EXPRESS") => Ok(true),
        Some(other) => Err(Fault::client(
            "ValidationException",
            format!(
                "1 validation error detected: Value '{other}' at 'type' failed to satisfy constraint: Member must \
                 satisfy enum value set: [STANDARD, EXPRESS]"
            ),
        )),
    }
}

fn role_arn(role: &str) -> Result<(), Fault> {
    if role.starts_with("arn:") {
        Ok(())
    } else {
        Err(Fault::client("InvalidArn", format!("Invalid Role Arn: '{role}'")))
    }
}

/// Refuses what AWS refuses.
fn accept(definition: &str, express: bool) -> Result<(), Fault> {
    if let Some(message) = check::refusal(&check::diagnose(definition, express)) {
        return Err(Fault::client("InvalidDefinition", message));
    }
    Definition::read(definition).map(|_| ()).map_err(|error| {
        Fault::client("InvalidDefinition", format!("Invalid State Machine Definition: '{error}'"))
    })
}

fn logging(given: &Value) -> Result<Value, Fault> {
    let level = given["level"].as_str().unwrap_or("OFF");
    let mut logging = json!({
        "level": level,
        "includeExecutionData": given["includeExecutionData"].as_bool().unwrap_or(false),
    });
    let destinations = given["destinations"].as_array();
    let count = destinations.map_or(0, Vec::len);
    if count > 1 || count == 0 && level != "OFF" {
        return Err(Fault::client(
            "InvalidLoggingConfiguration",
            "Invalid Logging Configuration: Must specify exactly one Log Destination.",
        ));
    }
    put(&mut logging, "destinations", destinations.cloned());
    Ok(logging)
}

fn tracing_configuration(given: &Value) -> Value {
    json!({"enabled": given["enabled"].as_bool().unwrap_or(false)})
}
