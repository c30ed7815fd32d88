//! `ward workflows`: runs of the pipeline from the command line.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::consent::Consent;
use super::context::Context;
use super::exit::Exit;
use super::input;
use super::output::{Column, Format, Output};
use super::query::stamp;
use super::watch;
use super::watch_all;
use crate::aws::Aws;
use crate::domain::execution::{Execution, Status, unqualified};
use crate::domain::json;
use crate::domain::problem::Problem;
use crate::domain::units;
use crate::settings::Settings;

/// Start, watch and stop runs of the pipeline
#[derive(Args, Debug)]
pub struct Workflows {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// The latest executions of the state machine, newest first
    List {
        /// Only those: running, succeeded, failed, timed-out, aborted
        #[arg(long, value_parser = status)]
        status: Option<Status>,
        /// How many
        #[arg(long, default_value_t = 20)]
        limit: usize,
        /// The state machines instead
        #[arg(long)]
        machines: bool,
    },
    /// Start an execution; print its ARN, or with --watch its transitions
    Start {
        /// JSON: as text, @file, or - for standard input
        #[arg(long, default_value = "{}", value_name = "JSON")]
        input: String,
        /// A name of its own, once per state machine in 90 days
        #[arg(long)]
        name: Option<String>,
        /// Print one line per transition as it happens; exit 0 or 1 by outcome
        #[arg(long)]
        watch: bool,
        #[command(flatten)]
        consent: Consent,
    },
    /// Print one line per transition as it happens; exit 0 or 1 by outcome
    Watch {
        /// ARN or name; the latest execution if left out
        execution: Option<String>,
        /// Everything that runs, of all state machines, until Ctrl-C
        #[arg(long, conflicts_with = "execution")]
        all: bool,
    },
    /// One execution: status, input, output, error, and what happened in each state
    Show {
        /// ARN or name; the latest execution if left out
        execution: Option<String>,
    },
    /// Continue an execution that failed, timed out or was stopped, from where it ended
    Redrive {
        /// ARN or name; the latest execution if left out
        execution: Option<String>,
        /// Print one line per transition as it happens; exit 0 or 1 by outcome
        #[arg(long)]
        watch: bool,
        #[command(flatten)]
        consent: Consent,
    },
    /// Stop an execution
    Stop {
        /// ARN or name
        execution: String,
        /// Why, for those who look at it later
        #[arg(long)]
        cause: Option<String>,
        #[command(flatten)]
        consent: Consent,
    },
}

fn status(text: &str) -> Result<Status, String> {
    match text.to_ascii_lowercase().replace('_', "-").as_str() {
        "running" => Ok(Status::Running),
        "succeeded" => Ok(Status::Succeeded),
        "failed" => Ok(Status::Failed),
        "timed-out" => Ok(Status::TimedOut),
        "aborted" => Ok(Status::Aborted),
        _ => Err("write running, succeeded, failed, timed-out or aborted".into()),
    }
}

impl Workflows {
    pub async fn run(self, cx: &Context, out: &mut Output) -> Result<Exit, Problem> {
        match self.verb {
            Verb::List { machines: true, .. } => machines(cx, out).await,
            Verb::List { status, limit, .. } => list(cx, out, status, limit).await,
            Verb::Start { input, name, watch, consent } => start(cx, out, &input, name, watch, consent).await,
            Verb::Watch { all: true, .. } => {
                let aws = cx.aws().await?;
                watch_all::watch_all(cx, out, &aws).await
            }
            Verb::Watch { execution, .. } => {
                let aws = cx.aws().await?;
                let arn = execution_arn(cx, &aws, execution.as_deref()).await?;
                watch::watch(cx, out, &aws, &arn).await
            }
            Verb::Show { execution } => {
                let aws = cx.aws().await?;
                let arn = execution_arn(cx, &aws, execution.as_deref()).await?;
                watch::show(cx, out, &aws, &arn).await
            }
            Verb::Redrive { execution, watch, consent } => {
                redrive(cx, out, execution.as_deref(), watch, consent).await
            }
            Verb::Stop { execution, cause, consent } => {
                stop(cx, out, &execution, cause.as_deref(), consent).await
            }
        }
    }
}

