//! Who is listened to: signed requests that name this machine, and no web page.
//!
//! Any credentials are accepted, and signatures are not computed: the port is on loopback, and what
//! has to be kept out is a page in the user's browser. A page cannot set `Authorization` without a
//! preflight, which carries an Origin; and a name that was rebound to 127.0.0.1 is a foreign Host.

use http::request::Parts;

use super::{Protocol, query_member, text};
use crate::local::fault::Fault;

/// `Err` is the answer to give instead.
pub fn admit(head: &Parts, protocol: Protocol) -> Result<(), Fault> {
    let authority = head.uri.authority().map(|a| a.as_str());
    let Some(host) = authority.or_else(|| text(head, "host")) else {
        return Err(refusal(protocol, "The request names no Host."));
    };
    if bucket_of_host(host).is_none() && !is_here(name_of(host)) {
        return Err(refusal(
            protocol,
            "The Host is not this machine: use http://127.0.0.1 with the port that was printed.",
        ));
    }
    if head.headers.contains_key("origin") {
        return Err(refusal(protocol, "Requests from web pages are refused."));
    }
    if text(head, "sec-fetch-site").is_some_and(|site| site != "none") {
        return Err(refusal(protocol, "Requests from web pages are refused."));
    }
    if !is_signed(head) {
        return Err(unsigned(protocol));
    }
    Ok(())
}

/// The bucket of a virtual-hosted request: `bucket.localhost:4566`.
pub fn bucket_of_host(host: &str) -> Option<&str> {
    let name = name_of(host);
    let bucket = name.strip_suffix(".localhost").or_else(|| name.strip_suffix(".s3.localhost"))?;
    Some(bucket.strip_suffix(".s3").unwrap_or(bucket)).filter(|bucket| !bucket.is_empty())
}

fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

fn is_here(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost") || matches!(name, "127.0.0.1" | "[::1]")
}

fn is_signed(head: &Parts) -> bool {
    let by_header = text(head, "authorization").is_some_and(|a| a.starts_with("AWS"));
    by_header
        || (query_member(head, "X-Amz-Signature").is_some()
            && query_member(head, "X-Amz-Credential").is_some())
        || (query_member(head, "Signature").is_some() && query_member(head, "AWSAccessKeyId").is_some())
}

fn refusal(protocol: Protocol, message: &str) -> Fault {
    match protocol {
        Protocol::S3 => Fault::new(403, "AccessDenied", message),
        _ => Fault::new(403, "AccessDeniedException", message),
    }
}

fn unsigned(protocol: Protocol) -> Fault {
    match protocol {
        Protocol::S3 => Fault::new(403, "AccessDenied", "Access Denied: the request is not signed."),
        Protocol::Query(_) => {
            Fault::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
        }
        _ => Fault::new(403, "MissingAuthenticationTokenException", "Missing Authentication Token"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(headers: &[(&str, &str)]) -> Result<(), Fault> {
        let mut request = http::Request::builder().uri("/bucket/key");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        admit(&request.body(()).unwrap().into_parts().0, Protocol::S3)
    }

    const SIGNED: (&str, &str) = ("authorization", "AWS4-HMAC-SHA256 Credential=a/b/c/s3/aws4_request");

    #[test]
    fn only_signed_requests_to_this_machine_from_no_page() {
        assert!(judge(&[("host", "127.0.0.1:4566"), SIGNED]).is_ok());
        assert!(judge(&[("host", "localhost"), SIGNED]).is_ok());
        assert!(judge(&[("host", "bucket.localhost:99"), SIGNED]).is_ok());
        assert!(judge(&[("host", "127.0.0.1:4566")]).is_err());
        assert!(judge(&[SIGNED]).is_err());
        assert!(judge(&[("host", "evil.example:4566"), SIGNED]).is_err());
        assert!(judge(&[("host", "127.0.0.1.evil.example"), SIGNED]).is_err());
        assert!(judge(&[("host", "127.0.0.1"), ("origin", "https://evil.example"), SIGNED]).is_err());
        assert!(judge(&[("host", "127.0.0.1"), ("sec-fetch-site", "cross-site"), SIGNED]).is_err());
    }

    #[test]
    fn buckets_in_host_names() {
        assert_eq!(bucket_of_host("data.localhost:4566"), Some("data"));
        assert_eq!(bucket_of_host("my.data.s3.localhost"), Some("my.data"));
        assert_eq!(bucket_of_host("localhost:4566"), None);
        assert_eq!(bucket_of_host("127.0.0.1"), None);
    }
}
