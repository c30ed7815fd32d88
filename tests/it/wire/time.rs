//! Time in workflows: moved by hand, or hurried. What is recorded is what would have been.

use aws_sdk_sfn::Client;
use aws_sdk_sfn::types::ExecutionStatus;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use ward::local::CloudOptions;
use ward::local::clock::Clock;

use crate::support::{Local, cloud_with, options};

const ROLE: &str = "arn:aws:iam::000000000000:role/states";

fn start_of_time() -> DateTime<Utc> {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

async fn cloud(clock: &Clock) -> (Local, Client) {
    let local = cloud_with(CloudOptions { clock: clock.clone(), ..options() }).await;
    let sfn = Client::new(&local.config);
    (local, sfn)
}

async fn start(sfn: &Client, definition: Value, input: Value) -> String {
    let made = sfn.create_state_machine().name("m").definition(definition.to_string()).role_arn(ROLE);
    let machine = made.send().await.unwrap().state_machine_arn;
    let started = sfn.start_execution().state_machine_arn(machine).input(input.to_string()).send().await;
    started.unwrap().execution_arn
}

async fn status(sfn: &Client, execution: &str) -> ExecutionStatus {
    sfn.describe_execution().execution_arn(execution).send().await.unwrap().status().clone()
}

/// Waits until there are so many events; gives the last one's type and its time since the start.
async fn event(sfn: &Client, execution: &str, count: usize) -> (String, TimeDelta) {
    loop {
        let history = sfn.get_execution_history().execution_arn(execution).send().await.unwrap();
        if let Some(event) = history.events().get(count - 1) {
            let at = DateTime::from_timestamp_millis(event.timestamp().to_millis().unwrap()).unwrap();
            return (event.r#type().as_str().to_owned(), at - start_of_time());
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_wait_ends_when_its_time_has_come() {
    let clock = Clock::manual(start_of_time());
    let (_local, sfn) = cloud(&clock).await;
    let wait = json!({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": true}}});
    let execution = start(&sfn, wait, json!({})).await;
    clock.advance(TimeDelta::seconds(3599));
    assert_eq!(status(&sfn, &execution).await, ExecutionStatus::Running);
    clock.advance(TimeDelta::seconds(1));
    assert_eq!(event(&sfn, &execution, 3).await, ("WaitStateExited".into(), TimeDelta::seconds(3600)));
}

/// A topic that is not there fails at once: intervals of 10 and 20 seconds lie between the attempts.
#[tokio::test]
async fn retries_wait_longer_each_time() {
    let clock = Clock::manual(start_of_time());
    let (_local, sfn) = cloud(&clock).await;
    let task = json!({"StartAt": "T", "States": {"T": {"Type": "Task", "End": true,
        "Resource": "arn:aws:states:::sns:publish",
        "Parameters": {"TopicArn": "arn:aws:sns:us-east-1:000000000000:none", "Message": "m"},
        "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 10, "MaxAttempts": 2, "BackoffRate": 2}]}}});
    let execution = start(&sfn, task, json!({})).await;
    for (count, seconds) in [(5, 0), (8, 10), (11, 30)] {
        let (kind, at) = event(&sfn, &execution, count).await;
        assert_eq!((kind.as_str(), at), ("TaskFailed", TimeDelta::seconds(seconds)));
        clock.advance(TimeDelta::seconds(if count == 5 { 10 } else { 20 }));
    }
    assert_eq!(event(&sfn, &execution, 12).await.0, "ExecutionFailed");
}

/// A sign of life starts the heartbeat's time anew; without one the task times out.
#[tokio::test]
async fn heartbeats_keep_a_task_alive() {
    let clock = Clock::manual(start_of_time());
    let (_local, sfn) = cloud(&clock).await;
    let activity = sfn.create_activity().name("a").send().await.unwrap().activity_arn;
    let task = json!({"StartAt": "T", "States": {"T":
        {"Type": "Task", "Resource": activity, "HeartbeatSeconds": 60, "TimeoutSeconds": 600, "End": true}}});
    let execution = start(&sfn, task, json!({})).await;
    // Nobody has it yet, so no time runs.
    clock.advance(TimeDelta::seconds(1000));
    let taken = sfn.get_activity_task().activity_arn(&activity).send().await.unwrap();
    let token = taken.task_token().unwrap();
    for _ in 0..3 {
        clock.advance(TimeDelta::seconds(59));
        sfn.send_task_heartbeat().task_token(token).send().await.unwrap();
    }
    assert_eq!(status(&sfn, &execution).await, ExecutionStatus::Running);
    clock.advance(TimeDelta::seconds(60));
    let (kind, at) = event(&sfn, &execution, 5).await;
    assert_eq!((kind.as_str(), at), ("ActivityTimedOut", TimeDelta::seconds(1000 + 3 * 59 + 60)));
    let late = sfn.send_task_success().task_token(token).output("1").send().await.unwrap_err();
    assert!(late.into_service_error().is_task_timed_out());
}

/// Branches that wait 3, 1 and 2 hours, an hour in 60 ms: the order is the one of the waits.
#[tokio::test]
async fn hurried_waits_end_in_their_order() {
    let (_local, sfn) = cloud(&Clock::hurried(60_000.0)).await;
    let branch = |name: &str, seconds: u32| json!({"StartAt": name, "States": {name: {"Type": "Wait", "Seconds": seconds, "End": true}}});
    let machine = json!({"StartAt": "P", "States": {"P": {"Type": "Parallel", "End": true,
        "Branches": [branch("Long", 10_800), branch("Short", 3_600), branch("Middle", 7_200)]}}});
    let execution = start(&sfn, machine, json!({})).await;
    while status(&sfn, &execution).await == ExecutionStatus::Running {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let history = sfn.get_execution_history().execution_arn(&execution).send().await.unwrap();
    let left: Vec<&str> = history
        .events()
        .iter()
        .filter(|event| event.r#type().as_str() == "WaitStateExited")
        .filter_map(|event| event.state_exited_event_details().map(|details| details.name()))
        .collect();
    assert_eq!(left, ["Short", "Middle", "Long"]);
}
