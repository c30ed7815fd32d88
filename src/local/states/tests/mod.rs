//! The driver with services that are made up: what they answer is the test's, what follows is ours.

mod bounds;
mod jobs;
mod removal;
mod requests;
mod turns;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::States;
use crate::local::bus::{Bus, Service};
use crate::local::clock::Clock;
use crate::local::fault::Fault;
use crate::local::store::Store;

type Answer = Box<dyn Fn(&str, &Value) -> Result<Value, Fault> + Send + Sync>;

/// A service that answers by a function, notes what it was asked, and can be held up.
struct Fake {
    name: &'static str,
    answer: Answer,
    asked: Mutex<Vec<(String, Value)>>,
    count: AtomicUsize,
    /// Calls never end.
    stuck: bool,
    called: Notify,
}

impl Fake {
    fn new(
        name: &'static str,
        answer: impl Fn(&str, &Value) -> Result<Value, Fault> + Send + Sync + 'static,
    ) -> Arc<Fake> {
        Arc::new(Fake {
            name,
            answer: Box::new(answer),
            asked: Mutex::default(),
            count: AtomicUsize::new(0),
            stuck: false,
            called: Notify::new(),
        })
    }

    fn stuck(name: &'static str) -> Arc<Fake> {
        let mut fake = Fake::new(name, |_, _| Ok(json!({})));
        Arc::get_mut(&mut fake).unwrap().stuck = true;
        fake
    }

    fn asked(&self) -> Vec<(String, Value)> {
        self.asked.lock().unwrap().clone()
    }
}

impl Service for Fake {
    fn name(&self) -> &'static str {
        self.name
    }

    fn call<'a>(&'a self, operation: &'a str, input: Value) -> BoxFuture<'a, Result<Value, Fault>> {
        Box::pin(async move {
            let answer = (self.answer)(operation, &input);
            self.asked.lock().unwrap().push((operation.to_owned(), input));
            self.count.fetch_add(1, Ordering::SeqCst);
            self.called.notify_one();
            if self.stuck {
                std::future::pending::<()>().await;
            }
            answer
        })
    }
}

/// A cloud of Step Functions and fakes; waits pass at once unless the clock is the real one.
async fn cloud(folder: Option<&Path>, clock: Clock, fakes: &[Arc<Fake>]) -> Arc<Bus> {
    let bus = Bus::new(Store::open(folder).unwrap(), clock, "us-east-1");
    for fake in fakes {
        bus.register(fake.clone());
    }
    bus.register(States::new(&bus));
    for service in bus.services() {
        service.resume().await;
    }
    bus
}

fn hurried() -> Clock {
    Clock::hurried(1e9)
}

async fn ask(bus: &Bus, operation: &str, input: Value) -> Value {
    bus.call("states", operation, input).await.unwrap()
}

const ROLE: &str = "arn:aws:iam::000000000000:role/r";

async fn start(bus: &Bus, definition: &Value, input: Value) -> String {
    let created = ask(
        bus,
        "CreateStateMachine",
        json!({"name": "m", "definition": definition.to_string(), "roleArn": ROLE}),
    )
    .await;
    let request = json!({"stateMachineArn": created["stateMachineArn"], "input": input.to_string()});
    let started = ask(bus, "StartExecution", request).await;
    started["executionArn"].as_str().unwrap().to_owned()
}

