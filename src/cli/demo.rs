//! `ward demo`: a fresh local cloud of its own, pinned to a day, to show the pipeline with or to break.

use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::context::Context;
use super::exit::Exit;
use super::local::factor;
use super::output::Output;
use super::reach::Reached;
use super::workflows::machine_arn;
use super::{cloud, console, watch};
use crate::aws::athena::Start;
use crate::aws::{self, Aws, Permit};
use crate::domain::package::package;
use crate::domain::problem::Problem;
use crate::domain::query::QueryState;
use crate::local::clock::Clock;
use crate::settings::{Settings, Target};
use crate::work::provision::{Plan, provision};

/// Open the console on a fresh, pinned local cloud that is forgotten afterwards; --break makes the run
/// fail for a real reason
///
/// The sample is the one in data/, as of 2026-01-01. Without a terminal, or with --watch, the pipeline
/// runs once, one line per transition, and the exit status tells its outcome.
#[derive(Args, Debug)]
pub struct Demo {
    /// What to break before the run, to rehearse finding it
    #[arg(long = "break", value_name = "WHAT")]
    damage: Option<Damage>,
    /// Run the pipeline once, here, instead of opening the console
    #[arg(long)]
    watch: bool,
    /// Make every wait of the cloud that many times shorter
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR", value_parser = factor)]
    speed: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Damage {
    /// The table is dropped: the query fails
    Table,
    /// The function loses its database's name: every attempt fails
    Function,
    /// The copy looks for its source under a wrong key
    Copy,
}

/// The day of the sample in data/.
fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, 1).unwrap_or_default()
}

impl Demo {
    pub async fn run(self, cx: &Context, out: &mut Output) -> Result<Exit, Problem> {
        let mut settings = cx.settings.clone();
        settings.target = Target::Local { dir: None, ephemeral: true, region: settings.region.clone() };
        settings.as_of = Some(settings.as_of.unwrap_or_else(day));
        // What is said of somebody's account has no meaning here.
        (settings.read_only, settings.hint) = (false, None);
        let cloud = cloud::open(&settings, None, 0, Clock::hurried(self.speed)).await?;
        let endpoint = cloud.endpoint().clone();
        let target = aws::Target::Local { url: endpoint.url, region: endpoint.region };
        let aws = aws::connect(&target, Permit::ReadWrite).await;
        let plan = Plan::of(&settings, package().into(), day());
        provision(&aws, &plan, &|_| {}).await?;
        if let Some(damage) = self.damage {
            damage.inflict(&aws, &plan).await?;
        }
        let terminal = out.terminal && std::io::IsTerminal::is_terminal(&std::io::stdin());
        if self.damage.is_some() && !self.watch && terminal {
            let arn = begin(&settings, &aws).await?;
            settings.open = Some(format!("workflows/{arn}"));
        }
        let demo = Context::new(settings, cx.sources.clone());
        demo.adopt(Reached::serving(aws.clone(), cloud));
        let answer = if self.watch || !terminal {
            let arn = begin(&demo.settings, &aws).await?;
            watch::watch(&demo, out, &aws, &arn).await
        } else {
            console::run(&demo, out).await
        };
        demo.close().await;
        answer
    }
}

async fn begin(settings: &Settings, aws: &Aws) -> Result<String, Problem> {
    let machine = machine_arn(settings, aws).await?;
    Ok(aws.states.start_execution(&machine, None, &json!({"demo": true}).to_string()).await?)
}

impl Damage {
    async fn inflict(self, aws: &Aws, plan: &Plan) -> Result<(), Problem> {
        match self {
            Damage::Table => {
                let sql = format!("DROP TABLE `{}`.`{}`", plan.database, plan.table);
                let output_location = Some(format!("s3://{}/athena-results/", plan.bucket));
                let query = aws.athena.run(&Start { sql, output_location, ..Start::default() }).await?;
                match query.state {
                    QueryState::Succeeded => Ok(()),
                    _ => Err(Problem::new("The table could not be dropped")
                        .detail(query.reason.unwrap_or_default())),
                }
            }
            Damage::Function => {
                let mut variables = plan.environment();
                variables.remove("ATHENA_DATABASE");
                Ok(aws.lambda.update_function_configuration(&plan.function, &variables).await?)
            }
            Damage::Copy => {
                let machines = aws.states.list_state_machines().await?;
                let machine = machines.iter().find(|one| one.name == plan.state_machine);
                let arn = machine.map(|one| one.arn.clone()).unwrap_or_default();
                let present = aws.states.describe_state_machine(&arn).await?;
                let damaged = present.text.replace("/athena-results/", "/athena-result/");
                Ok(aws.states.update_state_machine(&arn, &damaged).await?)
            }
        }
    }
}
