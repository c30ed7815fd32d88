//! Step Functions: machines, executions and histories through the real SDK.

use aws_sdk_sfn::error::ProvideErrorMetadata;
use aws_sdk_sfn::types::{ExecutionStatus, HistoryEventType};

use crate::support::cloud;

const ROLE: &str = "arn:aws:iam::000000000000:role/states";
const PASS: &str =
    r#"{"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": {"ok": true}, "End": true}}}"#;
const WAIT: &str = r#"{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": true}}}"#;

async fn machine(sfn: &aws_sdk_sfn::Client, name: &str, definition: &str) -> String {
    let request = sfn.create_state_machine().name(name).definition(definition).role_arn(ROLE);
    request.send().await.unwrap().state_machine_arn
}

#[tokio::test]
async fn a_machine_is_made_changed_described_and_deleted() {
    let local = cloud().await;
    let sfn = aws_sdk_sfn::Client::new(&local.config);
    let arn = machine(&sfn, "m", PASS).await;
    assert_eq!(arn, "arn:aws:states:us-east-1:000000000000:stateMachine:m");
    assert_eq!(machine(&sfn, "m", PASS).await, arn);
    let clash = sfn.create_state_machine().name("m").definition(WAIT).role_arn(ROLE).send().await;
    assert!(clash.unwrap_err().into_service_error().is_state_machine_already_exists());
    sfn.update_state_machine().state_machine_arn(&arn).definition(WAIT).send().await.unwrap();
    let described = sfn.describe_state_machine().state_machine_arn(&arn).send().await.unwrap();
    assert_eq!(described.definition(), WAIT);
    assert!(described.revision_id().is_some());
    let listed = sfn.list_state_machines().send().await.unwrap();
    assert_eq!(listed.state_machines()[0].name(), "m");
    sfn.delete_state_machine().state_machine_arn(&arn).send().await.unwrap();
    let gone = sfn.describe_state_machine().state_machine_arn(&arn).send().await.unwrap_err();
    let gone = gone.into_service_error();
    assert!(gone.is_state_machine_does_not_exist());
    assert_eq!(gone.message(), Some(format!("State Machine Does Not Exist: '{arn}'").as_str()));
}

#[tokio::test]
async fn a_wrong_definition_is_refused_with_every_finding() {
    let local = cloud().await;
    let sfn = aws_sdk_sfn::Client::new(&local.config);
    let wrong =
        r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "Nope"}, "B": {"Type": "Succeed"}}}"#;
    let refused = sfn.create_state_machine().name("m").definition(wrong).role_arn(ROLE).send().await;
    let refused = refused.unwrap_err().into_service_error();
    assert!(refused.is_invalid_definition());
    let message = "Invalid State Machine Definition: 'MISSING_TRANSITION_TARGET: Missing 'Next' target: Nope at \
                   /States/A/Next, MISSING_TRANSITION_TARGET: State \"B\" is not reachable. at /States/B'";
    assert_eq!(refused.message(), Some(message));
    let checked = sfn.validate_state_machine_definition().definition(wrong).send().await.unwrap();
    assert_eq!(checked.diagnostics().len(), 2);
}

#[tokio::test]
async fn an_execution_runs_and_leaves_its_history() {
    let local = cloud().await;
    let sfn = aws_sdk_sfn::Client::new(&local.config);
    let arn = machine(&sfn, "m", PASS).await;
    let start = || sfn.start_execution().state_machine_arn(&arn).name("one").input("{\"a\": 1}").send();
    let execution = start().await.unwrap().execution_arn;
    let again = start().await.unwrap_err().into_service_error();
    assert!(again.is_execution_already_exists(), "it is over by now: {again:?}");
    let described = sfn.describe_execution().execution_arn(&execution).send().await.unwrap();
    assert_eq!(described.status(), &ExecutionStatus::Succeeded);
    assert_eq!(described.output(), Some("{\"ok\":true}"));
    let page = |token: Option<String>, newest| {
        let ask = sfn.get_execution_history().execution_arn(&execution).reverse_order(newest).max_results(3);
        ask.set_next_token(token).send()
    };
    let first = page(None, false).await.unwrap();
    let second = page(first.next_token.clone(), false).await.unwrap();
    let ids: Vec<i64> = first.events().iter().chain(second.events()).map(|e| e.id()).collect();
    assert_eq!(ids, [1, 2, 3, 4]);
    assert!(second.next_token.is_none());
    assert_eq!(second.events()[0].r#type(), &HistoryEventType::ExecutionSucceeded);
    let newest = page(None, true).await.unwrap();
    let ids: Vec<i64> = newest.events().iter().map(|e| e.id()).collect();
    assert_eq!(ids, [4, 3, 2]);
    let altered = page(Some("abc".into()), true).await.unwrap_err().into_service_error();
    assert!(altered.is_invalid_token());
    let unread = sfn.start_execution().state_machine_arn(&arn).input("{nope").send().await.unwrap_err();
    assert!(unread.into_service_error().is_invalid_execution_input());
}

#[tokio::test]
async fn running_executions_are_listed_idempotent_and_stopped() {
    let local = cloud().await;
    let sfn = aws_sdk_sfn::Client::new(&local.config);
    let arn = machine(&sfn, "m", WAIT).await;
    let mut started = Vec::new();
    for name in ["a", "b", "c"] {
        started.push(
            sfn.start_execution().state_machine_arn(&arn).name(name).send().await.unwrap().execution_arn,
        );
    }
    let again = sfn.start_execution().state_machine_arn(&arn).name("a").send().await.unwrap();
    assert_eq!(again.execution_arn(), started[0]);
    let other = sfn.start_execution().state_machine_arn(&arn).name("a").input("[]").send().await;
    assert!(other.unwrap_err().into_service_error().is_execution_already_exists());
    sfn.stop_execution().execution_arn(&started[1]).error("E").cause("c").send().await.unwrap();
    let names = |status| {
        let sfn = sfn.clone();
        let arn = arn.clone();
        async move {
            let listed =
                sfn.list_executions().state_machine_arn(arn).set_status_filter(status).send().await.unwrap();
            listed.executions().iter().map(|e| e.name().to_owned()).collect::<Vec<_>>()
        }
    };
    assert_eq!(names(None).await, ["c", "b", "a"]);
    assert_eq!(names(Some(ExecutionStatus::Running)).await, ["c", "a"]);
    assert_eq!(names(Some(ExecutionStatus::Aborted)).await, ["b"]);
    let page = sfn.list_executions().state_machine_arn(&arn).max_results(2).send().await.unwrap();
    let rest =
        sfn.list_executions().state_machine_arn(&arn).set_next_token(page.next_token).send().await.unwrap();
    assert_eq!(rest.executions()[0].name(), "a");
}
