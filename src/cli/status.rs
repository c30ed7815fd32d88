//! `ward status`: does anything need attention? For monitors and for a glance.

use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::context::Context;
use super::exit::Exit;
use super::output::{Format, Output};
use super::query::stamp;
use super::workflows::machine_arn;
use crate::aws::Aws;
use crate::domain::execution::{Execution, Status as RunStatus};
use crate::domain::expiry::{Tier, facility_tier};
use crate::domain::problem::Problem;
use crate::domain::query::QueryState;
use crate::domain::units;
use crate::work::cache::Cache;
use crate::work::load;

/// Does anything need attention? Exit 0 if not, 1 if so, 3 if it cannot be told
///
/// Counts facilities by the tier of their worst accreditation as of today (or --as-of), the latest run
/// of the state machine, and what failed in the last 24 hours. Attention is needed when there is
/// anything of what --fail-on names.
#[derive(Args, Debug)]
pub struct Status {
    /// What makes the exit status 1
    #[arg(long, value_delimiter = ',', value_name = "WHAT",
          default_values_t = [Concern::Lapsed, Concern::Critical, Concern::Data, Concern::Run, Concern::Runs, Concern::Queries])]
    fail_on: Vec<Concern>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Concern {
    /// A facility with a lapsed accreditation
    Lapsed,
    /// A facility with an accreditation that ends within 30 days
    Critical,
    /// A facility with an accreditation that ends within 90 days
    High,
    /// A record that cannot be read, or a date that is unknown
    Data,
    /// The latest run did not succeed
    Run,
    /// A run failed in the last 24 hours
    Runs,
    /// A query failed in the last 24 hours
    Queries,
}

impl std::fmt::Display for Concern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.to_possible_value();
        f.write_str(name.as_ref().map_or("", |value| value.get_name()))
    }
}

/// What was counted.
#[derive(Default)]
struct Counts {
    facilities: usize,
    tiers: [usize; 6],
    problems: usize,
    latest: Option<Execution>,
    failed_runs: Vec<Execution>,
    failed_queries: usize,
    newest_record: Option<DateTime<Utc>>,
}

const TIERS: [Tier; 6] = [Tier::Lapsed, Tier::Critical, Tier::High, Tier::Unknown, Tier::Medium, Tier::Clear];

impl Counts {
    fn tier(&self, tier: Tier) -> usize {
        TIERS.iter().position(|one| *one == tier).map_or(0, |index| self.tiers[index])
    }

    fn needs(&self, concern: Concern) -> bool {
        let failed = |run: &Execution| {
            matches!(run.status, RunStatus::Failed | RunStatus::TimedOut | RunStatus::Aborted)
        };
        match concern {
            Concern::Lapsed => self.tier(Tier::Lapsed) > 0,
            Concern::Critical => self.tier(Tier::Critical) > 0,
            Concern::High => self.tier(Tier::High) > 0,
            Concern::Data => self.problems > 0 || self.tier(Tier::Unknown) > 0,
            Concern::Run => self.latest.as_ref().is_some_and(failed),
            Concern::Runs => !self.failed_runs.is_empty(),
            Concern::Queries => self.failed_queries > 0,
        }
    }
}

impl Status {
    pub async fn run(self, cx: &Context, out: &mut Output) -> Result<Exit, Problem> {
        let aws = cx.aws().await?;
        let since = Utc::now() - TimeDelta::hours(24);
        let (facilities, runs, queries) =
            futures::try_join!(facilities(cx, &aws), runs(cx, &aws, since), queries(cx, &aws, since))?;
        let counts = Counts { latest: runs.0, failed_runs: runs.1, failed_queries: queries, ..facilities };
        let concerns: Vec<String> =
            self.fail_on.iter().filter(|concern| counts.needs(**concern)).map(Concern::to_string).collect();
        print(cx, out, &counts, &concerns);
        Ok(if concerns.is_empty() { Exit::Done } else { Exit::No })
    }
}

async fn facilities(cx: &Context, aws: &Aws) -> Result<Counts, Problem> {
    let settings = &cx.settings;
    let cache = Cache::of(settings);
    let loaded = load::facilities(aws, &settings.bucket, &settings.prefix, cache.as_ref(), |_| {}).await?;
    let mut counts = Counts {
        facilities: loaded.facilities.len(),
        problems: loaded.problems.len(),
        newest_record: loaded.facilities.iter().filter_map(|(object, _)| object.modified).max(),
        ..Counts::default()
    };
    for (_, facility) in &loaded.facilities {
        let (tier, _) = facility_tier(facility, cx.as_of);
        if let Some(index) = TIERS.iter().position(|one| *one == tier) {
            counts.tiers[index] += 1;
        }
    }
    Ok(counts)
}

