//! What the visits add up to, state by state: computed once for each set of events, not for each frame.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use super::events::Events;
use super::visit::{Scope, StateNow, Visit};
use super::{Picture, RootCause, cause};

#[derive(Clone, Debug, Default)]
pub(super) struct Summary {
    pub now: HashMap<String, StateNow>,
    pub cause: Option<RootCause>,
    /// Visits that the end had to wait for, by index.
    pub critical: BTreeSet<usize>,
}

impl Summary {
    pub fn of(picture: &Picture, events: &Events) -> Summary {
        Summary {
            now: standings(&picture.visits),
            cause: cause::find(picture, events),
            critical: critical(&picture.visits),
        }
    }
}

/// Each state over all its visits: loops count by their last pass, iterations and branches together.
fn standings(visits: &[Visit]) -> HashMap<String, StateNow> {
    let mut now: HashMap<&str, StateNow> = HashMap::new();
    let mut latest: HashMap<(&str, Option<Scope>), usize> = HashMap::new();
    for (i, visit) in visits.iter().enumerate() {
        now.entry(&visit.name).or_default().visits += 1;
        latest.insert((&visit.name, visit.scope), i);
    }
    for ((name, _), i) in latest {
        let visit = &visits[i];
        let now = now.entry(name).or_default();
        now.scopes += 1;
        now.running += usize::from(visit.exited.is_none());
        now.failed += usize::from(visit.standing.is_bad());
        now.retries = now.retries.max(visit.retries());
        now.standing = now.standing.max(visit.standing);
        now.last = Some(now.last.map_or(i, |last| last.max(i)));
    }
    now.into_iter().map(|(name, now)| (name.to_owned(), now)).collect()
}

/// States at the top follow each other, so each of them delays the end. Of a container's branches or
/// iterations only the one that ended last does; one that still runs counts as last.
fn critical(visits: &[Visit]) -> BTreeSet<usize> {
    let mut decisive: HashMap<usize, (DateTime<Utc>, u64)> = HashMap::new();
    for visit in visits {
        if let Some(scope) = visit.scope {
            let end = visit.exited.unwrap_or(DateTime::<Utc>::MAX_UTC);
            let last = decisive.entry(scope.container).or_insert((end, scope.index));
            if end > last.0 {
                *last = (end, scope.index);
            }
        }
    }
    let mut path = BTreeSet::new();
    for (i, visit) in visits.iter().enumerate() {
        let on = visit.scope.is_none_or(|scope| {
            path.contains(&scope.container)
                && decisive.get(&scope.container).is_some_and(|(_, index)| *index == scope.index)
        });
        if on {
            path.insert(i);
        }
    }
    path
}
