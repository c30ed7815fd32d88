//! Reads one event into the picture. Events are folded by rising id; `previous` links say which visit an
//! event belongs to, names and open visits help where a link leads nowhere (AWS links the first state to 0,
//! and the end of a container to one of its inner states).

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::events::Events;
use super::redrive::{self, reopen};
use super::visit::{Attempt, Kind, Outcome, Parts, Scope, Standing, Visit};
use super::{HistoryEvent, Picture, Status, member};

impl Picture {
    /// A visit that an event changes.
    pub(super) fn change(&mut self, i: usize) -> &mut Visit {
        self.changed.push(i);
        &mut self.visits[i]
    }
}

pub(super) fn fold(picture: &mut Picture, events: &Events, event: &HistoryEvent) {
    read(picture, events, event);
    for i in picture.changed.drain(..) {
        picture.tally.change(i, &picture.visits[i]);
    }
}

fn read(picture: &mut Picture, events: &Events, event: &HistoryEvent) {
    picture.last = picture.last.max(event.id);
    let kind = event.kind.as_str();
    if let Some(what) = kind.strip_prefix("Execution") {
        execution(picture, event, what);
    } else if let Some(state) = kind.strip_suffix("StateEntered") {
        enter(picture, events, event, Kind::of(state));
    } else if let Some(state) = kind.strip_suffix("StateExited") {
        exit(picture, event, Kind::of(state));
    } else if let Some(what) = kind.strip_prefix("MapIteration") {
        iteration(picture, event, what);
    } else if let Some((state, what)) = kind.split_once("State") {
        container(picture, events, event, Kind::of(state), what);
    } else {
        work(picture, events, event, kind);
    }
}

fn execution(picture: &mut Picture, event: &HistoryEvent, what: &str) {
    let (status, rest) = match what {
        "Started" => {
            picture.started = Some(event.at);
            picture.status.get_or_insert(Status::Running);
            return;
        }
        "Redriven" => {
            picture.redrives += 1;
            picture.status = Some(Status::Running);
            picture.stopped = None;
            picture.end = None;
            redrive::halt(picture);
            return;
        }
        "Succeeded" => (Status::Succeeded, Standing::Aborted),
        "Failed" => (Status::Failed, Standing::Aborted),
        "TimedOut" => (Status::TimedOut, Standing::TimedOut),
        "Aborted" => (Status::Aborted, Standing::Aborted),
        _ => return,
    };
    picture.status = Some(status);
    picture.stopped = Some(event.at);
    picture.end = Some(event.id);
    if status == Status::Failed {
        let mut next = picture.owner.get(&event.previous).copied().or_else(|| open(picture, |_| true));
        while let Some(i) = next {
            let visit = picture.change(i);
            next = visit.scope.map(|scope| scope.container);
            if visit.exited.is_none() || visit.kind == Kind::Fail {
                close(visit, event.at, Standing::Failed);
                blame(visit, event);
            }
        }
    }
    for i in picture.tally.open().clone() {
        let visit = picture.change(i);
        if visit.exited.is_none() {
            close(visit, event.at, if visit.failing { Standing::Failed } else { rest });
        }
    }
}

