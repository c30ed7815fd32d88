//! One execution: its events folded into a timeline, and what of it is looked at. `moves.rs` moves the
//! selection, `answers.rs` takes what was asked for, `story.rs` tells what went wrong.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use ratatui::layout::Rect;
use serde_json::Value;

use crate::domain::execution::{self, Definition, Execution, HistoryEvent, MapRun, Status};
use crate::domain::problem::Problem;
use crate::domain::text::shown;
use crate::domain::timeline::{Scope, Timeline, Visit};
use crate::ui::areas;
use crate::ui::remote::Remote;
use crate::ui::screens::workflows::express::Logged;
use crate::ui::screens::workflows::inspect::{self, Source, Tab};
use crate::ui::screens::workflows::story::Story;
use crate::ui::subs::Sub;
use crate::ui::widgets::graph::drawn::Drawn;
use crate::ui::widgets::graph::plan::Plan;
use crate::ui::widgets::graph::shape::{Flow, definition_of};
use crate::ui::widgets::line::Line;
use crate::ui::widgets::timeline::Zoom;
use crate::ui::widgets::tree::Document;
use crate::ui::widgets::{head, wrap};
use crate::ui::world::World;

/// How an execution is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// What went wrong: of executions that did not end well.
    Summary,
    #[default]
    Graph,
    Timeline,
    Events,
}

impl View {
    pub fn title(self) -> &'static str {
        match self {
            View::Summary => "Summary",
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

/// How the graph is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drawing {
    /// The picture where all of it fits, else rows.
    #[default]
    Fitting,
    Rows,
    Picture,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub arn: String,
    pub execution: Remote<Execution>,
    pub definition: Remote<Definition>,
    /// The definition as JSON, for the inspector and for waits.
    pub machine: Value,
    pub plan: Plan,
    /// The same without the ways between rows, for low windows.
    pub compact: Plan,
    pub drawn: Drawn,
    pub drawing: Drawing,
    /// Why the definition could not be drawn.
    pub undrawn: Option<String>,
    pub timeline: Timeline,
    /// The stream has ended.
    pub ended: bool,
    pub stream: Option<Problem>,
    /// Since when the stream has had no answer, and why; it goes on asking.
    pub interrupted: Option<(DateTime<Utc>, Problem)>,
    pub view: View,
    pub pane: Pane,
    /// The selected state, by name.
    pub state: Option<String>,
    /// The selected visit of it; the newest when `None`.
    pub visit: Option<usize>,
    /// The branch or iteration that is looked at by itself.
    pub item: Option<Scope>,
    /// The selected event's id.
    pub event: Option<i64>,
    /// The selection goes with what happens, until the person moves it.
    pub follow: bool,
    /// First row shown, of each view, and the first column of the picture.
    pub offset: usize,
    pub across: usize,
    pub zoom: Zoom,
    pub tab: Tab,
    pub document: Document,
    pub search: Line,
    pub searching: bool,
    /// What an express execution logged, which is all there is of it.
    pub(super) logged: Logged,
    /// Log lines of this execution, by log group: each state may call another function.
    pub logs: BTreeMap<String, Remote<String>>,
    /// Map runs that were looked at, by ARN.
    pub map_runs: BTreeMap<String, Remote<MapRun>>,
    /// When the counts of each were asked for last, and whether it was open then.
    pub(super) counted: BTreeMap<String, (DateTime<Utc>, bool)>,
    pub story: Story,
    /// States that changed, with when the console learned of it.
    pub flashes: BTreeMap<String, DateTime<Utc>>,
    /// What the inspector's document was made of.
    pub(super) source: Option<Source>,
    /// When the newest events arrived here, for the clocks' difference.
    pub heard: Option<DateTime<Utc>>,
}

/// Whether the last counts of a map run are still to come.
fn unsettled(run: &Remote<MapRun>) -> bool {
    run.value().is_some_and(|run| run.status == "RUNNING")
        && run.problem().is_none_or(|problem| problem.retry)
}

impl Run {
    pub fn new(arn: &str) -> Run {
        Run {
            arn: arn.to_owned(),
            execution: Remote::default(),
            definition: Remote::default(),
            machine: Value::Null,
            plan: Plan::default(),
            compact: Plan::default(),
            drawn: Drawn::default(),
            drawing: Drawing::default(),
            undrawn: None,
            timeline: Timeline::new(),
            ended: false,
            stream: None,
            interrupted: None,
            view: View::Graph,
            pane: Pane::Main,
            state: None,
            visit: None,
            item: None,
            event: None,
            follow: true,
            offset: 0,
            across: 0,
            zoom: Zoom::default(),
            tab: Tab::Input,
            document: Document::default(),
            search: Line::default(),
            searching: false,
            logged: Logged::default(),
            logs: BTreeMap::new(),
            map_runs: BTreeMap::new(),
            counted: BTreeMap::new(),
            story: Story::default(),
            flashes: BTreeMap::new(),
            source: None,
            heard: None,
        }
    }

