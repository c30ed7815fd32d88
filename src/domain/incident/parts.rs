//! The parts of the story, one function each.

use std::collections::{BTreeSet, HashMap};

use chrono::TimeDelta;
use serde_json::Value;

use super::{Facts, Log, Part, Weight};
use crate::domain::difference;
use crate::domain::execution::{Status, machine_of, name_of};
use crate::domain::invocation::brief;
use crate::domain::json;
use crate::domain::log::LogLine;
use crate::domain::query::QueryState;
use crate::domain::timeline::{Kind, Outcome, Standing, Timeline, Visit, message, plain_words};
use crate::domain::units::{ago, duration, grouped};

/// Lines of an input, of a log and of differences at most; the inspector has the whole.
const LINES: usize = 24;

pub(super) fn title(facts: &Facts) -> String {
    let machine = machine_of(facts.arn);
    let span = facts.timeline.elapsed(facts.now).map(|span| format!(" after {}", duration(span)));
    let how = match facts.status {
        Status::TimedOut => "timed out",
        Status::Aborted => "was stopped",
        _ => "failed",
    };
    format!("{machine} / {} {how}{}", name_of(facts.arn), span.unwrap_or_default())
}

/// The state, the error in its own and in plain words, and what its cause says.
pub(super) fn cause(facts: &Facts) -> Part {
    let mut part = Part::new("Root cause");
    let found = facts.timeline.root_cause();
    let described = facts.execution;
    let state = found.as_ref().map(|cause| cause.state.as_str()).filter(|state| !state.is_empty());
    // What the execution ended with is not what happened in a state long before.
    let (error, cause) = match found {
        Some(found) => (found.error.clone(), found.cause.clone()),
        None => (described.and_then(|end| end.error.clone()), described.and_then(|end| end.cause.clone())),
    };
    let head = match (state, error.as_deref(), facts.status) {
        (Some(state), Some(error), _) => format!("{state}: {error}"),
        (Some(state), None, Status::TimedOut) => format!("{state} was running when the time was up"),
        (Some(state), None, _) => format!("It began in {state}, whose error is not recorded"),
        (None, Some(error), Status::Aborted) => format!("Stopped from outside: {error}"),
        (None, None, Status::Aborted) => "Stopped from outside, without a reason".to_owned(),
        (None, Some(error), _) => error.to_owned(),
        (None, None, Status::TimedOut) => "The execution took longer than its TimeoutSeconds".to_owned(),
        (None, None, _) => "No reason was given".to_owned(),
    };
    part.line(Weight::Bad, head);
    if let Some(words) = error.as_deref().and_then(|error| plain_words(error, cause.as_deref())) {
        part.line(Weight::Strong, words);
    }
    if let Some(text) = cause.as_deref() {
        explain(&mut part, text);
    }
    if state.is_none()
        && let Some(open) = interrupted(facts.timeline)
    {
        part.line(Weight::Text, format!("It was in {open} then"));
    }
    // A Fail state, or the notification before it, often ends what failed elsewhere.
    if let Some(end) = facts.timeline.error()
        && error.as_deref() != Some(&*end)
    {
        let said = facts.timeline.cause().as_deref().and_then(message).map(|text| format!(": {}", cut(text)));
        part.line(Weight::Dim, format!("The execution itself ended with {end}{}", said.unwrap_or_default()));
    }
    part
}

/// The beginning of a text that is not the point; JSON in it is none that is read here.
fn cut(mut text: String) -> String {
    const MOST: usize = 160;
    let json = text.find('{').filter(|at| *at > 0);
    let long = text.char_indices().nth(MOST).map(|(at, _)| at);
    if let Some(at) = json.into_iter().chain(long).min() {
        text.truncate(at);
        text.push('…');
    }
    text
}

