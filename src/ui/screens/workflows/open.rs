//! What runs beyond the newest page of a list: ListExecutions is newest first, so a run that began long ago
//! is not among the newest thousand. Asked for by status, it is counted, and rows of older pages that are
//! still shown as running and are not in that answer have ended meanwhile: each is asked for itself.

use std::collections::BTreeSet;

use ratatui::layout::Rect;

use crate::domain::execution::{Execution, Status};
use crate::ui::effect::{Request, Wish};
use crate::ui::remote::Remote;
use crate::ui::route::Screen;
use crate::ui::screens::workflows::lists::Lists;
use crate::ui::screens::workflows::recent::Recent;
use crate::ui::widgets::table;
use crate::ui::world::World;

/// The running executions of a state machine, as ListExecutions gives them for that status.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Open {
    arns: BTreeSet<String>,
    /// There are more than one page of them.
    pub more: bool,
}

impl Open {
    pub fn of(items: &[Execution], more: bool) -> Open {
        Open { arns: items.iter().map(|one| one.arn.clone()).collect(), more }
    }

    pub fn count(&self) -> usize {
        self.arns.len()
    }
}

/// Rows asked for at once whether they have ended.
const DOUBTFUL: usize = 20;

impl Lists {
    /// Asks what of a state machine runs, unless that is under way.
    pub(super) fn ask_open(&mut self, world: &mut World, machine_arn: &str) -> Option<Wish> {
        let open = self.open.entry(machine_arn.to_owned()).or_default();
        if open.is_waiting() {
            return None;
        }
        let machine_arn = machine_arn.to_owned();
        let request = Request::Executions { machine_arn, status: Some(Status::Running), token: None };
        Some(world.ask(Screen::Workflows, open, request))
    }

    /// After the newest page arrived: what runs beyond it, where there is such.
    pub(super) fn ask_beyond(&mut self, world: &mut World) -> Option<Wish> {
        let beyond = self.beyond().any(|one| !one.status.is_over());
        let machine = self.machine.clone().filter(|_| beyond || self.next.is_some())?;
        self.ask_open(world, &machine)
    }

    /// The rows of older pages.
    fn beyond(&self) -> impl Iterator<Item = &Execution> {
        self.executions.value().into_iter().flatten().skip(self.newest)
    }

    /// Asks for rows of older pages that are shown as running and do not run any more as far as is known;
    /// those in view come first.
    pub(super) fn ask_doubtful(&mut self, world: &mut World, area: Rect) -> Vec<Wish> {
        let Some(open) = self.machine.as_ref().and_then(|arn| self.open.get(arn)).and_then(Remote::value)
        else {
            return Vec::new();
        };
        let doubtful = |one: &&Execution| !one.status.is_over() && !open.arns.contains(&one.arn);
        let page = table::page(area);
        let all = self.executions.value().map(Vec::as_slice).unwrap_or_default();
        let rows = self.rows.iter().skip(self.cursor.offset_for(page)).take(page);
        let in_view = rows.filter(|row| **row >= self.newest).filter_map(|row| all.get(*row));
        let mut arns: Vec<String> = Vec::new();
        for one in in_view.filter(doubtful).chain(self.beyond().filter(doubtful)) {
            if arns.len() < DOUBTFUL && !arns.contains(&one.arn) {
                arns.push(one.arn.clone());
            }
        }
        let mut wishes = Vec::new();
        for arn in arns {
            let detail = self.details.entry(arn.clone()).or_default();
            if !detail.is_waiting() {
                wishes.push(world.ask(Screen::Workflows, detail, Request::Execution { arn }));
            }
        }
        wishes
    }

    /// Takes over how an execution stands now, in its row; says whether that changed.
    pub(super) fn stands(&mut self, told: &Execution) -> bool {
        let mut rows = self.executions.value_mut().into_iter().flatten();
        let Some(row) = rows.find(|row| row.arn == told.arn && row.status != told.status) else {
            return false;
        };
        (row.status, row.stopped, row.redrives) = (told.status, told.stopped, told.redrives);
        true
    }

    /// How a machine did lately, with what runs of it.
    pub fn recent_of(&self, machine_arn: &str) -> Option<Recent> {
        let mut recent = self.recent.get(machine_arn)?.value()?.clone();
        let open = self.open.get(machine_arn).and_then(Remote::value);
        if let Some(open) = open.filter(|_| recent.more_running) {
            recent.open(open);
        }
        Some(recent)
    }
}
