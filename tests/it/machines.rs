//! State machines by case: `tests/cases/asl/*.toml` holds a definition, an input, what its tasks answer
//! and the history that must follow. The expected values come from the Amazon States Language and the
//! AWS guide, worked out by hand. The interpreter is pure, so a case runs without a clock: waits are over
//! when they begin. `tests/cases/definitions.toml` holds definitions and what is found wrong with them.

use std::collections::VecDeque;
use std::path::Path;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};
use ward::asl::check;
use ward::asl::cursor::{About, Cursor, Outcome};
use ward::asl::data::Data;
use ward::asl::event::Event;
use ward::asl::failure::Failure;
use ward::asl::machine::Machine;
use ward::asl::step::{Directive, Progress, Stimulus, What, step};
use ward::domain::execution::{HistoryEvent, Status};
use ward::domain::timeline::Timeline;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap()
}

fn about(input: Data) -> About {
    About {
        id: "arn:aws:states:us-east-1:000000000000:execution:m:e".into(),
        name: "e".into(),
        role: "arn:aws:iam::000000000000:role/r".into(),
        machine: "arn:aws:states:us-east-1:000000000000:stateMachine:m".into(),
        machine_name: "m".into(),
        region: "us-east-1".into(),
        input,
        started: now(),
        ..About::default()
    }
}

/// Runs a machine to its end, or until nothing is left that would move it. The cursor goes through JSON
/// between all steps, as it does when it is journaled. Gives the events, the waits in seconds, the tasks'
/// inputs and the outcome.
struct Ran {
    events: Vec<Event>,
    waits: Vec<f64>,
    tasks: Vec<Value>,
    outcome: Option<Outcome>,
}

fn run(machine: &Machine, input: Data, answers: Vec<Progress>) -> Ran {
    let mut ran = Ran { events: Vec::new(), waits: Vec::new(), tasks: Vec::new(), outcome: None };
    let mut answers = VecDeque::from(answers);
    let mut todo = VecDeque::from([What::Begin]);
    let mut cursor = Cursor::new(about(input));
    let mut timers = VecDeque::new();
    let mut steps = 0;
    while let Some(what) = todo.pop_front().or_else(|| timers.pop_front().map(What::Due)) {
        steps += 1;
        assert!(steps < 100_000, "it does not end");
        let stimulus = Stimulus { now: now(), entropy: steps, what };
        let (after, directives) = step(machine, cursor, stimulus);
        cursor = serde_json::from_str(&serde_json::to_string(&after).unwrap()).unwrap();
        for directive in directives {
            match directive {
                Directive::Record(event) => {
                    assert_eq!(event.id, ran.events.len() as i64 + 1, "ids count from 1");
                    assert!(event.previous < event.id);
                    ran.events.push(event);
                }
                Directive::Wait(timer) => {
                    ran.waits.push((timer.until - timer.from).num_milliseconds() as f64 / 1000.0);
                    timers.push_back(timer.ticket);
                }
                Directive::Cancel(ticket) => timers.retain(|t| *t != ticket),
                Directive::Task(task) => {
                    ran.tasks.push(task.input.value().clone());
                    if let Some(answer) = answers.pop_front() {
                        todo.push_back(What::Task(task.ticket, answer));
                    }
                }
                Directive::Fork(_) | Directive::Refork(..) => {}
                Directive::Again => todo.push_front(What::Continue),
                Directive::Finish(outcome) => {
                    assert!(ran.outcome.is_none(), "it ends once");
                    ran.outcome = Some(outcome);
                }
            }
        }
    }
    follow(&ran);
    ran
}

/// What the tracker makes of a history: a visit for every entering, all of them closed at the end, and the
/// end itself.
fn follow(ran: &Ran) {
    let events: Vec<HistoryEvent> = ran
        .events
        .iter()
        .map(|event| HistoryEvent {
            id: event.id,
            previous: event.previous,
            at: event.at,
            kind: event.kind.clone(),
            details: event.details.clone().unwrap_or_default(),
        })
        .collect();
    let mut timeline = Timeline::new();
    assert_eq!(timeline.extend(&events), events.len());
    let entered = events.iter().filter(|event| event.kind.ends_with("StateEntered")).count();
    assert_eq!(timeline.visits().len(), entered);
    let expected = match &ran.outcome {
        None => Status::Running,
        Some(Outcome::Succeeded(_)) => Status::Succeeded,
        Some(Outcome::Failed(_)) => Status::Failed,
        Some(Outcome::TimedOut(_)) => Status::TimedOut,
        Some(Outcome::Aborted(_)) => Status::Aborted,
    };
    assert_eq!(timeline.status(), Some(expected));
    assert!(ran.outcome.is_none() || timeline.visits().iter().all(|visit| !visit.standing.is_open()));
}

