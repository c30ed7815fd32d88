//! One limiter for all callers: as quick as the local cloud allows, polite on AWS.
//!
//! AWS counts calls per account and region in token buckets that everybody in the account shares
//! (`GetExecutionHistory`: 400 at once, 20 a second). Ward plans with about a third of each, so that
//! an open console does not slow the pipeline's own tools; calls without an entry are not limited
//! here and rely on the SDK's retries.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::connect::Target;

/// `(operation, most at once, per second)`.
const POLITE: &[(&str, f64, f64)] = &[
    // Two at once and three a second: never more than five in any second, however many are followed.
    ("GetExecutionHistory", 2.0, 3.0),
    ("DescribeExecution", 20.0, 4.0),
    ("DescribeMapRun", 5.0, 1.0),
    ("ListExecutions", 10.0, 1.2),
    ("DescribeStateMachine", 60.0, 6.0),
    ("DescribeStateMachineForExecution", 60.0, 0.4),
    ("ListStateMachines", 30.0, 1.5),
    ("StartExecution", 300.0, 50.0),
    ("StopExecution", 100.0, 20.0),
    ("GetQueryExecution", 60.0, 30.0),
    ("GetQueryResults", 60.0, 30.0),
    ("BatchGetQueryExecution", 10.0, 5.0),
    ("ListQueryExecutions", 10.0, 5.0),
    ("FilterLogEvents", 5.0, 3.0),
];

/// How long a throttled operation is left alone.
const PENALTY: Duration = Duration::from_secs(2);

pub struct Budget {
    polite: bool,
    buckets: Mutex<HashMap<&'static str, Bucket>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    tokens: f64,
    most: f64,
    per_second: f64,
    at: Instant,
}

impl Bucket {
    /// The full bucket of an operation; `None` when it is not limited.
    pub(super) fn of(operation: &str, at: Instant) -> Option<Bucket> {
        let &(_, most, per_second) = POLITE.iter().find(|(name, ..)| *name == operation)?;
        Some(Bucket { tokens: most, most, per_second, at })
    }

    /// The service said "too fast": what was saved up is gone.
    pub(super) fn punish(&mut self, now: Instant) {
        self.tokens = self.tokens.min(-self.per_second * PENALTY.as_secs_f64());
        self.at = now;
    }

    /// Takes one token; the answer is how long to wait before using it.
    pub(super) fn take(&mut self, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        if now > self.at {
            self.tokens = (self.tokens + passed * self.per_second).min(self.most);
            self.at = now;
        }
        self.tokens -= 1.0;
        match self.tokens {
            tokens if tokens >= 0.0 => Duration::ZERO,
            tokens => Duration::from_secs_f64(-tokens / self.per_second),
        }
    }
}

impl Budget {
    pub fn of(target: &Target) -> Self {
        Budget { polite: !target.url().is_some_and(super::connect::loopback), buckets: Mutex::default() }
    }

    /// Waits until the operation may be sent.
    pub async fn take(&self, operation: &'static str) {
        if !self.polite {
            return;
        }
        let wait = self.with(operation, |bucket| bucket.take(Instant::now())).unwrap_or_default();
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// The service said "too fast": what was saved up is gone.
    pub fn throttled(&self, operation: &'static str) {
        self.with(operation, |bucket| bucket.punish(Instant::now()));
    }

    fn with<T>(&self, operation: &'static str, act: impl FnOnce(&mut Bucket) -> T) -> Option<T> {
        let fresh = Bucket::of(operation, Instant::now())?;
        let mut buckets = self.buckets.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        Some(act(buckets.entry(operation).or_insert(fresh)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let start = Instant::now();
        let mut bucket = Bucket { tokens: 2.0, most: 2.0, per_second: 4.0, at: start };
        assert_eq!(bucket.take(start), Duration::ZERO);
        assert_eq!(bucket.take(start), Duration::ZERO);
        assert_eq!(bucket.take(start), Duration::from_millis(250));
        assert_eq!(bucket.take(start), Duration::from_millis(500));
        let later = start + Duration::from_secs(10);
        assert_eq!(bucket.take(later), Duration::ZERO);
        assert_eq!(bucket.tokens, 1.0);
    }
}
