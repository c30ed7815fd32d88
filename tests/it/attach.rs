//! One serving process per folder, started by whoever comes first.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ward::local::attach::{Attached, Error, attach};
use ward::local::seat::{self, Seat, Serving, VERSION};

use crate::support::served::Detached;

/// The binary under test as a detached server that stays for `calm` seconds.
fn server(folder: &Path, calm: f64) -> io::Result<Child> {
    Command::new(env!("CARGO_BIN_EXE_ward"))
        .args(["local", "--detached", "--empty", "--calm", &calm.to_string(), "--local-dir"])
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

async fn attached(folder: &Path, calm: f64) -> Attached {
    attach(folder, |folder| server(folder, calm), |_| {}).await.unwrap()
}

/// Waits until nobody serves the folder; however long a loaded machine takes.
async fn left(folder: &Path) {
    while seat::is_taken(folder).unwrap() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn two_at_once_find_one_server_and_it_leaves_after_them() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("cloud");
    let _guard = Detached(&folder);
    let (one, two) = tokio::join!(attached(&folder, 0.3), attached(&folder, 0.3));
    assert_eq!((one.pid, &one.endpoint), (two.pid, &two.endpoint));
    let third = attach(&folder, |_| panic!("somebody serves already"), |_| {}).await.unwrap();
    assert_eq!(third.pid, one.pid);
    // Whoever stays attached keeps it.
    drop((one, two));
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert!(seat::is_taken(&folder).unwrap());
    drop(third);
    left(&folder).await;
    assert_eq!(seat::read(&folder), None);
    // And the next one starts it again, on the same data.
    drop(attached(&folder, 0.1).await);
    left(&folder).await;
}

#[tokio::test]
async fn what_a_killed_server_left_is_no_obstacle() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let _guard = Detached(folder);
    let first = attached(folder, 60.0).await;
    let pid = rustix::process::Pid::from_raw(i32::try_from(first.pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    left(folder).await;
    // Its state file is still there and names a process that is gone.
    assert_eq!(seat::read(folder).unwrap().pid, first.pid);
    let second = attached(folder, 0.1).await;
    assert_ne!(second.pid, first.pid);
    drop((first, second));
    left(folder).await;
}

#[tokio::test]
async fn a_server_of_another_version_is_named() {
    let home = tempfile::tempdir().unwrap();
    let seat = Seat::take(home.path()).unwrap();
    let serving = Serving {
        url: "http://127.0.0.1:1".into(),
        region: "us-east-1".into(),
        pid: 4242,
        version: format!("{VERSION}-older"),
        ready: true,
        taken_up: Vec::new(),
    };
    seat.announce(&serving).unwrap();
    let refused = attach(home.path(), |_| panic!("nothing may be started"), |_| {}).await.err().unwrap();
    assert!(matches!(refused, Error::OtherVersion { pid: 4242, .. }));
    assert!(refused.to_string().contains("kill 4242"), "{refused}");
}

#[tokio::test]
async fn a_server_that_cannot_start_says_why() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("cloud.redb"), [7; 8192]).unwrap();
    let spawn = |folder: &Path| {
        let log: OwnedFd = std::fs::File::create(folder.join("server.log"))?.into();
        Command::new(env!("CARGO_BIN_EXE_ward"))
            .args(["local", "--detached", "--empty", "--local-dir"])
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
    };
    let refused = attach(home.path(), spawn, |_| {}).await.err().unwrap().to_string();
    assert!(refused.contains("move it away"), "{refused}");
}
