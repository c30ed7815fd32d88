//! SIGKILL at any moment loses nothing that was acknowledged.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use ward::local::bus::{Bus, Event};
use ward::local::fault::Fault;
use ward::local::store::Store;

use crate::support::sdk_config;
use crate::support::served::Server;

/// `ward local --empty` on a folder.
fn serve(folder: &Path) -> Server {
    Server::of(folder, folder, &["--empty"])
}

/// The same with waits that are ten times shorter.
fn serve_hurried(folder: &Path) -> Server {
    Server::of(folder, folder, &["--empty", "--speed", "10"])
}

/// A body of a size by its number: some in the store, some in files.
fn body(n: usize) -> Vec<u8> {
    let size = if n.is_multiple_of(5) { 300_000 } else { 700 };
    vec![b'a' + (n % 26) as u8; size]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_object_survives_sigkill() {
    let home = tempfile::tempdir().unwrap();
    let mut kept = Vec::new();
    for round in 0..3 {
        let mut server = serve(home.path());
        let s3 = aws_sdk_s3::Client::from_conf(
            aws_sdk_s3::config::Builder::from(&sdk_config(&server.url, "us-east-1"))
                .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
                .build(),
        );
        s3.create_bucket().bucket("data").send().await.unwrap();
        // What earlier rounds were told is there, byte for byte.
        for &n in &kept {
            let got = s3.get_object().bucket("data").key(format!("k{n}")).send().await.unwrap();
            assert_eq!(got.body.collect().await.unwrap().to_vec(), body(n));
        }
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let uploads = (0..200).map(|n| {
            let (s3, acknowledged, n) = (s3.clone(), acknowledged.clone(), round * 1000 + n);
            tokio::spawn(async move {
                let put = s3.put_object().bucket("data").key(format!("k{n}")).body(ByteStream::from(body(n)));
                let done = put.send().await.is_ok();
                acknowledged.fetch_add(usize::from(done), Ordering::SeqCst);
                done.then_some(n)
            })
        });
        let uploads: Vec<_> = uploads.collect();
        while acknowledged.load(Ordering::SeqCst) < 20 + 30 * round {
            tokio::task::yield_now().await;
        }
        server.kill();
        for upload in uploads {
            kept.extend(upload.await.unwrap());
        }
    }
    assert!(kept.len() >= 20);
    let server = serve(home.path());
    let s3 = aws_sdk_s3::Client::new(&sdk_config(&server.url, "us-east-1"));
    let mut pages = s3.list_objects_v2().bucket("data").into_paginator().send();
    let mut listed = Vec::new();
    while let Some(page) = pages.next().await {
        listed.extend(page.unwrap().contents().iter().map(|o| o.key().unwrap().to_owned()));
    }
    assert!(kept.iter().all(|n| listed.contains(&format!("k{n}"))));
    // Bodies of uploads that were cut are swept: what is left belongs to an object.
    let files = std::fs::read_dir(home.path().join("bodies")).unwrap().count();
    let large = listed.iter().filter(|key| key[1..].parse::<usize>().unwrap().is_multiple_of(5)).count();
    assert_eq!(files, large);
}

/// A disk that takes no more, played by the limit of a file's size: what finds no room is refused with the
/// reason, what was acknowledged stays, and once there is room the same process goes on.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_finds_no_room_on_the_disk_is_refused_and_loses_nothing() {
    use rustix::process::{Resource, Rlimit, getrlimit, prlimit};

    let home = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new("sh");
    // Without the trap the signal that comes with the error would end it.
    command.args(["-c", "trap '' XFSZ; exec \"$0\" local --empty --local-dir \"$1\""]);
    command.arg(env!("CARGO_BIN_EXE_ward")).arg(home.path()).env("HOME", home.path());
    let server = Server::start(command.stderr(std::process::Stdio::null()));
    let whole = getrlimit(Resource::Fsize);
    let room = |bytes: Option<u64>| {
        let limit = Rlimit { current: bytes.or(whole.current), maximum: whole.maximum };
        prlimit(Some(server.pid()), Resource::Fsize, limit).unwrap();
    };
    let s3 = aws_sdk_s3::Client::from_conf(
        aws_sdk_s3::config::Builder::from(&sdk_config(&server.url, "us-east-1"))
            .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
            .build(),
    );
    let put = async |key: String, n: usize| {
        let body = ByteStream::from(body(n));
        s3.put_object().bucket("data").key(key).body(body).send().await.map_err(|e| e.into_service_error())
    };
    s3.create_bucket().bucket("data").send().await.unwrap();
    put("before".into(), 0).await.unwrap();

    // A body in a file of its own does not fit.
    room(Some(200_000));
    let refused = put("large".into(), 0).await.unwrap_err();
    assert_eq!(refused.code(), Some("InternalError"));
    assert!(refused.message().is_some_and(|m| m.contains("File too large")), "{refused:?}");
    // What is kept in the store itself fits until that would have to grow.
    let store = std::fs::metadata(home.path().join("cloud.redb")).unwrap().len();
    room(Some(store));
    let mut kept = Vec::new();
    let refused = loop {
        let key = format!("small{}", kept.len());
        match put(key.clone(), 1).await {
            Ok(_) => kept.push(key),
            Err(refused) => break refused,
        }
        assert!(kept.len() < 100_000, "the store never grows");
    };
    assert_eq!(refused.code(), Some("InternalError"));
    assert!(refused.message().is_some_and(|m| m.contains("File too large")), "{refused:?}");
    // Reading goes on.
    let got = s3.get_object().bucket("data").key("before").send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().to_vec(), body(0));

    room(None);
    put("after".into(), 0).await.unwrap();
    let mut pages = s3.list_objects_v2().bucket("data").into_paginator().send();
    let mut listed = Vec::new();
    while let Some(page) = pages.next().await {
        listed.extend(page.unwrap().contents().iter().map(|o| o.key().unwrap().to_owned()));
    }
    kept.extend(["after".into(), "before".into()]);
    kept.sort_unstable();
    assert_eq!(listed, kept, "neither more nor less than what was acknowledged");
}

