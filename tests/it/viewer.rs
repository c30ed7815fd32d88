//! The execution viewer: what went wrong first, the ways to look at a run, lists, the board, the acts.

use chrono::TimeDelta;
use ward::domain::execution::{Machine, MapRun, Status};
use ward::domain::log::LogLine;
use ward::domain::problem::Problem;
use ward::ui::effect::{Effect, Reply, Request};
use ward::ui::msg::{Happening, Msg};
use ward::ui::screens::workflows::View;

use crate::support::answers::{Answers, MACHINE, ago, execution_arn};
use crate::support::console::{Console, Work, setup};
use crate::support::histories::own;
use crate::support::setup::now;

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
    // Each by its own sign.
    for (name, sign) in [("run-20251230-090000-001", "■ "), ("run-20251229-090000-777", "⧖ ")] {
        let console = Console::at(&run(name), WIDE);
        let text = console.text();
        let cause = text.lines().skip_while(|line| !line.contains("Root cause")).nth(1).unwrap_or_default();
        assert!(cause.starts_with(&format!(" {sign}")), "{text}");
    }
    let stopped = Console::at(&run("run-20251230-090000-001"), WIDE);
    see(&stopped, &["Stopped from outside: Stopped", "It was in WaitForQueryCompletion then"]);
    let late = Console::at(&run("run-20251229-090000-777"), WIDE);
    see(&late, &["WaitForQueryCompletion was running when the time was up"]);
}

#[test]
fn where_nothing_ever_succeeded_that_is_said() {
    let mut answers = Answers::sample();
    answers.executions.retain(|run| run.status != Status::Succeeded);
    let console = Console::with(&run("run-20251231-210000-118"), WIDE, answers);
    see(&console, &["Last success", "None: no execution that is still listed has succeeded"]);
}

