//! Jobs that are being started by `.sync` tasks. That one is about to be is written down first, with what makes a
//! second try find the same job: a name for an execution, a client token for a query. So the next process goes on
//! with what this one started and did not get to record, and starts nothing twice.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::bus::Bus;
use super::super::fault::Fault;
use super::super::store::Table;
use super::{arn, naming, record};
use crate::asl::cursor::Ticket;
use crate::asl::data::Data;
use crate::asl::resource::{Integration, Resource};
use crate::asl::step::Task;

/// By execution, NUL and ticket: jobs that are being started.
const STARTS: Table = "states.starts";

/// A job that is about to be started.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Intent {
    execution: String,
    ticket: Ticket,
    /// What the service is asked with.
    pub input: Data,
    /// The execution that is started, when its name is ours and nobody else's.
    child: Option<String>,
}

impl Intent {
    fn new(bus: &Bus, execution: &str, task: &Task, integration: &Integration) -> Intent {
        let (mut input, mut child) = (task.input.value().clone(), None);
        let id = uuid::Uuid::new_v4().to_string();
        if let Some(parameters) = input.as_object_mut() {
            match integration.service.as_str() {
                "states" if !parameters.contains_key("Name") => {
                    let machine = parameters.get("StateMachineArn").and_then(|arn| arn.as_str());
                    child = machine
                        .and_then(|text| arn::machine(text).ok())
                        .map(|(name, _)| arn::of_execution(&bus.region, &format!("{name}:{id}")));
                    parameters.insert("Name".into(), id.into());
                }
                "athena" if !parameters.contains_key("ClientRequestToken") => {
                    parameters.insert("ClientRequestToken".into(), id.into());
                }
                _ => {}
            }
        }
        Intent { execution: execution.to_owned(), ticket: task.ticket, input: input.into(), child }
    }

    /// What the service answered, when it can be told without asking it to start the job again.
    pub async fn found(&self, bus: &Arc<Bus>, integration: &Integration) -> Option<Data> {
        let child = self.child.as_ref()?;
        let described = bus.call("states", "DescribeExecution", json!({"executionArn": child})).await.ok()?;
        let started = json!({"executionArn": child, "startDate": described["startDate"]});
        Some(naming::output(integration, started).into())
    }

    /// Stops the job of a task that nobody waits for. A query that may never have been started is not started
    /// for that.
    async fn stop(self, bus: Arc<Bus>) {
        if let Some(child) = &self.child {
            let request = json!({"executionArn": child});
            if let Err(fault) = bus.call("states", "StopExecution", request).await
                && fault.status >= 500
            {
                tracing::warn!(execution = %self.execution, %fault, "an execution that nobody waits for runs on");
                return;
            }
        }
        settle(&bus, &self.execution, self.ticket).await;
    }
}

fn key(execution: &str, ticket: Ticket) -> String {
    format!("{execution}\0{ticket:020}")
}

/// Writes down that the job of a task is started now, and with what.
pub async fn intend(bus: &Bus, execution: &str, task: &Task) -> Result<Intent, Fault> {
    let Resource::Integration(integration) = &task.resource else {
        return Err(Fault::internal("only an integration starts jobs"));
    };
    let intent = Intent::new(bus, execution, task, integration);
    let (key, bytes) = (key(execution, task.ticket), record::to_bytes(&intent)?);
    bus.store
        .transact(move |tx| {
            tx.put(STARTS, key, bytes);
            Ok::<_, Fault>(())
        })
        .await?;
    Ok(intent)
}

/// What became of a start is recorded.
pub async fn settle(bus: &Bus, execution: &str, ticket: Ticket) {
    let key = key(execution, ticket);
    let done = bus.store.transact(move |tx| {
        tx.delete(STARTS, key);
        Ok::<_, Fault>(())
    });
    if let Err(fault) = done.await {
        tracing::warn!(execution, %fault, "that a job was started could not be recorded");
    }
}

/// The starts of which an earlier process did not record what became.
#[derive(Debug, Default)]
pub struct Starts(HashMap<String, Intent>);

impl Starts {
    pub fn left(bus: &Bus) -> Result<Starts, Fault> {
        let left = record::list(&bus.store, STARTS, "", "", usize::MAX, |_: &Intent| true)?;
        Ok(Starts(left.into_iter().collect()))
    }

    /// The start of a task, which from here on is the caller's.
    pub fn take(&mut self, execution: &str, ticket: Ticket) -> Option<Intent> {
        self.0.remove(&key(execution, ticket))
    }

    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Stops what nobody took.
    pub fn stop(self, bus: &Arc<Bus>) {
        for intent in self.0.into_values() {
            tokio::spawn(intent.stop(bus.clone()));
        }
    }
}
