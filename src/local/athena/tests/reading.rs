//! Reading: formats and their properties, damaged objects, rows that do not fit.

use std::io::Write;

use bytes::Bytes;

use super::Lake;
use crate::local::bus::Objects;

async fn table(lake: &Lake, name: &str, columns: &str, clauses: &str) {
    let sql = format!("CREATE EXTERNAL TABLE {name} ({columns}) {clauses} LOCATION 's3://lake/{name}/'");
    lake.run(&sql).await.unwrap_or_else(|why| panic!("{sql}: {why}"));
}

fn openx(properties: &str) -> String {
    let serde = "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'";
    if properties.is_empty() { serde.into() } else { format!("{serde} WITH SERDEPROPERTIES ({properties})") }
}

async fn database() -> Lake {
    let lake = Lake::empty();
    lake.run("CREATE DATABASE healthcare_pipeline").await.unwrap();
    lake
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

impl Lake {
    async fn put_bytes(&self, key: &str, body: Vec<u8>) {
        self.objects.write("lake", key, Bytes::from(body), "").await.unwrap();
    }

    async fn why(&self, sql: &str) -> String {
        match self.run(sql).await {
            Err(why) => why,
            Ok(rows) => panic!("{sql}: {rows:?}"),
        }
    }
}

#[tokio::test]
async fn keys_of_json_as_the_serdes_properties_say() {
    let lake = database().await;
    lake.put("a/1.json", r#"{"Ts":"t","user.name":"ann","Nested":{"Ts":1},"n":"7","x":{"k":[1]},"f":1.9}"#)
        .await;
    let columns = "when_ string, user_name string, nested struct<when_:int>, n int, x string, f int";
    table(&lake, "a", columns, &openx("'mapping.when_'='ts','dots.in.keys'='true'")).await;
    assert_eq!(lake.rows("SELECT * FROM a").await, [r#"t|ann|{when_=1}|7|{"k":[1]}|1"#]);
    lake.put("b/1.json", r#"{"Id":1,"id":2}"#).await;
    let exact = openx("'case.insensitive'='false','mapping.upper'='Id'");
    table(&lake, "b", "upper int, id int", &exact).await;
    assert_eq!(lake.rows("SELECT * FROM b").await, ["1|2"]);
    lake.put("c/1.json", r#"{"Id":1,"id":2}"#).await;
    table(&lake, "c", "id int", &openx("")).await;
    let why = lake.why("SELECT * FROM c").await;
    assert!(
        why.starts_with(
            "HIVE_CURSOR_ERROR: Row is not a valid JSON Object - JSONException: Duplicate key \"id\""
        ),
        "{why}"
    );
}

#[tokio::test]
async fn malformed_lines_fail_or_are_null() {
    let lake = database().await;
    lake.put("a/1.json", "{\"id\":1}\n\n{\"id\":2\n{\"id\":3}").await;
    table(&lake, "a", "id int", &openx("")).await;
    let why = lake.why("SELECT * FROM a").await;
    assert!(why.starts_with("HIVE_CURSOR_ERROR: Row is not a valid JSON Object - JSONException: "), "{why}");
    assert!(why.contains("s3://lake/a/1.json"), "{why}");
    lake.run("DROP TABLE a").await.unwrap();
    table(&lake, "a", "id int", &openx("'ignore.malformed.json'='TRUE'")).await;
    assert_eq!(lake.rows("SELECT id FROM a ORDER BY id").await, ["1", "3", "-"]);
    // Hive's own SerDe knows no such property.
    lake.run("DROP TABLE a").await.unwrap();
    let hive = "ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe' WITH SERDEPROPERTIES ('ignore.malformed.json'='true')";
    table(&lake, "a", "id int", hive).await;
    assert!(lake.why("SELECT * FROM a").await.starts_with("HIVE_CURSOR_ERROR"));
}

#[tokio::test]
async fn values_that_do_not_fit_are_bad_data() {
    let lake = database().await;
    for (name, value, why) in [
        ("word", r#""seven""#, r#"Error parsing field value 'seven' for field 1: For input string: "seven""#),
        (
            "large",
            "3000000000",
            r#"Error parsing field value '3000000000' for field 1: For input string: "3000000000""#,
        ),
        ("list", "[1]", "Error parsing field value '[1]' for field 1: For input string: \"[1]\""),
    ] {
        lake.put(&format!("{name}/1.json"), &format!("{{\"id\":\"a\",\"n\":{value}}}")).await;
        table(&lake, name, "id string, n int", &openx("")).await;
        let failure = lake.why(&format!("SELECT * FROM {name}")).await;
        assert!(failure.starts_with(&format!("HIVE_BAD_DATA: {why}")), "{failure}");
        // Only what is read is parsed.
        assert_eq!(lake.rows(&format!("SELECT id FROM {name}")).await, ["a"]);
    }
}

#[tokio::test]
async fn delimited_text_with_nested_columns() {
    let lake = database().await;
    lake.put(
        "a/1.txt",
        "id;tags;sizes;pair;day\nx;a|b;k:1|l:2;7|y;2026-01-02\n\\N;;;;\nlate\\;r;q;;oops|z;not a day\n",
    )
    .await;
    let clauses = r"ROW FORMAT DELIMITED FIELDS TERMINATED BY '\;' ESCAPED BY '\\' COLLECTION ITEMS TERMINATED BY '|'
        MAP KEYS TERMINATED BY ':'";
    let sql = format!(
        "CREATE EXTERNAL TABLE a (id string, tags array<string>, sizes map<string,int>, pair struct<n:int,s:string>, day date) \
         {clauses} LOCATION 's3://lake/a/' TBLPROPERTIES ('skip.header.line.count'='1')"
    );
    lake.run(&sql).await.unwrap();
    assert_eq!(
        lake.rows("SELECT * FROM a").await,
        [
            "x|[a, b]|{k=1, l=2}|{n=7, s=y}|2026-01-02",
            "-|[]|{}|{n=null, s=null}|-",
            "late;r|[q]|{}|{n=null, s=z}|-"
        ]
    );
}

#[tokio::test]
async fn quoted_csv() {
    let lake = database().await;
    lake.put("a/1.csv", "id,name,n,day,at\r\n1,\"Lake, \"\"View\"\"\",7,20454,1767225600000\r\n").await;
    let clauses = r#"ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'
        WITH SERDEPROPERTIES ('separatorChar' = ',', 'quoteChar' = '\"', 'escapeChar' = '\\')"#;
    let sql = format!(
        "CREATE EXTERNAL TABLE a (id bigint, name string, n int, day date, at timestamp) {clauses} LOCATION 's3://lake/a/' \
         TBLPROPERTIES ('skip.header.line.count'='1')"
    );
    lake.run(&sql).await.unwrap();
    // Day 20454 and millisecond 1767225600000 are 2026-01-01.
    assert_eq!(lake.rows("SELECT * FROM a").await, ["1|Lake, \"View\"|7|2026-01-01|2026-01-01 00:00:00.000"]);
    lake.put("a/2.csv", "h\n2,b,,20454,0\n").await;
    let why = lake.why("SELECT * FROM a").await;
    assert!(
        why.starts_with("HIVE_BAD_DATA: Error parsing field value '' for field 2: For input string: \"\""),
        "{why}"
    );
}

#[tokio::test]
async fn gzip_objects() {
    let lake = database().await;
    let text = "{\"id\":1}\n{\"id\":2}\n".repeat(20_000);
    let packed = gzip(&text);
    // Two members behind each other are one object.
    lake.put_bytes("a/1.json.gz", [packed.clone(), packed.clone()].concat()).await;
    lake.put("a/2.json", "{\"id\":3}").await;
    table(&lake, "a", "id int", &openx("")).await;
    let id = lake.start("SELECT id, count(*) FROM a GROUP BY id ORDER BY id").await.unwrap();
    let execution = lake.finished(&id).await;
    assert_eq!(execution["Statistics"]["DataScannedInBytes"], packed.len() * 2 + 8);
    assert_eq!(
        lake.rows("SELECT id, count(*) FROM a GROUP BY id ORDER BY id").await,
        ["1|40000", "2|40000", "3|1"]
    );
    lake.put_bytes("a/1.json.gz", packed[..packed.len() / 2].to_vec()).await;
    assert_eq!(
        lake.why("SELECT count(*) FROM a").await,
        "HIVE_CURSOR_ERROR: Failed to read file at s3://lake/a/1.json.gz: Unexpected end of input stream"
    );
    lake.put("a/1.json.gz", "not packed at all").await;
    assert!(lake.why("SELECT count(*) FROM a").await.contains("is not in gzip format"));
    lake.put("a/1.json.bz2", "x").await;
    lake.objects.delete("lake", "a/1.json.gz").await.unwrap();
    assert!(
        lake.why("SELECT count(*) FROM a")
            .await
            .starts_with("NOT_SUPPORTED: the local cloud does not read .bz2")
    );
}

#[tokio::test]
async fn what_is_hidden_or_missing_holds_no_rows() {
    let lake = database().await;
    table(&lake, "a", "id int", &openx("")).await;
    assert_eq!(lake.rows("SELECT count(*) FROM a").await, ["0"]);
    lake.put("a/_SUCCESS", "no json").await;
    lake.put("a/.hidden", "no json").await;
    lake.put("a/_temporary/1.json", "no json").await;
    lake.put("a/deep/er/1.json", "{\"id\":1}").await;
    lake.put("a/empty.json", "").await;
    assert_eq!(lake.rows("SELECT id FROM a").await, ["1"]);
    let sql = "CREATE EXTERNAL TABLE gone (id int) LOCATION 's3://no-such-bucket/x/'";
    lake.run(sql).await.unwrap();
    assert!(lake.why("SELECT * FROM gone").await.contains("NoSuchBucket"));
}

#[tokio::test]
async fn formats_that_are_not_read_are_named() {
    let lake = database().await;
    table(&lake, "a", "id int", "STORED AS ORC").await;
    let why = lake.why("SELECT * FROM a").await;
    assert!(why.starts_with("NOT_SUPPORTED") && why.contains("OrcSerde"), "{why}");
}

#[tokio::test]
async fn no_file_of_the_machine_is_read() {
    let lake = database().await;
    let why = lake.why("CREATE EXTERNAL TABLE a (line string) LOCATION 'file:///etc/'").await;
    assert!(why.contains("is not a location"), "{why}");
    for sql in ["SELECT * FROM '/etc/passwd'", "SELECT * FROM \"/etc/passwd\"", "COPY (SELECT 1) TO '/tmp/x'"]
    {
        assert!(lake.run(sql).await.is_err(), "{sql}");
    }
}
