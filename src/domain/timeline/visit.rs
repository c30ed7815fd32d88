//! The parts of a timeline: visits, their attempts, and a state's standing.

use chrono::{DateTime, TimeDelta, Utc};

/// The type of a state, from its history events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Task,
    Pass,
    Choice,
    Wait,
    Parallel,
    Map,
    Succeed,
    Fail,
    /// A type this version does not know.
    Other,
}

impl Kind {
    /// From the first half of an event type: `Task` of `TaskStateEntered`.
    pub(super) fn of(prefix: &str) -> Kind {
        match prefix {
            "Task" => Kind::Task,
            "Pass" => Kind::Pass,
            "Choice" => Kind::Choice,
            "Wait" => Kind::Wait,
            "Parallel" => Kind::Parallel,
            "Map" => Kind::Map,
            "Succeed" => Kind::Succeed,
            "Fail" => Kind::Fail,
            _ => Kind::Other,
        }
    }

    /// The spelling of Amazon States Language.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Task => "Task",
            Kind::Pass => "Pass",
            Kind::Choice => "Choice",
            Kind::Wait => "Wait",
            Kind::Parallel => "Parallel",
            Kind::Map => "Map",
            Kind::Succeed => "Succeed",
            Kind::Fail => "Fail",
            Kind::Other => "State",
        }
    }

    /// Whether it holds branches or iterations.
    pub fn is_container(self) -> bool {
        matches!(self, Kind::Parallel | Kind::Map)
    }
}

/// Where a state stands. Later variants win when several iterations are summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    #[default]
    NotReached,
    Succeeded,
    /// It failed and a catcher took over.
    Caught,
    /// Stopped from outside, or because a sibling failed.
    Aborted,
    TimedOut,
    Failed,
    /// The last attempt failed and the next has not begun.
    Retrying,
    Running,
}

impl Standing {
    pub(super) const COUNT: usize = 8;
    pub(super) const ALL: [Standing; Standing::COUNT] = [
        Standing::NotReached,
        Standing::Succeeded,
        Standing::Caught,
        Standing::Aborted,
        Standing::TimedOut,
        Standing::Failed,
        Standing::Retrying,
        Standing::Running,
    ];

    pub fn is_bad(self) -> bool {
        matches!(self, Standing::Failed | Standing::TimedOut)
    }

    /// Whether it ended in any way but success or a catcher.
    pub fn is_ended_badly(self) -> bool {
        matches!(self, Standing::Failed | Standing::TimedOut | Standing::Aborted)
    }

    /// Whether it still moves.
    pub fn is_open(self) -> bool {
        matches!(self, Standing::Running | Standing::Retrying)
    }

    /// The word beside the glyph.
    pub fn word(self) -> &'static str {
        match self {
            Standing::NotReached => "not reached",
            Standing::Succeeded => "succeeded",
            Standing::Caught => "caught",
            Standing::Aborted => "aborted",
            Standing::TimedOut => "timed out",
            Standing::Failed => "failed",
            Standing::Retrying => "retrying",
            Standing::Running => "running",
        }
    }
}

/// The branch or iteration a visit belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// Index of the Parallel's or Map's visit.
    pub container: usize,
    /// Iteration index, or branch in the order in which branches began; from 0.
    pub index: u64,
}

/// How an attempt went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Under way; one that has an end all the same was cut short by the end of the execution.
    Open,
    Succeeded,
    Failed,
    TimedOut,
}

/// One attempt of a Task, Parallel or Map; retries are further attempts of the same visit.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The event that began it.
    pub event: i64,
    pub scheduled: DateTime<Utc>,
    /// When the worker began; a container begins at once.
    pub started: Option<DateTime<Utc>>,
    pub ended: Option<DateTime<Utc>>,
    pub outcome: Outcome,
    /// The resource as the event names it: a function's ARN, or `lambda invoke`.
    pub resource: Option<String>,
    /// A redrive began it: it is no retry.
    pub redriven: bool,
    pub error: Option<String>,
    pub cause: Option<String>,
}

/// Iterations of a Map or branches of a Parallel, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// A Map's length; a Parallel's history does not say.
    pub total: Option<u64>,
    pub started: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub aborted: u64,
}

/// One stay in a state.
#[derive(Clone, Debug, PartialEq)]
pub struct Visit {
    pub name: String,
    pub kind: Kind,
    /// `None` at the top of the execution.
    pub scope: Option<Scope>,
    pub entered: DateTime<Utc>,
    pub entered_event: i64,
    /// The event before the entry: the exit that led here.
    pub(super) entered_from: i64,
    pub exited: Option<DateTime<Utc>>,
    /// The StateExited event; a state that failed or was stopped has none.
    pub exited_event: Option<i64>,
    pub standing: Standing,
    pub attempts: Vec<Attempt>,
    /// Of containers.
    pub parts: Option<Parts>,
    /// The newest map run of a Distributed Map.
    pub map_run: Option<String>,
    /// The last error it met, also when that was retried or caught.
    pub error: Option<String>,
    pub cause: Option<String>,
    /// Which visit of its state it is, from 0.
    pub number: usize,
    /// The visits before and after it in its branch or iteration.
    pub previous: Option<usize>,
    pub next: Option<usize>,
    /// The last attempt ended badly and nothing has put it right yet.
    pub(super) failing: bool,
    /// From the end of the execution to the redrive that went on with this visit: nothing ran then.
    pub idle: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    /// It was stopped, and a redrive entered the state anew: the next visit of its state in its branch or
    /// iteration stands for it.
    pub resumed: bool,
}

impl Visit {
    /// Attempts after the first, without those that a redrive began.
    pub fn retries(&self) -> u32 {
        self.attempts.iter().skip(1).filter(|attempt| !attempt.redriven).count() as u32
    }

    /// From entry to exit, or to `now` while it is open; without the time between the end of the execution
    /// and a redrive.
    pub fn duration(&self, now: DateTime<Utc>) -> TimeDelta {
        let idle: TimeDelta = self.idle.iter().map(|(from, to)| *to - *from).sum();
        self.exited.unwrap_or(now) - self.entered - idle
    }
}

/// One state, summed up over its visits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateNow {
    pub standing: Standing,
    /// Every stay, passes of a loop included; one that a redrive resumed and the stay that goes on with it are
    /// one.
    pub visits: usize,
    /// Branches and iterations it was visited in.
    pub scopes: usize,
    /// Of these, how many are open.
    pub running: usize,
    /// Of these, how many failed.
    pub failed: usize,
    /// The largest number of retries.
    pub retries: u32,
    /// The newest visit.
    pub last: Option<usize>,
}
