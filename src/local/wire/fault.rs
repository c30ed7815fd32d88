//! Errors, in each protocol's own shape.

use http::{HeaderValue, Response};
use serde_json::{Map, Value};

use super::{Body, Protocol, answer, json, query};
use crate::local::fault::{Fault, INTERNAL};

/// The error's code as the service spells it. What is the cloud's own fault has names of its own: S3's "List of error
/// codes", the errors of SNS's Publish and of Lambda's Invoke, the common errors of STS. Services that speak JSON
/// answer Athena's.
pub fn code(protocol: Protocol, fault: &Fault) -> &str {
    if fault.code != INTERNAL {
        return &fault.code;
    }
    match protocol {
        Protocol::S3 | Protocol::Query("sns") => "InternalError",
        Protocol::Query(_) => "InternalFailure",
        Protocol::Rest => "ServiceException",
        Protocol::Json(_) => INTERNAL,
    }
}

pub fn encode(protocol: Protocol, fault: &Fault, request_id: &str) -> Response<Body> {
    let code = code(protocol, fault);
    let mut response = match protocol {
        Protocol::Json(version) => {
            let mut members = Map::new();
            members.insert("__type".into(), code.into());
            members.insert("message".into(), fault.message.as_str().into());
            answer(fault.status, json::content_type(version), with_extra(members, fault))
        }
        Protocol::Rest => {
            let mut members = Map::new();
            members.insert("Type".into(), side(fault).replace("Sender", "User").into());
            members.insert("Message".into(), fault.message.as_str().into());
            answer(fault.status, "application/json", with_extra(members, fault))
        }
        Protocol::Query(service) => {
            let xml = format!(
                "<ErrorResponse xmlns=\"{}\"><Error><Type>{}</Type><Code>{}</Code><Message>{}</Message></Error>\
                 <RequestId>{request_id}</RequestId></ErrorResponse>",
                query::namespace(service),
                side(fault),
                query::escape(code),
                query::escape(&fault.message),
            );
            answer(fault.status, "text/xml", xml)
        }
        Protocol::S3 => {
            let xml = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message>\
                 <RequestId>{request_id}</RequestId></Error>",
                query::escape(code),
                query::escape(&fault.message),
            );
            answer(fault.status, "application/xml", xml)
        }
    };
    if matches!(protocol, Protocol::Json(_) | Protocol::Rest)
        && let Ok(code) = HeaderValue::from_str(code)
    {
        response.headers_mut().insert("x-amzn-errortype", code);
    }
    response
}

/// What S3 says with codes that its protocol's reader refuses by itself.
const S3_MESSAGES: &[(&str, &str)] = &[
    ("InvalidBucketName", "The specified bucket is not valid."),
    ("InvalidURI", "Couldn't parse the specified URI."),
    ("InvalidArgument", "Invalid Argument"),
    ("InvalidRequest", "Invalid Request"),
    ("KeyTooLongError", "Your key is too long"),
    (
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    ),
    ("MaxMessageLengthExceeded", "Your request was too big."),
    ("MethodNotAllowed", "The specified method is not allowed against this resource."),
    ("MissingContentLength", "You must provide the Content-Length HTTP header."),
    ("NotImplemented", "A header or query you provided requests functionality that is not implemented."),
    ("InternalError", "We encountered an internal error. Please try again."),
];

/// An S3 error with the message and the request's id that it should have had.
pub fn complete(body: &[u8], request_id: &str) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let (before, after) = text.split_once("</Code>")?;
    let code = before.rsplit("<Code>").next()?;
    let mut missing = String::new();
    if !after.contains("<Message>") {
        let message = S3_MESSAGES.iter().find(|(c, _)| *c == code).map_or(code, |(_, message)| message);
        missing.push_str(&format!("<Message>{}</Message>", query::escape(message)));
    }
    if !after.contains("<RequestId>") {
        missing.push_str(&format!("<RequestId>{request_id}</RequestId>"));
    }
    Some(format!("{before}</Code>{missing}{after}"))
}

fn side(fault: &Fault) -> &'static str {
    if fault.status < 500 { "Sender" } else { "Receiver" }
}

fn with_extra(mut members: Map<String, Value>, fault: &Fault) -> Vec<u8> {
    if let Some(extra) = &fault.extra {
        members.extend(extra.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    Value::Object(members).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_fails_by_its_own_name() {
        let fault = Fault::internal("no room");
        let codes = [Protocol::S3, Protocol::Query("sns"), Protocol::Query("sts"), Protocol::Rest]
            .map(|protocol| code(protocol, &fault));
        assert_eq!(codes, ["InternalError", "InternalError", "InternalFailure", "ServiceException"]);
        assert_eq!(code(Protocol::S3, &Fault::client("NoSuchKey", "")), "NoSuchKey");
    }

    #[test]
    fn a_bare_error_gets_its_message_and_id() {
        let bare = b"<Error><Code>InvalidBucketName</Code></Error>";
        assert_eq!(
            complete(bare, "ID").unwrap(),
            "<Error><Code>InvalidBucketName</Code><Message>The specified bucket is not valid.</Message>\
             <RequestId>ID</RequestId></Error>"
        );
        let whole = "<Error><Code>X</Code><Message>m</Message><RequestId>r</RequestId></Error>";
        assert_eq!(complete(whole.as_bytes(), "ID").unwrap(), whole);
    }
}
