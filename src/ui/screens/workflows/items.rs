//! One branch of a Parallel or one iteration of a Map, looked at by itself: the graph, the inspector and the
//! moves through them show that one while it is chosen.

use std::collections::BTreeSet;

use crate::domain::timeline::{Kind, Scope, Standing};
use crate::ui::effect::Wish;
use crate::ui::overlays::pick::{Item, Pick, Question};
use crate::ui::screens::workflows::acts;
use crate::ui::screens::workflows::run::Run;
use crate::ui::widgets::badge::Badge;
use crate::ui::widgets::graph;
use crate::ui::world::World;

/// So many are offered; any other is typed.
const OFFERED: usize = 12;

impl Run {
    /// The container whose items can be chosen: the selected state, or the nearest one around it.
    fn container(&self) -> Option<usize> {
        let at = self.visit_index()?;
        let visit = &self.timeline.visits()[at];
        if visit.kind.is_container() && visit.map_run.is_none() && visit.parts.is_some() {
            return Some(at);
        }
        visit.scope.map(|scope| scope.container)
    }

    /// Asks which item is to be looked at: what did not go well, and what runs, is offered first.
    pub fn ask_item(&self, world: &World) -> Vec<Wish> {
        let Some(container) = self.container() else {
            let text =
                "Only what runs in a Map or Parallel has items; a distributed map's are its child executions";
            return vec![Wish::Say(text.to_owned())];
        };
        let map = &self.timeline.visits()[container];
        let word = if map.kind == Kind::Parallel { "branch" } else { "item" };
        let mut offered: Vec<(Standing, u64)> = Vec::new();
        let mut erred: BTreeSet<u64> = BTreeSet::new();
        let rank = |standing: Standing| match standing {
            Standing::Failed | Standing::TimedOut => 0,
            Standing::Retrying => 1,
            Standing::Running => 2,
            Standing::Caught => 3,
            _ => 4,
        };
        for (i, visit) in self.timeline.visits().iter().enumerate().skip(container + 1) {
            // Each item by the state it came to.
            let Some(scope) = visit.scope.filter(|scope| scope.container == container) else { continue };
            if visit.error.is_some() {
                erred.insert(scope.index);
            }
            if self.timeline.head(scope) != Some(i) {
                continue;
            }
            // An error that was caught inside the item is worth a look.
            let well = visit.standing == Standing::Succeeded;
            let caught = well && erred.contains(&scope.index);
            let one = (if caught { Standing::Caught } else { visit.standing }, scope.index);
            let place = offered.partition_point(|other| (rank(other.0), other.1) < (rank(one.0), one.1));
            if place < OFFERED {
                offered.insert(place, one);
                offered.truncate(OFFERED);
            }
        }
        if offered.is_empty() {
            return vec![Wish::Say(format!("{} has not begun any {word} yet", map.name))];
        }
        let mut items: Vec<Item> = offered
            .into_iter()
            .map(|(standing, index)| {
                let badge: Badge = graph::badge(standing);
                let label = format!("{word} {index}");
                Item::new(index.to_string(), label, format!("{} {}", badge.glyph(world), standing.word()))
            })
            .collect();
        if self.item.is_some() {
            items.insert(0, Item::new("all", "all of them together", ""));
        }
        let title = format!("Which {word} of {}? Its number, from 0", map.name);
        vec![Wish::Pick(Pick::text(title, Question::Other(acts::ITEM), "", items))]
    }

    /// Looks at the item of this number, or at all of them together.
    pub fn choose_item(&mut self, world: &World, answer: &str) -> Vec<Wish> {
        let said = |text: String| vec![Wish::Say(text)];
        if matches!(answer, "" | "all") {
            self.leave_item(world);
            return Vec::new();
        }
        let Some(container) = self.container() else { return Vec::new() };
        let Ok(index) = answer.parse::<u64>() else {
            return said(format!("{answer} is no number of an item; they count from 0"));
        };
        let item = Scope { container, index };
        let Some(head) = self.timeline.head(item) else {
            return said(format!("Item {index} has not begun"));
        };
        self.item = Some(item);
        self.follow = false;
        self.state = Some(self.timeline.visits()[head].name.clone());
        self.visit = Some(head);
        self.settle(world);
        Vec::new()
    }

    /// All items together again; says whether one was chosen.
    pub fn leave_item(&mut self, world: &World) -> bool {
        let chosen = self.item.take().is_some();
        if chosen {
            self.visit = None;
            self.settle(world);
        }
        chosen
    }

    /// While one item is looked at and the selection moves to another, it is that one.
    pub fn stay_in_item(&mut self) {
        let Some(item) = self.item else { return };
        let Some(visit) = self.visit.and_then(|visit| self.timeline.visits().get(visit)) else { return };
        let Some(container) = self.timeline.visits().get(item.container) else { return };
        let same = |scope: &Scope| self.timeline.visits()[scope.container].name == container.name;
        self.item = self.timeline.around(visit).find(same).or(self.item);
    }

    /// The visit of a state within the chosen item, its own containers included.
    pub fn beside(&self, state: &str) -> Option<usize> {
        let mut scope = self.item;
        while let Some(item) = scope {
            if let Some(visit) = self.timeline.visit_in(state, item) {
                return Some(visit);
            }
            let container = self.timeline.visits().get(item.container)?;
            if container.name == state {
                return Some(item.container);
            }
            scope = container.scope;
        }
        None
    }
}
