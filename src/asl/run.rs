//! One step under way: the strands that are ready, the events they record, and how an execution begins
//! and moves on; how it ends is in [`super::ending`]. What each type of state does is in [`super::simple`], [`super::task`],
//! [`super::join`] and [`super::mapping`].

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::context::{context, put_item};
use super::cursor::{At, Cursor, Outcome, Strand, Ticket, Timer};
use super::data::Data;
use super::event::{self, Event};
use super::failure::Failure;
use super::machine::{Kind, Machine, Next, State};
use super::scope::{Chance, Context};
use super::step::Directive;

/// A history has at most this many events.
const EVENTS: i64 = 25_000;
/// Seconds that an express execution may take.
const EXPRESS: u64 = 300;
/// State transitions in one step.
const TRANSITIONS: usize = 500;

pub(super) struct Run<'m> {
    pub machine: &'m Machine,
    pub now: DateTime<Utc>,
    pub chance: Chance,
    pub cursor: Cursor,
    pub out: Vec<Directive>,
    /// A context object from outside, in place of the execution's own.
    pub given: Option<Value>,
    /// The history is full.
    pub exhausted: bool,
}

impl<'m> Run<'m> {
    pub fn new(machine: &'m Machine, cursor: Cursor, now: DateTime<Utc>, entropy: u64) -> Run<'m> {
        Run {
            machine,
            now,
            chance: Chance::new(entropy),
            cursor,
            out: Vec::new(),
            given: None,
            exhausted: false,
        }
    }

    pub fn begin(&mut self) {
        let about = &self.cursor.about;
        let mut details = event::with_data(json!({}), "input", about.input.text());
        details["roleArn"] = about.role.as_str().into();
        for (member, arn) in
            [("stateMachineAliasArn", &about.alias), ("stateMachineVersionArn", &about.version)]
        {
            if let Some(arn) = arn {
                details[member] = arn.as_str().into();
            }
        }
        let (input, item) = (about.input.clone(), about.item.clone());
        self.record(0, "ExecutionStarted", Some(details));
        self.set_deadline();
        let strand = Strand {
            parent: None,
            route: Arc::default(),
            index: 0,
            item,
            state: self.machine.flow.start_at.clone(),
            input,
            variables: Arc::default(),
            previous: 0,
            led_by: 0,
            entered: 0,
            entered_at: self.now,
            attempts: Vec::new(),
            retries: 0,
            at: At::Entering,
        };
        self.add(0, strand);
    }

    fn set_deadline(&mut self) {
        let own = self.machine.timeout;
        let seconds =
            if self.cursor.about.express { Some(own.map_or(EXPRESS, |s| s.min(EXPRESS))) } else { own };
        if let Some(seconds) = seconds {
            self.cursor.deadline = Some(self.timer(seconds as f64));
        }
    }

    pub fn redrive(&mut self) {
        self.cursor.redrives += 1;
        self.cursor.over = None;
        let id = self.record(
            self.cursor.events,
            "ExecutionRedriven",
            Some(json!({"redriveCount": self.cursor.redrives})),
        );
        self.set_deadline();
        for (key, mut strand) in std::mem::take(&mut self.cursor.halted) {
            strand.attempts.clear();
            strand.retries = 0;
            if matches!(strand.at, At::Joining(_)) {
                self.cursor.strands.insert(key, strand);
                continue;
            }
            strand.previous = id;
            if let At::Working(work) = &mut strand.at
                && work.resource.contains(":mapRun:")
            {
                work.ticket = self.cursor.ticket();
                let (ticket, arn) = (work.ticket, work.resource.clone());
                let details = json!({"mapRunArn": arn, "redriveCount": self.cursor.redrives});
                strand.previous = self.record(id, "MapRunRedriven", Some(details));
                self.cursor.strands.insert(key, strand);
                self.out.push(Directive::Refork(ticket, arn));
                continue;
            }
            let resumes = self
                .state(&strand)
                .is_some_and(|s| matches!(s.kind, Kind::Task(_) | Kind::Parallel { .. } | Kind::Map(_)));
            strand.at = if resumes { At::Starting } else { At::Entering };
            self.add(key, strand);
        }
    }

    /// Puts a strand in its place and marks it ready.
    pub fn add(&mut self, id: u64, strand: Strand) {
        self.cursor.strands.insert(id, strand);
        self.cursor.ready.push_back(id);
    }

    pub fn go_on(&mut self) {
        // What never waits is not told that its time is over: it finds out by itself.
        if let Some(deadline) = self.cursor.deadline.clone().filter(|timer| timer.until <= self.now) {
            self.due(deadline.ticket);
        }
        for _ in 0..TRANSITIONS {
            if self.cursor.over.is_some() {
                return;
            }
            if self.exhausted {
                let cause = format!("The execution reached the maximum number of history events ({EVENTS}).");
                let strands = std::mem::take(&mut self.cursor.strands);
                self.abort(strands);
                return self.finish(Outcome::Failed(Failure::runtime(cause)));
            }
            // A strand goes on until it must wait; those beside it come after.
            let Some(id) = self.cursor.ready.pop_front() else { return };
            if let Some(strand) = self.cursor.strands.remove(&id) {
                match strand.at {
                    At::Entering => self.enter(id, strand),
                    At::Starting => self.start(id, strand),
                    _ => {
                        self.cursor.strands.insert(id, strand);
                    }
                }
            }
        }
        if self.cursor.is_ready() {
            self.out.push(Directive::Again);
        }
    }

    /// Enters the strand's state.
    fn enter(&mut self, id: u64, mut strand: Strand) {
        let Some(state) = self.state(&strand) else {
            let cause = format!("The state '{}' does not exist in the definition.", strand.state);
            return self.fail_strand(id, strand, Failure::runtime(cause));
        };
        if self.cursor.deleted {
            let cause = format!("State machine {} has been deleted.", self.cursor.about.machine_name);
            return self.fail_strand(id, strand, Failure::runtime(cause));
        }
        let kind = format!("{}StateEntered", state.type_name());
        strand.led_by = strand.previous;
        strand.previous =
            self.record(strand.previous, &kind, Some(event::entered(&state.name, &strand.input)));
        strand.entered = strand.previous;
        strand.entered_at = self.now;
        strand.attempts.clear();
        strand.retries = 0;
        self.start(id, strand);
    }

    /// Does what the state is for.
    fn start(&mut self, id: u64, strand: Strand) {
        let Some(state) = self.state(&strand) else { return };
        match &state.kind {
            Kind::Pass { result } => self.pass(id, strand, state, result.as_ref()),
            Kind::Choice(choice) => self.choose(id, strand, state, choice),
            Kind::Wait(until) => self.wait(id, strand, state, until),
            Kind::Succeed => self.succeed(id, strand, state),
            Kind::Fail { error, cause } => self.fail_state(id, strand, state, error.as_ref(), cause.as_ref()),
            Kind::Task(task) => self.task(id, strand, state, task),
            Kind::Parallel { branches } => self.parallel(id, strand, state, branches),
            Kind::Map(map) => self.map(id, strand, state, map),
        }
    }

    pub fn state(&self, strand: &Strand) -> Option<&'m State> {
        let route = strand.route.iter().map(|(state, branch)| (state.as_str(), *branch));
        self.machine.flow_at(route)?.state(&strand.state)
    }

