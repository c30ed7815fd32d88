//! DDL: what tables become, what is shown of them, which partitions a query reads.

use super::Lake;

/// The lines that a statement shows.
async fn shown(lake: &Lake, sql: &str) -> Vec<String> {
    let rows = lake.run(sql).await.unwrap_or_else(|why| panic!("{sql}: {why}"));
    rows.into_iter().map(|row| row.into_iter().flatten().collect::<Vec<_>>().join("|")).collect()
}

async fn done(lake: &Lake, statements: &[&str]) {
    for sql in statements {
        lake.run(sql).await.unwrap_or_else(|why| panic!("{sql}: {why}"));
    }
}

const DAILY: &str = "CREATE EXTERNAL TABLE daily (id string, n int) PARTITIONED BY (dt string, hour int) \
     ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://lake/daily/'";

async fn daily() -> Lake {
    let lake = Lake::with_facilities().await;
    done(&lake, &[DAILY]).await;
    for (dt, hour, n) in [("2026-01-01", 9, 1), ("2026-01-01", 10, 2), ("2026-01-02", 9, 3)] {
        let key = format!("daily/dt={dt}/hour={hour}/part.json");
        lake.put(&key, &format!("{{\"id\":\"{dt}-{hour}\",\"n\":{n}}}")).await;
    }
    lake
}

#[tokio::test]
async fn databases_come_and_go() {
    let lake = Lake::empty();
    done(&lake, &["CREATE SCHEMA a COMMENT 'x' LOCATION 's3://lake/a/' WITH DBPROPERTIES ('k'='v')"]).await;
    assert_eq!(shown(&lake, "SHOW SCHEMAS").await, ["a", "default"]);
    assert_eq!(
        lake.run("CREATE DATABASE a").await.unwrap_err(),
        "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. Database a already exists"
    );
    done(&lake, &["ALTER DATABASE a SET DBPROPERTIES ('k'='w')", "CREATE DATABASE IF NOT EXISTS a"]).await;
    done(&lake, &["CREATE EXTERNAL TABLE a.t (x int) LOCATION 's3://lake/t/'"]).await;
    assert!(lake.run("DROP DATABASE a").await.unwrap_err().contains("is not empty"));
    done(&lake, &["DROP SCHEMA a CASCADE", "DROP DATABASE IF EXISTS a", "DROP TABLE IF EXISTS a.t"]).await;
    assert_eq!(shown(&lake, "SHOW DATABASES").await, ["default"]);
    assert!(lake.run("SHOW TABLES IN a").await.unwrap_err().contains("Database does not exist: a"));
}

#[tokio::test]
async fn a_table_is_shown_as_the_statement_that_makes_it() {
    let lake = Lake::with_facilities().await;
    let statement = r"CREATE EXTERNAL TABLE people (name string COMMENT 'it\'s a name', tags array<string>)
        PARTITIONED BY (dt date) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t' ESCAPED BY '\\'
        LOCATION 's3://lake/people/' TBLPROPERTIES ('skip.header.line.count'='1')";
    done(&lake, &[statement]).await;
    let lines = shown(&lake, "SHOW CREATE TABLE people").await;
    let expected = [
        "CREATE EXTERNAL TABLE `healthcare_pipeline.people`(",
        r"  `name` string COMMENT 'it\'s a name', ",
        "  `tags` array<string>)",
        "PARTITIONED BY ( ",
        "  `dt` date)",
        "ROW FORMAT DELIMITED ",
        r"  FIELDS TERMINATED BY '\t' ",
        r"  ESCAPED BY '\\' ",
        "STORED AS INPUTFORMAT ",
        "  'org.apache.hadoop.mapred.TextInputFormat' ",
        "OUTPUTFORMAT ",
        "  'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'",
        "LOCATION",
        "  's3://lake/people/'",
        "TBLPROPERTIES (",
        "  'skip.header.line.count'='1', ",
    ];
    assert_eq!(lines[..expected.len()], expected);
    // What is shown makes the same table, once its name is spelled as CREATE wants it.
    let text = lines.join("\n").replace("`healthcare_pipeline.people`", "again");
    done(&lake, &[&text]).await;
    let again = shown(&lake, "SHOW CREATE TABLE again").await;
    assert_eq!(again[1..16], lines[1..16]);
    assert!(
        lake.run(statement)
            .await
            .unwrap_err()
            .ends_with("AlreadyExistsException(message:Table people already exists)")
    );
}

