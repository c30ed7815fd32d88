//! Step Functions: state machines, their executions and histories.
//!
//! What an execution does next is decided by [`crate::asl::step`]; [`driver`] performs it: journal
//! first, then act. [`start`] begins an execution, [`live`] is one that runs, [`resume`] takes it up after an interruption,
//! [`maps`] are the child executions of distributed maps. [`machines`], [`removal`], [`versions`],
//! [`aliases`], [`executions`], [`listing`], [`activities`], [`tokens`] and [`tags`] are the operations of
//! the API, [`members`] the types of what is asked with, [`abroad`] answers for what is in another region,
//! [`record`] what is stored, [`history`] the events, [`logging`] their way to CloudWatch Logs,
//! [`encryption`] a key that is only kept in mind, [`tasks`] the integrations with the other services,
//! [`starts`] what they are about to start, [`jobs`] what they started and wait for,
//! [`inspect`] TestState. May use the bus, the store and `asl`.

mod abroad;
mod activities;
mod aliases;
mod arn;
mod definitions;
mod driver;
mod encryption;
mod executions;
mod history;
mod inspect;
mod jobs;
mod journal;
mod listing;
mod live;
mod logging;
mod machines;
mod maps;
mod members;
mod naming;
mod page;
mod record;
mod removal;
mod resume;
mod start;
mod starts;
mod tags;
mod tasks;
#[cfg(test)]
mod tests;
mod tokens;
mod validate;
mod versions;

use std::sync::{Arc, Weak};

use futures::future::BoxFuture;
use serde_json::Value;

use super::bus::{Bus, Service};
use super::fault::Fault;
use driver::Driver;

/// The service `states`.
pub struct States {
    bus: Weak<Bus>,
    driver: Arc<Driver>,
}

impl States {
    pub fn new(bus: &Arc<Bus>) -> Arc<States> {
        Arc::new(States { bus: Arc::downgrade(bus), driver: Driver::new(bus) })
    }

    fn bus(&self) -> Result<Arc<Bus>, Fault> {
        self.bus.upgrade().ok_or_else(|| Fault::internal("the local cloud is stopping"))
    }

    async fn perform(&self, operation: &str, input: Value) -> Result<Value, Fault> {
        members::check(&input)?;
        if let Some(answer) = abroad::answer(operation, &input, &self.bus()?.region) {
            return answer;
        }
        match operation {
            "CreateStateMachine" => self.create_state_machine(input).await,
            "UpdateStateMachine" => self.update_state_machine(input).await,
            "DescribeStateMachine" => self.describe_state_machine(&input),
            "ListStateMachines" => self.list_state_machines(&input),
            "DeleteStateMachine" => self.delete_state_machine(&input).await,
            "ValidateStateMachineDefinition" => self.validate_state_machine_definition(&input),
            "TestState" => self.test_state(&input).await,
            "TagResource" => self.tag_resource(&input).await,
            "UntagResource" => self.untag_resource(&input).await,
            "ListTagsForResource" => self.list_tags_for_resource(&input),
            "StartExecution" => self.start_execution(&input).await,
            "StartSyncExecution" => self.start_sync_execution(&input).await,
            "StopExecution" => self.stop_execution(&input).await,
            "RedriveExecution" => self.redrive_execution(&input).await,
            "DescribeExecution" => self.describe_execution(&input),
            "DescribeStateMachineForExecution" => self.describe_state_machine_for_execution(&input),
            "ListExecutions" => self.list_executions(&input),
            "GetExecutionHistory" => self.get_execution_history(&input),
            "PublishStateMachineVersion" => self.publish_state_machine_version(&input).await,
            "ListStateMachineVersions" => self.list_state_machine_versions(&input),
            "DeleteStateMachineVersion" => self.delete_state_machine_version(&input).await,
            "CreateStateMachineAlias" => self.create_state_machine_alias(input).await,
            "UpdateStateMachineAlias" => self.update_state_machine_alias(input).await,
            "DescribeStateMachineAlias" => self.describe_state_machine_alias(&input),
            "ListStateMachineAliases" => self.list_state_machine_aliases(&input),
            "DeleteStateMachineAlias" => self.delete_state_machine_alias(&input).await,
            "DescribeMapRun" => self.describe_map_run(&input),
            "ListMapRuns" => self.list_map_runs(&input),
            "UpdateMapRun" => self.update_map_run(&input).await,
            "CreateActivity" => self.create_activity(&input).await,
            "DescribeActivity" => self.describe_activity(&input),
            "ListActivities" => self.list_activities(&input),
            "DeleteActivity" => self.delete_activity(&input).await,
            "GetActivityTask" => self.get_activity_task(&input).await,
            "SendTaskSuccess" => self.send_task_success(&input).await,
            "SendTaskFailure" => self.send_task_failure(&input).await,
            "SendTaskHeartbeat" => self.send_task_heartbeat(&input).await,
            other => Err(Fault::client(
                "UnknownOperationException",
                format!("The local cloud's Step Functions has no operation {other}."),
            )),
        }
    }
}

impl Service for States {
    fn name(&self) -> &'static str {
        "states"
    }

    fn call<'a>(&'a self, operation: &'a str, input: Value) -> BoxFuture<'a, Result<Value, Fault>> {
        Box::pin(self.perform(operation, input))
    }

    fn resume(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            if let Err(fault) = self.driver.resume().await {
                tracing::error!(%fault, "executions could not be taken up");
            }
        })
    }

    fn unfinished(&self) -> Vec<String> {
        self.driver.unfinished()
    }

    fn busy(&self) -> bool {
        self.driver.is_busy()
    }
}
