//! Which events of a history were handed on.

use std::collections::BTreeMap;

use crate::domain::execution::HistoryEvent;

/// Which events of a history were handed on. Ids count from 1 without gaps; a page that was
/// answered before its predecessor became visible is held back until the gap closes.
#[derive(Debug, Default)]
pub struct Known {
    /// Every event up to this id was handed on.
    upto: i64,
    held: BTreeMap<i64, HistoryEvent>,
    /// Answers in a row that left the gap open.
    waited: u32,
    last_kind: String,
}

/// A gap that stays open this many answers is taken for real.
pub(super) const PATIENCE: u32 = 5;

impl Known {
    /// Whether a page read newest first reaches back to what is known, so that no further page is
    /// needed.
    pub fn reached(&self, page: &[HistoryEvent]) -> bool {
        page.iter().any(|event| event.id <= self.upto + 1)
    }

    /// Takes events in any order, repeated or not; hands on the new ones, oldest first.
    pub fn take(&mut self, events: impl IntoIterator<Item = HistoryEvent>) -> Vec<HistoryEvent> {
        let upto = self.upto;
        self.held.extend(events.into_iter().filter(|event| event.id > upto).map(|event| (event.id, event)));
        let mut fresh = Vec::new();
        loop {
            while let Some(event) = self.held.remove(&(self.upto + 1)) {
                self.upto = event.id;
                fresh.push(event);
            }
            let Some(&next) = self.held.keys().next() else {
                self.waited = 0;
                break;
            };
            self.waited += 1;
            if self.waited <= PATIENCE {
                break;
            }
            self.waited = 0;
            self.upto = next - 1;
        }
        if let Some(last) = fresh.last() {
            self.last_kind.clone_from(&last.kind);
        }
        fresh
    }

    /// Whether the execution is over, as far as its events say. A redriven one is not.
    pub fn over(&self) -> bool {
        self.held.is_empty()
            && matches!(
                self.last_kind.as_str(),
                "ExecutionSucceeded" | "ExecutionFailed" | "ExecutionAborted" | "ExecutionTimedOut"
            )
    }
}
