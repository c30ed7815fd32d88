//! From a request to the service it is for, and back.
//!
//! Every request runs as a task of its own: a client that hangs up does not undo half of what it
//! asked for, as on AWS.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::{FutureExt, StreamExt, TryStreamExt};
use http::request::Parts;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use s3s::service::S3Service;

use super::bus::Bus;
use super::fault::Fault;
use super::wire::{self, Asked, Body, Protocol, admit, json, payload, query, rest};

/// Largest body of an operation, bytes; a function's package arrives as base64 in JSON.
const LARGEST: usize = 96 * 1024 * 1024;
/// S3 bodies up to this size are read and verified before anything else happens, bytes.
const AT_ONCE: u64 = 1024 * 1024;

/// The request's id, for S3's errors and events.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

#[derive(Clone)]
pub struct Router {
    bus: Arc<Bus>,
    s3: S3Service,
}

impl Router {
    pub fn new(bus: Arc<Bus>, s3: S3Service) -> Router {
        Router { bus, s3 }
    }

    /// Answers a request; never fails, whatever arrived.
    pub async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let protocol = Protocol::of(&head);
        let id = RequestId(match protocol {
            Protocol::S3 => uuid::Uuid::new_v4().simple().to_string()[..16].to_ascii_uppercase(),
            _ => uuid::Uuid::new_v4().to_string(),
        });
        let mut response = match admit::admit(&head, protocol) {
            Err(fault) => wire::fault::encode(protocol, &fault, &id.0),
            Ok(()) => {
                let (this, own) = (self.clone(), id.clone());
                let work =
                    tokio::spawn(async move { this.perform(protocol, head, body, &own).await }.boxed());
                work.await.unwrap_or_else(|error| {
                    tracing::error!(%error, "a request ended in a panic");
                    let fault = Fault::internal("The local cloud failed; its log says more.");
                    wire::fault::encode(protocol, &fault, &id.0)
                })
            }
        };
        if let Ok(value) = HeaderValue::from_str(&id.0) {
            let name = if protocol == Protocol::S3 { "x-amz-request-id" } else { "x-amzn-requestid" };
            response.headers_mut().insert(name, value);
        }
        response
    }

    async fn perform(
        &self,
        protocol: Protocol,
        head: Parts,
        body: Incoming,
        id: &RequestId,
    ) -> Response<Body> {
        if protocol == Protocol::S3 {
            return self.perform_s3(head, body, id).await;
        }
        let done = async {
            let body = collect(body).await?;
            let asked = match protocol {
                Protocol::Query(service) => query::decode(service, &body)?,
                Protocol::Rest => rest::decode(&head, &body)?,
                _ => json::decode(&head, &body)?,
            };
            let Asked { service, operation, mut input } = asked;
            if service == "lambda" && operation == "Invoke" {
                // The invocation's id, in the function's log too, is that of the answer.
                input["RequestId"] = id.0.clone().into();
            }
            tracing::debug!(service, operation, "asked");
            let output = self.bus.call(service, &operation, input).await?;
            Ok::<_, Fault>(match protocol {
                Protocol::Query(_) => query::encode(service, &operation, &output, &id.0),
                Protocol::Rest => rest::encode(&operation, output),
                Protocol::Json(version) => json::encode(version, &output),
                Protocol::S3 => json::encode(wire::JsonVersion::One1, &output),
            })
        };
        done.await.unwrap_or_else(|fault| {
            tracing::debug!(%fault, "refused");
            wire::fault::encode(protocol, &fault, &id.0)
        })
    }

    async fn perform_s3(&self, mut head: Parts, body: Incoming, id: &RequestId) -> Response<Body> {
        if let Some(bucket) = wire::text(&head, "host").and_then(admit::bucket_of_host) {
            let path = format!("/{bucket}{}", head.uri.path_and_query().map_or("/", |p| p.as_str()));
            match path.parse() {
                Ok(uri) => head.uri = uri,
                Err(_) => {
                    return invalid(Fault::client("InvalidURI", "Couldn't parse the specified URI."), id);
                }
            }
        }
        let length = wire::text(&head, "content-length").and_then(|l| l.parse::<u64>().ok());
        let (pieces, verified) = payload::read(&head, body);
        payload::strip(&mut head);
        let body = if length.unwrap_or(0) <= AT_ONCE && !head.headers.contains_key(header::TRANSFER_ENCODING)
        {
            let all = pieces
                .try_fold(BytesMut::new(), |mut all, piece| async move {
                    all.extend_from_slice(&piece);
                    Ok(all)
                })
                .await;
            match all {
                Ok(all) if all.is_empty() => Body::empty(),
                Ok(all) => Body::from(all.freeze()),
                Err(payload::Refused(fault)) => return invalid(fault, id),
            }
        } else {
            head.headers.remove(header::TRANSFER_ENCODING);
            Body::http_body_unsync(StreamBody::new(pieces.map(|piece| piece.map(Frame::data)).boxed()))
        };
        let mut request = Request::from_parts(head, body);
        request.extensions_mut().insert(id.clone());
        request.extensions_mut().insert(verified);
        match self.s3.call(request).await {
            Ok(response) if response.status().is_client_error() || response.status().is_server_error() => {
                complete(response, id).await
            }
            Ok(response) => response,
            Err(error) => {
                tracing::error!(?error, "S3 could not answer");
                invalid(
                    Fault::new(500, "InternalError", "We encountered an internal error. Please try again."),
                    id,
                )
            }
        }
    }
}

/// Errors are small, so they can be read again.
async fn complete(response: Response<Body>, id: &RequestId) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    let Ok(body) = BodyExt::collect(body).await.map(|body| body.to_bytes()) else {
        return invalid(Fault::new(500, "InternalError", "We encountered an internal error."), id);
    };
    let Some(text) = wire::fault::complete(&body, &id.0) else {
        return Response::from_parts(head, Body::from(body));
    };
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, Body::from(text))
}

fn invalid(fault: Fault, id: &RequestId) -> Response<Body> {
    wire::fault::encode(Protocol::S3, &fault, &id.0)
}

async fn collect(mut body: Incoming) -> Result<Bytes, Fault> {
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| Fault::client("RequestAborted", format!("The body broke off: {e}")))?;
        if let Ok(bytes) = frame.into_data() {
            if all.len() + bytes.len() > LARGEST {
                return Err(Fault::new(
                    413,
                    "RequestEntityTooLargeException",
                    format!("The body is larger than {LARGEST} bytes."),
                ));
            }
            all.extend_from_slice(&bytes);
        }
    }
    Ok(all.freeze())
}
