//! The lines of the overview, made from what is known.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chrono::{Datelike, Months, NaiveDate, TimeDelta};

use crate::domain::execution::Status;
use crate::domain::expiry::{self, Tier};
use crate::domain::query::QueryState;
use crate::domain::text::shown;
use crate::domain::units;
use crate::ui::remote::{Remote, Stand};
use crate::ui::route::{Route, Screen};
use crate::ui::screens::overview::{COLUMNS, Model, is_narrow};
use crate::ui::theme::Role;
use crate::ui::widgets::badge::Badge;
use crate::ui::world::{Facilities, World};

/// Months of the bar chart.
const MONTHS: u32 = 18;
/// Runs shown.
const RUNS: usize = 6;
/// Failures shown.
const FAILURES: usize = 5;

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    Heading(&'static str),
    /// Says something, opens nothing.
    Note(Role, String),
    Blank,
    /// A status, what it is about, and what belongs to it at the right.
    Item {
        badge: Badge,
        label: String,
        right: String,
        since: Option<chrono::DateTime<chrono::Utc>>,
        route: Route,
    },
    /// A label, a bar of a share (0 to 1), a number.
    Bar {
        label: String,
        share: f64,
        number: usize,
        role: Role,
        route: Route,
    },
}

impl Line {
    /// What `enter` opens; `None` cannot be selected.
    pub fn route(&self) -> Option<&Route> {
        match self {
            Line::Item { route, .. } | Line::Bar { route, .. } => Some(route),
            Line::Heading(_) | Line::Note(..) | Line::Blank => None,
        }
    }
}

/// All columns.
pub fn lines(model: &Model, world: &World) -> [Vec<Line>; COLUMNS] {
    let mut left = Vec::new();
    let (mut months_column, mut states_column) = (Vec::new(), Vec::new());
    left.push(Line::Heading("Accreditations"));
    match world.facilities.value() {
        Some(all) if all.entries.is_empty() => {
            let place = format!("No facility record in s3://{}/{}", world.setup.bucket, world.setup.prefix);
            left.push(Line::Note(Role::Text, shown(&place).into_owned()));
            left.push(Line::Note(Role::Dim, "`ward data upload` puts some there".to_string()));
        }
        Some(all) => {
            left.extend(stale(&world.facilities, world));
            tiers(&mut left, all, world.as_of);
            months(&mut months_column, all, world.as_of);
            states(&mut states_column, all);
        }
        None => left.push(waiting(&world.facilities, "Reading the facilities")),
    }
    left.push(Line::Blank);
    runs(&mut left, model, world);
    failures(&mut left, model, world);
    data(&mut left, world);
    if is_narrow(world.body()) && !states_column.is_empty() {
        months_column.push(Line::Blank);
        months_column.append(&mut states_column);
    }
    [left, months_column, states_column]
}

/// What is shown is not of now: it could not be asked again.
fn stale<T>(remote: &Remote<T>, world: &World) -> Option<Line> {
    let (Stand::Failed { .. }, Some(at)) = (remote.stand(), remote.at()) else { return None };
    Some(Line::Note(Role::Bad, format!("as known {}: r asks again", units::ago(at, world.now))))
}

/// Whether nothing is left to be told that was not told before.
fn is_known<T>(remote: &Remote<T>) -> bool {
    remote.value().is_some() || !remote.is_waiting()
}

fn waiting<T>(remote: &Remote<T>, what: &str) -> Line {
    match remote.stand() {
        Stand::Failed { problem, .. } => Line::Note(Role::Bad, shown(&problem.title).into_owned()),
        Stand::Loading(done, total) if total > 0 => {
            Line::Note(Role::Active, format!("{what}  {done} of {total}"))
        }
        Stand::Loading(..) => Line::Note(Role::Active, what.to_string()),
        Stand::Idle | Stand::Here { .. } => Line::Blank,
    }
}

fn facilities(filter: String) -> Route {
    Route::new(Screen::Facilities).filter(filter)
}

fn tiers(lines: &mut Vec<Line>, all: &Facilities, as_of: NaiveDate) {
    let mut counts: BTreeMap<Tier, usize> = Tier::ALL.into_iter().map(|tier| (tier, 0)).collect();
    for (_, facility) in &all.entries {
        *counts.entry(expiry::facility_tier(facility, as_of).0).or_default() += 1;
    }
    for (tier, count) in counts {
        lines.push(Line::Item {
            badge: Badge::tier(tier),
            label: tier.as_str().to_string(),
            right: units::grouped(count as i64),
            since: None,
            route: facilities(format!("tier:{}", tier.as_str())),
        });
    }
}

/// Facilities with an accreditation that expires in the month, for each of the next months.
fn months(lines: &mut Vec<Line>, all: &Facilities, as_of: NaiveDate) {
    lines.push(Line::Heading("Expiries a month"));
    let Some(first) = as_of.with_day(1) else { return };
    let index =
        |date: NaiveDate| (date.year() - first.year()) * 12 + date.month() as i32 - first.month() as i32;
    let mut counts = [0_usize; MONTHS as usize];
    for (_, facility) in &all.entries {
        let mut seen = [false; MONTHS as usize];
        for date in facility.accreditations.iter().filter_map(|found| found.expiry) {
            if let Some(seen) = usize::try_from(index(date)).ok().and_then(|index| seen.get_mut(index)) {
                *seen = true;
            }
        }
        seen.iter().zip(&mut counts).filter(|(seen, _)| **seen).for_each(|(_, count)| *count += 1);
    }
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    for (at, count) in counts.into_iter().enumerate() {
        let Some(month) = first.checked_add_months(Months::new(at as u32)) else { break };
        let days = expiry::days_left(month, as_of);
        let role = Badge::tier(Tier::of_days(days.max(0))).role;
        let label = month.format("%Y-%m").to_string();
        let route = facilities(format!("month:{label}"));
        lines.push(Line::Bar { label, share: count as f64 / most as f64, number: count, role, route });
    }
}

