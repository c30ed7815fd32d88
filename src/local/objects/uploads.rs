//! Multipart uploads. Completing one copies nothing: the object's body is the list of its parts.

use std::ops::ControlFlow;

use chrono::Utc;
use s3s::crypto::{Checksum, Md5};
use serde::{Deserialize, Serialize};

use super::bodies::{self, Draft, Piece};
use super::{Arrival, Condition, Object, ObjectStore, buckets, check_key, decode, encode, replace};
use crate::local::fault::Fault;
use crate::local::store::{Error, Table, Tx};
use crate::local::wire::digests::hex;

const UPLOADS: Table = "s3.uploads";
pub const PARTS: Table = "s3.parts";
/// Every part but the last has at least this size, bytes.
const LEAST: u64 = 5 * 1024 * 1024;

/// An upload that is neither completed nor aborted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Upload {
    pub bucket: String,
    pub key: String,
    /// Milliseconds since the epoch.
    pub initiated: i64,
    /// What the object will be described with.
    pub object: Object,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Part {
    pub number: i32,
    pub etag: String,
    pub size: u64,
    /// Milliseconds since the epoch.
    pub modified: i64,
    pub body: Vec<Piece>,
}

/// A part as CompleteMultipartUpload names it.
#[derive(Clone, Debug)]
pub struct Chosen {
    pub number: i32,
    pub etag: Option<String>,
}

pub fn no_such_upload(id: &str) -> Fault {
    Fault::new(
        404,
        "NoSuchUpload",
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    )
    .with("UploadId", id)
}

/// Whether a bucket has uploads under way.
pub fn any(tx: &Tx<'_>, bucket: &str) -> Result<bool, Error> {
    Ok(tx.first(UPLOADS, &format!("{bucket}/"))?.is_some())
}

/// Uploads sort by bucket and key, as they are listed.
fn row(bucket: &str, key: &str, id: &str) -> String {
    format!("{bucket}/{key}\0{id}")
}

fn part_row(id: &str, number: i32) -> String {
    format!("{id}/{number:05}")
}

fn read(tx: &Tx<'_>, row: &str, id: &str) -> Result<Upload, Fault> {
    match tx.get(UPLOADS, row)? {
        Some(upload) => decode(&upload),
        None => Err(no_such_upload(id)),
    }
}

impl ObjectStore {
    /// Answers the upload's id.
    pub async fn create_upload(&self, bucket: &str, key: &str, object: Object) -> Result<String, Fault> {
        check_key(key)?;
        let id = uuid::Uuid::new_v4().simple().to_string();
        let upload = Upload {
            bucket: bucket.into(),
            key: key.into(),
            initiated: Utc::now().timestamp_millis(),
            object,
        };
        let row = row(bucket, key, &id);
        self.bus
            .store
            .transact(move |tx| {
                buckets::read(tx, &upload.bucket)?;
                tx.put(UPLOADS, row, encode(&upload)?);
                Ok::<_, Fault>(())
            })
            .await?;
        Ok(id)
    }

    /// The upload, or `NoSuchUpload`.
    pub fn upload(&self, bucket: &str, key: &str, id: &str) -> Result<Upload, Fault> {
        match self.bus.store.get(UPLOADS, &row(bucket, key, id))? {
            Some(upload) => decode(&upload),
            None => Err(no_such_upload(id)),
        }
    }

    /// Adds a part, or replaces the one of that number.
    pub async fn put_part(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
        number: i32,
        draft: Draft,
    ) -> Result<Part, Fault> {
        if !(1..=10_000).contains(&number) {
            return Err(Fault::client(
                "InvalidArgument",
                "Part number must be an integer between 1 and 10000, inclusive",
            ));
        }
        let (piece, inline, kept) = draft.finish().await?;
        let part = Part {
            number,
            etag: piece.md5.clone(),
            size: piece.size,
            modified: Utc::now().timestamp_millis(),
            body: vec![piece],
        };
        let (row, part_row, id, answer) =
            (row(bucket, key, id), part_row(id, number), id.to_owned(), part.clone());
        let gone = self
            .bus
            .store
            .transact(move |tx| {
                read(tx, &row, &id)?;
                let before = tx.get(PARTS, &part_row)?.map(|part| decode::<Part>(&part)).transpose()?;
                let gone = before.map(|part| part.body).unwrap_or_default();
                bodies::delete_inline(tx, &gone);
                if let (Some(bytes), Some(piece)) = (inline, part.body.first()) {
                    bodies::put_inline(tx, piece, bytes);
                }
                tx.put(PARTS, part_row, encode(&part)?);
                kept.keep();
                Ok::<_, Fault>(gone)
            })
            .await?;
        self.bodies.forget(&gone);
        Ok(answer)
    }

