//! Walks back from the end of a failed execution to the state where its failure began.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::events::Events;
use super::visit::{Kind, Standing, Visit};
use super::{HistoryEvent, Picture, Status, member, message};

/// Where a failure began.
#[derive(Clone, Debug, PartialEq)]
pub struct RootCause {
    /// Index of the visit; `None` when the execution failed outside any state.
    pub visit: Option<usize>,
    /// Name of the state; empty without a visit.
    pub state: String,
    pub error: Option<String>,
    pub cause: Option<String>,
    /// What the cause says, on one line.
    pub message: Option<String>,
    pub at: DateTime<Utc>,
}

/// The end's own story is the chain of `previous` links. A Fail state reports what was caught before it; a
/// state entered from a catcher that itself fails came second. So: the nearest failure up the chain, then
/// from each Fail state or catcher's target on to the failure that led there.
pub(super) fn find(picture: &Picture, events: &Events) -> Option<RootCause> {
    let status = picture.status?;
    if !matches!(status, Status::Failed | Status::TimedOut | Status::Aborted) {
        return None;
    }
    let end = events.get(picture.end?)?;
    let first = match picture.owner.get(&end.previous) {
        _ if status == Status::Aborted => None,
        Some(&visit) => Some(visit),
        None => picture.visits.iter().rposition(|visit| visit.standing.is_bad()),
    };
    let direct = first.map(|visit| innermost(picture, events, end.previous, visit));
    let mut culprit = direct;
    // Every step goes to an earlier visit, so this ends.
    while let Some(before) = culprit.and_then(|visit| led_by(picture, events, visit)) {
        culprit = Some(before);
    }
    let Some(i) = culprit else {
        let text = |name| member(end, name).map(std::borrow::Cow::into_owned);
        let cause = text("cause");
        return Some(RootCause {
            visit: None,
            state: String::new(),
            error: text("error"),
            message: cause.as_deref().and_then(message),
            cause,
            at: end.at,
        });
    };
    if let Some(cause) = told_by(picture, events, i) {
        return Some(cause);
    }
    let visit = &picture.visits[i];
    let own = |name| member(end, name).map(std::borrow::Cow::into_owned).filter(|_| Some(i) == direct);
    let (mut error, mut cause) =
        (visit.error.clone().or_else(|| own("error")), visit.cause.clone().or_else(|| own("cause")));
    if error.is_none()
        && cause.is_none()
        && let Some((told, why)) = around(picture, i).find_map(|visit| caught(picture, events, visit))
    {
        (error, cause) = (Some(told), why);
    }
    Some(RootCause {
        visit: Some(i),
        state: visit.name.clone(),
        error,
        message: cause.as_deref().and_then(message),
        cause,
        at: visit
            .attempts
            .iter()
            .filter_map(|attempt| attempt.ended)
            .next_back()
            .or(visit.exited)
            .unwrap_or(visit.entered),
    })
}

/// The containers around a visit, the nearest first.
fn around(picture: &Picture, visit: usize) -> impl Iterator<Item = usize> {
    let out = |visit: &usize| picture.visits[*visit].scope.map(|scope| scope.container);
    std::iter::successors(out(&visit), out)
}

/// What a visit's catcher was told, error and cause. Neither the entry of a Fail state nor the failure of a
/// Parallel or a Map says it in the history; the catcher's output does, where it keeps it: an object of `Error`
/// and `Cause` ("Fallback states", Step Functions developer guide, "Handling errors in Step Functions workflows")
/// that was not in the input already.
pub(super) fn caught(picture: &Picture, events: &Events, visit: usize) -> Option<(String, Option<String>)> {
    let visit = &picture.visits[visit];
    let exit = events.get(visit.exited_event.filter(|_| visit.standing == Standing::Caught)?)?;
    let output: Value = serde_json::from_str(&member(exit, "output")?).ok()?;
    let entry = events.get(visit.entered_event);
    let input = entry.and_then(|entry| serde_json::from_str(&member(entry, "input")?).ok());
    let found = told(&output, input.as_ref(), DEEP)?;
    let text = |name: &str| found.get(name).and_then(Value::as_str).map(str::to_owned);
    Some((text("Error")?, text("Cause")))
}

