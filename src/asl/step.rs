//! The interpreter: (machine, cursor, stimulus) → (cursor, directives).
//!
//! Nothing happens here but deciding. A stimulus brings what happened, the time and entropy; the
//! directives say what to record and what to do. Whoever performs them records first and acts then, so
//! that an execution can be taken up from its cursor at any moment.

use chrono::{DateTime, Utc};

use super::cursor::{Cursor, Outcome, Ticket, Timer};
use super::data::Data;
use super::event::Event;
use super::failure::Failure;
use super::machine::Machine;
use super::mapping::MapRun;
use super::resource::Resource;
use super::run::Run;

/// What happened, when, and the entropy for whatever is random in the answer.
#[derive(Clone, Debug)]
pub struct Stimulus {
    pub now: DateTime<Utc>,
    pub entropy: u64,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    /// The execution starts.
    Begin,
    /// Go on with what is ready, after [`Directive::Again`] or a new start of the process.
    Continue,
    /// A wait is over.
    Due(Ticket),
    /// Something is heard of a task.
    Task(Ticket, Progress),
    /// A worker's or callback's sign of life.
    Heartbeat(Ticket),
    /// StopExecution.
    Stop(Failure),
    /// RedriveExecution.
    Redrive,
    /// DeleteStateMachine: it ends at its next transition.
    Deleted,
}

/// What is heard of a task.
#[derive(Clone, Debug)]
pub enum Progress {
    /// A worker took an activity's task.
    Started {
        worker: Option<String>,
    },
    /// No worker can take it: there is no such activity.
    Unscheduled(Failure),
    /// A `.sync` or callback task was handed over; its first answer.
    Submitted(Data),
    Succeeded(Data),
    Failed(Failure),
}

/// What to do. The order is the order to do it in.
#[derive(Clone, Debug)]
pub enum Directive {
    Record(Event),
    Task(Task),
    /// Come back with [`What::Due`] when the time has passed.
    Wait(Timer),
    /// Nobody waits for this any more.
    Cancel(Ticket),
    /// Run a distributed map.
    Fork(Box<MapRun>),
    /// Take up again what failed of the distributed map with this ARN.
    Refork(Ticket, String),
    /// There is more to do, but not in one step.
    Again,
    Finish(Outcome),
}

/// A task to perform.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    pub ticket: Ticket,
    pub resource: Resource,
    pub input: Data,
    /// For callbacks and activities.
    pub token: Option<String>,
}

/// Takes one step. A stimulus that no longer concerns anybody changes nothing.
pub fn step(machine: &Machine, cursor: Cursor, stimulus: Stimulus) -> (Cursor, Vec<Directive>) {
    let mut run = Run::new(machine, cursor, stimulus.now, stimulus.entropy);
    match stimulus.what {
        What::Begin if run.cursor.events == 0 => run.begin(),
        What::Redrive if run.cursor.is_redrivable() => run.redrive(),
        _ if run.cursor.over.is_some() => {}
        What::Begin | What::Redrive | What::Continue => {}
        What::Due(ticket) => run.due(ticket),
        What::Task(ticket, progress) => run.heard(ticket, progress),
        What::Heartbeat(ticket) => run.heartbeat(ticket),
        What::Deleted => run.cursor.deleted = true,
        What::Stop(failure) => {
            run.halt();
            run.finish(Outcome::Aborted(failure));
        }
    }
    run.go_on();
    (run.cursor, run.out)
}
