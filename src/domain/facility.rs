//! A facility and its accreditations, and how a record is read.

use chrono::NaiveDate;
use serde_json::{Map, Value};

/// One accreditation of a facility.
#[derive(Clone, Debug, PartialEq)]
pub struct Accreditation {
    /// The accreditor: `name`, or `accreditation_body` in records of the wild.
    pub name: String,
    /// `None` when the record has no date or an unreadable one: unknown, never clear.
    pub expiry: Option<NaiveDate>,
    /// The date as the record spells it, when it spells one.
    pub expiry_text: Option<String>,
    /// Every other field, kept when the record is rewritten.
    pub other: Map<String, Value>,
}

/// One facility record.
#[derive(Clone, Debug, PartialEq)]
pub struct Facility {
    pub facility_id: String,
    pub facility_name: String,
    pub employee_count: Option<u64>,
    pub services: Vec<String>,
    pub accreditations: Vec<Accreditation>,
    /// Two-letter state; from `state`, or `location.state`.
    pub state: Option<String>,
    /// From `city`, or `location.city`.
    pub city: Option<String>,
    /// Every other field, kept when the record is rewritten.
    pub other: Map<String, Value>,
}
