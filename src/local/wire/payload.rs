//! The body of an S3 request as it arrives: `aws-chunked` framing taken off, digests and trailers
//! verified. The last piece is only handed on when everything agrees, so nothing whose digest was
//! refused can be committed.

use std::sync::{Arc, Mutex};

use bytes::{Buf, Bytes, BytesMut};
use futures::{Stream, stream};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use http_body_util::BodyExt;

use super::digests::{Claims, Digests};
use crate::local::fault::Fault;

/// Longest line between chunks; signatures take about a hundred bytes.
const LINE: usize = 16 * 1024;

/// What is wrong with a body, found while reading it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub Fault);

fn refused(status: u16, code: &str, message: &str) -> Refused {
    Refused(Fault::new(status, code, message))
}

/// The checksum that was verified, for the object's description: filled when the body has been read.
#[derive(Clone, Default)]
pub struct Verified(Arc<Mutex<Vec<(&'static str, String)>>>);

impl Verified {
    /// Names (`crc32`, `sha256`, …) and values in base64.
    pub fn checksums(&self) -> Vec<(&'static str, String)> {
        self.0.lock().unwrap_or_else(|e| e.into_inner()).clone()
    }

    fn fill(&self, checksums: Vec<(&'static str, String)>) {
        *self.0.lock().unwrap_or_else(|e| e.into_inner()) = checksums;
    }
}

/// Takes off the head what [`read`] has dealt with: signature, framing, digests of the transfer.
pub fn strip(head: &mut Parts) {
    let claims = Claims::of(head);
    for name in ["authorization", "x-amz-content-sha256", "x-amz-trailer", "x-amz-decoded-content-length"] {
        head.headers.remove(name);
    }
    if claims.chunked {
        if let Some(length) = claims.length {
            head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        let encodings = text_of(&head.headers, "content-encoding");
        let kept: Vec<&str> =
            encodings.split(',').map(str::trim).filter(|e| *e != "aws-chunked" && !e.is_empty()).collect();
        match HeaderValue::from_str(&kept.join(",")) {
            Ok(kept) if !kept.is_empty() => head.headers.insert(header::CONTENT_ENCODING, kept),
            _ => head.headers.remove(header::CONTENT_ENCODING),
        };
    }
    let Some(query) = head.uri.query() else { return };
    let signature = |name: &str| {
        matches!(
            name,
            "X-Amz-Signature"
                | "X-Amz-Credential"
                | "X-Amz-Algorithm"
                | "X-Amz-Date"
                | "X-Amz-Expires"
                | "X-Amz-SignedHeaders"
                | "X-Amz-Security-Token"
                | "X-Amz-Content-Sha256"
                | "AWSAccessKeyId"
                | "Signature"
                | "Expires"
        )
    };
    let kept: Vec<&str> =
        query.split('&').filter(|pair| !signature(pair.split('=').next().unwrap_or(pair))).collect();
    let path = head.uri.path();
    let uri = if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) };
    if let Ok(uri) = uri.parse() {
        head.uri = uri;
    }
}

fn text_of(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned()
}

/// The bytes of the object, verified at the end; and what was verified.
pub fn read<B>(
    head: &Parts,
    body: B,
) -> (impl Stream<Item = Result<Bytes, Refused>> + Send + use<B>, Verified)
where
    B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: std::fmt::Display,
{
    let claims = Claims::of(head);
    let verified = Verified::default();
    let reader = Reader {
        phase: if claims.chunked { Phase::Size } else { Phase::Plain },
        digests: Digests::of(&claims),
        claims,
        body,
        buffer: BytesMut::new(),
        received: 0,
        trailers: Vec::new(),
        verified: verified.clone(),
    };
    let pieces = stream::try_unfold(reader, |mut reader| async move {
        Ok(reader.piece().await?.map(|piece| (piece, reader)))
    });
    (pieces, verified)
}

enum Phase {
    Plain,
    /// A line with the next chunk's size follows.
    Size,
    /// That many bytes of the chunk follow.
    Data(u64),
    /// The line's end after a chunk follows.
    End,
    Trailers,
    Done,
}

struct Reader<B> {
    phase: Phase,
    claims: Claims,
    digests: Digests,
    body: B,
    buffer: BytesMut,
    received: u64,
    trailers: Vec<(String, String)>,
    verified: Verified,
}

impl<B> Reader<B>
where
    B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: std::fmt::Display,
{
    /// The next piece of the object; `None` when all of it was read and agrees with its digests.
    async fn piece(&mut self) -> Result<Option<Bytes>, Refused> {
        loop {
            match self.phase {
                Phase::Plain => match self.frame().await? {
                    Some(bytes) => return Ok(Some(self.take(bytes)?)),
                    None => self.phase = Phase::Done,
                },
                Phase::Size => {
                    let line = self.line().await?;
                    let size = line.split(';').next().unwrap_or_default().trim();
                    let size = u64::from_str_radix(size, 16).map_err(|_| {
                        refused(400, "InvalidRequest", "The size of a chunk is not a hexadecimal number.")
                    })?;
                    self.phase = if size == 0 { Phase::Trailers } else { Phase::Data(size) };
                }
                Phase::Data(left) => {
                    if self.buffer.is_empty() {
                        self.fill().await?;
                    }
                    let now = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
                    let bytes = self.buffer.split_to(now).freeze();
                    let left = left - now as u64;
                    self.phase = if left == 0 { Phase::End } else { Phase::Data(left) };
                    return Ok(Some(self.take(bytes)?));
                }
                Phase::End => {
                    if !self.line().await?.is_empty() {
                        return Err(refused(400, "InvalidRequest", "A chunk is longer than its size."));
                    }
                    self.phase = Phase::Size;
                }
                Phase::Trailers => {
                    // The last line may lack its end.
                    while let Some(line) = self.last_lines().await? {
                        if let Some((name, value)) = line.split_once(':') {
                            self.trailers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
                        }
                    }
                    self.phase = Phase::Done;
                }
                Phase::Done => {
                    self.verify()?;
                    return Ok(None);
                }
            }
        }
    }

    fn take(&mut self, bytes: Bytes) -> Result<Bytes, Refused> {
        self.received += bytes.len() as u64;
        if self.claims.length.is_some_and(|length| self.received > length) {
            return Err(incomplete());
        }
        self.digests.update(&bytes);
        Ok(bytes)
    }

    async fn frame(&mut self) -> Result<Option<Bytes>, Refused> {
        loop {
            match self.body.frame().await {
                None => return Ok(None),
                Some(Err(error)) => {
                    return Err(refused(400, "IncompleteBody", &format!("The body broke off: {error}")));
                }
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data()
                        && !bytes.is_empty()
                    {
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    }

    async fn fill(&mut self) -> Result<(), Refused> {
        match self.frame().await? {
            Some(bytes) => self.buffer.extend_from_slice(&bytes),
            None => return Err(incomplete()),
        }
        Ok(())
    }

    /// A line without its end.
    async fn line(&mut self) -> Result<String, Refused> {
        loop {
            if let Some(line) = self.buffered_line()? {
                return Ok(line);
            }
            self.fill().await?;
        }
    }

    fn buffered_line(&mut self) -> Result<Option<String>, Refused> {
        let Some(end) = self.buffer.iter().position(|b| *b == b'\n') else {
            if self.buffer.len() > LINE {
                return Err(refused(400, "InvalidRequest", "A line between chunks is too long."));
            }
            return Ok(None);
        };
        let line = self.buffer.split_to(end);
        self.buffer.advance(1);
        Ok(Some(String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned()))
    }

    /// The next line of the trailers; `None` at the empty line or the body's end.
    async fn last_lines(&mut self) -> Result<Option<String>, Refused> {
        loop {
            if let Some(line) = self.buffered_line()? {
                return Ok(Some(line).filter(|line| !line.is_empty()));
            }
            match self.frame().await? {
                Some(bytes) => self.buffer.extend_from_slice(&bytes),
                None if self.buffer.is_empty() => return Ok(None),
                None => {
                    let line = self.buffer.split();
                    return Ok(Some(String::from_utf8_lossy(&line).trim().to_owned()));
                }
            }
        }
    }

    fn verify(&mut self) -> Result<(), Refused> {
        if self.claims.length.is_some_and(|length| length != self.received) {
            return Err(incomplete());
        }
        let found = std::mem::take(&mut self.digests).finish();
        if self.claims.md5.is_some() && self.claims.md5 != found.md5 {
            return Err(refused(
                400,
                "BadDigest",
                "The Content-MD5 you specified did not match what we received.",
            ));
        }
        if self.claims.sha256.is_some() && self.claims.sha256 != found.sha256 {
            return Err(refused(
                400,
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ));
        }
        let mut claimed = std::mem::take(&mut self.claims.checksums);
        for name in &self.claims.trailers {
            let sent = self.trailers.iter().find(|(n, _)| n.strip_prefix("x-amz-checksum-") == Some(name));
            let (_, value) = sent.ok_or_else(|| {
                refused(
                    400,
                    "MalformedTrailerError",
                    "The request contained trailing data that was not well-formed.",
                )
            })?;
            claimed.push((name, value.clone()));
        }
        for (name, value) in &claimed {
            if !found.checksums.iter().any(|(n, v)| n == name && v == value) {
                let message = format!(
                    "The {} you specified did not match the calculated checksum.",
                    name.to_ascii_uppercase()
                );
                return Err(refused(400, "BadDigest", &message));
            }
        }
        self.verified.fill(claimed);
        Ok(())
    }
}

fn incomplete() -> Refused {
    refused(
        400,
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::TryStreamExt;
    use http_body_util::Full;

    fn collect(headers: &[(&str, &str)], body: &'static [u8]) -> Result<(Vec<u8>, Verified), Fault> {
        let mut request = http::Request::builder().method("PUT").uri("/b/k");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let head = request.body(()).unwrap().into_parts().0;
        let (pieces, verified) = read(&head, Full::new(Bytes::from_static(body)));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let read = runtime.block_on(pieces.try_fold(Vec::new(), |mut all, piece| async move {
            all.extend_from_slice(&piece);
            Ok(all)
        }));
        read.map(|all| (all, verified)).map_err(|refused| refused.0)
    }

    const TRAILER: &[(&str, &str)] = &[
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("x-amz-decoded-content-length", "11"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
    ];

    // crc32("hello world") = 0x0d4a1185, as zlib and every other implementation has it.
    #[test]
    fn chunks_and_their_trailer() {
        let body =
            b"5\r\nhello\r\n6;chunk-signature=abc\r\n world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n";
        let (all, verified) = collect(TRAILER, body).unwrap();
        assert_eq!(all, b"hello world");
        assert_eq!(verified.checksums(), [("crc32", "DUoRhQ==".to_owned())]);
    }

    #[test]
    fn a_wrong_trailer_length_or_digest_is_refused() {
        let code = |headers: &[(&str, &str)], body| collect(headers, body).map(|_| ()).unwrap_err().code;
        assert_eq!(
            code(TRAILER, b"b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"),
            "BadDigest"
        );
        assert_eq!(code(TRAILER, b"b\r\nhello world\r\n0\r\n\r\n"), "MalformedTrailerError");
        assert_eq!(
            code(TRAILER, b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n"),
            "IncompleteBody"
        );
        assert_eq!(code(TRAILER, b"5\r\nhel"), "IncompleteBody");
        assert_eq!(code(TRAILER, b"zz\r\nhello"), "InvalidRequest");
        assert_eq!(code(&[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")], b"hello"), "BadDigest");
        let zeros = "0".repeat(64);
        assert_eq!(code(&[("x-amz-content-sha256", &zeros)], b"hello"), "XAmzContentSHA256Mismatch");
        // md5("hello") = 5d41402abc4b2a76b9719d911017c592
        assert!(collect(&[("content-md5", "XUFAKrxLKna5cZ2REBfFkg==")], b"hello").is_ok());
    }

    #[test]
    fn the_head_loses_signature_and_framing() {
        let request = http::Request::builder()
            .uri("/b/k?X-Amz-Signature=1&X-Amz-Credential=c&partNumber=2")
            .header("authorization", "AWS4")
            .header("content-encoding", "aws-chunked,gzip")
            .header("content-length", "99")
            .header("x-amz-decoded-content-length", "11");
        let mut head = request.body(()).unwrap().into_parts().0;
        strip(&mut head);
        assert_eq!(head.uri, "/b/k?partNumber=2");
        assert_eq!(head.headers["content-encoding"], "gzip");
        assert_eq!(head.headers["content-length"], "11");
        assert!(!head.headers.contains_key("authorization"));
    }
}