fn answer(text: &str) -> Progress {
    let value: Value = serde_json::from_str(text).unwrap();
    match value.get("error") {
        Some(error) => {
            let cause = value["cause"].as_str().unwrap_or_default();
            Progress::Failed(Failure::new(error.as_str().unwrap(), cause))
        }
        None => Progress::Succeeded(value["output"].clone().into()),
    }
}

/// `id previous type name`, as the cases write events.
fn line(event: &Event) -> String {
    let details = event.details.clone().unwrap_or_default();
    let name = match (details["name"].as_str(), details["index"].as_u64()) {
        (Some(name), Some(index)) => format!(" {name}[{index}]"),
        (Some(name), None) => format!(" {name}"),
        _ => String::new(),
    };
    format!("{} {} {}{name}", event.id, event.previous, event.kind)
}

#[test]
fn cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/asl");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let table: toml::Table = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        for (name, case) in &table {
            let at = format!("{} {name}", file.display());
            let text = |member: &str| case.get(member).and_then(|v| v.as_str()).map(str::to_owned);
            let definition = text("definition").expect(&at);
            assert_eq!(check::diagnose(&definition, false), [], "{at}");
            let machine = Machine::read(&definition).unwrap();
            let list = |member: &str| -> Vec<String> {
                let items = case.get(member).and_then(|v| v.as_array()).into_iter().flatten();
                items.map(|v| v.as_str().unwrap().to_owned()).collect()
            };
            let answers = list("tasks").iter().map(|t| answer(t)).collect();
            let input = Data::parse(text("input").unwrap_or("{}".into())).unwrap();
            let ran = run(&machine, input, answers);
            if case.get("history").is_some() {
                let lines: Vec<String> = ran.events.iter().map(line).collect();
                assert_eq!(lines, list("history"), "{at}");
            }
            if let Some(waits) = case.get("waits").and_then(|v| v.as_array()) {
                let waits: Vec<f64> = waits.iter().map(|v| v.as_float().unwrap()).collect();
                assert_eq!(ran.waits, waits, "{at}");
            }
            if case.get("sent").is_some() {
                let sent: Vec<Value> =
                    list("sent").iter().map(|t| serde_json::from_str(t).unwrap()).collect();
                assert_eq!(ran.tasks, sent, "{at}");
            }
            match ran.outcome {
                Some(Outcome::Succeeded(output)) => {
                    let expected: Value = serde_json::from_str(&text("output").expect(&at)).unwrap();
                    assert_eq!(*output.value(), expected, "{at}");
                }
                Some(Outcome::Failed(failure)) => {
                    assert_eq!(failure.error, text("error"), "{at}: {failure}");
                    if let Some(cause) = text("cause") {
                        assert_eq!(failure.cause, Some(cause), "{at}");
                    }
                }
                other => panic!("{at}: {other:?}"),
            }
        }
    }
}

#[test]
fn definitions() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/definitions.toml");
    let table: toml::Table = toml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    for (name, case) in &table {
        let flag = |member: &str| case.get(member).and_then(|v| v.as_bool()).unwrap_or(false);
        let found = check::diagnose(case["definition"].as_str().unwrap(), flag("express"));
        let lines: Vec<String> = found
            .iter()
            .map(|d| format!("{}: {} at {}", d.code, d.message, d.location.as_deref().unwrap_or("null")))
            .collect();
        let expected: Vec<&str> =
            case["found"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
        assert_eq!(lines, expected, "{name}");
        assert_eq!(check::refusal(&found).is_none(), flag("accepted"), "{name}");
    }
}

/// AWS's message holds every error, one after the other.
#[test]
fn a_refusal_names_every_error() {
    let found = check::diagnose(r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}"#, false);
    let expected = "Invalid State Machine Definition: 'MISSING_TRANSITION_TARGET: Missing 'Next' target: B at \
                    /States/A/Next, MISSING_END_STATE: Workflow has no terminal state at null'";
    assert_eq!(check::refusal(&found).as_deref(), Some(expected));
}

