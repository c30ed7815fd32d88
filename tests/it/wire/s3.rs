//! S3: the SDK's calls, and what a web page or a stranger would send.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, Delete, EncodingType, MetadataDirective,
    ObjectIdentifier,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Local, cloud};

async fn with_bucket() -> (Local, aws_sdk_s3::Client) {
    let local = cloud().await;
    let s3 = local.s3();
    s3.create_bucket().bucket("data").send().await.unwrap();
    (local, s3)
}

async fn put(s3: &aws_sdk_s3::Client, key: &str, body: &str) {
    let body = ByteStream::from(body.as_bytes().to_vec());
    s3.put_object().bucket("data").key(key).body(body).send().await.unwrap();
}

async fn get(s3: &aws_sdk_s3::Client, key: &str) -> Vec<u8> {
    let got = s3.get_object().bucket("data").key(key).send().await.unwrap();
    got.body.collect().await.unwrap().to_vec()
}

#[tokio::test]
async fn an_object_comes_back_with_what_was_said_about_it() {
    let (_local, s3) = with_bucket().await;
    let done = s3
        .put_object()
        .bucket("data")
        .key("raw/a.json")
        .content_type("application/json")
        .content_encoding("identity")
        .cache_control("no-cache")
        .metadata("source", "survey")
        .body(ByteStream::from_static(b"hello"))
        .send()
        .await
        .unwrap();
    // md5("hello")
    assert_eq!(done.e_tag(), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    let got = s3.get_object().bucket("data").key("raw/a.json").send().await.unwrap();
    assert_eq!(got.content_type(), Some("application/json"));
    assert_eq!(got.content_encoding(), Some("identity"));
    assert_eq!(got.cache_control(), Some("no-cache"));
    assert_eq!(got.metadata().unwrap()["source"], "survey");
    assert_eq!(got.content_length(), Some(5));
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"hello");
    let head = s3.head_object().bucket("data").key("raw/a.json").send().await.unwrap();
    assert_eq!(head.content_length(), Some(5));
    assert!(head.last_modified().is_some());
}

#[tokio::test]
async fn every_checksum_the_sdk_can_send_is_verified_and_told() {
    let (_local, s3) = with_bucket().await;
    for algorithm in [
        ChecksumAlgorithm::Crc32,
        ChecksumAlgorithm::Crc32C,
        ChecksumAlgorithm::Crc64Nvme,
        ChecksumAlgorithm::Sha1,
        ChecksumAlgorithm::Sha256,
    ] {
        let done = s3
            .put_object()
            .bucket("data")
            .key("sum")
            .checksum_algorithm(algorithm.clone())
            .body(ByteStream::from_static(b"hello world"))
            .send()
            .await
            .unwrap();
        if algorithm == ChecksumAlgorithm::Crc32 {
            assert_eq!(done.checksum_crc32(), Some("DUoRhQ=="));
        }
        // Reading verifies what the object is said to have.
        assert_eq!(get(&s3, "sum").await, b"hello world", "{algorithm}");
    }
    let wrong = s3
        .put_object()
        .bucket("data")
        .key("wrong")
        .checksum_crc32("AAAAAA==")
        .body(ByteStream::from_static(b"hello world"))
        .send()
        .await
        .unwrap_err();
    assert_eq!(wrong.code(), Some("BadDigest"));
    let missing = s3.get_object().bucket("data").key("wrong").send().await.unwrap_err();
    assert_eq!(missing.code(), Some("NoSuchKey"));
}

