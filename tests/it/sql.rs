//! The query language by case: `tests/cases/sql/*.toml` holds expressions and statements with what Athena
//! answers. The expected values come from Trino's documentation, or were worked out by hand. Every case goes
//! through the service, with the real SDK.

use std::path::Path;
use std::time::Duration;

use aws_sdk_athena::Client;
use aws_sdk_athena::types::{
    QueryExecutionContext, QueryExecutionState as State, ResultConfiguration, ResultSet,
};
use aws_sdk_s3::primitives::ByteStream;
use serde::Deserialize;

use crate::support::{Local, cloud};

/// A file of cases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    /// An expression and how its value is printed; `false` is NULL.
    #[serde(default)]
    values: Vec<(String, Cell)>,
    /// An expression and how the message of its failure begins.
    #[serde(default)]
    fails: Vec<(String, String)>,
    #[serde(default)]
    query: Vec<Query>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    sql: String,
    columns: Option<Vec<String>>,
    types: Option<Vec<String>>,
    rows: Option<Vec<Vec<Cell>>>,
    /// The order of the rows is open.
    #[serde(default)]
    unordered: bool,
    /// How the message of the failed query begins.
    error: Option<String>,
    /// What StartQueryExecution's refusal contains.
    refused: Option<String>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(untagged)]
enum Cell {
    Text(String),
    /// NULL, written `false`.
    Null(bool),
}

