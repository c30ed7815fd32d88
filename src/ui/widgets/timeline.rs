//! An execution as bars over time: one row per visit, with retries, the pauses between them and waits to
//! tell apart at a glance.
//!
//! ```text
//!                              0 s            4.4 s           8.9 s
//!  ✔ InvokeLambdaFunction      ██░░░██
//!  ✔ WaitForQueryCompletion           ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒         5.00 s
//! ```

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use crate::domain::text::shown;
use crate::domain::timeline::{Kind, Timeline, Visit};
use crate::domain::units;
use crate::ui::theme::Role;
use crate::ui::widgets::graph::badge;
use crate::ui::widgets::{middle, put, put_right, row};
use crate::ui::world::World;

/// The bars to draw.
pub struct Bars<'a> {
    pub world: &'a World,
    pub timeline: &'a Timeline,
    /// The first visit shown.
    pub offset: usize,
    /// Index of the selected visit.
    pub selected: Option<usize>,
    pub focused: bool,
    /// When the wait that runs will end: visit and moment.
    pub until: Option<(usize, DateTime<Utc>)>,
}

/// Rows for visits in an area: all but the axis.
pub fn page(area: Rect) -> usize {
    usize::from(area.height.saturating_sub(1))
}

impl Widget for &Bars<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        let Some(start) = self.timeline.started() else { return };
        let visits = self.timeline.visits();
        let end = self.timeline.stopped().unwrap_or(self.world.now);
        let end = self.until.map_or(end, |(_, until)| end.max(until)).max(start + TimeDelta::milliseconds(1));
        let names = visits
            .iter()
            .map(|visit| shown(&visit.name).chars().count() as u16 + indent(visits, visit))
            .max()
            .unwrap_or(0);
        let names = (names + 5).min(area.width * 2 / 5);
        let bars = Rect { x: area.x + names, width: area.width.saturating_sub(names + 11), ..area };
        self.axis(buffer, bars, end - start);
        let scale = Scale { start, span: end - start, area: bars };
        for (i, visit) in visits.iter().enumerate().skip(self.offset) {
            let Some(line) = row(area, i - self.offset + 1) else { break };
            let selected = self.selected == Some(i);
            let style = |role| {
                if selected {
                    self.world.theme.selected(role, self.focused)
                } else {
                    self.world.theme.style(role)
                }
            };
            if selected {
                buffer.set_style(line, style(Role::Text));
                put(buffer, line, line.x, if self.world.ascii { ">" } else { "▌" }, style(Role::Accent));
            }
            let left = Rect { width: names.saturating_sub(1), ..line };
            let badge = badge(visit.standing);
            let x = put(
                buffer,
                left,
                left.x + 2 + indent(visits, visit),
                badge.glyph(self.world),
                style(badge.role),
            );
            let room = usize::from(left.right().saturating_sub(x + 1));
            put(buffer, left, x + 1, &middle(&shown(&visit.name), room), style(Role::Text));
            for (from, to, part) in
                parts(visit, self.world.now, self.until.filter(|(at, _)| *at == i).map(|(_, at)| at))
            {
                scale.draw(
                    buffer,
                    line,
                    (from, to),
                    part.glyph(self.world.ascii),
                    style(part.role(badge.role)),
                );
            }
            let span = visit.duration(self.world.now);
            let open = visit.exited.is_none();
            let text = if open { units::clock(span) } else { units::duration(span) };
            put_right(buffer, line, &text, style(if open { Role::Active } else { Role::Text }));
        }
    }
}

impl Bars<'_> {
    fn axis(&self, buffer: &mut Buffer, area: Rect, span: TimeDelta) {
        let Some(line) = row(area, 0) else { return };
        let style = self.world.theme.style(Role::Dim);
        put(buffer, line, line.x, "0 s", style);
        if line.width > 40 {
            put(buffer, line, line.x + line.width / 2, &units::duration(span / 2), style);
        }
        if line.width > 16 {
            put_right(buffer, line, &units::duration(span), style);
        }
    }
}

/// Two columns a level inside containers.
fn indent(visits: &[Visit], visit: &Visit) -> u16 {
    let mut depth = 0;
    let mut scope = visit.scope;
    while let Some(outer) = scope {
        depth += 2;
        scope = visits.get(outer.container).and_then(|container| container.scope);
    }
    depth.min(8)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Work,
    /// A failed attempt.
    Failed,
    /// Between two attempts.
    Pause,
    Wait,
    /// What is left of a wait.
    Ahead,
}

impl Part {
    fn glyph(self, ascii: bool) -> &'static str {
        match (self, ascii) {
            (Part::Work, false) => "█",
            (Part::Work, true) => "=",
            (Part::Failed, false) => "▚",
            (Part::Failed, true) => "x",
            (Part::Pause, false) => "░",
            (Part::Pause, true) => ".",
            (Part::Wait, false) => "▒",
            (Part::Wait, true) => "-",
            (Part::Ahead, false) => "·",
            (Part::Ahead, true) => ".",
        }
    }

    fn role(self, standing: Role) -> Role {
        match self {
            Part::Work => standing,
            Part::Failed => Role::Warn,
            Part::Pause | Part::Wait | Part::Ahead => Role::Quiet,
        }
    }
}

/// The stretches of a visit's bar, in order.
fn parts(
    visit: &Visit,
    now: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
) -> Vec<(DateTime<Utc>, DateTime<Utc>, Part)> {
    let end = visit.exited.unwrap_or(now);
    if visit.kind == Kind::Wait {
        let mut parts = vec![(visit.entered, end, Part::Wait)];
        parts.extend(until.filter(|until| *until > end).map(|until| (end, until, Part::Ahead)));
        return parts;
    }
    if visit.attempts.len() < 2 {
        return vec![(visit.entered, end, Part::Work)];
    }
    let mut parts = Vec::new();
    let mut at = visit.entered;
    for (i, attempt) in visit.attempts.iter().enumerate() {
        if attempt.scheduled > at {
            parts.push((at, attempt.scheduled, Part::Pause));
        }
        let last = i + 1 == visit.attempts.len();
        let over = if last { end } else { attempt.ended.unwrap_or(end) };
        parts.push((
            attempt.scheduled,
            over,
            if last && attempt.error.is_none() { Part::Work } else { Part::Failed },
        ));
        at = over;
    }
    parts
}

struct Scale {
    start: DateTime<Utc>,
    span: TimeDelta,
    area: Rect,
}

impl Scale {
    /// The column of a moment, within the area.
    fn column(&self, at: DateTime<Utc>) -> u16 {
        let total = self.span.num_milliseconds().max(1) as f64;
        let part = (at - self.start).num_milliseconds().max(0) as f64 / total;
        (part * f64::from(self.area.width)).round().min(f64::from(self.area.width)) as u16
    }

    fn draw(
        &self,
        buffer: &mut Buffer,
        line: Rect,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        glyph: &str,
        style: ratatui::style::Style,
    ) {
        let from = self.column(from).min(self.area.width.saturating_sub(1));
        // Even the shortest stretch can be seen.
        let to = self.column(to).max(from + 1).min(self.area.width);
        for x in from..to {
            put(
                buffer,
                Rect { x: self.area.x, width: self.area.width, ..line },
                self.area.x + x,
                glyph,
                style,
            );
        }
    }
}
