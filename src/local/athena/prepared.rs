//! Prepared statements: kept by work group and name, made by SQL or by the API.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::lookup::most;
use super::operations::{decode, encode, input, invalid};
use super::workgroups;
use crate::local::bus::Bus;
use crate::local::fault::Fault;
use crate::local::store;

/// Keys are `work group/name`.
const PREPARED: store::Table = "athena.prepared";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Prepared {
    pub statement_name: String,
    pub query_statement: String,
    #[serde(alias = "WorkGroup")]
    pub work_group_name: String,
    #[serde(default)]
    pub description: String,
    /// Seconds since the epoch.
    #[serde(default)]
    pub last_modified_time: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    statement_name: String,
    work_group: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Several {
    prepared_statement_names: Vec<String>,
    work_group: String,
}

fn missing(workgroup: &str, name: &str) -> Fault {
    Fault::client(
        "ResourceNotFoundException",
        format!("PreparedStatement {name} was not found in workGroup {workgroup}"),
    )
    .with("ResourceName", name)
}

fn key(workgroup: &str, name: &str) -> String {
    format!("{workgroup}/{}", name.to_lowercase())
}

/// The statement of that name, if there is one.
pub fn find(bus: &Bus, workgroup: &str, name: &str) -> Result<Option<Prepared>, Fault> {
    bus.store.get(PREPARED, &key(workgroup, name))?.map(|bytes| decode(&bytes)).transpose()
}

/// Keeps a statement. `replace`: `Some(true)` only over one that is there, `Some(false)` never.
pub async fn put(bus: &Bus, mut prepared: Prepared, replace: Option<bool>) -> Result<Value, Fault> {
    prepared.last_modified_time = bus.clock.now().timestamp_millis() as f64 / 1000.0;
    let (key, bytes) = (key(&prepared.work_group_name, &prepared.statement_name), encode(&prepared)?);
    let (workgroup, name) = (prepared.work_group_name, prepared.statement_name);
    bus.store
        .transact(move |tx| {
            match (replace, tx.get(PREPARED, &key)?.is_some()) {
                (Some(false), true) => {
                    return Err(invalid(format!(
                        "PreparedStatement {name} already exists in WorkGroup {workgroup}"
                    )));
                }
                (Some(true), false) => return Err(missing(&workgroup, &name)),
                _ => tx.put(PREPARED, key, bytes),
            }
            Ok(json!({}))
        })
        .await
}

/// Forgets a statement; `ResourceNotFoundException` when there is none.
pub async fn delete(bus: &Bus, workgroup: String, name: String) -> Result<Value, Fault> {
    bus.store
        .transact(move |tx| {
            let key = key(&workgroup, &name);
            if tx.get(PREPARED, &key)?.is_none() {
                return Err(missing(&workgroup, &name));
            }
            tx.delete(PREPARED, key);
            Ok(json!({}))
        })
        .await
}

/// Answers an operation of this file; `None` for any other.
pub async fn answer(bus: &Bus, operation: &str, value: Value) -> Option<Result<Value, Fault>> {
    Some(match operation {
        "CreatePreparedStatement" => change(bus, value, false).await,
        "UpdatePreparedStatement" => change(bus, value, true).await,
        "GetPreparedStatement" => get(bus, value),
        "BatchGetPreparedStatement" => batch(bus, value),
        "ListPreparedStatements" => list(bus, &value),
        "DeletePreparedStatement" => match input::<Named>(value) {
            Ok(named) => delete(bus, named.work_group, named.statement_name).await,
            Err(fault) => Err(fault),
        },
        _ => return None,
    })
}

async fn change(bus: &Bus, value: Value, replace: bool) -> Result<Value, Fault> {
    let prepared: Prepared = input(value)?;
    workgroups::known(bus, &prepared.work_group_name)?;
    if prepared.query_statement.trim().is_empty() || prepared.statement_name.is_empty() {
        return Err(invalid("StatementName and QueryStatement must not be empty"));
    }
    named(&prepared.statement_name)?;
    put(bus, prepared, Some(replace)).await
}

/// The API's pattern of names: `[a-zA-Z_][a-zA-Z0-9_@:]{1,256}`.
fn named(name: &str) -> Result<(), Fault> {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let other = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '@' | ':');
    if name.starts_with(first) && name.chars().all(other) && name.len() <= 256 {
        return Ok(());
    }
    Err(invalid(format!(
        "1 validation error detected: Value '{name}' at 'statementName' failed to satisfy constraint: Member must \
         satisfy regular expression pattern: [a-zA-Z_][a-zA-Z0-9_@:]{{1,256}}"
    )))
}

fn get(bus: &Bus, value: Value) -> Result<Value, Fault> {
    let named: Named = input(value)?;
    workgroups::known(bus, &named.work_group)?;
    match find(bus, &named.work_group, &named.statement_name)? {
        Some(prepared) => Ok(json!({ "PreparedStatement": prepared })),
        None => Err(missing(&named.work_group, &named.statement_name)),
    }
}

fn batch(bus: &Bus, value: Value) -> Result<Value, Fault> {
    let several: Several = input(value)?;
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    for name in several.prepared_statement_names {
        match find(bus, &several.work_group, &name)? {
            Some(prepared) => found.push(prepared),
            None => unknown.push(json!({
                "StatementName": name,
                "ErrorCode": "STATEMENT_NOT_FOUND",
                "ErrorMessage": missing(&several.work_group, &name).message,
            })),
        }
    }
    Ok(json!({ "PreparedStatements": found, "UnprocessedPreparedStatementNames": unknown }))
}

fn list(bus: &Bus, value: &Value) -> Result<Value, Fault> {
    let workgroup = value["WorkGroup"].as_str().unwrap_or_default();
    workgroups::known(bus, workgroup)?;
    let most = most(value["MaxResults"].as_u64())?;
    let prefix = format!("{workgroup}/");
    let after = value["NextToken"].as_str().map(|t| format!("{prefix}{t}")).unwrap_or_default();
    let (mut found, mut last, mut more) = (Vec::new(), String::new(), false);
    bus.store.scan(PREPARED, &prefix, &after, |key, bytes| {
        if found.len() == most {
            more = true;
            return ControlFlow::Break(());
        }
        if let Ok(prepared) = decode::<Prepared>(bytes) {
            found.push(json!({
                "StatementName": prepared.statement_name,
                "LastModifiedTime": prepared.last_modified_time,
            }));
        }
        last = key[prefix.len()..].to_owned();
        ControlFlow::Continue(())
    })?;
    let mut answer = json!({ "PreparedStatements": found });
    if more {
        answer["NextToken"] = json!(last);
    }
    Ok(answer)
}
