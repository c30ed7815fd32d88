//! Tags of work groups and data catalogs, by ARN.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::operations::{decode, encode, invalid};
use crate::local::bus::{ACCOUNT, Bus};
use crate::local::fault::Fault;
use crate::local::store;

/// Keys are ARNs, values the tags.
const TAGS: store::Table = "athena.tags";

/// `arn:aws:athena:region:account:workgroup/name`
pub fn arn(bus: &Bus, kind: &str, name: &str) -> String {
    format!("arn:aws:athena:{}:{ACCOUNT}:{kind}/{name}", bus.region)
}

type Tags = BTreeMap<String, String>;

fn read(bus: &Bus, arn: &str) -> Result<Tags, Fault> {
    bus.store.get(TAGS, arn)?.map_or(Ok(Tags::new()), |bytes| decode(&bytes))
}

async fn write(bus: &Bus, arn: &str, tags: &Tags) -> Result<Value, Fault> {
    let (arn, bytes) = (arn.to_owned(), encode(tags)?);
    bus.store
        .transact(move |tx| {
            tx.put(TAGS, arn, bytes);
            Ok::<_, Fault>(json!({}))
        })
        .await
}

/// Adds tags as the API lists them: `[{"Key": …, "Value": …}]`.
pub async fn add(bus: &Bus, arn: &str, new: Vec<Value>) -> Result<Value, Fault> {
    if new.is_empty() {
        return Ok(json!({}));
    }
    let mut tags = read(bus, arn)?;
    for tag in new {
        let Some(key) = tag["Key"].as_str() else { return Err(invalid("A tag has no Key")) };
        tags.insert(key.to_owned(), tag["Value"].as_str().unwrap_or_default().to_owned());
    }
    write(bus, arn, &tags).await
}

/// Answers an operation of this file; `None` for any other.
pub async fn answer(bus: &Bus, operation: &str, value: Value) -> Option<Result<Value, Fault>> {
    let arn = value["ResourceARN"].as_str().unwrap_or_default().to_owned();
    Some(match operation {
        "TagResource" => add(bus, &arn, value["Tags"].as_array().cloned().unwrap_or_default()).await,
        "UntagResource" => match read(bus, &arn) {
            Ok(mut tags) => {
                for key in value["TagKeys"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                    tags.remove(key);
                }
                write(bus, &arn, &tags).await
            }
            Err(fault) => Err(fault),
        },
        "ListTagsForResource" => read(bus, &arn).map(|tags| {
            let all: Vec<Value> = tags.iter().map(|(k, v)| json!({ "Key": k, "Value": v })).collect();
            json!({ "Tags": all })
        }),
        _ => return None,
    })
}
