//! From a place, some keys, to what is then on screen: `jj<enter>f`.

use ward::domain::execution::Status;
use ward::ui::effect::{Effect, Request};
use ward::ui::route::Screen;

use crate::support::answers::{Answers, MACHINE, execution_arn};
use crate::support::console::{Console, Work, setup};

/// Where it starts, the keys, what is then on screen.
type Journey = (&'static str, &'static str, &'static [&'static str]);

fn walk(journeys: &[Journey]) {
    for (place, keys, expected) in journeys {
        let mut console = Console::at(place, (120, 40));
        console.press(keys);
        let text = console.text();
        for words in *expected {
            assert!(text.contains(words), "{place} then {keys}: {words:?} is missing in\n{text}");
        }
    }
}

#[test]
fn between_places() {
    walk(&[
        ("overview", "2", &["144 of 250, within 6 months"]),
        ("overview", "4", &["HealthcarePipelineStateMachine", "run-20260101-090000-217"]),
        ("overview", "2<backspace>", &["Latest runs"]),
        ("overview", "2<backspace><alt-right>", &["144 of 250"]),
        ("facilities", "<esc>1<esc>", &["144 of 250"]),
        // What is on the line is what enter opens: the lapsed ones first.
        ("overview", "<enter>", &["tier:lapsed"]),
        ("overview", "j<enter>", &["tier:critical"]),
        ("overview", "<tab><enter>", &["month:2026-01"]),
        ("overview", "<tab><tab><enter>", &["state:"]),
    ]);
}

#[test]
fn overview_opens_a_run() {
    let mut console = Console::at("overview", (120, 40));
    let runs = console.answers.executions.clone();
    for _ in 0..40 {
        console.press("j");
        let selected = console.text().lines().find(|line| line.starts_with(" ▌")).map(str::to_owned);
        if selected.is_some_and(|line| line.contains("0-118")) {
            break;
        }
    }
    console.press("<enter>");
    assert_eq!(console.model.front().route().object, Some(runs[2].arn.clone()));
    // It opens on its root cause.
    assert!(console.text().contains("S3.NoSuchKeyException"), "{}", console.text());
}

#[test]
fn facilities() {
    walk(&[
        ("facilities", "/zzzz", &["None of 250 facilities passes"]),
        ("facilities", "/zzzz<esc>", &["144 of 250"]),
        ("facilities", "F", &["Facilities  250"]),
        ("facilities/FAC004", "<enter>", &["Accreditations", "Services", "raw/FAC004.json"]),
        ("facilities/FAC004", "<enter>J", &["\"facility_id\": \"FAC004\""]),
        ("facilities", "w", &["Expires within", "30 days"]),
        ("facilities", "?", &["Keys of Facilities", "Change the window of expiries"]),
        ("facilities", "?<esc>", &["144 of 250"]),
        ("facilities", "g", &["To the first line", "Times in UTC or local time"]),
    ]);
}

#[test]
fn facilities_as_of_another_day() {
    let mut console = Console::at("facilities", (120, 40));
    console.press("a<ctrl-u>2027-01-01<enter>");
    assert!(console.text().contains("as of 2027-01-01"), "{}", console.text());
    assert!(!console.text().contains("144 of 250"), "{}", console.text());
    console.press("a<ctrl-u>2027-13-01<enter>");
    assert!(console.text().contains("A date reads like 2026-03-01"));
}

#[test]
fn typed_text_is_no_key() {
    let mut console = Console::at("facilities", (120, 40));
    console.press("/q5?!gg");
    assert_eq!(console.model.screen, Screen::Facilities);
    assert!(console.done.is_empty(), "{:?}", console.done);
    assert!(console.text().contains("/ q5?!gg"));
    console.press("<ctrl-z>");
    assert_eq!(console.done, [Effect::Suspend]);
}

#[test]
fn workflows() {
    let failed = format!("workflows/{}", execution_arn("run-20251231-210000-118"));
    let running = format!("workflows/{}", execution_arn("run-20260101-150405-004"));
    let journeys: &[(&str, &str, &[&str])] = &[
        ("workflows", "F", &["failing only", "run-20251231-210000-118"]),
        ("workflows", "/217", &["run-20260101-090000-217"]),
        ("workflows", "jj<enter>", &["CopyResultsToProduction", "S3.NoSuchKeyException"]),
        ("workflows", "<enter>", &["WaitForQueryCompletion", "running"]),
        ("workflows/machines", "<enter>", &["run-20260101-150405-004"]),
        ("workflows", "R", &["Start HealthcarePipelineStateMachine", "JSON"]),
        (&failed, "v", &["Timeline", "CopyResultsToProduction"]),
        (&failed, "vv", &["ExecutionFailed"]),
        (&running, "X", &["Stop this execution?", "n  no"]),
        (&running, "X<enter>", &["running"]),
    ];
    for (place, keys, expected) in journeys {
        let mut console = Console::at(place, (120, 40));
        console.press(keys);
        let text = console.text();
        for words in *expected {
            assert!(text.contains(words), "{place} then {keys}: {words:?} is missing in\n{text}");
        }
    }
}

