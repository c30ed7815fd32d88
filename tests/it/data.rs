//! The sample in `data/`, and the way of records from a survey to the bucket and back.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use chrono::NaiveDate;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use ward::aws::{self, Aws, Permit, Target};
use ward::domain::expiry::{self, Tier, Window};
use ward::domain::facility::{self, Facility};
use ward::work::cache::Cache;
use ward::work::export::{self, Choice, Sort};
use ward::work::{generate, load};

use crate::support::{self, Local};

const AS_OF: &str = "2026-01-01";
const BUCKET: &str = "healthcare-accreditation-data-pipeline";

fn as_of() -> NaiveDate {
    AS_OF.parse().unwrap()
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name)
}

fn committed() -> Vec<Facility> {
    let text = std::fs::read_to_string(data("facilities.ndjson")).unwrap();
    text.lines().map(|line| facility::read(line.as_bytes()).unwrap()).collect()
}

/// Runs the binary under test, with no settings but these arguments.
fn ward(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ward"))
        .args(arguments)
        .args(["--config", "/dev/null"])
        .env_clear()
        .env("WARD_CACHE", "false")
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn the_committed_data_is_what_the_commands_make() {
    let survey = ward(&["data", "generate", "--count", "250", "--seed", "1", "--as-of", AS_OF]);
    assert_eq!(stdout(&survey), std::fs::read_to_string(data("survey.csv")).unwrap());
    let survey = data("survey.csv");
    let records = ward(&["data", "import", survey.to_str().unwrap(), "--seed", "1", "--as-of", AS_OF]);
    assert_eq!(records.status.code(), Some(0));
    let committed = std::fs::read_to_string(data("facilities.ndjson")).unwrap();
    assert_eq!(stdout(&records), committed);
    let sample = generate::sample(250, 1, as_of());
    let lines: Vec<&str> = sample.iter().map(|record| record.line.as_str()).collect();
    assert_eq!(lines, committed.lines().collect::<Vec<_>>());
    assert_eq!(sample[249].name, "facility-data-250.json");
}

/// The numbers were computed from `data/facilities.ndjson` by a script of its own in Python's standard
/// library (`json`, `datetime.date`, a dictionary of months' lengths), which knows nothing of this crate.
#[test]
fn tiers_and_windows_of_the_sample_are_those_of_an_independent_computation() {
    let facilities = committed();
    let within = |window: &str| {
        let choice = Choice { within: Some(Window::parse(window).unwrap()), ..Choice::default() };
        export::choose(&facilities, &choice, as_of()).len()
    };
    assert_eq!(facilities.len(), 250);
    assert_eq!([within("6mo"), within("90d"), within("1y"), within("2w")], WITHIN);
    let tiers = Tier::ALL.map(|tier| {
        facilities.iter().filter(|facility| expiry::facility_tier(facility, as_of()).0 == tier).count()
    });
    assert_eq!(tiers, TIERS, "lapsed, critical, high, unknown, medium, clear");
    let rows = export::choose(&facilities, &Choice::default(), as_of());
    let first: Vec<(&str, Option<i64>)> =
        rows.iter().take(3).map(|row| (row.facility.facility_id.as_str(), row.days)).collect();
    assert_eq!(first, FIRST);
    let texas = facilities.iter().filter(|facility| facility.state.as_deref() == Some("TX")).count();
    let staff: u64 = facilities.iter().filter_map(|facility| facility.employee_count).sum();
    let services: usize = facilities.iter().map(|facility| facility.services.len()).sum();
    assert_eq!((texas, staff, services), (34, 118_477, 1_123));
}

const WITHIN: [usize; 4] = [144, 83, 201, 23];
const TIERS: [usize; 6] = [15, 33, 50, 0, 60, 92];
const FIRST: [(&str, Option<i64>); 3] = [("FAC105", Some(-73)), ("FAC233", Some(-73)), ("FAC058", Some(-66))];

#[test]
fn validate_names_what_is_bad_and_repairs_copies() {
    let folder = tempfile::tempdir().unwrap();
    let (from, into) = (folder.path().join("from"), folder.path().join("into"));
    std::fs::create_dir(&from).unwrap();
    let line = generate::sample(1, 1, as_of())[0].line.clone();
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(&line).unwrap()).unwrap();
    std::fs::write(from.join("1.json"), &pretty).unwrap();
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let good = ward(&["data", "validate", &path(&from)]);
    assert_eq!((good.status.code(), stdout(&good).as_str()), (Some(0), ""));
    assert!(stderr(&good).contains("1 record in 1 file: all good"), "{}", stderr(&good));

    let bad = line.replace("FAC001", "FAC002").replace("2026-04-27", "2026-02-30");
    std::fs::write(from.join("2.json"), &bad).unwrap();
    std::fs::write(from.join("3.ndjson"), format!("{line}\n{{\n\u{1b}[2J")).unwrap();
    let checked = ward(&["data", "validate", &path(&from), "--output", "json"]);
    assert_eq!(checked.status.code(), Some(1));
    let answer: Value = serde_json::from_str(&stdout(&checked)).unwrap();
    let found: Vec<Value> = (answer["findings"].as_array().unwrap().iter())
        .map(|f| json!([f["file"].as_str().unwrap().rsplit('/').next(), f["line"], f["path"]]))
        .collect();
    let expected = [
        json!(["2.json", 1, "accreditations[0].expiry_date"]),
        json!(["3.ndjson", 1, "facility_id"]),
        json!(["3.ndjson", 2, ""]),
    ];
    assert_eq!(found, expected);
    assert_eq!(answer["summary"]["bad_records"], 3);
    let text = ward(&["data", "validate", &path(&from)]);
    assert!(!stdout(&text).contains('\u{1b}'), "nothing is obeyed");
    assert!(stdout(&text).contains("accreditations[0].expiry_date: 2026-02-30 is not a date"));

    let fixed = ward(&["data", "validate", &path(&from), "--fix", "--into", &path(&into)]);
    assert_eq!(fixed.status.code(), Some(1), "two were left out");
    assert_eq!(std::fs::read_to_string(into.join("1.json")).unwrap(), line + "\n");
    assert_eq!(std::fs::read_dir(&into).unwrap().count(), 1);
    assert_eq!(std::fs::read_to_string(from.join("1.json")).unwrap(), pretty, "originals stay");
    let refused = ward(&["data", "validate", &path(&from), "--fix", "--into", &path(&from)]);
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn a_bad_row_is_named_and_the_others_are_imported() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("survey.csv");
    std::fs::write(&csv, "Organization Name,City,State\nA,Waco,TX\nB,Waco\nC,Waco,TX\n").unwrap();
    let imported = ward(&["data", "import", csv.to_str().unwrap(), "--as-of", AS_OF]);
    assert_eq!(imported.status.code(), Some(1));
    assert!(stderr(&imported).contains("survey.csv, line 3: has 2 cells; the header has 3"));
    let ids: Vec<String> =
        stdout(&imported).lines().map(|line| facility::read(line.as_bytes()).unwrap().facility_id).collect();
    assert_eq!(ids, ["FAC001", "FAC003"]);
}

