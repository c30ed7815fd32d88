//! Histories, however they arrive: whole, event by event, shuffled within pages, with duplicates, cut off
//! anywhere. The picture is the same, agrees with what the events say, and can be drawn.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use ward::domain::execution::{Definition, HistoryEvent, Status};
use ward::domain::timeline::{Standing, Timeline};
use ward::ui::effect::{Reply, Request};
use ward::ui::msg::{Happening, Msg};
use ward::ui::subs::Sub;
use ward::ui::theme::Theme;
use ward::ui::world::Setup;

use crate::support::console::{Console, Work, setup};
use crate::support::histories::{History, own, recorded};

const ARN: &str = "arn:aws:states:us-east-1:000000000000:execution:Machine:run";

fn folded(events: &[HistoryEvent]) -> Timeline {
    let mut timeline = Timeline::new();
    timeline.extend(events);
    timeline
}

fn every_history() -> Vec<History> {
    let mut all = own();
    assert!(all.len() >= 8, "the histories are there");
    if let Some(more) = recorded() {
        println!("with {} recordings", more.len());
        all.extend(more);
    }
    all
}

/// Pages of some size in order, each page shuffled, some events delivered twice.
fn disturbed(events: &[HistoryEvent], random: &mut ChaCha8Rng) -> Vec<Vec<HistoryEvent>> {
    let size = 1 + (random.next_u32() as usize % 9);
    let pages = events.chunks(size).map(|page| {
        let mut page = page.to_vec();
        for at in 0..page.len() {
            let other = random.next_u32() as usize % page.len();
            page.swap(at, other);
            if random.next_u32().is_multiple_of(4) {
                page.push(page[at].clone());
            }
        }
        page
    });
    let mut pages: Vec<_> = pages.collect();
    // Newest first is how a follower reads.
    if random.next_u32().is_multiple_of(2) {
        pages.reverse();
    }
    pages
}

#[test]
fn the_order_of_arrival_changes_nothing() {
    for history in every_history() {
        let whole = folded(&history.events);
        let mut single = Timeline::new();
        for event in &history.events {
            single.apply(event);
        }
        assert!(single == whole, "{}: event by event", history.name);
        let mut random = ChaCha8Rng::seed_from_u64(7);
        for round in 0..8 {
            let mut timeline = Timeline::new();
            for page in disturbed(&history.events, &mut random) {
                timeline.extend(&page);
            }
            assert!(timeline == whole, "{}: disturbed, round {round}", history.name);
        }
    }
}

#[test]
fn the_picture_agrees_with_the_events() {
    for history in every_history() {
        agree(&history);
    }
}

fn agree(history: &History) {
    let name = &history.name;
    let timeline = folded(&history.events);
    // The status is what the last event of the execution says.
    let ends = [
        ("ExecutionSucceeded", Status::Succeeded),
        ("ExecutionFailed", Status::Failed),
        ("ExecutionAborted", Status::Aborted),
        ("ExecutionTimedOut", Status::TimedOut),
    ];
    let last = history.events.iter().rfind(|event| event.kind.starts_with("Execution")).unwrap();
    let status =
        ends.iter().find(|(kind, _)| *kind == last.kind).map_or(Status::Running, |(_, status)| *status);
    assert_eq!(timeline.status(), Some(status), "{name}");
    // One visit for each entry, in the order of the events, with its name.
    let entered: Vec<&str> = history
        .events
        .iter()
        .filter(|event| event.kind.ends_with("StateEntered"))
        .map(|event| event.details["name"].as_str().unwrap_or_default())
        .collect();
    let visited: Vec<&str> = timeline.visits().iter().map(|visit| visit.name.as_str()).collect();
    assert_eq!(visited, entered, "{name}");
    let text = |event: &HistoryEvent, member: &str| event.details[member].as_str().map(str::to_owned);
    assert_eq!(timeline.error().map(String::from), text(last, "error"), "{name}");
    if history.masked {
        return;
    }
    // One attempt for each time the work was scheduled.
    let scheduled = ["TaskScheduled", "LambdaFunctionScheduled", "ActivityScheduled"];
    let times = history.events.iter().filter(|event| scheduled.contains(&event.kind.as_str())).count();
    let tasks = timeline.visits().iter().filter(|visit| !visit.kind.is_container());
    let attempts: usize = tasks
        .flat_map(|visit| &visit.attempts)
        .filter(|attempt| {
            let kind = &timeline.event(attempt.event).unwrap().kind;
            scheduled.contains(&kind.as_str())
        })
        .count();
    assert_eq!(attempts, times, "{name}");
    // Every error of a task is known to its attempt.
    for event in &history.events {
        let failed = ["TaskFailed", "TaskTimedOut", "LambdaFunctionFailed", "LambdaFunctionTimedOut"];
        if failed.contains(&event.kind.as_str()) {
            let visit = &timeline.visits()[timeline.owner(event.id).unwrap()];
            let errors: Vec<_> = visit.attempts.iter().map(|attempt| attempt.error.clone()).collect();
            assert!(errors.contains(&text(event, "error")), "{name}: {} in {errors:?}", event.kind);
        }
    }
    // Nothing is open once it is over, and a failure has a first cause.
    if status.is_over() {
        assert!(timeline.visits().iter().all(|visit| visit.exited.is_some()), "{name}");
    }
    assert_eq!(
        timeline.root_cause().is_some(),
        matches!(status, Status::Failed | Status::TimedOut | Status::Aborted)
    );
    // What the file says by hand.
    for (state, standing) in history.expected["states"].as_object().into_iter().flatten() {
        assert_eq!(timeline.now(state).standing.word(), standing.as_str().unwrap(), "{name}: {state}");
    }
    if let Some(status) = history.expected["status"].as_str() {
        assert_eq!(timeline.status().map(Status::as_str), Some(status), "{name}");
    }
    if let Some(cause) = history.expected["cause"].as_str() {
        assert_eq!(timeline.root_cause().map(|cause| cause.state.as_str()), Some(cause), "{name}");
    }
}