/// The states that an outside end interrupted, a few of them.
fn interrupted(timeline: &Timeline) -> Option<String> {
    const MOST: usize = 3;
    let stopped = |visit: &&Visit| matches!(visit.standing, Standing::Aborted | Standing::TimedOut);
    let inner = |visit: &&Visit| !visit.kind.is_container();
    let mut names: Vec<&str> = Vec::new();
    for visit in timeline.visits().iter().filter(stopped).filter(inner) {
        if !names.contains(&visit.name.as_str()) {
            names.push(&visit.name);
        }
    }
    if names.is_empty() {
        names.extend(timeline.visits().iter().rev().find(stopped).map(|visit| visit.name.as_str()));
    }
    match &names[..] {
        [] => None,
        [one] => Some((*one).to_owned()),
        [all @ .., last] if all.len() < MOST => Some(format!("{} and {last}", all.join(", "))),
        some => Some(format!("{} and {} more states", some[..MOST].join(", "), some.len() - MOST)),
    }
}

/// A cause: its message, then a stack trace or the rest of its JSON.
fn explain(part: &mut Part, cause: &str) {
    if let Some(text) = message(cause) {
        part.line(Weight::Text, text);
    }
    let Ok(Value::Object(members)) = serde_json::from_str::<Value>(cause) else { return };
    for key in ["stackTrace", "trace", "stack"] {
        let Some(trace) = members.get(key) else { continue };
        let lines: Vec<String> = match trace {
            Value::Array(items) => items
                .iter()
                .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
                .collect(),
            Value::String(text) => vec![text.clone()],
            _ => continue,
        };
        for line in lines.iter().flat_map(|text| text.lines()).filter(|line| !line.trim().is_empty()) {
            part.line(Weight::Code, line.trim_end());
        }
    }
}

fn culprit<'a>(facts: &Facts<'a>) -> Option<&'a Visit> {
    let cause = facts.timeline.root_cause()?;
    facts.timeline.visits().get(cause.visit?)
}

/// How the items of a distributed map stand, and what one of those that failed says: the map itself tells no more
/// than that they were too many.
pub(super) fn items(facts: &Facts) -> Option<Part> {
    let items = facts.items?;
    let mut part = Part::new(format!("Items of {}", culprit(facts)?.name));
    if let Some(run) = items.run {
        let number = |count: u64| grouped(i64::try_from(count).unwrap_or(i64::MAX));
        let mut text = format!("{} of {} succeeded", number(run.succeeded), number(run.total));
        let others = [
            (run.failed, "failed"),
            (run.timed_out, "timed out"),
            (run.aborted, "aborted"),
            (run.running, "running"),
            (run.pending, "pending"),
        ];
        for (count, word) in others.into_iter().filter(|(count, _)| *count > 0) {
            text.push_str(&format!(", {} {word}", number(count)));
        }
        part.line(Weight::Text, text);
    }
    if let Some(failed) = items.failed {
        let error = failed.error.as_deref().unwrap_or("failed without an error's name");
        part.line(Weight::Strong, format!("{}: {error}", failed.name));
        if let Some(cause) = failed.cause.as_deref() {
            explain(&mut part, cause);
        }
    }
    (!part.lines.is_empty()).then_some(part)
}

/// When each attempt began, how long it took, how it ended, and how long the pause before it was.
pub(super) fn attempts(facts: &Facts) -> Option<Part> {
    // A task that was told of a failure succeeded itself: its attempts say nothing.
    let bad = |visit: &&Visit| visit.attempts.iter().any(|attempt| attempt.outcome != Outcome::Succeeded);
    let visit = culprit(facts).filter(bad)?;
    let mut part = Part::new(match visit.attempts.len() {
        1 => "One attempt".to_owned(),
        count => format!("{count} attempts"),
    });
    let mut last = None;
    for (i, attempt) in visit.attempts.iter().enumerate() {
        let end = attempt.ended.or(visit.exited);
        let span = end.map(|end| duration(end - attempt.scheduled)).unwrap_or_default();
        let how = match attempt.outcome {
            Outcome::Open => "cut short",
            Outcome::Succeeded => "succeeded",
            Outcome::Failed => "failed",
            Outcome::TimedOut => "timed out",
        };
        let pause = last.map(|last| match duration(attempt.scheduled - last) {
            pause if attempt.redriven => format!("  redriven {pause} later"),
            pause => format!("  after {pause}"),
        });
        let error = attempt.error.as_deref().map(|error| format!("  {error}")).unwrap_or_default();
        let at = (facts.clock)(attempt.scheduled);
        let pause = pause.unwrap_or_default();
        part.line(Weight::Text, format!("{}  {at}  {span:>8}  {how}{pause}{error}", i + 1));
        last = end;
    }
    Some(part)
}

