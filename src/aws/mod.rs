//! We ask: the AWS SDK in, domain types out. The only place that names the SDK.
//!
//! May use `domain` and `sql`. Start with [`connect()`], which turns a [`Target`] into an [`Aws`]: one
//! client per service, each file named as the service, each function named as AWS's operation.
//! Every request passes [`permit`] (read-only is enforced there, before anything is sent) and
//! [`budget`] (one limiter for all callers), and fails as an [`Error`]. [`follow`] turns executions
//! and logs into streams.

pub mod athena;
pub mod budget;
pub mod connect;
pub mod error;
pub mod follow;
mod history;
pub mod lambda;
mod link;
pub mod logs;
pub mod permit;
pub mod road;
pub mod s3;
pub mod sns;
pub mod states;
pub mod sts;
mod time;

pub use connect::{Target, connect, connect_by};
pub use error::{Error, Kind};
pub use permit::Permit;
pub use road::Road;

/// One client per service, all of one target. Cheap to clone.
#[derive(Clone)]
pub struct Aws {
    pub s3: s3::S3,
    pub athena: athena::Athena,
    pub states: states::States,
    pub lambda: lambda::Lambda,
    pub sns: sns::Sns,
    pub logs: logs::Logs,
    pub sts: sts::Sts,
    link: link::Link,
}

impl Aws {
    /// What these clients talk to.
    pub fn target(&self) -> &Target {
        self.link.target()
    }

    /// The region requests are signed for.
    pub fn region(&self) -> &str {
        self.link.region()
    }

    /// What these clients may do.
    pub fn permit(&self) -> Permit {
        self.link.permit()
    }
}

/// One page of a listing; `next` is the token of the page after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A listing of a single page.
    pub fn last(items: Vec<T>) -> Self {
        Page { items, next: None }
    }
}
