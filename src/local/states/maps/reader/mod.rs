//! Where the items of a map run come from (AWS guide, "ItemReader (Map)"): an object with items in it, an
//! object that lists such objects, or a listing of objects, as it is or with what is in them.
//!
//! [`format`] are the objects with items in them, [`table`] those of them with columns, [`manifest`] those
//! that list others.

mod format;
mod manifest;
mod table;

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::super::super::bus::{Bus, ObjectInfo, Objects};
use super::super::super::fault::Fault;
use crate::asl::entry::Entry;
use crate::asl::failure::Failure;
use crate::asl::inspect::Reading;
use crate::asl::mapping::Items;

pub const READER_FAILED: &str = "States.ItemReaderFailed";

fn fail<T>(cause: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::new(READER_FAILED, cause))
}

/// What an ItemReader says of reading, and where it reads.
struct Reader<'r> {
    objects: &'r Arc<dyn Objects>,
    config: &'r Map<String, Value>,
    /// Items that are wanted.
    most: usize,
}

/// Reads the items; at most as many as are wanted.
pub fn read(bus: &Bus, items: Items) -> Result<Vec<Entry>, Failure> {
    match items {
        Items::Given(items) => Ok(items),
        Items::Read { resource, parameters, config, max_items } => {
            let most = match max_items {
                None | Some(0) => usize::MAX,
                // In AWS it is the map run that fails then, in these words (as LocalStack's implementation has them).
                Some(most) if most < 0 => return fail("field MaxItems must be positive"),
                Some(most) => usize::try_from(most).unwrap_or(usize::MAX),
            };
            let objects = bus.objects().map_err(|fault| refused(&fault))?;
            let reader = Reader { objects, config: &config, most };
            let bucket = text(&parameters, "Bucket")?;
            if resource.ends_with(":s3:listObjectsV2") {
                reader.listing(bucket, parameters["Prefix"].as_str().unwrap_or_default())
            } else if resource.ends_with(":s3:getObject") {
                reader.object(bucket, text(&parameters, "Key")?)
            } else {
                fail(format!("The local cloud cannot read items with '{resource}'."))
            }
        }
    }
}

/// What a reader of this configuration finds in data that is given instead of an object. A listing, a
/// manifest and Parquet are given as the JSON array of what is in them.
pub fn reading(data: &str, config: &Map<String, Value>) -> Reading {
    let setting = |name: &str| config.get(name).and_then(Value::as_str);
    let items = match setting("InputType") {
        Some("JSONL") => format::lines(data, usize::MAX).map(entries),
        Some("CSV") => table::csv(data, config, usize::MAX).map(entries),
        _ => format::json(data, config, usize::MAX),
    };
    let pointed = setting("ItemsPointer")
        .and_then(|pointer| serde_json::from_str::<Value>(data).ok()?.pointer(pointer).cloned());
    Reading { items, pointed }
}

