//! Buckets and objects: what S3 keeps, and how it changes.
//!
//! An object's description is a row of `s3.objects` (`bucket/key`), its bytes are [`bodies`]. Every
//! change is one transaction with the event it causes, and conditions (`If-None-Match`) are judged
//! inside it, so of two writers one wins. [`listing`] pages, [`uploads`] has the multipart uploads,
//! [`notifications`] the events; `s3` speaks the protocol.

pub mod bodies;
pub mod buckets;
pub mod copies;
pub mod listing;
pub mod notifications;
pub mod uploads;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

use super::bus::{Bus, ObjectInfo, Objects};
use super::fault::Fault;
use super::store::{Table, Tx};
use bodies::{Bodies, Draft, Piece};

const OBJECTS: Table = "s3.objects";

/// An object without its bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Object {
    pub size: u64,
    /// Without quotes: MD5 of the body in hex, `…-N` for N parts.
    pub etag: String,
    /// Milliseconds since the epoch.
    pub modified: i64,
    pub content_type: Option<String>,
    /// `cache-control`, `content-encoding`, … as they were given.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The user's `x-amz-meta-…`, names without the prefix.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Checksums the uploader gave and we verified: algorithm and value in base64.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checksums: BTreeMap<String, String>,
    pub body: Vec<Piece>,
}

impl Object {
    pub fn modified(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.modified).unwrap_or_default()
    }

    fn info(&self, key: &str) -> ObjectInfo {
        ObjectInfo {
            key: key.to_owned(),
            size: self.size,
            etag: self.etag.clone(),
            modified: self.modified(),
        }
    }
}

/// What must hold of the object that is about to be replaced, removed or read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Condition {
    /// An ETag, or `*` for any object.
    pub if_match: Option<String>,
    /// An ETag, or `*` for any object.
    pub if_none_match: Option<String>,
}

impl Condition {
    /// Judges a write.
    fn judge(&self, key: &str, existing: Option<&Object>) -> Result<(), Fault> {
        let fits = |wanted: &str, object: &Object| wanted == "*" || wanted == object.etag;
        match (&self.if_match, existing) {
            (Some(_), None) => return Err(no_such_key(key)),
            (Some(wanted), Some(object)) if !fits(wanted, object) => return Err(precondition("If-Match")),
            _ => {}
        }
        match (&self.if_none_match, existing) {
            (Some(unwanted), Some(object)) if fits(unwanted, object) => Err(precondition("If-None-Match")),
            _ => Ok(()),
        }
    }
}

