//! The service as a whole, over objects in memory.

mod catalog;
mod reading;
mod service;
mod writing;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::Athena;
use crate::local::bus::{Bus, ObjectInfo, Objects, Service};
use crate::local::clock::Clock;
use crate::local::fault::Fault;
use crate::local::store::Store;
use crate::sql::{parameters, shipped};

/// One bucket named `lake`.
#[derive(Default)]
pub struct Memory(Mutex<BTreeMap<String, Bytes>>);

impl Memory {
    fn one(&self, bucket: &str, key: &str) -> Result<Bytes, Fault> {
        self.known(bucket)?;
        let found = self.0.lock().unwrap().get(key).cloned();
        found.ok_or_else(|| Fault::new(404, "NoSuchKey", "The specified key does not exist."))
    }

    fn known(&self, bucket: &str) -> Result<(), Fault> {
        if bucket == "lake" {
            return Ok(());
        }
        Err(Fault::new(404, "NoSuchBucket", "The specified bucket does not exist"))
    }
}

fn info(key: &str, body: &Bytes) -> ObjectInfo {
    ObjectInfo {
        key: key.to_owned(),
        size: body.len() as u64,
        etag: String::new(),
        modified: Default::default(),
    }
}

impl Objects for Memory {
    fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<ObjectInfo>, Fault> {
        self.known(bucket)?;
        let all = self.0.lock().unwrap();
        Ok(all.iter().filter(|(k, _)| k.starts_with(prefix)).map(|(k, b)| info(k, b)).collect())
    }

    fn head(&self, bucket: &str, key: &str) -> Result<ObjectInfo, Fault> {
        self.one(bucket, key).map(|body| info(key, &body))
    }

    fn read(&self, bucket: &str, key: &str, range: Option<Range<u64>>) -> Result<Bytes, Fault> {
        let body = self.one(bucket, key)?;
        let length = body.len();
        let range = range.map_or(0..length, |r| (r.start as usize).min(length)..(r.end as usize).min(length));
        Ok(body.slice(range))
    }

    fn write<'a>(
        &'a self,
        bucket: &'a str,
        key: &'a str,
        body: Bytes,
        _: &'a str,
    ) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            self.known(bucket)?;
            self.0.lock().unwrap().insert(key.to_owned(), body);
            Ok(())
        })
    }

    fn delete<'a>(&'a self, _: &'a str, key: &'a str) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            self.0.lock().unwrap().remove(key);
            Ok(())
        })
    }
}

pub struct Lake {
    pub bus: Arc<Bus>,
    pub athena: Arc<Athena>,
    pub objects: Arc<Memory>,
}

pub type Rows = Vec<Vec<Option<String>>>;

impl Lake {
    pub fn empty() -> Lake {
        let bus = Bus::new(Store::open(None).unwrap(), Clock::default(), "us-east-1");
        let objects = Arc::new(Memory::default());
        bus.provide_objects(objects.clone());
        let athena = Athena::new(&bus);
        Lake { bus, athena, objects }
    }

    pub async fn put(&self, key: &str, body: &str) {
        self.objects.write("lake", key, Bytes::from(body.to_owned()), "").await.unwrap();
    }

    /// Three facilities in the shipped table.
    pub async fn with_facilities() -> Lake {
        let lake = Lake::empty();
        for (key, body) in [
            (
                "raw/1.json",
                r#"{"facility_id":"FAC001","facility_name":"Lake \"View\"","employee_count":120,"services":["ICU","Surgery"],"accreditations":[{"name":"CAP","expiry_date":"2026-02-10"},{"name":"JCI","expiry_date":"2027-01-01"}],"state":"TX"}"#,
            ),
            (
                "raw/2.json",
                r#"{"facility_id":"FAC002","facility_name":"Hill","employee_count":80,"services":[],"accreditations":[],"state":"PA"}"#,
            ),
            (
                "raw/3.json",
                r#"{"Facility_ID":"FAC003","facility_name":"Río","employee_count":null,"services":["ICU"],"accreditations":[{"name":"CAP","expiry_date":"2026-02-30"}],"state":"TX","more":{"x":1}}"#,
            ),
        ] {
            lake.put(key, body).await;
        }
        for text in [shipped::CREATE_DATABASE, shipped::CREATE_TABLE] {
            lake.run(&lake.fill(text)).await.unwrap();
        }
        lake
    }

