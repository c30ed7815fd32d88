//! What a Map that is tried shows: its limits, and what becomes of its items before their iterations.

use serde_json::{Map, Value, json};

use super::super::cursor::Strand;
use super::super::data::Data;
use super::super::entry::Entry;
use super::super::failure::Failure;
use super::super::machine::{Batcher, Kind, Language, MapState, Select};
use super::super::run::Run;
use super::Trial;

impl<'m> Trial<'m> {
    /// What a Map says of its iterations.
    pub(super) fn limits(
        &self,
        run: &Run<'m>,
        strand: &Strand,
        map: &MapState,
        effective: &Data,
        seen: &mut Map<String, Value>,
    ) -> Result<(), Failure> {
        let fields = [
            ("maxConcurrency", "MaxConcurrency", &map.max_concurrency),
            ("toleratedFailureCount", "ToleratedFailureCount", &map.tolerated_count),
            ("toleratedFailurePercentage", "ToleratedFailurePercentage", &map.tolerated_percentage),
        ];
        for (name, field, amount) in fields {
            let number = match amount {
                Some(amount) => run.amount(field, amount, effective.value(), strand)?,
                None if name == "maxConcurrency" => 0.0,
                None => continue,
            };
            let shown = if name.ends_with("Percentage") { json!(number) } else { json!(number as u64) };
            seen.insert(name.to_owned(), shown);
        }
        Ok(())
    }

    /// The failure of a Map of which more iterations failed than are let pass.
    pub(super) fn exceeded(&self, run: &Run<'m>, strand: &Strand) -> Option<Failure> {
        let (Kind::Map(map), Some(failures)) = (&self.state.kind, self.failures) else { return None };
        let effective = run.effective(strand, self.state).ok()?;
        let most = map
            .tolerated_count
            .as_ref()
            .and_then(|amount| run.amount("ToleratedFailureCount", amount, effective.value(), strand).ok());
        let cause = "The specified tolerated failure threshold was exceeded";
        (failures as f64 > most.unwrap_or(0.0))
            .then(|| Failure::new("States.ExceedToleratedFailureThreshold", cause))
    }

    /// What becomes of the items (AWS guide, "Understanding Map state inspection data").
    pub(super) fn iterations(
        &self,
        run: &Run<'m>,
        strand: &Strand,
        map: &MapState,
        effective: &Data,
        seen: &mut Map<String, Value>,
    ) -> Result<(), Failure> {
        let mut put = |name: &str, value: Value| seen.insert(name.to_owned(), value.to_string().into());
        let own = self.state.language == Language::JsonPath;
        let reader = map.distributed.as_ref().and_then(|d| d.reader.as_ref());
        let items = match (reader, &self.read) {
            (None, _) => {
                let items = run.items(map, effective, strand)?;
                if own && map.items_path != Select::Whole {
                    put("afterItemsPath", shown(&items));
                }
                items
            }
            (Some(reader), Some(read)) => {
                if let (true, Some(pointed)) = (own, &read.pointed) {
                    put("afterItemsPointer", pointed.clone());
                }
                let mut items = read.items.clone()?;
                if let Some(most) = &reader.max_items {
                    let most = run.amount("MaxItems", most, effective.value(), strand)?;
                    items.truncate(most as usize);
                }
                items
            }
            // Nobody said what would be read.
            (Some(_), None) => return Ok(()),
        };
        let batcher = map.distributed.as_ref().and_then(|d| d.batcher.as_ref());
        if map.selector.is_none() && batcher.is_none() {
            return Ok(());
        }
        let inputs: Vec<Data> =
            run.inputs(map, effective, strand, items)?.into_iter().map(|(_, input)| input).collect();
        if map.selector.is_some() {
            put("afterItemSelector", Data::list(&inputs).value().clone());
        }
        if let Some(batcher) = batcher {
            put("afterItemBatcher", batched(run, strand, batcher, effective, inputs)?);
        }
        Ok(())
    }
}

/// The items as they were found.
fn shown(items: &[Entry]) -> Value {
    match items
        .iter()
        .map(|item| Some((item.key.clone()?, item.value.clone())))
        .collect::<Option<Map<_, _>>>()
    {
        Some(members) if !members.is_empty() => Value::Object(members),
        _ => items.iter().map(|item| item.value.clone()).collect(),
    }
}

/// The batches, with their items as JSON texts.
fn batched(
    run: &Run<'_>,
    strand: &Strand,
    batcher: &Batcher,
    effective: &Data,
    inputs: Vec<Data>,
) -> Result<Value, Failure> {
    let shares = run.batches(strand, batcher, effective, inputs.into_iter())?;
    let shown = shares.into_iter().map(|share| {
        let mut batch = share.input.value().clone();
        if let Some(items) = batch["Items"].as_array_mut() {
            items.iter_mut().for_each(|item| *item = item.to_string().into());
        }
        batch
    });
    Ok(shown.collect())
}
