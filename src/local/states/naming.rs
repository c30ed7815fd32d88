//! How integrations spell things: services and errors as their SDKs name them, members with capitals,
//! the metadata of answers.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::super::fault::Fault;
use crate::asl::failure::Failure;
use crate::asl::resource::Integration;

/// The name on the bus, the prefix of errors and the name in causes.
struct Names {
    bus: &'static str,
    prefix: &'static str,
    /// In causes of optimised integrations.
    service: &'static str,
    /// Whether the API's own members begin with small letters.
    small: bool,
}

fn names(service: &str) -> Option<Names> {
    let of = |bus, prefix, service, small| Some(Names { bus, prefix, service, small });
    match service {
        "lambda" => of("lambda", "Lambda", "AWSLambda", false),
        "athena" => of("athena", "Athena", "AmazonAthena", false),
        "s3" => of("s3", "S3", "AmazonS3", false),
        "sns" => of("sns", "SNS", "AmazonSNS", false),
        "states" => of("states", "StepFunctions", "AWSStepFunctions", true),
        "sfn" => of("states", "Sfn", "Sfn", true),
        "cloudwatchlogs" => of("logs", "CloudWatchLogs", "CloudWatchLogs", true),
        "sts" => of("sts", "Sts", "Sts", false),
        _ => None,
    }
}

/// The service's name on the bus; for one that the local cloud does not have, its own.
pub fn on_bus(integration: &Integration) -> String {
    names(&integration.service).map_or_else(|| integration.service.clone(), |n| n.bus.to_owned())
}

/// The prefix of its errors.
fn prefix(integration: &Integration) -> String {
    match names(&integration.service) {
        Some(names) if integration.sdk && names.prefix == "SNS" => "Sns".into(),
        Some(names) => names.prefix.to_owned(),
        None if !integration.sdk && integration.service == "sqs" => "SQS".into(),
        None => capital(&integration.service),
    }
}

pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_ascii_uppercase().to_string()).unwrap_or_default() + chars.as_str()
}

fn small(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_ascii_lowercase().to_string()).unwrap_or_default() + chars.as_str()
}

/// The operation of the API: `getObject` → `GetObject`.
pub fn operation(integration: &Integration) -> String {
    capital(&integration.action)
}

/// The task's parameters as the API's input. Values that the API wants as text are written as JSON text.
pub fn input(integration: &Integration, parameters: &Value) -> Value {
    let mut input = match names(&integration.service) {
        Some(names) if names.small => renamed(parameters, &small),
        _ => parameters.clone(),
    };
    let text = match (integration.service.as_str(), integration.action.as_str()) {
        ("states" | "sfn", "startExecution" | "startSyncExecution") => "input",
        ("states" | "sfn", "sendTaskSuccess") => "output",
        ("sns", "publish") => "Message",
        _ => return input,
    };
    if let Some(value) = input.get_mut(text)
        && !value.is_string()
    {
        *value = value.to_string().into();
    }
    input
}

