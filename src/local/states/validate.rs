//! What every operation asks of its input, in AWS's words.

use serde_json::Value;

use super::super::fault::Fault;
use crate::asl::data::Data;
use crate::asl::syntax;

/// A value that breaks a rule.
pub fn constraint(value: &str, member: &str, rule: &str) -> Fault {
    Fault::client(
        "ValidationException",
        format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {rule}"
        ),
    )
}

/// A member that must be there and is not.
pub fn missing(member: &str) -> Fault {
    Fault::client(
        "ValidationException",
        format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: \
             Member must not be null"
        ),
    )
}

/// A member that must be there.
pub fn text<'v>(input: &'v Value, member: &str) -> Result<&'v str, Fault> {
    match &input[member] {
        Value::String(text) => Ok(text),
        _ => Err(missing(member)),
    }
}

/// Refuses what is named `machine/label`: the ARN means a Distributed Map state of a machine then, for which the API
/// reference has a ValidationException (StartExecution, UpdateStateMachine); the words are ours.
pub fn no_label(name: &str) -> Result<(), Fault> {
    if !name.contains('/') {
        return Ok(());
    }
    let why =
        "The ARN of a Distributed Map state is not supported by this operation: give the state machine's";
    Err(Fault::client("ValidationException", why))
}

/// Whether `includedData` asks for what is known of a thing without what is in it.
pub fn metadata_only(input: &Value) -> Result<bool, Fault> {
    match input["includedData"].as_str() {
        None | Some("ALL_DATA") => Ok(false),
        Some("METADATA_ONLY") => Ok(true),
        Some(other) => {
            let rule = "Member must satisfy enum value set: [ALL_DATA, METADATA_ONLY]";
            Err(constraint(other, "includedData", rule))
        }
    }
}

/// The name of a state machine, execution or activity: 1 to 80 characters, none of those AWS forbids.
pub fn name(name: &str) -> Result<(), Fault> {
    if name.is_empty() {
        return Err(constraint(name, "name", "Member must have length greater than or equal to 1"));
    }
    if name.chars().count() > 80 {
        return Err(constraint(name, "name", "Member must have length less than or equal to 80"));
    }
    let bad = |c: char| c.is_whitespace() || c.is_control() || "<>{}[]?*\"#%\\^|~`$&,;:/".contains(c);
    if name.contains(bad) {
        return Err(Fault::client("InvalidName", format!("Invalid Name: '{name}'")));
    }
    Ok(())
}

/// `maxResults`: 1 to `most`; 0 and none mean the default.
pub fn page_size(input: &Value, default: usize, most: usize) -> Result<usize, Fault> {
    match input["maxResults"].as_i64() {
        None | Some(0) => Ok(default),
        Some(size) if size < 0 => Err(constraint(
            &size.to_string(),
            "maxResults",
            "Member must have value greater than or equal to 0",
        )),
        Some(size) if size as usize > most => Err(constraint(
            &size.to_string(),
            "maxResults",
            &format!("Member must have value less than or equal to {most}"),
        )),
        Some(size) => Ok(size as usize),
    }
}

/// A text of at most so many bytes that AWS does not repeat in its answer.
pub fn secret(text: &str, member: &str, most: usize) -> Result<(), Fault> {
    if text.len() <= most {
        return Ok(());
    }
    Err(Fault::client(
        "ValidationException",
        format!(
            "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must have \
             length less than or equal to {most}"
        ),
    ))
}

/// A text of at most so many characters.
pub fn at_most(input: &Value, member: &str, most: usize) -> Result<Option<String>, Fault> {
    match input[member].as_str() {
        Some(text) if text.chars().count() > most => {
            Err(constraint(text, member, &format!("Member must have length less than or equal to {most}")))
        }
        text => Ok(text.map(str::to_owned)),
    }
}

/// `clientToken`: 1 to 64 printable ASCII characters.
pub fn client_token(input: &Value) -> Result<Option<String>, Fault> {
    let token = at_most(input, "clientToken", 64)?;
    match &token {
        Some(text) if text.is_empty() => {
            Err(constraint(text, "clientToken", "Member must have length greater than or equal to 1"))
        }
        Some(text) if !text.chars().all(|c| c.is_ascii_graphic()) => {
            Err(constraint(text, "clientToken", "Member must satisfy regular expression pattern: [!-~]+"))
        }
        _ => Ok(token),
    }
}

/// The input of an execution.
pub fn execution_input(text: &str) -> Result<Data, Fault> {
    let wrong = |why: String| {
        Fault::client("InvalidExecutionInput", format!("Invalid State Machine Execution Input: '{why}'"))
    };
    let data = Data::parse(text).map_err(|error| wrong(syntax::diagnostic(text, &error).message))?;
    if data.is_too_deep() {
        return Err(wrong("it is nested too deeply".into()));
    }
    Ok(data)
}
