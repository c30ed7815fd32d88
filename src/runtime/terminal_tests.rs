use std::io::Read;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

use super::*;

/// Run by the test below, in a terminal of its own.
#[test]
#[ignore = "takes over the terminal and panics"]
fn takes_the_terminal_and_panics() {
    let mut terminal = Terminal::enter((80, 24), true).unwrap();
    terminal.mouse(true).unwrap();
    let nobody_is_told = std::thread::spawn(|| panic!("a task of its own")).join();
    assert!(nobody_is_told.is_err());
    panic!("on purpose");
}

#[test]
fn a_panic_restores_the_terminal_before_it_prints() {
    let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new("sh");
    // The shell stays behind to say how it finds the terminal.
    command.args(["-c", r#""$0" "$@"; stty -a; echo over"#]);
    command.arg(std::env::current_exe().unwrap());
    let name = "runtime::terminal::tests::takes_the_terminal_and_panics";
    command.args(["--exact", name, "--ignored", "--nocapture", "--test-threads=1"]);
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().unwrap();
    let (mut written, mut bytes) = (String::new(), [0; 4096]);
    while !written.contains("over\r\n") {
        let count = reader.read(&mut bytes).unwrap_or_default();
        assert!(count > 0, "it ended early: {written}");
        written.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    child.wait().unwrap();
    let at = |what: &str| written.find(what).unwrap_or_else(|| panic!("{what:?} is missing in {written:?}"));
    assert!(at("\x1b[?1049h") < at("\x1b[?1049l"));
    for given_back in ["\x1b[?1049l", "\x1b[?25h", "\x1b[?2004l", "\x1b[?1000l"] {
        assert!(at(given_back) < at("on purpose"), "{given_back:?}");
    }
    assert!(!written.contains("a task of its own"), "what a task says stays out of the frame: {written:?}");
    let words: Vec<&str> = written[at("on purpose")..].split_whitespace().collect();
    assert!(words.contains(&"icanon") && words.contains(&"echo"), "{written:?}");
}
