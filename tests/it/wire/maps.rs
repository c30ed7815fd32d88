//! Distributed maps of Step Functions through the real SDK: items from objects, child executions, result
//! files, limits on failures.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sfn::types::{ExecutionStatus, HistoryEventType, MapRunStatus};
use serde_json::{Value, json};

use crate::support::{Local, cloud};

const ROLE: &str = "arn:aws:iam::000000000000:role/states";

/// A machine of one distributed map, with what is particular to it; its executions are started with the
/// input and waited for.
async fn run(sfn: &aws_sdk_sfn::Client, mut map: Value, states: Value, input: Value) -> String {
    let start = states.as_object().unwrap().keys().next().unwrap().clone();
    map["Type"] = "Map".into();
    map["End"] = true.into();
    map["Label"] = "Items".into();
    map["ItemProcessor"] = json!({
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": start,
        "States": states,
    });
    let definition = json!({"StartAt": "M", "States": {"M": map}});
    let made = sfn.create_state_machine().name("maps").definition(definition.to_string()).role_arn(ROLE);
    let machine = made.send().await.unwrap().state_machine_arn;
    let started = sfn.start_execution().state_machine_arn(machine).input(input.to_string()).send().await;
    let execution = started.unwrap().execution_arn;
    loop {
        let described = sfn.describe_execution().execution_arn(&execution).send().await.unwrap();
        if described.status() != &ExecutionStatus::Running {
            return execution;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

async fn output(sfn: &aws_sdk_sfn::Client, execution: &str) -> Value {
    let described = sfn.describe_execution().execution_arn(execution).send().await.unwrap();
    serde_json::from_str(described.output().unwrap_or("null")).unwrap()
}

async fn only_run(sfn: &aws_sdk_sfn::Client, execution: &str) -> String {
    let runs = sfn.list_map_runs().execution_arn(execution).send().await.unwrap();
    assert_eq!(runs.map_runs().len(), 1);
    runs.map_runs()[0].map_run_arn().to_owned()
}

async fn put(local: &Local, key: &str, body: impl Into<Vec<u8>>) {
    let s3 = local.s3();
    // It may be there.
    let _ = s3.create_bucket().bucket("items").send().await;
    s3.put_object().bucket("items").key(key).body(ByteStream::from(body.into())).send().await.unwrap();
}

fn pass() -> Value {
    json!({"P": {"Type": "Pass", "End": true}})
}

#[tokio::test]
async fn csv_rows_in_batches_become_children_that_can_be_listed() {
    let local = cloud().await;
    put(&local, "rows.csv", "id,name\n1,a\n2,b\n3,c\n").await;
    let sfn = aws_sdk_sfn::Client::new(&local.config);
    let map = json!({
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
            "Parameters": {"Bucket": "items", "Key.$": "$.key"},
        },
        "ItemSelector": {"row.$": "$$.Map.Item.Value", "index.$": "$$.Map.Item.Index"},
        "ItemBatcher": {"MaxItemsPerBatch": 2, "BatchInput": {"from.$": "$.key"}},
    });
    let execution = run(&sfn, map, pass(), json!({"key": "rows.csv"})).await;
    let row = |id: &str, name: &str, index: u32| json!({"row": {"id": id, "name": name}, "index": index});
    assert_eq!(
        output(&sfn, &execution).await,
        json!([
            {"BatchInput": {"from": "rows.csv"}, "Items": [row("1", "a", 0), row("2", "b", 1)]},
            {"BatchInput": {"from": "rows.csv"}, "Items": [row("3", "c", 2)]},
        ])
    );
    let run_arn = only_run(&sfn, &execution).await;
    assert!(run_arn.starts_with("arn:aws:states:us-east-1:000000000000:mapRun:maps/Items:"), "{run_arn}");
    let described = sfn.describe_map_run().map_run_arn(&run_arn).send().await.unwrap();
    assert_eq!(described.status(), &MapRunStatus::Succeeded);
    assert_eq!((described.item_counts().unwrap().succeeded, described.item_counts().unwrap().total), (3, 3));
    assert_eq!(described.execution_counts().unwrap().total, 2);
    let children = sfn.list_executions().map_run_arn(&run_arn).send().await.unwrap();
    let counts: Vec<_> = children.executions().iter().map(|child| child.item_count().unwrap()).collect();
    assert_eq!(counts.iter().sum::<i32>(), 3);
    let child = children.executions()[0].execution_arn();
    let about = sfn.describe_state_machine_for_execution().execution_arn(child).send().await.unwrap();
    assert_eq!((about.label(), about.map_run_arn()), (Some("Items"), Some(run_arn.as_str())));
    // The machine's own list has no children.
    let machine = "arn:aws:states:us-east-1:000000000000:stateMachine:maps";
    let own = sfn.list_executions().state_machine_arn(machine).send().await.unwrap();
    assert_eq!(own.executions().len(), 1);
}

#[tokio::test]
async fn failures_are_let_pass_up_to_the_limit_and_written_down() {
    let local = cloud().await;
    put(&local, "ids.jsonl", "1\n2\n3\n4\n").await;
    let sfn = aws_sdk_sfn::Client::new(&local.config);
    let states = json!({
        "Even": {"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": 2, "Next": "No"}], "Default": "Yes"},
        "No": {"Type": "Fail", "Error": "Two", "Cause": "not this one"},
        "Yes": {"Type": "Succeed"},
    });
    let map = json!({
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSONL"},
            "Parameters": {"Bucket": "items", "Key": "ids.jsonl"},
        },
        "ToleratedFailurePercentage": 25,
        "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject",
            "Parameters": {"Bucket": "items", "Prefix": "out"},
        },
    });
    let execution = run(&sfn, map, states, json!({})).await;
    let written = output(&sfn, &execution).await;
    let manifest = written["ResultWriterDetails"]["Key"].as_str().unwrap();
    assert!(manifest.starts_with("out/") && manifest.ends_with("/manifest.json"), "{manifest}");
    let read = async |key: &str| {
        let got = local.s3().get_object().bucket("items").key(key).send().await.unwrap();
        serde_json::from_slice::<Value>(&got.body.collect().await.unwrap().into_bytes()).unwrap()
    };
    let files = read(manifest).await["ResultFiles"].clone();
    let good = read(files["SUCCEEDED"][0]["Key"].as_str().unwrap()).await;
    assert_eq!(good.as_array().unwrap().len(), 3);
    assert_eq!(good[0]["Output"], "1");
    let bad = read(files["FAILED"][0]["Key"].as_str().unwrap()).await;
    assert_eq!((&bad[0]["Error"], &bad[0]["Input"]), (&json!("Two"), &json!("2")));
}

