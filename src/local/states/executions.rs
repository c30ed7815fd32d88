//! Operations on executions.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::super::bus::Bus;
use super::super::fault::Fault;
use super::live::Live;
use super::machines::Shown;
use super::record::{self, Execution, Machine, no_machine, put, seconds};
use super::start::Start;
use super::{States, aliases, arn, removal, validate, versions};
use crate::asl::cursor::{About, Cursor, Outcome};
use crate::asl::data::{Data, LIMIT};
use crate::asl::failure::Failure;
use crate::asl::step::What;

/// How long after its end an execution can be redriven.
const REDRIVABLE: TimeDelta = TimeDelta::days(14);

/// The redrive status of a child of a map run that can be redriven.
const BY_MAP_RUN: &str = "REDRIVABLE_BY_MAP_RUN";

impl States {
    pub(super) async fn start_execution(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let prepared = self.prepared(&bus, input)?;
        let started = prepared.record.started;
        let arn = match prepared.express {
            true => arn::of_express(&bus.region, &prepared.record.key),
            false => prepared.record.arn(&bus.region),
        };
        let answer = |started| Ok(json!({"executionArn": arn, "startDate": seconds(started)}));
        let given = prepared.record.input.clone();
        match self.start(prepared).await? {
            Ok(_) => answer(started),
            // The same name with the same input is the same request, as long as it runs.
            Err(existing) if !existing.is_over() && existing.input == given => answer(existing.started),
            Err(_) => {
                Err(Fault::client("ExecutionAlreadyExists", format!("Execution Already Exists: '{arn}'")))
            }
        }
    }

    pub(super) async fn start_sync_execution(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let prepared = self.prepared(&bus, input)?;
        if !prepared.express {
            return Err(Fault::client(
                "StateMachineTypeNotSupported",
                "This operation is not supported by this type of state machine",
            ));
        }
        let record = prepared.record.clone();
        let Ok(live) = self.start(prepared).await? else {
            return Err(Fault::internal("an express execution met one of its name"));
        };
        let outcome = self.driver.outcome(&live).await;
        let stopped = bus.clock.now();
        let billed = (stopped - record.started).num_milliseconds().max(1) as u64;
        let mut answer = json!({
            "executionArn": arn::of_express(&bus.region, &record.key),
            "stateMachineArn": arn::of_machine(&bus.region, &record.machine),
            "name": record.name,
            "startDate": seconds(record.started),
            "stopDate": seconds(stopped),
            "input": record.input,
            "inputDetails": {"included": true},
            "outputDetails": {"included": true},
            "billingDetails": {
                "billedMemoryUsedInMB": 64,
                "billedDurationInMilliseconds": billed.div_ceil(100) * 100,
            },
        });
        let failure = match outcome {
            Some(Outcome::Succeeded(output)) => {
                answer["status"] = "SUCCEEDED".into();
                answer["output"] = output.text().into();
                return Ok(answer);
            }
            Some(Outcome::TimedOut(failure)) => {
                answer["status"] = "TIMED_OUT".into();
                failure
            }
            Some(Outcome::Failed(failure) | Outcome::Aborted(failure)) => {
                answer["status"] = "FAILED".into();
                failure
            }
            None => return Err(Fault::internal("the local cloud is stopping")),
        };
        put(&mut answer, "error", failure.error);
        put(&mut answer, "cause", failure.cause);
        Ok(answer)
    }

    /// What a qualified ARN leads to: the machine as it is or as it was published, and the version and
    /// alias that led there.
    fn led_to(&self, bus: &Bus, given: &str) -> Result<(Machine, Option<String>, Option<String>), Fault> {
        let (name, qualifier) = arn::machine(given)?;
        validate::no_label(&name)?;
        if removal::is_deleting(&bus.store, &name)? {
            return Err(removal::deleting(given));
        }
        let Some(qualifier) = qualifier else {
            return Ok((record::machine(&bus.store, &name, given)?, None, None));
        };
        let alias = aliases::find(&bus.store, &name, &qualifier)?;
        let number = match &alias {
            Some(alias) => alias.route(uuid::Uuid::new_v4().as_u64_pair().0 % 100).to_string(),
            None => qualifier,
        };
        let version = versions::find(&bus.store, &name, &number)?.ok_or_else(|| no_machine(given))?;
        let led = arn::of_version(&bus.region, &name, version.number);
        Ok((version.machine, Some(led), alias.map(|_| given.to_owned())))
    }

