//! `ward local` as a process of its own, for as long as a test lasts: a test that panics leaves none behind.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use ward::aws::{self, Aws, Permit, Target};
use ward::local::seat;

/// A server that the test started itself.
pub struct Server {
    child: Child,
    /// Held open, so that it may go on talking.
    _stdout: Option<BufReader<ChildStdout>>,
    /// `http://127.0.0.1:port`
    pub url: String,
}

impl Server {
    /// Serves a folder; answers once it is filled. `arguments` are those of `ward local`.
    pub fn of(home: &Path, folder: &Path, arguments: &[&str]) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ward"));
        command.arg("local").args(arguments).arg("--local-dir").arg(folder).env("HOME", home);
        Server::start(command.stderr(Stdio::null()))
    }

    /// Likewise, from a whole command.
    pub fn start(command: &mut Command) -> Server {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        // From here on it ends with the guard, whatever it says.
        let mut server = Server { child, _stdout: None, url: String::new() };
        let mut stdout = BufReader::new(server.child.stdout.take().unwrap());
        let mut line = String::new();
        while stdout.read_line(&mut line).unwrap() > 0 {
            if let Some(url) = line.trim_end().strip_prefix("export AWS_ENDPOINT_URL=") {
                url.clone_into(&mut server.url);
                break;
            }
            line.clear();
        }
        assert!(server.url.starts_with("http://127.0.0.1:"), "it says where it answers: {:?}", server.url);
        server._stdout = Some(stdout);
        server
    }

    /// What it says to people, where that is piped.
    pub fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// As SIGKILL ends it: without a last word.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whatever process serves a folder, started by a console or a subcommand; killed with the test.
pub struct Detached<'a>(pub &'a Path);

impl Detached<'_> {
    pub fn pid(&self) -> u32 {
        seat::read(self.0).expect("somebody serves").pid
    }

    pub async fn aws(&self) -> Aws {
        connect(&seat::read(self.0).expect("somebody serves").url).await
    }

    /// Kills it and waits until the folder is free.
    pub fn kill(&self) {
        let pid = i32::try_from(self.pid()).unwrap();
        // It may have ended by itself.
        let _ = kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL);
        while seat::is_taken(self.0).unwrap() {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Detached<'_> {
    fn drop(&mut self) {
        if seat::is_taken(self.0).is_ok_and(|taken| taken) && seat::read(self.0).is_some() {
            self.kill();
        }
    }
}

/// Clients of a local cloud.
pub async fn connect(url: &str) -> Aws {
    aws::connect(&Target::local(url.to_owned()), Permit::ReadWrite).await
}
