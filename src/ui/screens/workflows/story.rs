//! What went wrong with an execution: asks for what its own history does not hold, and has the story told.
//!
//! The log lines that name the execution come first; only when there are none are those around the failure
//! asked for. The last success is asked for with its history and definition, to be compared.

use chrono::TimeDelta;

use crate::domain::execution::{Definition, Execution, Status, name_of};
use crate::domain::incident::{Before, Facts, Incident, Items, Log, Weight};
use crate::domain::log::LogLine;
use crate::domain::problem::Problem;
use crate::domain::query::Query;
use crate::domain::text::shown;
use crate::domain::timeline::Timeline;
use crate::ui::effect::{Reply, Request, Wish};
use crate::ui::remote::{Remote, Ticket};
use crate::ui::route::Screen;
use crate::ui::screens::workflows::lists::read;
use crate::ui::screens::workflows::run::{Run, View};
use crate::ui::widgets::wrap;
use crate::ui::world::World;

/// Everything the story needs besides the timeline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Story {
    pub incident: Incident,
    /// How many events were known when it was asked for: a redriven execution is told anew.
    asked: Option<usize>,
    group: String,
    lines: Remote<Vec<LogLine>>,
    around: Remote<Vec<LogLine>>,
    query: Remote<Query>,
    /// Items of the map run that failed, the newest of them.
    failed: Remote<Vec<Execution>>,
    /// One of them, with its error.
    item: Remote<Execution>,
    before: Remote<Option<Execution>>,
    timeline: Remote<Timeline>,
    definition: Remote<Definition>,
}

/// Lines "around that time" are from this much before and after the failure.
const AROUND: TimeDelta = TimeDelta::seconds(5);

impl Story {
    /// The story as lines of a width, with what they weigh; `None` marks a part's title.
    pub fn lines(&self, width: u16) -> Vec<(Option<Weight>, String)> {
        let room = usize::from(width.saturating_sub(2).max(10));
        let mut lines = Vec::new();
        for part in &self.incident.parts {
            if !lines.is_empty() {
                lines.push((Some(Weight::Dim), String::new()));
            }
            if !part.title.is_empty() {
                lines.push((None, shown(&part.title).into_owned()));
            }
            for line in &part.lines {
                let texts = wrap(&shown(&line.text), room);
                lines.extend(texts.into_iter().map(|text| (Some(line.weight), text)));
            }
        }
        lines
    }

    pub fn replied(&mut self, world: &World, ticket: Ticket, answer: &Result<Reply, Problem>) -> bool {
        let now = world.now;
        let lines = |reply: &Reply| match reply {
            Reply::Lines(lines) => Some(lines.clone()),
            _ => None,
        };
        if self.lines.awaits(ticket) {
            return self.lines.accept(ticket, read(answer, lines), now);
        }
        if self.around.awaits(ticket) {
            return self.around.accept(ticket, read(answer, lines), now);
        }
        if self.query.awaits(ticket) {
            let query = read(answer, |reply| match reply {
                Reply::Query(query) => Some((**query).clone()),
                _ => None,
            });
            return self.query.accept(ticket, query, now);
        }
        if self.failed.awaits(ticket) {
            let failed = read(answer, |reply| match reply {
                Reply::Executions { items, .. } => Some(items.clone()),
                _ => None,
            });
            return self.failed.accept(ticket, failed, now);
        }
        if self.item.awaits(ticket) {
            let item = read(answer, |reply| match reply {
                Reply::Execution(execution) => Some((**execution).clone()),
                _ => None,
            });
            return self.item.accept(ticket, item, now);
        }
        if self.before.awaits(ticket) {
            let first = read(answer, |reply| match reply {
                Reply::Executions { items, .. } => Some(items.first().cloned()),
                _ => None,
            });
            return self.before.accept(ticket, first, now);
        }
        if self.timeline.awaits(ticket) {
            let timeline = read(answer, |reply| match reply {
                Reply::History(events) => {
                    let mut timeline = Timeline::new();
                    timeline.extend(events);
                    Some(timeline)
                }
                _ => None,
            });
            return self.timeline.accept(ticket, timeline, now);
        }
        if self.definition.awaits(ticket) {
            let definition = read(answer, |reply| match reply {
                Reply::Definition(definition) => Some(definition.clone()),
                _ => None,
            });
            return self.definition.accept(ticket, definition, now);
        }
        false
    }

    fn log(&self) -> Log<'_> {
        match (self.lines.value(), self.around.value(), self.lines.problem()) {
            (Some(lines), _, _) if !lines.is_empty() => Log::Exact(&self.group, lines),
            (Some(_), Some(lines), _) => Log::Around(&self.group, lines),
            (_, _, Some(problem)) => Log::Failed(problem),
            _ => Log::None,
        }
    }

    fn awaited(&self) -> Vec<&'static str> {
        let mut awaited = Vec::new();
        if self.lines.is_waiting() || self.around.is_waiting() {
            awaited.push("the function's log");
        }
        if self.query.is_waiting() {
            awaited.push("the query");
        }
        if self.failed.is_waiting() || self.item.is_waiting() {
            awaited.push("an item that failed");
        }
        if self.before.is_waiting() || self.timeline.is_waiting() || self.definition.is_waiting() {
            awaited.push("the last success");
        }
        awaited
    }
}

