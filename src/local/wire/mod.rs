//! AWS's wire protocols: an HTTP request becomes an [`Asked`] operation with JSON input, its answer
//! becomes HTTP again. Pure but for bodies that are still arriving.
//!
//! One file per protocol: [`json`] (Athena, Step Functions, Logs), [`query`] (SNS, STS), [`rest`]
//! (Lambda); [`fault`] writes errors in each of them; [`admit`] decides who is listened to at all.
//! S3 has its own: [`payload`] and [`digests`] here, then the crate `s3s`.

pub mod admit;
pub mod digests;
pub mod fault;
pub mod json;
pub mod payload;
pub mod query;
pub mod rest;

use http::request::Parts;
use http::{Response, StatusCode, header};
use serde_json::Value;

/// The body of every answer.
pub use s3s::Body;

/// An operation as it was asked for on the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The service's name on the bus.
    pub service: &'static str,
    /// `StartExecution`.
    pub operation: String,
    /// In the shape of the API.
    pub input: Value,
}

/// How a request and its answer are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `X-Amz-Target` and a JSON body; the version is the content type's.
    Json(JsonVersion),
    /// `Action=` in a form body, XML back.
    Query(&'static str),
    /// Method and path, JSON bodies.
    Rest,
    S3,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonVersion {
    One0,
    One1,
}

impl Protocol {
    /// Which protocol a request speaks, by its head alone.
    pub fn of(head: &Parts) -> Protocol {
        let content_type = text(head, "content-type").unwrap_or_default();
        if head.headers.contains_key("x-amz-target") {
            let old = content_type.starts_with("application/x-amz-json-1.0");
            return Protocol::Json(if old { JsonVersion::One0 } else { JsonVersion::One1 });
        }
        let service = scope(head).unwrap_or_default();
        if rest::is_path(head.uri.path()) && service != "s3" {
            return Protocol::Rest;
        }
        match service.as_str() {
            "lambda" => Protocol::Rest,
            "sns" => Protocol::Query("sns"),
            "sts" => Protocol::Query("sts"),
            "" if head.method == http::Method::POST
                && head.uri.path() == "/"
                && content_type.starts_with("application/x-www-form-urlencoded") =>
            {
                Protocol::Query("sts")
            }
            _ => Protocol::S3,
        }
    }
}

/// A header as text.
pub fn text<'a>(head: &'a Parts, name: &str) -> Option<&'a str> {
    head.headers.get(name)?.to_str().ok()
}

/// The service a request was signed for: `s3`, from its credential's scope
/// (`AKID/20260101/us-east-1/s3/aws4_request`).
pub fn scope(head: &Parts) -> Option<String> {
    let from_header = text(head, "authorization").and_then(|authorization| {
        let (_, rest) = authorization.split_once("Credential=")?;
        Some(rest.split([',', ' ']).next().unwrap_or(rest).to_owned())
    });
    let credential = from_header.or_else(|| query_member(head, "X-Amz-Credential"))?;
    credential.rsplit('/').nth(1).map(str::to_owned)
}

/// A parameter of the query string, decoded.
pub fn query_member(head: &Parts, name: &str) -> Option<String> {
    query::pairs(head.uri.query().unwrap_or_default()).into_iter().find(|(n, _)| n == name).map(|(_, v)| v)
}

/// An answer with a body of a known type. `status` must be a valid one; anything else becomes 500.
pub fn answer(status: u16, content_type: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(build: http::request::Builder) -> Parts {
        build.body(()).unwrap().into_parts().0
    }

    #[test]
    fn protocols_are_told_apart_by_target_scope_and_path() {
        let signed = |service: &str| {
            http::Request::builder().uri("http://127.0.0.1/x").header(
                "authorization",
                format!("AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"),
            )
        };
        assert_eq!(Protocol::of(&head(signed("s3"))), Protocol::S3);
        assert_eq!(Protocol::of(&head(signed("sns"))), Protocol::Query("sns"));
        assert_eq!(Protocol::of(&head(signed("lambda"))), Protocol::Rest);
        let target = signed("states").header("x-amz-target", "AWSStepFunctions.ListExecutions");
        let target = target.header("content-type", "application/x-amz-json-1.0");
        assert_eq!(Protocol::of(&head(target)), Protocol::Json(JsonVersion::One0));
        let presigned = http::Request::builder()
            .uri("/b/k?X-Amz-Credential=AK%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature=0");
        assert_eq!(scope(&head(presigned)).as_deref(), Some("s3"));
    }
}