#[tokio::test]
async fn columns_are_described_and_changed() {
    let lake = daily().await;
    done(
        &lake,
        &[
            "ALTER TABLE daily ADD COLUMNS (more struct<a:int,b:array<string>>)",
            "ALTER TABLE daily CHANGE n number bigint COMMENT 'how many' FIRST",
            "ALTER TABLE daily SET TBLPROPERTIES ('k'='v')",
        ],
    )
    .await;
    let pad = |name: &str, kind: &str, comment: &str| format!("{name:<20}\t{kind:<20}\t{comment:<20}");
    assert_eq!(
        shown(&lake, "DESCRIBE daily").await,
        [
            pad("number", "bigint", "how many"),
            pad("id", "string", "from deserializer"),
            pad("more", "struct<a:int,b:array<string>>", "from deserializer"),
            pad("dt", "string", ""),
            pad("hour", "int", ""),
            "\t \t ".into(),
            "# Partition Information\t \t ".into(),
            pad("# col_name", "data_type", "comment"),
            pad("dt", "string", ""),
            pad("hour", "int", ""),
        ]
    );
    assert_eq!(
        shown(&lake, "DESCRIBE daily more.b.$elem$").await,
        [pad("$elem$", "string", "from deserializer")]
    );
    assert_eq!(shown(&lake, "SHOW COLUMNS IN daily").await[0].trim_end(), "number");
    assert_eq!(shown(&lake, "SHOW TBLPROPERTIES daily('k')").await, ["v"]);
    let formatted = shown(&lake, "DESCRIBE FORMATTED daily").await;
    assert!(
        formatted.iter().any(|l| l.starts_with("Location:") && l.contains("s3://lake/daily/")),
        "{formatted:?}"
    );
    assert!(
        shown(&lake, "DESCRIBE EXTENDED daily").await.last().unwrap().contains("tableType:EXTERNAL_TABLE")
    );
    done(&lake, &["ALTER TABLE daily REPLACE COLUMNS (id string)"]).await;
    assert_eq!(shown(&lake, "SHOW COLUMNS FROM daily").await.len(), 3);
    assert!(
        lake.run("ALTER TABLE daily ADD COLUMNS (dt int)")
            .await
            .unwrap_err()
            .contains("Duplicate column name: dt")
    );
}

