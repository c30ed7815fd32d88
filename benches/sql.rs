//! The local Athena beside its engine. Run with `cargo bench --bench sql`.
//!
//! - `per_state`: count per state over 1,000,000 lines of JSON (about 270 MB), by DataFusion alone over the
//!   file, and by the service, from StartQueryExecution to SUCCEEDED. The service is meant to take less than
//!   1.5 times as long.
//! - `facility_metrics`: the shipped query over 250 objects of one record each; meant to take less than 60 ms.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_athena::types::{QueryExecutionContext, QueryExecutionState as State, ResultConfiguration};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_http_client::Builder;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::prelude::{JsonReadOptions, SessionContext};
use divan::Bencher;
use tokio::runtime::Runtime;
use ward::local::lambda::launcher::Program;
use ward::local::{Cloud, CloudOptions};
use ward::sql::{parameters, shipped};

const RECORDS: usize = 1_000_000;
const OBJECTS: usize = 250;
const STATES: [&str; 8] = ["TX", "CA", "FL", "NY", "PA", "OH", "IL", "AZ"];

fn main() {
    divan::main();
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
    _folder: tempfile::TempDir,
}

fn lake() -> &'static Lake {
    static LAKE: OnceLock<Lake> = OnceLock::new();
    LAKE.get_or_init(Lake::filled)
}

impl Lake {
    fn filled() -> Lake {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("records.json");
        let mut written = std::fs::File::create(&file).expect("a file");
        let mut lines = String::new();
        for n in 0..RECORDS {
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
#[divan::bench(sample_count = 5, sample_size = 1)]
fn per_state_engine(bencher: Bencher) {
    let lake = lake();
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let schema = Schema::new(vec![
        text("facility_id"),
        text("state"),
        Field::new("employee_count", DataType::Int32, true),
    ]);
    bencher.bench_local(|| {
        lake.runtime.block_on(async {
            let context = SessionContext::new();
            let options = JsonReadOptions::default().schema(&schema).file_extension("json");
            let path = lake.file.to_string_lossy();
            context.register_json("large", path.as_ref(), options).await.expect("a table");
            let sql = "SELECT state, count(*) AS n FROM large GROUP BY state ORDER BY state";
            let rows = context.sql(sql).await.expect("a plan").collect().await.expect("rows");
            assert_eq!(rows.iter().map(|b| b.num_rows()).sum::<usize>(), STATES.len());
        });
    });
}

/// The same query by the service.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn per_state_service(bencher: Bencher) {
    let lake = lake();
    bencher.bench_local(|| {
        lake.runtime
            .block_on(lake.run("SELECT state, count(*) AS n FROM large GROUP BY state ORDER BY state"));
    });
}

/// Stage 1 of the pipeline over single-record objects.
#[divan::bench(sample_count = 50, sample_size = 1)]
fn facility_metrics(bencher: Bencher) {
    let lake = lake();
    let sql = fill(shipped::FACILITY_METRICS, "small");
    bencher.bench_local(|| lake.runtime.block_on(lake.run(&sql)));
}