fn enter(picture: &mut Picture, events: &Events, event: &HistoryEvent, kind: Kind) {
    let name = member(event, "name").unwrap_or_default().into_owned();
    let resumed = redrive::taken_up(picture, events, event, |visit| visit.kind == kind && visit.name == name);
    let from = before(events, event);
    let owner = picture.owner.get(&event.previous).copied();
    let scope = match (owner, from.map(|from| from.kind.as_str())) {
        (_, Some("ExecutionRedriven")) => match resumed {
            Some(resumed) => picture.visits[resumed].scope,
            None => redrive::unbegun(picture, events, event),
        },
        (Some(container), Some("MapIterationStarted")) => {
            let index = picture.iteration.get(&event.previous).copied().unwrap_or(0);
            Some(Scope { container, index })
        }
        (Some(container), Some("ParallelStateStarted")) => {
            let parts = picture.visits[container].parts.get_or_insert_default();
            parts.started += 1;
            Some(Scope { container, index: parts.started - 1 })
        }
        (Some(owner), _) => picture.visits[owner].scope,
        (None, _) => None,
    };
    if let Some(scope) = scope {
        reopen(picture, scope.container, event);
    }
    let entered_from = resumed.map_or(event.previous, |resumed| picture.visits[resumed].entered_from);
    if let Some(resumed) = resumed {
        picture.visits[resumed].resumed = true;
        picture.tally.resume(resumed);
    }
    picture.owner.insert(event.id, picture.visits.len());
    let mut visit = Visit {
        name,
        kind,
        scope,
        entered: event.at,
        entered_event: event.id,
        entered_from,
        exited: None,
        exited_event: None,
        standing: Standing::Running,
        attempts: Vec::new(),
        parts: None,
        map_run: None,
        error: None,
        cause: None,
        number: 0,
        previous: None,
        next: None,
        failing: false,
        idle: Vec::new(),
        resumed: false,
    };
    if kind == Kind::Fail {
        close(&mut visit, event.at, Standing::Failed);
    }
    let i = picture.visits.len();
    let (before, number) = picture.tally.enter(i, &visit);
    (visit.previous, visit.number) = (before, number);
    picture.visits.push(visit);
    if let Some(before) = before {
        picture.visits[before].next = Some(i);
    }
}

fn exit(picture: &mut Picture, event: &HistoryEvent, kind: Kind) {
    let name = member(event, "name").unwrap_or_default();
    let Some(i) = find(picture, event, |visit| visit.kind == kind && visit.name == name) else { return };
    if let Some(variables) = event.details.get("assignedVariables") {
        picture.tally.assign(picture.visits[i].scope, event.id, variables);
    }
    let visit = picture.change(i);
    visit.exited_event = Some(event.id);
    let standing = if visit.failing { Standing::Caught } else { Standing::Succeeded };
    close(visit, event.at, standing);
    if standing == Standing::Succeeded {
        finish(visit, event.at, Outcome::Succeeded);
    }
}

fn iteration(picture: &mut Picture, event: &HistoryEvent, what: &str) {
    let name = member(event, "name").unwrap_or_default();
    let Some(i) = find(picture, event, |visit| visit.kind == Kind::Map && visit.name == name) else { return };
    let index = event.details.get("index").and_then(serde_json::Value::as_u64).unwrap_or(0);
    let scope = Scope { container: i, index };
    if what == "Started" {
        reopen(picture, i, event);
        picture.iteration.insert(event.id, index);
        if redrive::take_up_item(picture, scope) {
            return;
        }
    }
    let parts = picture.visits[i].parts.get_or_insert_default();
    match what {
        "Started" => parts.started += 1,
        "Succeeded" => parts.succeeded += 1,
        "Failed" => parts.failed += 1,
        "Aborted" => parts.aborted += 1,
        _ => {}
    }
    if matches!(what, "Failed" | "Aborted") {
        picture.stopped_items.insert(scope, (event.id, what == "Failed"));
        let standing = if what == "Failed" { Standing::Failed } else { Standing::Aborted };
        if let Some(inner) = picture.tally.head(Some(scope)) {
            let visit = picture.change(inner);
            if visit.exited.is_none() {
                close(visit, event.at, standing);
            }
        }
    }
}

