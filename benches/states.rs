//! What Step Functions of the local cloud must reach, measured one after the other and held against its bar:
//! what waiting executions cost, how soon a start can be seen, how long a map of ten thousand items takes,
//! and how many transitions a second are sustained. Everything is on disk before it counts.
//!
//! `cargo bench --bench states` (about two minutes); names as arguments pick some: `waiting first map
//! transitions`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use ward::local::bus::Bus;
use ward::local::clock::Clock;
use ward::local::states::States;
use ward::local::store::Store;

/// A measurement by its name.
type Measurement = (&'static str, fn());

const ALL: [Measurement; 4] =
    [("waiting", waiting), ("first", first_event), ("map", map), ("transitions", transitions)];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test` runs benches too, to see whether they would.
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("nothing is measured without --bench");
        return;
    }
    let wanted: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    for (name, measure) in ALL {
        if wanted.is_empty() || wanted.iter().any(|wanted| *wanted == name) {
            measure();
        }
    }
}

/// One line: what was measured, the bar, and whether it is held.
fn say(what: &str, measured: String, bar: &str, held: bool) {
    let verdict = if held { "held" } else { "MISSED" };
    println!("{what:<46} {measured:>28}   bar {bar:<22} {verdict}");
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

/// So many executions, 64 starts at a time.
fn start_many(cloud: &Cloud, count: usize) {
    cloud.runtime.block_on(async {
        let workers = (0..64).map(|worker| {
            let bus = cloud.bus.clone();
            tokio::spawn(async move {
                for _ in (worker..count).step_by(64) {
                    start(&bus, "{}").await;
                }
            })
        });
        for worker in workers.collect::<Vec<_>>() {
            worker.await.unwrap();
        }
    });
}

async fn ended(bus: &Bus, execution: &str) -> Value {
    loop {
        let described =
            bus.call("states", "DescribeExecution", json!({"executionArn": execution})).await.unwrap();
        if described["status"] != "RUNNING" {
            return described;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn a_long_wait() -> Value {
    json!({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 86_400, "End": true}}})
}

/// What 1,000 executions that wait cost in a minute.
fn waiting() {
    let cloud = cloud(&a_long_wait());
    let before = Usage::now();
    start_many(&cloud, 1_000);
    // What was begun is finished before the minute begins.
    std::thread::sleep(Duration::from_secs(2));
    let (from, begun) = (Usage::now(), Instant::now());
    std::thread::sleep(Duration::from_secs(60));
    let (to, seconds) = (Usage::now(), begun.elapsed().as_secs_f64());
    let (Some(before), Some(from), Some(to)) = (before, from, to) else {
        println!("1,000 executions waiting: not measured, there is no /proc here");
        return;
    };
    let share = (to.cpu - from.cpu) / seconds * 100.0;
    say("1,000 executions waiting, CPU in a minute", format!("{share:.3} %"), "<= 0.1 %", share <= 0.1);
    let memory = (to.resident - before.resident) as f64 / 1e6;
    say("1,000 executions waiting, memory", format!("{memory:.1} MB"), "< 20 MB", memory < 20.0);
}

/// Processor time, seconds, and resident memory, bytes, of this process.
struct Usage {
    cpu: f64,
    resident: i64,
}

impl Usage {
    fn now() -> Option<Usage> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // Fields 14 and 15, in ticks of 10 ms; the name in field 2 may have blanks.
        let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split_whitespace().collect();
        let ticks = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
        let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
        let pages: i64 = pages.split_whitespace().nth(1)?.parse().ok()?;
        Some(Usage { cpu: ticks / 100.0, resident: pages * 4096 })
    }
}

/// From StartExecution until GetExecutionHistory shows the first event.
fn first_event() {
    let cloud = cloud(&a_long_wait());
    let mut taken: Vec<f64> = (0..500)
        .map(|_| {
            let begun = Instant::now();
            cloud.runtime.block_on(async {
                let execution = start(&cloud.bus, "{}").await;
                let history = json!({"executionArn": execution});
                let seen = cloud.bus.call("states", "GetExecutionHistory", history).await.unwrap();
                assert!(!seen["events"].as_array().unwrap().is_empty());
            });
            begun.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    taken.sort_by(f64::total_cmp);
    let (median, most) = (taken[taken.len() / 2], taken[taken.len() * 99 / 100]);
    say(
        "StartExecution until its first event is seen",
        format!("{median:.2} ms (99th {most:.2})"),
        "< 5 ms at the median",
        median < 5.0,
    );
}

/// A distributed map over 10,000 small items, from start to end; the slowest of three.
fn map() {
    let processor = json!({
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "P",
        "States": {"P": {"Type": "Pass", "End": true}},
    });
    let definition =
        json!({"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": processor, "End": true}}});
    let items = json!((0..10_000).collect::<Vec<u32>>()).to_string();
    let taken = (0..3).map(|_| {
        let cloud = cloud(&definition);
        let begun = Instant::now();
        cloud.runtime.block_on(async {
            let execution = start(&cloud.bus, &items).await;
            assert_eq!(ended(&cloud.bus, &execution).await["status"], "SUCCEEDED");
        });
        begun.elapsed().as_secs_f64()
    });
    let slowest = taken.fold(0.0, f64::max);
    say("A distributed map of 10,000 items", format!("{slowest:.2} s"), "< 10 s", slowest < 10.0);
}

/// 10,000 executions of ten states, 64 starts at a time; the slowest of three.
fn transitions() {
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
    let definition = json!({"StartAt": "S0", "States": states});
    let rates = (0..3).map(|_| {
        let cloud = cloud(&definition);
        let begun = Instant::now();
        start_many(&cloud, 10_000);
        // A start answers when the whole execution is on disk: none of these waits for anything.
        100_000.0 / begun.elapsed().as_secs_f64()
    });
    let rate = rates.fold(f64::MAX, f64::min);
    say(
        "State transitions in 10,000 executions",
        format!("{rate:.0} a second"),
        ">= 2,000 a second",
        rate >= 2_000.0,
    );
}
