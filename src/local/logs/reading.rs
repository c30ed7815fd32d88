//! FilterLogEvents and GetLogEvents: pages of events, in the order of their times.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::{Value, json};

use super::operations::group_name;
use super::pattern::Pattern;
use super::records::{EVENTS, Entry, Position, STREAMS, group, no_stream, read, stream_key, tail};
use super::{Logs, invalid};
use crate::local::fault::Fault;

/// What one answer holds at most.
const PAGE_EVENTS: usize = 10_000;
const PAGE_BYTES: u64 = 1_048_576;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FilterLogEvents {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_names: Option<Vec<String>>,
    log_stream_name_prefix: Option<String>,
    start_time: Option<i64>,
    /// Included.
    end_time: Option<i64>,
    filter_pattern: Option<String>,
    limit: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetLogEvents {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name: String,
    start_time: Option<i64>,
    /// Excluded.
    end_time: Option<i64>,
    limit: Option<usize>,
    start_from_head: Option<bool>,
    next_token: Option<String>,
}

fn limit(given: Option<usize>) -> Result<usize, Fault> {
    match given.unwrap_or(PAGE_EVENTS) {
        limit @ 1..=PAGE_EVENTS => Ok(limit),
        other => Err(invalid(format!("limit must be from 1 to {PAGE_EVENTS}, not {other}"))),
    }
}

fn bad_token() -> Fault {
    invalid("The specified nextToken is invalid.")
}

impl Logs {
    /// Visits a group's events after a position, in order, until `visit` breaks.
    fn events(
        &self,
        group: &str,
        after: Position,
        mut visit: impl FnMut(Position, Entry) -> ControlFlow<()>,
    ) -> Result<(), Fault> {
        let mut damaged = None;
        self.store.scan(EVENTS, &format!("{group}\0"), &after.key(group), |key, value| {
            match (Position::parse(tail(key)), read(value)) {
                (Some(at), Ok(entry)) => visit(at, entry),
                (None, _) => {
                    damaged = Some(Fault::internal("an event of the logs has a damaged key"));
                    ControlFlow::Break(())
                }
                (_, Err(fault)) => {
                    damaged = Some(fault);
                    ControlFlow::Break(())
                }
            }
        })?;
        damaged.map_or(Ok(()), Err)
    }

    pub(super) fn filter_log_events(&self, input: FilterLogEvents) -> Result<Value, Fault> {
        let name = group_name(input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
        let record = group(&self.store, &name)?;
        if input.log_stream_names.is_some() && input.log_stream_name_prefix.is_some() {
            return Err(invalid("logStreamNames and logStreamNamePrefix cannot both be given."));
        }
        for stream in input.log_stream_names.iter().flatten() {
            self.store.get(STREAMS, &stream_key(&name, stream))?.ok_or_else(no_stream)?;
        }
        let pattern = Pattern::parse(input.filter_pattern.as_deref().unwrap_or(""))
            .map_err(|e| invalid(format!("Invalid filter pattern: {e}")))?;
        let limit = limit(input.limit)?;
        let start = input.start_time.unwrap_or(0).max(record.horizon(self.now()));
        let end = input.end_time.unwrap_or(i64::MAX);
        let mut after = Position::before(start);
        if let Some(token) = &input.next_token {
            after = after.max(Position::parse(token).ok_or_else(bad_token)?);
        }
        let wanted = |entry: &Entry| {
            input.log_stream_names.as_ref().is_none_or(|names| names.contains(&entry.stream))
                && input.log_stream_name_prefix.as_ref().is_none_or(|prefix| entry.stream.starts_with(prefix))
                && pattern.matches(&entry.message)
        };
        let mut events = Vec::new();
        let mut size = 0;
        let mut last = None;
        let mut next = None;
        self.events(&name, after, |at, entry| {
            if at.at() > end {
                return ControlFlow::Break(());
            }
            if !wanted(&entry) {
                return ControlFlow::Continue(());
            }
            if events.len() == limit || (size + entry.bytes() > PAGE_BYTES && !events.is_empty()) {
                next = last;
                return ControlFlow::Break(());
            }
            size += entry.bytes();
            last = Some(at);
            events.push(json!({
                "logStreamName": entry.stream,
                "timestamp": at.at(),
                "message": entry.message,
                "ingestionTime": entry.ingested,
                "eventId": at.event_id(),
            }));
            ControlFlow::Continue(())
        })?;
        let mut answer = json!({ "events": events, "searchedLogStreams": [] });
        if let Some(next) = next {
            answer["nextToken"] = next.text().into();
        }
        Ok(answer)
    }

    /// The tokens hold a position: `f/` goes on after it, `b/` ends before it.
    pub(super) fn get_log_events(&self, input: &GetLogEvents) -> Result<Value, Fault> {
        let name = group_name(input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
        let record = group(&self.store, &name)?;
        let stream = &input.log_stream_name;
        self.store.get(STREAMS, &stream_key(&name, stream))?.ok_or_else(no_stream)?;
        let limit = limit(input.limit)?;
        let start = Position::before(input.start_time.unwrap_or(0).max(record.horizon(self.now())));
        let end = Position::before(input.end_time.unwrap_or(i64::MAX));
        let (forward, after, before) = match &input.next_token {
            None => (input.start_from_head == Some(true), start, end),
            Some(token) => {
                let position = token
                    .get(2..)
                    .map(|text| text.trim_end_matches("/s"))
                    .and_then(Position::parse)
                    .ok_or_else(bad_token)?;
                match token.get(..2) {
                    Some("f/") => (true, start.max(position), end),
                    Some("b/") => (false, start, end.min(position)),
                    _ => return Err(bad_token()),
                }
            }
        };
        let mut page: VecDeque<(Position, Entry)> = VecDeque::new();
        let mut size = 0;
        self.events(&name, after, |at, entry| {
            if at >= before {
                return ControlFlow::Break(());
            }
            if entry.stream != *stream {
                return ControlFlow::Continue(());
            }
            let full = |count: usize, size: u64| count == limit || (size > PAGE_BYTES && count > 0);
            let length = entry.bytes();
            if forward && full(page.len(), size + length) {
                return ControlFlow::Break(());
            }
            while full(page.len(), size + length) {
                size -= page.pop_front().map_or(0, |(_, entry)| entry.bytes());
            }
            size += length;
            page.push_back((at, entry));
            ControlFlow::Continue(())
        })?;
        // An empty page stays where it is: its tokens lead back to the same place.
        let (from, to) = match (page.front(), page.back()) {
            (Some((first, _)), Some((last, _))) => (*first, *last),
            _ if forward => (after.next(), after),
            _ => (before, before),
        };
        let events: Vec<Value> = page
            .iter()
            .map(|(at, entry)| {
                json!({ "timestamp": at.at(), "message": entry.message, "ingestionTime": entry.ingested })
            })
            .collect();
        Ok(json!({
            "events": events,
            "nextForwardToken": format!("f/{}/s", to.text()),
            "nextBackwardToken": format!("b/{}/s", from.text()),
        }))
    }
}
