//! One execution: its events folded into a timeline, and what of it is looked at.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use ratatui::layout::Rect;
use serde_json::Value;

use crate::domain::execution::{Definition, Execution, HistoryEvent, Status};
use crate::domain::problem::Problem;
use crate::domain::timeline::{Timeline, Visit};
use crate::ui::action::Action;
use crate::ui::areas;
use crate::ui::effect::{Reply, Request, Wish};
use crate::ui::remote::{Remote, Ticket};
use crate::ui::route::Screen;
use crate::ui::screens::workflows::inspect::{self, Tab};
use crate::ui::screens::workflows::lists::read;
use crate::ui::subs::Sub;
use crate::ui::widgets::graph::plan::Plan;
use crate::ui::widgets::graph::shape::Flow;
use crate::ui::widgets::graph::{self};
use crate::ui::widgets::line::Line;
use crate::ui::widgets::tree::Document;
use crate::ui::world::World;

/// How an execution is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    #[default]
    Graph,
    Timeline,
    Events,
}

impl View {
    pub const ALL: [View; 3] = [View::Graph, View::Timeline, View::Events];

    pub fn title(self) -> &'static str {
        match self {
            View::Graph => "Graph",
            View::Timeline => "Timeline",
            View::Events => "Events",
        }
    }
}

/// Which half has the focus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    #[default]
    Main,
    Inspector,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub arn: String,
    pub execution: Remote<Execution>,
    pub definition: Remote<Definition>,
    /// The definition as JSON, for the inspector and for waits.
    pub machine: Value,
    pub plan: Plan,
    /// Why the definition could not be drawn.
    pub undrawn: Option<String>,
    pub timeline: Timeline,
    /// The stream has ended.
    pub ended: bool,
    pub stream: Option<Problem>,
    pub view: View,
    pub pane: Pane,
    /// The selected state, by name.
    pub state: Option<String>,
    /// The selected visit of it; the newest when `None`.
    pub visit: Option<usize>,
    /// The selected event's id.
    pub event: Option<i64>,
    /// The selection goes with what happens, until the person moves it.
    pub follow: bool,
    /// First row shown, of each view.
    pub offset: usize,
    pub tab: Tab,
    pub document: Document,
    pub search: Line,
    pub searching: bool,
    /// Log lines of this execution.
    pub log: Remote<String>,
    /// States that changed, with when the console learned of it.
    pub flashes: Vec<(String, DateTime<Utc>)>,
}

impl Run {
    pub fn new(arn: &str) -> Run {
        Run {
            arn: arn.to_owned(),
            execution: Remote::default(),
            definition: Remote::default(),
            machine: Value::Null,
            plan: Plan::default(),
            undrawn: None,
            timeline: Timeline::new(),
            ended: false,
            stream: None,
            view: View::Graph,
            pane: Pane::Main,
            state: None,
            visit: None,
            event: None,
            follow: true,
            offset: 0,
            tab: Tab::Input,
            document: Document::default(),
            search: Line::default(),
            searching: false,
            log: Remote::default(),
            flashes: Vec::new(),
        }
    }

    /// What has to be known: the execution and the definition it runs with.
    pub fn ask(&mut self, world: &mut World) -> Vec<Wish> {
        let mut wishes = Vec::new();
        let arn = self.arn.clone();
        if !self.execution.is_waiting() {
            wishes.push(world.ask(
                Screen::Workflows,
                &mut self.execution,
                Request::Execution { arn: arn.clone() },
            ));
        }
        if self.definition.value().is_none() && !self.definition.is_waiting() {
            let request = Request::DefinitionOf { execution_arn: arn };
            wishes.push(world.ask(Screen::Workflows, &mut self.definition, request));
        }
        wishes
    }

    pub fn name(&self) -> &str {
        self.arn.rsplit(':').next().unwrap_or(&self.arn)
    }

    /// `arn:…:stateMachine:<name>`, from the execution's own ARN.
    pub fn machine_arn(&self) -> String {
        if let Some(execution) = self.execution.value() {
            return execution.machine_arn.clone();
        }
        let parent = self.arn.rsplit_once(':').map_or(self.arn.as_str(), |(parent, _)| parent);
        parent.replacen(":execution:", ":stateMachine:", 1)
    }