/// Waits until it is over and describes it.
async fn ended(bus: &Bus, arn: &str) -> Value {
    loop {
        let described = ask(bus, "DescribeExecution", json!({"executionArn": arn})).await;
        if described["status"] != "RUNNING" {
            return described;
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

async fn types(bus: &Bus, arn: &str) -> Vec<String> {
    let history = ask(bus, "GetExecutionHistory", json!({"executionArn": arn, "maxResults": 1000})).await;
    let events = history["events"].as_array().unwrap();
    events.iter().map(|e| e["type"].as_str().unwrap().to_owned()).collect()
}

/// The pipeline as shipped, but for its time limits: under the hurried clock they would pass at once.
fn pipeline() -> Value {
    let text = include_str!("../../../../assets/pipeline.asl.json")
        .replace("${FunctionArn}", "arn:aws:lambda:us-east-1:000000000000:function:f")
        .replace("${Bucket}", "data")
        .replace("${TopicArn}", "arn:aws:sns:us-east-1:000000000000:t");
    let mut definition: Value = serde_json::from_str(&text).unwrap();
    definition.as_object_mut().unwrap().remove("TimeoutSeconds").unwrap();
    let invoke = definition["States"]["InvokeLambdaFunction"].as_object_mut().unwrap();
    invoke.remove("TimeoutSeconds").unwrap();
    definition
}

fn lambda() -> Arc<Fake> {
    Fake::new("lambda", |_, _| {
        let payload =
            json!({"query_execution_id": "q-1", "output_location": "s3://data/athena-results/q-1.csv"});
        Ok(json!({"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": payload}))
    })
}

/// Queries are running for so many checks, then over.
fn athena(running: usize, end: &'static str) -> Arc<Fake> {
    let checks = AtomicUsize::new(0);
    Fake::new("athena", move |_, _| {
        let state = if checks.fetch_add(1, Ordering::SeqCst) < running { "RUNNING" } else { end };
        Ok(json!({"QueryExecution": {"QueryExecutionId": "q-1", "Status": {"State": state}}}))
    })
}

#[tokio::test]
async fn the_pipeline_copies_the_result_to_production() {
    let s3 = Fake::new("s3", |_, _| Ok(json!({"CopyObjectResult": {"ETag": "\"e\""}})));
    let (lambda, athena) = (lambda(), athena(2, "SUCCEEDED"));
    let bus = cloud(None, hurried(), &[s3.clone(), lambda.clone(), athena.clone()]).await;
    let arn = start(&bus, &pipeline(), json!({})).await;
    let described = ended(&bus, &arn).await;
    assert_eq!(described["status"], "SUCCEEDED", "{described}");
    assert_eq!(lambda.asked()[0].1["Payload"], json!({"execution": arn}));
    assert_eq!(athena.asked().len(), 3);
    let copy =
        json!({"Bucket": "data", "CopySource": "data/athena-results/q-1.csv", "Key": "production/q-1.csv"});
    assert_eq!(s3.asked(), [("CopyObject".to_owned(), copy)]);
    let waits = types(&bus, &arn).await.iter().filter(|t| *t == "WaitStateEntered").count();
    assert_eq!(waits, 3);
}

#[tokio::test]
async fn the_pipeline_tells_the_topic_what_failed_and_fails_with_it() {
    let sns = Fake::new("sns", |_, _| Ok(json!({"MessageId": "1"})));
    let bus = cloud(None, hurried(), &[sns.clone(), lambda(), athena(0, "FAILED")]).await;
    let arn = start(&bus, &pipeline(), json!({})).await;
    let described = ended(&bus, &arn).await;
    assert_eq!((&described["status"], &described["error"]), (&json!("FAILED"), &json!("QueryFailed")));
    let cause = described["cause"].as_str().unwrap();
    assert!(cause.starts_with("Query q-1 ended as FAILED"), "{cause}");
    let message: Value = serde_json::from_str(sns.asked()[0].1["Message"].as_str().unwrap()).unwrap();
    assert_eq!(message["error"], "QueryFailed");
    assert_eq!(message["execution"], json!(arn));
}

#[tokio::test]
async fn the_pipeline_gives_up_on_a_query_without_an_end() {
    let sns = Fake::new("sns", |_, _| Ok(json!({"MessageId": "1"})));
    let athena = athena(usize::MAX, "SUCCEEDED");
    let bus = cloud(None, hurried(), &[sns, lambda(), athena.clone()]).await;
    let arn = start(&bus, &pipeline(), json!({})).await;
    let described = ended(&bus, &arn).await;
    assert_eq!(described["error"], "QueryTimedOut", "{described}");
    assert_eq!(athena.asked().len(), 121);
}

/// The function fails three times (two retries), and S3 is not there at all.
#[tokio::test]
async fn a_service_that_is_not_there_fails_the_task_and_is_named() {
    let failing = Fake::new("lambda", |_, _| {
        let payload = json!({"errorType": "Boom", "errorMessage": "no"});
        Ok(json!({"StatusCode": 200, "FunctionError": "Unhandled", "Payload": payload}))
    });
    let bus = cloud(None, hurried(), std::slice::from_ref(&failing)).await;
    let arn = start(&bus, &pipeline(), json!({})).await;
    let described = ended(&bus, &arn).await;
    assert_eq!(described["error"], "Boom");
    assert_eq!(failing.asked().len(), 3);
    let definition = json!({"StartAt": "T", "States": {"T": {"Type": "Task", "End": true,
        "Resource": "arn:aws:states:::aws-sdk:s3:getObject", "Parameters": {"Bucket": "b", "Key": "k"}}}});
    let created = ask(
        &bus,
        "CreateStateMachine",
        json!({"name": "other", "definition": definition.to_string(), "roleArn": ROLE}),
    )
    .await;
    let started = ask(&bus, "StartExecution", json!({"stateMachineArn": created["stateMachineArn"]})).await;
    let described = ended(&bus, started["executionArn"].as_str().unwrap()).await;
    assert_eq!(described["error"], "S3.SdkClientException");
    assert!(described["cause"].as_str().unwrap().contains("'s3'"));
}

/// The process ends while an execution waits and another has a task under way; the next one goes on.
#[tokio::test]
async fn what_was_under_way_is_taken_up_by_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let definition = json!({"StartAt": "P", "States": {"P": {"Type": "Parallel", "End": true, "Branches": [
        {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "End": true}}},
        {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "f"}, "Retry": [{"ErrorEquals": ["States.TaskFailed"]}], "End": true}}}]}}});
    let stuck = Fake::stuck("lambda");
    let bus = cloud(Some(folder.path()), Clock::default(), std::slice::from_ref(&stuck)).await;
    let arn = start(&bus, &definition, json!({"a": 1})).await;
    stuck.called.notified().await;
    let before = types(&bus, &arn).await;
    assert!(before.contains(&"TaskStarted".to_owned()) && before.contains(&"WaitStateEntered".to_owned()));
    bus.store.close().await;

    let bus = cloud(Some(folder.path()), Clock::default(), &[lambda()]).await;
    let described = ended(&bus, &arn).await;
    assert_eq!(described["status"], "SUCCEEDED", "{described}");
    let after = types(&bus, &arn).await;
    assert_eq!(after[..before.len()], before);
    // The task counts as failed, with the reason, and its Retry rules run it once more.
    let history = ask(&bus, "GetExecutionHistory", json!({"executionArn": arn})).await;
    let failed = history["events"].as_array().unwrap().iter().find(|e| e["type"] == "TaskFailed").unwrap();
    let cause = failed["taskFailedEventDetails"]["cause"].as_str().unwrap();
    assert!(cause.contains("interrupted"), "{cause}");
    assert_eq!(after.iter().filter(|t| *t == "TaskScheduled").count(), 2);
    assert_eq!(after.iter().filter(|t| *t == "WaitStateExited").count(), 1);
    // Nothing runs any more, once the end has been told.
    while bus.service("states").unwrap().busy() {
        tokio::task::yield_now().await;
    }
    bus.store.close().await;
}

