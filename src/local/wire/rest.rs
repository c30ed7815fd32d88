//! REST-JSON, as Lambda speaks it: the operation is a method and a path, its input is spread over
//! path, query string, headers and body.

use http::request::Parts;
use http::{HeaderValue, Method, Response};
use serde_json::{Map, Value};

use super::{Asked, Body, answer, json, query, text};
use crate::local::fault::Fault;

/// Method, path behind the API's date, operation, status of its answer. `{Name}` takes one segment.
const ROUTES: &[(Method, &str, &str, u16)] = &[
    (Method::POST, "functions", "CreateFunction", 201),
    (Method::GET, "functions", "ListFunctions", 200),
    (Method::GET, "functions/{FunctionName}", "GetFunction", 200),
    (Method::DELETE, "functions/{FunctionName}", "DeleteFunction", 204),
    (Method::PUT, "functions/{FunctionName}/code", "UpdateFunctionCode", 200),
    (Method::GET, "functions/{FunctionName}/configuration", "GetFunctionConfiguration", 200),
    (Method::PUT, "functions/{FunctionName}/configuration", "UpdateFunctionConfiguration", 200),
    (Method::POST, "functions/{FunctionName}/invocations", "Invoke", 200),
    (Method::POST, "functions/{FunctionName}/policy", "AddPermission", 201),
    (Method::GET, "functions/{FunctionName}/policy", "GetPolicy", 200),
    (Method::DELETE, "functions/{FunctionName}/policy/{StatementId}", "RemovePermission", 204),
    (Method::GET, "functions/{FunctionName}/versions", "ListVersionsByFunction", 200),
    (Method::GET, "tags/{Resource}", "ListTags", 200),
    (Method::POST, "tags/{Resource}", "TagResource", 204),
];

/// Header and the input's member.
const HEADERS: &[(&str, &str)] = &[
    ("x-amz-invocation-type", "InvocationType"),
    ("x-amz-log-type", "LogType"),
    ("x-amz-client-context", "ClientContext"),
];

/// Whether a path is one of this protocol: `/2015-03-31/functions…`.
pub fn is_path(path: &str) -> bool {
    behind_date(path).is_some_and(|rest| {
        ["functions", "account-settings", "tags", "layers", "event-source-mappings"]
            .iter()
            .any(|noun| rest.strip_prefix(noun).is_some_and(|r| r.is_empty() || r.starts_with('/')))
    })
}

/// The path without `/YYYY-MM-DD/`.
fn behind_date(path: &str) -> Option<&str> {
    let (date, rest) = path.strip_prefix('/')?.split_once('/')?;
    let digits = date.bytes().filter(u8::is_ascii_digit).count();
    (date.len() == 10 && digits == 8).then_some(rest.trim_end_matches('/'))
}

pub fn decode(head: &Parts, body: &[u8]) -> Result<Asked, Fault> {
    let path = behind_date(head.uri.path()).unwrap_or_default();
    let route = ROUTES.iter().filter(|(method, ..)| *method == head.method);
    let Some((operation, names)) =
        route.filter_map(|(_, pattern, operation, _)| Some((*operation, matches(pattern, path)?))).next()
    else {
        return Err(Fault::new(404, "UnknownOperationException", json::unknown(head.uri.path()).message));
    };
    let mut input = if operation == "Invoke" {
        Map::from_iter([("Payload".to_owned(), payload(body)?)])
    } else {
        match json::object(body)? {
            Value::Object(input) => input,
            _ => Map::new(),
        }
    };
    for (name, value) in query::pairs(head.uri.query().unwrap_or_default()) {
        let number = value.parse::<i64>().ok().filter(|_| name == "MaxItems");
        input.insert(name, number.map_or(Value::String(value), Value::from));
    }
    for (header, member) in HEADERS {
        if let Some(value) = text(head, header) {
            input.insert((*member).to_owned(), Value::from(value));
        }
    }
    input.extend(names.into_iter().map(|(name, value)| (name, Value::String(value))));
    Ok(Asked { service: "lambda", operation: operation.to_owned(), input: Value::Object(input) })
}

