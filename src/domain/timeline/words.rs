//! One line per transition, as `workflows watch` prints it and the events view shows it.

use super::{HistoryEvent, Timeline, Visit, member, message};
use crate::domain::units::duration;

pub(super) fn line(timeline: &Timeline, event: &HistoryEvent) -> Option<String> {
    let kind = event.kind.as_str();
    if let Some(what) = kind.strip_prefix("Execution") {
        return execution(timeline, event, what);
    }
    let visit = timeline.owner(event.id).map(|i| &timeline.visits()[i]);
    let name = visit.map_or("?", |visit| visit.name.as_str());
    if kind.ends_with("StateEntered") {
        return Some(format!("{name} entered"));
    }
    if kind.ends_with("StateExited") {
        let span = duration(visit?.duration(event.at));
        let verb = if visit?.failing { "caught its error, left after" } else { "succeeded in" };
        return Some(format!("{name} {verb} {span}"));
    }
    if let Some(what) = kind.strip_prefix("MapIteration") {
        let index = event.details.get("index").and_then(serde_json::Value::as_u64).unwrap_or(0);
        return Some(format!("{name} iteration {index} {}", what.to_lowercase()));
    }
    if kind.ends_with("StateAborted") {
        return Some(format!("{name} aborted"));
    }
    if kind.ends_with("Failed") || kind.ends_with("TimedOut") {
        return Some(failed(visit, name, event));
    }
    if kind.ends_with("Scheduled") {
        let mut until = visit?.attempts.iter().take_while(|attempt| attempt.event <= event.id);
        if until.clone().any(|attempt| attempt.event == event.id && attempt.redriven) {
            return Some(format!("{name} begins again"));
        }
        until.next();
        let retries = until.filter(|attempt| !attempt.redriven).count();
        return (retries > 0).then(|| format!("{name} retry {retries} begins"));
    }
    if kind == "MapStateStarted" {
        let length = event.details.get("length").and_then(serde_json::Value::as_u64)?;
        return Some(format!("{name} maps {length} item{}", if length == 1 { "" } else { "s" }));
    }
    None
}

fn execution(timeline: &Timeline, event: &HistoryEvent, what: &str) -> Option<String> {
    let span =
        timeline.started().map(|start| format!(" after {}", duration(event.at - start))).unwrap_or_default();
    Some(match what {
        "Started" => "execution started".to_owned(),
        "Succeeded" => format!("execution succeeded{span}"),
        "Failed" => format!("execution failed{span}{}", reason(event)),
        "TimedOut" => format!("execution timed out{span}{}", reason(event)),
        "Aborted" => format!("execution aborted{span}{}", reason(event)),
        "Redriven" => "execution redriven".to_owned(),
        _ => return None,
    })
}

fn failed(visit: Option<&Visit>, name: &str, event: &HistoryEvent) -> String {
    let verb = if event.kind.ends_with("TimedOut") { "timed out" } else { "failed" };
    let attempt = visit.map_or(1, |visit| attempt(visit, event));
    let tries = if attempt > 1 { format!(" (attempt {attempt})") } else { String::new() };
    format!("{name} {verb}{tries}{}", reason(event))
}

/// The attempt an event belongs to, from 1.
fn attempt(visit: &Visit, event: &HistoryEvent) -> usize {
    visit.attempts.iter().filter(|attempt| attempt.event <= event.id).count().max(1)
}

/// `: States.TaskFailed, what the cause says`
fn reason(event: &HistoryEvent) -> String {
    let mut text = String::new();
    if let Some(error) = member(event, "error") {
        text.push_str(": ");
        text.push_str(&error);
    }
    if let Some(cause) = member(event, "cause").as_deref().and_then(message) {
        text.push_str(if text.is_empty() { ": " } else { ", " });
        text.push_str(&cause);
    }
    text
}
