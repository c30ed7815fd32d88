//! Work groups: where queries belong, and what is settled for them.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::operations::{HISTORY, PRIMARY, QUERIES, decode, encode, input, invalid};
use super::record::engine_version;
use super::tags;
use crate::local::bus::Bus;
use crate::local::fault::Fault;
use crate::local::store;

const GROUPS: store::Table = "athena.workgroups";
/// The smallest limit of bytes that Athena takes.
const SMALLEST_CUT_OFF: u64 = 10_000_000;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct WorkGroup {
    pub name: String,
    /// `ENABLED` or `DISABLED`.
    pub state: String,
    pub description: String,
    pub configuration: Configuration,
    /// Seconds since the epoch.
    pub creation_time: f64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Configuration {
    pub result_configuration: Value,
    pub enforce_work_group_configuration: bool,
    pub publish_cloud_watch_metrics_enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_scanned_cutoff_per_query: Option<u64>,
    pub requester_pays_enabled: bool,
}

impl WorkGroup {
    /// `s3://bucket/prefix/`, if the group has settled it.
    pub fn output(&self) -> Option<&str> {
        self.configuration.result_configuration["OutputLocation"].as_str()
    }

    fn shown(&self) -> Value {
        let mut shown = json!(self);
        shown["Configuration"]["EngineVersion"] = engine_version();
        if shown["Configuration"]["ResultConfiguration"].is_null() {
            shown["Configuration"]["ResultConfiguration"] = json!({});
        }
        shown
    }
}

/// The work group, or why there is none of that name.
pub fn known(bus: &Bus, name: &str) -> Result<WorkGroup, Fault> {
    match bus.store.get(GROUPS, name)? {
        Some(bytes) => decode(&bytes),
        None if name == PRIMARY => Ok(WorkGroup {
            name: PRIMARY.into(),
            state: "ENABLED".into(),
            description: String::new(),
            configuration: Configuration { result_configuration: json!({}), ..Configuration::default() },
            creation_time: 0.0,
        }),
        None => Err(invalid(format!("WorkGroup {name} is not found."))),
    }
}

/// Answers an operation of this file; `None` for any other.
pub async fn answer(bus: &Bus, operation: &str, value: Value) -> Option<Result<Value, Fault>> {
    let name = || value["WorkGroup"].as_str().unwrap_or(PRIMARY);
    Some(match operation {
        "GetWorkGroup" => known(bus, name()).map(|group| json!({ "WorkGroup": group.shown() })),
        "ListWorkGroups" => list(bus, &value),
        "CreateWorkGroup" => create(bus, value).await,
        "UpdateWorkGroup" => update(bus, value).await,
        "DeleteWorkGroup" => delete(bus, value).await,
        _ => return None,
    })
}

fn list(bus: &Bus, value: &Value) -> Result<Value, Fault> {
    let mut all = Vec::new();
    bus.store.scan(GROUPS, "", "", |_, bytes| {
        all.extend(decode::<WorkGroup>(bytes).ok());
        ControlFlow::Continue(())
    })?;
    if !all.iter().any(|group| group.name == PRIMARY) {
        all.push(known(bus, PRIMARY)?);
        all.sort_by(|a, b| a.name.cmp(&b.name));
    }
    let shown: Vec<Value> = all
        .iter()
        .map(|group| {
            json!({
                "Name": group.name,
                "State": group.state,
                "Description": group.description,
                "CreationTime": group.creation_time,
                "EngineVersion": engine_version(),
            })
        })
        .collect();
    super::lookup::page(&shown, value, "WorkGroups")
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    name: String,
    #[serde(default)]
    configuration: Value,
    #[serde(default)]
    description: String,
    #[serde(default)]
    tags: Vec<Value>,
}

async fn create(bus: &Bus, value: Value) -> Result<Value, Fault> {
    let create: Create = input(value)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if create.name.is_empty() || create.name.len() > 128 || !create.name.chars().all(fits) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{}' at 'name' failed to satisfy constraint: Member must satisfy regular \
             expression pattern: [a-zA-Z0-9._-]{{1,128}}",
            create.name
        )));
    }
    // A new group enforces its settings unless it says otherwise.
    let mut configuration = Configuration {
        result_configuration: json!({}),
        enforce_work_group_configuration: true,
        publish_cloud_watch_metrics_enabled: true,
        ..Configuration::default()
    };
    merge(&mut configuration, &create.configuration, "ResultConfiguration")?;
    let group = WorkGroup {
        name: create.name,
        state: "ENABLED".into(),
        description: create.description,
        configuration,
        creation_time: bus.clock.now().timestamp_millis() as f64 / 1000.0,
    };
    let (name, bytes) = (group.name.clone(), encode(&group)?);
    let arn = tags::arn(bus, "workgroup", &name);
    bus.store
        .transact(move |tx| {
            if name == PRIMARY || tx.get(GROUPS, &name)?.is_some() {
                return Err(invalid("WorkGroup is already created"));
            }
            tx.put(GROUPS, name, bytes);
            Ok(())
        })
        .await?;
    tags::add(bus, &arn, create.tags).await
}