    /// Writes an event down and gives its id.
    pub fn record(&mut self, previous: i64, kind: &str, details: Option<Value>) -> i64 {
        let last = kind.starts_with("Execution");
        if self.cursor.events >= EVENTS - 1 && !last && !self.cursor.about.express {
            self.exhausted = true;
            return self.cursor.events;
        }
        self.cursor.events += 1;
        let id = self.cursor.events;
        self.out.push(Directive::Record(Event {
            id,
            previous,
            at: self.now,
            kind: kind.to_owned(),
            details,
        }));
        id
    }

    /// A new wait of so many seconds; the directive is given.
    pub fn timer(&mut self, seconds: f64) -> Timer {
        let length = TimeDelta::milliseconds((seconds.clamp(0.0, 3.2e9) * 1000.0) as i64);
        self.timer_until(self.now.checked_add_signed(length).unwrap_or(DateTime::<Utc>::MAX_UTC))
    }

    pub fn timer_until(&mut self, until: DateTime<Utc>) -> Timer {
        let timer = Timer { ticket: self.cursor.ticket(), from: self.now, until };
        self.out.push(Directive::Wait(timer.clone()));
        timer
    }

    /// The context object as the strand sees it.
    pub fn context<'a>(&'a self, strand: &'a Strand, token: Option<&'a str>) -> Context<'a> {
        let counts = self.state(strand).is_some_and(|s| {
            !matches!(
                s.kind,
                Kind::Pass { .. } | Kind::Choice(_) | Kind::Wait(_) | Kind::Succeed | Kind::Fail { .. }
            )
        });
        let redrives = self.cursor.redrives;
        let about = &self.cursor.about;
        Context::new(&self.chance, self.now, move || match &self.given {
            Some(given) => {
                let mut given = given.clone();
                put_item(&mut given, strand);
                given
            }
            None => context(about, strand, redrives, counts, token),
        })
    }

    /// The state has its output: records the exit and goes on.
    pub fn leave(
        &mut self,
        id: u64,
        mut strand: Strand,
        state: &'m State,
        output: Data,
        assigned: Assigned,
        next: &Next,
    ) {
        if output.is_too_large() {
            let cause = too_large(&state.name);
            return self.fail_here(id, strand, state, Failure::new(super::failure::DATA_LIMIT, cause));
        }
        if output.is_too_deep() {
            let cause = self.executing(&strand, "The output is nested too deeply.");
            return self.fail_here(id, strand, state, Failure::runtime(cause));
        }
        let mut details = event::with_data(json!({"name": state.name}), "output", output.text());
        if !assigned.is_empty() {
            if let Err(failure) = self.store(id, &strand, &assigned) {
                return self.fail_here(id, strand, state, failure);
            }
            let texts = assigned.iter().map(|(k, v)| (k.clone(), Value::String(v.to_string()))).collect();
            details["assignedVariables"] = Value::Object(texts);
            details["assignedVariablesDetails"] = json!({"truncated": false});
            Arc::make_mut(&mut strand.variables).extend(assigned);
        }
        let kind = format!("{}StateExited", state.type_name());
        strand.previous = self.record(strand.previous, &kind, Some(details));
        strand.input = output;
        match next {
            Next::State(name) => {
                strand.state = name.clone();
                strand.at = At::Entering;
                self.cursor.strands.insert(id, strand);
                self.cursor.ready.push_front(id);
            }
            Next::End | Next::Own => self.complete(id, strand),
        }
    }

    pub fn due(&mut self, ticket: Ticket) {
        if self.cursor.deadline.as_ref().is_some_and(|timer| timer.ticket == ticket) {
            self.cursor.deadline = None;
            self.halt();
            return self.finish(Outcome::TimedOut(Failure::default()));
        }
        let Some(id) = self.cursor.holder(ticket) else { return };
        let Some(mut strand) = self.cursor.strands.remove(&id) else { return };
        match &strand.at {
            At::BackingOff(_) => {
                strand.at = At::Starting;
                self.add(id, strand);
            }
            At::Waiting(_) => {
                strand.at = At::Starting;
                self.waited(id, strand);
            }
            _ => self.timed_out(id, strand, ticket),
        }
    }

    /// AWS's words for an error met while a state runs.
    pub fn executing(&self, strand: &Strand, cause: &str) -> String {
        format!(
            "An error occurred while executing the state '{}' (entered at the event id #{}). {cause}",
            strand.state, strand.entered
        )
    }
}

/// Variables that a state sets.
pub(super) type Assigned = super::scope::Variables;

pub(super) fn too_large(what: &str) -> String {
    format!(
        "The state/task '{what}' returned a result with a size exceeding the maximum number of bytes service limit."
    )
}
