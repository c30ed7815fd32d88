//! Starting execution environments: a child process that speaks the runtime API.
//!
//! The service does not know what it starts. `cli` hands over "this binary, `lambda`"; tests hand
//! over their own.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use futures::future::BoxFuture;

/// What one execution environment is started with.
pub struct Launch {
    pub function: String,
    /// The whole environment of the child: Lambda's variables and the function's own. The child
    /// finds the runtime API in `AWS_LAMBDA_RUNTIME_API`, as `host:port`.
    pub variables: BTreeMap<String, String>,
    /// Takes stdout and stderr, which become log lines.
    pub output: OwnedFd,
}

/// Starts execution environments.
pub trait Launcher: Send + Sync + 'static {
    /// Called within a tokio runtime.
    fn launch(&self, launch: Launch) -> io::Result<Box<dyn Process>>;
}

/// A running execution environment. Dropping it ends it.
pub trait Process: Send + Sync + 'static {
    /// The process's id, to read its memory; `None` once it ended or if it is no process.
    fn id(&self) -> Option<u32>;

    /// Resolves when it has ended. May be dropped and asked again.
    fn ended(&mut self) -> BoxFuture<'_, Ended>;

    fn kill(&mut self);
}

/// How an environment ended, in Lambda's words: `exit status 1`, `signal: killed`; `None` for a
/// clean end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended(pub Option<String>);

impl From<ExitStatus> for Ended {
    fn from(status: ExitStatus) -> Self {
        Ended(match (status.code(), status.signal()) {
            (Some(0), _) => None,
            (Some(code), _) => Some(format!("exit status {code}")),
            (None, Some(9)) => Some("signal: killed".into()),
            (None, Some(11)) => Some("signal: segmentation fault".into()),
            (None, Some(signal)) => Some(format!("signal: {signal}")),
            (None, None) => Some("unknown status".into()),
        })
    }
}

/// Runs one program for every function.
pub struct Program {
    path: PathBuf,
    arguments: Vec<String>,
}

impl Program {
    pub fn new(path: impl Into<PathBuf>, arguments: &[&str]) -> Program {
        Program { path: path.into(), arguments: arguments.iter().map(|&a| a.to_owned()).collect() }
    }

    /// This binary, as our function.
    pub fn this() -> Program {
        // The kernel's own link still leads to this program after an upgrade replaced its file.
        let link = PathBuf::from("/proc/self/exe");
        let path = if link.exists() { Ok(link) } else { std::env::current_exe() };
        Program::new(path.unwrap_or_else(|_| "ward".into()), &["lambda"])
    }
}

impl Launcher for Program {
    fn launch(&self, launch: Launch) -> io::Result<Box<dyn Process>> {
        let child = tokio::process::Command::new(&self.path)
            .arg0("ward")
            .args(&self.arguments)
            .env_clear()
            .envs(launch.variables)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(launch.output.try_clone()?)
            .stderr(launch.output)
            // Its own group: ctrl-c in the cloud's terminal is the cloud's affair.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        Ok(Box::new(child))
    }
}

impl Process for tokio::process::Child {
    fn id(&self) -> Option<u32> {
        tokio::process::Child::id(self)
    }

    fn ended(&mut self) -> BoxFuture<'_, Ended> {
        Box::pin(async {
            match self.wait().await {
                Ok(status) => status.into(),
                Err(error) => Ended(Some(error.to_string())),
            }
        })
    }

    fn kill(&mut self) {
        // It has ended already: just as well.
        let _ = self.start_kill();
    }
}
