//! The real SDK against the local cloud, one file per service; and a few raw bytes.

mod s3;
