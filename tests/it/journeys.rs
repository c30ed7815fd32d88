//! From a place, some keys, to what is then on screen: `jj<enter>f`.

use std::sync::Arc;

use ward::domain::execution::Status;
use ward::domain::problem::Problem;
use ward::ui::effect::{Effect, Export, Request};
use ward::ui::msg::{Happening, Msg};
use ward::ui::route::Screen;

use crate::support::answers::{Answers, FUNCTION_LOG, MACHINE, execution_arn};
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
        (&failed, "vv", &["Timeline", "CopyResultsToProduction"]),
        (&failed, "vvv", &["ExecutionFailed"]),
        (&running, "X<enter>", &["Stop this execution?", "n  no"]),
        (&running, "X<enter><enter>", &["running"]),
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

#[test]
fn nothing_is_stopped_without_a_yes() {
    let place = format!("workflows/{}", execution_arn("run-20260101-150405-004"));
    let stops = |console: &Console| {
        console.asked().iter().filter(|request| matches!(request, Request::StopExecution { .. })).count()
    };
    for keys in ["X<enter><enter>", "X<esc>", "X<enter><esc>", "X<enter>n", "X<enter>q"] {
        let mut console = Console::at(&place, (80, 24));
        console.hit(keys);
        assert_eq!(stops(&console), 0, "{keys}");
    }
    for keys in ["X<enter>y", "X<enter><right><enter>"] {
        let mut console = Console::at(&place, (80, 24));
        console.hit(keys);
        assert_eq!(stops(&console), 1, "{keys}");
    }
}

