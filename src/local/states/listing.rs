//! Lists of executions, and their histories, a page at a time.

use std::ops::ControlFlow;

use serde_json::{Value, json};

use super::super::bus::Bus;
use super::super::fault::Fault;
use super::record::{self, EXECUTIONS, Execution, RUNS, put};
use super::{States, arn, history, page, validate};
use crate::asl::cursor::Cursor;

const STATUSES: [&str; 6] = ["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"];

impl States {
    pub(super) fn list_executions(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let asked = Asked::of(&bus, input)?;
        let size = validate::page_size(input, 100, 1000)?;
        let status = input["statusFilter"].as_str();
        if let Some(status) = status
            && !STATUSES.contains(&status)
        {
            let rule = format!("Member must satisfy enum value set: [{}]", STATUSES.join(", "));
            return Err(validate::constraint(status, "statusFilter", &rule));
        }
        if status == Some("PENDING_REDRIVE") && input["mapRunArn"].is_null() {
            let why = "The status PENDING_REDRIVE is one of child executions: give the ARN of their Map Run";
            return Err(Fault::client("ValidationException", why));
        }
        let redriven = match input["redriveFilter"].as_str() {
            None => None,
            Some("REDRIVEN") => Some(true),
            Some("NOT_REDRIVEN") => Some(false),
            Some(other) => {
                let rule = "Member must satisfy enum value set: [REDRIVEN, NOT_REDRIVEN]";
                return Err(validate::constraint(other, "redriveFilter", rule));
            }
        };
        let question = format!("ListExecutions {} {status:?} {redriven:?}", asked.arn);
        let after = page::place(input, &question)?.unwrap_or_default();
        let mut found: Vec<(String, Execution)> = Vec::new();
        let mut broken = None;
        bus.store.scan(RUNS, &format!("{}\0", asked.place), &after, |run, key| {
            let key = String::from_utf8_lossy(key);
            match record::load::<Execution>(&bus.store, EXECUTIONS, &key) {
                Ok(Some(record)) => {
                    let wanted = status.is_none_or(|s| s == record.status)
                        && redriven.is_none_or(|r| r == (record.redrives > 0))
                        && asked.leads_to(&record);
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
        let next = page::cut(&mut found, size).map(|last| page::token(&question, &last));
        let list: Vec<Value> = found
            .iter()
            .map(|(_, record)| {
                let mut item = record.item(&bus.region);
                put(&mut item, "itemCount", record.child.as_ref().map(|child| child.items));
                item
            })
            .collect();
        let mut answer = json!({"executions": list});
        put(&mut answer, "nextToken", next);
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

/// Whose executions are listed.
struct Asked<'v> {
    arn: &'v str,
    /// Where they stand in [`RUNS`]: a machine's name or a map run's key.
    place: String,
    /// Only those that a version or alias started.
    qualified: bool,
}

impl<'v> Asked<'v> {
    fn of(bus: &Bus, input: &'v Value) -> Result<Asked<'v>, Fault> {
        match (input["stateMachineArn"].as_str(), input["mapRunArn"].as_str()) {
            (Some(arn), None) => {
                let (name, qualifier) = arn::machine(arn)?;
                if record::machine(&bus.store, &name, arn)?.express {
                    return Err(Fault::client(
                        "StateMachineTypeNotSupported",
                        "This operation is not supported by this type of state machine",
                    ));
                }
                Ok(Asked { arn, place: name, qualified: qualifier.is_some() })
            }
            (None, Some(arn)) => Ok(Asked { arn, place: arn::map_run(arn)?, qualified: false }),
            _ => Err(Fault::client(
                "ValidationException",
                "Must provide exactly one of a StateMachine ARN and a MapRun ARN",
            )),
        }
    }

    fn leads_to(&self, record: &Execution) -> bool {
        !self.qualified
            || [&record.version, &record.alias].into_iter().any(|a| a.as_deref() == Some(self.arn))
    }
}
