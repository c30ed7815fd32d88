//! SNS: topics, and notifications that are kept and logged.

use aws_sdk_sns::error::ProvideErrorMetadata;

use crate::support::cloud;

#[tokio::test]
async fn a_topic_is_made_listed_described_and_deleted() {
    let local = cloud().await;
    let sns = aws_sdk_sns::Client::new(&local.config);
    let created = sns.create_topic().name("alerts").attributes("DisplayName", "A & B").send().await.unwrap();
    let arn = created.topic_arn().unwrap();
    assert_eq!(arn, "arn:aws:sns:us-east-1:000000000000:alerts");
    let listed = sns.list_topics().send().await.unwrap();
    assert_eq!(listed.topics()[0].topic_arn(), Some(arn));
    let subscribed = sns
        .subscribe()
        .topic_arn(arn)
        .protocol("email")
        .endpoint("a@example.org")
        .return_subscription_arn(true)
        .send()
        .await
        .unwrap();
    assert!(subscribed.subscription_arn().unwrap().starts_with(&format!("{arn}:")));
    let subscriptions = sns.list_subscriptions_by_topic().topic_arn(arn).send().await.unwrap();
    assert_eq!(subscriptions.subscriptions()[0].endpoint(), Some("a@example.org"));
    let attributes = sns.get_topic_attributes().topic_arn(arn).send().await.unwrap();
    let attributes = attributes.attributes().unwrap();
    assert_eq!(attributes["DisplayName"], "A & B");
    assert_eq!(attributes["SubscriptionsConfirmed"], "1");
    sns.delete_topic().topic_arn(arn).send().await.unwrap();
    let gone = sns.get_topic_attributes().topic_arn(arn).send().await.unwrap_err().into_service_error();
    assert!(gone.is_not_found_exception(), "{gone:?}");
    assert_eq!(gone.message(), Some("Topic does not exist"));
}

#[tokio::test]
async fn a_notification_is_found_in_the_topics_log() {
    let local = cloud().await;
    let sns = aws_sdk_sns::Client::new(&local.config);
    let arn = sns.create_topic().name("alerts").send().await.unwrap().topic_arn.unwrap();
    let text = "line one\nline two <&> \u{1F3E5}";
    let sent = sns.publish().topic_arn(&arn).subject("it failed").message(text).send().await.unwrap();
    let logs = aws_sdk_cloudwatchlogs::Client::new(&local.config);
    let lines = logs
        .filter_log_events()
        .log_group_name("sns/us-east-1/000000000000/alerts")
        .filter_pattern("{ $.notification.subject = \"it failed\" }")
        .send()
        .await
        .unwrap();
    let line: serde_json::Value = serde_json::from_str(lines.events()[0].message().unwrap()).unwrap();
    assert_eq!(line["notification"]["messageId"].as_str(), sent.message_id());
    assert_eq!(line["notification"]["message"], text);
    let nowhere = "arn:aws:sns:us-east-1:000000000000:other";
    let refused = sns.publish().topic_arn(nowhere).message("x").send().await.unwrap_err();
    assert!(refused.into_service_error().is_not_found_exception());
    let empty = sns.publish().topic_arn(&arn).message("").send().await.unwrap_err().into_service_error();
    assert!(empty.is_invalid_parameter_exception(), "{empty:?}");
}