    pub fn name(&self) -> &str {
        execution::name_of(&self.arn)
    }

    /// `arn:…:stateMachine:<name>`
    pub fn machine_arn(&self) -> String {
        match self.execution.value() {
            Some(execution) => execution.machine_arn.clone(),
            None => execution::machine_arn_of(&self.arn),
        }
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

    /// The ways to look at it now.
    pub fn views(&self) -> &'static [View] {
        const ALL: [View; 4] = [View::Summary, View::Graph, View::Timeline, View::Events];
        if self.failed() { &ALL } else { &ALL[1..] }
    }

    pub fn started(&self) -> Option<DateTime<Utc>> {
        self.timeline.started().or_else(|| self.execution.value().map(|execution| execution.started))
    }

    pub fn stopped(&self) -> Option<DateTime<Utc>> {
        self.timeline.stopped().or_else(|| self.execution.value().and_then(|execution| execution.stopped))
    }

    pub fn subs(&self) -> BTreeSet<Sub> {
        let mut subs = BTreeSet::new();
        if !self.ended && !self.is_express() {
            subs.insert(Sub::Execution(self.arn.clone()));
        }
        if !self.flashes.is_empty() {
            subs.insert(Sub::Clock(50));
        } else if self.is_express() && self.is_read() {
            subs.insert(Sub::Clock(250));
        } else if !self.is_over() && self.started().is_some() && !self.is_express() {
            subs.insert(Sub::Clock(100));
        } else if self.map_runs.values().any(unsettled) {
            // It is over, but what was heard of a map run is not the last of it.
            subs.insert(Sub::Clock(1000));
        }
        subs
    }

    /// The visit that is looked at.
    pub fn visit(&self) -> Option<&Visit> {
        self.timeline.visits().get(self.visit_index()?)
    }

    pub fn visit_index(&self) -> Option<usize> {
        let state = self.state.as_deref()?;
        let visits = self.timeline.visits();
        let chosen = self.visit.filter(|i| visits.get(*i).is_some_and(|visit| visit.name == state));
        chosen.or_else(|| self.timeline.last_visit(state))
    }

    /// When the wait that runs will end: visit and moment.
    pub fn until(&self) -> Option<(usize, DateTime<Utc>)> {
        let current = self.timeline.current()?;
        let visit = &self.timeline.visits()[current];
        let state = definition_of(&self.machine, &visit.name)?;
        Some((current, self.timeline.wait_until(visit, state)?))
    }

    /// The token that the selected task waits for.
    pub fn token(&self) -> Option<String> {
        let visit = self.visit_index()?;
        self.timeline.token(visit, definition_of(&self.machine, self.state.as_deref()?)?)
    }

    /// What the selected state's map run is, where it is distributed.
    pub fn map_run(&self) -> Option<String> {
        self.timeline.map_run(self.visit_index()?)
    }

