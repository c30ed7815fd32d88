//! Errors in plain words, and what a cause says.

use serde_json::Value;

/// The reserved and the usual error names with what they mean: Step Functions developer guide, "Handling
/// errors in Step Functions workflows", and the Lambda and service integrations pages.
const WORDS: &[(&str, &str)] = &[
    ("States.BranchFailed", "A branch of the Parallel state failed"),
    ("States.DataLimitExceeded", "A payload is larger than the 256 KiB that a state may pass on"),
    ("States.ExceedToleratedFailureThreshold", "More items of the map failed than it tolerates"),
    ("States.HeartbeatTimeout", "The worker sent no heartbeat for longer than HeartbeatSeconds"),
    ("States.Http.Socket", "The HTTP endpoint did not answer within 60 seconds"),
    ("States.IntrinsicFailure", "An intrinsic function could not be evaluated"),
    ("States.ItemReaderFailed", "The map's items could not be read"),
    ("States.NoChoiceMatched", "No rule of the Choice matched its input, and it has no Default"),
    ("States.ParameterPathFailure", "A path in the state's parameters leads nowhere in its input"),
    ("States.Permissions", "The state machine's role may not do this"),
    ("States.QueryEvaluationError", "A JSONata expression could not be evaluated"),
    ("States.ResultPathMatchFailure", "ResultPath does not fit the state's input"),
    ("States.ResultWriterFailed", "The map's results could not be written"),
    ("States.Runtime", "The definition does not fit its data; this can be neither retried nor caught"),
    ("States.TaskFailed", "The task failed"),
    // A missed heartbeat has this name too: "TimeoutSeconds or HeartbeatSeconds" of the Task state's page.
    ("States.Timeout", "It took longer than its TimeoutSeconds or HeartbeatSeconds allow"),
    ("Lambda.AWSLambdaException", "Lambda itself had a passing fault"),
    ("Lambda.ClientExecutionTimeoutException", "Lambda did not answer in time"),
    ("Lambda.ResourceNotFoundException", "The function does not exist"),
    ("Lambda.SdkClientException", "Lambda could not be reached"),
    ("Lambda.ServiceException", "Lambda itself had a passing fault"),
    ("Lambda.TooManyRequestsException", "Lambda refused the call: too many at once"),
    ("Lambda.Unknown", "The function ended without an answer: out of memory, out of time, or it exited"),
    ("Runtime.ExitError", "The function's process exited before it answered"),
    ("Sandbox.Timedout", "The function ran longer than its own timeout"),
    ("Function.ResponseSizeTooLarge", "The function's answer is larger than 6 MiB"),
    ("S3.NoSuchKeyException", "The object does not exist"),
    ("S3.NoSuchBucketException", "The bucket does not exist"),
];

/// What an error name means, with the cause that came with it; `None` for names of the workflow's own.
pub fn plain_words(error: &str, cause: Option<&str>) -> Option<&'static str> {
    // "Service quotas: maximum execution history size" fails with the same name as a definition's mistake.
    if error == "States.Runtime" && cause.is_some_and(|cause| cause.contains("history event")) {
        return Some(
            "The execution came to the 25,000 events that a history may have: split it into several",
        );
    }
    if let Some((_, words)) = WORDS.iter().find(|(name, _)| *name == error) {
        return Some(words);
    }
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| error.ends_with(suffix));
    if ends(&["AccessDeniedException", "AccessDenied", "NotAuthorizedException", "UnauthorizedException"]) {
        return Some("The state machine's role may not do this");
    }
    if ends(&["TooManyRequestsException", "ThrottlingException", "Throttling", "SlowDownException"]) {
        return Some("The service refused the call: too many at once");
    }
    if ends(&["NotFoundException", "DoesNotExistException"]) {
        return Some("What the task names does not exist");
    }
    if ends(&["SdkClientException"]) {
        return Some("The service could not be reached");
    }
    None
}

/// Executions in executions that are looked into for what went wrong.
const NESTED: usize = 10;

/// What a cause says: of a JSON cause its message, else its first lines joined. `None` when it says nothing. Of
/// the description of a nested execution that failed, with `Error` and `Cause`, what the innermost says.
pub fn message(cause: &str) -> Option<String> {
    within(cause, NESTED)
}

fn within(cause: &str, nested: usize) -> Option<String> {
    let parsed = serde_json::from_str::<Value>(cause).ok();
    let member = |name: &str| parsed.as_ref()?.get(name)?.as_str();
    if let Some(error) = member("Error").filter(|_| nested > 0) {
        return match member("Cause").and_then(|cause| Some((cause, within(cause, nested - 1)?))) {
            // An execution in it has named its own error.
            Some((cause, said)) if is_failure(cause) => Some(said),
            Some((_, said)) => Some(format!("{error}: {said}")),
            None => Some(error.to_owned()),
        };
    }
    let names = ["errorMessage", "Message", "message", "Cause", "reason"];
    let text = names.into_iter().find_map(member).unwrap_or(cause).trim();
    (!text.is_empty()).then(|| text.lines().map(str::trim).collect::<Vec<_>>().join(" "))
}

fn is_failure(cause: &str) -> bool {
    serde_json::from_str::<Value>(cause).is_ok_and(|value| value.get("Error").is_some_and(Value::is_string))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_and_families_have_words() {
        assert_eq!(
            plain_words("Athena.AccessDeniedException", None),
            Some("The state machine's role may not do this")
        );
        assert_eq!(plain_words("PipelineFailed", None), None);
    }

    #[test]
    fn one_name_for_two_things_is_told_by_its_cause_or_as_both() {
        let timeout = plain_words("States.Timeout", None).unwrap();
        assert!(timeout.contains("TimeoutSeconds") && timeout.contains("HeartbeatSeconds"), "{timeout}");
        // The cause as Step Functions writes it at the quota.
        let full = "The execution reached the maximum number of history events (25000).";
        let words = |cause| plain_words("States.Runtime", cause).unwrap();
        assert!(words(Some(full)).contains("25,000 events"));
        assert!(
            words(Some("The choice state's condition path references an invalid value.")).contains("data")
        );
        assert!(words(None).contains("data"));
    }

    #[test]
    fn a_json_cause_gives_its_message() {
        let cause = r#"{"errorMessage": "no disk\n left", "errorType": "Error", "stackTrace": []}"#;
        assert_eq!(message(cause).as_deref(), Some("no disk left"));
        assert_eq!(message(" \n"), None);
        // What `startExecution.sync` fails with is the child's description; of a child of a child likewise.
        let child = |error: &str, cause: &str| {
            serde_json::json!({"ExecutionArn": "arn", "Error": error, "Cause": cause}).to_string()
        };
        let one = child("Child.Bad", "child says no");
        assert_eq!(message(&one).as_deref(), Some("Child.Bad: child says no"));
        assert_eq!(message(&child("States.TaskFailed", &one)).as_deref(), Some("Child.Bad: child says no"));
        assert_eq!(message(r#"{"ExecutionArn": "arn", "Error": "Child.Bad"}"#).as_deref(), Some("Child.Bad"));
        assert_eq!(message("{\"a\": 1}").as_deref(), Some("{\"a\": 1}"));
    }
}
