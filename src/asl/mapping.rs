//! Distributed maps: what one run of them is, and what is heard of it. The run itself, with its child
//! executions, is the performer's.

use serde_json::{Map, Value, json};

use super::cursor::{At, Strand, Ticket, Work};
use super::data::Data;
use super::failure::Failure;
use super::machine::{Distributed, MapState, State};
use super::run::Run;
use super::shape::Seen;
use super::step::{Directive, Progress};

/// A run of a distributed map.
#[derive(Clone, Debug, PartialEq)]
pub struct MapRun {
    pub ticket: Ticket,
    pub arn: String,
    pub label: String,
    /// The Map state: the way to it and its name.
    pub route: Vec<(String, usize)>,
    pub state: String,
    /// The state's effective input: what selectors see as `$`.
    pub input: Data,
    pub items: Items,
    /// 0: no limit but the performer's.
    pub max_concurrency: usize,
    pub tolerated_count: u64,
    /// Per cent.
    pub tolerated_percentage: f64,
}

/// Where the items come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Items {
    Given(Vec<Value>),
    /// An ItemReader: its resource, its parameters and its configuration.
    Read {
        resource: String,
        parameters: Value,
        config: Map<String, Value>,
        max_items: Option<u64>,
    },
}

impl<'m> Run<'m> {
    pub(super) fn map_run(
        &mut self,
        id: u64,
        mut strand: Strand,
        state: &'m State,
        map: &'m MapState,
        distributed: &'m Distributed,
    ) {
        let mut run = match self.prepared(&strand, state, map, distributed) {
            Ok(run) => run,
            Err(failure) => return self.fail_here(id, strand, state, failure),
        };
        let length = match &run.items {
            Items::Given(items) => items.len(),
            Items::Read { .. } => 0,
        };
        run.ticket = self.cursor.ticket();
        strand.previous = self.record(strand.previous, "MapStateStarted", Some(json!({"length": length})));
        strand.previous = self.record(strand.previous, "MapRunStarted", Some(json!({"mapRunArn": run.arn})));
        strand.at = At::Working(Box::new(Work {
            ticket: run.ticket,
            resource: run.arn.clone(),
            token: None,
            timeout: None,
            heartbeat: None,
            submitted: None,
        }));
        self.cursor.strands.insert(id, strand);
        self.out.push(Directive::Fork(Box::new(run)));
    }

    fn prepared(
        &self,
        strand: &Strand,
        state: &State,
        map: &MapState,
        distributed: &Distributed,
    ) -> Result<MapRun, Failure> {
        let input = self.effective(strand, state)?;
        let amount = |field: &str, amount: &Option<_>| match amount {
            Some(amount) => self.amount(field, amount, input.value(), strand),
            None => Ok(0.0),
        };
        let items = match &distributed.reader {
            None => Items::Given(self.items(map, &input, strand)?),
            Some(reader) => Items::Read {
                resource: reader.resource.clone(),
                parameters: match &reader.parameters {
                    Some(template) => self.fill(template, strand, &Seen::of(input.value()))?,
                    None => json!({}),
                },
                config: reader.config.clone(),
                max_items: match &reader.max_items {
                    Some(_) => Some(amount("MaxItems", &reader.max_items)? as u64),
                    None => None,
                },
            },
        };
        let label = distributed.label.clone().unwrap_or_else(|| self.chance.uuid());
        let about = &self.cursor.about;
        let prefix = about.machine.replacen(":stateMachine:", ":mapRun:", 1);
        Ok(MapRun {
            ticket: 0,
            arn: format!("{prefix}/{label}:{}", self.chance.uuid()),
            label,
            route: strand.route.as_ref().clone(),
            state: state.name.clone(),
            items,
            max_concurrency: amount("MaxConcurrency", &map.max_concurrency)? as usize,
            tolerated_count: amount("ToleratedFailureCount", &map.tolerated_count)? as u64,
            tolerated_percentage: amount("ToleratedFailurePercentage", &map.tolerated_percentage)?,
            input,
        })
    }

    /// The run ended.
    pub(super) fn heard_of_run(&mut self, id: u64, mut strand: Strand, state: &'m State, progress: Progress) {
        match progress {
            Progress::Succeeded(output) => {
                strand.previous = self.record(strand.previous, "MapRunSucceeded", None);
                self.record(strand.previous, "MapStateSucceeded", None);
                self.finish_state(id, strand, state, output);
            }
            Progress::Failed(failure) => {
                strand.previous = self.record_failure(strand.previous, "MapRunFailed", json!({}), &failure);
                self.fail_here(id, strand, state, failure);
            }
            Progress::Started { .. } | Progress::Submitted(_) => {
                self.cursor.strands.insert(id, strand);
            }
        }
    }
}
