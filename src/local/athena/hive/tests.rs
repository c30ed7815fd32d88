use super::*;
use crate::local::athena::types::Type;
use crate::sql::{parameters, shipped};

fn one(text: &str) -> Statement {
    read(text).unwrap().unwrap()
}

#[test]
fn the_shipped_statements_are_read() {
    let fill = |text: &str| parameters::read(text).unwrap().fill(&Default::default()).unwrap();
    assert!(matches!(
        one(&fill(shipped::CREATE_DATABASE)),
        Statement::CreateDatabase { name, lenient: true, .. } if name == "healthcare_pipeline"
    ));
    let Statement::CreateTable(table) = one(&fill(shipped::CREATE_TABLE)) else { panic!() };
    assert_eq!(table.name, (Some("healthcare_pipeline".into()), "facilities".into()));
    assert_eq!(table.location, "s3://healthcare-accreditation-data-pipeline/raw/");
    assert_eq!(table.columns[4].kind.trino(), "array(row(name varchar, expiry_date varchar))");
    assert_eq!(table.serde_properties, [("ignore.malformed.json".into(), "true".into())]);
}

#[test]
fn partitioned_tables_with_backticks() {
    let Statement::CreateTable(table) =
        one("CREATE EXTERNAL TABLE IF NOT EXISTS `d`.`t` (`A` string COMMENT 'it''s', m map<string,int>) \
         PARTITIONED BY (`dt` string, `region` string) \
         ROW FORMAT SERDE 'x.Y' WITH SERDEPROPERTIES ('serialization.format'='1') \
         STORED AS INPUTFORMAT 'in' OUTPUTFORMAT 'out' LOCATION 's3://b/p/' \
         TBLPROPERTIES ('projection.enabled'='true');")
    else {
        panic!()
    };
    assert!(table.lenient);
    assert_eq!(table.columns[0].name, "a");
    assert_eq!(table.columns[0].comment.as_deref(), Some("it's"));
    assert_eq!(table.columns[1].kind, Type::Map(Type::Varchar(None).into(), Type::Integer.into()));
    assert_eq!(table.partitioned_by.len(), 2);
    assert_eq!(table.output_format.as_deref(), Some("out"));
}

#[test]
fn small_statements() {
    assert_eq!(
        one("drop database if exists accred_db cascade"),
        Statement::DropDatabase { name: "accred_db".into(), lenient: true, cascade: true }
    );
    assert_eq!(
        one("SHOW TABLES IN accred_db LIKE 'fac*'"),
        Statement::ShowTables { database: Some("accred_db".into()), like: Some("fac*".into()) }
    );
    assert_eq!(
        one("DESCRIBE FORMATTED a.b c"),
        Statement::Describe {
            table: (Some("a".into()), "b".into()),
            detail: Detail::Formatted,
            column: Some("c".into())
        }
    );
    assert_eq!(
        one("CREATE OR REPLACE VIEW v AS SELECT 1 AS x"),
        Statement::CreateView { name: (None, "v".into()), replace: true, sql: "SELECT 1 AS x".into() }
    );
    let Statement::Alter { change: Change::AddPartitions { partitions, lenient: true }, .. } = one(
        "ALTER TABLE t ADD IF NOT EXISTS PARTITION (dt='2026-11-01', r=3) LOCATION 's3://b/x/' PARTITION (dt='y')",
    ) else {
        panic!()
    };
    assert_eq!(partitions.len(), 2);
    assert_eq!(partitions[0].values[1], ("r".into(), "3".into()));
}

#[test]
fn delimiters_are_read_with_their_escapes() {
    let Statement::CreateTable(table) = one(
        r#"CREATE EXTERNAL TABLE t (a string) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t' ESCAPED BY '\\'
           COLLECTION ITEMS TERMINATED BY '|' MAP KEYS TERMINATED BY ':' LINES TERMINATED BY '\n' NULL DEFINED AS ''
           STORED AS TEXTFILE LOCATION 's3://b/' TBLPROPERTIES ("skip.header.line.count"="1")"#,
    ) else {
        panic!()
    };
    let expected = [
        ("serialization.format", "\t"),
        ("field.delim", "\t"),
        ("escape.delim", "\\"),
        ("colelction.delim", "|"),
        ("mapkey.delim", ":"),
        ("line.delim", "\n"),
        ("serialization.null.format", ""),
    ];
    assert_eq!(table.serde_properties, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    assert_eq!(table.properties, [("skip.header.line.count".into(), "1".into())]);
}

#[test]
fn tables_are_altered() {
    let change = |text: &str| match one(text) {
        Statement::Alter { change, .. } => change,
        other => panic!("{other:?}"),
    };
    let pair = |k: &str, v: &str| (k.to_owned(), v.to_owned());
    assert_eq!(
        change("ALTER TABLE t PARTITION (dt='1') RENAME TO PARTITION (dt='2')"),
        Change::RenamePartition { from: vec![pair("dt", "1")], to: vec![pair("dt", "2")] }
    );
    assert_eq!(
        change("ALTER TABLE t PARTITION (dt='1') SET LOCATION 's3://b/x/'"),
        Change::SetLocation { partition: Some(vec![pair("dt", "1")]), location: "s3://b/x/".into() }
    );
    let Change::DropPartitions { partitions, .. } =
        change("ALTER TABLE t DROP IF EXISTS PARTITION (dt<'3', r=1), PARTITION (dt='9')")
    else {
        panic!()
    };
    assert_eq!(partitions.len(), 2);
    assert_eq!(partitions[0][0], Bound { column: "dt".into(), operator: "<".into(), value: "3".into() });
    assert!(
        matches!(change("ALTER TABLE t REPLACE COLUMNS (a int, b array<string>)"), Change::ReplaceColumns(c) if c.len() == 2)
    );
    assert!(
        matches!(change("ALTER TABLE t CHANGE a b bigint COMMENT 'x' AFTER c"), Change::EditColumn { old, .. } if old == "a")
    );
    assert!(read("ALTER TABLE t RENAME TO u").is_err());
}

#[test]
fn managed_tables_are_refused() {
    let failure = read("CREATE TABLE t (a int)").unwrap_err();
    assert!(failure.is_malformed() && failure.detail().contains("external"), "{failure}");
}

#[test]
fn what_is_not_ddl_is_left_alone() {
    for text in ["SELECT 1", "CREATE TABLE t AS SELECT 1", "INSERT INTO t SELECT 1", "EXPLAIN SELECT 1"] {
        assert_eq!(read(text).unwrap(), None, "{text}");
    }
}

#[test]
fn mistakes_are_placed() {
    let failure = read("CREATE EXTERNAL TABLE t (a money) LOCATION 's3://b/'").unwrap_err();
    assert_eq!(failure.detail(), "line 1:28: unknown type money");
    let failure = read("CREATE EXTERNAL TABLE t (a int)").unwrap_err();
    assert!(failure.detail().contains("Expecting: LOCATION") || failure.detail().contains("'LOCATION'"));
    assert!(read("DROP TABLE a b").is_err());
}

#[test]
fn patterns_of_show() {
    assert!(fits("fac*", "facilities") && fits("a|b*", "bc") && !fits("fac", "facilities"));
    assert!(fits("*a*b*", "xaxbx") && !fits("*a*b*", "xbxa") && fits("*", ""));
    // The examples of Athena's page on SHOW DATABASES.
    assert!(matches(".*analytics", "web_analytics") && !matches(".*analytics", "analytics2"));
    assert!(matches("web*", "web_analytics") && matches("js.*", "js2") && !matches("(", "x"));
    assert!(!fits(&"a*".repeat(200), &"a".repeat(150)));
}
