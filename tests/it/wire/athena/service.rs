//! The service around queries: work groups, prepared statements, reused results.

use aws_sdk_athena::error::ProvideErrorMetadata;
use aws_sdk_athena::types::{
    QueryExecutionState as State, ResultConfiguration, ResultReuseByAgeConfiguration,
    ResultReuseConfiguration, WorkGroupConfiguration, WorkGroupConfigurationUpdates,
};

use super::Lake;

fn place(location: &str) -> ResultConfiguration {
    ResultConfiguration::builder().output_location(location).build()
}

#[tokio::test]
async fn a_work_group_says_where_results_go_and_how_much_is_read() {
    let lake = Lake::filled().await;
    let settled = WorkGroupConfiguration::builder()
        .result_configuration(place("s3://lake/team/"))
        .bytes_scanned_cutoff_per_query(10_000_000)
        .build();
    lake.athena.create_work_group().name("team").configuration(settled).send().await.unwrap();
    let start = |sql: &str| {
        let request = lake.athena.start_query_execution().query_string(sql).work_group("team");
        request.result_configuration(place("s3://lake/mine/"))
    };
    let id = start("SELECT 1 AS x").send().await.unwrap().query_execution_id.unwrap();
    let done = lake.finished(&id).await;
    assert_eq!(done.work_group(), Some("team"));
    assert_eq!(
        done.result_configuration().unwrap().output_location(),
        Some(format!("s3://lake/team/{id}.csv").as_str())
    );
    let large = format!("{{\"facility_id\":\"{}\"}}", "x".repeat(10_000_000)).into_bytes();
    lake.local
        .s3()
        .put_object()
        .bucket(super::LAKE)
        .key("raw/large.json")
        .body(large.into())
        .send()
        .await
        .unwrap();
    let id = start("SELECT max(facility_id) FROM healthcare_pipeline.facilities").send().await.unwrap();
    let done = lake.finished(&id.query_execution_id.unwrap()).await;
    assert_eq!(done.status().unwrap().state(), Some(&State::Cancelled));
    assert_eq!(done.status().unwrap().state_change_reason(), Some("Bytes scanned limit was exceeded"));
    let freed = WorkGroupConfigurationUpdates::builder()
        .remove_bytes_scanned_cutoff_per_query(true)
        .enforce_work_group_configuration(false)
        .build();
    lake.athena.update_work_group().work_group("team").configuration_updates(freed).send().await.unwrap();
    let group = lake.athena.get_work_group().work_group("team").send().await.unwrap();
    let configuration = group.work_group().unwrap().configuration().unwrap().clone();
    assert_eq!(configuration.bytes_scanned_cutoff_per_query(), None);
    assert_eq!(configuration.enforce_work_group_configuration(), Some(false));
    lake.athena.delete_work_group().work_group("team").recursive_delete_option(true).send().await.unwrap();
    let gone = start("SELECT 1").send().await.unwrap_err().into_service_error();
    assert_eq!(gone.message(), Some("WorkGroup team is not found."));
}

#[tokio::test]
async fn prepared_statements_take_values() {
    let lake = Lake::filled().await;
    lake.athena
        .create_prepared_statement()
        .statement_name("of_state")
        .work_group("primary")
        .query_statement("SELECT facility_id FROM facilities WHERE state = ? ORDER BY 1")
        .send()
        .await
        .unwrap();
    assert_eq!(lake.answer("EXECUTE of_state USING 'TX'").await, ["facility_id", "FAC001", "FAC003"]);
    let listed = lake.athena.list_prepared_statements().work_group("primary").send().await.unwrap();
    assert_eq!(listed.prepared_statements()[0].statement_name(), Some("of_state"));
    lake.athena
        .delete_prepared_statement()
        .statement_name("of_state")
        .work_group("primary")
        .send()
        .await
        .unwrap();
    let missing = lake.athena.get_prepared_statement().statement_name("of_state").work_group("primary");
    assert!(missing.send().await.unwrap_err().into_service_error().is_resource_not_found_exception());
}

#[tokio::test]
async fn a_result_is_used_again() {
    let lake = Lake::filled().await;
    let by_age = ResultReuseByAgeConfiguration::builder().enabled(true).max_age_in_minutes(5).build();
    let again = ResultReuseConfiguration::builder().result_reuse_by_age_configuration(by_age).build();
    let mut reused = Vec::new();
    for _ in 0..2 {
        let started = lake
            .athena
            .start_query_execution()
            .query_string("SELECT count(*) FROM healthcare_pipeline.facilities")
            .result_configuration(place("s3://lake/again/"))
            .result_reuse_configuration(again.clone())
            .send()
            .await
            .unwrap();
        let done = lake.finished(&started.query_execution_id.unwrap()).await;
        let statistics = done.statistics().unwrap().clone();
        reused.push(statistics.result_reuse_information().unwrap().reused_previous_result());
    }
    assert_eq!(reused, [false, true]);
}
