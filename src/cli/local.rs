//! `ward local`: the local cloud alone, for the AWS CLI and anything else that speaks to AWS.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use futures::FutureExt;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::cloud;
use super::context::Context;
use super::exit::Exit;
use super::output::Output;
use crate::domain::problem::Problem;
use crate::local::attach::log_file;
use crate::local::clock::Clock;
use crate::local::logfile::LogFile;
use crate::local::seat::{self, Seat, Serving, VERSION};
use crate::local::{Cloud, Endpoint};

/// Serve the local cloud in the foreground and say how to point the AWS CLI at it
#[derive(Args, Debug)]
pub struct Local {
    /// The port on 127.0.0.1; by default the system chooses one
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// Leave the account empty: no bucket, no sample, no pipeline
    #[arg(long)]
    empty: bool,
    /// Make every wait of the cloud that many times shorter
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR", value_parser = factor)]
    speed: f64,
    /// In the background, on behalf of a console
    #[arg(long, hide = true)]
    detached: bool,
    /// How long a detached server stays when nobody is there, seconds
    #[arg(long, hide = true, default_value_t = 60.0, value_parser = factor)]
    calm: f64,
}

pub(super) fn factor(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(factor) if factor.is_finite() && factor > 0.0 && factor <= 1e6 => Ok(factor),
        _ => Err("a number above 0, at most 1000000".into()),
    }
}

impl Local {
    pub async fn run(self, cx: &Context, out: &mut Output) -> Result<Exit, Problem> {
        let folder = match (cx.settings.ephemeral, &cx.settings.local_dir) {
            (true, _) => None,
            (false, Some(folder)) => Some(folder.clone()),
            (false, None) => Some(seat::default_folder().map_err(cloud::no_seat)?),
        };
        if self.detached {
            return self.detached(cx, folder).await;
        }
        watch_log(std::io::stderr, "warn,s3s=off");
        let mut ends = Ends::listen()?;
        let seat = folder.as_deref().map(Seat::take).transpose().map_err(cloud::no_seat)?;
        let cloud = self.open(cx, folder.clone()).await?;
        let endpoint = cloud.endpoint().clone();
        announce(seat.as_ref(), &cloud, false)?;
        if let Some(news) = cloud::news(cloud.taken_up()) {
            out.say(&news.to_string());
        }
        let filled = tokio::select! {
            filled = self.fill(cx, &cloud, out) => filled.map(|()| true),
            () = ends.asked() => Ok(false),
        };
        match filled {
            Ok(true) => {
                announce(seat.as_ref(), &cloud, true)?;
                exports(&endpoint, out);
                match &folder {
                    Some(folder) => {
                        out.say(&format!("Its state is in {}; ctrl-c ends it.", folder.display()))
                    }
                    None => out.say("Nothing is kept; ctrl-c ends it."),
                }
                ends.asked().await;
            }
            Ok(false) => {}
            Err(problem) => {
                cloud.stop().await;
                return Err(problem);
            }
        }
        drop(seat);
        cloud.stop().await;
        Ok(Exit::Done)
    }

    async fn open(&self, cx: &Context, folder: Option<PathBuf>) -> Result<Cloud, Problem> {
        cloud::open(&cx.settings, folder, self.port, Clock::hurried(self.speed)).await
    }

    async fn fill(&self, cx: &Context, cloud: &Cloud, out: &mut Output) -> Result<(), Problem> {
        if self.empty {
            return cloud.mark_filled().await.map_err(cloud::failed);
        }
        if cloud.is_filled().map_err(cloud::failed)? {
            return Ok(());
        }
        out.say("Filling the local cloud: bucket, sample, table, function, state machine …");
        cloud::fill(&cx.settings, cloud).await
    }