/// `ParallelStateStarted`, `MapStateFailed`, `TaskStateAborted` and their like.
fn container(picture: &mut Picture, events: &Events, event: &HistoryEvent, kind: Kind, what: &str) {
    let again = match what {
        "Started" => redrive::taken_up(picture, events, event, |visit| visit.kind == kind),
        _ => None,
    };
    if let Some(again) = again {
        picture.owner.insert(event.id, again);
    }
    let Some(i) = again.or_else(|| find(picture, event, |visit| visit.kind == kind)) else { return };
    match what {
        "Started" => {
            reopen(picture, i, event);
            let visit = picture.change(i);
            begin(visit, event, None, again.is_some());
            let total = event.details.get("length").and_then(serde_json::Value::as_u64);
            visit.parts = Some(Parts { total, ..Parts::default() });
        }
        "Succeeded" => finish(picture.change(i), event.at, Outcome::Succeeded),
        "Failed" => {
            let inner = picture.owner.get(&event.previous).copied().filter(|&inner| inner != i);
            let known = inner.map(|v| (picture.visits[v].error.clone(), picture.visits[v].cause.clone()));
            let visit = picture.change(i);
            if let Some((error, cause)) = known {
                (visit.error, visit.cause) = (error, cause);
            } else if let Some(from) = before(events, event) {
                blame(visit, from);
            }
            fail(visit, event.at, Outcome::Failed);
            stop_inside(picture, i, event.at, inner);
        }
        "Aborted" => {
            let visit = picture.change(i);
            if visit.exited.is_none() {
                close(visit, event.at, if visit.failing { Standing::Failed } else { Standing::Aborted });
            }
        }
        _ => {}
    }
}

/// Events of the work inside a state: tasks, functions, activities, map runs, expressions.
fn work(picture: &mut Picture, events: &Events, event: &HistoryEvent, kind: &str) {
    let again = {
        let state = member(event, "state");
        let whose = if kind.starts_with("MapRun") { Kind::Map } else { Kind::Task };
        redrive::taken_up(picture, events, event, |visit| match &state {
            Some(state) => visit.name == *state,
            None => visit.kind == whose,
        })
    };
    let owner = match member(event, "state").filter(|_| kind == "EvaluationFailed") {
        Some(state) => open(picture, |visit| visit.name == state),
        None => picture.owner.get(&event.previous).copied(),
    };
    // A link into a gap: the newest Task still open is the best guess until the gap is filled.
    let owner = again.or(owner).or_else(|| open(picture, |visit| visit.kind == Kind::Task));
    let Some(i) = owner else { return };
    picture.owner.insert(event.id, i);
    let begins = ["TaskScheduled", "LambdaFunctionScheduled", "ActivityScheduled", "MapRunRedriven"];
    if again.is_some() || begins.contains(&kind) {
        reopen(picture, i, event);
    }
    let visit = picture.change(i);
    if let Some(arn) = member(event, "mapRunArn") {
        visit.map_run = Some(arn.into_owned());
    }
    let end = |suffix: &str| kind.ends_with(suffix);
    if end("ScheduleFailed") || end("StartFailed") || end("SubmitFailed") || end("Failed") || end("TimedOut")
    {
        blame(visit, event);
        if visit.attempts.last().is_none_or(|attempt| attempt.ended.is_some()) && kind != "MapRunFailed" {
            begin(visit, event, None, again.is_some());
        }
        fail(visit, event.at, if end("TimedOut") { Outcome::TimedOut } else { Outcome::Failed });
    } else if end("Scheduled") {
        let resource = member(event, "resource").map(std::borrow::Cow::into_owned);
        begin(visit, event, resource, again.is_some());
    } else if end("Started") {
        if let Some(attempt) = visit.attempts.last_mut() {
            attempt.started.get_or_insert(event.at);
        }
    } else if end("Succeeded") {
        finish(visit, event.at, Outcome::Succeeded);
    }
}

/// The visit an event speaks of: its predecessor's, or the nearest container of that which fits, or the
/// newest open one that fits. Remembers the answer as the event's owner.
fn find(picture: &mut Picture, event: &HistoryEvent, fits: impl Fn(&Visit) -> bool) -> Option<usize> {
    let mut next = picture.owner.get(&event.previous).copied();
    while let Some(i) = next.filter(|&i| !fits(&picture.visits[i])) {
        next = picture.visits[i].scope.map(|scope| scope.container);
    }
    let found = next.or_else(|| open(picture, fits))?;
    picture.owner.insert(event.id, found);
    Some(found)
}

