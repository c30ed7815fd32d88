//! Named queries: texts that Athena keeps for later.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::operations::{PRIMARY, decode, encode, input, invalid};
use crate::local::bus::Bus;
use crate::local::fault::Fault;
use crate::local::store;

const NAMED: store::Table = "athena.named";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    #[serde(default)]
    named_query_id: String,
    name: String,
    #[serde(default)]
    description: String,
    database: String,
    query_string: String,
    #[serde(default = "primary")]
    work_group: String,
    #[serde(default, skip_serializing)]
    client_request_token: Option<String>,
}

fn primary() -> String {
    PRIMARY.into()
}

/// Answers an operation of this file; `None` for any other.
pub async fn answer(bus: &Bus, operation: &str, value: Value) -> Option<Result<Value, Fault>> {
    let id = || value["NamedQueryId"].as_str().unwrap_or_default().to_owned();
    Some(match operation {
        "CreateNamedQuery" => create(bus, value).await,
        "GetNamedQuery" => get(bus, &id()).map(|named| json!({ "NamedQuery": named })),
        "BatchGetNamedQuery" => batch(bus, &value),
        "ListNamedQueries" => list(bus, &value),
        "UpdateNamedQuery" => update(bus, &id(), &value).await,
        "DeleteNamedQuery" => delete(bus, id()).await,
        _ => return None,
    })
}

async fn create(bus: &Bus, value: Value) -> Result<Value, Fault> {
    let mut named: Named = input(value)?;
    if named.name.is_empty() || named.query_string.trim().is_empty() {
        return Err(invalid("Name and QueryString must not be empty"));
    }
    super::workgroups::known(bus, &named.work_group)?;
    // A token makes the same id, so that a repeated request finds its own query.
    named.named_query_id = match &named.client_request_token {
        Some(token) => {
            use sha2::{Digest, Sha256};
            let digest = Sha256::digest(token.as_bytes());
            let bytes: [u8; 16] = std::array::from_fn(|n| digest[n]);
            uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
        }
        None => uuid::Uuid::new_v4().to_string(),
    };
    let (id, encoded) = (named.named_query_id.clone(), encode(&named)?);
    let key = id.clone();
    bus.store
        .transact(move |tx| {
            tx.put(NAMED, key, encoded);
            Ok::<_, Fault>(())
        })
        .await?;
    Ok(json!({ "NamedQueryId": id }))
}

async fn update(bus: &Bus, id: &str, value: &Value) -> Result<Value, Fault> {
    let mut named = get(bus, id)?;
    let take = |member: &str, into: &mut String| {
        if let Some(text) = value[member].as_str() {
            *into = text.to_owned();
        }
    };
    take("Name", &mut named.name);
    take("Description", &mut named.description);
    take("QueryString", &mut named.query_string);
    let (id, encoded) = (id.to_owned(), encode(&named)?);
    bus.store
        .transact(move |tx| {
            tx.put(NAMED, id, encoded);
            Ok::<_, Fault>(json!({}))
        })
        .await
}

fn get(bus: &Bus, id: &str) -> Result<Named, Fault> {
    match bus.store.get(NAMED, id)? {
        Some(bytes) => decode(&bytes),
        None => Err(invalid(format!("NamedQuery {id} was not found"))),
    }
}

fn batch(bus: &Bus, value: &Value) -> Result<Value, Fault> {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for id in value["NamedQueryIds"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        match get(bus, id) {
            Ok(named) => found.push(json!(named)),
            Err(fault) if fault.status == 400 => {
                missing.push(json!({ "NamedQueryId": id, "ErrorMessage": fault.message }));
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(json!({ "NamedQueries": found, "UnprocessedNamedQueryIds": missing }))
}

fn list(bus: &Bus, value: &Value) -> Result<Value, Fault> {
    let most = super::lookup::most(value["MaxResults"].as_u64())?;
    let workgroup = value["WorkGroup"].as_str().unwrap_or(PRIMARY);
    super::workgroups::known(bus, workgroup)?;
    let (mut ids, mut more) = (Vec::new(), false);
    bus.store.scan(NAMED, "", value["NextToken"].as_str().unwrap_or_default(), |id, bytes| {
        if decode::<Named>(bytes).is_ok_and(|named| named.work_group != workgroup) {
            return ControlFlow::Continue(());
        }
        if ids.len() == most {
            more = true;
            return ControlFlow::Break(());
        }
        ids.push(id.to_owned());
        ControlFlow::Continue(())
    })?;
    let mut answer = json!({ "NamedQueryIds": ids });
    if more {
        answer["NextToken"] = json!(ids.last());
    }
    Ok(answer)
}

async fn delete(bus: &Bus, id: String) -> Result<Value, Fault> {
    bus.store
        .transact(move |tx| {
            tx.delete(NAMED, id);
            Ok::<_, Fault>(json!({}))
        })
        .await
}