impl Reader<'_> {
    fn setting(&self, name: &str) -> Option<&str> {
        self.config.get(name).and_then(Value::as_str)
    }

    /// The objects themselves, or with `LOAD_AND_FLATTEN` the items in them.
    fn listing(&self, bucket: &str, prefix: &str) -> Result<Vec<Entry>, Failure> {
        let found = self.objects.list(bucket, prefix).map_err(|fault| refused(&fault))?;
        match self.setting("Transformation") {
            None | Some("NONE") => {
                let items = entries(found.iter().take(self.most).map(listed).collect());
                Ok(read_from(format!("S3://{bucket}"), items))
            }
            Some("LOAD_AND_FLATTEN") => {
                // What stands for a folder holds nothing.
                let keys = found.into_iter().filter(|object| !object.key.ends_with('/'));
                self.all(keys.map(|object| (bucket.to_owned(), object.key)), self.setting("InputType"))
            }
            Some(other) => fail(format!("'{other}' is not a Transformation.")),
        }
    }

    fn object(&self, bucket: &str, key: &str) -> Result<Vec<Entry>, Failure> {
        match (self.setting("InputType"), self.setting("ManifestType")) {
            (kind, Some("ATHENA_DATA")) => {
                let listed = manifest::athena(text_of(&self.body(bucket, key)?)?)?;
                self.all(listed.into_iter(), kind)
            }
            (_, Some("S3_INVENTORY")) | (Some("MANIFEST"), None) => {
                let inventory = manifest::inventory(text_of(&self.body(bucket, key)?)?)?;
                self.inventory(&inventory)
            }
            (_, Some(other)) => fail(format!("'{other}' is not a ManifestType.")),
            (kind, None) => self.items(bucket, key, kind, self.most),
        }
    }

    /// The rows of an inventory's files.
    fn inventory(&self, inventory: &manifest::Inventory) -> Result<Vec<Entry>, Failure> {
        let mut items = Vec::new();
        for key in &inventory.keys {
            let body = self.body(&inventory.bucket, key)?;
            let left = self.most - items.len();
            let rows = match &inventory.columns {
                Some(columns) => table::rows(text_of(&body)?, b',', columns.clone(), left)?,
                None => table::parquet(&body, left)?,
            };
            items.extend(read_from(format!("S3://{}/{key}", inventory.bucket), entries(rows)));
            if items.len() == self.most {
                break;
            }
        }
        Ok(items)
    }

    /// The items of several objects, one after the other.
    fn all(
        &self,
        objects: impl Iterator<Item = (String, String)>,
        kind: Option<&str>,
    ) -> Result<Vec<Entry>, Failure> {
        let mut items = Vec::new();
        for (bucket, key) in objects {
            let left = self.most - items.len();
            items.extend(self.items(&bucket, &key, kind, left)?);
            if items.len() == self.most {
                break;
            }
        }
        Ok(items)
    }

    /// The items in an object.
    fn items(&self, bucket: &str, key: &str, kind: Option<&str>, most: usize) -> Result<Vec<Entry>, Failure> {
        let body = &self.body(bucket, key)?;
        let items = match kind {
            Some("JSON") => format::json(text_of(body)?, self.config, most)?,
            Some("JSONL") => entries(format::lines(text_of(body)?, most)?),
            Some("CSV") => entries(table::csv(text_of(body)?, self.config, most)?),
            Some("PARQUET") => entries(table::parquet(body, most)?),
            Some(other) => {
                return fail(format!("The local cloud cannot read items of the InputType '{other}'."));
            }
            None => return fail("ReaderConfig names no InputType."),
        };
        Ok(read_from(format!("S3://{bucket}/{key}"), items))
    }

    /// An object's body, unpacked when it is packed.
    fn body(&self, bucket: &str, key: &str) -> Result<Bytes, Failure> {
        let body = self.objects.read(bucket, key, None).map_err(|fault| refused(&fault))?;
        format::unpacked(body)
    }
}

fn entries(items: Vec<Value>) -> Vec<Entry> {
    items.into_iter().map(Entry::from).collect()
}

/// The items, with where they were read.
fn read_from(source: String, mut items: Vec<Entry>) -> Vec<Entry> {
    let source: Arc<str> = source.into();
    items.iter_mut().for_each(|item| item.source = Some(source.clone()));
    items
}

fn text_of(body: &Bytes) -> Result<&str, Failure> {
    let text = std::str::from_utf8(body).or_else(|_| fail("The object is not text in UTF-8."))?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn text<'v>(parameters: &'v Value, member: &str) -> Result<&'v str, Failure> {
    match parameters[member].as_str() {
        Some(text) => Ok(text),
        None => fail(format!("The ItemReader names no {member}.")),
    }
}

/// S3's refusal in AWS's words.
fn refused(fault: &Fault) -> Failure {
    let request = uuid::Uuid::new_v4().simple().to_string()[..16].to_uppercase();
    Failure::new(
        READER_FAILED,
        format!(
            "Attempting to read items failed: {} (Service: S3, Status Code: {}, Request ID: {request})",
            fault.message, fault.status
        ),
    )
}

fn listed(object: &ObjectInfo) -> Value {
    json!({
        "Etag": object.etag,
        "Key": object.key,
        "LastModified": object.modified.timestamp(),
        "Size": object.size,
        "StorageClass": "STANDARD",
    })
}
