//! An execution as bars over time: one row per visit, with retries, the pauses between them and waits to
//! tell apart at a glance. What the end had to wait for is marked as the critical path.
//!
//! ```text
//!                              0 s            4.4 s           8.9 s
//!  ✔ InvokeLambdaFunction    ┃ ██░░░██
//!  ✔ WaitForQueryCompletion  ┃        ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒         5.00 s
//! ```

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use crate::domain::text::shown;
use crate::domain::timeline::{Kind, Outcome, Timeline, Visit};
use crate::domain::units;
use crate::ui::action::Action;
use crate::ui::theme::Role;
use crate::ui::widgets::graph::badge_of;
use crate::ui::widgets::{middle, put, put_right, row};
use crate::ui::world::World;

/// Which stretch of time is shown: all of it, or a part around a moment. Belongs in a screen's model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zoom {
    /// How often the whole was halved.
    level: u32,
    centre: Option<DateTime<Utc>>,
}

impl Zoom {
    const MOST: u32 = 16;

    /// Obeys a zooming or panning action; says whether it was one. `at` is where zooming in goes.
    pub fn act(
        &mut self,
        action: Action,
        (start, end): (DateTime<Utc>, DateTime<Utc>),
        at: Option<DateTime<Utc>>,
    ) -> bool {
        let (from, to) = self.window(start, end);
        let middle = from + (to - from) / 2;
        match action {
            Action::ZoomIn => {
                self.centre = Some(at.unwrap_or(middle));
                self.level = (self.level + 1).min(Zoom::MOST);
            }
            Action::ZoomOut => {
                self.centre = Some(middle);
                self.level = self.level.saturating_sub(1);
            }
            Action::ZoomAll => *self = Zoom::default(),
            Action::PanLeft => self.centre = Some(middle - (to - from) / 2),
            Action::PanRight => self.centre = Some(middle + (to - from) / 2),
            _ => return false,
        }
        true
    }

    pub fn is_whole(self) -> bool {
        self.level == 0
    }

    /// The stretch that is shown, within start and end.
    pub fn window(self, start: DateTime<Utc>, end: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
        let whole = (end - start).max(TimeDelta::milliseconds(1));
        if self.level == 0 {
            return (start, start + whole);
        }
        let span = (whole / (1 << self.level.min(Zoom::MOST))).max(TimeDelta::milliseconds(1));
        let latest = start + whole - span;
        let from = self.centre.map_or(start, |centre| centre - span / 2).min(latest).max(start);
        (from, from + span)
    }
}

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
    pub zoom: Zoom,
}

impl Widget for &Bars<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        let Some(start) = self.timeline.started() else { return };
        let visits = self.timeline.visits();
        let end = self.timeline.stopped().unwrap_or(self.world.now);
        let end = self.until.map_or(end, |(_, until)| end.max(until)).max(start + TimeDelta::milliseconds(1));
        // From all names, so that nothing jumps while scrolling.
        let width = |visit: &Visit| shown(&visit.name).width();
        let longest = self.timeline.firsts().map(width).max().unwrap_or(0);
        // Two columns of indentation, and the number of the item.
        let inner = if self.timeline.firsts().any(|visit| visit.scope.is_some()) { 8 } else { 0 };
        let names = ((longest + inner + 7) as u16).min(area.width / 2);
        let bars = Rect { x: area.x + names, width: area.width.saturating_sub(names + 11), ..area };
        let (from, to) = self.zoom.window(start, end);
        self.axis(buffer, area, bars, (from - start, to - start));
        let scale = Scale { start: from, span: to - from, area: bars };
        for (i, visit) in visits.iter().enumerate().skip(self.offset) {
            let Some(line) = row(area, i - self.offset + 1) else { break };
            self.visit(buffer, line, (i, visit), names, &scale);
        }
    }
}

