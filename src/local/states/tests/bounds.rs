//! Requests that break a bound.

use serde_json::{Value, json};

use super::{ROLE, ask, cloud, ended, hurried, start, work};

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
