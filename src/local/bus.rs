//! Where the services meet: they call and notify each other through here and never import each
//! other.
//!
//! A **call** is AWS's own operation with its input and output as JSON in the shape of the API
//! (`bus.call("athena", "StartQueryExecution", json!({"QueryString": …}))`): the wire decodes to it,
//! Step Functions tasks use it, and a service that speaks XML or REST on the wire still speaks JSON
//! here. Bodies in bulk go through [`Objects`]. An **event** is written in the transaction of the
//! write that caused it ([`Bus::post`]) and delivered at least once: the durable outbox, whose
//! deliverer is [`super::outbox`].

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock, RwLock};

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::fault::Fault;
use super::store::{Store, Tx};

/// The account every local resource belongs to.
pub const ACCOUNT: &str = "000000000000";

/// One AWS service of the local cloud.
pub trait Service: Send + Sync + 'static {
    /// `s3`, `athena`, `states`, `lambda`, `sns`, `logs`, `sts`.
    fn name(&self) -> &'static str;

    /// Performs one operation, by AWS's own name (`StartExecution`).
    fn call<'a>(&'a self, operation: &'a str, input: Value) -> BoxFuture<'a, Result<Value, Fault>>;

    /// Takes up what an earlier process left unfinished. Called once, after every service is
    /// registered and the endpoint is known.
    fn resume(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    /// What an earlier process left unfinished, one sentence each: asked before [`Service::resume`].
    fn unfinished(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether something runs that the process should not leave behind.
    fn busy(&self) -> bool {
        false
    }
}

/// What a listing says of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    pub key: String,
    pub size: u64,
    pub etag: String,
    pub modified: DateTime<Utc>,
}

/// Bodies of objects for services that read or write them in bulk.
pub trait Objects: Send + Sync + 'static {
    /// In key order. `NoSuchBucket` when there is none of that name.
    fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<ObjectInfo>, Fault>;
    /// `NoSuchKey` when there is none of that name.
    fn head(&self, bucket: &str, key: &str) -> Result<ObjectInfo, Fault>;
    /// A range of the body (all of it for `None`), cut at the body's end.
    fn read(&self, bucket: &str, key: &str, range: Option<Range<u64>>) -> Result<Bytes, Fault>;
    /// Writes an object as PutObject does, its event included.
    fn write<'a>(
        &'a self,
        bucket: &'a str,
        key: &'a str,
        body: Bytes,
        content_type: &'a str,
    ) -> BoxFuture<'a, Result<(), Fault>>;
    /// Writes an object whose body arrives in parts. A body that fails leaves what was there.
    fn write_stream<'a>(
        &'a self,
        bucket: &'a str,
        key: &'a str,
        mut body: BoxStream<'a, Result<Bytes, Fault>>,
        content_type: &'a str,
    ) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            let mut all = BytesMut::new();
            while let Some(part) = body.next().await {
                all.extend_from_slice(&part?);
            }
            self.write(bucket, key, all.freeze(), content_type).await
        })
    }
    fn delete<'a>(&'a self, bucket: &'a str, key: &'a str) -> BoxFuture<'a, Result<(), Fault>>;
}

/// A call to be made once the transaction that posted it is committed.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Event {
    /// The receiving service and its operation; an `Err` is retried twice, as AWS's asynchronous
    /// invocation is (after 1 and 2 minutes of the cloud's clock), then dropped with a log line.
    pub service: String,
    pub operation: String,
    pub input: Value,
}

/// Shared by every service.
pub struct Bus {
    pub store: Store,
    pub clock: Clock,
    pub region: String,
    /// Cancelled when the cloud stops: end what runs.
    pub stopping: CancellationToken,
    services: RwLock<HashMap<&'static str, Arc<dyn Service>>>,
    objects: OnceLock<Arc<dyn Objects>>,
    endpoint: OnceLock<String>,
    posted: Notify,
}

impl Bus {
    pub fn new(store: Store, clock: Clock, region: impl Into<String>) -> Arc<Bus> {
        Arc::new(Bus {
            store,
            clock,
            region: region.into(),
            stopping: CancellationToken::new(),
            services: RwLock::default(),
            objects: OnceLock::new(),
            endpoint: OnceLock::new(),
            posted: Notify::new(),
        })
    }

    pub fn register(&self, service: Arc<dyn Service>) {
        self.services.write().unwrap_or_else(|e| e.into_inner()).insert(service.name(), service);
    }

    pub fn service(&self, name: &str) -> Option<Arc<dyn Service>> {
        self.services.read().unwrap_or_else(|e| e.into_inner()).get(name).cloned()
    }

    /// Performs an operation of another service.
    pub async fn call(&self, service: &str, operation: &str, input: Value) -> Result<Value, Fault> {
        match self.service(service) {
            Some(service) => service.call(operation, input).await,
            None => {
                Err(Fault::new(501, "NotImplemented", format!("the local cloud has no service '{service}'")))
            }
        }
    }

    /// Sets who keeps the objects; the first one stays.
    pub fn provide_objects(&self, objects: Arc<dyn Objects>) {
        let _ = self.objects.set(objects);
    }

    pub fn objects(&self) -> Result<&Arc<dyn Objects>, Fault> {
        self.objects.get().ok_or_else(|| Fault::internal("the local cloud has no object store"))
    }

    /// `http://127.0.0.1:port`, once the listener stands.
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.get().map(String::as_str)
    }

    pub fn provide_endpoint(&self, url: String) {
        let _ = self.endpoint.set(url);
    }

    /// Every registered service.
    pub fn services(&self) -> Vec<Arc<dyn Service>> {
        self.services.read().unwrap_or_else(|e| e.into_inner()).values().cloned().collect()
    }

    /// Writes an event into the outbox, within the caller's transaction. Deliver with
    /// [`Bus::nudge`] after the commit.
    pub fn post(tx: &mut Tx<'_>, event: &Event) -> Result<(), Fault> {
        super::outbox::post(tx, event)
    }

    /// Tells the deliverer that the outbox has something.
    pub fn nudge(&self) {
        self.posted.notify_one();
    }

    /// Resolves at the next [`Bus::nudge`], or at once if there was one since the last wait.
    pub async fn nudged(&self) {
        self.posted.notified().await;
    }
}
