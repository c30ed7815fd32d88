//! Multipart uploads.

use s3s::dto::*;
use s3s::{S3Request, S3Response};

use super::lists::Keys;
use super::writing::{Description, judge_source, receive, source, verified};
use super::{S3, answer, condition, id_of, invalid_argument, quoted, signed, timestamp};
use crate::local::fault::Fault;
use crate::local::objects::Condition;
use crate::local::objects::uploads::Chosen;

type Answer<T> = Result<S3Response<T>, Fault>;

fn time(milliseconds: i64) -> Timestamp {
    timestamp(chrono::DateTime::from_timestamp_millis(milliseconds).unwrap_or_default())
}

pub async fn create_multipart_upload(
    s3: &S3,
    request: S3Request<CreateMultipartUploadInput>,
) -> Answer<CreateMultipartUploadOutput> {
    let input = request.input;
    let object = Description {
        cache_control: input.cache_control,
        content_disposition: input.content_disposition,
        content_encoding: input.content_encoding,
        content_language: input.content_language,
        content_type: input.content_type,
        metadata: input.metadata,
    }
    .object();
    let id = s3.store.create_upload(&input.bucket, &input.key, object).await?;
    answer(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id),
        checksum_algorithm: input.checksum_algorithm,
        checksum_type: input.checksum_type,
        ..Default::default()
    })
}

pub async fn upload_part(s3: &S3, request: S3Request<UploadPartInput>) -> Answer<UploadPartOutput> {
    let sums = verified(&request);
    let input = request.input;
    // Before a large body is read.
    s3.store.upload(&input.bucket, &input.key, &input.upload_id)?;
    let draft = receive(s3, input.body).await?;
    let part =
        s3.store.put_part(&input.bucket, &input.key, &input.upload_id, input.part_number, draft).await?;
    let sums = sums.checksums();
    let sum = |name: &str| sums.iter().find(|(n, _)| *n == name).map(|(_, value)| value.clone());
    answer(UploadPartOutput {
        e_tag: Some(quoted(&part.etag)),
        checksum_crc32: sum("crc32"),
        checksum_crc32c: sum("crc32c"),
        checksum_crc64nvme: sum("crc64nvme"),
        checksum_sha1: sum("sha1"),
        checksum_sha256: sum("sha256"),
        ..Default::default()
    })
}

pub async fn upload_part_copy(
    s3: &S3,
    request: S3Request<UploadPartCopyInput>,
) -> Answer<UploadPartCopyOutput> {
    let input = request.input;
    s3.store.upload(&input.bucket, &input.key, &input.upload_id)?;
    let (bucket, key) = source(input.copy_source)?;
    let object = s3.store.object(&bucket, &key)?;
    judge_source(&object, input.copy_source_if_match, input.copy_source_if_none_match)?;
    let range = input
        .copy_source_range
        .map(|range| {
            let range = s3s::dto::Range::parse(&range).map_err(|_| {
                invalid_argument("The x-amz-copy-source-range value must be of the form bytes=first-last")
            })?;
            range
                .check(object.size)
                .map_err(|_| Fault::new(416, "InvalidRange", "The requested range is not satisfiable"))
        })
        .transpose()?;
    let draft = s3.store.draft_of(&bucket, &key, range).await?.1;
    let part =
        s3.store.put_part(&input.bucket, &input.key, &input.upload_id, input.part_number, draft).await?;
    answer(UploadPartCopyOutput {
        copy_part_result: Some(CopyPartResult {
            e_tag: Some(quoted(&part.etag)),
            last_modified: Some(time(part.modified)),
            ..Default::default()
        }),
        ..Default::default()
    })
}

pub async fn complete_multipart_upload(
    s3: &S3,
    request: S3Request<CompleteMultipartUploadInput>,
) -> Answer<CompleteMultipartUploadOutput> {
    let request_id = id_of(&request);
    let input = request.input;
    let parts = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    let chosen = parts
        .into_iter()
        .map(|part| Chosen { number: part.part_number.unwrap_or(0), etag: part.e_tag.map(ETag::into_value) });
    let only =
        Condition { if_match: condition(input.if_match), if_none_match: condition(input.if_none_match) };
    let target = (input.bucket.clone(), input.key.clone(), input.upload_id);
    let object = s3.store.complete_upload(target, chosen.collect(), only, &request_id).await?;
    answer(CompleteMultipartUploadOutput {
        location: s3.bus.endpoint().map(|url| format!("{url}/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(quoted(&object.etag)),
        ..Default::default()
    })
}

pub async fn abort_multipart_upload(
    s3: &S3,
    request: S3Request<AbortMultipartUploadInput>,
) -> Answer<AbortMultipartUploadOutput> {
    let input = request.input;
    s3.store.abort_upload(&input.bucket, &input.key, &input.upload_id).await?;
    answer(AbortMultipartUploadOutput::default())
}

pub async fn list_parts(s3: &S3, request: S3Request<ListPartsInput>) -> Answer<ListPartsOutput> {
    let input = request.input;
    s3.store.upload(&input.bucket, &input.key, &input.upload_id)?;
    let after = input.part_number_marker.unwrap_or(0);
    let limit = input.max_parts.unwrap_or(1000).clamp(0, 1000);
    let mut parts = s3.store.parts(&input.upload_id)?;
    parts.retain(|part| part.number > after);
    let truncated = parts.len() > limit as usize;
    parts.truncate(limit as usize);
    answer(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        part_number_marker: Some(after),
        next_part_number_marker: parts.last().map(|part| part.number).filter(|_| truncated),
        max_parts: Some(limit),
        is_truncated: Some(truncated),
        parts: Some(
            parts
                .into_iter()
                .map(|part| Part {
                    part_number: Some(part.number),
                    e_tag: Some(quoted(&part.etag)),
                    size: Some(signed(part.size)),
                    last_modified: Some(time(part.modified)),
                    ..Default::default()
                })
                .collect(),
        ),
        ..Default::default()
    })
}

pub async fn list_multipart_uploads(
    s3: &S3,
    request: S3Request<ListMultipartUploadsInput>,
) -> Answer<ListMultipartUploadsOutput> {
    let input = request.input;
    let prefix = input.prefix.unwrap_or_default();
    let keys = Keys::of(input.encoding_type.as_ref());
    let (key_marker, id_marker) =
        (input.key_marker.unwrap_or_default(), input.upload_id_marker.unwrap_or_default());
    let limit = input.max_uploads.unwrap_or(1000).clamp(0, 1000);
    let mut uploads = s3.store.uploads(&input.bucket, &prefix)?;
    uploads.retain(|(id, upload)| {
        upload.key > key_marker || (upload.key == key_marker && !id_marker.is_empty() && *id > id_marker)
    });
    let truncated = uploads.len() > limit as usize;
    uploads.truncate(limit as usize);
    let last = uploads.last().filter(|_| truncated);
    answer(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        prefix: Some(keys.write(&prefix)),
        max_uploads: Some(limit),
        is_truncated: Some(truncated),
        next_key_marker: last.map(|(_, upload)| keys.write(&upload.key)),
        next_upload_id_marker: last.map(|(id, _)| id.clone()),
        key_marker: Some(keys.write(&key_marker)),
        encoding_type: input.encoding_type,
        uploads: Some(
            uploads
                .into_iter()
                .map(|(id, upload)| MultipartUpload {
                    key: Some(keys.write(&upload.key)),
                    upload_id: Some(id),
                    initiated: Some(time(upload.initiated)),
                    ..Default::default()
                })
                .collect(),
        ),
        ..Default::default()
    })
}