pub(super) fn input(facts: &Facts) -> Option<Part> {
    let visit = culprit(facts)?;
    let input = facts.timeline.input_of(visit)?;
    let mut part = Part::new(format!("Input of {}", visit.name));
    quote(&mut part, &json::pretty(&input), LINES / 2);
    Some(part)
}

fn quote(part: &mut Part, text: &str, most: usize) {
    let count = text.lines().count();
    text.lines().take(most).for_each(|line| part.line(Weight::Code, line));
    if count > most {
        part.line(Weight::Dim, format!("… {} lines more", count - most));
    }
}

/// What Athena says of the query.
pub(super) fn query(facts: &Facts) -> Option<Part> {
    let query = facts.query?;
    let mut part = Part::new(format!("Athena query {}", query.id));
    let span = query.total_millis.map(|millis| format!(" after {}", duration(span_of(millis))));
    part.line(Weight::Text, format!("{}{}", query.state.as_str(), span.unwrap_or_default()));
    // The root cause may have said it already.
    let said = facts.timeline.root_cause().and_then(|cause| cause.cause.as_deref());
    if let Some(reason) = query.reason.as_deref().filter(|reason| Some(*reason) != said) {
        part.line(Weight::Strong, reason);
    }
    if query.state != QueryState::Succeeded {
        quote(&mut part, query.sql.trim(), LINES / 2);
    }
    Some(part)
}

fn span_of(millis: u64) -> TimeDelta {
    TimeDelta::try_milliseconds(i64::try_from(millis).unwrap_or(i64::MAX / 1000)).unwrap_or(TimeDelta::MAX)
}

pub(super) fn log(facts: &Facts) -> Option<Part> {
    let show = |part: &mut Part, lines: &[LogLine]| {
        let left_out = lines.len().saturating_sub(LINES);
        if left_out > 0 {
            part.line(Weight::Dim, format!("{left_out} lines before these"));
        }
        for line in &lines[left_out..] {
            let text = brief(line.text.trim_end(), facts.arn);
            part.line(Weight::Code, format!("{}  {text}", (facts.clock)(line.at)));
        }
    };
    match facts.log {
        Log::None => None,
        Log::Failed(problem) => {
            let mut part = Part::new("The function's log");
            part.line(Weight::Dim, problem.to_string());
            Some(part)
        }
        Log::Exact(group, lines) => {
            let mut part = Part::new(format!("{group} on this execution"));
            show(&mut part, lines);
            Some(part)
        }
        Log::Around(group, []) => {
            let mut part = Part::new(group);
            part.line(
                Weight::Dim,
                "It wrote nothing that names this execution, and nothing around that time",
            );
            Some(part)
        }
        Log::Around(group, lines) => {
            let mut part = Part::new(format!("{group} around that time"));
            part.line(Weight::Dim, "No line names this execution, so these may be of another one");
            show(&mut part, lines);
            Some(part)
        }
    }
}

/// Errors that were retried or caught before the end.
pub(super) fn caught(facts: &Facts) -> Option<Part> {
    let mut part = Part::new("Errors on the way");
    let cause = facts.timeline.root_cause().and_then(|cause| cause.visit);
    let visits = facts.timeline.visits();
    for (i, visit) in visits.iter().enumerate() {
        let Some(error) = facts.timeline.error_of(i) else { continue };
        let how = match visit.standing {
            Standing::Caught => match visit.next.and_then(|next| visits.get(next)) {
                Some(next) => format!("caught, went on to {}", next.name),
                None => "caught".to_owned(),
            },
            Standing::Succeeded => format!("succeeded after {} attempts", visit.attempts.len()),
            // The Fail state at the end is no error of its own.
            _ if Some(i) != cause && visit.standing.is_bad() && visit.kind != Kind::Fail => {
                "failed as well".to_owned()
            }
            _ => continue,
        };
        part.line(Weight::Text, format!("{}  {}: {error}, {how}", (facts.clock)(visit.entered), visit.name));
        if part.lines.len() > LINES {
            part.line(Weight::Dim, "…");
            break;
        }
    }
    (!part.lines.is_empty()).then_some(part)
}

