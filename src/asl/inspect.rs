//! One state by itself, as TestState runs it: what becomes of an input, of what the state's work gave,
//! and what stood between the steps of its data flow.

mod maps;

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::cursor::{About, At, Cursor, Outcome, Strand};
use super::data::Data;
use super::entry::Entry;
use super::failure::Failure;
use super::machine::{Flow, Kind, Language, Machine, State};
use super::retry;
use super::run::Run;
use super::scope::Variables;
use super::shape::Seen;
use super::step::Directive;

/// A state to be tried.
pub struct Trial<'m> {
    pub machine: &'m Machine,
    /// The way to its flow: Map and Parallel states, each with the branch.
    pub route: Vec<(String, usize)>,
    pub state: &'m State,
    pub input: Data,
    pub variables: Variables,
    /// The context object as the state sees it.
    pub context: Value,
    pub now: DateTime<Utc>,
    pub entropy: u64,
    /// Retries that are behind it.
    pub retries: u32,
    /// Iterations of a Map that failed.
    pub failures: Option<u64>,
    /// What a Map's ItemReader read.
    pub read: Option<Reading>,
}

/// The data of an ItemReader: the items in it, and what its ItemsPointer led to.
#[derive(Clone, Debug)]
pub struct Reading {
    pub items: Result<Vec<Entry>, Failure>,
    pub pointed: Option<Value>,
}

/// What a state's work gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    Result(Data),
    Error(Failure),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Succeeded,
    Failed,
    Retriable,
    CaughtError,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub status: Status,
    pub output: Option<Data>,
    pub failure: Option<Failure>,
    pub next: Option<String>,
    /// The members of the API's `inspectionData`.
    pub seen: Map<String, Value>,
}

/// The state of a name, wherever it stands, and the way to it.
pub fn find<'m>(machine: &'m Machine, name: &str) -> Option<(Vec<(String, usize)>, &'m State)> {
    let mut flows: VecDeque<(Vec<(String, usize)>, &Flow)> = VecDeque::from([(Vec::new(), &machine.flow)]);
    while let Some((route, flow)) = flows.pop_front() {
        if let Some(state) = flow.state(name) {
            return Some((route, state));
        }
        for state in flow.states() {
            for (branch, inner) in state.flows().into_iter().enumerate() {
                let hop = (state.name.clone(), branch);
                flows.push_back((route.iter().cloned().chain([hop]).collect(), inner));
            }
        }
    }
    None
}

impl<'m> Trial<'m> {
    fn run(&self) -> (Run<'m>, Strand) {
        let mut run = Run::new(self.machine, Cursor::new(About::default()), self.now, self.entropy);
        run.given = Some(self.context.clone());
        let strand = Strand {
            parent: None,
            route: Arc::new(self.route.clone()),
            index: 0,
            item: None,
            state: self.state.name.clone(),
            input: self.input.clone(),
            variables: Arc::new(self.variables.clone()),
            previous: 0,
            led_by: 0,
            entered: 0,
            entered_at: self.now,
            attempts: vec![self.retries; self.state.retry.len()],
            retries: self.retries,
            at: At::Starting,
        };
        (run, strand)
    }

    /// What a Task would ask its resource for; `None` when it fails before.
    pub fn request(&self) -> Option<Data> {
        let (run, strand) = self.run();
        let effective = run.effective(&strand, self.state).ok()?;
        let token = self.context["Task"]["Token"].as_str();
        run.arguments(&strand, self.state, &effective, token).ok()
    }

    /// Runs the state with what its work gave; states without work of their own need none.
    pub fn judge(&self, work: Option<Work>) -> Verdict {
        let (mut run, strand) = self.run();
        let mut seen = Map::from_iter([("input".to_owned(), self.input.text().into())]);
        let before = self.before(&run, &strand, &mut seen);
        let work = match (before, self.exceeded(&run, &strand)) {
            (Err(failure), _) => Some(Work::Error(failure)),
            (Ok(()), Some(failure)) => Some(Work::Error(failure)),
            (Ok(()), None) => work,
        };
        let failed = match &work {
            Some(Work::Error(failure)) => Some(failure.clone()),
            _ => None,
        };
        if let Some(Work::Result(result)) = &work {
            self.after(&run, &strand, result, &mut seen);
        }
        if let Some(failure) = &failed {
            self.recovery(&strand, failure, &mut seen);
        }
        self.perform(&mut run, strand, work);
        self.verdict(run, failed, seen)
    }

    /// What stands before the state's work.
    fn before(&self, run: &Run<'m>, strand: &Strand, seen: &mut Map<String, Value>) -> Result<(), Failure> {
        let state = self.state;
        let mut put = |name: &str, data: &Data| seen.insert(name.to_owned(), data.text().into());
        let effective = run.effective(strand, state)?;
        let token = self.context["Task"]["Token"].as_str();
        if state.language == Language::Jsonata {
            if matches!(state.kind, Kind::Task(_)) && state.data.parameters.is_some() {
                put("afterArguments", &run.arguments(strand, state, &effective, token)?);
            }
            if let Kind::Map(map) = &state.kind {
                self.limits(run, strand, map, &effective, seen)?;
                self.iterations(run, strand, map, &effective, seen)?;
            }
            return Ok(());
        }
        if !matches!(state.kind, Kind::Pass { result: Some(_) } | Kind::Parallel { .. }) {
            put("afterInputPath", &effective);
        }
        let own = match &state.kind {
            Kind::Pass { result } => result.is_none(),
            Kind::Task(_) => true,
            _ => false,
        };
        if own {
            put("afterParameters", &run.arguments(strand, state, &effective, token)?);
        }
        if let Kind::Map(map) = &state.kind {
            self.limits(run, strand, map, &effective, seen)?;
            self.iterations(run, strand, map, &effective, seen)?;
        }
        Ok(())
    }