fn matches(pattern: &str, path: &str) -> Option<Vec<(String, String)>> {
    let mut names = Vec::new();
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return Some(names),
            (Some(expected), Some(segment)) => match expected.strip_prefix('{') {
                Some(name) => {
                    let value = percent_encoding::percent_decode_str(segment).decode_utf8().ok()?;
                    names.push((name.trim_end_matches('}').to_owned(), value.into_owned()));
                }
                None if expected == segment => {}
                None => return None,
            },
            _ => return None,
        }
    }
}

/// An invocation without a body has the event `{}`.
fn payload(body: &[u8]) -> Result<Value, Fault> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    serde_json::from_slice(body).map_err(|error| {
        Fault::client(
            "InvalidRequestContentException",
            format!("Could not parse request body into json: {error}"),
        )
    })
}

pub fn encode(operation: &str, output: Value) -> Response<Body> {
    let status =
        ROUTES.iter().find(|(_, _, name, _)| *name == operation).map_or(200, |(_, _, _, status)| *status);
    if operation == "Invoke" {
        return invoked(output);
    }
    if status == 204 {
        let mut response = answer(204, "application/json", Body::empty());
        response.headers_mut().remove(http::header::CONTENT_TYPE);
        return response;
    }
    answer(status, "application/json", json::render(&output))
}

fn invoked(mut output: Value) -> Response<Body> {
    let status = output["StatusCode"].as_u64().and_then(|s| u16::try_from(s).ok()).unwrap_or(200);
    let payload = output.get_mut("Payload").map(Value::take);
    let body = match payload {
        // An event that was queued has no answer yet.
        Some(payload) if status == 200 => payload.to_string().into_bytes(),
        _ => Vec::new(),
    };
    let mut response = answer(status, "application/json", body);
    for (member, header) in [
        ("FunctionError", "x-amz-function-error"),
        ("LogResult", "x-amz-log-result"),
        ("ExecutedVersion", "x-amz-executed-version"),
    ] {
        if let Some(value) = output[member].as_str().and_then(|v| HeaderValue::from_str(v).ok()) {
            response.headers_mut().insert(header, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ask(method: &str, uri: &str, body: &[u8]) -> Result<Asked, Fault> {
        let request = http::Request::builder().method(method).uri(uri).header("x-amz-log-type", "Tail");
        decode(&request.body(()).unwrap().into_parts().0, body)
    }

    #[test]
    fn methods_and_paths_become_operations() {
        let asked =
            ask("POST", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Af/invocations?Qualifier=1", b"[1]")
                .unwrap();
        assert_eq!(asked.operation, "Invoke");
        assert_eq!(
            asked.input,
            json!({"Payload": [1], "Qualifier": "1", "LogType": "Tail", "FunctionName": "arn:aws:lambda:f"})
        );
        let asked = ask("GET", "/2015-03-31/functions/?MaxItems=5", b"").unwrap();
        assert_eq!((asked.operation.as_str(), &asked.input["MaxItems"]), ("ListFunctions", &json!(5)));
        assert_eq!(
            ask("PUT", "/2015-03-31/functions/f/code", br#"{"ZipFile":""}"#).unwrap().operation,
            "UpdateFunctionCode"
        );
        assert_eq!(ask("PATCH", "/2015-03-31/functions", b"").unwrap_err().status, 404);
        assert_eq!(
            ask("POST", "/2015-03-31/functions/f/invocations", b"{").unwrap_err().code,
            "InvalidRequestContentException"
        );
        assert!(is_path("/2015-03-31/functions"));
        assert!(!is_path("/2015-03-31/functionsx"));
        assert!(!is_path("/bucket/functions"));
    }

    #[test]
    fn an_invocation_s_answer_is_status_headers_and_body() {
        let response =
            encode("Invoke", json!({"StatusCode": 200, "FunctionError": "Unhandled", "Payload": {"a": 1}}));
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["x-amz-function-error"], "Unhandled");
        assert_eq!(encode("Invoke", json!({"StatusCode": 202})).status(), 202);
        assert_eq!(encode("DeleteFunction", Value::Null).status(), 204);
    }
}
