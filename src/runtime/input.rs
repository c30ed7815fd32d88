//! The terminal's events, as facts. A thread of its own blocks on them: one hop from key to queue.

use std::time::Duration;

use crossterm::event::{Event, poll, read};
use terminal_colorsaurus::{QueryOptions, ThemeMode, theme_mode};

use crate::runtime::options::ThemeChoice;
use crate::runtime::{Inbox, Input};
use crate::ui::msg::Msg;

/// So long the terminal may take to say its background.
const PATIENCE: Duration = Duration::from_millis(150);

/// Starts reading. When the theme depends on the background, the terminal is asked first, so that nobody
/// else reads its answer; not when keys are waiting already, since the question would swallow them.
pub(crate) fn start(theme: ThemeChoice, inbox: Inbox) {
    let reader = move || {
        if theme == ThemeChoice::Ask && !keys_are_waiting() {
            let mut options = QueryOptions::default();
            options.timeout = PATIENCE;
            if let Ok(mode) = theme_mode(options) {
                let _ = inbox.send(Input::Msg(Msg::Lit { dark: mode == ThemeMode::Dark }));
            }
        }
        loop {
            let input = match read() {
                Ok(event) => match fact(event) {
                    Some(msg) => Input::Msg(msg),
                    None => continue,
                },
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(_) => Input::Lost,
            };
            let lost = matches!(input, Input::Lost);
            if inbox.send(input).is_err() || lost {
                return;
            }
        }
    };
    // The thread ends with the process: a blocked read cannot be called back.
    let _ = std::thread::Builder::new().name("input".into()).spawn(reader);
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
