//! Step Functions: state machines, executions and their histories.

use aws_sdk_sfn::types::{ExecutionStatus, StateMachineType};

use super::Page;
use super::error::Error;
use super::history::event_of;
use super::link::Link;
use super::time::{utc, utc_option};
use crate::domain::execution::{Definition, Execution, HistoryEvent, Machine, MapRun, Release, Status};

#[derive(Clone)]
pub struct States {
    client: aws_sdk_sfn::Client,
    link: Link,
}

impl States {
    pub(super) fn new(client: aws_sdk_sfn::Client, link: Link) -> Self {
        States { client, link }
    }

    /// Whether polling may be quick: the other side is this machine.
    pub(super) fn quick(&self) -> bool {
        self.link.quick()
    }

    /// Every state machine of the account and region, all pages.
    pub async fn list_state_machines(&self) -> Result<Vec<Machine>, Error> {
        let mut machines = Vec::new();
        let mut token = None;
        loop {
            let request = self.client.list_state_machines().set_next_token(token);
            let answer = self.link.ask("ListStateMachines", request.send()).await?;
            machines.extend(answer.state_machines.into_iter().map(|machine| Machine {
                arn: machine.state_machine_arn,
                name: machine.name,
                express: machine.r#type == StateMachineType::Express,
                created: Some(utc(&machine.creation_date)),
            }));
            match answer.next_token {
                Some(next) => token = Some(next),
                None => return Ok(machines),
            }
        }
    }

    pub async fn describe_state_machine(&self, arn: &str) -> Result<Definition, Error> {
        let request = self.client.describe_state_machine().state_machine_arn(arn);
        let answer = self.link.ask("DescribeStateMachine", request.send()).await?;
        Ok(Definition {
            machine_arn: answer.state_machine_arn,
            text: answer.definition,
            role_arn: Some(answer.role_arn),
            revision: answer.revision_id,
            log_group: answer.logging_configuration.as_ref().and_then(log_group),
        })
    }

    /// The definition as it was when the execution started.
    pub async fn describe_state_machine_for_execution(&self, arn: &str) -> Result<Definition, Error> {
        let request = self.client.describe_state_machine_for_execution().execution_arn(arn);
        let answer = self.link.ask("DescribeStateMachineForExecution", request.send()).await?;
        Ok(Definition {
            machine_arn: answer.state_machine_arn,
            text: answer.definition,
            role_arn: Some(answer.role_arn),
            revision: answer.revision_id,
            log_group: answer.logging_configuration.as_ref().and_then(log_group),
        })
    }

    /// Published versions, newest first, and aliases: first pages of both.
    pub async fn releases(&self, arn: &str) -> Result<(Vec<Release>, Vec<Release>), Error> {
        let request = self.client.list_state_machine_versions().state_machine_arn(arn);
        let answer = self.link.ask("ListStateMachineVersions", request.send()).await?;
        let versions = answer.state_machine_versions.into_iter().map(|version| Release {
            arn: version.state_machine_version_arn,
            created: Some(utc(&version.creation_date)),
            routes: Vec::new(),
        });
        let versions: Vec<Release> = versions.collect();
        let request = self.client.list_state_machine_aliases().state_machine_arn(arn);
        let answer = self.link.ask("ListStateMachineAliases", request.send()).await?;
        let mut aliases = Vec::new();
        for alias in answer.state_machine_aliases {
            let request = self
                .client
                .describe_state_machine_alias()
                .state_machine_alias_arn(&alias.state_machine_alias_arn);
            let answer = self.link.ask("DescribeStateMachineAlias", request.send()).await?;
            let routes = answer.routing_configuration.unwrap_or_default();
            aliases.push(Release {
                arn: alias.state_machine_alias_arn,
                created: Some(utc(&alias.creation_date)),
                routes: routes.into_iter().map(|one| (one.state_machine_version_arn, one.weight)).collect(),
            });
        }
        Ok((versions, aliases))
    }

