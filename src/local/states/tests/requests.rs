//! What requests are refused for, and how answers of other services are spelled.

use serde_json::{Value, json};

use super::{Fake, ask, cloud, ended, hurried, start};
use crate::local::clock::Clock;
use crate::local::fault::Fault;

/// AWS's JSON protocol: what has a wrong type is not taken for absent.
#[tokio::test]
async fn a_member_of_a_wrong_type_is_refused() {
    let bus = cloud(None, hurried(), &[]).await;
    let plain = json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}});
    start(&bus, &plain, json!({})).await;
    let machine = "arn:aws:states:us-east-1:000000000000:stateMachine:m";
    for (operation, request) in [
        ("StartExecution", json!({"stateMachineArn": machine, "input": {"a": 1}})),
        ("StartExecution", json!({"stateMachineArn": machine, "name": 5})),
        ("ListStateMachines", json!({"maxResults": "x"})),
    ] {
        let refused = bus.call("states", operation, request).await.unwrap_err();
        assert_eq!((refused.code.as_str(), refused.status), ("SerializationException", 400), "{operation}");
    }
    let listed = ask(&bus, "ListExecutions", json!({"stateMachineArn": machine})).await;
    assert_eq!(listed["executions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_named_in_another_region_is_not_touched_here() {
    let bus = cloud(None, hurried(), &[]).await;
    let plain = json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}});
    let here = start(&bus, &plain, json!({})).await;
    ended(&bus, &here).await;
    let there = json!({"stateMachineArn": "arn:aws:states:eu-central-1:000000000000:stateMachine:m"});
    ask(&bus, "DeleteStateMachine", there.clone()).await;
    let listed = ask(&bus, "ListStateMachines", json!({})).await;
    assert_eq!(listed["stateMachines"][0]["name"], "m");
    for operation in ["DescribeStateMachine", "StartExecution", "ListExecutions"] {
        let refused = bus.call("states", operation, there.clone()).await.unwrap_err();
        assert_eq!(refused.code, "StateMachineDoesNotExist", "{operation}");
        assert!(refused.message.contains("eu-central-1"), "{}", refused.message);
    }
    let there = json!({"executionArn": here.replace("us-east-1", "eu-central-1")});
    let refused = bus.call("states", "GetExecutionHistory", there).await.unwrap_err();
    assert_eq!(refused.code, "ExecutionDoesNotExist");
}

/// API reference, Tag: letters, digits, white space, and `_ . : / = + - @`.
#[tokio::test]
async fn tags_are_made_of_what_is_allowed() {
    let bus = cloud(None, hurried(), &[]).await;
    let activity =
        |name: &str, tag: Value| json!({"name": name, "tags": [{"key": tag, "value": "Zürich 1_.:/=+-@"}]});
    ask(&bus, "CreateActivity", activity("a", json!("Ä b:c"))).await;
    let refused = bus.call("states", "CreateActivity", activity("b", json!("x!"))).await.unwrap_err();
    assert_eq!(refused.code, "ValidationException");
    assert!(refused.message.contains("'tags.1.member.key'"), "{}", refused.message);
}

/// SDK integrations spell times as ISO 8601 texts, in every operation.
#[tokio::test]
async fn times_of_sdk_integrations_are_texts() {
    let athena = Fake::new("athena", |_, _| {
        Ok(json!({"WorkGroups": [{"Name": "primary", "CreationTime": 1_767_225_600.5, "Bytes": 7}]}))
    });
    let bus = cloud(None, hurried(), &[athena]).await;
    let definition = json!({"StartAt": "T", "States": {"T": {"Type": "Task", "End": true, "Parameters": {},
        "Resource": "arn:aws:states:::aws-sdk:athena:listWorkGroups"}}});
    let described = ended(&bus, &start(&bus, &definition, json!({})).await).await;
    let output: Value = serde_json::from_str(described["output"].as_str().unwrap()).unwrap();
    let group = json!({"Name": "primary", "CreationTime": "2026-01-01T00:00:00.500Z", "Bytes": 7});
    assert_eq!(output["WorkGroups"][0], group);
}