    /// Checks a request to start and makes the record.
    fn prepared(&self, bus: &Bus, input: &Value) -> Result<Prepared, Fault> {
        let (machine, version, alias) = self.led_to(bus, validate::text(input, "stateMachineArn")?)?;
        let name = match input["name"].as_str() {
            Some(given) => {
                validate::name(given)?;
                given.to_owned()
            }
            None => uuid::Uuid::new_v4().to_string(),
        };
        validate::at_most(input, "traceHeader", 256)?;
        let text = input["input"].as_str().unwrap_or("{}").to_owned();
        validate::secret(&text, "input", LIMIT)?;
        let data = validate::execution_input(&text)?;
        let key = match machine.express {
            true => format!("{}:{name}:{}", machine.name, uuid::Uuid::new_v4()),
            false => format!("{}:{name}", machine.name),
        };
        let record = Execution {
            name,
            machine: machine.name,
            definition: record::digest(&machine.definition),
            role: machine.role,
            revision: machine.revision,
            input: text,
            version,
            alias,
            logging: (machine.logging["level"] != "OFF").then_some(machine.logging),
            ..Execution::new(key, bus.clock.now())
        };
        Ok(Prepared { record, data, text: machine.definition, express: machine.express })
    }

    async fn start(&self, prepared: Prepared) -> Result<Result<Arc<Live>, Box<Execution>>, Fault> {
        let bus = self.bus()?;
        let region = bus.region.clone();
        let Prepared { record, data, text, express } = prepared;
        let machine = self.driver.machine(&record.definition, &text)?;
        let about = About {
            id: if express { arn::of_express(&region, &record.key) } else { record.arn(&region) },
            name: record.name.clone(),
            role: record.role.clone(),
            machine: arn::of_machine(&region, &record.machine),
            machine_name: record.machine.clone(),
            region,
            input: data,
            started: record.started,
            version: record.version.clone(),
            alias: record.alias.clone(),
            express,
            item: None,
            secret: self.driver.secret(&bus).await?.to_owned(),
        };
        let (definition, cursor) = (text.into(), Cursor::new(about));
        self.driver.begin(Start { record, definition, machine, cursor, durable: !express }).await
    }

    pub(super) async fn stop_execution(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let arn = validate::text(input, "executionArn")?;
        let key = arn::execution(arn)?;
        let error = validate::at_most(input, "error", 256)?;
        let cause = validate::at_most(input, "cause", 32_768)?;
        let record = record::execution(&bus.store, &key, arn)?;
        if record.is_over() {
            return Ok(json!({"stopDate": seconds(record.stopped.unwrap_or(record.started))}));
        }
        let failure = Failure { error, cause, ..Failure::default() };
        self.driver.clone().deliver(key.clone(), What::Stop(failure)).await?;
        let record = record::execution(&bus.store, &key, arn)?;
        Ok(json!({"stopDate": seconds(record.stopped.unwrap_or_else(|| bus.clock.now()))}))
    }

    pub(super) async fn redrive_execution(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let arn = validate::text(input, "executionArn")?;
        let key = arn::execution(arn)?;
        let token = validate::client_token(input)?;
        let _turn = self.driver.redriving.lock().await;
        let record = record::execution(&bus.store, &key, arn)?;
        // The same request again gives the same answer.
        if let Some(at) = token.as_deref().and_then(|token| record.redriven_with(token, bus.clock.now())) {
            return Ok(json!({"redriveDate": seconds(at)}));
        }
        if let Some(reason) = self.not_redrivable(&bus, &record)? {
            let why = format!("Execution is not redrivable: {arn}. {reason}.");
            return Err(Fault::client("ExecutionNotRedrivable", why));
        }
        // A Map Run redrives its children (API reference, RedriveExecution); the words are ours.
        if record.child.is_some() {
            let why = format!("Execution is not redrivable: {arn}. Execution is {BY_MAP_RUN}.");
            return Err(Fault::client("ExecutionNotRedrivable", why));
        }
        self.driver.redrive(&bus, &key, token).await?;
        let record = record::execution(&bus.store, &key, arn)?;
        Ok(json!({"redriveDate": seconds(record.redriven.unwrap_or_else(|| bus.clock.now()))}))
    }