#[tokio::test]
async fn ranges_and_conditions() {
    let (_local, s3) = with_bucket().await;
    put(&s3, "k", "0123456789").await;
    let part = |range: &'static str| s3.get_object().bucket("data").key("k").range(range).send();
    let got = part("bytes=2-4").await.unwrap();
    assert_eq!(got.content_range(), Some("bytes 2-4/10"));
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"234");
    assert_eq!(part("bytes=-3").await.unwrap().body.collect().await.unwrap().to_vec(), b"789");
    assert_eq!(part("bytes=8-99").await.unwrap().body.collect().await.unwrap().to_vec(), b"89");
    assert_eq!(part("bytes=10-").await.unwrap_err().code(), Some("InvalidRange"));

    let etag = s3.head_object().bucket("data").key("k").send().await.unwrap().e_tag().unwrap().to_owned();
    let stale = s3.get_object().bucket("data").key("k").if_match("\"0\"").send().await.unwrap_err();
    assert_eq!(stale.code(), Some("PreconditionFailed"));
    let same = s3.get_object().bucket("data").key("k").if_none_match(&etag).send().await.unwrap_err();
    assert_eq!(same.raw_response().unwrap().status().as_u16(), 304);
    let replace =
        s3.put_object().bucket("data").key("k").if_match(etag).body(ByteStream::from_static(b"new"));
    replace.send().await.unwrap();
    assert_eq!(get(&s3, "k").await, b"new");
}

#[tokio::test]
async fn of_many_that_want_to_be_first_one_is() {
    let (_local, s3) = with_bucket().await;
    let attempts = (0..16).map(|n| {
        let body = ByteStream::from(vec![b'a' + n]);
        s3.put_object().bucket("data").key("lock").if_none_match("*").body(body).send()
    });
    let outcomes = futures::future::join_all(attempts).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(outcomes.iter().flat_map(|o| o.as_ref().err()).all(|e| e.code() == Some("PreconditionFailed")));
}

#[tokio::test]
async fn odd_keys_are_kept_and_listed_as_they_are() {
    let (_local, s3) = with_bucket().await;
    let keys = ["a b+c%2F", "d//e", "f/../g", "k", "k/c", "é/ü", "x&y<z>\"'", "~!$()*,;=:@", "tab\there"];
    for key in keys {
        put(&s3, key, key).await;
        assert_eq!(get(&s3, key).await, key.as_bytes(), "{key}");
    }
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    let listed = s3.list_objects_v2().bucket("data").send().await.unwrap();
    let names: Vec<&str> = listed.contents().iter().filter_map(|object| object.key()).collect();
    assert_eq!(names, sorted);
    let encoded = s3
        .list_objects_v2()
        .bucket("data")
        .encoding_type(EncodingType::Url)
        .prefix("a")
        .send()
        .await
        .unwrap();
    assert_eq!(encoded.contents()[0].key(), Some("a%20b%2Bc%252F"));
}

#[tokio::test]
async fn listings_page_and_fold() {
    let (_local, s3) = with_bucket().await;
    for key in ["a", "b/1", "b/2", "c/1", "d", "e/1", "e/2", "f"] {
        put(&s3, key, "").await;
    }
    for size in [1, 2, 3, 100] {
        let mut seen = Vec::new();
        let mut pages =
            s3.list_objects_v2().bucket("data").delimiter("/").max_keys(size).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.unwrap();
            assert!(page.key_count().unwrap() <= size);
            seen.extend(page.contents().iter().map(|o| o.key().unwrap().to_owned()));
            seen.extend(page.common_prefixes().iter().map(|p| p.prefix().unwrap().to_owned()));
        }
        seen.sort();
        assert_eq!(seen, ["a", "b/", "c/", "d", "e/", "f"], "pages of {size}");
    }
    // The older listing goes on by marker.
    let first = s3.list_objects().bucket("data").delimiter("/").max_keys(2).send().await.unwrap();
    assert_eq!((first.is_truncated(), first.next_marker()), (Some(true), Some("b/")));
    let next = s3.list_objects().bucket("data").delimiter("/").marker("b/").max_keys(2).send().await.unwrap();
    assert_eq!(next.common_prefixes()[0].prefix(), Some("c/"));
    assert_eq!(next.contents()[0].key(), Some("d"));
    let under = s3.list_objects_v2().bucket("data").prefix("b/").start_after("b/1").send().await.unwrap();
    assert_eq!(under.contents().iter().filter_map(|o| o.key()).collect::<Vec<_>>(), ["b/2"]);
    let nowhere = s3.list_objects_v2().bucket("nowhere").send().await.unwrap_err();
    assert_eq!(nowhere.code(), Some("NoSuchBucket"));
}