#[test]
fn a_map_run_without_children_names_no_key_that_starts_one() {
    let mut answers = Answers::sample();
    answers.executions.clear();
    let place = "workflows/arn:aws:states:us-east-1:000000000000:mapRun:Machine/Each:0f0e";
    let console = Console::with(place, WIDE, answers);
    see(&console, &["This map run has no child executions"]);
    assert!(!console.text().contains("starts one"), "{}", console.text());
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

/// A console at one of our own histories, which ended as the sample's executions do.
fn told(history: &str, size: (u16, u16)) -> Console {
    let history = own().into_iter().find(|one| one.name == history).expect("the history");
    let mut answers = Answers::sample();
    let arn = answers.executions[2].arn.clone();
    answers.definition = history.definition.map(|definition| definition.to_string());
    answers.histories.insert(arn.clone(), history.events);
    Console::with(&format!("workflows/{arn}"), size, answers)
}

#[test]
fn one_item_of_a_map_is_looked_at_by_itself() {
    let mut console = told("map-failed", WIDE);
    // All together: two waits, of which one was stopped, and a failure.
    console.press("vp");
    see(&console, &["✖ Bad", "■ Good", "2×"]);
    console.press("I");
    see(&console, &["Which item of Each?", "item 2", "✖ failed", "item 0", "■ aborted"]);
    console.press("1<enter>");
    see(&console, &["item 1", "✔ Good", "○ Bad", "entered"]);
    // Moving stays in the item; the passes before and after lead to its neighbours.
    console.press("gg");
    console.press("j");
    see(&console, &["▌ ┊ ✔ Check", "2 of 3", "item 1"]);
    console.press("]");
    see(&console, &["item 2", "✖ Bad", "○ Good"]);
    console.press("I7<enter>");
    see(&console, &["Item 7 has not begun"]);
    console.press("Ix<enter>");
    see(&console, &["x is no number of an item"]);
    console.press("<esc>");
    see(&console, &["All items together again", "■ Good"]);
    // Where nothing has items, it is said.
    let mut pipeline = failed();
    pipeline.press("vI");
    see(&pipeline, &["Only what runs in a Map or Parallel has items"]);
}

#[test]
fn a_branch_has_its_number_in_the_timeline_and_can_be_chosen() {
    let mut console = told("nested-flows", WIDE);
    console.press("v");
    see(&console, &["Pick #0", "Pick #2", "Left #0", "Right #1"]);
    console.press("GI");
    see(&console, &["Which branch of Both?", "branch 1"]);
}

/// A map run of 1,240 items.
fn map_run(status: &str) -> MapRun {
    MapRun {
        arn: "arn:aws:states:us-east-1:000000000000:mapRun:Machine/Each:0f0e".into(),
        status: status.into(),
        max_concurrency: 0,
        total: 1_240,
        pending: 0,
        running: 0,
        succeeded: 0,
        failed: 0,
        timed_out: 0,
        aborted: 0,
        tolerated_percentage: 1.0,
        tolerated_count: 0,
        redrives: 0,
    }
}

/// A count that did not come is asked for again; the last ones are those of the map run's end.
#[test]
fn the_counts_of_a_distributed_map_survive_a_lost_answer() {
    let history = own().into_iter().find(|one| one.name == "map-run").expect("the history");
    let mut answers = Answers::sample();
    let arn = execution_arn("run-20260101-150405-004");
    answers.definition = history.definition.map(|definition| definition.to_string());
    // Until its map run has started.
    answers.histories.insert(arn.clone(), history.events[..4].to_vec());
    answers.map_runs.push(MapRun { succeeded: 10, running: 5, ..map_run("RUNNING") });
    let mut console = Console::with(&format!("workflows/{arn}"), WIDE, answers);
    see(&console, &["10 of 1,240, 5 running"]);
    let mut later = now();
    let mut tick = |console: &mut Console| {
        later += TimeDelta::seconds(3);
        console.tell(Msg::Ticked(later));
        console.settle();
    };
    console.answers.failure = Some(Problem::new("No answer to DescribeMapRun").retry());
    tick(&mut console);
    console.answers.failure = None;
    console.answers.map_runs[0].succeeded = 600;
    tick(&mut console);
    see(&console, &["600 of 1,240, 5 running"]);
    // Its end: what was heard just before is not the last of it, and that answer is lost again.
    console.answers.failure = Some(Problem::new("No answer to DescribeMapRun").retry());
    console.tell(Msg::Happened(Happening::Events(arn, history.events[4..].to_vec())));
    console.settle();
    console.answers.failure = None;
    console.answers.map_runs[0] = MapRun { succeeded: 1_240, ..map_run("SUCCEEDED") };
    tick(&mut console);
    see(&console, &["1,240 of 1,240"]);
    assert!(!console.text().contains("5 running"), "{}", console.text());
    // Then it is not asked for any more.
    console.tell(Msg::Ticked(later + TimeDelta::seconds(60)));
    let asks = |request: &Request| matches!(request, Request::MapRun { .. });
    assert!(!console.asked().iter().any(asks), "{:?}", console.asked());
}

/// Of three branches that were stopped none is done; of four items one succeeded, one failed, one was stopped.
#[test]
fn what_failed_or_was_stopped_is_not_counted_as_done() {
    for (name, counts) in
        [("stopped-parallel", "0 of 3, 3 aborted"), ("map-failed", "1 of 4, 1 failed, 1 aborted")]
    {
        let mut console = told(name, WIDE);
        console.press("v");
        see(&console, &[counts]);
    }
}

/// A history says nothing of the items of a distributed map: its counts are asked for, also when it is over.
#[test]
fn a_distributed_map_that_is_over_has_its_counts() {
    let history = own().into_iter().find(|one| one.name == "map-run").expect("the history");
    let mut answers = Answers::sample();
    let arn = answers.executions[1].arn.clone();
    answers.definition = history.definition.map(|definition| definition.to_string());
    answers.histories.insert(arn.clone(), history.events);
    answers.map_runs.push(MapRun { succeeded: 1_238, failed: 2, ..map_run("SUCCEEDED") });
    let mut console = Console::with(&format!("workflows/{arn}"), WIDE, answers);
    see(&console, &["Each", "1,238 of 1,240, 2 failed"]);
    console.press("<tab>");
    for _ in 0..6 {
        if console.text().contains("tolerates 1 % failed items") {
            break;
        }
        console.press("l");
    }
    see(&console, &["tolerates 1 % failed items", "as many as AWS allows", "t goes to them"]);
    // To its children, and back to the execution they belong to.
    console.press("t<enter>");
    see(&console, &["children of map run 0f0e"]);
    assert!(!console.text().contains("tolerates"), "{}", console.text());
    console.press("<esc>");
    see(&console, &["tolerates 1 % failed items"]);
}

/// It is not known to be express before the state machines are: that it refuses to list is no failure then.
#[test]
fn an_express_machine_that_refuses_to_list_is_no_problem() {
    let machine = MACHINE.replace("HealthcarePipelineStateMachine", "Quick");
    let mut console = Console::loading(&format!("workflows/{machine}"), WIDE, setup());
    let quick = Machine { arn: machine.clone(), name: "Quick".into(), express: true, created: None };
    console.answers.machines.push(quick);
    let listing = |work: &Work| matches!(work, Work::Ask(Request::Executions { machine_arn, .. }) if *machine_arn == machine);
    let at = console.waiting.iter().position(|(_, work)| listing(work)).expect("they are asked for");
    let (ticket, _) = console.waiting.remove(at);
    console.tell(Msg::Replied(ticket, Err(Problem::new("ListExecutions was refused"))));
    console.settle();
    assert!(console.model.world.problems.is_empty(), "{:?}", console.model.world.problems);
    see(&console, &["express: from its log", "logs nothing"]);
}

/// Express executions are named by their name, not by the unique id at the end of their ARN.
#[test]
fn an_express_execution_has_its_name_and_no_redrive() {
    let mut answers = Answers::sample();
    let machine = answers.machines[0].arn.replace("HealthcarePipelineStateMachine", "Quick");
    let quick = Machine { arn: machine.clone(), name: "Quick".into(), express: true, created: None };
    answers.machines.push(quick);
    answers.definition =
        Some(r#"{"StartAt": "Bad", "States": {"Bad": {"Type": "Fail", "Error": "E"}}}"#.to_owned());
    let arn = machine.replace(":stateMachine:", ":express:") + ":quick-2:1b914a31-4b80:ab";
    let rows = [
        ("ExecutionStarted", r#"{"input": "{}"}"#),
        ("FailStateEntered", r#"{"name": "Bad", "input": "{}"}"#),
        ("ExecutionFailed", r#"{"error": "E", "cause": "said so"}"#),
    ];
    let line = |(i, (kind, details)): (usize, &(&str, &str))| LogLine {
        id: i.to_string(),
        at: ago(5),
        stream: "s".into(),
        text: format!(
            r#"{{"id":"{}","type":"{kind}","details":{details},"previous_event_id":"{i}","event_timestamp":"{}","execution_arn":"{arn}"}}"#,
            i + 1,
            ago(5).timestamp_millis()
        ),
    };
    answers.express = rows.iter().enumerate().map(line).collect();
    let mut console = Console::with(&format!("workflows/{machine}"), WIDE, answers);
    see(&console, &["express: from its log", "quick-2"]);
    console.press("<enter>");
    see(&console, &["Quick / quick-2   ✖ failed", "Root cause", "Bad: E", "said so"]);
    let text = console.text();
    let keys = text.lines().last().expect("the line of keys");
    assert!(keys.contains("again") && !keys.contains("redrive"), "{keys}");
    assert!(!text.contains("1b914a31"), "{text}");
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

/// A running execution is looked at, some keys are pressed, then it is stopped from elsewhere: its last event
/// and DescribeExecution's answer arrive, one before the other.
fn stopped_while_open(keys: &str, described_first: bool) -> Console {
    let arn = execution_arn("run-20260101-150405-004");
    let mut console = Console::at(&format!("workflows/{arn}"), WIDE);
    console.press(keys);
    // Asked for, and not answered yet.
    console.hit("r");
    let asked = Work::Ask(Request::Execution { arn: arn.clone() });
    let at = console.waiting.iter().position(|(_, work)| *work == asked).expect("it is asked for");
    let (ticket, _) = console.waiting.remove(at);
    let end = console.next_event(&arn, "ExecutionAborted", serde_json::json!({"error": "Stopped"}));
    let mut execution = console.answers.executions.iter().find(|run| run.arn == arn).unwrap().clone();
    (execution.status, execution.stopped) = (Status::Aborted, Some(end.at));
    let described = Msg::Replied(ticket, Ok(Reply::Execution(Box::new(execution))));
    let ended = Msg::Happened(Happening::Events(arn, vec![end]));
    let (first, second) = if described_first { (described, ended) } else { (ended, described) };
    console.tell(first);
    console.tell(second);
    console
}

#[test]
fn a_followed_run_that_ends_badly_turns_to_its_summary_whatever_arrives_first() {
    let view = |console: &Console| console.model.workflows.run.as_ref().expect("the run").view;
    for described_first in [true, false] {
        let mut console = stopped_while_open("", described_first);
        assert_eq!(view(&console), View::Summary, "described first: {described_first}");
        see(&console, &["Stopped from outside: Stopped", "It was in WaitForQueryCompletion then"]);
        // What is asked for then changes nothing of that, and neither does going away and coming back.
        console.settle();
        console.press("<esc>");
        assert_eq!(view(&console), View::Summary);
        // Who chose a view, or a state, stays there.
        for (keys, chosen) in [("v", View::Timeline), ("vv", View::Events), ("k", View::Graph)] {
            let console = stopped_while_open(keys, described_first);
            assert_eq!(view(&console), chosen, "{keys}, described first: {described_first}");
            see(&console, &["Summary", "aborted"]);
        }
    }
}

/// The board's stream has brought its whole history: nothing more need arrive.
#[test]
fn a_run_that_ended_on_the_board_opens_on_its_summary() {
    let arn = execution_arn("run-20260101-150405-004");
    let mut console = Console::at("workflows", WIDE);
    console.press("b");
    see(&console, &["Running now", "WaitForQueryCompletion"]);
    let end = console.next_event(&arn, "ExecutionAborted", serde_json::json!({"error": "Stopped"}));
    console.tell(Msg::Happened(Happening::Events(arn, vec![end])));
    console.press("<esc>");
    console.hit("<enter>");
    see(&console, &["Stopped from outside: Stopped", "It was in WaitForQueryCompletion then"]);
}

#[test]
fn the_form_names_the_keys_of_the_field_that_has_them() {
    let mut console = Console::at("workflows", (80, 24));
    let keys = |console: &Console| console.text().lines().last().unwrap_or_default().to_owned();
    console.hit("R");
    assert!(keys(&console).contains("run") && keys(&console).contains("load"), "{}", keys(&console));
    console.hit("<tab>");
    assert!(keys(&console).contains("enter accept"), "{}", keys(&console));
    // Enter goes on to the input, and starts nothing.
    console.hit("x<enter>");
    assert!(console.asked().is_empty(), "{:?}", console.asked());
    assert!(keys(&console).contains("load"), "{}", keys(&console));
    // The key that starts does so from the name too.
    console.hit("<tab>/<f5>");
    see(&console, &["Not started: A name has no '/'"]);
    // What was typed is not lost by one key.
    console.hit("<tab>x<esc>");
    see(&console, &["What was typed is lost", "Start HealthcarePipelineStateMachine"]);
    console.hit("<esc>");
    assert!(!console.text().contains("Start HealthcarePipelineStateMachine"), "{}", console.text());
}

#[test]
fn stopping_asks_why_and_then_once_more() {
    let mut console = Console::at(&run("run-20260101-150405-004"), WIDE);
    console.press("X");
    see(&console, &["Stop run-20260101-150405-004: why?"]);
    console.press("<ctrl-u>Wrong day<enter>");
    see(&console, &["Stop this execution?", "of HealthcarePipelineStateMachine", "cause: Wrong day"]);
    let waiting = console.waiting.len();
    console.press("<enter>");
    assert_eq!(console.waiting.len(), waiting, "the default is no");
    console.press("X<ctrl-u>Wrong day<enter>");
    // Unsettled: what is sent stays to be looked at.
    console.hit("y");
    let request = Request::StopExecution {
        arn: execution_arn("run-20260101-150405-004"),
        error: "Stopped".into(),
        cause: "Wrong day".into(),
    };
    assert!(console.asked().contains(&request), "{:?}", console.asked());
}

#[test]
fn redrive_says_from_where() {
    let setup = ward::ui::world::Setup { local: false, target: "AWS".into(), ..setup() };
    let mut console = Console::of(&run("run-20251231-210000-118"), WIDE, setup);
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
