//! Security Token Service: who is calling.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::bus::{ACCOUNT, Bus, Service};
use super::fault::Fault;

/// Every caller is the account's root: the local cloud accepts any credentials.
pub struct Sts;

impl Sts {
    pub fn new(_bus: &Arc<Bus>) -> Arc<Sts> {
        Arc::new(Sts)
    }
}

impl Service for Sts {
    fn name(&self) -> &'static str {
        "sts"
    }

    fn call<'a>(&'a self, operation: &'a str, _input: Value) -> BoxFuture<'a, Result<Value, Fault>> {
        Box::pin(async move {
            match operation {
                "GetCallerIdentity" => Ok(json!({
                    "UserId": ACCOUNT,
                    "Account": ACCOUNT,
                    "Arn": format!("arn:aws:iam::{ACCOUNT}:root"),
                })),
                other => Err(Fault::client(
                    "InvalidAction",
                    format!("The local cloud's STS knows GetCallerIdentity only, not {other}."),
                )),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::clock::Clock;
    use crate::local::store::Store;

    #[tokio::test]
    async fn tells_the_account() {
        let bus = Bus::new(Store::open(None).unwrap(), Clock::default(), "us-east-1");
        let identity = Sts::new(&bus).call("GetCallerIdentity", json!({})).await.unwrap();
        assert_eq!(identity["Account"], "000000000000");
        assert_eq!(identity["Arn"], "arn:aws:iam::000000000000:root");
    }
}
