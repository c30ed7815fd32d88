//! S3: objects of the pipeline's bucket.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLocationConstraint, CreateBucketConfiguration, Event, FilterRule, FilterRuleName,
    LambdaFunctionConfiguration, NotificationConfiguration, NotificationConfigurationFilter, S3KeyFilter,
};
use bytes::Bytes;

use super::error::{Error, Kind};
use super::link::Link;
use super::time::utc_option;
use crate::domain::object::Object;

/// The id of our entry in a bucket's notifications; other entries are left alone.
const NOTIFICATION_ID: &str = "ward-raw-objects";

#[derive(Clone)]
pub struct S3 {
    client: aws_sdk_s3::Client,
    link: Link,
}

/// A function that a bucket calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    pub function_arn: String,
    /// `s3:ObjectCreated:*`
    pub events: Vec<String>,
    pub prefix: Option<String>,
    pub suffix: Option<String>,
}

/// An object as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Got {
    pub body: Bytes,
    /// Without its quotes.
    pub etag: String,
}

impl S3 {
    pub(super) fn new(client: aws_sdk_s3::Client, link: Link) -> Self {
        S3 { client, link }
    }

    /// Every object under the prefix, in key order, all pages.
    pub async fn list_objects_v2(&self, bucket: &str, prefix: &str) -> Result<Vec<Object>, Error> {
        let mut objects = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let request = self
                .client
                .list_objects_v2()
                .bucket(bucket)
                .prefix(prefix)
                .set_continuation_token(token.take());
            let page = self.link.ask("ListObjectsV2", request.send()).await?;
            objects.extend(page.contents().iter().filter_map(|object| {
                Some(Object {
                    key: object.key()?.to_owned(),
                    size: object.size().unwrap_or_default().max(0) as u64,
                    etag: bare_etag(object.e_tag()),
                    modified: utc_option(object.last_modified()),
                })
            }));
            match page.next_continuation_token {
                Some(next) if page.is_truncated == Some(true) => token = Some(next),
                _ => return Ok(objects),
            }
        }
    }

    /// The whole object.
    pub async fn get_object(&self, bucket: &str, key: &str) -> Result<Got, Error> {
        let request = self.client.get_object().bucket(bucket).key(key);
        let answer = self.link.ask("GetObject", request.send()).await?;
        let etag = bare_etag(answer.e_tag());
        let body = answer.body.collect().await.map_err(|broken| Error {
            kind: Kind::Unreachable,
            operation: "GetObject",
            code: "BodyCutShort".into(),
            message: format!("{key} stopped arriving: {broken}"),
            hint: Some("Try again".into()),
        })?;
        Ok(Got { body: body.into_bytes(), etag })
    }

    pub async fn put_object(
        &self,
        bucket: &str,
        key: &str,
        body: Bytes,
        content_type: &str,
    ) -> Result<(), Error> {
        let request = self
            .client
            .put_object()
            .bucket(bucket)
            .key(key)
            .content_type(content_type)
            .body(ByteStream::from(body));
        self.link.ask("PutObject", request.send()).await?;
        Ok(())
    }

    /// `None` when there is no object of that key.
    pub async fn head_object(&self, bucket: &str, key: &str) -> Result<Option<Object>, Error> {
        let request = self.client.head_object().bucket(bucket).key(key);
        match self.link.ask("HeadObject", request.send()).await {
            Ok(answer) => Ok(Some(Object {
                key: key.to_owned(),
                size: answer.content_length().unwrap_or_default().max(0) as u64,
                etag: bare_etag(answer.e_tag()),
                modified: utc_option(answer.last_modified()),
            })),
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub async fn delete_object(&self, bucket: &str, key: &str) -> Result<(), Error> {
        let request = self.client.delete_object().bucket(bucket).key(key);
        self.link.ask("DeleteObject", request.send()).await?;
        Ok(())
    }

    /// Makes the bucket in the target's region; one that is ours already is fine.
    pub async fn create_bucket(&self, bucket: &str) -> Result<(), Error> {
        let region = self.link.region();
        // us-east-1 is the region that must not be named.
        let configuration = (region != "us-east-1").then(|| {
            CreateBucketConfiguration::builder()
                .location_constraint(BucketLocationConstraint::from(region))
                .build()
        });
        let request =
            self.client.create_bucket().bucket(bucket).set_create_bucket_configuration(configuration);
        match self.link.ask("CreateBucket", request.send()).await {
            Ok(_) => Ok(()),
            Err(error) if error.code == "BucketAlreadyOwnedByYou" => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether the bucket is there and may be read.
    pub async fn bucket_exists(&self, bucket: &str) -> Result<bool, Error> {
        let request = self.client.head_bucket().bucket(bucket);
        match self.link.ask("HeadBucket", request.send()).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind == Kind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Has the bucket call the function for every new object with that prefix and suffix. Other
    /// notifications of the bucket stay as they are.
    pub async fn put_bucket_notification_configuration(
        &self,
        bucket: &str,
        function_arn: &str,
        prefix: &str,
        suffix: &str,
    ) -> Result<(), Error> {
        const OPERATION: &str = "PutBucketNotificationConfiguration";
        self.link.permit().check(OPERATION)?;
        let rule = |name, value: &str| FilterRule::builder().name(name).value(value).build();
        let filter = S3KeyFilter::builder()
            .filter_rules(rule(FilterRuleName::Prefix, prefix))
            .filter_rules(rule(FilterRuleName::Suffix, suffix))
            .build();
        let ours = LambdaFunctionConfiguration::builder()
            .id(NOTIFICATION_ID)
            .lambda_function_arn(function_arn)
            .events(Event::S3ObjectCreated)
            .filter(NotificationConfigurationFilter::builder().key(filter).build())
            .build()
            .map_err(|invalid| Error::answer(OPERATION, &invalid.to_string()))?;
        let request = self.client.get_bucket_notification_configuration().bucket(bucket);
        let present = self.link.ask("GetBucketNotificationConfiguration", request.send()).await?;
        let mut functions = present.lambda_function_configurations.unwrap_or_default();
        functions
            .retain(|one| one.id() != Some(NOTIFICATION_ID) && one.lambda_function_arn() != function_arn);
        functions.push(ours);
        let configuration = NotificationConfiguration::builder()
            .set_topic_configurations(present.topic_configurations)
            .set_queue_configurations(present.queue_configurations)
            .set_event_bridge_configuration(present.event_bridge_configuration)
            .set_lambda_function_configurations(Some(functions))
            .build();
        let request = self
            .client
            .put_bucket_notification_configuration()
            .bucket(bucket)
            .notification_configuration(configuration);
        self.link.ask("PutBucketNotificationConfiguration", request.send()).await?;
        Ok(())
    }

    /// The functions that the bucket calls.
    pub async fn get_bucket_notification_configuration(
        &self,
        bucket: &str,
    ) -> Result<Vec<Notification>, Error> {
        let request = self.client.get_bucket_notification_configuration().bucket(bucket);
        let answer = self.link.ask("GetBucketNotificationConfiguration", request.send()).await?;
        let functions = answer.lambda_function_configurations.unwrap_or_default();
        Ok(functions.iter().map(notification).collect())
    }
}

fn notification(configuration: &LambdaFunctionConfiguration) -> Notification {
    let rules = configuration.filter().and_then(|filter| filter.key()).map(|key| key.filter_rules());
    // AWS answers `Prefix` where `prefix` was put.
    let rule = |wanted: &str| {
        rules
            .unwrap_or_default()
            .iter()
            .find(|rule| rule.name().is_some_and(|name| name.as_str().eq_ignore_ascii_case(wanted)))
            .and_then(|rule| rule.value().map(str::to_owned))
    };
    Notification {
        function_arn: configuration.lambda_function_arn().to_owned(),
        events: configuration.events().iter().map(|event| event.as_str().to_owned()).collect(),
        prefix: rule("prefix"),
        suffix: rule("suffix"),
    }
}

fn bare_etag(etag: Option<&str>) -> String {
    etag.unwrap_or_default().trim_matches('"').to_owned()
}
