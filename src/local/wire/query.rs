//! The query protocol: a form body with `Action=`, lists as `Name.member.1`, maps as
//! `Name.entry.1.key`; answers in XML.

use std::collections::BTreeMap;

use http::Response;
use serde_json::{Map, Value};

use super::{Asked, Body, answer, json};
use crate::local::fault::Fault;

/// Members of answers that are maps; every other JSON object is a structure.
const MAPS: &[&str] = &["Attributes", "attributes"];

pub fn namespace(service: &str) -> &'static str {
    match service {
        "sns" => "http://sns.amazonaws.com/doc/2010-03-31/",
        _ => "https://sts.amazonaws.com/doc/2011-06-15/",
    }
}

pub fn decode(service: &'static str, body: &[u8]) -> Result<Asked, Fault> {
    let text = std::str::from_utf8(body)
        .map_err(|_| Fault::client("MalformedQueryString", "The body is not a form in UTF-8."))?;
    let mut root = Node::default();
    let mut operation = None;
    for (name, value) in pairs(text) {
        match name.as_str() {
            "Action" => operation = Some(value),
            "Version" => {}
            _ => root.set(&name, value),
        }
    }
    let operation =
        operation.ok_or_else(|| Fault::client("MissingAction", "The request names no Action."))?;
    let input = match root.value() {
        Value::Object(input) => Value::Object(input),
        _ => Value::Object(Map::new()),
    };
    Ok(Asked { service, operation, input })
}

/// Names and values of a form or query string, decoded.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    let plain = |part: &str| {
        percent_encoding::percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned()
    };
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (plain(name), plain(value))
        })
        .collect()
}

/// The dotted names as a tree.
#[derive(Default)]
struct Node {
    text: Option<String>,
    /// Numbers sort as numbers: `member.10` after `member.9`.
    children: BTreeMap<(u64, String), Node>,
}

impl Node {
    fn set(&mut self, name: &str, value: String) {
        let mut node = self;
        for part in name.split('.') {
            node = node.children.entry((part.parse().unwrap_or(0), part.to_owned())).or_default();
        }
        node.text = Some(value);
    }

    fn child(&self, name: &str) -> Option<&Node> {
        self.children.get(&(0, name.to_owned()))
    }

    fn value(&self) -> Value {
        if self.children.is_empty() {
            return self.text.clone().map_or(Value::Null, Value::String);
        }
        if self.children.len() == 1 {
            if let Some(members) = self.child("member") {
                return members.children.values().map(Node::value).collect();
            }
            if let Some(entries) = self.child("entry") {
                return Value::Object(entries.children.values().filter_map(Node::entry).collect());
            }
        }
        Value::Object(self.children.iter().map(|((_, name), node)| (name.clone(), node.value())).collect())
    }

    fn entry(&self) -> Option<(String, Value)> {
        let key = self.child("key").or_else(|| self.child("Name"))?.text.clone()?;
        let value = self.child("value").or_else(|| self.child("Value"))?.value();
        Some((key, value))
    }
}

pub fn encode(service: &str, operation: &str, output: &Value, request_id: &str) -> Response<Body> {
    let mut xml = format!("<{operation}Response xmlns=\"{}\">", namespace(service));
    match output {
        Value::Object(members) if !members.is_empty() => {
            xml.push_str(&format!("<{operation}Result>"));
            members.iter().for_each(|(name, value)| element(&mut xml, name, value));
            xml.push_str(&format!("</{operation}Result>"));
        }
        _ => {}
    }
    xml.push_str(&format!(
        "<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    ));
    answer(200, "text/xml", xml)
}

fn element(xml: &mut String, name: &str, value: &Value) {
    match value {
        Value::Null => return,
        Value::Array(items) => {
            xml.push_str(&format!("<{name}>"));
            items.iter().for_each(|item| element(xml, "member", item));
        }
        Value::Object(entries) if MAPS.contains(&name) => {
            xml.push_str(&format!("<{name}>"));
            for (key, value) in entries {
                xml.push_str("<entry>");
                element(xml, "key", &Value::String(key.clone()));
                element(xml, "value", value);
                xml.push_str("</entry>");
            }
        }
        Value::Object(members) => {
            xml.push_str(&format!("<{name}>"));
            members.iter().for_each(|(name, value)| element(xml, name, value));
        }
        Value::String(text) => xml.push_str(&format!("<{name}>{}", escape(text))),
        other => xml.push_str(&format!("<{name}>{other}")),
    }
    xml.push_str(&format!("</{name}>"));
}

/// Text for XML 1.0; control characters that XML cannot hold become U+FFFD.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\r' => safe.push_str("&#xD;"),
            '\n' | '\t' => safe.push(c),
            c if c < ' ' || matches!(c, '\u{FFFE}' | '\u{FFFF}') => safe.push('\u{FFFD}'),
            c => safe.push(c),
        }
    }
    safe
}

/// As for JSON services, in this protocol's words.
pub fn unknown(operation: &str) -> Fault {
    Fault::client("InvalidAction", json::unknown(operation).message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_form_becomes_json() {
        let body = b"Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3At&Message=a+b%2Bc\
            &Tags.member.10.Key=k10&Tags.member.2.Key=k2\
            &Attributes.entry.1.key=DisplayName&Attributes.entry.1.value=x\
            &MessageAttributes.entry.1.Name=kind&MessageAttributes.entry.1.Value.DataType=String";
        let asked = decode("sns", body).unwrap();
        assert_eq!(asked.operation, "Publish");
        assert_eq!(
            asked.input,
            json!({
                "Attributes": {"DisplayName": "x"},
                "Message": "a b+c",
                "MessageAttributes": {"kind": {"DataType": "String"}},
                "Tags": [{"Key": "k2"}, {"Key": "k10"}],
                "TopicArn": "arn:aws:sns:t",
            })
        );
        assert_eq!(decode("sns", b"Version=1").unwrap_err().code, "MissingAction");
    }

    #[test]
    fn an_answer_becomes_xml() {
        let mut xml = String::new();
        element(&mut xml, "Topics", &json!([{"TopicArn": "a&b"}]));
        assert_eq!(xml, "<Topics><member><TopicArn>a&amp;b</TopicArn></member></Topics>");
        let mut xml = String::new();
        element(&mut xml, "Attributes", &json!({"Owner": "0", "None": null}));
        assert_eq!(
            xml,
            "<Attributes><entry><key>Owner</key><value>0</value></entry><entry><key>None</key></entry></Attributes>"
        );
    }
}
