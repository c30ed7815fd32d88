//! Parallel and inline Map: strands that start together and are waited for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::cursor::{At, Item, Join, Strand};
use super::data::Data;
use super::entry::Entry;
use super::failure::Failure;
use super::machine::{Flow, Kind, MapState, Select, State};
use super::run::Run;
use super::shape::Seen;
use super::template::Template;

/// AWS runs at most this many iterations of an inline map at once.
const INLINE: usize = 40;

impl<'m> Run<'m> {
    pub(super) fn parallel(&mut self, id: u64, mut strand: Strand, state: &'m State, branches: &'m [Flow]) {
        let input = self.effective(&strand, state).and_then(|e| self.arguments(&strand, state, &e, None));
        let input = match input {
            Ok(input) => input,
            Err(failure) => return self.fail_here(id, strand, state, failure),
        };
        strand.previous = self.record(strand.previous, "ParallelStateStarted", None);
        let mut join = Join { results: vec![None; branches.len()], ..Join::default() };
        for (index, branch) in branches.iter().enumerate() {
            let child = self.child(id, &strand, index, index, branch, input.clone());
            join.running.push(child);
        }
        strand.at = At::Joining(Box::new(join));
        if branches.is_empty() {
            return self.finish_state(id, strand, state, Data::list(&[]));
        }
        self.cursor.strands.insert(id, strand);
    }

    /// Starts a strand of `flow` below `parent`.
    fn child(
        &mut self,
        parent: u64,
        above: &Strand,
        branch: usize,
        index: usize,
        flow: &Flow,
        input: Data,
    ) -> u64 {
        let id = self.cursor.ticket();
        let mut route = above.route.as_ref().clone();
        route.push((above.state.clone(), branch));
        let strand = Strand {
            parent: Some(parent),
            route: Arc::new(route),
            index,
            item: above.item.clone(),
            state: flow.start_at.clone(),
            input,
            variables: above.variables.clone(),
            previous: above.previous,
            led_by: above.previous,
            entered: 0,
            entered_at: self.now,
            attempts: Vec::new(),
            retries: 0,
            at: At::Entering,
        };
        self.add(id, strand);
        id
    }

    pub(super) fn map(&mut self, id: u64, mut strand: Strand, state: &'m State, map: &'m MapState) {
        if let Some(distributed) = &map.distributed {
            return self.map_run(id, strand, state, map, distributed);
        }
        let prepared = self.effective(&strand, state).and_then(|effective| {
            let limit = match &map.max_concurrency {
                Some(amount) => self.amount("MaxConcurrency", amount, effective.value(), &strand)? as usize,
                None => 0,
            };
            let items = self.items(map, &effective, &strand)?;
            Ok((limit, self.inputs(map, &effective, &strand, items)?))
        });
        let (limit, inputs) = match prepared {
            Ok(prepared) => prepared,
            Err(failure) => return self.fail_here(id, strand, state, failure),
        };
        let length = inputs.len();
        strand.previous = self.record(strand.previous, "MapStateStarted", Some(json!({"length": length})));
        if length == 0 {
            self.record(strand.previous, "MapStateSucceeded", None);
            return self.finish_state(id, strand, state, Data::list(&[]));
        }
        let limit = if limit == 0 { INLINE } else { limit.min(INLINE) };
        let mut join = Join { results: vec![None; length], ..Join::default() };
        for (item, input) in inputs {
            join.keys.extend(item.key);
            join.pending.push_back((item.index, item.value, input));
        }
        for _ in 0..limit {
            let previous = strand.previous;
            if !self.iterate(id, &strand, state, map, &mut join, previous) {
                break;
            }
        }
        strand.at = At::Joining(Box::new(join));
        self.cursor.strands.insert(id, strand);
    }

    /// Starts the next iteration; false when there is none.
    fn iterate(
        &mut self,
        id: u64,
        above: &Strand,
        state: &State,
        map: &MapState,
        join: &mut Join,
        previous: i64,
    ) -> bool {
        let Some((index, value, input)) = join.pending.pop_front() else { return false };
        let details = json!({"name": state.name, "index": index});
        let started = self.record(previous, "MapIterationStarted", Some(details));
        let child = self.child(id, above, 0, index, &map.processor, input);
        if let Some(strand) = self.cursor.strands.get_mut(&child) {
            strand.previous = started;
            strand.item = Some(Item { index, value, key: join.keys.get(index).cloned(), source: None });
        }
        join.running.push(child);
        true
    }

