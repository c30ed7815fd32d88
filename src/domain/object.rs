//! An object of a bucket, as a listing describes it.

use chrono::{DateTime, Utc};

/// One S3 object, without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// The ETag without its quotes: the MD5 of the body in hex for objects put in one part.
    pub etag: String,
    pub modified: Option<DateTime<Utc>>,
}