#[test]
fn every_event_type_of_the_service_is_covered() {
    let known: std::collections::BTreeSet<String> =
        own().into_iter().flat_map(|history| history.events).map(|event| event.kind).collect();
    // HistoryEventType of the Step Functions API reference.
    let types = include_str!("../cases/histories/types.txt").lines().map(str::trim);
    let missing: Vec<&str> = types.filter(|kind| !kind.is_empty() && !known.contains(*kind)).collect();
    assert!(missing.is_empty(), "no history of ours has {missing:?}");
}

/// A console at a running execution of this definition, which has told nothing yet.
fn console(size: (u16, u16), ascii: bool, definition: Option<&serde_json::Value>) -> Console {
    let setup = Setup { ascii, theme: Theme::named("mono"), ..setup() };
    let mut console = Console::loading(&format!("workflows/{ARN}"), size, setup);
    let asked = console.waiting.iter().find_map(|(ticket, work)| match work {
        Work::Ask(Request::DefinitionOf { .. }) => Some(*ticket),
        _ => None,
    });
    if let (Some(ticket), Some(definition)) = (asked, definition) {
        let definition = Definition {
            machine_arn: "arn:aws:states:us-east-1:000000000000:stateMachine:Machine".into(),
            text: definition.to_string(),
            role_arn: None,
            revision: None,
            log_group: None,
        };
        console.tell(Msg::Replied(ticket, Ok(Reply::Definition(definition))));
    }
    console
}

/// Drawn at two sizes, in all views, while it arrives and at its end: no panic, and the states are there.
#[test]
fn every_history_can_be_drawn() {
    for history in every_history() {
        for (size, ascii) in [((80, 24), false), ((160, 48), true)] {
            let mut console = console(size, ascii, history.definition.as_ref());
            // An empty one, some prefixes, then all of it.
            console.text();
            for page in history.events.chunks((history.events.len() / 6).max(1)) {
                console.tell(Msg::Happened(Happening::Events(ARN.into(), page.to_vec())));
                console.text();
            }
            console.tell(Msg::Happened(Happening::Ended(Sub::Execution(ARN.into()), None)));
            let mut seen = String::new();
            for _ in 0..4 {
                console.hit("vG");
                seen.push_str(&console.text());
                console.hit("gg<tab>ll");
                seen.push_str(&console.text());
                console.hit("<tab>");
                // Where something has items, each view of the first one.
                console.hit("I");
                if console.text().contains("Its number, from 0") {
                    console.hit("0<enter>");
                    seen.push_str(&console.text());
                    console.hit("][I");
                    console.hit("all<enter>");
                }
            }
            let timeline = folded(&history.events);
            // Long names are cut in the middle of a narrow pane.
            let last = timeline.visits().iter().rev().find(|visit| visit.name.len() <= 16);
            if let Some(visit) = last.filter(|visit| visit.standing != Standing::NotReached) {
                assert!(seen.contains(&visit.name), "{} at {size:?} shows {}", history.name, visit.name);
            }
        }
    }
}

#[test]
fn no_prefix_is_too_short() {
    for history in every_history() {
        for upto in 0..history.events.len() {
            let timeline = folded(&history.events[..upto]);
            let _ = (timeline.root_cause(), timeline.current(), timeline.query_id(None), timeline.parent());
            for (i, visit) in timeline.visits().iter().enumerate() {
                let _ = (
                    timeline.variables(visit),
                    timeline.child(i),
                    timeline.function(i),
                    timeline.is_critical(i),
                );
                let _ = (timeline.now(&visit.name), timeline.output_of(visit), timeline.input_of(visit));
            }
            for event in timeline.events() {
                let _ = timeline.line(event);
            }
        }
    }
}