fn states(lines: &mut Vec<Line>, all: &Facilities) {
    lines.push(Line::Heading("Facilities a state"));
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, facility) in &all.entries {
        if let Some(state) = &facility.state {
            *counts.entry(state).or_default() += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(state, count)| (Reverse(*count), *state));
    let most = counts.first().map_or(1, |(_, count)| *count);
    for (state, count) in counts {
        lines.push(Line::Bar {
            label: shown(state).into_owned(),
            share: count as f64 / most as f64,
            number: count,
            role: Role::Active,
            route: facilities(format!("state:\"{}\"", state.replace('"', ""))),
        });
    }
}

fn runs(lines: &mut Vec<Line>, model: &Model, world: &World) {
    lines.push(Line::Heading("Latest runs"));
    let Some(runs) = model.runs.value() else {
        let line = match (&model.machines.value(), model.machines.problem()) {
            (_, Some(problem)) => Line::Note(Role::Bad, shown(&problem.title).into_owned()),
            (Some(machines), _) if !machines.is_empty() && model.runs.awaited().is_none() => {
                Line::Note(Role::Dim, format!("No state machine {}", shown(&world.setup.state_machine)))
            }
            (Some(_), _) if model.runs.awaited().is_none() => {
                Line::Note(Role::Dim, "No state machine yet".to_string())
            }
            _ => Line::Note(Role::Active, "Asking for the runs".to_string()),
        };
        lines.extend([line, Line::Blank]);
        return;
    };
    lines.extend(stale(&model.machines, world).or_else(|| stale(&model.runs, world)));
    if runs.is_empty() {
        lines.push(Line::Note(Role::Dim, "No run yet: 4, then R starts one".to_string()));
    }
    for run in runs.iter().take(RUNS) {
        let end = run.stopped.unwrap_or(world.now);
        lines.push(Line::Item {
            badge: Badge::status(run.status),
            label: shown(&run.name).into_owned(),
            right: units::duration(end - run.started),
            since: Some(run.started),
            route: Route::new(Screen::Workflows).object(run.arn.clone()),
        });
    }
    lines.push(Line::Blank);
}

fn failures(lines: &mut Vec<Line>, model: &Model, world: &World) {
    lines.push(Line::Heading("Failed in the last 24 h"));
    let day = world.now - TimeDelta::hours(24);
    let mut failed = Vec::new();
    for run in model.runs.value().into_iter().flatten() {
        let at = run.stopped.unwrap_or(run.started);
        if matches!(run.status, Status::Failed | Status::TimedOut) && at >= day {
            let route = Route::new(Screen::Workflows).object(run.arn.clone());
            failed.push((at, Badge::status(run.status), format!("run {}", shown(&run.name)), route));
        }
    }
    for query in model.queries.value().into_iter().flatten() {
        let at = query.completed.or(query.submitted);
        if let (QueryState::Failed, Some(at)) = (query.state, at.filter(|at| *at >= day)) {
            let reason = query.reason.as_deref().unwrap_or("query");
            let label = shown(reason.lines().next().unwrap_or(reason)).into_owned();
            let route = Route::new(Screen::Queries).object(query.id.clone());
            failed.push((at, Badge::query(query.state), label, route));
        }
    }
    failed.sort_by_key(|(at, ..)| Reverse(*at));
    if failed.is_empty() {
        let runs_known = is_known(&model.machines) && is_known(&model.runs);
        let line = match (model.queries.problem(), model.queries.value()) {
            (Some(problem), _) => Line::Note(Role::Bad, shown(&problem.title).into_owned()),
            (None, Some(_)) if runs_known => Line::Note(Role::Dim, "Nothing".to_string()),
            _ => Line::Note(Role::Dim, "Not known yet".to_string()),
        };
        lines.push(line);
    }
    for (at, badge, label, route) in failed.into_iter().take(FAILURES) {
        lines.push(Line::Item { badge, label, right: String::new(), since: Some(at), route });
    }
    lines.push(Line::Blank);
}

/// How fresh the data is.
fn data(lines: &mut Vec<Line>, world: &World) {
    lines.push(Line::Heading("Data"));
    let Some(all) =
        world.facilities.value().filter(|all| !all.entries.is_empty() || !all.problems.is_empty())
    else {
        let text = if world.facilities.value().is_some() { "None" } else { "Not known yet" };
        lines.push(Line::Note(Role::Dim, text.to_string()));
        return;
    };
    let newest = all.entries.iter().filter_map(|(object, _)| object.modified).max();
    let count = units::grouped(all.entries.len() as i64);
    let badge = if all.problems.is_empty() { Badge::SUCCEEDED } else { Badge::CAUGHT };
    lines.push(Line::Item {
        badge,
        label: format!("{count} facilities, newest"),
        right: String::new(),
        since: newest,
        route: facilities(String::new()),
    });
    let read = world.facilities.at().filter(|_| world.facilities.problem().is_none());
    if let Some(at) = read.filter(|at| world.now - *at >= TimeDelta::minutes(1)) {
        lines.push(Line::Note(Role::Dim, format!("read {}: r reads again", units::ago(at, world.now))));
    }
    if !all.problems.is_empty() {
        let count = all.problems.len();
        let problems = if count == 1 { "one problem".to_string() } else { format!("{count} problems") };
        lines.push(Line::Note(Role::Warn, format!("{problems} in the records: ! shows more")));
    }
}
