//! A pseudo-terminal with a shell in it, as a person's: what is typed, and what the screen then shows.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process_group};
use rustix::termios::{LocalModes, tcgetattr};
use vt100::Screen;

/// However long a loaded machine takes.
const PATIENCE: Duration = Duration::from_secs(180);

pub struct Pty {
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    shell: Box<dyn Child + Send + Sync>,
    seen: Arc<Mutex<vt100::Parser>>,
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("a size above 0")
}

fn pty_size((cols, rows): (u16, u16)) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

impl Pty {
    /// An interactive shell whose home is a folder of the test; its prompt is `ready> `.
    pub fn shell(home: &Path, size: (u16, u16)) -> Pty {
        let pair = native_pty_system().openpty(pty_size(size)).unwrap();
        let mut command = CommandBuilder::new("sh");
        command.arg("-i");
        command.env_clear();
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
        let place = |name: &str| home.join(name).into_os_string();
        for (name, value) in [
            ("PATH", path),
            ("HOME", home.into()),
            ("XDG_DATA_HOME", place("data")),
            ("XDG_CONFIG_HOME", place("config")),
            ("XDG_STATE_HOME", place("state")),
            ("XDG_CACHE_HOME", place("cache")),
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
            ("TERM", "xterm-256color".into()),
            ("LANG", "C.UTF-8".into()),
            ("PS1", "ready> ".into()),
            ("ward", env!("CARGO_BIN_EXE_ward").into()),
        ] {
            command.env(name, value);
        }
        let shell = pair.slave.spawn_command(command).unwrap();
        let parser = vt100::Parser::new(cells(size.1), cells(size.0), 0);
        let seen = Arc::new(Mutex::new(parser));
        let (mut reader, reading) = (pair.master.try_clone_reader().unwrap(), seen.clone());
        std::thread::spawn(move || {
            let mut bytes = [0; 8192];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                reading.lock().unwrap().process(&bytes[..count]);
            }
        });
        let keyboard = pair.master.take_writer().unwrap();
        let pty = Pty { master: pair.master, keyboard, shell, seen };
        pty.see("ready> ");
        pty
    }

    /// Types; `\r` is enter.
    pub fn send(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    pub fn resize(&self, size: (u16, u16)) {
        self.seen.lock().unwrap().set_size(cells(size.1), cells(size.0));
        self.master.resize(pty_size(size)).unwrap();
    }

    /// Waits until the screen is as wanted.
    pub fn wait(&self, what: &str, wanted: impl Fn(&Screen) -> bool) {
        let start = Instant::now();
        while !self.look(&wanted) {
            assert!(start.elapsed() < PATIENCE, "waited in vain for {what}:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until the words are on the screen.
    pub fn see(&self, words: &str) {
        self.wait(words, |screen| screen.contents().contains(words));
    }

    pub fn look<T>(&self, look: impl Fn(&Screen) -> T) -> T {
        look(self.seen.lock().unwrap().screen())
    }

    pub fn text(&self) -> String {
        self.look(Screen::contents)
    }

    /// Waits until the terminal is a shell's again: main screen, cursor, line editing, echo, no mouse.
    pub fn wait_for_the_shell(&self) {
        self.wait("the terminal to be restored", |screen| {
            !screen.alternate_screen()
                && !screen.hide_cursor()
                && !screen.bracketed_paste()
                && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
                && screen.contents().trim_end().ends_with("ready>")
        });
        let tty = self.master.tty_name().expect("a pseudo-terminal has a name");
        let modes = tcgetattr(File::open(tty).unwrap()).unwrap().local_modes;
        for mode in [LocalModes::ICANON, LocalModes::ECHO, LocalModes::ISIG] {
            assert!(modes.contains(mode), "{modes:?}");
        }
    }

    /// Sends a signal to whatever is in the foreground.
    pub fn signal(&self, signal: Signal) {
        kill_process_group(self.foreground(), signal).unwrap();
    }

    fn foreground(&self) -> Pid {
        let leader = self.master.process_group_leader().expect("somebody is in the foreground");
        Pid::from_raw(leader).expect("a process id")
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // Whatever is left of a failed test goes with its terminal.
        if !matches!(self.shell.try_wait(), Ok(Some(_))) {
            let _ = kill_process_group(self.foreground(), Signal::KILL);
            let _ = self.shell.kill();
            let _ = self.shell.wait();
        }
    }
}