    /// The newest known status: the history knows first.
    pub fn status(&self) -> Option<Status> {
        let described = self.execution.value().map(|execution| execution.status);
        match self.timeline.status() {
            Some(status) if status.is_over() || described.is_none() => Some(status),
            Some(status) if self.timeline.redrives() > 0 => Some(status),
            _ => described,
        }
    }

    pub fn is_over(&self) -> bool {
        self.status().is_some_and(Status::is_over)
    }

    pub fn failed(&self) -> bool {
        matches!(self.status(), Some(Status::Failed | Status::TimedOut | Status::Aborted))
    }

    pub fn started(&self) -> Option<DateTime<Utc>> {
        self.timeline.started().or_else(|| self.execution.value().map(|execution| execution.started))
    }

    pub fn stopped(&self) -> Option<DateTime<Utc>> {
        self.timeline.stopped().or_else(|| self.execution.value().and_then(|execution| execution.stopped))
    }

    pub fn subs(&self) -> BTreeSet<Sub> {
        let mut subs = BTreeSet::new();
        if !self.ended {
            subs.insert(Sub::Execution(self.arn.clone()));
        }
        if !self.flashes.is_empty() {
            subs.insert(Sub::Clock(50));
        } else if !self.is_over() && self.started().is_some() {
            subs.insert(Sub::Clock(100));
        }
        subs
    }

    /// The visit that is looked at.
    pub fn visit(&self) -> Option<&Visit> {
        let state = self.state.as_deref()?;
        let chosen =
            self.visit.and_then(|i| self.timeline.visits().get(i)).filter(|visit| visit.name == state);
        chosen.or_else(|| self.timeline.visits().get(self.timeline.last_visit(state)?))
    }

    /// When the wait that runs will end: visit and moment.
    pub fn until(&self) -> Option<(usize, DateTime<Utc>)> {
        let current = self.timeline.current()?;
        let visit = &self.timeline.visits()[current];
        let state = graph::shape::definition_of(&self.machine, &visit.name)?;
        Some((current, self.timeline.wait_until(visit, state)?))
    }

    /// New events of the stream.
    pub fn happened(&mut self, world: &World, events: &[HistoryEvent]) {
        let fresh: Vec<&HistoryEvent> =
            events.iter().filter(|event| self.timeline.event(event.id).is_none()).collect();
        let first = self.timeline.is_empty();
        self.timeline.extend(events);
        if !first && !world.reduced_motion {
            for event in
                fresh.iter().filter(|event| event.kind.ends_with("Entered") || event.kind.ends_with("Exited"))
            {
                if let Some(visit) = self.timeline.owner(event.id) {
                    self.flashes.push((self.timeline.visits()[visit].name.clone(), world.now));
                }
            }
        }
        if self.undrawn.is_some() {
            self.plan = Plan::of(&Flow::of_history(&self.timeline));
        }
        self.go_along(world);
    }

    /// While following: to what runs, at the end to what failed first.
    pub fn go_along(&mut self, world: &World) {
        if self.follow {
            let cause = self.timeline.root_cause().filter(|cause| cause.visit.is_some());
            self.visit = match &cause {
                Some(cause) => cause.visit,
                None => self.timeline.current().or(self.timeline.visits().len().checked_sub(1)),
            };
            self.state =
                self.visit.map(|i| self.timeline.visits()[i].name.clone()).or_else(|| self.state.take());
            self.event = self.timeline.events().next_back().map(|event| event.id);
            if cause.is_some() {
                self.tab = Tab::Error;
            }
        }
        if self.state.is_none() {
            self.state = self.plan.states().next().map(str::to_owned);
        }
        self.settle(world);
    }

    /// After any change: the inspector shows the selection, the selection is in view.
    pub fn settle(&mut self, world: &World) {
        if !inspect::tabs(self).contains(&self.tab) {
            self.tab = Tab::Input;
        }
        let text = inspect::text(self, world);
        self.document.show(&text);
        let area = self.main_area(world);
        let (at, len) = (self.at(area), self.len(area));
        let page = self.page(area);
        self.offset = graph::offset_for(self.offset, at, len, page);
    }

