//! What is done to executions reaches the one that was meant, however lists and selections move meanwhile;
//! what a list says stays true beyond its newest page; and a read-only session is without all of it.

use chrono::TimeDelta;
use serde_json::json;
use ward::domain::execution::{Execution, HistoryEvent, Machine, Status};
use ward::domain::log::LogLine;
use ward::domain::problem::Problem;
use ward::domain::query::Query;
use ward::ui::effect::Request;
use ward::ui::msg::{Happening, Msg};
use ward::ui::subs::Sub;
use ward::ui::world::Setup;

use crate::support::answers::{Answers, MACHINE, ago, execution_arn};
use crate::support::console::{Console, setup};
use crate::support::setup::now;

const WIDE: (u16, u16) = (160, 48);
const SMALL: (u16, u16) = (80, 24);
const RUNNING: &str = "run-20260101-150405-004";

fn see(console: &Console, words: &[&str]) {
    let text = console.text();
    for words in words {
        assert!(text.contains(words), "{words:?} is missing in\n{text}");
    }
}

fn without(console: &Console, words: &[&str]) {
    let text = console.text();
    for words in words {
        assert!(!text.contains(words), "{words:?} is there in\n{text}");
    }
}

fn clocks(console: &Console) -> Vec<Sub> {
    ward::ui::subs::subs(&console.model).into_iter().filter(|sub| matches!(sub, Sub::Clock(_))).collect()
}

/// Nothing that is asked for now is answered.
fn unreached(console: &mut Console) {
    for (ticket, _) in std::mem::take(&mut console.waiting) {
        console.tell(Msg::Replied(ticket, Err(Problem::new("AWS could not be reached").retry())));
    }
}

fn event(id: i64, previous: i64, kind: &str, details: serde_json::Value) -> HistoryEvent {
    HistoryEvent { id, previous, at: ago(30 - id), kind: kind.into(), details }
}

fn token(id: i64, previous: i64, token: &str) -> HistoryEvent {
    let parameters = json!({"QueueUrl": "q", "MessageBody": {"token": token}}).to_string();
    let details = json!({
        "resourceType": "sqs", "resource": "sendMessage.waitForTaskToken", "parameters": parameters,
    });
    event(id, previous, "TaskScheduled", details)
}

/// A Parallel whose second branch waits for an answer, and whose first will, after a wait.
fn two_that_wait() -> (Console, String) {
    let mut answers = Answers::sample();
    let arn = execution_arn(RUNNING);
    let task = json!({
        "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "End": true,
        "Parameters": {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}},
    });
    let definition = json!({"StartAt": "Both", "States": {"Both": {"Type": "Parallel", "End": true, "Branches": [
        {"StartAt": "Pause", "States": {
            "Pause": {"Type": "Wait", "Seconds": 8, "Next": "DeleteEverything"}, "DeleteEverything": task,
        }},
        {"StartAt": "Approve", "States": {"Approve": task}},
    ]}}});
    answers.definition = Some(definition.to_string());
    let named = |name: &str| json!({"name": name, "input": "{}"});
    let events = vec![
        event(1, 0, "ExecutionStarted", json!({"input": "{}"})),
        event(2, 1, "ParallelStateEntered", named("Both")),
        event(3, 2, "ParallelStateStarted", json!({})),
        event(4, 3, "WaitStateEntered", named("Pause")),
        event(5, 3, "TaskStateEntered", named("Approve")),
        token(6, 5, "token-of-approve"),
        event(7, 6, "TaskStarted", json!({})),
        event(8, 7, "TaskSubmitted", json!({"output": "{}"})),
    ];
    answers.histories.insert(arn.clone(), events);
    (Console::with(&format!("workflows/{arn}"), WIDE, answers), arn)
}