#[tokio::test]
async fn an_event_that_was_committed_is_delivered_by_the_next_process() {
    let home = tempfile::tempdir().unwrap();
    let event = |n: usize| Event {
        service: "test".into(),
        operation: "Take".into(),
        input: serde_json::json!({ "n": n }),
    };
    let store = Store::open(Some(home.path())).unwrap();
    for n in 0..10 {
        store.transact(move |tx| Bus::post(tx, &event(n))).await.unwrap();
    }
    store.close().await;

    let store = Store::open(Some(home.path())).unwrap();
    let bus = Bus::new(store, ward::local::clock::Clock::hurried(60_000.0), "us-east-1");
    let receiver = Arc::new(Receiver::default());
    bus.register(receiver.clone());
    let deliverer = tokio::spawn(ward::local::outbox::deliver(bus.clone()));
    while ward::local::outbox::waiting(&bus.store) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    bus.stopping.cancel();
    deliverer.await.unwrap();
    let taken = receiver.taken.lock().unwrap();
    // Each once; the fifth failed twice and was tried again, the sixth never worked.
    for n in 0..10 {
        let expected = if n == 5 || n == 6 { 3 } else { 1 };
        assert_eq!(taken.iter().filter(|&&t| t == n).count(), expected, "{n}");
    }
    assert!(receiver.most.load(Ordering::SeqCst) <= 4);
}

/// Takes events; refuses 5 twice and 6 always.
#[derive(Default)]
struct Receiver {
    taken: std::sync::Mutex<Vec<u64>>,
    now: AtomicUsize,
    most: AtomicUsize,
}

impl ward::local::bus::Service for Receiver {
    fn name(&self) -> &'static str {
        "test"
    }

    fn call<'a>(
        &'a self,
        _operation: &'a str,
        input: serde_json::Value,
    ) -> futures::future::BoxFuture<'a, Result<serde_json::Value, Fault>> {
        Box::pin(async move {
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            tokio::task::yield_now().await;
            self.now.fetch_sub(1, Ordering::SeqCst);
            let n = input["n"].as_u64().unwrap();
            let mut taken = self.taken.lock().unwrap();
            taken.push(n);
            let times = taken.iter().filter(|&&t| t == n).count();
            if n == 6 || (n == 5 && times < 3) {
                return Err(Fault::client("Refused", "on purpose"));
            }
            Ok(serde_json::Value::Null)
        })
    }
}

