//! S3: the protocol over [`super::objects`].
//!
//! On the wire the crate `s3s` reads and writes the XML; [`wire`] implements its trait, with the
//! answers of one noun in one file: [`reading`], [`writing`], [`lists`], [`multipart`],
//! [`buckets`]. On the bus S3 speaks JSON in the shape of Step Functions' `aws-sdk:s3` integration:
//! [`calls`].

mod buckets;
mod calls;
mod lists;
mod multipart;
mod reading;
mod wire;
mod writing;

use std::sync::Arc;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, dto};
use serde_json::Value;

use super::bus::{Bus, Service};
use super::fault::Fault;
use super::objects::ObjectStore;
use super::router::RequestId;
use super::wire::{Protocol, fault};

pub struct S3 {
    store: Arc<ObjectStore>,
    bus: Arc<Bus>,
}

impl S3 {
    pub fn new(bus: &Arc<Bus>, store: Arc<ObjectStore>) -> Arc<S3> {
        Arc::new(S3 { store, bus: bus.clone() })
    }

    /// The service that answers S3's protocol; whether requests are signed was judged before.
    pub fn wire(self: &Arc<S3>) -> S3Service {
        S3ServiceBuilder::new(wire::Wire(self.clone())).build()
    }
}

impl Service for S3 {
    fn name(&self) -> &'static str {
        "s3"
    }

    fn call<'a>(&'a self, operation: &'a str, input: Value) -> BoxFuture<'a, Result<Value, Fault>> {
        Box::pin(calls::call(&self.store, operation, input))
    }
}

/// An error as S3 writes it.
fn error(fault: Fault, request_id: &str) -> S3Error {
    let code = fault::code(Protocol::S3, &fault);
    let code = S3ErrorCode::from_bytes(code.as_bytes()).unwrap_or(S3ErrorCode::InternalError);
    let mut error = S3Error::with_message(code, fault.message);
    if let Ok(status) = http::StatusCode::from_u16(fault.status) {
        error.set_status_code(status);
    }
    error.set_request_id(request_id);
    error
}

/// The request's id as the answer's header will have it.
fn id_of<T>(request: &S3Request<T>) -> String {
    request.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default()
}

fn answer<T>(output: T) -> Result<S3Response<T>, Fault> {
    Ok(S3Response::new(output))
}

fn timestamp(time: DateTime<Utc>) -> dto::Timestamp {
    dto::Timestamp::from(SystemTime::from(time))
}

fn quoted(etag: &str) -> dto::ETag {
    dto::ETag::Strong(etag.to_owned())
}

/// The text of `If-Match` and its like.
fn condition(condition: Option<dto::ETagCondition>) -> Option<String> {
    condition.map(|condition| match condition {
        dto::ETagCondition::Any => "*".to_owned(),
        dto::ETagCondition::ETag(etag) => etag.into_value(),
    })
}

/// A size for XML, which counts in signed numbers.
fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn invalid_argument(message: impl Into<String>) -> Fault {
    Fault::client("InvalidArgument", message)
}
