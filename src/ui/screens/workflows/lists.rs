//! State machines and the executions of one of them. `answers` to its questions are taken in `arrivals.rs`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use ratatui::layout::Rect;

use crate::domain::execution::{Execution, Machine, Release, Status, qualified_name};
use crate::domain::problem::Problem;
use crate::domain::timeline::Timeline;
use crate::ui::action::Action;
use crate::ui::effect::{Reply, Request, Wish};
use crate::ui::remote::Remote;
use crate::ui::route::Screen;
use crate::ui::screens::workflows::open::Open;
use crate::ui::screens::workflows::recent::Recent;
use crate::ui::widgets::line::Line;
use crate::ui::widgets::table::{self, Cursor};
use crate::ui::world::World;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lists {
    pub machines: Remote<Vec<Machine>>,
    pub machines_cursor: Cursor,
    /// What the newest executions of each machine in view add up to.
    pub recent: BTreeMap<String, Remote<Recent>>,
    /// What runs, of each machine that has more executions than a page.
    pub open: BTreeMap<String, Remote<Open>>,
    /// ARN of the machine, or of the map run, whose executions are listed.
    pub machine: Option<String>,
    pub executions: Remote<Vec<Execution>>,
    /// So many of them are the newest page; the others are of older pages.
    pub(super) newest: usize,
    /// Where the next page begins.
    pub next: Option<String>,
    /// The page after the ones that are here, under way.
    pub more: Remote<()>,
    pub cursor: Cursor,
    /// Inputs of executions: a listing has none.
    pub details: BTreeMap<String, Remote<Execution>>,
    pub filter: Line,
    pub filtering: bool,
    /// Only executions of this status; AWS leaves the others out.
    pub status: Option<Status>,
    /// Only what did not end well.
    pub failing: bool,
    /// Only what started within so many minutes.
    pub since: Option<i64>,
    /// Indices of the executions that are left, worked out when something changes.
    pub(super) rows: Vec<usize>,
    /// What the executions that are here add up to, likewise.
    pub lately: Recent,
    /// Versions and aliases of the machine.
    pub releases: Remote<(Vec<Release>, Vec<Release>)>,
    /// Of an express machine: what its log tells, by execution, and the log's group.
    pub express: BTreeMap<String, Timeline>,
    pub log_group: Option<String>,
}

/// Rows asked for their input at once.
const DETAILS: usize = 40;
/// How far back the log of an express machine is read, in minutes, unless a time filter says otherwise.
pub const EXPRESS: i64 = 60;

impl Lists {
    pub fn ask_machines(&mut self, world: &mut World) -> Wish {
        world.ask(Screen::Workflows, &mut self.machines, Request::Machines)
    }

    /// Lists a machine's executions; what was known of another machine goes.
    pub fn ask_executions(&mut self, world: &mut World, machine_arn: &str) -> Wish {
        if self.machine.as_deref() != Some(machine_arn) {
            self.forget();
            self.releases.clear();
            self.machine = Some(machine_arn.to_owned());
        }
        let request = if self.is_express() {
            let minutes = self.since.unwrap_or(EXPRESS);
            Request::Express { machine_arn: machine_arn.to_owned(), minutes }
        } else {
            Request::Executions { machine_arn: machine_arn.to_owned(), status: self.status, token: None }
        };
        world.ask(Screen::Workflows, &mut self.executions, request)
    }

    fn forget(&mut self) {
        self.executions.clear();
        self.newest = 0;
        self.more.clear();
        self.next = None;
        self.details.clear();
        self.express.clear();
        self.log_group = None;
        self.rows.clear();
        self.lately = Recent::default();
        self.cursor = Cursor::default();
    }

    /// Whether the machine whose executions are listed is an express one.
    pub fn is_express(&self) -> bool {
        let machines = self.machines.value().into_iter().flatten();
        let mine = machines.into_iter().find(|machine| Some(&machine.arn) == self.machine.as_ref());
        mine.is_some_and(|machine| machine.express)
    }

