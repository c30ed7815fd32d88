//! What a definition must be to become a state machine: ValidateStateMachineDefinition, and what is
//! asked of a machine's other members when it is made.

use serde_json::{Value, json};

use super::super::fault::Fault;
use super::record::put;
use super::{States, validate};
use crate::asl::check::{self, Diagnostic};
use crate::asl::machine::Machine as Definition;
use crate::asl::schema::quoted;

/// The longest definition, in bytes.
const LENGTH: usize = 1_048_576;

impl States {
    pub(super) fn validate_state_machine_definition(&self, input: &Value) -> Result<Value, Fault> {
        let text = validate::text(input, "definition")?;
        validate::secret(text, "definition", LENGTH)?;
        let found = check::diagnose(text, machine_type(input)?);
        let warnings = match input["severity"].as_str() {
            None | Some("ERROR") => false,
            Some("WARNING") => true,
            Some(other) => {
                let rule = "Member must satisfy enum value set: [ERROR, WARNING]";
                return Err(validate::constraint(other, "severity", rule));
            }
        };
        let most = validate::page_size(input, 100, 100)?;
        let shown: Vec<&Diagnostic> = found.iter().filter(|d| d.error || warnings).collect();
        let diagnostics: Vec<Value> = shown
            .iter()
            .take(most)
            .map(|d| {
                let severity = if d.error { "ERROR" } else { "WARNING" };
                let mut shown = json!({"severity": severity, "code": d.code, "message": d.message});
                put(&mut shown, "location", d.location.clone());
                shown
            })
            .collect();
        Ok(json!({
            "result": if found.iter().any(|d| d.error) { "FAIL" } else { "OK" },
            "diagnostics": diagnostics,
            "truncated": shown.len() > most,
        }))
    }
}

/// Whether it is an express machine.
pub fn machine_type(input: &Value) -> Result<bool, Fault> {
    match input["type"].as_str() {
        None | Some("STANDARD") => Ok(false),
        Some("EXPRESS") => Ok(true),
        Some(other) => Err(Fault::client(
            "ValidationException",
            format!(
                "1 validation error detected: Value '{other}' at 'type' failed to satisfy constraint: Member must \
                 satisfy enum value set: [STANDARD, EXPRESS]"
            ),
        )),
    }
}

pub fn role_arn(role: &str) -> Result<(), Fault> {
    if role.starts_with("arn:") {
        Ok(())
    } else {
        Err(Fault::client("InvalidArn", format!("Invalid Role Arn: '{role}'")))
    }
}

/// Refuses what AWS refuses.
pub fn accept(definition: &str, express: bool) -> Result<(), Fault> {
    validate::secret(definition, "definition", LENGTH)?;
    let found = check::diagnose(definition, express);
    if let Some(label) = found.iter().find(|d| d.location.as_ref().is_some_and(|at| at.ends_with("/Label"))) {
        return Err(Fault::client("InvalidDefinition", wrong_label(&label.message, definition)));
    }
    if let Some(message) = check::refusal(&found) {
        return Err(Fault::client("InvalidDefinition", message));
    }
    Definition::read(definition).map(|_| ()).map_err(|error| {
        Fault::client("InvalidDefinition", format!("Invalid State Machine Definition: '{error}'"))
    })
}

/// A wrong label is not answered like other findings: the answer repeats the whole definition.
fn wrong_label(why: &str, definition: &str) -> String {
    format!("Error=ValueError Args=[{}] in definition '{definition}'.", quoted(why))
}

/// The definition of a distributed map's children: the processor of the state `name`, to which `route`
/// leads through Map and Parallel states and their branches.
pub fn processor(definition: &str, route: &[(String, usize)], name: &str) -> Option<String> {
    let outer: Value = serde_json::from_str(definition).ok()?;
    let language = outer.get("QueryLanguage").cloned();
    let mut flow = &outer;
    for (state, branch) in route {
        let state = flow["States"].get(state)?;
        flow = match state.get("Branches") {
            Some(branches) => branches.get(*branch)?,
            None => own_flow(state)?,
        };
    }
    let mut processor = own_flow(flow["States"].get(name)?)?.clone();
    let members = processor.as_object_mut()?;
    members.shift_remove("ProcessorConfig");
    if let Some(language) = language {
        members.insert("QueryLanguage".into(), language);
    }
    Some(processor.to_string())
}

fn own_flow(state: &Value) -> Option<&Value> {
    state.get("ItemProcessor").or_else(|| state.get("Iterator"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_is_found_where_its_map_stands() {
        let inner = json!({"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": "X", "States": {"X": {"Type": "Succeed"}}});
        let map = json!({"Type": "Map", "ItemProcessor": inner, "End": true});
        let branch = json!({"StartAt": "M/1", "States": {"M/1": map}});
        let outer = json!({
            "QueryLanguage": "JSONata",
            "StartAt": "P",
            "States": {"P": {"Type": "Parallel", "Branches": [{}, branch], "End": true}},
        });
        let found = processor(&outer.to_string(), &[("P".into(), 1)], "M/1").unwrap();
        assert_eq!(found, r#"{"StartAt":"X","States":{"X":{"Type":"Succeed"}},"QueryLanguage":"JSONata"}"#);
        assert_eq!(processor(&outer.to_string(), &[], "M/1"), None);
    }
}
