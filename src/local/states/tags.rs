//! Tags of state machines and activities.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::super::fault::Fault;
use super::super::store::{Table, Tx};
use super::activities::{ACTIVITIES, Activity};
use super::record::{self, MACHINES, Machine};
use super::{States, arn, validate};

/// Key and value, in the order they were given.
pub type Tags = Vec<(String, String)>;

/// A resource has at most so many.
const MOST: usize = 50;

/// What can be tagged.
enum Place {
    Machine(String),
    Activity(String),
}

fn place(arn: &str) -> Result<Place, Fault> {
    match arn::read(arn)? {
        arn::Arn::Machine { name, qualifier: None } => Ok(Place::Machine(name)),
        arn::Arn::Activity(name) => Ok(Place::Activity(name)),
        _ => Err(no_resource(arn)),
    }
}

impl States {
    pub(super) async fn tag_resource(&self, input: &Value) -> Result<Value, Fault> {
        if input["tags"].is_null() {
            validate::text(input, "tags")?;
        }
        let new = read(&input["tags"])?;
        self.retag(input, move |tags| {
            for (key, value) in new {
                match tags.iter_mut().find(|(k, _)| *k == key) {
                    Some(tag) => tag.1 = value,
                    None => tags.push((key, value)),
                }
            }
        })
        .await
    }

    pub(super) async fn untag_resource(&self, input: &Value) -> Result<Value, Fault> {
        if input["tagKeys"].is_null() {
            validate::text(input, "tagKeys")?;
        }
        let keys: Vec<String> = input["tagKeys"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        self.retag(input, move |tags| tags.retain(|(key, _)| !keys.contains(key))).await
    }

    async fn retag(
        &self,
        input: &Value,
        change: impl FnOnce(&mut Tags) + Send + 'static,
    ) -> Result<Value, Fault> {
        let arn = validate::text(input, "resourceArn")?.to_owned();
        let place = place(&arn)?;
        let store = &self.bus()?.store;
        store
            .transact(move |tx| {
                let change = |tags: &mut Tags| {
                    change(tags);
                    if tags.len() > MOST { Err(too_many(&arn)) } else { Ok(()) }
                };
                match place {
                    Place::Machine(name) => {
                        alter(tx, MACHINES, name, &arn, |m: &mut Machine| change(&mut m.tags))
                    }
                    Place::Activity(name) => {
                        alter(tx, ACTIVITIES, name, &arn, |a: &mut Activity| change(&mut a.tags))
                    }
                }
            })
            .await?;
        Ok(json!({}))
    }

    pub(super) fn list_tags_for_resource(&self, input: &Value) -> Result<Value, Fault> {
        let arn = validate::text(input, "resourceArn")?;
        let store = &self.bus()?.store;
        let tags = match place(arn)? {
            Place::Machine(name) => record::load::<Machine>(store, MACHINES, &name)?.map(|m| m.tags),
            Place::Activity(name) => record::load::<Activity>(store, ACTIVITIES, &name)?.map(|a| a.tags),
        };
        Ok(json!({"tags": show(&tags.ok_or_else(|| no_resource(arn))?)}))
    }
}

fn alter<T: Serialize + DeserializeOwned>(
    tx: &mut Tx<'_>,
    table: Table,
    name: String,
    arn: &str,
    change: impl FnOnce(&mut T) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut found: T = record::load_in(tx, table, &name)?.ok_or_else(|| no_resource(arn))?;
    change(&mut found)?;
    tx.put(table, name, record::to_bytes(&found)?);
    Ok(())
}

fn no_resource(arn: &str) -> Fault {
    Fault::client("ResourceNotFound", format!("Resource not found: '{arn}'")).with("resourceName", arn)
}

fn too_many(resource: &str) -> Fault {
    let why = format!("Too many tags: '{resource}' would have more than {MOST}");
    Fault::client("TooManyTags", why).with("resourceName", resource)
}

/// The tags of something that is to be made.
pub fn of_new(input: &Value, arn: &str) -> Result<Tags, Fault> {
    let tags = read(&input["tags"])?;
    if tags.len() > MOST { Err(too_many(arn)) } else { Ok(tags) }
}

/// Tags as the API has them.
fn show(tags: &[(String, String)]) -> Value {
    tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

/// API reference, Tag: letters, digits, white space, or one of `_ . : / = + - @`.
fn is_allowed(c: char) -> bool {
    c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
}

/// Reads the API's tags; the last of a key counts.
fn read(value: &Value) -> Result<Tags, Fault> {
    let mut read: Map<String, Value> = Map::new();
    for (i, tag) in value.as_array().into_iter().flatten().enumerate() {
        let wrong = |member: &str, rule: &str| {
            let at = format!("tags.{}.member.{member}", i + 1);
            Fault::client(
                "ValidationException",
                format!("1 validation error detected: Value at '{at}' failed to satisfy constraint: {rule}"),
            )
        };
        let key = tag["key"].as_str().ok_or_else(|| wrong("key", "Member must not be null"))?;
        if key.is_empty() {
            return Err(wrong("key", "Member must have length greater than or equal to 1"));
        }
        // Reserved (AWS guide, "Tagging in Step Functions"), in any case. The guide gives no error: this one is
        // what other services of AWS answer.
        if key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
            let why = "aws: prefixed tag key names are not allowed for external use.";
            return Err(Fault::client("ValidationException", why));
        }
        let value = tag["value"].as_str().ok_or_else(|| wrong("value", "Member must not be null"))?;
        for (member, text, most) in [("key", key, 128), ("value", value, 256)] {
            if text.chars().count() > most {
                let rule = format!("Member must have length less than or equal to {most}");
                return Err(wrong(member, &rule));
            }
            if !text.chars().all(is_allowed) {
                let rule = r"Member must satisfy regular expression pattern: ^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$";
                return Err(wrong(member, rule));
            }
        }
        read.insert(key.to_owned(), value.into());
    }
    Ok(read.into_iter().map(|(k, v)| (k, v.as_str().unwrap_or_default().to_owned())).collect())
}