struct Answer {
    columns: Vec<String>,
    types: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

enum Outcome {
    Answered(Answer),
    Failed(String),
    Refused(String),
}

async fn run(athena: &Client, sql: &str) -> Outcome {
    let context = QueryExecutionContext::builder().database("library").build();
    let output = ResultConfiguration::builder().output_location("s3://lake/results/").build();
    let started = athena
        .start_query_execution()
        .query_string(sql)
        .query_execution_context(context)
        .result_configuration(output)
        .send()
        .await;
    let id = match started {
        Ok(started) => started.query_execution_id.unwrap(),
        Err(error) => {
            let error = error.into_service_error();
            return Outcome::Refused(error.meta().message().unwrap_or_default().to_owned());
        }
    };
    loop {
        let got = athena.get_query_execution().query_execution_id(&id).send().await.unwrap();
        let status = got.query_execution.and_then(|q| q.status).unwrap();
        match status.state {
            Some(State::Queued | State::Running) => tokio::time::sleep(Duration::from_millis(2)).await,
            Some(State::Succeeded) => break,
            _ => return Outcome::Failed(status.state_change_reason.unwrap_or_default()),
        }
    }
    let got = athena.get_query_results().query_execution_id(&id).send().await.unwrap();
    Outcome::Answered(answer(&got.result_set.unwrap()))
}

fn answer(set: &ResultSet) -> Answer {
    let info = set.result_set_metadata().unwrap().column_info();
    let rows = set.rows().iter().skip(1).map(|row| {
        let cell = |d: &aws_sdk_athena::types::Datum| {
            d.var_char_value().map_or(Cell::Null(false), |text| Cell::Text(text.to_owned()))
        };
        row.data().iter().map(cell).collect()
    });
    Answer {
        columns: info.iter().map(|c| c.name().to_owned()).collect(),
        types: info.iter().map(|c| c.r#type().to_owned()).collect(),
        rows: rows.collect(),
    }
}

/// What is wrong with the outcome of a case.
fn verdict(query: &Query, outcome: Outcome) -> Option<String> {
    let answer = match (outcome, &query.error, &query.refused) {
        (Outcome::Failed(why), Some(wanted), _) if why.starts_with(wanted) => return None,
        (Outcome::Refused(why), _, Some(wanted)) if why.contains(wanted) => return None,
        (Outcome::Answered(answer), None, None) => answer,
        (Outcome::Failed(why), ..) => return Some(format!("failed: {why}")),
        (Outcome::Refused(why), ..) => return Some(format!("refused: {why}")),
        (Outcome::Answered(answer), ..) => return Some(format!("answered {:?}", answer.rows)),
    };
    if query.columns.as_ref().is_some_and(|c| *c != answer.columns) {
        return Some(format!("columns {:?}", answer.columns));
    }
    if query.types.as_ref().is_some_and(|t| *t != answer.types) {
        return Some(format!("types {:?}", answer.types));
    }
    let (mut wanted, mut got) = (query.rows.clone().unwrap_or_default(), answer.rows);
    if query.unordered {
        wanted.sort();
        got.sort();
    }
    (wanted != got).then(|| format!("rows {got:?}"))
}

/// A cloud with a table `library.shelf` of two objects.
async fn library() -> (Local, Client) {
    let local = cloud().await;
    let s3 = local.s3();
    s3.create_bucket().bucket("lake").send().await.unwrap();
    for (id, title) in [(1, "one"), (2, "two")] {
        let body = ByteStream::from(format!("{{\"id\":{id},\"title\":\"{title}\"}}\n").into_bytes());
        s3.put_object().bucket("lake").key(format!("shelf/{id}.json")).body(body).send().await.unwrap();
    }
    let athena = Client::new(&local.config);
    for sql in [
        "CREATE DATABASE library",
        "CREATE EXTERNAL TABLE shelf (id int, title string) \
         ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://lake/shelf/'",
    ] {
        assert!(matches!(run(&athena, sql).await, Outcome::Answered(_)), "{sql}");
    }
    (local, athena)
}

async fn hold(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/sql").join(file);
    let cases: Cases = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let select = |expr: String| Query {
        sql: format!("SELECT {expr}"),
        columns: None,
        types: None,
        rows: None,
        unordered: false,
        error: None,
        refused: None,
    };
    let values =
        cases.values.into_iter().map(|(expr, cell)| Query { rows: Some(vec![vec![cell]]), ..select(expr) });
    let fails = cases.fails.into_iter().map(|(expr, error)| Query { error: Some(error), ..select(expr) });
    let all: Vec<Query> = values.chain(fails).chain(cases.query).collect();
    assert!(!all.is_empty(), "{file} holds no case");
    let (_local, athena) = library().await;
    let mut wrong = Vec::new();
    for query in &all {
        if let Some(what) = verdict(query, run(&athena, &query.sql).await) {
            wrong.push(format!("{}\n    {what}", query.sql));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases in {file}:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

macro_rules! files {
    ($($name:ident)*) => {
        $(#[tokio::test]
        async fn $name() {
            hold(concat!(stringify!($name), ".toml")).await;
        })*
    };
}

files! { strings dates arrays numbers aggregates queries practice errors }

/// The lines of an answer without a header.
async fn lines(athena: &Client, sql: &str) -> String {
    let context = QueryExecutionContext::builder().database("library").build();
    let output = ResultConfiguration::builder().output_location("s3://lake/results/").build();
    let started = athena
        .start_query_execution()
        .query_string(sql)
        .query_execution_context(context)
        .result_configuration(output)
        .send()
        .await
        .unwrap();
    let id = started.query_execution_id.unwrap();
    loop {
        let got = athena.get_query_execution().query_execution_id(&id).send().await.unwrap();
        match got.query_execution.and_then(|q| q.status).and_then(|s| s.state).unwrap() {
            State::Queued | State::Running => tokio::time::sleep(Duration::from_millis(2)).await,
            State::Succeeded => break,
            other => panic!("{sql}: {other}"),
        }
    }
    let got = athena.get_query_results().query_execution_id(&id).send().await.unwrap();
    let rows = got.result_set.unwrap().rows.unwrap_or_default();
    let line = |row: aws_sdk_athena::types::Row| {
        row.data.unwrap_or_default().into_iter().filter_map(|d| d.var_char_value).collect::<String>()
    };
    rows.into_iter().map(line).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn plans_are_explained_as_text_and_as_json() {
    let (_local, athena) = library().await;
    let plan = lines(&athena, "EXPLAIN SELECT title, count(*) FROM shelf GROUP BY title").await;
    assert!(plan.contains("Aggregate") && plan.contains("shelf"), "{plan}");
    let tree = lines(&athena, "EXPLAIN (FORMAT JSON) SELECT id FROM shelf").await;
    let tree: serde_json::Value = serde_json::from_str(&tree).unwrap_or_else(|e| panic!("{e}: {tree}"));
    let root = &tree["0"];
    assert_eq!(root["outputs"], serde_json::json!([{"symbol": "id", "type": "integer"}]));
    assert!(root["children"].is_array());
    assert_eq!(lines(&athena, "EXPLAIN (TYPE VALIDATE) SELECT id FROM shelf").await, "true");
    let told = lines(&athena, "EXPLAIN ANALYZE SELECT id FROM shelf ORDER BY id").await;
    assert!(told.contains("output_rows=2"), "{told}");
}

/// A statement as long as Athena takes, deep or wide: an answer or a failure, and the cloud goes on.
#[tokio::test]
async fn no_statement_is_too_much_for_the_cloud() {
    let (_local, athena) = library().await;
    let limit = 262_144;
    let nested = |open: &str, inner: &str, close: &str, n: usize| {
        format!("SELECT {}{inner}{} FROM shelf", open.repeat(n), close.repeat(n))
    };
    let padded = format!("SELECT 1 AS one -- {}", "x".repeat(limit - 19));
    for sql in [
        // Chains of every operator, and what stands before or behind an expression.
        format!("SELECT {}", vec!["1"; limit / 2 - 10].join("+")),
        format!("SELECT {}", vec!["1"; limit / 2 - 10].join("=")),
        format!("SELECT {}", vec!["1"; 80_000].join("->")),
        format!("SELECT 1{}", " IS NULL".repeat(30_000)),
        format!("SELECT 1{}", " IN (1)".repeat(30_000)),
        format!("SELECT 1{}", " BETWEEN 1 AND 1".repeat(15_000)),
        format!("SELECT now(){}", " AT TIME ZONE 'UTC'".repeat(13_000)),
        format!("SELECT 1{}", "::int".repeat(50_000)),
        format!("SELECT {}1", "- ".repeat(50_000)),
        format!("SELECT {}true", "NOT ".repeat(50_000)),
        // One in the other.
        nested("(", "1", ")", 10_000),
        nested("ROW(", "1", ")", 30_000),
        nested("CASE WHEN true THEN ", "1", " END", 10_000),
        nested("CAST(", "1", " AS int)", 10_000),
        nested("coalesce(", "title", ", 'x')", 300),
        nested("replace(", "title", ", 'a', 'b')", 100),
        format!("SELECT CAST(NULL AS {}int{})", "array(".repeat(30_000), ")".repeat(30_000)),
        format!("SELECT * FROM {}shelf", "(SELECT * FROM ".repeat(15_000)),
        format!("SELECT 1 FROM shelf {}", "CROSS JOIN shelf ".repeat(12_000)),
        vec!["SELECT 1"; 13_000].join(" UNION ALL "),
        padded.clone(),
    ] {
        assert!(sql.len() <= limit, "{}", sql.len());
        let _ = run(&athena, &sql).await;
        let alive = run(&athena, "SELECT 1").await;
        assert!(matches!(alive, Outcome::Answered(_)), "after {}", &sql[..60]);
    }
    assert!(matches!(run(&athena, &padded).await, Outcome::Answered(_)));
}

/// What people and their programs write is long too, and is answered.
#[tokio::test]
async fn long_statements_are_answered() {
    let (_local, athena) = library().await;
    let list = |n: usize, sep: &str, one: fn(usize) -> String| (0..n).map(one).collect::<Vec<_>>().join(sep);
    let one = async |sql: String| match run(&athena, &sql).await {
        Outcome::Answered(answer) => answer.rows,
        Outcome::Failed(why) | Outcome::Refused(why) => panic!("{}: {why}", &sql[..60]),
    };
    let text = |value: &str| vec![vec![Cell::Text(value.to_owned())]];
    let ids = list(10_000, ", ", |n| (n * 2).to_string());
    assert_eq!(one(format!("SELECT id FROM shelf WHERE id IN ({ids})")).await, text("2"));
    let titles = list(5_000, ", ", |n| format!("'t{n}'"));
    assert_eq!(one(format!("SELECT count(*) FROM shelf WHERE title IN ({titles}, 'one')")).await, text("1"));
    let either = list(2_000, " OR ", |n| format!("(id = {n} AND title <> 'two')"));
    assert_eq!(one(format!("SELECT id FROM shelf WHERE {either}")).await, text("1"));
    let all = list(2_000, " AND ", |n| format!("id <> {}", n + 2));
    assert_eq!(one(format!("SELECT id FROM shelf WHERE {all}")).await, text("1"));
    let sum = list(1_000, " + ", |n| if n % 2 == 0 { "id".into() } else { "1".into() });
    assert_eq!(one(format!("SELECT max({sum}) FROM shelf")).await, text("1500"));
    let glued = list(1_000, " || ", |_| "title".into());
    assert_eq!(one(format!("SELECT length({glued}) FROM shelf WHERE id = 1")).await, text("3000"));
    let rows = list(2_000, ", ", |n| format!("({n}, 'x{n}')"));
    assert_eq!(one(format!("SELECT sum(a) FROM (VALUES {rows}) AS t(a, b)")).await, text("1999000"));
    let cases = list(500, " ", |n| format!("WHEN id = {n} THEN 'x{n}'"));
    assert_eq!(one(format!("SELECT max(CASE {cases} END) FROM shelf")).await, text("x2"));
    let unions = list(100, " UNION ALL ", |n| format!("SELECT {n} AS n"));
    assert_eq!(one(format!("SELECT count(DISTINCT n) FROM ({unions})")).await, text("100"));
}
