//! Distributed maps: what one run of them is, what its child executions get, and what is heard of it.
//! The run itself, with its child executions, is the performer's.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::cursor::{At, Cursor, Strand, Ticket, Work};
use super::data::{Data, LIMIT};
use super::entry::Entry;
use super::failure::Failure;
use super::machine::{Batcher, Distributed, Kind, Machine, MapState, State};
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
    pub express: bool,
    pub items: Items,
    pub writer: Option<ResultWriter>,
    /// 0: no limit but the performer's.
    pub max_concurrency: usize,
    /// Failed items that are let pass; `None` when the definition does not say.
    pub tolerated_count: Option<u64>,
    /// Per cent of the items.
    pub tolerated_percentage: Option<f64>,
}

/// Where the items come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Items {
    Given(Vec<Entry>),
    /// An ItemReader: its resource, its parameters and its configuration.
    Read {
        resource: String,
        parameters: Value,
        config: Map<String, Value>,
        /// 0: no limit. What a path gave may be below that.
        max_items: Option<i64>,
    },
}

/// Where the results go, or how they are shown; without a resource they are the state's result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultWriter {
    /// `arn:aws:states:::s3:putObject`
    pub resource: Option<String>,
    pub parameters: Value,
    /// Transformation, OutputType, as written.
    pub config: Map<String, Value>,
}

/// What one child execution of a run gets.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    pub input: Data,
    /// How many items are in it.
    pub items: usize,
}

/// The run that a ticket stands for, made anew from where the execution stands: for a performer that
/// was interrupted before it kept the run.
pub fn again(
    machine: &Machine,
    cursor: &Cursor,
    ticket: Ticket,
    (now, entropy): (DateTime<Utc>, u64),
) -> Option<Result<MapRun, Failure>> {
    let run = Run::new(machine, cursor.clone(), now, entropy);
    let strand = run.cursor.strands.get(&run.cursor.holder(ticket)?)?;
    let (Some(state), At::Working(work)) = (run.state(strand), &strand.at) else { return None };
    let Kind::Map(map) = &state.kind else { return None };
    let made = run.prepared(strand, state, map, map.distributed.as_ref()?);
    Some(made.map(|made| {
        let arn = work.resource.clone();
        let label = arn.rsplit(':').nth(1).and_then(|p| p.rsplit('/').next()).unwrap_or_default().to_owned();
        MapRun { ticket, arn, label, ..made }
    }))
}

/// The inputs of a run's child executions: each item through ItemSelector, then batches of them.
/// `None` when nobody waits for the run any more.
pub fn shares(
    machine: &Machine,
    cursor: &Cursor,
    ticket: Ticket,
    (now, entropy): (DateTime<Utc>, u64),
    items: Vec<Entry>,
) -> Option<Result<Vec<Share>, Failure>> {
    let run = Run::new(machine, cursor.clone(), now, entropy);
    let strand = run.cursor.strands.get(&run.cursor.holder(ticket)?)?;
    let state = run.state(strand)?;
    let Kind::Map(map) = &state.kind else { return None };
    let batcher = map.distributed.as_ref()?.batcher.as_ref();
    let made = run.effective(strand, state).and_then(|effective| {
        let inputs = run.inputs(map, &effective, strand, items)?;
        let inputs = inputs.into_iter().map(|(_, input)| input);
        match batcher {
            None => Ok(inputs.map(|input| Share { input, items: 1 }).collect()),
            Some(batcher) => run.batches(strand, batcher, &effective, inputs),
        }
    });
    Some(made)
}

