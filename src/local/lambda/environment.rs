//! One execution environment: a child, its runtime API and its log stream; one invocation at a time.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::FutureExt;
use serde_json::{Value, json};
use uuid::Uuid;

use super::function::Function;
use super::journal::{Journal, Output};
use super::launcher::{Ended, Launch, Launcher, Process};
use super::runtime_api::{Invocation, RuntimeApi, Told};
use crate::local::bus::Bus;

/// How long initialisation may take, as on Lambda.
const INIT: Duration = Duration::from_secs(10);

/// What came of an invocation.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub payload: Value,
    /// FunctionError: the payload then holds `errorType` and `errorMessage`.
    pub failed: bool,
    /// The last 4 KB of its log.
    pub tail: String,
}

pub struct Environment {
    function: Arc<Function>,
    function_arn: String,
    api: RuntimeApi,
    process: Box<dyn Process>,
    journal: Journal,
    output: Output,
    started: Instant,
    /// Initialised, and how long that took; reported with the first invocation.
    init: Option<Duration>,
    used: bool,
    /// The most memory seen, in kB.
    peak: u64,
}

/// How an invocation ended, before it is reported.
enum End {
    Answered(Bytes),
    Failed(Value),
    /// The child is gone or must go; status and error type for the report.
    Lost {
        status: &'static str,
        kind: &'static str,
        message: String,
    },
}

impl Environment {
    /// Starts the child and returns at once; the first invocation waits for it.
    pub async fn start(
        bus: &Arc<Bus>,
        launcher: &dyn Launcher,
        function: Arc<Function>,
    ) -> std::io::Result<Environment> {
        let api = RuntimeApi::open().await?;
        let group = function.log_group();
        let day = bus.clock.now().format("%Y/%m/%d");
        let stream = format!("{day}/[$LATEST]{}", Uuid::new_v4().simple());
        let journal = Journal::open(bus, group.clone(), stream.clone());
        let (reader, writer) = std::io::pipe()?;
        let output = Output::read(OwnedFd::from(reader), journal.clone())?;
        let mut variables = function.variables.clone();
        variables.extend(own_variables(bus, &function, &api, group, stream));
        journal.line(format!("INIT_START Runtime Version: {}", function.runtime));
        let started = Instant::now();
        let launch = Launch { function: function.name.clone(), variables, output: OwnedFd::from(writer) };
        let process = launcher.launch(launch)?;
        Ok(Environment {
            function_arn: function.arn(&bus.region),
            function,
            api,
            process,
            journal,
            output,
            started,
            init: None,
            used: false,
            peak: 0,
        })
    }

    pub fn function(&self) -> &Function {
        &self.function
    }

    /// Whether the child is still there for another invocation.
    pub fn alive(&mut self) -> bool {
        self.process.ended().now_or_never().is_none()
    }

    /// Runs one invocation to its end. The second value says whether another one may follow.
    pub async fn invoke(&mut self, request_id: &str, payload: &Value) -> (Outcome, bool) {
        if let Err(end) = self.initialise().await {
            return (self.report(request_id, end, Duration::ZERO).await, false);
        }
        self.journal.line(format!("START RequestId: {request_id} Version: $LATEST"));
        let timeout = Duration::from_secs(u64::from(self.function.timeout));
        let started = Instant::now();
        let root = Uuid::new_v4().simple().to_string();
        self.api.hand(Invocation {
            request_id: request_id.to_owned(),
            deadline: chrono::Utc::now().timestamp_millis() + i64::from(self.function.timeout) * 1000,
            function_arn: self.function_arn.clone(),
            trace_id: format!(
                "Root=1-{:08x}-{};Parent={};Sampled=0",
                chrono::Utc::now().timestamp(),
                &root[..24],
                &Uuid::new_v4().simple().to_string()[..16]
            ),
            payload: Bytes::from(payload.to_string()),
        });
        let end = tokio::select! {
            // What it told comes before that it ended: a function may answer and leave.
            biased;
            told = self.api.told() => match told {
                Told::Answered(bytes) => End::Answered(bytes),
                Told::Failed(error) | Told::NotReady(error) => End::Failed(error),
                // Ready is told once, before.
                Told::Ready => End::Failed(json!({ "errorType": "Runtime.Unknown", "errorMessage": "ready twice" })),
            },
            ended = self.process.ended() => exited(ended),
            () = tokio::time::sleep(timeout) => timed_out(timeout),
        };
        let duration = started.elapsed();
        let healthy = !matches!(end, End::Lost { .. });
        (self.report(request_id, end, duration).await, healthy)
    }

    async fn initialise(&mut self) -> Result<(), End> {
        if self.init.is_some() {
            return Ok(());
        }
        let end = tokio::select! {
            biased;
            told = self.api.told() => match told {
                Told::NotReady(error) => End::Failed(error),
                _ => {
                    self.init = Some(self.started.elapsed());
                    self.sample();
                    return Ok(());
                }
            },
            ended = self.process.ended() => exited(ended),
            () = tokio::time::sleep(INIT) => timed_out(INIT),
        };
        let took = millis(self.started.elapsed());
        let (status, kind) = match &end {
            End::Lost { status, kind, .. } => (*status, *kind),
            _ => ("error", "Runtime.InitError"),
        };
        self.output.drain().await;
        self.journal.line(format!(
            "INIT_REPORT Init Duration: {took} ms\tPhase: init\tStatus: {status}\tError Type: {kind}"
        ));
        Err(end)
    }

