//! The terminal: taken over at the start, given back on every way out.

use std::cell::Cell;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use futures::FutureExt;
use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};

use crate::domain::problem::Problem;
use crate::runtime::canvas::Canvas;
use crate::runtime::paint::paint;
use crate::runtime::{Inbox, Input};
use crate::ui::model::Model;
use crate::ui::msg::Msg;
use crate::ui::view::view;

/// Suspend from outside, as ctrl-z from inside.
pub(crate) const STOP: i32 = Signal::TSTP.as_raw();
pub(crate) const HANG_UP: i32 = Signal::HUP.as_raw();

/// The most text that is sent to the clipboard: terminals drop longer sequences.
const CLIPBOARD: usize = 74_000;

/// Whether the terminal is ours now.
static TAKEN: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Whether this thread draws on it.
    static PAINTS: Cell<bool> = const { Cell::new(false) };
}

/// From now on this thread draws too.
pub(crate) fn paints() {
    PAINTS.set(true);
}

/// Columns and rows.
pub(crate) fn size() -> Result<(u16, u16), Problem> {
    crossterm::terminal::size().map_err(|error| {
        Problem::new("There is no terminal to draw on")
            .detail(error.to_string())
            .hint("In a script, use a subcommand: ward --help lists them")
    })
}

/// The taken terminal. Dropping it gives it back.
pub(crate) struct Terminal {
    canvas: Canvas,
    out: Whole,
    mouse: bool,
}

impl Terminal {
    pub(crate) fn enter(size: (u16, u16), mouse: bool) -> Result<Terminal, Problem> {
        hook_panics();
        take(mouse).map_err(failed)?;
        Ok(Terminal { canvas: Canvas::new(size), out: Whole(Vec::new()), mouse })
    }

    /// Paints what changed, as one update. The cursor is hidden all the time: fields draw their own.
    pub(crate) fn draw(&mut self, model: &Model) -> Result<(), Problem> {
        view(model, self.canvas.sheet());
        let mut changes = self.canvas.changes().peekable();
        if changes.peek().is_some() {
            paint(changes, self.out.begun());
        }
        self.out.flush().map_err(failed)?;
        // It is on the screen: what remains, the clean sheet, is for the next frame.
        self.canvas.turn();
        Ok(())
    }

    /// Forgets what was drawn: everything is drawn again, on a blank screen.
    pub(crate) fn resize(&mut self, size: (u16, u16)) -> Result<(), Problem> {
        self.canvas = Canvas::new(size);
        queue!(self.out, Clear(ClearType::All)).map_err(failed)
    }

    pub(crate) fn mouse(&mut self, on: bool) -> Result<(), Problem> {
        self.mouse = on;
        let out = &mut self.out;
        if on { execute!(out, EnableMouseCapture) } else { execute!(out, DisableMouseCapture) }
            .map_err(failed)
    }

    /// Gives the terminal to the shell until `fg`; answers the size found then.
    pub(crate) fn suspend(&mut self) -> Result<(u16, u16), Problem> {
        give_back();
        let _ = rustix::process::kill_process(rustix::process::getpid(), Signal::STOP);
        take(self.mouse).map_err(failed)?;
        let size = size()?;
        self.resize(size)?;
        Ok(size)
    }

    /// To the clipboard through OSC 52; in tmux also wrapped, for those that only pass it through.
    pub(crate) fn copy(&mut self, text: &str) -> Result<Msg, Problem> {
        let count = text.chars().count();
        if text.len() > CLIPBOARD {
            let problem = Problem::new(format!("{count} characters are too many for the clipboard"))
                .hint("e writes them to a file");
            return Ok(Msg::Warned(problem));
        }
        let code = base64::engine::general_purpose::STANDARD.encode(text);
        let out = &mut self.out;
        write!(out, "\x1b]52;c;{code}\x07").map_err(failed)?;
        if std::env::var_os("TMUX").is_some() {
            write!(out, "\x1bPtmux;\x1b\x1b]52;c;{code}\x07\x1b\\").map_err(failed)?;
        }
        out.flush().map_err(failed)?;
        let what = if count <= 60 && !text.contains('\n') {
            text.to_string()
        } else {
            format!("{count} characters")
        };
        Ok(Msg::Noted(format!("Copied {what}")))
    }

    /// The bell, and a desktop notification (OSC 9) where the terminal shows one.
    pub(crate) fn notify(&mut self, text: &str) -> Result<(), Problem> {
        let text = crate::domain::text::shown(text);
        let out = &mut self.out;
        write!(out, "\x07\x1b]9;{text}\x07").map_err(failed)?;
        if std::env::var_os("TMUX").is_some() {
            write!(out, "\x1bPtmux;\x1b\x1b]9;{text}\x07\x1b\\").map_err(failed)?;
        }
        out.flush().map_err(failed)
    }
}

/// What reaches the terminal only when it is flushed: in one piece, shown as one update.
struct Whole(Vec<u8>);

impl Whole {
    /// What is written so far, with the beginning of an update.
    fn begun(&mut self) -> &mut Vec<u8> {
        if self.0.is_empty() {
            // A vector takes everything.
            let _ = queue!(self.0, BeginSynchronizedUpdate);
        }
        &mut self.0
    }
}

impl Write for Whole {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begun().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        queue!(self.0, EndSynchronizedUpdate)?;
        let mut out = io::stdout().lock();
        let sent = out.write_all(&self.0).and_then(|()| out.flush());
        self.0.clear();
        sent
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

fn take(mouse: bool) -> io::Result<()> {
    paints();
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let mut out = io::stdout();
    queue!(out, EnterAlternateScreen, cursor::Hide, EnableBracketedPaste)?;
    if mouse {
        queue!(out, EnableMouseCapture)?;
    }
    // Flushed together with the first frame.
    Ok(())
}

fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    let _ = execute!(
        out,
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    let _ = disable_raw_mode();
}

fn failed(error: io::Error) -> Problem {
    Problem::new("The terminal cannot be written to").detail(error.to_string())
}

/// A panic while something is drawn restores the terminal before it prints. Tasks that panic are told as problems by
/// whoever started them, and print nothing into the frame.
fn hook_panics() {
    static HOOKED: AtomicBool = AtomicBool::new(false);
    if HOOKED.swap(true, Ordering::SeqCst) {
        return;
    }
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if PAINTS.get() {
            give_back();
        }
        if !TAKEN.load(Ordering::SeqCst) {
            before(info);
        }
    }));
}

/// Sends what asks the console to end, or to step aside.
pub(crate) fn watch_signals(inbox: &Inbox) {
    let kinds = [
        SignalKind::terminate(),
        SignalKind::hangup(),
        SignalKind::interrupt(),
        SignalKind::quit(),
        SignalKind::from_raw(STOP),
    ];
    for kind in kinds {
        // Without a handler the signal keeps its usual meaning.
        let Ok(mut signals) = signal(kind) else { continue };
        let inbox = inbox.clone();
        tokio::spawn(
            async move {
                while signals.recv().await.is_some() {
                    if inbox.send(Input::Signal(kind.as_raw_value())).is_err() {
                        return;
                    }
                }
            }
            .boxed(),
        );
    }
}

#[cfg(test)]
#[path = "terminal_tests.rs"]
mod tests;