#[test]
fn an_answer_goes_to_the_task_that_was_asked_about() {
    let (mut console, arn) = two_that_wait();
    see(&console, &["following", "a answers it", "▌◐ Approve"]);
    console.press("a");
    see(&console, &["Answer Approve"]);
    // While the question is open, the other branch comes to its task, and following moves on to that.
    let events = vec![
        event(9, 4, "WaitStateExited", json!({"name": "Pause", "output": "{}"})),
        event(10, 9, "TaskStateEntered", json!({"name": "DeleteEverything", "input": "{}"})),
        token(11, 10, "token-of-delete"),
        event(12, 11, "TaskStarted", json!({})),
        event(13, 12, "TaskSubmitted", json!({"output": "{}"})),
    ];
    console.tell(Msg::Happened(Happening::Events(arn, events)));
    assert_eq!(
        console.model.workflows.run.as_ref().and_then(|run| run.state.as_deref()),
        Some("DeleteEverything"),
        "the selection has moved"
    );
    // What is no answer asks again, and keeps the task.
    console.press("<ctrl-u>oops<enter>");
    see(&console, &["Not JSON", "Answer Approve"]);
    console.press("<ctrl-u>{ \"n\": 1.10 }");
    console.hit("<enter>");
    let sent = Request::SendTaskSuccess { token: "token-of-approve".into(), output: r#"{"n":1.10}"#.into() };
    assert!(console.asked().contains(&sent), "{:?}", console.asked());
}

/// Who else starts something is seen without asking for it, though nothing in the list runs.
#[test]
fn a_list_in_which_nothing_runs_looks_for_news() {
    let mut answers = Answers::sample();
    answers.executions.retain(|execution| execution.status.is_over());
    let mut console = Console::with(&format!("workflows/{MACHINE}"), WIDE, answers);
    let lists = |console: &Console| {
        console.asked().iter().any(|request| matches!(request, Request::Executions { .. }))
    };
    console.tell(Msg::Ticked(now() + TimeDelta::seconds(4)));
    assert!(!lists(&console));
    console.tell(Msg::Ticked(now() + TimeDelta::seconds(11)));
    assert!(lists(&console));
    assert_eq!(clocks(&console), [Sub::Clock(5_000)]);
    unreached(&mut console);
    assert_eq!(console.model.note, Some(("AWS could not be reached".into(), true)));
    console.tell(Msg::Ticked(now() + TimeDelta::seconds(20)));
    assert!(!lists(&console), "it failed 9 s ago");
    // What failed stays said while it is asked for again, and no longer.
    console.tell(Msg::Ticked(now() + TimeDelta::seconds(22)));
    assert!(lists(&console));
    see(&console, &["AWS could not be reached", "as known"]);
    console.settle();
    without(&console, &["AWS could not be reached", "as known"]);
}

/// The first screen may be in front all day: what failed meanwhile is on it, and a request that failed is
/// made again, though not at once.
#[test]
fn the_overview_looks_for_news() {
    let mut answers = Answers::sample();
    answers.executions.retain(|execution| execution.status.is_over());
    let mut console = Console::with("overview", WIDE, answers);
    let asks = |console: &Console| {
        let asked = console.asked();
        let runs = asked.iter().filter(|request| matches!(request, Request::Executions { .. })).count();
        let queries = asked.iter().filter(|request| matches!(request, Request::Queries { .. })).count();
        (runs, queries)
    };
    assert_eq!(clocks(&console), [Sub::Clock(30_000)]);
    console.tell(Msg::Ticked(now() + TimeDelta::seconds(19)));
    assert_eq!(asks(&console), (0, 0));
    console.tell(Msg::Ticked(now() + TimeDelta::seconds(30)));
    assert_eq!(asks(&console), (1, 1));
    // While the answers are on their way nothing is asked twice.
    console.tell(Msg::Ticked(now() + TimeDelta::seconds(60)));
    assert_eq!(asks(&console), (1, 1));

    let failed = console.answers.executions.iter().find(|run| run.status == Status::Failed).cloned();
    let new = Execution { name: "by-somebody".into(), ..failed.expect("one that failed") };
    console.answers.executions.insert(0, new);
    without(&console, &["by-somebody"]);
    console.settle();
    see(&console, &["by-somebody"]);

    console.tell(Msg::Ticked(now() + TimeDelta::seconds(80)));
    unreached(&mut console);
    see(&console, &["AWS could not be reached", "by-somebody"]);
    console.tell(Msg::Ticked(now() + TimeDelta::seconds(99)));
    assert_eq!(asks(&console), (0, 0));
    console.tell(Msg::Ticked(now() + TimeDelta::seconds(100)));
    assert_eq!(asks(&console), (1, 1));
    assert_eq!(console.model.note, Some(("AWS could not be reached".into(), true)));
    console.settle();
    assert_eq!(console.model.note, None, "it is over");
    // The records are read when somebody asks for it, and how long ago that was is said.
    see(&console, &["read 1 m ago: r reads again"]);
}

/// What failed with the first requests comes with the first answer, the records too, without a key.
#[test]
fn screens_fill_themselves_once_there_is_an_answer() {
    for place in ["overview", "facilities"] {
        let mut console = Console::with(place, WIDE, Answers::failing());
        let records = |console: &Console| {
            console.asked().iter().any(|request| matches!(request, Request::Facilities { .. }))
        };
        see(&console, &["The local cloud cannot be reached"]);
        console.tell(Msg::Ticked(now() + TimeDelta::seconds(9)));
        assert!(!records(&console), "it failed 9 s ago");
        console.tell(Msg::Ticked(now() + TimeDelta::seconds(30)));
        assert!(records(&console));
        console.settle();
        see(&console, &["The local cloud cannot be reached"]);

        console.answers = Answers::sample();
        console.tell(Msg::Ticked(now() + TimeDelta::seconds(60)));
        console.settle();
        without(&console, &["cannot be reached"]);
        assert_eq!(console.model.world.facilities.value(), Some(&console.answers.facilities));
        assert_eq!(console.model.note, None);
        // Records that are here stay until somebody asks for newer ones.
        console.tell(Msg::Ticked(now() + TimeDelta::seconds(600)));
        assert!(!records(&console));
    }
}

/// Midnight comes to a screen on which nothing moves, and each accreditation has a day less.
#[test]
fn the_date_goes_on_with_the_clock() {
    let mut setup = setup();
    setup.as_of_chosen = false;
    let mut console = Console::of("facilities", WIDE, setup);
    see(&console, &["as of 2026-01-01", "2026-01-03      2"]);
    assert_eq!(clocks(&console), [Sub::Clock(30_000)]);
    console.tell(Msg::Ticked(now() + TimeDelta::days(1)));
    console.settle();
    see(&console, &["as of 2026-01-02", "2026-01-03      1"]);
}

/// The history of queries looks for news while it is in front: others start queries too.
#[test]
fn the_history_of_queries_looks_for_news() {
    let mut answers = Answers::sample();
    answers.queries.retain(|query| query.state.is_over());
    let mut console = Console::with("queries", WIDE, answers);
    let asks = |console: &Console| {
        console.asked().iter().filter(|request| matches!(request, Request::Queries { .. })).count()
    };
    assert_eq!(clocks(&console), [Sub::Clock(30_000)], "the saved queries are in front");
    console.tell(Msg::Ticked(now() + TimeDelta::seconds(11)));
    assert_eq!(asks(&console), 0);
    console.press("vj");
    assert_eq!(clocks(&console), [Sub::Clock(5_000)]);
    see(&console, &["▌ ✖ failed"]);
    console.tell(Msg::Ticked(now() + TimeDelta::seconds(11)));
    assert_eq!(asks(&console), 1);

    let new = Query {
        id: "q-0009".into(),
        sql: "SELECT 'by somebody'".into(),
        ..console.answers.queries[0].clone()
    };
    console.answers.queries.insert(0, new);
    without(&console, &["by somebody"]);
    console.settle();
    see(&console, &["by somebody", "▌ ✖ failed"]);

    console.tell(Msg::Ticked(now() + TimeDelta::seconds(22)));
    unreached(&mut console);
    see(&console, &["AWS could not be reached", "as known"]);
    console.tell(Msg::Ticked(now() + TimeDelta::seconds(33)));
    assert_eq!(asks(&console), 1);
    see(&console, &["AWS could not be reached", "as known"]);
    console.settle();
    without(&console, &["AWS could not be reached", "as known"]);
}

#[test]
fn without_motion_no_clock_ticks_more_than_once_a_second() {
    let calm = |answers: Answers| {
        let mut console = Console::with("overview", WIDE, answers);
        console.model.world.reduced_motion = true;
        clocks(&console)
    };
    assert_eq!(calm(Answers::sample()), [Sub::Clock(1000)], "one runs");
    let mut answers = Answers::sample();
    answers.executions.retain(|execution| execution.status.is_over());
    assert_eq!(calm(answers), [Sub::Clock(30_000)]);
}

/// What is asked for in vain is not "followed"; the first answer, though it brings nothing, is one.
#[test]
fn a_run_without_an_answer_does_not_claim_to_be_followed() {
    for size in [SMALL, WIDE] {
        let (mut console, arn) = two_that_wait();
        console.tell(Msg::Resized { width: size.0, height: size.1 });
        see(&console, &["following"]);
        let problem = Problem::new("AWS could not be reached").hint("Check the network").retry();
        let sub = Sub::Execution(arn.clone());
        console.tell(Msg::Happened(Happening::Interrupted(sub, problem)));
        see(&console, &["no answer", "No answer since 15:04:11", "AWS could not be reached"]);
        without(&console, &["following"]);
        assert_eq!(console.model.note, Some(("AWS could not be reached".into(), true)));
        console.tell(Msg::Happened(Happening::Events(arn, Vec::new())));
        see(&console, &["following"]);
        without(&console, &["No answer since"]);
        assert_eq!(console.model.note, None, "it is over");
    }
}

#[test]
fn on_the_machines_nothing_is_done_to_executions_out_of_sight() {
    let mut answers = Answers::sample();
    let other = MACHINE.replace("HealthcarePipelineStateMachine", "Other");
    answers.machines.push(Machine { arn: other, name: "Other".into(), express: false, created: None });
    let mut console = Console::with("workflows", WIDE, answers);
    see(&console, &[RUNNING]);
    console.press("<esc>");
    see(&console, &["State machines", "Other"]);
    for key in ["A", "X", "w"] {
        console.hit(key);
        let starts = |request: &Request| matches!(request, Request::StartExecution { .. });
        assert!(!console.asked().iter().any(starts), "{key}: {:?}", console.asked());
        assert!(console.model.overlay.is_none(), "{key}\n{}", console.text());
        assert!(console.model.workflows.board.watching().next().is_none(), "{key}");
        see(&console, &["enter lists those of this state machine"]);
    }
}

/// Three executions that run, the longest first.
fn three() -> Answers {
    let mut answers = Answers::sample();
    let running = answers.executions[0].clone();
    let history = answers.histories[&running.arn].clone();
    answers.executions.retain(|run| run.status.is_over());
    for (seconds, name) in [(90, "A-short"), (60, "B-mine"), (30, "C-other")] {
        let run = Execution {
            arn: execution_arn(name),
            name: name.into(),
            started: now() - TimeDelta::seconds(seconds),
            ..running.clone()
        };
        answers.histories.insert(run.arn.clone(), history.clone());
        answers.executions.push(run);
    }
    answers
}

#[test]
fn a_stop_on_the_board_reaches_the_row_it_was_asked_for() {
    let mut console = Console::with("workflows/board", WIDE, three());
    console.press("jX");
    see(&console, &["Stop B-mine: why?"]);
    let short = execution_arn("A-short");
    let end = console.next_event(&short, "ExecutionSucceeded", json!({"output": "{}"}));
    console.tell(Msg::Happened(Happening::Events(short, vec![end])));
    console.press("<enter>");
    see(&console, &["Stop this execution?", "B-mine", "of HealthcarePipelineStateMachine"]);
    console.hit("y");
    let stops =
        |request: &Request| matches!(request, Request::StopExecution { arn, .. } if arn.ends_with(":B-mine"));
    assert!(console.asked().iter().any(stops), "{:?}", console.asked());
}

#[test]
fn the_cursor_of_the_board_stays_on_its_execution() {
    let mut console = Console::with("workflows/board", WIDE, three());
    see(&console, &["▌ HealthcarePipelineStateMachine", "3 in 1 state machine"]);
    let selected = |console: &Console| console.model.workflows.board.selected();
    assert_eq!(selected(&console), Some(execution_arn("A-short")));
    console.press("j");
    for (gone, stays) in [("A-short", "B-mine"), ("B-mine", "C-other")] {
        let arn = execution_arn(gone);
        let end = console.next_event(&arn, "ExecutionSucceeded", json!({"output": "{}"}));
        console.tell(Msg::Happened(Happening::Events(arn, vec![end])));
        assert_eq!(selected(&console), Some(execution_arn(stays)), "after {gone}");
    }
    // One that has run for longer comes in above it.
    let mut answers = three();
    let long = Execution {
        arn: execution_arn("long"),
        name: "long".into(),
        started: now() - TimeDelta::hours(1),
        ..answers.executions.last().unwrap().clone()
    };
    answers.executions.push(long);
    answers.executions.retain(|run| !matches!(run.name.as_str(), "A-short" | "B-mine"));
    console.answers = answers;
    console.press("r");
    see(&console, &["long"]);
    assert_eq!(selected(&console), Some(execution_arn("C-other")));
}

/// One execution that runs since an hour, and so many that are over since, in pages of so many.
fn paged(short: usize, page: usize) -> Answers {
    let mut answers = Answers::sample();
    let old = answers.executions[0].clone();
    let over = answers.executions[1].clone();
    let (started, stopped) = (ago(60), Some(ago(59)));
    answers.executions = (0..short)
        .map(|i| {
            let name = format!("short-{i:03}");
            Execution { arn: execution_arn(&name), name, started, stopped, ..over.clone() }
        })
        .collect();
    let name = "old-running".to_owned();
    answers.executions.push(Execution { arn: execution_arn(&name), name, started: ago(3_600), ..old });
    answers.page = page;
    answers
}

#[test]
fn what_runs_beyond_the_newest_page_is_counted() {
    let console = Console::with("workflows", WIDE, paged(130, 100));
    see(&console, &["1 running", "100+ succeeded"]);
    let console = Console::with("workflows/machines", WIDE, paged(130, 100));
    let row = console.text().lines().find(|line| line.contains("standard")).unwrap_or_default().to_owned();
    let numbers: Vec<&str> = row.split("standard").nth(1).unwrap_or_default().split_whitespace().collect();
    assert_eq!(numbers[..3], ["1", "0+", "100+"], "{row}");
}

/// A count that was not told yet says that there may be more.
#[test]
fn until_it_is_known_what_runs_there_may_be_more() {
    let mut console = Console::loading("workflows", WIDE, setup());
    console.answers = paged(130, 100);
    while let Some(at) =
        console.waiting.iter().position(|(_, work)| !format!("{work:?}").contains("status: Some(Running)"))
    {
        let (ticket, work) = console.waiting.remove(at);
        let answer = console.answer(&work);
        console.tell(Msg::Replied(ticket, answer));
    }
    see(&console, &["0+ running"]);
}

#[test]
fn a_row_of_an_older_page_that_has_ended_says_so() {
    let mut console = Console::with("workflows", WIDE, paged(130, 100));
    console.press("GG");
    see(&console, &["old-running", "◐ running"]);
    let old = console.answers.executions.last_mut().unwrap();
    (old.status, old.stopped) = (Status::Aborted, Some(now()));
    console.press("r");
    see(&console, &["old-running", "■ aborted", "0 running"]);
    without(&console, &["◐ running"]);
    assert!(!console.model.workflows.lists.any_running(), "nothing is left to poll for");
}

/// All of them began in one millisecond, that of the end of the newest page included.
#[test]
fn refreshing_loses_and_doubles_none_of_one_millisecond() {
    let mut console = Console::with("workflows", WIDE, paged(149, 100));
    console.press("GG");
    let count = |console: &Console| console.model.workflows.lists.executions.value().map(Vec::len);
    assert_eq!(count(&console), Some(150));
    console.press("r");
    assert_eq!(count(&console), Some(150));
    // Another one comes: the page ends elsewhere.
    let newest = Execution {
        arn: execution_arn("newest"),
        name: "newest".into(),
        started: ago(1),
        ..console.answers.executions[0].clone()
    };
    console.answers.executions.insert(0, newest);
    console.press("r");
    assert_eq!(count(&console), Some(151));
}

/// Two states that call two functions.
#[test]
fn each_state_shows_the_log_of_its_own_function() {
    let mut answers = Answers::sample();
    let arn = answers.executions[1].arn.clone();
    let task = |next: serde_json::Value| {
        let mut task = json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke"});
        task.as_object_mut().unwrap().extend(next.as_object().unwrap().clone());
        task
    };
    let states = json!({"FA": task(json!({"Next": "FB"})), "FB": task(json!({"End": true}))});
    answers.definition = Some(json!({"StartAt": "FA", "States": states}).to_string());
    let mut events = vec![event(1, 0, "ExecutionStarted", json!({"input": "{}"}))];
    for (state, function) in [("FA", "fa"), ("FB", "fb")] {
        let parameters = json!({"FunctionName": function}).to_string();
        let details = [
            ("TaskStateEntered", json!({"name": state, "input": "{}"})),
            (
                "TaskScheduled",
                json!({"resourceType": "lambda", "resource": "invoke", "parameters": parameters}),
            ),
            ("TaskStarted", json!({"resourceType": "lambda", "resource": "invoke"})),
            ("TaskSucceeded", json!({"resourceType": "lambda", "resource": "invoke", "output": "{}"})),
            ("TaskStateExited", json!({"name": state, "output": "{}"})),
        ];
        for (kind, details) in details {
            let last = events.len() as i64;
            events.push(event(last + 1, last, kind, details));
        }
        let line = LogLine {
            id: function.into(),
            at: ago(20),
            stream: "s".into(),
            text: format!("I am {function} of the run"),
        };
        answers.lines.insert(format!("/aws/lambda/{function}"), vec![line]);
    }
    events.push(event(12, 11, "ExecutionSucceeded", json!({"output": "{}"})));
    answers.histories.insert(arn.clone(), events);
    let mut console = Console::with(&format!("workflows/{arn}"), WIDE, answers);
    console.press("gg<tab>");
    for _ in 0..8 {
        if console.text().contains("I am fa") {
            break;
        }
        console.press("l");
    }
    see(&console, &["I am fa"]);
    console.press("<tab>j");
    see(&console, &["I am fb"]);
    without(&console, &["I am fa"]);
    console.press("k");
    see(&console, &["I am fa"]);
}

#[test]
fn a_read_only_session_is_without_what_changes_something() {
    let read_only = || Setup { read_only: true, ..setup() };
    let mut console = Console::of("workflows", WIDE, read_only());
    let keys = |console: &Console| console.text().lines().last().unwrap_or_default().to_owned();
    assert!(!keys(&console).contains("start") && keys(&console).contains("filter"), "{}", keys(&console));
    for key in ["R", "A", "X"] {
        console.hit(key);
        assert!(console.model.overlay.is_none(), "{key}\n{}", console.text());
        see(&console, &[RUNNING, "Read-only: no "]);
    }
    console.press("?");
    without(
        &console,
        &["Start an execution", "Start again with the same input", "Stop the execution", "Redrive"],
    );
    console.press("<esc>:");
    without(&console, &["Start an execution", "Stop the execution"]);
    console.press("<esc>");
    // A failed execution has no redrive, and a waiting task no answer.
    let failed = format!("workflows/{}", execution_arn("run-20251231-210000-118"));
    let console = Console::of(&failed, SMALL, read_only());
    assert!(!keys(&console).contains("redrive") && !keys(&console).contains("again"), "{}", keys(&console));
    assert!(keys(&console).contains("copy report"), "{}", keys(&console));
    let mut empty = Console::loading("workflows", SMALL, read_only());
    empty.answers.executions.clear();
    empty.settle();
    see(&empty, &["No execution yet"]);
    without(&empty, &["starts one"]);
}

#[test]
fn what_is_searched_for_shows_in_the_inspector_when_that_is_alone() {
    let mut console = Console::at(&format!("workflows/{}", execution_arn("run-20260101-090000-217")), SMALL);
    console.press("<tab>");
    console.hit("/query");
    see(&console, &["/ query", "enter accept"]);
    console.press("<enter>");
    see(&console, &["/ query"]);
    console.press("/<esc>");
    without(&console, &["/ query"]);
}

/// Numbers that no float holds, and a member that occurs twice: as they arrived, wherever they are shown.
#[test]
fn json_is_shown_and_copied_as_it_arrived() {
    const ODD: &str = r#"{"big":12345678901234567890123,"f":1.10,"dup":1,"dup":2}"#;
    let mut answers = Answers::sample();
    let arn = answers.executions[1].arn.clone();
    answers.definition = Some(format!(
        r#"{{"StartAt": "P", "States": {{"P": {{"Type": "Pass", "Result": {ODD}, "End": true}}}}}}"#
    ));
    let events = vec![
        event(1, 0, "ExecutionStarted", json!({"input": ODD})),
        event(2, 1, "PassStateEntered", json!({"name": "P", "input": ODD})),
        event(3, 2, "PassStateExited", json!({"name": "P", "output": ODD})),
        event(4, 3, "ExecutionSucceeded", json!({"output": ODD})),
    ];
    answers.histories.insert(arn.clone(), events);
    let mut console = Console::with(&format!("workflows/{arn}"), WIDE, answers);
    let members = ["\"big\": 12345678901234567890123", "\"f\": 1.10", "\"dup\": 1", "\"dup\": 2"];
    see(&console, &members);
    console.press("<tab>");
    for _ in 0..5 {
        if console.text().contains("\"Result\"") {
            break;
        }
        console.press("l");
    }
    see(&console, &["\"Result\""]);
    see(&console, &members);
    console.press("<tab>vv");
    see(&console, &["ExecutionSucceeded"]);
    see(&console, &members);
    console.press("R");
    see(&console, &members);
    console.hit("<ctrl-e>");
    let sent = |request: &Request| matches!(request, Request::StartExecution { input, .. } if input == ODD);
    assert!(console.asked().iter().any(sent), "{:?}", console.asked());
}

#[test]
fn an_alias_keeps_the_name_of_its_machine() {
    let mut console = Console::at(&format!("workflows/{MACHINE}:live"), WIDE);
    see(&console, &["HealthcarePipelineStateMachine:live"]);
    console.press("R");
    see(&console, &["Start HealthcarePipelineStateMachine:live"]);
}

#[test]
fn what_is_wrong_with_a_name_stands_beside_the_name() {
    let mut console = Console::with(&format!("workflows/{MACHINE}"), WIDE, Answers::sample());
    console.press("R<tab>a b");
    let text = console.text();
    let line =
        |begin: &str| text.lines().find(|line| line.trim_start().starts_with(begin)).unwrap_or_default();
    assert!(line("Name").contains("✖ A name has no ' '"), "{text}");
    assert!(line("Input").contains("✔ JSON"), "{text}");
    console.press("<ctrl-e>");
    assert!(!console.asked().iter().any(|request| matches!(request, Request::StartExecution { .. })));
}
