//! A redrive: what it found halted, and which of that an event behind it goes on with.
//!
//! "Redrive behavior of individual states" in the Step Functions Developer Guide: tasks are scheduled anew and
//! waits begin anew, of an inline Map and of a Parallel those iterations and branches that failed or were
//! aborted, and containers go on around them. Each of these starts at the `ExecutionRedriven` event, so the
//! link back says nothing about where it belongs.

use super::events::Events;
use super::fold::{before, close_gap};
use super::visit::{Kind, Scope, Visit};
use super::{HistoryEvent, Picture};

/// Notes what a redrive can go on with: the last state of each flow that ended without an exit.
pub(super) fn halt(picture: &mut Picture) {
    picture.halted.clear();
    picture.holding.clear();
    let mut halted = vec![false; picture.visits.len()];
    for (i, visit) in picture.visits.iter().enumerate() {
        halted[i] = visit.standing.is_ended_badly()
            && visit.exited_event.is_none()
            && picture.tally.head(visit.scope) == Some(i)
            && visit.scope.is_none_or(|scope| halted[scope.container] && is_current(picture, visit, scope));
        if !halted[i] {
            continue;
        }
        picture.halted.insert(i);
        if let Some(scope) = visit.scope {
            picture.halted.remove(&scope.container);
        }
        if visit.kind == Kind::Parallel {
            picture.holding.push(i);
        }
    }
}

/// The halted visit that an event goes on with, when it is the redrive that led to it. Several that fit are
/// told apart by their input, or else taken in the order of their entry.
pub(super) fn taken_up(
    picture: &mut Picture,
    events: &Events,
    event: &HistoryEvent,
    fits: impl Fn(&Visit) -> bool,
) -> Option<usize> {
    if !follows_redrive(events, event) {
        return None;
    }
    let mut best: Option<(Likeness, usize)> = None;
    for &i in &picture.halted {
        let visit = &picture.visits[i];
        if !fits(visit) || visit.scope.is_some_and(|scope| !is_current(picture, visit, scope)) {
            continue;
        }
        let like = likeness(events, visit, event);
        if best.is_none_or(|(most, _)| like > most) {
            best = Some((like, i));
        }
        if like == Likeness::Same {
            break;
        }
    }
    let (_, i) = best?;
    picture.halted.remove(&i);
    let mut next = picture.visits[i].scope;
    while let Some(scope) = next {
        take_up_item(picture, scope);
        next = picture.visits[scope.container].scope;
    }
    Some(i)
}

/// Where a state belongs that a redrive enters for the first time: in an iteration that was stopped before
/// its first state, or else in a branch that had not begun.
pub(super) fn unbegun(picture: &mut Picture, events: &Events, event: &HistoryEvent) -> Option<Scope> {
    if !follows_redrive(events, event) {
        return None;
    }
    let empty = |scope: &Scope| {
        let head = picture.tally.head(Some(*scope)).map(|head| &picture.visits[head]);
        head.is_none_or(|head| !is_current(picture, head, *scope))
    };
    if let Some(scope) = picture.stopped_items.keys().copied().find(empty) {
        take_up_item(picture, scope);
        return Some(scope);
    }
    let container = picture.holding.last().copied()?;
    let parts = picture.visits[container].parts.get_or_insert_default();
    parts.started += 1;
    Some(Scope { container, index: parts.started - 1 })
}

/// An iteration that had failed or was stopped runs again: it is counted as such no longer. Says whether it
/// had been.
pub(super) fn take_up_item(picture: &mut Picture, scope: Scope) -> bool {
    let Some((event, failed)) = picture.stopped_items.remove(&scope) else { return false };
    let visit = &mut picture.visits[scope.container];
    // Of an earlier attempt of the whole Map.
    if visit.attempts.last().is_some_and(|attempt| attempt.event > event) {
        return false;
    }
    let parts = visit.parts.get_or_insert_default();
    let count = if failed { &mut parts.failed } else { &mut parts.aborted };
    *count = count.saturating_sub(1);
    true
}

/// Opens a visit that had ended, and all it runs in.
pub(super) fn reopen(picture: &mut Picture, i: usize, event: &HistoryEvent) {
    let mut next = Some(i);
    while let Some(i) = next {
        let visit = picture.change(i);
        next = visit.scope.map(|scope| scope.container);
        if visit.exited_event.is_none() && visit.kind != Kind::Fail {
            close_gap(visit, event.at);
        }
    }
}

fn follows_redrive(events: &Events, event: &HistoryEvent) -> bool {
    before(events, event).is_some_and(|before| before.kind == "ExecutionRedriven")
}

/// Whether a visit belongs to the newest attempt of its container.
fn is_current(picture: &Picture, visit: &Visit, scope: Scope) -> bool {
    let container = &picture.visits[scope.container];
    container.attempts.last().is_none_or(|attempt| attempt.event < visit.entered_event)
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    Other,
    /// The same resource.
    Alike,
    /// The same input or parameters as well.
    Same,
}

/// How much an event looks like the one that began the visit's work.
fn likeness(events: &Events, visit: &Visit, event: &HistoryEvent) -> Likeness {
    let enters = event.kind.ends_with("StateEntered");
    let began = if enters { Some(visit.entered_event) } else { visit.attempts.last().map(|a| a.event) };
    let Some(began) = began.and_then(|id| events.get(id)) else { return Likeness::Other };
    let same = |member: &str| began.details.get(member) == event.details.get(member);
    match (enters, same("resource")) {
        (true, _) if same("input") => Likeness::Same,
        (false, _) if began.details == event.details => Likeness::Same,
        (false, true) => Likeness::Alike,
        _ => Likeness::Other,
    }
}