#[tokio::test]
async fn copies_keep_or_replace_what_was_said() {
    let (_local, s3) = with_bucket().await;
    let body = ByteStream::from_static(b"x");
    s3.put_object().bucket("data").key("a b").metadata("m", "1").body(body).send().await.unwrap();
    let copy = |key: &'static str| s3.copy_object().bucket("data").key(key).copy_source("data/a%20b");
    copy("kept").send().await.unwrap();
    copy("replaced").metadata_directive(MetadataDirective::Replace).metadata("m", "2").send().await.unwrap();
    for (key, value) in [("kept", "1"), ("replaced", "2")] {
        let head = s3.head_object().bucket("data").key(key).send().await.unwrap();
        assert_eq!(head.metadata().unwrap()["m"], value);
    }
    let itself =
        s3.copy_object().bucket("data").key("kept").copy_source("data/kept").send().await.unwrap_err();
    assert_eq!(itself.code(), Some("InvalidRequest"));
    let nothing =
        s3.copy_object().bucket("data").key("n").copy_source("data/nothing").send().await.unwrap_err();
    assert_eq!(nothing.code(), Some("NoSuchKey"));
}

#[tokio::test]
async fn buckets_are_made_found_and_removed_only_when_empty() {
    let (_local, s3) = with_bucket().await;
    put(&s3, "k", "v").await;
    let full = s3.delete_bucket().bucket("data").send().await.unwrap_err();
    assert_eq!(full.code(), Some("BucketNotEmpty"));
    let delete = Delete::builder().objects(ObjectIdentifier::builder().key("k").build().unwrap());
    let delete =
        delete.objects(ObjectIdentifier::builder().key("never there").build().unwrap()).build().unwrap();
    let done = s3.delete_objects().bucket("data").delete(delete).send().await.unwrap();
    assert_eq!((done.deleted().len(), done.errors().len()), (2, 0));
    s3.head_bucket().bucket("data").send().await.unwrap();
    s3.create_bucket().bucket("data").send().await.unwrap();
    assert_eq!(s3.list_buckets().send().await.unwrap().buckets().len(), 1);
    s3.get_bucket_location().bucket("data").send().await.unwrap();
    s3.delete_bucket().bucket("data").send().await.unwrap();
    assert!(s3.head_bucket().bucket("data").send().await.unwrap_err().into_service_error().is_not_found());
    let odd = s3.create_bucket().bucket("Not_A_Bucket").send().await.unwrap_err();
    assert_eq!(odd.code(), Some("InvalidBucketName"));
}

#[tokio::test]
async fn an_upload_in_parts_becomes_one_object() {
    let (_local, s3) = with_bucket().await;
    let id = s3
        .create_multipart_upload()
        .bucket("data")
        .key("big")
        .content_type("text/plain")
        .send()
        .await
        .unwrap();
    let id = id.upload_id().unwrap();
    let bodies = [vec![b'a'; 5 * 1024 * 1024], vec![b'b'; 5 * 1024 * 1024], vec![b'c'; 7]];
    let mut parts = Vec::new();
    for (number, body) in (1..).zip(&bodies) {
        let part = s3.upload_part().bucket("data").key("big").upload_id(id).part_number(number);
        let part = part.body(ByteStream::from(body.clone())).send().await.unwrap();
        parts.push(CompletedPart::builder().part_number(number).e_tag(part.e_tag().unwrap()).build());
    }
    let listed = s3.list_parts().bucket("data").key("big").upload_id(id).send().await.unwrap();
    assert_eq!(listed.parts().len(), 3);
    let complete = |parts: Vec<CompletedPart>| {
        let upload = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        s3.complete_multipart_upload().bucket("data").key("big").upload_id(id).multipart_upload(upload).send()
    };
    let reversed = complete(parts.iter().rev().cloned().collect()).await.unwrap_err();
    assert_eq!(reversed.code(), Some("InvalidPartOrder"));
    let done = complete(parts).await.unwrap();
    // md5 of the three parts' md5s, as the S3 documentation defines it; by Python's hashlib.
    assert_eq!(done.e_tag(), Some("\"1e978b7a73a0f5572fc6d81d05626439-3\""));
    assert_eq!(get(&s3, "big").await, bodies.concat());
    let across =
        s3.get_object().bucket("data").key("big").range("bytes=5242878-5242881").send().await.unwrap();
    assert_eq!(across.body.collect().await.unwrap().to_vec(), b"aabb");
    let gone = s3.list_parts().bucket("data").key("big").upload_id(id).send().await.unwrap_err();
    assert_eq!(gone.code(), Some("NoSuchUpload"));

    let id = s3.create_multipart_upload().bucket("data").key("never").send().await.unwrap();
    let id = id.upload_id().unwrap();
    assert_eq!(s3.list_multipart_uploads().bucket("data").send().await.unwrap().uploads().len(), 1);
    s3.abort_multipart_upload().bucket("data").key("never").upload_id(id).send().await.unwrap();
    assert_eq!(s3.list_multipart_uploads().bucket("data").send().await.unwrap().uploads().len(), 0);
}

