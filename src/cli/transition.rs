//! One transition of an execution, as all ways of watching print it: a line for people, a row for programs.

use chrono::SecondsFormat;
use serde_json::Value;

use super::output::{Column, Format, Output};
use crate::domain::execution::{HistoryEvent, machine_of, name_of};
use crate::domain::timeline::Timeline;

/// Prints an event that the timeline knows, where it is one to print: programs get every event, people those
/// that are a transition. `clock` is its time as people read it; `named` tells whose it is, where several
/// executions are watched.
pub fn print(
    out: &mut Output,
    clock: &str,
    arn: &str,
    named: bool,
    timeline: &Timeline,
    event: &HistoryEvent,
) {
    let line = timeline.line(event);
    if out.format() == Format::Table && line.is_none() {
        return;
    }
    let state = timeline.owner(event.id).map(|visit| timeline.visits()[visit].name.clone());
    let columns = [
        Column::text("at"),
        Column::text("execution_arn"),
        Column::number("id"),
        Column::text("type"),
        Column::text("state"),
        Column::text("line"),
        Column::text("details"),
    ];
    let row: [Value; 7] = [
        event.at.to_rfc3339_opts(SecondsFormat::Millis, true).into(),
        arn.into(),
        event.id.into(),
        event.kind.clone().into(),
        state.into(),
        line.clone().into(),
        event.details.clone(),
    ];
    let whose = if named { format!("{}  ", full_name(arn)) } else { String::new() };
    out.event(&columns, &row, &format!("{clock}  {whose}{}", line.unwrap_or_default()));
}

/// `machine / name`
pub fn full_name(arn: &str) -> String {
    format!("{} / {}", machine_of(arn), name_of(arn))
}
