//! Queries: saved statements and the history of Athena, an editor, and what came out.
//!
//! ```text
//!  Saved 10   History 24                 │ Facilities per state
//!                                        │  1 SELECT state, count(*) AS facility_count
//!    Title                Name           │  2 FROM {{database}}.{{table}}
//!    Facility metrics     facility_metr… │  3 GROUP BY state
//!  ▌ Facilities per state facilities_pe… │
//!    Expiring within a …  expiring_within│ Result  ✔ succeeded  31 ms  65.3 KiB scanned  48 rows
//!    Lapsed accreditati…  lapsed         │   state↑  facility_count
//!                                        │ ▌ AK                   2
//! ```
//!
//! [`list`] holds what can be chosen, [`statement`] what is edited, [`run`] the query that was sent and its
//! result, a [`sheet`]; `update` says what each fact does, `on_list`, `on_statement` and `on_result` what
//! each key does there; the files in `_view` draw.

mod choices;
mod failure;
mod list;
mod list_view;
mod offers;
mod on_list;
mod on_result;
mod on_statement;
mod result_view;
mod run;
mod saved;
mod sheet;
mod sheet_view;
mod statement;
mod statement_view;
mod update;
mod view;
mod viewer;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::domain::problem::Problem;
use crate::sql::complete::Table;
use crate::ui::action::Action;
use crate::ui::areas;
use crate::ui::effect::{Reply, Wish};
use crate::ui::keymap::Context;
use crate::ui::remote::Remote;
use crate::ui::route::{Route, Screen};
use crate::ui::screens::{Msg, Place};
use crate::ui::subs::Sub;
use crate::ui::world::World;
use list::Chosen;
use run::Stage;
use statement::{Prepared, Source};

/// Which pane has the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Focus {
    #[default]
    List,
    Statement,
    Result,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    focus: Focus,
    list: list::List,
    statement: statement::Statement,
    run: Option<run::Run>,
    /// The tables of the database, for completion and hints.
    tables: Remote<Vec<Table>>,
    /// What a confirmed statement will be, once it may be sent.
    prepared: Option<Prepared>,
    /// Whether a parameter was asked for in order to run the statement.
    running_on: bool,
    exporting: Remote<()>,
    /// The end of a query of the history, under way.
    stopping: Remote<()>,
    /// The saved query that a route named, until the person's own are known.
    wanted: Option<String>,
}

/// The object of the route that means the editor with a statement of the person's own.
const EDITOR: &str = "editor";

impl Place for Model {
    fn contexts(&self) -> Vec<Context> {
        if self.is_editing() {
            vec![Context::Editor, Context::Queries]
        } else if self.typing() {
            vec![Context::Field, Context::Queries]
        } else {
            vec![Context::Queries]
        }
    }

    fn typing(&self) -> bool {
        match self.focus {
            Focus::List => self.list.filtering,
            Focus::Statement => self.statement.typing,
            Focus::Result => self.sheet().is_some_and(|sheet| sheet.searching),
        }
    }

    fn route(&self) -> Route {
        let route = Route::new(Screen::Queries);
        if self.focus == Focus::List {
            return route;
        }
        let id = self.run.as_ref().and_then(|run| run.id());
        match (&self.statement.source, id.filter(|_| self.focus == Focus::Result)) {
            (_, Some(id)) => route.object(id),
            (Source::Saved(name), None) => route.object(name.clone()),
            (Source::Past(id), None) => route.object(id.clone()),
            (Source::New, None) => route.object(EDITOR),
        }
    }

    fn parent(&self) -> Option<Route> {
        (self.focus != Focus::List).then(|| Route::new(Screen::Queries))
    }

    fn keys(&self) -> Vec<Action> {
        if self.is_editing() {
            return vec![Action::Run, Action::Complete, Action::Undo, Action::LeaveEditor, Action::Help];
        }
        if self.typing() {
            return vec![Action::Accept, Action::Back];
        }
        let stage = self.run.as_ref().map(run::Run::stage);
        match self.focus {
            Focus::List => vec![Action::Open, Action::Run, Action::New, Action::NextView, Action::Filter],
            Focus::Statement if self.statement.parameters().is_empty() => {
                vec![Action::Run, Action::Edit, Action::NextPane, Action::CopyMore, Action::Back]
            }
            Focus::Statement => {
                vec![Action::Run, Action::Edit, Action::Parameters, Action::NextPane, Action::Back]
            }
            Focus::Result => match stage {
                Some(Stage::Here(_, sheet)) if sheet.viewer.is_some() => {
                    vec![Action::Back, Action::NextView, Action::Copy, Action::NextPane]
                }
                Some(Stage::Here(_, sheet)) if sheet.has_bars() => {
                    vec![Action::Open, Action::Sort, Action::Filter, Action::Chart, Action::Export]
                }
                Some(Stage::Here(..)) => {
                    vec![Action::Open, Action::Sort, Action::Filter, Action::CopyMore, Action::Export]
                }
                Some(Stage::Asking | Stage::Live(_)) => vec![Action::Cancel, Action::NextPane, Action::Back],
                Some(Stage::Lost(_) | Stage::Unread(..)) => {
                    vec![Action::Refresh, Action::Problems, Action::Back]
                }
                _ => vec![Action::Edit, Action::Run, Action::NextPane, Action::Back],
            },
        }
    }

