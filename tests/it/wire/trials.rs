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

/// AWS guide, "Testing Activity, .sync, and .waitForTaskToken states": without a mock they are refused.
#[tokio::test]
async fn what_nobody_would_answer_is_tested_with_a_mock_only() {
    let local = cloud().await;
    let code = async |state: &Value, mock: Value| {
        let request = json!({"definition": state.to_string(), "roleArn": "arn:aws:iam::000000000000:role/r",
            "input": "{}", "mock": mock});
        let tried = try_state(&local, request).await;
        tried["code"].as_str().or(tried["status"].as_str()).unwrap().to_owned()
    };
    let task = |resource: &str| {
        json!({"Type": "Task", "Resource": resource, "End": true,
            "Parameters": {"StateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:m"}})
    };
    let activity = json!({"Type": "Task", "End": true,
        "Resource": "arn:aws:states:us-east-1:000000000000:activity:a"});
    assert_eq!(code(&activity, Value::Null).await, "ValidationException");
    assert_eq!(code(&activity, json!({"result": "{}"})).await, "SUCCEEDED");
    let sync = task("arn:aws:states:::states:startExecution.sync:2");
    assert_eq!(code(&sync, Value::Null).await, "InvalidDefinition");
    let mock = json!({"result": "{}", "fieldValidationMode": "NONE"});
    assert_eq!(code(&sync, mock.clone()).await, "SUCCEEDED");
    let callback = task("arn:aws:states:::states:startExecution.waitForTaskToken");
    assert_eq!(code(&callback, Value::Null).await, "InvalidDefinition");
    assert_eq!(code(&callback, mock).await, "SUCCEEDED");
}

/// API reference, TestState: inputs and variables hold at most 262,144 characters.
#[tokio::test]
async fn what_is_tested_is_not_too_large() {
    let local = cloud().await;
    let state = json!({"Type": "Pass", "End": true});
    let large = format!("\"{}\"", "x".repeat(262_143));
    let refused = try_state(&local, json!({"definition": state.to_string(), "input": large})).await;
    assert_eq!(refused["code"], "ValidationException");
    assert!(refused["message"].as_str().unwrap().contains("'input'"), "{refused}");
    let fits = format!("\"{}\"", "x".repeat(262_142));
    let tried = try_state(&local, json!({"definition": state.to_string(), "input": fits})).await;
    assert_eq!(tried["status"], "SUCCEEDED");
}

/// API reference, InspectionData: the variables after the state, those it was given among them.
#[tokio::test]
async fn variables_are_shown_wherever_the_state_leads() {
    let local = cloud().await;
    for end in [json!({"End": true}), json!({"Next": "Then"})] {
        let mut state = json!({"Type": "Pass", "Assign": {"n": 2, "s": {"deep": [1]}}});
        state.as_object_mut().unwrap().extend(end.as_object().unwrap().clone());
        let request = json!({"definition": state.to_string(), "input": "{}", "inspectionLevel": "DEBUG",
            "variables": r#"{"n": 1, "old": true}"#});
        let tried = try_state(&local, request).await;
        let shown = tried["inspectionData"]["variables"].as_str().unwrap();
        let expected = json!({"n": 2, "old": true, "s": {"deep": [1]}});
        assert_eq!(serde_json::from_str::<Value>(shown).unwrap(), expected, "{end}");
    }
}

/// AWS guide, "Understanding Map state inspection data". Items in batches are shown as texts, as others have
/// recorded it from AWS.
#[tokio::test]
async fn a_map_shows_what_becomes_of_its_items() {
    let local = cloud().await;
    let processor = json!({"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}});
    let seen = async |mut map: Value, input: &str, data: Option<&str>| {
        map["Type"] = "Map".into();
        map["End"] = true.into();
        map["ItemProcessor"] = processor.clone();
        let mut request = json!({"definition": map.to_string(), "input": input, "inspectionLevel": "DEBUG",
            "mock": {"result": "[]"}});
        if let Some(data) = data {
            request["stateConfiguration"] = json!({"mapItemReaderData": data});
        }
        let tried = try_state(&local, request).await;
        assert_eq!(tried["status"], "SUCCEEDED", "{tried}");
        tried["inspectionData"].clone()
    };
    let step = |seen: &Value, name: &str| {
        seen[name].as_str().map(|text| serde_json::from_str::<Value>(text).unwrap()).unwrap_or_default()
    };

    let map = json!({"ItemsPath": "$.list",
        "ItemSelector": {"v.$": "$$.Map.Item.Value", "i.$": "$$.Map.Item.Index", "k.$": "$.k"},
        "ItemBatcher": {"MaxItemsPerBatch": 2, "BatchInput": {"k.$": "$.k"}}});
    let shown = seen(map, r#"{"list": [10, 20, 30], "k": "x"}"#, None).await;
    assert_eq!(step(&shown, "afterItemsPath"), json!([10, 20, 30]));
    let item = |v: u32, i: u32| json!({"v": v, "i": i, "k": "x"});
    assert_eq!(step(&shown, "afterItemSelector"), json!([item(10, 0), item(20, 1), item(30, 2)]));
    let text = |v: u32, i: u32| format!(r#"{{"v":{v},"i":{i},"k":"x"}}"#);
    assert_eq!(
        step(&shown, "afterItemBatcher"),
        json!([
            {"BatchInput": {"k": "x"}, "Items": [text(10, 0), text(20, 1)]},
            {"BatchInput": {"k": "x"}, "Items": [text(30, 2)]},
        ])
    );

    let reader = json!({"Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON", "ItemsPointer": "/a/b", "MaxItems": 2},
        "Parameters": {"Bucket": "b", "Key": "k"}});
    let map = json!({"ItemReader": reader, "ItemSelector": {"n.$": "$$.Map.Item.Value"}});
    let shown = seen(map, "{}", Some(r#"{"a": {"b": [1, 2, 3]}}"#)).await;
    assert_eq!(step(&shown, "afterItemsPointer"), json!([1, 2, 3]));
    assert_eq!(step(&shown, "afterItemSelector"), json!([{"n": 1}, {"n": 2}]));
    assert_eq!((&shown["afterItemsPath"], &shown["afterItemBatcher"]), (&Value::Null, &Value::Null));

    let reader = json!({"Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
        "Arguments": {"Bucket": "b", "Key": "k"}});
    let map = json!({"QueryLanguage": "JSONata", "ItemReader": reader,
        "ItemSelector": {"id": "{% $states.context.Map.Item.Value.id %}"}});
    let shown = seen(map, "{}", Some("id,name\n7,a\n8,b\n")).await;
    assert_eq!(step(&shown, "afterItemSelector"), json!([{"id": "7"}, {"id": "8"}]));
}
