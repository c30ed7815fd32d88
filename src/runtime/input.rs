//! The terminal's events, as facts. A thread of its own blocks on them, and takes them to the screen itself.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crossterm::event::{Event, poll, read};
use terminal_colorsaurus::{QueryOptions, ThemeMode, theme_mode};
use tokio::runtime::Handle;

use crate::runtime::options::ThemeChoice;
use crate::runtime::{Inbox, Input, Shared, terminal};
use crate::ui::msg::Msg;

/// So long the terminal may take to say its background.
const PATIENCE: Duration = Duration::from_millis(150);

/// Starts reading. When the theme depends on the background, the terminal is asked first, so that nobody
/// else reads its answer; not when keys are waiting already, since the question would swallow them.
pub(crate) fn start(theme: ThemeChoice, console: Shared, inbox: Inbox) {
    let tokio = Handle::current();
    let reader = move || {
        // What a key sets off runs in the runtime, and a panic while it is drawn gives the terminal back.
        let _context = tokio.enter();
        terminal::paints();
        let read = AssertUnwindSafe(|| read_on(theme, &console, &inbox));
        if let Err(panic) = catch_unwind(read) {
            let _ = inbox.send(Input::Panicked(panic));
        }
    };
    // The thread ends with the process: a blocked read cannot be called back.
    let _ = std::thread::Builder::new().name("input".into()).spawn(reader);
}

fn read_on(theme: ThemeChoice, console: &Shared, inbox: &Inbox) {
    if theme == ThemeChoice::Ask && !keys_are_waiting() {
        let mut options = QueryOptions::default();
        options.timeout = PATIENCE;
        if let Ok(mode) = theme_mode(options)
            && !console.typed(Msg::Lit { dark: mode == ThemeMode::Dark }, inbox)
        {
            return;
        }
    }
    loop {
        match read() {
            Ok(event) => {
                if fact(event).is_some_and(|msg| !console.typed(msg, inbox)) {
                    return;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => {
                let _ = inbox.send(Input::Lost);
                return;
            }
        }
    }
}

/// What came already is kept by the reader; nothing is lost by looking.
fn keys_are_waiting() -> bool {
    poll(Duration::ZERO).unwrap_or(true)
}

fn fact(event: Event) -> Option<Msg> {
    Some(match event {
        Event::Key(key) => Msg::Pressed(key),
        Event::Paste(text) => Msg::Pasted(text),
        // Movement without a button says nothing to us, and a frame for each would be waste.
        Event::Mouse(mouse) if matches!(mouse.kind, crossterm::event::MouseEventKind::Moved) => return None,
        Event::Mouse(mouse) => Msg::Moused(mouse),
        Event::Resize(width, height) => Msg::Resized { width, height },
        Event::FocusGained => Msg::Focused(true),
        Event::FocusLost => Msg::Focused(false),
    })
}