    /// Writes the last lines of an invocation as Lambda does and says what came of it.
    async fn report(&mut self, request_id: &str, end: End, duration: Duration) -> Outcome {
        self.sample();
        if matches!(end, End::Lost { .. }) {
            self.process.kill();
        }
        self.output.drain().await;
        let mut status = String::new();
        let (payload, failed) = match end {
            End::Answered(bytes) => match serde_json::from_slice(&bytes) {
                Ok(payload) => (payload, false),
                Err(error) => {
                    status = "\tStatus: error\tError Type: Runtime.InvalidResponse".into();
                    let message = format!("RequestId: {request_id} Error: The response is not JSON: {error}");
                    (json!({ "errorType": "Runtime.InvalidResponse", "errorMessage": message }), true)
                }
            },
            End::Failed(error) => {
                if let Some(kind) = error["errorType"].as_str() {
                    status = format!("\tStatus: error\tError Type: {kind}");
                }
                (error, true)
            }
            End::Lost { status: word, kind, message } => {
                status = format!("\tStatus: {word}\tError Type: {kind}");
                let message = match word {
                    "timeout" => {
                        status = "\tStatus: timeout".into();
                        let at = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S%.3fZ");
                        self.journal.line(format!("{at} {request_id} {message}"));
                        message
                    }
                    _ => {
                        self.journal.line(format!("RequestId: {request_id} Error: {message}\n{kind}"));
                        message
                    }
                };
                let message = format!("RequestId: {request_id} Error: {message}");
                (json!({ "errorType": kind, "errorMessage": message }), true)
            }
        };
        self.journal.line(format!("END RequestId: {request_id}"));
        let init = if self.used { None } else { self.init };
        self.used = true;
        let billed = (duration + init.unwrap_or_default()).as_secs_f64() * 1000.0;
        let mut report = format!(
            "REPORT RequestId: {request_id}\tDuration: {} ms\tBilled Duration: {} ms\tMemory Size: {} MB",
            millis(duration),
            billed.ceil(),
            self.function.memory
        );
        if self.peak > 0 {
            report.push_str(&format!("\tMax Memory Used: {} MB", self.peak.div_ceil(1024)));
        }
        if let Some(init) = init {
            report.push_str(&format!("\tInit Duration: {} ms", millis(init)));
        }
        report.push_str(&status);
        report.push('\t');
        self.journal.line(report);
        Outcome { payload, failed, tail: self.journal.tail() }
    }

    /// Reads the child's high-water mark from the kernel, where there is one to ask.
    fn sample(&mut self) {
        let Some(id) = self.process.id() else { return };
        let Ok(status) = std::fs::read_to_string(format!("/proc/{id}/status")) else { return };
        let mark = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        if let Some(kb) = mark.and_then(|mark| mark.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()) {
            self.peak = self.peak.max(kb);
        }
    }
}

fn exited(Ended(reason): Ended) -> End {
    End::Lost {
        status: "error",
        kind: "Runtime.ExitError",
        message: match reason {
            Some(reason) => format!("Runtime exited with error: {reason}"),
            None => "Runtime exited without providing a reason".into(),
        },
    }
}

fn timed_out(after: Duration) -> End {
    End::Lost {
        status: "timeout",
        kind: "Sandbox.Timedout",
        message: format!("Task timed out after {:.2} seconds", after.as_secs_f64()),
    }
}

fn millis(duration: Duration) -> String {
    format!("{:.2}", duration.as_secs_f64() * 1000.0)
}

/// What Lambda sets in every environment; the function's own variables cannot change it.
fn own_variables(
    bus: &Bus,
    function: &Function,
    api: &RuntimeApi,
    group: String,
    stream: String,
) -> BTreeMap<String, String> {
    let root = std::env::temp_dir().display().to_string();
    let mut variables = BTreeMap::from(
        [
            ("_HANDLER", function.handler.clone()),
            ("AWS_EXECUTION_ENV", format!("AWS_Lambda_{}", function.runtime)),
            ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".into()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory.to_string()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".into()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", group),
            ("AWS_LAMBDA_LOG_STREAM_NAME", stream),
            ("AWS_LAMBDA_RUNTIME_API", api.address.to_string()),
            ("AWS_REGION", bus.region.clone()),
            ("AWS_DEFAULT_REGION", bus.region.clone()),
            ("AWS_ACCESS_KEY_ID", "local".into()),
            ("AWS_SECRET_ACCESS_KEY", "local".into()),
            ("AWS_SESSION_TOKEN", "local".into()),
            // There is no instance metadata here: do not wait for it.
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
            ("LAMBDA_TASK_ROOT", root),
            ("LAMBDA_RUNTIME_DIR", "/var/runtime".into()),
            ("LANG", "en_US.UTF-8".into()),
            ("PATH", "/usr/local/bin:/usr/bin:/bin".into()),
            ("TZ", ":UTC".into()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    if let Some(url) = bus.endpoint()
        && !function.variables.contains_key("AWS_ENDPOINT_URL")
    {
        variables.insert("AWS_ENDPOINT_URL".into(), url.to_owned());
    }
    variables
}
