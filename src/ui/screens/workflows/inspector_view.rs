//! How the inspector looks: what the selected state or event is, its tabs, the document under them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use serde_json::Value;

use crate::domain::text::shown;
use crate::domain::units;
use crate::ui::action::Action;
use crate::ui::areas;
use crate::ui::keymap::Context;
use crate::ui::screens::workflows::inspect;
use crate::ui::screens::workflows::run::{Pane, Run, View};
use crate::ui::screens::workflows::run_view;
use crate::ui::theme::Role;
use crate::ui::widgets::graph::badge_of;
use crate::ui::widgets::graph::shape::definition_of;
use crate::ui::widgets::{middle, put, put_right, row};
use crate::ui::world::World;

pub fn draw(run: &Run, world: &World, buffer: &mut Buffer, area: Rect) {
    let focused = run.pane == Pane::Inspector;
    if run.view == View::Events {
        event(run, world, buffer, area);
    } else {
        state(run, world, buffer, area);
        tabs(run, world, buffer, area);
    }
    // The main pane has the field, unless this one is alone.
    let alone = areas::panes(world.body(), focused).list.is_none();
    if let Some(line) = row(area, 4).filter(|_| alone) {
        run_view::search(run, world, buffer, line, line.x);
    }
    let below = run.document_area(world);
    run.document.draw(world, buffer, below, focused);
    if focused && area.height > 12 {
        let last = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area };
        let path = middle(&shown(&run.document.path()), usize::from(last.width));
        put(buffer, last, last.x, &path, world.theme.style(Role::Dim));
    }
}

fn event(run: &Run, world: &World, buffer: &mut Buffer, area: Rect) {
    let theme = &world.theme;
    let event = run.event.and_then(|id| run.timeline.event(id));
    let (Some(first), Some(event)) = (row(area, 0), event) else { return };
    let focused = run.pane == Pane::Inspector;
    put(buffer, first, first.x, &format!("Event {}", event.id), theme.title(focused));
    if let Some(line) = row(area, 1) {
        let x = put(buffer, line, line.x, &shown(&event.kind), theme.style(Role::Text));
        let from = match event.previous {
            0 => String::new(),
            previous => format!("after {previous}"),
        };
        put(buffer, line, x + 2, &from, theme.style(Role::Dim));
    }
    if let (Some(line), Some(text)) = (row(area, 2), run.timeline.line(event)) {
        put(buffer, line, line.x, &shown(&text), theme.style(Role::Dim));
    }
}

fn state(run: &Run, world: &World, buffer: &mut Buffer, area: Rect) {
    let theme = &world.theme;
    let state = run.state.as_deref().unwrap_or_default();
    let visit = run.visit();
    if let Some(line) = row(area, 0) {
        let x = put(buffer, line, line.x, &shown(state), theme.title(run.pane == Pane::Inspector));
        let visits = run.timeline.visits_of(state).len();
        if let Some(visit) = visit.filter(|_| visits > 1) {
            let place = units::grouped(visit.number as i64 + 1);
            let text = format!("{place} of {}  [ ] turns", units::grouped(visits as i64));
            put(buffer, line, x + 2, &text, theme.style(Role::Dim));
        }
    }
    if let Some(line) = row(area, 1) {
        let definition = definition_of(&run.machine, state);
        let text = |key: &str| {
            definition.and_then(|d| d.get(key)).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let x = put(buffer, line, line.x, &text("Type"), theme.style(Role::Text));
        let key = world.keymap.keys_of(&[Context::Workflows, Context::Global], Action::Answer);
        let answer = key.filter(|_| run.token().is_some()).map(|key| format!("{key} answers it"));
        let right = answer.as_ref().map_or(0, |text| text.len() as u16 + 2);
        let room = usize::from(line.right().saturating_sub(x + 2 + right));
        let x = put(buffer, line, x + 2, &middle(&shown(&text("Resource")), room), theme.style(Role::Dim));
        if let Some(text) = answer {
            put(buffer, line, x + 2, &text, theme.style(Role::Active));
        }
    }
    if let (Some(line), Some(visit)) = (row(area, 2), visit) {
        let badge = badge_of(visit);
        let x = put(buffer, line, line.x, badge.glyph(world), theme.style(badge.role));
        let x = put(buffer, line, x + 1, visit.standing.word(), theme.style(badge.role));
        let open = visit.exited.is_none();
        let span = visit.duration(world.now);
        let span = if open { units::clock(span) } else { units::duration(span) };
        let within = visit.scope.map(|scope| format!("  item {}", scope.index)).unwrap_or_default();
        let text = format!("{span}{within}  entered {}", world.zone().clock_millis(visit.entered));
        put(buffer, line, x + 2, &text, theme.style(Role::Dim));
    }
}

/// The tabs; where they do not all fit, those around the present one.
fn tabs(run: &Run, world: &World, buffer: &mut Buffer, area: Rect) {
    let Some(line) = row(area, 3) else { return };
    let tabs = inspect::tabs(run);
    let shown = inspect::in_sight(&tabs, run.tab, line.width);
    let dim = world.theme.style(Role::Dim);
    let mut x = line.x;
    if shown.start > 0 {
        x = put(buffer, line, x, if world.ascii { "< " } else { "‹ " }, dim);
    }
    if shown.end < tabs.len() {
        put_right(buffer, line, if world.ascii { " >" } else { " ›" }, dim);
    }
    for tab in tabs.into_iter().take(shown.end).skip(shown.start) {
        let style = world.theme.style(if tab == run.tab { Role::Strong } else { Role::Dim });
        let style = if tab == run.tab { style.add_modifier(Modifier::UNDERLINED) } else { style };
        x = put(buffer, line, x, tab.title(), style) + 2;
    }
}
