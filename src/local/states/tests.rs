//! The driver with services that are made up: what they answer is the test's, what follows is ours.

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
    let text = include_str!("../../../assets/pipeline.asl.json")
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

/// The words of DeleteStateMachine's reference, and the error that AWS's own article on machines that stay
/// DELETING shows ("My Step Functions state machine is stuck in the DELETING status").
#[tokio::test]
async fn a_deleted_machine_ends_its_executions_at_their_next_transition() {
    let folder = tempfile::tempdir().unwrap();
    let bus = cloud(Some(folder.path()), Clock::default(), &[]).await;
    ask(&bus, "CreateActivity", json!({"name": "a"})).await;
    let definition = json!({"StartAt": "T", "States": {
        "T": {"Type": "Task", "Resource": "arn:aws:states:us-east-1:000000000000:activity:a", "Next": "P",
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "P"}]},
        "P": {"Type": "Pass", "End": true}}});
    let arn = start(&bus, &definition, json!({})).await;
    let token = work(&bus).await["taskToken"].clone();
    let machine = json!({"stateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:m"});
    ask(&bus, "DeleteStateMachine", machine.clone()).await;
    assert_eq!(ask(&bus, "DescribeStateMachine", machine.clone()).await["status"], "DELETING");
    let again = json!({"name": "m", "definition": definition.to_string(), "roleArn": ROLE});
    let mut update = machine.clone();
    update["roleArn"] = ROLE.into();
    for (operation, input) in [
        ("StartExecution", machine.clone()),
        ("UpdateStateMachine", update),
        ("PublishStateMachineVersion", machine.clone()),
        ("CreateStateMachine", again.clone()),
    ] {
        let refused = bus.call("states", operation, input).await.unwrap_err();
        assert_eq!(refused.code, "StateMachineDeleting", "{operation}");
    }
    bus.store.close().await;

    // The next process knows it too.
    let bus = cloud(Some(folder.path()), Clock::default(), &[]).await;
    assert_eq!(ask(&bus, "DescribeExecution", json!({"executionArn": arn})).await["status"], "RUNNING");
    ask(&bus, "SendTaskSuccess", json!({"taskToken": token, "output": "{}"})).await;
    let described = ended(&bus, &arn).await;
    assert_eq!((&described["status"], &described["error"]), (&json!("FAILED"), &json!("States.Runtime")));
    assert_eq!(described["cause"], "State machine m has been deleted.");
    let expected = ["ActivitySucceeded", "TaskStateExited", "ExecutionFailed"];
    assert_eq!(types(&bus, &arn).await[4..], expected);
    let gone = bus.call("states", "DescribeStateMachine", machine.clone()).await.unwrap_err();
    assert_eq!(gone.code, "StateMachineDoesNotExist");
    assert!(bus.call("states", "RedriveExecution", json!({"executionArn": arn})).await.is_err());

    // A new machine of the name begins without executions.
    ask(&bus, "CreateStateMachine", again).await;
    assert_eq!(ask(&bus, "ListExecutions", machine).await["executions"], json!([]));
    assert!(bus.call("states", "DescribeExecution", json!({"executionArn": arn})).await.is_err());
    bus.store.close().await;
}

