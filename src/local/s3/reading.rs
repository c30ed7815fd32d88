//! GetObject and HeadObject.

use std::ops::Range;

use futures::StreamExt;
use http_body_util::StreamBody;
use hyper::body::Frame;
use s3s::dto::*;
use s3s::{Body, S3Request, S3Response};

use super::{S3, answer, condition, quoted, signed, timestamp};
use crate::local::fault::Fault;
use crate::local::objects::{Object, precondition};
use crate::local::wire::payload::Refused;

/// Larger bodies are sent while they are read, bytes.
const AT_ONCE: u64 = 1024 * 1024;

pub async fn get_object(
    s3: &S3,
    request: S3Request<GetObjectInput>,
) -> Result<S3Response<GetObjectOutput>, Fault> {
    let input = request.input;
    let asked = Asked {
        if_match: condition(input.if_match),
        if_none_match: condition(input.if_none_match),
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
        range: input.range,
        part: input.part_number,
    };
    // The object may be replaced between the reads of its description and of its body.
    for _ in 0..8 {
        let object = s3.store.object(&input.bucket, &input.key)?;
        asked.judge(&object)?;
        let range = asked.range(&object)?;
        let bytes = range.clone().unwrap_or(0..object.size);
        let length = bytes.end - bytes.start;
        let body = if length <= AT_ONCE {
            s3.store.bodies.read(&object.body, bytes)?.map(Body::from)
        } else {
            s3.store.bodies.stream(&object.body, bytes)?.map(|pieces| {
                let frames = pieces.map(|piece| piece.map(Frame::data).map_err(Refused));
                Body::http_body_unsync(StreamBody::new(frames.boxed()))
            })
        };
        let Some(body) = body else { continue };
        let sums = checksums(&object, input.checksum_mode.as_ref(), range.is_some());
        let told = told(&object);
        return answer(GetObjectOutput {
            accept_ranges: Some("bytes".into()),
            body: Some(StreamingBlob::from(body)),
            cache_control: input.response_cache_control.or(told.cache_control),
            checksum_crc32: sums.checksum_crc32,
            checksum_crc32c: sums.checksum_crc32c,
            checksum_crc64nvme: sums.checksum_crc64nvme,
            checksum_sha1: sums.checksum_sha1,
            checksum_sha256: sums.checksum_sha256,
            checksum_type: sums.checksum_type,
            content_disposition: input.response_content_disposition.or(told.content_disposition),
            content_encoding: input.response_content_encoding.or(told.content_encoding),
            content_language: input.response_content_language.or(told.content_language),
            content_length: Some(signed(length)),
            content_range: range.map(|r| content_range(&r, object.size)),
            content_type: input.response_content_type.or(told.content_type),
            e_tag: Some(quoted(&object.etag)),
            last_modified: Some(timestamp(object.modified())),
            metadata: told.metadata,
            parts_count: asked.part.map(|_| told.parts),
            ..Default::default()
        });
    }
    Err(Fault::new(500, "InternalError", "The body of the object is missing from the local cloud's folder."))
}

pub async fn head_object(
    s3: &S3,
    request: S3Request<HeadObjectInput>,
) -> Result<S3Response<HeadObjectOutput>, Fault> {
    let input = request.input;
    let asked = Asked {
        if_match: condition(input.if_match),
        if_none_match: condition(input.if_none_match),
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
        range: input.range,
        part: input.part_number,
    };
    let object = s3.store.object(&input.bucket, &input.key)?;
    asked.judge(&object)?;
    let range = asked.range(&object)?;
    let sums = checksums(&object, input.checksum_mode.as_ref(), range.is_some());
    let told = told(&object);
    let length = range.as_ref().map_or(object.size, |range| range.end - range.start);
    answer(HeadObjectOutput {
        accept_ranges: Some("bytes".into()),
        cache_control: input.response_cache_control.or(told.cache_control),
        checksum_crc32: sums.checksum_crc32,
        checksum_crc32c: sums.checksum_crc32c,
        checksum_crc64nvme: sums.checksum_crc64nvme,
        checksum_sha1: sums.checksum_sha1,
        checksum_sha256: sums.checksum_sha256,
        checksum_type: sums.checksum_type,
        content_disposition: input.response_content_disposition.or(told.content_disposition),
        content_encoding: input.response_content_encoding.or(told.content_encoding),
        content_language: input.response_content_language.or(told.content_language),
        content_length: Some(signed(length)),
        content_range: range.map(|r| content_range(&r, object.size)),
        content_type: input.response_content_type.or(told.content_type),
        e_tag: Some(quoted(&object.etag)),
        last_modified: Some(timestamp(object.modified())),
        metadata: told.metadata,
        parts_count: asked.part.map(|_| told.parts),
        ..Default::default()
    })
}

