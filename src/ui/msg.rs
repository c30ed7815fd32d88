//! What happened: the facts that reach the console, in one queue and so in one order.

use chrono::{DateTime, Utc};
use crossterm::event::{KeyEvent, MouseEvent};

use crate::domain::execution::HistoryEvent;
use crate::domain::log::LogLine;
use crate::domain::object::Object;
use crate::domain::problem::Problem;
use crate::domain::query::Query;
use crate::ui::effect::Reply;
use crate::ui::remote::Ticket;
use crate::ui::subs::Sub;
use crate::ui::world::Link;

/// A fact. The runtime puts a `Ticked` before every batch, so `now` is never stale while others are read.
#[derive(Clone, Debug, PartialEq)]
pub enum Msg {
    Pressed(KeyEvent),
    /// Bracketed paste: text, never keys.
    Pasted(String),
    Moused(MouseEvent),
    Resized {
        width: u16,
        height: u16,
    },
    /// The terminal window gained or lost the focus.
    Focused(bool),
    Ticked(DateTime<Utc>),
    /// The connection was made, or could not be made.
    Connected(Link),
    Replied(Ticket, Result<Reply, Problem>),
    /// How far an asked thing is: done, total (0 when unknown).
    Progressed(Ticket, u64, u64),
    Happened(Happening),
    /// The terminal said whether its background is dark.
    Lit {
        dark: bool,
    },
    /// Back from ctrl-z: the whole screen is painted again.
    Resumed,
    /// Something small was done that a person wants to know: `Copied 36 characters`.
    Noted(String),
    /// Something went wrong outside of any request.
    Warned(Problem),
}

/// What a stream of [`crate::ui::subs::subs`] brought.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// New events of an execution (by ARN), oldest first; events may come twice.
    Events(String, Vec<HistoryEvent>),
    /// New lines of a log group; none when it was read and there is nothing.
    Lines(String, Vec<LogLine>),
    /// The newest objects of a bucket, the youngest first, and how many there are in all.
    Objects { newest: Vec<Object>, total: usize },
    /// The newest state of a running query.
    Query(Box<Query>),
    /// A stream has no answer at present and goes on asking; its next item, which may be empty, says that it has.
    Interrupted(Sub, Problem),
    /// A stream ended: because what it followed is over, or with a problem.
    Ended(Sub, Option<Problem>),
}
