//! ListObjects and ListObjectsV2.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as TOKEN;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::*;
use s3s::{S3Request, S3Response};

use super::{S3, answer, invalid_argument, quoted, signed, timestamp};
use crate::local::bus::ACCOUNT;
use crate::local::fault::Fault;
use crate::local::objects;
use crate::local::objects::listing::{Page, Wanted};

/// Most entries of a page.
const LIMIT: i32 = 1000;

/// What S3 leaves as it is when keys are encoded for XML.
const KEY: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'~');

/// Keys as the answer writes them: XML cannot hold all of them, so clients ask for encoding.
pub struct Keys(bool);

impl Keys {
    pub fn of(encoding: Option<&EncodingType>) -> Keys {
        Keys(encoding.is_some_and(|e| e.as_str() == EncodingType::URL))
    }

    pub fn write(&self, key: &str) -> String {
        if self.0 { utf8_percent_encode(key, KEY).to_string() } else { key.to_owned() }
    }

    fn some(&self, key: Option<String>) -> Option<String> {
        key.map(|key| self.write(&key))
    }
}

fn limit(max_keys: Option<i32>) -> Result<i32, Fault> {
    match max_keys {
        Some(keys) if keys < 0 => {
            Err(invalid_argument("Argument maxKeys must be an integer between 0 and 2147483647"))
        }
        keys => Ok(keys.unwrap_or(LIMIT).min(LIMIT)),
    }
}

fn contents(page: &Page, keys: &Keys, owned: bool) -> (ObjectList, CommonPrefixList) {
    let owner = owned.then(|| Owner { id: Some(ACCOUNT.into()), display_name: None });
    let objects = page.objects.iter().map(|(key, object)| entry(&keys.write(key), object, owner.clone()));
    let prefixes = page.prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(keys.write(prefix)) });
    (objects.collect(), prefixes.collect())
}

fn entry(key: &str, object: &objects::Object, owner: Option<Owner>) -> Object {
    Object {
        key: Some(key.to_owned()),
        size: Some(signed(object.size)),
        e_tag: Some(quoted(&object.etag)),
        last_modified: Some(timestamp(object.modified())),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        owner,
        ..Default::default()
    }
}

pub async fn list_objects_v2(
    s3: &S3,
    request: S3Request<ListObjectsV2Input>,
) -> Result<S3Response<ListObjectsV2Output>, Fault> {
    let input = request.input;
    let limit = limit(input.max_keys)?;
    let resumed = input.continuation_token.as_deref().map(resume).transpose()?;
    let wanted = Wanted {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().unwrap_or_default(),
        resumed: resumed.is_some(),
        after: resumed.or_else(|| input.start_after.clone()).unwrap_or_default(),
        limit: usize::try_from(limit).unwrap_or(0),
    };
    let page = s3.store.page(&input.bucket, &wanted)?;
    let keys = Keys::of(input.encoding_type.as_ref());
    let (contents, prefixes) = contents(&page, &keys, input.fetch_owner == Some(true));
    answer(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(keys.write(&wanted.prefix)),
        max_keys: Some(limit),
        key_count: i32::try_from(page.count()).ok(),
        continuation_token: input.continuation_token,
        is_truncated: Some(page.truncated),
        next_continuation_token: page.truncated.then(|| TOKEN.encode(&page.last)),
        contents: (!contents.is_empty()).then_some(contents),
        common_prefixes: (!prefixes.is_empty()).then_some(prefixes),
        delimiter: keys.some(input.delimiter),
        encoding_type: input.encoding_type,
        start_after: keys.some(input.start_after),
        ..Default::default()
    })
}

fn resume(token: &str) -> Result<String, Fault> {
    let key = TOKEN.decode(token).ok().and_then(|key| String::from_utf8(key).ok());
    key.ok_or_else(|| invalid_argument("The continuation token provided is incorrect"))
}

pub async fn list_objects(
    s3: &S3,
    request: S3Request<ListObjectsInput>,
) -> Result<S3Response<ListObjectsOutput>, Fault> {
    let input = request.input;
    let limit = limit(input.max_keys)?;
    let wanted = Wanted {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().unwrap_or_default(),
        after: input.marker.clone().unwrap_or_default(),
        resumed: true,
        limit: usize::try_from(limit).unwrap_or(0),
    };
    let page = s3.store.page(&input.bucket, &wanted)?;
    let keys = Keys::of(input.encoding_type.as_ref());
    let (contents, prefixes) = contents(&page, &keys, true);
    answer(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(keys.write(&wanted.prefix)),
        marker: Some(keys.write(&wanted.after)),
        max_keys: Some(limit),
        is_truncated: Some(page.truncated),
        next_marker: (page.truncated && !wanted.delimiter.is_empty()).then(|| keys.write(&page.last)),
        contents: (!contents.is_empty()).then_some(contents),
        common_prefixes: (!prefixes.is_empty()).then_some(prefixes),
        delimiter: keys.some(input.delimiter),
        encoding_type: input.encoding_type,
        ..Default::default()
    })
}
