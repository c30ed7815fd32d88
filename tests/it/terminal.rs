//! The real program in a real pseudo-terminal, under a shell with job control.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use crate::support::pty::Pty;

/// Serves a folder whose waits are so many times shorter (or longer, below 1); answers once it is filled.
fn serve(home: &Path, folder: &Path, speed: &str) -> Child {
    let mut server = Command::new(env!("CARGO_BIN_EXE_ward"))
        .args(["local", "--speed", speed, "--as-of", "2026-01-01", "--local-dir"])
        .arg(folder)
        .env("HOME", home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(server.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.into_iter().any(|line| line.starts_with("export AWS_ENDPOINT_URL=")));
    server
}

/// A console that reaches nothing: it lives all the same.
const ALONE: &str = "\"$ward\" --endpoint-url http://127.0.0.1:9 --open facilities\r";

#[test]
fn a_run_is_started_and_watched_to_its_end() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("cloud");
    let mut server = serve(home.path(), &folder, "20");
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
    assert!(pty.wrote("running"), "it was seen running");

    pty.send("q");
    pty.wait_for_the_shell();
    pty.send("echo status $?\r");
    pty.see("status 0");
    server.kill().unwrap();
    server.wait().unwrap();
}

/// The graph follows what happens: entered, stopped, and after a redrive to its end.
#[test]
fn a_run_is_stopped_and_redriven() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("cloud");
    let mut server = serve(home.path(), &folder, "0.5");
    let mut pty = Pty::shell(home.path(), (80, 24));
    pty.send("\"$ward\" --as-of 2026-01-01 --local-dir \"$HOME/cloud\" --open workflows\r");
    pty.see("No execution yet: R starts one");
    pty.send("R");
    pty.see("Start HealthcarePipelineStateMachine");
    pty.send("\x05");
    pty.wait("the wait to begin", |screen| {
        let text = screen.contents();
        text.contains("✔ InvokeLambdaFunction") && text.contains("◌ WaitForQueryCompletion")
    });
    pty.send("X");
    pty.see("Stop it: why?");
    pty.send("\r");
    pty.see("Stop this execution?");
    pty.send("y");
    // It opens on what ended it; the graph is the next view.
    pty.wait("the stop", |screen| {
        let text = screen.contents();
        text.contains("■ aborted") && text.contains("It was in WaitForQueryCompletion then")
    });
    pty.send("v");
    pty.see("■ WaitForQueryCompletion");
    pty.send("D");
    pty.wait("the redriven run to succeed", |screen| {
        let text = screen.contents();
        text.contains("✔ succeeded")
            && text.contains("redriven 1×")
            && text.contains("✔ CopyResultsToProduction")
    });
    pty.send("q");
    pty.wait_for_the_shell();
    server.kill().unwrap();
    server.wait().unwrap();
}

#[test]
fn signals_restore_the_terminal() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::shell(home.path(), (80, 24));
    for (signal, status) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130)] {
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