/// Takes over what an input says of a configuration; its `results` member holds the locations.
fn merge(into: &mut Configuration, from: &Value, results: &str) -> Result<(), Fault> {
    let flag = |name: &str, flag: &mut bool| *flag = from[name].as_bool().unwrap_or(*flag);
    flag("EnforceWorkGroupConfiguration", &mut into.enforce_work_group_configuration);
    flag("PublishCloudWatchMetricsEnabled", &mut into.publish_cloud_watch_metrics_enabled);
    flag("RequesterPaysEnabled", &mut into.requester_pays_enabled);
    if let Some(limit) = from["BytesScannedCutoffPerQuery"].as_u64() {
        if limit < SMALLEST_CUT_OFF {
            return Err(invalid(format!(
                "1 validation error detected: Value '{limit}' at 'bytesScannedCutoffPerQuery' failed to satisfy constraint: \
                 Member must have value greater than or equal to {SMALLEST_CUT_OFF}"
            )));
        }
        into.bytes_scanned_cutoff_per_query = Some(limit);
    }
    if from["RemoveBytesScannedCutoffPerQuery"] == true {
        into.bytes_scanned_cutoff_per_query = None;
    }
    let Some(new) = from[results].as_object() else { return Ok(()) };
    if let Some(location) = new.get("OutputLocation").and_then(Value::as_str)
        && super::ddl::location(location).is_none()
    {
        return Err(invalid(format!("outputLocation is not a valid S3 path: {location}")));
    }
    if !into.result_configuration.is_object() {
        into.result_configuration = json!({});
    }
    for (key, value) in new {
        match key.strip_prefix("Remove") {
            Some(removed) if value == true => {
                if let Some(all) = into.result_configuration.as_object_mut() {
                    all.remove(removed);
                }
            }
            Some(_) => {}
            None => into.result_configuration[key] = value.clone(),
        }
    }
    Ok(())
}

async fn update(bus: &Bus, value: Value) -> Result<Value, Fault> {
    let mut group = known(bus, value["WorkGroup"].as_str().unwrap_or_default())?;
    if let Some(description) = value["Description"].as_str() {
        group.description = description.to_owned();
    }
    if let Some(state @ ("ENABLED" | "DISABLED")) = value["State"].as_str() {
        group.state = state.to_owned();
    }
    merge(&mut group.configuration, &value["ConfigurationUpdates"], "ResultConfigurationUpdates")?;
    let bytes = encode(&group)?;
    bus.store
        .transact(move |tx| {
            tx.put(GROUPS, group.name, bytes);
            Ok::<_, Fault>(json!({}))
        })
        .await
}

async fn delete(bus: &Bus, value: Value) -> Result<Value, Fault> {
    let name = value["WorkGroup"].as_str().unwrap_or_default().to_owned();
    if name == PRIMARY {
        return Err(invalid("WorkGroup primary can not be deleted"));
    }
    known(bus, &name)?;
    let recursive = value["RecursiveDeleteOption"] == true;
    bus.store
        .transact(move |tx| {
            let history = tx.scan(HISTORY, &format!("{name}/"))?;
            if !history.is_empty() && !recursive {
                return Err(invalid(format!("WorkGroup {name} is not empty")));
            }
            for (key, id) in history {
                tx.delete(QUERIES, String::from_utf8_lossy(&id).into_owned());
                tx.delete(HISTORY, key);
            }
            tx.delete(GROUPS, name);
            Ok(json!({}))
        })
        .await
}
