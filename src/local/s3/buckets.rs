//! Operations on buckets and their notifications.

use s3s::dto::*;
use s3s::{S3Request, S3Response};
use serde_json::json;

use super::{S3, answer, invalid_argument, timestamp};
use crate::local::bus::ACCOUNT;
use crate::local::fault::Fault;
use crate::local::objects::notifications::Rule;

type Answer<T> = Result<S3Response<T>, Fault>;

pub async fn create_bucket(s3: &S3, request: S3Request<CreateBucketInput>) -> Answer<CreateBucketOutput> {
    let name = request.input.bucket;
    let wanted = request.input.create_bucket_configuration.and_then(|c| c.location_constraint);
    let region = wanted.map_or_else(|| "us-east-1".to_owned(), |region| region.as_str().to_owned());
    s3.store.create_bucket(&name, &region).await?;
    answer(CreateBucketOutput { location: Some(format!("/{name}")) })
}

pub async fn delete_bucket(s3: &S3, request: S3Request<DeleteBucketInput>) -> Answer<DeleteBucketOutput> {
    s3.store.delete_bucket(&request.input.bucket).await?;
    answer(DeleteBucketOutput::default())
}

pub async fn head_bucket(s3: &S3, request: S3Request<HeadBucketInput>) -> Answer<HeadBucketOutput> {
    let bucket = s3.store.bucket(&request.input.bucket)?;
    answer(HeadBucketOutput { bucket_region: Some(bucket.region), ..Default::default() })
}

pub async fn list_buckets(s3: &S3, request: S3Request<ListBucketsInput>) -> Answer<ListBucketsOutput> {
    let prefix = request.input.prefix;
    let buckets =
        s3.store.buckets()?.into_iter().filter(|(name, _)| name.starts_with(prefix.as_deref().unwrap_or("")));
    let buckets = buckets.map(|(name, bucket)| Bucket {
        creation_date: Some(timestamp(bucket.created())),
        bucket_region: Some(bucket.region),
        name: Some(name),
    });
    answer(ListBucketsOutput {
        buckets: Some(buckets.collect()),
        owner: Some(Owner { id: Some(ACCOUNT.into()), display_name: None }),
        prefix,
        ..Default::default()
    })
}

pub async fn get_bucket_location(
    s3: &S3,
    request: S3Request<GetBucketLocationInput>,
) -> Answer<GetBucketLocationOutput> {
    let bucket = s3.store.bucket(&request.input.bucket)?;
    // The oldest region has no name here.
    let region = Some(bucket.region).filter(|region| region != "us-east-1");
    answer(GetBucketLocationOutput { location_constraint: region.map(BucketLocationConstraint::from) })
}

pub async fn get_bucket_versioning(
    s3: &S3,
    request: S3Request<GetBucketVersioningInput>,
) -> Answer<GetBucketVersioningOutput> {
    s3.store.bucket(&request.input.bucket)?;
    answer(GetBucketVersioningOutput::default())
}

pub async fn get_bucket_notification_configuration(
    s3: &S3,
    request: S3Request<GetBucketNotificationConfigurationInput>,
) -> Answer<GetBucketNotificationConfigurationOutput> {
    let rules = s3.store.bucket(&request.input.bucket)?.rules;
    let functions = rules.into_iter().map(|rule| {
        let filter = |name: &'static str, value: &str| {
            (!value.is_empty()).then(|| FilterRule {
                name: Some(FilterRuleName::from_static(name)),
                value: Some(value.to_owned()),
            })
        };
        let filters: Vec<FilterRule> =
            [filter("Prefix", &rule.prefix), filter("Suffix", &rule.suffix)].into_iter().flatten().collect();
        LambdaFunctionConfiguration {
            events: rule.events.into_iter().map(Event::from).collect(),
            filter: (!filters.is_empty()).then_some(NotificationConfigurationFilter {
                key: Some(S3KeyFilter { filter_rules: Some(filters) }),
            }),
            id: Some(rule.id),
            lambda_function_arn: rule.function_arn,
        }
    });
    let functions: Vec<_> = functions.collect();
    answer(GetBucketNotificationConfigurationOutput {
        lambda_function_configurations: (!functions.is_empty()).then_some(functions),
        ..Default::default()
    })
}

