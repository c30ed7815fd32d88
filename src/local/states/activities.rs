//! Activities: tasks that workers outside fetch, work on, and answer by token.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::super::bus::Bus;
use super::super::fault::Fault;
use super::super::store::Table;
use super::driver::lock;
use super::record::{self, put, seconds};
use super::tags::{self, Tags};
use super::{States, arn, encryption, page, validate};
use crate::asl::cursor::Ticket;
use crate::asl::data::Data;
use crate::asl::failure::Failure;
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Value>,
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

pub fn no_activity(arn: &str) -> Fault {
    Fault::client("ActivityDoesNotExist", format!("Activity Does Not Exist: '{arn}'"))
}

/// Why a task cannot wait for a worker: there is no such activity.
pub fn unscheduled(bus: &Bus, arn: &str) -> Option<Failure> {
    let here = arn.split(':').nth(3) == Some(&bus.region);
    let known = arn::activity(arn).and_then(|name| Ok(here && bus.store.get(ACTIVITIES, &name)?.is_some()));
    let fault = match known {
        Ok(true) => return None,
        Ok(false) => no_activity(arn),
        Err(fault) => fault,
    };
    Some(Failure::new(fault.code, fault.message))
}

impl States {
    pub(super) async fn create_activity(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let name = validate::text(input, "name")?.to_owned();
        validate::name(&name)?;
        let arn = arn::of_activity(&bus.region, &name);
        let activity = Activity {
            name: name.clone(),
            created: bus.clock.now(),
            tags: tags::of_new(input, &arn)?,
            encryption: encryption::configuration(&input["encryptionConfiguration"])?,
        };
        let exists = format!("Activity Already Exists: '{arn}'");
        let created = bus
            .store
            .transact(move |tx| {
                if let Some(existing) = record::load_in::<Activity>(tx, ACTIVITIES, &name)? {
                    // A key is chosen once; the same request again gives the same answer.
                    return match existing.encryption == activity.encryption {
                        true => Ok::<_, Fault>(existing.created),
                        false => Err(Fault::client("ActivityAlreadyExists", exists)),
                    };
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
        let mut answer =
            json!({"activityArn": arn, "name": activity.name, "creationDate": seconds(activity.created)});
        put(&mut answer, "encryptionConfiguration", activity.encryption);
        Ok(answer)
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
        let mut found = record::list(&bus.store, ACTIVITIES, "", &after, size + 1, |_: &Activity| true)?;
        let next = page::cut(&mut found, size).map(|last| page::token(question, &last));
        let list: Vec<Value> = found
            .iter()
            .map(|(name, activity)| {
                json!({
                    "activityArn": arn::of_activity(&bus.region, name),
                    "name": name,
                    "creationDate": seconds(activity.created),
                })
            })
            .collect();
        let mut answer = json!({"activities": list});
        put(&mut answer, "nextToken", next);
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
                    let told = tokio::spawn(driver.clone().deliver(offer.execution.clone(), started).boxed());
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
