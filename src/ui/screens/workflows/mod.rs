//! Workflows: state machines, their executions, and one execution live.
//!
//! ```text
//!  HealthcarePipelineStateMachine / run-7f3a   ◐ running 6.2 s    │ CheckQueryStatus
//!  Graph  Timeline  Events                                        │ Task  athena:getQueryExecution
//!                                                                 │ entered 15:04:11.204  0.31 s
//!  ✔ InvokeLambdaFunction                    ↻ 1×      1.21 s     │ Input  Output  Definition  Attempts
//!  │                                                              │ {
//!  ✔ WaitForQueryCompletion                            5.00 s     │   "QueryExecutionId": "…"
//! ```
//!
//! [`lists`] holds machines and executions, [`open`] what runs beyond their newest page, [`board`] what runs now, [`run`] the execution that is open,
//! [`inspect`] its right pane, [`items`] one item of a Map in it, [`story`] what went wrong with it, [`start`]
//! the form for a new one. Every one of them updates itself; `update.rs` only decides which.

mod acts;
mod answers;
mod arrivals;
pub mod board;
mod express;
mod inspect;
mod inspector_view;
mod items;
mod limits;
mod lists;
mod lists_view;
mod moves;
mod on_board;
mod on_lists;
mod on_run;
mod open;
mod pointer;
mod recent;
mod run;
mod run_view;
mod start;
mod story;
mod update;

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::action::Action;
use crate::ui::effect::Wish;
use crate::ui::keymap::Context;
use crate::ui::remote::Remote;
use crate::ui::route::{Route, Screen};
use crate::ui::screens::{Msg, Place};
use crate::ui::subs::Sub;
use crate::ui::world::World;

pub use run::{Pane, Run, View};

/// What is in front on this screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spot {
    /// The list of state machines.
    Machines,
    /// What runs now, of all of them.
    Board,
    #[default]
    Executions,
    Execution,
    /// The form for a new execution.
    Start,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    pub spot: Spot,
    pub lists: lists::Lists,
    pub run: Option<Run>,
    pub board: board::Board,
    pub form: Option<start::Form>,
    /// A file that is read for the form.
    pub file: Remote<()>,
    /// A start under way; the answer is the new execution's ARN.
    pub starting: Remote<String>,
    /// A stop or redrive under way.
    pub doing: Remote<()>,
}

impl Place for Model {
    fn contexts(&self) -> Vec<Context> {
        match self.spot {
            Spot::Start => self.form.iter().map(start::Form::context).collect(),
            _ if self.typing() => vec![Context::Field, Context::Workflows],
            _ => vec![Context::Workflows],
        }
    }

    fn typing(&self) -> bool {
        match self.spot {
            Spot::Start => self.form.is_some(),
            Spot::Execution => self.run.as_ref().is_some_and(|run| run.searching),
            Spot::Executions | Spot::Machines => self.lists.filtering,
            Spot::Board => false,
        }
    }

    fn route(&self) -> Route {
        let route = Route::new(Screen::Workflows);
        match (self.spot, &self.run, &self.lists.machine) {
            (Spot::Execution, Some(run), _) => route.object(run.arn.clone()),
            (Spot::Executions | Spot::Start, _, Some(machine)) => route.object(machine.clone()),
            (Spot::Machines, _, _) => route.object("machines"),
            (Spot::Board, _, _) => route.object("board"),
            _ => route,
        }
    }

    fn parent(&self) -> Option<Route> {
        match (self.spot, &self.run) {
            (Spot::Execution, Some(run)) => Some(Route::new(Screen::Workflows).object(run.machine_arn())),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<Action> {
        match self.spot {
            Spot::Start if self.form.as_ref().is_some_and(|form| form.naming) => {
                vec![Action::Accept, Action::Back]
            }
            Spot::Start => vec![Action::Run, Action::Format, Action::Load, Action::LeaveEditor],
            _ if self.typing() => vec![Action::Accept, Action::Back],
            Spot::Machines => {
                vec![Action::Open, Action::Start, Action::Board, Action::Filter, Action::Refresh]
            }
            Spot::Board => vec![Action::Open, Action::Watch, Action::Stop, Action::Refresh, Action::Back],
            Spot::Executions if self.lists.map_run().is_some() => {
                vec![Action::Open, Action::Status, Action::Failing, Action::Filter, Action::Back]
            }
            Spot::Executions => {
                vec![Action::Open, Action::Start, Action::Status, Action::Filter, Action::Board]
            }
            Spot::Execution => match &self.run {
                Some(run) if run.is_over() && run.failed() => {
                    let mut keys = vec![Action::NextView, Action::CopyReport, Action::Redrive];
                    keys.extend([Action::Again, Action::Related]);
                    // Express executions cannot be redriven.
                    keys.retain(|key| *key != Action::Redrive || !run.arn.contains(":express:"));
                    keys
                }
                Some(run) if run.is_over() || run.is_express() => {
                    vec![Action::NextPane, Action::NextView, Action::Again, Action::Related, Action::Back]
                }
                Some(run) if run.token().is_some() => {
                    vec![Action::NextPane, Action::NextView, Action::Answer, Action::Stop, Action::Back]
                }
                _ => vec![Action::NextPane, Action::NextView, Action::Watch, Action::Stop, Action::Back],
            },
        }
    }

    fn update(&mut self, world: &mut World, msg: Msg) -> Vec<Wish> {
        update::update(self, world, msg)
    }

    fn view(&self, world: &World, area: Rect, buffer: &mut Buffer) {
        match (self.spot, &self.run, &self.form) {
            (Spot::Execution, Some(run), _) => {
                run_view::draw(run, &self.lists, self.board.is_watched(&run.arn), world, buffer, area);
            }
            (Spot::Board, _, _) => self.board.draw(world, buffer, area),
            (Spot::Start, _, Some(form)) => form.draw(world, buffer, area, &self.starting),
            (Spot::Machines, _, _) => lists_view::machines(&self.lists, world, buffer, area),
            _ => lists_view::executions(&self.lists, world, buffer, area, &self.starting),
        }
    }

    fn subs(&self, world: &World) -> BTreeSet<Sub> {
        match (self.spot, &self.run) {
            (Spot::Execution, Some(run)) => run.subs(),
            (Spot::Board, _) => self.board.subs(world),
            (Spot::Executions, _) if self.lists.any_running() => BTreeSet::from([Sub::Clock(250)]),
            // Somebody else may start one.
            (Spot::Executions, _) if !self.lists.is_express() => BTreeSet::from([Sub::Clock(5_000)]),
            _ => BTreeSet::new(),
        }
    }
}
