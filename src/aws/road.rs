//! The road to the shared local cloud: that process may end and serve again at another port. Whatever asks goes
//! on with the clients it has; they find the new port by themselves.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use futures::future::{BoxFuture, FutureExt, Shared};

use crate::domain::problem::Problem;

/// Finds the local cloud again, or starts it; answers its URL.
pub type Rejoin = Arc<dyn Fn() -> BoxFuture<'static, Result<String, Problem>> + Send + Sync>;

/// A cloud that could not be found is not looked for again before this.
const REST: Duration = Duration::from_secs(1);

type Attempt = Shared<BoxFuture<'static, Result<(), Problem>>>;

/// Where the local cloud is now, shared by all clients. Cheap to clone.
#[derive(Clone)]
pub struct Road {
    inner: Arc<Inner>,
}

struct Inner {
    rejoin: Rejoin,
    state: Mutex<State>,
}

struct State {
    /// `http://127.0.0.1:port`
    url: String,
    /// Looking for it: under way, or failed a moment ago.
    attempt: Option<Attempt>,
    failed: Option<Instant>,
}

impl fmt::Debug for Road {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Road to {}", self.url())
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Road {
    pub fn new(url: String, rejoin: Rejoin) -> Road {
        let state = Mutex::new(State { url, attempt: None, failed: None });
        Road { inner: Arc::new(Inner { rejoin, state }) }
    }

    pub fn url(&self) -> String {
        self.inner.state().url.clone()
    }

    /// There was no answer at `lost`: looks for the cloud once, however many ask, unless somebody found it
    /// meanwhile.
    pub async fn again(&self, lost: &str) -> Result<(), Problem> {
        let attempt = {
            let mut state = self.inner.state();
            if state.url != lost {
                return Ok(());
            }
            if state.failed.is_some_and(|at| at.elapsed() > REST) {
                state.attempt = None;
                state.failed = None;
            }
            state.attempt.get_or_insert_with(|| self.attempt()).clone()
        };
        attempt.await
    }

    /// In a task of its own: whoever gives its question up does not stop the others.
    fn attempt(&self) -> Attempt {
        let inner = self.inner.clone();
        let task = tokio::spawn(
            async move {
                let answer = (inner.rejoin)().await;
                let mut state = inner.state();
                match answer {
                    Ok(url) => {
                        state.url = url;
                        state.attempt = None;
                        Ok(())
                    }
                    Err(problem) => {
                        state.failed = Some(Instant::now());
                        Err(problem)
                    }
                }
            }
            .boxed(),
        );
        let ended = |error: tokio::task::JoinError| {
            Err(Problem::new("The local cloud could not be looked for").detail(error.to_string()))
        };
        task.map(move |answer| answer.unwrap_or_else(ended)).boxed().shared()
    }

    /// The client that follows the road over one that only sends.
    pub(super) fn client(&self, plain: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Following { road: self.clone(), plain })
    }
}

#[derive(Debug)]
struct Following<T> {
    road: Road,
    plain: T,
}

impl HttpClient for Following<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let plain = self.plain.http_connector(settings, components);
        SharedHttpConnector::new(Following { road: self.road.clone(), plain })
    }
}

impl HttpConnector for Following<SharedHttpConnector> {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let (road, plain) = (self.road.clone(), self.plain.clone());
        HttpConnectorFuture::new(async move {
            let url = road.url();
            request
                .set_uri(lead(request.uri(), &url))
                .map_err(|error| ConnectorError::other(error.into(), None))?;
            match plain.call(request).await {
                // The SDK tries it again, as whatever failed on its way, and is led to the new port then.
                Err(error) if error.is_io() => match road.again(&url).await {
                    Ok(()) => Err(error),
                    Err(problem) => Err(ConnectorError::io(problem.to_string().into())),
                },
                answer => answer,
            }
        })
    }
}

/// The request's URI at the place that answers now.
fn lead(uri: &str, url: &str) -> String {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let path = rest.find(['/', '?']).map_or("/", |at| &rest[at..]);
    format!("{}{path}", url.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_request_is_led_to_where_the_cloud_is() {
        for (uri, led) in [
            (
                "http://127.0.0.1:1/bucket/key?versions&x=http://y",
                "http://127.0.0.1:2/bucket/key?versions&x=http://y",
            ),
            ("http://127.0.0.1:1", "http://127.0.0.1:2/"),
            ("http://127.0.0.1:1/", "http://127.0.0.1:2/"),
        ] {
            assert_eq!(lead(uri, "http://127.0.0.1:2"), led);
        }
    }

    fn road(answers: Result<&'static str, &'static str>) -> (Road, Arc<AtomicUsize>) {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        let rejoin: Rejoin = Arc::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            async move {
                tokio::task::yield_now().await;
                answers.map(str::to_owned).map_err(Problem::new)
            }
            .boxed()
        });
        (Road::new("http://127.0.0.1:1".into(), rejoin), count)
    }

    #[tokio::test]
    async fn many_that_get_no_answer_look_for_the_cloud_once() {
        let (road, count) = road(Ok("http://127.0.0.1:2"));
        let lost = road.url();
        let answers = futures::future::join_all((0..20).map(|_| road.again(&lost))).await;
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!((road.url().as_str(), count.load(Ordering::SeqCst)), ("http://127.0.0.1:2", 1));
        // Whoever asked the old place learns late that there is a new one.
        road.again(&lost).await.unwrap();
        assert_eq!(count.load(Ordering::SeqCst), 1);
        // And when that one is lost too, it is looked for again.
        road.again("http://127.0.0.1:2").await.unwrap();
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_cloud_that_does_not_start_is_told_why_to_all_and_not_started_at_once_again() {
        let (road, count) = road(Err("The disk is full"));
        let lost = road.url();
        for _ in 0..3 {
            assert_eq!(road.again(&lost).await, Err(Problem::new("The disk is full")));
        }
        assert_eq!((road.url(), count.load(Ordering::SeqCst)), (lost, 1));
    }
}
