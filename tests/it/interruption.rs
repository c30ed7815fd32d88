//! The pipeline killed in the middle: the cloud, the console, both. Nothing that was acknowledged is lost,
//! and the next start says what was interrupted and goes on with it.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use futures::StreamExt;
use rustix::process::Signal;
use ward::aws::{Aws, follow};
use ward::domain::execution::{Execution, HistoryEvent, Status};
use ward::local::seat;

use crate::support::held::{self, HELD};
use crate::support::pty::Pty;
use crate::support::served::{Detached, Server, connect};

const BUCKET: &str = "healthcare-accreditation-data-pipeline";
const MACHINE: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:HealthcarePipelineStateMachine";

/// A filled cloud whose waits are shorter, what it said until it answered, and clients of it.
async fn filled(home: &Path) -> (Server, String, Aws) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ward"));
    command.args(["local", "--speed", "10", "--as-of", "2026-01-01", "--local-dir"]);
    command.arg(home.join("cloud")).env("HOME", home);
    let mut server = Server::start(command.stderr(Stdio::piped()));
    let mut said = String::new();
    // What it says last before it waits is where its state is.
    for line in BufReader::new(server.stderr().unwrap()).lines().map_while(Result::ok) {
        said.push_str(&line);
        said.push('\n');
        if line.contains("Its state is in") {
            break;
        }
    }
    let aws = connect(&server.url).await;
    (server, said, aws)
}

async fn history(aws: &Aws, arn: &str) -> Vec<HistoryEvent> {
    aws.states.get_execution_history(arn, false, None, 1000).await.unwrap().items
}

