//! S3 on the bus: JSON in the shape of Step Functions' `aws-sdk:s3` integration, which names errors
//! `S3.NoSuchKeyException` (the caller adds the prefix) and writes ETags with their quotes.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use super::invalid_argument;
use crate::local::fault::Fault;
use crate::local::objects::listing::Wanted;
use crate::local::objects::{Arrival, Condition, Object, ObjectStore, request_id};

/// A state's output holds no more, bytes.
const LARGEST: u64 = 256 * 1024;

pub async fn call(store: &Arc<ObjectStore>, operation: &str, input: Value) -> Result<Value, Fault> {
    let input = Input(input);
    match operation {
        "PutObject" => {
            let body = match &input.0["Body"] {
                Value::Null => Bytes::new(),
                // The integration takes any JSON and stores its text: a string keeps its quotes.
                other => Bytes::from(other.to_string()),
            };
            let mut draft = store.bodies.draft();
            draft.write(&body).await?;
            let checksum = crc32fast::hash(&body).to_be_bytes();
            let arrival = Arrival {
                bucket: input.text("Bucket")?,
                key: input.text("Key")?,
                object: input.described(),
                condition: Condition {
                    if_match: input.some("IfMatch"),
                    if_none_match: input.some("IfNoneMatch"),
                },
                event: "ObjectCreated:Put",
                request_id: request_id(),
            };
            let object = store.put(arrival, draft).await?;
            Ok(json!({
                "ChecksumCRC32": STANDARD.encode(checksum),
                "ChecksumType": "FULL_OBJECT",
                "ETag": quoted(&object),
                "ServerSideEncryption": "AES256",
            }))
        }
        "GetObject" => {
            let (bucket, key) = (input.text("Bucket")?, input.text("Key")?);
            let object = store.object(&bucket, &key)?;
            if object.size > LARGEST {
                return Err(Fault::client(
                    "States.DataLimitExceeded",
                    format!(
                        "The object has {} bytes; a state's output holds at most {LARGEST}.",
                        object.size
                    ),
                ));
            }
            let (object, body) = store.read_all(&bucket, &key, None)?;
            let mut output = description(&object);
            output["Body"] = String::from_utf8_lossy(&body).into();
            Ok(output)
        }
        "HeadObject" => {
            // A HEAD has no body and so no error code but the status.
            let object = store.object(&input.text("Bucket")?, &input.text("Key")?);
            let object = object.map_err(|fault| match fault.code.as_str() {
                "NoSuchKey" | "NoSuchBucket" => Fault::new(404, "NoSuchKey", fault.message),
                _ => fault,
            })?;
            Ok(description(&object))
        }
        "CopyObject" => {
            let source = input.text("CopySource")?;
            let (from_bucket, from_key) = source_of(&source)?;
            let described =
                (input.some("MetadataDirective").as_deref() == Some("REPLACE")).then(|| input.described());
            let target = (input.text("Bucket")?, input.text("Key")?);
            let copied = store
                .copy((&from_bucket, &from_key), (&target.0, &target.1), described, &request_id())
                .await?;
            Ok(
                json!({"CopyObjectResult": {"ETag": quoted(&copied), "LastModified": time(copied.modified())}}),
            )
        }
        "DeleteObject" => {
            let (bucket, key) = (input.text("Bucket")?, input.text("Key")?);
            store.remove(&bucket, &key, Condition::default(), &request_id()).await?;
            Ok(json!({}))
        }
        "DeleteObjects" => {
            let bucket = input.text("Bucket")?;
            let mut deleted = Vec::new();
            for object in input.0["Delete"]["Objects"].as_array().into_iter().flatten() {
                let key = object["Key"].as_str().unwrap_or_default();
                store.remove(&bucket, key, Condition::default(), &request_id()).await?;
                deleted.push(json!({"Key": key}));
            }
            Ok(json!({"Deleted": deleted}))
        }
        "CreateBucket" => {
            let bucket = input.text("Bucket")?;
            store.create_bucket(&bucket, store.region()).await?;
            Ok(json!({"Location": format!("/{bucket}")}))
        }
        "DeleteBucket" => {
            store.delete_bucket(&input.text("Bucket")?).await?;
            Ok(json!({}))
        }
        "HeadBucket" => {
            store.bucket(&input.text("Bucket")?)?;
            Ok(json!({"BucketRegion": store.region()}))
        }
        "ListBuckets" => {
            let buckets = store.buckets()?.into_iter();
            let buckets: Vec<Value> = buckets
                .map(|(name, bucket)| json!({"Name": name, "CreationDate": time(bucket.created())}))
                .collect();
            Ok(json!({"Buckets": buckets}))
        }
        "ListObjectsV2" => list(store, &input),
        "ListObjects" => {
            let mut output = list(store, &input)?;
            if let Some(members) = output.as_object_mut() {
                members.shift_remove("KeyCount");
            }
            Ok(output)
        }
        _ => Err(Fault::new(
            501,
            "NotImplemented",
            format!("The local cloud's workflows cannot call s3:{operation}."),
        )),
    }
}