    pub fn fill(&self, text: &str) -> String {
        let values =
            [("bucket".to_owned(), "lake".to_owned()), ("as_of".to_owned(), "2026-01-01".to_owned())];
        parameters::read(text).unwrap().fill(&values.into_iter().collect()).unwrap()
    }

    pub async fn call(&self, operation: &str, input: Value) -> Result<Value, Fault> {
        self.athena.call(operation, input).await
    }

    pub async fn start(&self, sql: &str) -> Result<String, Fault> {
        let started = self
            .call(
                "StartQueryExecution",
                json!({
                    "QueryString": sql,
                    "QueryExecutionContext": { "Database": "healthcare_pipeline" },
                    "ResultConfiguration": { "OutputLocation": "s3://lake/athena-results/" },
                }),
            )
            .await?;
        Ok(started["QueryExecutionId"].as_str().unwrap().to_owned())
    }

    /// The finished execution.
    pub async fn finished(&self, id: &str) -> Value {
        loop {
            let got = self.call("GetQueryExecution", json!({ "QueryExecutionId": id })).await.unwrap();
            let execution = &got["QueryExecution"];
            if !matches!(execution["Status"]["State"].as_str(), Some("QUEUED" | "RUNNING")) {
                return execution.clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// Runs a statement; its rows (with the header of queries), or why it failed.
    pub async fn run(&self, sql: &str) -> Result<Rows, String> {
        let id = self.start(sql).await.map_err(|fault| fault.to_string())?;
        let execution = self.finished(&id).await;
        if execution["Status"]["State"] != "SUCCEEDED" {
            return Err(execution["Status"]["StateChangeReason"].as_str().unwrap_or_default().to_owned());
        }
        let results = self.call("GetQueryResults", json!({ "QueryExecutionId": id })).await.unwrap();
        let cell = |c: &Value| c["VarCharValue"].as_str().map(str::to_owned);
        let row = |r: &Value| r["Data"].as_array().unwrap().iter().map(cell).collect();
        Ok(results["ResultSet"]["Rows"].as_array().unwrap().iter().map(row).collect())
    }

    /// The rows of a query without the header, each joined by `|`; NULL is `-`.
    pub async fn rows(&self, sql: &str) -> Vec<String> {
        let rows = self.run(sql).await.unwrap_or_else(|why| panic!("{sql}: {why}"));
        let line = |r: &Vec<Option<String>>| {
            r.iter().map(|c| c.clone().unwrap_or_else(|| "-".into())).collect::<Vec<_>>().join("|")
        };
        rows.iter().skip(1).map(line).collect()
    }
}

#[tokio::test]
async fn the_pipelines_queries_answer() {
    let lake = Lake::with_facilities().await;
    assert_eq!(
        lake.rows(&lake.fill(shipped::FACILITY_METRICS)).await,
        ["FAC001|Lake \"View\"|120|2|2026-02-10", "FAC002|Hill|80|0|-", "FAC003|Río|-|1|2026-02-30"]
    );
    assert_eq!(lake.rows(&lake.fill(shipped::FACILITIES_PER_STATE)).await, ["TX|2", "PA|1"]);
}

#[tokio::test]
async fn every_saved_query_runs() {
    let lake = Lake::with_facilities().await;
    let mut answers = BTreeMap::new();
    for (name, text) in shipped::SAVED {
        answers.insert(*name, lake.rows(&lake.fill(text)).await);
    }
    assert_eq!(answers["expiring_within"], ["FAC001|Lake \"View\"|TX|CAP|2026-02-10|40"]);
    assert!(answers["lapsed"].is_empty());
    assert_eq!(answers["accreditors"], ["CAP|2|2|2026-02-10", "JCI|1|1|2027-01-01"]);
    assert_eq!(answers["unreadable_dates"], ["FAC003|Río|CAP|2026-02-30"]);
    assert_eq!(answers["services"], ["ICU|2|66.7", "Surgery|1|33.3"]);
    assert_eq!(answers["staff_by_state"], ["TX|2|120|120.0|Lake \"View\"", "PA|1|80|80.0|Hill"]);
    assert_eq!(answers["facilities_by_service"].len(), 2);
    assert_eq!(answers["expiries_per_month"], ["2026-02|1", "2027-01|1"]);
}

#[tokio::test]
async fn failures_have_athenas_words() {
    let lake = Lake::with_facilities().await;
    for (sql, why) in [
        (
            "SELECT facilty_id FROM facilities",
            "SYNTAX_ERROR: line 1:8: Column 'facilty_id' cannot be resolved",
        ),
        (
            "SELECT *\nFROM nope",
            "TABLE_NOT_FOUND: line 2:6: Table 'awsdatacatalog.healthcare_pipeline.nope' does not exist",
        ),
        ("SELECT 1 / 0", "DIVISION_BY_ZERO: Division by zero"),
        ("SELECT CAST('seven' AS INTEGER)", "INVALID_CAST_ARGUMENT: Cannot cast 'seven' to INT"),
        ("SELECT nope(1)", "FUNCTION_NOT_FOUND: line 1:8: Function 'nope' not registered"),
    ] {
        assert_eq!(lake.run(sql).await.unwrap_err(), why, "{sql}");
    }
    let refused = lake.start("SELEC 1").await.unwrap_err();
    assert_eq!(refused.code, "InvalidRequestException");
    assert!(refused.message.starts_with("line 1:1: mismatched input 'SELEC'"), "{refused}");
    let mismatch = lake
        .run("SELECT count(*) FROM facilities CROSS JOIN UNNEST(accreditations) AS t(a) WHERE a.expiry_date < current_date")
        .await
        .unwrap_err();
    assert!(mismatch.starts_with("TYPE_MISMATCH: line 1:"), "{mismatch}");
    assert!(mismatch.ends_with("Cannot apply operator: varchar < date"), "{mismatch}");
}

#[tokio::test]
async fn history_and_results_survive() {
    let lake = Lake::with_facilities().await;
    let id = lake.start("SELECT facility_id, accreditations FROM facilities ORDER BY 1").await.unwrap();
    let execution = lake.finished(&id).await;
    assert_eq!(execution["StatementType"], "DML");
    assert_eq!(execution["Statistics"]["DataScannedInBytes"], json!(scanned(&lake)));
    assert_eq!(
        execution["ResultConfiguration"]["OutputLocation"],
        format!("s3://lake/athena-results/{id}.csv")
    );
    let listed = lake.call("ListQueryExecutions", json!({})).await.unwrap();
    assert_eq!(listed["QueryExecutionIds"][0], id);
    // Paging: the header counts as a row.
    let mut pages = Vec::new();
    let mut token = Value::Null;
    loop {
        let mut input = json!({ "QueryExecutionId": id, "MaxResults": 2 });
        if !token.is_null() {
            input["NextToken"] = token.clone();
        }
        let page = lake.call("GetQueryResults", input).await.unwrap();
        pages.push(page["ResultSet"]["Rows"].as_array().unwrap().len());
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(pages, [2, 2]);
    // The same store, another process.
    let again = Athena::new(&lake.bus);
    let got = again.call("GetQueryExecution", json!({ "QueryExecutionId": id })).await.unwrap();
    assert_eq!(got["QueryExecution"]["Status"]["State"], "SUCCEEDED");
    let unknown = lake.call("GetQueryExecution", json!({ "QueryExecutionId": "x" })).await.unwrap_err();
    assert_eq!(unknown.message, "QueryExecution x was not found");
}

fn scanned(lake: &Lake) -> u64 {
    lake.objects.list("lake", "raw/").unwrap().iter().map(|o| o.size).sum()
}

#[tokio::test]
async fn a_token_starts_a_query_once() {
    let lake = Lake::with_facilities().await;
    let input = |sql: &str| {
        json!({ "QueryString": sql, "ClientRequestToken": "token-0123456789-0123456789-0123456789",
                "ResultConfiguration": { "OutputLocation": "s3://lake/athena-results/" } })
    };
    let first = lake.call("StartQueryExecution", input("SELECT 1")).await.unwrap();
    let second = lake.call("StartQueryExecution", input("SELECT 1")).await.unwrap();
    assert_eq!(first, second);
    let other = lake.call("StartQueryExecution", input("SELECT 2")).await.unwrap_err();
    assert_eq!(other.message, "Idempotent parameters do not match");
}

#[tokio::test]
async fn a_query_is_stopped_at_once() {
    let lake = Lake::with_facilities().await;
    // Far more rows than could be counted in the time of this test.
    let id = lake
        .start("SELECT count(*) FROM UNNEST(sequence(1, 9999)) a(x) CROSS JOIN UNNEST(sequence(1, 9999)) b(y) CROSS JOIN UNNEST(sequence(1, 9999)) c(z)")
        .await
        .unwrap();
    lake.call("StopQueryExecution", json!({ "QueryExecutionId": id })).await.unwrap();
    assert_eq!(lake.finished(&id).await["Status"]["State"], "CANCELLED");
    assert!(!lake.athena.busy());
    lake.call("StopQueryExecution", json!({ "QueryExecutionId": id })).await.unwrap();
}

#[tokio::test]
async fn queries_that_never_wait_hold_up_nobody() {
    let lake = Lake::with_facilities().await;
    // Each of them works on one batch of rows for a very long time.
    let mut busy = Vec::new();
    for sql in [
        "SELECT count(*) FROM UNNEST(sequence(1, 9999)) a(x) CROSS JOIN UNNEST(sequence(1, 9999)) b(y) \
         CROSS JOIN UNNEST(sequence(1, 9999)) c(z) WHERE (x * y + z) % 7 = 3",
        "SELECT sum(reduce(sequence(1, 10000), BIGINT '0', (s, x) -> (s * x + y) % 1000003, s -> s)) \
         FROM UNNEST(sequence(1, 10000)) a(x) CROSS JOIN UNNEST(sequence(1, 10000)) b(y)",
        "SELECT count(*) FROM UNNEST(sequence(1, 9999)) a(x) JOIN UNNEST(sequence(1, 9999)) b(y) ON x < y \
         JOIN UNNEST(sequence(1, 9999)) c(z) ON x < z",
    ] {
        busy.push(lake.start(sql).await.unwrap());
    }
    for n in ["1", "2", "3"] {
        assert_eq!(lake.rows(&format!("SELECT {n}")).await, [n]);
    }
    for id in &busy {
        lake.call("StopQueryExecution", json!({ "QueryExecutionId": id })).await.unwrap();
        assert_eq!(lake.finished(id).await["Status"]["State"], "CANCELLED");
    }
    // What worked for them lets go of the objects; the lake and its bus keep theirs.
    while Arc::strong_count(&lake.objects) > 2 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_plan_that_doubles_without_end_is_refused() {
    let lake = Lake::with_facilities().await;
    let doubled = |levels: usize| {
        let steps = (1..=levels).map(|n| {
            let before = n - 1;
            format!("t{n} AS (SELECT a.x FROM t{before} a JOIN t{before} b ON a.x = b.x)")
        });
        let steps: Vec<String> = std::iter::once("t0 AS (SELECT 1 AS x)".to_owned()).chain(steps).collect();
        format!("WITH {} SELECT count(*) FROM t{levels}", steps.join(", "))
    };
    assert_eq!(lake.rows(&doubled(4)).await, ["1"]);
    let why = lake.run(&doubled(40)).await.unwrap_err();
    assert!(why.starts_with("QUERY_HAS_TOO_MANY_STAGES: "), "{why}");
}

#[tokio::test]
async fn a_query_cut_off_by_the_clouds_end_is_run_again_or_says_so() {
    let endless = "SELECT count(*) AS n FROM UNNEST(sequence(1, 9999)) a(x) \
                   CROSS JOIN UNNEST(sequence(1, 9999)) b(y) CROSS JOIN UNNEST(sequence(1, 9999)) c(z)";
    let lake = Lake::with_facilities().await;
    let reads = lake.start(endless).await.unwrap();
    let writes = lake.start(&format!("CREATE TABLE counted AS {endless}")).await.unwrap();
    lake.bus.stopping.cancel();
    while lake.athena.busy() {
        tokio::task::yield_now().await;
    }
    let again = Athena::new(&lake.bus);
    again.resume().await;
    let status = async |id: &str| {
        let got = again.call("GetQueryExecution", json!({ "QueryExecutionId": id })).await.unwrap();
        got["QueryExecution"]["Status"].clone()
    };
    assert_ne!(status(&reads).await["State"], "FAILED");
    assert_eq!(status(&writes).await["State"], "FAILED");
    let reason = status(&writes).await["StateChangeReason"].as_str().unwrap().to_owned();
    assert!(reason.contains("The local cloud stopped while"), "{reason}");
}