impl Run {
    /// Once an execution has ended badly: asks what its history does not hold, and turns to the summary
    /// while it is followed and the person has not chosen another view.
    pub fn investigate(&mut self, world: &mut World) -> Vec<Wish> {
        if !self.failed() || self.timeline.is_empty() || !self.timeline.is_over() {
            return Vec::new();
        }
        let mut wishes = Vec::new();
        if self.story.asked != Some(self.timeline.len()) {
            self.story = Story { asked: Some(self.timeline.len()), ..Story::default() };
            wishes = self.question(world);
            if self.follow && self.view == View::Graph {
                self.view = View::Summary;
                self.offset = 0;
            }
        }
        self.tell(world);
        wishes
    }

    fn question(&mut self, world: &mut World) -> Vec<Wish> {
        let mut wishes = Vec::new();
        let culprit = self.timeline.root_cause().and_then(|cause| cause.visit);
        let story = &mut self.story;
        let called = |visit: usize| self.timeline.function(visit);
        let function = culprit
            .and_then(called)
            .or_else(|| (0..self.timeline.visits().len()).rev().take(FUNCTIONS).find_map(called));
        if let (Some(function), Some(from)) = (function, self.timeline.started()) {
            story.group = format!("/aws/lambda/{function}");
            let to = self.timeline.stopped().unwrap_or(world.now) + TimeDelta::minutes(1);
            let pattern = Some(format!("\"{}\"", name_of(&self.arn)));
            let request = Request::LinesBetween { group: story.group.clone(), from, to, pattern };
            wishes.push(world.ask(Screen::Workflows, &mut story.lines, request));
        }
        if let Some(id) = self.timeline.query_id(culprit) {
            wishes.push(world.ask(Screen::Workflows, &mut story.query, Request::Query { id }));
        }
        if let Some(map_run) = culprit.and_then(|visit| self.timeline.map_run(visit)) {
            let request =
                Request::Executions { machine_arn: map_run, status: Some(Status::Failed), token: None };
            wishes.push(world.ask(Screen::Workflows, &mut story.failed, request));
        }
        if self.is_express() {
            // There is no list of those that succeeded.
            return wishes;
        }
        let machine_arn = self.machine_arn();
        let request = Request::Executions { machine_arn, status: Some(Status::Succeeded), token: None };
        wishes.push(world.ask(Screen::Workflows, &mut self.story.before, request));
        wishes
    }

    /// What an answer leads on to: lines around that time, the last success in full.
    pub fn inquire(&mut self, world: &mut World) -> Vec<Wish> {
        let mut wishes = Vec::new();
        let at = self.timeline.root_cause().map(|cause| cause.at);
        let story = &mut self.story;
        let silent = story.lines.value().is_some_and(Vec::is_empty);
        if let Some(at) = at.filter(|_| silent && story.around.value().is_none())
            && !story.around.is_waiting()
            && story.around.problem().is_none()
        {
            let (group, from, to) = (story.group.clone(), at - AROUND, at + AROUND);
            let request = Request::LinesBetween { group, from, to, pattern: None };
            wishes.push(world.ask(Screen::Workflows, &mut story.around, request));
        }
        // The one that failed first of those that are listed.
        let item = story.failed.value().and_then(|failed| failed.last()).map(|item| item.arn.clone());
        if let Some(arn) = item.filter(|_| story.item.value().is_none() && story.item.problem().is_none())
            && !story.item.is_waiting()
        {
            wishes.push(world.ask(Screen::Workflows, &mut story.item, Request::Execution { arn }));
        }
        let before = story.before.value().cloned().flatten();
        if let Some(before) = before {
            let unasked = story.timeline.value().is_none() && story.timeline.problem().is_none();
            if unasked && !story.timeline.is_waiting() {
                let request = Request::History { execution_arn: before.arn.clone() };
                wishes.push(world.ask(Screen::Workflows, &mut story.timeline, request));
            }
            let unasked = story.definition.value().is_none() && story.definition.problem().is_none();
            if unasked && !story.definition.is_waiting() {
                let request = Request::DefinitionOf { execution_arn: before.arn };
                wishes.push(world.ask(Screen::Workflows, &mut story.definition, request));
            }
        }
        if !wishes.is_empty() {
            self.tell(world);
        }
        wishes
    }

    /// Tells the story with what is known now.
    pub fn tell(&mut self, world: &World) {
        let Some(status) = self.status() else { return };
        let revision = self.definition.value().map(known_as);
        let then = self.story.definition.value().map(known_as);
        let story = &self.story;
        let before = story.before.value().and_then(Option::as_ref).map(|execution| Before {
            execution,
            timeline: story.timeline.value(),
            revision: then.as_deref(),
        });
        let map_run = self.timeline.root_cause().and_then(|cause| self.timeline.map_run(cause.visit?));
        let items = map_run.map(|arn| Items {
            run: self.map_runs.get(&arn).and_then(Remote::value),
            failed: story.item.value(),
        });
        let zone = world.zone();
        let incident = Incident::of(&Facts {
            arn: &self.arn,
            status,
            timeline: &self.timeline,
            execution: self.execution.value(),
            revision: revision.as_deref(),
            log: story.log(),
            query: story.query.value(),
            items,
            before,
            never: matches!(story.before.value(), Some(None)),
            awaited: &story.awaited(),
            clock: &move |at| zone.clock_millis(at),
            now: world.now,
        });
        self.story.incident = incident;
    }
}

/// So many visits are looked through for a function, from the end.
const FUNCTIONS: usize = 200;

/// What tells one definition from another: its revision, or where the service names none, its text.
fn known_as(definition: &Definition) -> String {
    definition.revision.clone().unwrap_or_else(|| {
        let sum = definition.text.bytes().fold(0u32, |sum, byte| sum.rotate_left(5) ^ u32::from(byte));
        format!("of {} characters ({sum:08x})", definition.text.chars().count())
    })
}