#[tokio::test]
async fn partitions_are_found_added_renamed_and_dropped() {
    let lake = daily().await;
    assert!(lake.rows("SELECT * FROM daily").await.is_empty());
    let repaired = shown(&lake, "MSCK REPAIR TABLE daily").await;
    assert!(
        repaired[0].starts_with("Partitions not in metastore:\tdaily:dt=2026-01-01/hour=10\t"),
        "{repaired:?}"
    );
    assert!(repaired.contains(&"Repair: Added partition to metastore daily:dt=2026-01-02/hour=9".to_owned()));
    assert_eq!(shown(&lake, "MSCK REPAIR TABLE daily").await, Vec::<String>::new());
    lake.put("elsewhere/x.json", r#"{"id":"else","n":9}"#).await;
    done(
        &lake,
        &["ALTER TABLE daily ADD PARTITION (dt='2026-01-03', hour=1) LOCATION 's3://lake/elsewhere/'"],
    )
    .await;
    assert_eq!(
        lake.rows("SELECT id, n, dt, hour FROM daily ORDER BY n").await,
        [
            "2026-01-01-9|1|2026-01-01|9",
            "2026-01-01-10|2|2026-01-01|10",
            "2026-01-02-9|3|2026-01-02|9",
            "else|9|2026-01-03|1"
        ]
    );
    done(
        &lake,
        &["ALTER TABLE daily PARTITION (dt='2026-01-03', hour=1) RENAME TO PARTITION (dt='x', hour=2)"],
    )
    .await;
    assert_eq!(shown(&lake, "SHOW PARTITIONS daily").await[3], "dt=x/hour=2");
    done(&lake, &["ALTER TABLE daily DROP PARTITION (dt='2026-01-01', hour>9), PARTITION (dt='x')"]).await;
    assert_eq!(shown(&lake, "SHOW PARTITIONS daily").await, ["dt=2026-01-01/hour=9", "dt=2026-01-02/hour=9"]);
    assert!(
        lake.run("ALTER TABLE daily DROP PARTITION (dt='nope')")
            .await
            .unwrap_err()
            .contains("Partition not found")
    );
    done(&lake, &["ALTER TABLE daily DROP IF EXISTS PARTITION (dt='nope')"]).await;
    assert!(
        lake.run("SHOW PARTITIONS facilities").await.unwrap_err().ends_with("is not a partitioned table")
    );
}

/// The bytes that a query reads.
async fn scanned(lake: &Lake, sql: &str) -> u64 {
    let id = lake.start(sql).await.unwrap();
    let execution = lake.finished(&id).await;
    assert_eq!(execution["Status"]["State"], "SUCCEEDED", "{execution}");
    execution["Statistics"]["DataScannedInBytes"].as_u64().unwrap()
}

#[tokio::test]
async fn conditions_choose_the_partitions_that_are_read() {
    let lake = daily().await;
    done(&lake, &["MSCK REPAIR TABLE daily"]).await;
    // {"id":"2026-01-01-9","n":1} has 27 bytes.
    assert_eq!(scanned(&lake, "SELECT * FROM daily WHERE dt = '2026-01-01' AND hour = 9").await, 27);
    assert_eq!(scanned(&lake, "SELECT * FROM daily WHERE hour BETWEEN 9 AND 9").await, 54);
    assert_eq!(scanned(&lake, "SELECT * FROM daily WHERE substr(dt, 9) = '02'").await, 27);
    assert_eq!(scanned(&lake, "SELECT * FROM daily WHERE dt > '2027'").await, 0);
    assert_eq!(scanned(&lake, "SELECT * FROM daily WHERE dt = '2026-01-02' OR n = 1").await, 82);
}

#[tokio::test]
async fn projected_partitions_need_no_catalog() {
    let lake = daily().await;
    done(
        &lake,
        &["CREATE EXTERNAL TABLE projected (id string, n int) PARTITIONED BY (day string, hour int) \
           ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://lake/daily/' TBLPROPERTIES ( \
           'projection.enabled'='true', 'projection.day.type'='date', 'projection.day.format'='yyyy-MM-dd', \
           'projection.day.range'='2025-12-01,2026-12-31', 'projection.hour.type'='integer', 'projection.hour.range'='0,23', \
           'storage.location.template'='s3://lake/daily/dt=${day}/hour=${hour}/')"],
    )
    .await;
    let sql =
        "SELECT id FROM projected WHERE day >= '2026-01-01' AND day < '2026-01-03' AND hour = 9 ORDER BY 1";
    assert_eq!(lake.rows(sql).await, ["2026-01-01-9", "2026-01-02-9"]);
    assert_eq!(scanned(&lake, sql).await, 54);
    assert_eq!(lake.rows("SELECT count(*) FROM projected").await, ["3"]);
    done(
        &lake,
        &["ALTER TABLE projected SET TBLPROPERTIES ('projection.day.type'='injected', 'projection.hour.type'='enum', 'projection.hour.values'='9,10')"],
    )
    .await;
    assert_eq!(
        lake.rows("SELECT id FROM projected WHERE day IN ('2026-01-01', 'other') ORDER BY id").await,
        ["2026-01-01-10", "2026-01-01-9"]
    );
    let why = lake.run("SELECT * FROM projected").await.unwrap_err();
    assert!(
        why.starts_with("CONSTRAINT_VIOLATION: For the injected projected partition column day"),
        "{why}"
    );
}

#[tokio::test]
async fn views_are_made_replaced_shown_and_dropped() {
    let lake = Lake::with_facilities().await;
    done(
        &lake,
        &["CREATE VIEW big AS SELECT facility_id, services FROM facilities WHERE employee_count > 100"],
    )
    .await;
    assert_eq!(lake.rows("SELECT facility_id FROM big").await, ["FAC001"]);
    assert!(lake.run("CREATE VIEW big AS SELECT 1 AS x").await.unwrap_err().contains("already exists"));
    for (sql, why) in [
        (
            "CREATE VIEW v AS SELECT 1 a, 2",
            "MISSING_COLUMN_NAME: line 1:1: Column name not specified at position 2",
        ),
        (
            "CREATE VIEW v AS SELECT 1 a, 2 A",
            "DUPLICATE_COLUMN_NAME: line 1:1: Column name 'a' specified more than once",
        ),
    ] {
        assert_eq!(lake.run(sql).await.unwrap_err().to_lowercase(), why.to_lowercase(), "{sql}");
    }
    done(&lake, &["CREATE OR REPLACE VIEW big AS SELECT count(*) AS n FROM facilities"]).await;
    assert_eq!(lake.rows("SELECT n FROM big").await, ["3"]);
    assert_eq!(shown(&lake, "SHOW VIEWS").await, ["big"]);
    assert_eq!(
        shown(&lake, "SHOW CREATE VIEW big").await,
        ["CREATE VIEW healthcare_pipeline.big AS", "SELECT count(*) AS n FROM facilities"]
    );
    assert_eq!(shown(&lake, "SHOW TABLES '*ig|facil*'").await, ["big", "facilities"]);
    assert!(
        lake.run("CREATE VIEW bad AS SELECT nope FROM facilities")
            .await
            .unwrap_err()
            .contains("'nope' cannot be resolved")
    );
    assert!(lake.run("DROP VIEW facilities").await.unwrap_err().contains("is not a view"));
    done(&lake, &["DROP VIEW big"]).await;
    assert!(lake.rows("SELECT table_name FROM information_schema.views").await.is_empty());
}

#[tokio::test]
async fn of_changes_at_once_none_is_lost() {
    let lake = Lake::with_facilities().await;
    let names: Vec<String> = (0..8).map(|n| format!("extra{n}")).collect();
    let changes: Vec<String> =
        names.iter().map(|name| format!("ALTER TABLE facilities ADD COLUMNS ({name} int)")).collect();
    for outcome in futures::future::join_all(changes.iter().map(|sql| lake.run(sql))).await {
        outcome.unwrap();
    }
    let columns = shown(&lake, "SHOW COLUMNS IN facilities").await;
    for name in names {
        assert!(columns.iter().any(|c| c.trim() == name), "{name} is not among {columns:?}");
    }
}

#[tokio::test]
async fn glue_has_the_same_tables() {
    use serde_json::json;

    use crate::local::athena::Glue;
    use crate::local::bus::Service;

    let lake = Lake::with_facilities().await;
    done(&lake, &[DAILY]).await;
    let glue = Glue::new(&lake.bus);
    let named = |name: &str| json!({ "DatabaseName": "healthcare_pipeline", "Name": name });
    let found = glue.call("GetTable", named("Daily")).await.unwrap();
    let table = &found["Table"];
    assert_eq!(table["StorageDescriptor"]["Location"], "s3://lake/daily/");
    assert_eq!(
        table["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"],
        "org.openx.data.jsonserde.JsonSerDe"
    );
    assert_eq!(
        table["StorageDescriptor"]["Columns"],
        json!([{ "Name": "id", "Type": "string" }, { "Name": "n", "Type": "int" }])
    );
    let keys = json!([{ "Name": "dt", "Type": "string" }, { "Name": "hour", "Type": "int" }]);
    assert_eq!(table["PartitionKeys"], keys);
    let first =
        json!({ "DatabaseName": "healthcare_pipeline", "MaxResults": 1, "Expression": "daily|facil.*" });
    let page = glue.call("GetTables", first.clone()).await.unwrap();
    assert_eq!(page["TableList"][0]["Name"], "daily");
    let mut second = first;
    second["NextToken"] = page["NextToken"].clone();
    let page = glue.call("GetTables", second).await.unwrap();
    assert_eq!(page["TableList"].as_array().unwrap().len(), 1);
    assert!(page["NextToken"].is_null());

    glue.call("DeleteTable", named("daily")).await.unwrap();
    assert!(lake.run("SELECT * FROM daily").await.unwrap_err().starts_with("TABLE_NOT_FOUND"));
    for (operation, input) in [
        ("DeleteTable", named("daily")),
        ("GetTable", named("nope")),
        ("GetDatabase", json!({ "Name": "nope" })),
        ("GetTables", json!({ "DatabaseName": "nope" })),
    ] {
        let refused = glue.call(operation, input).await.unwrap_err();
        assert_eq!(refused.code, "EntityNotFoundException", "{operation}");
    }
}
