use super::*;
use crate::domain::facility::Accreditation;
use proptest::prelude::*;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn central() -> Facility {
    Facility {
        employee_count: Some(499),
        services: vec!["Emergency Care".into(), "ICU".into()],
        accreditations: vec![
            Accreditation::new("CAP", Some(date("2026-02-17"))),
            Accreditation::new("DNV", Some(date("2027-02-07"))),
        ],
        state: Some("TX".into()),
        city: Some("Austin".into()),
        ..Facility::new("FAC004", "Central Hospital")
    }
}

fn holds(line: &str) -> bool {
    Filter::parse(line).unwrap().matches(&central(), date("2026-01-01"))
}

#[test]
fn terms_that_hold() {
    for line in [
        "",
        "state:TX",
        "state:az,tx",
        "STATE:tx days<48 days>=47 days=47",
        "!service:Surgery accreditor:cap",
        "service:\"emergency care\"",
        "services:icu services=2 staff>400",
        "tier:high tier:critical,high",
        "expiry<2026-03-01 expiry:2026-02-17",
        "within:2mo !within:1mo",
        "id:004 name:\"central hosp\" city:aus",
        "central",
        "cntrl hosp",
        "FAC004 tx",
        "\"Central\"",
        "!riverside",
    ] {
        assert!(holds(line), "{line}");
    }
}

#[test]
fn terms_that_do_not_hold() {
    for line in [
        "state:AZ",
        "!state:TX",
        "days<47",
        "!service:ICU",
        "tier:lapsed",
        "staff<499",
        "within:1mo",
        "riverside",
        "zz",
        "!central",
        "services>2",
        "expiry>2026-02-17",
    ] {
        assert!(!holds(line), "{line}");
    }
}

#[test]
fn without_a_date_no_number_of_days_fits() {
    let unknown = Facility::new("F", "F");
    for line in ["days<9999", "days>=-9999", "expiry<2999-01-01", "tier:clear"] {
        assert!(!Filter::parse(line).unwrap().matches(&unknown, date("2026-01-01")), "{line}");
    }
    assert!(Filter::parse("tier:unknown").unwrap().matches(&unknown, date("2026-01-01")));
}

#[test]
fn errors_point_at_the_spot() {
    for (line, spot, says) in [
        ("state:TX stat:AZ", "stat", "not a field"),
        ("days<soon", "soon", "not a whole number"),
        ("x tier:high,urgent", "urgent", "not a tier"),
        ("name:\"a b", "\"a b", "not closed"),
        ("state:", ":", "needs a value"),
        ("expiry<2026-02-30", "2026-02-30", "not a date"),
        ("within:6m", "6m", "6mo"),
        ("état name<3", "name<", "is a text"),
    ] {
        let error = Filter::parse(line).unwrap_err();
        assert_eq!(&line[error.at.clone()], spot, "{line}");
        assert!(error.message.contains(says), "{line}: {}", error.message);
    }
    let error = Filter::parse("état days<x").unwrap_err();
    assert_eq!(error.pointed(), "état days<x\n          ^");
}

proptest! {
    #[test]
    fn any_line_is_a_filter_or_an_error_with_a_spot(line in "[a-z:<>=!\", é]{0,30}") {
        match Filter::parse(&line) {
            Ok(filter) => { filter.matches(&central(), date("2026-01-01")); }
            Err(error) => { error.pointed(); }
        }
    }

    #[test]
    fn a_negated_term_holds_where_the_term_does_not(
        term in prop::sample::select(vec!["state:TX", "days<30", "tier:high", "service:ICU", "staff>1"]),
    ) {
        prop_assert_ne!(holds(term), holds(&format!("!{term}")));
    }
}
