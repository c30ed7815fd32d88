//! Orders to the world, as data: so that a test can assert them and a recording replay them.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::execution::{Definition, Execution, HistoryEvent, Machine, MapRun, Release, Status};
use crate::domain::expiry::Window;
use crate::domain::grid::Grid;
use crate::domain::log::LogLine;
use crate::domain::problem::Problem;
use crate::domain::query::Query;
use crate::ui::overlays::confirm::Confirm;
use crate::ui::overlays::pick::Pick;
use crate::ui::remote::Ticket;
use crate::ui::route::Route;
use crate::ui::screens::facilities::listing::Listing;
use crate::ui::world::Facilities;

/// What the runtime performs.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Ask AWS or the files; the answer comes back as `Msg::Replied` with the same ticket.
    Ask(Ticket, Request),
    /// Stop what this ticket asked for: nobody waits for it any more.
    Forget(Ticket),
    /// Work too long for the loop; answers like `Ask`.
    Compute(Ticket, Job),
    /// To the clipboard, through OSC 52.
    Copy(String),
    /// Tell the person that something ended, even when the window is not in front: bell and OSC 9.
    Notify(String),
    /// Open in the browser, where there is one.
    OpenUrl(String),
    /// Mouse capture on or off.
    Mouse(bool),
    Suspend,
    Quit,
}

/// What a screen answers: an order to the world, or something the shell settles.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    Do(Effect),
    /// Go to a place; history remembers the present one.
    Open(Route),
    /// `esc` found nothing to close here: one place back.
    Back,
    /// Ask before a writing request. On a local target it is granted at once unless `always` is set.
    Confirm(Confirm),
    /// Let the person choose or type one thing; comes back as `screens::Msg::Answered`.
    Pick(Pick),
    /// One line at the bottom, until the next key.
    Say(String),
    /// Into the problem list, and on the bottom line.
    Blame(Problem),
    /// Likewise, of what is asked for again by itself: the bottom line forgets it with [`Wish::Answered`].
    Unanswered(Problem),
    /// What was asked for in vain is here now.
    Answered,
    /// From now on this date counts as today, everywhere.
    AsOf(NaiveDate),
    /// Read the facilities again.
    Reload,
}

impl From<Effect> for Wish {
    fn from(effect: Effect) -> Self {
        Wish::Do(effect)
    }
}

/// What can be asked. The runtime's `perform.rs` has one arm for each.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Every facility record below `prefix` -> `Reply::Facilities`.
    Facilities { bucket: String, prefix: String },
    /// -> `Reply::Machines`
    Machines,
    /// The newest executions of a state machine, or the children of a map run -> `Reply::Executions`.
    Executions { machine_arn: String, status: Option<Status>, token: Option<String> },
    /// Versions and aliases of a state machine -> `Reply::Releases`.
    Releases { machine_arn: String },
    /// -> `Reply::MapRun`
    MapRun { arn: String },
    /// What the executions of an express state machine logged since some minutes ago -> `Reply::Express`.
    Express { machine_arn: String, minutes: i64 },
    /// One execution with input and output -> `Reply::Execution`.
    Execution { arn: String },
    /// The definition of a state machine -> `Reply::Definition`.
    Definition { machine_arn: String },
    /// The definition an execution ran with -> `Reply::Definition`.
    DefinitionOf { execution_arn: String },
    /// Every event of an execution that is over -> `Reply::History`.
    History { execution_arn: String },
    /// -> `Reply::Started` with the execution's ARN. Writes.
    StartExecution { machine_arn: String, name: Option<String>, input: String },
    /// -> `Reply::Done`. Writes.
    StopExecution { arn: String, error: String, cause: String },
    /// -> `Reply::Done`. Writes.
    RedriveExecution { arn: String },
    /// Answer a task that waits for its token -> `Reply::Done`. Writes.
    SendTaskSuccess { token: String, output: String },
    /// -> `Reply::Done`. Writes.
    SendTaskFailure { token: String, error: String, cause: String },
    /// A file of this machine, such as an input -> `Reply::Text`.
    ReadFile { path: String },
    /// The newest query executions of the work group -> `Reply::Queries`.
    Queries { token: Option<String> },
    /// -> `Reply::Query`
    Query { id: String },
    /// Start a statement -> `Reply::Started` with the query's id. Writes when the statement writes.
    StartQuery { sql: String },
    /// -> `Reply::Done`. Writes.
    StopQuery { id: String },
    /// A page of a result -> `Reply::Results`.
    Results { id: String, token: Option<String> },
    /// Tables with their columns, for completion -> `Reply::Tables`.
    Tables,
    /// The user's own saved queries: file name and text -> `Reply::SavedQueries`.
    SavedQueries,
    /// Log lines since some minutes ago, that match a pattern -> `Reply::Lines`.
    Lines { group: String, minutes: i64, pattern: Option<String> },
    /// Log lines of a stretch of time that match a pattern, at most some thousand -> `Reply::Lines`.
    LinesBetween { group: String, from: DateTime<Utc>, to: DateTime<Utc>, pattern: Option<String> },
    /// Write what is shown to a file -> `Reply::Written` with the path and the number of rows.
    Export { path: String, content: Export },
}

/// What can be written to a file; the ending of the path chooses the format.
#[derive(Clone, Debug, PartialEq)]
pub enum Export {
    /// Facilities by their index in the shared list, in the order shown.
    Facilities {
        all: Arc<Facilities>,
        order: Vec<u32>,
        /// Renewal dates outside of it are left out of a calendar.
        within: Option<Window>,
        as_of: NaiveDate,
    },
    /// Rows of a result by their index, in the order shown.
    Grid { grid: Arc<Grid>, order: Vec<u32> },
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    Facilities(Arc<Facilities>),
    Machines(Vec<Machine>),
    Executions {
        items: Vec<Execution>,
        next: Option<String>,
    },
    Execution(Box<Execution>),
    Definition(Definition),
    History(Vec<HistoryEvent>),
    Started(String),
    /// Versions, newest first, and aliases.
    Releases(Vec<Release>, Vec<Release>),
    MapRun(MapRun),
    /// The log group, where executions are logged at all, and its lines.
    Express(Option<String>, Vec<LogLine>),
    Text(String),
    Done,
    Queries {
        items: Vec<Query>,
        next: Option<String>,
    },
    Query(Box<Query>),
    Results {
        grid: Grid,
        next: Option<String>,
    },
    Tables(Vec<Table>),
    SavedQueries(Vec<(String, String)>),
    Lines(Vec<LogLine>),
    Written {
        path: String,
        rows: u64,
    },
    /// The rows that match, in order: answers `Job::Arrange` and `Job::List`.
    Arranged(Vec<u32>),
}

/// A table of the catalog: columns with their type names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    pub columns: Vec<(String, String)>,
}

/// Work that is pure but long.
#[derive(Clone, Debug, PartialEq)]
pub enum Job {
    /// Keep the rows of which some cell contains `needle` (case ignored), sorted by a column.
    Arrange { grid: Arc<Grid>, needle: String, sort: Option<(usize, bool)> },
    /// The facilities that a listing keeps, in its order.
    List(Box<Listing>),
}