    /// New events of the stream.
    pub fn happened(&mut self, world: &World, events: &[HistoryEvent]) {
        let first = self.timeline.is_empty();
        let moves = |event: &HistoryEvent| event.kind.ends_with("Entered") || event.kind.ends_with("Exited");
        let fresh: Vec<i64> = events
            .iter()
            .filter(|event| moves(event) && self.timeline.event(event.id).is_none())
            .map(|event| event.id)
            .collect();
        self.timeline.extend(events);
        self.heard = Some(world.now);
        self.interrupted = None;
        if !first && !world.reduced_motion {
            for visit in fresh.into_iter().filter_map(|id| self.timeline.owner(id)) {
                let name = &self.timeline.visits()[visit].name;
                match self.flashes.get_mut(name) {
                    Some(at) => *at = world.now,
                    None => {
                        self.flashes.insert(name.clone(), world.now);
                    }
                }
            }
        }
        if self.undrawn.is_some() {
            self.draw_history();
        }
        self.go_along(world);
    }

    /// Draws the states that the history names, where the definition cannot be drawn.
    pub fn draw_history(&mut self) {
        let names = self.timeline.firsts().map(|visit| visit.name.as_str());
        if !names.eq(self.plan.states()) {
            self.lay(Plan::of(&Flow::of_history(&self.timeline)), Drawn::default());
        }
    }

    pub fn lay(&mut self, plan: Plan, drawn: Drawn) {
        self.compact = plan.compact();
        self.plan = plan;
        self.drawn = drawn;
    }

    /// While following: to what runs, at the end to what failed first.
    pub fn go_along(&mut self, world: &World) {
        if self.follow {
            self.item = None;
            let cause = self.timeline.root_cause().and_then(|cause| cause.visit);
            self.visit = match cause {
                Some(visit) => Some(visit),
                None => self.timeline.current().or(self.timeline.visits().len().checked_sub(1)),
            };
            self.state =
                self.visit.map(|i| self.timeline.visits()[i].name.clone()).or_else(|| self.state.take());
            self.event = self.timeline.last_event().map(|event| event.id);
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
        if !self.views().contains(&self.view) {
            self.view = View::Graph;
        }
        if !inspect::tabs(self).contains(&self.tab) {
            self.tab = Tab::Input;
        }
        // A document of the history stays as it is until another one is looked at.
        let source = inspect::source(self);
        if source.is_none() || source != self.source {
            let text = inspect::text(self, world);
            self.document.show(&text);
            self.source = source;
        }
        self.document.reveal(self.document_area(world));
        self.reveal(world);
    }

    /// Areas: what the views draw in, below title and tabs and what a failure takes.
    pub fn main_area(&self, world: &World) -> Rect {
        let panes = areas::panes(world.body(), self.pane == Pane::Inspector);
        let Some(area) = panes.list else { return Rect::ZERO };
        let used = (3 + self.head_lines(area.width).len() as u16).min(area.height);
        Rect { y: area.y + used, height: area.height - used, ..area }
    }

    /// The inspector's document, below its four lines.
    pub fn document_area(&self, world: &World) -> Rect {
        let panes = areas::panes(world.body(), self.pane == Pane::Inspector);
        let Some(area) = panes.detail else { return Rect::ZERO };
        let used = 5.min(area.height);
        let below = u16::from(area.height > 12);
        Rect { y: area.y + used, height: area.height - used - below, ..area }
    }

    /// The root cause in a few lines, above graph and timeline; the summary says it itself.
    pub fn head_lines(&self, width: u16) -> Vec<String> {
        if matches!(self.view, View::Summary | View::Events) {
            return Vec::new();
        }
        let Some(cause) = self.timeline.root_cause() else { return Vec::new() };
        let what = match (cause.state.as_str(), cause.error.as_deref()) {
            ("", error) => error.unwrap_or("No reason was given").to_owned(),
            (state, Some(error)) => format!("{state}: {error}"),
            (state, None) => format!("It began in {state}"),
        };
        let width = usize::from(width.saturating_sub(2).max(10));
        let mut lines = vec![shown(&what).into_owned()];
        if let Some(text) = &cause.message {
            // No more than can be shown.
            let mut more = wrap(&shown(head(text, 3 * (width + 1))), width);
            if more.len() > 2 {
                more.truncate(2);
                more[1].push('…');
            }
            lines.extend(more);
        }
        lines.push(String::new());
        lines
    }
}
