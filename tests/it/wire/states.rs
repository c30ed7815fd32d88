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

#[tokio::test]
async fn versions_stay_and_aliases_lead_to_them() {
    let local = cloud().await;
    let sfn = aws_sdk_sfn::Client::new(&local.config);
    let first = sfn.create_state_machine().name("m").definition(PASS).role_arn(ROLE).publish(true);
    let made = first.send().await.unwrap();
    let arn = made.state_machine_arn();
    assert_eq!(made.state_machine_version_arn(), Some(format!("{arn}:1").as_str()));
    let other = PASS.replace("\"ok\": true", "\"ok\": false");
    let second = sfn.update_state_machine().state_machine_arn(arn).definition(other).publish(true);
    assert_eq!(second.send().await.unwrap().state_machine_version_arn(), Some(format!("{arn}:2").as_str()));
    let again = sfn.publish_state_machine_version().state_machine_arn(arn).send().await.unwrap();
    assert_eq!(again.state_machine_version_arn(), format!("{arn}:2"), "a revision is published once");
    let route = |version: u32, weight| {
        aws_sdk_sfn::types::RoutingConfigurationListItem::builder()
            .state_machine_version_arn(format!("{arn}:{version}"))
            .weight(weight)
            .build()
            .unwrap()
    };
    let alias = sfn.create_state_machine_alias().name("live").routing_configuration(route(1, 100));
    let alias = alias.send().await.unwrap().state_machine_alias_arn;
    let started = sfn.start_execution().state_machine_arn(&alias).send().await.unwrap();
    let described = sfn.describe_execution().execution_arn(started.execution_arn()).send().await.unwrap();
    assert_eq!(described.output(), Some("{\"ok\":true}"));
    assert_eq!(described.state_machine_alias_arn(), Some(alias.as_str()));
    let kept = sfn.delete_state_machine_version().state_machine_version_arn(format!("{arn}:1")).send().await;
    assert!(kept.unwrap_err().into_service_error().is_conflict_exception());
    let split = sfn.update_state_machine_alias().state_machine_alias_arn(&alias);
    split.routing_configuration(route(1, 50)).routing_configuration(route(2, 50)).send().await.unwrap();
    let uneven =
        sfn.create_state_machine_alias().name("odd").routing_configuration(route(1, 99)).send().await;
    let uneven = uneven.unwrap_err().into_service_error();
    assert_eq!(uneven.message(), Some("Sum of routing configuration weights must equal 100. Received: [99]"));
    let listed = sfn.list_state_machine_versions().state_machine_arn(arn).send().await.unwrap();
    let arns: Vec<_> =
        listed.state_machine_versions().iter().map(|v| v.state_machine_version_arn()).collect();
    assert_eq!(arns, [format!("{arn}:2"), format!("{arn}:1")]);
}

#[tokio::test]
async fn workers_take_tasks_of_activities_and_answer_by_token() {
    let local = cloud().await;
    let sfn = aws_sdk_sfn::Client::new(&local.config);
    let activity = sfn.create_activity().name("review").send().await.unwrap().activity_arn;
    let definition = format!(
        r#"{{"StartAt": "A", "States": {{"A": {{"Type": "Task", "Resource": "{activity}", "HeartbeatSeconds": 60, "End": true}}}}}}"#
    );
    let arn = machine(&sfn, "m", &definition).await;
    let poll = tokio::spawn(sfn.get_activity_task().activity_arn(&activity).worker_name("w").send());
    let started = sfn.start_execution().state_machine_arn(&arn).input("[1]").send().await.unwrap();
    let task = poll.await.unwrap().unwrap();
    assert_eq!(task.input(), Some("[1]"));
    let token = task.task_token().unwrap();
    sfn.send_task_heartbeat().task_token(token).send().await.unwrap();
    sfn.send_task_success().task_token(token).output("\"done\"").send().await.unwrap();
    let described = sfn.describe_execution().execution_arn(started.execution_arn()).send().await.unwrap();
    assert_eq!(described.output(), Some("\"done\""));
    let late = sfn.send_task_success().task_token(token).output("1").send().await.unwrap_err();
    assert!(late.into_service_error().is_task_timed_out());
    let forged = sfn.send_task_success().task_token("forged").output("1").send().await.unwrap_err();
    assert!(forged.into_service_error().is_invalid_token());
}

#[tokio::test]
async fn events_are_logged_as_the_level_says() {
    let local = cloud().await;
    let sfn = aws_sdk_sfn::Client::new(&local.config);
    let logs = aws_sdk_cloudwatchlogs::Client::new(&local.config);
    let group = aws_sdk_sfn::types::CloudWatchLogsLogGroup::builder()
        .log_group_arn("arn:aws:logs:us-east-1:000000000000:log-group:/aws/vendedlogs/states/m:*")
        .build();
    let logging = aws_sdk_sfn::types::LoggingConfiguration::builder()
        .level(aws_sdk_sfn::types::LogLevel::All)
        .destinations(aws_sdk_sfn::types::LogDestination::builder().cloud_watch_logs_log_group(group).build())
        .build();
    let made = sfn.create_state_machine().name("m").definition(PASS).role_arn(ROLE);
    let made = made.logging_configuration(logging).r#type(aws_sdk_sfn::types::StateMachineType::Express);
    let arn = made.send().await.unwrap().state_machine_arn;
    // (StartSyncExecution would go to another host, which no name server here knows.)
    sfn.start_execution().state_machine_arn(&arn).input("{\"secret\": 1}").send().await.unwrap();
    let lines = loop {
        let found = logs.filter_log_events().log_group_name("/aws/vendedlogs/states/m").send().await;
        match found.map(|found| found.events().to_vec()) {
            Ok(lines) if lines.len() == 4 => break lines,
            _ => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
        }
    };
    let last: serde_json::Value = serde_json::from_str(lines[3].message().unwrap()).unwrap();
    assert_eq!(last["type"], "ExecutionSucceeded");
    assert_eq!(last["details"], serde_json::json!({}), "without execution data there is nothing to say");
    assert!(lines.iter().all(|line| !line.message().unwrap().contains("secret")));
}