/// The last execution that succeeded, and what was different then.
pub(super) fn before(facts: &Facts) -> Option<Part> {
    let mut part = Part::new("Last success");
    if facts.never {
        part.line(Weight::Text, "None: no execution that is still listed has succeeded");
        return Some(part);
    }
    let before = facts.before?;
    let run = before.execution;
    let span = run.stopped.map(|stopped| format!(", took {}", duration(stopped - run.started)));
    let when = ago(run.started, facts.now);
    part.line(Weight::Text, format!("{}  {when}{}", run.name, span.unwrap_or_default()));
    match (before.revision, facts.revision) {
        (Some(then), Some(now)) if then != now => {
            part.line(
                Weight::Strong,
                format!("The definition changed since: revision {then} then, {now} now"),
            );
        }
        (Some(_), Some(_)) => part.line(Weight::Dim, "Same definition"),
        _ => {}
    }
    let now = facts.timeline.input().map(String::from).or_else(|| facts.execution?.input.clone());
    let then = before.timeline.and_then(|timeline| timeline.input().map(String::from));
    if let Some((then, now)) = then.or_else(|| run.input.clone()).zip(now) {
        inputs(&mut part, &then, &now);
    }
    if let Some(timeline) = before.timeline {
        durations(&mut part, facts, timeline);
    }
    Some(part)
}

fn inputs(part: &mut Part, then: &str, now: &str) {
    let read = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
    let changes = difference::changes(&read(then), &read(now), LINES);
    if changes.is_empty() {
        part.line(Weight::Dim, "Same input");
        return;
    }
    part.line(Weight::Strong, "Its input was another, from then to now:");
    changes.iter().for_each(|change| part.line(Weight::Code, change.line(60)));
}

/// Time spent in each state then and now, where that differs.
fn durations(part: &mut Part, facts: &Facts, then: &Timeline) {
    let (old, new) = (spent(then, facts), spent(facts.timeline, facts));
    let mut seen = BTreeSet::new();
    let states = then.firsts().chain(facts.timeline.firsts()).map(|visit| visit.name.as_str());
    for state in states.filter(|state| seen.insert(*state)) {
        let text = match (old.get(state).copied(), new.get(state).copied()) {
            (Some(old), Some(new)) if similar(old, new) => continue,
            (Some(old), Some(new)) => format!("{} then, {} now", duration(old), duration(new)),
            (Some(old), None) => format!("{} then, not reached now", duration(old)),
            (None, Some(new)) => format!("not reached then, {} now", duration(new)),
            (None, None) => continue,
        };
        part.line(Weight::Text, format!("{state}: {text}"));
    }
}

/// What each state took of the time that the end had to wait for; of a state for which it never had to wait, its
/// longest stay.
fn spent<'a>(timeline: &'a Timeline, facts: &Facts) -> HashMap<&'a str, TimeDelta> {
    let mut spent: HashMap<&str, (bool, TimeDelta)> = HashMap::new();
    for (i, visit) in timeline.visits().iter().enumerate() {
        let (critical, took) = (timeline.is_critical(i), visit.duration(facts.now));
        let known = spent.entry(&visit.name).or_default();
        *known = match (critical, known.0) {
            (true, true) => (true, known.1 + took),
            (true, false) => (true, took),
            (false, true) => *known,
            (false, false) => (false, known.1.max(took)),
        };
    }
    spent.into_iter().map(|(name, (_, took))| (name, took)).collect()
}

/// Half as long again, and more than a fifth of a second: less is noise.
fn similar(a: TimeDelta, b: TimeDelta) -> bool {
    let (small, large) = (a.min(b).num_milliseconds(), a.max(b).num_milliseconds());
    large - small < 200 || large < small + small / 2
}