    fn update(&mut self, world: &mut World, msg: Msg) -> Vec<Wish> {
        update::update(self, world, msg)
    }

    fn view(&self, world: &World, area: Rect, buffer: &mut Buffer) {
        view::view(self, world, area, buffer);
    }

    fn subs(&self, _world: &World) -> BTreeSet<Sub> {
        let mut subs: BTreeSet<Sub> = self.list.running().map(|id| Sub::Query(id.to_owned())).collect();
        subs.extend(self.run.as_ref().and_then(run::Run::sub));
        if !subs.is_empty() || self.run.as_ref().is_some_and(run::Run::is_live) {
            subs.insert(Sub::Clock(250));
        } else if self.shows_history() {
            subs.insert(Sub::Clock(5_000));
        }
        subs
    }
}

/// The areas of the screen. In a narrow window only the focused pane has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parts {
    list: Option<Rect>,
    rule: Option<Rect>,
    statement: Option<Rect>,
    result: Option<Rect>,
}

impl Model {
    fn sheet(&self) -> Option<&sheet::Sheet> {
        self.run.as_ref()?.sheet.as_ref()
    }

    /// Whether the history is in front, which others may make longer.
    fn shows_history(&self) -> bool {
        self.focus == Focus::List && self.list.shelf == list::Shelf::History
    }

    fn is_editing(&self) -> bool {
        self.focus == Focus::Statement && self.statement.typing
    }

    /// Splits the screen's body: the list beside statement and result from 110 columns on, else the
    /// focused one alone.
    fn parts(&self, body: Rect) -> Parts {
        let mut parts = Parts { list: None, rule: None, statement: None, result: None };
        if body.width + 2 < areas::SIDE_BY_SIDE {
            match self.focus {
                Focus::List => parts.list = Some(body),
                Focus::Statement => parts.statement = Some(body),
                Focus::Result => parts.result = Some(body),
            }
            return parts;
        }
        let width = (body.width / 25 * 9).clamp(43, 64);
        parts.list = Some(Rect { width, ..body });
        parts.rule = Some(Rect { x: body.x + width + 1, width: 1, ..body });
        let work = Rect { x: body.x + width + 3, width: body.width - width - 3, ..body };
        // As high as its text, so that the result has the rest; never less than five lines, and with the
        // help line it has.
        let wanted = self.statement.editor.lines().len() + statement_view::HEADING as usize;
        let most = usize::from(work.height * 2 / 5);
        let height = wanted.clamp(6.min(most), most.max(1)) as u16;
        parts.statement = Some(Rect { height, ..work });
        let below = (height + 1).min(work.height);
        parts.result = Some(Rect { y: work.y + below, height: work.height - below, ..work });
        parts
    }

    /// What is selected in the list and shown instead of statement and result: anything but what is in
    /// the editor already.
    fn preview(&self) -> Option<Chosen<'_>> {
        let chosen = self.list.chosen().filter(|_| self.focus == Focus::List)?;
        let open = match (chosen, &self.statement.source) {
            (Chosen::Saved(saved), Source::Saved(name)) => saved.name == *name,
            (Chosen::Past(query), Source::Past(id)) => query.id == *id,
            _ => false,
        };
        let runs = matches!(chosen, Chosen::Past(query) if self.run.as_ref().and_then(|run| run.id()) == Some(&query.id));
        (!open && !runs).then_some(chosen)
    }

    fn tables(&self) -> &[Table] {
        self.tables.value().map(Vec::as_slice).unwrap_or_default()
    }
}

/// The answer as the wanted type; any other answer is a problem of its own.
fn reply<T>(answer: &Result<Reply, Problem>, wanted: impl Fn(&Reply) -> Option<T>) -> Result<T, Problem> {
    match answer {
        Ok(reply) => wanted(reply).ok_or_else(|| Problem::new("The answer belongs to another question")),
        Err(problem) => Err(problem.clone()),
    }
}
