//! The console's hands: the terminal, the queue, the requests and the streams. Decides nothing; `ui` does.
//!
//! Start with [`run`]: receive, drain, update, perform, draw once, listen; a key goes the same way in the thread
//! that read it. The first frame stands before anything else is begun. May use ui, work, aws, domain and settings.

mod canvas;
pub mod compute;
mod connection;
mod export;
mod input;
mod listen;
pub mod options;
mod paint;
mod perform;
mod recording;
mod session;
mod terminal;

use std::any::Any;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::domain::problem::Problem;
use crate::ui::effect::Effect;
use crate::ui::model::Model;
use crate::ui::msg::Msg;
use crate::ui::subs::subs;
use crate::ui::update::update;

pub use connection::{Connect, Connecting, Tell};
pub use options::Options;

/// How the console ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The person left.
    Quit,
    /// A signal of this number; the exit status is 128 plus it.
    Signal(i32),
}

/// Something that reaches the loop.
pub(crate) enum Input {
    Msg(Msg),
    Signal(i32),
    /// What was taken in elsewhere is to be drawn, or ends the console.
    Due,
    /// Nothing can be read from the terminal any more.
    Lost,
    /// The thread that reads the terminal panicked.
    Panicked(Box<dyn Any + Send>),
}

/// Where everything that happens is put.
pub(crate) type Inbox = UnboundedSender<Input>;

/// Runs the console until the person leaves or a signal ends it. The terminal is restored on every way
/// out, a panic included. Fails when there is no terminal or it cannot be written to.
pub async fn run(mut options: Options) -> Result<Ended, Problem> {
    let size = terminal::size()?;
    let (inbox, queue) = unbounded_channel();
    // Before the terminal is taken: whatever ends the console then gives it back.
    terminal::watch_signals(&inbox);
    let mut terminal = terminal::Terminal::enter(size, options.setup.mouse)?;
    let (model, effects) = options.start(size);
    terminal.draw(&model)?;

    for problem in options.warnings.drain(..) {
        let _ = inbox.send(Input::Msg(Msg::Warned(problem)));
    }
    let theme = options.theme;
    let performer = perform::Performer::new(&options, inbox.clone());
    let mut console = Console {
        listener: listen::Listener::new(performer.connection(), inbox.clone()),
        performer,
        recording: recording::Recording::open(options.record.as_deref())?,
        terminal,
        model,
        pace: Pace::new(),
        ended: None,
        failed: None,
    };
    console.performer.identify();
    console.perform(effects)?;
    console.listener.keep(subs(&console.model));
    let shared = Shared(Arc::new(Mutex::new(Some(console))));
    input::start(theme, shared.clone(), inbox);
    let result = shared.live(queue).await;
    // The thread that reads finds nothing to change any more; the terminal is given back here.
    if let Some(Console { model, .. }) = shared.lock().take() {
        session::save(options.session_file.as_deref(), &model);
    }
    result
}

/// The console between its two threads: what the terminal says is taken in and drawn by the thread that
/// reads it, so that no key waits for another thread to wake; everything else by the loop.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<Option<Console>>>);

impl Shared {
    /// A panic while it was held ends the console: whoever finds it so only clears up.
    fn lock(&self) -> MutexGuard<'_, Option<Console>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what the terminal says, and draws it unless the loop has to: in a burst, or at the end.
    /// Says whether there is still a console.
    pub(crate) fn typed(&self, msg: Msg, inbox: &Inbox) -> bool {
        let mut held = self.lock();
        let Some(console) = held.as_mut() else { return false };
        let drawn = console.typed(msg).unwrap_or_else(|problem| {
            console.failed = Some(problem);
            false
        });
        drop(held);
        drawn || inbox.send(Input::Due).is_ok()
    }

    async fn live(&self, mut queue: UnboundedReceiver<Input>) -> Result<Ended, Problem> {
        let mut batch = Vec::new();
        loop {
            let Some(input) = queue.recv().await else { return Ok(Ended::Quit) };
            batch.push(input);
            loop {
                while let Ok(input) = queue.try_recv() {
                    batch.push(input);
                }
                let wait = {
                    let mut held = self.lock();
                    let Some(console) = held.as_mut() else { return Ok(Ended::Quit) };
                    console.take(Msg::Ticked(Utc::now()))?;
                    for input in batch.drain(..) {
                        console.receive(input)?;
                    }
                    if let Some(problem) = console.failed.take() {
                        return Err(problem);
                    }
                    if let Some(ended) = console.ended {
                        return Ok(ended);
                    }
                    let wait = console.pace.wait(Instant::now());
                    if wait.is_none() {
                        console.draw()?;
                    }
                    wait
                };
                // A burst waits for the next sixtieth of a second, and meanwhile takes in more.
                let Some(wait) = wait else { break };
                if let Ok(Some(input)) = tokio::time::timeout(wait, queue.recv()).await {
                    batch.push(input);
                }
            }
        }
    }
}