#[tokio::test]
async fn too_many_failures_fail_the_run() {
    let local = cloud().await;
    let sfn = aws_sdk_sfn::Client::new(&local.config);
    let states = json!({"F": {"Type": "Fail", "Error": "No"}});
    let map = json!({"MaxConcurrency": 1, "ToleratedFailureCount": 1});
    let execution = run(&sfn, map, states, json!([1, 2, 3])).await;
    let history = sfn.get_execution_history().execution_arn(&execution).send().await.unwrap();
    let kinds: Vec<_> = history.events().iter().map(|event| event.r#type().clone()).collect();
    use HistoryEventType::*;
    let expected = [
        ExecutionStarted,
        MapStateEntered,
        MapStateStarted,
        MapRunStarted,
        MapRunFailed,
        MapStateFailed,
        ExecutionFailed,
    ];
    assert_eq!(kinds, expected);
    let failed = history.events()[4].map_run_failed_event_details().unwrap();
    assert_eq!(failed.error(), Some("States.ExceedToleratedFailureThreshold"));
    let run_arn = only_run(&sfn, &execution).await;
    let described = sfn.describe_map_run().map_run_arn(&run_arn).send().await.unwrap();
    assert_eq!(described.status(), &MapRunStatus::Failed);
    let counts = described.item_counts().unwrap();
    assert_eq!((counts.failed, counts.pending, counts.total), (2, 1, 3));
    // A child is redriven by its run only (API reference, RedriveExecution).
    let children = sfn.list_executions().map_run_arn(&run_arn).send().await.unwrap();
    let child = children.executions()[0].execution_arn();
    let status = sfn.describe_execution().execution_arn(child).send().await.unwrap();
    assert_eq!(status.redrive_status().unwrap().as_str(), "REDRIVABLE_BY_MAP_RUN");
    let refused = sfn.redrive_execution().execution_arn(child).send().await.unwrap_err().into_service_error();
    assert!(refused.is_execution_not_redrivable(), "{refused:?}");
    // Taken up again, it fails as before: the same two, then the third is not even begun.
    sfn.redrive_execution().execution_arn(&execution).send().await.unwrap();
    loop {
        let described = sfn.describe_execution().execution_arn(&execution).send().await.unwrap();
        if described.status() != &ExecutionStatus::Running {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let described = sfn.describe_map_run().map_run_arn(&run_arn).send().await.unwrap();
    assert_eq!(described.redrive_count(), Some(1));
    assert_eq!(described.item_counts().unwrap().total, 3);
}

#[tokio::test]
async fn a_listing_of_objects_is_mapped_and_a_missing_object_is_told() {
    let local = cloud().await;
    put(&local, "in/b", "1").await;
    put(&local, "in/a", "1").await;
    let sfn = aws_sdk_sfn::Client::new(&local.config);
    let map = json!({
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:listObjectsV2",
            "Parameters": {"Bucket": "items", "Prefix": "in/"},
        },
        "ItemSelector": {"key.$": "$$.Map.Item.Value.Key"},
    });
    let execution = run(&sfn, map, pass(), json!({})).await;
    assert_eq!(output(&sfn, &execution).await, json!([{"key": "in/a"}, {"key": "in/b"}]));
    let gone = json!({
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Parameters": {"Bucket": "items", "Key": "none"},
        },
    });
    sfn.delete_state_machine()
        .state_machine_arn("arn:aws:states:us-east-1:000000000000:stateMachine:maps")
        .send()
        .await
        .unwrap();
    let execution = run(&sfn, gone, pass(), json!({})).await;
    let described = sfn.describe_execution().execution_arn(&execution).send().await.unwrap();
    assert_eq!(described.error(), Some("States.ItemReaderFailed"));
    assert!(described.cause().unwrap().contains("key does not exist"), "{:?}", described.cause());
}

/// A bound that a path gives is looked at by the run, which fails.
#[tokio::test]
async fn a_map_run_fails_whose_bound_is_negative() {
    let local = cloud().await;
    put(&local, "three", "[1, 2, 3]").await;
    let sfn = aws_sdk_sfn::Client::new(&local.config);
    let map = json!({
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON", "MaxItemsPath": "$.n"},
            "Parameters": {"Bucket": "items", "Key": "three"},
        },
    });
    let execution = run(&sfn, map, pass(), json!({"n": -1})).await;
    let described = sfn.describe_execution().execution_arn(&execution).send().await.unwrap();
    assert_eq!(described.error(), Some("States.ItemReaderFailed"));
    assert_eq!(described.cause(), Some("field MaxItems must be positive"));
    only_run(&sfn, &execution).await;
}

