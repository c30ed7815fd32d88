//! Taking executions up again after the process ended: waits with the time that is left, handed-over
//! tasks where they are, and a task that had started as one that failed, for its Retry rules to decide.

use std::sync::Arc;

use super::super::bus::Bus;
use super::super::fault::Fault;
use super::driver::{Driver, Live};
use super::record::{self, CURSORS, RUNNING};
use super::tasks;
use crate::asl::cursor::{Cursor, UnderWay};
use crate::asl::failure::{Failure, TASK_FAILED};
use crate::asl::machine::Machine;
use crate::asl::resource::Resource;
use crate::asl::step::{Progress, What};

impl Driver {
    /// Takes up every execution that runs.
    pub async fn resume(self: &Arc<Self>) -> Result<(), Fault> {
        let bus = self.bus()?;
        let mut keys = Vec::new();
        bus.store.scan(RUNNING, "", "", |key, _| {
            keys.push(key.to_owned());
            std::ops::ControlFlow::Continue(())
        })?;
        for key in keys {
            if let Err(fault) = self.take_up(&bus, &key, None).await {
                tracing::error!(execution = %key, %fault, "an execution could not be taken up");
            }
        }
        Ok(())
    }

    /// Brings an execution to life again, with what is under way or with a redrive.
    pub async fn take_up(
        self: &Arc<Self>,
        bus: &Arc<Bus>,
        key: &str,
        what: Option<What>,
    ) -> Result<(), Fault> {
        let record = record::execution(&bus.store, key, key)?;
        let text = record::definition(&bus.store, &record.definition)?;
        let machine = Machine::read(&text).map_err(|e| Fault::internal(e.to_string()))?;
        let cursor: Cursor = record::load(&bus.store, CURSORS, key)?
            .ok_or_else(|| Fault::internal("where it stood was not recorded"))?;
        let under_way = cursor.under_way();
        let live = Live::new(key, Arc::new(machine), cursor, true);
        self.keep(&live);
        if let Some(what) = what {
            return self.clone().deliver(key.to_owned(), what).await;
        }
        for thing in under_way {
            match thing {
                UnderWay::Wait(timer) => self.sleep(bus, &live, &timer),
                UnderWay::Task { ticket, resource, submitted, token } => {
                    let handed_over = submitted.is_some() || token.is_some();
                    match (Resource::parse(&resource), submitted) {
                        (Some(resource), Some(first)) => {
                            let work = tasks::attach(self.clone(), live.key.clone(), ticket, resource, first);
                            self.job(&live, ticket, work);
                        }
                        // Somebody holds its token and will answer.
                        _ if handed_over => {}
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
        Ok(())
    }
}
