//! Lambda: functions by the SDK, and our own function as a real child of the cloud.

use aws_sdk_lambda::Client;
use aws_sdk_lambda::error::ProvideErrorMetadata;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Environment, FunctionCode, InvocationType, LogType, Runtime, State};

use crate::support::{Local, cloud};

const SETTINGS: [(&str, &str); 3] = [
    ("ATHENA_DATABASE", "healthcare_pipeline"),
    ("ATHENA_OUTPUT_LOCATION", "s3://data/athena-results/"),
    ("ATHENA_WORKGROUP", "primary"),
];

async fn with_function(variables: &[(&str, &str)]) -> (Local, Client) {
    let local = cloud().await;
    let lambda = Client::new(&local.config);
    let mut environment = Environment::builder();
    for (name, value) in variables {
        environment = environment.variables(*name, *value);
    }
    let created = lambda
        .create_function()
        .function_name("f")
        .runtime(Runtime::Providedal2023)
        .handler("bootstrap")
        .role("arn:aws:iam::000000000000:role/f")
        .timeout(70)
        .memory_size(256)
        .environment(environment.build())
        .code(FunctionCode::builder().zip_file(Blob::new(ward::lambda::package())).build())
        .send()
        .await
        .unwrap();
    assert_eq!(created.function_arn(), Some("arn:aws:lambda:us-east-1:000000000000:function:f"));
    assert_eq!(created.state(), Some(&State::Active));
    (local, lambda)
}

async fn invoke(lambda: &Client, event: &str) -> (Option<String>, serde_json::Value) {
    let answer = lambda
        .invoke()
        .function_name("f")
        .log_type(LogType::Tail)
        .payload(Blob::new(event))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status_code(), 200);
    assert!(answer.log_result().is_some());
    let payload = serde_json::from_slice(answer.payload().unwrap().as_ref()).unwrap();
    (answer.function_error, payload)
}

#[tokio::test]
async fn a_function_is_made_read_changed_and_deleted() {
    let (_local, lambda) = with_function(&SETTINGS).await;
    let got = lambda.get_function().function_name("f").send().await.unwrap();
    let configuration = got.configuration().unwrap();
    assert_eq!((configuration.timeout(), configuration.memory_size()), (Some(70), Some(256)));
    let variables = configuration.environment().unwrap().variables().unwrap();
    assert_eq!(variables["ATHENA_WORKGROUP"], "primary");
    lambda.update_function_configuration().function_name("f").timeout(10).send().await.unwrap();
    let package = Blob::new(ward::lambda::package());
    let updated = lambda.update_function_code().function_name("f").zip_file(package).send().await.unwrap();
    assert_eq!((updated.timeout(), updated.code_sha256()), (Some(10), configuration.code_sha256()));
    lambda
        .add_permission()
        .function_name("f")
        .statement_id("s3")
        .action("lambda:InvokeFunction")
        .principal("s3.amazonaws.com")
        .send()
        .await
        .unwrap();
    let policy = lambda.get_policy().function_name("f").send().await.unwrap();
    assert!(policy.policy().unwrap().contains("s3.amazonaws.com"));
    assert_eq!(lambda.list_functions().send().await.unwrap().functions().len(), 1);
    let arn = configuration.function_arn().unwrap();
    lambda.tag_resource().resource(arn).tags("team", "ops").send().await.unwrap();
    assert_eq!(lambda.list_tags().resource(arn).send().await.unwrap().tags().unwrap()["team"], "ops");
    lambda.delete_function().function_name("f").send().await.unwrap();
    let gone = lambda.get_function().function_name("f").send().await.unwrap_err().into_service_error();
    assert!(gone.is_resource_not_found_exception());
    assert_eq!(gone.message(), Some("Function not found: arn:aws:lambda:us-east-1:000000000000:function:f"));
}

#[tokio::test]
async fn our_function_runs_as_a_child() {
    let (_local, lambda) = with_function(&SETTINGS).await;
    // Nothing of the pipeline is needed to skip an object that is no facility.
    let event = r#"{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put",
        "s3":{"bucket":{"name":"data"},"object":{"key":"raw/notes.txt"}}}]}"#;
    for _ in 0..2 {
        assert_eq!(invoke(&lambda, event).await, (None, serde_json::json!({"skipped": 1})));
    }
    let (error, payload) = invoke(&lambda, "{}").await;
    assert_eq!(error.as_deref(), Some("Unhandled"));
    assert_eq!(payload["errorType"], "UnknownEvent");
}

#[tokio::test]
async fn our_function_names_the_setting_it_misses() {
    let (_local, lambda) = with_function(&SETTINGS[..2]).await;
    let (error, payload) = invoke(&lambda, r#"{"execution":"arn"}"#).await;
    assert_eq!(error.as_deref(), Some("Unhandled"));
    assert_eq!(payload["errorType"], "MissingSetting");
    assert!(payload["errorMessage"].as_str().unwrap().contains("ATHENA_WORKGROUP"), "{payload}");
}

#[tokio::test]
async fn an_event_nobody_waits_for_is_accepted_at_once() {
    let (local, lambda) = with_function(&SETTINGS).await;
    let answer = lambda
        .invoke()
        .function_name("f")
        .invocation_type(InvocationType::Event)
        .payload(Blob::new(r#"{"Service":"Amazon S3","Event":"s3:TestEvent"}"#))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status_code(), 202);
    let logs = aws_sdk_cloudwatchlogs::Client::new(&local.config);
    loop {
        let lines = logs
            .filter_log_events()
            .log_group_name("/aws/lambda/f")
            .filter_pattern("{ $.message = \"S3 tests*\" }")
            .send()
            .await;
        // The group is made with the first line.
        if lines.is_ok_and(|lines| lines.events().len() == 1) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}
