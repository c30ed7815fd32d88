//! The local Athena beside its engine. Run with `cargo bench --bench sql`; `WARD_BENCH_RECORDS` sets how many
//! records there are (1,000,000 unless said otherwise, about 270 MB).
//!
//! - Count per state over all records, by DataFusion alone over the file (with as many threads and the same
//!   settings) and by the service, from StartQueryExecution to SUCCEEDED, in turns. The service is meant to
//!   take less than 1.5 times as long, and less than 600 MB.
//! - The shipped facility metrics over 250 objects of one record each; meant to take less than 60 ms.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_athena::types::{QueryExecutionContext, QueryExecutionState as State, ResultConfiguration};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_http_client::Builder;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::prelude::{JsonReadOptions, SessionConfig, SessionContext, col, lit};
use tokio::runtime::Runtime;
use ward::local::lambda::launcher::Program;
use ward::local::{Cloud, CloudOptions};
use ward::sql::{parameters, shipped};

const OBJECTS: usize = 250;
/// Runs of the count by each side, and of the metrics.
const COUNTS: usize = 7;
const METRICS: usize = 50;
const PER_STATE: &str = "SELECT state, count(*) AS n FROM large GROUP BY state ORDER BY state";
const STATES: [&str; 8] = ["TX", "CA", "FL", "NY", "PA", "OH", "IL", "AZ"];

fn main() {
    // `cargo test --benches` only wants to know that it runs.
    let brief = std::env::args().any(|a| a == "--test") || !std::env::args().any(|a| a == "--bench");
    let asked = std::env::var("WARD_BENCH_RECORDS").ok().and_then(|n| n.parse().ok());
    let records = asked.unwrap_or(if brief { 2_000 } else { 1_000_000 });
    let lake = Lake::filled(records);
    let threads = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 8);
    let engine = Runtime::new().expect("a runtime");
    let (counts, metrics) = if brief { (1, 2) } else { (COUNTS, METRICS) };

    let before = resident("VmRSS");
    forget_peak();
    let first = timed(|| lake.runtime.block_on(lake.run(PER_STATE)));
    let peak = resident("VmHWM");
    println!("count per state, {records} records, {} MB, {threads} threads", lake.bytes >> 20);
    println!("  first by the service {first:.3} s; resident {before} MB before, {peak} MB at most");
    let (mut alone, mut service) = (Vec::new(), Vec::new());
    for _ in 0..counts {
        alone.push(timed(|| engine.block_on(per_state(&lake.file, threads))));
        service.push(timed(|| lake.runtime.block_on(lake.run(PER_STATE))));
    }
    let (alone, service) = (Spread::of(alone), Spread::of(service));
    println!("  engine alone {alone}");
    println!("  service      {service}");
    println!("  ratio {:.2} of the medians; meant to be below 1.5", service.median / alone.median);

    let sql = fill(shipped::FACILITY_METRICS, "small");
    let runs = (0..metrics).map(|_| timed(|| lake.runtime.block_on(lake.run(&sql))));
    let runs = Spread::of(runs.collect());
    println!("facility metrics, {OBJECTS} objects\n  service      {runs}; meant to be below 0.060 s");
    println!("resident now {} MB (client, cloud and engine in one process)", resident("VmRSS"));
}

fn timed(work: impl FnOnce()) -> f64 {
    let began = Instant::now();
    work();
    began.elapsed().as_secs_f64()
}

/// How long several runs took, seconds.
struct Spread {
    least: f64,
    median: f64,
    most: f64,
}

impl Spread {
    fn of(mut all: Vec<f64>) -> Spread {
        all.sort_by(f64::total_cmp);
        let at = |n: usize| all.get(n).copied().unwrap_or(f64::NAN);
        Spread { least: at(0), median: at(all.len() / 2), most: at(all.len().saturating_sub(1)) }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "median {:.3} s (from {:.3} to {:.3})", self.median, self.least, self.most)
    }
}

/// A line of this process's status, MB; 0 where the system has none.
fn resident(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':'));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) >> 10
}

/// Sets the peak back to what is resident now, where the system can.
fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// A record like those of the pipeline; `n` makes it differ from the others.
fn record(n: usize, out: &mut String) {
    let state = STATES[n * 7 % STATES.len()];
    let staff = 20 + n * 31 % 480;
    let (month, day) = (n % 12 + 1, n % 28 + 1);
    // Writing into a String cannot fail.
    let _ = writeln!(
        out,
        r#"{{"facility_id":"FAC{n:07}","facility_name":"Community General Hospital {n}","employee_count":{staff},"services":["Emergency Care","Neurology","ICU","Oncology"],"accreditations":[{{"name":"CAP","expiry_date":"2027-{month:02}-{day:02}"}},{{"name":"JCI","expiry_date":"2028-{month:02}-{day:02}"}}],"state":"{state}"}}"#
    );
}

/// A cloud with both tables, and the file that the larger one is made of.
struct Lake {
    runtime: Runtime,
    _cloud: Cloud,
    athena: aws_sdk_athena::Client,
    file: PathBuf,
    /// The size of the file.
    bytes: u64,
    _folder: tempfile::TempDir,
}