    /// What stands after the state's work.
    fn after(&self, run: &Run<'m>, strand: &Strand, result: &Data, seen: &mut Map<String, Value>) {
        if matches!(self.state.kind, Kind::Task(_)) {
            seen.insert("result".to_owned(), result.text().into());
        }
        if self.state.language == Language::JsonPath {
            self.placed(run, strand, result, seen);
        }
    }

    fn placed(&self, run: &Run<'m>, strand: &Strand, result: &Data, seen: &mut Map<String, Value>) {
        let selected = match &self.state.data.selector {
            None => Ok(result.clone()),
            Some(template) => run.fill(template, strand, &Seen::of(result.value())).map(Data::from),
        };
        let Ok(selected) = selected else { return };
        seen.insert("afterResultSelector".to_owned(), selected.text().into());
        if let Ok(placed) = run.place(&self.state.data.result, strand, &selected) {
            seen.insert("afterResultPath".to_owned(), placed.text().into());
        }
    }

    /// Which retrier or catcher takes the failure.
    fn recovery(&self, strand: &Strand, failure: &Failure, seen: &mut Map<String, Value>) {
        let details = match retry::choose(&self.state.retry, failure, &strand.attempts) {
            Some(index) => {
                let delay = self.state.retry[index].delay(strand.attempts[index], 1.0);
                json!({"retryIndex": index, "retryBackoffIntervalSeconds": delay as u64})
            }
            None => match self.state.catch.iter().position(|catcher| catcher.takes(failure)) {
                Some(index) => json!({"catchIndex": index}),
                None => return,
            },
        };
        seen.insert("errorDetails".to_owned(), details);
    }

    /// Lets the interpreter do it; what it records is nobody's.
    fn perform(&self, run: &mut Run<'m>, strand: Strand, work: Option<Work>) {
        const ID: u64 = 0;
        let state = self.state;
        match (&state.kind, work) {
            (_, Some(Work::Error(failure))) => run.fail_here(ID, strand, state, failure),
            (_, Some(Work::Result(result))) => run.finish_state(ID, strand, state, result),
            (Kind::Pass { result }, None) => run.pass(ID, strand, state, result.as_ref()),
            (Kind::Choice(choice), None) => run.choose(ID, strand, state, choice),
            (Kind::Succeed, None) => run.succeed(ID, strand, state),
            (Kind::Fail { error, cause }, None) => {
                run.fail_state(ID, strand, state, error.as_ref(), cause.as_ref());
            }
            (Kind::Wait(until), None) => {
                run.wait(ID, strand, state, until);
                // Nobody waits here.
                if let Some(strand) = run.cursor.strands.remove(&ID) {
                    match strand.at {
                        At::Waiting(_) => run.waited(ID, strand),
                        _ => _ = run.cursor.strands.insert(ID, strand),
                    }
                }
            }
            (Kind::Task(_) | Kind::Parallel { .. } | Kind::Map(_), None) => {
                run.fail_here(ID, strand, state, Failure::runtime("The state's work gave nothing."));
            }
        }
    }

    fn verdict(&self, run: Run<'m>, failed: Option<Failure>, mut seen: Map<String, Value>) -> Verdict {
        if let Kind::Pass { result } = &self.state.kind
            && self.state.language == Language::JsonPath
            && failed.is_none()
        {
            let (fresh, strand) = self.run();
            if let Some(result) = result {
                seen.insert("result".to_owned(), result.to_string().into());
            }
            let given = match result {
                Some(result) => Some(Data::from(result.clone())),
                None => self.request(),
            };
            if let Some(given) = given {
                self.placed(&fresh, &strand, &given, &mut seen);
            }
        }
        let assigned = assigned(&run);
        let strand = run.cursor.strands.into_values().next();
        let verdict =
            |status, output, failure, next| Verdict { status, output, failure, next, seen: seen.clone() };
        let mut verdict = match (run.cursor.over, &strand) {
            (Some(Outcome::Succeeded(output)), _) => verdict(Status::Succeeded, Some(output), None, None),
            (Some(Outcome::Failed(failure) | Outcome::TimedOut(failure) | Outcome::Aborted(failure)), _) => {
                verdict(Status::Failed, None, Some(failure), None)
            }
            (None, Some(strand)) if matches!(strand.at, At::BackingOff(_)) => {
                verdict(Status::Retriable, None, failed, None)
            }
            (None, Some(strand)) => {
                let status = if failed.is_some() { Status::CaughtError } else { Status::Succeeded };
                verdict(status, Some(strand.input.clone()), failed, Some(strand.state.clone()))
            }
            (None, None) => verdict(Status::Failed, None, failed, None),
        };
        let mut variables = match strand {
            Some(strand) => strand.variables.as_ref().clone(),
            // Nothing is left of the state after which all ends.
            None if verdict.status == Status::Succeeded => self.variables.clone(),
            None => Variables::default(),
        };
        if verdict.status == Status::Succeeded {
            variables.extend(assigned);
        }
        if !variables.is_empty() {
            verdict.seen.insert("variables".to_owned(), json!(variables).to_string().into());
        }
        verdict
    }
}

/// The variables that were set on the way out of the state, as its last event tells of them.
fn assigned(run: &Run<'_>) -> Variables {
    let texts = run.out.iter().rev().find_map(|directive| match directive {
        Directive::Record(event) => event.details.as_ref()?.get("assignedVariables")?.as_object(),
        _ => None,
    });
    let parsed =
        |(name, text): (&String, &Value)| Some((name.clone(), serde_json::from_str(text.as_str()?).ok()?));
    texts.into_iter().flatten().filter_map(parsed).collect()
}
