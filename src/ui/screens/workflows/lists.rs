//! State machines and the executions of one of them.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use ratatui::layout::Rect;

use crate::domain::execution::{Execution, Machine, Status};
use crate::domain::problem::Problem;
use crate::ui::action::Action;
use crate::ui::effect::{Reply, Request, Wish};
use crate::ui::remote::{Remote, Ticket};
use crate::ui::route::Screen;
use crate::ui::widgets::line::Line;
use crate::ui::widgets::table::{self, Cursor};
use crate::ui::world::World;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lists {
    pub machines: Remote<Vec<Machine>>,
    pub machines_cursor: Cursor,
    /// ARN of the machine whose executions are listed.
    pub machine: Option<String>,
    pub executions: Remote<Vec<Execution>>,
    /// Where the next page begins.
    pub next: Option<String>,
    /// The page after the ones that are here, under way.
    pub more: Remote<()>,
    pub cursor: Cursor,
    /// Inputs of executions: a listing has none.
    pub details: BTreeMap<String, Remote<Execution>>,
    pub filter: Line,
    pub filtering: bool,
    /// Only what did not end well.
    pub failing: bool,
}

/// Rows asked for their input at once.
const DETAILS: usize = 40;

impl Lists {
    pub fn ask_machines(&mut self, world: &mut World) -> Wish {
        world.ask(Screen::Workflows, &mut self.machines, Request::Machines)
    }

    /// Lists a machine's executions; what was known of another machine goes.
    pub fn ask_executions(&mut self, world: &mut World, machine_arn: &str) -> Wish {
        if self.machine.as_deref() != Some(machine_arn) {
            self.executions.clear();
            self.more.clear();
            self.next = None;
            self.details.clear();
            self.cursor = Cursor::default();
            self.machine = Some(machine_arn.to_owned());
        }
        let request = Request::Executions { machine_arn: machine_arn.to_owned(), token: None };
        world.ask(Screen::Workflows, &mut self.executions, request)
    }

