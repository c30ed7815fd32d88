//! How a state machine did lately: counts of the last 24 hours, and durations as a sparkline.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::execution::{Execution, Status};
use crate::ui::screens::workflows::open::Open;

/// What the newest executions add up to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recent {
    pub running: usize,
    /// More may run: a run that began long ago is beyond the newest executions.
    pub more_running: bool,
    pub failed: usize,
    pub succeeded: usize,
    /// There are more within the 24 hours than are known: the counts are at least that.
    pub partial: bool,
    /// The newest one.
    pub last: Option<(Status, DateTime<Utc>)>,
    /// How long the newest ones that are over took, oldest first, and whether they ended well.
    pub durations: Vec<(TimeDelta, bool)>,
}

/// As many durations as a sparkline shows at most.
const DURATIONS: usize = 40;

impl Recent {
    /// `newest_first`, as ListExecutions answers; `more` says whether older ones exist.
    pub fn of(newest_first: &[Execution], more: bool, now: DateTime<Utc>) -> Recent {
        let day = now - TimeDelta::hours(24);
        let last = newest_first.first().map(|one| (one.status, one.started));
        let mut recent = Recent { last, more_running: more, ..Recent::default() };
        let mut all_recent = true;
        for one in newest_first {
            // What runs counts however long it has been running.
            if !one.status.is_over() {
                recent.running += 1;
            }
            if one.started < day {
                all_recent = false;
                continue;
            }
            match one.status {
                Status::Succeeded => recent.succeeded += 1,
                Status::Failed | Status::TimedOut | Status::Aborted => recent.failed += 1,
                Status::Running | Status::PendingRedrive => {}
            }
        }
        recent.partial = more && all_recent;
        let over = newest_first.iter().filter_map(|one| {
            Some((
                one.stopped.filter(|_| one.status.is_over())? - one.started,
                one.status == Status::Succeeded,
            ))
        });
        recent.durations = over.take(DURATIONS).collect();
        recent.durations.reverse();
        recent
    }

    /// Takes over how many run, asked for by status.
    pub fn open(&mut self, open: &Open) {
        (self.running, self.more_running) = (open.count(), open.more);
    }

    /// Durations as bars of eighths, the longest full; each with whether it ended well.
    pub fn sparkline(&self, cells: usize, ascii: bool) -> Vec<(&'static str, bool)> {
        const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
        const ASCII: [&str; 8] = ["_", "_", ".", "-", "=", "+", "*", "#"];
        let shown = &self.durations[self.durations.len().saturating_sub(cells)..];
        let most = shown.iter().map(|(span, _)| span.num_milliseconds()).max().unwrap_or(0).max(1);
        let height = |span: &TimeDelta| (span.num_milliseconds().max(0) * 7 / most).clamp(0, 7) as usize;
        let glyphs = if ascii { ASCII } else { BARS };
        shown.iter().map(|(span, well)| (glyphs[height(span)], *well)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(status: Status, hours_ago: i64, seconds: Option<i64>, now: DateTime<Utc>) -> Execution {
        let started = now - TimeDelta::hours(hours_ago);
        Execution {
            arn: String::new(),
            name: String::new(),
            machine_arn: String::new(),
            status,
            started,
            stopped: seconds.map(|seconds| started + TimeDelta::seconds(seconds)),
            input: None,
            output: None,
            error: None,
            cause: None,
            redrives: 0,
        }
    }

    #[test]
    fn counts_are_of_a_day_and_say_when_they_are_partial() {
        let now = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
        let all = [
            one(Status::Running, 0, None, now),
            one(Status::Failed, 1, Some(4), now),
            one(Status::Succeeded, 2, Some(8), now),
            one(Status::Aborted, 30, Some(1), now),
            one(Status::Running, 40, None, now),
        ];
        let recent = Recent::of(&all, true, now);
        assert_eq!((recent.running, recent.failed, recent.succeeded, recent.partial), (2, 1, 1, false));
        assert!(Recent::of(&all[..3], true, now).partial);
        assert!(!Recent::of(&all[..3], false, now).partial);
        assert_eq!(recent.sparkline(9, false), [("▁", false), ("█", true), ("▄", false)]);
        assert_eq!(recent.sparkline(1, true), [("#", false)]);
        assert!(Recent::default().sparkline(5, false).is_empty());
    }
}
