//! The local Lambda service over its runtime API: what an execution environment does, what the
//! caller and the log then say.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use ward::local::bus::{Bus, Event};
use ward::local::clock::Clock;
use ward::local::fault::Fault;
use ward::local::lambda::Lambda;
use ward::local::lambda::launcher::{Ended, Launch, Launcher, Process};
use ward::local::logs::Logs;
use ward::local::store::Store;

/// A child that a test plays: it speaks HTTP to the runtime API, as a real one would.
struct Child {
    api: String,
    variables: BTreeMap<String, String>,
    output: Mutex<std::fs::File>,
}

struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Child {
    async fn ask(&self, method: &str, path: &str, extra: &str, body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(&self.api).await.unwrap();
        let host = if extra.contains("Host:") { String::new() } else { format!("Host: {}\r\n", self.api) };
        let head = format!(
            "{method} /2018-06-01/runtime/{path} HTTP/1.1\r\n{host}{extra}Connection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        Answer {
            status: head[9..12].parse().unwrap(),
            headers: headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(),
            body: answer[end + 4..].to_vec(),
        }
    }

    /// The next invocation: its id, its event, its headers.
    async fn next(&self) -> (String, Value, BTreeMap<String, String>) {
        let answer = self.ask("GET", "invocation/next", "", b"").await;
        assert_eq!(answer.status, 200);
        let id = answer.headers["lambda-runtime-aws-request-id"].clone();
        (id, serde_json::from_slice(&answer.body).unwrap(), answer.headers)
    }

    async fn post(&self, path: &str, body: Value) -> u16 {
        self.ask("POST", path, "", body.to_string().as_bytes()).await.status
    }

    fn print(&self, text: &str) {
        self.output.lock().unwrap().write_all(text.as_bytes()).unwrap();
    }
}

type Script = Arc<dyn Fn(Child) -> BoxFuture<'static, Ended> + Send + Sync>;

struct Stage {
    script: Script,
    launched: Arc<AtomicUsize>,
}

struct Actor {
    ended: Shared<BoxFuture<'static, Ended>>,
    abort: tokio::task::AbortHandle,
}

impl Launcher for Stage {
    fn launch(&self, launch: Launch) -> std::io::Result<Box<dyn Process>> {
        self.launched.fetch_add(1, Ordering::SeqCst);
        let child = Child {
            api: launch.variables["AWS_LAMBDA_RUNTIME_API"].clone(),
            variables: launch.variables,
            output: Mutex::new(launch.output.into()),
        };
        let task = tokio::spawn((self.script)(child));
        let abort = task.abort_handle();
        let ended = task.map(|ended| ended.unwrap_or(Ended(Some("signal: killed".into()))));
        Ok(Box::new(Actor { ended: ended.boxed().shared(), abort }))
    }
}

impl Process for Actor {
    fn id(&self) -> Option<u32> {
        None
    }

    fn ended(&mut self) -> BoxFuture<'_, Ended> {
        self.ended.clone().boxed()
    }

    fn kill(&mut self) {
        self.abort.abort();
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        self.abort.abort();
    }
}

struct House {
    bus: Arc<Bus>,
    launched: Arc<AtomicUsize>,
}

/// A cloud of Lambda and Logs whose one function `f` does what the script says.
async fn house<F, R>(script: F) -> House
where
    F: Fn(Child) -> R + Send + Sync + 'static,
    R: Future<Output = Ended> + Send + 'static,
{
    house_at(Clock::default(), script).await
}

/// Likewise, by another clock.
async fn house_at<F, R>(clock: Clock, script: F) -> House
where
    F: Fn(Child) -> R + Send + Sync + 'static,
    R: Future<Output = Ended> + Send + 'static,
{
    let bus = Bus::new(Store::open(None).unwrap(), clock, "us-east-1");
    let launched = Arc::new(AtomicUsize::new(0));
    let script: Script = Arc::new(move |child| script(child).boxed());
    let stage = Stage { script, launched: launched.clone() };
    bus.register(Lambda::new(&bus, Arc::new(stage)));
    bus.register(Logs::new(&bus));
    let house = House { bus, launched };
    house.ask("CreateFunction", function(&ward::lambda::package())).await.unwrap();
    house
}

fn function(package: &[u8]) -> Value {
    json!({
        "FunctionName": "f", "Runtime": "provided.al2023", "Handler": "bootstrap", "Timeout": 5,
        "Role": "arn:aws:iam::000000000000:role/f", "Code": {"ZipFile": BASE64_STANDARD.encode(package)},
        "Environment": {"Variables": {"ATHENA_DATABASE": "healthcare_pipeline"}},
    })
}

impl House {
    async fn ask(&self, operation: &str, input: Value) -> Result<Value, Fault> {
        self.bus.call("lambda", operation, input).await
    }