/// What a reader wants and under which conditions.
struct Asked {
    if_match: Option<String>,
    if_none_match: Option<String>,
    if_modified_since: Option<Timestamp>,
    if_unmodified_since: Option<Timestamp>,
    range: Option<s3s::dto::Range>,
    part: Option<i32>,
}

impl Asked {
    /// Headers count in whole seconds; an ETag that was given decides before a time.
    fn judge(&self, object: &Object) -> Result<(), Fault> {
        let fits = |wanted: &str| wanted == "*" || wanted == object.etag;
        let seconds = chrono::DateTime::from_timestamp(object.modified().timestamp(), 0).unwrap_or_default();
        let modified = timestamp(seconds);
        match (&self.if_match, &self.if_unmodified_since) {
            (Some(wanted), _) if !fits(wanted) => return Err(precondition("If-Match")),
            (None, Some(since)) if modified > *since => return Err(precondition("If-Unmodified-Since")),
            _ => {}
        }
        let same = match (&self.if_none_match, &self.if_modified_since) {
            (Some(unwanted), _) => fits(unwanted),
            (None, Some(since)) => modified <= *since,
            _ => false,
        };
        if same { Err(Fault::new(304, "NotModified", "Not Modified")) } else { Ok(()) }
    }

    fn range(&self, object: &Object) -> Result<Option<Range<u64>>, Fault> {
        if let Some(number) = self.part {
            let mut start = 0;
            for (index, piece) in object.body.iter().enumerate() {
                if i32::try_from(index + 1) == Ok(number) {
                    return Ok(Some(start..start + piece.size));
                }
                start += piece.size;
            }
            if number == 1 {
                return Ok(None);
            }
            return Err(Fault::new(416, "InvalidPartNumber", "The requested partnumber is not satisfiable"));
        }
        let Some(range) = &self.range else { return Ok(None) };
        let range = range
            .check(object.size)
            .map_err(|_| Fault::new(416, "InvalidRange", "The requested range is not satisfiable"))?;
        Ok(Some(range))
    }
}

fn content_range(range: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1))
}

/// What the uploader said about the object.
struct Told {
    cache_control: Option<String>,
    content_disposition: Option<String>,
    content_encoding: Option<String>,
    content_language: Option<String>,
    content_type: Option<String>,
    metadata: Option<Metadata>,
    parts: i32,
}

fn told(object: &Object) -> Told {
    let header = |name: &str| object.headers.get(name).cloned();
    Told {
        cache_control: header("cache-control"),
        content_disposition: header("content-disposition"),
        content_encoding: header("content-encoding"),
        content_language: header("content-language"),
        content_type: object.content_type.clone().or_else(|| Some("binary/octet-stream".into())),
        metadata: (!object.metadata.is_empty())
            .then(|| object.metadata.iter().map(|(k, v)| (k.clone(), v.clone())).collect()),
        parts: i32::try_from(object.body.len()).unwrap_or(i32::MAX),
    }
}

/// Checksums of the whole object, when they were asked for.
fn checksums(object: &Object, mode: Option<&ChecksumMode>, partial: bool) -> Checksum {
    if mode.is_none() || partial || object.checksums.is_empty() {
        return Checksum::default();
    }
    let sum = |name: &str| object.checksums.get(name).cloned();
    Checksum {
        checksum_crc32: sum("crc32"),
        checksum_crc32c: sum("crc32c"),
        checksum_crc64nvme: sum("crc64nvme"),
        checksum_sha1: sum("sha1"),
        checksum_sha256: sum("sha256"),
        checksum_type: Some(ChecksumType::from_static(ChecksumType::FULL_OBJECT)),
    }
}