    /// The machine that the settings name, or else the only one.
    pub fn usual<'a>(&'a self, world: &World) -> Option<&'a Machine> {
        let machines = self.machines.value()?;
        let wanted = &world.setup.state_machine;
        let named = machines.iter().find(|machine| machine.name == *wanted || machine.arn == *wanted);
        named.or_else(|| machines.first().filter(|_| machines.len() == 1))
    }

    pub fn machine_name(&self) -> &str {
        self.machine.as_deref().and_then(|arn| arn.rsplit(':').next()).unwrap_or_default()
    }

    pub fn any_running(&self) -> bool {
        self.executions.value().is_some_and(|all| all.iter().any(|execution| !execution.status.is_over()))
    }

    /// Indices of the machines that the filter leaves.
    pub fn machine_rows(&self) -> Vec<usize> {
        let machines = self.machines.value().map(Vec::as_slice).unwrap_or_default();
        (0..machines.len()).filter(|&i| self.matches(&machines[i].name)).collect()
    }

    /// Indices of the executions that filter and `failing` leave.
    pub fn rows(&self) -> Vec<usize> {
        let all = self.executions.value().map(Vec::as_slice).unwrap_or_default();
        let bad = |status| matches!(status, Status::Failed | Status::TimedOut | Status::Aborted);
        let shown = |execution: &Execution| {
            (!self.failing || bad(execution.status))
                && (self.matches(&execution.name)
                    || self.matches(execution.status.as_str())
                    || self.input(execution).is_some_and(|input| self.matches(input)))
        };
        (0..all.len()).filter(|&i| shown(&all[i])).collect()
    }

    fn matches(&self, text: &str) -> bool {
        let needle = self.filter.text();
        needle.is_empty() || text.to_lowercase().contains(&needle.to_lowercase())
    }

    /// The input of a listed execution, once that is known.
    pub fn input<'a>(&'a self, execution: &'a Execution) -> Option<&'a str> {
        execution.input.as_deref().or_else(|| self.details.get(&execution.arn)?.value()?.input.as_deref())
    }

    pub fn selected(&self) -> Option<&Execution> {
        let row = *self.rows().get(self.cursor.selected)?;
        self.executions.value()?.get(row)
    }

    pub fn selected_machine(&self) -> Option<&Machine> {
        let row = *self.machine_rows().get(self.machines_cursor.selected)?;
        self.machines.value()?.get(row)
    }

    /// The newest execution that worked.
    pub fn last_success(&self) -> Option<&Execution> {
        self.executions.value()?.iter().find(|execution| execution.status == Status::Succeeded)
    }

    /// Moves the cursor of the list in front; asks for what comes into view.
    pub fn act(
        &mut self,
        world: &mut World,
        action: Action,
        machines: bool,
        area: Rect,
    ) -> Option<Vec<Wish>> {
        let page = table::page(area);
        if machines {
            let len = self.machine_rows().len();
            return self.machines_cursor.act(action, len, page).then(Vec::new);
        }
        let len = self.rows().len();
        self.cursor.act(action, len, page).then(|| self.look(world, area))
    }

    /// Asks for the inputs of the rows in view, and for the next page at the end of this one.
    pub fn look(&mut self, world: &mut World, area: Rect) -> Vec<Wish> {
        let page = table::page(area);
        let rows = self.rows();
        self.cursor.reveal(rows.len(), page);
        let mut wishes = Vec::new();
        let all = self.executions.value().map(Vec::as_slice).unwrap_or_default();
        let in_view = rows.iter().skip(self.cursor.offset_for(page)).take(page.min(DETAILS));
        let arns: Vec<String> =
            in_view.filter_map(|&row| all.get(row)).map(|execution| execution.arn.clone()).collect();
        for arn in arns {
            self.details.entry(arn).or_insert_with_key(|arn| {
                let mut detail = Remote::default();
                wishes.push(world.ask(
                    Screen::Workflows,
                    &mut detail,
                    Request::Execution { arn: arn.clone() },
                ));
                detail
            });
        }
        let near_end = self.cursor.selected + 2 >= rows.len();
        if let (Some(token), Some(machine_arn), true, false) =
            (self.next.clone(), self.machine.clone(), near_end, self.more.is_waiting())
        {
            let request = Request::Executions { machine_arn, token: Some(token) };
            wishes.push(world.ask(Screen::Workflows, &mut self.more, request));
        }
        wishes
    }

    /// While something runs, the list is asked again from time to time.
    pub fn tick(&mut self, world: &mut World) -> Vec<Wish> {
        let pause = TimeDelta::seconds(if world.setup.local { 2 } else { 6 });
        let old = self.executions.at().is_none_or(|at| world.now - at >= pause);
        match self.machine.clone() {
            Some(machine) if old && !self.executions.is_waiting() && self.any_running() => {
                vec![self.ask_executions(world, &machine)]
            }
            _ => Vec::new(),
        }
    }

    /// Takes an answer if it is one of these lists'; `None` when it is not.
    pub fn replied(
        &mut self,
        world: &mut World,
        ticket: Ticket,
        answer: &Result<Reply, Problem>,
        area: Rect,
    ) -> Option<Vec<Wish>> {
        let now = world.now;
        if self.machines.awaits(ticket) {
            let answer = read(answer, |reply| match reply {
                Reply::Machines(machines) => Some(machines.clone()),
                _ => None,
            });
            self.machines.accept(ticket, answer, now);
            return Some(self.blame(self.machines.problem()));
        }
        if self.executions.awaits(ticket) {
            let keep = self.selected().map(|execution| execution.arn.clone());
            let answer = read(answer, |reply| match reply {
                Reply::Executions { items, next } => Some((items.clone(), next.clone())),
                _ => None,
            });
            let answer = answer.map(|(mut items, next)| {
                // Older pages that are here stay; the newest page comes anew.
                let old = self.executions.value().map(Vec::as_slice).unwrap_or_default();
                let last = items.last().map(|execution| execution.started);
                let known =
                    old.iter().filter(|e| last.is_some_and(|last| e.started < last) && next.is_some());
                let older: Vec<Execution> = known.cloned().collect();
                if older.is_empty() {
                    self.next = next;
                }
                items.extend(older);
                items
            });
            self.executions.accept(ticket, answer, now);
            let kept = keep.and_then(|arn| {
                let all = self.executions.value()?;
                self.rows().iter().position(|&row| all[row].arn == arn)
            });
            self.cursor.selected = kept.unwrap_or(self.cursor.selected);
            let mut wishes = self.blame(self.executions.problem());
            wishes.extend(self.look(world, area));
            return Some(wishes);
        }
        if self.more.awaits(ticket) {
            let page = read(answer, |reply| match reply {
                Reply::Executions { items, next } => Some((items.clone(), next.clone())),
                _ => None,
            });
            self.more.accept(ticket, page.clone().map(|_| ()), now);
            if let (Ok((items, next)), Some(all)) = (page, self.executions.value_mut()) {
                self.next = next;
                all.extend(items);
            }
            let mut wishes = self.blame(self.more.problem());
            if self.more.problem().is_none() {
                wishes.extend(self.look(world, area));
            }
            return Some(wishes);
        }
        let detail = self.details.values_mut().find(|detail| detail.awaits(ticket))?;
        let answer = read(answer, |reply| match reply {
            Reply::Execution(execution) => Some((**execution).clone()),
            _ => None,
        });
        detail.accept(ticket, answer, now);
        Some(Vec::new())
    }

    fn blame(&self, problem: Option<&Problem>) -> Vec<Wish> {
        problem.map(|problem| Wish::Blame(problem.clone())).into_iter().collect()
    }
}

/// The answer as the wanted type; any other answer is a problem of its own.
pub fn read<T>(answer: &Result<Reply, Problem>, wanted: impl Fn(&Reply) -> Option<T>) -> Result<T, Problem> {
    match answer {
        Ok(reply) => wanted(reply).ok_or_else(|| Problem::new("The answer belongs to another question")),
        Err(problem) => Err(problem.clone()),
    }
}
