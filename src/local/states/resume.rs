//! Taking executions up again after the process ended: waits with the time that is left, tasks that were
//! handed over where they are, jobs that may have been started with what makes them found, map runs with their
//! children, and any other task that had only started as one that failed, for its Retry rules to decide.

use std::sync::Arc;

use futures::FutureExt;
use tokio_util::sync::CancellationToken;

use super::super::bus::Bus;
use super::super::fault::Fault;
use super::driver::{Driver, lock};
use super::jobs::{self, Started};
use super::live::{Job, Live};
use super::record::{self, CURSORS, Execution, RUNNING};
use super::starts::{self, Starts};
use super::{maps, removal, tasks};
use crate::asl::cursor::{Cursor, Ticket, UnderWay};
use crate::asl::data::Data;
use crate::asl::failure::{Failure, TASK_FAILED};
use crate::asl::mapping;
use crate::asl::resource::Resource;
use crate::asl::step::{Progress, Task, What};

/// Where an execution stands.
fn cursor(bus: &Bus, key: &str) -> Result<Cursor, Fault> {
    record::load(&bus.store, CURSORS, key)?.ok_or_else(|| Fault::internal("where it stood was not recorded"))
}

/// What an earlier process left running.
#[derive(Default)]
pub struct Left {
    executions: Vec<String>,
    runs: Vec<maps::MapRun>,
    /// Jobs that nobody waits for any more.
    jobs: Vec<Started>,
    /// Jobs that may have been started.
    starts: Starts,
}

impl Left {
    /// Asked before anything new can start: what starts from now on is not to be taken up.
    pub fn of(bus: &Bus) -> Result<Left, Fault> {
        let mut executions = Vec::new();
        bus.store.scan(RUNNING, "", "", |key, _| {
            executions.push(key.to_owned());
            std::ops::ControlFlow::Continue(())
        })?;
        Ok(Left {
            executions,
            runs: maps::left_running(bus)?,
            jobs: jobs::left(bus)?,
            starts: Starts::left(bus)?,
        })
    }
}

impl Driver {
    /// Takes up every execution that an earlier process left.
    pub async fn resume(self: &Arc<Self>) -> Result<(), Fault> {
        let bus = self.bus()?;
        let Left { executions, runs: left, jobs, mut starts } = std::mem::take(&mut *lock(&self.left));
        // Map runs look for their children, so they go on once every execution is there.
        let mut runs = Vec::new();
        for key in executions {
            match self.take_up(&bus, &key, &mut starts).await {
                Ok(found) => runs.extend(found),
                Err(fault) => tracing::error!(execution = %key, %fault, "an execution could not be taken up"),
            }
        }
        for job in jobs {
            tokio::spawn(job.stop(bus.clone()).boxed());
        }
        starts.stop(&bus);
        let waited_for: Vec<_> = runs.iter().map(|(live, ticket)| (live.key.clone(), *ticket)).collect();
        maps::abandon(self, left, &waited_for).await?;
        for (live, ticket) in runs {
            if let Err(fault) = self.fork_again(&bus, &live, ticket).await {
                tracing::error!(execution = %live.key, %fault, "a map run could not be taken up");
            }
        }
        Ok(())
    }

