//! An execution drawn over its definition: each state with its standing, duration, retries and passes.
//! `shape.rs` reads the definition, `plan.rs` lays it out in rows; this draws what happened onto the plan.
//! `drawn.rs` draws it as a picture, for windows with room.

pub mod drawn;
pub mod plan;
pub mod shape;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use crate::domain::execution::MapRun;
use crate::domain::text::shown;
use crate::domain::timeline::{Kind, Parts, Scope, Standing, StateNow, Timeline, Visit};
use crate::domain::units;
use crate::ui::remote::Remote;
use crate::ui::theme::Role;
use crate::ui::widgets::badge::Badge;
use crate::ui::widgets::{put, put_right, row};
use crate::ui::world::World;

use plan::{Guide, Plan, Row, Text};

/// A state changed this short a time ago: its row stands out once.
pub const FLASH: TimeDelta = TimeDelta::milliseconds(150);

/// The graph to draw.
pub struct Graph<'a> {
    pub world: &'a World,
    pub plan: &'a Plan,
    /// `None`: the definition alone.
    pub timeline: Option<&'a Timeline>,
    /// One branch or iteration: what is in its container shows how it went there.
    pub item: Option<Scope>,
    /// The first row shown.
    pub offset: usize,
    pub selected: Option<&'a str>,
    pub focused: bool,
    /// States that changed, with when the console learned of it.
    pub flashes: &'a BTreeMap<String, DateTime<Utc>>,
    /// Counts of Distributed Maps, by the map run's ARN.
    pub map_runs: &'a BTreeMap<String, Remote<MapRun>>,
}

/// What a standing is shown as.
pub fn badge(standing: Standing) -> Badge {
    match standing {
        Standing::NotReached => Badge::UNREACHED,
        Standing::Running => Badge::RUNNING,
        Standing::Retrying => Badge::RETRYING,
        Standing::Succeeded => Badge::SUCCEEDED,
        Standing::Caught => Badge::CAUGHT,
        Standing::Failed => Badge::FAILED,
        Standing::TimedOut => Badge::TIMED_OUT,
        Standing::Aborted => Badge::ABORTED,
    }
}

/// What one stay in a state is shown as.
pub fn badge_of(visit: &Visit) -> Badge {
    let waits = visit.kind == Kind::Wait && visit.standing == Standing::Running;
    if waits { Badge::WAITING } else { badge(visit.standing) }
}

/// What a state of some kind is shown as.
pub(super) fn mark(kind: &str, now: &StateNow) -> Badge {
    if kind == "Wait" && now.standing == Standing::Running { Badge::WAITING } else { badge(now.standing) }
}

pub(super) fn weight(standing: Standing) -> Role {
    match standing {
        Standing::NotReached => Role::Dim,
        Standing::Running | Standing::Retrying | Standing::Failed | Standing::TimedOut => Role::Strong,
        _ => Role::Text,
    }
}

/// Items or branches.
#[derive(Clone, Copy, Default)]
struct Count {
    succeeded: u64,
    running: u64,
    failed: u64,
    aborted: u64,
    total: Option<u64>,
}

impl Count {
    /// `4 of 10, 2 running, 1 failed`: the first number is of those that succeeded.
    fn fact(self) -> (String, Role) {
        let number = |count: u64| units::grouped(i64::try_from(count).unwrap_or(i64::MAX));
        let mut text = match self.total {
            Some(total) => format!("{} of {}", number(self.succeeded), number(total)),
            None => format!("{} done", number(self.succeeded)),
        };
        let others = [(self.running, "running"), (self.failed, "failed"), (self.aborted, "aborted")];
        for (count, word) in others.into_iter().filter(|(count, _)| *count > 0) {
            text.push_str(&format!(", {} {word}", number(count)));
        }
        (text, if self.failed > 0 { Role::Bad } else { Role::Dim })
    }
}

/// The first row to show so that `row` is visible, moving as little as possible.
pub fn offset_for(offset: usize, row: usize, len: usize, height: usize) -> usize {
    let height = height.max(1);
    let lowest = (row + 1).saturating_sub(height);
    offset.clamp(lowest, row.max(lowest)).min(len.saturating_sub(height))
}

impl Widget for &Graph<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        for (i, line) in self.plan.rows.iter().skip(self.offset).enumerate() {
            let Some(area) = row(area, i) else { break };
            self.line(buffer, area, line);
        }
    }
}