/// The latest run, and those that failed since then.
async fn runs(
    cx: &Context,
    aws: &Aws,
    since: DateTime<Utc>,
) -> Result<(Option<Execution>, Vec<Execution>), Problem> {
    let machine = machine_arn(&cx.settings, aws).await?;
    let latest = aws.states.list_executions(&machine, None, None).await?.items.into_iter().next();
    let mut failed = Vec::new();
    for status in [RunStatus::Failed, RunStatus::TimedOut, RunStatus::Aborted] {
        let mut token = None;
        loop {
            let page = aws.states.list_executions(&machine, Some(status), token).await?;
            let young: Vec<Execution> = page
                .items
                .iter()
                .filter(|run| run.stopped.unwrap_or(run.started) >= since)
                .cloned()
                .collect();
            let all = young.len() == page.items.len();
            failed.extend(young);
            token = page.next.filter(|_| all);
            if token.is_none() {
                break;
            }
        }
    }
    Ok((latest, failed))
}

/// How many of the last queries (at most 200 are looked at) failed since then.
async fn queries(cx: &Context, aws: &Aws, since: DateTime<Utc>) -> Result<usize, Problem> {
    let mut failed = 0;
    let mut token = None;
    for _ in 0..4 {
        let page = aws.athena.list_query_executions(Some(&cx.settings.workgroup), token).await?;
        let queries = aws.athena.batch_get_query_execution(&page.items).await?;
        let young = |at: Option<DateTime<Utc>>| at.is_none_or(|at| at >= since);
        failed += queries
            .iter()
            .filter(|query| query.state == QueryState::Failed && young(query.submitted))
            .count();
        let all = queries.iter().all(|query| young(query.submitted));
        token = page.next.filter(|_| all);
        if token.is_none() {
            break;
        }
    }
    Ok(failed)
}

fn print(cx: &Context, out: &mut Output, counts: &Counts, concerns: &[String]) {
    let run = |run: &Execution| {
        json!({
            "name": run.name,
            "status": run.status.as_str(),
            "started": run.started.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
            "seconds": run.stopped.map(|at| (at - run.started).num_milliseconds() as f64 / 1000.0),
            "execution_arn": run.arn,
        })
    };
    if out.format() != Format::Table {
        let tiers: serde_json::Map<String, Value> = TIERS
            .iter()
            .zip(counts.tiers)
            .map(|(tier, count)| (tier.as_str().to_owned(), count.into()))
            .collect();
        out.object(&[
            ("attention", concerns.into()),
            ("as_of", cx.as_of.to_string().into()),
            ("facilities", counts.facilities.into()),
            ("tiers", Value::Object(tiers)),
            ("data_problems", counts.problems.into()),
            ("newest_record", counts.newest_record.map(|at| stamp(cx, out, at)).into()),
            ("latest_run", counts.latest.as_ref().map(run).unwrap_or_default()),
            ("failed_runs_24h", counts.failed_runs.iter().map(run).collect()),
            ("failed_queries_24h", counts.failed_queries.into()),
        ]);
        return;
    }
    let tiers: Vec<String> =
        TIERS.iter().zip(counts.tiers).map(|(tier, count)| format!("{count} {}", tier.as_str())).collect();
    out.text(&format!("Facilities  {} as of {}: {}", counts.facilities, cx.as_of, tiers.join(", ")));
    if counts.problems > 0 {
        let (s, hint) = (if counts.problems == 1 { "" } else { "s" }, "`ward facilities list` names them");
        out.text(&format!("Data        {} problem{s}: {hint}", counts.problems));
    }
    if let Some(at) = counts.newest_record {
        out.text(&format!("Newest      {} ({})", cx.time(at), units::ago(at, Utc::now())));
    }
    out.text(&match &counts.latest {
        None => "Latest run  none yet".to_owned(),
        Some(run) => {
            let span = run
                .stopped
                .map(|at| format!(" in {}", units::duration(at - run.started)))
                .unwrap_or_default();
            let ago = units::ago(run.started, Utc::now());
            format!("Latest run  {} {}{span}, started {ago}", run.name, run.status.as_str())
        }
    });
    out.text(&format!(
        "Last 24 h   {} failed runs, {} failed queries",
        counts.failed_runs.len(),
        counts.failed_queries
    ));
    match concerns {
        [] => out.say("Nothing needs attention."),
        concerns => out.say(&format!("Needs attention: {}", concerns.join(", "))),
    }
}
