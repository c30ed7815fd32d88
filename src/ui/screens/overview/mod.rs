//! Overview: what needs me now?
//!
//! ```text
//!  Accreditations                 Expiries a month             Facilities a state
//!  ▌ ✖ lapsed               3     2026-01 ▇▇▇▇▇▇▇▇  12         TX ▇▇▇▇▇▇▇▇  40
//!    ✖ critical            12     2026-02 ▇▇▇        4         CA ▇▇▇▇▇▇    31
//!  Latest runs
//!    ✔ run-7f3a    8.9 s   2 m ago
//! ```
//!
//! Each line opens what it speaks of. [`lines`] makes them from what is known; `update` moves and asks.

pub mod lines;
mod update;
mod view;

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::domain::execution::{Execution, Machine};
use crate::domain::query::Query;
use crate::ui::action::Action;
use crate::ui::effect::Wish;
use crate::ui::keymap::Context;
use crate::ui::remote::Remote;
use crate::ui::route::{Route, Screen};
use crate::ui::screens::{Msg, Place};
use crate::ui::subs::Sub;
use crate::ui::widgets::table::Cursor;
use crate::ui::world::World;
use lines::Line;

/// Columns of lines, from left to right.
pub const COLUMNS: usize = 3;

/// So many running executions are watched at once.
const WATCHED: usize = 3;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    machines: Remote<Vec<Machine>>,
    runs: Remote<Vec<Execution>>,
    queries: Remote<Vec<Query>>,
    columns: [Vec<Line>; COLUMNS],
    cursors: [Cursor; COLUMNS],
    /// What the cursor was moved to, by where it leads and which of the lines that lead there: it stays
    /// there when lines come and go. Until it is moved it stands on the first line that leads anywhere.
    kept: [Option<(Route, usize)>; COLUMNS],
    column: usize,
}

impl Place for Model {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Overview]
    }

    fn route(&self) -> Route {
        Route::new(Screen::Overview)
    }

    fn keys(&self) -> Vec<Action> {
        vec![Action::Open, Action::NextPane, Action::Refresh, Action::Palette, Action::Problems]
    }

    fn update(&mut self, world: &mut World, msg: Msg) -> Vec<Wish> {
        update::update(self, world, msg)
    }

    fn view(&self, world: &World, area: Rect, buffer: &mut Buffer) {
        view::view(self, world, area, buffer);
    }

    fn subs(&self, _world: &World) -> BTreeSet<Sub> {
        let mut subs: BTreeSet<Sub> =
            self.running().take(WATCHED).map(|run| Sub::Execution(run.arn.clone())).collect();
        if !subs.is_empty() {
            subs.insert(Sub::Clock(250));
        }
        subs
    }
}

impl Model {
    fn running(&self) -> impl Iterator<Item = &Execution> {
        self.runs.value().into_iter().flatten().filter(|run| !run.status.is_over())
    }
}

/// Whether the months and the states share a column.
pub(crate) fn is_narrow(body: Rect) -> bool {
    body.width + 2 < crate::ui::areas::SIDE_BY_SIDE
}

/// Where the columns are; `None` where one does not fit.
pub(crate) fn areas(body: Rect) -> [Option<Rect>; COLUMNS] {
    let gap = 3;
    if is_narrow(body) {
        let left = (body.width.saturating_sub(gap) * 5 / 8).max(body.width.saturating_sub(gap + 40));
        let right = body.width.saturating_sub(left + gap);
        return [
            Some(Rect { width: left, ..body }),
            Some(Rect { x: body.x + left + gap, width: right, ..body }),
            None,
        ];
    }
    let left = (body.width * 9 / 20).min(64);
    let states = (body.width / 5).min(36);
    let months = (body.width - left - states - 2 * gap).min(52);
    [
        Some(Rect { width: left, ..body }),
        Some(Rect { x: body.x + left + gap, width: months, ..body }),
        Some(Rect { x: body.x + left + gap + months + gap, width: states, ..body }),
    ]
}
