//! Activities: tasks that workers outside fetch, work on, and answer by token.

use std::collections::{HashMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::super::fault::Fault;
use super::super::store::Table;
use super::driver::lock;
use super::record::{self, put, seconds};
use super::tags::{self, Tags};
use super::{States, arn, page, validate};
use crate::asl::cursor::Ticket;
use crate::asl::data::Data;
use crate::asl::step::{Progress, What};

/// By name.
pub const ACTIVITIES: Table = "states.activities";

/// How long GetActivityTask waits for a task.
const POLL: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Activity {
    pub name: String,
    pub created: DateTime<Utc>,
    pub tags: Tags,
}

/// A task that waits for a worker.
#[derive(Clone)]
pub struct Offer {
    /// The execution's key.
    pub execution: String,
    pub ticket: Ticket,
    pub token: String,
    pub input: Data,
}

/// The tasks that wait, by the activity's name, in the order they came.
#[derive(Default)]
pub struct Offers(Mutex<HashMap<String, Queue>>);

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Offer>,
    arrived: Arc<Notify>,
}

impl Offers {
    pub fn push(&self, activity: &str, offer: Offer) {
        let mut queues = lock(&self.0);
        let queue = queues.entry(activity.to_owned()).or_default();
        queue.waiting.push_back(offer);
        queue.arrived.notify_one();
    }

    /// Takes back what nobody waits for any more.
    pub fn withdraw(&self, execution: &str, ticket: Ticket) {
        for queue in lock(&self.0).values_mut() {
            queue.waiting.retain(|offer| offer.ticket != ticket || offer.execution != execution);
        }
    }

    fn pop(&self, activity: &str) -> Option<Offer> {
        lock(&self.0).get_mut(activity)?.waiting.pop_front()
    }

    fn arrived(&self, activity: &str) -> Arc<Notify> {
        lock(&self.0).entry(activity.to_owned()).or_default().arrived.clone()
    }
}

fn no_activity(arn: &str) -> Fault {
    Fault::client("ActivityDoesNotExist", format!("Activity Does Not Exist: '{arn}'"))
}

impl States {
    pub(super) async fn create_activity(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let name = validate::text(input, "name")?.to_owned();
        validate::name(&name)?;
        let activity =
            Activity { name: name.clone(), created: bus.clock.now(), tags: tags::read(&input["tags"])? };
        let arn = arn::of_activity(&bus.region, &name);
        let created = bus
            .store
            .transact(move |tx| {
                if let Some(existing) = record::load_in::<Activity>(tx, ACTIVITIES, &name)? {
                    return Ok::<_, Fault>(existing.created);
                }
                tx.put(ACTIVITIES, name, record::to_bytes(&activity)?);
                Ok(activity.created)
            })
            .await?;
        Ok(json!({"activityArn": arn, "creationDate": seconds(created)}))
    }

    fn activity(&self, input: &Value) -> Result<(String, Activity), Fault> {
        let arn = validate::text(input, "activityArn")?;
        let name = arn::activity(arn)?;
        let found = record::load(&self.bus()?.store, ACTIVITIES, &name)?;
        Ok((arn.to_owned(), found.ok_or_else(|| no_activity(arn))?))
    }

    pub(super) fn describe_activity(&self, input: &Value) -> Result<Value, Fault> {
        let (arn, activity) = self.activity(input)?;
        Ok(json!({"activityArn": arn, "name": activity.name, "creationDate": seconds(activity.created)}))
    }

    pub(super) async fn delete_activity(&self, input: &Value) -> Result<Value, Fault> {
        let name = arn::activity(validate::text(input, "activityArn")?)?;
        let delete = |tx: &mut super::super::store::Tx<'_>| {
            tx.delete(ACTIVITIES, name);
            Ok::<_, Fault>(json!({}))
        };
        self.bus()?.store.transact(delete).await
    }

    pub(super) fn list_activities(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let size = validate::page_size(input, 100, 1000)?;
        let question = "ListActivities";
        let after = page::place(input, question)?.unwrap_or_default();
        let mut found: Vec<Result<Activity, Fault>> = Vec::new();
        bus.store.scan(ACTIVITIES, "", &after, |_, bytes| {
            found.push(record::from_bytes(bytes));
            if found.len() <= size { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        let mut found = found.into_iter().collect::<Result<Vec<_>, _>>()?;
        let more = found.len() > size;
        found.truncate(size);
        let list: Vec<Value> = found
            .iter()
            .map(|activity| {
                json!({
                    "activityArn": arn::of_activity(&bus.region, &activity.name),
                    "name": activity.name,
                    "creationDate": seconds(activity.created),
                })
            })
            .collect();
        let mut answer = json!({"activities": list});
        put(&mut answer, "nextToken", found.last().filter(|_| more).map(|a| page::token(question, &a.name)));
        Ok(answer)
    }

    /// Waits for a task up to a minute; an answer without a token says that there was none.
    pub(super) async fn get_activity_task(&self, input: &Value) -> Result<Value, Fault> {
        let (_, activity) = self.activity(input)?;
        let worker = validate::at_most(input, "workerName", 80)?;
        let (driver, stopping) = (self.driver.clone(), self.bus()?.stopping.clone());
        let arrived = driver.offers.arrived(&activity.name);
        let poll = async {
            loop {
                let more = arrived.notified();
                while let Some(offer) = driver.offers.pop(&activity.name) {
                    if !driver.awaits(&offer.execution, offer.ticket, &offer.token).await {
                        continue;
                    }
                    let started = What::Task(offer.ticket, Progress::Started { worker: worker.clone() });
                    // On its own: it is recorded even if the worker hangs up meanwhile.
                    let told = tokio::spawn(driver.clone().deliver(offer.execution.clone(), started));
                    return match told.await {
                        Ok(told) => {
                            told.map(|()| json!({"taskToken": offer.token, "input": offer.input.text()}))
                        }
                        Err(error) => Err(Fault::internal(format!("the task could not be started: {error}"))),
                    };
                }
                more.await;
            }
        };
        tokio::select! {
            found = poll => found,
            () = tokio::time::sleep(POLL) => Ok(json!({})),
            () = stopping.cancelled() => Ok(json!({})),
        }
    }
}
