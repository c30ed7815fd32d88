//! The real SDK against the local cloud, one file per service; and a few raw bytes.

mod athena;
mod lambda;
mod logs;
mod maps;
mod s3;
mod sns;
mod states;
mod sts;
mod time;
mod trials;