pub(crate) struct Console {
    terminal: terminal::Terminal,
    performer: perform::Performer,
    listener: listen::Listener,
    recording: recording::Recording,
    model: Model,
    pace: Pace,
    ended: Option<Ended>,
    /// What went wrong on the other thread.
    failed: Option<Problem>,
}

impl Console {
    /// Whether it is drawn.
    fn typed(&mut self, msg: Msg) -> Result<bool, Problem> {
        self.take(Msg::Ticked(Utc::now()))?;
        self.take(msg)?;
        if self.ended.is_some() || self.pace.wait(Instant::now()).is_some() {
            return Ok(false);
        }
        self.draw()?;
        Ok(true)
    }

    fn draw(&mut self) -> Result<(), Problem> {
        self.terminal.draw(&self.model)?;
        self.listener.keep(subs(&self.model));
        Ok(())
    }

    fn receive(&mut self, input: Input) -> Result<(), Problem> {
        match input {
            Input::Msg(msg) => return self.take(msg),
            Input::Signal(number) if number == terminal::STOP => return self.suspend(),
            Input::Signal(number) => self.ended = Some(Ended::Signal(number)),
            Input::Due => {}
            Input::Lost => self.ended = Some(Ended::Signal(terminal::HANG_UP)),
            Input::Panicked(what) => resume_unwind(what),
        }
        Ok(())
    }

    fn take(&mut self, msg: Msg) -> Result<(), Problem> {
        self.recording.write(&msg);
        if let Msg::Resized { width, height } = msg {
            self.terminal.resize((width, height))?;
        }
        let effects = update(&mut self.model, msg);
        self.perform(effects)
    }

    fn suspend(&mut self) -> Result<(), Problem> {
        let (width, height) = self.terminal.suspend()?;
        self.performer.tell(Msg::Resized { width, height });
        self.performer.tell(Msg::Resumed);
        Ok(())
    }

    fn perform(&mut self, effects: Vec<Effect>) -> Result<(), Problem> {
        for effect in effects {
            match effect {
                Effect::Quit => self.ended = Some(Ended::Quit),
                // The loop does it, in the process's first thread: only there the stop is sure to have come
                // before anything after it is done.
                Effect::Suspend => self.performer.put(Input::Signal(terminal::STOP)),
                Effect::Mouse(on) => self.terminal.mouse(on)?,
                Effect::Notify(text) => self.terminal.notify(&text)?,
                Effect::Copy(text) => {
                    let msg = self.terminal.copy(&text)?;
                    self.performer.tell(msg);
                }
                other => self.performer.perform(other),
            }
        }
        Ok(())
    }
}

/// Lets single frames through at once and holds bursts to sixty a second: a bucket of a few frames that
/// fills at that rate.
struct Pace {
    frames: f64,
    at: Instant,
}

impl Pace {
    const RATE: f64 = 60.0;
    const MOST: f64 = 6.0;

    fn new() -> Pace {
        Pace { frames: Pace::MOST, at: Instant::now() }
    }

    /// How long to wait for the next frame; `None` takes it now.
    fn wait(&mut self, now: Instant) -> Option<Duration> {
        let filled = now.duration_since(self.at).as_secs_f64() * Pace::RATE;
        self.frames = (self.frames + filled).min(Pace::MOST);
        self.at = now;
        if self.frames >= 1.0 {
            self.frames -= 1.0;
            return None;
        }
        Some(Duration::from_secs_f64((1.0 - self.frames) / Pace::RATE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_frames_pass_and_bursts_are_held() {
        let start = Instant::now();
        let mut pace = Pace { frames: Pace::MOST, at: start };
        let at = |millis| start + Duration::from_millis(millis);
        for _ in 0..6 {
            assert_eq!(pace.wait(at(0)), None);
        }
        assert!(pace.wait(at(0)).is_some_and(|wait| wait <= Duration::from_millis(17)));
        assert_eq!(pace.wait(at(17)), None);
        assert!(pace.wait(at(18)).is_some());
    }
}
