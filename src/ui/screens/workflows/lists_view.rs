//! How the lists look.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use crate::domain::execution::Execution;
use crate::domain::json::compact;
use crate::domain::text::shown;
use crate::domain::units;
use crate::ui::action::Action;
use crate::ui::keymap::Context;
use crate::ui::remote::{Remote, Stand};
use crate::ui::screens::workflows::lists::Lists;
use crate::ui::theme::Role;
use crate::ui::widgets::badge::Badge;
use crate::ui::widgets::table::{Cell, Column, Table};
use crate::ui::widgets::{head, notice, put, row};
use crate::ui::world::World;

const MACHINES: [Column; 3] = [
    Column::new("State machine", 20, 60, 3),
    Column::new("Type", 8, 8, 1),
    Column::new("Created", 19, 19, 0),
];

const EXECUTIONS: [Column; 5] = [
    Column::new("Status", 11, 11, 5),
    Column::new("Execution", 16, 40, 4).middle(),
    Column::new("Started", 19, 19, 2),
    Column::new("Duration", 10, 10, 3).right(),
    Column::new("Input", 10, 120, 1),
];

/// The table's area below the title.
pub fn table_area(area: Rect) -> Rect {
    let used = 2.min(area.height);
    Rect { y: area.y + used, height: area.height - used, ..area }
}

pub fn machines(lists: &Lists, world: &World, buffer: &mut Buffer, area: Rect) {
    let rows = lists.machine_rows();
    let count = lists.machines.value().map_or(0, Vec::len);
    title(lists, world, buffer, area, "State machines", &counted(rows.len(), count, ""));
    let (here, area) = notice::stand(world, buffer, table_area(area), &lists.machines, "state machines");
    let Some(all) = lists.machines.value().filter(|_| here) else { return };
    if rows.is_empty() {
        let text = if all.is_empty() {
            "There is no state machine in this account and region. `ward deploy` makes the pipeline's; r asks again"
        } else {
            "No state machine matches; esc shows all"
        };
        notice::say(world, buffer, area, text);
        return;
    }
    let cell = |line: usize, column: usize| {
        let machine = &all[rows[line]];
        match column {
            0 => Cell::text(shown(&machine.name)),
            1 => Cell::dim(if machine.express { "express" } else { "standard" }),
            _ => Cell::dim(machine.created.map(|at| world.zone().moment(at)).unwrap_or_default()),
        }
    };
    let stale = lists.machines.problem().is_some();
    let (columns, cursor, len) = (&MACHINES[..], lists.machines_cursor, rows.len());
    (&Table { world, columns, len, cursor, focused: true, sorted: None, stale, cell }).render(area, buffer);
}

pub fn executions(lists: &Lists, world: &World, buffer: &mut Buffer, area: Rect, starting: &Remote<String>) {
    let rows = lists.rows();
    let count = lists.executions.value().map_or(0, Vec::len);
    let name = match lists.machine_name() {
        "" => "Executions".to_owned(),
        name => shown(name).into_owned(),
    };
    let more = if lists.next.is_some() { "of ?" } else { "" };
    let mut note = counted(rows.len(), count, more);
    if lists.failing {
        note.push_str(", failing only");
    }
    if matches!(starting.stand(), Stand::Loading(..)) {
        note.push_str(", starting one");
    }
    title(lists, world, buffer, area, &name, &note);
    let below = table_area(area);
    if lists.machine.is_none() {
        let (here, area) = notice::stand(world, buffer, below, &lists.machines, "state machines");
        if here {
            notice::say(world, buffer, area, "No state machine is chosen; esc lists them");
        }
        return;
    }
    let (here, area) = notice::stand(world, buffer, below, &lists.executions, "executions");
    let Some(all) = lists.executions.value().filter(|_| here) else { return };
    if rows.is_empty() {
        let start = notice::key(world, Context::Workflows, Action::Start);
        let text = match (all.is_empty(), lists.failing) {
            (true, _) => format!("No execution yet: {start} starts one"),
            (_, true) => format!(
                "Nothing failed; {} shows all",
                notice::key(world, Context::Workflows, Action::Failing)
            ),
            _ => "No execution matches; esc shows all".to_owned(),
        };
        notice::say(world, buffer, area, &text);
        return;
    }
    let cell = |line: usize, column: usize| execution_cell(lists, world, &all[rows[line]], column);
    let stale = lists.executions.problem().is_some();
    let (columns, cursor, len) = (&EXECUTIONS[..], lists.cursor, rows.len());
    (&Table { world, columns, len, cursor, focused: !lists.filtering, sorted: None, stale, cell })
        .render(area, buffer);
}

fn execution_cell<'a>(lists: &'a Lists, world: &World, execution: &'a Execution, column: usize) -> Cell<'a> {
    match column {
        0 => {
            let badge = Badge::status(execution.status);
            Cell::new(format!("{} {}", badge.glyph(world), badge.word), badge.role)
        }
        1 => Cell::text(shown(&execution.name)),
        2 => Cell::dim(world.zone().moment(execution.started)),
        3 => match execution.stopped {
            Some(stopped) => Cell::text(units::duration(stopped - execution.started)),
            None => Cell::new(units::clock(world.now - execution.started), Role::Active),
        },
        // Only the beginning is shown, so only that is laid out.
        _ => Cell::dim(
            lists
                .input(execution)
                .map(|input| shown(&compact(head(input, 400))).into_owned())
                .unwrap_or_default(),
        ),
    }
}

fn counted(shown: usize, all: usize, more: &str) -> String {
    let all_text = units::grouped(all as i64);
    match (shown == all, more.is_empty()) {
        (true, true) => all_text,
        (true, false) => format!("{all_text} {more}"),
        (false, _) => format!("{} of {all_text}", units::grouped(shown as i64)),
    }
}

/// Title with a count, or the filter while it is typed.
fn title(lists: &Lists, world: &World, buffer: &mut Buffer, area: Rect, title: &str, note: &str) {
    let Some(line) = row(area, 0) else { return };
    let x = put(buffer, line, line.x, title, world.theme.title(!lists.filtering));
    let x = put(buffer, line, x + 2, note, world.theme.style(Role::Dim));
    if lists.filtering || !lists.filter.is_empty() {
        let x = put(buffer, line, x + 3, "/ ", world.theme.style(Role::Accent));
        let field = Rect { x, width: line.right().saturating_sub(x), ..line };
        if lists.filtering {
            lists.filter.draw(buffer, field, world.theme.style(Role::Strong));
        } else {
            put(buffer, field, x, lists.filter.text(), world.theme.style(Role::Text));
        }
    }
}
