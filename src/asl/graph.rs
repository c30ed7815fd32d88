//! A machine as nodes and edges with ranks, for drawing.
//!
//! Nodes of a Map or Parallel name their container; ranks count within a flow, from 0 at its first
//! state, so that every edge but a loop's way back leads from a lower rank to a higher one.

use super::machine::{Flow, Kind, Machine, Next, State};

/// A machine to draw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// In the order of the definition, a container before its contents.
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The state's name.
    pub name: String,
    /// `Task`, `Choice`, …: the state's type.
    pub kind: &'static str,
    /// What it does, in short: `athena:getQueryExecution`, `5 s`; empty for most types.
    pub detail: String,
    /// Steps from the first state of its flow, along the longest way that is not a loop. States that
    /// nothing leads to have the rank after all others.
    pub rank: usize,
    /// The Map or Parallel it belongs to (an index into the nodes), and which branch.
    pub parent: Option<(usize, usize)>,
    /// The first state of its flow.
    pub start: bool,
    /// Whether its flow may end here.
    pub end: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Indexes into the nodes.
    pub from: usize,
    pub to: usize,
    pub kind: EdgeKind,
    /// A choice's condition, a catcher's errors; empty otherwise.
    pub label: String,
    /// Leads back to a state that comes before: a loop.
    pub back: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EdgeKind {
    Next,
    Choice,
    Default,
    Catch,
}

impl Graph {
    pub fn of(machine: &Machine) -> Graph {
        let mut graph = Graph::default();
        graph.add(&machine.flow, None);
        graph
    }

    /// The node of a state.
    pub fn node(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|n| n.name == name)
    }

    /// The number of ranks of the outermost flow.
    pub fn ranks(&self) -> usize {
        self.nodes.iter().filter(|n| n.parent.is_none()).map(|n| n.rank + 1).max().unwrap_or(0)
    }

    fn add(&mut self, flow: &Flow, parent: Option<(usize, usize)>) {
        let states = flow.states();
        let mut index = Vec::with_capacity(states.len());
        for state in states {
            index.push(self.nodes.len());
            self.nodes.push(Node {
                name: state.name.clone(),
                kind: state.type_name(),
                detail: detail(state),
                rank: 0,
                parent,
                start: state.name == flow.start_at,
                end: matches!(state.next, Next::End)
                    || matches!(state.kind, Kind::Succeed | Kind::Fail { .. }),
            });
            let container = self.nodes.len() - 1;
            for (branch, inner) in state.flows().into_iter().enumerate() {
                self.add(inner, Some((container, branch)));
            }
        }
        let position = |name: &str| states.iter().position(|s| s.name == name);
        let mut edges = Vec::new();
        for (from, state) in states.iter().enumerate() {
            for (target, kind, label) in exits(state) {
                if let Some(to) = position(target) {
                    edges.push((from, to, kind, label));
                }
            }
        }
        let start = position(&flow.start_at).unwrap_or(0);
        let links: Vec<(usize, usize)> = edges.iter().map(|(from, to, ..)| (*from, *to)).collect();
        let (ranks, back) = rank(states.len(), start, &links);
        for (local, rank) in ranks.into_iter().enumerate() {
            self.nodes[index[local]].rank = rank;
        }
        for ((from, to, kind, label), back) in edges.into_iter().zip(back) {
            self.edges.push(Edge { from: index[from], to: index[to], kind, label, back });
        }
    }
}

/// Where a state may lead, in the order of the definition.
fn exits(state: &State) -> Vec<(&str, EdgeKind, String)> {
    let mut exits = Vec::new();
    if let Next::State(next) = &state.next {
        exits.push((next.as_str(), EdgeKind::Next, String::new()));
    }
    if let Kind::Choice(choice) = &state.kind {
        for rule in &choice.rules {
            exits.push((rule.next.as_str(), EdgeKind::Choice, rule.condition.to_string()));
        }
        if let Some(default) = &choice.default {
            exits.push((default.as_str(), EdgeKind::Default, String::new()));
        }
    }
    for catcher in &state.catch {
        exits.push((catcher.next.as_str(), EdgeKind::Catch, catcher.errors.join(", ")));
    }
    exits
}

