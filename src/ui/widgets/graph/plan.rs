//! Lays the states out, one row each: the way onwards goes down, choices fork to the right, branches and
//! iterations stand indented below their container. Every state has one place; further ways to it are
//! jumps that name it. Depends on the definition alone, so nothing moves while an execution runs.

use std::collections::{BTreeSet, HashSet};

use super::shape::{Flow, State};

/// A piece of the drawing left of a row's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guide {
    Blank,
    /// `│`: a way that goes on below.
    Pass,
    /// `├─▶`
    Fork,
    /// `└─▶`
    Last,
    /// `┊`: inside a container.
    Inside,
    /// `▲─▶`: entered by catchers.
    Caught,
}

/// What a row shows right of its guides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    State {
        name: String,
        kind: String,
        detail: String,
        /// The condition under which it is entered from the Choice above, if that leads here.
        label: String,
        /// Nothing comes after it.
        ends: bool,
        /// Where its catchers lead.
        catches: Vec<String>,
        /// How many flows a Parallel has.
        branches: usize,
    },
    /// The way goes on at a state that has its place elsewhere.
    Jump { to: String, label: String, back: bool },
    /// Only the way itself: `│` between two states.
    Link,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub guides: Vec<Guide>,
    pub text: Text,
}

/// The drawing of a definition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub rows: Vec<Row>,
}

impl Plan {
    pub fn of(flow: &Flow) -> Plan {
        let mut plan = Plan::default();
        lay(&mut plan.rows, flow, &[]);
        plan
    }

    /// Without the rows that only show a way: for windows with little height.
    pub fn compact(&self) -> Plan {
        Plan { rows: self.rows.iter().filter(|row| row.text != Text::Link).cloned().collect() }
    }

    /// The row of a state.
    pub fn row_of(&self, state: &str) -> Option<usize> {
        self.rows.iter().position(|row| row.name() == Some(state))
    }

    /// Of a state: whether nothing comes after it, and how many branches it has.
    pub fn shape_of(&self, state: &str) -> Option<(bool, usize)> {
        self.rows.iter().find_map(|row| match &row.text {
            Text::State { name, ends, branches, .. } if name == state => Some((*ends, *branches)),
            _ => None,
        })
    }

    /// How many states have a row before this one's.
    pub fn place_of(&self, state: &str) -> Option<usize> {
        self.states().position(|name| name == state)
    }

    /// States in the order of their rows.
    pub fn states(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.rows.iter().filter_map(Row::name)
    }
}

impl Row {
    /// The state that has its place here.
    pub fn name(&self) -> Option<&str> {
        match &self.text {
            Text::State { name, .. } => Some(name),
            _ => None,
        }
    }
}

/// Deeper than this nothing is indented any further.
const DEEPEST: usize = 24;

struct Layout<'a> {
    rows: &'a mut Vec<Row>,
    flow: &'a Flow,
    placed: HashSet<String>,
}

fn lay(rows: &mut Vec<Row>, flow: &Flow, guides: &[Guide]) {
    let mut layout = Layout { rows, flow, placed: HashSet::new() };
    layout.chain(&flow.start, guides, guides, String::new(), &BTreeSet::new());
    // What only catchers reach, then what nothing reaches.
    while let Some(state) = layout.left_over() {
        let mut first = guides.to_vec();
        first.push(Guide::Caught);
        let mut below = guides.to_vec();
        below.push(Guide::Blank);
        layout.rows.push(Row { guides: below.clone(), text: Text::Link });
        layout.chain(&state, &first, &below, String::new(), &BTreeSet::new());
    }
}