fn list(store: &ObjectStore, input: &Input) -> Result<Value, Fault> {
    let bucket = input.text("Bucket")?;
    let limit = input.0["MaxKeys"].as_u64().unwrap_or(1000).min(1000);
    let token = input.some("ContinuationToken");
    let wanted = Wanted {
        prefix: input.some("Prefix").unwrap_or_default(),
        delimiter: input.some("Delimiter").unwrap_or_default(),
        resumed: token.is_some(),
        after: token.clone().or_else(|| input.some("StartAfter")).unwrap_or_default(),
        limit: usize::try_from(limit).unwrap_or(1000),
    };
    let page = store.page(&bucket, &wanted)?;
    let mut output = json!({
        "IsTruncated": page.truncated,
        "KeyCount": page.count(),
        "MaxKeys": limit,
        "Name": bucket,
        "Prefix": wanted.prefix,
        "Contents": page.objects.iter().map(|(key, object)| json!({
            "Key": key,
            "Size": object.size,
            "ETag": quoted(object),
            "LastModified": time(object.modified()),
            "StorageClass": "STANDARD",
        })).collect::<Vec<_>>(),
    });
    if !page.prefixes.is_empty() {
        output["CommonPrefixes"] = page.prefixes.iter().map(|prefix| json!({"Prefix": prefix})).collect();
    }
    if page.truncated {
        output["NextContinuationToken"] = page.last.into();
    }
    Ok(output)
}

struct Input(Value);

impl Input {
    fn some(&self, name: &str) -> Option<String> {
        self.0[name].as_str().map(str::to_owned)
    }

    fn text(&self, name: &str) -> Result<String, Fault> {
        self.some(name)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| invalid_argument(format!("{name} is missing or not a text")))
    }

    fn described(&self) -> Object {
        let headers = [
            ("CacheControl", "cache-control"),
            ("ContentDisposition", "content-disposition"),
            ("ContentEncoding", "content-encoding"),
            ("ContentLanguage", "content-language"),
        ];
        let empty = Map::new();
        let metadata = self.0["Metadata"].as_object().unwrap_or(&empty);
        Object {
            content_type: self.some("ContentType"),
            headers: headers
                .iter()
                .filter_map(|(member, name)| Some(((*name).to_owned(), self.some(member)?)))
                .collect(),
            metadata: metadata
                .iter()
                .filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned())))
                .collect(),
            ..Object::default()
        }
    }
}

/// `bucket/key`, with or without a slash before it, the key percent-encoded as in the header.
fn source_of(source: &str) -> Result<(String, String), Fault> {
    let decoded = percent_encoding::percent_decode_str(source).decode_utf8_lossy();
    let plain = decoded.strip_prefix('/').unwrap_or(&decoded);
    match plain.split_once('/') {
        Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
            Ok((bucket.to_owned(), key.to_owned()))
        }
        _ => Err(invalid_argument("Invalid copy source object key: it is bucket/key")),
    }
}

fn quoted(object: &Object) -> String {
    format!("\"{}\"", object.etag)
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn description(object: &Object) -> Value {
    json!({
        "AcceptRanges": "bytes",
        "ContentLength": object.size,
        "ContentType": object.content_type.as_deref().unwrap_or("binary/octet-stream"),
        "ETag": quoted(object),
        "LastModified": time(object.modified()),
        "Metadata": object.metadata,
    })
}