#[tokio::test]
async fn an_operation_that_is_missing_is_not_taken_for_a_service_that_is() {
    let s3 = Fake::new("s3", |operation, _| {
        let why = format!("The local cloud's workflows cannot call s3:{operation}.");
        Err(Fault::new(501, "NotImplemented", why))
    });
    let bus = cloud(None, hurried(), &[s3]).await;
    let definition = json!({"StartAt": "T", "States": {"T": {"Type": "Task", "End": true,
        "Resource": "arn:aws:states:::aws-sdk:s3:getBucketPolicy", "Parameters": {"Bucket": "b"}}}});
    let described = ended(&bus, &start(&bus, &definition, json!({})).await).await;
    assert_eq!(described["error"], "S3.SdkClientException");
    let cause = "Unable to execute HTTP request: The local cloud's workflows cannot call s3:GetBucketPolicy.";
    assert_eq!(described["cause"], cause);
}

/// API reference, RedriveExecution: idempotent for the last client tokens.
#[tokio::test]
async fn a_redrive_asked_for_twice_is_done_once() {
    let folder = tempfile::tempdir().unwrap();
    let bus = cloud(Some(folder.path()), Clock::default(), &[]).await;
    let fails = json!({"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "No"}}});
    let arn = start(&bus, &fails, json!({})).await;
    ended(&bus, &arn).await;
    let redrive = |token: &str| json!({"executionArn": arn, "clientToken": token});
    let first = ask(&bus, "RedriveExecution", redrive("one")).await;
    ended(&bus, &arn).await;
    assert_eq!(ask(&bus, "RedriveExecution", redrive("one")).await, first);
    bus.store.close().await;

    // The next process knows it too.
    let bus = cloud(Some(folder.path()), Clock::default(), &[]).await;
    assert_eq!(ask(&bus, "RedriveExecution", redrive("one")).await, first);
    assert_eq!(ended(&bus, &arn).await["redriveCount"], 1);
    ask(&bus, "RedriveExecution", redrive("two")).await;
    assert_eq!(ended(&bus, &arn).await["redriveCount"], 2);
    // Ten others push the first one out.
    for n in 0..9 {
        ask(&bus, "RedriveExecution", redrive(&format!("more-{n}"))).await;
        ended(&bus, &arn).await;
    }
    ask(&bus, "RedriveExecution", redrive("one")).await;
    assert_eq!(ended(&bus, &arn).await["redriveCount"], 12);
    let refused = bus.call("states", "RedriveExecution", redrive("with space")).await.unwrap_err();
    assert_eq!(refused.code, "ValidationException");
    bus.store.close().await;
}

/// A token is told from one that was never given out, whatever process gave it.
#[tokio::test]
async fn altered_tokens_are_invalid_and_old_ones_have_timed_out() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let folder = tempfile::tempdir().unwrap();
    let bus = cloud(Some(folder.path()), Clock::default(), &[]).await;
    ask(&bus, "CreateActivity", json!({"name": "a"})).await;
    let definition = json!({"StartAt": "T", "States": {"T": {"Type": "Task", "End": true,
        "Resource": "arn:aws:states:us-east-1:000000000000:activity:a"}}});
    let arn = start(&bus, &definition, json!({})).await;
    let token = super::work(&bus).await["taskToken"].as_str().unwrap().to_owned();
    bus.store.close().await;

    let bus = cloud(Some(folder.path()), Clock::default(), &[]).await;
    let tell = async |token: &str| {
        let request = json!({"taskToken": token, "output": "{}"});
        bus.call("states", "SendTaskSuccess", request).await.map_err(|fault| fault.code)
    };
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(&token).unwrap()).unwrap();
    for (from, to) in [(" 1 ", " 2 "), (":m:", ":n:"), ("-", "+")] {
        assert!(text.contains(from), "{text}");
        let altered = URL_SAFE_NO_PAD.encode(text.replace(from, to));
        assert_eq!(tell(&altered).await, Err("InvalidToken".to_owned()), "{from} {to}");
    }
    let forged = format!("6f9619ff-8b86-4011-b42d-00c04fc964ff 1 {arn}");
    assert_eq!(tell(&URL_SAFE_NO_PAD.encode(forged)).await, Err("InvalidToken".to_owned()));
    assert_eq!(tell(&token).await, Ok(json!({})));
    assert_eq!(tell(&token).await, Err("TaskTimedOut".to_owned()));
    bus.store.close().await;
}