/// The ARN of the state machine that settings name.
pub async fn machine_arn(settings: &Settings, aws: &Aws) -> Result<String, Problem> {
    let wanted = &settings.state_machine;
    if wanted.starts_with("arn:") {
        return Ok(wanted.clone());
    }
    let machines = aws.states.list_state_machines().await?;
    let found = machines.iter().find(|machine| machine.name == *wanted);
    found.map(|machine| machine.arn.clone()).ok_or_else(|| {
        let names: Vec<&str> = machines.iter().map(|machine| machine.name.as_str()).collect();
        let known = if names.is_empty() {
            "There is none here.".into()
        } else {
            format!("There are: {}", names.join(", "))
        };
        Problem::new(format!("There is no state machine {wanted}"))
            .detail(known)
            .hint("--state-machine names another; `ward doctor` checks the whole pipeline")
    })
}

/// From an ARN, a name or nothing (the latest) to an ARN.
async fn execution_arn(cx: &Context, aws: &Aws, wanted: Option<&str>) -> Result<String, Problem> {
    if let Some(arn) = wanted.filter(|wanted| wanted.starts_with("arn:")) {
        return Ok(arn.to_owned());
    }
    let machine = machine_arn(&cx.settings, aws).await?;
    if let Some(name) = wanted {
        // An execution of an alias or version has the ARN of its machine's executions.
        return Ok(format!("{}:{name}", unqualified(&machine).replacen(":stateMachine:", ":execution:", 1)));
    }
    let page = aws.states.list_executions(&machine, None, None).await?;
    page.items.first().map(|execution| execution.arn.clone()).ok_or_else(|| {
        Problem::new("There is no execution yet").hint("`ward workflows start --watch` starts one")
    })
}

async fn start(
    cx: &Context,
    out: &mut Output,
    input: &str,
    name: Option<String>,
    watching: bool,
    consent: Consent,
) -> Result<Exit, Problem> {
    let input = match input::text(input).and_then(checked) {
        Ok(input) => input,
        Err(problem) => {
            out.problem(&problem);
            return Ok(Exit::Usage);
        }
    };
    let deed = format!("Start {} with the input {}", cx.settings.state_machine, json::compact(&input));
    if let Err(exit) = consent.ask(cx, out, &deed) {
        return Ok(exit);
    }
    let aws = cx.aws().await?;
    let machine = machine_arn(&cx.settings, &aws).await?;
    let arn = aws.states.start_execution(&machine, name.as_deref(), &input).await?;
    if watching {
        out.say(&format!("Started {arn}"));
        return watch::watch(cx, out, &aws, &arn).await;
    }
    match out.format() {
        Format::Table => out.text(&arn),
        _ => out.object(&[("execution_arn", arn.into())]),
    }
    Ok(Exit::Done)
}

async fn redrive(
    cx: &Context,
    out: &mut Output,
    execution: Option<&str>,
    watching: bool,
    consent: Consent,
) -> Result<Exit, Problem> {
    let aws = cx.aws().await?;
    let arn = execution_arn(cx, &aws, execution).await?;
    let found = aws.states.describe_execution(&arn).await?;
    if !matches!(found.status, Status::Failed | Status::TimedOut | Status::Aborted) {
        let problem = Problem::new(format!("{} is {}", found.name, found.status.as_str()))
            .detail("Only what failed, timed out or was stopped can be redriven")
            .hint("`ward workflows start` starts another one");
        out.problem(&problem);
        return Ok(Exit::No);
    }
    if let Err(exit) = consent.ask(cx, out, &format!("Redrive {arn} from where it ended")) {
        return Ok(exit);
    }
    aws.states.redrive_execution(&arn).await?;
    out.say(&format!("Redriven {arn}"));
    if watching {
        return watch::watch(cx, out, &aws, &arn).await;
    }
    if out.format() != Format::Table {
        out.object(&[("execution_arn", arn.into())]);
    }
    Ok(Exit::Done)
}

