//! Tables: made, partitioned, written, unloaded, and what the files and metadata then say.

use aws_sdk_athena::types::QueryExecutionState as State;
use aws_sdk_s3::primitives::ByteStream;

use super::{LAKE, Lake};

impl Lake {
    async fn put(&self, key: &str, body: impl Into<Vec<u8>>) {
        let body = ByteStream::from(body.into());
        self.local.s3().put_object().bucket(LAKE).key(key).body(body).send().await.unwrap();
    }

    async fn keys(&self, prefix: &str) -> Vec<String> {
        let listed = self.local.s3().list_objects_v2().bucket(LAKE).prefix(prefix).send().await.unwrap();
        listed.contents().iter().map(|o| o.key().unwrap().to_owned()).collect()
    }

    async fn text(&self, key: &str) -> String {
        let got = self.local.s3().get_object().bucket(LAKE).key(key).send().await.unwrap();
        String::from_utf8(got.body.collect().await.unwrap().to_vec()).unwrap()
    }
}

#[tokio::test]
async fn a_table_from_a_query_has_files_a_manifest_and_partitions() {
    let lake = Lake::filled().await;
    let done = lake
        .run(
            "CREATE TABLE by_state WITH (format = 'PARQUET', write_compression = 'SNAPPY', \
             external_location = 's3://lake/by_state/', partitioned_by = ARRAY['state']) AS \
             SELECT facility_id, services, accreditations, state FROM facilities",
        )
        .await;
    assert_eq!(done.status().unwrap().state(), Some(&State::Succeeded), "{done:?}");
    assert_eq!(done.substatement_type(), Some("CREATE_TABLE_AS_SELECT"));
    let files = lake.keys("by_state/").await;
    let folders: Vec<&str> = files.iter().map(|f| f.split('/').nth(1).unwrap()).collect();
    assert_eq!(folders, ["state=AZ", "state=PA", "state=TX"]);
    for file in &files {
        let bytes =
            lake.local.s3().get_object().bucket(LAKE).key(file).range("bytes=0-3").send().await.unwrap();
        assert_eq!(&bytes.body.collect().await.unwrap().into_bytes()[..], b"PAR1");
    }
    let manifest = done.statistics().unwrap().data_manifest_location().unwrap();
    let listed = lake.text(manifest.strip_prefix("s3://lake/").unwrap()).await;
    let expected: Vec<String> = files.iter().map(|f| format!("s3://lake/{f}\n")).collect();
    assert_eq!(listed, expected.concat());
    assert_eq!(
        lake.answer("SELECT facility_id, accreditations[1].name FROM by_state WHERE state = 'TX' AND cardinality(services) > 0").await,
        ["facility_id|name", "FAC001|CAP"]
    );
    let id = lake.start("INSERT INTO by_state VALUES ('FAC009', ARRAY['MRI'], NULL, 'NY')").await;
    lake.finished(&id).await;
    let results = lake.athena.get_query_results().query_execution_id(&id).send().await.unwrap();
    assert_eq!(results.update_count(), Some(1));
    assert_eq!(lake.answer("SHOW PARTITIONS by_state").await.len(), 4);
    let metadata = lake
        .athena
        .get_table_metadata()
        .catalog_name("AwsDataCatalog")
        .database_name("healthcare_pipeline")
        .table_name("by_state")
        .send()
        .await
        .unwrap();
    let table = metadata.table_metadata().unwrap();
    assert_eq!(table.partition_keys()[0].name(), "state");
    assert_eq!(table.columns()[2].r#type(), Some("array<struct<name:string,expiry_date:string>>"));
}

#[tokio::test]
async fn unload_writes_where_nothing_is() {
    let lake = Lake::filled().await;
    let sql = "UNLOAD (SELECT facility_id, state FROM facilities WHERE state = 'TX' ORDER BY 1) TO 's3://lake/out/' \
               WITH (format = 'JSON', compression = 'NONE')";
    let done = lake.run(sql).await;
    assert_eq!(done.status().unwrap().state(), Some(&State::Succeeded), "{done:?}");
    let files = lake.keys("out/").await;
    assert_eq!(
        lake.text(&files[0]).await,
        "{\"facility_id\":\"FAC001\",\"state\":\"TX\"}\n{\"facility_id\":\"FAC003\",\"state\":\"TX\"}\n"
    );
    assert!(lake.reason(sql).await.starts_with("HIVE_PATH_ALREADY_EXISTS"));
}

#[tokio::test]
async fn partitions_are_repaired_pruned_and_dropped() {
    let lake = Lake::filled().await;
    for day in 1..=3 {
        lake.put(&format!("events/dt=2026-01-0{day}/e.csv"), format!("id,n\nx{day},{day}\n")).await;
    }
    for sql in [
        "CREATE EXTERNAL TABLE events (id string, n int) PARTITIONED BY (dt string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' \
         LOCATION 's3://lake/events/' TBLPROPERTIES ('skip.header.line.count'='1')",
        "MSCK REPAIR TABLE events",
        "ALTER TABLE events DROP PARTITION (dt = '2026-01-02')",
    ] {
        let done = lake.run(sql).await;
        assert_eq!(done.status().unwrap().state(), Some(&State::Succeeded), "{done:?}");
    }
    assert_eq!(
        lake.answer("SELECT * FROM events ORDER BY n").await,
        ["id|n|dt", "x1|1|2026-01-01", "x3|3|2026-01-03"]
    );
    let done = lake.run("SELECT * FROM events WHERE dt > '2026-01-02'").await;
    // One object of "id,n\nx3,3\n".
    assert_eq!(done.statistics().unwrap().data_scanned_in_bytes(), Some(10));
}

#[tokio::test]
async fn damaged_objects_fail_the_query_and_not_the_cloud() {
    let lake = Lake::filled().await;
    lake.put("raw/cut.json.gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab][..]).await;
    assert_eq!(
        lake.reason("SELECT count(*) FROM facilities WHERE state <> ''").await,
        "HIVE_CURSOR_ERROR: Failed to read file at s3://lake/raw/cut.json.gz: Unexpected end of input stream"
    );
    lake.local.s3().delete_object().bucket(LAKE).key("raw/cut.json.gz").send().await.unwrap();
    assert_eq!(lake.answer("SELECT count(*) FROM facilities").await, ["_col0", "4"]);
}