/// A wait, branches, children of a map run, and a callback that nobody answers.
const JOURNEY: &str = r#"{"StartAt": "First", "States": {
    "First": {"Type": "Pass", "Result": {"items": [1, 2, 3]}, "Next": "Wait"},
    "Wait": {"Type": "Wait", "Seconds": 2, "Next": "Both"},
    "Both": {"Type": "Parallel", "ResultPath": "$.both", "Next": "Each", "Branches": [
        {"StartAt": "Left", "States": {"Left": {"Type": "Pass", "Result": "left", "End": true}}},
        {"StartAt": "Right", "States": {"Right": {"Type": "Wait", "Seconds": 2, "Next": "Said"},
                                        "Said": {"Type": "Pass", "Result": "right", "End": true}}}]},
    "Each": {"Type": "Map", "ItemsPath": "$.items", "ResultPath": "$.each", "Next": "Ask",
        "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Slow", "States": {"Slow": {"Type": "Wait", "Seconds": 2, "End": true}}}},
    "Ask": {"Type": "Task", "Resource": "arn:aws:states:::sns:publish.waitForTaskToken",
        "Parameters": {"TopicArn.$": "$$.Execution.Input.topic", "Message.$": "$$.Task.Token"},
        "TimeoutSeconds": 3, "Next": "Answered",
        "Catch": [{"ErrorEquals": ["States.Timeout"], "ResultPath": "$.asked", "Next": "Last"},
                  {"ErrorEquals": ["States.TaskFailed"], "ResultPath": "$.asked", "Next": "Last"}]},
    "Answered": {"Type": "Fail"},
    "Last": {"Type": "Pass", "Parameters": {"both.$": "$.both", "each.$": "$.each"}, "End": true}}}"#;

/// An execution that is killed and taken up, however often, passes each state once and ends as it would
/// have. What was acknowledged stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn executions_go_on_after_sigkill_at_any_moment() {
    let home = tempfile::tempdir().unwrap();
    let states = |url: &str| aws_sdk_sfn::Client::new(&sdk_config(url, "us-east-1"));
    let machine = "arn:aws:states:us-east-1:000000000000:stateMachine:journey";
    let mut server = serve_hurried(home.path());
    let made = states(&server.url).create_state_machine().name("journey").definition(JOURNEY);
    made.role_arn("arn:aws:iam::000000000000:role/r").send().await.unwrap();
    let topic =
        aws_sdk_sns::Client::new(&sdk_config(&server.url, "us-east-1")).create_topic().name("t").send().await;
    let input = format!(r#"{{"topic": "{}"}}"#, topic.unwrap().topic_arn().unwrap());
    let mut started = Vec::new();
    // How long each life lasts, milliseconds: before, during and after the waits of 200 and 300.
    for life in [15, 90, 210, 330, 450, 60, 270] {
        let sfn = states(&server.url);
        for _ in 0..3 {
            let start = sfn.start_execution().state_machine_arn(machine).input(&input).send().await;
            started.push(start.unwrap().execution_arn);
        }
        tokio::time::sleep(std::time::Duration::from_millis(life)).await;
        server.kill();
        server = serve_hurried(home.path());
    }
    let sfn = states(&server.url);
    for execution in &started {
        let described = loop {
            let described = sfn.describe_execution().execution_arn(execution).send().await.unwrap();
            if described.status() != &aws_sdk_sfn::types::ExecutionStatus::Running {
                break described;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        };
        assert_eq!(described.status().as_str(), "SUCCEEDED", "{described:?}");
        let output: serde_json::Value = serde_json::from_str(described.output().unwrap()).unwrap();
        assert_eq!(output, serde_json::json!({"both": ["left", "right"], "each": [1, 2, 3]}));
        let history = sfn.get_execution_history().execution_arn(execution).send().await.unwrap();
        let ids: Vec<i64> = history.events().iter().map(|event| event.id()).collect();
        assert_eq!(ids, (1..=ids.len() as i64).collect::<Vec<_>>());
        let entered: Vec<&str> = history
            .events()
            .iter()
            .filter_map(|event| event.state_entered_event_details().map(|details| details.name()))
            .collect();
        let mut once = entered.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), entered.len(), "{entered:?}");
        assert_eq!(entered.len(), 9, "all but Answered: {entered:?}");
    }
}