/// Definitions that nest as deep as their text allows, or are as long as nobody writes them.
#[test]
fn extremes_are_answered() {
    let nested = |levels: usize, open: &str, close: &str, inner: &str| {
        format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
    };
    let branch = r#"{"StartAt": "P", "States": {"P": {"Type": "Parallel", "End": true, "Branches": ["#;
    let texts = [
        nested(40, branch, "]}}}", r#"{"StartAt": "E", "States": {"E": {"Type": "Succeed"}}}"#),
        nested(5_000, branch, "]}}}", "{}"),
        nested(100_000, "[", "]", ""),
        format!(
            r#"{{"StartAt": "C", "States": {{"C": {{"Type": "Choice", "Choices": [{}], "Default": "C"}}}}}}"#,
            nested(90, r#"{"Not": "#, "}", r#"{"Variable": "$.a", "IsPresent": true}"#)
        ),
        format!(
            r#"{{"QueryLanguage": "JSONata", "StartAt": "P", "States": {{"P": {{"Type": "Pass", "End": true, "Output": "{{% {} %}}"}}}}}}"#,
            nested(3_000, "(", ")", "1")
        ),
        format!(r#"{{"StartAt": "A", "Comment": "{}"}}"#, "x".repeat(1_100_000)),
    ];
    for text in &texts {
        assert!(!check::diagnose(text, false).is_empty(), "{}", &text[..80]);
    }
}

/// What never waits finds out by itself that its time is over, express executions after five minutes.
#[test]
fn what_never_waits_ends_at_its_deadline() {
    let text = r#"{"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Next": "C"}, "E": {"Type": "Succeed"},
        "C": {"Type": "Choice", "Choices": [{"Variable": "$.end", "IsPresent": true, "Next": "E"}], "Default": "A"}}}"#;
    let machine = Machine::read(text).unwrap();
    let mut cursor = Cursor::new(About { express: true, ..about(Data::default()) });
    let mut what = What::Begin;
    for seconds in 0.. {
        assert!(seconds <= 300);
        let at = now() + chrono::TimeDelta::seconds(seconds);
        let (after, directives) = step(&machine, cursor, Stimulus { now: at, entropy: 1, what });
        cursor = after;
        if let Some(Directive::Finish(outcome)) = directives.last() {
            assert_eq!((seconds, outcome), (300, &Outcome::TimedOut(Failure::default())));
            break;
        }
        assert!(matches!(directives.last(), Some(Directive::Again)));
        what = What::Continue;
    }
}

/// A result of more than 262,144 bytes fails its state, in AWS's words; a catcher may take it.
#[test]
fn results_are_limited() {
    let text = r#"{"StartAt": "T", "States": {
        "T": {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": true,
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "R"}]},
        "R": {"Type": "Pass", "End": true}}}"#;
    let machine = Machine::read(text).unwrap();
    let of = |bytes: usize| {
        let answer = Progress::Succeeded(json!("x".repeat(bytes - 2)).into());
        match run(&machine, Data::default(), vec![answer]).outcome {
            Some(Outcome::Succeeded(output)) => output.value().clone(),
            other => panic!("{other:?}"),
        }
    };
    assert!(of(262_144).is_string());
    let cause = "The state/task 'sns' returned a result with a size exceeding the maximum number of bytes service limit.";
    assert_eq!(of(262_145), json!({"Error": "States.DataLimitExceeded", "Cause": cause}));
}