async fn bucket(local: &Local) -> Aws {
    let target = Target::local(local.cloud.endpoint().url.clone());
    let aws = aws::connect(&target, Permit::ReadWrite).await;
    aws.s3.create_bucket(BUCKET).await.unwrap();
    aws
}

/// Runs the binary against the cloud without stopping the cloud's own thread.
async fn ward_on(local: &Local, arguments: &[&str]) -> Output {
    let url = local.cloud.endpoint().url.clone();
    let mut all: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    all.extend(["--endpoint-url".into(), url, "--as-of".into(), AS_OF.into()]);
    let run = move || ward(&all.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn records_go_to_the_bucket_and_come_back() {
    let local = support::cloud().await;
    let aws = bucket(&local).await;
    let sample = data("facilities.ndjson");
    let upload = ["data", "upload", sample.to_str().unwrap()];

    let refused = ward_on(&local, &upload).await;
    assert_eq!(refused.status.code(), Some(2), "a target that is not local needs --yes");
    let dry = ward_on(&local, &[&upload[..], &["--dry-run", "--output", "ndjson"]].concat()).await;
    assert_eq!(stdout(&dry).lines().count(), 250);
    assert_eq!(aws.s3.list_objects_v2(BUCKET, "raw/").await.unwrap().len(), 0);
    let done = ward_on(&local, &[&upload[..], &["--yes"]].concat()).await;
    assert!(stderr(&done).contains("250 uploaded"), "{}", stderr(&done));
    let again = ward_on(&local, &[&upload[..], &["--yes"]].concat()).await;
    assert!(stderr(&again).contains("0 uploaded") && stderr(&again).contains("250 unchanged"));

    let loaded = load::facilities(&aws, BUCKET, "raw/", None, |_| {}).await.unwrap();
    assert_eq!(loaded.problems, []);
    let back: Vec<&Facility> = loaded.facilities.iter().map(|(_, facility)| facility).collect();
    assert_eq!(back, committed().iter().collect::<Vec<_>>());

    let write = ["facilities", "expiring", "--within", "6mo", "--write", "--output", "ndjson"];
    let refused = ward_on(&local, &[&write[..], &["--read-only", "--yes"]].concat()).await;
    assert_eq!(refused.status.code(), Some(2));
    let written = ward_on(&local, &[&write[..], &["--yes"]].concat()).await;
    assert!(stderr(&written).contains("144 of 250 facilities (57.6 %)"), "{}", stderr(&written));
    assert_eq!(stdout(&written).lines().count(), 144);
    let keys = aws.s3.list_objects_v2(BUCKET, "processed/").await.unwrap();
    assert_eq!(keys.len(), 144);
    assert_eq!(keys[0].key, "processed/expiring-FAC001.json");
    let got = aws.s3.get_object(BUCKET, &keys[0].key).await.unwrap();
    assert_eq!(facility::read(&got.body).unwrap(), committed()[0]);
    let again = ward_on(&local, &[&write[..], &["--yes"]].concat()).await;
    assert!(stderr(&again).contains("144 unchanged"), "{}", stderr(&again));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_objects_are_told_and_the_rest_is_listed() {
    let local = support::cloud().await;
    let aws = bucket(&local).await;
    let sample = generate::sample(3, 1, as_of());
    let put = |key: &'static str, body: String| {
        let aws = aws.clone();
        async move { aws.s3.put_object(BUCKET, key, body.into(), "application/json").await.unwrap() }
    };
    put("raw/1.json", sample[0].line.clone()).await;
    put("raw/2.json", format!("{}\n{}\n", sample[1].line, sample[2].line)).await;
    put("raw/3.json", "{\"facility_id\": ".into()).await;
    put("raw/4.json", sample[0].line.replace("Northern", "\\u001b]52;c;eA==\\u0007")).await;
    let listed = ward_on(&local, &["facilities", "list", "--sort", "id"]).await;
    assert_eq!(listed.status.code(), Some(0));
    let (table, told) = (stdout(&listed), stderr(&listed));
    assert_eq!(table.lines().count(), 4, "{table}");
    assert!(
        table.contains("\\u001b]52;c;eA==\\u0007") && !table.contains('\u{1b}') && !told.contains('\u{1b}')
    );
    assert!(told.contains("raw/3.json: is not JSON"), "{told}");
    assert!(told.contains("FAC001 is in raw/1.json and in raw/4.json"), "{told}");

    let shown = ward_on(&local, &["facilities", "show", "fac002", "--output", "json"]).await;
    let answer: Value = serde_json::from_str(&stdout(&shown)).unwrap();
    assert_eq!((&answer["facility_id"], &answer["object"]["key"]), (&json!("FAC002"), &json!("raw/2.json")));
    let missing = ward_on(&local, &["facilities", "show", "FAC999"]).await;
    assert_eq!(missing.status.code(), Some(1));
    let wrong = ward_on(&local, &["facilities", "list", "--filter", "stat:TX"]).await;
    assert_eq!(wrong.status.code(), Some(2));
    assert!(stderr(&wrong).contains("  ^^^^"), "{}", stderr(&wrong));
    let calendar = ward_on(&local, &["facilities", "list", "--output", "ical"]).await;
    assert!(stdout(&calendar).starts_with("BEGIN:VCALENDAR\r\n"));
    let sorted = load::facilities(&aws, BUCKET, "raw/", None, |_| {}).await.unwrap();
    let facilities: Vec<&Facility> = sorted.facilities.iter().map(|(_, facility)| facility).collect();
    let by_staff = Choice { sort: Sort::Staff, ..Choice::default() };
    assert_eq!(export::choose(&facilities, &by_staff, as_of())[0].facility.facility_id, "FAC002");
}

/// A way to a cloud on which the first line of every request is noted.
async fn overheard(url: &str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = format!("http://{}", listener.local_addr().unwrap());
    let (to, heard) = (url.strip_prefix("http://").unwrap().to_owned(), Arc::new(Mutex::new(Vec::new())));
    let lines = heard.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (to, lines) = (to.clone(), lines.clone());
            tokio::spawn(async move {
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_cloud, mut to_cloud) = TcpStream::connect(to).await.unwrap().into_split();
                tokio::spawn(async move { tokio::io::copy(&mut from_cloud, &mut to_client).await });
                let mut chunk = vec![0; 64 << 10];
                while let Ok(read @ 1..) = from_client.read(&mut chunk).await {
                    let text = String::from_utf8_lossy(&chunk[..read]).into_owned();
                    // Requests without a body come whole, one after the other.
                    lines.lock().unwrap().extend(text.lines().next().map(str::to_owned));
                    to_cloud.write_all(&chunk[..read]).await.unwrap();
                }
            });
        }
    });
    (here, heard)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_objects_that_changed_are_read_again() {
    let local = support::cloud().await;
    let direct = bucket(&local).await;
    let put = |key: &'static str, body: String| {
        let direct = direct.clone();
        async move { direct.s3.put_object(BUCKET, key, body.into(), "application/json").await.unwrap() }
    };
    let sample = generate::sample(6, 1, as_of());
    put("raw/1.json", sample[0].line.clone()).await;
    put("raw/2.json", sample[1].line.clone()).await;
    put("raw/3.json", "{\"facility_id\": ".into()).await;
    put("raw/4.json", format!("{}\n{}\n", sample[2].line, sample[3].line)).await;

    let (url, heard) = overheard(&local.cloud.endpoint().url).await;
    let aws = aws::connect(&Target::local(url), Permit::ReadOnly).await;
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::new(folder.path(), "here".into());
    let read = async |cache: &Cache| {
        heard.lock().unwrap().clear();
        let loaded = load::facilities(&aws, BUCKET, "raw/", Some(cache), |_| {}).await.unwrap();
        let mut read: Vec<String> = heard.lock().unwrap().drain(..).collect();
        read.retain(|line| line.contains("GetObject"));
        let keys = read.iter().map(|line| line.split(['/', '?']).nth(3).unwrap().to_owned());
        let mut keys: Vec<String> = keys.collect();
        keys.sort();
        // What is kept gives the same as what is read, problems and all.
        let fresh = load::facilities(&direct, BUCKET, "raw/", None, |_| {}).await.unwrap();
        assert_eq!(loaded, fresh);
        keys
    };
    assert_eq!(read(&cache).await, ["1.json", "2.json", "3.json", "4.json"]);
    assert_eq!(read(&cache).await, [""; 0]);

    put("raw/2.json", sample[4].line.clone()).await;
    put("raw/5.json", sample[5].line.clone()).await;
    direct.s3.delete_object(BUCKET, "raw/1.json").await.unwrap();
    assert_eq!(read(&cache).await, ["2.json", "5.json"]);
    assert_eq!(read(&cache).await, [""; 0]);
    let again = Cache::new(folder.path(), "here".into());
    assert_eq!(read(&again).await, [""; 0], "another process has it, too");

    // Another place has nothing of it, and neither has anybody of a file that is damaged or cut short.
    let all = ["2.json", "3.json", "4.json", "5.json"];
    assert_eq!(read(&Cache::new(folder.path(), "there".into())).await, all);
    let harms: [fn(&mut Vec<u8>); 2] =
        [|bytes| *bytes.last_mut().unwrap() ^= 1, |bytes| bytes.truncate(bytes.len() - 1)];
    for harm in harms {
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let path = file.unwrap().path();
            let mut bytes = std::fs::read(&path).unwrap();
            harm(&mut bytes);
            std::fs::write(&path, bytes).unwrap();
        }
        assert_eq!(read(&cache).await, all);
        assert_eq!(read(&cache).await, [""; 0]);
    }
    // Where nothing can be kept, all is read.
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let nowhere = Cache::new(&file, "here".into());
    assert_eq!(read(&nowhere).await, all);
    assert_eq!(read(&nowhere).await, all);
}