/// Sends bytes as they are and reads until the server closes or has nothing more to say.
async fn raw(local: &Local, bytes: &[u8]) -> String {
    let mut stream = tokio::net::TcpStream::connect(local.address()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

const SIGNED: &str = "authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

#[tokio::test]
async fn strangers_and_web_pages_are_refused() {
    let (local, _s3) = with_bucket().await;
    let here = local.address().to_owned();
    let ask = |head: String| {
        let local = &local;
        async move { raw(local, format!("{head}\r\n\r\n").as_bytes()).await }
    };
    let unsigned = ask(format!("GET /data HTTP/1.1\r\nhost: {here}")).await;
    assert!(unsigned.starts_with("HTTP/1.1 403"), "{unsigned}");
    assert!(unsigned.contains("<Code>AccessDenied</Code>"), "{unsigned}");
    assert!(unsigned.contains("x-amz-request-id: "), "{unsigned}");
    let page =
        ask(format!("GET /data HTTP/1.1\r\nhost: {here}\r\norigin: http://evil.example\r\n{SIGNED}")).await;
    assert!(page.starts_with("HTTP/1.1 403"), "{page}");
    let preflight =
        ask(format!("OPTIONS /data HTTP/1.1\r\nhost: {here}\r\norigin: http://evil.example")).await;
    assert!(preflight.starts_with("HTTP/1.1 403") && !preflight.contains("access-control"), "{preflight}");
    let rebound = ask(format!("GET /data HTTP/1.1\r\nhost: evil.example\r\n{SIGNED}")).await;
    assert!(rebound.starts_with("HTTP/1.1 403"), "{rebound}");
    let fine = ask(format!("GET /data?list-type=2 HTTP/1.1\r\nhost: {here}\r\n{SIGNED}")).await;
    assert!(fine.starts_with("HTTP/1.1 200"), "{fine}");
    let json = "x-amz-target: AmazonAthena.ListWorkGroups\r\ncontent-type: application/x-amz-json-1.1";
    let unsigned = ask(format!("POST / HTTP/1.1\r\nhost: {here}\r\n{json}\r\ncontent-length: 0")).await;
    assert!(unsigned.contains("\"__type\":\"MissingAuthenticationTokenException\""), "{unsigned}");
    let unknown = "x-amz-target: DynamoDB_20120810.ListTables\r\ncontent-type: application/x-amz-json-1.0";
    let unknown =
        ask(format!("POST / HTTP/1.1\r\nhost: {here}\r\n{unknown}\r\n{SIGNED}\r\ncontent-length: 0")).await;
    assert!(unknown.starts_with("HTTP/1.1 400"), "{unknown}");
    assert!(
        unknown.contains("UnknownOperationException") && unknown.contains("x-amzn-requestid"),
        "{unknown}"
    );
}

#[tokio::test]
async fn garbage_ends_its_connection_only() {
    let (local, s3) = with_bucket().await;
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00"[..],
        b"GET\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        b"GET /%ff%fe HTTP/1.1\r\n\r\n",
    ] {
        let _ = raw(&local, garbage).await;
    }
    let here = local.address();
    let broken =
        format!("PUT /data/cut HTTP/1.1\r\nhost: {here}\r\n{SIGNED}\r\ncontent-length: 100\r\n\r\nonly this");
    let _ = raw(&local, broken.as_bytes()).await;
    let missing = s3.get_object().bucket("data").key("cut").send().await.unwrap_err();
    assert_eq!(missing.code(), Some("NoSuchKey"));
}