/// The event that led to this one. A link that does not point backwards is none.
pub(super) fn before<'a>(events: &'a Events, event: &HistoryEvent) -> Option<&'a HistoryEvent> {
    events.get(event.previous).filter(|before| before.id < event.id).map(Arc::as_ref)
}

fn open(picture: &Picture, fits: impl Fn(&Visit) -> bool) -> Option<usize> {
    let open = |i: &usize| picture.visits[*i].exited.is_none() && fits(&picture.visits[*i]);
    picture.tally.open().iter().rev().copied().find(open)
}

/// A visit that had ended goes on after a redrive.
pub(super) fn close_gap(visit: &mut Visit, at: DateTime<Utc>) {
    let Some(stopped) = visit.exited.take() else { return };
    visit.idle.push((stopped, at));
    visit.standing = Standing::Running;
    visit.failing = false;
    match visit.attempts.last_mut() {
        // The attempt of a container goes on as well.
        Some(attempt) if visit.kind.is_container() => {
            *attempt =
                Attempt { ended: None, outcome: Outcome::Open, error: None, cause: None, ..attempt.clone() };
        }
        _ => finish(visit, stopped, Outcome::Open),
    }
}

fn begin(visit: &mut Visit, event: &HistoryEvent, resource: Option<String>, redriven: bool) {
    visit.failing = false;
    if visit.exited.is_none() {
        visit.standing = Standing::Running;
    }
    let started = visit.kind.is_container().then_some(event.at);
    visit.attempts.push(Attempt {
        event: event.id,
        scheduled: event.at,
        started,
        ended: None,
        outcome: Outcome::Open,
        resource,
        redriven,
        error: None,
        cause: None,
    });
}

fn finish(visit: &mut Visit, at: DateTime<Utc>, outcome: Outcome) {
    if let Some(attempt) = visit.attempts.last_mut().filter(|attempt| attempt.ended.is_none()) {
        attempt.ended = Some(at);
        attempt.outcome = outcome;
    }
}

fn fail(visit: &mut Visit, at: DateTime<Utc>, outcome: Outcome) {
    finish(visit, at, outcome);
    let (error, cause) = (visit.error.clone(), visit.cause.clone());
    if let Some(attempt) = visit.attempts.last_mut() {
        (attempt.error, attempt.cause) = (error, cause);
    }
    visit.failing = true;
    if visit.exited.is_none() {
        visit.standing = Standing::Retrying;
    }
}

fn blame(visit: &mut Visit, event: &HistoryEvent) {
    if let Some(error) = member(event, "error") {
        visit.error = Some(error.into_owned());
        visit.cause = member(event, "cause").map(std::borrow::Cow::into_owned);
    }
}

fn close(visit: &mut Visit, at: DateTime<Utc>, standing: Standing) {
    visit.exited.get_or_insert(at);
    visit.standing = standing;
}

/// When a container fails, what still ran inside it ends: the culprit failed, the others were stopped.
fn stop_inside(picture: &mut Picture, container: usize, at: DateTime<Utc>, culprit: Option<usize>) {
    for i in picture.tally.open().range(container + 1..).copied().collect::<Vec<_>>() {
        let mut scope = picture.visits[i].scope;
        while let Some(outer) = scope.filter(|scope| scope.container != container) {
            scope = picture.visits[outer.container].scope;
        }
        let visit = picture.change(i);
        if scope.is_some() && visit.exited.is_none() {
            let failed = visit.failing || culprit == Some(i);
            close(visit, at, if failed { Standing::Failed } else { Standing::Aborted });
        }
    }
}
