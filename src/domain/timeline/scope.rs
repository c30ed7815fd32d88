//! Variables: what a state can see of what the states before it assigned.

use serde_json::{Map, Value};

use super::{Timeline, Visit};

impl Timeline {
    /// The workflow variables that a visit sees, with what it assigned itself once it is over. States see
    /// the variables of their own flow and of the flows around it, as the Amazon States Language says
    /// ("Variables: scope"). `None` when there are none.
    pub fn variables(&self, visit: &Visit) -> Option<Value> {
        let upto = visit.exited_event.unwrap_or(visit.entered_event);
        let mut seen = vec![visit.scope];
        while let Some(scope) = seen.last().copied().flatten() {
            seen.push(self.visits().get(scope.container)?.scope);
        }
        let mut exits: Vec<i64> = self
            .visits()
            .iter()
            .filter(|one| seen.contains(&one.scope))
            .filter_map(|one| one.exited_event.filter(|exit| *exit <= upto))
            .collect();
        exits.sort_unstable();
        let mut variables = Map::new();
        for exit in exits {
            let Some(assigned) = self.event(exit).and_then(|event| event.details.get("assignedVariables"))
            else {
                continue;
            };
            for (name, value) in assigned.as_object().into_iter().flatten() {
                // AWS gives each value as JSON text.
                let value = value.as_str().and_then(|text| serde_json::from_str(text).ok());
                let value = value.unwrap_or_else(|| assigned[name].clone());
                variables.insert(name.clone(), value);
            }
        }
        (!variables.is_empty()).then_some(Value::Object(variables))
    }

    /// What a visit assigned itself: names only.
    pub fn assigned(&self, visit: &Visit) -> Vec<String> {
        let exit = visit.exited_event.and_then(|exit| self.event(exit));
        let assigned = exit.and_then(|event| event.details.get("assignedVariables"));
        assigned.and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.clone()).collect()
    }
}
