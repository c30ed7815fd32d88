//! An execution that went wrong, told from its root cause on: for the screen, and as Markdown for the
//! incident channel. Start with [`Incident::of`]; `parts` are in the order in which a person asks.

mod markdown;
mod parts;

use chrono::{DateTime, Utc};

use super::execution::{Execution, MapRun, Status};
use super::log::LogLine;
use super::problem::Problem;
use super::query::{Query, QueryState};
use super::timeline::Timeline;

/// The whole story.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Incident {
    /// `Pipeline / run-7f3a failed after 8.9 s`
    pub title: String,
    /// The execution's ARN.
    pub arn: String,
    pub parts: Vec<Part>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    pub title: String,
    pub lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub weight: Weight,
    pub text: String,
}

/// How much a line matters, and whether it is quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    Bad,
    Strong,
    Text,
    Dim,
    /// Somebody else's words: JSON, a log line.
    Code,
}

/// What is known when the story is told. More may come; then it is told again.
pub struct Facts<'a> {
    pub arn: &'a str,
    pub status: Status,
    pub timeline: &'a Timeline,
    /// `stopDate` and its like, where the history does not say.
    pub execution: Option<&'a Execution>,
    pub revision: Option<&'a str>,
    pub log: Log<'a>,
    /// The Athena query that the failed state waited for or spoke of.
    pub query: Option<&'a Query>,
    /// The items of the distributed map that failed.
    pub items: Option<Items<'a>>,
    pub before: Option<Before<'a>>,
    /// It was asked for the last success, and there is none.
    pub never: bool,
    /// What is still being asked, in words: `the function's log`.
    pub awaited: &'a [&'a str],
    pub clock: &'a dyn Fn(DateTime<Utc>) -> String,
    pub now: DateTime<Utc>,
}

/// The function's own words.
#[derive(Clone, Copy)]
pub enum Log<'a> {
    /// The failure has nothing to do with a function, or nothing was asked yet.
    None,
    Failed(&'a Problem),
    /// Lines that carry the execution's ARN or name.
    Exact(&'a str, &'a [LogLine]),
    /// No line does: what the function wrote around that time.
    Around(&'a str, &'a [LogLine]),
}

/// The child executions of a map run.
#[derive(Clone, Copy)]
pub struct Items<'a> {
    pub run: Option<&'a MapRun>,
    /// One of those that failed, with its error.
    pub failed: Option<&'a Execution>,
}

/// The last execution that succeeded.
#[derive(Clone, Copy)]
pub struct Before<'a> {
    pub execution: &'a Execution,
    /// Its history, once it is here.
    pub timeline: Option<&'a Timeline>,
    pub revision: Option<&'a str>,
}

impl Incident {
    pub fn of(facts: &Facts) -> Incident {
        let mut parts = vec![parts::cause(facts)];
        // A query that went well is no part of the failure; it comes where the circumstances are.
        let well = facts.query.is_some_and(|query| query.state == QueryState::Succeeded);
        let query = parts::query(facts);
        let (query, circumstance) = if well { (None, query) } else { (query, None) };
        parts.extend(query);
        parts.extend(parts::items(facts));
        parts.extend(parts::attempts(facts));
        parts.extend(parts::log(facts));
        parts.extend(parts::caught(facts));
        parts.extend(parts::input(facts));
        parts.extend(circumstance);
        parts.extend(parts::before(facts));
        if !facts.awaited.is_empty() {
            let text = format!("Loading {}", facts.awaited.join(", "));
            parts.push(Part { title: String::new(), lines: vec![Line::new(Weight::Dim, text)] });
        }
        Incident { title: parts::title(facts), arn: facts.arn.to_owned(), parts }
    }

    /// As Markdown: quoted text stands in code fences that it cannot leave.
    pub fn markdown(&self) -> String {
        markdown::write(self)
    }
}

impl Part {
    fn new(title: impl Into<String>) -> Part {
        Part { title: title.into(), lines: Vec::new() }
    }

    fn line(&mut self, weight: Weight, text: impl Into<String>) {
        self.lines.push(Line::new(weight, text));
    }
}

impl Line {
    fn new(weight: Weight, text: impl Into<String>) -> Line {
        Line { weight, text: text.into() }
    }
}

#[cfg(test)]
#[path = "incident/tests.rs"]
mod tests;
