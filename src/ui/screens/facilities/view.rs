//! How the list looks; the pane beside it is in `detail`.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use crate::domain::expiry::Tier;
use crate::domain::text::shown;
use crate::domain::units;
use crate::ui::remote::Stand;
use crate::ui::screens::facilities::listing::{COLUMNS, Field};
use crate::ui::screens::facilities::{Focus, Model, detail};
use crate::ui::theme::Role;
use crate::ui::widgets::badge::Badge;
use crate::ui::widgets::table::{Cell, Table};
use crate::ui::widgets::{put, row, wrap};
use crate::ui::world::{Facilities, World};

pub fn view(model: &Model, world: &World, area: Rect, buffer: &mut Buffer) {
    let parts = model.parts(area);
    if parts.table.height > 0 {
        title(model, world, parts.title, buffer);
        filter(model, world, parts.filter, buffer);
        list(model, world, parts.table, buffer);
    }
    if let Some(rule) = parts.rule {
        let line = if world.ascii { "|" } else { "│" };
        for y in rule.y..rule.bottom() {
            put(buffer, Rect { y, height: 1, ..rule }, rule.x, line, world.theme.style(Role::Rule));
        }
    }
    if let Some(area) = parts.detail {
        detail::draw(model, world, area, buffer);
    }
}

/// `Facilities  144 of 250, within 6 months`
fn title(model: &Model, world: &World, area: Rect, buffer: &mut Buffer) {
    let theme = &world.theme;
    let x = put(buffer, area, area.x, "Facilities", theme.title(model.focus == Focus::List));
    let Some(all) = world.facilities.value() else { return };
    let total = all.entries.len();
    let mut text = match model.order.len() {
        shown if shown == total => units::grouped(total as i64),
        shown => format!("{} of {}", units::grouped(shown as i64), units::grouped(total as i64)),
    };
    if let Some(window) = model.window {
        text.push_str(&format!(", within {}", window.words()));
    }
    let x = put(buffer, area, x + 2, &text, theme.style(Role::Text));
    let (note, role) = match world.facilities.stand() {
        Stand::Here { refreshing: true, .. } => ("  reading again".to_string(), Role::Active),
        Stand::Failed { .. } => {
            let age = world.facilities.at().map(|at| units::ago(at, world.now)).unwrap_or_default();
            (format!("  as read {age}; ! shows why, r asks again"), Role::Bad)
        }
        _ => (String::new(), Role::Dim),
    };
    put(buffer, area, x, &note, theme.style(role));
}

fn filter(model: &Model, world: &World, area: Rect, buffer: &mut Buffer) {
    let theme = &world.theme;
    if !model.typing && model.filter.is_empty() {
        return;
    }
    let x = put(buffer, area, area.x, "/ ", theme.style(Role::Dim));
    let line = Rect { x, width: area.right().saturating_sub(x), ..area };
    if model.typing {
        let half = Rect { width: line.width / 2, ..line };
        let field = if model.mistake.is_some() { half } else { line };
        model.filter.draw(buffer, field, theme.style(Role::Strong));
    } else {
        put(buffer, line, line.x, model.filter.text(), theme.style(Role::Strong));
    }
    if let Some(mistake) = &model.mistake {
        let x = line.x + line.width / 2 + 1;
        put(buffer, line, x, &shown(mistake), theme.style(Role::Warn));
    }
}

fn list(model: &Model, world: &World, area: Rect, buffer: &mut Buffer) {
    let all = match world.facilities.stand() {
        Stand::Here { value, .. } => value,
        Stand::Failed { last: Some(value), .. } => value,
        Stand::Idle => return,
        Stand::Loading(done, total) => {
            let from = format!("s3://{}/{}", world.setup.bucket, world.setup.prefix);
            let far = if total > 0 {
                format!("   {} of {}", units::grouped(done as i64), units::grouped(total as i64))
            } else {
                String::new()
            };
            let text = format!("Reading {from}{far}");
            return say(world, buffer, area, &[(Role::Active, text)]);
        }
        Stand::Failed { problem, last: None } => {
            let mut lines = vec![(Role::Bad, shown(&problem.title).into_owned())];
            lines.extend(problem.hint.as_ref().map(|hint| (Role::Text, shown(hint).into_owned())));
            lines.push((Role::Dim, "! shows the whole, r asks again".to_string()));
            return say(world, buffer, area, &lines);
        }
    };
    if all.entries.is_empty() {
        let place = format!("No facility record in s3://{}/{}", world.setup.bucket, world.setup.prefix);
        let hint = "`ward data upload` puts some there; r asks again".to_string();
        return say(world, buffer, area, &[(Role::Text, place), (Role::Dim, hint)]);
    }
    if model.order.is_empty() {
        let total = all.entries.len();
        let text = format!("None of {} facilities passes", units::grouped(total as i64));
        let hint = "F shows them all, w changes the window".to_string();
        return say(world, buffer, area, &[(Role::Text, text), (Role::Dim, hint)]);
    }
    let sort = model.sort;
    let table = Table {
        world,
        columns: &COLUMNS,
        len: model.order.len(),
        cursor: model.cursor,
        focused: model.focus == Focus::List,
        sorted: Some((sort.field.index(), sort.down)),
        stale: matches!(world.facilities.stand(), Stand::Failed { .. }),
        cell: |line, column| cell(model, world, all, line, column),
    };
    (&table).render(area, buffer);
}

fn say(world: &World, buffer: &mut Buffer, area: Rect, lines: &[(Role, String)]) {
    let mut at = 1;
    for (role, line) in lines {
        for line in wrap(line, usize::from(area.width.max(1))) {
            let Some(spot) = row(area, at) else { return };
            put(buffer, spot, spot.x, &line, world.theme.style(*role));
            at += 1;
        }
    }
}

/// One cell; empty for an index that a newer list no longer has.
fn cell<'a>(model: &'a Model, world: &World, all: &Facilities, line: usize, column: usize) -> Cell<'a> {
    let index = model.order.get(line).map_or(usize::MAX, |index| *index as usize);
    let (Some((_, facility)), Some(row)) = (all.entries.get(index), model.rows.get(index)) else {
        return Cell::dim("");
    };
    let text = model.texts.row(index, facility, row, world).map_or("", |texts| texts.column(column));
    let badge = Badge::tier(row.tier);
    match Field::ALL.get(column) {
        Some(Field::Id) => Cell::dim(text),
        // The reverse of the lapsed badge is for the badge alone.
        Some(Field::Days | Field::Tier) if row.tier == Tier::Lapsed => Cell::new(text, Role::Bad),
        Some(Field::Days | Field::Tier) => Cell::new(text, badge.role),
        _ => Cell::text(text),
    }
}
