//! We answer: the embedded cloud, AWS's own wire protocols on one loopback port.
//!
//! May use `asl` and `sql`. Services never import each other: they call and notify through [`bus`],
//! and every write goes through [`store`]. A request arrives at [`server`], is decoded by [`wire`],
//! goes through [`router`] to its [`bus::Service`], and the answer goes back the same way. Start with
//! [`Cloud::start`] and [`bus::Service`].

pub mod athena;
pub mod attach;
pub mod bus;
pub mod clock;
pub mod fault;
pub mod lambda;
pub mod logfile;
pub mod logs;
pub mod objects;
pub mod outbox;
pub mod router;
pub mod s3;
pub mod seat;
pub mod server;
pub mod sns;
pub mod states;
pub mod store;
pub mod sts;
pub mod wire;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use tokio::task::JoinHandle;

use bus::Bus;
use clock::Clock;
use lambda::launcher::Launcher;
use store::Store;

/// What the cloud knows of itself.
const FACTS: store::Table = "cloud.facts";
const FILLED: &str = "filled";

/// What a cloud is to be.
pub struct CloudOptions {
    /// Where it keeps its state; `None` keeps everything in memory.
    pub folder: Option<PathBuf>,
    /// On 127.0.0.1; 0 lets the system choose.
    pub port: u16,
    pub clock: Clock,
    pub region: String,
    /// Who starts the execution environments of Lambda functions.
    pub launcher: Arc<dyn Launcher>,
}

impl CloudOptions {
    /// In memory, on any port, in us-east-1, by the real clock.
    pub fn new(launcher: Arc<dyn Launcher>) -> CloudOptions {
        let region = "us-east-1".into();
        CloudOptions { folder: None, port: 0, clock: Clock::default(), region, launcher }
    }
}

/// Where a cloud answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `http://127.0.0.1:4566`
    pub url: String,
    pub region: String,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Store(#[from] store::Error),
    #[error("{0}")]
    Server(#[from] server::Error),
    #[error("{0}")]
    Service(#[from] fault::Fault),
}

/// A running local cloud: empty at first, filled through its endpoint like any account.
pub struct Cloud {
    bus: Arc<Bus>,
    endpoint: Endpoint,
    clients: server::Clients,
    tasks: Vec<JoinHandle<()>>,
    taken_up: Vec<String>,
}

impl Cloud {
    /// Opens the store, starts every service and answers on the port. What an earlier process left
    /// unfinished is taken up.
    pub async fn start(options: CloudOptions) -> Result<Cloud, Error> {
        let listener = server::Listener::bind(options.port).await?;
        let store = Store::open(options.folder.as_deref())?;
        let bus = Bus::new(store, options.clock, options.region.clone());

        let objects = objects::ObjectStore::open(&bus, options.folder.as_deref())?;
        bus.provide_objects(objects.clone());
        let s3 = s3::S3::new(&bus, objects);
        bus.register(s3.clone());
        bus.register(athena::Athena::new(&bus));
        bus.register(athena::Glue::new(&bus));
        bus.register(lambda::Lambda::new(&bus, options.launcher));
        bus.register(sns::Sns::new(&bus));
        bus.register(logs::Logs::new(&bus));
        bus.register(sts::Sts::new(&bus));
        bus.register(states::States::new(&bus));

        let endpoint = Endpoint { url: format!("http://{}", listener.address), region: options.region };
        bus.provide_endpoint(endpoint.url.clone());
        let router = router::Router::new(bus.clone(), s3.wire());
        let clients = server::Clients::default();
        let serving = server::serve(listener, router, clients.clone(), bus.stopping.clone());
        let mut tasks = vec![tokio::spawn(serving.boxed())];
        let taken_up = unfinished(&bus)?;
        for service in bus.services() {
            service.resume().await;
        }
        tasks.push(tokio::spawn(outbox::deliver(bus.clone()).boxed()));
        Ok(Cloud { bus, endpoint, clients, tasks, taken_up })
    }

    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What an earlier process left unfinished and this one goes on with, one sentence each.
    pub fn taken_up(&self) -> &[String] {
        &self.taken_up
    }

    pub fn bus(&self) -> &Arc<Bus> {
        &self.bus
    }

    /// Whether this cloud was filled before, or is meant to stay empty.
    pub fn is_filled(&self) -> Result<bool, Error> {
        Ok(self.bus.store.get(FACTS, FILLED)?.is_some())
    }

    /// Remembers that nothing is to be filled in at the next start.
    pub async fn mark_filled(&self) -> Result<(), Error> {
        if self.is_filled()? {
            return Ok(());
        }
        let now = self.bus.clock.now().to_rfc3339();
        let write = |tx: &mut store::Tx<'_>| {
            tx.put(FACTS, FILLED, now);
            Ok::<_, store::Error>(())
        };
        Ok(self.bus.store.transact(write).await?)
    }

    /// Whether anybody is connected.
    pub fn has_clients(&self) -> bool {
        *self.clients.watch().borrow() > 0
    }

    /// Whether something runs or waits that should not be left behind.
    pub fn busy(&self) -> bool {
        outbox::waiting(&self.bus.store) || self.bus.services().iter().any(|service| service.busy())
    }

    /// Resolves when nobody was connected and nothing ran for `calm`. Costs nothing while somebody
    /// is connected.
    pub async fn deserted(&self, calm: Duration) {
        let mut clients = self.clients.watch();
        loop {
            let Ok(_) = clients.wait_for(|count| *count == 0).await else { return };
            let comes_back = tokio::time::timeout(calm, clients.wait_for(|count| *count > 0)).await;
            if comes_back.is_err() && !self.busy() {
                return;
            }
        }
    }

    /// Stops answering, lets what is under way finish for a few seconds, and closes the store.
    /// What still runs is taken up by the next start.
    pub async fn stop(self) {
        self.bus.stopping.cancel();
        for task in self.tasks {
            let _ = task.await;
        }
        self.bus.store.close().await;
    }
}

/// Sentences told of each kind of thing, at most.
const TOLD: usize = 5;

/// What was under way when the process before this one ended.
fn unfinished(bus: &Bus) -> Result<Vec<String>, Error> {
    let mut all = Vec::new();
    let mut services = bus.services();
    services.sort_by_key(|service| service.name());
    for service in services {
        let mut found = service.unfinished();
        let more = found.len().saturating_sub(TOLD);
        found.truncate(TOLD);
        all.append(&mut found);
        if more > 0 {
            all.push(format!("And {more} more."));
        }
    }
    match outbox::count(&bus.store)? {
        0 => {}
        1 => all.push("One event is delivered again.".into()),
        count => all.push(format!("{count} events are delivered again.")),
    }
    for sentence in &all {
        tracing::info!("left unfinished by the process before: {sentence}");
    }
    Ok(all)
}