/// AWS guide, "Accessing execution data from the Context object": where an item was read, and its key when it is a
/// member of an object.
#[tokio::test]
async fn the_context_tells_where_an_item_was_read() {
    let local = cloud().await;
    put(&local, "in/ports.json", r#"{"all": {"web": 80, "db": 5432}}"#).await;
    let sfn = aws_sdk_sfn::Client::new(&local.config);
    let selector =
        json!({"key.$": "$$.Map.Item.Key", "source.$": "$$.Map.Item.Source", "value.$": "$$.Map.Item.Value"});
    let pointed = json!({
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON", "ItemsPointer": "/all"},
            "Parameters": {"Bucket": "items", "Key": "in/ports.json"},
        },
        "ItemSelector": selector,
    });
    let given = json!({"ItemsPath": "$.ports", "ItemSelector": selector});
    let whole = json!({"ItemsPath": "$.ports"});
    let listed = json!({
        "ItemReader": {"Resource": "arn:aws:states:::s3:listObjectsV2", "Parameters": {"Bucket": "items"}},
        "ItemSelector": {"source.$": "$$.Map.Item.Source"},
    });
    let member = |key: &str, source: &str, value: u32| json!({"key": key, "source": source, "value": value});
    let file = "S3://items/in/ports.json";
    for (map, expected) in [
        (pointed, json!([member("web", file, 80), member("db", file, 5432)])),
        (given, json!([member("ssh", "STATE_DATA", 22)])),
        (whole, json!([{"Key": "ssh", "Value": 22}])),
        (listed, json!([{"source": "S3://items"}])),
    ] {
        let execution = run(&sfn, map, pass(), json!({"ports": {"ssh": 22}})).await;
        assert_eq!(output(&sfn, &execution).await, expected);
        let machine = "arn:aws:states:us-east-1:000000000000:stateMachine:maps";
        sfn.delete_state_machine().state_machine_arn(machine).send().await.unwrap();
    }
}