impl Bars<'_> {
    fn visit(&self, buffer: &mut Buffer, line: Rect, (i, visit): (usize, &Visit), names: u16, scale: &Scale) {
        let selected = self.selected == Some(i);
        let theme = &self.world.theme;
        let style = |role| if selected { theme.selected(role, self.focused) } else { theme.style(role) };
        if selected {
            buffer.set_style(line, style(Role::Text));
            put(buffer, line, line.x, if self.world.ascii { ">" } else { "▌" }, style(Role::Accent));
        }
        let left = Rect { width: names.saturating_sub(3), ..line };
        let badge = badge_of(visit);
        let indent = indent(self.timeline.visits(), visit);
        let x = put(buffer, left, left.x + 2 + indent, badge.glyph(self.world), style(badge.role));
        let item = visit.scope.map(|scope| format!(" #{}", scope.index)).unwrap_or_default();
        let room = usize::from(left.right().saturating_sub(x + 1)).saturating_sub(item.len());
        let x = put(buffer, left, x + 1, &middle(&shown(&visit.name), room), style(Role::Text));
        put(buffer, left, x, &item, style(Role::Dim));
        if self.timeline.is_critical(i) {
            let mark = if self.world.ascii { "*" } else { "┃" };
            put(buffer, line, line.x + names.saturating_sub(2), mark, style(Role::Dim));
        }
        let until = self.until.filter(|(at, _)| *at == i).map(|(_, at)| at);
        let mut parts = worked(parts(visit, self.world.now, until), &visit.idle);
        // A pause ends in the column in which a short attempt begins: the attempt is what is to be seen.
        parts.sort_by_key(|(.., part)| *part != Part::Pause);
        for (from, to, part) in parts {
            scale.draw(buffer, line, (from, to), part.glyph(self.world.ascii), style(part.role(badge.role)));
        }
        let span = visit.duration(self.world.now);
        let open = visit.exited.is_none();
        let text = if open { units::clock(span) } else { units::duration(span) };
        put_right(buffer, line, &text, style(if open { Role::Active } else { Role::Text }));
    }

    fn axis(&self, buffer: &mut Buffer, whole: Rect, area: Rect, (from, to): (TimeDelta, TimeDelta)) {
        let (Some(line), Some(first)) = (row(area, 0), row(whole, 0)) else { return };
        let style = self.world.theme.style(Role::Dim);
        if !self.zoom.is_whole() {
            put(buffer, first, first.x + 2, "zoomed", self.world.theme.style(Role::Accent));
        }
        let text = |span: TimeDelta| {
            if span.is_zero() { "0 s".to_owned() } else { units::duration(span) }
        };
        put(buffer, line, line.x, &text(from), style);
        if line.width > 40 {
            put(buffer, line, line.x + line.width / 2, &text(from + (to - from) / 2), style);
        }
        if line.width > 16 {
            put_right(buffer, line, &text(to), style);
        }
    }
}

/// Two columns a level inside containers.
fn indent(visits: &[Visit], visit: &Visit) -> u16 {
    let mut depth = 0;
    let mut scope = visit.scope;
    while let Some(outer) = scope.filter(|_| depth < 8) {
        depth += 2;
        scope = visits.get(outer.container).and_then(|container| container.scope);
    }
    depth
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Work,
    /// A failed attempt.
    Failed,
    /// An attempt that ran into its time limit.
    TimedOut,
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
            (Part::TimedOut, false) => "⧖",
            (Part::TimedOut, true) => "t",
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
            Part::TimedOut => Role::Bad,
            Part::Pause | Part::Wait | Part::Ahead => Role::Quiet,
        }
    }
}

/// From, to, and what went on.
type Stretch = (DateTime<Utc>, DateTime<Utc>, Part);

/// The stretches of a visit's bar, in order.
fn parts(visit: &Visit, now: DateTime<Utc>, until: Option<DateTime<Utc>>) -> Vec<Stretch> {
    let end = visit.exited.unwrap_or(now);
    if visit.kind == Kind::Wait {
        let mut parts = vec![(visit.entered, end, Part::Wait)];
        parts.extend(until.filter(|until| *until > end).map(|until| (end, until, Part::Ahead)));
        return parts;
    }
    if visit.attempts.is_empty() || visit.kind.is_container() {
        return vec![(visit.entered, end, Part::Work)];
    }
    let mut parts = Vec::new();
    let mut at = visit.entered;
    for (i, attempt) in visit.attempts.iter().enumerate() {
        if attempt.scheduled > at {
            parts.push((at, attempt.scheduled, Part::Pause));
        }
        let last = i + 1 == visit.attempts.len();
        let over = attempt.ended.unwrap_or(end);
        let part = match attempt.outcome {
            Outcome::Open | Outcome::Succeeded => Part::Work,
            Outcome::Failed => Part::Failed,
            Outcome::TimedOut => Part::TimedOut,
        };
        parts.push((attempt.scheduled, over, part));
        at = over;
        // After a failed last attempt the next one is awaited, or nothing more came.
        if last && visit.exited.is_none() && attempt.ended.is_some() {
            parts.push((over, end, Part::Pause));
        }
    }
    parts
}

