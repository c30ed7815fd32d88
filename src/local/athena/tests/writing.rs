//! Writing: CTAS, INSERT, UNLOAD, prepared statements, and what is read back.

use std::io::Read;

use serde_json::json;

use super::Lake;
use crate::local::bus::Objects;

async fn done(lake: &Lake, statements: &[&str]) {
    for sql in statements {
        lake.run(sql).await.unwrap_or_else(|why| panic!("{sql}: {why}"));
    }
}

impl Lake {
    fn keys(&self, prefix: &str) -> Vec<String> {
        self.objects.list("lake", prefix).unwrap().into_iter().map(|o| o.key).collect()
    }

    /// An object's text, unpacked if it is packed.
    fn text(&self, key: &str) -> String {
        let bytes = self.objects.read("lake", key, None).unwrap();
        let mut out = String::new();
        if key.ends_with(".gz") {
            flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_string(&mut out).unwrap();
        } else {
            out = String::from_utf8(bytes.to_vec()).unwrap();
        }
        out
    }
}

const NESTED: &str = "SELECT facility_id, employee_count AS staff, services, accreditations, \
     map(ARRAY['a', 'b'], ARRAY[1, 2]) AS m, DATE '2026-01-02' AS d, TIMESTAMP '2026-01-02 03:04:05.678' AS t, \
     CAST(1.50 AS decimal(10,2)) AS price, true AS yes, CAST(NULL AS double) AS nothing, state FROM facilities";

const NESTED_ROWS: [&str; 3] = [
    "FAC001|120|[ICU, Surgery]|[{name=CAP, expiry_date=2026-02-10}, {name=JCI, expiry_date=2027-01-01}]|{a=1, b=2}|2026-01-02|2026-01-02 03:04:05.678|1.50|true|-|TX",
    "FAC002|80|[]|[]|{a=1, b=2}|2026-01-02|2026-01-02 03:04:05.678|1.50|true|-|PA",
    "FAC003|-|[ICU]|[{name=CAP, expiry_date=2026-02-30}]|{a=1, b=2}|2026-01-02|2026-01-02 03:04:05.678|1.50|true|-|TX",
];

#[tokio::test]
async fn every_format_is_read_back_as_it_was() {
    let lake = Lake::with_facilities().await;
    for (name, options) in [
        ("plain", String::new()),
        ("snappy", "WITH (format = 'PARQUET', write_compression = 'SNAPPY') ".into()),
        ("zstd", "WITH (format = 'PARQUET', parquet_compression = 'ZSTD') ".into()),
        ("json", "WITH (format = 'JSON') ".into()),
        (
            "bare",
            "WITH (format = 'JSON', write_compression = 'NONE', external_location = 's3://lake/bare/') "
                .into(),
        ),
        ("text", "WITH (format = 'TEXTFILE') ".into()),
        ("tabs", "WITH (format = 'TEXTFILE', field_delimiter = '|') ".into()),
        (
            "parts",
            "WITH (partitioned_by = ARRAY['state'], bucketed_by = ARRAY['facility_id'], bucket_count = 4) "
                .into(),
        ),
    ] {
        done(&lake, &[&format!("CREATE TABLE {name} {options}AS {NESTED}")]).await;
        assert_eq!(
            lake.rows(&format!("SELECT * FROM {name} ORDER BY facility_id")).await,
            NESTED_ROWS,
            "{name}"
        );
    }
    let created = lake.run("SHOW CREATE TABLE parts").await.unwrap();
    assert!(created.iter().any(|l| l[0].as_deref() == Some("PARTITIONED BY ( ")), "{created:?}");
    let partitions = lake.run("SHOW PARTITIONS parts").await.unwrap();
    assert_eq!(partitions.concat(), [Some("state=PA".to_owned()), Some("state=TX".to_owned())]);
    assert_eq!(lake.rows("SELECT * FROM \"parts$partitions\" ORDER BY state").await, ["PA", "TX"]);
    let bare = lake.keys("bare/");
    assert!(lake.text(&bare[0]).starts_with(
        r#"{"facility_id":"FAC001","staff":120,"services":["ICU","Surgery"],"accreditations":[{"name":"CAP","#
    ));
}

