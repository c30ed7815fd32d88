//! The screen as the shell drives it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::*;
use crate::domain::grid::{Column, Grid, Kind};
use crate::domain::query::{Query, QueryState};
use crate::ui::effect::{Effect, Request};
use crate::ui::keymap::Keymap;
use crate::ui::msg::Happening;
use crate::ui::overlays::pick::Question;
use crate::ui::remote::Ticket;
use crate::ui::say::Zone;
use crate::ui::theme::Theme;
use crate::ui::world::Setup;
use list::{Shelf, fresh};

/// A world on a local target, as of 2026-01-01, 80x24.
pub(super) fn world() -> World {
    let now = chrono::DateTime::parse_from_rfc3339("2026-01-01T15:04:11Z").unwrap().to_utc();
    let setup = Setup {
        target: "LOCAL".into(),
        local: true,
        region: "us-east-1".into(),
        bucket: "healthcare-accreditation-data-pipeline".into(),
        prefix: "raw/".into(),
        database: "healthcare_pipeline".into(),
        table: "facilities".into(),
        workgroup: "primary".into(),
        function: "Stage3-AthenaQueryFunction".into(),
        state_machine: "HealthcarePipelineStateMachine".into(),
        topic: "healthcare-pipeline-notifications".into(),
        read_only: false,
        as_of: now.date_naive(),
        as_of_chosen: true,
        within: "6mo".into(),
        zone: Zone::UTC,
        utc: true,
        ascii: false,
        reduced_motion: false,
        mouse: true,
        theme: Theme::named("dark"),
        keymap: Keymap::default(),
        now,
    };
    World::new(setup, (80, 24))
}

const ID: &str = "11111111-2222-3333-4444-555555555555";

/// The screen with its world; what it asked for last.
struct Desk {
    model: Model,
    world: World,
    wishes: Vec<Wish>,
}

impl Desk {
    fn new() -> Desk {
        let mut stage = Desk { model: Model::default(), world: world(), wishes: Vec::new() };
        stage.tell(Msg::Began);
        stage.tell(Msg::Opened(Route::new(Screen::Queries)));
        for wish in std::mem::take(&mut stage.wishes) {
            let Wish::Do(Effect::Ask(ticket, request)) = wish else { panic!("{wish:?}") };
            let reply = match request {
                Request::SavedQueries => Reply::SavedQueries(Vec::new()),
                Request::Queries { .. } => Reply::Queries { items: Vec::new(), next: None },
                Request::Tables => Reply::Tables(Vec::new()),
                other => panic!("{other:?}"),
            };
            stage.tell(Msg::Replied(ticket, Ok(reply)));
        }
        stage
    }

    fn tell(&mut self, msg: Msg) {
        self.wishes = self.model.update(&mut self.world, msg);
    }

    fn did(&mut self, action: Action) {
        self.tell(Msg::Did(action));
    }

    fn typed(&mut self, text: &str) {
        for c in text.chars() {
            self.tell(Msg::Typed(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)));
        }
    }

    /// The only thing that was asked of the world.
    fn asked(&self) -> (Ticket, Request) {
        match self.wishes.as_slice() {
            [Wish::Do(Effect::Ask(ticket, request))] => (*ticket, request.clone()),
            other => panic!("{other:?}"),
        }
    }

    /// Athena takes the statement and is done with it at once, well or badly.
    fn runs(&mut self, state: QueryState, reason: Option<&str>) -> String {
        let (ticket, request) = self.asked();
        let Request::StartQuery { sql } = request else { panic!("{request:?}") };
        self.tell(Msg::Replied(ticket, Ok(Reply::Started(ID.into()))));
        let query = Query { state, reason: reason.map(str::to_owned), ..fresh(ID, &sql, &self.world) };
        self.tell(Msg::Happened(Happening::Query(Box::new(query))));
        sql
    }

    fn brings(&mut self, rows: usize, next: Option<&str>) {
        let (ticket, request) = self.asked();
        assert!(matches!(request, Request::Results { .. }), "{request:?}");
        let column = |name: &str, kind| Column { name: name.into(), type_name: "varchar".into(), kind };
        let columns = vec![column("state", Kind::Text), column("facility_count", Kind::Number)];
        let rows = (0..rows).map(|n| vec![Some(format!("S{n}")), Some(n.to_string())]).collect();
        let reply = Reply::Results { grid: Grid { columns, rows }, next: next.map(str::to_owned) };
        self.tell(Msg::Replied(ticket, Ok(reply)));
    }
}

