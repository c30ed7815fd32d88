//! Retriers and catchers: which one takes an error, and how long to wait before the next attempt.

use super::failure::{ALL, Failure};
use super::machine::Place;
use super::template::Template;

/// One entry of a Retry list.
#[derive(Clone, Debug, PartialEq)]
pub struct Retrier {
    pub errors: Vec<String>,
    /// Seconds before the first retry; 1 unless given.
    pub interval: f64,
    /// 3 unless given; 0: never.
    pub max_attempts: u32,
    /// 2 unless given.
    pub backoff: f64,
    /// MaxDelaySeconds: no wait is longer.
    pub max_delay: Option<f64>,
    /// JitterStrategy FULL: a wait of random length up to the computed one.
    pub jitter: bool,
}

/// One entry of a Catch list.
#[derive(Clone, Debug, PartialEq)]
pub struct Catcher {
    pub errors: Vec<String>,
    pub next: String,
    /// ResultPath of JSONPath.
    pub result: Place,
    pub assign: Vec<(String, Template)>,
    /// Output of JSONata.
    pub output: Option<Template>,
}

impl Retrier {
    pub fn takes(&self, failure: &Failure) -> bool {
        takes(&self.errors, failure)
    }

    /// Seconds to wait before the retry after `done` retries of this entry; `fraction` is drawn evenly
    /// from 0 to 1 and used with jitter only.
    pub fn delay(&self, done: u32, fraction: f64) -> f64 {
        let growth = self.backoff.powi(i32::try_from(done).unwrap_or(i32::MAX));
        // A year bounds what no cap bounds, so that a wait is always a date.
        let full = (self.interval * growth).min(self.max_delay.unwrap_or(f64::INFINITY)).min(31_536_000.0);
        if self.jitter { full * fraction } else { full }
    }
}

impl Catcher {
    pub fn takes(&self, failure: &Failure) -> bool {
        takes(&self.errors, failure)
    }
}

fn takes(errors: &[String], failure: &Failure) -> bool {
    errors.iter().any(|pattern| failure.is(pattern))
}

/// The index of the retrier that takes the error and has attempts left; `done` counts the retries of
/// each entry so far.
pub fn choose(retriers: &[Retrier], failure: &Failure, done: &[u32]) -> Option<usize> {
    let index = retriers.iter().position(|r| r.takes(failure))?;
    let used = done.get(index).copied().unwrap_or(0);
    (used < retriers[index].max_attempts).then_some(index)
}

/// Whether a list names every error.
pub fn is_wildcard(errors: &[String]) -> bool {
    errors.iter().any(|e| e == ALL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retrier(errors: &[&str]) -> Retrier {
        Retrier {
            errors: errors.iter().map(|e| (*e).to_owned()).collect(),
            interval: 3.0,
            max_attempts: 3,
            backoff: 2.0,
            max_delay: None,
            jitter: false,
        }
    }

    /// The example of AWS's guide: interval 3, backoff 2: 3, 6, 12 seconds; a cap of 5 gives 3, 5, 5.
    #[test]
    fn waits_grow_and_are_capped() {
        let plain = retrier(&["States.ALL"]);
        assert_eq!([0, 1, 2].map(|n| plain.delay(n, 0.5)), [3.0, 6.0, 12.0]);
        let capped = Retrier { max_delay: Some(5.0), ..plain.clone() };
        assert_eq!([0, 1, 2].map(|n| capped.delay(n, 0.5)), [3.0, 5.0, 5.0]);
        let jittered = Retrier { jitter: true, ..plain };
        assert_eq!(jittered.delay(1, 0.5), 3.0);
    }

    #[test]
    fn the_first_matching_entry_counts_its_own_attempts() {
        let list = [retrier(&["States.Timeout"]), retrier(&["States.ALL"])];
        let timeout = Failure::new("States.Timeout", "");
        let other = Failure::new("Lambda.Unknown", "");
        assert_eq!(choose(&list, &timeout, &[2, 3]), Some(0));
        assert_eq!(choose(&list, &timeout, &[3, 0]), None);
        assert_eq!(choose(&list, &other, &[3, 2]), Some(1));
    }

    #[test]
    fn wildcards_leave_out_what_must_not_be_hidden() {
        let all = [retrier(&["States.ALL"])];
        assert_eq!(choose(&all, &Failure::runtime(""), &[]), None);
        assert_eq!(choose(&all, &Failure::new("S3.NoSuchKeyException", ""), &[]), Some(0));
        let failed = [retrier(&["States.TaskFailed"])];
        assert_eq!(choose(&failed, &Failure::new("States.Timeout", ""), &[]), None);
        assert_eq!(choose(&failed, &Failure::new("Exception", ""), &[]), Some(0));
    }
}
