//! A query that was sent, from the first request to the last page of its result.

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::layout::Rect;

use crate::domain::problem::Problem;
use crate::domain::query::{Query, QueryState};
use crate::domain::units;
use crate::sql::class;
use crate::ui::effect::{Reply, Request, Wish};
use crate::ui::remote::{Remote, Ticket};
use crate::ui::route::Screen;
use crate::ui::screens::queries::reply;
use crate::ui::screens::queries::sheet::{Sheet, untab};
use crate::ui::screens::queries::statement::Origin;
use crate::ui::subs::Sub;
use crate::ui::world::World;

#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The statement as it was sent.
    pub sql: String,
    /// Where it stands in the editor; `None` for a past query.
    pub origin: Option<Origin>,
    /// Whether this console started it: that much may be cancelled even when read-only.
    pub ours: bool,
    asked: DateTime<Utc>,
    /// Its id, once Athena gave one.
    pub starting: Remote<String>,
    /// What Athena says of it.
    pub query: Remote<Query>,
    pub stopping: Remote<()>,
    first: Remote<()>,
    pub sheet: Option<Sheet>,
    /// Why nothing is heard of it any more.
    lost: Option<Problem>,
    /// Why nothing is heard of it at present.
    pub interrupted: Option<Problem>,
}

/// How far it is, for drawing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stage<'a> {
    /// On its way to Athena.
    Sending,
    /// Athena did not take it.
    Refused(&'a Problem),
    /// Its state is not known yet.
    Asking,
    /// Nothing is heard of it.
    Lost(&'a Problem),
    /// Queued or running.
    Live(&'a Query),
    Failed(&'a Query),
    Cancelled(&'a Query),
    /// Done, the result is on its way.
    Fetching(&'a Query),
    /// Done, but the result cannot be had.
    Unread(&'a Query, &'a Problem),
    Here(&'a Query, &'a Sheet),
}

impl Run {
    /// One that is about to be sent.
    pub fn new(sql: &str, origin: Option<Origin>, now: DateTime<Utc>) -> Run {
        Run {
            sql: sql.to_owned(),
            origin,
            ours: true,
            asked: now,
            starting: Remote::default(),
            query: Remote::default(),
            stopping: Remote::default(),
            first: Remote::default(),
            sheet: None,
            lost: None,
            interrupted: None,
        }
    }

    /// One of the history, of which more or less is known.
    pub fn past(id: &str, known: Option<&Query>, now: DateTime<Utc>) -> Run {
        let sql = known.map(|query| query.sql.as_str()).unwrap_or_default();
        let mut run = Run { ours: false, ..Run::new(sql, None, now) };
        run.starting = Remote::here(id.to_owned(), now);
        if let Some(query) = known {
            run.query = Remote::here(query.clone(), now);
        }
        run
    }

    pub fn id(&self) -> Option<&str> {
        self.starting.value().map(String::as_str)
    }

    pub fn stage(&self) -> Stage<'_> {
        if let Some(problem) = self.starting.problem() {
            return Stage::Refused(problem);
        }
        if self.starting.value().is_none() {
            return Stage::Sending;
        }
        let lost = self.lost.as_ref().or(self.query.problem());
        let Some(query) = self.query.value() else {
            return lost.map_or(Stage::Asking, Stage::Lost);
        };
        match (query.state, &self.sheet, self.first.problem()) {
            (QueryState::Failed, ..) => Stage::Failed(query),
            (QueryState::Cancelled, ..) => Stage::Cancelled(query),
            (QueryState::Succeeded, Some(sheet), _) => Stage::Here(query, sheet),
            (QueryState::Succeeded, None, Some(problem)) if !self.first.is_waiting() => {
                Stage::Unread(query, problem)
            }
            (QueryState::Succeeded, None, _) => Stage::Fetching(query),
            _ => lost.map_or(Stage::Live(query), Stage::Lost),
        }
    }

    /// Whether something of it still moves.
    pub fn is_live(&self) -> bool {
        matches!(self.stage(), Stage::Sending | Stage::Asking | Stage::Live(_) | Stage::Fetching(_))
    }

    /// Whether Athena has not said yet that it is over.
    pub fn is_running(&self) -> bool {
        matches!(self.stage(), Stage::Asking | Stage::Live(_))
    }

    /// How long it has run, or ran.
    pub fn elapsed(&self, now: DateTime<Utc>) -> TimeDelta {
        let query = self.query.value();
        if let Some(query) = query.filter(|query| query.state.is_over()) {
            let millis = query.total_millis.and_then(|millis| i64::try_from(millis).ok());
            let span = query.submitted.zip(query.completed).map(|(from, to)| to - from);
            return millis.map(TimeDelta::milliseconds).or(span).unwrap_or_default();
        }
        // The console's own clock, where it can be: Athena's may differ.
        let from = if self.ours { self.asked } else { query.and_then(|q| q.submitted).unwrap_or(self.asked) };
        now - from
    }

    pub fn sub(&self) -> Option<Sub> {
        let id = self.id().filter(|_| self.lost.is_none() && self.is_running())?;
        Some(Sub::Query(id.to_owned()))
    }

    /// Asks again: for its state, or for its result when that is over.
    pub fn ask(&mut self, world: &mut World) -> Vec<Wish> {
        let Some(id) = self.id().map(str::to_owned) else { return Vec::new() };
        self.lost = None;
        match self.query.value().map(|query| query.state) {
            Some(QueryState::Succeeded) => self.ask_result(world),
            Some(QueryState::Failed | QueryState::Cancelled) => Vec::new(),
            _ if self.query.is_waiting() => Vec::new(),
            _ => vec![world.ask(Screen::Queries, &mut self.query, Request::Query { id })],
        }
    }

    fn ask_result(&mut self, world: &mut World) -> Vec<Wish> {
        match self.id().map(str::to_owned) {
            Some(id) if !self.first.is_waiting() => {
                let request = Request::Results { id, token: None };
                vec![world.ask(Screen::Queries, &mut self.first, request)]
            }
            _ => Vec::new(),
        }
    }

    /// Athena said something of it; asks for the result once there is one.
    pub fn heard(&mut self, world: &mut World, query: Query) -> Vec<Wish> {
        if self.query.value().is_some_and(|known| known.state.is_over()) {
            return Vec::new();
        }
        let done = query.state == QueryState::Succeeded;
        if self.sql.is_empty() {
            self.sql.clone_from(&query.sql);
        }
        self.query = Remote::here(query, world.now);
        self.lost = None;
        self.interrupted = None;
        if done { self.ask_result(world) } else { Vec::new() }
    }

    /// Its stream ended before it was over.
    pub fn ended(&mut self, problem: Option<Problem>) -> Vec<Wish> {
        match problem {
            Some(problem) if self.is_running() => {
                self.lost = Some(problem.clone());
                vec![Wish::Blame(problem)]
            }
            _ => Vec::new(),
        }
    }

    /// Takes an answer if it is for this query; `None` when it is not.
    pub fn replied(
        &mut self,
        world: &mut World,
        ticket: Ticket,
        answer: &Result<Reply, Problem>,
        area: Rect,
    ) -> Option<Vec<Wish>> {
        let now = world.now;
        if self.query.awaits(ticket) {
            let query = reply(answer, |reply| match reply {
                Reply::Query(query) => Some((**query).clone()),
                _ => None,
            });
            return Some(match query {
                Ok(query) => self.heard(world, query),
                Err(problem) => {
                    self.query.accept(ticket, Err(problem.clone()), now);
                    vec![Wish::Blame(problem)]
                }
            });
        }
        if self.stopping.awaits(ticket) {
            let done = reply(answer, |reply| matches!(reply, Reply::Done).then_some(()));
            self.stopping.accept(ticket, done.clone(), now);
            return Some(done.err().map(Wish::Blame).into_iter().collect());
        }
        let id = self.id().map(str::to_owned).unwrap_or_default();
        let page = reply(answer, |reply| match reply {
            Reply::Results { grid, next } => Some((grid.clone(), next.clone())),
            _ => None,
        });
        if self.first.awaits(ticket) {
            self.first.accept(ticket, page.as_ref().map(|_| ()).map_err(Clone::clone), now);
            return Some(match page {
                Ok((mut grid, next)) => {
                    if class::classify(&self.sql).kind == class::Kind::Utility {
                        untab(&mut grid);
                    }
                    let sheet = self.sheet.insert(Sheet::new(grid, next));
                    sheet.reveal(area);
                    sheet.page_in(world, &id, area)
                }
                Err(problem) => vec![Wish::Blame(problem)],
            });
        }
        let sheet = self.sheet.as_mut()?;
        if sheet.more.awaits(ticket) {
            sheet.more.accept(ticket, page.as_ref().map(|_| ()).map_err(Clone::clone), now);
            return Some(match page {
                Ok((grid, next)) => {
                    let mut wishes = sheet.extend(world, grid, next);
                    // A search goes on where the person goes on; it does not read the whole by itself.
                    if sheet.is_whole_order() {
                        wishes.extend(sheet.page_in(world, &id, area));
                    }
                    wishes
                }
                Err(problem) => vec![Wish::Blame(problem)],
            });
        }
        match answer {
            Ok(Reply::Arranged(order)) if sheet.arranged(world, ticket, order, area) => Some(Vec::new()),
            _ => None,
        }
    }
}

/// What a query read and costs, in words as far as there is room: `65.3 KiB scanned  about $0.00005`, or
/// `65.3 KiB  $0.00005`, or nothing.
pub fn cost(query: &Query, room: u16) -> String {
    let Some(scanned) = query.scanned else { return String::new() };
    let (bytes, price) = (units::bytes(scanned), units::money(units::athena_price(scanned)));
    let about = if scanned == 0 { "" } else { "about " };
    let texts = [format!("{bytes} scanned  {about}{price}"), format!("{bytes}  {price}")];
    texts.into_iter().find(|text| text.len() <= usize::from(room)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::grid::Grid;
    use crate::ui::effect::Effect;
    use crate::ui::screens::queries::list::fresh;
    use crate::ui::screens::queries::tests::world;

    fn asked(wishes: &[Wish]) -> (Ticket, Request) {
        match wishes {
            [Wish::Do(Effect::Ask(ticket, request))] => (*ticket, request.clone()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn from_sending_to_the_result() {
        let mut world = world();
        let mut run = Run::new("SELECT 1", None, world.now);
        assert_eq!((run.stage(), run.sub()), (Stage::Sending, None));
        run.starting = Remote::here("q".to_owned(), world.now);
        assert_eq!((run.stage(), run.sub()), (Stage::Asking, Some(Sub::Query("q".into()))));
        let mut query = fresh("q", "SELECT 1", &world);
        assert_eq!(run.heard(&mut world, query.clone()), []);
        assert!(matches!(run.stage(), Stage::Live(_)));
        query.state = QueryState::Succeeded;
        let (ticket, request) = asked(&run.heard(&mut world, query.clone()));
        assert_eq!(request, Request::Results { id: "q".into(), token: None });
        assert!(matches!(run.stage(), Stage::Fetching(_)) && run.sub().is_none());
        let answer = Ok(Reply::Results { grid: Grid::default(), next: None });
        assert_eq!(run.replied(&mut world, ticket, &answer, Rect::ZERO), Some(Vec::new()));
        assert!(matches!(run.stage(), Stage::Here(..)));
        // A late word of the stream changes nothing.
        query.state = QueryState::Running;
        run.heard(&mut world, query);
        assert!(matches!(run.stage(), Stage::Here(..)));
    }

    #[test]
    fn a_stream_that_breaks_is_said_and_asked_again() {
        let mut world = world();
        let mut run = Run::past("q", Some(&fresh("q", "SELECT 1", &world)), world.now);
        let problem = Problem::new("No answer");
        assert_eq!(run.ended(Some(problem.clone())), [Wish::Blame(problem.clone())]);
        assert_eq!((run.stage(), run.sub()), (Stage::Lost(&problem), None));
        let (_, request) = asked(&run.ask(&mut world));
        assert_eq!(request, Request::Query { id: "q".into() });
        assert!(matches!(run.stage(), Stage::Live(_)));
    }
}
