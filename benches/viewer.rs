//! What the execution viewer costs: a full history of 25,000 events, a Map of 10,000 items, a machine of
//! 200 states. `cargo bench --bench viewer`; a frame is an update and a whole repaint into memory.

use chrono::{DateTime, TimeDelta, Utc};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::{Value, json};
use ward::asl::graph::Graph;
use ward::asl::machine::Machine;
use ward::asl::picture::Picture;
use ward::domain::execution::HistoryEvent;
use ward::domain::timeline::Timeline;
use ward::ui::model::Model;
use ward::ui::msg::{Happening, Msg};
use ward::ui::route::Route;
use ward::ui::session::Session;
use ward::ui::update::update;
use ward::ui::view::view;
use ward::ui::world::Setup;

#[path = "../tests/it/support/setup.rs"]
mod setup;

use setup::setup;

const ARN: &str = "arn:aws:states:us-east-1:000000000000:execution:Machine:run";
const SIZE: (u16, u16) = (160, 48);

fn main() {
    divan::main();
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap_or_default()
}

fn event(id: i64, previous: i64, kind: &str, details: Value) -> HistoryEvent {
    HistoryEvent {
        id,
        previous,
        at: start() + TimeDelta::milliseconds(id * 3),
        kind: kind.to_owned(),
        details,
    }
}

/// A loop of a task and a choice until the history is full.
fn full_history() -> Vec<HistoryEvent> {
    let input =
        json!({"facility": {"id": "FAC001", "services": ["ICU", "ER"], "staff": 499}, "pass": 1}).to_string();
    let mut events = vec![event(1, 0, "ExecutionStarted", json!({"input": input}))];
    while events.len() < 25_000 {
        let last = events.len() as i64;
        let rows = [
            ("TaskStateEntered", json!({"name": "CheckQueryStatus", "input": input})),
            (
                "TaskScheduled",
                json!({"resourceType": "athena", "resource": "getQueryExecution", "parameters": "{}"}),
            ),
            ("TaskStarted", json!({"resourceType": "athena", "resource": "getQueryExecution"})),
            (
                "TaskSucceeded",
                json!({"resourceType": "athena", "resource": "getQueryExecution", "output": input}),
            ),
            ("TaskStateExited", json!({"name": "CheckQueryStatus", "output": input})),
            ("ChoiceStateEntered", json!({"name": "QueryOutcome", "input": input})),
            ("ChoiceStateExited", json!({"name": "QueryOutcome", "output": input})),
        ];
        for (id, (kind, details)) in (last + 1..).zip(rows) {
            events.push(event(id, id - 1, kind, details));
        }
    }
    events.truncate(25_000);
    events
}

/// A Map of 10,000 items that runs: half of them done, some hundreds under way.
fn large_map() -> Vec<HistoryEvent> {
    let mut events = vec![
        event(1, 0, "ExecutionStarted", json!({"input": "[]"})),
        event(2, 0, "MapStateEntered", json!({"name": "Each", "input": "[]"})),
        event(3, 2, "MapStateStarted", json!({"length": 10_000})),
    ];
    for index in 0..10_000 {
        let id = events.len() as i64 + 1;
        events.push(event(id, 3, "MapIterationStarted", json!({"name": "Each", "index": index})));
        events.push(event(id + 1, id, "PassStateEntered", json!({"name": "Check", "input": "{}"})));
        if index < 5_000 {
            events.push(event(id + 2, id + 1, "PassStateExited", json!({"name": "Check", "output": "{}"})));
            events.push(event(
                id + 3,
                id + 2,
                "MapIterationSucceeded",
                json!({"name": "Each", "index": index}),
            ));
        }
    }
    events
}

fn definition(states: usize) -> String {
    let mut all = serde_json::Map::new();
    for i in 0..states {
        let next = format!("State number {}", i + 1);
        let last = i + 1 == states;
        let state = match i % 10 {
            _ if last => json!({"Type": "Succeed"}),
            5 if i + 3 < states => json!({"Type": "Choice", "Default": next, "Choices": [
                {"Variable": "$.q.State", "StringEquals": "RUNNING", "Next": format!("State number {}", i - 4)},
                {"Variable": "$.q.State", "StringEquals": "DONE", "Next": format!("State number {}", i + 3)}]}),
            3 => json!({"Type": "Wait", "Seconds": 5, "Next": next}),
            _ => json!({"Type": "Pass", "Next": next}),
        };
        all.insert(format!("State number {i}"), state);
    }
    json!({"StartAt": "State number 0", "States": all}).to_string()
}

fn console() -> Model {
    let setup = Setup { now: start() + TimeDelta::hours(1), ..setup() };
    let route = Route::parse(&format!("workflows/{ARN}")).ok();
    Model::start(setup, SIZE, Session::default(), route).0
}

fn terminal() -> Terminal<TestBackend> {
    Terminal::new(TestBackend::new(SIZE.0, SIZE.1)).unwrap_or_else(|error| match error {})
}

