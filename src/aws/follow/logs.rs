//! Log groups as streams of lines.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::{Stream, stream};

use super::{Pace, passing};
use crate::aws::error::{Error, Kind};
use crate::aws::{Aws, Page};
use crate::domain::log::LogLine;

/// Which log lines were handed on: those of the last moments, by id.
#[derive(Debug, Default)]
pub(super) struct Tail {
    newest: Option<DateTime<Utc>>,
    pub(super) seen: HashSet<String>,
    recent: Vec<(DateTime<Utc>, String)>,
}

/// Lines may become visible this much after younger ones.
const LATE: TimeDelta = TimeDelta::seconds(20);

impl Tail {
    pub(super) fn take(&mut self, lines: Vec<LogLine>) -> Vec<LogLine> {
        let mut fresh: Vec<LogLine> =
            lines.into_iter().filter(|line| self.seen.insert(line.id.clone())).collect();
        fresh.sort_by_key(|line| line.at);
        for line in &fresh {
            self.newest = self.newest.max(Some(line.at));
            self.recent.push((line.at, line.id.clone()));
        }
        if let Some(horizon) = self.since(None) {
            let seen = &mut self.seen;
            self.recent.retain(|(at, id)| *at >= horizon || !seen.remove(id));
        }
        fresh
    }

    /// From when to ask next.
    pub(super) fn since(&self, start: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        self.newest.map(|newest| newest - LATE).max(start)
    }
}

/// The lines of a log group from `since` on, and then as they come. A group that is not there yet is awaited:
/// the function has not run. The first answer, and the first after a failure, is handed on even
/// when it is empty: so far there is nothing.
/// Never ends by itself except on a failure that will not pass.
pub fn logs(
    aws: &Aws,
    group: &str,
    since: Option<DateTime<Utc>>,
) -> impl Stream<Item = Result<Vec<LogLine>, Error>> + Send + use<> {
    matching_logs(aws, group, since, None)
}

/// Likewise, only what matches a CloudWatch filter pattern.
pub fn matching_logs(
    aws: &Aws,
    group: &str,
    since: Option<DateTime<Utc>>,
    pattern: Option<String>,
) -> impl Stream<Item = Result<Vec<LogLine>, Error>> + Send + use<> {
    let pace = match aws.logs.quick() {
        true => Pace::between(Duration::from_millis(60), Duration::from_millis(400)),
        false => Pace::between(Duration::from_millis(1000), Duration::from_secs(5)),
    };
    let tailing = Tailing {
        aws: aws.clone(),
        group: group.to_owned(),
        since,
        pattern,
        tail: Tail::default(),
        pace,
        asked: false,
        told: false,
        ended: false,
    };
    stream::unfold(tailing, |mut tailing| async move {
        let item = tailing.next().await?;
        Some((item, tailing))
    })
}

struct Tailing {
    aws: Aws,
    group: String,
    since: Option<DateTime<Utc>>,
    pattern: Option<String>,
    tail: Tail,
    pace: Pace,
    asked: bool,
    /// Whether the last answer was handed on, if only as none: after a failure the first one is.
    told: bool,
    ended: bool,
}

impl Tailing {
    async fn next(&mut self) -> Option<Result<Vec<LogLine>, Error>> {
        while !self.ended {
            if std::mem::replace(&mut self.asked, true) {
                tokio::time::sleep(self.pace.sleep(None)).await;
            }
            let lines = match self.lines().await {
                Err(error) if error.kind == Kind::NotFound => Ok(Vec::new()),
                answer => answer,
            };
            match lines.map(|lines| self.tail.take(lines)) {
                Ok(fresh) if fresh.is_empty() && self.told => self.pace.quiet(),
                Ok(fresh) => {
                    self.told = true;
                    self.pace.moved();
                    return Some(Ok(fresh));
                }
                Err(error) if passing(&error) => {
                    self.pace.failed();
                    self.told = false;
                    if self.pace.failures == 1 {
                        return Some(Err(error));
                    }
                }
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }

    async fn lines(&self) -> Result<Vec<LogLine>, Error> {
        let since = self.tail.since(self.since);
        let mut lines = Vec::new();
        let mut token = None;
        loop {
            let Page { items, next } =
                self.aws.logs.filter_log_events(&self.group, since, self.pattern.as_deref(), token).await?;
            lines.extend(items);
            match next {
                Some(next) => token = Some(next),
                None => return Ok(lines),
            }
        }
    }
}
