//! Simple Notification Service: topics, subscriptions and what was published.
//!
//! Nothing leaves the machine: a published message is kept in the store and appears as a line of the
//! log group `sns/<region>/<account>/<topic>`, where SNS puts its delivery logs.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Weak};

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::bus::{ACCOUNT, Bus, Service};
use super::clock::Clock;
use super::fault::Fault;
use super::store::{Store, Table};

/// topic name -> [`Topic`]
const TOPICS: Table = "sns.topics";
/// subscription ARN -> [`Subscription`]
const SUBSCRIPTIONS: Table = "sns.subscriptions";
/// `topic \0 number` -> the message, the newest [`KEPT`] of a topic
const MESSAGES: Table = "sns.messages";

const KEPT: u64 = 1_000;
const PAGE: usize = 100;
/// What Publish accepts, in bytes.
const LARGEST: usize = 262_144;

#[derive(Clone, Default, Serialize, Deserialize)]
struct Topic {
    attributes: BTreeMap<String, String>,
    published: u64,
}

#[derive(Clone, Serialize, Deserialize)]
struct Subscription {
    topic: String,
    protocol: String,
    endpoint: String,
}

pub struct Sns {
    store: Store,
    clock: Clock,
    region: String,
    bus: Weak<Bus>,
}

impl Sns {
    pub fn new(bus: &Arc<Bus>) -> Arc<Sns> {
        Arc::new(Sns {
            store: bus.store.clone(),
            clock: bus.clock.clone(),
            region: bus.region.clone(),
            bus: Arc::downgrade(bus),
        })
    }

    fn arn(&self, topic: &str) -> String {
        format!("arn:aws:sns:{}:{ACCOUNT}:{topic}", self.region)
    }

    /// The name in a topic's ARN.
    fn topic(&self, input: &Value, member: &str) -> Result<String, Fault> {
        let arn = text(input, member)?;
        arn.strip_prefix(&self.arn("")).map(str::to_owned).ok_or_else(|| match arn.starts_with("arn:") {
            true => no_topic(),
            false => invalid(format!("Invalid parameter: {member} Reason: {arn} is not a topic's ARN")),
        })
    }

    async fn create_topic(&self, input: &Value) -> Result<Value, Fault> {
        let name = text(input, "Name")?.to_owned();
        let stem = name.strip_suffix(".fifo").unwrap_or(&name);
        let known = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if stem.is_empty() || name.len() > 256 || !stem.chars().all(known) {
            return Err(invalid("Invalid parameter: Topic Name"));
        }
        let attributes = texts(&input["Attributes"]);
        let arn = self.arn(&name);
        self.store
            .transact(move |tx| {
                // Creating a topic that is there answers its ARN.
                if tx.get(TOPICS, &name)?.is_none() {
                    tx.put(TOPICS, name, bytes(&Topic { attributes, published: 0 })?);
                }
                Ok::<(), Fault>(())
            })
            .await?;
        Ok(json!({ "TopicArn": arn }))
    }

    async fn delete_topic(&self, input: &Value) -> Result<Value, Fault> {
        let name = self.topic(input, "TopicArn")?;
        self.store
            .transact(move |tx| {
                for (key, _) in tx.scan(MESSAGES, &format!("{name}\0"))? {
                    tx.delete(MESSAGES, key);
                }
                for (key, value) in tx.scan(SUBSCRIPTIONS, "")? {
                    if read::<Subscription>(&value)?.topic == name {
                        tx.delete(SUBSCRIPTIONS, key);
                    }
                }
                tx.delete(TOPICS, name);
                Ok::<(), Fault>(())
            })
            .await?;
        Ok(json!({}))
    }

