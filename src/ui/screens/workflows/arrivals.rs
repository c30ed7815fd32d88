//! How the lists take the answers to what they asked.

use std::collections::BTreeSet;

use ratatui::layout::Rect;

use crate::domain::execution::Execution;
use crate::domain::express;
use crate::domain::problem::Problem;
use crate::ui::effect::{Reply, Wish};
use crate::ui::remote::Ticket;
use crate::ui::screens::workflows::lists::{Lists, read};
use crate::ui::screens::workflows::on_lists;
use crate::ui::screens::workflows::open::Open;
use crate::ui::screens::workflows::recent::Recent;
use crate::ui::world::World;

type Page = (Vec<Execution>, Option<String>);

fn page(answer: &Result<Reply, Problem>) -> Result<Page, Problem> {
    read(answer, |reply| match reply {
        Reply::Executions { items, next } => Some((items.clone(), next.clone())),
        _ => None,
    })
}

impl Lists {
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
            let machines = read(answer, |reply| match reply {
                Reply::Machines(machines) => Some(machines.clone()),
                _ => None,
            });
            self.machines.accept(ticket, machines, now);
            return Some(blame(self.machines.problem()));
        }
        if self.executions.awaits(ticket) {
            return Some(self.listed(world, ticket, answer, area));
        }
        if self.more.awaits(ticket) {
            let page = page(answer);
            self.more.accept(ticket, page.clone().map(|_| ()), now);
            if let (Ok((items, next)), Some(all)) = (page, self.executions.value_mut()) {
                self.next = next;
                let known: BTreeSet<String> = all.iter().map(|one| one.arn.clone()).collect();
                all.extend(items.into_iter().filter(|one| !known.contains(&one.arn)));
            }
            self.arrange(world);
            let mut wishes = blame(self.more.problem());
            if self.more.problem().is_none() {
                wishes.extend(self.look(world, area));
                wishes.extend(self.ask_beyond(world));
            }
            return Some(wishes);
        }
        if self.releases.awaits(ticket) {
            let releases = read(answer, |reply| match reply {
                Reply::Releases(versions, aliases) => Some((versions.clone(), aliases.clone())),
                _ => None,
            });
            self.releases.accept(ticket, releases, now);
            let mut wishes = blame(self.releases.problem());
            if let (None, Some((versions, aliases))) = (self.releases.problem(), self.releases.value()) {
                wishes.extend(on_lists::choose_release(versions, aliases, world));
            }
            return Some(wishes);
        }
        if let Some((arn, recent)) = self.recent.iter_mut().find(|(_, recent)| recent.awaits(ticket)) {
            let page = page(answer).map(|(items, next)| Recent::of(&items, next.is_some(), now));
            let more = page.as_ref().is_ok_and(|recent| recent.more_running);
            recent.accept(ticket, page, now);
            let arn = Some(arn.clone()).filter(|_| more);
            return Some(arn.and_then(|arn| self.ask_open(world, &arn)).into_iter().collect());
        }
        if let Some(open) = self.open.values_mut().find(|open| open.awaits(ticket)) {
            let page = page(answer).map(|(items, next)| Open::of(&items, next.is_some()));
            open.accept(ticket, page, now);
            self.arrange(world);
            return Some(self.ask_doubtful(world, area));
        }
        let detail = self.details.values_mut().find(|detail| detail.awaits(ticket))?;
        let answer = read(answer, |reply| match reply {
            Reply::Execution(execution) => Some((**execution).clone()),
            _ => None,
        });
        let told = answer.clone().ok();
        detail.accept(ticket, answer, now);
        let changed = told.is_some_and(|told| self.stands(&told));
        if changed || !self.filter.is_empty() {
            self.arrange(world);
        }
        Some(Vec::new())
    }

    /// The newest page, or what an express machine's log tells.
    fn listed(
        &mut self,
        world: &mut World,
        ticket: Ticket,
        answer: &Result<Reply, Problem>,
        area: Rect,
    ) -> Vec<Wish> {
        let keep = self.selected().map(|execution| execution.arn.clone());
        let items = match answer {
            Ok(Reply::Express(group, lines)) => {
                self.log_group.clone_from(group);
                let machine = self.machine.clone().unwrap_or_default();
                let (items, timelines): (Vec<_>, Vec<_>) =
                    express::executions(&machine, lines).into_iter().unzip();
                self.express = items.iter().map(|one| one.arn.clone()).zip(timelines).collect();
                Ok(items)
            }
            _ => page(answer).map(|(items, next)| self.merged(items, next)),
        };
        let failed = self.executions.problem().is_some();
        self.executions.accept(ticket, items, world.now);
        if self.is_express() {
            self.newest = self.executions.value().map_or(0, Vec::len);
        }
        self.arrange(world);
        let kept = keep.and_then(|arn| {
            let all = self.executions.value()?;
            self.rows.iter().position(|&row| all[row].arn == arn)
        });
        self.cursor.selected = kept.unwrap_or(self.cursor.selected);
        // An express machine refuses to list; before its kind is known that is no failure.
        let unknown = self.machines.is_waiting() && self.machines.value().is_none();
        let mut wishes: Vec<Wish> = match self.executions.problem() {
            Some(problem) if !unknown => vec![Wish::Unanswered(problem.clone())],
            None if failed => vec![Wish::Answered],
            _ => Vec::new(),
        };
        wishes.extend(self.look(world, area));
        wishes.extend(self.ask_beyond(world));
        wishes
    }

    /// Older pages that are here stay, as long as they join the newest one, which comes anew. Executions
    /// that began in the millisecond in which that page ends may be on either side of its end.
    fn merged(&mut self, mut items: Vec<Execution>, next: Option<String>) -> Vec<Execution> {
        let last = items.last().map(|execution| execution.started);
        let old = self.executions.value_mut().map(std::mem::take).unwrap_or_default();
        self.newest = items.len();
        let known: BTreeSet<String> = items.iter().map(|one| one.arn.clone()).collect();
        if next.is_some() && old.iter().any(|one| known.contains(&one.arn)) {
            let older = old.into_iter().filter(|one| last.is_some_and(|last| one.started <= last));
            items.extend(older.filter(|one| !known.contains(&one.arn)));
        }
        if items.len() == self.newest {
            self.next = next;
        }
        items
    }
}

fn blame(problem: Option<&Problem>) -> Vec<Wish> {
    problem.map(|problem| Wish::Blame(problem.clone())).into_iter().collect()
}