#[tokio::test]
async fn a_machine_whose_last_execution_is_stopped_is_gone() {
    let bus = cloud(None, Clock::default(), &[]).await;
    let definition = json!({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": true}}});
    let arn = start(&bus, &definition, json!({})).await;
    let machine = json!({"stateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:m"});
    let version = json!({"stateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:m:1"});
    let refused = bus.call("states", "DeleteStateMachine", version).await.unwrap_err();
    assert_eq!(refused.code, "ValidationException");
    ask(&bus, "DeleteStateMachine", machine.clone()).await;
    assert_eq!(ask(&bus, "ListStateMachines", json!({})).await["stateMachines"].as_array().unwrap().len(), 1);
    let described = ask(&bus, "DescribeExecution", json!({"executionArn": arn})).await;
    assert_eq!(described["redriveStatusReason"], "State machine is in DELETING status");
    ask(&bus, "StopExecution", json!({"executionArn": arn})).await;
    assert_eq!(ask(&bus, "ListStateMachines", json!({})).await["stateMachines"], json!([]));
    assert_eq!(ask(&bus, "DescribeExecution", json!({"executionArn": arn})).await["status"], "ABORTED");
}

/// The bounds of the API reference, each with the error that it names for what breaks it.
#[tokio::test]
async fn requests_out_of_bounds_are_refused() {
    let bus = cloud(None, hurried(), &[]).await;
    ask(&bus, "CreateActivity", json!({"name": "a"})).await;
    let definition = json!({"StartAt": "T", "States": {"T": {"Type": "Task", "End": true,
        "Resource": "arn:aws:states:us-east-1:000000000000:activity:a"}}});
    let arn = start(&bus, &definition, json!({})).await;
    let token = work(&bus).await["taskToken"].clone();
    let machine = "arn:aws:states:us-east-1:000000000000:stateMachine:m";
    let large = json!({"StartAt": "P", "Comment": "x".repeat(1 << 20), "States": {}}).to_string();
    let text = json!("x".repeat(262_143)).to_string();
    let rows = [
        (
            "CreateStateMachine",
            json!({"name": "n", "definition": large, "roleArn": ROLE}),
            "ValidationException",
        ),
        ("CreateStateMachine", json!({"name": "n", "definition": "{", "roleArn": ROLE}), "InvalidDefinition"),
        ("CreateStateMachine", json!({"name": "n/n", "definition": "{}", "roleArn": ROLE}), "InvalidName"),
        ("UpdateStateMachine", json!({"stateMachineArn": machine}), "MissingRequiredParameter"),
        (
            "DescribeStateMachine",
            json!({"stateMachineArn": machine, "includedData": "SOME"}),
            "ValidationException",
        ),
        ("ValidateStateMachineDefinition", json!({"definition": large}), "ValidationException"),
        (
            "ValidateStateMachineDefinition",
            json!({"definition": "{}", "maxResults": 101}),
            "ValidationException",
        ),
        (
            "ValidateStateMachineDefinition",
            json!({"definition": "{}", "severity": "ALL"}),
            "ValidationException",
        ),
        ("StartExecution", json!({"stateMachineArn": machine, "input": text}), "ValidationException"),
        ("StartExecution", json!({"stateMachineArn": machine, "input": "{"}), "InvalidExecutionInput"),
        ("StartExecution", json!({"stateMachineArn": machine, "name": "a:b"}), "InvalidName"),
        ("StartSyncExecution", json!({"stateMachineArn": machine}), "StateMachineTypeNotSupported"),
        ("ListExecutions", json!({"stateMachineArn": machine, "maxResults": 1001}), "ValidationException"),
        ("ListExecutions", json!({"stateMachineArn": machine, "nextToken": "x"}), "InvalidToken"),
        (
            "ListExecutions",
            json!({"stateMachineArn": machine, "statusFilter": "PENDING_REDRIVE"}),
            "ValidationException",
        ),
        ("ListExecutions", json!({}), "ValidationException"),
        ("GetExecutionHistory", json!({"executionArn": machine}), "InvalidArn"),
        ("RedriveExecution", json!({"executionArn": arn}), "ExecutionNotRedrivable"),
        ("SendTaskSuccess", json!({"taskToken": token, "output": text}), "ValidationException"),
        ("SendTaskSuccess", json!({"taskToken": token, "output": "{"}), "InvalidOutput"),
        ("SendTaskFailure", json!({"taskToken": token, "error": "e".repeat(257)}), "ValidationException"),
        ("SendTaskHeartbeat", json!({"taskToken": "forged"}), "InvalidToken"),
        ("SendTaskHeartbeat", json!({}), "ValidationException"),
    ];
    for (operation, input, code) in rows {
        let shown = input.to_string().chars().take(120).collect::<String>();
        assert_eq!(bus.call("states", operation, input).await.unwrap_err().code, code, "{operation} {shown}");
    }
    // The task still waits for its answer, which counts once.
    let answer = json!({"taskToken": token, "output": "1"});
    ask(&bus, "SendTaskSuccess", answer.clone()).await;
    assert_eq!(bus.call("states", "SendTaskSuccess", answer).await.unwrap_err().code, "TaskTimedOut");
    assert_eq!(ended(&bus, &arn).await["output"], "1");
}

#[tokio::test]
async fn more_than_fifty_tags_are_too_many() {
    let bus = cloud(None, hurried(), &[]).await;
    let tags =
        |count: usize| -> Value { (0..count).map(|n| json!({"key": n.to_string(), "value": ""})).collect() };
    let refused =
        bus.call("states", "CreateActivity", json!({"name": "a", "tags": tags(51)})).await.unwrap_err();
    assert_eq!(refused.code, "TooManyTags");
    let made = ask(&bus, "CreateActivity", json!({"name": "a", "tags": tags(50)})).await;
    let long = json!([{"key": "k".repeat(129), "value": ""}]);
    for (tags, code) in
        [(json!([{"key": "more", "value": ""}]), "TooManyTags"), (long, "ValidationException")]
    {
        let request = json!({"resourceArn": made["activityArn"], "tags": tags});
        assert_eq!(bus.call("states", "TagResource", request).await.unwrap_err().code, code);
    }
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

/// With one thread for everything, others are still answered.
#[tokio::test]
async fn an_expression_without_an_end_holds_nobody_up() {
    let bus = cloud(None, Clock::default(), &[]).await;
    let endless = "{% ($f := function($n) { $f($n + 1) }; $f(0)) %}";
    let definition = json!({"QueryLanguage": "JSONata", "StartAt": "P", "States": {
        "P": {"Type": "Pass", "Output": endless, "End": true}}});
    let (asked, answered) = (bus.clone(), Arc::new(AtomicUsize::new(0)));
    let counted = answered.clone();
    let others = tokio::spawn(async move {
        loop {
            ask(&asked, "ListStateMachines", json!({})).await;
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
        }
    });
    let arn = start(&bus, &definition, json!({})).await;
    let described = ended(&bus, &arn).await;
    others.abort();
    assert_eq!(described["error"], "States.QueryEvaluationError");
    let cause = described["cause"].as_str().unwrap();
    assert!(cause.ends_with("Expression evaluation timeout: Check for infinite loop"), "{cause}");
    assert!(answered.load(Ordering::SeqCst) > 10);
}

/// Express executions write nothing down, so nothing makes them wait.
#[tokio::test]
async fn an_express_execution_that_goes_in_circles_lets_others_have_their_turn() {
    let bus = cloud(None, hurried(), &[]).await;
    let definition = json!({"StartAt": "A", "States": {
        "A": {"Type": "Choice", "Choices": [{"Variable": "$.go", "IsPresent": true, "Next": "A2"}], "Default": "E"},
        "A2": {"Type": "Pass", "Next": "A"}, "E": {"Type": "Succeed"}}});
    let request =
        json!({"name": "x", "definition": definition.to_string(), "roleArn": ROLE, "type": "EXPRESS"});
    let made = ask(&bus, "CreateStateMachine", request).await;
    let circling = json!({"stateMachineArn": made["stateMachineArn"], "input": "{\"go\": 1}"});
    let asked = bus.clone();
    let sync = tokio::spawn(async move { ask(&asked, "StartSyncExecution", circling).await });
    let plain = json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}});
    let arn = start(&bus, &plain, json!({})).await;
    assert_eq!(ended(&bus, &arn).await["status"], "SUCCEEDED");
    // Five minutes pass at once on this clock.
    assert_eq!(sync.await.unwrap()["status"], "TIMED_OUT");
}
