//! An execution as lines: while it happens, and afterwards.

use futures::{StreamExt, pin_mut};
use serde_json::Value;

use super::context::Context;
use super::exit::Exit;
use super::output::{Column, Format, Output};
use super::query::stamp;
use crate::aws::{Aws, follow};
use crate::domain::execution::{HistoryEvent, Status};
use crate::domain::problem::Problem;
use crate::domain::timeline::Timeline;
use crate::domain::units;

/// Prints one line per transition as it happens; the exit status tells the outcome. Ctrl-C ends the
/// watching and leaves the execution running.
pub async fn watch(cx: &Context, out: &mut Output, aws: &Aws, arn: &str) -> Result<Exit, Problem> {
    let mut timeline = Timeline::new();
    let events = follow::execution(aws, arn);
    pin_mut!(events);
    loop {
        let answer = tokio::select! {
            answer = events.next() => answer,
            _ = tokio::signal::ctrl_c() => {
                out.say(&format!("Stopped watching; the execution runs on: `ward workflows watch {arn}`"));
                return Ok(Exit::Interrupted);
            }
        };
        match answer {
            None => break,
            Some(Ok(batch)) => {
                for event in &batch {
                    timeline.apply(event);
                    print(cx, out, &timeline, event);
                }
            }
            Some(Err(error)) if error.retry() => out.say(&format!("{}; trying again", error.problem())),
            Some(Err(error)) => return Err(error.problem()),
        }
        if out.closed() {
            return Ok(Exit::Done);
        }
    }
    conclude(out, &timeline);
    Ok(if timeline.status() == Some(Status::Succeeded) { Exit::Done } else { Exit::No })
}

fn conclude(out: &mut Output, timeline: &Timeline) {
    if let Some(cause) = timeline.root_cause() {
        let mut problem = Problem::new(format!("{} is where it failed", cause.state));
        let parts: Vec<&str> =
            [cause.error.as_deref(), cause.cause.as_deref()].into_iter().flatten().collect();
        problem = problem
            .detail(parts.join("\n"))
            .hint("`ward workflows show` tells the whole run, `ward logs` the function's part");
        out.problem(&problem);
    }
}

fn print(cx: &Context, out: &mut Output, timeline: &Timeline, event: &HistoryEvent) {
    let line = timeline.line(event);
    // For people the events that are no transition stay out; programs get every event.
    if out.format() == Format::Table && line.is_none() {
        return;
    }
    let state = timeline.owner(event.id).map(|visit| timeline.visits()[visit].name.clone());
    let columns = [
        Column::text("at"),
        Column::number("id"),
        Column::text("type"),
        Column::text("state"),
        Column::text("line"),
        Column::text("details"),
    ];
    let row: [Value; 6] = [
        event.at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true).into(),
        event.id.into(),
        event.kind.clone().into(),
        state.into(),
        line.clone().into(),
        event.details.clone(),
    ];
    let text = format!("{}  {}", cx.clock(event.at), line.unwrap_or_default());
    out.event(&columns, &row, &text);
}

/// Prints what is known of an execution: what it was given, what it gave, how each state went.
pub async fn show(cx: &Context, out: &mut Output, aws: &Aws, arn: &str) -> Result<Exit, Problem> {
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
    let duration = units::duration(execution.stopped.unwrap_or(now) - execution.started);
    let json = |text: Option<String>| {
        text.map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text))).unwrap_or_default()
    };
    let mut members: Vec<(&str, Value)> = vec![
        ("execution_arn", execution.arn.into()),
        ("status", status.as_str().into()),
        ("started", started.into()),
        ("stopped", stopped.into()),
        ("duration", duration.into()),
        ("redrives", execution.redrives.into()),
        ("input", json(execution.input)),
        ("output", json(execution.output)),
        ("error", execution.error.into()),
        ("cause", execution.cause.into()),
    ];
    if out.format() != Format::Table {
        members.push(("states", Value::Array(states)));
        out.object(&members);
    } else {
        members.retain(|(_, value)| !value.is_null());
        out.object(&members);
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
