//! An express execution that is open. It has no history and cannot be described: what it logged to CloudWatch
//! Logs is read instead, again and again until the log tells its end or none can come any more.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::express;
use crate::domain::problem::Problem;
use crate::domain::text::shown;
use crate::ui::action::Action;
use crate::ui::effect::{Reply, Request, Wish};
use crate::ui::keymap::Context;
use crate::ui::remote::{Remote, Ticket};
use crate::ui::route::Screen;
use crate::ui::screens::workflows::lists::read;
use crate::ui::screens::workflows::run::Run;
use crate::ui::widgets::notice;
use crate::ui::world::World;

/// How the reading of its log stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Logged {
    lines: Remote<()>,
    /// How often nothing of it was found.
    missed: usize,
    /// When its log was looked at first.
    since: Option<DateTime<Utc>>,
    /// It was started here, so there is nothing of it further back.
    fresh: bool,
    /// Nothing more is looked for.
    over: bool,
}

/// How far back each of the first looks goes, in minutes: an hour, a day, a week.
const BACK: [i64; 3] = [60, 1_440, 10_080];
/// The looks after those wait for what has just begun.
const RECENT: i64 = 10;
/// Express executions run for five minutes at most (Step Functions developer guide, "Quotas related to state
/// machine executions"); their log may be late by a little.
const PATIENCE: TimeDelta = TimeDelta::minutes(6);

impl Run {
    pub fn is_express(&self) -> bool {
        self.arn.contains(":express:")
    }

    /// Whether its log may still tell something.
    pub fn is_read(&self) -> bool {
        self.is_express() && !self.logged.over && !self.timeline.is_over()
    }

    /// Begins anew with what its log tells. `fresh`: it was started here.
    pub fn read_anew(&mut self, fresh: bool) {
        self.logged = Logged { fresh, ..Logged::default() };
    }

    /// Of an express execution: the next look at its log, once that is due.
    pub fn ask_logged(&mut self, world: &mut World) -> Vec<Wish> {
        if self.is_express() && self.timeline.is_over() {
            return self.investigate(world);
        }
        let group = self.definition.value().and_then(|definition| definition.log_group.clone());
        let Some(group) = group.filter(|_| self.is_read()) else { return Vec::new() };
        let logged = &mut self.logged;
        if logged.lines.is_waiting() || logged.lines.problem().is_some() {
            return Vec::new();
        }
        let first = self.timeline.nth(0).map(|event| event.at);
        let back = BACK.get(logged.missed).filter(|_| first.is_none() && !logged.fresh);
        let pause = TimeDelta::seconds(if world.setup.local { 1 } else { 5 });
        let due = logged.lines.at().is_none_or(|at| world.now - at >= pause);
        if world.now - *logged.since.get_or_insert(world.now) > PATIENCE {
            logged.over = true;
            return Vec::new();
        }
        if back.is_none() && !due {
            return Vec::new();
        }
        let minutes = TimeDelta::minutes(back.copied().unwrap_or(RECENT));
        let from = first.map_or(world.now - minutes, |first| first - TimeDelta::minutes(1));
        let pattern = Some(format!("\"{}\"", self.arn));
        let to = world.now + TimeDelta::minutes(1);
        let request = Request::LinesBetween { group, from, to, pattern };
        vec![world.ask(Screen::Workflows, &mut self.logged.lines, request)]
    }

    /// Takes what its log tells, if this run awaits it.
    pub fn logged(&mut self, world: &World, ticket: Ticket, answer: &Result<Reply, Problem>) -> bool {
        if !self.logged.lines.awaits(ticket) {
            return false;
        }
        let lines = read(answer, |reply| match reply {
            Reply::Lines(lines) => Some(lines.clone()),
            _ => None,
        });
        if let Ok(lines) = &lines {
            let told = express::executions(&self.machine_arn(), lines);
            match told.into_iter().find(|(one, _)| one.arn == self.arn) {
                Some((_, timeline)) => self.timeline = timeline,
                None => self.logged.missed += 1,
            }
        }
        self.logged.lines.accept(ticket, lines.map(|_| ()), world.now);
        if self.undrawn.is_some() {
            self.draw_history();
        }
        self.go_along(world);
        true
    }

    /// The problem of the last look at its log.
    pub fn logged_problem(&self) -> Vec<Wish> {
        self.logged.lines.problem().map(|problem| Wish::Blame(problem.clone())).into_iter().collect()
    }

    /// Why nothing of an express execution is there to be drawn.
    pub fn unlogged(&self, world: &World) -> Result<String, &Problem> {
        if let Some(problem) = self.definition.problem().or(self.logged.lines.problem()) {
            return Err(problem);
        }
        let none = "Express executions have no history";
        Ok(match self.definition.value().map(|definition| definition.log_group.as_deref()) {
            None => format!("{none}: looking for its log"),
            Some(None) => format!(
                "{none}, and this state machine logs nothing: set its loggingConfiguration to see the next ones"
            ),
            Some(Some(group)) if self.logged.over => format!(
                "{none}, and nothing of this one is in {}: its log level may leave it out. {} looks again",
                shown(group),
                notice::key(world, Context::Workflows, Action::Refresh)
            ),
            Some(Some(group)) => {
                format!("{none}: what it logs to {} is read. Nothing of it is there yet", shown(group))
            }
        })
    }

    /// What the picture of an express execution is made of.
    pub fn told_by(&self) -> Option<String> {
        let group = self.definition.value()?.log_group.as_deref().filter(|_| self.is_express())?;
        let end = match self.logged.over && !self.timeline.is_over() {
            true => "; it tells no end",
            false => "",
        };
        Some(format!("Express, without a history: this is what it logged to {}{end}", shown(group)))
    }
}
