use serde_json::json;

use super::*;
use crate::cli::output::tests::written;

const ARN: &str = "arn:aws:states:us-east-1:000000000000:execution:M:run-1";

fn at(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap()
}

fn event(id: i64, kind: &str) -> HistoryEvent {
    let details = json!({"name": "Pause", "input": "{}", "output": "{}"});
    HistoryEvent { id, previous: id - 1, at: at(id * 100), kind: kind.into(), details }
}

/// Watching from 0.25 s on: what was before, then batches as they come.
fn watched(format: Format, batches: &[&[HistoryEvent]]) -> String {
    let clock = |at: DateTime<Utc>| at.format("%S%.3f").to_string();
    let (data, talk) = written(format, |out| {
        let mut watching = Watching::new(at(250));
        for batch in batches {
            watching.take(out, &clock, ARN, Some(Ok(batch.to_vec())));
        }
        watching.take(out, &clock, ARN, None);
        assert!(watching.timelines.is_empty());
    });
    assert_eq!(talk, "");
    data
}

fn run() -> [HistoryEvent; 4] {
    [
        event(1, "ExecutionStarted"),
        event(2, "WaitStateEntered"),
        event(3, "WaitStateExited"),
        event(4, "ExecutionSucceeded"),
    ]
}

#[test]
fn what_was_before_is_one_line() {
    let all = run();
    let expected = "00.250  M / run-1  is in Pause, running for 150 ms\n\
                    00.300  M / run-1  Pause succeeded in 100 ms\n\
                    00.400  M / run-1  execution succeeded after 300 ms\n";
    assert_eq!(watched(Format::Table, &[&all[..2], &all[2..]]), expected);
    // Whole histories at once, as a slow reader gets them, tell the same.
    assert_eq!(watched(Format::Table, &[&all]), expected);
}

#[test]
fn what_starts_later_is_told_from_its_beginning() {
    let mut all = run();
    for event in &mut all {
        event.at += chrono::TimeDelta::seconds(1);
    }
    let data = watched(Format::Table, &[&all[..1], &all[1..]]);
    let lines: Vec<&str> = data.lines().collect();
    assert_eq!(lines[0], "01.100  M / run-1  execution started");
    assert_eq!(lines.len(), 4);
}

#[test]
fn what_is_over_already_is_not_told_to_people_and_programs_get_all_of_it() {
    let all = run();
    assert_eq!(
        watched(Format::Table, &[&all[..1]]),
        "00.250  M / run-1  is between states, running for 150 ms\n"
    );
    assert_eq!(watched(Format::Ndjson, &[&all]).lines().count(), 4);
}

/// A redriven execution is followed once more: its history comes whole, and only what is new is told.
#[test]
fn what_was_redriven_is_told_from_there_on() {
    let clock = |at: DateTime<Utc>| at.format("%S%.3f").to_string();
    let second =
        ["ExecutionStarted", "WaitStateEntered", "ExecutionFailed", "ExecutionRedriven"].map(str::to_owned);
    let second: Vec<HistoryEvent> = (1..).zip(&second).map(|(id, kind)| event(id, kind)).collect();
    let first = second[..3].to_vec();
    // To people: where it stood, that it failed, and that it goes on.
    for (format, lines) in [(Format::Table, 3), (Format::Ndjson, 4)] {
        let (data, _) = written(format, |out| {
            let mut watching = Watching::new(at(250));
            assert!(watching.follow(ARN) && !watching.follow(ARN), "once at a time");
            watching.take(out, &clock, ARN, Some(Ok(first.clone())));
            watching.take(out, &clock, ARN, None);
            assert!(watching.follow(ARN), "again, once it is over");
            watching.take(out, &clock, ARN, Some(Ok(second.clone())));
        });
        assert_eq!(data.lines().count(), lines, "{data}");
        assert_eq!(data.to_lowercase().matches("redriven").count().min(1), 1, "{data}");
    }
}

/// While the service is away every round fails alike, with every state machine.
#[test]
fn what_goes_wrong_is_said_once_and_so_is_its_end() {
    let away: BTreeMap<String, Vec<String>> =
        [("No answer".to_owned(), vec!["A".to_owned(), "B".to_owned(), "C".to_owned()])].into();
    let refused: BTreeMap<String, Vec<String>> = [("Not allowed".to_owned(), vec!["A".to_owned()])].into();
    let (_, talk) = written(Format::Table, |out| {
        let mut told = BTreeSet::new();
        for round in [&away, &away, &refused, &refused, &BTreeMap::new()] {
            told = tell(out, told, round);
        }
    });
    assert_eq!(talk, "A and 2 others: No answer\nA: Not allowed\nOver: No answer\nOver: Not allowed\n");
}
