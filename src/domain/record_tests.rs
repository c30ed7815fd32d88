use super::*;
use proptest::prelude::*;

fn findings(record: &str) -> Vec<String> {
    examine(record.as_bytes(), (1, 1)).all().map(Finding::to_string).collect()
}

fn with(accreditation: &str) -> String {
    format!(
        r#"{{"facility_id":"F1","facility_name":"F","employee_count":1,"services":[],"accreditations":[{accreditation}],"state":"TX"}}"#
    )
}

#[test]
fn a_date_is_read_only_where_it_can_mean_one_day() {
    let day = NaiveDate::from_ymd_opt(2026, 2, 17);
    for good in [
        "2026-02-17",
        "2026-02-17T00:00:00Z",
        "2026-02-17T23:59:59.123+05:30",
        "2026-02-17T08:30:00+0530",
        "2026-02-17T08:30:00",
        "2026-02-17 08:30:00",
    ] {
        assert_eq!(date(good), day, "{good}");
    }
    for bad in [
        "2026-02-30",
        "02/17/2026",
        "17.02.2026",
        "20260217",
        "2026-2-17",
        "26-02-17",
        "",
        "soon",
        "2026-02-17x",
        "2026-02-17T25:00:00Z",
        " 2026-02-17",
        "+026-02-17",
        "２026-02-17",
        "2026-02-17T",
    ] {
        assert_eq!(date(bad), None, "{bad}");
    }
}

#[test]
fn each_wrong_field_is_named_with_its_path_and_reason() {
    let record = r#"{"facility_id":"F1","employee_count":"12","services":"ICU","accreditations":[
        {"name":"CAP","expiry_date":"2027-01-01"},{"name":"DNV","expiry_date":"2026-02-30"},
        {"expiry_date":20260101}, 7]}"#;
    assert_eq!(
        findings(record),
        [
            "facility_name: is missing",
            "employee_count: is a text; a number is needed",
            "services: is a text; an array is needed",
            "accreditations[1].expiry_date: 2026-02-30 is not a date",
            "accreditations[2].name: is missing",
            "accreditations[2].expiry_date: is a number; a date is needed",
            "accreditations[3]: is a number; an object is needed",
            "state: is missing",
        ]
    );
}

#[test]
fn without_an_id_there_is_no_facility() {
    for (record, expected) in [
        ("", "is not JSON: EOF while parsing a value (line 1, column 0)"),
        ("[]", "is an array; a record is an object"),
        ("{}", "facility_id: is missing"),
        (r#"{"facility_id":4}"#, "facility_id: is a number; a text is needed"),
        (r#"{"facility_id":"  "}"#, "facility_id: is empty"),
        ("{\n\"facility_id\":\n}", "is not JSON: expected value (line 3, column 1)"),
    ] {
        let examined = examine(record.as_bytes(), (1, 1));
        assert_eq!(examined.facility.unwrap_err().to_string(), expected);
    }
    let examined = examine(b"{\"facility_id\":\"\xff\"}", (1, 1));
    assert_eq!(examined.facility.unwrap_err().to_string(), "is not UTF-8: byte 17 is 0xff");
    let long = vec![b' '; LIMIT + 1];
    assert!(examine(&long, (1, 1)).facility.unwrap_err().reason.starts_with("has 1048577 bytes"));
}

#[test]
fn escape_sequences_are_found_wherever_they_hide() {
    let record = with(r#"{"name":"CAP\u001b[31m","expiry_date":"2027-01-01","no\u0007te":"x"}"#);
    assert_eq!(
        findings(&record),
        [
            "accreditations[0].name: holds U+001B (an escape sequence)",
            "accreditations[0][\"no\\u{7}te\"]: is a name that holds U+0007 (a control character)",
        ]
    );
}

#[test]
fn an_unreadable_date_does_not_keep_the_facility_out() {
    let examined = examine(with(r#"{"name":"CAP","expiry_date":"2026-02-30"}"#).as_bytes(), (1, 1));
    assert_eq!(examined.facility.unwrap().accreditations[0].expiry, None);
    assert_eq!(examined.findings.len(), 1);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = examine(&bytes, (1, 1));
    }

    #[test]
    fn what_is_said_is_never_obeyed(name in any::<String>(), day in any::<String>()) {
        let record = with(&serde_json::json!({ "name": name, "expiry_date": day }).to_string());
        for finding in examine(record.as_bytes(), (1, 1)).all() {
            prop_assert!(!finding.to_string().chars().any(text::obeyed));
        }
    }

    #[test]
    fn rewriting_loses_nothing(extra in "[a-z]{1,6}", number in any::<i64>()) {
        prop_assume!(!["name", "state", "city"].contains(&extra.as_str()));
        let mut value: Value = serde_json::from_str(&with("")).unwrap();
        value[&extra] = number.into();
        let facility = examine(value.to_string().as_bytes(), (1, 1)).facility.unwrap();
        prop_assert_eq!(facility.to_value(), value);
    }
}