#[test]
fn a_start_asks_on_a_real_account_and_is_refused_read_only() {
    let starts = |console: &Console| {
        console.asked().iter().any(|request| {
            matches!(request, Request::StartExecution { machine_arn, .. } if machine_arn == MACHINE)
        })
    };
    let open = |local, read_only| {
        let setup = ward::ui::world::Setup { local, read_only, target: "AWS prod".into(), ..setup() };
        Console::of("workflows", (80, 24), setup)
    };
    let mut local = open(true, false);
    local.hit("R<ctrl-e>");
    assert!(starts(&local));
    let mut aws = open(false, false);
    aws.hit("R<ctrl-e>");
    assert!(!starts(&aws));
    assert!(aws.text().contains("Start an execution?") && aws.text().contains("AWS prod"), "{}", aws.text());
    aws.hit("y");
    assert!(starts(&aws));
    let mut reader = open(false, true);
    reader.hit("R");
    assert!(reader.text().contains("Read-only: no start"), "{}", reader.text());
    reader.hit("<ctrl-e>");
    assert!(!starts(&reader));
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
fn activity() {
    walk(&[
        ("overview", "5", &["Invocations 5", "Objects 250", "Notifications 1", "following, since 1 h"]),
        // The newest first: one that runs, the run's, the failed one, the slow one, the object's.
        ("activity", "", &["◐ running", "✔ succeeded", "✖ failed", "⧖ timed out", "43  FAC004.json"]),
        ("activity", "jj<enter>", &["of deadbeef, esc shows all", "ERROR the query q-0002"]),
        ("activity", "jj<enter><esc>", &["following, since 1 h"]),
        ("activity", "<tab><tab>", &["Healthcare pipeline failed", "S3.NoSuchKeyException"]),
        ("activity", "/FAC004", &["/ FAC004", "FAC004.json"]),
        ("activity", "/FAC004<tab>", &["raw/FAC004.json"]),
        ("activity/log", "/zzzz", &["Nothing matches; esc shows all"]),
        ("activity", "w<ctrl-u>6h<enter>", &["since 6 h"]),
        ("activity", "w<ctrl-u>soon<enter>", &["A span reads like 30 m, 6 h or 7 d"]),
        // An escape sequence in a key is shown, not obeyed.
        ("activity", "jj<enter>j", &["key: raw/odd\\u001b[2J name.json"]),
        // From the log to the execution a line names, from an object to its facility.
        ("activity", "j<enter>j<enter>", &["/ run-20260101-150405-004   ◐ running"]),
        ("activity/notifications", "<enter>", &["run-20251231-210000-118", "✖ failed"]),
        ("activity/objects", "<enter>", &["FAC250"]),
        ("activity/log", "gg<enter>", &["This line names no execution"]),
    ]);
}

#[test]
fn activity_stays_where_the_reader_is() {
    let mut console = Console::at("activity/log", (120, 40));
    let newer = |console: &mut Console, number: usize| {
        let mut lines = console.answers.lines[FUNCTION_LOG].clone();
        let last = lines.last_mut().expect("a line");
        last.id = format!("new-{number}");
        last.text = format!("a new line, number {number}");
        let fresh = vec![last.clone()];
        console.tell(Msg::Happened(Happening::Lines(FUNCTION_LOG.into(), fresh)));
    };
    let selected = |console: &Console| {
        let text = console.text();
        let line =
            text.lines().rfind(|line| line.split('│').next_back().is_some_and(|part| part.contains("▌ ")));
        line.unwrap_or_default().to_owned()
    };
    newer(&mut console, 1);
    assert!(selected(&console).contains("number 1"), "{}", console.text());
    console.press("k");
    let before = selected(&console);
    newer(&mut console, 2);
    assert_eq!(selected(&console), before);
    assert!(console.text().contains("number 2"));
    console.press("f");
    assert!(selected(&console).contains("number 2"), "{}", console.text());
}

#[test]
fn copies_what_is_under_the_cursor() {
    let mut console = Console::at("facilities/FAC004", (120, 40));
    console.press("y");
    assert_eq!(console.done, [Effect::Copy("FAC004".into())]);
    let mut console = Console::at("workflows", (120, 40));
    console.press("y");
    assert_eq!(console.done, [Effect::Copy(execution_arn("run-20260101-150405-004"))]);
    let mut console = Console::at("activity/objects", (120, 40));
    console.press("y");
    let uri = "s3://healthcare-accreditation-data-pipeline/raw/FAC250.json";
    assert_eq!(console.done, [Effect::Copy(uri.into())]);
}

#[test]
fn quit_works_while_nothing_answers() {
    for place in ["overview", "facilities", "queries", "workflows", "activity"] {
        let mut console = Console::loading(place, (80, 24), setup());
        console.hit("q");
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

#[test]
fn queries() {
    walk(&[
        ("queries", "j<enter>", &["Facilities per state", "GROUP BY state", "Nothing was run yet"]),
        ("queries", "/laps", &["Saved 1 of 10", "Lapsed accreditations"]),
        ("queries", "v/failed", &["History 1 of 4", "✖ failed"]),
        ("queries", "v/failed<esc>", &["History 4"]),
        (
            "queries",
            "vjj<enter>",
            &["TABLE_NOT_FOUND", "FROM healthcare_pipeline.facilities", "Did you mean facilities?"],
        ),
        ("queries", "jR", &["✔ succeeded", "4 rows", "65.3 KiB scanned", "about $0.00005", "▌ TX"]),
        ("queries", "jR<right>s", &["facilities↑", "▌ NY"]),
        ("queries", "jR<right>ss", &["facilities↓", "▌ TX"]),
        ("queries", "jR/ca", &["1 of 4 rows", "/ ca"]),
        ("queries", "jR/ca<esc>", &["  4 rows"]),
        ("queries", "jRc", &["TX  ███"]),
        ("queries", "jR<tab>", &["▌ Facilities per state"]),
        ("queries/q-0003", "", &["✔ succeeded", "▌ TX"]),
        ("queries/q-0003", "<esc>", &["History 4", "▌ ✔ succeeded"]),
        ("queries/nowhere", "", &["Query nowhere was not found"]),
        ("queries/lapsed", "", &["Lapsed accreditations", "as_of 2026-01-01"]),
        ("queries/lapsed", "p<down><enter>", &["database, a name"]),
        ("queries", "nSELECT 1; SELECT 2", &["statement 2 of 2"]),
        ("queries", "nSE<ctrl-space>", &["enter takes it", "SELECT"]),
        ("queries", "nSELECT * FROM fac<tab>", &["SELECT * FROM facilities"]),
        ("queries", "nselect a from t where b = 1<esc>=", &["1 select a", "2 from t", "3 where b = 1"]),
        ("queries", "nSELECT * FROM t WHERE a = :least<f5>", &["least"]),
        ("queries", "n<f1>", &["Keys of Queries", "Complete the word"]),
        ("queries", "n<f1><esc>SELECT 1", &["1 SELECT 1"]),
        ("queries", "?", &["Keys of Queries", "Cancel the query that runs"]),
        ("overview", "3", &["Saved 10"]),
    ]);
}

#[test]
fn a_result_is_written_as_it_is_shown() {
    let mut console = Console::at("queries", (80, 24));
    console.press("jR<right>s/a<enter>");
    console.hit("e<enter>");
    let [Request::Export { path, content: Export::Grid { grid, order } }] = &console.asked()[..] else {
        panic!("{:?}", console.asked())
    };
    assert_eq!(path, "facilities_per_state-2026-01-01.csv");
    let shown: Vec<_> = order.iter().filter_map(|row| grid.rows[*row as usize][0].as_deref()).collect();
    // Of TX 40, CA 31, FL 24 and NY 19 only one has an a.
    assert_eq!(shown, ["CA"]);
    console.settle();
    assert!(
        console.text().contains("rows written to facilities_per_state-2026-01-01.csv"),
        "{}",
        console.text()
    );
}

#[test]
fn a_large_result_comes_page_by_page() {
    let mut console = Console::at("queries", (80, 24));
    let rows = (0..300).map(|n: u32| vec![Some(format!("S{n}")), Some(n.to_string())]).collect();
    console.answers.results.get_mut("q-0003").expect("a result").rows = rows;
    console.answers.page = 100;
    console.press("jR");
    assert!(console.text().contains("100 of ? rows"), "{}", console.text());
    console.press("G");
    assert!(
        console.text().contains("200 of ? rows") && console.text().contains("▌ S99"),
        "{}",
        console.text()
    );
    console.press("GG");
    assert!(console.text().contains("300 rows") && console.text().contains("▌ S299"), "{}", console.text());
    // A search is of the rows that are here, and says so while there may be more.
    let mut console = Console::at("queries", (80, 24));
    let rows = (0..300).map(|n: u32| vec![Some(format!("S{n}")), Some(n.to_string())]).collect();
    console.answers.results.get_mut("q-0003").expect("a result").rows = rows;
    console.answers.page = 100;
    console.press("jR/S29");
    assert!(console.text().contains("1 of 100 of ? rows"), "{}", console.text());
    assert!(console.text().contains("among the rows that are here"), "{}", console.text());
}

#[test]
fn a_query_is_cancelled_as_far_as_that_is_allowed() {
    let stops = |console: &Console| {
        let stop = Request::StopQuery { id: "q-0004".into() };
        console.asked().iter().filter(|request| **request == stop).count()
    };
    let open = |local, read_only| {
        let setup = ward::ui::world::Setup { local, read_only, target: "AWS prod".into(), ..setup() };
        Console::of("queries/q-0004", (80, 24), setup)
    };
    let mut local = open(true, false);
    local.hit("x");
    assert_eq!(stops(&local), 1);
    let mut aws = open(false, false);
    aws.hit("x");
    assert!(stops(&aws) == 0 && aws.text().contains("Cancel this query?"), "{}", aws.text());
    aws.hit("y");
    assert_eq!(stops(&aws), 1);
    // Another's query, where nothing may be stopped.
    let mut reader = open(false, true);
    reader.hit("x");
    assert!(stops(&reader) == 0 && reader.text().contains("Read-only"), "{}", reader.text());
}

#[test]
fn a_statement_that_writes_asks_and_is_refused_read_only() {
    let starts = |console: &Console| {
        console.asked().iter().filter(|request| matches!(request, Request::StartQuery { .. })).count()
    };
    let open = |local, read_only| {
        let setup = ward::ui::world::Setup { local, read_only, target: "AWS prod".into(), ..setup() };
        Console::of("queries", (80, 24), setup)
    };
    let (insert, drop) = ("nINSERT INTO t VALUES (1)<ctrl-e>", "nDROP TABLE t<ctrl-e>");
    for (local, keys, asks) in
        [(true, insert, false), (true, drop, true), (false, insert, true), (false, drop, true)]
    {
        let mut console = open(local, false);
        console.hit(keys);
        assert_eq!(starts(&console), usize::from(!asks), "{keys}");
        assert_eq!(console.text().contains("Run a statement"), asks, "{}", console.text());
        if asks {
            console.hit("<enter>");
            assert_eq!(starts(&console), 0, "{keys}: no is the first choice");
        }
    }
    for keys in [insert, drop] {
        let mut reader = open(true, true);
        reader.hit(keys);
        assert!(starts(&reader) == 0 && reader.text().contains("Read-only"), "{}", reader.text());
    }
    let mut reader = open(false, true);
    reader.hit("nSELECT 1<ctrl-e>");
    assert_eq!(starts(&reader), 1, "reading is free");
}

#[test]
fn a_failed_statement_is_mended_at_its_spot() {
    let mut console = Console::at("queries", (120, 40));
    console.answers.started = Some("q-0002".into());
    console.press("nSELECT a<enter>FROM facilitys<ctrl-e>");
    let text = console.text();
    assert!(text.contains("✖ failed") && text.contains("TABLE_NOT_FOUND"), "{text}");
    assert!(text.contains("   2  FROM facilitys"), "{text}");
    // Line 2, column 6, as Athena says: the table's name.
    console.press("i<delete>F");
    assert!(console.text().contains("2 FROM Facilitys"), "{}", console.text());
}

#[test]
fn what_is_pasted_is_text() {
    let mut console = Console::at("queries", (80, 24));
    console.press("n");
    console.tell(ward::ui::msg::Msg::Pasted("SELECT 1\r\nq\u{1b}[2J".into()));
    let text = console.text();
    assert!(text.contains("1 SELECT 1") && text.contains("2 q[2J"), "{text}");
    assert!(console.done.is_empty());
}

#[test]
fn the_mouse_chooses_runs_and_sorts() {
    use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
    let click = |console: &mut Console, word: &str| {
        let text = console.text();
        let (row, line) = text.lines().enumerate().find(|(_, line)| line.contains(word)).expect("the word");
        let column = line[..line.find(word).expect("the word")].chars().count();
        let kind = MouseEventKind::Down(MouseButton::Left);
        let (column, row) = (column as u16, row as u16);
        console.tell(ward::ui::msg::Msg::Moused(MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        }));
        console.settle();
    };
    let mut console = Console::at("queries", (120, 40));
    click(&mut console, "History 4");
    assert!(console.text().contains("▌ ◐ running"), "{}", console.text());
    click(&mut console, "✔ succeeded");
    click(&mut console, "▌ ✔ succeeded");
    assert!(console.text().contains("▌ TX"), "{}", console.text());
    click(&mut console, "state    facilities");
    assert!(console.text().contains("state↑") && console.text().contains("▌ CA"), "{}", console.text());
    click(&mut console, "NY   ");
    assert!(console.text().contains("▌ NY"), "{}", console.text());
    assert_eq!(console.model.front().route().to_string(), "queries/q-0003");
}

/// Where the state machines could not be listed, asking again asks for them: the executions follow.
#[test]
fn executions_are_there_after_asking_again_when_the_machines_could_not_be_listed() {
    let mut console = Console::loading("workflows", (120, 40), setup());
    let machines =
        console.waiting.iter().position(|(_, work)| *work == Work::Ask(Request::Machines)).unwrap();
    let (ticket, _) = console.waiting.remove(machines);
    console.tell(Msg::Replied(ticket, Err(Problem::new("No answer to ListStateMachines"))));
    console.settle();
    assert!(console.text().contains("No answer to ListStateMachines"), "{}", console.text());
    console.press("r");
    assert!(console.text().contains("run-20260101-090000-217"), "{}", console.text());
}

/// The texts of rows are kept from frame to frame: not beyond what they were made of.
#[test]
fn rows_show_what_was_read_last() {
    let mut console = Console::at("facilities", (160, 40));
    assert!(console.text().contains("▌ FAC007  Harbor Point Medical"), "{}", console.text());
    let facilities = Arc::make_mut(&mut console.answers.facilities);
    let found = facilities.entries.iter_mut().find(|(_, facility)| facility.facility_id == "FAC007");
    found.expect("it is in sight").1.facility_name = "Renamed Clinic".into();
    console.press("r");
    assert!(console.text().contains("▌ FAC007  Renamed Clinic"), "{}", console.text());
}
