//! Buckets: made, found, removed when empty.

use std::ops::ControlFlow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::notifications::Rule;
use super::{OBJECTS, ObjectStore, decode, encode, no_such_bucket, uploads};
use crate::local::fault::Fault;
use crate::local::store::{Table, Tx};

const BUCKETS: Table = "s3.buckets";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// Milliseconds since the epoch.
    pub created: i64,
    pub region: String,
    /// Whom to call about its objects.
    #[serde(default)]
    pub rules: Vec<Rule>,
}

impl Bucket {
    pub fn created(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.created).unwrap_or_default()
    }
}

/// The bucket as the transaction sees it, or `NoSuchBucket`.
pub fn read(tx: &Tx<'_>, name: &str) -> Result<Bucket, Fault> {
    match tx.get(BUCKETS, name)? {
        Some(bucket) => decode(&bucket),
        None => Err(no_such_bucket(name)),
    }
}

impl ObjectStore {
    /// The bucket, or `NoSuchBucket`.
    pub fn bucket(&self, name: &str) -> Result<Bucket, Fault> {
        match self.bus.store.get(BUCKETS, name)? {
            Some(bucket) => decode(&bucket),
            None => Err(no_such_bucket(name)),
        }
    }

    /// All of them, by name.
    pub fn buckets(&self) -> Result<Vec<(String, Bucket)>, Fault> {
        let mut buckets = Vec::new();
        self.bus.store.scan(BUCKETS, "", "", |name, bucket| {
            buckets.push((name.to_owned(), bucket.to_vec()));
            ControlFlow::Continue(())
        })?;
        buckets.into_iter().map(|(name, bucket)| Ok((name, decode(&bucket)?))).collect()
    }

    /// Making one's own bucket again succeeds in us-east-1 and is a conflict elsewhere, as on AWS.
    pub async fn create_bucket(&self, name: &str, region: &str) -> Result<(), Fault> {
        let (name, region) = (name.to_owned(), region.to_owned());
        self.bus
            .store
            .transact(move |tx| {
                if tx.get(BUCKETS, &name)?.is_some() {
                    return match region.as_str() {
                        "us-east-1" => Ok(()),
                        _ => Err(Fault::new(
                            409,
                            "BucketAlreadyOwnedByYou",
                            "Your previous request to create the named bucket succeeded and you already own it.",
                        )
                        .with("BucketName", name)),
                    };
                }
                let bucket = Bucket { created: Utc::now().timestamp_millis(), region, rules: Vec::new() };
                tx.put(BUCKETS, name, encode(&bucket)?);
                Ok(())
            })
            .await
    }

    pub async fn delete_bucket(&self, name: &str) -> Result<(), Fault> {
        let name = name.to_owned();
        self.bus
            .store
            .transact(move |tx| {
                read(tx, &name)?;
                if tx.first(OBJECTS, &format!("{name}/"))?.is_some() || uploads::any(tx, &name)? {
                    return Err(Fault::new(
                        409,
                        "BucketNotEmpty",
                        "The bucket you tried to delete is not empty",
                    )
                    .with("BucketName", name));
                }
                tx.delete(BUCKETS, name);
                Ok(())
            })
            .await
    }

    /// Replaces whom to call.
    pub async fn set_rules(&self, name: &str, rules: Vec<Rule>) -> Result<(), Fault> {
        let name = name.to_owned();
        self.bus
            .store
            .transact(move |tx| {
                let bucket = Bucket { rules, ..read(tx, &name)? };
                tx.put(BUCKETS, name, encode(&bucket)?);
                Ok(())
            })
            .await
    }
}
