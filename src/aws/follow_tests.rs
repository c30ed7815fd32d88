use std::collections::HashMap;

use chrono::DateTime;
use serde_json::{Value, json};

use super::known::PATIENCE;
use super::logs::Tail;
use super::plan::waits_of;
use super::*;
use crate::aws::Page;
use crate::aws::budget::Bucket;
use crate::domain::log::LogLine;

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

/// A service with a clock of its own: events become visible at their times, calls are answered after a
/// tenth of a second, and during a storm every call is refused.
struct Simulated {
    start: Instant,
    now: Instant,
    /// Seconds from the start at which each event becomes visible.
    visible: Vec<f64>,
    waits: Vec<(i64, f64)>,
    storm: std::ops::Range<f64>,
    bucket: Bucket,
    calls: Vec<f64>,
    refused: usize,
    told: Vec<i64>,
    seen: Vec<f64>,
}

impl Simulated {
    fn new(visible: &[f64], storm: std::ops::Range<f64>) -> Simulated {
        let start = Instant::now();
        Simulated {
            start,
            now: start,
            visible: visible.to_vec(),
            waits: Vec::new(),
            storm,
            bucket: Bucket::of("GetExecutionHistory", start).expect("a limited operation"),
            calls: Vec::new(),
            refused: 0,
            told: Vec::new(),
            seen: Vec::new(),
        }
    }

    fn seconds(&self) -> f64 {
        (self.now - self.start).as_secs_f64()
    }

    fn page(&self, ask: &Ask) -> Page<HistoryEvent> {
        let last = self.visible.len() as i64;
        let kind = |id: i64| match id {
            _ if self.waits.iter().any(|(wait, _)| *wait == id) => "WaitStateEntered",
            _ if id == last => "ExecutionSucceeded",
            _ => "PassStateEntered",
        };
        let mut all: Vec<HistoryEvent> = (1..=last)
            .filter(|id| self.visible[*id as usize - 1] <= self.seconds())
            .map(|id| HistoryEvent { details: json!({"name": format!("W{id}")}), ..event(id, kind(id)) })
            .collect();
        if ask.newest_first {
            all.reverse();
        }
        let from: usize = ask.token.as_deref().map_or(0, |token| token.parse().unwrap());
        let to = (from + ask.max as usize).min(all.len());
        let next = (to < all.len()).then(|| to.to_string());
        Page { items: all[from.min(to)..to].to_vec(), next }
    }

    /// Follows until the end, or until so many seconds have passed.
    fn follow(&mut self, until: f64) {
        let mut plan = Plan::new(Pace::polite());
        while let Some(ask) = plan.next(self.now).filter(|_| self.seconds() < until) {
            self.now += ask.after;
            let wait = self.bucket.take(self.now);
            self.now += wait;
            self.calls.push(self.seconds());
            self.now += Duration::from_millis(100);
            if self.storm.contains(&self.seconds()) {
                self.refused += 1;
                self.bucket.punish(self.now);
                plan.failed();
                continue;
            }
            let fresh = plan.answered(self.page(&ask));
            let wait = plan.entered_wait(&fresh).and_then(|_| fresh.last()).map(|last| last.id);
            if let Some((_, seconds)) = self.waits.iter().find(|(id, _)| Some(*id) == wait) {
                plan.wait_until(self.now + Duration::from_secs_f64(*seconds));
            }
            let now = self.seconds();
            self.seen.extend(fresh.iter().map(|_| now));
            self.told.extend(ids(&fresh));
        }
    }

    fn calls_within(&self, from: f64, to: f64) -> usize {
        self.calls.iter().filter(|at| (from..to).contains(*at)).count()
    }
}

fn busiest_second(calls: &[f64]) -> usize {
    calls
        .iter()
        .map(|from| calls.iter().filter(|at| (*from..*from + 1.0).contains(*at)).count())
        .max()
        .unwrap_or(0)
}

#[test]
fn a_throttle_storm_costs_no_event_and_the_pace_recovers() {
    // A burst of 350, then one each two seconds, a storm from 10 to 30, then a burst and the end.
    let mut visible: Vec<f64> = vec![0.0; 350];
    visible.extend((1..30).map(|i| f64::from(i) * 2.0));
    visible.extend(vec![60.0; 250]);
    visible.push(61.0);
    let mut world = Simulated::new(&visible, 10.0..30.0);
    world.follow(200.0);
    assert_eq!(world.told, (1..=visible.len() as i64).collect::<Vec<_>>());
    assert!(world.refused > 1, "the storm was met");
    assert!(busiest_second(&world.calls) <= 5, "{}", busiest_second(&world.calls));
    assert!(world.calls_within(12.0, 30.0) <= 8, "slower while it is refused");
    // Afterwards an event is seen within two seconds again.
    for (visible, seen) in visible.iter().zip(&world.seen).filter(|(visible, _)| **visible > 46.0) {
        assert!(seen - visible < 2.0, "visible at {visible}, seen at {seen}");
    }
}

#[test]
fn quiet_means_at_most_a_call_a_second() {
    let mut world = Simulated::new(&[0.0, 0.1, 0.2, 100.0], 0.0..0.0);
    world.follow(120.0);
    assert_eq!(world.told, [1, 2, 3, 4]);
    assert!(world.calls_within(4.0, 100.0) <= 96);
    assert!(world.calls_within(60.0, 100.0) <= 12, "ever slower: {}", world.calls_within(60.0, 100.0));
    assert!(world.seen[3] - 100.0 < 4.5);
}

#[test]
fn a_known_wait_is_slept_through_and_its_end_is_met() {
    let mut world = Simulated::new(&[0.0, 0.1, 30.1, 30.2], 0.0..0.0);
    world.waits = vec![(2, 30.0)];
    world.follow(60.0);
    assert_eq!(world.told, [1, 2, 3, 4]);
    assert!(world.calls_within(1.0, 28.0) <= 4, "{:?}", world.calls);
    assert!(world.seen[2] - 30.1 < 1.2, "{:?}", world.seen);
}

#[test]
fn one_call_tells_what_is_new_when_that_is_less_than_a_page() {
    let mut visible = vec![0.0; 2500];
    visible.extend([5.0; 60]);
    let mut world = Simulated::new(&visible, 0.0..0.0);
    world.follow(20.0);
    assert_eq!(world.told.len(), 2560);
    // Three whole pages; then the sixty come together, with one call.
    assert_eq!(world.calls_within(0.0, 0.8), 3);
    assert!(world.seen[2500..].iter().all(|seen| *seen == world.seen[2500]), "{:?}", &world.seen[2500..]);
}
