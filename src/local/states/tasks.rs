//! Tasks: what they call on the bus, and how the end of those that go on by themselves is learned.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use serde_json::{Value, json};

use super::super::bus::Bus;
use super::super::fault::Fault;
use super::driver::Driver;
use super::jobs::{Started, waits};
use super::starts::{self, Intent};
use super::{arn, naming, record};
use crate::asl::cursor::Ticket;
use crate::asl::data::Data;
use crate::asl::failure::{Failure, TASK_FAILED};
use crate::asl::resource::{Integration, Pattern, Resource};
use crate::asl::step::{Progress, Task, What};

/// Performs a task and tells the execution what becomes of it.
pub async fn perform(driver: Arc<Driver>, key: String, task: Task) {
    match &task.resource {
        Resource::Integration(integration) if waits(integration) => start(driver, key, task, None).await,
        _ => {
            let Ok(bus) = driver.bus() else { return };
            let ticket = task.ticket;
            match ask(&bus, &task).await {
                Progress::Submitted(first) => {
                    let progress = Progress::Submitted(first);
                    // On its own: it is recorded even if this task is called off meanwhile. The end is told by
                    // somebody else.
                    let told =
                        tokio::spawn(driver.deliver(key.clone(), What::Task(ticket, progress)).boxed());
                    if let Err(error) = told.await {
                        tracing::error!(execution = %key, %error, "a task's start could not be told");
                    }
                }
                progress => driver.send(&key, What::Task(ticket, progress)),
            }
        }
    }
}

/// Starts the job of a task and waits for its end; `intent` when an earlier process wanted to start it and may have.
pub async fn start(driver: Arc<Driver>, key: String, task: Task, intent: Option<Intent>) {
    let (ticket, resource) = (task.ticket, task.resource.clone());
    // By a task of its own: it is not half started when its task is aborted meanwhile, and is stopped then; and what
    // came of it is recorded.
    let started = tokio::spawn(started(driver.clone(), key.clone(), task, intent).boxed());
    match started.await {
        Ok(Some(first)) => attach(driver, key, ticket, resource, first).await,
        Ok(None) => {}
        Err(error) => {
            let failure = Failure::new(TASK_FAILED, format!("The job could not be started: {error}"));
            driver.send(&key, What::Task(ticket, Progress::Failed(failure)));
        }
    }
}

/// Starts a job and tells the execution so; gives what the service answered when somebody still waits for the job.
async fn started(driver: Arc<Driver>, key: String, mut task: Task, intent: Option<Intent>) -> Option<Data> {
    let (bus, ticket) = (driver.bus().ok()?, task.ticket);
    let durable = driver.find(&key).is_some_and(|live| live.durable);
    let found = match (intent, &task.resource) {
        (Some(intent), Resource::Integration(integration)) => {
            let found = intent.found(&bus, integration).await;
            task.input = intent.input;
            found
        }
        _ => {
            if durable {
                match starts::intend(&bus, &key, &task).await {
                    Ok(intent) => task.input = intent.input,
                    Err(fault) => {
                        let failure = Failure::new(TASK_FAILED, fault.message);
                        driver.send(&key, What::Task(ticket, Progress::Failed(failure)));
                        return None;
                    }
                }
            }
            None
        }
    };
    let progress = match found {
        Some(first) => Progress::Submitted(first),
        None => ask(&bus, &task).await,
    };
    let first = match &progress {
        Progress::Submitted(first) => Some(first.clone()),
        _ => None,
    };
    if let Some(started) = first.as_ref().and_then(|first| Started::of(&key, ticket, &task.resource, first)) {
        let left = match driver.find(&key) {
            Some(live) => live.entrust(ticket, started),
            None => Some(started),
        };
        if let Some(left) = left {
            left.stop(bus.clone()).await;
        }
    }
    let told = driver.deliver(key.clone(), What::Task(ticket, progress)).await;
    // Told again later, when it could not be recorded.
    if durable && told.is_ok() {
        starts::settle(&bus, &key, ticket).await;
    }
    first
}

/// Hands a task over: its end, or its first answer when it goes on by itself.
pub async fn ask(bus: &Bus, task: &Task) -> Progress {
    match &task.resource {
        Resource::Lambda(function) => invoke_function(bus, function, &task.input).await,
        // A worker is offered it elsewhere.
        Resource::Activity(_) => Progress::Started { worker: None },
        Resource::Integration(integration) => match call(bus, integration, task.input.value()).await {
            Err(failure) => Progress::Failed(failure),
            Ok(output) if integration.pattern == Pattern::RequestResponse => {
                Progress::Succeeded(output.into())
            }
            Ok(output) => Progress::Submitted(output.into()),
        },
    }
}