impl Lake {
    fn filled(records: usize) -> Lake {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("records.json");
        let mut written = std::fs::File::create(&file).expect("a file");
        let mut lines = String::new();
        for n in 0..records {
            record(n, &mut lines);
            if lines.len() > 1 << 20 {
                written.write_all(lines.as_bytes()).expect("room");
                lines.clear();
            }
        }
        written.write_all(lines.as_bytes()).expect("room");
        drop(written);
        let runtime = Runtime::new().expect("a runtime");
        let options = CloudOptions {
            folder: Some(folder.path().join("cloud")),
            ..CloudOptions::new(Arc::new(Program::new("ward", &["lambda"])))
        };
        let cloud = runtime.block_on(Cloud::start(options)).expect("a cloud");
        let endpoint = cloud.endpoint();
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(endpoint.region.clone()))
            .endpoint_url(&endpoint.url)
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "b", "b", None, None, "bench",
            )))
            .http_client(Builder::new().build_http())
            .sleep_impl(Arc::new(Sleep) as Arc<dyn aws_sdk_s3::config::AsyncSleep>)
            .build();
        let lake = Lake {
            athena: aws_sdk_athena::Client::new(&config),
            runtime,
            _cloud: cloud,
            bytes: std::fs::metadata(&file).map_or(0, |m| m.len()),
            file,
            _folder: folder,
        };
        lake.runtime.block_on(lake.fill(&config));
        lake
    }

    async fn fill(&self, config: &SdkConfig) {
        let s3 = aws_sdk_s3::Client::from_conf(
            aws_sdk_s3::config::Builder::from(config).force_path_style(true).build(),
        );
        s3.create_bucket().bucket("lake").send().await.expect("a bucket");
        let body = ByteStream::from_path(&self.file).await.expect("the file");
        s3.put_object().bucket("lake").key("large/records.json").body(body).send().await.expect("an object");
        for n in 0..OBJECTS {
            let mut line = String::new();
            record(n, &mut line);
            let key = format!("small/{n}.json");
            s3.put_object()
                .bucket("lake")
                .key(key)
                .body(line.into_bytes().into())
                .send()
                .await
                .expect("an object");
        }
        self.run(&fill(shipped::CREATE_DATABASE, "")).await;
        for prefix in ["large", "small"] {
            self.run(&fill(shipped::CREATE_TABLE, prefix)).await;
        }
    }

    async fn run(&self, sql: &str) {
        let context = QueryExecutionContext::builder().database("bench").build();
        let output = ResultConfiguration::builder().output_location("s3://lake/results/").build();
        let started = self
            .athena
            .start_query_execution()
            .query_string(sql)
            .query_execution_context(context)
            .result_configuration(output)
            .send()
            .await
            .expect("a started query");
        let id = started.query_execution_id.expect("an id");
        loop {
            let got =
                self.athena.get_query_execution().query_execution_id(&id).send().await.expect("a query");
            let status = got.query_execution.and_then(|q| q.status).expect("a status");
            match status.state {
                Some(State::Succeeded) => return,
                Some(State::Queued | State::Running) => tokio::time::sleep(Duration::from_millis(1)).await,
                _ => panic!("{sql}: {:?}", status.state_change_reason),
            }
        }
    }
}

/// The SDK retries and times out by this.
#[derive(Debug)]
struct Sleep;

impl aws_sdk_s3::config::AsyncSleep for Sleep {
    fn sleep(&self, duration: Duration) -> aws_sdk_s3::config::Sleep {
        aws_sdk_s3::config::Sleep::new(tokio::time::sleep(duration))
    }
}

/// A shipped statement for the table of a prefix.
fn fill(text: &str, prefix: &str) -> String {
    let values = [
        ("database", "bench".to_owned()),
        ("table", prefix.to_owned()),
        ("bucket", "lake".to_owned()),
        ("prefix", format!("{prefix}/")),
    ];
    let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    parameters::read(text).expect("a shipped text").fill(&values).expect("all its parameters")
}

/// DataFusion over the file, told the columns as the service is.
async fn per_state(file: &std::path::Path, threads: usize) {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let schema = Schema::new(vec![
        text("facility_id"),
        text("state"),
        Field::new("employee_count", DataType::Int32, true),
    ]);
    let config = SessionConfig::new().with_target_partitions(threads).with_collect_statistics(false);
    let context = SessionContext::new_with_config(config);
    let options = JsonReadOptions::default().schema(&schema).file_extension("json");
    context.register_json("large", file.to_string_lossy().as_ref(), options).await.expect("a table");
    let counted = context.table("large").await.expect("a table");
    let counted = counted.aggregate(vec![col("state")], vec![count(lit(1_i64)).alias("n")]).expect("a plan");
    let sorted = counted.sort(vec![col("state").sort(true, false)]).expect("a plan");
    let rows = sorted.collect().await.expect("rows");
    assert_eq!(rows.iter().map(|b| b.num_rows()).sum::<usize>(), STATES.len());
}
