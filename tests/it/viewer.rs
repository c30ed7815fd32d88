//! The execution viewer: what went wrong first, the ways to look at a run, lists, the board, the acts.

use ward::domain::execution::Status;
use ward::ui::effect::{Effect, Request};
use ward::ui::msg::Msg;

use crate::support::answers::execution_arn;
use crate::support::console::{Console, Work};

const WIDE: (u16, u16) = (160, 48);

fn run(name: &str) -> String {
    format!("workflows/{}", execution_arn(name))
}

fn failed() -> Console {
    Console::at(&run("run-20251231-210000-118"), WIDE)
}

fn see(console: &Console, words: &[&str]) {
    let text = console.text();
    for words in words {
        assert!(text.contains(words), "{words:?} is missing in\n{text}");
    }
}

#[test]
fn a_failed_run_opens_on_its_story() {
    let mut console = failed();
    see(
        &console,
        &[
            "Summary",
            "Root cause",
            "CopyResultsToProduction: S3.NoSuchKeyException",
            "The object does not exist",
            "The specified key does not exist.",
            "One attempt",
            "Input of CopyResultsToProduction",
            "Last success",
            "run-20260101-090000-217",
        ],
    );
    console.press("c");
    let Some(Effect::Copy(text)) = console.done.last() else { panic!("{:?}", console.done) };
    assert!(
        text.starts_with("### HealthcarePipelineStateMachine / run-20251231-210000-118 failed after"),
        "{text}"
    );
    assert!(text.contains("**CopyResultsToProduction: S3.NoSuchKeyException**"), "{text}");
    // A run that went well has no such view.
    let well = Console::at(&run("run-20260101-090000-217"), WIDE);
    assert!(!well.text().contains("Summary"), "{}", well.text());
}

#[test]
fn stopped_and_timed_out_runs_say_what_was_interrupted() {
    let stopped = Console::at(&run("run-20251230-090000-001"), WIDE);
    see(&stopped, &["Stopped from outside: Stopped", "It was in WaitForQueryCompletion then"]);
    let late = Console::at(&run("run-20251229-090000-777"), WIDE);
    see(&late, &["WaitForQueryCompletion was running when the time was up"]);
}

#[test]
fn the_graph_is_a_picture_where_it_fits_and_rows_elsewhere() {
    let mut wide = Console::at(&run("run-20260101-090000-217"), WIDE);
    let picture = wide.text();
    assert!(picture.contains('┌') && picture.contains("otherwise"), "{picture}");
    wide.press("p");
    see(&wide, &["├─▶", "↺ WaitForQueryCompletion"]);
    let narrow = Console::at(&run("run-20260101-090000-217"), (80, 24));
    see(&narrow, &["├─▶", "✔ CopyResultsToProduction"]);
}

#[test]
fn timeline_zooms_and_events_tell_their_predecessors() {
    let mut console = Console::at(&run("run-20260101-090000-217"), WIDE);
    console.press("v");
    see(&console, &["0 s", "✔ WaitForQueryCompletion", "┃"]);
    console.press("+");
    see(&console, &["zoomed"]);
    console.press("0");
    assert!(!console.text().contains("zoomed"));
    console.press("v");
    see(&console, &["After", "TaskStateEntered", "ExecutionSucceeded"]);
    console.press("/copyObject<enter>");
    see(&console, &["\"resource\": \"copyObject\""]);
}

#[test]
fn the_inspector_unfolds_compares_and_names_paths() {
    let mut console = failed();
    console.press("v<tab>");
    see(&console, &["S3.NoSuchKeyException", "\"Meaning\": \"The object does not exist\""]);
    console.press("j");
    see(&console, &["$.Error"]);
    console.press("y");
    assert_eq!(console.done.last(), Some(&Effect::Copy("S3.NoSuchKeyException".into())));
    console.press("Y");
    see(&console, &["Path of the value", "What went wrong, as Markdown"]);
}

#[test]
fn lists_are_filtered_by_status_time_and_text() {
    let mut console = Console::at("workflows", WIDE);
    see(&console, &["24 h", "1 running", "requested_by"]);
    console.press("stimed<enter>");
    see(&console, &["timed out only", "run-20251229-090000-777"]);
    assert!(!console.text().contains("run-20260101-090000-217"));
    console.press("sall<enter>T24<enter>");
    see(&console, &["run-20260101-090000-217"]);
    assert!(!console.text().contains("run-20251230-090000-001"), "{}", console.text());
}

#[test]
fn machines_show_how_they_did_lately() {
    let console = Console::at("workflows/machines", WIDE);
    see(&console, &["Failed 24 h", "◐ running"]);
}

#[test]
fn the_board_shows_what_runs_and_watches_it() {
    let mut console = Console::at("workflows", WIDE);
    console.press("b");
    see(&console, &["Running now", "run-20260101-150405-004", "WaitForQueryCompletion"]);
    console.press("w");
    see(&console, &["1 watched"]);
    // It ends while another screen is in front: the bell rings.
    console.press("2");
    let arn = execution_arn("run-20260101-150405-004");
    let last = console.answers.histories[&arn].last().unwrap().clone();
    let end = ward::domain::execution::HistoryEvent {
        id: last.id + 1,
        previous: last.id,
        at: last.at,
        kind: "ExecutionSucceeded".into(),
        details: serde_json::json!({"output": "{}"}),
    };
    console.tell(Msg::Happened(ward::ui::msg::Happening::Events(arn, vec![end])));
    let told = console
        .done
        .iter()
        .any(|effect| matches!(effect, Effect::Notify(text) if text.contains("succeeded")));
    assert!(told, "{:?}", console.done);
}

#[test]
fn stopping_asks_why_and_then_once_more() {
    let mut console = Console::at(&run("run-20260101-150405-004"), WIDE);
    console.press("X");
    see(&console, &["Stop it: why?"]);
    console.press("<ctrl-u>Wrong day<enter>");
    see(&console, &["Stop this execution?", "cause: Wrong day"]);
    let waiting = console.waiting.len();
    console.press("<enter>");
    assert_eq!(console.waiting.len(), waiting, "the default is no");
    console.press("X<ctrl-u>Wrong day<enter>");
    // Unsettled: what is sent stays to be looked at.
    console.tell(Msg::Pressed(crate::support::console::keys_of("y")[0]));
    let request = Request::StopExecution {
        arn: execution_arn("run-20260101-150405-004"),
        error: "Stopped".into(),
        cause: "Wrong day".into(),
    };
    assert!(
        console.waiting.iter().any(|(_, work)| *work == Work::Ask(request.clone())),
        "{:?}",
        console.waiting
    );
}

#[test]
fn redrive_says_from_where() {
    let mut console = Console::loading(
        &run("run-20251231-210000-118"),
        WIDE,
        ward::ui::world::Setup { local: false, target: "AWS".into(), ..crate::support::console::setup() },
    );
    console.settle();
    console.press("D");
    see(&console, &["Redrive this execution?", "It goes on from PipelineFailed"]);
    console.press("<esc>");
    let mut running = Console::at(&run("run-20260101-150405-004"), WIDE);
    running.press("D");
    see(&running, &["can be redriven"]);
    assert_eq!(
        running.model.workflows.run.as_ref().and_then(ward::ui::screens::workflows::Run::status),
        Some(Status::Running)
    );
}