/// What the AWS guide's page "ItemReader (Map)" reads besides single files: the files of an S3 inventory,
/// of an Athena manifest, and those of a listing.
#[tokio::test]
async fn files_are_read_that_others_list() {
    let local = cloud().await;
    let packed = |text: &str| {
        use std::io::Write;
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(text.as_bytes()).unwrap();
        out.finish().unwrap()
    };
    put(&local, "inventory/1.csv.gz", packed("\"items\",\"a.txt\",\"3\"\n\"items\",\"b.txt\",\"4\"\n")).await;
    put(&local, "inventory/2.csv.gz", packed("\"items\",\"c.txt\",\"5\"\n")).await;
    let manifest = json!({
        "sourceBucket": "items", "destinationBucket": "arn:aws:s3:::items", "version": "2016-11-30",
        "creationTimestamp": "1767225600000", "fileFormat": "CSV", "fileSchema": "Bucket, Key, Size",
        "files": [{"key": "inventory/1.csv.gz"}, {"key": "inventory/2.csv.gz"}],
    });
    put(&local, "inventory/manifest.json", manifest.to_string()).await;
    put(&local, "lines/1", "{\"n\": 1}\n{\"n\": 2}\n").await;
    put(&local, "lines/2", "{\"n\": 3}\n").await;
    put(&local, "q-manifest.csv", "s3://items/lines/1\ns3://items/lines/2\n").await;
    let get = "arn:aws:states:::s3:getObject";
    let rows = [
        (
            json!({"Resource": get, "ReaderConfig": {"InputType": "MANIFEST"},
                "Parameters": {"Bucket": "items", "Key": "inventory/manifest.json"}}),
            json!([{"Bucket": "items", "Key": "a.txt", "Size": "3"}, {"Bucket": "items", "Key": "b.txt", "Size": "4"},
                {"Bucket": "items", "Key": "c.txt", "Size": "5"}]),
        ),
        (
            json!({"Resource": get, "ReaderConfig": {"ManifestType": "S3_INVENTORY", "MaxItems": 1},
                "Parameters": {"Bucket": "items", "Key": "inventory/manifest.json"}}),
            json!([{"Bucket": "items", "Key": "a.txt", "Size": "3"}]),
        ),
        (
            json!({"Resource": get, "ReaderConfig": {"ManifestType": "ATHENA_DATA", "InputType": "JSONL"},
                "Parameters": {"Bucket": "items", "Key": "q-manifest.csv"}}),
            json!([{"n": 1}, {"n": 2}, {"n": 3}]),
        ),
        (
            json!({"Resource": "arn:aws:states:::s3:listObjectsV2",
                "ReaderConfig": {"Transformation": "LOAD_AND_FLATTEN", "InputType": "JSONL", "MaxItems": 2},
                "Parameters": {"Bucket": "items", "Prefix": "lines/"}}),
            json!([{"n": 1}, {"n": 2}]),
        ),
    ];
    let sfn = aws_sdk_sfn::Client::new(&local.config);
    for (reader, expected) in rows {
        let execution = run(&sfn, json!({"ItemReader": reader}), pass(), json!({})).await;
        assert_eq!(output(&sfn, &execution).await, expected, "{reader}");
        let machine = "arn:aws:states:us-east-1:000000000000:stateMachine:maps";
        sfn.delete_state_machine().state_machine_arn(machine).send().await.unwrap();
    }
}

