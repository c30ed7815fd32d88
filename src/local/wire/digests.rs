//! Digests of an S3 request's body: those its head claims, and those found while it is read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::request::Parts;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};

use super::text;

/// What the head says about the body.
pub(super) struct Claims {
    pub(super) chunked: bool,
    pub(super) length: Option<u64>,
    pub(super) md5: Option<String>,
    pub(super) sha256: Option<String>,
    /// Algorithm and value in base64.
    pub(super) checksums: Vec<(&'static str, String)>,
    /// Algorithms whose value follows the body.
    pub(super) trailers: Vec<&'static str>,
}

pub(super) const ALGORITHMS: [&str; 5] = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"];

impl Claims {
    pub(super) fn of(head: &Parts) -> Claims {
        let kind = text(head, "x-amz-content-sha256").unwrap_or_default();
        let encodings = text(head, "content-encoding").unwrap_or_default();
        let chunked =
            kind.starts_with("STREAMING-") || encodings.split(',').any(|e| e.trim() == "aws-chunked");
        let length = if chunked { "x-amz-decoded-content-length" } else { "content-length" };
        let named = |name: &str| {
            ALGORITHMS.into_iter().find(|a| name.trim().eq_ignore_ascii_case(&format!("x-amz-checksum-{a}")))
        };
        Claims {
            chunked,
            length: text(head, length).and_then(|l| l.parse().ok()),
            md5: text(head, "content-md5").map(str::to_owned),
            sha256: (kind.len() == 64).then(|| kind.to_ascii_lowercase()),
            checksums: ALGORITHMS
                .into_iter()
                .filter_map(|a| Some((a, text(head, &format!("x-amz-checksum-{a}"))?.to_owned())))
                .collect(),
            trailers: text(head, "x-amz-trailer").unwrap_or_default().split(',').filter_map(named).collect(),
        }
    }
}

/// Only what was claimed is computed.
#[derive(Default)]
pub(super) struct Digests {
    md5: Option<Md5>,
    sha256: Option<Sha256>,
    checksums: ChecksumHasher,
}

pub(super) struct Found {
    pub(super) md5: Option<String>,
    pub(super) sha256: Option<String>,
    pub(super) checksums: Vec<(&'static str, String)>,
}

impl Digests {
    pub(super) fn of(claims: &Claims) -> Digests {
        let wants =
            |name| claims.checksums.iter().any(|(n, _)| *n == name) || claims.trailers.contains(&name);
        Digests {
            md5: claims.md5.is_some().then(Md5::new),
            sha256: claims.sha256.is_some().then(Sha256::new),
            checksums: ChecksumHasher {
                crc32: wants("crc32").then(Crc32::new),
                crc32c: wants("crc32c").then(Crc32c::new),
                sha1: wants("sha1").then(Sha1::new),
                sha256: wants("sha256").then(Sha256::new),
                crc64nvme: wants("crc64nvme").then(Crc64Nvme::new),
            },
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(bytes);
        }
        self.checksums.update(bytes);
    }

    pub(super) fn finish(self) -> Found {
        let sums = self.checksums.finalize();
        let all = [
            ("crc32", sums.checksum_crc32),
            ("crc32c", sums.checksum_crc32c),
            ("crc64nvme", sums.checksum_crc64nvme),
            ("sha1", sums.checksum_sha1),
            ("sha256", sums.checksum_sha256),
        ];
        Found {
            md5: self.md5.map(|md5| BASE64.encode(md5.finalize())),
            sha256: self.sha256.map(|sha256| hex(&sha256.finalize())),
            checksums: all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
        }
    }
}

/// Lowercase hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
