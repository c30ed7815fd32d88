//! Parts of URLs. <https://trino.io/docs/current/functions/url.html>

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::native::*;
use crate::local::athena::failure::Failure;

/// What java.net.URLEncoder leaves as it is.
const PLAIN: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b' ');

#[derive(Default)]
struct Url<'a> {
    protocol: &'a str,
    host: &'a str,
    port: Option<i64>,
    path: &'a str,
    query: &'a str,
    fragment: &'a str,
}

fn read(url: &str) -> Url<'_> {
    let (rest, fragment) = url.split_once('#').unwrap_or((url, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let Some((protocol, rest)) = rest.split_once("://") else {
        return Url { path: rest, query, fragment, ..Url::default() };
    };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, port.parse().ok()),
        _ => (authority, None),
    };
    Url { protocol, host, port, path, query, fragment }
}

/// Whether Java reads the text as a URI at all.
fn is_uri(url: &str) -> bool {
    let foreign = |c: char| c.is_whitespace() || c.is_control() || "\"<>\\^`{|}".contains(c);
    let escaped = |rest: &str| rest.as_bytes().iter().take(2).filter(|b| b.is_ascii_hexdigit()).count() == 2;
    !url.contains(foreign) && url.split('%').skip(1).all(escaped)
}

fn is_texts(types: &[DataType]) -> Result<DataType, &'static str> {
    if types.iter().all(is_text) { Ok(DataType::Utf8) } else { Err("varchar") }
}

fn each(
    args: &[ArrayRef],
    kind: &DataType,
    part: impl Fn(&str) -> Option<ScalarValue>,
) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| Ok(text(&args[0], row).and_then(&part)))
}

fn utf8(text: impl Into<String>) -> Option<ScalarValue> {
    Some(ScalarValue::Utf8(Some(text.into())))
}

pub fn all() -> Vec<ScalarUDF> {
    macro_rules! part {
        ($name:literal, $part:expr) => {
            Native { name: $name, least: 1, most: 1, returns: is_texts, eval: |a, k| each(a, k, $part) }
        };
    }
    let all = [
        part!("url_extract_protocol", |u| is_uri(u).then(|| utf8(read(u).protocol))?),
        part!("url_extract_host", |u| is_uri(u).then(|| utf8(read(u).host))?),
        part!("url_extract_path", |u| is_uri(u).then(|| utf8(read(u).path))?),
        part!("url_extract_query", |u| is_uri(u).then(|| utf8(read(u).query))?),
        part!("url_extract_fragment", |u| is_uri(u).then(|| utf8(read(u).fragment))?),
        part!("url_encode", |u| utf8(utf8_percent_encode(u, &PLAIN).to_string().replace(' ', "+"))),
        part!("url_decode", |u| utf8(decode(u))),
        Native {
            name: "url_extract_port",
            least: 1,
            most: 1,
            returns: |t| is_texts(t).map(|_| DataType::Int64),
            eval: |a, k| each(a, k, |u| Some(ScalarValue::Int64(Some(is_uri(u).then(|| read(u).port)??)))),
        },
        Native { name: "url_extract_parameter", least: 2, most: 2, returns: is_texts, eval: parameter },
    ];
    all.into_iter().map(udf).collect()
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// The first value of a parameter of the query.
fn parameter(args: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, Failure> {
    collect(kind, rows(args), |row| {
        let (Some(url), Some(name)) = (text(&args[0], row), text(&args[1], row)) else { return Ok(None) };
        let found = read(url).query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key) == name).then(|| decode(value))
        });
        Ok(found.and_then(utf8))
    })
}