async fn stop(
    cx: &Context,
    out: &mut Output,
    execution: &str,
    cause: Option<&str>,
    consent: Consent,
) -> Result<Exit, Problem> {
    if let Err(exit) = consent.ask(cx, out, &format!("Stop the execution {execution}")) {
        return Ok(exit);
    }
    let aws = cx.aws().await?;
    let arn = execution_arn(cx, &aws, Some(execution)).await?;
    // StopExecution answers as if it had stopped what is over already.
    let found = aws.states.describe_execution(&arn).await?;
    if found.status.is_over() {
        let problem = Problem::new(format!("{} is {}", found.name, found.status.as_str()))
            .detail("It is over: there is nothing to stop");
        out.problem(&problem);
        return Ok(Exit::No);
    }
    aws.states.stop_execution(&arn, Some("Stopped by ward"), cause).await?;
    out.say(&format!("Stopped {arn}."));
    Ok(Exit::Done)
}

/// The text itself, which is what is sent, or where it stops being JSON.
fn checked(text: String) -> Result<String, Problem> {
    match serde_json::from_str::<Value>(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(Problem::new("The input is not JSON")
            .detail(error.to_string())
            .hint("Quote it for the shell: --input '{\"key\": \"value\"}', or give @file")),
    }
}

async fn machines(cx: &Context, out: &mut Output) -> Result<Exit, Problem> {
    let machines = cx.aws().await?.states.list_state_machines().await?;
    let columns = [Column::text("name"), Column::text("type"), Column::text("created"), Column::text("arn")];
    let rows: Vec<Vec<Value>> = machines
        .into_iter()
        .map(|machine| {
            let kind = if machine.express { "EXPRESS" } else { "STANDARD" };
            let created = machine.created.map(|at| stamp(cx, out, at));
            vec![machine.name.into(), kind.into(), created.into(), machine.arn.into()]
        })
        .collect();
    out.rows(&columns, &rows);
    Ok(Exit::Done)
}

async fn list(cx: &Context, out: &mut Output, status: Option<Status>, limit: usize) -> Result<Exit, Problem> {
    let aws = cx.aws().await?;
    let machine = machine_arn(&cx.settings, &aws).await?;
    let mut executions: Vec<Execution> = Vec::new();
    let mut token = None;
    loop {
        let page = aws.states.list_executions(&machine, status, token).await?;
        executions.extend(page.items);
        token = page.next;
        if token.is_none() || executions.len() >= limit {
            break;
        }
    }
    executions.truncate(limit);
    if executions.is_empty() && out.format() == Format::Table {
        out.say(&match (limit, status) {
            (0, _) => "--limit 0 lists nothing.".to_owned(),
            (_, Some(status)) => {
                format!("No execution is {}; without --status all are listed.", status.as_str())
            }
            _ => "No execution yet: `ward workflows start --watch` starts one.".to_owned(),
        });
        return Ok(Exit::Done);
    }
    let now = chrono::Utc::now();
    let columns = [
        Column::text("name"),
        Column::text("status"),
        Column::text("started"),
        Column::text("duration"),
        Column::text("execution_arn"),
    ];
    let rows: Vec<Vec<Value>> = executions
        .iter()
        .map(|execution| {
            let span = execution.stopped.unwrap_or(now) - execution.started;
            let span = match out.format() {
                Format::Table => Value::from(units::duration(span)),
                _ => Value::from(span.num_milliseconds() as f64 / 1000.0),
            };
            vec![
                execution.name.clone().into(),
                execution.status.as_str().into(),
                stamp(cx, out, execution.started).into(),
                span,
                execution.arn.clone().into(),
            ]
        })
        .collect();
    out.rows(&columns, &rows);
    Ok(Exit::Done)
}