pub async fn put_bucket_notification_configuration(
    s3: &S3,
    request: S3Request<PutBucketNotificationConfigurationInput>,
) -> Answer<PutBucketNotificationConfigurationOutput> {
    let PutBucketNotificationConfigurationInput {
        bucket,
        notification_configuration,
        skip_destination_validation,
        ..
    } = request.input;
    s3.store.bucket(&bucket)?;
    if notification_configuration.queue_configurations.is_some_and(|q| !q.is_empty())
        || notification_configuration.topic_configurations.is_some_and(|t| !t.is_empty())
    {
        return Err(Fault::new(
            501,
            "NotImplemented",
            "The local cloud notifies Lambda functions only, not queues or topics.",
        ));
    }
    let mut rules: Vec<Rule> = Vec::new();
    for configuration in notification_configuration.lambda_function_configurations.unwrap_or_default() {
        let rule = rule(configuration)?;
        if rules.iter().any(|other| overlaps(other, &rule)) {
            return Err(invalid_argument(
                "Configurations overlap. Configurations on the same bucket cannot share a common event type.",
            ));
        }
        if skip_destination_validation != Some(true) {
            exists(s3, &rule).await?;
        }
        rules.push(rule);
    }
    s3.store.set_rules(&bucket, rules).await?;
    answer(PutBucketNotificationConfigurationOutput::default())
}

fn rule(configuration: LambdaFunctionConfiguration) -> Result<Rule, Fault> {
    let mut rule = Rule {
        id: configuration.id.unwrap_or_else(|| uuid::Uuid::new_v4().to_string()),
        function_arn: configuration.lambda_function_arn,
        events: configuration.events.into_iter().map(String::from).collect(),
        prefix: String::new(),
        suffix: String::new(),
    };
    if rule.events.is_empty() || rule.events.iter().any(|event| !event.starts_with("s3:")) {
        return Err(invalid_argument("The event is not supported for notifications"));
    }
    if !rule.function_arn.starts_with("arn:") || !rule.function_arn.contains(":function:") {
        return Err(invalid_argument("The ARN could not be parsed"));
    }
    let filters = configuration.filter.and_then(|f| f.key).and_then(|k| k.filter_rules).unwrap_or_default();
    for filter in filters {
        let value = filter.value.unwrap_or_default();
        match filter.name.as_ref().map(|name| name.as_str().to_ascii_lowercase()).as_deref() {
            Some("prefix") => rule.prefix = value,
            Some("suffix") => rule.suffix = value,
            _ => return Err(invalid_argument("filter rule name must be either prefix or suffix")),
        }
    }
    Ok(rule)
}

/// Two rules that could both speak of one event of one object.
fn overlaps(a: &Rule, b: &Rule) -> bool {
    let beginning = |event: &str| event.trim_end_matches('*').to_owned();
    let events = a.events.iter().any(|x| {
        b.events.iter().any(|y| {
            let (x, y) = (beginning(x), beginning(y));
            x.starts_with(&y) || y.starts_with(&x)
        })
    });
    let prefixes = a.prefix.starts_with(&b.prefix) || b.prefix.starts_with(&a.prefix);
    let suffixes = a.suffix.ends_with(&b.suffix) || b.suffix.ends_with(&a.suffix);
    events && prefixes && suffixes
}

/// As AWS does, asks for the function before accepting to call it.
async fn exists(s3: &S3, rule: &Rule) -> Result<(), Fault> {
    let asked = s3.bus.call("lambda", "GetFunction", json!({"FunctionName": rule.function_arn})).await;
    match asked {
        Err(fault) if fault.status == 404 => Err(invalid_argument(format!(
            "Unable to validate the following destination configurations: {} does not exist",
            rule.function_arn
        ))),
        _ => Ok(()),
    }
}