    /// The machine that the settings name, or else the only one.
    pub fn usual<'a>(&'a self, world: &World) -> Option<&'a Machine> {
        let machines = self.machines.value()?;
        let wanted = &world.setup.state_machine;
        let named = machines.iter().find(|machine| machine.name == *wanted || machine.arn == *wanted);
        named.or_else(|| machines.first().filter(|_| machines.len() == 1))
    }

    /// Of whom the executions are: a state machine, or the map run `arn:…:mapRun:<machine>/<label>:<id>`.
    pub fn machine_name(&self) -> &str {
        let arn = self.machine.as_deref().unwrap_or_default();
        let name = match arn.split_once(":mapRun:") {
            Some((_, run)) => run.split(':').next(),
            None => Some(qualified_name(arn)),
        };
        name.unwrap_or_default()
    }

    /// The id of the map run whose children are listed.
    pub fn map_run(&self) -> Option<&str> {
        let arn = self.machine.as_deref().filter(|arn| arn.contains(":mapRun:"))?;
        arn.rsplit(':').next()
    }

    pub fn any_running(&self) -> bool {
        self.lately.running > 0
    }

    /// Indices of the machines that the filter leaves.
    pub fn machine_rows(&self) -> Vec<usize> {
        let machines = self.machines.value().map(Vec::as_slice).unwrap_or_default();
        let needle = self.filter.text().to_lowercase();
        (0..machines.len()).filter(|&i| machines[i].name.to_lowercase().contains(&needle)).collect()
    }

    /// Indices of the executions that status, time and text leave.
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// Works the rows out anew.
    pub fn arrange(&mut self, world: &World) {
        let all = self.executions.value().map(Vec::as_slice).unwrap_or_default();
        let needle = self.filter.text().to_lowercase();
        let after = self.since.map(|minutes| world.now - TimeDelta::minutes(minutes));
        let has = |text: &str| text.to_lowercase().contains(&needle);
        let shown = |one: &Execution| {
            (!self.failing || matches!(one.status, Status::Failed | Status::TimedOut | Status::Aborted))
                && self.status.is_none_or(|status| one.status == status)
                && after.is_none_or(|after| one.started >= after)
                && (needle.is_empty()
                    || has(&one.name)
                    || has(one.status.as_str())
                    || self.input(one).is_some_and(has))
        };
        self.rows = (0..all.len()).filter(|&i| shown(&all[i])).collect();
        self.lately = Recent::of(all, self.next.is_some(), world.now);
        let open = self.machine.as_ref().and_then(|arn| self.open.get(arn)).and_then(Remote::value);
        if let Some(open) = open.filter(|_| self.next.is_some()) {
            self.lately.open(open);
        }
    }

    /// The input of a listed execution, once that is known.
    pub fn input<'a>(&'a self, execution: &'a Execution) -> Option<&'a str> {
        execution.input.as_deref().or_else(|| self.details.get(&execution.arn)?.value()?.input.as_deref())
    }

    pub fn selected(&self) -> Option<&Execution> {
        let row = *self.rows.get(self.cursor.selected)?;
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

    /// Only executions of a status, which AWS picks out; `None` for all.
    pub fn choose_status(&mut self, world: &mut World, status: Option<Status>) -> Option<Wish> {
        let machine = self.machine.clone()?;
        self.status = status;
        self.failing = false;
        self.forget();
        Some(self.ask_executions(world, &machine))
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
            return self.machines_cursor.act(action, len, page).then(|| self.look_at_machines(world, area));
        }
        let len = self.rows.len();
        self.cursor.act(action, len, page).then(|| self.look(world, area))
    }

    /// Asks how the machines in view did lately.
    pub fn look_at_machines(&mut self, world: &mut World, area: Rect) -> Vec<Wish> {
        let page = table::page(area);
        let rows = self.machine_rows();
        let machines = self.machines.value().map(Vec::as_slice).unwrap_or_default();
        let in_view = rows.iter().skip(self.machines_cursor.offset_for(page)).take(page);
        let standard = in_view.map(|&row| &machines[row]).filter(|machine| !machine.express);
        let arns: Vec<String> = standard.map(|machine| machine.arn.clone()).collect();
        let mut wishes = Vec::new();
        for machine_arn in arns {
            let recent = self.recent.entry(machine_arn.clone()).or_default();
            let old = recent.at().is_none_or(|at| world.now - at >= TimeDelta::seconds(30));
            if old && !recent.is_waiting() {
                let request = Request::Executions { machine_arn, status: None, token: None };
                wishes.push(world.ask(Screen::Workflows, recent, request));
            }
        }
        wishes
    }

    /// Asks for the inputs of the rows in view, and for the next page at the end of this one. What was
    /// asked for rows that left the view is given up.
    pub fn look(&mut self, world: &mut World, area: Rect) -> Vec<Wish> {
        let page = table::page(area);
        self.cursor.reveal(self.rows.len(), page);
        if self.is_express() {
            return Vec::new();
        }
        let mut wishes = Vec::new();
        let all = self.executions.value().map(Vec::as_slice).unwrap_or_default();
        let in_view = self.rows.iter().skip(self.cursor.offset_for(page)).take(page.min(DETAILS));
        let arns: BTreeSet<String> =
            in_view.filter_map(|&row| all.get(row)).map(|execution| execution.arn.clone()).collect();
        let left: Vec<String> = (self.details.iter())
            .filter(|(arn, detail)| detail.is_waiting() && !arns.contains(*arn))
            .map(|(arn, _)| arn.clone())
            .collect();
        for arn in left {
            world.superseded.extend(self.details.remove(&arn).and_then(|detail| detail.awaited()));
        }
        for arn in arns {
            self.details.entry(arn).or_insert_with_key(|arn| {
                let mut detail = Remote::default();
                let request = Request::Execution { arn: arn.clone() };
                wishes.push(world.ask(Screen::Workflows, &mut detail, request));
                detail
            });
        }
        wishes.extend(self.ask_more(world, page));
        wishes
    }

    /// The next page, when the cursor comes near the end of what is here and older ones may be wanted.
    fn ask_more(&mut self, world: &mut World, page: usize) -> Option<Wish> {
        let near_end = self.cursor.selected + page + 2 >= self.rows.len();
        let oldest = self.executions.value().and_then(|all| all.last()).map(|execution| execution.started);
        let after = self.since.map(|minutes| world.now - TimeDelta::minutes(minutes));
        let wanted = after.zip(oldest).is_none_or(|(after, oldest)| oldest >= after);
        if !near_end || !wanted || self.more.is_waiting() || self.more.problem().is_some() {
            return None;
        }
        let (token, machine_arn) = self.next.clone().zip(self.machine.clone())?;
        let request = Request::Executions { machine_arn, status: self.status, token: Some(token) };
        Some(world.ask(Screen::Workflows, &mut self.more, request))
    }

    /// The list is asked again from time to time, more often while something in it runs.
    pub fn tick(&mut self, world: &mut World) -> Vec<Wish> {
        let due = self.executions.is_due(world.now, world.patience(self.any_running()));
        match self.machine.clone() {
            Some(machine) if due && !self.is_express() => vec![self.ask_executions(world, &machine)],
            _ => Vec::new(),
        }
    }
}

/// The answer as the wanted type; any other answer is a problem of its own.
pub fn read<T>(answer: &Result<Reply, Problem>, wanted: impl Fn(&Reply) -> Option<T>) -> Result<T, Problem> {
    match answer {
        Ok(reply) => wanted(reply).ok_or_else(|| Problem::new("The answer belongs to another question")),
        Err(problem) => Err(problem.clone()),
    }
}