/// The stretches without those in which nothing ran: between the end of the execution and a redrive the bar
/// is empty.
fn worked(parts: Vec<Stretch>, idle: &[(DateTime<Utc>, DateTime<Utc>)]) -> Vec<Stretch> {
    idle.iter().fold(parts, |parts, (stopped, redriven)| {
        let cut = |(from, to, part): Stretch| {
            let apart = *redriven <= from || to <= *stopped;
            let pieces = if apart { [(from, to), (to, to)] } else { [(from, *stopped), (*redriven, to)] };
            let seen = move |i: usize, from, to| from < to || apart && i == 0;
            let left = pieces.into_iter().enumerate().filter(move |(i, (from, to))| seen(*i, *from, *to));
            left.map(move |(_, (from, to))| (from, to, part))
        };
        parts.into_iter().flat_map(cut).collect()
    })
}

struct Scale {
    start: DateTime<Utc>,
    span: TimeDelta,
    area: Rect,
}

impl Scale {
    /// The column of a moment, counted from the area's left; beyond it outside of the stretch.
    fn column(&self, at: DateTime<Utc>) -> i64 {
        let micros = |span: TimeDelta| span.num_microseconds().unwrap_or(i64::MAX) as f64;
        let part = micros(at - self.start) / micros(self.span).max(1.0);
        (part * f64::from(self.area.width)).round() as i64
    }

    fn draw(
        &self,
        buffer: &mut Buffer,
        line: Rect,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        glyph: &str,
        style: Style,
    ) {
        let width = i64::from(self.area.width);
        let from = self.column(from);
        // Even the shortest stretch can be seen.
        let to = self.column(to).max(from + 1);
        if to <= 0 || from > width || width == 0 {
            return;
        }
        let from = from.clamp(0, width - 1);
        for x in from..to.clamp(from + 1, width) {
            let field = Rect { x: self.area.x, width: self.area.width, ..line };
            put(buffer, field, self.area.x + x as u16, glyph, style);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::execution::HistoryEvent;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_767_225_600 + seconds, 0).unwrap()
    }

    /// Stopped after 2 s, redriven 11 minutes later, done 3 s after that; the first attempt had failed at once
    /// and was in back-off when it was stopped.
    #[test]
    fn the_time_before_a_redrive_is_no_part_of_a_bar() {
        let event = |id: i64, seconds: i64, kind: &str| HistoryEvent {
            id,
            previous: id - 1,
            at: at(seconds),
            kind: kind.to_owned(),
            details: serde_json::json!({"name": "Copy", "error": "E"}),
        };
        let mut timeline = Timeline::new();
        timeline.extend(&[
            event(1, 0, "ExecutionStarted"),
            event(2, 0, "TaskStateEntered"),
            event(3, 0, "TaskScheduled"),
            event(4, 1, "TaskFailed"),
            event(5, 2, "ExecutionAborted"),
            event(6, 662, "ExecutionRedriven"),
            event(7, 662, "TaskScheduled"),
            event(8, 665, "TaskSucceeded"),
            event(9, 665, "TaskStateExited"),
        ]);
        let visit = &timeline.visits()[0];
        assert_eq!(
            worked(parts(visit, at(700), None), &visit.idle),
            [(at(0), at(1), Part::Failed), (at(1), at(2), Part::Pause), (at(662), at(665), Part::Work),]
        );
        assert_eq!(visit.duration(at(700)), TimeDelta::seconds(5));
        assert_eq!(visit.retries(), 0);
    }

    #[test]
    fn zooming_halves_the_stretch_around_a_moment_and_stays_inside() {
        let (start, end) = (at(0), at(100));
        let mut zoom = Zoom::default();
        assert_eq!(zoom.window(start, end), (start, end));
        zoom.act(Action::ZoomIn, (start, end), Some(at(90)));
        assert_eq!(zoom.window(start, end), (at(50), at(100)));
        zoom.act(Action::PanLeft, (start, end), None);
        assert_eq!(zoom.window(start, end), (at(25), at(75)));
        zoom.act(Action::ZoomIn, (start, end), Some(at(0)));
        assert_eq!(zoom.window(start, end), (at(0), at(25)));
        zoom.act(Action::ZoomAll, (start, end), None);
        assert!(zoom.is_whole());
        assert!(!zoom.act(Action::Up, (start, end), None));
    }
}