/// An Athena UNLOAD leaves files and a manifest that names them; a map reads the rows through it.
#[tokio::test]
async fn what_athena_unloads_is_mapped() {
    use aws_sdk_athena::types::{QueryExecutionState, ResultConfiguration};
    let local = cloud().await;
    local.s3().create_bucket().bucket("items").send().await.unwrap();
    let athena = aws_sdk_athena::Client::new(&local.config);
    let sfn = aws_sdk_sfn::Client::new(&local.config);
    for (format, kind) in [("PARQUET", "PARQUET"), ("JSON", "JSONL")] {
        let statement = format!(
            "UNLOAD (SELECT * FROM (VALUES (1, 'a', DATE '2026-01-01'), (2, NULL, DATE '2026-02-01')) AS t(id, name, day)) \
             TO 's3://items/{format}/' WITH (format = '{format}')"
        );
        let place = ResultConfiguration::builder().output_location("s3://items/results/").build();
        let started = athena.start_query_execution().query_string(statement).result_configuration(place);
        let id = started.send().await.unwrap().query_execution_id.unwrap();
        let manifest = loop {
            let asked = athena.get_query_execution().query_execution_id(&id).send().await.unwrap();
            let query = asked.query_execution.unwrap();
            match query.status().unwrap().state().unwrap() {
                QueryExecutionState::Succeeded => {
                    break query.statistics().unwrap().data_manifest_location().unwrap().to_owned();
                }
                QueryExecutionState::Failed => panic!("{:?}", query.status()),
                _ => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
            }
        };
        let map = json!({"ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"ManifestType": "ATHENA_DATA", "InputType": kind},
            "Parameters": {"Bucket": "items", "Key": manifest.strip_prefix("s3://items/").unwrap()},
        }});
        let execution = run(&sfn, map, pass(), json!({})).await;
        let expected = json!([
            {"id": 1, "name": "a", "day": "2026-01-01"},
            {"id": 2, "name": null, "day": "2026-02-01"},
        ]);
        assert_eq!(output(&sfn, &execution).await, expected, "{format}");
        let machine = "arn:aws:states:us-east-1:000000000000:stateMachine:maps";
        sfn.delete_state_machine().state_machine_arn(machine).send().await.unwrap();
    }
}

/// The JSON of every result file of a run, by the end of its key.
async fn files(local: &Local, prefix: &str) -> std::collections::BTreeMap<String, Value> {
    let s3 = local.s3();
    let listed = s3.list_objects_v2().bucket("items").prefix(prefix).send().await.unwrap();
    let mut files = std::collections::BTreeMap::new();
    for object in listed.contents() {
        let key = object.key().unwrap();
        let got = s3.get_object().bucket("items").key(key).send().await.unwrap();
        let body = got.body.collect().await.unwrap().into_bytes();
        // `out/RUN/SUCCEEDED_0.json`
        let end = key.splitn(3, '/').nth(2).unwrap().to_owned();
        files.insert(end, serde_json::from_slice(&body).unwrap());
    }
    files
}

