//! Operations on executions.

use std::ops::ControlFlow;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::bus::Bus;
use super::super::fault::Fault;
use super::driver::Live;
use super::record::{self, EXECUTIONS, Execution, RUNS, put, seconds};
use super::{States, arn, history, page, validate};
use crate::asl::cursor::{About, Cursor, Outcome};
use crate::asl::data::{Data, LIMIT};
use crate::asl::failure::Failure;
use crate::asl::machine::Machine;
use crate::asl::step::What;

impl States {
    pub(super) async fn start_execution(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let (prepared, machine) = self.prepared(&bus, input)?;
        let started = prepared.record.started;
        let arn = match prepared.express {
            true => arn::of_express(&bus.region, &prepared.record.key),
            false => prepared.record.arn(&bus.region),
        };
        let answer = |started| Ok(json!({"executionArn": arn, "startDate": seconds(started)}));
        let given = prepared.record.input.clone();
        match self.start(prepared, machine).await? {
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
        let (prepared, machine) = self.prepared(&bus, input)?;
        if !prepared.express {
            return Err(Fault::client(
                "StateMachineTypeNotSupported",
                "This operation is not supported by this type of state machine",
            ));
        }
        let record = prepared.record.clone();
        let Ok(live) = self.start(prepared, machine).await? else {
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

    /// Checks a request to start and makes the record.
    fn prepared(&self, bus: &Bus, input: &Value) -> Result<(Prepared, Machine), Fault> {
        let arn = validate::text(input, "stateMachineArn")?;
        let (name, qualifier) = arn::machine(arn)?;
        if qualifier.is_some() {
            return Err(record::no_machine(arn));
        }
        let machine = record::machine(&bus.store, &name, arn)?;
        let execution = match input["name"].as_str() {
            Some(given) => {
                validate::name(given)?;
                given.to_owned()
            }
            None => uuid::Uuid::new_v4().to_string(),
        };
        let text = input["input"].as_str().unwrap_or("{}").to_owned();
        if text.len() > LIMIT {
            return Err(Fault::client(
                "ValidationException",
                format!(
                    "1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have \
                     length less than or equal to {LIMIT}"
                ),
            ));
        }
        let data = Data::parse(text.as_str()).map_err(|error| {
            Fault::client(
                "InvalidExecutionInput",
                format!("Invalid State Machine Execution Input: '{error}'"),
            )
        })?;
        if data.is_too_deep() {
            let why = "Invalid State Machine Execution Input: 'it is nested too deeply'";
            return Err(Fault::client("InvalidExecutionInput", why));
        }
        let parsed = Machine::read(&machine.definition)
            .map_err(|error| Fault::internal(format!("the definition cannot be read: {error}")))?;
        let key = match machine.express {
            true => format!("{name}:{execution}:{}", uuid::Uuid::new_v4()),
            false => format!("{name}:{execution}"),
        };
        let record = Execution {
            key,
            name: execution,
            machine: name,
            definition: record::digest(&machine.definition),
            role: machine.role,
            revision: machine.revision,
            status: "RUNNING".into(),
            started: bus.clock.now(),
            stopped: None,
            input: text,
            output: None,
            error: None,
            cause: None,
            redrives: 0,
            redriven: None,
            events: 0,
            version: None,
            alias: None,
        };
        let prepared = Prepared { record, data, text: machine.definition, express: machine.express };
        Ok((prepared, parsed))
    }

    async fn start(
        &self,
        prepared: Prepared,
        machine: Machine,
    ) -> Result<Result<Arc<Live>, Box<Execution>>, Fault> {
        let region = self.bus()?.region.clone();
        let Prepared { record, data, text, express } = prepared;
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
        };
        self.driver.begin(record, text, Arc::new(machine), Cursor::new(about), !express).await
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
        let record = record::execution(&bus.store, &key, arn)?;
        if !self.is_redrivable(&bus, &record)? {
            let status = &record.status;
            return Err(Fault::client(
                "ExecutionNotRedrivable",
                format!("Execution is not redrivable: {arn}. Its status is {status}."),
            ));
        }
        self.driver.take_up(&bus, &key, Some(What::Redrive)).await?;
        let record = record::execution(&bus.store, &key, arn)?;
        Ok(json!({"redriveDate": seconds(record.redriven.unwrap_or_else(|| bus.clock.now()))}))
    }

    /// Over without success, not too long, and known where to take up.
    fn is_redrivable(&self, bus: &Bus, record: &Execution) -> Result<bool, Fault> {
        if !record.is_over() || record.status == "SUCCEEDED" || record.events > 24_999 {
            return Ok(false);
        }
        Ok(record::load::<Cursor>(&bus.store, record::CURSORS, &record.key)?
            .is_some_and(|c| c.is_redrivable()))
    }

    pub(super) fn describe_execution(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let arn = validate::text(input, "executionArn")?;
        let record = record::execution(&bus.store, &arn::execution(arn)?, arn)?;
        let redrivable = self.is_redrivable(&bus, &record)?;
        Ok(record.describe(&bus.region, redrivable))
    }

    pub(super) fn describe_state_machine_for_execution(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let arn = validate::text(input, "executionArn")?;
        let record = record::execution(&bus.store, &arn::execution(arn)?, arn)?;
        let machine: Option<record::Machine> = record::load(&bus.store, record::MACHINES, &record.machine)?;
        let mut answer = json!({
            "stateMachineArn": arn::of_machine(&bus.region, &record.machine),
            "name": record.machine,
            "definition": record::definition(&bus.store, &record.definition)?,
            "roleArn": record.role,
            "updateDate": seconds(
                machine.as_ref().map_or(record.started, |m| m.updated.unwrap_or(m.created))
            ),
            "loggingConfiguration": machine.as_ref().map_or_else(
                || json!({"level": "OFF", "includeExecutionData": false}),
                |m| m.logging.clone(),
            ),
            "tracingConfiguration": machine.map_or_else(|| json!({"enabled": false}), |m| m.tracing),
        });
        put(&mut answer, "revisionId", record.revision);
        Ok(answer)
    }

    pub(super) fn list_executions(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let arn = validate::text(input, "stateMachineArn")?;
        let (name, qualifier) = arn::machine(arn)?;
        record::machine(&bus.store, &name, arn)?;
        let size = validate::page_size(input, 100, 1000)?;
        let status = input["statusFilter"].as_str();
        let question = format!("ListExecutions {arn} {}", status.unwrap_or_default());
        let after = page::place(input, &question)?.unwrap_or_default();
        let mut found: Vec<(String, Execution)> = Vec::new();
        let mut broken = None;
        bus.store.scan(RUNS, &format!("{name}\0"), &after, |run, key| {
            let key = String::from_utf8_lossy(key);
            match record::load::<Execution>(&bus.store, EXECUTIONS, &key) {
                Ok(Some(record)) => {
                    let wanted = status.is_none_or(|s| s == record.status)
                        && (qualifier.is_none() || record.version.as_deref() == Some(arn));
                    if wanted {
                        found.push((run.to_owned(), record));
                    }
                }
                Ok(None) => {}
                Err(fault) => broken = Some(fault),
            }
            if found.len() <= size && broken.is_none() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        if let Some(fault) = broken {
            return Err(fault);
        }
        let more = found.len() > size;
        found.truncate(size);
        let mut answer =
            json!({"executions": found.iter().map(|(_, r)| r.item(&bus.region)).collect::<Vec<_>>()});
        if more && let Some((last, _)) = found.last() {
            answer["nextToken"] = page::token(&question, last).into();
        }
        Ok(answer)
    }

    pub(super) fn get_execution_history(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let arn = validate::text(input, "executionArn")?;
        let key = arn::execution(arn)?;
        // What runs says itself how far its history is safe; what is over has it written down. Asked in
        // this order, an end in between is not missed.
        let running = self.driver.events(&key);
        let record = record::execution(&bus.store, &key, arn)?;
        let size = validate::page_size(input, 100, 1000)?;
        let newest_first = input["reverseOrder"].as_bool().unwrap_or(false);
        let data = input["includeExecutionData"].as_bool().unwrap_or(true);
        let question = format!("GetExecutionHistory {arn} {newest_first}");
        let place = page::place(input, &question)?.and_then(|p| p.parse::<i64>().ok());
        let last = match running {
            Some(events) => events,
            None if record.is_over() => record.events,
            None => record::load::<Cursor>(&bus.store, record::CURSORS, &key)?.map_or(0, |c| c.events),
        };
        let (events, next) = if newest_first {
            let to = place.unwrap_or(last);
            let from = (to - size as i64 + 1).max(1);
            let most = usize::try_from(to - from + 1).unwrap_or(0);
            let mut events = history::forward(&bus.store, &key, from, most)?;
            events.reverse();
            (events, (from > 1).then_some(from - 1))
        } else {
            let from = place.unwrap_or(1);
            let events = history::forward(&bus.store, &key, from, size)?;
            let next = events.last().map_or(from, |e| e.id + 1);
            (events, (next <= last).then_some(next))
        };
        let shown: Vec<Value> = events.iter().map(|event| history::show(event, data)).collect();
        let mut answer = json!({"events": shown});
        put(&mut answer, "nextToken", next.map(|place| page::token(&question, &place.to_string())));
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
