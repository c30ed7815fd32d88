//! The JSON types of what operations are asked with. AWS's JSON protocol refuses a member of another type
//! with a SerializationException before the operation sees it.

use serde_json::Value;

use super::super::fault::Fault;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A scalar, by the name that it has in AWS's messages.
    String,
    Boolean,
    Integer,
    Long,
    Float,
    Structure,
    List,
    /// Of strings.
    Strings,
}

/// The members of all requests, those within others too: a name has one type in the whole API.
const MEMBERS: &[(Kind, &str)] = &[
    (
        Kind::String,
        "activityArn cause clientToken context definition description error errorCausedByState executionArn \
         fieldValidationMode includedData input inspectionLevel key kmsKeyId level logGroupArn \
         mapItemReaderData mapRunArn name nextToken output redriveFilter resourceArn result revisionId roleArn \
         severity stateMachineAliasArn stateMachineArn stateMachineVersionArn stateName statusFilter taskToken \
         traceHeader type value variables versionDescription workerName",
    ),
    (Kind::Boolean, "enabled includeExecutionData publish revealSecrets reverseOrder"),
    (
        Kind::Integer,
        "kmsDataKeyReusePeriodSeconds mapIterationFailureCount maxConcurrency maxResults retrierRetryCount \
         weight",
    ),
    (Kind::Long, "toleratedFailureCount"),
    (Kind::Float, "toleratedFailurePercentage"),
    (
        Kind::Structure,
        "cloudWatchLogsLogGroup encryptionConfiguration errorOutput loggingConfiguration mock \
         stateConfiguration tracingConfiguration",
    ),
    (Kind::List, "destinations routingConfiguration tags"),
    (Kind::Strings, "tagKeys"),
];

fn kind(member: &str) -> Option<Kind> {
    let found = MEMBERS.iter().find(|(_, names)| names.split(' ').any(|name| name == member));
    found.map(|(kind, _)| *kind)
}

/// Refuses a request with a member of a wrong type. What is not known is not looked at, and `null` counts as
/// absent.
pub fn check(input: &Value) -> Result<(), Fault> {
    let members = input.as_object().into_iter().flatten();
    for (member, value) in members.filter(|(_, value)| !value.is_null()) {
        if let Some(kind) = kind(member) {
            kind.fits(value).map_err(|why| Fault::client("SerializationException", why))?;
            value.as_array().into_iter().flatten().try_for_each(check)?;
            check(value)?;
        }
    }
    Ok(())
}

impl Kind {
    /// Whether a value is of this type; why not, in the words of AWS's protocol.
    fn fits(self, value: &Value) -> Result<(), String> {
        let scalar = !matches!(self, Kind::Structure | Kind::List | Kind::Strings);
        match (self, value) {
            (Kind::Structure, Value::Object(_))
            | (Kind::String, Value::String(_))
            | (Kind::Boolean, Value::Bool(_))
            | (Kind::Integer | Kind::Long | Kind::Float, Value::Number(_)) => Ok(()),
            (Kind::List, Value::Array(items)) => {
                items.iter().filter(|item| !item.is_null()).try_for_each(|item| Kind::Structure.fits(item))
            }
            (Kind::Strings, Value::Array(items)) => {
                items.iter().filter(|item| !item.is_null()).try_for_each(|item| Kind::String.fits(item))
            }
            (_, Value::Object(_)) => Err("Start of structure or map found where not expected".into()),
            (_, Value::Array(_)) if scalar => {
                Err(format!("Unrecognized collection type class java.lang.{self:?}"))
            }
            (Kind::Boolean, Value::String(_)) => Err("Unexpected token received from parser".into()),
            _ if scalar => Err(format!("{} cannot be converted to {self:?}", token(value))),
            _ => Err("Unexpected field type".into()),
        }
    }
}

/// A value as AWS's parser calls it.
fn token(value: &Value) -> &'static str {
    match value {
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(number) if number.is_f64() => "DECIMAL_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        _ => "STRING_VALUE",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The messages are those that DynamoDB gives, which speaks the same protocol (as recorded by the tests
    /// of dynalite).
    #[test]
    fn members_have_the_types_of_the_api() {
        let why = |input: Value| check(&input).err().map(|fault| (fault.code, fault.message));
        let refused = |input: Value, message: &str| {
            assert_eq!(why(input), Some(("SerializationException".to_owned(), message.to_owned())));
        };
        refused(json!({"input": {"a": 1}}), "Start of structure or map found where not expected");
        refused(json!({"input": [1]}), "Unrecognized collection type class java.lang.String");
        refused(json!({"name": 5}), "NUMBER_VALUE cannot be converted to String");
        refused(json!({"name": 5.5}), "DECIMAL_VALUE cannot be converted to String");
        refused(json!({"name": true}), "TRUE_VALUE cannot be converted to String");
        refused(json!({"maxResults": "x"}), "STRING_VALUE cannot be converted to Integer");
        refused(json!({"publish": "yes"}), "Unexpected token received from parser");
        refused(json!({"tags": "x"}), "Unexpected field type");
        refused(json!({"tags": [{"key": 1}]}), "NUMBER_VALUE cannot be converted to String");
        refused(json!({"tagKeys": [1]}), "NUMBER_VALUE cannot be converted to String");
        refused(json!({"mock": {"result": {}}}), "Start of structure or map found where not expected");
        assert_eq!(why(json!({"input": "{}", "name": null, "maxResults": 5, "later": {"input": 1}})), None);
    }
}
