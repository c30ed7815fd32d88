//! The runtime API of one execution environment, on a loopback port of its own: the child asks for
//! the next invocation and posts what came of it.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

const ROOT: &str = "/2018-06-01/runtime/";
/// What a response may hold, in bytes: 6 MB and room for JSON around it.
pub const LARGEST_RESPONSE: usize = 6 * 1024 * 1024 + 100;

/// One event for the child, and what its headers say.
#[derive(Clone, Debug)]
pub struct Invocation {
    pub request_id: String,
    /// When it will be killed, in milliseconds since the epoch.
    pub deadline: i64,
    pub function_arn: String,
    pub trace_id: String,
    pub payload: Bytes,
}

/// What the child told us.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// It asked for its first invocation: initialised.
    Ready,
    /// The function's answer.
    Answered(Bytes),
    /// The function failed: `errorType`, `errorMessage`, perhaps `stackTrace`.
    Failed(Value),
    /// It could not initialise.
    NotReady(Value),
}

/// The listener and its connections; dropping it closes them, which ends a child that waits.
pub struct RuntimeApi {
    pub address: SocketAddr,
    invocations: mpsc::UnboundedSender<Invocation>,
    told: mpsc::UnboundedReceiver<Told>,
    _open: DropGuard,
}

struct Desk {
    host: String,
    waiting: tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>,
    told: mpsc::UnboundedSender<Told>,
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    ready: bool,
    /// The request that is being worked on.
    current: Option<String>,
}

impl RuntimeApi {
    pub async fn open() -> io::Result<RuntimeApi> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (invocations, waiting) = mpsc::unbounded_channel();
        let (tell, told) = mpsc::unbounded_channel();
        let desk = Arc::new(Desk {
            host: address.to_string(),
            waiting: tokio::sync::Mutex::new(waiting),
            told: tell,
            progress: Mutex::default(),
        });
        let open = CancellationToken::new();
        tokio::spawn(open.clone().run_until_cancelled_owned(accept(listener, desk, open.clone())).boxed());
        Ok(RuntimeApi { address, invocations, told, _open: open.drop_guard() })
    }

    /// Hands the child an invocation; it takes it when it asks for the next one.
    pub fn hand(&self, invocation: Invocation) {
        // The receiver lives in the accept task, which ends with us only.
        let _ = self.invocations.send(invocation);
    }

    pub async fn told(&mut self) -> Told {
        match self.told.recv().await {
            Some(told) => told,
            // The accept task ended: nothing more will be told.
            None => std::future::pending().await,
        }
    }
}

async fn accept(listener: TcpListener, desk: Arc<Desk>, open: CancellationToken) {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "the runtime API could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        // Small answers at once; a socket that refuses the option still works.
        let _ = stream.set_nodelay(true);
        let desk = desk.clone();
        let service = service_fn(move |request| {
            let desk = desk.clone();
            async move { Ok::<_, Infallible>(desk.answer(request).await) }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(open.clone().run_until_cancelled_owned(connection).boxed());
    }
}

impl Desk {
    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(|e| e.into_inner())
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if !self.admits(request.headers()) {
            return refusal(
                StatusCode::FORBIDDEN,
                "Forbidden",
                "This is the runtime API of a local function.",
            );
        }
        let path = request.uri().path().strip_prefix(ROOT).unwrap_or_default().to_owned();
        let parts: Vec<&str> = path.split('/').collect();
        match (request.method(), parts.as_slice()) {
            (&Method::GET, ["invocation", "next"]) => self.next().await,
            (&Method::POST, ["invocation", id, "response"]) => {
                let bytes = Limited::new(request.into_body(), LARGEST_RESPONSE).collect().await;
                match bytes {
                    Ok(bytes) => self.finish(id, Told::Answered(bytes.to_bytes())),
                    Err(_) => {
                        let limit = format!(
                            "Response payload size exceeded maximum allowed payload size ({LARGEST_RESPONSE} bytes)."
                        );
                        let body =
                            json!({ "errorType": "Function.ResponseSizeTooLarge", "errorMessage": limit });
                        self.finish(id, Told::Failed(body));
                        refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &limit)
                    }
                }
            }
            (&Method::POST, ["invocation", id, "error"]) => {
                let body = failure(request).await;
                self.finish(id, Told::Failed(body))
            }
            (&Method::POST, ["init", "error"]) => {
                let body = failure(request).await;
                self.tell(Told::NotReady(body));
                accepted()
            }
            _ => refusal(StatusCode::NOT_FOUND, "NotFound", "The runtime API has no such path."),
        }
    }

    /// No web page may drive a function: it would send an Origin, or another Host.
    fn admits(&self, headers: &HeaderMap) -> bool {
        !headers.contains_key(http::header::ORIGIN)
            && headers.get(http::header::HOST).is_some_and(|host| host.as_bytes() == self.host.as_bytes())
    }

    fn tell(&self, told: Told) {
        // Nobody listens any more: the environment is being dropped.
        let _ = self.told.send(told);
    }

    async fn next(&self) -> Response<Full<Bytes>> {
        let first = !std::mem::replace(&mut self.progress().ready, true);
        if first {
            self.tell(Told::Ready);
        }
        let Some(invocation) = self.waiting.lock().await.recv().await else {
            return refusal(StatusCode::GONE, "Gone", "The execution environment is being shut down.");
        };
        self.progress().current = Some(invocation.request_id.clone());
        let response = Response::builder()
            .header("Content-Type", "application/json")
            .header("Lambda-Runtime-Aws-Request-Id", &invocation.request_id)
            .header("Lambda-Runtime-Deadline-Ms", invocation.deadline)
            .header("Lambda-Runtime-Invoked-Function-Arn", &invocation.function_arn)
            .header("Lambda-Runtime-Trace-Id", &invocation.trace_id)
            .body(Full::new(invocation.payload));
        response.unwrap_or_else(|error| {
            refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", &error.to_string())
        })
    }

    /// Takes the result of the current request; a result for any other is refused.
    fn finish(&self, id: &str, told: Told) -> Response<Full<Bytes>> {
        let known = self.progress().current.take_if(|current| current == id).is_some();
        if !known {
            return refusal(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID");
        }
        self.tell(told);
        accepted()
    }
}

/// The body of an error post; what is no JSON becomes the message.
async fn failure(request: Request<Incoming>) -> Value {
    let kind = request.headers().get("Lambda-Runtime-Function-Error-Type");
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or("Runtime.Unknown").to_owned();
    let body = Limited::new(request.into_body(), LARGEST_RESPONSE).collect().await;
    let body = body.map(|body| body.to_bytes()).unwrap_or_default();
    match serde_json::from_slice(&body) {
        Ok(Value::Object(body)) => Value::Object(body),
        _ => json!({ "errorType": kind, "errorMessage": String::from_utf8_lossy(&body) }),
    }
}

fn accepted() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"{\"status\":\"OK\"}\n")));
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

fn refusal(status: StatusCode, kind: &str, message: &str) -> Response<Full<Bytes>> {
    let body = json!({ "errorMessage": message, "errorType": kind }).to_string();
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
}
