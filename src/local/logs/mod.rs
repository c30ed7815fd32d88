//! CloudWatch Logs: groups, streams and their events, kept in the store and bounded per group.
//!
//! May use the store and the bus. Times are milliseconds since the epoch. `operations` keeps
//! groups and streams, `writing` takes events, `reading` pages through them, `pattern` says which of them a filter means, `records` names the
//! keys.

mod operations;
mod pattern;
mod reading;
mod records;
mod writing;

use std::sync::Arc;

use futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::bus::{ACCOUNT, Bus, Service};
use super::clock::Clock;
use super::fault::Fault;
use super::store::Store;

pub struct Logs {
    store: Store,
    clock: Clock,
    region: String,
}

impl Logs {
    pub fn new(bus: &Arc<Bus>) -> Arc<Logs> {
        Arc::new(Logs { store: bus.store.clone(), clock: bus.clock.clone(), region: bus.region.clone() })
    }

    fn now(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }

    /// Without the `:*` that DescribeLogGroups adds in one of its two forms.
    fn group_arn(&self, group: &str) -> String {
        format!("arn:aws:logs:{}:{ACCOUNT}:log-group:{group}", self.region)
    }
}

impl Service for Logs {
    fn name(&self) -> &'static str {
        "logs"
    }

    fn call<'a>(&'a self, operation: &'a str, input: Value) -> BoxFuture<'a, Result<Value, Fault>> {
        Box::pin(async move {
            match operation {
                "CreateLogGroup" => self.create_log_group(parse(input)?).await,
                "DeleteLogGroup" => self.delete_log_group(parse(input)?).await,
                "DescribeLogGroups" => self.describe_log_groups(&parse(input)?),
                "PutRetentionPolicy" => self.put_retention_policy(parse(input)?).await,
                "DeleteRetentionPolicy" => self.delete_retention_policy(parse(input)?).await,
                "ListTagsForResource" => self.list_tags_for_resource(&parse(input)?),
                "CreateLogStream" => self.create_log_stream(parse(input)?).await,
                "DeleteLogStream" => self.delete_log_stream(parse(input)?).await,
                "DescribeLogStreams" => self.describe_log_streams(&parse(input)?),
                "PutLogEvents" => self.put_log_events(parse(input)?).await,
                "FilterLogEvents" => self.filter_log_events(parse(input)?),
                "GetLogEvents" => self.get_log_events(&parse(input)?),
                other => Err(Fault::client(
                    "UnknownOperationException",
                    format!("The local cloud's CloudWatch Logs has no operation {other}."),
                )),
            }
        })
    }
}

fn parse<T: DeserializeOwned>(input: Value) -> Result<T, Fault> {
    serde_json::from_value(input).map_err(|e| invalid(e.to_string()))
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::client("InvalidParameterException", message)
}

#[cfg(test)]
mod tests;
