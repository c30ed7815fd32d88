//! One serving process per folder, shared by everybody: found, or started and waited for.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Endpoint;
use super::seat::{self, Serving, VERSION};
use super::store::explain;

/// How long a server may say nothing before it is given up.
const SILENCE: Duration = Duration::from_secs(30);
/// The end of the log that an error quotes, bytes.
const QUOTED: usize = 600;
/// What is written to see whether the folder takes anything, bytes: about as much as an empty cloud.
const PROBE: usize = 1 << 20;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Seat(#[from] seat::Error),
    #[error("the local cloud could not be started: {}", explain(.0))]
    Spawn(#[from] io::Error),
    #[error("the local cloud ended at its start ({status}); {} says:\n{said}", log.display())]
    Ended { status: ExitStatus, log: PathBuf, said: String },
    #[error("the local cloud ended at its start ({status}) without a word; {why}")]
    Mute { status: ExitStatus, why: String },
    #[error(
        "{} is served by ward {theirs} (process {pid}) and this is ward {VERSION}: \
         that process leaves a minute after its last client, or end it with: kill {pid}",
        folder.display()
    )]
    OtherVersion { folder: PathBuf, theirs: String, pid: u32 },
    #[error("the local cloud of {} does not answer; its log is {}", folder.display(), log.display())]
    Silent { folder: PathBuf, log: PathBuf },
}

/// How far an attachment is, for a line that the user sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nobody serves yet: a process is on its way.
    Starting,
    /// It answers, and fills itself for the first time.
    Preparing,
}

/// A served folder. While this is held the server knows that somebody is there and stays.
pub struct Attached {
    pub endpoint: Endpoint,
    pub pid: u32,
    /// What the process before it left unfinished and it goes on with; told to who started it.
    pub taken_up: Vec<String>,
    _held: TcpStream,
}

/// Finds the process that serves `folder`, or starts one with `spawn` and waits until it is ready.
/// When several do this at once, one server remains and all find it.
pub async fn attach(
    folder: &Path,
    spawn: impl Fn(&Path) -> io::Result<Child>,
    mut told: impl FnMut(Progress),
) -> Result<Attached, Error> {
    seat::prepare(folder)?;
    let mut child: Option<Child> = None;
    // Where the log ended before the child wrote to it.
    let mut logged = 0;
    let mut since = Instant::now();
    let mut stage = None;
    let mut advance = |now: Progress, since: &mut Instant| {
        if stage != Some(now) {
            stage = Some(now);
            *since = Instant::now();
            told(now);
        }
    };
    loop {
        let mut pause = Duration::from_millis(5);
        if seat::is_taken(folder)? {
            match seat::read(folder) {
                Some(serving) if serving.version != VERSION => {
                    let Serving { version: theirs, pid, .. } = serving;
                    return Err(Error::OtherVersion { folder: folder.to_owned(), theirs, pid });
                }
                Some(serving) => {
                    if let Some(held) = greet(&serving).await {
                        // Only now: it may have withdrawn while we came.
                        match seat::read(folder) {
                            Some(now) if now.pid == serving.pid && now.ready => {
                                return Ok(attached(now, held, child.is_some()));
                            }
                            Some(_) => advance(Progress::Preparing, &mut since),
                            None => {}
                        }
                    }
                    pause = Duration::from_millis(10);
                }
                None => advance(Progress::Starting, &mut since),
            }
        } else {
            match child.as_mut().map(Child::try_wait).transpose()?.flatten() {
                // Somebody else was quicker, and has left again.
                Some(status) if status.success() => child = None,
                Some(status) => return Err(ended(folder, status, logged)),
                None if child.is_none() => {
                    advance(Progress::Starting, &mut since);
                    logged = std::fs::metadata(log_file(folder)).map_or(0, |log| log.len());
                    child = Some(spawn(folder)?);
                }
                None => {}
            }
        }
        if since.elapsed() > SILENCE {
            return Err(Error::Silent { folder: folder.to_owned(), log: log_file(folder) });
        }
        tokio::time::sleep(pause).await;
    }
}

