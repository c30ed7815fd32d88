//! What the cloud would answer: the committed sample, one state machine, and runs of every kind, as of
//! 2026-01-01 15:04:11 UTC. Histories have the events and details that Step Functions gives such runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use ward::domain::execution::{Definition, Execution, HistoryEvent, Machine, MapRun, Status};
use ward::domain::facility;
use ward::domain::grid::{Column, Grid, Kind};
use ward::domain::log::LogLine;
use ward::domain::object::Object;
use ward::domain::problem::Problem;
use ward::domain::query::{Query, QueryState};
use ward::ui::effect::{Reply, Request, Table};
use ward::ui::msg::Happening;
use ward::ui::subs::Sub;
use ward::ui::world::Facilities;

use super::logs;
use super::setup::now;

pub const ACCOUNT: &str = "000000000000";
pub const MACHINE: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:HealthcarePipelineStateMachine";

/// What the function writes, and what SNS writes of the topic's deliveries.
pub const FUNCTION_LOG: &str = "/aws/lambda/Stage3-AthenaQueryFunction";
pub const TOPIC_LOG: &str = "sns/us-east-1/000000000000/healthcare-pipeline-notifications";

/// So long before the moment at which every console of the tests stands.
pub fn ago(seconds: i64) -> DateTime<Utc> {
    now() - TimeDelta::seconds(seconds)
}

/// The ARN of an execution of the pipeline.
pub fn execution_arn(name: &str) -> String {
    format!("arn:aws:states:us-east-1:{ACCOUNT}:execution:HealthcarePipelineStateMachine:{name}")
}

/// An account's contents.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    pub facilities: Arc<Facilities>,
    pub machines: Vec<Machine>,
    /// Newest first.
    pub executions: Vec<Execution>,
    /// By the execution's ARN.
    pub histories: BTreeMap<String, Vec<HistoryEvent>>,
    /// Newest first.
    pub queries: Vec<Query>,
    /// By the query's id.
    pub results: BTreeMap<String, Grid>,
    /// Rows of a page of a result, queries or executions of a page of their list; 0 puts all on one page.
    pub page: usize,
    /// The query that a started statement is; q-0003 when `None`.
    pub started: Option<String>,
    /// Of every state machine; the pipeline's when `None`.
    pub definition: Option<String>,
    /// Lines of an express machine's log.
    pub express: Vec<LogLine>,
    pub map_runs: Vec<MapRun>,
    pub tables: Vec<Table>,
    pub saved_queries: Vec<(String, String)>,
    /// By group; a group that is not here does not exist.
    pub lines: BTreeMap<String, Vec<LogLine>>,
    /// The youngest first.
    pub objects: Vec<Object>,
    /// Every question is answered with it.
    pub failure: Option<Problem>,
}

impl Answers {
    /// An account without anything.
    pub fn empty() -> Answers {
        Answers::default()
    }

    /// An account that cannot be reached.
    pub fn failing() -> Answers {
        let failure = Problem::new("The local cloud cannot be reached")
            .detail("connection refused: 127.0.0.1:4566")
            .hint("Start it again, or check --endpoint-url")
            .retry();
        Answers { failure: Some(failure), ..Answers::default() }
    }

    /// The sample, and a pipeline that ran a few times: running, succeeded, failed, stopped.
    pub fn sample() -> Answers {
        let machine = Machine {
            arn: MACHINE.into(),
            name: "HealthcarePipelineStateMachine".into(),
            express: false,
            created: Some(ago(40 * 86_400)),
        };
        let runs = [
            ("run-20260101-150405-004", Status::Running, 6),
            ("run-20260101-090000-217", Status::Succeeded, 21_851),
            ("run-20251231-210000-118", Status::Failed, 65_051),
            ("run-20251231-090000-530", Status::Succeeded, 108_251),
            ("run-20251230-090000-001", Status::Aborted, 194_651),
            ("run-20251229-090000-777", Status::TimedOut, 281_051),
        ];
        let mut answers = Answers { facilities: Arc::new(sample()), ..Answers::default() };
        answers.machines.push(machine);
        for (name, status, before) in runs {
            let mut run = Execution {
                arn: execution_arn(name),
                name: name.into(),
                machine_arn: MACHINE.into(),
                status,
                started: ago(before),
                stopped: None,
                input: None,
                output: None,
                error: None,
                cause: None,
                redrives: 0,
            };
            let history = history(&run);
            run.stopped = history.last().map(|last| last.at).filter(|_| status.is_over());
            answers.histories.insert(run.arn.clone(), history);
            answers.executions.push(run);
        }
        answers.queries = vec![
            query("q-0004", QueryState::Running, 5, None),
            query("q-0003", QueryState::Succeeded, 21_850, None),
            query(
                "q-0002",
                QueryState::Failed,
                40_000,
                Some(
                    "TABLE_NOT_FOUND: line 2:6: Table 'awsdatacatalog.healthcare_pipeline.facilitys' does not exist",
                ),
            ),
            query("q-0001", QueryState::Cancelled, 90_000, None),
        ];
        answers.results.insert("q-0003".into(), grid());
        answers.tables.push(Table {
            name: "facilities".into(),
            columns: [("facility_id", "string"), ("employee_count", "int"), ("state", "string")]
                .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
                .to_vec(),
        });
        answers.lines.insert(FUNCTION_LOG.into(), logs::function());
        answers.lines.insert(TOPIC_LOG.into(), logs::topic());
        answers.objects = answers.facilities.entries.iter().map(|(object, _)| object.clone()).collect();
        answers.objects.sort_by_key(|object| std::cmp::Reverse(object.modified));
        answers
    }

