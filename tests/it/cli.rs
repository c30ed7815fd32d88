//! The subcommands as scripts use them: exit status, JSON on stdout, talk on stderr; a whole run of the
//! pipeline; and what happens when something is wrong.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use ward::aws::Aws;

use crate::support::served::{Detached, Server, connect};

const BUCKET: &str = "healthcare-accreditation-data-pipeline";

/// The binary under test, with nothing of the environment but a home of its own.
fn ward(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ward"));
    command
        .env_clear()
        .env("HOME", home)
        .env("XDG_DATA_HOME", home.join("data"))
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null());
    command
}

fn run(home: &Path, arguments: &[&str]) -> (i32, String, String) {
    told(ward(home).args(arguments).output().unwrap())
}

fn told(output: Output) -> (i32, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// A served folder, filled, twenty times as quick at waiting.
struct Served {
    home: tempfile::TempDir,
    server: Server,
}

impl Served {
    fn start() -> Served {
        let home = tempfile::tempdir().unwrap();
        let mut command = ward(home.path());
        command.args(["local", "--speed", "20", "--local-dir"]).arg(home.path().join("cloud"));
        let server = Server::start(&mut command);
        Served { home, server }
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let folder = self.home.path().join("cloud");
        told(ward(self.home.path()).args(arguments).arg("--local-dir").arg(folder).output().unwrap())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let (code, data, talk) = self.run(&[arguments, &["--output", "json"]].concat());
        assert!(code == 0 || code == 1, "{arguments:?}: {code}\n{talk}");
        serde_json::from_str(&data).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{data}"))
    }

    async fn aws(&self) -> Aws {
        connect(&self.server.url).await
    }
}

/// The main job by subcommands alone: upload, query, start and watch, find the result in production.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_run_of_the_pipeline() {
    let served = Served::start();
    let record = served.home.path().join("facility-data-900.json");
    let line = r#"{"facility_id":"FAC900","facility_name":"Test Hospital","employee_count":7,"services":["ICU"],"accreditations":[{"name":"CAP","expiry_date":"2030-01-01"}],"state":"ZZ"}"#;
    std::fs::write(&record, line).unwrap();
    let (code, _, talk) = served.run(&["data", "upload", record.to_str().unwrap()]);
    assert_eq!(code, 0, "{talk}");

    let counts = served.json(&["query", "run", "facilities_per_state"]);
    let rows = counts.as_array().unwrap();
    let total: i64 = rows.iter().map(|row| row["facility_count"].as_i64().unwrap()).sum();
    assert_eq!(total, 251, "the sample and the upload");
    let ours = rows.iter().find(|row| row["state"] == "ZZ").unwrap();
    assert_eq!(ours["facility_count"], 1);

    let (code, data, talk) =
        served.run(&["workflows", "start", "--name", "first", "--watch", "--output", "ndjson"]);
    assert_eq!(code, 0, "{data}\n{talk}");
    let events: Vec<Value> = data.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: Vec<i64> = events.iter().map(|event| event["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, (1..=ids.len() as i64).collect::<Vec<_>>(), "each event once, in order");
    assert_eq!(events.last().unwrap()["type"], "ExecutionSucceeded");
    let entered: Vec<&str> = events
        .iter()
        .filter(|event| event["type"].as_str().unwrap().ends_with("StateEntered"))
        .map(|event| event["details"]["name"].as_str().unwrap())
        .collect();
    let path = [
        "InvokeLambdaFunction",
        "WaitForQueryCompletion",
        "CheckQueryStatus",
        "QueryOutcome",
        "QuerySucceeded",
        "CopyResultsToProduction",
    ];
    assert_eq!(entered, path);

    let aws = served.aws().await;
    let production = aws.s3.list_objects_v2(BUCKET, "production/").await.unwrap();
    assert_eq!(production.len(), 1);
    let got = aws.s3.get_object(BUCKET, &production[0].key).await.unwrap();
    let text = String::from_utf8(got.body.to_vec()).unwrap();
    assert!(text.contains("\"ZZ\",\"1\""), "{text}");

    let list = served.json(&["workflows", "list"]);
    assert_eq!((&list[0]["name"], &list[0]["status"]), (&"first".into(), &"SUCCEEDED".into()));
    let shown = served.json(&["workflows", "show", "first"]);
    assert_eq!(shown["states"].as_array().unwrap().len(), path.len());
    let (code, data, _) = served.run(&["workflows", "watch", "first"]);
    assert!(code == 0 && data.contains("CopyResultsToProduction"), "a run that is over is told as well");
    let (code, data, _) = served.run(&["logs", "--since", "1h"]);
    assert!(code == 0 && data.contains("REPORT"), "{data}");
    let (code, data, talk) = served.run(&["logs", "--filter", "no-line-has-this"]);
    assert!(code == 0 && data.is_empty() && talk.contains("matches no-line-has-this"), "{talk}");
    let (code, _, talk) = served.run(&["logs", "--group", "nope"]);
    assert!(code == 3 && talk.contains("Check --group") && !talk.contains("data upload"), "{talk}");
    for verb in ["show", "cancel"] {
        let (code, _, talk) = served.run(&["query", verb, "1234"]);
        assert!(code == 3 && talk.contains("`ward query list` names the queries"), "{talk}");
    }
    let queries = served.json(&["query", "list"]);
    assert!(queries.as_array().unwrap().len() >= 2);
    let id = queries[0]["query_execution_id"].as_str().unwrap();
    assert_eq!(served.json(&["query", "show", id])["state"], "SUCCEEDED");
    let status = served.json(&["status"]);
    assert_eq!(status["facilities"], 251);
    assert_eq!(status["latest_run"]["status"], "SUCCEEDED");
    let (code, data, talk) = served.run(&["doctor"]);
    assert_eq!(code, 0, "{data}\n{talk}");

    // What is wrong is named, and the exit status tells whose fault it is.
    for (sql, word) in [
        ("SELEC 1", "SELEC"),
        ("SELECT nothing FROM facilities", "nothing"),
        ("SELECT * FROM no_such_table", "no_such_table"),
    ] {
        let (code, data, talk) = served.run(&["query", "run", "-e", sql]);
        assert_eq!((code, data.as_str()), (1, ""), "{sql}: {talk}");
        assert!(talk.contains(word) && talk.contains("hint:"), "{sql}: {talk}");
    }
    // StartExecution: a name whose execution is closed is taken, whatever the input.
    for input in ["{}", "{\"a\":1}"] {
        let (code, _, talk) = served.run(&["workflows", "start", "--name", "first", "--input", input]);
        assert!(code == 3 && talk.contains("ExecutionAlreadyExists"), "{talk}");
    }
    assert!(shown["duration"].as_f64().is_some_and(|seconds| seconds > 0.0), "{shown}");
    let (code, _, talk) = served.run(&["workflows", "stop", "first"]);
    assert!(code == 1 && talk.contains("first is SUCCEEDED"), "{talk}");
    let (code, data, talk) = served.run(&["workflows", "list", "--status", "aborted"]);
    assert!(code == 0 && data.is_empty() && talk.contains("No execution is ABORTED"), "{talk}");
    // What is sent is the text that was given, and what is shown is the text that arrived.
    let odd = r#"{"big":12345678901234567890123,"f":1.10,"e":1E3,"dup":1,"dup":2}"#;
    let (code, arn, talk) = served.run(&["workflows", "start", "--name", "odd", "--input", odd]);
    assert_eq!(code, 0, "{talk}");
    assert_eq!(aws.states.describe_execution(arn.trim()).await.unwrap().input.as_deref(), Some(odd));
    let (_, data, talk) = served.run(&["workflows", "show", "odd", "--output", "ndjson"]);
    assert!(data.contains(&format!("\"input\":{odd},")), "{data}\n{talk}");
    let (code, data, talk) = served.run(&["workflows", "watch", "odd"]);
    assert!(code == 0 && data.lines().all(|line| line[12..].starts_with(" UTC  ")), "{data}\n{talk}");
    let (code, _, talk) = served.run(&["workflows", "show", "nobody"]);
    assert!(code == 3 && talk.contains("ExecutionDoesNotExist"), "{talk}");
    let (code, _, talk) = served.run(&["query", "run", "-e", "DROP TABLE facilities", "--read-only"]);
    assert!(code == 2 && talk.contains("read-only"), "{talk}");
    let (code, _, talk) = served.run(&["workflows", "list", "--state-machine", "Nobody"]);
    assert!(code == 3 && talk.contains("HealthcarePipelineStateMachine"), "{talk}");
}

/// Each break fails the run for its own real reason.
#[test]
fn the_demo_works_and_breaks_for_real() {
    let home = tempfile::tempdir().unwrap();
    let demo = |extra: &[&str]| run(home.path(), &[&["demo", "--watch", "--speed", "20"], extra].concat());
    let (code, data, talk) = demo(&[]);
    assert_eq!(code, 0, "{data}\n{talk}");
    for (what, state, word) in [
        ("table", "CheckQueryStatus", "facilities"),
        ("function", "InvokeLambdaFunction", "ATHENA_DATABASE"),
        ("copy", "CopyResultsToProduction", "NoSuchKey"),
    ] {
        let (code, data, talk) = demo(&["--break", what]);
        assert_eq!(code, 1, "{what}: {data}\n{talk}");
        assert!(data.contains(state), "{what}: {data}");
        assert!(talk.contains(word), "{what}: {talk}");
    }
}

#[test]
fn wrong_usage_is_told_before_anything_is_asked() {
    let home = tempfile::tempdir().unwrap();
    let nowhere = ["--endpoint-url", "http://127.0.0.1:1"];
    for (arguments, word) in [
        (vec!["--as-of", "2026-02-30", "status"], "2026-01-01"),
        (vec!["--output", "xml", "status"], "ndjson"),
        (vec!["--context", "nowhere", "status"], "local"),
        (vec!["workflows", "start", "--input", "{oops"], "not JSON"),
        (vec!["workflows", "start", nowhere[0], nowhere[1]], "--yes"),
        (vec!["workflows", "start", "--read-only", "--ephemeral"], "read-only"),
        (vec!["--bucket", "My_Bucket", "status"], "--bucket"),
        (vec!["--within", "soon"], "--within"),
        (vec!["demo", "--speed", "0"], "a number above 0"),
        (vec!["demo", "--speed", "nan"], "a number above 0"),
        (vec!["query", "run"], "<NAME | -e SQL | -f FILE | ->"),
        (vec!["query", "run", "no_such_query"], "query list --saved"),
        (vec!["query", "run", "lapsed", "--param", "bogus=1"], "as_of"),
        (vec!["query", "run", "-e", "SELECT 1; SELECT 2"], "2 statements"),
        (vec!["query", "run", "-f", "/no/such/file"], "/no/such/file"),
        (vec!["frobnicate"], "--help"),
        (vec!["lambda", "--read-only"], "Lambda"),
    ] {
        let (code, data, talk) = run(home.path(), &arguments);
        assert_eq!((code, data.as_str()), (2, ""), "{arguments:?}: {talk}");
        assert!(talk.contains(word), "{arguments:?}: {talk}");
    }
    let config = home.path().join("config.toml");
    std::fs::write(&config, "# one\nbuket = \"x\"\n").unwrap();
    let (code, _, talk) = run(home.path(), &["--config", config.to_str().unwrap(), "status"]);
    assert!(code == 2 && talk.contains("config.toml:2") && talk.contains("bucket"), "{talk}");
}

#[test]
fn what_would_be_done_is_shown_and_not_done() {
    let home = tempfile::tempdir().unwrap();
    let (code, _, talk) =
        run(home.path(), &["workflows", "start", "--dry-run", "--endpoint-url", "http://127.0.0.1:1"]);
    assert!(code == 0 && talk.contains("HealthcarePipelineStateMachine"), "{talk}");
    assert!(talk.contains("http://127.0.0.1:1"), "{talk}");
}

#[test]
fn a_world_that_fails_is_named_with_a_remedy() {
    let home = tempfile::tempdir().unwrap();
    let (code, data, talk) = run(home.path(), &["query", "list", "--endpoint-url", "http://127.0.0.1:1"]);
    assert_eq!((code, data.as_str()), (3, ""), "{talk}");
    assert!(talk.contains("http://127.0.0.1:1") && talk.contains("--endpoint-url"), "{talk}");

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, _, talk) = run(home.path(), &["local", "--ephemeral", "--port", &port]);
    assert!(code == 3 && talk.contains(&port), "{code} {talk}");

    let file = home.path().join("file");
    std::fs::write(&file, "").unwrap();
    let below = file.join("cloud");
    let (code, _, talk) = run(home.path(), &["status", "--local-dir", below.to_str().unwrap()]);
    assert!(code == 3 && talk.contains("file"), "{code} {talk}");
}

/// Help and data alike: what cannot be written is said, with a remedy, and the status tells it.
#[cfg(target_os = "linux")]
#[test]
fn output_that_finds_no_room_is_a_failure() {
    let home = tempfile::tempdir().unwrap();
    let generate = ["data", "generate", "--count", "3", "--seed", "1", "--as-of", "2026-01-01"];
    for arguments in [&["--help"][..], &["--version"], &["completions", "bash"], &generate] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let (code, _, talk) = told(ward(home.path()).args(arguments).stdout(full).output().unwrap());
        assert_eq!(code, 3, "{arguments:?}: {talk}");
        assert!(talk.contains("No space left on device") && talk.contains("hint: Make room"), "{talk}");
    }
}

