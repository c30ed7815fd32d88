//! Step Functions of the local cloud: transitions per second, a map of ten thousand items, and how soon
//! a start can be seen. Everything is on disk before it counts.
//!
//! `cargo bench --bench states`

use std::sync::Arc;

use divan::counter::ItemsCount;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use ward::local::bus::Bus;
use ward::local::clock::Clock;
use ward::local::states::States;
use ward::local::store::Store;

fn main() {
    divan::main();
}

struct Cloud {
    runtime: Runtime,
    bus: Arc<Bus>,
    _folder: tempfile::TempDir,
}

/// Step Functions on a folder of its own, on two threads, with one machine.
fn cloud(definition: &Value) -> Cloud {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let bus = Bus::new(Store::open(Some(folder.path())).unwrap(), Clock::default(), "us-east-1");
    bus.register(States::new(&bus));
    let request = json!({
        "name": "m",
        "definition": definition.to_string(),
        "roleArn": "arn:aws:iam::000000000000:role/r",
    });
    runtime.block_on(bus.call("states", "CreateStateMachine", request)).unwrap();
    Cloud { runtime, bus, _folder: folder }
}

async fn start(bus: &Bus, input: &str) -> String {
    let machine = "arn:aws:states:us-east-1:000000000000:stateMachine:m";
    let request = json!({"stateMachineArn": machine, "input": input});
    let started = bus.call("states", "StartExecution", request).await.unwrap();
    started["executionArn"].as_str().unwrap().to_owned()
}

async fn ended(bus: &Bus, execution: &str) -> Value {
    loop {
        let described =
            bus.call("states", "DescribeExecution", json!({"executionArn": execution})).await.unwrap();
        if described["status"] != "RUNNING" {
            return described;
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

fn ten_states() -> Value {
    let states: serde_json::Map<String, Value> = (0..10)
        .map(|n| {
            let mut state = json!({"Type": "Pass", "Result": {"n": n}, "ResultPath": "$.last"});
            match n {
                9 => state["End"] = true.into(),
                _ => state["Next"] = format!("S{}", n + 1).into(),
            }
            (format!("S{n}"), state)
        })
        .collect();
    json!({"StartAt": "S0", "States": states})
}

/// 10,000 executions of ten states, 64 at a time; the rate is transitions per second.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn transitions(bencher: divan::Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(100_000u64)).with_inputs(|| cloud(&ten_states())).bench_values(|cloud| {
        cloud.runtime.block_on(async {
            let workers = (0..64).map(|worker| {
                let bus = cloud.bus.clone();
                tokio::spawn(async move {
                    for _ in (worker..10_000).step_by(64) {
                        start(&bus, "{}").await;
                    }
                })
            });
            for worker in workers.collect::<Vec<_>>() {
                worker.await.unwrap();
            }
        });
        cloud
    });
}

/// A distributed map over 10,000 small items, from start to end.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn distributed_map(bencher: divan::Bencher<'_, '_>) {
    let processor = json!({
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "P",
        "States": {"P": {"Type": "Pass", "End": true}},
    });
    let definition =
        json!({"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": processor, "End": true}}});
    let items = json!((0..10_000).collect::<Vec<u32>>()).to_string();
    bencher.with_inputs(|| cloud(&definition)).bench_values(|cloud| {
        cloud.runtime.block_on(async {
            let execution = start(&cloud.bus, &items).await;
            assert_eq!(ended(&cloud.bus, &execution).await["status"], "SUCCEEDED");
        });
        cloud
    });
}

/// From StartExecution until GetExecutionHistory shows the first event.
#[divan::bench(sample_count = 200, sample_size = 1)]
fn start_to_first_event(bencher: divan::Bencher<'_, '_>) {
    let waiting = json!({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": true}}});
    let cloud = cloud(&waiting);
    bencher.bench_local(|| {
        cloud.runtime.block_on(async {
            let execution = start(&cloud.bus, "{}").await;
            let history = json!({"executionArn": execution});
            let seen = cloud.bus.call("states", "GetExecutionHistory", history).await.unwrap();
            assert!(!seen["events"].as_array().unwrap().is_empty());
        });
    });
}