    pub fn answer(&self, request: &Request) -> Result<Reply, Problem> {
        if let Some(problem) = &self.failure {
            return Err(problem.clone());
        }
        Ok(match request {
            Request::Facilities { .. } => Reply::Facilities(self.facilities.clone()),
            Request::Machines => Reply::Machines(self.machines.clone()),
            Request::Executions { status, token, .. } => {
                let wanted = |run: &&Execution| status.is_none_or(|status| run.status == status);
                let all: Vec<Execution> = self.executions.iter().filter(wanted).cloned().collect();
                let (items, next) = self.paged(&all, token.as_deref());
                Reply::Executions { items, next }
            }
            Request::Releases { .. } => Reply::Releases(Vec::new(), Vec::new()),
            Request::MapRun { arn } => {
                let run = self.map_runs.iter().find(|run| run.arn == *arn).cloned();
                Reply::MapRun(run.ok_or_else(|| missing("Map run", arn))?)
            }
            Request::Express { .. } => {
                let group = (!self.express.is_empty()).then(|| "/aws/vendedlogs/states/Quick".to_owned());
                Reply::Express(group, self.express.clone())
            }
            Request::ReadFile { .. } => Reply::Text(INPUT.into()),
            Request::Execution { arn } => {
                let run = self.executions.iter().find(|run| run.arn == *arn);
                let mut run = run.cloned().ok_or_else(|| missing("Execution", arn))?;
                run.input = Some(INPUT.into());
                Reply::Execution(Box::new(run))
            }
            Request::Definition { .. } | Request::DefinitionOf { .. } => Reply::Definition(Definition {
                machine_arn: MACHINE.into(),
                text: self
                    .definition
                    .clone()
                    .unwrap_or_else(|| include_str!("../../../assets/pipeline.asl.json").to_owned()),
                role_arn: Some(format!("arn:aws:iam::{ACCOUNT}:role/pipeline")),
                revision: Some("1".into()),
                log_group: self.lines.keys().find(|group| group.contains("/states/")).cloned(),
            }),
            Request::History { execution_arn } => {
                Reply::History(self.histories.get(execution_arn).cloned().unwrap_or_default())
            }
            Request::StartExecution { name, .. } => {
                Reply::Started(execution_arn(name.as_deref().unwrap_or("generated")))
            }
            Request::StopExecution { .. }
            | Request::RedriveExecution { .. }
            | Request::SendTaskSuccess { .. }
            | Request::SendTaskFailure { .. }
            | Request::StopQuery { .. } => Reply::Done,
            Request::Queries { token } => {
                let (items, next) = self.paged(&self.queries, token.as_deref());
                Reply::Queries { items, next }
            }
            Request::Query { id } => {
                let query = self.queries.iter().find(|query| query.id == *id).cloned();
                Reply::Query(Box::new(query.ok_or_else(|| missing("Query", id))?))
            }
            Request::StartQuery { .. } => {
                Reply::Started(self.started.clone().unwrap_or_else(|| "q-0003".into()))
            }
            Request::Results { id, token } => {
                let grid = self.results.get(id).ok_or_else(|| missing("Result", id))?;
                let (rows, next) = self.paged(&grid.rows, token.as_deref());
                Reply::Results { grid: Grid { columns: grid.columns.clone(), rows }, next }
            }
            Request::Tables => Reply::Tables(self.tables.clone()),
            Request::SavedQueries => Reply::SavedQueries(self.saved_queries.clone()),
            Request::Lines { group, .. } | Request::LinesBetween { group, .. } => {
                let lines = self.lines.get(group).cloned();
                Reply::Lines(lines.ok_or_else(|| missing("Log group", group))?)
            }
            Request::Export { path, .. } => Reply::Written { path: path.clone(), rows: 1 },
        })
    }