#[test]
fn a_saved_query_runs_from_the_list_to_its_result_and_into_a_file() {
    let mut stage = Desk::new();
    stage.did(Action::Down);
    stage.did(Action::Run);
    let sql = stage.runs(QueryState::Succeeded, None);
    assert!(sql.contains("FROM healthcare_pipeline.facilities\nGROUP BY state"), "{sql}");
    assert_eq!(stage.asked().1, Request::Results { id: ID.into(), token: None });
    stage.brings(3, None);
    assert_eq!(stage.model.route().to_string(), format!("queries/{ID}"));
    assert!(stage.model.subs(&stage.world).is_empty());
    stage.did(Action::Right);
    stage.did(Action::Sort);
    let [Wish::Do(Effect::Compute(ticket, _))] = stage.wishes.as_slice() else {
        panic!("{:?}", stage.wishes)
    };
    let ticket = *ticket;
    stage.tell(Msg::Replied(ticket, Ok(Reply::Arranged(vec![2, 1, 0]))));
    stage.did(Action::Copy);
    assert_eq!(stage.wishes, [Wish::Do(Effect::Copy("2".into()))]);
    stage.did(Action::Export);
    assert!(matches!(stage.wishes.as_slice(), [Wish::Pick(_)]));
    stage.tell(Msg::Answered(Question::Export, "out.xls".into()));
    assert!(matches!(stage.wishes.as_slice(), [Wish::Pick(pick)] if pick.error.is_some()));
    stage.tell(Msg::Answered(Question::Export, "out.csv".into()));
    let (_, request) = stage.asked();
    let Request::Export { path, content: crate::ui::effect::Export::Grid { order, .. } } = request else {
        panic!("{request:?}")
    };
    assert_eq!((path.as_str(), order), ("out.csv", vec![2, 1, 0]));
    // It is in the history now, under the title of what it was made from.
    assert_eq!(stage.model.list.past(ID).map(|query| query.state), Some(QueryState::Succeeded));
    let query = stage.model.list.past(ID).unwrap();
    assert_eq!(stage.model.list.title(query), Some("Facilities per state"));
}

#[test]
fn a_failure_leads_to_its_spot_in_the_editor() {
    let mut stage = Desk::new();
    stage.did(Action::New);
    stage.typed("SELECT nope FROM facilities");
    stage.did(Action::Run);
    stage.runs(QueryState::Failed, Some("COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved"));
    assert_eq!(stage.wishes, []);
    assert!(matches!(stage.model.run.as_ref().map(|run| run.stage()), Some(Stage::Failed(_))));
    stage.did(Action::Edit);
    assert!(stage.model.is_editing());
    assert_eq!(stage.model.statement.editor.cursor(), (0, 7));
    stage.typed("x");
    assert_eq!(stage.model.statement.wrong, None);
}

#[test]
fn a_running_query_is_followed_and_can_be_cancelled() {
    let mut stage = Desk::new();
    stage.did(Action::Run);
    stage.runs(QueryState::Running, None);
    let subs = stage.model.subs(&stage.world);
    assert_eq!(subs, BTreeSet::from([Sub::Clock(250), Sub::Query(ID.into())]));
    stage.did(Action::Cancel);
    let [Wish::Confirm(confirm)] = stage.wishes.as_slice() else { panic!("{:?}", stage.wishes) };
    let request = confirm.request.clone();
    assert_eq!(request, Request::StopQuery { id: ID.into() });
    stage.tell(Msg::Confirmed(request));
    let (ticket, _) = stage.asked();
    stage.tell(Msg::Replied(ticket, Ok(Reply::Done)));
    let query = stage.model.list.past(ID).cloned().unwrap();
    let cancelled = Query { state: QueryState::Cancelled, ..query };
    stage.tell(Msg::Happened(Happening::Query(Box::new(cancelled))));
    assert!(stage.model.subs(&stage.world).is_empty());
    stage.did(Action::Cancel);
    assert!(matches!(stage.wishes.as_slice(), [Wish::Say(_)]));
    // What this console started may be stopped even when nothing may be written.
    stage.did(Action::Run);
    stage.runs(QueryState::Running, None);
    stage.world.setup.read_only = true;
    stage.did(Action::Cancel);
    assert_eq!(stage.asked().1, Request::StopQuery { id: ID.into() });
}

/// A query without an answer goes on being asked for, and is neither lost nor over.
#[test]
fn a_query_that_has_no_answer_at_present_is_followed_on() {
    let mut stage = Desk::new();
    stage.did(Action::Run);
    stage.runs(QueryState::Running, None);
    let interrupted = |stage: &Desk| stage.model.run.as_ref().and_then(|run| run.interrupted.clone());
    let problem = Problem::new("No answer to GetQueryExecution");
    stage.tell(Msg::Happened(Happening::Interrupted(Sub::Query("another".into()), problem.clone())));
    assert_eq!(interrupted(&stage), None);
    stage.tell(Msg::Happened(Happening::Interrupted(Sub::Query(ID.into()), problem.clone())));
    assert_eq!(interrupted(&stage), Some(problem));
    assert!(matches!(stage.model.run.as_ref().map(|run| run.stage()), Some(Stage::Live(_))));
    assert!(stage.model.subs(&stage.world).contains(&Sub::Query(ID.into())));
    let query = stage.model.list.past(ID).cloned().unwrap();
    stage.tell(Msg::Happened(Happening::Query(Box::new(query))));
    assert_eq!(interrupted(&stage), None);
}