impl Layout<'_> {
    fn left_over(&self) -> Option<String> {
        let open = |name: &&String| !self.placed.contains(*name) && self.flow.state(name).is_some();
        let placed = self.flow.states.iter().filter(|state| self.placed.contains(&state.name));
        let caught = placed.flat_map(|state| &state.catches).find(open);
        caught.or_else(|| self.flow.states.iter().map(|state| &state.name).find(open)).cloned()
    }

    /// Places a state and what follows it, until the way ends, joins what has a place, or meets a stop.
    fn chain(
        &mut self,
        start: &str,
        first: &[Guide],
        below: &[Guide],
        label: String,
        stops: &BTreeSet<String>,
    ) {
        let (mut name, mut guides, mut label) = (start.to_owned(), first, label);
        loop {
            let Some(state) = self.flow.state(&name).cloned() else { return };
            if self.placed.contains(&name) {
                let text = Text::Jump { to: name, label, back: true };
                self.rows.push(Row { guides: guides.to_vec(), text });
                return;
            }
            self.place(&state, guides, std::mem::take(&mut label));
            for (i, flow) in state.inner.iter().enumerate().filter(|_| below.len() < DEEPEST) {
                let mut inside = below.to_vec();
                inside.push(Guide::Inside);
                if i > 0 {
                    self.rows.push(Row { guides: inside.clone(), text: Text::Link });
                }
                lay(self.rows, flow, &inside);
            }
            let next =
                if state.ways.is_empty() { state.next.clone() } else { self.fork(&state, below, stops) };
            let Some(next) = next else { return };
            guides = below;
            if stops.contains(&next) {
                return;
            }
            if self.placed.contains(&next) {
                let mut guides = below.to_vec();
                guides.push(Guide::Last);
                self.rows.push(Row { guides, text: Text::Jump { to: next, label, back: true } });
                return;
            }
            let mut link = below.to_vec();
            link.push(Guide::Pass);
            self.rows.push(Row { guides: link, text: Text::Link });
            name = next;
        }
    }

    fn place(&mut self, state: &State, guides: &[Guide], label: String) {
        self.placed.insert(state.name.clone());
        let text = Text::State {
            name: state.name.clone(),
            kind: state.kind.clone(),
            detail: state.detail.clone(),
            label,
            ends: state.next.is_none() && state.ways.is_empty(),
            catches: state.catches.clone(),
            branches: state.inner.len(),
        };
        self.rows.push(Row { guides: guides.to_vec(), text });
    }

    /// Draws the ways of a Choice; answers where they meet again, which follows below.
    fn fork(&mut self, state: &State, below: &[Guide], stops: &BTreeSet<String>) -> Option<String> {
        let join = self.join(state, stops);
        let mut inner = stops.clone();
        inner.extend(join.clone());
        let last = state.ways.len() - 1;
        for (i, (target, label)) in state.ways.iter().enumerate() {
            let closes = i == last && join.is_none();
            let mut first = below.to_vec();
            first.push(if closes { Guide::Last } else { Guide::Fork });
            if self.placed.contains(target) || inner.contains(target) || below.len() >= DEEPEST {
                let back = self.placed.contains(target);
                let text = Text::Jump { to: target.clone(), label: label.clone(), back };
                self.rows.push(Row { guides: first, text });
                continue;
            }
            let mut under = below.to_vec();
            under.push(if closes { Guide::Blank } else { Guide::Pass });
            self.chain(target, &first, &under, label.clone(), &inner);
        }
        join
    }

    /// The first state that two ways of a Choice have in common: it is drawn once, below them.
    fn join(&self, state: &State, stops: &BTreeSet<String>) -> Option<String> {
        let mut seen: HashSet<String> = HashSet::new();
        for (target, _) in &state.ways {
            let reach = self.reach(target, stops);
            if let Some(common) = reach.iter().find(|name| seen.contains(*name)) {
                return Some(common.clone());
            }
            seen.extend(reach);
        }
        None
    }

    /// What can follow a state without a place, nearest first.
    fn reach(&self, start: &str, stops: &BTreeSet<String>) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let mut next = std::collections::VecDeque::from([start.to_owned()]);
        while let Some(name) = next.pop_front() {
            if self.placed.contains(&name) || stops.contains(&name) || found.contains(&name) {
                continue;
            }
            if let Some(state) = self.flow.state(&name) {
                next.extend(state.next.iter().cloned().chain(state.ways.iter().map(|(to, _)| to.clone())));
                found.push(name);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn drawn(plan: &Plan) -> Vec<String> {
        plan.rows
            .iter()
            .map(|row| {
                let guides = row.guides.iter().map(|guide| match guide {
                    Guide::Blank => "  ",
                    Guide::Pass => "| ",
                    Guide::Fork => "+>",
                    Guide::Last => "`>",
                    Guide::Inside => ": ",
                    Guide::Caught => "!>",
                });
                let text = match &row.text {
                    Text::State { name, label, .. } if label.is_empty() => name.clone(),
                    Text::State { name, label, .. } => format!("{name} if {label}"),
                    Text::Jump { to, label, .. } => format!("^{to} if {label}"),
                    Text::Link => String::new(),
                };
                format!("{}{text}", guides.collect::<String>()).trim_end().to_owned()
            })
            .collect()
    }

    fn plan(definition: &serde_json::Value) -> Plan {
        Plan::of(&Flow::read(&definition.to_string()).expect("a definition"))
    }

    #[test]
    fn a_loop_and_a_choice() {
        let plan = plan(&json!({"StartAt": "Wait", "States": {
            "Wait": {"Type": "Wait", "Seconds": 5, "Next": "Check"},
            "Check": {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Next": "Done?", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Tell"}]},
            "Done?": {"Type": "Choice", "Default": "Tell", "Choices": [
                {"Variable": "$.q.State", "StringEquals": "SUCCEEDED", "Next": "Copy"},
                {"Variable": "$.q.State", "StringEquals": "RUNNING", "Next": "Wait"},
                {"Variable": "$.q.State", "StringEquals": "QUEUED", "Next": "Wait"}]},
            "Copy": {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": true},
            "Tell": {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Next": "Failed"},
            "Failed": {"Type": "Fail"}}}));
        assert_eq!(
            drawn(&plan),
            [
                "Wait",
                "|",
                "Check",
                "|",
                "Done?",
                "+>Copy if State = \"SUCCEEDED\"",
                "+>^Wait if State = \"RUNNING\", State = \"QUEUED\"",
                "`>Tell if otherwise",
                "  |",
                "  Failed",
            ]
        );
        assert_eq!(plan.compact().rows.len(), 7);
    }

    #[test]
    fn ways_that_meet_again_go_on_below() {
        let plan = plan(&json!({"StartAt": "C", "States": {
            "C": {"Type": "Choice", "Default": "B", "Choices": [{"Variable": "$.x", "IsPresent": true, "Next": "A"}]},
            "A": {"Type": "Pass", "Next": "End"}, "B": {"Type": "Pass", "Next": "End"},
            "End": {"Type": "Succeed"}}}));
        assert_eq!(drawn(&plan), ["C", "+>A if x is present", "+>B if otherwise", "|", "End"]);
    }

    #[test]
    fn branches_stand_inside_and_what_only_catchers_reach_comes_last() {
        let plan = plan(&json!({"StartAt": "P", "States": {
            "P": {"Type": "Parallel", "End": true, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Mend"}],
                  "Branches": [{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}},
                               {"StartAt": "B", "States": {"B": {"Type": "Pass", "End": true}}}]},
            "Mend": {"Type": "Pass", "End": true}}}));
        assert_eq!(drawn(&plan), ["P", ": A", ":", ": B", "", "!>Mend"]);
    }

    #[test]
    fn nonsense_is_drawn_as_far_as_it_goes() {
        let state = |name: &str, next: &str| State {
            name: name.to_owned(),
            next: Some(next.to_owned()),
            ..State::default()
        };
        let flow = |states: Vec<State>| Flow { start: "A".to_owned(), states };
        assert_eq!(Plan::of(&Flow::default()).rows, []);
        assert_eq!(drawn(&Plan::of(&flow(vec![state("A", "A")]))), ["A", "`>^A if"]);
        assert_eq!(drawn(&Plan::of(&flow(vec![state("A", "Nowhere")]))), ["A", "|"]);
        assert_eq!(
            drawn(&Plan::of(&flow(vec![state("A", "B"), state("B", "A")]))),
            ["A", "|", "B", "`>^A if"]
        );
    }
}
