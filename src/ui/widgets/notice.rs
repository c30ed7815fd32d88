//! What stands where data would be: loading, empty, failed. Says why, and which key changes it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::domain::problem::Problem;
use crate::domain::text::{shown, shown_lines};
use crate::domain::units;
use crate::ui::action::Action;
use crate::ui::keymap::Context;
use crate::ui::remote::{Remote, Stand};
use crate::ui::theme::Role;
use crate::ui::widgets::badge::Badge;
use crate::ui::widgets::{put, row, wrap};
use crate::ui::world::World;

/// A sentence, dim, wrapped; answers the rows it took.
pub fn say(world: &World, buffer: &mut Buffer, area: Rect, text: &str) -> u16 {
    lines(world, buffer, area, 0, &wrap(text, usize::from(area.width.max(8))), Role::Dim)
}

/// A problem: what, why in at most `most` lines, what to do; answers the rows it took.
pub fn problem(world: &World, buffer: &mut Buffer, area: Rect, problem: &Problem, most: usize) -> u16 {
    let Some(first) = row(area, 0) else { return 0 };
    let badge = Badge::FAILED;
    let x = put(buffer, first, first.x, badge.glyph(world), world.theme.style(badge.role));
    put(buffer, first, x + 1, &shown(&problem.title), world.theme.style(Role::Strong));
    let width = usize::from(area.width.max(8));
    let mut detail = wrap(&shown_lines(&problem.detail), width);
    detail.retain(|line| !line.is_empty());
    detail.truncate(most);
    let mut used = lines(world, buffer, area, 1, &detail, Role::Text);
    if let Some(hint) = &problem.hint {
        let hint = wrap(&format!("→ {}", shown(hint)), width);
        used = lines(world, buffer, area, used, &hint, Role::Accent);
    }
    used
}

/// For a value that is not here: what it loads and how far it is, or why it failed. Answers whether there
/// is a value to draw, and the area left for it.
pub fn stand<T>(
    world: &World,
    buffer: &mut Buffer,
    area: Rect,
    remote: &Remote<T>,
    what: &str,
) -> (bool, Rect) {
    let below = |used: u16| {
        let used = used.min(area.height);
        Rect { y: area.y + used, height: area.height - used, ..area }
    };
    match remote.stand() {
        Stand::Idle => (false, area),
        Stand::Loading(done, total) => {
            let far = match (done, total) {
                (0, _) => String::new(),
                (done, 0) => format!("  {}", units::grouped(done as i64)),
                (done, total) => {
                    format!("  {} of {}", units::grouped(done as i64), units::grouped(total as i64))
                }
            };
            let used = say(world, buffer, area, &format!("Loading {what}{far}"));
            (false, below(used))
        }
        Stand::Here { .. } => (true, area),
        Stand::Failed { problem: why, last } => {
            let used = problem(world, buffer, area, why, if last.is_some() { 1 } else { 6 });
            let Some(at) = remote.at().filter(|_| last.is_some()) else { return (false, below(used)) };
            let left = below(used);
            let used =
                used + say(world, buffer, left, &format!("{what} as known {}", units::ago(at, world.now)));
            (true, below(used + 1))
        }
    }
}

/// The key of an action, for a sentence: `R starts one`.
pub fn key(world: &World, context: Context, action: Action) -> String {
    world.keymap.keys_of(&[context, Context::Global], action).unwrap_or_else(|| format!(":{}", action.name()))
}

fn lines(world: &World, buffer: &mut Buffer, area: Rect, from: u16, lines: &[String], role: Role) -> u16 {
    for (i, line) in lines.iter().enumerate() {
        if let Some(row) = row(area, usize::from(from) + i) {
            put(buffer, row, row.x, line, world.theme.style(role));
        }
    }
    from + lines.len() as u16
}
