//! Jobs that `.sync` tasks wait for, when nobody waits any more. That they are stopped then is in the AWS
//! guide ("Run a Job (.sync)"); the cause that the stopped execution has was measured on AWS by others.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Fake, ROLE, ask, cloud, ended, start, types};
use crate::asl::resource::Resource;
use crate::asl::step::Task;
use crate::local::bus::Bus;
use crate::local::clock::Clock;
use crate::local::fault::Fault;

const CHILD: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:child";

/// A cloud with a machine `child` that waits for long.
async fn with_child(folder: Option<&Path>, clock: Clock) -> Arc<Bus> {
    let bus = cloud(folder, clock, &[]).await;
    let waits = json!({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1_000_000, "End": true}}});
    let request = json!({"name": "child", "definition": waits.to_string(), "roleArn": ROLE});
    ask(&bus, "CreateStateMachine", request).await;
    bus
}

fn nested() -> Value {
    json!({"Type": "Task", "End": true, "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": CHILD}})
}

/// The ARN of the child that runs, once the parent waits for it.
async fn child(bus: &Bus, parent: &str) -> String {
    while !types(bus, parent).await.contains(&"TaskSubmitted".to_owned()) {
        tokio::task::yield_now().await;
    }
    let listed = ask(bus, "ListExecutions", json!({"stateMachineArn": CHILD})).await;
    assert_eq!(listed["executions"][0]["status"], "RUNNING");
    listed["executions"][0]["executionArn"].as_str().unwrap().to_owned()
}

async fn is_aborted(bus: &Bus, child: &str, parent: &str) {
    let described = ended(bus, child).await;
    let cause = format!(
        "The Task state in AWS Step Functions execution [{parent}] which was managing this resource was aborted"
    );
    assert_eq!((&described["status"], &described["cause"]), (&json!("ABORTED"), &json!(cause)));
    assert_eq!(described["error"], Value::Null);
}

#[tokio::test]
async fn a_stopped_execution_stops_the_one_that_it_waits_for() {
    let bus = with_child(None, Clock::default()).await;
    let arn = start(&bus, &json!({"StartAt": "T", "States": {"T": nested()}}), json!({})).await;
    let child = child(&bus, &arn).await;
    ask(&bus, "StopExecution", json!({"executionArn": arn})).await;
    is_aborted(&bus, &child, &arn).await;
}

#[tokio::test]
async fn an_execution_taken_up_by_the_next_start_still_stops_its_child() {
    let folder = tempfile::tempdir().unwrap();
    let bus = with_child(Some(folder.path()), Clock::default()).await;
    let arn = start(&bus, &json!({"StartAt": "T", "States": {"T": nested()}}), json!({})).await;
    let child = child(&bus, &arn).await;
    bus.store.close().await;
    let bus = cloud(Some(folder.path()), Clock::default(), &[]).await;
    ask(&bus, "StopExecution", json!({"executionArn": arn})).await;
    is_aborted(&bus, &child, &arn).await;
    bus.store.close().await;
}

/// A branch that fails, and an iteration that fails.
#[tokio::test]
async fn what_fails_beside_a_task_stops_its_child() {
    let fails = json!({"StartAt": "A", "States": {
        "A": {"Type": "Task", "Resource": "arn:aws:states:us-east-1:000000000000:activity:a", "Next": "F"},
        "F": {"Type": "Fail", "Error": "Boom"}}});
    let parallel = json!({"Type": "Parallel", "End": true, "Branches": [
        {"StartAt": "T", "States": {"T": nested()}}, fails]});
    let mut processor = fails.clone();
    processor["StartAt"] = "C".into();
    processor["States"]["N"] = nested();
    processor["States"]["C"] = json!({"Type": "Choice", "Default": "N",
        "Choices": [{"Variable": "$", "NumericEquals": 2, "Next": "A"}]});
    let map = json!({"Type": "Map", "End": true, "ItemProcessor": processor});
    for (state, input) in [(parallel, json!({})), (map, json!([1, 2]))] {
        let bus = with_child(None, Clock::default()).await;
        ask(&bus, "CreateActivity", json!({"name": "a"})).await;
        let arn = start(&bus, &json!({"StartAt": "P", "States": {"P": state}}), input).await;
        let child = child(&bus, &arn).await;
        let token = super::work(&bus).await["taskToken"].clone();
        ask(&bus, "SendTaskSuccess", json!({"taskToken": token, "output": "{}"})).await;
        assert_eq!(ended(&bus, &arn).await["error"], "Boom");
        is_aborted(&bus, &child, &arn).await;
    }
}

