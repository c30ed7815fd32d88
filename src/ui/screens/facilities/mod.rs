//! Facilities: who lapses next, where, with which accreditor?
//!
//! ```text
//!  Facilities  144 of 250, within 6 months                        │ FAC004 Central Hospital
//!  / state:TX                                                     │ Austin, TX · 499 staff
//!    ID      Name              ST  Staff  Svc  Expiry       Days  │
//!  ▌ FAC004  Central Hospital  TX    499    4  2026-02-17     47  │ ▲ CAP  2026-02-17  in 47 d
//!    FAC031  Lakeside Regional TX    120    3  2026-02-19     49  │ ✔ DNV  2027-02-07  in 402 d
//! ```
//!
//! [`listing`] decides which rows and in what order; `update` what each fact does; `view` and `detail` draw.

mod choices;
mod detail;
pub mod listing;
mod texts;
mod update;
mod view;

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::domain::expiry::{Tier, Window};
use crate::ui::action::Action;
use crate::ui::areas;
use crate::ui::effect::Wish;
use crate::ui::keymap::Context;
use crate::ui::remote::Remote;
use crate::ui::route::{Route, Screen};
use crate::ui::screens::{Msg, Place};
use crate::ui::subs::Sub;
use crate::ui::widgets::line::Line;
use crate::ui::widgets::table::Cursor;
use crate::ui::world::World;
use listing::Sort;
use texts::Texts;

/// Which pane has the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Focus {
    #[default]
    List,
    Detail,
}

/// What a facility's accreditations come to, as of the date.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    pub tier: Tier,
    /// The accreditation that put it into its tier.
    pub accreditation: Option<usize>,
    pub days: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    /// One for each facility of the world.
    rows: Vec<Row>,
    texts: Texts,
    /// Indices of the facilities shown, in order.
    order: Vec<u32>,
    cursor: Cursor,
    focus: Focus,
    filter: Line,
    /// Whether the filter line takes the keys.
    typing: bool,
    /// Why the filter line is not understood; the last one that was stays in force.
    mistake: Option<String>,
    /// The filter line that was understood last.
    accepted: String,
    /// `None` shows every facility.
    window: Option<Window>,
    /// The window as the person wrote it.
    window_text: String,
    sort: Sort,
    raw: bool,
    detail_offset: usize,
    /// The facility to select when it arrives.
    wanted: Option<String>,
    /// A listing that is computed elsewhere.
    arranging: Remote<()>,
    exporting: Remote<()>,
}

impl Place for Model {
    fn contexts(&self) -> Vec<Context> {
        if self.typing { vec![Context::Field, Context::Facilities] } else { vec![Context::Facilities] }
    }

    fn typing(&self) -> bool {
        self.typing
    }

    fn route(&self) -> Route {
        let route = Route::new(Screen::Facilities).filter(self.line());
        match &self.wanted {
            Some(id) => route.object(id.clone()),
            None => route,
        }
    }

    fn keys(&self) -> Vec<Action> {
        if self.typing {
            return vec![Action::Accept, Action::Back];
        }
        match self.focus {
            Focus::List => vec![Action::Filter, Action::Window, Action::Facets, Action::Open, Action::Export],
            Focus::Detail => {
                vec![Action::Back, Action::Raw, Action::Copy, Action::CopyMore, Action::NextPane]
            }
        }
    }

    fn update(&mut self, world: &mut World, msg: Msg) -> Vec<Wish> {
        update::update(self, world, msg)
    }

    fn view(&self, world: &World, area: Rect, buffer: &mut Buffer) {
        view::view(self, world, area, buffer);
    }

    fn subs(&self, _world: &World) -> BTreeSet<Sub> {
        BTreeSet::new()
    }
}

/// The areas of the screen.
pub(crate) struct Parts {
    pub title: Rect,
    pub filter: Rect,
    pub table: Rect,
    pub rule: Option<Rect>,
    pub detail: Option<Rect>,
}

impl Model {
    /// Filter, sort and window, for the next start.
    pub fn listing(&self) -> (Option<String>, Option<String>, Option<String>) {
        let window = if self.window.is_some() { self.window_text.clone() } else { "all".to_string() };
        (Some(self.accepted.clone()), Some(self.sort.to_string()), Some(window))
    }

    /// The filter line with the window as a term of it: what a route carries.
    fn line(&self) -> String {
        match self.window {
            Some(_) if self.accepted.is_empty() => format!("within:{}", self.window_text),
            Some(_) => format!("within:{} {}", self.window_text, self.accepted),
            None => self.accepted.clone(),
        }
    }

    pub(crate) fn parts(&self, body: Rect) -> Parts {
        let panes = areas::panes(body, self.focus == Focus::Detail);
        let list = panes.list.unwrap_or(Rect { width: 0, height: 0, ..body });
        let (title, rest) = areas::titled(list);
        let (filter, table) = areas::titled(rest);
        Parts { title, filter, table, rule: panes.rule, detail: panes.detail }
    }

    /// Index of the selected facility in the world's list.
    fn selected(&self) -> Option<usize> {
        self.order.get(self.cursor.selected).map(|index| *index as usize)
    }
}
