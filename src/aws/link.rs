//! What every client shares: the target, the permit and the budget; and the one way to send.

use std::future::Future;
use std::sync::Arc;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use super::budget::Budget;
use super::connect::Target;
use super::error::Error;
use super::permit::Permit;

#[derive(Clone)]
pub(super) struct Link {
    inner: Arc<Inner>,
}

struct Inner {
    target: Target,
    region: String,
    permit: Permit,
    budget: Budget,
}

impl Link {
    pub(super) fn new(target: Target, region: String, permit: Permit, budget: Budget) -> Self {
        Link { inner: Arc::new(Inner { target, region, permit, budget }) }
    }

    pub(super) fn target(&self) -> &Target {
        &self.inner.target
    }

    pub(super) fn region(&self) -> &str {
        &self.inner.region
    }

    pub(super) fn permit(&self) -> Permit {
        self.inner.permit
    }

    /// Whether polling may be quick: the other side is this machine.
    pub(super) fn quick(&self) -> bool {
        self.inner.target.url().is_some_and(super::connect::loopback)
    }

    /// Sends one request: permitted, paced, and its failure named.
    pub(super) async fn ask<T, E>(
        &self,
        operation: &'static str,
        request: impl Future<Output = Result<T, SdkError<E>>>,
    ) -> Result<T, Error>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        self.inner.permit.check(operation)?;
        self.inner.budget.take(operation).await;
        // Boxed: the SDK's futures are large, and callers nest several of them.
        match Box::pin(request).await {
            Ok(answer) => Ok(answer),
            Err(failure) => {
                let error = Error::from_sdk(operation, &self.inner.target, &failure);
                if error.kind == super::Kind::Throttled {
                    self.inner.budget.throttled(operation);
                }
                Err(error)
            }
        }
    }
}
