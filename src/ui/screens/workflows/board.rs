//! What runs now, across all state machines: each execution with its present state. And the executions that
//! are watched: the bell rings when one of them ends, whatever screen is in front.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use crate::domain::execution::{Execution, HistoryEvent, Machine, Status, name_of};
use crate::domain::problem::Problem;
use crate::domain::text::shown;
use crate::domain::timeline::Timeline;
use crate::domain::units;
use crate::ui::action::Action;
use crate::ui::effect::{Effect, Reply, Request, Wish};
use crate::ui::remote::{Remote, Ticket};
use crate::ui::route::{Route, Screen};
use crate::ui::screens::workflows::lists::read;
use crate::ui::subs::Sub;
use crate::ui::theme::Role;
use crate::ui::widgets::badge::Badge;
use crate::ui::widgets::graph::badge_of;
use crate::ui::widgets::table::{self, Cell, Column, Cursor, Table};
use crate::ui::widgets::{notice, put, row};
use crate::ui::world::World;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Board {
    /// The running executions of each state machine, by its ARN.
    running: BTreeMap<String, Remote<Vec<Execution>>>,
    /// What is known of each that is followed, by ARN.
    timelines: BTreeMap<String, Timeline>,
    /// ARNs of those that ring the bell.
    watched: BTreeSet<String>,
    pub cursor: Cursor,
    /// ARN of the row under the cursor: rows come and go around it.
    chosen: Option<String>,
}

static COLUMNS: [Column; 5] = [
    Column::new("State machine", 14, 34, 3).middle(),
    Column::new("Execution", 16, 32, 4).middle(),
    Column::new("State", 14, 30, 5),
    Column::new("In it", 9, 10, 2).right(),
    Column::new("Elapsed", 9, 10, 6).right(),
];

/// Executions followed at once on the board: calls to AWS are shared by the whole account.
const FOLLOWED: usize = 50;
const POLITE: usize = 8;

impl Board {
    /// Asks each machine for what runs; those under way are not asked twice.
    pub fn ask(&mut self, world: &mut World, machines: &[Machine]) -> Vec<Wish> {
        let mut wishes = Vec::new();
        // What was deleted has nothing that runs.
        self.running.retain(|arn, _| machines.iter().any(|machine| machine.arn == *arn));
        for machine in machines.iter().filter(|machine| !machine.express) {
            let running = self.running.entry(machine.arn.clone()).or_default();
            if !running.is_waiting() {
                let machine_arn = machine.arn.clone();
                let request = Request::Executions { machine_arn, status: Some(Status::Running), token: None };
                wishes.push(world.ask(Screen::Workflows, running, request));
            }
        }
        wishes
    }

    /// Asks anew after a while.
    pub fn tick(&mut self, world: &mut World, machines: &[Machine]) -> Vec<Wish> {
        let pause = if world.setup.local { 1000 } else { 5000 + 2000 * machines.len() as i64 };
        let pause = TimeDelta::milliseconds(pause);
        let oldest = self.running.values().filter_map(Remote::at).min();
        match oldest.is_none_or(|at| world.now - at >= pause) {
            true => self.ask(world, machines),
            false => Vec::new(),
        }
    }

    pub fn replied(&mut self, world: &World, ticket: Ticket, answer: &Result<Reply, Problem>) -> bool {
        let Some(running) = self.running.values_mut().find(|running| running.awaits(ticket)) else {
            return false;
        };
        let items = read(answer, |reply| match reply {
            Reply::Executions { items, .. } => Some(items.clone()),
            _ => None,
        });
        running.accept(ticket, items, world.now);
        let alive: BTreeSet<String> = self.rows().iter().map(|one| one.arn.clone()).collect();
        // What still runs somewhere may have a stream that does not tell its beginning again.
        let watched = &self.watched;
        self.timelines.retain(|arn, known| alive.contains(arn) || watched.contains(arn) || !known.is_over());
        self.stay();
        let len = alive.len();
        self.cursor.reveal(len, table::page(area(world.body())));
        true
    }