#[tokio::test]
async fn a_token_is_refused_before_what_is_told() {
    let bus = cloud(None, hurried(), &[]).await;
    let request = json!({"taskToken": "forged", "output": "not JSON"});
    assert_eq!(bus.call("states", "SendTaskSuccess", request).await.unwrap_err().code, "InvalidToken");
}

/// The bounds of the service's model, the API reference's word on ARNs of a Map state, and the reserved prefix of tags.
#[tokio::test]
async fn what_the_api_bounds_is_refused() {
    let bus = cloud(None, hurried(), &[]).await;
    let plain = json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}});
    start(&bus, &plain, json!({})).await;
    let machine = "arn:aws:states:us-east-1:000000000000:stateMachine:m";
    let role = "arn:aws:iam::000000000000:role/r";
    let published = json!({"stateMachineArn": machine});
    let version = ask(&bus, "PublishStateMachineVersion", published).await["stateMachineVersionArn"].clone();
    let tagged = |key: &str| json!({"resourceArn": machine, "tags": [{"key": key, "value": "v"}]});
    let label = format!("{machine}/label");
    for (operation, request, code) in [
        ("SendTaskSuccess", json!({"taskToken": "t"}), "ValidationException"),
        ("SendTaskSuccess", json!({"taskToken": "t", "output": "x".repeat(262_145)}), "ValidationException"),
        ("SendTaskHeartbeat", json!({"taskToken": "t".repeat(2049)}), "ValidationException"),
        ("SendTaskHeartbeat", json!({"taskToken": ""}), "ValidationException"),
        ("SendTaskHeartbeat", json!({"taskToken": "t"}), "InvalidToken"),
        (
            "StartExecution",
            json!({"stateMachineArn": machine, "traceHeader": "t".repeat(257)}),
            "ValidationException",
        ),
        ("StartExecution", json!({"stateMachineArn": label}), "ValidationException"),
        ("UpdateStateMachine", json!({"stateMachineArn": label, "roleArn": role}), "ValidationException"),
        (
            "UpdateStateMachine",
            json!({"stateMachineArn": version, "roleArn": role}),
            "StateMachineDoesNotExist",
        ),
        ("ValidateStateMachineDefinition", json!({}), "ValidationException"),
        ("TagResource", tagged("AWS:createdBy"), "ValidationException"),
        ("TagResource", tagged("a\tb"), "ValidationException"),
        ("TagResource", tagged(&"k".repeat(129)), "ValidationException"),
    ] {
        let refused = bus.call("states", operation, request).await.unwrap_err();
        assert_eq!((refused.code.as_str(), refused.status), (code, 400), "{operation}: {}", refused.message);
    }
    ask(&bus, "TagResource", tagged("awsome: a+b")).await;

    let task =
        json!({"Type": "Task", "End": true, "Resource": "arn:aws:states:::sqs:sendMessage"}).to_string();
    for wrong in [
        json!({"context": "{}", "roleArn": role}),
        json!({"mock": {"result": "{}", "fieldValidationMode": "LOOSE"}}),
        json!({"mock": {"errorOutput": {"cause": "c"}}}),
        json!({"mock": {"errorOutput": {"error": "e".repeat(257)}}}),
        json!({"mock": {"errorOutput": {"error": "e"}}, "stateConfiguration": {"retrierRetryCount": -1}}),
    ] {
        let mut request = wrong.clone();
        request["definition"] = task.as_str().into();
        let refused = bus.call("states", "TestState", request).await.unwrap_err();
        assert_eq!(refused.code, "ValidationException", "{wrong}: {}", refused.message);
    }
}