/// All variables of an execution together hold at most 10 MiB (AWS guide, "Passing data between states with
/// variables"): 40 times 255 KiB are less, 41 times are more. What a branch assigned is gone with it.
#[test]
fn variables_are_limited_together() {
    let text = json!({"t": "x".repeat(255 * 1024 - 2)});
    let chain = |count: usize, prefix: &str| {
        let mut states = serde_json::Map::new();
        for i in 0..count {
            let mut state = json!({"Type": "Pass", "Assign": {format!("{prefix}{i}.$"): "$.t"}});
            match i + 1 {
                next if next < count => state["Next"] = format!("{prefix}{next}").into(),
                _ => state["End"] = true.into(),
            }
            states.insert(format!("{prefix}{i}"), state);
        }
        json!({"StartAt": format!("{prefix}0"), "States": states})
    };
    let ends = |definition: Value| {
        let definition = definition.to_string();
        assert_eq!(check::diagnose(&definition, false), []);
        match run(&Machine::read(&definition).unwrap(), text.clone().into(), Vec::new()).outcome {
            Some(Outcome::Succeeded(_)) => "succeeded".to_owned(),
            Some(Outcome::Failed(failure)) => failure.to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(ends(chain(40, "v")), "succeeded");
    let refused = "States.Runtime: An error occurred while executing the state 'v40' (entered at the event id #82). \
                   The variables of the execution are larger than 10485760 bytes together.";
    assert_eq!(ends(chain(41, "v")), refused);
    let parallel = |inner: [usize; 2]| {
        // Each branch waits at its end, so that both hold what they assigned at once.
        let waiting = |count: usize, prefix: &str| {
            let mut branch = chain(count, prefix);
            let mut last = branch["States"][format!("{prefix}{}", count - 1)].take();
            last["Next"] = format!("{prefix}W").into();
            last.as_object_mut().unwrap().remove("End");
            branch["States"][format!("{prefix}{}", count - 1)] = last;
            branch["States"][format!("{prefix}W")] = json!({"Type": "Wait", "Seconds": 1, "End": true});
            branch
        };
        let branches = [waiting(inner[0], "a"), waiting(inner[1], "b")];
        json!({"StartAt": "P", "States": {
            "P": {"Type": "Parallel", "Branches": branches, "ResultPath": null, "Next": "v0"}}})
    };
    let then = |mut machine: Value, after: Value| {
        machine["States"].as_object_mut().unwrap().extend(after["States"].as_object().unwrap().clone());
        machine
    };
    assert_eq!(ends(then(parallel([20, 20]), chain(40, "v"))), "succeeded");
    let refused = ends(then(parallel([21, 20]), chain(1, "v")));
    assert!(refused.ends_with("larger than 10485760 bytes together."), "{refused}");
}

/// A definition that nests deeper than anybody writes has AWS's code for it, whatever its JSON reader says.
#[test]
fn what_is_nested_too_deeply_is_called_so() {
    let branch = r#"{"StartAt": "P", "States": {"P": {"Type": "Parallel", "End": true, "Branches": ["#;
    let inner = r#"{"StartAt": "E", "States": {"E": {"Type": "Succeed"}}}"#;
    let text = format!("{}{inner}{}", branch.repeat(32), "]}}}".repeat(32));
    let found = check::diagnose(&text, false);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].code, found[0].message.as_str()),
        ("TOO_DEEPLY_NESTED", "States are nested too deeply")
    );
    assert_eq!(found[0].location, None);
}

/// The same stimulus and entropy give the same answer, random functions and jitter included.
#[test]
fn replays_alike() {
    let definition = json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Parameters": {"u.$": "States.UUID()", "n.$": "States.MathRandom(1, 1000)"}, "Next": "B"},
        "B": {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": true,
              "Retry": [{"ErrorEquals": ["States.ALL"], "JitterStrategy": "FULL", "IntervalSeconds": 100}]}}});
    let machine = Machine::read(&definition.to_string()).unwrap();
    let answers = || vec![Progress::Failed(Failure::new("X", "")), Progress::Succeeded(json!(1).into())];
    let (one, two) = (run(&machine, Data::default(), answers()), run(&machine, Data::default(), answers()));
    assert_eq!(one.events, two.events);
    assert_eq!(one.waits, two.waits);
    assert!(one.waits[0] <= 100.0);
}

/// A loop without an end fails at the limit of events, as on AWS: the last event is its failure.
#[test]
fn a_loop_ends_at_the_limit_of_events() {
    let definition = json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Next": "C"},
        "C": {"Type": "Choice", "Choices": [{"Variable": "$.end", "BooleanEquals": true, "Next": "E"}], "Default": "A"},
        "E": {"Type": "Succeed"}}});
    let machine = Machine::read(&definition.to_string()).unwrap();
    let ran = run(&machine, json!({"end": false}).into(), Vec::new());
    assert_eq!(ran.events.len(), 25_000);
    let Some(Outcome::Failed(failure)) = ran.outcome else { panic!("{:?}", ran.outcome) };
    assert_eq!(failure.error.as_deref(), Some("States.Runtime"));
    let cause = "The execution reached the maximum number of history events (25000).";
    assert_eq!(failure.cause.as_deref(), Some(cause));
}

