//! A history event of the SDK as ours: the details become JSON with AWS's own member names.

use aws_sdk_sfn::types as sdk;
use serde_json::{Map, Value};

use super::time::utc;
use crate::domain::execution::HistoryEvent;

/// A details object under construction; members that are absent stay absent.
#[derive(Default)]
struct Details(Map<String, Value>);

impl Details {
    fn put(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    fn maybe(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.put(name, value),
            None => self,
        }
    }

    fn truncated(self, name: &str, data: Option<sdk::HistoryEventExecutionDataDetails>) -> Self {
        self.maybe(name, data.map(|data| Details::default().put("truncated", data.truncated).value()))
    }

    fn role(self, credentials: Option<sdk::TaskCredentials>) -> Self {
        let role = credentials.map(|one| Details::default().maybe("roleArn", one.role_arn).value());
        self.maybe("taskCredentials", role)
    }

    fn value(self) -> Value {
        Value::Object(self.0)
    }
}

/// The many types whose details are an error and a cause.
macro_rules! failed {
    ($one:expr) => {
        $one.map(|one| Details::default().maybe("error", one.error).maybe("cause", one.cause))
    };
}

/// Likewise for tasks, which also name the resource.
macro_rules! task {
    ($one:expr) => {
        $one.map(|one| {
            Details::default()
                .put("resourceType", one.resource_type)
                .put("resource", one.resource)
                .maybe("error", one.error)
                .maybe("cause", one.cause)
        })
    };
}

macro_rules! output {
    ($one:expr) => {
        $one.map(|one| {
            Details::default().maybe("output", one.output).truncated("outputDetails", one.output_details)
        })
    };
}

macro_rules! task_output {
    ($one:expr) => {
        $one.map(|one| {
            Details::default()
                .put("resourceType", one.resource_type)
                .put("resource", one.resource)
                .maybe("output", one.output)
                .truncated("outputDetails", one.output_details)
        })
    };
}

macro_rules! iteration {
    ($one:expr) => {
        $one.map(|one| Details::default().maybe("name", one.name).put("index", one.index))
    };
}

pub(super) fn event_of(mut event: sdk::HistoryEvent) -> HistoryEvent {
    let (id, previous, at) = (event.id, event.previous_event_id, utc(&event.timestamp));
    let kind = event.r#type.as_str().to_owned();
    let details = of_states(&mut event)
        .or_else(|| of_execution(&mut event))
        .or_else(|| of_tasks(&mut event))
        .or_else(|| of_lambda(&mut event))
        .or_else(|| of_activities(&mut event))
        .or_else(|| of_maps(&mut event));
    HistoryEvent { id, previous, at, kind, details: details.map_or(Value::Null, Details::value) }
}

fn of_states(event: &mut sdk::HistoryEvent) -> Option<Details> {
    let entered = event.state_entered_event_details.take().map(|one| {
        Details::default()
            .put("name", one.name)
            .maybe("input", one.input)
            .truncated("inputDetails", one.input_details)
    });
    let exited = event.state_exited_event_details.take().map(|one| {
        let variables = one.assigned_variables.map(|variables| {
            let mut sorted: Vec<_> = variables.into_iter().collect();
            sorted.sort();
            Value::Object(sorted.into_iter().map(|(name, value)| (name, value.into())).collect())
        });
        let truncated = one
            .assigned_variables_details
            .map(|data| Details::default().put("truncated", data.truncated).value());
        Details::default()
            .put("name", one.name)
            .maybe("output", one.output)
            .truncated("outputDetails", one.output_details)
            .maybe("assignedVariables", variables)
            .maybe("assignedVariablesDetails", truncated)
    });
    let evaluation = event.evaluation_failed_event_details.take().map(|one| {
        Details::default()
            .maybe("error", one.error)
            .maybe("cause", one.cause)
            .maybe("location", one.location)
            .put("state", one.state)
    });
    entered.or(exited).or(evaluation)
}

fn of_execution(event: &mut sdk::HistoryEvent) -> Option<Details> {
    let started = event.execution_started_event_details.take().map(|one| {
        Details::default()
            .maybe("input", one.input)
            .truncated("inputDetails", one.input_details)
            .maybe("roleArn", one.role_arn)
            .maybe("stateMachineAliasArn", one.state_machine_alias_arn)
            .maybe("stateMachineVersionArn", one.state_machine_version_arn)
    });
    let redriven = event
        .execution_redriven_event_details
        .take()
        .map(|one| Details::default().maybe("redriveCount", one.redrive_count));
    started
        .or(output!(event.execution_succeeded_event_details.take()))
        .or(failed!(event.execution_failed_event_details.take()))
        .or(failed!(event.execution_aborted_event_details.take()))
        .or(failed!(event.execution_timed_out_event_details.take()))
        .or(redriven)
}

