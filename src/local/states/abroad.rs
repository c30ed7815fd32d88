//! ARNs of another region: what they name is not here, whatever is here under the same name.

use serde_json::{Value, json};

use super::super::fault::Fault;
use super::activities::no_activity;
use super::aliases::no_alias;
use super::arn::{self, Arn};
use super::record::{no_execution, no_machine};

/// The answer to a request that names something in another region; `None` for all other requests. What an
/// ARN of the wrong kind is refused with goes before.
pub fn answer(operation: &str, input: &Value, region: &str) -> Option<Result<Value, Fault>> {
    let absent =
        input.as_object()?.iter().find_map(|(member, value)| absent(member, value.as_str()?, region))?;
    // Who deletes what is not there has what they want.
    Some(if operation.starts_with("Delete") { Ok(json!({})) } else { Err(absent) })
}

/// The fault for a member that is an ARN of another region.
fn absent(member: &str, arn: &str, region: &str) -> Option<Fault> {
    if arn.split(':').nth(3)? == region {
        return None;
    }
    let gone = || {
        let fault = Fault::client("ResourceNotFound", format!("Resource not found: '{arn}'"));
        fault.with("resourceName", arn)
    };
    match (member, arn::read(arn).ok()?) {
        ("stateMachineArn" | "stateMachineVersionArn", Arn::Machine { .. }) => Some(no_machine(arn)),
        ("stateMachineAliasArn", Arn::Machine { qualifier: Some(_), .. }) => Some(no_alias()),
        ("executionArn", Arn::Execution(_)) => Some(no_execution(arn)),
        ("activityArn", Arn::Activity(_)) => Some(no_activity(arn)),
        ("mapRunArn", Arn::MapRun(_)) => Some(gone()),
        ("resourceArn", _) => Some(gone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_elsewhere_is_absent() {
        let ask = |operation: &str, member: &str, arn: &str| {
            let answer = answer(operation, &json!({member: arn}), "us-east-1")?;
            Some(answer.map_err(|fault| fault.code))
        };
        let there = "arn:aws:states:eu-central-1:000000000000:stateMachine:X";
        let missing = Some(Err("StateMachineDoesNotExist".to_owned()));
        assert_eq!(ask("DescribeStateMachine", "stateMachineArn", there), missing);
        assert_eq!(ask("StartExecution", "stateMachineArn", there), missing);
        assert_eq!(ask("DeleteStateMachine", "stateMachineArn", there), Some(Ok(json!({}))));
        let here = "arn:aws:states:us-east-1:000000000000:stateMachine:X";
        assert_eq!(ask("DescribeStateMachine", "stateMachineArn", here), None);
        // Not an execution, wherever: the operation refuses it.
        assert_eq!(ask("DescribeExecution", "executionArn", there), None);
        assert_eq!(ask("CreateStateMachine", "name", there), None);
        let run = "arn:aws:states:eu-central-1:000000000000:execution:X:one";
        let missing = Some(Err("ExecutionDoesNotExist".to_owned()));
        assert_eq!(ask("StopExecution", "executionArn", run), missing);
    }
}