#[test]
fn a_statement_that_writes_waits_for_a_yes() {
    let mut stage = Desk::new();
    stage.did(Action::New);
    stage.tell(Msg::Pasted("DROP TABLE facilities".into()));
    stage.did(Action::Run);
    let [Wish::Confirm(confirm)] = stage.wishes.as_slice() else { panic!("{:?}", stage.wishes) };
    assert!(confirm.always);
    let request = confirm.request.clone();
    assert!(stage.model.run.is_none(), "nothing is sent before");
    stage.tell(Msg::Confirmed(request.clone()));
    assert_eq!(stage.asked().1, request);
}

#[test]
fn a_parameter_without_a_value_is_asked_for_before_the_statement_runs() {
    let mut stage = Desk::new();
    stage.did(Action::New);
    stage.typed("SELECT * FROM facilities WHERE state = :state");
    stage.did(Action::Run);
    let [Wish::Pick(pick)] = stage.wishes.as_slice() else { panic!("{:?}", stage.wishes) };
    assert_eq!(pick.question, Question::Parameter("state".into()));
    stage.tell(Msg::Answered(Question::Parameter("state".into()), "TX".into()));
    assert_eq!(stage.runs(QueryState::Running, None), "SELECT * FROM facilities WHERE state = 'TX'");
}

#[test]
fn the_history_pages_in_and_keeps_its_place() {
    let mut stage = Desk::new();
    let query = |n: i64| Query {
        state: QueryState::Succeeded,
        submitted: Some(stage.world.now - chrono::TimeDelta::minutes(n)),
        ..fresh(&format!("{n:036}"), "SELECT 1", &stage.world)
    };
    let (first, second): (Vec<_>, Vec<_>) = ((0..30).map(query).collect(), (30..60).map(query).collect());
    stage.did(Action::Refresh);
    let Some(Wish::Do(Effect::Ask(ticket, Request::Queries { token: None }))) = stage.wishes.last() else {
        panic!("{:?}", stage.wishes)
    };
    let reply = Reply::Queries { items: first, next: Some("t".into()) };
    stage.tell(Msg::Replied(*ticket, Ok(reply)));
    stage.did(Action::NextView);
    assert_eq!(stage.model.list.shelf, Shelf::History);
    stage.did(Action::Last);
    let (ticket, request) = stage.asked();
    assert_eq!(request, Request::Queries { token: Some("t".into()) });
    stage.tell(Msg::Replied(ticket, Ok(Reply::Queries { items: second, next: None })));
    assert_eq!(stage.model.list.rows(Shelf::History).len(), 60);
    assert_eq!(stage.model.list.cursor().selected, 29);
    stage.did(Action::Filter);
    stage.typed("nothing like it");
    assert_eq!(stage.model.list.chosen(), None);
    stage.did(Action::Back);
    assert_eq!(stage.model.list.rows(Shelf::History).len(), 60);
}

#[test]
fn a_route_opens_a_saved_query_or_a_past_one() {
    let mut stage = Desk::new();
    stage.tell(Msg::Opened(Route::new(Screen::Queries).object("lapsed")));
    assert_eq!(stage.model.statement.title, "Lapsed accreditations");
    assert_eq!(stage.model.route().to_string(), "queries/lapsed");
    stage.tell(Msg::Opened(Route::new(Screen::Queries).object(ID)));
    let asks = stage
        .wishes
        .iter()
        .any(|wish| matches!(wish, Wish::Do(Effect::Ask(_, Request::Query { id })) if id == ID));
    assert!(asks, "{:?}", stage.wishes);
    assert_eq!(stage.model.route().to_string(), format!("queries/{ID}"));
    stage.did(Action::Back);
    assert_eq!(stage.model.route().to_string(), "queries");
    stage.did(Action::Back);
    assert_eq!(stage.wishes, [Wish::Back]);
}

#[test]
fn completion_gives_way_to_ordinary_keys() {
    let mut stage = Desk::new();
    stage.model.tables = Remote::here(
        vec![crate::sql::complete::Table {
            database: "healthcare_pipeline".into(),
            name: "facilities".into(),
            columns: Vec::new(),
        }],
        stage.world.now,
    );
    let press = |stage: &mut Desk, code| stage.tell(Msg::Typed(KeyEvent::new(code, KeyModifiers::NONE)));
    stage.did(Action::New);
    stage.typed("SELECT * FROM fac");
    assert!(stage.model.statement.offers.is_some());
    press(&mut stage, KeyCode::Enter);
    assert_eq!(stage.model.statement.editor.text(), "SELECT * FROM fac\n");
    press(&mut stage, KeyCode::Backspace);
    stage.typed("i");
    press(&mut stage, KeyCode::Tab);
    assert_eq!(stage.model.statement.editor.text(), "SELECT * FROM facilities");
    stage.did(Action::LeaveEditor);
    assert!(!stage.model.typing());
}