/// What was sent, newest last.
fn sent(console: &Console) -> Vec<Request> {
    let asked = console.waiting.iter().filter_map(|(_, work)| match work {
        Work::Ask(request) => Some(request.clone()),
        Work::Compute(_) => None,
    });
    asked.collect()
}

/// One key, and nothing is answered.
fn press(console: &mut Console, keys: &str) {
    for key in crate::support::console::keys_of(keys) {
        console.tell(ward::ui::msg::Msg::Pressed(key));
    }
}

#[test]
fn nothing_is_stopped_without_a_yes() {
    let place = format!("workflows/{}", execution_arn("run-20260101-150405-004"));
    let stops = |console: &Console| {
        sent(console).iter().filter(|request| matches!(request, Request::StopExecution { .. })).count()
    };
    for keys in ["X<enter>", "X<esc>", "Xn", "Xq"] {
        let mut console = Console::at(&place, (80, 24));
        press(&mut console, keys);
        assert_eq!(stops(&console), 0, "{keys}");
    }
    for keys in ["Xy", "X<right><enter>"] {
        let mut console = Console::at(&place, (80, 24));
        press(&mut console, keys);
        assert_eq!(stops(&console), 1, "{keys}");
    }
}

#[test]
fn a_start_asks_on_a_real_account_and_is_refused_read_only() {
    let starts = |console: &Console| {
        sent(console).iter().any(|request| {
            matches!(request, Request::StartExecution { machine_arn, .. } if machine_arn == MACHINE)
        })
    };
    let open = |local, read_only| {
        let setup = ward::ui::world::Setup { local, read_only, target: "AWS prod".into(), ..setup() };
        let mut console = Console::loading("workflows", (80, 24), setup);
        console.settle();
        console
    };
    let mut local = open(true, false);
    press(&mut local, "R<ctrl-e>");
    assert!(starts(&local));
    let mut aws = open(false, false);
    press(&mut aws, "R<ctrl-e>");
    assert!(!starts(&aws));
    assert!(aws.text().contains("Start an execution?") && aws.text().contains("AWS prod"), "{}", aws.text());
    press(&mut aws, "y");
    assert!(starts(&aws));
    let mut reader = open(false, true);
    press(&mut reader, "R<ctrl-e>");
    assert!(!starts(&reader));
    assert!(reader.text().contains("Read-only"), "{}", reader.text());
}

#[test]
fn a_started_run_is_opened_and_followed() {
    let mut console = Console::at("workflows", (120, 40));
    console.press("R");
    let name = console.model.workflows.form.as_ref().expect("the form").name.text().to_owned();
    let (arn, mut run) = (execution_arn(&name), console.answers.executions[1].clone());
    (run.arn, run.name) = (arn.clone(), name);
    let history = console.answers.histories[&console.answers.executions[1].arn].clone();
    console.answers.histories.insert(arn.clone(), history);
    console.answers.executions.insert(0, run);
    console.press("<ctrl-e>");
    assert_eq!(console.model.front().route().object, Some(arn));
    let text = console.text();
    assert!(text.contains("✔ CopyResultsToProduction") && text.contains("succeeded"), "{text}");
    let run = console.model.workflows.run.as_ref().expect("the run");
    assert_eq!(run.status(), Some(Status::Succeeded));
}

#[test]
fn copies_what_is_under_the_cursor() {
    let mut console = Console::at("facilities/FAC004", (120, 40));
    console.press("y");
    assert_eq!(console.done, [Effect::Copy("FAC004".into())]);
    let mut console = Console::at("workflows", (120, 40));
    console.press("y");
    assert_eq!(console.done, [Effect::Copy(execution_arn("run-20260101-150405-004"))]);
}

#[test]
fn quit_works_while_nothing_answers() {
    for place in ["overview", "facilities", "queries", "workflows", "activity"] {
        let mut console = Console::loading(place, (80, 24), setup());
        press(&mut console, "q");
        assert_eq!(console.done, [Effect::Quit], "{place}");
    }
}

#[test]
fn a_failure_is_in_place_in_the_list_and_goes_away() {
    let mut console = Console::with("facilities", (120, 40), Answers::failing());
    assert!(console.text().contains("The local cloud cannot be reached"), "{}", console.text());
    console.press("!");
    assert!(console.text().contains("Start it again, or check --endpoint-url"), "{}", console.text());
    console.press("<esc>");
    console.answers = Answers::sample();
    console.press("r");
    assert!(console.text().contains("144 of 250"), "{}", console.text());
}

#[test]
fn the_shell_obeys() {
    let mut console = Console::at("overview", (120, 40));
    console.press("gm");
    assert_eq!(console.done, [Effect::Mouse(false)]);
    assert!(console.text().contains("The mouse belongs to the terminal"));
    console.press(":toggle-zone<enter>");
    assert!(!console.model.world.utc);
    console.press("gu");
    assert!(console.model.world.utc);
    console.press("gt");
    assert_eq!(console.model.world.theme.name, "dark");
}
