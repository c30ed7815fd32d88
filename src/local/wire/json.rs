//! AWS JSON 1.0 and 1.1: `X-Amz-Target: AWSStepFunctions.StartExecution` and a JSON object.

use http::Response;
use http::request::Parts;
use serde_json::{Map, Value};

use super::{Asked, Body, JsonVersion, answer, text};
use crate::local::fault::Fault;

/// Target prefix and service.
const TARGETS: &[(&str, &str)] = &[
    ("AmazonAthena", "athena"),
    ("AWSGlue", "glue"),
    ("AWSStepFunctions", "states"),
    ("Logs_20140328", "logs"),
];

pub fn decode(head: &Parts, body: &[u8]) -> Result<Asked, Fault> {
    let target = text(head, "x-amz-target").unwrap_or_default();
    let (prefix, operation) = target.split_once('.').unwrap_or((target, ""));
    let Some((_, service)) = TARGETS.iter().find(|(p, _)| *p == prefix) else {
        return Err(unknown(target));
    };
    if operation.is_empty() {
        return Err(unknown(target));
    }
    Ok(Asked { service, operation: operation.to_owned(), input: object(body)? })
}

/// A JSON object; an empty body counts as `{}`.
pub fn object(body: &[u8]) -> Result<Value, Fault> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    match serde_json::from_slice(body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(Fault::client(
            "SerializationException",
            "Start of structure or map found where not expected.",
        )),
        Err(error) => Err(Fault::client("SerializationException", format!("The body is not JSON: {error}"))),
    }
}

pub fn unknown(operation: &str) -> Fault {
    Fault::client(
        "UnknownOperationException",
        format!("The local cloud does not know the operation {operation}."),
    )
}

pub fn encode(version: JsonVersion, output: &Value) -> Response<Body> {
    answer(200, content_type(version), render(output))
}

pub fn content_type(version: JsonVersion) -> &'static str {
    match version {
        JsonVersion::One0 => "application/x-amz-json-1.0",
        JsonVersion::One1 => "application/x-amz-json-1.1",
    }
}

/// Operations without an answer send `{}`.
pub fn render(output: &Value) -> Vec<u8> {
    if output.is_null() { b"{}".to_vec() } else { output.to_string().into_bytes() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ask(target: &str, body: &[u8]) -> Result<Asked, Fault> {
        let head = http::Request::builder().header("x-amz-target", target).body(()).unwrap().into_parts().0;
        decode(&head, body)
    }

    #[test]
    fn targets_become_operations() {
        let asked = ask("AmazonAthena.GetQueryExecution", br#"{"QueryExecutionId":"q"}"#).unwrap();
        assert_eq!((asked.service, asked.operation.as_str()), ("athena", "GetQueryExecution"));
        assert_eq!(asked.input, json!({"QueryExecutionId": "q"}));
        assert_eq!(ask("DynamoDB_20120810.ListTables", b"{}").unwrap_err().code, "UnknownOperationException");
        assert_eq!(ask("AmazonAthena.ListWorkGroups", b"[1]").unwrap_err().code, "SerializationException");
        assert_eq!(ask("AmazonAthena.ListWorkGroups", b"{").unwrap_err().code, "SerializationException");
        assert_eq!(ask("AmazonAthena.ListWorkGroups", b"").unwrap().input, json!({}));
    }
}