impl<'m> Run<'m> {
    /// Inputs put together as an ItemBatcher says.
    pub(super) fn batches(
        &self,
        strand: &Strand,
        batcher: &Batcher,
        effective: &Data,
        inputs: impl Iterator<Item = Data>,
    ) -> Result<Vec<Share>, Failure> {
        let amount = |field: &str, amount: &Option<_>| match amount {
            Some(amount) => self.amount(field, amount, effective.value(), strand).map(|n| n as usize),
            None => Ok(0),
        };
        let most = match amount("MaxItemsPerBatch", &batcher.max_items)? {
            0 => usize::MAX,
            most => most,
        };
        let bytes = match amount("MaxInputBytesPerBatch", &batcher.max_bytes)? {
            0 => LIMIT,
            bytes => bytes.min(LIMIT),
        };
        let own = match &batcher.input {
            Some(template) => Some(self.fill(template, strand, &Seen::of(effective.value()))?),
            None => None,
        };
        let head = own.map_or_else(String::new, |own| format!("\"BatchInput\":{own},"));
        let (mut shares, mut batch, mut size) = (Vec::new(), Vec::<Data>::new(), 0);
        let frame = head.len() + r#"{"Items":[]}"#.len();
        let close = |batch: &mut Vec<Data>| {
            let items = std::mem::take(batch);
            let text = format!("{{{head}\"Items\":{}}}", Data::list(&items).text());
            match Data::parse(text) {
                Ok(input) => Ok(Share { input, items: items.len() }),
                Err(error) => Err(Failure::runtime(format!("A batch is not JSON: {error}"))),
            }
        };
        for input in inputs {
            let length = input.text().len();
            // With the comma before it.
            if !batch.is_empty() && (batch.len() >= most || frame + size + 1 + length > bytes) {
                shares.push(close(&mut batch)?);
                size = 0;
            }
            size += length + usize::from(!batch.is_empty());
            batch.push(input);
        }
        if !batch.is_empty() {
            shares.push(close(&mut batch)?);
        }
        Ok(shares)
    }

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
            offered: None,
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
                    Some(_) => Some(amount("MaxItems", &reader.max_items)? as i64),
                    None => None,
                },
            },
        };
        let writer = match &distributed.writer {
            None => None,
            Some(writer) => Some(ResultWriter {
                resource: writer.resource.clone(),
                parameters: match &writer.parameters {
                    Some(template) => self.fill(template, strand, &Seen::of(input.value()))?,
                    None => json!({}),
                },
                config: writer.config.clone(),
            }),
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
            express: distributed.express,
            items,
            writer,
            max_concurrency: amount("MaxConcurrency", &map.max_concurrency)? as usize,
            tolerated_count: match &map.tolerated_count {
                Some(_) => Some(amount("ToleratedFailureCount", &map.tolerated_count)? as u64),
                None => None,
            },
            tolerated_percentage: match &map.tolerated_percentage {
                Some(_) => Some(amount("ToleratedFailurePercentage", &map.tolerated_percentage)?),
                None => None,
            },
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
            Progress::Failed(failure) | Progress::Unscheduled(failure) => {
                strand.previous = self.record_failure(strand.previous, "MapRunFailed", json!({}), &failure);
                self.fail_here(id, strand, state, failure);
            }
            Progress::Started { .. } | Progress::Submitted(_) => {
                self.cursor.strands.insert(id, strand);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::cursor::About;
    use super::super::step::{Stimulus, What, step};
    use super::*;

    /// A machine of one distributed map, begun, and the run it asks for.
    fn forked(mut map: Value, input: Value) -> (Machine, Cursor, MapRun) {
        map["Type"] = "Map".into();
        map["End"] = true.into();
        map["ItemProcessor"] = json!({
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "P",
            "States": {"P": {"Type": "Pass", "End": true}},
        });
        let machine = Machine::read(&json!({"StartAt": "M", "States": {"M": map}}).to_string()).unwrap();
        let about = About {
            machine: "arn:aws:states:us-east-1:000000000000:stateMachine:m".into(),
            input: input.into(),
            ..About::default()
        };
        let begin = Stimulus { now: DateTime::UNIX_EPOCH, entropy: 1, what: What::Begin };
        let (cursor, directives) = step(&machine, Cursor::new(about), begin);
        let run = directives.into_iter().find_map(|directive| match directive {
            Directive::Fork(run) => Some(*run),
            _ => None,
        });
        (machine, cursor, run.unwrap())
    }

    fn given(run: &MapRun) -> Vec<Entry> {
        match &run.items {
            Items::Given(items) => items.clone(),
            Items::Read { .. } => Vec::new(),
        }
    }

    const MOMENT: (DateTime<Utc>, u64) = (DateTime::UNIX_EPOCH, 2);

    #[test]
    fn batches_are_bounded_by_items_and_by_bytes() {
        let inputs = |batcher: Value| {
            let (machine, cursor, run) = forked(json!({"ItemBatcher": batcher}), json!([10, 20, 30, 40, 50]));
            let shares = shares(&machine, &cursor, run.ticket, MOMENT, given(&run)).unwrap().unwrap();
            assert_eq!(shares.iter().map(|share| share.items).sum::<usize>(), 5);
            shares.iter().map(|share| share.input.text().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            inputs(json!({"MaxItemsPerBatch": 2})),
            [r#"{"Items":[10,20]}"#, r#"{"Items":[30,40]}"#, r#"{"Items":[50]}"#]
        );
        // {"Items":[10,20,30]} has 20 bytes, with a fourth it would have 23.
        assert_eq!(
            inputs(json!({"MaxInputBytesPerBatch": 20})),
            [r#"{"Items":[10,20,30]}"#, r#"{"Items":[40,50]}"#]
        );
        assert_eq!(
            inputs(json!({"MaxItemsPerBatch": 9, "BatchInput": {"a": 1}})),
            [r#"{"BatchInput":{"a":1},"Items":[10,20,30,40,50]}"#]
        );
    }

    #[test]
    fn a_run_is_made_anew_with_the_name_it_had() {
        let map = json!({"Label": "Each", "ItemsPath": "$.list", "ToleratedFailureCount": 3});
        let (machine, cursor, run) = forked(map, json!({"list": [1, 2]}));
        assert!(run.arn.starts_with("arn:aws:states:us-east-1:000000000000:mapRun:m/Each:"), "{}", run.arn);
        assert_eq!(again(&machine, &cursor, run.ticket, MOMENT).unwrap().unwrap(), run);
        assert_eq!(again(&machine, &cursor, run.ticket + 1, MOMENT), None);
        let selected =
            shares(&machine, &cursor, run.ticket, MOMENT, vec![json!("x").into()]).unwrap().unwrap();
        assert_eq!(selected, [Share { input: json!("x").into(), items: 1 }]);
    }
}