/// Waits for the end of a task that was handed over; `first` is what it answered then.
pub async fn attach(driver: Arc<Driver>, key: String, ticket: Ticket, resource: Resource, first: Data) {
    let Resource::Integration(integration) = resource else { return };
    let Ok(bus) = driver.bus() else { return };
    if let Some(progress) = end(&driver, &bus, &integration, &first).await {
        if let Some(live) = driver.find(&key) {
            live.relieve(ticket);
        }
        driver.send(&key, What::Task(ticket, progress));
    }
}

/// The end of a job that was started; `None` when somebody else will tell.
async fn end(driver: &Driver, bus: &Bus, integration: &Integration, first: &Data) -> Option<Progress> {
    if !waits(integration) {
        return None;
    }
    Some(match integration.service.as_str() {
        "states" => nested(driver, bus, integration, first.value()).await,
        "athena" => query(bus, integration, first.value()).await,
        service => {
            let cause = format!("The local cloud cannot wait for the end of a job of '{service}'.");
            Progress::Failed(Failure::new(TASK_FAILED, cause))
        }
    })
}

async fn call(bus: &Bus, integration: &Integration, parameters: &Value) -> Result<Value, Failure> {
    let service = naming::on_bus(integration);
    let operation = naming::operation(integration);
    let input = naming::input(integration, parameters);
    let answer = bus.call(&service, &operation, input).await.map_err(|f| naming::failure(integration, &f))?;
    if integration.service == "lambda"
        && integration.action == "invoke"
        && !answer["FunctionError"].is_null()
        && !integration.sdk
    {
        return Err(naming::function_failure(&answer["Payload"]));
    }
    let mut answer = answer;
    if let (false, Some(members)) = (integration.sdk, answer.as_object_mut()) {
        members.shift_remove("LogResult");
    }
    Ok(naming::output(integration, answer))
}

async fn invoke_function(bus: &Bus, function: &str, input: &Data) -> Progress {
    let request = json!({
        "FunctionName": function,
        "InvocationType": "RequestResponse",
        "Payload": input.value(),
    });
    match bus.call("lambda", "Invoke", request).await {
        Ok(answer) if answer["FunctionError"].is_null() => {
            Progress::Succeeded(answer["Payload"].clone().into())
        }
        Ok(answer) => Progress::Failed(naming::function_failure(&answer["Payload"])),
        Err(fault) => Progress::Failed(lambda_failure(&fault)),
    }
}

fn lambda_failure(fault: &Fault) -> Failure {
    let integration = Integration {
        arn: String::new(),
        service: "lambda".into(),
        action: "invoke".into(),
        sdk: false,
        pattern: Pattern::RequestResponse,
    };
    naming::failure(&integration, fault)
}

/// The end of a nested execution.
async fn nested(driver: &Driver, bus: &Bus, integration: &Integration, first: &Value) -> Progress {
    let child = first["ExecutionArn"].as_str().unwrap_or_default();
    let described = async {
        let key = arn::execution(child)?;
        loop {
            if let Some(live) = driver.find(&key) {
                driver.outcome(&live).await;
            }
            let record = record::execution(&bus.store, &key, child)?;
            if record.is_over() {
                break Ok(record.describe(&bus.region));
            }
            // After an interruption it may be taken up only after the one that waits for it.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let mut described = match described.await {
        Ok(described) => described,
        Err(fault) => return Progress::Failed(naming::failure(integration, &fault)),
    };
    if let Some(members) = described.as_object_mut() {
        members.shift_remove("redriveCount");
    }
    let plain = Integration { sdk: false, ..integration.clone() };
    let mut output = naming::output(&plain, described);
    if let Some(members) = output.as_object_mut() {
        members.shift_remove("SdkHttpMetadata");
        members.shift_remove("SdkResponseMetadata");
    }
    if output["Status"] != "SUCCEEDED" {
        return Progress::Failed(Failure::new(TASK_FAILED, output.to_string()));
    }
    if integration.pattern == Pattern::Sync2 {
        for member in ["Input", "Output"] {
            if let Some(parsed) = output[member].as_str().and_then(|t| serde_json::from_str(t).ok()) {
                output[member] = parsed;
            }
        }
    }
    Progress::Succeeded(output.into())
}

/// The end of an Athena query. Athena tells nobody when a query ends, so it is asked, as AWS asks.
async fn query(bus: &Bus, integration: &Integration, first: &Value) -> Progress {
    let asked = Integration { action: "getQueryExecution".into(), ..integration.clone() };
    let id = json!({"QueryExecutionId": first["QueryExecutionId"]});
    let mut pause = Duration::from_millis(50);
    loop {
        let answer = match call(bus, &asked, &id).await {
            Ok(answer) => answer,
            Err(failure) => return Progress::Failed(failure),
        };
        let state = answer["QueryExecution"]["Status"]["State"].as_str().unwrap_or_default();
        match state {
            "SUCCEEDED" => return Progress::Succeeded(answer.into()),
            "FAILED" | "CANCELLED" => {
                let cause = answer["QueryExecution"].to_string();
                return Progress::Failed(Failure::new(TASK_FAILED, cause));
            }
            _ => {}
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}
