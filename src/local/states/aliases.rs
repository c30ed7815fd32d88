//! Aliases: names that lead to one version of a state machine, or to two by weight.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::fault::Fault;
use super::super::store::{Store, Table, Tx};
use super::record::{self, put, seconds};
use super::versions::{self, VERSIONS};
use super::{States, arn, page, validate};

/// By machine, NUL and name.
const ALIASES: Table = "states.aliases";

/// A name for versions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Alias {
    pub name: String,
    pub machine: String,
    pub description: Option<String>,
    pub routes: Vec<Route>,
    pub created: DateTime<Utc>,
    pub updated: DateTime<Utc>,
}

/// A version and its share of the executions, per cent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    pub version: u64,
    pub weight: u64,
}

fn key(machine: &str, name: &str) -> String {
    format!("{machine}\0{name}")
}

/// Every alias of a machine.
pub fn of(tx: &Tx<'_>, machine: &str) -> Result<Vec<Alias>, Fault> {
    tx.scan(ALIASES, &key(machine, ""))?.iter().map(|(_, bytes)| record::from_bytes(bytes)).collect()
}

/// Takes away every alias of a machine.
pub fn delete_all(tx: &mut Tx<'_>, machine: &str) -> Result<(), Fault> {
    for alias in of(tx, machine)? {
        tx.delete(ALIASES, key(machine, &alias.name));
    }
    Ok(())
}

pub fn find(store: &Store, machine: &str, name: &str) -> Result<Option<Alias>, Fault> {
    record::load(store, ALIASES, &key(machine, name))
}

impl Alias {
    /// The version that the drawn number, evenly from 0 to 99, leads to.
    pub fn route(&self, drawn: u64) -> u64 {
        let mut below = 0;
        for route in &self.routes {
            below += route.weight;
            if drawn < below {
                return route.version;
            }
        }
        self.routes.last().map_or(0, |route| route.version)
    }

    fn describe(&self, region: &str) -> Value {
        let routes: Vec<Value> = self
            .routes
            .iter()
            .map(|route| {
                json!({
                    "stateMachineVersionArn": arn::of_version(region, &self.machine, route.version),
                    "weight": route.weight,
                })
            })
            .collect();
        let mut answer = json!({
            "stateMachineAliasArn": self.arn(region),
            "name": self.name,
            "routingConfiguration": routes,
            "creationDate": seconds(self.created),
            "updateDate": seconds(self.updated),
        });
        put(&mut answer, "description", self.description.clone());
        answer
    }

    fn arn(&self, region: &str) -> String {
        format!("{}:{}", arn::of_machine(region, &self.machine), self.name)
    }
}

pub fn no_alias() -> Fault {
    Fault::client("ResourceNotFound", "Request references a resource that does not exist.")
}

fn invalid(message: String) -> Fault {
    Fault::client("ValidationException", message)
}

