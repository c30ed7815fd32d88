//! PutObject, CopyObject, DeleteObject, DeleteObjects.

use futures::StreamExt;
use s3s::dto::*;
use s3s::{S3Request, S3Response};

use super::{S3, answer, condition, id_of, invalid_argument, quoted, timestamp};
use crate::local::fault::Fault;
use crate::local::objects::bodies::Draft;
use crate::local::objects::{Arrival, Condition, Object, precondition};
use crate::local::wire::payload::{Refused, Verified};

/// What an uploader says about an object, in any of the operations that make one.
pub struct Description {
    pub cache_control: Option<String>,
    pub content_disposition: Option<String>,
    pub content_encoding: Option<String>,
    pub content_language: Option<String>,
    pub content_type: Option<String>,
    pub metadata: Option<Metadata>,
}

impl Description {
    pub fn object(self) -> Object {
        let headers = [
            ("cache-control", self.cache_control),
            ("content-disposition", self.content_disposition),
            ("content-encoding", self.content_encoding),
            ("content-language", self.content_language),
        ];
        Object {
            content_type: self.content_type,
            headers: headers
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?)))
                .collect(),
            metadata: self.metadata.unwrap_or_default().into_iter().collect(),
            ..Object::default()
        }
    }
}

/// Reads a body into a draft; what is wrong with it is found before anything is committed.
pub async fn receive(s3: &S3, body: Option<StreamingBlob>) -> Result<Draft, Fault> {
    let mut draft = s3.store.bodies.draft();
    let Some(mut body) = body else { return Ok(draft) };
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| match error.downcast::<Refused>() {
            Ok(refused) => refused.0,
            Err(error) => Fault::client("IncompleteBody", error.to_string()),
        })?;
        draft.write(&piece).await?;
    }
    Ok(draft)
}

/// The checksums that were verified while the body was read.
pub fn verified<T>(request: &S3Request<T>) -> Verified {
    request.extensions.get::<Verified>().cloned().unwrap_or_default()
}

pub async fn put_object(
    s3: &S3,
    request: S3Request<PutObjectInput>,
) -> Result<S3Response<PutObjectOutput>, Fault> {
    let (request_id, sums) = (id_of(&request), verified(&request));
    let input = request.input;
    // Before a large body is read.
    s3.store.bucket(&input.bucket)?;
    let draft = receive(s3, input.body).await?;
    let mut object = Description {
        cache_control: input.cache_control,
        content_disposition: input.content_disposition,
        content_encoding: input.content_encoding,
        content_language: input.content_language,
        content_type: input.content_type,
        metadata: input.metadata,
    }
    .object();
    object.checksums = sums.checksums().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let arrival = Arrival {
        bucket: input.bucket,
        key: input.key,
        object,
        condition: Condition {
            if_match: condition(input.if_match),
            if_none_match: condition(input.if_none_match),
        },
        event: "ObjectCreated:Put",
        request_id,
    };
    let object = s3.store.put(arrival, draft).await?;
    let sum = |name: &str| object.checksums.get(name).cloned();
    answer(PutObjectOutput {
        e_tag: Some(quoted(&object.etag)),
        checksum_crc32: sum("crc32"),
        checksum_crc32c: sum("crc32c"),
        checksum_crc64nvme: sum("crc64nvme"),
        checksum_sha1: sum("sha1"),
        checksum_sha256: sum("sha256"),
        checksum_type: (!object.checksums.is_empty())
            .then(|| ChecksumType::from_static(ChecksumType::FULL_OBJECT)),
        ..Default::default()
    })
}

/// Bucket and key of a copy's source.
pub fn source(source: CopySource) -> Result<(String, String), Fault> {
    match source {
        CopySource::Bucket { bucket, key, .. } => Ok((bucket.into(), key.into())),
        _ => Err(invalid_argument("The local cloud copies from buckets only, not from access points.")),
    }
}

/// Judges the conditions on a copy's source; `*` is not among them.
pub fn judge_source(
    object: &Object,
    if_match: Option<ETagCondition>,
    if_none_match: Option<ETagCondition>,
) -> Result<(), Fault> {
    if condition(if_match).is_some_and(|wanted| wanted != object.etag) {
        return Err(precondition("x-amz-copy-source-If-Match"));
    }
    if condition(if_none_match).is_some_and(|unwanted| unwanted == object.etag) {
        return Err(precondition("x-amz-copy-source-If-None-Match"));
    }
    Ok(())
}

pub async fn copy_object(
    s3: &S3,
    request: S3Request<CopyObjectInput>,
) -> Result<S3Response<CopyObjectOutput>, Fault> {
    let request_id = id_of(&request);
    let input = request.input;
    let (bucket, key) = source(input.copy_source)?;
    let replace = input.metadata_directive.is_some_and(|d| d.as_str() == MetadataDirective::REPLACE);
    let described = replace.then(|| {
        Description {
            cache_control: input.cache_control,
            content_disposition: input.content_disposition,
            content_encoding: input.content_encoding,
            content_language: input.content_language,
            content_type: input.content_type,
            metadata: input.metadata,
        }
        .object()
    });
    let object = s3.store.object(&bucket, &key)?;
    judge_source(&object, input.copy_source_if_match, input.copy_source_if_none_match)?;
    let copied = s3.store.copy((&bucket, &key), (&input.bucket, &input.key), described, &request_id).await?;
    answer(CopyObjectOutput {
        copy_object_result: Some(CopyObjectResult {
            e_tag: Some(quoted(&copied.etag)),
            last_modified: Some(timestamp(copied.modified())),
            ..Default::default()
        }),
        ..Default::default()
    })
}

pub async fn delete_object(
    s3: &S3,
    request: S3Request<DeleteObjectInput>,
) -> Result<S3Response<DeleteObjectOutput>, Fault> {
    let request_id = id_of(&request);
    let input = request.input;
    let only = Condition { if_match: condition(input.if_match), if_none_match: None };
    s3.store.remove(&input.bucket, &input.key, only, &request_id).await?;
    answer(DeleteObjectOutput::default())
}

pub async fn delete_objects(
    s3: &S3,
    request: S3Request<DeleteObjectsInput>,
) -> Result<S3Response<DeleteObjectsOutput>, Fault> {
    let request_id = id_of(&request);
    let input = request.input;
    s3.store.bucket(&input.bucket)?;
    if input.delete.objects.len() > 1000 || input.delete.objects.is_empty() {
        return Err(Fault::client(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        ));
    }
    // Together, so that they are committed together.
    let removals = input.delete.objects.into_iter().map(|object| {
        let (bucket, request_id) = (&input.bucket, &request_id);
        async move {
            let only = Condition { if_match: object.e_tag.map(ETag::into_value), if_none_match: None };
            let outcome = s3.store.remove(bucket, &object.key, only, request_id).await;
            (object.key, outcome)
        }
    });
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for (key, outcome) in futures::future::join_all(removals).await {
        match outcome {
            Ok(()) => deleted.push(DeletedObject { key: Some(key), ..Default::default() }),
            Err(fault) => errors.push(Error {
                code: Some(fault.code),
                key: Some(key),
                message: Some(fault.message),
                ..Default::default()
            }),
        }
    }
    let quiet = input.delete.quiet == Some(true);
    answer(DeleteObjectsOutput {
        deleted: (!quiet).then_some(deleted),
        errors: (!errors.is_empty()).then_some(errors),
        ..Default::default()
    })
}
