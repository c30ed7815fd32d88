//! Something that is elsewhere: asked, arrived, failed, stale. Late answers are harmless.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::problem::Problem;
use crate::ui::route::Screen;

/// The number of one question. Answers carry it back; only the newest question of a [`Remote`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket {
    /// Who asked; `None` is the shell, for what all screens share.
    pub owner: Option<Screen>,
    pub number: u64,
}

/// A value from elsewhere, with the last good one kept through a failure.
#[derive(Clone, Debug, PartialEq)]
pub struct Remote<T> {
    value: Option<T>,
    at: Option<DateTime<Utc>>,
    /// When the last answer arrived, good or bad.
    heard: Option<DateTime<Utc>>,
    awaited: Option<Ticket>,
    progress: (u64, u64),
    problem: Option<Problem>,
}

impl<T> Default for Remote<T> {
    fn default() -> Self {
        Remote { value: None, at: None, heard: None, awaited: None, progress: (0, 0), problem: None }
    }
}

/// How a [`Remote`] stands, for drawing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stand<'a, T> {
    /// Never asked.
    Idle,
    /// First answer on its way: done, total (0 when unknown).
    Loading(u64, u64),
    /// Here; `refreshing` while a newer answer is on its way.
    Here { value: &'a T, refreshing: bool },
    /// Failed; what was known before, if anything, is shown dimmed with its age, until a better answer arrives.
    Failed { problem: &'a Problem, last: Option<&'a T> },
}

impl<T> Remote<T> {
    /// A value that is here already.
    pub fn here(value: T, at: DateTime<Utc>) -> Self {
        Remote { value: Some(value), at: Some(at), heard: Some(at), ..Remote::default() }
    }

    /// A question was sent. The answer to any earlier one will be ignored.
    pub fn ask(&mut self, ticket: Ticket) {
        self.awaited = Some(ticket);
        self.progress = (0, 0);
    }

    pub fn awaits(&self, ticket: Ticket) -> bool {
        self.awaited == Some(ticket)
    }

    pub fn is_waiting(&self) -> bool {
        self.awaited.is_some()
    }

    /// The ticket of the question under way.
    pub fn awaited(&self) -> Option<Ticket> {
        self.awaited
    }

    /// Takes the answer if it is the awaited one; says whether it was.
    pub fn accept(&mut self, ticket: Ticket, answer: Result<T, Problem>, now: DateTime<Utc>) -> bool {
        if !self.awaits(ticket) {
            return false;
        }
        self.awaited = None;
        self.heard = Some(now);
        match answer {
            Ok(value) => {
                self.value = Some(value);
                self.at = Some(now);
                self.problem = None;
            }
            Err(problem) => self.problem = Some(problem),
        }
        true
    }

    pub fn progressed(&mut self, ticket: Ticket, done: u64, total: u64) {
        if self.awaits(ticket) {
            self.progress = (done, total);
        }
    }

    /// Forgets everything, and whatever answer is still under way.
    pub fn clear(&mut self) {
        *self = Remote::default();
    }

    /// The last good value, whatever happened since.
    pub fn value(&self) -> Option<&T> {
        self.value.as_ref()
    }

    pub fn value_mut(&mut self) -> Option<&mut T> {
        self.value.as_mut()
    }

    pub fn problem(&self) -> Option<&Problem> {
        self.problem.as_ref()
    }

    /// When the last good value arrived.
    pub fn at(&self) -> Option<DateTime<Utc>> {
        self.at
    }

    /// Whether it is time to ask again: no question is under way, and the last answer, good or bad, is so old.
    pub fn is_due(&self, now: DateTime<Utc>, age: TimeDelta) -> bool {
        !self.is_waiting() && self.heard.is_none_or(|at| now - at >= age)
    }

    pub fn stand(&self) -> Stand<'_, T> {
        match (&self.value, &self.problem, self.awaited.is_some()) {
            (Some(value), None, refreshing) => Stand::Here { value, refreshing },
            (None, _, true) => Stand::Loading(self.progress.0, self.progress.1),
            (Some(value), Some(problem), _) => Stand::Failed { problem, last: Some(value) },
            (None, Some(problem), false) => Stand::Failed { problem, last: None },
            (None, None, false) => Stand::Idle,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(number: u64) -> Ticket {
        Ticket { owner: None, number }
    }

    #[test]
    fn only_the_newest_question_counts() {
        let mut remote = Remote::default();
        let now = DateTime::UNIX_EPOCH;
        remote.ask(ticket(1));
        remote.ask(ticket(2));
        assert!(!remote.accept(ticket(1), Ok("old"), now));
        assert_eq!(remote.stand(), Stand::Loading(0, 0));
        assert!(remote.accept(ticket(2), Ok("new"), now));
        assert!(!remote.accept(ticket(2), Ok("twice"), now));
        assert_eq!(remote.value(), Some(&"new"));
    }

    #[test]
    fn a_failure_keeps_the_last_good_value() {
        let mut remote = Remote::here(7, DateTime::UNIX_EPOCH);
        remote.ask(ticket(3));
        assert_eq!(remote.stand(), Stand::Here { value: &7, refreshing: true });
        remote.accept(ticket(3), Err(Problem::new("No connection")), DateTime::UNIX_EPOCH);
        assert!(matches!(remote.stand(), Stand::Failed { last: Some(&7), .. }));
    }

    #[test]
    fn a_failure_is_waited_for_as_long_as_an_answer() {
        let (start, age) = (DateTime::UNIX_EPOCH, TimeDelta::seconds(10));
        let mut remote: Remote<u8> = Remote::default();
        assert!(remote.is_due(start, age));
        remote.ask(ticket(1));
        assert!(!remote.is_due(start + age, age));
        remote.accept(ticket(1), Err(Problem::new("No connection")), start);
        assert!(!remote.is_due(start + age - TimeDelta::milliseconds(1), age));
        assert!(remote.is_due(start + age, age));
    }
}