    /// Goes on with the map run of a ticket.
    async fn fork_again(
        self: &Arc<Self>,
        bus: &Arc<Bus>,
        live: &Arc<Live>,
        ticket: Ticket,
    ) -> Result<(), Fault> {
        let Some(cursor) = live.standing().await else { return Ok(()) };
        match mapping::again(&live.machine, &cursor, ticket, Self::moment(bus)) {
            Some(Ok(asked)) => {
                let stop = CancellationToken::new();
                live.hold(ticket, Job::Run(stop.clone()));
                tokio::spawn(maps::fork(self.clone(), live.clone(), Box::new(asked), stop).boxed());
                Ok(())
            }
            Some(Err(failure)) => {
                self.send(&live.key, What::Task(ticket, Progress::Failed(failure)));
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// A sentence for every execution that an earlier process left.
    pub fn unfinished(&self) -> Vec<String> {
        let keys = lock(&self.left).executions.clone();
        let sentence = |key: String| match key.split_once(':') {
            Some((machine, name)) => format!("The execution {name} of {machine} goes on."),
            None => format!("The execution {key} goes on."),
        };
        keys.into_iter().map(sentence).collect()
    }

    /// Redrives an execution; `token` is the request's.
    pub async fn redrive(
        self: &Arc<Self>,
        bus: &Arc<Bus>,
        key: &str,
        token: Option<String>,
    ) -> Result<(), Fault> {
        let record = record::execution(&bus.store, key, key)?;
        let live = self.revived(bus, &record, cursor(bus, key)?)?;
        live.redriven_by(token);
        self.keep(&live);
        self.clone().deliver(key.to_owned(), What::Redrive).await
    }

    /// An execution as it stands, before it is found by anybody.
    fn revived(&self, bus: &Bus, record: &Execution, cursor: Cursor) -> Result<Arc<Live>, Fault> {
        let text = record::definition(&bus.store, &record.definition)?;
        let machine = self.machine(&record.definition, &text)?;
        let live = Live::new(&record.key, machine, cursor, true);
        live.log_to(record, &bus.region);
        Ok(live)
    }

    /// Brings an execution to life again with what is under way.
    async fn take_up(
        self: &Arc<Self>,
        bus: &Arc<Bus>,
        key: &str,
        starts: &mut Starts,
    ) -> Result<Vec<(Arc<Live>, Ticket)>, Fault> {
        let record = record::execution(&bus.store, key, key)?;
        let cursor = cursor(bus, key)?;
        let under_way = cursor.under_way();
        let live = self.revived(bus, &record, cursor)?;
        self.keep(&live);
        if record.child.is_none() && removal::is_deleting(&bus.store, &record.machine)? {
            self.clone().deliver(key.to_owned(), What::Deleted).await?;
        }
        let mut runs = Vec::new();
        for thing in under_way {
            match thing {
                UnderWay::Wait(timer) => self.sleep(bus, &live, &timer),
                UnderWay::Task { ticket, resource, .. } if resource.contains(":mapRun:") => {
                    runs.push((live.clone(), ticket));
                }
                UnderWay::Task { ticket, resource, token: Some(token), offered: Some(input), .. } => {
                    self.offer(&resource, &live, ticket, token, input);
                }
                UnderWay::Task { ticket, resource, submitted, .. } => {
                    let intent = starts.take(key, ticket);
                    match (Resource::parse(&resource), submitted) {
                        (Some(resource), Some(first)) => {
                            if intent.is_some() {
                                starts::settle(bus, key, ticket).await;
                            }
                            let started = Started::of(key, ticket, &resource, &first);
                            let work = tasks::attach(self.clone(), live.key.clone(), ticket, resource, first);
                            live.job(ticket, work);
                            // It was not called off: nothing is told to the execution yet.
                            if let Some(started) = started {
                                live.entrust(ticket, started);
                            }
                        }
                        (Some(resource), None) if intent.is_some() => {
                            let task = Task { ticket, resource, input: Data::default(), token: None };
                            live.job(ticket, tasks::start(self.clone(), live.key.clone(), task, intent));
                        }
                        // A worker has it and will answer, or its time runs out.
                        (Some(Resource::Activity(_)), None) => {}
                        _ => {
                            let cause = "The local cloud was interrupted while this task ran; whether it took \
                                         effect is not known.";
                            let failure = Failure::new(TASK_FAILED, cause);
                            self.send(key, What::Task(ticket, Progress::Failed(failure)));
                        }
                    }
                }
            }
        }
        self.send(key, What::Continue);
        Ok(runs)
    }
}
