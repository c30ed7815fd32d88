//! The listener on 127.0.0.1 and its connections.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::router::Router;

/// How long a stop waits for requests that are being answered.
const GRACE: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("port {0} is in use by another process: choose another one with --port, or leave it out")]
    InUse(u16),
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Listen { port: u16, source: std::io::Error },
}

/// A listener that is not answered yet.
pub struct Listener {
    listener: TcpListener,
    pub address: SocketAddr,
}

impl Listener {
    /// Port 0 lets the system choose.
    pub async fn bind(port: u16) -> Result<Listener, Error> {
        let failed = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::AddrInUse => Error::InUse(port),
            _ => Error::Listen { port, source },
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Listener { listener, address })
    }
}

/// Counts connections, so that a server knows when nobody is there.
#[derive(Clone)]
pub struct Clients(Arc<watch::Sender<usize>>);

impl Default for Clients {
    fn default() -> Self {
        Clients(Arc::new(watch::channel(0).0))
    }
}

impl Clients {
    /// Changes whenever somebody comes or goes.
    pub fn watch(&self) -> watch::Receiver<usize> {
        self.0.subscribe()
    }

    fn enter(&self) -> Guest {
        self.0.send_modify(|count| *count += 1);
        Guest(self.clone())
    }
}

struct Guest(Clients);

impl Drop for Guest {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

/// Accepts connections until `stop`, then lets requests under way finish, for a few seconds.
pub async fn serve(listener: Listener, router: Router, clients: Clients, stop: CancellationToken) {
    let connections = TaskTracker::new();
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file descriptors, mostly: give some back first.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        // Answers are written in two pieces; waiting for the first one's receipt costs 40 ms.
        let _ = stream.set_nodelay(true);
        let (router, stop, guest) = (router.clone(), stop.clone(), clients.enter());
        connections.spawn(
            async move {
                let _guest = guest;
                connection(stream, router, stop).await;
            }
            .boxed(),
        );
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(GRACE, connections.wait()).await.is_err() {
        tracing::warn!(open = connections.len(), "connections were cut at the stop");
    }
}

async fn connection(stream: tokio::net::TcpStream, router: Router, stop: CancellationToken) {
    let service = service_fn(move |request| {
        let router = router.clone();
        async move { Ok::<_, std::convert::Infallible>(router.answer(request).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .max_buf_size(256 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}
