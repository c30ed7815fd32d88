//! Athena: the catalog, queries, their failures, results and history.

mod service;
mod tables;

use aws_sdk_athena::Client;
use aws_sdk_athena::error::ProvideErrorMetadata;
use aws_sdk_athena::types::{
    QueryExecution, QueryExecutionContext, QueryExecutionState as State, ResultConfiguration,
};
use aws_sdk_s3::primitives::ByteStream;
use ward::sql::{parameters, shipped};

use crate::support::{Local, cloud};

const LAKE: &str = "lake";

/// What a test works with: a bucket with facilities, and the shipped database and table.
struct Lake {
    local: Local,
    athena: Client,
}

/// Four facilities, two of them in Texas; the third has neither services nor accreditations.
const FACILITIES: [(&str, &str); 4] = [
    (
        "FAC001",
        r#"{"facility_id":"FAC001","facility_name":"Lakeside","employee_count":120,"services":["ICU","Surgery"],"accreditations":[{"name":"CAP","expiry_date":"2026-02-10"},{"name":"JCI","expiry_date":"2027-01-01"}],"state":"TX"}"#,
    ),
    (
        "FAC002",
        r#"{"facility_id":"FAC002","facility_name":"Central, \"North\"","employee_count":80,"services":["ICU"],"accreditations":[{"name":"DNV","expiry_date":"2026-06-30"}],"state":"PA"}"#,
    ),
    (
        "FAC003",
        r#"{"facility_id":"FAC003","facility_name":"Hill","employee_count":15,"services":[],"accreditations":[],"state":"TX"}"#,
    ),
    ("FAC004", r#"{"facility_id":"FAC004","facility_name":"Río","state":"AZ"}"#),
];

impl Lake {
    async fn filled() -> Lake {
        let local = cloud().await;
        let s3 = local.s3();
        s3.create_bucket().bucket(LAKE).send().await.unwrap();
        for (id, record) in FACILITIES {
            let body = ByteStream::from_static(record.as_bytes());
            s3.put_object().bucket(LAKE).key(format!("raw/{id}.json")).body(body).send().await.unwrap();
        }
        let athena = Client::new(&local.config);
        let lake = Lake { local, athena };
        for statement in [shipped::CREATE_DATABASE, shipped::CREATE_TABLE] {
            let done = lake.run(&fill(statement)).await;
            assert_eq!(done.status().unwrap().state(), Some(&State::Succeeded), "{done:?}");
        }
        lake
    }

    async fn start(&self, sql: &str) -> String {
        let context = QueryExecutionContext::builder().database("healthcare_pipeline").build();
        let output = ResultConfiguration::builder().output_location("s3://lake/athena-results/").build();
        let started = self
            .athena
            .start_query_execution()
            .query_string(sql)
            .query_execution_context(context)
            .result_configuration(output)
            .send()
            .await
            .unwrap_or_else(|e| panic!("{sql}: {:?}", e.into_service_error()));
        started.query_execution_id.unwrap()
    }

    async fn finished(&self, id: &str) -> QueryExecution {
        loop {
            let got = self.athena.get_query_execution().query_execution_id(id).send().await.unwrap();
            let execution = got.query_execution.unwrap();
            match execution.status().and_then(|s| s.state()) {
                Some(State::Queued | State::Running) => {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
                _ => return execution,
            }
        }
    }

    async fn run(&self, sql: &str) -> QueryExecution {
        self.finished(&self.start(sql).await).await
    }

    /// The rows of a finished query with its header, cells joined by `|`, NULL as `-`.
    async fn rows(&self, id: &str) -> Vec<String> {
        let results = self.athena.get_query_results().query_execution_id(id).send().await.unwrap();
        results.result_set().unwrap().rows().iter().map(line).collect()
    }

    async fn answer(&self, sql: &str) -> Vec<String> {
        let id = self.start(sql).await;
        let done = self.finished(&id).await;
        assert_eq!(done.status().unwrap().state(), Some(&State::Succeeded), "{done:?}");
        self.rows(&id).await
    }

    async fn reason(&self, sql: &str) -> String {
        let done = self.run(sql).await;
        let status = done.status().unwrap();
        assert_eq!(status.state(), Some(&State::Failed), "{sql}");
        assert_eq!(status.athena_error().unwrap().error_category(), Some(2), "{sql}");
        status.state_change_reason().unwrap().to_owned()
    }
}

fn line(row: &aws_sdk_athena::types::Row) -> String {
    row.data().iter().map(|d| d.var_char_value().unwrap_or("-")).collect::<Vec<_>>().join("|")
}

fn fill(text: &str) -> String {
    let values = [("bucket".to_owned(), LAKE.to_owned())];
    parameters::read(text).unwrap().fill(&values.into_iter().collect()).unwrap()
}

#[tokio::test]
async fn the_metrics_of_stage_one() {
    let lake = Lake::filled().await;
    assert_eq!(
        lake.answer(&fill(shipped::FACILITY_METRICS)).await,
        [
            "facility_id|facility_name|employee_count|services_offered|first_accreditation_expiry",
            "FAC001|Lakeside|120|2|2026-02-10",
            "FAC002|Central, \"North\"|80|1|2026-06-30",
            "FAC003|Hill|15|0|-",
            "FAC004|Río|-|-|-",
        ]
    );
}

#[tokio::test]
async fn the_count_per_state_of_stage_three_and_its_objects() {
    let lake = Lake::filled().await;
    let id = lake.start(&fill(shipped::FACILITIES_PER_STATE)).await;
    let done = lake.finished(&id).await;
    assert_eq!(lake.rows(&id).await, ["state|facility_count", "TX|2", "AZ|1", "PA|1"]);
    let scanned: usize = FACILITIES.iter().map(|(_, record)| record.len()).sum();
    assert_eq!(done.statistics().unwrap().data_scanned_in_bytes(), Some(scanned as i64));
    assert!(done.status().unwrap().completion_date_time() >= done.status().unwrap().submission_date_time());
    let key = format!("athena-results/{id}.csv");
    let output = done.result_configuration().unwrap().output_location().unwrap();
    assert_eq!(output, format!("s3://lake/{key}"));
    let body = lake.local.s3().get_object().bucket(LAKE).key(&key).send().await.unwrap();
    let csv = body.body.collect().await.unwrap().into_bytes();
    let expected: &[u8] = b"\"state\",\"facility_count\"\n\"TX\",\"2\"\n\"AZ\",\"1\"\n\"PA\",\"1\"\n";
    assert_eq!(&csv[..], expected);
    lake.local.s3().head_object().bucket(LAKE).key(format!("{key}.metadata")).send().await.unwrap();
}

#[tokio::test]
async fn unnest_dates_and_types() {
    let lake = Lake::filled().await;
    assert_eq!(
        lake.answer(
            "SELECT f.facility_id, a.name, date_diff('day', DATE '2026-01-01', date(a.expiry_date)) AS days \
             FROM facilities f CROSS JOIN UNNEST(f.accreditations) AS t(a) \
             WHERE date(a.expiry_date) BETWEEN DATE '2026-01-01' AND DATE '2026-01-01' + INTERVAL '6' MONTH ORDER BY 3"
        )
        .await,
        ["facility_id|name|days", "FAC001|CAP|40", "FAC002|DNV|180"]
    );
    let id = lake
        .start("SELECT accreditations, services, 1.5, count(*) OVER () FROM facilities WHERE state = 'PA'")
        .await;
    lake.finished(&id).await;
    let results = lake.athena.get_query_results().query_execution_id(&id).send().await.unwrap();
    let set = results.result_set().unwrap();
    let columns: Vec<String> = set
        .result_set_metadata()
        .unwrap()
        .column_info()
        .iter()
        .map(|c| format!("{} {}", c.name(), c.r#type()))
        .collect();
    assert_eq!(columns, ["accreditations array", "services array", "_col2 decimal", "_col3 bigint"]);
    assert_eq!(line(&set.rows()[1]), "[{name=DNV, expiry_date=2026-06-30}]|[ICU]|1.5|1");
}

#[tokio::test]
async fn failures_say_what_and_where() {
    let lake = Lake::filled().await;
    assert_eq!(
        lake.reason("SELECT facilty_id FROM facilities").await,
        "SYNTAX_ERROR: line 1:8: Column 'facilty_id' cannot be resolved"
    );
    assert_eq!(
        lake.reason("SELECT * FROM nope").await,
        "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.healthcare_pipeline.nope' does not exist"
    );
    assert!(lake.reason("DROP TABLE nope").await.starts_with("FAILED: SemanticException"));
    let output = ResultConfiguration::builder().output_location("s3://lake/out/").build();
    let start = |sql: &str| lake.athena.start_query_execution().query_string(sql);
    let refused =
        start("SELEC 1").result_configuration(output).send().await.unwrap_err().into_service_error();
    assert!(refused.is_invalid_request_exception(), "{refused:?}");
    assert!(refused.message().unwrap().starts_with("line 1:1: mismatched input 'SELEC'"), "{refused:?}");
    let homeless = start("SELECT 1").send().await.unwrap_err().into_service_error();
    assert!(homeless.message().unwrap().starts_with("No output location provided"), "{homeless:?}");
    let elsewhere = ResultConfiguration::builder().output_location("s3://no-such-bucket/").build();
    let nowhere =
        start("SELECT 1").result_configuration(elsewhere).send().await.unwrap_err().into_service_error();
    assert!(nowhere.message().unwrap().starts_with("Unable to verify/create output bucket"), "{nowhere:?}");
}

#[tokio::test]
async fn a_query_is_cancelled() {
    let lake = Lake::filled().await;
    let id = lake
        .start(
            "SELECT count(*) FROM UNNEST(sequence(1, 9999)) a(x) CROSS JOIN UNNEST(sequence(1, 9999)) b(y) \
             CROSS JOIN UNNEST(sequence(1, 9999)) c(z)",
        )
        .await;
    lake.athena.stop_query_execution().query_execution_id(&id).send().await.unwrap();
    let done = lake.finished(&id).await;
    assert_eq!(done.status().unwrap().state(), Some(&State::Cancelled));
    let refused = lake.athena.get_query_results().query_execution_id(&id).send().await.unwrap_err();
    let refused = refused.into_service_error();
    assert_eq!(refused.message(), Some("Query did not finish successfully. Final query state: CANCELLED"));
    // The next query has the engine for itself.
    assert_eq!(lake.answer("SELECT 1 AS one").await, ["one", "1"]);
}

#[tokio::test]
async fn results_and_history_come_in_pages() {
    let lake = Lake::filled().await;
    let id = lake.start("SELECT n FROM UNNEST(sequence(1, 2500)) AS t(n) ORDER BY n").await;
    lake.finished(&id).await;
    let (mut sizes, mut token, mut sum) = (Vec::new(), None, 0u64);
    loop {
        let request = lake.athena.get_query_results().query_execution_id(&id).set_next_token(token);
        let page = request.send().await.unwrap();
        let rows = page.result_set().unwrap().rows();
        sizes.push(rows.len());
        sum += rows.iter().filter_map(|r| r.data()[0].var_char_value()?.parse::<u64>().ok()).sum::<u64>();
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
    // 2500 rows and the header, at most 1000 a page; 1 + 2 + … + 2500.
    assert_eq!((sizes, sum), (vec![1000, 1000, 501], 3_126_250));

    let second = lake.start("SELECT 2").await;
    lake.finished(&second).await;
    let page = lake.athena.list_query_executions().max_results(1).send().await.unwrap();
    assert_eq!(page.query_execution_ids(), [second.as_str()]);
    let next = lake
        .athena
        .list_query_executions()
        .max_results(1)
        .set_next_token(page.next_token)
        .send()
        .await
        .unwrap();
    assert_eq!(next.query_execution_ids(), [id.as_str()]);
    let both = lake
        .athena
        .batch_get_query_execution()
        .set_query_execution_ids(Some(vec![second, id, "nope".into()]))
        .send()
        .await
        .unwrap();
    assert_eq!(both.query_executions().len(), 2);
    assert_eq!(both.unprocessed_query_execution_ids().len(), 1);
}

#[tokio::test]
async fn the_catalog_is_shown() {
    let lake = Lake::filled().await;
    assert_eq!(lake.answer("SHOW TABLES").await, ["facilities"]);
    assert_eq!(lake.answer("SHOW DATABASES LIKE 'health*'").await, ["healthcare_pipeline"]);
    lake.run("CREATE VIEW large AS SELECT facility_id, services FROM facilities WHERE employee_count > 50")
        .await;
    assert_eq!(lake.answer("SELECT count(*) AS n FROM large").await, ["n", "2"]);
    let tables = lake
        .athena
        .list_table_metadata()
        .catalog_name("AwsDataCatalog")
        .database_name("healthcare_pipeline")
        .send()
        .await
        .unwrap();
    let names: Vec<&str> = tables.table_metadata_list().iter().map(|t| t.name()).collect();
    assert_eq!(names, ["facilities", "large"]);
    let columns = tables.table_metadata_list()[0].columns();
    assert_eq!(columns[4].r#type(), Some("array<struct<name:string,expiry_date:string>>"));
    let group = lake.athena.get_work_group().work_group("primary").send().await.unwrap();
    assert_eq!(group.work_group().unwrap().name(), "primary");
}
