//! TestState: one state with an input, a mock for its work, and what stood between. The operation is
//! called beside the SDK, which would put `sync-` before the host, and no name server here knows that.

use serde_json::{Value, json};

use crate::support::{Local, cloud};

async fn try_state(local: &Local, request: Value) -> Value {
    let states = local.cloud.bus().call("states", "TestState", request).await;
    states.unwrap_or_else(|fault| json!({"code": fault.code, "message": fault.message}))
}

#[tokio::test]
async fn the_steps_of_the_data_flow_are_shown() {
    let local = cloud().await;
    let state = json!({
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage",
        "InputPath": "$.in",
        "Parameters": {"QueueUrl": "q", "MessageBody.$": "$.text"},
        "ResultSelector": {"id.$": "$.MessageId"},
        "ResultPath": "$.sent",
        "Next": "Then",
    });
    let tried = try_state(
        &local,
        json!({
            "definition": state.to_string(),
            "input": r#"{"in": {"text": "hello"}}"#,
            "inspectionLevel": "DEBUG",
            "mock": {"result": r#"{"MessageId": "7", "MD5OfMessageBody": "x"}"#},
        }),
    )
    .await;
    assert_eq!((&tried["status"], &tried["nextState"]), (&json!("SUCCEEDED"), &json!("Then")));
    let seen = &tried["inspectionData"];
    let step = |name: &str| serde_json::from_str::<Value>(seen[name].as_str().unwrap()).unwrap();
    assert_eq!(step("afterInputPath"), json!({"text": "hello"}));
    assert_eq!(step("afterParameters"), json!({"QueueUrl": "q", "MessageBody": "hello"}));
    assert_eq!(step("afterResultSelector"), json!({"id": "7"}));
    assert_eq!(step("afterResultPath"), json!({"in": {"text": "hello"}, "sent": {"id": "7"}}));
    assert_eq!(tried["output"], seen["afterResultPath"]);
}

#[tokio::test]
async fn failures_are_retried_caught_or_final() {
    let local = cloud().await;
    let state = json!({
        "QueryLanguage": "JSONata",
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": "f"},
        "Retry": [{"ErrorEquals": ["Slow"], "IntervalSeconds": 2, "BackoffRate": 3, "MaxAttempts": 2}],
        "Catch": [{"ErrorEquals": ["Slow"], "Next": "Handler"}],
        "End": true,
    });
    let fails = async |error: &str, retries: u32| {
        try_state(
            &local,
            json!({
                "definition": state.to_string(),
                "input": "{}",
                "inspectionLevel": "TRACE",
                "mock": {"errorOutput": {"error": error, "cause": "why"}},
                "stateConfiguration": {"retrierRetryCount": retries},
            }),
        )
        .await
    };
    let again = fails("Slow", 1).await;
    assert_eq!(again["status"], "RETRIABLE");
    assert_eq!(
        again["inspectionData"]["errorDetails"],
        json!({"retryIndex": 0, "retryBackoffIntervalSeconds": 6})
    );
    let caught = fails("Slow", 2).await;
    assert_eq!((&caught["status"], &caught["nextState"]), (&json!("CAUGHT_ERROR"), &json!("Handler")));
    let failed = fails("Other", 0).await;
    assert_eq!((&failed["status"], &failed["error"]), (&json!("FAILED"), &json!("Other")));
}

/// Work without a mock is really done.
#[tokio::test]
async fn a_task_without_a_mock_does_its_work() {
    let local = cloud().await;
    let state = json!({"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:listBuckets", "End": true});
    let request = json!({"definition": state.to_string(), "roleArn": "arn:aws:iam::000000000000:role/r"});
    local.s3().create_bucket().bucket("here").send().await.unwrap();
    let tried = try_state(&local, request).await;
    let output: Value = serde_json::from_str(tried["output"].as_str().unwrap()).unwrap();
    assert_eq!(output["Buckets"][0]["Name"], "here");
    let refused = try_state(&local, json!({"definition": state.to_string()})).await;
    assert_eq!(refused["message"], "RoleArn must be specified when testing a Task state");
}
