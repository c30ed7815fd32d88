//! What an open execution asks for, and how it takes the answers.

use chrono::TimeDelta;

use crate::domain::problem::Problem;
use crate::domain::timeline::{Kind, Visit};
use crate::ui::effect::{Reply, Request, Wish};
use crate::ui::remote::{Remote, Ticket};
use crate::ui::route::Screen;
use crate::ui::screens::workflows::inspect::{self, Tab};
use crate::ui::screens::workflows::lists::read;
use crate::ui::screens::workflows::run::Run;
use crate::ui::widgets::graph::drawn::Drawn;
use crate::ui::widgets::graph::plan::Plan;
use crate::ui::widgets::graph::shape::Flow;
use crate::ui::world::World;

impl Run {
    /// What has to be known: the execution and the definition it runs with.
    pub fn ask(&mut self, world: &mut World) -> Vec<Wish> {
        let mut wishes = Vec::new();
        let arn = self.arn.clone();
        if self.is_express() {
            // It can be described by its state machine alone.
            if self.definition.value().is_none() && !self.definition.is_waiting() {
                let request = Request::Definition { machine_arn: self.machine_arn() };
                wishes.push(world.ask(Screen::Workflows, &mut self.definition, request));
            }
            wishes.extend(self.ask_logged(world));
            return wishes;
        }
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

    /// What the tab in front needs beyond the history: the function's log, a map run's counts.
    pub fn ask_tab(&mut self, world: &mut World) -> Vec<Wish> {
        match self.tab {
            Tab::Log => self.ask_log(world),
            Tab::MapRun => {
                let Some(arn) = self.map_run() else { return Vec::new() };
                let over = self.is_over();
                let known = self.map_runs.entry(arn.clone()).or_default();
                if known.is_waiting() || (over && known.value().is_some()) {
                    return Vec::new();
                }
                vec![world.ask(Screen::Workflows, known, Request::MapRun { arn })]
            }
            _ => Vec::new(),
        }
    }

    /// The function's lines that name this execution, once they are looked at.
    fn ask_log(&mut self, world: &mut World) -> Vec<Wish> {
        let Some(from) = self.started() else { return Vec::new() };
        let over = self.is_over();
        let to = self.stopped().unwrap_or(world.now) + TimeDelta::minutes(1);
        let (group, pattern) = (self.log_group(world), Some(format!("\"{}\"", self.name())));
        let log = self.logs.entry(group.clone()).or_default();
        if log.value().is_some() && over || log.is_waiting() {
            return Vec::new();
        }
        vec![world.ask(Screen::Workflows, log, Request::LinesBetween { group, from, to, pattern })]
    }

    /// The log group of the function that the selected state called.
    pub fn log_group(&self, world: &World) -> String {
        let called = self.visit_index().and_then(|visit| self.timeline.function(visit));
        format!("/aws/lambda/{}", called.as_deref().unwrap_or(&world.setup.function))
    }

    /// While following, the selection may have come to a state whose function's log was not asked for.
    pub fn ask_followed(&mut self, world: &mut World) -> Vec<Wish> {
        match self.tab == Tab::Log && !self.logs.contains_key(&self.log_group(world)) {
            true => self.ask_log(world),
            false => Vec::new(),
        }
    }

    /// Takes an answer if this run awaits it.
    pub fn replied(
        &mut self,
        world: &World,
        ticket: Ticket,
        answer: &Result<Reply, Problem>,
    ) -> Option<Vec<Wish>> {
        let now = world.now;
        if self.execution.awaits(ticket) {
            let answer = read(answer, |reply| match reply {
                Reply::Execution(execution) => Some((**execution).clone()),
                _ => None,
            });
            self.execution.accept(ticket, answer, now);
            self.settle(world);
            return Some(blame(&self.execution));
        }
        if self.definition.awaits(ticket) {
            let answer = read(answer, |reply| match reply {
                Reply::Definition(definition) => Some(definition.clone()),
                _ => None,
            });
            self.definition.accept(ticket, answer, now);
            self.draw_definition();
            self.go_along(world);
            return Some(blame(&self.definition));
        }
        if let Some(log) = self.logs.values_mut().find(|log| log.awaits(ticket)) {
            let answer = read(answer, |reply| match reply {
                Reply::Lines(lines) => Some(inspect::log_text(lines, &self.arn, world)),
                _ => None,
            });
            log.accept(ticket, answer, now);
            self.settle(world);
            return Some(Vec::new());
        }
        if let Some(run) = self.map_runs.values_mut().find(|run| run.awaits(ticket)) {
            let answer = read(answer, |reply| match reply {
                Reply::MapRun(run) => Some(run.clone()),
                _ => None,
            });
            run.accept(ticket, answer, now);
            self.settle(world);
            if self.failed() {
                self.tell(world);
            }
            return Some(Vec::new());
        }
        if self.logged(world, ticket, answer) {
            return Some(self.logged_problem());
        }
        if self.story.replied(world, ticket, answer) {
            self.tell(world);
            return Some(Vec::new());
        }
        None
    }

    fn draw_definition(&mut self) {
        if let Some(definition) = self.definition.value() {
            self.machine = serde_json::from_str(&definition.text).unwrap_or_default();
            match Flow::read(&definition.text) {
                Ok(flow) => {
                    let drawn = Drawn::of(&definition.text);
                    self.undrawn = None;
                    self.lay(Plan::of(&flow), drawn);
                }
                Err(why) => self.undrawn = Some(why),
            }
        }
        if self.undrawn.is_some() || self.definition.problem().is_some() {
            self.undrawn.get_or_insert_with(|| "The definition did not arrive".to_owned());
            self.draw_history();
        }
    }

    /// The stream ended, with a problem or because the execution is over.
    pub fn stream_ended(&mut self, problem: Option<Problem>) -> Vec<Wish> {
        self.ended = true;
        self.interrupted = None;
        self.stream.clone_from(&problem);
        problem.map(Wish::Blame).into_iter().collect()
    }
}

fn blame<T>(remote: &Remote<T>) -> Vec<Wish> {
    remote.problem().map(|problem| Wish::Blame(problem.clone())).into_iter().collect()
}

/// How often the counts of a map run that goes on are asked for.
const COUNTS: TimeDelta = TimeDelta::seconds(2);

impl Run {
    /// Counts of distributed maps, which are no part of the history: of each that goes on, and of one that is over
    /// until they are its last ones.
    pub fn ask_counts(&mut self, world: &mut World) -> Vec<Wish> {
        let newest = |visit: &Visit| self.timeline.last_visit(&visit.name);
        let maps = self.timeline.firsts().filter(|visit| visit.kind == Kind::Map).filter_map(newest);
        let open =
            |visit: usize| self.timeline.visits().get(visit).is_some_and(|visit| visit.exited.is_none());
        let runs: Vec<(String, bool)> =
            maps.filter_map(|visit| Some((self.timeline.map_run(visit)?, open(visit)))).collect();
        let mut wishes = Vec::new();
        for (arn, open) in runs {
            let known = self.map_runs.entry(arn.clone()).or_default();
            let moves = open || known.value().is_none_or(|run| run.status == "RUNNING");
            // What cannot be had is not asked for again and again; what fails now may be there later.
            let refused = known.problem().is_some_and(|problem| !problem.retry);
            let asked = self.counted.get(&arn).copied();
            // Once more as soon as it is over, whenever that was asked last.
            let due = asked.is_none_or(|(at, was_open)| world.now - at >= COUNTS || was_open && !open);
            if moves && due && !refused && !known.is_waiting() {
                self.counted.insert(arn.clone(), (world.now, open));
                wishes.push(world.ask(Screen::Workflows, known, Request::MapRun { arn }));
            }
        }
        wishes
    }

    /// What changes with time alone, and the counts that no event brings.
    pub fn tick(&mut self, world: &mut World) -> Vec<Wish> {
        if self.tab == Tab::Attempts {
            self.settle(world);
        }
        self.ask_counts(world)
    }
}
