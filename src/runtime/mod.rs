//! The console's hands: the terminal, the queue, the requests and the streams. Decides nothing; `ui` does.
//!
//! Start with [`run`]: receive, drain, update, perform, listen, draw once. The first frame stands before
//! anything else is begun. May use ui, work, aws, domain and settings.

pub mod compute;
mod connection;
mod export;
mod input;
mod listen;
pub mod options;
mod perform;
mod recording;
mod session;
mod terminal;

use std::time::{Duration, Instant};

use chrono::Utc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::domain::problem::Problem;
use crate::ui::effect::Effect;
use crate::ui::model::Model;
use crate::ui::msg::Msg;
use crate::ui::subs::subs;
use crate::ui::update::update;

pub use connection::{Connect, Connected, Connecting};
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
    /// Nothing can be read from the terminal any more.
    Lost,
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
    let (mut model, effects) = options.start(size);
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
        queue,
        pace: Pace::new(),
        ended: None,
    };
    console.performer.identify();
    console.perform(effects)?;
    console.listener.keep(subs(&model));
    input::start(theme, inbox);
    let result = console.live(&mut model).await;
    drop(console);
    session::save(options.session_file.as_deref(), &model);
    result
}

struct Console {
    terminal: terminal::Terminal,
    performer: perform::Performer,
    listener: listen::Listener,
    recording: recording::Recording,
    queue: UnboundedReceiver<Input>,
    pace: Pace,
    ended: Option<Ended>,
}

impl Console {
    async fn live(&mut self, model: &mut Model) -> Result<Ended, Problem> {
        loop {
            let Some(input) = self.queue.recv().await else { return Ok(Ended::Quit) };
            self.take(model, Msg::Ticked(Utc::now()))?;
            self.receive(model, input)?;
            loop {
                while let Ok(input) = self.queue.try_recv() {
                    self.receive(model, input)?;
                }
                if let Some(ended) = self.ended {
                    return Ok(ended);
                }
                // A burst waits for the next sixtieth of a second, and meanwhile takes in more.
                let Some(wait) = self.pace.wait(Instant::now()) else { break };
                if let Ok(Some(input)) = tokio::time::timeout(wait, self.queue.recv()).await {
                    self.receive(model, input)?;
                }
            }
            self.listener.keep(subs(model));
            self.terminal.draw(model)?;
        }
    }

    fn receive(&mut self, model: &mut Model, input: Input) -> Result<(), Problem> {
        match input {
            Input::Msg(msg) => self.take(model, msg),
            Input::Signal(number) if number == terminal::STOP => self.perform(vec![Effect::Suspend]),
            Input::Signal(number) => {
                self.ended = Some(Ended::Signal(number));
                Ok(())
            }
            Input::Lost => {
                self.ended = Some(Ended::Signal(terminal::HANG_UP));
                Ok(())
            }
        }
    }

    fn take(&mut self, model: &mut Model, msg: Msg) -> Result<(), Problem> {
        self.recording.write(&msg);
        if let Msg::Resized { width, height } = msg {
            self.terminal.resize((width, height))?;
        }
        let effects = update(model, msg);
        self.perform(effects)
    }

    fn perform(&mut self, effects: Vec<Effect>) -> Result<(), Problem> {
        for effect in effects {
            match effect {
                Effect::Quit => self.ended = Some(Ended::Quit),
                Effect::Suspend => {
                    let size = self.terminal.suspend()?;
                    let msg = Msg::Resized { width: size.0, height: size.1 };
                    self.performer.tell(msg);
                    self.performer.tell(Msg::Resumed);
                }
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
