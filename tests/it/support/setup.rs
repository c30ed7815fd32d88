//! What a console is told at its start, for tests and benchmarks alike.

use chrono::{DateTime, NaiveDate, Utc};
use ward::ui::keymap::Keymap;
use ward::ui::say::Zone;
use ward::ui::theme::Theme;
use ward::ui::world::Setup;

/// The present moment of every test: 2026-01-01T15:04:11.204Z.
pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_767_279_851_204).expect("a moment")
}

/// As `ward --as-of 2026-01-01` on the local cloud, in UTC and the terminal's sixteen colours.
pub fn setup() -> Setup {
    Setup {
        target: "LOCAL".into(),
        local: true,
        region: "us-east-1".into(),
        bucket: "healthcare-accreditation-data-pipeline".into(),
        prefix: "raw/".into(),
        database: "healthcare_pipeline".into(),
        table: "facilities".into(),
        workgroup: "primary".into(),
        function: "Stage3-AthenaQueryFunction".into(),
        state_machine: "HealthcarePipelineStateMachine".into(),
        topic: "healthcare-pipeline-notifications".into(),
        read_only: false,
        as_of: NaiveDate::from_ymd_opt(2026, 1, 1).unwrap(),
        as_of_chosen: true,
        within: "6mo".into(),
        zone: Zone::UTC,
        utc: true,
        ascii: false,
        reduced_motion: false,
        mouse: true,
        theme: Theme::named("ansi"),
        keymap: Keymap::default(),
        now: now(),
    }
}
