//! STS: who we are.

use super::error::Error;
use super::link::Link;

#[derive(Clone)]
pub struct Sts {
    client: aws_sdk_sts::Client,
    link: Link,
}

/// The identity behind the credentials.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Twelve digits.
    pub account: String,
    pub arn: String,
}

impl Sts {
    pub(super) fn new(client: aws_sdk_sts::Client, link: Link) -> Self {
        Sts { client, link }
    }

    pub async fn get_caller_identity(&self) -> Result<Identity, Error> {
        let answer = self.link.ask("GetCallerIdentity", self.client.get_caller_identity().send()).await?;
        Ok(Identity { account: answer.account.unwrap_or_default(), arn: answer.arn.unwrap_or_default() })
    }
}