impl Graph<'_> {
    fn line(&self, buffer: &mut Buffer, area: Rect, line: &Row) {
        let theme = &self.world.theme;
        let selected = line.name().is_some() && line.name() == self.selected;
        let style =
            |role: Role| if selected { theme.selected(role, self.focused) } else { theme.style(role) };
        if selected {
            buffer.set_style(area, style(Role::Text));
            put(buffer, area, area.x, if self.world.ascii { ">" } else { "▌" }, style(Role::Accent));
        }
        let mut x = area.x + 2;
        for guide in &line.guides {
            x = put(buffer, area, x, self.guide(*guide), style(Role::Rule)).max(x + 1);
        }
        match &line.text {
            Text::Link => {}
            Text::Jump { to, label, back } => {
                let arrow = match (self.world.ascii, back) {
                    (true, _) => "^ ",
                    (false, true) => "↺ ",
                    (false, false) => "↓ ",
                };
                x = put(buffer, area, x, arrow, style(Role::Dim));
                x = put(buffer, area, x, &shown(to), style(Role::Dim));
                self.label(buffer, area, x, label, style(Role::Dim));
            }
            Text::State { name, kind, label, catches, .. } => {
                self.state(buffer, area, x, (name, kind, label, catches), &style);
                if self.flashes(name) {
                    buffer.set_style(area, Style::new().add_modifier(Modifier::REVERSED));
                }
            }
        }
    }

    fn state(
        &self,
        buffer: &mut Buffer,
        area: Rect,
        x: u16,
        (name, kind, label, catches): (&str, &str, &str, &[String]),
        style: &dyn Fn(Role) -> Style,
    ) {
        let now = self.now(name);
        let badge = mark(kind, &now);
        let x = put(buffer, area, x, badge.glyph(self.world), style(badge.role));
        let weight = weight(now.standing);
        let facts = self.facts(&now);
        // Facts stand at the right edge, aligned from row to row; names give way to them.
        let width: u16 = facts.iter().map(|(text, _)| text.width() as u16 + 2).sum();
        let names = Rect { width: area.width.saturating_sub(width), ..area };
        let x = put(buffer, names, x + 1, &shown(name), style(weight));
        let x = self.label(buffer, names, x, label, style(Role::Dim));
        let caught = self.caught_by(&now, catches).filter(|_| now.standing == Standing::Caught);
        if let Some(to) = caught {
            put(buffer, names, x + 2, &format!("caught, to {}", shown(to)), style(Role::Warn));
        } else if !catches.is_empty() {
            // The ways that an error would take.
            let x = put(buffer, names, x + 2, Badge::CAUGHT.glyph(self.world), style(Role::Dim));
            let catchers = catches.join(", ");
            let catchers = shown(&catchers);
            if x + 1 + (catchers.width() as u16) <= names.right() {
                put(buffer, names, x + 1, &catchers, style(Role::Dim));
            }
        }
        let mut right = area;
        for (text, role) in facts.iter().rev() {
            put_right(buffer, right, text, style(*role));
            right.width = right.width.saturating_sub(text.width() as u16 + 2);
        }
    }

    /// How a state stands, in the item that is looked at where it belongs to one.
    pub(super) fn now(&self, name: &str) -> StateNow {
        let Some(timeline) = self.timeline else { return StateNow::default() };
        self.item.and_then(|item| timeline.now_in(name, item)).unwrap_or_else(|| timeline.now(name))
    }

    /// What stands at the right of a state: counts, passes and retries, then the duration in its column.
    pub(super) fn facts(&self, now: &StateNow) -> Vec<(String, Role)> {
        let Some((timeline, last)) = self.timeline.zip(now.last) else { return Vec::new() };
        let world = self.world;
        let visit = &timeline.visits()[last];
        let mut facts = Vec::new();
        if let Some(item) = self.item.filter(|item| {
            timeline.visits().get(item.container).is_some_and(|container| container.name == visit.name)
        }) {
            let word = if visit.kind == Kind::Parallel { "branch" } else { "item" };
            facts.push((format!("{word} {}", units::grouped(item.index as i64)), Role::Accent));
        }
        let run = visit.map_run.as_ref().and_then(|arn| self.map_runs.get(arn)?.value());
        if let Some(run) = run {
            let count = Count {
                succeeded: run.succeeded,
                running: run.running,
                failed: run.failed + run.timed_out,
                aborted: run.aborted,
                total: Some(run.total),
            };
            facts.push(count.fact());
        } else if let Some(parts) = visit.parts {
            let done = parts.succeeded + parts.failed + parts.aborted;
            // A distributed map's history says nothing of its items.
            if visit.map_run.is_some() {
                let total = parts.total.filter(|total| *total > 0);
                let total = total.map(|total| units::grouped(i64::try_from(total).unwrap_or(i64::MAX)));
                facts.extend(total.map(|total| (format!("{total} items"), Role::Dim)));
            } else if visit.kind == Kind::Parallel {
                facts.push(self.branches(timeline, last, parts.started));
            } else {
                let running = if visit.exited.is_none() { parts.started.saturating_sub(done) } else { 0 };
                let Parts { total, succeeded, failed, aborted, .. } = parts;
                facts.push(Count { succeeded, running, failed, aborted, total }.fact());
            }
        }
        if now.scopes > 1 {
            let failed = if now.failed > 0 { format!(", {} failed", now.failed) } else { String::new() };
            let running = if now.running > 0 { format!(", {} running", now.running) } else { String::new() };
            let times = if world.ascii { "x" } else { "×" };
            facts.push((format!("{}{times}{running}{failed}", units::grouped(now.scopes as i64)), Role::Dim));
        } else if now.visits > 1 {
            facts.push((format!("{} passes", now.visits), Role::Dim));
        }
        if now.retries > 0 || now.standing == Standing::Retrying {
            let (sign, times) = if world.ascii { ("r", "x") } else { ("↻", "×") };
            facts.push((format!("{sign} {}{times}", now.retries.max(1)), Role::Warn));
        }
        let span = visit.duration(world.now);
        let open = visit.exited.is_none();
        let text = if open { units::clock(span) } else { units::duration(span) };
        facts.push((format!("{text:>9}"), if open { Role::Active } else { Role::Text }));
        facts
    }

    /// How the branches of a Parallel stand. Its history does not say when one is done: that is so once it has
    /// left a state behind which nothing comes.
    fn branches(&self, timeline: &Timeline, container: usize, started: u64) -> (String, Role) {
        let parallel = &timeline.visits()[container];
        let shape = self.plan.shape_of(&parallel.name);
        let total = shape.map_or(0, |(_, branches)| branches as u64).max(started);
        if parallel.standing == Standing::Succeeded {
            return Count { succeeded: total, total: Some(total), ..Count::default() }.fact();
        }
        let mut count = Count { total: Some(total), ..Count::default() };
        for index in 0..started {
            let Some(head) = timeline.head(Scope { container, index }) else { continue };
            let visit = &timeline.visits()[head];
            let ends = || self.plan.shape_of(&visit.name).is_none_or(|(ends, _)| ends);
            match visit.standing {
                standing if standing.is_bad() => count.failed += 1,
                standing if standing.is_ended_badly() => count.aborted += 1,
                Standing::Succeeded if ends() => count.succeeded += 1,
                _ if parallel.exited.is_none() => count.running += 1,
                _ => {}
            }
        }
        count.fact()
    }

    /// The state that a caught state went to.
    fn caught_by<'b>(&self, now: &StateNow, catches: &'b [String]) -> Option<&'b str> {
        let timeline = self.timeline?;
        let after = timeline.visits().get(timeline.visits().get(now.last?)?.next?)?;
        catches.iter().find(|name| **name == after.name).map(String::as_str)
    }

    fn label(&self, buffer: &mut Buffer, area: Rect, x: u16, label: &str, style: Style) -> u16 {
        if label.is_empty() {
            return x;
        }
        put(buffer, area, x + 2, &format!("if {}", shown(label)).replace("if otherwise", "otherwise"), style)
    }

    pub(super) fn flashes(&self, name: &str) -> bool {
        !self.world.reduced_motion && self.flashes.get(name).is_some_and(|at| self.world.now - *at < FLASH)
    }

    fn guide(&self, guide: Guide) -> &'static str {
        match (guide, self.world.ascii) {
            (Guide::Blank, _) => "    ",
            (Guide::Pass, false) => "│   ",
            (Guide::Pass, true) => "|   ",
            (Guide::Fork, false) => "├─▶ ",
            (Guide::Fork, true) => "+-> ",
            (Guide::Last, false) => "└─▶ ",
            (Guide::Last, true) => "`-> ",
            (Guide::Inside, false) => "┊ ",
            (Guide::Inside, true) => ": ",
            (Guide::Caught, false) => "▲─▶ ",
            (Guide::Caught, true) => "!-> ",
        }
    }
}
