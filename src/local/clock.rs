//! The cloud's clock: real, hurried for demos and tests, or moved by hand in tests.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use tokio::sync::watch;

/// Tells the time and waits. `speed` 10 makes every wait ten times shorter; the time that is told
/// stays the real one, so recorded order and timestamps stay true.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Real {
        speed: f64,
    },
    /// Stands still until somebody moves it.
    Manual(Arc<watch::Sender<DateTime<Utc>>>),
}

impl Default for Clock {
    fn default() -> Self {
        Clock(Kind::Real { speed: 1.0 })
    }
}

impl Clock {
    /// `speed` must be positive; anything else counts as 1.
    pub fn hurried(speed: f64) -> Self {
        Clock(Kind::Real { speed: if speed.is_finite() && speed > 0.0 { speed } else { 1.0 } })
    }

    /// A clock that stands at `now`; its clones are the same clock.
    pub fn manual(now: DateTime<Utc>) -> Self {
        Clock(Kind::Manual(Arc::new(watch::Sender::new(now))))
    }

    /// Moves a manual clock forward: every wait that is over by then ends. Does nothing to a real one.
    pub fn advance(&self, by: TimeDelta) {
        if let Kind::Manual(time) = &self.0 {
            time.send_modify(|now| *now += by);
        }
    }

    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            Kind::Real { .. } => Utc::now(),
            Kind::Manual(time) => *time.borrow(),
        }
    }

    /// Waits for `duration` of the cloud's time.
    pub async fn sleep(&self, duration: Duration) {
        let from = self.now();
        let length = TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
        self.sleep_from(from, from.checked_add_signed(length).unwrap_or(DateTime::<Utc>::MAX_UTC)).await;
    }

    /// Waits for what is left of a wait that began at `from` and lasts until `until`, in the cloud's
    /// time.
    pub fn sleep_from(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> BoxFuture<'static, ()> {
        match &self.0 {
            Kind::Real { .. } => {
                let length = self.real((until - from).to_std().unwrap_or_default());
                let passed = (self.now() - from).to_std().unwrap_or_default();
                Box::pin(tokio::time::sleep(length.saturating_sub(passed)))
            }
            Kind::Manual(time) => {
                let mut time = time.subscribe();
                Box::pin(async move {
                    // A clock that is gone never moves again.
                    if time.wait_for(|now| *now >= until).await.is_err() {
                        std::future::pending::<()>().await;
                    }
                })
            }
        }
    }

    /// How long a wait of the cloud's time lasts in real time.
    pub fn real(&self, duration: Duration) -> Duration {
        match &self.0 {
            Kind::Real { speed } => duration.div_f64(*speed),
            Kind::Manual(_) => duration,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_moves_by_hand() {
        let start = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let clock = Clock::manual(start);
        let same = clock.clone();
        let wait = tokio::spawn(async move { same.sleep(Duration::from_secs(10)).await });
        tokio::task::yield_now().await;
        clock.advance(TimeDelta::seconds(9));
        tokio::task::yield_now().await;
        assert!(!wait.is_finished());
        clock.advance(TimeDelta::seconds(1));
        wait.await.unwrap();
        assert_eq!(clock.now(), start + TimeDelta::seconds(10));
    }
}
