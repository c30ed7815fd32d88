//! What the integration tests share.

pub mod answers;
pub mod console;
pub mod held;
pub mod histories;
pub mod logs;
pub mod pty;
pub mod screen;
pub mod served;
pub mod setup;

use std::sync::Arc;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_http_client::Builder;
use ward::local::lambda::launcher::Program;
use ward::local::{Cloud, CloudOptions};

/// A running local cloud without a folder, and what a real SDK client needs to talk to it.
pub struct Local {
    pub cloud: Cloud,
    pub config: SdkConfig,
}

impl Local {
    pub fn s3(&self) -> aws_sdk_s3::Client {
        aws_sdk_s3::Client::new(&self.config)
    }

    /// `127.0.0.1:port`
    pub fn address(&self) -> &str {
        self.cloud.endpoint().url.trim_start_matches("http://")
    }
}

/// An ephemeral cloud. Ends with the test's runtime.
pub async fn cloud() -> Local {
    cloud_with(options()).await
}

/// An ephemeral cloud whose functions run in the binary under test.
pub fn options() -> CloudOptions {
    CloudOptions::new(Arc::new(Program::new(env!("CARGO_BIN_EXE_ward"), &["lambda"])))
}

pub async fn cloud_with(options: CloudOptions) -> Local {
    let cloud = Cloud::start(options).await.expect("the cloud starts");
    let endpoint = cloud.endpoint();
    let config = sdk_config(&endpoint.url, &endpoint.region);
    Local { cloud, config }
}

/// As a user's SDK would be configured by the environment, for any endpoint.
pub fn sdk_config(url: &str, region: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "tests");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .endpoint_url(url)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(Builder::new().build_http())
        .sleep_impl(Arc::new(Sleep) as Arc<dyn aws_sdk_s3::config::AsyncSleep>)
        .build()
}

/// The SDK retries and times out by this.
#[derive(Debug)]
struct Sleep;

impl aws_sdk_s3::config::AsyncSleep for Sleep {
    fn sleep(&self, duration: std::time::Duration) -> aws_sdk_s3::config::Sleep {
        aws_sdk_s3::config::Sleep::new(tokio::time::sleep(duration))
    }
}
