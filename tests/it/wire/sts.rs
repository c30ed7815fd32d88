//! STS: who is calling.

use crate::support::cloud;

#[tokio::test]
async fn the_caller_is_the_local_account() {
    let local = cloud().await;
    let identity = aws_sdk_sts::Client::new(&local.config).get_caller_identity().send().await.unwrap();
    assert_eq!(identity.account(), Some("000000000000"));
    assert_eq!(identity.arn(), Some("arn:aws:iam::000000000000:root"));
    assert_eq!(identity.user_id(), Some("000000000000"));
}
