//! What TestState refuses of a mock, a state's configuration and a context object, in AWS's words.

use serde_json::Value;

use super::super::super::fault::Fault;
use super::super::validate;
use super::shapes;
use crate::asl::data::Data;
use crate::asl::failure::Failure;
use crate::asl::inspect::Work;
use crate::asl::machine::{Kind, State};
use crate::asl::resource::{Pattern, Resource};

fn invalid(message: impl Into<String>) -> Fault {
    Fault::client("ValidationException", message)
}

/// Reads the mock of a request: what takes the place of the state's work.
pub fn read(input: &Value, state: &State) -> Result<Option<Work>, Fault> {
    let given = input.get("mock").filter(|mock| !mock.is_null());
    configuration(&input["stateConfiguration"], given)?;
    let mocked = matches!(state.kind, Kind::Map(_) | Kind::Parallel { .. });
    bounds(input)?;
    let Some(given) = given else {
        if input["context"].is_string() {
            // Documented (API reference, TestState); the words are ours.
            return Err(invalid("A Context object can only be specified when a mock is specified."));
        }
        if let Kind::Task(task) = &state.kind {
            unmocked(&task.resource)?;
        }
        if mocked {
            return Err(Fault::client(
                "InvalidDefinition",
                "TestState API does not support Map or Parallel states. Supported state types include: [Task, \
                 Wait, Pass, Succeed, Fail, Choice]",
            ));
        }
        return Ok(None);
    };
    if !mocked && !matches!(state.kind, Kind::Task(_)) {
        let name = state.type_name();
        return Err(invalid(format!("State type '{name}' is not supported when a mock is specified")));
    }
    if input["revealSecrets"] == true {
        return Err(invalid("TestState does not support RevealSecrets when a mock is specified."));
    }
    let (result, error) = (given["result"].as_str(), given.get("errorOutput").filter(|e| !e.is_null()));
    match (result, error) {
        (Some(_), Some(_)) => {
            Err(invalid("A test mock should have only one of the following fields: [result, errorOutput]."))
        }
        (Some(text), None) => {
            let result = Data::parse(text).map_err(|_| invalid("Mocked result must be valid JSON"))?;
            fits(state, result.value(), given["fieldValidationMode"].as_str().unwrap_or("STRICT"))?;
            Ok(Some(Work::Result(result)))
        }
        (None, Some(error)) => {
            let text = |member: &str| error[member].as_str().map(str::to_owned);
            let failure = Failure { error: text("error"), cause: text("cause"), ..Failure::default() };
            Ok(Some(Work::Error(failure)))
        }
        (None, None) => Ok(None),
    }
}

/// The bounds that the API reference names for a mock and a state's configuration.
fn bounds(input: &Value) -> Result<(), Fault> {
    let mock = &input["mock"];
    if let Some(mode) = mock["fieldValidationMode"].as_str()
        && !["STRICT", "PRESENT", "NONE"].contains(&mode)
    {
        let rule = "Member must satisfy enum value set: [STRICT, PRESENT, NONE]";
        return Err(validate::constraint(mode, "mock.fieldValidationMode", rule));
    }
    let error = &mock["errorOutput"];
    if error.is_object() && error["error"].is_null() {
        return Err(validate::missing("mock.errorOutput.error"));
    }
    for (member, most) in [("error", 256), ("cause", 32_768)] {
        validate::secret(
            error[member].as_str().unwrap_or_default(),
            &format!("mock.errorOutput.{member}"),
            most,
        )?;
    }
    for member in ["retrierRetryCount", "mapIterationFailureCount"] {
        if let Some(count) = input["stateConfiguration"][member].as_i64().filter(|count| *count < 0) {
            let at = format!("stateConfiguration.{member}");
            let rule = "Member must have value greater than or equal to 0";
            return Err(validate::constraint(&count.to_string(), &at, rule));
        }
    }
    Ok(())
}

/// What is never really done, because nobody would answer (AWS guide, "Testing Activity, .sync, and
/// .waitForTaskToken states").
fn unmocked(resource: &Resource) -> Result<(), Fault> {
    match resource {
        Resource::Activity(_) => {
            Err(invalid("TestState API supports Activity tasks only when a mock is specified."))
        }
        Resource::Integration(integration) if integration.pattern != Pattern::RequestResponse => {
            Err(Fault::client(
                "InvalidDefinition",
                "TestState API does not support '.sync' or '.waitForTaskToken' integration patterns.",
            ))
        }
        _ => Ok(()),
    }
}