    /// A page of a list; its token is where the next one begins.
    fn paged<T: Clone>(&self, all: &[T], token: Option<&str>) -> (Vec<T>, Option<String>) {
        let from = token.and_then(|token| token.parse().ok()).unwrap_or(0).min(all.len());
        let to = if self.page == 0 { all.len() } else { (from + self.page).min(all.len()) };
        (all[from..to].to_vec(), (to < all.len()).then(|| to.to_string()))
    }

    /// What a stream brings until it has nothing new.
    pub fn stream(&self, sub: &Sub) -> Vec<Happening> {
        if let Some(problem) = self.failure.as_ref().filter(|_| !matches!(sub, Sub::Clock(_))) {
            return vec![Happening::Ended(sub.clone(), Some(problem.clone()))];
        }
        match sub {
            Sub::Clock(_) => Vec::new(),
            Sub::Execution(arn) => {
                let events = self.histories.get(arn).cloned().unwrap_or_default();
                let over = events.last().is_some_and(|last| {
                    let ends =
                        ["ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"];
                    ends.contains(&last.kind.as_str())
                });
                let mut all = vec![Happening::Events(arn.clone(), events)];
                all.extend(over.then(|| Happening::Ended(sub.clone(), None)));
                all
            }
            Sub::Logs { group, .. } => {
                vec![Happening::Lines(group.clone(), self.lines.get(group).cloned().unwrap_or_default())]
            }
            Sub::Objects { .. } => {
                let (newest, total) = (self.objects.clone(), self.objects.len());
                vec![Happening::Objects { newest, total }]
            }
            Sub::Query(id) => {
                let Some(query) = self.queries.iter().find(|query| query.id == *id) else {
                    return Vec::new();
                };
                let mut all = vec![Happening::Query(Box::new(query.clone()))];
                all.extend(query.state.is_over().then(|| Happening::Ended(sub.clone(), None)));
                all
            }
        }
    }
}

fn missing(what: &str, name: &str) -> Problem {
    Problem::new(format!("{what} {name} was not found")).hint("r asks again")
}

/// The committed facility records, each in an object of its own.
fn sample() -> Facilities {
    let mut entries = Vec::new();
    for (index, line) in include_str!("../../../data/facilities.ndjson").lines().enumerate() {
        let facility = facility::read(line.as_bytes()).expect("a record of the sample");
        let object = Object {
            key: format!("raw/{}.json", facility.facility_id),
            size: line.len() as u64,
            etag: format!("{index:032x}"),
            modified: Some(ago(7_200 - index as i64)),
        };
        entries.push((object, facility));
    }
    Facilities { entries, problems: Vec::new() }
}

const INPUT: &str = r#"{"requested_by":"operator"}"#;
const QUERY_ID: &str = "5c1d6a52-0b7e-4c2f-9a53-1b6f0e1d7f3a";

