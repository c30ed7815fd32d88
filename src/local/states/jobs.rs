//! Jobs that `.sync` tasks started elsewhere. One that nobody waits for any more is stopped (AWS guide, "Run a Job
//! (.sync)": a best-effort attempt to cancel it when its task is aborted). That it is to be stopped is written down
//! together with what ended its task, so that the next process stops what this one did not get to.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::bus::Bus;
use super::super::fault::Fault;
use super::super::store::{Table, Tx};
use super::{arn, record};
use crate::asl::cursor::Ticket;
use crate::asl::data::Data;
use crate::asl::resource::{Integration, Pattern, Resource};

/// By execution, NUL and ticket: jobs to be stopped.
const STOPS: Table = "states.stops";

/// A job that a `.sync` task started and waits for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Started {
    /// The key of the execution whose task it is, and the task's ticket.
    execution: String,
    ticket: Ticket,
    /// `athena`, `states`.
    service: String,
    /// What the service answered when it was started.
    first: Data,
}

/// Whether a task waits for the end of the job that it starts.
pub fn waits(integration: &Integration) -> bool {
    matches!(integration.pattern, Pattern::Sync | Pattern::Sync2)
}

impl Started {
    /// The job of a task that was handed over; `first` is what it answered then.
    pub fn of(execution: &str, ticket: Ticket, resource: &Resource, first: &Data) -> Option<Started> {
        match resource {
            Resource::Integration(integration) if waits(integration) => Some(Started {
                execution: execution.to_owned(),
                ticket,
                service: integration.service.clone(),
                first: first.clone(),
            }),
            _ => None,
        }
    }

    fn key(&self) -> String {
        format!("{}\0{:020}", self.execution, self.ticket)
    }

    /// Writes down that it is to be stopped.
    pub fn note(&self, tx: &mut Tx<'_>) -> Result<(), Fault> {
        tx.put(STOPS, self.key(), record::to_bytes(self)?);
        Ok(())
    }

    /// Stops the job, as far as that can be done.
    pub async fn stop(self, bus: Arc<Bus>) {
        let first = self.first.value();
        let (service, operation, input) = match self.service.as_str() {
            "states" => {
                let cause = format!(
                    "The Task state in AWS Step Functions execution [{}] which was managing this resource was \
                     aborted",
                    arn::of_execution(&bus.region, &self.execution)
                );
                ("states", "StopExecution", json!({"executionArn": first["ExecutionArn"], "cause": cause}))
            }
            _ => ("athena", "StopQueryExecution", json!({"QueryExecutionId": first["QueryExecutionId"]})),
        };
        let (execution, key) = (self.execution.as_str(), self.key());
        if let Err(fault) = bus.call(service, operation, input).await {
            tracing::warn!(execution, %fault, "a job that nobody waits for could not be stopped");
            // The service's own trouble may be over with the next start; a refusal stays one.
            if fault.status >= 500 {
                return;
            }
        }
        let done = bus.store.transact(move |tx| {
            tx.delete(STOPS, key);
            Ok::<_, Fault>(())
        });
        if let Err(fault) = done.await {
            tracing::warn!(execution, %fault, "that a job was stopped could not be recorded");
        }
    }
}

/// The jobs that an earlier process did not get to stop.
pub fn left(bus: &Bus) -> Result<Vec<Started>, Fault> {
    let left = record::list(&bus.store, STOPS, "", "", usize::MAX, |_: &Started| true)?;
    Ok(left.into_iter().map(|(_, started)| started).collect())
}