/// Base64 and plain numbers, as Hive's SerDes have them.
#[tokio::test]
async fn bytes_and_numbers_are_written_exactly() {
    let lake = Lake::with_facilities().await;
    let select = "SELECT X'0001ff' AS bytes, CAST(DECIMAL '12345678901234.567890' AS decimal(20,6)) AS price, \
         DECIMAL '123456789012345678901234567890.12' AS large, REAL '1.1' AS r, 1e10 AS d, MAP(ARRAY['k'], ARRAY[1.10]) AS m";
    let row = "00 01 ff|12345678901234.567890|123456789012345678901234567890.12|1.1|1.0E10|{k=1.10}";
    for (name, options) in [
        ("parquet", ""),
        ("textfile", "WITH (format = 'TEXTFILE')"),
        (
            "lines",
            "WITH (format = 'JSON', write_compression = 'NONE', external_location = 's3://lake/exact/')",
        ),
    ] {
        done(&lake, &[&format!("CREATE TABLE {name} {options} AS {select}")]).await;
        assert_eq!(lake.rows(&format!("SELECT * FROM {name}")).await, [row], "{name}");
    }
    assert_eq!(
        lake.text(&lake.keys("exact/")[0]).trim_end(),
        r#"{"bytes":"AAH/","price":12345678901234.567890,"large":123456789012345678901234567890.12,"r":1.1,"d":1.0E10,"m":{"k":1.10}}"#
    );
}

#[tokio::test]
async fn tables_from_queries_say_where_they_are_and_what_stands_in_the_way() {
    let lake = Lake::with_facilities().await;
    let id = lake.start("CREATE TABLE c AS SELECT 1 AS x, 'a' AS y").await.unwrap();
    let execution = lake.finished(&id).await;
    assert_eq!(execution["StatementType"], "DDL");
    assert_eq!(execution["SubstatementType"], "CREATE_TABLE_AS_SELECT");
    let base = format!("athena-results/tables/{id}");
    assert_eq!(execution["ResultConfiguration"]["OutputLocation"], format!("s3://lake/{base}"));
    assert_eq!(execution["Statistics"]["DataManifestLocation"], format!("s3://lake/{base}-manifest.csv"));
    let files = lake.keys(&format!("{base}/"));
    assert_eq!(lake.text(&format!("{base}-manifest.csv")), format!("s3://lake/{}\n", files[0]));
    for (sql, why) in [
        (
            "CREATE TABLE c AS SELECT 1 AS x",
            "TABLE_ALREADY_EXISTS: line 1:1: Table 'awsdatacatalog.healthcare_pipeline.c' already exists",
        ),
        (
            "CREATE TABLE n AS SELECT 1",
            "MISSING_COLUMN_NAME: line 1:1: Column name not specified at position 1",
        ),
        (
            "CREATE TABLE n AS\nSELECT nope FROM facilities",
            "SYNTAX_ERROR: line 2:8: Column 'nope' cannot be resolved",
        ),
        ("CREATE TABLE n AS SELECT CAST('1' AS json) AS j", "NOT_SUPPORTED: Unsupported Hive type: json"),
        (
            "CREATE TABLE n WITH (format = 'ORC') AS SELECT 1 AS x",
            "NOT_SUPPORTED: the local cloud does not write ORC files",
        ),
        (
            "CREATE TABLE n WITH (partitioned_by = ARRAY['a']) AS SELECT 1 AS a, 2 AS b",
            "HIVE_COLUMN_ORDER_MISMATCH: Partition keys must be the last columns in the table and in the same order as the table properties: [a]",
        ),
    ] {
        assert_eq!(lake.run(sql).await.unwrap_err(), why, "{sql}");
    }
    let taken = lake
        .run("CREATE TABLE n WITH (external_location = 's3://lake/raw/') AS SELECT 1 AS x")
        .await
        .unwrap_err();
    assert!(
        taken.starts_with(
            "HIVE_PATH_ALREADY_EXISTS: Target directory for table 'healthcare_pipeline.n' already exists"
        ),
        "{taken}"
    );
    done(
        &lake,
        &["CREATE TABLE IF NOT EXISTS c AS SELECT 1 AS x", "CREATE TABLE e AS SELECT 1 AS x WITH NO DATA"],
    )
    .await;
    assert_eq!(lake.rows("SELECT count(*) FROM e").await, ["0"]);
}