/// Events of a run that has this status.
fn history(run: &Execution) -> Vec<HistoryEvent> {
    let mut story = Story { at: run.started, events: Vec::new() };
    story.event(
        0,
        "ExecutionStarted",
        json!({"input": INPUT, "roleArn": "arn:aws:iam::000000000000:role/pipeline"}),
    );
    let invoked = json!({"query_execution_id": QUERY_ID, "output_location": format!("s3://b/athena-results/{QUERY_ID}.csv")});
    story.task("InvokeLambdaFunction", "lambda", "invoke", 1_204, Ok(invoked));
    story.event(0, "WaitStateEntered", named("WaitForQueryCompletion", "input"));
    match run.status {
        Status::Running => return story.events,
        Status::Aborted => {
            story.event(800, "ExecutionAborted", json!({"error": "Stopped", "cause": "Stopped from ward"}));
            return story.events;
        }
        Status::TimedOut => {
            story.event(3_598_796, "ExecutionTimedOut", json!({}));
            return story.events;
        }
        _ => {}
    }
    story.event(5_000, "WaitStateExited", named("WaitForQueryCompletion", "output"));
    let status = json!({"QueryExecution": {"Status": {"State": "SUCCEEDED"}}});
    story.task("CheckQueryStatus", "athena", "getQueryExecution", 310, Ok(status));
    story.event(0, "ChoiceStateEntered", named("QueryOutcome", "input"));
    story.event(1, "ChoiceStateExited", named("QueryOutcome", "output"));
    story.event(0, "PassStateEntered", named("QuerySucceeded", "input"));
    story.event(1, "PassStateExited", named("QuerySucceeded", "output"));
    if run.status == Status::Succeeded {
        story.task(
            "CopyResultsToProduction",
            "aws-sdk:s3",
            "copyObject",
            420,
            Ok(json!({"CopyObjectResult": {}})),
        );
        story.event(1, "ExecutionSucceeded", json!({"output": r#"{"copied":true}"#}));
    } else {
        let error = ("S3.NoSuchKeyException", "The specified key does not exist.");
        story.task("CopyResultsToProduction", "aws-sdk:s3", "copyObject", 220, Err(error));
        story.task("QueryFailed", "sns", "publish", 40, Ok(json!({"MessageId": "m-1"})));
        story.event(0, "FailStateEntered", named("PipelineFailed", "input"));
        story.event(1, "ExecutionFailed", json!({"error": error.0, "cause": error.1}));
    }
    story.events
}

fn named(name: &str, data: &str) -> Value {
    json!({"name": name, data: INPUT})
}

/// Events one after the other.
struct Story {
    at: DateTime<Utc>,
    events: Vec<HistoryEvent>,
}

impl Story {
    /// An event so many milliseconds after the one before.
    fn event(&mut self, millis: i64, kind: &str, details: Value) {
        self.at += TimeDelta::milliseconds(millis);
        let previous = self.events.len() as i64;
        self.events.push(HistoryEvent {
            id: previous + 1,
            previous,
            at: self.at,
            kind: kind.into(),
            details,
        });
    }

    /// A Task state that takes so long. An error leaves it through its Catch.
    fn task(&mut self, name: &str, kind: &str, action: &str, millis: i64, end: Result<Value, (&str, &str)>) {
        let resource = json!({"resourceType": kind, "resource": action});
        let with = |more: Value| {
            let mut details = resource.clone();
            for (key, value) in more.as_object().into_iter().flatten() {
                details[key] = value.clone();
            }
            details
        };
        self.event(0, "TaskStateEntered", named(name, "input"));
        self.event(1, "TaskScheduled", with(json!({"region": "us-east-1", "parameters": INPUT})));
        self.event(2, "TaskStarted", resource.clone());
        match &end {
            Ok(output) => {
                self.event(millis - 4, "TaskSucceeded", with(json!({"output": output.to_string()})));
            }
            Err((error, cause)) => {
                self.event(millis - 4, "TaskFailed", with(json!({"error": error, "cause": cause})));
            }
        }
        self.event(1, "TaskStateExited", named(name, "output"));
    }
}

fn query(id: &str, state: QueryState, before: i64, reason: Option<&str>) -> Query {
    let over = state.is_over();
    Query {
        id: id.into(),
        sql: "SELECT state, count(*) AS facilities\nFROM healthcare_pipeline.facilities\nGROUP BY state"
            .into(),
        state,
        reason: reason.map(str::to_owned),
        database: Some("healthcare_pipeline".into()),
        workgroup: Some("primary".into()),
        output_location: Some(format!("s3://healthcare-accreditation-data-pipeline/athena-results/{id}.csv")),
        submitted: Some(ago(before)),
        completed: over.then(|| ago(before) + TimeDelta::milliseconds(812)),
        scanned: over.then_some(66_867),
        engine_millis: over.then_some(790),
        queue_millis: Some(22),
        total_millis: over.then_some(812),
    }
}

fn grid() -> Grid {
    let column =
        |name: &str, type_name: &str, kind| Column { name: name.into(), type_name: type_name.into(), kind };
    let rows = [("TX", "40"), ("CA", "31"), ("FL", "24"), ("NY", "19")];
    Grid {
        columns: vec![column("state", "varchar", Kind::Text), column("facilities", "bigint", Kind::Number)],
        rows: rows.map(|(state, count)| vec![Some(state.into()), Some(count.into())]).to_vec(),
    }
}
