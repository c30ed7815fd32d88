//! What holds of every history.

use proptest::prelude::*;

use super::*;

/// What the tally keeps, counted from the beginning.
fn recount(timeline: &Timeline, name: &str) -> StateNow {
    let visits = timeline.visits();
    let mine: Vec<usize> = (0..visits.len()).filter(|i| visits[*i].name == name).collect();
    let newest: Vec<&Visit> = (mine.iter())
        .filter(|i| !mine.iter().any(|later| later > i && visits[*later].scope == visits[**i].scope))
        .map(|i| &visits[*i])
        .collect();
    StateNow {
        standing: newest.iter().map(|visit| visit.standing).max().unwrap_or_default(),
        visits: mine.iter().filter(|i| !visits[**i].resumed).count(),
        scopes: newest.len(),
        running: newest.iter().filter(|visit| visit.exited.is_none()).count(),
        failed: newest.iter().filter(|visit| visit.standing.is_bad()).count(),
        retries: newest.iter().map(|visit| visit.retries()).max().unwrap_or(0),
        last: mine.last().copied(),
    }
}

/// Of a container's branches or iterations the one that ended last, the first of several.
fn waited_for(timeline: &Timeline, visit: usize) -> bool {
    let visits = timeline.visits();
    let end = |visit: &Visit| visit.exited.unwrap_or(DateTime::<Utc>::MAX_UTC);
    let Some(scope) = visits[visit].scope else { return true };
    let inside = visits.iter().filter(|one| one.scope.is_some_and(|s| s.container == scope.container));
    let last = inside.rev().max_by_key(|one| end(one)).unwrap();
    last.scope == Some(scope) && waited_for(timeline, scope.container)
}

fn any_event() -> impl Strategy<Value = HistoryEvent> {
    let kinds = proptest::sample::select(vec![
        "ExecutionStarted",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskFailed",
        "TaskStateExited",
        "MapStateEntered",
        "MapStateStarted",
        "MapIterationStarted",
        "MapIterationFailed",
        "MapStateFailed",
        "MapStateExited",
        "ParallelStateEntered",
        "ParallelStateStarted",
        "ParallelStateExited",
        "FailStateEntered",
        "ExecutionFailed",
        "ExecutionRedriven",
        "EvaluationFailed",
        "TaskStateAborted",
        "SomethingNew",
    ]);
    let name = proptest::sample::select(vec!["A", "B", "C"]);
    (1..20i64, -1..22i64, 0..500i64, kinds, name).prop_map(|(id, previous, millis, kind, name)| {
        HistoryEvent {
            id,
            previous,
            at: at(millis),
            kind: kind.to_owned(),
            details: json!({"name": name, "state": name, "index": millis % 3, "error": "E", "input": "{}"}),
        }
    })
}

proptest! {
    #[test]
    fn order_and_duplicates_do_not_matter(
        order in Just(failed_copy().into_iter().chain(failed_copy()).collect::<Vec<_>>()).prop_shuffle(),
        other in Just(caught_map().into_iter().chain(caught_map()).collect::<Vec<_>>()).prop_shuffle(),
        page in 1..9usize,
    ) {
        prop_assert_eq!(folded(&order), folded(&failed_copy()));
        let mut paged = Timeline::new();
        for page in other.chunks(page) {
            paged.extend(page);
        }
        prop_assert_eq!(paged, folded(&caught_map()));
    }

    #[test]
    fn anything_goes_and_nothing_panics(events in proptest::collection::vec(any_event(), 0..40), seed in any::<u64>()) {
        let mut unique = events;
        unique.sort_by_key(|event| event.id);
        unique.dedup_by_key(|event| event.id);
        let straight = folded(&unique);
        let mut turned = unique.clone();
        let len = turned.len().max(1);
        turned.rotate_left(seed as usize % len);
        if seed % 2 == 0 {
            turned.reverse();
        }
        let other = folded(&turned);
        prop_assert_eq!(&other, &straight);
        prop_assert_eq!(other.root_cause(), straight.root_cause());
        for event in &unique {
            straight.line(event);
        }
        for name in ["A", "B", "C"] {
            prop_assert_eq!(straight.now(name), recount(&straight, name));
        }
        let visits = straight.visits();
        prop_assert_eq!(straight.current(), visits.iter().rposition(|visit| visit.exited.is_none()));
        for i in 0..visits.len() {
            prop_assert_eq!(straight.is_critical(i), waited_for(&straight, i));
            let next = visits[i + 1..].iter().position(|next| next.scope == visits[i].scope);
            prop_assert_eq!(visits[i].next, next.map(|next| i + 1 + next));
        }
    }
}
