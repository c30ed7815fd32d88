//! What an execution environment writes: its output and Lambda's own lines, on their way to
//! CloudWatch Logs.

use std::io::ErrorKind;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use futures::FutureExt;
use serde_json::{Value, json};
use tokio::net::unix::pipe::Receiver;
use tokio::sync::{mpsc, oneshot};

use crate::local::bus::Bus;
use crate::local::clock::Clock;
use crate::local::fault::Fault;

/// The longest line; more is cut into several.
const LONGEST: usize = 256 * 1024;
/// One PutLogEvents takes so many lines and bytes.
const BATCH_LINES: usize = 1_000;
const BATCH_BYTES: usize = 512 * 1024;
/// How long the first line of a batch waits for others.
const GATHER: Duration = Duration::from_millis(10);
/// LogResult holds the last 4 KB of an invocation.
const TAIL: usize = 4 * 1024;

struct Line {
    at: i64,
    text: String,
}

/// Where the lines of one environment go. Cheap to clone.
#[derive(Clone)]
pub struct Journal {
    clock: Clock,
    lines: mpsc::UnboundedSender<Line>,
    tail: Arc<Mutex<String>>,
}

impl Journal {
    /// Starts writing to a group and a stream, both created when missing.
    pub fn open(bus: &Arc<Bus>, group: String, stream: String) -> Journal {
        let (lines, queue) = mpsc::unbounded_channel();
        tokio::spawn(write(Arc::downgrade(bus), group, stream, queue).boxed());
        Journal { clock: bus.clock.clone(), lines, tail: Arc::default() }
    }

    pub fn line(&self, text: impl Into<String>) {
        let text = text.into();
        {
            let mut tail = self.tail.lock().unwrap_or_else(|e| e.into_inner());
            tail.push_str(&text);
            tail.push('\n');
            if tail.len() > 2 * TAIL {
                let cut = tail.ceil_char_boundary(tail.len() - TAIL);
                tail.drain(..cut);
            }
        }
        // The writer ends with the cloud only; then nobody reads the line either.
        let _ = self.lines.send(Line { at: self.clock.now().timestamp_millis(), text });
    }

    /// The last 4 KB since the last time this was asked.
    pub fn tail(&self) -> String {
        let mut tail = std::mem::take(&mut *self.tail.lock().unwrap_or_else(|e| e.into_inner()));
        if tail.len() > TAIL {
            let cut = tail.ceil_char_boundary(tail.len() - TAIL);
            tail.drain(..cut);
        }
        tail
    }
}

/// Takes what waits, writes it as one batch, and again: a busy function costs few commits.
async fn write(bus: Weak<Bus>, group: String, stream: String, mut queue: mpsc::UnboundedReceiver<Line>) {
    let mut last = 0;
    let mut next = None;
    loop {
        let Some(first) = (match next.take() {
            Some(line) => Some(line),
            None => queue.recv().await,
        }) else {
            return;
        };
        // Lines come in bursts: one commit for the whole of a short invocation.
        tokio::time::sleep(GATHER).await;
        let mut size = first.text.len();
        let mut batch = vec![first];
        while batch.len() < BATCH_LINES
            && let Ok(line) = queue.try_recv()
        {
            size += line.text.len();
            if size > BATCH_BYTES {
                next = Some(line);
                break;
            }
            batch.push(line);
        }
        let events: Vec<Value> = batch
            .into_iter()
            .map(|line| {
                last = line.at.max(last);
                // CloudWatch takes no empty message.
                let text = if line.text.is_empty() { " ".into() } else { line.text };
                json!({ "timestamp": last, "message": text })
            })
            .collect();
        let Some(bus) = bus.upgrade() else { return };
        if let Err(fault) = put(&bus, &group, &stream, events).await {
            tracing::warn!(group, %fault, "log lines of a function are lost");
        }
    }
}

async fn put(bus: &Bus, group: &str, stream: &str, events: Vec<Value>) -> Result<(), Fault> {
    let place = json!({ "logGroupName": group, "logStreamName": stream });
    let mut batch = place.clone();
    batch["logEvents"] = events.into();
    let Err(fault) = bus.call("logs", "PutLogEvents", batch.clone()).await else { return Ok(()) };
    if fault.code != "ResourceNotFoundException" {
        return Err(fault);
    }
    for operation in ["CreateLogGroup", "CreateLogStream"] {
        match bus.call("logs", operation, place.clone()).await {
            Err(fault) if fault.code != "ResourceAlreadyExistsException" => return Err(fault),
            _ => {}
        }
    }
    bus.call("logs", "PutLogEvents", batch).await.map(drop)
}

/// The reading end of a child's stdout and stderr.
pub struct Output {
    drains: mpsc::UnboundedSender<oneshot::Sender<()>>,
}

impl Output {
    /// Reads in the background until every writer is closed. Needs a tokio runtime.
    pub fn read(pipe: OwnedFd, journal: Journal) -> std::io::Result<Output> {
        let pipe = Receiver::from_owned_fd(pipe)?;
        let (drains, asked) = mpsc::unbounded_channel();
        tokio::spawn(follow(pipe, journal, asked).boxed());
        Ok(Output { drains })
    }

    /// Returns once everything that was written before is in the journal.
    pub async fn drain(&self) {
        let (done, drained) = oneshot::channel();
        if self.drains.send(done).is_ok() {
            // An error means that the reader has ended, having read everything.
            let _ = drained.await;
        }
    }
}

async fn follow(pipe: Receiver, journal: Journal, mut drains: mpsc::UnboundedReceiver<oneshot::Sender<()>>) {
    let mut partial = Vec::new();
    let mut watched = true;
    loop {
        tokio::select! {
            readable = pipe.readable() => {
                if readable.is_err() || !take(&mut partial, &journal, |buffer| pipe.try_read(buffer)) {
                    break;
                }
            }
            asked = drains.recv(), if watched => match asked {
                Some(done) => {
                    // The kernel is asked directly: tokio may not know yet of bytes that are there.
                    let raw = |buffer: &mut [u8]| Ok(rustix::io::read(pipe.as_fd(), buffer)?);
                    let open = take(&mut partial, &journal, raw);
                    flush(&mut partial, &journal);
                    let _ = done.send(());
                    if !open {
                        break;
                    }
                }
                // The environment is gone; read on until the pipe ends.
                None => watched = false,
            },
        }
    }
    flush(&mut partial, &journal);
}

/// Reads until nothing is there; false once the pipe is closed.
fn take(
    partial: &mut Vec<u8>,
    journal: &Journal,
    mut read: impl FnMut(&mut [u8]) -> std::io::Result<usize>,
) -> bool {
    let mut buffer = [0_u8; 16 * 1024];
    loop {
        let length = match read(&mut buffer) {
            Ok(0) => return false,
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return false,
        };
        for piece in buffer[..length].split_inclusive(|&byte| byte == b'\n') {
            match piece.split_last() {
                Some((b'\n', line)) => {
                    partial.extend_from_slice(line);
                    flush_line(partial, journal);
                }
                _ => partial.extend_from_slice(piece),
            }
            if partial.len() >= LONGEST {
                flush(partial, journal);
            }
        }
    }
}

fn flush(partial: &mut Vec<u8>, journal: &Journal) {
    if !partial.is_empty() {
        flush_line(partial, journal);
    }
}

fn flush_line(partial: &mut Vec<u8>, journal: &Journal) {
    journal.line(String::from_utf8_lossy(partial).into_owned());
    partial.clear();
}
