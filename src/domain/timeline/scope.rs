//! Variables: what a state can see of what the states before it assigned.

use std::collections::BTreeMap;

use super::{Scope, StateNow, Timeline, Visit};
use crate::domain::json;

impl Timeline {
    /// The workflow variables that a visit sees, with what it assigned itself once it is over. States see
    /// the variables of their own flow and of the flows around it, as the Amazon States Language says
    /// ("Variables: scope"): a JSON object as text. `None` when there are none.
    pub fn variables(&self, visit: &Visit) -> Option<String> {
        // The newest assignment of each, wherever it was made.
        let mut newest: BTreeMap<&str, i64> = BTreeMap::new();
        for (name, exit) in self.in_sight(visit) {
            let known = newest.entry(name).or_insert(exit);
            *known = (*known).max(exit);
        }
        let mut variables: Vec<String> = Vec::new();
        for (name, exit) in newest {
            let assigned =
                self.event(exit).and_then(|event| event.details.get("assignedVariables")?.get(name));
            let Some(assigned) = assigned else { continue };
            // AWS gives each value as JSON text, which stays as it is.
            let value = match assigned.as_str().filter(|text| json::is_json(text)) {
                Some(text) => text.to_owned(),
                None => assigned.to_string(),
            };
            variables.push(format!("{}:{value}", json::quoted(name)));
        }
        (!variables.is_empty()).then(|| format!("{{{}}}", variables.join(",")))
    }

    /// Whether a visit sees any variable.
    pub fn has_variables(&self, visit: &Visit) -> bool {
        self.in_sight(visit).next().is_some()
    }

    /// Assignments in the visit's flow and those around it, up to its own.
    fn in_sight(&self, visit: &Visit) -> impl Iterator<Item = (&str, i64)> {
        let upto = visit.exited_event.unwrap_or(visit.entered_event);
        let flows = std::iter::successors(Some(visit.scope), |scope| {
            Some(self.visits().get(scope.as_ref()?.container)?.scope)
        });
        flows.flat_map(move |scope| self.picture.tally.assigned(scope, upto))
    }

    /// What a visit assigned itself: names only.
    pub fn assigned(&self, visit: &Visit) -> Vec<String> {
        let exit = visit.exited_event.and_then(|exit| self.event(exit));
        let assigned = exit.and_then(|event| event.details.get("assignedVariables"));
        assigned
            .and_then(serde_json::Value::as_object)
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// A state as it stands in one branch or iteration, with what is nested in it. `None` of states that do
    /// not belong to that Map or Parallel.
    pub fn now_in(&self, state: &str, item: Scope) -> Option<StateNow> {
        let container = self.visits().get(item.container)?;
        let first = self.visits().get(*self.visits_of(state).first()?)?;
        let mut around = self.around(first).map(|scope| &self.visits()[scope.container].name);
        if !around.any(|name| *name == container.name) {
            return None;
        }
        let direct = first.scope.is_some_and(|scope| self.visits()[scope.container].name == container.name);
        let mine: Vec<usize> = match direct {
            true => {
                let mut all: Vec<usize> =
                    self.passes(item).filter(|i| self.visits()[*i].name == state).collect();
                all.reverse();
                all
            }
            false => {
                let inside = |i: &&usize| self.around(&self.visits()[**i]).any(|scope| scope == item);
                self.visits_of(state).iter().filter(inside).copied().collect()
            }
        };
        let Some(last) = mine.last().copied() else { return Some(StateNow::default()) };
        let visit = &self.visits()[last];
        Some(StateNow {
            standing: visit.standing,
            visits: mine.iter().filter(|i| !self.visits()[**i].resumed).count(),
            scopes: 1,
            running: usize::from(visit.exited.is_none()),
            failed: usize::from(visit.standing.is_bad()),
            retries: visit.retries(),
            last: Some(last),
        })
    }

    /// The visits of a branch or iteration, the newest first.
    fn passes(&self, item: Scope) -> impl Iterator<Item = usize> {
        std::iter::successors(self.head(item), |i| self.visits()[*i].previous)
    }

    /// The branches and iterations around a visit, the innermost first.
    pub fn around(&self, visit: &Visit) -> impl Iterator<Item = Scope> {
        std::iter::successors(visit.scope, |scope| self.visits().get(scope.container)?.scope)
    }
}
