use super::*;

fn line(id: u64, millis: i64, stream: &str, text: &str) -> LogLine {
    let at = DateTime::from_timestamp_millis(1_767_225_600_000 + millis).unwrap();
    LogLine { id: id.to_string(), at, stream: stream.into(), text: text.into() }
}

fn folded(lines: &[(i64, &str, &str)], after: i64) -> (Vec<Entry>, Vec<Invocation>) {
    let lines = lines.iter().enumerate();
    let mut entries: Vec<Entry> = lines
        .map(|(id, (millis, stream, text))| Entry::read(line(id as u64, *millis, stream, text)))
        .collect();
    let now = DateTime::from_timestamp_millis(1_767_225_600_000 + after).unwrap();
    let found = invocations(&mut entries, now);
    (entries, found)
}

/// The example of AWS's guide for REPORT lines, with the status that failed invocations carry.
#[test]
fn a_report_line_is_read() {
    let text = "REPORT RequestId: 79b4f56e-95b1-4643-9700-2807f4e68189\tDuration: 1047.25 ms\tBilled Duration: 1048 ms\tMemory Size: 128 MB\tMax Memory Used: 67 MB\tInit Duration: 227.1 ms\tStatus: error\tError Type: Runtime.ExitError\t";
    let entry = Entry::read(line(1, 0, "s", text));
    assert_eq!(entry.request.as_deref(), Some("79b4f56e-95b1-4643-9700-2807f4e68189"));
    let Said::Report(report) = entry.said else { panic!() };
    assert_eq!(report.duration, TimeDelta::microseconds(1_047_250));
    assert_eq!(report.billed, Some(TimeDelta::milliseconds(1048)));
    assert_eq!(report.init, Some(TimeDelta::microseconds(227_100)));
    assert_eq!((report.memory, report.used), (Some(128), Some(67)));
    assert_eq!(
        (report.status.as_deref(), report.error.as_deref()),
        (Some("error"), Some("Runtime.ExitError"))
    );
}

/// The example of AWS's guide for the JSON format of system logs.
#[test]
fn a_report_in_json_is_read() {
    let text = r#"{"time":"2023-03-23T18:54:46.345Z","type":"platform.report","record":{"requestId":"99f4c5f6-1b2c","metrics":{"durationMs":101.51,"billedDurationMs":300,"memorySizeMB":512,"maxMemoryUsedMB":33,"initDurationMs":116.67},"status":"success"}}"#;
    let entry = Entry::read(line(1, 0, "s", text));
    assert_eq!(entry.request.as_deref(), Some("99f4c5f6-1b2c"));
    let Said::Report(report) = entry.said else { panic!() };
    assert_eq!(report.duration, TimeDelta::microseconds(101_510));
    assert_eq!((report.memory, report.used, report.status), (Some(512), Some(33), None));
}

#[test]
fn lines_find_their_invocation() {
    let (entries, found) = folded(
        &[
            (0, "one", "INIT_START Runtime Version: provided.al2023"),
            (10, "one", "START RequestId: a Version: $LATEST"),
            (11, "two", "START RequestId: b Version: $LATEST"),
            (
                12,
                "one",
                r#"{"timestamp":"t","level":"INFO","message":"object arrived","requestId":"a","bucket":"x","key":"raw/F.json"}"#,
            ),
            (13, "two", "some text without an id"),
            (14, "two", r#"{"level":"ERROR","message":"the query ended FAILED","requestId":"b"}"#),
            (20, "one", "END RequestId: a"),
            (20, "one", "REPORT RequestId: a\tDuration: 10.00 ms\tMemory Size: 128 MB\t"),
            (30, "one", "said between two invocations"),
            (
                31,
                "two",
                "REPORT RequestId: b\tDuration: 20.00 ms\tMemory Size: 128 MB\tStatus: error\tError Type: QueryFailed\t",
            ),
            (40, "one", "START RequestId: c Version: $LATEST"),
        ],
        50,
    );
    let summary: Vec<_> = found.iter().map(|one| (one.request.as_str(), one.outcome, one.lines)).collect();
    assert_eq!(
        summary,
        [("c", Outcome::Running, 1), ("b", Outcome::Failed, 4), ("a", Outcome::Succeeded, 4)]
    );
    assert_eq!(found[1].error.as_deref(), Some("the query ended FAILED"));
    assert_eq!(found[2].subject, Some(Subject::Object("raw/F.json".into())));
    assert_eq!(entries[4].request.as_deref(), Some("b"));
    assert_eq!(entries[8].request, None);
    let Said::Record { level, message, fields } = &entries[3].said else { panic!() };
    assert_eq!((*level, message.as_str()), (Level::Info, "object arrived"));
    assert_eq!(fields.keys().collect::<Vec<_>>(), ["bucket", "key"]);
}

#[test]
fn what_timed_out_or_vanished_is_not_running() {
    let lines = [
        (0, "one", "START RequestId: a Version: $LATEST"),
        (1, "two", "START RequestId: b Version: $LATEST"),
        (60_000, "one", "2026-01-01T00:01:00.000Z a Task timed out after 60.00 seconds"),
        (60_001, "one", "REPORT RequestId: a\tDuration: 60000.00 ms\tStatus: timeout\t"),
    ];
    let outcomes = |after| folded(&lines, after).1.iter().map(|one| one.outcome).collect::<Vec<_>>();
    assert_eq!(outcomes(61_000), [Outcome::Running, Outcome::TimedOut]);
    assert_eq!(outcomes(901_000), [Outcome::Failed, Outcome::TimedOut]);
}

#[test]
fn an_execution_is_found_in_any_text() {
    let arn = "arn:aws:states:us-east-1:000000000000:execution:M:run-1";
    for text in [
        arn.to_owned(),
        format!("for {arn}."),
        format!(
            r#"{{"message":"x","machine":"arn:aws:states:us-east-1:1:stateMachine:M","execution":"{arn}"}}"#
        ),
    ] {
        assert_eq!(execution_in(&text), Some(arn), "{text}");
    }
    assert_eq!(execution_in("arn:aws:states:us-east-1:1:stateMachine:M arn:aws"), None);
}

#[test]
fn a_json_line_in_brief_leaves_out_what_is_known() {
    let line =
        r#"{"timestamp":"t","level":"WARN","message":"no rows","requestId":"r","n":3,"execution":"arn:x"}"#;
    assert_eq!(brief(line, "arn:x"), "WARN no rows  n=3");
    assert_eq!(brief(line, ""), "WARN no rows  n=3  execution=arn:x");
    assert_eq!(brief("START RequestId: r", ""), "START RequestId: r");
    assert_eq!(brief("{not json", ""), "{not json");
}