    pub async fn describe_map_run(&self, arn: &str) -> Result<MapRun, Error> {
        let request = self.client.describe_map_run().map_run_arn(arn);
        let answer = self.link.ask("DescribeMapRun", request.send()).await?;
        let count = |number: i64| number.max(0) as u64;
        let items = answer.item_counts;
        let of = |pick: fn(&aws_sdk_sfn::types::MapRunItemCounts) -> i64| {
            items.as_ref().map_or(0, |items| count(pick(items)))
        };
        Ok(MapRun {
            arn: answer.map_run_arn,
            status: answer.status.as_str().to_owned(),
            max_concurrency: answer.max_concurrency.max(0) as u32,
            total: of(|items| items.total),
            pending: of(|items| items.pending),
            running: of(|items| items.running),
            succeeded: of(|items| items.succeeded),
            failed: of(|items| items.failed),
            timed_out: of(|items| items.timed_out),
            aborted: of(|items| items.aborted),
            tolerated_percentage: answer.tolerated_failure_percentage,
            tolerated_count: count(answer.tolerated_failure_count),
            redrives: answer.redrive_count.unwrap_or_default().max(0) as u32,
        })
    }

    /// Answers a task that waits for its token. `output` is JSON text.
    pub async fn send_task_success(&self, token: &str, output: &str) -> Result<(), Error> {
        let request = self.client.send_task_success().task_token(token).output(output);
        self.link.ask("SendTaskSuccess", request.send()).await?;
        Ok(())
    }

    pub async fn send_task_failure(&self, token: &str, error: &str, cause: &str) -> Result<(), Error> {
        let request = self.client.send_task_failure().task_token(token).error(error).cause(cause);
        self.link.ask("SendTaskFailure", request.send()).await?;
        Ok(())
    }

    /// Newest first, a thousand at most. Inputs and outputs are not part of a listing. The ARN of a Map Run
    /// lists its child executions.
    pub async fn list_executions(
        &self,
        machine_arn: &str,
        status: Option<Status>,
        token: Option<String>,
    ) -> Result<Page<Execution>, Error> {
        let children = machine_arn.contains(":mapRun:");
        let of = |wanted: bool| (children == wanted).then(|| machine_arn.to_owned());
        let request = self
            .client
            .list_executions()
            .set_state_machine_arn(of(false))
            .set_map_run_arn(of(true))
            .max_results(PAGE)
            .set_status_filter(status.map(|status| ExecutionStatus::from(status.as_str())))
            .set_next_token(token);
        let answer = self.link.ask("ListExecutions", request.send()).await?;
        let items = answer
            .executions
            .into_iter()
            .map(|item| Execution {
                arn: item.execution_arn,
                name: item.name,
                machine_arn: item.state_machine_arn,
                status: status_of(&item.status),
                started: utc(&item.start_date),
                stopped: utc_option(item.stop_date.as_ref()),
                input: None,
                output: None,
                error: None,
                cause: None,
                redrives: item.redrive_count.unwrap_or_default().max(0) as u32,
            })
            .collect();
        Ok(Page { items, next: answer.next_token })
    }

    pub async fn describe_execution(&self, arn: &str) -> Result<Execution, Error> {
        let request = self.client.describe_execution().execution_arn(arn);
        let answer = self.link.ask("DescribeExecution", request.send()).await?;
        let name = answer.name.unwrap_or_else(|| arn.rsplit(':').next().unwrap_or(arn).to_owned());
        Ok(Execution {
            arn: answer.execution_arn,
            name,
            machine_arn: answer.state_machine_arn,
            status: status_of(&answer.status),
            started: utc(&answer.start_date),
            stopped: utc_option(answer.stop_date.as_ref()),
            input: answer.input,
            output: answer.output,
            error: answer.error,
            cause: answer.cause,
            redrives: answer.redrive_count.unwrap_or_default().max(0) as u32,
        })
    }