/// At least one of its characters is none of a version's number.
fn check_name(name: &str) -> Result<(), Fault> {
    let detected = "1 validation error detected:";
    let wrong = |rule: &str| {
        invalid(format!(
            "{detected} Value '{name}' at 'name' failed to satisfy constraint: Member must {rule}"
        ))
    };
    if name.is_empty() {
        return Err(wrong("have length greater than or equal to 1"));
    }
    if name.chars().count() > 80 {
        return Err(wrong("have length less than or equal to 80"));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if !name.chars().all(allowed) || name.chars().all(|c| c.is_ascii_digit()) {
        return Err(wrong(r"satisfy regular expression pattern: ^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$"));
    }
    Ok(())
}

/// The machine and the routes of a routing configuration, which must name versions that are there.
fn read_routes(tx: &Tx<'_>, given: &Value) -> Result<(String, Vec<Route>), Fault> {
    let none = Vec::new();
    let items = given.as_array().unwrap_or(&none);
    let arns: Vec<&str> =
        items.iter().map(|item| item["stateMachineVersionArn"].as_str().unwrap_or_default()).collect();
    let weights: Vec<i64> = items.iter().map(|item| item["weight"].as_i64().unwrap_or_default()).collect();
    if !(1..=2).contains(&items.len()) {
        let shown: Vec<String> = arns
            .iter()
            .zip(&weights)
            .map(|(arn, weight)| {
                format!("RoutingConfigurationListItem(stateMachineVersionArn={arn}, weight={weight})")
            })
            .collect();
        let rule = if items.is_empty() { "greater than or equal to 1" } else { "less than or equal to 2" };
        return Err(invalid(format!(
            "1 validation error detected: Value '[{}]' at 'routingConfiguration' failed to satisfy constraint: \
             Member must have length {rule}",
            shown.join(", ")
        )));
    }
    let list = arns.join(", ");
    if arns.len() == 2 && arns[0] == arns[1] {
        return Err(invalid(format!(
            "Routing configuration must contain distinct state machine version ARNs. Received: [{list}]"
        )));
    }
    for (i, weight) in weights.iter().enumerate() {
        if !(0..=100).contains(weight) {
            let rule = if *weight < 0 { "greater than or equal to 0" } else { "less than or equal to 100" };
            return Err(invalid(format!(
                "1 validation error detected: Value '{weight}' at 'routingConfiguration.{}.member.weight' failed to \
                 satisfy constraint: Member must have value {rule}",
                i + 1
            )));
        }
    }
    if weights.iter().sum::<i64>() != 100 {
        let weights: Vec<String> = weights.iter().map(i64::to_string).collect();
        return Err(invalid(format!(
            "Sum of routing configuration weights must equal 100. Received: [{}]",
            weights.join(", ")
        )));
    }
    let mut machine = None;
    let mut routes = Vec::new();
    for (arn, weight) in arns.iter().zip(weights) {
        let (name, qualifier) = arn::machine(arn)?;
        let number = qualifier.and_then(|q| q.parse::<u64>().ok());
        let Some(number) =
            number.filter(|n| matches!(tx.get(VERSIONS, &versions::key(&name, *n)), Ok(Some(_))))
        else {
            return Err(invalid(format!(
                "Routing configuration must contain state machine version ARNs. Received: [{list}]"
            )));
        };
        if machine.get_or_insert_with(|| name.clone()) != &name {
            return Err(invalid(format!(
                "Routing configuration must contain versions of the same state machine. Received: [{list}]"
            )));
        }
        routes.push(Route { version: number, weight: weight.unsigned_abs() });
    }
    Ok((machine.unwrap_or_default(), routes))
}

impl States {
    pub(super) async fn create_state_machine_alias(&self, input: Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let name = validate::text(&input, "name")?.to_owned();
        check_name(&name)?;
        let description = validate::at_most(&input, "description", 256)?;
        let (now, region) = (bus.clock.now(), bus.region.clone());
        bus.store
            .transact(move |tx| {
                let (machine, routes) = read_routes(tx, &input["routingConfiguration"])?;
                let key = key(&machine, &name);
                let alias = match record::load_in::<Alias>(tx, ALIASES, &key)? {
                    Some(alias) if alias.description == description && alias.routes == routes => alias,
                    Some(_) => {
                        return Err(Fault::client(
                            "ConflictException",
                            "Failed to create alias because an alias with the same name and a different routing \
                             configuration already exists.",
                        ));
                    }
                    None => Alias { name, machine, description, routes, created: now, updated: now },
                };
                tx.put(ALIASES, key, record::to_bytes(&alias)?);
                Ok(json!({
                    "stateMachineAliasArn": alias.arn(&region),
                    "creationDate": seconds(alias.created),
                }))
            })
            .await
    }

    pub(super) async fn update_state_machine_alias(&self, input: Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let (machine, name) = alias_arn(&input)?;
        let description = validate::at_most(&input, "description", 256)?;
        if description.is_none() && input["routingConfiguration"].is_null() {
            return Err(Fault::client(
                "MissingRequiredParameter",
                "Either the description or the RoutingConfiguration must be specified",
            ));
        }
        let now = bus.clock.now();
        bus.store
            .transact(move |tx| {
                let key = key(&machine, &name);
                let mut alias: Alias = record::load_in(tx, ALIASES, &key)?.ok_or_else(no_alias)?;
                if !input["routingConfiguration"].is_null() {
                    let (other, routes) = read_routes(tx, &input["routingConfiguration"])?;
                    if other != machine {
                        return Err(invalid(format!(
                            "Routing configuration must contain versions of the state machine '{machine}'."
                        )));
                    }
                    alias.routes = routes;
                }
                if description.is_some() {
                    alias.description = description;
                }
                alias.updated = now;
                tx.put(ALIASES, key, record::to_bytes(&alias)?);
                Ok::<_, Fault>(())
            })
            .await?;
        Ok(json!({"updateDate": seconds(now)}))
    }

    pub(super) fn describe_state_machine_alias(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let (machine, name) = alias_arn(input)?;
        Ok(find(&bus.store, &machine, &name)?.ok_or_else(no_alias)?.describe(&bus.region))
    }

    pub(super) fn list_state_machine_aliases(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let arn = validate::text(input, "stateMachineArn")?;
        let (machine, qualifier) = arn::machine(arn)?;
        let size = validate::page_size(input, 100, 1000)?;
        let question = format!("ListStateMachineAliases {arn}");
        let after = page::place(input, &question)?.unwrap_or_default();
        let version = qualifier.and_then(|q| q.parse::<u64>().ok());
        let leads = |alias: &Alias| version.is_none_or(|v| alias.routes.iter().any(|r| r.version == v));
        let mut found = record::list(&bus.store, ALIASES, &key(&machine, ""), &after, size + 1, leads)?;
        let next = page::cut(&mut found, size).map(|last| page::token(&question, &last));
        let list: Vec<Value> = found
            .iter()
            .map(|(_, alias)| {
                json!({
                    "stateMachineAliasArn": alias.arn(&bus.region),
                    "creationDate": seconds(alias.created),
                })
            })
            .collect();
        let mut answer = json!({"stateMachineAliases": list});
        put(&mut answer, "nextToken", next);
        Ok(answer)
    }

    pub(super) async fn delete_state_machine_alias(&self, input: &Value) -> Result<Value, Fault> {
        let (machine, name) = alias_arn(input)?;
        self.bus()?
            .store
            .transact(move |tx| {
                tx.delete(ALIASES, key(&machine, &name));
                Ok::<_, Fault>(json!({}))
            })
            .await
    }
}

/// The machine and name of `stateMachineAliasArn`.
fn alias_arn(input: &Value) -> Result<(String, String), Fault> {
    let given = validate::text(input, "stateMachineAliasArn")?;
    match arn::machine(given)? {
        (machine, Some(name)) => Ok((machine, name)),
        (_, None) => Err(Fault::client("InvalidArn", format!("Invalid Arn: 'Invalid ARN length: {given}'"))),
    }
}
