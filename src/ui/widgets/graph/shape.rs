//! What of a definition is drawn, flow by flow: states, where they lead and under which condition.

use serde_json::Value;

use crate::asl::graph::{EdgeKind, Graph};
use crate::asl::machine::Machine;
use crate::domain::timeline::Timeline;

/// One state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub name: String,
    /// `Task`, `Choice`, … as the definition says.
    pub kind: String,
    /// `athena:getQueryExecution`, `5 s`
    pub detail: String,
    pub next: Option<String>,
    /// A Choice's ways: target and condition, rules to one target together; the default last.
    pub ways: Vec<(String, String)>,
    /// Targets of catchers.
    pub catches: Vec<String>,
    /// A Parallel's branches, a Map's processor.
    pub inner: Vec<Flow>,
}

/// States that run after each other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flow {
    pub start: String,
    pub states: Vec<State>,
}

impl Flow {
    /// Reads a definition. The error says why it cannot be drawn.
    pub fn read(definition: &str) -> Result<Flow, String> {
        let machine = Machine::read(definition).map_err(|error| error.to_string())?;
        let graph = Graph::of(&machine);
        Ok(Flow::part(&graph, None))
    }

    /// The states that a history names, one after the other: for a definition that cannot be read.
    pub fn of_history(timeline: &Timeline) -> Flow {
        let mut states: Vec<State> = Vec::new();
        for visit in timeline.firsts() {
            if let Some(last) = states.last_mut() {
                last.next = Some(visit.name.clone());
            }
            let kind = visit.kind.as_str().to_owned();
            states.push(State { name: visit.name.clone(), kind, ..State::default() });
        }
        Flow { start: states.first().map(|state| state.name.clone()).unwrap_or_default(), states }
    }

    fn part(graph: &Graph, parent: Option<(usize, usize)>) -> Flow {
        let mut flow = Flow::default();
        for (index, node) in graph.nodes.iter().enumerate().filter(|(_, node)| node.parent == parent) {
            if node.start {
                flow.start = node.name.clone();
            }
            let mut state = State {
                name: node.name.clone(),
                kind: node.kind.to_owned(),
                detail: node.detail.clone(),
                ..State::default()
            };
            for edge in graph.edges.iter().filter(|edge| edge.from == index) {
                let to = graph.nodes[edge.to].name.clone();
                match edge.kind {
                    EdgeKind::Next => state.next = Some(to),
                    EdgeKind::Choice => way(&mut state.ways, to, short(&edge.label)),
                    EdgeKind::Default => way(&mut state.ways, to, "otherwise".to_owned()),
                    EdgeKind::Catch if state.catches.contains(&to) => {}
                    EdgeKind::Catch => state.catches.push(to),
                }
            }
            let inside =
                |n: &&crate::asl::graph::Node| n.parent.is_some_and(|(container, _)| container == index);
            let branches = graph
                .nodes
                .iter()
                .filter(inside)
                .filter_map(|n| n.parent)
                .map(|(_, branch)| branch + 1)
                .max();
            state.inner =
                (0..branches.unwrap_or(0)).map(|branch| Flow::part(graph, Some((index, branch)))).collect();
            flow.states.push(state);
        }
        flow
    }

    pub fn state(&self, name: &str) -> Option<&State> {
        self.states.iter().find(|state| state.name == name)
    }
}

fn way(ways: &mut Vec<(String, String)>, target: String, label: String) {
    match ways.iter_mut().find(|(known, _)| *known == target) {
        Some((_, known)) => {
            known.push_str(", ");
            known.push_str(&label);
        }
        None => ways.push((target, label)),
    }
}

/// A condition in fewer words: of a path, its last step.
fn short(condition: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_start_matches('(');
        let open = &word[..word.len() - bare.len()];
        match bare.strip_prefix("$.") {
            Some(path) => format!("{open}{}", path.rsplit('.').next().unwrap_or(path)),
            None => word.replace("==", "="),
        }
    };
    condition.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

/// A state's own JSON, wherever in the definition it stands.
pub fn definition_of<'a>(definition: &'a Value, name: &str) -> Option<&'a Value> {
    let states = definition.get("States")?.as_object()?;
    if let Some(state) = states.get(name) {
        return Some(state);
    }
    states.values().find_map(|state| {
        let branches = state.get("Branches").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let processor = state.get("ItemProcessor").or_else(|| state.get("Iterator"));
        branches.iter().chain(processor).find_map(|inner| definition_of(inner, name))
    })
}