#[test]
fn settings_tell_where_they_came_from() {
    let home = tempfile::tempdir().unwrap();
    let output = ward(home.path())
        .args(["doctor", "--settings", "--output", "json", "--table", "t"])
        .env("WARD_BUCKET", "bkt")
        .output()
        .unwrap();
    let (code, data, _) = told(output);
    let settings: Value = serde_json::from_str(&data).unwrap();
    let of =
        |name: &str| settings.as_array().unwrap().iter().find(|one| one["setting"] == name).unwrap().clone();
    assert_eq!(code, 0);
    assert_eq!((&of("bucket")["value"], &of("bucket")["origin"]), (&"bkt".into(), &"WARD_BUCKET".into()));
    assert_eq!(of("table")["origin"], "--table");
    assert_eq!(of("database")["origin"], "default");
}

#[test]
fn completions_and_manual_are_written() {
    let home = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let (code, data, _) = run(home.path(), &["completions", shell]);
        assert!(code == 0 && data.contains("workflows"), "{shell}");
    }
    let (code, data, _) = run(home.path(), &["man"]);
    assert!(code == 0 && data.contains(".TH ward"), "{data}");
}

/// Whoever comes first to an empty folder has it filled by what was chosen on its own command line. The
/// date is years away from the clock's: a sample relative to the clock has nothing that expires then.
#[test]
fn a_cloud_is_filled_as_its_first_visitor_chose() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("cloud");
    let _guard = Detached(&folder);
    let place = folder.to_str().unwrap();
    let chosen = ["--local-dir", place, "--bucket", "another-bucket", "--as-of", "2031-03-01"];
    let arguments =
        [&["facilities", "expiring", "--within", "6mo", "--output", "json"], &chosen[..]].concat();
    let (status, data, talk) = run(home.path(), &arguments);
    assert_eq!(status, 0, "{talk}");
    let found: Vec<Value> = serde_json::from_str(&data).unwrap();
    assert!(!found.is_empty(), "{talk}");
    let (_, bucket, _) = run(home.path(), &["facilities", "list", "--output", "json", "--local-dir", place]);
    assert!(!bucket.contains("facility_id"), "the usual bucket was not made: {bucket}");
}