#[tokio::test]
async fn a_statement_that_fails_leaves_no_files() {
    let lake = Lake::with_facilities().await;
    let sql = "CREATE TABLE n WITH (external_location = 's3://lake/n/', partitioned_by = ARRAY['p']) AS \
               SELECT n AS x, n AS p FROM UNNEST(sequence(1, 101)) AS t(n)";
    let why = lake.run(sql).await.unwrap_err();
    assert_eq!(
        why,
        "HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers for partitions/buckets"
    );
    assert_eq!(lake.keys("n/"), Vec::<String>::new());
    assert!(lake.run("SELECT * FROM n").await.is_err());
}

/// Of two statements that make the same table, one does; the other leaves nothing behind.
#[tokio::test]
async fn a_table_is_made_once() {
    let lake = Lake::with_facilities().await;
    let sql = |n: u32| {
        format!("CREATE TABLE once WITH (external_location = 's3://lake/once{n}/') AS SELECT {n} AS x")
    };
    let (first, second) = (sql(1), sql(2));
    let outcomes = futures::future::join(lake.run(&first), lake.run(&second)).await;
    let (made, why) = match outcomes {
        (Ok(_), Err(why)) => ("1", why),
        (Err(why), Ok(_)) => ("2", why),
        both => panic!("{both:?}"),
    };
    assert!(why.starts_with("TABLE_ALREADY_EXISTS"), "{why}");
    assert_eq!(lake.rows("SELECT x FROM once").await, [made]);
    let left = if made == "1" { "once2/" } else { "once1/" };
    let gone = async || {
        while !lake.keys(left).is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), gone()).await.expect("no files");
}

