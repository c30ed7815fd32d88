//! A notification of a topic, read from the log in which SNS tells of deliveries.
//!
//! Format: Amazon SNS Developer Guide, "Amazon SNS message delivery status": a JSON object with
//! `notification`, `delivery` and `status` in the group `sns/<region>/<account>/<topic>`, once delivery
//! status logging is on. AWS leaves the message itself out; the local cloud keeps it there.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::log::LogLine;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// The log line's own id.
    pub id: String,
    pub at: DateTime<Utc>,
    pub subject: Option<String>,
    /// `None` where the log does not hold it.
    pub message: Option<String>,
    /// SNS's message id.
    pub message_id: Option<String>,
    /// Where it went.
    pub destination: Option<String>,
    pub delivered: bool,
}

impl Notification {
    /// `None` for a line that tells of no delivery.
    pub fn read(line: &LogLine) -> Option<Notification> {
        let value: Value = serde_json::from_str(&line.text).ok()?;
        let notification = value.get("notification")?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Some(Notification {
            id: line.id.clone(),
            at: line.at,
            subject: text(&notification["subject"]),
            message: text(&notification["message"]),
            message_id: text(&notification["messageId"]),
            destination: text(&value["delivery"]["destination"]),
            delivered: value["status"] == "SUCCESS",
        })
    }

    /// The first line of what it says.
    pub fn headline(&self) -> &str {
        let text = self.message.as_deref().or(self.destination.as_deref()).unwrap_or_default();
        text.lines().next().unwrap_or_default()
    }
}

/// The log group of a topic's deliveries; the topic by name or ARN.
pub fn group_of(topic: &str, account: &str, region: &str) -> String {
    format!("sns/{region}/{account}/{}", topic.rsplit(':').next().unwrap_or(topic))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Notification> {
        let line =
            LogLine { id: "1".into(), at: DateTime::UNIX_EPOCH, stream: String::new(), text: text.into() };
        Notification::read(&line)
    }

    /// The example of SNS's guide.
    #[test]
    fn what_aws_writes_has_no_message() {
        let text = r#"{"notification":{"messageMD5Sum":"194d8b6b","messageId":"bd9bcb3a","topicArn":"arn:aws:sns:us-east-1:123456789012:t","timestamp":"2016-06-10 12:27:00.000"},"delivery":{"deliveryId":"x","destination":"https://example.com/","providerResponse":"ok","dwellTimeMs":74,"attempts":1,"statusCode":200},"status":"SUCCESS"}"#;
        let found = read(text).unwrap();
        assert_eq!((found.message.as_deref(), found.delivered), (None, true));
        assert_eq!(found.headline(), "https://example.com/");
        assert_eq!(read("{}"), None);
        assert_eq!(read("no JSON"), None);
    }

    #[test]
    fn a_topic_is_named_by_name_or_arn() {
        let group = "sns/us-east-1/000000000000/alerts";
        for topic in ["alerts", "arn:aws:sns:us-east-1:000000000000:alerts"] {
            assert_eq!(group_of(topic, "000000000000", "us-east-1"), group);
        }
    }
}
