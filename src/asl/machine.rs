//! The typed definition of a state machine, for both query languages. [`Machine::read`] makes one from
//! its JSON text; an [`Error`] points at the place with a JSON pointer, as AWS's diagnostics do.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::choice::Rule;
use super::paths::Path;
use super::resource::Resource;
use super::retry::{Catcher, Retrier};
use super::template::{Amount, Template, Text};

/// The query language of a machine or a state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    JsonPath,
    Jsonata,
}

/// Why a definition cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at {at}")]
pub struct Error {
    /// JSON pointer: `/States/Wait/Seconds`; `/` for the whole.
    pub at: String,
    pub message: String,
}

/// A state machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    pub comment: Option<String>,
    pub language: Language,
    /// Seconds after which an execution times out.
    pub timeout: Option<u64>,
    /// Some state is written in JSONata, whose expressions may take seconds.
    pub thinks: bool,
    pub flow: Flow,
}

/// States that run after each other: the machine itself, a branch of a Parallel, a Map's processor.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    pub start_at: String,
    states: Vec<State>,
    index: HashMap<String, usize>,
}

/// One state.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub name: String,
    /// JSON pointer of its object: `/States/Wait`.
    pub at: String,
    pub comment: Option<String>,
    pub language: Language,
    pub data: DataFlow,
    /// Empty but for Task, Parallel and Map.
    pub retry: Vec<Retrier>,
    pub catch: Vec<Catcher>,
    pub next: Next,
    pub kind: Kind,
}

/// Where an execution goes after a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    State(String),
    End,
    /// Choice decides by itself; Succeed and Fail end.
    Own,
}

/// How data passes through a state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DataFlow {
    /// InputPath; `None`: the whole input.
    pub input: Select,
    /// Parameters, or Arguments in JSONata. A Map's item selector is not here but in [`MapState`].
    pub parameters: Option<Template>,
    /// ResultSelector.
    pub selector: Option<Template>,
    /// ResultPath.
    pub result: Place,
    /// OutputPath.
    pub output_path: Select,
    /// Output of JSONata.
    pub output: Option<Template>,
    /// Assign.
    pub assign: Vec<(String, Template)>,
}

/// InputPath and OutputPath.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Select {
    #[default]
    Whole,
    /// `null`: the empty object.
    Nothing,
    At(Path),
}

/// ResultPath.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Place {
    /// `$`: the result is the output.
    #[default]
    Whole,
    /// `null`: the input is the output.
    Discard,
    At(Path),
}

