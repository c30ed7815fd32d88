//! Copying objects within the cloud.

use std::ops::Range;

use futures::{StreamExt, pin_mut};

use super::bodies::Draft;
use super::{Arrival, Condition, Object, ObjectStore};
use crate::local::fault::Fault;

impl ObjectStore {
    /// Copies an object, with its own description or the one given instead.
    pub async fn copy(
        &self,
        (from_bucket, from_key): (&str, &str),
        (bucket, key): (&str, &str),
        described: Option<Object>,
        request_id: &str,
    ) -> Result<Object, Fault> {
        if (from_bucket, from_key) == (bucket, key) && described.is_none() {
            return Err(Fault::client(
                "InvalidRequest",
                "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
            ));
        }
        self.bucket(bucket)?;
        let (source, draft) = self.draft_of(from_bucket, from_key, None).await?;
        let object = described.unwrap_or_else(|| Object {
            content_type: source.content_type,
            headers: source.headers,
            metadata: source.metadata,
            ..Object::default()
        });
        let arrival = Arrival {
            bucket: bucket.into(),
            key: key.into(),
            // The bytes are the same, and so are their checksums.
            object: Object { checksums: source.checksums, ..object },
            condition: Condition::default(),
            event: "ObjectCreated:Copy",
            request_id: request_id.into(),
        };
        self.put(arrival, draft).await
    }

    /// A fresh body with the bytes of an object, and its description.
    pub async fn draft_of(
        &self,
        bucket: &str,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<(Object, Draft), Fault> {
        for _ in 0..8 {
            let object = self.object(bucket, key)?;
            let range = range.clone().unwrap_or(0..object.size);
            let range = range.start.min(object.size)..range.end.min(object.size);
            let Some(pieces) = self.bodies.stream(&object.body, range)? else { continue };
            let mut draft = self.bodies.draft();
            pin_mut!(pieces);
            while let Some(piece) = pieces.next().await {
                draft.write(&piece?).await?;
            }
            return Ok((object, draft));
        }
        Err(Fault::new(
            500,
            "InternalError",
            "The body of the object is missing from the local cloud's folder.",
        ))
    }
}
