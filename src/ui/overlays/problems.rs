//! What went wrong, newest first, each with its remedy.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::domain::text::{shown, shown_lines};
use crate::ui::action::Action;
use crate::ui::areas;
use crate::ui::overlays::frame;
use crate::ui::theme::Role;
use crate::ui::widgets::{put, row, wrap};
use crate::ui::world::World;

/// The list, open; `offset` counts lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Problems {
    pub offset: usize,
}

impl Problems {
    /// As high as its lines, for the shell to know what lies beside it.
    pub fn area(world: &World) -> Rect {
        let width = areas::inside(areas::floating(100, 4, world.size)).width;
        let rows = u16::try_from(Problems::lines(world, width).len()).unwrap_or(u16::MAX - 2);
        areas::floating(100, rows + 2, world.size)
    }

    fn lines(world: &World, width: u16) -> Vec<(Role, String)> {
        let width = usize::from(width.max(12));
        let mut lines = Vec::new();
        if world.problems.is_empty() {
            lines.push((Role::Dim, "Nothing went wrong so far.".to_string()));
        }
        for (at, problem) in world.problems.iter().rev() {
            let title = format!("{}  {}", world.zone().clock(*at), shown(&problem.title));
            lines.extend(wrap(&title, width).into_iter().map(|line| (Role::Bad, line)));
            let detail = shown_lines(&problem.detail);
            if !detail.is_empty() {
                lines.extend(
                    wrap(&detail, width - 2).into_iter().map(|line| (Role::Text, format!("  {line}"))),
                );
            }
            if let Some(hint) = &problem.hint {
                let hint = format!("→ {}", shown(hint));
                lines.extend(
                    wrap(&hint, width - 2).into_iter().map(|line| (Role::Accent, format!("  {line}"))),
                );
            }
            lines.push((Role::Text, String::new()));
        }
        if lines.last().is_some_and(|(_, line)| line.is_empty()) {
            lines.pop();
        }
        lines
    }

    pub fn act(&mut self, action: Action, world: &World) {
        let inside = areas::inside(Problems::area(world));
        let last = Problems::lines(world, inside.width).len().saturating_sub(usize::from(inside.height));
        let page = isize::from(inside.height as i16) - 1;
        let by = match action {
            Action::Up => -1,
            Action::Down => 1,
            Action::PageUp => -page,
            Action::PageDown => page,
            Action::First => isize::MIN,
            Action::Last => isize::MAX,
            _ => 0,
        };
        self.offset = self.offset.saturating_add_signed(by).min(last);
    }

    pub fn draw(&self, world: &World, buffer: &mut Buffer) {
        let inside = frame(world, buffer, Problems::area(world), "Problems");
        let lines = Problems::lines(world, inside.width);
        for (index, (role, line)) in lines.iter().skip(self.offset).enumerate() {
            let Some(row) = row(inside, index) else { break };
            put(buffer, row, row.x, line, world.theme.style(*role));
        }
    }
}
