//! When to ask again.

use std::time::Duration;

/// When to ask again: soon after something moved, ever later while nothing does, punctually when a
/// wait is known to end, and patiently after a failure.
#[derive(Clone, Debug)]
pub struct Pace {
    soonest: Duration,
    latest: Duration,
    now: Duration,
    pub(super) failures: u32,
}

impl Pace {
    /// For a service on this machine: an answer costs about a millisecond.
    pub fn quick() -> Self {
        Pace::between(Duration::from_millis(12), Duration::from_millis(48))
    }

    /// For AWS, whose quotas the whole account shares.
    pub fn polite() -> Self {
        Pace::between(Duration::from_millis(400), Duration::from_secs(4))
    }

    pub fn between(soonest: Duration, latest: Duration) -> Self {
        Pace { soonest, latest, now: soonest, failures: 0 }
    }

    pub fn moved(&mut self) {
        self.now = self.soonest;
        self.failures = 0;
    }

    pub fn quiet(&mut self) {
        self.now = self.now.mul_f64(1.4).min(self.latest);
        self.failures = 0;
    }

    pub fn failed(&mut self) {
        self.failures += 1;
    }

    /// How long to sleep. `due` is the time until a known end of a wait.
    pub fn sleep(&self, due: Option<Duration>) -> Duration {
        if self.failures > 0 {
            let doubled = Duration::from_millis(500).saturating_mul(1 << self.failures.min(6));
            return doubled.min(Duration::from_secs(15)).max(self.soonest);
        }
        match due {
            // Asking exactly at the end would come too early: the service needs a moment.
            Some(due) if due > self.latest * 2 => (due + self.soonest / 2).min(self.latest * 8),
            _ => self.now,
        }
    }
}
