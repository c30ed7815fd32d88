//! SNS: the topic that hears of failed runs.

use super::error::Error;
use super::link::Link;

#[derive(Clone)]
pub struct Sns {
    client: aws_sdk_sns::Client,
    link: Link,
}

impl Sns {
    pub(super) fn new(client: aws_sdk_sns::Client, link: Link) -> Self {
        Sns { client, link }
    }

    /// The topic's ARN; one of that name that is there already is the answer.
    pub async fn create_topic(&self, name: &str) -> Result<String, Error> {
        let answer = self.link.ask("CreateTopic", self.client.create_topic().name(name).send()).await?;
        answer.topic_arn.ok_or_else(|| Error::answer("CreateTopic", "the answer has no TopicArn"))
    }

    /// The ARNs of every topic, all pages.
    pub async fn list_topics(&self) -> Result<Vec<String>, Error> {
        let mut topics = Vec::new();
        let mut token = None;
        loop {
            let request = self.client.list_topics().set_next_token(token);
            let answer = self.link.ask("ListTopics", request.send()).await?;
            topics.extend(answer.topics.unwrap_or_default().into_iter().filter_map(|topic| topic.topic_arn));
            match answer.next_token {
                Some(next) => token = Some(next),
                None => return Ok(topics),
            }
        }
    }
}