fn detail(state: &State) -> String {
    use super::machine::Until;
    use super::template::{Amount, Text};
    match &state.kind {
        Kind::Task(task) => task.resource.label(),
        Kind::Wait(Until::Seconds(Amount::Literal(seconds))) => format!("{seconds} s"),
        Kind::Wait(Until::Seconds(Amount::Path(path))) => path.text.clone(),
        Kind::Wait(Until::Timestamp(Text::Literal(text))) => format!("until {text}"),
        Kind::Wait(Until::Timestamp(Text::Expression(e))) => format!("until {}", e.text()),
        Kind::Fail { error: Some(Text::Literal(error)), .. } => error.clone(),
        Kind::Map(map) if map.distributed.is_some() => "distributed".into(),
        _ => String::new(),
    }
}

/// The rank of each node and whether each link leads back. A depth-first walk from the start (without
/// recursion: a definition may have thousands of states in a row) finds the links back; the longest way
/// over the others is the rank.
fn rank(count: usize, start: usize, links: &[(usize, usize)]) -> (Vec<usize>, Vec<bool>) {
    let mut out = vec![Vec::new(); count];
    for (i, (from, _)) in links.iter().enumerate() {
        out[*from].push(i);
    }
    let (mut back, mut order) = (vec![false; links.len()], Vec::new());
    // 0: not seen, 1: on the way here, 2: done.
    let mut seen = vec![0u8; count];
    let mut stack = Vec::new();
    for root in std::iter::once(start).chain(0..count).filter(|r| *r < count) {
        if seen[root] != 0 {
            continue;
        }
        seen[root] = 1;
        stack.push((root, 0));
        while let Some((node, next)) = stack.last_mut() {
            let node = *node;
            if let Some(link) = out[node].get(*next) {
                *next += 1;
                let to = links[*link].1;
                match seen[to] {
                    0 => {
                        seen[to] = 1;
                        stack.push((to, 0));
                    }
                    1 => back[*link] = true,
                    _ => {}
                }
            } else {
                seen[node] = 2;
                order.push(node);
                stack.pop();
            }
        }
    }
    let mut ranks: Vec<Option<usize>> = vec![None; count];
    if start < count {
        ranks[start] = Some(0);
    }
    for node in order.into_iter().rev() {
        let Some(rank) = ranks[node] else { continue };
        for link in out[node].iter().filter(|l| !back[**l]) {
            let to = links[*link].1;
            ranks[to] = Some(ranks[to].map_or(rank + 1, |r| r.max(rank + 1)));
        }
    }
    let beyond = ranks.iter().flatten().max().map_or(0, |r| r + 1);
    (ranks.into_iter().map(|r| r.unwrap_or(beyond)).collect(), back)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_leads_back_and_a_catch_is_named() {
        let text = r#"{"StartAt": "A", "States": {
            "A": {"Type": "Task", "Resource": "arn:aws:states:::athena:getQueryExecution", "Next": "B",
                  "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "X"}]},
            "B": {"Type": "Choice", "Default": "A",
                  "Choices": [{"Variable": "$.s", "StringEquals": "OK", "Next": "C"}]},
            "C": {"Type": "Map", "End": true, "ItemProcessor":
                  {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": true}}}},
            "X": {"Type": "Fail"}}}"#;
        let graph = Graph::of(&Machine::read(text).unwrap());
        let names: Vec<_> = graph.nodes.iter().map(|n| (n.name.as_str(), n.rank, n.parent)).collect();
        assert_eq!(
            names,
            [("A", 0, None), ("B", 1, None), ("C", 2, None), ("I", 0, Some((2, 0))), ("X", 1, None)]
        );
        assert_eq!(graph.nodes[0].detail, "athena:getQueryExecution");
        let edges: Vec<_> =
            graph.edges.iter().map(|e| (e.from, e.to, e.kind, e.label.as_str(), e.back)).collect();
        assert_eq!(
            edges,
            [
                (0, 1, EdgeKind::Next, "", false),
                (0, 4, EdgeKind::Catch, "States.ALL", false),
                (1, 2, EdgeKind::Choice, "$.s == \"OK\"", false),
                (1, 0, EdgeKind::Default, "", true),
            ]
        );
    }
}
