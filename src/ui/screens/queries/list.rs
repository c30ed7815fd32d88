//! What can be chosen: saved queries, and the history of the work group, newest first.

use ratatui::layout::Rect;

use crate::domain::problem::Problem;
use crate::domain::query::{Query, QueryState};
use crate::ui::action::Action;
use crate::ui::effect::{Reply, Request, Wish};
use crate::ui::remote::{Remote, Ticket};
use crate::ui::route::Screen;
use crate::ui::screens::queries::reply;
use crate::ui::screens::queries::saved::{self, Saved};
use crate::ui::widgets::line::Line;
use crate::ui::widgets::table::{self, Cursor};
use crate::ui::world::World;

/// Which of the two lists is in front.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shelf {
    #[default]
    Saved,
    History,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct List {
    pub shelf: Shelf,
    /// The person's own queries: name and text.
    own: Remote<Vec<(String, String)>>,
    pub saved: Vec<Saved>,
    pub history: Remote<Vec<Query>>,
    /// Where the next page of the history begins.
    pub next: Option<String>,
    /// The page after those that are here, under way.
    pub more: Remote<()>,
    pub filter: Line,
    pub filtering: bool,
    /// Indices that the filter leaves, of saved queries and of the history.
    rows: [Vec<usize>; 2],
    cursors: [Cursor; 2],
}

