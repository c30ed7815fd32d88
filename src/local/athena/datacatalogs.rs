//! Data catalogs: the account's own, and others that are only kept by name.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::operations::{CATALOG, decode, encode, input, invalid};
use super::tags;
use crate::local::bus::Bus;
use crate::local::fault::Fault;
use crate::local::store;

const CATALOGS: store::Table = "athena.catalogs";

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DataCatalog {
    name: String,
    /// `GLUE`, `LAMBDA`, `HIVE` or `FEDERATED`.
    r#type: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    parameters: Map<String, Value>,
    #[serde(default, skip_serializing)]
    tags: Vec<Value>,
}

fn own() -> DataCatalog {
    DataCatalog {
        name: CATALOG.into(),
        r#type: "GLUE".into(),
        description: String::new(),
        parameters: Map::new(),
        tags: Vec::new(),
    }
}

/// Answers an operation of this file; `None` for any other.
pub async fn answer(bus: &Bus, operation: &str, value: Value) -> Option<Result<Value, Fault>> {
    let name = value["Name"].as_str().unwrap_or_default().to_owned();
    Some(match operation {
        "ListDataCatalogs" => list(bus, &value),
        "GetDataCatalog" => find(bus, &name).map(|catalog| json!({ "DataCatalog": catalog })),
        "CreateDataCatalog" => create(bus, value).await,
        "UpdateDataCatalog" => update(bus, &name, &value).await,
        "DeleteDataCatalog" => delete(bus, name).await,
        _ => return None,
    })
}

fn find(bus: &Bus, name: &str) -> Result<DataCatalog, Fault> {
    if name.eq_ignore_ascii_case(CATALOG) {
        return Ok(own());
    }
    match bus.store.get(CATALOGS, name)? {
        Some(bytes) => decode(&bytes),
        None => Err(invalid(format!("DataCatalog {name} was not found"))),
    }
}

fn list(bus: &Bus, value: &Value) -> Result<Value, Fault> {
    let mut all = vec![own()];
    bus.store.scan(CATALOGS, "", "", |_, bytes| {
        all.extend(decode::<DataCatalog>(bytes).ok());
        ControlFlow::Continue(())
    })?;
    let shown: Vec<Value> = all.iter().map(|c| json!({ "CatalogName": c.name, "Type": c.r#type })).collect();
    super::lookup::page(&shown, value, "DataCatalogsSummary")
}

async fn put(bus: &Bus, catalog: DataCatalog) -> Result<Value, Fault> {
    let bytes = encode(&catalog)?;
    bus.store
        .transact(move |tx| {
            tx.put(CATALOGS, catalog.name, bytes);
            Ok::<_, Fault>(json!({}))
        })
        .await
}

async fn create(bus: &Bus, value: Value) -> Result<Value, Fault> {
    let mut catalog: DataCatalog = input(value)?;
    if catalog.name.is_empty() || find(bus, &catalog.name).is_ok() {
        return Err(invalid(format!("DataCatalog {} has already been created", catalog.name)));
    }
    let new = std::mem::take(&mut catalog.tags);
    tags::add(bus, &tags::arn(bus, "datacatalog", &catalog.name), new).await?;
    put(bus, catalog).await
}

async fn update(bus: &Bus, name: &str, value: &Value) -> Result<Value, Fault> {
    let mut catalog = find(bus, name)?;
    if catalog.name == CATALOG {
        return Err(invalid(format!("DataCatalog {CATALOG} cannot be changed")));
    }
    if let Some(kind) = value["Type"].as_str() {
        catalog.r#type = kind.to_owned();
    }
    if let Some(description) = value["Description"].as_str() {
        catalog.description = description.to_owned();
    }
    if let Some(parameters) = value["Parameters"].as_object() {
        catalog.parameters = parameters.clone();
    }
    put(bus, catalog).await
}

async fn delete(bus: &Bus, name: String) -> Result<Value, Fault> {
    let catalog = find(bus, &name)?;
    if catalog.name == CATALOG {
        return Err(invalid(format!("DataCatalog {CATALOG} cannot be deleted")));
    }
    bus.store
        .transact(move |tx| {
            tx.delete(CATALOGS, name);
            Ok::<_, Fault>(json!({}))
        })
        .await
}