/// What a state does.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Pass { result: Option<Value> },
    Task(Box<TaskState>),
    Choice(ChoiceState),
    Wait(Until),
    Succeed,
    Fail { error: Option<Text>, cause: Option<Text> },
    Parallel { branches: Vec<Flow> },
    Map(Box<MapState>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct TaskState {
    pub resource: Resource,
    pub timeout: Option<Amount>,
    pub heartbeat: Option<Amount>,
    /// Credentials, evaluated with the parameters.
    pub credentials: Option<Template>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ChoiceState {
    pub rules: Vec<Rule>,
    pub default: Option<String>,
}

/// What a Wait waits for.
#[derive(Clone, Debug, PartialEq)]
pub enum Until {
    Seconds(Amount),
    Timestamp(Text),
}

#[derive(Clone, Debug, PartialEq)]
pub struct MapState {
    /// ItemProcessor, or the older Iterator.
    pub processor: Flow,
    /// `None` for an inline map.
    pub distributed: Option<Distributed>,
    /// ItemsPath.
    pub items_path: Select,
    /// Items of JSONata.
    pub items: Option<Template>,
    /// ItemSelector, or the older Parameters.
    pub selector: Option<Template>,
    pub max_concurrency: Option<Amount>,
    pub tolerated_count: Option<Amount>,
    /// Per cent of the items.
    pub tolerated_percentage: Option<Amount>,
}

/// What only a distributed map has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distributed {
    pub express: bool,
    pub label: Option<String>,
    pub reader: Option<Reader>,
    pub batcher: Option<Batcher>,
    pub writer: Option<Writer>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Reader {
    /// `arn:aws:states:::s3:getObject` or `…:s3:listObjectsV2`.
    pub resource: String,
    pub parameters: Option<Template>,
    /// InputType, CSVHeaderLocation, CSVHeaders, CSVDelimiter, …, as written.
    pub config: Map<String, Value>,
    pub max_items: Option<Amount>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Batcher {
    pub input: Option<Template>,
    pub max_items: Option<Amount>,
    pub max_bytes: Option<Amount>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Writer {
    pub resource: Option<String>,
    pub parameters: Option<Template>,
    pub config: Map<String, Value>,
}

impl Machine {
    /// Reads the JSON text of a definition.
    pub fn read(text: &str) -> Result<Machine, Error> {
        let value: Value = serde_json::from_str(text)
            .map_err(|e| Error { at: "/".into(), message: format!("The definition is not JSON: {e}") })?;
        super::read::machine(&value)
    }

    /// The states that run at `route`: each hop is a Map or Parallel state and a branch of it.
    pub fn flow_at<'m, 'r>(&'m self, route: impl IntoIterator<Item = (&'r str, usize)>) -> Option<&'m Flow> {
        route
            .into_iter()
            .try_fold(&self.flow, |flow, (state, branch)| flow.state(state)?.flows().get(branch).copied())
    }
}

impl Flow {
    /// The first state of a name wins; [`super::check`] refuses duplicates.
    pub fn new(start_at: String, states: Vec<State>) -> Flow {
        let mut index = HashMap::new();
        for (i, state) in states.iter().enumerate() {
            index.entry(state.name.clone()).or_insert(i);
        }
        Flow { start_at, states, index }
    }

    /// In the order of the definition.
    pub fn states(&self) -> &[State] {
        &self.states
    }

    pub fn state(&self, name: &str) -> Option<&State> {
        self.index.get(name).and_then(|i| self.states.get(*i))
    }
}

impl State {
    /// `Task`, `Choice`, …: the definition's Type.
    pub fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::Pass { .. } => "Pass",
            Kind::Task(_) => "Task",
            Kind::Choice(_) => "Choice",
            Kind::Wait(_) => "Wait",
            Kind::Succeed => "Succeed",
            Kind::Fail { .. } => "Fail",
            Kind::Parallel { .. } => "Parallel",
            Kind::Map(_) => "Map",
        }
    }

    /// The flows inside: a Parallel's branches, a Map's processor.
    pub fn flows(&self) -> Vec<&Flow> {
        match &self.kind {
            Kind::Parallel { branches, .. } => branches.iter().collect(),
            Kind::Map(map) => vec![&map.processor],
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The machine that is shipped is one that can be read, and its loop is found.
    #[test]
    fn the_pipeline_reads() {
        let machine = Machine::read(include_str!("../../assets/pipeline.asl.json")).unwrap();
        let names: Vec<_> = machine.flow.states().iter().map(|s| s.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "InvokeLambdaFunction",
                "WaitForQueryCompletion",
                "CheckQueryStatus",
                "QueryOutcome",
                "QuerySucceeded",
                "CopyResultsToProduction",
                "QueryFailed",
                "PipelineFailed"
            ]
        );
        let graph = crate::asl::graph::Graph::of(&machine);
        let loops: Vec<_> = graph.edges.iter().filter(|e| e.back).map(|e| (e.from, e.to)).collect();
        assert_eq!(loops, [(3, 1)]);
    }

    #[test]
    fn errors_point_at_the_place() {
        let wrong = r#"{"StartAt": "A", "States": {"A": {"Type": "Wait", "Timestamp": "now", "End": true}}}"#;
        let error = Machine::read(wrong).unwrap_err();
        assert_eq!(error.at, "/States/A/Timestamp");
        assert_eq!(error.message, "String does not match RFC3339 timestamp");
    }
}