/// API reference, EncryptionConfiguration: what is asked for is kept with machines, their versions and
/// executions, and with activities; METADATA_ONLY leaves out what would be encrypted.
#[tokio::test]
async fn keys_are_kept_and_wrong_ones_refused() {
    use aws_sdk_sfn::types::{EncryptionConfiguration, EncryptionType, IncludedData};
    let local = cloud().await;
    let sfn = aws_sdk_sfn::Client::new(&local.config);
    let key = |id: &str| {
        let key = EncryptionConfiguration::builder().r#type(EncryptionType::CustomerManagedKmsKey);
        key.kms_key_id(id).build().unwrap()
    };
    let make = |key: Option<EncryptionConfiguration>| {
        let request = sfn.create_state_machine().name("m").definition(PASS).role_arn(ROLE);
        request.set_encryption_configuration(key).send()
    };
    let nothing = EncryptionConfiguration::builder().r#type(EncryptionType::CustomerManagedKmsKey).build();
    let refused = make(Some(nothing.unwrap())).await.unwrap_err().into_service_error();
    assert!(refused.is_invalid_encryption_configuration(), "{refused:?}");
    let arn = make(Some(key("alias/one"))).await.unwrap().state_machine_arn;
    assert!(make(Some(key("alias/one"))).await.is_ok());
    assert!(make(None).await.unwrap_err().into_service_error().is_state_machine_already_exists());

    let described = sfn.describe_state_machine().state_machine_arn(&arn).send().await.unwrap();
    let kept = described.encryption_configuration().unwrap();
    assert_eq!((kept.kms_key_id(), kept.kms_data_key_reuse_period_seconds()), (Some("alias/one"), Some(300)));
    let update =
        sfn.update_state_machine().state_machine_arn(&arn).encryption_configuration(key("alias/two"));
    assert!(update.send().await.unwrap().revision_id().is_some());
    let execution = sfn.start_execution().state_machine_arn(&arn).send().await.unwrap().execution_arn;
    let about = sfn.describe_state_machine_for_execution().execution_arn(&execution).send().await.unwrap();
    assert_eq!(about.encryption_configuration().unwrap().kms_key_id(), Some("alias/two"));

    let only = sfn.describe_state_machine().state_machine_arn(&arn).included_data(IncludedData::MetadataOnly);
    assert_eq!(only.send().await.unwrap().definition(), "{}");
    let only = sfn.describe_execution().execution_arn(&execution).included_data(IncludedData::MetadataOnly);
    let only = only.send().await.unwrap();
    assert_eq!((only.input(), only.input_details().unwrap().included()), (None, false));

    let activity = |key: Option<EncryptionConfiguration>| {
        sfn.create_activity().name("a").set_encryption_configuration(key).send()
    };
    let made = activity(Some(key("alias/one"))).await.unwrap().activity_arn;
    assert_eq!(activity(Some(key("alias/one"))).await.unwrap().activity_arn, made);
    assert!(activity(None).await.unwrap_err().into_service_error().is_activity_already_exists());
    let described = sfn.describe_activity().activity_arn(made).send().await.unwrap();
    assert_eq!(described.encryption_configuration().unwrap().kms_key_id(), Some("alias/one"));
}

/// As recorded of AWS in November 2024 for a machine in JSONata; what was recorded of machines that need
/// nothing of 2024 has no such member.
#[tokio::test]
async fn machines_of_the_newer_language_tell_whose_key_encrypts_them() {
    let local = cloud().await;
    let sfn = aws_sdk_sfn::Client::new(&local.config);
    let choice = r#"{"StartAt": "C", "States": {"C": {"Type": "Choice", "QueryLanguage": "JSONata",
        "Choices": [{"Condition": true, "Next": "D"}]}, "D": {"Type": "Pass", "End": true}}}"#;
    for (name, definition, expected) in [("new", choice, Some("AWS_OWNED_KEY")), ("old", PASS, None)] {
        let arn = machine(&sfn, name, definition).await;
        let told = sfn.describe_state_machine().state_machine_arn(&arn).send().await.unwrap();
        assert_eq!(told.encryption_configuration().map(|e| e.r#type().as_str()), expected);
        let execution = sfn.start_execution().state_machine_arn(&arn).send().await.unwrap().execution_arn;
        let told = sfn.describe_state_machine_for_execution().execution_arn(execution).send().await.unwrap();
        assert_eq!(told.encryption_configuration().map(|e| e.r#type().as_str()), expected);
    }
}

/// API reference, DescribeStateMachine: the variables that each state reads.
#[tokio::test]
async fn variables_are_told_by_the_states_that_read_them() {
    let local = cloud().await;
    let sfn = aws_sdk_sfn::Client::new(&local.config);
    let definition = r#"{"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Assign": {"n": 1}, "Next": "B"},
        "B": {"Type": "Pass", "Parameters": {"n.$": "$n", "m.$": "States.MathAdd($n, $m)"}, "End": true}}}"#;
    let arn = machine(&sfn, "m", definition).await;
    let described = sfn.describe_state_machine().state_machine_arn(&arn).send().await.unwrap();
    let variables = described.variable_references().unwrap();
    assert_eq!(variables.len(), 1);
    assert_eq!(variables["B"], ["m", "n"]);
}
