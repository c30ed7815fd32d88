//! What every screen may know: the target, the clock, the settings, the theme, and the facilities, which
//! two screens share. Screens read it; what they may change goes through its methods.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use ratatui::layout::Rect;

use crate::domain::facility::Facility;
use crate::domain::object::Object;
use crate::domain::problem::Problem;
use crate::ui::areas;
use crate::ui::effect::{Effect, Request, Wish};
use crate::ui::keymap::Keymap;
use crate::ui::remote::{Remote, Ticket};
use crate::ui::route::Screen;
use crate::ui::say::Zone;
use crate::ui::session::Session;
use crate::ui::theme::Theme;

/// What the console is told once, at its start.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    /// How the header names the target until it answers: `LOCAL`, `AWS`, or the endpoint's host.
    pub target: String,
    /// Writing asks on a target that is not local.
    pub local: bool,
    pub region: String,
    pub bucket: String,
    /// Where the facility records are: `raw/`.
    pub prefix: String,
    pub database: String,
    pub table: String,
    pub workgroup: String,
    pub function: String,
    pub state_machine: String,
    /// Name or ARN of the topic that hears of failed runs.
    pub topic: String,
    pub read_only: bool,
    pub as_of: NaiveDate,
    /// Whether `--as-of` or the settings chose that date; else it is today.
    pub as_of_chosen: bool,
    /// Reading of the window: `6mo`, `90d`, `1y`.
    pub within: String,
    /// The person's own zone.
    pub zone: Zone,
    pub utc: bool,
    pub ascii: bool,
    pub reduced_motion: bool,
    pub mouse: bool,
    pub theme: Theme,
    pub keymap: Keymap,
    pub now: DateTime<Utc>,
}

/// The connection to the target.
#[derive(Clone, Debug, PartialEq)]
pub enum Link {
    Connecting,
    Up {
        account: String,
        region: String,
    },
    /// Reached, but the account is not known yet or may not be asked.
    Down(Problem),
}

/// Every record that could be read, with its object, and what could not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facilities {
    pub entries: Vec<(Object, Facility)>,
    pub problems: Vec<Problem>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct World {
    pub setup: Setup,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    pub now: DateTime<Utc>,
    pub theme: Theme,
    pub keymap: Keymap,
    pub link: Link,
    pub as_of: NaiveDate,
    pub utc: bool,
    pub ascii: bool,
    pub reduced_motion: bool,
    pub mouse: bool,
    pub facilities: Remote<Arc<Facilities>>,
    /// When anything last arrived.
    pub refreshed: Option<DateTime<Utc>>,
    /// What went wrong, newest last, with when.
    pub problems: Vec<(DateTime<Utc>, Problem)>,
    /// What was set at the last start, for the screens to begin with.
    pub session: Session,
    /// Questions that a newer one superseded; `update` has them given up.
    pub(crate) superseded: Vec<Ticket>,
    tickets: u64,
}

/// So many problems are kept.
const PROBLEMS: usize = 200;

impl World {
    pub fn new(setup: Setup, size: (u16, u16)) -> World {
        World {
            size,
            now: setup.now,
            theme: setup.theme.clone(),
            keymap: if setup.read_only { setup.keymap.clone().read_only() } else { setup.keymap.clone() },
            link: Link::Connecting,
            as_of: setup.as_of,
            utc: setup.utc,
            ascii: setup.ascii,
            reduced_motion: setup.reduced_motion,
            mouse: setup.mouse,
            facilities: Remote::default(),
            refreshed: None,
            problems: Vec::new(),
            session: Session::default(),
            superseded: Vec::new(),
            tickets: 0,
            setup,
        }
    }

    /// A new question of a screen.
    pub fn ticket(&mut self, screen: Screen) -> Ticket {
        self.next(Some(screen))
    }

    fn next(&mut self, owner: Option<Screen>) -> Ticket {
        self.tickets += 1;
        Ticket { owner, number: self.tickets }
    }

    /// Asks for a remote value: issues the ticket, marks the value as awaited, and answers the order.
    pub fn ask<T>(&mut self, screen: Screen, remote: &mut Remote<T>, request: Request) -> Wish {
        let ticket = self.ticket(screen);
        self.superseded.extend(remote.awaited());
        remote.ask(ticket);
        Wish::Do(Effect::Ask(ticket, request))
    }

    /// Asks for the facilities, unless that is under way.
    pub fn load_facilities(&mut self) -> Option<Effect> {
        if self.facilities.is_waiting() {
            return None;
        }
        let ticket = self.next(None);
        self.facilities.ask(ticket);
        let (bucket, prefix) = (self.setup.bucket.clone(), self.setup.prefix.clone());
        Some(Effect::Ask(ticket, Request::Facilities { bucket, prefix }))
    }

    /// Remembers a problem, once while it stays the newest.
    pub fn blame(&mut self, problem: Problem) {
        if self.problems.last().is_some_and(|(_, last)| *last == problem) {
            self.problems.pop();
        }
        self.problems.push((self.now, problem));
        if self.problems.len() > PROBLEMS {
            self.problems.remove(0);
        }
    }

    /// How old a list becomes before it is asked for again by itself: less while something in it runs, more
    /// where each look is a request to AWS.
    pub fn patience(&self, runs: bool) -> TimeDelta {
        TimeDelta::seconds(match (runs, self.setup.local) {
            (true, true) => 2,
            (true, false) | (false, true) => 10,
            (false, false) => 60,
        })
    }

    /// The zone in which times are shown now.
    pub fn zone(&self) -> Zone {
        if self.utc { Zone::UTC } else { self.setup.zone }
    }

    /// The area of the screen in front; empty when the window is too small.
    pub fn body(&self) -> Rect {
        areas::shell(self.size.0, self.size.1).map_or(Rect::ZERO, |shell| shell.body)
    }

    /// Account and region, as far as known: `000000000000 us-east-1`.
    pub fn place(&self) -> String {
        match &self.link {
            Link::Up { account, region } => format!("{account} {region}"),
            Link::Connecting | Link::Down(_) => self.setup.region.clone(),
        }
    }
}
