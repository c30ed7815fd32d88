//! Deleting machines that run something.

use serde_json::json;

use super::{ROLE, ask, cloud, ended, start, types, work};
use crate::local::clock::Clock;

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