    /// The plan as it fits: without the ways between rows when the window is low.
    pub fn fitted(&self, area: Rect) -> Plan {
        if self.plan.rows.len() > usize::from(area.height) { self.plan.compact() } else { self.plan.clone() }
    }

    fn page(&self, area: Rect) -> usize {
        match self.view {
            View::Graph => usize::from(area.height),
            View::Timeline | View::Events => usize::from(area.height.saturating_sub(1)),
        }
    }

    fn len(&self, area: Rect) -> usize {
        match self.view {
            View::Graph => self.fitted(area).rows.len(),
            View::Timeline => self.timeline.visits().len(),
            View::Events => self.timeline.len(),
        }
    }

    /// The row of the selection in the present view.
    fn at(&self, area: Rect) -> usize {
        match self.view {
            View::Graph => {
                self.state.as_deref().and_then(|state| self.fitted(area).row_of(state)).unwrap_or(0)
            }
            View::Timeline => {
                let newest = || self.timeline.last_visit(self.state.as_deref()?);
                self.visit.or_else(newest).unwrap_or(0)
            }
            View::Events => self.event_row().unwrap_or(0),
        }
    }

    fn event_row(&self) -> Option<usize> {
        let id = self.event?;
        self.timeline.events().position(|event| event.id == id)
    }

    /// Areas: what the views draw in, below title and tabs and what a failure takes.
    pub fn main_area(&self, world: &World) -> Rect {
        let panes = areas::panes(world.body(), self.pane == Pane::Inspector);
        let Some(area) = panes.list else { return Rect::ZERO };
        let used = (3 + self.cause_lines(area.width).len() as u16).min(area.height);
        Rect { y: area.y + used, height: area.height - used, ..area }
    }

    /// The inspector's document, below its four lines.
    pub fn document_area(&self, world: &World) -> Rect {
        let panes = areas::panes(world.body(), self.pane == Pane::Inspector);
        let Some(area) = panes.detail else { return Rect::ZERO };
        let used = 5.min(area.height);
        Rect { y: area.y + used, height: area.height - used, ..area }
    }

    /// The root cause in a few lines: state and error, then the beginning of the cause.
    pub fn cause_lines(&self, width: u16) -> Vec<String> {
        let Some(cause) = self.timeline.root_cause() else { return Vec::new() };
        let what = match (cause.state.as_str(), cause.error.as_deref()) {
            ("", error) => error.unwrap_or("No reason was given").to_owned(),
            (state, Some(error)) => format!("{state}: {error}"),
            (state, None) => format!("{state} ended it"),
        };
        let width = usize::from(width.saturating_sub(2).max(10));
        let mut lines = vec![crate::domain::text::shown(&what).into_owned()];
        if let Some(text) = cause.cause.as_deref().and_then(inspect::message) {
            let mut more = crate::ui::widgets::wrap(&crate::domain::text::shown(&text), width);
            if more.len() > 2 {
                more.truncate(2);
                more[1].push('…');
            }
            lines.extend(more);
        }
        lines.push(String::new());
        lines
    }

    /// Moves the selection of the view in front; says whether the action was one that moves.
    pub fn act(&mut self, world: &World, action: Action) -> bool {
        let area = self.main_area(world);
        let page = self.page(area).saturating_sub(1).max(1);
        let states: Vec<String> = self.plan.states().map(str::to_owned).collect();
        let (place, len) = match self.view {
            View::Graph => {
                let selected = self.state.as_ref();
                (states.iter().position(|state| Some(state) == selected).unwrap_or(0), states.len())
            }
            View::Timeline => (self.at(area), self.timeline.visits().len()),
            View::Events => (self.at(area), self.timeline.len()),
        };
        let last = len.saturating_sub(1);
        let to = match action {
            Action::Up => place.saturating_sub(1),
            Action::Down => (place + 1).min(last),
            Action::PageUp => place.saturating_sub(page),
            Action::PageDown => (place + page).min(last),
            Action::First => 0,
            Action::Last => last,
            _ => return false,
        };
        self.follow = false;
        self.choose(to, &states);
        self.settle(world);
        true
    }

