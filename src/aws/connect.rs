//! From a target to clients: endpoint, region and credentials.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    Credentials, RequestChecksumCalculation, ResponseChecksumValidation, SharedCredentialsProvider,
    SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

use super::budget::Budget;
use super::link::Link;
use super::permit::Permit;
use super::road::Road;
use super::{Aws, athena, lambda, logs, s3, sns, states, sts};

/// The region of a target that names none.
pub const DEFAULT_REGION: &str = "us-east-1";

/// What the console talks to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The local cloud: fixed credentials, no profile files, no metadata service.
    Local { url: String, region: String },
    /// An AWS account, through the official chain: environment, profiles, SSO, credential processes.
    Aws { profile: Option<String>, region: Option<String> },
    /// Any endpoint that answers AWS's calls. On this machine's loopback without credentials in the
    /// environment and without a profile, fixed credentials are used.
    Endpoint { url: String, region: Option<String>, profile: Option<String> },
}

impl Target {
    pub fn local(url: impl Into<String>) -> Self {
        Target::Local { url: url.into(), region: DEFAULT_REGION.into() }
    }

    /// Whether writing needs no confirmation: only our own local cloud.
    pub fn is_local(&self) -> bool {
        matches!(self, Target::Local { .. })
    }

    /// For people: `the local cloud`, `AWS profile prod`, `http://…`.
    pub fn describe(&self) -> String {
        match self {
            Target::Local { .. } => "the local cloud".into(),
            Target::Aws { profile: Some(profile), .. } => format!("AWS profile {profile}"),
            Target::Aws { profile: None, .. } => "AWS".into(),
            Target::Endpoint { url, .. } => url.clone(),
        }
    }

    pub fn profile(&self) -> Option<&str> {
        match self {
            Target::Local { .. } => None,
            Target::Aws { profile, .. } | Target::Endpoint { profile, .. } => profile.as_deref(),
        }
    }

    pub fn url(&self) -> Option<&str> {
        match self {
            Target::Local { url, .. } | Target::Endpoint { url, .. } => Some(url),
            Target::Aws { .. } => None,
        }
    }
}

/// Makes the clients. Nothing is sent; for AWS the profile files are read to find the region.
pub async fn connect(target: &Target, permit: Permit) -> Aws {
    let config = match target {
        Target::Local { url, region } => fixed(url, Region::new(region.clone())),
        Target::Endpoint { url, region, profile: None } if loopback(url) && !credentials_in_environment() => {
            fixed(url, Region::new(region.clone().unwrap_or_else(|| DEFAULT_REGION.into())))
        }
        Target::Endpoint { url, region, profile } => chain(profile, region, Some(url)).await,
        Target::Aws { profile, region } => chain(profile, region, None).await,
    };
    clients(target, permit, &config)
}

/// The clients of a local cloud that is found again when its process ended.
pub fn connect_by(road: &Road, region: String, permit: Permit) -> Aws {
    let url = road.url();
    let config = fixed(&url, Region::new(region.clone())).into_builder();
    let config = config.http_client(road.client(http_client(false))).build();
    clients(&Target::Local { url, region }, permit, &config)
}

/// The clients of the Lambda function: the execution environment says everything.
pub async fn from_environment() -> Aws {
    let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let region = variable("AWS_REGION");
    let target = match variable("AWS_ENDPOINT_URL") {
        Some(url) => Target::Endpoint { url, region, profile: None },
        None => Target::Aws { profile: None, region },
    };
    connect(&target, Permit::ReadWrite).await
}

fn clients(target: &Target, permit: Permit, config: &SdkConfig) -> Aws {
    let region = config.region().map_or(DEFAULT_REGION, Region::as_ref).to_owned();
    let link = Link::new(target.clone(), region, permit, Budget::of(target));
    let path_style = target.url().is_some();
    let s3_config = aws_sdk_s3::config::Builder::from(config).force_path_style(path_style).build();
    // A function may run for fifteen minutes before the first byte of its answer.
    let patient = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .read_timeout(Duration::from_secs(15 * 60 + 10))
        .build();
    let lambda_config = aws_sdk_lambda::config::Builder::from(config).timeout_config(patient).build();
    Aws {
        s3: s3::S3::new(aws_sdk_s3::Client::from_conf(s3_config), link.clone()),
        athena: athena::Athena::new(aws_sdk_athena::Client::new(config), link.clone()),
        states: states::States::new(aws_sdk_sfn::Client::new(config), link.clone()),
        lambda: lambda::Lambda::new(aws_sdk_lambda::Client::from_conf(lambda_config), link.clone()),
        sns: sns::Sns::new(aws_sdk_sns::Client::new(config), link.clone()),
        logs: logs::Logs::new(aws_sdk_cloudwatchlogs::Client::new(config), link.clone()),
        sts: sts::Sts::new(aws_sdk_sts::Client::new(config), link.clone()),
        link,
    }
}

const CONNECT: Duration = Duration::from_secs(4);

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(Duration::from_secs(60)).build()
}

/// An endpoint with fixed credentials: no file is read and no metadata service is asked.
fn fixed(url: &str, region: Region) -> SdkConfig {
    let retry = RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(40))
        .with_max_backoff(Duration::from_millis(400));
    let credentials = Credentials::new("local", "local", None, None, "ward");
    SdkConfig::builder()
        .behavior_version(behavior())
        .http_client(http_client(url.starts_with("https:")))
        .endpoint_url(url)
        .region(region)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(retry)
        .timeout_config(timeouts())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .build()
}

/// The official chain. The region is looked for in flag, environment and profile; the metadata
/// service is not asked for it, since it makes every start outside EC2 slow.
async fn chain(profile: &Option<String>, region: &Option<String>, url: Option<&String>) -> SdkConfig {
    let mut from_profile = ProfileFileRegionProvider::builder();
    if let Some(profile) = profile {
        from_profile = from_profile.profile_name(profile);
    }
    let region = match region {
        Some(region) => RegionProviderChain::first_try(Region::new(region.clone())),
        None => RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
            .or_else(from_profile.build())
            .or_else(Region::new(DEFAULT_REGION)),
    };
    let tls = url.is_none_or(|url| url.starts_with("https:")) || profile.is_some();
    let mut loader = aws_config::defaults(behavior())
        .http_client(http_client(tls))
        .region(region)
        .timeout_config(timeouts())
        .retry_config(RetryConfig::standard());
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    if let Some(url) = url {
        loader = loader
            .endpoint_url(url)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    }
    loader.load().await
}

fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

fn http_client(tls: bool) -> SharedHttpClient {
    let builder = aws_smithy_http_client::Builder::new();
    match tls {
        true => builder.tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https(),
        false => builder.build_http(),
    }
}

fn credentials_in_environment() -> bool {
    ["AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Whether the URL's host is this machine.
pub fn loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => authority.split(':').next().unwrap_or(authority),
    };
    host == "localhost" || host == "::1" || host.starts_with("127.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_this_machine() {
        for url in ["http://127.0.0.1:4566", "http://localhost", "https://[::1]:1/x", "127.0.0.1:80"] {
            assert!(loopback(url), "{url}");
        }
        for url in ["https://s3.amazonaws.com", "http://10.0.0.1:80", "http://localhost.example.org"] {
            assert!(!loopback(url), "{url}");
        }
    }
}