    /// What is mapped: the items of an array, or the members of an object. In JSONata AWS takes an object for a
    /// distributed map only.
    pub(super) fn items(
        &self,
        map: &MapState,
        effective: &Data,
        strand: &Strand,
    ) -> Result<Vec<Entry>, Failure> {
        if let Some(template) = &map.items {
            let found = self.fill(template, strand, &Seen::of(effective.value()))?;
            return match (found, template) {
                (Value::Array(items), _) => Ok(items.into_iter().map(Entry::from).collect()),
                (Value::Object(members), _) if map.distributed.is_some() => Ok(Entry::members(members)),
                (other, Template::Query { query, field }) => {
                    Err(self.placed(strand, query.unexpected(field, "array", &other)))
                }
                (other, _) => {
                    let cause = format!("The field 'Items' must be an array, but was {other}");
                    Err(self.placed(strand, Failure::in_field("Items", cause)))
                }
            };
        }
        let found = match &map.items_path {
            Select::Whole => Some(effective.value().clone()),
            Select::Nothing => Some(json!({})),
            Select::At(path) => self.find(path, effective.value(), strand),
        };
        match found.map(Entry::all) {
            Some(Ok(items)) => Ok(items),
            other => {
                let path = match &map.items_path {
                    Select::At(path) => path.text.as_str(),
                    _ => "$",
                };
                let cause = match other {
                    Some(_) => format!("Reference path \"{path}\" must point to array."),
                    None => format!("Unable to apply path \"{path}\" to the input."),
                };
                Err(self.placed(strand, Failure::runtime(cause)))
            }
        }
    }

    /// Item and input of each iteration.
    pub(super) fn inputs(
        &self,
        map: &MapState,
        effective: &Data,
        strand: &Strand,
        items: Vec<Entry>,
    ) -> Result<Vec<(Item, Data)>, Failure> {
        let mut strand = strand.clone();
        let mut inputs = Vec::with_capacity(items.len());
        for (index, entry) in items.into_iter().enumerate() {
            let pair = entry.key.is_some().then(|| Data::from(entry.input()));
            let item = entry.item(index);
            let input = match &map.selector {
                None => pair.unwrap_or_else(|| item.value.clone()),
                Some(template) => {
                    strand.item = Some(item.clone());
                    self.fill(template, &strand, &Seen::of(effective.value()))?.into()
                }
            };
            inputs.push((item, input));
        }
        Ok(inputs)
    }

    /// A strand below reached its end.
    pub(super) fn joined(&mut self, id: u64, child: Strand) {
        let Some(parent_id) = child.parent else { return };
        let Some(mut parent) = self.cursor.strands.remove(&parent_id) else { return };
        let Some(state) = self.state(&parent) else { return };
        let At::Joining(join) = &mut parent.at else { return };
        if let Some(place) = join.results.get_mut(child.index) {
            *place = Some(child.input);
        }
        join.running.retain(|other| *other != id);
        let mut join = std::mem::take(join);
        let mut last = child.previous;
        if let Kind::Map(map) = &state.kind {
            let details = json!({"name": state.name, "index": child.index});
            last = self.record(last, "MapIterationSucceeded", Some(details));
            self.iterate(parent_id, &parent, state, map, &mut join, child.previous);
        }
        if join.running.is_empty() {
            self.record(last, &format!("{}StateSucceeded", state.type_name()), None);
            parent.previous = last;
            let results: Vec<Data> = join.results.into_iter().flatten().collect();
            return self.finish_state(parent_id, parent, state, Data::list(&results));
        }
        parent.at = At::Joining(join);
        self.cursor.strands.insert(parent_id, parent);
    }

    /// A strand below failed: ends the others and fails the state.
    pub(super) fn broken(&mut self, id: u64, child: Strand, failure: Failure) {
        let Some(parent_id) = child.parent else { return };
        let Some(mut parent) = self.cursor.strands.remove(&parent_id) else { return };
        let Some(state) = self.state(&parent) else { return };
        let iteration = self.iteration_of(&child);
        let in_task = self.state(&child).is_some_and(|s| matches!(s.kind, Kind::Task(_)));
        if iteration.is_none() && in_task {
            self.record(child.previous, "TaskStateAborted", None);
        }
        if let Some(name) = iteration {
            let details = json!({"name": name, "index": child.index});
            self.record(child.previous, "MapIterationFailed", Some(details));
        }
        let others = self.below(parent_id, id);
        self.abort(others);
        parent.previous = child.previous;
        self.fail_here(parent_id, parent, state, failure);
    }

    /// Takes out every strand below `parent` but one.
    fn below(&mut self, parent: u64, but: u64) -> BTreeMap<u64, Strand> {
        let mut ids = BTreeSet::from([parent]);
        // A strand's id is greater than its parent's, so one pass in order finds them all.
        for (id, strand) in &self.cursor.strands {
            if strand.parent.is_some_and(|p| ids.contains(&p)) && *id != but {
                ids.insert(*id);
            }
        }
        let taken = ids.into_iter().filter_map(|id| Some((id, self.cursor.strands.remove(&id)?)));
        taken.collect()
    }
}
