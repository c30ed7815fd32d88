//! What is kept of a map run: itself, the inputs that no child has taken yet, and the outcomes of
//! express children, which leave no execution behind.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::super::fault::Fault;
use super::super::super::store::{Table, Tx};
use super::super::arn;
use super::super::record::{put, seconds};
use crate::asl::cursor::{Outcome, Ticket};
use crate::asl::mapping::{MapRun as Asked, ResultWriter};

/// By `machine/label:uuid`.
pub const RUNS: Table = "states.mapruns";
/// By run, NUL and index: inputs of children that have not started.
pub const ITEMS: Table = "states.mapitems";
/// By run, NUL and index: how express children ended.
pub const RESULTS: Table = "states.mapresults";

/// The keys of a machine's runs.
pub fn runs_of(tx: &Tx<'_>, machine: &str) -> Result<Vec<String>, Fault> {
    Ok(tx.scan(RUNS, &format!("{machine}/"))?.into_iter().map(|(key, _)| key).collect())
}

/// Takes away a run and what is kept for it.
pub fn forget(tx: &mut Tx<'_>, run: &str) -> Result<(), Fault> {
    for table in [ITEMS, RESULTS] {
        for (key, _) in tx.scan(table, &format!("{run}\0"))? {
            tx.delete(table, key);
        }
    }
    tx.delete(RUNS, run);
    Ok(())
}

/// The key of one of a run's items or results.
pub fn item(run: &str, index: usize) -> String {
    format!("{run}\0{index:09}")
}

/// The input of a child that has not started.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Item {
    pub input: String,
    /// How many items are in it.
    pub items: usize,
}

/// How a child ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ended {
    pub index: usize,
    pub items: usize,
    /// The execution's ARN and name.
    pub execution: String,
    pub name: String,
    pub input: String,
    pub started: DateTime<Utc>,
    pub stopped: DateTime<Utc>,
    pub outcome: Outcome,
    #[serde(default)]
    pub redrives: u32,
}

/// Executions or items of a run by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub pending: u64,
    pub running: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub timed_out: u64,
    pub aborted: u64,
    pub results_written: u64,
}

impl Counts {
    pub fn ended(&mut self, outcome: &Outcome) -> &mut u64 {
        match outcome {
            Outcome::Succeeded(_) => &mut self.succeeded,
            Outcome::Failed(_) => &mut self.failed,
            Outcome::TimedOut(_) => &mut self.timed_out,
            Outcome::Aborted(_) => &mut self.aborted,
        }
    }

    pub fn total(&self) -> u64 {
        self.pending + self.running + self.succeeded + self.unsuccessful()
    }

    pub fn unsuccessful(&self) -> u64 {
        self.failed + self.timed_out + self.aborted
    }

    fn describe(&self) -> Value {
        json!({
            "pending": self.pending,
            "running": self.running,
            "succeeded": self.succeeded,
            "failed": self.failed,
            "timedOut": self.timed_out,
            "aborted": self.aborted,
            "total": self.total(),
            "resultsWritten": self.results_written,
            "failuresNotRedrivable": 0,
            "pendingRedrive": 0,
        })
    }
}

/// A map run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MapRun {
    /// `machine/label:uuid`
    pub key: String,
    /// The execution whose Map state asked for it, and with which ticket.
    pub execution: String,
    pub ticket: Ticket,
    pub role: String,
    /// The digest of the children's definition.
    pub definition: String,
    pub express: bool,
    /// `RUNNING`, `SUCCEEDED`, `FAILED` or `ABORTED`.
    pub status: String,
    /// The items were read and written down.
    pub spread: bool,
    pub started: DateTime<Utc>,
    pub stopped: Option<DateTime<Utc>>,
    pub redrives: u32,
    pub redriven: Option<DateTime<Utc>>,
    pub max_concurrency: usize,
    pub tolerated_count: Option<u64>,
    pub tolerated_percentage: Option<f64>,
    pub writer: Option<ResultWriter>,
    pub logging: Option<Value>,
    pub executions: Counts,
    pub items: Counts,
    /// The files with the results of those that succeeded, and until when they are told there: a redrive
    /// writes down only what came after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub written: Vec<Written>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_until: Option<DateTime<Utc>>,
}

/// A result file as a manifest names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Written {
    pub key: String,
    /// Bytes.
    pub size: usize,
}

impl MapRun {
    pub fn new(key: String, execution: &super::super::record::Execution, asked: &Asked) -> MapRun {
        MapRun {
            key,
            execution: execution.key.clone(),
            ticket: asked.ticket,
            role: execution.role.clone(),
            definition: String::new(),
            express: asked.express,
            status: "RUNNING".into(),
            spread: false,
            started: execution.started,
            stopped: None,
            redrives: 0,
            redriven: None,
            max_concurrency: asked.max_concurrency,
            tolerated_count: asked.tolerated_count,
            tolerated_percentage: asked.tolerated_percentage,
            writer: asked.writer.clone(),
            logging: execution.logging.clone(),
            executions: Counts::default(),
            items: Counts::default(),
            written: Vec::new(),
            written_until: None,
        }
    }

    /// Whether its results are written to files.
    pub fn is_exported(&self) -> bool {
        self.writer.as_ref().is_some_and(|writer| writer.resource.is_some())
    }

    /// `machine/label`: what its children's machine is called.
    pub fn machine(&self) -> &str {
        self.key.rsplit_once(':').map_or(&self.key, |(machine, _)| machine)
    }

    /// The last part of the key.
    pub fn id(&self) -> &str {
        self.key.rsplit_once(':').map_or(&self.key, |(_, id)| id)
    }

    pub fn arn(&self, region: &str) -> String {
        arn::of_map_run(region, &self.key)
    }

    /// Whether more failed than is let pass. Either limit is enough; none means no failure at all.
    pub fn is_exceeded(&self) -> bool {
        let failed = self.items.unsuccessful();
        match (self.tolerated_count, self.tolerated_percentage) {
            (None, None) => failed > 0,
            (count, percentage) => {
                let share = failed as f64 * 100.0 / self.items.total().max(1) as f64;
                count.is_some_and(|most| failed > most) || percentage.is_some_and(|most| share > most)
            }
        }
    }

    /// DescribeMapRun.
    pub fn describe(&self, region: &str) -> Value {
        let mut answer = json!({
            "mapRunArn": self.arn(region),
            "executionArn": arn::of_execution(region, &self.execution),
            "status": self.status,
            "startDate": seconds(self.started),
            "maxConcurrency": self.max_concurrency,
            "toleratedFailurePercentage": self.tolerated_percentage.unwrap_or(0.0),
            "toleratedFailureCount": self.tolerated_count.unwrap_or(0),
            "itemCounts": self.items.describe(),
            "executionCounts": self.executions.describe(),
            "redriveCount": self.redrives,
        });
        put(&mut answer, "stopDate", self.stopped.map(seconds));
        put(&mut answer, "redriveDate", self.redriven.map(seconds));
        answer
    }

    /// An entry of ListMapRuns.
    pub fn entry(&self, region: &str) -> Value {
        let mut entry = json!({
            "executionArn": arn::of_execution(region, &self.execution),
            "mapRunArn": self.arn(region),
            "stateMachineArn": arn::of_machine(region, self.machine()),
            "startDate": seconds(self.started),
        });
        put(&mut entry, "stopDate", self.stopped.map(seconds));
        entry
    }
}