fn renamed(value: &Value, rename: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::Object(map) => {
            map.iter().map(|(k, v)| (rename(k), renamed(v, rename))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(|v| renamed(v, rename)).collect(),
        other => other.clone(),
    }
}

/// The API's answer as the task's output.
pub fn output(integration: &Integration, answer: Value) -> Value {
    let length = body_length(integration, &answer);
    let mut output = match names(&integration.service) {
        Some(names) if names.small => renamed(&answer, &capital),
        _ => answer,
    };
    times(&mut output, integration.sdk);
    if !integration.sdk
        && let Some(members) = output.as_object_mut()
    {
        let request = uuid::Uuid::new_v4().to_string();
        members.insert("SdkHttpMetadata".into(), metadata(&integration.service, &request, length));
        members.insert("SdkResponseMetadata".into(), json!({"RequestId": request}));
        members.sort_keys();
    }
    output
}

/// How long AWS's answer is on the wire, for the `Content-Length` that optimised integrations hand on.
fn body_length(integration: &Integration, answer: &Value) -> usize {
    match integration.service.as_str() {
        "lambda" => answer.get("Payload").map_or(0, |payload| payload.to_string().len()),
        "sns" => {
            let name = operation(integration);
            let members = answer.as_object().into_iter().flatten();
            let lines: usize = members
                .map(|(member, value)| {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    format!("    <{member}>{text}</{member}>\n").len()
                })
                .sum();
            let frame = format!(
                "<{name}Response xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\n  <{name}Result>\n  \
                 </{name}Result>\n  <ResponseMetadata>\n    <RequestId></RequestId>\n  </ResponseMetadata>\n\
                 </{name}Response>\n"
            );
            frame.len() + uuid::fmt::Hyphenated::LENGTH + lines
        }
        // Times are spelled `1.690000000123E9` there, two characters more than here.
        _ => answer.to_string().len() + 2 * count_times(answer),
    }
}

/// How the members end that are times, in the services that are here. A time is a number with a fraction;
/// the numbers of milliseconds that CloudWatch Logs has under such names are whole.
const TIMES: [&str; 7] =
    ["Date", "DateTime", "LastModified", "LastModifiedTime", "CreationTime", "CreateTime", "LastAccessTime"];

fn is_time(member: &str, value: &Value) -> bool {
    value.is_f64() && TIMES.iter().any(|end| member.ends_with(end))
}

fn count_times(value: &Value) -> usize {
    match value {
        Value::Object(map) => map.iter().map(|(k, v)| usize::from(is_time(k, v)) + count_times(v)).sum(),
        Value::Array(items) => items.iter().map(count_times).sum(),
        _ => 0,
    }
}

/// Times are texts in SDK integrations and milliseconds in optimised ones.
fn times(value: &mut Value, sdk: bool) {
    match value {
        Value::Object(map) => {
            for (name, value) in map.iter_mut() {
                match value.as_f64().filter(|_| is_time(name, value)) {
                    Some(seconds) => {
                        let millis = (seconds * 1000.0).round() as i64;
                        *value = match DateTime::<Utc>::from_timestamp_millis(millis) {
                            Some(time) if sdk => crate::asl::context::iso(time).into(),
                            _ => millis.into(),
                        };
                    }
                    None => times(value, sdk),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|v| times(v, sdk)),
        _ => {}
    }
}

fn metadata(service: &str, request: &str, length: usize) -> Value {
    let date = Utc::now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let mut headers: Vec<(&str, String, bool)> = match service {
        "lambda" => vec![
            ("X-Amz-Executed-Version", "$LATEST".into(), true),
            ("x-amzn-Remapped-Content-Length", "0".into(), true),
            ("Connection", "keep-alive".into(), true),
            ("x-amzn-RequestId", request.into(), false),
        ],
        _ => vec![("x-amzn-RequestId", request.into(), false), ("connection", "keep-alive".into(), true)],
    };
    headers.push(("Content-Length", length.to_string(), true));
    headers.push(("Date", date, false));
    let kind = match service {
        "lambda" => {
            let root = request.replace('-', "");
            let trace = format!("Root=1-{}-{};Parent={};Sampled=0", &root[..8], &root[8..], &root[..16]);
            headers.push(("X-Amzn-Trace-Id", trace, false));
            "application/json"
        }
        "sns" => "text/xml",
        "states" => "application/x-amz-json-1.0",
        _ => "application/x-amz-json-1.1",
    };
    headers.push(("Content-Type", kind.into(), true));
    let all: Map<String, Value> = headers
        .iter()
        .map(|(name, value, list)| {
            let value = if *list { json!([value]) } else { json!(value) };
            ((*name).to_owned(), value)
        })
        .collect();
    let single: Map<String, Value> = headers.iter().map(|(n, v, _)| ((*n).to_owned(), json!(v))).collect();
    json!({"AllHttpHeaders": all, "HttpHeaders": single, "HttpStatusCode": 200})
}

/// A service's fault as the task's failure.
pub fn failure(integration: &Integration, fault: &Fault) -> Failure {
    let prefix = prefix(integration);
    // The service is not here, or not this operation of it.
    if fault.code == "NotImplemented" && fault.status == 501 {
        let cause = format!("Unable to execute HTTP request: {}", fault.message);
        return Failure::new(format!("{prefix}.SdkClientException"), cause);
    }
    let code = &fault.code;
    let name = if code.ends_with("Exception") { code.clone() } else { format!("{code}Exception") };
    let (message, status, request) = (&fault.message, fault.status, uuid::Uuid::new_v4());
    let service = names(&integration.service).map_or_else(|| prefix.clone(), |n| n.service.to_owned());
    let cause = match (integration.sdk, integration.service.as_str()) {
        (false, _) => format!(
            "{message} (Service: {service}; Status Code: {status}; Error Code: {code}; Request ID: {request}; Proxy: null)"
        ),
        (true, "s3") => {
            let request = request.simple().to_string()[..16].to_uppercase();
            let extended = uuid::Uuid::new_v4().simple();
            format!(
                "{message} (Service: S3, Status Code: {status}, Request ID: {request}, Extended Request ID: {extended})"
            )
        }
        (true, _) => format!(
            "{message} (Service: {prefix}, Status Code: {status}, Request ID: {request}) (SDK Attempt Count: 1)"
        ),
    };
    Failure::new(format!("{prefix}.{name}"), cause)
}

/// What a function that failed says of it.
pub fn function_failure(payload: &Value) -> Failure {
    let error = payload["errorType"].as_str().filter(|e| !e.is_empty()).unwrap_or("Lambda.Unknown");
    Failure::new(error, payload.to_string())
}