/// AWS guide, "ResultWriter (Map)": what failed and what never started is written down, for a recovery to
/// start from; a redrive refers to what succeeded before. The form of what is pending, and the folder of a
/// redrive, are as others have recorded them from AWS.
#[tokio::test]
async fn a_run_that_fails_writes_what_became_of_its_children() {
    let local = cloud().await;
    put(&local, "other", "").await;
    let sfn = aws_sdk_sfn::Client::new(&local.config);
    let states = json!({
        "Two": {"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": 2, "Next": "No"}], "Default": "Yes"},
        "No": {"Type": "Fail", "Error": "Two"},
        "Yes": {"Type": "Succeed"},
    });
    let writer = json!({
        "Resource": "arn:aws:states:::s3:putObject",
        "Parameters": {"Bucket": "items", "Prefix": "out"},
    });
    let map = json!({"MaxConcurrency": 1, "ResultWriter": writer});
    let execution = run(&sfn, map, states, json!([1, 2, 3])).await;
    let described = sfn.describe_execution().execution_arn(&execution).send().await.unwrap();
    assert_eq!(described.error(), Some("States.ExceedToleratedFailureThreshold"));
    let written = files(&local, "out/").await;
    let ends: Vec<_> = written.keys().map(String::as_str).collect();
    assert_eq!(ends, ["FAILED_0.json", "PENDING_0.json", "SUCCEEDED_0.json", "manifest.json"]);
    let failed = &written["FAILED_0.json"][0];
    assert_eq!((&failed["Input"], &failed["RedriveCount"]), (&json!("2"), &json!(0)));
    let pending = json!([{"Input": "3", "InputDetails": {"Included": true}, "Status": "PENDING"}]);
    assert_eq!(written["PENDING_0.json"], pending);
    assert_eq!(written["SUCCEEDED_0.json"][0]["Output"], "1");
    let listed = &written["manifest.json"]["ResultFiles"];
    assert_eq!(
        [&listed["FAILED"], &listed["PENDING"], &listed["SUCCEEDED"]].map(|f| f.as_array().unwrap().len()),
        [1; 3]
    );

    sfn.redrive_execution().execution_arn(&execution).send().await.unwrap();
    while sfn.describe_execution().execution_arn(&execution).send().await.unwrap().status()
        == &ExecutionStatus::Running
    {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let again = files(&local, "out/").await;
    assert_eq!(again["FAILED_0.json"], written["FAILED_0.json"]);
    assert_eq!(again["Redrive-1/FAILED_0.json"][0]["RedriveCount"], 1);
    assert_eq!(again["Redrive-1/PENDING_0.json"], pending);
    assert!(!again.contains_key("Redrive-1/SUCCEEDED_0.json"), "nothing more succeeded");
    assert_eq!(again["Redrive-1/manifest.json"]["ResultFiles"]["SUCCEEDED"], listed["SUCCEEDED"]);
}

#[tokio::test]
async fn a_run_that_is_stopped_writes_what_was_running_and_what_was_not() {
    let local = cloud().await;
    put(&local, "other", "").await;
    let sfn = aws_sdk_sfn::Client::new(&local.config);
    let definition = json!({"StartAt": "M", "States": {"M": {
        "Type": "Map", "End": true, "MaxConcurrency": 1,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1000, "End": true}},
        },
        "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject",
            "Parameters": {"Bucket": "items", "Prefix": "out"},
            "WriterConfig": {"OutputType": "JSON", "Transformation": "COMPACT"},
        },
    }}});
    let made = sfn.create_state_machine().name("maps").definition(definition.to_string()).role_arn(ROLE);
    let machine = made.send().await.unwrap().state_machine_arn;
    let started = sfn.start_execution().state_machine_arn(machine).input("[7, 8]").send().await.unwrap();
    let execution = started.execution_arn;
    let run = loop {
        let runs = sfn.list_map_runs().execution_arn(&execution).send().await.unwrap();
        if let Some(run) = runs.map_runs().first() {
            let described = sfn.describe_map_run().map_run_arn(run.map_run_arn()).send().await.unwrap();
            let counts = described.execution_counts().unwrap();
            if (counts.running, counts.pending) == (1, 1) {
                break run.map_run_arn().to_owned();
            }
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    };
    sfn.stop_execution().execution_arn(&execution).send().await.unwrap();
    while sfn.describe_map_run().map_run_arn(&run).send().await.unwrap().status() == &MapRunStatus::Running {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let written = files(&local, "out/").await;
    let ends: Vec<_> = written.keys().map(String::as_str).collect();
    assert_eq!(ends, ["FAILED_0.json", "PENDING_0.json", "manifest.json"]);
    let aborted = &written["FAILED_0.json"][0];
    assert_eq!((&aborted["Input"], &aborted["Status"]), (&json!("7"), &json!("ABORTED")));
    assert_eq!(written["PENDING_0.json"][0]["Input"], "8");
    let counts = sfn.describe_map_run().map_run_arn(&run).send().await.unwrap();
    assert_eq!(counts.execution_counts().unwrap().results_written, 1);
}