#[tokio::test]
async fn a_task_whose_time_is_over_stops_its_child() {
    // The task's time is over at once on this clock, the child's wait in a quarter of an hour.
    let bus = with_child(None, Clock::hurried(1000.0)).await;
    let mut task = nested();
    task["TimeoutSeconds"] = 100.into();
    let arn = start(&bus, &json!({"StartAt": "T", "States": {"T": task}}), json!({})).await;
    assert_eq!(ended(&bus, &arn).await["error"], "States.Timeout");
    let listed = ask(&bus, "ListExecutions", json!({"stateMachineArn": CHILD})).await;
    is_aborted(&bus, listed["executions"][0]["executionArn"].as_str().unwrap(), &arn).await;
}

#[tokio::test]
async fn a_query_that_nobody_waits_for_is_stopped() {
    let athena = Fake::new("athena", |operation, _| {
        Ok(match operation {
            "StartQueryExecution" => json!({"QueryExecutionId": "q-1"}),
            "StopQueryExecution" => json!({}),
            _ => json!({"QueryExecution": {"QueryExecutionId": "q-1", "Status": {"State": "RUNNING"}}}),
        })
    });
    let bus = cloud(None, Clock::default(), std::slice::from_ref(&athena)).await;
    let definition = json!({"StartAt": "T", "States": {"T": {"Type": "Task", "End": true,
        "Resource": "arn:aws:states:::athena:startQueryExecution.sync",
        "Parameters": {"QueryString": "SELECT 1"}}}});
    let arn = start(&bus, &definition, json!({})).await;
    while !types(&bus, &arn).await.contains(&"TaskSubmitted".to_owned()) {
        tokio::task::yield_now().await;
    }
    ask(&bus, "StopExecution", json!({"executionArn": arn})).await;
    let stop = ("StopQueryExecution".to_owned(), json!({"QueryExecutionId": "q-1"}));
    while !athena.asked().contains(&stop) {
        tokio::task::yield_now().await;
    }
}

/// The process ends after the abort was recorded and before the query was stopped: the next one stops it, once.
#[tokio::test]
async fn a_query_that_was_not_stopped_in_time_is_stopped_by_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let athena = |stops: bool| {
        Fake::new("athena", move |operation, _| match operation {
            "StartQueryExecution" => Ok(json!({"QueryExecutionId": "q-1"})),
            "StopQueryExecution" if stops => Ok(json!({})),
            "StopQueryExecution" => Err(Fault::internal("the local cloud is stopping")),
            _ => Ok(json!({"QueryExecution": {"QueryExecutionId": "q-1", "Status": {"State": "RUNNING"}}})),
        })
    };
    let first = athena(false);
    let bus = cloud(Some(folder.path()), Clock::default(), std::slice::from_ref(&first)).await;
    let definition = json!({"StartAt": "T", "States": {"T": {"Type": "Task", "End": true,
        "Resource": "arn:aws:states:::athena:startQueryExecution.sync",
        "Parameters": {"QueryString": "SELECT 1"}}}});
    let arn = start(&bus, &definition, json!({})).await;
    while !types(&bus, &arn).await.contains(&"TaskSubmitted".to_owned()) {
        tokio::task::yield_now().await;
    }
    ask(&bus, "StopExecution", json!({"executionArn": arn})).await;
    let stop = ("StopQueryExecution".to_owned(), json!({"QueryExecutionId": "q-1"}));
    while !first.asked().contains(&stop) {
        tokio::task::yield_now().await;
    }
    bus.store.close().await;

    let second = athena(true);
    let bus = cloud(Some(folder.path()), Clock::default(), std::slice::from_ref(&second)).await;
    while !second.asked().contains(&stop) {
        tokio::task::yield_now().await;
    }
    // What it is forgotten with is recorded soon after.
    while !super::super::jobs::left(&bus).unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    bus.store.close().await;
    let third = athena(true);
    let bus = cloud(Some(folder.path()), Clock::default(), std::slice::from_ref(&third)).await;
    ask(&bus, "ListStateMachines", json!({})).await;
    assert_eq!(third.asked(), []);
    bus.store.close().await;
}

