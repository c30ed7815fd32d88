//! Errors, in each protocol's own shape.

use http::{HeaderValue, Response};
use serde_json::{Map, Value};

use super::{Body, Protocol, answer, json, query};
use crate::local::fault::Fault;

pub fn encode(protocol: Protocol, fault: &Fault, request_id: &str) -> Response<Body> {
    let mut response = match protocol {
        Protocol::Json(version) => {
            let mut members = Map::new();
            members.insert("__type".into(), fault.code.as_str().into());
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
                query::escape(&fault.code),
                query::escape(&fault.message),
            );
            answer(fault.status, "text/xml", xml)
        }
        Protocol::S3 => {
            let xml = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message>\
                 <RequestId>{request_id}</RequestId></Error>",
                query::escape(&fault.code),
                query::escape(&fault.message),
            );
            answer(fault.status, "application/xml", xml)
        }
    };
    if matches!(protocol, Protocol::Json(_) | Protocol::Rest)
        && let Ok(code) = HeaderValue::from_str(&fault.code)
    {
        response.headers_mut().insert("x-amzn-errortype", code);
    }
    response
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
