//! The SQL that ships with ward: `assets/queries` (shown as saved queries) and `assets/athena` (the
//! catalog's statements, run by provisioning).

/// Stage 1: creates the database. Parameter: `database`.
pub const CREATE_DATABASE: &str = include_str!("../../assets/athena/create_database.sql");

/// Stage 1: creates the table over the raw objects. Parameters: `database`, `table`, `bucket`,
/// `prefix` (ends with a slash).
pub const CREATE_TABLE: &str = include_str!("../../assets/athena/create_table.sql");

/// Stage 1: facility_id, facility_name, employee_count, services_offered, first_accreditation_expiry.
pub const FACILITY_METRICS: &str = include_str!("../../assets/queries/facility_metrics.sql");

/// Stage 3: state, facility_count.
pub const FACILITIES_PER_STATE: &str = include_str!("../../assets/queries/facilities_per_state.sql");

/// Every saved query that ships: its name (the file's, without `.sql`) and its text, to be read
/// with [`super::parameters::read`]. In the order they are shown.
pub const SAVED: &[(&str, &str)] = &[
    ("facility_metrics", FACILITY_METRICS),
    ("facilities_per_state", FACILITIES_PER_STATE),
    ("expiring_within", include_str!("../../assets/queries/expiring_within.sql")),
    ("lapsed", include_str!("../../assets/queries/lapsed.sql")),
    ("expiries_per_month", include_str!("../../assets/queries/expiries_per_month.sql")),
    ("accreditors", include_str!("../../assets/queries/accreditors.sql")),
    ("facilities_by_service", include_str!("../../assets/queries/facilities_by_service.sql")),
    ("services", include_str!("../../assets/queries/services.sql")),
    ("staff_by_state", include_str!("../../assets/queries/staff_by_state.sql")),
    ("unreadable_dates", include_str!("../../assets/queries/unreadable_dates.sql")),
];

#[cfg(test)]
mod tests {
    use super::super::{class, parameters};
    use super::*;

    #[test]
    fn every_saved_query_reads_fills_and_only_reads() {
        for (name, text) in SAVED {
            let saved = parameters::read(text).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert!(!saved.title.is_empty() && !saved.help.is_empty(), "{name}");
            let sql = saved.fill(&Default::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
            let class = class::classify(&sql);
            assert!(!class.writes && class.statements == 1, "{name}: {class:?}");
            assert!(!sql.contains("{{") && !sql.contains(';'), "{name}: {sql}");
        }
    }

    #[test]
    fn the_statements_of_the_catalog_fill() {
        for text in [CREATE_DATABASE, CREATE_TABLE] {
            let sql = parameters::read(text).unwrap().fill(&Default::default()).unwrap();
            assert!(class::classify(&sql).writes && !sql.contains("{{"), "{sql}");
        }
    }
}