fn configuration(configuration: &Value, mock: Option<&Value>) -> Result<(), Fault> {
    let Some(failures) = configuration["mapIterationFailureCount"].as_u64() else { return Ok(()) };
    let Some(mock) = mock else {
        return Err(invalid(
            "TestState does not support MapIterationFailureCount when a mock is not specified.",
        ));
    };
    let result = mock["result"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    match result.as_ref().and_then(Value::as_array) {
        Some(items) if failures > items.len() as u64 => Err(invalid(
            "Map iteration failure count must be less than or equal to the number of Map iterations",
        )),
        _ => Ok(()),
    }
}

/// Whether the result is one that the state's work could have.
fn fits(state: &State, result: &Value, mode: &str) -> Result<(), Fault> {
    match &state.kind {
        Kind::Map(map) => {
            let written = map.distributed.as_ref().is_some_and(|d| d.writer.is_some());
            if written && !result.is_object() {
                return Err(invalid("Mocked result must be a JSON object."));
            }
            if !written && !result.is_array() {
                return Err(invalid("Mocked result must be an array."));
            }
        }
        Kind::Parallel { .. } => {
            let Some(results) = result.as_array() else {
                return Err(invalid("Mocked result must be an array."));
            };
            if results.len() != state.flows().len() {
                return Err(invalid(
                    "Mocked result must contain the same number of items as number of Parallel branches.",
                ));
            }
        }
        Kind::Task(task) if mode != "NONE" => {
            if let Resource::Integration(integration) = &task.resource {
                let operation = super::super::naming::capital(&integration.action);
                let strict = mode == "STRICT";
                shapes::check(&integration.service, &operation, result, strict).map_err(invalid)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Whether a task waits for a token.
fn has_token(state: &State) -> bool {
    match &state.kind {
        Kind::Task(task) => match &task.resource {
            Resource::Integration(integration) => integration.pattern != Pattern::RequestResponse,
            Resource::Activity(_) => true,
            Resource::Lambda(_) => false,
        },
        _ => false,
    }
}

/// Reads the context object of a request.
pub fn context(input: &Value, state: &State) -> Result<Option<Value>, Fault> {
    let Some(text) = input["context"].as_str() else { return Ok(None) };
    let wrong = |why: String| invalid(format!("Invalid Context object provided: {why}"));
    let given: Value = serde_json::from_str(text).map_err(|_| wrong("must be valid JSON".into()))?;
    let Some(members) = given.as_object() else { return Err(wrong("must be a JSON object".into())) };
    for (name, value) in members {
        let allowed: &[(&str, &str)] = match name.as_str() {
            "Execution" => &[
                ("Id", "string"),
                ("Input", "object"),
                ("Name", "string"),
                ("RoleArn", "string"),
                ("StartTime", "string"),
                ("RedriveCount", "integer"),
                ("RedriveTime", "string"),
            ],
            "State" => &[("EnteredTime", "string"), ("Name", "string"), ("RetryCount", "integer")],
            "StateMachine" => &[("Id", "string"), ("Name", "string")],
            "Task" => &[("Token", "string")],
            "Map" => return Err(wrong("'Map' field is not supported when mocking a Context object".into())),
            other => return Err(wrong(format!("Field '{other}' is not allowed"))),
        };
        let Some(fields) = value.as_object() else { return Err(wrong(format!("{name} must be a object"))) };
        for (field, value) in fields {
            let Some((_, kind)) = allowed.iter().find(|(allowed, _)| allowed == field) else {
                return Err(wrong(format!("Field '{field}' is not allowed")));
            };
            let good = match *kind {
                "string" => value.is_string(),
                "integer" => value.is_u64(),
                _ => true,
            };
            if !good {
                return Err(wrong(format!("{name}.{field} must be a {kind}")));
            }
        }
    }
    if members.contains_key("Task") && !has_token(state) {
        return Err(wrong(
            "Context object contains 'Task' when state is not a Task state with a '.sync' or '.waitForTaskToken' \
             service integration pattern"
                .into(),
        ));
    }
    Ok(Some(given))
}
