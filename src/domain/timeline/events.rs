//! The known events of one execution, in the order of their ids.

use std::sync::Arc;

use crate::domain::execution::HistoryEvent;

/// Sorted by id, each id once. A history is read in order nearly always, so adding at the end is cheap,
/// and both "which is the n-th" and "where is this id" are answered without a walk.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Events(Vec<Arc<HistoryEvent>>);

impl Events {
    fn place(&self, id: i64) -> Result<usize, usize> {
        // Ids count from 1 without gaps, so the place is usually the id itself.
        let guess = usize::try_from(id.saturating_sub(1)).unwrap_or(usize::MAX);
        match self.0.get(guess) {
            Some(event) if event.id == id => Ok(guess),
            _ => self.0.binary_search_by_key(&id, |event| event.id),
        }
    }

    pub fn get(&self, id: i64) -> Option<&Arc<HistoryEvent>> {
        self.place(id).ok().map(|place| &self.0[place])
    }

    /// How many events come before this one.
    pub fn position(&self, id: i64) -> Option<usize> {
        self.place(id).ok()
    }

    pub fn nth(&self, place: usize) -> Option<&Arc<HistoryEvent>> {
        self.0.get(place)
    }

    pub fn as_slice(&self) -> &[Arc<HistoryEvent>] {
        &self.0
    }

    /// Takes events in any order, known ones included. Answers the place of the first new one, which is
    /// the former length when all of them follow what was known, and how many were new.
    pub fn add<'a>(&mut self, events: impl IntoIterator<Item = &'a HistoryEvent>) -> (usize, usize) {
        let mut fresh: Vec<Arc<HistoryEvent>> = events
            .into_iter()
            .filter(|event| self.place(event.id).is_err())
            .map(|event| Arc::new(event.clone()))
            .collect();
        fresh.sort_by_key(|event| event.id);
        fresh.dedup_by_key(|event| event.id);
        let (count, before) = (fresh.len(), self.0.len());
        let first = fresh.first().map_or(before, |event| self.place(event.id).unwrap_or_else(|place| place));
        self.0.append(&mut fresh);
        if first < before {
            self.0.sort_by_key(|event| event.id);
        }
        (first, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn any_order_ends_up_sorted_and_single() {
        let event = |id| HistoryEvent {
            id,
            previous: 0,
            at: chrono::DateTime::UNIX_EPOCH,
            kind: String::new(),
            details: Value::Null,
        };
        let mut events = Events::default();
        assert_eq!(events.add(&[event(4), event(2), event(4)]), (0, 2));
        assert_eq!(events.add(&[event(7), event(4)]), (2, 1));
        assert_eq!(events.add(&[event(3)]), (1, 1));
        let ids: Vec<i64> = events.as_slice().iter().map(|event| event.id).collect();
        assert_eq!(ids, [2, 3, 4, 7]);
        assert_eq!((events.position(7), events.position(5)), (Some(3), None));
        assert!(events.get(i64::MIN).is_none());
    }
}