    async fn invoke(&self, payload: Value) -> Value {
        let input = json!({"FunctionName": "f", "Payload": payload, "LogType": "Tail"});
        self.ask("Invoke", input).await.unwrap()
    }

    fn launched(&self) -> usize {
        self.launched.load(Ordering::SeqCst)
    }

    /// The log of the function once it has so many REPORT lines.
    async fn log(&self, reports: usize) -> Vec<String> {
        loop {
            let input = json!({"logGroupName": "/aws/lambda/f"});
            let lines = self.bus.call("logs", "FilterLogEvents", input).await.unwrap_or_default();
            let lines: Vec<String> = lines["events"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|event| event["message"].as_str().unwrap().to_owned())
                .collect();
            if lines.iter().filter(|line| line.starts_with("REPORT ")).count() >= reports {
                return lines;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}

fn tail(answer: &Value) -> String {
    String::from_utf8(BASE64_STANDARD.decode(answer["LogResult"].as_str().unwrap()).unwrap()).unwrap()
}

/// Answers every event with itself and says so on stdout.
async fn echo(child: Child) -> Ended {
    loop {
        let (id, event, _) = child.next().await;
        child.print(&format!("got {event}\n"));
        assert_eq!(child.post(&format!("invocation/{id}/response"), event).await, 202);
    }
}

#[tokio::test]
async fn an_answer_and_its_log() {
    let house = house(echo).await;
    let answer = house.invoke(json!({"n": 1})).await;
    assert_eq!(answer["StatusCode"], 200);
    assert_eq!(answer["Payload"], json!({"n": 1}));
    assert_eq!(answer.get("FunctionError"), None);
    let log = house.log(1).await;
    let shape = regex::Regex::new(
        "^INIT_START Runtime Version: provided.al2023\n\
         START RequestId: ([0-9a-f-]{36}) Version: \\$LATEST\n\
         got \\{\"n\":1\\}\n\
         END RequestId: [0-9a-f-]{36}\n\
         REPORT RequestId: [0-9a-f-]{36}\tDuration: \\d+\\.\\d\\d ms\tBilled Duration: \\d+ ms\tMemory Size: 128 MB\
         \tInit Duration: \\d+\\.\\d\\d ms\t$",
    )
    .unwrap();
    assert!(shape.is_match(&log.join("\n")), "{log:#?}");
    assert!(tail(&answer).contains("got {\"n\":1}\n") && tail(&answer).contains("\nREPORT "));
}

#[tokio::test]
async fn an_environment_is_told_what_lambda_tells() {
    let house = house(async |child: Child| {
        let (id, _, headers) = child.next().await;
        let told = json!({"headers": headers, "variables": child.variables});
        child.post(&format!("invocation/{id}/response"), told).await;
        std::future::pending().await
    })
    .await;
    let told = house.invoke(json!({})).await["Payload"].take();
    let variables = &told["variables"];
    assert_eq!(variables["AWS_LAMBDA_FUNCTION_NAME"], "f");
    assert_eq!(variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "128");
    assert_eq!(variables["AWS_LAMBDA_LOG_GROUP_NAME"], "/aws/lambda/f");
    assert_eq!(variables["ATHENA_DATABASE"], "healthcare_pipeline");
    assert_eq!(variables["AWS_REGION"], "us-east-1");
    let stream = regex::Regex::new(r"^\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}$").unwrap();
    assert!(stream.is_match(variables["AWS_LAMBDA_LOG_STREAM_NAME"].as_str().unwrap()));
    let headers = &told["headers"];
    assert_eq!(
        headers["lambda-runtime-invoked-function-arn"],
        "arn:aws:lambda:us-east-1:000000000000:function:f"
    );
    let trace = regex::Regex::new("^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$").unwrap();
    assert!(trace.is_match(headers["lambda-runtime-trace-id"].as_str().unwrap()));
    let deadline: i64 = headers["lambda-runtime-deadline-ms"].as_str().unwrap().parse().unwrap();
    assert!(deadline > chrono::Utc::now().timestamp_millis() - 5_000);
}

#[tokio::test]
async fn a_function_error_keeps_its_shape_and_the_environment() {
    let house = house(async |child: Child| {
        loop {
            let (id, _, _) = child.next().await;
            let error = json!({"errorType": "QueryFailed", "errorMessage": "TABLE_NOT_FOUND"});
            child.post(&format!("invocation/{id}/error"), error).await;
        }
    })
    .await;
    for _ in 0..2 {
        let answer = house.invoke(json!({})).await;
        assert_eq!(answer["FunctionError"], "Unhandled");
        assert_eq!(answer["Payload"], json!({"errorType": "QueryFailed", "errorMessage": "TABLE_NOT_FOUND"}));
    }
    assert_eq!(house.launched(), 1);
    let fault = house.ask("InvokeAsync", json!({"FunctionName": "f", "Payload": {}})).await.unwrap_err();
    assert_eq!(fault.message, "TABLE_NOT_FOUND");
    assert!(house.log(3).await.iter().any(|l| l.contains("\tStatus: error\tError Type: QueryFailed")));
}

/// Every attempt at an event has the id of the request that queued it; an event that was queued without one, by
/// an older program, is invoked all the same.
#[tokio::test]
async fn the_retries_of_an_event_have_one_request_id() {
    let house = house_at(Clock::hurried(10_000.0), async |child: Child| {
        loop {
            let (id, event, _) = child.next().await;
            child.print(&format!("{id} for {event}\n"));
            child
                .post(&format!("invocation/{id}/error"), json!({"errorType": "E", "errorMessage": "no"}))
                .await;
        }
    })
    .await;
    let asked = "11111111-2222-4333-8444-555555555555";
    let event = json!({"FunctionName": "f", "InvocationType": "Event", "Payload": 1, "RequestId": asked});
    assert_eq!(house.ask("Invoke", event).await.unwrap()["StatusCode"], 202);
    let old = Event {
        service: "lambda".into(),
        operation: "InvokeAsync".into(),
        input: json!({"FunctionName": "f", "Payload": 2}),
    };
    house.bus.store.transact(move |tx| Bus::post(tx, &old)).await.unwrap();
    let delivering = tokio::spawn(ward::local::outbox::deliver(house.bus.clone()));
    let log = house.log(6).await;
    delivering.abort();
    let of = |event: &str| -> Vec<String> {
        let lines = log.iter().filter_map(|line| line.trim_end().strip_suffix(&format!(" for {event}")));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(of("1"), [asked; 3]);
    assert_eq!(of("2").len(), 3);
    assert!(log.iter().any(|line| line.starts_with(&format!("START RequestId: {asked} "))), "{log:#?}");
}

#[tokio::test]
async fn an_init_error_is_the_outcome() {
    let house = house(async |child: Child| {
        let error = json!({"errorType": "Runtime.NoConfig", "errorMessage": "no configuration"});
        child.post("init/error", error).await;
        Ended(Some("exit status 1".into()))
    })
    .await;
    for launched in 1..=2 {
        let answer = house.invoke(json!({})).await;
        assert_eq!(answer["FunctionError"], "Unhandled");
        assert_eq!(answer["Payload"]["errorType"], "Runtime.NoConfig");
        assert_eq!(house.launched(), launched, "an environment that failed is not used again");
    }
}

#[tokio::test]
async fn a_crash_names_its_exit_status() {
    let house = house(async |child: Child| {
        child.next().await;
        child.print("last words");
        Ended(Some("exit status 7".into()))
    })
    .await;
    let answer = house.invoke(json!({})).await;
    assert_eq!(answer["Payload"]["errorType"], "Runtime.ExitError");
    let message = answer["Payload"]["errorMessage"].as_str().unwrap();
    assert!(message.ends_with("Error: Runtime exited with error: exit status 7"), "{message}");
    assert!(house.log(1).await.contains(&"last words".to_owned()));
}

#[tokio::test]
async fn a_function_that_takes_too_long_is_ended() {
    let house = house(async |child: Child| {
        child.next().await;
        std::future::pending().await
    })
    .await;
    house.ask("UpdateFunctionConfiguration", json!({"FunctionName": "f", "Timeout": 1})).await.unwrap();
    let answer = house.invoke(json!({})).await;
    assert_eq!(answer["FunctionError"], "Unhandled");
    let message = answer["Payload"]["errorMessage"].as_str().unwrap();
    assert!(message.ends_with("Task timed out after 1.00 seconds"), "{message}");
    let log = house.log(1).await;
    assert!(log.iter().any(|line| line.ends_with("Task timed out after 1.00 seconds")), "{log:#?}");
    assert!(log.last().unwrap().ends_with("\tStatus: timeout\t"), "{log:#?}");
    house.invoke(json!({})).await;
    assert_eq!(house.launched(), 2);
}

#[tokio::test]
async fn a_warm_environment_is_used_again_until_the_function_changes() {
    let house = house(echo).await;
    for n in 0..3 {
        assert_eq!(house.invoke(json!(n)).await["Payload"], n);
    }
    assert_eq!(house.launched(), 1);
    let log = house.log(3).await;
    assert_eq!(log.iter().filter(|line| line.contains("Init Duration")).count(), 1, "{log:#?}");
    let change = json!({"FunctionName": "f", "MemorySize": 256});
    house.ask("UpdateFunctionConfiguration", change).await.unwrap();
    house.invoke(json!(3)).await;
    assert_eq!(house.launched(), 2);
    assert!(house.log(4).await.last().unwrap().contains("Memory Size: 256 MB"));
}

#[tokio::test]
async fn a_warm_environment_that_died_is_replaced() {
    let house = house(async |child: Child| {
        let (id, _, _) = child.next().await;
        child.post(&format!("invocation/{id}/response"), json!("once")).await;
        Ended(None)
    })
    .await;
    assert_eq!(house.invoke(json!({})).await["Payload"], "once");
    while house.launched() < 3 {
        // It may die before or while the next event arrives; the caller sees an answer or the exit.
        let answer = house.invoke(json!({})).await;
        assert!(
            answer["Payload"] == "once" || answer["Payload"]["errorType"] == "Runtime.ExitError",
            "{answer}"
        );
    }
}

#[tokio::test]
async fn invocations_at_once_have_environments_of_their_own() {
    let meeting = Arc::new(Barrier::new(3));
    let house = house(move |child: Child| {
        let meeting = meeting.clone();
        async move {
            let (id, event, _) = child.next().await;
            meeting.wait().await;
            child.post(&format!("invocation/{id}/response"), event).await;
            std::future::pending().await
        }
    })
    .await;
    let (a, b, c) = tokio::join!(house.invoke(json!(1)), house.invoke(json!(2)), house.invoke(json!(3)));
    assert_eq!([&a["Payload"], &b["Payload"], &c["Payload"]], [&json!(1), &json!(2), &json!(3)]);
    assert_eq!(house.launched(), 3);
}

#[tokio::test]
async fn the_runtime_api_answers_its_child_only() {
    let house = house(async |child: Child| {
        let (id, _, _) = child.next().await;
        let path = format!("invocation/{id}/response");
        let foreign = child.ask("POST", &path, "Host: evil.example\r\n", b"1").await.status;
        let page = child.ask("POST", &path, "Origin: http://evil.example\r\n", b"1").await.status;
        let other = child.post("invocation/00000000-0000-0000-0000-000000000000/response", json!(1)).await;
        let unknown = child.ask("GET", "else", "", b"").await.status;
        child.post(&path, json!([foreign, page, other, unknown])).await;
        std::future::pending().await
    })
    .await;
    assert_eq!(house.invoke(json!({})).await["Payload"], json!([403, 403, 400, 404]));
}

#[tokio::test]
async fn somebody_elses_code_is_kept_and_its_invocation_names_the_limit() {
    let house = house(echo).await;
    let empty = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let code = json!({"FunctionName": "f", "ZipFile": BASE64_STANDARD.encode(empty)});
    assert_eq!(house.ask("UpdateFunctionCode", code).await.unwrap()["CodeSize"], 22);
    let answer = house.invoke(json!({})).await;
    assert_eq!(answer["FunctionError"], "Unhandled");
    assert!(answer["Payload"]["errorMessage"].as_str().unwrap().contains("runs only ward's own function"));
    assert_eq!(house.launched(), 0);
}

#[tokio::test]
async fn functions_are_kept_and_errors_named_as_lambda_does() {
    let house = house(echo).await;
    let again = house.ask("CreateFunction", function(&ward::lambda::package())).await.unwrap_err();
    assert_eq!((again.status, again.code.as_str()), (409, "ResourceConflictException"));
    assert_eq!(again.message, "Function already exist: f");
    let missing = house.ask("GetFunction", json!({"FunctionName": "g"})).await.unwrap_err();
    assert_eq!((missing.status, missing.code.as_str()), (404, "ResourceNotFoundException"));
    assert_eq!(missing.message, "Function not found: arn:aws:lambda:us-east-1:000000000000:function:g");

    let permission = json!({"FunctionName": "f", "StatementId": "s3", "Action": "lambda:InvokeFunction",
        "Principal": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::b"});
    house.ask("AddPermission", permission.clone()).await.unwrap();
    assert_eq!(house.ask("AddPermission", permission).await.unwrap_err().code, "ResourceConflictException");
    let policy = house.ask("GetPolicy", json!({"FunctionName": "f"})).await.unwrap();
    let policy: Value = serde_json::from_str(policy["Policy"].as_str().unwrap()).unwrap();
    assert_eq!(policy["Statement"][0]["Principal"], json!({"Service": "s3.amazonaws.com"}));
    assert_eq!(policy["Statement"][0]["Condition"], json!({"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b"}}));

    let dry = json!({"FunctionName": "f", "InvocationType": "DryRun"});
    assert_eq!(house.ask("Invoke", dry).await.unwrap()["StatusCode"], 204);
    house.ask("DeleteFunction", json!({"FunctionName": "f"})).await.unwrap();
    let listed = house.ask("ListFunctions", json!({})).await.unwrap();
    assert_eq!(listed, json!({"Functions": []}));
}
