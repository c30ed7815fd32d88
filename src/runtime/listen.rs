//! Starts and drops streams, so that they match what the present screen wants.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use futures::{FutureExt, Stream, StreamExt};
use tokio::task::AbortHandle;

use crate::aws::{Aws, Error, follow};
use crate::domain::problem::Problem;
use crate::runtime::connection::Connection;
use crate::runtime::{Inbox, Input};
use crate::ui::msg::{Happening, Msg};
use crate::ui::subs::Sub;

/// Objects that are told of, the newest.
const NEWEST: usize = 500;

/// The streams that run.
pub(crate) struct Listener {
    connection: Connection,
    inbox: Inbox,
    running: HashMap<Sub, AbortHandle>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.running.values().for_each(AbortHandle::abort);
    }
}

impl Listener {
    pub(crate) fn new(connection: Connection, inbox: Inbox) -> Listener {
        Listener { connection, inbox, running: HashMap::new() }
    }

    /// Makes the running streams those of the set. A stream that ended by itself stays ended while it is
    /// wanted; it is started again when it was gone from the set in between.
    pub(crate) fn keep(&mut self, wanted: BTreeSet<Sub>) {
        self.running.retain(|sub, task| {
            let keep = wanted.contains(sub);
            if !keep {
                task.abort();
            }
            keep
        });
        for sub in wanted {
            if !self.running.contains_key(&sub) {
                let stream = Follower { connection: self.connection.clone(), inbox: self.inbox.clone() };
                let task = tokio::spawn(stream.follow(sub.clone()).boxed());
                self.running.insert(sub, task.abort_handle());
            }
        }
    }
}

/// One stream.
struct Follower {
    connection: Connection,
    inbox: Inbox,
}

impl Follower {
    async fn follow(self, sub: Sub) {
        if let Sub::Clock(millis) = sub {
            return self.clock(millis).await;
        }
        let problem = match self.connection.aws().await {
            Err(problem) => Some(problem),
            Ok(aws) => match &sub {
                Sub::Clock(_) => None,
                Sub::Execution(arn) => {
                    let events = follow::execution(&aws, arn);
                    self.pass(&sub, events, |events| Happening::Events(arn.clone(), events)).await
                }
                Sub::Logs { group, minutes } => {
                    let since = Utc::now() - TimeDelta::minutes(*minutes);
                    let lines = follow::logs(&aws, group, Some(since));
                    self.pass(&sub, lines, |lines| Happening::Lines(group.clone(), lines)).await
                }
                Sub::Objects { bucket, prefix, .. } => self.objects(&sub, &aws, bucket, prefix).await,
                Sub::Query(id) => self.query(&sub, &aws, id).await,
            },
        };
        self.send(Msg::Happened(Happening::Ended(sub, problem)));
    }

    fn send(&self, msg: Msg) -> bool {
        self.inbox.send(Input::Msg(msg)).is_ok()
    }

    fn interrupted(&self, sub: &Sub, problem: Problem) {
        self.send(Msg::Happened(Happening::Interrupted(sub.clone(), problem)));
    }

    async fn clock(&self, millis: u64) {
        let mut interval = tokio::time::interval(Duration::from_millis(millis.max(50)));
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            interval.tick().await;
            if !self.send(Msg::Ticked(Utc::now())) {
                return;
            }
        }
    }

    /// Hands a stream's items on; answers the problem that ended it, if one did. A failure that may pass
    /// is told once, and the stream goes on.
    async fn pass<T>(
        &self,
        sub: &Sub,
        items: impl Stream<Item = Result<Vec<T>, Error>> + Send,
        fact: impl Fn(Vec<T>) -> Happening,
    ) -> Option<Problem> {
        let mut items = std::pin::pin!(items);
        let mut last = None;
        while let Some(item) = items.next().await {
            match item {
                Ok(items) => {
                    last = None;
                    if !self.send(Msg::Happened(fact(items))) {
                        return None;
                    }
                }
                Err(error) => {
                    let problem = error.problem();
                    if error.retry() {
                        self.interrupted(sub, problem.clone());
                    }
                    last = Some(problem);
                }
            }
        }
        last
    }

    /// Lists a prefix again and again, and tells what is newest when that changed. S3 lists by key alone, so
    /// the newest are known only when all are: the more there are, the longer the pause.
    async fn objects(&self, sub: &Sub, aws: &Aws, bucket: &str, prefix: &str) -> Option<Problem> {
        let (soonest, latest) = if aws.target().is_local() { (300, 2_000) } else { (10_000, 60_000) };
        let mut pace = follow::Pace::between(Duration::from_millis(soonest), Duration::from_millis(latest));
        let mut last = None;
        let mut failing = false;
        loop {
            let began = Instant::now();
            match aws.s3.list_objects_v2(bucket, prefix).await {
                Ok(mut objects) => {
                    failing = false;
                    let total = objects.len();
                    objects.sort_by(|a, b| b.modified.cmp(&a.modified).then_with(|| a.key.cmp(&b.key)));
                    objects.truncate(NEWEST);
                    let found = Happening::Objects { newest: objects, total };
                    if last.as_ref() == Some(&found) {
                        pace.quiet();
                    } else {
                        pace.moved();
                        last = Some(found.clone());
                        if !self.send(Msg::Happened(found)) {
                            return None;
                        }
                    }
                }
                Err(error) if error.retry() => {
                    pace.failed();
                    if !std::mem::replace(&mut failing, true) {
                        self.interrupted(sub, error.problem());
                        // The next answer is told in any case, and with it that this is over.
                        last = None;
                    }
                }
                Err(error) => return Some(error.problem()),
            }
            tokio::time::sleep(pace.sleep(None).max(began.elapsed() * 20)).await;
        }
    }

    async fn query(&self, sub: &Sub, aws: &Aws, id: &str) -> Option<Problem> {
        let local = aws.target().is_local();
        let mut pace = if local { follow::Pace::quick() } else { follow::Pace::polite() };
        let mut last = None;
        let mut failing = false;
        loop {
            match aws.athena.get_query_execution(id).await {
                Ok(query) => {
                    failing = false;
                    let over = query.state.is_over();
                    if last.as_ref() == Some(&query) {
                        pace.quiet();
                    } else {
                        pace.moved();
                        last = Some(query.clone());
                        if !self.send(Msg::Happened(Happening::Query(Box::new(query)))) {
                            return None;
                        }
                    }
                    if over {
                        return None;
                    }
                }
                Err(error) if error.retry() => {
                    pace.failed();
                    if !std::mem::replace(&mut failing, true) {
                        self.interrupted(sub, error.problem());
                        last = None;
                    }
                }
                Err(error) => return Some(error.problem()),
            }
            tokio::time::sleep(pace.sleep(None)).await;
        }
    }
}
