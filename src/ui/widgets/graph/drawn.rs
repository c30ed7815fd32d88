//! The picture of a machine with what happened drawn onto it: panned where it is larger than the window.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use crate::asl::graph::{Graph as Machine, Node};
use crate::asl::machine::Machine as Definition;
use crate::asl::picture::{Picture, Spot};
use crate::domain::text::shown;
use crate::domain::timeline::Standing;
use crate::ui::theme::Role;
use crate::ui::widgets::graph::{Graph, mark, weight};
use crate::ui::widgets::put;

/// A picture and whose states it shows. Depends on the definition alone, so nothing moves while it runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drawn {
    pub width: usize,
    pub height: usize,
    names: Vec<String>,
    kinds: Vec<&'static str>,
    picture: Picture,
}

/// Cells beside a name: its mark, then a duration, passes or retries.
const BESIDE: usize = 2 + 10;
/// Likewise of a container: how many of its parts are done, running, failed.
const COUNTS: usize = 34;

impl Drawn {
    /// Nothing when the definition cannot be read or is too large.
    pub fn of(definition: &str) -> Drawn {
        let Ok(machine) = Definition::read(definition) else { return Drawn::default() };
        let graph = Machine::of(&machine);
        let width = |node: &Node| {
            let beside = if matches!(node.kind, "Map" | "Parallel") { COUNTS } else { BESIDE };
            shown(&node.name).width() + beside
        };
        let Some(picture) = Picture::of(&graph, width) else { return Drawn::default() };
        Drawn {
            width: picture.width,
            height: picture.height,
            names: graph.nodes.iter().map(|node| node.name.clone()).collect(),
            kinds: graph.nodes.iter().map(|node| node.kind).collect(),
            picture,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether an area shows all of it.
    pub fn fits(&self, area: Rect) -> bool {
        !self.is_empty() && self.width <= usize::from(area.width) && self.height <= usize::from(area.height)
    }

    pub fn spot(&self, state: &str) -> Option<Spot> {
        let index = self.names.iter().position(|name| name == state)?;
        self.picture.spots.get(index).copied()
    }

    /// The state at a cell of the picture.
    pub fn at(&self, x: usize, y: usize) -> Option<&str> {
        let inside = |spot: &Spot| spot.y == y && (spot.x..spot.x + spot.width).contains(&x);
        let index = self.picture.spots.iter().position(inside)?;
        self.names.get(index).map(String::as_str)
    }
}

/// The picture from a column and a row on. `graph` says of what, and what is selected.
pub struct Panned<'a> {
    pub graph: &'a Graph<'a>,
    pub drawn: &'a Drawn,
    pub across: usize,
}

impl Widget for &Panned<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        let world = self.graph.world;
        let lines = if world.ascii { &self.drawn.picture.plain } else { &self.drawn.picture.lines };
        let rule = world.theme.style(Role::Rule);
        let label = world.theme.style(Role::Dim);
        for (y, line) in lines.iter().skip(self.graph.offset).take(usize::from(area.height)).enumerate() {
            let cells = line.chars().skip(self.across).take(usize::from(area.width));
            for (x, c) in cells.enumerate().filter(|(_, c)| *c != ' ') {
                let style = if c.is_alphanumeric() { label } else { rule };
                buffer[(area.x + x as u16, area.y + y as u16)].set_char(c).set_style(style);
            }
        }
        for (i, spot) in self.drawn.picture.spots.iter().enumerate() {
            let Some(y) = spot.y.checked_sub(self.graph.offset).filter(|y| *y < usize::from(area.height))
            else {
                continue;
            };
            let free = self.free(lines.get(spot.y).map_or("", String::as_str), *spot);
            self.state(buffer, Rect { y: area.y + y as u16, height: 1, ..area }, i, *spot, free);
        }
        self.edges(buffer, area);
    }
}

impl Panned<'_> {
    /// One state in its spot; what lies left of the area is cut off.
    /// `free` cells right of it are blank: facts may go on there.
    fn state(&self, buffer: &mut Buffer, line: Rect, index: usize, spot: Spot, free: usize) {
        let world = self.graph.world;
        let (left, right) =
            (spot.x.saturating_sub(self.across), (spot.x + spot.width).saturating_sub(self.across));
        let hidden = self.across.saturating_sub(spot.x);
        let right = right.min(usize::from(line.width));
        if left >= right || hidden >= spot.width {
            return;
        }
        let field = Rect { x: line.x + left as u16, width: (right - left) as u16, ..line };
        let name = &self.drawn.names[index];
        let now = self.graph.now(name);
        let selected = self.graph.selected == Some(name.as_str());
        let style = |role: Role| match selected {
            true => world.theme.selected(role, self.graph.focused),
            false => world.theme.style(role),
        };
        if selected {
            buffer.set_style(field, style(Role::Text));
        }
        let badge = mark(self.drawn.kinds[index], &now);
        if hidden == 0 {
            put(buffer, field, field.x, badge.glyph(world), style(badge.role));
            let bar = selected && spot.x > self.across;
            if bar {
                let before = Rect { x: field.x - 1, width: 1, ..field };
                put(
                    buffer,
                    before,
                    before.x,
                    if world.ascii { ">" } else { "▌" },
                    world.theme.style(Role::Accent),
                );
            }
        }
        let text = shown(name);
        let text = text.chars().skip(hidden.saturating_sub(2)).collect::<String>();
        let x = field.x + 2u16.saturating_sub(hidden as u16);
        let mut x = put(buffer, field, x, &text, style(weight(now.standing)));
        let wide = (usize::from(field.width) + free).min(usize::from(line.right().saturating_sub(field.x)));
        let wide = Rect { width: wide as u16, ..field };
        for (fact, role) in self.graph.facts(&now) {
            let fact = fact.trim_start();
            if usize::from(wide.right().saturating_sub(x)) > fact.width() {
                x = put(buffer, wide, x + 1, fact, style(role));
            }
        }
        if self.graph.flashes(name) && now.standing != Standing::NotReached {
            buffer.set_style(field, Style::new().add_modifier(Modifier::REVERSED));
        }
    }

    /// Blank cells right of a spot, without the last before something else.
    fn free(&self, line: &str, spot: Spot) -> usize {
        let end = spot.x + spot.width;
        let next = self.drawn.picture.spots.iter().filter(|other| other.y == spot.y && other.x >= end);
        let next = next.map(|other| other.x).min().unwrap_or(usize::MAX) - end;
        let drawn = line.chars().skip(end).position(|c| c != ' ').unwrap_or(usize::MAX);
        next.min(drawn).saturating_sub(1)
    }

    /// Arrows where the picture goes on beyond the area.
    fn edges(&self, buffer: &mut Buffer, area: Rect) {
        let style = self.graph.world.theme.style(Role::Accent);
        let (left, right, up, down) =
            if self.graph.world.ascii { ("<", ">", "^", "v") } else { ("◀", "▶", "▲", "▼") };
        let (width, height) = (usize::from(area.width), usize::from(area.height));
        let end = area.right().saturating_sub(1);
        if self.across > 0 {
            put(buffer, area, area.x, left, style);
        }
        if self.across + width < self.drawn.width {
            put(buffer, area, end, right, style);
        }
        let last = Rect { y: area.bottom().saturating_sub(1), height: 1.min(area.height), ..area };
        if self.graph.offset > 0 {
            put(buffer, area, end.saturating_sub(1), up, style);
        }
        if self.graph.offset + height < self.drawn.height {
            put(buffer, last, end.saturating_sub(1), down, style);
        }
    }
}