fn attached(serving: Serving, held: TcpStream, started: bool) -> Attached {
    let endpoint = Endpoint { url: serving.url, region: serving.region };
    let taken_up = if started { serving.taken_up } else { Vec::new() };
    Attached { endpoint, pid: serving.pid, taken_up, _held: held }
}

/// A connection to a server that answered on it; `None` if nobody does, or not a local cloud.
async fn greet(serving: &Serving) -> Option<TcpStream> {
    let address = serving.url.strip_prefix("http://")?;
    let greeting = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        // Unsigned, so it is refused; the refusal is proof enough.
        let ask = format!("GET / HTTP/1.1\r\nhost: {address}\r\n\r\n");
        stream.write_all(ask.as_bytes()).await.ok()?;
        let mut answer = vec![0; 4096];
        let mut length = 0;
        while !answer[..length].windows(8).any(|end| end == b"</Error>") {
            let read = stream.read(&mut answer[length..]).await.ok()?;
            if read == 0 {
                return None;
            }
            length += read;
        }
        let head = String::from_utf8_lossy(&answer[..length]).to_ascii_lowercase();
        head.contains("x-amz-request-id").then_some(stream)
    };
    tokio::time::timeout(Duration::from_secs(2), greeting).await.ok()?
}

/// Where a detached server writes what it has to say.
pub fn log_file(folder: &Path) -> PathBuf {
    folder.join("server.log")
}

/// Why a server that was started here ended: what it wrote since the log had that many bytes.
fn ended(folder: &Path, status: ExitStatus, logged: u64) -> Error {
    let log = log_file(folder);
    let text = std::fs::read(&log).unwrap_or_default();
    // A log that is shorter now was begun anew.
    let fresh = usize::try_from(logged).ok().and_then(|logged| text.get(logged..)).unwrap_or(&text);
    let said = String::from_utf8_lossy(&fresh[fresh.len().saturating_sub(QUOTED)..]);
    // Its last word is the reason; the lines before it have times and ports, and hide that it is the same again.
    let said = said.rfind("error: ").map_or(&*said, |at| &said[at..]).trim();
    if !said.is_empty() {
        return Error::Ended { status, log, said: said.to_owned() };
    }
    let why = match probe(folder) {
        Err(error) => format!("{}: {}", folder.display(), explain(&error)),
        Ok(()) => format!("`ward local --local-dir {}` in the foreground says more", folder.display()),
    };
    Error::Mute { status, why }
}

/// Whether the folder takes what a cloud writes: where the log could not be written, this fails likewise.
fn probe(folder: &Path) -> io::Result<()> {
    let path = folder.join("probe");
    let written = (|| {
        let mut file = std::fs::File::create(&path)?;
        file.write_all(&vec![1; PROBE])?;
        file.sync_all()
    })();
    let removed = std::fs::remove_file(&path);
    written.and(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_ended_server_wrote_is_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let before = "an older server said this\n";
        let own = "INFO serving\nerror: The local cloud cannot be started\n  the disk is full\n";
        std::fs::write(log_file(folder.path()), format!("{before}{own}")).unwrap();
        let ended = |logged: usize| ended(folder.path(), ExitStatus::default(), logged as u64).to_string();
        let said = ended(before.len());
        assert!(
            said.ends_with("says:\nerror: The local cloud cannot be started\n  the disk is full"),
            "{said}"
        );
        let said = ended(before.len() + own.len());
        assert!(said.contains("without a word") && said.contains("ward local"), "{said}");
        assert!(!folder.path().join("probe").exists());
    }

    #[test]
    fn a_folder_that_takes_nothing_is_the_reason() {
        // A folder that is none: nothing can be written in it either.
        let folder = tempfile::tempdir().unwrap();
        let gone = folder.path().join("gone");
        let said = ended(&gone, ExitStatus::default(), 0).to_string();
        assert!(said.contains(&format!("{}: No such file", gone.display())), "{said}");
    }
}
