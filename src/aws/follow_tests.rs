use super::*;

fn event(id: i64, kind: &str) -> HistoryEvent {
    HistoryEvent { id, previous: id - 1, at: DateTime::UNIX_EPOCH, kind: kind.into(), details: Value::Null }
}

fn events(ids: impl IntoIterator<Item = i64>) -> Vec<HistoryEvent> {
    ids.into_iter().map(|id| event(id, "PassStateEntered")).collect()
}

fn ids(events: &[HistoryEvent]) -> Vec<i64> {
    events.iter().map(|event| event.id).collect()
}

#[test]
fn hands_on_each_event_once_and_in_order() {
    let mut known = Known::default();
    assert_eq!(ids(&known.take(events([3, 2, 1]))), [1, 2, 3]);
    assert_eq!(ids(&known.take(events([5, 4, 3, 2]))), [4, 5]);
    assert!(known.take(events([5, 4])).is_empty());
    assert!(known.reached(&events([6])), "6 follows 5 directly: no older page is needed");
    assert!(!known.reached(&events([8, 7])));
}

#[test]
fn holds_back_what_came_before_its_predecessor() {
    let mut known = Known::default();
    known.take(events([1]));
    assert!(known.take(events([3])).is_empty(), "2 is not visible yet");
    assert!(!known.over());
    assert_eq!(ids(&known.take(events([2]))), [2, 3]);
    // A gap that stays is taken for real after a while.
    for _ in 0..PATIENCE {
        assert!(known.take(events([9])).is_empty());
    }
    assert_eq!(ids(&known.take(events([9]))), [9]);
}

#[test]
fn is_over_after_the_last_event_unless_redriven() {
    let mut known = Known::default();
    known.take([event(1, "ExecutionStarted"), event(2, "ExecutionFailed")]);
    assert!(known.over());
    known.take([event(3, "ExecutionRedriven")]);
    assert!(!known.over());
    known.take([event(4, "ExecutionSucceeded")]);
    assert!(known.over());
}

#[test]
fn asks_soon_after_a_move_later_when_quiet_patiently_after_failures() {
    let mut pace = Pace::quick();
    assert_eq!(pace.sleep(None), Duration::from_millis(12));
    for _ in 0..20 {
        pace.quiet();
    }
    assert!(pace.sleep(None) <= Duration::from_millis(50), "local polling stays at 50 ms or less");
    pace.moved();
    assert_eq!(pace.sleep(None), Duration::from_millis(12));
    pace.failed();
    assert_eq!(pace.sleep(None), Duration::from_secs(1));
    for _ in 0..40 {
        pace.failed();
    }
    assert_eq!(pace.sleep(None), Duration::from_secs(15));
    pace.quiet();
    assert!(pace.sleep(None) < Duration::from_secs(1), "an answer ends the penance");
}

#[test]
fn is_there_when_a_known_wait_ends() {
    let pace = Pace::polite();
    let soon = pace.sleep(Some(Duration::from_secs(20)));
    assert!(soon >= Duration::from_secs(20) && soon < Duration::from_millis(20_500), "{soon:?}");
    assert_eq!(pace.sleep(Some(Duration::ZERO)), Duration::from_millis(400));
}

#[test]
fn reads_the_waits_of_a_definition() {
    let text = r#"{"States": {"W": {"Type": "Wait", "Seconds": 5}, "T": {"Type": "Task"},
        "P": {"Type": "Wait", "SecondsPath": "$.s"}}}"#;
    assert_eq!(waits_of(text), HashMap::from([("W".to_owned(), Duration::from_secs(5))]));
    assert!(waits_of("no JSON").is_empty());
    assert!(
        waits_of(r#"{"States": {"W": {"Type": "Wait", "Seconds": 5}, "M": {"Type": "Map"}}}"#).is_empty()
    );
}

#[test]
fn a_log_line_is_shown_once_even_when_it_comes_late() {
    let line = |id: &str, second: i64| LogLine {
        id: id.into(),
        at: DateTime::from_timestamp(1_767_225_600 + second, 0).unwrap(),
        stream: "s".into(),
        text: id.into(),
    };
    let texts = |lines: Vec<LogLine>| lines.into_iter().map(|line| line.text).collect::<Vec<_>>();
    let mut tail = Tail::default();
    assert_eq!(texts(tail.take(vec![line("b", 10), line("a", 5)])), ["a", "b"]);
    assert_eq!(texts(tail.take(vec![line("late", 7), line("b", 10)])), ["late"]);
    assert_eq!(texts(tail.take(vec![line("c", 100)])), ["c"]);
    assert_eq!(tail.since(None), Some(line("", 80).at));
    assert_eq!(tail.seen.len(), 1, "what can no longer be answered is forgotten");
}

/// A recorded world: what each question was answered with, faults included.
#[test]
fn a_recorded_run_with_faults_is_told_once() {
    let story: &[Result<&[i64], Kind>] = &[
        Ok(&[2, 1]),
        Err(Kind::Throttled),
        Ok(&[2, 1]),
        Ok(&[6, 5, 2, 1]),
        Err(Kind::Unreachable),
        Ok(&[6, 5, 4, 3]),
        Ok(&[7, 6]),
    ];
    let mut known = Known::default();
    let mut pace = Pace::polite();
    let mut told = Vec::new();
    for answer in story {
        match answer {
            Ok(page) => {
                let fresh = known.take(events(page.iter().copied()));
                if fresh.is_empty() {
                    pace.quiet()
                } else {
                    pace.moved()
                }
                told.extend(ids(&fresh));
            }
            Err(_) => {
                pace.failed();
                assert!(pace.sleep(None) >= Duration::from_secs(1));
            }
        }
    }
    assert_eq!(told, [1, 2, 3, 4, 5, 6, 7]);
}