    /// Serves until nobody is there. Says what it has to say into its log file.
    async fn detached(self, cx: &Context, folder: Option<PathBuf>) -> Result<Exit, Problem> {
        let Some(folder) = folder else { return Ok(Exit::Usage) };
        // Away from the terminal of whoever started it: its ctrl-c and its end are not ours.
        let _ = rustix::process::setsid();
        let mut hangup = signal(SignalKind::hangup()).map_err(|e| deaf(&e))?;
        tokio::spawn(async move { while hangup.recv().await.is_some() {} }.boxed());
        let mut ends = Ends::listen()?;
        seat::prepare(&folder).map_err(cloud::no_seat)?;
        let log = Arc::new(LogFile::new(log_file(&folder)));
        watch_log(log, "info,s3s=off");
        let seat = match Seat::take(&folder) {
            Ok(seat) => seat,
            // Somebody else was started at the same moment.
            Err(seat::Error::Taken { .. }) => return Ok(Exit::Done),
            Err(error) => return Err(cloud::no_seat(error)),
        };
        let cloud = self.open(cx, Some(folder)).await?;
        let endpoint = cloud.endpoint().clone();
        tracing::info!(url = endpoint.url, version = VERSION, "serving");
        announce(Some(&seat), &cloud, false)?;
        let filled = tokio::select! {
            filled = async {
                match self.empty || cloud.is_filled().map_err(cloud::failed)? {
                    true => cloud.mark_filled().await.map_err(cloud::failed),
                    false => cloud::fill(&cx.settings, &cloud).await,
                }
            } => filled,
            () = ends.asked() => {
                cloud.stop().await;
                return Ok(Exit::Done);
            }
        };
        if let Err(problem) = filled {
            tracing::error!(%problem, "the local cloud could not be filled");
            cloud.stop().await;
            return Err(problem);
        }
        announce(Some(&seat), &cloud, true)?;
        let calm = Duration::from_secs_f64(self.calm);
        loop {
            tokio::select! {
                () = ends.asked() => break,
                () = cloud.deserted(calm) => {}
            }
            // Whoever comes now starts a server of their own; whoever came just before is heard.
            seat.withdraw();
            tokio::time::sleep(Duration::from_millis(20)).await;
            if !cloud.has_clients() {
                tracing::info!("nobody is there and nothing runs: leaving");
                break;
            }
            announce(Some(&seat), &cloud, true)?;
        }
        cloud.stop().await;
        drop(seat);
        Ok(Exit::Done)
    }
}

fn announce(seat: Option<&Seat>, cloud: &Cloud, ready: bool) -> Result<(), Problem> {
    let Some(seat) = seat else { return Ok(()) };
    let endpoint = cloud.endpoint();
    let serving = Serving {
        url: endpoint.url.clone(),
        region: endpoint.region.clone(),
        pid: std::process::id(),
        version: VERSION.into(),
        ready,
        taken_up: cloud.taken_up().to_vec(),
    };
    seat.announce(&serving).map_err(cloud::no_seat)
}

/// For `eval "$(ward local &)"` and for reading.
fn exports(endpoint: &Endpoint, out: &mut Output) {
    let variables = [
        ("AWS_ENDPOINT_URL", endpoint.url.as_str()),
        ("AWS_REGION", &endpoint.region),
        ("AWS_DEFAULT_REGION", &endpoint.region),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
    ];
    for (name, value) in variables {
        out.text(&format!("export {name}={value}"));
    }
}

/// `WARD_LOG` says how much is told, as `tracing` spells it: `info`, `ward=debug`.
fn watch_log<W>(writer: W, level: &str)
where
    W: for<'a> tracing_subscriber::fmt::MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_from_env("WARD_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    // Somebody else may listen already: then that is enough.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(writer).try_init();
}

/// SIGINT and SIGTERM.
struct Ends {
    interrupt: Signal,
    terminate: Signal,
}

impl Ends {
    fn listen() -> Result<Ends, Problem> {
        let listen = |kind| signal(kind).map_err(|e| deaf(&e));
        Ok(Ends { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

fn deaf(error: &std::io::Error) -> Problem {
    Problem::new("Signals cannot be listened to").detail(error.to_string())
}