    fn choose(&mut self, to: usize, states: &[String]) {
        match self.view {
            View::Graph => {
                self.state = states.get(to).cloned().or(self.state.take());
                self.visit = None;
            }
            View::Timeline => {
                if let Some(visit) = self.timeline.visits().get(to) {
                    self.state = Some(visit.name.clone());
                    self.visit = Some(to);
                }
            }
            View::Events => {
                self.event = self.timeline.events().nth(to).map(|event| event.id);
                if let Some(visit) = self.event.and_then(|id| self.timeline.owner(id)) {
                    self.state = Some(self.timeline.visits()[visit].name.clone());
                    self.visit = Some(visit);
                }
            }
        }
    }

    /// Selects what is at a row of the drawn view.
    pub fn click(&mut self, world: &World, row: usize) {
        let area = self.main_area(world);
        let row = row + self.offset;
        let states: Vec<String> = self.plan.states().map(str::to_owned).collect();
        let to = match self.view {
            View::Graph => {
                let plan = self.fitted(area);
                let name = plan.rows.get(row).and_then(|row| row.name());
                name.and_then(|name| states.iter().position(|state| state == name))
            }
            View::Timeline | View::Events => row.checked_sub(1).filter(|row| *row < self.len(area)),
        };
        if let Some(to) = to {
            self.follow = false;
            self.choose(to, &states);
            self.settle(world);
        }
    }

    /// To the next event that contains what was searched for.
    pub fn find_event(&mut self, world: &World, forward: bool) -> bool {
        let needle = self.search.text().to_lowercase();
        let events: Vec<&HistoryEvent> = self.timeline.events().collect();
        if needle.is_empty() || events.is_empty() {
            return false;
        }
        let from = self.event_row().unwrap_or(0);
        let count = events.len();
        let hit = |event: &HistoryEvent| {
            event.kind.to_lowercase().contains(&needle)
                || event.details.to_string().to_lowercase().contains(&needle)
        };
        let rows = (1..=count)
            .map(|step| if forward { (from + step) % count } else { (from + count - step) % count });
        let Some(row) = { rows }.find(|&row| hit(events[row])) else { return false };
        self.follow = false;
        self.choose(row, &[]);
        self.settle(world);
        true
    }

    /// Takes an answer if this run awaits it.
    pub fn replied(
        &mut self,
        world: &World,
        ticket: Ticket,
        answer: &Result<Reply, Problem>,
    ) -> Option<Vec<Wish>> {
        let now = world.now;
        let blame = |problem: Option<&Problem>| {
            problem.map(|problem| Wish::Blame(problem.clone())).into_iter().collect()
        };
        if self.execution.awaits(ticket) {
            let answer = read(answer, |reply| match reply {
                Reply::Execution(execution) => Some((**execution).clone()),
                _ => None,
            });
            self.execution.accept(ticket, answer, now);
            self.settle(world);
            return Some(blame(self.execution.problem()));
        }
        if self.definition.awaits(ticket) {
            let answer = read(answer, |reply| match reply {
                Reply::Definition(definition) => Some(definition.clone()),
                _ => None,
            });
            self.definition.accept(ticket, answer, now);
            if let Some(definition) = self.definition.value() {
                self.machine = serde_json::from_str(&definition.text).unwrap_or_default();
                match Flow::read(&definition.text) {
                    Ok(flow) => self.plan = Plan::of(&flow),
                    Err(why) => self.undrawn = Some(why),
                }
            }
            if self.undrawn.is_some() || self.definition.problem().is_some() {
                self.undrawn.get_or_insert_with(|| "The definition did not arrive".to_owned());
                self.plan = Plan::of(&Flow::of_history(&self.timeline));
            }
            self.go_along(world);
            return Some(blame(self.definition.problem()));
        }
        if self.log.awaits(ticket) {
            let answer = read(answer, |reply| match reply {
                Reply::Lines(lines) => Some(inspect::log_text(lines, world)),
                _ => None,
            });
            self.log.accept(ticket, answer, now);
            self.settle(world);
            return Some(Vec::new());
        }
        None
    }

    /// The stream ended, with a problem or because the execution is over.
    pub fn stream_ended(&mut self, problem: Option<Problem>) -> Vec<Wish> {
        self.ended = true;
        self.stream = problem.clone();
        problem.map(Wish::Blame).into_iter().collect()
    }
}