    fn list_topics(&self, input: &Value) -> Result<Value, Fault> {
        let mut names = Vec::new();
        self.store.scan(TOPICS, "", input["NextToken"].as_str().unwrap_or(""), |name, _| {
            names.push(name.to_owned());
            if names.len() > PAGE { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        let more = names.len() > PAGE;
        names.truncate(PAGE);
        let topics: Vec<Value> = names.iter().map(|name| json!({ "TopicArn": self.arn(name) })).collect();
        let mut answer = json!({ "Topics": topics });
        if more && let Some(last) = names.last() {
            answer["NextToken"] = last.as_str().into();
        }
        Ok(answer)
    }

    fn get_topic_attributes(&self, input: &Value) -> Result<Value, Fault> {
        let name = self.topic(input, "TopicArn")?;
        let topic: Topic = read(&self.store.get(TOPICS, &name)?.ok_or_else(no_topic)?)?;
        let confirmed = self.subscriptions(Some(&name))?.len();
        let mut attributes = topic.attributes;
        attributes.entry("DisplayName".into()).or_default();
        let own = [
            ("TopicArn", self.arn(&name)),
            ("Owner", ACCOUNT.to_owned()),
            ("SubscriptionsConfirmed", confirmed.to_string()),
            ("SubscriptionsPending", "0".into()),
            ("SubscriptionsDeleted", "0".into()),
        ];
        attributes.extend(own.map(|(name, value)| (name.to_owned(), value)));
        Ok(json!({ "Attributes": attributes }))
    }

    async fn set_topic_attributes(&self, input: &Value) -> Result<Value, Fault> {
        let name = self.topic(input, "TopicArn")?;
        let attribute = text(input, "AttributeName")?.to_owned();
        let value = input["AttributeValue"].as_str().unwrap_or("").to_owned();
        self.store
            .transact(move |tx| {
                let mut topic: Topic = read(&tx.get(TOPICS, &name)?.ok_or_else(no_topic)?)?;
                topic.attributes.insert(attribute, value);
                tx.put(TOPICS, name, bytes(&topic)?);
                Ok::<(), Fault>(())
            })
            .await?;
        Ok(json!({}))
    }

    async fn subscribe(&self, input: &Value) -> Result<Value, Fault> {
        let topic = self.topic(input, "TopicArn")?;
        let protocol = text(input, "Protocol")?.to_owned();
        let endpoint = input["Endpoint"].as_str().unwrap_or("").to_owned();
        let arn = format!("{}:{}", self.arn(&topic), Uuid::new_v4());
        let fresh = arn.clone();
        let subscription = Subscription { topic, protocol, endpoint };
        let arn = self
            .store
            .transact(move |tx| {
                tx.get(TOPICS, &subscription.topic)?.ok_or_else(no_topic)?;
                for (arn, value) in tx.scan(SUBSCRIPTIONS, "")? {
                    let known: Subscription = read(&value)?;
                    // Subscribing twice answers the subscription that is there.
                    if (&known.topic, &known.protocol, &known.endpoint)
                        == (&subscription.topic, &subscription.protocol, &subscription.endpoint)
                    {
                        return Ok(arn);
                    }
                }
                tx.put(SUBSCRIPTIONS, arn, bytes(&subscription)?);
                Ok::<String, Fault>(fresh)
            })
            .await?;
        Ok(json!({ "SubscriptionArn": arn }))
    }

    async fn unsubscribe(&self, input: &Value) -> Result<Value, Fault> {
        let arn = text(input, "SubscriptionArn")?.to_owned();
        self.store
            .transact(move |tx| {
                tx.delete(SUBSCRIPTIONS, arn);
                Ok::<(), Fault>(())
            })
            .await?;
        Ok(json!({}))
    }

    fn subscriptions(&self, topic: Option<&str>) -> Result<Vec<(String, Subscription)>, Fault> {
        let mut found = Vec::new();
        self.store.scan(SUBSCRIPTIONS, "", "", |arn, value| {
            if let Ok(subscription) = read::<Subscription>(value)
                && topic.is_none_or(|topic| subscription.topic == topic)
            {
                found.push((arn.to_owned(), subscription));
            }
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    fn list_subscriptions(&self, topic: Option<&str>) -> Result<Value, Fault> {
        let subscriptions: Vec<Value> = self
            .subscriptions(topic)?
            .into_iter()
            .map(|(arn, subscription)| {
                json!({
                    "SubscriptionArn": arn,
                    "Owner": ACCOUNT,
                    "Protocol": subscription.protocol,
                    "Endpoint": subscription.endpoint,
                    "TopicArn": self.arn(&subscription.topic),
                })
            })
            .collect();
        Ok(json!({ "Subscriptions": subscriptions }))
    }

    async fn publish(&self, input: &Value) -> Result<Value, Fault> {
        let member =
            if input.get("TargetArn").is_some_and(Value::is_string) { "TargetArn" } else { "TopicArn" };
        let name = self.topic(input, member)?;
        let message = input["Message"].as_str().unwrap_or("");
        if message.is_empty() {
            return Err(invalid("Invalid parameter: Empty message"));
        }
        if message.len() > LARGEST {
            return Err(invalid("Invalid parameter: Message too long"));
        }
        let subject = input["Subject"].as_str();
        if subject.is_some_and(|s| s.is_empty() || s.chars().count() > 100 || s.contains(char::is_control)) {
            return Err(invalid("Invalid parameter: Subject"));
        }
        let at = self.clock.now();
        let id = Uuid::new_v4().to_string();
        let mut notification = json!({
            "messageId": id,
            "topicArn": self.arn(&name),
            "timestamp": at.format("%Y-%m-%d %H:%M:%S%.3f").to_string(),
            "message": message,
        });
        if let Some(subject) = subject {
            notification["subject"] = subject.into();
        }
        let kept = notification.clone();
        let topic = name.clone();
        self.store
            .transact(move |tx| {
                let mut record: Topic = read(&tx.get(TOPICS, &topic)?.ok_or_else(no_topic)?)?;
                record.published += 1;
                let key = |number: u64| format!("{topic}\0{number:012}");
                tx.put(MESSAGES, key(record.published), bytes(&kept)?);
                if let Some(old) = record.published.checked_sub(KEPT) {
                    tx.delete(MESSAGES, key(old));
                }
                tx.put(TOPICS, topic.as_str(), bytes(&record)?);
                Ok::<(), Fault>(())
            })
            .await?;
        let group = format!("sns/{}/{ACCOUNT}/{name}", self.region);
        let stream = at.format("%Y/%m/%d").to_string();
        let line = json!({
            "notification": notification,
            "delivery": { "destination": "kept by the local cloud", "attempts": 1, "statusCode": 200 },
            "status": "SUCCESS",
        });
        // The message is published and kept; a log that fails must not make the caller repeat it.
        if let Err(fault) = self.log(&group, &stream, at.timestamp_millis(), &line).await {
            tracing::warn!(topic = name, %fault, "a notification could not be logged");
        }
        Ok(json!({ "MessageId": id }))
    }

    async fn log(&self, group: &str, stream: &str, at: i64, line: &Value) -> Result<(), Fault> {
        let Some(bus) = self.bus.upgrade() else { return Ok(()) };
        let put = json!({
            "logGroupName": group,
            "logStreamName": stream,
            "logEvents": [{ "timestamp": at, "message": line.to_string() }],
        });
        let Err(fault) = bus.call("logs", "PutLogEvents", put.clone()).await else { return Ok(()) };
        if fault.code != "ResourceNotFoundException" {
            return Err(fault);
        }
        // The first notification of the topic or the day; another one may create them at once.
        let place = json!({ "logGroupName": group, "logStreamName": stream });
        for operation in ["CreateLogGroup", "CreateLogStream"] {
            match bus.call("logs", operation, place.clone()).await {
                Err(fault) if fault.code != "ResourceAlreadyExistsException" => return Err(fault),
                _ => {}
            }
        }
        bus.call("logs", "PutLogEvents", put).await.map(drop)
    }
}

impl Service for Sns {
    fn name(&self) -> &'static str {
        "sns"
    }

    fn call<'a>(&'a self, operation: &'a str, input: Value) -> BoxFuture<'a, Result<Value, Fault>> {
        Box::pin(async move {
            match operation {
                "CreateTopic" => self.create_topic(&input).await,
                "DeleteTopic" => self.delete_topic(&input).await,
                "ListTopics" => self.list_topics(&input),
                "GetTopicAttributes" => self.get_topic_attributes(&input),
                "SetTopicAttributes" => self.set_topic_attributes(&input).await,
                "Subscribe" => self.subscribe(&input).await,
                "Unsubscribe" => self.unsubscribe(&input).await,
                "ListSubscriptions" => self.list_subscriptions(None),
                "ListSubscriptionsByTopic" => self.list_subscriptions(Some(&self.topic(&input, "TopicArn")?)),
                "Publish" => self.publish(&input).await,
                other => Err(Fault::client(
                    "InvalidAction",
                    format!("The local cloud's SNS has no operation {other}."),
                )),
            }
        })
    }
}

fn text<'a>(input: &'a Value, member: &str) -> Result<&'a str, Fault> {
    input[member].as_str().ok_or_else(|| invalid(format!("Invalid parameter: {member} Reason: no value")))
}

fn texts(map: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    map.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect()
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::client("InvalidParameter", message)
}

fn no_topic() -> Fault {
    Fault::new(404, "NotFound", "Topic does not exist")
}

fn read<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(bytes).map_err(|e| Fault::internal(format!("a record of SNS is damaged: {e}")))
}

fn bytes<T: Serialize>(record: &T) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(record).map_err(|e| Fault::internal(format!("a record cannot be written: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::logs::Logs;

    #[tokio::test]
    async fn a_published_message_is_kept_and_logged() {
        let bus = Bus::new(Store::open(None).unwrap(), Clock::default(), "us-east-1");
        bus.register(Sns::new(&bus));
        bus.register(Logs::new(&bus));
        let ask = async |operation: &str, input: Value| bus.call("sns", operation, input).await;
        let created = ask("CreateTopic", json!({"Name": "alerts"})).await.unwrap();
        assert_eq!(created["TopicArn"], "arn:aws:sns:us-east-1:000000000000:alerts");
        assert_eq!(ask("CreateTopic", json!({"Name": "alerts"})).await.unwrap(), created);
        for number in 1..=2 {
            let input = json!({"TopicArn": created["TopicArn"], "Subject": "failed", "Message": format!("no {number}")});
            assert!(ask("Publish", input).await.unwrap()["MessageId"].is_string());
        }
        let group = json!({"logGroupName": "sns/us-east-1/000000000000/alerts", "filterPattern": "{ $.status = SUCCESS }"});
        let lines = bus.call("logs", "FilterLogEvents", group).await.unwrap();
        let line: Value = serde_json::from_str(lines["events"][1]["message"].as_str().unwrap()).unwrap();
        assert_eq!(line["notification"]["subject"], "failed");
        assert_eq!(line["notification"]["message"], "no 2");
        let foreign =
            ask("Publish", json!({"TopicArn": "arn:aws:sns:us-east-1:000000000000:other", "Message": "x"}))
                .await;
        assert_eq!(foreign.unwrap_err().code, "NotFound");
    }
}
