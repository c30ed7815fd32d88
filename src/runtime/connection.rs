//! The connection to the target: made once, in the background; made again after it failed.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};

use crate::aws::Aws;
use crate::domain::problem::Problem;

/// A connection under way.
pub type Connecting = Pin<Box<dyn Future<Output = Result<Aws, Problem>> + Send>>;

/// Takes what a person should know of the connection, now or later: that something was interrupted and goes on.
pub type Tell = Arc<dyn Fn(Problem) + Send + Sync>;

/// Makes a connection: attaches to the local cloud or sets the clients up. Called again after a failure.
pub type Connect = Arc<dyn Fn(Tell) -> Connecting + Send + Sync>;

/// A failed connection is not tried again before this.
const REST: Duration = Duration::from_secs(1);

type Attempt = Shared<BoxFuture<'static, Result<Aws, Problem>>>;

/// Shared by everything that asks.
#[derive(Clone)]
pub(crate) struct Connection {
    connect: Connect,
    tell: Tell,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    attempt: Option<Attempt>,
    failed: Option<Instant>,
}

impl Connection {
    pub(crate) fn new(connect: Connect, tell: Tell) -> Connection {
        Connection { connect, tell, state: Arc::default() }
    }

    /// The clients, when there are some; every caller awaits the same attempt.
    pub(crate) async fn aws(&self) -> Result<Aws, Problem> {
        let attempt = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.failed.is_some_and(|at| at.elapsed() > REST) {
                *state = State::default();
            }
            let attempt =
                state.attempt.get_or_insert_with(|| (self.connect)(self.tell.clone()).boxed().shared());
            attempt.clone()
        };
        let answer = attempt.await;
        if answer.is_err() {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.failed.get_or_insert_with(Instant::now);
        }
        answer
    }
}
