//! The board: what runs now, of every state machine, and who is told when one of them ends.

use chrono::TimeDelta;
use serde_json::json;
use ward::domain::execution::{Execution, Machine, Status};
use ward::ui::effect::{Effect, Request};
use ward::ui::msg::{Happening, Msg};
use ward::ui::subs::{Sub, subs};
use ward::ui::world::Setup;

use crate::support::answers::{Answers, MACHINE, execution_arn};
use crate::support::console::{Console, setup};
use crate::support::setup::now;

const WIDE: (u16, u16) = (160, 48);
const RUNNING: &str = "run-20260101-150405-004";

fn see(console: &Console, words: &[&str]) {
    let text = console.text();
    for words in words {
        assert!(text.contains(words), "{words:?} is missing in\n{text}");
    }
}

/// The sample with so many more executions that run, each a second longer than the one before.
fn busy(count: usize) -> Answers {
    let mut answers = Answers::sample();
    let running = answers.executions[0].clone();
    let history = answers.histories[&running.arn].clone();
    for i in 0..count {
        let name = format!("busy-{i:02}");
        let started = now() - TimeDelta::seconds(60 + i as i64);
        let run = Execution { arn: execution_arn(&name), name, started, ..running.clone() };
        answers.histories.insert(run.arn.clone(), history.clone());
        answers.executions.push(run);
    }
    answers
}

fn followed(console: &Console) -> usize {
    subs(&console.model).iter().filter(|sub| matches!(sub, Sub::Execution(_))).count()
}

/// The names in the order of the rows.
fn rows(console: &Console) -> Vec<String> {
    let text = console.text();
    let names = text.lines().flat_map(str::split_whitespace);
    names.filter(|word| word.starts_with("busy-") || *word == RUNNING).map(str::to_owned).collect()
}

#[test]
fn the_board_shows_what_runs_and_watches_it() {
    let mut console = Console::at("workflows", WIDE);
    console.press("b");
    // What waits has the sign of waiting.
    see(&console, &["Running now", "run-20260101-150405-004", "◌ WaitForQueryCompletion"]);
    console.press("w");
    see(&console, &["1 watched"]);
    // It ends while another screen is in front: the bell rings.
    console.press("2");
    let arn = execution_arn("run-20260101-150405-004");
    let end = console.next_event(&arn, "ExecutionSucceeded", serde_json::json!({"output": "{}"}));
    console.tell(Msg::Happened(Happening::Events(arn, vec![end])));
    let told = console
        .done
        .iter()
        .any(|effect| matches!(effect, Effect::Notify(text) if text.contains("succeeded")));
    assert!(told, "{:?}", console.done);
}

#[test]
fn the_longest_comes_first_and_what_ends_leaves() {
    let mut console = Console::with("workflows/board", WIDE, busy(3));
    see(&console, &["Running now", "4 in 1 state machine"]);
    assert_eq!(rows(&console), ["busy-02", "busy-01", "busy-00", RUNNING]);
    let arn = execution_arn("busy-01");
    let end = console.next_event(&arn, "ExecutionSucceeded", json!({"output": "{}"}));
    console.tell(Msg::Happened(Happening::Events(arn, vec![end])));
    assert_eq!(rows(&console), ["busy-02", "busy-00", RUNNING]);
    see(&console, &["3 in 1 state machine"]);
    // Nobody watched it: no bell.
    assert!(!console.done.iter().any(|effect| matches!(effect, Effect::Notify(_))), "{:?}", console.done);
    console.press("<enter>");
    see(&console, &["busy-02", "running"]);
}