fn of_tasks(event: &mut sdk::HistoryEvent) -> Option<Details> {
    let scheduled = event.task_scheduled_event_details.take().map(|one| {
        Details::default()
            .put("resourceType", one.resource_type)
            .put("resource", one.resource)
            .put("region", one.region)
            .put("parameters", one.parameters)
            .maybe("timeoutInSeconds", one.timeout_in_seconds)
            .maybe("heartbeatInSeconds", one.heartbeat_in_seconds)
            .role(one.task_credentials)
    });
    let started = event
        .task_started_event_details
        .take()
        .map(|one| Details::default().put("resourceType", one.resource_type).put("resource", one.resource));
    scheduled
        .or(started)
        .or(task_output!(event.task_succeeded_event_details.take()))
        .or(task_output!(event.task_submitted_event_details.take()))
        .or(task!(event.task_failed_event_details.take()))
        .or(task!(event.task_start_failed_event_details.take()))
        .or(task!(event.task_submit_failed_event_details.take()))
        .or(task!(event.task_timed_out_event_details.take()))
}

fn of_lambda(event: &mut sdk::HistoryEvent) -> Option<Details> {
    let scheduled = event.lambda_function_scheduled_event_details.take().map(|one| {
        Details::default()
            .put("resource", one.resource)
            .maybe("input", one.input)
            .truncated("inputDetails", one.input_details)
            .maybe("timeoutInSeconds", one.timeout_in_seconds)
            .role(one.task_credentials)
    });
    scheduled
        .or(output!(event.lambda_function_succeeded_event_details.take()))
        .or(failed!(event.lambda_function_failed_event_details.take()))
        .or(failed!(event.lambda_function_schedule_failed_event_details.take()))
        .or(failed!(event.lambda_function_start_failed_event_details.take()))
        .or(failed!(event.lambda_function_timed_out_event_details.take()))
}

fn of_activities(event: &mut sdk::HistoryEvent) -> Option<Details> {
    let scheduled = event.activity_scheduled_event_details.take().map(|one| {
        Details::default()
            .put("resource", one.resource)
            .maybe("input", one.input)
            .truncated("inputDetails", one.input_details)
            .maybe("timeoutInSeconds", one.timeout_in_seconds)
            .maybe("heartbeatInSeconds", one.heartbeat_in_seconds)
    });
    let started = event
        .activity_started_event_details
        .take()
        .map(|one| Details::default().maybe("workerName", one.worker_name));
    scheduled
        .or(started)
        .or(output!(event.activity_succeeded_event_details.take()))
        .or(failed!(event.activity_failed_event_details.take()))
        .or(failed!(event.activity_schedule_failed_event_details.take()))
        .or(failed!(event.activity_timed_out_event_details.take()))
}

fn of_maps(event: &mut sdk::HistoryEvent) -> Option<Details> {
    let length =
        event.map_state_started_event_details.take().map(|one| Details::default().put("length", one.length));
    let run_started = event
        .map_run_started_event_details
        .take()
        .map(|one| Details::default().maybe("mapRunArn", one.map_run_arn));
    let run_redriven = event.map_run_redriven_event_details.take().map(|one| {
        Details::default().maybe("mapRunArn", one.map_run_arn).maybe("redriveCount", one.redrive_count)
    });
    length
        .or(iteration!(event.map_iteration_started_event_details.take()))
        .or(iteration!(event.map_iteration_succeeded_event_details.take()))
        .or(iteration!(event.map_iteration_failed_event_details.take()))
        .or(iteration!(event.map_iteration_aborted_event_details.take()))
        .or(run_started)
        .or(failed!(event.map_run_failed_event_details.take()))
        .or(run_redriven)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_types::DateTime;

    fn event(kind: sdk::HistoryEventType) -> sdk::builders::HistoryEventBuilder {
        let at = DateTime::from_millis(1_767_225_600_250);
        sdk::HistoryEvent::builder().id(7).previous_event_id(6).timestamp(at).r#type(kind)
    }

    #[test]
    fn keeps_the_member_names_of_aws() {
        let scheduled = sdk::TaskScheduledEventDetails::builder()
            .resource_type("lambda")
            .resource("invoke")
            .region("us-east-1")
            .parameters("{}")
            .timeout_in_seconds(60)
            .build()
            .unwrap();
        let ours = event_of(
            event(sdk::HistoryEventType::TaskScheduled)
                .task_scheduled_event_details(scheduled)
                .build()
                .unwrap(),
        );
        assert_eq!((ours.id, ours.previous, ours.kind.as_str()), (7, 6, "TaskScheduled"));
        assert_eq!(ours.at.to_rfc3339(), "2026-01-01T00:00:00.250+00:00");
        let expected = serde_json::json!({
            "resourceType": "lambda", "resource": "invoke", "region": "us-east-1",
            "parameters": "{}", "timeoutInSeconds": 60,
        });
        assert_eq!(ours.details, expected);
    }

    #[test]
    fn a_type_without_details_has_none() {
        let ours = event_of(event(sdk::HistoryEventType::ParallelStateStarted).build().unwrap());
        assert_eq!(ours.details, Value::Null);
    }

    #[test]
    fn every_details_member_of_the_sdk_is_mapped() {
        let source = include_str!("history.rs");
        // The SDK's own Debug output names every member.
        let debug = format!("{:?}", event(sdk::HistoryEventType::PassStateEntered).build().unwrap());
        let members = regex::Regex::new(r"(\w+_event_details):").unwrap();
        let mut count = 0;
        for member in members.captures_iter(&debug) {
            assert!(
                source.contains(&format!("event\n        .{}", &member[1]))
                    || source.contains(&format!("event.{}", &member[1])),
                "{} is not mapped",
                &member[1]
            );
            count += 1;
        }
        assert!(count >= 37, "{count}");
    }
}