/// Members of members that are looked at.
const DEEP: usize = 4;

fn told<'a>(output: &'a Value, input: Option<&Value>, deep: usize) -> Option<&'a Value> {
    let members = output.as_object().filter(|_| deep > 0 && Some(output) != input)?;
    if members.get("Error").is_some_and(Value::is_string)
        && members.keys().all(|key| key == "Error" || key == "Cause")
    {
        return Some(output);
    }
    members.iter().find_map(|(name, value)| told(value, input.and_then(|input| input.get(name)), deep - 1))
}

/// A container fails because of something inside: follows the links down to it.
fn innermost(picture: &Picture, events: &Events, mut event: i64, mut visit: usize) -> usize {
    while picture.visits[visit].kind.is_container() {
        let Some(before) = events.get(event).map(|e| e.previous).filter(|&before| before < event) else {
            break;
        };
        event = before;
        match picture.owner.get(&event) {
            Some(&owner) if owner != visit => {
                if picture.visits[owner].entered < picture.visits[visit].entered {
                    break;
                }
                visit = owner;
            }
            Some(_) => {}
            None => break,
        }
    }
    visit
}

/// The earlier failure that made the execution come to this visit.
fn led_by(picture: &Picture, events: &Events, visit: usize) -> Option<usize> {
    let mut event = picture.visits[visit].entered_from;
    let mut decided = false;
    loop {
        let before = *picture.owner.get(&event)?;
        let candidate = &picture.visits[before];
        if before < visit && candidate.standing == Standing::Caught {
            // Behind a Choice the execution might have gone on well: then the failure has to be spoken of.
            if decided && !speaks_of(&picture.visits[visit], candidate) {
                return None;
            }
            let end =
                candidate.exited_event.and_then(|exit| events.get(exit)).map_or(event, |exit| exit.previous);
            return Some(innermost(picture, events, end, before)).filter(|&found| found < visit);
        }
        // Only a Fail state stands for something that happened further back.
        if picture.visits[visit].kind != Kind::Fail {
            return None;
        }
        decided |= candidate.kind == Kind::Choice;
        event = events.get(event).map(|e| e.previous).filter(|&previous| previous < event)?;
    }
}

/// Whether a Fail state's error or cause names the error of a visit before it.
fn speaks_of(fail: &Visit, before: &Visit) -> bool {
    let Some(error) = before.error.as_deref() else { return false };
    let names = |text: &Option<String>| text.as_deref().is_some_and(|text| text.contains(error));
    names(&fail.error) || names(&fail.cause)
}

/// So many events are looked at before a Fail state.
const BACK: usize = 200;

/// Nothing failed on the way to a Fail state, but what a task asked after had: the Athena query that the task
/// before it was told of. Then that is where it began, in Athena's own words (`StateChangeReason` of
/// GetQueryExecution).
fn told_by(picture: &Picture, events: &Events, fail: usize) -> Option<RootCause> {
    if picture.visits[fail].kind != Kind::Fail {
        return None;
    }
    let mut next = picture.visits[fail].entered_from;
    for _ in 0..BACK {
        let event = events.get(next)?;
        let visit = picture.owner.get(&event.id).copied();
        if let (Some(i), Some(status)) = (visit, query_status(event)) {
            let error = match status.get("State")?.as_str()? {
                "FAILED" => "Athena query failed",
                "CANCELLED" => "Athena query cancelled",
                // The Fail state is about something else.
                _ => return None,
            };
            let reason = status.get("StateChangeReason").and_then(Value::as_str).map(str::to_owned);
            return Some(RootCause {
                visit: Some(i),
                state: picture.visits[i].name.clone(),
                error: Some(error.to_owned()),
                message: reason.as_deref().and_then(message),
                cause: reason,
                at: event.at,
            });
        }
        next = Some(event.previous).filter(|previous| *previous < event.id)?;
    }
    None
}

/// The status of the query that a task's answer describes.
fn query_status(event: &HistoryEvent) -> Option<Value> {
    let asked = event.kind == "TaskSucceeded" && member(event, "resourceType")? == "athena";
    let mut output: Value = serde_json::from_str(&member(event, "output").filter(|_| asked)?).ok()?;
    output.pointer_mut("/QueryExecution/Status").map(Value::take)
}