/// One that ended by itself is left alone.
#[tokio::test]
async fn a_query_that_ended_is_not_stopped() {
    let athena = Fake::new("athena", |operation, _| {
        Ok(match operation {
            "StartQueryExecution" => json!({"QueryExecutionId": "q-1"}),
            _ => json!({"QueryExecution": {"QueryExecutionId": "q-1", "Status": {"State": "SUCCEEDED"}}}),
        })
    });
    let bus = cloud(None, Clock::default(), std::slice::from_ref(&athena)).await;
    let definition = json!({"StartAt": "T", "States": {
        "T": {"Type": "Task", "Next": "W", "Resource": "arn:aws:states:::athena:startQueryExecution.sync",
            "Parameters": {"QueryString": "SELECT 1"}},
        "W": {"Type": "Wait", "Seconds": 1000, "End": true}}});
    let arn = start(&bus, &definition, json!({})).await;
    while !types(&bus, &arn).await.contains(&"WaitStateEntered".to_owned()) {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    ask(&bus, "StopExecution", json!({"executionArn": arn})).await;
    tokio::task::yield_now().await;
    let asked: Vec<String> = athena.asked().into_iter().map(|(operation, _)| operation).collect();
    assert_eq!(asked, ["StartQueryExecution", "GetQueryExecution"]);
}

/// The process ends while a query is being started, so nobody knows whether it was: the next one asks again with the
/// same token, for which Athena starts a query once, and goes on.
#[tokio::test]
async fn a_query_that_may_have_been_started_is_asked_for_again_with_its_token() {
    let folder = tempfile::tempdir().unwrap();
    let first = Fake::stuck("athena");
    let bus = cloud(Some(folder.path()), Clock::default(), std::slice::from_ref(&first)).await;
    let definition = json!({"StartAt": "T", "States": {"T": {"Type": "Task", "End": true,
        "Resource": "arn:aws:states:::athena:startQueryExecution.sync",
        "Parameters": {"QueryString": "SELECT 1"}}}});
    let arn = start(&bus, &definition, json!({})).await;
    while first.asked().is_empty() {
        tokio::task::yield_now().await;
    }
    bus.store.close().await;

    let second = Fake::new("athena", |operation, _| {
        Ok(match operation {
            "StartQueryExecution" => json!({"QueryExecutionId": "q-1"}),
            _ => json!({"QueryExecution": {"QueryExecutionId": "q-1", "Status": {"State": "SUCCEEDED"}}}),
        })
    });
    let bus = cloud(Some(folder.path()), Clock::default(), std::slice::from_ref(&second)).await;
    assert_eq!(ended(&bus, &arn).await["status"], "SUCCEEDED");
    let (operation, request) = first.asked().remove(0);
    assert_eq!(request["QueryString"], "SELECT 1");
    assert_eq!(request["ClientRequestToken"].as_str().map(str::len), Some(36));
    assert_eq!(second.asked()[0], (operation, request));
    // What was written down for this is forgotten.
    while !super::super::starts::Starts::left(&bus).unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    bus.store.close().await;
}

/// A nested execution is found by the name it was to have, also when it is over.
#[tokio::test]
async fn a_nested_execution_is_found_by_the_name_that_was_written_down() {
    let bus = with_child(None, Clock::default()).await;
    let arn = "arn:aws:states:::states:startExecution.sync:2";
    let Some(resource @ Resource::Integration(_)) = Resource::parse(arn) else { panic!("{arn}") };
    let Resource::Integration(integration) = &resource else { panic!("{arn}") };
    let input = json!({"StateMachineArn": CHILD, "Input": {}}).into();
    let task = Task { ticket: 7, resource: resource.clone(), input, token: None };
    let intent = super::super::starts::intend(&bus, "parent:one", &task).await.unwrap();
    assert_eq!(intent.found(&bus, integration).await, None);
    let name = intent.input.value()["Name"].clone();
    let request = json!({"stateMachineArn": CHILD, "name": name, "input": "{}"});
    let child = ask(&bus, "StartExecution", request).await["executionArn"].clone();
    ask(&bus, "StopExecution", json!({"executionArn": child})).await;
    let mut starts = super::super::starts::Starts::left(&bus).unwrap();
    assert!(starts.take("parent:one", 8).is_none());
    let found = starts.take("parent:one", 7).unwrap().found(&bus, integration).await.unwrap();
    assert_eq!(found.value()["ExecutionArn"], child);
}
