//! CloudWatch Logs: what the function wrote.

use chrono::{DateTime, Utc};

use super::Page;
use super::error::Error;
use super::link::Link;
use crate::domain::log::LogLine;

#[derive(Clone)]
pub struct Logs {
    client: aws_sdk_cloudwatchlogs::Client,
    link: Link,
}

impl Logs {
    pub(super) fn new(client: aws_sdk_cloudwatchlogs::Client, link: Link) -> Self {
        Logs { client, link }
    }

    /// Whether polling may be quick: the other side is this machine.
    pub(super) fn quick(&self) -> bool {
        self.link.quick()
    }

    /// One page of a stretch of time, oldest first.
    pub async fn filter_log_events_between(
        &self,
        group: &str,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        pattern: Option<&str>,
        token: Option<String>,
    ) -> Result<Page<LogLine>, Error> {
        let request = self
            .client
            .filter_log_events()
            .log_group_name(group)
            .start_time(from.timestamp_millis())
            .end_time(to.timestamp_millis())
            .set_filter_pattern(pattern.map(str::to_owned))
            .set_next_token(token);
        let answer = self.link.ask("FilterLogEvents", request.send()).await?;
        let items = answer.events.unwrap_or_default().into_iter().map(line).collect();
        Ok(Page { items, next: answer.next_token })
    }

    /// One page, oldest first. A page may be empty and still have a successor.
    pub async fn filter_log_events(
        &self,
        group: &str,
        since: Option<DateTime<Utc>>,
        pattern: Option<&str>,
        token: Option<String>,
    ) -> Result<Page<LogLine>, Error> {
        let request = self
            .client
            .filter_log_events()
            .log_group_name(group)
            .set_start_time(since.map(|since| since.timestamp_millis()))
            .set_filter_pattern(pattern.map(str::to_owned))
            .set_next_token(token);
        let answer = self.link.ask("FilterLogEvents", request.send()).await?;
        let items = answer.events.unwrap_or_default().into_iter().map(line).collect();
        Ok(Page { items, next: answer.next_token })
    }
}

fn line(event: aws_sdk_cloudwatchlogs::types::FilteredLogEvent) -> LogLine {
    LogLine {
        id: event.event_id.unwrap_or_default(),
        at: DateTime::from_timestamp_millis(event.timestamp.unwrap_or_default()).unwrap_or_default(),
        stream: event.log_stream_name.unwrap_or_default(),
        text: event.message.unwrap_or_default().trim_end_matches(['\n', '\r']).to_owned(),
    }
}

/// The log group of a function, as Lambda names it.
pub fn group_of(function: &str) -> String {
    let name = function.rsplit(':').next().unwrap_or(function);
    format!("/aws/lambda/{name}")
}
