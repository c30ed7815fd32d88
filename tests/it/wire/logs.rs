//! CloudWatch Logs: writing, filtering and paging.

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata;
use aws_sdk_cloudwatchlogs::types::{InputLogEvent, OrderBy};

use crate::support::{Local, cloud};

async fn with_stream() -> (Local, Client) {
    let local = cloud().await;
    let logs = Client::new(&local.config);
    logs.create_log_group().log_group_name("/aws/lambda/f").send().await.unwrap();
    logs.create_log_stream().log_group_name("/aws/lambda/f").log_stream_name("s").send().await.unwrap();
    (local, logs)
}

async fn put(logs: &Client, at: i64, messages: &[&str]) {
    let events = (at..)
        .zip(messages)
        .map(|(at, message)| InputLogEvent::builder().timestamp(at).message(*message).build().unwrap());
    logs.put_log_events()
        .log_group_name("/aws/lambda/f")
        .log_stream_name("s")
        .set_log_events(Some(events.collect()))
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn events_come_back_by_the_sdks_paginators() {
    let (_local, logs) = with_stream().await;
    let now = chrono::Utc::now().timestamp_millis();
    put(&logs, now, &["START", "{\"level\":\"ERROR\",\"n\":1}", "{\"level\":\"INFO\",\"n\":2}", "END"]).await;
    let pages: Vec<_> = logs
        .filter_log_events()
        .log_group_name("/aws/lambda/f")
        .limit(3)
        .into_paginator()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .unwrap();
    let all: Vec<_> = pages.iter().flat_map(|page| page.events()).collect();
    assert_eq!(all.len(), 4);
    assert_eq!((all[0].message(), all[0].timestamp()), (Some("START"), Some(now)));
    assert_eq!(all[0].log_stream_name(), Some("s"));
    let ids: std::collections::BTreeSet<_> = all.iter().map(|event| event.event_id()).collect();
    assert_eq!(ids.len(), 4);
    let errors = logs
        .filter_log_events()
        .log_group_name("/aws/lambda/f")
        .filter_pattern("{ $.level = \"ERROR\" }")
        .start_time(now)
        .send()
        .await
        .unwrap();
    assert_eq!(errors.events().len(), 1);
    // This paginator ends when a token repeats itself.
    let pages: Vec<_> = logs
        .get_log_events()
        .log_group_name("/aws/lambda/f")
        .log_stream_name("s")
        .start_from_head(true)
        .limit(3)
        .into_paginator()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .unwrap();
    assert_eq!(pages.iter().map(|page| page.events().len()).sum::<usize>(), 4);
}

#[tokio::test]
async fn groups_and_streams_are_described() {
    let (_local, logs) = with_stream().await;
    let now = chrono::Utc::now().timestamp_millis();
    put(&logs, now, &["x"]).await;
    logs.put_retention_policy().log_group_name("/aws/lambda/f").retention_in_days(14).send().await.unwrap();
    let groups = logs.describe_log_groups().log_group_name_prefix("/aws/").send().await.unwrap();
    let group = &groups.log_groups()[0];
    assert_eq!(group.retention_in_days(), Some(14));
    assert_eq!(group.arn(), Some("arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/f:*"));
    assert!(group.creation_time().is_some_and(|at| at <= now));
    let streams = logs
        .describe_log_streams()
        .log_group_name("/aws/lambda/f")
        .order_by(OrderBy::LastEventTime)
        .descending(true)
        .send()
        .await
        .unwrap();
    assert_eq!(streams.log_streams()[0].last_event_timestamp(), Some(now));
}

#[tokio::test]
async fn errors_are_cloudwatchs() {
    let (_local, logs) = with_stream().await;
    let missing =
        logs.filter_log_events().log_group_name("none").send().await.unwrap_err().into_service_error();
    assert!(missing.is_resource_not_found_exception());
    assert_eq!(missing.message(), Some("The specified log group does not exist."));
    let twice = logs.create_log_group().log_group_name("/aws/lambda/f").send().await.unwrap_err();
    assert!(twice.into_service_error().is_resource_already_exists_exception());
    let pattern =
        logs.filter_log_events().log_group_name("/aws/lambda/f").filter_pattern("{ $.a").send().await;
    assert!(pattern.unwrap_err().into_service_error().is_invalid_parameter_exception());
}
