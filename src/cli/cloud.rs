//! The local cloud from the command line: in this process, or attached to the one that serves a folder.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use futures::future::BoxFuture;

use crate::aws::{self, Permit};
use crate::domain::package::package;
use crate::domain::problem::Problem;
use crate::local::attach::{self, Attached, Progress, log_file};
use crate::local::clock::Clock;
use crate::local::lambda::launcher::Program;
use crate::local::{self, Cloud, CloudOptions, seat, server};
use crate::settings::{Origin, Settings};
use crate::work::provision::{Plan, provision};

/// A running cloud in this process.
pub async fn open(
    settings: &Settings,
    folder: Option<PathBuf>,
    port: u16,
    clock: Clock,
) -> Result<Cloud, Problem> {
    let launcher = Program::this();
    let mut options = CloudOptions::new(Arc::new(launcher));
    options.folder = folder;
    options.port = port;
    options.clock = clock;
    if let Some(region) = &settings.region {
        options.region = region.clone();
    }
    Cloud::start(options).await.map_err(failed)
}

/// Attaches to the process that serves the folder; starts one if there is none.
pub async fn attach(settings: &Settings, told: impl FnMut(Progress)) -> Result<Attached, Problem> {
    let folder = match &settings.local_dir {
        Some(folder) => folder.clone(),
        None => seat::default_folder().map_err(no_seat)?,
    };
    let folder = std::path::absolute(&folder).unwrap_or(folder);
    let chosen = chosen(settings);
    let spawn = move |folder: &Path| spawn(folder, &chosen);
    attach::attach(&folder, spawn, told).await.map_err(unreached)
}

/// What an empty cloud is filled by.
const FILLED_BY: [&str; 10] = [
    "region",
    "bucket",
    "prefix",
    "database",
    "table",
    "workgroup",
    "function",
    "state_machine",
    "topic",
    "as_of",
];

/// As flags, what was chosen of them here: the server does not see this process's command line.
fn chosen(settings: &Settings) -> Vec<String> {
    settings
        .entries()
        .filter(|(key, _, origin)| FILLED_BY.contains(&key.name) && *origin != Origin::Default)
        .map(|(key, text, _)| format!("{}={text}", key.flag()))
        .collect()
}

/// This program as a server in the background.
fn spawn(folder: &Path, chosen: &[String]) -> std::io::Result<Child> {
    let log = OpenOptions::new().append(true).create(true).mode(0o600).open(log_file(folder))?;
    // The kernel's own link still leads to this program after an upgrade replaced its file.
    let link = PathBuf::from("/proc/self/exe");
    let program = if link.exists() { link } else { std::env::current_exe()? };
    let mut command = Command::new(program);
    command.arg0("ward").args(["local", "--detached", "--local-dir"]).arg(folder).args(chosen);
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()
}

/// What went wrong with a cloud in this process.
pub fn failed(error: impl Into<local::Error>) -> Problem {
    match error.into() {
        local::Error::Server(error @ server::Error::InUse(_)) => {
            Problem::new("The local cloud cannot be started").detail(error.to_string())
        }
        error => Problem::new("The local cloud failed").detail(error.to_string()),
    }
}

/// What is told when a cloud goes on with what the process before it left unfinished.
pub fn news(taken_up: &[String]) -> Option<Problem> {
    if taken_up.is_empty() {
        return None;
    }
    Some(Problem::new("The local cloud was interrupted and goes on").detail(taken_up.join(" ")))
}

/// What is told when the process that was attached to has ended, and another one serves.
pub fn back(taken_up: &[String]) -> Problem {
    Problem::new("The local cloud had ended; it serves again and goes on").detail(taken_up.join(" "))
}

pub fn no_seat(error: seat::Error) -> Problem {
    let problem = Problem::new("The local cloud cannot be started").detail(error.to_string());
    match error {
        seat::Error::Taken { serving: Some(serving), .. } => problem.hint(format!(
            "Use that one (`export AWS_ENDPOINT_URL={}`), end it (`kill {}`), or name another folder with --local-dir",
            serving.url, serving.pid
        )),
        seat::Error::Taken { .. } => problem.hint("Name another folder with --local-dir"),
        _ => problem,
    }
}

fn unreached(error: attach::Error) -> Problem {
    match error {
        attach::Error::Seat(error) => no_seat(error),
        error => Problem::new("The local cloud cannot be reached").detail(error.to_string()),
    }
}

/// Fills an empty cloud with the pipeline, through its own endpoint, as it would fill an account.
///
/// Boxed: the compiler cannot see that it is `Send` within larger futures.
pub fn fill<'a>(settings: &'a Settings, cloud: &'a Cloud) -> BoxFuture<'a, Result<(), Problem>> {
    Box::pin(filled(settings, cloud))
}

async fn filled(settings: &Settings, cloud: &Cloud) -> Result<(), Problem> {
    let endpoint = cloud.endpoint();
    let target = aws::Target::Local { url: endpoint.url.clone(), region: endpoint.region.clone() };
    let aws = aws::connect(&target, Permit::ReadWrite).await;
    let today = settings.as_of.unwrap_or_else(|| chrono::Local::now().date_naive());
    let plan = Plan::of(settings, package().into(), today);
    provision(&aws, &plan, &|step| {
        tracing::info!(part = step.part, name = step.name, outcome = step.outcome.word(), "filling");
    })
    .await?;
    cloud.mark_filled().await.map_err(failed)
}
