//! Executions that stand still until a test lets them go on: what is asserted of a running execution does not
//! depend on how quick the machine is.

use std::time::Duration;

use serde_json::Value;
use ward::aws::Aws;
use ward::domain::execution::HistoryEvent;

/// The state machine's ARN.
pub const HELD: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:Held";

/// `Hold` hands its token to the pipeline's topic and waits for an answer.
const DEFINITION: &str = r#"{"StartAt": "Before", "States": {
    "Before": {"Type": "Pass", "Next": "Hold"},
    "Hold": {"Type": "Task", "Resource": "arn:aws:states:::sns:publish.waitForTaskToken",
        "Parameters": {
            "TopicArn": "arn:aws:sns:us-east-1:000000000000:healthcare-pipeline-notifications",
            "Message": {"token.$": "$$.Task.Token"}},
        "Next": "After"},
    "After": {"Type": "Pass", "End": true}}}"#;

/// Makes the state machine in a filled local cloud.
pub async fn make(aws: &Aws) {
    let role = "arn:aws:iam::000000000000:role/held";
    assert_eq!(aws.states.create_state_machine("Held", DEFINITION, role).await.unwrap(), HELD);
}

async fn history(aws: &Aws, arn: &str) -> Vec<HistoryEvent> {
    aws.states.get_execution_history(arn, false, None, 1000).await.unwrap().items
}

/// Waits until an execution has handed its token over; answers the token.
pub async fn token(aws: &Aws, arn: &str) -> String {
    loop {
        let events = history(aws, arn).await;
        if events.last().is_some_and(|last| last.kind == "TaskSubmitted") {
            let scheduled = events.iter().rfind(|event| event.kind == "TaskScheduled").unwrap();
            let parameters = scheduled.details["parameters"].as_str().unwrap();
            let parameters: Value = serde_json::from_str(parameters).unwrap();
            return parameters["Message"]["token"].as_str().unwrap().to_owned();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Lets an execution go on to its end.
pub async fn let_go(aws: &Aws, arn: &str) {
    let token = token(aws, arn).await;
    aws.states.send_task_success(&token, "{}").await.unwrap();
}

/// The ARNs of its executions, the newest first.
pub async fn executions(aws: &Aws) -> Vec<String> {
    let page = aws.states.list_executions(HELD, None, None).await.unwrap();
    page.items.into_iter().map(|execution| execution.arn).collect()
}
