//! An execution as lines: while it happens, and afterwards.

use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt, pin_mut};
use serde_json::Value;

use super::context::Context;
use super::exit::Exit;
use super::output::{Column, Format, Member, Output};
use super::query::stamp;
use super::transition;
use crate::aws::{Aws, Error, follow};
use crate::domain::execution::{HistoryEvent, Status, machine_arn_of};
use crate::domain::problem::Problem;
use crate::domain::timeline::Timeline;
use crate::domain::units;

/// Prints one line per transition as it happens; the exit status tells the outcome. Ctrl-C ends the
/// watching and leaves the execution running.
pub async fn watch(cx: &Context, out: &mut Output, aws: &Aws, arn: &str) -> Result<Exit, Problem> {
    refuse_express(arn)?;
    let clock = |at| cx.clock(at);
    tokio::select! {
        exit = tell(out, &clock, arn, follow::execution(aws, arn)) => exit,
        _ = tokio::signal::ctrl_c() => {
            out.say(&format!("Stopped watching; the execution runs on: `ward workflows watch {arn}`"));
            Ok(Exit::Interrupted)
        }
    }
}

/// Express executions have no history: says so, and where to look instead.
fn refuse_express(arn: &str) -> Result<(), Problem> {
    if !arn.contains(":express:") {
        return Ok(());
    }
    let machine = machine_arn_of(arn);
    Err(Problem::new("Express executions have no history")
        .detail("What they log to CloudWatch Logs is all there is of them.")
        .hint(format!("`ward --open workflows/{machine}` reads that log")))
}

/// Prints what a stream of events brings, to its end.
async fn tell(
    out: &mut Output,
    clock: &(dyn Fn(DateTime<Utc>) -> String + Sync),
    arn: &str,
    events: impl Stream<Item = Result<Vec<HistoryEvent>, Error>>,
) -> Result<Exit, Problem> {
    let mut timeline = Timeline::new();
    pin_mut!(events);
    while let Some(answer) = events.next().await {
        match answer {
            Ok(batch) => {
                for event in &batch {
                    timeline.apply(event);
                    transition::print(out, &clock(event.at), arn, false, &timeline, event);
                }
            }
            Err(error) if error.retry() => out.say(&format!("{}; trying again", error.problem())),
            Err(error) => return Err(error.problem()),
        }
        if out.closed() {
            return Ok(Exit::Done);
        }
    }
    if let Some(problem) = conclusion(&timeline) {
        out.problem(&problem);
    }
    Ok(if timeline.status() == Some(Status::Succeeded) { Exit::Done } else { Exit::No })
}

/// Where and why it failed, once it has.
fn conclusion(timeline: &Timeline) -> Option<Problem> {
    let cause = timeline.root_cause()?;
    let title = match (cause.state.as_str(), timeline.status()) {
        ("", Some(Status::Aborted)) => "It was stopped from outside".to_owned(),
        ("", Some(Status::TimedOut)) => "It took longer than its TimeoutSeconds".to_owned(),
        ("", _) => "It failed outside of any state".to_owned(),
        (state, _) => format!("{state} is where it failed"),
    };
    let parts: Vec<&str> = [cause.error.as_deref(), cause.cause.as_deref()].into_iter().flatten().collect();
    let hint = "`ward workflows show` tells the whole run, `ward logs` the function's part";
    Some(Problem::new(title).detail(parts.join("\n")).hint(hint))
}

/// Prints what is known of an execution: what it was given, what it gave, how each state went.
pub async fn show(cx: &Context, out: &mut Output, aws: &Aws, arn: &str) -> Result<Exit, Problem> {
    refuse_express(arn)?;
    let execution = aws.states.describe_execution(arn).await?;
    let mut timeline = Timeline::new();
    let mut token = None;
    loop {
        let page = aws.states.get_execution_history(arn, false, token, 1000).await?;
        timeline.extend(&page.items);
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    let now = chrono::Utc::now();
    let states: Vec<Value> = timeline
        .visits()
        .iter()
        .map(|visit| {
            serde_json::json!({
                "state": visit.name,
                "status": visit.standing.word(),
                "entered": visit.entered.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
                "seconds": visit.duration(now).num_milliseconds() as f64 / 1000.0,
                "retries": visit.retries(),
                "error": visit.error,
                "cause": visit.cause,
            })
        })
        .collect();
    let status = execution.status;
    let started = stamp(cx, out, execution.started);
    let stopped = execution.stopped.map(|at| stamp(cx, out, at));
    let span = execution.stopped.unwrap_or(now) - execution.started;
    // Seconds as a number, for scripts; `workflows list` does likewise.
    let duration = match out.format() {
        Format::Table => Value::from(units::duration(span)),
        _ => Value::from(span.num_milliseconds() as f64 / 1000.0),
    };
    let value = |value: Value| Member::Value(value);
    let mut members: Vec<(&str, Member)> = vec![
        ("execution_arn", value(execution.arn.into())),
        ("status", value(status.as_str().into())),
        ("started", value(started.into())),
        ("stopped", value(stopped.into())),
        ("duration", value(duration)),
        ("redrives", value(execution.redrives.into())),
        ("input", Member::of(execution.input)),
        ("output", Member::of(execution.output)),
        ("error", value(execution.error.into())),
        ("cause", value(execution.cause.into())),
    ];
    if out.format() != Format::Table {
        members.push(("states", value(Value::Array(states))));
        out.members(&members);
    } else {
        members.retain(|(_, member)| *member != Member::Value(Value::Null));
        out.members(&members);
        out.text("");
        let columns = [
            Column::text("state"),
            Column::text("status"),
            Column::text("duration"),
            Column::number("retries"),
            Column::text("error"),
        ];
        let rows: Vec<Vec<Value>> = timeline
            .visits()
            .iter()
            .map(|visit| {
                vec![
                    visit.name.clone().into(),
                    visit.standing.word().into(),
                    units::duration(visit.duration(now)).into(),
                    visit.retries().into(),
                    visit.error.clone().into(),
                ]
            })
            .collect();
        out.rows(&columns, &rows);
    }
    Ok(match status {
        Status::Failed | Status::TimedOut | Status::Aborted => Exit::No,
        _ => Exit::Done,
    })
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
