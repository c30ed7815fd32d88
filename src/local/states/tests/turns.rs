//! What never waits lets others have their turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::{ROLE, ask, cloud, ended, hurried, start};
use crate::local::clock::Clock;

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