fn paint(model: &Model, terminal: &mut Terminal<TestBackend>) {
    let _ = terminal.draw(|frame| view(model, frame.buffer_mut()));
}

fn happen(model: &mut Model, events: &[HistoryEvent]) {
    update(model, Msg::Happened(Happening::Events(ARN.into(), events.to_vec())));
}

fn press(model: &mut Model, code: KeyCode) {
    update(model, Msg::Pressed(KeyEvent::new(code, KeyModifiers::NONE)));
}

fn opened(events: &[HistoryEvent]) -> Model {
    let mut model = console();
    for page in events.chunks(1000) {
        happen(&mut model, page);
    }
    model
}

#[divan::bench]
fn fold_25_000_events(bencher: divan::Bencher) {
    let events = full_history();
    bencher.bench(|| {
        let mut timeline = Timeline::new();
        timeline.extend(&events);
        timeline.len()
    });
}

/// The first page of a long history: everything that stands between its arrival and the first picture.
#[divan::bench]
fn first_paint_of_25_000_events(bencher: divan::Bencher) {
    let events = full_history();
    bencher.with_inputs(|| (console(), terminal())).bench_values(|(mut model, mut terminal)| {
        happen(&mut model, &events[..1000]);
        paint(&model, &mut terminal);
    });
}

#[divan::bench(sample_count = 20)]
fn open_25_000_events_painting_each_page(bencher: divan::Bencher) {
    let events = full_history();
    bencher.with_inputs(|| (console(), terminal())).bench_values(|(mut model, mut terminal)| {
        for page in events.chunks(1000) {
            happen(&mut model, page);
            paint(&model, &mut terminal);
        }
    });
}

fn scroll(bencher: divan::Bencher, views: usize) {
    let mut model = opened(&full_history());
    let mut terminal = terminal();
    for _ in 0..views {
        press(&mut model, KeyCode::Char('v'));
    }
    let mut down = false;
    bencher.bench_local(|| {
        press(&mut model, if down { KeyCode::PageDown } else { KeyCode::PageUp });
        down = !down;
        paint(&model, &mut terminal);
    });
}

#[divan::bench(sample_count = 1000, sample_size = 1)]
fn scroll_25_000_events(bencher: divan::Bencher) {
    scroll(bencher, 2);
}

#[divan::bench(sample_count = 1000, sample_size = 1)]
fn scroll_the_timeline_of_25_000_events(bencher: divan::Bencher) {
    scroll(bencher, 1);
}

#[divan::bench(sample_count = 1000, sample_size = 1)]
fn frame_of_a_map_of_10_000(bencher: divan::Bencher) {
    let mut model = opened(&large_map());
    let mut terminal = terminal();
    let mut now = model.world.now;
    bencher.bench_local(|| {
        now += TimeDelta::milliseconds(16);
        update(&mut model, Msg::Ticked(now));
        paint(&model, &mut terminal);
    });
}

/// An item of a large map moves on: fold, settle, paint.
#[divan::bench(sample_count = 1000, sample_size = 1, args = [0, 1, 2])]
fn frame_of_a_map_of_10_000_that_moves(bencher: divan::Bencher, view: usize) {
    let mut model = opened(&large_map());
    let mut terminal = terminal();
    (0..view).for_each(|_| press(&mut model, KeyCode::Char('v')));
    let mut id = large_map().len() as i64;
    bencher.bench_local(|| {
        id += 1;
        happen(&mut model, &[event(id, id - 1, "PassStateExited", json!({"name": "Check", "output": "{}"}))]);
        paint(&model, &mut terminal);
    });
}

/// The last event of a full history, and the story that it begins.
#[divan::bench(sample_count = 200, sample_size = 1)]
fn frame_of_a_full_history_that_fails(bencher: divan::Bencher) {
    let mut events = full_history();
    events.pop();
    let last = events.len() as i64;
    let end = event(last + 1, last, "ExecutionFailed", json!({"error": "E", "cause": "the history is full"}));
    bencher.with_inputs(|| (opened(&events), terminal())).bench_values(|(mut model, mut terminal)| {
        happen(&mut model, std::slice::from_ref(&end));
        paint(&model, &mut terminal);
    });
}

#[divan::bench]
fn lay_out_200_states(bencher: divan::Bencher) {
    let machine = Machine::read(&definition(200)).ok();
    let graph = machine.as_ref().map(Graph::of).unwrap_or_default();
    assert_eq!(graph.nodes.len(), 200);
    bencher.bench(|| Picture::of(&graph, |node| node.name.len() + 12));
}

#[divan::bench]
fn read_and_lay_out_200_states_both_ways(bencher: divan::Bencher) {
    let text = definition(200);
    bencher.bench(|| {
        let flow = ward::ui::widgets::graph::shape::Flow::read(&text).unwrap_or_default();
        let plan = ward::ui::widgets::graph::plan::Plan::of(&flow);
        (plan, ward::ui::widgets::graph::drawn::Drawn::of(&text))
    });
}