pub fn precondition(header: &str) -> Fault {
    Fault::new(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        .with("Condition", header)
}

pub fn no_such_key(key: &str) -> Fault {
    Fault::new(404, "NoSuchKey", "The specified key does not exist.").with("Key", key)
}

pub fn no_such_bucket(bucket: &str) -> Fault {
    Fault::new(404, "NoSuchBucket", "The specified bucket does not exist").with("BucketName", bucket)
}

/// A new version of an object, on its way in.
pub struct Arrival {
    pub bucket: String,
    pub key: String,
    /// `size`, `etag`, `modified` and `body` are filled here.
    pub object: Object,
    pub condition: Condition,
    /// `ObjectCreated:Put`
    pub event: &'static str,
    pub request_id: String,
}

/// The object store of the local cloud.
pub struct ObjectStore {
    bus: Arc<Bus>,
    pub bodies: Bodies,
}

impl ObjectStore {
    /// Sweeps bodies that no object refers to: uploads that an earlier process did not finish.
    pub fn open(bus: &Arc<Bus>, folder: Option<&Path>) -> Result<Arc<ObjectStore>, Fault> {
        let bodies = Bodies::open(bus.store.clone(), folder)?;
        let store = Arc::new(ObjectStore { bus: bus.clone(), bodies });
        store.sweep()?;
        Ok(store)
    }

    pub fn region(&self) -> &str {
        &self.bus.region
    }

    /// The object, or `NoSuchBucket` or `NoSuchKey`.
    pub fn object(&self, bucket: &str, key: &str) -> Result<Object, Fault> {
        match self.bus.store.get(OBJECTS, &row(bucket, key))? {
            Some(object) => decode(&object),
            None => {
                self.bucket(bucket)?;
                Err(no_such_key(key))
            }
        }
    }

    /// Commits an object whose bytes have arrived, with the events it causes.
    pub async fn put(&self, arrival: Arrival, draft: Draft) -> Result<Object, Fault> {
        check_key(&arrival.key)?;
        self.bucket(&arrival.bucket)?;
        let (piece, inline, kept) = draft.finish().await?;
        let mut object = arrival.object.clone();
        object.size = piece.size;
        object.etag = piece.md5.clone();
        object.body = if piece.size == 0 { Vec::new() } else { vec![piece.clone()] };
        let region = self.bus.region.clone();
        let done = self
            .bus
            .store
            .transact(move |tx| {
                let (object, gone) = replace(tx, &region, arrival, object)?;
                if let Some(bytes) = inline {
                    bodies::put_inline(tx, &piece, bytes);
                }
                kept.keep();
                Ok::<_, Fault>((object, gone))
            })
            .await;
        self.committed(done)
    }

    /// After a transaction: frees the files of what was replaced and wakes the deliverer.
    fn committed(&self, done: Result<(Object, Vec<Piece>), Fault>) -> Result<Object, Fault> {
        let (object, gone) = done?;
        self.bodies.forget(&gone);
        self.bus.nudge();
        Ok(object)
    }

    /// Removes an object. Removing what is not there succeeds, as on AWS.
    pub async fn remove(
        &self,
        bucket: &str,
        key: &str,
        condition: Condition,
        request_id: &str,
    ) -> Result<(), Fault> {
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        let (region, request_id) = (self.bus.region.clone(), request_id.to_owned());
        let gone = self
            .bus
            .store
            .transact(move |tx| {
                let home = buckets::read(tx, &bucket)?;
                let existing = existing(tx, &bucket, &key)?;
                if condition != Condition::default() {
                    condition.judge(&key, existing.as_ref())?;
                }
                let Some(object) = existing else { return Ok(Vec::new()) };
                tx.delete(OBJECTS, row(&bucket, &key));
                bodies::delete_inline(tx, &object.body);
                let happened = notifications::Happened {
                    event: "ObjectRemoved:Delete",
                    bucket: &bucket,
                    key: &key,
                    object: &object,
                    request_id: &request_id,
                    region: &region,
                };
                notifications::announce(tx, &home, &happened)?;
                Ok::<_, Fault>(object.body)
            })
            .await?;
        self.bodies.forget(&gone);
        self.bus.nudge();
        Ok(())
    }

    /// The whole body or a range of it, with the description it belongs to.
    pub fn read_all(
        &self,
        bucket: &str,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<(Object, Bytes), Fault> {
        // A body may be replaced between the two reads: then the description has changed as well.
        for _ in 0..8 {
            let object = self.object(bucket, key)?;
            let range = range.clone().unwrap_or(0..object.size);
            let range = range.start.min(object.size)..range.end.min(object.size);
            if let Some(bytes) = self.bodies.read(&object.body, range)? {
                return Ok((object, bytes));
            }
        }
        Err(Fault::new(
            500,
            "InternalError",
            "The body of the object is missing from the local cloud's folder.",
        )
        .with("Key", key))
    }

    fn sweep(&self) -> Result<(), Fault> {
        let mut used = std::collections::HashSet::new();
        let mut broken = None;
        for table in [OBJECTS, uploads::PARTS] {
            self.bus.store.scan(table, "", "", |key, value| {
                match serde_json::from_slice::<Holder>(value) {
                    Ok(holder) => used.extend(holder.body.into_iter().map(|piece| piece.id)),
                    Err(_) => broken = Some(key.to_owned()),
                }
                std::ops::ControlFlow::Continue(())
            })?;
        }
        match broken {
            // Never throw away what cannot be understood.
            Some(key) => tracing::warn!(key, "an object's description is unreadable; bodies are not swept"),
            None => self.bodies.sweep(&used),
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Holder {
    body: Vec<Piece>,
}

/// Puts `object` in the place of what was there. Answers it as stored, and the bodies that are free
/// after the commit.
fn replace(
    tx: &mut Tx<'_>,
    region: &str,
    arrival: Arrival,
    mut object: Object,
) -> Result<(Object, Vec<Piece>), Fault> {
    let home = buckets::read(tx, &arrival.bucket)?;
    let before = existing(tx, &arrival.bucket, &arrival.key)?;
    arrival.condition.judge(&arrival.key, before.as_ref())?;
    object.modified = Utc::now().timestamp_millis();
    tx.put(OBJECTS, row(&arrival.bucket, &arrival.key), encode(&object)?);
    let gone = before.map(|before| before.body).unwrap_or_default();
    bodies::delete_inline(tx, &gone);
    let happened = notifications::Happened {
        event: arrival.event,
        bucket: &arrival.bucket,
        key: &arrival.key,
        object: &object,
        request_id: &arrival.request_id,
        region,
    };
    notifications::announce(tx, &home, &happened)?;
    Ok((object, gone))
}

fn existing(tx: &Tx<'_>, bucket: &str, key: &str) -> Result<Option<Object>, Fault> {
    tx.get(OBJECTS, &row(bucket, key))?.map(|object| decode(&object)).transpose()
}

/// Names of buckets hold no slash, so the first one ends the bucket.
fn row(bucket: &str, key: &str) -> String {
    format!("{bucket}/{key}")
}

fn check_key(key: &str) -> Result<(), Fault> {
    if key.len() > 1024 {
        return Err(Fault::client("KeyTooLongError", "Your key is too long").with("Size", key.len()));
    }
    Ok(())
}

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(value).map_err(|e| Fault::new(500, "InternalError", e.to_string()))
}

fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Fault> {
    serde_json::from_slice(bytes)
        .map_err(|e| Fault::new(500, "InternalError", format!("The store holds something unreadable: {e}")))
}

impl Objects for ObjectStore {
    fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<ObjectInfo>, Fault> {
        let wanted = listing::Wanted { prefix: prefix.into(), limit: usize::MAX, ..Default::default() };
        let page = self.page(bucket, &wanted)?;
        Ok(page.objects.iter().map(|(key, object)| object.info(key)).collect())
    }

    fn head(&self, bucket: &str, key: &str) -> Result<ObjectInfo, Fault> {
        Ok(self.object(bucket, key)?.info(key))
    }

    fn read(&self, bucket: &str, key: &str, range: Option<Range<u64>>) -> Result<Bytes, Fault> {
        Ok(self.read_all(bucket, key, range)?.1)
    }

    fn write<'a>(
        &'a self,
        bucket: &'a str,
        key: &'a str,
        body: Bytes,
        content_type: &'a str,
    ) -> BoxFuture<'a, Result<(), Fault>> {
        self.write_stream(bucket, key, futures::stream::once(async { Ok(body) }).boxed(), content_type)
    }

    fn write_stream<'a>(
        &'a self,
        bucket: &'a str,
        key: &'a str,
        mut body: BoxStream<'a, Result<Bytes, Fault>>,
        content_type: &'a str,
    ) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            let mut draft = self.bodies.draft();
            while let Some(part) = body.next().await {
                draft.write(&part?).await?;
            }
            let arrival = Arrival {
                bucket: bucket.into(),
                key: key.into(),
                object: Object { content_type: Some(content_type.into()), ..Object::default() },
                condition: Condition::default(),
                event: "ObjectCreated:Put",
                request_id: request_id(),
            };
            self.put(arrival, draft).await.map(drop)
        })
    }

    fn delete<'a>(&'a self, bucket: &'a str, key: &'a str) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move { self.remove(bucket, key, Condition::default(), &request_id()).await })
    }
}

/// For changes that no request on the wire asked for.
pub fn request_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()[..16].to_ascii_uppercase()
}