/// A statement that is stopped leaves neither table nor files, whenever that is.
#[tokio::test]
async fn a_stopped_statement_leaves_nothing() {
    let lake = Lake::with_facilities().await;
    for pause in [0, 1, 3, 10, 30] {
        let table = format!("stopped{pause}");
        let sql = format!(
            "CREATE TABLE {table} WITH (external_location = 's3://lake/{table}/', partitioned_by = ARRAY['p']) AS \
             SELECT n AS x, n % 50 AS p FROM UNNEST(sequence(1, 5000)) AS t(n)"
        );
        let id = lake.start(&sql).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
        lake.call("StopQueryExecution", json!({ "QueryExecutionId": id })).await.unwrap();
        if lake.finished(&id).await["Status"]["State"] == "SUCCEEDED" {
            assert_eq!(lake.rows(&format!("SELECT count(*) FROM {table}")).await, ["5000"]);
            continue;
        }
        assert!(lake.run(&format!("SELECT * FROM {table}")).await.unwrap_err().contains("does not exist"));
        let prefix = format!("{table}/");
        let gone = async || {
            while !lake.keys(&prefix).is_empty() {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(60), gone()).await.expect("no files");
    }
}

#[tokio::test]
async fn rows_are_inserted() {
    let lake = Lake::with_facilities().await;
    done(
        &lake,
        &[
            "CREATE EXTERNAL TABLE t (id bigint, name string, tags array<string>) PARTITIONED BY (dt string) \
             STORED AS PARQUET LOCATION 's3://lake/t/' TBLPROPERTIES ('parquet.compression'='SNAPPY')",
            "INSERT INTO t VALUES (1, 'a', ARRAY['x'], '2026-01-01'), (2, NULL, NULL, '2026-01-02')",
            "INSERT INTO t (dt, id) SELECT '2026-01-01', 3",
        ],
    )
    .await;
    let id =
        lake.start("INSERT INTO t SELECT 4, facility_name, services, 'x/y' FROM facilities").await.unwrap();
    let execution = lake.finished(&id).await;
    assert_eq!(
        (&execution["StatementType"], &execution["SubstatementType"]),
        (&json!("DML"), &json!("INSERT"))
    );
    let results = lake.call("GetQueryResults", json!({ "QueryExecutionId": id })).await.unwrap();
    assert_eq!((&results["UpdateCount"], &results["ResultSet"]["Rows"]), (&json!(3), &json!([])));
    assert_eq!(
        lake.rows("SELECT id, name, tags, dt FROM t ORDER BY id, name").await,
        [
            "1|a|[x]|2026-01-01",
            "2|-|-|2026-01-02",
            "3|-|-|2026-01-01",
            "4|Hill|[]|x/y",
            "4|Lake \"View\"|[ICU, Surgery]|x/y",
            "4|Río|[ICU]|x/y"
        ]
    );
    assert_eq!(lake.rows("SELECT count(*) FROM t WHERE dt = '2026-01-01'").await, ["2"]);
    let why = lake.run("INSERT INTO t SELECT 1, 2, ARRAY['x'], 'd'").await.unwrap_err();
    assert!(why.starts_with("TYPE_MISMATCH: line 1:1: Insert query has mismatched column types: Table: [bigint, varchar, array(varchar), varchar]"), "{why}");
    assert!(lake.run("INSERT INTO nope SELECT 1").await.unwrap_err().starts_with("TABLE_NOT_FOUND"));
    done(
        &lake,
        &[
            "CREATE EXTERNAL TABLE csv (id int, name string, d date) ROW FORMAT SERDE \
             'org.apache.hadoop.hive.serde2.OpenCSVSerde' LOCATION 's3://lake/csv/'",
            "INSERT INTO csv VALUES (1, 'a \"b\", c', DATE '2026-01-01')",
        ],
    )
    .await;
    assert_eq!(lake.rows("SELECT * FROM csv").await, ["1|a \"b\", c|2026-01-01"]);
}

#[tokio::test]
async fn parquet_is_scanned_by_the_column() {
    let lake = Lake::with_facilities().await;
    done(
        &lake,
        &["CREATE TABLE wide WITH (external_location = 's3://lake/wide/') AS \
           SELECT n AS small, array_join(repeat(CAST(n AS varchar), 50), '-') AS large FROM UNNEST(sequence(1, 2000)) AS t(n)"],
    )
    .await;
    let size = lake.objects.list("lake", "wide/").unwrap()[0].size;
    let mut scanned = Vec::new();
    for sql in [
        "SELECT count(*) FROM wide",
        "SELECT sum(small) FROM wide",
        "SELECT max(large), sum(small) FROM wide",
    ] {
        let id = lake.start(sql).await.unwrap();
        let execution = lake.finished(&id).await;
        assert_eq!(execution["Status"]["State"], "SUCCEEDED", "{execution}");
        scanned.push(execution["Statistics"]["DataScannedInBytes"].as_u64().unwrap());
    }
    assert_eq!(scanned[0], 0);
    assert!(0 < scanned[1] && scanned[1] < scanned[2] && scanned[2] < size, "{scanned:?} of {size}");
    lake.put("wide/x", "this is no parquet").await;
    let why = lake.run("SELECT sum(small) FROM wide").await.unwrap_err();
    assert!(why.starts_with("HIVE_BAD_DATA: Not valid Parquet file: s3://lake/wide/x"), "{why}");
    done(&lake, &["CREATE EXTERNAL TABLE other (large int, more double) STORED AS PARQUET LOCATION 's3://lake/wide/'"]).await;
    lake.objects.delete("lake", "wide/x").await.unwrap();
    assert_eq!(lake.rows("SELECT count(*), count(more) FROM other").await, ["2000|0"]);
    let why = lake.run("SELECT large FROM other").await.unwrap_err();
    assert!(
        why.starts_with("HIVE_BAD_DATA: Field large's type varchar in parquet file s3://lake/wide/"),
        "{why}"
    );
}

#[tokio::test]
async fn unloads_leave_files_and_no_table() {
    let lake = Lake::with_facilities().await;
    let sql = "UNLOAD (SELECT facility_id, services, state FROM facilities ORDER BY 1) TO 's3://lake/u/' \
               WITH (format = 'JSON', partitioned_by = ARRAY['state'])";
    let id = lake.start(sql).await.unwrap();
    let execution = lake.finished(&id).await;
    assert_eq!(execution["SubstatementType"], "UNLOAD", "{execution}");
    let files = lake.keys("u/");
    assert!(
        files.len() == 2 && files[0].starts_with("u/state=PA/") && files[1].ends_with(".gz"),
        "{files:?}"
    );
    assert_eq!(
        lake.text(&files[1]),
        "{\"facility_id\":\"FAC001\",\"services\":[\"ICU\",\"Surgery\"]}\n{\"facility_id\":\"FAC003\",\"services\":[\"ICU\"]}\n"
    );
    let manifest: Vec<String> = files.iter().map(|f| format!("s3://lake/{f}\n")).collect();
    assert_eq!(lake.text(&format!("athena-results/{id}-manifest.csv")), manifest.concat());
    assert!(lake.run(sql).await.unwrap_err().starts_with("HIVE_PATH_ALREADY_EXISTS"));
    done(
        &lake,
        &["UNLOAD (SELECT 'a' AS x, ARRAY['b', 'c'] AS y, CAST(NULL AS varchar) AS z, 1 AS n) TO 's3://lake/v/' WITH (format = 'TEXTFILE', field_delimiter = ',', compression = 'none')"],
    )
    .await
    ;
    assert_eq!(lake.text(&lake.keys("v/")[0]), "a,b\u{2}c,\\N,1\n");
}

#[tokio::test]
async fn statements_are_prepared_run_and_forgotten() {
    let lake = Lake::with_facilities().await;
    done(
        &lake,
        &["PREPARE of_state FROM SELECT facility_id FROM facilities WHERE state = ? AND employee_count > ?"],
    )
    .await;
    assert_eq!(lake.rows("EXECUTE of_state USING 'TX', 10 + 1").await, ["FAC001"]);
    let got = lake
        .call("GetPreparedStatement", json!({ "StatementName": "of_state", "WorkGroup": "primary" }))
        .await
        .unwrap();
    assert!(got["PreparedStatement"]["QueryStatement"].as_str().unwrap().starts_with("SELECT facility_id"));
    // Values may come with the request.
    let started = lake
        .call(
            "StartQueryExecution",
            json!({ "QueryString": "EXECUTE of_state", "ExecutionParameters": ["'PA'", "0"],
                    "QueryExecutionContext": { "Database": "healthcare_pipeline" },
                    "ResultConfiguration": { "OutputLocation": "s3://lake/athena-results/" } }),
        )
        .await
        .unwrap();
    let execution = lake.finished(started["QueryExecutionId"].as_str().unwrap()).await;
    assert_eq!(
        (&execution["StatementType"], &execution["Query"]),
        (&json!("DML"), &json!("EXECUTE of_state"))
    );
    done(&lake, &["DEALLOCATE PREPARE of_state"]).await;
    let refused = lake.start("EXECUTE of_state USING 'TX', 1").await.unwrap_err();
    assert_eq!(refused.message, "PreparedStatement of_state was not found in workGroup primary");
    assert!(lake.run("DEALLOCATE PREPARE of_state").await.is_err());
    assert!(lake.start("PREPARE p FROM SELEC 1").await.is_err());
    let nested = lake.start(&format!("{}SELECT 1", "PREPARE p FROM ".repeat(15_000))).await.unwrap_err();
    assert!(nested.message.contains("Invalid statement type for prepared statement"), "{nested}");
}