    /// Why an execution cannot be redriven, in the words of DescribeExecution's reference; `None` when it
    /// can: over without success, not too long, and known where to take up.
    fn not_redrivable(&self, bus: &Bus, record: &Execution) -> Result<Option<&'static str>, Fault> {
        let own = record.child.is_none();
        let deleted = "State machine is in DELETING status";
        if own && removal::is_deleting(&bus.store, &record.machine)? {
            return Ok(Some(deleted));
        }
        match record.status.as_str() {
            "RUNNING" => return Ok(Some("Execution is RUNNING and cannot be redriven")),
            "SUCCEEDED" => return Ok(Some("Execution is SUCCEEDED and cannot be redriven")),
            _ => {}
        }
        if own && bus.store.get(record::MACHINES, &record.machine)?.is_none() {
            return Ok(Some(deleted));
        }
        if record.stopped.is_some_and(|stopped| bus.clock.now() - stopped > REDRIVABLE) {
            return Ok(Some("Execution redrivable period exceeded"));
        }
        let stands = record::load::<Cursor>(&bus.store, record::CURSORS, &record.key)?;
        let known = record.events < 24_999 && stands.is_some_and(|cursor| cursor.is_redrivable());
        Ok((!known).then_some("Execution history event limit exceeded"))
    }

    pub(super) fn describe_execution(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let arn = validate::text(input, "executionArn")?;
        let metadata_only = validate::metadata_only(input)?;
        let record = record::execution(&bus.store, &arn::execution(arn)?, arn)?;
        let mut answer = record.describe(&bus.region);
        let reason = self.not_redrivable(&bus, &record)?;
        let status = match reason {
            Some(_) => "NOT_REDRIVABLE",
            None if record.child.is_some() => BY_MAP_RUN,
            None => "REDRIVABLE",
        };
        answer["redriveStatus"] = status.into();
        put(&mut answer, "redriveStatusReason", reason);
        if let (true, Some(members)) = (metadata_only, answer.as_object_mut()) {
            for member in ["input", "output", "error", "cause"] {
                members.shift_remove(member);
            }
            for member in ["inputDetails", "outputDetails"] {
                if let Some(details) = members.get_mut(member) {
                    details["included"] = false.into();
                }
            }
        }
        Ok(answer)
    }

    pub(super) fn describe_state_machine_for_execution(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let arn = validate::text(input, "executionArn")?;
        let record = record::execution(&bus.store, &arn::execution(arn)?, arn)?;
        // A child of a map run has no machine of its own; it is told as what it is.
        let machine: Option<Machine> = record::load(&bus.store, record::MACHINES, &record.machine)?;
        let text = record::definition(&bus.store, &record.definition)?;
        let shown = Shown::of(&text, validate::metadata_only(input)?);
        let mut answer = json!({
            "stateMachineArn": arn::of_machine(&bus.region, &record.machine),
            "name": record.machine,
            "definition": shown.definition,
            "roleArn": record.role,
            "updateDate": seconds(
                machine.as_ref().map_or(record.started, |m| m.updated.unwrap_or(m.created))
            ),
            "loggingConfiguration": machine.as_ref().map_or_else(
                || json!({"level": "OFF", "includeExecutionData": false}),
                |m| m.logging.clone(),
            ),
            "tracingConfiguration": machine.as_ref().map_or_else(|| json!({"enabled": false}), |m| m.tracing.clone()),
        });
        put(
            &mut answer,
            "encryptionConfiguration",
            machine.and_then(|m| m.encryption).or_else(|| shown.encryption()),
        );
        put(&mut answer, "variableReferences", shown.variables);
        put(&mut answer, "revisionId", record.revision);
        if let Some(child) = &record.child {
            answer["mapRunArn"] = arn::of_map_run(&bus.region, &child.run).into();
            put(&mut answer, "label", record.machine.rsplit('/').next());
        }
        Ok(answer)
    }
}

/// A checked request to start.
struct Prepared {
    record: Execution,
    data: Data,
    /// The definition.
    text: String,
    express: bool,
}