    /// What runs, the longest first.
    fn rows(&self) -> Vec<&Execution> {
        let mut rows: Vec<&Execution> = self
            .running
            .values()
            .filter_map(Remote::value)
            .flatten()
            .filter(|one| self.timelines.get(&one.arn).is_none_or(|timeline| !timeline.is_over()))
            .collect();
        rows.sort_by(|a, b| a.started.cmp(&b.started).then_with(|| a.arn.cmp(&b.arn)));
        rows
    }

    /// The cursor stays on its execution while that has a row; else on the row that took its place.
    fn stay(&mut self) {
        let rows = self.rows();
        let place = self.chosen.as_ref().and_then(|arn| rows.iter().position(|one| one.arn == *arn));
        let selected = place.unwrap_or(self.cursor.selected.min(rows.len().saturating_sub(1)));
        let chosen = rows.get(selected).map(|one| one.arn.clone());
        // While machines answer for the first time, the cursor stands at the top.
        let filling = self.running.values().any(|one| one.value().is_none() && one.is_waiting());
        self.chosen = chosen.filter(|_| !filling || self.chosen.is_some());
        self.cursor.selected = selected;
    }

    /// Takes the row under the cursor as the chosen one, after the person moved it.
    fn choose(&mut self) {
        self.chosen = self.selected();
    }

    /// Takes events of an execution that is on the board or watched; answers whether it has ended by them.
    pub fn happened(&mut self, arn: &str, events: &[HistoryEvent]) -> Vec<Wish> {
        self.timelines.entry(arn.to_owned()).or_default().extend(events);
        self.stay();
        let Some(timeline) = self.timelines.get(arn) else { return Vec::new() };
        if !timeline.is_over() || !self.watched.remove(arn) {
            return Vec::new();
        }
        let word = timeline.status().map_or("ended", |status| Badge::status(status).word);
        let name = name_of(arn);
        let why = timeline.root_cause().map(|cause| {
            let place = if cause.state.is_empty() { String::new() } else { format!(" in {}", cause.state) };
            let error = cause.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
            place + &error
        });
        let text = format!("{name} {word}{}", why.unwrap_or_default());
        vec![Wish::Do(Effect::Notify(format!("ward: {text}"))), Wish::Say(text)]
    }

    /// What a stream has brought of an execution so far.
    pub fn known(&self, arn: &str) -> Option<&Timeline> {
        self.timelines.get(arn)
    }

    /// Takes over what another place knows already: its stream goes on from there.
    pub fn learn(&mut self, arn: &str, timeline: &Timeline) {
        self.timelines.insert(arn.to_owned(), timeline.clone());
    }

    /// Watches an execution, or no longer.
    pub fn watch(&mut self, arn: &str, over: bool) -> Vec<Wish> {
        let name = name_of(arn);
        let text = if self.watched.remove(arn) {
            format!("{name} is no longer watched")
        } else if over {
            "It is over: there is nothing to watch".to_owned()
        } else {
            self.watched.insert(arn.to_owned());
            format!("The bell rings when {name} ends")
        };
        vec![Wish::Say(text)]
    }

    pub fn is_watched(&self, arn: &str) -> bool {
        self.watched.contains(arn)
    }

