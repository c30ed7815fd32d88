//! Express executions: no history, no list, only what they log.

use ward::domain::execution::Machine;
use ward::domain::log::LogLine;
use ward::domain::problem::Problem;
use ward::ui::effect::{Reply, Request};
use ward::ui::msg::Msg;

use crate::support::answers::{Answers, MACHINE, ago};
use crate::support::console::Console;

const WIDE: (u16, u16) = (160, 48);
const GROUP: &str = "/aws/vendedlogs/states/Quick";

fn machine() -> String {
    MACHINE.replace("HealthcarePipelineStateMachine", "Quick")
}

/// `arn:…:express:Quick:<name>:<id>`
fn arn(name: &str) -> String {
    format!("{}:{name}:1b914a31-4b80:ab", machine().replace(":stateMachine:", ":express:"))
}

/// What an execution of one Fail state logs, its first `count` events.
fn lines(name: &str, count: usize) -> Vec<LogLine> {
    let rows = [
        ("ExecutionStarted", r#"{"input": "{}"}"#),
        ("FailStateEntered", r#"{"name": "Bad", "input": "{}"}"#),
        ("ExecutionFailed", r#"{"error": "E", "cause": "said so"}"#),
    ];
    let arn = arn(name);
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
    rows.iter().take(count).enumerate().map(line).collect()
}

/// An account with an express machine; `log` is what its log group holds, if it has one.
fn account(log: Option<Vec<LogLine>>) -> Answers {
    let mut answers = Answers::sample();
    answers.machines.push(Machine { arn: machine(), name: "Quick".into(), express: true, created: None });
    answers.definition =
        Some(r#"{"StartAt": "Bad", "States": {"Bad": {"Type": "Fail", "Error": "E"}}}"#.to_owned());
    answers.lines.extend(log.map(|lines| (GROUP.to_owned(), lines)));
    answers
}

fn see(console: &Console, words: &[&str]) {
    let text = console.text();
    for words in words {
        assert!(text.contains(words), "{words:?} is missing in\n{text}");
    }
}

/// AWS refuses GetExecutionHistory and DescribeExecution for it: neither is asked.
fn refused(console: &Console) -> bool {
    let asks = |request: &Request| {
        matches!(request, Request::Execution { arn } if arn.contains(":express:"))
            || matches!(request, Request::DefinitionOf { .. } | Request::History { .. })
    };
    let follows = ward::ui::subs::subs(&console.model)
        .iter()
        .any(|sub| matches!(sub, ward::ui::subs::Sub::Execution(arn) if arn.contains(":express:")));
    follows || console.asked().iter().any(asks) || !console.model.world.problems.is_empty()
}

#[test]
fn an_express_execution_opens_by_its_arn_with_what_it_logged() {
    let console = Console::with(&format!("workflows/{}", arn("one")), WIDE, account(Some(lines("one", 3))));
    see(&console, &["Quick / one   ✖ failed", "Express, without a history", GROUP, "Bad: E", "said so"]);
    assert!(!refused(&console));
}

#[test]
fn its_log_is_read_until_it_tells_the_end() {
    let place = format!("workflows/{}", arn("one"));
    let mut console = Console::with(&place, WIDE, account(Some(lines("another", 3))));
    see(&console, &["Express executions have no history: what it logs to", "Nothing of it is there yet"]);
    let later = |console: &mut Console, seconds: i64| {
        let now = console.model.world.now + chrono::TimeDelta::seconds(seconds);
        console.tell(Msg::Ticked(now));
        console.settle();
    };
    console.answers.lines.insert(GROUP.into(), lines("one", 2));
    later(&mut console, 2);
    see(&console, &["Quick / one   ◐ running", "✖ Bad"]);
    // Each event is told once however often it is read, and the end is the end.
    console.answers.lines.insert(GROUP.into(), lines("one", 3));
    later(&mut console, 2);
    see(&console, &["Quick / one   ✖ failed"]);
    later(&mut console, 2);
    assert!(console.waiting.is_empty() && !refused(&console), "{:?}", console.waiting);
}

#[test]
fn looking_for_it_ends_and_says_so() {
    let place = format!("workflows/{}", arn("one"));
    let mut console = Console::with(&place, WIDE, account(Some(Vec::new())));
    let now = console.model.world.now + chrono::TimeDelta::minutes(7);
    console.tell(Msg::Ticked(now));
    see(&console, &["nothing of this one is in", "r looks again"]);
    console.answers.lines.insert(GROUP.into(), lines("one", 3));
    console.press("r");
    see(&console, &["✖ failed"]);
}

#[test]
fn a_machine_without_a_log_shows_nothing_of_it_and_a_failure_is_in_place() {
    let place = format!("workflows/{}", arn("one"));
    let console = Console::with(&place, WIDE, account(None));
    see(&console, &["Express executions have no history, and this state machine logs nothing"]);
    let mut console = Console::with(&place, WIDE, account(Some(Vec::new())));
    console.hit("r");
    let (ticket, _) = console.waiting.remove(0);
    console.tell(Msg::Replied(ticket, Err(Problem::new("FilterLogEvents was refused").hint("Ask for it"))));
    see(&console, &["✖ FilterLogEvents was refused", "→ Ask for it"]);
}

/// The form leads straight to it, and nothing of it is looked for further back.
#[test]
fn a_started_one_is_read_from_now_on() {
    let mut console = Console::with(&format!("workflows/{}", machine()), WIDE, account(Some(Vec::new())));
    console.hit("R<f5>");
    let start = console.waiting.iter().position(|(_, work)| format!("{work:?}").contains("StartExecution"));
    let (ticket, _) = console.waiting.remove(start.expect("it is started"));
    console.waiting.clear();
    console.tell(Msg::Replied(ticket, Ok(Reply::Started(arn("mine")))));
    let (definition, _) = console.waiting.remove(0);
    let reply = console.answers.answer(&Request::Definition { machine_arn: machine() });
    console.tell(Msg::Replied(definition, reply));
    let asked = console.asked();
    let Some(Request::LinesBetween { group, from, pattern, .. }) = asked.first() else { panic!("{asked:?}") };
    assert_eq!((group.as_str(), pattern.as_deref()), (GROUP, Some(format!("\"{}\"", arn("mine")).as_str())));
    assert_eq!((console.model.world.now - *from).num_minutes(), 10);
    assert!(!refused(&console));
    assert_eq!(asked.len(), 1, "{asked:?}");
    console.press("X");
    see(&console, &["Express executions can be neither stopped nor watched"]);
}

#[test]
fn what_its_list_cannot_do_is_said() {
    let mut console =
        Console::with(&format!("workflows/{}", machine()), WIDE, account(Some(lines("one", 3))));
    for (key, why) in [
        ("X", "can be neither stopped nor watched"),
        ("w", "can be neither stopped nor watched"),
        ("A", "are not listed, nor their inputs"),
    ] {
        console.press(key);
        see(&console, &[why]);
    }
    assert!(!refused(&console));
}
