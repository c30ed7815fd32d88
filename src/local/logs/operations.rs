//! Groups and streams.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::{Value, json};

use super::records::{
    EVENTS, Entry, GROUPS, Group, STREAMS, Stream, bytes, group, group_in, no_group, no_stream, read,
    stream_key, tail,
};
use super::{Logs, invalid};
use crate::local::fault::Fault;

/// The days PutRetentionPolicy accepts.
const RETENTIONS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OfGroup {
    log_group_name: String,
    retention_in_days: Option<u32>,
    tags: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OfStream {
    log_group_name: String,
    log_stream_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeLogGroups {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    limit: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeLogStreams {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name_prefix: Option<String>,
    order_by: Option<String>,
    descending: Option<bool>,
    limit: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListTags {
    resource_arn: String,
}

/// A group by its name or its ARN, with or without `:*`.
pub fn group_name(name: Option<&str>, identifier: Option<&str>) -> Result<String, Fault> {
    let given =
        name.or(identifier).ok_or_else(|| invalid("Must specify logGroupName or logGroupIdentifier."))?;
    let name = given.split_once(":log-group:").map_or(given, |(_, name)| name);
    Ok(name.trim_end_matches(":*").to_owned())
}

fn limit(given: Option<usize>) -> Result<usize, Fault> {
    match given.unwrap_or(50) {
        limit @ 1..=50 => Ok(limit),
        other => Err(invalid(format!("limit must be from 1 to 50, not {other}"))),
    }
}

impl Logs {
    pub(super) async fn create_log_group(&self, input: OfGroup) -> Result<Value, Fault> {
        let name = input.log_group_name;
        let known = |c: char| c.is_ascii_alphanumeric() || "._-/#".contains(c);
        if name.is_empty() || name.len() > 512 || !name.chars().all(known) {
            return Err(invalid(format!(
                "1 validation error detected: Value '{name}' at 'logGroupName' failed to satisfy constraint: \
                 Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+"
            )));
        }
        let record = Group { created: self.now(), tags: input.tags.unwrap_or_default(), ..Group::default() };
        self.store
            .transact(move |tx| {
                if tx.get(GROUPS, &name)?.is_some() {
                    return Err(Fault::client(
                        "ResourceAlreadyExistsException",
                        "The specified log group already exists",
                    ));
                }
                tx.put(GROUPS, name, bytes(&record)?);
                Ok(json!({}))
            })
            .await
    }

    pub(super) async fn delete_log_group(&self, input: OfGroup) -> Result<Value, Fault> {
        self.store
            .transact(move |tx| {
                let name = input.log_group_name;
                tx.get(GROUPS, &name)?.ok_or_else(no_group)?;
                for table in [STREAMS, EVENTS] {
                    for (key, _) in tx.scan(table, &format!("{name}\0"))? {
                        tx.delete(table, key);
                    }
                }
                tx.delete(GROUPS, name);
                Ok(json!({}))
            })
            .await
    }

    pub(super) fn describe_log_groups(&self, input: &DescribeLogGroups) -> Result<Value, Fault> {
        let limit = limit(input.limit)?;
        let prefix = input.log_group_name_prefix.as_deref().unwrap_or("");
        let after = input.next_token.as_deref().unwrap_or("");
        let mut found: Vec<(String, Vec<u8>)> = Vec::new();
        self.store.scan(GROUPS, prefix, after, |name, record| {
            if input.log_group_name_pattern.as_deref().is_none_or(|pattern| name.contains(pattern)) {
                found.push((name.to_owned(), record.to_vec()));
            }
            if found.len() > limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        let more = found.len() > limit;
        found.truncate(limit);
        let mut groups = Vec::with_capacity(found.len());
        for (name, record) in &found {
            let record: Group = read(record)?;
            let arn = self.group_arn(name);
            let mut group = json!({
                "logGroupName": name,
                "creationTime": record.created,
                "metricFilterCount": 0,
                "arn": format!("{arn}:*"),
                "logGroupArn": arn,
                "logGroupClass": "STANDARD",
                "storedBytes": record.bytes,
            });
            if let Some(days) = record.retention_days {
                group["retentionInDays"] = days.into();
            }
            groups.push(group);
        }
        let mut answer = json!({ "logGroups": groups });
        if more && let Some((last, _)) = found.last() {
            answer["nextToken"] = last.as_str().into();
        }
        Ok(answer)
    }

    pub(super) async fn put_retention_policy(&self, input: OfGroup) -> Result<Value, Fault> {
        match input.retention_in_days {
            Some(days) if RETENTIONS.contains(&days) => self.retain(input.log_group_name, Some(days)).await,
            Some(days) => Err(invalid(format!("retentionInDays {days} is not one of {RETENTIONS:?}"))),
            None => Err(invalid("retentionInDays is missing")),
        }
    }

    pub(super) async fn delete_retention_policy(&self, input: OfGroup) -> Result<Value, Fault> {
        self.retain(input.log_group_name, None).await
    }

    async fn retain(&self, name: String, days: Option<u32>) -> Result<Value, Fault> {
        let kept = name.clone();
        let record = self
            .store
            .transact(move |tx| {
                let record = Group { retention_days: days, ..group_in(tx, &name)? };
                tx.put(GROUPS, name, bytes(&record)?);
                Ok::<Group, Fault>(record)
            })
            .await?;
        self.trim(&kept, &record).await?;
        Ok(json!({}))
    }

    pub(super) fn list_tags_for_resource(&self, input: &ListTags) -> Result<Value, Fault> {
        let name = group_name(None, Some(&input.resource_arn))?;
        Ok(json!({ "tags": group(&self.store, &name)?.tags }))
    }

    pub(super) async fn create_log_stream(&self, input: OfStream) -> Result<Value, Fault> {
        let OfStream { log_group_name: group, log_stream_name: stream } = input;
        if stream.is_empty() || stream.len() > 512 || stream.contains([':', '*', '\0']) {
            return Err(invalid(format!(
                "1 validation error detected: Value '{stream}' at 'logStreamName' failed to satisfy constraint: \
                 Member must satisfy regular expression pattern: [^:*]*"
            )));
        }
        let record = Stream { created: self.now(), ..Stream::default() };
        self.store
            .transact(move |tx| {
                tx.get(GROUPS, &group)?.ok_or_else(no_group)?;
                let key = stream_key(&group, &stream);
                if tx.get(STREAMS, &key)?.is_some() {
                    return Err(Fault::client(
                        "ResourceAlreadyExistsException",
                        "The specified log stream already exists",
                    ));
                }
                tx.put(STREAMS, key, bytes(&record)?);
                Ok(json!({}))
            })
            .await
    }

    pub(super) async fn delete_log_stream(&self, input: OfStream) -> Result<Value, Fault> {
        let OfStream { log_group_name: name, log_stream_name: stream } = input;
        self.store
            .transact(move |tx| {
                let mut record = group_in(tx, &name)?;
                let key = stream_key(&name, &stream);
                tx.get(STREAMS, &key)?.ok_or_else(no_stream)?;
                for (key, value) in tx.scan(EVENTS, &format!("{name}\0"))? {
                    let entry: Entry = read(&value)?;
                    if entry.stream == stream {
                        record.events = record.events.saturating_sub(1);
                        record.bytes = record.bytes.saturating_sub(entry.bytes());
                        tx.delete(EVENTS, key);
                    }
                }
                tx.delete(STREAMS, key);
                tx.put(GROUPS, name, bytes(&record)?);
                Ok(json!({}))
            })
            .await
    }

    pub(super) fn describe_log_streams(&self, input: &DescribeLogStreams) -> Result<Value, Fault> {
        let name = group_name(input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
        group(&self.store, &name)?;
        let limit = limit(input.limit)?;
        let by_time = match input.order_by.as_deref() {
            None | Some("LogStreamName") => false,
            Some("LastEventTime") if input.log_stream_name_prefix.is_some() => {
                return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
            }
            Some("LastEventTime") => true,
            Some(other) => {
                return Err(invalid(format!("orderBy {other} is not LogStreamName or LastEventTime")));
            }
        };
        let prefix = stream_key(&name, input.log_stream_name_prefix.as_deref().unwrap_or(""));
        let mut streams: Vec<(String, Stream)> = Vec::new();
        let mut damaged = None;
        self.store.scan(STREAMS, &prefix, "", |key, record| match read(record) {
            Ok(record) => {
                streams.push((tail(key).to_owned(), record));
                ControlFlow::Continue(())
            }
            Err(fault) => {
                damaged = Some(fault);
                ControlFlow::Break(())
            }
        })?;
        if let Some(fault) = damaged {
            return Err(fault);
        }
        if by_time {
            streams.sort_by_key(|(_, stream)| stream.last.unwrap_or(stream.created));
        }
        if input.descending == Some(true) {
            streams.reverse();
        }
        let from = match &input.next_token {
            None => 0,
            Some(token) => streams
                .iter()
                .position(|(name, _)| name == token)
                .map(|at| at + 1)
                .ok_or_else(|| invalid("The specified nextToken is invalid."))?,
        };
        let page: Vec<Value> = streams
            .iter()
            .skip(from)
            .take(limit)
            .map(|(stream, record)| self.describe(&name, stream, record))
            .collect();
        let mut answer = json!({ "logStreams": page });
        if streams.len() > from + limit {
            answer["nextToken"] = streams[from + limit - 1].0.as_str().into();
        }
        Ok(answer)
    }

    fn describe(&self, group: &str, name: &str, stream: &Stream) -> Value {
        let mut described = json!({
            "logStreamName": name,
            "creationTime": stream.created,
            "arn": format!("{}:log-stream:{name}", self.group_arn(group)),
            "storedBytes": 0,
        });
        let times = [
            ("firstEventTimestamp", stream.first),
            ("lastEventTimestamp", stream.last),
            ("lastIngestionTime", stream.ingested),
        ];
        for (name, time) in times {
            if let Some(time) = time {
                described[name] = time.into();
            }
        }
        described
    }
}
