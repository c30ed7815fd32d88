//! The cloud's clock: real, or hurried for demos and tests.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// Tells the time and waits. `speed` 10 makes every wait ten times shorter; the time that is told
/// stays the real one, so recorded order and timestamps stay true.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    speed: f64,
}

impl Default for Clock {
    fn default() -> Self {
        Clock { speed: 1.0 }
    }
}

impl Clock {
    /// `speed` must be positive; anything else counts as 1.
    pub fn hurried(speed: f64) -> Self {
        Clock { speed: if speed.is_finite() && speed > 0.0 { speed } else { 1.0 } }
    }

    pub fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    /// Waits for `duration` of the cloud's time.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration.div_f64(self.speed)).await;
    }

    /// How long a wait of the cloud's time lasts in real time.
    pub fn real(&self, duration: Duration) -> Duration {
        duration.div_f64(self.speed)
    }
}
