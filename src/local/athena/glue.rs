//! The catalog as Glue has it, for clients of Athena that ask Glue: databases and tables are listed, and a
//! table is taken away. <https://docs.aws.amazon.com/glue/latest/webapi/API_DeleteTable.html>

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::catalog::{Catalog, Column, Database, Table};
use super::hive;
use crate::local::bus::{Bus, Service};
use crate::local::fault::Fault;

/// The service.
pub struct Glue {
    catalog: Catalog,
}

fn missing(what: &str, name: &str) -> Fault {
    Fault::client("EntityNotFoundException", format!("{what} {name} not found."))
}

fn text(input: &Value, name: &str) -> Result<String, Fault> {
    let given = input[name].as_str().filter(|text| !text.is_empty());
    given
        .map(str::to_lowercase)
        .ok_or_else(|| Fault::client("InvalidInputException", format!("{name} is missing")))
}

impl Glue {
    pub fn new(bus: &Arc<Bus>) -> Arc<Glue> {
        Arc::new(Glue { catalog: Catalog::new(bus.store.clone()) })
    }

    fn database(&self, name: &str) -> Result<Database, Fault> {
        self.catalog.database(name)?.ok_or_else(|| missing("Database", name))
    }

    async fn dispatch(&self, operation: &str, input: Value) -> Result<Value, Fault> {
        match operation {
            "GetDatabase" => Ok(json!({ "Database": database(&self.database(&text(&input, "Name")?)?) })),
            "GetDatabases" => {
                let all: Vec<Value> = self.catalog.databases()?.iter().map(database).collect();
                page(&all, &input, "DatabaseList")
            }
            "GetTable" => {
                let (of, name) = (text(&input, "DatabaseName")?, text(&input, "Name")?);
                self.database(&of)?;
                let found = self.catalog.table(&of, &name)?.ok_or_else(|| missing("Table", &name))?;
                Ok(json!({ "Table": table(&found) }))
            }
            "GetTables" => {
                let of = self.database(&text(&input, "DatabaseName")?)?;
                let wanted = input["Expression"].as_str().filter(|e| !e.is_empty());
                let tables = self.catalog.tables(&of.name)?;
                let fits = |t: &&Table| wanted.is_none_or(|pattern| hive::matches(pattern, &t.name));
                page(&tables.iter().filter(fits).map(table).collect::<Vec<_>>(), &input, "TableList")
            }
            "DeleteTable" => {
                let (of, name) = (text(&input, "DatabaseName")?, text(&input, "Name")?);
                self.database(&of)?;
                let dropped = self.catalog.drop_table(&of, &name).await?;
                if dropped { Ok(json!({})) } else { Err(missing("Table", &name)) }
            }
            other => {
                let text = format!("the local cloud's Glue has no operation {other}");
                Err(Fault::client("UnknownOperationException", text))
            }
        }
    }
}

/// One page; the token is the number of those before it.
fn page(all: &[Value], input: &Value, name: &str) -> Result<Value, Fault> {
    let invalid = |what: &str| Fault::client("InvalidInputException", format!("{what} is invalid"));
    let from: usize = match input["NextToken"].as_str().filter(|token| !token.is_empty()) {
        Some(token) => token.parse().map_err(|_| invalid("NextToken"))?,
        None => 0,
    };
    let most = match input["MaxResults"].as_u64() {
        None => 100,
        Some(most @ 1..=100) => most as usize,
        Some(_) => return Err(invalid("MaxResults")),
    };
    let rest = all.get(from..).unwrap_or_default();
    let mut answer = json!({ name: rest.iter().take(most).collect::<Vec<_>>() });
    if rest.len() > most {
        answer["NextToken"] = json!((from + most).to_string());
    }
    Ok(answer)
}

fn pairs(of: &[(String, String)]) -> Map<String, Value> {
    of.iter().map(|(key, value)| (key.clone(), json!(value))).collect()
}

fn database(of: &Database) -> Value {
    let mut answer = json!({ "Name": of.name, "Parameters": pairs(&of.properties) });
    if let Some(comment) = &of.comment {
        answer["Description"] = json!(comment);
    }
    if let Some(location) = &of.location {
        answer["LocationUri"] = json!(location);
    }
    answer
}

fn columns(of: &[Column]) -> Vec<Value> {
    let column = |c: &Column| {
        let mut answer = json!({ "Name": c.name, "Type": c.kind });
        if let Some(comment) = &c.comment {
            answer["Comment"] = json!(comment);
        }
        answer
    };
    of.iter().map(column).collect()
}

fn table(of: &Table) -> Value {
    let mut parameters = pairs(&of.properties);
    if !of.is_view() {
        parameters.entry("EXTERNAL").or_insert(json!("TRUE"));
    }
    let mut stored = json!({ "Columns": columns(&of.columns), "Location": of.location });
    for (name, value) in [("InputFormat", &of.input_format), ("OutputFormat", &of.output_format)] {
        if let Some(value) = value {
            stored[name] = json!(value);
        }
    }
    if let Some(serde) = &of.serde {
        let parameters = pairs(&of.serde_properties);
        stored["SerdeInfo"] = json!({ "SerializationLibrary": serde, "Parameters": parameters });
    }
    let mut answer = json!({
        "Name": of.name,
        "DatabaseName": of.database,
        "CreateTime": of.created as f64,
        "StorageDescriptor": stored,
        "PartitionKeys": columns(&of.partitioned_by),
        "TableType": if of.is_view() { "VIRTUAL_VIEW" } else { "EXTERNAL_TABLE" },
        "Parameters": parameters,
    });
    if let Some(comment) = &of.comment {
        answer["Description"] = json!(comment);
    }
    answer
}

impl Service for Glue {
    fn name(&self) -> &'static str {
        "glue"
    }

    fn call<'a>(&'a self, operation: &'a str, input: Value) -> BoxFuture<'a, Result<Value, Fault>> {
        Box::pin(self.dispatch(operation, input))
    }
}
