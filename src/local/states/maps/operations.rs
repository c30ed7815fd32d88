//! Operations on map runs.

use serde_json::{Value, json};

use super::super::super::fault::Fault;
use super::super::record::{self, put};
use super::super::{States, arn, page, validate};
use super::record::{MapRun, RUNS};

fn no_run(arn: &str) -> Fault {
    Fault::client("ResourceNotFound", format!("Resource not found: '{arn}'")).with("resourceName", arn)
}

impl States {
    /// What the run says of itself while it runs, what is written of it otherwise.
    pub(in super::super) fn describe_map_run(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let arn = validate::text(input, "mapRunArn")?;
        let key = arn::map_run(arn)?;
        if let Some(run) = self.driver.runs.find(&key) {
            return Ok(run.record().describe(&bus.region));
        }
        let run: MapRun = record::load(&bus.store, RUNS, &key)?.ok_or_else(|| no_run(arn))?;
        Ok(run.describe(&bus.region))
    }

    pub(in super::super) fn list_map_runs(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let arn = validate::text(input, "executionArn")?;
        let key = arn::execution(arn)?;
        let execution = record::execution(&bus.store, &key, arn)?;
        let size = validate::page_size(input, 100, 1000)?;
        let question = format!("ListMapRuns {arn}");
        let after = page::place(input, &question)?.unwrap_or_default();
        let place = format!("{}/", execution.machine);
        let mut found =
            record::list(&bus.store, RUNS, &place, &after, size + 1, |run: &MapRun| run.execution == key)?;
        let next = page::cut(&mut found, size).map(|last| page::token(&question, &last));
        let list: Vec<Value> = found.iter().map(|(_, run)| run.entry(&bus.region)).collect();
        let mut answer = json!({"mapRuns": list});
        put(&mut answer, "nextToken", next);
        Ok(answer)
    }

    pub(in super::super) async fn update_map_run(&self, input: &Value) -> Result<Value, Fault> {
        let bus = self.bus()?;
        let arn = validate::text(input, "mapRunArn")?.to_owned();
        let key = arn::map_run(&arn)?;
        let count = |member: &str| match &input[member] {
            Value::Null => Ok(None),
            value => match value.as_u64() {
                Some(count) => Ok(Some(count)),
                None => Err(validate::constraint(
                    &value.to_string(),
                    member,
                    "Member must have value greater than or equal to 0",
                )),
            },
        };
        let (concurrency, failures) = (count("maxConcurrency")?, count("toleratedFailureCount")?);
        let percentage = input["toleratedFailurePercentage"].as_f64();
        if let Some(wrong) = percentage.filter(|p| !(0.0..=100.0).contains(p)) {
            let bound = if wrong < 0.0 { "greater than or equal to 0" } else { "less than or equal to 100" };
            let rule = format!("Member must have value {bound}");
            return Err(validate::constraint(&wrong.to_string(), "toleratedFailurePercentage", &rule));
        }
        let change = move |run: &mut MapRun| {
            if let Some(most) = concurrency {
                run.max_concurrency = usize::try_from(most).unwrap_or(usize::MAX);
            }
            run.tolerated_count = failures.or(run.tolerated_count);
            run.tolerated_percentage = percentage.or(run.tolerated_percentage);
        };
        let gone = arn.clone();
        let found = key.clone();
        bus.store
            .transact(move |tx| {
                let mut run: MapRun = record::load_in(tx, RUNS, &found)?.ok_or_else(|| no_run(&gone))?;
                if run.status != "RUNNING" {
                    let why = format!("The map run {gone} is {} and cannot be changed.", run.status);
                    return Err(Fault::client("ValidationException", why));
                }
                change(&mut run);
                tx.put(RUNS, found, record::to_bytes(&run)?);
                Ok(())
            })
            .await?;
        if let Some(run) = self.driver.runs.find(&key) {
            run.change(change);
        }
        Ok(json!({}))
    }
}
