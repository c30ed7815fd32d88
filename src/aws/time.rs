//! The SDK's points in time as chrono's.

use chrono::{DateTime, Utc};

/// A time outside chrono's range becomes the epoch: no service answers one.
pub(super) fn utc(time: &aws_smithy_types::DateTime) -> DateTime<Utc> {
    DateTime::from_timestamp(time.secs(), time.subsec_nanos()).unwrap_or_default()
}

pub(super) fn utc_option(time: Option<&aws_smithy_types::DateTime>) -> Option<DateTime<Utc>> {
    time.map(utc)
}