#[test]
fn who_watches_hears_why_it_failed() {
    let mut console = Console::with("workflows/board", WIDE, busy(1));
    console.press("w");
    see(&console, &["◆ busy-00", "1 watched"]);
    // Watched twice is not watched.
    console.press("w");
    assert!(!console.text().contains("1 watched"), "{}", console.text());
    console.press("w");
    let arn = execution_arn("busy-00");
    let end = console.next_event(&arn, "ExecutionFailed", json!({"error": "Boom", "cause": "no disk"}));
    console.tell(Msg::Happened(Happening::Events(arn, vec![end])));
    let told: Vec<&str> = console
        .done
        .iter()
        .filter_map(|effect| match effect {
            Effect::Notify(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["ward: busy-00 failed in WaitForQueryCompletion: Boom"]);
}

#[test]
fn who_watches_hears_of_a_stop_that_no_state_is_to_blame_for() {
    let mut console = Console::with("workflows/board", WIDE, busy(1));
    console.press("w");
    let arn = execution_arn("busy-00");
    let end = console.next_event(&arn, "ExecutionAborted", json!({"error": "Stopped", "cause": "by hand"}));
    console.tell(Msg::Happened(Happening::Events(arn, vec![end])));
    let told = Effect::Notify("ward: busy-00 aborted: Stopped".into());
    assert!(console.done.contains(&told), "{:?}", console.done);
}

#[test]
fn calls_are_shared_with_the_whole_account() {
    // What is out of view is not followed, and on AWS no more than eight at once.
    let console = Console::with("workflows/board", WIDE, busy(60));
    let page = followed(&console);
    assert!((20..=50).contains(&page), "{page}");
    assert_eq!(rows(&console).len(), page);
    let setup = Setup { local: false, target: "AWS".into(), ..setup() };
    let mut aws = Console::loading("workflows/board", WIDE, setup);
    aws.answers = busy(60);
    aws.settle();
    assert_eq!(followed(&aws), 8);
    see(&aws, &["not followed: over the limit"]);
}

#[test]
fn express_machines_are_not_asked_and_a_failure_is_in_place() {
    let mut answers = Answers::sample();
    answers.machines.push(Machine {
        arn: MACHINE.replace("HealthcarePipelineStateMachine", "Quick"),
        name: "Quick".into(),
        express: true,
        created: None,
    });
    let mut console = Console::loading("workflows/board", WIDE, setup());
    console.answers = answers;
    console.settle();
    see(&console, &["1 in 1 state machine"]);
    console.hit("r");
    let asked = console.asked();
    let list =
        |machine_arn: String| Request::Executions { machine_arn, status: Some(Status::Running), token: None };
    assert!(asked.contains(&list(MACHINE.into())), "{asked:?}");
    assert!(!asked.iter().any(
        |request| matches!(request, Request::Executions { machine_arn, .. } if machine_arn.contains("Quick"))
    ));
    console.answers = Answers::failing();
    console.settle();
    see(&console, &["The local cloud cannot be reached", RUNNING]);
    let nothing =
        Console::with("workflows/board", WIDE, Answers { executions: Vec::new(), ..Answers::sample() });
    see(&nothing, &["Nothing runs now; this list fills by itself"]);
}

/// A state machine that is made while the board is in front joins it, one that is deleted leaves it.
#[test]
fn machines_come_and_go_while_the_board_is_in_front() {
    let mut console = Console::with("workflows/board", WIDE, busy(0));
    see(&console, &["1 in 1 state machine"]);
    let arn = MACHINE.replace("HealthcarePipelineStateMachine", "Other");
    console.answers.machines.push(Machine { arn, name: "Other".into(), express: false, created: None });
    let later = console.model.world.now + TimeDelta::seconds(31);
    console.tell(Msg::Ticked(later));
    console.settle();
    see(&console, &["in 2 state machines"]);
    console.answers.machines.truncate(1);
    console.tell(Msg::Ticked(later + TimeDelta::seconds(1)));
    console.press("r");
    see(&console, &["1 in 1 state machine"]);
}

/// Before its first event one is asked for, and not "over the limit".
#[test]
fn what_is_followed_says_so_from_the_first_frame() {
    let mut console = Console::with("workflows/board", WIDE, busy(60));
    console.answers.histories.clear();
    let (arn, name) = (execution_arn("fresh"), "fresh".to_owned());
    let started = now() - TimeDelta::days(1);
    let one = Execution { arn, name, started, ..console.answers.executions[0].clone() };
    console.answers.executions.push(one);
    console.hit("r");
    while let Some((ticket, work)) = (!console.waiting.is_empty()).then(|| console.waiting.remove(0)) {
        let answer = console.answer(&work);
        console.tell(Msg::Replied(ticket, answer));
    }
    let text = console.text();
    let line = text.lines().find(|line| line.contains("fresh")).expect("its row");
    assert!(line.contains("asking") && !line.contains("limit"), "{line}");
}