/// Whether a callback's request went out before the end is not known, so nobody may ever answer.
#[tokio::test]
async fn a_callback_that_was_not_handed_over_fails_with_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let definition = json!({"StartAt": "T", "States": {"T": {"Type": "Task", "End": true,
        "Resource": "arn:aws:states:::sns:publish.waitForTaskToken",
        "Parameters": {"Message": {"token.$": "$$.Task.Token"}}}}});
    let stuck = Fake::stuck("sns");
    let bus = cloud(Some(folder.path()), Clock::default(), std::slice::from_ref(&stuck)).await;
    let arn = start(&bus, &definition, json!({})).await;
    stuck.called.notified().await;
    bus.store.close().await;

    let bus = cloud(Some(folder.path()), Clock::default(), &[]).await;
    let described = ended(&bus, &arn).await;
    assert_eq!((&described["status"], &described["error"]), (&json!("FAILED"), &json!("States.TaskFailed")));
    let message: Value = serde_json::from_str(stuck.asked()[0].1["Message"].as_str().unwrap()).unwrap();
    let late = json!({"taskToken": message["token"], "output": "{}"});
    assert_eq!(bus.call("states", "SendTaskSuccess", late).await.unwrap_err().code, "TaskTimedOut");
}

#[tokio::test]
async fn a_failed_execution_is_redriven_from_where_it_failed() {
    let broken = Arc::new(AtomicUsize::new(1));
    let state = broken.clone();
    let sns = Fake::new("sns", move |_, _| match state.load(Ordering::SeqCst) {
        0 => Ok(json!({"MessageId": "1"})),
        _ => Err(Fault::new(404, "NotFound", "Topic does not exist")),
    });
    let bus = cloud(None, hurried(), std::slice::from_ref(&sns)).await;
    let definition = json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Result": {"n": 7}, "Next": "T"},
        "T": {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Parameters": {"Message.$": "$.n"}, "End": true}}});
    let arn = start(&bus, &definition, json!({})).await;
    let described = ended(&bus, &arn).await;
    assert_eq!(described["error"], "SNS.NotFoundException");
    assert_eq!(described["redriveStatus"], "REDRIVABLE");
    broken.store(0, Ordering::SeqCst);
    ask(&bus, "RedriveExecution", json!({"executionArn": arn})).await;
    let described = ended(&bus, &arn).await;
    assert_eq!((&described["status"], &described["redriveCount"]), (&json!("SUCCEEDED"), &json!(1)));
    let after = types(&bus, &arn).await;
    assert_eq!(after.iter().filter(|t| *t == "PassStateEntered").count(), 1);
    assert_eq!(after.iter().filter(|t| *t == "ExecutionRedriven").count(), 1);
    assert!(bus.call("states", "RedriveExecution", json!({"executionArn": arn})).await.is_err());
}

#[tokio::test]
async fn a_stopped_execution_stays_stopped() {
    let bus = cloud(None, Clock::default(), &[]).await;
    let definition = json!({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": true}}});
    let arn = start(&bus, &definition, json!({})).await;
    let stop = json!({"executionArn": arn, "error": "Manual", "cause": "probe"});
    ask(&bus, "StopExecution", stop).await;
    let described = ask(&bus, "DescribeExecution", json!({"executionArn": arn})).await;
    assert_eq!((&described["status"], &described["error"]), (&json!("ABORTED"), &json!("Manual")));
    assert_eq!(types(&bus, &arn).await.last().unwrap(), "ExecutionAborted");
    assert!(!bus.service("states").unwrap().busy());
}

/// `.sync` waits for a nested execution's end without asking, `.sync:2` unfolds its output.
#[tokio::test]
async fn nested_executions_are_waited_for() {
    let bus = cloud(None, hurried(), &[]).await;
    let inner = json!({"StartAt": "W", "States": {
        "W": {"Type": "Wait", "Seconds": 5, "Next": "P"},
        "P": {"Type": "Pass", "Result": {"x": 1}, "End": true}}});
    let request = json!({"name": "inner", "definition": inner.to_string(), "roleArn": ROLE});
    let inner = ask(&bus, "CreateStateMachine", request).await;
    let definition = json!({"StartAt": "T", "States": {"T": {"Type": "Task", "End": true,
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": inner["stateMachineArn"], "Input": {"a": 1}}}}});
    let arn = start(&bus, &definition, json!({})).await;
    let described = ended(&bus, &arn).await;
    let output: Value = serde_json::from_str(described["output"].as_str().unwrap()).unwrap();
    assert_eq!(output["Output"], json!({"x": 1}));
    assert_eq!(output["Input"], json!({"a": 1}));
    assert_eq!(output["Status"], "SUCCEEDED");
    let expected = ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"];
    assert_eq!(types(&bus, &arn).await[2..6], expected);
}

#[tokio::test]
async fn a_callback_is_answered_by_its_token() {
    let sns = Fake::new("sns", |_, _| Ok(json!({"MessageId": "1"})));
    let bus = cloud(None, hurried(), std::slice::from_ref(&sns)).await;
    let definition = json!({"StartAt": "T", "States": {"T": {"Type": "Task", "End": true,
        "Resource": "arn:aws:states:::sns:publish.waitForTaskToken",
        "Parameters": {"Message": {"token.$": "$$.Task.Token"}}}}});
    let arn = start(&bus, &definition, json!({})).await;
    sns.called.notified().await;
    let message: Value = serde_json::from_str(sns.asked()[0].1["Message"].as_str().unwrap()).unwrap();
    let answer = json!({"taskToken": message["token"], "output": "{\"ok\": true}"});
    let forged = json!({"taskToken": "x", "output": "{}"});
    let refused = bus.call("states", "SendTaskSuccess", forged).await.unwrap_err();
    assert_eq!(refused.code, "InvalidToken");
    ask(&bus, "SendTaskSuccess", answer.clone()).await;
    assert_eq!(ended(&bus, &arn).await["output"], "{\"ok\": true}");
    let late = bus.call("states", "SendTaskSuccess", answer).await.unwrap_err();
    assert_eq!(late.code, "TaskTimedOut");
}

/// What a worker is given of the activity `a`.
async fn work(bus: &Bus) -> Value {
    let activity = "arn:aws:states:us-east-1:000000000000:activity:a";
    ask(bus, "GetActivityTask", json!({"activityArn": activity})).await
}

#[tokio::test]
async fn a_task_for_an_activity_that_is_not_there_is_not_scheduled() {
    let bus = cloud(None, hurried(), &[]).await;
    let definition = json!({"StartAt": "T", "States": {
        "T": {"Type": "Task", "Resource": "arn:aws:states:us-east-1:000000000000:activity:a", "End": true,
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "P"}]},
        "P": {"Type": "Pass", "End": true}}});
    let arn = start(&bus, &definition, json!({})).await;
    let described = ended(&bus, &arn).await;
    let output: Value = serde_json::from_str(described["output"].as_str().unwrap()).unwrap();
    assert_eq!(output["Error"], "ActivityDoesNotExist");
    let expected = ["ActivityScheduled", "ActivityScheduleFailed", "TaskStateExited"];
    assert_eq!(types(&bus, &arn).await[2..5], expected);
}