    /// The streams of the watched, wanted on every screen.
    pub fn watching(&self) -> impl Iterator<Item = Sub> + '_ {
        self.watched.iter().cloned().map(Sub::Execution)
    }

    /// The streams of the rows in view, while the board is in front.
    pub fn subs(&self, world: &World) -> BTreeSet<Sub> {
        let page = table::page(area(world.body()));
        let most = if world.setup.local { FOLLOWED } else { POLITE };
        let rows = self.rows();
        let in_view = rows.iter().skip(self.cursor.offset_for(page)).take(page.min(most));
        let mut subs: BTreeSet<Sub> = in_view.map(|one| Sub::Execution(one.arn.clone())).collect();
        subs.insert(Sub::Clock(if rows.is_empty() { 1000 } else { 250 }));
        subs
    }

    pub fn act(&mut self, world: &World, action: Action) -> Vec<Wish> {
        let rows: Vec<String> = self.rows().iter().map(|one| one.arn.clone()).collect();
        let page = table::page(area(world.body()));
        if self.cursor.act(action, rows.len(), page) {
            self.choose();
            return Vec::new();
        }
        let Some(arn) = rows.get(self.cursor.selected) else { return Vec::new() };
        match action {
            Action::Open | Action::Right => {
                vec![Wish::Open(Route::new(Screen::Workflows).object(arn.clone()))]
            }
            Action::Watch => self.watch(&arn.clone(), false),
            Action::Copy => vec![Wish::Do(Effect::Copy(arn.clone()))],
            _ => Vec::new(),
        }
    }

    /// The execution under the cursor.
    pub fn selected(&self) -> Option<String> {
        self.rows().get(self.cursor.selected).map(|one| one.arn.clone())
    }

    pub fn click(&mut self, world: &World, at: ratatui::layout::Position) -> Vec<Wish> {
        let rows = self.rows().len();
        match table::row_at(area(world.body()), self.cursor, rows, at) {
            Some(row) if row == self.cursor.selected => self.act(world, Action::Open),
            Some(row) => {
                self.cursor.selected = row;
                self.choose();
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    pub fn draw(&self, world: &World, buffer: &mut Buffer, body: Rect) {
        let theme = &world.theme;
        let rows = self.rows();
        if let Some(line) = row(body, 0) {
            let x = put(buffer, line, line.x, "Running now", theme.title(true));
            let machines = self.running.len();
            let of = if machines == 1 { "state machine" } else { "state machines" };
            let text = format!("{} in {machines} {of}", units::grouped(rows.len() as i64));
            let x = put(buffer, line, x + 2, &text, theme.style(Role::Dim));
            if !self.watched.is_empty() {
                put(
                    buffer,
                    line,
                    x + 2,
                    &format!("{} watched", self.watched.len()),
                    theme.style(Role::Active),
                );
            }
        }
        let mut below = area(body);
        for running in self.running.values() {
            if let Some(problem) = running.problem() {
                let used = notice::problem(world, buffer, below, problem, 1).min(below.height);
                below = Rect { y: below.y + used, height: below.height - used, ..below };
                break;
            }
        }
        if rows.is_empty() {
            let waiting = self.running.values().any(|one| one.value().is_none() && one.is_waiting());
            let text =
                if waiting { "Asking what runs" } else { "Nothing runs now; this list fills by itself" };
            notice::say(world, buffer, below, text);
            return;
        }
        let followed = self.subs(world);
        let cell = |line: usize, column: usize| {
            let followed = followed.contains(&Sub::Execution(rows[line].arn.clone()));
            self.cell(world, rows[line], column, followed)
        };
        let (columns, cursor, len) = (&COLUMNS[..], self.cursor, rows.len());
        (&Table { world, columns, len, cursor, focused: true, sorted: None, stale: false, cell })
            .render(below, buffer);
    }

    fn cell<'a>(&'a self, world: &World, one: &'a Execution, column: usize, followed: bool) -> Cell<'a> {
        let timeline = self.timelines.get(&one.arn);
        let visit = timeline.and_then(|timeline| timeline.visits().get(timeline.current()?));
        match column {
            0 => Cell::dim(shown(one.machine_arn.rsplit(':').next().unwrap_or_default())),
            1 if self.watched.contains(&one.arn) => {
                let bell = if world.ascii { "* " } else { "◆ " };
                Cell::new(format!("{bell}{}", shown(&one.name)), Role::Strong)
            }
            1 => Cell::text(shown(&one.name)),
            2 => match visit {
                Some(visit) => {
                    let badge = badge_of(visit);
                    Cell::new(format!("{} {}", badge.glyph(world), shown(&visit.name)), badge.role)
                }
                None if timeline.is_some() => Cell::dim("between states"),
                None if followed => Cell::dim("asking"),
                None => Cell::dim("not followed: over the limit"),
            },
            3 => Cell::dim(visit.map(|visit| units::clock(visit.duration(world.now))).unwrap_or_default()),
            _ => Cell::new(units::clock(world.now - one.started), Role::Active),
        }
    }
}

/// The table below the title.
fn area(body: Rect) -> Rect {
    let used = 2.min(body.height);
    Rect { y: body.y + used, height: body.height - used, ..body }
}
