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
use crate::ui::screens::workflows::lists::{EXPRESS, Lists};
use crate::ui::theme::Role;
use crate::ui::widgets::badge::Badge;
use crate::ui::widgets::table::{Cell, Column, Table};
use crate::ui::widgets::{head, notice, put, row};
use crate::ui::world::World;

const MACHINES: [Column; 7] = [
    Column::new("State machine", 20, 60, 9),
    Column::new("Type", 8, 8, 3),
    Column::new("Running", 7, 7, 7).right(),
    Column::new("Failed 24 h", 11, 11, 8).right(),
    Column::new("Done 24 h", 9, 9, 5).right(),
    Column::new("Last", 22, 22, 6),
    Column::new("Created", 19, 19, 1),
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
        let recent = lists.recent_of(&machine.arn);
        match (column, &recent) {
            (0, _) => Cell::text(shown(&machine.name)),
            (1, _) => Cell::dim(if machine.express { "express" } else { "standard" }),
            (6, _) => Cell::dim(machine.created.map(|at| world.zone().moment(at)).unwrap_or_default()),
            (_, None) => Cell::dim(""),
            (2, Some(recent)) => number(recent.running, recent.more_running, Role::Active),
            (3, Some(recent)) => number(recent.failed, recent.partial, Role::Bad),
            (4, Some(recent)) => number(recent.succeeded, recent.partial, Role::Text),
            (_, Some(recent)) => match recent.last {
                Some((status, at)) => {
                    let badge = Badge::status(status);
                    let ago = units::ago(at, world.now);
                    Cell::new(format!("{} {} {ago}", badge.glyph(world), badge.word), badge.role)
                }
                None => Cell::dim("never run"),
            },
        }
    };
    let stale = lists.machines.problem().is_some();
    let (columns, cursor, len) = (&MACHINES[..], lists.machines_cursor, rows.len());
    (&Table { world, columns, len, cursor, focused: true, sorted: None, stale, cell }).render(area, buffer);
}

/// A count; zero is quiet, and a count that may be too low says so.
fn number(count: usize, partial: bool, role: Role) -> Cell<'static> {
    let more = if partial { "+" } else { "" };
    let role = if count == 0 { Role::Dim } else { role };
    Cell::new(format!("{}{more}", units::grouped(count as i64)), role)
}

pub fn executions(lists: &Lists, world: &World, buffer: &mut Buffer, area: Rect, starting: &Remote<String>) {
    let rows = lists.rows();
    let name = match lists.machine_name() {
        "" => "Executions".to_owned(),
        name => shown(name).into_owned(),
    };
    title(lists, world, buffer, area, &name, &note(lists, starting));
    let below = table_area(area);
    if let Some(line) = row(area, 1) {
        lately(lists, world, buffer, line);
    }
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
        notice::say(world, buffer, area, &empty(lists, world, all.is_empty()));
        return;
    }
    let cell = |line: usize, column: usize| execution_cell(lists, world, &all[rows[line]], column);
    let stale = lists.executions.problem().is_some();
    let (columns, cursor, len) = (&EXECUTIONS[..], lists.cursor, rows.len());
    (&Table { world, columns, len, cursor, focused: !lists.filtering, sorted: None, stale, cell })
        .render(area, buffer);
}

/// Why nothing is listed, and which key changes that.
fn empty(lists: &Lists, world: &World, none: bool) -> String {
    let key = |action| notice::key(world, Context::Workflows, action);
    if lists.is_express() && none {
        let since = lists.since.unwrap_or(EXPRESS);
        return match &lists.log_group {
            Some(group) => format!(
                "Nothing was logged to {} within {since} minutes; {} goes further back. Express executions have no history: their log is all there is",
                shown(group),
                key(Action::Since)
            ),
            None => "This express state machine logs nothing, and express executions have no history: \
                     set its loggingConfiguration to see them"
                .to_owned(),
        };
    }
    if lists.more.is_waiting() {
        return "Looking through older executions".to_owned();
    }
    match (none, lists.failing, lists.status) {
        (_, _, Some(status)) => {
            let word = Badge::status(status).word;
            format!("No execution is {word}; {} chooses another status", key(Action::Status))
        }
        (true, ..) if lists.map_run().is_some() => {
            "This map run has no child executions: it has not begun any, \
             or AWS does not know it any more (it keeps them for 90 days after the end)"
                .to_owned()
        }
        (true, ..) if world.keymap.withholds(Action::Start) => "No execution yet".to_owned(),
        (true, ..) => format!("No execution yet: {} starts one", key(Action::Start)),
        (_, true, _) => format!("Nothing failed; {} shows all", key(Action::Failing)),
        _ if lists.since.is_some() => {
            format!("Nothing started within that time; {} changes it", key(Action::Since))
        }
        _ => "No execution matches; esc shows all".to_owned(),
    }
}

/// How many, and what is left out.
fn note(lists: &Lists, starting: &Remote<String>) -> String {
    let count = lists.executions.value().map_or(0, Vec::len);
    let more = if lists.next.is_some() { "of ?" } else { "" };
    let mut note = counted(lists.rows().len(), count, more);
    if let Some(status) = lists.status {
        note.push_str(&format!(", {} only", Badge::status(status).word));
    }
    if lists.failing {
        note.push_str(", failing only");
    }
    if let Some(minutes) = lists.since {
        note.push_str(&format!(", last {}", units::duration(chrono::TimeDelta::minutes(minutes))));
    }
    if let Some(id) = lists.map_run() {
        note.push_str(&format!(", children of map run {}", shown(head(id, 8))));
    }
    if lists.is_express() {
        note.push_str(", express: from its log");
    }
    if matches!(starting.stand(), Stand::Loading(..)) {
        note.push_str(", starting one");
    }
    if lists.more.is_waiting() {
        note.push_str(", more coming");
    }
    note
}

/// `24 h: 2 running  1 failed  12 succeeded    ▂▃█▂ durations`
fn lately(lists: &Lists, world: &World, buffer: &mut Buffer, line: Rect) {
    if lists.executions.value().is_none_or(Vec::is_empty) || lists.status.is_some() {
        return;
    }
    let theme = &world.theme;
    let recent = &lists.lately;
    let more = if recent.partial { "+" } else { "" };
    let more_running = if recent.more_running { "+" } else { "" };
    let mut x = put(buffer, line, line.x, "24 h ", theme.style(Role::Dim));
    let counts = [
        (recent.running, more_running, "running", Role::Active),
        (recent.failed, more, "failed", Role::Bad),
        (recent.succeeded, more, "succeeded", Role::Good),
    ];
    for (count, more, word, role) in counts {
        let role = if count == 0 { Role::Dim } else { role };
        let text = format!("{}{more}", units::grouped(count as i64));
        x = put(buffer, line, x + 1, &text, theme.style(role));
        x = put(buffer, line, x + 1, word, theme.style(Role::Dim)) + 1;
    }
    let room = usize::from(line.right().saturating_sub(x + 14)).min(40);
    let bars = recent.sparkline(room, world.ascii);
    if bars.len() > 1 {
        x = put(buffer, line, x + 2, "took ", theme.style(Role::Dim));
        for (bar, well) in bars {
            x = put(buffer, line, x, bar, theme.style(if well { Role::Quiet } else { Role::Bad }));
        }
    }
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
