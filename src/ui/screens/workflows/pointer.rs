//! The mouse on this screen.

use ratatui::layout::{Position, Rect};

use crate::ui::action::Action;
use crate::ui::areas;
use crate::ui::effect::Wish;
use crate::ui::screens::workflows::lists_view::table_area;
use crate::ui::screens::workflows::run::Pane;
use crate::ui::screens::workflows::{Model, Spot, on_lists, on_run};
use crate::ui::widgets::table;
use crate::ui::world::World;

pub fn clicked(model: &mut Model, world: &mut World, at: Position, body: Rect) -> Vec<Wish> {
    let area = table_area(body);
    match model.spot {
        Spot::Start => {
            if let Some(form) = &mut model.form {
                form.click(body, at);
            }
            Vec::new()
        }
        Spot::Board => model.board.click(world, at),
        Spot::Machines | Spot::Executions => {
            let machines = model.spot == Spot::Machines;
            let len = if machines { model.lists.machine_rows().len() } else { model.lists.rows().len() };
            let cursor = if machines { &mut model.lists.machines_cursor } else { &mut model.lists.cursor };
            match table::row_at(area, *cursor, len, at) {
                Some(row) if row == cursor.selected => on_lists::open_selected(model),
                Some(row) => {
                    cursor.selected = row;
                    Vec::new()
                }
                None => Vec::new(),
            }
        }
        Spot::Execution => match &mut model.run {
            Some(run) => on_run::clicked(run, world, at, body),
            None => Vec::new(),
        },
    }
}

pub fn wheeled(model: &mut Model, world: &mut World, at: Position, by: isize, body: Rect) -> Vec<Wish> {
    let area = table_area(body);
    let action = if by < 0 { Action::Up } else { Action::Down };
    match model.spot {
        Spot::Start => {
            if let Some(form) = &mut model.form {
                form.input.wheel(by, (body.width, body.height));
            }
            Vec::new()
        }
        Spot::Board => (0..by.unsigned_abs()).flat_map(|_| model.board.act(world, action)).collect(),
        Spot::Machines => {
            let len = model.lists.machine_rows().len();
            model.lists.machines_cursor.wheel(by, len, table::page(area));
            model.lists.look_at_machines(world, area)
        }
        Spot::Executions => {
            let len = model.lists.rows().len();
            model.lists.cursor.wheel(by, len, table::page(area));
            model.lists.look(world, area)
        }
        Spot::Execution => {
            let Some(run) = &mut model.run else { return Vec::new() };
            let panes = areas::panes(body, run.pane == Pane::Inspector);
            let right = panes.detail.is_some_and(|detail| detail.contains(at));
            for _ in 0..by.unsigned_abs() {
                if right {
                    let area = run.document_area(world);
                    run.document.act(action, area);
                } else {
                    run.act(world, action);
                }
            }
            Vec::new()
        }
    }
}
