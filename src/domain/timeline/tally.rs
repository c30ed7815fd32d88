//! What the visits add up to, kept up to date visit by visit: what is asked of a full history of 25,000
//! events costs as little as of a short one.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::visit::{Scope, Standing, StateNow, Visit};

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tally {
    /// State name -> its place in `states`.
    places: HashMap<String, usize>,
    /// In the order in which they were first entered.
    states: Vec<State>,
    /// By visit: what it was counted as.
    counted: Vec<Counted>,
    /// The newest visit of a state, by branch or iteration.
    newest: HashMap<(usize, Option<Scope>), usize>,
    /// The newest visit of any state, by branch or iteration.
    heads: HashMap<Option<Scope>, usize>,
    /// Visits that are open.
    open: BTreeSet<usize>,
    /// By container's visit: when what is inside it ended.
    ends: HashMap<usize, Ends>,
    /// By branch or iteration: variables with the exits that assigned them, by rising id.
    assigned: HashMap<Option<Scope>, BTreeMap<String, Vec<i64>>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct State {
    visits: Vec<usize>,
    /// How many of them a redrive entered anew.
    resumed: usize,
    /// Of the newest visits, one a branch or iteration: how many stand how, are open, were retried how often.
    standings: [usize; Standing::COUNT],
    open: usize,
    retries: BTreeMap<u32, usize>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Counted {
    state: usize,
    standing: Standing,
    exited: Option<DateTime<Utc>>,
    retries: u32,
    /// It is the newest of its state in its branch or iteration: older passes are not counted.
    newest: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Ends {
    open: BTreeSet<usize>,
    /// Of several at once the one that was entered first comes last.
    over: BTreeSet<(DateTime<Utc>, Reverse<usize>)>,
}

impl Tally {
    /// A visit begins. Answers the visit before it in its branch or iteration, and which visit of its state
    /// it is, from 0.
    pub fn enter(&mut self, i: usize, visit: &Visit) -> (Option<usize>, usize) {
        let count = self.states.len();
        let state = *self.places.entry(visit.name.clone()).or_insert(count);
        if state == count {
            self.states.push(State::default());
        }
        let number = self.states[state].visits.len();
        self.states[state].visits.push(i);
        if let Some(older) = self.newest.insert((state, visit.scope), i) {
            self.count(older, false);
            self.counted[older].newest = false;
        }
        let (standing, exited, retries) = (visit.standing, visit.exited, visit.retries());
        self.counted.push(Counted { state, standing, exited, retries, newest: true });
        self.count(i, true);
        self.end(i, visit.scope, exited, true);
        (self.heads.insert(visit.scope, i), number)
    }

    /// A visit goes on in a later one of its state.
    pub fn resume(&mut self, i: usize) {
        self.states[self.counted[i].state].resumed += 1;
    }

    /// Something about a visit is another than it was.
    pub fn change(&mut self, i: usize, visit: &Visit) {
        let was = self.counted[i];
        let (standing, exited, retries) = (visit.standing, visit.exited, visit.retries());
        let now = Counted { standing, exited, retries, ..was };
        if was == now {
            return;
        }
        self.count(i, false);
        self.counted[i] = now;
        self.count(i, true);
        if was.exited != exited {
            self.end(i, visit.scope, was.exited, false);
            self.end(i, visit.scope, exited, true);
        }
    }

    /// Notes how a visit ended, or that it is open; or takes that back.
    fn end(&mut self, i: usize, scope: Option<Scope>, exited: Option<DateTime<Utc>>, add: bool) {
        let put = |open: &mut BTreeSet<usize>| if add { open.insert(i) } else { open.remove(&i) };
        if exited.is_none() {
            put(&mut self.open);
        }
        let Some(scope) = scope else { return };
        let ends = self.ends.entry(scope.container).or_default();
        match exited {
            None => put(&mut ends.open),
            Some(at) if add => ends.over.insert((at, Reverse(i))),
            Some(at) => ends.over.remove(&(at, Reverse(i))),
        };
    }

    /// Counts a visit, or no longer, in what its state adds up to.
    fn count(&mut self, i: usize, add: bool) {
        let one = self.counted[i];
        if !one.newest {
            return;
        }
        let state = &mut self.states[one.state];
        let shift = |count: &mut usize| *count = if add { *count + 1 } else { count.saturating_sub(1) };
        shift(&mut state.standings[one.standing as usize]);
        if one.exited.is_none() {
            shift(&mut state.open);
        }
        let same = state.retries.entry(one.retries).or_default();
        shift(same);
        if *same == 0 {
            state.retries.remove(&one.retries);
        }
    }

    /// An exit that assigned variables: `{"name": "JSON text"}`.
    pub fn assign(&mut self, scope: Option<Scope>, exit: i64, variables: &Value) {
        for name in variables.as_object().into_iter().flat_map(|members| members.keys()) {
            self.assigned.entry(scope).or_default().entry(name.clone()).or_default().push(exit);
        }
    }

    /// Variables that were assigned in a branch or iteration up to an event, each with the exit that did it last.
    pub fn assigned(&self, scope: Option<Scope>, upto: i64) -> impl Iterator<Item = (&str, i64)> {
        let names = self.assigned.get(&scope).into_iter().flatten();
        names.filter_map(move |(name, exits)| {
            let before = exits.partition_point(|exit| *exit <= upto);
            Some((name.as_str(), *exits[..before].last()?))
        })
    }

    /// One state over all its visits: loops count by their last pass, iterations and branches together.
    pub fn now(&self, name: &str) -> StateNow {
        let Some(state) = self.state(name) else { return StateNow::default() };
        let standing = Standing::ALL.into_iter().rfind(|standing| state.standings[*standing as usize] > 0);
        StateNow {
            standing: standing.unwrap_or_default(),
            visits: state.visits.len() - state.resumed,
            scopes: state.standings.iter().sum(),
            running: state.open,
            failed: Standing::ALL
                .into_iter()
                .filter(|standing| standing.is_bad())
                .map(|standing| state.standings[standing as usize])
                .sum(),
            retries: state.retries.last_key_value().map_or(0, |(retries, _)| *retries),
            last: state.visits.last().copied(),
        }
    }

    fn state(&self, name: &str) -> Option<&State> {
        self.states.get(*self.places.get(name)?)
    }

    /// The visits of a state, by rising index.
    pub fn visits_of(&self, name: &str) -> &[usize] {
        self.state(name).map(|state| state.visits.as_slice()).unwrap_or_default()
    }

    /// The newest visit of a state in one branch or iteration.
    pub fn newest_in(&self, name: &str, scope: Option<Scope>) -> Option<usize> {
        self.newest.get(&(*self.places.get(name)?, scope)).copied()
    }

    /// The first visit of each state, in the order in which they were entered.
    pub fn firsts(&self) -> impl Iterator<Item = usize> {
        self.states.iter().filter_map(|state| state.visits.first().copied())
    }

    /// The newest visit in a branch or iteration: the only one in it that can be open.
    pub fn head(&self, scope: Option<Scope>) -> Option<usize> {
        self.heads.get(&scope).copied()
    }

    /// Visits that are open, by rising index.
    pub fn open(&self) -> &BTreeSet<usize> {
        &self.open
    }

    /// The visit inside a container that the container had to wait for. One that still runs counts as last.
    pub fn decisive(&self, container: usize) -> Option<usize> {
        let ends = self.ends.get(&container)?;
        ends.open.first().copied().or(ends.over.last().map(|(_, whose)| whose.0))
    }
}