    /// The parts so far, by number.
    pub fn parts(&self, id: &str) -> Result<Vec<Part>, Fault> {
        let mut parts = Vec::new();
        self.bus.store.scan(PARTS, &format!("{id}/"), "", |_, part| {
            parts.push(decode(part));
            ControlFlow::Continue(())
        })?;
        parts.into_iter().collect()
    }

    /// Ids and uploads under way in a bucket, by key.
    pub fn uploads(&self, bucket: &str, prefix: &str) -> Result<Vec<(String, Upload)>, Fault> {
        self.bucket(bucket)?;
        let mut uploads = Vec::new();
        self.bus.store.scan(UPLOADS, &format!("{bucket}/{prefix}"), "", |row, upload| {
            let id = row.rsplit('\0').next().unwrap_or_default().to_owned();
            uploads.push(decode(upload).map(|upload| (id, upload)));
            ControlFlow::Continue(())
        })?;
        uploads.into_iter().collect()
    }

    /// Makes the object of the chosen parts; the others are dropped.
    pub async fn complete_upload(
        &self,
        arrival: (String, String, String),
        chosen: Vec<Chosen>,
        condition: Condition,
        request_id: &str,
    ) -> Result<Object, Fault> {
        let (bucket, key, id) = arrival;
        let (region, request_id) = (self.bus.region.clone(), request_id.to_owned());
        let done = self
            .bus
            .store
            .transact(move |tx| {
                let upload_row = row(&bucket, &key, &id);
                let upload = read(tx, &upload_row, &id)?;
                let mut parts = Vec::new();
                let mut unused = Vec::new();
                for (row, part) in tx.scan(PARTS, &format!("{id}/"))? {
                    let part: Part = decode(&part)?;
                    tx.delete(PARTS, row);
                    if chosen.iter().any(|c| c.number == part.number) {
                        parts.push(part);
                    } else {
                        unused.extend(part.body);
                    }
                }
                check(&chosen, &parts)?;
                tx.delete(UPLOADS, upload_row);
                bodies::delete_inline(tx, &unused);
                let mut digest = Md5::new();
                let mut object = upload.object;
                for part in &parts {
                    digest.update(&unhex(&part.etag));
                    object.size += part.size;
                    object.body.extend(part.body.iter().filter(|piece| piece.size > 0).cloned());
                }
                object.etag = format!("{}-{}", hex(&digest.finalize()), parts.len());
                let arrival = Arrival {
                    bucket,
                    key,
                    object: Object::default(),
                    condition,
                    event: "ObjectCreated:CompleteMultipartUpload",
                    request_id,
                };
                let (object, mut gone) = replace(tx, &region, arrival, object)?;
                gone.extend(unused);
                Ok::<_, Fault>((object, gone))
            })
            .await;
        self.committed(done)
    }

    /// Drops an upload and its parts.
    pub async fn abort_upload(&self, bucket: &str, key: &str, id: &str) -> Result<(), Fault> {
        let (row, id) = (row(bucket, key, id), id.to_owned());
        let gone = self
            .bus
            .store
            .transact(move |tx| {
                read(tx, &row, &id)?;
                tx.delete(UPLOADS, row);
                let mut gone = Vec::new();
                for (row, part) in tx.scan(PARTS, &format!("{id}/"))? {
                    gone.extend(decode::<Part>(&part)?.body);
                    tx.delete(PARTS, row);
                }
                bodies::delete_inline(tx, &gone);
                Ok::<_, Fault>(gone)
            })
            .await?;
        self.bodies.forget(&gone);
        Ok(())
    }
}

/// Whether the chosen parts are there, in order and large enough.
fn check(chosen: &[Chosen], parts: &[Part]) -> Result<(), Fault> {
    if chosen.is_empty() {
        return Err(Fault::client(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        ));
    }
    if chosen.windows(2).any(|pair| pair[0].number >= pair[1].number) {
        return Err(Fault::client(
            "InvalidPartOrder",
            "The list of parts was not in ascending order. Parts must be ordered by part number.",
        ));
    }
    for (index, wanted) in chosen.iter().enumerate() {
        let part = parts.iter().find(|part| part.number == wanted.number);
        let Some(part) = part.filter(|part| wanted.etag.as_ref().is_none_or(|etag| *etag == part.etag))
        else {
            return Err(Fault::client(
                "InvalidPart",
                "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
            )
            .with("PartNumber", wanted.number));
        };
        if index + 1 < chosen.len() && part.size < LEAST {
            return Err(Fault::client(
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
            )
            .with("PartNumber", wanted.number)
            .with("ProposedSize", part.size)
            .with("MinSizeAllowed", LEAST));
        }
    }
    Ok(())
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).filter_map(|i| u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok()).collect()
}
