//! The real program in a real pseudo-terminal, under a shell with job control.

use rustix::process::Signal;

use crate::support::held::{self, HELD};
use crate::support::pty::Pty;
use crate::support::served::{Server, connect};

/// A console that reaches nothing: it lives all the same.
const ALONE: &str = "\"$ward\" --endpoint-url http://127.0.0.1:9 --open facilities\r";

#[test]
fn a_run_is_started_and_watched_to_its_end() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("cloud");
    let _server = Server::of(home.path(), &folder, &["--speed", "20", "--as-of", "2026-01-01"]);
    let mut pty = Pty::shell(home.path(), (80, 24));
    pty.send("\"$ward\" --as-of 2026-01-01 --local-dir \"$HOME/cloud\" --open overview\r");
    pty.wait("the first frame", |screen| {
        screen.alternate_screen() && screen.hide_cursor() && screen.contents().contains("1 Overview")
    });
    pty.see("250 facilities");

    // Keys, sizes, a paste.
    pty.send("2");
    pty.see("of 250, within 6 months");
    pty.resize((120, 40));
    pty.see("Accreditations");
    pty.resize((40, 10));
    pty.see("ward needs 60 columns and 16 rows");
    pty.resize((80, 24));
    pty.see("of 250, within 6 months");
    pty.send("/");
    pty.send("\x1b[200~q\r!\x1b[201~");
    pty.see("/ q !");
    pty.send("\x1b");
    // Only then: what follows an escape at once is one key with it.
    pty.wait("the filter to close", |screen| !screen.contents().contains("/ q !"));
    pty.send("gm");
    pty.wait("the mouse to be let go", |screen| {
        screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
    });

    // A run, live.
    pty.send("4");
    pty.see("No execution yet: R starts one");
    pty.send("R");
    pty.see("Start HealthcarePipelineStateMachine");
    pty.send("\x05");
    pty.wait("the run to succeed", |screen| {
        let text = screen.contents();
        text.contains("✔ succeeded") && text.contains("✔ CopyResultsToProduction")
    });

    pty.send("q");
    pty.wait_for_the_shell();
    pty.send("echo status $?\r");
    pty.see("status 0");
}

/// The graph follows what happens: entered, stopped, redriven, answered, to its end. Each step waits until the
/// execution stands still at the one before.
#[test]
fn a_run_is_stopped_redriven_and_answered() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("cloud");
    let server = Server::of(home.path(), &folder, &["--as-of", "2026-01-01"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async { held::make(&connect(&server.url).await).await });
    let mut pty = Pty::shell(home.path(), (80, 24));
    pty.send(&format!("\"$ward\" --local-dir \"$HOME/cloud\" --open workflows/{HELD}\r"));
    pty.see("No execution yet: R starts one");
    pty.send("R");
    pty.see("Start Held");
    pty.send("\x05");
    // The key that answers it is offered once its token is known.
    let waits = |screen: &vt100::Screen| {
        let text = screen.contents();
        let turning = ["◐", "◓", "◑", "◒"];
        text.contains("✔ Before")
            && turning.iter().any(|glyph| text.contains(&format!("{glyph} Hold")))
            && text.contains("○ After")
            && text.contains("running")
            && text.contains("a answer")
    };
    pty.wait("the run to wait in Hold", waits);
    pty.send("X");
    pty.see(": why?");
    pty.send("\r");
    pty.see("Stop this execution?");
    pty.send("y");
    // It turns to what ended it; the graph is the next view.
    pty.wait("the stop", |screen| {
        let text = screen.contents();
        text.contains("■ aborted") && text.contains("It was in Hold then")
    });
    pty.send("v");
    pty.see("■ Hold");
    pty.send("D");
    pty.wait("the redriven run to wait in Hold", |screen| {
        waits(screen) && screen.contents().contains("redriven 1×")
    });
    pty.send("a");
    pty.see("Answer Hold: JSON for success");
    pty.send("\r");
    pty.wait("the redriven run to succeed", |screen| {
        let text = screen.contents();
        text.contains("✔ succeeded")
            && text.contains("redriven 1×")
            && text.contains("✔ Hold")
            && text.contains("✔ After")
    });
    pty.send("q");
    pty.wait_for_the_shell();
}

#[test]
fn signals_restore_the_terminal() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::shell(home.path(), (80, 24));
    for (signal, status) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130), (Signal::QUIT, 131)]
    {
        pty.send(ALONE);
        pty.wait("the console", |screen| {
            screen.alternate_screen() && screen.contents().contains("127.0.0.1:9")
        });
        pty.signal(signal);
        pty.wait_for_the_shell();
        pty.send("echo status $?\r");
        pty.see(&format!("status {status}"));
    }
}

#[test]
fn it_steps_aside_and_comes_back() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::shell(home.path(), (80, 24));
    pty.send(ALONE);
    pty.wait("the console", |screen| {
        screen.alternate_screen() && screen.contents().contains("no connection")
    });
    for outside in [false, true] {
        if outside {
            pty.signal(Signal::TSTP);
        } else {
            pty.send("\x1a");
        }
        pty.wait_for_the_shell();
        // Another size while it is away.
        pty.resize(if outside { (80, 24) } else { (100, 30) });
        pty.send("fg\r");
        pty.wait("the console again", |screen| {
            screen.alternate_screen() && screen.hide_cursor() && screen.contents().contains("5 Activity")
        });
        pty.send("?");
        pty.see("Keys of Facilities");
        pty.send("\x1b");
        pty.wait("the help to close", |screen| !screen.contents().contains("Keys of Facilities"));
    }
    pty.send("q");
    pty.wait_for_the_shell();
}