/// What stands in a JSONata field: good, failing, undefined, and no JSONata at all.
fn expression() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        "{% $states.input %}",
        "{% $states.input.a + 1 %}",
        "{% $states.result.a %}",
        "{% $states.context.Execution.Name & $string($a) %}",
        "{% $states.errorOutput.Error %}",
        "{% [1, 2, $states.input.a] %}",
        "{% $range(1, 3, 1) %}",
        "{% $count($states.input) > 1 %}",
        "{% {'a': $states.input, 'b': $a} %}",
        "{% $partition([1, 2, 3], 0) %}",
        "{% function($x) { $x } %}",
        "{% 1 / 0 %}",
        "{% a.b %}",
        "{% 1 + %}",
        "{% %}",
        "{%",
    ])
    .prop_map(Value::from)
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9f64..1e9).prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
        Just(json!("$.a")),
        Just(json!("$$.Execution.Id")),
        Just(json!("States.Format('{}', $.a)")),
        expression(),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map("[a-c]{1,2}(\\.\\$)?", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A state of any type with fields that may or may not belong to it.
fn state() -> impl Strategy<Value = Value> {
    let kinds = ["Pass", "Task", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map", "Other"];
    let fields = [
        "Parameters",
        "ResultSelector",
        "ResultPath",
        "InputPath",
        "OutputPath",
        "Result",
        "Assign",
        "Seconds",
        "SecondsPath",
        "Timestamp",
        "TimestampPath",
        "Resource",
        "Retry",
        "Catch",
        "Choices",
        "Default",
        "Next",
        "End",
        "Branches",
        "ItemProcessor",
        "ItemsPath",
        "MaxConcurrency",
        "Error",
        "CausePath",
        "QueryLanguage",
        "Arguments",
        "Output",
        "Items",
        "ItemSelector",
        "ItemReader",
        "ItemBatcher",
        "ResultWriter",
        "ToleratedFailureCount",
        "TimeoutSeconds",
        "HeartbeatSeconds",
        "Credentials",
    ];
    let value = prop_oneof![
        json_value(),
        prop::sample::select(vec!["A", "B", "$.a", "$", "arn:aws:states:::sns:publish", "JSONata"])
            .prop_map(Value::from),
        Just(json!(true)),
        expression(),
        Just(json!(3)),
        Just(json!([{"Condition": "{% $states.input.a = 1 %}", "Next": "A", "Assign": {"a": 1}}])),
        Just(json!([{"ErrorEquals": ["States.ALL"], "Next": "B", "Output": "{% $states.errorOutput %}"}])),
        Just(json!([{"ErrorEquals": ["States.ALL"], "Next": "B", "MaxAttempts": 2}])),
        Just(json!([{"Variable": "$.a", "IsPresent": true, "Next": "A"}])),
        Just(json!({"StartAt": "I", "States": {"I": {"Type": "Pass", "End": true}}})),
        Just(json!([{"StartAt": "I", "States": {"I": {"Type": "Fail"}}}])),
    ];
    (
        prop::sample::select(kinds.to_vec()),
        prop::collection::hash_map(prop::sample::select(fields.to_vec()), value, 0..6),
        any::<bool>(),
    )
        .prop_map(|(kind, fields, ends)| {
            let mut state = serde_json::Map::from_iter([("Type".to_owned(), json!(kind))]);
            state.extend(fields.into_iter().map(|(k, v)| (k.to_owned(), v)));
            if ends {
                state.insert("End".into(), json!(true));
            }
            Value::Object(state)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Any text as a definition gives findings or a machine, never a panic.
    #[test]
    fn any_text_is_a_definition_or_refused(text in "\\PC{0,60}") {
        let refused = !check::diagnose(&text, false).is_empty();
        prop_assert!(refused || Machine::read(&text).is_ok());
    }

    /// Any text as an expression is refused, fails or gives a value.
    #[test]
    fn any_expression_ends(text in "[$a-c0-2 .,(){}\\[\\]+*/=<>?:;~|^%&'\"-]{0,24}") {
        let definition = json!({"QueryLanguage": "JSONata", "StartAt": "A", "States": {
            "A": {"Type": "Pass", "Output": format!("{{% {text} %}}"), "End": true}}});
        if let Ok(machine) = Machine::read(&definition.to_string()) {
            let ran = run(&machine, json!({"a": [1, {"b": 2}]}).into(), Vec::new());
            prop_assert!(ran.outcome.is_some());
        }
    }

    /// Any JSON as a definition, and whatever is accepted runs on any input to an end, or until it waits
    /// for a task: no panic, no endless loop, ids without a gap.
    #[test]
    fn any_machine_runs_or_is_refused(a in state(), b in state(), input in json_value(), jsonata: bool) {
        let language = if jsonata { "JSONata" } else { "JSONPath" };
        let definition =
            json!({"QueryLanguage": language, "StartAt": "A", "States": {"A": a, "B": b}}).to_string();
        let found = check::diagnose(&definition, false);
        prop_assert_eq!(check::refusal(&found).is_some(), found.iter().any(|d| d.error));
        if let Ok(machine) = Machine::read(&definition) {
            let answers = vec![Progress::Failed(Failure::new("E", "c")); 5];
            run(&machine, input.into(), answers);
        }
    }
}