/// What is selected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Chosen<'a> {
    Saved(&'a Saved),
    Past(&'a Query),
}

/// Running queries of the history that are followed at once.
const FOLLOWED: usize = 4;

impl List {
    pub fn begin(&mut self) {
        self.saved = saved::all(&[]);
        self.arrange([None, None]);
    }

    /// Asks for what is not known yet, and for the newest of the history.
    pub fn ask(&mut self, world: &mut World) -> Vec<Wish> {
        let mut wishes = Vec::new();
        if !self.own.is_waiting() {
            wishes.push(world.ask(Screen::Queries, &mut self.own, Request::SavedQueries));
        }
        if !self.history.is_waiting() {
            wishes.push(self.ask_history(world));
        }
        wishes
    }

    fn ask_history(&mut self, world: &mut World) -> Wish {
        world.ask(Screen::Queries, &mut self.history, Request::Queries { token: None })
    }

    /// The history is asked for again from time to time, more often while something in it runs.
    pub fn tick(&mut self, world: &mut World) -> Vec<Wish> {
        let runs = self.running().next().is_some();
        if self.history.is_due(world.now, world.patience(runs)) {
            vec![self.ask_history(world)]
        } else {
            Vec::new()
        }
    }

    /// Whether the person's own queries are here or cannot be had.
    pub fn knows_own(&self) -> bool {
        self.own.value().is_some() || self.own.problem().is_some()
    }

    pub fn named(&self, name: &str) -> Option<&Saved> {
        self.saved.iter().find(|saved| saved.name == name)
    }

    pub fn past(&self, id: &str) -> Option<&Query> {
        self.history.value()?.iter().find(|query| query.id == id)
    }

    pub fn rows(&self, shelf: Shelf) -> &[usize] {
        &self.rows[shelf as usize]
    }

    pub fn cursor(&self) -> Cursor {
        self.cursors[self.shelf as usize]
    }

    pub fn chosen(&self) -> Option<Chosen<'_>> {
        let row = *self.rows(self.shelf).get(self.cursor().selected)?;
        match self.shelf {
            Shelf::Saved => self.saved.get(row).map(Chosen::Saved),
            Shelf::History => self.history.value()?.get(row).map(Chosen::Past),
        }
    }

    fn key(&self, shelf: Shelf) -> Option<String> {
        let row = *self.rows(shelf).get(self.cursors[shelf as usize].selected)?;
        match shelf {
            Shelf::Saved => self.saved.get(row).map(|saved| saved.name.clone()),
            Shelf::History => self.history.value()?.get(row).map(|query| query.id.clone()),
        }
    }

    fn keys(&self) -> [Option<String>; 2] {
        [self.key(Shelf::Saved), self.key(Shelf::History)]
    }

    /// Works out what the filter leaves, and selects what was selected before.
    fn arrange(&mut self, kept: [Option<String>; 2]) {
        let words: Vec<String> = self.filter.text().split_whitespace().map(str::to_lowercase).collect();
        let passes = |texts: &[&str]| {
            words.iter().all(|word| texts.iter().any(|text| text.to_lowercase().contains(word)))
        };
        let saved = self.saved.iter().enumerate();
        let saved = saved.filter(|(_, saved)| passes(&[&saved.name, saved.title(), saved.help()]));
        self.rows[0] = saved.map(|(index, _)| index).collect();
        let history = self.history.value().map(Vec::as_slice).unwrap_or_default();
        let past = history.iter().enumerate().filter(|(_, query)| {
            if words.is_empty() {
                return true;
            }
            let (title, reason) = (self.title(query), query.reason.as_deref());
            let (title, reason) = (title.unwrap_or_default(), reason.unwrap_or_default());
            passes(&[&query.sql, query.state.as_str(), &query.id, title, reason])
        });
        self.rows[1] = past.map(|(index, _)| index).collect();
        let [name, id] = kept;
        let at_name = self.rows[0].iter().position(|row| Some(&self.saved[*row].name) == name.as_ref());
        let at_id = self.rows[1].iter().position(|row| Some(&history[*row].id) == id.as_ref());
        for (cursor, at) in self.cursors.iter_mut().zip([at_name, at_id]) {
            cursor.selected = at.unwrap_or(0);
        }
    }

    /// The title of the saved query that a statement was made from.
    pub fn title(&self, query: &Query) -> Option<&str> {
        self.saved.iter().find(|saved| saved.made(&query.sql)).map(Saved::title)
    }

    /// The filter changed.
    pub fn filtered(&mut self) {
        self.arrange([None, None]);
        self.cursors = [Cursor::default(); 2];
    }

    /// Selects a saved query or a past one, with what hides it taken away.
    pub fn select(&mut self, shelf: Shelf, key: &str, page: usize) {
        self.shelf = shelf;
        let mut kept = self.keys();
        kept[shelf as usize] = Some(key.to_owned());
        self.arrange(kept.clone());
        if self.key(shelf).as_deref() != Some(key) && !self.filter.is_empty() {
            self.filter.clear();
            self.arrange(kept);
        }
        self.reveal(page);
    }

    pub fn reveal(&mut self, page: usize) {
        for (cursor, rows) in self.cursors.iter_mut().zip(&self.rows) {
            cursor.reveal(rows.len(), page);
        }
    }

    /// Obeys a moving action, asking for the next page at the end of this one; `None` for another action.
    pub fn act(&mut self, world: &mut World, action: Action, page: usize) -> Option<Vec<Wish>> {
        let shelf = self.shelf as usize;
        let moved = self.cursors[shelf].act(action, self.rows[shelf].len(), page);
        moved.then(|| self.page_in(world))
    }

    pub fn wheel(&mut self, world: &mut World, by: isize, page: usize) -> Vec<Wish> {
        let shelf = self.shelf as usize;
        self.cursors[shelf].wheel(by, self.rows[shelf].len(), page);
        self.page_in(world)
    }

    /// Selects the clicked row; says whether it was selected already.
    pub fn click(&mut self, row: usize) -> bool {
        let cursor = &mut self.cursors[self.shelf as usize];
        let again = cursor.selected == row;
        cursor.selected = row;
        again
    }

    /// The next page, once the selection nears the end of what is here.
    fn page_in(&mut self, world: &mut World) -> Vec<Wish> {
        let near = self.shelf == Shelf::History && self.cursors[1].selected + 3 >= self.rows[1].len();
        match self.next.clone().filter(|_| near && !self.more.is_waiting()) {
            Some(token) => {
                let request = Request::Queries { token: Some(token) };
                vec![world.ask(Screen::Queries, &mut self.more, request)]
            }
            None => Vec::new(),
        }
    }

    /// Ids of queries that run, newest first.
    pub fn running(&self) -> impl Iterator<Item = &str> {
        let all = self.history.value().map(Vec::as_slice).unwrap_or_default();
        all.iter().filter(|query| !query.state.is_over()).map(|query| query.id.as_str()).take(FOLLOWED)
    }

    /// A newer state of a query; one that is not known yet comes first.
    pub fn heard(&mut self, query: &Query) {
        let kept = self.keys();
        let Some(all) = self.history.value_mut() else { return };
        match all.iter().position(|known| known.id == query.id) {
            // An answer that was asked before a query ended must not make it run again.
            Some(at) if all[at].state.is_over() && !query.state.is_over() => {}
            Some(at) => all[at] = query.clone(),
            None if all.last().is_none_or(|last| last.submitted <= query.submitted) => {
                all.insert(0, query.clone());
                all.sort_by_key(|query| std::cmp::Reverse(query.submitted));
            }
            None => return,
        }
        self.arrange(kept);
    }

    /// Takes an answer if it is for this list; `None` when it is not.
    pub fn replied(
        &mut self,
        world: &mut World,
        ticket: Ticket,
        answer: &Result<Reply, Problem>,
        area: Rect,
    ) -> Option<Vec<Wish>> {
        let now = world.now;
        let page = table::page(area);
        let kept = self.keys();
        if self.own.awaits(ticket) {
            let own = reply(answer, |reply| match reply {
                Reply::SavedQueries(own) => Some(own.clone()),
                _ => None,
            });
            self.own.accept(ticket, own, now);
            self.saved = saved::all(self.own.value().map(Vec::as_slice).unwrap_or_default());
            self.arrange(kept);
            self.reveal(page);
            return Some(blame(self.own.problem()));
        }
        let newest = self.history.awaits(ticket);
        if !newest && !self.more.awaits(ticket) {
            return None;
        }
        let arrived = reply(answer, |reply| match reply {
            Reply::Queries { items, next } => Some((items.clone(), next.clone())),
            _ => None,
        });
        let failed = self.history.problem().is_some();
        if newest {
            let merged = arrived.map(|(items, next)| self.merge(items, next));
            self.history.accept(ticket, merged, now);
        } else {
            self.more.accept(ticket, arrived.as_ref().map(|_| ()).map_err(Clone::clone), now);
            if let (Ok((items, next)), Some(all)) = (arrived, self.history.value_mut()) {
                self.next = next;
                let new = items.into_iter().filter(|item| !all.iter().any(|known| known.id == item.id));
                let new: Vec<Query> = new.collect();
                all.extend(new);
            }
        }
        self.arrange(kept);
        self.reveal(page);
        Some(match self.history.problem() {
            _ if !newest => blame(self.more.problem()),
            Some(problem) => vec![Wish::Unanswered(problem.clone())],
            None if failed => vec![Wish::Answered],
            None => Vec::new(),
        })
    }

    /// The newest page with what is known besides: older pages, and queries that it does not list yet.
    fn merge(&mut self, mut items: Vec<Query>, next: Option<String>) -> Vec<Query> {
        let old = self.history.value().map(Vec::as_slice).unwrap_or_default();
        let listed = |query: &Query| items.iter().any(|item| item.id == query.id);
        let meets = old.iter().any(listed) || next.is_none();
        let last = items.last().and_then(|query| query.submitted);
        let older = |query: &Query| query.submitted < last;
        // Without a common query there may be others between the pages: the older ones come again.
        let known: Vec<Query> =
            old.iter().filter(|query| !listed(query) && (meets || !older(query))).cloned().collect();
        if !known.iter().any(older) {
            self.next = next;
        }
        items.extend(known);
        items.sort_by_key(|query| std::cmp::Reverse(query.submitted));
        items
    }
}

/// A query as it is before Athena said anything of it.
pub fn fresh(id: &str, sql: &str, world: &World) -> Query {
    Query {
        id: id.to_owned(),
        sql: sql.to_owned(),
        state: QueryState::Queued,
        reason: None,
        database: Some(world.setup.database.clone()),
        workgroup: Some(world.setup.workgroup.clone()),
        output_location: None,
        submitted: Some(world.now),
        completed: None,
        scanned: None,
        engine_millis: None,
        queue_millis: None,
        total_millis: None,
    }
}

fn blame(problem: Option<&Problem>) -> Vec<Wish> {
    problem.map(|problem| Wish::Blame(problem.clone())).into_iter().collect()
}