async fn over(aws: &Aws, arn: &str) -> Execution {
    loop {
        let run = aws.states.describe_execution(arn).await.unwrap();
        if run.status.is_over() {
            return run;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_goes_on_after_sigkill_and_keeps_every_event() {
    let home = tempfile::tempdir().unwrap();
    let (mut cloud, said, mut aws) = filled(home.path()).await;
    assert!(!said.contains("interrupted"), "{said}");
    let mut runs = Vec::new();
    // In the function's task, in the wait, near the end: wherever the kill happens to fall.
    for events in [3, 6, 9] {
        let key = format!("raw/FAC90{events}.json");
        let record = format!(r#"{{"facility_id":"FAC90{events}","facility_name":"New","state":"ZZ"}}"#);
        aws.s3.put_object(BUCKET, &key, record.into_bytes().into(), "application/json").await.unwrap();
        let arn = aws.states.start_execution(MACHINE, Some(&format!("run-{events}")), "{}").await.unwrap();
        let mut seen = history(&aws, &arn).await;
        while seen.len() < events {
            seen = history(&aws, &arn).await;
        }
        cloud.kill();

        let (again, said, clients) = filled(home.path()).await;
        (cloud, aws) = (again, clients);
        let now = history(&aws, &arn).await;
        assert_eq!(now[..seen.len()], seen[..], "what was recorded stays recorded");
        // Unless it was over already, the next start says that it goes on.
        let told = said.contains("The local cloud was interrupted and goes on")
            && said
                .contains(&format!("The execution run-{events} of HealthcarePipelineStateMachine goes on."));
        assert!(told || now.last().is_some_and(|last| last.kind == "ExecutionSucceeded"), "{said}");
        assert!(aws.s3.head_object(BUCKET, &key).await.unwrap().is_some(), "{key} is there");
        runs.push((arn, key));
    }
    let mut succeeded = 0;
    for (arn, key) in runs {
        let run = over(&aws, &arn).await;
        // A task that was under way may have taken effect or not: it fails, and says why. Whether it is tried
        // again is for the definition to say.
        let cut = run.cause.as_deref().is_some_and(|cause| cause.contains("interrupted while this task ran"));
        assert!(run.status == Status::Succeeded || cut, "{arn}: {:?} {:?}", run.error, run.cause);
        succeeded += usize::from(run.status == Status::Succeeded);
        // The object's event reached the function, after the kill if not before.
        let group = "/aws/lambda/Stage3-AthenaQueryFunction";
        let pattern = format!("{{ $.key = \"{key}\" }}");
        while aws.logs.filter_log_events(group, None, Some(&pattern), None).await.unwrap().items.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let production = aws.s3.list_objects_v2(BUCKET, "production/").await.unwrap();
    assert!(production.len() >= succeeded, "{production:?}");
}

/// A cloud that is away for a while is told once; then that it answers again, though nothing is new.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_followed_run_says_when_there_is_no_answer_and_when_there_is_one_again() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("cloud");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let serve = || Server::of(home.path(), &folder, &["--port", &port]);
    let mut cloud = serve();
    let aws = connect(&cloud.url).await;
    held::make(&aws).await;
    let arn = aws.states.start_execution(HELD, Some("held"), "{}").await.unwrap();
    held::token(&aws, &arn).await;

    let mut events = std::pin::pin!(follow::execution(&aws, &arn));
    let mut seen = Vec::new();
    while seen.last().is_none_or(|last: &HistoryEvent| last.kind != "TaskSubmitted") {
        seen.extend(events.next().await.unwrap().unwrap());
    }
    cloud.kill();
    let error = events.next().await.unwrap().unwrap_err();
    assert!(error.retry(), "{error:?}");
    cloud = serve();
    assert_eq!(events.next().await.unwrap().unwrap(), [], "it answers, and nothing is new");
    held::let_go(&aws, &arn).await;
    while let Some(fresh) = events.next().await {
        seen.extend(fresh.unwrap());
    }
    assert_eq!(seen, history(&aws, &arn).await);
    drop(cloud);
}

fn ward(home: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ward"))
        .args(arguments)
        .args(["--as-of", "2026-01-01", "--local-dir"])
        .arg(home.join("cloud"))
        .env("HOME", home)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The statuses of the executions that are held, the newest first.
fn runs(home: &Path) -> Vec<String> {
    let output = ward(home, &["--state-machine", "Held", "workflows", "list", "--output", "json"]);
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let rows = rows.as_array().cloned().unwrap_or_default();
    rows.iter().map(|row| row["status"].as_str().unwrap_or_default().to_owned()).collect()
}

/// A console in a terminal of its own, at its list of runs.
fn console(home: &Path) -> Pty {
    let mut pty = Pty::shell(home, (100, 30));
    pty.send(&format!("\"$ward\" --as-of 2026-01-01 --local-dir \"$HOME/cloud\" --open workflows/{HELD}\r"));
    pty.wait("the list of runs", |screen| {
        let text = screen.contents();
        text.contains("No execution yet") || text.contains("Duration")
    });
    pty
}

/// Starts an execution that stands still until it is let go; answers its ARN.
async fn start_a_run(pty: &mut Pty, aws: &Aws) -> String {
    pty.send("R");
    pty.see("Start Held");
    pty.send("\x05");
    pty.see("a answer");
    let arn = held::executions(aws).await[0].clone();
    held::token(aws, &arn).await;
    arn
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consoles_and_subcommands_share_a_cloud_that_outlives_them() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let folder = home.join("cloud");
    // Whoever serves, it ends with this test.
    let served = Detached(&folder);
    // Two at once on an empty folder.
    let (one, two) = std::thread::scope(|scope| {
        let run = || ward(home, &["facilities", "list", "--output", "json"]);
        let (one, two) = (scope.spawn(run), scope.spawn(run));
        (one.join().unwrap(), two.join().unwrap())
    });
    assert!(one.status.success(), "{}", String::from_utf8_lossy(&one.stderr));
    assert_eq!(one.stdout, two.stdout);
    let pid = served.pid();
    let aws = served.aws().await;
    held::make(&aws).await;

    // The console is killed: the run goes on, and another one finds it.
    let mut first = console(home);
    let run = start_a_run(&mut first, &aws).await;
    first.signal(Signal::KILL);
    assert_eq!(runs(home), ["RUNNING"]);
    assert_eq!(served.pid(), pid, "one process serves them all");
    let mut second = console(home);
    second.see("running");
    held::let_go(&aws, &run).await;
    second.wait("the run to end", |screen| screen.contents().contains("✔ succeeded"));

    // Console and cloud are killed: the next console starts a cloud, is told, and the run goes on.
    let run = start_a_run(&mut second, &aws).await;
    second.signal(Signal::KILL);
    served.kill();
    let third = console(home);
    third.see("The local cloud was interrupted and goes on");
    assert_ne!(served.pid(), pid);
    held::let_go(&served.aws().await, &run).await;
    third.wait("both runs to be over", |screen| screen.contents().matches("✔ succeeded").count() == 2);
    assert_eq!(runs(home), ["SUCCEEDED", "SUCCEEDED"]);
}

/// The shared cloud is killed under a watch: the watch starts it again, follows the run to its end and exits by
/// the outcome.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watched_run_goes_on_to_its_outcome_when_the_cloud_is_killed() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let folder = home.join("cloud");
    let served = Detached(&folder);
    assert!(ward(home, &["workflows", "list"]).status.success());
    let aws = served.aws().await;
    held::make(&aws).await;
    let pid = served.pid();

    let watch = Command::new(env!("CARGO_BIN_EXE_ward"))
        .args(["--as-of", "2026-01-01", "--state-machine", "Held", "workflows", "start", "--watch"])
        .arg("--local-dir")
        .arg(&folder)
        .env("HOME", home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let run = loop {
        match held::executions(&aws).await.pop() {
            Some(run) => break run,
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    held::token(&aws, &run).await;
    served.kill();
    // Nobody else is there to start it.
    while seat::read(&folder).is_none_or(|serving| serving.pid == pid || !serving.ready) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    held::let_go(&served.aws().await, &run).await;
    let output = watch.wait_with_output().unwrap();
    let (told, talk) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{told}{talk}");
    assert!(told.contains("Hold") && told.contains("After") && told.trim_end().ends_with("s"), "{told}");
    assert!(talk.contains("The local cloud had ended; it serves again and goes on"), "{talk}");
}