    /// The execution's ARN. `input` is JSON text. Without a name it gets one here, so that a repeated
    /// request starts nothing twice (StartExecution is idempotent by name).
    pub async fn start_execution(
        &self,
        machine_arn: &str,
        name: Option<&str>,
        input: &str,
    ) -> Result<String, Error> {
        let request = self
            .client
            .start_execution()
            .state_machine_arn(machine_arn)
            .name(name.map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned))
            .input(input);
        Ok(self.link.ask("StartExecution", request.send()).await?.execution_arn)
    }

    pub async fn stop_execution(
        &self,
        arn: &str,
        error: Option<&str>,
        cause: Option<&str>,
    ) -> Result<(), Error> {
        let request = self
            .client
            .stop_execution()
            .execution_arn(arn)
            .set_error(error.map(str::to_owned))
            .set_cause(cause.map(str::to_owned));
        self.link.ask("StopExecution", request.send()).await?;
        Ok(())
    }

    /// Continues a failed execution from the state that failed.
    pub async fn redrive_execution(&self, arn: &str) -> Result<(), Error> {
        let request = self.client.redrive_execution().execution_arn(arn);
        self.link.ask("RedriveExecution", request.send()).await?;
        Ok(())
    }

    /// One page of at most `max` (1 to 1,000) events, inputs and outputs included. The API has no
    /// "since": [`super::follow`] reads newest first until it meets what it knows.
    pub async fn get_execution_history(
        &self,
        arn: &str,
        newest_first: bool,
        token: Option<String>,
        max: u32,
    ) -> Result<Page<HistoryEvent>, Error> {
        let request = self
            .client
            .get_execution_history()
            .execution_arn(arn)
            .reverse_order(newest_first)
            .include_execution_data(true)
            .max_results(max.clamp(1, 1000) as i32)
            .set_next_token(token);
        let answer = self.link.ask("GetExecutionHistory", request.send()).await?;
        Ok(Page { items: answer.events.into_iter().map(event_of).collect(), next: answer.next_token })
    }

    /// A standard state machine; its ARN.
    pub async fn create_state_machine(
        &self,
        name: &str,
        definition: &str,
        role_arn: &str,
    ) -> Result<String, Error> {
        let request = self
            .client
            .create_state_machine()
            .name(name)
            .definition(definition)
            .role_arn(role_arn)
            .r#type(StateMachineType::Standard);
        Ok(self.link.ask("CreateStateMachine", request.send()).await?.state_machine_arn)
    }

    pub async fn update_state_machine(&self, arn: &str, definition: &str) -> Result<(), Error> {
        let request = self.client.update_state_machine().state_machine_arn(arn).definition(definition);
        self.link.ask("UpdateStateMachine", request.send()).await?;
        Ok(())
    }
}

/// Executions asked for at once; the API allows no more.
const PAGE: i32 = 1000;

/// The log group of a logging configuration: its first destination's.
fn log_group(logging: &aws_sdk_sfn::types::LoggingConfiguration) -> Option<String> {
    let destination = logging.destinations.as_ref()?.first()?;
    let arn = destination.cloud_watch_logs_log_group.as_ref()?.log_group_arn.as_deref()?;
    // `arn:aws:logs:<region>:<account>:log-group:<name>:*`
    let name = arn.split_once(":log-group:").map_or(arn, |(_, name)| name);
    Some(name.trim_end_matches(":*").to_owned())
}

fn status_of(status: &ExecutionStatus) -> Status {
    match status {
        ExecutionStatus::Succeeded => Status::Succeeded,
        ExecutionStatus::Failed => Status::Failed,
        ExecutionStatus::TimedOut => Status::TimedOut,
        ExecutionStatus::Aborted => Status::Aborted,
        ExecutionStatus::PendingRedrive => Status::PendingRedrive,
        // A status that is newer than this program is shown as running: it may still change.
        _ => Status::Running,
    }
}
