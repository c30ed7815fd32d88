//! The service around queries: work groups, limits, reused results, tags, catalogs.

use serde_json::{Value, json};

use super::Lake;
use crate::local::bus::Objects;

async fn start_with(lake: &Lake, sql: &str, more: Value) -> Result<String, String> {
    let mut input =
        json!({ "QueryString": sql, "QueryExecutionContext": { "Database": "healthcare_pipeline" } });
    for (key, value) in more.as_object().unwrap() {
        input[key] = value.clone();
    }
    let started = lake.call("StartQueryExecution", input).await.map_err(|fault| fault.message)?;
    Ok(started["QueryExecutionId"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_work_group_enforces_its_settings() {
    let lake = Lake::with_facilities().await;
    let created = json!({ "Name": "team", "Description": "d", "Tags": [{ "Key": "k", "Value": "v" }],
        "Configuration": { "ResultConfiguration": { "OutputLocation": "s3://lake/team/" } } });
    lake.call("CreateWorkGroup", created.clone()).await.unwrap();
    assert_eq!(
        lake.call("CreateWorkGroup", created).await.unwrap_err().message,
        "WorkGroup is already created"
    );
    // Groups enforce unless they say otherwise: the request's own place counts for nothing.
    let elsewhere =
        json!({ "WorkGroup": "team", "ResultConfiguration": { "OutputLocation": "s3://lake/mine/" } });
    let id = start_with(&lake, "SELECT 1", elsewhere.clone()).await.unwrap();
    let output =
        |execution: &Value| execution["ResultConfiguration"]["OutputLocation"].as_str().unwrap().to_owned();
    assert_eq!(output(&lake.finished(&id).await), format!("s3://lake/team/{id}.csv"));
    lake.call(
        "UpdateWorkGroup",
        json!({ "WorkGroup": "team", "ConfigurationUpdates": { "EnforceWorkGroupConfiguration": false } }),
    )
    .await
    .unwrap();
    let id = start_with(&lake, "SELECT 1", elsewhere).await.unwrap();
    assert_eq!(output(&lake.finished(&id).await), format!("s3://lake/mine/{id}.csv"));
    let id = start_with(&lake, "SELECT 1", json!({ "WorkGroup": "team" })).await.unwrap();
    assert_eq!(output(&lake.finished(&id).await), format!("s3://lake/team/{id}.csv"));
    lake.call(
        "UpdateWorkGroup",
        json!({ "WorkGroup": "team", "ConfigurationUpdates": { "EnforceWorkGroupConfiguration": true } }),
    )
    .await
    .unwrap();
    let chosen = "CREATE TABLE c WITH (external_location = 's3://lake/c/') AS SELECT 1 AS x";
    let id = start_with(&lake, chosen, json!({ "WorkGroup": "team" })).await.unwrap();
    let reason = lake.finished(&id).await["Status"]["StateChangeReason"].as_str().unwrap().to_owned();
    assert!(reason.contains("enforces a centralized output location"), "{reason}");
    lake.call("UpdateWorkGroup", json!({ "WorkGroup": "team", "State": "DISABLED" })).await.unwrap();
    assert_eq!(
        start_with(&lake, "SELECT 1", json!({ "WorkGroup": "team" })).await.unwrap_err(),
        "WorkGroup team is disabled."
    );
    let listed = lake.call("ListWorkGroups", json!({})).await.unwrap();
    let names: Vec<&str> =
        listed["WorkGroups"].as_array().unwrap().iter().map(|g| g["Name"].as_str().unwrap()).collect();
    assert_eq!(names, ["primary", "team"]);
    let tags = json!({ "ResourceARN": "arn:aws:athena:us-east-1:000000000000:workgroup/team" });
    assert_eq!(
        lake.call("ListTagsForResource", tags).await.unwrap(),
        json!({ "Tags": [{ "Key": "k", "Value": "v" }] })
    );
    assert_eq!(
        lake.call("DeleteWorkGroup", json!({ "WorkGroup": "team" })).await.unwrap_err().message,
        "WorkGroup team is not empty"
    );
    let recursive = json!({ "WorkGroup": "team", "RecursiveDeleteOption": true });
    lake.call("DeleteWorkGroup", recursive).await.unwrap();
    assert_eq!(
        start_with(&lake, "SELECT 1", json!({ "WorkGroup": "team" })).await.unwrap_err(),
        "WorkGroup team is not found."
    );
    assert!(lake.call("DeleteWorkGroup", json!({ "WorkGroup": "primary" })).await.is_err());
}

#[tokio::test]
async fn the_limit_of_bytes_cancels() {
    let lake = Lake::with_facilities().await;
    let limited = |limit: u64| {
        json!({ "Name": "small", "Configuration": { "BytesScannedCutoffPerQuery": limit,
                "ResultConfiguration": { "OutputLocation": "s3://lake/small/" } } })
    };
    assert!(
        lake.call("CreateWorkGroup", limited(9_999_999))
            .await
            .unwrap_err()
            .message
            .contains("bytesScannedCutoffPerQuery")
    );
    lake.call("CreateWorkGroup", limited(10_000_000)).await.unwrap();
    lake.put("raw/large.json", &format!("{{\"facility_id\":\"{}\"}}", "x".repeat(10_000_000))).await;
    let id = start_with(&lake, "SELECT count(facility_id) FROM facilities", json!({ "WorkGroup": "small" }))
        .await
        .unwrap();
    let status = &lake.finished(&id).await["Status"];
    assert_eq!(status["State"], "CANCELLED");
    assert_eq!(status["StateChangeReason"], "Bytes scanned limit was exceeded");
    assert_eq!(lake.rows("SELECT count(*) FROM facilities").await, ["4"]);
}

#[tokio::test]
async fn results_are_used_again_when_asked() {
    let lake = Lake::with_facilities().await;
    let asked = |minutes: u64| {
        json!({ "ResultConfiguration": { "OutputLocation": "s3://lake/athena-results/" },
                "ResultReuseConfiguration": { "ResultReuseByAgeConfiguration": { "Enabled": true, "MaxAgeInMinutes": minutes } } })
    };
    let sql = "SELECT facility_id FROM facilities ORDER BY 1";
    let reused =
        |execution: &Value| execution["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"].clone();
    let first = start_with(&lake, sql, asked(60)).await.unwrap();
    let before = lake.finished(&first).await;
    assert_eq!(reused(&before), false);
    let second = start_with(&lake, sql, asked(60)).await.unwrap();
    let after = lake.finished(&second).await;
    assert_ne!(first, second);
    assert_eq!(reused(&after), true);
    assert_eq!(after["ResultConfiguration"], before["ResultConfiguration"]);
    assert_eq!(after["Statistics"]["DataScannedInBytes"], 0);
    let rows = lake.call("GetQueryResults", json!({ "QueryExecutionId": second })).await.unwrap();
    assert_eq!(rows["ResultSet"]["Rows"].as_array().unwrap().len(), 4);
    for (sql, more) in [
        (sql, json!({ "ResultConfiguration": { "OutputLocation": "s3://lake/athena-results/" } })),
        ("SELECT facility_id FROM facilities", asked(60)),
    ] {
        let id = start_with(&lake, sql, more).await.unwrap();
        assert_eq!(reused(&lake.finished(&id).await), false, "{sql}");
    }
}

#[tokio::test]
async fn an_output_that_cannot_be_written_fails_the_query() {
    let lake = Lake::with_facilities().await;
    let refused = start_with(&lake, "SELECT 1", json!({})).await.unwrap_err();
    assert!(refused.starts_with("No output location provided."), "{refused}");
    let nowhere = json!({ "ResultConfiguration": { "OutputLocation": "s3://no-such-bucket/x/" } });
    let refused = start_with(&lake, "SELECT 1", nowhere).await.unwrap_err();
    assert!(refused.starts_with("Unable to verify/create output bucket no-such-bucket"), "{refused}");
    let relative = json!({ "ResultConfiguration": { "OutputLocation": "/tmp/x/" } });
    let refused = start_with(&lake, "SELECT 1", relative).await.unwrap_err();
    assert!(refused.starts_with("outputLocation is not a valid S3 path"), "{refused}");
}

#[tokio::test]
async fn large_results_go_out_in_parts() {
    let lake = Lake::with_facilities().await;
    let sql =
        "SELECT n, array_join(repeat('x', 100), '') AS pad FROM UNNEST(sequence(1, 9000)) AS t(n) ORDER BY n";
    let id = lake.start(sql).await.unwrap();
    lake.finished(&id).await;
    // Header, then for each row quotes, commas and a line's end around 100 letters and the number's
    // digits: 9 + 180 + 2,700 + 32,004 of them.
    let size = lake.objects.read("lake", &format!("athena-results/{id}.csv"), None).unwrap().len();
    assert_eq!(size, "\"n\",\"pad\"\n".len() + 9000 * (100 + 6) + 9 + 180 + 2_700 + 32_004);
}

#[tokio::test]
async fn prepared_statements_and_named_queries_through_the_api() {
    let lake = Lake::with_facilities().await;
    let prepared = |sql: &str| json!({ "StatementName": "p", "WorkGroup": "primary", "QueryStatement": sql });
    lake.call("CreatePreparedStatement", prepared("SELECT ?")).await.unwrap();
    assert!(lake.call("CreatePreparedStatement", prepared("SELECT ?")).await.is_err());
    lake.call("UpdatePreparedStatement", prepared("SELECT ? + 1 AS x")).await.unwrap();
    assert_eq!(lake.rows("EXECUTE p USING 41").await, ["42"]);
    let listed = lake.call("ListPreparedStatements", json!({ "WorkGroup": "primary" })).await.unwrap();
    assert_eq!(listed["PreparedStatements"][0]["StatementName"], "p");
    let name = json!({ "StatementName": "p", "WorkGroup": "primary" });
    lake.call("DeletePreparedStatement", name.clone()).await.unwrap();
    let gone = lake.call("GetPreparedStatement", name).await.unwrap_err();
    assert_eq!(gone.code, "ResourceNotFoundException");

    let named = json!({ "Name": "n", "Database": "d", "QueryString": "SELECT 1" });
    let id = lake.call("CreateNamedQuery", named).await.unwrap()["NamedQueryId"].clone();
    let update = json!({ "NamedQueryId": id, "Name": "m", "QueryString": "SELECT 2", "Description": "x" });
    lake.call("UpdateNamedQuery", update).await.unwrap();
    let got = lake.call("GetNamedQuery", json!({ "NamedQueryId": id })).await.unwrap();
    assert_eq!(
        (&got["NamedQuery"]["Name"], &got["NamedQuery"]["QueryString"]),
        (&json!("m"), &json!("SELECT 2"))
    );
    assert_eq!(lake.call("ListNamedQueries", json!({})).await.unwrap()["NamedQueryIds"], json!([id]));
    lake.call("DeleteNamedQuery", json!({ "NamedQueryId": id })).await.unwrap();
    assert!(lake.call("GetNamedQuery", json!({ "NamedQueryId": id })).await.is_err());
}

#[tokio::test]
async fn catalogs_databases_and_tables_are_described() {
    let lake = Lake::with_facilities().await;
    let catalogs = lake.call("ListDataCatalogs", json!({})).await.unwrap();
    assert_eq!(catalogs["DataCatalogsSummary"], json!([{ "CatalogName": "AwsDataCatalog", "Type": "GLUE" }]));
    lake.call(
        "CreateDataCatalog",
        json!({ "Name": "other", "Type": "LAMBDA", "Parameters": { "function": "f" } }),
    )
    .await
    .unwrap();
    assert_eq!(
        lake.call("GetDataCatalog", json!({ "Name": "other" })).await.unwrap()["DataCatalog"]["Type"],
        "LAMBDA"
    );
    let context = json!({ "QueryExecutionContext": { "Catalog": "other" } });
    assert!(start_with(&lake, "SELECT 1", context).await.is_err());
    lake.call("DeleteDataCatalog", json!({ "Name": "other" })).await.unwrap();
    let named = json!({ "CatalogName": "AwsDataCatalog", "DatabaseName": "healthcare_pipeline", "TableName": "facilities" });
    let table = lake.call("GetTableMetadata", named).await.unwrap();
    assert_eq!(table["TableMetadata"]["TableType"], "EXTERNAL_TABLE");
    assert_eq!(
        table["TableMetadata"]["Parameters"]["serde.serialization.lib"],
        "org.openx.data.jsonserde.JsonSerDe"
    );
    let gone = json!({ "CatalogName": "AwsDataCatalog", "DatabaseName": "nope" });
    assert_eq!(lake.call("GetDatabase", gone).await.unwrap_err().code, "MetadataException");
}
